"""Plots as SVG: the same bytes every time, safe beside each other, and the same colours for the same names."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from kg_reason.audits.plots import PALETTE, choose_colours, draw_plot
from kg_reason.audits.result import Plot, Series
from kg_reason.errors import MissingExtraError

BARS = Plot(
    "accuracy", "Accuracy <by> graph", "bars", "", "accuracy",
    (
        Series("all", ("real", "a name that is far too long to stand on one line or even on two of them (7)"),
               (0.5, 0.25), (0.4, 0.1), (0.6, 0.4)),
        Series("text alone", ("real",), (1.0,)),
    ),
    y_range=(0.0, 1.0),
)  # fmt: skip
LINES = Plot(
    "reliability", "Reliability", "lines", "confidence", "accuracy",
    (Series("fused", (0.1, 0.5, 0.9), (0.2, 0.5, 0.8), (0.1, 0.4, 0.7), (0.3, 0.6, 0.9)),), diagonal=True,
)  # fmt: skip


@pytest.mark.parametrize("plot", [BARS, LINES], ids=["bars", "lines"])
def test_a_plot_has_the_same_bytes_every_time_and_is_whole_xml(plot):
    svg = draw_plot(plot)
    assert svg == draw_plot(plot)
    root = ET.fromstring(svg)
    assert root.get("aria-label") == plot.title
    assert "width" not in root.attrib  # as wide as its place
    assert "metadata" not in svg
    texts = {"".join(item.itertext()).strip() for item in root.iter("{http://www.w3.org/2000/svg}text")}
    assert plot.y_label in texts


def test_names_values_and_the_end_of_long_names_can_be_read():
    root = ET.fromstring(draw_plot(BARS))
    texts = {"".join(item.itertext()).strip() for item in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"0.50", "0.25", "1.00", "real", "all", "text alone"} <= texts
    assert any(text.endswith("(7)") for text in texts)


def test_two_plots_of_one_page_share_no_id_and_refer_to_their_own():
    ids = []
    for plot in (BARS, replace(BARS, title="Another"), LINES):
        svg = draw_plot(plot)
        own = set(re.findall(r'\bid="([^"]*)"', svg))
        assert set(re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', svg)) != set()
        assert {first or second for first, second in re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', svg)} <= own
        ids.append(own)
    assert not ids[0] & ids[1]
    assert not ids[0] & ids[2]


def test_what_is_drawn_depends_on_everything_the_plot_says():
    plots = (LINES, replace(LINES, diagonal=False), replace(LINES, y_range=(0.0, 2.0)))
    assert len({draw_plot(plot) for plot in plots}) == 3
    without = replace(BARS, series=tuple(replace(series, low=(), high=()) for series in BARS.series))
    assert draw_plot(without) != draw_plot(BARS)


def test_a_script_in_a_name_stays_text():
    series = Series("<script>alert(1)</script> $x^2$", ("a & b",), (1.0,))
    svg = draw_plot(Plot("x", '"><script>', "bars", "", "share", (series,)))
    assert "<script" not in svg
    ET.fromstring(svg)


def test_other_scripts_and_missing_values_are_drawn():
    series = (Series("图谱", ("上位词", "كلب"), (float("nan"), 0.5)), Series("b", ("上位词",), (0.2,)))
    svg = draw_plot(Plot("x", "x", "bars", "", "share", series))
    assert "上位词" in svg
    assert "كلب" in svg


def test_one_name_has_one_colour_and_names_of_one_audit_differ():
    plots = [
        BARS,
        replace(BARS, series=tuple(replace(BARS.series[0], name=name) for name in ("fused", "text alone", "third"))),
    ]
    colours = choose_colours([plots])
    assert set(colours) == {"all", "text alone", "fused", "third"}
    for plot in plots:
        assert len({colours[series.name] for series in plot.series}) == len(plot.series)
    assert len(set(colours.values())) == 4  # of one audit, though some stand in different plots
    assert choose_colours([plots[:1], plots[1:]])["fused"] == PALETTE[0]
    assert colours["all"] in draw_plot(BARS, colours)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"kg_reason\[audit\]"):
        draw_plot(BARS)


def test_bars_that_are_all_short_have_their_values_with_three_digits():
    short = replace(BARS, series=tuple(replace(series, y=tuple(0.05 for _ in series.y)) for series in BARS.series))
    assert ">0.050</text>" in draw_plot(short)
    assert ">0.050</text>" not in draw_plot(BARS)


def test_ink_and_grid_are_those_of_the_page_and_the_colours_of_the_series_are_their_own():
    svg = draw_plot(BARS)
    drawn = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", svg))
    assert drawn <= {*PALETTE, "#ffffff"}
    assert "fill: var(--ink, #1a1a1a)" in svg
    assert "stroke: var(--line, #d9d9d9)" in svg
