"""Active learning: which unlabelled pairs to label next, because their labels would teach the model most.

A pair is worth as much as three terms say, each in [0, 1]: how uncertain the fused answer is (its entropy), how far the
graph moved the answer (the Jensen-Shannon divergence of text-only and fused answer; Lin 1991), and how much of what is
new in the hypothesis the graph speaks about. Pairs are chosen one after the other, and each loses by its likeness to
the most similar pair chosen before, so that fifty suggestions are not one pair in fifty wordings (maximal marginal
relevance; Carbonell and Goldstein 1998). Reading labels back is `examples.py`, learning from them `training/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import entr, softmax

from kg_reason.config import SuggestConfig
from kg_reason.evaluation import score_all
from kg_reason.examples import to_json
from kg_reason.kg.grounding import Grounding
from kg_reason.nli import NLIExample
from kg_reason.prediction import Answer
from kg_reason.reasoner import Reasoner

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Suggestion:
    """A pair without a label, with the model's answer and the reasons why one is wanted.

    Attributes:
        example: the pair, without a label.
        answer: of text and graph together.
        text_answer: from the text alone.
        uncertainty: entropy of the answer over that of a blind guess, in [0, 1].
        disagreement: Jensen-Shannon divergence of the two answers in bits, in [0, 1]; 0 where the graph says nothing.
        coverage: share of the content words of the hypothesis that the premise lacks at which a path of the graph
            begins or ends, in [0, 1]; 0 where there is no such word.
        similarity: share of content words in common with the most similar suggestion before it, in [0, 1].
        score: the three terms by their weights, less the similarity by its own; suggestions come in the order in which
            they were chosen, in which it falls.
    """

    example: NLIExample
    answer: Answer
    text_answer: Answer
    uncertainty: float
    disagreement: float
    coverage: float
    similarity: float
    score: float

    @property
    def terms(self) -> dict[str, float]:
        """What the score is made of, by name."""
        return {
            "uncertainty": self.uncertainty,
            "disagreement": self.disagreement,
            "coverage": self.coverage,
            "similarity": self.similarity,
        }

    def to_json(self) -> dict[str, Any]:
        """Return a line of an example file with an empty label to fill in; the model's answers stand beside it."""
        return {
            "label": "",
            **to_json(self.example),
            "answer": self.answer.to_json(),
            "text": self.text_answer.to_json(),
            "terms": self.terms,
            "score": self.score,
        }


def suggest(
    reasoner: Reasoner,
    examples: Sequence[NLIExample],
    config: SuggestConfig | None = None,
    *,
    batch_size: int = 32,
    num_workers: int = 1,
    show_progress: bool = False,
) -> tuple[Suggestion, ...]:
    """Rank unlabelled pairs by what their labels would teach, and return the best.

    Args:
        reasoner: answers them; its weights stay as they are.
        examples: the pool; pairs that have a label need none and are left out, and so is a pair that came before.
        config: how many, and the weights of the terms; None: the defaults.
        batch_size: examples encoded at once.
        num_workers: processes that ground the examples.
        show_progress: show bars on stderr.

    Returns:
        The suggestions, in the order in which they were chosen; fewer than asked for where the pool holds no more. Of
        equal pairs the first in the pool is chosen.

    Raises:
        ConfigError: a text is longer than the linker's limit.
        UnknownEntityError: a name stands for an entity that the graph does not hold.
    """
    config = config or SuggestConfig()
    pool = _unlabelled(examples)
    if not pool:
        return ()
    groundings = reasoner.ground_all(pool, num_workers=num_workers, show_progress=show_progress)
    scores = score_all(reasoner, pool, groundings, batch_size=batch_size, show_progress=show_progress)
    calibration = reasoner.calibration
    answers = softmax(scores.logits / calibration.temperature, axis=1)
    text_answers = softmax(scores.text_logits / calibration.text_temperature, axis=1)
    uncertainty = entropy(answers) / np.log(answers.shape[1])
    disagreement = divergence(answers, text_answers)
    coverage = np.array([covered_share(grounding) for grounding in groundings])
    worth = (
        config.uncertainty_weight * uncertainty
        + config.disagreement_weight * disagreement
        + config.coverage_weight * coverage
    )
    suggestions = []
    for row, similarity in _choose(worth, _word_table(groundings), config):
        suggestions.append(
            Suggestion(
                example=pool[row],
                answer=reasoner.answer(scores.logits[row]),
                text_answer=reasoner.answer(scores.text_logits[row], from_text=True),
                uncertainty=float(uncertainty[row]),
                disagreement=float(disagreement[row]),
                coverage=float(coverage[row]),
                similarity=similarity,
                score=float(worth[row]) - config.similarity_weight * similarity,
            )
        )
    return tuple(suggestions)


def entropy(probabilities: Floats) -> Floats:
    """Return the entropy of each row in nats, [num_examples]."""
    total: Floats = entr(probabilities).sum(axis=1)
    return total


def divergence(one: Floats, other: Floats) -> Floats:
    """Return the Jensen-Shannon divergence between the rows of two tables of probabilities, in bits: [num_examples]."""
    middle = entropy((one + other) / 2)
    bits: Floats = np.clip((middle - (entropy(one) + entropy(other)) / 2) / np.log(2), 0.0, 1.0)
    return bits


def covered_share(grounding: Grounding) -> float:
    """Return the share of the words that only the hypothesis has, known to the graph or not, that a path touches."""
    known = {mention.key for mention in grounding.premise_mentions}
    first = len(grounding.premise_mentions)
    fresh = {first + place for place, item in enumerate(grounding.hypothesis_mentions) if item.key not in known}
    touched = {*grounding.paths.start.tolist(), *grounding.paths.end.tolist()}
    return len(fresh & touched) / len(fresh) if fresh else 0.0


def _unlabelled(examples: Sequence[NLIExample]) -> list[NLIExample]:
    """Return the pairs without a label, each once; a pair of which a copy has a label needs no other."""
    labelled = {_identity(example) for example in examples if example.label is not None}
    pool: dict[tuple[Any, ...], NLIExample] = {}
    for example in examples:
        identity = _identity(example)
        if identity not in labelled:
            pool.setdefault(identity, example)
    return list(pool.values())


def _identity(example: NLIExample) -> tuple[Any, ...]:
    return example.premise, example.hypothesis, *sorted(example.names.items())


def _word_table(groundings: Sequence[Grounding]) -> csr_array:
    """Return which pair has which content word on either side, 0 or 1: [num_examples, num_words]."""
    numbers: dict[str, int] = {}
    rows, columns = [], []
    for row, grounding in enumerate(groundings):
        keys = {mention.key for mention in (*grounding.premise_mentions, *grounding.hypothesis_mentions)}
        rows += [row] * len(keys)
        columns += [numbers.setdefault(key, len(numbers)) for key in sorted(keys)]
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(groundings), max(1, len(numbers))))


def _choose(worth: Floats, words: csr_array, config: SuggestConfig) -> list[tuple[int, float]]:
    """Choose pairs one after the other; return each with its similarity to those before.

    Args:
        worth: [num_examples], of each pair by itself.
        words: [num_examples, num_words], 0 or 1.
        config: how many, and the weight of the similarity.
    """
    num_words = words.sum(axis=1)  # [num_examples]
    similarity = np.zeros(len(worth))
    is_left = np.ones(len(worth), dtype=np.bool_)
    chosen: list[tuple[int, float]] = []
    while len(chosen) < min(config.num_suggestions, len(worth)):
        row = int(np.where(is_left, worth - config.similarity_weight * similarity, -np.inf).argmax())
        chosen.append((row, float(similarity[row])))
        is_left[row] = False
        shared = words @ words[[row]].toarray()[0]  # [num_examples]
        either = np.maximum(num_words + num_words[row] - shared, 1.0)
        np.maximum(similarity, shared / either, out=similarity)  # Jaccard's
    return chosen
