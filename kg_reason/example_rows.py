"""The rows of example files: JSON Lines, CSV, TSV, Parquet and Hugging Face data sets as columns and values.

Every row comes with its line, and what is no row is added to the bad rows instead of ending the pass. What the columns
mean is left to `examples.py`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import polars

from kg_reason.errors import BadLine, InputSyntaxError, MissingExtraError
from kg_reason.kg.archives import COMPRESSIONS
from kg_reason.kg.inputs import STANDARD_INPUT, InputFile, open_input

SUFFIXES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".parquet": "parquet", ".pq": "parquet",
}
HUB_NAME = re.compile(r"hf:(?P<name>[^:@]+)(?::(?P<subset>[^:@]+))?(?:@(?P<split>.+))?")
MAX_SHOWN = 20  # bad lines told in full

Row = Mapping[str, Any]


class BadRows:
    """The bad lines met so far: the first are kept, all are counted."""

    def __init__(self) -> None:
        self.first: list[BadLine] = []
        self.num = 0

    def add(self, path: str, line: int, reason: str) -> None:
        """Count one bad line, and keep it if it is among the first."""
        self.num += 1
        if len(self.first) < MAX_SHOWN:
            self.first.append(BadLine(path, line, reason))


class Table(NamedTuple):
    """The rows of one input.

    Attributes:
        columns: the names of its columns; None where every row names its own (JSON Lines).
        rows: (line from 1, column -> value) of each row; in Parquet and data sets the row's number stands for its line.
    """

    columns: tuple[str, ...] | None
    rows: Iterator[tuple[int, Row]]


def find_format(name: str) -> str:
    """Return the format of an input by its name, after checking that it is there.

    Raises:
        InputSyntaxError: no such file, or a name that tells no known format.
    """
    if name == STANDARD_INPUT:
        return "jsonl"
    if HUB_NAME.fullmatch(name):
        return "hub"
    path = Path(name)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = bool(suffixes) and suffixes[-1] in COMPRESSIONS
    file_format = SUFFIXES.get(next(iter(suffixes[-2:-1] if packed else suffixes[-1:]), ""), "")
    if not path.exists():
        hint = "" if file_format else f"; a Hugging Face data set is written hf:{name}"
        raise InputSyntaxError(name, 0, f"no such file{hint}")
    if path.is_dir():
        raise InputSyntaxError(name, 0, "found a folder, expected an example file")
    if not file_format or (packed and file_format == "parquet"):
        found = "".join(suffixes[-2:])
        raise InputSyntaxError(name, 0, f"found suffix {found!r}, expected one of {', '.join(SUFFIXES)}")
    return file_format


def read_table(name: str, file_format: str, label_column: str, split: str, bad_rows: BadRows) -> Table:
    """Open one input whose format `find_format` told.

    Args:
        name: a file, `-` or `hf:NAME[:SUBSET][@SPLIT]`.
        file_format: its format.
        label_column: the column whose class numbers a data set turns into its own words.
        split: the split of a data set that names none.
        bad_rows: takes what cannot be read as a row.

    Raises:
        InputSyntaxError: the input cannot be read as a whole.
        MissingExtraError: a data set is named and the package `datasets` is not installed.
    """
    if file_format == "jsonl":
        return Table(None, _json_rows(name, bad_rows))
    if file_format == "parquet":
        return _parquet_table(name)
    if file_format == "hub":
        return _hub_table(name, label_column, split)
    return _delimited_table(name, file_format, bad_rows)


def _json_rows(name: str, bad_rows: BadRows) -> Iterator[tuple[int, Row]]:
    """Yield the objects of a file of JSON lines; blank lines are passed over."""
    for line, text in _lines(name, bad_rows):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            bad_rows.add(name, line, f"found {shown(text.strip())}, expected one JSON object ({error})")
            continue
        if isinstance(row, dict):
            yield line, row
        else:
            bad_rows.add(name, line, f"found {shown(row)}, expected one JSON object")


def _delimited_table(name: str, file_format: str, bad_rows: BadRows) -> Table:
    """Open a CSV file, or a TSV file, where a line is a row and tabs cannot be quoted; the first row is the header."""
    lines = _lines(name, bad_rows)
    records = _csv_records(name, lines, bad_rows) if file_format == "csv" else _tsv_records(lines)
    header = [cell.strip() for cell in next((cells for _, cells in records), [])]
    twice = [column for column in header if header.count(column) > 1]
    if twice:
        raise InputSyntaxError(name, 1, f"found column {twice[0]!r} twice, expected every column name once")

    def rows() -> Iterator[tuple[int, Row]]:
        for line, cells in records:
            if len(cells) == len(header):
                yield line, dict(zip(header, cells, strict=True))
            else:
                bad_rows.add(name, line, f"found {len(cells)} fields, expected {len(header)} as in the header")

    return Table(tuple(header), rows())


def _csv_records(name: str, lines: Iterator[tuple[int, str]], bad_rows: BadRows) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line, cells) of each record of a CSV file; a record may hold quoted line breaks."""
    reader = csv.reader((text for _, text in lines), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            bad_rows.add(name, line, f"found broken quoting ({error}), expected quotes inside a quoted field doubled")
            continue
        if cells:
            yield line, cells


def _tsv_records(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of each line of a TSV file; a cell quoted as a whole loses its quotes."""
    for line, text in lines:
        cells = text.rstrip("\r\n").split("\t")
        if cells != [""]:
            yield line, [_unquoted(cell) for cell in cells]


def _unquoted(cell: str) -> str:
    """Take the quotes off a cell that they enclose, if all quotes inside are doubled; sentences may quote as well."""
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"' or '"' in cell[1:-1].replace('""', ""):
        return cell
    return cell[1:-1].replace('""', '"')


def _parquet_table(name: str) -> Table:
    try:
        frame = polars.read_parquet(name)
    except (polars.exceptions.PolarsError, OSError) as error:
        raise InputSyntaxError(name, 0, f"cannot be read as Parquet: {_first_line(error)}") from error
    return Table(tuple(frame.columns), enumerate(frame.iter_rows(named=True), start=1))


def _hub_table(name: str, label_column: str, split: str) -> Table:
    """Load a Hugging Face data set; class numbers become the words that the data set itself gives them."""
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError(
            f"{name}: Hugging Face data sets need the package datasets: pip install 'kg_reason[datasets]'"
        ) from error
    parts = cast(re.Match[str], HUB_NAME.fullmatch(name)).groupdict()
    try:
        table = datasets.load_dataset(parts["name"], parts["subset"], split=parts["split"] or split)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise InputSyntaxError(name, 0, f"cannot be loaded: {_first_line(error)}") from error
    words = list(getattr(table.features.get(label_column), "names", ()))

    def rows() -> Iterator[tuple[int, Row]]:
        for number, row in enumerate(table, start=1):
            label = row.get(label_column)
            if words and isinstance(label, int):
                row = {**row, label_column: words[label] if label >= 0 else ""}
            yield number, row

    return Table(tuple(table.column_names), rows())


def _lines(name: str, bad_rows: BadRows) -> Iterator[tuple[int, str]]:
    """Yield (line from 1, text) of a file or of standard input; a line that is not UTF-8 is bad and comes empty."""
    with open_input(InputFile(name, "", COMPRESSIONS.get(Path(name).suffix.lower(), ""))) as stream:
        for line, raw in enumerate(stream, start=1):
            try:
                text = raw.decode()
            except UnicodeDecodeError as error:
                found = f"found byte 0x{raw[error.start]:02x} at byte {error.start + 1} of the line"
                bad_rows.add(name, line, f"{found}, expected UTF-8")
                text = ""
            yield line, text


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def shown(value: object) -> str:
    """Return a value as an error message quotes it, shortened."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return repr(text if len(text) <= 60 else text[:57] + "...")
