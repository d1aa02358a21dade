"""The compiled loops of inference: what each node reaches (`closure.py`), what edges rest on (`inferences.py`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]


@compiled
def walk_on(
    seeds: tuple[Int64, Int32], steps: tuple[Int64, Int32], seen: Int32, queue: Int32, first: int, out: Int32
) -> tuple[int, int]:
    """Walk breadth first from nodes: one seed edge, then any number of step edges.

    Args:
        seeds: offsets [num_nodes + 1] and the nodes where each node's walk begins, ascending.
        steps: offsets [num_nodes + 1] and the nodes that follow each node, ascending.
        seen: int32 [num_nodes], by node the walk that met it last; zeros before the first call.
        queue: int32 [num_nodes], to be written over.
        first: the node with which to begin.
        out: int32 [num_rows, 3], filled: where the walk began, the node before, the node; neither seeds nor the node
            itself where it began. It has at least as many rows as there are nodes.

    Returns:
        How many rows were filled, and the node with which to go on; num_nodes when all is done.
    """
    num_nodes = seeds[0].size - 1
    count = 0
    node = first
    while node < num_nodes:
        stamp = node + 1
        start = count
        last = 0
        seen[node] = stamp
        for place in range(seeds[0][node], seeds[0][node + 1]):
            seed = seeds[1][place]
            if seen[seed] != stamp:
                seen[seed] = stamp
                queue[last] = seed
                last += 1
        here = 0
        while here < last:
            before = queue[here]
            here += 1
            for place in range(steps[0][before], steps[0][before + 1]):
                following = steps[1][place]
                if seen[following] == stamp:
                    continue
                if count == out.shape[0]:  # taken back, to be walked again when there is room
                    for place_seen in range(last):
                        seen[queue[place_seen]] = 0
                    return start, node
                seen[following] = stamp
                queue[last] = following
                last += 1
                out[count, 0] = node
                out[count, 1] = before
                out[count, 2] = following
                count += 1
        node += 1
    return count, num_nodes


@compiled
def take_least(values: Float32, first: int, offset: Int64, premise: Int32, waiting: Int64) -> None:
    """Give each inferred edge the least value of the stated edges that it rests on.

    Args:
        values: float32 [num_edges], those of the inferred edges are written over.
        first: the first inferred edge.
        offset: [num_inferred + 1], into the premises of each.
        premise: edges.
        waiting: int64 [num_inferred], to be written over.
    """
    state = np.zeros(offset.size - 1, dtype=np.uint8)  # 1: waits for its premises, 2: done
    for start in range(offset.size - 1):
        last = 0 if state[start] == 0 else -1
        waiting[0] = start
        while last >= 0:
            edge = waiting[last]
            state[edge] = 1
            following = -1
            least = np.float32(np.inf)
            for place in range(offset[edge], offset[edge + 1]):
                before = premise[place] - first
                if before >= 0 and state[before] == 0:
                    following = before
                    break
                if before < 0 or state[before] == 2:
                    least = min(least, values[premise[place]])
            if following >= 0:
                last += 1
                waiting[last] = following
            else:
                values[first + edge] = least
                state[edge] = 2
                last -= 1
