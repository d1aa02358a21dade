"""The edges of one relation that are known so far, each as one number, for `closure.py`.

The number of an edge's ends is head * num_terms + tail; a search by halves among such keys tells whether an edge is
known, and what its own number is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.counting import row_offsets

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


class KnownEdges:
    """The known edges of one relation.

    Args:
        keys: int64 [num_edges], ascending, each once.
        numbers: int64 [num_edges], what each edge is called by.

    Attributes:
        plain: the keys of those edges that no walk over others makes.
    """

    def __init__(self, keys: Int64, numbers: Int64) -> None:
        self.keys, self.numbers = keys, numbers
        self.plain = keys

    def holds(self, keys: Int64) -> NDArray[np.bool_]:
        """Tell which edges are known."""
        if not len(self.keys):
            return np.zeros(len(keys), dtype=bool)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.asarray(self.keys[places] == keys)

    def number(self, keys: Int64) -> Int64:
        """Return the numbers of known edges."""
        return self.numbers[np.searchsorted(self.keys, keys)]

    def add(self, keys: Int64, numbers: Int64, *, is_walk: bool) -> None:
        """Take in edges that are not known, keys ascending."""
        places = np.searchsorted(self.keys, keys)
        self.keys, self.numbers = np.insert(self.keys, places, keys), np.insert(self.numbers, places, numbers)
        if not is_walk:
            self.plain = np.insert(self.plain, np.searchsorted(self.plain, keys), keys)


def rows_of(nodes: Int64, owner: Int64, other: Int64) -> tuple[Int64, Int32]:
    """Return pairs as rows: for each of some nodes the others, ascending."""
    owner, other = np.searchsorted(nodes, owner), np.searchsorted(nodes, other)
    order = np.lexsort((other, owner))
    return row_offsets(owner[order].astype(np.int32), len(nodes)), other[order].astype(np.int32)
