"""scripts/make_test_pairs.py: test sets of our own and the graphs they are asked of."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest
from graph_copies import SYNONYMS_OF_RELATIONS, Name
from make_test_pairs import (
    balanced,
    base_words,
    entity_pair,
    is_upward,
    named_pairs,
    own_table,
    share_linked,
    unique,
    words_beside,
)

from kg_reason import NLIExample, SynthesisConfig
from kg_reason.kg.words import plain_name
from kg_reason.nli import THREE_WAY, Justification, Label, ReplacedWord
from kg_reason.synthesis.relation_table import load_table

DATA = Path(__file__).parent.parent / "data"
SENTENCES = [
    "A man plays a violin in the street.", "The woman is holding a drum.", "There is no dog in the garden.",
    "Every guitar in the shop is old.", "A boy is looking at a cat.", "The old man has a cello.",
]


def pair(label: Label, category: str, source: str = "s1", **more: object) -> NLIExample:
    return NLIExample("A gavorn.", "A pelit.", label, category, example_id=source, **more)


def tagged_pair(label: Label, category: str, source: str, tag: str) -> NLIExample:
    words = (ReplacedWord(2, 8, "a", tag), ReplacedWord(2, 7, "b", tag))
    return pair(label, category, source, justification=Justification(*words, (), False))


def test_pairs_are_chosen_evenly_over_labels_and_patterns_and_from_sentences_first():
    examples = [pair(Label.ENTAILMENT, "hypernym", f"s{n}") for n in range(50)]
    examples += [pair(Label.ENTAILMENT, "synonym", f"s{n}") for n in range(10)]
    examples += [pair(Label.NEUTRAL, "hyponym", f"f{n}") for n in range(30)]
    examples += [pair(Label.NEUTRAL, "hyponym", f"s{n}") for n in range(5)]
    examples += [pair(Label.CONTRADICTION, "antonym", f"s{n}") for n in range(8)]
    chosen = balanced(examples, 30, 0, {})
    assert Counter((str(example.label), example.category) for example in chosen) == {
        ("entailment", "hypernym"): 4, ("entailment", "synonym"): 4, ("neutral", "hyponym"): 8,
        ("contradiction", "antonym"): 8,
    }
    neutral = [example.example_id for example in chosen if example.label is Label.NEUTRAL]
    assert sum(name.startswith("s") for name in neutral) == 5
    assert chosen == balanced(examples, 30, 0, {})


def test_no_label_is_commoner_in_one_part_of_speech_or_set_of_frames():
    examples = [tagged_pair(Label.ENTAILMENT, "synonym", f"s{n}", "NN") for n in range(40)]
    examples += [tagged_pair(Label.ENTAILMENT, "similar", f"f{n}", "JJ") for n in range(10)]
    examples += [tagged_pair(Label.NEUTRAL, "hyponym", f"s{n}", "NN") for n in range(30)]
    examples += [tagged_pair(Label.NEUTRAL, "unrelated", f"s{n}", "JJ") for n in range(4)]
    examples += [tagged_pair(Label.CONTRADICTION, "sister", f"s{n}", "NN") for n in range(12)]
    examples += [tagged_pair(Label.CONTRADICTION, "antonym", f"s{n}", "JJ") for n in range(60)]
    examples += [tagged_pair(Label.CONTRADICTION, "colour", f"s{n}", "JJ") for n in range(9)]
    examples += [tagged_pair(Label.CONTRADICTION, "instance sister", f"s{n}", "NNP") for n in range(9)]
    chosen = balanced(examples, 30, 0, {"colour": "colour"})
    counts = Counter((str(example.label), example.justification.premise_word.tag) for example in chosen)
    assert set(counts.values()) == {8, 2}
    assert all(counts[str(label), "NN"] == 8 and counts[str(label), "JJ"] == 2 for label in THREE_WAY)
    assert {"colour", "instance sister"}.isdisjoint(example.category for example in chosen)  # alone in their classes


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [("A gavorn sleeps.", True), ("No gavorn sleeps.", False), ("He didn't see it.", False), ("Every gavorn.", False),
     ("The notebook is nowhere.", False), ("Norway is a knot.", True)],
)  # fmt: skip
def test_a_context_with_an_operator_is_not_upward(sentence, wanted):
    assert is_upward(NLIExample(sentence, sentence)) is wanted


def test_the_entities_of_a_pair_come_from_its_justification_or_its_names():
    words = (ReplacedWord(0, 1, "ex:a", "NN"), ReplacedWord(0, 1, "ex:b", "NN"))
    assert entity_pair(pair(Label.NEUTRAL, "", justification=Justification(*words))) == {"ex:a", "ex:b"}
    assert entity_pair(pair(Label.NEUTRAL, "", names={"gavorn": "ex:b", "pelit": "ex:a"})) == {"ex:a", "ex:b"}
    assert entity_pair(pair(Label.NEUTRAL, "")) == frozenset()


def test_inflected_forms_of_invented_words_are_no_names_of_the_graph():
    names = {"gavorn": "ex:a", "gavorns": "ex:a", "pelit": "ex:b", "pelited": "ex:b"}
    assert base_words(pair(Label.NEUTRAL, "", names=names)) == {"gavorn": "ex:a", "pelit": "ex:b"}


def test_pairs_with_invented_words_are_upward_and_leave_out_those_of_training(toy_graph):
    config = SynthesisConfig(num_pairs=60, nonce_fraction=1.0, max_pairs_per_sentence=20)
    found = named_pairs(toy_graph, SENTENCES, config, 30, frozenset())
    assert found
    assert all(example.names and is_upward(example) for example in found)
    excluded = {entity_pair(found[0])}
    again = named_pairs(toy_graph, SENTENCES, config, 30, excluded)
    assert again
    assert entity_pair(found[0]) not in {entity_pair(example) for example in again}


def test_the_share_of_linked_words_counts_what_the_graph_knows(toy_graph):
    known = NLIExample("A violin.", "A cello.", Label.NEUTRAL, names={"violin": "ex:violin", "cello": "ex:cello"})
    unknown = NLIExample("A gavorn.", "A pelit.", Label.NEUTRAL, names={"gavorn": "ex:violin", "pelit": "ex:cello"})
    assert share_linked(toy_graph, [known]) == {"words": 2, "first": 1.0, "any": 1.0}
    assert share_linked(toy_graph, [known, unknown]) == {"words": 4, "first": 0.5, "any": 0.5}


def test_frames_of_test_pairs_stand_in_place_of_those_of_training(tmp_path):
    table = load_table(own_table(tmp_path / "table.toml", (DATA / "test_frames.toml").read_text(encoding="utf-8")))
    shipped = load_table()
    assert table.patterns == shipped.patterns
    assert set(table.frames) == set(shipped.frames)
    trained = {text for frames in shipped.frames.values() for text in (*frames.upward, *frames.downward)}
    asked = {text for frames in table.frames.values() for text in (*frames.upward, *frames.downward)}
    assert not asked & trained


def test_upward_frames_of_test_pairs_hold_no_operator():
    table = tomllib.loads((DATA / "test_frames.toml").read_text(encoding="utf-8"))
    texts = [text for frames in table["frames"].values() for text in frames["upward"]]
    assert len(texts) >= 50
    assert all(is_upward(NLIExample(text, text)) for text in texts)


def test_an_invented_word_with_two_entities_is_refused():
    names = [Name("ex:a", "gavorn"), Name("ex:a", "gavorn"), Name("ex:b", "pelit")]
    assert unique(names) == [Name("ex:a", "gavorn"), Name("ex:b", "pelit")]
    with pytest.raises(ValueError, match="'gavorn' names ex:a and ex:b"):
        unique([Name("ex:a", "gavorn"), Name("ex:b", "gavorn")])


def test_invented_words_of_other_pairs_are_not_drawn_again(toy_graph):
    from kg_reason.synthesis.nonce import NonceWords

    first = NonceWords(toy_graph, 5).draw()
    draw = words_beside(NonceWords(toy_graph, 5), [pair(Label.NEUTRAL, "", names={first: "ex:a"})])
    assert draw() != first


def test_no_relation_name_of_the_unseen_test_is_in_the_table_that_training_draws_names_from():
    names = {plain_name(name) for members in load_table().groups.values() for name in members}
    assert names.isdisjoint(plain_name(name) for name in SYNONYMS_OF_RELATIONS.values())
