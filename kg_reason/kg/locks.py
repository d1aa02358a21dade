"""Locks between processes: who changes a graph holds one, who reads it needs none.

A lock is a file that says who holds it, locked by the operating system (`flock`), so it is free as soon as its holder
is gone, however that ended. The file is removed when the lock is given back. Two locks guard a graph folder: `.lock`
inside it against everything that changes this very graph, and `.NAME.lock` beside it, which only a build takes, against
a second build of the same name. Systems without `flock` have no locks: there, one process at a time is up to the user.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kg_reason.errors import GraphError
from kg_reason.kg.files import name_full_disk

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = ".lock"
POLL_SECONDS = 0.02


@contextmanager
def locked(place: Path, target: Path, activity: str, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a lock while the block runs.

    Args:
        place: the lock file.
        target: what it guards, for the message.
        activity: what the holder does to it: `edited` or `built`.
        wait_seconds: how long to wait for another holder.

    Raises:
        GraphError: another process holds it, or another thread of this one, or there may be no lock at this place.
    """
    if fcntl is None:
        yield
        return
    try:
        handle = _acquire(place, target, time.monotonic() + wait_seconds)
    except OSError as error:
        raise GraphError(f"{target}: cannot be {activity}: {place}: {error.strerror}") from error
    try:
        holder = {
            "activity": activity, "process": os.getpid(), "host": platform.node(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }  # fmt: skip
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps(holder).encode())
        yield
    except OSError as error:
        name_full_disk(error, target)
        raise
    finally:
        try:
            if _is_at(handle, place):  # a folder that was replaced meanwhile took its lock file along
                place.unlink(missing_ok=True)
        finally:
            os.close(handle)


def _acquire(place: Path, target: Path, deadline: float) -> int:
    while True:
        handle = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 4096, 0)
            os.close(handle)
            if time.monotonic() >= deadline:
                raise GraphError(f"{target}: {_describe(holder)}; wait until that is done and try again") from error
            time.sleep(POLL_SECONDS)
            continue
        except OSError:
            os.close(handle)
            raise
        if _is_at(handle, place):
            return handle
        os.close(handle)  # its holder gave it back and removed it between the two calls


def _is_at(handle: int, place: Path) -> bool:
    """Tell whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), place.stat())
    except FileNotFoundError:
        return False


def _describe(holder: bytes) -> str:
    try:
        facts = json.loads(holder)
        return f"being {facts['activity']} by process {facts['process']} on {facts['host']} since {facts['since']}"
    except (ValueError, KeyError, TypeError):  # the holder has not written yet
        return "being changed by another process"
