"""When an answer is too unsure to be given, and why: no evidence, paths that disagree, or a low probability.

Leaving out unsure answers is Chow's reject option (IEEE Transactions on Information Theory 1970). Probabilities are
those of the run's temperature (`calibration.py`), so a threshold means most where the run was calibrated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kg_reason.errors import ConfigError
from kg_reason.nli import Label
from kg_reason.prediction import Evidence, Prediction

NO_EVIDENCE, CONFLICTING_PATHS, LOW_PROBABILITY = "no evidence", "conflicting paths", "low probability"
CONFLICT_SHARE = 0.25  # of all that the paths say, said for each of two labels
CONFLICT_MARGIN = 0.5  # together, in logits over temperature: odds of 1.6; weaker paths do not conflict, they whisper


@dataclass(frozen=True)
class Abstention:
    """Why no answer is given.

    Attributes:
        reason: NO_EVIDENCE, CONFLICTING_PATHS or LOW_PROBABILITY.
        label: the most probable one.
        probability: its probability, below the threshold.
        threshold: what was asked for.
    """

    reason: str
    label: Label
    probability: float
    threshold: float

    def to_json(self) -> dict[str, Any]:
        """Return reason and probability."""
        return {"reason": self.reason, "probability": self.probability}

    def to_text(self) -> str:
        """Return one line for the terminal."""
        return f"unsure: {self.reason} ({self.label} {self.probability:.3f}, below {self.threshold:g})"


def abstain(prediction: Prediction, threshold: float) -> Abstention | None:
    """Tell whether an answer is unsure.

    Args:
        prediction: the answer with its evidence; it stays as it is.
        threshold: the least probability of an answer that is given, in [0, 1].

    Returns:
        The reason; None where the answer is sure enough.

    Raises:
        ConfigError: the threshold is not in [0, 1].
    """
    check_threshold(threshold)
    label = prediction.label
    probability = prediction.probabilities[label]
    if probability >= threshold:
        return None
    if not prediction.evidence:
        reason = NO_EVIDENCE
    elif are_conflicting(prediction.evidence, prediction.answer.temperature):
        reason = CONFLICTING_PATHS
    else:
        reason = LOW_PROBABILITY
    return Abstention(reason, label, probability, threshold)


def check_threshold(threshold: float) -> None:
    """Refuse a threshold that no probability can be compared with.

    Raises:
        ConfigError: it is not in [0, 1].
    """
    if not 0.0 <= threshold <= 1.0:
        raise ConfigError(f"abstain below: found {threshold!r}, expected a probability from 0 to 1")


def are_conflicting(evidence: Sequence[Evidence], temperature: float = 1.0) -> bool:
    """Tell whether paths speak strongly for different labels.

    A path speaks for the label to which it adds most, as loud as it adds more to it than to the next one. Paths
    conflict where all together are heard at all and two labels have a good share each.

    Args:
        evidence: the paths.
        temperature: of the answer, above 0.
    """
    said: dict[Label, float] = defaultdict(float)
    for item in evidence:
        label, margin = spoken_for(item)
        said[label] += margin / temperature
    total = sum(said.values())
    loud = [label for label, margin in said.items() if margin >= CONFLICT_SHARE * total]
    return total >= CONFLICT_MARGIN and len(loud) > 1


def spoken_for(item: Evidence) -> tuple[Label, float]:
    """Return the label to which a path adds most, and how much more than to the next one, at least 0, in logits."""
    label = max(item.contribution, key=lambda name: item.contribution[name])
    others = [value for name, value in item.contribution.items() if name is not label]
    return label, item.contribution[label] - max(others)
