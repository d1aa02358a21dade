from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from kg_reason.kg.interleaving import interleaved


def counting(name: str, num_items: int, closed: list[str]) -> Generator[tuple[str, int], None, None]:
    try:
        yield from ((name, number) for number in range(num_items))
    finally:
        closed.append(name)


def failing(reason: str, gate: threading.Event, opens: threading.Event) -> Generator[tuple[str, int], None, None]:
    yield reason, 0
    gate.wait()
    opens.set()
    raise ValueError(reason)


@pytest.mark.parametrize("num_threads", [1, 2, 7])
def test_every_item_comes_and_those_of_one_iterator_in_order(num_threads):
    closed: list[str] = []
    sources = [lambda name=name: counting(name, 10, closed) for name in "abcd"]
    found = list(interleaved(sources, num_threads))
    assert sorted(found) == [(name, number) for name in "abcd" for number in range(10)]
    assert all([number for item, number in found if item == name] == list(range(10)) for name in "abcd")
    assert sorted(closed) == list("abcd")


def test_with_one_thread_one_iterator_ends_before_the_next_begins():
    found = interleaved([lambda name=name: counting(name, 3, []) for name in "ab"], 1)
    assert [name for name, _ in found] == list("aaabbb")


def test_of_several_faults_the_one_of_the_first_iterator_is_raised():
    second_failed, done = threading.Event(), threading.Event()
    done.set()
    sources = [
        lambda: failing("first", second_failed, done),
        lambda: failing("second", done, second_failed),
        lambda: failing("never begun", done, done),
    ]
    items = interleaved(sources, 2)
    assert {next(items), next(items)} == {("first", 0), ("second", 0)}  # so both are at their faults
    with pytest.raises(ValueError, match="first"):
        next(items)


def test_after_a_fault_the_others_end_with_the_item_that_they_are_at():
    begun, failed, closed = threading.Event(), threading.Event(), list[str]()

    def long() -> Generator[tuple[str, int], None, None]:
        for item in counting("long", 100_000, closed):
            if item[1] == 3:
                begun.set()
                failed.wait()
            yield item

    found = []
    with pytest.raises(ValueError, match="second"):
        found.extend(interleaved([long, lambda: failing("second", begun, failed)], 2))
    assert 3 <= len(found) < 100_000
    assert closed == ["long"]


def test_no_iterator_begins_after_a_fault():
    closed: list[str] = []
    done = threading.Event()
    done.set()
    with pytest.raises(ValueError, match="broken"):
        list(interleaved([lambda: failing("broken", done, done), lambda: counting("b", 1, closed)], 1))
    assert closed == []


def test_when_it_is_left_early_no_thread_and_no_iterator_is_left_open():
    closed: list[str] = []
    before = threading.active_count()
    items = interleaved([lambda name=name: counting(name, 1000, closed) for name in "abc"], 2)
    next(items)
    items.close()
    assert threading.active_count() == before
    assert len(closed) == 2  # the third was never begun


def test_nothing_gives_nothing():
    assert list(interleaved([], 2)) == []
