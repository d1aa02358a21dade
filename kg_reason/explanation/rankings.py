"""How the paths of one answer can be ranked: by what they added, by what removing them does, and by usual stand-ins.

What a path does is measured on the margin of the winning label: its logit less the log-sum-exp of the others, so that
at 0 it has half of the probability. Every ranking gives each path a score; its sign says whether the path speaks for
the winning label, where the method can tell. Which ranking says the truth is `fidelity.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from torch import Tensor

from kg_reason.errors import ConfigError, MissingExtraError
from kg_reason.explanation.variants import PairScorer, VariantScores
from kg_reason.kg.grounding import Grounding
from kg_reason.nli import Label, NLIExample
from kg_reason.reasoner import Reasoner

CONTRIBUTION = "contribution"  # change of the margin when the contribution is subtracted from the logits
STRENGTH = "strength"  # largest change of a logit by the contribution: the order in which an answer shows its paths
GATE = "gate"  # the nearest thing to attention in this model; it has no sign
GRADIENT = "gradient"  # gradient of the margin by the path's weight, times the weight, which is 1
INTEGRATED_GRADIENTS = "integrated-gradients"  # the same, averaged on the way from weight 0 for all paths to 1
RANDOM = "random"
LEAVE_ONE_OUT = "leave-one-out"  # change of the margin when the path is really removed and the answer asked again
METHODS = (CONTRIBUTION, STRENGTH, GATE, GRADIENT, INTEGRATED_GRADIENTS, RANDOM, LEAVE_ONE_OUT)

METHODS_OF = {  # evidence of a model -> the methods that it has something to rank by; `text` reads no path
    "paths": METHODS,
    "counts": METHODS,
    "tokens": (GRADIENT, INTEGRATED_GRADIENTS, RANDOM, LEAVE_ONE_OUT),
    "verbalised": (RANDOM, LEAVE_ONE_OUT),
    "text": (),
}
NUM_STEPS = 16  # of integrated gradients: the logits of gated paths are linear in the weights, so few are enough

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class PathRankings:
    """One answer, and what several methods say about its paths.

    Attributes:
        label: the winning label.
        column: its column of the logits.
        logits: with all paths, [num_labels].
        logits_without: with each path removed, [num_paths, num_labels].
        scores: method -> [num_paths], in the order of the grounding.
    """

    label: Label
    column: int
    logits: Numbers
    logits_without: Numbers
    scores: Mapping[str, Numbers]

    def order(self, method: str) -> NDArray[np.int64]:
        """Return the paths by the size of their scores, largest first; among equals the retriever's order holds."""
        return by_size(self.scores[method])


def rank_paths(
    reasoner: Reasoner,
    example: NLIExample,
    grounding: Grounding,
    *,
    methods: Sequence[str] | None = None,
    seed: int = 0,
    scorer: PairScorer | None = None,
) -> PathRankings:
    """Answer one pair and rank its paths.

    Args:
        reasoner: answers; its weights stay as they are.
        example: the pair.
        grounding: its mentions and paths; without paths all scores are empty.
        methods: some of those that `METHODS_OF` lists for the reasoner's evidence; None: all of these.
        seed: of the random ranking.
        scorer: of the pair; None: one is made here.

    Raises:
        ConfigError: a method that does not exist, or that this model has nothing for.
        MissingExtraError: integrated gradients are asked for, and captum is not installed.
    """
    methods = chosen_methods(reasoner, methods)
    num_paths = grounding.paths.num_paths
    scorer = scorer or PairScorer(reasoner, example, grounding)
    found = scorer.score([grounding, *_without_one(grounding)])
    logits, without = found.logits[0], found.logits[1:]
    column = int(logits.argmax())
    scores = {name: score for name, score in _measured(found, column).items() if name in methods}
    if RANDOM in methods:
        scores[RANDOM] = random_scores(num_paths, seed)
    if {GATE, GRADIENT, INTEGRATED_GRADIENTS} & set(methods):
        scores |= _weighed(reasoner, example, grounding, column, methods)
    return PathRankings(reasoner.labels[column], column, logits, without, {name: scores[name] for name in methods})


def chosen_methods(reasoner: Reasoner, methods: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the methods asked for, or all that the reasoner's model has something for.

    Raises:
        ConfigError: a method that does not exist, or that this model has nothing for.
    """
    evidence = reasoner.config.model.evidence
    offered = METHODS_OF[evidence]
    for method in methods or ():
        if method not in offered:
            expected = ", ".join(offered) or "none"
            raise ConfigError(f"methods: found {method!r}, expected, for a model of evidence {evidence}: {expected}")
    return offered if methods is None else tuple(methods)


def by_size(scores: Numbers) -> NDArray[np.int64]:
    """Return the places of scores, largest size first; equals keep their order."""
    order: NDArray[np.int64] = np.argsort(-np.abs(scores), kind="stable")
    return order


def random_scores(num_paths: int, *seed: int) -> Numbers:
    """Return a random order of the paths as scores from `num_paths` down to 1; the same for the same seeds."""
    scores: Numbers = np.random.default_rng(seed).permutation(num_paths).astype(np.float64)
    return scores + 1.0


def margin(logits: Numbers, column: int) -> Numbers:
    """Return the log-odds of one label: its logit less the log-sum-exp of the others.

    Args:
        logits: [..., num_labels].
        column: of the label.
    """
    others: Numbers = logsumexp(np.delete(logits, column, axis=-1), axis=-1)
    above: Numbers = logits[..., column] - others
    return above


def _without_one(grounding: Grounding) -> list[Grounding]:
    """Return the grounding without its first path, without its second, and so on."""
    rows = np.arange(grounding.paths.num_paths)
    return [replace(grounding, paths=grounding.paths.take(rows[rows != row])) for row in rows]


def _measured(found: VariantScores, column: int) -> dict[str, Numbers]:
    """Return the scores that need no gradient, from the answers with all paths and with each of them removed."""
    logits, contributions = found.logits[0], found.contributions[0]
    whole = margin(logits, column)
    return {
        CONTRIBUTION: whole - margin(logits - contributions, column),
        STRENGTH: np.abs(contributions).max(axis=-1),
        LEAVE_ONE_OUT: whole - margin(found.logits[1:], column),
    }


def _weighed(
    reasoner: Reasoner, example: NLIExample, grounding: Grounding, column: int, methods: Sequence[str]
) -> dict[str, Numbers]:
    """Return gates and gradients by the paths' weights; the text is encoded once where paths are no tokens of it."""
    num_paths = grounding.paths.num_paths
    if num_paths == 0:
        return {name: np.empty(0) for name in (GATE, GRADIENT, INTEGRATED_GRADIENTS)}
    model = reasoner.model
    device = next(model.parameters()).device
    example = replace(example, label=None)
    was_training = model.training
    model.eval()
    try:
        states: Tensor | None = None
        with torch.no_grad():
            batch = reasoner.collator([example], [grounding]).to(device)
            if reasoner.config.model.evidence != "tokens":
                states = model.encode_text(batch)  # [1, T, text_dim]
        weight = torch.ones(num_paths, device=device, requires_grad=True)
        output = model(batch, weight, token_states=states)
        (slope,) = torch.autograd.grad(_margins(output.logits, column).sum(), weight)
        scores = {GATE: _plain(output.gates), GRADIENT: _plain(slope * weight)}
        if INTEGRATED_GRADIENTS in methods:
            scores[INTEGRATED_GRADIENTS] = _integrated(reasoner, example, grounding, column, states)
        return scores
    finally:
        model.train(was_training)


def _integrated(
    reasoner: Reasoner, example: NLIExample, grounding: Grounding, column: int, states: Tensor | None
) -> Numbers:
    """Return integrated gradients (Sundararajan et al., ICML 2017) by the paths' weights, from 0 to 1, [num_paths].

    With gated paths they add up to the margin less that of the text alone. A path that is a token of the encoder is
    hidden at weight 0 and an empty token just above it, so there they add up to the difference from empty tokens.
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise MissingExtraError(
            "integrated gradients need captum, which is not installed: pip install 'kg_reason[audit]'"
        ) from error
    device = next(reasoner.model.parameters()).device
    # Captum asks for all steps at once: as many copies of the pair, each with weights of its own.
    batch = reasoner.collator([example] * NUM_STEPS, [grounding] * NUM_STEPS).to(device)
    shared = None if states is None else states.expand(NUM_STEPS, -1, -1)

    def margins(weights: Tensor) -> Tensor:  # [NUM_STEPS, num_paths] -> [NUM_STEPS]
        return _margins(reasoner.model(batch, weights.flatten(), token_states=shared).logits, column)

    whole = torch.ones(1, grounding.paths.num_paths, device=device)
    attribution: Tensor = IntegratedGradients(margins).attribute(
        whole, baselines=torch.zeros_like(whole), n_steps=NUM_STEPS
    )  # [1, num_paths]
    return _plain(attribution[0])


def _margins(logits: Tensor, column: int) -> Tensor:
    """Return `margin` of tensors, [batch_size]."""
    others = [number for number in range(logits.shape[1]) if number != column]
    return logits[:, column] - logits[:, others].logsumexp(dim=1)


def _plain(values: Tensor) -> Numbers:
    plain: Numbers = values.detach().double().cpu().numpy()
    return plain
