"""The compiled scan over the plain lines of ConceptNet; `conceptnet.py` reads every other line and tells why.

A line is plain when it has five fields, of them a relation `/r/...` and two terms `/c/LANGUAGE/TEXT...`, and when no
white space, control character or carriage return is in these; so the scan needs no words for what is wrong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled

_TAB, _LINE_FEED, _CARRIAGE_RETURN, _SLASH, _UNDERSCORE, _SMALL_C, _SMALL_R = 9, 10, 13, 47, 95, 99, 114
_NUM_TABS = 4
URI, RELATION, HEAD, TAIL, FACTS = range(_NUM_TABS + 1)


class ScannedAssertions(NamedTuple):
    """What the scan fills: the plain lines, and those left to `conceptnet.py`."""

    spans: NDArray[np.int64]  # [num_lines, 5, 2], start and end in the buffer of the fields URI to FACTS
    line: NDArray[np.int64]  # [num_lines]
    rest: NDArray[np.int64]  # [num_lines, 3], start, end and number of each line that is not plain


@compiled
def _is_solid(buffer: NDArray[np.uint8], start: int, end: int) -> bool:
    """Tell whether no byte is white space or a control character, nor may begin white space beyond ASCII."""
    for place in range(start, end):
        byte = buffer[place]
        if byte <= 32 or byte == 127 or byte == 0xC2 or byte == 0xE1 or byte == 0xE2:
            return False
        if byte == 0xE3 and buffer[place + 1] == 0x80:
            return False
    return True


@compiled
def _is_term(buffer: NDArray[np.uint8], start: int, end: int) -> bool:
    """Tell whether a field is `/c/LANGUAGE/TEXT`, with more or without; the text starts with no underscore."""
    if end - start < 6 or buffer[start] != _SLASH or buffer[start + 1] != _SMALL_C or buffer[start + 2] != _SLASH:
        return False
    place = start + 3
    while place < end and buffer[place] != _SLASH:
        place += 1
    if place == start + 3 or place + 1 >= end or buffer[place + 1] == _SLASH or buffer[place + 1] == _UNDERSCORE:
        return False
    return bool(_is_solid(buffer, start, end))


@compiled
def _is_relation(buffer: NDArray[np.uint8], start: int, end: int) -> bool:
    """Tell whether a field is `/r/NAME`."""
    if end - start < 4 or buffer[start] != _SLASH or buffer[start + 1] != _SMALL_R or buffer[start + 2] != _SLASH:
        return False
    return bool(buffer[start + 3] != _SLASH and _is_solid(buffer, start, end))


@compiled
def scan_assertions(buffer: NDArray[np.uint8], first_line: int, scanned: ScannedAssertions) -> tuple[int, int]:
    """Find the plain lines of a buffer, and those that are neither plain nor empty.

    Args:
        buffer: uint8 [num_bytes], valid UTF-8 that ends in a line feed.
        first_line: number of its first line.
        scanned: filled from its start.

    Returns:
        How many plain and other lines were filled.
    """
    num_plain, num_rest = 0, 0
    tabs = np.zeros(_NUM_TABS, dtype=np.int64)
    line, start = first_line, 0
    while start < len(buffer):
        num_tabs, end, plain = 0, start, True
        while buffer[end] != _LINE_FEED:
            if buffer[end] == _TAB:
                if num_tabs < _NUM_TABS:
                    tabs[num_tabs] = end
                num_tabs += 1
            elif buffer[end] == _CARRIAGE_RETURN:
                plain = False
            end += 1
        if plain and num_tabs == _NUM_TABS and tabs[_NUM_TABS - 1] + 1 < end:
            plain = _is_relation(buffer, tabs[0] + 1, tabs[1])
            plain = plain and _is_term(buffer, tabs[1] + 1, tabs[2]) and _is_term(buffer, tabs[2] + 1, tabs[3])
        else:
            plain = False
        if plain:
            for field in range(_NUM_TABS + 1):
                scanned.spans[num_plain, field, 0] = tabs[field - 1] + 1 if field > 0 else start
                scanned.spans[num_plain, field, 1] = tabs[field] if field < _NUM_TABS else end
            scanned.line[num_plain] = line
            num_plain += 1
        elif end > start:
            scanned.rest[num_rest, 0], scanned.rest[num_rest, 1], scanned.rest[num_rest, 2] = start, end, line
            num_rest += 1
        line += 1
        start = end + 1
    return num_plain, num_rest
