"""Groundings on disk: one file of arrays for some hundred examples, written whole or not at all, never a pickle.

A shard holds for each of its examples a digest of the texts, the mentions with their candidates, and the paths. The
texts themselves are not stored: the reader brings them.
"""

from __future__ import annotations

import logging
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.errors import GraphError
from kg_reason.kg.files import whole_file
from kg_reason.kg.linker import Candidate, Mention
from kg_reason.kg.paths import PathTable

DIGEST_BYTES = 16
Arrays = Mapping[str, NDArray[Any]]

UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)

logger = logging.getLogger(__name__)


class GroundedPair(NamedTuple):
    """The mentions of premise and hypothesis and the paths between them."""

    premise_mentions: tuple[Mention, ...]
    hypothesis_mentions: tuple[Mention, ...]
    paths: PathTable


def write_shard(path: Path, digests: Sequence[bytes], pairs: Sequence[GroundedPair]) -> None:
    """Write a shard, all of it or nothing.

    Args:
        path: the `.npz` file to make.
        digests: one per example, DIGEST_BYTES long.
        pairs: what was found for each example.
    """
    with whole_file(path) as beside, beside.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **_pack(digests, pairs))


def read_digests(folder: Path) -> dict[bytes, Path]:
    """Return which shard of a folder holds each example; a shard that cannot be read is passed over with a warning."""
    places: dict[bytes, Path] = {}
    for path in sorted(folder.glob("*.npz")):
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                digests = arrays["digest"]
        except UNREADABLE as error:
            logger.warning("%s: not a readable shard (%s); its examples are grounded again", path, error)
            continue
        places.update((row.tobytes(), path) for row in digests)
    return places


def read_shard(path: Path, texts: Mapping[bytes, tuple[str, str]]) -> dict[bytes, GroundedPair]:
    """Return what a shard holds of some examples.

    Args:
        path: the shard.
        texts: premise and hypothesis of the wanted examples by their digests; others in the shard are skipped.

    Raises:
        GraphError: the shard is damaged.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = dict(stored)
    except UNREADABLE as error:
        raise GraphError(f"{path}: a damaged shard of cached groundings ({error}); delete it") from error
    mention_rows = _bounds(arrays["num_mentions"].reshape(-1))
    path_rows = _bounds(arrays["num_paths"])
    mentions = _MentionReader(arrays)
    stored_paths = PathTable(**{name: arrays[f"path_{name}"] for name in PathTable._fields})
    no_paths = PathTable.empty()
    found: dict[bytes, GroundedPair] = {}
    for row, digest in enumerate(map(bytes, arrays["digest"])):
        if digest in texts:
            premise, hypothesis = texts[digest]
            start, middle, end = mention_rows[2 * row : 2 * row + 3]
            span = slice(path_rows[row], path_rows[row + 1])
            paths = stored_paths.take(span) if span.start < span.stop else no_paths
            found[digest] = GroundedPair(
                tuple(mentions.read(premise, start, middle)), tuple(mentions.read(hypothesis, middle, end)), paths
            )
    return found


def _pack(digests: Sequence[bytes], pairs: Sequence[GroundedPair]) -> dict[str, NDArray[Any]]:
    mentions = [mention for pair in pairs for mention in chain(pair.premise_mentions, pair.hypothesis_mentions)]
    candidates = [candidate for mention in mentions for candidate in mention.candidates]
    keys = [mention.key.encode("utf-8", "surrogatepass") for mention in mentions]
    tables = [pair.paths for pair in pairs] or [PathTable.empty()]
    arrays: dict[str, NDArray[Any]] = {
        "digest": np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, DIGEST_BYTES),
        "num_mentions": _column(
            (len(side) for pair in pairs for side in (pair.premise_mentions, pair.hypothesis_mentions)), np.int32
        ).reshape(-1, 2),
        "mention_start": _column((mention.start for mention in mentions), np.int32),
        "mention_end": _column((mention.end for mention in mentions), np.int32),
        "key_text": np.frombuffer(b"".join(keys), dtype=np.uint8),
        "key_bytes": _column(map(len, keys), np.int32),
        "num_candidates": _column((len(mention.candidates) for mention in mentions), np.int32),
        "candidate_entity": _column((candidate.entity for candidate in candidates), np.int32),
        "candidate_alias": _column((candidate.alias for candidate in candidates), np.int32),
        "candidate_score": _column((candidate.score for candidate in candidates), np.float64),
        "num_paths": _column((pair.paths.num_paths for pair in pairs), np.int32),
    }
    for name, columns in zip(PathTable._fields, zip(*tables, strict=True), strict=True):
        arrays[f"path_{name}"] = np.concatenate(columns)
    return arrays


class _MentionReader:
    """Makes mentions from the arrays of a shard; words recur, so equal texts, keys and candidates are one object."""

    def __init__(self, arrays: Arrays) -> None:
        self._start = arrays["mention_start"].tolist()
        self._end = arrays["mention_end"].tolist()
        key_text, key_rows = arrays["key_text"].tobytes(), _bounds(arrays["key_bytes"])
        keys = (key_text[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(key_rows))
        self._key = [sys.intern(key) for key in keys]
        self._rows = _bounds(arrays["num_candidates"])
        self._entity = arrays["candidate_entity"].tolist()
        self._alias = arrays["candidate_alias"].tolist()
        self._score = arrays["candidate_score"].tolist()
        self._made: dict[tuple[Any, ...], tuple[Candidate, ...]] = {}

    def read(self, text: str, first: int, last: int) -> Iterator[Mention]:
        for row in range(first, last):
            span = slice(self._rows[row], self._rows[row + 1])
            content = (*self._entity[span], *self._alias[span], *self._score[span])
            candidates = self._made.get(content)
            if candidates is None:
                fields = zip(self._entity[span], self._score[span], self._alias[span], strict=True)
                candidates = self._made[content] = tuple(Candidate(*values) for values in fields)
            start, end = self._start[row], self._end[row]
            yield Mention(start, end, sys.intern(text[start:end]), self._key[row], candidates)


def _bounds(counts: NDArray[np.int32]) -> list[int]:
    return [0, *np.cumsum(counts).tolist()]


def _column(values: Iterable[float], kind: type[np.generic]) -> NDArray[Any]:
    return np.fromiter(values, dtype=kind)
