"""The exceptions of kg_reason: what the caller can mend, told with place, found and expected.

    KGReasonError
    +-- ConfigError            a setting outside its range (also a ValueError)
    +-- InputSyntaxError       an input file that cannot be read, with file and line (also a ValueError)
    +-- BadLinesError          several bad lines of input files, all found in one pass (also a ValueError)
    +-- GraphError             a graph folder that is missing, foreign or damaged
    +-- EndpointError          a SPARQL endpoint that cannot be reached, asks for too much or answers badly
    +-- UnknownEntityError     an entity or relation that the graph does not hold (also a KeyError)
    +-- CheckpointError        a run folder that is missing, foreign, damaged or bound to another graph
    +-- MissingExtraError      an optional package is needed (also an ImportError)

The command line catches KGReasonError once, at the door, and prints one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class KGReasonError(Exception):
    """Root of every error that kg_reason raises on purpose."""


class ConfigError(KGReasonError, ValueError):
    """A setting has a value outside its documented range."""


class InputSyntaxError(KGReasonError, ValueError):
    """An input file could not be read at a known place.

    Args:
        path: the file as the user named it.
        line: line number counted from 1; 0 when the fault belongs to the file as a whole.
        reason: what was found and what was expected.
    """

    def __init__(self, path: str, line: int, reason: str) -> None:
        self.path = path
        self.line = line
        self.reason = reason
        super().__init__(f"{_place(path, line)}: {reason}")


@dataclass(frozen=True)
class BadLine:
    """One line that could not be read: its place, what was found and what was expected; line 0 is the file."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{_place(self.path, self.line)}: {self.reason}"


class BadLinesError(KGReasonError, ValueError):
    """Lines of the input could not be read.

    Args:
        bad_lines: the first of them, in order of file and line.
        num_bad_lines: how many there were in all.
        advice: what follows from it and what the caller can do, for the first line of the message.
    """

    def __init__(self, bad_lines: Sequence[BadLine], num_bad_lines: int, advice: str = "") -> None:
        self.bad_lines = tuple(bad_lines)
        self.num_bad_lines = num_bad_lines
        plural = "line" if num_bad_lines == 1 else "lines"
        more = num_bad_lines - len(self.bad_lines)
        told = [f"{num_bad_lines:,} bad {plural}{f', {advice}' if advice else ''}:"]
        told += [f"  {bad_line}" for bad_line in self.bad_lines]
        told += [f"  ... and {more:,} more"] if more > 0 else []
        super().__init__("\n".join(told))


def _place(path: str, line: int) -> str:
    return f"{path}:{line}" if line else path


class GraphError(KGReasonError):
    """A graph folder is missing, of another format version, or damaged."""


class EndpointError(KGReasonError):
    """A SPARQL endpoint cannot be reached, answers with something else than it should, or a budget is used up."""


class UnknownEntityError(KGReasonError, KeyError):
    """The graph holds no such entity or relation, or more than one fits the name."""

    def __str__(self) -> str:
        return str(self.args[0])


class CheckpointError(KGReasonError):
    """A run folder is missing, incomplete, damaged, or was trained with something else."""


class MissingExtraError(KGReasonError, ImportError):
    """An optional package is not installed; the message names the extra that brings it."""
