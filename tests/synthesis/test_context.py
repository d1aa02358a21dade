"""kg_reason.synthesis.context: part of speech and polarity of a place in a sentence."""

import pytest

from kg_reason.synthesis.context import Polarity, polarity, tokenize, word_class


def place(marked: str) -> tuple[str, int, int]:
    start = marked.index("*")
    end = marked.rindex("*") - 1
    return marked.replace("*", ""), start, end


@pytest.mark.parametrize(
    ("marked", "wanted"),
    [
        ("A man plays a *violin*.", "upward"),
        ("A man plays no *violin*.", "downward"),
        ("The boy isn't riding a *bike*.", "downward"),
        ("Every *dog* barks.", "downward"),
        ("Every old *dog* barks.", "downward"),
        ("Every dog in the *park* barks.", "unclear"),
        ("All children eat *apples*.", "upward"),
        ("Few *women* dance.", "downward"),
        ("A few *women* dance.", "upward"),
        ("She left without a *coat*.", "downward"),
        ("No dog barks, but a *cat* sleeps.", "upward"),
        ("A *dog* is not barking.", "unclear"),
        ("If he has a *dog*, we go.", "downward"),
        ("Nobody has no *dog*.", "unclear"),
    ],
)
def test_polarity_is_told_by_the_words_before(marked, wanted):
    assert polarity(*place(marked)) is Polarity(wanted)


@pytest.mark.parametrize(
    ("marked", "classes", "wanted"),
    [
        ("A man plays a *violin*.", "n", "n"),
        ("The *old* man sings.", "an", "a"),
        ("The man is *old*.", "an", "a"),
        ("The girl is *walking* home.", "nv", "v"),
        ("She wants to *walk*.", "nv", "v"),
        ("They live *near* the station.", "arv", "r"),
        ("The *walk* was long.", "nv", "n"),
    ],
)
def test_the_part_of_speech_is_told_by_the_neighbours(marked, classes, wanted):
    assert word_class(*place(marked), classes) == wanted


def test_tokens_are_places_in_the_text():
    text = "He isn't at Anna's mother-in-law."
    for token in tokenize(text):
        assert text[token.start : token.end].lower() == token.text
    assert [token.text for token in tokenize("isn't")] == ["is", "n't"]
