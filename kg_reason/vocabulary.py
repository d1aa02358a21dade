"""Which words name an entity well: usual ones, of which the entity is a usual meaning.

A word counts as usual by the graph's own evidence: how many labels contain it ("beer": "root beer", "beer bottle") and
whether the user's sentences do. Where labels have a rank or prior, the entity must be the word's first or second meaning
of its part of speech.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.surface import is_name

_WORD = re.compile(r"[^\W_]+")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z'-]*(?: [A-Za-z][A-Za-z'-]*){0,2}\Z|\d+(?:st|nd|rd|th)?\Z")
_ROMAN = re.compile(r"[ivxlcdm]+\Z", re.IGNORECASE)
_MAX_SENSE = 2
_USUAL_COUNT = 3


class Word(NamedTuple):
    """A label fit to stand in a sentence.

    Attributes:
        text: the label.
        pos: n, v, a, r, or empty when not known.
        num_senses: entities of that part of speech that the label names.
    """

    text: str
    pos: str
    num_senses: int


class Vocabulary:
    """Chooses words for entities."""

    def __init__(self, graph: KnowledgeGraph, sentences: Sequence[str], language: str = "en") -> None:
        self._graph = graph
        self._language = language
        self._counts: Counter[str] = Counter()
        for alias in range(graph.num_aliases):
            if not graph.alias_is_value[alias]:
                self._counts.update(set(_WORD.findall(graph.alias_text(alias).lower())))
        self._known = {word for sentence in sentences for word in _WORD.findall(sentence.lower())}
        self._ranked = bool((graph.alias_prior < 1).any())
        self._words: dict[int, tuple[Word, ...]] = {}

    def words(self, entity: int) -> tuple[Word, ...]:
        """Return the usual words for an entity, the most usual first; empty where it has none."""
        if entity not in self._words:
            found = []
            for alias in self._graph.aliases(entity):
                if alias.kind == "hidden" or alias.language.split("-")[0] not in ("", self._language):
                    continue
                if _PLAIN.match(alias.text) and self.is_usual(alias.text):
                    rank, num_senses = self._sense(alias.text, alias.pos, entity)
                    if rank <= _MAX_SENSE:
                        found.append((rank, -self.count(alias.text), Word(alias.text, alias.pos, num_senses)))
            numeral = any(word.text.isdigit() for _, _, word in found)
            self._words[entity] = tuple(
                word for _, _, word in sorted(found) if not (numeral and _ROMAN.match(word.text))
            )
        return self._words[entity]

    def pos(self, entity: int) -> str:
        """Return the part of speech of an entity's first label; empty when not known."""
        aliases = self._graph.aliases(entity)
        return aliases[0].pos if aliases else ""

    def is_named(self, entity: int) -> bool:
        """Tell whether an entity's first label is a proper name."""
        aliases = self._graph.aliases(entity)
        return bool(aliases) and is_name(aliases[0].text)

    def count(self, text: str) -> int:
        """Return how many labels contain the rarest word of a text."""
        return min((self._counts[word] for word in _WORD.findall(text.lower())), default=0)

    def is_usual(self, text: str) -> bool:
        """Tell whether every word of a text is a usual one."""
        if not self._ranked:
            return True
        words = _WORD.findall(text.lower())
        return all(self._counts[word] >= _USUAL_COUNT or word in self._known for word in words)

    def _sense(self, text: str, pos: str, entity: int) -> tuple[int, int]:
        """Return which meaning of a label an entity is, from 1, and how many it has, in one part of speech."""
        rivals = [other for other in self._graph.find_entities(text) if other == entity or self._has_pos(other, pos)]
        return (rivals.index(entity) + 1 if entity in rivals else _MAX_SENSE + 1), len(rivals)

    def _has_pos(self, entity: int, pos: str) -> bool:
        return not pos or self.pos(entity) in ("", pos)
