"""One pair under many subgraphs: the text is encoded once, and only the graph side is asked again for each of them.

Counterfactuals and fidelity ask the same pair with paths removed or added dozens of times; the encoder is nearly all of
what an answer costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from kg_reason.kg.grounding import Grounding
from kg_reason.model.fused import FusedModel
from kg_reason.nli import NLIExample
from kg_reason.reasoner import MIXED_EVIDENCE, Reasoner

VARIANTS_PER_PASS = 64


class VariantScores(NamedTuple):
    """The answers to one pair under some groundings.

    Attributes:
        logits: float64 [num_variants, num_labels].
        text_logits: float64 [num_labels]: the text is the same for all.
        contributions: per variant float64 [num_paths, num_labels], in the order of its paths.
    """

    logits: NDArray[np.float64]
    text_logits: NDArray[np.float64]
    contributions: list[NDArray[np.float64]]


class PairScorer:
    """Answers one pair under any number of groundings; its text is encoded once, when the scorer is made.

    Where the paths enter the text itself (the controls `verbalised` and `tokens`) every variant is encoded.

    Args:
        reasoner: answers; its weights stay as they are.
        example: the pair.
        grounding: any of the pair's.
    """

    def __init__(self, reasoner: Reasoner, example: NLIExample, grounding: Grounding) -> None:
        self._reasoner = reasoner
        self._example = replace(example, label=None)
        self._encodes_once = reasoner.config.model.evidence not in MIXED_EVIDENCE
        with _answering(reasoner.model) as device:
            bare = reasoner.collator([self._example], [grounding.without_paths()]).to(device)
            self._states = reasoner.model.encode_text(bare)  # [1, T, text_dim]
            text_logits = reasoner.model(bare, token_states=self._states).logits
        self.text_logits: NDArray[np.float64] = text_logits[0].double().cpu().numpy()

    def score(self, groundings: Sequence[Grounding]) -> VariantScores:
        """Answer the pair under each grounding; there is at least one."""
        model, collator = self._reasoner.model, self._reasoner.collator
        logits: list[NDArray[np.float64]] = []
        contributions: list[NDArray[np.float64]] = []
        with _answering(model) as device:
            for first in range(0, len(groundings), VARIANTS_PER_PASS):
                part = groundings[first : first + VARIANTS_PER_PASS]
                batch = collator([self._example] * len(part), part).to(device)
                shared = self._states.expand(len(part), -1, -1) if self._encodes_once else None
                output = model(batch, token_states=shared)
                logits.append(output.logits.double().cpu().numpy())
                bounds = np.cumsum([grounding.paths.num_paths for grounding in part])[:-1]
                contributions += np.split(output.contributions.double().cpu().numpy(), bounds)
        return VariantScores(np.concatenate(logits), self.text_logits, contributions)


@contextmanager
def _answering(model: FusedModel) -> Iterator[torch.device]:
    """Let a model answer, without gradients and dropout; yields its device."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield next(model.parameters()).device
    finally:
        model.train(was_training)


def score_variants(reasoner: Reasoner, example: NLIExample, groundings: Sequence[Grounding]) -> VariantScores:
    """Answer one pair under several groundings.

    The logits are those of `Reasoner.score`, but for rounding.

    Args:
        reasoner: answers; its weights stay as they are.
        example: the pair.
        groundings: at least one; they may differ in their paths, not in the places of their mentions.
    """
    return PairScorer(reasoner, example, groundings[0]).score(groundings)
