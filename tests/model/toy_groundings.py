"""Groundings of toy sentences written by hand, so that the model's tests stand on the graph and on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounding
from kg_reason.kg.linker import Candidate, Mention
from kg_reason.kg.paths import MAX_STEPS, NUM_PATH_FEATURES, PathTable
from kg_reason.nli import Label, NLIExample

RELATIONS = ("hypernym", "antonym")  # known at training; the toy graph also has partOf and madeIn


class ToyPath(NamedTuple):
    """A path by names: entities and relations in walking order, a relation walked backwards starts with "<"."""

    start: int
    end: int
    entities: tuple[str, ...]
    relations: tuple[str, ...] = ()


def find_mentions(text: str, words: Sequence[str]) -> tuple[Mention, ...]:
    return tuple(
        Mention(text.index(word), text.index(word) + len(word), word, word, (Candidate(0, 1.0, 0),)) for word in words
    )


def find_edge(graph: KnowledgeGraph, head: int, relation: int, tail: int) -> int:
    found = (graph.edge_head == head) & (graph.edge_relation == relation) & (graph.edge_tail == tail)
    return int(np.flatnonzero(found)[0])


def path_table(graph: KnowledgeGraph, paths: Sequence[ToyPath]) -> PathTable:
    count = len(paths)
    entities, relations = np.full((count, MAX_STEPS + 1), -1, np.int32), np.full((count, MAX_STEPS), -1, np.int32)
    edges, forward = np.full((count, MAX_STEPS), -1, np.int32), np.zeros((count, MAX_STEPS), np.bool_)
    features = np.zeros((count, NUM_PATH_FEATURES), np.float32)
    for row, path in enumerate(paths):
        walked = [graph.entity(f"ex:{name}") for name in path.entities]
        entities[row, : len(walked)] = walked
        features[row] = (np.arange(NUM_PATH_FEATURES) + len(walked)) % 5 / 5
        for step, name in enumerate(path.relations):
            forward[row, step] = not name.startswith("<")
            relations[row, step] = relation = graph.relation(f"ex:{name.removeprefix('<')}")
            head, tail = walked[step : step + 2] if forward[row, step] else (walked[step + 1], walked[step])
            edges[row, step] = find_edge(graph, head, relation, tail)
    return PathTable(
        entities=entities,
        relations=relations,
        forward=forward,
        edges=edges,
        length=np.array([len(path.relations) for path in paths], np.int8),
        start=np.array([path.start for path in paths], np.int16),
        end=np.array([path.end for path in paths], np.int16),
        features=features,
        start_alias=np.zeros(count, np.int32),
        end_alias=np.zeros(count, np.int32),
        score=np.linspace(1, 0.5, count, dtype=np.float32),
    )


def ground(
    graph: KnowledgeGraph, example: NLIExample, words: tuple[Sequence[str], Sequence[str]], paths: Sequence[ToyPath]
) -> Grounding:
    return Grounding(
        find_mentions(example.premise, words[0]),
        find_mentions(example.hypothesis, words[1]),
        path_table(graph, paths),
    )


def toy_pairs(graph: KnowledgeGraph) -> tuple[list[NLIExample], list[Grounding]]:
    """Four pairs: paths of lengths 0 to 3 in both directions, a path inside the hypothesis, none, no mention."""
    rising = NLIExample("a man plays a fiddle.", "the man plays an instrument", Label.ENTAILMENT)
    opposed = NLIExample("the soup is hot", "a woman plays a cold violin and a cello", Label.CONTRADICTION)
    plain = NLIExample("every dog", "two cats, some dogs and three men are playing on with the animal", Label.NEUTRAL)
    claim = NLIExample("", "x")
    hypernym, climbing = "hypernym", ("violin", "bowedInstrument", "stringInstrument", "instrument")
    groundings = [
        ground(
            graph,
            rising,
            (["man", "fiddle"], ["man", "instrument"]),
            [
                ToyPath(1, 3, climbing, (hypernym, hypernym, hypernym)),
                ToyPath(0, 2, ("man",)),
                ToyPath(0, 3, ("man", "woman"), ("antonym",)),
            ],
        ),
        ground(
            graph,
            opposed,
            (["hot"], ["woman", "cold", "violin", "cello"]),
            [
                ToyPath(0, 2, ("hot", "cold"), ("antonym",)),
                ToyPath(3, 4, ("violin", "bowedInstrument", "cello"), (hypernym, "<hypernym")),
                ToyPath(3, 4, ("violin", "string"), ("<partOf",)),
            ],
        ),
        ground(graph, plain, (["dog"], ["cats", "dogs", "animal"]), []),
        ground(graph, claim, ([], []), []),
    ]
    return [rising, opposed, plain, claim], groundings
