"""Pairs and their evidence as tensors, and how parts of different sizes lie in them one after the other.

Making batches is `collator.py`; what the tensors mean to the model is `gnn.py` and `fusion.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

UNKNOWN_LABEL = -100  # the class that torch's cross entropy passes over

Ints = NDArray[np.int64]


class Batch(NamedTuple):
    """Pairs, mentions, one joined subgraph and its paths, as tensors only.

    Sizes: B examples of T word pieces; M mentions that paths touch; N nodes; E edges; R relations; X labels of
    relations and bridge nodes as text; K paths of at most S steps.
    """

    input_ids: Tensor  # int64 [B, T]
    attention_mask: Tensor  # int64 [B, T], 0 at padding
    token_type_ids: Tensor  # int64 [B, T], 0 premise, 1 hypothesis
    labels: Tensor  # int64 [B], column of the logits, -100 where unknown
    text_labels: Tensor  # int64 [B], the same for the answer from text alone, -100 where the text cannot tell

    mention_pieces: Tensor  # int64 [num_mention_pieces], place in the flattened [B * T]; [CLS] for mentions cut off
    mention_start: Tensor  # int64 [M], where each mention's word pieces start in mention_pieces

    text_pieces: Tensor  # int64 [num_text_pieces], vocabulary ids of all labels, one after the other
    text_start: Tensor  # int64 [X], where each label starts; row 0 is empty, rows 1..R are the relations, then others

    relation_number: Tensor  # int64 [R], number of the learned residual; the last number for relations not seen before
    relation_kind: Tensor  # int64 [R], 1 + place in KINDS, negative for the other direction, 0 for no known kind
    relation_inverse: Tensor  # int64 [R], row of the label of the inverse relation, 0 where there is none
    node_role: Tensor  # int64 [N], PREMISE 0, HYPOTHESIS 1, BOTH 2, BRIDGE 3
    node_text: Tensor  # int64 [N], row of a bridge node's label, 0 for nodes with mentions
    node_mentions: Tensor  # int64 [num_node_mentions], mentions that name a node, one node after the other
    node_start: Tensor  # int64 [N], where each node's mentions start in node_mentions
    edge_index: Tensor  # int64 [2, E], head to tail
    edge_relation: Tensor  # int64 [E], 0..R-1

    path_nodes: Tensor  # int64 [K, S + 1], -1 behind the end
    path_relation: Tensor  # int64 [K, S], 0..R-1, -1 behind the end
    path_forward: Tensor  # bool [K, S]
    path_length: Tensor  # int64 [K], steps of each path, 0..S
    path_features: Tensor  # float32 [K, num_features]
    path_start: Tensor  # int64 [K], mention 0..M-1
    path_end: Tensor  # int64 [K], mention 0..M-1
    path_example: Tensor  # int64 [K], example 0..B-1, ascending
    path_slots: Tensor  # int64 [B, max_paths_of_an_example], path 0..K-1, -1 padding

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """Return the batch on another device."""
        return type(self)(*(tensor.to(device, non_blocking=non_blocking) for tensor in self))

    @property
    def num_examples(self) -> int:
        """B, the number of pairs."""
        return int(self.input_ids.shape[0])


def joined(arrays: Sequence[NDArray[np.generic]]) -> Ints:
    """Concatenate along the first axis as int64."""
    return np.concatenate(arrays).astype(np.int64)


def starts(sizes: Ints) -> Ints:
    """Return where each of several parts starts when they stand one after the other, [num_parts]."""
    return np.cumsum(sizes) - sizes


def slots(sizes: Ints) -> Ints:
    """Lay consecutive numbers out in rows of given sizes, padded with -1: [2, 1] gives [[0, 1], [2, -1]]."""
    column = np.arange(sizes.max(initial=0))
    return np.where(column < sizes[:, None], starts(sizes)[:, None] + column, -1)
