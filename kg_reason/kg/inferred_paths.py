"""What inferred edges add to the paths that a search found: paths of a single step between two linked words.

The search walks stated edges only, so that degrees, hubs, climbs and the number of paths stay what the files make them;
with every ancestor one step away, any two words would meet at any of them. An inferred edge is a path by itself, where
it joins two words directly and the search did not find the very edges it rests on. So it tells what lies beyond the
reach of the search (a long chain, a disjointness inherited from far above) or what no path says (the class of a thing
by the domain of a relation), and never stands in for a chain that is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.relation_walk import SKIP
from kg_reason.kg.search import (
    CANDIDATE_ENTITY,
    CODE,
    ELSEWHERE_FACTOR,
    END,
    END_CANDIDATE,
    ENTITY,
    FRESH,
    KIND,
    LENGTH,
    LENGTH_FACTOR,
    MOVED,
    PLACE,
    PLACE_FACTOR,
    START,
    START_CANDIDATE,
    TOTAL,
    WIDTH,
    Limits,
    Query,
    Scratch,
    insert_path,
    stand_in_place,
)

Int64 = NDArray[np.int64]
Triple = tuple[int, int, int]
Shown = dict[tuple[int, int], list[frozenset[Triple]]]


class Excluded(NamedTuple):
    """Relations and entities that no path may use, nor rest on."""

    relations: Collection[int]
    entities: Collection[int]


class _Hit(NamedTuple):
    """An inferred edge between candidates of two mentions; `forward`: from the start to the end."""

    score: float
    edge: int
    forward: bool
    start_candidate: int
    end_candidate: int
    triple: Triple
    grounds: frozenset[Triple]


class InferredPaths:
    """The inferred edges of a graph, found by their ends.

    Args:
        graph: in which paths are searched.
        walk: uint8 [num_relations], see `relation_walk`; of two inverse relations one is walked.
        excluded: what paths may not use.
    """

    def __init__(self, graph: KnowledgeGraph, walk: NDArray[np.uint8], excluded: Excluded) -> None:
        edges = graph.inferences.edges()
        edges = edges[walk[graph.edge_relation[edges]] != SKIP]
        self._graph, self._edges, self._excluded = graph, edges, excluded
        self._keys = graph.edge_head[edges].astype(np.int64) * graph.num_entities + graph.edge_tail[edges]  # ascending

    def offer(
        self, query: Query, limits: Limits, scratch: Scratch, counts: tuple[int, int, int]
    ) -> int:
        """Rank the paths of single inferred edges among those that a search has just left in its scratch.

        Args:
            query: of the search.
            limits: of the search.
            scratch: its `kept_rows` and `kept_scores` are changed.
            counts: premise mentions, all mentions, and paths found.

        Returns:
            How many paths there are.
        """
        num_premise, num_mentions, count = counts
        found = {pair: hits for pair, hits in self._pairs(query, limits, num_premise, num_mentions).items() if hits}
        if not found:
            return count
        shown = self._shown(scratch, count)
        kept = count
        for (start, end), hits in found.items():
            unsaid = self._unsaid(query, hits, shown)
            in_place = stand_in_place(query.key, start, end, num_premise, num_mentions)
            factor = 1.0 if in_place else ELSEWHERE_FACTOR
            for place, hit in enumerate(unsaid[: limits.max_per_pair]):
                row = self._row(query, hit, start, end)
                row[PLACE], row[TOTAL] = place, len(unsaid)
                score = hit.score * factor * PLACE_FACTOR**place
                kept = int(insert_path(scratch.kept_rows, scratch.kept_scores, kept, score, row))
        return kept

    def _pairs(
        self, query: Query, limits: Limits, num_premise: int, num_mentions: int
    ) -> dict[tuple[int, int], list[_Hit]]:
        """Return the inferred edges between the mentions that a search joins, by these."""
        owner = np.repeat(np.arange(num_mentions), np.diff(query.first[: num_mentions + 1]))
        entity = query.candidate[: len(owner), CANDIDATE_ENTITY].astype(np.int64)
        ends = np.flatnonzero(query.fresh[owner] != 0)
        starts = np.flatnonzero(owner < (num_mentions if limits.hypothesis_paths else num_premise))
        found: dict[tuple[int, int], list[_Hit]] = {}
        for forward in (True, False):
            first, second = entity[starts][:, None], entity[ends][None, :]
            keys = first * self._graph.num_entities + second if forward else second * self._graph.num_entities + first
            low, high = (np.searchsorted(self._keys, keys, side=side) for side in ("left", "right"))
            for row, column in np.argwhere(high > low).tolist():
                start, end = int(starts[row]), int(ends[column])
                pair = int(owner[start]), int(owner[end])
                if _is_joined(query, *pair, num_premise, num_mentions):
                    edges = self._edges[low[row, column] : high[row, column]].tolist()
                    found.setdefault(pair, []).extend(self._hits(query, edges, forward, start, end))
        return dict(sorted(found.items()))

    def _hits(self, query: Query, edges: list[int], forward: bool, start: int, end: int) -> Iterator[_Hit]:
        graph = self._graph
        for edge in edges:
            grounds = frozenset(map(self._triple, graph.inferences.grounds(edge)))
            triple = self._triple(edge)
            used = {relation for _, relation, _ in (*grounds, triple)}
            met = {entity for head, _, tail in grounds for entity in (head, tail)}
            if not used.intersection(self._excluded.relations) and not met.intersection(self._excluded.entities):
                score = float(np.sqrt(query.score[start] * query.score[end])) * LENGTH_FACTOR[1]
                yield _Hit(score, edge, forward, start, end, triple, grounds)

    def _triple(self, edge: int) -> Triple:
        graph = self._graph
        return int(graph.edge_head[edge]), int(graph.edge_relation[edge]), int(graph.edge_tail[edge])

    def _unsaid(self, query: Query, hits: list[_Hit], shown: Shown) -> list[_Hit]:
        """Return the hits that no path says already and none that rests on the same edges, best first."""
        unsaid: dict[frozenset[Triple], _Hit] = {}
        for hit in sorted(hits, key=lambda hit: (-hit.score, not hit.forward, hit.edge)):
            ends = _ends(query, hit)
            if not any(triples <= {*hit.grounds, hit.triple} for triples in shown.get(ends, ())):
                unsaid.setdefault(hit.grounds, hit)
        return list(unsaid.values())

    def _shown(self, scratch: Scratch, count: int) -> Shown:
        """Return the triples of each path that was found, by the entities that it joins."""
        shown: Shown = {}
        for row in scratch.kept_rows[:count].tolist():
            length = row[LENGTH]
            codes = row[CODE : CODE + length]
            triples = frozenset(self._triple(code if code >= 0 else ~code) for code in codes)
            shown.setdefault((row[ENTITY], row[ENTITY + length]), []).append(triples)
        return shown

    def _row(self, query: Query, hit: _Hit, start: int, end: int) -> NDArray[np.int32]:
        """Return a path of one edge as the search writes it."""
        row = np.zeros(WIDTH, dtype=np.int32)
        row[ENTITY:PLACE] = -1
        row[LENGTH], row[START], row[END] = 1, start, end
        row[START_CANDIDATE], row[END_CANDIDATE] = hit.start_candidate, hit.end_candidate
        row[[ENTITY, ENTITY + 1]] = _ends(query, hit)
        row[CODE] = hit.edge if hit.forward else ~hit.edge
        row[KIND] = 2 * int(self._graph.edge_relation[hit.edge]) + (0 if hit.forward else 1)
        return row


def _is_joined(query: Query, start: int, end: int, num_premise: int, num_mentions: int) -> bool:
    """Tell whether a search looks for paths between two mentions; see `search.find_paths`."""
    if query.fresh[end] == MOVED:
        return bool(stand_in_place(query.key, start, end, num_premise, num_mentions))
    other_word = query.fresh[start] == FRESH and query.key[start] != query.key[end] and start < end
    return start < num_premise or bool(other_word)


def _ends(query: Query, hit: _Hit) -> tuple[int, int]:
    start, end = (int(query.candidate[number, CANDIDATE_ENTITY]) for number in (hit.start_candidate, hit.end_candidate))
    return start, end
