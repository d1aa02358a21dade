"""Faithfulness: are the paths that an answer shows the ones that moved it, and which ranking of paths tells it best?

The measures, and how each is taken, are those of `explanation/fidelity.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kg_reason.audits.answered import draw_examples
from kg_reason.audits.result import AuditResult, Plot, Series, Table
from kg_reason.config import AuditConfig
from kg_reason.explanation.fidelity import PATHS_SHOWN, TABLES, measure_fidelity
from kg_reason.explanation.fidelity_report import FidelityReport, MethodFidelity
from kg_reason.explanation.rankings import CONTRIBUTION
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner

NAME = "faithfulness"
QUESTION = "Are the paths that an answer shows the ones that moved it?"
INTERVALS = "In brackets, 95 % intervals of a bootstrap over pairs."


def audit_faithfulness(reasoner: Reasoner, examples: Sequence[NLIExample], config: AuditConfig) -> AuditResult:
    """Remove and keep the paths that each ranking names, and measure what becomes of the answers.

    The measures are those of the ranking by contributions, or, in a model whose paths have none, of the first ranking
    that it allows; the tables have all rankings. A model that reads no paths, and pairs of which none has two, have no
    measures.

    Args:
        reasoner: answers; its weights stay as they are.
        examples: labelled pairs; explanations are held against the model's own answers, right or wrong.
        config: how many pairs, and the seed of the random rankings and intervals.

    Raises:
        ConfigError: no pair has a label.
        MissingExtraError: captum is not installed.
    """
    examples = draw_examples(examples, config)
    report = measure_fidelity(reasoner, examples, seed=config.audit_seed)
    if not report.methods:
        return AuditResult(NAME, QUESTION, _nothing(reasoner, report), {})
    methods = {item.method: item for item in report.methods}
    main = methods.get(CONTRIBUTION, report.methods[0])
    return AuditResult(
        name=NAME,
        question=QUESTION,
        summary=_summary(report, main),
        measures=_measures(report, main),
        tables=tuple(_table(title, measures, report) for title, measures in TABLES.items()),
        plots=_plots(report),
    )


def _nothing(reasoner: Reasoner, report: FidelityReport) -> str:
    if reasoner.config.model.evidence == "text":
        return "This model reads no paths, so there is nothing to explain by them."
    return f"None of {report.num_examples:,} answers has two paths, so there is nothing to rank."


def _measures(report: FidelityReport, main: MethodFidelity) -> dict[str, float]:
    measures = {"num_pairs": float(report.num_counted), "num_paths": report.num_paths}
    if report.decided is not None:
        measures["decided"] = report.decided.value
    return measures | {name: figure.value for name, figure in main.figures.items()}


def _summary(report: FidelityReport, main: MethodFidelity) -> str:
    found = main.figures
    parts = []
    if "deletion_ratio" in found:
        ratio = found["deletion_ratio"]
        parts.append(
            f"deleting the first path changes the winning probability {ratio.value:.1f} ({ratio.low:.1f} to "
            f"{ratio.high:.1f}) times as much as deleting another one"
        )
    kept = found["label_kept"]
    parts.append(f"the first {PATHS_SHOWN} paths alone keep the label of {100 * kept.value:.1f} % of the answers")
    if "label_kept_of_many" in found:
        many = found["label_kept_of_many"]
        parts[-1] += f" ({100 * many.value:.1f} % of the {many.num_examples:,} with more paths)"
    if "tau" in found:
        tau = found["tau"]
        parts.append(f"and they are ranked as leave-one-out ranks them with a tau of {tau.value:.2f}")
    counted = f"{report.num_counted:,} of {report.num_examples:,} answers have two paths or more"
    return f"With paths ranked by {main.method}, {', '.join(parts)}; {counted}."


def _table(title: str, measures: Mapping[str, str], report: FidelityReport) -> Table:
    columns, *rows = report.rows(measures)
    return Table(title[0].upper() + title[1:], columns, tuple(rows), INTERVALS)


def _plots(report: FidelityReport) -> tuple[Plot, ...]:
    shown = (
        ("deletion", "Change of the winning probability when one path is deleted", "mean change",
         {"deleted_top": "the first path", "deleted_other": "another path"}),
        ("removal", "Fall of the winning probability by the first path", "mean fall",
         {"comprehensiveness_1": "without it (more is better)", "sufficiency_1": "with it only (less is better)"}),
        ("agreement", "Agreement with leave-one-out", "Kendall's tau",
         {"tau": "of the scores", "tau_size": "of their sizes"}),
    )  # fmt: skip
    plots = []
    for name, title, y_label, measures in shown:
        series = [_series(label, measure, report) for measure, label in measures.items()]
        used = tuple(item for item in series if item.x)
        if used:
            plots.append(Plot(name, title, "bars", "ranked by", y_label, used))
    return tuple(plots)


def _series(name: str, measure: str, report: FidelityReport) -> Series:
    found = [(item.method, item.figures[measure]) for item in report.methods if measure in item.figures]
    return Series(
        name,
        tuple(method for method, _ in found),
        tuple(figure.value for _, figure in found),
        tuple(figure.low for _, figure in found),
        tuple(figure.high for _, figure in found),
    )
