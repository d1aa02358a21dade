"""Turtle, TriG, RDF/XML and JSON-LD by pyoxigraph, which never opens a file or a connection on its own.

The parser's statements pass as canonical N-Triples through the compiled scanner of `ntriples.py`, so that no Python
runs per term. The parser does not tell lines, but it is handed the file line by line and yields a statement as soon as
it is complete, so a statement's line is the last one handed over. JSON-LD is read whole before its first statement: the
number of the statement takes the line's place. Graph names are dropped, blank nodes renamed as `BlankNames` tells. A
syntax error ends the file: what follows it cannot be trusted.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import BinaryIO, cast

import numpy as np
import pyoxigraph

from kg_reason.errors import ConfigError
from kg_reason.kg.curies import join_prefixes
from kg_reason.kg.inputs import line_blocks
from kg_reason.kg.ntriples import BlankNames, parse_line, scan_block, syntax_reason
from kg_reason.kg.triples import ROWS_PER_BLOCK, BadLines, BlockBuilder, TripleBlock, join_blocks

RDF_FORMATS = {
    "ttl": pyoxigraph.RdfFormat.TURTLE,
    "trig": pyoxigraph.RdfFormat.TRIG,
    "rdfxml": pyoxigraph.RdfFormat.RDF_XML,
    "jsonld": pyoxigraph.RdfFormat.JSON_LD,
}
FORMATS_WITH_LINES = ("ttl", "trig", "rdfxml")


def read_rdf(
    stream: BinaryIO,
    name: str,
    file: int,
    bad_lines: BadLines,
    *,
    rdf_format: str,
    base_iri: str = "",
    prefixes: dict[str, str] | None = None,
) -> Iterator[TripleBlock]:
    """Read a file in one of RDF_FORMATS up to its end or its first syntax error, which is noted with its line.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the syntax error, and by statements that are no triples of RDF 1.1.
        rdf_format: a key of RDF_FORMATS.
        base_iri: what relative IRIs are resolved against; where empty, a relative IRI is an error.
        prefixes: grows by the prefixes that the file declares, with their namespaces.

    Raises:
        InputSyntaxError: the stream cannot be read.
        ConfigError: the base IRI is not an absolute IRI.
    """
    base = check_base_iri(base_iri) if base_iri else None
    prefixes = {} if prefixes is None else prefixes
    feed = _LineFeed(stream)
    places: list[int] = []  # line of each statement since `num_done`
    num_done = 0
    parser = pyoxigraph.parse(cast(BinaryIO, feed), RDF_FORMATS[rdf_format], base_iri=base)
    statements = _statements(parser, feed if rdf_format in FORMATS_WITH_LINES else None, places, name, bad_lines)
    declared: dict[str, str] = {}  # RDF/XML forgets its prefixes at the end
    statements = _with_prefixes(parser, statements, declared)
    names = BlankNames(file, numbered=True)
    first_statement = 1
    while lines := pyoxigraph.serialize(islice(statements, ROWS_PER_BLOCK), format=pyoxigraph.RdfFormat.N_TRIPLES):
        lines_of = np.array(places, dtype=np.int64)
        for block in line_blocks(io.BytesIO(lines), name):
            block = block._replace(first_line=first_statement)
            first_statement += block.num_lines
            rows, rest = scan_block(block, file, names, with_graph=False)
            others = BlockBuilder(file)
            for start, end, statement in rest.tolist():
                line = block.buffer[start:end].tobytes()
                place = places[statement - 1 - num_done]
                try:
                    keys = parse_line(line, names, pyoxigraph.RdfFormat.N_TRIPLES)
                except ValueError as error:
                    bad_lines.add(name, place, f"statement {statement}: {error}")
                else:
                    for triple in keys:
                        others.add(triple[:3], statement)
            joined = join_blocks(rows, others.build())
            yield replace(joined, line=lines_of[joined.line - 1 - num_done])
        num_done += len(places)
        places.clear()
    join_prefixes(prefixes, [*declared.items(), *parser.prefixes.items()])


def check_base_iri(base_iri: str) -> str:
    """Return a base IRI that pyoxigraph takes.

    Raises:
        ConfigError: it is not an absolute IRI.
    """
    try:
        pyoxigraph.parse(b"", pyoxigraph.RdfFormat.TURTLE, base_iri=base_iri)
    except ValueError as error:
        raise ConfigError(f"base_iri: found {base_iri!r}, expected an absolute IRI: {error}") from error
    return base_iri


class _LineFeed(io.RawIOBase):
    """A stream that hands over at most one line at a time and counts them."""

    def __init__(self, stream: BinaryIO) -> None:
        self.line = 0
        self._stream = stream
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next line, or as much of it as is wanted; empty at the end."""
        if not self._rest:
            self._rest = self._stream.readline()
            self.line += bool(self._rest)
        part = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(part) :]
        return part


def _statements(
    parser: pyoxigraph.QuadParser, feed: _LineFeed | None, places: list[int], name: str, bad_lines: BadLines
) -> Iterator[pyoxigraph.Triple]:
    """Yield what the parser finds, without graph names, until its end or its first syntax error; note its places."""
    try:
        for number, quad in enumerate(parser, start=1):
            places.append(feed.line if feed is not None else number)
            yield quad.triple
    except SyntaxError as error:
        line = error.lineno or (feed.line if feed is not None else 0)  # RDF/XML does not tell it
        bad_lines.add(name, line, f"{_reason(error)}; the rest of the file was not read")


def _with_prefixes(
    parser: pyoxigraph.QuadParser, statements: Iterator[pyoxigraph.Triple], declared: dict[str, str]
) -> Iterator[pyoxigraph.Triple]:
    """Yield the statements and note the prefixes that are known at the first."""
    for statement in islice(statements, 1):
        declared.update(parser.prefixes)
        yield statement
    yield from statements


def _reason(error: SyntaxError) -> str:
    reason = syntax_reason(error)
    if "LoadDocumentCallback" in reason:
        return "found a context at another address, expected it in the file itself (nothing is fetched)"
    if "No scheme found in an absolute IRI" in reason:
        return f"{reason}; relative IRIs need --base-iri"
    return reason
