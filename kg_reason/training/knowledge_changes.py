"""Changes to the paths of one example: knowledge left out, chance knowledge added, a relation exchanged for another.

Pure functions on path tables, which `augmentation.py` applies afresh in every epoch. Nothing here changes the graph.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounding
from kg_reason.kg.paths import MAX_STEPS, PATH_FEATURES, PathTable
from kg_reason.nli import Label
from kg_reason.synthesis.patterns import Route, Step

LENGTH, TAXONOMIC = PATH_FEATURES.index("shortness"), PATH_FEATURES.index("taxonomic")
SAME_ENTITY = PATH_FEATURES.index("same_entity")
IRRELEVANT_LENGTHS = (2, 3, 3, 3, 4)  # edges; a chance edge between two linked words is rare, a longer way is not


class Ends(NamedTuple):
    """The two mentions whose words were exchanged, by their numbers through both sides; premise first."""

    start: int
    end: int


class Exchange(NamedTuple):
    """What a path says after its relations were exchanged."""

    steps: tuple[Step, ...]
    label: Label


def joins(paths: PathTable, ends: Ends) -> NDArray[np.bool_]:
    """Tell which paths lead from the one mention to the other, [num_paths]."""
    found: NDArray[np.bool_] = (paths.start == ends.start) & (paths.end == ends.end)
    return found


def find_ends(grounding: Grounding, premise_start: int, hypothesis_start: int) -> Ends | None:
    """Return the mentions that begin at two places; None where the linker took something else there."""
    premise = [mention.start for mention in grounding.premise_mentions]
    hypothesis = [mention.start for mention in grounding.hypothesis_mentions]
    if premise_start not in premise or hypothesis_start not in hypothesis:
        return None
    return Ends(premise.index(premise_start), len(premise) + hypothesis.index(hypothesis_start))


def exchanges(
    routes: Sequence[Route], walkable: NDArray[np.bool_], downward: bool
) -> Mapping[int, Sequence[Exchange]]:
    """Return what may stand for a path of so many edges, and the label that it then gives.

    Left out are patterns that hold only in some places of a graph or a sentence, and relations that say one thing of
    some entities and another of others: the entities of the path stay as they are.

    Args:
        routes: the patterns in the relations of the graph.
        walkable: bool [num_relations, 2], whether paths walk a relation forward, and backward.
        downward: whether the labels are those of a downward context.
    """
    labels: dict[tuple[Step, ...], set[Label | None]] = {}
    for route in routes:
        pattern = route.pattern
        labels.setdefault(route.steps, set()).add(pattern.downward if downward else pattern.label)
    found: dict[int, set[Exchange]] = {}
    for route in routes:
        pattern = route.pattern
        label = pattern.downward if downward else pattern.label
        if label is None or pattern.through or pattern.after or len(labels[route.steps]) > 1:
            continue
        if not 1 <= len(route.steps) <= MAX_STEPS:
            continue
        if all(walkable[step.relation, int(not step.forward)] for step in route.steps):
            found.setdefault(len(route.steps), set()).add(Exchange(route.steps, label))
    return {length: sorted(choices) for length, choices in found.items()}


def exchange_relations(
    paths: PathTable, row: int, exchange: Exchange, climbs: NDArray[np.uint8], num_edges: int
) -> PathTable:
    """Return the paths with other relations on one of them, and no further path between the same two mentions.

    Args:
        paths: of one example.
        row: the path whose relations are exchanged; it keeps its entities.
        exchange: the relations, as many as the path has edges.
        climbs: uint8 [num_relations], 1 for taxonomic relations.
        num_edges: of the graph; edges that it does not hold get numbers from there on.
    """
    others = ~joins(paths, Ends(int(paths.start[row]), int(paths.end[row])))
    others[row] = True
    place = int(np.flatnonzero(np.flatnonzero(others) == row)[0])
    changed = paths.take(np.flatnonzero(others))  # a copy: take indexes with numbers
    length = len(exchange.steps)
    changed.relations[place, :length] = [step.relation for step in exchange.steps]
    changed.forward[place, :length] = [step.forward for step in exchange.steps]
    changed.edges[place, :length] = num_edges + np.arange(length)
    changed.features[place, TAXONOMIC] = np.mean([climbs[step.relation] for step in exchange.steps])
    return changed


def drop_paths(paths: PathTable, kept: NDArray[np.bool_], share: float, rng: random.Random) -> PathTable:
    """Leave out a share of the paths, but none of those that are to be kept, bool [num_paths]."""
    chosen = [bool(keep) or rng.random() >= share for keep in kept]
    return paths if all(chosen) else paths.take(np.flatnonzero(chosen))


def add_irrelevant(
    grounding: Grounding,
    number: int,
    graph: KnowledgeGraph,
    walkable: NDArray[np.bool_],
    spared: Ends | None,
    rng: random.Random,
) -> PathTable:
    """Return the paths with some that chance edges would give: any relations, any entities on the way.

    Args:
        grounding: of one example.
        number: paths to add; fewer where no mention of the premise or of the hypothesis is known.
        graph: its numbers of entities, relations and edges are read.
        walkable: bool [num_relations, 2], see `exchanges`.
        spared: mentions between which none is added; None: all may get some.
        rng: draws relations, entities, mentions and the features, which are those of a path of the same example.
    """
    num_premise = len(grounding.premise_mentions)
    known = [
        [number for number, mention in enumerate(side, start=first) if mention.candidates]
        for side, first in ((grounding.premise_mentions, 0), (grounding.hypothesis_mentions, num_premise))
    ]
    mentions = (*grounding.premise_mentions, *grounding.hypothesis_mentions)
    keys = {mention.key for mention in grounding.premise_mentions}
    fresh = [row for row in known[1] if mentions[row].key not in keys]
    steps = np.argwhere(walkable)
    if not known[0] or not fresh or not len(steps):
        return grounding.paths
    made = []
    for _ in range(number):
        ends = Ends(rng.choice(known[0]), rng.choice(fresh))
        if ends != spared:
            made.append(_irrelevant_path(grounding, ends, graph, steps, rng))
    if not made:
        return grounding.paths
    columns = zip(grounding.paths, *made, strict=True)
    return PathTable(*(np.concatenate(column) for column in columns))


def _irrelevant_path(
    grounding: Grounding, ends: Ends, graph: KnowledgeGraph, steps: NDArray[np.int64], rng: random.Random
) -> PathTable:
    """Make one path between the best candidates of two mentions, as a table of one row."""
    paths, length = grounding.paths, rng.choice(IRRELEVANT_LENGTHS)
    mentions = (*grounding.premise_mentions, *grounding.hypothesis_mentions)
    start, end = (mentions[number].candidates[0] for number in ends)
    entities, relations = np.full((1, MAX_STEPS + 1), -1, np.int32), np.full((1, MAX_STEPS), -1, np.int32)
    edges, forward = np.full((1, MAX_STEPS), -1, np.int32), np.zeros((1, MAX_STEPS), np.bool_)
    between = [rng.randrange(graph.num_entities) for _ in range(length - 1)]
    entities[0, : length + 1] = [start.entity, *between, end.entity]
    drawn = [steps[rng.randrange(len(steps))] for _ in range(length)]
    relations[0, :length] = [relation for relation, _ in drawn]
    forward[0, :length] = [way == 0 for _, way in drawn]
    edges[0, :length] = [len(graph.edge_head) + rng.randrange(1 << 24) for _ in range(length)]
    if paths.num_paths:
        features = paths.features[[rng.randrange(paths.num_paths)]].copy()
    else:
        features = np.full((1, len(PATH_FEATURES)), 0.5, np.float32)
    features[0, LENGTH], features[0, SAME_ENTITY] = (MAX_STEPS - length) / MAX_STEPS, 0.0
    features[0, TAXONOMIC] = rng.random() / 2
    return PathTable(
        entities=entities, relations=relations, forward=forward, edges=edges, length=np.array([length], np.int8),
        start=np.array([ends.start], np.int16), end=np.array([ends.end], np.int16), features=features,
        start_alias=np.array([start.alias], np.int32), end_alias=np.array([end.alias], np.int32),
        score=np.array([rng.random() / 4], np.float32),
    )  # fmt: skip
