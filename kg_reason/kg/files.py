"""Files and folders on disk: written beside, synced, then renamed, so that a reader sees all of one or none of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from kg_reason.errors import ConfigError, KGReasonError

UNFINISHED = ".part"  # suffix of what is being written


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` for a file that takes its place when the block ends well, and vanishes otherwise.

    Raises:
        KGReasonError: the target is a folder, or its own folder does not exist.
    """
    if target.is_dir():
        raise KGReasonError(f"{target}: found a folder, expected the name of a file")
    if not target.parent.is_dir():
        raise KGReasonError(f"{target}: cannot be written: there is no folder {target.parent}")
    beside = _beside(target, UNFINISHED)
    try:
        yield beside
        _sync_file(beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(target.parent)


def replace_file(target: Path, content: bytes) -> None:
    """Write a file in one step."""
    with whole_file(target) as beside:
        beside.write_bytes(content)


@contextmanager
def whole_folder(target: Path, marker: str) -> Iterator[Path]:
    """Yield a fresh folder beside `target` that takes its place when the block ends well, and vanishes otherwise.

    Args:
        target: the folder to make or to replace.
        marker: the file that shows an existing target to be ours; a folder without it is not replaced.

    Raises:
        KGReasonError: the target exists and is something else.
    """
    if target.exists() and not (target / marker).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise KGReasonError(f"{target}: found something other than a folder with {marker}; it is left alone")
    target.parent.mkdir(parents=True, exist_ok=True)
    beside, old = _beside(target, UNFINISHED), _beside(target, ".old")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        for folder, _, names in os.walk(beside):
            for name in names:
                _sync_file(Path(folder, name))
            sync_folder(Path(folder))
        if target.exists():
            target.replace(old)
        beside.replace(target)
        sync_folder(target.parent)
    finally:
        if old.exists() and not target.exists():
            old.replace(target)
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def sync_folder(path: Path) -> None:
    """Force the entries of a folder to the disk."""
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_checksum(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}{suffix}")


def _sync_file(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def read_toml(path: str, room: str, shipped: str) -> dict[str, Any]:
    """Return what a TOML file of the user says, or the one that a room ships where the path is empty.

    Args:
        path: of the user's file.
        room: the package of the shipped one.
        shipped: its name.

    Raises:
        ConfigError: it cannot be read as TOML.
    """
    try:
        place = Path(path) if path else files(room).joinpath(shipped)
        return tomllib.loads(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path or shipped}: {error}") from error
