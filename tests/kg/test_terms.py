from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.kg import terms
from kg_reason.kg.compiled import interpreted
from kg_reason.kg.terms import TermInterner, term_hash

keys = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=60)


@given(keys)
def test_equal_keys_get_equal_ids_and_others_do_not(texts: list[str]) -> None:
    ids = TermInterner().intern_keys(texts).tolist()
    assert [texts.index(text) for text in texts] == [ids.index(number) for number in ids]


@given(keys)
def test_a_table_finds_every_key_it_holds_and_no_other(texts: list[str]) -> None:
    interner = TermInterner()
    interner.intern_keys(texts)
    table = interner.table(interner.canonical_order())
    assert sorted(table.key(term) for term in range(len(table))) == sorted(set(texts))
    assert all(table.key(table.find(text)) == text for text in texts)
    assert table.find("a key that is longer than any drawn") == -1


@given(keys, st.randoms())
def test_canonical_ids_do_not_depend_on_the_order_of_reading(texts: list[str], random) -> None:
    tables = []
    for _ in range(2):
        interner = TermInterner()
        interner.intern_keys(texts)
        tables.append(interner.table(interner.canonical_order()))
        random.shuffle(texts)
    assert tables[0].text.tobytes() == tables[1].text.tobytes()


def test_the_interner_grows_past_its_first_size() -> None:
    interner = TermInterner()
    texts = [f"http://example.org/entity/{number}" for number in range(200_000)]
    assert interner.intern_keys(texts).tolist() == list(range(200_000))
    assert interner.intern_keys(texts[::-1]).tolist() == list(range(200_000))[::-1]


@given(st.binary(max_size=200), st.integers(0, 9))
def test_the_hash_is_that_of_byte_by_byte_compiled_and_interpreted(key: bytes, start: int) -> None:
    value = 1469598103
    for byte in key[start:]:
        value = (value * 1000003 + byte + 1) & terms.HASH_MASK
    buffer = np.frombuffer(key or b"x", dtype=np.uint8)
    for kernel in (term_hash, interpreted(term_hash)):
        assert kernel(buffer, start, max(start, len(key))) == value


def test_keys_longer_than_a_slot_can_tell_are_told_apart() -> None:
    interner = TermInterner()
    long = "x" * (1 << 24)
    texts = [long, long + "y", long + "z", "x"]
    assert interner.intern_keys(texts).tolist() == [0, 1, 2, 3]
    assert interner.intern_keys(texts[::-1]).tolist() == [3, 2, 1, 0]
    assert [interner.find(text) for text in (long + "z", long, "y")] == [2, 0, -1]


@given(keys)
def test_interning_means_the_same_compiled_and_interpreted(texts: list[str]) -> None:
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([len(key) for key in encoded], dtype=np.int64)
    spans = np.stack([ends - [len(key) for key in encoded], ends], axis=1).reshape(-1, 2).astype(np.int64)
    buffer = np.frombuffer(b"".join(encoded) or b"x", dtype=np.uint8)
    results = []
    for intern in (terms._intern, interpreted(terms._intern)):
        text, offset, hashes = np.zeros(4096, np.uint8), np.zeros(99, np.int64), np.zeros(99, np.int64)
        slot, ids = np.full((128, 2), -1, dtype=np.int64), np.empty(len(texts), dtype=np.int32)
        num_terms = intern(buffer, spans, text, offset, hashes, slot, 0, ids, np.empty((2, 64), dtype=np.int64))
        results.append((num_terms, ids.tolist(), text.tolist(), offset.tolist(), hashes.tolist(), slot.tolist()))
    assert results[0] == results[1]
