"""Where everything stands in the picture of an answer: words left and right, the paths between them, panels around.

    header                                          both sentences, both answers
    words | label | entity | label | ... | words    the paths, each a line of its own through boxes that it may share
    list                                            the paths with what each added to the logits

Boxes stand in columns. Between two columns is a gap whose middle holds the labels of the edges: a relation above its
line, the source below it. Lines bend only between the middle of a gap and a column, and pass a column they do not stop
at in a row of their own; so no line crosses a box or a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kg_reason.explanation.picture_columns import Columns, Tag, entity_box
from kg_reason.explanation.picture_graph import LEFT, RIGHT, PathGraph, Port, join_paths
from kg_reason.explanation.picture_lines import LineDrawer
from kg_reason.explanation.picture_panels import draw_header, draw_list
from kg_reason.explanation.picture_shapes import Shapes, Text
from kg_reason.explanation.picture_words import WordItem, column_width, draw_word, word_items
from kg_reason.prediction import EVIDENCE_SHOWN, Evidence, Prediction

WORD_GAP, MAX_WORD_GAP = 9.0, 34.0
HEAD = 24.0  # of a column of words
AIR = 26.0  # between the paths and the panels


@dataclass(frozen=True)
class Layout:
    """A picture that only has to be drawn.

    Attributes:
        width: of the canvas, in pixels.
        height: of the canvas.
        shapes: everything on it.
        kept: the evidence that is drawn, in its order; the number of a path is its place here.
    """

    width: float
    height: float
    shapes: Shapes
    kept: tuple[Evidence, ...]


def lay_out(
    prediction: Prediction, *, sentences: Sequence[str] = (), max_paths: int = 8, panels: bool = True
) -> Layout:
    """Place everything that a picture of an answer shows.

    Args:
        prediction: the answer.
        sentences: one per path of its evidence, in that order, or none.
        max_paths: paths that are drawn at most, the strongest; the others are summed up in one line. Paths that moved
            no logit by more than EVIDENCE_SHOWN are never drawn.
        panels: whether header and list stand around the paths.
    """
    kept = drawn_evidence(prediction)[:max_paths]
    is_claim = not prediction.premise.strip()
    graph = join_paths(kept, is_claim=is_claim)
    words = _words(prediction, graph, is_claim)
    tags = [Tag(edge, kept) for edge in graph.edges]
    columns = Columns(graph, {side: column_width(items) for side, items in words.items()}, tags)
    lines = LineDrawer(graph, kept, tags)
    word_shapes, ports = _draw_words(words, columns, lines.tallest())
    lines.place(ports)
    shapes = word_shapes + _draw_paths(graph, tags, lines, columns)
    top, end = lines.extent()
    heads = []
    for side, name in ((LEFT, "CLAIM" if is_claim else "PREMISE"), (RIGHT, "CLAIM" if is_claim else "HYPOTHESIS")):
        first, last = _column_extent(word_shapes, columns.word_left[side], columns.word_width[side])
        middle = columns.word_left[side] + columns.word_width[side] / 2
        heads.append(Text(middle, first - HEAD + 10.0, name, 10.5, "middle", "faint", bold=True))
        top, end = min(top, first - HEAD), max(end, last)
    paths = shapes + Shapes(texts=tuple(heads))
    if not panels:
        return Layout(columns.width, end - top + 2 * AIR, paths.moved(AIR - top), kept)
    if not kept:
        said = Text(columns.width / 2, (top + end) / 2 + 4.0, silence(prediction), 12.0, "middle", "soft")
        paths += Shapes(texts=(said,))
    header, y = draw_header(prediction, columns.width)
    body = paths.moved(y + AIR - top)
    y += AIR + end - top + AIR
    listed, height = draw_list(prediction, kept, sentences, columns.width)
    return Layout(columns.width, y + height + 10.0, header + body + listed.moved(y), kept)


def _words(prediction: Prediction, graph: PathGraph, is_claim: bool) -> dict[str, list[WordItem]]:
    """Return the entries of both columns; a claim stands on both sides, since its paths join words of its own."""
    ports: dict[str, list[Port]] = {LEFT: [], RIGHT: []}
    for walk in graph.walks:
        for hub in (walk[0], walk[-1]):
            if isinstance(hub, Port):
                ports[hub.side].append(hub)
    hypothesis = (prediction.hypothesis, prediction.hypothesis_mentions)
    premise = hypothesis if is_claim else (prediction.premise, prediction.premise_mentions)
    return {LEFT: word_items(*premise, ports[LEFT]), RIGHT: word_items(*hypothesis, ports[RIGHT])}


def _draw_words(
    words: dict[str, list[WordItem]], columns: Columns, tall: float
) -> tuple[Shapes, dict[Port, float]]:
    """Draw both columns of words around height 0, spread out where what stands between them is taller."""
    found, heights = Shapes(), {}
    for side, items in words.items():
        drawn = [draw_word(item, columns.word_left[side], columns.word_width[side]) for item in items]
        whole, spaces = sum(height for _, _, height, _ in drawn), max(len(drawn) - 1, 1)
        gap = min(max((tall - whole) / spaces, WORD_GAP), MAX_WORD_GAP)
        y = -(whole + gap * (len(drawn) - 1)) / 2
        for box, texts, height, ports in drawn:
            found += Shapes(boxes=(box,) if box else (), texts=texts).moved(y)
            heights.update({port: y + place for port, place in ports.items()})
            y += height + gap
    return found, heights


def _column_extent(shapes: Shapes, left: float, width: float) -> tuple[float, float]:
    """Return the upper and the lower end of the words that stand between `left` and `left + width`."""
    boxes = [box for box in shapes.boxes if left <= box.x < left + width]
    texts = [text for text in shapes.texts if left <= text.x < left + width]
    tops = [*(box.y for box in boxes), *(text.y - text.size for text in texts)]
    ends = [*(box.y + box.height for box in boxes), *(text.y + 4.0 for text in texts)]
    return min(tops, default=0.0), max(ends, default=0.0)


def _draw_paths(graph: PathGraph, tags: Sequence[Tag], lines: LineDrawer, columns: Columns) -> Shapes:
    boxes = tuple(
        entity_box(node, columns.middle(column), lines.heights[lines.keys[node]], lines.bundle(node))
        for node, column in graph.columns.items()
    )
    texts = tuple(
        text
        for tag, track in zip(tags, lines.tracks, strict=True)
        for text in tag.texts(columns.zones[track.gap], lines.heights[track.label], beside=track.turns)
    )
    return Shapes(boxes=boxes, texts=texts) + lines.draw(columns)


def drawn_evidence(prediction: Prediction) -> tuple[Evidence, ...]:
    """Return the evidence that moved a logit by more than EVIDENCE_SHOWN; nothing else is drawn."""
    return tuple(item for item in prediction.evidence if item.strength > EVIDENCE_SHOWN)


def silence(prediction: Prediction) -> str:
    """Return why no path is drawn."""
    if not prediction.evidence:
        return "no path in the graph joins these words: the answer is the text's alone"
    found = "1 path was" if len(prediction.evidence) == 1 else f"{len(prediction.evidence)} paths were"
    return f"{found} found, none moved the answer"
