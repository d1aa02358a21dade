"""The words of a seed are spelled as labels are."""

from __future__ import annotations

import pytest

from kg_reason.errors import InputSyntaxError
from kg_reason.kg.seed_labels import read_sentences, seed_labels


def labels(text: str, language: str = "en", max_words: int = 6) -> set[str]:
    return set(seed_labels([text], language, max_words))


def test_a_word_is_spelled_as_written_small_and_with_a_capital_and_by_its_lemmas():
    assert {"Violins", "violins", "violin", "Violin"} <= labels("Violins")
    assert {"men's", "the City", "The city"} <= labels("men") | labels("city")
    assert {"mice", "mouse", "Mouse"} <= labels("the mice")
    assert {"playing", "play"} <= labels("He is playing.")


def test_runs_of_words_are_looked_up_up_to_a_length():
    found = labels("a bowed string instrument")
    assert {"bowed string instrument", "Bowed string instrument", "Bowed String Instrument"} <= found
    short = labels("a bowed string instrument", max_words=2)
    assert "bowed string" in short
    assert not [label for label in short if "bowed string instrument" in label.lower()]


def test_the_first_or_last_word_of_a_run_may_be_inflected():
    assert {"string instrument", "play the drum"} <= labels("plays the drum on string instruments")


def test_hyphens_come_and_go():
    assert {"ice-cream", "ice cream", "icecream"} <= labels("Ice-cream") & labels("ice-cream")
    assert "ice-cream" in labels("ice cream")


def test_function_words_alone_are_not_looked_up_save_as_acronyms():
    assert labels("it is of the") == set()
    assert labels("US") == {"US", "U.S."}
    assert "can" in labels("the can")
    assert "The Beatles" in labels("Beatles") & labels("The Beatles")


def test_acronyms_are_spelled_in_capitals():
    assert "NASA" in labels("nasa")


def test_no_run_goes_across_the_end_of_a_sentence():
    found = labels("He saw a dog. Cats ran, birds flew.")
    assert not [label for label in found if "dog" in label.lower() and "cat" in label.lower()]
    assert "ran, birds" in found  # Paris, Texas


def test_words_with_accents_are_spelled_with_and_without():
    assert {"Café", "café", "cafe"} <= labels("Café")


def test_scripts_without_spaces_give_runs_of_characters():
    assert {"小提琴", "提琴", "琴"} <= labels("小提琴", "zh")


def test_nothing_is_looked_up_that_no_label_has():
    assert not [label for label in labels("a\x07b \ud800 c\x85d violin") if not label.isprintable()]
    assert labels("... !!! --") == set()
    assert "" not in labels("a-b - 's")


def test_the_order_of_sentences_changes_nothing():
    sentences = ["A man plays a violin.", "Dogs bark."]
    assert seed_labels(sentences, "en", 6) == seed_labels(sentences[::-1] * 2, "en", 6)
    assert seed_labels([], "en", 6) == []


def test_sentences_are_lines_of_text(tmp_path):
    seed = tmp_path / "seed.txt"
    seed.write_bytes("\ufeffA dog.\r\n\n  Zwölf.  \n".encode())
    assert read_sentences(seed) == ["A dog.", "Zwölf."]
    seed.write_bytes(b"A dog.\n\xff\xfe\n")
    with pytest.raises(InputSyntaxError, match="seed.txt:2: expected UTF-8 text"):
        read_sentences(seed)
    seed.write_text("a" * 100_001)
    with pytest.raises(InputSyntaxError, match="seed.txt:1: found 100,001 characters, expected at most 100,000"):
        read_sentences(seed)
    with pytest.raises(InputSyntaxError, match="none.txt: cannot be opened"):
        read_sentences(tmp_path / "none.txt")


def test_some_words_of_three_may_be_hyphenated_and_acronyms_have_full_stops():
    assert {"hot-air balloon", "hot air-balloon", "hot-air-balloon"} <= labels("hot air balloon")
    assert "U.S.A." in labels("USA")


def test_words_with_a_lemma_may_be_hyphenated_too():
    assert "stand-up" in labels("standing up")
    assert "bell-bottom" in labels("bell bottoms")
