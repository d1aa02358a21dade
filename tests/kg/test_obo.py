"""OBO files give the edges and labels that the same ontology gives in OWL."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.building import build_graph
from kg_reason.kg.curies import OBO_IN_OWL
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.obo import read_obo

OBO = "http://purl.obolibrary.org/obo/"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"

ONTOLOGY = r"""format-version: 1.4
ontology: moz
idspace: LAB http://lab.example/terms/ "our own"
remark: invented for a test ! not a real ontology

[Term]
id: MOZ:0000001
name: wing disorder
namespace: animal_disorders
def: "A disorder of a wing\; \"any\" wing." [LAB:note, "A Book, p. 3"]
disjoint_from: MOZ:0000003 ! skin disorder

[Term]
id: MOZ:0000002
name: gavorn wing rot ! the usual name
alt_id: MOZ:0000092
synonym: "wing rot of gavorns" EXACT [LAB:a]
synonym: "early wing rot" NARROW layperson []
synonym: "rot" BROAD []
synonym: "wing itch" RELATED [] {source="LAB:b"}
xref: LAB:77 "Lab 77"
is_a: MOZ:0000001 {source="LAB:c"} ! wing disorder
relationship: located_in MOZ:0000010 ! wing
relationship: part_of MOZ:0000020
relationship: located_in MOZ:0000011 {all_only="true"}

[Term]
id: MOZ:0000003
name: skin disorder

[Term]
id: MOZ:0000004
name: rot of the wing skin
intersection_of: MOZ:0000001 ! wing disorder
intersection_of: part_of MOZ:0000003
union_of: MOZ:0000002
union_of: MOZ:0000003

[Term]
id: MOZ:0000005
name: old rot
is_obsolete: true
replaced_by: MOZ:0000002

[Term]
id: MOZ:0000010
name: wing

[Term]
id: MOZ:0000011
name: leg

[Term]
id: MOZ:0000020
name: ageing

[Typedef]
id: part_of
name: part of
xref: BFO:0000050
is_transitive: true

[Typedef]
id: located_in
name: located in
is_a: part_of ! part of
domain: MOZ:0000001

[Instance]
id: LAB:gavorn7
name: gavorn seven
instance_of: MOZ:0000002
property_value: located_in MOZ:0000010
property_value: LAB:age "7" xsd:integer
"""

TURTLE = r"""@prefix : <http://purl.obolibrary.org/obo/moz.owl#> .
@prefix obo: <http://purl.obolibrary.org/obo/> .
@prefix moz: <http://purl.obolibrary.org/obo/moz#> .
@prefix lab: <http://lab.example/terms/> .
@prefix oio: <http://www.geneontology.org/formats/oboInOwl#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

obo:BFO_0000050 a owl:ObjectProperty, owl:TransitiveProperty ; oio:id "part_of" ; rdfs:label "part of" ;
    oio:hasDbXref "BFO:0000050" .
moz:located_in a owl:ObjectProperty ; oio:id "located_in" ; rdfs:label "located in" ;
    rdfs:subPropertyOf obo:BFO_0000050 ; rdfs:domain obo:MOZ_0000001 .

obo:MOZ_0000001 a owl:Class ; oio:id "MOZ:0000001" ; rdfs:label "wing disorder" ;
    oio:hasOBONamespace "animal_disorders" ; owl:disjointWith obo:MOZ_0000003 ;
    obo:IAO_0000115 "A disorder of a wing; \"any\" wing." .
[] a owl:Axiom ; owl:annotatedSource obo:MOZ_0000001 ; owl:annotatedProperty obo:IAO_0000115 ;
    owl:annotatedTarget "A disorder of a wing; \"any\" wing." ; oio:hasDbXref "LAB:note" .
obo:MOZ_0000002 a owl:Class ; oio:id "MOZ:0000002" ; rdfs:label "gavorn wing rot" ;
    oio:hasAlternativeId "MOZ:0000092" ; oio:hasExactSynonym "wing rot of gavorns" ;
    oio:hasNarrowSynonym "early wing rot" ; oio:hasBroadSynonym "rot" ; oio:hasRelatedSynonym "wing itch" ;
    oio:hasDbXref "LAB:77" ;
    rdfs:subClassOf obo:MOZ_0000001 ,
        [ a owl:Restriction ; owl:onProperty moz:located_in ; owl:someValuesFrom obo:MOZ_0000010 ] ,
        [ a owl:Restriction ; owl:onProperty obo:BFO_0000050 ; owl:someValuesFrom obo:MOZ_0000020 ] ,
        [ a owl:Restriction ; owl:onProperty moz:located_in ; owl:allValuesFrom obo:MOZ_0000011 ] .
obo:MOZ_0000003 a owl:Class ; oio:id "MOZ:0000003" ; rdfs:label "skin disorder" .
obo:MOZ_0000004 a owl:Class ; oio:id "MOZ:0000004" ; rdfs:label "rot of the wing skin" ;
    owl:equivalentClass [ a owl:Class ; owl:intersectionOf ( obo:MOZ_0000001
        [ a owl:Restriction ; owl:onProperty obo:BFO_0000050 ; owl:someValuesFrom obo:MOZ_0000003 ] ) ] ,
        [ a owl:Class ; owl:unionOf ( obo:MOZ_0000002 obo:MOZ_0000003 ) ] .
obo:MOZ_0000005 a owl:Class ; oio:id "MOZ:0000005" ; rdfs:label "old rot" ; owl:deprecated true ;
    obo:IAO_0100001 obo:MOZ_0000002 .
obo:MOZ_0000010 a owl:Class ; oio:id "MOZ:0000010" ; rdfs:label "wing" .
obo:MOZ_0000011 a owl:Class ; oio:id "MOZ:0000011" ; rdfs:label "leg" .
obo:MOZ_0000020 a owl:Class ; oio:id "MOZ:0000020" ; rdfs:label "ageing" .
lab:gavorn7 a owl:NamedIndividual, obo:MOZ_0000002 ; oio:id "LAB:gavorn7" ; rdfs:label "gavorn seven" ;
    moz:located_in obo:MOZ_0000010 ; lab:age 7 .
"""


def read(text: str, file: int = 0) -> tuple[list[tuple[str, str, str, int]], BadLines]:
    bad_lines = BadLines()
    blocks = read_obo(io.BytesIO(text.encode()), "a.obo", file, bad_lines)
    triples = [triple for block in blocks for triple in block.triples("a.obo")]
    return [(*triple[:3], triple.source.line) for triple in triples], bad_lines


def facts(graph: KnowledgeGraph) -> tuple[set[tuple[str, str, str]], set[tuple[str, str, str, float]]]:
    """Return the edges and labels of a graph without its ids."""
    edges = {
        (
            graph.entity_id(int(graph.edge_head[edge])), graph.relation_id(int(graph.edge_relation[edge])),
            graph.entity_id(int(graph.edge_tail[edge])),
        )
        for edge in range(graph.num_edges)
    }  # fmt: skip
    labels = {
        (graph.entity_id(entity), alias.kind, alias.text, round(alias.prior, 4))
        for entity in range(graph.num_entities)
        for alias in graph.aliases(entity)
    }
    return edges, labels


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KnowledgeGraph:
    monkeypatch.chdir(tmp_path)
    Path("moz.obo").write_text(ONTOLOGY)
    build_graph("moz.obo", "kg")
    return KnowledgeGraph.open("kg")


def test_obo_and_turtle_and_rdfxml_of_one_ontology_are_one_graph(graph):
    import rdflib

    Path("moz.ttl").write_text(TURTLE)
    rdflib.Graph().parse(data=TURTLE, format="turtle").serialize("moz.owl", format="xml")
    for name in ("moz.ttl", "moz.owl"):
        build_graph(name, "other")
        other = KnowledgeGraph.open("other")
        assert facts(other) == facts(graph)
        noted = [said for edge in range(other.num_edges) for _, said in other.edge_statements(edge) if said]
        assert noted == [{"has db xref": ("LAB:note",)}]  # the only difference
    assert graph.num_edges > 25


def test_relationships_are_edges_of_the_relation_that_the_typedef_stands_for(graph):
    edges, _ = facts(graph)
    assert {edge for edge in edges if edge[0] == OBO + "MOZ_0000002" and OBO in edge[2]} == {
        (OBO + "MOZ_0000002", RDFS + "subClassOf", OBO + "MOZ_0000001"),
        (OBO + "MOZ_0000002", OBO + "moz#located_in", OBO + "MOZ_0000010"),
        (OBO + "MOZ_0000002", OBO + "BFO_0000050", OBO + "MOZ_0000020"),
    }
    assert graph.relation_label(graph.relation(OBO + "BFO_0000050")) == "part of"
    assert not any(graph.entity_id(entity).startswith("_:") for entity in range(graph.num_entities))


def test_every_edge_has_the_line_of_its_clause(graph):
    lines = ONTOLOGY.splitlines()
    head, tail = graph.entity("gavorn wing rot"), graph.entity("wing")
    (edge,) = [edge for edge in graph.edges_of(head) if int(graph.edge_tail[edge]) == tail]
    (source,) = graph.edge_sources(edge)
    assert source.file == "moz.obo"
    assert lines[source.line - 1] == "relationship: located_in MOZ:0000010 ! wing"


def test_synonyms_of_different_scope_are_told_apart(graph):
    aliases = {alias.text: (alias.kind, round(alias.prior, 2)) for alias in graph.aliases(graph.entity("MOZ:0000002"))}
    assert aliases["gavorn wing rot"] == ("pref", 1.0)
    assert aliases["wing rot of gavorns"] == ("alt", 0.9)
    assert aliases["early wing rot"] == ("narrow", 0.4)
    assert aliases["wing itch"] == ("related", 0.3)
    assert aliases["rot"] == ("broad", 0.2)


def test_other_ids_of_a_term_are_known(graph):
    assert graph.find_entities("MOZ:0000092") == (graph.entity(OBO + "MOZ_0000002"),)
    assert graph.find_entities("LAB:gavorn7") == (graph.entity("http://lab.example/terms/gavorn7"),)


def test_a_packed_file_gives_the_same_graph(graph):
    Path("moz.obo.gz").write_bytes(gzip.compress(ONTOLOGY.encode()))
    assert build_graph("moz.obo.gz", "packed").fingerprint == graph.fingerprint


def test_line_ends_and_blocks_change_nothing(monkeypatch):
    rows, _ = read(ONTOLOGY)
    assert read(ONTOLOGY.replace("\n", "\r\n"))[0] == rows
    monkeypatch.setattr("kg_reason.kg.obo.ROWS_PER_BLOCK", 3)
    assert sorted(read(ONTOLOGY)[0]) == sorted(rows)


def test_escapes_comments_and_continued_lines():
    rows, bad_lines = read(
        '[Term]\nid: X:1\nname: a\\!b \\{c\\} d "e ! f\nsynonym: "say \\"hi\\" ! loudly {x}" EXACT [A:b] {c="d"} ! e\n'
        "comment: one\\ntwo \\\n  three {kept}\n"
    )
    assert bad_lines.num == 0
    texts = {relation.rpartition("#")[2]: (tail, line) for _, relation, tail, line in rows}
    assert texts["label"] == ('"a!b {c} d \\"e"', 3)
    assert texts["hasExactSynonym"] == ('"say \\"hi\\" ! loudly {x}"', 4)
    assert texts["comment"] == ('"one\\ntwo three {kept}"', 5)


@pytest.mark.parametrize(("identifier", "iri"), [
    ("DOID:9352", OBO + "DOID_9352"),
    ("GO:fungi", OBO + "GO#_fungi"),
    ("part_of", OBO + "TEMP#part_of"),
    ("https://x.org/a", "https://x.org/a"),
    ("http\\://x.org/a<b>", "http://x.org/a%3Cb%3E"),
])
def test_identifiers_become_the_iris_of_the_standard_translation(identifier, iri):
    assert {row[0] for row in read(f"[Term]\nid: {identifier}\nname: a\n")[0]} == {iri}


@pytest.mark.parametrize(("line", "reason"), [
    ("no clause here", "expected `tag: value` or a [Stanza], found 'no clause here'"),
    ("is_a: DOID:1 DOID:2", "is_a: expected an identifier, found 'DOID:1 DOID:2'"),
    ("is_a:", "is_a: expected an identifier, found ''"),
    ("relationship: part_of", "relationship: expected a relation and an identifier, found 'part_of'"),
    ("synonym: bare EXACT []", "synonym: expected a text in quotes, found 'bare EXACT []'"),
    ('synonym: "a" EXCAT', "synonym: expected one of EXACT, NARROW, BROAD, RELATED, found EXCAT"),
    ('def: "never closed [X:1]', "def: expected a text in quotes"),
    ("name:", "name: expected a text, found none"),
    ("property_value: part_of", "property_value: expected a relation and a value, found 'part_of'"),
])
def test_a_bad_line_is_told_with_its_place_and_spoils_no_other(line, reason):
    rows, bad_lines = read(f"[Term]\nid: X:1\n{line}\nis_a: X:2\n")
    ((path, number, found),) = [(bad.path, bad.line, bad.reason) for bad in bad_lines]
    assert (path, number) == ("a.obo", 3)
    assert found.startswith(reason)
    assert (OBO + "X_1", RDFS + "subClassOf", OBO + "X_2", 4) in rows


def test_a_stanza_without_an_id_is_told_and_other_kinds_are_passed_over():
    rows, bad_lines = read("[Term]\nname: a\n\n[Annotation]\nsubject: X:1\n\n[Term]\nid: X:2\n")
    assert [(bad.line, bad.reason) for bad in bad_lines] == [(1, "expected an id in this [Term], found none")]
    assert {row[0] for row in rows} == {OBO + "X_2"}


def test_bytes_that_are_no_text_are_told():
    bad_lines = BadLines()
    list(read_obo(io.BytesIO(b"[Term]\nid: X:1\nname: \xff\n"), "a.obo", 0, bad_lines))
    assert [(bad.line, bad.reason) for bad in bad_lines] == [(3, "byte 7: found no valid UTF-8")]


def test_bad_lines_stop_a_build_unless_they_may_be_skipped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.obo").write_text("[Term]\nid: X:1\nis_a: X:2\nrubbish\n")
    with pytest.raises(BadLinesError, match="a.obo:4: expected `tag: value`"):
        build_graph("a.obo", "kg")
    assert build_graph("a.obo", "kg", BuildConfig(skip_bad_lines=True)).num_triples == 2


@pytest.mark.parametrize("modifiers", ['{cardinality="0"}', '{maxCardinality="0"}', '{all_only="true"}'])
def test_a_relationship_for_none_or_only_is_no_edge(modifiers):
    stanza = "[Term]\nid: X:1\nrelationship: has_part X:2 {}\n"
    assert any(row[2] == OBO + "X_2" for row in read(stanza.format("{}"))[0])
    assert not any(row[2] == OBO + "X_2" for row in read(stanza.replace("{}", modifiers))[0])


def test_a_typedef_without_a_name_is_called_by_its_id_in_words(tmp_path):
    (tmp_path / "a.obo").write_text(
        "[Term]\nid: X:1\nrelationship: sits_in X:2\nrelationship: part_of X:2\n\n[Typedef]\nid: sits_in\n\n"
        "[Typedef]\nid: part_of\nxref: BFO:0000050\n"
    )
    build_graph(tmp_path / "a.obo", tmp_path / "kg")
    graph = KnowledgeGraph.open(tmp_path / "kg")
    names = {graph.relation_label(number) for number in range(graph.num_relations)}
    assert {"sits in", "part of"} <= names


def test_an_id_is_no_value_and_a_label_only_where_it_tells_more_than_the_iri(graph):
    assert "MOZ:0000002" not in {alias.text for alias in graph.aliases(graph.entity("MOZ:0000002"))}
    assert {alias.text: alias.kind for alias in graph.aliases(graph.entity("LAB:gavorn7"))}["LAB:gavorn7"] == "hidden"
    assert graph.find_id('"MOZ:0000002"') == -1
    assert OBO_IN_OWL + "id" not in {graph.relation_id(number) for number in range(graph.num_relations)}
