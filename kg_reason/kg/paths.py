"""Paths between mentions: a table of them for the model, and single ones written out with their sources for people.

Searching is `search.py` and `retriever.py`; what each feature means is in `path_features.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.graph_facts import Statement
from kg_reason.kg.names import IRI, term_kind
from kg_reason.kg.path_features import NUM_PATH_FEATURES, PATH_FEATURES
from kg_reason.kg.qualifiers import WEIGHT, Qualifiers, plain_qualifiers, said_qualifiers, shown_weight
from kg_reason.kg.search import MAX_STEPS
from kg_reason.kg.triples import Source

__all__ = ["MAX_STEPS", "NUM_PATH_FEATURES", "PATH_FEATURES", "Path", "PathTable", "Step", "describe_path"]

SYNONYM = "synonym"
_PLACE = re.compile(r"(.*?):(\d+(?: \(.*\))?)", re.DOTALL)


class PathTable(NamedTuple):
    """The paths of one example, K of them, best first; -1 fills what a short path does not use.

    Attributes:
        entities: int32 [K, 8], in the order in which the path is walked.
        relations: int32 [K, 7].
        forward: bool [K, 7], whether a step walks its edge from head to tail.
        edges: int32 [K, 7], edge ids of the graph: the way to the sources.
        length: int8 [K], edges; 0 = both mentions name the same entity.
        start, end: int16 [K], mention numbers, those of the premise first; start < end. The end is always a word of the
            hypothesis that the premise lacks, or lacks in that place; a start in the hypothesis is one that it lacks.
        features: float32 [K, NUM_PATH_FEATURES], in the order of PATH_FEATURES.
        start_alias, end_alias: int32 [K], the labels through which the ends were linked; -1 for a name that was given
            with the example.
        score: float32 [K], in [0, 1], falling.
    """

    entities: NDArray[np.int32]
    relations: NDArray[np.int32]
    forward: NDArray[np.bool_]
    edges: NDArray[np.int32]
    length: NDArray[np.int8]
    start: NDArray[np.int16]
    end: NDArray[np.int16]
    features: NDArray[np.float32]
    start_alias: NDArray[np.int32]
    end_alias: NDArray[np.int32]
    score: NDArray[np.float32]

    @classmethod
    def empty(cls) -> PathTable:
        """Return a table without paths."""
        return cls(
            entities=np.empty((0, MAX_STEPS + 1), np.int32),
            relations=np.empty((0, MAX_STEPS), np.int32),
            forward=np.empty((0, MAX_STEPS), np.bool_),
            edges=np.empty((0, MAX_STEPS), np.int32),
            length=np.empty(0, np.int8),
            start=np.empty(0, np.int16),
            end=np.empty(0, np.int16),
            features=np.empty((0, NUM_PATH_FEATURES), np.float32),
            start_alias=np.empty(0, np.int32),
            end_alias=np.empty(0, np.int32),
            score=np.empty(0, np.float32),
        )

    @property
    def num_paths(self) -> int:
        """Return K; `len` of a NamedTuple counts its fields."""
        return len(self.length)

    def take(self, rows: NDArray[np.int64] | slice) -> PathTable:
        """Return the table of some of the paths, by number, by mask or by slice."""
        return PathTable(**{name: column[rows] for name, column in self._asdict().items()})


@dataclass(frozen=True)
class Step:
    """One step of a path: its edge as stated, whether it is walked from head to tail, and where it was stated.

    Attributes:
        weight: of the edge, the highest that a source states; 1.0 also where none is given.
        qualifiers: of the edge by each of its sources; empty where no source qualifies it. Those of an inferred edge
            are of the edges that it follows from, their weights among them; its own weight is the lowest of theirs.
        inferred: no line states the edge; the sources are those of the edges that it follows from.
    """

    head: str
    head_label: str
    relation: str
    tail: str
    tail_label: str
    forward: bool
    sources: tuple[Source, ...]
    weight: float = 1.0
    qualifiers: tuple[Qualifiers, ...] = ()
    inferred: bool = False

    @property
    def told_relation(self) -> str:
        """Return the relation as chains show it."""
        return f"{self.relation}, inferred" if self.inferred else self.relation

    def to_json(self) -> dict[str, Any]:
        """Return the step as plain data; a weight other than 1 and qualifiers, one set for each source, are told."""
        plain = {**vars(self), "sources": [str(source) for source in self.sources]}
        del plain["weight"], plain["qualifiers"]
        if self.weight != 1.0:
            plain["weight"] = self.weight
        if self.qualifiers:
            plain["qualifiers"] = [plain_qualifiers(qualifiers) for qualifiers in self.qualifiers]
        return plain

    def said_sources(self) -> tuple[str, ...]:
        """Return every `file:line` that states the edge, with what qualifies the edge there in brackets."""
        return said_places(self.sources, self.qualifiers, self.weight, inferred=self.inferred)


def said_places(
    sources: Sequence[Source | str], qualifiers: Sequence[Qualifiers], weight: float, *, inferred: bool
) -> tuple[str, ...]:
    """Return the places of an edge, with what qualifies it at each in brackets.

    Args:
        sources: where it is stated, or what it is inferred from is.
        qualifiers: one set for each source, or none at all.
        weight: of the edge; the lines that an inferred one comes from tell their own.
        inferred: whether no line states it.
    """
    told = 1.0 if inferred else weight
    said = [said_qualifiers(of_source, told) for of_source in qualifiers or ({},) * len(sources)]
    return tuple(f"{source} ({what})" if what else str(source) for source, what in zip(sources, said, strict=True))


@dataclass(frozen=True)
class Path:
    """One path, readable: at least one step, the numbers of the mentions it joins and its score in [0, 1]."""

    steps: tuple[Step, ...]
    start: int
    end: int
    score: float

    def __str__(self) -> str:
        first = self.steps[0]
        parts = [first.head_label if first.forward else first.tail_label]
        for step in self.steps:
            parts.append(f"-[{step.told_relation}]->" if step.forward else f"<-[{step.told_relation}]-")
            parts.append(step.tail_label if step.forward else step.head_label)
        return " ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return the path as plain data; who shows it adds the mentions and the contribution."""
        return {"steps": [step.to_json() for step in self.steps], "score": self.score}

    def source_lines(self) -> tuple[str, ...]:
        """Return every `file:line` that states a step, with its qualifiers, in the order of the steps, each once."""
        return tuple(dict.fromkeys(source for step in self.steps for source in step.said_sources()))


def place_parts(place: str) -> tuple[str, str]:
    """Return the file of one of `source_lines`, and its line with the qualifiers there.

    >>> place_parts('registry.csv:14 (0.12, source "http://x.org:80")')
    ('registry.csv', '14 (0.12, source "http://x.org:80")')
    """
    match = _PLACE.fullmatch(place)
    return (match[1], match[2]) if match else (place, "")


def shown_qualifiers(
    graph: KnowledgeGraph, statements: Sequence[Statement], edge_weight: float, language: str
) -> tuple[Qualifiers, ...]:
    """Return the qualifiers of each statement of an edge, entities by their labels; empty where there are none.

    A statement that has no weight of its own has its edge's.
    """
    if not any(statement.qualifiers for statement in statements):
        return ()
    weight = {} if edge_weight == 1.0 else {WEIGHT: (f"{edge_weight:.9g}",)}
    return tuple(
        {
            name: tuple(_labelled(graph, value, language) for value in values)
            for name, values in {**weight, **statement.qualifiers}.items()
        }
        for statement in statements
    )


def _labelled(graph: KnowledgeGraph, value: str, language: str) -> str:
    entity = graph.find_id(value) if term_kind(value) == IRI else -1
    is_labelled = entity >= 0 and any(alias.kind != "own" for alias in graph.aliases(entity))
    return graph.entity_label(entity, language) if is_labelled else value


def describe_path(graph: KnowledgeGraph, paths: PathTable, row: int, *, language: str = "") -> Path:
    """Write out one path of a table with the sources of each step.

    A 0-edge path is shown as one step `synonym` from the label of one mention to the label of the other, whose sources
    are those of the two labels.

    Args:
        graph: the graph of the paths.
        paths: the table.
        row: which of them.
        language: of the labels that stand for entities and relations, where there is a choice; empty for any.

    Raises:
        IndexError: the table has no such row.
    """
    length = int(paths.length[row])
    start, end, score = int(paths.start[row]), int(paths.end[row]), float(paths.score[row])
    if length == 0:
        return Path((_synonym_step(graph, paths, row, language),), start, end, score)
    entities = paths.entities[row].tolist()
    steps = []
    for i in range(length):
        forward = bool(paths.forward[row, i])
        head, tail = (entities[i], entities[i + 1]) if forward else (entities[i + 1], entities[i])
        triple = (head, int(paths.relations[row, i]), tail)
        steps.append(_step(graph, triple, int(paths.edges[row, i]), forward=forward, language=language))
    return Path(tuple(steps), start, end, score)


def describe_edge(graph: KnowledgeGraph, edge: int, *, language: str = "") -> Step:
    """Write out one edge as a step from its head to its tail, with its sources and their qualifiers."""
    triple = (int(graph.edge_head[edge]), int(graph.edge_relation[edge]), int(graph.edge_tail[edge]))
    return _step(graph, triple, edge, forward=True, language=language)


def _step(
    graph: KnowledgeGraph, triple: tuple[int, int, int], edge: int, *, forward: bool, language: str
) -> Step:
    """Write out a triple of a path; the edge may state it the other way round, by an inverse relation."""
    head, relation, tail = triple
    statements, weight = graph.edge_statements(edge), shown_weight(graph.edge_weight[edge])
    inferred = edge in graph.inferences
    return Step(
        head=graph.entity_id(head),
        head_label=graph.entity_label(head, language),
        relation=graph.relation_label(relation, language),
        tail=graph.entity_id(tail),
        tail_label=graph.entity_label(tail, language),
        forward=forward,
        sources=tuple(statement.source for statement in statements),
        weight=weight,
        qualifiers=shown_qualifiers(graph, statements, 1.0 if inferred else weight, language),
        inferred=inferred,
    )


def _synonym_step(graph: KnowledgeGraph, paths: PathTable, row: int, language: str) -> Step:
    entity = int(paths.entities[row, 0])
    aliases = [int(paths.start_alias[row]), int(paths.end_alias[row])]
    sources = [graph.alias_source(alias) for alias in aliases if alias >= 0]
    if not sources:
        sources = [alias.source for alias in graph.aliases(entity)[:1]]
    own = graph.entity_label(entity, language)
    first, second = (graph.alias_text(alias) if alias >= 0 else own for alias in aliases)
    name = graph.entity_id(entity)
    return Step(name, first, SYNONYM, name, second, True, tuple(dict.fromkeys(sources)))
