"""Words of a text as rows: places, function phrases, words that turn, names of the example."""

import pytest

from kg_reason import EntityLinker
from kg_reason.kg.lemmas import NOUN, VERB
from kg_reason.kg.span_choice import ROW_NAMED, ROW_PHRASE
from kg_reason.kg.word_rows import place_words, take_names, take_phrases, turn_words


@pytest.fixture
def table(toy_graph):
    return EntityLinker(toy_graph)._empty_table()


def test_every_word_has_its_place_in_the_text(table):
    text = "A dog  and\ta dog, a cat"
    rows, starts, ends = place_words(text, table)
    words = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    assert [word for word in words if word.isalpha()] == ["A", "dog", "and", "a", "dog", "a", "cat"]
    assert rows[3] == rows[-2]


def test_words_of_a_function_phrase_are_taken_and_others_stay(table):
    rows, _, _ = place_words("a lot of dogs", table)
    before = list(rows)
    take_phrases(rows, table)
    assert rows[:3] == [ROW_PHRASE] * 3
    assert rows[3] == before[3]


@pytest.mark.parametrize(
    ("text", "word", "tag", "turns"),
    [
        ("the can is here", 1, 0, True), ("they can see", 1, 0, False), ("they like it", 1, 0, True),
        ("a dog like that", 2, 0, False), ("in May it rains", 1, 0, True), ("it may rain", 1, 0, False),
        ("they can see", 1, NOUN, True), ("dogs like that", 1, VERB, True),
    ],
)  # fmt: skip
def test_function_words_turn_where_neighbours_or_a_tagger_say_so(table, text, word, tag, turns):
    rows, _, _ = place_words(text, table)
    before = list(rows)
    tags = [0] * len(rows)
    tags[word] = tag
    turn_words(rows, tags, table)
    assert (rows[word] != before[word]) is turns


def test_a_name_takes_its_words_also_in_the_plural_and_the_longest_name_wins(table):
    rows, _, _ = place_words("two gavorns and a red pelit", table)
    named = take_names(rows, table, {"gavorn": 3, "pelit": 5, "red pelit": 7}, "en")
    assert named == {1: (2, 3, "gavorn"), 4: (6, 7, "red pelit")}
    assert [row == ROW_NAMED for row in rows] == [False, True, False, False, True, True]
