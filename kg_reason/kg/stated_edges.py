"""The edges of a graph as their files stated them, for what writes a graph out again.

An edge whose statements say nothing but that it is there counts as stated once. Where any of them has a weight, a date,
a source or another qualifier of its own, each of them is told, so that a graph built from what is written is the same.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.qualifiers import (
    NONE,
    SOURCE,
    VALID_FROM,
    VALID_UNTIL,
    WEIGHT,
    QualifierNames,
    Qualifiers,
    StoredQualifiers,
    column_name,
    shown_weight,
    weight_of,
)
from kg_reason.kg.triples import Source

logger = logging.getLogger(__name__)


class Stated(NamedTuple):
    """One statement of an edge.

    Attributes:
        weight: its own, else that of the edge.
        qualifiers: without the weight.
        source: where it stands; None of an edge without qualifiers, whose places say no more than the edge.
    """

    weight: float
    qualifiers: Qualifiers
    source: Source | None = None


def edge_numbers(graph: KnowledgeGraph, *, with_inferred: bool = False) -> NDArray[np.int64]:
    """Return the edges of a graph by number, int64 [num_edges], the inferred ones last."""
    stated = graph.live_edges()
    return np.concatenate([stated, graph.inferences.edges()]) if with_inferred else stated


class StatedEdges:
    """The statements of the edges of a graph.

    Args:
        graph: the graph.
        with_qualifiers: without them every edge is stated once, with its own weight.

    Attributes:
        num_values: the most values that one statement has of each qualifier, by its name.
    """

    def __init__(self, graph: KnowledgeGraph, *, with_qualifiers: bool = True) -> None:
        self._graph = graph
        arrays = graph.built.arrays
        stored = StoredQualifiers.of(arrays if with_qualifiers else {})
        self._is_qualified = np.zeros(len(arrays["edge_source"]), dtype=bool)  # by number at the build; -1: an edit's
        self._is_qualified[np.searchsorted(arrays["edge_source"], stored.rows, side="right") - 1] = True
        self.num_values = _most_values(stored)

    def of(self, edge: int) -> list[Stated]:
        """Return the statements of an edge, at least one; of an inferred edge one without qualifiers."""
        weight = shown_weight(self._graph.edge_weight[edge])
        if not self._is_qualified[self._graph.stored_edge(edge)]:
            return [Stated(weight, NONE)]
        found = []
        for source, qualifiers in self._graph.edge_statements(edge):
            own = weight_of(qualifiers)
            own = weight if math.isnan(own) else own
            found.append(Stated(own, _without_weight(qualifiers), source))
        return found


def _without_weight(qualifiers: Qualifiers) -> Qualifiers:
    """Return qualifiers without a weight that is a number."""
    if math.isnan(weight_of(qualifiers)):
        return qualifiers
    return {name: values for name, values in qualifiers.items() if name != WEIGHT}


def _most_values(stored: StoredQualifiers) -> dict[str, int]:
    num_values: dict[str, int] = {}
    for qualifiers in map(_without_weight, stored.all()):
        for name, values in qualifiers.items():
            num_values[name] = max(len(values), num_values.get(name, 0))
    return num_values


def further_qualifiers(graph: KnowledgeGraph) -> list[str]:
    """Return the names of qualifiers that tables and property graphs give back only with `qualifier_columns`."""
    stored = StoredQualifiers.of(graph.built.arrays)
    return sorted({*_most_values(stored)} - {WEIGHT, VALID_FROM, VALID_UNTIL, SOURCE})


class HeldQualifiers:
    """What of the qualifiers a format can hold; the rest is counted.

    Args:
        num_values: the most values of each qualifier, by its name.
        name_again: returns what the format's reader will call a qualifier.
        max_values: that one statement may have of each qualifier.
    """

    def __init__(
        self, num_values: dict[str, int], name_again: Callable[[str], str], max_values: float = math.inf
    ) -> None:
        self.num_values = {
            name: int(min(count, max_values)) for name, count in sorted(num_values.items()) if name_again(name) == name
        }
        self._left_out: Counter[str] = Counter()

    def select(self, qualifiers: Qualifiers) -> Qualifiers:
        """Return the qualifiers of one statement that can be held."""
        kept = {name: values[: self.num_values.get(name, 0)] for name, values in qualifiers.items()}
        for name, values in qualifiers.items():
            self._left_out[name] += len(values) - len(kept[name])
        return {name: values for name, values in kept.items() if values}

    def tell(self, export_format: str) -> None:
        """Say how many values the format cannot hold."""
        left_out = sorted((+self._left_out).items())
        if left_out:
            names = ", ".join(f"{name} {number}" for name, number in left_out)
            logger.warning("values of qualifiers left out because %s cannot hold them: %s", export_format, names)


def column_names(num_values: dict[str, int], taken: tuple[str, ...]) -> Callable[[str], str]:
    """Return what tables and property graphs call a qualifier again, empty where a column of another use has its name.

    Args:
        num_values: the qualifiers, by their names.
        taken: columns that are there anyway.
    """
    names = QualifierNames(BuildConfig(qualifier_columns=tuple(sorted(num_values)))).columns
    return lambda name: "" if column_name(name) in taken else names.get(column_name(name), "")
