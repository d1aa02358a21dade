"""Several iterators at a time, each in a thread of its own, for work that leaves the interpreter's lock alone."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Items = Generator[Item, None, None]


def interleaved(sources: Iterable[Callable[[], Items[Item]]], num_threads: int) -> Items[Item]:
    """Yield the items of several iterators as they come; those of one iterator in their order.

    Each of the `num_threads` iterators at work is one item ahead of who takes them, no more, so memory stays bounded.
    When one fails, the others end with the item that they are at. When the generator is closed no thread is left, and
    every iterator is closed.

    Args:
        sources: make the iterators, whose items are not None; called one by one as threads become free.
        num_threads: iterators at work at a time.

    Raises:
        Exception: what an iterator raised; of several that failed meanwhile the first one's.
    """
    waiting = enumerate(sources)
    running: dict[Future[Item | None], tuple[int, Items[Item]]] = {}
    failed: dict[int, BaseException] = {}
    with ThreadPoolExecutor(num_threads, thread_name_prefix="reading") as pool:
        try:
            while not failed:
                for number, make in islice(waiting, num_threads - len(running)):
                    items = make()
                    running[pool.submit(next, items, None)] = number, items
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    number, items = running.pop(future)
                    error = future.exception()
                    if error is not None:
                        failed[number] = error
                        continue
                    item = future.result()
                    if item is not None:
                        running[pool.submit(next, items, None)] = number, items
                        yield item
        finally:
            pool.shutdown(cancel_futures=True)
            for future, (number, items) in running.items():
                error = None if future.cancelled() else future.exception()
                if error is not None:
                    failed[number] = error
                items.close()
    if failed:
        raise failed[min(failed)]
