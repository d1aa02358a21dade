"""Commands that make examples and measure a model on them: synthesize, evaluate. How a run is opened.

Training, and choosing what to label for it, is `training.py`.
"""

from __future__ import annotations

import argparse
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg_reason.commands.arguments import (
    Commands,
    UsageError,
    add_command,
    add_graph,
    add_json,
    file_argument,
    folder_argument,
)
from kg_reason.commands.endpoint import GRAPH_HELP, add_endpoint, names_endpoint, open_remote
from kg_reason.commands.printing import counted, hint, show, show_json
from kg_reason.config import ExampleConfig, LinkerConfig, StatementConfig, SynthesisConfig
from kg_reason.errors import ConfigError, InputSyntaxError
from kg_reason.flags import add_settings, number, settings_from
from kg_reason.terminal import aligned

if TYPE_CHECKING:
    from kg_reason.nli import NLIExample
    from kg_reason.reasoner import Reasoner

SHOWN_PATTERNS = 12
SYNTHESIZE_DETAILS = (
    "Negations and quantifiers in the sentences are found by spaCy's small English model where it is installed (pip "
    "install kg-reason[english]), else by token rules, which leave more places unused."
)
EXAMPLES_HELP = "labelled pairs: .jsonl .csv .tsv .parquet, -, or hf:NAME[:SUBSET][@SPLIT]"


def add_commands(commands: Commands) -> None:
    """Add the commands of this room."""
    synthesize = add_command(
        commands, "synthesize", _synthesize, "make labelled pairs from a graph and sentences", SYNTHESIZE_DETAILS
    )
    add_graph(synthesize)
    file_argument(
        synthesize.add_argument("--sentences", nargs="+", default=[], metavar="FILE", help="text, a sentence a line")
    )
    file_argument(synthesize.add_argument("--out", required=True, metavar="FILE", help="examples to write, .jsonl"))
    file_argument(synthesize.add_argument("--dev-out", metavar="FILE", help="held-out examples to write, .jsonl"))
    synthesize.add_argument(
        "--dev-share", type=number(float, 0.0, 1.0), default=0.1, metavar="X",
        help="share of the pairs that goes to --dev-out (default: 0.1)",
    )  # fmt: skip
    add_json(synthesize)
    add_settings(synthesize, SynthesisConfig, "pairs")
    add_settings(synthesize, LinkerConfig, "linking")

    evaluate = add_command(commands, "evaluate", _evaluate, "measure a model beside its text-only answers")
    add_run(evaluate)
    file_argument(evaluate.add_argument("files", nargs="+", metavar="FILE", help=EXAMPLES_HELP))
    add_abstain_below(evaluate)
    add_json(evaluate)
    add_settings(evaluate, ExampleConfig, "examples")


def add_run(parser: argparse.ArgumentParser, *, endpoint: bool = False) -> None:
    """Add the run folder as the first argument, and the flags that replace its graph and keep parts of it out."""
    folder_argument(parser.add_argument("model", metavar="RUN", help="run folder, made by kg-reason train"))
    add_graph_choice(parser, endpoint=endpoint)


def add_graph_choice(parser: argparse.ArgumentParser, *, endpoint: bool = False) -> None:
    """Add the flags that replace the graph of a run, by that of an endpoint too if it may, and keep parts of it out."""
    help_text = f"another graph than the run's own{f', {GRAPH_HELP}' if endpoint else ''}"
    folder_argument(parser.add_argument("--graph", metavar="DIR", help=help_text))
    if endpoint:
        add_endpoint(parser)
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="NAME",
        help="relation or entity that no path may use, beside what the run excludes; may be given several times",
    )  # fmt: skip
    add_settings(parser, StatementConfig, "statements that count")


def add_abstain_below(parser: argparse.ArgumentParser) -> None:
    """Add the flag under which answers of a low probability are unsure."""
    parser.add_argument(
        "--abstain-below", type=number(float, 0.0, 1.0), metavar="P",
        help="answers of a lower probability are unsure (default: every answer is given)",
    )  # fmt: skip


def load_reasoner(arguments: argparse.Namespace) -> Reasoner:
    """Open the run of the arguments, on an accelerator where there is one."""
    from kg_reason.exclusion import counting, excluding
    from kg_reason.kg.graph import KnowledgeGraph
    from kg_reason.reasoner import Reasoner

    graph = KnowledgeGraph.open(arguments.graph) if arguments.graph else None
    reasoner = counting(Reasoner.load(arguments.model, graph), settings_from(arguments, StatementConfig))
    if arguments.exclude:
        reasoner = excluding(reasoner, arguments.exclude)
    return _on_accelerator(reasoner)


def reasoners_for(
    arguments: argparse.Namespace, examples: Iterable[NLIExample], batch_size: int
) -> Iterator[tuple[Reasoner, list[NLIExample]]]:
    """Yield examples batch by batch, each with the reasoner that answers them.

    It is the same one for all, unless the graph is behind an endpoint: then each batch has its own part of that.
    """
    batches = _batches(examples, batch_size)
    if not names_endpoint(arguments.graph):
        reasoner = load_reasoner(arguments)
        yield from ((reasoner, batch) for batch in batches)
        return
    from kg_reason.config import ReasonerConfig
    from kg_reason.reasoner import Reasoner
    from kg_reason.run_folder import read_saved

    config = ReasonerConfig.from_json(read_saved(Path(arguments.model))["settings"])
    remote = open_remote(arguments, config.linker, config.retriever)
    if arguments.exclude:
        remote.search = remote.exclude(arguments.exclude)
        config = replace(config, retriever=remote.search)
    reasoner = _on_accelerator(Reasoner.load(arguments.model, remote.around(())))
    for batch in batches:
        yield reasoner.over(remote.around(batch), config), batch


def _batches(examples: Iterable[NLIExample], size: int) -> Iterator[list[NLIExample]]:
    rows = iter(examples)
    while batch := list(islice(rows, size)):
        yield batch


def _on_accelerator(reasoner: Reasoner) -> Reasoner:
    import torch

    device = torch.accelerator.current_accelerator(check_available=True)
    if device is not None:
        reasoner.model.to(device)
    return reasoner


# ---- synthesize


def _synthesize(arguments: argparse.Namespace) -> int:
    from kg_reason.examples import write_examples
    from kg_reason.kg.graph import KnowledgeGraph
    from kg_reason.kg.linker import EntityLinker
    from kg_reason.kg.retriever import Retriever
    from kg_reason.synthesis.generator import split_by_sentence, synthesize

    config = settings_from(arguments, SynthesisConfig)
    if arguments.dev_out and Path(arguments.dev_out).absolute() == Path(arguments.out).absolute():
        raise UsageError(f"--dev-out: found {arguments.dev_out}, expected another file than --out")
    sentences = read_sentences(arguments.sentences)
    graph = KnowledgeGraph.open(arguments.graph)
    linker = EntityLinker(graph, settings_from(arguments, LinkerConfig))
    examples = synthesize(
        graph, linker, sentences, config, retriever=Retriever(graph), show_progress=not arguments.quiet
    )
    if not examples:
        raise ConfigError(
            f"{arguments.graph}: no pair could be made: no relation of the graph is in the table of relation patterns "
            "(--relation-table names your own)"
        )
    parts: dict[str, list[NLIExample]] = {arguments.out: examples}
    if arguments.dev_out:
        train, dev = split_by_sentence(examples, arguments.dev_share, config.synthesis_seed)
        parts = {arguments.out: train, arguments.dev_out: dev}
    for path, part in parts.items():
        write_examples(path, part)
    if arguments.json:
        show_json({"files": [{"path": path, **_describe(part)} for path, part in parts.items()]})
        return 0
    for path, part in parts.items():
        show(f"{path} holds {counted(len(part), 'pair')}")
    facts = _describe(examples)
    show("", *aligned([[name, f"{count:,}"] for name, count in facts["labels"].items()], right=[1]))
    patterns = [[f"{count:,}", name] for name, count in facts["categories"].items()]
    show("", "patterns", *aligned(patterns[:SHOWN_PATTERNS], right=[0]))
    if len(patterns) > SHOWN_PATTERNS:
        show(f"  ... and {len(patterns) - SHOWN_PATTERNS} more (--json lists all)")
    show("", f"{facts['num_invented']:,} pairs with invented words, which only the graph explains")
    if len(examples) < config.num_pairs:
        show(f"  ({config.num_pairs:,} were asked for; graph and sentences give no more)")
    show("", "some of them")
    chosen = [next(example for example in examples if str(example.label) == label) for label in facts["labels"]]
    show(*aligned([[str(example.label), f"{example.premise} / {example.hypothesis}"] for example in chosen]))
    if not arguments.quiet:
        held_out = f" --dev {shlex.quote(arguments.dev_out)}" if arguments.dev_out else ""
        graph_path, out = shlex.quote(arguments.graph), shlex.quote(arguments.out)
        hint(f"kg-reason train --graph {graph_path} --examples {out}{held_out} --out runs/first")
    return 0


def read_sentences(names: Sequence[str]) -> list[str]:
    """Return the lines of text files that are not blank.

    Raises:
        InputSyntaxError: a file that is missing or not UTF-8.
    """
    from kg_reason.kg.archives import COMPRESSIONS
    from kg_reason.kg.inputs import InputFile, open_input

    sentences = []
    for name in names:
        with open_input(InputFile(name, "", COMPRESSIONS.get(Path(name).suffix.lower(), ""))) as stream:
            for line, raw in enumerate(stream, start=1):
                try:
                    text = raw.decode().strip()
                except UnicodeDecodeError as error:
                    found = f"found byte 0x{raw[error.start]:02x}, expected UTF-8"
                    raise InputSyntaxError(name, line, found) from error
                if text:
                    sentences.append(text)
    return sentences


def _describe(examples: Sequence[NLIExample]) -> dict[str, Any]:
    labels = Counter(str(example.label) for example in examples)
    categories = Counter(example.category for example in examples)
    return {
        "num_pairs": len(examples),
        "labels": dict(sorted(labels.items())),
        "categories": dict(sorted(categories.items(), key=lambda item: (-item[1], item[0]))),
        "num_invented": sum(bool(example.names) for example in examples),
    }


# ---- evaluate


def _evaluate(arguments: argparse.Namespace) -> int:
    from kg_reason.evaluation import evaluate
    from kg_reason.examples import read_examples

    examples = read_examples(arguments.files, settings_from(arguments, ExampleConfig))
    reasoner = load_reasoner(arguments)
    report = evaluate(
        reasoner, examples, show_progress=not arguments.quiet, abstain_below=arguments.abstain_below
    )
    if arguments.json:
        show_json(report.to_json())
    else:
        show(report.to_text())
    return 0
