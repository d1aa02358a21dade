"""Which files are read and how: finding them, their format and compression, and one clean stream of bytes for each.

What the bytes mean is the readers' concern (`ntriples.py`, `rdf.py`, `obo.py`, `delimited.py`).
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.errors import InputSyntaxError, MissingExtraError
from kg_reason.kg.recognition import LOOKED_AT_BYTES, SNIFFED, recognised_format
from kg_reason.terminal import is_unicode

STANDARD_INPUT = "-"
FORMATS = {
    ".nt": "nt", ".nq": "nq", ".ttl": "ttl", ".trig": "trig", ".rdf": "rdfxml", ".owl": "rdfxml", ".xml": "rdfxml",
    ".jsonld": "jsonld", ".obo": "obo", ".tsv": "tsv", ".csv": "csv", ".graphml": "graphml",
}
COMPRESSIONS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UNNAMED = {  # what begins so is no text: kinds of data, and how they come to be read
    b"\x1f\x8b": "gzip data, expected a name that ends in .gz",
    b"\xfd7z": "xz data, expected a name that ends in .xz",
    b"\x28\xb5\x2f": "zstd data, expected a name that ends in .zst",
    b"PK\x03": "a zip archive, expected text; save a workbook as CSV first",
}

BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 64 << 20


@dataclass(frozen=True)
class InputFile:
    """One file to read.

    Attributes:
        name: as the user gave it, or the folder's name as given and the way from there; `-` is standard input.
        format: one of BuildConfig's input formats, never `auto`.
        compression: gzip, bzip2, xz, zstd, or empty. Standard input is looked at when it is opened.
    """

    name: str
    format: str
    compression: str = ""


def find_inputs(paths: Sequence[str | Path], config: BuildConfig) -> tuple[InputFile, ...]:
    """Resolve files, folders and `-` to the files to read, each once.

    Folders are searched to any depth, in sorted order, for files with a known suffix; hidden ones and links to folders
    are passed over.

    Raises:
        InputSyntaxError: a path does not exist, its format cannot be told, or a folder holds nothing to read.
    """
    inputs: list[InputFile] = []
    seen: set[str] = set()
    for path in paths:
        for item in _resolve(str(path), config):
            if not is_unicode(item.name):  # it becomes part of the graph
                raise InputSyntaxError(ascii(item.name), 0, "found a name that is no UTF-8; rename it")
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
    path = Path(name)
    if path.is_dir():
        found = []
        for folder, subfolders, files in os.walk(name):
            subfolders[:] = sorted(folder for folder in subfolders if not folder.startswith("."))
            paths = [str(Path(folder) / file) for file in files if not file.startswith(".")]
            found += [path for path in paths if _suffixes(path)[0]]
        if not found:
            raise InputSyntaxError(name, 0, f"no file to read in this folder; expected suffixes {', '.join(FORMATS)}")
        return [_input_file(path, config) for path in sorted(found)]
    if not path.exists():
        raise InputSyntaxError(name, 0, "no such file or folder")
    return [_input_file(name, config)]


def _suffixes(name: str) -> tuple[str, str]:
    """Return format and compression by the suffixes of a name, empty where there is none."""
    suffix, compression = _suffix(name)
    return FORMATS.get(suffix, ""), compression


def _suffix(name: str) -> tuple[str, str]:
    """Return the suffix of a name, and the compression by the one after it, if there is one."""
    path = Path(name.lower())
    compression = COMPRESSIONS.get(path.suffix, "")
    if compression:
        path = path.with_suffix("")
    return path.suffix, compression


def _input_file(name: str, config: BuildConfig) -> InputFile:
    file_format, compression = _suffixes(name)
    if config.input_format != "auto":
        file_format = config.input_format
    elif _suffix(name)[0] in SNIFFED and Path(name).is_file():  # a pipe can be read once only
        with open_input(InputFile(name, file_format, compression)) as stream:
            file_format = recognised_format(_suffix(name)[0], stream.read(LOOKED_AT_BYTES)) or file_format
    if not file_format:
        known = ", ".join([*FORMATS, *COMPRESSIONS])
        raise InputSyntaxError(name, 0, f"unknown suffix; expected one of {known}, or --input-format")
    return InputFile(name, file_format, compression)


@contextmanager
def open_input(item: InputFile) -> Iterator[BinaryIO]:
    """Open a file for reading as UTF-8 bytes: decompressed on the way, without its byte order mark.

    Raises:
        InputSyntaxError: the file cannot be opened; while reading: a damaged or truncated archive, or UTF-16 text.
        MissingExtraError: a .zst file without the package zstandard.
    """
    with ExitStack() as stack:
        if item.name == STANDARD_INPUT:
            raw = sys.stdin.buffer
            peeked = cast(io.BufferedReader, raw).peek(8)
            compression = next((name for magic, name in _MAGIC.items() if peeked.startswith(magic)), "")
        else:
            compression = item.compression
            try:
                raw = stack.enter_context(Path(item.name).open("rb"))
            except OSError as error:
                raise InputSyntaxError(item.name, 0, f"cannot be opened: {error.strerror}") from error
        if compression:
            raw = cast(BinaryIO, stack.enter_context(_decompressed(raw, compression, item.name)))
        yield cast(BinaryIO, stack.enter_context(io.BufferedReader(_CleanStream(raw, item.name, compression), 1 << 18)))


def _decompressed(raw: BinaryIO, compression: str, name: str) -> io.BufferedIOBase | io.RawIOBase:
    if compression == "gzip":
        return gzip.GzipFile(fileobj=raw, mode="rb")
    if compression == "bzip2":
        return bz2.BZ2File(raw)
    if compression == "xz":
        return lzma.LZMAFile(raw)
    try:
        import zstandard
    except ImportError as error:
        message = f"{name}: .zst needs the package zstandard: pip install 'kg_reason[zstd]'"
        raise MissingExtraError(message) from error
    return _ZstdStream(raw, zstandard)


class _ZstdStream(io.RawIOBase):
    """Decompresses frames of zstd; unlike zstandard's own reader it says when the last one is cut short."""

    def __init__(self, raw: BinaryIO, zstandard: ModuleType) -> None:
        self._raw = raw
        self._zstandard = zstandard
        self._frame: Any = None
        self._input = b""
        self._output = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:  # noqa: ANN401  any writable buffer
        while not self._output:
            if not self._input:
                self._input = self._raw.read(1 << 17)
            if not self._input:
                if self._frame is not None:
                    raise EOFError("the last frame is cut short")
                return 0
            if self._frame is None:
                self._frame = self._zstandard.ZstdDecompressor().decompressobj()
            try:
                self._output = memoryview(self._frame.decompress(self._input))
            except self._zstandard.ZstdError as error:
                raise OSError(str(error)) from error
            self._input = b""
            if self._frame.eof:
                self._input, self._frame = self._frame.unused_data, None
        size = min(len(target), len(self._output))
        target[:size] = self._output[:size]
        self._output = self._output[size:]
        return size


class _CleanStream(io.RawIOBase):
    """The bytes of a stream without a byte order mark; every fault of reading names the file."""

    def __init__(self, raw: BinaryIO, name: str, compression: str) -> None:
        self._raw = raw
        self._name = name
        self._compression = compression
        self._started = False
        self._head = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:  # noqa: ANN401  any writable buffer
        if not self._started:
            self._started = True
            while len(self._head) < len(_BYTE_ORDER_MARK) and (more := self._read(len(_BYTE_ORDER_MARK))):
                self._head += more
            if self._head.startswith(_UTF16_MARKS):
                raise InputSyntaxError(self._name, 1, "found UTF-16 text, expected UTF-8")
            for start, found in _UNNAMED.items():
                if self._head.startswith(start):
                    raise InputSyntaxError(self._name, 0, f"found {found}")
            self._head = self._head.removeprefix(_BYTE_ORDER_MARK)
        data = self._head[: len(target)] or self._read(len(target))
        self._head = self._head[len(data) :]
        target[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        try:
            return self._raw.read(size)
        except EOFError as error:
            raise InputSyntaxError(self._name, 0, f"the {self._compression} archive is cut short") from error
        except (OSError, zlib.error, lzma.LZMAError) as error:
            if not self._compression:
                raise InputSyntaxError(self._name, 0, f"cannot be read: {error}") from error
            reason = f"found no valid {self._compression} data where its suffix promises it: {error}"
            raise InputSyntaxError(self._name, 0, reason) from error


class LineBlock(NamedTuple):
    """Whole lines of one file: uint8 [num_bytes], writable, ending in a line feed; where they start; how many."""

    buffer: NDArray[np.uint8]
    first_line: int
    num_lines: int


def line_blocks(
    stream: BinaryIO, name: str, *, block_bytes: int = BLOCK_BYTES, max_line_bytes: int = MAX_LINE_BYTES
) -> Iterator[LineBlock]:
    """Cut a stream into blocks of whole lines; a last line without a line feed gets one.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        block_bytes: size of a block, in bytes.
        max_line_bytes: longest line, in bytes; so memory stays bounded whatever the file.

    Raises:
        InputSyntaxError: a longer line.
    """
    first_line = 1
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
        if not cut and filled > max_line_bytes:
            found = f"found a line longer than {max_line_bytes:,} bytes, expected line ends"
            raise InputSyntaxError(name, first_line, found)
        if cut:
            num_lines = int(np.count_nonzero(buffer[:cut] == ord("\n")))
            yield LineBlock(buffer[:cut], first_line, num_lines)
            first_line += num_lines
        if ended:
            return
        rest = buffer[cut:filled].copy()


def _after_last_line_feed(buffer: NDArray[np.uint8], filled: int) -> int:
    end = filled
    while end > 0:
        start = max(0, end - (1 << 16))
        found = np.flatnonzero(buffer[start:end] == ord("\n"))
        if len(found):
            return start + int(found[-1]) + 1
        end = start
    return 0
