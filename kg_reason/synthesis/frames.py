"""Pairs from frames, sentences with one gap such as "There is a {NN} behind the house.", for words in no sentence.

The frames are data, in the table of relation patterns (`relation_table.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from kg_reason.synthesis.context import Polarity
from kg_reason.synthesis.drafts import Cell, Draft, Drafter
from kg_reason.synthesis.patterns import Route, Walk
from kg_reason.synthesis.relation_table import Frames, Pattern
from kg_reason.synthesis.surface import NOT_ENGLISH, PREPOSITIONS, fill, gap_tag, is_name

_FRAME_SETS = {"n": "noun", "v": "verb", "a": "adjective", "r": "adverb", "": "noun"}


class FrameFiller:
    """Fills frames with the two words of a pair.

    Args:
        drafter: draws walks and words.
        frames: by name.
    """

    def __init__(self, drafter: Drafter, frames: Mapping[str, Frames]) -> None:
        self._drafter = drafter
        self._frames = frames
        self._pattern_starts: dict[Pattern, list[int]] = {}

    def draft(self, cell: Cell) -> Draft | None:
        """Return a pair of a cell, or None where this try finds none."""
        walk = self._frame_walk(cell)
        if walk is None or not self._drafter.checks.holds(cell.pattern, walk):
            return None
        first, last = walk.entities[0], walk.entities[-1]
        pos = self._drafter.vocabulary.pos(first)
        if cell.invented:
            named = self._drafter.vocabulary.is_named(first) and self._drafter.vocabulary.is_named(last)
            frame = self._frame(cell, pos, named=named and pos in ("n", ""))
            return self._invented_in_frame(cell, frame, walk) if frame else None
        words = [word for word in self._drafter.vocabulary.words(first) if word.rank == 1]
        source = self._drafter.choose(words)
        word = self._drafter.other_word(source.text, source.pos, last, first == last) if source is not None else None
        if source is None or word is None or word.rank > 1:
            return None
        if first != last and self._drafter.checks.words_clash(cell.pattern, source.text, word.text):
            return None
        named = is_name(source.text) or is_name(word.text)
        prepositions = source.text in PREPOSITIONS and word.text in PREPOSITIONS and pos == "r"
        frame = self._frame(cell, pos, named=named and pos in ("n", ""), prepositions=prepositions)
        filled = [fill(frame, text) for text in (source.text, word.text)]
        if NOT_ENGLISH in filled:
            return None
        reason = self._drafter.justify(cell, walk, filled, gap_tag(frame))
        return Draft(filled[0].text, filled[1].text, (source.text, word.text), "", {}, reason)

    def _frame_walk(self, cell: Cell) -> Walk | None:
        if cell.invented and cell.routes:
            return self._drafter.walker.random_walk(self._drafter.rng.choice(cell.routes), self._drafter.rng)
        starts = self._starts(cell)
        return self._drafter.walk(cell, self._drafter.draw_usual(starts), backward=False) if starts else None

    def _starts(self, cell: Cell) -> list[int]:
        """Return the entities with a usual word from which a cell's pattern may lead somewhere."""
        pattern, vocabulary = cell.pattern, self._drafter.vocabulary
        if not cell.routes and not pattern.of and not pattern.pos:
            return self._drafter.usual
        if pattern not in self._pattern_starts:
            walker = self._drafter.walker
            found = {entity for route in cell.routes or (Route(pattern, ()),) for entity in walker.starts(route)}
            self._pattern_starts[pattern] = [
                entity
                for entity in self._drafter.usual
                if entity in found
                and (pattern.names != "only" or vocabulary.is_named(entity))
                and (not pattern.pos or vocabulary.pos(entity) in ("", *pattern.pos))
            ]
        return self._pattern_starts[pattern]

    def _frame(self, cell: Cell, pos: str, *, named: bool, prepositions: bool = False) -> str:
        usual_set = "name" if named else "preposition" if prepositions else _FRAME_SETS[pos]
        frames: Frames | None = self._frames.get(cell.pattern.frames or usual_set)
        if frames is None:
            return ""
        choices = frames.upward if cell.polarity is Polarity.UPWARD else frames.downward
        return self._drafter.rng.choice(choices) if choices else ""

    def _invented_in_frame(self, cell: Cell, frame: str, walk: Walk) -> Draft | None:
        tag = gap_tag(frame)
        names: dict[str, str] = {}
        filled = []
        for entity in (walk.entities[0], walk.entities[-1]):
            word, form = self._drafter.invent(tag)
            names |= dict.fromkeys((word, form), self._drafter.graph.entity_id(entity))
            filled.append(fill(frame, word.capitalize() if tag == "NNP" else word))
        reason = self._drafter.justify(cell, walk, filled, tag)
        return Draft(filled[0].text, filled[1].text, ("", ""), "", names, reason)
