"""The records of a CSV file by Python's csv module, with their lines, one after the other.

What a record means is its taker's concern (`delimited.py`, `neo4j_csv.py`).
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from kg_reason.kg.inputs import LineBlock
from kg_reason.kg.triples import ROWS_PER_BLOCK, TripleBlock


class RecordReader(Protocol):
    """What takes in the records of a CSV file, one after the other."""

    def __len__(self) -> int:
        """Return how many rows wait to be taken."""

    def take(self) -> TripleBlock:
        """Return the rows added since the last call."""

    def decode(self, line: bytes, number: int) -> str | None:
        """Return the text of a line; None, and noted as a bad line, if it is not UTF-8."""

    def refuse(self, line: int, reason: str) -> None:
        """Note a bad line."""

    def add(self, cells: list[str], line: int) -> None:
        """Add what the cells of a record say, or note what is wrong with them."""


def read_quoted(blocks: Iterator[LineBlock], reader: RecordReader, delimiter: str) -> Iterator[TripleBlock]:
    """Read lines by the csv module; after a record that is not valid it goes on with the record's second line."""
    lines = _Lines(blocks, reader)
    while True:
        records = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter != " ")
        try:
            for cells in records:
                if any(cell.strip() for cell in cells):  # spreadsheets end in rows of empty cells
                    reader.add(cells, lines.first)
                lines.start_record()
                if len(reader) >= ROWS_PER_BLOCK:
                    yield reader.take()
        except csv.Error as error:
            reader.refuse(lines.first, f"not valid CSV: {error}{_csv_advice(error)}")
            lines.go_back()
        else:
            yield reader.take()
            return


def _csv_advice(error: csv.Error) -> str:
    is_endless = any(words in str(error) for words in ("field limit", "unexpected end of data"))
    return "; a quote is not closed" if is_endless else ""


class _Lines:
    """Iterates over the text lines of blocks; remembers those of the current record."""

    def __init__(self, blocks: Iterator[LineBlock], reader: RecordReader) -> None:
        self._lines = self._decoded(blocks, reader)
        self._again: deque[tuple[int, str]] = deque()
        self._record: list[tuple[int, str]] = []

    @property
    def first(self) -> int:
        """Number of the current record's first line."""
        return self._record[0][0]

    def start_record(self) -> None:
        """Forget the lines so far."""
        self._record = []

    def go_back(self) -> None:
        """Give the lines of the current record again, save the first."""
        self._again.extendleft(reversed(self._record[1:]))
        self._record = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._record.append(line)
        return line[1]

    @staticmethod
    def _decoded(blocks: Iterator[LineBlock], reader: RecordReader) -> Iterator[tuple[int, str]]:
        for block in blocks:
            for number, line in enumerate(block.buffer.tobytes().split(b"\n")[:-1], block.first_line):
                text = reader.decode(line, number)
                if text is not None:
                    yield number, text.removesuffix("\r") + "\n"
