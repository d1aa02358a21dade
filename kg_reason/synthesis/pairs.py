"""One labelled pair at a time: two entities that a pattern joins, a sentence or frame that takes both words, checks.

How many pairs of which kind are made is `generator.py`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kg_reason.config import SynthesisConfig
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.nli import Justification, Label, ReplacedWord
from kg_reason.synthesis.clauses import embedded_places
from kg_reason.synthesis.context import Polarity
from kg_reason.synthesis.nonce import NonceWords
from kg_reason.synthesis.pair_checks import PairChecks
from kg_reason.synthesis.patterns import PatternWalker, Route, Walk
from kg_reason.synthesis.place_choice import (
    IDENTICAL,
    LONGER,
    OWN_PATTERNS,
    SHORTER,
    UNRELATED,
    Kind,
    PlaceChooser,
)
from kg_reason.synthesis.places import Place, find_places, shorten
from kg_reason.synthesis.polarity import load_parser
from kg_reason.synthesis.relation_table import Frames, Pattern, RelationTable
from kg_reason.synthesis.surface import NOT_ENGLISH, PREPOSITIONS, Filled, fill, gap_tag, inflect, is_name
from kg_reason.synthesis.vocabulary import Vocabulary, Word

_FRAME_SHARE = {False: 0.35, True: 0.6}  # by whether the words are invented
_REVERSED_SHARE = 0.4
_SECOND_WORD_SHARE = 0.3
_NUM_DRAWN = 4
_MAX_TRIES = 80
_MAX_PLACE_TRIES = 50  # of them in sentences, before frames are tried
_MAX_PAIR_REPEATS = 3
_FRAME_SETS = {"n": "noun", "v": "verb", "a": "adjective", "r": "adverb", "": "noun"}


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


class PairMaker:
    """Draws pairs from cells, none of them twice.

    Args:
        linker: finds the words of the sentences; its graph is the graph of everything.
        sentences: plain text, one sentence each.
        table: relation patterns and frames.
        config: settings.
        retriever: where given, pairs with invented words are kept only if it finds a path between them.
    """

    def __init__(
        self,
        linker: EntityLinker,
        sentences: Sequence[str],
        table: RelationTable,
        config: SynthesisConfig,
        retriever: Retriever | None = None,
    ) -> None:
        graph = linker.graph
        self._graph = graph
        self._linker = linker
        self._retriever = retriever
        self._table = table
        self._rng = random.Random(f"synthesis {config.synthesis_seed}")
        self._walker = PatternWalker(graph, table)
        self._vocabulary = Vocabulary(graph, sentences, avoid=self._table.avoid)
        self._vocabulary.drop(self._avoided())
        self._checks = PairChecks(self._walker, self._vocabulary)
        self._nonce = NonceWords(graph, config.synthesis_seed)
        places = find_places(self._vocabulary, linker, sentences, load_parser() if sentences else None)
        places = (*places, *embedded_places(places, table.clauses, config.synthesis_seed))
        self._chooser = PlaceChooser(
            places, self._walker, self._vocabulary, table.avoid, config.max_pairs_per_sentence
        )
        self._has_places = bool(places)
        self._usual = [entity for entity in range(graph.num_entities) if self._vocabulary.words(entity)]
        self._word_pairs: Counter[tuple[str, str]] = Counter()
        self._seen: set[tuple[str, str]] = set()
        self._pattern_starts: dict[Pattern, list[int]] = {}

    def _avoided(self) -> set[int]:
        """Return the entities below, or marked by, those whose labels the table tells to avoid."""
        found: set[int] = set()
        for label in sorted(self._table.avoid_below):
            for top in self._vocabulary.senses(label):
                marked = {int(self._graph.edge_head[edge]) for edge in self._graph.edges_of(top)}
                found |= self._walker.below(top) | (marked - self._walker.above_within(top, 1))
        return found

    def routes(self) -> dict[Pattern, tuple[Route, ...]]:
        """Return the patterns that the graph has relations for, each with its routes, and those without relations."""
        found: dict[Pattern, tuple[Route, ...]] = {}
        for route in self._walker.routes:
            found[route.pattern] = (*found.get(route.pattern, ()), route)
        return found | dict.fromkeys(OWN_PATTERNS, ())

    @property
    def num_drawn(self) -> int:
        """How many pairs were drawn."""
        return len(self._seen)

    def draw(self, cell: Cell) -> Draft | None:
        """Return a pair that was not drawn before, or None where some tries found none."""
        from_place = self._has_places and self._rng.random() >= _FRAME_SHARE[cell.invented]
        for attempt in range(_MAX_TRIES):
            draft = self._try(cell, from_place=from_place and attempt < _MAX_PLACE_TRIES)
            if draft is None or (draft.premise == draft.hypothesis and cell.pattern.name != IDENTICAL):
                continue
            if (draft.premise, draft.hypothesis) in self._seen or self._word_pairs[draft.words] >= _MAX_PAIR_REPEATS:
                continue
            if cell.invented and not self._evidence_fits(cell, draft):
                continue
            self._seen.add((draft.premise, draft.hypothesis))
            if not cell.invented and draft.words != ("", ""):
                self._word_pairs[draft.words] += 1
            if draft.source:
                self._chooser.count(int(draft.source[1:]))
            return draft
        return None

    def _try(self, cell: Cell, *, from_place: bool) -> Draft | None:
        name = cell.pattern.name
        if name == IDENTICAL:
            return self._identical(cell)
        if name in (SHORTER, LONGER):
            return self._shortened(cell)
        return self._from_place(cell) if from_place else self._from_frame(cell)

    def _identical(self, cell: Cell) -> Draft | None:
        place = self._chooser.draw(cell.kind, False, self._rng)
        if place is None:
            return None
        return Draft(place.text, place.text, ("", ""), f"s{place.sentence}", {}, None)

    def _shortened(self, cell: Cell) -> Draft | None:
        place = self._chooser.draw(cell.kind, False, self._rng)
        shorter = shorten(place) if place is not None else ""
        if place is None or not shorter:
            return None
        premise, hypothesis = (place.text, shorter) if cell.pattern.name == SHORTER else (shorter, place.text)
        return Draft(premise, hypothesis, ("", ""), f"s{place.sentence}", {}, None)

    def _walk(self, cell: Cell, entity: int, backward: bool) -> Walk | None:
        """Return a walk of a cell's pattern from an entity, or to it where backward."""
        if cell.pattern.name == UNRELATED:
            other = self._draw_usual(self._usual) if self._usual and not cell.invented else -1
            other = other if other >= 0 else self._rng.randrange(self._graph.num_entities)
            ends = (other, entity) if backward else (entity, other)
            return Walk(ends, ()) if self._checks.are_unrelated(entity, other) else None
        route = self._rng.choice(cell.routes)
        if not route.steps:
            return Walk((entity,), ())
        walks = self._walker.walks(route.reversed() if backward else route, entity, self._rng)
        if not walks:
            return None
        walk = self._most_usual(walks) if not cell.invented else self._rng.choice(walks)
        return Walk(walk.entities[::-1], walk.edges[::-1]) if backward else walk

    def _most_usual(self, walks: Sequence[Walk]) -> Walk:
        """Draw some walks and return the one that ends in the most usual word."""
        drawn = [self._rng.choice(walks) for _ in range(_NUM_DRAWN)]
        return max(drawn, key=lambda walk: self._usage(walk.entities[-1]))

    def _usage(self, entity: int) -> float:
        words = self._vocabulary.words(entity)
        return words[0].usage / words[0].rank**2 if words else -1.0

    def _from_place(self, cell: Cell) -> Draft | None:
        backward = self._rng.random() < _REVERSED_SHARE
        place = self._chooser.draw(cell.kind, backward, self._rng)
        if place is None:
            return None
        walk = self._walk(cell, place.entity, backward)
        if walk is None or not self._checks.holds(cell.pattern, walk):
            return None
        other = walk.entities[0] if backward else walk.entities[-1]
        if cell.invented:
            return self._invented_in_place(cell, place, walk)
        word = self._other_word(place.lemma, place.pos, other, other == place.entity)
        if word is None or (other != place.entity and self._checks.words_clash(cell.pattern, place.lemma, word.text)):
            return None
        changed = place.substitute(word.text)
        if not changed.text:
            return None
        filled = (changed, place.own) if backward else (place.own, changed)
        words = (word.text, place.lemma) if backward else (place.lemma, word.text)
        reason = self._justify(cell, walk, filled, place.tag)
        return Draft(filled[0].text, filled[1].text, words, f"s{place.sentence}", {}, reason)

    def _justify(self, cell: Cell, walk: Walk, filled: Sequence[Filled], tag: str) -> Justification:
        """Return why a pair of filled sentences, whose words stand for the ends of a walk, has its label."""
        premise_word, hypothesis_word = (
            ReplacedWord(sentence.start, sentence.end, self._graph.entity_id(entity), self._tag(tag, entity))
            for sentence, entity in zip(filled, (walk.entities[0], walk.entities[-1]), strict=True)
        )
        downward = cell.polarity is Polarity.DOWNWARD
        return Justification(premise_word, hypothesis_word, self._checks.facts(walk), downward)

    def _tag(self, tag: str, entity: int) -> str:
        """Return the tag of an entity's word in a place of a tag: a noun in the singular may be a name."""
        if tag in ("NN", "NNP"):
            return "NNP" if self._vocabulary.is_named(entity) else "NN"
        return tag

    def _invented_in_place(self, cell: Cell, place: Place, walk: Walk) -> Draft | None:
        ends = (walk.entities[0], walk.entities[-1])
        if any(self._vocabulary.is_named(entity) != is_name(place.lemma) for entity in ends):
            return None
        names: dict[str, str] = {}
        filled = []
        for entity in ends:
            word, form = self._invent(place.tag)
            names |= dict.fromkeys((word, form), self._graph.entity_id(entity))
            filled.append(place.put(form.capitalize() if is_name(place.lemma) else form))
        reason = self._justify(cell, walk, filled, place.tag)
        return Draft(filled[0].text, filled[1].text, ("", ""), f"s{place.sentence}", names, reason)

    def _from_frame(self, cell: Cell) -> Draft | None:
        walk = self._frame_walk(cell)
        if walk is None or not self._checks.holds(cell.pattern, walk):
            return None
        first, last = walk.entities[0], walk.entities[-1]
        pos = self._vocabulary.pos(first)
        if cell.invented:
            named = self._vocabulary.is_named(first) and self._vocabulary.is_named(last)
            frame = self._frame(cell, pos, named=named and pos in ("n", ""))
            return self._invented_in_frame(cell, frame, walk) if frame else None
        words = [word for word in self._vocabulary.words(first) if word.rank == 1]
        source = self._choose(words)
        word = self._other_word(source.text, source.pos, last, first == last) if source is not None else None
        if source is None or word is None or word.rank > 1:
            return None
        if first != last and self._checks.words_clash(cell.pattern, source.text, word.text):
            return None
        named = is_name(source.text) or is_name(word.text)
        prepositions = source.text in PREPOSITIONS and word.text in PREPOSITIONS and pos == "r"
        frame = self._frame(cell, pos, named=named and pos in ("n", ""), prepositions=prepositions)
        filled = [fill(frame, text) for text in (source.text, word.text)]
        if NOT_ENGLISH in filled:
            return None
        reason = self._justify(cell, walk, filled, gap_tag(frame))
        return Draft(filled[0].text, filled[1].text, (source.text, word.text), "", {}, reason)

    def _frame_walk(self, cell: Cell) -> Walk | None:
        if cell.invented and cell.routes:
            return self._walker.random_walk(self._rng.choice(cell.routes), self._rng)
        starts = self._starts(cell)
        return self._walk(cell, self._draw_usual(starts), backward=False) if starts else None

    def _starts(self, cell: Cell) -> list[int]:
        """Return the entities with a usual word from which a cell's pattern may lead somewhere."""
        if not cell.routes:
            return self._usual
        if cell.pattern not in self._pattern_starts:
            found = {entity for route in cell.routes for entity in self._walker.starts(route)}
            self._pattern_starts[cell.pattern] = [
                entity
                for entity in self._usual
                if entity in found and (cell.pattern.names != "only" or self._vocabulary.is_named(entity))
            ]
        return self._pattern_starts[cell.pattern]

    def _draw_usual(self, entities: Sequence[int]) -> int:
        """Draw some entities and return the one with the most usual word."""
        return max((self._rng.choice(entities) for _ in range(_NUM_DRAWN)), key=self._usage)

    def _frame(self, cell: Cell, pos: str, *, named: bool, prepositions: bool = False) -> str:
        usual_set = "name" if named else "preposition" if prepositions else _FRAME_SETS[pos]
        frames: Frames | None = self._table.frames.get(cell.pattern.frames or usual_set)
        if frames is None:
            return ""
        choices = frames.upward if cell.polarity is Polarity.UPWARD else frames.downward
        return self._rng.choice(choices) if choices else ""

    def _invented_in_frame(self, cell: Cell, frame: str, walk: Walk) -> Draft | None:
        tag = gap_tag(frame)
        names: dict[str, str] = {}
        filled = []
        for entity in (walk.entities[0], walk.entities[-1]):
            word, form = self._invent(tag)
            names |= dict.fromkeys((word, form), self._graph.entity_id(entity))
            filled.append(fill(frame, word.capitalize() if tag == "NNP" else word))
        reason = self._justify(cell, walk, filled, tag)
        return Draft(filled[0].text, filled[1].text, ("", ""), "", names, reason)

    def _invent(self, tag: str) -> tuple[str, str]:
        """Return an invented word and its form for a tag."""
        word = self._nonce.draw()
        return word, inflect(word, tag) or word

    def _evidence_fits(self, cell: Cell, draft: Draft) -> bool:
        """Tell whether the retriever finds a path for a pair, or none for a pair of unrelated words."""
        if self._retriever is None:
            return True
        mentions = self._linker.link_pair(draft.premise, draft.hypothesis, draft.names)
        found = len(self._retriever.retrieve(*mentions).length) > 0
        return found != (cell.pattern.name == UNRELATED)

    def _other_word(self, text: str, pos: str, entity: int, same: bool) -> Word | None:
        """Choose a usual word of an entity that can stand where another word stands."""
        choices = [
            word
            for word in self._vocabulary.words(entity)
            if word.text.lower() != text.lower() and (not pos or word.pos in ("", pos))
        ]
        if same:
            choices = [word for word in choices if word.text.lower().rstrip("s") != text.lower().rstrip("s")]
        return self._choose(choices)

    def _choose(self, words: Sequence[Word]) -> Word | None:
        """Return the most usual of some words, or now and then the next."""
        if not words:
            return None
        return words[1] if len(words) > 1 and self._rng.random() < _SECOND_WORD_SHARE else words[0]
