"""How far probabilities can be trusted: one temperature that corrects them, and what measures them, on arrays.

Logits divided by a temperature keep their order, so no answer changes; only its probability does (Guo et al., On
Calibration of Modern Neural Networks, ICML 2017). What a run stores of it is `Calibration`; fitting it to a reasoner is
`training/temperature.py`, leaving out what is unsure is `abstention.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, Self, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

from kg_reason.errors import ConfigError

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NUM_BINS = 15  # as in Guo et al.
TEMPERATURES = (0.05, 20.0)  # a better fit outside means that the pairs do not tell
PRECISION = 1e-4  # of the logarithm of the temperature


@dataclass(frozen=True)
class Calibration:
    """The temperatures of a run, and what they were fitted on; the defaults change nothing.

    Attributes:
        temperature: of the fused answer, above 0; above 1 it makes answers less certain.
        text_temperature: of the text-only answer.
        num_examples: labelled pairs they were fitted on; 0: they were not.
        files_sha256: digest of the names of the files of these pairs, without their folders.
        examples_sha256: digest of the pairs.
        ece_before: expected calibration error on these pairs with temperature 1, in [0, 1].
        ece_after: with the temperature.
        text_ece_before: the same of the text-only answer.
        text_ece_after: the same of the text-only answer.
        date: when, as YYYY-MM-DD.
    """

    temperature: float = 1.0
    text_temperature: float = 1.0
    num_examples: int = 0
    files_sha256: str = ""
    examples_sha256: str = ""
    ece_before: float = 0.0
    ece_after: float = 0.0
    text_ece_before: float = 0.0
    text_ece_after: float = 0.0
    date: str = ""

    def __post_init__(self) -> None:
        for name in ("temperature", "text_temperature"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"{name}: found {value!r}, expected a number above 0")

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Make the calibration from the plain data of `to_json`.

        Raises:
            ConfigError: a value is missing, of another type or out of range, or something else is there.
        """
        for item in fields(cls):
            found, kind = values.get(item.name), type(item.default)
            if type(found) is not kind and not (kind is float and type(found) is int):
                raise ConfigError(f"{item.name}: found {found!r:.80}, expected a {kind.__name__}")
        unknown = sorted(set(values) - {item.name for item in fields(cls)})
        if unknown:
            raise ConfigError(f"found {unknown[0]!r}, expected only {', '.join(item.name for item in fields(cls))}")
        return cls(**values)


UNCALIBRATED = Calibration()


# ---- temperature


def fit_temperature(logits: Floats, labels: Numbers, columns: Numbers | None = None) -> float:
    """Return the temperature under which the true labels are most likely (Guo et al. 2017).

    Args:
        logits: [num_examples, num_labels].
        labels: [num_examples], the true classes.
        columns: [num_labels], the class that each column of the logits counts as; None: each is a class of its own.

    Raises:
        ConfigError: there is no example, only one class, a logit that is not finite, or no best temperature between
            the ends of TEMPERATURES, as where every answer is right.
    """
    if len(logits) == 0:
        raise ConfigError("temperature: found no pair, expected labelled pairs to fit it on")
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ConfigError(f"temperature: found logits {logits.shape} and labels {labels.shape}, expected one per row")
    if not np.isfinite(logits).all():
        raise ConfigError("temperature: found logits that are not finite; the model has diverged")
    if len(np.unique(labels)) < 2:
        raise ConfigError("temperature: found pairs of one label only, expected at least two labels")

    def loss(place: float) -> float:
        return negative_log_likelihood(logits, labels, math.exp(place), columns)

    low, high = (math.log(end) for end in TEMPERATURES)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": PRECISION})
    if min(loss(low), loss(high)) <= found.fun:
        told = "they are all answered right" if loss(low) <= found.fun else "the logits say nothing about the labels"
        raise ConfigError(
            f"temperature: found no best one between {TEMPERATURES[0]:g} and {TEMPERATURES[1]:g} on {len(logits):,} "
            f"pairs: {told}; expected more pairs, or pairs that had no part in training"
        )
    return math.exp(found.x)


def class_probabilities(
    logits: NDArray[np.floating[Any]], temperature: float = 1.0, columns: Numbers | None = None
) -> Floats:
    """Return the probability of each class, [num_examples, num_classes]; for the arguments see `fit_temperature`."""
    probabilities: Floats = softmax(logits / temperature, axis=1)  # [num_examples, num_labels]
    if columns is None:
        return probabilities
    return probabilities @ np.eye(int(columns.max()) + 1)[columns]  # [num_examples, num_classes]


# ---- scores of all probabilities


def negative_log_likelihood(
    logits: Floats, labels: Numbers, temperature: float = 1.0, columns: Numbers | None = None
) -> float:
    """Return the mean negative logarithm of the true class's probability, in nats; see `fit_temperature`."""
    scaled = logits / temperature  # [num_examples, num_labels]
    columns = np.arange(logits.shape[1]) if columns is None else columns
    true = np.where(columns[None, :] == labels[:, None], scaled, -np.inf)  # [num_examples, num_labels]
    return float((logsumexp(scaled, axis=1) - logsumexp(true, axis=1)).mean())


def brier_score(probabilities: Floats, labels: Numbers) -> float:
    """Return the mean squared distance to the true class, in [0, 2] (Brier, Monthly Weather Review 1950).

    Args:
        probabilities: [num_examples, num_classes].
        labels: [num_examples], the true classes.
    """
    truth = np.eye(probabilities.shape[1])[labels]  # [num_examples, num_classes]
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())


# ---- whether answers are right as often as their confidence says


class ReliabilityCurve(NamedTuple):
    """The bins that hold an example, by confidence upwards.

    Attributes:
        confidence: [num_bins], mean confidence of the examples in the bin.
        accuracy: [num_bins], the share of them that is right.
        num_examples: [num_bins], how many they are.
    """

    confidence: Floats
    accuracy: Floats
    num_examples: Numbers


def reliability_curve(
    confidence: Floats, right: Flags, num_bins: int = NUM_BINS, *, equal_mass: bool = False
) -> ReliabilityCurve:
    """Compare confidence and accuracy in bins (DeGroot and Fienberg, The Statistician 1983; Guo et al. 2017).

    Args:
        confidence: [num_examples], the probability of each answer, in [0, 1].
        right: [num_examples], whether the answer is right.
        num_bins: bins at most.
        equal_mass: bins of about as many examples each, equal confidences together; else bins of equal width,
            `(low, high]`, the first one with 0.

    Raises:
        ConfigError: there is no example, the arrays differ in length, or a confidence is not in [0, 1].
    """
    confidence, right = _checked(confidence, right)
    if num_bins < 1:
        raise ConfigError(f"num_bins: found {num_bins}, expected at least 1")
    if equal_mass:
        firsts = np.unique([part[0] for part in np.array_split(np.sort(confidence), num_bins) if len(part)])
        bins = np.searchsorted(firsts, confidence, side="right") - 1  # [num_examples]
    else:
        bins = np.clip(np.ceil(confidence * num_bins).astype(np.int64) - 1, 0, num_bins - 1)  # [num_examples]
    count = np.bincount(bins, minlength=num_bins)
    filled = count > 0
    sums = [np.bincount(bins, weights=values, minlength=num_bins)[filled] for values in (confidence, right)]
    return ReliabilityCurve(sums[0] / count[filled], sums[1] / count[filled], count[filled])


def expected_calibration_error(
    confidence: Floats, right: Flags, num_bins: int = NUM_BINS, *, equal_mass: bool = False
) -> float:
    """Return the mean distance between confidence and accuracy of the bins, in [0, 1].

    With bins of equal width it is the ECE of Naeini, Cooper and Hauskrecht (AAAI 2015) as Guo et al. (2017) report it;
    with bins of equal mass the adaptive one of Nguyen and O'Connor (EMNLP 2015), which no empty range distorts. For the
    arguments see `reliability_curve`.
    """
    curve = reliability_curve(confidence, right, num_bins, equal_mass=equal_mass)
    return float((curve.num_examples * np.abs(curve.confidence - curve.accuracy)).sum() / curve.num_examples.sum())


# ---- what is gained by answering the more certain ones only


class RiskCoverage(NamedTuple):
    """What answering only the most certain examples risks, for 1, 2, ... all of them.

    Attributes:
        coverage: [num_examples], share answered.
        risk: [num_examples], share of the answered that is wrong.
        threshold: [num_examples], confidence of the last one answered.
    """

    coverage: Floats
    risk: Floats
    threshold: Floats


def risk_coverage(confidence: Floats, right: Flags) -> RiskCoverage:
    """Return the risk-coverage curve (El-Yaniv and Wiener, JMLR 2010); see `reliability_curve` for the arguments.

    Within examples of equal confidence the errors are spread evenly, so that their order changes nothing.

    Raises:
        ConfigError: there is no example, the arrays differ in length, or a confidence is not in [0, 1].
    """
    confidence, right = _checked(confidence, right)
    values, group, count = np.unique(-confidence, return_inverse=True, return_counts=True)
    share_wrong = np.bincount(group, weights=~right) / count  # [num_groups], most certain first
    wrong = np.cumsum(np.repeat(share_wrong, count))  # [num_examples]
    answered = np.arange(1, len(confidence) + 1)
    return RiskCoverage(answered / len(confidence), np.minimum(wrong / answered, 1.0), np.repeat(-values, count))


def aurc(confidence: Floats, right: Flags) -> float:
    """Return the area under the risk-coverage curve, in [0, 1] (Geifman, Uziel and El-Yaniv, ICLR 2019)."""
    return float(risk_coverage(confidence, right).risk.mean())


def excess_aurc(confidence: Floats, right: Flags) -> float:
    """Return how far the area is above that of the best order of the same answers (Geifman et al. 2019).

    Unlike the area itself it compares models that differ in accuracy: 0 where all right answers come first.
    """
    return aurc(confidence, right) - aurc(np.asarray(right, dtype=np.float64), right)


def _checked(confidence: Floats, right: Flags) -> tuple[Floats, Flags]:
    confidence, right = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.bool_)
    if confidence.ndim != 1 or confidence.shape != right.shape:
        raise ConfigError(f"confidence: found {confidence.shape} beside {right.shape}, expected two lists of a length")
    if len(confidence) == 0:
        raise ConfigError("confidence: found no example, expected at least one")
    if not ((confidence >= 0) & (confidence <= 1 + 1e-9)).all():  # sums of probabilities are rounded
        raise ConfigError("confidence: found values outside [0, 1], expected probabilities")
    return cast(Floats, np.minimum(confidence, 1.0)), right
