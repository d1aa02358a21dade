from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from kg_reason.explanation.page import draw_page
from kg_reason.explanation.page_style import THEME
from kg_reason.explanation.picture import draw_svg
from kg_reason.explanation.picture_panels import signed
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
        assert f">{signed(prediction.evidence[7].contribution[label], 3)}</td>" in page
        assert page.count(f"<td class=\"figure\">{signed(logit, 3)}</td>") >= 2  # the sum of the paths and the answer
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


def test_a_sentence_that_begins_with_a_name_of_another_script_keeps_its_own_direction() -> None:
    said = "\u05db\u05d9\u05e0\u05d5\u05e8 is a kind of instrument."
    assert f'<div dir="ltr">{said}</div>' in draw_page(cases.hebrew(), sentences=[said])


def test_both_answers_stand_above_the_picture_as_bars_and_figures() -> None:
    page = draw_page(cases.violin())
    head = page[page.index("<header>") : page.index("</header>")]
    assert '<h1 class="entailment">entailment<span>0.955</span></h1>' in head
    assert 'style="width:95.5%"></span></span>0.955</td>' in head
    assert head.count('style="width:33.3%"></span></span>0.333</td>') == 3  # the text alone


def test_a_page_tells_long_sentences_in_full_and_each_path_once() -> None:
    words = " ".join(f"word{number}" for number in range(400))
    page = draw_page(cases.prediction(words, "It is short.", []))
    assert f">{words}</p>" in page
    assert "ADDED TO THE LOGITS" in draw_svg(cases.violin())
    assert "ADDED TO THE LOGITS" not in draw_page(cases.violin())


def test_a_claim_is_one_sentence_and_a_note_says_why() -> None:
    head = draw_page(cases.claim()).split("</header>")[0]
    assert '<div class="name">claim</div>' in head
    assert '<div class="name">premise</div>' not in head
    assert "(none: a claim, checked against the graph)" in head


def test_paths_that_moved_nothing_are_in_the_table_and_the_page_says_that_none_is_drawn() -> None:
    start, end = cases.place("premise", "A bow.", "bow"), cases.place("hypothesis", "A tool.", "tool")
    idle = cases.evidence(start, end, ["bow", "tool"], (0.0, 0.0, 0.0))
    page = draw_page(cases.prediction("A bow.", "A tool.", [idle]))
    assert "1 path was found, none moved the answer." in page.split("<svg")[0]
    assert 'tr data-path="0"' in page
    assert "<script" not in page


@pytest.mark.parametrize("name", ["violin", "claim", "turning", "silent", "hostile", "hebrew", "chinese"])
def test_every_colour_of_the_picture_has_one_for_dark_screens(name: str) -> None:
    picture = draw_svg(getattr(cases, name)())
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', picture))
    assert used - {light for light, _ in THEME.values()} == set()


def luminance(colour: str) -> float:
    """Of WCAG 2.2, from 0 (black) to 1 (white)."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "soft", "faint", "entailment", "neutral", "contradiction", "not_entailment"])
def test_text_can_be_read_on_its_background(name: str, place: int) -> None:
    dark, bright = sorted(luminance(THEME[key][place]) for key in (name, "paper"))
    assert (bright + 0.05) / (dark + 0.05) >= 4.5
