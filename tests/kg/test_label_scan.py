from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.kg import label_scan
from kg_reason.kg.compiled import interpreted
from kg_reason.kg.label_index import MAX_LABEL_CHARACTERS, MAX_LABEL_WORDS, label_entries
from kg_reason.kg.label_scan import SLOW, scan_labels

labels = st.lists(
    st.one_of(
        st.text(st.sampled_from("abQTHEthe019 _"), max_size=14),
        st.text(st.sampled_from("aB1 _-.é'"), max_size=8),
        st.integers(0, 10**9).map(lambda number: f"Q{number}"),
        st.sampled_from(["the Hague", "The Hague", "THE", "theatre x", "a " * 31 + "b", "a " * 33, "iPhone 4", "a_b"]),
    ),
    max_size=12,
)


def scan(texts: list[str], language: str):
    encoded = [text.encode() for text in texts]
    offset = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    text = np.frombuffer(bytearray().join(encoded), dtype=np.uint8)
    english = np.full(len(texts), language in ("", "en"))
    return scan_labels(
        text, offset, np.arange(len(texts), dtype=np.int64), english, MAX_LABEL_WORDS, MAX_LABEL_CHARACTERS
    )


def entries(texts: list[str], language: str) -> list[tuple[str, list[tuple[list[str], int]]]]:
    """Return the plain labels and how the scan enters them."""
    scanned = scan(texts, language)
    words = iter(scanned.text[start:end].tobytes().decode() for start, end in scanned.spans.tolist())
    found = []
    for text, num_words, shape in zip(texts, scanned.num_words.tolist(), scanned.shape.tolist(), strict=True):
        entry = [next(words) for _ in range(max(num_words, 0))]
        if num_words != SLOW:
            found.append((text, [(entry, shape)] if num_words else []))
    assert next(words, None) is None
    return found


@given(labels, st.sampled_from(["", "en", "de"]))
def test_plain_labels_are_entered_as_the_definition_says(texts: list[str], language: str) -> None:
    for text, entered in entries(texts, language):
        assert entered == label_entries(text, language), text


@given(labels)
def test_the_scan_is_the_same_compiled_and_interpreted(texts: list[str]) -> None:
    compiled = scan(texts, "")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_count_words", "_scan", "_word_shape", "_write"):
            patch.setattr(label_scan, name, interpreted(getattr(label_scan, name)))
        plain = scan(texts, "")
    for one, other in zip(compiled, plain, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("text", ["Q42", "violin", "String Instrument", "red_wine", "1984", "", " "])
def test_usual_labels_are_plain(text: str) -> None:
    assert scan([text], "en").num_words.tolist() == [len(text.replace("_", " ").split())]


@pytest.mark.parametrize("text", ["ice-cream", "3D", "Café", "the Hague", "U.S.", "x" * 1001])
def test_unusual_labels_are_left_to_the_definition(text: str) -> None:
    assert scan([text], "en").num_words.tolist() == [SLOW]


def test_digits_are_plain_by_english_rules_only() -> None:
    assert scan(["Apollo 11"], "de").num_words.tolist() == [SLOW]
