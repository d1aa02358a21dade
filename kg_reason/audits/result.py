"""What an audit found, as plain values: measures that thresholds can name, tables, plots and files for the user.

Every audit is a function `audit_NAME(reasoner, examples, config) -> AuditResult` in a file of its own. Drawing the
plots is `plots.py`, the page and the JSON are `report.py`; nothing here knows a tensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS_OF_PLOT = ("bars", "lines")


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        title: what it shows, in a few words.
        columns: names of the columns.
        rows: each as long as `columns`.
        note: how to read it; may be empty.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the table as plain data."""
        return {
            "title": self.title, "columns": list(self.columns), "rows": [list(row) for row in self.rows],
            "note": self.note,
        }  # fmt: skip


@dataclass(frozen=True)
class Series:
    """One line, or one set of bars, of a plot.

    Attributes:
        name: in the legend.
        x: numbers for lines, names for bars.
        y: as long as `x`.
        low: lower ends of intervals, as long as `y`, or empty.
        high: upper ends.
    """

    name: str
    x: tuple[float, ...] | tuple[str, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the series as plain data."""
        return {
            "name": self.name, "x": list(self.x), "y": list(self.y), "low": list(self.low), "high": list(self.high)
        }  # fmt: skip


@dataclass(frozen=True)
class Plot:
    """A plot, not yet drawn.

    Attributes:
        name: of its file, unique within the audit: letters, digits and `-`.
        title: what it shows.
        kind: one of KINDS_OF_PLOT.
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        series: at least one.
        diagonal: draw the line x = y (a reliability diagram).
        y_range: of the vertical axis; empty: as the values ask.
    """

    name: str
    title: str
    kind: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    diagonal: bool = False
    y_range: tuple[float, float] | tuple[()] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the plot as plain data."""
        return {
            "name": self.name, "title": self.title, "kind": self.kind, "x_label": self.x_label, "y_label": self.y_label,
            "series": [series.to_json() for series in self.series],
        }  # fmt: skip


@dataclass(frozen=True)
class AuditResult:
    """What one audit of one reasoner found.

    Attributes:
        name: of the audit, as on the command line, such as `blind-spots`.
        question: what it asks, one sentence.
        summary: what it found, one or two sentences with the figures that matter.
        measures: name -> value; a threshold names one as `AUDIT.MEASURE`. A share is in [0, 1].
        tables: in the order of reading.
        plots: in the order of reading.
        files: name -> text of files that the user goes on with.
    """

    name: str
    question: str
    summary: str
    measures: Mapping[str, float]
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain data; of the files only the names."""
        return {
            "name": self.name,
            "question": self.question,
            "summary": self.summary,
            "measures": dict(self.measures),
            "tables": [table.to_json() for table in self.tables],
            "plots": [plot.to_json() for plot in self.plots],
            "files": sorted(self.files),
        }
