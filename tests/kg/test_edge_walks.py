"""Which edges a search doubts: those that stand once where their graph states such edges twice, in great number."""

import random

import numpy as np
import pytest

from kg_reason import BuildConfig, EntityLinker, KnowledgeGraph, Retriever, build_graph
from kg_reason.kg.edge_walks import MAX_UNDOUBTED, edge_walks
from kg_reason.kg.editing import edit_graph
from kg_reason.kg.paths import PATH_FEATURES
from kg_reason.kg.relation_walk import BOTH_WAYS, SKIP
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


def doubtful_keys(graph):
    walks = edge_walks(graph, set(), [graph.relation("broader")])
    return keys_of(graph, np.flatnonzero(walks.doubtful).tolist())


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


def test_random_edges_make_no_entity_look_general():
    edges = tree()
    features = []
    for stated in (edges, edges | noise(edges, 5 * len(edges))):
        graph = graph_of(stated)
        linker, retriever = EntityLinker(graph), Retriever(graph)
        paths = retriever.retrieve(linker.link("the e100"), linker.link("the e25"))
        best = next(row for row in range(paths.num_paths) if paths.length[row] == 2)
        features.append([paths.features[best, PATH_FEATURES.index(name)] for name in ("hub", "start_degree")])
    assert features[0] == pytest.approx(features[1], abs=0.08)


def test_a_few_edges_that_stand_once_are_not_doubtful_and_one_more_makes_all_of_them_so():
    edges = tree()
    edges |= {edge for edge in noise(edges, 6 * len(edges)) if min(edge[0], edge[2]) > 60}
    few = {(50, "broader", tail) for tail in range(30, 30 + MAX_UNDOUBTED)}
    named = {(f"e{head}", relation, f"e{tail}") for head, relation, tail in few}
    assert not doubtful_keys(graph_of(edges | few)) & named
    assert named < doubtful_keys(graph_of(edges | few | {(50, "broader", 20)}))


def test_what_edits_state_is_never_doubtful(tmp_path):
    edges = tree()
    with (tmp_path / "edges.tsv").open("w", encoding="utf-8") as stream:
        stream.writelines(f"e{head}\t{relation}\te{tail}\n" for head, relation, tail in sorted(edges))
    build_graph([tmp_path / "edges.tsv"], tmp_path / "graph", BuildConfig(header="no"))
    for number in range(MAX_UNDOUBTED + 2):
        edit_graph(tmp_path / "graph", "add", "e7", "narrower", f"e{900 + number}")
    graph = KnowledgeGraph.open(tmp_path / "graph")
    assert graph.num_edges > len(edges)
    assert (edge_walks(graph, set(), []).twin >= 0).any()  # so there is something to doubt by
    assert not doubtful_keys(graph)


def test_of_two_relations_that_state_an_edge_reversed_the_nearer_in_size_is_the_inverse():
    edges = {(number, "has part", 4_000 + number) for number in range(1_200)}
    edges |= {(tail, "part of", head) for head, _, tail in edges}
    edges |= {(number, "contains", 4_000 + number) for number in range(3_000)}
    graph = graph_of(edges)
    part_of = graph.relation("part of")
    walks = edge_walks(graph, set(), [part_of])
    walked = {graph.relation_label(number): int(walks.walk[number]) for number in range(graph.num_relations)}
    assert walked == {"contains": BOTH_WAYS, "has part": SKIP, "part of": BOTH_WAYS}


def test_the_inverse_of_a_relation_is_known_whichever_of_the_two_is_walked():
    graph = graph_of(tree())
    broader, narrower, opposite = (graph.relation(name) for name in ("broader", "narrower", "opposite"))
    for climbing in ([], [broader], [narrower]):
        inverse = edge_walks(graph, set(), climbing).inverse
        assert [inverse[broader], inverse[narrower], inverse[opposite]] == [narrower, broader, -1]


def test_an_excluded_relation_takes_its_inverse_with_it_noise_or_not():
    edges = tree()
    for graph in (graph_of(edges), graph_of(edges | noise(edges, 5 * len(edges)))):
        broader, narrower = graph.relation("broader"), graph.relation("narrower")
        for excluded in (broader, narrower):
            walk = edge_walks(graph, {excluded}, [broader]).walk
            assert walk[broader] == walk[narrower] == SKIP


def test_one_way_edges_of_a_relation_that_is_mostly_mutual_are_no_noise():
    edges = {(number, "allied with", other) for number in range(40) for other in range(40, 80)}
    edges |= {(tail, relation, head) for head, relation, tail in edges if (head + tail) % 3}
    graph = graph_of(edges)
    assert not edge_walks(graph, set(), []).doubtful.any()


def test_what_relates_two_relations_of_unequal_size_is_no_inverse():
    edges = {(number, "employs", 5_000 + number) for number in range(4_000)}
    edges |= {(5_000 + number, "reports to", number) for number in range(1_500)}
    graph = graph_of(edges)
    assert set(graph.relation_walk.tolist()) == {3}
    assert not Retriever(graph)._rows.doubtful.any()
