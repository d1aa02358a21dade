"""Fact pairs: "Marie Curie was born in Warsaw." with "... in Poland.", and claims with an empty premise, of any graph.

A pair says a fact and exchanges its tail or its head; the graph tells whether the changed fact follows (a tail above
the stated one), is excluded (another tail of a functional relation), or is left open. How a fact is said is
`fact_sentences.py`, what lies around it `fact_moves.py`; how many pairs are made, `generator.py`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.nli import THREE_WAY, Fact, Justification, Label, NLIExample, ReplacedWord
from kg_reason.synthesis.drafts import Drafter
from kg_reason.synthesis.fact_moves import FactMoves
from kg_reason.synthesis.fact_sentences import FactSentences, Said, Term, say, slot_form
from kg_reason.synthesis.relation_table import RelationTable

_MAX_TRIES = 60
_MAX_FAILURES = 4
_MAX_PAIRS_OF_FACT = 2
_MAX_DRAWN_ENDS = 8


class Spoken(NamedTuple):
    """A relation that can be said: its number, its sentence and its edges, [num_edges]."""

    relation: int
    template: str
    edges: NDArray[np.int64]


class _Terms(NamedTuple):
    """What head and tail of a fact are called."""

    head: Term
    tail: Term


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


class FactMaker:
    """Draws fact pairs, none of them twice.

    Args:
        drafter: its graph, words, checks and invented words.
        table: templates, and what is known of relations.
        linker: links invented words, to try whether the retriever finds their path.
        retriever: where given, pairs with invented words whose label the graph must tell are kept only with a path.
        seed: of every choice.
        seen: premise and hypothesis of all pairs made so far; added to.
    """

    def __init__(
        self,
        drafter: Drafter,
        table: RelationTable,
        linker: EntityLinker,
        retriever: Retriever | None,
        seed: int,
        seen: set[tuple[str, str]],
    ) -> None:
        self._graph = drafter.graph
        self._drafter = drafter
        self._linker = linker
        self._retriever = retriever
        self._seen = seen
        self._rng = random.Random(f"facts {seed}")
        self._moves = FactMoves(drafter.walker, table)
        self._sentences = FactSentences(drafter.graph, drafter.vocabulary, table)
        self._used: Counter[int] = Counter()
        self._tails: dict[int, frozenset[int]] = {}
        spoken = [
            Spoken(relation, template, self._moves.edges_of_relation(relation))
            for relation in range(self._graph.num_relations)
            if (template := self._sentences.template(relation))
        ]
        self._spoken = [each for each in spoken if len(each.edges)]
        routes = drafter.walker.routes
        self._sister_routes = [route for route in routes if "sister" in route.pattern.name and not route.pattern.frames]

    def make(self, wanted: int, *, invented: bool) -> Iterator[NLIExample]:
        """Yield at most so many pairs, a third of each label, and within each evenly over the kinds of pairs.

        Fewer where the graph has no facts for a label, so that the others do not outweigh it.
        """
        kinds = [kind for kind in self._kinds() if kind.relations]
        made: Counter[str] = Counter()
        labels: Counter[Label] = Counter()
        failures: Counter[str] = Counter()
        most = -(-wanted // len(THREE_WAY))
        while kinds and labels.total() < wanted:
            label = min(sorted({kind.label for kind in kinds}), key=lambda each: labels[each])
            kind = min((kind for kind in kinds if kind.label is label), key=lambda each: made[each.name])
            example = self._draw(kind, invented)
            if example is None:
                failures[kind.name] += 1
                made[kind.name] += failures[kind.name] > 1
                if failures[kind.name] >= _MAX_FAILURES:
                    kinds.remove(kind)
                continue
            failures[kind.name] = 0
            made[kind.name] += 1
            labels[label] += 1
            if labels[label] == most:
                kinds = [kind for kind in kinds if kind.label is not label]
            yield example

    def _kinds(self) -> list[FactKind]:
        moves = self._moves
        entailment, neutral, contradiction = Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION

        every = frozenset(each.relation for each in self._spoken)
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

    def _draw(self, kind: FactKind, invented: bool) -> NLIExample | None:
        fitting = [each for each in self._spoken if each.relation in kind.relations]
        weights = [len(each.edges) ** 0.5 for each in fitting]
        for _ in range(_MAX_TRIES):
            spoken = self._rng.choices(fitting, weights)[0]
            edge = int(spoken.edges[self._rng.randrange(len(spoken.edges))])
            example = self._try(kind, spoken, edge, invented) if self._used[edge] < _MAX_PAIRS_OF_FACT else None
            if example is not None:
                self._used[edge] += 1
                self._seen.add((example.premise, example.hypothesis))
                return example
        return None

    def _try(self, kind: FactKind, spoken: Spoken, edge: int, invented: bool) -> NLIExample | None:
        head, tail = int(self._graph.edge_head[edge]), int(self._graph.edge_tail[edge])
        if self._terms(spoken, Change(head, tail)) is None:
            return None
        change = kind.change(spoken, head, tail)
        terms = self._terms(spoken, change) if change is not None else None
        if change is None or terms is None:
            return None
        example = self._claim(kind, spoken, change, terms, invented) if kind.is_claim else self._pair(
            kind, spoken, Change(head, tail), change, invented
        )
        if example is None or (example.premise, example.hypothesis) in self._seen:
            return None
        if invented and kind.has_path and not self._finds_path(example):
            return None
        source = f"e{edge}:{len(self._seen)}"
        return NLIExample(
            example.premise, example.hypothesis, kind.label, kind.name, example.names, source, example.justification
        )

    def _pair(
        self, kind: FactKind, spoken: Spoken, stated: Change, change: Change, invented: bool
    ) -> NLIExample | None:
        terms, changed = self._terms(spoken, stated), self._terms(spoken, change)
        if terms is None or changed is None:
            return None
        slot = "head" if stated.head != change.head else "tail"
        if kind.label is Label.NEUTRAL and (getattr(terms, slot).tag == "NNP") != (getattr(changed, slot).tag == "NNP"):
            return None
        entities = (getattr(stated, slot), getattr(change, slot))
        names: dict[str, str] = {}
        if invented:
            if slot_form(spoken.template, slot) in ("phrase", "VBG") or any(self._graph.is_value(entity) for entity in entities):
                return None
            terms, changed = (
                pair._replace(**{slot: self._invent(getattr(pair, slot), entity, names)})
                for pair, entity in zip((terms, changed), entities, strict=True)
            )
        elif kind.label is not Label.ENTAILMENT and _overlap(getattr(terms, slot).text, getattr(changed, slot).text):
            return None
        said = [say(spoken.template, pair.head, pair.tail) for pair in (terms, changed)]
        words = [
            ReplacedWord(*getattr(each, slot), self._graph.entity_id(entity), getattr(pair, slot).tag)
            for each, entity, pair in zip(said, entities, (terms, changed), strict=True)
        ]
        reason = Justification(words[0], words[1], tuple(self._fact(edge) for edge in change.edges))
        return NLIExample(said[0].text, said[1].text, names=names, justification=reason)

    def _claim(
        self, kind: FactKind, spoken: Spoken, change: Change, terms: _Terms, invented: bool
    ) -> NLIExample | None:
        names: dict[str, str] = {}
        if invented:
            if any(slot_form(spoken.template, slot) in ("phrase", "VBG") for slot in ("head", "tail")):
                return None
            if self._graph.is_value(change.head) or self._graph.is_value(change.tail):
                return None
            head, tail = (
                self._invent(term, entity, names)
                for term, entity in ((terms.head, change.head), (terms.tail, change.tail))
            )
            terms = _Terms(head, tail)
        elif kind.label is not Label.ENTAILMENT and _overlap(terms.head.text, terms.tail.text):
            return None
        said: Said = say(spoken.template, terms.head, terms.tail)
        return NLIExample("", said.text, names=names)

    def _terms(self, spoken: Spoken, change: Change) -> _Terms | None:
        """Return what the ends of a fact are called; None where one has no name, or both have the same."""
        found = [
            self._sentences.term(entity, any_phrase=slot_form(spoken.template, slot) in ("phrase", "VBG"))
            for slot, entity in (("head", change.head), ("tail", change.tail))
            if not self._drafter.walker.is_foreign(entity) or self._graph.is_value(entity)
        ]
        if len(found) < 2 or found[0] is None or found[1] is None or found[0].text.lower() == found[1].text.lower():
            return None
        return _Terms(found[0], found[1])

    def _invent(self, term: Term, entity: int, names: dict[str, str]) -> Term:
        """Return an invented word in place of a term, and note what it names."""
        word, form = self._drafter.invent("NNS" if term.tag == "NNS" else "NN")
        names |= dict.fromkeys((word, form), self._graph.entity_id(entity))
        return Term(form.capitalize() if term.tag == "NNP" else form, term.tag or "NN")

    def _finds_path(self, example: NLIExample) -> bool:
        if self._retriever is None:
            return True
        mentions = self._linker.link_pair(example.premise, example.hypothesis, example.names)
        return len(self._retriever.retrieve(*mentions).length) > 0

    def _fact(self, edge: int) -> Fact:
        graph = self._graph
        ends = (graph.entity_id(int(graph.edge_head[edge])), graph.entity_id(int(graph.edge_tail[edge])))
        return Fact(ends[0], graph.relation_id(int(graph.edge_relation[edge])), ends[1])

    # ---- what a hypothesis says in place of a fact

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
        moves, relation = self._moves, spoken.relation
        for _ in range(_MAX_DRAWN_ENDS):
            other = int(self._graph.edge_head[spoken.edges[self._rng.randrange(len(spoken.edges))]])
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


def _overlap(first: str, last: str) -> bool:
    """Tell whether all words of one name stand in the other: "Poland" and "Kingdom of Poland"."""
    words, others = set(first.lower().split()), set(last.lower().split())
    return words <= others or others <= words
