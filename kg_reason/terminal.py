"""Text that is fit for a terminal: aligned tables, and no control character of a stranger's file.

What is shown is decided elsewhere; writing it to the streams is `commands/printing.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

PROGRESS_DELAY = 2.0  # seconds before a progress bar appears
MAX_COLUMN_WIDTH = 80  # characters

# Control characters, line separators, marks that turn the direction of writing, halves of surrogate pairs.
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_HALVES = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """Return a text with everything escaped that could move the cursor, colour the screen or reorder letters."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), text)


def is_unicode(text: str) -> bool:
    """Tell whether a text holds no half of a surrogate pair, as which Python hands over bytes that are no text."""
    return not _HALVES.search(text)


def one_line(text: str) -> str:
    """Return a printable text that never breaks its line."""
    return printable(text).replace("\n", "\\n")


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), indent: int = 2) -> list[str]:
    """Return the lines of a table, its columns two spaces apart; a very long cell moves its own line only.

    Args:
        rows: cells; every row has the same number.
        right: columns aligned to the right.
        indent: spaces before each line.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(min(_width(cell), MAX_COLUMN_WIDTH) for cell in column) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        line = " " * indent
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (width - _width(cell))
            line += (gap + cell if number in right else cell + gap) + "  "
        lines.append(line.rstrip())
    return lines


def _width(text: str) -> int:
    """Return how many cells of a terminal a text fills: two for an East Asian character, none for an accent."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )
