"""Labels and examples of natural-language inference.

Label numbers live here and nowhere else: files, JSON, command line and Python speak names. Reading and writing example
files is `examples.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from kg_reason.errors import ConfigError


class Label(StrEnum):
    """The answers a task may have, as written in files and shown to users."""

    ENTAILMENT = "entailment"
    NEUTRAL = "neutral"
    CONTRADICTION = "contradiction"
    NOT_ENTAILMENT = "not_entailment"

    def __repr__(self) -> str:
        """Return the word in quotes, so that answers print as words."""
        return repr(self.value)


THREE_WAY = (Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION)
TWO_WAY = (Label.ENTAILMENT, Label.NOT_ENTAILMENT)


def task_labels(task: str) -> tuple[Label, ...]:
    """Return the labels of a task in the order of the logits: position = column.

    Raises:
        ConfigError: the task is neither `three-way` nor `two-way`.
    """
    if task == "three-way":
        return THREE_WAY
    if task == "two-way":
        return TWO_WAY
    raise ConfigError(f"task: found {task!r}, expected three-way or two-way")


def fit_label(label: Label, labels: tuple[Label, ...]) -> Label:
    """Express a label in the labels of a task: neutral and contradiction count as not_entailment in two-way tasks.

    Raises:
        ConfigError: a two-way label cannot be told apart in three-way labels.
    """
    if label in labels:
        return label
    if Label.NOT_ENTAILMENT in labels:
        return Label.NOT_ENTAILMENT
    raise ConfigError(f"label {label} does not belong to the labels {', '.join(labels)}; use --task two-way")


class ReplacedWord(NamedTuple):
    """The word by which one sentence of a pair differs from the other.

    Attributes:
        start: its first character.
        end: the character after its last one.
        entity: id of the entity it stands for.
        tag: Penn Treebank tag of its form, such as NNS; empty when not known.
    """

    start: int
    end: int
    entity: str
    tag: str


class Fact(NamedTuple):
    """A triple by the ids of a graph."""

    head: str
    relation: str
    tail: str


@dataclass(frozen=True)
class Justification:
    """Why a pair made from a graph has its label.

    Attributes:
        premise_word: in the premise.
        hypothesis_word: in the hypothesis.
        facts: the edges that lead from the one entity to the other, in the order of the path; empty where both words
            name one entity, or where nothing joins them.
        downward: whether the words stand where natural logic turns the direction round, as under a negation.
    """

    premise_word: ReplacedWord
    hypothesis_word: ReplacedWord
    facts: tuple[Fact, ...] = ()
    downward: bool = False


@dataclass(frozen=True)
class NLIExample:
    """One premise-hypothesis pair.

    Attributes:
        premise: may be empty: the hypothesis is then a claim to verify against the graph.
        hypothesis: never empty.
        label: None where the label is not known.
        category: the slice it is reported under; empty when there is none.
        names: further names for entities in this pair only, surface form -> entity id as in the graph. This is how
            invented words are linked ("gavorn" -> "wn:violin.n.01") without changing the graph.
        example_id: as in the file; empty when there is none.
        justification: of a pair that was made from a graph; None for others.
    """

    premise: str
    hypothesis: str
    label: Label | None = None
    category: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    example_id: str = ""
    justification: Justification | None = None
