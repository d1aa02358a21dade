"""Which edges a search doubts: those that stand once where their graph states such edges twice, in great number."""

import random

import numpy as np

from kg_reason import KnowledgeGraph, Retriever
from kg_reason.kg.edge_walks import MAX_UNDOUBTED, edge_walks
from kg_reason.kg.search import TWIN_MISSING
from kg_reason.kg.triples import Source, Triple

SOURCE = Source("edges.tsv", 1)


def tree(num_entities=1600):
    """Return the edges of a tree, each as `broader` and as `narrower`, and `opposite` between neighbours, both ways."""
    edges = []
    for number in range(1, num_entities):
        edges += [(number, "broader", number // 2), (number // 2, "narrower", number)]
        edges += [(number, "opposite", number ^ 1), (number ^ 1, "opposite", number)] if number > 1 else []
    return set(edges)


def noise(edges, num_edges, num_entities=1600, seed=0):
    """Return random edges of the same relations."""
    chance = random.Random(seed)
    relations = sorted({relation for _, relation, _ in edges})
    drawn = (
        (chance.randrange(num_entities), chance.choice(relations), chance.randrange(num_entities))
        for _ in range(num_edges)
    )
    return {edge for edge in drawn if edge not in edges and edge[0] != edge[2]}


def graph_of(edges):
    return KnowledgeGraph.from_triples(
        Triple(f"e{head}", name, f"e{tail}", SOURCE) for head, name, tail in sorted(edges)
    )


def keys_of(graph, edges):
    return {
        (graph.entity_id(int(graph.edge_head[edge])), graph.relation_id(int(graph.edge_relation[edge])),
         graph.entity_id(int(graph.edge_tail[edge])))
        for edge in edges
    }  # fmt: skip


def test_nothing_is_doubtful_where_every_edge_is_stated_twice():
    graph = graph_of(tree())
    walks = edge_walks(graph, set(), [graph.relation("broader")])
    assert not walks.doubtful.any()
    assert walks.walk[graph.relation("narrower")] == 0


def test_a_relation_is_still_an_inverse_when_random_edges_outnumber_its_own():
    edges = tree()
    graph = graph_of(edges | noise(edges, 5 * len(edges)))
    broader, narrower = graph.relation("broader"), graph.relation("narrower")
    assert graph.relation_walk[narrower] == TWIN_MISSING
    walks = edge_walks(graph, set(), [broader])
    assert walks.walk[narrower] == TWIN_MISSING
    assert walks.twin[narrower] == broader


def test_random_edges_are_doubtful_and_true_ones_are_not():
    edges = tree()
    added = noise(edges, 5 * len(edges))
    graph = graph_of(edges | added)
    doubtful = keys_of(graph, np.flatnonzero(edge_walks(graph, set(), [graph.relation("broader")]).doubtful).tolist())
    named = {(f"e{head}", relation, f"e{tail}") for head, relation, tail in added}
    assert doubtful <= named
    assert len(doubtful) > 0.95 * len(added)


def test_a_few_edges_that_stand_once_are_not_doubtful():
    edges = tree()
    few = {(0, "broader", 700 + number) for number in range(MAX_UNDOUBTED)}
    graph = graph_of(edges | few)
    assert not edge_walks(graph, set(), [graph.relation("broader")]).doubtful.any()


def test_what_relates_two_relations_of_unequal_size_is_no_inverse():
    edges = {(number, "employs", 5_000 + number) for number in range(4_000)}
    edges |= {(5_000 + number, "reports to", number) for number in range(1_500)}
    graph = graph_of(edges)
    assert set(graph.relation_walk.tolist()) == {3}
    assert not Retriever(graph)._rows.doubtful.any()
