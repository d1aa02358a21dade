"""The page of a report: one file, nothing from elsewhere, everything escaped, runs side by side."""

from __future__ import annotations

from html.parser import HTMLParser

from kg_reason.audits.page import Measures, Section, number_text, page
from kg_reason.audits.result import AuditResult, Plot, Series, Table

VOID = {"meta", "br", "path", "use", "wbr"}


class Tree(HTMLParser):
    """Checks that tags close in order, and gathers what a browser would fetch or link."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.ids, self.tags = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        self.sources += [value for name, value in attrs if name in ("src", "href", "xlink:href", "srcset")]
        self.ids += [values["id"]] if "id" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def result(value, name="reliance", title="Accuracy"):
    plot = Plot("accuracy", title, "bars", "", "accuracy", (Series("<b>all</b>", ("x",), (value,)),))
    table = Table("Rows & <columns>", ("graph", "right"), (("<real>", "94.3 (91.0 to 96.4)"),), "a <note>")
    return AuditResult(name, "Is <it> so?", "It is & it is not.", {"score": value}, (table,), (plot,), {"a.tsv": ""})


def make(runs, crossed=()):
    sections = (
        Section("reliance", {run: result(value) for run, value in runs.items()}, dict.fromkeys(runs, ("a.tsv",))),
        Section("bias", {next(iter(runs)): result(0.5, "bias")}, {}),
    )
    measures = {"reliance.score": runs, "bias.score": {next(iter(runs)): 0.5}}
    headlines = {"reliance.score": runs}
    facts = {run: {"graph": "<wn>"} for run in runs}
    return page(sections, Measures(headlines, measures, crossed), facts, ["one is crossed"])


def test_the_page_is_whole_and_fetches_nothing():
    tree = Tree(make({"one": 0.25, "two": 0.5}))
    assert tree.open == []
    assert "script" not in tree.tags
    assert "link" not in tree.tags
    outside = [source for source in tree.sources if not source.startswith("#")]
    assert set(outside) == {"a.tsv"}
    links = {source[1:] for source in tree.sources if source.startswith("#")}
    assert links <= set(tree.ids)


def test_what_others_wrote_is_escaped():
    text = make({"<img src=x>": 0.25})
    assert "<img" not in text
    assert "&lt;img src=x&gt;" in text
    for raw in ("<it>", "<columns>", "<real>", "<note>", "<wn>", "<b>all"):
        assert raw not in text


def test_runs_stand_side_by_side_and_a_value_across_a_threshold_is_marked():
    text = make({"one": 0.25, "two": 0.5}, {("reliance.score", "two")})
    assert text.count('<div class="run">one</div>') == text.count('<div class="run">two</div>') > 0
    row = text[text.index("<td>reliance.<wbr>score</td>") :].split("</tr>")[0]
    assert row == '<td>reliance.<wbr>score</td><td class="number">0.250</td><td class="number crossed">0.500</td>'
    row = text[text.index("<td>bias.<wbr>score</td>") :].split("</tr>")[0]
    assert row.endswith('<td class="number">-</td>')
    assert text.count("<h2 ") == 3  # two audits, and all measures
    assert text.count("<td>reliance.<wbr>score</td>") == 2
    assert text.count("<td>bias.<wbr>score</td>") == 1


def test_plots_of_several_runs_have_one_range_of_values():
    def first_plot(runs):
        text = make(runs)
        return text[text.index("<svg") : text.index("</svg>")]

    assert ">0.8</text>" not in first_plot({"one": 0.1})
    assert ">0.8</text>" in first_plot({"one": 0.1, "two": 0.9})


def test_each_question_stands_above_the_measures_in_short_and_leads_to_its_audit():
    text = make({"one": 0.25, "two": 0.5})
    short = text[text.index("<h2>In short</h2>") : text.index("<section>")]
    head = '<th colspan="3" scope="rowgroup"><a href="#reliance">reliance</a> <span class="question">Is &lt;it&gt; so?'
    assert short.count(head) == 1
    assert short.index(head) < short.index("<td>reliance.<wbr>score</td>")


def test_plots_tell_what_their_thin_lines_and_bands_are():
    def captions(**changes):
        series = Series("a", ("x",), (0.5,), **changes)
        found = AuditResult("bias", "?", "!", {}, (), (Plot("p", "P", "bars", "", "y", (series,)),), {})
        text = page((Section("bias", {"one": found}, {}),), Measures({}, {}, ()), {}, ())
        return text.count("<figcaption")

    assert captions() == 0
    assert captions(low=(0.4,), high=(0.6,)) == 1


def test_a_table_without_rows_says_so_and_code_is_marked():
    found = AuditResult("bias", "?", "as `a<b` says", {}, (Table("T", ("a",), (), "Worst first."),), (), {})
    text = page((Section("bias", {"one": found}, {}),), Measures({}, {}, ()), {}, ())
    assert "There are none." in text
    assert "Worst first." not in text
    assert "as <code>a&lt;b</code> says" in text
    assert "<h2>In short</h2>\n<div class=\"wide\">\n<p class=\"note\">There are none.</p>" in text


def test_counts_are_whole_numbers():
    assert [number_text("a.num_gaps", value) for value in (0.0, 1.0, 4.652)] == ["0", "1", "4.652"]


def test_the_page_of_the_same_results_has_the_same_bytes():
    assert make({"one": 0.25}) == make({"one": 0.25})


def test_measures_are_short():
    values = (0.12345, 1.0, 300.0, 12345.0, 0.0, 12.345, -0.5, float("nan"))
    assert [number_text("score", value) for value in values] == [
        "0.123", "1.000", "300", "12,345", "0.000", "12.3", "-0.500", "nan",
    ]  # fmt: skip
