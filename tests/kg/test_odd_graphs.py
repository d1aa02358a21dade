"""Files and graphs of odd shapes are built, shown and asked all the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kg_reason.cli import main
from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.reading import read_triples
from kg_reason.kg.triples import literal_parts
from kg_reason.terminal import MAX_NAME_CHARACTERS

SUBCLASS = "<http://www.w3.org/2000/01/rdf-schema#subClassOf>"


def built(folder: Path, name: str, content: str, **settings: object) -> KnowledgeGraph:
    (folder / name).write_text(content, encoding="utf-8", newline="")
    build_graph(folder / name, folder / "kg", BuildConfig(**settings))
    return KnowledgeGraph.open(folder / "kg")


def shown(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


# ---- lines


@pytest.mark.parametrize(("name", "text"), [
    ("a.tsv", "head\trelation\ttail\na\tb\tc\n\nd\te\tf\n"), ("a.csv", 'head,relation,tail\n"a",b,c\n\nd,e,f\n'),
    ("a.nt", "<x:a> <x:b> <x:c> .\n\n# a remark\n<x:d> <x:e> <x:f> .\n"),
    ("a.ttl", "<x:a> <x:b> <x:c> .\n<x:d> <x:e> <x:f> ."),
    ("a.obo", "[Term]\nid: A:1\nis_a: A:2\n\n[Term]\nid: A:2\nname: x\n"),
])  # fmt: skip
def test_carriage_returns_before_line_feeds_change_nothing(tmp_path, name, text):
    rows = []
    for end in ("\n", "\r\n"):
        (tmp_path / name).write_text(text.replace("\n", end), newline="")
        rows.append([(t.head, t.relation, t.tail, t.source.line) for t in read_triples([tmp_path / name])])
    assert rows[0] == rows[1]
    assert rows[0]


def test_a_stray_quote_is_text_in_tsv_and_a_bad_line_in_csv(tmp_path):
    graph = built(tmp_path, "a.tsv", 'a "b\tis\t5" disk\nc\tis\td\n')
    assert graph.find_entities('5" disk')
    (tmp_path / "a.csv").write_text('a,is,"b" c\nd,is,e\nf,is,"g\n')
    with pytest.raises(BadLinesError) as caught:
        build_graph(tmp_path / "a.csv", tmp_path / "other")
    assert [line.line for line in caught.value.bad_lines] == [1, 3]
    build_graph(tmp_path / "a.csv", tmp_path / "other", BuildConfig(skip_bad_lines=True))
    assert KnowledgeGraph.open(tmp_path / "other").num_edges == 1


def test_short_and_long_rows_are_all_told_and_none_is_lost_in_silence(tmp_path):
    (tmp_path / "a.tsv").write_text("a\tb\tc\nd\te\nf\tg\th\ti\tj\n\tb\tc\nk\tl\tm\n")
    with pytest.raises(BadLinesError) as caught:
        build_graph(tmp_path / "a.tsv", tmp_path / "kg")
    assert [line.line for line in caught.value.bad_lines] == [2, 3, 4]
    assert "found 2" in caught.value.bad_lines[0].reason
    assert "found 5" in caught.value.bad_lines[1].reason
    build_graph(tmp_path / "a.tsv", tmp_path / "kg", BuildConfig(skip_bad_lines=True))
    assert KnowledgeGraph.open(tmp_path / "kg").num_edges == 2


def test_a_triple_stated_often_is_one_edge_with_all_its_sources_and_a_short_list_of_them(tmp_path, capsys):
    graph = built(tmp_path, "a.tsv", "Ghent\tis in\tBelgium\n" * 500)
    assert graph.num_edges == 1
    assert len(graph.edge_sources(0)) == 500
    lines = shown(capsys, "paths", tmp_path / "kg", "Ghent", "Belgium").splitlines()
    assert len(lines) < 40
    assert any("... and 480 more (--json lists all)" in line for line in lines)
    assert "and 497 more" in shown(capsys, "show", tmp_path / "kg", "Ghent")
    facts = json.loads(shown(capsys, "paths", tmp_path / "kg", "Ghent", "Belgium", "--json"))
    assert len(facts["paths"][0]["steps"][0]["sources"]) == 500


# ---- shapes


def test_an_edge_from_an_entity_to_itself_is_shown_once_and_leads_nowhere(tmp_path, capsys):
    graph = built(tmp_path, "a.tsv", "Ghent\tis like\tGhent\nGhent\tis in\tBelgium\n")
    (entity,) = graph.find_entities("Ghent")
    assert len(graph.edges_of(entity)) == 2
    text = shown(capsys, "show", tmp_path / "kg", "Ghent")
    assert text.count("-[is like]->") == 1
    assert "Ghent -[is in]-> Belgium" in shown(capsys, "paths", tmp_path / "kg", "Ghent", "Belgium")


def test_circles_of_subclasses_end(tmp_path, capsys):
    names = ["harp", "lyre", "lute", "cello", "harp", "harp", "viola", "harp"]
    pairs = zip(names, names[1:], strict=False)
    lines = [f"<http://x.org/{head}> {SUBCLASS} <http://x.org/{tail}> ." for head, tail in pairs]
    assert built(tmp_path, "a.nt", "\n".join(lines)).num_edges == 7
    assert "viola -[" in shown(capsys, "paths", tmp_path / "kg", "viola", "lute")
    assert "lyre" in shown(capsys, "show", tmp_path / "kg", "harp")


def test_an_entity_may_be_called_as_a_relation_is(tmp_path, capsys):
    graph = built(tmp_path, "a.tsv", "a\tcause\tb\ncause\tis a\trelation\ncause\tcause\tcause\n")
    assert graph.find_entities("cause")
    assert graph.relation("cause") >= 0
    assert "-[cause]->" in shown(capsys, "show", tmp_path / "kg", "cause")
    assert "cause -[is a]-> relation" in shown(capsys, "paths", tmp_path / "kg", "cause", "relation")


def test_twenty_thousand_relations_are_found_and_shown_in_part(tmp_path, capsys):
    num_relations = 20_000
    rows = [f"thing {number}\trelation {number}\thub\n" for number in range(num_relations)]
    graph = built(tmp_path, "a.tsv", "".join(rows))
    assert graph.num_relations == num_relations
    assert graph.relation_id(graph.relation("Relation 777")) == "relation 777"
    text = shown(capsys, "show", tmp_path / "kg", "hub")
    assert text.count("<-[") == 50
    assert "... and 19,950 more relations (--limit 0 shows all)" in text
    assert "... and 19,988 more (--json lists all)" in shown(capsys, "stats", tmp_path / "kg")
    assert "thing 5 -[relation 5]-> hub" in shown(capsys, "paths", tmp_path / "kg", "thing 5", "hub")


def test_a_hub_of_many_edges_is_shown_in_part_and_not_walked_through(tmp_path, capsys):
    num_leaves = 200_000
    rows = [f"leaf {number}\tis in\thub\n" for number in range(num_leaves)]
    graph = built(tmp_path, "a.tsv", "".join([*rows, "leaf 1\tnear\tleaf 2\n"]))
    (hub,) = graph.find_entities("hub")
    assert int(graph.in_end[hub] - graph.in_start[hub]) == num_leaves
    text = shown(capsys, "show", tmp_path / "kg", "hub")
    assert "<-[is in]-  200,000" in text
    assert "... and 199,990 more (--limit 0 shows all)" in text
    assert len(text.splitlines()) < 30
    assert "leaf 7 -[is in]-> hub" in shown(capsys, "paths", tmp_path / "kg", "leaf 7", "hub")
    assert "leaf 1 -[near]-> leaf 2" in shown(capsys, "paths", tmp_path / "kg", "leaf 1", "leaf 2")
    assert "no path joins these words" in shown(capsys, "paths", tmp_path / "kg", "leaf 7", "leaf 8")
    assert [m.candidates[0].entity for m in EntityLinker(graph).link("The hub.")] == [hub]


# ---- long tokens


@pytest.mark.parametrize("name", ["a.nt", "a.tsv", "a.csv"])
def test_a_value_of_16_mb_is_read_and_shown_by_its_beginning(tmp_path, capsys, name):
    size = (16 << 20) + 5
    rows = {
        "a.nt": '<x:a> <x:b> "{}" .\n<x:a> <x:b> <x:c> .\n', "a.tsv": "a\tb\t{}\na\tb\tc\n",
        "a.csv": "a,b,{}\na,b,c\n",
    }  # fmt: skip
    graph = built(tmp_path, name, rows[name].replace("{}", "x" * size))
    assert graph.num_edges == 2
    assert max(len(graph.entity_id(entity)) for entity in range(graph.num_entities)) >= size
    text = shown(capsys, "show", tmp_path / "kg", "a" if name != "a.nt" else "x:a")
    assert f"({size:,} characters)" in text
    assert len(text) < 10 * MAX_NAME_CHARACTERS


def test_a_quote_that_never_ends_is_a_bad_line_before_it_swallows_the_file(tmp_path):
    (tmp_path / "a.csv").write_text('a,is,"b\n' + "c,is,d\n" * 40_000)
    with pytest.raises(BadLinesError, match=r"a.csv:1: not valid CSV: field larger than field limit \(131072\)"):
        build_graph(tmp_path / "a.csv", tmp_path / "kg")
    build_graph(tmp_path / "a.csv", tmp_path / "kg", BuildConfig(skip_bad_lines=True))
    assert len(KnowledgeGraph.open(tmp_path / "kg").edge_sources(0)) == 40_000


def test_a_long_label_with_escapes_is_taken_apart_without_a_step_for_each_character():
    text = "w\u00f6rd\t " * 300_000
    assert literal_parts('"' + text.replace("\t", "\\t") + '"@en') == (text, "en", "")


@pytest.mark.parametrize("key", ['"', '"a', '"a"b"', '"a\\"', '"a\\\\"', '"\\', '"a"@', '"a"^^<', '"a\\"b"@en'])
def test_keys_that_look_like_literals_are_their_own_text_unless_they_are_literals(key):
    parts = literal_parts(key)
    assert parts.text == {'"a\\\\"': "a\\", '"a\\"b"@en': 'a"b'}.get(key, key)


def test_a_graph_of_one_edge_and_one_of_none_are_graphs(tmp_path, capsys):
    assert built(tmp_path, "a.tsv", "a\tb\tc\n").num_edges == 1
    graph = built(tmp_path, "a.tsv", "")
    assert (graph.num_edges, graph.num_entities, graph.find_entities("a")) == (0, 0, ())
    assert np.array_equal(graph.live_edges(), [])
    assert "triples" in shown(capsys, "stats", tmp_path / "kg")
    assert "no path" in shown(capsys, "paths", tmp_path / "kg", "a", "b")
