"""What audits found, in the model card of a run: one part per audit, replaced when it is made again.

The rest of the card is written by training, `training/model_card.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from kg_reason.audits.result import AuditResult
from kg_reason.errors import CheckpointError
from kg_reason.kg.files import replace_file
from kg_reason.training.model_card import code_span, markdown_table, plain_text

CARD_FILE = "README.md"
TITLE, NEXT_TITLE = "## Audits", "## Limits"
PART = "### "
INTRODUCTION = "What `kg-reason audit` measured of this run; shares are from 0 to 1."
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def card_with_audits(
    card_text: str, results: Sequence[AuditResult], *, data: Sequence[str] = (), date: str = ""
) -> str:
    """Return a model card with the results of audits under "## Audits", before "## Limits".

    An audit that the card tells of already is replaced where it stands, new ones are added behind; the same results
    change nothing the second time. All else stays as it is, blank lines around the section aside.

    Args:
        card_text: in Markdown.
        results: of the audits.
        data: names of the files that were audited on; of each the last part is told.
        date: when, as YYYY-MM-DD; empty: it is not told.
    """
    if not results:
        return card_text
    before, section, after = _split(card_text)
    parts = _parts(section)
    parts |= {result.name: _part(result, data, date) for result in results}
    blocks = [TITLE, INTRODUCTION, *parts.values()]
    pieces = [before.rstrip("\n"), *blocks, after.strip("\n")]
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def write_card(run: Path, results: Sequence[AuditResult], *, data: Sequence[str] = ()) -> None:
    """Put the results of audits into the model card of a run, in one step, with the date of today.

    Args:
        run: its folder.
        results: of the audits; none leaves the card as it is.
        data: names of the files that were audited on.

    Raises:
        CheckpointError: the run has no card, or it is not UTF-8.
    """
    path = run / CARD_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError(f"{path}: missing, expected the model card of a run made by kg-reason train") from error
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{path}: found a byte that is not UTF-8, expected a model card") from error
    date = datetime.now(UTC).date().isoformat()
    updated = card_with_audits(text, results, data=data, date=date)
    if updated != text:
        replace_file(path, updated.encode())


def _part(result: AuditResult, data: Sequence[str], date: str) -> str:
    """Return the part of one audit."""
    names = ", ".join(code_span(Path(name).name) for name in data)
    told = " ".join([*(["Measured", f"on {names}"] if names else []), *([f"({date})"] if date and names else [])])
    if date and not names:
        told = f"Measured on {date}"
    sentences = plain_text(f"{result.question} {result.summary}")
    rows = [["measure", "value"], *([code_span(name), _value(value)] for name, value in result.measures.items())]
    blocks = [f"{PART}{plain_text(result.name)}", f"{sentences}{f' {told}.' if told else ''}"]
    return "\n\n".join([*blocks, markdown_table(rows)] if result.measures else blocks)


def _value(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.3f}"


def _split(text: str) -> tuple[str, str, str]:
    """Return a card before, in and after its section on audits; without one the section is empty."""
    start = end = limits = len(text)
    for offset, line in _headings(text):
        if start == len(text) and line.rstrip() == TITLE:
            start = offset
        elif start < len(text) and end == len(text) and not line.startswith("###"):
            end = offset
        if limits == len(text) and line.rstrip() == NEXT_TITLE:
            limits = offset
    if start == len(text):
        return text[:limits], "", text[limits:]
    return text[:start], text[start:end], text[end:]


def _parts(section: str) -> dict[str, str]:
    """Return the parts of a section by the name of their audit, in their order."""
    places = [(offset, line) for offset, line in _headings(section) if line.startswith(PART)]
    places.append((len(section), ""))
    return {
        line.removeprefix(PART).strip(): section[start:end].strip("\n") for (start, line), (end, _) in pairwise(places)
    }


def _headings(text: str) -> Iterator[tuple[int, str]]:
    """Yield place and line of the headings of a page, those in fenced code left out."""
    offset, fence = 0, ""
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
        elif mark:
            fence = mark[1]
        elif line.startswith("#"):
            yield offset, line
        offset += len(line)
