"""Which relations of a graph form a hierarchy, told by their shape alone.

Path search climbs relations that lead to something wider. In most graphs their names tell which those are
(`RetrieverConfig.taxonomic_relations`); for a graph that has none of these names, shape has to tell. A relation forms a
hierarchy, read from head to tail, if heads have few tails, tails many heads, and its edges make long chains. Beside
such a relation, one that leads from entities outside into it (as from instances to classes) climbs too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.counting import counted_order, row_offsets
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.words import caseless

MIN_EDGES = 100
MAX_PARENTS = 1.5  # tails of a head, on the mean
MIN_CHILDREN = 2.0  # heads for each tail, on the mean
MIN_DEEP = 0.1  # share of the heads from which a chain of MIN_DEPTH edges leads upward
MIN_DEPTH = 3
MIN_INTO = 0.8  # share of a relation's tails that are in the hierarchy it leads into, and of its heads that are not

Flags = NDArray[np.bool_]


def climbing_relations(graph: KnowledgeGraph, names: Sequence[str]) -> list[int]:
    """Return the relations that lead to something wider, ascending: those of these readable names, else by shape.

    A part of a graph has no shape to go by.
    """
    wanted = {caseless(name) for name in names}
    numbers = range(graph.num_relations)
    found = [number for number in numbers if caseless(graph.relation_label(number)) in wanted]
    return found if found or not graph.is_whole else hierarchical_relations(graph)


def hierarchical_relations(graph: KnowledgeGraph) -> list[int]:
    """Return the relations that lead from head to tail up a hierarchy, ascending."""
    edges = graph.live_edges()
    relations = graph.edge_relation[edges]
    edges = edges[counted_order(relations, graph.num_relations)]
    bounds = row_offsets(relations, graph.num_relations)
    heads, tails = graph.edge_head[edges], graph.edge_tail[edges]
    shaped: dict[int, tuple[Flags, Flags]] = {}
    insides: dict[int, Flags] = {}  # the entities of each hierarchy
    for relation in np.flatnonzero(np.diff(bounds) >= MIN_EDGES).tolist():
        own = slice(int(bounds[relation]), int(bounds[relation + 1]))
        head, tail = heads[own], tails[own]
        is_head, is_tail = _flags(head, graph.num_entities), _flags(tail, graph.num_entities)
        num_heads = int(is_head.sum())
        if len(head) > MAX_PARENTS * num_heads or num_heads < MIN_CHILDREN * is_tail.sum():
            continue
        shaped[relation] = is_head, is_tail
        deep = is_head
        for _ in range(MIN_DEPTH - 1):
            deep = _flags(head[deep[tail]], graph.num_entities)
        if deep.sum() >= MIN_DEEP * num_heads:
            insides[relation] = is_head | is_tail
    lead_in = {
        relation
        for relation, (is_head, is_tail) in shaped.items()
        for inside in insides.values()
        if (is_tail & inside).sum() >= MIN_INTO * is_tail.sum()
        and (is_head & ~inside).sum() >= MIN_INTO * is_head.sum()
    }
    return sorted(lead_in | set(insides))


def _flags(entities: NDArray[np.int32], num_entities: int) -> Flags:
    flags = np.zeros(num_entities, dtype=np.bool_)
    flags[entities] = True
    return flags
