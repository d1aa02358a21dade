"""What would have changed an answer: the fewest triples whose removal does, and one missing triple that does.

Everything reported was tried: the pair was linked, searched and answered again in the graph with the edit laid over it
(`trials.py`), so other paths may take the place of those that went, with the text encoded once (`variants.py`). The
search is bounded by the numbers below; what it does not try it does not claim. A fact that the graph states in both
directions is removed as one. That two words are labels of one entity is no triple, and is not removed. Which triples
are tried for addition is `missing.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg_reason.explanation.missing import Fact, MissingTriple, missing_triples, stated_fact
from kg_reason.explanation.trials import Change, Trials, edge_triple, find_edge, trials_of
from kg_reason.explanation.variants import PairScorer
from kg_reason.kg.grounding import Grounder, Grounding
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.relation_walk import FORWARD, ONE_OF_TWO
from kg_reason.kg.retriever import Retriever
from kg_reason.nli import NLIExample
from kg_reason.prediction import Answer
from kg_reason.reasoner import Reasoner

MAX_SINGLES = 6  # facts tried alone and, strongest first, together
MAX_SUBSETS = 12  # pairs, and as many threes, tried where more facts than that together change the answer
MAX_ROUNDS = 2  # times that paths which took the place of removed ones are removed too
MAX_REMOVED = 12  # facts removed at once
MAX_SHOWN = 3  # additions reported
MAX_NAMED = 4  # facts named in a sentence
MIN_PUSH = 0.005  # of a logit: a fact that did less for the answer is not tried

Unit = tuple[int, ...]  # the edges that state one fact, ascending
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Alternative:
    """Edits of the graph, and the answer after them.

    Attributes:
        facts: what is removed, or added; at least one.
        answer: of the reasoner over the graph with these edits.
    """

    facts: tuple[Fact, ...]
    answer: Answer

    def to_json(self) -> dict[str, Any]:
        """Return facts and answer as plain data."""
        return {"facts": [fact.to_json() for fact in self.facts], **self.answer.to_json()}


@dataclass(frozen=True)
class Counterfactual:
    """What would have changed one answer.

    Attributes:
        removal: the smallest set of facts found whose removal changes the answer; None: none of those tried does.
        additions: single missing triples of which each changes the answer, the most certain first; empty: none of
            those tried does.
        num_removals: sets of facts that were tried.
        num_additions: missing triples that were tried.
    """

    removal: Alternative | None
    additions: tuple[Alternative, ...]
    num_removals: int
    num_additions: int

    def to_json(self) -> dict[str, Any]:
        """Return both directions as plain data."""
        return {
            "removal": self.removal.to_json() if self.removal else None,
            "additions": [alternative.to_json() for alternative in self.additions],
            "tried": {"removals": self.num_removals, "additions": self.num_additions},
        }

    def sentences(self) -> tuple[str, ...]:
        """Say both directions, a sentence for each edit."""
        rows = []
        if self.removal is not None:
            rows.append(
                f"if the graph did not know {_listed(self.removal.facts)}, the answer would be "
                f"{_said(self.removal.answer)}"
            )
        elif self.num_removals:
            tried = "1 removal" if self.num_removals == 1 else f"{self.num_removals} removals"
            rows.append(f"the answer does not hang on the paths: it stayed the same in {tried} that were tried")
        for addition in self.additions:
            rows.append(f"if the graph knew {_listed(addition.facts)}, the answer would be {_said(addition.answer)}")
        if not self.additions and self.num_additions:
            rows.append(f"no missing triple of the {self.num_additions} tried would change the answer")
        return tuple(rows)


def find_counterfactual(reasoner: Reasoner, example: NLIExample) -> Counterfactual:
    """Look for the edits that would change the answer to one pair.

    Args:
        reasoner: answers; its graph stays as it is.
        example: the pair.

    Raises:
        ConfigError: a text is longer than the linker's limit.
        UnknownEntityError: a name of the example stands for an entity that the graph does not hold.
    """
    grounding = reasoner.grounder.ground(example)
    search = _Search(reasoner, example, grounding)
    units = search.units(grounding, search.contributions)
    alone_and_together = [(unit,) for unit in units] + [tuple(units[:size]) for size in range(2, len(units) + 1)]
    missing = missing_triples(reasoner, grounding)
    search.try_edits(alone_and_together, missing)
    _shrink_or_grow(search, units)
    return Counterfactual(
        removal=search.smallest(),
        additions=search.additions(missing),
        num_removals=len(search.tried),
        num_additions=len(missing),
    )


def _shrink_or_grow(search: _Search, units: list[Unit]) -> None:
    """Try smaller sets than the one that changed the answer, or larger ones where none did and the graph decides."""
    for _ in range(MAX_ROUNDS):
        if search.best is not None or not units or search.is_text_answer():
            break
        new = search.units_after(tuple(units))[: MAX_REMOVED - len(units)]
        if not new:
            break
        search.try_edits([(*units, *new[: size + 1]) for size in range(len(new))])
        units = [*units, *new]
    for size in (2, 3):
        if search.best is not None and len(search.best) > size:
            subsets = [some for some in combinations(search.best, size) if some not in search.tried]
            search.try_edits(subsets[:MAX_SUBSETS])


class _Search:
    """One pair under edits of its graph: what was tried, and what came of it."""

    def __init__(self, reasoner: Reasoner, example: NLIExample, grounding: Grounding) -> None:
        self.reasoner = reasoner
        self.example = example
        self.trials: Trials = trials_of(reasoner.grounder)
        self.scorer = PairScorer(reasoner, example, grounding)
        scores = self.scorer.score([grounding])
        self.contributions = scores.contributions[0]
        self.logits: Float64 = scores.logits[0]
        self.column = int(scores.logits[0].argmax())
        self.tried: dict[tuple[Unit, ...], Float64] = {}
        self._after: dict[tuple[Unit, ...], tuple[Grounding, Float64]] = {}
        self._added: Float64 = np.empty((0, len(self.logits)))

    @property
    def best(self) -> tuple[Unit, ...] | None:
        """The smallest set whose removal changes the answer, of equal ones that with the surest other answer."""
        changing = [units for units, logits in self.tried.items() if int(logits.argmax()) != self.column]
        return min(changing, key=lambda units: (len(units), -self._surety(self.tried[units])), default=None)

    def is_text_answer(self) -> bool:
        """Tell whether the text alone gives the same answer, so that no removal can be expected to change it."""
        return int(self.scorer.text_logits.argmax()) == self.column

    def units(self, grounding: Grounding, contributions: Float64) -> list[Unit]:
        """Return the facts that did most for the answer, against its strongest rival."""
        rival = int(np.where(np.arange(len(self.logits)) == self.column, -np.inf, self.logits).argmax())
        push = contributions[:, self.column] - contributions[:, rival]
        if not contributions.any():  # a control whose paths have no contribution of their own
            push = grounding.paths.score.astype(np.float64)
        weights: dict[Unit, float] = {}
        for row, edges in enumerate(grounding.paths.edges.tolist()):
            stated = [ground for edge in edges if edge >= 0 for ground in self._stated(edge)]
            for unit in {self._unit(edge) for edge in stated}:
                weights[unit] = weights.get(unit, 0.0) + float(push[row])
        ranked = sorted(weights, key=lambda unit: (-weights[unit], unit))
        return [unit for unit in ranked if weights[unit] > MIN_PUSH][:MAX_SINGLES]

    def units_after(self, removed: tuple[Unit, ...]) -> list[Unit]:
        """Return the facts that speak for the answer after a removal that was tried."""
        grounding, contributions = self._after[removed]
        return [unit for unit in self.units(grounding, contributions) if unit not in removed]

    def _stated(self, edge: int) -> list[int]:
        """Return the edges whose removal takes an edge away: itself, or each that an inferred one rests on."""
        graph = self.reasoner.graph
        if edge not in graph.inferences:
            return [edge]
        return [find_edge(graph, edge_triple(graph, ground)) for ground in graph.inferences.grounds(edge)]

    def _unit(self, edge: int) -> Unit:
        """Return the edges that state the fact of an edge: itself, and the same the other way round."""
        graph, inverse = self.reasoner.graph, self.reasoner.grounder.retriever.inverse
        head, relation, tail = edge_triple(graph, edge)
        others = {int(inverse[relation])} if inverse[relation] >= 0 else set[int]()
        others |= set(np.flatnonzero(inverse == relation).tolist())
        if int(graph.relation_walk[relation]) in (FORWARD, ONE_OF_TWO):
            others.add(relation)
        found = {find_edge(graph, (tail, other, head)) for other in others}
        return tuple(sorted({edge, *found} - {-1}))

    def try_edits(self, removals: Sequence[tuple[Unit, ...]], missing: Sequence[MissingTriple] = ()) -> None:
        """Answer after the removal of each set of facts, and with each missing triple, all in one pass."""
        changes = [Change(removed=tuple(edge for unit in units for edge in unit)) for units in removals]
        groundings = [self.trials.ground(self.example, change) for change in changes]
        groundings += [self._with_triple(triple) for triple in missing]
        if not groundings:
            return
        scores = self.scorer.score(groundings)
        for number, units in enumerate(removals):
            self.tried[units] = scores.logits[number]
            self._after[units] = groundings[number], scores.contributions[number]
        if missing:
            self._added = scores.logits[len(removals) :]

    def _with_triple(self, missing: MissingTriple) -> Grounding:
        if missing.known is not None:
            return self.trials.ground(self.example, Change(added=(missing.known,)))
        graph = missing.open_graph(self.reasoner.graph)  # a new entity has a label, which changes the linking
        config = self.reasoner.config
        return Grounder(EntityLinker(graph, config.linker), Retriever(graph, config.retriever)).ground(self.example)

    def smallest(self) -> Alternative | None:
        """Return the smallest removal that changes the answer, in words."""
        if self.best is None:
            return None
        facts = tuple(stated_fact(self.reasoner, unit) for unit in self.best)
        return Alternative(facts, self._answer(self.tried[self.best]))

    def additions(self, missing: Sequence[MissingTriple]) -> tuple[Alternative, ...]:
        """Return the additions that change the answer, the most certain first."""
        found = [
            (-self._surety(logits), number)
            for number, logits in enumerate(self._added)
            if int(logits.argmax()) != self.column
        ]
        return tuple(
            Alternative((missing[number].fact,), self._answer(self._added[number]))
            for _, number in sorted(found)[:MAX_SHOWN]
        )

    def _answer(self, logits: Float64) -> Answer:
        return self.reasoner.answer(logits)

    def _surety(self, logits: Float64) -> float:
        return max(self._answer(logits).probabilities.values())


def _listed(facts: Sequence[Fact]) -> str:
    """Name some facts; those of other senses that read the same are counted."""
    counts = Counter(str(fact) for fact in facts)
    names = [f"'{name}'" + (f" (in {count} senses)" if count > 1 else "") for name, count in counts.items()]
    more = len(names) - MAX_NAMED
    return " and ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _said(answer: Answer) -> str:
    return f"{answer.label} {answer.probabilities[answer.label]:.2f}"
