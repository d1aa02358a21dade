"""Terms as integers: interning while a graph is built, and a hash table that works from a memory map afterwards.

A term key is the UTF-8 text of an IRI, a blank node, a literal or a plain cell (see `triples.py`). Ids given while
reading follow the order of appearance; `canonical_order` makes them a function of the set of terms alone, so that
shuffling the lines of a file changes nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled_leaf

Bytes = NDArray[np.uint8]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

HASH_MASK = (1 << 40) - 1
_FACTOR = 1000003
_PIECE = 1 << 16  # rows for which room is reserved at a time
_BATCH = 64  # rows of one go of interning
_TERM, _PLACE = 0, 1  # the two numbers of an interner's slot
_TERM_BITS, _LENGTH_BITS = 31, 24
_TERM_MASK, _MAX_LENGTH = (1 << _TERM_BITS) - 1, (1 << _LENGTH_BITS) - 1  # longer keys have their length in `offset`
_HASH_REST = 40 - _TERM_BITS  # bits of a hash that its slot does not keep
_HASHED = 64  # bytes that are hashed at a time
_POWERS = np.array([pow(_FACTOR, power, 1 << 40) for power in range(_HASHED, -1, -1)], dtype=np.int64)


class TermTable(NamedTuple):
    """Terms by id and ids by term, in arrays that can be memory-mapped.

    Attributes:
        text: uint8 [num_bytes], all keys one after the other.
        offset: int64 [num_terms + 1], where each key starts.
        slot: int32 [power of two], open addressing by `term_hash`; -1 = free.
    """

    text: Bytes
    offset: Int64
    slot: Int32

    def key(self, term: int) -> str:
        """Return the key of a term id."""
        return self.text[self.offset[term] : self.offset[term + 1]].tobytes().decode()

    def find(self, key: str) -> int:
        """Return the id of a key, or -1."""
        buffer = np.frombuffer(key.encode("utf-8", "surrogatepass"), dtype=np.uint8)
        return int(_find(buffer, self.text, self.offset, self.slot))

    def __len__(self) -> int:
        return len(self.offset) - 1


@compiled_leaf
def term_hash(buffer: Bytes, start: int, end: int) -> int:
    """Return a 40-bit polynomial hash of `buffer[start:end]`: for every byte, value * 1000003 + byte + 1."""
    value = 1469598103
    for first in range(start, end, _HASHED):
        piece = buffer[first : min(first + _HASHED, end)]
        powers = _POWERS[_HASHED - piece.size :]
        total = 0
        for place in range(piece.size):  # a sum of products, which is vectorised
            total += (int(piece[place]) + 1) * int(powers[place + 1])
        # In machine code the product wraps round at 2**64, which leaves its last 40 bits as they are.
        value = (value * int(powers[0]) + total) & HASH_MASK
    return value


@compiled_leaf
def hash_place(value: int, num_slots: int) -> int:
    """Return the first slot to probe for a hash; `num_slots` is a power of two."""
    return (value ^ (value >> 19)) & (num_slots - 1)


@compiled_leaf
def _same(buffer: Bytes, start: int, end: int, text: Bytes, text_start: int, text_end: int) -> bool:
    if end - start != text_end - text_start:
        return False
    # Hashes were equal, so an early exit would hardly ever be taken, and without one the loop is vectorised.
    one, other = buffer[start:end], text[text_start:text_end]
    difference = 0
    for place in range(len(one)):
        difference |= one[place] ^ other[place]
    return difference == 0


@compiled_leaf
def _copy(source: Bytes, target: Bytes) -> None:
    for place in range(source.size):
        target[place] = source[place]


@compiled_leaf
def _find(buffer: Bytes, text: Bytes, offset: Int64, slot: Int32) -> int:
    place = hash_place(term_hash(buffer, 0, buffer.size), slot.size)
    while slot[place] >= 0:
        term = slot[place]
        if _same(buffer, 0, buffer.size, text, offset[term], offset[term + 1]):
            return int(term)
        place = (place + 1) & (slot.size - 1)
    return -1


@compiled_leaf
def _intern(
    buffer: Bytes,
    spans: Int64,
    text: Bytes,
    offset: Int64,
    hashes: Int64,
    slot: Int64,
    num_terms: int,
    ids: Int32,
    room: Int64,
) -> int:
    """Fill `ids` and return how many terms there are then; `room` [2, _BATCH] is for what is known of a batch."""
    num_spans = spans.shape[0]
    values, touched = room[0], room[1]
    for first in range(0, num_spans, _BATCH):
        size = min(_BATCH, num_spans - first)
        # What a row will need is touched for many rows at once, so that their waits for memory overlap.
        for shift in range(size):
            values[shift] = term_hash(buffer, spans[first + shift, 0], spans[first + shift, 1])
        for shift in range(size):
            touched[shift] = slot[hash_place(values[shift], slot.shape[0]), _PLACE]
        for shift in range(size):
            start = max(touched[shift], 0) >> _LENGTH_BITS
            touched[shift] = text[start] + text[start + max((touched[shift] & 63) - 1, 0)]
        for shift in range(size):
            start = spans[first + shift, 0]
            end = spans[first + shift, 1]
            value = values[shift]
            place = hash_place(value, slot.shape[0])
            while True:
                entry = slot[place, _TERM]
                if entry < 0:
                    term = num_terms
                    position = offset[term]
                    _copy(buffer[start:end], text[position : position + end - start])
                    offset[term + 1] = position + end - start
                    hashes[term] = value
                    _enter(slot, place, term, value, position, end - start)
                    num_terms += 1
                    break
                if entry >> _TERM_BITS == value >> _HASH_REST:
                    term = entry & _TERM_MASK
                    known = slot[place, _PLACE] >> _LENGTH_BITS
                    length = slot[place, _PLACE] & _MAX_LENGTH
                    if length == _MAX_LENGTH:
                        length = offset[term + 1] - known
                    if _same(buffer, start, end, text, known, known + length):
                        break
                place = (place + 1) & (slot.shape[0] - 1)
            ids[first + shift] = term
    return num_terms


@compiled_leaf
def _enter(slot: Int64, place: int, term: int, value: int, start: int, length: int) -> None:
    """Fill a slot of an interner with a term, its hash, and where its key starts and how long it is."""
    slot[place, _TERM] = ((value >> _HASH_REST) << _TERM_BITS) | term
    slot[place, _PLACE] = (start << _LENGTH_BITS) | min(length, _MAX_LENGTH)


@compiled_leaf
def _enter_all(hashes: Int64, offset: Int64, slot: Int64) -> None:
    for term in range(hashes.size):
        place = hash_place(hashes[term], slot.shape[0])
        while slot[place, _TERM] >= 0:
            place = (place + 1) & (slot.shape[0] - 1)
        _enter(slot, place, term, hashes[term], offset[term], offset[term + 1] - offset[term])


@compiled_leaf
def _find_interned(buffer: Bytes, text: Bytes, offset: Int64, slot: Int64) -> int:
    value = term_hash(buffer, 0, buffer.size)
    place = hash_place(value, slot.shape[0])
    while slot[place, _TERM] >= 0:
        term = slot[place, _TERM] & _TERM_MASK
        if _same(buffer, 0, buffer.size, text, offset[term], offset[term + 1]):
            return int(term)
        place = (place + 1) & (slot.shape[0] - 1)
    return -1


@compiled_leaf
def _fill_slots(hashes: Int64, slot: Int32) -> None:
    for term in range(hashes.size):
        place = hash_place(hashes[term], slot.size)
        while slot[place] >= 0:
            place = (place + 1) & (slot.size - 1)
        slot[place] = term


@compiled_leaf
def _gather_text(text: Bytes, offset: Int64, order: Int64, out_text: Bytes, out_offset: Int64, touched: Int64) -> None:
    position = 0
    for first in range(0, order.size, _BATCH):
        last = min(first + _BATCH, order.size)
        for row in range(first, last):
            touched[row - first] = offset[order[row]] + offset[order[row] + 1]
        for row in range(first, last):
            start = offset[order[row]]
            if start < text.size:
                touched[row - first] = text[start] + text[max(offset[order[row] + 1] - 1, 0)]
        for row in range(first, last):
            term = order[row]
            end = position + offset[term + 1] - offset[term]
            _copy(text[offset[term] : offset[term + 1]], out_text[position:end])
            out_offset[row + 1] = position = end


def gather_text(text: Bytes, offset: Int64, order: Int64) -> tuple[Bytes, Int64]:
    """Return the texts of the given rows one after the other, with their offsets [len(order) + 1]."""
    lengths = offset[order + 1] - offset[order]
    out_text = np.empty(int(lengths.sum()), dtype=np.uint8)
    out_offset = np.zeros(len(order) + 1, dtype=np.int64)
    _gather_text(text, offset, order, out_text, out_offset, np.empty(_BATCH, dtype=np.int64))
    return out_text, out_offset


def _num_slots(num_terms: int) -> int:
    return 1 << max(4, int(num_terms * 1.6).bit_length())


class TermInterner:
    """Gives the same id to the same key; grows as needed."""

    def __init__(self) -> None:
        self.num_terms = 0
        self._text: Bytes = np.empty(1 << 16, dtype=np.uint8)
        self._offset: Int64 = np.zeros(1 << 10, dtype=np.int64)
        self._hashes: Int64 = np.empty(1 << 10, dtype=np.int64)
        # Row by row what a lookup needs at first: a part of the hash with the term, and where its key is. -1 = free.
        self._slot: Int64 = np.full((1 << 12, 2), -1, dtype=np.int64)

    def intern(self, buffer: Bytes, spans: Int64) -> Int32:
        """Return the ids int32 [n] of the keys `buffer[start:end]` for spans [n, 2]."""
        # Long blocks go in pieces: room is reserved for the worst case, in which every key of a piece is unseen.
        ids, room = np.empty(len(spans), dtype=np.int32), np.empty((2, _BATCH), dtype=np.int64)
        for first in range(0, len(spans), _PIECE):
            piece = spans[first : first + _PIECE]
            self._reserve(len(piece), int((piece[:, 1] - piece[:, 0]).sum()))
            keys = self._text, self._offset, self._hashes, self._slot
            self.num_terms = int(_intern(buffer, piece, *keys, self.num_terms, ids[first : first + _PIECE], room))
        return ids

    def intern_keys(self, keys: list[str]) -> Int32:
        """Return the ids of keys given as strings."""
        encoded = [key.encode() for key in keys]
        ends = np.cumsum([len(key) for key in encoded], dtype=np.int64)
        spans = np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1) if keys else np.empty((0, 2), np.int64)
        return self.intern(np.frombuffer(b"".join(encoded), dtype=np.uint8), spans.astype(np.int64))

    def key(self, term: int) -> str:
        """Return the key of a term id."""
        return self._text[self._offset[term] : self._offset[term + 1]].tobytes().decode()

    def find(self, key: str) -> int:
        """Return the id of a key, or -1."""
        buffer = np.frombuffer(key.encode("utf-8", "surrogatepass"), dtype=np.uint8)
        return int(_find_interned(buffer, self._text, self._offset, self._slot))

    def keys_with_prefix(self, prefix: str) -> NDArray[np.bool_]:
        """Return which terms, bool [num_terms], have a key that starts with an ASCII prefix."""
        start, end = self._offset[: self.num_terms], self._offset[1 : self.num_terms + 1]
        found = end - start >= len(prefix)
        for place, byte in enumerate(prefix.encode()):
            found[found] = self._text[start[found] + place] == byte
        return found

    def _reserve(self, num_terms: int, num_bytes: int) -> None:
        terms = self.num_terms + num_terms
        if terms + 1 > self._offset.size:
            size = max(terms + 1, 2 * self._offset.size)
            self._offset = np.concatenate([self._offset, np.zeros(size - self._offset.size, dtype=np.int64)])
            self._hashes = np.concatenate([self._hashes, np.empty(size - self._hashes.size, dtype=np.int64)])
        used = int(self._offset[self.num_terms])
        if used + num_bytes > self._text.size:
            text = np.empty(max(used + num_bytes, 2 * self._text.size), dtype=np.uint8)
            text[:used] = self._text[:used]
            self._text = text
        num_slots = len(self._slot)
        if terms * 3 > num_slots * 2:
            while terms * 3 > num_slots * 2:
                num_slots *= 2
            self._slot = np.empty((0, 2), dtype=np.int64)  # before there are more
            self._slot = np.full((num_slots, 2), -1, dtype=np.int64)
            _enter_all(self._hashes[: self.num_terms], self._offset, self._slot)

    def canonical_order(self) -> Int64:
        """Return the term ids [num_terms] in an order that depends on the set of keys only: by hash, ties by bytes."""
        hashes = self._hashes[: self.num_terms]
        order = np.argsort(hashes)  # not stable, so several times as fast
        ordered = hashes[order]
        tied = np.flatnonzero(ordered[1:] == ordered[:-1])
        for place in tied:
            last = int(place) + 2
            first = int(place)
            while last < len(order) and ordered[last] == ordered[first]:
                last += 1
            order[first:last] = sorted(order[first:last].tolist(), key=self.key)
        return order

    def table(self, order: Int64) -> TermTable:
        """Return the finished table in which the term `order[i]` has the id i; the interner is spent afterwards."""
        self._slot = np.empty((0, 2), dtype=np.int64)
        if not len(order):  # without waiting for compiled code: opening a graph makes an empty table
            return TermTable(np.empty(0, np.uint8), np.zeros(1, np.int64), np.full(_num_slots(0), -1, np.int32))
        text, offset = gather_text(self._text, self._offset, order)
        slot = np.full(_num_slots(len(order)), -1, dtype=np.int32)
        _fill_slots(self._hashes[order], slot)
        return TermTable(text, offset, slot)
