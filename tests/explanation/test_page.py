from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from kg_reason.explanation.page import draw_page
from tests.explanation import picture_cases as cases

VOID = {"meta", "path", "rect", "circle", "br"}


class Outline(HTMLParser):
    """The elements of a page: their names, attributes, and whether every one is closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("name", ["violin", "claim", "turning", "silent", "hostile", "hebrew", "chinese"])
def test_every_element_of_a_page_is_closed_and_nothing_is_fetched(name: str) -> None:
    page = draw_page(getattr(cases, name)())
    outline = Outline(page)
    assert outline.open == []
    assert [attrs for _, attrs in outline.elements if {"src", "href"} & set(attrs)] == []
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)|url\(|@import", page) == []


def test_strangers_cannot_bring_a_script_an_element_or_an_attribute() -> None:
    page = draw_page(cases.hostile(), sentences=["<script>alert(3)</script>\" onmouseover=\"alert(4)"])
    plain = Outline(draw_page(cases.violin()))
    outline = Outline(page)
    assert [tag for tag, _ in outline.elements].count("script") == 1
    known = {tag for tag, _ in plain.elements} | {"h2", "ul", "li"}
    assert {tag for tag, _ in outline.elements} <= known
    assert [attrs for _, attrs in outline.elements if any(name.startswith("on") for name in attrs)] == []
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "<script>alert(3)</script>\" onmouseover=\"alert(4)" in "".join(outline.text)


def test_the_table_holds_all_paths_with_what_each_moved_their_sum_and_both_answers() -> None:
    page = draw_page(cases.crowded(0, num_paths=20), sentences=[f"sentence {number}." for number in range(20)])
    outline = Outline(page)
    rows = [attrs["data-path"] for tag, attrs in outline.elements if tag == "tr" and "data-path" in attrs]
    assert rows == [str(number) for number in range(20)]
    assert len([attrs for tag, attrs in outline.elements if tag == "g" and "data-path" in attrs]) == 8
    prediction = cases.crowded(0, num_paths=20)
    for label, logit in prediction.answer.logits.items():
        assert f"{prediction.evidence[7].contribution[label]:+.3f}" in page
        assert page.count(f"<td class=\"figure\">{logit:+.3f}</td>") >= 2  # the sum of the paths and the answer
    assert page.count("sentence 19.") == 1
    assert "folder/facts.tsv:" in page


def test_the_words_that_the_graph_does_not_know_are_listed_by_sentence() -> None:
    text = "".join(Outline(draw_page(cases.silent())).text)
    assert "in the premise: blorf" in text
    assert "in the hypothesis: zug" in text
    assert "Not in the graph" not in draw_page(cases.violin())


def test_a_page_without_paths_says_so_and_needs_no_script() -> None:
    page = draw_page(cases.silent())
    assert "<script" not in page
    assert "No path in the graph joins these words" in page


def test_text_that_runs_to_the_left_has_its_direction() -> None:
    said = "\u05db\u05d9\u05e0\u05d5\u05e8 \u05d4\u05d5\u05d0 \u05db\u05dc\u05d9."
    page = draw_page(cases.hebrew(), sentences=[said])
    assert f'<div dir="rtl">{said}</div>' in page
    assert "<bdi>\u05db\u05dc\u05d9 \u05e7\u05e9\u05ea</bdi>" in page
