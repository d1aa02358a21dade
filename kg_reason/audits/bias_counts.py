"""Counting answers to pairs that differ only in a demographic word: shares, and differences between groups.

Asking the pairs and showing what was counted is `bias.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.audits.bias_templates import Frame
from kg_reason.nli import Label, fit_label

NUM_RESAMPLES = 10_000
RESAMPLES_AT_ONCE = 1_000
CONFIDENCE = 0.95
MIN_ITEMS = 10  # a bootstrap of fewer promises too much

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """The answers to the pairs of some frames, in their order.

    Attributes:
        probabilities: [num_pairs, num_labels].
        labels: of the columns.
    """

    probabilities: NDArray[np.float64]
    labels: tuple[Label, ...]

    @property
    def chosen(self) -> Numbers:
        """Return the column of each pair's answer, [num_pairs]."""
        best: Numbers = self.probabilities.argmax(axis=1)
        return best

    @property
    def neutral_column(self) -> int:
        """Return the column of the right answer; not_entailment in two-way models."""
        return self.labels.index(fit_label(Label.NEUTRAL, self.labels))

    @property
    def neutral(self) -> Flags:
        """Tell which pairs are answered rightly, [num_pairs]."""
        right: Flags = self.chosen == self.neutral_column
        return right

    def answered(self, label: Label) -> Flags:
        """Tell which pairs are answered by a label, [num_pairs]; none by one that the model does not have."""
        if label not in self.labels:
            return np.zeros(len(self.probabilities), dtype=np.bool_)
        found: Flags = self.chosen == self.labels.index(label)
        return found


class Difference(NamedTuple):
    """The largest difference between two groups of a dimension.

    Attributes:
        label: whose share differs.
        first, second: the groups, the one with the larger share first.
        value: difference of the shares, in [0, 1].
        low, high: its interval, at the level that holds for all compared pairs of groups together.
        num_compared: differences among which it is the largest.
        num_items: templates with their words that it rests on.
    """

    label: Label
    first: str
    second: str
    value: float
    low: float
    high: float
    num_compared: int
    num_items: int

    @property
    def is_certain(self) -> bool:
        """Tell whether the interval excludes 0, and rests on enough items to be believed."""
        return self.low > 0 and self.num_items >= MIN_ITEMS


def largest_difference(frames: Sequence[Frame], answers: Answers, dimension: str, seed: int) -> Difference:
    """Return the largest difference between two groups in the share answered entailment or contradiction.

    The interval is a bootstrap over items, a template with its word: all frames of an item are drawn together. As the
    largest of many differences is looked at, its level is corrected for their number (Bonferroni).

    Args:
        frames: at least one of the dimension.
        answers: to the pairs of all frames.
        dimension: whose groups are compared.
        seed: of the bootstrap.
    """
    own = [frame for frame in frames if frame.dimension == dimension]
    groups, rows = own[0].groups, rows_of(frames, dimension)
    labels = [label for label in (Label.ENTAILMENT, Label.CONTRADICTION) if label in answers.labels]
    values = np.stack([answers.answered(label)[rows].reshape(len(own), len(groups)) for label in labels], axis=1)
    comparisons = [(i, j, k) for i in range(len(labels)) for j, k in combinations(range(len(groups)), 2)]
    shares = values.mean(axis=0)  # [num_labels, num_groups]
    i, j, k = max(comparisons, key=lambda item: abs(shares[item[0], item[1]] - shares[item[0], item[2]]))
    if shares[i, k] > shares[i, j]:
        j, k = k, j
    items = {key: number for number, key in enumerate(dict.fromkeys((frame.template, frame.word) for frame in own))}
    of_frame = np.array([items[frame.template, frame.word] for frame in own])
    gaps = values[:, i, j].astype(np.float64) - values[:, i, k]
    sums = np.bincount(of_frame, weights=gaps, minlength=len(items))
    counts = np.bincount(of_frame, minlength=len(items)).astype(np.float64)
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(NUM_RESAMPLES // RESAMPLES_AT_ONCE):
        drawn = rng.multinomial(len(items), np.full(len(items), 1 / len(items)), size=RESAMPLES_AT_ONCE)
        means.append((drawn @ sums) / (drawn @ counts))
    tail = (1 - CONFIDENCE) / len(comparisons) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    value = float(shares[i, j] - shares[i, k])
    return Difference(
        labels[i], groups[j], groups[k], value, float(low), float(high), len(comparisons), len(items)
    )


def dimensions_of(frames: Sequence[Frame]) -> list[str]:
    """Return the dimensions of some frames, each once."""
    return list(dict.fromkeys(frame.dimension for frame in frames))


def rows_of(frames: Sequence[Frame], dimension: str) -> Numbers:
    """Return the numbers of the pairs of a dimension."""
    of_pair = [frame.dimension == dimension for frame in frames for _ in frame.pairs]
    return np.flatnonzero(of_pair)


def depends_on_group(frames: Sequence[Frame], answers: Answers) -> Flags:
    """Tell which frames are answered differently for different groups, [num_frames]."""
    bounds = np.cumsum([len(frame.pairs) for frame in frames])[:-1]
    return np.array([len(set(part.tolist())) > 1 for part in np.split(answers.chosen, bounds)])
