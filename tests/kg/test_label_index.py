import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.kg.compiled import interpreted
from kg_reason.kg.label_index import build_label_index, exact, label_entries, match_labels

LABELS = ["hot dog", "dog", "Ice-Cream", "e-mail", "The Hague", "driver's license", "hot", "dog", "...",
          "R\u00e9sum\u00e9"]  # fmt: skip


def index_of(labels):
    return build_label_index(labels, [""] * len(labels), np.arange(len(labels), dtype=np.int32))


def found(index, label):
    return exact(index, label).tolist()


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("hot dog", [0]), ("HOT_DOG", [0]), ("dog", [1, 7]), ("ice cream", [2]), ("icecream", [2]), ("e mail", [3]),
        ("email", [3]), ("Hague", [4]), ("the hague", [4]), ("driver license", [5]), ("resume", [9]), ("...", []),
        ("cat", []), ("hot dogs", []), ("", []), ("ice", []),
    ],
)  # fmt: skip
def test_exact_lookup_ignores_case_hyphens_and_accents(name, labels):
    assert found(index_of(LABELS), name) == labels


def test_aliases_of_a_node_keep_the_order_given():
    index = build_label_index(["dog", "Dog", "DOG"], ["", "en", "de"], np.array([5, 2, 9], dtype=np.int32))
    assert found(index, "dog") == [5, 2, 9]


def test_an_index_without_labels_finds_nothing():
    index = index_of([])
    assert found(index, "dog") == []
    assert index.num_words == 0


def test_node_words_lead_back_to_the_label():
    index = index_of(LABELS)
    walked = {index.node_words(node) for node in range(1, len(index.child_key) + 1)}
    assert ("hot", "dog") in walked
    assert ("driver", "license") in walked


def test_order_of_labels_changes_only_the_order_of_aliases():
    forward, backward = index_of(LABELS), index_of(LABELS[::-1])
    assert np.array_equal(forward.child_key, backward.child_key)
    assert np.array_equal(forward.word_text, backward.word_text)


def test_a_label_of_a_thousand_words_is_left_out():
    assert label_entries("word " * 1000, "en") == []
    assert label_entries("Word, " * 1000, "en") == []


@given(st.lists(st.text(max_size=12), max_size=12))
def test_every_label_with_words_is_found_again(labels):
    index = index_of(labels)
    for number, label in enumerate(labels):
        if label_entries(label, ""):
            assert number in found(index, label)


def test_compiled_and_interpreted_matching_agree():
    index = index_of(LABELS)
    ids = [index.find_word(word) for word in ("hot", "dog", "license")]
    spans = np.array([[0, 1], [1, 2], [2, 3]], dtype=np.int32)
    alternatives = np.array([[number, 15, 1, 0] for number in ids], dtype=np.int32)
    rows = np.array([0, 1, 2, 1, -1, 0, 1], dtype=np.int32)
    arguments = (
        index.child_key, index.child_start, index.root_child, index.node_start, spans, alternatives, rows, 4
    )  # fmt: skip
    matches = match_labels(*arguments)
    assert np.array_equal(matches, interpreted(match_labels)(*arguments))
    assert [tuple(row[:2]) for row in matches.tolist()] == [(0, 1), (0, 2), (1, 2), (3, 4), (5, 6), (5, 7), (6, 7)]
