"""Node-link JSON, as networkx writes it: an object with a list `nodes`, and `links` or `edges` between them.

The text is taken apart object by object, so that every edge knows its line. A syntax error ends the file: what follows
it cannot be trusted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping
from typing import BinaryIO

from kg_reason.config import BuildConfig
from kg_reason.errors import InputSyntaxError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.foreign_rows import RowWriter
from kg_reason.kg.property_graph import EdgeWriter, Scalar, Value, add_node, node_key
from kg_reason.kg.triples import TripleBlock

MAX_BYTES = 512 << 20  # the text is held in memory
NODES, EDGES = "nodes", ("links", "edges")
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def read_node_link(
    stream: BinaryIO, name: str, file: int, bad_lines: BadLines, config: BuildConfig
) -> Iterator[TripleBlock]:
    """Read a file up to its end or its first syntax error, which is noted with its line.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the syntax error, and by nodes and edges that could not be read.
        config: what the properties of edges are called, and the day on which edges must hold.

    Raises:
        InputSyntaxError: the stream cannot be read, is not UTF-8, or longer than MAX_BYTES.
        ConfigError: `as_of` is no day.
    """
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputSyntaxError(name, 0, f"found more than {MAX_BYTES >> 20} MB of JSON; write it as TSV or N-Triples")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"found byte 0x{data[error.start]:02X} (--encoding)"
        raise InputSyntaxError(name, line, f"expected UTF-8 text, {found}") from error
    rows = RowWriter(name, file, bad_lines)
    edges = EdgeWriter(rows, config)
    document = _Document(text)
    try:
        for member, item, line in document.items():
            try:
                _add(rows, member, item, (file, line), edges)
            except ValueError as error:
                rows.refuse(line, str(error))
            if rows.is_full:
                yield rows.take()
        if not document.has_edges:
            rows.refuse(1, f"expected a list {' or '.join(EDGES)}, found {', '.join(document.members) or 'nothing'}")
    except json.JSONDecodeError as error:
        rows.refuse(error.lineno, f"column {error.colno}: {error.msg}; the rest of the file was not read")
    except ValueError as error:  # a number of more than 4,300 digits
        rows.refuse(document.line, f"{error}; the rest of the file was not read")
    except RecursionError:
        rows.refuse(document.line, "found values nested too deeply; the rest of the file was not read")
    yield rows.take()
    edges.tell()


class _Document:
    """A JSON object whose lists of nodes and edges are read item by item."""

    def __init__(self, text: str) -> None:
        self.line = 1
        self.members: list[str] = []
        self.has_edges = False  # whether a list of them was found so far
        self._text = text
        self._counted = 0

    def items(self) -> Iterator[tuple[str, object, int]]:
        """Yield the name of the list, the item and its line for every node and edge.

        Raises:
            json.JSONDecodeError: the text is not valid.
            RecursionError: a value is nested too deeply.
        """
        place = self._expect(0, "{")
        if self._peek(place) == "}":
            return
        while True:
            member, place = self._value(self._skip(place))
            if not isinstance(member, str):
                raise json.JSONDecodeError("expected a name in quotes", self._text, place)
            self.members.append(member)
            place = self._skip(self._expect(place, ":"))
            is_list = self._peek(place) == "["
            if member == NODES and not is_list:
                raise json.JSONDecodeError(f"expected a list {NODES}", self._text, place)
            if member in (NODES, *EDGES) and is_list:
                self.has_edges = self.has_edges or member in EDGES
                place = yield from self._list(member, place + 1)
            else:
                _, place = self._value(place)
            if self._peek(place) != ",":
                break
            place = self._expect(place, ",")
        place = self._skip(self._expect(place, "}"))
        if place < len(self._text):
            raise json.JSONDecodeError("found text after the object", self._text, place)

    def _list(self, member: str, place: int) -> Generator[tuple[str, object, int], None, int]:
        """Yield the items of a list that starts before a place; return the place after it."""
        if self._peek(place) == "]":
            return self._expect(place, "]")
        while True:
            place = self._skip(place)
            self._count(place)
            item, place = self._value(place)
            yield member, item, self.line
            if self._peek(place) != ",":
                return self._expect(place, "]")
            place = self._expect(place, ",")

    def _count(self, place: int) -> None:
        self.line += self._text.count("\n", self._counted, place)
        self._counted = place

    def _value(self, place: int) -> tuple[object, int]:
        value, end = _DECODER.raw_decode(self._text, place)
        return value, end

    def _skip(self, place: int) -> int:
        match = _SPACE.match(self._text, place)
        return match.end() if match else place

    def _peek(self, place: int) -> str:
        place = self._skip(place)
        return self._text[place : place + 1]

    def _expect(self, place: int, mark: str) -> int:
        place = self._skip(place)
        if self._text[place : place + 1] != mark:
            raise json.JSONDecodeError(f"expected {mark!r}", self._text, place)
        return place + 1


def _add(rows: RowWriter, member: str, item: object, place: tuple[int, int], edges: EdgeWriter) -> None:
    """Add what a node or an edge says; its place is the number of the file and the line."""
    file, line = place
    kind = "node" if member == NODES else "edge"
    if not isinstance(item, dict):
        raise ValueError(f"expected an object for the {kind}, found {str(item)[:40]!r}")
    ends = ("id",) if kind == "node" else ("source", "target")
    keys = [_end_key(item, end, kind, file) for end in ends]
    properties = {name: found for name, value in item.items() if name not in ends and (found := _value(value)) != ()}
    if kind == "node":
        add_node(rows, keys[0], properties, line)
        return
    if not isinstance(item.get("key"), str):
        properties.pop("key", None)  # networkx numbers the edges between two nodes
    edges.add((keys[0], keys[1]), properties, line)


def _end_key(item: Mapping[str, object], end: str, kind: str, file: int) -> str:
    value = item.get(end)
    if isinstance(value, dict):  # drawing tools put the node itself in place of its id
        value = value.get("id")
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | int | float) else value
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"expected {'an' if end == 'id' else 'a'} {end} of the {kind}, found {value!r}")
    return node_key(text, file)


def _value(value: object) -> Value:
    """Return a property's value; nothing for null, objects and lists of them."""
    if isinstance(value, list):
        found: list[Scalar] = [item for item in value if isinstance(item, str | int | float)]
        return tuple(found)
    return value if isinstance(value, str | int | float) else ()
