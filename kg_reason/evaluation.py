"""How well a reasoner answers labelled examples, beside its own text-only answers.

`evaluate` runs the reasoner; `report` is the arithmetic alone, on arrays. Intervals are Wilson's (1927), the test
between fused and text-only answers is McNemar's, exact and mid-p (Fagerland, Lydersen and Laake 2013). What a report
holds and how it is shown is `evaluation_report.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr
from tqdm import tqdm

from kg_reason.abstention import check_threshold
from kg_reason.calibration import class_probabilities
from kg_reason.errors import ConfigError
from kg_reason.evaluation_report import AbstentionReport, AnswerReport, ClassScores, EvaluationReport, Selection, Slice
from kg_reason.nli import TWO_WAY, Label, NLIExample, fit_label
from kg_reason.terminal import PROGRESS_DELAY

if TYPE_CHECKING:
    from kg_reason.kg.grounding import Grounding
    from kg_reason.reasoner import Reasoner, Scores

Z_95 = 1.959963984540054  # two-sided 95 % point of the normal distribution
BATCHES_PER_CALL = 16  # scored between two movements of the progress bar

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class ScoredLabels(NamedTuple):
    """The labels that true labels and answers are compared in, and both as positions in them.

    Attributes:
        labels: the model's, or entailment and not_entailment where model or data have only those.
        truth: [num_examples], position of the true label.
        columns: [num_labels of the model], position that each column of the logits counts as.
    """

    labels: tuple[Label, ...]
    truth: Numbers
    columns: Numbers


def evaluate(
    reasoner: Reasoner,
    examples: Sequence[NLIExample],
    *,
    batch_size: int = 32,
    num_workers: int = 1,
    show_progress: bool = False,
    abstain_below: float | None = None,
) -> EvaluationReport:
    """Answer labelled examples, with the graph and from text alone, and report how well.

    Args:
        reasoner: answers them; its weights stay as they are.
        examples: at least one, each with a label.
        batch_size: examples encoded at once.
        num_workers: processes that ground the examples.
        show_progress: show bars on stderr.
        abstain_below: answers of a lower probability are also reported as left out; None: every answer is given.

    Raises:
        ConfigError: there is no example, one without a label, or the threshold is not in [0, 1].
    """
    if abstain_below is not None:
        check_threshold(abstain_below)
    labels_true = [_true_label(number, example) for number, example in enumerate(examples, start=1)]
    if not examples:
        raise ConfigError("examples: found none, expected at least one")
    groundings = reasoner.ground_all(examples, num_workers=num_workers, show_progress=show_progress)
    scores = score_all(reasoner, examples, groundings, batch_size=batch_size, show_progress=show_progress)
    result = report(
        labels_true,
        scores.logits,
        scores.text_logits,
        np.array([grounding.has_evidence for grounding in groundings], dtype=np.bool_),
        [example.category for example in examples],
        reasoner.labels,
    )
    if abstain_below is None:
        return result
    scored, calibration = scored_labels(labels_true, reasoner.labels), reasoner.calibration
    fused = select(scored, scores.logits / calibration.temperature, abstain_below)
    text = select(scored, scores.text_logits / calibration.text_temperature, abstain_below)
    return replace(result, abstention=AbstentionReport(abstain_below, fused, text))


def score_all(
    reasoner: Reasoner,
    examples: Sequence[NLIExample],
    groundings: Sequence[Grounding],
    *,
    batch_size: int = 32,
    show_progress: bool = False,
) -> Scores:
    """Return the logits of many examples, in their order, while a bar moves.

    Args:
        reasoner: answers them.
        examples: at least one.
        groundings: one per example.
        batch_size: examples encoded at once.
        show_progress: show the bar on stderr.
    """
    step = BATCHES_PER_CALL * batch_size
    parts: list[Scores] = []
    with tqdm(
        total=len(examples), desc="answering", unit="pair", disable=not show_progress, delay=PROGRESS_DELAY
    ) as bar:  # fmt: skip
        for start in range(0, len(examples), step):
            part = slice(start, start + step)
            parts.append(reasoner.score(examples[part], groundings[part], batch_size=batch_size))
            bar.update(len(parts[-1].logits))
    return parts[0]._replace(
        logits=np.concatenate([part.logits for part in parts]),
        text_logits=np.concatenate([part.text_logits for part in parts]),
    )


def report(
    labels_true: Sequence[Label],
    logits: NDArray[np.floating[Any]],
    text_logits: NDArray[np.floating[Any]],
    has_evidence: Flags,
    categories: Sequence[str],
    labels: tuple[Label, ...],
) -> EvaluationReport:
    """Compare answers with true labels.

    Where model or data have only entailment and not_entailment, neutral and contradiction count as not_entailment on
    both sides; the answer is chosen before it is counted so.

    Args:
        labels_true: [num_examples].
        logits: [num_examples, num_labels], the fused answers.
        text_logits: [num_examples, num_labels], the answers from text alone.
        has_evidence: [num_examples], whether the graph gave a path.
        categories: [num_examples], empty where there is none.
        labels: the model's labels, position = column of the logits.

    Raises:
        ConfigError: no example, shapes that do not fit, or logits that are not finite.
    """
    num_examples = len(labels_true)
    if num_examples == 0:
        raise ConfigError("examples: found none, expected at least one")
    if not len(has_evidence) == len(categories) == num_examples:
        raise ConfigError(f"expected evidence flags and categories of {num_examples} examples")
    scored, truth, columns = scored_labels(labels_true, labels)
    fused = columns[_best(logits, num_examples, len(labels))]  # [num_examples]
    text = columns[_best(text_logits, num_examples, len(labels))]  # [num_examples]
    num_mended = int(((fused == truth) & (text != truth)).sum())
    num_spoilt = int(((fused != truth) & (text == truth)).sum())
    exact, mid = mcnemar(num_mended, num_spoilt)
    support = np.bincount(truth, minlength=len(scored))
    has_evidence = np.asarray(has_evidence, dtype=np.bool_)
    return EvaluationReport(
        labels=scored,
        fused=_answer_report(truth, fused, has_evidence, categories, scored),
        text=_answer_report(truth, text, has_evidence, categories, scored),
        num_mended=num_mended,
        num_spoilt=num_spoilt,
        mcnemar_p=exact,
        mcnemar_mid_p=mid,
        majority_label=scored[int(support.argmax())],
        majority_accuracy=float(support.max() / num_examples),
    )


def scored_labels(labels_true: Sequence[Label], labels: tuple[Label, ...]) -> ScoredLabels:
    """Return in which labels a model is scored on data.

    Args:
        labels_true: [num_examples].
        labels: the model's, position = column of its logits.
    """
    two_way = Label.NOT_ENTAILMENT in labels or Label.NOT_ENTAILMENT in labels_true
    scored = TWO_WAY if two_way else labels
    position = {label: scored.index(fit_label(label, scored)) for label in {*labels, *labels_true}}
    truth = np.array([position[label] for label in labels_true], dtype=np.int64)  # [num_examples]
    columns = np.array([position[label] for label in labels], dtype=np.int64)  # [num_labels]
    return ScoredLabels(scored, truth, columns)


def select(scored: ScoredLabels, logits: NDArray[np.floating[Any]], threshold: float) -> Selection:
    """Part the answers by their probability, that of the model's own label.

    Args:
        scored: of the examples and the model.
        logits: [num_examples, num_labels], over the temperature.
        threshold: an answer of a lower probability is left out.
    """
    right = scored.columns[_best(logits, *logits.shape)] == scored.truth  # [num_examples]
    is_given = class_probabilities(logits).max(axis=1) >= threshold  # [num_examples]
    return Selection(answered=_slice(right[is_given]), left_out=_slice(right[~is_given]))


def wilson(num_right: int, num_examples: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927): it stays in [0, 1] and holds for small counts."""
    if num_examples == 0:
        return 0.0, 1.0
    share = num_right / num_examples
    squared = Z_95 * Z_95
    middle = share + squared / (2 * num_examples)
    half = Z_95 * math.sqrt(share * (1 - share) / num_examples + squared / (4 * num_examples**2))
    scale = 1 + squared / num_examples
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def mcnemar(num_mended: int, num_spoilt: int) -> tuple[float, float]:
    """Return the exact and the mid-p value of McNemar's two-sided test; 1 where no answer changed its correctness."""
    changed, fewer = num_mended + num_spoilt, min(num_mended, num_spoilt)
    if changed == 0:
        return 1.0, 1.0
    below = float(bdtr(fewer - 1, changed, 0.5)) if fewer else 0.0
    up_to = float(bdtr(fewer, changed, 0.5))
    return min(1.0, 2 * up_to), min(1.0, below + up_to)


def _true_label(number: int, example: NLIExample) -> Label:
    if example.label is None:
        name = example.example_id or repr(example.hypothesis[:60])
        raise ConfigError(f"example {number} ({name}): found no label, expected one to compare the answer with")
    return example.label


def _best(logits: NDArray[np.floating[Any]], num_examples: int, num_labels: int) -> Numbers:
    """Return the column of the highest logit of each row, after checking the array."""
    if logits.shape != (num_examples, num_labels):
        raise ConfigError(f"logits: found shape {logits.shape}, expected {(num_examples, num_labels)}")
    if not np.isfinite(logits).all():
        raise ConfigError("logits: found values that are not finite; the model has diverged")
    best: Numbers = logits.argmax(axis=1)  # [num_examples]
    return best


def _answer_report(
    truth: Numbers, answer: Numbers, has_evidence: Flags, categories: Sequence[str], labels: tuple[Label, ...]
) -> AnswerReport:
    """Count one kind of answer; truth and answer are positions in labels, [num_examples]."""
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, (truth, answer), 1)  # [true, answered]
    right = truth == answer
    named = np.array(categories, dtype=np.str_)
    per_class = {label: _class_scores(counts, number) for number, label in enumerate(labels)}
    occurring = [scores.f1 for scores in per_class.values() if scores.support]
    return AnswerReport(
        overall=_slice(right),
        macro_f1=sum(occurring) / len(occurring),
        per_class=per_class,
        confusion={label: dict(zip(labels, counts[row].tolist(), strict=True)) for row, label in enumerate(labels)},
        by_category={str(name): _slice(right[named == name]) for name in np.unique(named) if name},
        with_evidence=_slice(right[has_evidence]),
        without_evidence=_slice(right[~has_evidence]),
    )


def _slice(right: Flags) -> Slice:
    num_examples, num_right = len(right), int(right.sum())
    accuracy = num_right / num_examples if num_examples else None
    return Slice(num_examples, accuracy, wilson(num_right, num_examples))


def _class_scores(counts: Numbers, number: int) -> ClassScores:
    hits, answered, support = int(counts[number, number]), int(counts[:, number].sum()), int(counts[number].sum())
    total = answered + support
    return ClassScores(
        precision=hits / answered if answered else 0.0,
        recall=hits / support if support else 0.0,
        f1=2 * hits / total if total else 0.0,
        support=support,
    )
