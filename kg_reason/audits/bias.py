"""Bias: are pairs that differ only in a demographic word answered alike, and neutral, as is right?

The pairs are made by `bias_templates.py`; labelled examples play no part. Beside the answers stand those of the same
model from the text alone, so that bias which comes with the graph is told from bias of the encoder; the relations that
brought it are named, and the pairs asked again without them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.audits.bias_counts import (
    Answers,
    Difference,
    depends_on_group,
    dimensions_of,
    largest_difference,
    rows_of,
)
from kg_reason.audits.bias_templates import Frame, expand, load_bias_lists, sample
from kg_reason.audits.result import AuditResult, Plot, Series, Table
from kg_reason.calibration import class_probabilities
from kg_reason.config import AuditConfig
from kg_reason.evaluation import wilson
from kg_reason.exclusion import excluding
from kg_reason.kg.paths import Path
from kg_reason.nli import Label, NLIExample, fit_label
from kg_reason.prediction import Evidence, Prediction
from kg_reason.reasoner import Reasoner

MAX_EXCLUDED = 3  # relations, or entities, that are left out together, the worst ones
ROWS_SHOWN = 12
WORDS_SHOWN = 4  # of each dimension


class Cause(NamedTuple):
    """A pair that the graph turned from neutral to another answer, and what pushed it.

    Attributes:
        prediction: for the pair.
        path: that pushed hardest from neutral to the answer; None where no single one did.
        relations: on the path, each once.
        entities: ids of those that the path leads through, its ends not among them.
    """

    prediction: Prediction
    path: Path | None
    relations: tuple[str, ...]
    entities: tuple[str, ...]


class Exclusion(NamedTuple):
    """The answers without some relations or entities, and how many of them the graph still turned from neutral."""

    names: tuple[str, ...]
    answers: Answers
    num_spoilt: int


def audit_bias(reasoner: Reasoner, examples: Sequence[NLIExample], config: AuditConfig) -> AuditResult:
    """Ask pairs that differ only in a demographic word, and compare the answers of the groups.

    Args:
        reasoner: answers; it stays as it is.
        examples: not looked at: the pairs are made from templates.
        config: `bias_file`, `max_examples` (pairs asked at most), `audit_seed` and `batch_size` are used.

    Raises:
        ConfigError: the bias file is wrong, or `max_examples` is less than one pair for each group of a dimension.
    """
    del examples
    frames = sample(expand(load_bias_lists(config.bias_file)), config.max_examples, config.audit_seed)
    pairs = [pair for frame in frames for pair in frame.pairs]
    answers, text = _ask(reasoner, pairs, config.batch_size)
    differences = {dimension: largest_difference(frames, answers, dimension, config.audit_seed)
                   for dimension in dimensions_of(frames)}  # fmt: skip
    text_differences = {dimension: largest_difference(frames, text, dimension, config.audit_seed)
                        for dimension in dimensions_of(frames)}  # fmt: skip
    spoilt = np.flatnonzero(text.neutral & ~answers.neutral)
    causes = _causes(reasoner, [pairs[row] for row in spoilt], config.batch_size)
    exclusions = _exclude_worst(reasoner, pairs, causes, text, config.batch_size)
    measures = _measures(frames, answers, text, differences, text_differences)
    measures["spoilt_by_graph"] = len(spoilt) / len(pairs)
    measures["mended_by_graph"] = float((~text.neutral & answers.neutral).mean())
    if exclusions:
        measures["neutral_without_worst"] = max(float(item.answers.neutral.mean()) for item in exclusions)
    return AuditResult(
        name="bias",
        question="Are pairs that differ only in a demographic word answered alike, and neutral, as is right?",
        summary=_summary(measures, exclusions, [key for key, value in differences.items() if value.is_certain]),
        measures=measures,
        tables=(
            _dimension_table(frames, answers, text),
            _group_table(frames, answers, text),
            _difference_table(differences, text_differences),
            _stereotype_table(frames, answers, text),
            *_cause_tables(causes),
            *([_exclusion_table(exclusions, answers, len(spoilt))] if exclusions else []),
        ),
        plots=_plots(frames, answers, text),
    )


# ---- asking


def _ask(reasoner: Reasoner, pairs: Sequence[NLIExample], batch_size: int) -> tuple[Answers, Answers]:
    """Return the answers with the graph and from the text alone."""
    scores = reasoner.score(pairs, reasoner.ground_all(pairs), batch_size)
    calibration = reasoner.calibration
    fused = class_probabilities(scores.logits, calibration.temperature)
    text = class_probabilities(scores.text_logits, calibration.text_temperature)
    return Answers(fused, reasoner.labels), Answers(text, reasoner.labels)


def _causes(reasoner: Reasoner, pairs: Sequence[NLIExample], batch_size: int) -> list[Cause]:
    neutral = fit_label(Label.NEUTRAL, reasoner.labels)
    causes = []
    for prediction in reasoner.iter_predictions(pairs, batch_size):
        pushing = [item for item in prediction.evidence if _push(item, prediction.label, neutral) > 0]
        strongest = max(pushing, key=lambda item: _push(item, prediction.label, neutral), default=None)
        path = strongest.path if strongest else None
        # A step from an entity to itself joins two names of one thing: no relation that could be left out.
        relations = dict.fromkeys(step.relation for step in path.steps if step.head != step.tail) if path else {}
        walked = [step.tail if step.forward else step.head for step in path.steps[:-1]] if path else []
        causes.append(Cause(prediction, path, tuple(relations), tuple(dict.fromkeys(walked))))
    return causes


def _push(evidence: Evidence, label: Label, neutral: Label) -> float:
    return evidence.contribution[label] - evidence.contribution[neutral]


def _exclude_worst(
    reasoner: Reasoner, pairs: Sequence[NLIExample], causes: Sequence[Cause], text: Answers, batch_size: int
) -> list[Exclusion]:
    """Ask all pairs again without the worst relation and without the worst few, and so for entities."""
    found = []
    for members in ([cause.relations for cause in causes], [cause.entities for cause in causes]):
        worst = [name for name, _ in _count(members)[:MAX_EXCLUDED]]
        for names in dict.fromkeys((tuple(worst[:1]), tuple(worst))):
            if names:
                answers, _ = _ask(excluding(reasoner, names), pairs, batch_size)
                found.append(Exclusion(names, answers, int((text.neutral & ~answers.neutral).sum())))
    return found


def _count(members: Sequence[Sequence[str]]) -> list[tuple[str, int]]:
    """Count in how many causes each name occurs, the most frequent first."""
    counts = Counter(name for names in members for name in names)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _measures(
    frames: Sequence[Frame], answers: Answers, text: Answers, differences: dict[str, Difference],
    text_differences: dict[str, Difference],
) -> dict[str, float]:  # fmt: skip
    measures: dict[str, float] = {}
    for prefix, kind, largest in (("", answers, differences), ("text_", text, text_differences)):
        depends = depends_on_group(frames, kind)
        measures[f"{prefix}neutral"] = float(kind.neutral.mean())
        measures[f"{prefix}neutral_probability"] = float(kind.probabilities[:, kind.neutral_column].mean())
        measures[f"{prefix}answer_depends_on_group"] = float(depends.mean())
        for dimension in dimensions_of(frames):
            of_dimension = np.array([frame.dimension == dimension for frame in frames])
            measures[f"{prefix}neutral_{dimension}"] = float(kind.neutral[rows_of(frames, dimension)].mean())
            measures[f"{prefix}answer_depends_on_{dimension}"] = float(depends[of_dimension].mean())
            measures[f"{prefix}difference_{dimension}"] = largest[dimension].value
            measures[f"{prefix}difference_low_{dimension}"] = largest[dimension].low
    measures["num_pairs"] = float(len(answers.probabilities))
    return measures


# ---- showing


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _summary(measures: dict[str, float], exclusions: Sequence[Exclusion], certain: Sequence[str]) -> str:
    told = (
        f"{_percent(measures['neutral'])} of {measures['num_pairs']:.0f} pairs are answered neutral, as is right, with "
        f"the graph and {_percent(measures['text_neutral'])} from the text alone; another group gets another answer in "
        f"{_percent(measures['answer_depends_on_group'])} and {_percent(measures['text_answer_depends_on_group'])} of "
        "the sentences."
    )
    told += f" Groups differ beyond chance in: {', '.join(certain) or 'no dimension'}."
    single = [item for item in exclusions if len(item.names) == 1]
    if single:
        effects = (f"{_percent(float(item.answers.neutral.mean()))} without `{item.names[0]}`" for item in single)
        told += f" Neutral would be {', '.join(effects)}."
    return told


def _dimension_table(frames: Sequence[Frame], answers: Answers, text: Answers) -> Table:
    rows = []
    depends, text_depends = depends_on_group(frames, answers), depends_on_group(frames, text)
    for dimension in (*dimensions_of(frames), ""):
        own = rows_of(frames, dimension) if dimension else np.arange(len(answers.probabilities))
        of_frame = np.array([not dimension or frame.dimension == dimension for frame in frames])
        cells = [dimension or "all", str(len(own))]
        for kind, changes in ((answers, depends), (text, text_depends)):
            cells += [_percent(kind.neutral[own].mean()), f"{kind.probabilities[own, kind.neutral_column].mean():.3f}",
                      _percent(changes[of_frame].mean())]  # fmt: skip
        rows.append(tuple(cells))
    columns = ("dimension", "pairs", "neutral", "mean probability", "depends on the group", "text: neutral",
               "text: mean probability", "text: depends on the group")  # fmt: skip
    note = "Neutral is right for every pair. An answer depends on the group where another group's differs in the label."
    return Table("Neutral answers by dimension", columns, tuple(rows), note)


def _groups(frames: Sequence[Frame]) -> list[tuple[str, str, NDArray[np.int64]]]:
    """Return every dimension and group with the numbers of its pairs."""
    categories = np.array([pair.category for frame in frames for pair in frame.pairs])
    found = []
    for category in dict.fromkeys(categories.tolist()):
        dimension, _, group = category.partition(":")
        found.append((dimension, group, np.flatnonzero(categories == category)))
    return found


def _group_table(frames: Sequence[Frame], answers: Answers, text: Answers) -> Table:
    rows = []
    for dimension, group, own in _groups(frames):
        cells = [dimension, group, str(len(own))]
        for kind in (answers, text):
            cells += [_percent(kind.answered(label)[own].mean()) for label in (Label.ENTAILMENT, Label.CONTRADICTION)]
        rows.append(tuple(cells))
    columns = ("dimension", "group", "pairs", "entailed", "contradicted", "text: entailed", "text: contradicted")
    return Table("Wrong answers by group", columns, tuple(rows))


def _difference_table(differences: dict[str, Difference], text_differences: dict[str, Difference]) -> Table:
    rows = []
    for name, found in (("with the graph", differences), ("text alone", text_differences)):
        for dimension, item in found.items():
            interval = f"{100 * item.low:+.1f} to {100 * item.high:+.1f}"
            rows.append((dimension, name, f"{item.first} - {item.second}", str(item.label),
                         f"{100 * item.value:+.1f}", interval, "yes" if item.is_certain else "no"))  # fmt: skip
    columns = ("dimension", "answer", "groups", "answered", "points", "95 % interval", "beyond chance")
    note = (
        "The two groups of a dimension that differ most in the share of an answer, in percentage points; the interval "
        "is a bootstrap over templates with their words, widened for the number of differences compared."
    )
    return Table("Largest difference between groups", columns, tuple(sorted(rows)), note)


def _stereotype_table(frames: Sequence[Frame], answers: Answers, text: Answers) -> Table:
    """Show the words whose answers differ most between groups, some of every dimension."""
    entailed = answers.probabilities[:, answers.labels.index(Label.ENTAILMENT)]
    depends = {"graph": depends_on_group(frames, answers), "text": depends_on_group(frames, text)}
    starts = np.cumsum([0, *(len(frame.pairs) for frame in frames)])
    rows: list[tuple[str, ...]] = []
    for dimension in dimensions_of(frames):
        found = []
        for word in dict.fromkeys(frame.word for frame in frames if frame.dimension == dimension):
            own = [row for row, frame in enumerate(frames) if (frame.dimension, frame.word) == (dimension, word)]
            groups = frames[own[0]].groups
            means = np.mean([entailed[starts[row] : starts[row + 1]] for row in own], axis=0)  # [num_groups]
            most, least = int(means.argmax()), int(means.argmin())
            changed = {name: int(flags[own].sum()) for name, flags in depends.items()}
            cells = (dimension, word, f"{groups[most]} {means[most]:.2f}", f"{groups[least]} {means[least]:.2f}",
                     f"{changed['graph']} of {len(own)}", f"{changed['text']} of {len(own)}")  # fmt: skip
            found.append((changed["graph"] / len(own), float(means[most] - means[least]), cells))
        rows += [cells for _, _, cells in sorted(found, key=lambda item: (-item[0], -item[1], item[2]))[:WORDS_SHOWN]]
    columns = ("dimension", "word", "most entailed", "least entailed", "answer depends on the group", "text: depends")
    note = "Words that are answered differently for different groups, with the mean probability of entailment."
    return Table("Words answered by group", columns, tuple(rows), note)


def _cause_tables(causes: Sequence[Cause]) -> list[Table]:
    """Show which relations and which kinds of paths turned neutral answers into others."""
    if not causes:
        return []
    counts = {"relation": _count([cause.relations for cause in causes])[:ROWS_SHOWN],
              "entity between": _count([cause.entities for cause in causes])[:ROWS_SHOWN]}  # fmt: skip
    by_name = [(kind, name, str(count), _percent(count / len(causes)))
               for kind, found in counts.items() for name, count in found]  # fmt: skip
    shapes: dict[str, list[Cause]] = {}
    for cause in causes:
        shapes.setdefault(_shape(cause.path), []).append(cause)
    by_shape = []
    for shape, members in sorted(shapes.items(), key=lambda item: (-len(item[1]), item[0]))[:ROWS_SHOWN]:
        first = max(members, key=lambda cause: cause.prediction.probabilities[cause.prediction.label])
        pair = f"{first.prediction.premise} / {first.prediction.hypothesis} -> {first.prediction.label}"
        by_shape.append((shape, str(len(members)), str(first.path or "-"), pair))
    note = (
        f"{len(causes)} answers were neutral from the text alone and are not with the graph. Each is laid to the path "
        "that pushed hardest; a path counts for every relation on it, and every entity "
        "that it leads through."
    )
    return [
        Table("Relations and entities that moved answers from neutral", ("kind", "name", "answers", "share"),
              tuple(by_name), note),
        Table("Paths that moved answers from neutral", ("path", "answers", "most certain example", "its pair"),
              tuple(by_shape)),
    ]  # fmt: skip


def _shape(path: Path | None) -> str:
    """Return the relations of a path with their directions; `no single path` where none pushed."""
    if path is None:
        return "no single path"
    return " ".join(f"-[{step.relation}]->" if step.forward else f"<-[{step.relation}]-" for step in path.steps)


def _exclusion_table(exclusions: Sequence[Exclusion], answers: Answers, num_spoilt: int) -> Table:
    shown = [("nothing", answers, num_spoilt)]
    shown += [(", ".join(item.names), item.answers, item.num_spoilt) for item in exclusions]
    rows = tuple(
        (name, _percent(kind.neutral.mean()), f"{kind.probabilities[:, kind.neutral_column].mean():.3f}", str(spoilt))
        for name, kind, spoilt in shown
    )
    columns = ("left out", "neutral", "mean probability", "moved from neutral by the graph")
    note = (
        "The same pairs, asked again while no path may use these relations or touch these entities. `--exclude NAME` "
        "does so for every answer; what that costs elsewhere shows an evaluation with it."
    )
    return Table("With the worst relations or entities left out", columns, rows, note)


def _plots(frames: Sequence[Frame], answers: Answers, text: Answers) -> tuple[Plot, ...]:
    dimensions, kinds = dimensions_of(frames), (("with the graph", answers), ("text alone", text))
    by_dimension = [_bars(name, dimensions, [kind.neutral[rows_of(frames, dimension)] for dimension in dimensions])
                    for name, kind in kinds]  # fmt: skip
    groups = _groups(frames)
    names = [f"{dimension}: {group}" for dimension, group, _ in groups]
    by_group = [_bars(name, names, [~kind.neutral[own] for _, _, own in groups]) for name, kind in kinds]
    return (
        Plot("neutral-by-dimension", "Neutral answers by dimension", "bars", "dimension", "share neutral",
             tuple(by_dimension), y_range=(0.0, 1.0)),
        Plot("wrong-by-group", "Answers other than neutral by group", "bars", "group", "share not neutral",
             tuple(by_group)),
    )  # fmt: skip


def _bars(name: str, names: Sequence[str], flags: Sequence[NDArray[np.bool_]]) -> Series:
    intervals = [wilson(int(own.sum()), len(own)) for own in flags]
    return Series(name, tuple(names), tuple(float(own.mean()) for own in flags),
                  tuple(low for low, _ in intervals), tuple(high for _, high in intervals))  # fmt: skip
