"""Which files are read and how: finding them, their format and compression, and one clean stream of bytes for each.

Unpacking is `archives.py`, decoding is `decoding.py`. What the bytes mean is the readers' concern (`ntriples.py`,
`rdf.py`, `obo.py`, `delimited.py`).
"""

from __future__ import annotations

import io
import logging
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.errors import InputSyntaxError
from kg_reason.kg.archives import (
    COMPRESSIONS,
    TAR_SUFFIXES,
    compression_of,
    file_pieces,
    is_tar,
    unpacked,
    zip_member,
)
from kg_reason.kg.decoding import known_encoding, utf8_pieces
from kg_reason.kg.recognition import LOOKED_AT_BYTES, SNIFFED, recognised_format
from kg_reason.terminal import is_unicode

logger = logging.getLogger(__name__)

STANDARD_INPUT = "-"
FORMATS = {
    ".nt": "nt", ".nq": "nq", ".ttl": "ttl", ".trig": "trig", ".rdf": "rdfxml", ".owl": "rdfxml", ".xml": "rdfxml",
    ".jsonld": "jsonld", ".obo": "obo", ".tsv": "tsv", ".csv": "csv", ".graphml": "graphml",
}
_PACKED = {("", compression) for compression in COMPRESSIONS.values()}  # names such as all.zip: of what, nobody knows
_SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
_TAR = "a tar archive, expected a text file; unpack it and name the folder"

_CONTROL = frozenset(map(chr, (*range(32), 127)))

HEAD_BYTES = 512  # looked at before the rest
PIECE_BYTES = 1 << 18
BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 64 << 20


@dataclass(frozen=True)
class InputFile:
    """One file to read.

    Attributes:
        name: as the user gave it, or the folder's name as given and the way from there; `-` is standard input.
        format: one of BuildConfig's input formats, never `auto`.
        compression: gzip, bzip2, xz, zstd, zip, or empty. Standard input is looked at when it is opened.
    """

    name: str
    format: str
    compression: str = ""


def find_inputs(paths: Sequence[str | Path], config: BuildConfig) -> tuple[InputFile, ...]:
    """Resolve files, folders and `-` to the files to read, each once.

    Folders are searched to any depth, in sorted order, for files with a known suffix and those of other tools that are
    known by their first lines; hidden ones and links to folders are passed over. Those whose suffix promised something
    and that are in no known format are told.

    Raises:
        InputSyntaxError: a path does not exist or names a device, its format cannot be told, it is a tar archive or a
            zip archive of several files, or a folder cannot be read or holds nothing to read.
        ConfigError: the encoding is unknown.
    """
    inputs: list[InputFile] = []
    seen: set[str] = set()
    for path in paths:
        for item in _resolve(str(path), config):
            if not is_unicode(item.name):  # it becomes part of the graph
                raise InputSyntaxError(ascii(item.name), 0, "found a name that is no UTF-8; rename it")
            if not _CONTROL.isdisjoint(item.name):  # it is told as `file:line`
                raise InputSyntaxError(ascii(item.name), 0, "found a control character in the name; rename it")
            place = item.name if item.name == STANDARD_INPUT else os.path.realpath(item.name)
            if place not in seen:
                seen.add(place)
                inputs.append(item)
    return tuple(inputs)


def _resolve(name: str, config: BuildConfig) -> list[InputFile]:
    if name == STANDARD_INPUT:
        if config.input_format == "auto":
            raise InputSyntaxError(name, 0, "the format of standard input is unknown; expected --input-format")
        return [InputFile(name, config.input_format)]
    if _kind(name) != "folder":
        return [_input_file(name, config)]
    found: list[str] = []
    packed: list[str] = []
    for folder, subfolders, files in os.walk(name, onerror=_refuse_folder):
        subfolders[:] = sorted(folder for folder in subfolders if not folder.startswith("."))
        paths = [str(Path(folder) / file) for file in files if not file.startswith(".")]
        found += [path for path in paths if _suffix(path)[0] in (*FORMATS, *SNIFFED)]
        packed += [path for path in paths if _suffix(path) in _PACKED]
    files = [path for path in sorted(found) if not _is_passed_over(path)]
    inputs = [_input_file(path, config) for path in files if _suffix(path)[0] in FORMATS or _is_known(path, config)]
    unknown = sorted({*files, *packed}.difference(item.name for item in inputs))
    if unknown:
        logger.warning("%s: passed over, in no known format: %d, such as %s", name, len(unknown), unknown[0])
    if not inputs:
        raise InputSyntaxError(name, 0, f"no file to read in this folder; expected suffixes {', '.join(FORMATS)}")
    return inputs


def _is_known(name: str, config: BuildConfig) -> bool:
    """Tell whether a file of a folder whose suffix tells no format (.txt, .json) is one to read."""
    if config.input_format != "auto":
        return config.input_format in SNIFFED[_suffix(name)[0]]
    try:
        _input_file(name, config)
    except InputSyntaxError:  # a text for people, or no text at all
        return False
    return True


def _kind(name: str) -> str:
    """Return what a path names: a file, a folder or a pipe.

    Raises:
        InputSyntaxError: nothing, or what cannot be read to an end.
    """
    try:
        mode = Path(name).stat().st_mode
    except FileNotFoundError as error:
        raise InputSyntaxError(name, 0, "no such file or folder") from error
    except OSError as error:
        raise InputSyntaxError(name, 0, f"cannot be opened: {error.strerror}") from error
    except ValueError as error:
        raise InputSyntaxError(ascii(name), 0, f"found no name of a file: {error}") from error
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISFIFO(mode):
        return "pipe"
    raise InputSyntaxError(name, 0, "found a device or a socket, expected a file, a folder or a pipe")


def _is_passed_over(path: str) -> bool:
    """Tell whether something found in a folder would block instead of being read; a link to nothing is an error."""
    is_special = Path(path).exists() and not Path(path).is_file()
    if is_special:
        logger.warning("%s: passed over, it is no file", path)
    return is_special


def _refuse_folder(error: OSError) -> NoReturn:
    raise InputSyntaxError(str(error.filename), 0, f"the folder cannot be read: {error.strerror}") from error


def _suffix(name: str) -> tuple[str, str]:
    """Return the suffix of a name, and the compression by the one after it, if there is one."""
    path = Path(name.lower())
    compression = COMPRESSIONS.get(path.suffix, "")
    if compression:
        path = path.with_suffix("")
    return path.suffix, compression


def _input_file(name: str, config: BuildConfig) -> InputFile:
    suffix, compression = _suffix(name)
    is_file = _kind(name) == "file"  # a pipe can be read once only
    if compression == "zip" and is_file:
        suffix = _suffix(zip_member(name))[0] or suffix
    file_format = FORMATS.get(suffix, "")
    if config.input_format != "auto":
        file_format = config.input_format
    elif suffix in SNIFFED and is_file:
        with open_input(InputFile(name, file_format, compression), config) as stream:
            file_format = recognised_format(suffix, stream.read(LOOKED_AT_BYTES)) or file_format
    if name.lower().endswith(TAR_SUFFIXES) or suffix in TAR_SUFFIXES:
        raise InputSyntaxError(name, 0, f"found {_TAR}")
    if not file_format and suffix in SNIFFED:
        found = f"the first lines of this {suffix} file are in no known format"
        raise InputSyntaxError(name, 0, f"{found}; expected {', '.join(SNIFFED[suffix])}, or another by --input-format")
    if not file_format:
        known = ", ".join([*FORMATS, *COMPRESSIONS])
        sheet = "; a spreadsheet is saved as CSV first" if suffix in _SPREADSHEETS else ""
        raise InputSyntaxError(name, 0, f"unknown suffix; expected one of {known}, or --input-format{sheet}")
    return InputFile(name, file_format, compression)


@contextmanager
def open_input(item: InputFile, config: BuildConfig | None = None) -> Iterator[BinaryIO]:
    """Open a file for reading as UTF-8 bytes: unpacked and decoded on the way, without its byte order mark.

    Args:
        item: what to open.
        config: encoding and limits; None: the defaults.

    Raises:
        InputSyntaxError: the file cannot be opened; while reading: a damaged or truncated archive, one that unpacks to
            too much or holds another, or text in another encoding.
        ConfigError: the encoding is unknown.
        MissingExtraError: a .zst file without the package zstandard.
    """
    config = config or BuildConfig()
    known_encoding(config.encoding)
    with ExitStack() as stack:
        if item.name == STANDARD_INPUT:
            raw = sys.stdin.buffer
            compression = compression_of(cast(io.BufferedReader, raw).peek(16))
        else:
            compression = item.compression
            try:
                raw = stack.enter_context(Path(item.name).open("rb"))
            except OSError as error:
                raise InputSyntaxError(item.name, 0, f"cannot be opened: {error.strerror}") from error
        if compression:
            pieces = unpacked(raw, compression, item.name, config.max_ratio)
        else:
            pieces = file_pieces(raw, item.name, PIECE_BYTES)
        text = _text(pieces, item, config.encoding)
        yield cast(BinaryIO, stack.enter_context(InputStream(text, (config.max_line_mb << 20) or sys.maxsize)))


def _text(pieces: Iterator[bytes], item: InputFile, encoding: str) -> Iterator[bytes]:
    """Yield the text of a file as UTF-8, after a look at what its first bytes are."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= HEAD_BYTES:
            break
    if is_tar(head):
        raise InputSyntaxError(item.name, 0, f"found {_TAR}")
    packed = compression_of(head)
    if packed:
        suffix = next(suffix for suffix, compression in COMPRESSIONS.items() if compression == packed)
        expected = "text in the packed file" if item.compression else f"a name that ends in {suffix}"
        workbook = "; save a workbook as CSV first" if packed == "zip" else ""
        raise InputSyntaxError(item.name, 0, f"found {packed} data, expected {expected}{workbook}")
    yield from utf8_pieces(head, pieces, item.name, encoding)


class _PieceStream(io.RawIOBase):
    """Pieces of bytes as one stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:  # noqa: ANN401  any writable buffer
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class InputStream(io.BufferedReader):
    """UTF-8 bytes of one file, and how long a line of it may be: the limit goes where the bytes go.

    Args:
        pieces: the bytes.
        max_line_bytes: longest line, in bytes.
    """

    def __init__(self, pieces: Iterator[bytes], max_line_bytes: int) -> None:
        super().__init__(_PieceStream(pieces), PIECE_BYTES)
        self.max_line_bytes = max_line_bytes


class LineBlock(NamedTuple):
    """Whole lines of one file: uint8 [num_bytes], writable, ending in a line feed; where they start; how many."""

    buffer: NDArray[np.uint8]
    first_line: int
    num_lines: int

    def lines(self) -> NDArray[np.int64]:
        """Return start, end and number of every line, without its line feed: int64 [num_lines, 3]."""
        ends = np.flatnonzero(self.buffer == ord("\n"))
        starts = np.concatenate([np.zeros(1, dtype=np.int64), ends + 1])[: len(ends)]
        return np.stack([starts, ends, np.arange(self.first_line, self.first_line + len(ends))], axis=1)


def line_blocks(
    stream: BinaryIO, name: str, *, block_bytes: int = BLOCK_BYTES, max_line_bytes: int = MAX_LINE_BYTES
) -> Iterator[LineBlock]:
    """Cut a stream into blocks of whole lines; a last line without a line feed gets one.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        block_bytes: size of a block, in bytes.
        max_line_bytes: longest line, in bytes, of a stream without a limit of its own; so memory stays bounded
            whatever the file.

    Raises:
        InputSyntaxError: a longer line.
    """
    first_line = 1
    limit = stream.max_line_bytes if isinstance(stream, InputStream) else max_line_bytes
    rest = np.empty(0, dtype=np.uint8)
    while True:
        size = max(block_bytes, 2 * len(rest))
        buffer = np.empty(size + 1, dtype=np.uint8)
        buffer[: len(rest)] = rest
        filled, ended = len(rest), False
        view = buffer.data
        while filled < size and not ended:
            count = cast(io.BufferedReader, stream).readinto(view[filled:size])
            filled += count
            ended = count == 0
        if ended and filled and buffer[filled - 1] != ord("\n"):
            buffer[filled] = ord("\n")
            filled += 1
        cut = _after_last_line_feed(buffer, filled)
        if filled > limit:
            _check_lines(buffer[:filled], limit, name, first_line)
        if cut:
            num_lines = int(np.count_nonzero(buffer[:cut] == ord("\n")))
            yield LineBlock(buffer[:cut], first_line, num_lines)
            first_line += num_lines
        if ended:
            return
        rest = buffer[cut:filled].copy()


def _check_lines(buffer: NDArray[np.uint8], limit: int, name: str, first_line: int) -> None:
    """Refuse a line, or the beginning of one, that is longer than the limit."""
    ends = np.append(np.flatnonzero(buffer == ord("\n")), len(buffer))
    sizes = np.diff(ends, prepend=-1) - 1
    too_long = np.flatnonzero(sizes > limit)
    if len(too_long):
        found = f"found a line longer than {limit:,} bytes, expected line ends (--max-line-mb)"
        raise InputSyntaxError(name, first_line + int(too_long[0]), found)


def _after_last_line_feed(buffer: NDArray[np.uint8], filled: int) -> int:
    end = filled
    while end > 0:
        start = max(0, end - (1 << 16))
        found = np.flatnonzero(buffer[start:end] == ord("\n"))
        if len(found):
            return start + int(found[-1]) + 1
        end = start
    return 0
