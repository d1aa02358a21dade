"""One answer with its evidence, as plain values: the JSON that every face speaks, and pages for terminal and notebook.

`logits[label] == text.logits[label] + sum of the paths' contributions to it`; nothing here knows tensors or the graph.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from kg_reason.kg.paths import Path
from kg_reason.nli import Label
from kg_reason.terminal import one_line

EVIDENCE_SHOWN = 0.005  # a path is left out of the page when it moves no logit by more than this


@dataclass(frozen=True)
class Answer:
    """Logits over the labels of the task, and what follows from them."""

    logits: Mapping[Label, float]

    @property
    def probabilities(self) -> dict[Label, float]:
        """Softmax of the logits, in the order of the labels."""
        highest = max(self.logits.values())
        weights = {label: math.exp(logit - highest) for label, logit in self.logits.items()}
        total = sum(weights.values())
        return {label: weight / total for label, weight in weights.items()}

    @property
    def label(self) -> Label:
        """The most probable label; the first in the order of the task among equals."""
        return max(self.logits, key=lambda label: self.logits[label])

    def to_json(self) -> dict[str, Any]:
        """Return label, probabilities and logits."""
        return {
            "label": str(self.label),
            "probabilities": {str(label): value for label, value in self.probabilities.items()},
            "logits": {str(label): value for label, value in self.logits.items()},
        }


@dataclass(frozen=True)
class LinkedEntity:
    """An entity a mention may mean: id and label in the graph, score in [0, 1]."""

    entity: str
    label: str
    score: float


@dataclass(frozen=True)
class LinkedMention:
    """A span `[start, end)` of the text in characters, and the entities it may mean, best first; none = not known."""

    start: int
    end: int
    text: str
    candidates: tuple[LinkedEntity, ...]

    def to_json(self) -> dict[str, Any]:
        """Return span, text and candidates."""
        candidates = [{"entity": c.entity, "label": c.label, "score": c.score} for c in self.candidates]
        return {"start": self.start, "end": self.end, "text": self.text, "candidates": candidates}


@dataclass(frozen=True)
class Place:
    """Where in the pair a path starts or ends."""

    side: str
    start: int
    end: int
    text: str

    def to_json(self) -> dict[str, Any]:
        """Return side and span."""
        return {"side": self.side, "start": self.start, "end": self.end}


@dataclass(frozen=True)
class Evidence:
    """A path, the words it joins, and what it added to each label's logit."""

    path: Path
    start: Place
    end: Place
    contribution: Mapping[Label, float]

    @property
    def strength(self) -> float:
        """The largest change of a logit that the path made."""
        return max((abs(value) for value in self.contribution.values()), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """Return steps, ends and contribution."""
        return {
            "steps": [step.to_json() for step in self.path.steps],
            "from": self.start.to_json(),
            "to": self.end.to_json(),
            "contribution": {str(label): value for label, value in self.contribution.items()},
        }


@dataclass(frozen=True)
class Prediction:
    """The answer for one pair, the answer from the text alone, and the evidence between them, strongest path first."""

    premise: str
    hypothesis: str
    answer: Answer
    text_answer: Answer
    premise_mentions: tuple[LinkedMention, ...]
    hypothesis_mentions: tuple[LinkedMention, ...]
    evidence: tuple[Evidence, ...]

    @property
    def label(self) -> Label:
        """The most probable label."""
        return self.answer.label

    @property
    def probabilities(self) -> dict[Label, float]:
        """The probability of every label."""
        return self.answer.probabilities

    def unknown(self, side: str) -> tuple[LinkedMention, ...]:
        """Return the content words of `premise` or `hypothesis` that the graph does not know."""
        mentions = self.premise_mentions if side == "premise" else self.hypothesis_mentions
        return tuple(mention for mention in mentions if not mention.candidates)

    def to_json(self) -> dict[str, Any]:
        """Return the whole answer as plain data (the schema is stable; fields may be added)."""

        def spans(side: str) -> list[dict[str, Any]]:
            return [{"start": m.start, "end": m.end, "text": m.text} for m in self.unknown(side)]

        return {
            "premise": self.premise,
            "hypothesis": self.hypothesis,
            **self.answer.to_json(),
            "text": self.text_answer.to_json(),
            "mentions": {
                "premise": [m.to_json() for m in self.premise_mentions if m.candidates],
                "hypothesis": [m.to_json() for m in self.hypothesis_mentions if m.candidates],
            },
            "paths": [evidence.to_json() for evidence in self.evidence],
            "unknown": {"premise": spans("premise"), "hypothesis": spans("hypothesis")},
        }

    def to_text(self, max_paths: int = 5) -> str:
        """Return a page for the terminal with at most `max_paths` paths."""
        labels = list(self.answer.logits)
        rows = [
            f"premise     {self.premise or '(none: a claim, checked against the graph)'}",
            f"hypothesis  {self.hypothesis}",
            "",
            f"  {'':12}" + "".join(f"{label:>15}" for label in labels),
            f"  {'answer':12}" + _cells(self.answer) + f"   -> {self.label}",
            f"  {'text alone':12}" + _cells(self.text_answer) + f"   -> {self.text_answer.label}",
            "",
        ]
        shown = [item for item in self.evidence if item.strength > EVIDENCE_SHOWN][:max_paths]
        if not self.evidence:
            rows.append("no path in the graph joins these words: the answer is the text's alone")
        elif not shown:
            found = "1 path was" if len(self.evidence) == 1 else f"{len(self.evidence)} paths were"
            rows.append(f"{found} found, none moved the answer")
        else:
            rows.append("paths that moved the answer (what each added to the labels' logits)")
        for item in shown:
            moved = "  ".join(f"{label} {value:+.2f}" for label, value in item.contribution.items())
            rows += [f"  {item.start.text} ~ {item.end.text}:  {moved}", f"      {item.path}"]
            rows.append(f"      {_sources(item.path.source_lines())}")
        if shown and len(self.evidence) > len(shown):
            rest = self.evidence[len(shown) :]
            moved = "  ".join(f"{label} {sum(i.contribution[label] for i in rest):+.2f}" for label in labels)
            rows.append(f"  {len(rest)} more, together:  {moved}")
        unknown = sorted({m.text for side in ("premise", "hypothesis") for m in self.unknown(side)})
        if unknown:
            rows += ["", f"not in the graph: {', '.join(unknown)}"]
        return "\n".join(one_line(row) for row in rows)

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        labels = list(self.answer.logits)

        def cells(values: Mapping[Label, float], form: str) -> str:
            return "".join(f"<td>{format(values[label], form)}</td>" for label in labels)

        head = "".join(f"<th>{escape(str(label))}</th>" for label in labels)
        rows = [
            f"<tr><th></th>{head}</tr>",
            f"<tr><th>answer: {escape(str(self.label))}</th>{cells(self.probabilities, '.3f')}</tr>",
            f"<tr><th>text alone: {escape(str(self.text_answer.label))}</th>"
            f"{cells(self.text_answer.probabilities, '.3f')}</tr>",
        ]
        for item in self.evidence[:8]:
            sources = escape("; ".join(item.path.source_lines()))
            rows.append(
                f'<tr><td style="text-align:left" title="{sources}">{escape(str(item.path))}</td>'
                f"{cells(item.contribution, '+.2f')}</tr>"
            )
        return (
            f"<p><b>{escape(self.premise)}</b><br>{escape(self.hypothesis)}</p>"
            f"<table>{''.join(rows)}</table>"
        )


def _cells(answer: Answer) -> str:
    return "".join(f"{probability:>15.3f}" for probability in answer.probabilities.values())


def _sources(places: Sequence[str]) -> str:
    """Join `file:line` places; a file that was just named is not named again."""
    shown, last = [], ""
    for place in places:
        file, _, line = place.rpartition(":")
        shown.append(f":{line}" if file == last else place)
        last = file
    return ", ".join(shown)
