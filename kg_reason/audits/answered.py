"""Labelled pairs with their answers: which are examined, how they were answered, and shares with their intervals.

What an audit makes of them is its own file.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import AuditConfig
from kg_reason.errors import ConfigError
from kg_reason.evaluation import score_all, wilson
from kg_reason.kg.grounding import Grounding
from kg_reason.nli import TWO_WAY, Label, NLIExample, fit_label
from kg_reason.reasoner import Reasoner

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """How many of some pairs were answered right, with the 95 % interval of Wilson."""

    num_right: int
    num_pairs: int

    @classmethod
    def of(cls, flags: Flags) -> Share:
        """Count flags of pairs."""
        return cls(int(flags.sum()), len(flags))

    @property
    def value(self) -> float:
        """The share in [0, 1]; 0 where there is no pair."""
        return self.num_right / self.num_pairs if self.num_pairs else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Its interval; (0, 1) where there is no pair."""
        return wilson(self.num_right, self.num_pairs)

    def to_text(self) -> str:
        """Return per cent and interval, such as "84.0 (79.4 to 87.7)"; "-" where there is no pair."""
        if not self.num_pairs:
            return "-"
        low, high = self.interval
        return f"{100 * self.value:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def draw_examples(examples: Sequence[NLIExample], config: AuditConfig) -> list[NLIExample]:
    """Return the labelled pairs that are examined: all, or `max_examples` of them drawn by chance, in their order.

    Raises:
        ConfigError: no pair has a label.
    """
    labelled = [example for example in examples if example.label is not None]
    if not labelled:
        raise ConfigError("examples: found no pair with a label, expected at least one")
    if len(labelled) <= config.max_examples:
        return labelled
    chosen = random.Random(config.audit_seed).sample(range(len(labelled)), config.max_examples)
    return [labelled[row] for row in sorted(chosen)]


def right_answers(examples: Sequence[NLIExample], answers: Sequence[Label], labels: tuple[Label, ...]) -> Flags:
    """Tell which answers are right, bool [num_examples].

    Where model or data know only entailment and not_entailment, neutral and contradiction count as not_entailment.

    Args:
        examples: each with a label.
        answers: one per example.
        labels: of the model.
    """
    true_labels = [example.label for example in examples if example.label is not None]
    scored = TWO_WAY if Label.NOT_ENTAILMENT in {*labels, *true_labels} else labels
    pairs = zip(true_labels, answers, strict=True)
    return np.array([fit_label(true, scored) is fit_label(answer, scored) for true, answer in pairs], dtype=np.bool_)


def best_labels(logits: NDArray[np.float64], labels: tuple[Label, ...]) -> list[Label]:
    """Return the label of the highest logit in each row of [num_examples, num_labels]."""
    return [labels[column] for column in logits.argmax(axis=1).tolist()]


def answer_flags(
    reasoner: Reasoner, examples: Sequence[NLIExample], groundings: Sequence[Grounding], batch_size: int
) -> tuple[Flags, Flags]:
    """Answer grounded pairs; return which fused answers are right and which from text alone, each [num_examples]."""
    scores = score_all(reasoner, examples, groundings, batch_size=batch_size)
    fused, text = best_labels(scores.logits, reasoner.labels), best_labels(scores.text_logits, reasoner.labels)
    return right_answers(examples, fused, reasoner.labels), right_answers(examples, text, reasoner.labels)


def evidence_flags(groundings: Iterable[Grounding]) -> Flags:
    """Tell which pairs have a path, bool [num_examples]."""
    return np.array([grounding.has_evidence for grounding in groundings], dtype=np.bool_)
