"""The compiled scan over the plain lines of delimited files; `delimited.py` reads every other line and tells why.

A line is plain when its fields are as many as expected, valid UTF-8, none of head, relation and tail is empty, and
numbers are short decimals; so the scan needs no words for what is wrong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled_leaf
from kg_reason.kg.ntriples_scan import scan_language, utf8_width

NONE, HEAD, RELATION, TAIL, WEIGHT, RANK, LANGUAGE, POS = range(8)

_POWERS_OF_TEN = 10.0 ** np.arange(16)
_HIGH_BITS = np.uint64(0x8080808080808080)
_LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_UP_TO_SPACE = np.uint64(0x6060606060606060)


class ScannedRows(NamedTuple):
    """What the scan fills: the plain rows, and the lines left to `delimited.py`."""

    head: NDArray[np.int64]  # [num_lines, 2], start and end in the buffer
    relation: NDArray[np.int64]  # [num_lines, 2]
    tail: NDArray[np.int64]  # [num_lines, 2]
    line: NDArray[np.int64]  # [num_lines]
    rest: NDArray[np.int64]  # [num_lines, 3], start, end and number of each line that is not plain
    weight: NDArray[np.float32]  # [num_lines], or [0] where no field is optional; so are the next three
    rank: NDArray[np.int32]
    language: NDArray[np.int64]  # [num_lines, 2], start and end in the buffer
    pos: NDArray[np.uint8]
    qualifiers: NDArray[np.int64]  # [num_lines, num_qualifiers, 2], start and end in the buffer; [0, 0, 2] without any
    bounds: NDArray[np.int64]  # [2, num_fields], starts and ends of the fields of one line


@compiled_leaf
def _is_space(byte: int) -> bool:
    return byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31


@compiled_leaf
def _may_be_wide_space(first: int, second: int) -> bool:
    """Say whether a character that starts with these two bytes may be white space beyond ASCII."""
    if first == 0xC2:
        return second == 0x85 or second == 0xA0
    if first == 0xE1:
        return second == 0x9A
    if first == 0xE2:
        return second == 0x80 or second == 0x81
    return first == 0xE3 and second == 0x80


@compiled_leaf
def _trim(buffer: NDArray[np.uint8], start: int, end: int) -> tuple[int, int]:
    """Return the cell without ASCII white space at its ends; (-1, -1) if other white space may be there."""
    while start < end and _is_space(buffer[start]):
        start += 1
    while start < end and _is_space(buffer[end - 1]):
        end -= 1
    if start < end:
        if buffer[start] >= 0x80 and _may_be_wide_space(buffer[start], buffer[start + 1]):
            return -1, -1
        if buffer[end - 1] >= 0x80:
            if _may_be_wide_space(buffer[end - 2], buffer[end - 1]):
                return -1, -1
            if end - start >= 3 and _may_be_wide_space(buffer[end - 3], buffer[end - 2]):
                return -1, -1
    return start, end


@compiled_leaf
def _scan_decimal(buffer: NDArray[np.uint8], start: int, end: int) -> float:
    """Return the value of up to 15 digits with or without a point among them; -1.0 if it is no such number."""
    value, num_digits, num_decimals = 0, 0, -1
    for place in range(start, end):
        byte = buffer[place]
        if 48 <= byte <= 57:
            value = value * 10 + int(byte - 48)
            num_digits += 1
            if num_decimals >= 0:
                num_decimals += 1
        elif byte == 46 and num_decimals < 0:
            num_decimals = 0
        else:
            return -1.0
        if num_digits > 15:
            return -1.0
    if num_digits == 0:
        return -1.0
    return float(value / _POWERS_OF_TEN[max(num_decimals, 0)])


@compiled_leaf
def _scan_rank(buffer: NDArray[np.uint8], start: int, end: int) -> int:
    """Return the value of up to nine digits; 0 if it is no such number."""
    value = 0
    for place in range(start, end):
        if not 48 <= buffer[place] <= 57 or end - start > 9:
            return 0
        value = value * 10 + int(buffer[place] - 48)
    return value


@compiled_leaf
def _fill_optional(
    buffer: NDArray[np.uint8], field: int, start: int, end: int, row: int, scanned: ScannedRows
) -> bool:
    """Fill one optional cell that is not empty; False if it is not plain."""
    if field == WEIGHT:
        weight = _scan_decimal(buffer, start, end)
        scanned.weight[row] = weight
        return weight >= 0.0
    if field == RANK:
        rank = _scan_rank(buffer, start, end)
        scanned.rank[row] = rank
        return rank > 0
    if field == LANGUAGE:
        scanned.language[row, 0], scanned.language[row, 1] = start, end
        return scan_language(buffer, start) == end
    letter = buffer[start]
    if end - start != 1 or (letter != 110 and letter != 118 and letter != 97 and letter != 114):  # n v a r
        return False
    scanned.pos[row] = letter
    return True


@compiled_leaf
def _is_other_term(buffer: NDArray[np.uint8], cell: int) -> bool:
    """Say whether a cell reads like a literal, a blank node or a triple term of RDF."""
    first, second = buffer[cell], buffer[cell + 1]
    return bool(first == 34 or (first == 95 and second == 58) or (first == 60 and second == 60))


@compiled_leaf
def _clear_optional(row: int, scanned: ScannedRows) -> None:
    if row < len(scanned.weight):
        scanned.weight[row] = np.nan
        scanned.rank[row] = 0
        scanned.language[row, 0], scanned.language[row, 1] = 0, 0
        scanned.pos[row] = 0


@compiled_leaf
def _is_text(word: int) -> bool:
    """Say whether eight bytes are ASCII from the space on, so that none of them is a line end or a tab."""
    # No byte carries over into the next: 0x7F + 0x60 is below 0x100.
    return bool((((word & _LOW_BITS) + _UP_TO_SPACE) & ~word & _HIGH_BITS) == _HIGH_BITS)


@compiled_leaf
def _split_line(
    buffer: NDArray[np.uint8],
    words: NDArray[np.uint64],
    place: int,
    delimiter: int,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> tuple[int, bool]:
    """Fill start and end of each field of a line; return the place of its line feed, and whether it may be plain."""
    plain, field, start = True, 0, place
    while True:
        if place & 7 == 0:
            while place >> 3 < len(words) and _is_text(words[place >> 3]):
                place += 8
        byte = buffer[place]
        if byte == delimiter or byte == 10:
            if field < len(starts):
                starts[field], ends[field] = start, place
            field += 1
            if byte == 10:
                return place, plain and field == len(starts)
            start = place + 1
            place += 1
        elif byte >= 0x80:
            width = utf8_width(buffer, place)
            plain = plain and width > 0
            place += max(width, 1)
        else:
            if byte == 0 or (byte == 13 and buffer[place + 1] != 10):
                plain = False
            place += 1


@compiled_leaf
def _is_blank(buffer: NDArray[np.uint8], start: int, end: int) -> bool:
    for place in range(start, end):  # noqa: SIM110  numba compiles no generators
        if buffer[place] != 32 and buffer[place] != 13:
            return False
    return True


@compiled_leaf
def scan_rows(
    buffer: NDArray[np.uint8], first_line: int, delimiter: int, fields: NDArray[np.int64], scanned: ScannedRows
) -> tuple[int, int]:
    """Find the plain rows among the lines of a buffer, and the lines that are neither plain nor blank.

    Args:
        buffer: uint8 [num_bytes], ends in a line feed.
        first_line: number of its first line.
        delimiter: character code of the field separator.
        fields: int64 [num_fields], what each field is: NONE to POS, or POS + 1 + i for the i-th qualifier.
        scanned: filled from its start; weight is NaN, rank, language and pos are 0 where a cell is empty.

    Returns:
        How many rows and other lines were filled.
    """
    num_rows, num_rest = 0, 0
    starts, ends = scanned.bounds[0], scanned.bounds[1]
    columns = (scanned.head, scanned.relation, scanned.tail)
    # Eight bytes at a time, where none of them can be the delimiter.
    words = buffer[: len(buffer) // 8 * 8 if delimiter < 32 else 0].view(np.uint64)
    line = first_line
    start = 0
    while start < len(buffer):
        end, plain = _split_line(buffer, words, start, delimiter, starts, ends)
        _clear_optional(num_rows, scanned)
        for position in range(len(fields)):
            if not plain:
                break
            field = fields[position]
            if field == NONE:
                continue
            cell, after = _trim(buffer, starts[position], ends[position])
            if field <= TAIL:
                plain = after > cell and cell >= 0 and not _is_other_term(buffer, cell)
                columns[field - HEAD][num_rows, 0], columns[field - HEAD][num_rows, 1] = cell, after
            elif field > POS:
                plain = cell >= 0
                scanned.qualifiers[num_rows, field - POS - 1, 0] = cell
                scanned.qualifiers[num_rows, field - POS - 1, 1] = after
            elif after != cell:
                plain = _fill_optional(buffer, field, cell, after, num_rows, scanned)
            else:
                plain = cell >= 0
        if plain:
            scanned.line[num_rows] = line
            num_rows += 1
        elif not _is_blank(buffer, start, end):
            scanned.rest[num_rest, 0], scanned.rest[num_rest, 1], scanned.rest[num_rest, 2] = start, end, line
            num_rest += 1
        line += 1
        start = end + 1
    return num_rows, num_rest
