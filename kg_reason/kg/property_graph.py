"""Nodes and edges with properties, as networkx, yEd and Neo4j write them, become labels, edges and facts.

Of a node's properties one is its label, and every other one is an edge to a value; where a node has a place in a
drawing, the properties of that drawing are nothing. Of an edge's properties one is its relation, one its weight, and
others qualify it: those that the settings name as columns of tables.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from kg_reason.config import BuildConfig
from kg_reason.kg.curies import XSD
from kg_reason.kg.delimited import parse_weight
from kg_reason.kg.foreign_rows import RowWriter
from kg_reason.kg.names import readable_name
from kg_reason.kg.qualifiers import VALID_FROM, VALID_UNTIL, column_name, spellings
from kg_reason.kg.table_layout import one_relation
from kg_reason.kg.triples import cell_key, literal_key, literal_parts
from kg_reason.kg.validity import Validity
from kg_reason.kg.words import caseless

Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...]
Properties = Mapping[str, Value]

LABEL_PROPERTIES = ("label", "name", "title", "preflabel", "pref label")  # the first that is there
RELATION_PROPERTIES = ("relation", "predicate", "relationship", "label", "type", "interaction", "name", "key")
PLAIN_RELATION = "related to"  # of an edge that does not say what it is
DRAWING = frozenset({
    "x", "y", "z", "fx", "fy", "vx", "vy", "r", "g", "b", "a", "w", "h", "size", "width", "height", "color", "colour",
    "shape", "pos", "position", "index", "level", "graphics", "weight",
})  # fmt: skip
PLACES = ({"x", "y"}, {"pos"}, {"graphics"})  # what a node in a drawing has; a height alone may be a person's
_ODD_NUMBERS = {"nan": "NaN", "inf": "INF", "-inf": "-INF"}
_BLANK = re.compile(r"_:[A-Za-z0-9_.-]+")


def node_key(text: str, file: int) -> str:
    """Return the term key of a node by its id; ids that are literals or blank nodes of RDF stay what they are.

    Args:
        text: the id.
        file: position in the list of inputs: blank nodes of two files are two.
    """
    text = text.strip()
    if text.startswith('"') and literal_key(*literal_parts(text)) == text:
        return text
    if _BLANK.fullmatch(text):
        return f"_:f{file + 1}_{text[2:]}"
    return cell_key(text)


def value_key(value: Scalar) -> str:
    """Return the term key of a value: a literal of its type."""
    if isinstance(value, bool):
        return literal_key("true" if value else "false", datatype=XSD + "boolean")
    if isinstance(value, int):
        return literal_key(str(value), datatype=XSD + "integer")
    if isinstance(value, float):
        return literal_key(_ODD_NUMBERS.get(repr(value), repr(value)), datatype=XSD + "double")
    return literal_key(value)


def is_label(name: str) -> bool:
    """Tell whether a property of this name is the label of its node."""
    return column_name(name) in LABEL_PROPERTIES


def add_node(rows: RowWriter, key: str, properties: Properties, line: int) -> None:
    """Add the label and the facts of a node.

    Raises:
        ValueError: a value that cannot be stored.
    """
    chosen = _first_name(properties, LABEL_PROPERTIES)
    if chosen:
        for text in map(one_line, _texts(properties[chosen])):
            if text and text != readable_name(key):
                rows.label(key, text, line)
    names = {caseless(name) for name in properties}
    left_out = DRAWING if any(place <= names for place in PLACES) else frozenset()
    for name in sorted(properties):
        if name != chosen and caseless(name) not in left_out and one_line(name):
            for value in _scalars(properties[name]):
                if value != "":
                    rows.edge(key, one_line(name), value_key(value), line)


class EdgeWriter:
    """Adds edges with what their properties say: relation, weight, and what else qualifies them.

    Args:
        rows: grows by the edges.
        config: names of properties, the relation of edges that name none, and the day on which edges must hold.

    Raises:
        ConfigError: `as_of` is no day.
    """

    def __init__(self, rows: RowWriter, config: BuildConfig) -> None:
        self._rows = rows
        self._validity = Validity(config)
        self._relation = one_relation(config) or PLAIN_RELATION
        self._relation_properties = (*spellings(config.relation_column), *RELATION_PROPERTIES)
        self._weight_properties = spellings(config.weight_column)

    def add(self, ends: tuple[str, str], properties: Properties, line: int, relation: str = "") -> None:
        """Add an edge between two keys, head and tail, where it holds.

        Args:
            ends: the keys.
            properties: of the edge.
            line: where it stands.
            relation: its own; empty: a property tells it.

        Raises:
            ValueError: a weight or a date that is none, or a key that cannot be stored.
        """
        chosen = "" if relation else _first_name(properties, self._relation_properties)
        relation = relation or (one_line(_texts(properties[chosen])[0]) if chosen else self._relation)
        named = _first_name(properties, self._weight_properties)
        weight = parse_weight(_texts(properties[named])[0]) if named else math.nan
        qualifiers: dict[str, tuple[str, ...]] = {}
        for name in sorted(properties):
            qualifier = self._validity.names.columns.get(column_name(name), "")
            if qualifier and name != chosen:
                qualifiers[qualifier] = (*qualifiers.get(qualifier, ()), *_texts(properties[name]))
        first, last = (next(iter(qualifiers.get(name, ())), "") for name in (VALID_FROM, VALID_UNTIL))
        if self._validity.holds(first, last):
            self._rows.edge(ends[0], cell_key(relation), ends[1], line, weight, qualifiers)

    def tell(self) -> None:
        """Say how many edges of the file do not hold."""
        self._validity.tell(self._rows.name)


def one_line(text: str) -> str:
    """Return a text with single spaces."""
    return " ".join(text.split())


def _first_name(properties: Properties, wanted: Iterable[str]) -> str:
    """Return the property of the first wanted name (`column_name`) that says something; empty if none."""
    names = {column_name(name): name for name in sorted(properties, reverse=True)}
    for name in wanted:
        if name in names and any(text.strip() for text in _texts(properties[names[name]])):
            return names[name]
    return ""


def _scalars(value: Value) -> tuple[Scalar, ...]:
    return value if isinstance(value, tuple) else (value,)


def _texts(value: Value) -> list[str]:
    return [str(item) for item in _scalars(value)]
