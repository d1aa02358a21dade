"""Parameter-efficient fine-tuning of the text encoder: a few weights beside a base encoder that stays as it was.

The methods are those of the optional package `peft`: LoRA (Hu et al., 2021), AdaLoRA (Zhang et al., 2023) and IA3 (Liu
et al., 2022) put layers into the encoder; prefix tuning (Li and Liang, 2021) gives every attention layer further keys
and values. The names of the weights tell an adapter from its base, so a checkpoint can leave the base out. How the
weights move is `training/optimization.py`, AdaLoRA's budget `training/rank_allocation.py`.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from kg_reason.config import ModelConfig
from kg_reason.errors import ConfigError, MissingExtraError
from kg_reason.model.encoder import first_position, text_width

ADAPTER_NAME = "default"  # peft's own; part of the names of the weights
ADAPTER_WEIGHT = re.compile(r"encoder\..*\.(lora_[ABE]|ia3_l)\.|encoder_prefix\.")
ENCODER = "encoder."
MERGEABLE = ("lora", "adalora", "ia3")
BASE_LAYER = ".base_layer"  # what peft inserts into the names of the weights whose layer it wraps
CONSTANT = ".ranknum."  # AdaLoRA's divisor: a parameter in name only


class EncoderPrefix(nn.Module):
    """Keys and values that every attention layer sees before those of the word pieces.

    They have no position and no token state: what the encoder returns is as long as without them.

    Args:
        encoder: gives the shape.
        num_tokens: keys and values for each layer.

    Raises:
        ConfigError: the encoder takes no keys and values from outside.
        MissingExtraError: peft is not installed.
    """

    def __init__(self, encoder: PreTrainedModel, num_tokens: int) -> None:
        super().__init__()
        shape: Any = encoder.config
        if "past_key_values" not in inspect.signature(encoder.forward).parameters:
            raise ConfigError(f"adapter: prefix does not fit the encoder: {shape.model_type} takes no keys and values")
        peft = _import_peft()
        settings = peft.PrefixTuningConfig(
            num_virtual_tokens=num_tokens,
            token_dim=text_width(encoder),
            num_layers=shape.num_hidden_layers,
            num_attention_heads=shape.num_attention_heads,
            num_transformer_submodules=1,
        )
        self.states = peft.PrefixEncoder(settings)
        self.num_layers: int = shape.num_hidden_layers
        self.num_heads: int = shape.num_attention_heads
        self.first_position = first_position(encoder)
        self.register_buffer("numbers", torch.arange(num_tokens)[None], persistent=False)  # [1, num_tokens]

    def forward(self, attention_mask: Tensor, position_ids: Tensor | None = None) -> dict[str, Any]:
        """Return the inputs of the encoder that put the prefix before its tokens.

        Args:
            attention_mask: of the tokens, int64 [B, T].
            position_ids: of the tokens, int64 [B, T]; None: they follow each other.

        Returns:
            `past_key_values`; the `attention_mask` with the prefix, [B, num_tokens + T]; `position_ids`, [B or 1, T],
            which the encoder would otherwise count from the prefix on.
        """
        num_examples, num_pieces = attention_mask.shape
        states: Tensor = self.states(self.numbers)  # [1, num_tokens, 2 * num_layers * text_dim]
        num_tokens = states.shape[1]
        states = states.view(num_tokens, 2 * self.num_layers, self.num_heads, -1).permute(1, 2, 0, 3)
        states = states[:, None].expand(-1, num_examples, -1, -1, -1)  # [2 * layers, B, heads, num_tokens, head_dim]
        cache = DynamicCache()
        for layer in range(self.num_layers):
            cache.update(states[2 * layer], states[2 * layer + 1], layer)
        if position_ids is None:
            position_ids = torch.arange(num_pieces, device=attention_mask.device)[None] + self.first_position
        mask = torch.cat([attention_mask.new_ones(num_examples, num_tokens), attention_mask], dim=1)
        return {"past_key_values": cache, "attention_mask": mask, "position_ids": position_ids}


def add_adapter(encoder: PreTrainedModel, config: ModelConfig) -> EncoderPrefix | None:
    """Add the adapter that the settings name to an encoder, in place; the adapted encoder answers as the bare one did.

    Args:
        encoder: its attention (and, by IA3, its feed-forward layers) are adapted where the papers do it.
        config: `adapter`, `adapter_rank`, `adapter_alpha` and `num_prefix_tokens` are read.

    Returns:
        the prefix to be given to the model; None with the other methods, which live inside the encoder.

    Raises:
        ConfigError: the method does not fit the encoder.
        MissingExtraError: peft is not installed.
    """
    if config.adapter == "none":
        return None
    if config.adapter == "prefix":
        return EncoderPrefix(encoder, config.num_prefix_tokens)
    peft = _import_peft()
    rank, alpha = config.adapter_rank, config.adapter_alpha
    if config.adapter == "lora":
        settings = peft.LoraConfig(r=rank, lora_alpha=alpha)
    elif config.adapter == "adalora":
        settings = peft.AdaLoraConfig(init_r=initial_rank(rank), target_r=rank, lora_alpha=alpha, total_step=1)
    else:
        settings = peft.IA3Config()
    try:
        peft.inject_adapter_in_model(settings, encoder, ADAPTER_NAME)
    except ValueError as error:
        shape: Any = encoder.config
        raise ConfigError(f"adapter: {config.adapter} does not fit the encoder: {shape.model_type}: {error}") from error
    return None


def initial_rank(rank: int) -> int:
    """Return the rank that AdaLoRA starts each matrix with: half again of the mean that is left, as in its paper."""
    return rank + (rank + 1) // 2


def merge_adapter(encoder: PreTrainedModel) -> None:
    """Work the adapter into the weights of the encoder, in place, and take its layers out again.

    Answers change by rounding only. It can be done with the methods in MERGEABLE; a prefix is no part of the weights.
    """
    for name, module in list(encoder.named_modules()):
        if hasattr(module, "get_base_layer"):
            module.merge()
            parent, _, child = name.rpartition(".")
            setattr(encoder.get_submodule(parent), child, module.get_base_layer())
    encoder.requires_grad_(True)


def is_adapter(name: str) -> bool:
    """Tell by its name in the fused model whether a weight belongs to an adapter."""
    return ADAPTER_WEIGHT.match(name) is not None


def base_names(model: nn.Module) -> frozenset[str]:
    """Return the names of the tensors of the base encoder, which never change; none where there is no adapter."""
    names = model.state_dict().keys()
    if not any(map(is_adapter, names)):
        return frozenset()
    return frozenset(name for name in names if name.startswith(ENCODER) and not is_adapter(name))


def base_fingerprint(encoder: PreTrainedModel) -> str:
    """Return a digest of the weights of an encoder, 16 hexadecimal digits; an adapter in it does not count."""
    weights = {
        name.replace(BASE_LAYER, ""): tensor
        for name, tensor in encoder.state_dict().items()
        if not is_adapter(ENCODER + name) and CONSTANT not in name
    }
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def _import_peft() -> Any:  # noqa: ANN401 - the package has no types
    try:
        import peft
    except ImportError as error:
        raise MissingExtraError("adapter: peft is not installed: pip install 'kg_reason[peft]'") from error
    return peft
