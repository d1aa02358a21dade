"""What qualifies a statement: names, stored forms, and how people read it."""

import numpy as np
import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import GraphError
from kg_reason.kg import delimited
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.qualifiers import (
    QualifierNames,
    StoredQualifiers,
    from_plain,
    parse_qualifiers,
    plain_qualifiers,
    qualifier_text,
    said_qualifiers,
    short_date,
)

TABLE = "head,relation,tail,source,Note,said_by\na,r,b,EU list,first,Bo\na,r,c,,,\n"
DRAWING = (
    '<graphml><key id="s" for="edge" attr.name="source"/><key id="n" for="edge" attr.name="note"/>\n'
    '<graph><edge source="a" target="b"><data key="s">EU list</data><data key="n">first</data></edge></graph></graphml>'
)
OBJECTS = '{"links": [{"source": "a", "target": "b", "valid_from": 2019, "note": ["first", "second"], "weight": 0.5}]}'
EXPORT = ":START_ID,:END_ID,:TYPE,source,note\na,b,OWNS,EU list,first\n"


def said(folder, name, text, **settings):
    """Return the qualifiers of the first edge of a file."""
    (folder / name).write_text(text)
    build_graph(folder / name, folder / "kg", BuildConfig(**settings))
    graph = KnowledgeGraph.open(folder / "kg")
    edge = next(edge for edge in range(graph.num_edges) if graph.entity_id(int(graph.edge_tail[edge])) == "b")
    return dict(graph.edge_statements(edge)[0].qualifiers)


def test_the_source_of_a_row_is_kept_and_other_columns_only_where_they_are_asked_for(tmp_path):
    assert said(tmp_path, "a.csv", TABLE) == {"source": ("EU list",)}
    assert said(tmp_path, "a.csv", TABLE, source_column="said_by") == {"source": ("Bo",)}
    assert said(tmp_path, "a.csv", TABLE, qualifier_columns=("note", "said_by")) == {
        "source": ("EU list",), "note": ("first",), "said by": ("Bo",)
    }
    assert said(tmp_path, "a.tsv", TABLE.replace(",", "\t")) == {"source": ("EU list",)}


@pytest.mark.parametrize(("name", "text", "source"), [
    ("a.graphml", DRAWING, {"source": ("EU list",)}), ("b.csv", EXPORT, {"source": ("EU list",)}),
])
def test_edges_of_property_graphs_have_sources_and_other_qualifiers_too(tmp_path, name, text, source):
    assert said(tmp_path, name, text) == source
    assert said(tmp_path, name, text, qualifier_columns=("Note",)) == {**source, "note": ("first",)}


def test_the_ends_of_a_node_link_edge_are_no_source_of_it(tmp_path):
    assert said(tmp_path, "a.json", OBJECTS) == {"valid_from": ("2019",)}
    assert said(tmp_path, "a.json", OBJECTS, qualifier_columns=("note",))["note"] == ("first", "second")


def test_plain_rows_say_the_same_as_rows_that_are_read_one_by_one(tmp_path, monkeypatch):
    cells = ["", "EU list", " EU list ", "é", "\u00a0x\u00a0", "back\\slash", "2019", "<http://e/g>", "{}", "_:x"]
    rows = [f"h{number}\tr\tt\t{cells[number % 10]}\t{cells[number % 7]}\t0.5" for number in range(140)]
    table = "head\trelation\ttail\tsource\tvalid_from\tweight\n" + "\n".join(rows) + "\n"
    found = []
    for has_compiler in (True, False):
        monkeypatch.setattr(delimited, "HAS_COMPILER", has_compiler)
        (tmp_path / "a.tsv").write_text(table)
        build_graph(tmp_path / "a.tsv", tmp_path / "kg")
        graph = KnowledgeGraph.open(tmp_path / "kg")
        found.append([graph.edge_statements(edge) for edge in range(graph.num_edges)])
    assert found[0] == found[1]
    assert ("<http://e/g>",) in {statements[0].qualifiers.get("source") for statements in found[0]}


def test_two_columns_of_one_qualifier_are_both_kept(tmp_path):
    assert said(tmp_path, "a.csv", "head,relation,tail,source,Source\na,r,b,y,x\n") == {"source": ("x", "y")}


def test_a_column_that_is_head_or_tail_is_no_source(tmp_path):
    table = "source,relation,target\na,r,b\n"
    assert said(tmp_path, "a.csv", table, head_column="source", tail_column="target") == {}


def test_a_graph_without_qualifiers_stores_none(tmp_path):
    (tmp_path / "a.csv").write_text("head,relation,tail,source\na,r,b,\n")
    build_graph(tmp_path / "a.csv", tmp_path / "kg")
    assert not [*(tmp_path / "kg" / "arrays").glob("qualif*")]
    assert KnowledgeGraph.open(tmp_path / "kg").edge_statements(0)[0].qualifiers == {}


@pytest.mark.parametrize(("relation", "name"), [
    ("http://schema.org/startDate", "valid_from"), ("http://www.wikidata.org/prop/qualifier/P582", "valid_until"),
    ("http://purl.org/dc/terms/source", "source"), ("http://e/heldSince", "valid_from"), ("http://e/share", "weight"),
    ("http://e/shareClass", "share class"), ("http://e/valid_from", "valid_from"), ("http://e/weight", "plain weight"),
    ("http://e/stake", "weight"),
])
def test_a_relation_gives_the_qualifier_that_its_name_tells(relation, name):
    names = QualifierNames(BuildConfig(from_column="held_since", weight_column="share|Stake"))
    assert names.of_relation(relation) == name


@pytest.mark.parametrize(("text", "date"), [
    ("2026-06-30", "2026-06-30"), ("2026-06-30T12:00:00Z", "2026-06-30"), ("2026-06-30+02:00", "2026-06-30"),
    ("2026Z", "2026"), (" 2026-06 ", "2026-06"), ("May 2026", ""), ("", ""), ("20260630", ""),
    ("30.06.2026", "2026-06-30"), ("1.2.2024", "2024-02-01"), ("13.13.2024", ""), ("12/31/2024", ""),
])
def test_a_date_is_a_day_a_month_or_a_year(text, date):
    assert short_date(text) == date


def test_equal_sets_have_one_stored_form():
    dates = {"valid_from": ("2019-01-01T00:00:00",)}
    text = qualifier_text({"weight": ("0.120",), "b": ("y", "x", "x"), **dates, "c": ("",)})
    assert text == '{"b":["x","y"],"valid_from":"2019-01-01","weight":"0.12"}'
    assert qualifier_text(parse_qualifiers(text)) == text
    assert parse_qualifiers("<http://e/g>") == {"source": ("http://e/g",)}
    assert parse_qualifiers("") == {}


@pytest.mark.parametrize("text", ["{", "[1]", "7", '{"a":', "nonsense"])
def test_a_damaged_set_is_told(text):
    with pytest.raises(GraphError, match="found qualifiers that cannot be read"):
        parse_qualifiers(text)


def test_a_set_that_is_not_there_is_told():
    stored = StoredQualifiers(np.array([0]), np.array([3]), np.empty(0, np.uint8), np.array([0]))
    with pytest.raises(GraphError, match="found set 3 of qualifiers, of 0; build the graph again"):
        stored.of_rows(0, 1)


def test_numbers_of_another_graph_are_told():
    stored = StoredQualifiers(np.array([0, 7]), np.array([0, 0]), np.empty(0, np.uint8), np.array([0, 0]))
    stored.check(8)
    with pytest.raises(GraphError, match="found numbers from 0 to 7, expected 0 to 6; build the graph again"):
        stored.check(7)


@pytest.mark.parametrize(("plain", "weight", "words"), [
    ({}, 1.0, ""), ({}, 0.25, "0.25"), ({"weight": "0.12"}, 0.9, "0.12"), ({"valid_from": "2019"}, 1.0, "since 2019"),
    ({"valid_from": "2019", "valid_until": "2024"}, 1.0, "2019 to 2024"), ({"valid_until": "2024"}, 1.0, "until 2024"),
    ({"note": "n", "source": ["A", "B"], "weight": 0.5}, 1.0, '0.5, source "A", "B", note "n"'),
])
def test_qualifiers_are_said_with_the_weight_first_then_dates_and_source(plain, weight, words):
    assert said_qualifiers(from_plain(plain), weight) == words


def test_plain_data_has_the_weight_as_a_number():
    assert plain_qualifiers({"weight": ("0.12",), "source": ("A", "B")}) == {"weight": 0.12, "source": ["A", "B"]}
