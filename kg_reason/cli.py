"""The command `kg-reason`: the parser, and the one door at which errors become a line and an exit code.

Exit codes: 0 done · 1 an error of ours, in one line · 2 wrong usage · 3 an audit crossed a threshold · 130
interrupted. Results go to standard output;
progress, remarks and errors to standard error. With --json an error is also an object `{"error": {"type", "message"}}`
on both. The commands themselves are in `commands/`.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from kg_reason.commands.arguments import UsageError
from kg_reason.commands.audit import add_commands as add_audit_commands
from kg_reason.commands.calibrate import add_commands as add_calibrate_commands
from kg_reason.commands.exclusion import add_commands as add_exclusion_commands
from kg_reason.commands.explain import add_commands as add_explain_commands
from kg_reason.commands.graph import add_commands as add_graph_commands
from kg_reason.commands.inspection import add_commands as add_inspection_commands
from kg_reason.commands.model import add_commands as add_model_commands
from kg_reason.commands.query import add_commands as add_query_commands
from kg_reason.commands.system import add_commands as add_system_commands
from kg_reason.commands.training import add_commands as add_training_commands
from kg_reason.errors import BadLinesError, KGReasonError, MissingExtraError
from kg_reason.flags import read_config, set_under
from kg_reason.terminal import is_unicode, one_line, printable, printable_json

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
SHELLS = ("bash", "zsh")
DESCRIPTION = "Natural-language inference over your own knowledge graph, with the paths that moved each answer."
EPILOG = """\
first steps:
  kg-reason build my_triples.ttl --out kg
  kg-reason synthesize kg --sentences sentences.txt --out train.jsonl --dev-out dev.jsonl
  kg-reason train --graph kg --examples train.jsonl --dev dev.jsonl --out runs/first
  kg-reason query runs/first "A man plays a violin." "A man plays an instrument."

kg-reason COMMAND --help tells everything about one command.
"""


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of leaving the process, and takes no abbreviated flags."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - argparse's own
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        raise UsageError(f"{message} ({self.prog} --help tells more)")


def make_parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Return the parser of the whole command, and of each of its commands by name."""
    parser: argparse.ArgumentParser = Parser(
        prog="kg-reason", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"kg-reason {_version()}")
    parser.add_argument("--completion", choices=SHELLS, help="print the completion script of a shell and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")  # each of them a Parser
    for add_commands in (
        add_graph_commands, add_inspection_commands, add_model_commands, add_training_commands, add_query_commands,
        add_audit_commands, add_system_commands, add_exclusion_commands, add_calibrate_commands,
        add_explain_commands,
    ):  # fmt: skip
        add_commands(commands)
    for command in commands.choices.values():
        command.usage = _short_usage(command)
        _add_everywhere(command)
    return parser, dict(commands.choices)


def _short_usage(command: argparse.ArgumentParser) -> str:
    """Return the usage of a command without its settings, which the help lists under their headings."""
    positionals, options = (group._group_actions for group in command._action_groups[:2])
    formatter = command._get_formatter()
    formatter.add_usage(None, [*options, *positionals], command._mutually_exclusive_groups)
    more = " [settings]" if len(command._action_groups) > 2 else ""
    return formatter.format_help().removeprefix("usage: ").rstrip().replace("%", "%%") + more


def _add_everywhere(command: argparse.ArgumentParser) -> None:
    general = command.add_argument_group("everywhere")
    general.add_argument("--config", metavar="FILE", help="TOML file with any of these flags; flags given here win")
    general.add_argument("-v", "--verbose", action="count", default=0, help="say what is done; twice: in detail")
    general.add_argument("-q", "--quiet", action="store_true", help="no progress and no remarks, only errors")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # whatever the locale, a label is shown and never breaks the output
            stream.reconfigure(errors="backslashreplace")
    as_json = "--json" in given
    try:
        code = _run(given)
        sys.stdout.flush()
    except UsageError as error:
        _tell(error, "UsageError", as_json)
        return USAGE
    except KGReasonError as error:
        _tell(error, type(error).__name__, as_json)
        return FAILED
    except BrokenPipeError:
        # Who reads the results has enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _tell(OSError(f"{place}{error.strerror or error}"), type(error).__name__, as_json)
        return FAILED
    except KeyboardInterrupt:
        _tell(KeyboardInterrupt("interrupted; nothing is half-written"), "Interrupted", as_json)
        return INTERRUPTED
    return code


def _run(given: list[str]) -> int:
    for word in given:
        if not is_unicode(word):
            raise UsageError(f"found {word!r}, expected text and names of files in UTF-8")
    parser, commands = make_parser()
    try:
        if given and given[0] in commands:
            path = _config_path(given)
            if path:
                set_under(commands[given[0]], read_config(path, given[0], commands))
            # Flags may stand between the words: kg-reason query RUN --graph kg PREMISE HYPOTHESIS.
            arguments = commands[given[0]].parse_intermixed_args(
                given[1:], argparse.Namespace(command=given[0], completion=None)
            )
        else:
            arguments = parser.parse_args(given)
    except SystemExit:  # --help and --version have said what was asked
        return DONE
    if arguments.completion:
        print(_completion(parser, arguments.completion))
        return DONE
    if not arguments.command:
        parser.print_help(sys.stderr)
        return USAGE
    with _logging(arguments.verbose, arguments.quiet):
        code: int = arguments.run(arguments)
        return code


def _config_path(given: Sequence[str]) -> str:
    for place, word in enumerate(given):
        if word.startswith("--config="):
            return word.removeprefix("--config=")
        if word == "--config" and place + 1 < len(given):
            return given[place + 1]
    return ""


def _tell(error: BaseException, kind: str, as_json: bool) -> None:
    """Write an error to standard error; with --json as an object, on standard output too."""
    message = str(error)
    if not as_json:
        shown = printable(message) if isinstance(error, BadLinesError) else one_line(message)
        sys.stderr.write(f"error: {shown}\n")
        return
    facts: dict[str, Any] = {"type": kind, "message": message}
    if isinstance(error, BadLinesError):
        facts["bad_lines"] = [vars(bad_line) for bad_line in error.bad_lines]
        facts["num_bad_lines"] = error.num_bad_lines
    line = printable_json({"error": facts}) + "\n"
    sys.stderr.write(line)
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except OSError:
        sys.stderr.flush()  # nobody reads the results; the error was told on the other stream


class _PrintableFormatter(logging.Formatter):
    """Writes records without control characters of a stranger's file."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return printable(super().format(record))


@contextmanager
def _logging(verbose: int, quiet: bool) -> Iterator[None]:
    """Send the library's log to standard error while a command runs."""
    level = logging.ERROR if quiet else {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PrintableFormatter("%(message)s" if verbose < 2 else "%(name)s: %(message)s"))
    logger = logging.getLogger("kg_reason")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _version() -> str:
    version: str = importlib.import_module("kg_reason").__version__
    return version


def _completion(parser: argparse.ArgumentParser, shell: str) -> str:
    try:
        import shtab
    except ImportError as error:
        raise MissingExtraError("--completion needs the package shtab: pip install 'kg_reason[completion]'") from error
    script: str = shtab.complete(parser, shell)
    return script
