"""Readable names for what has no label: from an IRI's last part, or from an entity's own text.

`readable_name` is the definition; `readable_names` does the same for all terms of a graph at once, in a compiled loop
that leaves only the unusual ones (percent signs, letters beyond ASCII, escapes) to the definition.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import numpy as np

from kg_reason.kg.compiled import compiled
from kg_reason.kg.curies import OBO
from kg_reason.kg.terms import Bytes, Int64, TermTable
from kg_reason.kg.triples import term_text

IRI, BLANK, LITERAL, TEXT = 0, 1, 2, 3

_NUMBERED = {  # relations of many ontologies that have a number for a name
    OBO + "BFO_0000050": "part of", OBO + "BFO_0000051": "has part", OBO + "IAO_0000115": "definition",
    OBO + "IAO_0100001": "replaced by",
}  # fmt: skip
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:\S+\Z")
_WIKIDATA_RELATION = re.compile(r"(https?://www\.wikidata\.org/)prop/(?:[a-z-]+/)*(P[0-9]+)")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def term_kind(key: str) -> int:
    """Return IRI, BLANK, LITERAL or TEXT for a term key."""
    if key.startswith('"'):
        return LITERAL
    if key.startswith("_:"):
        return BLANK
    return IRI if _SCHEME.match(key) else TEXT


def readable_name(key: str) -> str:
    """Return a name a person can read: `http://x.org/StringInstrument` -> `String Instrument`, `is_a` -> `is a`."""
    kind = term_kind(key)
    if kind in (LITERAL, BLANK):
        return term_text(key)
    name = key
    if kind == IRI:
        stem = key.rstrip("/#:")
        last = max(stem.rfind("#"), stem.rfind("/"), stem.rfind(":"))
        name = _HUMPS.sub(" ", unquote(stem[last + 1 :]))
    return " ".join(name.replace("_", " ").split()) or key


def readable_relation(key: str) -> str:
    """Return a relation's readable name in lower case: `partOf` -> `part of`."""
    return _NUMBERED.get(key) or readable_name(key).lower()


def property_entity(relation: str) -> str:
    """Return the entity that describes a relation of Wikidata, and so has its label; any other describes itself.

    >>> property_entity("http://www.wikidata.org/prop/direct/P31")
    'http://www.wikidata.org/entity/P31'
    """
    match = _WIKIDATA_RELATION.fullmatch(relation)
    return f"{match[1]}entity/{match[2]}" if match else relation


@compiled
def _is_upper(byte: int) -> bool:
    return 65 <= byte <= 90


@compiled
def _is_lower(byte: int) -> bool:
    return 97 <= byte <= 122


@compiled
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@compiled
def _kind(text: Bytes, start: int, end: int) -> int:
    if end > start and text[start] == 34:
        return 2
    if end - start >= 2 and text[start] == 95 and text[start + 1] == 58:
        return 1
    if end <= start or not _is_lower(text[start]):
        return 3
    colon = -1
    for position in range(start, end):
        byte = text[position]
        if colon < 0:
            if byte == 58:
                colon = position
            elif not (_is_lower(byte) or _is_digit(byte) or byte == 43 or byte == 45 or byte == 46):
                return 3
        if byte <= 32:
            return 3
    return 0 if 0 <= colon < end - 1 else 3


@compiled
def _is_tag_byte(byte: int) -> bool:
    return _is_lower(byte) or _is_upper(byte) or _is_digit(byte) or byte == 45


@compiled
def closing_quote(text: Bytes, start: int, end: int) -> int:
    """Return the place of the quote that closes the text of a literal; -1 if it has escapes or is not well formed."""
    quote = start + 1
    while quote < end and text[quote] != 34:
        if text[quote] == 92:
            return -1
        quote += 1
    if quote >= end - 1:
        return quote if quote == end - 1 else -1
    if text[quote + 1] == 64 and quote + 2 < end:  # @
        for place in range(quote + 2, end):
            if not _is_tag_byte(text[place]):
                return -1
        return quote
    if quote + 4 >= end or text[quote + 1] != 94 or text[quote + 2] != 94 or text[quote + 3] != 60:  # ^^<
        return -1
    if text[end - 1] != 62:
        return -1
    for place in range(quote + 4, end - 1):
        if text[place] == 62:
            return -1
    return quote


@compiled
def _is_plain(text: Bytes, start: int, end: int) -> bool:
    for place in range(start, end):  # noqa: SIM110  numba compiles no generators
        if text[place] >= 128 or text[place] == 37 or text[place] < 32:
            return False
    return True


@compiled
def _after_last_mark(text: Bytes, start: int, end: int) -> int:
    """Return the place after the last slash, hash or colon of an IRI."""
    for place in range(end - 1, start - 1, -1):
        if text[place] == 35 or text[place] == 47 or text[place] == 58:
            return place + 1
    return start


@compiled
def _starts_hump(text: Bytes, start: int, place: int, end: int) -> bool:
    """Say whether a capital begins a word inside the last part of an IRI."""
    if place == start or not _is_upper(text[place]):
        return False
    before = text[place - 1]
    after = text[place + 1] if place + 1 < end else 0
    return _is_lower(before) or _is_digit(before) or (_is_upper(before) and _is_lower(after))


@compiled
def _write_name(text: Bytes, start: int, end: int, humps: bool, out: Bytes, begin: int) -> int:
    """Write a name with single spaces from `begin` on and return its end."""
    place = begin
    space = False
    for position in range(start, end):
        byte = text[position]
        if byte == 95 or byte == 32:
            space = place > begin
            continue
        if humps and _starts_hump(text, start, position, end):
            space = place > begin
        if space:
            out[place] = 32
            place += 1
            space = False
        out[place] = byte
        place += 1
    return place


@compiled
def _readable(text: Bytes, offset: Int64, kinds: Bytes, wanted: Bytes, out: Bytes, out_offset: Int64) -> None:
    """Write the readable names of plain wanted terms; a term left to the slow way gets `wanted` = 2."""
    place = 0
    for term in range(kinds.size):
        out_offset[term] = place
        start = offset[term]
        end = offset[term + 1]
        kinds[term] = _kind(text, start, end)
        if wanted[term] == 0 or kinds[term] == 1:
            wanted[term] = 0
            continue
        begin = place
        if kinds[term] == 2:
            end = closing_quote(text, start, end)
            for position in range(start + 1, end):
                out[place] = text[position]
                place += 1
            if end < 0:
                wanted[term] = 2
            continue
        if not _is_plain(text, start, end):
            wanted[term] = 2
            continue
        if kinds[term] == 0:
            while end > start and (text[end - 1] == 47 or text[end - 1] == 35 or text[end - 1] == 58):
                end -= 1
            start = _after_last_mark(text, start, end)
        place = _write_name(text, start, end, kinds[term] == 0, out, begin)
        if place == begin:
            wanted[term] = 2
    out_offset[kinds.size] = place


def readable_names(table: TermTable, wanted: Bytes) -> tuple[Bytes, list[tuple[int, str]], Bytes, Int64]:
    """Return kinds and readable names of the wanted terms of a table.

    Args:
        table: the terms.
        wanted: uint8 [num_terms], 1 where a name is wanted; 0 afterwards where a term has none (blank nodes).

    Returns:
        kinds uint8 [num_terms]; the names that needed the slow way, with their terms; the text of the others and its
        offsets int64 [num_terms + 1] (empty where no name is wanted or where it is in the list).
    """
    kinds = np.zeros(len(table), dtype=np.uint8)
    out = np.empty(2 * len(table.text) + 1, dtype=np.uint8)
    out_offset = np.zeros(len(table) + 1, dtype=np.int64)
    _readable(table.text, table.offset, kinds, wanted, out, out_offset)
    slow = [(int(term), readable_name(table.key(int(term)))) for term in np.flatnonzero(wanted == 2)]
    return kinds, slow, out[: out_offset[-1]], out_offset
