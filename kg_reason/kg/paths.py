"""Paths between mentions: a table of them for the model, and single ones written out with their sources for people.

Searching is `search.py` and `retriever.py`; what each feature means is in `path_features.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.path_features import NUM_PATH_FEATURES, PATH_FEATURES
from kg_reason.kg.search import MAX_STEPS
from kg_reason.kg.triples import Source

__all__ = ["MAX_STEPS", "NUM_PATH_FEATURES", "PATH_FEATURES", "Path", "PathTable", "Step", "describe_path"]

SYNONYM = "synonym"


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

    `inferred`: no line states the edge; the sources are those of the edges that it follows from.
    """

    head: str
    head_label: str
    relation: str
    tail: str
    tail_label: str
    forward: bool
    sources: tuple[Source, ...]
    inferred: bool = False

    @property
    def told_relation(self) -> str:
        """Return the relation as chains show it."""
        return f"{self.relation}, inferred" if self.inferred else self.relation

    def to_json(self) -> dict[str, Any]:
        """Return the step as plain data."""
        return {**vars(self), "sources": [str(source) for source in self.sources]}


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
        """Return every `file:line` that states a step, in the order of the steps, each once."""
        return tuple(dict.fromkeys(str(source) for step in self.steps for source in step.sources))


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
        edge = int(paths.edges[row, i])
        steps.append(
            Step(
                head=graph.entity_id(head),
                head_label=graph.entity_label(head, language),
                relation=graph.relation_label(int(paths.relations[row, i]), language),
                tail=graph.entity_id(tail),
                tail_label=graph.entity_label(tail, language),
                forward=forward,
                sources=graph.edge_sources(edge),
                inferred=edge in graph.inferences,
            )
        )
    return Path(tuple(steps), start, end, score)


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
