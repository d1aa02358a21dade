"""CSV files of Neo4j: those of its bulk import and export (`:ID`, `:START_ID`, `:TYPE`), and those of APOC (`_id`).

A file starts with its header. A row with an id is a node: its label property becomes its label, its other properties
become edges to values, its `:LABEL` edges to classes. A row with a start and an end is an edge. A node is an entity
under its id, with its group before it (`Person:7`) where the header names one; so files that are given together join.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import BinaryIO, NamedTuple

from kg_reason.config import BuildConfig
from kg_reason.errors import InputSyntaxError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.csv_records import read_quoted
from kg_reason.kg.foreign_rows import RowWriter, decoded
from kg_reason.kg.inputs import line_blocks
from kg_reason.kg.names import readable_name
from kg_reason.kg.property_graph import EdgeWriter, Value, add_node, is_label, node_key, one_line
from kg_reason.kg.recognition import HEADER_CELL, NEO4J_ROLES, header_delimiter
from kg_reason.kg.table_layout import WITHOUT_RELATION, find_delimiter, one_relation
from kg_reason.kg.triples import TripleBlock, cell_key

INSTANCE = "instance of"
ROLES = (*NEO4J_ROLES.values(), "IGNORE")
ARRAY_DELIMITER = ";"
_IN_GROUP = re.compile(r"\(([^)]*)\)")
_NUMBERS: Mapping[str, Callable[[str], int | float]] = {
    "int": int, "long": int, "short": int, "byte": int, "float": float, "double": float,
}  # fmt: skip


class Column(NamedTuple):
    """One column of a header.

    Attributes:
        role: ID, LABEL, START_ID, END_ID, TYPE, IGNORE, or empty: a property.
        name: of the property; of an id column, too, where it has one.
        type: such as int or string; empty where none is given.
        is_array: whether a cell may hold several values.
        group: of ids, in which they are unique; empty where none is given.
    """

    role: str
    name: str
    type: str
    is_array: bool
    group: str


def read_neo4j(
    stream: BinaryIO, name: str, file: int, bad_lines: BadLines, config: BuildConfig
) -> Iterator[TripleBlock]:
    """Read a file of nodes, of edges, or of both; bad lines are noted and passed over.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the lines that could not be read.
        config: the delimiter, where it is not told by the header, what the properties of edges are called, the relation
            of edges without a type, and the day on which edges must hold.

    Raises:
        InputSyntaxError: the stream cannot be read, or the header lacks what makes nodes or edges.
        ConfigError: the delimiter is not one ASCII character, or `as_of` no day.
    """
    blocks = line_blocks(stream, name)
    first = next(blocks, None)
    if first is None:
        return
    text = first.buffer[: 1 << 16].tobytes().decode(errors="replace").lstrip()
    delimiter = find_delimiter(config.delimiter or header_delimiter(text.partition("\n")[0]), quoted=True)
    rows = RowWriter(name, file, bad_lines)
    edges = EdgeWriter(rows, config)
    yield from read_quoted(chain([first], blocks), _RecordWriter(rows, file, edges, one_relation(config)), delimiter)
    edges.tell()


def parse_header(cells: list[str], name: str, line: int, relation: str = "") -> tuple[Column, ...]:
    """Return the columns of a header; with a relation for all edges it needs no `:TYPE`.

    Raises:
        InputSyntaxError: there is neither an id nor a start, an end and a type; or a cell is no column.
    """
    columns = []
    for cell in cells:
        match = HEADER_CELL.fullmatch(cell.strip())
        if match is None:
            raise InputSyntaxError(name, line, f"expected a column such as name, born:int or :ID, found {cell!r}")
        given_type = match["type"] or ""
        column_type = given_type.removesuffix("[]")
        group = _IN_GROUP.search(match["rest"] or "")
        role = column_type if column_type in ROLES else NEO4J_ROLES.get(match["name"], "")
        in_group = group[1].strip() if group else ""
        columns.append(Column(role, match["name"], column_type, given_type.endswith("[]"), in_group))
    roles = {column.role for column in columns}
    if "ID" not in roles and not {"START_ID", "END_ID"} <= roles:
        raise InputSyntaxError(name, line, f"expected a column :ID, or :START_ID and :END_ID, found {', '.join(cells)}")
    if "START_ID" in roles and "TYPE" not in roles and not relation:
        raise InputSyntaxError(name, line, f"expected a column :TYPE, found {', '.join(cells)}; {WITHOUT_RELATION}")
    return tuple(columns)


class _RecordWriter:
    """Turns records into rows: the first is the header, the others are nodes and edges."""

    def __init__(self, rows: RowWriter, file: int, edges: EdgeWriter, relation: str) -> None:
        self._rows = rows
        self._edges = edges
        self._relation = relation
        self._file = file
        self._columns: tuple[Column, ...] = ()
        self._classes: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def take(self) -> TripleBlock:
        """Return the rows added since the last call."""
        return self._rows.take()

    def decode(self, line: bytes, number: int) -> str | None:
        """Return the text of a line; None, and noted as a bad line, if it is not UTF-8."""
        try:
            return decoded(line)
        except ValueError as error:
            self.refuse(number, str(error))
            return None

    def refuse(self, line: int, reason: str) -> None:
        """Note a bad line."""
        self._rows.refuse(line, reason)

    def add(self, cells: list[str], line: int) -> None:
        """Add what a record says, or note what is wrong with it.

        Raises:
            InputSyntaxError: it is the first record and no header.
        """
        if not self._columns:
            self._columns = parse_header(cells, self._rows.name, line, self._relation)
            return
        try:
            if len(cells) != len(self._columns):
                raise ValueError(f"expected {len(self._columns)} fields as in the header, found {len(cells)}")
            self._add(cells, line)
        except ValueError as error:
            self.refuse(line, str(error))

    def _add(self, cells: list[str], line: int) -> None:
        """Add a node, or an edge where the row has a start."""
        given = {column.role: cell.strip() for column, cell in zip(self._columns, cells, strict=True) if column.role}
        keys = {
            column.role: self._key(column, cell)
            for column, cell in zip(self._columns, cells, strict=True)
            if column.role in ("ID", "START_ID", "END_ID") and cell.strip()
        }
        properties: dict[str, Value] = {}
        for column, cell in zip(self._columns, cells, strict=True):
            if cell.strip() and column.name and not column.role:
                properties[column.name] = _value(column, cell.strip())
            elif column.role == "ID" and is_label(column.name):
                properties.setdefault(column.name, cell.strip())
        if "START_ID" in keys or "END_ID" in keys:
            for role in ("START_ID", "END_ID"):
                if role not in keys:
                    raise ValueError(f"expected a :{role}, found an empty field")
            relation = given.get("TYPE", self._relation)
            if not relation:
                raise ValueError("expected a :TYPE, found an empty field")
            self._edges.add((keys["START_ID"], keys["END_ID"]), properties, line, one_line(relation))
            return
        if "ID" not in keys:
            raise ValueError("expected an :ID, found an empty field")
        if not any(map(is_label, properties)) and keys["ID"].endswith(f":{given['ID']}") and not given["ID"].isdigit():
            properties["label"] = given["ID"]  # the group before the id is no part of a name
        add_node(self._rows, keys["ID"], properties, line)
        for label in re.split(r"[;:]", given.get("LABEL", "")):
            if label.strip():
                self._rows.edge(keys["ID"], INSTANCE, self._class(label.strip(), line), line)

    def _key(self, column: Column, cell: str) -> str:
        return node_key(f"{column.group}:{cell.strip()}" if column.group else cell, self._file)

    def _class(self, label: str, line: int) -> str:
        """Return the entity of a node label; `MusicGroup` is called a Music Group."""
        if label not in self._classes:
            self._classes[label] = cell_key(label)
            name = readable_name(f"l:{label}")
            if name not in (label, readable_name(label)):
                self._rows.label(self._classes[label], name, line)
        return self._classes[label]


def _value(column: Column, cell: str) -> Value:
    """Return what a cell holds by the type of its column."""
    if column.is_array:
        return tuple(_scalar(column.type, item.strip()) for item in cell.split(ARRAY_DELIMITER) if item.strip())
    return _scalar(column.type, cell)


def _scalar(column_type: str, text: str) -> str | int | float | bool:
    """Return one value; texts stay as they are, dates among them."""
    try:
        if column_type in _NUMBERS:
            return _NUMBERS[column_type](text.replace("_", "?"))  # Python would take 1_000 for a number
    except ValueError as error:
        raise ValueError(f"expected a value of type {column_type}, found {text[:40]!r}") from error
    if column_type == "boolean":
        return text.lower() == "true"
    return text
