"""The report of audits: the results of one or several runs, thresholds that they should keep, and its folder.

The page is `page.py`. A report is written whole or not at all: `report.html`, `report.json`, and the files of the
results.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from kg_reason.audits.catalogue import AUDITS
from kg_reason.audits.page import Measures, Section, page
from kg_reason.audits.result import AuditResult
from kg_reason.errors import ConfigError
from kg_reason.kg.files import whole_folder

REPORT_FILE, PAGE_FILE = "report.json", "report.html"
FORMAT_VERSION = 1
_THRESHOLD = re.compile(r"\s*([a-z][a-z0-9-]*)\.([A-Za-z0-9_.-]+?)\s*([<>])\s*(\S+)\s*")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")  # for the name of a file
_CROSSED = {"<": operator.lt, ">": operator.gt}


class Threshold(NamedTuple):
    """A bound that a measure should keep: it is crossed by values below (`<`) or above (`>`) it."""

    audit: str
    measure: str
    sign: str
    bound: float

    def __str__(self) -> str:
        return f"{self.audit}.{self.measure}{self.sign}{self.bound:g}"

    def is_crossed(self, value: float) -> bool:
        """Tell whether a value crosses the bound; what is no number crosses every bound."""
        return bool(_CROSSED[self.sign](value, self.bound)) or value != value


class Crossing(NamedTuple):
    """A threshold that a run crossed, and with which value."""

    threshold: Threshold
    run: str
    value: float

    def to_json(self) -> dict[str, Any]:
        """Return the crossing as plain data."""
        return {"threshold": str(self.threshold), "run": self.run, "value": self.value}


@dataclass(frozen=True)
class AuditReport:
    """The results of audits of one or several runs.

    Attributes:
        runs: name of a run -> its results, in the order of the catalogue, the same audits for all.
        thresholds: what the measures should keep.
        left_out: audit -> why it was not run.
        facts: name of a run -> what is known of it, such as its graph.
        num_examples: labelled pairs that were given.
    """

    runs: Mapping[str, tuple[AuditResult, ...]]
    thresholds: tuple[Threshold, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    num_examples: int = 0

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """The thresholds that were crossed, in any run.

        Raises:
            ConfigError: a run has no such measure; the message lists those that it has.
        """
        found = []
        for threshold in self.thresholds:
            for run, results in self.runs.items():
                value = _measure(run, results, threshold)
                if threshold.is_crossed(value):
                    found.append(Crossing(threshold, run, value))
        return tuple(found)

    def measures(self) -> dict[str, dict[str, float]]:
        """Return audit.measure -> run -> value, in the order of the report; a run may lack a measure."""
        table: dict[str, dict[str, float]] = {}
        for name in self.audits():
            for run, results in self.runs.items():
                for result in results:
                    if result.name == name:
                        for measure, value in result.measures.items():
                            table.setdefault(f"{name}.{measure}", {})[run] = float(value)
        return table

    def headlines(self) -> dict[str, dict[str, float]]:
        """Return those of the measures that a short table shows, and those that a threshold names."""
        wanted = {f"{item.name}.{measure}" for item in AUDITS for measure in item.headlines}
        wanted |= {f"{threshold.audit}.{threshold.measure}" for threshold in self.thresholds}
        return {name: values for name, values in self.measures().items() if name in wanted}

    def audits(self) -> tuple[str, ...]:
        """Return the names of the audits that were run, in the order of the report."""
        return tuple(dict.fromkeys(result.name for results in self.runs.values() for result in results))

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data.

        Raises:
            ConfigError: a threshold names a measure that a run does not have.
        """
        return {
            "format_version": FORMAT_VERSION,
            "num_examples": self.num_examples,
            "runs": {
                run: {
                    "facts": dict(self.facts.get(run, {})),
                    "audits": {result.name: result.to_json() for result in results},
                    "files": {
                        file_name(self, run, result.name, name): f"{result.name}: {name}"
                        for result in results
                        for name in sorted(result.files)
                    },
                }
                for run, results in self.runs.items()
            },
            "left_out": dict(self.left_out),
            "thresholds": [str(threshold) for threshold in self.thresholds],
            "crossed": [crossing.to_json() for crossing in self.crossings],
        }


def read_threshold(text: str) -> Threshold:
    """Return the threshold that a text such as `reliance.score<0.25` says.

    Raises:
        ConfigError: it has another form, or there is no audit of the name.
    """
    match = _THRESHOLD.fullmatch(text)
    number = _number(match[4]) if match else None
    if match is None or number is None:
        raise ConfigError(f"found {text!r}, expected AUDIT.MEASURE<NUMBER or AUDIT.MEASURE>NUMBER")
    names = [item.name for item in AUDITS]
    if match[1] not in names:
        raise ConfigError(f"found {text!r}, but there is no audit {match[1]!r}; expected one of {', '.join(names)}")
    return Threshold(match[1], match[2], match[3], number)


def write_report(report: AuditReport, out: Path) -> None:
    """Write the page, the JSON and the files of a report to a folder, all or nothing.

    Args:
        report: to write; an older report in the folder is replaced.
        out: the folder.

    Raises:
        ConfigError: a threshold names a measure that a run does not have.
        KGReasonError: the folder holds something else.
        MissingExtraError: matplotlib is not installed.
    """
    files = {
        file_name(report, run, result.name, name): text
        for run, results in report.runs.items()
        for result in results
        for name, text in sorted(result.files.items())
    }
    content = json.dumps(report.to_json(), ensure_ascii=False, indent=1) + "\n"
    measures = Measures(report.headlines(), report.measures(), _crossed_cells(report))
    written = page(_sections(report), measures, report.facts, _notes(report))
    with whole_folder(out, REPORT_FILE) as part:
        (part / REPORT_FILE).write_text(content, encoding="utf-8", newline="\n")
        (part / PAGE_FILE).write_text(written, encoding="utf-8", newline="\n")
        for name, text in files.items():
            (part / name).write_text(text, encoding="utf-8", newline="\n")


def file_name(report: AuditReport, run: str, audit: str, name: str) -> str:
    """Return the name of a file of a result in the folder; the run is named where there are several."""
    parts = [audit, name] if len(report.runs) == 1 else [run, audit, name]
    return _UNFIT.sub("-", "-".join(parts)).lstrip(".-")


def _sections(report: AuditReport) -> tuple[Section, ...]:
    sections = []
    for name in report.audits():
        results = {run: result for run, items in report.runs.items() for result in items if result.name == name}
        files = {
            run: tuple(file_name(report, run, name, file) for file in sorted(result.files))
            for run, result in results.items()
        }
        sections.append(Section(name, results, files))
    return tuple(sections)


def _notes(report: AuditReport) -> tuple[str, ...]:
    notes = [f"{crossing.run}: {crossing.threshold} is crossed by {crossing.value:g}" for crossing in report.crossings]
    if report.thresholds and not notes:
        notes.append(f"Kept by every run: {', '.join(map(str, report.thresholds))}")
    return (*notes, *(f"{name} is left out: {reason}" for name, reason in report.left_out.items()))


def _crossed_cells(report: AuditReport) -> frozenset[tuple[str, str]]:
    """Return (audit.measure, run) of the values that crossed a threshold."""
    return frozenset(
        (f"{crossing.threshold.audit}.{crossing.threshold.measure}", crossing.run) for crossing in report.crossings
    )


def _measure(run: str, results: Sequence[AuditResult], threshold: Threshold) -> float:
    for result in results:
        if result.name == threshold.audit:
            if threshold.measure in result.measures:
                return float(result.measures[threshold.measure])
            known = ", ".join(sorted(result.measures))
            raise ConfigError(f"{threshold}: {run} has no such measure, expected one of {known}")
    raise ConfigError(f"{threshold}: the audit {threshold.audit} was not run")


def _number(text: str) -> float | None:
    """Return the number that a text is; None if it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value == value else None
