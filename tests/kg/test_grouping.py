from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.kg import grouping
from kg_reason.kg.compiled import interpreted
from kg_reason.kg.grouping import MAX_INSERTED, grouped_rows, is_first

rows = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5)), max_size=60)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    owner, key = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return owner.astype(np.int32), key.copy()


@given(rows)
def test_rows_stand_by_owner_and_key_and_equal_ones_as_they_were(pairs: list[tuple[int, int]]) -> None:
    owner, key = columns(pairs)
    grouped = grouped_rows(owner, key, 9)
    assert grouped.order.tolist() == np.lexsort((key, owner)).tolist()
    assert grouped.key.tolist() == key[grouped.order].tolist()
    assert np.diff(grouped.offset).tolist() == np.bincount(owner, minlength=9).tolist()


def test_many_owners_and_owners_of_many_rows_are_sorted_alike() -> None:
    random = np.random.default_rng(0)
    owner = (5000 * random.random(30_000) ** 6).astype(np.int32)
    key = random.integers(1 << 61, size=50)[random.integers(50, size=len(owner))]
    grouped = grouped_rows(owner, key, 5000)
    assert np.bincount(owner).max() > 100 * MAX_INSERTED
    assert grouped.order.tolist() == np.lexsort((key, owner)).tolist()


@given(rows)
def test_the_first_row_of_each_owner_and_key_is_known(pairs: list[tuple[int, int]]) -> None:
    grouped = grouped_rows(*columns(pairs), 9)
    firsts = grouped.order[is_first(grouped.key, grouped.offset)].tolist()
    assert [pairs[row] for row in firsts] == sorted(set(pairs))
    assert firsts == [pairs.index(pairs[row]) for row in firsts]


def test_it_means_the_same_compiled_and_interpreted(monkeypatch) -> None:
    random = np.random.default_rng(1)
    owner = np.sort(random.integers(3, size=150)).astype(np.int32)[::-1].copy()
    key = random.integers(40, size=150)
    fast = grouped_rows(owner, key, 3)
    for name in ("_deal", "_sort_owner", "_sort_parts"):
        monkeypatch.setattr(grouping, name, interpreted(getattr(grouping, name)))
    slow = grouped_rows(owner, key, 3)
    assert [column.tolist() for column in slow] == [column.tolist() for column in fast]
