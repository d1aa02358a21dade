"""Wrong triples: which are made, for which pairs, and what is counted."""

from __future__ import annotations

import numpy as np
import pytest

from kg_reason.audits.answered import Share
from kg_reason.audits.graph_changes import over_graph, with_triples
from kg_reason.audits.wrong_triples import (
    Misled,
    Saying,
    WrongTriple,
    count_linked_ends,
    draw_wrong_triples,
    is_on_path,
    misled_measures,
    misled_table,
    path_ends,
    sayings,
)
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.paths import Path, Step
from kg_reason.kg.triples import Source, Triple
from kg_reason.nli import Fact, Label, NLIExample

VIOLIN = NLIExample("A man plays a violin.", "A man plays an instrument.", Label.ENTAILMENT)
WOMAN = NLIExample("The man plays.", "The woman plays.", Label.CONTRADICTION)
FIDDLE = NLIExample("A violin is hot.", "A fiddle is hot.", Label.ENTAILMENT)


def graph_of(*edges: tuple[str, str, str]) -> KnowledgeGraph:
    return KnowledgeGraph.from_triples(Triple(*edge, Source("x.tsv", line)) for line, edge in enumerate(edges, start=1))


def test_the_most_frequent_relation_of_each_kind_speaks_for_a_label(make_reasoner):
    assert sayings(make_reasoner()) == {
        Label.ENTAILMENT: Saying("ex:hypernym", False), Label.CONTRADICTION: Saying("ex:antonym", False)
    }  # fmt: skip


def test_a_relation_that_leads_down_is_stated_the_other_way(make_reasoner):
    graph = graph_of(("pet", "has subtype", "dog"), ("pet", "has subtype", "cat"))
    assert sayings(make_reasoner(graph)) == {Label.ENTAILMENT: Saying("has subtype", True)}
    (wrong,) = draw_wrong_triples(
        make_reasoner(graph), [NLIExample("The dog runs.", "The cat runs.", Label.CONTRADICTION)], [0], 5, 0
    )
    assert wrong.triple == Fact("cat", "has subtype", "dog")


def test_a_graph_without_such_relations_gives_no_wrong_triple(make_reasoner):
    reasoner = make_reasoner(graph_of(("dog", "chases", "cat")))
    assert sayings(reasoner) == {}
    examples = [NLIExample("The dog runs.", "The cat runs.", Label.CONTRADICTION)]
    assert draw_wrong_triples(reasoner, examples, [0], 5, 0) == ()
    assert "no relation of the kinds" in misled_table(None, reasoner).note


def test_a_wrong_triple_joins_the_ends_of_the_strongest_path_and_says_otherwise(make_reasoner):
    found = draw_wrong_triples(make_reasoner(), [VIOLIN, WOMAN], [0, 1], 5, 0)
    by_row = {item.row: item for item in found}
    assert by_row[0].triple == Fact("ex:violin", "ex:antonym", "ex:instrument")
    assert by_row[0].says is Label.CONTRADICTION
    assert by_row[1].triple == Fact("ex:man", "ex:hypernym", "ex:woman")
    assert by_row[1].says is Label.ENTAILMENT


def test_no_triple_joins_an_entity_to_itself_and_none_is_made_twice(make_reasoner):
    assert draw_wrong_triples(make_reasoner(), [FIDDLE], [0], 5, 0) == ()
    assert len(draw_wrong_triples(make_reasoner(), [VIOLIN, VIOLIN], [0, 1], 5, 0)) == 1


def test_a_triple_that_the_graph_states_is_not_made(make_reasoner):
    wrongly = NLIExample(WOMAN.premise, WOMAN.hypothesis, Label.NEUTRAL)  # would be given the antonym that is there
    assert draw_wrong_triples(make_reasoner(), [wrongly], [0], 5, 0) == ()


def test_no_more_triples_are_drawn_than_asked_for_and_the_seed_decides_which(make_reasoner):
    reasoner = make_reasoner()
    examples = [
        NLIExample(f"The {first} plays.", f"The {last} plays.", Label.ENTAILMENT)
        for first, last in [("violin", "instrument"), ("dog", "animal"), ("man", "person"), ("cello", "instrument")]
    ]
    rows = range(len(examples))
    draws = [draw_wrong_triples(reasoner, examples, rows, 2, seed) for seed in range(8)]
    assert {len(draw) for draw in draws} == {2}
    assert draws[0] == draw_wrong_triples(reasoner, examples, rows, 2, 0)
    assert len({frozenset(item.row for item in draw) for draw in draws}) > 1


@pytest.mark.parametrize(
    ("label", "task", "says"),
    [
        (Label.NEUTRAL, "three-way", Label.CONTRADICTION),
        (Label.NOT_ENTAILMENT, "three-way", Label.ENTAILMENT),
        (Label.NEUTRAL, "two-way", Label.ENTAILMENT),
        (Label.ENTAILMENT, "two-way", Label.CONTRADICTION),
    ],
)
def test_the_triple_speaks_for_a_label_that_is_scored_as_another(label, task, says, make_reasoner):
    example = NLIExample("The drum plays.", "The violin plays.", label)
    (wrong,) = draw_wrong_triples(make_reasoner(task=task), [example], [0], 5, 0)
    assert wrong.says is says


def test_the_ends_of_a_path_are_found_whichever_way_its_edges_lead():
    up = Step("a", "a", "r", "b", "b", True, ())
    down = Step("c", "c", "r", "b", "b", False, ())
    assert path_ends(Path((up, down), 0, 1, 1.0)) == ("a", "c")
    assert path_ends(Path((down,), 0, 1, 1.0)) == ("b", "c")


def test_the_added_triple_is_taken_as_a_path_and_the_graph_itself_stays(make_reasoner, toy_graph):
    reasoner, triple = make_reasoner(), Fact("ex:violin", "ex:antonym", "ex:instrument")
    changed = over_graph(reasoner, with_triples(toy_graph, [triple]))
    (before,), (after,) = reasoner.ground_all([VIOLIN]), changed.ground_all([VIOLIN])
    assert not is_on_path(toy_graph, before.paths, triple)
    assert is_on_path(changed.graph, after.paths, triple)


def test_the_ends_of_a_triple_that_the_words_of_a_pair_may_mean_are_counted(make_reasoner, toy_graph):
    groundings = make_reasoner().ground_all([VIOLIN, WOMAN, FIDDLE])
    triples = [Fact("ex:violin", "ex:antonym", "ex:instrument")]
    assert count_linked_ends(toy_graph, groundings, triples).tolist() == [2, 0, 1]
    apart = [Fact("ex:violin", "ex:antonym", "ex:dog"), Fact("ex:cat", "ex:antonym", "ex:instrument")]
    assert count_linked_ends(toy_graph, groundings, apart).tolist() == [1, 0, 1]


def test_the_table_has_a_row_for_each_right_label_and_for_the_other_pairs(make_reasoner):
    triple = WrongTriple(0, Fact("a", "r", "b"), Label.CONTRADICTION)
    flags = (np.array([True, True]), np.array([True, False]), np.array([False, False]))
    misled = Misled((triple, triple), (Label.ENTAILMENT, Label.NEUTRAL), *flags, Share(1, 1), Share(3, 4), Share(9, 10))
    measures = misled_measures(misled)
    assert measures["wrong_triple_flips"] == 0.5
    assert measures["wrong_triple_unrelated_unchanged"] == pytest.approx(12 / 14)  # with one word and with none
    table = misled_table(misled, make_reasoner())
    assert [row[0] for row in table.rows] == [
        "right before", "of them entailment", "of them neutral", "others with both words", "with one of them",
        "with none of them",
    ]  # fmt: skip
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert misled_measures(None) == {}
