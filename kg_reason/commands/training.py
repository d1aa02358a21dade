"""Commands of the loop of learning: train, afresh or from an earlier run, and suggest, which tells what to label."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from kg_reason.commands.arguments import (
    Commands,
    UsageError,
    add_command,
    add_json,
    file_argument,
    folder_argument,
)
from kg_reason.commands.model import EXAMPLES_HELP, add_run, load_reasoner
from kg_reason.commands.printing import counted, hint, remark, show, show_json, timed
from kg_reason.config import (
    Config,
    ExampleConfig,
    LinkerConfig,
    ModelConfig,
    ReasonerConfig,
    RetrieverConfig,
    SuggestConfig,
    TrainConfig,
)
from kg_reason.errors import ConfigError
from kg_reason.flags import add_settings, flag_name, settings_from, write_config
from kg_reason.kg.files import replace_file
from kg_reason.terminal import aligned

if TYPE_CHECKING:
    from kg_reason.reasoner import Reasoner
    from kg_reason.suggestion import Suggestion
    from kg_reason.training.run_record import TrainReport

PAIRS_HELP = EXAMPLES_HELP.removeprefix("labelled ")
SETTINGS_FILE = "train.toml"  # in a run: the command that made it, for --config
TRAIN_DETAILS = """\
Ctrl-C leaves the last checkpoint in RUN.training; the same command with --resume goes on to the weights it would have
had. RUN/train.toml holds every setting of the run:
  kg-reason train --config RUN/train.toml --seed 1 --out OTHER_RUN
With --from the weights of an earlier run are trained on, with its settings and its graph; --replay mixes earlier
examples in, so that what they taught is not forgotten:
  kg-reason train --from RUN --examples labelled.jsonl --replay train.jsonl --out NEXT_RUN"""
SUGGEST_DETAILS = """\
score = uncertainty + disagreement + coverage - similarity, each from 0 to 1 and times its weight
  uncertainty   entropy of the answer
  disagreement  divergence between the answer and the one from text alone: how far the graph moved it
  coverage      share of the words that only the hypothesis has which a path of the graph leads to
  similarity    share of words in common with the most similar pair suggested before
Pairs that have a label are left out. The file of --out has a line for each pair with an empty label to fill in;
kg-reason train --from RUN --examples FILE learns from it, with --skip-unlabelled before all labels are there."""
TRAIN_GROUPS = (
    (TrainConfig, "training"), (ModelConfig, "model"), (LinkerConfig, "linking"), (RetrieverConfig, "path search"),
    (ExampleConfig, "examples"),
)  # fmt: skip


def add_commands(commands: Commands) -> None:
    """Add the commands of this room."""
    train = add_command(commands, "train", _train, "train a model that reasons over a graph", TRAIN_DETAILS)
    folder_argument(train.add_argument("--graph", metavar="DIR", help="graph folder; with --from: its own by default"))
    folder_argument(train.add_argument("--from", metavar="RUN", help="earlier run whose training is continued"))
    file_argument(train.add_argument("--examples", required=True, nargs="+", metavar="FILE", help=EXAMPLES_HELP))
    file_argument(
        train.add_argument("--replay", nargs="+", default=[], metavar="FILE", help="earlier examples to mix in")
    )
    file_argument(
        train.add_argument("--dev", nargs="+", default=[], metavar="FILE", help="pairs that choose the weights")
    )
    folder_argument(train.add_argument("--out", required=True, metavar="RUN", help="run folder to write"))
    train.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    add_json(train)
    for group, title in TRAIN_GROUPS:
        add_settings(train, group, title)

    help_text = "rank unlabelled pairs by what their labels would teach"
    suggest = add_command(commands, "suggest", _suggest, help_text, SUGGEST_DETAILS)
    add_run(suggest)
    file_argument(suggest.add_argument("files", nargs="+", metavar="FILE", help=PAIRS_HELP))
    file_argument(suggest.add_argument("--out", metavar="FILE", help="pairs with empty labels to write, .jsonl"))
    add_json(suggest)
    add_settings(suggest, SuggestConfig, "suggestions")
    add_settings(suggest, ExampleConfig, "pairs")


# ---- train


def _train(arguments: argparse.Namespace) -> int:
    from kg_reason.examples import read_examples
    from kg_reason.training.checkpoint import has_checkpoint
    from kg_reason.training.loop import CHECKPOINT, train
    from kg_reason.training.run_record import TrainFiles

    out, earlier = Path(arguments.out), getattr(arguments, "from")
    if not arguments.graph and not earlier:
        raise UsageError("found no graph, expected --graph, or --from with an earlier run")
    if earlier and Path(earlier).absolute() == out.absolute():
        raise UsageError(f"--out: found {arguments.out}, expected another folder than --from")
    reading = settings_from(arguments, ExampleConfig)
    examples = read_examples(arguments.examples, reading)
    dev = read_examples(arguments.dev, reading) if arguments.dev else []
    if arguments.dev and not dev:
        raise ConfigError(f"--dev: found no pair in {', '.join(arguments.dev)}, expected some, or no --dev at all")
    replay = read_examples(arguments.replay, reading) if arguments.replay else []
    if arguments.replay and not replay:
        raise ConfigError(f"--replay: found no pair in {', '.join(arguments.replay)}, expected some, or no --replay")
    config = settings_from(arguments, TrainConfig)
    reasoner = _reasoner_to_train(arguments, config.seed)
    files = TrainFiles(
        examples=tuple(arguments.examples), dev=tuple(arguments.dev), replay=tuple(arguments.replay)
    )
    try:
        report = train(
            reasoner, examples, dev, config, out, replay=replay, resume=arguments.resume,
            show_progress=not arguments.quiet, files=files,
        )  # fmt: skip
    except KeyboardInterrupt:
        if has_checkpoint(out.with_name(f"{out.name}.training") / CHECKPOINT):
            remark("the last checkpoint is kept: the same command with --resume goes on from there")
        raise
    if not _is_main_process():
        return 0
    settings = reasoner.config
    groups = (config, settings.model, settings.linker, settings.retriever, reading)
    places = {name: getattr(arguments, name) for name in ("graph", "from", "examples", "replay", "dev")}
    given = {name: value for name, value in places.items() if value}
    every = {name: value for group in groups for name, value in group.to_json().items()}
    replace_file(out / SETTINGS_FILE, write_config("train", {**given, **every}).encode())
    if arguments.json:
        show_json({"path": str(out), **report.to_json()})
        return 0
    _show_report(report, out)
    if not arguments.quiet:
        run = shlex.quote(str(out))
        measured = shlex.join(arguments.dev) if arguments.dev else "FILE  (labelled pairs it was not trained on)"
        hint(
            f"kg-reason evaluate {run} {measured}",
            f'kg-reason query {run} "A man plays a violin." "A man plays an instrument."',
        )
    return 0


def _reasoner_to_train(arguments: argparse.Namespace, seed: int) -> Reasoner:
    """Make a fresh reasoner of the settings, or open the run that is continued.

    Raises:
        ConfigError: a setting that was given is not that of the run.
    """
    from kg_reason.kg.graph import KnowledgeGraph
    from kg_reason.reasoner import Reasoner

    earlier = getattr(arguments, "from")
    graph = KnowledgeGraph.open(arguments.graph) if arguments.graph else None
    if earlier:
        reasoner = Reasoner.load(earlier, graph)
        for group in (reasoner.config.model, reasoner.config.linker, reasoner.config.retriever):
            _check_settings(arguments, group, earlier)
        return reasoner
    settings = ReasonerConfig(
        linker=settings_from(arguments, LinkerConfig),
        retriever=settings_from(arguments, RetrieverConfig),
        model=settings_from(arguments, ModelConfig),
    )
    return Reasoner.build(KnowledgeGraph.open(arguments.graph), settings, seed=seed)


def _check_settings(arguments: argparse.Namespace, group: Config, run: str) -> None:
    """Refuse a setting that was given and is not that of the run which is continued."""
    given = settings_from(arguments, type(group))
    for item in fields(group):
        found, expected = getattr(given, item.name), getattr(group, item.name)
        if hasattr(arguments, item.name) and found != expected:
            raise ConfigError(
                f"{flag_name(item.name)}: found {found!r}, but {run} has {expected!r}, and with --from its settings "
                "stay; leave the flag out"
            )


def _is_main_process() -> bool:
    from accelerate import PartialState

    return bool(PartialState().is_main_process)


def _show_report(report: TrainReport, out: Path) -> None:
    steps, seconds = counted(report.num_steps, "step"), timed(report.seconds)
    replayed = f", {report.num_replayed:,} of them replayed," if report.num_replayed else ""
    show(f"{out} is ready: {steps} on {counted(report.num_examples, 'example')}{replayed} in {seconds}")
    show("  README.md tells what it is and how well it answers, training.json all settings and versions")
    best = report.best
    if best is None:
        show("", "nothing was measured, and the weights are those of the last step: --dev names pairs that choose them")
        return
    rows = [["step", "epoch", "train loss", "dev loss", "dev accuracy", "text only", ""]]
    for item in report.curve:
        rows.append([
            f"{item.step:,}", f"{item.epoch:.2f}", f"{item.train_loss:.3f}", f"{item.dev_loss:.3f}",
            f"{item.dev_accuracy:.1%}", f"{item.dev_text_accuracy:.1%}", "kept" if item is best else "",
        ])  # fmt: skip
    show("", *aligned(rows, right=range(6)))
    if report.stopped_early:
        show("  stopped early: the dev score rose no more (--patience)")
    kept = f"{best.dev_accuracy:.1%} with the graph, {best.dev_text_accuracy:.1%} from text alone"
    show("", f"dev accuracy of the weights kept: {kept} ({counted(report.num_dev, 'pair')})")


# ---- suggest


def _suggest(arguments: argparse.Namespace) -> int:
    from kg_reason.examples import read_examples, write_rows
    from kg_reason.suggestion import suggest

    if arguments.out and Path(arguments.out).suffix != ".jsonl":
        raise UsageError(f"--out: found {arguments.out}, expected a name in .jsonl")
    config = settings_from(arguments, SuggestConfig)
    examples = read_examples(arguments.files, settings_from(arguments, ExampleConfig), require_labels=False)
    reasoner = load_reasoner(arguments)
    suggestions = suggest(reasoner, examples, config, show_progress=not arguments.quiet)
    if arguments.out:
        write_rows(arguments.out, (suggestion.to_json() for suggestion in suggestions))
    if arguments.json:
        for suggestion in suggestions:
            show_json(suggestion.to_json())
    elif suggestions:
        _show_suggestions(suggestions)
    if arguments.quiet:
        return 0
    if not suggestions:
        remark("no pair without a label was found, so there is nothing to suggest")
    elif arguments.out:
        run, out = shlex.quote(arguments.model), shlex.quote(arguments.out)
        remark(f'\n{arguments.out} holds {counted(len(suggestions), "pair")} with an empty "label" to fill in')
        hint(f"kg-reason train --from {run} --examples {out} --replay TRAIN.jsonl --out NEXT_RUN")
    return 0


def _show_suggestions(suggestions: Sequence[Suggestion]) -> None:
    rows = [["", "score", *suggestions[0].terms, "answer", "text alone", "premise / hypothesis"]]
    for number, suggestion in enumerate(suggestions, start=1):
        numbers = (suggestion.score, *suggestion.terms.values())
        example = suggestion.example
        rows.append([
            f"{number:,}", *(f"{value:.2f}" for value in numbers), suggestion.answer.label,
            suggestion.text_answer.label, f"{example.premise} / {example.hypothesis}",
        ])  # fmt: skip
    show(*aligned(rows, right=range(6)))
