"""The parent's side of the child process that parses RDF (`parser_child.py`): one child for all files of a build.

It is started at the first file and again after a death; starting takes some 30 ms. A child that dies, hangs, needs too
much memory or answers with something else than statements is a fault of the file with its place, like any other.
"""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self, cast

import numpy as np
import pyoxigraph
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.kg import parser_child

PROGRAM = Path(parser_child.__file__)
MAX_FRAME_BYTES = 64 << 20
SECONDS_TO_DIE = 5.0


class ParsedStatements(NamedTuple):
    """Statements of a file: int64 [num_statements], the line of each; uint8 [num_bytes], as many lines of N-Quads."""

    lines: NDArray[np.int64]
    text: NDArray[np.uint8]


class ParserFault(NamedTuple):
    """What is wrong with a file: line, 0 for the file as a whole, and what was found and expected."""

    line: int
    reason: str


class DeclaredPrefixes(NamedTuple):
    """The prefixes that a file declares, with their namespaces."""

    prefixes: dict[str, str]


class ParserProcess:
    """A child process that parses files one after the other; a context manager that leaves no process behind.

    Args:
        config: base IRI, leniency and limits; kept as an attribute.
    """

    def __init__(self, config: BuildConfig) -> None:
        self.config = config
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def parse(
        self, chunks: Iterator[bytes], rdf_format: str
    ) -> Iterator[ParsedStatements | ParserFault | DeclaredPrefixes]:
        """Parse one file and yield what the child finds in it, in order.

        Args:
            chunks: the bytes of the file, none of them empty.
            rdf_format: one of `parser_child.FORMATS`.
        """
        place = _Place()
        try:
            yield from self._exchange(chunks, rdf_format, place)
        except _ParserDeathError as error:
            reason = f"{error} near byte {place.num_bytes:,}; the rest of the file was not read"
            yield ParserFault(place.num_lines, reason)
        finally:
            if not place.is_done:
                self.close()

    def close(self) -> None:
        """End the child, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):  # what was still to be written to it
                cast(IO[bytes], pipe).close()

    def _exchange(
        self, chunks: Iterator[bytes], rdf_format: str, place: _Place
    ) -> Iterator[ParsedStatements | ParserFault | DeclaredPrefixes]:
        """Give the child what it asks for and yield what it answers, until it has done with the file."""
        self._send(json.dumps({
            "rdf_format": rdf_format, "base_iri": self.config.base_iri or None, "lenient": self.config.lenient,
            "max_growth": self.config.max_growth, "max_seconds": self.config.max_parser_seconds,
        }).encode())  # fmt: skip
        while not place.is_done:
            kind, number, payload = self._receive()
            if kind == parser_child.WANT:
                chunk = next(chunks, b"")
                self._send(chunk)
                place.move(chunk)
            elif kind == parser_child.STATEMENTS:
                yield _statements(number, payload)
            elif kind == parser_child.FAULT:
                yield ParserFault(number, payload.tobytes().decode(errors="replace"))
            else:
                place.is_done = True
                yield _prefixes(payload)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            packages = str(Path(pyoxigraph.__file__).parents[1])
            program = [sys.executable, "-I", "-S", str(PROGRAM), packages, str(self.config.max_parser_mb)]
            try:
                self._process = subprocess.Popen(
                    program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
            except OSError as error:
                raise _ParserDeathError(f"the parser could not be started: {error.strerror}") from error
        return self._process

    def _send(self, payload: bytes) -> None:
        pipe = cast(IO[bytes], self._started().stdin)
        try:
            pipe.write(len(payload).to_bytes(8, "little") + payload)
            pipe.flush()
        except BrokenPipeError as error:
            raise self._death() from error

    def _receive(self) -> tuple[bytes, int, NDArray[np.uint8]]:
        """Return the next frame of the child: kind, number and bytes."""
        pipe = cast(IO[bytes], self._started().stdout)
        head = pipe.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise self._death()
        kind, number, size = _HEAD.unpack(head)
        if kind not in _KINDS or max(number, size) > MAX_FRAME_BYTES:
            raise _ParserDeathError(_GARBAGE)
        payload = np.empty(size, dtype=np.uint8)
        filled = 0
        while filled < size:
            count = cast(int, pipe.readinto(payload.data[filled:]))  # type: ignore[attr-defined]
            if not count:
                raise self._death()
            filled += count
        return kind, number, payload

    def _death(self) -> _ParserDeathError:
        """Return the error that tells how the child came to its end."""
        try:
            status = self._started().wait(SECONDS_TO_DIE)
        except subprocess.TimeoutExpired:
            return _ParserDeathError("the parser fell silent")
        advice = f", as where it needs more than {self.config.max_parser_mb:,} MB (--max-parser-mb)"
        if status >= 0:
            is_memory = status == parser_child.OUT_OF_MEMORY
            return _ParserDeathError(f"the parser died (exit status {status}){advice if is_memory else ''}")
        name = signal.Signals(-status).name
        if name == "SIGXCPU":
            seconds = self.config.max_parser_seconds
            return _ParserDeathError(f"the parser got nowhere in {seconds:,} s (--max-parser-seconds)")
        is_memory = name in ("SIGABRT", "SIGKILL")
        return _ParserDeathError(f"the parser died (signal {name}){advice if is_memory else ''}")


class _ParserDeathError(Exception):
    """The child is gone, or is to be ended; the message tells how."""


class _Place:
    """How far the child has come with a file: bytes and whole lines that it was given, and whether it has done."""

    def __init__(self) -> None:
        self.num_bytes = 0
        self.num_lines = 0
        self.is_done = False

    def move(self, chunk: bytes) -> None:
        self.num_bytes += len(chunk)
        self.num_lines += chunk.count(b"\n")


_HEAD = struct.Struct("<cQQ")
_GARBAGE = "the parser answered with something else than statements"
_KINDS = (parser_child.WANT, parser_child.STATEMENTS, parser_child.FAULT, parser_child.END)


def _statements(count: int, payload: NDArray[np.uint8]) -> ParsedStatements:
    """Take a frame of statements apart: the lines as int64, then the text."""
    text = payload[8 * count :]
    if not len(text) or text[-1] != ord("\n") or np.count_nonzero(text == ord("\n")) != count:
        raise _ParserDeathError(_GARBAGE)
    return ParsedStatements(payload[: 8 * count].view(np.int64), text)


def _prefixes(payload: NDArray[np.uint8]) -> DeclaredPrefixes:
    try:
        return DeclaredPrefixes(json.loads(payload.tobytes()))
    except ValueError as error:
        raise _ParserDeathError(_GARBAGE) from error
