"""One answer with its evidence, as plain values: the JSON that every face speaks, and pages for terminal and notebook.

`logits[label] == text.logits[label] + sum of the paths' contributions to it`; nothing here knows tensors or the graph.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg_reason.kg.paths import Path, place_parts
from kg_reason.nli import Label
from kg_reason.notebook import html_table, html_text
from kg_reason.terminal import one_line

PATHS_IN_NOTEBOOK = 8
EVIDENCE_SHOWN = 0.005  # a path is left out of the page when it moves no logit by more than this


@dataclass(frozen=True)
class Answer:
    """Logits over the labels of the task, at least one, and what follows from them.

    Attributes:
        logits: label -> any finite number; what the paths contribute adds up to these.
        temperature: above 0; the probabilities are of the logits divided by it (`calibration.py`).
    """

    logits: Mapping[Label, float]
    temperature: float = 1.0

    @property
    def probabilities(self) -> dict[Label, float]:
        """Softmax of the logits over the temperature, in the order of the labels: each in [0, 1], together 1."""
        highest = max(self.logits.values())
        weights = {label: math.exp((logit - highest) / self.temperature) for label, logit in self.logits.items()}
        total = sum(weights.values())
        return {label: weight / total for label, weight in weights.items()}

    @property
    def label(self) -> Label:
        """The most probable label; the first in the order of the task among equals."""
        return max(self.logits, key=lambda label: self.logits[label])

    def to_json(self) -> dict[str, Any]:
        """Return label, probabilities, logits and temperature."""
        return {
            "label": str(self.label),
            "probabilities": {str(label): value for label, value in self.probabilities.items()},
            "logits": {str(label): value for label, value in self.logits.items()},
            "temperature": self.temperature,
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
    """Where in the pair a path starts or ends: `premise` or `hypothesis`, and the span `[start, end)` in characters."""

    side: str
    start: int
    end: int
    text: str

    def to_json(self) -> dict[str, Any]:
        """Return side and span."""
        return {"side": self.side, "start": self.start, "end": self.end}


@dataclass(frozen=True)
class Evidence:
    """A path, the words it joins, and what it added to each label's logit, exactly; positive speaks for the label."""

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
    """The answer for one pair, the answer from the text alone, and the evidence between them.

    Attributes:
        premise: as given; empty where a claim was checked against the graph.
        hypothesis: as given.
        answer: of text and graph together.
        text_answer: of the same model from the text alone.
        premise_mentions: in the order of the text, those that the graph does not know among them.
        hypothesis_mentions: the same.
        evidence: the paths, strongest first; for each label the contributions add up to the difference of the logits of
            the two answers.
    """

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
        """Return a page for the terminal.

        Args:
            max_paths: paths that are shown at most, strongest first; the others are summed up.
        """
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
        """Return the answer for notebooks: both answers, the strongest paths with their sources, what is unknown."""
        labels = list(self.answer.logits)
        shown = [item for item in self.evidence if item.strength > EVIDENCE_SHOWN][:PATHS_IN_NOTEBOOK]
        rows = [["", *map(str, labels)]]
        for name, answer in (("answer", self.answer), ("text alone", self.text_answer)):
            rows.append([f"{name}: {answer.label}", *(f"{answer.probabilities[label]:.3f}" for label in labels)])
        for item in shown:
            places = f"{item.start.text} ~ {item.end.text}: {item.path}\n{_sources(item.path.source_lines())}"
            rows.append([places, *(f"{item.contribution[label]:+.2f}" for label in labels)])
        rest = self.evidence[len(shown) :]
        if rest:
            sums = [sum(item.contribution[label] for item in rest) for label in labels]
            rows.append([f"{len(rest)} more, together", *(f"{value:+.2f}" for value in sums)])
        unknown = sorted({m.text for side in ("premise", "hypothesis") for m in self.unknown(side)})
        notes = [] if self.evidence else ["no path in the graph joins these words: the answer is the text's alone"]
        notes += [f"not in the graph: {', '.join(unknown)}"] if unknown else []
        premise = html_text(self.premise or "(none: a claim, checked against the graph)")
        pair = f"<p><bdi>{premise}</bdi><br><bdi>{html_text(self.hypothesis)}</bdi></p>"
        return pair + html_table(rows) + "".join(f"<p>{html_text(note)}</p>" for note in notes)


def _cells(answer: Answer) -> str:
    return "".join(f"{probability:>15.3f}" for probability in answer.probabilities.values())


def _sources(places: Sequence[str]) -> str:
    """Join `file:line` places; a file that was just named is not named again."""
    shown, last = [], ""
    for place in places:
        file, line = place_parts(place)
        shown.append(f":{line}" if file == last else place)
        last = file
    return ", ".join(shown)
