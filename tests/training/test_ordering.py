"""The order of examples: each once per pass, a function of seed and epoch, little padding, fair shares."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kg_reason.training.ordering import epoch_steps, made_ahead

LENGTHS = np.random.default_rng(0).integers(10, 200, size=1_003)


def flat(steps):
    return [batch.tolist() for step in steps for batch in step]


def test_every_example_comes_once_in_a_pass():
    assert sorted(sum(flat(epoch_steps(LENGTHS, 8, seed=0, epoch=0)), [])) == list(range(1_003))


def test_the_order_is_a_function_of_seed_and_epoch():
    first = flat(epoch_steps(LENGTHS, 8, seed=1, epoch=2))
    assert first == flat(epoch_steps(LENGTHS, 8, seed=1, epoch=2))
    assert first != flat(epoch_steps(LENGTHS, 8, seed=1, epoch=3))
    assert first != flat(epoch_steps(LENGTHS, 8, seed=2, epoch=2))


def test_examples_of_like_length_share_a_batch():
    steps = epoch_steps(LENGTHS, 8, seed=0, epoch=0)
    padded = sum(LENGTHS[batch].max() * len(batch) for step in steps for batch in step)
    assert padded < 1.1 * LENGTHS.sum()


def test_short_batches_do_not_come_first():
    means = [LENGTHS[batch].mean() for step in epoch_steps(LENGTHS, 8, seed=0, epoch=0) for batch in step]
    assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.2


@pytest.mark.parametrize(("num_processes", "num_accumulated"), [(1, 1), (1, 4), (2, 1), (2, 3), (7, 5)])
def test_every_process_gets_as_many_batches_in_every_step(num_processes, num_accumulated):
    steps = epoch_steps(
        LENGTHS, 8, seed=0, epoch=0, num_processes=num_processes, num_accumulated=num_accumulated
    )
    assert all(len(step) % num_processes == 0 for step in steps)
    assert all(len(step) == num_processes * num_accumulated for step in steps[:-1])
    assert all(1 <= len(batch) <= 8 for step in steps for batch in step)
    assert 0 <= 1_003 - sum(map(len, flat(steps))) < num_processes


def test_fewer_examples_than_a_batch_make_one_step():
    assert [len(batch) for (batch,) in epoch_steps(LENGTHS[:3], 8, seed=0, epoch=0)] == [3]


def test_no_examples_make_no_step():
    assert epoch_steps(LENGTHS[:0], 8, seed=0, epoch=0) == []


def test_things_made_ahead_come_in_order():
    with ThreadPoolExecutor(max_workers=1) as thread:
        assert list(made_ahead(thread, str, range(5))) == ["0", "1", "2", "3", "4"]
        assert list(made_ahead(thread, str, [])) == []


def test_a_fault_in_making_reaches_the_caller():
    with ThreadPoolExecutor(max_workers=1) as thread, pytest.raises(ZeroDivisionError):
        list(made_ahead(thread, lambda number: 1 // number, [1, 0, 1]))
