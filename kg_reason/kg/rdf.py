"""Turtle, TriG, RDF/XML and JSON-LD by pyoxigraph, in a child process, behind guards.

What is known to bring a parser down is refused before (`xml_guard.py`, `json_guard.py`, `nesting.py`); what is not
known brings down the child only (`parser_process.py`). Its statements come back as canonical N-Quads and pass through
the compiled scanner of `ntriples.py`, so that no Python runs per term. The parser does not tell lines, but it is handed
the file line by line and yields a statement as soon as it is complete, so a statement's line is the last one handed
over. JSON-LD is read whole before its first statement: the number of the statement takes the line's place. The name of
a graph is the source of its statements; blank nodes are renamed as `BlankNames` tells. A syntax error ends the file:
what follows it cannot be trusted.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, cast

import pyoxigraph

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.curies import join_prefixes
from kg_reason.kg.inputs import LineBlock
from kg_reason.kg.json_guard import LocalContexts, read_json
from kg_reason.kg.nesting import RefusedFileError, turtle_nesting
from kg_reason.kg.ntriples import BlankNames, LineParser, scan_block
from kg_reason.kg.parser_process import DeclaredPrefixes, ParsedStatements, ParserFault, ParserProcess
from kg_reason.kg.triples import BlockBuilder, TripleBlock, join_blocks
from kg_reason.kg.xml_guard import XmlGuard

RDF_FORMATS = ("ttl", "trig", "rdfxml", "jsonld")
CHUNK_BYTES = 256 << 10

_UNREAD = "; the rest of the file was not read"


def read_rdf(
    stream: BinaryIO,
    name: str,
    file: int,
    bad_lines: BadLines,
    *,
    rdf_format: str,
    parser: ParserProcess,
    prefixes: dict[str, str] | None = None,
) -> Iterator[TripleBlock]:
    """Read a file in one of RDF_FORMATS up to its end or its first fault, which is noted with its line.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the fault, and by statements with a triple term in a triple term.
        rdf_format: one of RDF_FORMATS.
        parser: with the settings; where its base IRI is empty, a relative IRI is a fault.
        prefixes: grows by the prefixes that the file declares, with their namespaces.

    Raises:
        InputSyntaxError: the stream cannot be read.
        ConfigError: the base IRI is not an absolute IRI, or a local context cannot be used.
    """
    config = parser.config
    if config.base_iri:
        check_base_iri(config.base_iri)
    contexts = LocalContexts(config.context, config.max_json_mb)
    statements = _StatementReader(name, file, bad_lines, config)
    try:
        for found in parser.parse(_guarded(stream, rdf_format, config, contexts), rdf_format):
            if isinstance(found, ParserFault):
                bad_lines.add(name, *_with_advice(found, contexts))
            elif isinstance(found, DeclaredPrefixes):
                join_prefixes({} if prefixes is None else prefixes, found.prefixes.items())
            else:
                yield statements.block(found)
    except RefusedFileError as error:
        bad_lines.add(name, error.line, f"{error}{_UNREAD}")


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


def _guarded(
    stream: BinaryIO, rdf_format: str, config: BuildConfig, contexts: LocalContexts
) -> Iterator[bytes]:
    """Yield the bytes of a file, none of them before it was looked at."""
    if rdf_format == "jsonld":
        document = contexts.put_in(read_json(stream, max_mb=config.max_json_mb, max_depth=config.max_json_depth))
        yield from (document[place : place + CHUNK_BYTES] for place in range(0, len(document), CHUNK_BYTES))
        return
    is_xml = rdf_format == "rdfxml"
    guard = XmlGuard(config.max_depth) if is_xml else turtle_nesting(config.max_depth, config.max_term_depth)
    while chunk := cast(io.BufferedReader, stream).read1(CHUNK_BYTES):
        guard.check(chunk)
        yield chunk


class _StatementReader:
    """Makes blocks of triples of the statements of one file.

    Args:
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the statements with a triple term in a triple term.
        config: leniency and limits.
    """

    def __init__(self, name: str, file: int, bad_lines: BadLines, config: BuildConfig) -> None:
        self._name = name
        self._file = file
        self._bad_lines = bad_lines
        self._names = BlankNames(file, numbered=True)
        self._parser = LineParser(self._names, pyoxigraph.RdfFormat.N_QUADS, config, bad_lines, are_checked=True)
        self._num_read = 0

    def block(self, found: ParsedStatements) -> TripleBlock:
        """Return the triples of the next statements, each with the line of its statement."""
        text, lines = found.text, found.lines
        rows, rest = scan_block(LineBlock(text, 1, len(lines)), self._file, self._names, with_graph=True)
        others = BlockBuilder(self._file)
        for start, end, statement in rest.tolist():
            try:
                keys = self._parser.keys(text[start:end].tobytes())
            except ValueError as error:
                reason = f"statement {self._num_read + statement}: {error}"
                self._bad_lines.add(self._name, int(lines[statement - 1]), reason)
            else:
                for triple in keys:
                    others.add(triple[:3], statement, qualifiers=triple.graph)
        self._num_read += len(lines)
        joined = join_blocks(rows, others.build())
        return replace(joined, line=lines[joined.line - 1])


def _with_advice(fault: ParserFault, contexts: LocalContexts) -> ParserFault:
    """Return a fault that tells what the user can do about it."""
    reason = fault.reason.removesuffix(_UNREAD)
    if "LoadDocumentCallback" in reason:
        for url, line in contexts.missing.items():
            found = f"found the context {url} at another address, where nothing is fetched"
            return ParserFault(line, f"{found}; --context {url}=FILE reads a local copy{_UNREAD}")
        for url, line in contexts.imported.items():
            found = f'found the context {url} under "@import", which is not followed'
            return ParserFault(line, f'{found}; "@context": ["{url}", ...] and --context read a local copy{_UNREAD}')
    if "Only UTF-8 is supported" in reason:
        found = "found an XML declaration of another encoding than UTF-8"
        return ParserFault(fault.line, f"{found}; --encoding names it{_UNREAD}")
    if "No scheme found in an absolute IRI" in reason:
        return ParserFault(fault.line, f"{reason}; relative IRIs need --base-iri{_UNREAD}")
    return fault
