"""Which way path search walks each relation of a graph, found out when the graph is built.

What a single search makes of it, with the relations it excludes and those it climbs, is `edge_walks.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled
from kg_reason.kg.counting import num_shared, row_offsets
from kg_reason.kg.search import TWIN_MISSING
from kg_reason.kg.terms import Int32, Int64

SKIP, FORWARD, ONE_OF_TWO, BOTH_WAYS = 0, 1, 2, 3  # and TWIN_MISSING; kept in graph folders
MAX_WALK_RELATIONS = 511  # with more, no relation is taken for another's inverse
MIN_TWINS = 0.1  # share of its edges that a relation's inverse states, where noise keeps it from stating all
MIN_TWINS_OF = 1000  # edges that two such relations have at least
MIN_SIZE_RATIO = 0.8  # between them


def relation_walk(
    head: NDArray[np.int32], relation: NDArray[np.int32], tail: NDArray[np.int32], num_relations: int
) -> NDArray[np.uint8]:
    """Return how path search walks each relation, uint8 [num_relations].

    Graphs often state an edge twice: `hypernym` and `hyponym`, or `antonym` both ways. Walking both would find every
    path twice. SKIP: another relation is its exact inverse. FORWARD: every edge has its twin. ONE_OF_TWO: backward only
    where no edge leads forward. BOTH_WAYS. TWIN_MISSING: only the edges that the inverse does not state. A relation may
    be inverse but for the noise of its graph: then both are large, of much the same size, and share MIN_TWINS of their
    edges. Edits turn SKIP into TWIN_MISSING and FORWARD into ONE_OF_TWO.
    """
    walk = np.full(num_relations, BOTH_WAYS, dtype=np.uint8)
    if num_relations > MAX_WALK_RELATIONS:
        return walk
    forward = _keys_by_relation(head, relation, tail, num_relations)
    backward = _keys_by_relation(tail, relation, head, num_relations)
    one_way = np.ones(num_relations, dtype=bool)
    for number in range(num_relations):
        if not len(forward[number]):
            continue
        shared = num_shared(forward[number], backward[number])
        one_way[number] = shared < MIN_TWINS * len(forward[number])
        if shared == len(forward[number]):
            walk[number] = FORWARD
        elif shared:
            walk[number] = ONE_OF_TWO
        if walk[number] == FORWARD:
            continue
        others = [other for other in range(number) if walk[other] in (ONE_OF_TWO, BOTH_WAYS)]
        if any(np.array_equal(forward[other], backward[number]) for other in others):
            walk[number] = SKIP
        elif one_way[number]:
            alike = [item for item in others if one_way[item] and _state_alike(forward[item], backward[number])]
            walk[number] = TWIN_MISSING if len(alike) == 1 else walk[number]
    return walk


def _state_alike(first: Int64, second: Int64) -> bool:
    """Tell whether two relations of many edges each, and much the same number, share a part of their pairs."""
    fewer, more = sorted((len(first), len(second)))
    if fewer < MIN_TWINS_OF or fewer < MIN_SIZE_RATIO * more:
        return False
    return num_shared(first, second) >= MIN_TWINS * more


@compiled
def _deal_pairs(
    first: Int32, relation: Int32, second: Int32, num_entities: int, next_place: Int64, keys: Int64
) -> None:
    """Deal the pairs out to their relations, in their order."""
    for row in range(relation.size):
        place = next_place[relation[row]]
        next_place[relation[row]] = place + 1
        keys[place] = int(first[row]) * num_entities + second[row]


def _keys_by_relation(
    first: NDArray[np.int32], relation: NDArray[np.int32], second: NDArray[np.int32], num_relations: int
) -> list[Int64]:
    """Return for each relation its pairs (first, second), ascending, each as one number."""
    num_entities = max(int(first.max(initial=0)), int(second.max(initial=0))) + 1
    offset = row_offsets(relation, num_relations)
    keys = np.empty(len(relation), dtype=np.int64)
    _deal_pairs(first, relation, second, num_entities, offset[:-1].copy(), keys)
    parts = np.split(keys, offset[1:-1])
    for part in parts:
        if (part[1:] < part[:-1]).any():  # the edges of a finished graph are sorted already
            part.sort()
    return parts
