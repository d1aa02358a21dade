"""The subgraph that the paths of one example span: their union as one small graph, with the part each node plays.

Finding the paths is `retriever.py`; joining the subgraphs of a batch as tensors is `model/collator.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.paths import PathTable

PREMISE, HYPOTHESIS, BOTH, BRIDGE = range(4)


@dataclass(frozen=True)
class Subgraph:
    """The union of the paths of one example, with local node numbers.

    Attributes:
        entity_ids: int32 [num_nodes], rising.
        edge_index: int64 [2, num_edges], head -> tail.
        edge_type: int32 [num_edges], relation ids.
        node_role: int8 [num_nodes]: PREMISE, HYPOTHESIS or BOTH where a path ends in a mention of that side, else
            BRIDGE.
        path_nodes: int32 [K, 8], the nodes of each path as walked, -1 fills.
        node_mention: int16 [num_mention_links, 2], (node, mention number): which mentions a node stands for.
    """

    entity_ids: NDArray[np.int32]
    edge_index: NDArray[np.int64]
    edge_type: NDArray[np.int32]
    node_role: NDArray[np.int8]
    path_nodes: NDArray[np.int32]
    node_mention: NDArray[np.int16]


def subgraph(paths: PathTable, num_premise_mentions: int) -> Subgraph:
    """Return the union of the paths as one graph; an empty table gives an empty graph.

    Args:
        paths: of one example.
        num_premise_mentions: tells mentions of the premise from those of the hypothesis.
    """
    used = paths.entities >= 0
    entity_ids = np.unique(paths.entities[used])
    path_nodes = np.where(used, np.searchsorted(entity_ids, paths.entities), -1).astype(np.int32)
    _, first = np.unique(paths.edges, return_index=True)  # an edge of several paths stands once
    first = first[paths.edges.ravel()[first] >= 0]
    row, step = np.divmod(first, paths.edges.shape[1])
    forward = paths.forward[row, step]
    near, far = path_nodes[row, step], path_nodes[row, step + 1]
    edge_index = np.stack([np.where(forward, near, far), np.where(forward, far, near)]).astype(np.int64)
    last = path_nodes[np.arange(len(path_nodes)), paths.length]
    nodes = np.concatenate([path_nodes[:, 0], last]).astype(np.int64)
    links = np.unique((nodes << 16) | np.concatenate([paths.start, paths.end]))
    node, mention = links >> 16, links & 0xFFFF
    in_premise = np.zeros(len(entity_ids), dtype=bool)
    in_hypothesis = np.zeros(len(entity_ids), dtype=bool)
    in_premise[node[mention < num_premise_mentions]] = True
    in_hypothesis[node[mention >= num_premise_mentions]] = True
    node_role = np.full(len(entity_ids), BRIDGE, dtype=np.int8)
    node_role[in_premise] = PREMISE
    node_role[in_hypothesis] = HYPOTHESIS
    node_role[in_premise & in_hypothesis] = BOTH
    return Subgraph(
        entity_ids=entity_ids,
        edge_index=edge_index,
        edge_type=paths.relations[row, step],
        node_role=node_role,
        path_nodes=path_nodes,
        node_mention=np.stack([node, mention], axis=1).astype(np.int16),
    )
