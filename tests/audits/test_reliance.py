"""Reliance on the graph: what the accuracies are of, and the score."""

from __future__ import annotations

import numpy as np
import pytest

from kg_reason import AuditConfig, KnowledgeGraph, NLIExample
from kg_reason.audits.answered import answer_flags
from kg_reason.audits.graph_changes import deranged, over_graph
from kg_reason.audits.reliance import audit_reliance, reliance_score
from kg_reason.nli import Label
from tests.conftest import toy_triples

E, N, C = Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION
PAIRS = [
    NLIExample("A man plays a violin.", "A man plays an instrument.", E),
    NLIExample("A man plays a guitar.", "A woman plays a guitar.", C),
    NLIExample("The dog is hot.", "The dog is cold.", C),
    NLIExample("A person plays a drum.", "A man plays a drum.", N),
    NLIExample("A cat plays.", "An animal plays.", E),
    NLIExample("A cat plays.", "A cat and a gavorn are hot.", N),
    NLIExample("A dog.", "A dog.", E),
]


def test_every_accuracy_is_that_of_the_graph_it_names(make_reasoner):
    reasoner = make_reasoner()
    result = audit_reliance(reasoner, PAIRS, AuditConfig())
    groundings = reasoner.ground_all(PAIRS)
    has_evidence = np.array([grounding.has_evidence for grounding in groundings])
    assert 0 < has_evidence.sum() < len(PAIRS)
    fused, text = answer_flags(reasoner, PAIRS, groundings, 4)
    changed = over_graph(reasoner, deranged(reasoner.graph, 0))
    exchanged, _ = answer_flags(changed, PAIRS, changed.ground_all(PAIRS), 4)
    assert result.measures["accuracy"] == pytest.approx(fused.mean())
    assert result.measures["accuracy_text"] == pytest.approx(text.mean())
    assert result.measures["accuracy_empty"] == pytest.approx(text.mean())
    assert result.measures["accuracy_deranged_with_evidence"] == pytest.approx(exchanged[has_evidence].mean())
    score = fused[has_evidence].mean() - exchanged[has_evidence].mean()
    assert result.measures["score"] == pytest.approx(score)
    assert result.measures["share_with_evidence"] == pytest.approx(has_evidence.mean())


def test_the_tables_and_plots_tell_every_graph_and_slice(make_reasoner):
    result = audit_reliance(make_reasoner(), PAIRS, AuditConfig())
    (table,) = result.tables
    graphs = ["the real graph", "no graph", "relations exchanged", "edges rewired", "5 x random edges added"]
    graphs.append("text alone")
    assert [row[0] for row in table.rows] == graphs
    (plot,) = result.plots
    assert [series.name for series in plot.series] == ["all", "with evidence", "without evidence"]
    assert plot.series[0].x == tuple(graphs)


def test_a_model_without_paths_has_no_graph_to_rely_on(make_reasoner):
    result = audit_reliance(make_reasoner(evidence="text"), PAIRS, AuditConfig())
    assert "no graph to rely on" in result.summary
    assert result.measures["score"] == 0.0
    assert result.measures["accuracy"] == result.measures["accuracy_text"]


def test_one_relation_gives_no_score(make_reasoner):
    graph = KnowledgeGraph.from_triples(
        triple for triple in toy_triples() if triple.relation not in ("ex:antonym", "ex:partOf", "ex:madeIn")
    )
    result = audit_reliance(make_reasoner(graph), PAIRS, AuditConfig())
    assert "score" not in result.measures
    assert "one relation only" in result.summary
    assert "accuracy_rewired" in result.measures


def test_pairs_without_evidence_give_a_score_of_nothing(make_reasoner):
    result = audit_reliance(make_reasoner(), PAIRS[-1:], AuditConfig())
    assert result.measures["score"] == 0.0
    assert "nothing can rest on it" in result.summary


def test_the_score_is_a_paired_difference_with_its_interval():
    real, changed = np.array([True] * 9 + [False]), np.array([False] * 5 + [True] * 5)
    score, low, high = reliance_score(real, changed)
    differences = real.astype(float) - changed
    half = 1.959964 * differences.std() / np.sqrt(10)
    assert (score, low, high) == pytest.approx((0.4, 0.4 - half, min(1.0, 0.4 + half)), abs=1e-6)
    assert reliance_score(real[:0], changed[:0]) == (0.0, 0.0, 0.0)
    assert reliance_score(real, real) == (0.0, 0.0, 0.0)


def test_the_seed_and_the_number_of_pairs_are_those_of_the_settings(make_reasoner):
    reasoner = make_reasoner()
    few = audit_reliance(reasoner, PAIRS, AuditConfig(max_examples=3))
    assert few.measures["num_pairs"] == 3
    assert few == audit_reliance(reasoner, PAIRS, AuditConfig(max_examples=3, batch_size=1))
