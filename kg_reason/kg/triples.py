"""Triples with their sources, one by one and in columnar blocks, and the keys that name their terms.

A term key is a string in one namespace: an IRI is its characters without brackets; a blank node is `_:` and a name; a
literal is its canonical N-Triples form, which starts with `"`; a cell of a delimited file is its own text. The readers
(`ntriples.py`, `rdf.py`, `delimited.py`) make blocks; turning keys into ids is the builder's job.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.errors import InputSyntaxError
from kg_reason.kg.curies import RDFS, SKOS, XSD

XSD_STRING = XSD + "string"
LABEL_RELATION = RDFS + "label"
FURTHER_LABEL_RELATION = SKOS + "altLabel"
ROWS_PER_BLOCK = 200_000

_SHORT_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_ESCAPES = {ord(character): escape for character, escape in _SHORT_ESCAPES.items()}
_ESCAPES |= {code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F, 0xFFFE, 0xFFFF) if code not in _ESCAPES}
_UNESCAPES = {escape[1]: character for character, escape in _SHORT_ESCAPES.items()} | {"'": "'"}
_ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_LITERAL = re.compile(r'"((?:[^"\\]++|\\.)*+)"(?:@([A-Za-z0-9-]+)|\^\^<([^>]*)>)?', re.DOTALL)


class Source(NamedTuple):
    """Where a triple was read: the file as the user named it, and the line counted from 1.

    In JSON-LD `line` is the number of the statement in the file; it is 0 at an endpoint, which has neither.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Triple(NamedTuple):
    """One statement as written in a file: three term keys, their source, and what a delimited file adds.

    Attributes:
        weight: an edge weight or, in a row that names an entity, the prior of the alias. 1.0 also where none is given.
        rank: sense rank of the alias, 1 the most usual; 0 where none is given.
        language: language tag of the alias in lower case; empty where none is given.
        pos: part of speech of the alias, one of n, v, a, r; empty where none is given.
    """

    head: str
    relation: str
    tail: str
    source: Source
    weight: float = 1.0
    rank: int = 0
    language: str = ""
    pos: str = ""


@dataclass(frozen=True)
class AliasColumns:
    """What the optional columns of a delimited file say about each of the n rows of a block.

    Attributes:
        weight: float32 [n], NaN where not given.
        rank: int32 [n], 0 where not given.
        language: n language tags in lower case, empty where not given.
        pos: uint8 [n], the character code of n, v, a or r; 0 where not given.
    """

    weight: NDArray[np.float32]
    rank: NDArray[np.int32]
    language: list[str]
    pos: NDArray[np.uint8]


@dataclass(frozen=True)
class TripleBlock:
    """Some hundred thousand triples of one file, in columns, ready to be interned.

    Attributes:
        buffer: uint8 [num_bytes], UTF-8 text that holds every term key of the block.
        head: int64 [n, 2], start and end of each head's key in the buffer; so are `relation` and `tail`.
        line: int64 [n], line or statement number counted from 1, ascending.
        file: position in the list of inputs.
        columns: None where the input has no optional columns.
        qualifiers: int64 [n, 2], start and end in the buffer of what qualifies each statement (`qualifiers.py`), empty
            spans where nothing does; None where no statement of the block has any.
    """

    buffer: NDArray[np.uint8]
    head: NDArray[np.int64]
    relation: NDArray[np.int64]
    tail: NDArray[np.int64]
    line: NDArray[np.int64]
    file: int
    columns: AliasColumns | None = None
    qualifiers: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.line)

    def triples(self, file_name: str) -> Iterator[Triple]:
        """Yield the triples of the block one by one, for readers that do not need speed."""
        text = self.buffer.tobytes()
        spans = (self.head.tolist(), self.relation.tolist(), self.tail.tolist())
        for row, (head, relation, tail) in enumerate(zip(*spans, strict=True)):
            keys = [text[start:end].decode() for start, end in (head, relation, tail)]
            source = Source(file_name, int(self.line[row]))
            if self.columns is None:
                yield Triple(keys[0], keys[1], keys[2], source)
                continue
            weight = float(self.columns.weight[row])
            pos = int(self.columns.pos[row])
            yield Triple(
                keys[0], keys[1], keys[2], source,
                weight=1.0 if np.isnan(weight) else weight,
                rank=int(self.columns.rank[row]),
                language=self.columns.language[row],
                pos=chr(pos) if pos else "",
            )


class LiteralParts(NamedTuple):
    """The text of a literal, its language tag and its datatype; empty where it has none."""

    text: str
    language: str
    datatype: str


def literal_key(text: str, language: str = "", datatype: str = "") -> str:
    """Return the canonical N-Triples form of a literal; a language tag is lowered, xsd:string is left out.

    Raises:
        ValueError: both a language and a datatype are given.
    """
    if language and datatype:
        raise ValueError("a literal has a language or a datatype, not both")
    is_plain = text.isprintable() and '"' not in text and "\\" not in text  # as nearly all are; it takes no time
    quoted = f'"{text}"' if is_plain else f'"{text.translate(_ESCAPES)}"'
    if language:
        return f"{quoted}@{language.lower()}"
    if datatype and datatype != XSD_STRING:
        return f"{quoted}^^<{datatype}>"
    return quoted


def literal_parts(key: str) -> LiteralParts:
    """Take the key of a literal apart; any other key is its own text.

    >>> literal_parts('"violon"@fr')
    LiteralParts(text='violon', language='fr', datatype='')
    """
    match = _LITERAL.fullmatch(key) if key.startswith('"') else None
    if match is None:
        return LiteralParts(key, "", "")
    text = match[1] if "\\" not in match[1] else _ESCAPED.sub(_unescape, match[1])
    return LiteralParts(text, match[2] or "", match[3] or "")


def term_text(key: str) -> str:
    """Return the text of a literal without quotes and escapes, or the key itself."""
    return literal_parts(key).text


def cell_key(text: str) -> str:
    """Return the key of a delimited file's cell: its text, as a literal where it would read as another kind of term.

    Args:
        text: without white space at its ends.
    """
    return literal_key(text) if text.startswith(('"', "_:", "<<(")) else text


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if not code:
        return _UNESCAPES.get(match[3], match[0])
    return chr(int(code, 16)) if int(code, 16) <= sys.maxunicode else match[0]


class BlockBuilder:
    """Collects rows that are found one by one into a TripleBlock.

    Args:
        file: position in the list of inputs.
        with_columns: whether the block gets AliasColumns.
    """

    def __init__(self, file: int, *, with_columns: bool = False) -> None:
        self._file = file
        self._with_columns = with_columns
        self._text = bytearray()
        self._ends = array("q")
        self._line = array("q")
        self._columns: list[tuple[float, int, str, int]] = []
        self._qualifiers = bytearray()
        self._qualified = array("q")  # row, start and end of its qualifiers, and again

    def __len__(self) -> int:
        return len(self._line)

    def add(
        self,
        keys: tuple[bytes, bytes, bytes],
        line: int,
        columns: tuple[float, int, str, int] | None = None,
        qualifiers: bytes = b"",
    ) -> None:
        """Add one row: head, relation and tail; its line; weight, rank, language and part of speech; its qualifiers."""
        for key in keys:
            self._text += key
            self._ends.append(len(self._text))
        if qualifiers:
            start = len(self._qualifiers)
            self._qualifiers += qualifiers
            self._qualified.extend((len(self._line), start, len(self._qualifiers)))
        self._line.append(line)
        if self._with_columns:
            self._columns.append(columns or (np.nan, 0, "", 0))

    def build(self) -> TripleBlock:
        """Return the rows as a block."""
        ends = np.array(self._ends, dtype=np.int64)
        starts = np.concatenate([np.zeros(1, dtype=np.int64), ends])[:-1]
        spans = np.stack([starts, ends], axis=1).reshape(-1, 3, 2)  # [n, head relation tail, start end]
        head, relation, tail = (np.ascontiguousarray(spans[:, position]) for position in range(3))
        buffer = np.frombuffer(bytes(self._text + self._qualifiers), dtype=np.uint8)
        columns, qualifiers = None, None
        if self._with_columns:
            weight, rank, language, pos = zip(*self._columns, strict=True) if self._columns else ((), (), (), ())
            columns = AliasColumns(
                np.array(weight, dtype=np.float32), np.array(rank, dtype=np.int32),
                list(language), np.array(pos, dtype=np.uint8),
            )
        line = np.array(self._line, dtype=np.int64)
        if self._qualified:
            qualified = np.array(self._qualified, dtype=np.int64).reshape(-1, 3)
            qualifiers = np.zeros((len(line), 2), dtype=np.int64)
            qualifiers[qualified[:, 0]] = qualified[:, 1:] + len(self._text)
        return TripleBlock(buffer, head, relation, tail, line, self._file, columns, qualifiers)


def join_blocks(block: TripleBlock, other: TripleBlock) -> TripleBlock:
    """Return the rows of two blocks of one file as one block, in the order of their lines."""
    if not len(other):
        return block
    shift = len(block.buffer)
    line = np.concatenate([block.line, other.line])
    order = np.argsort(line, kind="stable")
    columns = None
    if block.columns is not None and other.columns is not None:
        language = block.columns.language + other.columns.language
        columns = AliasColumns(
            np.concatenate([block.columns.weight, other.columns.weight])[order],
            np.concatenate([block.columns.rank, other.columns.rank])[order],
            [language[row] for row in order.tolist()],
            np.concatenate([block.columns.pos, other.columns.pos])[order],
        )
    qualifiers = None
    if block.qualifiers is not None or other.qualifiers is not None:
        qualifiers = np.concatenate([_qualifier_spans(block), _qualifier_spans(other) + shift])[order]
    return TripleBlock(
        np.concatenate([block.buffer, other.buffer]),
        np.concatenate([block.head, other.head + shift])[order],
        np.concatenate([block.relation, other.relation + shift])[order],
        np.concatenate([block.tail, other.tail + shift])[order],
        line[order], block.file, columns, qualifiers,
    )


def _qualifier_spans(block: TripleBlock) -> NDArray[np.int64]:
    return np.zeros((len(block), 2), dtype=np.int64) if block.qualifiers is None else block.qualifiers


def select_rows(block: TripleBlock, rows: NDArray[np.int64]) -> TripleBlock:
    """Return a block of the given rows [m] of another, in their order."""
    columns = block.columns
    if columns is not None:
        language = [columns.language[row] for row in rows.tolist()]
        columns = AliasColumns(columns.weight[rows], columns.rank[rows], language, columns.pos[rows])
    qualifiers = None if block.qualifiers is None else block.qualifiers[rows]
    return TripleBlock(
        block.buffer, block.head[rows], block.relation[rows], block.tail[rows], block.line[rows], block.file, columns,
        qualifiers,
    )


def triples_to_blocks(triples: Iterable[Triple], files: list[str] | None = None) -> Iterator[TripleBlock]:
    """Gather triples into blocks; all triples of one block come from one file.

    Args:
        triples: in any order. A weight of 1.0 counts as not given, as in `Triple`.
        files: grows by the name of every file as it first appears; `block.file` is the position in it.

    Raises:
        InputSyntaxError: a head, relation or tail is empty or holds half a surrogate pair.
    """
    files = [] if files is None else files
    numbers = {name: number for number, name in enumerate(files)}
    builders: dict[int, BlockBuilder] = {}
    num_rows = 0
    for triple in triples:
        name = triple.source.file
        if name not in numbers:
            numbers[name] = len(files)
            files.append(name)
        builder = builders.setdefault(numbers[name], BlockBuilder(numbers[name], with_columns=True))
        weight = np.nan if triple.weight == 1.0 else triple.weight
        pos = ord(triple.pos) if triple.pos else 0
        builder.add(_encode(triple), triple.source.line, (weight, triple.rank, triple.language.lower(), pos))
        num_rows += 1
        if num_rows == ROWS_PER_BLOCK:
            yield from (builder.build() for builder in builders.values())
            builders, num_rows = {}, 0
    yield from (builder.build() for builder in builders.values())


def _encode(triple: Triple) -> tuple[bytes, bytes, bytes]:
    keys = []
    for part, key in zip(("head", "relation", "tail"), triple[:3], strict=True):
        if not key:
            raise InputSyntaxError(*triple.source, f"expected a {part}, found an empty text")
        try:
            keys.append(key.encode())
        except UnicodeEncodeError as error:
            raise InputSyntaxError(*triple.source, f"expected Unicode text as {part}, found {error.reason}") from error
    return keys[0], keys[1], keys[2]
