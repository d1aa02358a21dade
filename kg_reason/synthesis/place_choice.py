"""Which place of a sentence a pair takes: one whose entity the pattern can start from, or end in.

Finding places is `places.py`; putting words into them is `pairs.py`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain
from typing import NamedTuple

from kg_reason.nli import Label
from kg_reason.synthesis.context import Polarity
from kg_reason.synthesis.patterns import PatternWalker, Route
from kg_reason.synthesis.places import Place, shorten
from kg_reason.synthesis.relation_table import Pattern
from kg_reason.synthesis.vocabulary import Vocabulary

IDENTICAL, SHORTER, LONGER, UNRELATED = "identical", "shorter", "longer", "unrelated"
OWN_PATTERNS = (
    Pattern(IDENTICAL, (), Label.ENTAILMENT, Label.ENTAILMENT, share=0.4),
    Pattern(SHORTER, (), Label.ENTAILMENT, Label.NEUTRAL, share=0.6),
    Pattern(LONGER, (), Label.NEUTRAL, Label.ENTAILMENT, share=0.6),
    Pattern(UNRELATED, (), Label.NEUTRAL, Label.NEUTRAL, share=1.5, unrelated=True),
)
_MAX_DRAWS = 20


class Kind(NamedTuple):
    """What a place is wanted for.

    Attributes:
        pattern, routes: what leads from the one word to the other.
        polarity: of the place.
        invented: whether its word is replaced by an invented one; else its meaning must be clear.
    """

    pattern: Pattern
    routes: tuple[Route, ...]
    polarity: Polarity
    invented: bool


class PlaceChooser:
    """Draws places of sentences, each sentence so often at most.

    Args:
        places: of all sentences.
        walker: says which entities a pattern starts from.
        vocabulary: says which entities have a second word.
        avoid: lemmas that are not replaced.
        max_pairs_per_sentence: how often a sentence may be used.
    """

    def __init__(
        self,
        places: Sequence[Place],
        walker: PatternWalker,
        vocabulary: Vocabulary,
        avoid: Collection[str],
        max_pairs_per_sentence: int,
    ) -> None:
        self._walker = walker
        self._vocabulary = vocabulary
        self._limit = max_pairs_per_sentence
        self._used: Counter[int] = Counter()
        self._of: dict[tuple[Polarity, bool], list[Place]] = {}
        self._numbers: dict[tuple[Polarity, bool], dict[int, list[int]]] = {}  # of the places of each entity
        for polarity in Polarity:
            here = [place for place in places if place.polarity is polarity]
            self._of[polarity, True] = [place for place in here if place.lemma not in avoid]
            self._of[polarity, False] = [place for place in self._of[polarity, True] if place.clear]
            for any_meaning in (True, False):
                numbers = self._numbers[polarity, any_meaning] = {}
                for number, place in enumerate(self._of[polarity, any_meaning]):
                    numbers.setdefault(place.entity, []).append(number)
        self._fitting: dict[tuple[Kind, bool], list[Place]] = {}

    def draw(self, kind: Kind, backward: bool, rng: random.Random) -> Place | None:
        """Draw a place for the first word of a pair, or for the second where backward; None where none is left."""
        places = self._fitting.get((kind, backward))
        if places is None:
            places = self._fitting[kind, backward] = self._find(kind, backward)
        for _ in range(_MAX_DRAWS if places else 0):
            number = rng.randrange(len(places))
            if self._used[places[number].sentence] < self._limit:
                return places[number]
            places[number] = places[-1]
            places.pop()
            if not places:
                break
        return None

    def count(self, sentence: int) -> None:
        """Note that a sentence was used."""
        self._used[sentence] += 1

    def _find(self, kind: Kind, backward: bool) -> list[Place]:
        key = (kind.polarity, kind.invented or kind.pattern in OWN_PATTERNS)
        places, pattern = self._of[key], kind.pattern
        if pattern.name in (SHORTER, LONGER):
            return [place for place in places if shorten(place)]
        if any(route.steps for route in kind.routes):
            numbers = self._numbers[key]
            entities: set[int] = set()
            for route in kind.routes:
                entities |= numbers.keys() & self._walker.starts(route.reversed() if backward else route)
            places = [places[number] for number in sorted(chain.from_iterable(map(numbers.__getitem__, entities)))]
        if pattern.pos:
            places = [place for place in places if not place.pos or place.pos in pattern.pos]
        if pattern.after:
            ends = tuple(f" {word} " for word in pattern.after)
            places = [place for place in places if f" {place.text[: place.start].lower()}".endswith(ends)]
        if pattern.of:
            fitting = set() if backward and pattern.unrelated else set(self._walker.starts(Route(pattern, ())))
            places = [place for place in places if place.entity in fitting]
        if not kind.routes:
            return list(places)
        if not any(route.steps for route in kind.routes):
            return [place for place in places if kind.invented or len(self._vocabulary.words(place.entity)) > 1]
        return places
