"""The program of the child process that parses RDF: the bytes of files come in, canonical N-Quads go out.

It does nothing else, so whatever kills native code in here kills nothing else. `parser_process.py` starts it by its
path; it imports only pyoxigraph, gets no setting from its surroundings, and can open neither file nor connection.

Protocol, in frames, one file after the other. From the parent: size (8 bytes) and bytes; the first frame of a file is
JSON with the fields of `parse_file`, each further one answers a WANT with the next bytes, an empty one ends the file.
To the parent: kind (1 byte), number and size (8 bytes each), and bytes. The child writes only while the parent reads
and the other way round, so neither ever waits for the other to make room.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import struct
import sys
from array import array
from collections.abc import Iterator
from itertools import islice
from typing import IO, cast

if __name__ == "__main__":
    sys.path.append(sys.argv[1])  # where pyoxigraph lies: the interpreter is started without any package

import pyoxigraph  # noqa: E402

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

OUT_OF_MEMORY = 3  # exit status
WANT, STATEMENTS, FAULT, END = b"?", b"s", b"f", b"."
FORMATS = {
    "ttl": pyoxigraph.RdfFormat.TURTLE,
    "trig": pyoxigraph.RdfFormat.TRIG,
    "rdfxml": pyoxigraph.RdfFormat.RDF_XML,
    "jsonld": pyoxigraph.RdfFormat.JSON_LD,
}
STATEMENTS_PER_FRAME = 50_000
BYTES_PER_FRAME = 8 << 20
MAX_STATEMENT_BYTES = 48 << 20
MAX_REASON_CHARACTERS = 300
FREE_GROWTH_BYTES = 64 << 20  # within these, statements may grow by any factor
KEPT_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^<>\x00-\x1f\x7f]*")  # what stays one IRI when it is written down


def main() -> None:
    """Parse file after file until the parent closes the pipe."""
    confine(int(sys.argv[2]))
    while header := receive():
        parse_file(**json.loads(header))


def confine(max_mb: int) -> None:
    """Give up what parsing does not need: memory beyond a limit, further files and connections, core dumps."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and decides
    if resource is None:
        return
    for limit, wanted in (
        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 3), (resource.RLIMIT_AS, max_mb << 20),
    ):  # fmt: skip
        _set_limit(limit, wanted, hard=True)


def receive() -> bytes:
    """Return the next frame of the parent; empty when the pipe is closed."""
    source = sys.stdin.buffer
    head = source.read(8)
    return source.read(int.from_bytes(head, "little"))


def send(kind: bytes, number: int, payload: bytes = b"") -> None:
    """Write one frame."""
    sys.stdout.buffer.write(struct.pack("<cQQ", kind, number, len(payload)))
    sys.stdout.buffer.write(payload)
    sys.stdout.buffer.flush()


def parse_file(*, rdf_format: str, base_iri: str | None, lenient: bool, max_growth: int, max_seconds: int) -> None:
    """Parse one file and send its statements with their lines, its faults, and the prefixes that it declares.

    Args:
        rdf_format: a key of FORMATS.
        base_iri: what relative IRIs are resolved against.
        lenient: whether IRIs that are not valid are kept.
        max_growth: how many times as many bytes may go out as come in.
        max_seconds: of computing between two frames.
    """
    feed = Feed(max_seconds)
    parser = pyoxigraph.parse(cast(IO[bytes], feed), FORMATS[rdf_format], base_iri=base_iri, lenient=lenient)
    statements = Statements(parser, feed, lenient=lenient, with_lines=rdf_format != "jsonld")
    num_bytes = 0
    while statements.fault is None:
        output = Output()
        pyoxigraph.serialize(statements.batch(output), cast(IO[bytes], output), pyoxigraph.RdfFormat.N_QUADS)
        num_bytes += output.num_bytes
        for number, reason in statements.take_refused():
            send(FAULT, number, reason.encode())
        if output.num_bytes > BYTES_PER_FRAME + MAX_STATEMENT_BYTES:
            statements.fault = feed.line, f"found a statement longer than {MAX_STATEMENT_BYTES:,} bytes"
        elif num_bytes > FREE_GROWTH_BYTES + max_growth * feed.num_bytes:
            statements.fault = feed.line, f"found statements that are more than {max_growth} times as long as the file"
        elif statements.lines:
            send(STATEMENTS, len(statements.lines), statements.lines.tobytes() + b"".join(output.parts))
        elif statements.fault is None:
            break
    if statements.fault is not None:
        send(FAULT, statements.fault[0], f"{statements.fault[1]}; the rest of the file was not read".encode())
    send(END, 0, json.dumps({**statements.prefixes, **parser.prefixes}).encode())


class Feed:
    """A stream that asks the parent for bytes, hands over at most one line at a time, and counts the lines.

    Args:
        max_seconds: of computing until it is asked again; then the process is ended.
    """

    def __init__(self, max_seconds: int) -> None:
        self.line = 0
        self.num_bytes = 0
        self._max_seconds = max_seconds
        self._chunk = io.BytesIO()
        self._starts_line = True
        self.start_clock()

    def start_clock(self) -> None:
        """Let the computing time begin anew."""
        if resource is not None:
            usage = resource.getrusage(resource.RUSAGE_SELF)
            _set_limit(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime) + 1 + self._max_seconds, hard=False)

    def read(self, size: int = -1) -> bytes:
        """Return the next line, or as much of it as is there and wanted; empty at the end."""
        part = self._chunk.readline(size) or self._next_chunk().readline(size)
        if self._starts_line and part:
            self.line += 1
        self._starts_line = part[-1:] == b"\n"
        return part

    def _next_chunk(self) -> io.BytesIO:
        send(WANT, 0)
        chunk = receive()
        self._chunk = io.BytesIO(chunk)
        self.num_bytes += len(chunk)
        self.start_clock()
        return self._chunk


class Output:
    """A stream that keeps what is written to it, and how much it is."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.num_bytes = 0

    def write(self, data: bytes) -> int:
        """Keep a part."""
        self.parts.append(bytes(data))
        self.num_bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: what is written is there."""


class Statements:
    """What a parser finds, batch by batch, until its end or its first fault.

    Args:
        parser: of the file.
        feed: of the parser.
        lenient: whether IRIs are to be checked that are not valid.
        with_lines: whether a statement is found as soon as it is read, as in every syntax but JSON-LD.

    Attributes:
        lines: of each statement of the last batch; its number where there are no lines.
        fault: the place and the reason that ended the file; None as long as there is none.
        prefixes: known at the first statement of each batch; RDF/XML forgets its own at the end.
    """

    def __init__(self, parser: pyoxigraph.QuadParser, feed: Feed, *, lenient: bool, with_lines: bool) -> None:
        self.lines = array("q")
        self.fault: tuple[int, str] | None = None
        self.prefixes: dict[str, str] = {}
        self._feed = feed
        self._parser = parser
        self._with_lines = with_lines
        self._quads: Iterator[pyoxigraph.Quad] = self._checked(parser) if lenient else parser
        self._num_read = 0
        self._refused: list[tuple[int, str]] = []

    def batch(self, output: Output) -> Iterator[pyoxigraph.Quad]:
        """Yield what makes up one frame and note its lines."""
        feed, note = self._feed, array("q")
        self.lines = note
        feed.start_clock()
        try:
            for quad in islice(self._quads, STATEMENTS_PER_FRAME):
                if not note:
                    self.prefixes.update(self._parser.prefixes)
                note.append(feed.line)
                yield quad
                if output.num_bytes > BYTES_PER_FRAME:
                    break
        except SyntaxError as error:
            self.fault = error.lineno or self._line(), syntax_reason(error)
        except MemoryError as error:
            self.fault = feed.line, memory_reason(error)
        if not self._with_lines:
            self.lines = array("q", range(self._num_read + 1, self._num_read + 1 + len(note)))
        self._num_read += len(note)

    def take_refused(self) -> list[tuple[int, str]]:
        """Return the places of the statements that were left out, and why, and forget them."""
        refused, self._refused = self._refused, []
        return refused

    def _line(self) -> int:
        return self._feed.line if self._with_lines else 0

    def _checked(self, parser: pyoxigraph.QuadParser) -> Iterator[pyoxigraph.Quad]:
        """Leave out the statements that would be others once they are written down."""
        for quad in parser:
            try:
                check_kept_iris(quad)
            except ValueError as error:
                self._refused.append((self._line(), str(error)))
            else:
                yield quad


def check_kept_iris(statement: pyoxigraph.Triple | pyoxigraph.Quad) -> None:
    """Check that the IRIs of a statement, valid or not, stay what they are once they are written down.

    Raises:
        ValueError: one of them would not.
    """
    for iri in iris(statement):
        if not KEPT_IRI.fullmatch(iri):
            raise ValueError(f"found the IRI {iri[:MAX_REASON_CHARACTERS]!r}, which even --lenient refuses")


def iris(statement: pyoxigraph.Triple | pyoxigraph.Quad) -> Iterator[str]:
    """Yield the IRIs of a statement, those of datatypes, of triple terms and of its graph among them."""
    graph = statement.graph_name if isinstance(statement, pyoxigraph.Quad) else None
    for term in (statement.subject, statement.predicate, statement.object, graph):
        if isinstance(term, pyoxigraph.NamedNode):
            yield term.value
        elif isinstance(term, pyoxigraph.Literal):
            yield term.datatype.value
        elif isinstance(term, pyoxigraph.Triple):
            yield from iris(term)


def syntax_reason(error: SyntaxError) -> str:
    """Return what a syntax error of pyoxigraph says, with its column counted from 1 and without its line."""
    match = re.match(r"^Parser error (?:at|between) .*?: (.*?)(?: \(line \d+\))?$", str(error), re.DOTALL)
    reason = match[1] if match else str(error)
    if len(reason) > MAX_REASON_CHARACTERS:  # it may quote the file
        reason = f"{reason[:MAX_REASON_CHARACTERS]}..."
    return f"column {error.offset}: {reason}" if error.offset else reason


def memory_reason(error: MemoryError) -> str:
    """Tell a token that is too long from a process that is too large."""
    longest = re.search(r"buffer maximal size of (\d+)", str(error))
    if longest:
        return f"found a text, an IRI or a name longer than {int(longest[1]):,} bytes"
    return "found more than the memory of the parser holds (--max-parser-mb)"


def _set_limit(limit: int, wanted: int, *, hard: bool) -> None:
    """Lower a limit of this process, where the system lets it."""
    most = resource.getrlimit(limit)[1]
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    try:
        resource.setrlimit(limit, (wanted, wanted if hard else most))
    except (OSError, ValueError):  # a system that knows the limit and does not let it be set
        return


if __name__ == "__main__":
    try:
        main()
    except MemoryError:  # also while a fault was to be told
        os._exit(OUT_OF_MEMORY)
