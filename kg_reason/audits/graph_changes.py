"""The same graph with other edges, in memory: relations exchanged, edges rewired, random edges or some triples added.

Entities, labels and the names of relations stay, so that a reasoner links and answers over a change as over the graph
itself. Changed edges have no sources.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kg_reason.errors import ConfigError
from kg_reason.kg.builder import BuiltGraph
from kg_reason.kg.counting import row_offsets
from kg_reason.kg.edit_log import ADD, Edit
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.inferences import INFERRED_ARRAYS
from kg_reason.kg.overlay import Overlay
from kg_reason.kg.relation_walk import relation_walk
from kg_reason.nli import Fact
from kg_reason.reasoner import Reasoner

Ids = NDArray[np.int32]


def over_graph(reasoner: Reasoner, graph: KnowledgeGraph) -> Reasoner:
    """Return a reasoner with the same weights and settings that looks things up in another graph."""
    return reasoner.over(graph, reasoner.config)


def deranged(graph: KnowledgeGraph, seed: int) -> KnowledgeGraph:
    """Exchange the relations of a graph so that none keeps its place: one cycle through them in random order.

    Args:
        graph: with at least two relations.
        seed: of the order.

    Raises:
        ConfigError: there are fewer relations.
    """
    order = list(range(graph.num_relations))
    if len(order) < 2:
        raise ConfigError(f"graph: found {len(order)} relations, expected two or more to exchange")
    random.Random(f"derange {seed}").shuffle(order)
    following = dict(zip(order, [*order[1:], order[0]], strict=True))
    names = tuple(graph.relation_id(following[number]) for number in range(graph.num_relations))
    overlay = replace(graph.overlay, relations=names, fingerprint=f"{graph.fingerprint}-deranged-{seed}")
    return KnowledgeGraph(_as_built(graph, overlay), None, overlay)


def rewired(graph: KnowledgeGraph, seed: int) -> KnowledgeGraph:
    """Exchange the tails of the edges within each relation, by chance: heads, tails and relations stay as frequent."""
    rng = np.random.default_rng(seed)
    edges = graph.live_edges()
    relation, tail = graph.edge_relation[edges], np.array(graph.edge_tail[edges])
    for number in range(graph.num_relations):
        rows = np.flatnonzero(relation == number)
        tail[rows] = tail[rng.permutation(rows)]
    return _with_edges(graph, (graph.edge_head[edges], relation, tail), graph.edge_weight[edges], f"rewired-{seed}")


def with_random_edges(graph: KnowledgeGraph, num_edges: int, seed: int) -> KnowledgeGraph:
    """Add random edges: two entities of the graph drawn evenly, the relation as often as the graph states it.

    Args:
        graph: without an edge it stays as it is.
        num_edges: how many are drawn; those that stand there already are not added.
        seed: of the draw.
    """
    edges = graph.live_edges()
    if not len(edges):
        return graph
    rng = np.random.default_rng(seed)
    head, tail = rng.integers(graph.num_entities, size=(2, num_edges))
    stated = graph.edge_relation[edges]
    relation = stated[rng.integers(len(stated), size=num_edges)]
    columns = (
        np.concatenate([graph.edge_head[edges], head]),
        np.concatenate([stated, relation]),
        np.concatenate([graph.edge_tail[edges], tail]),
    )
    weight = np.concatenate([graph.edge_weight[edges], np.ones(num_edges, dtype=np.float32)])
    return _with_edges(graph, columns, weight, f"random-{num_edges}-{seed}")


def with_triples(graph: KnowledgeGraph, triples: Sequence[Fact]) -> KnowledgeGraph:
    """Add triples as edits would, new entities and relations among them; the graph on disk stays as it is.

    Args:
        graph: its edits stand.
        triples: ids as in the graph; a head or tail that is not there becomes an entity of that name.
    """
    first = max((edit.line for edit in graph.overlay.edits), default=0) + 1
    return graph.with_edits(Edit(first + number, ADD, *triple) for number, triple in enumerate(triples))


def is_stated(graph: KnowledgeGraph, fact: Fact) -> bool:
    """Tell whether a graph states a triple of ids, which it need not know."""
    head, tail = graph.find_id(fact.head), graph.find_id(fact.tail)
    if head < 0 or tail < 0:
        return False
    row = range(int(graph.out_start[head]), int(graph.out_end[head]))
    return any(
        graph.edge_tail[edge] == tail and graph.relation_id(int(graph.edge_relation[edge])) == fact.relation
        for edge in row
    )


def _with_edges(
    graph: KnowledgeGraph, columns: tuple[Ids, Ids, Ids], weight: NDArray[np.float32], change: str
) -> KnowledgeGraph:
    """Return a graph with these edges, given as heads, relations and tails [num_edges], each kept once."""
    head, relation, tail = (column.astype(np.int32) for column in columns)
    order = np.lexsort((tail, relation, head))
    head, relation, tail, weight = head[order], relation[order], tail[order], weight[order]
    first = np.ones(len(head), dtype=np.bool_)
    first[1:] = (np.diff(head) != 0) | (np.diff(relation) != 0) | (np.diff(tail) != 0)
    head, relation, tail, weight = head[first], relation[first], tail[first], weight[first]
    out_offset, in_offset = row_offsets(head, graph.num_entities), row_offsets(tail, graph.num_entities)
    arrays = {
        **{name: array for name, array in graph.overlay.arrays.items() if name not in INFERRED_ARRAYS},
        "edge_head": head, "edge_relation": relation, "edge_tail": tail, "edge_weight": weight,
        "edge_source": np.zeros(len(head) + 1, dtype=np.int64),
        "out_offset": out_offset, "out_start": out_offset[:-1], "out_end": out_offset[1:],
        "in_offset": in_offset, "in_start": in_offset[:-1], "in_end": in_offset[1:],
        "in_edge": np.argsort(tail, kind="stable").astype(np.int32),
        "relation_walk": relation_walk(head, relation, tail, graph.num_relations),
    }  # fmt: skip
    overlay = replace(
        graph.overlay, arrays=arrays, edits=(), slot_origin=[], num_edges=len(head),
        fingerprint=f"{graph.fingerprint}-{change}",
    )  # fmt: skip
    return KnowledgeGraph(_as_built(graph, overlay), None, overlay)


def _as_built(graph: KnowledgeGraph, overlay: Overlay) -> BuiltGraph:
    """Return a changed graph as if it had been built so: what it says of itself, and its arrays."""
    header = {
        "sources": list(graph._sources[:-1]),  # the last is the log of edits, which every graph has
        "relations": list(overlay.relations),
        "languages": list(overlay.languages),
        "label_relations": graph.built.header["label_relations"],
        "prefixes": graph.prefixes,
        "num_edges": overlay.num_edges,
        "fingerprint": overlay.fingerprint,
    }
    return BuiltGraph(header, overlay.arrays)
