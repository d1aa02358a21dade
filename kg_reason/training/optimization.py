"""How weights move: which are trained, the optimizer over their groups, the rate at each step, the weights of labels.

Everything here is a function of a model and TrainConfig and holds no state; the loop that calls it is `loop.py`.
A model is any module with a submodule `encoder`, with or without an adapter (`model/adapter.py`); its other parameters
are the graph encoder, the fusion and the heads.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers.optimization import Adafactor

from kg_reason.config import TrainConfig
from kg_reason.errors import ConfigError
from kg_reason.model.adapter import base_names, is_adapter
from kg_reason.nli import Label

ENCODER = "encoder."
EMBEDDINGS = "encoder.embeddings."
HEADS = ("text_head.", "path_fusion.", "path_counts.", "path_tokens.")
ENCODER_LAYER = re.compile(r"encoder\..*\blayers?\.(\d+)\.")  # BERT, RoBERTa, ELECTRA, DistilBERT, ModernBERT
IA3_SCALE = ".ia3_l."  # factors that start at 1: decay would draw them to 0, not back to the base encoder
SGD_MOMENTUM = 0.9


def freeze(model: nn.Module, config: TrainConfig) -> None:
    """Mark which parameters are trained, by the policy of `config.freeze`; all others are unmarked.

    Beside an adapter the whole encoder is frozen, and there is no other policy.

    Raises:
        ConfigError: `freeze_layers` does not fit the policy or the encoder, nothing would be left to train, or the
            model has an adapter.
    """
    base = base_names(model)
    if base and config.freeze != "none":
        raise ConfigError(f"freeze: found {config.freeze}, expected none with an adapter, which freezes the encoder")
    layers = {int(match[1]) for name, _ in model.named_parameters() if (match := ENCODER_LAYER.match(name))}
    if config.freeze == "layers" and not 1 <= config.freeze_layers <= len(layers):
        raise ConfigError(f"freeze_layers: found {config.freeze_layers}, expected 1 to {len(layers)} encoder layers")
    if config.freeze != "layers" and config.freeze_layers:
        raise ConfigError(f"freeze_layers: found {config.freeze_layers} with freeze={config.freeze}, expected layers")
    frozen = [name in base or _is_frozen(name, config) for name, _ in model.named_parameters()]
    if all(frozen):
        raise ConfigError(f"freeze: {config.freeze} leaves nothing of this model to train")
    if config.freeze != "none" and not any(frozen):
        raise ConfigError(f"freeze: {config.freeze} finds nothing to freeze in this encoder")
    for parameter, is_frozen in zip(model.parameters(), frozen, strict=True):
        parameter.requires_grad_(not is_frozen)


def _is_frozen(name: str, config: TrainConfig) -> bool:
    if config.freeze == "encoder":
        return name.startswith(ENCODER)
    if config.freeze == "embeddings":
        return name.startswith(EMBEDDINGS)
    if config.freeze == "layers":
        match = ENCODER_LAYER.match(name)
        return name.startswith(EMBEDDINGS) or (match is not None and int(match[1]) < config.freeze_layers)
    if config.freeze == "head-only":
        return not name.startswith(HEADS)
    return False


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Make the optimizer over the trained parameters: one group for each pair of rate and decay.

    The encoder moves at `encoder_lr`, an adapter at `adapter_lr` (its default is that of LoRA's paper for RoBERTa on
    GLUE), everything else at `graph_lr`. Only matrices decay; biases, normalisation and IA3's factors do not. Each
    group keeps its highest rate as `peak_lr`, see `set_learning_rates`. Adafactor (Shazeer and Stern, 2018) runs
    without its relative steps, so that the rates mean what they do in AdamW.
    """
    members: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            lr = _learning_rate(name, config)
            decay = config.weight_decay if parameter.ndim >= 2 and IA3_SCALE not in name else 0.0
            members.setdefault((lr, decay), []).append(parameter)
    groups = [
        {"params": parameters, "lr": lr, "peak_lr": lr, "weight_decay": decay}
        for (lr, decay), parameters in members.items()
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=SGD_MOMENTUM)
    if config.optimizer == "adafactor":
        return Adafactor(groups, lr=config.graph_lr, scale_parameter=False, relative_step=False)  # type: ignore[no-untyped-call]
    return torch.optim.AdamW(groups, fused=all(p.device.type in ("cpu", "cuda") for g in members.values() for p in g))


def _learning_rate(name: str, config: TrainConfig) -> float:
    if is_adapter(name):
        return config.adapter_lr
    return config.encoder_lr if name.startswith(ENCODER) else config.graph_lr


def rate_factor(step: int, num_steps: int, config: TrainConfig) -> float:
    """Return the share of the highest learning rate, in [0, 1], for one step.

    Args:
        step: optimizer steps done before this one.
        num_steps: optimizer steps of the whole run, warm-up included.
        config: `warmup_fraction` and `schedule` are read.
    """
    num_warmup = round(config.warmup_fraction * num_steps)
    if step < num_warmup:
        return (step + 1) / num_warmup
    progress = min((step - num_warmup) / max(num_steps - num_warmup, 1), 1.0)
    if config.schedule == "linear":
        return 1.0 - progress
    if config.schedule == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * progress))
    return 1.0


def set_learning_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set the rate of every group to a share of its highest rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * factor


def label_weights(class_weights: Sequence[str], counts: Sequence[int], labels: tuple[Label, ...]) -> Tensor:
    """Return the weight of each label in the loss.

    Args:
        class_weights: empty (all labels weigh 1), `("balanced",)`, or `label=weight` pairs; labels not named weigh 1.
        counts: training examples of each label; balanced weights are inverse to them and average 1 over the examples.
        labels: the labels of the task, in the order of the logits.

    Returns:
        float32 [num_labels].

    Raises:
        ConfigError: a weight that cannot be read, is not positive, or names no label of the task.
    """
    if tuple(class_weights) == ("balanced",):
        num_present = sum(count > 0 for count in counts)
        return torch.tensor([sum(counts) / (num_present * count) if count else 1.0 for count in counts])
    weights = dict.fromkeys(map(str, labels), 1.0)
    for pair in class_weights:
        name, _, number = pair.partition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if name not in weights or not 0.0 < weight < math.inf:
            expected = f"'balanced' alone, or label=weight with a positive weight and a label of {', '.join(labels)}"
            raise ConfigError(f"class_weights: found {pair!r}, expected {expected}")
        weights[name] = weight
    return torch.tensor(list(weights.values()))
