"""What linking and retrieval would find after some edits of the graph, without making them.

A counterfactual asks one pair under dozens of edits. Opening the edited graph anew for each of them costs as much as
several answers (`KnowledgeGraph.with_edits`), so a `Trials` keeps one copy of the graph's arrays with room behind them,
lays an edit over it as `kg/overlay.py` would, searches, and takes the edit back. What was remembered of the entities
around the edit is forgotten in between. The groundings are those of the edited graph, but for the numbers of the edges.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import LinkerConfig, RetrieverConfig
from kg_reason.kg.edit_log import ADD, REMOVE, Edit
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounder, Grounding
from kg_reason.kg.linker import EntityLinker, Mention
from kg_reason.kg.paths import PathTable
from kg_reason.kg.relation_walk import FORWARD, ONE_OF_TWO, SKIP
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.search import CHAIN_COUNT, CHAIN_DEGREE, CHAIN_NODE, CHAIN_START, ROW_START, TWIN_MISSING
from kg_reason.nli import NLIExample

ROOM = 1 << 16  # edges that an edit may move; the rows of larger hubs are laid by opening the edited graph
NO_EDIT = Edit(0, REMOVE, "", "", "")

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Triple = tuple[int, int, int]  # entity, relation, entity


class Change(NamedTuple):
    """Edits of one graph by number: edges that are gone, and triples of known entities and relations that are new."""

    removed: tuple[int, ...] = ()
    added: tuple[Triple, ...] = ()

    def edits(self, graph: KnowledgeGraph) -> list[Edit]:
        """Return the edits as the log of the graph would hold them."""
        gone = [(REMOVE, edge_triple(graph, edge)) for edge in self.removed]
        numbered = enumerate([*gone, *((ADD, triple) for triple in self.added)], start=len(graph.overlay.edits) + 1)
        return [
            Edit(line, what, graph.entity_id(head), graph.relation_id(relation), graph.entity_id(tail))
            for line, (what, (head, relation, tail)) in numbered
        ]


def edge_triple(graph: KnowledgeGraph, edge: int) -> Triple:
    """Return head, relation and tail of an edge."""
    return int(graph.edge_head[edge]), int(graph.edge_relation[edge]), int(graph.edge_tail[edge])


def find_edge(graph: KnowledgeGraph, triple: Triple) -> int:
    """Return the edge that states a triple, -1 if none does."""
    head, relation, tail = triple
    row = np.arange(int(graph.out_start[head]), int(graph.out_end[head]))
    same = row[(graph.edge_relation[row] == relation) & (graph.edge_tail[row] == tail)]
    return int(same[0]) if len(same) else -1


def trials_of(grounder: Grounder) -> Trials:
    """Return the trials of a grounder; they are made once for each grounder, of which the last is kept."""
    return _trials_of(grounder)


@lru_cache(maxsize=1)
def _trials_of(grounder: Grounder) -> Trials:
    return Trials(grounder.graph, grounder.linker.config, grounder.retriever.config)


class Trials:
    """Grounds pairs in a graph as it would be after some edits. One per thread, as its arrays are changed and mended.

    What relations are, which of them climb and which are inverse, stays what it is in the whole graph.

    Args:
        graph: as it is; its edge arrays are copied (about 25 bytes for each edge, 40 for each entity).
        linker_config: settings of linking.
        retriever_config: settings of the search.
    """

    def __init__(self, graph: KnowledgeGraph, linker_config: LinkerConfig, retriever_config: RetrieverConfig) -> None:
        self.graph = graph
        self._num_edges, self._num_rows = len(graph.edge_head), len(graph.in_edge)
        self._arrays = {
            name: _with_room(getattr(graph, name))
            for name in ("edge_head", "edge_relation", "edge_tail", "edge_weight", "in_edge")
        }
        bounds = ("out_start", "out_end", "in_start", "in_end")
        self._arrays |= {name: np.array(getattr(graph, name)) for name in bounds}
        self._position = _positions(graph)
        view = _view(graph, self._arrays)
        touched = _ForgetfulRetriever(_with_all_touched(view), retriever_config)
        self._retriever = _ForgetfulRetriever(view, retriever_config)
        self._retriever.learn_walks(touched)
        self._linker = EntityLinker(view, linker_config)
        self._before: list[tuple[NDArray[Any], Any, Any]] = []

    def ground(self, example: NLIExample, change: Change) -> Grounding:
        """Return what the graph would have to say about an example after a change.

        Its paths name edges of the graph by their own numbers, and new ones by numbers behind all of these.

        Args:
            example: the pair.
            change: removed edges are there, added triples are not.

        Raises:
            ConfigError: a text is longer than the linker's limit.
            UnknownEntityError: a name of the example stands for an entity that the graph does not hold.
        """
        if self._is_beyond(change):
            graph = self.graph.with_edits(change.edits(self.graph))
            linker = EntityLinker(graph, self._linker.config)
            found = Grounder(linker, Retriever(graph, self._retriever.config)).ground(example)
            return replace(found, paths=self._numbered(found.paths, graph))
        ends = np.unique([end for triple in self._triples(change) for end in (triple[0], triple[2])]).astype(np.int64)
        around = self._around(ends)
        try:
            self._lay(change)
            self._retriever.touch({triple[1] for triple in self._triples(change)})
            premise, hypothesis = self._linker.link_pair(example.premise, example.hypothesis, example.names or None)
            self._retriever.forget(ends, around, (*premise, *hypothesis))
            paths = self._numbered(self._retriever.retrieve(premise, hypothesis), self._retriever.graph)
            self._retriever.forget(ends, around, (*premise, *hypothesis))
        finally:
            self._retriever.touch(set())
            while self._before:
                array, where, values = self._before.pop()
                array[where] = values
        return Grounding(premise, hypothesis, paths)

    def _numbered(self, paths: PathTable, graph: KnowledgeGraph) -> PathTable:
        """Give the edges that moved the numbers that they have in the graph as it is."""
        edges = paths.edges.copy()
        for edge in np.unique(edges[edges >= 0]).tolist():
            if edge in self.graph.inferences:
                continue
            if edge >= self._num_edges or graph is not self._retriever.graph:
                known = find_edge(self.graph, edge_triple(graph, edge))
                edges[paths.edges == edge] = known if known >= 0 else self._num_edges + edge
        return paths._replace(edges=edges)

    def _triples(self, change: Change) -> list[Triple]:
        return [*(edge_triple(self.graph, edge) for edge in change.removed), *change.added]

    def _is_beyond(self, change: Change) -> bool:
        """Tell whether a change is more than laying rows: too long ones, or an edge that doubts or inferences need."""
        arrays, triples = self._arrays, self._triples(change)
        out_rows = sum(int(arrays["out_end"][head] - arrays["out_start"][head]) for head in {t[0] for t in triples})
        in_rows = sum(int(arrays["in_end"][tail] - arrays["in_start"][tail]) for tail in {t[2] for t in triples})
        doubted = any(self._retriever.is_doubtful(edge) for edge in change.removed)
        rested_on = self.graph.inferences.rest_on([self.graph.stored_edge(edge) for edge in change.removed])
        return doubted or rested_on or max(out_rows, in_rows) + len(triples) > ROOM

    def _around(self, ends: Int64) -> Int64:
        """Return the ends of a change and their neighbours."""
        arrays, parts = self._arrays, [ends]
        for end in ends.tolist():
            parts.append(arrays["edge_tail"][arrays["out_start"][end] : arrays["out_end"][end]])
            inward = arrays["in_edge"][arrays["in_start"][end] : arrays["in_end"][end]]
            parts.append(arrays["edge_head"][inward])
        return np.concatenate(parts).astype(np.int64)

    def _set(self, array: NDArray[Any], where: Any, values: Any) -> None:  # noqa: ANN401 - a place or many
        self._before.append((array, where, array[where].copy()))
        array[where] = values

    def _lay(self, change: Change) -> None:
        """Write the changed rows behind the others and point to them, in the order in which an overlay has them."""
        arrays, triples = self._arrays, self._triples(change)
        removed = np.array(change.removed, dtype=np.int64)
        arriving: dict[int, list[int]] = {}
        slot = self._num_edges
        for head in sorted({triple[0] for triple in triples}):
            slot = self._lay_out_row(head, removed, change.added, slot, arriving)
        place = self._num_rows
        for tail in sorted({triple[2] for triple in triples}):
            row = arrays["in_edge"][arrays["in_start"][tail] : arrays["in_end"][tail]]
            row = np.concatenate([row[~np.isin(row, removed)], np.array(arriving.get(tail, []), dtype=row.dtype)])
            arrays["in_edge"][place : place + len(row)] = row
            self._set(arrays["in_start"], tail, place)
            self._set(arrays["in_end"], tail, place + len(row))
            place += len(row)

    def _lay_out_row(
        self, head: int, removed: Int64, added: Sequence[Triple], slot: int, arriving: dict[int, list[int]]
    ) -> int:
        """Write the out-edges of one entity and return the next free slot."""
        arrays = self._arrays
        kept = np.arange(int(arrays["out_start"][head]), int(arrays["out_end"][head]))
        kept = kept[~np.isin(kept, removed)]
        new = [triple for triple in added if triple[0] == head]
        relations = np.concatenate([arrays["edge_relation"][kept], np.array([t[1] for t in new], dtype=np.int32)])
        tails = np.concatenate([arrays["edge_tail"][kept], np.array([t[2] for t in new], dtype=np.int32)])
        weights = np.concatenate([arrays["edge_weight"][kept], np.ones(len(new), dtype=np.float32)])
        order = np.lexsort((tails, relations))
        slots = slice(slot, slot + len(order))
        arrays["edge_head"][slots] = head
        arrays["edge_relation"][slots], arrays["edge_tail"][slots] = relations[order], tails[order]
        arrays["edge_weight"][slots] = weights[order]
        stored = np.concatenate([kept, np.full(len(new), -1, dtype=np.int64)])[order]
        self._retriever.carry_doubt(stored, slot)
        moved = np.flatnonzero(stored >= 0)
        self._set(arrays["in_edge"], self._position[stored[moved]], slot + moved)
        for number in np.flatnonzero(stored < 0).tolist():
            arriving.setdefault(int(arrays["edge_tail"][slot + number]), []).append(slot + number)
        self._set(arrays["out_start"], head, slot)
        self._set(arrays["out_end"], head, slot + len(order))
        return slot + len(order)


class _ForgetfulRetriever(Retriever):
    """A retriever whose graph changes between two searches: the one that has to know what a search remembers."""

    def learn_walks(self, touched: _ForgetfulRetriever) -> None:
        """Learn how each relation is walked when edits have touched it, from a retriever to which all are so."""
        self._settled = self._rows.walk.copy(), self._rows.twin.copy()
        self._touched = touched._rows.walk, touched._rows.twin
        self._has_twins = touched._has_twins or self._has_twins

    def touch(self, relations: Collection[int]) -> None:
        """Walk these relations as edits leave them, and all others as they are."""
        numbers = sorted(relations)
        self._rows.walk[:], self._rows.twin[:] = self._settled
        self._rows.walk[numbers] = self._touched[0][numbers]
        self._rows.twin[numbers] = self._touched[1][numbers]

    def is_doubtful(self, edge: int) -> bool:
        """Tell whether an edge is walked with doubt only."""
        return bool(self._rows.doubtful[edge])

    def carry_doubt(self, stored: Int64, slot: int) -> None:
        """Let slots be as doubtful as the edges that moved there; those that are new (-1) are not."""
        self._rows.doubtful[slot : slot + len(stored)] = np.where(stored < 0, 0, self._rows.doubtful[stored])

    def forget(self, ends: Int64, around: Int64, mentions: Sequence[Mention]) -> None:
        """Forget the rows around the ends of a change, and the chains through them from the candidates of a pair.

        Candidates of other pairs have none: what a change made of theirs was forgotten with it.
        """
        memory = self._memory
        memory.met[around, ROW_START] = 0
        entities = np.array([c.entity for mention in mentions for c in mention.candidates], dtype=np.int64)
        entities = entities[memory.met[entities, CHAIN_START] > 0]
        if not len(entities) or not len(ends):
            return
        first, counts = memory.met[entities, CHAIN_START] - 1, memory.met[entities, CHAIN_COUNT]
        offset = np.cumsum(counts) - counts
        rows = np.repeat(first - offset, counts) + np.arange(int(counts.sum()))
        passes = np.isin(memory.chains[rows, CHAIN_NODE:CHAIN_DEGREE], ends).any(axis=1)
        memory.met[entities[np.logical_or.reduceat(passes, offset)], CHAIN_START] = 0


def _with_room(array: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([array, np.zeros(ROOM, dtype=array.dtype)])


def _positions(graph: KnowledgeGraph) -> Int64:
    """Return where each edge stands among the edges by tail, int64 [num_edges]."""
    sizes = np.asarray(graph.in_end - graph.in_start, dtype=np.int64)
    places = np.repeat(graph.in_start - (np.cumsum(sizes) - sizes), sizes) + np.arange(int(sizes.sum()))
    positions = np.zeros(len(graph.edge_head), dtype=np.int64)
    positions[graph.in_edge[places]] = places
    return positions


def _view(graph: KnowledgeGraph, arrays: dict[str, NDArray[Any]]) -> KnowledgeGraph:
    """Return the graph over other arrays of edges, as one that has edits."""
    view = copy.copy(graph)
    for name, array in arrays.items():
        shown = array.view()
        shown.flags.writeable = getattr(graph, name).flags.writeable  # compiled code is made for the one or the other
        setattr(view, name, shown)
    overlay = graph.overlay
    view.overlay = replace(
        overlay, edits=overlay.edits or (NO_EDIT,), slot_origin=[*overlay.slot_origin, *[(-1, 0)] * ROOM]
    )
    return view


def _with_all_touched(graph: KnowledgeGraph) -> KnowledgeGraph:
    """Return the graph with every relation walked as if an edit had touched it, see `kg/overlay.py`."""
    view = copy.copy(graph)
    walk = np.array(graph.relation_walk)
    walk[walk == SKIP], walk[walk == FORWARD] = TWIN_MISSING, ONE_OF_TWO
    walk.flags.writeable = graph.relation_walk.flags.writeable
    view.relation_walk = walk
    return view
