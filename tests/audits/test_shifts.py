"""Answers before and after a change: how they are counted, and what a typo costs."""

from __future__ import annotations

import numpy as np
import pytest

from kg_reason.audits.perturbations import perturbations
from kg_reason.audits.shifts import (
    FUSED,
    TEXT,
    Answered,
    Shift,
    answer,
    hit_and_lost,
    keeps_entailment,
    outcome,
    paired_difference,
    right_labels,
    shift,
)
from kg_reason.nli import THREE_WAY, TWO_WAY, Label, NLIExample

E, N, C, X = Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION, Label.NOT_ENTAILMENT
ALL = {item.name: item for item in perturbations(lambda word: False)}


def answered(true: list[Label], fused: list[Label], text: list[Label] | None = None) -> Answered:
    examples = [NLIExample("A man runs.", f"A man runs {number}.", label) for number, label in enumerate(true)]
    return Answered(examples, [], fused, text or fused)._replace(groundings=[None] * len(true))


def shifted(name: str, true: list[Label], before: list[Label], after: list[Label]) -> Shift:
    return Shift(ALL[name], answered(true, before), answered(true, after))


def test_an_answer_that_stays_counts_as_unchanged_whether_right_or_wrong():
    found = outcome([shifted("upper", [E, N, C], [E, E, C], [E, E, N])], FUSED, THREE_WAY)
    assert (found.unchanged.num_right, found.unchanged.num_pairs) == (2, 3)
    assert found.before.tolist() == [True, False, True]
    assert found.after.tolist() == [True, False, False]


def test_the_two_kinds_of_answers_are_counted_apart():
    before, after = answered([E, N], [E, N], [N, N]), answered([E, N], [E, E], [E, N])
    item = Shift(ALL["upper"], before, after)
    assert outcome([item], FUSED, THREE_WAY).after.tolist() == [True, False]
    assert outcome([item], TEXT, THREE_WAY).after.tolist() == [True, True]


def test_a_negated_hypothesis_is_scored_by_the_labels_that_follow():
    found = outcome([shifted("not-true", [E, N, C, C], [E, N, C, C], [C, C, N, C])], FUSED, THREE_WAY)
    assert found.after.tolist() == [True, False, True, False]
    only = outcome([shifted("not-true", [E, N, C, C], [E, N, C, C], [C, C, N, C])], FUSED, THREE_WAY, C)
    assert only.after.tolist() == [True, False]


def test_pairs_of_which_nothing_follows_are_not_scored():
    found = outcome([shifted("is-not", [E, N, C], [E, N, C], [C, N, C])], FUSED, THREE_WAY)
    assert found.after.tolist() == [True]
    assert found.unchanged.num_pairs == 3


@pytest.mark.parametrize(
    ("name", "label", "allowed"),
    [("swap", C, {X}), ("swap", E, set()), ("not-true", E, {X}), ("not-true", C, set()), ("upper", N, {X})],
)
def test_in_two_way_tasks_a_change_is_scored_only_where_a_label_is_ruled_out(name, label, allowed):
    assert right_labels(ALL[name], NLIExample("A man runs.", "A man moves.", label), TWO_WAY) == allowed


def test_several_changes_are_counted_together():
    items = [shifted("upper", [E], [E], [E]), shifted("title", [E, N], [E, N], [N, N])]
    assert outcome(items, FUSED, THREE_WAY).after.tolist() == [True, False, True]


def test_entailment_kept_counts_pairs_that_were_answered_entailment_rightly():
    kept = keeps_entailment(shifted("swap", [E, E, N, E], [E, E, E, N], [E, N, E, E]), FUSED)
    assert (kept.num_right, kept.num_pairs) == (1, 2)


def test_a_paired_difference_lies_in_its_interval_and_depends_on_the_seed_alone():
    before = np.array([True] * 60 + [False] * 40)
    after = np.array([True] * 45 + [False] * 55)
    found = paired_difference(before, after, 0)
    assert found.value == pytest.approx(-0.15)
    assert found.low < found.value < found.high < 0
    assert found == paired_difference(before, after, 0)
    assert paired_difference(before, before, 0) == (0.0, 0.0, 0.0)


def test_more_pairs_make_the_interval_narrower():
    before, after = np.array([True, True, False, True]), np.array([True, False, False, True])
    few, many = (paired_difference(np.tile(before, n), np.tile(after, n), 1) for n in (5, 500))
    assert many.high - many.low < (few.high - few.low) / 5


def test_a_typo_in_a_word_that_a_path_leads_to_costs_the_evidence(make_reasoner):
    reasoner = make_reasoner()
    old = answer(reasoner, [NLIExample("A man plays a violin.", "A man plays an instrument.", E)] * 2, 8)
    assert old.groundings[0].has_evidence
    texts = ("A man plays an insturment.", "A man playys an instrument.")
    new = answer(reasoner, [NLIExample("A man plays a violin.", text, E) for text in texts], 8)
    hit, lost = hit_and_lost(Shift(ALL["typo-hypothesis"], old, new))
    assert hit.tolist() == lost.tolist() == [True, False]


def test_a_letter_dropped_at_the_end_of_a_word_is_found_in_the_word(make_reasoner):
    reasoner = make_reasoner()
    old = answer(reasoner, [NLIExample("A man plays a violin.", "A man plays an instrument.", E)], 8)
    new = answer(reasoner, [NLIExample("A man plays a violi.", "A man plays an instrument.", E)], 8)
    assert hit_and_lost(Shift(ALL["typo-premise"], old, new))[1].tolist() == [True]


def test_a_shift_holds_the_pairs_that_the_change_applies_to(make_reasoner):
    reasoner = make_reasoner()
    examples = [NLIExample("", "A dog runs.", E), NLIExample("A cat runs.", "An animal runs.", E)]
    item = shift(reasoner, ALL["swap"], answer(reasoner, examples, 8), seed=0, batch_size=8)
    assert [example.premise for example in item.before.examples] == ["A cat runs."]
    assert [example.premise for example in item.after.examples] == ["An animal runs."]
    assert len(item.after.fused) == len(item.after.text) == len(item.after.groundings) == 1
    assert answer(reasoner, [], 8) == Answered([], [], [], [])
