"""Invented words: easy to say, deterministic, and in no label of the graph.

Only the graph can say what an invented word means, so examples made with them teach a model to read the graph.
"""

from __future__ import annotations

import random

from lemminflect import getAllLemmas

from kg_reason.kg.graph import KnowledgeGraph

_ONSETS = (
    "b", "bl", "br", "c", "cr", "d", "dr", "f", "fl", "g", "gl", "gr", "h", "j", "k", "kl", "kr", "l", "m", "n", "p",
    "pl", "pr", "qu", "r", "s", "sk", "sl", "sm", "sn", "sp", "st", "t", "tr", "v", "w", "y", "z",
)
_VOWELS = ("a", "e", "i", "o", "u", "a", "e", "o", "ai", "oo", "ea")
_MIDDLES = ("b", "bl", "d", "dr", "f", "g", "k", "l", "ld", "m", "mb", "n", "nd", "p", "r", "rd", "rn", "rv", "t", "v")
_CODAS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "t", "v", "rn", "lt", "nd", "mp", "rk", "lm")
_LIKE_AN_ENDING = ("ed", "en", "al", "er", "est", "ing", "ly", "man", "men")
_MAX_TRIES = 10_000


class NonceWords:
    """A stream of invented words, none of them twice.

    Endings that a lemmatiser would cut (-s, -ed, -ing, -er, -est) are avoided, so that a form such as "gavorns" leads
    back to "gavorn" and to nothing else.
    """

    def __init__(self, graph: KnowledgeGraph, seed: int = 0) -> None:
        self._graph = graph
        self._rng = random.Random(f"nonce {seed}")
        self._used: set[str] = set()

    def draw(self) -> str:
        """Return the next invented word, in lower case.

        Raises:
            RuntimeError: no word was found that the graph does not hold; this takes a graph of all short words.
        """
        for _ in range(_MAX_TRIES):
            word = self._invent()
            if word not in self._used and self._is_free(word):
                self._used.add(word)
                return word
        raise RuntimeError(f"no invented word in {_MAX_TRIES:,} tries that the graph does not hold")

    def _invent(self) -> str:
        rng = self._rng
        word = rng.choice(_ONSETS) + rng.choice(_VOWELS)
        for _ in range(rng.choice((1, 1, 1, 2))):
            word += rng.choice(_MIDDLES) + rng.choice(_VOWELS)
        return word + rng.choice(_CODAS)

    def _is_free(self, word: str) -> bool:
        if word.endswith(_LIKE_AN_ENDING) or getAllLemmas(word):
            return False
        return not any(self._graph.find_entities(word + ending) for ending in ("", "s", "ed", "ing"))
