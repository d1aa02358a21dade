"""Which changes of a fact give which label: the kinds of fact pairs.

A changed fact follows (its tail is above the stated one), is excluded (another tail of a functional relation, or a kind
of thing that excludes the stated one), or is left open. What lies around a fact is `fact_moves.py`; drawing facts and
saying them, `facts.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.nli import Label
from kg_reason.synthesis.drafts import Drafter
from kg_reason.synthesis.fact_moves import FactMoves
from kg_reason.synthesis.fact_sentences import FactSentences, slot_form

_MAX_DRAWN_ENDS = 8


class Spoken(NamedTuple):
    """A relation that can be said: its number, its sentence and its edges, [num_edges]."""

    relation: int
    template: str
    edges: NDArray[np.int64]


class Change(NamedTuple):
    """What a hypothesis says in place of a fact: head and tail, and the edges that lead there from the fact's own."""

    head: int
    tail: int
    edges: tuple[int, ...] = ()


class FactKind(NamedTuple):
    """One kind of pair.

    Attributes:
        name: the category of its examples.
        label: of its examples.
        relations: that make such pairs.
        change: chooses what the hypothesis says of a fact (relation, head, tail); None where nothing fits.
        is_claim: whether the premise is empty.
        has_path: whether the graph joins what is said, so that a retriever must find it behind invented words.
    """

    name: str
    label: Label
    relations: frozenset[int]
    change: Callable[[Spoken, int, int], Change | None]
    is_claim: bool = False
    has_path: bool = False


class FactChanges:
    """Chooses what a hypothesis says in place of a fact.

    Args:
        drafter: its graph, walks and checks.
        sentences: say what entities are called.
        moves: around facts.
        rng: of every choice.
    """

    def __init__(
        self, drafter: Drafter, sentences: FactSentences, moves: FactMoves, rng: random.Random
    ) -> None:
        self._graph = drafter.graph
        self._drafter = drafter
        self._sentences = sentences
        self._moves = moves
        self._rng = rng
        self._tails: dict[int, frozenset[int]] = {}
        routes = drafter.walker.routes
        self._sister_routes = [route for route in routes if "sister" in route.pattern.name and not route.pattern.frames]

    def kinds(self, relations: Sequence[int]) -> list[FactKind]:
        """Return the kinds of pairs, each with those of some relations that it can be made of."""
        moves = self._moves
        entailment, neutral, contradiction = Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION

        every = frozenset(relations)
        kinds_of_things = frozenset(each for each in every if moves.taxonomic[each])
        other = every - kinds_of_things
        outside = frozenset(each for each in other if not moves.inside[each])
        one_tail = frozenset(each for each in other if moves.functional[each])
        one_head = frozenset(each for each in other if moves.one_head[each])
        return [
            FactKind("fact up", entailment, every, self._up, has_path=True),
            FactKind("fact down", neutral, other, self._down, has_path=True),
            FactKind("fact functional", contradiction, one_tail, self._other_tail),
            FactKind("fact one head", contradiction, one_head, self._other_head),
            FactKind("fact sister", contradiction, kinds_of_things, self._sister, has_path=True),
            FactKind("fact other tail", neutral, outside - one_tail, self._other_tail),
            FactKind("fact other head", neutral, other - one_head, self._other_head),
            FactKind("claim", entailment, every, self._same, is_claim=True, has_path=True),
            FactKind("claim up", entailment, every, self._up, is_claim=True, has_path=True),
            FactKind("claim wrong tail", contradiction, one_tail, self._other_tail, is_claim=True),
            FactKind("claim sister", contradiction, kinds_of_things, self._sister, is_claim=True, has_path=True),
            FactKind("claim unknown", neutral, outside - one_tail, self._unknown_tail, is_claim=True),
        ]

    def _same(self, spoken: Spoken, head: int, tail: int) -> Change:
        return Change(head, tail)

    def _up(self, spoken: Spoken, head: int, tail: int) -> Change | None:
        if not self._may_move(spoken, tail):
            return None
        above = self._moves.above(tail, places=self._moves.located[spoken.relation], sure=True)
        fitting = [entity for entity in above if entity != head]
        if not fitting:
            return None
        chosen = self._rng.choice(fitting)
        return Change(head, chosen, above[chosen])

    def _down(self, spoken: Spoken, head: int, tail: int) -> Change | None:
        """Choose a tail below the stated one; of places one that is a tail of the relation, not what stands there."""
        moves, relation = self._moves, spoken.relation
        if not self._may_move(spoken, tail):
            return None
        places = moves.located[relation] and not moves.inside[relation]
        below = moves.below(tail, places=places)
        fitting = [
            entity
            for entity in below
            if (not places or entity in self._tails_of(spoken))
            and entity != head and entity not in moves.near(head) and not moves.holds(head, relation, entity)
        ]
        if not fitting:
            return None
        chosen = self._rng.choice(fitting)
        return Change(head, chosen, below[chosen])

    def _may_move(self, spoken: Spoken, tail: int) -> bool:
        """Tell whether a tail may give way to one above or below it.

        Not phrases, and not a noun that opens the sentence: it speaks of all that it names ("A cake contains flour.").
        """
        term = self._sentences.term(tail)
        opens = spoken.template.startswith("{tail") and term is not None and term.tag != "NNP"
        return not opens and slot_form(spoken.template, "tail") not in ("phrase", "VBG")

    def _tails_of(self, spoken: Spoken) -> frozenset[int]:
        if spoken.relation not in self._tails:
            self._tails[spoken.relation] = frozenset(self._graph.edge_tail[spoken.edges].tolist())
        return self._tails[spoken.relation]

    def _other_tail(self, spoken: Spoken, head: int, tail: int) -> Change | None:
        """Choose a tail of another fact; where the relation is functional, for a head that does have one tail only."""
        moves, relation = self._moves, spoken.relation
        if moves.functional[relation] and len(moves.tails(head, relation)) > 1:
            return None
        for _ in range(_MAX_DRAWN_ENDS):
            other = int(self._graph.edge_tail[spoken.edges[self._rng.randrange(len(spoken.edges))]])
            if self._graph.is_value(other) != self._graph.is_value(tail):
                continue
            if moves.are_apart(tail, other) and moves.are_apart(head, other) and not moves.holds(head, relation, other):
                return Change(head, other)
        return None

    def _unknown_tail(self, spoken: Spoken, head: int, tail: int) -> Change | None:
        change = self._other_tail(spoken, head, tail)
        return None if change is None or self._moves.have_path(head, change.tail) else change

    def _other_head(self, spoken: Spoken, head: int, tail: int) -> Change | None:
        """Choose a head of another fact, itself a tail of such facts just where the stated head is."""
        moves, relation = self._moves, spoken.relation
        tails = self._tails_of(spoken)
        for _ in range(_MAX_DRAWN_ENDS):
            other = int(self._graph.edge_head[spoken.edges[self._rng.randrange(len(spoken.edges))]])
            if (other in tails) != (head in tails):
                continue
            if moves.are_apart(head, other) and moves.are_apart(other, tail) and not moves.holds(other, relation, tail):
                return Change(other, tail)
        return None

    def _sister(self, spoken: Spoken, head: int, tail: int) -> Change | None:
        """Choose a kind that excludes the stated one, by the patterns of the table for sisters."""
        drafter = self._drafter
        if not self._sister_routes:
            return None
        route = self._rng.choice(self._sister_routes)
        walks = drafter.walker.walks(route, tail, self._rng)
        walk = self._rng.choice(walks) if walks else None
        if walk is None or not drafter.checks.holds(route.pattern, walk):
            return None
        other = walk.entities[-1]
        if other in self._moves.above(head, places=True) or not self._moves.are_apart(head, other):
            return None
        terms = [self._sentences.term(entity) for entity in (head, tail, other)]
        texts = [term.text for term in terms if term is not None]
        if len(texts) < 3 or any(drafter.checks.words_clash(route.pattern, text, texts[2]) for text in texts[:2]):
            return None
        return Change(head, other, walk.edges)
