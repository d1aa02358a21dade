"""Triples files become a graph folder, whole or not at all."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError, GraphError, InputSyntaxError
from kg_reason.kg.building import build_graph, num_bad_lines
from kg_reason.kg.editing import edit_graph, undo_edit
from kg_reason.kg.graph import KnowledgeGraph
from tests.kg.conftest import LINES, TABLE


def test_several_files_become_one_graph(files, tmp_path):
    stats = build_graph(files, tmp_path / "kg")
    graph = KnowledgeGraph.open(tmp_path / "kg")
    assert stats == graph.stats()
    assert stats.sources == {str(files[0]): 2, str(files[1]): 1}
    assert [str(source) for source in graph.edge_sources(0)] == [f"{files[0]}:3"]


def test_tables_of_several_makers_become_one_graph(tmp_path, caplog):
    tables = {
        "a.csv": "Kopf;Ende;Anteil\nviolin;instrument;0.5\n", "b.csv": "object,subject\ninstrument,drum\n",
        "c.tsv": "Kopf\trelation\tEnde\ncello\tsounds like\tviolin\n", "d.tsv": "flute\tinstrument\n",
    }  # fmt: skip
    for name, text in tables.items():
        (tmp_path / name).write_text(text)
    names = {"head_column": "Kopf|subject", "tail_column": "Ende|object", "weight_column": "Anteil"}
    stats = build_graph(tmp_path, tmp_path / "kg", BuildConfig(relation="is a", **names))
    assert (stats.relations, caplog.messages) == ({"is a": 3, "sounds like": 1}, [])
    graph = KnowledgeGraph.open(tmp_path / "kg")
    assert sorted(graph.edge_weight.tolist()) == [0.5, 1.0, 1.0, 1.0]
    assert len(graph.edges_of(graph.entity("instrument"))) == 3


def test_one_path_may_be_given_alone(files, tmp_path):
    assert build_graph(str(files[0]), str(tmp_path / "kg")).num_triples == 2


def test_a_graph_that_is_there_is_replaced(files, tmp_path):
    build_graph(files, tmp_path / "kg")
    assert build_graph(files[1:], tmp_path / "kg").num_triples == 1
    assert KnowledgeGraph.open(tmp_path / "kg").num_edges == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tsv", "b.nt", "kg"]


def test_edits_are_not_dropped_by_a_new_build(files, tmp_path):
    build_graph(files, tmp_path / "kg")
    edit_graph(tmp_path / "kg", "add", "cello", "hypernym", "instrument")
    with pytest.raises(GraphError, match="kg: holds 1 edit that a new build would drop"):
        build_graph(files, tmp_path / "kg")
    undo_edit(tmp_path / "kg")
    assert build_graph(files, tmp_path / "kg").num_triples == 3


def test_something_else_is_not_overwritten(files, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    with pytest.raises(GraphError, match="photos: found something other than a graph folder; it is left alone"):
        build_graph(files, tmp_path / "photos")
    with pytest.raises(GraphError, match="a.tsv: found something other"):
        build_graph(files, files[0])
    assert files[0].read_text() == TABLE


def test_bad_lines_of_all_files_are_found_in_one_pass_and_nothing_is_written(files, tmp_path):
    files[0].write_text(TABLE + "one field\n")
    files[1].write_text("<http://e/a> no\n" + LINES)
    with pytest.raises(BadLinesError, match="2 bad lines") as caught:
        build_graph(files, tmp_path / "kg")
    assert [(line.path, line.line) for line in caught.value.bad_lines] == [(str(files[0]), 4), (str(files[1]), 1)]
    assert not (tmp_path / "kg").exists()


def test_skipped_bad_lines_are_reported_in_the_graph(files, tmp_path):
    files[0].write_text(TABLE + "one field\n")
    stats = build_graph(files, tmp_path / "kg", BuildConfig(skip_bad_lines=True))
    assert stats.num_triples == 3
    assert num_bad_lines(tmp_path / "kg") == 1
    report = (tmp_path / "kg" / "bad_lines.tsv").read_text().splitlines()
    assert report[0] == "file\tline\treason"
    assert report[1].startswith(f"{files[0]}\t4\t")


def test_without_bad_lines_there_is_no_report(files, tmp_path):
    build_graph(files, tmp_path / "kg", BuildConfig(skip_bad_lines=True))
    assert num_bad_lines(tmp_path / "kg") == 0
    assert not (tmp_path / "kg" / "bad_lines.tsv").exists()


def test_a_missing_file_is_told_before_anything_is_read(files, tmp_path):
    with pytest.raises(InputSyntaxError, match="none.nt: no such file"):
        build_graph([*files, tmp_path / "none.nt"], tmp_path / "kg")


def test_files_without_triples_make_an_empty_graph_and_a_warning(tmp_path, caplog):
    (tmp_path / "empty.nt").write_text("# nothing\n")
    with caplog.at_level(logging.WARNING, logger="kg_reason"):
        stats = build_graph(tmp_path / "empty.nt", tmp_path / "kg")
    assert stats.num_triples == 0
    assert "no triple was found" in caplog.text


def test_the_order_of_files_changes_no_result(files, tmp_path):
    first = build_graph(files, tmp_path / "kg").fingerprint
    assert build_graph(files[::-1], tmp_path / "other").fingerprint == first


def test_a_place_that_cannot_be_written_is_refused_before_the_work(files, tmp_path):
    (tmp_path / "bad.nt").write_text("no triple\n")
    with pytest.raises(GraphError, match=r"kg: cannot be written: .*a.tsv is a file, expected a folder"):
        build_graph(tmp_path / "bad.nt", files[0] / "kg")


WIKIDATA = """\
<http://www.wikidata.org/entity/Q8355> <http://www.wikidata.org/prop/direct/P31> <http://www.wikidata.org/entity/Q1> .
<http://www.wikidata.org/entity/Q8355> <http://www.wikidata.org/prop/direct/P279> <http://www.wikidata.org/entity/Q1> .
<http://www.wikidata.org/entity/P31> <http://wikiba.se/ontology#directClaim> <http://www.wikidata.org/prop/direct/P31> .
"""
NAMES = """\
<http://www.wikidata.org/entity/P31> <http://www.w3.org/2000/01/rdf-schema#label> "ist ein"@de .
<http://www.wikidata.org/entity/P31> <http://www.w3.org/2000/01/rdf-schema#label> "instance of"@en .
<http://www.wikidata.org/entity/Q8355> <http://www.w3.org/2000/01/rdf-schema#label> "violin"@en .
<http://www.wikidata.org/entity/Q8355> <http://www.w3.org/2000/01/rdf-schema#label> "Geige"@de-CH .
<http://www.wikidata.org/entity/Q1> <http://www.w3.org/2000/01/rdf-schema#label> "instrument" .
"""


def test_relations_of_wikidata_are_called_as_their_properties_whichever_file_names_them(tmp_path):
    (tmp_path / "facts.nt").write_text(WIKIDATA)
    (tmp_path / "names.nt").write_text(NAMES)
    build_graph([tmp_path / "facts.nt", tmp_path / "names.nt"], tmp_path / "kg")
    graph = KnowledgeGraph.open(tmp_path / "kg")
    relation = graph.relation("instance of")
    assert graph.relation_id(relation) == "http://www.wikidata.org/prop/direct/P31"
    assert graph.relation_label(relation, "de") == "ist ein"
    assert "p279" in graph.stats().relations  # no file names it
    (edge,) = np.flatnonzero(graph.edge_relation == relation).tolist()
    assert graph.entity_label(int(graph.edge_head[edge]), "en") == "violin"
    assert [str(source) for source in graph.edge_sources(edge)] == [f"{tmp_path / 'facts.nt'}:1"]


def test_labels_in_other_languages_can_be_left_out(tmp_path, caplog):
    (tmp_path / "names.nt").write_text(WIKIDATA + NAMES)
    caplog.set_level(logging.INFO, logger="kg_reason")
    stats = build_graph(tmp_path / "names.nt", tmp_path / "kg", BuildConfig(languages=("en",)))
    assert stats.languages == {"": 1, "en": 2}
    assert "labels left out because of their language: 2" in caplog.text
    assert build_graph(tmp_path / "names.nt", tmp_path / "kg", BuildConfig(languages=("de",))).languages == {
        "": 1, "de": 1, "de-ch": 1
    }


def test_edges_below_a_weight_are_left_out_and_counted_those_without_one_stay(files, tmp_path, caplog):
    table = "head\trelation\ttail\tweight\na\tis a\tb\t0.5\nc\tis a\td\t2\ne\tis a\tf\t\na\tlabel\tA\t0.1\n"
    (tmp_path / "weighed.tsv").write_text(table)
    config = BuildConfig(min_weight=1.0, label_relations=("label",))
    build_graph([tmp_path / "weighed.tsv", files[1]], tmp_path / "kg", config)
    graph = KnowledgeGraph.open(tmp_path / "kg")
    assert graph.num_edges == 3
    assert graph.find_entities("b") == ()
    assert len(graph.find_entities("A")) == 1  # a label's weight is its prior
    assert "edges left out because their weight is below 1: 1" in caplog.text


@pytest.mark.parametrize("name", ["a.nt", "a.ttl"])
def test_an_iri_with_a_space_tells_of_the_setting_that_keeps_it(tmp_path, name):
    (tmp_path / name).write_text("<http://e/a b> <http://e/r> <http://e/c> .\n")
    advice = r"nothing written \(--skip-bad-lines reads the rest; --lenient keeps IRIs that are not valid\)"
    with pytest.raises(BadLinesError, match=advice):
        build_graph(tmp_path / name, tmp_path / "kg")
    assert build_graph(tmp_path / name, tmp_path / "kg", BuildConfig(lenient=True)).num_triples == 1
