"""How path search may walk the edges of one graph: which way each relation, and which edges only with doubt.

`builder.relation_walk` says how relations are walked in a graph as built; here follows what only a search needs: which
relation states the edges of another the other way round, and which edges are doubtful. An edge is doubtful if it stands
once where its graph states such edges twice (`hypernym` here and `hyponym` there, `antonym` both ways), and one of its
ends has more than MAX_UNDOUBTED of those. Automatic extraction and merged sources leave such edges; chains of them join
any two entities, so they count only where one of them states a fact by itself (`RetrieverConfig.doubtful_hops`).
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.search import TWIN_MISSING

BOTH_WAYS = 3  # how a relation is walked, see `builder.relation_walk`
NUM_TOLD = 400  # edges of a relation, spread over all of them, that tell which relation states them the other way round
MIN_TOLD = 0.08  # share of them that one must state
MIN_EDGES = 1000  # of a relation some of whose edges may be doubtful
MAX_UNDOUBTED = 8


class EdgeWalks(NamedTuple):
    """How edges are walked.

    Attributes:
        walk: uint8 [num_relations], see `builder.relation_walk`; of two inverse relations the climbing one is walked.
        twin: int32 [num_relations], the inverse of a relation of walk TWIN_MISSING, -1 for others.
        doubtful: uint8 [num_edges], 1 where an edge is.
    """

    walk: NDArray[np.uint8]
    twin: NDArray[np.int32]
    doubtful: NDArray[np.uint8]


def edge_walks(graph: KnowledgeGraph, excluded: set[int], climbing: list[int]) -> EdgeWalks:
    """Return how a search walks a graph.

    Args:
        graph: to be searched.
        excluded: relations that no path may use.
        climbing: relations that lead to something wider.
    """
    walk = np.array(graph.relation_walk, dtype=np.uint8)
    walk[list(excluded)] = 0
    twin = np.full(graph.num_relations, -1, dtype=np.int32)
    for relation in np.flatnonzero(walk == TWIN_MISSING).tolist():
        twin[relation] = _inverse_relation(graph, walk, relation)
        walk[relation] = TWIN_MISSING if twin[relation] >= 0 else BOTH_WAYS
    for relation in climbing:
        # Of two inverse relations the climbing one is walked, so that all paths name the same one.
        inverse = _inverse_relation(graph, walk, relation) if walk[relation] in (0, TWIN_MISSING) else -1
        if inverse >= 0:
            may_lack = bool(graph.overlay.edits) or twin[relation] >= 0
            walk[relation], walk[inverse] = walk[inverse], TWIN_MISSING if may_lack else 0
            twin[relation], twin[inverse] = -1, relation if may_lack else -1
    return EdgeWalks(walk, twin, _doubtful_edges(graph, walk, twin))


def _inverse_relation(graph: KnowledgeGraph, walk: NDArray[np.uint8], relation: int) -> int:
    """Return the walked relation that states most edges of `relation` the other way round; -1 if there is none."""
    found = _stated_reversed(graph, relation)
    del found[relation]
    inverse = [number for number, share in found.items() if share >= MIN_TOLD and walk[number] in (2, BOTH_WAYS)]
    return max(inverse, key=lambda number: (found[number], -number), default=-1)


def _stated_reversed(graph: KnowledgeGraph, relation: int) -> Counter[int]:
    """Return the shares of a relation's edges that each relation states the other way round."""
    edges = np.flatnonzero(graph.edge_relation == relation)
    told = edges[np.linspace(0, len(edges) - 1, min(NUM_TOLD, len(edges)), dtype=np.int64)].tolist()
    found: Counter[int] = Counter()
    for edge in told:
        head, tail = int(graph.edge_head[edge]), int(graph.edge_tail[edge])
        row = slice(int(graph.out_start[tail]), int(graph.out_end[tail]))
        found.update(set(graph.edge_relation[row][graph.edge_tail[row] == head].tolist()))
    return Counter({number: count / len(told) for number, count in found.items()})


def _doubtful_edges(
    graph: KnowledgeGraph, walk: NDArray[np.uint8], twin: NDArray[np.int32]
) -> NDArray[np.uint8]:
    doubtful = np.zeros(len(graph.edge_head), dtype=np.uint8)
    mirror = np.full(graph.num_relations, -1, dtype=np.int64)
    sizes = np.bincount(graph.edge_relation, minlength=graph.num_relations)
    for relation in np.flatnonzero(sizes >= MIN_EDGES).tolist():
        if twin[relation] >= 0:
            mirror[[relation, twin[relation]]] = twin[relation], relation
        elif walk[relation] == 2 and _stated_reversed(graph, relation)[relation] >= MIN_TOLD:
            mirror[relation] = relation
    if not (mirror >= 0).any():
        return doubtful
    edges = graph.live_edges()
    edges = edges[mirror[graph.edge_relation[edges]] >= 0]
    head, stated_by, tail = (
        column[edges].astype(np.int64) for column in (graph.edge_head, graph.edge_relation, graph.edge_tail)
    )
    stated = (stated_by * graph.num_entities + head) * graph.num_entities + tail
    reversed_ = (mirror[stated_by] * graph.num_entities + tail) * graph.num_entities + head
    once = ~np.isin(reversed_, stated)
    counts = np.bincount(np.concatenate([head[once], tail[once]]), minlength=graph.num_entities)
    crowded = np.maximum(counts[head], counts[tail]) > MAX_UNDOUBTED
    doubtful[edges[once & crowded]] = 1
    return doubtful
