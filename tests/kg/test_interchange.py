from __future__ import annotations

from pathlib import Path

import networkx as nx
import pyoxigraph
import pytest
import rdflib

from kg_reason.errors import ConfigError
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.interchange import export_graph, export_text, to_networkx, to_rdflib
from kg_reason.kg.reading import read_triples
from kg_reason.kg.triples import Source, Triple
from tests.conftest import LABEL
from tests.kg.test_graph import facts

T = Source("t.tsv", 1)


def labels(graph: KnowledgeGraph) -> set[tuple[str, str, str, str]]:
    return {
        (graph.entity_id(entity), alias.text, alias.language, alias.kind)
        for entity in range(graph.num_entities)
        for alias in graph.aliases(entity)
    }


def priors(graph: KnowledgeGraph) -> dict[tuple[str, str], float]:
    """Return the prior of each label of each entity that has labels of its own."""
    entities = range(graph.num_entities)
    aliases = [(graph.entity_id(entity), alias) for entity in entities for alias in graph.aliases(entity)]
    return {(entity, alias.text): alias.prior for entity, alias in aliases if alias.kind != "own"}


@pytest.mark.parametrize("export_format", ["nt", "ttl", "tsv"])
def test_what_is_exported_and_built_again_is_the_same_graph(
    toy_graph: KnowledgeGraph, tmp_path: Path, export_format: str
) -> None:
    target = tmp_path / f"toy.{export_format}"
    export_graph(toy_graph, target, export_format)
    build_graph(target, tmp_path / "again")
    again = KnowledgeGraph.open(tmp_path / "again")
    if export_format == "tsv":  # literals are written as their text
        plain = {(*edge[:2], edge[2].split('"')[1] if edge[2][0] == '"' else edge[2]) for edge in facts(toy_graph)}
        assert facts(again) == plain
        assert priors(again) == priors(toy_graph)
    else:
        assert facts(again) == facts(toy_graph)
        assert labels(again) == labels(toy_graph)


def test_plain_texts_become_iris_in_rdf_and_keep_their_text_as_label(tmp_path: Path) -> None:
    graph = KnowledgeGraph.from_triples([Triple("red wine", "goes with", "blue cheese", T)])
    export_graph(graph, tmp_path / "w.nt", "nt")
    quads = list(pyoxigraph.parse(path=str(tmp_path / "w.nt"), format=pyoxigraph.RdfFormat.N_TRIPLES))
    assert len(quads) == 3
    again = KnowledgeGraph.from_triples(read_triples([str(tmp_path / "w.nt")]))
    assert again.find_entities("red wine") != ()


def test_networkx_gets_labels_relations_weights_and_sources() -> None:
    triples = [Triple("ex:a", "ex:r", "ex:b", Source("x.tsv", 7), weight=0.5), Triple("ex:a", LABEL, "Anna", T)]
    plain = to_networkx(KnowledgeGraph.from_triples(triples))
    assert plain.nodes["ex:a"]["label"] == "Anna"
    assert plain.get_edge_data("ex:a", "ex:b")[0] == {"relation": "ex:r", "weight": 0.5, "sources": "x.tsv:7"}


def test_rdflib_gets_languages_and_datatypes_unchanged() -> None:
    triples = [
        Triple("ex:a", LABEL, '"vin"@fr', T),
        Triple("ex:a", "ex:n", '"01"^^<http://www.w3.org/2001/XMLSchema#integer>', T),
    ]
    result = to_rdflib(KnowledgeGraph.from_triples(triples))
    assert rdflib.Literal("vin", lang="fr") in set(result.objects())
    assert {str(item) for item in result.objects() if isinstance(item, rdflib.Literal)} == {"vin", "01"}


def test_graphml_is_read_by_networkx_again(toy_graph: KnowledgeGraph, tmp_path: Path) -> None:
    export_graph(toy_graph, tmp_path / "toy.graphml", "graphml")
    again = nx.read_graphml(tmp_path / "toy.graphml")
    assert again.number_of_nodes() == toy_graph.num_entities
    assert again.number_of_edges() == toy_graph.num_edges


def test_labels_that_graphml_has_no_place_for_are_counted(caplog):
    labels = [Triple("ex:a", LABEL, text, T) for text in ("Anna", "Bella", "Cleo")]
    graph = KnowledgeGraph.from_triples([Triple("ex:a", "ex:r", "ex:b", T), *labels])
    text = export_text(graph, "graphml")
    assert sum(name in text for name in ("Anna", "Bella", "Cleo")) == 1
    assert caplog.messages == ["labels left out because GraphML holds one of each entity: 2"]
    caplog.clear()
    export_text(KnowledgeGraph.from_triples([Triple("ex:a", "ex:r", "ex:b", T), labels[0]]), "graphml")
    assert caplog.messages == []


def test_an_unknown_format_is_refused(toy_graph: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found 'xls', expected one of nt, ttl, tsv, graphml"):
        export_graph(toy_graph, tmp_path / "x", "xls")


@pytest.mark.parametrize("export_format", ["nt", "ttl"])
def test_names_that_rdf_cannot_carry_come_back_as_labels(tmp_path: Path, export_format: str) -> None:
    names = ['"quoted"', "_:b", "naïve 50 %AE", "שלום", "水 \\ {x}"]
    rows = "".join(f"{name}\tgehört zu %20a\tGröße\n" for name in names)
    (tmp_path / "odd.tsv").write_text(f"head\trelation\ttail\n{rows}", encoding="utf-8")
    build_graph(tmp_path / "odd.tsv", tmp_path / "odd")
    graph = KnowledgeGraph.open(tmp_path / "odd")
    export_graph(graph, tmp_path / f"odd.{export_format}", export_format)
    build_graph(tmp_path / f"odd.{export_format}", tmp_path / "again")
    again = KnowledgeGraph.open(tmp_path / "again")
    assert (again.num_edges, again.num_entities) == (graph.num_edges, graph.num_entities)
    assert {again.entity_label(entity) for entity in range(again.num_entities)} == {*names, "Größe"}


def test_turtle_is_written_by_head_with_prefixes(toy_graph: KnowledgeGraph) -> None:
    turtle = export_text(toy_graph, "ttl")
    assert "@prefix ns1: <ex:> ." in turtle
    assert turtle.count("ns1:violin ns1:hypernym") + turtle.count("ns1:violin skos:") == 1


def test_turtle_has_the_prefixes_of_the_files(tmp_path):
    (tmp_path / "a.ttl").write_text(
        "@prefix ns1: <http://e/> . @prefix skos: <http://mine/> . @prefix x: <http://unused/> .\n"
        "ns1:a skos:r ns1:b , <http://other/a> , <http://other/b> , <http://other/c> ."
    )
    build_graph(tmp_path / "a.ttl", tmp_path / "kg")
    turtle = export_text(KnowledgeGraph.open(tmp_path / "kg"), "ttl")
    assert "@prefix ns1: <http://e/> ." in turtle
    assert {"@prefix ns2: <http://mine/> .", "@prefix ns3: <http://other/> ."} <= {*turtle.splitlines()}
    assert "skos: <http://mine/>" not in turtle
    assert "unused" not in turtle


def test_what_tsv_cannot_hold_of_values_is_told_and_the_rest_is_read_again(tmp_path, caplog):
    values = ['""', '"a\\tb"', '"1815"^^<http://www.w3.org/2001/XMLSchema#integer>', '"x"@de', '"plain"']
    (tmp_path / "a.nt").write_text("".join(f"<http://e/a> <http://e/is> {value} .\n" for value in values))
    build_graph(tmp_path / "a.nt", tmp_path / "kg")
    caplog.clear()
    export_graph(KnowledgeGraph.open(tmp_path / "kg"), tmp_path / "a.tsv", "tsv")
    assert caplog.messages == [
        "triples left out because TSV holds no empty texts: 1",
        "triples of whose value TSV holds the text alone, no type, language or line end: 3",
    ]
    build_graph(tmp_path / "a.tsv", tmp_path / "again")
    graph = KnowledgeGraph.open(tmp_path / "again")
    tails = {graph.entity_id(int(graph.edge_tail[edge])) for edge in range(graph.num_edges)}
    assert tails == {"a b", "1815", "x", "plain"}


@pytest.mark.parametrize(("language", "label"), [("en", "Berlin"), ("zh", "柏林"), ("de", "Stadt Berlin")])
def test_graphml_names_entities_in_the_language_asked_for(tmp_path, language, label):
    names = {"en": "Berlin", "zh": "柏林", "de": "Stadt Berlin"}
    lines = [f'<http://e/b> <{LABEL}> "{text}"@{tag} .\n' for tag, text in names.items()]
    (tmp_path / "a.nt").write_text("".join([*lines, "<http://e/b> <http://e/in> <http://e/c> .\n"]), encoding="utf-8")
    build_graph(tmp_path / "a.nt", tmp_path / "kg")
    text = export_text(KnowledgeGraph.open(tmp_path / "kg"), "graphml", language=language)
    assert nx.parse_graphml(text).nodes["http://e/b"]["label"] == label
