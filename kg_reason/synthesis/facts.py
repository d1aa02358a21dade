"""Fact pairs: "Marie Curie was born in Warsaw." with "... in Poland.", and claims with an empty premise, of any graph.

A pair says a fact and exchanges its tail or its head. Which changes give which label is `fact_changes.py`, how a fact
is said `fact_sentences.py`; how many pairs are made, `generator.py`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.nli import THREE_WAY, Fact, Justification, Label, NLIExample, ReplacedWord
from kg_reason.synthesis.drafts import Drafter
from kg_reason.synthesis.fact_changes import Change, FactChanges, FactKind, Spoken
from kg_reason.synthesis.fact_moves import FactMoves
from kg_reason.synthesis.fact_sentences import FactSentences, Said, Term, say, slot_form
from kg_reason.synthesis.relation_table import RelationTable

_MAX_TRIES = 60
_MAX_FAILURES = 4
_MAX_PAIRS_OF_FACT = 2


class _Terms(NamedTuple):
    """What head and tail of a fact are called."""

    head: Term
    tail: Term


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
        self._sentences = FactSentences(drafter.graph, drafter.vocabulary, table)
        self._used: Counter[int] = Counter()
        moves = FactMoves(drafter.walker, table)
        spoken = self._find_spoken(moves)
        self._spoken = spoken
        self._kinds = FactChanges(drafter, self._sentences, moves, self._rng).kinds([each.relation for each in spoken])

    def _find_spoken(self, moves: FactMoves) -> list[Spoken]:
        """Return the relations that can be said and have edges."""
        found = [
            Spoken(relation, template, moves.edges_of_relation(relation))
            for relation in range(self._graph.num_relations)
            if (template := self._sentences.template(relation))
        ]
        return [each for each in found if len(each.edges)]

    def make(self, wanted: int, *, invented: bool) -> Iterator[NLIExample]:
        """Yield at most so many pairs, a third of each label, and within each evenly over the kinds of pairs.

        Fewer where the graph has no facts for a label, so that the others do not outweigh it.
        """
        kinds = [kind for kind in self._kinds if kind.relations]
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
            is_value = any(self._graph.is_value(entity) for entity in entities)
            if is_value or slot_form(spoken.template, slot) in ("phrase", "VBG"):
                return None
            terms, changed = (
                pair._replace(**{slot: self._invent(getattr(pair, slot), entity, names)})
                for pair, entity in zip((terms, changed), entities, strict=True)
            )
        elif kind.label is not Label.ENTAILMENT and _overlap(getattr(terms, slot).text, getattr(changed, slot).text):
            return None
        said = [say(spoken.template, pair.head, pair.tail) for pair in (terms, changed)]
        places: list[tuple[int, int]] = [getattr(each, slot) for each in said]
        words = [
            ReplacedWord(*place, self._graph.entity_id(entity), getattr(pair, slot).tag)
            for place, entity, pair in zip(places, entities, (terms, changed), strict=True)
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
        if (found[0] if spoken.template.startswith("{head") else found[1]).tag == "NNS":
            return None  # the verbs of templates are in the singular
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


def _overlap(first: str, last: str) -> bool:
    """Tell whether all words of one name stand in the other: "Poland" and "Kingdom of Poland"."""
    words, others = set(first.lower().split()), set(last.lower().split())
    return words <= others or others <= words
