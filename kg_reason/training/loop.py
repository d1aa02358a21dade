"""Training: one loop on Hugging Face accelerate that fits a reasoner's model to labelled examples.

The loop is the same on a CPU, a GPU or many (`accelerate launch`); device and arithmetic come from accelerate. Its
parts are wired in `setup.py`: what is trained and how fast is `optimization.py`, the order of the examples
`ordering.py`, loss and dev score `scoring.py`. The resumable state is `checkpoint.py`, the account of a run
`run_record.py` for machines and `model_card.py` for people.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from accelerate.utils import gather_object, set_seed
from numpy.typing import NDArray
from tqdm import tqdm

from kg_reason.calibration import UNCALIBRATED
from kg_reason.config import TrainConfig
from kg_reason.errors import CheckpointError, ConfigError
from kg_reason.model.batch import Batch
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.run_folder import ENCODER_FILE
from kg_reason.training.checkpoint import (
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
)
from kg_reason.training.model_card import model_card
from kg_reason.training.optimization import rate_factor, set_learning_rates
from kg_reason.training.ordering import made_ahead
from kg_reason.training.random_state import rng_state, set_rng_state
from kg_reason.training.replay import draw_replay
from kg_reason.training.run_record import (
    Evaluation,
    TrainFiles,
    TrainReport,
    check_same_run,
    describe_examples,
    describe_run,
)
from kg_reason.training.scoring import batch_loss, make_changed_batch, not_finite, score_dev
from kg_reason.training.setup import Loop, accelerate_run, build_loop, steps_of_epoch

logger = logging.getLogger(__name__)

__all__ = ["TrainReport", "train"]

RECORD_FILE, CARD_FILE = "training.json", "README.md"
CHECKPOINT = "checkpoint"  # in the folder of an unfinished run
LOG_INTERVAL = 15.0  # seconds between lines of progress where they go to a file
LOGS = "logs"  # of a tracker; ends up in the run folder


def train(
    reasoner: Reasoner,
    examples: Sequence[NLIExample],
    dev: Sequence[NLIExample],
    config: TrainConfig,
    out: str | Path,
    *,
    replay: Sequence[NLIExample] = (),
    resume: bool = False,
    show_progress: bool = True,
    files: TrainFiles | None = None,
) -> TrainReport:
    """Fit a reasoner to examples and save it in a run folder.

    The weights with the best accuracy on dev are kept, in the reasoner and in the run; without dev, the last ones. The
    run folder appears at the end, whole. Until then `<out>.training` beside it holds the last checkpoint; with `resume`
    an interrupted run continues from there and comes to the weights it would have had.

    A reasoner that was loaded from a run, or trained before, learns on from its weights, with a fresh optimizer and
    schedule; the account of the run says what it continued from.

    Args:
        reasoner: its model is changed in place.
        examples: labelled pairs; pairs without a label are left out.
        dev: labelled pairs that choose the best weights; may be empty.
        config: the settings of the run.
        out: the run folder; an earlier run there is replaced. Processes on several machines must share its place.
        replay: earlier labelled pairs; as many of them as `config.replay_share` says are mixed in, see `draw_replay`.
        resume: continue the interrupted run.
        show_progress: a progress bar on standard error.
        files: where the pairs came from, for the account of the run; None: they were made in the program.

    Raises:
        ConfigError: settings that fit neither model, data nor hardware, or under which the loss is not finite; dev
            or replayed examples of which none has a label.
        CheckpointError: nothing to resume, a damaged checkpoint, or one of other settings, data or graph.
        MissingExtraError: the tracker's package is not installed.
    """
    out = Path(out)
    work = _work_folder(out, resume)
    replayed = draw_replay(examples, replay, config.replay_share, config.seed)
    examples = [*examples, *replayed]
    with accelerate_run(config, work / LOGS) as accelerator, ThreadPoolExecutor(max_workers=1) as collating:
        loop = build_loop(reasoner, (examples, dev), config, accelerator, collating, show_progress=show_progress)
        if replayed:
            loop = replace(loop, settings={**loop.settings, "replay": describe_examples(replayed)})
        folder = work / CHECKPOINT
        try:
            state = _run(loop, _resume(loop, folder) if resume else _start(loop), folder, show_progress)
        finally:
            accelerator.unwrap_model(loop.model, keep_fp32_wrapper=False)
            reasoner.model.__dict__.pop("forward", None)  # accelerate leaves its wrapper's place filled
        best = best_weights(folder)
        if best is not None:
            load_weights(folder, best, reasoner.model)
        if not all(bool(parameter.isfinite().all()) for parameter in reasoner.model.parameters()):
            raise ConfigError(not_finite(config, f"weights are not finite after step {state.step}"))
        reasoner.model.eval()
        reasoner.calibration = UNCALIBRATED  # that of a run whose weights were trained on fits these no longer
        if config.merge_adapter:
            reasoner.merge_adapter()
        report = _report(loop, state)
        is_main = accelerator.is_main_process
        if is_main:
            account = describe_run(loop.settings, config, report, accelerator.device.type, files or TrainFiles())
            text = json.dumps(account, ensure_ascii=False, indent=1) + "\n"
            card = model_card(out.name, reasoner, config, report, account)
            reasoner.save(out, documents={RECORD_FILE: text, CARD_FILE: card})
        accelerator.wait_for_everyone()
    if is_main:
        if (work / LOGS).is_dir():
            (work / LOGS).replace(out / LOGS)
        shutil.rmtree(work)
    return report


class _Step(NamedTuple):
    """One optimizer step: its place in the run and its share of the examples."""

    epoch: int
    number: int  # within the epoch, from 0
    is_last: bool  # of its epoch
    total_weight: float  # of the labels in the batches of all processes
    batches: list[NDArray[np.int64]]  # example numbers, for this process


def _work_folder(out: Path, resume: bool) -> Path:
    """Return the folder beside the run folder that holds what an unfinished run needs."""
    if not out.name:
        raise ConfigError(f"out: found {str(out)!r}, expected a folder with a name of its own")
    if out.exists() and not (out / ENCODER_FILE).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"out: {out} is there and holds no run, expected a new folder or an earlier run")
    work = out.with_name(f"{out.name}.training")
    has_state = has_checkpoint(work / CHECKPOINT)
    if resume and not has_state:
        raise CheckpointError(f"{work}: found no {CHECKPOINT}/{STATE_FILE}, nothing to resume")
    if has_state and not resume:
        step = read_state(work / CHECKPOINT).step
        raise CheckpointError(f"{work}: holds a run interrupted after step {step:,}; resume it or remove the folder")
    try:
        work.mkdir(parents=True, exist_ok=True)  # a folder that cannot be written is told before the training
    except OSError as error:
        raise ConfigError(f"out: cannot write to {work} ({error.strerror})") from error
    with suppress(OSError):
        work.rmdir()  # it stays away until there is something to keep, and stays where there is
    return work


def _start(loop: Loop) -> TrainState:
    set_seed(loop.config.seed % 2**31, device_specific=True)
    return TrainState(settings=loop.settings)


def _resume(loop: Loop, folder: Path) -> TrainState:
    state = read_state(folder)
    check_same_run(state.settings, loop.settings)
    num_done = state.epoch * loop.steps_per_epoch + state.step_in_epoch
    num_states, num_processes = len(state.rng), loop.accelerator.num_processes
    if num_done != state.step or num_states != num_processes:
        raise CheckpointError(
            f"{folder / STATE_FILE}: found step {state.step} and {num_states} random states, expected step {num_done} "
            f"(epoch {state.epoch} of {loop.steps_per_epoch} steps) and {num_processes}"
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
        desc="training", total=loop.num_steps, initial=state.step, unit="step", dynamic_ncols=True,
        disable=not (show_progress and loop.accelerator.is_main_process),
        mininterval=0.2 if sys.stderr.isatty() else LOG_INTERVAL,
    )  # fmt: skip
    steps = made_ahead(loop.collating, lambda step: (step, _collate(loop, step)), _remaining_steps(loop, state))
    with progress:
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
            if _is_stale(loop, state) or _is_due(config.save_every, loop, state):
                state = _save(loop, replace(state, seconds=time.perf_counter() - started), folder, best)
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
    return [make_changed_batch(loop, indices, step.epoch) for indices in step.batches]


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
            loss = batch_loss(model(batch), batch, loop.weights, config) / step.total_weight
            if loop.ranks is not None:
                loss = loss + loop.ranks.penalty() / (len(batches) * accelerator.num_processes)
            accelerator.backward(loss * accelerator.num_processes)  # processes average their gradients
        total += loss.detach()
    mean_loss = float(accelerator.reduce(total, "sum"))
    norm = float(accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm or float("inf")))
    if not np.isfinite(mean_loss) or not (np.isfinite(norm) or accelerator.scaler):  # the scaler skips such steps
        what = "gradient" if np.isfinite(mean_loss) else "loss"
        raise ConfigError(not_finite(config, f"{what} is not finite at step {num_done + 1}"))
    loop.optimizer.step()
    if loop.ranks is not None and not accelerator.optimizer_step_was_skipped:
        loop.ranks.allocate(num_done + 1)
    if accelerator.trackers:
        rates = {f"rate/{number}": group["lr"] for number, group in enumerate(loop.bare_optimizer.param_groups)}
        accelerator.log({"train/loss": mean_loss, "train/gradient_norm": norm, **rates}, step=num_done + 1)
    return mean_loss


def _look_at_dev(loop: Loop, state: TrainState) -> TrainState:
    """Score dev with the weights as they are, and count how long the best score has stood."""
    score = score_dev(loop, state.step)
    is_better = not state.curve or score.accuracy > state.best_score
    evaluation = Evaluation(
        step=state.step, epoch=state.step / loop.steps_per_epoch, train_loss=state.loss_sum / max(state.loss_steps, 1),
        dev_loss=score.loss, dev_accuracy=score.accuracy, dev_text_accuracy=score.text_accuracy, seconds=state.seconds,
    )  # fmt: skip
    loop.accelerator.log({f"dev/{name}": value for name, value in score._asdict().items()}, step=state.step)
    return replace(
        state, curve=(*state.curve, evaluation.to_json()), loss_sum=0.0, loss_steps=0,
        best_score=score.accuracy if is_better else state.best_score,
        best_step=state.step if is_better else state.best_step,
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
        num_replayed=loop.settings.get("replay", {}).get("num_examples", 0),
    )  # fmt: skip
