"""Batches, their loss, and how well the weights of a run answer the dev examples as they stand.

The loop that moves the weights in between is `loop.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from kg_reason.config import TrainConfig
from kg_reason.errors import ConfigError
from kg_reason.model.batch import UNKNOWN_LABEL, Batch
from kg_reason.model.fused import FusedOutput
from kg_reason.reasoner import MIXED_EVIDENCE, Reasoner
from kg_reason.training.ordering import made_ahead
from kg_reason.training.setup import Data, Loop


class DevScore(NamedTuple):
    """What one look at the dev examples found: the mean loss, and accuracies in [0, 1]."""

    loss: float
    accuracy: float
    text_accuracy: float


class _DevBatch(NamedTuple):
    batch: Batch
    bare: Batch | None  # the same pairs without paths, where only these give the answer from text alone


def make_batch(reasoner: Reasoner, data: Data, indices: NDArray[np.int64]) -> Batch:
    """Collate some of the examples, by number."""
    examples = [data.examples[index] for index in indices]
    return reasoner.collator(examples, [data.groundings[index] for index in indices])


def make_changed_batch(loop: Loop, indices: NDArray[np.int64], epoch: int) -> Batch:
    """Collate some of the training examples, by number, as an epoch sees them."""
    data = loop.train
    changed = [
        loop.augmenter(data.examples[index], data.groundings[index], epoch, index) for index in indices.tolist()
    ]
    needs_graph = [item.needs_graph for item in changed]
    used = np.unique(np.concatenate([item.grounding.paths.relations.ravel() for item in changed]))
    names = loop.augmenter.relation_names(used[used >= 0].tolist(), epoch, int(indices[0]))
    examples, groundings = [item.example for item in changed], [item.grounding for item in changed]
    return loop.reasoner.collator(examples, groundings, relation_names=names, needs_graph=needs_graph)


def batch_loss(output: FusedOutput, batch: Batch, weights: Tensor | None, config: TrainConfig) -> Tensor:
    """Return the summed loss of a batch: of the fused answer and, weighted, of the text-only one where it can know.

    Where paths have no vote of their own both terms are the same, and the loss is that of one answer, scaled.

    Args:
        output: of the model.
        batch: its labels, and those that the text can tell.
        weights: of the labels, [num_labels]; None: all weigh 1.
        config: `text_loss_weight` is read.
    """
    fused, text = (
        cross_entropy(logits.float(), labels, weight=weights, ignore_index=UNKNOWN_LABEL, reduction="sum")
        for logits, labels in ((output.logits, batch.labels), (output.text_logits, batch.text_labels))
    )
    return fused + config.text_loss_weight * text


def score_dev(loop: Loop, step: int) -> DevScore:
    """Answer the dev examples with the weights as they are; every process takes its share.

    The encoder computes in the precision of the run, so near ties may fall otherwise than in the saved reasoner, which
    answers in full precision.

    Args:
        loop: its dev examples are at least one.
        step: optimizer steps done, for messages.

    Raises:
        ConfigError: the loss is not finite.
    """
    accelerator, model, data = loop.accelerator, loop.reasoner.model, loop.dev
    batch_size = loop.config.batch_size
    by_length = np.argsort(-data.lengths, kind="stable")
    parts = [by_length[start : start + batch_size] for start in range(0, len(by_length), batch_size)]
    mine = parts[accelerator.process_index :: accelerator.num_processes]
    totals = torch.zeros(3, device=accelerator.device)  # summed loss, right fused answers, right text-only answers
    model.eval()
    with torch.no_grad():
        for batch, bare in made_ahead(loop.collating, lambda indices: _dev_batch(loop, indices), mine):
            batch = batch.to(accelerator.device)
            output: FusedOutput = model(batch)
            text_logits = output.text_logits if bare is None else model(bare.to(accelerator.device)).logits
            right, text_right = (
                (logits.argmax(dim=1) == batch.labels).sum() for logits in (output.logits, text_logits)
            )
            totals += torch.stack([batch_loss(output, batch, None, loop.config), right, text_right])
    score = DevScore(*(total / len(by_length) for total in accelerator.reduce(totals, "sum").tolist()))
    if not np.isfinite(score.loss):
        raise ConfigError(not_finite(loop.config, f"loss on dev is not finite at step {step}"))
    return score


def _dev_batch(loop: Loop, indices: NDArray[np.int64]) -> _DevBatch:
    batch = make_batch(loop.reasoner, loop.dev, indices)
    if loop.reasoner.config.model.evidence not in MIXED_EVIDENCE:
        return _DevBatch(batch, None)
    examples = [loop.dev.examples[index] for index in indices]
    return _DevBatch(batch, loop.reasoner.collator(examples, [loop.dev.groundings[i].without_paths() for i in indices]))


def not_finite(config: TrainConfig, what: str) -> str:
    """Return the message that something is not finite, and which settings to change."""
    precision = "" if config.mixed_precision == "no" else f", set mixed_precision=no (found {config.mixed_precision})"
    return (
        f"the {what}: lower encoder_lr (found {config.encoder_lr:g}), graph_lr (found {config.graph_lr:g}) or "
        f"max_grad_norm (found {config.max_grad_norm:g}){precision}"
    )
