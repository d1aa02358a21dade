r"""Write the answers of several measured runs as one Markdown page.

    python scripts/reproduce.py RUN ... [--cost COST.json] [--notes docs/results/learning_notes.md] \
        > docs/results/learning.md

A run is a folder with result.json (what it is) and measures/ (the files of measure.py or rule_baseline.py). Runs that
differ only in their seed are one row: the mean over seeds, and in brackets every seed. What was not measured is "-".
What a person has to say of the figures stands in the file of notes and is put before the tables. The table of bars is
`learning_bars.py`, the arithmetic `learning_runs.py`.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from edit_items import KINDS
from learning_bars import bars, edit_outcomes, number, unchanged
from learning_runs import (
    FUSED,
    RULES,
    TEXT,
    Difference,
    MeasuredRun,
    Role,
    Runs,
    Share,
    both,
    entailments,
    of_category,
    with_evidence,
)
from saved_predictions import Predictions

MISSING = "-"
PATHS = re.compile(r"--(benchmarks|graph|out|tests|train) \S+")  # where they lay on one machine tells nothing
NAMES = {
    "paths": "fused", "text": "text only", "counts": "counts only", "verbalised": "verbalised", "tokens": "tokens",
    "rules": "WordNet rules",
}  # fmt: skip
PLAIN = ("breaking_nli", "cad_nli", "sick", "mnli", "levy_holt")
MADE = ("nonce", "polarity", "nonce_codex", "nonce_diseases", "unseen_relations")
CLAIMS = ("creak_codex", "creak_conceptnet")
KEPT = (
    ("breaking_nli, synonyms", "breaking_nli", both(of_category("synonyms"), entailments)),
    ("sick, entailments", "sick", entailments),
    ("levy_holt, entailments", "levy_holt", entailments),
)
Rows = list[list[str]]


def percent(found: Share | None, *, singles: bool = True) -> str:
    """Return a share in percent: mean and every seed."""
    if found is None:
        return MISSING
    several = f" ({', '.join(f'{100 * value:.1f}' for value in found.singles)})" if len(found.singles) > 1 else ""
    return f"{100 * found.mean:.1f}{several if singles else ''}"


def interval(found: Share | Difference | None, *, signed: bool = False) -> str:
    """Return a 95 % interval in percent."""
    sign = "+" if signed else ""
    return f"{100 * found.low:{sign}.1f} to {100 * found.high:{sign}.1f}" if found else MISSING


def points(found: Difference | None) -> str:
    """Return a difference in points: mean, interval, every seed."""
    if found is None:
        return MISSING
    singles = f"; {', '.join(f'{100 * value:+.1f}' for value in found.singles)}" if len(found.singles) > 1 else ""
    return f"{100 * found.mean:+.1f} ({interval(found, signed=True)}{singles})"


def role_name(role: Role) -> str:
    """Return what a row is called."""
    share = "" if role.labelled_share == 1 else f", {100 * role.labelled_share:g} % of the labelled pairs"
    return NAMES.get(role.evidence, role.evidence) + share


def accuracy_table(runs: Runs, sets: Sequence[str]) -> Rows:
    """Return accuracy by role and set, all roles trained on all labelled pairs, with what needs no learning."""
    table = [["answer", *(_with_size(runs, name) for name in sets)]]
    for role in _roles(runs):
        table.append([role_name(role), *(percent(runs.share(role, name)) for name in sets)])
        if role == FUSED:
            own = [percent(runs.share(role, name, text_only=True)) for name in sets]
            table.append(["the fused model's own text-only answer", *own])
    blank = [percent(runs.share(TEXT, f"{name}.hypothesis_only")) for name in sets]
    table.append(["text only, premise blank when asked", *blank])
    table.append(["the commonest label", *(_majority(runs, name) for name in sets)])
    return table


def category_table(runs: Runs, name: str) -> Rows:
    """Return accuracy by category for every role that answered a set, with the fused intervals."""
    first = _any_answers(runs, name)
    roles = [role for role in _roles(runs) if runs.answers(role, name)]
    table = [["category", "items", *map(role_name, roles), "95 % of fused"]]
    for category, count in sorted(Counter(first.categories).items()) if first else ():
        select = of_category(category)
        cells = [percent(runs.share(role, name, select=select), singles=False) for role in roles]
        table.append([category or "none", str(count), *cells, interval(runs.share(FUSED, name, select=select))])
    return table


def kept_table(runs: Runs) -> Rows:
    """Return recall on entailments of the fused and the separately trained text-only model."""
    table = [["entailments kept", "items", "fused", "text only", "fused minus text only"]]
    for title, name, select in KEPT:
        shares = [runs.share(role, name, select=select) for role in (FUSED, TEXT)]
        count = str(shares[0].num_items) if shares[0] else MISSING
        change = points(runs.difference((FUSED, name), (TEXT, name), select))
        table.append([title, count, *map(percent, shares), change])
    return table


def difference_table(runs: Runs) -> Rows:
    """Return fused minus text only on all items and on those with evidence."""
    table = [["fused minus text only, points", "all items", "items with evidence", "their share"]]
    for name in (*PLAIN, *MADE):
        cells = [points(runs.difference((FUSED, name), (TEXT, name), select)) for select in (None, with_evidence)]
        table.append([name, *cells, _coverage(runs, name)])
    return table


def curve_table(runs: Runs) -> Rows:
    """Return accuracy by the share of labelled pairs."""
    shares = sorted({run.role.labelled_share for run in runs.all if run.role.evidence in ("paths", "text")})
    table = [["labelled pairs", "answer", *PLAIN[:-1]]]
    for part in shares:
        roles = (Role("paths", part), Role("text", part))
        table += [
            [f"{100 * part:g} %", NAMES[role.evidence], *(percent(runs.share(role, name)) for name in PLAIN[:-1])]
            for role in roles
        ]
        gains = [points(runs.difference((roles[0], name), (roles[1], name))) for name in PLAIN[:-1]]
        table.append([f"{100 * part:g} %", "difference", *gains])
    return table


def reliance_table(runs: Runs) -> Rows:
    """Return what other graphs do to the fused answers."""
    table = [["graph", "set", "items", "accuracy", "real minus this, all items", "the same, items with evidence"]]
    for name in ("breaking_nli", "nonce", "cad_nli"):
        for change in ("", ".deranged", ".empty", ".random"):
            found = runs.share(FUSED, name + change)
            pair = ((FUSED, name), (FUSED, name + change))
            cells = [points(runs.difference(*pair, select)) if change else "" for select in (None, with_evidence)]
            count = str(found.num_items) if found else MISSING
            table.append([change[1:] or "real", name, count, percent(found), *cells])
    return table


def edit_table(runs: Runs) -> Rows:
    """Return whether answers follow edits, by the kind of edit."""
    table = [["edit", "items", "right before, %", "right after, %", "follows, %", "after: text only's, %"]]
    outcomes = edit_outcomes(runs)
    for kind in [*KINDS, "all"] if outcomes else []:
        rows = [outcome.of_kind(kind) for outcome in outcomes]
        if not all(len(row.after) for row in rows):
            continue
        count = str(len(rows[0].after))
        shares = [[getattr(row, name) for row in rows] for name in ("before", "after", "follows", "as_text")]
        table.append([kind, count, *(number([float(part.mean()) for part in values]) for values in shares)])
    return table


def claims_table(runs: Runs) -> Rows:
    """Return accuracy on claims with the share of them that has evidence."""
    table = [["claims", "items", "with evidence, %", "fused", "text only", "fused minus text only, with evidence"]]
    for name in CLAIMS:
        found = runs.share(FUSED, name)
        cells = [percent(found), percent(runs.share(TEXT, name))]
        gain = points(runs.difference((FUSED, name), (TEXT, name), with_evidence))
        table.append([name, str(found.num_items) if found else MISSING, _coverage(runs, name), *cells, gain])
    return table


def cost_table(cost: dict[str, Any]) -> Rows:
    """Return what a fused step costs beside a text-only one."""
    table = [["arithmetic", "batches", "fused, s", "text only, s", "median of the paired ratios", "quartiles"]]
    for name, row in cost.get("arithmetic", {}).items():
        quartiles = " to ".join(f"{value:.3f}" for value in row["quartiles"])
        seconds = [f"{row[kind]:.3f}" for kind in ("fused_seconds", "text_seconds")]
        table.append([name, str(row["num_batches"]), *seconds, f"{row['ratio']:.3f}", quartiles])
    return table


def page(runs: Runs, cost: dict[str, Any], notes: str = "") -> str:
    """Return the whole page, with notes before the tables."""
    sections: list[tuple[str, str, Rows]] = [
        ("Bars", "Means over seeds.", bars(runs, cost)),
        ("Accuracy and controls", "In percent, in brackets the seeds.", accuracy_table(runs, PLAIN)),
        ("Sets of our own", "Invented words, polarity, other graphs; chance is a third, on polarity a half.",
         accuracy_table(runs, MADE)),
        ("Breaking NLI by category", "", category_table(runs, "breaking_nli")),
        ("Entailments kept", "Recall in percent; intervals are 95 % bootstraps over items.", kept_table(runs)),
        ("Fused minus text only", "Text only is a model of its own, trained on the same pairs.",
         difference_table(runs)),
        ("Share of the labelled pairs", "", curve_table(runs)),
        ("Reliance", "Deranged: no relation keeps its place. Random: five times as many random edges.",
         reliance_table(runs)),
        ("Edits", "No training. Follows: right after it and, unless a fact was added, right before it.",
         edit_table(runs)),
        ("Pairs no edit speaks of", "", unchanged(runs)),
        ("Claims without a premise", "", claims_table(runs)),
        ("Invented words by pattern", "", category_table(runs, "nonce")),
        ("Polarity by operator", "", category_table(runs, "polarity")),
        ("Cost of a training step", "", cost_table(cost)),
    ]  # fmt: skip
    parts = ["# What the model learns from its graph", _dates(runs), notes.strip()]
    for title, remark, table in sections:
        parts += [f"## {title}", remark, markdown(table) if len(table) > 1 else "Not measured."]
    parts += ["## Commands", "```sh\n" + "\n".join(_commands(runs)) + "\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown(table: Rows) -> str:
    """Return a table with its first row as the header."""
    header, *rows = table
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="run folders with result.json and measures/")
    parser.add_argument("--cost", type=Path, help="JSON file of bench_training_step.py")
    parser.add_argument("--notes", type=Path, help="Markdown to put before the tables")
    arguments = parser.parse_args()
    cost = json.loads(arguments.cost.read_text(encoding="utf-8")) if arguments.cost else {}
    notes = arguments.notes.read_text(encoding="utf-8") if arguments.notes else ""
    print(page(Runs(map(MeasuredRun.open, arguments.runs)), cost, notes), end="")


def _roles(runs: Runs) -> list[Role]:
    """Return the roles trained on all labelled pairs: fused, text only, the controls, the rules."""
    found = {run.role for run in runs.all if run.role.labelled_share == 1} | {FUSED, TEXT}
    order = [FUSED, TEXT, *sorted(found - {FUSED, TEXT, RULES}), RULES]
    return [role for role in order if role in found]


def _any_answers(runs: Runs, name: str) -> Predictions | None:
    found: Iterable[Predictions | None] = (run.answers(name) for run in runs.all)
    return next((predictions for predictions in found if predictions is not None), None)


def _with_size(runs: Runs, name: str) -> str:
    found = _any_answers(runs, name)
    return f"{name} ({len(found.ids):,})" if found else name


def _majority(runs: Runs, name: str) -> str:
    found = _any_answers(runs, name)
    return f"{100 * found.report().majority_accuracy:.1f}" if found else MISSING


def _coverage(runs: Runs, name: str) -> str:
    shares = [predictions.has_evidence.mean() for predictions in runs.answers(FUSED, name)]
    return f"{100 * float(np.mean(shares)):.1f}" if shares else MISSING


def _dates(runs: Runs) -> str:
    dates = sorted({str(run.result["date"]) for run in runs.all if "date" in run.result})
    seeds = sorted({run.seed for run in runs.of(FUSED)})
    counts = [run.result["num_examples"] for run in runs.of(FUSED) if "num_examples" in run.result]
    pairs = ""
    if counts:
        plain, made = (counts[0].get(kind, 0) for kind in ("plain", "synthesized"))
        pairs = f" Trained on {plain:,} labelled and {made:,} made pairs."
    when = f"Date {dates[0]}" + (f" to {dates[-1]}" if len(dates) > 1 else "") if dates else "No date"
    return f"{when}. Seeds of the fused runs: {', '.join(map(str, seeds)) or MISSING}.{pairs}"


def _commands(runs: Runs) -> list[str]:
    commands = (str(run.result.get("command", "")) for run in runs.all)
    return list(dict.fromkeys(PATHS.sub(r"--\1 \1", command) for command in commands if command))


if __name__ == "__main__":
    main()
