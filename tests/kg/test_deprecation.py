"""Deprecated terms rank behind others, and their labels lead to what replaces them."""

from __future__ import annotations

import pytest

from kg_reason.kg.entity_status import entity_status
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.triples import Source, Triple

OWL = "http://www.w3.org/2002/07/owl#"
OBO = "http://purl.obolibrary.org/obo/"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
TRUE = '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'
FALSE = TRUE.replace("true", "false")
OLD, NEW, NEWEST = OBO + "MOZ_1", OBO + "MOZ_2", OBO + "MOZ_3"
DEPRECATED = (OLD, OWL + "deprecated", TRUE)
LABELS = [(OLD, LABEL, '"glimmer pox"@en'), (NEW, LABEL, '"moth fever"@en'), (OBO + "MOZ_9", LABEL, '"glimmer pox"@en')]


def build(*rows: tuple[str, str, str]) -> KnowledgeGraph:
    return KnowledgeGraph.from_triples([Triple(*row, Source("a.nt", line)) for line, row in enumerate(rows, 1)])


def ids(graph: KnowledgeGraph, name: str) -> list[str]:
    return [graph.entity_id(entity) for entity in graph.find_entities(name)]


def test_a_deprecated_term_ranks_behind_others_of_its_name():
    graph = build(*LABELS, DEPRECATED)
    assert ids(graph, "glimmer pox") == [OBO + "MOZ_9", OLD]
    (mention,) = EntityLinker(graph).link("Glimmer pox.")
    scores = {graph.entity_id(candidate.entity): candidate.score for candidate in mention.candidates}
    assert scores[OBO + "MOZ_9"] > 2 * scores[OLD]


def test_its_name_leads_to_its_replacement_first():
    graph = build(*LABELS[:2], DEPRECATED, (OLD, OBO + "IAO_0100001", NEW))
    assert ids(graph, "glimmer pox") == [NEW, OLD]
    (mention,) = EntityLinker(graph).link("Glimmer pox.")
    assert graph.entity_id(mention.candidates[0].entity) == NEW
    (alias,) = [alias for alias in graph.aliases(graph.entity(NEW)) if alias.text == "glimmer pox"]
    assert (alias.kind, alias.prior, alias.source.line) == ("hidden", 0.5, 1)


@pytest.mark.parametrize("statement", [
    DEPRECATED, (OLD, "owl:deprecated", "true"), (OLD, OWL + "deprecated", '"1"'), (OLD, TYPE, OWL + "DeprecatedClass"),
])
def test_the_ways_to_say_so_are_known(statement):
    graph = build(*LABELS[:1], statement)
    assert graph.aliases(graph.entity(OLD))[0].prior == pytest.approx(0.1)
    assert entity_status(graph, graph.entity(OLD)).is_deprecated


def test_a_term_that_is_stated_not_to_be_deprecated_is_not():
    graph = build(*LABELS[:2], (OLD, OWL + "deprecated", FALSE), (OLD, OBO + "IAO_0100001", NEW))
    assert graph.aliases(graph.entity(OLD))[0].prior == 1
    assert ids(graph, "glimmer pox") == [OLD]
    assert entity_status(graph, graph.entity(OLD)) == ("MOZ:1", False, ())


def test_a_term_without_a_label_loses_its_own_name_too():
    graph = build((OLD, OWL + "deprecated", TRUE))
    assert graph.aliases(graph.entity(OLD))[0].prior == pytest.approx(0.1)


@pytest.mark.parametrize("written", [NEW, '"MOZ:2"', f'"{NEW}"^^<http://www.w3.org/2001/XMLSchema#anyURI>'])
def test_a_replacement_may_be_written_as_a_text(written):
    graph = build(*LABELS[:2], DEPRECATED, (OLD, OBO + "IAO_0100001", written))
    assert ids(graph, "glimmer pox")[0] == NEW
    status = entity_status(graph, graph.entity(OLD))
    assert [graph.entity_id(other) for other in status.replacements] == [NEW]


def test_replacements_are_followed_to_the_last():
    graph = build(
        *LABELS[:1], DEPRECATED, (OLD, OBO + "IAO_0100001", NEW), (NEW, OWL + "deprecated", TRUE),
        (NEW, OBO + "IAO_0100001", NEWEST), (NEWEST, LABEL, '"moth fever"@en'),
    )  # fmt: skip
    assert ids(graph, "glimmer pox")[0] == NEWEST
    assert NEW not in ids(graph, "glimmer pox")


def test_a_circle_of_replacements_ends():
    graph = build(
        *LABELS[:2], DEPRECATED, (OLD, OBO + "IAO_0100001", NEW), (NEW, OWL + "deprecated", TRUE),
        (NEW, OBO + "IAO_0100001", OLD),
    )  # fmt: skip
    assert ids(graph, "glimmer pox") == [OLD]
