"""Fitting the temperatures of a reasoner, and what a run keeps of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from kg_reason.calibration import UNCALIBRATED, Calibration, negative_log_likelihood
from kg_reason.errors import CheckpointError, ConfigError
from kg_reason.evaluation import evaluate, score_all, scored_labels
from kg_reason.nli import Label, NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.run_folder import CALIBRATION_FILE, read_calibration, write_calibration
from kg_reason.training.temperature import answer_confidence, calibrate

E, N, C, NOT = Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION, Label.NOT_ENTAILMENT
WORDS = ("dog", "cat", "man", "woman", "violin", "guitar", "drum", "instrument")


@pytest.fixture
def reasoner(make_reasoner):
    return make_reasoner()


@pytest.fixture
def pairs(reasoner):
    """Pairs of which the untrained model answers two in three right."""
    pairs = [NLIExample(f"A {one} plays.", f"The {other} is hot.") for one in WORDS for other in WORDS[:4]]
    answers = reasoner.score(pairs, reasoner.ground_all(pairs)).logits.argmax(axis=1)
    shifted = [int(answer + (row % 3 == 0)) % 3 for row, answer in enumerate(answers)]
    return [replace(pair, label=reasoner.labels[place]) for pair, place in zip(pairs, shifted, strict=True)]


def test_the_temperature_of_each_kind_of_answer_makes_its_labels_likelier(reasoner, pairs):
    found = calibrate(reasoner, pairs, files=("one/dev.jsonl", "b.tsv"))
    scores = score_all(reasoner, pairs, reasoner.ground_all(pairs))
    truth = np.array([reasoner.labels.index(pair.label) for pair in pairs])
    for logits, temperature in (
        (scores.logits, found.temperature), (scores.text_logits, found.text_temperature)
    ):  # fmt: skip
        best = negative_log_likelihood(logits, truth, temperature)
        assert all(best <= negative_log_likelihood(logits, truth, factor * temperature) for factor in (0.9, 1.1))
    assert found.num_examples == len(pairs)
    assert found.files_sha256 == hashlib.sha256(b"b.tsv\ndev.jsonl").hexdigest()
    assert reasoner.calibration is UNCALIBRATED


def test_temperatures_that_are_there_already_do_not_matter(reasoner, pairs):
    first = calibrate(reasoner, pairs)
    reasoner.calibration = Calibration(5.0, 7.0)
    assert calibrate(reasoner, [*pairs, NLIExample("A dog.", "A cat.")]) == first


def test_two_way_labels_fit_a_three_way_model(reasoner, pairs):
    two_way = [replace(pair, label=E if pair.label is E else NOT) for pair in pairs]
    two_way[0] = replace(two_way[0], label=E)
    two_way[1] = replace(two_way[1], label=NOT)
    assert calibrate(reasoner, two_way).num_examples == len(pairs)


def test_pairs_without_a_label_or_of_one_label_are_refused(reasoner):
    with pytest.raises(ConfigError, match="examples: found no pair with a label"):
        calibrate(reasoner, [NLIExample("A dog.", "A cat.")])
    with pytest.raises(ConfigError, match="found pairs of one label only"):
        calibrate(reasoner, [NLIExample("A dog.", "A cat.", E)] * 3)


def test_a_merged_answer_has_the_probability_of_all_that_count_like_it():
    scored = scored_labels([NOT, E], (E, N, C))
    logits = np.log([[0.2, 0.5, 0.3], [0.4, 0.35, 0.25]])
    confidence, right = answer_confidence(logits, scored)
    np.testing.assert_allclose(confidence, [0.8, 0.4])
    assert right.tolist() == [True, True]


def test_temperatures_change_probabilities_and_neither_logits_nor_labels(reasoner):
    pair = [("A man plays a violin.", "A woman plays an instrument.")]
    (before,) = reasoner.predict(pair)
    reasoner.calibration = Calibration(2.0, 0.5)
    (after,) = reasoner.predict(pair)
    assert after.answer.logits == before.answer.logits
    assert after.evidence == before.evidence
    assert after.label is before.label
    assert (after.answer.temperature, after.text_answer.temperature) == (2.0, 0.5)
    halved = np.exp(np.array(list(before.answer.logits.values())) / 2)
    np.testing.assert_allclose(list(after.probabilities.values()), halved / halved.sum())
    assert max(after.probabilities.values()) < max(before.probabilities.values())
    plain = after.to_json()
    assert (plain["temperature"], plain["text"]["temperature"]) == (2.0, 0.5)
    for label, logit in plain["logits"].items():
        parts = [path["contribution"][label] for path in plain["paths"]]
        assert logit == pytest.approx(plain["text"]["logits"][label] + sum(parts), abs=1e-5)


def test_a_run_keeps_its_temperatures(reasoner, toy_graph, tmp_path):
    reasoner.save(tmp_path / "run")
    assert not (tmp_path / "run" / CALIBRATION_FILE).exists()
    assert Reasoner.load(tmp_path / "run", toy_graph).calibration == UNCALIBRATED
    calibration = Calibration(1.25, 1.5, 7, date="2024-05-06")
    write_calibration(tmp_path / "run", calibration)
    loaded = Reasoner.load(tmp_path / "run", toy_graph)
    assert loaded.calibration == calibration
    assert loaded.predict([("A dog.", "A cat.")])[0].answer.temperature == 1.25
    loaded.save(tmp_path / "copy")
    assert Reasoner.load(tmp_path / "copy", toy_graph).calibration == calibration


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"), ("{}", "temperature: found None, expected a float"),
        (json.dumps(UNCALIBRATED.to_json() | {"temperature": -1.0}), "temperature: found -1.0, expected a number"),
    ],
)  # fmt: skip
def test_a_damaged_file_of_temperatures_is_told_with_its_place(text, message, tmp_path):
    (tmp_path / CALIBRATION_FILE).write_text(text)
    with pytest.raises(CheckpointError, match=rf"calibration\.json: {message}"):
        read_calibration(tmp_path)


def test_training_on_from_a_run_forgets_its_temperatures(reasoner, pairs, tmp_path):
    from kg_reason.config import TrainConfig
    from kg_reason.training.loop import train

    reasoner.calibration = Calibration(3.0, 3.0)
    train(reasoner, pairs[:8], (), TrainConfig(max_steps=1, batch_size=4), tmp_path / "run", show_progress=False)
    assert reasoner.calibration == UNCALIBRATED
    assert not (tmp_path / "run" / CALIBRATION_FILE).exists()


# ---- leaving out unsure answers


def test_evaluation_parts_the_answers_at_the_threshold(reasoner, pairs):
    predictions = reasoner.predict_examples(pairs)
    confidence = np.array([prediction.probabilities[prediction.label] for prediction in predictions])
    right = np.array([prediction.label is pair.label for prediction, pair in zip(predictions, pairs, strict=True)])
    threshold = float(np.median(confidence))
    found = evaluate(reasoner, pairs, abstain_below=threshold)
    given = confidence >= threshold
    assert found.abstention.fused.answered.num_examples == given.sum()
    assert found.abstention.fused.answered.accuracy == pytest.approx(right[given].mean())
    assert found.abstention.fused.left_out.accuracy == pytest.approx(right[~given].mean())
    assert found.abstention.fused.coverage == pytest.approx(given.mean())
    plain = found.to_json()["abstention"]
    assert set(plain) == {"threshold", "coverage", "answered", "left_out", "text"}
    assert replace(found, abstention=None) == evaluate(reasoner, pairs)


def test_the_temperature_decides_how_many_are_answered(reasoner, pairs):
    reasoner.calibration = Calibration(temperature=10.0, text_temperature=0.01)
    found = evaluate(reasoner, pairs, abstain_below=0.5).abstention
    assert (found.fused.coverage, found.text.coverage) == (0.0, 1.0)


def test_the_report_shows_the_answered_and_the_unsure_beside_the_plain_figures(reasoner, pairs):
    assert "unsure" not in evaluate(reasoner, pairs).to_text()
    assert "abstention" not in evaluate(reasoner, pairs).to_json()
    text = evaluate(reasoner, pairs, abstain_below=1.0).to_text()
    (row,) = [line.split() for line in text.splitlines() if line.startswith("answered")]
    assert row == ["answered", "0", "-", "-", "0", "-"]
    (row,) = [line.split() for line in text.splitlines() if line.startswith("unsure  ")]
    assert row[:2] == ["unsure", str(len(pairs))]
    assert "unsure below 1" in text
    assert "coverage, %" in text


def test_a_threshold_that_is_no_probability_is_refused_before_anything_is_asked(reasoner):
    with pytest.raises(ConfigError, match="abstain below: found 2"):
        evaluate(reasoner, [], abstain_below=2.0)
