"""Statements about statements become qualifiers of edges, from every notation and in any order of lines."""

import random

import pyoxigraph
import pytest

from kg_reason.config import BuildConfig
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.paths import describe_edge

PREFIXES = """\
PREFIX : <http://e/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX pq: <http://www.wikidata.org/prop/qualifier/>
"""
TURTLE = PREFIXES + """\
:Acme :owns :Beta {| :weight 0.12 ; :validFrom "2019" ; :validUntil "2024"^^xsd:gYear ; :source "EU list" |} .
:Acme :owns :Beta {| :weight 0.55 ; :validFrom "2025-01-01"^^xsd:date ; :source "register" |} .
:Beta :owns :Delta {| :weight 0.6 ; :source "register" |} .
:Delta :owns :Echo .
"""
TABLE = """\
head,relation,tail,weight,valid_from,valid_until,source
http://e/Acme,http://e/owns,http://e/Beta,0.12,2019,2024,EU list
http://e/Acme,http://e/owns,http://e/Beta,0.55,2025-01-01,,register
http://e/Beta,http://e/owns,http://e/Delta,0.6,,,register
http://e/Delta,http://e/owns,http://e/Echo,,,,
"""
ONE_EDGE = {
    "annotation": ':a :r :b {| :source "x" ; :weight 0.5 |} .',
    "reifier": ':a :r :b ~ :n . :n :source "x" ; :weight 0.5 .',
    "reified triple": ':a :r :b . << :a :r :b >> :source "x" ; :weight 0.5 .',
    "triple term": ':n rdf:reifies <<( :a :r :b )>> ; :source "x" ; :weight 0.5 . :a :r :b .',
    "reification": "[] a rdf:Statement ; rdf:subject :a ; rdf:predicate :r ; rdf:object :b ;"
                   ' :source "x" ; :weight 0.5 . :a :r :b .',
    "axiom": "[] a owl:Axiom ; owl:annotatedSource :a ; owl:annotatedProperty :r ; owl:annotatedTarget :b ;"
             ' :source "x" ; :weight 0.5 . :a :r :b .',
}  # fmt: skip
SAID = {"source": ("x",)}


@pytest.fixture
def build(tmp_path):
    def built(*texts: str, suffix: str = "ttl", **settings: object) -> KnowledgeGraph:
        files = [tmp_path / f"{number}.{suffix}" for number in range(len(texts))]
        for path, text in zip(files, texts, strict=True):
            path.write_text(PREFIXES + text if suffix == "ttl" and not text.startswith("PREFIX") else text)
        build_graph(files, tmp_path / "kg", BuildConfig(**settings))
        return KnowledgeGraph.open(tmp_path / "kg")

    return built


def stated(graph: KnowledgeGraph) -> dict[tuple[str, str, str], list[dict[str, tuple[str, ...]]]]:
    """Return the qualifiers of every statement by the readable names of its edge."""
    found = {}
    for edge in graph.live_edges().tolist():
        step = describe_edge(graph, edge)
        said = [dict(statement.qualifiers) for statement in graph.edge_statements(edge)]
        found[step.head_label, step.relation, step.tail_label] = said
    return found


@pytest.mark.parametrize("notation", ONE_EDGE)
def test_every_notation_of_a_statement_about_a_statement_qualifies_its_edge_and_is_no_edge(build, notation):
    graph = build(ONE_EDGE[notation])
    assert stated(graph) == {("a", "r", "b"): [SAID]}
    assert (graph.num_entities, graph.num_relations, float(graph.edge_weight[0])) == (2, 1, 0.5)


def test_a_table_and_its_turtle_give_equal_graphs_and_say_the_same_of_each_step(build, tmp_path):
    from_turtle = build(TURTLE)
    steps = [describe_edge(from_turtle, edge) for edge in range(from_turtle.num_edges)]
    from_table = build(TABLE, suffix="csv")
    assert from_table.fingerprint == from_turtle.fingerprint
    again = [describe_edge(from_table, edge) for edge in range(from_table.num_edges)]
    assert [(step.weight, step.qualifiers) for step in again] == [(step.weight, step.qualifiers) for step in steps]
    said = {step.tail_label: step.said_sources() for step in again}
    assert said["Beta"] == (
        f'{tmp_path}/0.csv:2 (0.12, 2019 to 2024, source "EU list")',
        f'{tmp_path}/0.csv:3 (0.55, since 2025-01-01, source "register")',
    )
    assert said["Echo"] == (f"{tmp_path}/0.csv:5",)


def test_shuffling_the_lines_changes_no_result(build):
    quads = [*pyoxigraph.parse(TURTLE + ONE_EDGE["reification"], pyoxigraph.RdfFormat.TURTLE)]
    lines = [f"{quad.triple} .\n" for quad in quads]
    first = build("".join(lines), suffix="nt")
    wanted = {triple: sorted(map(repr, said)) for triple, said in stated(first).items()}
    for seed in range(5):
        random.Random(seed).shuffle(lines)
        graph = build("".join(lines), suffix="nt")
        assert graph.fingerprint == first.fingerprint
        assert {triple: sorted(map(repr, said)) for triple, said in stated(graph).items()} == wanted


def test_a_triple_that_is_only_spoken_of_adds_no_edge_and_is_counted(build, caplog):
    graph = build(':a :r :b . << :a :r :c >> :weight 0.9 . << :x :y :z >> :source "s" . :m :says <<( :a :r :b )>> .')
    assert stated(graph) == {("a", "r", "b"): [{}]}
    assert graph.num_entities == 2
    assert "triples that are spoken of and not stated, so that they add no edge: 2" in caplog.text
    assert "statements left out because their tail is a triple or stands for one: 1" in caplog.text


def test_a_note_on_a_label_is_neither_an_edge_nor_counted_as_one_that_is_missing(build, caplog):
    graph = build(':a rdfs:label "A" {| :source "x" |} . :a :r :b .')
    assert stated(graph) == {("A", "r", "b"): [{}]}
    assert "spoken of" not in caplog.text


def test_a_note_in_another_file_speaks_of_the_edge_and_one_in_its_own_file_of_its_own_statement(build):
    note = "<< :a :r :b >> :source"
    assert stated(build(":a :r :b .", f'{note} "x" .')) == {("a", "r", "b"): [{"source": ("x",)}]}
    graph = build(f':a :r :b . {note} "x" .', ":a :r :b .")
    assert stated(graph) == {("a", "r", "b"): [{"source": ("x",)}, {}]}
    graph = build(f':a :r :b . {note} "x" .', ":a :r :b .", f'{note} "y" .')
    assert stated(graph) == {("a", "r", "b"): [{"source": ("x",)}, {"source": ("y",)}]}
    graph = build(f':a :r :b . {note} "x" .', f'{note} "y" .')
    assert stated(graph) == {("a", "r", "b"): [{"source": ("x",)}, {"source": ("y",)}]}


def test_well_known_names_and_those_of_the_settings_are_the_same_qualifiers(build):
    told = ':a :r :b {| pq:P580 "2019-01-01T00:00:00Z"^^xsd:dateTime ; :endDate "2020" ; prov:wasDerivedFrom :list ; '
    told += ':shareClass "A" , "B" ; :filer [ :name "nobody" ] ; :since 7 |} . :list rdfs:label "EU list" .'
    graph = build(told)
    assert stated(graph)["a", "r", "b"] == [{
        "valid_from": ("2019-01-01",), "valid_until": ("2020",), "source": ("http://e/list",),
        "share class": ("A", "B"), "since": ("7",),
    }]
    edge = graph.edges_of(graph.entity("a"))[0]
    assert describe_edge(graph, edge).qualifiers[0]["source"] == ("EU list",)
    renamed = build(told, weight_column="since")
    assert "0.ttl:7 (7, 2019-01-01 to 2020" in describe_edge(renamed, edge).said_sources()[0].replace(":8", ":7")


def test_with_unfolded_owl_notes_on_axioms_stay_as_they_are_written(build):
    assert build(ONE_EDGE["axiom"], fold_owl=False).num_edges > 3
    assert build(ONE_EDGE["reification"], fold_owl=False).num_edges == 1


def test_an_unfinished_or_ambiguous_reification_stays_as_it_is_written(build):
    graph = build(":n rdf:subject :a ; rdf:predicate :r . :a :r :b .")
    assert graph.num_edges == 3
    graph = build(":n rdf:subject :a , :c ; rdf:predicate :r ; rdf:object :b . :a :r :b .")
    assert graph.num_edges == 5


def test_a_class_expression_keeps_the_qualifiers_of_its_statement(build):
    expression = "_:x a owl:Restriction ; owl:onProperty :part ; owl:someValuesFrom :B ."
    graph = build(f':A rdfs:subClassOf _:x {{| :source "s" |}} . {expression}')
    assert stated(graph)["A", "part", "B"][0] == {"source": ("s",)}


def test_statements_of_one_edge_keep_their_own_weights(build):
    graph = build("a,r,b,0.2\na,r,b,0.9\na,r,b,0.9\n", suffix="csv")
    assert float(graph.edge_weight[0]) == pytest.approx(0.9)
    assert stated(graph) == {("a", "r", "b"): [{"weight": ("0.2",)}, {}, {}]}
    assert [said.partition("(")[2] for said in describe_edge(graph, 0).said_sources()] == ["0.2)", "0.9)", "0.9)"]


def test_many_notes_on_one_often_stated_edge_cost_no_more_than_notes_and_statements(build):
    notes = "".join(f'<< :a :r :b >> :source "{number}" .\n' for number in range(200))
    graph = build(":a :r :b .\n" * 300 + notes)
    assert len(graph.edge_statements(0)) == 300
    assert {said["source"][0] for said in stated(graph)["a", "r", "b"]} == {str(number) for number in range(200)}


def test_the_graph_of_a_quad_is_the_source_of_its_statement(build):
    edge = "<http://e/a> <http://e/r> <http://e/b>"
    quads = f"{edge} <http://e/g1> .\n{edge} <http://e/g2> .\n"
    quads += '<http://e/a> <http://e/r> "caf\\u00e9" <http://e/g1> .\n<http://e/a> <http://e/s> <http://e/b> _:g .\n'
    graph = build(quads + "<http://e/a> <http://e/s> <http://e/c> .\n", suffix="nq")
    said = stated(graph)
    assert said["a", "r", "b"] == [{"source": ("http://e/g1",)}, {"source": ("http://e/g2",)}]
    assert said["a", "r", "café"] == [{"source": ("http://e/g1",)}]
    assert said["a", "s", "b"] == said["a", "s", "c"] == [{}]
    assert stated(build(quads, suffix="nq", exclude_sources=("http://e/g1",)))["a", "r", "b"] == [
        {"source": ("http://e/g2",)}
    ]
