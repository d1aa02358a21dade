"""The paths of a picture as one graph: the words they join, the entities between them, and the edges they share.

Every entity between two words gets a column; an entity of several paths is one node unless that would bend a path back
or make the picture wider. Heights and widths are `layout.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from kg_reason.kg.paths import Step
from kg_reason.nli import Label
from kg_reason.prediction import Evidence, Place

LEFT, RIGHT = "left", "right"


class Port(NamedTuple):
    """Where paths leave or reach a word: the side of the picture, the span of the word, and the entity it stands for.

    A word without an entity is the word itself, as for paths of one word with one meaning.
    """

    side: str
    start: int
    end: int
    entity: str
    label: str


class Bridge(NamedTuple):
    """A node between the words: an entity and its number among the nodes, since an entity may have two."""

    number: int
    entity: str
    label: str


Hub: TypeAlias = Port | Bridge


@dataclass(frozen=True)
class Edge:
    """An edge of the picture, with all the paths that walk it.

    Attributes:
        left: the end in the column further to the left.
        right: the other end.
        relation: readable.
        points_right: whether the edge was stated from `left` to `right`.
        sources: every `file:line` that states it.
        paths: numbers of the evidence, in their order.
    """

    left: Hub
    right: Hub
    relation: str
    points_right: bool
    sources: tuple[str, ...]
    paths: tuple[int, ...]


@dataclass(frozen=True)
class PathGraph:
    """The union of paths.

    Attributes:
        columns: of the bridges, from 1 (beside the left words) to `num_columns`.
        num_columns: columns between the words.
        edges: in the order of the paths.
        walks: per path the hubs it passes.
    """

    columns: dict[Bridge, int]
    num_columns: int
    edges: tuple[Edge, ...]
    walks: tuple[tuple[Hub, ...], ...]

    def column(self, hub: Hub) -> int:
        """Return the column of a node or of a word; 0 for words on the left."""
        if isinstance(hub, Bridge):
            return self.columns[hub]
        return 0 if hub.side == LEFT else self.num_columns + 1


def speaks_for(evidence: Evidence) -> Label:
    """Return the label that a path adds most to."""
    return max(evidence.contribution, key=lambda label: evidence.contribution[label])


def join_paths(evidence: Sequence[Evidence], *, is_claim: bool) -> PathGraph:
    """Join paths to one graph.

    Args:
        evidence: the paths, strongest first: where two cannot share a node, the later one gets its own.
        is_claim: there is no premise, so paths start at the words of the hypothesis on the left.
    """
    drafts = [_Walk(item, is_claim) for item in evidence]
    across = [walk for walk in drafts if walk.start.side == LEFT]
    most = max((len(walk.between) for walk in across), default=0)
    turning = [walk for walk in drafts if walk.start.side == RIGHT]
    depth = max((max(_depths(len(walk.between)), default=0) for walk in turning), default=0)
    nodes = _Nodes(most)
    hubs: dict[int, tuple[Hub, ...]] = {}
    from_right: dict[tuple[str, int], Bridge] = {}
    for number, walk in enumerate(drafts):
        if walk.start.side == LEFT:
            middle = nodes.add(walk.between)
        else:
            places = zip(walk.between, _depths(len(walk.between)), strict=True)
            middle = [
                from_right.setdefault((entity, place), nodes.fresh(entity, label)) for (entity, label), place in places
            ]
        hubs[number] = (walk.start, *middle, walk.end)
    num_columns = max(most, depth)
    columns = nodes.columns(num_columns)
    columns.update({node: num_columns + 1 - place for (_, place), node in from_right.items()})
    walks = tuple(hubs[number] for number in range(len(drafts)))
    graph = PathGraph(columns, num_columns, (), walks)
    return PathGraph(columns, num_columns, tuple(_edges(graph, evidence)), walks)


def _depths(num_between: int) -> list[int]:
    """Return the distance from the right words of each node of a path that turns back to them: 1, 2, 3, ..., 2, 1.

    No two neighbours have the same one, so that no edge runs up or down within a column.
    """
    top = (num_between + 2) // 2
    return [place if place <= top else num_between + 1 - place for place in range(1, num_between + 1)]


class _Walk:
    """The ends of a path and what lies between them, as (entity, label)."""

    def __init__(self, evidence: Evidence, is_claim: bool) -> None:
        steps = evidence.path.steps
        entities = [_origin(steps[0]), *(_goal(step) for step in steps)]
        left = evidence.start.side == "premise" or is_claim
        self.start = _port(evidence.start, LEFT if left else RIGHT, entities[0])
        self.end = _port(evidence.end, RIGHT, entities[-1])
        self.between = entities[1:-1]


def _port(place: Place, side: str, entity: tuple[str, str]) -> Port:
    return Port(side, place.start, place.end, *entity)


def _origin(step: Step) -> tuple[str, str]:
    return (step.head, step.head_label) if step.forward else (step.tail, step.tail_label)


def _goal(step: Step) -> tuple[str, str]:
    return (step.tail, step.tail_label) if step.forward else (step.head, step.head_label)


@dataclass
class _Nodes:
    """Nodes of the paths from left to right; sharing one never makes a cycle or a chain of more than `most`."""

    most: int
    after: dict[Bridge, set[Bridge]] = field(default_factory=dict)
    copies: dict[str, list[Bridge]] = field(default_factory=dict)
    num_nodes: int = 0

    def fresh(self, entity: str, label: str) -> Bridge:
        self.num_nodes += 1
        return Bridge(self.num_nodes, entity, label)

    def add(self, between: Sequence[tuple[str, str]]) -> list[Bridge]:
        chain: list[Bridge] = []
        for place, (entity, label) in enumerate(between):
            left = len(between) - place - 1
            node = next((n for n in self.copies.get(entity, []) if self._fits(chain, n, left)), None)
            if node is None:
                node = self.fresh(entity, label)
                self.copies.setdefault(entity, []).append(node)
                self.after[node] = set()
            if chain:
                self.after[chain[-1]].add(node)
            chain.append(node)
        return chain

    def _fits(self, chain: Sequence[Bridge], node: Bridge, left: int) -> bool:
        """Tell whether a path may go on at a node, after which `left` more are to come."""
        if node in chain or any(before in self._reach(node) for before in chain):
            return False
        earlier = self._depth(chain[-1]) if chain else 0
        return max(earlier + 1, self._depth(node)) + max(left, self._height(node)) <= self.most

    def _reach(self, node: Bridge) -> set[Bridge]:
        found, waiting = {node}, [node]
        while waiting:
            new = self.after[waiting.pop()] - found
            found |= new
            waiting += new
        return found

    def _depth(self, node: Bridge) -> int:
        return 1 + max((self._depth(before) for before, after in self.after.items() if node in after), default=0)

    def _height(self, node: Bridge) -> int:
        """Return the number of nodes that follow on the longest way."""
        return max((1 + self._height(after) for after in self.after[node]), default=0)

    def columns(self, num_columns: int) -> dict[Bridge, int]:
        """Return the column of every node: in the middle between as early and as late as it may stand."""
        return {node: (self._depth(node) + num_columns - self._height(node)) // 2 for node in self.after}


def _edges(graph: PathGraph, evidence: Sequence[Evidence]) -> Iterator[Edge]:
    found: dict[tuple[Hub, Hub, str, bool], tuple[dict[str, None], dict[int, None]]] = {}
    for number, (walk, item) in enumerate(zip(graph.walks, evidence, strict=True)):
        for origin, goal, step in zip(walk[:-1], walk[1:], item.path.steps, strict=True):
            turned = graph.column(origin) > graph.column(goal)
            left, right = (goal, origin) if turned else (origin, goal)
            key = (left, right, step.told_relation, step.forward != turned)
            sources, paths = found.setdefault(key, ({}, {}))
            sources.update(dict.fromkeys(step.said_sources()))
            paths[number] = None
    for (left, right, relation, points_right), (sources, paths) in found.items():
        yield Edge(left, right, relation, points_right, tuple(sources), tuple(paths))
