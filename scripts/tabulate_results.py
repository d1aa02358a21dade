"""Write the results of several runs of reproduce_nli.py as one Markdown page.

    python scripts/tabulate_results.py RUN/result.json ... > docs/results/nli_minilm.md

Runs that differ only in their seed are one row: the mean over seeds, and in brackets every seed.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

PATHS = re.compile(r"--(benchmarks|graph|out) \S+")  # where they lay on one machine tells nothing
NAMES = {"paths": "fused", "text": "text only", "counts": "counts only", "verbalised": "verbalised", "tokens": "tokens"}
BREAKING = "breaking_nli_dev"

Runs = dict[str, list[dict[str, Any]]]


def cell(values: list[float]) -> str:
    """Return mean and single values of some shares, in percent."""
    singles = ", ".join(f"{100 * value:.1f}" for value in values)
    return f"**{100 * mean(values):.1f}** ({singles})"


def main() -> int:
    """Print the page."""
    runs: Runs = defaultdict(list)
    for path in sys.argv[1:]:
        result = json.loads(Path(path).read_text())
        runs[result["evidence"]].append(result)
    for results in runs.values():
        results.sort(key=lambda result: result["seed"])
    first = next(iter(runs.values()))[0]
    tests = list(first["tests"])
    print("# Natural-language inference with MiniLM and WordNet\n")
    print(f"Date {first['date']}. Accuracy in percent: mean over the seeds, in brackets the single seeds in order.\n")
    print("| answer | " + " | ".join(f"{test} ({first['tests'][test]['num_examples']:,})" for test in tests) + " |")
    print("|---|" + "---|" * len(tests))
    for evidence, results in runs.items():
        cells = [cell([result["tests"][test]["accuracy"] for result in results]) for test in tests]
        print(f"| {NAMES[evidence]} | " + " | ".join(cells) + " |")
        if evidence == "paths":
            cells = [cell([result["tests"][test]["text"]["accuracy"] for result in results]) for test in tests]
            print("| the fused model's own text-only answer | " + " | ".join(cells) + " |")
    cells = [f"{100 * first['tests'][test]['majority_accuracy']:.1f}" for test in tests]
    print("| always the commonest label | " + " | ".join(cells) + " |")
    print("\n| macro-F1 | " + " | ".join(tests) + " |\n|---|" + "---|" * len(tests))
    for evidence, results in runs.items():
        cells = [cell([result["tests"][test]["macro_f1"] for result in results]) for test in tests]
        print(f"| {NAMES[evidence]} | " + " | ".join(cells) + " |")
    print_runs(runs, tests)
    print_categories(runs, first)
    print("\n## Commands\n\n```sh")
    for results in runs.values():
        for result in results:
            print(PATHS.sub(r"--\1 \1", result["command"]))
    print("```")
    return 0


def print_runs(runs: Runs, tests: list[str]) -> None:
    """Print a row for every run and test."""
    print("\n## Every run\n")
    print("95 % Wilson intervals; McNemar compares fused answers with the same model's text-only ones.\n")
    columns = ("run", "seed", "minutes", "test", "accuracy", "95 % interval", "text-only answer", "McNemar p")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for evidence, results in runs.items():
        for result in results:
            for test in tests:
                report = result["tests"][test]
                low, high = (100 * bound for bound in report["interval"])
                p_value = f"{report['mcnemar_p']:.1e}" if evidence == "paths" else ""
                print(
                    f"| {NAMES[evidence]} | {result['seed']} | {result['training_minutes']} | {test} | "
                    f"{100 * report['accuracy']:.1f} | {low:.1f} to {high:.1f} | "
                    f"{100 * report['text']['accuracy']:.1f} | {p_value} |"
                )


def print_categories(runs: Runs, first: dict[str, Any]) -> None:
    """Print Breaking NLI by category, where it is among the tests."""
    if BREAKING in first["tests"]:
        print("\n## Breaking NLI by category, mean over seeds\n")
        print("| category | examples | " + " | ".join(NAMES[evidence] for evidence in runs) + " |")
        print("|---|---|" + "---|" * len(runs))
        for category, facts in sorted(first["tests"][BREAKING]["by_category"].items()):
            cells = [
                f"{100 * mean(r['tests'][BREAKING]['by_category'][category]['accuracy'] for r in results):.1f}"
                for results in runs.values()
            ]
            print(f"| {category} | {facts['num_examples']} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main())
