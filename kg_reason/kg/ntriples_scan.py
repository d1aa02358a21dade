"""The compiled scan over the plain lines of N-Triples and N-Quads; `ntriples.py` hands every other line to pyoxigraph.

Plain is what the scan can prove to be valid and already in canonical form: absolute IRIs without exotic parts,
literals with canonical escapes, short language tags, simple blank node labels. It refuses whatever it is not sure of.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled_leaf

_PLAIN, _PERCENT, _HASH, _TEXT, _END, _OTHER = range(6)


def _iri_classes() -> NDArray[np.uint8]:
    classes = np.full(256, _OTHER, dtype=np.uint8)
    for character in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?":
        classes[character] = _PLAIN
    classes[ord("%")], classes[ord("#")], classes[ord(">")] = _PERCENT, _HASH, _END
    classes[0xC2:0xEE] = _TEXT
    return classes


def _byte_table(*ranges: bytes) -> NDArray[np.uint8]:
    table = np.zeros(256, dtype=np.uint8)
    for first, last in ranges:
        table[first : last + 1] = 1
    return table


_IRI_CLASS = _iri_classes()
_ALPHA = _byte_table(b"AZ", b"az")
_ALNUM = _byte_table(b"AZ", b"az", b"09")
_HEX = _byte_table(b"AF", b"af", b"09")
_SCHEME = _byte_table(b"AZ", b"az", b"09", b"++", b"-.")
_HOST = _byte_table(b"AZ", b"az", b"09", b"-.", b"__", b"~~")
_LABEL = _byte_table(b"AZ", b"az", b"09", b"--", b"__")
_TEXT_BYTE = _byte_table(b" !", b"#[", b"]~")
_ESCAPED = _byte_table(b"bb", b"ff", b"nn", b"rr", b"tt", b'""', b"\\\\")
_XSD_STRING = np.frombuffer(b"http://www.w3.org/2001/XMLSchema#string", dtype=np.uint8)
_RDF = np.frombuffer(b"http://www.w3.org/1999/02/22-rdf-syntax-ns#", dtype=np.uint8)


class ScannedLines(NamedTuple):
    """What the scanner fills: the plain rows, the lines left to pyoxigraph, and the names of blank nodes."""

    head: NDArray[np.int64]  # [num_lines, 2], start and end in the buffer, or past its end in `names`
    relation: NDArray[np.int64]  # [num_lines, 2]
    tail: NDArray[np.int64]  # [num_lines, 2]
    line: NDArray[np.int64]  # [num_lines]
    rest: NDArray[np.int64]  # [num_lines, 3], start, end and number of each line that is not plain
    names: NDArray[np.uint8]  # [num_name_bytes]
    graph: NDArray[np.int64]  # [num_lines, 2], with its brackets; empty spans where no IRI names one. [0, 2]: not asked
    bounds: NDArray[np.int64]  # [2, 4], starts and ends of the terms of one line


@compiled_leaf
def utf8_width(buffer: NDArray[np.uint8], place: int) -> int:
    """Return how many bytes the character beyond ASCII takes that is at a place; 0 if it is not valid UTF-8."""
    first = buffer[place]
    if first < 0xC2 or first > 0xF4:
        return 0
    second = buffer[place + 1]
    if second < 0x80 or second > 0xBF:
        return 0
    if first < 0xE0:
        return 2
    third = buffer[place + 2]
    if third < 0x80 or third > 0xBF or (first == 0xE0 and second < 0xA0) or (first == 0xED and second > 0x9F):
        return 0
    if first < 0xF0:
        return 3
    fourth = buffer[place + 3]
    if fourth < 0x80 or fourth > 0xBF or (first == 0xF0 and second < 0x90) or (first == 0xF4 and second > 0x8F):
        return 0
    return 4


@compiled_leaf
def _scan_authority(buffer: NDArray[np.uint8], place: int) -> int:
    """Return the end of a host name with or without a port that starts here; -1 if it is anything else."""
    while _HOST[buffer[place]] == 1:
        place += 1
    if buffer[place] == 58:  # :
        place += 1
        while 48 <= buffer[place] <= 57:
            place += 1
    return place if buffer[place] in (47, 63, 35, 62) else -1  # / ? # >


@compiled_leaf
def _scan_iri(buffer: NDArray[np.uint8], place: int) -> int:
    """Return the place of the bracket that closes an IRI whose first character is given; -1 if it is not plain."""
    if _ALPHA[buffer[place]] == 0:
        return -1
    while _SCHEME[buffer[place]] == 1:
        place += 1
    if buffer[place] != 58:  # :
        return -1
    place += 1
    if buffer[place] == 47 and buffer[place + 1] == 47:  # //
        place = _scan_authority(buffer, place + 2)
        if place < 0:
            return -1
    fragment = False
    while True:
        kind = _IRI_CLASS[buffer[place]]
        if kind == _PLAIN:
            place += 1
        elif kind == _END:
            return place
        elif kind == _HASH and not fragment:
            fragment = True
            place += 1
        elif kind == _PERCENT and _HEX[buffer[place + 1]] == 1 and _HEX[buffer[place + 2]] == 1:
            place += 3
        elif kind == _TEXT and not (buffer[place] == 0xC2 and buffer[place + 1] < 0xA0):
            width = utf8_width(buffer, place)
            if width == 0:
                return -1
            place += width
        else:
            return -1


@compiled_leaf
def _scan_text(buffer: NDArray[np.uint8], place: int) -> int:
    """Return the place of the quote that closes a literal whose first character is given; -1 if it is not plain."""
    while True:
        byte = buffer[place]
        if _TEXT_BYTE[byte] == 1:
            place += 1
        elif byte == 34:
            return place
        elif byte >= 0xC2:
            width = utf8_width(buffer, place)
            if width == 0 or (byte == 0xEF and buffer[place + 1] == 0xBF and buffer[place + 2] >= 0xBE):
                return -1
            place += width
        elif byte == 92 and _ESCAPED[buffer[place + 1]] == 1:  # backslash
            place += 2
        else:
            return -1


@compiled_leaf
def scan_language(buffer: NDArray[np.uint8], place: int) -> int:
    """Return the end of a tag like `en`, `en-GB`, `zh-Hans` or `zh-Hans-CN` that starts here; -1 if it is no such."""
    start = place
    while _ALPHA[buffer[place]] == 1:
        place += 1
    if not 2 <= place - start <= 3:
        return -1
    for length in (4, 2):
        if buffer[place] == 45:  # -
            end = place + 1
            while _ALPHA[buffer[end]] == 1:
                end += 1
            if end - place - 1 == length:
                place = end
    if _ALNUM[buffer[place]] == 1 or buffer[place] == 45:
        return -1
    return place


@compiled_leaf
def _starts_with(buffer: NDArray[np.uint8], start: int, end: int, prefix: NDArray[np.uint8]) -> bool:
    if end - start < len(prefix):
        return False
    for offset in range(len(prefix)):  # noqa: SIM110  numba compiles no generators
        if buffer[start + offset] != prefix[offset]:
            return False
    return True


@compiled_leaf
def _scan_literal(buffer: NDArray[np.uint8], place: int) -> int:
    """Return the end of a literal whose opening quote is here, with its tag or datatype; -1 if it is not plain."""
    place = _scan_text(buffer, place + 1)
    if place < 0:
        return -1
    place += 1
    if buffer[place] == 64:  # @
        return scan_language(buffer, place + 1)
    if buffer[place] == 94:  # ^
        if buffer[place + 1] != 94 or buffer[place + 2] != 60:
            return -1
        start = place + 3
        end = _scan_iri(buffer, start)
        if end < 0 or _starts_with(buffer, start, end, _RDF):
            return -1
        if end - start == len(_XSD_STRING) and _starts_with(buffer, start, end, _XSD_STRING):
            return -1
        return end + 1
    return place


@compiled_leaf
def _skip_space(buffer: NDArray[np.uint8], place: int) -> int:
    while buffer[place] == 32 or buffer[place] == 9:
        place += 1
    return place


@compiled_leaf
def _scan_label(buffer: NDArray[np.uint8], place: int) -> int:
    """Return the end of a blank node's label whose first character is given; -1 if it is not plain."""
    if _LABEL[buffer[place]] == 0 or buffer[place] == 45:
        return -1
    while _LABEL[buffer[place]] == 1:
        place += 1
    return place if buffer[place] == 32 or buffer[place] == 9 else -1


@compiled_leaf
def _scan_term(buffer: NDArray[np.uint8], place: int) -> int:
    """Return the end of the term that starts at a place, brackets and quotes included; -1 if it is not plain."""
    if buffer[place] == 60:  # <
        end = _scan_iri(buffer, place + 1)
        return end + 1 if end > 0 else -1
    if buffer[place] == 95 and buffer[place + 1] == 58:  # _:
        return _scan_label(buffer, place + 2)
    if buffer[place] == 34:
        return _scan_literal(buffer, place)
    return -1


@compiled_leaf
def _after_dot(buffer: NDArray[np.uint8], place: int) -> bool:
    """Say whether a statement ends properly: a dot, white space, the end of the line."""
    place = _skip_space(buffer, place)
    if buffer[place] != 46:
        return False
    place = _skip_space(buffer, place + 1)
    return bool(buffer[place] == 10 or (buffer[place] == 13 and buffer[place + 1] == 10))


@compiled_leaf
def _is_empty(buffer: NDArray[np.uint8], place: int) -> bool:
    """Say whether a line holds white space or an ASCII comment only."""
    place = _skip_space(buffer, place)
    if buffer[place] == 35:
        while 32 <= buffer[place] < 127 or buffer[place] == 9:
            place += 1
    return bool(buffer[place] == 10 or (buffer[place] == 13 and buffer[place + 1] == 10))


@compiled_leaf
def _scan_statement(
    buffer: NDArray[np.uint8], place: int, with_graph: bool, starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> int:
    """Fill the start and end of up to four terms and return the place of the dot; -1 if the line is not plain."""
    num_terms, place = 0, _skip_space(buffer, place)
    starts[3] = 0
    while num_terms < 4 and buffer[place] != 46:
        starts[num_terms] = place
        place = _scan_term(buffer, place)
        if place < 0:
            return -1
        ends[num_terms] = place
        num_terms += 1
        place = _skip_space(buffer, place)
    if num_terms < 3 or (num_terms == 4 and not with_graph) or not _after_dot(buffer, place):
        return -1
    if buffer[starts[0]] == 34 or buffer[starts[1]] != 60 or (num_terms == 4 and buffer[starts[3]] == 34):
        return -1
    return place


@compiled_leaf
def _lower_language(buffer: NDArray[np.uint8], end: int) -> None:
    """Lower the language tag of a literal that ends here, if it has one."""
    letter = end - 1
    if _ALPHA[buffer[letter]] == 1:
        while buffer[letter] != 64:  # @
            if 65 <= buffer[letter] <= 90:
                buffer[letter] += 32
            letter -= 1


@compiled_leaf
def _write_name(
    buffer: NDArray[np.uint8], start: int, end: int, prefix: NDArray[np.uint8], names: NDArray[np.uint8], used: int
) -> int:
    """Write a blank node's name after the used part of `names`; return the used part then, -1 if it cannot."""
    size = len(prefix) + end - start - 2
    if len(prefix) == 0 or used + size > len(names):
        return -1
    for offset in range(len(prefix)):
        names[used + offset] = prefix[offset]
    used += len(prefix)
    for place in range(start + 2, end):
        names[used] = buffer[place]
        used += 1
    return used


@compiled_leaf
def scan_lines(
    buffer: NDArray[np.uint8], first_line: int, with_graph: bool, prefix: NDArray[np.uint8], scanned: ScannedLines
) -> tuple[int, int, int]:
    """Find the plain statements among the lines of a buffer, and the lines that are not plain.

    Args:
        buffer: uint8 [num_bytes], ends in a line feed; language tags are lowered in place.
        first_line: number of its first line.
        with_graph: whether a fourth term may name a graph.
        prefix: start of every blank node's name; where empty, lines with blank nodes are not plain.
        scanned: filled from its start.

    Returns:
        How many rows, other lines, and bytes of names were filled.
    """
    num_rows, num_rest, num_names = 0, 0, 0
    starts, ends = scanned.bounds[0], scanned.bounds[1]
    columns = (scanned.head, scanned.relation, scanned.tail)
    line, start = first_line, 0
    while start < len(buffer):
        end = _scan_statement(buffer, start, with_graph, starts, ends)
        used = num_names
        if end >= 0:
            for position in range(3):
                column, first = columns[position], buffer[starts[position]]
                if first == 95:  # _
                    after = _write_name(buffer, starts[position], ends[position], prefix, scanned.names, used)
                    if after < 0:
                        end = -1
                        break
                    column[num_rows, 0], column[num_rows, 1] = len(buffer) + used, len(buffer) + after
                    used = after
                else:
                    bracket = 1 if first == 60 else 0
                    column[num_rows, 0], column[num_rows, 1] = starts[position] + bracket, ends[position] - bracket
        plain = end >= 0
        end = max(end, start)
        while buffer[end] != 10:
            end += 1
        if plain:
            if buffer[starts[2]] == 34:
                _lower_language(buffer, ends[2])
            scanned.line[num_rows] = line
            if len(scanned.graph) > 0:
                is_named = starts[3] > starts[2] and buffer[starts[3]] == 60
                scanned.graph[num_rows, 0] = starts[3] if is_named else 0
                scanned.graph[num_rows, 1] = ends[3] if is_named else 0
            num_rows += 1
            num_names = used
        elif not _is_empty(buffer, start):
            scanned.rest[num_rest, 0], scanned.rest[num_rest, 1], scanned.rest[num_rest, 2] = start, end, line
            num_rest += 1
        line += 1
        start = end + 1
    return num_rows, num_rest, num_names
