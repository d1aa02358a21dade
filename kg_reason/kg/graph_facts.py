"""What a graph tells of itself: a label of an entity, a place where an edge is stated, and its size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from kg_reason.kg.qualifiers import Qualifiers
from kg_reason.kg.triples import Source


@dataclass(frozen=True)
class Alias:
    """One label of an entity.

    Attributes:
        text: as written.
        language: its tag, empty when it has none.
        kind: pref, alt, hidden, own (no label was given: a readable form of the entity's own name), or narrow, broad
            or related (a synonym of that scope).
        prior: in (0, 1], how usual it is that this text means this entity.
        pos: n, v, a, r, or empty when not known.
        source: where it was stated.
    """

    text: str
    language: str
    kind: str
    prior: float
    pos: str
    source: Source


class Statement(NamedTuple):
    """One place where an edge was stated, and what qualifies the edge there."""

    source: Source
    qualifiers: Qualifiers


class GraphStats(NamedTuple):
    """The size of a graph.

    `sources` counts the edges and labels that each input stated, `relations` the edges by readable name, the most
    frequent first; of relations with one name each is told with its id. Neither counts the `num_inferred` edges.
    """

    num_entities: int
    num_relations: int
    num_triples: int
    num_labels: int
    languages: dict[str, int]
    sources: dict[str, int]
    fingerprint: str
    relations: dict[str, int]
    inferred_relations: dict[str, int]

    @property
    def num_inferred(self) -> int:
        """Return how many edges were inferred."""
        return sum(self.inferred_relations.values())

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return {**self._asdict(), "num_inferred": self.num_inferred}
