"""Class expressions of OWL become edges, or nothing; never paths through blank nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import GraphError
from kg_reason.kg import ontology
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.reading import read_triples

PREFIXES = """@prefix : <http://x/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
SUBCLASS, DISJOINT, TYPE = "subClassOf", "disjointWith", "type"


def read(turtle: str, folder: Path, config: BuildConfig | None = None) -> KnowledgeGraph:
    (folder / "a.ttl").write_text(PREFIXES + turtle)
    return KnowledgeGraph.from_triples(read_triples([folder / "a.ttl"]), config)


def short(key: str) -> str:
    return key if key.startswith('"') else key.rpartition("/")[2].rpartition("#")[2]


def edges(graph: KnowledgeGraph) -> set[tuple[str, str, str]]:
    return {
        (
            short(graph.entity_id(int(graph.edge_head[edge]))),
            short(graph.relation_id(int(graph.edge_relation[edge]))),
            short(graph.entity_id(int(graph.edge_tail[edge]))),
        )
        for edge in range(graph.num_edges)
    }  # fmt: skip


SOME = "[ a owl:Restriction ; owl:onProperty :r ; owl:someValuesFrom :b ]"


@pytest.mark.parametrize(("turtle", "expected"), [
    (f":a rdfs:subClassOf {SOME} .", {("a", "r", "b")}),
    (":a rdfs:subClassOf [ owl:onProperty :r ; owl:hasValue :b ] .", {("a", "r", "b")}),
    (":a rdfs:subClassOf [ owl:onProperty :r ; owl:hasValue 7 ] .",
     {("a", "r", '"7"^^<http://www.w3.org/2001/XMLSchema#integer>')}),
    (":a rdfs:subClassOf [ owl:onProperty :r ; owl:onClass :b ; "
     'owl:minQualifiedCardinality "1"^^xsd:nonNegativeInteger ] .', {("a", "r", "b")}),
    (":a rdfs:subClassOf [ owl:onProperty :r ; owl:onClass :b ; "
     'owl:qualifiedCardinality "2"^^xsd:nonNegativeInteger ] .', {("a", "r", "b")}),
    (":a rdfs:subClassOf [ owl:complementOf :b ] .", {("a", DISJOINT, "b")}),
    (f":a owl:equivalentClass [ owl:intersectionOf ( :c {SOME} ) ] .", {("a", SUBCLASS, "c"), ("a", "r", "b")}),
    (f"[ owl:intersectionOf ( :c {SOME} ) ] owl:equivalentClass :a .", {("a", SUBCLASS, "c"), ("a", "r", "b")}),
    (f":a owl:intersectionOf ( :c {SOME} ) .", {("a", SUBCLASS, "c"), ("a", "r", "b")}),
    (f":a rdfs:subClassOf [ owl:intersectionOf ( :c [ owl:intersectionOf ( :d {SOME} ) ] ) ] .",
     {("a", SUBCLASS, "c"), ("a", SUBCLASS, "d"), ("a", "r", "b")}),
    (f":a rdfs:subClassOf [ owl:onProperty :q ; owl:someValuesFrom [ owl:intersectionOf ( :c {SOME} ) ] ] .",
     {("a", "q", "c")}),
    (f":a a {SOME} , [ owl:intersectionOf ( :c {SOME} ) ] .", {("a", TYPE, "c"), ("a", "r", "b")}),
    ("[ a owl:AllDisjointClasses ; owl:members ( :a :b :c ) ] .",
     {("a", DISJOINT, "b"), ("a", DISJOINT, "c"), ("b", DISJOINT, "c")}),
    (":a owl:disjointUnionOf ( :b :c ) .",
     {("b", SUBCLASS, "a"), ("c", SUBCLASS, "a"), ("b", DISJOINT, "c")}),
])
def test_what_an_expression_states_becomes_edges(tmp_path, turtle, expected):
    assert edges(read(turtle, tmp_path)) == expected


@pytest.mark.parametrize("turtle", [
    "rdfs:subClassOf [ owl:unionOf ( :b :c ) ]",
    "owl:equivalentClass [ a owl:Class ; owl:unionOf ( :b [ owl:intersectionOf ( :c :d ) ] ) ]",
    "rdfs:subClassOf [ owl:onProperty :r ; owl:allValuesFrom :b ]",
    "rdfs:subClassOf [ owl:onProperty :r ; owl:someValuesFrom [ owl:unionOf ( :b :c ) ] ]",
    "rdfs:subClassOf [ owl:onProperty [ owl:inverseOf :r ] ; owl:someValuesFrom :b ]",
    "rdfs:subClassOf [ owl:onProperty :r ; owl:onClass :b ; owl:maxQualifiedCardinality 1 ]",
    "rdfs:subClassOf [ owl:onProperty :r ; owl:onClass :b ; owl:minQualifiedCardinality 0 ]",
    "rdfs:subClassOf [ owl:complementOf [ owl:unionOf ( :b :c ) ] ]",
    "owl:equivalentClass [ owl:oneOf ( :b :c ) ]",
    "owl:disjointWith [ owl:unionOf ( :b :c ) ]",
    "rdfs:subClassOf [ owl:onProperty :r ; owl:someValuesFrom [ a rdfs:Datatype ; owl:onDatatype xsd:integer ; "
    "owl:withRestrictions ( [ xsd:minInclusive 5 ] ) ] ]",
])
def test_what_no_edge_can_state_leaves_nothing(tmp_path, turtle):
    graph = read(f":a {turtle} ; :near :z .", tmp_path)
    assert edges(graph) == {("a", "near", "z")}
    assert {short(graph.entity_id(entity)) for entity in range(graph.num_entities)} == {"a", "z"}


def test_notes_on_axioms_leave_no_path(tmp_path):
    graph = read(
        ':a rdfs:subClassOf :b . [] a owl:Axiom ; owl:annotatedSource :a ; owl:annotatedTarget :b ; '
        'owl:annotatedProperty rdfs:subClassOf ; rdfs:label "why" ; :source "a book" .', tmp_path,
    )
    assert edges(graph) == {("a", SUBCLASS, "b")}
    assert graph.find_entities("why") == ()


def test_other_blank_nodes_and_lists_stay(tmp_path):
    graph = read(f":a :near [ :size 3 ] , ( :c ) ; rdfs:subClassOf {SOME} .", tmp_path)
    relations = {relation for _, relation, _ in edges(graph)}
    assert relations == {"near", "size", "first", "rest", "r"}


def test_an_edge_has_the_lines_of_all_its_statements(tmp_path):
    graph = read(":a rdfs:subClassOf _:x .\n\n_:x owl:onProperty :r .\n_:x owl:someValuesFrom :b .\n", tmp_path)
    first = PREFIXES.count("\n") + 1
    assert [source.line for source in graph.edge_sources(0)] == [first, first + 2, first + 3]


def test_an_edge_that_is_also_stated_plainly_keeps_its_lines_in_reading_order(tmp_path):
    graph = read(f":z :r :y .\n:a rdfs:subClassOf {SOME} .\n:a :r :b .\n", tmp_path)
    first = PREFIXES.count("\n") + 1
    edge = next(edge for edge in range(graph.num_edges) if short(graph.entity_id(int(graph.edge_head[edge]))) == "a")
    assert [source.line for source in graph.edge_sources(edge)] == [first + 1, first + 2]


def test_the_order_of_lines_changes_no_result(tmp_path):
    lines = [
        ":a rdfs:subClassOf _:i .", "_:i owl:intersectionOf _:l .", "_:l rdf:first :c .", "_:l rdf:rest _:m .",
        "_:m rdf:first _:x .", "_:m rdf:rest rdf:nil .", "_:x owl:onProperty :r .", "_:x owl:someValuesFrom :b .",
    ]
    graphs = [read("\n".join(order), tmp_path) for order in (lines, lines[::-1], lines[4:] + lines[:4])]
    assert len({graph.fingerprint for graph in graphs}) == 1
    assert edges(graphs[0]) == {("a", SUBCLASS, "c"), ("a", "r", "b")}


def test_folding_can_be_turned_off(tmp_path):
    graph = read(f":a rdfs:subClassOf {SOME} .", tmp_path, BuildConfig(fold_owl=False))
    assert {relation for _, relation, _ in edges(graph)} == {SUBCLASS, TYPE, "onProperty", "someValuesFrom"}


def test_a_long_list_of_disjoint_classes_stays_as_it_was_written(tmp_path, monkeypatch):
    monkeypatch.setattr(ontology, "MAX_DISJOINT_CLASSES", 2)
    found = edges(read("[ a owl:AllDisjointClasses ; owl:members ( :a :b :c ) ] .", tmp_path))
    assert {relation for _, relation, _ in found} == {TYPE, "members", "first", "rest"}


def test_a_circle_of_expressions_ends(tmp_path):
    turtle = "_:x owl:intersectionOf _:l . _:l rdf:first _:x , :b ; rdf:rest _:l . :a rdfs:subClassOf _:x ."
    assert edges(read(turtle, tmp_path)) == {("a", SUBCLASS, "b")}


def test_an_expression_that_too_many_classes_share_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(ontology, "MIN_BUDGET", 10)
    monkeypatch.setattr(ontology, "BUDGET", 1)
    members = " ".join(f":m{number}" for number in range(20))
    turtle = f"_:x owl:intersectionOf ( {members} ) ." + "".join(f":c{n} rdfs:subClassOf _:x ." for n in range(20))
    with pytest.raises(GraphError, match="many classes share.*--no-fold-owl"):
        read(turtle, tmp_path)


def test_an_expression_that_is_nested_too_deep_is_refused(tmp_path):
    lines = [":a rdfs:subClassOf _:x0 ."]
    lines += [f"_:x{n} owl:intersectionOf _:l{n} . _:l{n} rdf:first _:x{n + 1} ." for n in range(400)]
    with pytest.raises(GraphError, match="nested 100 times"):
        read("\n".join(lines), tmp_path)
