"""What was fetched of the graph of an endpoint, as a graph in memory that is searched as the whole would be.

Three things are set right that a part shows wrong: how many edges an entity has, which relations state each other's
edges the other way round, and which labels are found: only those of entities that were asked for by name. What is
fetched is `remote_graph.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kg_reason.config import BuildConfig
from kg_reason.kg.builder import BuiltGraph, build_blocks
from kg_reason.kg.endpoint_facts import EndpointFacts
from kg_reason.kg.endpoint_queries import Edge
from kg_reason.kg.graph import ENDPOINT_SCHEME, KnowledgeGraph
from kg_reason.kg.label_index import index_labels
from kg_reason.kg.overlay import apply_edits
from kg_reason.kg.relation_walk import BOTH_WAYS, FORWARD, ONE_OF_TWO, SKIP
from kg_reason.kg.search import TWIN_MISSING
from kg_reason.kg.triples import Source, Triple, triples_to_blocks

MOST_UNSEEN = 1 << 29  # edges; more are no more of a hub


@dataclass
class GraphPart:
    """What was fetched for a question.

    Attributes:
        seeds: entities that were asked for by name.
        edges: triples between entities, or an entity and a value.
        labels: triples that state labels.
        degrees: how many edges entities have at the endpoint, where that is known.
    """

    seeds: set[str] = field(default_factory=set)
    edges: set[Edge] = field(default_factory=set)
    labels: set[Edge] = field(default_factory=set)
    degrees: dict[str, int] = field(default_factory=dict)


def assemble(facts: EndpointFacts, part: GraphPart) -> KnowledgeGraph:
    """Return a part as a graph in memory.

    Args:
        facts: of the endpoint; asked which relations are inverse.
        part: what was fetched.

    Raises:
        EndpointError: the endpoint does not answer as it should, or a budget is used up.
    """
    built = _build(facts, part.edges, part.labels)
    twins = _walk_as_whole(facts, built, part.edges) - part.edges
    if twins:  # climbs are fetched upward only
        walk = dict(zip(built.header["relations"], built.arrays["relation_walk"].tolist(), strict=True))
        built = _build(facts, part.edges | twins, part.labels)
        names = built.header["relations"]
        built.arrays["relation_walk"] = np.array([walk.get(name, BOTH_WAYS) for name in names], dtype=np.uint8)
    graph = KnowledgeGraph(built, None, apply_edits(built, ()))
    held = np.bincount(np.concatenate([graph.edge_head, graph.edge_tail]), minlength=graph.num_entities)
    unseen = np.zeros(graph.num_entities, dtype=np.int32)
    for key, degree in part.degrees.items():
        entity = graph.find_id(key)
        if entity >= 0:
            unseen[entity] = min(max(0, degree - int(held[entity])), MOST_UNSEEN)
    built.arrays["num_unseen"] = unseen
    _link_only(built, [entity for entity in map(graph.find_id, part.seeds) if entity >= 0])
    return KnowledgeGraph(built, None, apply_edits(built, ()))


def _build(facts: EndpointFacts, edges: Iterable[Edge], labels: Iterable[Edge]) -> BuiltGraph:
    source = Source(f"{ENDPOINT_SCHEME}{facts.queries.client.name}", 0)
    triples = (Triple(*triple, source) for triple in sorted({*edges, *labels}))
    files: list[str] = []
    blocks = [(block, False) for block in triples_to_blocks(triples, files)]
    return build_blocks(blocks, files, BuildConfig(label_relations=facts.own_labels))


def _walk_as_whole(facts: EndpointFacts, built: BuiltGraph, edges: set[Edge]) -> set[Edge]:
    """Say which relations are walked once only, and return the edges that their inverses state.

    Every pair of relations that may be inverse is asked for: a part may hold few of their edges.
    """
    walk, names = built.arrays["relation_walk"], built.header["relations"]
    if not edges:
        return set()
    if not facts.relations():
        walk[:] = BOTH_WAYS
        return set()
    walk[(walk == SKIP) | (walk == TWIN_MISSING)] = ONE_OF_TWO
    number = {name: place for place, name in enumerate(names)}
    edges = {edge for edge in edges if edge[1] in number}  # some are folded into others
    stated: dict[tuple[str, str], set[str]] = {}
    for head, relation, tail in edges:
        stated.setdefault((head, tail), set()).add(relation)
    suspects = {
        (other, relation)
        for (head, tail), relations in stated.items()
        for relation in relations
        for other in stated.get((tail, head), ())
        if number[other] < number[relation]
    }
    twins: set[Edge] = set()
    for other, relation in sorted(suspects, key=lambda pair: (number[pair[1]], number[pair[0]])):
        if FORWARD in (walk[number[other]], walk[number[relation]]) or walk[number[other]] == SKIP:
            continue
        if facts.are_inverse(relation, other):
            walk[number[relation]] = SKIP
            reverse = {relation: other, other: relation}
            twins |= {(tail, reverse[name], head) for head, name, tail in edges if name in reverse}
    return twins


def _link_only(built: BuiltGraph, entities: Sequence[int]) -> None:
    """Keep only the labels of some entities in the index of labels: others are shown by theirs, but not found by them.

    The whole graph may hold further entities of the same names, of which nothing was asked.
    """
    arrays = built.arrays
    rows = np.flatnonzero(np.isin(arrays["alias_entity"], np.array(entities, dtype=np.int32)))
    rows = rows[np.argsort(-arrays["alias_prior"][rows], kind="stable")]
    index = index_labels(
        arrays["alias_text"], arrays["alias_text_offset"], rows, arrays["alias_language"], built.header["languages"]
    )
    arrays.update((f"label_{name}", array) for name, array in index._asdict().items())
