"""The fused model: the text's answer plus what every path contributes, and the one place where its parts are wired.

    logits = text_head([CLS]) + sum over paths k of gate_k * vote_k

So every contribution is exact, the text-only answer is always at hand, and without paths the answer is the text's. The
controls that this design has to beat are options of the same class (`ModelConfig.evidence`): `text` uses no path,
`counts` judges paths by counts alone, `verbalised` has the collator write the paths into the text, `tokens` gives the
paths to the encoder as input tokens. In the last two no path has a contribution of its own; logits and text_logits are
then the same, and the text-only answer is that of a batch without paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from kg_reason.config import ModelConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.paths import NUM_PATH_FEATURES
from kg_reason.model.adapter import EncoderPrefix, add_adapter
from kg_reason.model.batch import Batch
from kg_reason.model.encoder import (
    first_position,
    load_encoder,
    make_encoder,
    max_tokens,
    num_token_types,
    set_dropout,
    text_width,
    word_embeddings,
)
from kg_reason.model.fusion import PathCounts, PathFusion, PathTokens, PathVotes
from kg_reason.model.gnn import SubgraphEncoder
from kg_reason.nli import Label


class FusedOutput(NamedTuple):
    """The answers of a batch: logits == text_logits + contributions summed by example, exactly."""

    logits: Tensor  # [B, num_labels]
    text_logits: Tensor  # [B, num_labels]
    contributions: Tensor  # [K, num_labels]
    gates: Tensor  # [K]


class FusedModel(nn.Module):
    """Text encoder, subgraph encoder and fusion; made by `build_model`.

    Which of the optional parts are given decides what the model does with the paths; at most one of `path_fusion`,
    `path_counts` and `path_tokens`.

    Args:
        encoder: gives a state to every word piece.
        text_head: from [CLS] to the logits of the text-only answer.
        subgraph_encoder: for `path_fusion` and `path_tokens`; None: node states are not used.
        path_fusion: judges paths by their states and the text; None: not used.
        path_counts: judges paths by counts; None: not used.
        path_tokens: gives paths to the encoder as tokens; None: not used.
        encoder_prefix: keys and values that the encoder sees before the tokens; None: not used.
    """

    def __init__(
        self,
        encoder: PreTrainedModel,
        text_head: nn.Sequential,
        *,
        subgraph_encoder: SubgraphEncoder | None = None,
        path_fusion: PathFusion | None = None,
        path_counts: PathCounts | None = None,
        path_tokens: PathTokens | None = None,
        encoder_prefix: EncoderPrefix | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.encoder_prefix = encoder_prefix
        self.text_head = text_head
        self.subgraph_encoder = subgraph_encoder
        self.path_fusion = path_fusion
        self.path_counts = path_counts
        self.path_tokens = path_tokens
        self.has_token_types = num_token_types(encoder) > 1

    def forward(
        self, batch: Batch, path_weight: Tensor | None = None, *, token_states: Tensor | None = None
    ) -> FusedOutput:
        """Answer a batch.

        Args:
            batch: from the collator of this model.
            path_weight: multiplies the contribution of each path, [K]; 0 deletes a path. None: all count fully. A path
                that is a token is scaled instead, and hidden at 0; verbalised paths cannot be weighed.
            token_states: of `encode_text`, [B, T, text_dim], so that one text is encoded once for many subgraphs; None:
                the text is encoded here. Where paths are tokens it cannot be encoded without them.
        """
        if token_states is not None:
            pass
        elif self.path_tokens is not None and self.subgraph_encoder is not None:
            words: Tensor = word_embeddings(self.encoder)(batch.input_ids)  # [B, T, embedding_dim]
            with full_precision(words):
                states = self.subgraph_encoder(batch, self._label_states(batch), self._pool_mentions(batch, words))
                paths: Tensor = self.path_tokens(batch, states)  # [K, embedding_dim]
            token_states = self._encode_with_paths(batch, words, paths, path_weight)  # [B, T + P, text_dim]
        else:
            token_states = self.encode_text(batch)
        with full_precision(token_states):
            token_states = token_states.float()
            text_logits: Tensor = self.text_head(token_states[:, 0])  # [B, num_labels]
            gates, votes = self._judge(batch, token_states, text_logits)
            contributions = gates[:, None] * votes  # [K, num_labels]
            if path_weight is not None:
                contributions = contributions * path_weight[:, None]
            total = torch.zeros_like(text_logits).index_add(0, batch.path_example, contributions)
            return FusedOutput(text_logits + total, text_logits, contributions, gates)

    def encode_text(self, batch: Batch) -> Tensor:
        """Return the token states of a batch's texts without any path, [B, T, text_dim]."""
        return self._encode(batch, input_ids=batch.input_ids, attention_mask=batch.attention_mask)

    def _judge(self, batch: Batch, token_states: Tensor, text_logits: Tensor) -> PathVotes:
        """Let every path vote; where paths have no vote of their own, all are 0."""
        if self.path_fusion is not None and self.subgraph_encoder is not None:
            mention_states = self._pool_mentions(batch, token_states)
            states = self.subgraph_encoder(batch, self._label_states(batch), mention_states)
            votes: PathVotes = self.path_fusion(batch, states, mention_states, token_states[:, 0])
            return votes
        if self.path_counts is not None:
            counted: PathVotes = self.path_counts(batch)
            return counted
        num_paths = batch.path_example.shape[0]
        return PathVotes(text_logits.new_zeros(num_paths), text_logits.new_zeros(num_paths, text_logits.shape[1]))

    def _encode(self, batch: Batch, **inputs: Any) -> Tensor:  # noqa: ANN401 - a prefix is no tensor
        """Run the encoder; returns the token states [B, T, text_dim]."""
        if self.has_token_types and "token_type_ids" not in inputs:
            inputs["token_type_ids"] = batch.token_type_ids
        if self.encoder_prefix is not None:
            inputs |= self.encoder_prefix(inputs["attention_mask"], inputs.get("position_ids"))
        states: Tensor = self.encoder(**inputs).last_hidden_state
        return states

    def _encode_with_paths(self, batch: Batch, words: Tensor, paths: Tensor, path_weight: Tensor | None) -> Tensor:
        """Run the encoder over the word pieces followed by one token for each path, [B, T + P, text_dim]."""
        used = batch.path_slots >= 0  # [B, P]
        slots = batch.path_slots.clamp(min=0)
        extra = paths[slots]  # [B, P, embedding_dim]
        if path_weight is not None:
            extra = extra * path_weight[slots][..., None]
            used = used & (path_weight[slots] > 0)
        # positions count on from the end of each example's own text, so that padding does not move the path tokens
        num_words = batch.attention_mask.sum(dim=1, keepdim=True)
        rank = torch.arange(slots.shape[1], device=slots.device)
        word_positions = torch.arange(words.shape[1], device=slots.device).expand(len(words), -1)
        positions = torch.cat([word_positions, num_words + rank], dim=1)  # [B, T + P]
        inputs = {
            "inputs_embeds": torch.cat([words, extra.to(words.dtype)], dim=1),
            "attention_mask": torch.cat([batch.attention_mask, used.long()], dim=1),
            "position_ids": positions.clamp(max=max_tokens(self.encoder) - 1) + first_position(self.encoder),
        }
        if self.has_token_types:
            inputs["token_type_ids"] = torch.cat([batch.token_type_ids, torch.ones_like(slots)], dim=1)
        return self._encode(batch, **inputs)

    def _pool_mentions(self, batch: Batch, token_states: Tensor) -> Tensor:
        """Return the mean token state of each mention, [num_mentions, width]."""
        return functional.embedding_bag(
            batch.mention_pieces, token_states.flatten(0, 1), batch.mention_start, mode="mean"
        )

    def _label_states(self, batch: Batch) -> Tensor:
        """Return the mean word-piece embedding of each label, [num_texts, embedding_dim].

        Labels do not train the embeddings: a second gradient of the whole vocabulary would cost more than all graph
        parts together, and unseen labels have none anyway.
        """
        words = word_embeddings(self.encoder).weight.detach()
        return functional.embedding_bag(batch.text_pieces, words, batch.text_start, mode="mean")


def full_precision(states: Tensor) -> torch.autocast:
    """Return a context that leaves mixed precision to the encoder: the graph side is small, and its sums are exact."""
    return torch.autocast(states.device.type, enabled=False)


def build_model(
    config: ModelConfig,
    labels: Sequence[Label],
    relations: Sequence[str],
    *,
    encoder_config: Mapping[str, Any] | None = None,
) -> FusedModel:
    """Wire a model.

    Args:
        config: of the model.
        labels: of the task; position = column of the logits.
        relations: labels of the relations known at training, as given to the collator.
        encoder_config: plain data of the encoder's configuration, for weights that are loaded afterwards; None: load
            the pretrained encoder that `config.encoder` names.

    Raises:
        CheckpointError: the encoder cannot be loaded.
        ConfigError: `config.max_tokens` is more than the encoder can read, or the adapter does not fit the encoder.
        MissingExtraError: the packaged encoder, or peft for an adapter, is not installed.
    """
    encoder = load_encoder(config) if encoder_config is None else make_encoder(encoder_config)
    longest = max_tokens(encoder)
    if config.max_tokens > longest:
        raise ConfigError(f"max_tokens: found {config.max_tokens}, expected at most {longest} for this encoder")
    set_dropout(encoder, config.encoder_dropout)
    prefix = add_adapter(encoder, config)
    text_dim, embedding_dim = text_width(encoder), word_embeddings(encoder).embedding_dim
    head = nn.Sequential(
        nn.Dropout(config.dropout),
        nn.Linear(text_dim, text_dim),
        nn.Tanh(),
        nn.Dropout(config.dropout),
        nn.Linear(text_dim, len(labels)),
    )
    dropout, gate_bias = config.dropout, config.gate_bias
    if config.evidence == "counts":
        counts = PathCounts(config.graph_dim, len(relations), len(labels), dropout=dropout, gate_bias=gate_bias)
        return FusedModel(encoder, head, path_counts=counts, encoder_prefix=prefix)
    if config.evidence not in ("paths", "tokens"):
        return FusedModel(encoder, head, encoder_prefix=prefix)
    subgraph_encoder = SubgraphEncoder(
        embedding_dim,
        text_dim if config.evidence == "paths" else embedding_dim,
        config.graph_dim,
        num_relations=len(relations),
        num_layers=config.num_layers,
        dropout=dropout,
    )
    if config.evidence == "tokens":
        tokens = PathTokens(config.graph_dim, NUM_PATH_FEATURES, embedding_dim)
        return FusedModel(
            encoder, head, subgraph_encoder=subgraph_encoder, path_tokens=tokens, encoder_prefix=prefix
        )
    fusion = PathFusion(
        text_dim, config.graph_dim, NUM_PATH_FEATURES, len(labels), dropout=dropout, gate_bias=gate_bias
    )
    return FusedModel(encoder, head, subgraph_encoder=subgraph_encoder, path_fusion=fusion, encoder_prefix=prefix)

