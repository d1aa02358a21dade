"""How far explanations by paths are true: what happens to the answers when the paths they name are really removed.

An answer has a winning label of probability p; its explanation is the k paths that a ranking puts first, by the size of
their scores. Each figure is a mean over answers with at least two paths:

- `fidelity_plus_k`: share of answers whose label changes without the explanation; `fidelity_minus_k`: share whose label
  changes when the explanation is all that is kept. These are the definitions of `fidelity` in
  `torch_geometric.explain.metric` for explanations of type `model`, in which the model's own answers are the targets
  (Amara et al., "GraphFramEx", 2022).
- `label_kept`: 1 - fidelity_minus of the paths that an answer shows, PATHS_SHOWN of them. With no more paths than these
  it is 1 by definition; `label_kept_of_many` counts only answers with more.
- `comprehensiveness_k`: by how much p falls without the explanation; `sufficiency_k`: by how much it falls when the
  explanation is all that is kept, so less is better (DeYoung et al., "ERASER", ACL 2020). Only answers with more than k
  paths count, as of the others every ranking chooses the same paths. The ranking `random` is what to compare them with.
- `deletion_ratio`: mean |change of p| without the first path (`deleted_top`), over that without another path drawn by
  chance (`deleted_other`). `deletion_ratio_any` compares with a path drawn from all, the first one included
  (`deleted_any`): even where one path does everything, this cannot exceed the number of paths, and with two to five
  paths an answer it stays low whatever the explanation. A draw is not made but its mean over all paths is taken.
- `tau`: Kendall's tau-b between the scores and those of leave-one-out, mean over answers with at least three paths;
  `tau_size`: the same of the sizes of the scores, which is the fair one for rankings without a sign (`strength`,
  `gate`, `random`). A ranking that gives all paths the same score agrees with nothing: 0. Leave-one-out agrees with
  itself.

Intervals are those of a bootstrap over examples, percentiles of resamples that are the same for all figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from tqdm import tqdm

from kg_reason.explanation.fidelity_report import FidelityReport, Figure, MethodFidelity
from kg_reason.explanation.rankings import (
    LEAVE_ONE_OUT,
    RANDOM,
    PathRankings,
    by_size,
    chosen_methods,
    random_scores,
    rank_paths,
)
from kg_reason.explanation.variants import PairScorer
from kg_reason.kg.grounding import Grounding
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.terminal import PROGRESS_DELAY

PATHS_SHOWN = 5  # of an answer, as `Prediction.to_text` has it
SIZES = (1, 2, PATHS_SHOWN)  # of explanations, in paths
LABEL_SIZES = (1, PATHS_SHOWN)  # of those whose labels are compared
MIN_RANKED = 3  # paths of an answer whose rankings are compared
NUM_DRAWS = 8  # random rankings of each answer
NUM_RESAMPLES = 1000
DECIMALS = 5  # of scores and changes: the same answer in another batch differs from the sixth on
INTERVAL = (2.5, 97.5)  # percentiles

RATIOS = {"deletion_ratio": ("deleted_top", "deleted_other"), "deletion_ratio_any": ("deleted_top", "deleted_any")}
TABLES = {  # title -> measure -> head of its column
    "the first path deleted: mean change of the winning probability, and how many times that of another path": {
        "deleted_top": "first", "deleted_other": "another", "deleted_any": "any", "deletion_ratio": "first / another",
        "deletion_ratio_any": "first / any",
    },
    "labels: share that changes without the first k paths (fidelity+) and with these only (fidelity-)": {
        **{f"fidelity_plus_{size}": f"fidelity+ {size}" for size in LABEL_SIZES},
        **{f"fidelity_minus_{size}": f"fidelity- {size}" for size in LABEL_SIZES},
        "label_kept": f"kept by {PATHS_SHOWN}", "label_kept_of_many": f"kept by {PATHS_SHOWN} of more",
    },
    "comprehensiveness: fall of the winning probability without the first k paths; more is better": {
        f"comprehensiveness_{size}": f"k = {size}" for size in SIZES
    },
    "sufficiency: fall of the winning probability with the first k paths only; less is better": {
        f"sufficiency_{size}": f"k = {size}" for size in SIZES
    },
    "agreement with leave-one-out: Kendall's tau of the scores, and of their sizes": {
        "tau": "tau", "tau_size": "tau of sizes",
    },
}  # fmt: skip

Numbers = NDArray[np.float64]
Values = dict[str, float]  # measure -> its value for one answer; absent where the answer does not count


@dataclass(frozen=True)
class _Answered:
    """One answer under every selection of its paths that an explanation asks for.

    Attributes:
        rankings: of its paths, and the answers without each.
        probabilities: the paths that are kept, as a mask in bytes -> [num_labels].
    """

    rankings: PathRankings
    probabilities: Mapping[bytes, Numbers]

    def probability(self, kept: NDArray[np.bool_]) -> float:
        """Return the probability of the winning label with some of the paths."""
        return float(self.probabilities[kept.tobytes()][self.rankings.column])

    def changes(self, kept: NDArray[np.bool_]) -> float:
        """Return 1 if another label wins with some of the paths, else 0."""
        return float(self.probabilities[kept.tobytes()].argmax() != self.rankings.column)


def measure_fidelity(
    reasoner: Reasoner,
    examples: Sequence[NLIExample],
    *,
    methods: Sequence[str] | None = None,
    seed: int = 0,
    show_progress: bool = False,
) -> FidelityReport:
    """Measure how far each ranking of the paths tells what moves the answers.

    Args:
        reasoner: answers; its weights stay as they are.
        examples: pairs; labels are not needed, as explanations are held against the model's own answers.
        methods: rankings, see `rankings.METHODS`; None: all that the model has something for.
        seed: of random rankings and intervals.
        show_progress: show bars on stderr.

    Raises:
        ConfigError: a method that does not exist or that this model has nothing for, or a text is longer than the
            linker's limit.
        MissingExtraError: integrated gradients are among the methods, and captum is not installed.
        UnknownEntityError: a name of an example stands for an entity that the graph does not hold.
    """
    methods = chosen_methods(reasoner, methods)
    if not methods:
        return FidelityReport(len(examples), 0, 0.0, None, ())
    groundings = reasoner.ground_all(examples, show_progress=show_progress)
    counted = [number for number, grounding in enumerate(groundings) if grounding.paths.num_paths > 1]
    values: dict[str, list[Values]] = {method: [] for method in methods}
    decided: list[Values] = []
    for number in tqdm(counted, desc="removing paths", unit="pair", disable=not show_progress, delay=PROGRESS_DELAY):
        scores, answered = _ask(reasoner, examples[number], groundings[number], methods, (seed, number))
        for method in methods:
            values[method].append(_mean(_values(answered, one) for one in scores[method]))
        nothing = np.zeros(len(answered.rankings.logits_without), dtype=np.bool_)
        decided.append({"decided": answered.changes(nothing)})
    if not counted:
        return FidelityReport(len(examples), 0, 0.0, None, ())
    weights = np.random.default_rng(seed).multinomial(
        len(counted), np.full(len(counted), 1 / len(counted)), size=NUM_RESAMPLES
    )  # [NUM_RESAMPLES, num_counted]: how often a resample holds each answer
    return FidelityReport(
        num_examples=len(examples),
        num_counted=len(counted),
        num_paths=float(np.mean([groundings[number].paths.num_paths for number in counted])),
        decided=figures(decided, weights)["decided"],
        methods=tuple(MethodFidelity(method, figures(values[method], weights)) for method in methods),
    )


def figures(values: Sequence[Values], weights: NDArray[np.int64]) -> dict[str, Figure]:
    """Return the mean of each measure, and the ratios of means of RATIOS, with their intervals.

    Args:
        values: of each answer, at least one.
        weights: how often each resample holds each answer, [num_resamples, num_answers].
    """
    names = sorted({name for value in values for name in value})
    table = np.array([[value.get(name, np.nan) for name in names] for value in values])  # [num_answers, num_measures]
    counts = np.isfinite(table)
    totals = np.concatenate([np.ones((1, len(values))), weights]) @ np.where(counts, table, 0.0)
    sizes = np.concatenate([np.ones((1, len(values))), weights]) @ counts  # the first row is the whole sample
    columns = {name: (totals[:, place], sizes[:, place]) for place, name in enumerate(names)}
    found = {name: _figure(total, size, int(size[0])) for name, (total, size) in columns.items()}
    for name, (above, below) in RATIOS.items():
        if above in columns and below in columns and columns[below][0][0] > 0:
            found[name] = _figure(columns[above][0], columns[below][0], len(values))
    return found


def _figure(above: Numbers, below: Numbers, num_examples: int) -> Figure:
    """Return a quotient; the first place is that of the whole sample, the others are those of resamples."""
    usable = below > 0  # a resample without any answer that counts says nothing
    low, high = np.percentile(above[usable] / below[usable], INTERVAL)
    return Figure(float(above[0] / below[0]), float(low), float(high), num_examples)


def _ask(
    reasoner: Reasoner, example: NLIExample, grounding: Grounding, methods: Sequence[str], seed: tuple[int, int]
) -> tuple[dict[str, list[Numbers]], _Answered]:
    """Rank the paths of one pair, and answer it with and without the first of each ranking.

    Returns:
        method -> its scores, several for the random one; and the answers.
    """
    scorer = PairScorer(reasoner, example, grounding)
    rankings = rank_paths(reasoner, example, grounding, methods=sorted({*methods, LEAVE_ONE_OUT}), scorer=scorer)
    num_paths = grounding.paths.num_paths
    scores = {method: [rankings.scores[method]] for method in methods}
    if RANDOM in scores:
        scores[RANDOM] = [random_scores(num_paths, *seed, draw) for draw in range(NUM_DRAWS)]
    chosen = [_first(one, size) for several in scores.values() for one in several for size in SIZES]
    nothing = np.zeros(num_paths, dtype=np.bool_)
    kept = {mask.tobytes(): mask for first in [nothing, *chosen] for mask in (first, ~first)}
    groundings = [replace(grounding, paths=grounding.paths.take(np.flatnonzero(mask))) for mask in kept.values()]
    logits = scorer.score(groundings).logits
    return scores, _Answered(rankings, dict(zip(kept, softmax(logits, axis=1), strict=True)))


def _first(scores: Numbers, size: int) -> NDArray[np.bool_]:
    """Return the mask of the paths whose scores are largest in size."""
    mask = np.zeros(len(scores), dtype=np.bool_)
    mask[by_size(scores)[:size]] = True
    return mask


def _values(answered: _Answered, scores: Numbers) -> Values:
    """Return the measures of one answer under one ranking."""
    rankings, num_paths = answered.rankings, len(scores)
    before = float(softmax(rankings.logits)[rankings.column])
    without = softmax(rankings.logits_without, axis=1)[:, rankings.column]  # [num_paths]
    change = np.abs(without - before).round(DECIMALS)  # [num_paths]
    top = int(by_size(scores)[0])
    values = {
        "deleted_top": float(change[top]),
        "deleted_other": float(np.delete(change, top).mean()),
        "deleted_any": float(change.mean()),
    }
    for size in SIZES:
        first = _first(scores, size)
        if size in LABEL_SIZES:
            values[f"fidelity_plus_{size}"] = answered.changes(~first)
            values[f"fidelity_minus_{size}"] = answered.changes(first)
        if size < num_paths:
            values[f"comprehensiveness_{size}"] = before - answered.probability(~first)
            values[f"sufficiency_{size}"] = before - answered.probability(first)
    values["label_kept"] = 1.0 - values[f"fidelity_minus_{PATHS_SHOWN}"]
    if num_paths > PATHS_SHOWN:
        values["label_kept_of_many"] = values["label_kept"]
    scores, removed = scores.round(DECIMALS), rankings.scores[LEAVE_ONE_OUT].round(DECIMALS)
    if num_paths >= MIN_RANKED:
        agreements = {"tau": kendall_tau(scores, removed), "tau_size": kendall_tau(np.abs(scores), np.abs(removed))}
        values |= {name: value for name, value in agreements.items() if value is not None}
    return values


def kendall_tau(scores: Numbers, removed: Numbers) -> float | None:
    """Return Kendall's tau-b of two scores of the same paths, in [-1, 1]; 0 where only the first are all equal.

    None: the second are all equal, so that there is no order to agree with.

    Args:
        scores: [num_paths].
        removed: [num_paths], of leave-one-out.
    """
    upper = np.triu_indices(len(scores), 1)
    signs, truth = (np.sign(np.subtract.outer(one, one))[upper] for one in (scores, removed))  # each [num_pairs]
    if not truth.any():
        return None
    untied = np.abs(signs).sum() * np.abs(truth).sum()
    return float((signs * truth).sum() / np.sqrt(untied)) if untied else 0.0


def _mean(several: Iterable[Values]) -> Values:
    """Return the mean of each measure over rankings of one answer, which all have the same measures."""
    rows = list(several)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
