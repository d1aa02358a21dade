"""OWL's ways of saying an edge without an edge, folded while a graph is built.

`A subClassOf (R some B)` is four statements around a blank node, which link no text to anything. It becomes the edge
`A R B`; what cannot be said by edges is left out, with its blank nodes, so that no path leads through syntax:

    A subClassOf (R some B), (R value B), (R min 1 B), (R exactly 1 B)    A R B
    A subClassOf (not B)                                                  A disjointWith B
    A subClassOf, equivalentClass or intersectionOf (B and R some C)      A subClassOf B, A R C
    a type (B and R some C)                                               a type B, a R C
    all disjoint (A B C), A disjointUnionOf (B C)                         every pair disjointWith, parts subClassOf A
    (A or B), (R only B), (R max 1 B), {a, b}, facets, axiom annotations  nothing

Only blank nodes are folded. An edge has the lines of every statement that it was made of.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.errors import GraphError
from kg_reason.kg.curies import OWL, RDF, RDFS
from kg_reason.kg.terms import TermInterner
from kg_reason.kg.triples import literal_parts

logger = logging.getLogger(__name__)

SUBCLASS, TYPE, DISJOINT = RDFS + "subClassOf", RDF + "type", OWL + "disjointWith"
MAX_DISJOINT_CLASSES = 100  # of one list: they become pairs; a longer list stays as it was written
MAX_STATED = 300  # statements that one folded edge may be made of; nesting that deep is no ontology's
MIN_BUDGET = 100_000  # steps of folding that any graph may take
BUDGET = 8  # steps for each statement; shared expressions could otherwise unfold to more than fits in memory

_FILLERS = ("someValuesFrom", "hasValue", "onClass")
_OPENING = (  # what only a class expression, a data range or a note on an axiom says of a blank node
    "onProperty", "onProperties", "intersectionOf", "unionOf", "complementOf", "oneOf", "datatypeComplementOf",
    "onDatatype", "withRestrictions", "annotatedSource",
)  # fmt: skip
_LISTS = ("intersectionOf", "unionOf", "oneOf", "withRestrictions", "onProperties")
_NEEDED = (
    *_OPENING, *_FILLERS, "minQualifiedCardinality", "qualifiedCardinality", "equivalentClass", "members",
    "disjointUnionOf",
)  # fmt: skip

Said = dict[str, list[tuple[int, int]]]  # relation -> tails with the rows that state them


class EdgeRows(NamedTuple):
    """Statements as columns [num_rows], terms and relations as the ids of interners, in the order of reading.

    `qualifiers` has the number of each statement's set (`qualifiers.py`), 0 where it has none; it is empty where no
    statement has any.
    """

    head: NDArray[np.int32]
    relation: NDArray[np.int32]
    tail: NDArray[np.int32]
    weight: NDArray[np.float32]
    file: NDArray[np.int32]
    line: NDArray[np.int64]
    qualifiers: NDArray[np.int32] = np.empty(0, dtype=np.int32)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> EdgeRows:
        """Return some of the rows."""
        columns = self._asdict().items()
        return EdgeRows(**{name: column[rows] if len(column) else column for name, column in columns})

    def qualified(self) -> NDArray[np.int32]:
        """Return the number of each statement's set of qualifiers, int32 [num_rows], also where none has any."""
        return self.qualifiers if len(self.qualifiers) else np.zeros(len(self.head), dtype=np.int32)

    def in_file_order(self) -> EdgeRows:
        """Return the rows by file, those of one file as they are; files may have been read side by side."""
        if bool((self.file[1:] >= self.file[:-1]).all()):
            return self
        return self.take(np.argsort(self.file, kind="stable"))

    def joined(self, other: EdgeRows) -> EdgeRows:
        """Return these rows and then others."""
        return EdgeRows(
            np.concatenate([self.head, other.head]), np.concatenate([self.relation, other.relation]),
            np.concatenate([self.tail, other.tail]), np.concatenate([self.weight, other.weight]),
            np.concatenate([self.file, other.file]), np.concatenate([self.line, other.line]),
            np.concatenate([self.qualified(), other.qualified()])
            if len(self.qualifiers) or len(other.qualifiers) else self.qualifiers,
        )  # fmt: skip


class Folded(NamedTuple):
    """The statements of a graph after folding, and which terms, bool [num_terms], were syntax and are gone."""

    rows: EdgeRows
    gone: NDArray[np.bool_]


class _Part(NamedTuple):
    """An edge that an expression gives to what is of its class: relation (empty: the class itself), tail, rows."""

    relation: str
    tail: int
    rows: tuple[int, ...]


def fold_expressions(rows: EdgeRows, entities: TermInterner, relations: TermInterner) -> Folded:
    """Fold the class expressions among the statements of a graph into edges.

    Args:
        rows: every statement that is no label.
        entities: of heads and tails.
        relations: grows by relations that only restrictions name.

    Raises:
        GraphError: shared expressions would unfold to many more edges than the graph has statements.
    """
    number = {relations.key(relation): relation for relation in range(relations.num_terms)}
    if not any(OWL + name in number for name in (*_OPENING, "members", "disjointUnionOf")):
        return Folded(rows, np.zeros(entities.num_terms, dtype=bool))
    folding = _Folding(rows, entities, number)
    found = list(folding.edges())
    names = sorted({relation for _, relation, _, _ in found})
    number.update(zip(names, relations.intern_keys(names).tolist(), strict=True))
    made: list[tuple[int, int, int, float, int, int, int]] = []
    qualifiers = rows.qualified()
    for start, name, end, stated in found:
        places = dict.fromkeys((int(rows.file[row]), int(rows.line[row])) for row in stated)
        first = (float(rows.weight[stated[0]]), int(qualifiers[stated[0]]))
        made += [(start, number[name], end, first[0], *place, first[1]) for place in places]
    kept = ~(folding.gone[rows.head] | folding.gone[rows.tail])
    logger.info("%d statements of class expressions folded into %d edges", int((~kept).sum()), len(found))
    head, relation, tail, weight, file, line, of_made = zip(*made, strict=True) if made else ((),) * 7
    all_rows = rows.take(kept).joined(
        EdgeRows(
            np.array(head, dtype=np.int32), np.array(relation, dtype=np.int32), np.array(tail, dtype=np.int32),
            np.array(weight, dtype=np.float32), np.array(file, dtype=np.int32), np.array(line, dtype=np.int64),
            np.array(of_made, dtype=np.int32) if len(rows.qualifiers) else rows.qualifiers,
        )
    )  # fmt: skip
    return Folded(all_rows.take(np.lexsort((all_rows.line, all_rows.file))), folding.gone)


class _Folding:
    """Finds the expressions of a graph, what they say, and the edges that this makes."""

    def __init__(self, rows: EdgeRows, entities: TermInterner, number: dict[str, int]) -> None:
        self._rows = rows
        self._entities = entities
        self._number = number
        self._budget = max(MIN_BUDGET, BUDGET * len(rows.head))
        self._blank = entities.keys_with_prefix("_:")
        opening = self._with_relation(_OPENING) & self._blank[rows.head]
        self.gone = np.zeros(entities.num_terms, dtype=bool)
        self.gone[rows.head[opening]] = True
        self._cells = self._facts((RDF + "first", RDF + "rest"), self._blank)
        notes = np.zeros(entities.num_terms, dtype=bool)
        notes[rows.head[self._with_relation(("annotatedSource",))]] = True
        self._said = self._facts([OWL + name for name in _NEEDED], self.gone & ~notes)
        for said in list(self._said.values()):
            for name in _LISTS:
                for cell, _ in said.get(OWL + name, ()):
                    self._drop_list(cell, with_items=name == "withRestrictions")
            for inverse, _ in said.get(OWL + "onProperty", ()):
                self.gone[inverse] |= self._blank[inverse]

    def edges(self) -> Iterator[tuple[int, str, int, tuple[int, ...]]]:
        """Yield head, relation, tail of every folded edge, with the rows that it was made of."""
        equivalent = OWL + "equivalentClass"
        for relation in (RDFS + "subClassOf", TYPE, equivalent):
            kind = TYPE if relation == TYPE else SUBCLASS
            for row in np.flatnonzero(self._rows.relation == self._number.get(relation, -1)).tolist():
                head, tail = int(self._rows.head[row]), int(self._rows.tail[row])
                if relation == equivalent and self.gone[head]:
                    head, tail = tail, head
                if self.gone[tail] and not self.gone[head]:
                    yield from self._assert(head, kind, self._parts(tail), row)
        for row in np.flatnonzero(self._with_relation(("intersectionOf",))).tolist():
            head, cell = int(self._rows.head[row]), int(self._rows.tail[row])
            if not self.gone[head]:  # a named class that is this intersection
                self._drop_list(cell)
                yield from self._assert(head, SUBCLASS, self._members(cell), row)
        yield from self._disjoint_lists()

    def _assert(
        self, head: int, kind: str, parts: Iterator[_Part], row: int
    ) -> Iterator[tuple[int, str, int, tuple[int, ...]]]:
        for part in parts:
            if part.tail != head or part.relation:
                self._spend()
                yield head, part.relation or kind, part.tail, (row, *part.rows)

    def _spend(self) -> None:
        self._budget -= 1
        if self._budget < 0:
            raise GraphError(
                "found class expressions that many classes share: they would unfold to more edges than the graph has "
                "statements; --no-fold-owl leaves them as they are written"
            )

    def _members(self, cell: int) -> Iterator[_Part]:
        for item, rows in self._items(cell):
            yield from self._parts(item, rows)

    def _parts(self, node: int, rows: tuple[int, ...] = ()) -> Iterator[_Part]:
        """Yield what is true of everything in a class; an intersection may hold others."""
        seen: set[int] = set()
        waiting = [(node, rows)]
        while waiting:
            node, rows = waiting.pop()
            if not self.gone[node]:
                yield _Part("", node, rows)
                continue
            if node in seen:
                continue
            seen.add(node)
            if len(rows) > MAX_STATED:
                raise GraphError(
                    f"found class expressions that are nested {MAX_STATED // 3} times and more; --no-fold-owl leaves "
                    "them as they are written"
                )
            said = self._said.get(node, {})
            for cell, row in said.get(OWL + "intersectionOf", ()):
                waiting += [(item, (*rows, row, *stated)) for item, stated in self._items(cell)]
            for other, row in said.get(OWL + "complementOf", ()):
                if not self.gone[other]:
                    yield _Part(DISJOINT, other, (*rows, row))
            yield from self._restriction(said, rows)

    def _restriction(self, said: Said, rows: tuple[int, ...]) -> Iterator[_Part]:
        for relation, row in said.get(OWL + "onProperty", ()):
            if self._blank[relation]:  # the inverse of a relation
                continue
            name = self._entities.key(relation)
            for filler in _FILLERS:
                for target, stated in said.get(OWL + filler, ()):
                    if filler == "onClass" and not self._is_needed(said):
                        continue
                    for target_part, more in self._named(target):
                        yield _Part(name, target_part, (*rows, row, stated, *more))

    def _is_needed(self, said: Said) -> bool:
        """Tell whether a qualified cardinality asks for at least one."""
        counts = (*said.get(OWL + "minQualifiedCardinality", ()), *said.get(OWL + "qualifiedCardinality", ()))
        texts = [literal_parts(self._entities.key(count)).text for count, _ in counts]
        return any(text.isdecimal() and int(text[:9]) > 0 for text in texts)

    def _named(self, node: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield a named filler, or the named parts of a filler that is an intersection."""
        if not self.gone[node]:
            yield node, ()
            return
        for cell, row in self._said.get(node, {}).get(OWL + "intersectionOf", ()):
            yield from ((item, (row, *rows)) for item, rows in self._items(cell) if not self.gone[item])

    def _disjoint_lists(self) -> Iterator[tuple[int, str, int, tuple[int, ...]]]:
        groups = self._disjoint_groups()
        for row in np.flatnonzero(self._with_relation(("members", "disjointUnionOf"))).tolist():
            head, cell = int(self._rows.head[row]), int(self._rows.tail[row])
            relation = int(self._rows.relation[row])
            is_union = relation == self._number.get(OWL + "disjointUnionOf")
            items = list(self._items(cell))
            if not items or len(items) > MAX_DISJOINT_CLASSES or not (is_union or groups[head]):
                continue
            is_shared = bool(self.gone[cell])
            self._drop_list(cell)
            self.gone[head] |= not is_union
            named = [(item, rows) for item, rows in items if not self.gone[item]]
            for item, rows in named if is_union else ():
                yield item, SUBCLASS, head, (row, *rows)
            for (first, rows), (second, more) in combinations(() if is_shared else named, 2):
                yield first, DISJOINT, second, (row, *rows, *more)

    def _disjoint_groups(self) -> NDArray[np.bool_]:
        """Return which terms are blank nodes of the type AllDisjointClasses."""
        group = self._entities.find(OWL + "AllDisjointClasses")
        typed = (self._rows.relation == self._number.get(TYPE, -1)) & (self._rows.tail == group)
        groups = np.zeros(len(self.gone), dtype=bool)
        groups[self._rows.head[typed]] = True
        return groups & self._blank

    def _with_relation(self, names: Sequence[str]) -> NDArray[np.bool_]:
        wanted = [self._number[OWL + name] for name in names if OWL + name in self._number]
        return np.isin(self._rows.relation, wanted)

    def _facts(self, names: Sequence[str], of: NDArray[np.bool_]) -> dict[int, Said]:
        """Return what some terms say by some relations, by term."""
        name_of = {self._number[name]: name for name in names if name in self._number}
        chosen = np.flatnonzero(np.isin(self._rows.relation, list(name_of)) & of[self._rows.head])
        facts: dict[int, Said] = {}
        columns = (column[chosen].tolist() for column in self._rows[:3])
        for row, head, relation, tail in zip(chosen.tolist(), *columns, strict=True):
            facts.setdefault(head, {}).setdefault(name_of[relation], []).append((tail, row))
        return facts

    def _items(self, cell: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield the items of a list, each with the row that states it."""
        seen: set[int] = set()
        while cell not in seen and (said := self._cells.get(cell)):
            seen.add(cell)
            self._spend()
            yield from ((item, (row,)) for item, row in said.get(RDF + "first", ()))
            rest = said.get(RDF + "rest", ())
            cell = rest[0][0] if rest else -1

    def _drop_list(self, cell: int, *, with_items: bool = False) -> None:
        seen: set[int] = set()
        while cell not in seen and (said := self._cells.get(cell)):
            seen.add(cell)
            self.gone[cell] = True
            for item, _ in said.get(RDF + "first", ()) if with_items else ():
                self.gone[item] |= self._blank[item]
            rest = said.get(RDF + "rest", ())
            cell = rest[0][0] if rest else -1
