"""How results reach the terminal: tables, counts and sizes, and no control character of a stranger's file.

Results go to standard output, remarks to standard error.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Sequence

# Control characters, line separators, marks that turn the direction of writing, halves of surrogate pairs.
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SIZES = ("bytes", "kB", "MB", "GB", "TB")


def printable(text: str) -> str:
    """Return a text with everything escaped that could move the cursor, colour the screen or reorder letters."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), text)


def show(*rows: str) -> None:
    """Write rows to standard output."""
    sys.stdout.write("".join(printable(row) + "\n" for row in rows))


def show_json(value: object) -> None:
    """Write one value as one line of JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def remark(text: str) -> None:
    """Write a line to standard error."""
    sys.stdout.flush()  # where both streams are one terminal, the lines keep their order
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def hint(*commands: str) -> None:
    """Write to standard error which commands to try next."""
    remark("\nnext:\n" + "\n".join(f"  {command}" for command in commands))


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), indent: int = 2) -> list[str]:
    """Return the lines of a table, its columns two spaces apart.

    Args:
        rows: cells; every row has the same number.
        right: columns aligned to the right.
        indent: spaces before each line.
    """
    cells = [[printable(cell).replace("\n", "\\n") for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
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


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as "1 edge" or "1,204 edges"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def sized(num_bytes: int) -> str:
    """Return a size for people, such as "12.3 MB" (of 1,000,000 bytes)."""
    size, unit = float(num_bytes), 0
    while size >= 1000 and unit < len(_SIZES) - 1:
        size, unit = size / 1000, unit + 1
    return f"{num_bytes} bytes" if unit == 0 else f"{size:.1f} {_SIZES[unit]}"


def timed(seconds: float) -> str:
    """Return a duration for people, such as "0.8 s" or "3 min 05 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
