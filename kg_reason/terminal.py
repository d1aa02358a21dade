"""Text that is fit for a terminal: aligned tables, and no control character of a stranger's file.

What is shown is decided elsewhere; writing it to the streams is `commands/printing.py`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

PROGRESS_DELAY = 2.0  # seconds before a progress bar appears
MAX_COLUMN_WIDTH = 80  # characters
MAX_NAME_CHARACTERS = 1000
MAX_MARKS = 10  # accents on one letter; no language has so many

# Control characters, line separators, marks that turn the direction of writing, characters that nobody sees (save those
# that join or part the letters of some scripts), halves of surrogate pairs.
_UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
_HALVES = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """Return a text with everything escaped that could move the cursor, colour the screen, hide or reorder letters.

    Of accents that would tower over other lines all but MAX_MARKS are counted.
    """
    if text.isascii() and text.isprintable():
        return text
    return _without_towers(_UNSAFE.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), text))


def printable_json(value: object) -> str:
    """Return a value as one line of JSON, everything that `printable` escapes in the escapes of JSON."""
    return _UNSAFE.sub(lambda match: json.dumps(match[0])[1:-1], json.dumps(value, ensure_ascii=False))


def is_unicode(text: str) -> bool:
    """Tell whether a text holds no half of a surrogate pair, as which Python hands over bytes that are no text."""
    return not _HALVES.search(text)


def one_line(text: str) -> str:
    """Return a printable text that never breaks its line."""
    return printable(text).replace("\n", "\\n")


def short_name(text: str) -> str:
    """Return a name on one line; of a very long one its beginning and its length."""
    if len(text) <= MAX_NAME_CHARACTERS:
        return one_line(text)
    return f"{one_line(text[:MAX_NAME_CHARACTERS])}... ({len(text):,} characters)"


def _without_towers(text: str) -> str:
    if text.isascii():
        return text
    parts: list[str] = []
    num_marks = 0
    for sign in text:
        is_mark = _is_mark(sign)
        if not is_mark and num_marks > MAX_MARKS:
            parts.append(f"[{num_marks - MAX_MARKS:,} more accents]")
        num_marks = num_marks + 1 if is_mark else 0
        if num_marks <= MAX_MARKS:
            parts.append(sign)
    if num_marks > MAX_MARKS:
        parts.append(f"[{num_marks - MAX_MARKS:,} more accents]")
    return "".join(parts)


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), indent: int = 2) -> list[str]:
    """Return the lines of a table, its columns two spaces apart; a long cell moves its own line only.

    Args:
        rows: cells; every row has the same number.
        right: columns aligned to the right.
        indent: spaces before each line.
    """
    cells = [[short_name(cell) for cell in row] for row in rows]
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
    return sum(0 if _is_mark(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _is_mark(sign: str) -> bool:
    """Tell whether a character stands on the one before it, or joins it to the next."""
    return unicodedata.category(sign) in ("Mn", "Me", "Cf")
