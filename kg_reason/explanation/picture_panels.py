"""What stands above and below the paths of a picture: sentences, probabilities, and the list of paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kg_reason.explanation.picture_graph import speaks_for
from kg_reason.explanation.picture_shapes import MARGIN, Bar, Chip, Rule, Shapes, Swatch, Text
from kg_reason.explanation.picture_text import ELLIPSIS, runs_right_to_left, shown, text_width, wrap
from kg_reason.nli import Label
from kg_reason.prediction import Answer, Evidence, Prediction

SMALL, NORMAL, SENTENCE, LARGE = 10.5, 12.0, 15.0, 22.0
SENTENCE_LINE, LIST_LINE = 21.0, 17.0
BAR, BAR_ROW = 74.0, 22.0
COLUMN = 104.0  # of the contributions to one label
NAME = 104.0
FIGURE = 44.0
MAX_SENTENCE_LINES, MAX_LIST_LINES = 8, 4
LOGITS = (
    "logit: the score of a label before it becomes a probability; those of the text alone and of all paths add up to "
    "the answer's"
)
NO_PREMISE = "(none: a claim, checked against the graph)"


def draw_header(prediction: Prediction, width: float) -> tuple[Shapes, float]:
    """Draw both sentences and both answers; the upper end of the picture is at 0.

    Returns:
        The shapes, and the height of their lower end.
    """
    bars_width = NAME + 2 * (BAR + FIGURE + 14.0)
    left = width - MARGIN - bars_width
    sentences, bottom = _sentences(prediction, left - MARGIN - 40.0)
    answers, end = _answers(prediction, left)
    bottom = max(bottom, end) + 14.0
    return sentences + answers + Shapes(rules=(Rule(MARGIN, bottom, width - 2 * MARGIN),)), bottom


def _sentences(prediction: Prediction, room: float) -> tuple[Shapes, float]:
    texts, y = [], 36.0
    for name, sentence in (("PREMISE", prediction.premise), ("HYPOTHESIS", prediction.hypothesis)):
        if name == "HYPOTHESIS" and not prediction.premise:
            name = "CLAIM"
        faint = not sentence.strip()
        lines = wrap(sentence if not faint else NO_PREMISE, SENTENCE, room, max_lines=MAX_SENTENCE_LINES)
        turned = runs_right_to_left(sentence)
        x, anchor = (MARGIN + room, "end") if turned else (MARGIN, "start")
        texts.append(Text(x, y, name, SMALL, anchor, "faint", bold=True))
        title = shown(sentence) if lines[-1].endswith(ELLIPSIS) else ""
        for line in lines:
            y += SENTENCE_LINE
            tone = "faint" if faint else "ink"
            texts.append(Text(x, y, line, SENTENCE, anchor, tone, title=title, turned=turned))
        y += 30.0
    return Shapes(texts=tuple(texts)), y - 30.0


def _answers(prediction: Prediction, left: float) -> tuple[Shapes, float]:
    answer = prediction.answer
    y = 46.0
    texts = [
        Text(left, y - 4.0, spoken(answer.label), LARGE, "start", answer.label, bold=True),
        Text(
            left + text_width(spoken(answer.label), LARGE, bold=True) + 10.0, y - 4.0,
            f"{answer.probabilities[answer.label]:.3f}", LARGE, "start", answer.label,
        ),
    ]  # fmt: skip
    bars: list[Bar] = []
    first, second = left + NAME, left + NAME + BAR + FIGURE + 14.0
    y += 22.0
    texts += [
        Text(left, y, "PROBABILITY", SMALL, tone="faint", bold=True),
        Text(first, y, "ANSWER", SMALL, tone="faint", bold=True),
        Text(second, y, "TEXT ALONE", SMALL, tone="faint", bold=True),
    ]
    for label in answer.logits:
        y += BAR_ROW
        texts.append(Text(left, y, spoken(label), NORMAL, bold=label == answer.label))
        for x, one, pale in ((first, answer, False), (second, prediction.text_answer, True)):
            bars.append(Bar(x, y - 9.0, BAR, 9.0, one.probabilities[label], label, pale))
            texts.append(_figure(one, label, x + BAR + 6.0, y))
    return Shapes(texts=tuple(texts), bars=tuple(bars)), y


def _figure(answer: Answer, label: Label, x: float, y: float) -> Text:
    best = label == answer.label
    return Text(x, y, f"{answer.probabilities[label]:.3f}", NORMAL, tone="ink" if best else "soft", bold=best)


def spoken(label: Label) -> str:
    """Return a label as it is read."""
    return str(label).replace("_", " ")


def signed(value: float, num_digits: int = 2) -> str:
    """Return a change of a logit with its sign; what is 0 as it is written has none."""
    text = f"{abs(value):.{num_digits}f}"
    return ("+" if value > 0 else "\u2212") * (float(text) > 0) + text


def draw_list(
    prediction: Prediction, kept: Sequence[Evidence], sentences: Sequence[str], width: float
) -> tuple[Shapes, float]:
    """Draw the list of paths, what the others add together, the legend and the words that the graph does not know.

    Args:
        prediction: the answer.
        kept: the paths that are shown, the first of its evidence.
        sentences: one per path of the evidence, or none.
        width: of the picture, in pixels.

    Returns:
        The shapes with their upper end at 0, and the height of their lower end.
    """
    labels = list(prediction.answer.logits)
    figures_left = width - MARGIN - COLUMN * len(labels)
    texts: list[Text] = []
    chips: list[Chip] = []
    rules = [Rule(MARGIN, 0.0, width - 2 * MARGIN)]
    y = 8.0
    if kept:
        y = 24.0
        texts.append(Text(MARGIN, y, "ADDED TO THE LOGITS", SMALL, tone="faint", bold=True))
        for place, label in enumerate(labels):
            x = figures_left + COLUMN * (place + 1)
            texts.append(Text(x, y, spoken(label), SMALL, "end", label, bold=True))
        y += 8.0
    room = figures_left - MARGIN - 40.0
    for number, item in enumerate(kept):
        y += 18.0
        chips.append(Chip(number, speaks_for(item), MARGIN + 8.0, y - 4.5))
        texts += _figures([item.contribution[label] for label in labels], figures_left, y)
        said, down = _said(item, sentences[number] if sentences else "", room)
        texts += [replace(text, y=text.y + y) for text in said]
        y += down + 4.0
    rest = prediction.evidence[len(kept) :]
    if rest and kept:
        y += 20.0
        name = "1 more path" if len(rest) == 1 else f"{len(rest)} more paths, together"
        texts.append(Text(MARGIN + 26.0, y, name, NORMAL, tone="soft"))
        texts += _figures([sum(item.contribution[label] for item in rest) for label in labels], figures_left, y)
        y += 4.0
    notes, y = _notes(prediction, bool(kept), width, y + 22.0)
    return Shapes(texts=tuple(texts), chips=tuple(chips), rules=tuple(rules)) + notes, y


def _said(item: Evidence, sentence: str, room: float) -> tuple[list[Text], float]:
    """Return the words that a path joins and what it says, from height 0, and the height of the last line."""
    words, said = f"{shown(item.start.text)} ~ {shown(item.end.text)}", sentence or _way(item)
    left = MARGIN + 26.0
    lines = [(line, True) for line in wrap(words, NORMAL, room, max_lines=1, bold=True)]
    beside = text_width(words, NORMAL, bold=True) + 14.0
    turned = runs_right_to_left(f"{words} {said}")
    if not sentence and not turned and beside + text_width(shown(said), NORMAL) <= room:
        texts = [Text(left, 0.0, words, NORMAL, bold=True)]
        return [*texts, Text(left + beside, 0.0, shown(said), NORMAL, tone="soft")], 0.0
    lines += [(line, False) for line in wrap(said, NORMAL, room, max_lines=MAX_LIST_LINES)]
    texts = []
    for number, (line, bold) in enumerate(lines):
        x, anchor = (left + room, "end") if turned else (left, "start")
        title, tone = f"{words}: {said}" if line.endswith(ELLIPSIS) else "", "ink" if bold else "soft"
        texts.append(Text(x, number * LIST_LINE, line, NORMAL, anchor, tone, bold, title, turned))
    return texts, (len(lines) - 1) * LIST_LINE


def _way(evidence: Evidence) -> str:
    """Return what lies between the ends of a path, for a list without sentences."""
    steps = evidence.path.steps
    between = [step.tail_label if step.forward else step.head_label for step in steps[:-1]]
    return f"via {', '.join(between)}" if between else steps[0].relation


def _figures(values: Sequence[float], left: float, y: float) -> list[Text]:
    most = max(values)
    return [
        Text(left + COLUMN * (place + 1), y, signed(value), NORMAL, "end",
             "ink" if value == most else "soft", bold=value == most)
        for place, value in enumerate(values)
    ]  # fmt: skip


def _notes(prediction: Prediction, has_paths: bool, width: float, y: float) -> tuple[Shapes, float]:
    texts: list[Text] = []
    swatches: list[Swatch] = []
    unknown = sorted({shown(m.text) for side in ("premise", "hypothesis") for m in prediction.unknown(side)})
    if unknown:
        lines = wrap(f"not in the graph: {', '.join(unknown)}", NORMAL, width - 2 * MARGIN, max_lines=3)
        for line in lines:
            texts.append(Text(MARGIN, y, line, NORMAL, tone="soft"))
            y += LIST_LINE
        y += 4.0
    if has_paths:
        x = MARGIN
        for label in prediction.answer.logits:
            swatches.append(Swatch(x, y - 8.5, label))
            name = f"speaks for {spoken(label)}"
            texts.append(Text(x + 15.0, y, name, SMALL, tone="soft"))
            x += 15.0 + text_width(name, SMALL) + 20.0
        texts.append(Text(x, y, "wider: moved the answer more \u00b7 arrow: from head to tail", SMALL, tone="faint"))
        y += LIST_LINE
        texts.append(Text(MARGIN, y, LOGITS, SMALL, tone="faint"))
        y += LIST_LINE
    return Shapes(texts=tuple(texts), swatches=tuple(swatches)), y
