"""Tests of audits/causality.py."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kg_reason.audits.causality import audit_causality
from kg_reason.config import AuditConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple
from kg_reason.reasoner import Scores
from kg_reason.synthesis.context import is_function_word

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
PAIRS = [("the drum is hot", "a man plays the cello"), ("a dog is on the string", "the cat is cold")]


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "causes.tsv"
    path.write_text("".join(f"{cause}\t{effect}\n" for cause, effect in PAIRS), encoding="utf-8")
    return AuditConfig(cause_file=str(path))


@pytest.fixture
def causal_graph():
    triples = [Triple("heat", "causes", "fire", Source("g.tsv", 1))]
    triples += [Triple(key, LABEL, text, Source("g.tsv", 1), language="en", pos="n")
                for key, text in (("heat", "drum"), ("fire", "cello"))]  # fmt: skip
    return KnowledgeGraph.from_triples(triples)


def answer_by(reasoner, is_entailed, monkeypatch):
    """Let a reasoner answer entailment, with the graph and without, exactly where a rule says so."""

    def score(examples, groundings, batch_size=32):
        entailed = np.array([is_entailed(example.premise.lower(), example.hypothesis.lower()) for example in examples])
        logits = np.stack([np.where(entailed, 5.0, -5.0), *[np.zeros(len(examples))] * (len(reasoner.labels) - 1)], 1)
        return Scores(logits, logits)

    monkeypatch.setattr(reasoner, "score", score)
    return reasoner


def knows_causes(premise, hypothesis):
    """The rule of one who knows that the first clause of PAIRS is the cause of the second."""
    if "because" in premise:
        return any(
            hypothesis in (f"{cause}, so {effect}.", f"because {cause}, {effect}.") for cause, effect in PAIRS
        )
    return any((premise, hypothesis) == (f"{cause}.", f"{effect}.") for cause, effect in PAIRS)


def confuses_causes(premise, hypothesis):
    return not knows_causes(premise, hypothesis)


def test_one_who_knows_causes_has_every_measure_at_1(make_reasoner, config, monkeypatch):
    measures = audit_causality(answer_by(make_reasoner(), knows_causes, monkeypatch), (), config).measures
    for name in ("direction", "because_told_apart", "because_accepted", "reversed_refused", "because_consistent"):
        assert measures[name] == measures[f"text_{name}"] == 1, name


def test_one_who_takes_effects_for_causes_has_every_measure_at_0(make_reasoner, config, monkeypatch):
    result = audit_causality(answer_by(make_reasoner(), confuses_causes, monkeypatch), (), config)
    for name in ("direction", "because_told_apart", "because_accepted", "reversed_refused", "because_consistent"):
        assert result.measures[name] == 0, name
    mistakes = next(table for table in result.tables if table.title.startswith("Mistakes"))
    assert ("effect before cause", "A man plays the cello.", "The drum is hot.") in {row[:3] for row in mistakes.rows}
    turned = "A man plays the cello because the drum is hot.", "The drum is hot because a man plays the cello."
    assert ("because, reversed", *turned) in {row[:3] for row in mistakes.rows}


def test_one_who_believes_all_accepts_both_orders_and_is_not_consistent(make_reasoner, config, monkeypatch):
    measures = audit_causality(answer_by(make_reasoner(), lambda *_: True, monkeypatch), (), config).measures
    assert measures["because_accepted"] == 1
    assert measures["reversed_refused"] == measures["because_consistent"] == measures["direction"] == 0


def test_an_audit_is_the_same_every_time_and_asks_at_most_so_many(make_reasoner):
    config = AuditConfig(max_examples=5)
    first, second = (audit_causality(make_reasoner(), (), config) for _ in range(2))
    assert first == second
    assert first.tables[0].rows[0][0] == "listed, 5"


def test_a_graph_without_causal_relations_has_no_pairs_and_no_paths(make_reasoner, config):
    result = audit_causality(make_reasoner(), (), config)
    assert result.measures["num_causal_paths"] == 0
    assert "graph_direction" not in result.measures
    assert "No path with a causal relation" in result.summary


def test_paths_of_causal_relations_are_taken_away_and_the_text_answer_is_left(make_reasoner, config, causal_graph):
    reasoner = make_reasoner(graph=causal_graph)
    result = audit_causality(reasoner, (), config)
    assert result.measures["num_causal_paths"] == 2  # of the first listed pair, and of the pair of the graph itself
    pairs = [("The drum is hot.", "A man plays the cello."), ("There was a drum.", "There was a cello.")]
    forward = reasoner.predict(pairs)
    backward = reasoner.predict([pair[::-1] for pair in pairs])
    assert all(prediction.evidence for prediction in (*forward, *backward))
    expected = [
        one.text_answer.probabilities["entailment"] > other.text_answer.probabilities["entailment"]
        for one, other in zip(forward, backward, strict=True)
    ]
    assert result.measures["direction_without_causal_paths"] == np.mean(expected)
    assert 0 <= result.measures["causal_paths_p"] <= 1
    assert {"graph_direction", "text_graph_direction"} <= set(result.measures)


def test_the_right_alternative_is_counted_in_the_order_of_cause_and_effect(make_reasoner, tmp_path, monkeypatch):
    (cause, effect), (other, _) = PAIRS
    assert is_function_word(effect.split()[0])
    path = tmp_path / "choices.jsonl"
    rows = [
        {"premise": effect, "choice1": other, "choice2": cause, "question": "cause", "label": 1},
        {"premise": cause, "choice1": effect, "choice2": other, "question": "effect", "label": 0},
        {"premise": cause, "choice1": effect, "choice2": other, "question": "effect", "label": 1},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    reasoner = answer_by(make_reasoner(), knows_causes, monkeypatch)
    measures = audit_causality(reasoner, (), AuditConfig(cause_file=str(path))).measures
    assert measures["choice"] == measures["text_choice"] == pytest.approx(2 / 3)


def test_two_way_models_are_asked_the_same(make_reasoner, config, monkeypatch):
    reasoner = answer_by(make_reasoner(task="two-way"), knows_causes, monkeypatch)
    assert audit_causality(reasoner, (), config).measures["because_consistent"] == 1
