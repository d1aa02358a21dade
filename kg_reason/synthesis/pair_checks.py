"""Checks of two entities before they become an example: does anything in the graph speak against the label?"""

from __future__ import annotations

from collections.abc import Collection

from kg_reason.nli import Fact, Label
from kg_reason.synthesis.patterns import PatternWalker, Walk
from kg_reason.synthesis.relation_table import Pattern
from kg_reason.synthesis.vocabulary import Vocabulary


class PairChecks:
    """Judges walks and words by the graph around them."""

    def __init__(self, walker: PatternWalker, vocabulary: Vocabulary) -> None:
        self._walker = walker
        self._vocabulary = vocabulary
        self._reach: dict[int, frozenset[int]] = {}
        self._labels_above: dict[int, frozenset[str]] = {}

    def holds(self, pattern: Pattern, walk: Walk) -> bool:
        """Tell whether nothing else in the graph contradicts the pattern's label for the two ends."""
        first, last = walk.entities[0], walk.entities[-1]
        pos = (self._vocabulary.pos(first), self._vocabulary.pos(last))
        if (pos[0] and pos[1] and pos[0] != pos[1]) or (pattern.pos and pos[0] and pos[0] not in pattern.pos):
            return False
        named = (self._vocabulary.is_named(first), self._vocabulary.is_named(last))
        if (pattern.names == "only" and not all(named)) or (pattern.names == "never" and any(named)):
            return False
        if named[0] != named[1] and "instance" not in " ".join(pattern.steps) and first != last:
            return False
        if pattern.ends_below and not all(self._walker.has_at_most(end, pattern.ends_below) for end in (first, last)):
            return False
        if pattern.not_below and self._is_below(first, pattern.not_below):
            return False
        if (pattern.under and not self._is_below(first, pattern.under)) or not self._is_of(first, pattern.of):
            return False
        if pattern.label is Label.ENTAILMENT or first == last:
            return True
        if last in self._walker.above(first):
            return False
        return pattern.label is Label.NEUTRAL or first not in self._walker.above(last)

    def _is_below(self, entity: int, labels: Collection[str]) -> bool:
        """Tell whether one of the entities wider than an entity has one of some labels."""
        if entity not in self._labels_above:
            wider = self._walker.above(entity)
            self._labels_above[entity] = frozenset(self._walker.graph.entity_label(item) for item in wider)
        return not self._labels_above[entity].isdisjoint(labels)

    def _is_of(self, entity: int, labels: Collection[str]) -> bool:
        """Tell whether an edge leads from an entity to one with one of some labels, or there are no labels."""
        graph = self._walker.graph
        tails = range(int(graph.out_start[entity]), int(graph.out_end[entity])) if labels else ()
        return not labels or any(graph.entity_label(int(graph.edge_tail[edge])) in labels for edge in tails)

    def words_clash(self, pattern: Pattern, first: str, last: str) -> bool:
        """Tell whether other meanings of the two words are the same or one above the other, against the label."""
        if pattern.label is Label.ENTAILMENT:
            return False
        senses, others = self._vocabulary.senses(first)[:4], self._vocabulary.senses(last)[:4]
        if set(senses) & set(others):
            return True
        above = {wider for sense in senses for wider in self._walker.above(sense)}
        if above & set(others):
            return True
        if pattern.label is Label.NEUTRAL:
            return False
        return bool({wider for other in others for wider in self._walker.above(other)} & set(senses))

    def are_unrelated(self, first: int, last: int) -> bool:
        """Tell whether two entities have no neighbour and no close wider entity in common."""
        return first != last and not self._near(first) & self._near(last)

    def _near(self, entity: int) -> frozenset[int]:
        """Return an entity, its neighbours, and theirs where it climbs."""
        if entity not in self._reach:
            graph = self._walker.graph
            near = {entity}
            for edge in graph.edges_of(entity):
                near |= {int(graph.edge_head[edge]), int(graph.edge_tail[edge])}
            self._reach[entity] = frozenset(near | self._walker.above_within(entity, 2))
        return self._reach[entity]

    def facts(self, walk: Walk) -> tuple[Fact, ...]:
        """Return the edges of a walk in its order, each as the graph states it whichever way it was walked."""
        graph = self._walker.graph
        return tuple(
            Fact(
                graph.entity_id(int(graph.edge_head[edge])),
                graph.relation_id(int(graph.edge_relation[edge])),
                graph.entity_id(int(graph.edge_tail[edge])),
            )
            for edge in walk.edges
        )
