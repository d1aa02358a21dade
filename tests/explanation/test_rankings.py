"""Every ranking says what it claims: contributions, gradients and removals agree with the model asked directly."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax

from kg_reason import NLIExample
from kg_reason.config import EVIDENCE
from kg_reason.errors import ConfigError, MissingExtraError
from kg_reason.explanation.rankings import METHODS, METHODS_OF, margin, random_scores, rank_paths

PAIR = NLIExample("A man plays a violin.", "A woman plays an instrument.")


@pytest.fixture
def reasoner(make_reasoner):
    return make_reasoner()


@pytest.fixture
def grounding(reasoner):
    (found,) = reasoner.ground_all([PAIR])
    assert found.paths.num_paths >= 3
    return found


@pytest.fixture
def output(reasoner, grounding):
    batch = reasoner.collator([PAIR], [grounding])
    with torch.no_grad():
        return reasoner.model.eval()(batch)


def test_a_margin_is_the_log_odds_of_a_label():
    logits = np.log(np.array([[0.5, 0.2, 0.3], [0.1, 0.8, 0.1]]))
    assert margin(logits, 0) == pytest.approx([0.0, np.log(0.1 / 0.9)])


def test_a_contribution_is_what_the_margin_loses_when_it_is_subtracted(reasoner, grounding, output):
    rankings = rank_paths(reasoner, PAIR, grounding)
    logits, contributions = output.logits[0].double().numpy(), output.contributions.double().numpy()
    column = int(logits.argmax())
    assert rankings.label is reasoner.labels[column]
    rows = [logits, *(logits - contributions)]
    expected = [np.log(np.delete(np.exp(row - row[column]), column).sum()) for row in rows]
    assert rankings.scores["contribution"] == pytest.approx(np.array(expected[1:]) - expected[0], abs=1e-5)


def test_strength_ranks_paths_as_an_answer_shows_them(reasoner, grounding):
    strengths = rank_paths(reasoner, PAIR, grounding).scores["strength"]
    (prediction,) = reasoner.predict_examples([PAIR])
    assert sorted(strengths, reverse=True) == pytest.approx([item.strength for item in prediction.evidence], abs=1e-5)


def test_gates_are_those_of_the_model(reasoner, grounding, output):
    assert rank_paths(reasoner, PAIR, grounding).scores["gate"] == pytest.approx(output.gates.numpy(), abs=1e-5)


def test_a_gradient_is_the_slope_of_the_margin_by_the_weight_of_a_path(reasoner, grounding, output):
    rankings = rank_paths(reasoner, PAIR, grounding)
    contributions, column = output.contributions.double().numpy(), rankings.column
    others = softmax(np.delete(rankings.logits, column))
    expected = contributions[:, column] - np.delete(contributions, column, axis=1) @ others
    assert np.abs(expected).max() > 1e-3
    assert rankings.scores["gradient"] == pytest.approx(expected, abs=1e-5)


def test_integrated_gradients_add_up_to_what_all_paths_did(reasoner, grounding, output):
    rankings = rank_paths(reasoner, PAIR, grounding)
    change = margin(rankings.logits, rankings.column) - margin(output.text_logits[0].double().numpy(), rankings.column)
    assert abs(change) > 1e-3
    assert rankings.scores["integrated-gradients"].sum() == pytest.approx(change, abs=1e-5)


def test_leaving_one_out_asks_again_without_the_path(reasoner, grounding):
    rankings = rank_paths(reasoner, PAIR, grounding)
    for row in range(grounding.paths.num_paths):
        others = np.array([number for number in range(grounding.paths.num_paths) if number != row])
        left = replace(grounding, paths=grounding.paths.take(others))
        logits = reasoner.score([PAIR], [left]).logits[0]
        assert rankings.logits_without[row] == pytest.approx(logits, abs=1e-4)
        expected = margin(rankings.logits, rankings.column) - margin(logits, rankings.column)
        assert rankings.scores["leave-one-out"][row] == pytest.approx(expected, abs=1e-4)


def test_the_random_ranking_goes_by_its_seed():
    assert random_scores(9, 3).tolist() == random_scores(9, 3).tolist()
    assert random_scores(9, 3).tolist() != random_scores(9, 4).tolist()
    assert sorted(random_scores(9, 3)) == list(range(1, 10))


def test_paths_are_ordered_by_the_size_of_their_scores_and_equals_as_they_were_found(reasoner, grounding):
    rankings = replace(rank_paths(reasoner, PAIR, grounding), scores={"gate": np.array([0.1, -0.9, 0.5, 0.9])})
    assert rankings.order("gate").tolist() == [1, 3, 2, 0]


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_every_kind_of_model_offers_rankings_that_it_can_give(make_reasoner, evidence):
    reasoner = make_reasoner(evidence=evidence)
    (grounding,) = reasoner.ground_all([PAIR])
    scores = rank_paths(reasoner, PAIR, grounding).scores
    assert tuple(scores) == METHODS_OF[evidence]
    for values in scores.values():
        assert values.shape == (grounding.paths.num_paths,)
        assert np.abs(values).max() > 0


def test_an_answer_without_paths_has_empty_rankings(reasoner, grounding):
    scores = rank_paths(reasoner, PAIR, grounding.without_paths()).scores
    assert {name: values.size for name, values in scores.items()} == dict.fromkeys(METHODS, 0)


def test_ranking_leaves_the_model_as_it_was(reasoner, grounding):
    reasoner.model.train()
    rank_paths(reasoner, PAIR, grounding)
    assert reasoner.model.training
    assert [name for name, weight in reasoner.model.named_parameters() if weight.grad is not None] == []


def test_a_method_that_the_model_has_nothing_for_is_refused(make_reasoner, reasoner, grounding):
    with pytest.raises(ConfigError, match="methods: found 'attention', expected, for a model of evidence paths: contr"):
        rank_paths(reasoner, PAIR, grounding, methods=["attention"])
    with pytest.raises(ConfigError, match="found 'gate', expected, for a model of evidence tokens: gradient"):
        rank_paths(make_reasoner(evidence="tokens"), PAIR, grounding, methods=["gate"])


def test_without_captum_only_integrated_gradients_are_missing(monkeypatch, reasoner, grounding):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    assert set(rank_paths(reasoner, PAIR, grounding, methods=["gradient", "random"]).scores) == {"gradient", "random"}
    with pytest.raises(MissingExtraError, match=r"pip install 'kg_reason\[audit\]'"):
        rank_paths(reasoner, PAIR, grounding)
