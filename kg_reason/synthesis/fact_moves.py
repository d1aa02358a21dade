"""What a graph says of the entities around a fact: what is above and below its tail, and what nothing speaks of.

How facts become sentences is `fact_sentences.py`; which pairs are made of them, `facts.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.curies import OWL
from kg_reason.kg.relation_kinds import KINDS, relation_kinds
from kg_reason.kg.words import plain_name
from kg_reason.synthesis.patterns import PatternWalker, Step
from kg_reason.synthesis.relation_table import RelationTable

_MAX_CLIMB = 4
_MAX_BELOW = 200


class FactMoves:
    """Moves from the tail of a fact to other entities, by the kinds of a graph's relations.

    Args:
        walker: over the graph.
        table: groups of relation names, and which relations are functional or located.

    Attributes:
        functional, one_head: by relation, whether a head has one tail at most, a tail one head at most.
        located: by relation, whether a place or whole around the tail may stand for it.
        taxonomic: by relation, whether it says what kind of thing its head is.
        inside: by relation, whether it says what its head is a part of, or which part it has.
    """

    def __init__(self, walker: PatternWalker, table: RelationTable) -> None:
        graph = walker.graph
        self._graph = graph
        self._walker = walker
        kinds = relation_kinds(graph, table.groups)
        wanted = [1 + KINDS.index(kind) for kind in ("wider", "instance", "whole")]
        steps = {
            kind: [Step(number, bool(kinds[number] > 0)) for number in np.flatnonzero(abs(kinds) == kind).tolist()]
            for kind in wanted
        }
        self._wider = [*steps[wanted[0]], *steps[wanted[1]]]
        self._whole = steps[wanted[2]]
        names = [
            {plain_name(graph.relation_label(relation)), plain_name(graph.relation_id(relation))}
            for relation in range(graph.num_relations)
        ]
        tails, heads, places = (
            {plain_name(name) for name in chosen}
            for chosen in (
                [name for name in table.functional if not name.startswith("^")],
                [name for name in table.functional if name.startswith("^")],
                table.located,
            )
        )
        owl = [self._owl_types(relation) for relation in range(graph.num_relations)]
        self.functional = [
            bool(named & tails) or "FunctionalProperty" in types for named, types in zip(names, owl, strict=True)
        ]
        self.one_head = [
            bool(named & heads) or "InverseFunctionalProperty" in types for named, types in zip(names, owl, strict=True)
        ]
        self.located = [bool(named & places) for named in names]
        self.taxonomic = [bool(abs(kind) in wanted[:2]) for kind in kinds.tolist()]
        self.inside = [abs(kind) == wanted[2] for kind in kinds.tolist()]
        self._up: dict[tuple[int, bool, bool], dict[int, tuple[int, ...]]] = {}
        self._near: dict[int, frozenset[int]] = {}

    def _owl_types(self, relation: int) -> set[str]:
        """Return the names of the OWL classes that a relation belongs to, as the graph says."""
        graph = self._graph
        entity = graph.find_id(graph.relation_id(relation))
        edges = range(int(graph.out_start[entity]), int(graph.out_end[entity])) if entity >= 0 else ()
        ids = [graph.entity_id(int(graph.edge_tail[edge])) for edge in edges]
        return {key.removeprefix(OWL) for key in ids if key.startswith(OWL)}

    def edges_of_relation(self, relation: int) -> NDArray[np.int64]:
        """Return the edges of a relation whose heads are what the graph is about, ascending."""
        edges = self._graph.live_edges()
        found: NDArray[np.int64] = edges[self._graph.edge_relation[edges] == relation]
        return found

    def above(self, entity: int, *, places: bool, sure: bool = False) -> dict[int, tuple[int, ...]]:
        """Return the entities above an entity, each with the edges that lead there.

        Args:
            entity: where to start.
            places: climb from part to whole too, before any climb to something wider: a city in a country is not a
                part of what countries are.
            sure: go round what is in several wholes by one relation: a country on two continents, a city that was in
                several countries. What is in it need not be in each of them.
        """
        key = (entity, places, sure)
        if key not in self._up:
            around: dict[int, tuple[int, ...]] = {entity: ()}
            found = self._climb(self._climb(around, self._whole if places else (), sure), self._wider, False)
            found.pop(entity, None)
            self._up[key] = found
        return self._up[key]

    def _climb(
        self, start: dict[int, tuple[int, ...]], steps: Sequence[Step], sure: bool
    ) -> dict[int, tuple[int, ...]]:
        found = dict(start)
        level = list(start)
        for _ in range(_MAX_CLIMB):
            reached: list[int] = []
            for entity in level:
                for step in steps:
                    targets = self._walker.neighbours(entity, step)
                    for target, edge in targets if len(targets) == 1 or not sure else ():
                        if target not in found:
                            found[target] = (*found[entity], edge)
                            reached.append(target)
            level = reached
        return found

    def below(self, entity: int, *, places: bool) -> dict[int, tuple[int, ...]]:
        """Return entities one or two steps below an entity, at most 200, each with the edges that lead there."""
        steps = [*self._wider, *(self._whole if places else ())]
        found: dict[int, tuple[int, ...]] = {entity: ()}
        level = [entity]
        for _ in range(2):
            reached = []
            for current in level:
                for step in steps:
                    for target, edge in self._walker.neighbours(current, Step(step.relation, not step.forward)):
                        if target not in found and len(found) <= _MAX_BELOW:
                            found[target] = (*found[current], edge)
                            reached.append(target)
            level = reached
        del found[entity]
        return found

    def tails(self, head: int, relation: int) -> set[int]:
        """Return the tails that the graph states for a head."""
        return {target for target, _ in self._walker.neighbours(head, Step(relation, True))}

    def holds(self, head: int, relation: int, tail: int) -> bool:
        """Tell whether the graph states a fact, or states one of a tail below."""
        stated = self.tails(head, relation)
        return tail in stated or any(tail in self.above(each, places=self.located[relation]) for each in stated)

    def are_apart(self, first: int, last: int) -> bool:
        """Tell whether two entities are not one, no edge joins them and neither is above the other in any way."""
        if first == last or last in self.near(first):
            return False
        return last not in self.above(first, places=True) and first not in self.above(last, places=True)

    def have_path(self, first: int, last: int) -> bool:
        """Tell whether one or two edges join two entities."""
        return last in self.near(first) or bool(self.near(first) & self.near(last))

    def near(self, entity: int) -> frozenset[int]:
        """Return the neighbours of an entity."""
        if entity not in self._near:
            graph, edges = self._graph, self._graph.edges_of(entity)
            ends: Iterable[int] = (int(end) for edge in edges for end in (graph.edge_head[edge], graph.edge_tail[edge]))
            self._near[entity] = frozenset(ends) - {entity}
        return self._near[entity]
