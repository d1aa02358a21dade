"""Temperatures and the measures of probabilities: values counted by hand, and what holds for all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from kg_reason.calibration import (
    UNCALIBRATED,
    Calibration,
    aurc,
    brier_score,
    class_probabilities,
    excess_aurc,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability_curve,
    risk_coverage,
)
from kg_reason.errors import ConfigError

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def arrays(answers):
    confidence, right = zip(*answers, strict=True)
    return np.array(confidence), np.array(right)


def drawn(num_examples=4000, scale=1.0, seed=0):
    """Return logits and labels drawn from their own softmax, the logits then multiplied by a scale."""
    generator = np.random.default_rng(seed)
    logits = 2 * generator.normal(size=(num_examples, 3))
    chances = class_probabilities(logits).cumsum(axis=1)
    labels = (generator.random((num_examples, 1)) > chances).sum(axis=1)
    return scale * logits, labels


# ---- temperature


@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_the_temperature_is_what_the_logits_were_multiplied_by(scale):
    assert fit_temperature(*drawn(scale=scale)) == pytest.approx(scale, rel=0.05)


def test_no_other_temperature_makes_the_labels_more_likely():
    logits, labels = drawn(300, scale=2.0)
    best = fit_temperature(logits, labels)
    losses = [negative_log_likelihood(logits, labels, factor * best) for factor in (0.7, 0.97, 1.0, 1.03, 1.4)]
    assert min(losses) == losses[2]


def test_classes_of_several_columns_are_fitted_by_the_sum_of_their_probabilities():
    logits, labels = drawn(scale=3.0)
    columns = np.array([0, 1, 1])
    temperature = fit_temperature(logits, columns[labels], columns)
    assert temperature == pytest.approx(3.0, rel=0.1)
    merged = class_probabilities(logits, temperature, columns)
    np.testing.assert_allclose(merged.sum(axis=1), 1.0)
    np.testing.assert_allclose(merged[:, 1], class_probabilities(logits, temperature)[:, 1:].sum(axis=1))
    expected = log_loss(columns[labels], merged)
    assert negative_log_likelihood(logits, columns[labels], temperature, columns) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((0, 3)), [], "found no pair, expected labelled pairs"),
        ([[1, 2, 3], [3, 2, 1]], [1, 1], "found pairs of one label only, expected at least two"),
        ([[1, np.nan, 3], [3, 2, 1]], [1, 2], "logits that are not finite"),
        ([[1, np.inf, 3], [3, 2, 1]], [1, 2], "logits that are not finite"),
        ([[3, 0, 0], [0, 3, 0]], [0, 1], "found no best one between 0.05 and 20 on 2 pairs: they are all answered"),
        ([[3, 0, 0], [0, 3, 0]], [1, 0], "the logits say nothing about the labels"),
        ([[3, 0, 0], [0, 3, 0]], [1], r"found logits \(2, 3\) and labels \(1,\), expected one per row"),
    ],
)
def test_pairs_that_tell_no_temperature_are_refused(logits, labels, message):
    with pytest.raises(ConfigError, match=message):
        fit_temperature(np.array(logits, dtype=np.float64), np.array(labels, dtype=np.int64))


# ---- scores


def test_likelihood_and_brier_score_agree_with_scikit_learn():
    logits, labels = drawn(200)
    probabilities = class_probabilities(logits, 1.7)
    assert negative_log_likelihood(logits, labels, 1.7) == pytest.approx(log_loss(labels, probabilities))
    expected = brier_score_loss(labels, probabilities, scale_by_half=False)
    assert brier_score(probabilities, labels) == pytest.approx(expected)


def test_the_brier_score_of_one_answer_is_its_squared_distance_to_the_truth():
    assert brier_score(np.array([[0.7, 0.2, 0.1]]), np.array([0])) == pytest.approx(0.09 + 0.04 + 0.01)
    assert brier_score(np.array([[0.0, 1.0]]), np.array([0])) == 2.0


# ---- bins


def test_the_calibration_error_is_the_weighted_gap_of_the_bins():
    confidence = np.array([0.55, 0.60, 0.95, 0.90])
    right = np.array([True, False, True, True])
    # Bins of a half: only (0.5, 1] is filled. Of a fifth: (0.4, 0.6] holds two, (0.8, 1] two.
    assert expected_calibration_error(confidence, right, 2) == pytest.approx(abs(0.75 - 0.75))
    assert expected_calibration_error(confidence, right, 5) == pytest.approx(0.5 * 0.075 + 0.5 * 0.075)


def test_a_confidence_on_the_border_belongs_to_the_bin_below():
    curve = reliability_curve(np.array([0.5, 0.51, 0.0, 1.0]), np.array([True] * 4), 2)
    assert curve.num_examples.tolist() == [2, 2]
    np.testing.assert_allclose(curve.confidence, [0.25, 0.755])


def test_bins_of_equal_mass_hold_as_many_each_and_keep_equals_together():
    confidence = np.array([0.9, 0.91, 0.92, 0.93, 0.94, 0.95])
    right = np.array([False, True, True, True, True, True])
    assert reliability_curve(confidence, right, 3, equal_mass=True).num_examples.tolist() == [2, 2, 2]
    assert expected_calibration_error(confidence, right, 3, equal_mass=True) == pytest.approx(
        (abs(0.905 - 0.5) + abs(0.925 - 1) + abs(0.945 - 1)) / 3
    )
    assert reliability_curve(np.full(6, 0.9), right, 3, equal_mass=True).num_examples.tolist() == [6]


@given(ANSWERS, st.integers(1, 20), st.booleans(), st.randoms(use_true_random=False))
def test_a_calibration_error_is_a_share_that_no_order_changes(answers, num_bins, equal_mass, random):
    error = expected_calibration_error(*arrays(answers), num_bins, equal_mass=equal_mass)
    assert 0.0 <= error <= 1.0
    random.shuffle(answers)
    assert expected_calibration_error(*arrays(answers), num_bins, equal_mass=equal_mass) == pytest.approx(error)


@given(ANSWERS, st.integers(1, 20))
def test_the_bins_hold_every_example_once_and_one_bin_gives_the_gap_of_the_means(answers, num_bins):
    confidence, right = arrays(answers)
    curve = reliability_curve(confidence, right, num_bins)
    assert curve.num_examples.sum() == len(answers)
    assert np.average(curve.accuracy, weights=curve.num_examples) == pytest.approx(right.mean())
    gap = abs(confidence.mean() - right.mean())
    assert expected_calibration_error(confidence, right, 1) == pytest.approx(gap)
    assert expected_calibration_error(confidence, right, num_bins) >= gap - 1e-9


def test_probabilities_that_are_true_have_hardly_an_error_and_sharper_ones_have():
    logits, labels = drawn()
    errors = []
    for temperature in (1.0, 0.3):
        confidence = class_probabilities(logits, temperature).max(axis=1)
        errors.append(expected_calibration_error(confidence, logits.argmax(axis=1) == labels))
    assert errors[0] < 0.03 < 0.1 < errors[1]


@pytest.mark.parametrize(
    ("confidence", "right", "message"),
    [
        ([], [], "found no example"), ([0.5], [True, False], r"found \(1,\) beside \(2,\)"),
        ([1.5], [True], "outside"), ([np.nan], [True], "outside"),
    ],
)  # fmt: skip
def test_what_is_no_probability_is_refused(confidence, right, message):
    for measure in (expected_calibration_error, risk_coverage):
        with pytest.raises(ConfigError, match=message):
            measure(np.array(confidence, dtype=np.float64), np.array(right))
    with pytest.raises(ConfigError, match="num_bins: found 0"):
        reliability_curve(np.array([0.5]), np.array([True]), 0)


# ---- risk and coverage


def test_the_risk_is_counted_from_the_most_certain_answer_down():
    curve = risk_coverage(np.array([0.6, 0.9, 0.8, 0.7]), np.array([False, True, False, True]))
    np.testing.assert_allclose(curve.coverage, [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(curve.risk, [0, 1 / 2, 1 / 3, 2 / 4])
    np.testing.assert_allclose(curve.threshold, [0.9, 0.8, 0.7, 0.6])


def test_the_area_is_the_mean_risk_and_its_excess_that_over_the_best_order():
    confidence, right = np.array([0.6, 0.9, 0.8, 0.7]), np.array([False, True, False, True])
    assert aurc(confidence, right) == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)
    assert excess_aurc(confidence, right) == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4 - 1 / 3 - 2 / 4) / 4)
    assert excess_aurc(np.array([0.6, 0.9, 0.5, 0.7]), right) == pytest.approx(0.0)


def test_among_equals_the_errors_are_spread_evenly():
    curve = risk_coverage(np.array([0.5, 0.5, 0.5, 0.5]), np.array([True, False, False, False]))
    np.testing.assert_allclose(curve.risk, 0.75)


@given(ANSWERS, st.randoms(use_true_random=False))
def test_the_curve_ends_at_the_error_of_all_and_no_order_changes_it(answers, random):
    confidence, right = arrays(answers)
    curve = risk_coverage(confidence, right)
    assert curve.coverage[-1] == 1.0
    assert curve.risk[-1] == pytest.approx(1 - right.mean())
    assert (np.diff(curve.threshold) <= 0).all()
    assert excess_aurc(confidence, right) >= -1e-9
    area = aurc(confidence, right)
    random.shuffle(answers)
    assert aurc(*arrays(answers)) == pytest.approx(area)


# ---- what a run stores


def test_a_calibration_survives_its_json():
    calibration = Calibration(1.5, 0.8, 40, "ab", "cd", 0.1, 0.05, 0.2, 0.1, "2024-05-06")
    assert Calibration.from_json(calibration.to_json()) == calibration
    assert Calibration.from_json({**calibration.to_json(), "temperature": 2}).temperature == 2
    assert (UNCALIBRATED.temperature, UNCALIBRATED.text_temperature, UNCALIBRATED.num_examples) == (1.0, 1.0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": 0.0}, "temperature: found 0.0, expected a number above 0"),
        ({"text_temperature": math.inf}, "text_temperature: found inf, expected a number above 0"),
        ({"temperature": "1"}, "temperature: found '1', expected a float"),
        ({"num_examples": 2.5}, "num_examples: found 2.5, expected a int"),
        ({"extra": 1}, "found 'extra', expected only temperature, "),
    ],
)
def test_a_calibration_that_is_none_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        Calibration.from_json({**UNCALIBRATED.to_json(), **changes})
