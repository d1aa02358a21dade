"""Tests of audits/cause_pairs.py."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kg_reason.audits.cause_pairs import CausePair, as_clause, graph_causes, load_causes, sentence
from kg_reason.errors import ConfigError, InputSyntaxError
from kg_reason.kg.building import build_graph
from kg_reason.kg.editing import edit_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
SINGLE = {"premise": "The glass broke.", "ask": "cause", "group": "1"}


@pytest.fixture
def write(tmp_path):
    def write_file(name, *rows):
        path = tmp_path / name
        path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
        return str(path)

    return write_file


def causal_graph(edges, labels):
    triples = [Triple(head, relation, tail, Source("g.tsv", 1)) for head, relation, tail in edges]
    triples += [Triple(key, LABEL, text, Source("g.tsv", 1), language="en", pos=pos) for key, text, pos in labels]
    return KnowledgeGraph.from_triples(triples)


def test_the_shipped_list_has_at_least_120_distinct_pairs_of_bare_clauses():
    pairs = load_causes().pairs
    assert len(set(pairs)) == len(pairs) >= 120
    clauses = [clause for pair in pairs for clause in (pair.cause, pair.effect)]
    assert not [clause for clause in clauses if clause.endswith(".") or clause != clause.strip()]
    assert all(pair.cause != pair.effect for pair in pairs)


def test_a_table_of_causes_is_read_without_its_comments(write):
    path = write("own.tsv", "# mine", "", "The rope snapped.\tthe swing fell")
    assert load_causes(path).pairs == (CausePair("the rope snapped", "the swing fell"),)


@pytest.mark.parametrize("row", ["only one", "a\tb\tc", "\tb"])
def test_a_wrong_line_of_a_table_is_told(write, row):
    with pytest.raises(InputSyntaxError, match=r"own.tsv:2: expected cause and effect with a tab"):
        load_causes(write("own.tsv", "it rained\tthe road was wet", row))


def test_alternatives_on_lines_of_their_own_become_one_choice(write):
    rows = [
        {**SINGLE, "hypothesis": "The glass fell.", "label": "entailment"},
        {**SINGLE, "hypothesis": "I drank.", "label": "not_entailment"},
    ]
    causes = load_causes(write("own.jsonl", *rows))
    (choice,) = causes.choices
    assert (choice.given, choice.alternatives, choice.right) == ("the glass broke", ("the glass fell", "I drank"), 0)
    assert causes.pairs == (CausePair("the glass fell", "the glass broke"),)


def test_alternatives_on_one_line_become_one_choice(write):
    row = {"premise": "It rained.", "choice1": "The sun shone.", "choice2": "The road was wet.", "label": 1}
    causes = load_causes(write("own.jsonl", {**row, "question": "effect"}))
    assert causes.choices[0].pair(0) == CausePair("it rained", "the sun shone")
    assert causes.pairs == (CausePair("it rained", "the road was wet"),)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["{"], "own.jsonl:1: expected a JSON object"),
        ([{"premise": "It rained."}], "own.jsonl:1: found .* expected the fields premise, choice1"),
        ([{**SINGLE, "hypothesis": "A.", "label": "entailment"}], "own.jsonl:1: group '1': found 1 lines, 1 of them"),
        ([{**SINGLE, "hypothesis": "It.", "label": "neutral"}] * 2, "found 2 lines, 0 of them right"),
        (
            [{"premise": "It rained.", "choice1": "A.", "choice2": "B.", "question": "why", "label": 0}],
            "found 'why', expected cause or effect",
        ),
        (
            [{"premise": "It rained.", "choice1": "A.", "choice2": "B.", "question": "cause", "label": 2}],
            "label: found 2, expected 0 or 1",
        ),
        (
            [{"premise": " ", "choice1": "A.", "choice2": "B.", "question": "cause", "label": 0}],
            "premise: found ' ', expected a sentence",
        ),
        ([], "found no cause with its effect"),
    ],
)
def test_wrong_choices_are_told_with_their_place(write, rows, message):
    with pytest.raises(InputSyntaxError, match=message):
        load_causes(write("own.jsonl", *rows))


def test_a_file_of_another_kind_or_that_is_missing_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"cause_file: found 'causes.xml', expected a name in .tsv or .jsonl"):
        load_causes("causes.xml")
    with pytest.raises(InputSyntaxError, match=r"nowhere.tsv: "):
        load_causes(str(tmp_path / "nowhere.tsv"))


@pytest.mark.parametrize(
    ("text", "clause"),
    [("The sun rose.", "the sun rose"), ("Mary left.", "Mary left"), ("I fell.", "I fell"), ("I'm ill.", "I'm ill")],
)
def test_a_sentence_becomes_a_clause_that_keeps_the_capital_of_a_name(text, clause):
    assert as_clause(text) == clause
    assert sentence(clause) == text


def test_verbs_adjectives_and_nouns_of_a_causal_graph_become_clauses():
    graph = causal_graph(
        [("sink", "causes", "go_down"), ("storm", "causes", "tired"), ("teach", "causes", "learn")],
        [("sink", "sink", "v"), ("go_down", "go down", "v"), ("storm", "storm", "n"), ("tired", "tired", "a"),
         ("teach", "teach", "v"), ("learn", "learn", "v")],
    )  # fmt: skip
    pairs = graph_causes(graph, np.array([1]), 10)
    assert pairs == (
        CausePair("somebody taught them", "they learned"), CausePair("there was a storm", "they were tired")
    )  # fmt: skip


def test_the_direction_of_a_relation_says_which_end_is_the_cause_and_equal_labels_are_passed_over():
    labels = [("fire", "fire", "n"), ("smoke", "smoke", "n"), ("other", "Smoke", "n")]
    graph = causal_graph([("smoke", "caused by", "fire"), ("smoke", "caused by", "other")], labels)
    (pair,) = graph_causes(graph, np.array([-1]), 10)
    assert "fire" in pair.cause
    assert "smoke" in pair.effect
    assert graph_causes(graph, np.array([0]), 10) == ()


def test_a_triple_that_an_edit_removed_is_not_asked_about(tmp_path):
    (tmp_path / "g.tsv").write_text("storm\tcauses\tflood\nfire\tcauses\tsmoke\n")
    build_graph([str(tmp_path / "g.tsv")], str(tmp_path / "g"))
    edit_graph(tmp_path / "g", "remove", "storm", "causes", "flood")
    pairs = graph_causes(KnowledgeGraph.open(tmp_path / "g"), np.array([1]), 10)
    assert ["smoke" in pair.effect for pair in pairs] == [True]


def test_at_most_so_many_are_drawn_by_the_seed():
    names = [f"thing{letter}" for letter in "abcdefgh"]
    edges = [(name, "causes", "storm") for name in names]
    graph = causal_graph(edges, [(name, name, "n") for name in (*names, "storm")])
    drawn = graph_causes(graph, np.array([1]), 3, seed=0)
    assert len(drawn) == 3
    assert drawn == graph_causes(graph, np.array([1]), 3, seed=0)
    assert {graph_causes(graph, np.array([1]), 3, seed=seed) for seed in range(5)} != {drawn}
