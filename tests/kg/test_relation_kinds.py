"""kg_reason.kg.relation_kinds: kinds from the table, from the user and from what the graph says of its relations."""

import pytest

from kg_reason.errors import ConfigError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.relation_kinds import KINDS, RelationName, names_of_kind, relation_kinds
from kg_reason.kg.triples import Source, Triple
from kg_reason.kg.words import plain_name

GROUPS = {"wider": ("hypernym", "^narrower", "sub class of"), "opposite": ("antonym", "^antonym")}
WIDER, OPPOSITE = 1 + KINDS.index("wider"), 1 + KINDS.index("opposite")
RDFS, OWL = "http://www.w3.org/2000/01/rdf-schema#", "http://www.w3.org/2002/07/owl#"


def graph_of(*triples):
    return KnowledgeGraph.from_triples([Triple(*t, Source("t.tsv", line)) for line, t in enumerate(triples, start=1)])


def kind_of(graph, relation, **settings):
    return relation_kinds(graph, GROUPS, **settings)[graph.relation(relation)]


def test_kinds_come_from_names_without_regard_to_case_blanks_and_punctuation():
    graph = graph_of(("ex:a", "ex:SubClassOf", "ex:b"), ("ex:a", "ex:antonym", "ex:b"), ("ex:a", "ex:eats", "ex:b"))
    assert plain_name("sub class of") == plain_name("subClassOf")
    assert kind_of(graph, "ex:SubClassOf") == WIDER
    assert kind_of(graph, "ex:antonym") == OPPOSITE
    assert kind_of(graph, "ex:eats") == 0


def test_a_relation_of_the_other_direction_has_the_kind_with_a_minus():
    graph = graph_of(("ex:a", "ex:narrower", "ex:b"))
    assert kind_of(graph, "ex:narrower") == -WIDER


def test_what_the_user_declares_comes_before_the_table():
    graph = graph_of(("ex:a", "ex:sitsUnder", "ex:b"), ("ex:a", "ex:antonym", "ex:b"))
    declared = ("sits under=wider", "antonym=^wider")
    assert kind_of(graph, "ex:sitsUnder", declared=declared) == WIDER
    assert kind_of(graph, "ex:antonym", declared=declared) == -WIDER


@pytest.mark.parametrize("pair", ["sits under", "=wider", "sits under=broadish"])
def test_a_declaration_that_names_no_kind_is_refused(pair):
    with pytest.raises(ConfigError, match=f"relation_kinds: found '{pair}', expected name=kind with one of wider, "):
        relation_kinds(graph_of(("ex:a", "ex:sitsUnder", "ex:b")), GROUPS, (pair,))


@pytest.mark.parametrize(
    ("kin", "kind"),
    [(f"{RDFS}subPropertyOf", WIDER), (f"{OWL}equivalentProperty", WIDER), (f"{OWL}inverseOf", -WIDER)],
)
def test_a_relation_is_of_the_kind_of_its_kin_in_the_graph(kin, kind):
    graph = graph_of(
        ("ex:a", "ex:blorp", "ex:b"), ("ex:blorp", kin, "ex:middle"),
        ("ex:middle", f"{RDFS}subPropertyOf", "ex:hypernym"), ("ex:a", "ex:hypernym", "ex:c"),
    )  # fmt: skip
    assert kind_of(graph, "ex:blorp") == kind


def test_relations_that_point_at_each_other_in_a_circle_have_no_kind():
    graph = graph_of(
        ("ex:a", "ex:blorp", "ex:b"), ("ex:blorp", f"{RDFS}subPropertyOf", "ex:blarp"),
        ("ex:blarp", f"{RDFS}subPropertyOf", "ex:blorp"),
    )  # fmt: skip
    assert kind_of(graph, "ex:blorp") == 0


def test_the_names_of_a_kind_say_whether_they_lead_the_other_way():
    hypernym, subclass, narrower = (RelationName(text) for text in ("hypernym", "sub class of", "narrower"))
    assert names_of_kind(WIDER, GROUPS) == (hypernym, subclass, narrower._replace(turned=True))
    turned = (name._replace(turned=True) for name in (hypernym, subclass))
    assert names_of_kind(-WIDER, GROUPS) == (narrower, *turned)
    assert names_of_kind(OPPOSITE, GROUPS) == (RelationName("antonym"),)
    assert names_of_kind(0, GROUPS) == ()
