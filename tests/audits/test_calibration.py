"""The audit of calibration on the toy reasoner: its measures are those of the arithmetic, its halves keep apart."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from kg_reason.audits.calibration import audit_calibration, fit_halves
from kg_reason.calibration import Calibration, expected_calibration_error, fit_temperature
from kg_reason.config import AuditConfig
from kg_reason.errors import ConfigError
from kg_reason.evaluation import scored_labels
from kg_reason.nli import THREE_WAY, Label, NLIExample

WORDS = ("dog", "cat", "man", "woman", "violin", "guitar", "drum", "instrument")


@pytest.fixture
def reasoner(make_reasoner):
    return make_reasoner()


@pytest.fixture
def pairs(reasoner):
    """Pairs of which the untrained model answers two in three right, some with a path and some without."""
    pairs = [NLIExample(f"A {one} plays.", f"The {other} is hot.") for one in WORDS for other in WORDS]
    answers = reasoner.score(pairs, reasoner.ground_all(pairs)).logits.argmax(axis=1)
    shifted = [int(answer + (row % 3 == 0)) % 3 for row, answer in enumerate(answers)]
    return [replace(pair, label=reasoner.labels[place]) for pair, place in zip(pairs, shifted, strict=True)]


def test_the_measures_are_those_of_the_answers(reasoner, pairs):
    result = audit_calibration(reasoner, pairs, AuditConfig())
    predictions = reasoner.predict_examples(pairs)
    for prefix, answers in (
        ("", [p.answer for p in predictions]), ("text_", [p.text_answer for p in predictions])
    ):  # fmt: skip
        confidence = np.array([answer.probabilities[answer.label] for answer in answers])
        right = np.array([answer.label is pair.label for answer, pair in zip(answers, pairs, strict=True)])
        assert result.measures[f"{prefix}accuracy"] == pytest.approx(right.mean())
        assert result.measures[f"{prefix}confidence"] == pytest.approx(confidence.mean())
        expected = expected_calibration_error(confidence, right)
        assert result.measures[f"{prefix}ece"] == pytest.approx(expected, abs=1e-6)


def test_the_result_is_whole_and_plain(reasoner, pairs):
    result = audit_calibration(reasoner, pairs, AuditConfig())
    assert result.name == "calibration"
    assert {"ece", "ece_after", "aurc", "temperature", "text_ece", "text_aurc"} <= set(result.measures)
    assert all(math.isfinite(value) for value in result.measures.values())
    json.dumps(result.to_json(), allow_nan=False)
    for table in result.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
    assert [row[0] for row in result.tables[0].rows][:3] == ["fused", "fused, with evidence", "fused, without"]
    assert [plot.name for plot in result.plots] == [
        "reliability", "reliability-text", "risk-coverage", "risk-coverage-evidence"
    ]  # fmt: skip
    assert [plot.diagonal for plot in result.plots] == [True, True, False, False]
    for plot in result.plots:
        for series in plot.series:
            assert len(series.x) == len(series.y) > 0
            assert all(0 <= value <= 1 for value in (*series.x, *series.y, *series.low, *series.high))
    assert len(result.plots[3].series) == 4
    assert result == audit_calibration(reasoner, pairs, AuditConfig())


def test_the_curve_ends_where_all_are_answered(reasoner, pairs):
    result = audit_calibration(reasoner, pairs, AuditConfig())
    for series, measure in zip(result.plots[2].series, ("accuracy", "text_accuracy"), strict=True):
        assert series.x[-1] == 1.0
        assert series.y[-1] == pytest.approx(1 - result.measures[measure])
    assert float(result.tables[1].rows[0][1]) == pytest.approx(100 * result.measures["accuracy"], abs=0.05)


def test_a_pair_is_measured_with_the_temperature_of_the_other_half():
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(80, 3))
    truth = np.where(generator.random(80) < 0.7, logits.argmax(axis=1), generator.integers(0, 3, 80))
    logits[40:] *= 5
    scored = scored_labels([THREE_WAY[place] for place in truth], THREE_WAY)
    first = np.arange(80) < 40
    halves = fit_halves(logits, scored, first)
    assert halves.temperatures == (
        fit_temperature(logits[:40], truth[:40]), fit_temperature(logits[40:], truth[40:])
    )  # fmt: skip
    np.testing.assert_allclose(halves.logits[40:], logits[40:] / halves.temperatures[0])
    np.testing.assert_allclose(halves.logits[:40], logits[:40] / halves.temperatures[1])
    assert halves.num_fitted == 2
    assert halves.temperature == pytest.approx(math.sqrt(math.prod(halves.temperatures)))


def test_the_temperatures_of_the_run_are_measured_and_those_fitted_do_not_depend_on_them(reasoner, pairs):
    plain = audit_calibration(reasoner, pairs, AuditConfig()).measures
    reasoner.calibration = Calibration(0.1, 0.2)
    sharp = audit_calibration(reasoner, pairs, AuditConfig()).measures
    assert (sharp["run_temperature"], sharp["text_run_temperature"]) == (0.1, 0.2)
    assert sharp["confidence"] > plain["confidence"]
    for name in ("accuracy", "temperature", "ece_after", "nll_after"):
        assert sharp[name] == plain[name]


def test_the_seed_draws_and_parts_the_pairs(reasoner, pairs):
    results = [
        audit_calibration(reasoner, pairs, AuditConfig(max_examples=40, audit_seed=seed)).measures for seed in (0, 1)
    ]
    assert results[0]["confidence"] != results[1]["confidence"]


def test_halves_that_tell_no_temperature_are_said(reasoner, pairs):
    result = audit_calibration(reasoner, pairs[:2], AuditConfig())
    assert result.measures["temperature"] == 1.0
    assert "too few pairs, or all right" in result.tables[0].note


def test_two_way_labels_are_measured_two_way(reasoner, pairs):
    two_way = [
        replace(pair, label=pair.label if pair.label is Label.ENTAILMENT else Label.NOT_ENTAILMENT) for pair in pairs
    ]
    measures = audit_calibration(reasoner, two_way, AuditConfig()).measures
    assert measures["accuracy"] >= audit_calibration(reasoner, pairs, AuditConfig()).measures["accuracy"]
    assert 0 <= measures["brier"] <= 2


def test_pairs_without_labels_cannot_be_audited(reasoner):
    with pytest.raises(ConfigError, match="found no pair with a label"):
        audit_calibration(reasoner, [NLIExample("A dog.", "A cat.")], AuditConfig())
