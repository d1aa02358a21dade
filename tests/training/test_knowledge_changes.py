"""kg_reason.training.knowledge_changes on tables of the toy graph: exchanged relations, missing and chance paths."""

import random

import numpy as np
import pytest

from kg_reason.kg.grounding import Grounding
from kg_reason.kg.paths import PATH_FEATURES
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.subgraph import subgraph
from kg_reason.nli import Label
from kg_reason.synthesis.patterns import PatternWalker
from kg_reason.synthesis.relation_table import load_table
from kg_reason.training.knowledge_changes import (
    Ends,
    add_irrelevant,
    drop_paths,
    exchange_relations,
    exchanges,
    find_ends,
    joins,
)
from tests.model.toy_groundings import ToyPath, find_mentions, path_table

PATHS = (
    ToyPath(0, 2, ("violin", "bowedInstrument"), ("hypernym",)),
    ToyPath(1, 2, ("man", "person"), ("hypernym",)),
    ToyPath(0, 2, ("violin", "bowedInstrument", "stringInstrument"), ("hypernym", "hypernym")),
)


@pytest.fixture
def grounding(toy_graph):
    premise = find_mentions("the violin of a man", ("violin", "man"))
    hypothesis = find_mentions("the bowed instrument", ("bowed instrument",))
    return Grounding(premise, hypothesis, path_table(toy_graph, PATHS))


@pytest.fixture
def retriever(toy_graph):
    return Retriever(toy_graph)


def choices_of(toy_graph, retriever, downward=False):
    return exchanges(PatternWalker(toy_graph, load_table()).routes, retriever.walkable(), downward)


def test_the_ends_are_the_mentions_that_begin_at_the_words(grounding):
    assert find_ends(grounding, 4, 4) == Ends(0, 2)
    assert find_ends(grounding, 4, 5) is None


def test_what_may_stand_for_an_edge_gives_the_label_of_its_pattern(toy_graph, retriever):
    hypernym, antonym = toy_graph.relation("ex:hypernym"), toy_graph.relation("ex:antonym")
    labels = {choice.steps[0]: choice.label for choice in choices_of(toy_graph, retriever)[1]}
    assert labels[hypernym, True] is Label.ENTAILMENT
    assert labels[hypernym, False] is Label.NEUTRAL
    assert labels[antonym, True] is Label.CONTRADICTION
    assert (antonym, False) not in labels  # symmetric relations are walked forward only
    downward = {choice.steps[0]: choice.label for choice in choices_of(toy_graph, retriever, downward=True)[1]}
    assert downward[hypernym, False] is Label.ENTAILMENT


def test_an_exchanged_path_has_other_relations_and_is_the_only_one_between_its_mentions(
    toy_graph, retriever, grounding
):
    before = grounding.paths.take(slice(None))
    antonym = toy_graph.relation("ex:antonym")
    exchange = next(item for item in choices_of(toy_graph, retriever)[1] if item.steps[0].relation == antonym)
    paths = exchange_relations(grounding.paths, 0, exchange, retriever.climbs(), toy_graph.num_edges)
    assert paths.num_paths == 2
    assert paths.relations[0, 0] == antonym
    assert paths.edges[0, 0] >= toy_graph.num_edges
    assert paths.features[0, PATH_FEATURES.index("taxonomic")] == 0.0
    assert paths.entities[0].tolist() == before.entities[0].tolist()
    assert paths.relations[1].tolist() == before.relations[1].tolist()
    for column, unchanged in zip(grounding.paths, before, strict=True):
        assert np.array_equal(column, unchanged)
    assert antonym in subgraph(paths, 2).edge_type


def test_only_paths_that_need_not_be_kept_are_left_out(grounding):
    kept = joins(grounding.paths, Ends(0, 2))
    assert kept.tolist() == [True, False, True]
    assert drop_paths(grounding.paths, kept, 1.0, random.Random(0)).num_paths == 2
    assert drop_paths(grounding.paths, kept, 0.0, random.Random(0)).num_paths == 3


def test_chance_paths_join_known_mentions_but_not_the_spared_ones(toy_graph, retriever, grounding):
    for seed in range(20):
        added = add_irrelevant(grounding, 3, toy_graph, retriever.walkable(), Ends(0, 2), random.Random(seed))
        assert added.num_paths >= grounding.paths.num_paths
        for row in range(grounding.paths.num_paths, added.num_paths):
            assert (added.start[row], added.end[row]) == (1, 2)
            length = int(added.length[row])
            assert 2 <= length <= 4
            assert (added.entities[row, : length + 1] >= 0).all()
            assert (added.relations[row, :length] >= 0).all()
            assert (added.edges[row, :length] >= toy_graph.num_edges).all()
        subgraph(added, 2)


def test_without_a_known_word_in_the_premise_no_chance_path_is_added(toy_graph, retriever, grounding):
    bare = Grounding((), grounding.hypothesis_mentions, grounding.paths.take(slice(0, 0)))
    assert add_irrelevant(bare, 3, toy_graph, retriever.walkable(), None, random.Random(0)).num_paths == 0
