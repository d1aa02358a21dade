"""Candidates of the chosen spans, scored one mention at a time.

    score = fit * part-of-speech weight * (0.9 + 0.1 * share of that part of speech) * (0.35 + 0.65 * prior)

One compiled walk over the text. Spans come from `span_choice.py`; what the mentions of a text say about one another is
`sense_context.py`.
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
    COUNTER,
    FLAGS,
    FORM,
    FORM_S,
    HAS_POSSESSIVE,
    IRREGULAR,
    LY_ADVERB,
    MEASURE,
    NUMERAL,
    SINGLE_LETTER,
    SYMBOL,
)
from kg_reason.kg.words import BREAK_BIT, GLUED_BIT

PLURAL_LABEL = 0.9  # a label that is a plural ("men", the work force) is worth no more than its singular, inflected

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# Columns of a mention: first word, word after the last, place and number of its candidates, node of the best label.
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
def _fit(entries: Int64, entry: int, inflected_noun: bool) -> float:
    """Return how well a label fits the word as written, in [0, 1].

    Args:
        entries: int64 [num_entries, 9].
        entry: of the label.
        inflected_noun: whether the word is also an inflected form of a noun.
    """
    fit = entries[entry, 8] / EXACTNESS_UNIT
    if inflected_noun and entries[entry, 5] == NOUN and entries[entry, 6] == 0:
        fit *= PLURAL_LABEL
    return float(fit)


@compiled
def _gather(
    entries: Int64,
    entry: int,
    following: Int32,
    alias_prior: Float32,
    weights: tuple[float, float, float, float],
    base_verb: int,
    pool: Int64,
    scores: Float64,
) -> int:
    """Write the candidates of one span into `pool` and `scores`, one per entity, and return how many there are.

    Args:
        entries: int64 [num_entries, 9].
        entry: the first of the span.
        following: the next entry of each.
        alias_prior: float32 [num_aliases].
        weights: of noun, verb, adjective, adverb.
        base_verb: for an irregular past form that is also the base of another verb ("saw"): 1 where the base fits, 0
            where the past fits; -1 for every other word.
        pool: int64 [.., 4], see `pool_candidates`.
        scores: float64 [.., 2], see `pool_candidates`.
    """
    counts = np.zeros(16, dtype=np.int64)
    total = 0
    exact_without_pos = False
    inflected_noun = False
    first = entry
    while entry >= 0:
        if entries[entry, 8] > 0:
            inflected_noun = inflected_noun or (entries[entry, 5] == NOUN and entries[entry, 6] > 0)
            if entries[entry, 5] > 0:
                counts[entries[entry, 5]] += 1
                total += 1
            elif entries[entry, 6] == 0:
                exact_without_pos = True
        entry = following[entry]
    # Only the parts of speech that the word has are weighed against each other.
    most = 0.5
    for bit in (NOUN, VERB, ADJECTIVE, ADVERB):
        if counts[bit]:
            most = max(most, _weight_of(bit, weights))
    num_held = 0
    entry = first
    while entry >= 0:
        bit = entries[entry, 5]
        by_rule = entries[entry, 6] > 0
        if entries[entry, 8] > 0 and not (bit < 0 and by_rule and exact_without_pos):
            weight = 1.0
            share = 1.0
            if bit > 0:  # the part of speech with more senses of this word is the more usual one
                weight = _weight_of(bit, weights) / most
                share = 0.9 + 0.1 * counts[bit] / total
            if bit == VERB and base_verb >= 0 and by_rule == (base_verb == 1):
                weight *= 0.6
            fit = _fit(entries, entry, inflected_noun)
            score = fit * weight * share * (0.35 + 0.65 * alias_prior[entries[entry, 2]])
            same = 0
            while same < num_held and pool[same, 0] != entries[entry, 3]:
                same += 1
            if same == num_held or score > scores[same, 0]:
                pool[same, 0] = entries[entry, 3]
                pool[same, 1] = entries[entry, 2]
                pool[same, 2] = bit
                pool[same, 3] = entries[entry, 7]
                scores[same, 0] = score
                scores[same, 1] = weight
                num_held = max(num_held, same + 1)
        entry = following[entry]
    return num_held


@compiled
def _goes_on(rows: Int32, facts: Int32, shapes: Int64, place: int) -> bool:
    """Say whether an unknown word and the unknown word before it are one: hyphenated, or characters in a row."""
    flags = facts[rows[place], FLAGS]
    if flags & CONNECTED:
        return True
    if shapes[place] & BREAK_BIT or not shapes[place] & GLUED_BIT:
        return False
    return bool(facts[rows[place - 1], FLAGS] & flags & CHARACTER)


@compiled
def _is_unknown_word(rows: Int32, facts: Int32, place: int) -> bool:
    """Say whether a word without a label is a content word; a Chinese measure word behind a number is none."""
    flags = facts[rows[place], FLAGS]
    if facts[rows[place], CLASS] != CONTENT or flags & (SINGLE_LETTER | SYMBOL):
        return False
    if place > 0 and flags & MEASURE and rows[place - 1] >= 0:
        return not facts[rows[place - 1], FLAGS] & COUNTER
    return True


@compiled
def _class_after(rows: Int32, facts: Int32, shapes: Int64, place: int) -> int:
    if place >= rows.size or shapes[place] & BREAK_BIT:
        return PHRASE_START
    if rows[place] < 0:
        return CONTENT if rows[place] == ROW_NAMED else DETERMINER
    return int(facts[rows[place], CLASS])


@compiled
def _next_cue(row: int, facts: Int32, before: int, is_adverb: bool, is_mention: bool) -> int:
    """Return the class that the next word sees before it, given the one that this word saw."""
    flags = facts[row, FLAGS]
    word_class = facts[row, CLASS]
    if flags & HAS_POSSESSIVE:
        return POSSESSIVE
    if word_class == CONTENT:
        if flags & NUMERAL:
            return DETERMINER
        return before if is_adverb else CONTENT
    if word_class in (NEGATION, DEGREE) or (word_class == PARTICLE and is_mention and is_adverb and before == CONTENT):
        return before if word_class != PARTICLE else PARTICLE
    return int(word_class)


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
    mentions = np.zeros((rows.size, 5), dtype=np.int64)
    pool = np.empty((entries.shape[0], 4), dtype=np.int64)
    scores = np.empty((entries.shape[0], 2), dtype=np.float64)
    num_mentions = 0
    num_pooled = 0
    before = PHRASE_START
    before_pos = 0
    before_plural = False
    place = 0
    while place < rows.size:
        row = rows[place]
        end = place + max(1, chosen[place])
        if shapes[place] & BREAK_BIT:
            before = PHRASE_START
        if row < 0:
            before = CONTENT if row == ROW_NAMED else DETERMINER
            before_pos = NOUN
            before_plural = False
            place = end
            continue
        last_row = rows[end - 1]
        best_pos = 0
        if chosen[place] > 0:
            weights = (1.0, 1.0, 1.0, 1.0)
            base_verb = -1
            if tags[place] and tags[place] == tags[end - 1]:
                weights = _tag_weights(tags[place])
            elif has_cues:
                form = facts[row, FORM]
                if facts[row, FLAGS] & IRREGULAR and end - place == 1:
                    base_verb = 1 if before in (TO, MODAL, DO) else 0
                    form = 0 if base_verb == 1 else form
                weights = pos_weights(before, before_pos, before_plural, form, _class_after(rows, facts, shapes, end))
                if end - place == 1 and facts[row, CLASS] == PARTICLE:
                    weights = (0.5 if before == DETERMINER else 0.1, 0.05, 0.85, 1.0)
            count = _gather(
                entries, head[place], following, alias_prior, weights, base_verb, pool[num_pooled:], scores[num_pooled:]
            )
            best = num_pooled
            for candidate in range(num_pooled, num_pooled + count):
                if scores[candidate, 0] > scores[best, 0]:
                    best = candidate
            best_pos = max(0, pool[best, 2])
            mentions[num_mentions, 0] = place
            mentions[num_mentions, 1] = end
            mentions[num_mentions, 2] = num_pooled
            mentions[num_mentions, 3] = count
            num_mentions += 1
            num_pooled += count
        elif _is_unknown_word(rows, facts, place):
            last = num_mentions - 1
            beside = last >= 0 and mentions[last, 1] == place and mentions[last, 3] == 0
            if beside and _goes_on(rows, facts, shapes, place):
                mentions[last, 1] = end
            else:
                mentions[num_mentions, 0] = place
                mentions[num_mentions, 1] = end
                mentions[num_mentions, 2] = num_pooled
                num_mentions += 1
        is_adverb = best_pos == ADVERB or (chosen[place] == 0 and facts[row, FLAGS] & LY_ADVERB > 0)
        before = _next_cue(last_row, facts, before, is_adverb, chosen[place] > 0)
        if not is_adverb:
            before_pos = best_pos
            before_plural = facts[last_row, FORM] == FORM_S
        place = end
    return mentions[:num_mentions], pool[:num_pooled], scores[:num_pooled]
