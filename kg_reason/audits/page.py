"""The page of a report: one HTML file that needs no other, with all runs side by side.

It is read from the top: what crossed a threshold, the measures that matter most, then audit by audit what was found,
with tables and plots, and at the end all measures. It prints, and opens without a network.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from kg_reason.audits.plots import Colours, choose_colours, draw_plot
from kg_reason.audits.result import AuditResult, Plot, Table
from kg_reason.notebook import html_text

TITLE = "Audit report"
NOTHING = '<p class="note">There are none.</p>'
STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --faint: #666; --line: #d9d9d9; --paper: #fff; --warn: #b00020;
  --wash: #f6f6f4; --link: #0050a0; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --faint: #a3a8ad; --line: #3d4349;
  --paper: #15181c; --warn: #ff8a94; --wash: #24292e; --link: #84b9f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 78rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, "Segoe UI", "Noto Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem; padding-top: .75rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1rem; margin: 0 0 .35rem; }
p { margin: .35rem 0 .75rem; max-width: 60rem; overflow-wrap: anywhere; }
nav ol { columns: 12rem; padding-left: 1.25rem; margin: .5rem 0 1rem; }
a { color: var(--link); }
.question { color: var(--faint); font-style: italic; }
.note { color: var(--faint); font-size: .85rem; }
.crossed { color: var(--warn); font-weight: 600; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 23rem), 1fr)); gap: .75rem 2rem;
  margin: 0 0 1.5rem; }
.row > div { min-width: 0; }
.row > div, .wide { overflow-x: auto; }
.run { font-weight: 600; border-bottom: 1px solid var(--line); margin: 0 0 .35rem; overflow-wrap: anywhere; }
figure { margin: 0; }
figure svg { width: 100%; min-width: 23rem; max-width: 44rem; height: auto; display: block; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word; unicode-bidi: plaintext; }
th { font-weight: 600; border-bottom-color: var(--faint); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
table.measures th, table.measures td { overflow-wrap: anywhere; }
table.measures th.number { min-width: 5rem; max-width: 14rem; }
table.measures tr.audit th { padding-top: .9rem; font-weight: 400; }
table.measures tbody tr.first td { border-top: 1px solid var(--faint); }
.every { columns: 26rem; column-gap: 2.5rem; }
.every table { width: 100%; margin-bottom: 1rem; }
code { font-size: .9em; background: var(--wash); padding: 0 .2em; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h2, h3, .question { break-after: avoid; }
  figure, tr, .crossed { break-inside: avoid; }
  figure svg { min-width: 0; max-height: 22cm; }
  a { color: inherit; text-decoration: none; }
  .row > div, .wide { overflow: visible; }
}
"""


class Section(NamedTuple):
    """One audit: run -> what it found, and run -> the names of the files beside the page."""

    name: str
    results: Mapping[str, AuditResult]
    files: Mapping[str, tuple[str, ...]]


class Measures(NamedTuple):
    """The measures of all runs, audit.measure -> run -> value.

    Attributes:
        headlines: those that matter most.
        every: all of them.
        crossed: (audit.measure, run) of the values that crossed a threshold.
    """

    headlines: Mapping[str, Mapping[str, float]]
    every: Mapping[str, Mapping[str, float]]
    crossed: Collection[tuple[str, str]]


def page(
    sections: Sequence[Section], measures: Measures, facts: Mapping[str, Mapping[str, str]], notes: Sequence[str]
) -> str:
    """Return the page of a report.

    Args:
        sections: the audits, in the order of reading.
        measures: of all runs.
        facts: run -> what is known of it.
        notes: which thresholds were crossed, what is left out.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    runs = list(dict.fromkeys([*facts, *(run for section in sections for run in section.results)]))
    colours = choose_colours(
        [plot for result in section.results.values() for plot in result.plots] for section in sections
    )
    contents = "".join(f'<li><a href="#{section.name}">{html_text(section.name)}</a></li>' for section in sections)
    body = [
        f"<h1>{TITLE}</h1>",
        f"<p>{html_text(', '.join(runs))}</p>",
        *(f'<p class="{"crossed" if "is crossed" in note else "note"}">{html_text(note)}</p>' for note in notes),
        f'<nav><ol>{contents}<li><a href="#measures">all measures</a></li></ol></nav>',
        f'<div class="wide">{_facts(facts, runs)}</div>',
        "<h2>In short</h2>",
        '<div class="wide">',
        _measures(measures.headlines, runs, measures.crossed, {each.name: _question(each) for each in sections}),
        "</div>",
        *(_section(section, runs, colours) for section in sections),
        '<h2 id="measures">All measures</h2>',
        '<p class="note">Shares are from 0 to 1. A threshold (--fail-if) names a measure as it stands here.</p>',
        '<div class="every wide">',
        *(_measures(part, runs, measures.crossed) for part in _by_audit(measures.every)),
        "</div>",
    ]
    content = "\n".join(part for part in body if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{TITLE}: {html_text(', '.join(runs))}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{content}\n</main>\n</body>\n</html>\n"
    )


def number_text(measure: str, value: float) -> str:
    """Return a measure for people: counts as whole numbers, others with three digits or more."""
    if not math.isfinite(value):
        return str(value)
    if value == round(value) and (abs(value) >= 2 or measure.rpartition(".")[2].startswith("num_")):
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _facts(facts: Mapping[str, Mapping[str, str]], runs: Sequence[str]) -> str:
    names = list(dict.fromkeys(name for known in facts.values() for name in known))
    if not names:
        return ""
    rows = tuple((name, *(facts.get(run, {}).get(name, "") for run in runs)) for name in names)
    return _table(("run", *runs), rows)


def _measures(
    measures: Mapping[str, Mapping[str, float]],
    runs: Sequence[str],
    crossed: Collection[tuple[str, str]],
    questions: Mapping[str, str] | None = None,
) -> str:
    """Return a table of measures; with the questions of the audits, each above the measures that answer it."""
    if not measures:
        return NOTHING
    heads = "".join(f'<th class="number">{html_text(run)}</th>' for run in runs)
    lines, before = [], ""
    for name, values in measures.items():
        audit = name.partition(".")[0]
        cells = []
        for run in runs:
            mark = " crossed" if (name, run) in crossed else ""
            text = number_text(name, values[run]) if run in values else "-"
            cells.append(f'<td class="number{mark}">{text}</td>')
        first = ' class="first"' if audit != before else ""
        if first and questions:
            link = f'<a href="#{html_text(audit)}">{html_text(audit)}</a>'
            question = f'<span class="question">{html_text(questions.get(audit, ""))}</span>'
            head = f'<th colspan="{len(runs) + 1}" scope="rowgroup">{link} {question}</th>'
            lines.append(f'<tr class="audit">{head}</tr>')
        shown = re.sub("[._-]", r"\g<0><wbr>", html_text(name))  # long names break behind their parts
        lines.append(f"<tr{first}><td>{shown}</td>{''.join(cells)}</tr>")
        before = audit
    head = f"<thead><tr><th>measure</th>{heads}</tr></thead>"
    return f'<table class="measures">{head}<tbody>{"".join(lines)}</tbody></table>'


def _by_audit(measures: Mapping[str, Mapping[str, float]]) -> list[dict[str, Mapping[str, float]]]:
    parts: dict[str, dict[str, Mapping[str, float]]] = {}
    for name, values in measures.items():
        parts.setdefault(name.partition(".")[0], {})[name] = values
    return list(parts.values())


def _section(section: Section, runs: Sequence[str], colours: Colours) -> str:
    results = section.results
    found = {run: f"<p>{_prose(result.summary)}</p>{_files(section, run)}" for run, result in results.items()}
    parts = [
        f'<section>\n<h2 id="{section.name}">{html_text(section.name)}</h2>',
        f'<p class="question">{html_text(_question(section))}</p>',
        _row(found, runs),
    ]
    # What has the same title stands in one row, whichever run has it.
    for title in dict.fromkeys(table.title for result in results.values() for table in result.tables):
        shown = {run: _titled_table(table) for run, table in _by_title(results, title)}
        parts.append(f"<h3>{html_text(title)}</h3>" + _row(shown, runs))
    for name in dict.fromkeys(plot.name for result in results.values() for plot in result.plots):
        plots = {run: plot for run, result in results.items() for plot in result.plots if plot.name == name}
        title = next(iter(plots.values())).title
        figures = {run: _figure(plot, colours) for run, plot in _alike(plots).items()}
        parts.append(f"<h3>{html_text(title)}</h3>" + _row(figures, runs))
    return "\n".join([*parts, "</section>"])


def _question(section: Section) -> str:
    return next(iter(section.results.values())).question


def _prose(text: str) -> str:
    """Return sentences as HTML; what stands between backticks is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html_text(text))


def _by_title(results: Mapping[str, AuditResult], title: str) -> list[tuple[str, Table]]:
    return [(run, table) for run, result in results.items() for table in result.tables if table.title == title]


def _row(cells: Mapping[str, str], runs: Sequence[str]) -> str:
    """Return what the runs have side by side; with one run its name is not repeated."""
    named = len(runs) > 1
    shown = []
    for run in runs:
        head = f'<div class="run">{html_text(run)}</div>' if named else ""
        shown.append(f"<div>{head}{cells.get(run, '-')}</div>")
    return f'<div class="row">{"".join(shown)}</div>'


def _files(section: Section, run: str) -> str:
    names = section.files.get(run, ())
    if not names:
        return ""
    links = ", ".join(f'<a href="{html_text(name)}">{html_text(name)}</a>' for name in names)
    return f'<p class="note">beside this page: {links}</p>'


def _alike(plots: Mapping[str, Plot]) -> Mapping[str, Plot]:
    """Return the plots of several runs with the same range of values, so that they can be compared by eye."""
    if len(plots) < 2 or any(plot.y_range for plot in plots.values()):
        return plots
    ends = [
        value
        for plot in plots.values()
        for series in plot.series
        for value in (*series.y, *series.low, *series.high)
        if math.isfinite(value)
    ]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    if low == high:
        return plots
    margin = 0.05 * (high - low)
    y_range = (low - margin if low < 0 else 0.0, high + margin)
    return {run: replace(plot, y_range=y_range) for run, plot in plots.items()}


def _figure(plot: Plot, colours: Colours) -> str:
    has_intervals = any(series.low for series in plot.series)
    told = [f"{'Thin lines' if plot.kind == 'bars' else 'Pale bands'}: 95 % intervals."] if has_intervals else []
    told += ["Dashed: where both axes are equal."] if plot.diagonal else []
    caption = f'<figcaption class="note">{" ".join(told)}</figcaption>' if told else ""
    return f"<figure>{draw_plot(plot, colours)}{caption}</figure>"


def _titled_table(table: Table) -> str:
    if not table.rows:
        return NOTHING
    return _table(table.columns, table.rows) + (f'<p class="note">{_prose(table.note)}</p>' if table.note else "")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; columns of numbers are aligned to the right."""
    numeric = [bool(rows) and all(_is_number(row[place]) for row in rows) for place in range(len(columns))]

    def line(tag: str, cells: Sequence[str]) -> str:
        shown = (
            f'<{tag}{" class=number" if is_number else ""}>{html_text(cell)}</{tag}>'
            for cell, is_number in zip(cells, numeric, strict=True)
        )
        return f"<tr>{''.join(shown)}</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', columns)}</thead><tbody>{body}</tbody></table>"


def _is_number(cell: str) -> bool:
    """Tell whether a cell is a number, maybe with its interval behind it."""
    text = cell.partition(" ")[0].replace(",", "").rstrip("%")
    return text in ("-", "") or text.lstrip("+-").replace(".", "", 1).isdigit()
