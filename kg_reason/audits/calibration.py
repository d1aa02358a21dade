"""Audit: is the model as often right as it says, and are its uncertain answers the wrong ones?

The measures are `kg_reason/calibration.py`. A temperature is fitted to one half of the pairs and tried on the other,
and the other way round, so that no pair is measured with a temperature that it had a part in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.audits.answered import draw_examples, evidence_flags
from kg_reason.audits.result import AuditResult, Plot, Series, Table
from kg_reason.calibration import (
    RiskCoverage,
    aurc,
    brier_score,
    class_probabilities,
    excess_aurc,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability_curve,
    risk_coverage,
)
from kg_reason.config import AuditConfig
from kg_reason.errors import ConfigError
from kg_reason.evaluation import ScoredLabels, score_all, scored_labels, wilson
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.training.temperature import answer_confidence

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)  # of the table
CURVE_POINTS = 100  # of a plotted curve
MIN_COVERAGE = 0.05  # of a plotted curve: the first few answers are all chance

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Halves:
    """The logits over the temperature of the other half of the pairs.

    Attributes:
        logits: [num_examples, num_labels]; temperature 1 is right for them.
        temperatures: fitted to each half; 1 where a half does not tell.
        num_fitted: halves that did.
    """

    logits: Floats
    temperatures: tuple[float, float]
    num_fitted: int

    @property
    def temperature(self) -> float:
        """The geometric mean of both."""
        return float(np.sqrt(self.temperatures[0] * self.temperatures[1]))


class Answered(NamedTuple):
    """One kind of answer to the pairs.

    Attributes:
        name: `fused` or `text only`.
        logits: [num_examples, num_labels], over the temperature that the run has.
        halves: the same over temperatures fitted here.
    """

    name: str
    logits: Floats
    halves: Halves


def audit_calibration(reasoner: Reasoner, examples: Sequence[NLIExample], config: AuditConfig) -> AuditResult:
    """Measure how far the probabilities of a reasoner can be trusted, fused beside text-only.

    Args:
        reasoner: answers; temperatures that its run has are used, and measured.
        examples: of which those with a label are used.
        config: how many, and the seed that parts them.

    Raises:
        ConfigError: no pair has a label.
    """
    examples = draw_examples(examples, config)
    groundings = reasoner.ground_all(examples)
    scores = score_all(reasoner, examples, groundings, batch_size=config.batch_size)
    scored = scored_labels([example.label for example in examples if example.label is not None], reasoner.labels)
    first = np.zeros(len(examples), dtype=np.bool_)
    first[np.random.default_rng(config.audit_seed).permutation(len(examples))[: len(examples) // 2]] = True
    stored = reasoner.calibration
    fused, text = (
        Answered(name, logits / temperature, fit_halves(logits, scored, first))
        for name, logits, temperature in (
            ("fused", scores.logits, stored.temperature), ("text only", scores.text_logits, stored.text_temperature)
        )
    )  # fmt: skip
    has_evidence = evidence_flags(groundings)
    measures = {
        **_measures(fused, scored), **{f"text_{name}": value for name, value in _measures(text, scored).items()},
        "run_temperature": stored.temperature, "text_run_temperature": stored.text_temperature,
    }  # fmt: skip
    return AuditResult(
        name="calibration",
        question="Is the model as often right as it says, and are its uncertain answers the wrong ones?",
        summary=_summary(measures, len(examples)),
        measures=measures,
        tables=(_score_table([fused, text], scored, has_evidence), _coverage_table([fused, text], scored)),
        plots=(
            _reliability_plot("reliability", fused, scored),
            _reliability_plot("reliability-text", text, scored),
            _risk_plot("risk-coverage", "Errors among the answers given", [(fused, ""), (text, "")], scored, {}),
            _risk_plot(
                "risk-coverage-evidence", "Errors among the answers given, with and without paths in the graph",
                [(part, kind) for part in (fused, text) for kind in ("with evidence", "without evidence")], scored,
                {"with evidence": has_evidence, "without evidence": ~has_evidence},
            ),
        ),
    )  # fmt: skip


def fit_halves(logits: Floats, scored: ScoredLabels, first: Flags) -> Halves:
    """Fit a temperature to each half of some pairs, and divide the logits of the other half by it.

    Args:
        logits: [num_examples, num_labels].
        scored: their labels.
        first: [num_examples], which pairs are the one half.
    """
    divided, temperatures, num_fitted = logits.copy(), [], 0
    for half in (first, ~first):
        try:
            temperature = fit_temperature(logits[half], scored.truth[half], scored.columns)
            num_fitted += 1
        except ConfigError:  # too few pairs, or all right: the measures stand as they are
            temperature = 1.0
        temperatures.append(temperature)
        divided[~half] = logits[~half] / temperature
    return Halves(divided, (temperatures[0], temperatures[1]), num_fitted)


def _measures(part: Answered, scored: ScoredLabels) -> dict[str, float]:
    _, right = answer_confidence(part.logits, scored)
    now, after = _scores(part.logits, scored), _scores(part.halves.logits, scored)
    return {
        "accuracy": float(right.mean()),
        **now,
        **{f"{name}_after": after[name] for name in ("ece", "adaptive_ece", "brier", "nll")},
        "temperature": part.halves.temperature,
    }


def _scores(logits: Floats, scored: ScoredLabels) -> dict[str, float]:
    confidence, right = answer_confidence(logits, scored)
    return {
        "confidence": float(confidence.mean()),
        "ece": expected_calibration_error(confidence, right),
        "adaptive_ece": expected_calibration_error(confidence, right, equal_mass=True),
        "brier": brier_score(class_probabilities(logits, 1.0, scored.columns), scored.truth),
        "nll": negative_log_likelihood(logits, scored.truth, 1.0, scored.columns),
        "aurc": aurc(confidence, right),
        "excess_aurc": excess_aurc(confidence, right),
    }


def _summary(measures: Mapping[str, float], num_examples: int) -> str:
    gap = measures["confidence"] - measures["accuracy"]
    way = "more" if gap > 0 else "less"
    return (
        f"On {num_examples:,} pairs the answers are right in {measures['accuracy']:.1%} and say "
        f"{measures['confidence']:.1%}, {abs(100 * gap):.1f} points {way}; the calibration error is "
        f"{measures['ece']:.3f} (text only {measures['text_ece']:.3f}), and {measures['ece_after']:.3f} "
        f"({measures['text_ece_after']:.3f}) with temperatures fitted to other pairs. The area under the risk-coverage "
        f"curve is {measures['aurc']:.3f} fused and {measures['text_aurc']:.3f} from text alone; less is better."
    )


def _score_table(parts: Sequence[Answered], scored: ScoredLabels, has_evidence: Flags) -> Table:
    rows = []
    everything = np.ones_like(has_evidence)
    for part in parts:
        for name, chosen in (("", everything), (", with evidence", has_evidence), (", without", ~has_evidence)):
            if chosen.any():
                some = scored._replace(truth=scored.truth[chosen])
                accuracy = answer_confidence(part.logits[chosen], some)[1].mean()
                now, after = _scores(part.logits[chosen], some), _scores(part.halves.logits[chosen], some)
                rows.append((
                    f"{part.name}{name}", f"{chosen.sum():,}", f"{100 * accuracy:.1f}",
                    f"{100 * now['confidence']:.1f}", _both("ece", now, after), _both("adaptive_ece", now, after),
                    _both("brier", now, after), _both("nll", now, after), f"{now['aurc']:.3f}",
                    f"{now['excess_aurc']:.3f}",
                ))  # fmt: skip
    fitted = "; ".join(
        f"{part.name} {part.halves.temperatures[0]:.2f} and {part.halves.temperatures[1]:.2f}" for part in parts
    )
    note = (
        "Before and after a temperature fitted to the other half of the pairs. ECE: mean distance of confidence and "
        "accuracy in 15 bins of equal width, or of equal mass (adaptive). AURC: mean error over all coverages; excess: "
        f"over that of the best order of the same answers. Temperatures of the two halves: {fitted}."
    )
    if any(part.halves.num_fitted < 2 for part in parts):
        note += " One of 1.00 may stand for a half to which none could be fitted: too few pairs, or all right."
    columns = (
        "answers", "pairs", "accuracy, %", "confidence, %", "ECE", "adaptive ECE", "Brier score", "NLL", "AURC",
        "excess AURC",
    )  # fmt: skip
    return Table("Probabilities and what they are worth", columns, tuple(rows), note)


def _both(name: str, now: Mapping[str, float], after: Mapping[str, float]) -> str:
    return f"{now[name]:.3f} > {after[name]:.3f}"


def _coverage_table(parts: Sequence[Answered], scored: ScoredLabels) -> Table:
    """Show what leaving out the least certain answers gives, and below which probability they are."""
    curves = [risk_coverage(*answer_confidence(part.logits, scored)) for part in parts]
    rows = []
    for coverage in COVERAGES:
        row = [f"{coverage:.0%}"]
        for curve in curves:
            place = max(0, round(coverage * len(curve.risk)) - 1)
            row += [f"{100 * (1 - curve.risk[place]):.1f}", f"{curve.threshold[place]:.3f}"]
        rows.append(tuple(row))
    columns = ("answered", *(f"{part.name}: {what}" for part in parts for what in ("accuracy, %", "least probability")))
    return Table(
        "Accuracy of the most certain answers", columns, tuple(rows),
        "The least probability is the P of --abstain-below under which this share is answered.",
    )  # fmt: skip


def _reliability_plot(name: str, part: Answered, scored: ScoredLabels) -> Plot:
    """Plot accuracy over confidence, as answered and with the temperature of the other half, with 95 % intervals."""
    series = []
    for title, logits in ((part.name, part.logits), (f"{part.name}, with temperature", part.halves.logits)):
        curve = reliability_curve(*answer_confidence(logits, scored))
        num_right = np.rint(curve.accuracy * curve.num_examples).astype(np.int64).tolist()
        ends = [wilson(hits, count) for hits, count in zip(num_right, curve.num_examples.tolist(), strict=True)]
        low, high = zip(*ends, strict=True)
        series.append(
            Series(title, tuple(curve.confidence.tolist()), tuple(curve.accuracy.tolist()), tuple(low), tuple(high))
        )
    return Plot(
        name, f"Accuracy of answers by their confidence, {part.name}", "lines", "confidence", "accuracy", tuple(series),
        diagonal=True, y_range=(0.0, 1.0),
    )  # fmt: skip


def _risk_plot(
    name: str,
    title: str,
    lines: Sequence[tuple[Answered, str]],
    scored: ScoredLabels,
    chosen: Mapping[str, Flags],
) -> Plot:
    """Plot risk over coverage.

    Args:
        name: of the plot.
        title: of the plot.
        lines: answers, and which of the pairs: a name in `chosen`, or empty for all.
        scored: labels of all pairs.
        chosen: name -> [num_examples].
    """
    series = []
    for part, kind in lines:
        rows = chosen[kind] if kind else np.ones(len(part.logits), dtype=np.bool_)
        if rows.any():
            some = scored._replace(truth=scored.truth[rows])
            points = list(_points(risk_coverage(*answer_confidence(part.logits[rows], some))))
            x, y = zip(*points, strict=True)
            series.append(Series(f"{part.name}, {kind}" if kind else part.name, tuple(x), tuple(y)))
    return Plot(name, title, "lines", "share answered, most certain first", "share of them wrong", tuple(series))


def _points(curve: RiskCoverage) -> Iterator[tuple[float, float]]:
    """Yield some points of a curve, evenly spaced, the last one always."""
    num_examples = len(curve.risk)
    first = int(np.ceil(MIN_COVERAGE * num_examples)) - 1
    for place in np.unique(np.linspace(first, num_examples - 1, CURVE_POINTS).round().astype(np.int64)).tolist():
        yield float(curve.coverage[place]), float(curve.risk[place])
