"""Answers before and after a change of the pairs: how many stay, how many are right, and the difference.

Both kinds of answers of one model are counted, with the graph and from text alone. Which changes there are is
`perturbations.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kg_reason.audits.answered import Flags, Share, best_labels, right_answers
from kg_reason.audits.perturbations import Effect, Perturbation
from kg_reason.evaluation import score_all, scored_labels
from kg_reason.kg.grounding import HYPOTHESIS, PREMISE, Grounding
from kg_reason.nli import Label, NLIExample, fit_label
from kg_reason.reasoner import Reasoner

FUSED, TEXT = "fused", "text alone"
NUM_RESAMPLES = 2000  # of the bootstrap


class Answered(NamedTuple):
    """Pairs with what the graph says of them and their answers, one of each kind per pair."""

    examples: list[NLIExample]
    groundings: list[Grounding]
    fused: list[Label]
    text: list[Label]

    def answers(self, kind: str) -> list[Label]:
        """Return the answers of a kind, FUSED or TEXT."""
        return self.fused if kind == FUSED else self.text

    def right(self, kind: str, labels: tuple[Label, ...]) -> Flags:
        """Tell which answers are right, bool [num_examples], given the labels of the model."""
        return right_answers(self.examples, self.answers(kind), labels)

    def take(self, rows: Sequence[int]) -> Answered:
        """Return some of the pairs."""
        return Answered(
            [self.examples[row] for row in rows], [self.groundings[row] for row in rows],
            [self.fused[row] for row in rows], [self.text[row] for row in rows],
        )  # fmt: skip


@dataclass(frozen=True)
class Shift:
    """What one change does to the pairs it applies to.

    Attributes:
        perturbation: the change.
        before: the pairs as they were, with their labels.
        after: the same pairs changed.
    """

    perturbation: Perturbation
    before: Answered
    after: Answered


class Difference(NamedTuple):
    """A paired difference of two shares, with the 95 % interval of its bootstrap; each in [-1, 1]."""

    value: float
    low: float
    high: float

    def to_text(self) -> str:
        """Return it in points, such as "-3.0 (-5.2 to -0.9)"."""
        return f"{100 * self.value:+.1f} ({100 * self.low:+.1f} to {100 * self.high:+.1f})"


class Outcome(NamedTuple):
    """What a change does to one kind of answers.

    Attributes:
        unchanged: answers that are the same after it, of all pairs.
        before: which answers are right before it, bool [num_scored], over the pairs whose answer can be scored after.
        after: which are right after it.
    """

    unchanged: Share
    before: Flags
    after: Flags


def answer(reasoner: Reasoner, examples: Sequence[NLIExample], batch_size: int) -> Answered:
    """Ground and answer pairs; none gives none."""
    if not examples:
        return Answered([], [], [], [])
    groundings = reasoner.ground_all(examples)
    scores = score_all(reasoner, examples, groundings, batch_size=batch_size)
    fused, text = (best_labels(logits, reasoner.labels) for logits in scores)
    return Answered(list(examples), groundings, fused, text)


def shift(
    reasoner: Reasoner, perturbation: Perturbation, before: Answered, *, seed: int, batch_size: int
) -> Shift:
    """Change the pairs that a change applies to, and answer them again."""
    changed = [perturbation.apply(example, seed) for example in before.examples]
    rows = [row for row, example in enumerate(changed) if example is not None]
    examples = [example for example in changed if example is not None]
    return Shift(perturbation, before.take(rows), answer(reasoner, examples, batch_size))


def outcome(shifts: Iterable[Shift], kind: str, labels: tuple[Label, ...], true_label: Label | None = None) -> Outcome:
    """Count one kind of answers over one or several changes.

    Args:
        shifts: their pairs count together.
        kind: FUSED or TEXT.
        labels: of the model.
        true_label: count only pairs of this label; None: all.
    """
    same: list[bool] = []
    before: list[bool] = []
    after: list[bool] = []
    for item in shifts:
        rows = [row for row, example in enumerate(item.before.examples) if true_label in (None, example.label)]
        old, new = item.before.take(rows), item.after.take(rows)
        same += [first is last for first, last in zip(old.answers(kind), new.answers(kind), strict=True)]
        right = old.right(kind, labels)
        scored = labels_told_apart(labels, item.before.examples)
        for row, example in enumerate(old.examples):
            allowed = right_labels(item.perturbation, example, scored)
            if allowed:
                before.append(bool(right[row]))
                after.append(fit_label(new.answers(kind)[row], scored) in allowed)
    return Outcome(Share.of(_flags(same)), _flags(before), _flags(after))


def labels_told_apart(labels: tuple[Label, ...], examples: Iterable[NLIExample]) -> tuple[Label, ...]:
    """Return the labels that answers are scored by: two where the model or an example tells only two apart."""
    return scored_labels([example.label for example in examples if example.label is not None], labels).labels


def right_labels(
    perturbation: Perturbation, example: NLIExample, scored: tuple[Label, ...]
) -> frozenset[Label]:
    """Return the labels that are right for a pair after a change; empty where none or every one is."""
    allowed = perturbation.allowed(example.label) if example.label is not None else frozenset[Label]()
    fitted = frozenset(fit_label(label, scored) for label in allowed)
    return frozenset() if fitted >= frozenset(scored) else fitted


def paired_difference(before: Flags, after: Flags, seed: int) -> Difference:
    """Return by how much the share of right answers rises, with the interval of resampled pairs (percentiles).

    Args:
        before: bool [num_pairs], at least one.
        after: of the same pairs.
        seed: of the resamples.
    """
    change = after.astype(np.int64) - before.astype(np.int64)
    num_pairs = len(change)
    counts = np.bincount(change + 1, minlength=3)  # worse, same, better: a resample of pairs is a draw of these
    drawn = np.random.default_rng(seed).multinomial(num_pairs, counts / num_pairs, size=NUM_RESAMPLES)
    low, high = np.quantile((drawn[:, 2] - drawn[:, 0]) / num_pairs, (0.025, 0.975))
    return Difference(float(change.mean()), float(low), float(high))


def hit_and_lost(item: Shift) -> tuple[Flags, Flags]:
    """Tell in which pairs a typo hit a word that paths led from or to, and in which of all pairs these are gone.

    Both bool [num_pairs].
    """
    hit, lost = [], []
    for row, (old, new) in enumerate(zip(item.before.examples, item.after.examples, strict=True)):
        side = PREMISE if old.premise != new.premise else HYPOTHESIS
        texts = (getattr(old, side), getattr(new, side))
        place = next(
            (number for number, (first, last) in enumerate(zip(*texts, strict=False)) if first != last),
            min(map(len, texts)),
        )
        place = max(place - 1, 0)  # the letter before the slip is in the word on both sides
        had = _has_path_at(item.before.groundings[row], side, place)
        hit.append(had)
        lost.append(had and not _has_path_at(item.after.groundings[row], side, place))
    return _flags(hit), _flags(lost)


def _has_path_at(grounding: Grounding, side: str, place: int) -> bool:
    ends = {*grounding.paths.start.tolist(), *grounding.paths.end.tolist()}
    for number in ends:
        mention_side, mention = grounding.mention(number)
        if mention_side == side and mention.start <= place < mention.end:
            return True
    return False


def keeps_entailment(item: Shift, kind: str) -> Share:
    """Count how many of the pairs that were answered entailment, rightly, are answered so after the change too."""
    rows = [
        row for row, (example, label) in enumerate(zip(item.before.examples, item.before.answers(kind), strict=True))
        if example.label is Label.ENTAILMENT and label is Label.ENTAILMENT
    ]  # fmt: skip
    return Share.of(_flags([item.after.answers(kind)[row] is Label.ENTAILMENT for row in rows]))


def is_kept(item: Shift) -> bool:
    """Tell whether the change keeps the label of every pair."""
    return item.perturbation.effect is Effect.KEEPS


def _flags(values: Sequence[bool]) -> Flags:
    return np.array(values, dtype=np.bool_)
