"""Other wordings of a text: typos on the keyboard, function words, marks, and clauses beside the point."""

from __future__ import annotations

import random

import pytest

from kg_reason.audits.rewording import (
    curly_quotes,
    keys_beside,
    other_function_words,
    title_case,
    typo,
    unrelated_clause,
    without_punctuation,
)


def no_word(word: str) -> bool:
    return False


@pytest.mark.parametrize("seed", range(30))
def test_a_typo_changes_one_content_word_and_not_its_first_letter(seed):
    changed = typo("The woman was walking through her garden.", random.Random(seed), no_word)
    old, new = ["The", "woman", "was", "walking", "through", "her", "garden."], changed.split()
    assert len(old) == len(new)
    ((first, last),) = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert first in ("woman", "walking", "garden.")
    assert first[0] == last[0]
    assert abs(len(first) - len(last)) <= 1


def test_a_typo_never_gives_another_word():
    words = {typo("coat", random.Random(seed), no_word) for seed in range(80)}
    assert "cost" in words
    assert "cost" not in {typo("coat", random.Random(seed), lambda word: word == "cost") for seed in range(80)}


@pytest.mark.parametrize("text", ["", "He is on it.", "Ein Männchen läuft über", "猫坐在垫子上", "It couldn't."])
def test_a_text_without_a_long_plain_word_gets_no_typo(text):
    assert typo(text, random.Random(0), no_word) is None


def test_keys_beside_a_key_are_its_neighbours_on_the_keyboard():
    assert keys_beside("g") == ("b", "f", "h", "t", "v", "y")
    assert keys_beside("q") == ("a", "w")
    with pytest.raises(ValueError, match="expected one of a to z"):
        keys_beside("ü")


@pytest.mark.parametrize("letter", "qwertyuiopasdfghjklzxcvbnm")
def test_being_beside_has_no_direction(letter):
    assert all(letter in keys_beside(other) for other in keys_beside(letter))


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("The dog is not near the house.", "The dog isn't close to the house."),
        ("The dog isn't here.", "The dog is not here."),
        ("There is someone beside the car.", "There's somebody next to the car."),
        ("No one is outside the shop.", "Nobody is outside of the shop."),
        ("A man and a boy sit.", "A man and also a boy sit."),
        ("A man, as well as a boy, sits.", "A man, and a boy, sits."),
        ("Both a man and a boy sit.", "Both a man and a boy sit."),
        ("A black and white dog draws near.", "A black and white dog draws near."),
        ("Androids stand.", "Androids stand."),
    ],
)
def test_function_words_give_way_to_others_that_mean_the_same(text, changed):
    assert other_function_words(text) == changed


def test_marks_go_and_numbers_and_apostrophes_stay():
    assert without_punctuation('He isn\'t, she said, 3.5 (or "1,000") m.') == "He isn't she said 3.5 or 1,000 m"
    assert curly_quotes('"It\'s" he said.') == "\u201cIt\u2019s\u201d he said."
    assert title_case("a man isn't here") == "A Man Isn't Here"


def test_the_unrelated_clause_shares_no_content_word_with_the_pair():
    texts = ("Ice floats on the water of the earth.", "Light glass and iron.")
    for seed in range(40):
        clause = unrelated_clause(texts, random.Random(seed))
        assert not {"ice", "water", "light", "glass", "iron", "earth"} & set(clause.split())
