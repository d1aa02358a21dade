"""The compiled scan over plain labels: their words, cut and normalised as `words.py` does it, straight from bytes.

Plain is a label of ASCII letters, digits, spaces and underscores whose runs are letters, or digits, or letters before
digits as in `Q42`. Everything else is left to `label_index.label_entries`, which is the definition.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled
from kg_reason.kg.words import CAPITALISED, MAX_SHAPE_WORDS, MIXED, SHAPE_BITS, UPPER

Bytes = NDArray[np.uint8]
Int64 = NDArray[np.int64]

SLOW = -1
_OTHER, _LOWER, _UPPER, _DIGIT, _SPACE = range(5)


def _byte_classes() -> Bytes:
    classes = np.full(256, _OTHER, dtype=np.uint8)
    classes[ord("a") : ord("z") + 1] = _LOWER
    classes[ord("A") : ord("Z") + 1] = _UPPER
    classes[ord("0") : ord("9") + 1] = _DIGIT
    classes[[ord(" "), ord("_")]] = _SPACE
    return classes


_CLASS = _byte_classes()


class ScannedLabels(NamedTuple):
    """The words of the plain labels; a label has as many as `num_words` says, and they follow each other.

    Attributes:
        num_words: int64 [num_labels]; SLOW where the label is not plain, 0 where it is not entered.
        shape: int64 [num_labels], the shapes of its words, packed.
        text: uint8 [num_bytes], the words in lower case.
        spans: int64 [sum of num_words, 2], start and end of each word in `text`.
    """

    num_words: Int64
    shape: Int64
    text: Bytes
    spans: Int64


@compiled
def _count_words(text: Bytes, start: int, end: int, english: bool, max_words: int) -> int:
    """Return the number of words of a plain label, 0 if they are too many, SLOW if it is not plain."""
    num_words = 0
    before = _SPACE
    for place in range(start, end):
        kind = _CLASS[text[place]]
        if kind == _OTHER:
            return SLOW
        if kind != _SPACE:
            if before == _SPACE:
                num_words += 1
            if kind == _DIGIT:
                if not english:
                    return SLOW
            elif before == _DIGIT:
                return SLOW
        before = kind
    if num_words > 1 and english:
        first = start
        while _CLASS[text[first]] == _SPACE:
            first += 1
        article = (text[first] | 32) == 116 and (text[first + 1] | 32) == 104 and (text[first + 2] | 32) == 101
        if article and _CLASS[text[first + 3]] == _SPACE:
            return SLOW
    return num_words if num_words <= max_words else 0


@compiled
def _scan(
    text: Bytes, offset: Int64, labels: Int64, english: NDArray[np.bool_], max_words: int, num_words: Int64
) -> None:
    for row in range(labels.size):
        label = labels[row]
        num_words[row] = _count_words(text, offset[label], offset[label + 1], english[row], max_words)


@compiled
def _word_shape(num_upper: int, num_lower: int, first_upper: bool, size: int) -> int:
    if num_upper == 0:
        return 0
    if size > 1 and num_lower == 0:
        return UPPER
    return CAPITALISED if first_upper and num_upper == 1 else MIXED


@compiled
def _write(text: Bytes, offset: Int64, labels: Int64, num_words: Int64, shape: Int64, out: Bytes, spans: Int64) -> None:
    used = 0
    word = 0
    for row in range(labels.size):
        packed = 0
        place = offset[labels[row]]
        for number in range(num_words[row]):
            while _CLASS[text[place]] == _SPACE:
                place += 1
            end = offset[labels[row] + 1]
            first_upper = _CLASS[text[place]] == _UPPER
            num_upper = 0
            num_lower = 0
            spans[word, 0] = used
            while place < end and _CLASS[text[place]] != _SPACE:
                byte = text[place]
                kind = _CLASS[byte]
                if kind == _UPPER:
                    num_upper += 1
                    byte += 32
                elif kind == _LOWER:
                    num_lower += 1
                out[used] = byte
                used += 1
                place += 1
            spans[word, 1] = used
            if number < MAX_SHAPE_WORDS:
                size = used - spans[word, 0]
                packed |= _word_shape(num_upper, num_lower, first_upper, size) << (SHAPE_BITS * number)
            word += 1
        shape[row] = packed


def scan_labels(
    text: Bytes, offset: Int64, labels: Int64, english: NDArray[np.bool_], max_words: int, max_bytes: int
) -> ScannedLabels:
    """Cut plain labels into words.

    Args:
        text: uint8 [num_bytes], all labels one after the other.
        offset: int64 [num_all + 1], where each begins.
        labels: int64 [num_labels], those that are wanted.
        english: bool [num_labels], whether a label is cut by English rules, which alone are known for digits.
        max_words: labels of more words are not entered.
        max_bytes: longer labels are not plain.
    """
    num_words = np.zeros(len(labels), dtype=np.int64)
    _scan(text, offset, labels, english, max_words, num_words)
    num_words[offset[labels + 1] - offset[labels] > max_bytes] = SLOW
    plain = np.maximum(num_words, 0)
    shape = np.zeros(len(labels), dtype=np.int64)
    spans = np.empty((int(plain.sum()), 2), dtype=np.int64)
    out = np.empty(int((offset[labels + 1] - offset[labels])[plain > 0].sum()), dtype=np.uint8)
    _write(text, offset, labels, plain, shape, out, spans)
    return ScannedLabels(num_words, shape, out[: spans.max(initial=0)], spans)
