"""The edges that follow from those of a graph, found while it is built (`--infer rdfs`), each with its premises.

    A subClassOf B, B subClassOf C; the same of sub-properties           A subClassOf C
    x type A, A subClassOf B                                             x type B
    x P y, P subPropertyOf Q                                             x Q y
    x P y, P domain A, P range B                                         x type A, y type B
    x P y, P inverseOf Q                                                 y Q x
    x P y, P of the type SymmetricProperty                               y P x
    x P y, y P z, P of the type TransitiveProperty                       x P z
    A equivalentClass B, A equivalentProperty B, and back                A subClassOf B, A subPropertyOf B, both ways
    A disjointWith B, C subClassOf A, D subClassOf B                     C disjointWith D

and what SKOS says of broader, narrower, related and its matches. `axioms.py` tells how these are known. Left out is
what says nothing: edges from a thing to itself, and to owl:Thing or rdfs:Resource. What is stated is never inferred.
One derivation of each edge is kept, of a chain a shortest one; it depends on the set of statements, not on their order.

Path search finds most of this by itself: it walks edges both ways, along chains within its reach, and over a
disjointness between two climbs. What an inferred edge adds there is `inferred_paths.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError, GraphError
from kg_reason.kg.axioms import (
    DISJOINT,
    SAME_CLASS,
    SAME_PROPERTY,
    SUBCLASS,
    SUBPROPERTY,
    TYPE,
    Axioms,
    named_relations,
)
from kg_reason.kg.closure_scan import walk_on
from kg_reason.kg.counting import counted_order, row_offsets
from kg_reason.kg.known_edges import KnownEdges, rows_of
from kg_reason.kg.names import readable_relation
from kg_reason.kg.ontology import EdgeRows
from kg_reason.kg.terms import TermInterner

logger = logging.getLogger(__name__)

MIN_ROOM = 1 << 20  # edges found in one go

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Premises = Sequence[Int64 | int]  # a column for each premise, or one that all edges share


class InferredRows(NamedTuple):
    """Edges that follow, by the ids of interners, K of them.

    Attributes:
        head, relation, tail: int32 [K].
        premise_offset: int64 [K + 1].
        premise: int64, the rows of statements that an edge follows from; num_rows + k is the inferred edge k. No edge
            follows from itself, over others or not.
    """

    head: Int32
    relation: Int32
    tail: Int32
    premise_offset: Int64
    premise: Int64


def infer_edges(
    rows: EdgeRows,
    config: BuildConfig,
    label_relations: Collection[str],
    *,
    entities: TermInterner,
    relations: TermInterner,
) -> InferredRows:
    """Return the edges that follow from the statements of a graph.

    Args:
        rows: every statement that is no label.
        config: `infer_except` and `max_inferred`.
        label_relations: ids or readable names of relations whose edges are labels; nothing is inferred of them.
        entities: of heads and tails.
        relations: of the statements; grows by relations that only axioms name.

    Raises:
        GraphError: more than `max_inferred` edges follow, or relations lie too deep below each other.
        ConfigError: a name of `infer_except` is that of no relation.
    """
    axioms = Axioms(rows, entities, relations)
    excepted, unknown = named_relations(config.infer_except, relations)
    if unknown:
        raise ConfigError(f"infer_except: the graph has no relation {unknown[0]!r}")
    closure = _Closure(rows, axioms, entities, relations, config.max_inferred)
    closure.closed = {int(axioms.canonical[number]) for number in excepted}
    for number in range(relations.num_terms):
        key = relations.key(number)
        if key in label_relations or readable_relation(key) in label_relations:
            closure.closed.add(number)
    closure.run()
    found = closure.found()
    if not len(found.head):
        logger.warning(
            "no edge follows (infer): known are the relations of RDFS, OWL and SKOS, and what is declared of others, "
            "such as 'hypernym rdf:type owl:TransitiveProperty'"
        )
    return found


class _Closure:
    """Applies the rules until nothing is new. Terms go by their place in the canonical order throughout."""

    def __init__(
        self, rows: EdgeRows, axioms: Axioms, entities: TermInterner, relations: TermInterner, max_inferred: int
    ) -> None:
        self.closed: set[int] = set()  # relations of which nothing is inferred
        self._axioms, self._relations, self._max = axioms, relations, max_inferred
        self._num_rows, self._num_terms = len(rows.head), max(1, entities.num_terms)
        self._order = entities.canonical_order()
        self._place = np.empty(entities.num_terms, dtype=np.int64)
        self._place[self._order] = np.arange(entities.num_terms)
        self._is_literal, self._is_class, self._is_trivial = (
            flags[self._order] for flags in (axioms.is_literal, axioms.is_class, axioms.is_trivial)
        )
        self._edges: dict[int, KnownEdges] = {}
        self._load(rows)
        self._fresh: dict[int, list[Int64]] = {}
        self._unwalked = set(self._edges)  # relations with edges from which no walk has gone on
        self._parts: list[tuple[int, Int64, Premises]] = []
        self._total = 0
        self._counts: dict[int, int] = {}

    def _load(self, rows: EdgeRows) -> None:
        """Take in the edges of the relations that rules are about, each once."""
        ruled = np.zeros(len(self._axioms.canonical), dtype=bool)
        ruled[list(self._axioms.with_rules())] = True
        relation = self._axioms.canonical[rows.relation]
        chosen = np.flatnonzero(ruled[relation])
        chosen = chosen[counted_order(relation[chosen], len(ruled))]
        bounds = row_offsets(relation[chosen], len(ruled))
        for number in np.flatnonzero(ruled).tolist():
            own = chosen[bounds[number] : bounds[number + 1]]
            keys = self._place[rows.head[own]] * self._num_terms + self._place[rows.tail[own]]
            unique, first = np.unique(keys, return_index=True)
            self._edges[number] = KnownEdges(unique, own[first])

    def run(self) -> None:
        """Find all that follows."""
        role = self._axioms.relation
        fresh = {number: edges.keys for number, edges in self._edges.items() if len(edges.keys)}
        while fresh:
            self._fresh = {}
            for relation in self._in_order(fresh):
                self._spread(relation, fresh[relation])
            unwalked, self._unwalked = self._unwalked, set()
            for relation in self._in_order(unwalked.intersection(self._axioms.transitive)):
                stated = self._axioms.transitive[relation]
                self._walk(relation, self._edges[relation], self._edges[relation], stated)
            if unwalked & {role(TYPE), role(SUBCLASS)}:
                self._walk(role(TYPE), self._edges[role(TYPE)], self._edges[role(SUBCLASS)])
            for narrow, same in ((SUBCLASS, SAME_CLASS), (SUBPROPERTY, SAME_PROPERTY)):
                if role(narrow) in unwalked:
                    self._pair(role(narrow), role(same))
            fresh = {number: np.sort(np.concatenate(keys)) for number, keys in self._fresh.items()}
        self._inherit_disjointness()

    def found(self) -> InferredRows:
        """Return what was found, in the order of finding."""
        widths = [len(premises) for _, _, premises in self._parts]
        sizes = [len(keys) for _, keys, _ in self._parts]
        offset = np.zeros(sum(sizes) + 1, dtype=np.int64)
        np.cumsum(np.repeat(np.array(widths, dtype=np.int64), sizes), out=offset[1:])
        columns = [
            np.stack(np.broadcast_arrays(*premises, keys)[:-1], axis=1).reshape(-1) for _, keys, premises in self._parts
        ]
        keys = np.concatenate([np.empty(0, dtype=np.int64), *(keys for _, keys, _ in self._parts)])
        relation = np.repeat(np.array([relation for relation, _, _ in self._parts], dtype=np.int32), sizes)
        logger.info("%d edges inferred", len(keys))
        head, tail = (self._order[ends].astype(np.int32) for ends in self._ends(keys))
        return InferredRows(
            head, relation, tail, offset, np.concatenate([np.empty(0, dtype=np.int64), *columns]).astype(np.int64)
        )

    # ---- rules

    def _spread(self, relation: int, keys: Int64) -> None:
        """Find what follows from single edges: of wider and turned relations, and the types of their ends."""
        links, rules = list(self._axioms.consequences(relation)), list(self._axioms.type_rules(relation))
        if not links and not rules:
            return
        head, tail = self._ends(keys)
        numbers = self._edges[relation].number(keys)
        turns = ~self._is_literal[tail]
        says_some = self._is_class[head] & self._is_class[tail]
        for link in links:
            holds = turns & ~says_some if link.is_declared else turns if link.turned else np.ones(len(keys), dtype=bool)
            ends = (tail, head) if link.turned else (head, tail)
            self._derive(link.relation, ends[0][holds], ends[1][holds], [numbers[holds], *link.rows])
        for rule in rules:
            holds = turns & ~says_some if rule.of_tail else ~says_some
            thing = (tail if rule.of_tail else head)[holds]
            entity = np.full(len(thing), self._place[rule.entity], dtype=np.int64)
            self._derive(self._axioms.relation(TYPE), thing, entity, [numbers[holds], *rule.rows])

    def _pair(self, narrow: int, same: int) -> None:
        """Find what is equivalent because each is narrower than the other."""
        edges = self._edges[narrow]
        head, tail = self._ends(edges.keys)
        back = tail * self._num_terms + head
        both = np.flatnonzero(edges.holds(back))
        self._derive(same, head[both], tail[both], [edges.numbers[both], edges.number(back[both])])

    def _inherit_disjointness(self) -> None:
        """Find the disjoint classes below disjoint classes: first for the heads, then for the tails."""
        disjoint, below = self._axioms.relation(DISJOINT), self._edges[self._axioms.relation(SUBCLASS)]
        if len(self._edges[disjoint].keys):
            self._walk(disjoint, self._edges[disjoint], below, downward=True, turned=True)
            self._walk(disjoint, self._edges[disjoint], below, downward=True)

    def _walk(
        self,
        relation: int,
        seeds: KnownEdges,
        steps: KnownEdges,
        stated: tuple[int, ...] = (),
        *,
        downward: bool = False,
        turned: bool = False,
    ) -> None:
        """Find the edges of a relation that a seed edge and then step edges make.

        Args:
            relation: of the edges.
            seeds: edges of that relation.
            steps: edges to walk on along; downward: from their tails to their heads.
            stated: the rows that say that chains are edges.
            downward: see `steps`.
            turned: begin at the tails of the seeds.
        """
        if relation in self.closed or not len(seeds.keys) or not len(steps.plain):
            return
        begin, first = self._ends(seeds.keys if downward else seeds.plain)
        if turned:
            begin, first = first, begin
        before, following = self._ends(steps.plain)
        if downward:
            before, following = following, before
        worth = ~self._is_trivial[following]
        walked = self._walked(relation, (begin, first), (before[worth], following[worth]), turned=turned)
        begin, before, node = walked.T
        keys, near = self._keys(begin, node, turned=turned), self._keys(begin, before, turned=turned)
        step = self._keys(before, node, turned=downward)
        order = np.argsort(keys)
        self._take_in(relation, keys[order], is_walk=True)
        nearer, last = self._edges[relation].number(near[order]), steps.number(step[order])
        self._add_premises(relation, keys[order], [*((last, nearer) if turned else (nearer, last)), *stated])

    def _walked(
        self, relation: int, seeds: tuple[Int64, Int64], steps: tuple[Int64, Int64], *, turned: bool
    ) -> Int64:
        """Return the new edges of a relation that walks make: begin, node before and node, int64 [num_edges, 3]."""
        is_met = np.zeros(self._num_terms, dtype=bool)
        for column in (*seeds, *steps):
            is_met[column] = True
        nodes = np.flatnonzero(is_met)
        seed_rows, step_rows = rows_of(nodes, *seeds), rows_of(nodes, *steps)
        room = np.empty((max(MIN_ROOM, len(nodes)), 3), dtype=np.int32)
        seen, queue = np.zeros(len(nodes), dtype=np.int32), np.empty(len(nodes), dtype=np.int32)
        place, found = 0, [np.empty((0, 3), dtype=np.int64)]
        while place < len(nodes):
            count, place = walk_on(seed_rows, step_rows, seen, queue, place, room)
            walked = nodes[room[:count]]
            keys = self._keys(walked[:, 0], walked[:, 2], turned=turned)
            found.append(walked[~self._edges[relation].holds(keys)])
            self._spend(relation, sum(map(len, found)))
        return np.concatenate(found)

    # ---- bookkeeping

    def _derive(self, relation: int, head: Int64, tail: Int64, premises: Premises) -> None:
        """Take in what is new among edges; a column of premises is as long as they are."""
        if relation in self.closed:
            return
        worth = np.flatnonzero((head != tail) & ~self._is_trivial[tail])
        keys, first = np.unique(self._keys(head[worth], tail[worth]), return_index=True)
        new = ~self._edges[relation].holds(keys)
        chosen = worth[first[new]]
        if len(chosen):
            self._spend(relation, len(chosen))
            self._take_in(relation, keys[new], is_walk=False)
            columns = [column if isinstance(column, int) else column[chosen] for column in premises]
            self._add_premises(relation, keys[new], columns)

    def _take_in(self, relation: int, keys: Int64, *, is_walk: bool) -> None:
        """Give edges their numbers and let them be known."""
        if len(keys):
            numbers = self._num_rows + self._total + np.arange(len(keys))
            self._edges[relation].add(keys, numbers, is_walk=is_walk)
            self._unwalked |= set() if is_walk else {relation}
            self._total += len(keys)
            self._counts[relation] = self._counts.get(relation, 0) + len(keys)
            self._fresh.setdefault(relation, []).append(keys)

    def _add_premises(self, relation: int, keys: Int64, premises: Premises) -> None:
        if len(keys):
            self._parts.append((relation, keys, premises))

    def _spend(self, relation: int, count: int) -> None:
        """Refuse more edges than are allowed, naming the relation that has most of them."""
        if self._total + count <= self._max:
            return
        counts = {**self._counts, relation: self._counts.get(relation, 0) + count}
        most = max(counts, key=lambda number: (counts[number], -number))
        name = readable_relation(self._relations.key(most))
        raise GraphError(
            f"more than {self._max:,} edges follow from those of the graph (max_inferred); of the first "
            f"{self._total + count:,} most are of the relation {name!r} ({counts[most]:,}): --infer-except '{name}' "
            "leaves these out, --max-inferred allows more"
        )

    def _keys(self, head: Int64, tail: Int64, *, turned: bool = False) -> Int64:
        return tail * self._num_terms + head if turned else head * self._num_terms + tail

    def _ends(self, keys: Int64) -> tuple[Int64, Int64]:
        return keys // self._num_terms, keys % self._num_terms

    def _in_order(self, chosen: Collection[int]) -> list[int]:
        return sorted(chosen, key=self._relations.key)
