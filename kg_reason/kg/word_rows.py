"""From a text to rows of the word table, one for each word, and what the words around them say of them.

Words that a name of the example covers, and those of function phrases, are taken out of the search for labels; function
words that stand for a noun or verb ("the can") are let in. The table is `word_table.py`, matching labels `linker.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from kg_reason.kg.lemmas import NOUN, VERB
from kg_reason.kg.span_choice import ROW_NAMED, ROW_PHRASE
from kg_reason.kg.word_classes import (
    ARTICLES,
    CONTENT,
    DO,
    ENGLISH_FUNCTION_PHRASES,
    MODAL,
    NEGATION,
    OTHER,
    POSSESSIVE,
    SUBJECT,
    TO,
)
from kg_reason.kg.word_table import BREAK_AFTER, CLASS, SHAPE, WordTable
from kg_reason.kg.words import CAPITALISED, CASE_BITS, split_text

Named = dict[int, tuple[int, int, str]]


def place_words(text: str, table: WordTable) -> tuple[list[int], list[int], list[int]]:
    """Return the row, first character and end of each word of a text."""
    rows: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    place = 0
    for chunk in text.split():
        place = text.index(chunk, place)
        for start, end, row in table.pieces(chunk):
            rows.append(row)
            starts.append(place + start)
            ends.append(place + end)
        place += len(chunk)
    return rows, starts, ends


def take_phrases(rows: list[int], table: WordTable) -> None:
    """Mark the words of function phrases ("a lot of") as taken."""
    texts = table.texts
    for place, row in enumerate(rows):
        phrases = ENGLISH_FUNCTION_PHRASES.get(texts[row]) if row >= 0 else None
        for phrase in phrases or ():
            last = place + len(phrase)
            if last <= len(rows) and tuple(texts[other] for other in rows[place:last]) == phrase:
                rows[place:last] = [ROW_PHRASE] * len(phrase)
                break


def turn_words(rows: list[int], tags: list[int], table: WordTable) -> None:
    """Let function words be content words where their neighbours, or a tagger, say so: the can, in May, they like it.

    Args:
        rows: of the words, changed in place.
        tags: parts of speech of each word as bits; 0 = not known.
        table: of the rows.
    """
    facts, turning = table.facts, table.turning_rows
    for place, row in enumerate(rows):
        if row not in turning:
            continue
        before = rows[place - 1] if place else ROW_PHRASE
        if before < 0 or facts[before, BREAK_AFTER]:
            word_before, class_before = "", OTHER
        else:
            word_before, class_before = table.texts[before], int(facts[before, CLASS])
        word = table.texts[row]
        if word == "like":
            if class_before == NEGATION and place > 1 and rows[place - 2] >= 0:
                class_before = int(facts[rows[place - 2], CLASS])
            turns = tags[place] == VERB or (not tags[place] and class_before in (TO, MODAL, DO, SUBJECT))
            turns = turns or word_before == "you"
        elif word == "may" and facts[row, SHAPE] & CASE_BITS == CAPITALISED:  # the month
            turns = class_before not in (OTHER, CONTENT, SUBJECT)
        else:
            turns = tags[place] == NOUN or word_before in ARTICLES or class_before == POSSESSIVE
        if turns:
            rows[place] = turning[row]


def take_names(rows: list[int], table: WordTable, names: Mapping[str, int], language: str) -> Named:
    """Mark the words that a name covers as taken.

    Args:
        rows: of the words, changed in place.
        table: of the rows.
        names: surface -> entity, see `NLIExample.names`; a plural of its last word is the same name.
        language: of the text.

    Returns:
        First word -> word after the last, entity, key.
    """
    wanted: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for surface, entity in names.items():
        words = tuple(word.text for word in split_text(surface, language))
        if words:
            wanted.setdefault(words[0], []).append((words, entity))
            if len(words) == 1:
                for plural in _plurals(words[0]):
                    wanted.setdefault(plural, []).append((words, entity))
    for choices in wanted.values():
        choices.sort(key=lambda choice: -len(choice[0]))
    texts = [table.texts[row] if row >= 0 else "" for row in rows]
    named: dict[int, tuple[int, int, str]] = {}
    place = 0
    while place < len(texts):
        for words, entity in wanted.get(texts[place], ()):
            last = place + len(words)
            inner = tuple(texts[place : last - 1]) == words[:-1]
            if last <= len(texts) and inner and texts[last - 1] in (words[-1], *_plurals(words[-1])):
                rows[place:last] = [ROW_NAMED] * len(words)
                named[place] = (last, entity, " ".join(words))
                place = last - 1
                break
        place += 1
    return named


def _plurals(word: str) -> tuple[str, ...]:
    if word.endswith("y") and len(word) > 2 and word[-2] not in "aeiou":
        return (word[:-1] + "ies", word + "s")
    return (word + "s", word + "es")
