"""Evaluation: the arithmetic against hand counts and scipy, and the one JSON shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from kg_reason.config import ModelConfig, ReasonerConfig
from kg_reason.errors import ConfigError
from kg_reason.evaluation import evaluate, mcnemar, report, wilson
from kg_reason.nli import THREE_WAY, TWO_WAY, Label, NLIExample
from kg_reason.reasoner import Reasoner

E, N, C, NOT = Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION, Label.NOT_ENTAILMENT


def logits_of(answers, labels=THREE_WAY):
    return np.array([[2.0 if label is answer else -1.0 for label in labels] for answer in answers])


def report_of(truth, fused, text=None, *, labels=THREE_WAY, evidence=None, categories=None):
    return report(
        truth,
        logits_of(fused, labels),
        logits_of(fused if text is None else text, labels),
        np.array([True] * len(truth) if evidence is None else evidence),
        [""] * len(truth) if categories is None else categories,
        labels,
    )


def test_fused_and_text_only_answers_are_counted_side_by_side():
    result = report_of([E, N, C, C], [E, N, C, N], [E, E, N, C])
    assert (result.accuracy, result.text.overall.accuracy, result.num_examples) == (0.75, 0.5, 4)
    assert (result.num_mended, result.num_spoilt) == (2, 1)


def test_scores_per_class_agree_with_scikit_learn():
    generator = np.random.default_rng(3)
    truth = [THREE_WAY[i] for i in generator.integers(0, 3, 200)]
    answers = [THREE_WAY[i] for i in generator.integers(0, 3, 200)]
    result = report_of(truth, answers).fused
    expected = precision_recall_fscore_support(truth, answers, labels=list(THREE_WAY))
    found = [(s.precision, s.recall, s.f1, s.support) for s in (result.per_class[label] for label in THREE_WAY)]
    np.testing.assert_allclose(np.array(found).T, np.array(expected))
    assert result.macro_f1 == pytest.approx(expected[2].mean())
    counts = [[result.confusion[label][answer] for answer in THREE_WAY] for label in THREE_WAY]
    assert counts == confusion_matrix(truth, answers, labels=list(THREE_WAY)).tolist()


def test_macro_f1_averages_the_labels_that_occur_among_the_true_ones():
    result = report_of([E, E, C, C], [E, N, C, C]).fused
    assert result.per_class[N].support == 0
    assert result.macro_f1 == pytest.approx((2 / 3 + 1) / 2)


def test_a_class_that_is_never_answered_scores_nothing_without_a_warning():
    scores = report_of([E, N], [E, E]).fused.per_class[N]
    assert (scores.precision, scores.recall, scores.f1) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("num_right", "num_examples"), [(0, 10), (1, 3), (78, 100), (2500, 2500), (5000, 9001)])
def test_the_interval_is_wilsons(num_right, num_examples):
    expected = binomtest(num_right, num_examples).proportion_ci(0.95, method="wilson")
    assert wilson(num_right, num_examples) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("num_mended", "num_spoilt"), [(5, 5), (9, 2), (0, 7), (141, 100), (1, 0)])
def test_mcnemars_test_is_the_binomial_test_of_the_changed_answers(num_mended, num_spoilt):
    exact, mid = mcnemar(num_mended, num_spoilt)
    assert exact == pytest.approx(binomtest(num_mended, num_mended + num_spoilt).pvalue)
    assert mid <= exact
    assert mcnemar(num_spoilt, num_mended) == (exact, mid)


def test_mcnemars_mid_p_value_takes_half_of_the_observed_table():
    exact, mid = mcnemar(1, 3)  # binomial(4, 1/2): P(0) = 1/16, P(1) = 4/16
    assert (exact, mid) == (pytest.approx(10 / 16), pytest.approx(6 / 16))


def test_no_changed_answer_shows_no_difference():
    assert mcnemar(0, 0) == (1.0, 1.0)


def test_examples_with_and_without_evidence_are_reported_apart():
    result = report_of([E, E, E, E, E], [E, E, N, N, N], evidence=[True, True, True, False, False])
    assert (result.fused.with_evidence.num_examples, result.fused.with_evidence.accuracy) == (3, pytest.approx(2 / 3))
    assert (result.fused.without_evidence.num_examples, result.fused.without_evidence.accuracy) == (2, 0.0)
    assert result.share_with_evidence == pytest.approx(0.6)


def test_a_slice_without_examples_has_no_accuracy():
    part = report_of([E], [E], evidence=[False]).fused.with_evidence
    assert (part.num_examples, part.accuracy, part.interval) == (0, None, (0.0, 1.0))


def test_each_category_is_reported_and_examples_without_one_are_in_none():
    result = report_of([E, E, C], [E, N, C], categories=["colors", "colors", ""]).fused
    assert list(result.by_category) == ["colors"]
    assert (result.by_category["colors"].num_examples, result.by_category["colors"].accuracy) == (2, 0.5)


def test_neutral_and_contradiction_count_as_not_entailment_on_two_way_data():
    result = report_of([NOT, NOT, E, NOT], [N, C, E, E])
    assert result.labels == TWO_WAY
    assert result.accuracy == 0.75
    assert result.fused.confusion[NOT] == {E: 1, NOT: 2}


def test_a_two_way_model_is_scored_two_way_on_three_way_data():
    result = report_of([N, C, E, C], [NOT, NOT, E, E], labels=TWO_WAY)
    assert (result.labels, result.accuracy, result.fused.per_class[NOT].support) == (TWO_WAY, 0.75, 3)


def test_data_with_some_two_way_labels_are_scored_two_way_throughout():
    assert report_of([NOT, N, C], [C, C, N]).accuracy == 1.0


def test_the_majority_baseline_answers_the_most_frequent_label():
    result = report_of([C, N, C, E], [E, E, E, E])
    assert (result.majority_label, result.majority_accuracy) == (C, 0.5)


def test_the_same_answers_give_the_same_report():
    first, second = (report_of([E, N, C], [E, C, C], categories=["b", "a", "b"]) for _ in range(2))
    assert first == second
    assert first.to_json() == second.to_json()


def test_nothing_to_evaluate_is_refused():
    with pytest.raises(ConfigError, match="examples: found none, expected at least one"):
        report_of([], [])


def test_logits_of_another_shape_are_refused():
    with pytest.raises(ConfigError, match=r"logits: found shape \(1, 2\), expected \(2, 3\)"):
        report([E, N], np.zeros((1, 2)), np.zeros((1, 2)), np.ones(2, dtype=bool), ["", ""], THREE_WAY)


def test_logits_of_a_diverged_model_are_refused():
    with pytest.raises(ConfigError, match="found values that are not finite"):
        report([E], np.array([[np.nan, 0, 0]]), np.zeros((1, 3)), np.ones(1, dtype=bool), [""], THREE_WAY)


@pytest.fixture(scope="module")
def reasoner(toy_graph, tiny_encoder):
    return Reasoner.build(toy_graph, ReasonerConfig(model=ModelConfig(encoder=str(tiny_encoder), graph_dim=16)))


PAIRS = [
    NLIExample("A man plays a violin.", "A person plays an instrument.", E, "hypernym"),
    NLIExample("A man plays a cello.", "A woman plays a cello.", C, "antonym"),
    NLIExample("A dog.", "The dog is not on the drum.", N),
    NLIExample("", "A dog is an animal.", E, "hypernym", {}, "claim 4"),
]


def test_a_reasoner_is_evaluated_with_its_graph_and_from_text_alone(reasoner):
    found = evaluate(reasoner, PAIRS)
    groundings = reasoner.ground_all(PAIRS)
    scores = reasoner.score(PAIRS, groundings)
    answers = [reasoner.labels[column] for column in scores.logits.argmax(axis=1)]
    assert found.accuracy == np.mean([answer is pair.label for answer, pair in zip(answers, PAIRS, strict=True)])
    assert found.share_with_evidence == np.mean([grounding.has_evidence for grounding in groundings]) > 0
    assert {name: part.num_examples for name, part in found.text.by_category.items()} == {"antonym": 1, "hypernym": 2}


def test_a_long_list_gives_the_report_of_its_batches(reasoner):
    assert evaluate(reasoner, PAIRS * 9, batch_size=1) == evaluate(reasoner, PAIRS * 9, batch_size=64)


def test_an_example_without_label_cannot_be_evaluated(reasoner):
    with pytest.raises(ConfigError, match=r"example 2 \(c7\): found no label, expected one"):
        evaluate(reasoner, [PAIRS[0], NLIExample("A.", "B.", example_id="c7")])


def test_an_empty_list_cannot_be_evaluated(reasoner):
    with pytest.raises(ConfigError, match="examples: found none, expected at least one"):
        evaluate(reasoner, [])


def test_a_three_way_model_is_evaluated_on_two_way_data(reasoner):
    two_way = [replace(pair, label=E if pair.label is E else NOT) for pair in PAIRS]
    found = evaluate(reasoner, two_way)
    assert (found.labels, found.num_examples) == (TWO_WAY, len(PAIRS))
