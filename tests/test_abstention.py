"""When an answer is unsure, and the reason that is given."""

from __future__ import annotations

import pytest

from kg_reason.abstention import (
    CONFLICTING_PATHS,
    LOW_PROBABILITY,
    NO_EVIDENCE,
    abstain,
    are_conflicting,
    spoken_for,
)
from kg_reason.errors import ConfigError
from kg_reason.kg.paths import Path
from kg_reason.nli import THREE_WAY, TWO_WAY, Label
from kg_reason.prediction import Answer, Evidence, Place, Prediction

E, N, C = THREE_WAY
PLACE = Place("premise", 0, 3, "dog")


def evidence(*contribution, labels=THREE_WAY):
    return Evidence(Path((), 0, 1, 1.0), PLACE, PLACE, dict(zip(labels, contribution, strict=True)))


def prediction(*items, logits=(0.4, 0.0, 0.3), temperature=1.0):
    answer = Answer(dict(zip(THREE_WAY, logits, strict=True)), temperature)
    return Prediction("A dog.", "A cat.", answer, answer, (), (), items)


STRONG, OTHER = evidence(2.0, 0.0, -1.0), evidence(-1.0, 0.0, 1.5)


def test_an_answer_at_or_above_the_threshold_is_given():
    probability = prediction().probabilities[E]
    assert abstain(prediction(), probability) is None
    assert abstain(prediction(), 0.0) is None
    assert abstain(prediction(STRONG, OTHER), 0.2) is None


def test_without_a_path_the_reason_is_no_evidence():
    found = abstain(prediction(), 0.9)
    assert (found.reason, found.label, found.threshold) == (NO_EVIDENCE, E, 0.9)
    assert found.to_json() == {"reason": "no evidence", "probability": prediction().probabilities[E]}
    assert found.to_text() == f"unsure: no evidence (entailment {found.probability:.3f}, below 0.9)"


def test_paths_for_different_labels_conflict():
    assert abstain(prediction(STRONG, OTHER), 0.9).reason == CONFLICTING_PATHS
    assert abstain(prediction(STRONG, evidence(1.0, 0.0, 0.0)), 0.9).reason == LOW_PROBABILITY


def test_a_conflict_takes_a_good_share_on_both_sides():
    assert not are_conflicting([STRONG, evidence(0.0, 0.0, 0.5)])  # 2.0 and 0.5: a fifth
    assert are_conflicting([STRONG, evidence(0.0, 0.0, 0.7)])  # 2.0 and 0.7: more than a quarter
    assert are_conflicting([STRONG, evidence(0.0, 0.0, 0.4), evidence(0.0, 0.0, 0.3)])


def test_paths_that_say_little_do_not_conflict_and_the_temperature_counts():
    weak = [evidence(0.3, 0.0, 0.0), evidence(0.0, 0.0, 0.3)]
    assert are_conflicting(weak)
    assert not are_conflicting(weak, temperature=2.0)
    assert abstain(prediction(*weak, temperature=2.0), 0.9).reason == LOW_PROBABILITY
    assert abstain(prediction(*weak), 0.9).reason == CONFLICTING_PATHS
    assert not are_conflicting([])


def test_a_path_speaks_for_a_label_by_what_it_adds_beyond_the_next_one():
    assert spoken_for(evidence(1.0, 0.9, -1.9)) == (E, pytest.approx(0.1))
    assert spoken_for(evidence(-0.5, -2.0, -1.0)) == (E, pytest.approx(0.5))
    assert spoken_for(evidence(-1.0, 1.0, labels=TWO_WAY)) == (Label.NOT_ENTAILMENT, pytest.approx(2.0))
    assert spoken_for(evidence(0.0, 0.0, 0.0)) == (E, 0.0)


def test_the_temperature_of_the_answer_decides_what_is_sure():
    sharp, flat = prediction(logits=(2.0, 0.0, 0.0)), prediction(logits=(2.0, 0.0, 0.0), temperature=4.0)
    assert abstain(sharp, 0.7) is None
    assert abstain(flat, 0.7).probability == flat.probabilities[E]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(threshold):
    with pytest.raises(ConfigError, match="abstain below: found .*, expected a probability from 0 to 1"):
        abstain(prediction(), threshold)
