"""The index of all labels: a token trie in flat arrays that can be memory-mapped, its build, and compiled matching.

Nodes are numbered level by level in the order of (parent, word), so the keys of all nodes together are one sorted
array, and the number of a node is its place in that array plus one; node 0 is the root. Words are those of `words.py`.
A label is also entered without its hyphens (`e-mail` as `email`) and, where it is a name, without a leading article.
Which matches become mentions is decided by `linker.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled
from kg_reason.kg.counting import stable_order
from kg_reason.kg.label_scan import SLOW, scan_labels
from kg_reason.kg.terms import TermInterner, TermTable
from kg_reason.kg.words import (
    GLUED_BIT,
    MAX_SHAPE_WORDS,
    SHAPE_BITS,
    joined_text,
    primary_language,
    split_text,
    word_shape,
)

Bytes = NDArray[np.uint8]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

MAX_LABEL_WORDS = 32  # longer texts are no names; they stay findable by id
MAX_LABEL_CHARACTERS = 1000

# How a label was entered, in the bits of its shape above the words' own.
VARIANT_SHIFT = SHAPE_BITS * MAX_SHAPE_WORDS
AS_WRITTEN, JOINED, WITHOUT_ARTICLE = 0, 1, 2

# Columns of a match and of the alternatives of a word.
MATCH_START, MATCH_END, MATCH_NODE, MATCH_MASK, MATCH_RULES = range(5)
ALTERNATIVE_WORD, ALTERNATIVE_MASK, ALTERNATIVE_SPAN, ALTERNATIVE_RULE = range(4)
ANY_POS = 15


class LabelIndex(NamedTuple):
    """A trie over the words of labels.

    Attributes:
        word_text: uint8 [num_bytes], words one after the other, in the order of their hashes.
        word_offset: int64 [num_words + 1].
        word_slot: int32 [power of two], hash table over words (`terms.TermTable`).
        child_key: int64 [num_nodes - 1], parent * num_words + word, ascending; node = place + 1.
        child_start: int64 [num_nodes + 1], where the children of each node begin in child_key.
        root_child: int32 [num_words], the root's child for each word, or -1.
        node_start: int64 [num_nodes + 1], where the entries of each node begin.
        node_alias: int32 [num_entries], aliases whose label ends in the node, in the order they were given.
        node_shape: int64 [num_entries], shapes of the label's words and how it was entered.
    """

    word_text: Bytes
    word_offset: Int64
    word_slot: Int32
    child_key: Int64
    child_start: Int64
    root_child: Int32
    node_start: Int64
    node_alias: Int32
    node_shape: Int64

    @property
    def num_words(self) -> int:
        """Number of different words."""
        return len(self.root_child)

    def find_word(self, word: str) -> int:
        """Return the id of a normalised word, or -1."""
        return TermTable(self.word_text, self.word_offset, self.word_slot).find(word)

    def node_words(self, node: int) -> tuple[str, ...]:
        """Return the words that lead to a node."""
        words: list[str] = []
        while node > 0:
            node, word = divmod(int(self.child_key[node - 1]), self.num_words)
            words.append(self.word_text[self.word_offset[word] : self.word_offset[word + 1]].tobytes().decode())
        return tuple(reversed(words))


def build_label_index(texts: Sequence[str], languages: Sequence[str], alias_ids: Int32) -> LabelIndex:
    """Index labels given as strings.

    Args:
        texts: labels as written [num_labels].
        languages: their tags [num_labels]; empty = untagged, cut by English rules.
        alias_ids: int32 [num_labels], what a match gives back; ids that meet in a node keep the order given.
    """
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    offset = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in encoded], out=offset[1:])
    tags = sorted(set(languages))
    number = {tag: place for place, tag in enumerate(tags)}
    language = np.array([number[tag] for tag in languages], dtype=np.int16)
    rows = np.arange(len(encoded), dtype=np.int64)
    index = index_labels(np.frombuffer(bytearray().join(encoded), dtype=np.uint8), offset, rows, language, tags)
    return index._replace(node_alias=np.asarray(alias_ids, dtype=np.int32)[index.node_alias])


def index_labels(
    text: Bytes, offset: Int64, rows: Int64, language: NDArray[np.int16], tags: Sequence[str]
) -> LabelIndex:
    """Index labels given as UTF-8 text; a match gives back the row of the label.

    Args:
        text: uint8 [num_bytes], labels as written.
        offset: int64 [num_all + 1], where each label begins.
        rows: int64 [num_labels], the labels to index; those that meet in a node keep this order.
        language: int16 [num_all], number of each label's language.
        tags: language tags by number; empty = untagged, cut by English rules.
    """
    if not len(rows):
        none = np.empty(0, dtype=np.int32)
        return _index(TermInterner().table(rows), *_trie(none, rows, rows, 1), rows, rows)
    primary = [primary_language(tag) for tag in tags]
    english = np.array([name in ("", "en") for name in primary], dtype=np.bool_)[language[rows]]
    scanned = scan_labels(text, offset, rows, english, MAX_LABEL_WORDS, MAX_LABEL_CHARACTERS)
    slow_words: list[str] = []
    slow_entries: list[tuple[int, int, int]] = []  # place in `rows`, number of words, shape
    for number in np.flatnonzero(scanned.num_words == SLOW).tolist():
        row = rows[number]
        label = text[offset[row] : offset[row + 1]].tobytes().decode("utf-8", "surrogatepass")
        for words, shape in label_entries(label, primary[language[row]]):
            slow_words += words
            slow_entries.append((number, len(words), shape))
    interner = TermInterner()
    flat = np.concatenate([interner.intern(scanned.text, scanned.spans), interner.intern_keys(slow_words)])
    num_words, packed = scanned.num_words, scanned.shape
    del scanned  # the texts and spans of all words are the largest arrays here
    plain = np.flatnonzero(num_words > 0)
    slow = np.array(slow_entries, dtype=np.int64).reshape(-1, 3)
    lengths = np.concatenate([num_words[plain], slow[:, 1]])
    place = np.concatenate([plain, slow[:, 0]])
    shapes = np.concatenate([packed[plain], slow[:, 2]])
    starts = np.cumsum(lengths) - lengths
    if len(slow):
        order = np.argsort(place, kind="stable")
        lengths, place, shapes, starts = lengths[order], place[order], shapes[order], starts[order]
    in_order = interner.canonical_order()
    word_id = np.empty(len(in_order), dtype=np.int32)
    word_id[in_order] = np.arange(len(in_order))
    child_key, node = _trie(word_id[flat], starts, lengths, max(len(in_order), 1))
    return _index(interner.table(in_order), child_key, node, rows[place], shapes)


def label_entries(text: str, language: str) -> list[tuple[list[str], int]]:
    """Return the word sequences under which a label is entered, each with its shape; none for punctuation alone."""
    if text.isascii() and text.islower() and text.replace(" ", "").isalpha():
        plain = text.split()
        return [(plain, 0)] if len(plain) <= MAX_LABEL_WORDS else []
    if len(text) > MAX_LABEL_CHARACTERS:
        return []
    words = split_text(text.replace("_", " "), language)
    if not words or len(words) > MAX_LABEL_WORDS:
        return []
    shapes = [word.shape for word in words]
    entries = [([word.text for word in words], _pack(shapes, AS_WRITTEN))]
    if any(shape & GLUED_BIT for shape in shapes):
        joined: list[str] = []
        joined_shapes: list[int] = []
        first = 0
        while first < len(words):
            last = first + 1
            while last < len(words) and words[last].shape & GLUED_BIT and words[last].group == words[first].group:
                last += 1
            whole = joined_text(words[first:last])
            written = text[words[first].start : words[last - 1].end]
            letters = "".join(filter(str.isalnum, written))
            joined.extend([whole] if whole else [word.text for word in words[first:last]])
            joined_shapes.extend([word_shape(letters, whole)] if whole else shapes[first:last])
            first = last
        if len(joined) < len(words):
            entries.append((joined, _pack(joined_shapes, JOINED)))
    if language in ("", "en") and len(words) > 1 and words[0].text == "the" and shapes[1] & 3:
        entries.append(([word.text for word in words[1:]], _pack(shapes[1:], WITHOUT_ARTICLE)))
    return entries


def exact(index: LabelIndex, label: str) -> Int32:
    """Return the aliases whose label is this one up to case, accents and hyphens, in the order they were indexed."""
    aliases: list[int] = []
    for words, _ in label_entries(label, ""):
        node = 0
        for word in words:
            number = index.find_word(word)
            if number < 0:
                node = -1
                break
            node = child_node(index.child_key, index.child_start, index.root_child, node, number)
            if node < 0:
                break
        if node > 0:
            aliases.extend(index.node_alias[index.node_start[node] : index.node_start[node + 1]].tolist())
    return np.array(list(dict.fromkeys(aliases)), dtype=np.int32)


def _pack(shapes: Sequence[int], variant: int) -> int:
    packed = variant << VARIANT_SHIFT
    for place, shape in enumerate(shapes[:MAX_SHAPE_WORDS]):
        packed |= shape << (SHAPE_BITS * place)
    return packed


def _trie(words: Int32, starts: Int64, lengths: Int64, num_words: int) -> tuple[Int64, Int64]:
    """Return the sorted keys of the nodes and the node of each entry, level by level."""
    node = np.zeros(len(lengths), dtype=np.int64)
    keys: list[Int64] = []
    num_nodes = 1
    for depth in range(int(lengths.max(initial=0))):
        rows = np.flatnonzero(lengths > depth)
        level, place = _distinct(node[rows] * num_words + words[starts[rows] + depth])
        node[rows] = num_nodes + place
        num_nodes += len(level)
        keys.append(level)
    return (np.concatenate(keys) if keys else np.empty(0, dtype=np.int64)), node


def _distinct(values: Int64) -> tuple[Int64, Int64]:
    """Return the distinct values, ascending, and the place of each value among them."""
    if values.max(initial=0) > 4 * len(values):
        return np.unique(values, return_inverse=True)
    is_there = np.bincount(values) > 0
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[values]


def _index(table: TermTable, child_key: Int64, node_of_entry: Int64, rows: Int64, shapes: Int64) -> LabelIndex:
    num_words, num_nodes = len(table), len(child_key) + 1
    child_start = np.zeros(num_nodes + 1, dtype=np.int64)
    root_child = np.full(num_words, -1, dtype=np.int32)
    if num_words:
        parent = child_key // num_words
        np.cumsum(np.bincount(parent, minlength=num_nodes), out=child_start[1:])
        first_level = child_key[: child_start[1]]
        root_child[first_level] = np.arange(1, len(first_level) + 1, dtype=np.int32)
    order = stable_order(node_of_entry)
    node_start = np.zeros(num_nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(node_of_entry, minlength=num_nodes), out=node_start[1:])
    return LabelIndex(
        word_text=table.text,
        word_offset=table.offset,
        word_slot=table.slot,
        child_key=child_key,
        child_start=child_start,
        root_child=root_child,
        node_start=node_start,
        node_alias=rows[order].astype(np.int32),
        node_shape=shapes[order],
    )


@compiled
def child_node(child_key: Int64, child_start: Int64, root_child: Int32, node: int, word: int) -> int:
    """Return the child of a node by a word id, or -1."""
    if node == 0:
        return int(root_child[word])
    low = child_start[node]
    high = child_start[node + 1]
    wanted = node * root_child.size + word
    while low < high:
        middle = (low + high) >> 1
        if child_key[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    if low < child_start[node + 1] and child_key[low] == wanted:
        return int(low + 1)
    return -1


@compiled
def match_labels(
    child_key: Int64,
    child_start: Int64,
    root_child: Int32,
    node_start: Int64,
    row_alternatives: Int32,
    alternatives: Int32,
    rows: Int32,
    max_words: int,
) -> Int32:
    """Find every label in a text.

    Args:
        child_key: as in LabelIndex, with child_start, root_child and node_start.
        child_start: see child_key.
        root_child: see child_key.
        node_start: see child_key.
        row_alternatives: int32 [num_rows, 2], where the alternatives of each word row start and end.
        alternatives: int32 [num_alternatives, 4]: word id, parts of speech it may be (bits n1 v2 a4 r8), how many
            words of the text it stands for, whether a lemma rule made it.
        rows: int32 [num_words], the word row of each word of the text; -1 = taken, no label may contain it.
        max_words: longest match, in words of the text.

    Returns:
        int32 [num_matches, 5]: first word, word after the last, node, parts of speech left, number of lemma rules.
    """
    num_words = rows.size
    matches = np.empty((4 * num_words + 16, 5), dtype=np.int32)
    num_matches = 0
    # One branch of the search: place in the text, node, parts of speech, lemma rules.
    stack = np.empty((256, 4), dtype=np.int64)
    for start in range(num_words):
        if rows[start] < 0:
            continue
        stack[0, 0] = start
        stack[0, 1] = 0
        stack[0, 2] = ANY_POS
        stack[0, 3] = 0
        depth = 1
        while depth > 0:
            depth -= 1
            place = stack[depth, 0]
            node = stack[depth, 1]
            mask = stack[depth, 2]
            rules = stack[depth, 3]
            if node > 0 and node_start[node + 1] > node_start[node]:
                if num_matches == matches.shape[0]:
                    grown = np.empty((2 * num_matches, 5), dtype=np.int32)
                    grown[:num_matches] = matches
                    matches = grown
                matches[num_matches, 0] = start
                matches[num_matches, 1] = place
                matches[num_matches, 2] = node
                matches[num_matches, 3] = mask
                matches[num_matches, 4] = rules
                num_matches += 1
            if place >= num_words or place - start >= max_words or rows[place] < 0:
                continue
            if node > 0 and child_start[node + 1] == child_start[node]:
                continue
            row = rows[place]
            for number in range(row_alternatives[row, 0], row_alternatives[row, 1]):
                after = place + alternatives[number, 2]
                left = mask & alternatives[number, 1]
                word = alternatives[number, 0]
                if word < 0 or left == 0 or after > num_words or depth >= stack.shape[0]:
                    continue
                child = child_node(child_key, child_start, root_child, node, word)
                if child >= 0:
                    stack[depth, 0] = after
                    stack[depth, 1] = child
                    stack[depth, 2] = left
                    stack[depth, 3] = rules + alternatives[number, 3]
                    depth += 1
    return matches[:num_matches]
