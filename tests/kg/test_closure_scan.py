"""The compiled walk against itself interpreted, and with too little room."""

import numpy as np

from kg_reason.kg.closure_scan import take_least, walk_on
from kg_reason.kg.compiled import interpreted
from kg_reason.kg.counting import row_offsets


def table(pairs, num_nodes):
    owner, other = (np.array(column, dtype=np.int32) for column in zip(*sorted(pairs), strict=True))
    return row_offsets(owner, num_nodes), other


def walk(kernel, seeds, steps, num_nodes, room):
    seen, queue, out = np.zeros(num_nodes, np.int32), np.zeros(num_nodes, np.int32), np.zeros((room, 3), np.int32)
    found, place = [], 0
    while place < num_nodes:
        count, place = kernel(seeds, steps, seen, queue, place, out)
        found += out[:count].tolist()
    return found


def test_a_walk_finds_the_same_compiled_and_interpreted_and_in_pieces():
    rng = np.random.default_rng(0)
    for _ in range(20):
        pairs = {tuple(pair) for pair in rng.integers(12, size=(25, 2)).tolist()}
        seeds, steps = table(pairs, 12), table({tuple(pair) for pair in rng.integers(12, size=(20, 2)).tolist()}, 12)
        wanted = walk(interpreted(walk_on), seeds, steps, 12, 200)
        assert walk(walk_on, seeds, steps, 12, 200) == wanted
        assert walk(walk_on, seeds, steps, 12, 12) == wanted
        assert len({(begin, node) for begin, _, node in wanted}) == len(wanted)
        assert not {(begin, node) for begin, _, node in wanted} & pairs


def test_a_walk_gives_the_node_before_each():
    chain = table([(0, 1), (1, 2), (2, 3)], 4)
    assert walk(walk_on, chain, chain, 4, 10) == [[0, 1, 2], [0, 2, 3], [1, 2, 3]]


def test_the_least_value_comes_through_long_chains_and_stops_at_circles():
    num = 5_000  # edge k of the inferred rests on the stated k and on the inferred k + 1
    own = np.arange(num)
    premise = np.stack([own, np.append(num + own[1:], num - 1)], axis=1).reshape(-1).astype(np.int32)
    stated = np.ones(num, np.float32)
    stated[num // 2] = 0.5
    for kernel in (take_least, interpreted(take_least)):
        values = np.concatenate([stated, np.zeros(num, np.float32)])
        kernel(values, num, np.arange(0, 2 * num + 1, 2), premise, np.empty(num, np.int64))
        assert values[num:].tolist() == [0.5] * (num // 2 + 1) + [1.0] * (num // 2 - 1)
    circle = np.array([4, 3], dtype=np.int32)
    take_least(np.ones(5, np.float32), 3, np.array([0, 1, 2]), circle, np.empty(2, np.int64))
