"""What the model may know of a path besides its words: numbers in about [0, 1], computed in one compiled loop.

The model judges with them whether a path speaks of the senses meant (scores, ranks and shares of both ends, parts of
speech), of the words that replace each other (position, neighbours in the text, whether the start word occurs on the
other side too), and whether it says anything (length, hubs, number of alternatives).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled
from kg_reason.kg.search import (
    CANDIDATE_ALIAS,
    CODE,
    DEGREE,
    END,
    END_CANDIDATE,
    ENTITY,
    LENGTH,
    MAX_STEPS,
    PLACE,
    START,
    START_CANDIDATE,
    TOTAL,
    Int32,
    Query,
    Rows,
    degree,
)

PATH_FEATURES = (
    "start_score",  # of the candidates, as the linker gave them
    "end_score",
    "start_rank",  # 1 for the best candidate of its mention, then 1/2, 1/3 ...
    "end_rank",
    "start_share",  # of the candidate in the scores of its mention
    "end_share",
    "shortness",  # 1 for 0 edges, 0 for MAX_STEPS
    "same_entity",  # 1 for a 0-edge path
    "hub",  # of the largest entity inside: edges / (edges + 100)
    "start_degree",  # the same of both ends: general words have many edges
    "end_degree",
    "taxonomic",  # share of the edges that are of a taxonomic relation
    "start_matched",  # 1 if the start word occurs on the other side too
    "in_hypothesis",  # 1 if both mentions stand in the hypothesis
    "min_weight",  # of the lightest edge: weight / (1 + weight)
    "alternatives",  # paths found for the pair: number / (number + 4)
    "place",  # of this path among those kept for the pair: 1, 1/2, 1/3 ...
    "left_match",  # 1 if the mentions before both ends are the same word, or both ends come first
    "right_match",  # the same after
    "position",  # 1 if both mentions stand equally far into their sentences, 0 at opposite ends
    "same_pos",  # 1 if both labels have the same part of speech, 0 if another, 1/2 if not known
    "score",  # by which the path was ranked
)
NUM_PATH_FEATURES = len(PATH_FEATURES)


@compiled
def _openness(rows: Rows, node: int) -> float:
    """Return how far an entity is a hub, in [0, 1): its degree / (its degree + 100)."""
    edges = degree(rows, node)
    return float(edges / (edges + 100.0))


@compiled
def _neighbour_match(key: Int32, first: int, second: int, num_premise: int, num_mentions: int) -> float:
    """Compare the words at two places of premise and hypothesis; before the first and after the last is a word too."""
    first_outside = first < 0 or first >= num_premise
    second_outside = second < num_premise or second >= num_mentions
    if first_outside or second_outside:
        return 1.0 if first_outside and second_outside else 0.0
    return 1.0 if key[first] == key[second] else 0.0


@compiled
def _share(query: Query, mention: int, candidate: int) -> float:
    total = 0.0
    for other in range(query.first[mention], query.first[mention + 1]):
        total += query.score[other]
    return query.score[candidate] / total if total > 0.0 else 0.0


@compiled
def _occurs(key: Int32, wanted: int, first: int, last: int) -> float:
    for mention in range(first, last):
        if key[mention] == wanted:
            return 1.0
    return 0.0


@compiled
def measure_paths(
    rows: Rows,
    query: Query,
    paths: Int32,
    scores: NDArray[np.float64],
    num_premise: int,
    num_mentions: int,
    features: NDArray[np.float32],
) -> None:
    """Fill the features of ranked paths.

    Args:
        rows: the graph.
        query: the mentions.
        paths: [num_paths or more, WIDTH], as `search.find_paths` leaves them.
        scores: [num_paths or more].
        num_premise: number of premise mentions.
        num_mentions: number of all mentions.
        features: [num_paths, NUM_PATH_FEATURES], filled.
    """
    num_hypothesis = num_mentions - num_premise
    for k in range(features.shape[0]):
        path = paths[k]
        start = path[START]
        end = path[END]
        start_candidate = path[START_CANDIDATE]
        end_candidate = path[END_CANDIDATE]
        length = path[LENGTH]
        in_hypothesis = start >= num_premise
        hub = 0.0
        for i in range(1, length):
            hub = max(hub, path[DEGREE + i] / (path[DEGREE + i] + 100.0))
        taxonomic = 0.0
        weight = 1.0
        for i in range(length):
            code = path[CODE + i]
            edge = code if code >= 0 else ~code
            found = max(0.0, float(rows.edge_weight[edge]))
            weight = found if i == 0 else min(weight, found)
            relation = rows.edge_relation[edge]
            told = rows.twin[relation] if rows.twin[relation] >= 0 else relation
            taxonomic += 1.0 if rows.climbs[told] else 0.0
        start_alias = query.candidate[start_candidate, CANDIDATE_ALIAS]
        end_alias = query.candidate[end_candidate, CANDIDATE_ALIAS]
        same_pos = 0.5
        if start_alias >= 0 and end_alias >= 0:  # a name given with the example is no label of the graph
            start_pos = rows.alias_pos[start_alias]
            end_pos = rows.alias_pos[end_alias]
            if start_pos != 0 and end_pos != 0:
                same_pos = 1.0 if start_pos == end_pos else 0.0
        row = features[k]
        row[0] = query.score[start_candidate]
        row[1] = query.score[end_candidate]
        row[2] = 1.0 / (1 + start_candidate - query.first[start])
        row[3] = 1.0 / (1 + end_candidate - query.first[end])
        row[4] = _share(query, start, start_candidate)
        row[5] = _share(query, end, end_candidate)
        row[6] = (MAX_STEPS - length) / MAX_STEPS
        row[7] = 1.0 if length == 0 else 0.0
        row[8] = hub
        row[9] = _openness(rows, path[ENTITY])
        row[10] = _openness(rows, path[ENTITY + length])
        row[11] = taxonomic / length if length > 0 else 0.0
        row[13] = 1.0 if in_hypothesis else 0.0
        row[14] = weight / (1.0 + weight)
        row[15] = path[TOTAL] / (path[TOTAL] + 4.0)
        row[16] = 1.0 / (1 + path[PLACE])
        if in_hypothesis:
            row[12] = _occurs(query.key, query.key[start], 0, num_premise)
            row[17] = 0.0
            row[18] = 0.0
            row[19] = 1.0 - abs(end - start) / num_hypothesis
        else:
            row[12] = _occurs(query.key, query.key[start], num_premise, num_mentions)
            row[17] = _neighbour_match(query.key, start - 1, end - 1, num_premise, num_mentions)
            row[18] = _neighbour_match(query.key, start + 1, end + 1, num_premise, num_mentions)
            row[19] = 1.0 - abs((start + 0.5) / num_premise - (end - num_premise + 0.5) / num_hypothesis)
        row[20] = same_pos
        row[21] = scores[k]
