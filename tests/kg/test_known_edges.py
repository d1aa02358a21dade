"""Edges by their keys: held, numbered, and told apart by how they came."""

import numpy as np

from kg_reason.kg.known_edges import KnownEdges, rows_of


def test_added_edges_are_held_with_their_numbers():
    edges = KnownEdges(np.array([3, 7]), np.array([0, 1]))
    edges.add(np.array([1, 5, 9]), np.array([10, 11, 12]), is_walk=False)
    edges.add(np.array([4]), np.array([13]), is_walk=True)
    assert edges.holds(np.array([0, 1, 4, 8, 9, 10])).tolist() == [False, True, True, False, True, False]
    assert edges.number(np.array([9, 3, 4])).tolist() == [12, 0, 13]
    assert edges.plain.tolist() == [1, 3, 5, 7, 9]


def test_no_edge_is_held_where_none_is_known():
    assert KnownEdges(np.empty(0, np.int64), np.empty(0, np.int64)).holds(np.array([1])).tolist() == [False]


def test_pairs_become_rows_in_ascending_order():
    offset, other = rows_of(np.array([2, 5, 8]), np.array([5, 2, 5]), np.array([8, 5, 2]))
    assert offset.tolist() == [0, 1, 3, 3]
    assert other.tolist() == [1, 0, 2]
