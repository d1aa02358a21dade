"""What the readers of other tools' exports share: decoded lines, and edges and labels checked and gathered into blocks.

Which edges and labels a file states is each reader's own business (`conceptnet.py`, `phrases.py`, `taxonomy_paths.py`,
`graphml.py`, `node_link.py`, `neo4j_csv.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.inputs import line_blocks
from kg_reason.kg.qualifiers import NONE, Qualifiers, statement_text
from kg_reason.kg.triples import (
    FURTHER_LABEL_RELATION,
    LABEL_RELATION,
    ROWS_PER_BLOCK,
    BlockBuilder,
    TripleBlock,
    literal_key,
    select_rows,
)


def text_lines(stream: BinaryIO, name: str, bad_lines: BadLines) -> Iterator[tuple[int, str]]:
    """Yield number and text of every line that is not blank, without its line end; what is not UTF-8 is noted.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        bad_lines: grows by the lines that are no text.

    Raises:
        InputSyntaxError: the stream cannot be read, or a line is too long.
    """
    for block in line_blocks(stream, name):
        for number, line in enumerate(block.buffer.tobytes().split(b"\n")[:-1], block.first_line):
            try:
                text = decoded(line).removesuffix("\r")
            except ValueError as error:
                bad_lines.add(name, number, str(error))
            else:
                if text.strip():
                    yield number, text


def decoded(line: bytes) -> str:
    """Return the text of a line.

    Raises:
        ValueError: it is not UTF-8, with the column.
    """
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        found = f"byte 0x{line[error.start]:02X}"
        raise ValueError(f"column {error.start + 1}: expected UTF-8 text, found {found}") from error


class RowWriter:
    """Gathers edges and labels with their lines; what cannot be stored is a ValueError that says why.

    Args:
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by what `refuse` is told.
    """

    def __init__(self, name: str, file: int, bad_lines: BadLines) -> None:
        self.name = name
        self._file = file
        self._bad_lines = bad_lines
        self._rows = BlockBuilder(file, with_columns=True)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def is_full(self) -> bool:
        """Whether it is time to `take`."""
        return len(self._rows) >= ROWS_PER_BLOCK

    def edge(
        self, head: str, relation: str, tail: str, line: int, weight: float = math.nan, qualifiers: Qualifiers = NONE
    ) -> None:
        """Add an edge between two term keys; a weight of NaN counts as not given.

        Raises:
            ValueError: an empty key, or a key or a qualifier with characters that none may have.
        """
        keys = (_encoded(head, "head"), _encoded(relation, "relation"), _encoded(tail, "tail"))
        text = statement_text(qualifiers)
        self._rows.add(keys, line, (weight, 0, "", 0), _encoded(text, "qualifier") if text else b"")

    def label(
        self, entity: str, text: str, line: int, *, language: str = "", pos: str = "", is_further: bool = False
    ) -> None:
        """Add a label of the entity with this key; a further one does not become its name.

        Raises:
            ValueError: an empty key or label, or one with characters that none may have.
        """
        _encoded(text, "label")
        relation = FURTHER_LABEL_RELATION if is_further else LABEL_RELATION
        keys = (_encoded(entity, "head"), relation.encode(), literal_key(text).encode())
        self._rows.add(keys, line, (math.nan, 0, language, ord(pos) if pos else 0))

    def refuse(self, line: int, reason: str) -> None:
        """Note a bad line."""
        self._bad_lines.add(self.name, line, reason)

    def take(self) -> TripleBlock:
        """Return the rows added since the last call, by their lines."""
        rows, self._rows = self._rows, BlockBuilder(self._file, with_columns=True)
        block = rows.build()
        if bool((np.diff(block.line) >= 0).all()):
            return block
        return select_rows(block, np.argsort(block.line, kind="stable"))


def _encoded(key: str, part: str) -> bytes:
    if not key:
        raise ValueError(f"expected a {part}, found an empty text")
    if "\0" in key:
        raise ValueError(f"expected a {part}, found a NUL character in it")
    try:
        return key.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"expected Unicode text as {part}, found half a surrogate pair") from error
