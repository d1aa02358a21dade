"""Faults of a disk by counting: the n-th call that writes below a folder fails, or ends the process.

    with FailingCalls(folder, at=3, error=errno.ENOSPC, lasts=True) as calls:
        build_graph(...)
    calls.number  # how many calls there were

Counted are the calls of Python that change a file system: open for writing, write, fsync, truncate, mkdir, rename,
exchange, unlink and rmdir. What C code writes by itself is not seen; kg_reason gives numpy a stream that is not a plain
file here, so arrays are written by calls, too.
"""

# ruff: noqa: ANN401 (it stands in for functions of any signature)
from __future__ import annotations

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from kg_reason.kg import files

KILL = -1  # instead of an error: the process ends as by kill -9
BY_PATH = ("mkdir", "rename", "replace", "rmdir", "truncate", "unlink")
BY_HANDLE = ("fsync", "ftruncate", "write")
FREEING = ("exchange", "rename", "replace", "rmdir", "truncate", "ftruncate", "unlink")  # what a full disk allows


class FailingCalls:
    """Counts calls, and lets one of them or all from there on fail.

    Args:
        folder: calls with paths outside of it are not counted.
        at: number of the first call that fails, from 1; 0: none.
        error: number of the error, or `KILL`.
        lasts: whether later calls fail as well; those that need no room succeed with ENOSPC.
    """

    def __init__(self, folder: Path, *, at: int = 0, error: int = errno.EIO, lasts: bool = False) -> None:
        self.number = 0
        self.failed = ""  # the first call that failed
        self._folder, self._at, self._error, self._lasts = str(folder), at, error, lasts
        self._stack = ExitStack()

    def __enter__(self) -> FailingCalls:
        for name in BY_PATH:
            self._replace(os, name, self._path_call(name, getattr(os, name)))
        for name in BY_HANDLE:
            self._replace(os, name, self._handle_call(name, getattr(os, name)))
        self._replace(os, "open", self._os_open(os.open))
        opened = self._open(io.open)
        self._replace(io, "open", opened)
        self._replace(builtins, "open", opened)
        self._replace(files, "_exchange", self._exchange(files._exchange))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def count(self, name: str, path: str = "", *, half: Callable[[], None] = lambda: None) -> None:
        """Count a call; where it is to fail, do half of it and raise."""
        self.number += 1
        is_hit = self.number == self._at or (self._lasts and bool(self._at) and self.number > self._at)
        if not is_hit or (self._error == errno.ENOSPC and name in FREEING):
            return
        half()
        if self._error == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        self.failed = self.failed or name
        raise OSError(self._error, os.strerror(self._error), path or None)

    def _replace(self, module: Any, name: str, function: Callable[..., Any]) -> None:
        self._stack.enter_context(mock.patch.object(module, name, function))

    def _is_inside(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self._folder)

    def _path_call(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *arguments: Any, **options: Any) -> Any:
            if self._is_inside(path) or options.get("dir_fd") is not None:
                self.count(name, str(path))
            return function(path, *arguments, **options)

        return call

    def _handle_call(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(handle: int, *arguments: Any) -> Any:
            self.count(name)
            return function(handle, *arguments)

        return call

    def _os_open(self, function: Callable[..., int]) -> Callable[..., int]:
        def call(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
            if self._is_inside(path) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self.count("open", str(path))
            return function(path, flags, *arguments, **options)

        return call

    def _open(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            if not self._is_inside(path) or not set(mode) & set("wxa+"):
                return function(path, mode, *arguments, **options)
            self.count("open", str(path))
            return _CountedFile(function(path, mode, *arguments, **options), self)

        return call

    def _exchange(self, function: Callable[[Path, Path], bool]) -> Callable[[Path, Path], bool]:
        def call(one: Path, other: Path) -> bool:
            try:
                self.count("exchange")
            except OSError:
                return False
            return function(one, other)

        return call


class _CountedFile:
    """An open file whose writing calls are counted."""

    def __init__(self, file: Any, calls: FailingCalls) -> None:
        self._file, self._calls = file, calls

    def __enter__(self) -> _CountedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, content: Any) -> int:
        """Write, where this call does not fail; then half is written."""
        self._calls.count("write", half=lambda: self._write_half(content))
        return int(self._file.write(content))

    def _write_half(self, content: Any) -> None:
        self._file.write(content[: len(content) // 2])
        self._file.flush()

    def truncate(self, size: int | None = None) -> int:
        """Cut the file off, where this call does not fail."""
        self._calls.count("ftruncate")
        return int(self._file.truncate(size))
