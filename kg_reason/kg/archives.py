"""Packed files unpacked on the way: gzip, bzip2, xz and zstd to their last byte, and a zip archive of one file.

Nothing is written to disk, and what unpacks to far more than a text does is refused before it fills the memory. Which
files are read, and what their bytes mean, is `inputs.py` and `decoding.py`.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from kg_reason.errors import InputSyntaxError, MissingExtraError

COMPRESSIONS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd", ".zip": "zip"}
TAR_SUFFIXES = (".tar", ".tgz", ".tbz2", ".txz", ".tzst")
UNCHECKED_BYTES = 64 << 20  # unpacked before the ratio counts: short runs of one line pack well

_BEGINNINGS = {
    "gzip": re.compile(rb"\x1f\x8b"), "bzip2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\x00"), "zstd": re.compile(rb"\x28\xb5\x2f\xfd"), "zip": re.compile(rb"PK\x03\x04"),
}  # fmt: skip
_PADDED = ("gzip", "xz")  # zeros may follow their end
_PACKED_BYTES = 2048  # unpacked at once: gzip makes 2 MB of them at worst, zstd 64 MB
_UNPACKED_BYTES = 1 << 18  # at once of what could be any number
_MAX_XZ_MEMORY = 256 << 20  # of the window that a header asks for; xz -9 needs 65 MB
_ENCRYPTED = 1  # of a member's flags
_OUTSIDE = re.compile(r"(?:[A-Za-z]:|[/\\]|.*?(?:^|[/\\])\.\.(?:[/\\]|$)|.*?[\x00-\x1f])", re.DOTALL)
_DAMAGED_ZIP = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError, OverflowError,
    NotImplementedError,
)  # fmt: skip


class _Piece(NamedTuple):
    """Unpacked bytes, and how many packed ones were read up to here."""

    data: bytes
    num_packed: int


def compression_of(head: bytes) -> str:
    """Return how data are packed by their first bytes, ten at least; empty where they are not."""
    return next((name for name, beginning in _BEGINNINGS.items() if beginning.match(head)), "")


def is_tar(head: bytes) -> bool:
    """Tell whether the first 512 bytes of data are the header of a tar archive."""
    return head[257:262] == b"ustar"


def unpacked(raw: BinaryIO, compression: str, name: str, max_ratio: int) -> Iterator[bytes]:
    """Yield the bytes that a packed file stands for, piece by piece, all members one after the other.

    Args:
        raw: packed bytes.
        compression: a value of COMPRESSIONS.
        name: as the user named the file.
        max_ratio: unpacked bytes for each packed one at most, once UNCHECKED_BYTES are unpacked; 0: any.

    Raises:
        InputSyntaxError: the data are damaged, cut short or followed by something else, unpack to too much, or are a
            zip archive of anything but one plain file.
        MissingExtraError: zstd without the package zstandard.
    """
    pieces = _unzipped(raw, name) if compression == "zip" else _members(raw, compression, name)
    num_unpacked = 0
    for data, num_packed in pieces:
        num_unpacked += len(data)
        if max_ratio and num_unpacked > max(UNCHECKED_BYTES, max_ratio * num_packed):
            found = f"found {num_unpacked >> 20:,} MB unpacked from {num_packed:,} bytes"
            expected = f"expected at most {max_ratio:,} bytes from each (--max-ratio, 0 for any)"
            raise InputSyntaxError(name, 0, f"{found}, {expected}")
        yield data


def _members(raw: BinaryIO, compression: str, name: str) -> Iterator[_Piece]:
    """Unpack gzip, bzip2, xz or zstd."""
    faults: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, lzma.LZMAError)
    if compression == "zstd":
        faults += (_zstd_fault(name),)
    unpacker: Any = None
    num_packed = num_members = 0
    for packed in file_pieces(raw, name, _PACKED_BYTES):
        num_packed += len(packed)
        while packed:
            if num_members and unpacker is None and compression in _PADDED:
                packed = packed.lstrip(b"\0")
            if not packed:
                break
            unpacker = unpacker or _unpacker(compression)
            try:
                for data in _unpacked_parts(unpacker, packed, is_limited=compression in ("bzip2", "xz")):
                    yield _Piece(data, num_packed)
            except faults as error:
                raise InputSyntaxError(name, 0, _damage(compression, num_packed, num_members, error)) from error
            packed = b""
            if unpacker.eof:
                packed, unpacker = unpacker.unused_data, None
                num_members += 1
    if unpacker is not None:
        raise InputSyntaxError(name, 0, f"the {compression} archive is cut short")


def file_pieces(raw: BinaryIO, name: str, num_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of a file in pieces of at most `num_bytes`.

    Raises:
        InputSyntaxError: the file cannot be read.
    """
    try:
        while piece := raw.read(num_bytes):
            yield piece
    except OSError as error:
        raise InputSyntaxError(name, 0, f"cannot be read: {error}") from error


def _unpacked_parts(unpacker: Any, packed: bytes, *, is_limited: bool) -> Iterator[bytes]:  # noqa: ANN401  four kinds
    if not is_limited:
        yield unpacker.decompress(packed)
        return
    yield unpacker.decompress(packed, _UNPACKED_BYTES)
    while not unpacker.needs_input and not unpacker.eof:
        yield unpacker.decompress(b"", _UNPACKED_BYTES)


def _unpacker(compression: str) -> Any:  # noqa: ANN401  what the four have in common has no name
    """Return what unpacks one member."""
    if compression == "gzip":
        return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    if compression == "bzip2":
        return bz2.BZ2Decompressor()
    if compression == "xz":
        return lzma.LZMADecompressor(memlimit=_MAX_XZ_MEMORY)
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj()


def _zstd_fault(name: str) -> type[Exception]:
    """Return what zstandard raises for damaged data."""
    try:
        import zstandard
    except ImportError as error:
        message = f"{name}: .zst needs the package zstandard: pip install 'kg_reason[zstd]'"
        raise MissingExtraError(message) from error
    return zstandard.ZstdError


def _damage(compression: str, num_packed: int, num_members: int, error: Exception) -> str:
    """Return what is wrong with data that do not unpack."""
    if num_members:
        return f"found something else after the end of the {compression} data, before byte {num_packed:,}: {error}"
    if num_packed <= _PACKED_BYTES:
        return f"found no valid {compression} data where its suffix promises it: {error}"
    return f"the {compression} data are damaged before byte {num_packed:,}: {error}"


def zip_member(name: str) -> str:
    """Return the name of the one file in a zip archive.

    Raises:
        InputSyntaxError: the archive cannot be opened, or holds anything but one plain file.
    """
    try:
        with Path(name).open("rb") as raw, _opened_zip(raw, name) as archive:
            return _only_member(archive, name).filename
    except OSError as error:
        raise InputSyntaxError(name, 0, f"cannot be opened: {error.strerror}") from error


def _unzipped(raw: BinaryIO, name: str) -> Iterator[_Piece]:
    """Unpack the one file of a zip archive."""
    with _opened_zip(raw, name) as archive:
        member = _only_member(archive, name)
        try:
            num_packed = raw.seek(0, io.SEEK_END)
            with archive.open(member) as stream:
                while data := stream.read(_UNPACKED_BYTES):
                    yield _Piece(data, num_packed)
        except _DAMAGED_ZIP as error:
            raise InputSyntaxError(name, 0, f"the zip archive is damaged: {error}") from error


def _opened_zip(raw: BinaryIO, name: str) -> zipfile.ZipFile:
    if not raw.seekable():
        raise InputSyntaxError(name, 0, "a zip archive cannot be read from a pipe, expected its name")
    try:
        return zipfile.ZipFile(raw)
    except _DAMAGED_ZIP as error:
        raise InputSyntaxError(name, 0, f"found no valid zip archive: {error}") from error


def _only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return the one file of an archive; folders and the attributes that a Mac adds do not count."""
    members = [item for item in archive.infolist() if not item.is_dir() and not item.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        raise InputSyntaxError(name, 0, f"found {len(members):,} files in the zip archive, expected one")
    (member,) = members
    if _OUTSIDE.match(member.filename):
        found = f"found the name {member.filename[:80]!r} in the zip archive, expected one inside a folder"
        raise InputSyntaxError(name, 0, found)
    if member.flag_bits & _ENCRYPTED:
        raise InputSyntaxError(name, 0, "the zip archive is encrypted, expected one without a password")
    return member
