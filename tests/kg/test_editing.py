from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError, GraphError, UnknownEntityError
from kg_reason.kg.building import build_graph
from kg_reason.kg.editing import edit_graph, undo_edit
from kg_reason.kg.graph import KnowledgeGraph
from tests.conftest import toy_triples
from tests.kg.test_graph import facts, save


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(toy_triples(), tmp_path / "graph")
    return tmp_path / "graph"


def row_facts(graph: KnowledgeGraph) -> set[tuple[str, str, str]]:
    """The edges as path search sees them: from the tails' rows."""
    return {
        (
            graph.entity_id(int(graph.edge_head[edge])),
            graph.relation_id(int(graph.edge_relation[edge])),
            graph.entity_id(tail),
        )
        for tail in range(graph.num_entities)
        for edge in graph.in_edge[graph.in_start[tail] : graph.in_end[tail]]
        if graph.edge_tail[edge] == tail
    }


def test_an_added_triple_is_there_at_once_with_the_line_of_the_log_as_its_source(folder: Path) -> None:
    before = facts(KnowledgeGraph.open(folder))
    edit_graph(folder, "add", "fiddle", "hypernym", "toy")
    graph = KnowledgeGraph.open(folder)
    assert facts(graph) == row_facts(graph) == before | {("ex:violin", "ex:hypernym", "toy")}
    (edge,) = [e for e in graph.live_edges() if graph.entity_id(int(graph.edge_tail[e])) == "toy"]
    assert [str(source) for source in graph.edge_sources(int(edge))] == ["edits.jsonl:1"]
    assert graph.find_entities("Toy") == (graph.entity("toy"),)
    assert graph.num_edges == len(before) + 1


def test_a_removed_triple_is_gone_from_both_directions(folder: Path) -> None:
    before = facts(KnowledgeGraph.open(folder))
    edit_graph(folder, "remove", "violin", "hypernym", "bowed instrument")
    graph = KnowledgeGraph.open(folder)
    assert facts(graph) == row_facts(graph) == before - {("ex:violin", "ex:hypernym", "ex:bowedInstrument")}
    untouched = [edge for edge in graph.live_edges() if graph.entity_id(int(graph.edge_head[edge])) == "ex:violin"]
    assert all(source.file == "toy.tsv" for edge in untouched for source in graph.edge_sources(int(edge)))


def test_many_edits_equal_a_graph_built_that_way(folder: Path, tmp_path: Path) -> None:
    edit_graph(folder, "add", "cello", "made of", "wood")
    edit_graph(folder, "add", "wood", "made of", "trees")
    edit_graph(folder, "remove", "cello", "made of", "wood")
    edit_graph(folder, "add", "man", "antonym", "boy")
    edit_graph(folder, "remove", "dog", "hypernym", "animal")
    graph = KnowledgeGraph.open(folder)
    expected = {triple[:3] for triple in toy_triples() if triple.rank == 0}
    expected |= {("wood", "made of", "trees"), ("ex:man", "ex:antonym", "ex:boy")}
    expected -= {("ex:dog", "ex:hypernym", "ex:animal")}
    assert facts(graph) == row_facts(graph) == expected
    assert graph.num_edges == len(expected)


def test_undo_takes_back_one_edit_after_another(folder: Path) -> None:
    untouched = KnowledgeGraph.open(folder)
    edit_graph(folder, "add", "violin", "hypernym", "toy")
    edit_graph(folder, "remove", "violin", "hypernym", "bowed instrument")
    assert undo_edit(folder).op == "remove"
    assert undo_edit(folder).op == "add"
    graph = KnowledgeGraph.open(folder)
    assert (facts(graph), graph.fingerprint) == (facts(untouched), untouched.fingerprint)
    with pytest.raises(GraphError, match="no edit to undo"):
        undo_edit(folder)


def test_an_edit_changes_the_fingerprint_but_not_that_of_the_built_graph(folder: Path) -> None:
    before = KnowledgeGraph.open(folder)
    edit_graph(folder, "add", "violin", "hypernym", "toy")
    after = KnowledgeGraph.open(folder)
    assert after.fingerprint != before.fingerprint
    assert after.overlay.base_fingerprint == before.fingerprint


def test_labels_can_be_added_and_removed(folder: Path) -> None:
    edit_graph(folder, "add", "violin", "skos:altLabel", "Geige")
    edit_graph(folder, "remove", "violin", "rdfs:label", "fiddle")
    graph = KnowledgeGraph.open(folder)
    violin = graph.entity("ex:violin")
    assert [alias.text for alias in graph.aliases(violin)] == ["violin", "Geige"]
    assert graph.find_entities("geige") == (violin,)
    assert graph.find_entities("fiddle") == ()


def test_what_cannot_be_done_is_said_and_changes_nothing(folder: Path) -> None:
    with pytest.raises(UnknownEntityError, match="the graph does not state ex:violin ex:hypernym ex:drum"):
        edit_graph(folder, "remove", "violin", "hypernym", "drum")
    with pytest.raises(GraphError, match="the graph already states"):
        edit_graph(folder, "add", "violin", "hypernym", "bowed instrument")
    with pytest.raises(UnknownEntityError, match="no entity 'zither'"):
        edit_graph(folder, "remove", "zither", "hypernym", "drum")
    with pytest.raises(UnknownEntityError, match="ex:violin has no label 'Bratsche'"):
        edit_graph(folder, "remove", "violin", "rdfs:label", "Bratsche")
    assert not (folder / "edits.jsonl").exists()


def test_a_log_damaged_in_the_middle_names_its_line(folder: Path) -> None:
    edit_graph(folder, "add", "violin", "hypernym", "toy")
    with (folder / "edits.jsonl").open("a") as stream:
        stream.write('{"op": "add", "head": "ex:vi\n')
    with pytest.raises(GraphError, match="edits.jsonl:2: found a record without a check"):
        KnowledgeGraph.open(folder)


@pytest.mark.parametrize("part", ["head", "relation", "tail"])
def test_an_empty_name_is_refused(folder: Path, part: str) -> None:
    names = {"head": "violin", "relation": "hypernym", "tail": "toy", part: " "}
    with pytest.raises(ConfigError, match=f"{part}: found no text, expected an id or a label"):
        edit_graph(folder, "add", **names)
    assert KnowledgeGraph.open(folder).overlay.edits == ()


def test_an_edit_knows_its_time(folder: Path) -> None:
    edit = edit_graph(folder, "add", "violin", "hypernym", "toy")
    assert datetime.fromisoformat(edit.time).tzinfo is not None
    assert KnowledgeGraph.open(folder).overlay.edits == (edit,)


def test_names_may_hold_line_separators_but_no_halves_of_letters(folder: Path) -> None:
    edit_graph(folder, "add", "a\u2028b\x85c\nd", "hypernym", "violin")
    assert KnowledgeGraph.open(folder).find_entities("a\u2028b\x85c\nd") != ()
    with pytest.raises(ConfigError, match="head: found half of a surrogate pair"):
        edit_graph(folder, "add", "a\udcff", "hypernym", "violin")
    undo_edit(folder)


def test_a_new_entity_with_further_names_only_is_still_called_by_itself(folder: Path) -> None:
    edit_graph(folder, "add", "gavorn", "hypernym", "violin")
    edit_graph(folder, "add", "gavorn", "skos:altLabel", "gavvy")
    graph = KnowledgeGraph.open(folder)
    assert [alias.text for alias in graph.aliases(graph.entity("gavvy"))] == ["gavorn", "gavvy"]
    assert graph.find_entities("Gavorn") == (graph.entity("gavvy"),)


def test_relations_that_were_built_as_labels_give_labels_in_edits_too(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("head\trelation\ttail\nQ1\thttp://e/shownAs\tviolin\nQ2\thttp://e/shownAs\ttoy\n")
    folder = tmp_path / "graph"
    build_graph([tmp_path / "a.tsv"], folder, BuildConfig(label_relations=("shown as",)))
    edit_graph(folder, "remove", "Q1", "shown as", "violin")
    edit_graph(folder, "add", "Q1", "http://e/shownAs", "toy")  # a label of Q2, and a text all the same
    graph = KnowledgeGraph.open(folder)
    assert [(alias.kind, alias.text) for alias in graph.aliases(graph.find_id("Q1"))] == [("pref", "toy")]
    assert facts(graph) == set()
