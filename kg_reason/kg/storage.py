"""The folder of a graph: written whole, opened by memory map, checked.

It holds `graph.json` (counts, relations, source names, sizes and checksums of the arrays), `arrays/*.npy` and, once
edited, `edits.jsonl`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kg_reason.errors import GraphError
from kg_reason.kg.builder import FORMAT_VERSION, Arrays, BuiltGraph
from kg_reason.kg.files import file_checksum, whole_folder
from kg_reason.kg.stored_arrays import StoredArrays, array_path, map_array

HEADER_FILE = "graph.json"
ARRAY_FOLDER = "arrays"
EDITS_FILE = "edits.jsonl"


def save_graph(built: BuiltGraph, target: Path) -> None:
    """Write a graph folder, all or nothing."""
    with new_graph_folder(target) as arrays:
        arrays.update(built.arrays)
        write_header(built.header, arrays)


@contextmanager
def new_graph_folder(target: Path) -> Iterator[StoredArrays]:
    """Yield what takes the arrays of a graph; when the block ends well, its folder takes its place, all or nothing.

    The block calls `write_header` once all arrays are there.
    """
    with whole_folder(target, HEADER_FILE) as folder:
        yield StoredArrays(folder / ARRAY_FOLDER)


def write_header(header: Mapping[str, Any], arrays: StoredArrays, *, bad_lines: bytes = b"") -> None:
    """Write what makes a folder with arrays a graph; `bad_lines` becomes its report of lines that were skipped."""
    files: dict[str, dict[str, Any]] = {}
    for name in arrays:
        path = array_path(arrays.folder, name)
        files[name] = {"bytes": path.stat().st_size, "sha256": file_checksum(path)}
    folder = arrays.folder.parent
    text = json.dumps({**header, "arrays": files}, ensure_ascii=False, indent=1) + "\n"
    (folder / HEADER_FILE).write_text(text, encoding="utf-8")
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
        file = array_path(path / ARRAY_FOLDER, name)
        try:
            size = file.stat().st_size
            if size != facts["bytes"]:
                found = f"found {size:,} bytes, expected {facts['bytes']:,}"
                raise GraphError(f"{file}: {found}; build the graph again")
            arrays[name] = map_array(file)
        except FileNotFoundError as error:
            raise GraphError(f"{file}: missing; build the graph again") from error
        except ValueError as error:
            raise GraphError(f"{file}: not a readable array ({error}); build the graph again") from error
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
        file = array_path(path / ARRAY_FOLDER, name)
        if not file.is_file():
            faults.append(f"{file}: missing")
        elif file_checksum(file) != facts["sha256"]:
            faults.append(f"{file}: its checksum differs from the one written at build")
    return faults
