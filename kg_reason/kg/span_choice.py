"""Which label matches of a text become mentions: compiled rules over the matches of `label_index.match_labels`.

Longer matches win over shorter ones inside them; of overlapping ones those win that cover more words at once. A label
of function words or of one letter makes no mention, save as an acronym written in capitals ("US"). A label that begins
with a function word ("a little", "the street", "for the first time") or ends with the preposition of what follows
("sit in" a chair, "close to" the house) swallows no content word that has a label of its own, save as a name written
like one ("The Beatles"). A name written in lower case where names have capitals ("a white house in Paris") gives way to
the words in it.

numba's cache notices only changes of a function's own file, so these kernels share one, which is why it is longer than
others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled
from kg_reason.kg.label_index import AS_WRITTEN, VARIANT_SHIFT
from kg_reason.kg.lemmas import ADJECTIVE, ADVERB, NOUN, VERB
from kg_reason.kg.word_classes import CONTENT, DETERMINER, PARTICLE, POSSESSIVE, PREPOSITION, PRONOUN, TO
from kg_reason.kg.word_table import (
    BREAK_AFTER,
    CHARACTER,
    CLASS,
    CONNECTED,
    FLAGS,
    JOINED_RULE,
    LY_ADVERB,
    NUMERAL,
    PLACE_PREPOSITION,
    PLACE_VERB,
    SHAPE,
    SINGLE_LETTER,
)
from kg_reason.kg.words import (
    ACCENT_BIT,
    BREAK_BIT,
    CAPITALISED,
    CASE_BITS,
    GLUED_BIT,
    MAX_SHAPE_WORDS,
    SHAPE_BITS,
    UPPER,
)

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

# Columns of an entry: one alias of one matched span. Node numbers of the index of edits are raised by OVERLAY_NODES.
START, END, ALIAS, ENTITY, LABEL_SHAPE, POS, RULES, NODE, EXACTNESS = range(9)
NUM_COLUMNS = 9
OVERLAY_NODES = 1 << 40
EXACTNESS_UNIT = 1_000_000  # exactness is kept as an integer beside the other columns

ROW_NAMED = -1  # a word that the caller named
ROW_PHRASE = -2  # a word of a function phrase

# Bits of the text's words [num_words].
SENTENCE_START = 1 << 8

LOWER_CASE_NAME = 0.6  # exactness below which a label is a name whose capitals the text lacks
EXACT_WORD = 0.93  # exactness from which a single word stands for itself
COMMON_BESIDE_NAME = 0.6  # of a label in lower case, where the word is written with the capital of another label


@compiled
def pos_bit(code: int) -> int:
    """Return the bit of a part of speech stored as the character code of n, v, a, r; 0 = not known."""
    if code == 110:
        return NOUN
    if code == 118:
        return VERB
    if code == 97 or code == 115:
        return ADJECTIVE
    if code == 114:
        return ADVERB
    return 0


@compiled
def expand_matches(
    matches: Int32,
    node_start: Int64,
    node_alias: Int32,
    node_shape: Int64,
    alias_entity: Int32,
    alias_pos: NDArray[np.uint8],
    alias_language: NDArray[np.int16],
    alias_is_value: NDArray[np.bool_],
    allowed: NDArray[np.bool_],
    link_values: bool,
    node_base: int,
) -> Int64:
    """Return the aliases of the matches, int64 [num_entries, 9], that language, kind and part of speech allow.

    `POS` of an entry is the bit of the alias's part of speech; -1 where the alias has none.
    """
    size = 0
    for match in range(matches.shape[0]):
        node = matches[match, 2]
        size += node_start[node + 1] - node_start[node]
    entries = np.empty((size, NUM_COLUMNS), dtype=np.int64)
    num_entries = 0
    for match in range(matches.shape[0]):
        node = matches[match, 2]
        mask = matches[match, 3]
        rules = matches[match, 4]
        for place in range(node_start[node], node_start[node + 1]):
            alias = node_alias[place]
            entity = alias_entity[alias]
            if entity < 0 or not allowed[alias_language[alias]] or (alias_is_value[alias] and not link_values):
                continue
            bit = pos_bit(alias_pos[alias])
            # A comparative's or an adverb's rule is no evidence for a label without part of speech.
            if (bit and not bit & mask) or (not bit and not mask & (NOUN | VERB)):
                continue
            entries[num_entries, 0] = matches[match, 0]
            entries[num_entries, 1] = matches[match, 1]
            entries[num_entries, 2] = alias
            entries[num_entries, 3] = entity
            entries[num_entries, 4] = node_shape[place]
            entries[num_entries, 5] = bit if bit else -1
            entries[num_entries, 6] = rules
            entries[num_entries, 7] = node_base + np.int64(node)
            entries[num_entries, 8] = 0
            num_entries += 1
    return entries[:num_entries]


@compiled
def text_shapes(rows: Int32, facts: Int32) -> Int64:
    """Return the shape of each word of the text, with breaks and beginnings of sentences, int64 [num_words]."""
    shapes = np.zeros(rows.size, dtype=np.int64)
    before = 2
    for place in range(rows.size):
        row = rows[place]
        shapes[place] = facts[row, SHAPE] if row >= 0 else 0
        if place > 0 and before > 0:
            shapes[place] |= BREAK_BIT
        if before == 2:
            shapes[place] |= SENTENCE_START
        before = facts[row, BREAK_AFTER] if row >= 0 else 0
    return shapes


@compiled
def _case_fit(text_case: int, label_case: int, starts_sentence: bool, has_lower: bool, has_upper: bool) -> float:
    if text_case == label_case:
        return 0.93 if starts_sentence and label_case == CAPITALISED else 1.0
    if starts_sentence and text_case == CAPITALISED and label_case == 0:
        return 1.0
    if not has_lower:  # all in capitals: case says nothing
        return 0.95
    if text_case == 0 and label_case == UPPER:
        return 0.3 if has_upper else 0.6
    if text_case == 0:  # a name written in lower case
        return 0.55 if has_upper else 0.8
    return 0.94


@compiled
def exactness(
    shapes: Int64, start: int, end: int, label_shape: int, rules: int, has_lower: bool, has_upper: bool
) -> float:
    """Return how exactly a label was written, in [0, 1]: 1 as it stands, 0 when punctuation forbids the match."""
    worst_case = 1.0
    loss = 1.0
    if rules < JOINED_RULE:
        for place in range(start, min(end, start + MAX_SHAPE_WORDS)):
            text_shape = shapes[place]
            word_shape = (label_shape >> (SHAPE_BITS * (place - start))) & ((1 << SHAPE_BITS) - 1)
            starts_sentence = text_shape & SENTENCE_START != 0
            fit = _case_fit(text_shape & CASE_BITS, word_shape & CASE_BITS, starts_sentence, has_lower, has_upper)
            worst_case = min(worst_case, fit)
            if (text_shape ^ word_shape) & ACCENT_BIT:
                loss = min(loss, 0.85)
            if place > start:
                if text_shape & BREAK_BIT and not word_shape & BREAK_BIT:
                    return 0.0
                if (text_shape ^ word_shape) & (GLUED_BIT | BREAK_BIT):
                    loss = min(loss, 0.97)
    else:
        loss = 0.92
        for place in range(start + 1, end):
            if shapes[place] & BREAK_BIT:
                return 0.0
    if (rules & (JOINED_RULE - 1)) > 0:
        loss *= 0.9
    if (label_shape >> VARIANT_SHIFT) != AS_WRITTEN:
        loss *= 0.92
    return worst_case * loss


@compiled
def _same_capitals(shapes: Int64, start: int, end: int, label_shape: int, first: int, least: int) -> bool:
    """Say whether a word of the span from `first` on, or with `least` = UPPER every word, has the label's capitals."""
    any_same = False
    for place in range(first, min(end, start + MAX_SHAPE_WORDS)):
        text_case = shapes[place] & CASE_BITS
        label_case = (label_shape >> (SHAPE_BITS * (place - start))) & CASE_BITS
        same = text_case == label_case and text_case > 0
        any_same = any_same or same
        if least == UPPER and not (same and (text_case == UPPER or end - start > 1)):
            return False
    return any_same


@compiled
def _is_light(row: int, facts: Int32) -> bool:
    """Say whether a word alone cannot be a mention: function words and single letters."""
    return bool((facts[row, CLASS] not in (CONTENT, PARTICLE)) or facts[row, FLAGS] & SINGLE_LETTER)


@compiled
def _is_one_token(rows: Int32, facts: Int32, start: int, end: int) -> bool:
    """Say whether the words of a span are held together by hyphens or the like."""
    num_connected = 0
    for place in range(start + 1, end):
        if facts[rows[place], FLAGS] & CONNECTED:
            num_connected += 1
    return num_connected == end - start - 1


@compiled
def _takes_preposition(rows: Int32, facts: Int32, shapes: Int64, start: int, end: int) -> bool:
    """Say whether a match ends with a preposition that belongs to the words after it."""
    if end - start < 2 or end >= rows.size or shapes[end] & BREAK_BIT or rows[end] == ROW_PHRASE:
        return False
    if not facts[rows[end - 1], FLAGS] & PLACE_PREPOSITION or not facts[rows[start], FLAGS] & PLACE_VERB:
        return False
    if rows[end] < 0:
        return True
    follows = facts[rows[end], CLASS]
    if follows == CONTENT:
        return not facts[rows[end], FLAGS] & LY_ADVERB
    return follows in (DETERMINER, POSSESSIVE)


@compiled
def _leaves_preposition(rows: Int32, facts: Int32, shapes: Int64, start: int, end: int) -> bool:
    """Say whether the last word of a match is the preposition of a noun phrase that follows: close to / the house."""
    if end - start < 2 or end >= rows.size or shapes[end] & BREAK_BIT or rows[end] == ROW_PHRASE:
        return False
    if facts[rows[end - 1], CLASS] not in (PREPOSITION, TO) or facts[rows[start], CLASS] != CONTENT:
        return False
    if rows[end] < 0:
        return True
    follows = facts[rows[end], CLASS]
    if follows == CONTENT:  # close to fifty
        return not facts[rows[end], FLAGS] & (LY_ADVERB | NUMERAL)
    return follows in (DETERMINER, POSSESSIVE, PRONOUN)


@compiled
def _spans_of(entries: Int64, num_words: int, width: int) -> tuple[Int32, Int32]:
    """Return the first entry of each span int32 [num_words + 1, width], by start and length, and the next of each."""
    first_of = np.full((num_words + 1, width), -1, dtype=np.int32)
    following = np.full(entries.shape[0], -1, dtype=np.int32)
    for entry in range(entries.shape[0] - 1, -1, -1):
        length = entries[entry, 1] - entries[entry, 0]
        if length < width:
            following[entry] = first_of[entries[entry, 0], length]
            first_of[entries[entry, 0], length] = entry
    return first_of, following


@compiled
def _text_case(rows: Int32, facts: Int32, shapes: Int64) -> tuple[bool, bool]:
    """Say whether the text has words in lower case, and words with capitals."""
    has_lower = False
    has_upper = False
    for place in range(rows.size):
        capitals = shapes[place] & CASE_BITS > 0
        has_upper = has_upper or capitals
        if rows[place] >= 0 and not capitals and not facts[rows[place], FLAGS] & CHARACTER:
            has_lower = True
    return has_lower, has_upper


@compiled
def _needs_capitals(rows: Int32, facts: Int32, usable: NDArray[np.bool_], start: int, end: int) -> int:
    """Return 0 where a span may be a mention as it is, 1 where only as a name, 2 where only as an acronym."""
    if end - start > 1 and _is_one_token(rows, facts, start, end):  # e-mail, on-line, x-ray
        return 0
    content = start
    while content < end and _is_light(rows[content], facts):
        content += 1
    if content == end:
        return 2
    swallows = content > start and usable[content, end - content]
    first = facts[rows[start], CLASS]
    second = facts[rows[start + 1], CLASS] if end - start > 2 else CONTENT
    if first in (PREPOSITION, PARTICLE) and second in (DETERMINER, POSSESSIVE):
        for place in range(start + 2, end):
            swallows = swallows or (usable[place, 1] and facts[rows[place], CLASS] == CONTENT)
    return 1 if swallows and first != CONTENT else 0


@compiled
def _are_exact(exact: NDArray[np.bool_], rows: Int32, facts: Int32, start: int, end: int) -> bool:
    """Say whether every content word of a span is a label as it is written."""
    for place in range(start, end):  # noqa: SIM110  numba compiles no generators
        if facts[rows[place], CLASS] == CONTENT and not exact[place]:
            return False
    return True


@compiled
def _writes_names(shapes: Int64) -> bool:
    """Say whether the text has a word with capitals inside a sentence."""
    for shape in shapes:  # noqa: SIM110  numba compiles no generators
        if shape & CASE_BITS and not shape & SENTENCE_START:
            return True
    return False


@compiled
def _prefer_capitals(entries: Int64, entry: int, following: Int32, text_shape: int) -> None:
    """Lower the labels without capitals of a word that is written like another label: Turkey beside turkey."""
    first = entry
    any_name = False
    while entry >= 0:
        any_name = any_name or (entries[entry, 8] > 0 and entries[entry, 4] & CASE_BITS == text_shape & CASE_BITS)
        entry = following[entry]
    entry = first if any_name else -1
    while entry >= 0:
        if entries[entry, 4] & CASE_BITS == 0:
            entries[entry, 8] = int(entries[entry, 8] * COMMON_BESIDE_NAME)
        entry = following[entry]


@compiled
def _cover(usable: NDArray[np.bool_]) -> Int32:
    """Return lengths int32 [num_words] of the spans whose squared lengths have the largest sum."""
    num_words = usable.shape[0] - 1
    chosen = np.zeros(num_words, dtype=np.int32)
    best = np.zeros(num_words + 1, dtype=np.int64)
    for start in range(num_words - 1, -1, -1):
        best[start] = best[start + 1]
        for length in range(1, min(usable.shape[1], num_words - start + 1)):
            if usable[start, length] and length * length + best[start + length] >= best[start]:
                best[start] = length * length + best[start + length]
                chosen[start] = length
    place = 0
    while place < num_words:
        length = chosen[place]
        chosen[place + 1 : place + length] = 0
        place += max(1, length)
    return chosen


@compiled
def choose_spans(
    entries: Int64, rows: Int32, facts: Int32, shapes: Int64, max_words: int
) -> tuple[Int32, Int32, Int32]:
    """Judge the entries and choose spans that do not overlap.

    Returns:
        chosen int32 [num_words]: length in words of the mention that begins at each word, 0 = none;
        head int32 [num_words]: first entry of that mention, -1 = none;
        following int32 [num_entries]: the next entry of the same span, -1 = last.
        The `EXACTNESS` of each entry is set, to 0 where it is refused.
    """
    num_words = rows.size
    width = max_words + 1
    first_of, following = _spans_of(entries, num_words, width)
    usable = np.zeros((num_words + 1, width), dtype=np.bool_)
    exact = np.zeros(num_words, dtype=np.bool_)
    has_lower, has_upper = _text_case(rows, facts, shapes)
    writes_names = has_lower and _writes_names(shapes)
    for start in range(num_words - 1, -1, -1):
        for length in range(1, min(width, num_words - start + 1)):
            entry = first_of[start, length]
            end = start + length
            if entry < 0 or _takes_preposition(rows, facts, shapes, start, end):
                continue
            needed = _needs_capitals(rows, facts, usable, start, end)
            if needed == 2 and (not has_lower or (length == 1 and facts[rows[start], FLAGS] & SINGLE_LETTER)):
                continue
            leaves = _leaves_preposition(rows, facts, shapes, start, end) and usable[start, 1]
            gives_way = writes_names and length > 1 and _are_exact(exact, rows, facts, start, end)
            while entry >= 0:
                label_shape = entries[entry, 4]
                if leaves and entries[entry, 5] in (ADJECTIVE, ADVERB):
                    entry = following[entry]
                    continue
                if (
                    needed == 0
                    or (needed == 1 and _same_capitals(shapes, start, end, label_shape, start + 1, CAPITALISED))
                    or (needed == 2 and _same_capitals(shapes, start, end, label_shape, start, UPPER))
                ):
                    fit = exactness(shapes, start, end, label_shape, entries[entry, 6], has_lower, has_upper)
                    if gives_way and fit < LOWER_CASE_NAME:
                        fit = 0.0
                    entries[entry, 8] = int(fit * EXACTNESS_UNIT + 0.5)
                    usable[start, length] = usable[start, length] or fit > 0
                    exact[start] = exact[start] or (length == 1 and fit >= EXACT_WORD)
                entry = following[entry]
            if length == 1 and has_lower and shapes[start] & CASE_BITS and not shapes[start] & SENTENCE_START:
                _prefer_capitals(entries, first_of[start, length], following, shapes[start])
    chosen = _cover(usable)
    head = np.full(num_words, -1, dtype=np.int32)
    for place in range(num_words):
        if chosen[place] > 0:
            head[place] = first_of[place, chosen[place]]
    return chosen, head, following
