"""One answer as a self-contained HTML page: the picture, the paths under the pointer, and a table of all of them.

Everything is inside the file; nothing is fetched. Without script the paths can still be hovered over, and the table
says the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from kg_reason.explanation.picture_drawing import COLOURS, FONTS, LINE, TONES, draw_svg
from kg_reason.explanation.picture_graph import speaks_for
from kg_reason.explanation.picture_panels import spoken
from kg_reason.explanation.picture_text import markup, runs_right_to_left
from kg_reason.nli import Label
from kg_reason.prediction import Evidence, Prediction

STYLE = f"""
body {{ margin: 0; font: 14px/1.45 {FONTS}; color: {TONES["ink"]}; background: #fff; }}
main {{ max-width: 1500px; margin: 0 auto; padding: 12px 16px 48px; }}
.picture {{ overflow-x: auto; }}
.picture svg {{ display: block; margin: 0 auto; max-width: none; }}
.path {{ cursor: default; transition: opacity 0.12s; }}
svg:has(.path:hover) .path:not(:hover), svg.lit .path:not(.lit) {{ opacity: 0.13; }}
#detail {{ position: sticky; bottom: 0; min-height: 4.6em; margin: 8px 0 28px; padding: 10px 16px; background: #fff;
  border: 1px solid {LINE}; border-radius: 6px; }}
#detail p {{ margin: 0; }}
h2 {{ font-size: 15px; margin: 28px 0 8px; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ padding: 6px 10px; text-align: start; vertical-align: top; border-bottom: 1px solid {LINE}; }}
th {{ font-weight: 600; color: {TONES["soft"]}; }}
td.figure, th.figure {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
tr.lit {{ background: #f3f5f8; }}
.most {{ font-weight: 600; }}
.chain, .sources, .silent {{ color: {TONES["soft"]}; }}
.sources {{ font-size: 12px; overflow-wrap: anywhere; }}
.words {{ font-weight: 600; }}
"""

SCRIPT = """
const svg = document.querySelector(".picture svg"), detail = document.getElementById("detail");
const quiet = detail.innerHTML;
function light(number) {
  const is = (one) => number !== null && one.dataset.path === number;
  document.querySelectorAll("[data-path]").forEach((one) => one.classList.toggle("lit", is(one)));
  svg.classList.toggle("lit", !!svg.querySelector(".path.lit"));
  const row = [...document.querySelectorAll("tr[data-path]")].find(is);
  detail.innerHTML = quiet;
  if (row) detail.replaceChildren(...row.querySelector(".what").cloneNode(true).childNodes,
    Object.assign(document.createElement("p"), { textContent: row.dataset.moved }));
}
document.querySelectorAll("[data-path]").forEach((one) => {
  one.addEventListener("mouseenter", () => light(one.dataset.path));
  one.addEventListener("mouseleave", () => light(null));
});
"""


def draw_page(prediction: Prediction, *, sentences: Sequence[str] = ()) -> str:
    """Return an answer as one HTML page that needs no network.

    Args:
        prediction: the answer.
        sentences: one per path of its evidence, in that order, or none.
    """
    title = f"{spoken(prediction.label)}: {prediction.hypothesis}"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{markup(title)}</title>",
        f"<style>{STYLE}</style></head>",
        "<body><main>",
        f'<div class="picture">{draw_svg(prediction, sentences=sentences)}</div>',
    ]
    if prediction.evidence:
        hint = "Point at a path to see what it says and what it moved."
        parts.append(f'<div id="detail"><p class="silent">{hint}</p></div>')
        parts += _table(prediction, sentences)
    else:
        parts.append('<p class="silent">No path in the graph joins these words: the answer is the text\'s alone.</p>')
    parts += _unknown(prediction)
    parts.append("</main>")
    parts.append(f"<script>{SCRIPT}</script>" if prediction.evidence else "")
    return "\n".join([*parts, "</body></html>\n"])


def _table(prediction: Prediction, sentences: Sequence[str]) -> list[str]:
    labels = list(prediction.answer.logits)
    heads = "".join(f'<th class="figure" style="color:{COLOURS[label]}">{spoken(label)}</th>' for label in labels)
    rows = ["<h2>All paths, and what each added to the logits</h2>", "<table>"]
    rows.append(f'<thead><tr><th class="figure">#</th><th>path</th>{heads}</tr></thead><tbody>')
    for number, item in enumerate(prediction.evidence):
        figures = [item.contribution[label] for label in labels]
        moved = ", ".join(
            f"{spoken(label)} {value:+.3f}" for label, value in zip(labels, figures, strict=True)
        )
        rows.append(
            f'<tr data-path="{number}" data-moved="{escape(moved)}"><td class="figure">{number + 1}</td>'
            f'<td class="what">{_what(item, sentences[number] if sentences else "")}</td>{_cells(item, labels)}</tr>'
        )
    together = [sum(item.contribution[label] for item in prediction.evidence) for label in labels]
    rows.append('<tr><td></td><td class="words">all paths together</td>' + _figures(together) + "</tr>")
    for name, answer in (("text alone", prediction.text_answer), ("answer", prediction.answer)):
        logits = [answer.logits[label] for label in labels]
        rows.append(f'<tr><td></td><td class="words">logits of the {name}</td>' + _figures(logits) + "</tr>")
    return [*rows, "</tbody></table>"]


def _cells(item: Evidence, labels: Sequence[Label]) -> str:
    best = speaks_for(item)
    return "".join(
        f'<td class="figure{" most" if label == best else ""}">{item.contribution[label]:+.3f}</td>' for label in labels
    )


def _figures(values: Sequence[float]) -> str:
    return "".join(f'<td class="figure">{value:+.3f}</td>' for value in values)


def _what(item: Evidence, sentence: str) -> str:
    """Return words, sentence, chain and sources of a path; each in its own direction."""
    parts = [f'<div class="words">{_isolated(item.start.text)} ~ {_isolated(item.end.text)}</div>']
    if sentence:
        parts.append(f'<div dir="{_direction(sentence)}">{markup(sentence)}</div>')
    first = item.path.steps[0]
    chain = [_isolated(first.head_label if first.forward else first.tail_label)]
    for step in item.path.steps:
        relation = _isolated(step.told_relation)
        chain.append(f"\u2014{relation}\u2192" if step.forward else f"\u2190{relation}\u2014")
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
