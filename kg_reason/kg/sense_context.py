"""What the graph and the other mentions of a text say about a mention's candidates, and which of them are kept.

    score *= 1 - popularity_weight * (1 - log(1 + edges) / log(1 + most edges of a rival))
    score *= 1 - context_weight * (most support of a candidate of the mention - support)

Rivals are the candidates of the same mention and part of speech. Support is the best score of a neighbour in the graph
that another mention may mean. Scores before come from `sense_scores.py`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

MAX_NEIGHBOURS = 64  # looked at per candidate
MAX_SAME_ENTITY = 4  # mentions through which one entity counts as context
PLAUSIBLE = 0.3  # least weight of a part of speech that keeps a candidate of its own


@compiled
def weigh_popularity(
    mentions: Int64,
    pool: Int64,
    scores: Float64,
    out_start: Int64,
    out_end: Int64,
    in_start: Int64,
    in_end: Int64,
    num_unseen: Int32,
    popularity_weight: float,
) -> Float64:
    """Return the scores float64 [num_pooled, 2], lower in the first column for candidates with fewer edges than rivals.

    Rivals are the candidates of the same mention and part of speech; without rivals a score stays what it was.
    """
    weighed = scores.copy()
    if popularity_weight == 0.0:
        return weighed
    edges = np.empty(pool.shape[0], dtype=np.float64)
    for candidate in range(pool.shape[0]):
        entity = pool[candidate, 0]
        count = (out_end[entity] - out_start[entity]) + (in_end[entity] - in_start[entity])
        if entity < num_unseen.size:
            count += num_unseen[entity]
        edges[candidate] = math.log(1.0 + count)
    for mention in range(mentions.shape[0]):
        first = mentions[mention, 2]
        last = first + mentions[mention, 3]
        for candidate in range(first, last):
            most = edges[candidate]
            for rival in range(first, last):
                if pool[rival, 2] == pool[candidate, 2]:
                    most = max(most, edges[rival])
            if most > 0.0:
                weighed[candidate, 0] *= 1.0 - popularity_weight * (1.0 - edges[candidate] / most)
    return weighed


@compiled
def _sort_pool(scores: Float64, order: Int64, entity: Int64, count: int) -> None:
    """Sort by score, best first, ties by entity."""
    for place in range(1, count):
        row = order[place]
        other = place - 1
        while other >= 0 and (
            scores[order[other]] < scores[row]
            or (scores[order[other]] == scores[row] and entity[order[other]] > entity[row])
        ):
            order[other + 1] = order[other]
            other -= 1
        order[other + 1] = row


@compiled
def _best_neighbour(
    entity: int, mention: int, slots: Int64, pool: Int64, owner: Int64, scores: Float64, best: float
) -> float:
    """Return the larger of `best` and the score of an entity as a candidate of another mention."""
    place = (entity * 40503) & (slots.size - 1)
    while slots[place] >= 0:
        candidate = slots[place]
        if pool[candidate, 0] == entity and owner[candidate] != mention:
            best = max(best, scores[candidate, 0])
        place = (place + 1) & (slots.size - 1)
    return best


@compiled
def add_context(
    mentions: Int64,
    pool: Int64,
    scores: Float64,
    edge_head: Int32,
    edge_tail: Int32,
    out_start: Int64,
    out_end: Int64,
    in_start: Int64,
    in_end: Int64,
    in_edge: Int32,
    context_weight: float,
) -> Float64:
    """Return the scores float64 [num_pooled] lower for candidates with less support by the other mentions."""
    num_pooled = pool.shape[0]
    final = scores[:, 0].copy()
    if context_weight == 0.0 or mentions.shape[0] < 2:
        return final
    size = 16
    while size < 4 * num_pooled:
        size *= 2
    slots = np.full(size, -1, dtype=np.int64)
    owner = np.empty(num_pooled, dtype=np.int64)
    for mention in range(mentions.shape[0]):
        for candidate in range(mentions[mention, 2], mentions[mention, 2] + mentions[mention, 3]):
            owner[candidate] = mention
            place = (pool[candidate, 0] * 40503) & (size - 1)
            same = 0  # a word that recurs all through a long text is entered only so often
            while slots[place] >= 0:
                if pool[slots[place], 0] == pool[candidate, 0]:
                    same += 1
                place = (place + 1) & (size - 1)
            if same < MAX_SAME_ENTITY:
                slots[place] = candidate
    support = np.zeros(num_pooled, dtype=np.float64)
    most = np.zeros(mentions.shape[0], dtype=np.float64)
    for candidate in range(num_pooled):
        entity = pool[candidate, 0]
        mention = owner[candidate]
        best = 0.0
        left = MAX_NEIGHBOURS
        for edge in range(out_start[entity], min(out_end[entity], out_start[entity] + left)):
            if edge_tail[edge] != entity:
                best = _best_neighbour(int(edge_tail[edge]), mention, slots, pool, owner, scores, best)
        left -= min(left, out_end[entity] - out_start[entity])
        for row in range(in_start[entity], min(in_end[entity], in_start[entity] + left)):
            neighbour = int(edge_head[in_edge[row]])
            if neighbour != entity:
                best = _best_neighbour(neighbour, mention, slots, pool, owner, scores, best)
        support[candidate] = best
        most[mention] = max(most[mention], best)
    for candidate in range(num_pooled):
        final[candidate] *= 1.0 - context_weight * (most[owner[candidate]] - support[candidate])
    return final


@compiled
def keep_best(
    mentions: Int64, pool: Int64, scores: Float64, final: Float64, max_candidates: int
) -> tuple[Int64, Int64, Float64]:
    """Keep the best candidates of each mention, among them one of each plausible part of speech.

    Returns:
        mentions with the places of the kept candidates; kept int64 [num_kept, 2] of entity and alias; their scores.
    """
    out = mentions.copy()
    kept = np.empty((pool.shape[0], 2), dtype=np.int64)
    kept_scores = np.empty(pool.shape[0], dtype=np.float64)
    order = np.empty(pool.shape[0], dtype=np.int64)
    num_kept = 0
    for mention in range(mentions.shape[0]):
        first = mentions[mention, 2]
        count = mentions[mention, 3]
        for number in range(count):
            order[number] = first + number
        _sort_pool(final, order, pool[:, 0], count)
        keep = min(count, max_candidates)
        for number in range(keep, count):
            bit = pool[order[number], 2]
            if bit <= 0 or scores[order[number], 1] < PLAUSIBLE:
                continue
            present = False
            for other in range(keep):
                present = present or pool[order[other], 2] == bit
            if present:
                continue
            for other in range(keep - 1, 0, -1):  # the weakest whose part of speech is kept twice gives way
                twin = False
                for third in range(other):
                    twin = twin or pool[order[third], 2] == pool[order[other], 2]
                if twin:
                    row = order[number]
                    order[number] = order[other]
                    order[other] = row
                    break
        _sort_pool(final, order, pool[:, 0], keep)
        out[mention, 2] = num_kept
        out[mention, 3] = keep
        if keep:
            out[mention, 4] = pool[order[0], 3]
        for number in range(keep):
            kept[num_kept, 0] = pool[order[number], 0]
            kept[num_kept, 1] = pool[order[number], 1]
            kept_scores[num_kept] = final[order[number]]
            num_kept += 1
    return out, kept[:num_kept], kept_scores[:num_kept]
