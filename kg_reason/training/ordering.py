"""Which examples meet in which batch, step and process of a pass over the data.

The order is a function of seed and epoch, so a resumed run takes up its place without replaying what came before.
Examples of like length share a batch, which cuts padding; the batches themselves come in random order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")
Made = TypeVar("Made")

WINDOW_BATCHES = 50  # batches sorted by length together: enough for little padding, few against the data


def epoch_steps(
    lengths: NDArray[np.int64],
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    num_processes: int = 1,
    num_accumulated: int = 1,
) -> list[list[NDArray[np.int64]]]:
    """Return the steps of one pass: for each optimizer step its batches, process after process.

    Process p takes batches p, p + num_processes, ... of a step; each process has as many. The last step shares out what
    is left evenly, in fewer or smaller batches; what cannot be shared (fewer examples than processes) sits out.

    Args:
        lengths: int64 [num_examples], anything that grows with the number of tokens.
        batch_size: examples in a batch.
        seed: of the run.
        epoch: number of the pass, from 0.
        num_processes: processes that train together.
        num_accumulated: batches of one process in a step.

    Returns:
        Example numbers int64 [up to batch_size] for each batch of each step.
    """
    generator = np.random.default_rng((seed, epoch))
    order = generator.permutation(len(lengths))
    window = WINDOW_BATCHES * batch_size
    for start in range(0, len(order), window):
        part = order[start : start + window]
        order[start : start + window] = part[np.argsort(lengths[part], kind="stable")]
    num_full = len(order) // batch_size
    batches = order[: num_full * batch_size].reshape(num_full, batch_size)
    batches = batches[generator.permutation(num_full)]
    per_step = num_processes * num_accumulated
    num_full_steps = num_full // per_step
    steps = [list(batches[number * per_step : (number + 1) * per_step]) for number in range(num_full_steps)]
    rest = np.concatenate([batches[num_full_steps * per_step :].reshape(-1), order[num_full * batch_size :]])
    rest = rest[: len(rest) - len(rest) % num_processes]
    if len(rest):
        num_rounds = -(-len(rest) // (num_processes * batch_size))
        steps.append(np.array_split(rest, num_processes * num_rounds))
    return steps


def made_ahead(thread: Executor, make: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """Yield `make(item)` for each item, making the next one in a thread while the caller works on this one."""
    waiting: Future[Made] | None = None
    for item in items:
        ahead = thread.submit(make, item)
        if waiting is not None:
            yield waiting.result()
        waiting = ahead
    if waiting is not None:
        yield waiting.result()
