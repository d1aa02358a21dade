"""How a delimited file is laid out: its separator, and what each field is, as the first line tells.

A header is known by its names, under whichever separator they stand; so tables of several makers can be read together.
A file without one holds head, relation and tail, and then perhaps a weight; where one relation is given for all rows
(`BuildConfig.relation`), a table may be without that column.
"""

from __future__ import annotations

import csv
import logging
import math
import re
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError, InputSyntaxError
from kg_reason.kg.delimited_scan import HEAD, LANGUAGE, NONE, POS, RANK, RELATION, TAIL, WEIGHT
from kg_reason.kg.inputs import LineBlock
from kg_reason.kg.qualifiers import QualifierNames, column_name, spellings, weight_number
from kg_reason.kg.triples import Source

logger = logging.getLogger(__name__)

FIRST_QUALIFIER = POS + 1  # not known to the compiled scan
OTHER_DELIMITERS = ",;\t|"
MAX_HEADER_BYTES = 1 << 14  # of one that goes over several lines
_TOLD_DELIMITER = re.compile(r'"?sep=(.)"?')  # as Excel writes it
_COMMENT = re.compile(r"#(?: |\r?$)")  # not #music
WITHOUT_RELATION = "--relation names the relation of a table without such a column"
_WRITTEN_TABS = ("\\t", "tab")


class _HeaderNames:
    """What a header may call its columns.

    Args:
        config: the names.

    Attributes:
        columns: the name of each field as the settings have it.
        fields: the field of each name, as names are compared.
        qualifiers: the qualifier of each other name, likewise.
    """

    def __init__(self, config: BuildConfig) -> None:
        self.config = config
        self.columns = {
            HEAD: config.head_column, RELATION: config.relation_column, TAIL: config.tail_column,
            WEIGHT: config.weight_column, RANK: config.rank_column, LANGUAGE: config.language_column,
            POS: config.pos_column,
        }  # fmt: skip
        self.fields = {name: field for field, column in self.columns.items() for name in spellings(column)}
        self.qualifiers = {
            name: qualifier for name, qualifier in QualifierNames(config).columns.items() if name not in self.fields
        }


class Layout(NamedTuple):
    """What separates the fields of a file, what each of them is, and where its rows start.

    A field `FIRST_QUALIFIER + i` is the i-th of the qualifiers.

    Attributes:
        first_line: of a file without a header.
        relation: of every row, where no field is one; else empty.
        decimal_comma: whether the fraction of a weight stands behind a comma.
    """

    delimiter: str
    fields: tuple[int, ...]
    first_line: int = 0
    qualifiers: tuple[str, ...] = ()
    relation: str = ""
    decimal_comma: bool = False

    @property
    def has_columns(self) -> bool:
        """Whether any field is optional: a weight, a rank, a language, a part of speech."""
        return any(field > TAIL for field in self.fields)


def find_delimiter(delimiter: str, *, quoted: bool) -> str:
    r"""Return the field separator that a setting means; empty stands for the usual one, `\t` and `tab` for a tab.

    Raises:
        ConfigError: it is not one ASCII character, or is a quote or a line end.
    """
    if not delimiter:
        return "," if quoted else "\t"
    if delimiter in _WRITTEN_TABS:
        return "\t"
    if len(delimiter) > 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise ConfigError(f"delimiter: found {delimiter!r}, expected one ASCII character other than a quote")
    return delimiter


def read_layout(
    blocks: Iterator[LineBlock], name: str, *, config: BuildConfig, quoted: bool
) -> tuple[list[LineBlock], Layout]:
    """Return what of the first block is to be read as rows, and the layout that its first line tells.

    Args:
        blocks: of the file, from its start; those that hold blank lines and comments only are taken from it, and the
            first that does not.
        name: as the user named the file.
        config: delimiter, header and column names, and the relation of tables without one.
        quoted: whether this is CSV, with quotes, or TSV, without.

    Raises:
        InputSyntaxError: the header lacks a column or names one twice.
        ConfigError: the delimiter is not one ASCII character.
    """
    delimiter = find_delimiter(config.delimiter, quoted=quoted)
    header = _HeaderNames(config)
    for block in blocks:
        while len(block.buffer):
            records = _first_records(block, quoted=quoted)
            text, after = records[-1]
            told = _TOLD_DELIMITER.fullmatch(text.strip(" \r")) if quoted else None
            place = Source(name, block.first_line)
            if told:
                delimiter = find_delimiter(told[1], quoted=quoted)
            elif text.strip(f" \r{delimiter}"):
                signs = delimiter + (OTHER_DELIMITERS if quoted else "\t")
                for record, rest in records:
                    layout = _find_header(record, signs, place, header, quoted=quoted)
                    if layout is not None:
                        return [rest], layout
                if not _COMMENT.match(text):
                    return [block], _plain_layout(_cells(text, delimiter, quoted=quoted), delimiter, place, config)
                logger.info("%s: passed over as a comment", place)
            block = after
    return [], Layout(delimiter, (HEAD, RELATION, TAIL))


def _first_records(block: LineBlock, *, quoted: bool) -> list[tuple[str, LineBlock]]:
    """Return the first line with what follows it and, before it, the lines up to their end if it ends within quotes."""
    line_feeds = np.flatnonzero(block.buffer[:MAX_HEADER_BYTES] == ord("\n"))
    ends = line_feeds.tolist() or [int(np.argmax(block.buffer == ord("\n")))]
    texts: list[tuple[str, LineBlock]] = []
    for number, end in enumerate(ends, start=1):
        text = block.buffer[:end].tobytes().decode(errors="replace")
        after = LineBlock(block.buffer[end + 1 :], block.first_line + number, block.num_lines - number)
        is_whole = not quoted or text.count('"') % 2 == 0
        if number == 1 or is_whole:
            texts.insert(0, (text, after))
        if is_whole:
            break
    return texts


def _cells(text: str, delimiter: str, *, quoted: bool) -> list[str]:
    """Return the cells of a first line; none of a CSV file where it is no CSV, which its reading will tell."""
    if not quoted:
        return [cell.strip() for cell in text.split(delimiter)]
    try:
        cells = next(csv.reader([text], delimiter=delimiter, skipinitialspace=delimiter != " "), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]


def _find_header(
    record: str, signs: str, place: Source, header: _HeaderNames, *, quoted: bool
) -> Layout | None:
    """Return the layout that a record tells under one of some separators, if need be without the sign of a comment."""
    for text in dict.fromkeys((record, record.lstrip("# "))):
        for sign in dict.fromkeys(signs):
            layout = _header_layout(_cells(text, sign, quoted=quoted), sign, place, header)
            if layout is not None:
                return layout
    return None


def _header_layout(cells: list[str], delimiter: str, place: Source, header: _HeaderNames) -> Layout | None:
    """Return the layout that a header tells; None where a line is none."""
    config = header.config
    if config.header == "no":
        return None
    names = [column_name(cell) for cell in cells]
    qualifying = [name for name in names if name in header.qualifiers]
    numbers = count(FIRST_QUALIFIER)
    fields = tuple(next(numbers) if name in header.qualifiers else header.fields.get(name, NONE) for name in names)
    if HEAD not in fields or TAIL not in fields:
        return None
    relation = "" if RELATION in fields else one_relation(config)
    if RELATION not in fields and not relation:
        is_renamed = (config.head_column, config.tail_column) != (BuildConfig.head_column, BuildConfig.tail_column)
        if fields == (HEAD, NONE, TAIL) and not is_renamed and config.header != "yes":  # may be a row of three words
            return None
        found = f"found {', '.join(cells)}; {WITHOUT_RELATION}"
        raise InputSyntaxError(*place, f"expected a column {config.relation_column}, {found}")
    for field, column in header.columns.items():
        if fields.count(field) > 1:
            raise InputSyntaxError(*place, f"expected one column {column}, found {fields.count(field)}")
    qualifiers = tuple(header.qualifiers[name] for name in qualifying)
    return Layout(delimiter, fields, 0, qualifiers, relation, config.decimal_comma)


def _plain_layout(cells: list[str], delimiter: str, place: Source, config: BuildConfig) -> Layout:
    """Return the layout of a file without a header.

    Raises:
        InputSyntaxError: a header was promised.
    """
    if config.header == "yes":
        names = [column_name(cell) for cell in cells]
        wanted = (config.head_column, config.tail_column)
        missing = next(column for column in wanted if not set(spellings(column)).intersection(names))
        raise InputSyntaxError(*place, f"expected a column {missing}, found {', '.join(cells)}")
    relation = one_relation(config)
    last = cells[-1] if cells else ""
    is_weighed = not math.isnan(weight_number(last, decimal_comma=config.decimal_comma))
    is_pair = len(cells) == 2 or (len(cells) == 1 and any(cells[0].count(sign) == 1 for sign in OTHER_DELIMITERS))
    if relation and (is_pair or (len(cells) == 3 and is_weighed)):
        fields = (HEAD, TAIL, WEIGHT)[: max(len(cells), 2)]
        return Layout(delimiter, fields, place.line, (), relation, config.decimal_comma)
    has_weight = len(cells) == 4 and is_weighed
    fields = (HEAD, RELATION, TAIL, WEIGHT)[: 4 if has_weight else 3]
    return Layout(delimiter, fields, place.line, decimal_comma=config.decimal_comma)


def one_relation(config: BuildConfig) -> str:
    """Return the relation of edges that name none, with single spaces; empty where none is given."""
    return " ".join(config.relation.split())
