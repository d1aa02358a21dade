"""Statements about statements become qualifiers of edges, and what does not count by them is left out.

A statement may be spoken of in three ways, each by a node that stands for it, its reifier:

    _:r rdf:reifies <<( A R B )>>                                      RDF 1.2, `A R B {| :weight 0.12 |}` in Turtle
    _:r rdf:subject A ; rdf:predicate R ; rdf:object B                 reification of RDF 1.0
    _:r owl:annotatedSource A ; owl:annotatedProperty R ; owl:annotatedTarget B

What else the reifier says qualifies the edge `A R B`, which each reifier states once more with its own qualifiers, at
the line where the edge is stated. Reifiers and triple terms are no entities of the graph. A triple that is only spoken
of adds no edge. As with class expressions (`ontology.py`), this waits until every statement is known, so the order of
lines and files does not matter.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.kg.curies import OWL, RDF
from kg_reason.kg.ontology import TYPE, EdgeRows
from kg_reason.kg.qualifiers import QualifierNames, Qualifiers, QualifierSets, qualifier_text, weight_of
from kg_reason.kg.statement_filter import StatementFilter, Statements
from kg_reason.kg.terms import TermInterner
from kg_reason.kg.triple_terms import TRIPLE_TERM, triple_term_parts
from kg_reason.kg.triples import term_text

logger = logging.getLogger(__name__)

REIFIES = RDF + "reifies"
REIFICATION = (RDF + "subject", RDF + "predicate", RDF + "object")
AXIOM = (OWL + "annotatedSource", OWL + "annotatedProperty", OWL + "annotatedTarget")

Statement = tuple[int, int, int]  # head, relation and tail, -1 for what no edge has


class Qualified(NamedTuple):
    """The statements of a graph with their qualifiers, and which terms, bool [num_terms], were syntax and are gone."""

    rows: EdgeRows
    gone: NDArray[np.bool_]


class _Note(NamedTuple):
    """What one reifier says of a statement, and where."""

    file: int
    line: int
    text: str  # the stored form of the qualifiers
    qualifiers: Qualifiers


def qualify(
    rows: EdgeRows,
    sets: QualifierSets,
    config: BuildConfig,
    *,
    entities: TermInterner,
    relations: TermInterner,
    source_names: Sequence[str],
) -> Qualified:
    """Turn statements about statements into qualifiers and leave out the edges that do not count.

    Args:
        rows: every statement that is no label.
        sets: the qualifiers of the rows; grows by what reifiers say.
        config: names of qualifiers, which edges count, and whether OWL is folded (`fold_owl`).
        entities: of heads and tails.
        relations: of the rows.
        source_names: of the inputs, as the user named them.

    Raises:
        ConfigError: `as_of` is no day.
    """
    folding = _Folding(rows, sets, QualifierNames(config), entities=entities, relations=relations)
    folding.find(with_axioms=config.fold_owl)
    if folding.gone.any():
        rows = folding.folded(config.min_weight)
    statements_count = StatementFilter(config)
    if statements_count and len(rows.head):
        kept = statements_count.select(Statements(rows.qualified(), rows.file, source_names, sets.get))
        statements_count.tell()
        rows = rows if kept.all() else rows.take(kept)
    return Qualified(rows, folding.gone)


class _Folding:
    """Finds the reifiers of a graph, what they say, and the edges that they speak of."""

    def __init__(
        self, rows: EdgeRows, sets: QualifierSets, names: QualifierNames, *, entities: TermInterner,
        relations: TermInterner,
    ) -> None:  # fmt: skip
        self._rows = rows
        self._sets = sets
        self._names = names
        self._entities = entities
        self._relations = relations
        self._structure = {relations.find(TYPE)}
        self._reified: dict[int, dict[Statement, tuple[int, int]]] = {}  # reifier -> statement -> file and line
        self.gone = np.zeros(entities.num_terms, dtype=bool)

    def find(self, *, with_axioms: bool) -> None:
        """Find reifiers and triple terms, which are gone afterwards."""
        for names in (REIFICATION, AXIOM) if with_axioms else (REIFICATION,):
            parts = [self._relations.find(name) for name in names]
            if min(parts) >= 0:
                self._find_nodes(parts)
        is_term = self._entities.keys_with_prefix(TRIPLE_TERM)
        if is_term.any():
            self._find_terms(is_term)
        self.gone |= is_term
        self.gone[list(self._reified)] = True

    def _find_terms(self, is_term: NDArray[np.bool_]) -> None:
        reifies = self._relations.find(REIFIES)
        self._structure.add(reifies)
        spoken_of: dict[int, Statement] = {}
        for row in np.flatnonzero(is_term[self._rows.tail] & (self._rows.relation == reifies)).tolist():
            term = int(self._rows.tail[row])
            if term not in spoken_of:
                head, relation, tail = triple_term_parts(self._entities.key(term)) or ("", "", "")
                ends = (self._entities.find(head), self._entities.find(tail))
                spoken_of[term] = (ends[0], self._relations.find(relation), ends[1])
            self._note(row, spoken_of[term])

    def _find_nodes(self, parts: list[int]) -> None:
        """Find the nodes that have exactly one head, one relation and one tail."""
        told = []
        self._structure.update(parts)
        for relation in parts:
            chosen = self._rows.relation == relation
            pairs = np.unique(np.stack([self._rows.head[chosen], self._rows.tail[chosen]], axis=1), axis=0)
            nodes, place, counts = np.unique(pairs[:, 0], return_index=True, return_counts=True)
            told.append(dict(zip(nodes[counts == 1].tolist(), pairs[place[counts == 1], 1].tolist(), strict=True)))
        heads, names, tails = told
        whole = heads.keys() & names.keys() & tails.keys()
        number = {name: self._relations.find(self._entities.key(name)) for name in {names[node] for node in whole}}
        for row in np.flatnonzero(self._rows.relation == parts[0]).tolist():
            node = int(self._rows.head[row])
            if node in whole:
                self._note(row, (heads[node], number[names[node]], tails[node]))

    def _note(self, row: int, statement: Statement) -> None:
        place = (int(self._rows.file[row]), int(self._rows.line[row]))
        statements = self._reified.setdefault(int(self._rows.head[row]), {})
        statements[statement] = min(place, statements.get(statement, place))

    def folded(self, min_weight: float) -> EdgeRows:
        """Return the statements without syntax, those that are spoken of with their qualifiers, if not too light."""
        rows, gone = self._rows, self.gone
        kept = ~(gone[rows.head] | gone[rows.tail])
        num_lost = int((~kept & ~gone[rows.head]).sum())
        if num_lost:
            logger.warning("statements left out because their tail is a triple or stands for one: %d", num_lost)
        stated = self._stated(kept)
        self._tell_unstated(stated, kept)
        places: list[int] = []
        said: list[Qualifiers] = []
        for statement, notes in self._notes().items():
            for row, qualifiers in _paired(stated.get(statement, []), notes, rows.file):
                places.append(row)
                said.append(qualifiers)
        own = rows.qualified()
        said = [{**self._sets.get(int(own[row])), **more} for row, more in zip(places, said, strict=True)]
        weights = np.array([weight_of(qualifiers) for qualifiers in said], dtype=np.float32)
        numbers = np.array(self._sets.add(said), dtype=np.int32)
        copied = np.array(places, dtype=np.int64)
        kept[copied] = False
        plain = np.flatnonzero(kept)
        weighed = np.where(np.isnan(weights), rows.weight[copied], weights)
        folded = rows.take(np.concatenate([plain, copied]))._replace(
            weight=np.concatenate([rows.weight[plain], weighed]), qualifiers=np.concatenate([own[plain], numbers])
        )
        if (weights < min_weight).any():
            is_light = np.concatenate([np.zeros(len(plain), dtype=bool), weights < np.float32(min_weight)])
            logger.warning("statements left out because their weight is below %g: %d", min_weight, is_light.sum())
            folded = folded.take(~is_light)
        logger.info("%d statements about %d edges became qualifiers", len(rows.head) - len(plain), len(set(places)))
        return folded.take(np.lexsort((folded.line, folded.file)))

    def _stated(self, kept: NDArray[np.bool_]) -> dict[Statement, list[int]]:
        """Return the rows of every statement that may be spoken of, in the order of reading."""
        ends = np.zeros((2, self._entities.num_terms), dtype=bool)
        for statement in (statement for statements in self._reified.values() for statement in statements):
            if min(statement) >= 0:
                ends[0, statement[0]] = ends[1, statement[2]] = True
        rows: dict[Statement, list[int]] = {}
        chosen = np.flatnonzero(kept & ends[0, self._rows.head] & ends[1, self._rows.tail])
        columns = (column[chosen].tolist() for column in self._rows[:3])
        for row, head, relation, tail in zip(chosen.tolist(), *columns, strict=True):
            rows.setdefault((head, relation, tail), []).append(row)
        return rows

    def _notes(self) -> dict[Statement, list[_Note]]:
        """Return what reifiers say of each statement, in the order of their places."""
        is_reifier = np.zeros(len(self.gone), dtype=bool)
        is_reifier[list(self._reified)] = True
        is_said = is_reifier[self._rows.head] & ~np.isin(self._rows.relation, list(self._structure))
        chosen = np.flatnonzero(is_said)
        names: dict[int, str] = {}
        said: dict[int, dict[str, list[str]]] = {}
        columns = (column[chosen].tolist() for column in self._rows[:3])
        for head, relation, tail in zip(*columns, strict=True):
            key = self._entities.key(tail)
            if key.startswith(("_:", TRIPLE_TERM)):  # a node without a name tells nothing
                continue
            if relation not in names:
                names[relation] = self._names.of_relation(self._relations.key(relation))
            said.setdefault(head, {}).setdefault(names[relation], []).append(term_text(key))
        notes: dict[Statement, list[_Note]] = {}
        for reifier, values in said.items():
            qualifiers = {name: tuple(texts) for name, texts in values.items()}
            for statement, (file, line) in self._reified[reifier].items():
                notes.setdefault(statement, []).append(_Note(file, line, qualifier_text(qualifiers), qualifiers))
        return {statement: sorted(of_one, key=lambda note: note[:3]) for statement, of_one in notes.items()}

    def _tell_unstated(self, stated: dict[Statement, list[int]], kept: NDArray[np.bool_]) -> None:
        """Say how many statements are spoken of and not stated; labels are no edges, and not known here."""
        of_edges = set(np.unique(self._rows.relation[kept]).tolist())
        num_unstated = sum(
            statement not in stated and (statement[1] < 0 or statement[1] in of_edges)
            for statement in {statement for statements in self._reified.values() for statement in statements}
        )
        if num_unstated:
            logger.warning("triples that are spoken of and not stated, so that they add no edge: %d", num_unstated)


def _paired(rows: list[int], notes: list[_Note], file_of: NDArray[np.int32]) -> Iterator[tuple[int, Qualifiers]]:
    """Give each note of a statement a row that states it: in its own file, else one that no other note speaks of.

    Where there are more notes than rows, one row is given several times; where there are fewer, a note several rows.
    """
    by_file: dict[int, list[int]] = {}
    for row in rows:
        by_file.setdefault(int(file_of[row]), []).append(row)
    own = {file: [note for note in notes if note.file == file] for file in by_file}
    groups = [(by_file[file], of_file) for file, of_file in own.items() if of_file]
    others = [note for note in notes if note.file not in by_file]
    if others and rows:
        unspoken = [row for file, of_file in by_file.items() if not own[file] for row in of_file]
        groups.append((unspoken or rows[:1], others))
    for of_group, said in groups:
        for place in range(max(len(of_group), len(said))):
            note = said[min(place, len(said) - 1)]
            yield of_group[min(place, len(of_group) - 1)], note.qualifiers
