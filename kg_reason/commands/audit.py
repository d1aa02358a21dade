"""The command `audit`: measure the weaknesses of one or several runs, and write the report."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kg_reason.commands.arguments import Commands, UsageError, add_command, add_json, file_argument, folder_argument
from kg_reason.commands.model import EXAMPLES_HELP, add_graph_choice, load_reasoner
from kg_reason.commands.printing import counted, hint, remark, show, show_json, timed
from kg_reason.config import AuditConfig, ExampleConfig
from kg_reason.errors import ConfigError
from kg_reason.flags import add_settings, settings_from
from kg_reason.terminal import aligned

if TYPE_CHECKING:
    from kg_reason.audits.report import AuditReport, Threshold
    from kg_reason.nli import NLIExample
    from kg_reason.reasoner import Reasoner

CROSSED = 3  # exit code
DETAILS = """\
Several runs are shown side by side. Without --data, audits that need labelled pairs are left out. The exit code is 3
if any run crosses a threshold:
  kg-reason audit runs/first --data dev.jsonl --out report --fail-if "reliance.score<0.25" "calibration.ece>0.1"
"""


def add_commands(commands: Commands) -> None:
    """Add the command of this room."""
    audit = add_command(commands, "audit", _audit, "measure the weaknesses of a model and write a report", DETAILS)
    folder_argument(audit.add_argument("runs", nargs="+", metavar="RUN", help="run folder, made by kg-reason train"))
    add_graph_choice(audit)
    audit.add_argument("--only", nargs="+", default=[], metavar="NAME", help="audits to run (default: all)")
    file_argument(audit.add_argument("--data", nargs="+", default=[], metavar="FILE", help=EXAMPLES_HELP))
    folder_argument(audit.add_argument("--out", required=True, metavar="DIR", help="folder of the report to write"))
    audit.add_argument(
        "--fail-if", nargs="+", default=[], metavar="AUDIT.MEASURE<X",
        help="end with exit code 3 if a measure of any run is below (<) or above (>) a number",
    )  # fmt: skip
    audit.add_argument("--card", action="store_true", help="put the results into the model card of each run, too")
    add_json(audit)
    add_settings(audit, AuditConfig, "audits")
    add_settings(audit, ExampleConfig, "labelled pairs")


def _audit(arguments: argparse.Namespace) -> int:
    from kg_reason.audits.card import write_card
    from kg_reason.audits.catalogue import choose_audits
    from kg_reason.audits.report import AuditReport, write_report
    from kg_reason.examples import read_examples

    try:
        chosen, left_out = choose_audits(arguments.only, has_examples=bool(arguments.data))
    except ConfigError as error:
        raise UsageError(f"--only: {error}") from error
    thresholds = _thresholds(arguments.fail_if, [item.name for item in chosen])
    config, reading = settings_from(arguments, AuditConfig), settings_from(arguments, ExampleConfig)
    examples = read_examples(arguments.data, reading) if arguments.data else []
    if arguments.data and not examples:
        raise ConfigError(f"--data: found no pair in {', '.join(arguments.data)}, expected some, or no --data at all")

    results, facts = {}, {}
    for run, folder in _run_names(arguments.runs).items():
        reasoner = load_reasoner(argparse.Namespace(**{**vars(arguments), "model": folder}))
        found = []
        for item in chosen:
            started = time.perf_counter()
            found.append(item.run(reasoner, examples, config))
            if not arguments.quiet:
                remark(f"{run}: {item.name} in {timed(time.perf_counter() - started)}")
        results[run] = tuple(found)
        facts[run] = _facts(reasoner, arguments, examples)
        if arguments.card:
            for on_pairs, data in ((True, arguments.data), (False, [])):  # the others bring pairs of their own
                part = [done for done, item in zip(found, chosen, strict=True) if item.needs_examples is on_pairs]
                write_card(Path(folder), part, data=data)
    report = AuditReport(results, thresholds, left_out, facts, len(examples))
    out = Path(arguments.out)
    try:
        crossings = report.crossings
    except ConfigError as error:  # known only once the audits have run; their report is kept
        write_report(AuditReport(results, (), left_out, facts, len(examples)), out)
        raise UsageError(f"--fail-if: {error} (the report is in {out})") from error
    write_report(report, out)
    if arguments.json:
        show_json({"path": str(out), **report.to_json()})
    else:
        _show(report, out)
        if not arguments.quiet:
            _hint(report, out)
    return CROSSED if crossings else 0


def _thresholds(texts: Sequence[str], audits: Sequence[str]) -> tuple[Threshold, ...]:
    """Read the thresholds of the flag, which must name audits that are run."""
    from kg_reason.audits.report import read_threshold

    thresholds = []
    for text in texts:
        try:
            threshold = read_threshold(text)
        except ConfigError as error:
            raise UsageError(f"--fail-if: {error}") from error
        if threshold.audit not in audits:
            raise UsageError(
                f"--fail-if: found {text!r}, but {threshold.audit} is not run, only {', '.join(audits) or 'nothing'}"
            )
        thresholds.append(threshold)
    return tuple(thresholds)


def _run_names(folders: Sequence[str]) -> dict[str, str]:
    """Return a short name of each run -> its folder: as much of the end of its path as tells the runs apart."""
    paths = {folder: Path(folder).absolute().parts for folder in dict.fromkeys(folders)}
    names = {}
    for folder, parts in paths.items():
        others = [other for name, other in paths.items() if name != folder]
        lengths = (n for n in range(1, len(parts)) if all(other[-n:] != parts[-n:] for other in others))
        length = next(lengths, len(parts))
        names["/".join(parts[-length:])] = folder
    return names


def _facts(reasoner: Reasoner, arguments: argparse.Namespace, examples: Sequence[NLIExample]) -> dict[str, str]:
    """Return what the report tells of a run, none of it a place on this machine."""
    graph = reasoner.graph
    facts = {
        "evidence": reasoner.config.model.evidence,
        "encoder": Path(reasoner.config.model.encoder).name or "as shipped",
        "graph": f"{graph.path.resolve().name if graph.path else 'in memory'}, fingerprint {graph.fingerprint}",
        "triples": f"{graph.num_edges:,}",
    }
    if arguments.exclude:
        facts["excluded"] = ", ".join(arguments.exclude)
    if examples:
        names = ", ".join(Path(name).name for name in arguments.data)
        facts["labelled pairs"] = f"{len(examples):,} of {names}"
    return facts


def _show(report: AuditReport, out: Path) -> None:
    from kg_reason.audits.page import number_text

    runs = list(report.runs)
    for name in report.audits():
        for run in runs:
            for result in report.runs[run]:
                if result.name == name:
                    show(f"{name}" + (f" ({run})" if len(runs) > 1 else "") + f": {result.summary}")
    rows = [["measure", *runs]]
    for name, values in report.headlines().items():
        rows.append([name, *(number_text(name, values[run]) if run in values else "-" for run in runs)])
    show("", *aligned(rows, right=range(1, len(rows[0]))), "")
    for name, reason in report.left_out.items():
        show(f"{name} is left out: {reason}")
    for crossing in report.crossings:
        show(f"crossed by {crossing.run}: {crossing.threshold} (found {crossing.value:g})")
    show(f"the report is {out / 'report.html'}, with {counted(len(report.measures()), 'measure')}")


def _hint(report: AuditReport, out: Path) -> None:
    """Tell what to do with the file of gaps, if there is one."""
    from kg_reason.audits.blind_spots import GAPS_FILE
    from kg_reason.audits.report import file_name

    for run, results in report.runs.items():
        for result in results:
            if GAPS_FILE in result.files:
                gaps = shlex.quote(str(out / file_name(report, run, result.name, GAPS_FILE)))
                remark(f"\nfill in the column `relation` of {gaps}, where what is proposed is true; then")
                hint(f"kg-reason build TRIPLES {gaps} --skip-bad-lines --out NEW_KG")
                return
