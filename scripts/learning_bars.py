"""The bars of the reference recipe: what is measured, what it has to reach, and whether the runs reach it.

A bar is met only where everything it speaks of was measured. The other tables are `reproduce.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np
from edit_items import KINDS
from learning_runs import (
    FUSED,
    RULES,
    TEXT,
    Difference,
    Flags,
    Role,
    Runs,
    Select,
    both,
    entailments,
    of_category,
    with_evidence,
)

from kg_reason.nli import Label

MISSING = "-"
MIN_CATEGORY = 50  # items; smaller categories have no bar
PLAIN_DEV = ("cad_nli", "sick", "mnli")
CURVE_SETS = ("breaking_nli", "cad_nli", "sick", "mnli")
EDIT_STATES = ("before", "first", "last")
Rows = list[list[str]]
Verdict = bool | None


@dataclass(frozen=True)
class EditOutcome:
    """What one run answers around the edits; each flag [num_items].

    Attributes:
        kinds: of the items.
        before: right before the edit that is measured.
        after: right after it: the answer follows.
        both: right both times.
        follows: right after it and, where the graph said something before it, right before it too; a model that always
            answers the same cannot follow an edit that changes the label.
        as_text: after it exactly the answer from text alone.
    """

    kinds: tuple[str, ...]
    before: Flags
    after: Flags
    both: Flags
    follows: Flags
    as_text: Flags

    def of_kind(self, kind: str) -> EditOutcome:
        """Return the items of a kind; `all` for all."""
        rows = np.array([kind in ("all", item) for item in self.kinds], dtype=np.bool_)
        kinds = tuple(item for item in self.kinds if kind in ("all", item))
        flags = (self.before, self.after, self.both, self.follows, self.as_text)
        return EditOutcome(kinds, *(flag[rows] for flag in flags))


def edit_outcomes(runs: Runs) -> list[EditOutcome]:
    """Return what every fused run answers around the edits; runs that were not asked are passed over."""
    outcomes = []
    for run in runs.of(FUSED):
        states = [run.answers(f"edits.{state}") for state in EDIT_STATES]
        start, first, last = states
        if start is None or first is None or last is None:
            continue
        answers = [state.answers() for state in (start, first, last)]
        is_addition = [kind.startswith("add ") for kind in first.categories]
        kinds = zip(first.categories, is_addition, strict=True)
        labels_before = [Label.NEUTRAL if added else KINDS[kind][2] for kind, added in kinds]
        earlier = [answers[0][row] if added else answers[1][row] for row, added in enumerate(is_addition)]
        later = [answers[1][row] if added else answers[2][row] for row, added in enumerate(is_addition)]
        before = np.array([answer == label for answer, label in zip(earlier, labels_before, strict=True)])
        after = np.array([answer == label for answer, label in zip(later, first.truth, strict=True)])
        same = [(state.logits == state.text_logits).all(axis=1) for state in (first, last)]
        as_text = np.where(is_addition, same[0], same[1])
        follows = after & (before | np.array(is_addition, dtype=np.bool_))
        outcomes.append(EditOutcome(first.categories, before, after, before & after, follows, as_text))
    return outcomes


def share_unchanged(runs: Runs, state: str) -> list[float]:
    """Return per fused run the share of unrelated pairs that are answered as before the edits."""
    shares = []
    for run in runs.of(FUSED):
        start, later = run.answers("unrelated.before"), run.answers(f"unrelated.{state}")
        if start is not None and later is not None:
            pairs = zip(start.answers(), later.answers(), strict=True)
            shares.append(mean(one == other for one, other in pairs))
    return shares


def unchanged(runs: Runs) -> Rows:
    """Return how many answers to pairs that no edit speaks of stay as they were."""
    table = [["state", "the same answer, %"]]
    for state in EDIT_STATES[1:]:
        shares = share_unchanged(runs, state)
        if shares:
            table.append([f"after the {state} edits", number(shares)])
    return table


def number(values: Sequence[float]) -> str:
    """Return the mean of some shares in percent, and the single ones where there are several."""
    singles = f" ({', '.join(f'{100 * value:.1f}' for value in values)})" if len(values) > 1 else ""
    return f"{100 * mean(values):.1f}{singles}" if values else MISSING


def bars(runs: Runs, cost: dict[str, Any]) -> Rows:
    """Return the table of bars."""
    table = [["measure", "bar", "found", "met"]]
    parts = (_breaking, _made, _kept, _plain, _reliance, _edits)
    for measure, bar, found, verdict in [row for part in parts for row in part(runs)] + _rest(runs, cost):
        table.append([measure, bar, found, {True: "yes", False: "no", None: MISSING}[verdict]])
    return table


Bar = tuple[str, str, str, Verdict]


def _share_bar(runs: Runs, role: Role, name: str, test: Callable[[float], bool]) -> tuple[str, Verdict]:
    found = runs.share(role, name)
    if found is None:
        return MISSING, None
    return f"{100 * found.mean:.1f} ({100 * found.low:.1f} to {100 * found.high:.1f})", test(found.mean)


def _difference_bar(
    runs: Runs,
    pair: tuple[tuple[Role, str], tuple[Role, str]],
    test: Callable[[float], bool],
    select: Select | None = None,
) -> tuple[str, Verdict]:
    found = runs.difference(*pair, select)
    if found is None:
        return MISSING, None
    text = f"{100 * found.mean:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    return text, test(found.mean)


def _breaking(runs: Runs) -> list[Bar]:
    name = "breaking_nli"
    title = "breaking_nli_dev"
    rows: list[Bar] = [(f"{title}, accuracy", "93", *_share_bar(runs, FUSED, name, lambda value: value >= 0.93))]
    scores = runs.macro_f1(FUSED, name)
    found = f"{mean(scores):.3f}" if scores else MISSING
    rows.append((f"{title}, macro-F1", "0.80", found, mean(scores) >= 0.8 if scores else None))
    answers = runs.answers(FUSED, name)
    counts = Counter(answers[0].categories) if answers else Counter()
    large = [category for category, count in sorted(counts.items()) if count > MIN_CATEGORY]
    shares = {category: runs.share(FUSED, name, select=of_category(category)) for category in large}
    means = {category: found.mean for category, found in shares.items() if found}
    low = [f"{category} {100 * value:.1f}" for category, value in means.items() if value < 0.85]
    text = ", ".join(low) if low else f"lowest {100 * min(means.values()):.1f}" if means else MISSING
    met = not low if means else None
    rows.append((f"{title}, categories of more than {MIN_CATEGORY}", "each 85", text, met))
    return rows


def _made(runs: Runs) -> list[Bar]:
    rows: list[Bar] = [("invented words", "92", *_share_bar(runs, FUSED, "nonce", lambda value: value >= 0.92))]
    near = lambda value: abs(value - 1 / 3) <= 0.03  # noqa: E731
    rows.append(("invented words, text only", "33.3 within 3", *_share_bar(runs, TEXT, "nonce", near)))
    rows.append(("polarity", "88", *_share_bar(runs, FUSED, "polarity", lambda value: value >= 0.88)))
    rows.append(("polarity, text only", "beside it", *_share_bar(runs, TEXT, "polarity", lambda _: True)))
    for name in ("nonce_codex", "nonce_diseases", "unseen_relations"):
        rows.append((name, "80", *_share_bar(runs, FUSED, name, lambda value: value >= 0.8)))
    return rows


def _kept(runs: Runs) -> list[Bar]:
    rows: list[Bar] = []
    for title, name, select in (
        ("breaking_nli synonyms", "breaking_nli", both(of_category("synonyms"), entailments)),
        ("sick entailments", "sick", entailments),
        ("levy_holt entailments", "levy_holt", entailments),
    ):
        pair = ((FUSED, name), (TEXT, name))
        found = _difference_bar(runs, pair, lambda value: value >= 0, select)
        rows.append((f"{title}: recall, fused minus text only", "0", *found))
    return rows


def _plain(runs: Runs) -> list[Bar]:
    rows: list[Bar] = []
    for name in PLAIN_DEV:
        found = _difference_bar(runs, ((FUSED, name), (TEXT, name)), lambda value: value >= -0.003)
        rows.append((f"{name}: fused minus text only", "-0.3", *found))
    means = (("mean of the three", None, "above 0"), ("with evidence, mean", with_evidence, "clearly above 0"))
    for title, select, bar in means:
        gains = [runs.difference((FUSED, name), (TEXT, name), select) for name in PLAIN_DEV]
        rows.append((title, bar, *_mean_gain(gains, 0.0)))
    tenth = (Role("paths", 0.1), Role("text", 0.1))
    gains = [runs.difference((tenth[0], name), (tenth[1], name)) for name in CURVE_SETS]
    rows.append(("10 % of the labelled pairs, mean of the sets", "+5", *_mean_gain(gains, 0.05)))
    return rows


def _mean_gain(gains: Sequence[Difference | None], bar: float) -> tuple[str, Verdict]:
    """Return the mean of differences and whether it is above a bar; nothing where one is missing."""
    values = [gain.mean for gain in gains if gain is not None]
    if len(values) < len(gains):
        return MISSING, None
    return f"{100 * mean(values):+.1f}", mean(values) > bar


def _reliance(runs: Runs) -> list[Bar]:
    rows: list[Bar] = []
    for name, bar in (("breaking_nli", 0.25), ("nonce", 0.45)):
        pair = ((FUSED, name), (FUSED, f"{name}.deranged"))
        found = _difference_bar(runs, pair, lambda value, bar=bar: value >= bar, with_evidence)  # type: ignore[misc]
        rows.append((f"{name}, with evidence: real minus deranged", f"{100 * bar:.0f}", *found))
    for name in ("breaking_nli", "nonce"):
        empty = runs.answers(FUSED, f"{name}.empty")
        same = [bool(answers.facts.get("same_as_text")) for answers in empty]
        text = MISSING if not same else "equal" if all(same) else "not equal"
        rows.append((f"{name}, empty graph", "equals text only", text, all(same) if same else None))
        pair = ((FUSED, name), (FUSED, f"{name}.random"))
        rows.append(
            (f"{name}, random edges cost", "0.5", *_difference_bar(runs, pair, lambda value: value <= 0.005))
        )
    return rows


def _edits(runs: Runs) -> list[Bar]:
    outcomes = edit_outcomes(runs)
    follows = [float(outcome.follows.mean()) for outcome in outcomes]
    rows: list[Bar] = [("edits followed", "92", number(follows), mean(follows) >= 0.92 if follows else None)]
    for state in EDIT_STATES[1:]:
        shares = share_unchanged(runs, state)
        met = mean(shares) >= 0.995 if shares else None
        rows.append((f"unrelated answers after the {state} edits", "99.5", number(shares), met))
    return rows


def _controls(runs: Runs) -> Bar:
    """Compare every control with the default on the seeds that both have; tied is what an interval holding 0 says."""
    sets = (*CURVE_SETS, "nonce", "polarity")
    roles = sorted({run.role for run in runs.all if run.role.labelled_share == 1} - {FUSED, RULES})
    found, beaten = [], False
    for role in roles:
        gains = [gain for name in sets if (gain := runs.difference((role, name), (FUSED, name))) is not None]
        if len(gains) == len(sets):
            middle = mean(gain.mean for gain in gains)
            low, high = (  # the sets' items are not the same ones, so their intervals add up as independent ones
                middle + sign * sum(((gain.high - gain.low) / 2) ** 2 for gain in gains) ** 0.5 / len(gains)
                for sign in (-1, 1)
            )
            found.append(f"{role.evidence} {100 * middle:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})")
            beaten = beaten or low > 0
    title = f"controls minus the default, mean of {', '.join(sets)}"
    return title, "none above 0", ", ".join(found) or MISSING, not beaten if found else None


def _rest(runs: Runs, cost: dict[str, Any]) -> list[Bar]:
    rows: list[Bar] = [_controls(runs)]
    ratios = {name: row["ratio"] for name, row in cost.get("arithmetic", {}).items()}
    text = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()) or MISSING
    rows.append(("a fused step over a text-only step", "1.15", text, max(ratios.values()) <= 1.15 if ratios else None))
    return rows
