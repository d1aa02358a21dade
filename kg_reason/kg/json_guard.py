"""JSON-LD before it is parsed: read whole within limits, and its outside contexts put in from local files.

A context at another address is never fetched. A user who trusts one keeps a copy and names it: `--context URL=FILE`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from kg_reason.errors import ConfigError
from kg_reason.kg.nesting import RefusedFileError, json_nesting

MAX_CONTEXT_BYTES = 4 << 20
MAX_CONTEXTS_INSIDE = 8  # contexts that name contexts

_CONTEXT_HEAD = b'{"@context":'
_CONTEXT = re.compile(rb'"@context"\s*:\s*(?=["\[])')
_IMPORT = re.compile(rb'"@import"\s*:\s*("[^"\\]*+")')
_TOKEN = re.compile(rb'\s*+(?:("[^"\\]*+(?:\\.[^"\\]*+)*+")|([\[{])|([\]}])|([^\s"\[\]{}]++))', re.DOTALL)


class LocalContexts:
    """Local copies of JSON-LD contexts by their addresses; the files are read when an address is met.

    Args:
        settings: each `URL=FILE`.
        max_mb: how large a document may become.

    Attributes:
        missing: the addresses met that have no copy, with the line of the first; 0 in a copy.
        imported: the first of those under `@import` in each document, which no copy replaces, likewise.

    Raises:
        ConfigError: a setting is not of that form.
    """

    def __init__(self, settings: Sequence[str], max_mb: int) -> None:
        self._max_bytes = max_mb << 20
        self.missing: dict[str, int] = {}
        self.imported: dict[str, int] = {}
        self._files: dict[str, str] = {}
        self._texts: dict[str, bytes] = {}
        for item in settings:
            url, _, file = item.rpartition("=")
            if not url or not file:
                raise ConfigError(f"context: found {item!r}, expected URL=FILE")
            self._files[url] = file

    def put_in(self, data: bytes, *, inside: int = 0) -> bytes:
        """Return a document with the contexts that it names by an address replaced by their local copies.

        Lines stay what they are: a copy is put in without line feeds. What has no copy is left to the parser, which
        refuses it where it is a context indeed, and not part of a JSON literal.

        Args:
            data: JSON text; where it is none, the parser is to say so.
            inside: how many contexts it lies in.

        Raises:
            RefusedFileError: contexts name each other, or the document becomes too long.
            ConfigError: a local copy cannot be used.
        """
        if imported := _IMPORT.search(data):
            self.imported.setdefault(_text(imported[1]), 0 if inside else 1 + data.count(b"\n", 0, imported.start(1)))
        parts, done, num_bytes = [], 0, len(data)
        line, counted = 1, 0
        for start, end in _addresses(data):
            url = _text(data[start:end])
            line += data.count(b"\n", counted, start)
            counted = start
            if url not in self._files:
                self.missing.setdefault(url, line if not inside else 0)
                continue
            if inside == MAX_CONTEXTS_INSIDE:
                raise RefusedFileError(line, f"found the context {url} inside {inside} others, expected fewer")
            parts += [data[done:start], self._copy(url, inside)]
            done = end
            num_bytes += len(parts[-1])
            if num_bytes > self._max_bytes:
                raise RefusedFileError(line, "found contexts that make the document too long (--max-json-mb)")
        return b"".join([*parts, data[done:]])

    def _copy(self, url: str, inside: int) -> bytes:
        """Return the context of the local copy, the contexts that it names put in."""
        if url not in self._texts:
            context = self.put_in(_read_context(self._files[url]), inside=inside + 1)
            self._texts[url] = context.removeprefix(_CONTEXT_HEAD).removesuffix(b"}")
        return self._texts[url]


def read_json(stream: BinaryIO, *, max_mb: int, max_depth: int) -> bytes:
    """Read a JSON-LD document to its end.

    Raises:
        RefusedFileError: it is longer than `max_mb`, or nested deeper than `max_depth`.
    """
    data = stream.read((max_mb << 20) + 1)
    if len(data) > max_mb << 20:
        raise RefusedFileError(0, f"found more than {max_mb:,} MB of JSON-LD, which is read whole (--max-json-mb)")
    json_nesting(max_depth).check(data)
    return data


def _read_context(file: str) -> bytes:
    """Return the context of a local file as a document on one line."""
    try:
        with Path(file).open("rb") as stream:
            data = read_json(cast(BinaryIO, stream), max_mb=MAX_CONTEXT_BYTES >> 20, max_depth=128)
        document = json.load(io.BytesIO(data))
    except OSError as error:
        raise ConfigError(f"context: {file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"context: {file}: found no JSON: {error}") from error
    if not isinstance(document, dict) or "@context" not in document:
        raise ConfigError(f'context: {file}: found no object with "@context"')
    return _CONTEXT_HEAD + json.dumps(document["@context"]).encode() + b"}"


def _addresses(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of every string that names a context: under `@context`, or in a list there."""
    done = 0
    for match in _CONTEXT.finditer(data):
        if match.start() < done:  # inside a context that was looked at as a whole
            continue
        lists: list[bool] = []  # of the brackets that are open: whether it is a list of contexts
        is_key, is_context = False, True
        token = _TOKEN.match(data, match.end())
        while token is not None:
            done = token.end()
            if token[1] and (is_context or (lists and lists[-1])):
                yield token.span(1)
            elif token[2]:
                lists.append(is_context and token[2] == b"[")
            elif token[3] and lists:
                lists.pop()
            is_key, is_context = token[1] == b'"@context"', is_key and token[4] == b":"
            if not lists:
                break
            token = _TOKEN.match(data, done)


def _text(token: bytes) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return token.decode(errors="replace")
