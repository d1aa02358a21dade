"""What the linker knows of each chunk of text it has met, in arrays that compiled code reads.

A chunk recurs, so its words, their candidate lemmas as word ids of the label indexes, their classes and forms are
worked out once. The table grows to a bound and is then started afresh; that changes no result.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.label_index import LabelIndex
from kg_reason.kg.lemmas import ANY_POS, NOUN, VERB, Lemmatiser
from kg_reason.kg.word_classes import (
    CHINESE_COUNTERS,
    CHINESE_MEASURE_WORDS,
    CONTENT,
    ENGLISH_FUNCTION_PHRASES,
    NUMERALS,
    PLACE_PARTICLES,
    PLACE_VERBS,
    PLURAL_NOUNS,
    PREPOSITION,
    TO,
    TURNING_WORDS,
)
from kg_reason.kg.words import GLUED_BIT, Word, by_character, joined_text, split_chunk

Int32 = NDArray[np.int32]

MAX_ROWS = 1 << 18

# Columns of the facts of a word row.
CLASS, FORM, FLAGS, SHAPE, BREAK_AFTER, WORD = range(6)  # WORD: equal for equal normal forms
NUM_FACTS = 6
# Forms of a verb, by ending; a noun's plural has FORM_S too.
FORM_ING, FORM_PAST, FORM_S = 1, 2, 4
# Flags.
SINGLE_LETTER = 1
CHARACTER = 2  # of a script that is cut by character
PLACE_VERB = 4
PLACE_PREPOSITION = 8
HAS_POSSESSIVE = 16
LY_ADVERB = 32
CONNECTED = 64  # to the word before, by a hyphen or the like
SYMBOL = 128
NUMERAL = 256
IRREGULAR = 512
MEASURE = 1024  # Chinese measure words, no words of their own behind a COUNTER
COUNTER = 2048

JOINED_RULE = 16  # in the rule count of a match: words of the text were joined

Piece = tuple[int, int, int]  # start and end in the chunk, row


class WordTable:
    """Word rows by chunk.

    Args:
        indexes: the label indexes whose word ids are wanted.
        language: primary language of the text.
        lemmas: candidate lemmas of a normalised word.
        classes: class of each function word.
    """

    def __init__(
        self, indexes: Sequence[LabelIndex], language: str, lemmas: Lemmatiser, classes: Mapping[str, int]
    ) -> None:
        self._indexes = tuple(indexes)
        self._language = language
        self._lemmas = lemmas
        self._classes = classes
        self._lock = threading.Lock()
        self._pieces: dict[str, tuple[Piece, ...]] = {}
        self.texts: list[str] = []  # normal form by row
        self.phrase_rows: set[int] = set()  # rows of words that begin a function phrase
        self.turning_rows: dict[int, int] = {}  # row of a function word -> its row as a content word
        self.num_rows = 0
        self.facts: Int32 = np.zeros((1024, NUM_FACTS), dtype=np.int32)
        self.spans: list[Int32] = [np.zeros((1024, 2), dtype=np.int32) for _ in self._indexes]
        self.alternatives: list[Int32] = [np.zeros((4096, 4), dtype=np.int32) for _ in self._indexes]
        self._numbers: dict[str, int] = {}
        self._num_alternatives = [0 for _ in self._indexes]

    def pieces(self, chunk: str) -> tuple[Piece, ...]:
        """Return the words of a chunk."""
        known = self._pieces.get(chunk)
        if known is not None:
            return known
        with self._lock:
            if chunk not in self._pieces:
                words = split_chunk(chunk, self._language)
                self._pieces[chunk] = tuple(
                    (word.start, word.end, self._add(words, place)) for place, word in enumerate(words)
                )
            return self._pieces[chunk]

    def _add(self, words: tuple[Word, ...], place: int) -> int:
        word = words[place]
        row = self.num_rows
        lemmas = self._lemmas(word.text) if word.text[0].isalpha() else ()
        if row + 1 >= len(self.facts):
            self.facts = _grown(self.facts)
            self.spans = [_grown(span) for span in self.spans]
        joined, joined_span = self._joined(words, place)
        for number, index in enumerate(self._indexes):
            choices = [(index.find_word(word.text), ANY_POS, 1, 0)]
            choices += [(index.find_word(lemma), pos, 1, 1) for lemma, pos in lemmas]
            if joined:
                choices.append((index.find_word(joined), ANY_POS, joined_span, JOINED_RULE))
            choices = [choice for choice in choices if choice[0] >= 0]
            first = self._num_alternatives[number]
            last = first + len(choices)
            while last > len(self.alternatives[number]):
                self.alternatives[number] = _grown(self.alternatives[number])
            if choices:
                self.alternatives[number][first:last] = choices
            self.spans[number][row] = first, last
            self._num_alternatives[number] = last
        self.facts[row] = self._facts(word, lemmas, connected=place > 0 and words[place - 1].group == word.group)
        self.texts.append(word.text)
        if word.text in ENGLISH_FUNCTION_PHRASES:
            self.phrase_rows.add(row)
        self.num_rows = row + 1
        if self._language in ("", "en") and word.text in TURNING_WORDS:
            self._add_content_row(row)
        return row

    def _add_content_row(self, row: int) -> None:
        """Add a second row for a function word that may be a content word: the can, May."""
        content_row = self.num_rows
        self.facts[content_row] = self.facts[row]
        self.facts[content_row, CLASS] = CONTENT
        for spans in self.spans:
            spans[content_row] = spans[row]
        self.texts.append(self.texts[row])
        self.turning_rows[row] = content_row
        self.num_rows = content_row + 1

    def _joined(self, words: tuple[Word, ...], place: int) -> tuple[str, int]:
        """Return the hyphenated words that begin at a place written as one, and how many they are."""
        group = words[place].group
        if not (place == 0 or words[place - 1].group != group):
            return "", 0
        last = place + 1
        while last < len(words) and words[last].group == group and words[last].shape & GLUED_BIT:
            last += 1
        return joined_text(words[place:last]), last - place

    def _facts(self, word: Word, lemmas: tuple[tuple[str, int], ...], *, connected: bool) -> tuple[int, ...]:
        text = word.text
        known = [(lemma, pos) for lemma, pos in lemmas if any(index.find_word(lemma) >= 0 for index in self._indexes)]
        form = 0
        if any(pos & VERB for _, pos in known):
            if text.endswith("ing"):
                form = FORM_ING
            elif text.endswith("s"):
                form = FORM_S
            else:
                form = FORM_PAST
        elif any(pos & NOUN for _, pos in known) or text in PLURAL_NOUNS:
            form = FORM_S
        word_class = self._classes.get(text, CONTENT)
        first = text[0]
        flags = 0
        if len(text) == 1 and first.isalpha():
            flags |= CHARACTER if by_character(first) else SINGLE_LETTER
        if text in PLACE_VERBS or any(pos & VERB and lemma in PLACE_VERBS for lemma, pos in known):
            flags |= PLACE_VERB
        if word_class in (PREPOSITION, TO) or text in PLACE_PARTICLES:
            flags |= PLACE_PREPOSITION
        if word.possessive:
            flags |= HAS_POSSESSIVE
        if text.endswith("ly") and len(text) > 4:
            flags |= LY_ADVERB
        if connected:
            flags |= CONNECTED
        if not any(character.isalnum() for character in text):
            flags |= SYMBOL
        if first.isdigit() or text in NUMERALS:
            flags |= NUMERAL
        if form == FORM_PAST and not text.endswith("ed"):
            flags |= IRREGULAR
        flags |= _chinese_flags(text) if self._language == "zh" else 0
        number = self._numbers.setdefault(text, len(self._numbers))
        return word_class, form, flags, word.shape, word.break_after, number


def _chinese_flags(text: str) -> int:
    if text in CHINESE_COUNTERS or text[0].isdigit():
        return COUNTER
    return MEASURE if text in CHINESE_MEASURE_WORDS else 0


def _grown(array: Int32) -> Int32:
    return np.concatenate([array, np.zeros_like(array)])
