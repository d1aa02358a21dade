r"""The lines of an OBO file: stanzas of clauses `tag: value {modifiers} ! comment`, with the escapes of OBO 1.4.

What the clauses mean is `obo.py`. A backslash at the end of a line joins the next one to it; `\n`, `\t` and `\W` are a
line feed, a tab and a space, and any other escaped character is itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.inputs import line_blocks

HEADER = ""  # the name of the stanza before the first

_STANZA = re.compile(r"\[\s*([A-Za-z_]\w*)\s*\](?:\s*!.*)?")
_CLAUSE = re.compile(r"([^\s:!\[\]{}\"]+)\s*:(?:\s+|$)(.*)", re.DOTALL)
_IN_QUOTES = r'(?:[^"\\]++|\\.)*+'  # never goes back, so that a text of 16 MB costs no memory for each character
_QUOTED = re.compile(rf'\s*"({_IN_QUOTES})"\s*(.*)', re.DOTALL)
_MODIFIERS = re.compile(rf'(?:^|\s)\{{((?:[^"{{}}\\]++|\\.|"{_IN_QUOTES}")*+)\}}\s*$')
_MODIFIER = re.compile(rf'(?<![\w:.-])([\w:.-]+)\s*=\s*(?:"({_IN_QUOTES})"|([^",\s]+))')
_COMMENT = re.compile(r"(?:^|\s)!")
_MAY_HIDE_A_MARK = re.compile(r'["\\]')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "W": " "}
_FREE_TEXT = ("name", "comment", "remark")  # where a quote is a quote
_MAX_SHOWN = 60  # characters of a line in a message


class Clause(NamedTuple):
    """One clause: its tag, its value as written, without comment and modifiers, these by name, and its line."""

    tag: str
    value: str
    modifiers: dict[str, str]
    line: int


class Stanza(NamedTuple):
    """One stanza: Term, Typedef, Instance, another name, or HEADER; its clauses, and the line where it starts."""

    kind: str
    clauses: list[Clause]
    line: int


def read_stanzas(stream: BinaryIO, name: str, bad_lines: BadLines) -> Iterator[Stanza]:
    """Read the stanzas of an OBO file, the header first; lines that are no clauses are noted and passed over.

    Raises:
        InputSyntaxError: the stream cannot be read, or a line is too long.
    """
    stanza = Stanza(HEADER, [], 1)
    for number, text in _whole_lines(stream, name, bad_lines):
        if not text or text.startswith("!"):
            continue
        heading = _STANZA.fullmatch(text)
        if heading is not None:
            yield stanza
            stanza = Stanza(heading[1], [], number)
            continue
        clause = read_clause(text, number)
        if clause is None:
            found = text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."
            bad_lines.add(name, number, f"expected `tag: value` or a [Stanza], found {found!r}")
        else:
            stanza.clauses.append(clause)
    yield stanza


def _whole_lines(stream: BinaryIO, name: str, bad_lines: BadLines) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers, without white space at their ends, continued ones as one."""
    first, parts = 0, list[str]()
    for block in line_blocks(stream, name):
        for number, data in enumerate(block.buffer.tobytes().split(b"\n")[:-1], start=block.first_line):
            try:
                text = data.decode().strip(" \t\r")
            except UnicodeDecodeError as error:
                bad_lines.add(name, number, f"byte {error.start + 1}: found no valid UTF-8")
                continue
            is_continued = text.endswith("\\") and (len(text) - len(text.rstrip("\\"))) % 2 == 1
            if not parts:
                first = number
            parts.append(text[:-1] if is_continued else text)
            if not is_continued:
                yield first, "".join(parts)
                parts.clear()
    if parts:
        yield first, "".join(parts)


def read_clause(text: str, line: int) -> Clause | None:
    """Take one line apart; None where it is no clause."""
    match = _CLAUSE.fullmatch(text)
    if match is None:
        return None
    tag, value = match.groups()
    value = _without_comment(value, has_quotes=tag not in _FREE_TEXT)
    modifiers: dict[str, str] = {}
    found = _MODIFIERS.search(value) if value.endswith("}") else None
    if found is not None and (not found[1].strip() or _MODIFIER.search(found[1])):
        modifiers = {key: unescape(quoted or plain) for key, quoted, plain in _MODIFIER.findall(found[1])}
        value = value[: found.start()].rstrip()
    return Clause(tag, value, modifiers, line)


def _without_comment(value: str, *, has_quotes: bool) -> str:
    """Cut a value at the exclamation mark that begins a comment: one after white space and outside of quotes."""
    if "!" not in value:
        return value.strip()
    if not _MAY_HIDE_A_MARK.search(value):
        return _COMMENT.split(value, maxsplit=1)[0].strip()
    in_quotes, place = False, 0
    while place < len(value):
        character = value[place]
        if character == "\\":
            place += 1
        elif character == '"' and has_quotes:
            in_quotes = not in_quotes
        elif character == "!" and not in_quotes and (place == 0 or value[place - 1].isspace()):
            return value[:place].strip()
        place += 1
    return value.strip()


def quoted_text(value: str) -> tuple[str, str] | None:
    """Return the text in quotes that a value starts with, and the rest; None where it starts with none."""
    match = _QUOTED.fullmatch(value)
    return (unescape(match[1]), match[2]) if match else None


def unescape(text: str) -> str:
    """Return a text without the escapes of OBO."""
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text) if "\\" in text else text
