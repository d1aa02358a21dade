"""One labelled pair at a time: two entities that a pattern joins, a sentence that takes both words, checks.

Frames for words that no sentence holds are filled in `frames.py`. How many pairs of which kind are made is
`generator.py`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence

from kg_reason.config import SynthesisConfig
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.synthesis.clauses import embedded_places
from kg_reason.synthesis.drafts import Cell, Draft, Drafter
from kg_reason.synthesis.frames import FrameFiller
from kg_reason.synthesis.nonce import NonceWords
from kg_reason.synthesis.pair_checks import PairChecks
from kg_reason.synthesis.patterns import PatternWalker, Route, Walk
from kg_reason.synthesis.place_choice import (
    IDENTICAL,
    LONGER,
    OWN_PATTERNS,
    SHORTER,
    PlaceChooser,
)
from kg_reason.synthesis.places import Place, find_places, shorten
from kg_reason.synthesis.polarity import load_parser
from kg_reason.synthesis.relation_table import Pattern, RelationTable
from kg_reason.synthesis.surface import is_name
from kg_reason.synthesis.vocabulary import Vocabulary

_FRAME_SHARE = {False: 0.35, True: 0.6}  # by whether the words are invented
_REVERSED_SHARE = 0.4
_MAX_TRIES = 80
_MAX_PLACE_TRIES = 50  # of them in sentences, before frames are tried
_MAX_PAIR_REPEATS = 3


class PairMaker:
    """Draws pairs from cells, none of them twice.

    Args:
        linker: finds the words of the sentences; its graph is the graph of everything.
        sentences: plain text, one sentence each.
        table: relation patterns and frames.
        config: settings.
        retriever: where given, pairs with invented words are kept only if it finds a path between them.

    Attributes:
        drafter: draws its walks and words.
        seen: premise and hypothesis of the pairs drawn so far.
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
        self._linker = linker
        self._retriever = retriever
        self._patterns = table.patterns
        self._rng = random.Random(f"synthesis {config.synthesis_seed}")
        walker = PatternWalker(graph, table)
        self._vocabulary = Vocabulary(graph, sentences, avoid=table.avoid)
        self._vocabulary.drop(_avoided(walker, self._vocabulary, table.avoid_below))
        self._checks = PairChecks(walker, self._vocabulary)
        nonce = NonceWords(graph, config.synthesis_seed)
        self.drafter = Drafter(walker, self._vocabulary, self._checks, nonce, self._rng)
        self._frames = FrameFiller(self.drafter, table.frames)
        places = find_places(self._vocabulary, linker, sentences, load_parser() if sentences else None)
        places = (*places, *embedded_places(places, table.clauses, config.synthesis_seed))
        self._chooser = PlaceChooser(places, walker, self._vocabulary, table.avoid, config.max_pairs_per_sentence)
        self._has_places = bool(places)
        self._word_pairs: Counter[tuple[str, str]] = Counter()
        self.seen: set[tuple[str, str]] = set()

    def routes(self) -> dict[Pattern, tuple[Route, ...]]:
        """Return the patterns that the graph has relations for, each with its routes, and those without relations."""
        found: dict[Pattern, tuple[Route, ...]] = {}
        for route in self.drafter.walker.routes:
            found[route.pattern] = (*found.get(route.pattern, ()), route)
        unrelated = [pattern for pattern in self._patterns if pattern.unrelated]
        return found | dict.fromkeys((*unrelated, *OWN_PATTERNS), ())

    @property
    def num_drawn(self) -> int:
        """How many pairs were drawn."""
        return len(self.seen)

    def draw(self, cell: Cell) -> Draft | None:
        """Return a pair that was not drawn before, or None where some tries found none."""
        from_place = self._has_places and self._rng.random() >= _FRAME_SHARE[cell.invented]
        for attempt in range(_MAX_TRIES):
            draft = self._try(cell, from_place=from_place and attempt < _MAX_PLACE_TRIES)
            if draft is None or (draft.premise == draft.hypothesis and cell.pattern.name != IDENTICAL):
                continue
            if (draft.premise, draft.hypothesis) in self.seen or self._word_pairs[draft.words] >= _MAX_PAIR_REPEATS:
                continue
            if cell.invented and not self._evidence_fits(cell, draft):
                continue
            self.seen.add((draft.premise, draft.hypothesis))
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
        return self._from_place(cell) if from_place else self._frames.draft(cell)

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

    def _from_place(self, cell: Cell) -> Draft | None:
        backward = self._rng.random() < _REVERSED_SHARE
        place = self._chooser.draw(cell.kind, backward, self._rng)
        if place is None:
            return None
        walk = self.drafter.walk(cell, place.entity, backward)
        if walk is None or not self._checks.holds(cell.pattern, walk):
            return None
        other = walk.entities[0] if backward else walk.entities[-1]
        if cell.invented:
            return self._invented_in_place(cell, place, walk)
        word = self.drafter.other_word(place.lemma, place.pos, other, other == place.entity)
        if word is None or (other != place.entity and self._checks.words_clash(cell.pattern, place.lemma, word.text)):
            return None
        changed = place.substitute(word.text)
        if not changed.text:
            return None
        filled = (changed, place.own) if backward else (place.own, changed)
        words = (word.text, place.lemma) if backward else (place.lemma, word.text)
        reason = self.drafter.justify(cell, walk, filled, place.tag)
        return Draft(filled[0].text, filled[1].text, words, f"s{place.sentence}", {}, reason)

    def _invented_in_place(self, cell: Cell, place: Place, walk: Walk) -> Draft | None:
        ends = (walk.entities[0], walk.entities[-1])
        if any(self._vocabulary.is_named(entity) != is_name(place.lemma) for entity in ends):
            return None
        names: dict[str, str] = {}
        filled = []
        for entity in ends:
            word, form = self.drafter.invent(place.tag)
            names |= dict.fromkeys((word, form), self.drafter.graph.entity_id(entity))
            filled.append(place.put(form.capitalize() if is_name(place.lemma) else form))
        reason = self.drafter.justify(cell, walk, filled, place.tag)
        return Draft(filled[0].text, filled[1].text, ("", ""), f"s{place.sentence}", names, reason)

    def _evidence_fits(self, cell: Cell, draft: Draft) -> bool:
        """Tell whether the retriever finds a path for a pair, or none for a pair of unrelated words."""
        if self._retriever is None:
            return True
        mentions = self._linker.link_pair(draft.premise, draft.hypothesis, draft.names)
        found = len(self._retriever.retrieve(*mentions).length) > 0
        return found != (cell.pattern.unrelated)


def _avoided(walker: PatternWalker, vocabulary: Vocabulary, labels: Collection[str]) -> set[int]:
    """Return the entities below, or marked by, those with labels that the table tells to avoid."""
    graph = walker.graph
    found: set[int] = set()
    for label in sorted(labels):
        for top in vocabulary.senses(label):
            marked = {int(graph.edge_head[edge]) for edge in graph.edges_of(top)}
            found |= walker.below(top) | (marked - walker.above_within(top, 1))
    return found
