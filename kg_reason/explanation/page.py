"""One answer as a self-contained HTML page: the answer, the picture of its paths, and a table of all of them.

Everything is inside the file; nothing is fetched. Without script the paths can still be hovered over, and the table
says the rest. Looks and movement are `page_style.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from kg_reason.explanation.layout import drawn_evidence, silence
from kg_reason.explanation.page_style import SCRIPT, STYLE
from kg_reason.explanation.picture_drawing import draw_svg
from kg_reason.explanation.picture_graph import speaks_for
from kg_reason.explanation.picture_panels import NO_PREMISE, signed, spoken
from kg_reason.explanation.picture_text import markup, runs_right_to_left
from kg_reason.prediction import Evidence, Prediction

LEGEND = (
    "A square box is a word that the graph knows, a dashed one a word that it does not know; a round box is an entity "
    "on the way. A wider line moved the answer more; its arrow runs from head to tail, as the triple was stated."
)
HINT = "Point at a line, or go to it with the tab key, to read what it says and what it moved."
LOGITS = (
    "A logit is the score of a label before it becomes a probability: the label with the highest one is the answer. "
    "Each path adds to the logit of every label: + speaks for the label, \u2212 against it. The logits of the text "
    "alone and all paths add up to those of the answer."
)


def draw_page(prediction: Prediction, *, sentences: Sequence[str] = ()) -> str:
    """Return an answer as one HTML page that needs no network.

    Args:
        prediction: the answer.
        sentences: one per path of its evidence, in that order, or none.
    """
    title = f"{spoken(prediction.label)}: {prediction.hypothesis}"
    picture = draw_svg(prediction, sentences=sentences, panels=False)
    has_lines = bool(drawn_evidence(prediction))
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{markup(title)}</title>",
        f"<style>{STYLE}</style></head>",
        f"<body><main><header>{_pair(prediction)}{_answer(prediction)}</header>",
        "" if has_lines else f'<p class="silent">{silence(prediction).capitalize()}.</p>',
        f'<div class="picture" tabindex="0" role="region" aria-label="words and paths">{picture}</div>',
        *_legend(prediction, has_lines),
        *(_table(prediction, sentences) if prediction.evidence else []),
        *_unknown(prediction),
        "</main>",
        f'<div id="detail" hidden></div><script>{SCRIPT}</script>' if has_lines else "",
        "</body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _pair(prediction: Prediction) -> str:
    names = ("premise", "hypothesis") if prediction.premise.strip() else ("", "claim")
    parts = []
    for name, text in zip(names, (prediction.premise, prediction.hypothesis), strict=True):
        if name:
            parts.append(f'<div class="name">{name}</div><p dir="{_direction(text)}">{markup(text)}</p>')
    if not names[0]:
        parts.append(f'<p class="note">Premise: {NO_PREMISE}</p>')
    return f'<div class="pair">{"".join(parts)}</div>'


def _answer(prediction: Prediction) -> str:
    """Return the answer and the probabilities with the paths and of the text alone."""
    answer, text = prediction.answer.probabilities, prediction.text_answer.probabilities
    best = prediction.label
    rows = []
    for label in answer:
        bars = (
            f'<td{look}><span class="bar{pale}"><span class="{label}" style="width:{share:.1%}"></span></span>'
            f"{share:.3f}</td>"
            for share, look, pale in ((answer[label], "", ""), (text[label], ' class="silent"', " pale"))
        )
        mark = ' class="best"' if label == best else ""
        rows.append(f'<tr{mark}><th scope="row">{spoken(label)}</th>{"".join(bars)}</tr>')
    heads = "".join(f'<th scope="col" class="name">{name}</th>' for name in ("probability", "answer", "text alone"))
    return (
        f'<div class="answer"><h1 class="{best}">{spoken(best)}<span>{answer[best]:.3f}</span></h1>'
        f'<table class="probabilities"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _legend(prediction: Prediction, has_lines: bool) -> list[str]:
    if not has_lines:
        return []
    labels = "".join(f'<b class="{label}">speaks for {spoken(label)}</b>' for label in prediction.answer.logits)
    return [f'<div class="legend">{labels}</div>', f'<p class="note">{LEGEND} <span class="screen">{HINT}</span></p>']


def _table(prediction: Prediction, sentences: Sequence[str]) -> list[str]:
    labels = list(prediction.answer.logits)
    heads = "".join(f'<th scope="col" class="figure {label}">{spoken(label)}</th>' for label in labels)
    rows = ["<h2>All paths, and what each added to the logits</h2>", f'<p class="note">{LOGITS}</p>']
    rows.append(f'<table class="paths" style="--labels:{len(labels)}"><thead><tr><th scope="col">#</th>')
    rows.append(f'<th scope="col" class="what">two words and the path between them</th>{heads}</tr></thead><tbody>')
    for number, item in enumerate(prediction.evidence):
        figures = [item.contribution[label] for label in labels]
        moved = ", ".join(f"{spoken(label)} {signed(value, 3)}" for label, value in zip(labels, figures, strict=True))
        rows.append(
            f'<tr data-path="{number}" data-moved="{escape(moved)}"><td>{number + 1}</td>'
            f'<td class="what">{_what(item, sentences[number] if sentences else "")}</td>'
            f"{_figures(figures, labels.index(speaks_for(item)))}</tr>"
        )
    together = [sum(item.contribution[label] for item in prediction.evidence) for label in labels]
    rows.append(f'<tr><td></td><td class="what words">all paths together</td>{_figures(together)}</tr>')
    for name, answer in (("text alone", prediction.text_answer), ("answer", prediction.answer)):
        logits = _figures([answer.logits[label] for label in labels])
        rows.append(f'<tr><td></td><td class="what words">logits of the {name}</td>{logits}</tr>')
    return [*rows, "</tbody></table>"]


def _figures(values: Sequence[float], most: int | None = None) -> str:
    """Return cells with changes of logits; the one at `most` stands out."""
    return "".join(
        f'<td class="figure{" most" if place == most else ""}">{signed(value, 3)}</td>'
        for place, value in enumerate(values)
    )


def _what(item: Evidence, sentence: str) -> str:
    """Return words, sentence, chain and sources of a path; each in its own direction."""
    parts = [f'<div class="words">{_isolated(item.start.text)} ~ {_isolated(item.end.text)}</div>']
    if sentence:
        parts.append(f'<div dir="{_direction(sentence)}">{markup(sentence)}</div>')
    first = item.path.steps[0]
    chain = [_isolated(first.head_label if first.forward else first.tail_label)]
    for step in item.path.steps:
        relation = _isolated(step.told_relation)
        chain.append(f"\u2014\u2060{relation}\u2060\u2192" if step.forward else f"\u2190\u2060{relation}\u2060\u2014")
        chain.append(_isolated(step.tail_label if step.forward else step.head_label))
    parts.append(f'<div class="chain" dir="ltr">{" ".join(chain)}</div>')
    sources = ", ".join(item.path.source_lines())
    parts.append(f'<div class="sources" dir="ltr">{markup(sources)}</div>' if sources else "")
    return "".join(parts)


def _isolated(text: str) -> str:
    return f"<bdi>{markup(text)}</bdi>"


def _direction(text: str) -> str:
    return "rtl" if runs_right_to_left(text) else "ltr"


def _unknown(prediction: Prediction) -> list[str]:
    rows = []
    for side, name in (("premise", "premise"), ("hypothesis", "hypothesis")):
        words = dict.fromkeys(mention.text for mention in prediction.unknown(side))
        if words:
            rows.append(f"<li>in the {name}: {', '.join(map(_isolated, words))}</li>")
    return ["<h2>Not in the graph</h2>", "<ul>", *rows, "</ul>"] if rows else []
