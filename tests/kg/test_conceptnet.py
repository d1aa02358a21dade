from __future__ import annotations

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError
from kg_reason.kg.building import build_graph
from kg_reason.kg.conceptnet import relation_name
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source

ROWS = [
    ("/r/IsA", "/c/en/violin/n", "/c/en/string_instrument", 2.5),
    ("/r/RelatedTo", "/c/en/violin/n", "/c/fr/violon/n", 1.0),
    ("/r/Antonym", "/c/en/hot/a", "/c/en/cold/a/wn/weather", 0.5),
    ("/r/Synonym", "/c/fr/violon/n", "/c/fr/crincrin", 1.0),
    ("/r/ExternalURL", "/c/en/violin/n", "http://dbpedia.org/resource/Violin", 1.0),
]


def row(relation, head, tail, weight):
    facts = f'{{"dataset": "/d/test", "weight": {weight}, "surfaceText": "[[a]] is\\tb \\"weight\\": 9"}}'
    return f"/a/[{relation}/,{head}/,{tail}/]\t{relation}\t{head}\t{tail}\t{facts}\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "assertions.csv"
    path.write_text("".join(row(*cells) for cells in ROWS))
    return path


def build(file, **settings):
    build_graph(file, file.parent / "kg", BuildConfig(**settings))
    return KnowledgeGraph.open(file.parent / "kg")


def edges(graph):
    return {
        (graph.entity_id(int(head)), graph.relation_label(int(relation)), graph.entity_id(int(tail)))
        for head, relation, tail in zip(graph.edge_head, graph.edge_relation, graph.edge_tail, strict=True)
    }


def test_an_assertion_is_an_edge_with_its_weight_and_line_known_by_a_readable_relation(file):
    graph = build(file)
    violin = graph.entity("/c/en/violin/n")
    assert violin in graph.find_entities("violin")
    is_a = graph.relation("is a")
    (edge,) = [edge for edge in graph.edges_of(violin) if graph.edge_relation[edge] == is_a]
    assert graph.entity_label(int(graph.edge_tail[edge])) == "string instrument"
    assert float(graph.edge_weight[edge]) == 2.5
    assert graph.edge_sources(edge) == (Source(str(file), 1),)
    assert graph.num_edges == 5


def test_a_label_has_language_part_of_speech_and_the_line_of_its_first_term(file):
    graph = build(file)
    (alias,) = graph.aliases(graph.entity("violon"))
    assert (alias.text, alias.language, alias.kind, alias.pos, alias.source.line) == ("violon", "fr", "pref", "n", 2)
    (alias,) = graph.aliases(graph.entity("/c/en/cold/a/wn/weather"))
    assert (alias.text, alias.language, alias.pos) == ("cold", "en", "a")
    assert graph.aliases(graph.entity("string instrument"))[0].pos == ""


def test_only_terms_of_the_wanted_languages_are_read(file):
    graph = build(file, languages=("en",))
    assert graph.stats().languages == {"en": 4}
    assert {relation for _, relation, _ in edges(graph)} == {"is a", "antonym", "external url"}
    assert edges(build(file, languages=("en, fr",))) == edges(build(file))


def test_terms_that_stand_only_below_the_lowest_weight_are_left_out_with_their_edges(file, caplog):
    graph = build(file, min_weight=1.0)
    assert graph.num_edges == 4
    assert graph.find_entities("hot") == ()
    assert "edges left out because their weight is below 1: 1" in caplog.text


@pytest.mark.parametrize(("line", "reason"), [
    ("/a/x\t/r/IsA\t/c/en/a\t/c/en/b\n", "expected 5 tab-separated fields, found 4"),
    ("/a/x\tIsA\t/c/en/a\t/c/en/b\t{}\n", "expected a relation such as /r/IsA, found 'IsA'"),
    ("/a/x\t/r/IsA\t/c/en\t/c/en/b\t{}\n", "expected a head such as /c/en/violin, found '/c/en'"),
    ("/a/x\t/r/IsA\t/c/en/a\tb\t{}\n", "expected a tail such as /c/en/violin, found 'b'"),
    ("/a/x\t/r/IsA\t/c/en/a\t/c/en/b\t{weight\n", "expected a JSON object as the last field: Expecting"),
    ("/a/x\t/r/IsA\t/c/en/a\t/c/en/b\t[1]\n", "expected a JSON object as the last field, found '.1.'"),
    ("/a/x\t/r/IsA\t/c/en/a\t/c/en/b\t" + "[" * 200_000 + "\n", "expected a JSON object as the last field: maximum"),
    ('/a/x\t/r/IsA\t/c/en/a\t/c/en/b\t{"weight": -1}\n', "expected a weight, a number not below 0, found '-1'"),
    ('/a/x\t/r/IsA\t/c/en/a\t/c/en/b\t{"weight": NaN}\n', "expected a weight, a number not below 0, found 'nan'"),
])
def test_a_line_that_is_no_assertion_is_told_with_its_place(file, line, reason):
    file.write_text(file.read_text() + line)
    with pytest.raises(BadLinesError, match=f"assertions.csv:6: {reason}"):
        build(file)
    assert build(file, skip_bad_lines=True).num_edges == 5


def test_the_order_of_lines_changes_no_result(file):
    first = build(file).fingerprint
    file.write_text("".join(reversed(file.read_text().splitlines(keepends=True))))
    assert build(file).fingerprint == first


@pytest.mark.parametrize(("uri", "name"), [
    ("/r/IsA", "is a"), ("/r/RelatedTo", "related to"), ("/r/dbpedia/genre", "genre"), ("/r/HasA", "has a"),
])
def test_a_relation_has_a_readable_name(uri, name):
    assert relation_name(uri) == name
