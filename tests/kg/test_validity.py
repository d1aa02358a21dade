from __future__ import annotations

import io

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError, ConfigError
from kg_reason.kg import delimited
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.building import build_graph
from kg_reason.kg.delimited import read_delimited
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.validity import Validity

TABLE = (
    "head,relation,tail,valid_from,valid_until\n"
    "Ada,works in,Rome,2020-01-15,2026-06-29\n"
    'Ada,works in,Oslo,2026-06-30,""\n'
    "Bo,works in,Rome,2027,\n"
    "Cy,works in,Oslo,,\n"
)
EDGES = (
    ":START_ID,:END_ID,:TYPE,valid_from:date,valid_until:date\n"
    "a,b,KNOWS,2020,2026\na,c,KNOWS,2027-01,\n"
)
DRAWING = (
    '<graphml><key id="u" for="edge" attr.name="valid_until" attr.type="int"/>\n'
    '<graph><edge source="a" target="b"><data key="u">2025</data></edge><edge source="b" target="c"/></graph></graphml>'
)
OBJECTS = '{"links": [{"source": "a", "target": "b", "valid_from": 2027}, {"source": "b", "target": "c"}]}'


def tails(folder, name, text, **settings):
    (folder / name).write_text(text)
    build_graph(folder / name, folder / "kg", BuildConfig(**settings))
    graph = KnowledgeGraph.open(folder / "kg")
    return sorted(
        (graph.entity_id(int(head)), graph.entity_id(int(tail)))
        for head, tail in zip(graph.edge_head, graph.edge_tail, strict=True)
    )


@pytest.mark.parametrize(("first", "last", "holds"), [
    ("", "", True), ("2026-06-30", "", True), ("2026-07-01", "", False), ("2026", "2026", True), ("2026-07", "", False),
    ("", "2026-06-30", True), ("", "2026-06-29", False), ("", "2026-06", True), ("", "2025", False),
    ("2026-06-30T12:00:00Z", "", True),
])
def test_an_edge_holds_from_its_first_day_to_its_last(first, last, holds):
    assert Validity(BuildConfig(as_of="2026-06-30")).holds(first, last) is holds
    assert Validity(BuildConfig()).holds(first, last)


def test_only_rows_that_hold_on_a_day_are_read_and_the_others_are_counted(tmp_path, caplog):
    assert tails(tmp_path, "a.csv", TABLE, as_of="2026-06-30") == [("Ada", "Oslo"), ("Cy", "Oslo")]
    assert "a.csv: edges left out because they do not hold on 2026-06-30: 2" in caplog.text
    assert tails(tmp_path, "a.csv", TABLE, as_of="2021-01-01") == [("Ada", "Rome"), ("Cy", "Oslo")]
    assert len(tails(tmp_path, "a.csv", TABLE)) == 4
    table = TABLE.replace(",", "\t").replace("valid_from", "since").replace('""', "")
    assert tails(tmp_path, "b.tsv", table, as_of="2030-01-01", from_column="since") == [
        ("Ada", "Oslo"), ("Bo", "Rome"), ("Cy", "Oslo")
    ]


@pytest.mark.parametrize(("name", "text", "left"), [
    ("a.csv", EDGES, [("a", "b")]), ("a.graphml", DRAWING, [("b", "c")]), ("a.json", OBJECTS, [("b", "c")]),
])
def test_edges_of_property_graphs_have_dates_too(tmp_path, name, text, left):
    assert tails(tmp_path, name, text, as_of="2026-06-30") == left
    assert len(tails(tmp_path, name, text)) == 2


def test_a_date_that_is_none_is_told_with_its_place(tmp_path):
    with pytest.raises(BadLinesError, match="a.csv:6: expected a date such as 2026-06-30, .* found .May."):
        tails(tmp_path, "a.csv", TABLE + "Di,works in,Oslo,May,\n", as_of="2026-06-30")


@pytest.mark.parametrize("has_compiler", [True, False])
def test_plain_lines_and_others_are_judged_alike(monkeypatch, caplog, has_compiler):
    monkeypatch.setattr(delimited, "HAS_COMPILER", has_compiler)
    rows = [f"e{number}\tr\tf\t{2015 + number % 10}\t{('', '2021', 'May')[number % 3]}" for number in range(60)]
    rows[30] = "e30\tr"
    text = "\n".join(["head\trelation\ttail\tvalid_from\tvalid_until", *rows])
    bad_lines, config = BadLines(), BuildConfig(as_of="2020-06-30")
    blocks = read_delimited(io.BytesIO(text.encode()), "a.tsv", 0, bad_lines, config=config, quoted=False)
    found = [triple.head for block in blocks for triple in block.triples("a.tsv")]
    assert found == [f"e{number}" for number in range(60) if number % 3 < 2 and number % 10 < 6 and number != 30]
    assert [bad_line.line for bad_line in bad_lines] == [n + 2 for n in range(60) if n % 3 == 2 or n == 30]
    assert "found 'May'" in bad_lines.first[0].reason
    assert f"do not hold on 2020-06-30: {60 - len(found) - bad_lines.num}" in caplog.text


@pytest.mark.parametrize("day", ["2026-6-1", "2026-13-01", "2026-02-29", "20260630", "٢٠٢٦-٠٦-٣٠"])
def test_a_day_that_is_none_is_told(tmp_path, day):
    with pytest.raises(ConfigError, match=f"as_of: found '{day}', expected a day such as 2026-06-30"):
        tails(tmp_path, "a.nt", "", as_of=day)
