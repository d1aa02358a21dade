"""ConceptNet 5 assertions: five tab-separated fields, of them a relation, two terms and a JSON object with the weight.

A term is an entity under its own URI, part of speech and sense included: `/c/en/bank/n/wn/possession` is none of the
other banks. Its label is the term's text, tagged with its language and part of speech, with the line where the term
first stands. A relation is known by its readable name: `/r/IsA` is `is a`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.compiled import HAS_COMPILER
from kg_reason.kg.conceptnet_scan import FACTS, HEAD, RELATION, TAIL, URI, ScannedAssertions, scan_assertions
from kg_reason.kg.delimited import parse_weight
from kg_reason.kg.foreign_rows import RowWriter, decoded
from kg_reason.kg.inputs import LineBlock, line_blocks
from kg_reason.kg.label_texts import wanted_languages
from kg_reason.kg.names import IRI, readable_relation, term_kind
from kg_reason.kg.terms import Bytes, Int64, TermInterner
from kg_reason.kg.triples import LABEL_RELATION, AliasColumns, BlockBuilder, TripleBlock, join_blocks, literal_key
from kg_reason.kg.words import primary_language

NUM_FIELDS = 5
_POS = {"n": ord("n"), "v": ord("v"), "a": ord("a"), "s": ord("a"), "r": ord("r")}


def read_conceptnet(
    stream: BinaryIO, name: str, file: int, bad_lines: BadLines, config: BuildConfig
) -> Iterator[TripleBlock]:
    """Read assertions; bad lines are noted and passed over.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the lines that could not be read.
        config: `languages` of the terms to read, and the `min_weight` below which an edge's terms get no label.

    Raises:
        InputSyntaxError: the stream cannot be read, or a line is too long.
    """
    reader = _AssertionReader(name, file, bad_lines, wanted_languages(config.languages))
    labels = _Labels(config.min_weight)
    for block in line_blocks(stream, name):
        yield labels.added(reader.read(block))


def relation_name(uri: str) -> str:
    """Return the readable name of a relation.

    >>> relation_name("/r/EtymologicallyDerivedFrom")
    'etymologically derived from'
    """
    return readable_relation("r:" + uri.rstrip("/").rpartition("/")[2])


class _AssertionReader:
    """Turns the lines of one file into edges: plain lines many at once, the others one by one.

    Args:
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the lines that could not be read.
        languages: of the terms to read; empty: any.
    """

    def __init__(self, name: str, file: int, bad_lines: BadLines, languages: frozenset[str]) -> None:
        self._rows = RowWriter(name, file, bad_lines)
        self._file = file
        self._languages = languages
        self._names: dict[str, str] = {}  # of relations

    def read(self, block: LineBlock) -> TripleBlock:
        """Return the edges of the next lines."""
        plain, rest = self._scan(block)
        for start, end, line in rest.tolist():
            self._read_line(block.buffer[start:end].tobytes(), line)
        return join_blocks(plain, self._rows.take())

    def _scan(self, block: LineBlock) -> tuple[TripleBlock, Int64]:
        """Return the edges of the plain lines, and start, end and number of every other line: int64 [num_rest, 3]."""
        buffer, first_line, num_lines = block
        if not HAS_COMPILER or self._languages or not _is_utf8(buffer):
            return BlockBuilder(self._file, with_columns=True).build(), block.lines()
        scanned = ScannedAssertions(
            spans=np.empty((num_lines, 5, 2), dtype=np.int64),
            line=np.empty(num_lines, dtype=np.int64),
            rest=np.empty((num_lines, 3), dtype=np.int64),
        )
        num_plain, num_rest = scan_assertions(buffer, first_line, scanned)
        spans, line, rest = scanned.spans[:num_plain], scanned.line[:num_plain], scanned.rest[:num_rest]
        weight = _weights(buffer, np.ascontiguousarray(spans[:, FACTS]))
        faulty, sound = np.flatnonzero(np.isnan(weight)), np.flatnonzero(~np.isnan(weight))
        if len(faulty):
            whole_lines = np.stack([spans[faulty, URI, 0], spans[faulty, FACTS, 1], line[faulty]], axis=1)
            rest = np.concatenate([rest, whole_lines])
            rest = rest[np.argsort(rest[:, 2], kind="stable")]
        return self._edges(buffer, spans[sound], line[sound], weight[sound]), rest

    def _edges(self, buffer: Bytes, spans: Int64, line: Int64, weight: NDArray[np.float64]) -> TripleBlock:
        """Return edges whose relations have their readable names."""
        uris = TermInterner()
        relation = uris.intern(buffer, np.ascontiguousarray(spans[:, RELATION]))
        names = [relation_name(uris.key(number)).encode() for number in range(uris.num_terms)]
        ends = len(buffer) + np.cumsum([0, *map(len, names)], dtype=np.int64)
        name_spans = np.stack([ends[:-1], ends[1:]], axis=1)
        columns = AliasColumns(
            weight.astype(np.float32), np.zeros(len(line), dtype=np.int32), [""] * len(line),
            np.zeros(len(line), dtype=np.uint8),
        )  # fmt: skip
        return TripleBlock(
            np.concatenate([buffer, np.frombuffer(b"".join(names), dtype=np.uint8)]),
            np.ascontiguousarray(spans[:, HEAD]), name_spans[relation], np.ascontiguousarray(spans[:, TAIL]),
            line, self._file, columns,
        )  # fmt: skip

    def _read_line(self, data: bytes, line: int) -> None:
        """Add the edge of one line, or note what is wrong with it."""
        try:
            text = decoded(data).removesuffix("\r")
            if not text.strip():
                return
            relation, head, tail, weight = _parse(text)
            if self._languages and not all(_is_wanted(term, self._languages) for term in (head, tail)):
                return
            if relation not in self._names:
                self._names[relation] = relation_name(relation)
            self._rows.edge(head, self._names[relation], tail, line, weight)
        except ValueError as error:
            self._rows.refuse(line, str(error))


def _is_utf8(buffer: Bytes) -> bool:
    try:
        str(buffer.data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _weights(buffer: Bytes, spans: Int64) -> NDArray[np.float64]:
    """Return the weights that the last fields of lines give, NaN where one cannot be read; equal ones are read once."""
    facts = TermInterner()
    numbers = facts.intern(buffer, spans)
    found = np.full(facts.num_terms, math.nan)
    for number in range(facts.num_terms):
        with suppress(ValueError):
            found[number] = _weight(facts.key(number))
    return found[numbers]


def _parse(text: str) -> tuple[str, str, str, float]:
    """Return relation, head, tail and weight of a line."""
    cells = text.split("\t")
    if len(cells) != NUM_FIELDS:
        raise ValueError(f"expected {NUM_FIELDS} tab-separated fields, found {len(cells)}")
    relation, head, tail = (cell.strip() for cell in cells[1:4])
    if not relation.startswith("/r/") or not relation[3:].strip("/"):
        raise ValueError(f"expected a relation such as /r/IsA, found {relation!r}")
    for term, part in ((head, "head"), (tail, "tail")):
        is_term = term.startswith("/c/") and all(_term_parts(term))
        if not is_term and (part == "head" or term_kind(term) != IRI):
            raise ValueError(f"expected a {part} such as /c/en/violin, found {term!r}")
    return relation, head, tail, _weight(cells[4])


def _weight(text: str) -> float:
    """Return the weight that the last field of a line gives, 1 where it gives none."""
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected a JSON object as the last field: {error}") from error
    if not isinstance(facts, dict):
        raise ValueError(f"expected a JSON object as the last field, found {text[:40]!r}")
    return parse_weight(str(facts.get("weight", 1.0)))


def _term_parts(term: str) -> tuple[str, str]:
    """Return language and text of a term."""
    parts = term.split("/", 4)
    return parts[2], parts[3].replace("_", " ").strip() if len(parts) > 3 else ""


def _is_wanted(term: str, languages: frozenset[str]) -> bool:
    """Tell whether a term is in one of the languages; an address outside ConceptNet is in none and stays."""
    language = _term_parts(term)[0].lower() if term.startswith("/c/") else ""
    return not language or language in languages or primary_language(language) in languages


class _Labels:
    """Adds a label for every term of a block that has not had one."""

    def __init__(self, min_weight: float) -> None:
        self._seen = TermInterner()  # compact: a whole ConceptNet has 28 million terms
        self._min_weight = min_weight

    def added(self, block: TripleBlock) -> TripleBlock:
        """Return a block with the labels of its terms, save those that stand only in edges of too low a weight."""
        if not len(block) or block.columns is None:
            return block
        stays = np.flatnonzero(block.columns.weight >= self._min_weight)
        spans: Int64 = np.stack([block.head[stays], block.tail[stays]], axis=1).reshape(-1, 2)  # line by line
        num_before = self._seen.num_terms
        terms = self._seen.intern(block.buffer, spans)
        unseen = np.flatnonzero(terms >= num_before)
        places = unseen[np.unique(terms[unseen], return_index=True)[1]]
        return join_blocks(block, _label_rows(block, spans[places], np.repeat(block.line[stays], 2)[places]))


def _label_rows(block: TripleBlock, spans: Int64, line: Int64) -> TripleBlock:
    """Return a label for each of some terms of a block, by their places [n, 2] in its buffer, with their lines [n]."""
    data = block.buffer.tobytes()
    keys = [data[start:end] for start, end in spans.tolist()]
    kept = [row for row, key in enumerate(keys) if key.startswith(b"/c/")]
    texts, languages, pos = [LABEL_RELATION.encode()], list[str](), bytearray()
    for row in kept:
        _, _, language, text, *marks = keys[row].decode().split("/", 5)
        texts += (keys[row], literal_key(text.replace("_", " ").strip()).encode())
        languages.append(language.lower())
        pos.append(_POS.get(marks[0], 0) if marks else 0)
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    every = np.stack([ends[:-1], ends[1:]], axis=1)
    num_rows = len(kept)
    columns = AliasColumns(
        np.full(num_rows, np.nan, dtype=np.float32), np.zeros(num_rows, dtype=np.int32), languages,
        np.frombuffer(bytes(pos), dtype=np.uint8),
    )  # fmt: skip
    buffer = np.frombuffer(b"".join(texts), dtype=np.uint8)
    relation = np.repeat(every[:1], num_rows, axis=0)
    return TripleBlock(buffer, every[1::2], relation, every[2::2], line[kept], block.file, columns)
