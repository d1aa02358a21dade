"""Walks over a graph by the relation patterns of a table, and what lies above and below an entity."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.words import plain_name
from kg_reason.synthesis.relation_table import Pattern, RelationTable

_MAX_TARGETS = 64
_VOCABULARIES = ("http://www.w3.org/", "_:")
_Row = dict[int, list[tuple[int, int]]]  # relation -> (entity, edge) pairs


class Step(NamedTuple):
    """One relation of a graph, walked along its edges or against them."""

    relation: int
    forward: bool


@dataclass(frozen=True)
class Route:
    """A pattern in the relations of one graph.

    Attributes:
        top: the number of steps after which it turns from climbing to descending; 0 where it does not turn.
    """

    pattern: Pattern
    steps: tuple[Step, ...]
    top: int = 0

    def reversed(self) -> Route:
        """Return the same pattern walked from its end to its start."""
        steps = tuple(Step(relation, not forward) for relation, forward in reversed(self.steps))
        return Route(self.pattern, steps, len(steps) - self.top if self.top else 0)


class Walk(NamedTuple):
    """Where a route leads: its entities, the two ends included, and its edge ids."""

    entities: tuple[int, ...]
    edges: tuple[int, ...]


class PatternWalker:
    """Walks the patterns of a table over a graph."""

    def __init__(self, graph: KnowledgeGraph, table: RelationTable) -> None:
        self.graph = graph
        by_name: dict[str, list[int]] = {}
        for relation in range(graph.num_relations):
            for name in {plain_name(graph.relation_label(relation)), plain_name(graph.relation_id(relation))}:
                by_name.setdefault(name, []).append(relation)
        self._by_name = by_name
        self.routes: tuple[Route, ...] = tuple(
            route
            for pattern in table.patterns
            if not pattern.unrelated
            for route in self._routes(pattern, table.groups)
        )
        climbing = [*table.groups.get("wider", ()), *table.groups.get("instance", ())]
        self._up = sorted({step for name in climbing for step in self._named(name)})
        self._down = [Step(relation, not forward) for relation, forward in self._up]
        self._above: dict[int, frozenset[int]] = {}
        self._small: dict[tuple[int, int], bool] = {}
        self._route_starts: dict[Route, tuple[int, ...]] = {}
        self._starts: dict[Step, NDArray[np.int32]] = {}
        self._rows: dict[bool, dict[int, _Row]] = {True: {}, False: {}}
        self._wider: dict[int, tuple[int, ...]] = {}
        self._narrower: dict[int, tuple[int, ...]] = {}
        self._labels: dict[int, str] = {}
        self._is_foreign: dict[int, bool] = {}

    def _named(self, name: str) -> list[Step]:
        forward = not name.startswith("^")
        return [Step(relation, forward) for relation in self._by_name.get(plain_name(name), ())]

    def _routes(self, pattern: Pattern, groups: Mapping[str, Sequence[str]]) -> Iterator[Route]:
        """Yield the routes of a pattern: each group it names stands for one relation throughout."""
        names = sorted({step.lstrip("^") for step in pattern.steps})
        members = [[step for item in groups.get(name, (name,)) for step in self._named(item)] for name in names]
        turns = [number for number, step in enumerate(pattern.steps) if number and step.startswith("^")]
        top = turns[0] if turns and not pattern.steps[0].startswith("^") else 0
        seen: set[tuple[Step, ...]] = set()
        for choice in product(*members):
            chosen = dict(zip(names, choice, strict=True))
            steps = tuple(
                Step(chosen[step.lstrip("^")].relation, chosen[step.lstrip("^")].forward != step.startswith("^"))
                for step in pattern.steps
            )
            if steps not in seen:
                seen.add(steps)
                yield Route(pattern, steps, top)

    def neighbours(self, entity: int, step: Step) -> list[tuple[int, int]]:
        """Return the (entity, edge) pairs one step away."""
        relation, forward = step
        rows = self._rows[forward]
        if entity not in rows:
            rows[entity] = self._read_row(entity, forward)
        return rows[entity].get(relation, [])

    def _read_row(self, entity: int, forward: bool) -> _Row:
        """Sort the edges that start in an entity, or end there, by relation."""
        graph = self.graph
        edges: Sequence[int]
        if forward:
            row = slice(int(graph.out_start[entity]), int(graph.out_end[entity]))
            edges = range(row.start, row.stop)
            relations, ends = graph.edge_relation[row], graph.edge_tail[row]
        else:
            numbers = graph.in_edge[int(graph.in_start[entity]) : int(graph.in_end[entity])]
            edges = numbers.tolist()
            relations, ends = graph.edge_relation[numbers], graph.edge_head[numbers]
        found: _Row = {}
        for relation, end, edge in zip(relations.tolist(), ends.tolist(), edges, strict=True):
            found.setdefault(relation, []).append((end, edge))
        return found

    def _one_up(self, entity: int) -> tuple[int, ...]:
        if entity not in self._wider:
            self._wider[entity] = tuple(target for step in self._up for target, _ in self.neighbours(entity, step))
        return self._wider[entity]

    def _one_down(self, entity: int) -> tuple[int, ...]:
        if entity not in self._narrower:
            self._narrower[entity] = tuple(end for step in self._down for end, _ in self.neighbours(entity, step))
        return self._narrower[entity]

    def walks(self, route: Route, entity: int, rng: random.Random) -> list[Walk]:
        """Return walks of a route from an entity, one per end, at most 64 (a sample where there are more)."""
        walks = [Walk((entity,), ())]
        for number, step in enumerate(route.steps, start=1):
            longer: list[Walk] = []
            for walk in walks:
                reached = self.neighbours(walk.entities[-1], step)
                if len(reached) > _MAX_TARGETS:
                    reached = rng.sample(reached, _MAX_TARGETS)
                longer.extend(
                    Walk((*walk.entities, target), (*walk.edges, edge))
                    for target, edge in reached
                    if target not in walk.entities and self._passes(route, number, target)
                )
            walks = rng.sample(longer, 4 * _MAX_TARGETS) if len(longer) > 4 * _MAX_TARGETS else longer
        ends: dict[int, Walk] = {}
        for walk in walks:
            ends.setdefault(walk.entities[-1], walk)
        chosen = list(ends.values())
        return rng.sample(chosen, _MAX_TARGETS) if len(chosen) > _MAX_TARGETS else chosen

    def random_walk(self, route: Route, rng: random.Random) -> Walk | None:
        """Return one walk of a route from anywhere in the graph, or None where this try finds none.

        The entity after the first step is drawn first, so that a parent of many is not drawn more often than others.
        """
        if not route.steps:
            starts = self.starts(route)
            return Walk((starts[rng.randrange(len(starts))],), ()) if starts else None
        if route.pattern.through:
            starts = self.starts(route)
            walks = self.walks(route, starts[rng.randrange(len(starts))], rng) if starts else []
            return walks[rng.randrange(len(walks))] if walks else None
        second = self._reached(route.steps[0])
        if not len(second):
            return None
        back = Step(route.steps[0].relation, not route.steps[0].forward)
        reached = self.neighbours(int(second[rng.randrange(len(second))]), back)
        start = reached[rng.randrange(len(reached))][0] if reached else -1
        walks = self.walks(route, start, rng) if start >= 0 and not self.is_foreign(start) else []
        return walks[rng.randrange(len(walks))] if walks else None

    def starts(self, route: Route) -> tuple[int, ...]:
        """Return the entities that a route can start from as far as its first step and its top tell, ascending."""
        if route not in self._route_starts:
            self._route_starts[route] = self._find_starts(route)
        return self._route_starts[route]

    def _find_starts(self, route: Route) -> tuple[int, ...]:
        if route.pattern.of:
            named = self._labelled(route.pattern.of)
            heads = (int(self.graph.edge_head[edge]) for top in named for edge in self.graph.edges_of(top))
            return tuple(sorted(set(heads) - named))
        if not route.steps:
            return tuple(range(self.graph.num_entities))
        first = route.steps[0]
        if not route.pattern.through:
            return tuple(self._reached(Step(first.relation, not first.forward)).tolist())
        tops = [
            int(entity)
            for entity in self._reached(route.steps[route.top - 1])
            if self._label(int(entity)) in route.pattern.through
        ]
        level = set(tops)
        for step in reversed(route.steps[: route.top]):
            back = Step(step.relation, not step.forward)
            level = {target for entity in level for target, _ in self.neighbours(entity, back)}
        return tuple(sorted(level))

    def _labelled(self, labels: Collection[str]) -> set[int]:
        """Return the entities whose preferred label is one of some."""
        found = {entity for label in labels for entity in self.graph.find_entities(label)}
        return {entity for entity in found if self.graph.entity_label(entity) in labels}

    def above(self, entity: int) -> frozenset[int]:
        """Return the entities wider than an entity, itself not included."""
        if entity not in self._above:
            found: set[int] = set()
            waiting = [entity]
            while waiting:
                reached = self._one_up(waiting.pop())
                waiting.extend(target for target in reached if target not in found)
                found.update(reached)
            self._above[entity] = frozenset(found - {entity})
        return self._above[entity]

    def above_within(self, entity: int, num_steps: int) -> frozenset[int]:
        """Return the entities that are at most so many steps wider than an entity."""
        found: set[int] = set()
        level = {entity}
        for _ in range(num_steps):
            level = {target for current in level for target in self._one_up(current)}
            found |= level
        return frozenset(found)

    def below(self, entity: int) -> set[int]:
        """Return the entities narrower than an entity, itself included."""
        found = {entity}
        waiting = [entity]
        while waiting:
            reached = set(self._one_down(waiting.pop())) - found
            waiting.extend(reached)
            found |= reached
        return found

    def _reached(self, step: Step) -> NDArray[np.int32]:
        """Return the entities that a step leads to, each once."""
        if step not in self._starts:
            edges = self.graph.live_edges()
            edges = edges[self.graph.edge_relation[edges] == step.relation]
            ends = self.graph.edge_tail if step.forward else self.graph.edge_head
            self._starts[step] = np.unique(ends[edges])
        return self._starts[step]

    def _passes(self, route: Route, number: int, entity: int) -> bool:
        """Tell whether a route may go through an entity after so many steps."""
        if self.is_foreign(entity):
            return False
        pattern = route.pattern
        if pattern.not_through and self._label(entity) in pattern.not_through:
            return False
        if number != route.top:
            return True
        if pattern.through and self._label(entity) not in pattern.through:
            return False
        return not pattern.below or self.has_at_most(entity, pattern.below)

    def is_foreign(self, entity: int) -> bool:
        """Tell whether an entity belongs to a vocabulary such as OWL, not to what the graph is about."""
        if entity not in self._is_foreign:
            key = self.graph.entity_id(entity)
            self._is_foreign[entity] = self.graph.is_value(entity) or key.startswith(_VOCABULARIES)
        return self._is_foreign[entity]

    def _label(self, entity: int) -> str:
        if entity not in self._labels:
            self._labels[entity] = self.graph.entity_label(entity)
        return self._labels[entity]

    def has_at_most(self, entity: int, limit: int) -> bool:
        """Tell whether an entity has at most so many entities below it."""
        if (entity, limit) not in self._small:
            found = {entity}
            waiting = [entity]
            while waiting and len(found) <= limit:
                reached = set(self._one_down(waiting.pop())) - found
                waiting.extend(reached)
                found |= reached
            self._small[entity, limit] = len(found) - 1 <= limit
        return self._small[entity, limit]
