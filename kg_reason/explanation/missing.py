"""Which missing triples are worth a try: one between the senses of two words that stand in each other's place.

Each joins them by a relation of the graph whose kind decides answers: wider, either way round, the same, the opposite
(`kg/relation_kinds.py`). A word that the graph does not know becomes an entity of that name, as an edit would make it.
Trying them is `counterfactual.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from kg_reason.explanation.trials import Triple, edge_triple, find_edge
from kg_reason.kg.edit_log import ADD, Edit
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounding
from kg_reason.kg.linker import Candidate, Mention
from kg_reason.kg.relation_kinds import KINDS
from kg_reason.kg.search import stand_in_place
from kg_reason.reasoner import Reasoner

TRIED_KINDS = ("wider", "opposite", "same")
TURNED = ("wider",)  # tried in both directions
MAX_PAIRS = 3  # of words
MAX_NEW = 4  # triples of unknown words: for each of them the graph is opened anew
OTHER_POS = 0.5  # what two senses of different parts of speech lose


@dataclass(frozen=True)
class Fact:
    """One fact as a triple of names, and every triple by which the graph states it.

    Attributes:
        head: label of the head.
        relation: readable name.
        tail: label of the tail.
        triples: ids (head, relation, tail), as `kg-reason edit` takes them; more than one where the graph states the
            fact the other way round too.
        sources: `file:line` of each; empty for a fact that is missing.
        new_entities: ids that the graph does not hold.
    """

    head: str
    relation: str
    tail: str
    triples: tuple[tuple[str, str, str], ...]
    sources: tuple[str, ...] = ()
    new_entities: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.head} {self.relation} {self.tail}"

    def to_json(self) -> dict[str, Any]:
        """Return the fact as plain data."""
        return {
            "head": self.head, "relation": self.relation, "tail": self.tail,
            "triples": [list(triple) for triple in self.triples], "sources": list(self.sources),
            "new_entities": list(self.new_entities),
        }  # fmt: skip


class MissingTriple(NamedTuple):
    """A triple to try: in words, and in numbers where the graph knows both its entities (else None)."""

    fact: Fact
    known: Triple | None

    def open_graph(self, graph: KnowledgeGraph) -> KnowledgeGraph:
        """Return the graph with this triple, opened anew."""
        head, relation, tail = self.fact.triples[0]
        return graph.with_edits([Edit(len(graph.overlay.edits) + 1, ADD, head, relation, tail)])


class _Name(NamedTuple):
    """One end of a triple to try: its number, -1 for a new entity; id and label."""

    entity: int
    key: str
    label: str


def stated_fact(reasoner: Reasoner, edges: Sequence[int]) -> Fact:
    """Return the fact that some edges state, named by the relation that paths walk."""
    graph, language = reasoner.graph, reasoner.config.linker.language
    walkable = reasoner.grounder.retriever.walkable()
    triples = [edge_triple(graph, edge) for edge in edges]
    triples.sort(key=lambda triple: not walkable[triple[1], 0])
    head, relation, tail = triples[0]
    return Fact(
        head=graph.entity_label(head, language),
        relation=graph.relation_label(relation, language),
        tail=graph.entity_label(tail, language),
        triples=tuple(_ids(graph, triple) for triple in triples),
        sources=tuple(dict.fromkeys(str(source) for edge in edges for source in graph.edge_sources(edge))),
    )


def missing_triples(reasoner: Reasoner, grounding: Grounding) -> list[MissingTriple]:
    """Return the triples to try for a pair; those of known entities first.

    Args:
        reasoner: its graph, and what kind each relation of it is.
        grounding: of the pair.
    """
    relations = _relations_to_try(reasoner)
    known: list[MissingTriple] = []
    new: list[MissingTriple] = []
    for first, second in _word_pairs(grounding):
        ends = _ends(reasoner, first, second)
        if ends is None:
            continue
        for kind, relation, turned in relations:
            for pair in (ends, ends[::-1]) if kind in TURNED else (ends,):
                head, tail = pair[::-1] if turned else pair
                triple = (head.entity, relation, tail.entity)
                is_known = head.entity >= 0 and tail.entity >= 0
                if is_known and (head.entity == tail.entity or _is_stated(reasoner, triple)):
                    continue
                missing = MissingTriple(_fact(reasoner, head, relation, tail), triple if is_known else None)
                (known if is_known else new).append(missing)
    return [*dict.fromkeys(known), *dict.fromkeys(new[:MAX_NEW])]


def _fact(reasoner: Reasoner, head: _Name, relation: int, tail: _Name) -> Fact:
    graph = reasoner.graph
    name = graph.relation_label(relation, reasoner.config.linker.language)
    new = tuple(end.key for end in (head, tail) if end.entity < 0)
    triples = ((head.key, graph.relation_id(relation), tail.key),)
    return Fact(head.label, name, tail.label, triples, new_entities=new)


def _relations_to_try(reasoner: Reasoner) -> list[tuple[str, int, bool]]:
    """Return for each kind the relation of the graph that says most of it, and whether it leads the other way."""
    kinds, walkable = reasoner.collator.relation_kinds, reasoner.grounder.retriever.walkable()
    counts = _edge_counts(reasoner.graph)
    found = []
    for kind in TRIED_KINDS:
        number = 1 + KINDS.index(kind)
        # Relations that no path may walk forward, excluded ones among them, would change nothing.
        able = [relation for relation in np.flatnonzero(abs(kinds) == number).tolist() if walkable[relation, 0]]
        if able:
            best = max(able, key=lambda relation: (counts[relation], -relation))
            found.append((kind, best, bool(kinds[best] < 0)))
    return found


@lru_cache(maxsize=1)
def _edge_counts(graph: KnowledgeGraph) -> tuple[int, ...]:
    relations = graph.edge_relation[graph.live_edges()]
    return tuple(np.bincount(relations, minlength=graph.num_relations).tolist())


def _word_pairs(grounding: Grounding) -> Iterator[tuple[Mention, Mention]]:
    """Yield the words in each other's place; where there are none, words that only one side has."""
    premise, hypothesis = grounding.premise_mentions, grounding.hypothesis_mentions
    numbers: dict[str, int] = {}
    keys = np.array(
        [numbers.setdefault(mention.key, len(numbers)) for mention in (*premise, *hypothesis)], dtype=np.int32
    )
    num_premise, num_mentions = len(premise), len(keys)
    others = [
        (start, end)
        for start in range(num_premise)
        for end in range(num_premise, num_mentions)
        if keys[start] != keys[end]
    ]
    placed = [pair for pair in others if stand_in_place(keys, *pair, num_premise, num_mentions)]
    if not placed:
        in_premise, in_hypothesis = set(keys[:num_premise].tolist()), set(keys[num_premise:].tolist())
        placed = [pair for pair in others if keys[pair[0]] not in in_hypothesis and keys[pair[1]] not in in_premise]
        placed.sort(key=lambda pair: (abs(pair[1] - num_premise - pair[0]), pair))
    for start, end in placed[:MAX_PAIRS]:
        yield premise[start], hypothesis[end - num_premise]


def _ends(reasoner: Reasoner, first: Mention, second: Mention) -> tuple[_Name, _Name] | None:
    """Return the senses of two words that are joined: the best ones of one part of speech; new entities for unknown.

    None: a word that is not linked is the name of an entity all the same, so that an edit would not make a new one.
    """
    graph = reasoner.graph
    if first.candidates and second.candidates:
        pairs = [(one, other) for one in first.candidates for other in second.candidates]
        one, other = max(pairs, key=lambda pair: (_fit(graph, *pair), -pair[0].entity, -pair[1].entity))
        return _known(reasoner, one), _known(reasoner, other)
    names = []
    for mention in (first, second):
        if not mention.candidates and graph.find_entities(mention.key):
            return None
        names.append(
            _known(reasoner, mention.candidates[0]) if mention.candidates else _Name(-1, mention.key, mention.key)
        )
    return names[0], names[1]


def _fit(graph: KnowledgeGraph, first: Candidate, second: Candidate) -> float:
    same = first.alias < 0 or second.alias < 0 or graph.alias_pos[first.alias] == graph.alias_pos[second.alias]
    return first.score * second.score * (1.0 if same else OTHER_POS)


def _known(reasoner: Reasoner, candidate: Candidate) -> _Name:
    graph = reasoner.graph
    label = graph.alias_text(candidate.alias) if candidate.alias >= 0 else graph.entity_label(candidate.entity)
    return _Name(candidate.entity, graph.entity_id(candidate.entity), label)


def _is_stated(reasoner: Reasoner, triple: Triple) -> bool:
    """Tell whether the graph states a triple, or its inverse relation states it the other way round."""
    head, relation, tail = triple
    inverse = int(reasoner.grounder.retriever.inverse[relation])
    found = find_edge(reasoner.graph, triple) >= 0
    return found or (inverse >= 0 and find_edge(reasoner.graph, (tail, inverse, head)) >= 0)


def _ids(graph: KnowledgeGraph, triple: Triple) -> tuple[str, str, str]:
    head, relation, tail = triple
    return graph.entity_id(head), graph.relation_id(relation), graph.entity_id(tail)
