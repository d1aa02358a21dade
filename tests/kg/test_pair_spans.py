"""Which labels of several words give way to their words beside another sentence, and which stand."""

import pytest

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.triples import Source, Triple

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
NOUNS = (
    "girl", "little girl", "dog", "hot dog", "wall", "stone wall", "stone", "plastic", "brick", "man", "old man",
    "young man", "fire", "dump", "truck", "fire truck", "dump truck", "street", "road", "middle", "lamp", "cat", "bone",
)  # fmt: skip
ADJECTIVES = ("little", "small", "hot", "old", "young", "big", "middle of the road")
VERBS = ("turn", "turn on", "turn off", "sleep", "eat", "come", "come up", "stand", "see", "sell")


@pytest.fixture(scope="module")
def linker():
    labels = [(word, pos) for words, pos in ((NOUNS, "n"), (ADJECTIVES, "a"), (VERBS, "v")) for word in words]
    labels += [("behind", "r"), ("off", "r"), ("up", "r")]
    return EntityLinker(
        KnowledgeGraph.from_triples(
            Triple(f"{word.replace(' ', '_')}.{pos}", LABEL, word, Source("words.tsv", line), language="en", pos=pos)
            for line, (word, pos) in enumerate(labels, start=1)
        )
    )


def linked(linker, premise, hypothesis, **settings):
    sides = linker.link_pair(premise, hypothesis, **settings)
    return [[mention.text for mention in mentions] for mentions in sides]


def test_a_label_gives_way_where_one_of_its_words_is_replaced(linker):
    assert linked(linker, "A little girl sleeps.", "A small girl sleeps.") == [
        ["little", "girl", "sleeps"], ["small", "girl", "sleeps"]
    ]  # fmt: skip
    assert linked(linker, "He sees a stone wall.", "He sees a plastic wall.") == [
        ["sees", "stone", "wall"], ["sees", "plastic", "wall"]
    ]  # fmt: skip


def test_a_label_gives_way_on_either_side(linker):
    assert linked(linker, "A plastic wall stands.", "A stone wall stands.")[1] == ["stone", "wall", "stands"]
    assert linked(linker, "They come behind.", "They come up.")[1] == ["come", "up"]


def test_a_label_gives_way_beside_another_form_of_its_word(linker):
    assert linked(linker, "Little girls sleep.", "A small girl sleeps.")[0] == ["Little", "girls", "sleep"]


def test_a_word_inside_a_label_that_is_replaced_frees_the_words_around_it(linker):
    first, second = linked(linker, "A man in the middle of the street.", "A man in the middle of the road.")
    assert first == ["man", "middle", "street"]
    assert second == ["man", "middle", "road"]


@pytest.mark.parametrize("other", ["A little girl eats.", "The little girls sleep.", "A cat sleeps.", "She sleeps."])
def test_a_label_stands_beside_itself_and_beside_other_words(linker, other):
    assert linked(linker, "A little girl sleeps.", other)[0] == ["little girl", "sleeps"]


@pytest.mark.parametrize("other", ["A dog sleeps.", "The big dog sleeps.", "Dogs sleep."])
def test_a_label_whose_other_words_are_only_missing_there_stands(linker, other):
    premise = "The big hot dog sleeps." if "big" in other else "A hot dog sleeps."
    assert "hot dog" in linked(linker, premise, other)[0]


def test_labels_in_each_other_s_place_stand_unless_they_differ_in_adjectives(linker):
    assert linked(linker, "They turn on the lamp.", "They turn off the lamp.") == [
        ["turn on", "lamp"], ["turn off", "lamp"]
    ]  # fmt: skip
    assert linked(linker, "We see a fire truck.", "We see a dump truck.")[1] == ["see", "dump truck"]
    assert linked(linker, "An old man sleeps.", "A young man sleeps.") == [
        ["old", "man", "sleeps"], ["young", "man", "sleeps"]
    ]  # fmt: skip


def test_the_places_of_both_sides_are_those_of_their_own_text(linker):
    texts = ("A little girl sleeps.", "A small girl sleeps.")
    for text, mentions in zip(texts, linker.link_pair(*texts), strict=True):
        assert all(text[mention.start : mention.end] == mention.text for mention in mentions)


def test_a_pair_of_unrelated_or_empty_texts_is_linked_as_each_alone(linker):
    for premise, hypothesis in (("A cat eats.", "An old man stands."), ("", "A little girl sleeps."), ("A dog.", "")):
        assert linker.link_pair(premise, hypothesis) == (linker.link(premise), linker.link(hypothesis))


def test_an_invented_name_replaces_a_word_of_a_label(linker):
    names = {"gavorn": "small.a"}
    first, second = linker.link_pair("A little girl sleeps.", "A gavorn girl sleeps.", names)
    assert [mention.text for mention in first] == ["little", "girl", "sleeps"]
    assert [mention.key for mention in second] == ["gavorn", "girl", "sleep"]


def test_a_table_of_words_that_is_full_changes_no_pair(linker, monkeypatch):
    pairs = [("A little girl sleeps.", "A small girl sleeps."), ("A stone wall stands.", "A brick wall stands.")]
    expected = [linker.link_pair(*pair) for pair in pairs]
    monkeypatch.setattr("kg_reason.kg.linker.MAX_ROWS", 3)
    assert [EntityLinker(linker.graph).link_pair(*pair) for pair in pairs] == expected
    small = EntityLinker(linker.graph)
    assert [small.link_pair(*pair) for pair in pairs] == expected
