"""scripts/graph_copies.py: copies of a graph that differ from it in one respect."""

from __future__ import annotations

from pathlib import Path

import pytest
from graph_copies import Edge, Name, copy_graph, deranged, random_edges, renamed, write_names

from kg_reason import EntityLinker, KnowledgeGraph
from tests.conftest import toy_triples


@pytest.fixture(scope="module")
def plain_graph():
    """The toy graph without its literal, which tables do not tell from a name."""
    return KnowledgeGraph.from_triples(triple for triple in toy_triples() if not triple.tail.startswith('"'))


def edges(graph):
    rows = zip(graph.edge_head.tolist(), graph.edge_relation.tolist(), graph.edge_tail.tolist(), strict=True)
    return {
        (graph.entity_id(head), graph.relation_id(relation), graph.entity_id(tail)) for head, relation, tail in rows
    }


def test_a_plain_copy_is_the_same_graph(plain_graph, tmp_path):
    copy_graph(plain_graph, tmp_path / "copy")
    assert KnowledgeGraph.open(tmp_path / "copy").fingerprint == plain_graph.fingerprint


def test_the_linker_finds_an_invented_name_of_a_copy(plain_graph, tmp_path):
    write_names(tmp_path / "names.tsv", [Name("ex:violin", "gavorn", "n")])
    copy_graph(plain_graph, tmp_path / "copy", tables=[tmp_path / "names.tsv"])
    graph = KnowledgeGraph.open(tmp_path / "copy")
    mentions = [mention for mention in EntityLinker(graph).link("Two gavorns are here.") if mention.candidates]
    assert [graph.entity_id(mention.candidates[0].entity) for mention in mentions] == ["ex:violin"]
    assert graph.entity_label(graph.entity("ex:violin")) == "violin"


def test_further_edges_are_added_to_those_of_the_graph(plain_graph, tmp_path):
    copy_graph(plain_graph, tmp_path / "copy", edges=[Edge("ex:drum", "ex:antonym", "ex:cello")])
    assert edges(KnowledgeGraph.open(tmp_path / "copy")) == {
        *edges(plain_graph), ("ex:drum", "ex:antonym", "ex:cello")
    }


def test_no_relation_keeps_its_place_when_relations_are_deranged(plain_graph, tmp_path):
    for seed in range(5):
        exchange = deranged(plain_graph, seed)
        relations = [plain_graph.relation_id(number) for number in range(plain_graph.num_relations)]
        assert sorted(map(exchange, range(len(relations)))) == sorted(relations)
        assert all(exchange(number) != relation for number, relation in enumerate(relations))
    copy_graph(plain_graph, tmp_path / "copy", rename=deranged(plain_graph, 0))
    moved = edges(KnowledgeGraph.open(tmp_path / "copy"))
    assert {(head, tail) for head, _, tail in moved} == {(head, tail) for head, _, tail in edges(plain_graph)}
    assert not moved & edges(plain_graph)


def test_one_relation_cannot_be_deranged():
    graph = KnowledgeGraph.from_triples([triple for triple in toy_triples() if triple.relation == "ex:hypernym"])
    with pytest.raises(ValueError, match="found 1 relations"):
        deranged(graph, 0)


def test_relations_get_other_words_of_the_same_meaning(plain_graph, tmp_path):
    copy_graph(plain_graph, tmp_path / "copy", rename=renamed(plain_graph))
    graph = KnowledgeGraph.open(tmp_path / "copy")
    found = {graph.relation_label(number) for number in range(graph.num_relations)}
    assert found == {"is a sort of", "contrary of", "part of"}
    assert ("ex:violin", "is a sort of", "ex:bowedInstrument") in edges(graph)


def test_random_edges_use_the_words_of_the_graph_and_are_the_same_every_time(plain_graph):
    found = random_edges(plain_graph, 40, seed=3)
    assert found == random_edges(plain_graph, 40, seed=3)
    assert found != random_edges(plain_graph, 40, seed=4)
    assert len(found) == 40
    assert {edge.relation for edge in found} <= {"ex:hypernym", "ex:antonym", "ex:partOf"}
    assert all(plain_graph.find_id(end) >= 0 for edge in found for end in (edge.head, edge.tail))


def test_a_copy_is_built_from_files_that_are_gone_afterwards(plain_graph, tmp_path):
    copy_graph(plain_graph, tmp_path / "copy")
    assert [path.name for path in Path(tmp_path).iterdir()] == ["copy"]
