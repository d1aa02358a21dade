"""Taxonomies of one path a line, as shops publish them: `Music > Strings > Violins`, with or without an id before it.

An entity is a path, so that the "Accessories" of two branches stay two; its key is its id where lines carry ids, else
the whole path. Its label is the last part. Every line states one edge, from its entity to the one above; an entity
above that has no line of its own is stated by the first line below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple

from kg_reason.config import BuildConfig
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.foreign_rows import RowWriter, text_lines
from kg_reason.kg.triples import TripleBlock, cell_key

BROADER = "broader"
SEPARATOR = ">"
COMMENT = "#"
LINES_LOOKED_AT = 50  # to tell whether lines start with ids
MAX_PARTS = 100  # a line states its path and each of those above it whole,
MAX_PATH_CHARACTERS = 16_384  # so that a long one would make many times its length
ID_STYLES = {
    "a tab": re.compile(r"([^\t>]*)\t(.*)"),
    "' - '": re.compile(r"(\S+)[ ]+-[ ]+(.*)"),
    "' : '": re.compile(r"(\S+)[ ]+:[ ]+(.*)"),
    "a space": re.compile(r"(\d+)[ ]+(.*)"),
}

Parts = tuple[str, ...]


class PathLine(NamedTuple):
    """One line: its number, the id before the path or nothing, and the parts of the path from the root down."""

    number: int
    id: str
    parts: Parts


def read_taxonomy(
    stream: BinaryIO, name: str, file: int, bad_lines: BadLines, config: BuildConfig
) -> Iterator[TripleBlock]:
    """Read a taxonomy, which is held in memory whole; bad lines are noted and passed over.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the lines that could not be read.
        config: nothing of it matters here.

    Raises:
        InputSyntaxError: the stream cannot be read, or a line is too long.
    """
    rows = RowWriter(name, file, bad_lines)
    lines, line_of = _checked(_path_lines(stream, rows, bad_lines), rows)
    keys = {line.parts: cell_key(line.id or _path_key(line.parts)) for line in lines}
    for line in lines:
        try:
            _state(line, keys, line_of, rows)
        except ValueError as error:
            rows.refuse(line.number, str(error))
        if rows.is_full:
            yield rows.take()
    yield rows.take()


def _state(line: PathLine, keys: dict[Parts, str], line_of: dict[Parts, int], rows: RowWriter) -> None:
    """Add the edge and the label of a line, and those above it that have no line of their own."""
    for length in range(1, len(line.parts) + 1):
        parts = line.parts[:length]
        is_own = length == len(line.parts)
        if not is_own and parts in line_of:
            continue
        is_first = is_own and line_of[parts] == line.number
        key = keys.setdefault(parts, cell_key(_path_key(parts)))
        if not is_own:
            line_of[parts] = line.number
        if is_first or not is_own:
            rows.label(key, parts[-1], line.number)
        if length > 1:
            rows.edge(key, BROADER, keys[parts[:-1]], line.number)


def _path_key(parts: Parts) -> str:
    return f" {SEPARATOR} ".join(parts)


def _path_lines(stream: BinaryIO, rows: RowWriter, bad_lines: BadLines) -> Iterator[PathLine]:
    """Yield the lines that hold a path; note those that do not."""
    texts = (
        (number, text) for number, text in text_lines(stream, rows.name, bad_lines)
        if not text.lstrip().startswith(COMMENT)
    )  # fmt: skip
    first = list(islice(texts, LINES_LOOKED_AT))
    style = id_style([text for _, text in first])
    for source in (first, texts):
        for number, text in source:
            identifier, path = "", text
            if style:
                match = ID_STYLES[style].fullmatch(text.strip())
                if match is None or not match[1].strip():
                    rows.refuse(number, f"expected an id, {style} and a path, as in the first lines; found {text!r}")
                    continue
                identifier, path = match[1].strip(), match[2]
            parts = tuple(" ".join(part.split()) for part in path.split(SEPARATOR))
            if len(parts) > MAX_PARTS or len(path) > MAX_PATH_CHARACTERS:
                expected = f"expected a path of at most {MAX_PARTS} names and {MAX_PATH_CHARACTERS:,} characters"
                rows.refuse(number, f"{expected}, found {len(parts):,} and {len(path):,}")
                continue
            if not all(parts):
                rows.refuse(number, f"expected names between {SEPARATOR!r}, found an empty one in {path.strip()!r}")
                continue
            yield PathLine(number, identifier, parts)


def id_style(texts: list[str]) -> str:
    """Return which of ID_STYLES the lines of a file have; empty: none.

    Numbers before a space are ids only where every line has another one: "2 Wheelers" may be a name.
    """
    for style, pattern in ID_STYLES.items():
        matches = [pattern.fullmatch(text.strip()) for text in texts]
        ids = [match[1] for match in matches if match is not None and match[1]]
        if style == "a space":
            if len(texts) > 1 and len(set(ids)) == len(texts):
                return style
        elif 2 * len(ids) > len(texts) and SEPARATOR not in "".join(ids):
            return style
    return ""


def _checked(lines: Iterator[PathLine], rows: RowWriter) -> tuple[list[PathLine], dict[Parts, int]]:
    """Return the lines whose id and path name each other only, and the first line of every path."""
    kept: list[PathLine] = []
    first_of: dict[Parts, PathLine] = {}
    path_of: dict[str, PathLine] = {}
    for line in lines:
        known = first_of.setdefault(line.parts, line)
        if known.id != line.id:
            rows.refuse(line.number, f"found id {line.id} for the path of line {known.number}, which has {known.id}")
            continue
        other = path_of.setdefault(line.id, line) if line.id else line
        if other.parts != line.parts:
            del first_of[line.parts]
            found = f"id {line.id}, which line {other.number} gives to {_path_key(other.parts)!r}"
            rows.refuse(line.number, f"expected an id of its own, found {found}")
            continue
        kept.append(line)
    return kept, {parts: line.number for parts, line in first_of.items()}
