"""Saved answers to one test set: one JSON file per set, written by `measure.py`, read by `reproduce.py`.

A file holds no text of the pairs, only ids, labels and logits, so that tables can be made from it at any time. Logits
have nine significant digits, which is all a float32 has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg_reason.evaluation import report
from kg_reason.evaluation_report import EvaluationReport
from kg_reason.nli import TWO_WAY, Label, NLIExample, fit_label

Logits = NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """The answers of one run to one test set.

    Attributes:
        labels: of the model; position = column of the logits.
        ids: [num_examples], by which answers of several runs are paired.
        truth: [num_examples], the true labels.
        categories: [num_examples], empty where there is none.
        logits, text_logits: [num_examples, num_labels].
        has_evidence: [num_examples], whether the graph gave a path.
        facts: what else was measured, such as the graph's fingerprint and the seconds of grounding.
    """

    labels: tuple[Label, ...]
    ids: tuple[str, ...]
    truth: tuple[Label, ...]
    categories: tuple[str, ...]
    logits: Logits
    text_logits: Logits
    has_evidence: NDArray[np.bool_]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        examples: Sequence[NLIExample],
        labels: tuple[Label, ...],
        logits: tuple[Logits, Logits],
        has_evidence: Sequence[bool],
        facts: Mapping[str, Any],
    ) -> Predictions:
        """Join labelled examples with their fused and text-only logits."""
        return cls(
            labels=labels,
            ids=tuple(example.example_id or str(number) for number, example in enumerate(examples)),
            truth=tuple(Label(example.label) for example in examples if example.label is not None),
            categories=tuple(example.category for example in examples),
            logits=logits[0],
            text_logits=logits[1],
            has_evidence=np.array(has_evidence, dtype=np.bool_),
            facts=facts,
        )

    def report(self) -> EvaluationReport:
        """Return the report that `kg-reason evaluate` gives for these answers."""
        return report(
            self.truth, self.logits, self.text_logits, self.has_evidence, self.categories, self.labels
        )

    def is_right(self, *, text_only: bool = False) -> NDArray[np.bool_]:
        """Return which answers are right, bool [num_examples]; two-way where the true labels are."""
        scored = TWO_WAY if Label.NOT_ENTAILMENT in {*self.truth, *self.labels} else self.labels
        answers = [fit_label(label, scored) for label in self.answers(text_only=text_only)]
        pairs = zip(answers, self.truth, strict=True)
        return np.array([answer == fit_label(label, scored) for answer, label in pairs], dtype=np.bool_)

    def answers(self, *, text_only: bool = False) -> list[Label]:
        """Return the label with the highest logit of each example."""
        best = (self.text_logits if text_only else self.logits).argmax(axis=1).tolist()
        return [self.labels[column] for column in best]


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write one test set's answers; the folder is made where it is missing."""
    plain = {
        "labels": list(predictions.labels),
        "facts": dict(predictions.facts),
        "ids": list(predictions.ids),
        "truth": list(predictions.truth),
        "categories": list(predictions.categories),
        "has_evidence": predictions.has_evidence.astype(int).tolist(),
        "logits": _shortened(predictions.logits),
        "text_logits": _shortened(predictions.text_logits),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(plain, ensure_ascii=False) + "\n", encoding="utf-8")


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote.

    Raises:
        ValueError: the columns have different lengths.
    """
    plain = json.loads(path.read_text(encoding="utf-8"))
    shape = (len(plain["ids"]), len(plain["labels"]))
    for name in ("truth", "categories", "has_evidence", "logits", "text_logits"):
        if len(plain[name]) != shape[0]:
            raise ValueError(f"{path}: {name}: found {len(plain[name])} values, expected {shape[0]}")
    return Predictions(
        labels=tuple(map(Label, plain["labels"])),
        ids=tuple(plain["ids"]),
        truth=tuple(map(Label, plain["truth"])),
        categories=tuple(plain["categories"]),
        logits=np.array(plain["logits"], dtype=np.float64).reshape(shape),
        text_logits=np.array(plain["text_logits"], dtype=np.float64).reshape(shape),
        has_evidence=np.array(plain["has_evidence"], dtype=np.bool_),
        facts=plain["facts"],
    )


def _shortened(logits: Logits) -> list[list[float]]:
    return [[float(f"{value:.9g}") for value in row] for row in logits.tolist()]
