"""Training: one loop on Hugging Face accelerate that fits a reasoner's model to labelled examples.

The loop is the same on a CPU, a GPU or many (`accelerate launch`); device and arithmetic come from accelerate. Its
parts are wired in `training_setup.py`: what is trained and how fast is `optimization.py`, the order of the examples
`ordering.py`. The resumable state is `checkpoint.py`, the account of a run `run_record.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from accelerate.utils import gather_object, set_seed
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from kg_reason.checkpoint import (
    STATE_FILE,
    TensorFile,
    TrainState,
    best_weights,
    has_checkpoint,
    load_checkpoint,
    load_weights,
    read_state,
    save_checkpoint,
    save_weights,
    write_json,
)
from kg_reason.config import TrainConfig
from kg_reason.errors import CheckpointError, ConfigError
from kg_reason.model.batch import Batch
from kg_reason.model.fused import FusedOutput
from kg_reason.nli import NLIExample
from kg_reason.optimization import rate_factor, set_learning_rates
from kg_reason.ordering import made_ahead
from kg_reason.random_state import rng_state, set_rng_state
from kg_reason.reasoner import Reasoner
from kg_reason.run_record import Evaluation, TrainReport, check_same_run, describe_run
from kg_reason.training_setup import Data, Loop, accelerate_run, build_loop, steps_of_epoch

logger = logging.getLogger(__name__)

CHECKPOINT = "checkpoint"  # folder inside a run
NO_LABEL = -100


def train(
    reasoner: Reasoner,
    examples: Sequence[NLIExample],
    dev: Sequence[NLIExample],
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    show_progress: bool = True,
) -> TrainReport:
    """Fit a reasoner to examples and save it in a run folder.

    The weights with the best accuracy on dev are kept, in the reasoner and in the run; without dev, the last ones. An
    interrupted run leaves its last checkpoint, and continued with `resume` comes to the weights it would have had.

    Args:
        reasoner: its model is changed in place.
        examples: labelled pairs; pairs without a label are left out.
        dev: labelled pairs that choose the best weights; may be empty.
        config: the settings of the run.
        out: the run folder; made if it is missing. Processes on several machines must share it.
        resume: continue from the checkpoint in `out`.
        show_progress: a progress bar on standard error.

    Raises:
        ConfigError: settings that fit neither model, data nor hardware, or under which the loss is not finite.
        CheckpointError: nothing to resume, a damaged checkpoint, or one of other settings, data or graph.
        MissingExtraError: the tracker's package is not installed.
    """
    _check_folder(out, resume)
    with accelerate_run(config, out) as accelerator:
        show_progress = show_progress and accelerator.is_main_process
        loop = build_loop(reasoner, (examples, dev), config, accelerator, show_progress)
        folder = out / CHECKPOINT
        try:
            state = _run(loop, _resume(loop, folder) if resume else _start(loop, folder), folder, show_progress)
        finally:
            accelerator.unwrap_model(loop.model, keep_fp32_wrapper=False)
            reasoner.model.__dict__.pop("forward", None)  # accelerate leaves its wrapper's place filled
        best = best_weights(folder)
        if best is not None:
            load_weights(folder, best, reasoner.model)
        reasoner.model.eval()
        report = _report(loop, state)
        if accelerator.is_main_process:
            reasoner.save(out)
            write_json(out / "training.json", describe_run(loop.settings, config, report, accelerator.device.type))
        accelerator.wait_for_everyone()
    return report


class _Step(NamedTuple):
    """One optimizer step: its place in the run and its share of the examples."""

    epoch: int
    number: int  # within the epoch, from 0
    is_last: bool  # of its epoch
    total_weight: float  # of the labels in the batches of all processes
    batches: list[NDArray[np.int64]]  # example numbers, for this process


def _check_folder(out: Path, resume: bool) -> None:
    folder = out / CHECKPOINT
    if resume and not has_checkpoint(folder):
        raise CheckpointError(f"{out}: found no {CHECKPOINT}/{STATE_FILE}, nothing to resume")
    if not resume and has_checkpoint(folder):
        state = read_state(folder)
        if not state.finished:
            raise CheckpointError(
                f"{out}: holds a run interrupted at step {state.step:,}; resume it, delete it or choose another folder"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"out: cannot write to {out} ({error.strerror})") from error


def _start(loop: Loop, folder: Path) -> TrainState:
    if loop.accelerator.is_main_process:
        (folder / STATE_FILE).unlink(missing_ok=True)  # of a finished run, which this one replaces
    set_seed(loop.config.seed % 2**31, device_specific=True)
    return TrainState(settings=loop.settings)


def _resume(loop: Loop, folder: Path) -> TrainState:
    state = read_state(folder)
    check_same_run(state.settings, loop.settings)
    num_done = state.epoch * loop.steps_per_epoch + state.step_in_epoch
    if num_done != state.step or len(state.rng) != loop.accelerator.num_processes:
        raise CheckpointError(
            f"{folder / STATE_FILE}: found step {state.step} with {len(state.rng)} random states, expected step {num_done} "
            f"(epoch {state.epoch} of {loop.steps_per_epoch} steps) with {loop.accelerator.num_processes}"
        )
    for values in state.curve:
        Evaluation.from_json(values)
    load_checkpoint(folder, loop.reasoner.model, loop.bare_optimizer)
    if loop.accelerator.scaler is not None and state.scaler:
        loop.accelerator.scaler.load_state_dict(state.scaler)
    set_rng_state(state.rng[loop.accelerator.process_index])
    logger.info("resuming at step %d of %d", state.step, loop.num_steps)
    return replace(state, settings=loop.settings)


def _run(loop: Loop, state: TrainState, folder: Path, show_progress: bool) -> TrainState:
    """Take the steps that are left, look at dev and save in between; return where the run came to."""
    config, started = loop.config, time.perf_counter() - state.seconds
    best = best_weights(folder) if has_checkpoint(folder) else None
    progress = tqdm(
        desc="training", total=loop.num_steps, initial=state.step, unit="step", disable=not show_progress,
        dynamic_ncols=True,
    )  # fmt: skip
    steps = made_ahead(lambda step: (step, _collate(loop, step)), _remaining_steps(loop, state))
    with progress, closing(steps):
        for step, batches in steps:
            if _is_stale(loop, state):
                break
            loss = _take_step(loop, state.step, step, batches)
            state = replace(
                state, step=state.step + 1, epoch=step.epoch + step.is_last,
                step_in_epoch=0 if step.is_last else step.number + 1,
                loss_sum=state.loss_sum + loss, loss_steps=state.loss_steps + 1, seconds=time.perf_counter() - started,
            )  # fmt: skip
            if _is_due(config.eval_every, loop, state) and loop.dev.examples:
                before = state
                state = _look_at_dev(loop, state)
                if state.best_step > before.best_step and loop.accelerator.is_main_process:
                    best = save_weights(folder, state.step, loop.reasoner.model)
            is_finished = state.step == loop.num_steps or _is_stale(loop, state)
            if is_finished or _is_due(config.save_every, loop, state):
                state = replace(state, finished=is_finished, seconds=time.perf_counter() - started)
                state = _save(loop, state, folder, best)
            dev_score = {"dev": f"{state.best_score:.1%}"} if state.curve else {}
            progress.set_postfix(loss=f"{loss:.3f}", **dev_score, refresh=False)
            progress.update()
    return state


def _remaining_steps(loop: Loop, state: TrainState) -> Iterator[_Step]:
    """Yield the steps from where a run stands to its end."""
    rank, num_processes = loop.accelerator.process_index, loop.accelerator.num_processes
    weights = loop.weights.cpu().numpy().astype(np.float64)
    num_left, first = loop.num_steps - state.step, state.step_in_epoch
    for epoch in range(state.epoch, loop.config.num_epochs):
        steps = steps_of_epoch(loop.train, loop.config, num_processes, epoch)
        for number in range(first, min(len(steps), first + num_left)):
            labels = loop.train.label_numbers[np.concatenate(steps[number])]
            is_last = number == len(steps) - 1
            yield _Step(epoch, number, is_last, float(weights[labels].sum()), steps[number][rank::num_processes])
        num_left -= len(steps) - first
        first = 0


def _collate(loop: Loop, step: _Step) -> list[Batch]:
    return [_batch(loop.reasoner, loop.train, indices) for indices in step.batches]


def _batch(reasoner: Reasoner, data: Data, indices: NDArray[np.int64]) -> Batch:
    examples = [data.examples[index] for index in indices]
    return reasoner.collator(examples, [data.groundings[index] for index in indices])


def _take_step(loop: Loop, num_done: int, step: _Step, batches: list[Batch]) -> float:
    """Move the weights once; return the mean loss over the batches of all processes.

    Raises:
        ConfigError: the loss or its gradient is not finite; the weights are those from before the step.
    """
    accelerator, model, config = loop.accelerator, loop.model, loop.config
    model.train()
    set_learning_rates(loop.bare_optimizer, rate_factor(num_done, loop.num_steps, config))
    loop.optimizer.zero_grad()
    total = torch.zeros((), device=accelerator.device)
    for number, batch in enumerate(batches):
        batch = batch.to(accelerator.device)
        with nullcontext() if number == len(batches) - 1 else accelerator.no_sync(model):
            loss = _loss(model(batch), batch.labels, loop.weights, config) / step.total_weight
            accelerator.backward(loss * accelerator.num_processes)  # processes average their gradients
        total += loss.detach()
    mean_loss = float(accelerator.reduce(total, "sum"))
    norm = float(accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm or float("inf")))
    if not np.isfinite(mean_loss) or not (np.isfinite(norm) or accelerator.scaler):  # the scaler skips such steps
        raise ConfigError(_not_finite(config, "loss" if not np.isfinite(mean_loss) else "gradient", num_done + 1))
    loop.optimizer.step()
    if accelerator.trackers:
        rates = {f"rate/{number}": group["lr"] for number, group in enumerate(loop.bare_optimizer.param_groups)}
        accelerator.log({"train/loss": mean_loss, "train/gradient_norm": norm, **rates}, step=num_done + 1)
    return mean_loss


def _loss(output: FusedOutput, labels: Tensor, weights: Tensor | None, config: TrainConfig) -> Tensor:
    """Return the summed loss of a batch: of the fused answer and, weighted, of the text-only one."""
    fused, text = (
        cross_entropy(logits.float(), labels, weight=weights, ignore_index=NO_LABEL, reduction="sum")
        for logits in (output.logits, output.text_logits)
    )
    return fused + config.text_loss_weight * text


def _not_finite(config: TrainConfig, what: str, step: int) -> str:
    precision = "" if config.mixed_precision == "no" else f", set mixed_precision=no (found {config.mixed_precision})"
    return (
        f"the {what} is not finite at step {step}: lower encoder_lr (found {config.encoder_lr:g}), graph_lr (found "
        f"{config.graph_lr:g}) or max_grad_norm (found {config.max_grad_norm:g}){precision}"
    )


def _look_at_dev(loop: Loop, state: TrainState) -> TrainState:
    """Score dev with the weights as they are, and count how long the best score has stood."""
    accelerator, model, data = loop.accelerator, loop.reasoner.model, loop.dev
    by_length = np.argsort(-data.lengths, kind="stable")
    starts = range(0, len(by_length), loop.config.batch_size)
    mine = [by_length[start : start + loop.config.batch_size] for start in starts]
    totals = torch.zeros(3, device=accelerator.device)  # summed loss, right fused answers, right text-only answers
    model.eval()
    batches = made_ahead(
        lambda indices: _batch(loop.reasoner, data, indices), mine[accelerator.process_index :: accelerator.num_processes]
    )
    with torch.no_grad(), closing(batches):
        for batch in batches:
            batch = batch.to(accelerator.device)
            output = model(batch)
            right, text_right = ((logits.argmax(1) == batch.labels).sum() for logits in (output.logits, output.text_logits))
            totals += torch.stack([_loss(output, batch.labels, None, loop.config), right, text_right])
    loss, accuracy, text_accuracy = (accelerator.reduce(totals, "sum") / len(by_length)).tolist()
    if not np.isfinite(loss):
        raise ConfigError(_not_finite(loop.config, "dev loss", state.step))
    is_better = not state.curve or accuracy > state.best_score
    evaluation = Evaluation(
        step=state.step, epoch=state.step / loop.steps_per_epoch, train_loss=state.loss_sum / max(state.loss_steps, 1),
        dev_loss=loss, dev_accuracy=accuracy, dev_text_accuracy=text_accuracy, seconds=state.seconds,
    )  # fmt: skip
    accelerator.log(
        {"dev/loss": loss, "dev/accuracy": accuracy, "dev/text_accuracy": text_accuracy}, step=state.step
    )
    return replace(
        state, curve=(*state.curve, evaluation.to_json()), loss_sum=0.0, loss_steps=0,
        best_score=accuracy if is_better else state.best_score, best_step=state.step if is_better else state.best_step,
        stale_evaluations=0 if is_better else state.stale_evaluations + 1,
    )  # fmt: skip


def _is_due(every: int, loop: Loop, state: TrainState) -> bool:
    if state.step == loop.num_steps:
        return True
    return state.step % every == 0 if every else state.step_in_epoch == 0


def _is_stale(loop: Loop, state: TrainState) -> bool:
    return bool(loop.config.patience) and state.stale_evaluations >= loop.config.patience


def _save(loop: Loop, state: TrainState, folder: Path, best: TensorFile | None) -> TrainState:
    """Save a resumable state; every process takes part with its random state."""
    scaler = loop.accelerator.scaler
    state = replace(state, rng=tuple(gather_object([rng_state()])), scaler=scaler.state_dict() if scaler else {})
    if loop.accelerator.is_main_process:
        save_checkpoint(folder, state, loop.reasoner.model, loop.bare_optimizer, best)
    loop.accelerator.wait_for_everyone()
    return state


def _report(loop: Loop, state: TrainState) -> TrainReport:
    return TrainReport(
        num_examples=len(loop.train.examples), num_dev=len(loop.dev.examples), num_steps=state.step,
        num_epochs=state.step / loop.steps_per_epoch, stopped_early=state.step < loop.num_steps,
        best_step=state.best_step or state.step, best_accuracy=state.best_score if state.curve else None,
        curve=tuple(Evaluation.from_json(values) for values in state.curve), seconds=state.seconds,
    )  # fmt: skip
