"""Robustness: do answers stay where a change means nothing, and move where it means something?

Pairs are changed by `perturbations.py` and answered again; premises are left out; and wrong triples are laid over the
graph (`wrong_triples.py`). Counting is `shifts.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kg_reason.audits.answered import Flags, Share, draw_examples
from kg_reason.audits.graph_changes import over_graph, with_triples
from kg_reason.audits.perturbations import perturbations
from kg_reason.audits.result import AuditResult, Plot, Series, Table
from kg_reason.audits.shifts import (
    FUSED,
    TEXT,
    Answered,
    Shift,
    answer,
    hit_and_lost,
    is_kept,
    keeps_entailment,
    labels_told_apart,
    outcome,
    paired_difference,
    shift,
)
from kg_reason.audits.wrong_triples import (
    NO_GRAPH,
    Misled,
    count_linked_ends,
    draw_wrong_triples,
    is_on_path,
    misled_measures,
    misled_table,
)
from kg_reason.config import AuditConfig
from kg_reason.kg.words import primary_language
from kg_reason.nli import Label, NLIExample, fit_label
from kg_reason.reasoner import Reasoner

NAME = "robustness"
QUESTION = "Do answers stay where a change means nothing, and move where it means something?"
KINDS = {FUSED: "", TEXT: "text_"}  # kinds of answers, and what their measures begin with
MAX_WRONG_TRIPLES = 100
TYPOS, SWAP = "typos", "swap"
ENGLISH = ("", "en")


class Blank(NamedTuple):
    """Answers to hypotheses without their premises: which are right, and how frequent the most frequent label is."""

    right: dict[str, Flags]
    majority: float


def audit_robustness(reasoner: Reasoner, examples: Sequence[NLIExample], config: AuditConfig) -> AuditResult:
    """Measure what typos, rewording, negation, exchanged sentences, missing premises and wrong triples do to answers.

    Args:
        reasoner: answers; its weights and its graph stay as they are.
        examples: labelled pairs.
        config: how many pairs, and the seed of every choice.

    Raises:
        ConfigError: no pair has a label.
    """
    before = answer(reasoner, draw_examples(examples, config), config.batch_size)
    shifts = list(_shifts(reasoner, before, config))
    blank = _blank(reasoner, before, config.batch_size)
    misled = None
    if reasoner.config.model.evidence != NO_GRAPH:
        misled = _mislead(reasoner, before, config)
    labels = reasoner.labels
    measures = {"num_pairs": float(len(before.examples))}
    measures |= _shift_measures(shifts, labels) | _blank_measures(blank) | misled_measures(misled)
    tables = [_shift_table(shifts, labels, config.audit_seed)]
    moved = [item for item in shifts if not is_kept(item)]
    tables += [_moved_table(moved, labels)] if moved else []
    tables += [_typo_table([item for item in shifts if item.perturbation.group == TYPOS], labels)]
    tables += [_blank_table(blank)] if blank else []
    tables += [misled_table(misled, reasoner)]
    return AuditResult(
        name=NAME, question=QUESTION, summary=_summary(measures), measures=measures, tables=tuple(tables),
        plots=tuple(_plot(shifts, kind, labels) for kind in KINDS) if shifts else (),
    )  # fmt: skip


# ---- asking


def _shifts(reasoner: Reasoner, before: Answered, config: AuditConfig) -> Iterator[Shift]:
    """Yield every change that applies to a pair, with its answers; English ones for English linkers only."""
    linker = reasoner.grounder.linker

    def is_word(word: str) -> bool:
        return any(mention.candidates for mention in linker.link(word))

    is_english = primary_language(reasoner.config.linker.language) in ENGLISH
    for perturbation in perturbations(is_word):
        if is_english or not perturbation.is_english:
            item = shift(reasoner, perturbation, before, seed=config.audit_seed, batch_size=config.batch_size)
            if item.after.examples:
                yield item


def _blank(reasoner: Reasoner, before: Answered, batch_size: int) -> Blank | None:
    """Answer without the premises; None where no pair has one."""
    pairs = [example for example in before.examples if example.premise.strip()]
    if not pairs:
        return None
    asked = answer(reasoner, [replace(example, premise="", justification=None) for example in pairs], batch_size)
    scored = labels_told_apart(reasoner.labels, pairs)
    counts = Counter(fit_label(example.label, scored) for example in pairs if example.label is not None)
    right = {kind: asked.right(kind, reasoner.labels) for kind in KINDS}
    return Blank(right, max(counts.values()) / len(pairs))


def _mislead(reasoner: Reasoner, before: Answered, config: AuditConfig) -> Misled | None:
    """Add wrong triples for pairs answered right and answer all pairs again; None where none can be made."""
    right = before.right(FUSED, reasoner.labels)
    rows = [row for row, grounding in enumerate(before.groundings) if right[row] and grounding.has_evidence]
    triples = draw_wrong_triples(reasoner, before.examples, rows, MAX_WRONG_TRIPLES, config.audit_seed)
    if not triples:
        return None
    facts = [item.triple for item in triples]
    changed = over_graph(reasoner, with_triples(reasoner.graph, facts))
    after = answer(changed, before.examples, config.batch_size)
    asked = [item.row for item in triples]
    is_asked = np.isin(np.arange(len(right)), asked)
    num_ends = count_linked_ends(reasoner.graph, before.groundings, facts)
    same = np.array([old is new for old, new in zip(before.fused, after.fused, strict=True)], dtype=np.bool_)
    scored = labels_told_apart(reasoner.labels, before.examples)
    followed = [fit_label(after.fused[item.row], scored) is fit_label(item.says, scored) for item in triples]
    found = [is_on_path(changed.graph, after.groundings[item.row].paths, item.triple) for item in triples]
    return Misled(
        triples=triples,
        labels=tuple(label for row in asked if (label := before.examples[row].label) is not None),
        found=np.array(found, dtype=np.bool_),
        flipped=~after.right(FUSED, reasoner.labels)[asked],
        followed=np.array(followed, dtype=np.bool_),
        both_words=Share.of(same[(num_ends == 2) & ~is_asked]),
        one_word=Share.of(same[(num_ends == 1) & ~is_asked]),
        no_word=Share.of(same[(num_ends == 0) & ~is_asked]),
    )


# ---- measures


def _shift_measures(shifts: Sequence[Shift], labels: tuple[Label, ...]) -> dict[str, float]:
    measures: dict[str, float] = {}
    groups = dict.fromkeys(item.perturbation.group for item in shifts)
    for group in groups:
        items = [item for item in shifts if item.perturbation.group == group]
        for kind, mark in KINDS.items():
            found = outcome(items, kind, labels)
            measures[f"{mark}{group}_unchanged"] = found.unchanged.value
            if not len(found.after):
                continue
            measures[f"{mark}{group}_before"] = float(found.before.mean())
            measures[f"{mark}{group}_right"] = float(found.after.mean())
        if group == SWAP:
            for kind, mark in KINDS.items():
                kept = keeps_entailment(items[0], kind)
                if kept.num_pairs:
                    measures[f"{mark}swap_entailment_kept"] = kept.value
        if group == TYPOS:
            measures |= _evidence_measures(items, labels)
    return measures


def _evidence_measures(items: Sequence[Shift], labels: tuple[Label, ...]) -> dict[str, float]:
    hit, lost = (np.concatenate(flags) for flags in zip(*map(hit_and_lost, items), strict=True))
    if not hit.any():
        return {}
    measures = {"typos_evidence_lost": float(lost.sum() / hit.sum())}
    if lost.any():
        found = outcome(items, FUSED, labels)
        measures["typos_lost_before"] = float(found.before[lost].mean())
        measures["typos_lost_right"] = float(found.after[lost].mean())
    return measures


def _blank_measures(blank: Blank | None) -> dict[str, float]:
    if blank is None:
        return {}
    shares = {f"{mark}hypothesis_only": float(blank.right[kind].mean()) for kind, mark in KINDS.items()}
    return {**shares, "majority": blank.majority}


def _summary(measures: Mapping[str, float]) -> str:
    def per_cent(name: str) -> str:
        return f"{100 * measures[name]:.1f} %"

    parts = []
    if "typos_unchanged" in measures:
        parts.append(f"{per_cent('typos_unchanged')} of the answers stay after a typo")
    if "irrelevant_unchanged" in measures:
        parts.append(f"{per_cent('irrelevant_unchanged')} with something unrelated in the premise")
    if "negation_right" in measures:
        parts.append(f"{per_cent('negation_right')} are right of a negated hypothesis")
    text = ", ".join(parts)
    rest = []
    if "hypothesis_only" in measures:
        rest.append(
            f"without the premise {per_cent('hypothesis_only')} are right (the most frequent label: "
            f"{per_cent('majority')})"
        )
    if "wrong_triple_flips" in measures:
        rest.append(f"a wrong triple turns {per_cent('wrong_triple_flips')} of the right answers it is meant for")
    sentences = [part[0].upper() + part[1:] + "." for part in (text, "; ".join(rest)) if part]
    return " ".join(sentences) or "No change applies to any of the pairs."


# ---- tables and plots


def _shift_table(shifts: Sequence[Shift], labels: tuple[Label, ...], seed: int) -> Table:
    rows = []
    for item in shifts:
        for kind in KINDS:
            found = outcome([item], kind, labels)
            scored = ("-", "-", "-")
            if len(found.after):
                difference = paired_difference(found.before, found.after, seed)
                scored = (Share.of(found.before).to_text(), Share.of(found.after).to_text(), difference.to_text())
            unchanged = f"{found.unchanged.num_pairs:,}", found.unchanged.to_text()
            rows.append((item.perturbation.title, kind, *unchanged, *scored))
    columns = ("change", "answers", "pairs", "unchanged", "right before", "right after", "difference")
    note = (
        "Per cent of the pairs a change applies to, with 95 % intervals; differences in points, paired, by bootstrap, "
        "which tells nothing where no answer turns right or wrong. "
        "A negated hypothesis and exchanged sentences must change some answers: the next table tells which. Where "
        "nothing certain follows, as for the negated verb of a neutral pair, answers are not counted as right or wrong."
    )
    return Table("Answers before and after a change", columns, tuple(rows), note)


def _moved_table(moved: Sequence[Shift], labels: tuple[Label, ...]) -> Table:
    rows = []
    for item in moved:
        scored = labels_told_apart(labels, item.before.examples)
        for label in Label:
            allowed = item.perturbation.allowed(label)
            counts = {kind: outcome([item], kind, labels, label) for kind in KINDS}
            if not counts[FUSED].unchanged.num_pairs:
                continue
            is_scored = len(counts[FUSED].after) > 0
            wanted = sorted({str(fit_label(right, scored)) for right in allowed}) if is_scored else ["any"]
            for kind, found in counts.items():
                right = Share.of(found.after).to_text()
                rows.append((
                    item.perturbation.title, str(label), " or ".join(wanted), kind,
                    f"{found.unchanged.num_pairs:,}", right, found.unchanged.to_text(),
                ))  # fmt: skip
    kept = {item.perturbation.group: [keeps_entailment(item, kind) for kind in KINDS] for item in moved}.get(SWAP, [])
    note = "Sentences are read as speaking of one scene. Contradiction has no direction, entailment has one."
    if kept and kept[0].num_pairs:
        shares = f"{kept[0].to_text()} per cent of the fused answers and {kept[1].to_text()} of those from text alone"
        note += (
            f" Of the pairs rightly answered entailment, {shares} stay entailment when exchanged: as many pairs as say "
            "the same in other words should."
        )
    columns = ("change", "label before", "right after it", "answers", "pairs", "right", "unchanged")
    return Table("Changes that move the label", columns, tuple(rows), note)


def _typo_table(items: Sequence[Shift], labels: tuple[Label, ...]) -> Table:
    rows = []
    for item in items:
        hit, lost = hit_and_lost(item)
        for name, chosen in (("evidence lost", lost), ("evidence stays", hit & ~lost), ("no evidence there", ~hit)):
            cells = []
            for kind in KINDS:
                found = outcome([item], kind, labels)
                cells += [Share.of(found.before[chosen]).to_text(), Share.of(found.after[chosen]).to_text()]
            rows.append((item.perturbation.title, name, f"{int(chosen.sum()):,}", *cells))
    columns = ("change", "the word that was hit", "pairs", "fused before", "after", "text alone before", "after")
    note = "Evidence is lost where paths led from or to the word, and none does after the typo. Per cent right."
    return Table("Typos and the evidence they cost", columns, tuple(rows), note)


def _blank_table(blank: Blank) -> Table:
    rows = [(kind, f"{len(flags):,}", Share.of(flags).to_text()) for kind, flags in blank.right.items()]
    rows.append(("always the most frequent label", rows[0][1], f"{100 * blank.majority:.1f}"))
    note = "What is right beyond the most frequent label, hypotheses give away by themselves."
    return Table("Answers without the premise", ("answers", "pairs", "per cent right"), tuple(rows), note)


def _plot(shifts: Sequence[Shift], kind: str, labels: tuple[Label, ...]) -> Plot:
    scored = [(item, found) for item in shifts if len((found := outcome([item], kind, labels)).after)]
    names = tuple(item.perturbation.name for item, _ in scored)
    before = _series("before", names, [Share.of(found.before) for _, found in scored])
    after = _series("after", names, [Share.of(found.after) for _, found in scored])
    title = f"Accuracy before and after a change, {kind}"
    return Plot(f"changes-{kind.split()[0]}", title, "bars", "", "accuracy", (before, after), y_range=(0.0, 1.0))


def _series(name: str, names: tuple[str, ...], shares: Sequence[Share]) -> Series:
    low, high = zip(*(share.interval for share in shares), strict=True)
    return Series(name, names, tuple(share.value for share in shares), low, high)
