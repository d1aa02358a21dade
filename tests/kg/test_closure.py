"""What follows from small graphs, rule by rule, and what is refused."""

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError, GraphError
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple

TRANSITIVE = ("ex:below", "rdf:type", "owl:TransitiveProperty")


def infer(*rows, **settings):
    triples = [Triple(*row, Source("t.tsv", line)) for line, row in enumerate(rows, start=1)]
    return KnowledgeGraph.from_triples(triples, BuildConfig(infer="rdfs", **settings))


def inferred(graph):
    """Inferred triples with the lines they rest on."""
    return {
        (
            graph.entity_id(int(graph.edge_head[edge])),
            graph.relation_id(int(graph.edge_relation[edge])),
            graph.entity_id(int(graph.edge_tail[edge])),
        ): [source.line for source in graph.edge_sources(edge)]
        for edge in graph.inferences.edges().tolist()
    }


def test_chains_of_subclasses_are_edges_that_name_every_link():
    graph = infer(("a", "rdfs:subClassOf", "b"), ("b", "rdfs:subClassOf", "c"), ("c", "rdfs:subClassOf", "d"))
    assert inferred(graph) == {
        ("a", "rdfs:subClassOf", "c"): [1, 2],
        ("b", "rdfs:subClassOf", "d"): [2, 3],
        ("a", "rdfs:subClassOf", "d"): [1, 2, 3],
    }


def test_the_shortest_of_several_chains_is_named():
    long = [("a", "rdfs:subClassOf", "b"), ("b", "rdfs:subClassOf", "c"), ("c", "rdfs:subClassOf", "d")]
    short = [("a", "rdfs:subClassOf", "e"), ("e", "rdfs:subClassOf", "d")]
    assert inferred(infer(*long, *short))["a", "rdfs:subClassOf", "d"] == [4, 5]


@pytest.mark.parametrize(
    "name", ["http://www.w3.org/2000/01/rdf-schema#subClassOf", "subClassOf", "subclass of", "is a", "is_a", "wdt:P279"]
)
def test_a_subclass_is_known_by_each_of_its_usual_names(name):
    assert inferred(infer(("a", name, "b"), ("b", name, "c"))) == {("a", name, "c"): [1, 2]}


def test_several_spellings_of_a_relation_make_one_chain():
    rows = [("a", "is a", "b"), ("b", "rdfs:subClassOf", "c"), ("c", "is a", "d")]
    chains = {("a", "is a", "c"): [1, 2], ("b", "is a", "d"): [2, 3], ("a", "is a", "d"): [1, 2, 3]}
    assert inferred(infer(*rows)) == chains


def test_other_relations_make_chains_only_if_that_is_declared():
    chain = [("a", "ex:below", "b"), ("b", "ex:below", "c")]
    assert inferred(infer(*chain)) == {}
    assert inferred(infer(*chain, TRANSITIVE)) == {("a", "ex:below", "c"): [1, 2, 3]}


def test_a_thing_is_of_the_classes_above_its_class():
    graph = infer(("x", "rdf:type", "a"), ("a", "rdfs:subClassOf", "b"))
    assert inferred(graph) == {("x", "rdf:type", "b"): [1, 2]}


def test_what_holds_of_a_relation_holds_of_those_above_it_and_names_the_way_there():
    graph = infer(
        ("ann", "ex:motherOf", "bob"),
        ("ex:motherOf", "rdfs:subPropertyOf", "ex:parentOf"),
        ("ex:parentOf", "owl:inverseOf", "ex:childOf"),
        ("ex:parentOf", "rdfs:domain", "ex:Parent"),
    )
    assert inferred(graph) == {
        ("ann", "ex:parentOf", "bob"): [1, 2],
        ("bob", "ex:childOf", "ann"): [1, 2, 3],
        ("ann", "rdf:type", "ex:Parent"): [1, 2, 4],
    }


def test_a_symmetric_relation_holds_both_ways_but_not_of_values():
    rows = [("ex:like", "rdf:type", "owl:SymmetricProperty"), ("a", "ex:like", "b"), ("a", "ex:like", '"5"')]
    assert inferred(infer(*rows)) == {("b", "ex:like", "a"): [2, 1]}


def test_equivalent_classes_are_below_each_other_and_two_below_each_other_are_equivalent():
    graph = infer(("a", "owl:equivalentClass", "b"))
    assert set(inferred(graph)) == {
        ("a", "rdfs:subClassOf", "b"), ("b", "rdfs:subClassOf", "a"), ("b", "owl:equivalentClass", "a"),
    }  # fmt: skip
    graph = infer(("a", "rdfs:subClassOf", "b"), ("b", "rdfs:subClassOf", "a"))
    assert inferred(graph) == {("a", "owl:equivalentClass", "b"): [1, 2], ("b", "owl:equivalentClass", "a"): [2, 1]}


def test_disjoint_classes_have_disjoint_classes_below_them():
    below = [("rose", "rdfs:subClassOf", "plant"), ("dog", "rdfs:subClassOf", "animal")]
    graph = infer(("plant", "owl:disjointWith", "animal"), *below)
    assert inferred(graph) == {
        ("plant", "owl:disjointWith", "dog"): [1, 3],
        ("rose", "owl:disjointWith", "animal"): [2, 1],
        ("rose", "owl:disjointWith", "dog"): [2, 1, 3],
    }


def test_skos_means_what_its_vocabulary_says():
    graph = infer(("a", "skos:broader", "b"), ("b", "skos:broader", "c"), ("a", "skos:exactMatch", "x"))
    found = inferred(graph)
    assert found["b", "skos:narrower", "a"] == [1]
    assert found["a", "skos:broaderTransitive", "c"] == [1, 2]
    assert found["x", "skos:closeMatch", "a"] == [3]
    assert ("a", "skos:broader", "c") not in found


def test_what_is_stated_is_not_inferred_and_nothing_leads_to_itself():
    rows = [("a", "rdfs:subClassOf", "b"), ("b", "rdfs:subClassOf", "c"), ("a", "rdfs:subClassOf", "c")]
    assert inferred(infer(*rows)) == {}
    assert inferred(infer(("a", "ex:below", "b"), ("b", "ex:below", "a"), TRANSITIVE)) == {}


def test_nothing_is_said_to_be_a_thing():
    rows = [("a", "rdfs:subClassOf", "b"), ("b", "rdfs:subClassOf", "owl:Thing"), ("ex:p", "rdfs:range", "owl:Thing")]
    assert inferred(infer(*rows)) == {}


def test_relations_between_declared_classes_say_some_so_they_are_not_turned():
    rows = [
        ("tail", "ex:partOf", "dog"),
        ("ex:partOf", "owl:inverseOf", "ex:hasPart"),
        ("ex:partOf", "rdfs:range", "ex:Whole"),
        ("dog", "ex:partOf", "pack"),
        ("ex:partOf", "rdf:type", "owl:TransitiveProperty"),
    ]
    classes = [(name, "rdf:type", "owl:Class") for name in ("tail", "dog", "pack")]
    assert len(inferred(infer(*rows))) == 6
    assert inferred(infer(*rows, *classes)) == {("tail", "ex:partOf", "pack"): [1, 4, 5]}


def test_labels_are_never_inferred():
    graph = infer(("ex:name", "rdfs:subPropertyOf", "rdfs:label"), ("x", "ex:name", '"X"'))
    assert inferred(graph) == {}


def test_without_the_setting_nothing_is_inferred():
    rows = [Triple("a", "is a", "b", Source("t", 1)), Triple("b", "is a", "c", Source("t", 2))]
    assert KnowledgeGraph.from_triples(rows).inferences.num == 0
    assert KnowledgeGraph.from_triples(rows, BuildConfig(infer="rdfs")).inferences.num == 1


def test_relations_may_be_excepted():
    rows = [("a", "is a", "b"), ("b", "is a", "c"), ("c", "owl:disjointWith", "d")]
    assert {relation for _, relation, _ in inferred(infer(*rows))} == {"is a", "owl:disjointWith"}
    assert {relation for _, relation, _ in inferred(infer(*rows, infer_except=("disjointWith",)))} == {"is a"}
    assert inferred(infer(*rows, infer_except=("is a", "owl:disjointWith"))) == {}
    with pytest.raises(ConfigError, match="infer_except: the graph has no relation 'isle'"):
        infer(*rows, infer_except=("isle",))


def test_more_edges_than_allowed_are_refused_and_the_relation_named():
    chain = [(f"c{number}", "ex:below", f"c{number + 1}") for number in range(30)]
    assert infer(*chain, TRANSITIVE, max_inferred=435).inferences.num == 435
    with pytest.raises(GraphError, match="more than 434 edges follow .* of the relation 'below' .*--infer-except"):
        infer(*chain, TRANSITIVE, max_inferred=434)


def test_an_inferred_edge_weighs_what_its_lightest_premise_weighs():
    rows = [("a", "b", 0.5), ("b", "c", 2.0)]
    triples = [Triple(head, "is a", tail, Source("t", 1), weight=weight) for head, tail, weight in rows]
    graph = KnowledgeGraph.from_triples(triples, BuildConfig(infer="rdfs"))
    assert graph.edge_weight[graph.inferences.edges()].tolist() == [0.5]


def test_a_deep_chain_of_ten_thousand_names_all_of_its_lines():
    chain = [(f"c{number}", "ex:below", f"c{number + 1}") for number in range(10_000)]
    subclasses = [(head, "rdfs:subClassOf", tail) for head, _, tail in chain]
    graph = infer(*subclasses, ("x", "rdf:type", "c0"), infer_except=("subClassOf",))
    edge = graph.inferences.find(graph.entity("x"), graph.relation("rdf:type"), graph.entity("c10000"))
    assert len(graph.edge_sources(edge)) == 10_001


def test_an_obo_file_is_closed_by_what_its_typedefs_declare(tmp_path):
    terms = {"0000001": "is_a: X:0000002\nrelationship: part_of X:0000003", "0000002": "is_a: X:0000004",
             "0000003": "relationship: part_of X:0000004", "0000004": "disjoint_from: X:0000005",
             "0000005": "name: five"}  # fmt: skip
    stanzas = [f"[Term]\nid: X:{number}\n{clauses}\n" for number, clauses in terms.items()]
    typedef = "[Typedef]\nid: part_of\nxref: BFO:0000050\nis_transitive: true\ninverse_of: has_part\n"
    (tmp_path / "x.obo").write_text("format-version: 1.4\n\n" + "\n".join([*stanzas, typedef]))
    build_graph([tmp_path / "x.obo"], tmp_path / "kg", BuildConfig(infer="rdfs"))
    found = inferred(KnowledgeGraph.open(tmp_path / "kg"))
    short = {tuple(key.rpartition("/")[2].rpartition("#")[2] or key for key in triple) for triple in found}
    assert short == {
        ("X_0000001", "subClassOf", "X_0000004"),
        ("X_0000001", "BFO_0000050", "X_0000004"),
        ("X_0000001", "disjointWith", "X_0000005"),
        ("X_0000002", "disjointWith", "X_0000005"),
    }


def test_the_order_of_lines_changes_neither_edges_nor_premises():
    rows = [
        ("a", "is a", "b"), ("b", "is a", "c"), ("a", "is a", "d"), ("d", "is a", "c"), ("x", "ex:p", "a"),
        ("x", "ex:p", "d"), ("ex:p", "rdfs:domain", "a"), ("ex:p", "rdfs:subPropertyOf", "ex:q"), ("y", "ex:q", "x"),
    ]  # fmt: skip
    wanted = {triple: [rows[line - 1] for line in lines] for triple, lines in inferred(infer(*rows)).items()}
    turned = rows[::-1]
    found = {triple: [turned[line - 1] for line in lines] for triple, lines in inferred(infer(*turned)).items()}
    assert found == wanted
    assert ("x", "rdf:type", "c") in found
