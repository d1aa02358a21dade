"""How path search may walk the edges of one graph: which way each relation, and which edges only with doubt.

`relation_walk.py` says how relations are walked in a graph as built; here follows what only a search needs: which
relation states the edges of another the other way round, and which edges are doubtful. An edge is doubtful if it stands
once where its graph states such edges twice (`hypernym` here and `hyponym` there, `antonym` both ways), and one of its
ends has more than MAX_UNDOUBTED of those. Automatic extraction and merged sources leave such edges; chains of them join
any two entities, so they count only where one of them states a fact by itself (`RetrieverConfig.doubtful_hops`). What a
user's edit states is never doubtful.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.counting import counted_order, row_offsets
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.relation_walk import BOTH_WAYS, MIN_TWINS, ONE_OF_TWO, SKIP
from kg_reason.kg.search import TWIN_MISSING

NUM_TOLD = 200  # edges of a relation, spread over all of them, that tell which relation states them the other way round
MIN_TOLD = 0.7 * MIN_TWINS  # share of them that one must state: these are a sample
MIN_EDGES = 1000  # of a relation some of whose edges may be doubtful
MAX_NATURAL = 0.5  # share of a relation's edges both ways from which on the others are no noise but true
MAX_UNDOUBTED = 8


class EdgeWalks(NamedTuple):
    """How edges are walked.

    Attributes:
        walk: uint8 [num_relations], see `relation_walk`; of two inverse relations the climbing one is walked.
        inverse: int32 [num_relations], the relation that states the same edges the other way round, -1 if none does.
        twin: int32 [num_relations], the same where the walk is TWIN_MISSING, -1 for others.
        doubtful: uint8 [num_edges], 1 where an edge is.
    """

    walk: NDArray[np.uint8]
    inverse: NDArray[np.int32]
    twin: NDArray[np.int32]
    doubtful: NDArray[np.uint8]


def edge_walks(
    graph: KnowledgeGraph, excluded: Collection[int], climbing: Sequence[int], *, doubt: bool = True
) -> EdgeWalks:
    """Return how a search walks a graph.

    Args:
        graph: to be searched.
        excluded: relations that no path may use.
        climbing: relations that lead to something wider.
        doubt: whether to look for doubtful edges.
    """
    stated = _StatedTwice(graph)
    walk = np.array(graph.relation_walk, dtype=np.uint8)
    inverse = np.full(graph.num_relations, -1, dtype=np.int32)
    for relation in np.flatnonzero(np.isin(walk, (SKIP, TWIN_MISSING))).tolist():
        other = stated.inverse(relation, walk)
        if other >= 0:
            inverse[relation] = other
            inverse[other] = relation if inverse[other] < 0 else inverse[other]
        elif walk[relation] == TWIN_MISSING:
            walk[relation] = BOTH_WAYS
    twin = np.where(walk == TWIN_MISSING, inverse, -1).astype(np.int32)
    for relation in climbing:
        # Of two inverse relations the climbing one is walked, so that all paths name the same one.
        other = int(inverse[relation])
        if other >= 0 and other not in climbing and walk[relation] in (SKIP, TWIN_MISSING):
            may_lack = bool(graph.overlay.edits) or twin[relation] >= 0
            walk[relation], walk[other] = walk[other], TWIN_MISSING if may_lack else SKIP
            twin[relation], twin[other] = -1, relation if may_lack else -1
    walk[_with_inverses(excluded, inverse, stated)] = SKIP
    doubtful = stated.doubtful_edges(walk, twin) if doubt else np.zeros(len(graph.edge_head), dtype=np.uint8)
    return EdgeWalks(walk, inverse, twin, doubtful)


def _with_inverses(relations: Collection[int], inverse: NDArray[np.int32], stated: _StatedTwice) -> list[int]:
    """Return relations with all that state their edges the other way round, and what states the edges of these.

    Of three relations that state the same edges a search walks one and knows it as the inverse of another only.
    """
    found: set[int] = set()
    todo = list(relations)
    while todo:
        relation = todo.pop()
        if relation not in found:
            found.add(relation)
            todo += np.flatnonzero(inverse == relation).tolist()
            todo += stated.mirrors(relation)
            if inverse[relation] >= 0:
                todo.append(int(inverse[relation]))
    return sorted(found)


class _StatedTwice:
    """Compares the live edges of a graph with those that lead the other way."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self._graph = graph
        self._edges = graph.live_edges()
        self._relations = graph.edge_relation[self._edges]
        self._sizes = np.bincount(self._relations, minlength=graph.num_relations)
        self._by_relation = self._edges[counted_order(self._relations, graph.num_relations)]
        self._bounds = row_offsets(self._relations, graph.num_relations)

    def inverse(self, relation: int, walk: NDArray[np.uint8]) -> int:
        """Return the walked relation that states the edges of another the other way round; -1 if there is none.

        The more of each other's edges two relations state, the likelier they are inverse.
        """
        shares = {
            number: share * min(1.0, float(self._sizes[relation] / self._sizes[number]))
            for number, share in self._shares_reversed(relation).items()
            if number != relation and walk[number] in (ONE_OF_TWO, BOTH_WAYS) and share >= MIN_TOLD
        }
        return max(shares, key=lambda number: (shares[number], -number), default=-1)

    def mirrors(self, relation: int) -> list[int]:
        """Return the relations that state the edges of another the other way round, as that does theirs."""
        return sorted(
            number
            for number, share in self._shares_reversed(relation).items()
            if share >= MIN_TOLD and self._shares_reversed(number)[relation] >= MIN_TOLD
        )

    def doubtful_edges(self, walk: NDArray[np.uint8], twin: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Return 1 for each edge that is doubtful, uint8 [num_edges]."""
        graph, edges = self._graph, self._edges
        doubtful = np.zeros(len(graph.edge_head), dtype=np.uint8)
        mirror = np.full(graph.num_relations, -1, dtype=np.int64)  # the relation that should state an edge reversed
        for relation in np.flatnonzero(self._sizes >= MIN_EDGES).tolist():
            if twin[relation] >= 0:
                mirror[[relation, twin[relation]]] = twin[relation], relation
            elif walk[relation] == ONE_OF_TWO and MIN_TOLD <= self._shares_reversed(relation)[relation] < MAX_NATURAL:
                mirror[relation] = relation
        has_mirror = mirror[self._relations] >= 0
        if not has_mirror.any():
            return doubtful
        edges, stated_by = edges[has_mirror], self._relations[has_mirror].astype(np.int64)
        head, tail = graph.edge_head[edges].astype(np.int64), graph.edge_tail[edges].astype(np.int64)
        forward = (stated_by * graph.num_entities + head) * graph.num_entities + tail
        backward = (mirror[stated_by] * graph.num_entities + tail) * graph.num_entities + head
        once = ~np.isin(backward, forward) & ~self._is_edit()[edges]
        counts = np.bincount(np.concatenate([head[once], tail[once]]), minlength=graph.num_entities)
        crowded = np.maximum(counts[head], counts[tail]) > MAX_UNDOUBTED
        doubtful[edges[once & crowded]] = 1
        return doubtful

    def _shares_reversed(self, relation: int) -> Counter[int]:
        """Return the shares of a relation's edges that each relation states the other way round."""
        graph = self._graph
        edges = self._by_relation[self._bounds[relation] : self._bounds[relation + 1]]
        told = edges[np.linspace(0, len(edges) - 1, min(NUM_TOLD, len(edges)), dtype=np.int64)].tolist()
        found: Counter[int] = Counter()
        for edge in told:
            head, tail = int(graph.edge_head[edge]), int(graph.edge_tail[edge])
            row = slice(int(graph.out_start[tail]), int(graph.out_end[tail]))
            found.update(set(graph.edge_relation[row][graph.edge_tail[row] == head].tolist()))
        return Counter({number: count / len(told) for number, count in found.items()})

    def _is_edit(self) -> NDArray[np.bool_]:
        """Tell which edges the log of edits states, bool [num_edges]."""
        origins = self._graph.overlay.slot_origin
        stored = np.zeros(len(self._graph.edge_head) - len(origins), dtype=np.bool_)
        return np.concatenate([stored, np.array([line > 0 for _, line in origins], dtype=np.bool_)])
