"""How the page of an answer looks and moves: its style sheet, for light and dark screens and for paper, and its script.

The picture in the page is drawn in the light colours; the style sheet gives each of them its dark one.
"""

from __future__ import annotations

from kg_reason.explanation.picture_drawing import BOX_LINES, COLOURS, ENTITY_FILL, FONTS, LINE, PAPER, TONES, TRACK
from kg_reason.nli import Label

# name -> light, dark; text on its background has a contrast of 4.5 to 1 or more
THEME = {
    "paper": (PAPER, "#14191e"),
    "wash": (ENTITY_FILL, "#1f262d"),
    "ink": (TONES["ink"], "#e4e9ee"),
    "soft": (TONES["soft"], "#b4bec8"),
    "faint": (TONES["faint"], "#93a0ac"),
    "line": (LINE, "#39434d"),
    "track": (TRACK, "#29313a"),
    "known": (BOX_LINES["known"], "#55616d"),
    "between": (BOX_LINES["between"], "#667380"),
    "entailment": (COLOURS[Label.ENTAILMENT], "#4cc79f"),
    "neutral": (COLOURS[Label.NEUTRAL], "#9db3d3"),
    "contradiction": (COLOURS[Label.CONTRADICTION], "#f0925a"),
    "not_entailment": (COLOURS[Label.NOT_ENTAILMENT], "#f0925a"),
}


def _variables(place: int) -> str:
    return " ".join(f"--{name}: {colours[place]};" for name, colours in THEME.items())


_DRAWN = "\n".join(
    f'svg [{kind}="{light}"] {{ {kind}: var(--{name}); }}'
    for name, (light, _) in THEME.items()
    for kind in ("fill", "stroke")
)
_LABELS = "\n".join(
    f".{label} {{ color: var(--{label}); }} .bar .{label} {{ background: var(--{label}); }}" for label in Label
)

STYLE = f"""
:root {{ color-scheme: light dark; {_variables(0)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_variables(1)} }} }}
{_DRAWN}
{_LABELS}
* {{ box-sizing: border-box; }}
body {{ margin: 0; font: 15px/1.5 {FONTS}; color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }}
main {{ max-width: 1280px; margin: 0 auto; padding: 20px 24px 48px; }}
header {{ display: flex; flex-wrap: wrap; gap: 16px 48px; justify-content: space-between; }}
.pair {{ flex: 1 1 320px; max-width: 760px; }}
.pair p {{ margin: 0 0 14px; font-size: 17px; }}
.pair .note {{ font-size: 13px; }}
.name {{ font-size: 12px; font-weight: 600; letter-spacing: 0.04em; text-transform: uppercase; color: var(--soft); }}
.answer {{ flex: 0 1 400px; }}
h1 {{ font-size: 24px; line-height: 1.2; margin: 0 0 6px; }}
h1 span {{ font-weight: 400; margin-inline-start: 0.4em; }}
h2 {{ font-size: 16px; margin: 28px 0 6px; }}
p {{ margin: 6px 0 10px; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ padding: 6px 10px; text-align: start; vertical-align: top; border-bottom: 1px solid var(--line); }}
th {{ font-weight: 600; }}
.probabilities th, .probabilities td {{ padding: 2px 12px 2px 0; border: 0; font-weight: 400; white-space: nowrap; }}
.probabilities .best > * {{ font-weight: 600; }}
.bar {{ display: inline-block; width: 72px; height: 9px; margin-inline-end: 8px; border-radius: 2px;
  background: var(--track); overflow: hidden; print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
.bar span {{ display: block; height: 100%; min-width: 1px; }}
.pale {{ opacity: 0.5; }}
.picture {{ overflow-x: auto; margin: 12px 0 0; border: 1px solid var(--line); border-width: 1px 0; }}
.picture svg {{ display: block; margin: 0 auto; max-width: none; }}
.legend {{ margin-top: 12px; display: flex; flex-wrap: wrap; gap: 2px 20px; font-size: 13px; color: var(--soft); }}
.legend b::before {{ content: ""; display: inline-block; width: 10px; height: 10px; margin-inline-end: 6px;
  border-radius: 2px; background: currentColor; print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
.legend b {{ font-weight: 400; }}
.figure {{ text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }}
.paths thead th {{ position: sticky; top: 0; background: var(--paper); }}
.most, .words {{ font-weight: 600; }}
.chain, .sources, .silent, .note {{ color: var(--soft); }}
.sources, .note {{ font-size: 13px; }}
.note {{ max-width: 100ch; }}
tr.lit {{ background: var(--wash); }}
.path {{ transition: opacity 0.12s; outline: none; }}
svg:has(.path:hover) .path:not(:hover), svg.lit .path:not(.lit) {{ opacity: 0.13; }}
#detail {{ position: fixed; inset: auto 0 0; max-width: 1280px; margin: 0 auto; padding: 10px 24px 14px;
  background: var(--paper); border: 1px solid var(--faint); max-height: 60vh;
  overflow: hidden; pointer-events: none; }}
#detail.above {{ inset: 0 0 auto; }}
#detail p {{ margin: 2px 0 0; }}
@media (max-width: 700px) {{
  main {{ padding: 16px 14px 40px; }}
  .probabilities .name {{ letter-spacing: 0; }}
  .bar {{ width: 52px; margin-inline-end: 4px; }}
  .paths tr {{ display: grid; grid-template-columns: 2em repeat(var(--labels), minmax(0, 1fr)); padding: 6px 0;
    border-bottom: 1px solid var(--line); }}
  .paths th, .paths td {{ border: 0; padding: 1px 0; }}
  .paths thead tr {{ position: sticky; top: 0; background: var(--paper); }}
  .what {{ grid-column: 2 / -1; }}
  .what + .figure {{ grid-column-start: 2; }}
}}
@media print {{
  :root {{ color-scheme: light; {_variables(0)} }}
  body {{ font-size: 10pt; }}
  main {{ max-width: none; padding: 0; }}
  .picture svg {{ max-width: 100%; height: auto; }}
  #detail, .screen {{ display: none; }}
  .paths thead th {{ position: static; }}
  tr, header, .picture {{ break-inside: avoid; }}
  h2 {{ break-after: avoid; }}
}}
"""

# A path that the pointer or the keyboard is at is told in a box at the far end of the window.
SCRIPT = """
const picture = document.querySelector(".picture svg"), detail = document.getElementById("detail");
function light(number) {
  document.querySelectorAll("[data-path]").forEach((one) => one.classList.toggle("lit", one.dataset.path === number));
  picture.classList.toggle("lit", !!picture.querySelector(".path.lit"));
}
function tell(path, y) {
  light(path && path.dataset.path);
  detail.hidden = !path;
  if (!path) return;
  const row = document.querySelector(`tr[data-path="${path.dataset.path}"]`);
  detail.classList.toggle("above", y > innerHeight / 2);
  detail.replaceChildren(...row.querySelector(".what").cloneNode(true).childNodes,
    Object.assign(document.createElement("p"), { textContent: row.dataset.moved }));
}
picture.setAttribute("role", "group");
for (const path of picture.querySelectorAll(".path")) {
  const title = path.querySelector("title");
  for (const [name, value] of Object.entries({ tabindex: 0, role: "img", "aria-label": title.textContent }))
    path.setAttribute(name, value);
  title.remove();
  path.addEventListener("mouseenter", (event) => tell(path, event.clientY));
  path.addEventListener("mouseleave", () => tell(null));
  path.addEventListener("focus", () => {
    const { top, bottom } = path.getBoundingClientRect();
    tell(path, (top + bottom) / 2);
  });
  path.addEventListener("blur", () => tell(null));
}
for (const row of document.querySelectorAll("tr[data-path]")) {
  row.addEventListener("mouseenter", () => light(row.dataset.path));
  row.addEventListener("mouseleave", () => light(null));
}
addEventListener("keydown", (event) => { if (event.key === "Escape") tell(null); });
"""
