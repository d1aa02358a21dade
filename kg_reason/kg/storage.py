"""The folder of a graph: written whole, opened by memory map, checked.

It holds `graph.json` (counts, relations, source names; type, shape, size and checksums of the arrays; a checksum of
itself), `arrays/*.npy`, the report of lines that were skipped, if any, and, once edited, `edits.jsonl` (`edit_log.py`).
Every array has two checksums: `sha256` of the file, which `doctor` compares, and `sum`, the sum of the 64-bit words of
its content, which is ten times as fast and finds every single changed byte. Up to `MAX_SUMMED_BYTES` opening compares
it; the arrays of a larger graph are compared before the first of them is used (`check_arrays`).
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.errors import GraphError
from kg_reason.kg.builder import FORMAT_VERSION, BuiltGraph
from kg_reason.kg.edit_log import Edit, read_edits
from kg_reason.kg.files import file_checksum, restore_folder, whole_folder
from kg_reason.kg.locks import LOCK_FILE, locked
from kg_reason.kg.stored_arrays import Arrays, StoredArrays, array_path, map_array

HEADER_FILE = "graph.json"
ARRAY_FOLDER = "arrays"
BAD_LINES_FILE = "bad_lines.tsv"
CHECKSUM = "checksum"  # of the header, in the header
UNCHECKED_VERSION = 1  # its header has no checksum, and tells no types and shapes
REQUIRED = ("arrays", "fingerprint", "languages", "num_edges", "relations", "sources")
MAX_SUMMED_BYTES = 1 << 27
PLAIN_KINDS = "biuf"  # of numpy types: truth values, integers, numbers
MAX_TRIES = 5  # at a folder that is replaced while it is opened
EDIT_WAIT_SECONDS = 10.0


class StoredGraph(NamedTuple):
    """A graph folder as it was at one moment: the built graph and the edits that stand."""

    built: BuiltGraph
    edits: tuple[Edit, ...]


def save_graph(built: BuiltGraph, target: Path, *, bad_lines: bytes = b"") -> None:
    """Write a graph folder, all or nothing; `bad_lines` becomes its report of lines that were skipped."""
    with new_graph_folder(target) as arrays:
        arrays.update(built.arrays)
        write_header(built.header, arrays, bad_lines=bad_lines)


@contextmanager
def new_graph_folder(target: Path) -> Iterator[StoredArrays]:
    """Yield what takes the arrays of a graph; when the block ends well, its folder takes its place, all or nothing.

    The block calls `write_header` once all arrays are there.
    """
    with whole_folder(target, HEADER_FILE) as folder:
        yield StoredArrays(folder / ARRAY_FOLDER)


def write_header(header: Mapping[str, Any], arrays: StoredArrays, *, bad_lines: bytes = b"") -> None:
    """Write what makes a folder with arrays a graph; `bad_lines` becomes its report of lines that were skipped."""
    folder = arrays.folder.parent
    files: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        path = array_path(arrays.folder, name)
        facts = {"dtype": array.dtype.str, "shape": list(array.shape), "sum": word_sum(array)}
        files[name] = {**facts, "bytes": path.stat().st_size, "sha256": file_checksum(path)}
    # As it will be read: its checksum is made from that.
    written = json.loads(json.dumps({**header, "format_version": FORMAT_VERSION, "arrays": files}))
    written.pop("bad_lines", None)  # of a graph that was opened
    if bad_lines:
        (folder / BAD_LINES_FILE).write_bytes(bad_lines)
        written["bad_lines"] = {"bytes": len(bad_lines), "sha256": file_checksum(folder / BAD_LINES_FILE)}
    written[CHECKSUM] = header_checksum(written)
    (folder / HEADER_FILE).write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def open_graph(path: Path) -> BuiltGraph:
    """Return header and memory-mapped arrays of a graph folder.

    The header and the sizes of the arrays are checked, and their sums too where all arrays together are not larger
    than `MAX_SUMMED_BYTES`.

    Raises:
        GraphError: no graph there, a version that is not known, or a damaged or missing file.
    """
    header = read_header(path)
    has_sums = header["format_version"] > UNCHECKED_VERSION
    arrays: Arrays = {}
    for name, facts in header["arrays"].items():
        file = array_path(path / ARRAY_FOLDER, name)
        arrays[name] = _map_array(file, facts) if has_sums else _load_array(file, facts)
    built = BuiltGraph(header, arrays, is_checked=not has_sums)
    if sum(facts["bytes"] for facts in header["arrays"].values()) <= MAX_SUMMED_BYTES:
        check_arrays(built, path)
    return built


def check_arrays(built: BuiltGraph, path: Path | None) -> None:
    """Compare the sums of the arrays with those written at build, unless that was done; `path` is for the message.

    What follows the numbers of an array without looking, as compiled code does, may only run after this.

    Raises:
        GraphError: an array was changed.
    """
    if built.is_checked:
        return
    for name, facts in built.header["arrays"].items():
        total = word_sum(built.arrays[name])
        _let_go(built.arrays[name])
        if total != facts["sum"]:
            place = f"{path}/{ARRAY_FOLDER}/{name}.npy"
            raise GraphError(f"{place}: its sum differs from the one written at build; build the graph again")
    built.is_checked = True


def open_with_edits(path: Path) -> StoredGraph:
    """Return a graph folder with its edits, both of one moment, also while another process replaces the folder.

    Raises:
        GraphError: as `open_graph`, or a record of the edits is damaged.
    """
    for _ in range(MAX_TRIES):
        before = _header_bytes(path)
        try:
            stored = StoredGraph(open_graph(path), read_edits(path))
        except GraphError:
            if _header_bytes(path) == before:
                raise
            continue
        if _header_bytes(path) == before:
            return stored
    raise GraphError(f"{path}: was replaced {MAX_TRIES} times while it was opened, expected it to stay for a moment")


@contextmanager
def edit_lock(folder: Path) -> Iterator[None]:
    """Keep others from changing a graph folder while the block runs; wait a while for those who do.

    Raises:
        GraphError: no graph is there, or another process holds the lock for too long.
    """
    read_header(folder)
    with locked(folder / LOCK_FILE, folder, "edited", wait_seconds=EDIT_WAIT_SECONDS):
        yield


@contextmanager
def build_lock(folder: Path) -> Iterator[None]:
    """Keep others from building or changing a graph folder, which need not exist, while the block runs.

    Raises:
        GraphError: another process does so at this moment.
    """
    place = Path(os.path.realpath(folder))
    missing = [above for above in place.parents if not above.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        restore_folder(folder, HEADER_FILE)
        with locked(place.with_name(f".{place.name}{LOCK_FILE}"), folder, "built"):
            is_graph = (folder / HEADER_FILE).is_file()
            with locked(folder / LOCK_FILE, folder, "built") if is_graph else nullcontext():
                yield
    finally:
        for above in missing:
            with suppress(OSError):  # as soon as one holds something
                above.rmdir()


def read_bad_lines(path: Path) -> bytes:
    """Return the report of the lines that were skipped when a graph was built; empty if there were none.

    Raises:
        GraphError: it is missing or damaged.
    """
    place = path / BAD_LINES_FILE
    facts = read_header(path).get("bad_lines")
    if facts is None:
        return place.read_bytes() if place.is_file() else b""
    with _open_file(place, facts["bytes"]) as stream:
        content = stream.read()
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        raise GraphError(f"{place}: its checksum differs from the one written at build; build the graph again")
    return content


def damaged_files(path: Path) -> list[str]:
    """Return what is wrong with the files of a graph folder, one sentence each; reads every byte.

    Raises:
        GraphError: the header cannot be read.
    """
    header = read_header(path)
    files = {array_path(path / ARRAY_FOLDER, name): facts for name, facts in header["arrays"].items()}
    if "bad_lines" in header:
        files[path / BAD_LINES_FILE] = header["bad_lines"]
    faults = []
    for place, facts in files.items():
        if not place.is_file():
            faults.append(f"{place}: missing")
        elif place.stat().st_size != facts["bytes"]:
            faults.append(f"{place}: found {place.stat().st_size:,} bytes, expected {facts['bytes']:,}")
        elif file_checksum(place) != facts["sha256"]:
            faults.append(f"{place}: its checksum differs from the one written at build")
    return faults


def header_checksum(header: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a header without its checksum, whatever its layout as text."""
    rest = {name: value for name, value in header.items() if name != CHECKSUM}
    text = json.dumps(rest, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def word_sum(array: NDArray[Any]) -> str:
    """Return the sum of the 64-bit words of an array modulo 2**64, in hexadecimal; the last word is filled with 0."""
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    num_whole = len(content) // 8 * 8
    total = int(content[:num_whole].view("<u8").sum(dtype=np.uint64))
    return f"{(total + int.from_bytes(content[num_whole:].tobytes(), 'little')) % (1 << 64):016x}"


def _map_array(path: Path, facts: Mapping[str, Any]) -> NDArray[Any]:
    """Map an array by what the header says of it; the array's own header is not needed."""
    dtype, shape = np.dtype(facts["dtype"]), tuple(facts["shape"])
    num_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    with _open_file(path, facts["bytes"]) as stream:
        content = np.frombuffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), dtype=np.uint8)
    # A plain view of the map: np.memmap makes every reading of a single item several times as dear.
    array: NDArray[Any] = content[len(content) - num_bytes :].view(dtype)
    return array.reshape(shape)


def _let_go(array: NDArray[Any]) -> None:
    """Take the pages of a mapped array out of this process's memory, so that a graph counts as what is used of it."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def _load_array(path: Path, facts: Mapping[str, Any]) -> NDArray[Any]:
    """Map an array by its own header."""
    _open_file(path, facts["bytes"]).close()
    try:
        return map_array(path)
    except ValueError as error:
        raise GraphError(f"{path}: not a readable array ({error}); build the graph again") from error


def _open_file(path: Path, num_bytes: int) -> BinaryIO:
    """Open a file that is there and has this size."""
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise GraphError(f"{path}: missing; build the graph again") from error
    size = os.fstat(stream.fileno()).st_size
    if size != num_bytes:
        stream.close()
        raise GraphError(f"{path}: found {size:,} bytes, expected {num_bytes:,}; build the graph again")
    return stream


def _header_bytes(path: Path) -> bytes:
    try:
        return (path / HEADER_FILE).read_bytes()
    except (OSError, ValueError):  # what is wrong is told by `read_header`
        return b""


def read_header(path: Path) -> dict[str, Any]:
    """Return what `graph.json` of a graph folder says, checked.

    Raises:
        GraphError: no graph there, a version that is not known, or a damaged header.
    """
    header_path = path / HEADER_FILE
    try:
        restore_folder(path, HEADER_FILE)
        header = json.loads(header_path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        address = "; an endpoint is named sparql:URL" if path.parts[:1] in (("http:",), ("https:",)) else ""
        raise GraphError(f"{path}: no graph found here, expected a folder made by kg-reason build{address}") from error
    except NotADirectoryError as error:
        raise GraphError(f"{path}: found a file, expected a folder made by kg-reason build") from error
    except OSError as error:
        raise GraphError(f"{header_path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise GraphError(f"{header_path}: not valid JSON ({error}); build the graph again") from error
    version = header.get("format_version") if isinstance(header, dict) else None
    if not isinstance(version, int) or version not in range(UNCHECKED_VERSION, FORMAT_VERSION + 1):
        raise GraphError(f"{header_path}: found format version {version}, expected {FORMAT_VERSION}; build it again")
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise GraphError(f"{header_path}: found no {', '.join(missing)}; build the graph again")
    if version > UNCHECKED_VERSION or CHECKSUM in header:
        if header.get(CHECKSUM) != header_checksum(header):
            raise GraphError(f"{header_path}: its checksum differs from the one written at build; build it again")
        for name, facts in header["arrays"].items():
            if np.dtype(facts["dtype"]).kind not in PLAIN_KINDS:
                raise GraphError(f"{header_path}: {name}: found type {facts['dtype']}, expected plain numbers")
    return dict(header)
