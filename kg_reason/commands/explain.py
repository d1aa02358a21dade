"""The command that explains an answer: explain, on a page, as JSON or as a picture."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kg_reason.commands.arguments import Commands, UsageError, add_command, add_json, file_argument
from kg_reason.commands.model import add_run, reasoners_for
from kg_reason.commands.printing import hint, remark, show, show_json
from kg_reason.config import ExampleConfig
from kg_reason.flags import add_settings, number, settings_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kg_reason.explanation.explain import Explanation
    from kg_reason.nli import NLIExample

RULE = "-" * 72
EDITS_SHOWN = 2  # additions told as commands to try
DETAILS = """\
Every path is said in words, with what it added to each label and the lines that state it. --counterfactual tries edits
of the graph, none of which is kept: which facts the answer hangs on, and which missing triple would change it.
  kg-reason explain RUN "A whale swims." "A mammal swims." --counterfactual --picture whale.svg
An empty premise asks about a claim. With --file every pair of an example file is explained, in order."""


def add_commands(commands: Commands) -> None:
    """Add the command of this room."""
    explain = add_command(commands, "explain", _explain, "explain the answer to a pair by its evidence", DETAILS)
    add_run(explain, endpoint=True)
    explain.add_argument("premise", nargs="?", metavar="PREMISE", help="what is given; may be empty")
    explain.add_argument("hypothesis", nargs="?", metavar="HYPOTHESIS", help="what may follow from it")
    file_argument(explain.add_argument("--file", metavar="FILE", help="example file whose pairs are explained"))
    explain.add_argument("--counterfactual", action="store_true", help="also find edits that would change the answer")
    explain.add_argument("--words", action="store_true", help="also tell which words mattered (needs captum)")
    file_argument(
        explain.add_argument("--picture", metavar="FILE", help="draw the answer of one pair to FILE.svg, .png or .html")
    )
    explain.add_argument(
        "--max-groups", type=number(int, 0), default=5, metavar="N", help="pieces of evidence shown (default: 5)"
    )
    add_json(explain)
    add_settings(explain, ExampleConfig, "pairs of --file")


def _explain(arguments: argparse.Namespace) -> int:
    examples = _wanted(arguments)
    from kg_reason.explanation.explain import explain

    for place, (reasoner, (example,)) in enumerate(reasoners_for(arguments, examples, 1)):
        explanation = explain(
            reasoner, example, counterfactual=arguments.counterfactual, words=arguments.words
        )
        if arguments.json:
            named = {"id": example.example_id} if example.example_id else {}
            show_json({**named, **explanation.to_json()})
        else:
            show(*(["", RULE, ""] if place else []), explanation.to_text(arguments.max_groups))
        sys.stdout.flush()
        if arguments.picture is not None:
            _draw(explanation, Path(arguments.picture), arguments)
        if len(examples) == 1 and not arguments.json and not arguments.quiet:
            _show_edits(explanation, str(reasoner.graph.path) if reasoner.graph.path else "")
    if not examples and not arguments.quiet:
        remark("no pair was found, so there is no answer")
    return 0


def _wanted(arguments: argparse.Namespace) -> Sequence[NLIExample]:
    """Return the pairs to explain.

    Raises:
        UsageError: there are none, both a pair and a file, or a picture of a whole file is wanted.
    """
    from kg_reason.examples import read_examples
    from kg_reason.nli import NLIExample

    premise, hypothesis = arguments.premise, arguments.hypothesis
    if arguments.file is not None:
        if premise is not None:
            raise UsageError("found a premise and --file, expected one of them")
        if arguments.picture is not None:
            raise UsageError("found --picture and --file, expected PREMISE and HYPOTHESIS: a picture shows one pair")
        return list(read_examples(arguments.file, settings_from(arguments, ExampleConfig), require_labels=False))
    if hypothesis is None:
        raise UsageError('expected PREMISE and HYPOTHESIS, or --file; an empty premise is written ""')
    if not hypothesis.strip():
        raise UsageError("hypothesis: found no text, expected a sentence")
    return [NLIExample(premise, hypothesis)]


def _draw(explanation: Explanation, path: Path, arguments: argparse.Namespace) -> None:
    from kg_reason.explanation.picture import write_picture

    write_picture(explanation.prediction, path, sentences=explanation.sentences)
    if not arguments.quiet:
        remark(f"drawn: {path}")


def _show_edits(explanation: Explanation, folder: str) -> None:
    """Tell the commands that would really make the additions."""
    if explanation.counterfactual is None or not folder:
        return
    additions = explanation.counterfactual.additions[:EDITS_SHOWN]
    triples = [addition.facts[0].triples[0] for addition in additions]
    if triples:
        hint(*(f"kg-reason edit {shlex.quote(folder)} --add {shlex.join(triple)}" for triple in triples))
