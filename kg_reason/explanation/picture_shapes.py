"""The shapes of a picture, as plain values in pixels: what `layout.py` places and `picture_drawing.py` draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kg_reason.nli import Label

Command = tuple[str, tuple[float, ...]]  # of an SVG path: M, L or C with pairs of x and y

MARGIN = 32.0  # around the picture
WORD, KNOWN_WORD, UNKNOWN_WORD, ENTITY = "word", "known-word", "unknown-word", "entity"


@dataclass(frozen=True)
class Text:
    """One line of text.

    Attributes:
        x: of the anchor.
        y: of the baseline.
        text: as it is shown.
        size: of the font.
        anchor: `start`, `middle` or `end` of the line is at `x`.
        tone: `ink`, `soft` or `faint`, or the name of a label.
        bold: whether it is bold.
        title: the full text where it was shortened; empty: `text` is all.
        turned: whether it runs to the left, as the text whose line it is; None: as its own letters say.
    """

    x: float
    y: float
    text: str
    size: float
    anchor: str = "start"
    tone: str = "ink"
    bold: bool = False
    title: str = ""
    turned: bool | None = None


@dataclass(frozen=True)
class Box:
    """A box with its lines of text.

    Attributes:
        x: of its left side.
        y: of its upper side.
        width: of the box.
        height: of the box.
        kind: WORD, KNOWN_WORD, UNKNOWN_WORD or ENTITY.
        texts: in it.
        rules: heights of thin lines across it, between a word and the entities it stands for.
        title: its full text and identifier.
    """

    x: float
    y: float
    width: float
    height: float
    kind: str
    texts: tuple[Text, ...]
    rules: tuple[float, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Bar:
    """A bar of a probability, on a pale track that stands for 1."""

    x: float
    y: float
    width: float
    height: float
    share: float
    label: Label
    is_pale: bool


@dataclass(frozen=True)
class Stroke:
    """One path along one edge: a curve, and the head of its arrow, whose tip is at `tip` and points left or right."""

    path: int
    label: Label
    width: float
    commands: tuple[Command, ...]
    tip: tuple[float, float]
    points_right: bool


@dataclass(frozen=True)
class Chip:
    """The number of a path, counted from 1, in a disc around `x` and `y`."""

    path: int
    label: Label
    x: float
    y: float


@dataclass(frozen=True)
class Rule:
    """A thin horizontal line."""

    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Swatch:
    """A small square in the colour of a label, for the legend."""

    x: float
    y: float
    label: Label


@dataclass(frozen=True)
class Shapes:
    """Shapes by kind, each in the order of drawing."""

    strokes: tuple[Stroke, ...] = ()
    boxes: tuple[Box, ...] = ()
    texts: tuple[Text, ...] = ()
    chips: tuple[Chip, ...] = ()
    bars: tuple[Bar, ...] = ()
    rules: tuple[Rule, ...] = ()
    swatches: tuple[Swatch, ...] = ()

    def __add__(self, other: Shapes) -> Shapes:
        return Shapes(*(getattr(self, name) + getattr(other, name) for name in vars(self)))

    def moved(self, down: float) -> Shapes:
        """Return the same shapes further down."""
        return Shapes(
            tuple(_moved_stroke(stroke, down) for stroke in self.strokes),
            tuple(_moved_box(box, down) for box in self.boxes),
            tuple(replace(text, y=text.y + down) for text in self.texts),
            tuple(replace(chip, y=chip.y + down) for chip in self.chips),
            tuple(replace(bar, y=bar.y + down) for bar in self.bars),
            tuple(replace(rule, y=rule.y + down) for rule in self.rules),
            tuple(replace(swatch, y=swatch.y + down) for swatch in self.swatches),
        )


def _moved_stroke(stroke: Stroke, down: float) -> Stroke:
    commands = tuple(
        (letter, tuple(value + down if place % 2 else value for place, value in enumerate(values)))
        for letter, values in stroke.commands
    )
    return replace(stroke, commands=commands, tip=(stroke.tip[0], stroke.tip[1] + down))


def _moved_box(box: Box, down: float) -> Box:
    texts = tuple(replace(text, y=text.y + down) for text in box.texts)
    return replace(box, y=box.y + down, texts=texts, rules=tuple(rule + down for rule in box.rules))
