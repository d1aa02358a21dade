"""CURIEs stand for the IRIs that files declare, and OBO identifiers for theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.errors import UnknownEntityError
from kg_reason.kg.building import build_graph
from kg_reason.kg.curies import OBO, curie, curies_in, expansions, join_prefixes
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker

PREFIXES = {"ex": "http://x/", "deep": "http://x/a/", "obo": OBO}


@pytest.mark.parametrize(("iri", "short"), [
    (OBO + "DOID_9352", "DOID:9352"),
    (OBO + "ECO_RO_0002", "ECO_RO:0002"),
    (OBO + "moz#part_of", ""),
    ("http://x/b", "ex:b"),
    ("http://x/a/b", "deep:b"),
    ("http://x/a b", ""),
    ("http://x/", ""),
    ("http://www.w3.org/2002/07/owl#Class", "owl:Class"),
    ("violin", ""),
    ('"ex:b"', ""),
])
def test_the_longest_namespace_gives_the_short_name(iri, short):
    assert curie(iri, PREFIXES) == short


@pytest.mark.parametrize(("name", "iris"), [
    ("DOID:9352", (OBO + "DOID_9352",)),
    ("doid:9352", (OBO + "doid_9352", OBO + "DOID_9352")),
    ("ex:b", ("http://x/b",)),
    ("ex:7", ("http://x/7", OBO + "ex_7", OBO + "EX_7")),
    ("owl:Class", ("http://www.w3.org/2002/07/owl#Class",)),
    ("http://x/b", ()),
    ("a b:c", ()),
    ("violin", ()),
    (":b", ()),
])
def test_a_name_stands_for_the_iris_it_may_mean(name, iris):
    assert expansions(name, PREFIXES) == iris


@given(st.from_regex(r"[A-Za-z]{1,8}(_[A-Za-z]{1,4})?", fullmatch=True), st.from_regex(r"[0-9]{1,7}", fullmatch=True))
def test_obo_identifiers_go_there_and_back(prefix, local):
    iri = f"{OBO}{prefix}_{local}"
    assert expansions(curie(iri, PREFIXES), {})[0] == iri


@pytest.mark.parametrize(("text", "found"), [
    ("Is DOID:9352 a kind of DOID:4?", ("DOID:9352", "DOID:4")),
    ("(ex:b.c), ex:b.", ("ex:b.c", "ex:b")),
    ("At 3:20 see http://x.org:80/a and note: this", ()),
    ("nothing here", ()),
])
def test_curies_are_found_in_a_text(text, found):
    assert curies_in(text) == found


def test_of_two_namespaces_for_a_prefix_one_stays_whatever_the_order():
    for order in (1, -1):
        known: dict[str, str] = {}
        join_prefixes(known, [("a", "http://b/"), ("a", "http://a/"), ("", "http://c/"), ("d", "")][::order])
        assert known == {"a": "http://a/"}


TRIPLE = {
    "ttl": "@prefix ex: <http://x/> . ex:oak ex:sub <http://x/tree> ; ex:in <http://purl.obolibrary.org/obo/DOID_4> .",
    "owl": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ex="http://x/"><rdf:Description '
           'rdf:about="http://x/oak"><ex:sub rdf:resource="http://x/tree"/><ex:in '
           'rdf:resource="http://purl.obolibrary.org/obo/DOID_4"/></rdf:Description></rdf:RDF>',
    "jsonld": '{"@context": {"ex": "http://x/"}, "@id": "ex:oak", "ex:sub": {"@id": "ex:tree"}, '
              '"ex:in": {"@id": "http://purl.obolibrary.org/obo/DOID_4"}}',
}


@pytest.mark.parametrize("suffix", TRIPLE)
def test_prefixes_of_the_files_name_entities_and_relations(tmp_path, suffix):
    Path(tmp_path / f"a.{suffix}").write_text(TRIPLE[suffix])
    build_graph(tmp_path / f"a.{suffix}", tmp_path / "kg")
    graph = KnowledgeGraph.open(tmp_path / "kg")
    assert graph.prefixes["ex"] == "http://x/"
    assert graph.entity("ex:oak") == graph.entity("http://x/oak")
    assert graph.entity("DOID:4") == graph.entity(OBO + "DOID_4")
    assert graph.relation("ex:sub") == graph.relation("http://x/sub")
    with pytest.raises(UnknownEntityError, match="no entity 'ex:elm'"):
        graph.entity("ex:elm")


def test_a_curie_in_a_text_means_its_entity(tmp_path):
    (tmp_path / "a.ttl").write_text(TRIPLE["ttl"])
    build_graph(tmp_path / "a.ttl", tmp_path / "kg")
    graph = KnowledgeGraph.open(tmp_path / "kg")
    text = "ex:oak belongs to DOID:4, not DOID:5."
    found = {mention.text: mention.candidates for mention in EntityLinker(graph).link(text)}
    assert found["ex:oak"][0].entity == graph.entity("http://x/oak")
    assert found["DOID:4"][0].entity == graph.entity(OBO + "DOID_4")
    assert "DOID:5" not in found


def test_a_number_of_wikidata_needs_no_prefix(tmp_path):
    entity, direct = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
    (tmp_path / "a.nt").write_text(f"<{entity}Q64> <{direct}P17> <{entity}Q183> .\n")
    build_graph(tmp_path / "a.nt", tmp_path / "kg")
    graph = KnowledgeGraph.open(tmp_path / "kg")
    assert graph.entity("Q64") == graph.entity("wd:Q64") == graph.entity(entity + "Q64")
    assert graph.relation("P17") == graph.relation(direct + "P17")
    assert curie(entity + "Q64", {}) == "wd:Q64"
