"""How the axioms of a graph are read from its statements."""

from unicodedata import normalize

import numpy as np
import pytest

from kg_reason.errors import GraphError
from kg_reason.kg.axioms import SUBCLASS, Axioms, Consequence, named_relations
from kg_reason.kg.ontology import EdgeRows
from kg_reason.kg.terms import TermInterner


def read(*rows):
    entities, relations = TermInterner(), TermInterner()
    columns = [interner.intern_keys(list(keys)) for interner, keys in zip(
        (entities, relations, entities), zip(*rows, strict=True), strict=True
    )]  # fmt: skip
    lines = np.arange(len(rows))
    edges = EdgeRows(*columns, np.ones(len(rows), np.float32), np.zeros(len(rows), np.int32), lines)
    return Axioms(edges, entities, relations), relations


def test_consequences_come_nearest_first_with_the_statements_that_say_so():
    axioms, relations = read(
        ("ex:p", "rdfs:subPropertyOf", "ex:q"), ("ex:q", "owl:inverseOf", "ex:r"), ("a", "ex:p", "b")
    )
    p, q, r = (relations.find(f"ex:{name}") for name in "pqr")
    assert list(axioms.consequences(p)) == [Consequence(q, False, (0,)), Consequence(r, True, (0, 1), True)]
    assert list(axioms.consequences(r)) == [Consequence(q, True, (1,), True)]


def test_relations_that_are_each_others_consequence_are_yielded_once():
    axioms, relations = read(("ex:p", "owl:equivalentProperty", "ex:q"), ("ex:q", "rdfs:subPropertyOf", "ex:p"))
    assert [link.relation for link in axioms.consequences(relations.find("ex:p"))] == [relations.find("ex:q")]


def test_domains_of_wider_relations_count_and_turn_with_inverses():
    axioms, relations = read(("ex:p", "owl:inverseOf", "ex:q"), ("ex:q", "rdfs:domain", "ex:C"))
    (rule,) = axioms.type_rules(relations.find("ex:p"))
    assert rule.of_tail
    assert rule.rows == (0, 1)


def test_a_range_of_values_says_nothing_of_things():
    axioms, relations = read(("ex:p", "rdfs:range", "http://www.w3.org/2001/XMLSchema#int"))
    assert list(axioms.type_rules(relations.find("ex:p"))) == []


def test_a_relation_of_wikidata_is_described_by_its_property():
    wikidata = "http://www.wikidata.org/"
    axioms, relations = read(
        (f"{wikidata}entity/P22", "rdfs:subPropertyOf", "ex:parent"), ("a", f"{wikidata}prop/direct/P22", "b")
    )
    father = relations.find(f"{wikidata}prop/direct/P22")
    assert [link.relation for link in axioms.consequences(father)] == [relations.find("ex:parent")]


def test_of_several_spellings_the_most_used_stands_for_all():
    axioms, relations = read(("a", "is a", "b"), ("b", "is a", "c"), ("c", "rdfs:subClassOf", "d"))
    assert axioms.relation(SUBCLASS) == relations.find("is a")
    assert axioms.canonical[relations.find("rdfs:subClassOf")] == relations.find("is a")


def test_relations_are_found_by_id_and_by_readable_name():
    _, relations = read(("a", "http://x.org/partOf", "b"), ("a", "owl:disjointWith", "b"))
    names = ["http://x.org/partOf", "part of", "disjointWith", "disjoint with", "whole"]
    found, unknown = named_relations(names, relations)
    assert found == {relations.find("http://x.org/partOf"), relations.find("owl:disjointWith")}
    assert unknown == ["whole"]


def test_a_chain_of_sub_properties_as_deep_as_no_ontology_has_is_refused():
    chain = [(f"ex:p{number}", "rdfs:subPropertyOf", f"ex:p{number + 1}") for number in range(301)]
    axioms, relations = read(*chain, ("a", "ex:p0", "b"))
    assert len(list(axioms.consequences(relations.find("ex:p1")))) == 300
    with pytest.raises(GraphError, match="more than 300 relations above ex:p0"):
        list(axioms.consequences(relations.find("ex:p0")))


def test_a_relation_is_named_however_its_accents_are_written():
    relations = TermInterner()
    relations.intern_keys(["geh\u00f6rt zu"])
    assert named_relations([normalize("NFD", "Geh\u00f6rt zu")], relations) == ({0}, [])
