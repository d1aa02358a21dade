"""TSV and CSV: rows of head, relation and tail, with optional weight, rank, language and part of speech.

A compiled scan takes plain lines; every line that it cannot vouch for goes through `RowReader`, which tells what is
wrong with it. A cell is its text without white space at its ends. TSV knows no quotes. CSV is read plain up to its
first quote and by Python's csv module from there. Triples and noted lines together are the lines of the file, header,
blank lines and rows of empty cells apart.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.compiled import HAS_COMPILER
from kg_reason.kg.csv_records import read_quoted
from kg_reason.kg.delimited_scan import HEAD, LANGUAGE, NONE, POS, RANK, RELATION, TAIL, WEIGHT, ScannedRows, scan_rows
from kg_reason.kg.inputs import LineBlock, line_blocks
from kg_reason.kg.qualifiers import (
    VALID_FROM,
    VALID_UNTIL,
    Qualifiers,
    add_cell_sets,
    statement_text,
    weight_number,
)
from kg_reason.kg.table_layout import FIRST_QUALIFIER, OTHER_DELIMITERS, WITHOUT_RELATION, Layout, read_layout
from kg_reason.kg.triples import AliasColumns, BlockBuilder, TripleBlock, cell_key, join_blocks
from kg_reason.kg.validity import Validity

logger = logging.getLogger(__name__)

_DELIMITER_NAMES = {"\t": "tab", ",": "comma", ";": "semicolon", " ": "space"}
_POS = {"n": ord("n"), "v": ord("v"), "a": ord("a"), "s": ord("a"), "r": ord("r"), "": 0}
_LANGUAGE = re.compile(r"(?:[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)?")
_NAMES_OF_A_HEADER = "a header is known by its names: --head-column, --relation-column and --tail-column tell yours"
_AS_CSV = "--input-format csv --delimiter tab"
_MAX_RANK = 2**31 - 1


def read_delimited(
    stream: BinaryIO, name: str, file: int, bad_lines: BadLines, *, config: BuildConfig, quoted: bool
) -> Iterator[TripleBlock]:
    """Read a delimited file; bad lines are noted and passed over.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the lines that could not be read.
        config: delimiter, header and column names, and the relation of tables without one.
        quoted: whether this is CSV, with quotes, or TSV, without.

    Raises:
        InputSyntaxError: the stream cannot be read, or the header lacks a column.
        ConfigError: the delimiter is not one ASCII character, or `as_of` no day.
    """
    validity = Validity(config)
    blocks = line_blocks(stream, name)
    first, layout = read_layout(blocks, name, config=config, quoted=quoted)
    if first and not quoted and _is_in_quotes(first[0], layout.delimiter):
        logger.warning("%s: cells stand in quotes, which are kept; %s reads them as CSV", name, _AS_CSV)
    blocks = chain(first, blocks)
    yield from _read_rows(blocks, RowReader(layout, name, file, bad_lines, validity), file, quoted=quoted)
    validity.tell(name)


def _is_in_quotes(block: LineBlock, delimiter: str) -> bool:
    """Tell whether every cell of the first row stands in quotes."""
    line = block.buffer.tobytes().partition(b"\n")[0].decode(errors="replace")
    return all(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in map(str.strip, line.split(delimiter)))


def _read_rows(blocks: Iterator[LineBlock], reader: RowReader, file: int, *, quoted: bool) -> Iterator[TripleBlock]:
    """Read the lines after the header, plain up to the first quote of a CSV file."""
    layout = reader.layout
    for block in blocks:
        if quoted and bool((block.buffer == ord('"')).any()):
            yield from read_quoted(chain([block], blocks), reader, layout.delimiter)
            return
        rows, rest = _scan(block, layout, file)
        if reader.validity is not None and reader.is_bounded:
            rows, unclear = reader.validity.holding(rows)
            rest = np.concatenate([rest, block.lines()[unclear - block.first_line]])
            rest = rest[np.argsort(rest[:, 2], kind="stable")]
        for start, end, line in rest.tolist():
            text = reader.decode(block.buffer[start:end].tobytes(), line)
            if text is not None and text.strip(" \r"):
                reader.add(text.split(layout.delimiter), line)
        yield join_blocks(rows, reader.take())


def parse_weight(text: str, *, decimal_comma: bool = False) -> float:
    """Return a weight, in which a comma may stand for the point; a ValueError tells what was expected."""
    has_other_sign = decimal_comma and "." in text
    weight = math.nan if has_other_sign else weight_number(text, decimal_comma=decimal_comma)
    if math.isnan(weight):
        half = "0,5" if decimal_comma else "0.5"
        share = f", a percentage; write {half} for 50 %" if text.strip().endswith("%") else ""
        comma = ", with a comma; write 0.5, or --decimal-comma for a whole table" if "," in text else ""
        sign = ", with a dot; write 0,5" if has_other_sign else "" if decimal_comma else comma
        raise ValueError(f"expected a weight, a number not below 0, found {text!r}{share}{sign}")
    return weight


def _scan(block: LineBlock, layout: Layout, file: int) -> tuple[TripleBlock, NDArray[np.int64]]:
    """Return the plain rows of a block, and start, end and number of every other line: int64 [num_rest, 3]."""
    buffer, first_line, num_lines = block
    if not HAS_COMPILER or layout.decimal_comma:
        return BlockBuilder(file, with_columns=layout.has_columns).build(), block.lines()
    num_optional = num_lines if layout.has_columns else 0
    scanned = ScannedRows(
        head=np.empty((num_lines, 2), dtype=np.int64),
        relation=np.empty((num_lines, 2), dtype=np.int64),
        tail=np.empty((num_lines, 2), dtype=np.int64),
        line=np.empty(num_lines, dtype=np.int64),
        rest=np.empty((num_lines, 3), dtype=np.int64),
        weight=np.full(num_optional, np.nan, dtype=np.float32),
        rank=np.zeros(num_optional, dtype=np.int32),
        language=np.zeros((num_optional, 2), dtype=np.int64),
        pos=np.zeros(num_optional, dtype=np.uint8),
        qualifiers=np.zeros((num_lines if layout.qualifiers else 0, len(layout.qualifiers), 2), dtype=np.int64),
        bounds=np.zeros((2, len(layout.fields)), dtype=np.int64),
    )
    fields = np.array(layout.fields, dtype=np.int64)
    num_rows, num_rest = scan_rows(buffer, first_line, ord(layout.delimiter), fields, scanned)
    columns = None
    if layout.has_columns:
        language = _languages(buffer, scanned.language[:num_rows])
        columns = AliasColumns(scanned.weight[:num_rows], scanned.rank[:num_rows], language, scanned.pos[:num_rows])
    head, relation, tail, line = (
        column[:num_rows] for column in (scanned.head, scanned.relation, scanned.tail, scanned.line)
    )
    if layout.relation:
        key = np.frombuffer(cell_key(layout.relation).encode(), dtype=np.uint8)
        relation[:] = len(buffer), len(buffer) + len(key)
        buffer = np.concatenate([buffer, key])
    sets = None
    if scanned.qualifiers[:num_rows].any():
        buffer, sets = add_cell_sets(buffer, scanned.qualifiers[:num_rows], layout.qualifiers)
    return TripleBlock(buffer, head, relation, tail, line, file, columns, sets), scanned.rest[:num_rest]


def _languages(buffer: NDArray[np.uint8], spans: NDArray[np.int64]) -> list[str]:
    """Return the texts of spans [n, 2], of which few differ."""
    if not spans.any():
        return [""] * len(spans)
    text = buffer.tobytes()
    tags: dict[bytes, str] = {}
    cells = (text[start:end] for start, end in spans.tolist())
    return [tags.get(cell) or tags.setdefault(cell, cell.decode().lower()) for cell in cells]


class RowReader:
    """Turns the cells of one line after the other into rows, or into a bad line that tells what is wrong.

    Args:
        layout: what each field is.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the lines that could not be read.
        validity: which rows to leave out by their dates; None: none.
    """

    def __init__(
        self, layout: Layout, name: str, file: int, bad_lines: BadLines, validity: Validity | None = None
    ) -> None:
        self.layout = layout
        self.validity = validity
        self._name = name
        self._file = file
        self._bad_lines = bad_lines
        self._rows = BlockBuilder(file, with_columns=layout.has_columns)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def is_bounded(self) -> bool:
        """Whether some rows may be left out by their dates."""
        return bool(self.validity) and bool({VALID_FROM, VALID_UNTIL}.intersection(self.layout.qualifiers))

    def take(self) -> TripleBlock:
        """Return the rows added since the last call."""
        rows, self._rows = self._rows, BlockBuilder(self._file, with_columns=self.layout.has_columns)
        return rows.build()

    def decode(self, line: bytes, number: int) -> str | None:
        """Return the text of a line; None, and noted as a bad line, if it is not UTF-8."""
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            self.refuse(number, f"column {error.start + 1}: expected UTF-8 text, found byte 0x{line[error.start]:02X}")
            return None

    def refuse(self, line: int, reason: str) -> None:
        """Note a bad line."""
        self._bad_lines.add(self._name, line, reason)

    def add(self, cells: list[str], line: int) -> None:
        """Add the row that the cells of a line make, or note what is wrong with them; empty cells make none."""
        if not any(cell.strip() for cell in cells):
            return
        try:
            keys, columns, qualifiers = self._parse(cells)
            first = min(qualifiers.get(VALID_FROM, ()), default="")
            last = max(qualifiers.get(VALID_UNTIL, ()), default="")
            holds = self.validity is None or self.validity.holds(first, last)
            text = statement_text(qualifiers).encode()
        except ValueError as error:
            self.refuse(line, str(error) + self._advice(cells, line))
        else:
            if holds:
                self._rows.add(keys, line, columns, text)

    def _advice(self, cells: list[str], line: int) -> str:
        """Return what may have gone wrong with the whole file, where a line has another number of fields."""
        num_wanted = len(self.layout.fields)
        if len(cells) == num_wanted:
            return ""
        is_first = line == self.layout.first_line
        text = self.layout.delimiter.join(cells)
        if "\r" in text.strip("\r"):
            return "; line ends are carriage returns, expected line feeds"
        for other in OTHER_DELIMITERS:
            num_found = text.count(other) + 1
            if len(cells) < num_wanted <= num_found and other != self.layout.delimiter:
                kind, written = _DELIMITER_NAMES.get(other, other), "tab" if other == "\t" else f"'{other}'"
                header = f"; {_NAMES_OF_A_HEADER}" if is_first and num_found > num_wanted else ""
                return f"; it has {num_found} {kind}-separated ones (--delimiter {written}){header}"
        if len(cells) == 2 and is_first:
            return f"; {WITHOUT_RELATION}"
        if len(cells) > num_wanted and is_first:
            return f"; {_NAMES_OF_A_HEADER}"
        return ""

    def _parse(self, cells: list[str]) -> tuple[tuple[bytes, bytes, bytes], tuple[float, int, str, int], Qualifiers]:
        """Return keys, optional columns and qualifiers of a row."""
        fields = self.layout.fields
        if len(cells) != len(fields):
            separator = _DELIMITER_NAMES.get(self.layout.delimiter, repr(self.layout.delimiter))
            raise ValueError(f"expected {len(fields)} {separator}-separated fields, found {len(cells)}")
        values = {field: cell.strip() for field, cell in zip(fields, cells, strict=True) if field != NONE}
        values.setdefault(RELATION, self.layout.relation)
        for field, part in ((HEAD, "head"), (RELATION, "relation"), (TAIL, "tail")):
            if not values[field]:
                raise ValueError(f"expected a {part}, found an empty field")
            if "\0" in values[field]:
                raise ValueError(f"expected a {part}, found a NUL character in it")
            if "\r" in values[field]:
                raise ValueError(f"expected a {part}, found a carriage return in it")
        head, relation, tail = (cell_key(values[field]).encode() for field in (HEAD, RELATION, TAIL))
        number = values.get(WEIGHT, "")
        weight = parse_weight(number, decimal_comma=self.layout.decimal_comma) if number else math.nan
        rank = values.get(RANK, "")
        if rank and not (rank.isascii() and rank.isdigit() and len(rank) <= 10 and 1 <= int(rank) <= _MAX_RANK):
            raise ValueError(f"expected a rank, a whole number from 1, found {rank!r}")
        pos = values.get(POS, "").lower()
        if pos not in _POS:
            raise ValueError(f"expected a part of speech n, v, a or r, found {values[POS]!r}")
        language = values.get(LANGUAGE, "")
        if not _LANGUAGE.fullmatch(language):
            raise ValueError(f"expected a language tag such as en or pt-BR, found {language!r}")
        columns = (weight, int(rank or 0), language.lower(), _POS[pos])
        return (head, relation, tail), columns, self._qualifiers(cells)

    def _qualifiers(self, cells: list[str]) -> Qualifiers:
        found: dict[str, tuple[str, ...]] = {}
        for field, cell in zip(self.layout.fields, cells, strict=True) if self.layout.qualifiers else ():
            if field >= FIRST_QUALIFIER and cell.strip():
                name = self.layout.qualifiers[field - FIRST_QUALIFIER]
                found[name] = (*found.get(name, ()), cell.strip())
        return found
