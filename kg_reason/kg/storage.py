"""The folder of a graph: written whole, opened by memory map, checked.

It holds `graph.json` (counts, relations, source names, sizes and checksums of the arrays), `arrays/*.npy` and, once
edited, `edits.jsonl`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from kg_reason.errors import GraphError
from kg_reason.kg.builder import FORMAT_VERSION, Arrays, BuiltGraph
from kg_reason.kg.files import file_checksum, whole_folder

HEADER_FILE = "graph.json"
ARRAY_FOLDER = "arrays"
EDITS_FILE = "edits.jsonl"


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
            # A plain view of the map: np.memmap makes every reading of a single item several times as dear.
            arrays[name] = np.asarray(np.load(array_path, mmap_mode="r", allow_pickle=False))
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
