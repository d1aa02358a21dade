"""N-Triples and N-Quads: the compiled scan for plain lines, pyoxigraph for every line that is not plain.

So the results are those of the conforming parser, line by line, and a line that it refuses does not spoil its
neighbours. The graph that a statement of N-Quads stands in is its source, where an IRI names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
import pyoxigraph
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.compiled import HAS_COMPILER
from kg_reason.kg.inputs import LineBlock, line_blocks
from kg_reason.kg.nesting import turtle_nesting
from kg_reason.kg.ntriples_scan import ScannedLines, scan_lines
from kg_reason.kg.parser_child import check_kept_iris, memory_reason, syntax_reason
from kg_reason.kg.triple_terms import triple_term_key
from kg_reason.kg.triples import BlockBuilder, TripleBlock, join_blocks

_INVENTED = re.compile(r"[0-9a-f]{25,32}")  # 128 bits without leading zeros


class BlankNames:
    """Names for the blank nodes of one file: the same in every run, and unlike those of any other file.

    Nodes with a label in the file keep it; nodes without one are numbered as they appear.

    Args:
        file: position in the list of inputs.
        numbered: also number the labels that look like those pyoxigraph invents, in syntaxes that have unnamed nodes.
    """

    def __init__(self, file: int, *, numbered: bool = False) -> None:
        self.prefix = f"_:f{file + 1}_".encode()
        self.numbered = numbered
        self._numbered_prefix = f"_:f{file + 1}-"
        self._numbers: dict[str, int] = {}

    def key(self, label: str) -> bytes:
        """Return the term key of the node with this label."""
        if self.numbered and _INVENTED.fullmatch(label):
            return f"{self._numbered_prefix}{self._numbers.setdefault(label, len(self._numbers) + 1)}".encode()
        return self.prefix + label.encode()


class StatementKeys(NamedTuple):
    """The term keys of a statement, and the IRI of its graph in brackets, empty where no IRI names one."""

    head: bytes
    relation: bytes
    tail: bytes
    graph: bytes


def statement_keys(statement: pyoxigraph.Triple | pyoxigraph.Quad, names: BlankNames) -> StatementKeys:
    """Return the term keys of head, relation and tail of a parsed statement, and its graph.

    Raises:
        ValueError: its object is a triple term that holds another.
    """
    tail = statement.object
    if isinstance(tail, pyoxigraph.Triple):
        parts = (_term_key(term, names).decode() for term in (tail.subject, tail.predicate, tail.object))
        key = triple_term_key(*parts).encode()
    else:
        key = _term_key(tail, names)
    graph = statement.graph_name if isinstance(statement, pyoxigraph.Quad) else None
    name = str(graph).encode() if isinstance(graph, pyoxigraph.NamedNode) else b""
    return StatementKeys(_term_key(statement.subject, names), _term_key(statement.predicate, names), key, name)


def _term_key(term: object, names: BlankNames) -> bytes:
    if isinstance(term, pyoxigraph.NamedNode):
        return term.value.encode()
    if isinstance(term, pyoxigraph.Literal):
        return str(term).encode()
    if isinstance(term, pyoxigraph.BlankNode):
        return names.key(term.value)
    raise ValueError("found a triple term in a triple term, expected an IRI, a blank node or a literal in it")


class LineParser:
    """Parses by pyoxigraph, one by one, the lines that are not plain, in this process.

    N-Triples nest in one way only, by triple terms, whose depth is checked before; so no line can end the process.

    Args:
        names: for blank nodes.
        rdf_format: N-Triples or N-Quads.
        config: leniency and limits.
        bad_lines: counts the lines that were kept in spite of IRIs that are not valid.
        are_checked: whether a parser wrote the lines; then IRIs stay as it took them, for a name of Turtle may have
            characters that an IRI may not.
    """

    def __init__(
        self,
        names: BlankNames,
        rdf_format: pyoxigraph.RdfFormat,
        config: BuildConfig,
        bad_lines: BadLines,
        *,
        are_checked: bool = False,
    ) -> None:
        self._names = names
        self._format = rdf_format
        self._config = config
        self._bad_lines = bad_lines
        self._are_checked = are_checked

    def keys(self, line: bytes) -> list[StatementKeys]:
        """Return the keys of the statements of one line; usually one, none in a comment.

        Raises:
            ValueError: telling what was found and expected; then none of the line counts.
        """
        if line.count(b"<<") > self._config.max_term_depth:
            turtle_nesting(len(line), self._config.max_term_depth).check(line)
        try:
            return self._parsed(line, lenient=False)
        except SyntaxError as error:
            if not (self._config.lenient or self._are_checked):
                raise ValueError(syntax_reason(error)) from error
        try:
            kept = self._parsed(line, lenient=True)
        except SyntaxError as error:
            raise ValueError(syntax_reason(error)) from error
        self._bad_lines.num_kept += self._config.lenient and bool(kept)
        return kept

    def _parsed(self, line: bytes, *, lenient: bool) -> list[StatementKeys]:
        try:
            statements = [*pyoxigraph.parse(line, format=self._format, lenient=lenient)]
        except MemoryError as error:
            raise ValueError(memory_reason(error)) from error
        keys = [statement_keys(statement, self._names) for statement in statements]
        if lenient:
            for statement in statements:
                check_kept_iris(statement)
        return keys


def read_line_formats(
    stream: BinaryIO,
    name: str,
    file: int,
    bad_lines: BadLines,
    *,
    with_graph: bool = False,
    config: BuildConfig | None = None,
) -> Iterator[TripleBlock]:
    """Read N-Triples or N-Quads; bad lines are noted and passed over.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the lines that are not valid.
        with_graph: whether this is N-Quads.
        config: leniency and limits; None: the defaults.

    Raises:
        InputSyntaxError: the stream cannot be read, or a line is too long.
    """
    names = BlankNames(file)
    rdf_format = pyoxigraph.RdfFormat.N_QUADS if with_graph else pyoxigraph.RdfFormat.N_TRIPLES
    parser = LineParser(names, rdf_format, config or BuildConfig(), bad_lines)
    for block in line_blocks(stream, name):
        rows, rest = scan_block(block, file, names, with_graph=with_graph)
        others = BlockBuilder(file)
        for start, end, line in rest.tolist():
            try:
                keys = parser.keys(block.buffer[start:end].tobytes())
            except ValueError as error:
                bad_lines.add(name, line, str(error))
            else:
                for statement in keys:
                    others.add(statement[:3], line, qualifiers=statement.graph)
        yield join_blocks(rows, others.build())


def scan_block(
    block: LineBlock, file: int, names: BlankNames, *, with_graph: bool
) -> tuple[TripleBlock, NDArray[np.int64]]:
    """Return the plain rows of a block, and start, end and number of every other line: int64 [num_rest, 3].

    Lines with blank nodes that are to be numbered are not plain. Without a compiler no line is: pyoxigraph is faster
    than the scan in plain Python.
    """
    buffer, first_line, num_lines = block
    if not HAS_COMPILER:
        return BlockBuilder(file).build(), block.lines()
    scanned = ScannedLines(
        head=np.empty((num_lines, 2), dtype=np.int64),
        relation=np.empty((num_lines, 2), dtype=np.int64),
        tail=np.empty((num_lines, 2), dtype=np.int64),
        line=np.empty(num_lines, dtype=np.int64),
        rest=np.empty((num_lines, 3), dtype=np.int64),
        names=np.empty(len(buffer), dtype=np.uint8),
        graph=np.empty((num_lines if with_graph else 0, 2), dtype=np.int64),
    )
    prefix = np.frombuffer(bytearray(b"" if names.numbered else names.prefix), dtype=np.uint8)
    num_rows, num_rest, num_names = scan_lines(buffer, first_line, with_graph, prefix, scanned)
    if num_names:
        buffer = np.concatenate([buffer, scanned.names[:num_names]])
    head, relation, tail, line = (
        column[:num_rows] for column in (scanned.head, scanned.relation, scanned.tail, scanned.line)
    )
    graph = scanned.graph[:num_rows] if scanned.graph[:num_rows].any() else None
    return TripleBlock(buffer, head, relation, tail, line, file, qualifiers=graph), scanned.rest[:num_rest]
