"""Sorting rows by an owner and a key: by counting into parts that fit in the processor's cache, then inside them.

Sorting by counting alone jumps through all of memory for each row. Rows are first dealt out to parts of neighbouring
owners, which writes to few places at a time; all further work on a part stays in the cache.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled
from kg_reason.kg.counting import row_offsets

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

NUM_PARTS = 1024
MAX_INSERTED = 40  # rows of one owner that are sorted by insertion; more are merged


class GroupedRows(NamedTuple):
    """Rows sorted by owner, then key, equal ones as they were.

    Attributes:
        order: int32 [num_rows], the rows in that order.
        key: int64 [num_rows], their keys.
        offset: int64 [num_owners + 1], where the rows of each owner begin.
    """

    order: Int32
    key: Int64
    offset: Int64


@compiled
def _deal(owner: Int32, key: Int64, shift: int, next_place: Int64, rows: Int32, keys: Int64, owners: Int32) -> None:
    """Deal the rows out to parts of 2**shift owners each, in their order."""
    for row in range(owner.size):
        part = owner[row] >> shift
        place = next_place[part]
        next_place[part] = place + 1
        rows[place] = row
        keys[place] = key[row]
        owners[place] = owner[row]


@compiled
def _sort_owner(rows: Int32, keys: Int64, start: int, end: int) -> None:
    """Sort the rows start .. end by key, equal ones as they are."""
    if end - start > MAX_INSERTED:
        order = np.argsort(keys[start:end], kind="mergesort")
        rows[start:end] = rows[start:end][order]
        keys[start:end] = keys[start:end][order]
        return
    for place in range(start + 1, end):
        key = keys[place]
        row = rows[place]
        before = place - 1
        while before >= start and keys[before] > key:
            keys[before + 1] = keys[before]
            rows[before + 1] = rows[before]
            before -= 1
        keys[before + 1] = key
        rows[before + 1] = row


@compiled
def _sort_parts(
    rows: Int32, keys: Int64, owners: Int32, parts: Int64, shift: int, offset: Int64, out_rows: Int32, out_keys: Int64
) -> None:
    """Sort the rows of every part by owner and key."""
    next_place = np.empty(1 << shift, dtype=np.int64)
    for part in range(parts.size - 1):
        first = part << shift
        last = min(first + (1 << shift), offset.size - 1)
        for owner in range(first, last):
            next_place[owner - first] = offset[owner]
        for source in range(parts[part], parts[part + 1]):
            owner = owners[source] - first
            place = next_place[owner]
            next_place[owner] = place + 1
            out_rows[place] = rows[source]
            out_keys[place] = keys[source]
        for owner in range(first, last):
            if offset[owner + 1] - offset[owner] > 1:
                _sort_owner(out_rows, out_keys, offset[owner], offset[owner + 1])


def grouped_rows(owner: Int32, key: Int64, num_owners: int) -> GroupedRows:
    """Return rows by ascending owner, those of one owner by ascending key, and equal ones as they were.

    Args:
        owner: int32 [num_rows], each in 0 .. num_owners - 1.
        key: int64 [num_rows].
        num_owners: how many owners there may be.
    """
    num_rows = len(owner)
    shift = max(0, (num_owners // NUM_PARTS).bit_length())
    num_parts = (num_owners >> shift) + 1
    offset = row_offsets(owner, num_owners)
    parts = offset[np.minimum(np.arange(num_parts + 1, dtype=np.int64) << shift, num_owners)]
    rows, owners = np.empty(num_rows, dtype=np.int32), np.empty(num_rows, dtype=np.int32)
    keys = np.empty(num_rows, dtype=np.int64)
    _deal(owner, key, shift, parts[:-1].copy(), rows, keys, owners)
    order, sorted_keys = np.empty(num_rows, dtype=np.int32), np.empty(num_rows, dtype=np.int64)
    _sort_parts(rows, keys, owners, parts, shift, offset, order, sorted_keys)
    return GroupedRows(order, sorted_keys, offset)


def is_first(key: Int64, offset: Int64) -> NDArray[np.bool_]:
    """Return which of the rows of GroupedRows have an owner or a key that the row before has not."""
    first = np.ones(len(key), dtype=bool)
    first[1:] = key[1:] != key[:-1]
    first[offset[:-1][np.diff(offset) > 0]] = True
    return first
