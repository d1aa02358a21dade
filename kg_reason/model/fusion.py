"""The fusion layer: what each retrieved path adds to each label.

A path is read step by step, joined with the two mentions it links and with [CLS], and answers with a gate in (0, 1) and
a vote over the labels; gate times vote is its contribution. Votes sum to zero over the labels, so a contribution says
what a path prefers and never shifts all labels at once. Adding contributions to the text's logits is `fused.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from kg_reason.model.batch import Batch
from kg_reason.model.gnn import NUM_ROLES, RESIDUAL_SCALE, SubgraphStates


class PathVotes(NamedTuple):
    """The answers of K paths."""

    gates: Tensor  # [K], in (0, 1)
    votes: Tensor  # [K, num_labels], each row sums to 0


class PathReader(nn.Module):
    """A state for every path, read by a GRU over its (relation, node) steps from its first node to its last.

    The GRU (Cho et al. 2014) is written out because nodes and relations are fewer than steps: what each brings to the
    gates is computed once per node and per relation, which takes a third off the reading of a batch.

    Args:
        graph_dim: width of node, relation and path states.
    """

    def __init__(self, graph_dim: int) -> None:
        super().__init__()
        self.graph_dim = graph_dim
        self.from_node = nn.Linear(graph_dim, 3 * graph_dim)
        self.from_relation = nn.Linear(graph_dim, 3 * graph_dim, bias=False)
        self.from_state = nn.Linear(graph_dim, 3 * graph_dim)

    def forward(self, batch: Batch, states: SubgraphStates) -> Tensor:
        """Return the path states [K, graph_dim]; a path of no steps is its one node."""
        nodes = self.from_node(states.nodes)[batch.path_nodes.clamp(min=0)]  # [K, S + 1, 3 * graph_dim]
        way = (~batch.path_forward).long()
        relations = self.from_relation(states.relations)[batch.path_relation.clamp(min=0), way]  # [K, S, 3 * graph_dim]
        entering = nodes + functional.pad(relations, (0, 0, 1, 0))  # no relation leads to the first node
        state = entering.new_zeros(1, self.graph_dim)  # the same for all paths
        read = []
        for step in entering.unbind(dim=1):
            state = self._next(step, self.from_state(state), state)
            read.append(state)
        # a state depends on what stands before it only, so the padding behind a path's end does not reach its state
        rows = torch.arange(len(state), device=state.device)
        return torch.stack(read, dim=1)[rows, batch.path_length]

    def _next(self, entering: Tensor, kept: Tensor, state: Tensor) -> Tensor:
        """Return the next state [K, graph_dim] from what enters and what is kept, each [K, 3 * graph_dim]."""
        reset_in, update_in, new_in = entering.chunk(3, dim=-1)
        reset, update, new = kept.chunk(3, dim=-1)
        candidate = torch.tanh(new_in + torch.sigmoid(reset_in + reset) * new)
        return candidate + torch.sigmoid(update_in + update) * (state - candidate)


class PathJudge(nn.Module):
    """Gate and vote of a path state.

    Args:
        graph_dim: width of the states.
        num_labels: of the task.
        dropout: before gate and vote.
        gate_bias: initial bias of the gate; negative starts near the text model.
    """

    def __init__(self, graph_dim: int, num_labels: int, *, dropout: float, gate_bias: float) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.LayerNorm(graph_dim), nn.GELU(), nn.Dropout(dropout))
        self.gate = nn.Linear(graph_dim, 1)
        self.vote = nn.Sequential(nn.Linear(graph_dim, graph_dim), nn.GELU(), nn.Linear(graph_dim, num_labels))
        nn.init.constant_(self.gate.bias, gate_bias)

    def forward(self, path_states: Tensor) -> PathVotes:
        """Judge path states [K, graph_dim]."""
        entered = self.enter(path_states)
        votes = self.vote(entered)  # [K, num_labels]
        return PathVotes(self.gate(entered).sigmoid().squeeze(-1), votes - votes.mean(dim=-1, keepdim=True))


class PathFusion(nn.Module):
    """Joins every path with its two mentions, its features and [CLS], and judges it.

    Args:
        text_dim: width of the encoder's token states.
        graph_dim: width of the path states.
        num_features: width of the path features.
        num_labels: of the task.
        dropout: in the judge.
        gate_bias: initial bias of the gates.
    """

    def __init__(
        self, text_dim: int, graph_dim: int, num_features: int, num_labels: int, *, dropout: float, gate_bias: float
    ) -> None:
        super().__init__()
        self.reader = PathReader(graph_dim)
        self.project_mention = nn.Linear(text_dim, graph_dim)
        self.from_path = nn.Linear(3 * graph_dim + num_features, graph_dim)
        self.from_start = nn.Linear(graph_dim, graph_dim, bias=False)
        self.from_end = nn.Linear(graph_dim, graph_dim, bias=False)
        self.from_cls = nn.Linear(text_dim, graph_dim, bias=False)
        self.judge = PathJudge(graph_dim, num_labels, dropout=dropout, gate_bias=gate_bias)

    def forward(self, batch: Batch, states: SubgraphStates, mention_states: Tensor, cls_states: Tensor) -> PathVotes:
        """Judge every path.

        Args:
            batch: its paths.
            states: of nodes and relations.
            mention_states: contextual, [num_mentions, text_dim].
            cls_states: [B, text_dim].
        """
        mentions = self.project_mention(mention_states)  # [num_mentions, graph_dim]
        start, end = mentions[batch.path_start], mentions[batch.path_end]  # each [K, graph_dim]
        parts = [self.reader(batch, states), (start - end).abs(), start * end, batch.path_features]
        joined = self.from_path(torch.cat(parts, dim=-1))  # [K, graph_dim]
        joined = joined + self.from_start(mentions)[batch.path_start] + self.from_end(mentions)[batch.path_end]
        judged: PathVotes = self.judge(joined + self.from_cls(cls_states)[batch.path_example])
        return judged


class PathCounts(nn.Module):
    """A control: judges a path only by how often each relation, direction and role occurs in it.

    After GSC (Wang et al., ICLR 2022), which showed that such counts match large graph networks.

    Args:
        graph_dim: width of the counts' embeddings.
        num_relations: relations known at training.
        num_labels: of the task.
        dropout: in the judge.
        gate_bias: initial bias of the gates.
    """

    def __init__(
        self, graph_dim: int, num_relations: int, num_labels: int, *, dropout: float, gate_bias: float
    ) -> None:
        super().__init__()
        self.relation = nn.Embedding(2 * (num_relations + 1), graph_dim)
        self.role = nn.Embedding(NUM_ROLES, graph_dim)
        nn.init.normal_(self.relation.weight, std=RESIDUAL_SCALE)
        nn.init.normal_(self.role.weight, std=RESIDUAL_SCALE)
        self.judge = PathJudge(graph_dim, num_labels, dropout=dropout, gate_bias=gate_bias)

    def forward(self, batch: Batch) -> PathVotes:
        """Judge every path by its counts."""
        row = 2 * batch.relation_number[batch.path_relation.clamp(min=0)] + (~batch.path_forward).long()  # [K, S]
        role = batch.node_role[batch.path_nodes.clamp(min=0)]  # [K, S + 1]
        relations = self.relation(row) * (batch.path_relation >= 0)[..., None]  # [K, S, graph_dim]
        roles = self.role(role) * (batch.path_nodes >= 0)[..., None]  # [K, S + 1, graph_dim]
        judged: PathVotes = self.judge(relations.sum(dim=1) + roles.sum(dim=1))
        return judged


class PathTokens(nn.Module):
    """A control: turns every path into one further input token of the encoder.

    Args:
        graph_dim: width of the path states.
        num_features: width of the path features.
        text_dim: width of the encoder's input embeddings.
    """

    def __init__(self, graph_dim: int, num_features: int, text_dim: int) -> None:
        super().__init__()
        self.reader = PathReader(graph_dim)
        self.project = nn.Linear(graph_dim + num_features, text_dim)

    def forward(self, batch: Batch, states: SubgraphStates) -> Tensor:
        """Return the input embeddings of the paths, [K, text_dim]."""
        tokens: Tensor = self.project(torch.cat([self.reader(batch, states), batch.path_features], dim=-1))
        return tokens
