"""Inferred edges of a graph on disk: kept, told apart, gone with what they rest on."""


import networkx as nx
import numpy as np
import pytest

from kg_reason import BuildConfig, KnowledgeGraph, build_graph
from kg_reason.errors import GraphError, UnknownEntityError
from kg_reason.kg.builder import BuiltGraph
from kg_reason.kg.editing import edit_graph, undo_edit
from kg_reason.kg.interchange import export_text, to_networkx
from kg_reason.kg.soundness import examine_graph
from kg_reason.kg.storage import open_graph, save_graph
from tests.kg.test_closure import inferred

ROWS = """\
poodle	is a	dog
dog	is a	canine
canine	is a	animal
poodle	is a	pet
pet	is a	animal
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "t.tsv").write_text(ROWS)
    build_graph([tmp_path / "t.tsv"], tmp_path / "kg", BuildConfig(infer="rdfs"))
    return tmp_path / "kg"


def names(graph):
    return {f"{head} {tail}" for head, _, tail in inferred(graph)}


def test_inferred_edges_are_saved_and_opened_with_their_premises(folder):
    graph = KnowledgeGraph.open(folder)
    assert {triple: lines for triple, lines in inferred(graph).items() if triple[0] == "poodle"} == {
        ("poodle", "is a", "canine"): [1, 2],
        ("poodle", "is a", "animal"): [4, 5],
    }
    assert graph.num_edges == 5
    assert [finding for finding in examine_graph(folder) if not finding.is_advice] == []


def test_the_stated_graph_is_the_same_with_and_without_inferred_edges(folder, tmp_path):
    build_graph([tmp_path / "t.tsv"], tmp_path / "plain")
    graph, plain = KnowledgeGraph.open(folder), KnowledgeGraph.open(tmp_path / "plain")
    for entity in range(plain.num_entities):
        assert graph.edges_of(entity) == plain.edges_of(entity)
    assert graph.live_edges().tolist() == plain.live_edges().tolist()
    assert graph.stats().relations == plain.stats().relations
    assert plain.stats().num_inferred == 0
    assert graph.fingerprint != plain.fingerprint


def test_statistics_count_inferred_edges_apart(folder):
    stats = KnowledgeGraph.open(folder).stats()
    assert stats.num_triples == 5
    assert stats.num_inferred == stats.to_json()["num_inferred"] == 3
    assert stats.inferred_relations == {"is a": 3}


def test_the_inferred_edges_of_an_entity_are_found_from_both_ends(folder):
    graph = KnowledgeGraph.open(folder)
    ends = [(graph.entity_id(int(graph.edge_head[edge])), graph.entity_id(int(graph.edge_tail[edge])))
            for edge in graph.inferences.edges_of(graph.entity("animal"))]  # fmt: skip
    assert sorted(ends) == [("dog", "animal"), ("poodle", "animal")]
    assert graph.inferences.edges_of(graph.entity("pet")) == []


def test_a_removed_premise_takes_all_that_rested_on_it_and_undo_brings_it_back(folder):
    assert names(KnowledgeGraph.open(folder)) == {"poodle canine", "dog animal", "poodle animal"}
    edit_graph(folder, "remove", "canine", "is a", "animal")
    assert names(KnowledgeGraph.open(folder)) == {"poodle canine", "poodle animal"}
    edit_graph(folder, "remove", "poodle", "is a", "dog")
    assert names(KnowledgeGraph.open(folder)) == {"poodle animal"}
    undo_edit(folder)
    undo_edit(folder)
    assert names(KnowledgeGraph.open(folder)) == {"poodle canine", "dog animal", "poodle animal"}


def test_what_an_edit_states_is_not_inferred_any_more_but_carries_on(folder):
    edit_graph(folder, "add", "poodle", "is a", "animal")
    graph = KnowledgeGraph.open(folder)
    assert names(graph) == {"poodle canine", "dog animal"}
    assert graph.num_edges == 6
    edit_graph(folder, "remove", "poodle", "is a", "animal")
    assert names(KnowledgeGraph.open(folder)) == {"poodle canine", "dog animal", "poodle animal"}


def test_removing_an_inferred_edge_names_what_it_rests_on(folder):
    with pytest.raises(UnknownEntityError, match=r"inferred from \S+t.tsv:1, \S+t.tsv:2, of which one"):
        edit_graph(folder, "remove", "poodle", "is a", "canine")


def test_an_export_leaves_inferred_edges_out_or_marks_them(folder):
    graph = KnowledgeGraph.open(folder)
    assert export_text(graph, "tsv").count("\tis a\t") == 5
    rows = export_text(graph, "tsv", with_inferred=True).splitlines()
    assert [row.split("\t")[-1] for row in rows] == ["inferred", *[""] * 5, *["yes"] * 3]
    assert {len(row.split("\t")) for row in rows} == {7}
    assert [len(export_text(graph, "nt", with_inferred=marked).splitlines()) for marked in (False, True)] == [10, 13]
    marks = nx.get_edge_attributes(to_networkx(graph, with_inferred=True), "inferred")
    assert sorted(marks.values()) == [False] * 5 + [True] * 3
    assert "inferred" in export_text(graph, "graphml", with_inferred=True)


def save_with(folder, name, array):
    """Save a graph with another array, as a build that errs would: with the checksums that belong to it."""
    built = open_graph(folder)
    save_graph(BuiltGraph(built.header, {**built.arrays, name: array}), folder)


@pytest.mark.parametrize("name", ["premise_edge", "inferred_by_tail", "premise_offset"])
def test_numbers_of_no_edge_are_found_by_the_doctor(folder, name):
    array = np.load(folder / "arrays" / f"{name}.npy")
    array[0] = 99
    save_with(folder, name, array)
    assert any(f"{name}.npy" in finding.problem for finding in examine_graph(folder))


@pytest.mark.parametrize("name", ["premise_edge", "inferred_by_tail"])
def test_a_number_of_no_edge_is_refused_when_it_is_met(folder, name):
    save_with(folder, name, np.full_like(np.load(folder / "arrays" / f"{name}.npy"), 1 << 20))
    graph = KnowledgeGraph.open(folder)
    with pytest.raises(GraphError, match=f"{name}: found 1048576"):
        [graph.edge_sources(edge) for edge in graph.inferences.edges_of(graph.entity("poodle"))]
    if name == "premise_edge":
        edit_graph(folder, "remove", "canine", "is a", "animal")
        with pytest.raises(GraphError, match="kg-reason doctor"):
            KnowledgeGraph.open(folder)
