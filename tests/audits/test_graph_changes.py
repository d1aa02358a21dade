"""The same graph with other edges, in memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from kg_reason import BuildConfig, KnowledgeGraph, NLIExample, Retriever, build_graph
from kg_reason.audits.graph_changes import deranged, over_graph, rewired, with_random_edges, with_triples
from kg_reason.errors import ConfigError
from kg_reason.kg.edit_log import Edit
from kg_reason.kg.editing import edit_graph
from kg_reason.nli import Fact
from tests.conftest import toy_triples

PAIR = NLIExample("A man plays a violin.", "A man plays an instrument.")
UNKNOWN = NLIExample("A gavorn is cold.", "An instrument is cold.")


def edges(graph):
    live = graph.live_edges()
    columns = (graph.edge_head[live], graph.edge_relation[live], graph.edge_tail[live])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    named = (graph.entity_id, graph.relation_id, graph.entity_id)
    return sorted(tuple(name(number) for name, number in zip(named, row, strict=True)) for row in rows)


def neighbours(graph):
    """The edges as the rows of heads and tails tell them."""
    found = []
    for entity in range(graph.num_entities):
        for edge in graph.edges_of(entity):
            assert entity in (graph.edge_head[edge], graph.edge_tail[edge])
            found.append(edge)
    return sorted(set(found))


def test_no_relation_keeps_its_place_when_they_are_exchanged(toy_graph):
    for seed in range(5):
        changed = deranged(toy_graph, seed)
        before, after = edges(toy_graph), edges(changed)
        assert sorted((head, tail) for head, _, tail in before) == sorted((head, tail) for head, _, tail in after)
        assert not set(before) & set(after)
        assert {name for _, name, _ in before} == {name for _, name, _ in after}
    assert edges(deranged(toy_graph, 0)) == edges(deranged(toy_graph, 0))


def test_one_relation_cannot_be_exchanged():
    graph = KnowledgeGraph.from_triples([triple for triple in toy_triples() if triple.relation == "ex:hypernym"])
    with pytest.raises(ConfigError, match="found 1 relations"):
        deranged(graph, 0)


def test_rewiring_keeps_how_often_heads_relations_and_tails_occur(toy_graph):
    changed = rewired(toy_graph, 3)
    before, after = edges(toy_graph), edges(changed)
    assert before != after
    assert edges(rewired(toy_graph, 3)) == after
    pairs = Counter((name, tail) for _, name, tail in before)
    assert all(count <= pairs[name, tail] for (name, tail), count in Counter(row[1:] for row in after).items())
    assert {row[:2] for row in before} == {row[:2] for row in after}
    assert neighbours(changed) == list(range(changed.num_edges))


def test_random_edges_come_on_top_and_use_the_words_of_the_graph(toy_graph):
    changed = with_random_edges(toy_graph, 60, 1)
    assert set(edges(toy_graph)) < set(edges(changed))
    assert {name for _, name, _ in edges(changed)} == {name for _, name, _ in edges(toy_graph)}
    assert toy_graph.num_edges + 30 < changed.num_edges <= toy_graph.num_edges + 60
    assert neighbours(changed) == list(range(changed.num_edges))
    assert edges(with_random_edges(toy_graph, 60, 1)) == edges(changed)


def test_a_reasoner_answers_over_a_changed_graph_with_the_same_weights(make_reasoner, toy_graph):
    reasoner = make_reasoner()
    same = over_graph(reasoner, with_random_edges(toy_graph, 0, 0))
    (grounding,), (again,) = reasoner.ground_all([PAIR]), same.ground_all([PAIR])
    assert grounding.has_evidence
    assert np.array_equal(reasoner.score([PAIR], [grounding]).logits, same.score([PAIR], [again]).logits)
    other = over_graph(reasoner, rewired(toy_graph, 3))
    assert other.ground_all([PAIR])[0].paths.entities.tolist() != grounding.paths.entities.tolist()
    assert other.model is reasoner.model


def test_added_triples_make_new_entities_that_the_linker_finds(make_reasoner, toy_graph):
    fact = Fact("gavorn", "ex:hypernym", "ex:instrument")
    reasoner = make_reasoner()
    assert not reasoner.ground_all([UNKNOWN])[0].has_evidence
    changed = over_graph(reasoner, with_triples(toy_graph, [fact]))
    assert changed.ground_all([UNKNOWN])[0].has_evidence
    assert fact in [Fact(*row) for row in edges(changed.graph)]
    assert toy_graph.find_id("gavorn") == -1


def test_triples_are_added_to_a_graph_that_has_some_already_and_every_edge_keeps_its_sources(toy_graph):
    once = with_triples(toy_graph, [Fact("gavorn", "ex:hypernym", "ex:instrument")])
    twice = with_triples(once, [Fact("pelit", "ex:hypernym", "gavorn")])
    assert twice.num_edges == len(twice.live_edges()) == toy_graph.num_edges + 2
    sources = {str(source) for edge in twice.live_edges().tolist() for source in twice.edge_sources(edge)}
    assert {"edits.jsonl:1", "edits.jsonl:2", "toy.tsv:1"} <= sources


def test_added_triples_lie_over_a_folder_with_edits_that_stays_as_it_is(tmp_path):
    (tmp_path / "toy.tsv").write_text("a\tex:hypernym\tb\nb\tex:hypernym\tc\n")
    build_graph([tmp_path / "toy.tsv"], tmp_path / "kg", BuildConfig())
    edit_graph(tmp_path / "kg", "add", "c", "ex:hypernym", "d")
    graph = KnowledgeGraph.open(tmp_path / "kg")
    changed = with_triples(graph, [Fact("d", "ex:hypernym", "e")])
    assert edges(changed) == sorted([*edges(graph), ("d", "ex:hypernym", "e")])
    assert edges(KnowledgeGraph.open(tmp_path / "kg")) == edges(graph)
    assert edges(rewired(graph, 0)) != []
    assert Retriever(rewired(graph, 0)).walkable().any()


def test_a_changed_graph_keeps_the_label_relations_of_its_build(tmp_path):
    rows = ("violin\thypernym\tinstrument", "drum\thypernym\tinstrument", "violin\tcalled\tfiddle")
    (tmp_path / "a.tsv").write_text("".join(f"{row}\n" for row in rows))
    build_graph(tmp_path / "a.tsv", tmp_path / "kg", BuildConfig(label_relations=("called",)))
    changed = rewired(KnowledgeGraph.open(tmp_path / "kg"), 0)
    named = changed.with_edits([Edit(1, "add", "drum", "called", "tabor")])
    assert named.find_entities("tabor") == named.find_entities("drum")
