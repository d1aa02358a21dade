"""The command that answers: query, for one pair, for a file of pairs, or for a stream of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kg_reason.commands.arguments import Commands, UsageError, add_command, add_json, file_argument
from kg_reason.commands.model import add_abstain_below, add_run, reasoners_for
from kg_reason.commands.printing import remark, show, show_json
from kg_reason.config import ExampleConfig
from kg_reason.errors import InputSyntaxError
from kg_reason.flags import add_settings, number, settings_from
from kg_reason.terminal import is_unicode

if TYPE_CHECKING:
    from kg_reason.kg.graph import KnowledgeGraph
    from kg_reason.nli import NLIExample
    from kg_reason.prediction import Prediction

STANDARD_INPUT = "-"
RULE = "-" * 72
DETAILS = """\
An empty premise asks whether the graph supports a claim: kg-reason query RUN "" "A violin is an instrument."
Standard input and FILE hold JSON lines with "premise" and "hypothesis"; on standard input a line may also be the two
texts with a tab between them. FILE may be any example file. Answers come in the order of the pairs."""


def add_commands(commands: Commands) -> None:
    """Add the command of this room."""
    query = add_command(commands, "query", _query, "answer pairs, and show the paths that moved each answer", DETAILS)
    add_run(query, endpoint=True)
    query.add_argument("premise", nargs="?", metavar="PREMISE", help="what is given; may be empty")
    query.add_argument("hypothesis", nargs="?", metavar="HYPOTHESIS", help="what may follow from it")
    file_argument(query.add_argument("--file", metavar="FILE", help="pairs to answer; - for standard input"))
    query.add_argument(
        "--max-paths", type=number(int, 0), default=5, metavar="N", help="paths shown per answer (default: 5)"
    )
    query.add_argument(
        "--batch-size", type=number(int, 1), default=32, metavar="N", help="pairs answered at once (default: 32)"
    )
    add_abstain_below(query)
    file_argument(
        query.add_argument(
            "--policy", metavar="FILE", help="flag or refuse answers on sensitive topics; default: the shipped policy"
        )
    )
    add_json(query)
    add_settings(query, ExampleConfig, "pairs of --file")


def _query(arguments: argparse.Namespace) -> int:
    from kg_reason.abstention import abstain
    from kg_reason.policy import Policy, PolicyAnswer, apply_policy

    faults: list[InputSyntaxError] = []
    examples_seen: deque[NLIExample] = deque()  # read, and not yet answered
    examples = _before_fault(_wanted(arguments), faults, examples_seen)
    named_policy = Policy.load(arguments.policy) if arguments.policy is not None else None
    policy, graph = named_policy, None
    place = -1
    for place, (answered_over, prediction) in enumerate(_predictions(arguments, examples)):
        if named_policy is not None and answered_over is not graph:
            graph = answered_over
            policy = named_policy.for_graph(graph)
        example_id = examples_seen.popleft().example_id
        answer = prediction if policy is None else apply_policy(prediction, policy)
        is_refused = isinstance(answer, PolicyAnswer) and answer.is_refused
        asked = arguments.abstain_below is not None and not is_refused
        unsure = abstain(prediction, arguments.abstain_below) if asked else None
        if arguments.json:
            plain = {"id": example_id, **answer.to_json()} if example_id else answer.to_json()
            show_json({**plain, "unsure": unsure.to_json() if unsure else None} if asked else plain)
        else:
            warning = [unsure.to_text(), ""] if unsure else []
            show(*(["", RULE, ""] if place else []), *warning, answer.to_text(arguments.max_paths))
        sys.stdout.flush()
    if faults:
        raise faults[0]
    if place < 0 and not arguments.quiet:
        remark("no pair was found, so there is no answer")
    return 0


def _predictions(
    arguments: argparse.Namespace, examples: Iterable[NLIExample]
) -> Iterator[tuple[KnowledgeGraph, Prediction]]:
    """Yield the answers in order, each with the graph that it rests on."""
    for reasoner, batch in reasoners_for(arguments, examples, arguments.batch_size):
        yield from ((reasoner.graph, prediction) for prediction in reasoner.iter_predictions(batch, len(batch)))


def _before_fault(
    examples: Iterable[NLIExample], faults: list[InputSyntaxError], seen: deque[NLIExample]
) -> Iterator[NLIExample]:
    """Yield the pairs before a bad line of a stream, which are answered still, and note them and the fault."""
    try:
        for example in examples:
            seen.append(example)
            yield example
    except InputSyntaxError as error:
        faults.append(error)


def _wanted(arguments: argparse.Namespace) -> Iterable[NLIExample]:
    """Return the pairs to answer.

    Raises:
        UsageError: there are none, or both a pair and a file.
    """
    from kg_reason.examples import read_examples
    from kg_reason.nli import NLIExample

    config = settings_from(arguments, ExampleConfig)
    premise, hypothesis, file = arguments.premise, arguments.hypothesis, arguments.file
    if premise == STANDARD_INPUT and hypothesis is None and file is None:
        premise, file = None, STANDARD_INPUT
    if file is not None:
        if premise is not None:
            raise UsageError("found a premise and --file, expected one of them")
        if file == STANDARD_INPUT:
            return read_pairs(sys.stdin.buffer, config)
        return read_examples(file, config, require_labels=False)
    if hypothesis is not None:
        if not hypothesis.strip():
            raise UsageError("hypothesis: found no text, expected a sentence")
        return [NLIExample(premise, hypothesis)]
    if premise is not None:
        raise UsageError('found only one text, expected PREMISE and HYPOTHESIS; an empty premise is written ""')
    if sys.stdin.isatty():
        raise UsageError("found no pair, expected PREMISE and HYPOTHESIS, --file, or pairs on standard input")
    return read_pairs(sys.stdin.buffer, config)


def read_pairs(stream: Iterable[bytes], config: ExampleConfig) -> Iterator[NLIExample]:
    """Yield the pairs of a stream as its lines come: JSON objects, or two texts with a tab between them.

    Raises:
        InputSyntaxError: a line is neither.
    """
    for line, raw in enumerate(stream, start=1):
        try:
            text = raw.decode().rstrip("\r\n")
            if text.strip():
                yield _pair(text, config)
        except UnicodeDecodeError as error:
            raise InputSyntaxError("-", line, f"found byte 0x{raw[error.start]:02x}, expected UTF-8") from error
        except _NoPairError as error:
            raise InputSyntaxError("-", line, str(error)) from error


class _NoPairError(ValueError):
    """A line that is no pair; the message says what was found and what was expected."""


def _pair(text: str, config: ExampleConfig) -> NLIExample:
    from kg_reason.nli import NLIExample

    if not text.lstrip().startswith("{"):
        cells = text.split("\t")
        if len(cells) != 2:
            found = f"found {len(cells)} tab-separated fields" if len(cells) > 2 else "found a line without a tab"
            raise _NoPairError(f"{found}, expected a JSON object, or premise, tab and hypothesis")
        row: dict[str, object] = {"premise": cells[0], "hypothesis": cells[1]}
    else:
        try:
            found_row = json.loads(text)
        except ValueError as error:
            raise _NoPairError(f"not valid JSON: {error}") from error
        columns = {
            "premise": config.premise_column, "hypothesis": config.hypothesis_column, "names": "names",
            "id": config.id_column,
        }  # fmt: skip
        if config.premise_column and config.premise_column not in found_row:
            found = ", ".join(found_row)
            raise _NoPairError(f"found {found}; expected {config.premise_column!r}, which is empty for a claim")
        row = {name: found_row.get(column, "") for name, column in columns.items()}
    premise, hypothesis, names = row["premise"], row["hypothesis"], row.get("names") or {}
    if not isinstance(premise, str):
        raise _NoPairError(f"found no text in {config.premise_column!r}, expected a text, which may be empty")
    if not is_unicode(f"{premise}{hypothesis}"):
        raise _NoPairError("found half of a surrogate pair, expected Unicode text")
    if not isinstance(hypothesis, str) or not hypothesis.strip():
        raise _NoPairError(f"found no text in {config.hypothesis_column!r}, expected a sentence")
    if not isinstance(names, dict) or not all(isinstance(entity, str) for entity in names.values()):
        raise _NoPairError("names: expected an object from surface form to entity id")
    return NLIExample(premise, hypothesis, names=names, example_id=str(row.get("id") or ""))
