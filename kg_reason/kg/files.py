"""Files and folders on disk: written beside, synced, then renamed, so that a reader sees all of one or none of it.

What is being written stands beside its target as `.NAME.PROCESS@HOST.part`. A process that is killed leaves it there;
the next one that writes the same target removes it. Where the system cannot exchange two folders in one step, the old
one is `.NAME.PROCESS@HOST.old` for a moment, and `restore_folder` brings it back after a kill in that moment.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import logging
import os
import platform
import re
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from kg_reason.errors import ConfigError, KGReasonError

logger = logging.getLogger(__name__)

UNFINISHED = ".part"  # suffix of what is being written
REPLACED = ".old"  # suffix of a folder between two renames

_CURRENT_FOLDER = -100  # of renameat2 of Linux: paths are as the process sees them
_EXCHANGE = 2
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Leftover(NamedTuple):
    """What a process that is gone left beside a target."""

    path: Path
    is_folder: bool


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` for a file that takes its place when the block ends well, and vanishes otherwise.

    Raises:
        KGReasonError: the target is a folder, or its own folder does not exist or may not be written to.
    """
    if target.is_dir():
        raise KGReasonError(f"{target}: found a folder, expected the name of a file")
    if not target.parent.is_dir():
        raise KGReasonError(f"{target}: cannot be written: there is no folder {target.parent}")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise KGReasonError(f"{target}: cannot be written: no permission in {target.parent}")
    for leftover in leftovers(target):
        if not leftover.is_folder:
            leftover.path.unlink(missing_ok=True)
    beside = _beside(target, UNFINISHED)
    try:
        yield beside
        _sync_file(beside)
        beside.replace(target)
    except OSError as error:
        name_full_disk(error, target)
        raise
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
    restore_folder(target, marker)
    if target.exists() and not (target / marker).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise KGReasonError(f"{target}: found something other than a folder with {marker}; it is left alone")
    target = Path(os.path.realpath(target))  # a link stays, and what it leads to is replaced
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in leftovers(target):
        if leftover.is_folder:
            shutil.rmtree(leftover.path, ignore_errors=True)
    beside = _beside(target, UNFINISHED)
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        for folder, _, names in os.walk(beside):
            for name in names:
                _sync_file(Path(folder, name))
            sync_folder(Path(folder))
        _put_in_place(beside, target)
        sync_folder(target.parent)
    except OSError as error:
        name_full_disk(error, target)
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def name_full_disk(error: OSError, target: Path) -> None:
    """Give an error of a full disk the name of what was being written, which the system does not tell."""
    if error.errno in _NO_ROOM and error.filename is None:
        error.filename = str(target)


def restore_folder(target: Path, marker: str) -> bool:
    """Bring back a folder that a killed process had set aside to replace it; tell whether there was one.

    Args:
        target: the folder; nothing happens where it exists.
        marker: the file without which a folder is not ours.
    """
    if target.exists():
        return False
    target = Path(os.path.realpath(target))
    for leftover in leftovers(target):
        if leftover.path.suffix == REPLACED and (leftover.path / marker).is_file():
            leftover.path.replace(target)
            logger.warning("%s: brought back; a process was killed while it replaced this folder", target)
            return True
    return False


def leftovers(target: Path) -> list[Leftover]:
    """Return what processes that are gone left beside a target; those of other hosts cannot be known to be gone."""
    kinds = f"{re.escape(UNFINISHED)}|{re.escape(REPLACED)}"
    pattern = re.compile(rf"\.{re.escape(target.name)}\.(\d+)(?:@(.*))?(?:{kinds})", re.DOTALL)
    found = []
    try:
        with os.scandir(target.parent) as entries:
            for entry in entries:
                match = pattern.fullmatch(entry.name)
                if match and match[2] in (None, _host()) and not _is_running(int(match[1])):
                    found.append(Leftover(Path(entry.path), entry.is_dir(follow_symlinks=False)))
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # it may be open for writing, closed for looking
        return []
    return sorted(found)


def _put_in_place(beside: Path, target: Path) -> None:
    """Give a finished folder its name; one that has the name is at `beside` afterwards, or gone."""
    if not target.exists():
        beside.replace(target)
    elif not _exchange(beside, target):
        old = _beside(target, REPLACED)
        target.replace(old)
        try:
            beside.replace(target)
        except OSError:
            old.replace(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False where the system has no such step."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    paths = (_CURRENT_FOLDER, os.fsencode(one), _CURRENT_FOLDER, os.fsencode(other))
    return rename is not None and rename(*paths, _EXCHANGE) == 0


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
    return target.with_name(f".{target.name}.{os.getpid()}@{_host()}{suffix}")


def _host() -> str:
    return platform.node().replace(os.sep, "_")


def _is_running(process: int) -> bool:
    if os.name != "posix":  # elsewhere the question would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


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
