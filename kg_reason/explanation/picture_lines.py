"""The lines of the paths: the layers that they pass, the lane that each has there, and their curves.

Paths along one edge run side by side, each as a line of its own, so that each keeps its colour and its width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kg_reason.explanation.picture_columns import (
    SPACE,
    Columns,
    Tag,
    bundle_width,
    entity_height,
    entity_width,
    label_gap,
    line_width,
)
from kg_reason.explanation.picture_graph import LEFT, RIGHT, Bridge, Edge, Hub, PathGraph, Port, speaks_for
from kg_reason.explanation.picture_layers import Item, Link, place_items
from kg_reason.explanation.picture_shapes import Chip, Command, Shapes, Stroke
from kg_reason.explanation.picture_words import LANE
from kg_reason.prediction import Evidence

GAP = 12.0  # between things that stand one below the other
TIP = 3.0  # of an arrow, how far it is wider than its line, on each side
TURN, TURNS = 9.0, 27.0  # between lines that turn round beside each other, and their room
NUMBER_PLACE = 23.0  # of the number of a path, from the word where it starts


@dataclass(frozen=True)
class Track:
    """The items that an edge passes in the layers between its ends, from left to right, and which one has its label."""

    edge: Edge
    keys: tuple[int, ...]
    label: int
    gap: int
    turns: bool


class LineDrawer:
    """Lines of a graph: their layers first, their places when the words have theirs, their curves last."""

    def __init__(self, graph: PathGraph, kept: Sequence[Evidence], tags: Sequence[Tag]) -> None:
        self.graph, self.kept = graph, kept
        self.widths = [line_width(item) for item in kept]
        self.layers: list[list[Item]] = [[] for _ in range(2 * graph.num_columns + 3)]
        self.links: list[Link] = []
        self.num_keys = 0
        self.keys: dict[Hub, int] = {}
        for walk in graph.walks:
            for hub in walk:
                if hub not in self.keys:
                    half = entity_height(hub, self.bundle(hub)) / 2 if isinstance(hub, Bridge) else 0.0
                    self.keys[hub] = self._item(2 * graph.column(hub), half, half)
        self.tracks = [self._track(edge, tag) for edge, tag in zip(graph.edges, tags, strict=True)]
        self.heights: dict[int, float] = {}
        self.lanes: dict[tuple[Hub, int, int], float] = {}

    def bundle(self, hub: Hub) -> float:
        """Return the width of the lines on that side of a box that has more of them."""
        right = [self.widths[n] for edge in self.graph.edges if edge.left == hub for n in edge.paths]
        left = [self.widths[n] for edge in self.graph.edges if edge.right == hub for n in edge.paths]
        return max(bundle_width(left), bundle_width(right))

    def place(self, ports: Mapping[Port, float]) -> None:
        """Give everything between the words its height.

        Args:
            ports: heights at which paths meet the words.
        """
        fixed = {self.keys[port]: height for port, height in ports.items()}
        self.heights = place_items(self.layers, self.links, fixed, GAP)
        self.lanes = self._lanes()

    def extent(self) -> tuple[float, float]:
        """Return the highest and the lowest height between the words; both 0 where there is nothing."""
        items = [item for layer in self.layers[1:-1] for item in layer]
        tops = [self.heights[item.key] - item.above for item in items]
        return min(tops, default=0.0), max((self.heights[item.key] + item.below for item in items), default=0.0)

    def tallest(self) -> float:
        """Return the height of the fullest layer."""
        return max(sum(item.above + item.below + GAP for item in layer) for layer in self.layers)

    def draw(self, columns: Columns) -> Shapes:
        """Return the lines and the numbers at their beginnings."""
        strokes, chips = [], []
        order = sorted(range(len(self.kept)), key=lambda number: self.widths[number], reverse=True)
        for number in order:
            label, walk = speaks_for(self.kept[number]), self.graph.walks[number]
            for place, track in enumerate(self.tracks):
                if number in track.edge.paths:
                    strokes.append(self._stroke(place, track, number, columns))
                    if walk[0] in (track.edge.left, track.edge.right) and walk[1] in (
                        track.edge.left, track.edge.right
                    ) and isinstance(walk[0], Port):  # fmt: skip
                        beside = NUMBER_PLACE if walk[0].side == LEFT else -NUMBER_PLACE
                        x = self._side(walk[0], columns) + beside
                        chips.append(Chip(number, label, x, self.lanes[(walk[0], place, number)]))
        return Shapes(strokes=tuple(strokes), chips=tuple(chips))

    # ---- layers

    def _item(self, layer: int, above: float, below: float) -> int:
        self.num_keys += 1
        self.layers[layer].append(Item(self.num_keys, above, below))
        return self.num_keys

    def _track(self, edge: Edge, tag: Tag) -> Track:
        left, right, gap = self.graph.column(edge.left), self.graph.column(edge.right), label_gap(self.graph, edge)
        if left == right:
            label = self._item(2 * gap + 1, tag.above, tag.below)
            self.links += [Link(label, self.keys[hub], 0.0, 0.0) for hub in (edge.left, edge.right)]
            return Track(edge, (label,), label, gap, turns=True)
        half, keys, label = tag.half + 1.0, [], 0
        for layer in range(2 * left + 1, 2 * right):
            if layer == 2 * gap + 1:
                label = self._item(layer, tag.above, tag.below)
                keys.append(label)
            else:
                keys.append(self._item(layer, half, half))
        stops = [self.keys[edge.left], *keys, self.keys[edge.right]]
        self.links += [Link(one, other, 0.0, 0.0) for one, other in pairwise(stops)]
        return Track(edge, tuple(keys), label, gap, turns=False)

    # ---- lanes

    def _lanes(self) -> dict[tuple[Hub, int, int], float]:
        """Return the height of every line where it meets a box, by box, number of the edge and number of the path.

        Lines that come from further up meet a box further up.
        """
        meets: dict[tuple[Hub, bool], list[tuple[float, int, int]]] = {}
        for place, track in enumerate(self.tracks):
            ends = ((track.edge.left, not track.turns, track.keys[0]), (track.edge.right, False, track.keys[-1]))
            for hub, on_right, near in ends:
                seen = meets.setdefault((hub, on_right), [])
                seen += [(self.heights[near], place, number) for number in track.edge.paths]
        found = {}
        for (hub, _), seen in meets.items():
            middle = self.heights[self.keys[hub]]
            if isinstance(hub, Port):
                offsets = [LANE * (lane - (len(seen) - 1) / 2) for lane in range(len(seen))]
            else:
                offsets = _offsets([self.widths[number] for _, _, number in sorted(seen)])
            for offset, (_, place, number) in zip(offsets, sorted(seen), strict=True):
                found[(hub, place, number)] = middle + offset
        return found

    # ---- curves

    def _side(self, hub: Hub, columns: Columns, *, on_right: bool = True) -> float:
        if isinstance(hub, Port):
            left = columns.word_left[hub.side]
            return left if hub.side == RIGHT else left + columns.word_width[hub.side]
        half = entity_width(hub) / 2
        return columns.middle(self.graph.column(hub)) + (half if on_right else -half)

    def _stroke(self, place: int, track: Track, number: int, columns: Columns) -> Stroke:
        edge, width = track.edge, self.widths[number]
        start = (self._side(edge.left, columns), self.lanes[(edge.left, place, number)])
        end = (self._side(edge.right, columns, on_right=False), self.lanes[(edge.right, place, number)])
        lane = edge.paths.index(number)
        offset = _offsets([self.widths[other] for other in edge.paths])[lane]
        tip = end if edge.points_right else start
        back = tip_length(width) - 1.0
        if track.turns:
            turns = [other.edge for other in self.tracks if other.turns].index(edge)
            middle = columns.zones[track.gap][1] + 8.0 + (turns + lane) * TURN % TURNS
            commands = _turn(start, end, (middle, self.heights[track.label]), columns.edges[-1][0])
            near = 0 if tip == start else -1
            x, y = commands[near][1][-2:]
            commands[near] = (commands[near][0], (x - back, y))
            return Stroke(number, speaks_for(self.kept[number]), width, tuple(commands), tip, points_right=True)
        points = [(start[0] + (0.0 if edge.points_right else back), start[1])]
        gap = self.graph.column(edge.left)
        points.append((columns.edges[gap][1], start[1]))
        for step, key in enumerate(track.keys):
            y = self.heights[key] + offset
            ends = columns.zones[gap] if step % 2 == 0 else columns.edges[gap]
            points += [(ends[0], y), (ends[1], y)]
            gap += 1 if step % 2 == 0 else 0
        points += [(columns.edges[gap][0], end[1]), (end[0] - (back if edge.points_right else 0.0), end[1])]
        return Stroke(number, speaks_for(self.kept[number]), width, _curve(points), tip, edge.points_right)


def tip_length(width: float) -> float:
    """Return the length of the arrow of a line of this width, in pixels."""
    return 7.0 + 0.6 * width


def _offsets(widths: Sequence[float]) -> list[float]:
    """Return the middles of lines side by side, around 0."""
    offsets, reached = [], -bundle_width(widths) / 2
    for width in widths:
        offsets.append(reached + width / 2)
        reached += width + SPACE
    return offsets


def _curve(points: Sequence[tuple[float, float]]) -> tuple[Command, ...]:
    """Return level pieces between the points 0 and 1, 2 and 3, ..., joined by bends."""
    commands: list[Command] = [("M", points[0])]
    for place in range(1, len(points)):
        x, y = points[place]
        if place % 2:
            commands.append(("L", (x, y)))
        else:
            before_x, before_y = points[place - 1]
            middle = (before_x + x) / 2
            commands.append(("C", (middle, before_y, middle, y, x, y)))
    return tuple(commands)


def _turn(
    start: tuple[float, float], end: tuple[float, float], middle: tuple[float, float], edge: float
) -> list[Command]:
    """Return a line that leaves the words to the left and comes back to them, round at `middle`."""
    x, y = middle
    return [
        ("M", start), ("L", (edge, start[1])), ("C", (x, start[1], x, start[1], x, y)),
        ("C", (x, end[1], x, end[1], edge, end[1])), ("L", end),
    ]  # fmt: skip
