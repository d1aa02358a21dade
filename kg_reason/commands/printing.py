"""How results reach the terminal: results go to standard output, remarks to standard error; counts and sizes in words.

Tables, and what may not reach a terminal, are `terminal.py`.
"""

from __future__ import annotations

import sys

from kg_reason.terminal import one_line, printable, printable_json

_SIZES = ("bytes", "kB", "MB", "GB", "TB")


def show(*rows: str) -> None:
    """Write rows to standard output."""
    sys.stdout.write("".join(printable(row) + "\n" for row in rows))


def show_json(value: object) -> None:
    """Write one value as one line of JSON."""
    sys.stdout.write(printable_json(value) + "\n")


def show_file(text: str) -> None:
    """Write the content of a file to standard output, as it is save where people read it."""
    if sys.stdout.isatty():
        text = "\n".join("\t".join(map(printable, row.split("\t"))) for row in text.split("\n"))
    sys.stdout.write(text)


def remark(text: str) -> None:
    """Write a line to standard error."""
    sys.stdout.flush()  # where both streams are one terminal, the lines keep their order
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def hint(*commands: str) -> None:
    """Write to standard error which commands to try next."""
    remark("\nnext:\n" + "\n".join(f"  {one_line(command)}" for command in commands))


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
