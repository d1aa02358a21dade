"""Message passing over the union of the retrieved paths: states for nodes and relations.

Nothing here belongs to one entity: a node starts from the text that mentions it or from its label, and from its role; a
relation from its label and that of its inverse, its kind, and a learned residual where training has seen it. So new
entities, new relations and other graphs need no new weights. Reading paths off these states is `fusion.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import MessagePassing

from kg_reason.kg.relation_kinds import KINDS
from kg_reason.kg.subgraph import BRIDGE
from kg_reason.model.batch import Batch

NUM_ROLES = 4
RESIDUAL_DROPOUT = 0.3  # share of the relations that a training step treats as unseen
KIND_DROPOUT = 0.5  # share of the relations whose kind a training step hides
RESIDUAL_SCALE = 0.3


class SubgraphStates(NamedTuple):
    """What the subgraph encoder gives to the readers of paths."""

    nodes: Tensor  # [num_nodes, graph_dim]
    relations: Tensor  # [num_relations, 2, graph_dim]; 0 walked from head to tail, 1 from tail to head


class RelationEncoder(nn.Module):
    """States of relations in both directions, from their labels and those of their inverses.

    Args:
        text_dim: width of the word-piece embeddings.
        graph_dim: width of the states.
        num_relations: relations known at training; one further residual stands for all others, and is trained by
            treating known relations as unseen now and then. Likewise their kinds are hidden now and then.
    """

    def __init__(self, text_dim: int, graph_dim: int, num_relations: int) -> None:
        super().__init__()
        self.graph_dim = graph_dim
        self.unseen = num_relations
        self.project = nn.Sequential(nn.LayerNorm(text_dim), nn.Linear(text_dim, 2 * graph_dim))
        self.residual = nn.Embedding(num_relations + 1, 2 * graph_dim)
        self.kind = nn.Embedding(1 + len(KINDS), 2 * graph_dim, padding_idx=0)
        nn.init.normal_(self.residual.weight, std=RESIDUAL_SCALE)
        nn.init.normal_(self.kind.weight[1:], std=RESIDUAL_SCALE)

    def forward(
        self, label_states: Tensor, inverse_states: Tensor, relation_number: Tensor, relation_kind: Tensor
    ) -> Tensor:
        """Return the states [num_relations_of_batch, 2, graph_dim].

        Args:
            label_states: means of the labels' word-piece embeddings, [num_relations_of_batch, text_dim].
            inverse_states: those of the inverse relations' labels, zeros where there is none.
            relation_number: residual of each relation, [num_relations_of_batch].
            relation_kind: kind of each relation, negative for the other direction, [num_relations_of_batch].
        """
        if self.training:
            dropped = torch.rand((2, *relation_number.shape), device=relation_number.device)
            relation_number = torch.where(dropped[0] < RESIDUAL_DROPOUT, self.unseen, relation_number)
            relation_kind = torch.where(dropped[1] < KIND_DROPOUT, 0, relation_kind)
        named, inverse = (
            self.project(states).view(-1, 2, self.graph_dim) for states in (label_states, inverse_states)
        )
        has_inverse = inverse_states.any(dim=-1)[:, None, None]
        named = torch.where(has_inverse, (named + inverse.flip(1)) / 2, named)
        states = named + self.residual(relation_number).view(-1, 2, self.graph_dim)
        kinds = self.kind(relation_kind.abs()).view(-1, 2, self.graph_dim)
        known: Tensor = states + torch.where((relation_kind < 0)[:, None, None], kinds.flip(1), kinds)
        return known


class RelationLayer(MessagePassing):  # type: ignore[misc]  # torch_geometric has no types
    """One round of messages, each scaled and shifted by the relation it crosses (GNN-FiLM, Brockschmidt 2020).

    Args:
        graph_dim: width of the states.
        dropout: of the update.
    """

    def __init__(self, graph_dim: int, dropout: float) -> None:
        super().__init__(aggr="mean")
        self.norm = nn.LayerNorm(graph_dim)
        self.send = nn.Linear(graph_dim, graph_dim)
        self.modulate = nn.Linear(graph_dim, 2 * graph_dim)
        self.update_state = nn.Sequential(nn.Linear(2 * graph_dim, graph_dim), nn.GELU(), nn.Dropout(dropout))

    def forward(self, states: Tensor, edge_index: Tensor, edge_relation: Tensor, relations: Tensor) -> Tensor:
        """Return the next states [num_nodes, graph_dim].

        Args:
            states: of the nodes, [num_nodes, graph_dim].
            edge_index: from sender to receiver, [2, num_edges].
            edge_relation: row of `relations` for each edge, [num_edges].
            relations: states of the relations, one row per direction, [num_relations, graph_dim].
        """
        normed = self.norm(states)
        modulation = self.modulate(relations)[edge_relation]  # [num_edges, 2 * graph_dim]
        received = self.propagate(edge_index, x=self.send(normed), modulation=modulation)  # [num_nodes, graph_dim]
        updated: Tensor = states + self.update_state(torch.cat([normed, received], dim=-1))
        return updated

    def message(self, x_j: Tensor, modulation: Tensor) -> Tensor:
        """Return what each edge carries, [num_edges, graph_dim]."""
        scale, shift = modulation.chunk(2, dim=-1)
        return functional.gelu(x_j * (1 + scale) + shift)


class SubgraphEncoder(nn.Module):
    """Relation-aware message passing over the subgraph of a batch; edges carry messages both ways.

    Args:
        text_dim: width of the word-piece embeddings that labels are read from.
        mention_dim: width of the mention states.
        graph_dim: width of node and relation states.
        num_relations: relations known at training.
        num_layers: rounds of messages.
        dropout: in every layer.
    """

    def __init__(
        self, text_dim: int, mention_dim: int, graph_dim: int, *, num_relations: int, num_layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.relation_encoder = RelationEncoder(text_dim, graph_dim, num_relations)
        self.project_mention = nn.Sequential(nn.LayerNorm(mention_dim), nn.Linear(mention_dim, graph_dim))
        self.project_label = nn.Sequential(nn.LayerNorm(text_dim), nn.Linear(text_dim, graph_dim))
        self.role = nn.Embedding(NUM_ROLES, graph_dim)
        nn.init.normal_(self.role.weight, std=RESIDUAL_SCALE)
        self.layers = nn.ModuleList(RelationLayer(graph_dim, dropout) for _ in range(num_layers))
        self.norm = nn.LayerNorm(graph_dim)

    def forward(self, batch: Batch, label_states: Tensor, mention_states: Tensor) -> SubgraphStates:
        """Encode nodes and relations.

        Args:
            batch: its subgraph.
            label_states: means of the labels' word-piece embeddings, [num_texts, text_dim].
            mention_states: means of the mentions' token states, [num_mentions, mention_dim].
        """
        num_relations = batch.relation_number.shape[0]
        relations = self.relation_encoder(
            label_states[1 : 1 + num_relations], label_states[batch.relation_inverse], batch.relation_number,
            batch.relation_kind,
        )  # fmt: skip
        from_text = functional.embedding_bag(
            batch.node_mentions, self.project_mention(mention_states), batch.node_start, mode="mean"
        )  # [num_nodes, graph_dim]
        from_label = self.project_label(label_states)[batch.node_text]  # [num_nodes, graph_dim]
        nodes = torch.where((batch.node_role == BRIDGE)[:, None], from_label, from_text) + self.role(batch.node_role)
        edge_index = torch.cat([batch.edge_index, batch.edge_index.flip(0)], dim=1)  # [2, 2 * num_edges]
        edge_relation = torch.cat([2 * batch.edge_relation, 2 * batch.edge_relation + 1])  # rows of [relation, way]
        for layer in self.layers:
            nodes = layer(nodes, edge_index, edge_relation, relations.flatten(0, 1))
        return SubgraphStates(self.norm(nodes), relations)
