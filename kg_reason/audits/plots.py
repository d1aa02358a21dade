"""Plots of audits as SVG that stands inside a page: the same bytes for the same plot, no other file needed.

Bars lie, so that long names stay readable, with their values in a column at the right. The colours are those of Okabe
and Ito (2008), which colour-blind readers tell apart.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

from kg_reason.audits.result import Plot
from kg_reason.errors import MissingExtraError
from kg_reason.terminal import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7f7f7f")
WIDTH = 6.4  # inches
BAR = 0.19  # inches of one bar
GROUP_GAP = 0.16  # inches between the bars of two names
LINES_HEIGHT = 3.7  # inches
INK, FAINT = "#1a1a1a", "#d9d9d9"
THEMED = {INK: f"var(--ink, {INK})", FAINT: f"var(--line, {FAINT})"}  # a page may have others, for dark screens
MAX_MARKED = 40  # points of a line that are marked
MAX_LINE = 32  # characters of a name on an axis
SMALL = 0.1  # bars that are all shorter have their values with one more digit
STYLE = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9.0, "axes.edgecolor": FAINT,
    "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "text.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "text.parse_math": False,
}  # fmt: skip

Colours = Mapping[str, str]

_ID = re.compile(r'(\bid="|href="#|url\(#)')
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_THEMED = re.compile(f"(?<=: )(?:{INK}|{FAINT})(?=[;\"])")
_SIZE = re.compile(r'width="[^"]*" height="[^"]*"|height="[^"]*" width="[^"]*"')


def choose_colours(audits: Iterable[Iterable[Plot]]) -> dict[str, str]:
    """Return a colour for each name of a series: one name has one colour everywhere, names of one audit differ.

    Args:
        audits: the plots of each in the order of reading; earlier ones choose first.
    """
    beside: dict[str, set[str]] = {}  # name -> those that it stands beside in some audit
    for plots in audits:
        names = list(dict.fromkeys(series.name for plot in plots for series in plot.series))
        for name in names:
            beside.setdefault(name, set()).update(names)
    colours: dict[str, str] = {}
    for name, others in beside.items():
        taken = Counter(colours[other] for other in others if other in colours)
        colours[name] = min(PALETTE, key=lambda colour: (taken[colour], PALETTE.index(colour)))
    return colours


def draw_plot(plot: Plot, colours: Colours | None = None) -> str:
    """Return a plot as an `<svg>` element to stand inside a page; its title is told to screen readers.

    Args:
        plot: bars or lines.
        colours: of its series by name; None: chosen for this plot alone.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("plots need the package matplotlib: pip install 'kg_reason[audit]'") from error
    colours = colours or choose_colours([[plot]])
    digest = hashlib.sha256(json.dumps([plot.to_json(), plot.diagonal, list(plot.y_range)]).encode()).hexdigest()[:12]
    stream = io.StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": digest}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the reader's own fonts will have it
        figure = Figure(figsize=(WIDTH, _height(plot)), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        (_draw_bars if plot.kind == "bars" else _draw_lines)(axes, plot, colours)
        if len(plot.series) > 1:
            figure.legend(loc="outside upper left", ncols=3, frameon=False, handlelength=1.2, columnspacing=1.2)
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return _element(stream.getvalue(), f"p{digest}", plot.title)


def _names(plot: Plot) -> list[str]:
    """Return the names of all bars, in the order in which they first occur."""
    return list(dict.fromkeys(str(name) for series in plot.series for name in series.x))


def _height(plot: Plot) -> float:
    if plot.kind != "bars":
        return LINES_HEIGHT
    legend = 0.28 * math.ceil(len(plot.series) / 3) if len(plot.series) > 1 else 0.0
    return 0.75 + legend + len(_names(plot)) * (BAR * len(plot.series) + GROUP_GAP)


def _draw_bars(axes: Axes, plot: Plot, colours: Colours) -> None:
    names = _names(plot)
    group = BAR * len(plot.series) + GROUP_GAP  # inches
    thickness = BAR / group
    column = axes.get_yaxis_transform()  # x in shares of the width, y in bars
    num_digits = 3 if all(abs(value) < SMALL for series in plot.series for value in series.y) else 2
    for number, series in enumerate(plot.series):
        shift = (number - (len(plot.series) - 1) / 2) * thickness
        places = [names.index(str(name)) + shift for name in series.x]
        axes.barh(places, series.y, 0.86 * thickness, color=colours[series.name], label=series.name, zorder=2)
        if series.low and series.high:
            axes.hlines(places, series.low, series.high, color=INK, linewidth=0.8, zorder=3)
        for place, value in zip(places, series.y, strict=True):
            axes.text(1.015, place, _number(value, num_digits), transform=column, va="center", fontsize=7.5)
    axes.set_yticks(range(len(names)), [_wrapped(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=FAINT, linewidth=0.6, zorder=0)
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=4)
    if plot.y_range:
        axes.set_xlim(*plot.y_range)
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel(plot.y_label)
    axes.set_ylabel(plot.x_label)


def _draw_lines(axes: Axes, plot: Plot, colours: Colours) -> None:
    band = 0.15 if len(plot.series) < 3 else 0.07
    for series in plot.series:
        colour = colours[series.name]
        marker = "o" if len(series.x) <= MAX_MARKED else ""
        axes.plot(
            series.x, series.y, color=colour, label=series.name, linewidth=1.6, marker=marker, markersize=4, zorder=3,
            clip_on=False,
        )  # fmt: skip
        if series.low and series.high:
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=band, linewidth=0, zorder=2)
    if plot.diagonal:
        axes.plot([0.0, 1.0], [0.0, 1.0], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    if plot.y_range:
        axes.set_ylim(*plot.y_range)
    axes.grid(color=FAINT, linewidth=0.6, zorder=0)
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)


def _number(value: float, num_digits: int) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if value == round(value) and abs(value) >= 10 else f"{value:.{num_digits}f}"


def _wrapped(name: str) -> str:
    """Return a name on at most two lines; of a longer one the middle is left out, as a count may stand at its end."""
    name = one_line(name)
    lines = textwrap.wrap(name, MAX_LINE) or [""]
    if len(lines) > 2:
        lines = [lines[0], "... " + name[-MAX_LINE + 4 :]]
    return "\n".join(line if len(line) <= MAX_LINE else line[: MAX_LINE - 3] + "..." for line in lines)


def _element(document: str, prefix: str, title: str) -> str:
    """Return the element of an SVG document, its ids its own, as wide as its place in the page."""
    svg = _METADATA.sub("", document[document.index("<svg") :])
    svg = _ID.sub(lambda match: f"{match[1]}{prefix}-", svg)
    svg = _SIZE.sub("", svg, count=1)
    svg = _THEMED.sub(lambda match: THEMED[match[0]], svg)
    head, rest = svg.split(">", 1)
    return f'{head} role="img" aria-label="{escape(title)}">{rest.strip()}\n'
