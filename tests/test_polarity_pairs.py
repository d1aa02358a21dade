"""scripts/polarity_pairs.py: frames whose gap turns inference round or does not."""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from polarity_pairs import Frame, make_polarity_pairs, read_frames

from kg_reason import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple
from kg_reason.synthesis.relation_table import load_table

DATA = Path(__file__).parent.parent / "data"
LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
KITCHEN_WORDS = {
    "pan0": "skillet", "pan1": "wok", "pan2": "griddle", "pan3": "roaster", "knife0": "cleaver", "knife1": "slicer",
    "knife2": "carver", "knife3": "dagger", "bowl0": "tureen", "bowl1": "basin", "bowl2": "beaker", "bowl3": "crock",
}  # fmt: skip
FRAMES = [Frame("no", "down", "There was no {NN} here."), Frame("upward", "up", "A {NN} was here.")]


@pytest.fixture(scope="module")
def kitchen():
    """Things of a kitchen below artifact, in two levels."""
    edges = [(f"t:{kind}{n}", "hypernym", f"t:{kind}") for kind in ("pan", "knife", "bowl") for n in range(4)]
    edges += [(f"t:{kind}", "hypernym", "t:artifact") for kind in ("pan", "knife", "bowl")]
    names = dict.fromkeys(end for edge in edges for end in (edge[0], edge[2]))
    words = {name: KITCHEN_WORDS.get(name[2:], name[2:]) for name in names}
    triples = [Triple(*edge, Source("t", 1)) for edge in edges]
    source = Source("t", 2)
    triples += [Triple(name, LABEL, word, source, rank=1, language="en", pos="n") for name, word in words.items()]
    return KnowledgeGraph.from_triples(triples)


def make(graph, num_pairs=16, excluded=frozenset(), seed=0):
    numbers = count()
    return make_polarity_pairs(
        graph, FRAMES, num_pairs, draw_word=lambda: f"gavorn{next(numbers)}x", excluded=excluded, seed=seed
    )


def test_a_wider_word_follows_upward_and_a_narrower_one_downward(kitchen):
    examples = make(kitchen).examples
    assert len(examples) == 16
    for example in examples:
        justification = example.justification
        ends = (justification.premise_word.entity, justification.hypothesis_word.entity)
        climbs = justification.facts[0].head == ends[0]
        assert justification.downward == (example.category == "no")
        assert (example.label == "entailment") == (climbs != justification.downward)


def test_labels_and_invented_words_are_even_within_each_operator(kitchen):
    examples = make(kitchen).examples
    kinds = Counter((example.category, str(example.label), example.example_id.split("-")[-1]) for example in examples)
    assert set(kinds.values()) == {2}
    assert len(kinds) == 8


def test_replaced_words_stand_where_the_justification_says(kitchen):
    for example in make(kitchen).examples:
        for text, word in (
            (example.premise, example.justification.premise_word),
            (example.hypothesis, example.justification.hypothesis_word),
        ):
            label = kitchen.entity_label(kitchen.entity(word.entity))
            found = text[word.start : word.end]
            assert found == label or found.startswith("gavorn")


def test_invented_words_become_names_of_their_entities(kitchen):
    made = make(kitchen)
    invented = [example for example in made.examples if example.example_id.endswith("invented")]
    assert len(made.names) == 2 * len(invented)
    texts = {example.premise for example in invented} | {example.hypothesis for example in invented}
    assert all(any(name.text in text for text in texts) for name in made.names)


def test_pairs_of_training_are_left_out(kitchen):
    excluded = {frozenset({f"t:{kind}{n}", f"t:{kind}"}) for kind in ("pan", "knife", "bowl") for n in range(4)}
    for example in make(kitchen, excluded=excluded).examples:
        ends = {example.justification.premise_word.entity, example.justification.hypothesis_word.entity}
        assert frozenset(ends) not in excluded


def test_equal_seeds_give_equal_pairs(kitchen):
    assert make(kitchen, seed=1).examples == make(kitchen, seed=1).examples
    assert make(kitchen, seed=1).examples != make(kitchen, seed=2).examples


def test_the_frames_of_the_repository_are_whole_and_no_training_frames():
    frames = read_frames(DATA / "polarity_frames.tsv")
    table = load_table()
    trained = {text for group in table.frames.values() for text in (*group.upward, *group.downward)}
    assert len(frames) >= 90
    assert len({frame.text for frame in frames}) == len(frames)
    assert not {frame.text for frame in frames} & trained
    directions = Counter(frame.direction for frame in frames)
    assert directions["up"] >= 30
    assert directions["down"] >= 60


def test_a_frame_without_a_direction_is_told_by_its_line(tmp_path):
    (tmp_path / "frames.tsv").write_text("operator\tdirection\tframe\nno\tsideways\tNo {NN}.\n")
    with pytest.raises(ValueError, match="frames.tsv:2: found"):
        read_frames(tmp_path / "frames.tsv")
