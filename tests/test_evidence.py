"""What the graph gave for a pair, as values: the words that paths join, their steps, and their contributions."""

from __future__ import annotations

import numpy as np
import pytest

from kg_reason.config import LinkerConfig, RetrieverConfig
from kg_reason.evidence import describe_evidence, describe_mentions
from kg_reason.kg.grounding import Grounder
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.nli import THREE_WAY, NLIExample


@pytest.fixture
def grounding(toy_graph):
    grounder = Grounder(EntityLinker(toy_graph, LinkerConfig()), Retriever(toy_graph, RetrieverConfig()))
    return grounder.ground(NLIExample("A man plays a violin.", "A woman plays a string instrument with a zither."))


def test_paths_come_strongest_first_with_their_own_contributions(toy_graph, grounding):
    num_paths = grounding.paths.num_paths
    assert num_paths > 1
    contributions = np.outer(np.arange(1.0, num_paths + 1), [1.0, -0.5, 0.0])
    evidence = describe_evidence(toy_graph, grounding, contributions, THREE_WAY, "en")
    assert [item.strength for item in evidence] == list(range(num_paths, 0, -1))
    total = np.sum([list(item.contribution.values()) for item in evidence], axis=0)
    np.testing.assert_allclose(total, contributions.sum(axis=0))
    texts = {"premise": "A man plays a violin.", "hypothesis": "A woman plays a string instrument with a zither."}
    for item in evidence:
        for place in (item.start, item.end):
            assert texts[place.side][place.start : place.end] == place.text


def test_mentions_have_the_names_of_their_entities_and_the_unknown_none(toy_graph, grounding):
    mentions = {item.text: item for item in describe_mentions(toy_graph, grounding.hypothesis_mentions, "en")}
    assert [entity.label for entity in mentions["string instrument"].candidates] == ["string instrument"]
    assert mentions["zither"].candidates == ()
