"""Labelled pairs with their answers: which are drawn, and what counts as right."""

from __future__ import annotations

import numpy as np
import pytest

from kg_reason import AuditConfig, NLIExample
from kg_reason.audits.answered import Share, best_labels, draw_examples, right_answers
from kg_reason.errors import ConfigError
from kg_reason.evaluation import wilson
from kg_reason.nli import THREE_WAY, TWO_WAY, Label

PAIRS = [NLIExample("A man.", f"Man {number}.", Label.NEUTRAL) for number in range(50)]


def test_at_most_as_many_pairs_are_drawn_as_the_settings_say_always_the_same():
    config = AuditConfig(max_examples=7)
    drawn = draw_examples(PAIRS, config)
    assert len(drawn) == 7
    assert drawn == draw_examples(PAIRS, config)
    assert drawn != draw_examples(PAIRS, AuditConfig(max_examples=7, audit_seed=1))
    assert [PAIRS.index(pair) for pair in drawn] == sorted(PAIRS.index(pair) for pair in drawn)


def test_pairs_without_a_label_are_left_out_and_some_must_have_one():
    unlabelled = NLIExample("A man.", "A woman.")
    assert draw_examples([unlabelled, PAIRS[0]], AuditConfig()) == [PAIRS[0]]
    with pytest.raises(ConfigError, match="found no pair with a label"):
        draw_examples([unlabelled], AuditConfig())


def test_an_answer_is_right_in_the_labels_that_model_and_data_share():
    examples = [NLIExample("a", "b", label) for label in (Label.NEUTRAL, Label.ENTAILMENT, Label.NEUTRAL)]
    answers = [Label.NEUTRAL, Label.CONTRADICTION, Label.CONTRADICTION]
    assert right_answers(examples, answers, THREE_WAY).tolist() == [True, False, False]
    two_way = [Label.NOT_ENTAILMENT, Label.NOT_ENTAILMENT, Label.ENTAILMENT]
    assert right_answers(examples, two_way, TWO_WAY).tolist() == [True, False, False]
    pairs = [NLIExample("a", "b", Label.NOT_ENTAILMENT)] * 3
    assert right_answers(pairs, answers, THREE_WAY).tolist() == [True, True, True]


def test_the_best_label_is_that_of_the_highest_logit():
    assert best_labels(np.array([[0.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), THREE_WAY) == [Label.NEUTRAL, Label.ENTAILMENT]


def test_a_share_of_nothing_says_so():
    assert Share(0, 0).to_text() == "-"
    assert Share(0, 0).value == 0.0
    assert Share(3, 4).interval == wilson(3, 4)
    assert Share(3, 4).to_text() == "75.0 (30.1 to 95.4)"
