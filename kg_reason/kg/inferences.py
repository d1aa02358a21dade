"""The inferred edges of a graph and what they rest on: kept behind the stated ones, where no walk meets them.

An inferred edge has a number, head, relation, tail and weight like any other, but no row of an entity holds it and no
line states it. Its premises are stated edges, or inferred ones, down to stated ones. Of the arrays of a graph

    premise_offset, premise_edge              what each of K inferred edges follows from directly, by edge number
    inferred_by_tail                          int32 [K], the inferred edges in the order of their tails
    edge_head, edge_relation, edge_tail, edge_weight, edge_source     end with K rows for them, by head, tail, relation

belong to them; a graph without has none of the first two rows. They are those of the build: an edit makes none. With an
edge that an edit removes all go that rest on it by the derivation that is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg_reason.errors import GraphError
from kg_reason.kg.closure_scan import take_least
from kg_reason.kg.counting import counted_order

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

INFERRED_ARRAYS = ("premise_offset", "premise_edge", "inferred_by_tail")


def add_inferred(
    arrays: MutableMapping[str, NDArray[Any]],
    ends: tuple[Int32, Int32, Int32],
    premise_offset: Int64,
    premise: Int64,
    edge_of_row: Int64,
) -> None:
    """Add inferred edges to the arrays of a graph.

    Args:
        arrays: with those of the stated edges, sorted; changed.
        ends: head, relation and tail [K].
        premise_offset: [K + 1].
        premise: rows of statements, or num_rows + k for the inferred edge k.
        edge_of_row: [num_rows], the edge that each row states.
    """
    head, relation, tail = ends
    num_stated, count = len(arrays["edge_head"]), len(head)
    num_entities, num_relations = len(arrays["out_offset"]) - 1, int(relation.max()) + 1
    order = counted_order(tail, num_entities, counted_order(relation, num_relations))
    order = counted_order(head, num_entities, order)
    place = np.empty(count, dtype=np.int64)
    place[order] = num_stated + np.arange(count)
    edges = np.concatenate([edge_of_row, place])[premise]
    sizes = np.diff(premise_offset)[order]
    offset = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(sizes, out=offset[1:])
    rows = np.repeat(premise_offset[:-1][order] - offset[:-1], sizes) + np.arange(offset[-1])
    arrays["premise_offset"], arrays["premise_edge"] = offset, edges[rows].astype(np.int32)
    arrays["inferred_by_tail"] = counted_order(tail[order], num_entities).astype(np.int32)
    weight = _lightest(np.asarray(arrays["edge_weight"]), offset, arrays["premise_edge"])
    names = ("edge_head", "edge_relation", "edge_tail", "edge_weight")
    for name, column in zip(names, (head[order], relation[order], tail[order], weight), strict=True):
        arrays[name] = np.concatenate([arrays[name], column.astype(arrays[name].dtype)])
    last = arrays["edge_source"][-1]
    arrays["edge_source"] = np.append(arrays["edge_source"], np.full(count, last, dtype=np.int64))


def _lightest(stated: NDArray[np.float32], offset: Int64, premise: Int32) -> NDArray[np.float32]:
    """Return the weight of each inferred edge: that of the lightest stated edge it rests on."""
    values = np.concatenate([stated, np.ones(len(offset) - 1, dtype=np.float32)])
    if not (stated == 1).all():
        take_least(values, len(stated), offset, premise, np.empty(len(offset) - 1, dtype=np.int64))
    return values[len(stated) :]


class Inferences:
    """The inferred edges of one graph.

    Args:
        arrays: of the graph.
        removed: the stated edges that edits removed.
        stated: triples (head, relation, tail) that edits added: they are not inferred any more.

    Attributes:
        first: the number of the first inferred edge.
        num: how many there were at the build.
    """

    def __init__(
        self,
        arrays: Mapping[str, NDArray[Any]],
        removed: Collection[int] = (),
        stated: Collection[tuple[int, int, int]] = (),
    ) -> None:
        self.num = max(0, len(arrays["premise_offset"]) - 1) if "premise_offset" in arrays else 0
        self.first = len(arrays["edge_source"]) - 1 - self.num
        self._arrays = arrays
        self._is_checked = False
        self._is_ground: Flags | None = None
        self._holds: Flags | None = None
        if self.num and (removed or stated):
            self._holds = ~self._resting_on(removed)
            found = [self.find(*triple) for triple in stated]
            self._holds[[edge - self.first for edge in found if edge >= 0]] = False

    def __contains__(self, edge: int) -> bool:
        return self.first <= edge < self.first + self.num

    def edges(self) -> Int64:
        """Return the inferred edges whose premises all hold, by head and tail."""
        if self._holds is None:
            return np.arange(self.first, self.first + self.num, dtype=np.int64)
        return self.first + np.flatnonzero(self._holds)

    def edges_of(self, entity: int) -> list[int]:
        """Return the inferred edges that start or end in an entity and hold, those that start there first.

        Raises:
            GraphError: an array is damaged; so do the others that read premises.
        """
        if not self.num:
            return []
        tail = self._arrays["edge_tail"][self.first : self.first + self.num]
        by_tail = self._arrays["inferred_by_tail"]
        if not self._is_checked:
            _check_numbers("inferred_by_tail", by_tail, self.num)
            self._is_checked = True
        inward = by_tail[slice(*np.searchsorted(tail, [entity, entity + 1], sorter=by_tail).tolist())].tolist()
        return [self.first + k for k in [*self._outward(entity), *inward] if self._holds is None or self._holds[k]]

    def find(self, head: int, relation: int, tail: int) -> int:
        """Return the inferred edge that holds of a triple, -1 if none does."""
        for k in self._outward(head) if self.num else ():
            edge = self.first + k
            if self._arrays["edge_relation"][edge] == relation and self._arrays["edge_tail"][edge] == tail:
                return edge if self._holds is None or self._holds[k] else -1
        return -1

    def _outward(self, entity: int) -> range:
        """Return the places of the inferred edges that start in an entity."""
        head = self._arrays["edge_head"][self.first : self.first + self.num]
        return range(*np.searchsorted(head, [entity, entity + 1]).tolist())

    def premises(self, edge: int) -> list[int]:
        """Return the edges that an inferred edge follows from directly."""
        bounds = self._arrays["premise_offset"]
        row = slice(int(bounds[edge - self.first]), int(bounds[edge - self.first + 1]))
        found = self._arrays["premise_edge"][row]
        _check_numbers("premise_edge", found, self.first + self.num)
        return list(found.tolist())

    def grounds(self, edge: int) -> list[int]:
        """Return the stated edges that an inferred edge rests on, in the order of its derivation.

        Each stands once, where it is needed last: what makes a relation transitive comes after the links of its chain.
        """
        found: dict[int, None] = {}
        seen: set[int] = set()
        waiting = [edge]
        while waiting:
            here = waiting.pop()
            if here not in self:
                found[here] = None
            elif here not in seen:
                seen.add(here)
                waiting += self.premises(here)
        return list(reversed(found))

    def rest_on(self, stated: Collection[int]) -> bool:
        """Tell whether an inferred edge rests on one of some stated edges."""
        if not self.num:
            return False
        if self._is_ground is None:
            self._is_ground = np.zeros(self.first + self.num, dtype=bool)
            self._is_ground[self._arrays["premise_edge"]] = True
        return any(bool(self._is_ground[edge]) for edge in stated if edge >= 0)

    def _resting_on(self, removed: Collection[int]) -> Flags:
        """Tell which inferred edges rest on stated ones that are gone."""
        stands = np.ones(self.first, dtype=np.float32)
        stands[list(removed)] = 0
        offset, premise = (np.array(self._arrays[name]) for name in ("premise_offset", "premise_edge"))
        _check_numbers("premise_edge", premise, self.first + self.num)
        _check_numbers("premise_offset", offset, len(premise) + 1)
        return np.asarray(_lightest(stands, offset, premise) == 0)


def _check_numbers(name: str, numbers: NDArray[Any], bound: int) -> None:
    """Refuse numbers of nothing, which compiled code would look up all the same."""
    if len(numbers) and not (int(numbers.min()) >= 0 and int(numbers.max()) < bound):
        raise GraphError(f"{name}: found {int(numbers.min())} to {int(numbers.max())}, expected 0 to {bound - 1}: "
                         "kg-reason doctor tells more")  # fmt: skip
