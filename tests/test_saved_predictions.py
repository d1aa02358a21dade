"""scripts/saved_predictions.py: answers on disk."""

from __future__ import annotations

import json

import numpy as np
import pytest
from saved_predictions import Predictions, read_predictions, write_predictions

from kg_reason import NLIExample
from kg_reason.nli import THREE_WAY, Label

EXAMPLES = [
    NLIExample("a", "b", Label.ENTAILMENT, "one", example_id="x1"),
    NLIExample("a", "c", Label.CONTRADICTION, example_id="x2"),
]


def saved(logits, truth=EXAMPLES, text=None) -> Predictions:
    logits = np.array(logits, dtype=np.float64)
    text = logits if text is None else np.array(text, dtype=np.float64)
    return Predictions.of(truth, THREE_WAY, (logits, text), [True, False], {"graph": "kg"})


def test_answers_are_read_as_they_were_written_to_the_last_bit_of_a_float32(tmp_path):
    logits = np.float32([[1 / 3, -2e-7, 5.123456789], [0.1, 7e8, -1 / 7]]).astype(np.float64)
    first = saved(logits)
    write_predictions(tmp_path / "deep" / "set.json", first)
    second = read_predictions(tmp_path / "deep" / "set.json")
    assert np.array_equal(second.logits.astype(np.float32), logits.astype(np.float32))
    assert (second.ids, second.truth, second.categories) == (("x1", "x2"), first.truth, ("one", ""))
    assert second.has_evidence.tolist() == [True, False]
    assert second.facts == {"graph": "kg"}


def test_right_answers_are_those_of_the_report():
    predictions = saved([[2, 1, 0], [2, 1, 0]], text=[[0, 1, 2], [0, 1, 2]])
    assert predictions.is_right().tolist() == [True, False]
    assert predictions.is_right(text_only=True).tolist() == [False, True]
    assert predictions.report().accuracy == 0.5


def test_neutral_and_contradiction_are_one_answer_where_the_truth_is_two_way():
    truth = [
        NLIExample("a", "b", Label.NOT_ENTAILMENT, example_id="x1"),
        NLIExample("a", "c", Label.ENTAILMENT, example_id="x2"),
    ]
    predictions = saved([[0, 0, 1], [0, 1, 0]], truth)
    assert predictions.is_right().tolist() == [True, False]


def test_a_file_with_columns_of_different_lengths_is_refused(tmp_path):
    write_predictions(tmp_path / "set.json", saved([[1, 0, 0], [1, 0, 0]]))
    plain = json.loads((tmp_path / "set.json").read_text())
    plain["truth"].pop()
    (tmp_path / "set.json").write_text(json.dumps(plain))
    with pytest.raises(ValueError, match="truth: found 1 values, expected 2"):
        read_predictions(tmp_path / "set.json")
