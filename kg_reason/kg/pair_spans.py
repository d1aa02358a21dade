"""Labels of several words that give way to their words because the other sentence of a pair replaces one of these.

"A little girl sleeps." / "A small girl sleeps.": the label "little girl" alone would hide that "small" stands where
"little" stood, and that both sentences speak of a girl. So a label gives way where, with one of its words laid upon the
same word of the other sentence, another word of it meets a different content word. It stands

    where the other sentence has the label too,
    where its other words are only missing there ("a hot dog" / "a dog": what is laid upon them stands beside the label
    as well, or is no content word),
    where the other sentence has a label of as many words in that place ("turn on" / "turn off", "fire truck" / "dump
    truck"), unless they differ in adjectives ("old man" / "young man"), which say more by themselves.

`span_choice.py` chooses among the labels that are left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled
from kg_reason.kg.lemmas import ADJECTIVE
from kg_reason.kg.span_choice import ROW_NAMED
from kg_reason.kg.word_classes import CONTENT, PARTICLE
from kg_reason.kg.word_table import CLASS, FLAGS, SINGLE_LETTER, WORD

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


@compiled
def _word_ids(entries: Int64, rows: Int32, facts: Int32) -> Int64:
    """Return a number for each word, int64 [num_words], by which inflected forms of a label's word are equal."""
    ids = np.empty(rows.size, dtype=np.int64)
    for place in range(rows.size):
        ids[place] = -2 - facts[rows[place], WORD] if rows[place] >= 0 else -1
    for entry in range(entries.shape[0]):
        place = entries[entry, 0]
        if entries[entry, 1] - place == 1 and (ids[place] < 0 or entries[entry, 7] < ids[place]):
            ids[place] = entries[entry, 7]
    return ids


@compiled
def _adjectives(entries: Int64, num_words: int) -> NDArray[np.bool_]:
    """Tell which words may be adjectives, bool [num_words]."""
    found = np.zeros(num_words, dtype=np.bool_)
    for entry in range(entries.shape[0]):
        if entries[entry, 1] - entries[entry, 0] == 1 and entries[entry, 5] == ADJECTIVE:
            found[entries[entry, 0]] = True
    return found


@compiled
def _is_content(rows: Int32, facts: Int32, place: int) -> bool:
    if rows[place] < 0:
        return bool(rows[place] == ROW_NAMED)
    return bool(facts[rows[place], CLASS] in (CONTENT, PARTICLE) and not facts[rows[place], FLAGS] & SINGLE_LETTER)


@compiled
def _has_span(entries: Int64, start: int, end: int) -> bool:
    for entry in range(entries.shape[0]):  # noqa: SIM110  numba compiles no generators
        if entries[entry, 0] == start and entries[entry, 1] == end:
            return True
    return False


@compiled
def _has_label(entries: Int64, node: int) -> bool:
    for entry in range(entries.shape[0]):  # noqa: SIM110  numba compiles no generators
        if entries[entry, 7] == node:
            return True
    return False


@compiled
def _meets_other_word(
    ids: Int64, others: Int64, other_rows: Int32, facts: Int32, span: tuple[int, int], shift: int
) -> int:
    """Return the first word of a span that meets a different content word of the other sentence; -1 if none does.

    Args:
        ids: of the words of the sentence of the span.
        others: of those of the other sentence.
        other_rows: rows of the other sentence.
        facts: of the word rows.
        span: first word and word after the last.
        shift: how much further on in the other sentence the words lie.
    """
    start, end = span
    for place in range(start, end):
        other = place + shift
        if other < 0 or other >= others.size or ids[place] == others[other]:
            continue
        beside_before = start > 0 and others[other] == ids[start - 1]
        beside_after = end < ids.size and others[other] == ids[end]
        if not beside_before and not beside_after and _is_content(other_rows, facts, other):
            return place
    return -1


@compiled
def give_way(entries: Int64, rows: Int32, other_entries: Int64, other_rows: Int32, facts: Int32) -> Int64:
    """Return the entries of a sentence without the labels that give way beside another sentence.

    Args:
        entries: int64 [num_entries, 9], see `span_choice.py`.
        rows: int32 [num_words] of the sentence.
        other_entries: of the other sentence.
        other_rows: of the other sentence.
        facts: of the word rows.
    """
    any_long = False
    for entry in range(entries.shape[0]):
        any_long = any_long or entries[entry, 1] - entries[entry, 0] > 1
    if not any_long:
        return entries
    ids = _word_ids(entries, rows, facts)
    others = _word_ids(other_entries, other_rows, facts)
    adjectives = _adjectives(entries, rows.size)
    other_adjectives = _adjectives(other_entries, other_rows.size)
    kept = np.ones(entries.shape[0], dtype=np.bool_)
    num_kept = entries.shape[0]
    before = (-1, -1)
    gives = False
    for entry in range(entries.shape[0]):
        start, end = entries[entry, 0], entries[entry, 1]
        if end - start < 2:
            continue
        if before != (start, end):
            before = (start, end)
            gives = False
            for place in range(start, end):
                if gives or not _is_content(rows, facts, place):
                    continue
                for other in range(others.size):
                    if gives or others[other] != ids[place]:
                        continue
                    shift = other - place
                    differs = _meets_other_word(ids, others, other_rows, facts, (start, end), shift)
                    if differs >= 0:
                        both = adjectives[differs] and other_adjectives[differs + shift]
                        gives = both or not _has_span(other_entries, start + shift, end + shift)
        if gives and not _has_label(other_entries, entries[entry, 7]):
            kept[entry] = False
            num_kept -= 1
    return entries if num_kept == entries.shape[0] else entries[kept]
