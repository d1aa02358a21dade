"""Measured runs by what they are (evidence, share of labelled data, seed), and the arithmetic on their saved answers.

How the tables look is `reproduce.py`. Accuracies are means over seeds; their interval is Wilson's for the mean
share of right answers among the items. Differences are paired by item and averaged over the seeds that both sides have;
their interval is a bootstrap over items, which are what varies: seeds are few.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from saved_predictions import Predictions, read_predictions

from kg_reason.evaluation import wilson
from kg_reason.nli import Label

NUM_RESAMPLES = 2_000
ALL_LABELLED = 1.0

Flags = NDArray[np.bool_]
Select = Callable[[Predictions], Flags]


class Role(NamedTuple):
    """What a run is, its seed aside: how the graph enters, and the share of the labelled data it was trained on."""

    evidence: str
    labelled_share: float = ALL_LABELLED


FUSED, TEXT, RULES = Role("paths"), Role("text"), Role("rules")


class Share(NamedTuple):
    """A share in [0, 1]: its mean over seeds, the 95 % interval, one value per seed, and the number of items."""

    mean: float
    low: float
    high: float
    singles: tuple[float, ...]
    num_items: int


class Difference(NamedTuple):
    """A paired difference of shares, with its 95 % bootstrap interval, one value per seed, and the number of items."""

    mean: float
    low: float
    high: float
    singles: tuple[float, ...]
    num_items: int


@dataclass(frozen=True)
class MeasuredRun:
    """A run folder with its answers.

    Attributes:
        folder: of the run.
        result: what its result.json says.
    """

    folder: Path
    result: dict[str, Any]
    _read: dict[str, Predictions | None] = field(default_factory=dict, compare=False)

    @classmethod
    def open(cls, folder: Path) -> MeasuredRun:
        """Read what a run is."""
        return cls(folder, json.loads((folder / "result.json").read_text(encoding="utf-8")))

    @cached_property
    def role(self) -> Role:
        """What the run is."""
        return Role(str(self.result["evidence"]), float(self.result.get("labelled_share", ALL_LABELLED)))

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return int(self.result.get("seed", 0))

    def answers(self, name: str) -> Predictions | None:
        """Return the answers to a set; None where they were not saved."""
        if name not in self._read:
            path = self.folder / "measures" / f"{name}.json"
            self._read[name] = read_predictions(path) if path.exists() else None
        return self._read[name]


class Runs:
    """Measured runs, by role."""

    def __init__(self, runs: Iterable[MeasuredRun]) -> None:
        self.all = sorted(runs, key=lambda run: (run.role, run.seed))

    def of(self, role: Role) -> list[MeasuredRun]:
        """Return the runs of a role, by seed."""
        return [run for run in self.all if run.role == role]

    def answers(self, role: Role, name: str) -> list[Predictions]:
        """Return the answers of a role's runs to a set, by seed; runs without them are passed over."""
        found = (run.answers(name) for run in self.of(role))
        return [predictions for predictions in found if predictions is not None]

    def share(
        self, role: Role, name: str, *, select: Select | None = None, text_only: bool = False
    ) -> Share | None:
        """Return the share of right answers of a role to a set, or to the items selected; None where there are none."""
        rights = []
        for predictions in self.answers(role, name):
            right = predictions.is_right(text_only=text_only)
            rights.append(right[select(predictions)] if select else right)
        return share(rights)

    def macro_f1(self, role: Role, name: str) -> list[float]:
        """Return the macro-F1 of every seed."""
        return [predictions.report().fused.macro_f1 for predictions in self.answers(role, name)]

    def difference(
        self, first: tuple[Role, str], second: tuple[Role, str], select: Select | None = None
    ) -> Difference | None:
        """Return how much more often the first role answers a set right than the second, on the same items.

        Args:
            first: a role and the name of its answers.
            second: what it is compared with, such as the text-only role, or the same one with another graph.
            select: the items that count, by the answers of the first; None: all.
        """
        changes = []
        others = {run.seed: run.answers(second[1]) for run in self.of(second[0])}
        for run in self.of(first[0]):
            one, other = run.answers(first[1]), others.get(run.seed)
            if one is not None and other is not None:
                change = one.is_right().astype(np.float64) - paired(other.ids, one.ids, other.is_right())
                changes.append((change, select(one) if select else np.ones(len(change), dtype=np.bool_)))
        return difference(changes)


def paired(ids: Sequence[str], wanted: Sequence[str], values: NDArray[Any]) -> NDArray[Any]:
    """Return the values of some ids in the order of others.

    Raises:
        ValueError: the ids are not the same ones.
    """
    place = {item: number for number, item in enumerate(ids)}
    if len(place) != len(ids) or set(place) != set(wanted):
        raise ValueError(f"found answers to {len(place)} and {len(set(wanted))} items, expected the same items")
    return values[[place[item] for item in wanted]]


def share(rights: Sequence[Flags]) -> Share | None:
    """Return the mean share of right answers of several seeds; None where nothing was answered."""
    rights = [right for right in rights if len(right)]
    if not rights:
        return None
    singles = tuple(float(right.mean()) for right in rights)
    num_items = round(mean(len(right) for right in rights))
    middle = mean(singles)
    low, high = wilson(round(middle * num_items), num_items)
    return Share(middle, low, high, singles, num_items)


def difference(changes: Sequence[tuple[NDArray[np.float64], Flags]], seed: int = 0) -> Difference | None:
    """Return the mean of paired changes over seeds and items, resampling the items.

    Args:
        changes: per seed: 1, 0 or -1 for every item, [num_items], and which items count.
        seed: of the resampling.
    """
    changes = [(change, counts) for change, counts in changes if counts.any()]
    if not changes:
        return None
    values = np.stack([change * counts for change, counts in changes])  # [num_seeds, num_items]
    weights = np.stack([counts.astype(np.float64) for _, counts in changes])  # [num_seeds, num_items]
    singles = values.sum(axis=1) / weights.sum(axis=1)
    num_items = values.shape[1]
    draws = np.random.default_rng(seed).multinomial(num_items, np.full(num_items, 1 / num_items), size=NUM_RESAMPLES)
    totals = draws @ weights.T  # [num_resamples, num_seeds]
    resampled = np.divide(draws @ values.T, totals, out=np.zeros_like(totals), where=totals > 0).mean(axis=1)
    low, high = np.quantile(resampled, (0.025, 0.975)).tolist()
    mean_items = round(float(weights.sum(axis=1).mean()))
    return Difference(float(singles.mean()), low, high, tuple(singles.tolist()), mean_items)


def with_evidence(predictions: Predictions) -> Flags:
    """Select the items for which the graph gave a path."""
    return predictions.has_evidence


def of_category(name: str) -> Select:
    """Select the items of a category."""
    return lambda predictions: np.array([category == name for category in predictions.categories], dtype=np.bool_)


def entailments(predictions: Predictions) -> Flags:
    """Select the items whose true label is entailment: right answers among them are its recall."""
    return np.array([label is Label.ENTAILMENT for label in predictions.truth], dtype=np.bool_)


def both(first: Select, second: Select) -> Select:
    """Select what two selections share."""
    return lambda predictions: first(predictions) & second(predictions)
