"""Which statements count at a build and at a question: by day, weight and source."""

import pytest

from kg_reason.config import BuildConfig, StatementConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.building import build_graph
from kg_reason.kg.filtered_graph import filtered_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.overlay import Edit
from kg_reason.kg.paths import describe_edge

REGISTER = """\
head,relation,tail,weight,valid_from,valid_until,source
Acme,owns,Beta,0.12,2019,2024,EU list
Acme,owns,Beta,0.55,2025,,http://e/Trade_Register
Beta,owns,Delta,0.3,,,EU list
"""
FACTS = "head\trelation\ttail\tweight\nDelta\towns\tEcho\t0.4\nDelta\tis in\tRome\t\n"
ANNOTATED = """\
<http://e/a> <http://e/r> <http://e/b> {| <http://e/weight> 0.2 ; <http://e/validUntil> "2020" |} .
<http://e/a> <http://e/r> <http://e/c> {| <http://e/weight> 0.8 ; <http://e/validUntil> "later" |} .
"""
CASES = [
    ({}, {"Beta", "Delta", "Echo", "Rome"}),
    ({"as_of": "2018-01-01"}, {"Delta", "Echo", "Rome"}),
    ({"as_of": "2024-12-31"}, {"Beta", "Delta", "Echo", "Rome"}),
    ({"min_weight": 0.35}, {"Beta", "Echo", "Rome"}),
    ({"only_sources": ("eu list",)}, {"Beta", "Delta"}),
    ({"only_sources": ("trade register", "facts.tsv")}, {"Beta", "Echo", "Rome"}),
    ({"exclude_sources": ("EU list",)}, {"Beta", "Echo", "Rome"}),
    ({"exclude_sources": ("register.csv",)}, {"Echo", "Rome"}),
    ({"exclude_sources": ("EU list", "Trade Register")}, {"Echo", "Rome"}),
    ({"as_of": "2024-12-31", "exclude_sources": ("EU list",)}, {"Echo", "Rome"}),
]


@pytest.fixture
def files(tmp_path):
    for name, text in (("register.csv", REGISTER), ("facts.tsv", FACTS)):
        (tmp_path / name).write_text(text)
    return [tmp_path / "register.csv", tmp_path / "facts.tsv"]


@pytest.fixture
def graph(files, tmp_path):
    build_graph(files, tmp_path / "whole")
    return KnowledgeGraph.open(tmp_path / "whole")


def tails(graph):
    return {graph.entity_id(int(graph.edge_tail[edge])) for edge in graph.live_edges()}


@pytest.mark.parametrize(("settings", "left"), CASES)
def test_statements_that_do_not_count_are_left_out_of_a_build(files, tmp_path, settings, left):
    build_graph(files, tmp_path / "kg", BuildConfig(**settings))
    assert tails(KnowledgeGraph.open(tmp_path / "kg")) == left


@pytest.mark.parametrize(("settings", "left"), CASES)
def test_a_built_graph_is_filtered_to_the_edges_that_a_filtered_build_has(graph, files, tmp_path, settings, left):
    build_graph(files, tmp_path / "kg", BuildConfig(**settings))
    built = KnowledgeGraph.open(tmp_path / "kg")
    filtered = filtered_graph(graph, StatementConfig(**settings))
    assert tails(filtered) == left
    for edge in range(filtered.num_edges):
        head, relation, tail = filtered.edge_head[edge], filtered.edge_relation[edge], filtered.edge_tail[edge]
        same = built.entity(filtered.entity_id(int(head))), built.entity(filtered.entity_id(int(tail)))
        (other,) = [
            number for number in built.edges_of(same[0])
            if (built.edge_head[number], built.edge_tail[number]) == same
            and built.relation_id(int(built.edge_relation[number])) == filtered.relation_id(int(relation))
        ]
        assert describe_edge(filtered, edge).said_sources() == describe_edge(built, other).said_sources()
        assert filtered.edge_weight[edge] == built.edge_weight[other]
        assert edge in filtered.edges_of(int(head))
        assert edge in filtered.edges_of(int(tail))


def test_annotated_rdf_is_filtered_by_what_it_says(tmp_path, caplog):
    (tmp_path / "a.ttl").write_text(ANNOTATED)
    cases = [({}, 2), ({"as_of": "2026-01-01"}, 1), ({"min_weight": 0.5}, 1), ({"min_weight": 1.0}, 0)]
    for settings, num_edges in cases:
        build_graph(tmp_path / "a.ttl", tmp_path / "kg", BuildConfig(**settings))
        assert KnowledgeGraph.open(tmp_path / "kg").num_edges == num_edges
    assert "statements left out because they do not hold on 2026-01-01: 1" in caplog.text
    assert "statements left out because their weight is below 0.5: 1" in caplog.text


def test_what_was_left_out_is_told_and_a_source_that_is_nobodys_too(graph, caplog):
    filtered_graph(graph, StatementConfig(exclude_sources=("EU list", "UN list")))
    assert "statements left out because of their source: 2" in caplog.text
    assert "no statement comes from the source 'UN list'" in caplog.text


def test_dates_that_are_none_are_told_where_a_day_is_asked_for(tmp_path, caplog):
    (tmp_path / "a.csv").write_text("head,relation,tail,valid_from\na,owns,b,05/01/2019\na,owns,c,2019-05-01\n")
    build_graph(tmp_path / "a.csv", tmp_path / "kg", BuildConfig())
    graph = KnowledgeGraph.open(tmp_path / "kg")
    assert tails(filtered_graph(graph, StatementConfig(as_of="2018-01-01"))) == {"b"}
    assert "dates that are none do not bound anything: 1, such as '05/01/2019'; expected 2026-06-30" in caplog.text
    caplog.clear()
    filtered_graph(graph, StatementConfig(min_weight=0.5))
    assert not caplog.text


def test_an_edited_graph_keeps_qualifiers_and_a_filtered_one_its_edits(graph):
    edits = [Edit(1, "add", "Acme", "owns", "Zeta"), Edit(2, "remove", "Delta", "is in", "Rome")]
    edited = graph.with_edits(edits)
    said = {edited.entity_id(int(edited.edge_tail[edge])): edited.edge_statements(edge) for edge in edited.live_edges()}
    assert [statement.qualifiers["source"] for statement in said["Beta"]] == [
        ("EU list",), ("http://e/Trade_Register",)
    ]
    assert said["Zeta"][0].qualifiers == {}
    assert tails(filtered_graph(edited, StatementConfig(only_sources=("EU list",)))) == {"Beta", "Delta", "Zeta"}


def test_a_filtered_graph_is_another_one(graph):
    assert filtered_graph(graph, StatementConfig()) is graph
    filtered = filtered_graph(graph, StatementConfig(as_of="2020-01-01"))
    assert filtered.fingerprint != graph.fingerprint
    assert filtered.fingerprint != filtered_graph(graph, StatementConfig(as_of="2018-01-01")).fingerprint
    assert graph.num_edges == 4


def test_a_day_that_is_none_is_told(graph):
    with pytest.raises(ConfigError, match="as_of: found 'June', expected a day such as 2026-06-30"):
        filtered_graph(graph, StatementConfig(as_of="June"))


def test_every_statement_of_too_little_weight_is_counted(tmp_path, caplog):
    rows = "head,relation,tail,weight\na,owns,b,0.1\na,owns,c,0.2\na,owns,c,0.3\na,owns,d,0.9\na,owns,e,\n"
    (tmp_path / "a.csv").write_text(rows)
    build_graph(tmp_path / "a.csv", tmp_path / "kg", BuildConfig())
    graph = KnowledgeGraph.open(tmp_path / "kg")
    assert tails(filtered_graph(graph, StatementConfig(min_weight=0.5))) == {"d", "e"}
    assert caplog.messages == ["statements left out because their weight is below 0.5: 3"]
