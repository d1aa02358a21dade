"""The arguments that several commands share, and how a command is added to the parser."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeAlias

Command = Callable[[argparse.Namespace], int]
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"



class UsageError(Exception):
    """Arguments that do not fit the command; the door ends with exit code 2."""


# What the completion of a shell offers for a path, in the words of shtab.
_FILES = {"bash": "_shtab_compgen_files", "zsh": "_files"}
_FOLDERS = {"bash": "_shtab_compgen_dirs", "zsh": "_files -/"}


def add_command(
    commands: Commands, name: str, run: Command, help_text: str, details: str = ""
) -> argparse.ArgumentParser:
    """Add a command.

    Args:
        commands: where to.
        name: the word that calls it.
        run: does it, and returns the exit code.
        help_text: one line, without a full stop.
        details: further lines of its own `--help`.
    """
    description = f"{help_text[0].upper()}{help_text[1:]}."
    command = commands.add_parser(
        name, help=help_text, description=description, epilog=details or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    command.set_defaults(run=run)
    return command


def file_argument(action: argparse.Action) -> None:
    """Say that an argument is a file, for the completion of the shell."""
    setattr(action, "complete", _FILES)  # noqa: B010 - shtab looks for an attribute that argparse does not declare


def folder_argument(action: argparse.Action) -> None:
    """Say that an argument is a folder, for the completion of the shell."""
    setattr(action, "complete", _FOLDERS)  # noqa: B010 - as above


def add_graph(parser: argparse.ArgumentParser, further: str = "") -> None:
    """Add the graph folder as the first argument; `further` says what else it may be."""
    help_text = f"graph folder, made by kg-reason build{f', {further}' if further else ''}"
    folder_argument(parser.add_argument("graph", metavar="DIR", help=help_text))


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the flag `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON; errors too")
