"""The parts of a training run: the accelerator, the grounded examples, the optimizer and the settings that bind them.

Everything is wired here once; the loop that uses the parts is `loop.py`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState, is_initialized
from accelerate.utils import DistributedType, GradientAccumulationPlugin, ProjectConfiguration
from numpy.typing import NDArray
from torch import Tensor, nn

from kg_reason.config import TrainConfig
from kg_reason.errors import ConfigError, MissingExtraError
from kg_reason.kg.grounding import Grounding
from kg_reason.model.adapter import MERGEABLE
from kg_reason.nli import NLIExample, fit_label
from kg_reason.reasoner import Reasoner
from kg_reason.training.augmentation import Augmenter
from kg_reason.training.optimization import build_optimizer, freeze, label_weights
from kg_reason.training.ordering import epoch_steps
from kg_reason.training.rank_allocation import RankAllocation
from kg_reason.training.run_record import run_settings

TOKENIZED_AT_ONCE = 1_000  # examples
CPU_BF16 = ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16")  # any of these capabilities computes bf16 in hardware


class Data(NamedTuple):
    """Labelled examples, ready for the loop."""

    examples: list[NLIExample]
    groundings: list[Grounding]
    label_numbers: NDArray[np.int64]  # [num_examples] columns of the logits
    lengths: NDArray[np.int64]  # [num_examples] tokens


@dataclass(frozen=True)
class Loop:
    """The parts of a run that stay the same from its first step to its last."""

    accelerator: Accelerator
    collating: ThreadPoolExecutor
    reasoner: Reasoner
    model: nn.Module  # the reasoner's, as accelerate wrapped it
    optimizer: torch.optim.Optimizer  # as accelerate wrapped it
    bare_optimizer: torch.optim.Optimizer
    config: TrainConfig
    augmenter: Augmenter
    train: Data
    dev: Data
    weights: Tensor  # [num_labels]
    ranks: RankAllocation | None  # None: the adapter, if there is one, keeps its ranks
    settings: dict[str, Any]
    steps_per_epoch: int
    num_steps: int


@contextmanager
def accelerate_run(config: TrainConfig, logs: Path) -> Iterator[Accelerator]:
    """Make the accelerator and its tracker, which writes to a folder of its own, and end both.

    Raises:
        ConfigError: the hardware lacks the precision, or the run would be split in a way that training does not know.
        MissingExtraError: the tracker's package is not installed.
    """
    if config.tracker != "none" and importlib.util.find_spec(config.tracker) is None:
        raise MissingExtraError(f"tracker: {config.tracker} is not installed: pip install 'kg_reason[track]'")
    was_initialized = is_initialized()
    try:
        try:
            accelerator = Accelerator(
                mixed_precision=config.mixed_precision,
                gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=1),  # the loop accumulates by itself
                kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],  # batches without paths
                log_with=None if config.tracker == "none" else config.tracker,
                project_config=ProjectConfiguration(project_dir=str(logs), logging_dir=str(logs)),
            )
        except ValueError as error:
            raise ConfigError(f"mixed_precision: {config.mixed_precision} is refused by accelerate: {error}") from error
        _check_hardware(accelerator, config)
        if config.tracker != "none":
            wandb = {"mode": os.environ.get("WANDB_MODE", "offline"), "dir": str(logs)}
            logs.mkdir(parents=True, exist_ok=True)
            plain = {name: str(value) if isinstance(value, list) else value for name, value in config.to_json().items()}
            accelerator.init_trackers("kg_reason", config=plain, init_kwargs={"wandb": wandb})
        try:
            yield accelerator
        finally:
            accelerator.end_training()
    finally:
        if not was_initialized:
            AcceleratorState._reset_state()  # so that the next run may choose another precision


def _check_hardware(accelerator: Accelerator, config: TrainConfig) -> None:
    device = accelerator.device.type
    if accelerator.distributed_type in (DistributedType.FSDP, DistributedType.DEEPSPEED, DistributedType.MEGATRON_LM):
        raise ConfigError(f"{accelerator.distributed_type}: training shares whole models (DDP), not parts of them")
    if config.mixed_precision == "fp16" and device == "cpu":
        raise ConfigError("mixed_precision: fp16 needs a GPU, found a cpu; use no or bf16")
    if config.mixed_precision == "bf16" and not computes_bf16(device):
        raise ConfigError(f"mixed_precision: bf16 is not in the hardware of this {device}; use no")


def computes_bf16(device: str) -> bool:
    """Tell whether a kind of device, such as "cpu" or "cuda", computes bf16 in its hardware."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device != "cpu" or any(torch.cpu.get_capabilities().get(name) for name in CPU_BF16)


def build_loop(
    reasoner: Reasoner,
    splits: tuple[Sequence[NLIExample], Sequence[NLIExample]],
    config: TrainConfig,
    accelerator: Accelerator,
    collating: ThreadPoolExecutor,
    *,
    show_progress: bool,
) -> Loop:
    """Ground the examples and wire the parts of the loop.

    Args:
        reasoner: its model is put on the accelerator's device.
        splits: the training examples and the dev examples.
        config: the settings of the run.
        accelerator: from `accelerate_run`.
        collating: the one thread that makes batches; tokenizers are not made for two at a time.
        show_progress: draw the bar of the grounding.

    Raises:
        ConfigError: settings that fit neither model nor data.
    """
    num_processes = accelerator.num_processes
    labelled = [[example for example in split if example.label is not None] for split in splits]
    _check_examples(splits, labelled, config, num_processes)
    _check_adapter(reasoner, config)
    numbers = [_label_numbers(reasoner, kept) for kept in labelled]
    counts = np.bincount(numbers[0], minlength=len(reasoner.labels)).tolist()
    weights = label_weights(config.class_weights, counts, reasoner.labels).to(accelerator.device)
    freeze(reasoner.model, config)
    show_progress = show_progress and accelerator.is_main_process
    is_cached = reasoner.grounder.cache_folder(config.cache_dir) is not None
    with accelerator.main_process_first() if is_cached else nullcontext():  # the others read the cache
        train_data, dev_data = (
            Data(kept, _ground(reasoner, kept, config, show_progress), labels, _count_tokens(reasoner, kept))
            for kept, labels in zip(labelled, numbers, strict=True)
        )
    steps_per_epoch = len(steps_of_epoch(train_data, config, num_processes, 0))
    bare_optimizer = build_optimizer(reasoner.model.to(accelerator.device), config)
    model, optimizer = accelerator.prepare(reasoner.model, bare_optimizer)
    num_steps = steps_per_epoch * config.num_epochs
    num_steps = min(num_steps, config.max_steps) if config.max_steps else num_steps
    settings, ranks = reasoner.config.model, None
    if settings.adapter == "adalora":
        ranks = RankAllocation(reasoner.model.encoder, bare_optimizer, settings, num_steps)
    return Loop(
        accelerator, collating, reasoner, model, optimizer, bare_optimizer, config,
        Augmenter(reasoner, config), train_data, dev_data, weights, ranks,
        run_settings(reasoner, config, train_data.examples, dev_data.examples, num_processes),
        steps_per_epoch, num_steps,
    )  # fmt: skip


def steps_of_epoch(data: Data, config: TrainConfig, num_processes: int, epoch: int) -> list[list[NDArray[np.int64]]]:
    """Return the steps of one pass over the data: for each the batches of all processes, see `epoch_steps`.

    Args:
        data: the training examples; their lengths are read.
        config: seed, batch size and accumulated batches are read.
        num_processes: processes that train together.
        epoch: number of the pass, from 0.
    """
    return epoch_steps(
        data.lengths, config.batch_size, seed=config.seed, epoch=epoch, num_processes=num_processes,
        num_accumulated=config.accumulation_steps,
    )  # fmt: skip


def _check_examples(
    splits: tuple[Sequence[NLIExample], Sequence[NLIExample]],
    labelled: Sequence[Sequence[NLIExample]],
    config: TrainConfig,
    num_processes: int,
) -> None:
    if len(labelled[0]) < num_processes:
        found = f"{len(labelled[0])} labelled pairs among {len(splits[0])}"
        raise ConfigError(f"examples: found {found}, expected at least {num_processes}")
    if splits[1] and not labelled[1]:
        found = f"no labelled pair among {len(splits[1])}"
        raise ConfigError(f"dev: found {found}, expected some or no dev examples at all")
    for name in ("patience", "eval_every"):
        if getattr(config, name) and not labelled[1]:
            raise ConfigError(f"{name}: found {getattr(config, name)} without labelled dev examples, expected 0")


def _check_adapter(reasoner: Reasoner, config: TrainConfig) -> None:
    adapter = reasoner.config.model.adapter
    if config.merge_adapter and adapter not in MERGEABLE:
        raise ConfigError(f"merge_adapter: found adapter {adapter}, expected one of {', '.join(MERGEABLE)}")


def _label_numbers(reasoner: Reasoner, examples: Sequence[NLIExample]) -> NDArray[np.int64]:
    """Return the column of the logits for the label of each example, [num_examples]."""
    labels = [fit_label(example.label, reasoner.labels) for example in examples if example.label is not None]
    return np.array([reasoner.labels.index(label) for label in labels], dtype=np.int64)


def _ground(
    reasoner: Reasoner, examples: Sequence[NLIExample], config: TrainConfig, show_progress: bool
) -> list[Grounding]:
    return reasoner.ground_all(
        examples, num_workers=config.num_workers, cache_dir=config.cache_dir, show_progress=show_progress
    )


def _count_tokens(reasoner: Reasoner, examples: Sequence[NLIExample]) -> NDArray[np.int64]:
    """Return the tokens of each pair; batches by length in characters hold five times the padding."""
    counts: list[int] = []
    for start in range(0, len(examples), TOKENIZED_AT_ONCE):
        part = examples[start : start + TOKENIZED_AT_ONCE]
        pairs = [example.premise for example in part], [example.hypothesis for example in part]
        encoded = reasoner.tokenizer(*pairs, truncation=True, max_length=reasoner.config.model.max_tokens)
        counts += map(len, encoded["input_ids"])
    return np.array(counts, dtype=np.int64)
