"""The report of an evaluation: values, their one JSON shape, and tables for a terminal.

What is counted, and how, is `evaluation.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from kg_reason.nli import Label
from kg_reason.notebook import html_table, html_text
from kg_reason.terminal import aligned


@dataclass(frozen=True)
class Slice:
    """How some of the examples were answered.

    Attributes:
        num_examples: how many they are.
        accuracy: share answered right, in [0, 1]; None where there is no example.
        interval: its 95 % Wilson interval; (0, 1) where there is no example.
    """

    num_examples: int
    accuracy: float | None
    interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """Return the slice as plain data."""
        return {"num_examples": self.num_examples, "accuracy": self.accuracy, "interval": list(self.interval)}


@dataclass(frozen=True)
class ClassScores:
    """How one label was answered, each score in [0, 1] and 0 where nothing was to count; support in examples."""

    precision: float
    recall: float
    f1: float
    support: int

    def to_json(self) -> dict[str, Any]:
        """Return the scores as plain data."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, "support": self.support}


@dataclass(frozen=True)
class AnswerReport:
    """How one kind of answer, fused or from text alone, fits the true labels.

    Attributes:
        overall: all examples.
        macro_f1: mean F1 of the labels that occur among the true ones, so that two models are averaged alike.
        per_class: label -> its scores.
        confusion: true label -> predicted label -> number of examples.
        by_category: category -> the examples of that category; examples without one are in none.
        with_evidence: the examples for which the graph gave at least one path.
        without_evidence: the others.
    """

    overall: Slice
    macro_f1: float
    per_class: Mapping[Label, ClassScores]
    confusion: Mapping[Label, Mapping[Label, int]]
    by_category: Mapping[str, Slice]
    with_evidence: Slice
    without_evidence: Slice

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            **self.overall.to_json(),
            "macro_f1": self.macro_f1,
            "per_class": {str(label): scores.to_json() for label, scores in self.per_class.items()},
            "confusion": {
                str(label): {str(answer): count for answer, count in row.items()}
                for label, row in self.confusion.items()
            },
            "by_category": {name: part.to_json() for name, part in self.by_category.items()},
            "with_evidence": self.with_evidence.to_json(),
            "without_evidence": self.without_evidence.to_json(),
        }


@dataclass(frozen=True)
class Selection:
    """How the answers fare that are given, and those that are left out as unsure."""

    answered: Slice
    left_out: Slice

    @property
    def coverage(self) -> float:
        """Share of the examples that are answered, in [0, 1]."""
        return self.answered.num_examples / (self.answered.num_examples + self.left_out.num_examples)

    def to_json(self) -> dict[str, Any]:
        """Return the selection as plain data."""
        return {
            "coverage": self.coverage, "answered": self.answered.to_json(), "left_out": self.left_out.to_json()
        }  # fmt: skip


@dataclass(frozen=True)
class AbstentionReport:
    """What leaving out unsure answers does.

    Attributes:
        threshold: answers of a lower probability are left out.
        fused: the answers with the graph.
        text: the answers from text alone, by their own probability.
    """

    threshold: float
    fused: Selection
    text: Selection

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {"threshold": self.threshold, **self.fused.to_json(), "text": self.text.to_json()}


@dataclass(frozen=True)
class EvaluationReport:
    """The fused answers beside the text-only ones.

    Attributes:
        labels: the labels scored: the model's, or entailment and not_entailment where model or data have only those.
        fused: the answers with the graph.
        text: the answers of the same model from text alone.
        num_mended: examples that text alone answers wrong and the fused model right.
        num_spoilt: examples that text alone answers right and the fused model wrong.
        mcnemar_p: exact two-sided p-value of McNemar's test between the two.
        mcnemar_mid_p: its mid-p value, which keeps the level with more power.
        majority_label: the most frequent true label.
        majority_accuracy: accuracy of answering it always.
        abstention: what leaving out unsure answers does; None where all are given.
    """

    labels: tuple[Label, ...]
    fused: AnswerReport
    text: AnswerReport
    num_mended: int
    num_spoilt: int
    mcnemar_p: float
    mcnemar_mid_p: float
    majority_label: Label
    majority_accuracy: float
    abstention: AbstentionReport | None = None

    @property
    def num_examples(self) -> int:
        """How many examples were answered."""
        return self.fused.overall.num_examples

    @property
    def accuracy(self) -> float:
        """Share of the examples that the fused model answers right, in [0, 1]."""
        return cast(float, self.fused.overall.accuracy)

    @property
    def share_with_evidence(self) -> float:
        """Share of the examples for which the graph gave at least one path, in [0, 1]."""
        return self.fused.with_evidence.num_examples / self.num_examples

    def to_json(self) -> dict[str, Any]:
        """Return the one JSON shape of a report: the fused answers, with the text-only ones under `text`."""
        return {
            **self.fused.to_json(),
            "text": self.text.to_json(),
            "share_with_evidence": self.share_with_evidence,
            "num_mended": self.num_mended,
            "num_spoilt": self.num_spoilt,
            "mcnemar_p": self.mcnemar_p,
            "mcnemar_mid_p": self.mcnemar_mid_p,
            "majority_label": str(self.majority_label),
            "majority_accuracy": self.majority_accuracy,
            **({"abstention": self.abstention.to_json()} if self.abstention else {}),
        }

    def to_text(self) -> str:
        """Return the report as aligned tables for a terminal, scores in per cent."""
        tables = [row for table in _tables(self) for row in (*_lines(table), "")]
        return "\n".join([*tables, *_remarks(self)])

    def _repr_html_(self) -> str:
        """Return the tables of `to_text` for notebooks."""
        tables = [html_table(table) for table in _tables(self)]
        return "<br>".join([*tables, *map(html_text, _remarks(self))])


def _tables(result: EvaluationReport) -> list[list[list[str]]]:
    tables = [_slice_table(result), _class_table(result), _confusion_table(result)]
    if result.abstention is not None:
        tables.insert(1, _abstention_table(result.abstention))
    return tables


def _abstention_table(result: AbstentionReport) -> list[list[str]]:
    title = f"unsure below {result.threshold:g}"
    table = [[title, "examples", "accuracy, %", "95 % interval", "text-only examples", "text-only accuracy"]]
    for name, part, beside in (
        ("answered", result.fused.answered, result.text.answered),
        ("unsure", result.fused.left_out, result.text.left_out),
    ):
        accuracy, text_accuracy = ("-" if s.accuracy is None else _percent(s.accuracy) for s in (part, beside))
        interval = " to ".join(map(_percent, part.interval)) if part.num_examples else "-"
        table.append([name, f"{part.num_examples:,}", accuracy, interval, f"{beside.num_examples:,}", text_accuracy])
    coverage = [_percent(selection.coverage) for selection in (result.fused, result.text)]
    return [*table, ["coverage, %", coverage[0], "", "", coverage[1], ""]]


def _remarks(result: EvaluationReport) -> list[str]:
    return [
        f"With the graph {result.num_mended:,} wrong answers become right and {result.num_spoilt:,} right ones wrong: "
        f"McNemar p = {result.mcnemar_p:.2g}, mid-p = {result.mcnemar_mid_p:.2g}.",
        f"{_percent(result.share_with_evidence)} % of the examples have evidence in the graph. "
        f"Always {result.majority_label} would be right in {_percent(result.majority_accuracy)} %.",
    ]


def _slice_table(result: EvaluationReport) -> list[list[str]]:
    fused, text = result.fused, result.text
    parts = [
        ("all", fused.overall, text.overall),
        ("with evidence", fused.with_evidence, text.with_evidence),
        ("without evidence", fused.without_evidence, text.without_evidence),
        *((f"category {name}", part, text.by_category[name]) for name, part in fused.by_category.items()),
    ]
    table = [["accuracy, %", "examples", "fused", "95 % interval", "text only", "difference"]]
    for name, part, beside in parts:
        if part.accuracy is None or beside.accuracy is None:
            table.append([name, "0", "-", "-", "-", "-"])
            continue
        low, high = (_percent(bound) for bound in part.interval)
        shares = [_percent(part.accuracy), f"{low} to {high}", _percent(beside.accuracy)]
        table.append([name, f"{part.num_examples:,}", *shares, f"{100 * (part.accuracy - beside.accuracy):+.1f}"])
    return table


def _class_table(result: EvaluationReport) -> list[list[str]]:
    table = [["label, %", "examples", "precision", "recall", "F1", "text-only F1"]]
    for label, scores in result.fused.per_class.items():
        shares = [scores.precision, scores.recall, scores.f1, result.text.per_class[label].f1]
        table.append([str(label), f"{scores.support:,}", *map(_percent, shares)])
    table.append(["macro-F1", "", "", "", _percent(result.fused.macro_f1), _percent(result.text.macro_f1)])
    return table


def _confusion_table(result: EvaluationReport) -> list[list[str]]:
    table = [["true label \\ answer", *map(str, result.labels)]]
    table += [[str(label), *(f"{count:,}" for count in row.values())] for label, row in result.fused.confusion.items()]
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _lines(table: list[list[str]]) -> list[str]:
    """Return the lines of a table: first column to the left, the others to the right."""
    return aligned(table, right=range(1, len(table[0])), indent=0)
