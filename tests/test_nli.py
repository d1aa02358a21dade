"""Labels: their order, and how three-way and two-way labels meet."""

from __future__ import annotations

import pytest

from kg_reason.errors import ConfigError
from kg_reason.nli import THREE_WAY, TWO_WAY, Label, NLIExample, fit_label, task_labels


def test_the_columns_of_the_logits_have_one_stored_order():
    assert task_labels("three-way") == (Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION)
    assert task_labels("two-way") == (Label.ENTAILMENT, Label.NOT_ENTAILMENT)


def test_an_unknown_task_is_refused():
    with pytest.raises(ConfigError, match="task: found 'four-way', expected three-way or two-way"):
        task_labels("four-way")


def test_a_label_is_written_as_its_word():
    assert f"{Label.NOT_ENTAILMENT}" == "not_entailment"
    assert Label("neutral") is Label.NEUTRAL


@pytest.mark.parametrize("label", THREE_WAY)
def test_a_label_of_the_task_stays_itself(label):
    assert fit_label(label, THREE_WAY) is label


@pytest.mark.parametrize(
    ("label", "fitted"),
    [
        (Label.ENTAILMENT, Label.ENTAILMENT),
        (Label.NEUTRAL, Label.NOT_ENTAILMENT),
        (Label.CONTRADICTION, Label.NOT_ENTAILMENT),
        (Label.NOT_ENTAILMENT, Label.NOT_ENTAILMENT),
    ],
)
def test_neutral_and_contradiction_are_not_entailment_in_a_two_way_task(label, fitted):
    assert fit_label(label, TWO_WAY) is fitted


def test_not_entailment_cannot_be_told_apart_in_three_way_labels():
    with pytest.raises(ConfigError, match="not_entailment does not belong .* use --task two-way"):
        fit_label(Label.NOT_ENTAILMENT, THREE_WAY)


def test_an_example_needs_only_its_two_sentences():
    example = NLIExample("", "Water is wet.")
    assert (example.label, example.category, example.names, example.example_id) == (None, "", {}, "")


def test_labels_print_as_words():
    assert f"{ {Label.NEUTRAL: 0.5} }" == "{'neutral': 0.5}"
