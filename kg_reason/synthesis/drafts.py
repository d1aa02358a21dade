"""What every way of making a pair needs: cells and drafts, walks, words for entities, invented words, reasons.

Drafts from places of sentences are made in `pairs.py`, those from frames in `frames.py`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kg_reason.nli import Justification, Label, ReplacedWord
from kg_reason.synthesis.context import Polarity
from kg_reason.synthesis.nonce import NonceWords
from kg_reason.synthesis.pair_checks import PairChecks
from kg_reason.synthesis.patterns import PatternWalker, Route, Walk
from kg_reason.synthesis.place_choice import Kind
from kg_reason.synthesis.relation_table import Pattern
from kg_reason.synthesis.surface import Filled, inflect
from kg_reason.synthesis.vocabulary import Vocabulary, Word

_SECOND_WORD_SHARE = 0.3
_NUM_DRAWN = 4
_NUM_ALIKE = 12


@dataclass(eq=False)
class Cell:
    """What one kind of pair is drawn from.

    Attributes:
        pattern: what leads from the one word to the other.
        routes: the same in the relations of the graph.
        polarity: of the place that the words take.
        invented: whether the words are replaced by invented ones.
        num_made, failures: pairs made so far; draws without a pair since the last one.
    """

    pattern: Pattern
    routes: tuple[Route, ...]
    polarity: Polarity
    invented: bool
    num_made: int = 0
    failures: int = 0

    @property
    def label(self) -> Label | None:
        """The label of its pairs; None where its pattern says nothing of its polarity."""
        return self.pattern.label if self.polarity is Polarity.UPWARD else self.pattern.downward

    @property
    def filling(self) -> float:
        """How full the cell is, by its share."""
        return (self.num_made + 1) / self.pattern.share

    @property
    def kind(self) -> Kind:
        """What it needs of a place."""
        return Kind(self.pattern, self.routes, self.polarity, self.invented)


class Draft(NamedTuple):
    """A pair before it is accepted: texts, the words that differ, where it is from, further names, why it holds."""

    premise: str
    hypothesis: str
    words: tuple[str, str]
    source: str
    names: dict[str, str]
    justification: Justification | None


class Drafter:
    """Draws walks and words for drafts.

    Args:
        walker: over the graph of everything.
        vocabulary: says which words name an entity well.
        checks: of the pairs.
        nonce: gives the invented words.
        rng: of every choice.

    Attributes:
        usual: the entities that have a usual word.
    """

    def __init__(
        self,
        walker: PatternWalker,
        vocabulary: Vocabulary,
        checks: PairChecks,
        nonce: NonceWords,
        rng: random.Random,
    ) -> None:
        self.graph = walker.graph
        self.walker = walker
        self.vocabulary = vocabulary
        self.checks = checks
        self.nonce = nonce
        self.rng = rng
        self.usual = [entity for entity in range(self.graph.num_entities) if vocabulary.words(entity)]

    def walk(self, cell: Cell, entity: int, backward: bool) -> Walk | None:
        """Return a walk of a cell's pattern from an entity, or to it where backward."""
        if cell.pattern.unrelated:
            other = self._draw_alike(entity, usual=bool(self.usual) and not cell.invented)
            ends = (other, entity) if backward else (entity, other)
            return Walk(ends, ()) if self.checks.are_unrelated(entity, other) else None
        route = self.rng.choice(cell.routes)
        if not route.steps:
            return Walk((entity,), ())
        walks = self.walker.walks(route.reversed() if backward else route, entity, self.rng)
        if not walks:
            return None
        walk = self._most_usual(walks) if not cell.invented else self.rng.choice(walks)
        return Walk(walk.entities[::-1], walk.edges[::-1]) if backward else walk

    def _draw_alike(self, entity: int, *, usual: bool) -> int:
        """Draw an entity, of the part of speech of another as far as some draws go; usual ones have a usual word."""
        other = entity
        for _ in range(_NUM_ALIKE):
            other = self.draw_usual(self.usual) if usual else self.rng.randrange(self.graph.num_entities)
            if self.vocabulary.pos(other) == self.vocabulary.pos(entity):
                break
        return other

    def _most_usual(self, walks: Sequence[Walk]) -> Walk:
        """Draw some walks and return the one that ends in the most usual word."""
        drawn = [self.rng.choice(walks) for _ in range(_NUM_DRAWN)]
        return max(drawn, key=lambda walk: self.usage(walk.entities[-1]))

    def usage(self, entity: int) -> float:
        """Tell how usual the word of an entity is; -1 where it has none."""
        words = self.vocabulary.words(entity)
        return words[0].usage / words[0].rank**2 if words else -1.0

    def draw_usual(self, entities: Sequence[int]) -> int:
        """Draw some entities and return the one with the most usual word."""
        return max((self.rng.choice(entities) for _ in range(_NUM_DRAWN)), key=self.usage)

    def justify(self, cell: Cell, walk: Walk, filled: Sequence[Filled], tag: str) -> Justification:
        """Return why a pair of filled sentences, whose words stand for the ends of a walk, has its label."""
        premise_word, hypothesis_word = (
            ReplacedWord(sentence.start, sentence.end, self.graph.entity_id(entity), self._tag(tag, entity))
            for sentence, entity in zip(filled, (walk.entities[0], walk.entities[-1]), strict=True)
        )
        downward = cell.polarity is Polarity.DOWNWARD
        return Justification(premise_word, hypothesis_word, self.checks.facts(walk), downward)

    def _tag(self, tag: str, entity: int) -> str:
        """Return the tag of an entity's word in a place of a tag: a noun in the singular may be a name."""
        if tag in ("NN", "NNP"):
            return "NNP" if self.vocabulary.is_named(entity) else "NN"
        return tag

    def invent(self, tag: str) -> tuple[str, str]:
        """Return an invented word and its form for a tag."""
        word = self.nonce.draw()
        return word, inflect(word, tag) or word

    def other_word(self, text: str, pos: str, entity: int, same: bool) -> Word | None:
        """Choose a usual word of an entity that can stand where another word stands."""
        choices = [
            word
            for word in self.vocabulary.words(entity)
            if word.text.lower() != text.lower() and (not pos or word.pos in ("", pos))
        ]
        if same:
            choices = [word for word in choices if word.text.lower().rstrip("s") != text.lower().rstrip("s")]
        return self.choose(choices)

    def choose(self, words: Sequence[Word]) -> Word | None:
        """Return the most usual of some words, or now and then the next."""
        if not words:
            return None
        return words[1] if len(words) > 1 and self.rng.random() < _SECOND_WORD_SHARE else words[0]
