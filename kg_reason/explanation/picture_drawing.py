"""A laid-out answer as SVG: colours, fonts and markup. Where things stand is `layout.py`."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from kg_reason.explanation.layout import Layout, lay_out
from kg_reason.explanation.picture_columns import SPACE
from kg_reason.explanation.picture_graph import speaks_for
from kg_reason.explanation.picture_lines import TIP, tip_length
from kg_reason.explanation.picture_panels import signed, spoken
from kg_reason.explanation.picture_shapes import (
    ENTITY,
    KNOWN_WORD,
    UNKNOWN_WORD,
    WORD,
    Box,
    Chip,
    Stroke,
    Text,
)
from kg_reason.explanation.picture_text import directed, markup, runs_right_to_left
from kg_reason.nli import Label
from kg_reason.prediction import Evidence, Prediction

# Green, grey-blue and orange-red of like darkness, told apart by readers with any kind of colour blindness
# (after Okabe and Ito), and dark enough for text on white.
COLOURS = {
    Label.ENTAILMENT: "#00795a",
    Label.NEUTRAL: "#5f7492",
    Label.CONTRADICTION: "#c2500a",
    Label.NOT_ENTAILMENT: "#c2500a",
}
TONES = {"ink": "#1c2733", "soft": "#4b5866", "faint": "#68747f"}
LINE, TRACK, PAPER, ENTITY_FILL = "#d5dbe1", "#edf0f3", "#ffffff", "#f3f5f8"
BOX_LINES = {"known": "#b9c2cb", "between": "#aab5c0"}
# Many names, since the renderer of PNG files draws nothing at all where it has no font of any of them.
LATIN = "'Noto Sans','DejaVu Sans','Segoe UI','Helvetica Neue',Arial,'Liberation Sans',Roboto,Ubuntu,FreeSans"
EAST_ASIAN = "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei','Hiragino Sans','Noto Sans JP'"
SEMITIC = "'Noto Sans Hebrew','Noto Sans Arabic'"
FONTS = f"{LATIN},{EAST_ASIAN},{SEMITIC},sans-serif"
# A viewer may take the first of these fonts that it has and any other, maybe a bold one, for all that this one lacks.
EAST_ASIAN_FONTS = f"{EAST_ASIAN},{LATIN},sans-serif"
SEMITIC_FONTS = f"'DejaVu Sans','Segoe UI',Arial,{SEMITIC},{LATIN},sans-serif"
BOX_LOOKS = {
    WORD: f'fill="{PAPER}" stroke="{TONES["ink"]}" stroke-width="1.3"',
    KNOWN_WORD: f'fill="{PAPER}" stroke="{BOX_LINES["known"]}"',
    UNKNOWN_WORD: f'fill="{PAPER}" stroke="{TONES["faint"]}" stroke-dasharray="4 3"',
    ENTITY: f'fill="{ENTITY_FILL}" stroke="{BOX_LINES["between"]}"',
}
SQUARE, ROUND = 4.0, 15.0  # radius of corners
REACH = SPACE  # a line is under the pointer that is half of this beside it: up to the middle between two lines


def draw_svg(
    prediction: Prediction, *, sentences: Sequence[str] = (), max_paths: int = 8, panels: bool = True
) -> str:
    """Draw an answer as a self-contained SVG picture.

    The words of the premise stand left, those of the hypothesis right, the paths between them; a claim without premise
    has its words on both sides. A line is as wide as the change of a logit it made and has the colour of the label it
    speaks for; arrows run as the triples were stated. No font is embedded: the reader needs one of the text's script.

    Args:
        prediction: the answer.
        sentences: one per path of its evidence, in that order, for the list below the paths; or none.
        max_paths: paths that are drawn at most, the strongest; the others are summed up in one line.
        panels: whether the answer stands above the paths and their list below them; not in a page that tells both.
    """
    layout = lay_out(prediction, sentences=sentences, max_paths=max_paths, panels=panels)
    shapes = layout.shapes
    width, height = round(layout.width), round(layout.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="{FONTS}" role="img">',
        f"<title>{markup(_summary(prediction))}</title>",
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
    ]
    parts += [
        f'<path d="M{_n(rule.x)} {_n(rule.y)}h{_n(rule.width)}" stroke="{LINE}"/>' for rule in shapes.rules
    ]
    for bar in shapes.bars:
        look = f'fill="{COLOURS[bar.label]}"' + (' fill-opacity="0.45"' if bar.is_pale else "")
        place = f'x="{_n(bar.x)}" y="{_n(bar.y)}" height="{_n(bar.height)}" rx="2"'
        parts.append(f'<rect {place} width="{_n(bar.width)}" fill="{TRACK}"/>')
        parts.append(f'<rect {place} width="{_n(max(bar.width * bar.share, 1.0))}" {look}/>')
    parts += [_path(number, item, layout) for number, item in enumerate(layout.kept)]
    parts += [_box(box) for box in shapes.boxes]
    parts += [_text(text) for text in shapes.texts]
    parts += [
        f'<rect x="{_n(swatch.x)}" y="{_n(swatch.y)}" width="9" height="9" rx="2" fill="{COLOURS[swatch.label]}"/>'
        for swatch in shapes.swatches
    ]
    return "\n".join([*parts, "</svg>\n"])


def contributions(evidence: Evidence) -> str:
    """Return what a path added to each label, in words."""
    return ", ".join(f"{spoken(label)} {signed(value)}" for label, value in evidence.contribution.items())


def _summary(prediction: Prediction) -> str:
    pair = f"{prediction.premise} / {prediction.hypothesis}" if prediction.premise else prediction.hypothesis
    return f"{spoken(prediction.label)} ({prediction.probabilities[prediction.label]:.3f}): {pair}"


def _path(number: int, evidence: Evidence, layout: Layout) -> str:
    """Draw everything that belongs to one path, as one group that a page can point at."""
    title = f"{evidence.start.text} ~ {evidence.end.text}: {evidence.path} ({contributions(evidence)})"
    drawn = [_stroke(stroke) for stroke in layout.shapes.strokes if stroke.path == number]
    chips = [_chip(chip) for chip in layout.shapes.chips if chip.path == number]
    label = speaks_for(evidence)
    return (
        f'<g class="path" data-path="{number}" fill="{COLOURS[label]}" stroke="none">'
        f"<title>{markup(title)}</title>{''.join([*drawn, *chips])}</g>"
    )


def _stroke(stroke: Stroke) -> str:
    data = "".join(letter + " ".join(map(_n, values)) for letter, values in stroke.commands)
    x, y = stroke.tip
    back = -tip_length(stroke.width) if stroke.points_right else tip_length(stroke.width)
    half = stroke.width / 2 + TIP
    return (
        f'<path d="{data}" fill="none" stroke-width="{_n(stroke.width + REACH)}" pointer-events="stroke"/>'
        f'<path d="{data}" fill="none" stroke="{COLOURS[stroke.label]}" stroke-width="{_n(stroke.width)}"/>'
        f'<path d="M{_n(x)} {_n(y)}L{_n(x + back)} {_n(y - half)}L{_n(x + back)} {_n(y + half)}Z"/>'
    )


def _chip(chip: Chip) -> str:
    size = 9 if chip.path < 9 else 8
    return (
        f'<circle cx="{_n(chip.x)}" cy="{_n(chip.y)}" r="7" stroke="{PAPER}"/>'
        f'<text x="{_n(chip.x)}" y="{_n(chip.y + 3.2)}" font-size="{size}" font-weight="bold" text-anchor="middle"'
        f' fill="{PAPER}">{chip.path + 1}</text>'
    )


def _box(box: Box) -> str:
    radius = min(ROUND, box.height / 2) if box.kind == ENTITY else SQUARE
    rules = "".join(f'<path d="M{_n(box.x)} {_n(y)}h{_n(box.width)}" stroke="{LINE}"/>' for y in box.rules)
    return (
        f"<g><title>{markup(box.title)}</title>"
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}" rx="{_n(radius)}"'
        f" {BOX_LOOKS[box.kind]}/>{rules}{''.join(map(_text, box.texts))}</g>"
    )


def _text(text: Text) -> str:
    colour = COLOURS[Label(text.tone)] if text.tone in set(Label) else TONES[text.tone]
    look = f'x="{_n(text.x)}" y="{_n(text.y)}" font-size="{_n(text.size)}" fill="{colour}"'
    look += f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
    look += ' font-weight="bold"' if text.bold else ""
    fonts = _fonts(text.text)
    look += f' font-family="{fonts}"' if fonts else ""
    title = f"<title>{markup(text.title)}</title>" if text.title else ""
    turned = runs_right_to_left(text.text) if text.turned is None else text.turned
    return f"<text {look}>{title}{directed(text.text, turned=turned)}</text>"


def _fonts(text: str) -> str:
    """Return the fonts of a text that needs others than the picture's, else nothing."""
    if any(unicodedata.east_asian_width(sign) in "WF" for sign in text):
        return EAST_ASIAN_FONTS
    return SEMITIC_FONTS if any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in text) else ""


def _n(value: float) -> str:
    """Write a number with one digit behind the point, none where it is whole."""
    return f"{value:.1f}".removesuffix(".0")
