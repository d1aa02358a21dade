"""Paths that say the same, as one piece of evidence: what they added to the answer together.

Two paths say the same if they join the same two places of the pair by the same relations in the same directions; the
entities on the way may differ. Contributions are summed, so that they add up to the logits as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kg_reason.nli import Label
from kg_reason.prediction import Evidence, Place, Prediction


@dataclass(frozen=True)
class EvidenceGroup:
    """Paths that say the same.

    Attributes:
        evidence: at least one, the strongest first.
        contribution: what they added to each label's logit together; positive speaks for the label.
    """

    evidence: tuple[Evidence, ...]
    contribution: Mapping[Label, float]

    @property
    def start(self) -> Place:
        """Where the paths start."""
        return self.evidence[0].start

    @property
    def end(self) -> Place:
        """Where the paths end."""
        return self.evidence[0].end

    @property
    def relations(self) -> tuple[tuple[str, bool], ...]:
        """The relation of each step, and whether it is walked from head to tail."""
        return tuple((step.relation, step.forward) for step in self.evidence[0].path.steps)

    @property
    def strength(self) -> float:
        """The largest change of a logit that the paths made together."""
        return max((abs(value) for value in self.contribution.values()), default=0.0)

    def to_json(self, prediction: Prediction) -> dict[str, Any]:
        """Return the group as plain data; its paths are numbers in the list of paths of the prediction."""
        return {
            "from": self.start.to_json(),
            "to": self.end.to_json(),
            "relations": [{"relation": relation, "forward": forward} for relation, forward in self.relations],
            "paths": [prediction.evidence.index(item) for item in self.evidence],
            "contribution": {str(label): value for label, value in self.contribution.items()},
        }


def group_evidence(prediction: Prediction) -> tuple[EvidenceGroup, ...]:
    """Return the evidence of a prediction, paths that say the same together, the strongest group first."""
    groups: dict[tuple[Place, Place, tuple[tuple[str, bool], ...]], list[Evidence]] = {}
    for item in prediction.evidence:
        relations = tuple((step.relation, step.forward) for step in item.path.steps)
        groups.setdefault((item.start, item.end, relations), []).append(item)
    found = [EvidenceGroup(tuple(items), _summed(items)) for items in groups.values()]
    return tuple(sorted(found, key=lambda group: -group.strength))


def _summed(items: list[Evidence]) -> dict[Label, float]:
    return {label: sum(item.contribution[label] for item in items) for label in items[0].contribution}
