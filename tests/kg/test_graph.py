from __future__ import annotations

import mmap
import random
from pathlib import Path

import numpy as np
import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import GraphError, UnknownEntityError
from kg_reason.kg.builder import build_blocks
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.storage import damaged_files, save_graph
from kg_reason.kg.triples import Source, Triple, literal_key, triples_to_blocks
from tests.conftest import ALT_LABEL, LABEL, toy_triples

T = Source("t.tsv", 1)


def save(triples: list[Triple], folder: Path) -> KnowledgeGraph:
    files: list[str] = []
    blocks = [(block, True) for block in triples_to_blocks(triples, files)]
    save_graph(build_blocks(blocks, files, BuildConfig()), folder)
    return KnowledgeGraph.open(folder)


def facts(graph: KnowledgeGraph) -> set[tuple[str, str, str]]:
    return {
        (
            graph.entity_id(int(graph.edge_head[edge])),
            graph.relation_id(int(graph.edge_relation[edge])),
            graph.entity_id(int(graph.edge_tail[edge])),
        )
        for edge in graph.live_edges()
    }


def test_every_triple_is_an_edge_or_a_label(toy_graph: KnowledgeGraph) -> None:
    triples = toy_triples()
    assert facts(toy_graph) == {triple[:3] for triple in triples if triple.rank == 0}
    entities = range(toy_graph.num_entities)
    labels = {(toy_graph.entity_id(entity), alias.text) for entity in entities for alias in toy_graph.aliases(entity)}
    assert {(triple.head, triple.tail) for triple in triples if triple.rank} <= labels


def test_every_edge_and_label_knows_its_line(toy_graph: KnowledgeGraph) -> None:
    triples = toy_triples()
    for edge in range(toy_graph.num_edges):
        (source,) = toy_graph.edge_sources(edge)
        assert triples[source.line - 1].head == toy_graph.entity_id(int(toy_graph.edge_head[edge]))
    (fiddle,) = [alias for alias in toy_graph.aliases(toy_graph.entity("violin")) if alias.text == "fiddle"]
    assert triples[fiddle.source.line - 1].tail == "fiddle"
    assert str(fiddle.source).startswith("toy.tsv:")


def test_rows_lead_to_the_edges_of_an_entity_in_both_directions(toy_graph: KnowledgeGraph) -> None:
    instrument = toy_graph.entity("string instrument")
    heads = toy_graph.in_edge[toy_graph.in_start[instrument] : toy_graph.in_end[instrument]]
    assert {toy_graph.entity_label(int(toy_graph.edge_head[edge])) for edge in heads} == {"bowed instrument", "guitar"}
    (outward,) = range(int(toy_graph.out_start[instrument]), int(toy_graph.out_end[instrument]))
    assert toy_graph.entity_label(int(toy_graph.edge_tail[outward])) == "instrument"


def test_shuffling_the_lines_of_a_file_changes_no_result(tmp_path: Path) -> None:
    triples = toy_triples()
    first = save(triples, tmp_path / "first")
    random.Random(1).shuffle(triples)
    second = save(triples, tmp_path / "second")
    assert first.fingerprint == second.fingerprint
    assert np.array_equal(first.edge_tail, second.edge_tail)
    assert [first.alias_text(a) for a in range(first.num_aliases)] == [
        second.alias_text(a) for a in range(second.num_aliases)
    ]


def test_a_triple_stated_twice_is_one_edge_with_two_sources() -> None:
    triples = [Triple("a", "r", "b", Source("x.tsv", 3)), Triple("a", "r", "b", Source("y.tsv", 8))]
    graph = KnowledgeGraph.from_triples(triples)
    assert graph.num_edges == 1
    assert [str(source) for source in graph.edge_sources(0)] == ["x.tsv:3", "y.tsv:8"]


def test_a_graph_reopens_as_it_was_saved_with_its_arrays_mapped(tmp_path: Path) -> None:
    graph = save(toy_triples(), tmp_path / "graph")
    assert isinstance(graph.edge_tail.base.base.obj, mmap.mmap)
    assert facts(graph) == facts(KnowledgeGraph.from_triples(toy_triples()))
    assert graph.stats() == KnowledgeGraph.from_triples(toy_triples()).stats()


def test_an_empty_graph_is_a_graph(tmp_path: Path) -> None:
    graph = save([], tmp_path / "graph")
    assert (graph.num_entities, graph.num_edges, graph.find_entities("violin")) == (0, 0, ())


def test_names_are_found_by_id_and_by_label_whatever_their_case(toy_graph: KnowledgeGraph) -> None:
    violin = toy_graph.entity("ex:violin")
    assert toy_graph.find_entities("Fiddle") == (violin,)
    assert toy_graph.entity_label(violin) == "violin"


def test_a_name_with_two_meanings_lists_their_ids() -> None:
    triples = [Triple("ex:bank1", LABEL, "bank", T), Triple("ex:bank2", LABEL, "bank", T)]
    graph = KnowledgeGraph.from_triples(triples)
    with pytest.raises(UnknownEntityError, match="2 entities are called 'bank', expected one: use an id such as ex:b"):
        graph.entity("bank")
    with pytest.raises(UnknownEntityError, match="the graph has no entity 'river'"):
        graph.entity("river")
    with pytest.raises(UnknownEntityError, match="the graph has no relation 'likes'"):
        graph.relation("likes")


def test_a_rank_gives_the_prior_of_a_label(toy_graph: KnowledgeGraph) -> None:
    (spicy,) = [alias for alias in toy_graph.aliases(toy_graph.entity("hot")) if alias.text == "spicy"]
    assert (spicy.prior, spicy.pos, spicy.language) == (0.5, "a", "en")


def test_labels_are_shown_in_the_language_asked_for() -> None:
    triples = [Triple("ex:v", LABEL, '"violon"@fr', T), Triple("ex:v", LABEL, '"violin"@en', T)]
    graph = KnowledgeGraph.from_triples(triples)
    assert (graph.entity_label(0, "fr"), graph.entity_label(0, "en")) == ("violon", "violin")
    assert graph.entity_label(0, "fr-CA") == "violon"


def test_user_named_predicates_give_labels() -> None:
    triples = [Triple("ex:v", "ex:denomination", "violin", T)]
    config = BuildConfig(label_relations=("ex:denomination",))
    assert KnowledgeGraph.from_triples(triples, config).num_edges == 0
    assert KnowledgeGraph.from_triples(triples).num_edges == 1


def test_literals_stay_in_the_graph_as_values(toy_graph: KnowledgeGraph) -> None:
    (year,) = toy_graph.find_entities("1721")
    assert toy_graph.is_value(year)
    assert toy_graph.entity_label(year) == "1721"


def test_edges_are_counted_by_relation_and_relations_of_one_name_are_told_apart_by_id() -> None:
    triples = [
        Triple("a", "ex:likes", "b", T), Triple("a", "ex:likes", "c", T), Triple("b", "http://e.org/likes", "c", T),
        Triple("a", "knows", "c", T),
    ]  # fmt: skip
    counts = KnowledgeGraph.from_triples(triples).stats().relations
    assert counts == {"likes (ex:likes)": 2, "likes (http://e.org/likes)": 1, "knows": 1}
    assert sum(counts.values()) == 4


def test_relations_that_state_each_edge_twice_are_walked_once() -> None:
    triples = [
        Triple("a", "broader", "b", T), Triple("b", "narrower", "a", T), Triple("a", "opposite", "c", T),
        Triple("c", "opposite", "a", T), Triple("a", "near", "c", T), Triple("c", "near", "a", T),
        Triple("a", "near", "b", T), Triple("a", "likes", "c", T),
    ]
    graph = KnowledgeGraph.from_triples(triples)
    walk = {graph.relation_label(number): int(graph.relation_walk[number]) for number in range(graph.num_relations)}
    assert walk == {"broader": 3, "narrower": 0, "opposite": 1, "near": 2, "likes": 3}


def test_a_missing_graph_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="no graph found here, expected a folder made by kg-reason build"):
        KnowledgeGraph.open(tmp_path / "nothing")


def test_another_format_version_is_refused(tmp_path: Path) -> None:
    save(toy_triples(), tmp_path / "graph")
    header = tmp_path / "graph" / "graph.json"
    header.write_text(header.read_text().replace('"format_version": 2', '"format_version": 99'))
    with pytest.raises(GraphError, match="found format version 99, expected 2"):
        KnowledgeGraph.open(tmp_path / "graph")


def test_a_shortened_array_is_refused_and_a_flipped_byte_is_found(tmp_path: Path) -> None:
    save(toy_triples(), tmp_path / "graph")
    array = tmp_path / "graph" / "arrays" / "edge_tail.npy"
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(bytes(content))
    assert damaged_files(tmp_path / "graph") == [f"{array}: its checksum differs from the one written at build"]
    array.write_bytes(bytes(content[:-4]))
    with pytest.raises(GraphError, match=r"edge_tail.npy: found \d+ bytes, expected \d+"):
        KnowledgeGraph.open(tmp_path / "graph")


def test_of_equally_usual_entities_those_come_first_that_prefer_the_label() -> None:
    graph = KnowledgeGraph.from_triples([
        Triple("ex:chase", LABEL, "chase", T), Triple("ex:chase", ALT_LABEL, "dog", T, weight=1.0, rank=1),
        Triple("ex:dog", LABEL, "dog", T, rank=1),
    ])  # fmt: skip
    assert [graph.entity_id(entity) for entity in graph.find_entities("Dog")] == ["ex:dog", "ex:chase"]


def test_an_iri_may_stand_in_angle_brackets(toy_graph: KnowledgeGraph) -> None:
    assert toy_graph.entity("<ex:violin>") == toy_graph.entity("ex:violin")
    assert toy_graph.find_entities("<violin>") == toy_graph.find_entities("violin")


def test_an_edge_from_an_entity_to_itself_is_one_edge() -> None:
    graph = KnowledgeGraph.from_triples([Triple("a", "knows", "a", T), Triple("b", "knows", "a", T)])
    assert len(graph.edges_of(graph.entity("a"))) == 2


def test_an_entity_that_does_not_exist_is_told_as_damage(toy_graph: KnowledgeGraph) -> None:
    for entity in (-1, toy_graph.num_entities):
        with pytest.raises(GraphError, match=f"found entity {entity}, of "):
            toy_graph.entity_id(entity)


def test_a_relation_is_named_in_the_language_asked_for_where_it_has_such_a_label():
    source = Source("x.tsv", 1)
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    texts = ('"Part of"@en', '"Teil von"@de')
    graph = KnowledgeGraph.from_triples(
        [Triple("ex:a", "ex:partOf", "ex:b", source), *(Triple("ex:partOf", label, text, source) for text in texts)]
    )
    relation = graph.relation("part of")
    names = [graph.relation_label(relation, language) for language in ("", "en", "de-AT", "fr")]
    assert names == ["part of", "part of", "Teil von", "part of"]


def test_an_id_is_found_without_looking_at_labels(toy_graph):
    assert toy_graph.entity_id(toy_graph.find_id("ex:violin")) == "ex:violin"
    assert toy_graph.find_id("violin") == -1


def test_a_notebook_shows_the_size_of_a_graph(toy_graph):
    page = toy_graph._repr_html_()
    assert f">{toy_graph.num_edges:,}</td>" in page
    assert "in memory" in page


def test_a_graph_prints_its_size(toy_graph: KnowledgeGraph) -> None:
    assert repr(toy_graph) == "<KnowledgeGraph in memory: 19 triples between 19 entities>"


def test_a_text_with_further_names_only_is_still_called_by_itself_first() -> None:
    graph = KnowledgeGraph.from_triples([
        Triple("violin", ALT_LABEL, "fiddle", T), Triple("Geige", LABEL, "viola", T),
        Triple("ex:Q7", ALT_LABEL, "cello", T),
    ])  # fmt: skip
    names = {
        graph.entity_id(entity): [alias.text for alias in graph.aliases(entity)]
        for entity in range(graph.num_entities)
    }
    assert names == {"violin": ["violin", "fiddle"], "Geige": ["viola"], "ex:Q7": ["cello"]}
    assert graph.entity("Violin") == graph.entity("fiddle")
    assert graph.entity_label(graph.entity("fiddle")) == "violin"


def test_a_label_of_a_table_and_one_of_rdf_with_the_same_text_are_one():
    graph = KnowledgeGraph.from_triples([
        Triple("e", LABEL, "two\twords", T, language="en"),
        Triple("e", LABEL, literal_key("two\twords", "en"), T),
    ])  # fmt: skip
    assert [(alias.text, alias.language) for alias in graph.aliases(graph.find_id("e"))] == [("two\twords", "en")]
