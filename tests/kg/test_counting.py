from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.kg.counting import counted_order, num_shared, row_offsets, stable_order

values = st.lists(st.integers(0, 9), max_size=40).map(lambda numbers: np.array(numbers, dtype=np.int32))
ascending = st.sets(st.integers(-20, 20)).map(lambda numbers: np.array(sorted(numbers), dtype=np.int64))


@given(values)
def test_counting_sorts_and_keeps_the_order_of_equals(numbers: np.ndarray) -> None:
    assert counted_order(numbers, 10).tolist() == np.argsort(numbers, kind="stable").tolist()


@given(st.lists(st.sampled_from([0, 1, 2, 2**31 - 1]), max_size=40))
def test_a_stable_order_keeps_the_order_of_equals(keys: list[int]) -> None:
    numbers = np.array(keys, dtype=np.int64)
    assert stable_order(numbers).tolist() == np.argsort(numbers, kind="stable").tolist()


@given(values, st.randoms())
def test_sorting_by_two_columns_is_sorting_by_one_after_the_other(first: np.ndarray, random) -> None:
    second = np.array([random.randrange(10) for _ in first], dtype=np.int32)
    order = counted_order(first, 10, counted_order(second, 10))
    assert order.tolist() == np.lexsort((second, first)).tolist()


@given(values)
def test_offsets_bound_the_rows_of_each_owner(owners: np.ndarray) -> None:
    offset = row_offsets(owners, 10)
    assert np.diff(offset).tolist() == [int((owners == owner).sum()) for owner in range(10)]
    assert (int(offset[0]), int(offset[-1])) == (0, len(owners))


@given(ascending, ascending)
def test_shared_numbers_are_counted_once_each(first: np.ndarray, second: np.ndarray) -> None:
    assert num_shared(first, second) == len(np.intersect1d(first, second))
