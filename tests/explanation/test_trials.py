"""A tried edit grounds a pair as the really edited graph does, and leaves no trace."""

import random

import numpy as np
import pytest

from kg_reason import KnowledgeGraph, NLIExample, RetrieverConfig
from kg_reason.config import LinkerConfig
from kg_reason.explanation.trials import Change, Trials, edge_triple, find_edge, trials_of
from kg_reason.kg.editing import edit_graph
from kg_reason.kg.grounding import Grounder
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever

PAIRS = [
    NLIExample("A man plays a violin.", "A woman plays an instrument."),
    NLIExample("The dog is hot.", "The cat is cold."),
    NLIExample("", "A cello is an instrument."),
]


@pytest.fixture
def folder(two_way_folder):
    """The toy graph on disk with one edit."""
    edit_graph(two_way_folder, "add", "ex:drum", "ex:antonym", "ex:violin")
    return two_way_folder


def grounder_of(graph):
    return Grounder(EntityLinker(graph), Retriever(graph))


def assert_same(found, wanted):
    assert found.premise_mentions == wanted.premise_mentions
    assert found.hypothesis_mentions == wanted.hypothesis_mentions
    for name, column in found.paths._asdict().items():
        if name != "edges":  # these keep the numbers of the graph as it is
            assert np.array_equal(column, getattr(wanted.paths, name)), name


def random_changes(graph, count):
    generator = random.Random(1)
    edges, entities = graph.live_edges().tolist(), range(graph.num_entities)
    for _ in range(count):
        removed = generator.sample(edges, generator.choice([0, 1, 1, 2, 3]))
        added = set()
        while len(added) < generator.choice([0, 1, 2]):
            head, tail = generator.sample(entities, 2)
            triple = (head, generator.randrange(graph.num_relations), tail)
            if find_edge(graph, triple) < 0:
                added.add(triple)
        yield Change(tuple(sorted(removed)), tuple(sorted(added)))


def test_random_edits_are_grounded_as_the_edited_graph_grounds_them(folder):
    graph = KnowledgeGraph.open(folder)
    trials = Trials(graph, LinkerConfig(), RetrieverConfig())
    as_it_is = [grounder_of(graph).ground(example) for example in PAIRS]
    num_changed = 0
    for change in random_changes(graph, 60):
        wanted = grounder_of(graph.with_edits(change.edits(graph)))
        for example, before in zip(PAIRS, as_it_is, strict=True):
            found = trials.ground(example, change)
            assert_same(found, wanted.ground(example))
            num_changed += found.paths.score.tolist() != before.paths.score.tolist()
            assert_same(trials.ground(example, Change()), before)
    assert num_changed > 50


def test_an_edited_graph_is_the_one_that_real_edits_make(folder):
    graph = KnowledgeGraph.open(folder)
    edge = find_edge(graph, (graph.entity("violin"), graph.relation("hypernym"), graph.entity("bowed instrument")))
    added = (graph.entity("violin"), graph.relation("hypernym"), graph.entity("drum"))
    imagined = graph.with_edits(Change((edge,), (added,)).edits(graph))
    edit_graph(folder, "remove", "ex:violin", "ex:hypernym", "ex:bowedInstrument")
    edit_graph(folder, "add", "ex:violin", "ex:hypernym", "ex:drum")
    real = KnowledgeGraph.open(folder)
    assert imagined.fingerprint == real.fingerprint
    for example in PAIRS:
        assert_same(grounder_of(imagined).ground(example), grounder_of(real).ground(example))


def test_edges_keep_their_numbers_and_new_ones_come_behind(folder):
    graph = KnowledgeGraph.open(folder)
    trials = Trials(graph, LinkerConfig(), RetrieverConfig())
    added = (graph.entity("violin"), graph.relation("hypernym"), graph.entity("instrument"))
    edges = trials.ground(PAIRS[0], Change(added=(added,))).paths.edges
    walked = {edge_triple(graph, edge) for edge in np.unique(edges[(edges >= 0) & (edges < len(graph.edge_head))])}
    assert (graph.entity("violin"), graph.relation("hypernym"), graph.entity("bowed instrument")) in walked
    assert (edges >= len(graph.edge_head)).sum() == 1


def test_long_rows_are_laid_by_opening_the_edited_graph(folder, monkeypatch):
    graph = KnowledgeGraph.open(folder)
    monkeypatch.setattr("kg_reason.explanation.trials.ROOM", 1)
    trials = Trials(graph, LinkerConfig(), RetrieverConfig())
    edge = find_edge(graph, (graph.entity("man"), graph.relation("antonym"), graph.entity("woman")))
    change = Change((edge,))
    assert_same(
        trials.ground(PAIRS[0], change), grounder_of(graph.with_edits(change.edits(graph))).ground(PAIRS[0])
    )


def test_a_graph_in_memory_can_be_edited_too(toy_graph):
    edge = find_edge(toy_graph, (toy_graph.entity("dog"), toy_graph.relation("hypernym"), toy_graph.entity("animal")))
    change = Change((edge,))
    edited = toy_graph.with_edits(change.edits(toy_graph))
    assert edited.num_edges == toy_graph.num_edges - 1
    example = NLIExample("A dog plays.", "An animal plays.")
    assert_same(trials_of(grounder_of(toy_graph)).ground(example, change), grounder_of(edited).ground(example))


def test_the_trials_of_a_grounder_are_made_once(toy_graph):
    grounder = grounder_of(toy_graph)
    assert trials_of(grounder) is trials_of(grounder)
