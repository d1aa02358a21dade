"""Texts and languages of label terms, read off their keys in a compiled loop; `triples.literal_parts` defines them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled
from kg_reason.kg.names import closing_quote
from kg_reason.kg.terms import Bytes, Int64, TermInterner, TermTable
from kg_reason.kg.triples import literal_parts

_TAGGED, _UNTAGGED, _ESCAPED = 1, 0, 2


class LabelTexts(NamedTuple):
    """What label terms say.

    Attributes:
        text: uint8 [num_bytes], holds every label's text.
        spans: int64 [num_terms, 2], start and end of each label in `text`.
        language: int16 [num_terms], number of each label's language.
        languages: language tags by number, sorted; the first is empty and stands for labels without a tag.
    """

    text: Bytes
    spans: Int64
    language: NDArray[np.int16]
    languages: list[str]


def wanted_languages(languages: Sequence[str]) -> frozenset[str]:
    """Return the languages of a setting in lower case; an item may name several, apart by commas. Empty: all."""
    tags = (tag.strip().lower() for item in languages for tag in item.split(","))
    return frozenset(tag for tag in tags if tag)


@compiled
def _label_spans(text: Bytes, offset: Int64, spans: Int64, tags: Int64, kinds: Bytes) -> None:
    """Fill the spans of texts and language tags; kinds say whether there is a tag, or that the key needs parsing."""
    for term in range(kinds.size):
        start = offset[term]
        end = offset[term + 1]
        kinds[term] = _UNTAGGED
        spans[term, 0] = start
        spans[term, 1] = end
        if start == end or text[start] != 34:
            continue
        quote = closing_quote(text, start, end)
        if quote < 0:
            kinds[term] = _ESCAPED
            continue
        spans[term, 0] = start + 1
        spans[term, 1] = quote
        if quote + 1 < end and text[quote + 1] == 64:
            kinds[term] = _TAGGED
            tags[term, 0] = quote + 2
            tags[term, 1] = end


def label_texts(table: TermTable) -> LabelTexts:
    """Return texts and languages of the terms of a table."""
    spans = np.empty((len(table), 2), dtype=np.int64)
    tags = np.zeros((len(table), 2), dtype=np.int64)
    kinds = np.empty(len(table), dtype=np.uint8)
    _label_spans(table.text, table.offset, spans, tags, kinds)
    tagged = np.flatnonzero(kinds == _TAGGED)
    interner = TermInterner()
    interner.intern_keys([""])
    number = np.zeros(len(table), dtype=np.int64)
    number[tagged] = interner.intern(table.text, tags[tagged])
    parsed: list[bytes] = []
    used = len(table.text)
    for term in np.flatnonzero(kinds == _ESCAPED).tolist():
        parts = literal_parts(table.key(term))
        number[term] = interner.intern_keys([parts.language])[0]
        parsed.append(parts.text.encode())
        spans[term] = used, used + len(parsed[-1])
        used += len(parsed[-1])
    found = [interner.key(language) for language in range(interner.num_terms)]
    languages = sorted(found)
    place_of = np.array([languages.index(language) for language in found], dtype=np.int16)
    text = np.concatenate([table.text, np.frombuffer(b"".join(parsed), dtype=np.uint8)])
    return LabelTexts(text, spans, place_of[number], languages)
