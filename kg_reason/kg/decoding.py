"""Text of any encoding as UTF-8, strictly and piece by piece; which one it is in is the user's to say, never guessed.

UTF-8 passes as it is: its readers tell the bad lines. What every other encoding cannot mean ends the file, with line
and column.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from kg_reason.errors import ConfigError, InputSyntaxError

_MARKS = {  # byte order marks, the longest first, and the encodings that they may begin
    codecs.BOM_UTF32_LE: ("utf-32", "utf-32-le"), codecs.BOM_UTF32_BE: ("utf-32", "utf-32-be"),
    codecs.BOM_UTF8: ("utf-8", "utf-8-sig"),
    codecs.BOM_UTF16_LE: ("utf-16", "utf-16-le"), codecs.BOM_UTF16_BE: ("utf-16", "utf-16-be"),
}  # fmt: skip
_NEED_A_MARK = ("utf-16", "utf-32")
_UTF8 = ("utf-8", "utf-8-sig")
_XML_ENCODING = re.compile(r"""\A(<\?xml\s[^>]*?\bencoding\s*=\s*)(?:"[^"]*"|'[^']*')""")


def known_encoding(encoding: str) -> str:
    """Return Python's own name of an encoding.

    Raises:
        ConfigError: it is unknown, or none of text.
    """
    try:
        "a".encode(encoding)  # what is no encoding of text says so only when it is used
        codecs.getincrementaldecoder(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        expected = "expected one of text, such as utf-8, utf-16, gb18030 or cp1252"
        raise ConfigError(f"encoding: found {encoding!r}, {expected}") from error


def utf8_pieces(head: bytes, rest: Iterator[bytes], name: str, encoding: str) -> Iterator[bytes]:
    """Yield a text as UTF-8, without its byte order mark; an XML declaration then says UTF-8 too.

    Args:
        head: its first bytes: 512, or all there are.
        rest: what follows them.
        name: as the user named the file.
        encoding: as the user named it.

    Raises:
        ConfigError: the encoding is unknown.
        InputSyntaxError: a byte order mark is of another encoding, or missing where the order of the bytes hangs on it;
            bytes that the encoding cannot mean, with line and column.
    """
    known = known_encoding(encoding)
    mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
    if mark and known not in _MARKS[mark]:
        found = f"found {_MARKS[mark][0].upper()} text by its byte order mark, expected {encoding.upper()}"
        raise InputSyntaxError(name, 1, f"{found} (--encoding {_MARKS[mark][0]})")
    if head and not mark and known in _NEED_A_MARK:
        raise InputSyntaxError(name, 1, f"found no byte order mark, expected --encoding {known}-le or -be")
    if known in _UTF8:
        return chain((head[len(mark) :],), rest)
    return _decoded(chain((head,), rest), name, encoding)


def _decoded(pieces: Iterator[bytes], name: str, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line, column = 1, 1
    is_first = True
    for piece in chain(filter(None, pieces), (b"",)):  # an empty one is the end
        state = decoder.getstate()
        try:
            text = decoder.decode(piece, final=not piece)
            data = text.encode()  # halves of surrogate pairs are no text
        except UnicodeError as error:
            decoder.setstate(state)
            good = _good_part(decoder, piece)
            line, column = _place_after(good.text, line, column)
            reason = f"expected {encoding.upper()} text, found {good.found}"
            raise InputSyntaxError(name, line, f"column {column}: {reason}") from error
        if is_first and text:
            is_first = False
            text = text.removeprefix("\ufeff")
            data = _XML_ENCODING.sub(r'\1"utf-8"', text, count=1).encode()
        line, column = _place_after(text, line, column)
        yield data


class _GoodPart(NamedTuple):
    """What could be decoded of a piece, and what was found behind it."""

    text: str
    found: str


def _good_part(decoder: codecs.IncrementalDecoder, piece: bytes) -> _GoodPart:
    """Decode a piece byte by byte up to its fault."""
    text = ""
    for byte in piece:
        try:
            more = decoder.decode(bytes([byte]))
            more.encode()
        except UnicodeError:
            return _GoodPart(text, f"byte 0x{byte:02X}")
        text += more
    return _GoodPart(text, "the end of the file inside a character")


def _place_after(text: str, line: int, column: int) -> tuple[int, int]:
    """Return line and column behind a text that starts at a place."""
    num_line_feeds = text.count("\n")
    if not num_line_feeds:
        return line, column + len(text)
    return line + num_line_feeds, len(text) - text.rfind("\n")
