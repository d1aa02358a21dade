"""GraphML, as networkx, Gephi, igraph and yEd write it, read as a stream.

An XML file may be hostile: a file that declares entities, which can grow without bounds or name other files, is
refused where it does, and so is one nested without end. Nothing outside the file is ever opened. A syntax error ends
the file: what follows it cannot be trusted. An edge of an undirected graph is stated once, from its source to its
target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from kg_reason.config import BuildConfig
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.foreign_rows import RowWriter
from kg_reason.kg.property_graph import EdgeWriter, Scalar, Value, add_node, node_key
from kg_reason.kg.triples import TripleBlock
from kg_reason.kg.words import caseless

CHUNK_BYTES = 1 << 16
MAX_DEPTH = 1_000
MAX_TEXT_CHARACTERS = 16 << 20  # of one element
_DRAWN_LABELS = ("NodeLabel", "EdgeLabel")  # of yEd
_NUMBERS: Mapping[str, Callable[[str], Scalar]] = {"int": int, "long": int, "float": float, "double": float}


def read_graphml(
    stream: BinaryIO, name: str, file: int, bad_lines: BadLines, config: BuildConfig
) -> Iterator[TripleBlock]:
    """Read a file up to its end or its first syntax error, which is noted with its line.

    Args:
        stream: the bytes of an XML document.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the syntax error, and by nodes and edges that could not be read.
        config: what the properties of edges are called, and the day on which edges must hold.

    Raises:
        InputSyntaxError: the stream cannot be read.
        ConfigError: `as_of` is no day.
    """
    rows = RowWriter(name, file, bad_lines)
    edges = EdgeWriter(rows, config)
    handler = _Handler(rows, file, edges)
    ended = False
    while not ended:
        chunk = stream.read(CHUNK_BYTES)
        ended = not chunk
        try:
            handler.parser.Parse(chunk, ended)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            rows.refuse(error.lineno, f"column {error.offset + 1}: {reason}; the rest of the file was not read")
            ended = True
        except (ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
            rows.refuse(handler.parser.CurrentLineNumber, f"{error}; the rest of the file was not read")
            ended = True
        if rows.is_full:
            yield rows.take()
    yield rows.take()
    edges.tell()


@dataclass
class _Key:
    """What a property is called, of what type it is, what it belongs to, and its value where none is given."""

    name: str
    type: str
    domain: str
    default: str = ""


@dataclass
class _Item:
    """A node or an edge that is being read."""

    attributes: Mapping[str, str]
    line: int
    values: dict[str, Value] = field(default_factory=dict)
    drawn_label: str = ""
    fault: str = ""


class _Handler:
    """Follows the elements of a document and adds every node and edge when it ends."""

    def __init__(self, rows: RowWriter, file: int, edges: EdgeWriter) -> None:
        self._rows = rows
        self._edges = edges
        self._file = file
        self._depth = 0
        self._keys: dict[str, _Key] = {}
        self._key = _Key("", "", "")
        self._items: list[_Item] = []
        self._data_key = ""
        self._data_depth = 0
        self._is_nested = False
        self._texts: list[list[str]] = []
        self._num_characters = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._refuse_entity
        self.parser.SkippedEntityHandler = self._refuse_skipped

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise ValueError(f"found a declaration of the entity {name!r}, expected a document without any")

    def _refuse_skipped(self, name: str, _: object) -> None:
        raise ValueError(f"found the entity {name!r}, which the document does not declare")

    def _start(self, full_name: str, attributes: dict[str, str]) -> None:
        name = full_name.rpartition(" ")[2]
        self._depth += 1
        if self._depth == 1 and name != "graphml":
            raise ValueError(f"expected an element graphml, found {name}")
        if self._depth > MAX_DEPTH:
            raise ValueError(f"found more than {MAX_DEPTH:,} nested elements")
        self._is_nested = True
        if name == "key":
            identifier = attributes.get("id", "")
            self._key = _Key(
                attributes.get("attr.name", identifier), attributes.get("attr.type", ""), attributes.get("for", "all")
            )
            self._keys[identifier] = self._key
        elif name in ("node", "edge"):
            self._items.append(_Item(attributes, self.parser.CurrentLineNumber))
        elif name == "hyperedge":
            self._rows.refuse(self.parser.CurrentLineNumber, "found a hyperedge, expected edges between two nodes")
        elif name == "data":
            self._data_key, self._is_nested, self._num_characters = attributes.get("key", ""), False, 0
            self._texts.append([])
        elif name == "default" or name in _DRAWN_LABELS:
            self._num_characters = 0
            self._texts.append([])

    def _characters(self, text: str) -> None:
        if self._texts:
            self._num_characters += len(text)
            if self._num_characters > MAX_TEXT_CHARACTERS:
                raise ValueError(f"found a text longer than {MAX_TEXT_CHARACTERS:,} characters")
            self._texts[-1].append(text)

    def _end(self, full_name: str) -> None:
        name = full_name.rpartition(" ")[2]
        self._depth -= 1
        item = self._items[-1] if self._items else None
        if name == "data":
            text = "".join(self._texts.pop()).strip()
            if item is not None and text and not self._is_nested:
                key = self._keys.get(self._data_key) or _Key(self._data_key, "", "all")
                try:
                    self._set(item, key, text)
                except ValueError as error:
                    item.fault = str(error)
        elif name == "default":
            self._key.default = "".join(self._texts.pop()).strip()
        elif name in _DRAWN_LABELS:
            text = "".join(self._texts.pop()).strip()
            if item is not None:
                item.drawn_label = f"{item.drawn_label} {text}".strip()
        elif name in ("node", "edge") and item is not None:
            self._items.pop()
            try:
                self._add(name, item)
            except ValueError as error:
                self._rows.refuse(item.line, str(error))

    @staticmethod
    def _set(item: _Item, key: _Key, text: str) -> None:
        value: Scalar = text
        if key.type == "boolean" and text.lower() in ("true", "false"):
            value = text.lower() == "true"
        elif key.type in _NUMBERS:
            try:
                value = _NUMBERS[key.type](text.replace("_", "?"))  # Python would take 1_000 for a number
            except ValueError as error:
                raise ValueError(f"expected a value of type {key.type} for {key.name}, found {text[:40]!r}") from error
        item.values[key.name] = value

    def _add(self, kind: str, item: _Item) -> None:
        if item.fault:
            raise ValueError(item.fault)
        for key in self._keys.values():
            if key.default and key.domain in (kind, "all") and key.name not in item.values:
                self._set(item, key, key.default)
        names = {caseless(name) for name in item.values}
        if item.drawn_label and not names & {"label", "relation"}:
            item.values["label"] = item.drawn_label
        ends = ("id",) if kind == "node" else ("source", "target")
        keys = [node_key(item.attributes.get(end, ""), self._file) for end in ends]
        missing = [end for end, key in zip(ends, keys, strict=True) if not key]
        if missing:
            raise ValueError(f"expected an attribute {missing[0]} of the {kind}, found none")
        if kind == "node":
            add_node(self._rows, keys[0], item.values, item.line)
        else:
            self._edges.add((keys[0], keys[1]), item.values, item.line)
