"""What is inferred from small graphs, compared with owlrl, which computes all of OWL 2 RL.

Compared are subclasses, sub-properties, their equivalents, types and the graph's own relations, between the graph's own
names. Left out on both sides are axiomatic triples and edges from a thing to itself; domains and ranges of other
relations that owlrl derives say nothing about things.
"""

from __future__ import annotations

import owlrl
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_reason.config import BuildConfig
from kg_reason.kg.curies import OWL, RDF, RDFS
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple

EX = "http://example.org/"
TYPE = RDF + "type"
CLASSES = [f"{EX}C{number}" for number in range(5)]
RELATIONS = [f"{EX}p{number}" for number in range(5)]
THINGS = [f"{EX}x{number}" for number in range(5)]
COMPARED = {
    TYPE, RDFS + "subClassOf", RDFS + "subPropertyOf", OWL + "equivalentClass", OWL + "equivalentProperty", *RELATIONS,
}  # fmt: skip

Statement = tuple[str, str, str]


def statements(heads: list[str], relations: list[str], tails: list[str]) -> st.SearchStrategy[Statement]:
    return st.tuples(st.sampled_from(heads), st.sampled_from(relations), st.sampled_from(tails))


GRAPHS = st.lists(
    st.one_of(
        statements(CLASSES, [RDFS + "subClassOf"], CLASSES),
        statements(CLASSES, [OWL + "equivalentClass"], CLASSES),
        statements(RELATIONS, [RDFS + "subPropertyOf", OWL + "inverseOf"], RELATIONS),
        statements(RELATIONS, [OWL + "equivalentProperty"], RELATIONS),
        statements(RELATIONS, [TYPE], [OWL + "TransitiveProperty", OWL + "SymmetricProperty"]),
        statements(RELATIONS, [RDFS + "domain", RDFS + "range"], CLASSES),
        statements(THINGS, RELATIONS, THINGS),
        statements(THINGS, RELATIONS, THINGS),
        statements(THINGS, [TYPE], CLASSES),
    ),
    min_size=4, max_size=18, unique=True,
)  # fmt: skip


def build(rows: list[Statement]) -> KnowledgeGraph:
    triples = [Triple(*row, Source("t.nt", line)) for line, row in enumerate(rows, start=1)]
    return KnowledgeGraph.from_triples(triples, BuildConfig(infer="rdfs"))


def all_edges(graph: KnowledgeGraph) -> set[Statement]:
    edges = [*graph.live_edges().tolist(), *graph.inferences.edges().tolist()]
    return {
        (
            graph.entity_id(int(graph.edge_head[edge])),
            graph.relation_id(int(graph.edge_relation[edge])),
            graph.entity_id(int(graph.edge_tail[edge])),
        )
        for edge in edges
    }


def compared(edges: set[Statement]) -> set[Statement]:
    return {
        (head, relation, tail)
        for head, relation, tail in edges
        if relation in COMPARED and head != tail and head.startswith(EX) and tail.startswith(EX)
    }


def by_owlrl(rows: list[Statement]) -> set[Statement]:
    graph = rdflib.Graph()
    for row in rows:
        graph.add(tuple(map(rdflib.URIRef, row)))
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    return {tuple(map(str, triple)) for triple in graph}


@settings(max_examples=80)
@given(GRAPHS)
def test_the_closure_is_that_of_owlrl(rows):
    assert compared(all_edges(build(rows))) == compared(by_owlrl(rows))


@settings(max_examples=80)
@given(GRAPHS)
def test_every_inferred_edge_follows_from_the_edges_it_names_alone(rows):
    graph = build(rows)
    for edge in graph.inferences.edges().tolist()[:3]:
        named = [rows[source.line - 1] for source in graph.edge_sources(edge)]
        triple = (
            graph.entity_id(int(graph.edge_head[edge])),
            graph.relation_id(int(graph.edge_relation[edge])),
            graph.entity_id(int(graph.edge_tail[edge])),
        )
        assert triple in all_edges(build(named))
        assert triple not in rows
