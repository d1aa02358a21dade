"""Paths that say the same are one group, and contributions stay exact."""

import pytest

from kg_reason.explanation.grouping import group_evidence
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple
from tests.conftest import toy_triples

PAIRS = [
    ("A man plays a violin.", "A woman plays an instrument."),
    ("The dog is hot.", "The cat is cold."),
    ("", "A cello is an instrument."),
]
# A second way from violin to string instrument, by other entities and the same relations.
DETOUR = [
    ("ex:violin", "ex:hypernym", "ex:fretless"), ("ex:fretless", "ex:hypernym", "ex:stringInstrument"),
]  # fmt: skip


@pytest.fixture(scope="module")
def graph_with_detour():
    more = [Triple(*edge, Source("more.tsv", line)) for line, edge in enumerate(DETOUR, start=1)]
    return KnowledgeGraph.from_triples([*toy_triples(), *more])


@pytest.mark.parametrize("pair", PAIRS)
def test_contributions_of_groups_add_up_to_the_logits(make_reasoner, pair):
    (prediction,) = make_reasoner().predict([pair])
    groups = group_evidence(prediction)
    assert groups
    for label, logit in prediction.answer.logits.items():
        moved = sum(group.contribution[label] for group in groups)
        assert moved == pytest.approx(logit - prediction.text_answer.logits[label], abs=1e-5)
        assert moved == pytest.approx(sum(item.contribution[label] for item in prediction.evidence), abs=1e-9)


def test_paths_of_the_same_relations_between_the_same_places_are_one_group(make_reasoner, graph_with_detour):
    pair = ("A man plays a violin.", "A man plays a string instrument.")
    (prediction,) = make_reasoner(graph=graph_with_detour).predict([pair])
    groups = group_evidence(prediction)
    (both,) = [group for group in groups if group.relations == (("hypernym", True),) * 2]
    labels = {item.path.steps[0].tail_label for item in both.evidence}
    assert labels == {"bowed instrument", "fretless"}
    assert sum(len(group.evidence) for group in groups) == len(prediction.evidence)
    for label in both.contribution:
        assert both.contribution[label] == sum(item.contribution[label] for item in both.evidence)


def test_paths_that_differ_in_direction_or_place_are_apart(make_reasoner):
    (prediction,) = make_reasoner().predict([("A dog plays. A man plays.", "A cat plays. A woman plays.")])
    groups = group_evidence(prediction)
    seen = [(group.start, group.end, group.relations) for group in groups]
    assert len(set(seen)) == len(seen) > 1


def test_the_strongest_group_comes_first_and_json_names_its_paths(make_reasoner):
    (prediction,) = make_reasoner().predict([PAIRS[0]])
    groups = group_evidence(prediction)
    assert [group.strength for group in groups] == sorted((group.strength for group in groups), reverse=True)
    numbers = [number for group in groups for number in group.to_json(prediction)["paths"]]
    assert sorted(numbers) == list(range(len(prediction.evidence)))


def test_no_evidence_is_no_group(make_reasoner):
    (prediction,) = make_reasoner().predict([("A drum is hot.", "It is.")])
    assert group_evidence(prediction) == ()
