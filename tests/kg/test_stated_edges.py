"""What qualifies an edge goes out with it and comes in again, in every format that is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg_reason.config import BuildConfig
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.builder import build_blocks
from kg_reason.kg.building import build_graph, is_delimited
from kg_reason.kg.editing import edit_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.inputs import find_inputs
from kg_reason.kg.interchange import export_text, to_networkx, to_rdflib
from kg_reason.kg.overlay import apply_edits
from kg_reason.kg.qualifiers import said_qualifiers, shown_weight
from kg_reason.kg.reading import read_blocks
from kg_reason.kg.stated_edges import further_qualifiers
from kg_reason.kg.triples import Source, Triple

REGISTRY = Path(__file__).parents[2] / "graphs" / "exports" / "ownership" / "registry.csv"
FURTHER = ("note", "share class", "a%3A/b", "größe", "rank order", "key")
TEXTS = st.one_of(
    st.sampled_from(["EU list", "2019", '"quoted"', "_:x", "<http://e/g>", "a, b; c|d", "50 %", "\\\\", "é\u0301"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufffe\uffff"), max_size=6),
)
WEIGHTS = st.one_of(st.just(1.0), st.floats(0, 1e6, width=32), st.sampled_from([0.0, 0.12, 1e-30]))
NODES = st.sampled_from(["ex:a", "ex:b", "ex:c"])


def links(*, num_values: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return edges as node-link JSON has them, each qualifier with at most so many values."""
    values = st.lists(TEXTS, max_size=num_values)
    return st.lists(
        st.fixed_dictionaries(
            {"source": NODES, "target": NODES, "relation": st.sampled_from(["ex:r", "ex:s"])},
            optional={
                "weight": WEIGHTS, "valid_from": values, "valid_until": st.sampled_from([["2020"], ["2021-05-06"]]),
                "source_name": values, **dict.fromkeys(FURTHER, values),
            },
        ),
        min_size=1, max_size=6,
    )  # fmt: skip


def read(path: Path, **given_settings: Any) -> KnowledgeGraph:  # noqa: ANN401 - settings of any type
    """Build a graph of one file in memory."""
    config = BuildConfig(qualifier_columns=FURTHER, **given_settings)
    inputs, bad_lines = find_inputs([path], config), BadLines()
    blocks = [(block, is_delimited(inputs[block.file])) for block in read_blocks(inputs, config, bad_lines)]
    assert [*bad_lines] == []
    built = build_blocks(blocks, [item.name for item in inputs], config)
    return KnowledgeGraph(built, None, apply_edits(built, ()))


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[KnowledgeGraph, KnowledgeGraph]]:
    """Return a graph of some edges, and the graph of what is written of it in a format."""
    folder = tmp_path_factory.mktemp("again")

    def write(edges: list[dict[str, Any]], export_format: str) -> tuple[KnowledgeGraph, KnowledgeGraph]:
        (folder / "a.json").write_text(json.dumps({"links": edges}))
        graph = read(folder / "a.json", source_column="source_name")
        (folder / f"a.{export_format}").write_text(export_text(graph, export_format), encoding="utf-8", newline="")
        return graph, read(folder / f"a.{export_format}")

    return write


def stated(graph: KnowledgeGraph) -> list[tuple[Any, ...]]:
    """Return every statement of every edge with the weight of the edge."""
    keys = (graph.entity_id, graph.relation_id, graph.entity_id)
    columns = (graph.edge_head, graph.edge_relation, graph.edge_tail)
    return sorted(
        (*(key(int(column[edge])) for key, column in zip(keys, columns, strict=True)), float(graph.edge_weight[edge]),
         json.dumps(statement.qualifiers, sort_keys=True))
        for edge in range(graph.num_edges) for statement in graph.edge_statements(edge) if statement.qualifiers
    )  # fmt: skip


def named(graph: KnowledgeGraph) -> list[tuple[str, str, float, str]]:
    """Return every statement of every edge by the labels of its ends, with its weight."""
    return sorted(
        (*(graph.entity_label(int(column[edge])) for column in (graph.edge_head, graph.edge_tail)),
         shown_weight(graph.edge_weight[edge]), said_qualifiers(statement.qualifiers))
        for edge in range(graph.num_edges) for statement in graph.edge_statements(edge)
    )  # fmt: skip


@pytest.mark.parametrize("export_format", ["nt", "ttl", "tsv"])
@settings(max_examples=max(60, settings().max_examples), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(edges=links(num_values=2))
def test_a_graph_with_qualifiers_that_is_written_and_built_again_is_the_same(again, export_format, edges):
    graph, same = again(edges, export_format)
    assert stated(same) == stated(graph)
    assert same.fingerprint == graph.fingerprint


@settings(max_examples=max(60, settings().max_examples), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(edges=links(num_values=1))
def test_so_is_one_of_graphml_where_each_qualifier_has_one_value(again, edges):
    graph, same = again(edges, "graphml")
    assert stated(same) == stated(graph)
    assert same.fingerprint == graph.fingerprint


@pytest.mark.parametrize(
    ("export_format", "is_same"), [("nt", False), ("ttl", False), ("tsv", True), ("graphml", True)]
)
def test_a_table_of_texts_comes_back_with_its_shares_dates_and_sources(tmp_path, export_format, is_same):
    graph = read(REGISTRY)
    (tmp_path / f"a.{export_format}").write_text(export_text(graph, export_format))
    same = read(tmp_path / f"a.{export_format}")
    assert (same.fingerprint == graph.fingerprint) is is_same  # RDF makes IRIs of texts
    assert named(same) == named(graph)


def test_edits_lie_over_what_is_written(tmp_path):
    build_graph(REGISTRY, tmp_path / "kg")
    edit_graph(tmp_path / "kg", "remove", "Orlin Shipping", "owned by", "Norda Trust")
    edit_graph(tmp_path / "kg", "add", "Orlin Shipping", "owned by", "Maren Fund")
    rows = export_text(KnowledgeGraph.open(tmp_path / "kg"), "tsv").splitlines()
    assert "Orlin Shipping\towned by\tKestrel Holding\t0.74\t\t\tTrade register 2026\t2019-05-01\t" in rows
    assert "Orlin Shipping\towned by\tMaren Fund\t\t\t\t\t\t" in rows
    assert not any("Norda Trust" in row for row in rows)


def test_edges_without_a_weight_have_none_in_tsv_and_pass_a_filter_of_weights_again(tmp_path):
    (tmp_path / "a.csv").write_text("head,relation,tail,weight\na,owns,b,80\na,owns,c,20\na,knows,d,\n")
    (tmp_path / "b.tsv").write_text(export_text(read(tmp_path / "a.csv"), "tsv"))
    again = read(tmp_path / "b.tsv", min_weight=50)
    assert sorted(again.entity_id(int(tail)) for tail in again.edge_tail) == ["b", "d"]


def test_an_inferred_edge_is_stated_once_and_its_premises_keep_what_qualifies_them(tmp_path):
    (tmp_path / "a.ttl").write_text(
        "@prefix : <http://e/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
        ':a rdfs:subClassOf :b {| :source "x" |} {| :source "y" |} . :b rdfs:subClassOf :c .\n'
    )
    graph = read(tmp_path / "a.ttl", infer="rdfs")
    rows = export_text(graph, "tsv", with_inferred=True).splitlines()
    cells = [row.replace("http://e/", "").split("\t") for row in rows]
    assert [(row[0], row[2], *row[6:]) for row in cells] == [
        ("head", "tail", "source", "inferred"), ("a", "b", "x", ""), ("a", "b", "y", ""), ("b", "c", "", ""),
        ("a", "c", "", "yes"),
    ]


def test_networkx_has_an_edge_for_each_statement(tmp_path):
    (tmp_path / "a.csv").write_text("head,relation,tail,weight,source\na,r,b,0.12,x\na,r,b,,y\na,s,b,,\na,s,b,,\n")
    name = tmp_path / "a.csv"
    graph = read(name)
    assert [values for _, _, values in to_networkx(graph).edges(data=True)] == [
        {"relation": "r", "weight": 0.12, "sources": f"{name}:2", "source": "x"},
        {"relation": "r", "weight": 1.0, "sources": f"{name}:3", "source": "y"},
        {"relation": "s", "weight": 1.0, "sources": f"{name}:4 {name}:5"},
    ]
    assert to_networkx(graph, with_qualifiers=False).number_of_edges() == 2


LEFT_OUT = ':a :r :b {| :rank "best" ; :startdate "2020" ; :source "x" , "y" ; :weight "high" ; :note "n" |} .'


@pytest.mark.parametrize(("export_format", "told"), [
    ("tsv", "because TSV cannot hold them: rank 1, weight 1"),
    ("graphml", "because a property graph cannot hold them: source 1, weight 1"),
    ("nt", ""), ("ttl", ""),
])
def test_what_a_format_cannot_hold_is_told_with_a_count(tmp_path, caplog, export_format, told):
    (tmp_path / "a.ttl").write_text(f"@prefix : <http://e/> .\n{LEFT_OUT}\n")
    graph = read(tmp_path / "a.ttl")
    (tmp_path / f"b.{export_format}").write_text(export_text(graph, export_format))
    if told:
        assert caplog.messages == [f"values of qualifiers left out {told}"]
    else:
        assert caplog.messages == []
        assert stated(read(tmp_path / f"b.{export_format}")) == stated(graph)
    assert read(tmp_path / f"b.{export_format}").edge_statements(0)[0].qualifiers["note"] == ("n",)


def test_a_format_that_can_hold_nothing_of_it_tells_so(tmp_path, caplog):
    (tmp_path / "a.ttl").write_text('@prefix : <http://e/> . :a :r :b {| :rank "best" |} .')
    assert export_text(read(tmp_path / "a.ttl"), "tsv").splitlines()[1] == "http://e/a\thttp://e/r\thttp://e/b\t\t\t"
    assert caplog.messages == ["values of qualifiers left out because TSV cannot hold them: rank 1"]


@pytest.mark.parametrize("export_format", ["nt", "ttl"])
def test_edges_of_blank_nodes_and_literals_keep_what_qualifies_them(tmp_path, export_format):
    rows = (
        ':a :r "say \\"x\\" \\\\ >>"@de {| :source "x" |} . _:n :r "1"^^<http://e/int> {| :weight 0.5 |} .',
        ":a :r _:n {| :note \"\"\"two\nlines\"\"\" |} . _:n :r _:m {| :source <http://e/list> , \"y\" |} .",
    )
    (tmp_path / "a.ttl").write_text("@prefix : <http://e/> .\n" + "\n".join(rows))
    graph = read(tmp_path / "a.ttl")
    (tmp_path / f"b.{export_format}").write_text(export_text(graph, export_format))
    same = read(tmp_path / f"b.{export_format}")
    assert len(stated(graph)) == 3
    assert repr(stated(same)).replace("_:f1_f1_", "_:f1_") == repr(stated(graph))  # of a file, blank nodes are its own
    assert sorted(same.edge_weight.tolist()) == [0.5, 1.0, 1.0, 1.0]


def test_a_name_that_rdf_would_read_as_another_qualifier_is_told(tmp_path, caplog):
    (tmp_path / "a.csv").write_text("head,relation,tail,note\na,r,b,x\n")
    config = BuildConfig(qualifier_columns=("note",))
    build_graph(tmp_path / "a.csv", tmp_path / "kg", config)
    graph = KnowledgeGraph.open(tmp_path / "kg")
    assert "note" in export_text(graph, "nt")
    (tmp_path / "a.csv").write_text("head,relation,tail,startdate\na,r,b,x\n")
    build_graph(tmp_path / "a.csv", tmp_path / "kg", BuildConfig(qualifier_columns=("startdate",)))
    assert "startdate" not in export_text(KnowledgeGraph.open(tmp_path / "kg"), "nt")
    assert caplog.messages[-1] == "values of qualifiers left out because RDF cannot hold them: startdate 1"


def test_without_qualifiers_rdf_is_what_tools_without_triple_terms_read():
    graph = read(REGISTRY)
    for export_format in ("nt", "ttl"):
        text = export_text(graph, export_format, with_qualifiers=False)
        assert len(rdflib.Graph().parse(data=text, format=export_format)) == len(to_rdflib(graph)) == 7 + 8
    assert export_text(graph, "tsv", with_qualifiers=False).splitlines()[1] == (
        "Orlin Shipping\towned by\tNorda Trust\t0.12\t\t"
    )


def test_a_node_that_has_the_name_of_a_reifier_stays_another(tmp_path):
    triples = [Triple("_:statement1", "ex:r", "ex:b", Source("a", 1), weight=0.5)]
    text = export_text(KnowledgeGraph.from_triples(triples), "nt")
    assert "_:statement2 <text:weight> \"0.5\" ." in text
    (tmp_path / "a.nt").write_text(text)
    assert read(tmp_path / "a.nt").num_edges == 1


def test_further_qualifiers_are_those_that_a_build_must_be_told_of(tmp_path):
    (tmp_path / "a.ttl").write_text(f"@prefix : <http://e/> .\n{LEFT_OUT}\n")
    assert further_qualifiers(read(tmp_path / "a.ttl")) == ["note", "rank"]
    assert further_qualifiers(read(REGISTRY)) == []
