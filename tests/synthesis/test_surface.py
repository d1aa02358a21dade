"""kg_reason.synthesis.surface: forms of words, articles, places."""

import pytest

from kg_reason.synthesis.surface import article, fill, form_of, inflect, is_countable, is_mass, is_name, replace


@pytest.mark.parametrize(
    ("word", "tag", "form"),
    [
        ("violin", "NNS", "violins"),
        ("child", "NNS", "children"),
        ("french horn", "NNS", "french horns"),
        ("glass of water", "NNS", "glasses of water"),
        ("mother-in-law", "NNS", "mothers-in-law"),
        ("sheep", "NNS", "sheep"),
        ("run", "VBD", "ran"),
        ("run", "VBN", "run"),
        ("re-create", "VBG", "re-creating"),
        ("give up", "VBG", "giving up"),
        ("big", "JJR", "bigger"),
        ("far", "IN", "far from"),
        ("gavorn", "NNS", "gavorns"),
        ("gavorn", "VBG", "gavorning"),
    ],
)
def test_a_word_takes_the_form_of_a_tag(word, tag, form):
    assert inflect(word, tag) == form


@pytest.mark.parametrize(("word", "tag"), [("furniture", "NNS"), ("beautiful", "JJR"), ("quickly", "IN")])
def test_a_form_that_english_lacks_is_empty(word, tag):
    assert inflect(word, tag) == ""


@pytest.mark.parametrize(
    ("surface", "lemma", "pos", "tag"),
    [
        ("violins", "violin", "n", "NNS"),
        ("Violin", "violin", "n", "NN"),
        ("fishes", "fish", "n", "NNS"),
        ("sitting", "sit", "v", "VBG"),
        ("walked", "walk", "v", "VBD"),
        ("bigger", "big", "a", "JJR"),
        ("violinist", "violin", "n", ""),
    ],
)
def test_the_form_of_a_surface_is_told_by_its_tag(surface, lemma, pos, tag):
    assert form_of(surface, lemma, pos) == tag


@pytest.mark.parametrize(
    ("word", "wanted"),
    [("apple", "an"), ("hour", "an"), ("university", "a"), ("uninteresting", "an"), ("European", "a"), ("one", "a"),
     ("umbrella", "an"), ("unused", "an"), ("unique", "a"), ("8", "an"), ("18", "an"), ("180", "a"), ("violin", "a")],
)
def test_the_article_follows_the_sound(word, wanted):
    assert article(word) == wanted


def test_a_noun_is_countable_or_mass_or_both():
    assert (is_countable("beverage"), is_mass("beverage")) == (True, False)
    assert (is_countable("furniture"), is_mass("furniture")) == (False, True)
    assert (is_countable("beer"), is_mass("beer")) == (True, True)


def test_replacing_a_word_mends_the_article_and_keeps_the_capital():
    assert replace("A violin lies there.", 2, 8, "instrument").text == "An instrument lies there."
    assert replace("Dogs bark.", 0, 4, "animals").text == "Animals bark."
    assert replace("He saw an old cat.", 10, 13, "grey").text == "He saw a grey cat."


@pytest.mark.parametrize(
    ("filled", "word"),
    [
        (replace("A violin lies there.", 2, 8, "instrument"), "instrument"),
        (replace("Dogs bark.", 0, 4, "animals"), "Animals"),
        (fill("He has a {NN}.", "ox"), "ox"),
        (fill("It is about {NNP}.", "explorer"), "explorer"),
    ],
)
def test_a_sentence_says_where_its_word_stands(filled, word):
    assert filled.text[filled.start : filled.end] == word


def test_taking_a_word_out_mends_what_follows():
    assert replace("She ate a big apple.", 10, 13, "").text == "She ate an apple."
    assert replace("Old men sing.", 0, 3, "").text == "Men sing."


def test_a_name_has_capitals_throughout():
    assert is_name("Lake Erie")
    assert is_name("Joan of Arc")
    assert not is_name("French horn")
    assert not is_name("violin")


def test_a_frame_takes_a_word_in_the_form_of_its_gap():
    assert fill("There is a {NN} here.", "apple").text == "There is an apple here."
    assert fill("Some {NNS} were seen.", "child").text == "Some children were seen."
    assert fill("It is about {NNP}.", "explorer").text == "It is about an explorer."
    assert fill("It is about {NNP}.", "Peru").text == "It is about Peru."


def test_a_frame_refuses_a_word_that_cannot_stand_there():
    assert fill("There is a {NN} here.", "furniture").text == ""
    assert fill("No gap here.", "violin").text == ""
