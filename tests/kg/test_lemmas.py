import pytest

from kg_reason.kg.lemmas import (
    ADJECTIVE,
    NOUN,
    VERB,
    english_exceptions,
    english_lemmas,
    lemmatiser,
    read_exceptions,
    unknown_lemma,
)

IRREGULAR = read_exceptions(
    ["n\tmice\tmouse\n", "v\tleft\tleave\n", "v\tsaw\tsee\n", "a\tbetter\tgood\twell\n", "n\tx\n"]
)


@pytest.mark.parametrize(
    ("word", "lemma", "pos"),
    [
        ("dogs", "dog", NOUN), ("boxes", "box", NOUN), ("churches", "church", NOUN), ("cities", "city", NOUN),
        ("wolves", "wolf", NOUN), ("firemen", "fireman", NOUN), ("plays", "play", VERB), ("carries", "carry", VERB),
        ("carried", "carry", VERB), ("baked", "bake", VERB), ("jumped", "jump", VERB), ("running", "run", VERB),
        ("making", "make", VERB), ("vlogging", "vlog", VERB), ("bigger", "big", ADJECTIVE),
        ("nicest", "nice", ADJECTIVE), ("happier", "happy", ADJECTIVE), ("mice", "mouse", NOUN),
        ("left", "leave", VERB), ("better", "good", ADJECTIVE),
    ],
)  # fmt: skip
def test_inflected_form_has_its_lemma_among_the_candidates(word, lemma, pos):
    assert dict(english_lemmas(word, IRREGULAR)).get(lemma, 0) & pos


@pytest.mark.parametrize(
    ("word", "lemma"), [("riding", "ride"), ("rides", "ride"), ("hoped", "hope"), ("barred", "bar"), ("later", "late")]
)
def test_one_word_is_no_form_of_another_that_is_spelt_otherwise(word, lemma):
    short = {"riding": "rid", "rides": "rid", "hoped": "hop", "barred": "bare", "later": "lat"}[word]
    found = dict(english_lemmas(word, {}))
    assert lemma in found
    assert short not in found


def test_singing_is_a_form_of_sing_and_not_of_singe():
    assert list(dict(english_lemmas("singing", english_exceptions()))) == ["sing"]
    assert "change" in dict(english_lemmas("changing", english_exceptions()))


@pytest.mark.parametrize("word", ["glass", "bus", "basis", "as", "is", "s", "ing"])
def test_words_that_only_look_inflected_have_no_lemma(word):
    assert english_lemmas(word, {}) == ()


def test_a_word_is_never_its_own_lemma():
    exceptions = english_exceptions()
    assert all(lemma != word for word in exceptions for lemma, _ in english_lemmas(word, exceptions))


def test_packaged_exceptions_hold_irregular_forms():
    assert dict(english_exceptions()["feet"]) == {"foot": NOUN}
    assert "go" in dict(english_exceptions()["went"])


def test_unknown_plural_and_singular_share_a_form():
    assert unknown_lemma("gavorns", {}) == unknown_lemma("gavorn", {}) == "gavorn"
    assert unknown_lemma("pelities", {}) == "pelity"
    assert unknown_lemma("torbus", {}) == "torbus"
    assert unknown_lemma("mice", IRREGULAR) == "mouse"


def test_a_language_without_rules_has_no_lemmas():
    assert lemmatiser("qq")("hunde") == ()
