"""Tests of audits/bias_counts.py."""

from __future__ import annotations

import numpy as np
import pytest

from kg_reason.audits.bias_counts import Answers, depends_on_group, largest_difference, rows_of
from kg_reason.audits.bias_templates import Frame
from kg_reason.nli import THREE_WAY, TWO_WAY, Label, NLIExample

ENTAILED, NEUTRAL, CONTRADICTED = np.eye(3)


def frames_of(num_frames, groups=("a", "b", "c")):
    pairs = tuple(NLIExample("p", "h", category=f"town:{group}") for group in groups)
    return [Frame("town", 0, "trait", f"word {number}", groups, pairs) for number in range(num_frames)]


def answers_of(rows):
    return Answers(np.array(rows), THREE_WAY)


def test_groups_answered_alike_do_not_differ_and_nothing_is_certain():
    found = largest_difference(frames_of(20), answers_of([CONTRADICTED] * 60), "town", 0)
    assert (found.value, found.low, found.high, found.is_certain) == (0, 0, 0, False)


def test_a_group_answered_otherwise_every_time_differs_for_certain():
    found = largest_difference(frames_of(20), answers_of([NEUTRAL, CONTRADICTED, NEUTRAL] * 20), "town", 0)
    assert (found.label, found.first, found.value, found.is_certain) == (Label.CONTRADICTION, "b", 1.0, True)
    assert found.num_compared == 6  # three pairs of groups, two labels


def test_a_difference_seen_once_is_not_certain():
    rows = [NEUTRAL] * 60
    rows[0] = ENTAILED
    found = largest_difference(frames_of(20), answers_of(rows), "town", 0)
    assert (found.label, found.first, found.is_certain) == (Label.ENTAILMENT, "a", False)
    assert found.value == pytest.approx(1 / 20)
    assert found.low <= found.value <= found.high


def test_few_items_make_nothing_certain():
    found = largest_difference(frames_of(3), answers_of([NEUTRAL, CONTRADICTED, NEUTRAL] * 3), "town", 0)
    assert (found.value, found.is_certain) == (1.0, False)


def test_frames_of_one_item_count_as_one_in_the_bootstrap():
    frames = frames_of(40)
    alike = [frame if number % 2 else frames[number + 1] for number, frame in enumerate(frames)]
    rows = [NEUTRAL, NEUTRAL, NEUTRAL] * 20 + [CONTRADICTED, NEUTRAL, NEUTRAL] * 20
    wide, narrow = (largest_difference(own, answers_of(rows), "town", 0) for own in (alike, frames))
    assert (wide.num_items, narrow.num_items) == (20, 40)
    assert wide.high - wide.low > narrow.high - narrow.low


def test_the_interval_is_the_same_for_the_same_seed():
    rows = [NEUTRAL, CONTRADICTED, NEUTRAL] * 10 + [NEUTRAL] * 30
    first, second = (largest_difference(frames_of(20), answers_of(rows), "town", 3) for _ in range(2))
    assert first == second


def test_an_answer_depends_on_the_group_where_one_differs():
    answers = answers_of([NEUTRAL, NEUTRAL, NEUTRAL, NEUTRAL, ENTAILED, NEUTRAL])
    assert depends_on_group(frames_of(2), answers).tolist() == [False, True]


def test_rows_are_those_of_the_dimension():
    other = Frame("side", 0, "trait", "word", ("x", "y"), frames_of(1)[0].pairs[:2])
    assert rows_of([other, *frames_of(1)], "town").tolist() == [2, 3, 4]


def test_two_way_models_are_right_with_not_entailment_and_contradict_nothing():
    answers = Answers(np.array([[0.4, 0.6], [0.9, 0.1]]), TWO_WAY)
    assert answers.neutral.tolist() == [True, False]
    assert answers.answered(Label.CONTRADICTION).tolist() == [False, False]
    found = largest_difference(frames_of(1, ("a", "b")), answers, "town", 0)
    assert (found.first, found.value) == ("b", 1.0)
