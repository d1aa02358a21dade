"""One answer explained: its evidence in groups and in words, what would have changed it, and which words mattered.

The parts are rooms of their own (`grouping.py`, `sentences.py`, `counterfactual.py`, `words.py`); here they are asked
for one pair and put on a page. The page is for the terminal; pictures are `picture.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg_reason.explanation.counterfactual import Counterfactual, find_counterfactual
from kg_reason.explanation.grouping import EvidenceGroup, group_evidence
from kg_reason.explanation.sentences import say_path
from kg_reason.explanation.words import WordAttribution, word_attributions
from kg_reason.kg.paths import place_parts
from kg_reason.nli import Label, NLIExample
from kg_reason.prediction import EVIDENCE_SHOWN, Answer, Prediction
from kg_reason.reasoner import Reasoner
from kg_reason.terminal import aligned, one_line

WORDS_SHOWN = 8


@dataclass(frozen=True)
class Explanation:
    """Why an answer is what it is.

    Attributes:
        prediction: the answer with its evidence.
        groups: the evidence, paths that say the same together, the strongest first; their contributions add up to the
            difference between the logits of the answer and those from the text alone.
        sentences: what each path of the prediction says, in their order.
        counterfactual: what would have changed the answer; None: not asked for.
        words: what each word did for the label; None: not asked for.
    """

    prediction: Prediction
    groups: tuple[EvidenceGroup, ...]
    sentences: tuple[str, ...]
    counterfactual: Counterfactual | None = None
    words: tuple[WordAttribution, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of the prediction with groups, sentences, counterfactual and words; null: not asked for."""
        return {
            **self.prediction.to_json(),
            "groups": [group.to_json(self.prediction) for group in self.groups],
            "sentences": list(self.sentences),
            "counterfactual": self.counterfactual.to_json() if self.counterfactual else None,
            "words": [word.to_json() for word in self.words] if self.words is not None else None,
        }

    def to_text(self, max_groups: int = 5) -> str:
        """Return a page for the terminal.

        Args:
            max_groups: groups of paths that are shown at most, strongest first; the others are summed up.
        """
        prediction = self.prediction
        labels = list(prediction.answer.logits)
        rows = [
            f"premise     {prediction.premise or '(none: a claim, checked against the graph)'}",
            f"hypothesis  {prediction.hypothesis}",
            "",
        ]
        table = [["", *map(str, labels), ""]]
        for name, answer in (("answer", prediction.answer), ("text alone", prediction.text_answer)):
            table.append([name, *_shares(answer), f"-> {answer.label}"])
        rows += [*aligned(table, right=range(1, 1 + len(labels))), "", *self._group_rows(max_groups)]
        unknown = sorted({mention.text for side in ("premise", "hypothesis") for mention in prediction.unknown(side)})
        if unknown:
            rows += ["", f"not in the graph: {', '.join(unknown)}"]
        if self.counterfactual is not None:
            said = self.counterfactual.sentences() or ("no edit of the graph that would change the answer was found",)
            rows += ["", "what would have changed the answer", *(f"  {sentence}" for sentence in said)]
        if self.words is not None:
            strongest = sorted(self.words, key=lambda word: -abs(word.attribution))[:WORDS_SHOWN]
            cells = [[word.text, word.side, f"{word.attribution:+.2f}"] for word in strongest]
            rows += ["", f"words that mattered (to the logit of {prediction.label})"]
            rows += aligned(cells, right=(2,)) if cells else ["  none"]
        return "\n".join(one_line(row) for row in rows)

    def _group_rows(self, max_groups: int) -> list[str]:
        if not self.groups:
            return ["no path in the graph joins these words: the answer is the text's alone"]
        shown = [group for group in self.groups if group.strength > EVIDENCE_SHOWN][:max_groups]
        rest = self.groups[len(shown) :]
        if not shown:
            found = "1 path was" if len(self.sentences) == 1 else f"{len(self.sentences)} paths were"
            return [f"{found} found, none moved the answer"]
        rows = ["paths that moved the answer (what they added to the labels' logits)"]
        for group in shown:
            number = self.prediction.evidence.index(group.evidence[0])
            rows += [
                f"  {group.start.text} ~ {group.end.text}:  {_moved(group.contribution)}",
                f"      {self.sentences[number]}",
            ]
            if len(group.evidence) > 1:
                others = "1 more path says" if len(group.evidence) == 2 else f"{len(group.evidence) - 1} more paths say"
                rows.append(f"      ({others} the same by other entities)")
            rows.append(f"      {_places(group.evidence[0].path.source_lines())}")
        if rest:
            total = {label: sum(group.contribution[label] for group in rest) for label in rest[0].contribution}
            num_paths = sum(len(group.evidence) for group in rest)
            rows.append(f"  {num_paths} more {'path' if num_paths == 1 else 'paths'}, together:  {_moved(total)}")
        return rows


def explain(
    reasoner: Reasoner,
    pair: tuple[str, str] | NLIExample,
    *,
    counterfactual: bool = False,
    words: bool = False,
) -> Explanation:
    """Answer one pair and explain the answer.

    Args:
        reasoner: answers.
        pair: premise and hypothesis, or an example, which may bring names of its own.
        counterfactual: also look for edits of the graph that would change the answer; takes some times as long.
        words: also tell which words mattered; takes some dozen times as long.

    Raises:
        ConfigError: a text is longer than the linker's limit.
        UnknownEntityError: a name stands for an entity that the graph does not hold.
        MissingExtraError: words are asked for, and captum is not installed.
    """
    example = pair if isinstance(pair, NLIExample) else NLIExample(*pair)
    prediction = reasoner.predict_examples([example])[0]
    return Explanation(
        prediction=prediction,
        groups=group_evidence(prediction),
        sentences=tuple(say_path(item.path, reasoner.graph) for item in prediction.evidence),
        counterfactual=find_counterfactual(reasoner, example) if counterfactual else None,
        words=word_attributions(reasoner, example) if words else None,
    )


def _shares(answer: Answer) -> list[str]:
    return [f"{probability:.3f}" for probability in answer.probabilities.values()]


def _moved(contribution: Mapping[Label, float]) -> str:
    return "  ".join(f"{label} {value:+.2f}" for label, value in contribution.items())


def _places(sources: Sequence[str]) -> str:
    """Join `file:line` places, each file once."""
    lines: dict[str, list[str]] = {}
    for source in sources:
        file, line = place_parts(source)
        lines.setdefault(file, []).append(f":{line}")
    return ", ".join(f"{file}{', '.join(places)}" for file, places in lines.items())
