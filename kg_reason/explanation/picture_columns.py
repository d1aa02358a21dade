"""How wide the columns and gaps of a picture are, and how its entities and the labels of its edges look."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kg_reason.explanation.picture_graph import LEFT, RIGHT, Bridge, Edge, PathGraph
from kg_reason.explanation.picture_shapes import ENTITY, MARGIN, Box, Text
from kg_reason.explanation.picture_text import ELLIPSIS, elide, shown, text_width, wrap
from kg_reason.kg.paths import place_parts
from kg_reason.prediction import Evidence

MIN_WIDTH = 960.0
STUB = 34.0  # straight piece of a line beside a word, for its number
BEND = 34.0  # room in which a line changes its height, least
MOST_BEND = 70.0
ENTITY_SIZE, ENTITY_LINE, MAX_ENTITY_WIDTH = 12.0, 15.0, 130.0
RELATION_SIZE, RELATION_LINE, MAX_LABEL_WIDTH = 10.5, 12.5, 116.0
SOURCE_SIZE = 9.0
THINNEST, THICKEST = 1.5, 7.0
WIDTH_PER_LOGIT = 3.0  # pixels
SPACE = 5.0  # between the lines of two paths along one edge


def line_width(evidence: Evidence) -> float:
    """Return the width of a path's line, by the largest change of a logit; the same scale in every picture."""
    return min(THINNEST + WIDTH_PER_LOGIT * evidence.strength, THICKEST)


def bundle_width(widths: Sequence[float]) -> float:
    """Return the width of several lines side by side."""
    return sum(widths) + SPACE * max(len(widths) - 1, 0)


class Tag:
    """The label of an edge: its relation in one or two lines above it, and where it was stated below it.

    Attributes:
        above: how far it reaches above the middle of its line, in pixels.
        below: how far below.
        width: of its texts.
    """

    def __init__(self, edge: Edge, kept: Sequence[Evidence]) -> None:
        self.relation = wrap(edge.relation, RELATION_SIZE, MAX_LABEL_WIDTH, max_lines=2)
        self.source = _short_source(edge.sources)
        self.title = "; ".join((edge.relation, *edge.sources))
        self.half = bundle_width([line_width(kept[number]) for number in edge.paths]) / 2
        self.above = self.half + len(self.relation) * RELATION_LINE + 4.0
        self.below = self.half + (14.0 if self.source else 4.0)
        widths = [text_width(line, RELATION_SIZE) for line in self.relation]
        self.width = max(*widths, text_width(self.source, SOURCE_SIZE), 24.0)

    def texts(self, zone: tuple[float, float], y: float, *, beside: bool) -> tuple[Text, ...]:
        """Return the texts around a line at height `y`, or left of a line that turns round there."""
        left, right = zone
        x, anchor = (right, "end") if beside else ((left + right) / 2, "middle")
        first = y - self.half - 4.5 - (len(self.relation) - 1) * RELATION_LINE
        texts = [
            Text(x, first + number * RELATION_LINE, line, RELATION_SIZE, anchor, title=self.title)
            for number, line in enumerate(self.relation)
        ]
        if self.source:
            texts.append(Text(x, y + self.half + 11.0, self.source, SOURCE_SIZE, anchor, "faint", title=self.title))
        return tuple(texts)


class Columns:
    """Where columns and gaps stand, from left to right.

    Attributes:
        width: of the whole picture.
        word_left: left side of the words of each side.
        word_width: their width.
        edges: left and right end of every column; lines are level within them.
        zones: left and right end of the middle of every gap.
    """

    def __init__(self, graph: PathGraph, word_width: Mapping[str, float], tags: Sequence[Tag]) -> None:
        self.word_width = word_width
        widths = [word_width[LEFT] + STUB]
        for column in range(1, graph.num_columns + 1):
            widths.append(max(entity_width(node) for node, place in graph.columns.items() if place == column))
        widths.append(word_width[RIGHT] + STUB)
        labels = [24.0] * (graph.num_columns + 1)
        for edge, tag in zip(graph.edges, tags, strict=True):
            gap = label_gap(graph, edge)
            labels[gap] = max(labels[gap], tag.width + 8.0)
        bare = 2 * MARGIN + sum(widths) + sum(labels)
        least = BEND + min(1.2 * len(tags), MOST_BEND - BEND)  # many lines need room to part
        bend = max(least, (MIN_WIDTH - bare) / (2 * len(labels)))
        self.width = bare + 2 * bend * len(labels)
        self.edges: list[tuple[float, float]] = []
        self.zones: list[tuple[float, float]] = []
        x = MARGIN
        for column, width in enumerate(widths):
            self.edges.append((x, x + width))
            x += width
            if column < len(labels):
                self.zones.append((x + bend, x + bend + labels[column]))
                x += 2 * bend + labels[column]
        self.word_left = {LEFT: MARGIN, RIGHT: x - word_width[RIGHT]}

    def middle(self, column: int) -> float:
        """Return the middle of a column."""
        left, right = self.edges[column]
        return (left + right) / 2


def label_gap(graph: PathGraph, edge: Edge) -> int:
    """Return the gap that holds the label of an edge: the middle one of those it crosses."""
    left, right = graph.column(edge.left), graph.column(edge.right)
    return (left + right - 1) // 2 if left < right else graph.num_columns


def entity_lines(node: Bridge) -> tuple[str, ...]:
    """Return the label of an entity in lines."""
    return wrap(node.label, ENTITY_SIZE, MAX_ENTITY_WIDTH, max_lines=2)


def entity_width(node: Bridge) -> float:
    """Return the width of an entity's box."""
    return max(text_width(line, ENTITY_SIZE) for line in entity_lines(node)) + 26.0


def entity_height(node: Bridge, bundle: float) -> float:
    """Return the height of an entity's box, beside which lines of a width `bundle` end."""
    return max(len(entity_lines(node)) * ENTITY_LINE + 13.0, bundle + 12.0)


def entity_box(node: Bridge, x: float, y: float, bundle: float) -> Box:
    """Return the box of an entity around a point."""
    lines, width, height = entity_lines(node), entity_width(node), entity_height(node, bundle)
    first = y - len(lines) * ENTITY_LINE / 2 + 11.5
    texts = tuple(
        Text(x, first + number * ENTITY_LINE, line, ENTITY_SIZE, "middle") for number, line in enumerate(lines)
    )
    title = f"{shown(node.label)} ({shown(node.entity)})"
    return Box(x - width / 2, y - height / 2, width, height, ENTITY, texts, title=title)


def _short_source(sources: Sequence[str]) -> str:
    """Return the first source without its folders, and how many others there are."""
    if not sources:
        return ""
    more = f" +{len(sources) - 1}" if len(sources) > 1 else ""
    file, line = place_parts(sources[0])
    name = re.split(r"[/\\]", file)[-1] + f":{line.partition(' ')[0]}" * bool(line)
    room = MAX_LABEL_WIDTH - text_width(more, SOURCE_SIZE)
    return (elide(name, SOURCE_SIZE, room, keep_end=True) or ELLIPSIS) + more
