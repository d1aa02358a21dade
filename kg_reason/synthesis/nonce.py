"""Invented words: easy to say, deterministic, and in no label of the graph.

Only the graph can say what an invented word means, so examples made with them teach a model to read the graph.
"""

from __future__ import annotations

import random
from dataclasses import replace

from lemminflect import getAllLemmas

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.nli import Justification, NLIExample, ReplacedWord
from kg_reason.synthesis.surface import inflect
from kg_reason.synthesis.surface import replace as put

_ONSETS = (
    "b", "bl", "br", "c", "cr", "d", "dr", "f", "fl", "g", "gl", "gr", "h", "j", "k", "kl", "kr", "l", "m", "n", "p",
    "pl", "pr", "qu", "r", "s", "sk", "sl", "sm", "sn", "sp", "st", "t", "tr", "v", "w", "y", "z",
)
_VOWELS = ("a", "e", "i", "o", "u", "a", "e", "o", "ai", "oo", "ea")
_MIDDLES = ("b", "bl", "d", "dr", "f", "g", "k", "l", "ld", "m", "mb", "n", "nd", "p", "r", "rd", "rn", "rv", "t", "v")
_CODAS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "t", "v", "rn", "lt", "nd", "mp", "rk", "lm")
_LIKE_AN_ENDING = ("ed", "en", "al", "er", "est", "ing", "ly", "man", "men")
_FORMS = ("", "s", "ed", "ing")
_MAX_TRIES = 10_000


class NonceWords:
    """A stream of invented words, none of them twice.

    Endings that a lemmatiser would cut (-s, -ed, -ing, -er, -est) are avoided, so that a form such as "gavorns" leads
    back to "gavorn" and to nothing else.
    """

    def __init__(self, graph: KnowledgeGraph, seed: int | str = 0) -> None:
        self._graph = graph
        self._rng = random.Random(f"nonce {seed}")
        self._used: set[str] = set()
        self._indexes = [index for index in (graph.label_index, graph.overlay_index) if index.num_words]

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
        return not any(self._is_taken(word + ending) for ending in _FORMS)

    def _is_taken(self, form: str) -> bool:
        """Tell whether a form is the id or a label of an entity; most are not even a word of any label."""
        if self._graph.find_id(form) < 0 and all(index.find_word(form) < 0 for index in self._indexes):
            return False
        return bool(self._graph.find_entities(form))


def with_invented_words(example: NLIExample, justification: Justification, words: NonceWords) -> NLIExample:
    """Return a made pair with invented words in place of the two words that it exchanged, linked by its names.

    Args:
        example: made from a graph; invented words that it has already give way to others.
        justification: of the example.
        words: gives the invented words.
    """
    names: dict[str, str] = {}
    texts, places = [], []
    for text, place in (
        (example.premise, justification.premise_word), (example.hypothesis, justification.hypothesis_word)
    ):  # fmt: skip
        word = words.draw()
        form = inflect(word, place.tag) or word if place.tag else word
        names |= dict.fromkeys((word, form), place.entity)
        opens = place.start == 0 or text[: place.start].rstrip()[-1:] in ".!?"
        shown = form.capitalize() if text[place.start].isupper() and not opens else form
        changed = put(text, place.start, place.end, shown)
        texts.append(changed.text)
        places.append(ReplacedWord(changed.start, changed.end, place.entity, place.tag))
    changed_justification = replace(justification, premise_word=places[0], hypothesis_word=places[1])
    return replace(
        example, premise=texts[0], hypothesis=texts[1], names=names, justification=changed_justification
    )
