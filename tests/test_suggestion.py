"""Suggestions: each term orders pairs by itself, likeness costs, and a file of them comes back as examples."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon

from kg_reason.config import ExampleConfig, ModelConfig, ReasonerConfig, SuggestConfig
from kg_reason.errors import BadLinesError
from kg_reason.examples import read_examples, write_rows
from kg_reason.nli import Label, NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.suggestion import covered_share, divergence, entropy, suggest

POOL = [
    NLIExample("A man plays a violin.", "A man plays an instrument."),
    NLIExample("The table is long.", "The dog is on it."),
    NLIExample("A woman plays a cello.", "A woman plays an instrument."),
    NLIExample("A cat is cold.", "A cat is hot."),
    NLIExample("A boy is in the garden.", "A tuba is in the garden."),
]
NONE = SuggestConfig(uncertainty_weight=0.0, disagreement_weight=0.0, coverage_weight=0.0, similarity_weight=0.0)


@pytest.fixture(scope="module")
def reasoner(toy_graph, tiny_encoder):
    """A model whose gates stand open, so that an untrained graph part moves answers."""
    model = ModelConfig(encoder=str(tiny_encoder), graph_dim=16, gate_bias=1.0)
    return Reasoner.build(toy_graph, ReasonerConfig(model=model), seed=3)


def hypotheses(suggestions):
    return [suggestion.example.hypothesis for suggestion in suggestions]


# ---- the terms


def test_divergence_is_that_of_jensen_and_shannon_in_bits():
    generator = np.random.default_rng(1)
    one, other = generator.dirichlet(np.ones(3), 20), generator.dirichlet(np.ones(3), 20)
    expected = [jensenshannon(p, q, base=2) ** 2 for p, q in zip(one, other, strict=True)]
    np.testing.assert_allclose(divergence(one, other), expected, atol=1e-12)
    certain = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert divergence(certain, certain[::-1]).tolist() == [1.0, 1.0]
    assert divergence(one, one).max() < 1e-12


def test_entropy_is_highest_for_a_blind_guess():
    values = entropy(np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(values, [np.log(3), np.log(2), 0.0])


@pytest.mark.parametrize(
    ("premise", "hypothesis", "share"),
    [
        ("A man is cold.", "A man is hot.", 1.0),
        ("A man is cold.", "A woman is hot at dawn.", 2 / 3),  # dawn is not in the graph
        ("A man is cold.", "A man is cold.", 0.0),  # nothing is new
        ("A tuba.", "An ophicleide.", 0.0),
        ("", "A violin is an instrument.", 1.0),  # a claim: the path joins its own words
        ("The table is long.", "A dog.", 0.0),  # known, and no path
    ],
)
def test_coverage_counts_the_new_words_that_a_path_touches(reasoner, premise, hypothesis, share):
    (grounding,) = reasoner.ground_all([NLIExample(premise, hypothesis)])
    assert covered_share(grounding) == pytest.approx(share)


def test_a_pair_whose_answers_disagree_comes_before_one_without_evidence(reasoner):
    suggestions = suggest(reasoner, POOL, replace(NONE, disagreement_weight=1.0))
    values = [suggestion.disagreement for suggestion in suggestions]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0
    assert {suggestion.disagreement for suggestion in suggestions if not suggestion.coverage} == {0.0}
    assert set(hypotheses(suggestions)[-2:]) == {POOL[1].hypothesis, POOL[4].hypothesis}


def test_the_pair_with_the_most_even_answer_comes_first_by_uncertainty(reasoner):
    suggestions = suggest(reasoner, POOL, replace(NONE, uncertainty_weight=1.0))
    highest = [max(suggestion.answer.probabilities.values()) for suggestion in suggestions]
    assert highest[0] == min(highest)
    assert all(0.0 <= suggestion.uncertainty <= 1.0 for suggestion in suggestions)
    (prediction,) = reasoner.predict_examples([suggestions[0].example])
    expected = -sum(p * np.log(p) for p in prediction.probabilities.values()) / np.log(3)
    assert suggestions[0].uncertainty == pytest.approx(expected, abs=1e-5)


def test_the_score_is_the_sum_of_the_terms_by_their_weights(reasoner):
    config = SuggestConfig(
        uncertainty_weight=0.5, disagreement_weight=2.0, coverage_weight=0.25, similarity_weight=0.75
    )
    for item in suggest(reasoner, POOL, config):
        expected = 0.5 * item.uncertainty + 2.0 * item.disagreement + 0.25 * item.coverage - 0.75 * item.similarity
        assert item.score == pytest.approx(expected)


# ---- the choice


def test_a_near_duplicate_waits_behind_pairs_that_differ(reasoner):
    near = NLIExample("A woman plays a violin.", "A woman plays an instrument.")
    pool = [POOL[2], near, POOL[4]]
    careless = suggest(reasoner, pool, replace(NONE, coverage_weight=1.0))
    careful = suggest(reasoner, pool, replace(NONE, coverage_weight=1.0, similarity_weight=3.0))
    assert hypotheses(careless) == [near.hypothesis, near.hypothesis, POOL[4].hypothesis]
    assert hypotheses(careful) == [near.hypothesis, POOL[4].hypothesis, near.hypothesis]
    assert careful[0].similarity == 0.0
    assert careful[2].similarity == pytest.approx(3 / 5)  # woman, play, instrument of five words


def test_scores_fall_from_suggestion_to_suggestion(reasoner):
    scores = [suggestion.score for suggestion in suggest(reasoner, POOL)]
    assert len(scores) == len(POOL)
    assert scores == sorted(scores, reverse=True)


def test_as_many_are_suggested_as_wanted_and_there_are(reasoner):
    whole = suggest(reasoner, POOL)
    assert suggest(reasoner, POOL, SuggestConfig(num_suggestions=2)) == whole[:2]
    assert suggest(reasoner, []) == ()


def test_what_has_a_label_or_came_before_is_not_suggested(reasoner):
    labelled = replace(POOL[0], label=Label.ENTAILMENT)
    pool = [POOL[3], labelled, POOL[0], replace(POOL[3], example_id="again"), POOL[1]]
    assert set(hypotheses(suggest(reasoner, pool))) == {POOL[3].hypothesis, POOL[1].hypothesis}
    assert len(suggest(reasoner, pool)) == 2
    assert suggest(reasoner, [labelled]) == ()


def test_the_same_pool_gives_the_same_suggestions_and_leaves_the_model_as_it_was(reasoner):
    before = {name: tensor.clone() for name, tensor in reasoner.model.state_dict().items()}
    assert suggest(reasoner, POOL) == suggest(reasoner, POOL)
    assert all(torch.equal(tensor, before[name]) for name, tensor in reasoner.model.state_dict().items())


# ---- the file


def test_a_file_of_suggestions_comes_back_as_examples_once_its_labels_are_filled_in(reasoner, tmp_path):
    pool = [
        replace(POOL[0], example_id="7", category="music"),
        NLIExample("A gavorn is cold.", "An instrument is cold.", names={"gavorn": "ex:violin"}),
    ]
    suggestions = suggest(reasoner, pool)
    path = tmp_path / "to_label.jsonl"
    write_rows(path, [suggestion.to_json() for suggestion in suggestions])
    chosen = [suggestion.example for suggestion in suggestions]
    assert read_examples(path, require_labels=False) == chosen
    with pytest.raises(BadLinesError, match="to_label.jsonl:1: label: found no label, .*--skip-unlabelled"):
        read_examples(path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert {"answer", "text", "terms", "score"} <= set(rows[0])
    write_rows(path, [row | {"label": "neutral"} for row in rows])
    assert read_examples(path) == [replace(example, label=Label.NEUTRAL) for example in chosen]


@pytest.mark.parametrize("empty", ["", None, "-"])
def test_a_half_labelled_file_is_read_by_its_labels(reasoner, tmp_path, empty):
    rows = [suggestion.to_json() for suggestion in suggest(reasoner, POOL)]
    rows = [row | {"label": empty if place % 2 else "contradiction"} for place, row in enumerate(rows)]
    write_rows(tmp_path / "half.jsonl", rows)
    examples = read_examples(tmp_path / "half.jsonl", ExampleConfig(skip_unlabelled=True))
    assert [example.label for example in examples] == [Label.CONTRADICTION] * 3
