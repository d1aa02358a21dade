"""The report of fidelity: figures with intervals for each way of ranking paths, their one JSON shape, and a table.

How they are measured, and what each means, is `fidelity.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kg_reason.terminal import aligned

NOTHING = "-"  # in a table, where no example could be measured


@dataclass(frozen=True)
class Figure:
    """A mean, or a ratio of means, over examples, with its 95 % bootstrap interval.

    Attributes:
        value: of all examples that count for it.
        low: 2.5 % point of the resamples.
        high: 97.5 % point of the resamples.
        num_examples: how many counted, at least one.
    """

    value: float
    low: float
    high: float
    num_examples: int

    def to_json(self) -> dict[str, Any]:
        """Return the figure as plain data."""
        return {"value": self.value, "interval": [self.low, self.high], "num_examples": self.num_examples}


@dataclass(frozen=True)
class MethodFidelity:
    """How far one ranking of the paths tells what moved the answers.

    Attributes:
        method: one of `rankings.METHODS`.
        figures: name of a measure -> figure; a measure for which no example counts is left out.
    """

    method: str
    figures: Mapping[str, Figure]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {name: figure.to_json() for name, figure in self.figures.items()}


@dataclass(frozen=True)
class FidelityReport:
    """The fidelity of every ranking, on the same answers.

    Attributes:
        num_examples: pairs that were asked.
        num_counted: those with at least two paths, of which all figures are.
        num_paths: mean number of paths of a counted answer; 0 where none counts.
        decided: share of counted answers that are others without any path; None where none counts. What paths do not
            decide, no explanation by paths can turn.
        methods: empty where none counts, or where the model reads no path.
    """

    num_examples: int
    num_counted: int
    num_paths: float
    decided: Figure | None
    methods: tuple[MethodFidelity, ...]

    def of(self, method: str) -> MethodFidelity:
        """Return the figures of one ranking.

        Raises:
            KeyError: it was not measured.
        """
        found = {item.method: item for item in self.methods}
        return found[method]

    def rows(self, measures: Mapping[str, str]) -> list[tuple[str, ...]]:
        """Return a table of texts: a row of names, then one for each ranking, with intervals in brackets.

        Args:
            measures: name of a measure -> its name at the head of the column.
        """
        rows = [("ranked by", *measures.values())]
        for item in self.methods:
            rows.append((item.method, *(_cell(item.figures.get(name)) for name in measures)))
        return rows

    def to_text(self, tables: Mapping[str, Mapping[str, str]]) -> str:
        """Return the report for a terminal.

        Args:
            tables: title -> measures, see `rows`.
        """
        lines = [
            f"{self.num_counted} of {self.num_examples} answers have at least two paths, "
            f"{self.num_paths:.1f} on average"
        ]
        if self.decided is not None:
            lines.append(f"{_cell(self.decided)} of them are others without any path")
        for title, measures in tables.items():
            if self.methods:
                lines += ["", title, *aligned(self.rows(measures), right=range(1, 1 + len(measures)))]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "num_examples": self.num_examples,
            "num_counted": self.num_counted,
            "num_paths": self.num_paths,
            "decided": None if self.decided is None else self.decided.to_json(),
            "methods": {item.method: item.to_json() for item in self.methods},
        }


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return NOTHING
    digits = 1 if figure.value >= 10 else 3
    value, low, high = (f"{number:z.{digits}f}" for number in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"
