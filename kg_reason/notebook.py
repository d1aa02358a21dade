"""Tables for notebooks: the HTML that `_repr_html_` of our values is made of.

Colours and fonts are the notebook's own, so that a page fits a light theme and a dark one.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from kg_reason.terminal import printable

_CELL = "padding:2px 8px;vertical-align:top;text-align:"


def html_text(text: str) -> str:
    """Return a text as HTML: markup escaped, control characters shown, line breaks kept."""
    return escape(printable(text)).replace("\n", "<br>")


def html_table(rows: Sequence[Sequence[str]], *, num_heads: int = 1) -> str:
    """Return an HTML table whose first column is aligned to the left, the others to the right.

    Args:
        rows: cells as plain text; every row has the same number.
        num_heads: leading rows that are headings.
    """
    lines = []
    for number, row in enumerate(rows):
        tag = "th" if number < num_heads else "td"
        cells = "".join(
            f'<{tag} style="{_CELL}{"right" if place else "left"}">{html_text(cell)}</{tag}>'
            for place, cell in enumerate(row)
        )
        lines.append(f"<tr>{cells}</tr>")
    return f'<table style="border-collapse:collapse">{"".join(lines)}</table>'
