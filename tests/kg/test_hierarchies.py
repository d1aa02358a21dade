"""Relations that form a hierarchy are found by shape: few tails for a head, many heads for a tail, long chains."""

import random

import pytest

from kg_reason import KnowledgeGraph, Retriever, RetrieverConfig
from kg_reason.kg.hierarchies import hierarchical_relations
from kg_reason.kg.linker import Candidate, Mention
from kg_reason.kg.triples import Source, Triple


def graph_of(edges):
    return KnowledgeGraph.from_triples(
        Triple(head, relation, tail, Source("edges.tsv", line)) for line, (head, relation, tail) in enumerate(edges, 1)
    )


def tree(relation="rests on", num_entities=400, branching=3):
    return [(f"e{number}", relation, f"e{(number - 1) // branching}") for number in range(1, num_entities)]


def names(graph):
    return [graph.relation_label(relation) for relation in hierarchical_relations(graph)]


def test_a_tree_is_a_hierarchy_from_its_leaves_to_its_root_and_not_the_other_way_round():
    edges = tree()
    graph = graph_of([*edges, *((tail, "carries", head) for head, _, tail in edges)])
    assert names(graph) == ["rests on"]


def test_a_relation_from_outside_into_a_hierarchy_climbs_too():
    members = [(f"x{number}", "stands for", f"e{number % 90}") for number in range(300)]
    assert names(graph_of([*tree(), *members])) == ["rests on", "stands for"]


@pytest.mark.parametrize(
    "edges",
    [
        [(f"e{number}", "next", f"e{number + 1}") for number in range(400)],
        [(f"p{number}", "born in", f"c{number % 40}") for number in range(400)],
        [(f"e{number % 400}", "knows", f"e{random.Random(number).randrange(400)}") for number in range(2_000)],
        tree(num_entities=90),
        [],
    ],
    ids=["a chain", "one step", "a network", "too small", "nothing"],
)
def test_other_shapes_are_no_hierarchies(edges):
    assert names(graph_of(edges)) == []


@pytest.mark.parametrize(("known", "climbs"), [("rests on", True), ("other", True), ("likes", False)])
def test_shape_tells_only_where_no_relation_has_a_known_name(known, climbs):
    graph = graph_of([*tree(), ("e1", "likes", "e2")])
    retriever = Retriever(graph, RetrieverConfig(taxonomic_relations=(known,)))
    first, last = (
        Mention(0, 1, name, name, (Candidate(graph.find_entities(name)[0], 1.0, 0),)) for name in ("e121", "e124")
    )
    assert bool(retriever.climbs()[graph.relation("rests on")]) is climbs
    assert (retriever.retrieve((first,), (last,)).length > 3).any() == climbs
