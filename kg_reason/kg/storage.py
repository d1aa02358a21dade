"""Folders on disk: written beside, synced, then renamed, so that a reader sees all of one or none of it.

A graph folder holds `graph.json` (counts, relations, source names, sizes and checksums of the arrays), `arrays/*.npy`
(opened by memory map) and, once edited, `edits.jsonl`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from kg_reason.errors import GraphError, KGReasonError
from kg_reason.kg.builder import FORMAT_VERSION, Arrays, BuiltGraph

HEADER_FILE = "graph.json"
ARRAY_FOLDER = "arrays"
EDITS_FILE = "edits.jsonl"


def write_file(path: Path, content: bytes) -> None:
    """Write a file and force it to the disk."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside the old one and put it in its place in one step."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write_file(beside, content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Force the entries of a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        for folder, _, names in os.walk(beside):
            for name in names:
                with (Path(folder) / name).open("rb") as stream:
                    os.fsync(stream.fileno())
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


def save_graph(built: BuiltGraph, target: Path, *, bad_lines: bytes = b"") -> None:
    """Write a graph folder, all or nothing; `bad_lines` becomes its report of lines that were skipped."""
    with whole_folder(target, HEADER_FILE) as folder:
        (folder / ARRAY_FOLDER).mkdir()
        files: dict[str, dict[str, Any]] = {}
        for name, array in built.arrays.items():
            path = folder / ARRAY_FOLDER / f"{name}.npy"
            np.save(path, array, allow_pickle=False)
            files[name] = {"bytes": path.stat().st_size, "sha256": file_checksum(path)}
        header = {**built.header, "arrays": files}
        (folder / HEADER_FILE).write_text(json.dumps(header, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        if bad_lines:
            (folder / "bad_lines.tsv").write_bytes(bad_lines)


def open_graph(path: Path) -> BuiltGraph:
    """Return header and memory-mapped arrays of a graph folder; sizes are checked, contents are not (see `doctor`).

    Raises:
        GraphError: no graph there, another format version, a missing array or one of another size.
    """
    header = _read_header(path)
    arrays: Arrays = {}
    for name, facts in header["arrays"].items():
        array_path = path / ARRAY_FOLDER / f"{name}.npy"
        try:
            size = array_path.stat().st_size
            if size != facts["bytes"]:
                found = f"found {size:,} bytes, expected {facts['bytes']:,}"
                raise GraphError(f"{array_path}: {found}; build the graph again")
            # An empty array cannot be mapped.
            arrays[name] = np.load(array_path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError as error:
            raise GraphError(f"{array_path}: missing; build the graph again") from error
        except ValueError as error:
            raise GraphError(f"{array_path}: not a readable array ({error}); build the graph again") from error
    return BuiltGraph(header, arrays)


def _read_header(path: Path) -> dict[str, Any]:
    header_path = path / HEADER_FILE
    try:
        header = json.loads(header_path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise GraphError(f"{path}: no graph found here, expected a folder made by kg-reason build") from error
    except NotADirectoryError as error:
        raise GraphError(f"{path}: found a file, expected a folder made by kg-reason build") from error
    except ValueError as error:
        raise GraphError(f"{header_path}: not valid JSON ({error}); build the graph again") from error
    version = header.get("format_version") if isinstance(header, dict) else None
    if version != FORMAT_VERSION:
        raise GraphError(f"{header_path}: found format version {version}, expected {FORMAT_VERSION}; build it again")
    return dict(header)


def file_checksum(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def damaged_arrays(path: Path) -> list[str]:
    """Return what is wrong with the arrays of a graph folder, one sentence each; reads every byte.

    Raises:
        GraphError: the header cannot be read.
    """
    faults = []
    for name, facts in _read_header(path)["arrays"].items():
        array_path = path / ARRAY_FOLDER / f"{name}.npy"
        if not array_path.is_file():
            faults.append(f"{array_path}: missing")
        elif file_checksum(array_path) != facts["sha256"]:
            faults.append(f"{array_path}: its checksum differs from the one written at build")
    return faults
