"""One pair under many subgraphs: the text is encoded once, and only the graph side is asked again for each of them.

Counterfactuals and fidelity ask the same pair with paths removed or added dozens of times; the encoder is nearly all of
what an answer costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from kg_reason.kg.grounding import Grounding
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


def score_variants(reasoner: Reasoner, example: NLIExample, groundings: Sequence[Grounding]) -> VariantScores:
    """Answer one pair under several groundings.

    The logits are those of `Reasoner.score`, but for rounding. Where the paths enter the text itself (the controls
    `verbalised` and `tokens`) every variant is encoded.

    Args:
        reasoner: answers; its weights stay as they are.
        example: the pair.
        groundings: at least one; they may differ in their paths, not in their mentions.
    """
    example = replace(example, label=None)
    model, encodes_once = reasoner.model, reasoner.config.model.evidence not in MIXED_EVIDENCE
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    logits: list[NDArray[np.float64]] = []
    contributions: list[NDArray[np.float64]] = []
    try:
        with torch.inference_mode():
            bare = reasoner.collator([example], [groundings[0].without_paths()]).to(device)
            states = model.encode_text(bare)  # [1, T, text_dim]
            text_logits = model(bare, token_states=states).logits
            for first in range(0, len(groundings), VARIANTS_PER_PASS):
                part = groundings[first : first + VARIANTS_PER_PASS]
                batch = reasoner.collator([example] * len(part), part).to(device)
                shared = states.expand(len(part), -1, -1) if encodes_once else None
                output = model(batch, token_states=shared)
                logits.append(output.logits.double().cpu().numpy())
                bounds = np.cumsum([grounding.paths.num_paths for grounding in part])[:-1]
                contributions += np.split(output.contributions.double().cpu().numpy(), bounds)
    finally:
        model.train(was_training)
    return VariantScores(np.concatenate(logits), text_logits[0].double().cpu().numpy(), contributions)
