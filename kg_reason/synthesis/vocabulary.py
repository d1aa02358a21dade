"""Which words name an entity well: usual ones, of which the entity is a usual meaning.

In a large graph a word counts as usual by the graph's own evidence: how many labels contain it ("beer": "root beer",
"beer bottle"), and whether the user's sentences do. The entity must be the word's first or second meaning of its part
of speech.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.synthesis.surface import is_name

_WORD = re.compile(r"[^\W_]+")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z'-]+(?: [A-Za-z][A-Za-z'-]*){0,2}\Z|\d+(?:st|nd|rd|th)?\Z")
_ROMAN = re.compile(r"[ivxlcdm]+\Z", re.IGNORECASE)
_MAX_SENSE = 2
_LARGE = 10_000  # labels; a smaller graph names what its users speak of
_USUAL_WORD_COUNT = 3
_USUAL_PHRASE_COUNT = 2


class Word(NamedTuple):
    """A label fit to stand in a sentence.

    Attributes:
        text: the label.
        pos: n, v, a, r, or empty when not known.
        rank: which meaning of the label, in that part of speech, the entity is; 1 is the most usual.
        usage: labels of the graph that contain it; ten more where a sentence of the user does.
    """

    text: str
    pos: str
    rank: int
    usage: int


class Vocabulary:
    """Chooses words for entities."""

    def __init__(
        self,
        graph: KnowledgeGraph,
        sentences: Sequence[str],
        *,
        avoid: Collection[str] = (),
        language: str = "en",
    ) -> None:
        self._avoid = frozenset(word.lower() for word in avoid)
        self._graph = graph
        self._is_large = graph.num_aliases > _LARGE
        labels: dict[int, list[tuple[int, str, str]]] = {}
        senses: dict[str, list[int]] = {}
        texts: list[str] = []
        fitting = [number for number, tag in enumerate(graph.languages) if tag.split("-")[0] in ("", language)]
        chosen = np.isin(graph.alias_language, fitting) & ~graph.alias_is_value & (graph.alias_entity >= 0)
        rows = np.flatnonzero(chosen)
        rows = rows[np.argsort(-graph.alias_prior[rows], kind="stable")]
        entities, classes = graph.alias_entity[rows].tolist(), graph.alias_pos[rows].tolist()
        for alias, entity, pos in zip(rows.tolist(), entities, classes, strict=True):
            text = graph.alias_text(alias)
            senses.setdefault(text.casefold(), []).append(entity)
            labels.setdefault(entity, []).append((alias, text, chr(pos).strip("\0")))
            texts.append(text)
        # Plain tuples of plain values: the garbage collector does not walk them again and again.
        self._senses = {text: tuple(found) for text, found in senses.items()}
        self._labels = {entity: tuple(sorted(found)) for entity, found in labels.items()}
        self._pos = {entity: found[0][2] for entity, found in self._labels.items()}
        self._counts: Counter[str] = Counter(chain.from_iterable(map(_phrases, texts)))
        self._known = self._counts.keys() & set(chain.from_iterable(map(_phrases, dict.fromkeys(sentences))))
        self._words: dict[int, tuple[Word, ...]] = {}

    def words(self, entity: int) -> tuple[Word, ...]:
        """Return the usual words for an entity, the most usual first; empty where it has none."""
        if entity not in self._words:
            found: list[Word] = []
            for _, text, pos in self._labels.get(entity, ()):
                usage = self._count(text)
                if not self._is_usual(text, usage) or not _PLAIN.match(text):
                    continue
                if " " in text and pos in ("v", "a", "r") and not is_name(text):
                    continue
                rank = self.senses(text, pos).index(entity) + 1
                if rank <= _MAX_SENSE:
                    found.append(Word(text, pos, rank, usage))
            if len(found) > 1:
                if any(word.text.isdigit() for word in found):
                    found = [word for word in found if not _ROMAN.match(word.text)]
                found.sort(key=lambda word: (word.rank, -word.usage))
            self._words[entity] = tuple(found)
        return self._words[entity]

    def drop(self, entities: Collection[int]) -> None:
        """Use no word for these entities."""
        self._words.update(dict.fromkeys(entities, ()))

    def senses(self, text: str, pos: str = "") -> list[int]:
        """Return the entities that a label names, most usual first; with a part of speech only those of it."""
        found = self._senses.get(text.casefold(), ())
        return [entity for entity in found if self._pos[entity] in ("", pos)] if pos else list(found)

    def pos(self, entity: int) -> str:
        """Return the part of speech of an entity's first label; empty when not known."""
        return self._pos.get(entity, "")

    def is_named(self, entity: int) -> bool:
        """Tell whether an entity's first label is a proper name."""
        labels = self._labels.get(entity, ())
        return bool(labels) and is_name(labels[0][1])

    def _count(self, text: str) -> int:
        """Return how many labels contain a text; to stand in a sentence of the user counts as ten."""
        phrase = text.lower()
        if not phrase.isalnum():
            phrase = " ".join(_WORD.findall(phrase))
        return self._counts[phrase] + 10 * (phrase in self._known)

    def _is_usual(self, text: str, usage: int) -> bool:
        """Tell whether a label of a count may stand in a sentence."""
        if self._is_large and usage < (_USUAL_PHRASE_COUNT if " " in text else _USUAL_WORD_COUNT):
            return False
        return text.lower() not in self._avoid and not (
            text[:1].islower() and any(word[0].isupper() for word in text.split())
        )


def _phrases(text: str) -> Collection[str]:
    """Return the words of a text and its runs of two and three words, in lower case, each once."""
    text = text.lower()
    if text.isalnum():
        return (text,)
    words = _WORD.findall(text)
    found = set(words)
    found.update(map(" ".join, zip(words, words[1:], strict=False)))
    found.update(map(" ".join, zip(words, words[1:], words[2:], strict=False)))
    return found
