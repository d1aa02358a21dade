"""Candidates of the chosen spans, scored: prior, exactness, part of speech, and neighbours among the other mentions.

    score = exactness * part-of-speech weight * (0.35 + 0.65 * prior)
    score += context_weight * (1 - score) * best score of a neighbour in the graph that another mention may mean

All in one compiled call per text. Spans come from `span_choice.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled
from kg_reason.kg.lemmas import ADJECTIVE, ADVERB, NOUN, VERB
from kg_reason.kg.part_of_speech import START as PHRASE_START
from kg_reason.kg.part_of_speech import pos_weights
from kg_reason.kg.span_choice import EXACTNESS_UNIT, ROW_NAMED
from kg_reason.kg.word_classes import CONTENT, DEGREE, DETERMINER, DO, MODAL, NEGATION, PARTICLE, POSSESSIVE, TO
from kg_reason.kg.word_table import (
    CHARACTER,
    CLASS,
    CONNECTED,
    FLAGS,
    FORM,
    FORM_S,
    HAS_POSSESSIVE,
    IRREGULAR,
    LY_ADVERB,
    NUMERAL,
    SINGLE_LETTER,
    SYMBOL,
)
from kg_reason.kg.words import BREAK_BIT, GLUED_BIT

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

MAX_NEIGHBOURS = 64  # looked at per candidate
MAX_POOL = 24  # candidates per mention before context
PLAUSIBLE = 0.3  # least weight of a part of speech that keeps a candidate of its own

# Columns of a mention: words, place of its candidates, node of the label (-1 none), entity named by the caller (-1 none).
MENTION_START, MENTION_END, FIRST, COUNT, LABEL_NODE = range(5)


@compiled
def _weight_of(bit: int, weights: tuple[float, float, float, float]) -> float:
    if bit == NOUN:
        return weights[0]
    if bit == VERB:
        return weights[1]
    if bit == ADJECTIVE:
        return weights[2]
    if bit == ADVERB:
        return weights[3]
    return 1.0


@compiled
def _tag_weights(tags: int) -> tuple[float, float, float, float]:
    return (
        1.0 if tags & NOUN else 0.25,
        1.0 if tags & VERB else 0.25,
        1.0 if tags & ADJECTIVE else 0.25,
        1.0 if tags & ADVERB else 0.25,
    )


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
def pool_candidates(
    entries: Int64,
    chosen: Int32,
    head: Int32,
    following: Int32,
    rows: Int32,
    facts: Int32,
    shapes: Int64,
    tags: Int32,
    alias_prior: Float32,
    has_cues: bool,
) -> tuple[Int64, Int64, Float64]:
    """Walk the text once: mentions, unknown content words, and the candidates of each mention before context.

    Args:
        entries: int64 [num_entries, 9], see `span_choice.py`; with chosen, head and following from `choose_spans`.
        chosen: see entries.
        head: see entries.
        following: see entries.
        rows: int32 [num_words].
        facts: facts of the word rows.
        shapes: int64 [num_words].
        tags: int32 [num_words], parts of speech from a tagger as bits; 0 = not known.
        alias_prior: float32 [num_aliases].
        has_cues: whether the cues of English apply.

    Returns:
        mentions int64 [num_mentions, 5]; pool int64 [num_pooled, 4] of entity, alias, part of speech bit and node;
        scores float64 [num_pooled, 2] of score and part-of-speech weight.
    """
    num_words = rows.size
    mentions = np.empty((num_words, 5), dtype=np.int64)
    pool = np.empty((entries.shape[0], 4), dtype=np.int64)
    scores = np.empty((entries.shape[0], 2), dtype=np.float64)
    order = np.empty(entries.shape[0], dtype=np.int64)
    held = np.empty((entries.shape[0], 4), dtype=np.int64)
    held_scores = np.empty((entries.shape[0], 2), dtype=np.float64)
    num_mentions = 0
    num_pooled = 0
    before = PHRASE_START
    before_pos = 0
    before_plural = False
    place = 0
    while place < num_words:
        row = rows[place]
        if shapes[place] & BREAK_BIT:
            before = PHRASE_START
        length = chosen[place]
        if length == 0:
            if row < 0:
                before = CONTENT if row == ROW_NAMED else DETERMINER
                before_pos = NOUN
                before_plural = False
                place += 1
                continue
            flags = facts[row, FLAGS]
            word_class = facts[row, CLASS]
            if word_class == CONTENT and not flags & (SINGLE_LETTER | SYMBOL):
                goes_on = num_mentions > 0 and mentions[num_mentions - 1, 1] == place and mentions[num_mentions - 1, 4] < 0
                if goes_on:
                    last_row = rows[place - 1]
                    characters = facts[last_row, FLAGS] & flags & CHARACTER != 0 and shapes[place] & GLUED_BIT != 0
                    goes_on = flags & CONNECTED != 0 or (characters and not shapes[place] & BREAK_BIT)
                if goes_on:
                    mentions[num_mentions - 1, 1] = place + 1
                else:
                    mentions[num_mentions, 0] = place
                    mentions[num_mentions, 1] = place + 1
                    mentions[num_mentions, 2] = num_pooled
                    mentions[num_mentions, 3] = 0
                    mentions[num_mentions, 4] = -1
                    num_mentions += 1
                if flags & NUMERAL:
                    before = DETERMINER
                elif not flags & LY_ADVERB:
                    before = CONTENT
                    before_pos = 0
                    before_plural = facts[row, FORM] == FORM_S
            elif word_class != NEGATION and word_class != DEGREE and word_class != CONTENT:
                before = word_class
            if flags & HAS_POSSESSIVE:
                before = POSSESSIVE
            place += 1
            continue
        end = place + length
        after = PHRASE_START
        if end < num_words and not shapes[end] & BREAK_BIT:
            after = facts[rows[end], CLASS] if rows[end] >= 0 else DETERMINER
            if rows[end] == ROW_NAMED:
                after = CONTENT
        weights = (1.0, 1.0, 1.0, 1.0)
        tagged = tags[end - 1] if tags[end - 1] == tags[place] else 0
        if length == 1 and tagged:
            weights = _tag_weights(tagged)
        elif has_cues:
            form = facts[row, FORM]
            weights = pos_weights(before, before_pos, before_plural, form, after)
            if length == 1 and facts[row, CLASS] == PARTICLE:
                weights = (0.5 if before == DETERMINER else 0.1, 0.05, 0.85, 1.0)
            if length > 1 and tagged:
                weights = _tag_weights(tagged)
        # Parts of speech with more senses of this word are the more usual ones: a slight preference.
        counts = np.zeros(16, dtype=np.int64)
        exact_unknown = False
        total = 0
        entry = head[place]
        while entry >= 0:
            if entries[entry, 8] > 0:
                if entries[entry, 5] > 0:
                    counts[entries[entry, 5]] += 1
                    total += 1
                elif entries[entry, 6] == 0:
                    exact_unknown = True
            entry = following[entry]
        # Only the parts of speech that the word has are weighed against each other.
        most = 0.5
        for bit in (NOUN, VERB, ADJECTIVE, ADVERB):
            if counts[bit]:
                most = max(most, _weight_of(bit, weights))
        wants_base = before == TO or before == MODAL or before == DO
        irregular = facts[row, FLAGS] & IRREGULAR != 0 and length == 1
        num_held = 0
        entry = head[place]
        while entry >= 0:
            bit = entries[entry, 5]
            refused = entries[entry, 8] == 0 or (bit < 0 and exact_unknown and entries[entry, 6] > 0)
            if not refused:
                weight = _weight_of(bit, weights) / most if bit > 0 else 1.0
                if irregular and bit == VERB and (entries[entry, 6] > 0) == wants_base:
                    weight *= 0.6  # "saw" is a form of "see", but not after "to"
                share = 0.9 + 0.1 * counts[bit] / total if bit > 0 else 1.0
                alias = entries[entry, 2]
                score = entries[entry, 8] / EXACTNESS_UNIT * weight * share * (0.35 + 0.65 * alias_prior[alias])
                same = 0
                while same < num_held and held[same, 0] != entries[entry, 3]:
                    same += 1
                if same == num_held or score > held_scores[same, 0]:
                    held[same, 0] = entries[entry, 3]
                    held[same, 1] = alias
                    held[same, 2] = bit
                    held[same, 3] = entries[entry, 7]
                    held_scores[same, 0] = score
                    held_scores[same, 1] = weight
                    num_held = max(num_held, same + 1)
            entry = following[entry]
        for number in range(num_held):
            order[number] = number
        _sort_pool(held_scores[:, 0], order, held[:, 0], num_held)
        mentions[num_mentions, 0] = place
        mentions[num_mentions, 1] = end
        mentions[num_mentions, 2] = num_pooled
        best = order[0]
        mentions[num_mentions, 4] = held[best, 3]
        kept_pos = 0
        for number in range(num_held):
            row_held = order[number]
            bit = held[row_held, 2]
            if number < MAX_POOL or (bit > 0 and not kept_pos & bit):
                if bit > 0:
                    kept_pos |= bit
                pool[num_pooled] = held[row_held]
                scores[num_pooled] = held_scores[row_held]
                num_pooled += 1
        mentions[num_mentions, 3] = num_pooled - mentions[num_mentions, 2]
        num_mentions += 1
        best_bit = held[best, 2]
        if best_bit != ADVERB:
            last_row = rows[end - 1]
            before = CONTENT
            before_pos = max(best_bit, 0)
            before_plural = facts[last_row, FORM] == FORM_S
            if facts[last_row, CLASS] == PARTICLE and length == 1:
                before = PARTICLE
        elif facts[rows[place], CLASS] == PARTICLE:
            before = PARTICLE
        if length == 1 and facts[row, FLAGS] & NUMERAL:
            before = DETERMINER
        if facts[rows[end - 1], FLAGS] & HAS_POSSESSIVE:
            before = POSSESSIVE
        place = end
    return mentions[:num_mentions], pool[:num_pooled], scores[:num_pooled]


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
    """Return the scores float64 [num_pooled] with what neighbours among the other mentions' candidates add."""
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
            while slots[place] >= 0:
                place = (place + 1) & (size - 1)
            slots[place] = candidate
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
        final[candidate] += context_weight * (1.0 - final[candidate]) * best
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
