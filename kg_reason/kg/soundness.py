"""Whether a graph folder is whole and its arrays fit together: what is wrong, and how to mend it.

Opening a graph does not read all of a large one; here every byte is read.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg_reason.errors import GraphError, KGReasonError
from kg_reason.kg.builder import BuiltGraph
from kg_reason.kg.building import num_bad_lines
from kg_reason.kg.edit_log import EDITS_FILE, REMOVE, read_log
from kg_reason.kg.files import leftovers as found_leftovers
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.qualifiers import StoredQualifiers
from kg_reason.kg.storage import ARRAY_FOLDER, BAD_LINES_FILE, HEADER_FILE, damaged_files, open_graph, read_header
from kg_reason.kg.stored_arrays import Arrays

# Offset tables: name -> the array they cut; their entries rise from 0 to its length.
OFFSETS = {
    "entity_offset": "entity_text", "out_offset": "in_edge", "in_offset": "in_edge", "edge_source": "source_file",
    "alias_offset": "alias_entity", "alias_text_offset": "alias_text", "label_word_offset": "label_word_text",
    "label_node_start": "label_node_alias",
}  # fmt: skip
# Arrays of numbers: name -> (the lowest that is allowed, the array or header entry that they count in).
NUMBERS = {
    "edge_head": (0, "num_entities"), "edge_tail": (0, "num_entities"), "edge_relation": (0, "relations"),
    "in_edge": (0, "num_edges"), "source_file": (0, "sources"), "alias_entity": (0, "num_entities"),
    "alias_language": (0, "languages"), "alias_file": (-1, "sources"), "label_node_alias": (0, "num_aliases"),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or could be better.

    Attributes:
        place: the file, with a line where there is one.
        problem: what was found and what was expected.
        remedy: what to do about it.
        is_advice: nothing is broken, but it may surprise.
    """

    place: str
    problem: str
    remedy: str
    is_advice: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return dict(vars(self))


def examine_graph(folder: Path) -> Iterator[Finding]:
    """Yield what is wrong with a graph folder."""
    try:
        header = read_header(folder)
        damaged = damaged_files(folder)
        built = None if damaged else open_graph(folder)
    except GraphError as error:
        yield Finding(str(folder), str(error), "build the graph again from its triples files, or restore the folder")
        return
    again = _build_again(folder, header)
    for fault in damaged:
        place, _, problem = fault.partition(": ")
        yield Finding(place, problem, again)
    if built is not None:  # what was written whole may still not fit together
        yield from (Finding(str(folder), fault, again) for fault in _unfit(built))
    yield from _examine_edits(folder)
    num_skipped = 0 if damaged else num_bad_lines(folder)
    if num_skipped:
        remedy = "mend these lines in the triples files and build again"
        yield Finding(str(folder / BAD_LINES_FILE), f"{num_skipped:,} bad lines were skipped", remedy, is_advice=True)
    if not header["num_edges"]:
        yield Finding(str(folder), "the graph has no edge, so there are no paths", again, is_advice=True)
    yield from leftovers(folder)


def leftovers(folder: Path) -> Iterator[Finding]:
    """Yield the unfinished folders that a killed process left beside a folder."""
    for path, _ in found_leftovers(folder.resolve()):
        problem = "left behind by a process that was killed while it wrote"
        remedy = f"the next build removes it; or remove it: rm -r {shlex.quote(str(path))}"
        yield Finding(str(path), problem, remedy, is_advice=True)


def _build_again(folder: Path, header: Mapping[str, Any]) -> str:
    files = " ".join(shlex.quote(str(name)) for name in header["sources"][:3])
    more = " ..." if len(header["sources"]) > 3 else ""
    place = shlex.quote(str(folder))
    return f"build it again: kg-reason build {files}{more} --out {place}"


def _unfit(built: BuiltGraph) -> Iterator[str]:
    """Yield how the arrays of a graph do not fit together."""
    header, arrays = built.header, built.arrays
    missing = sorted({*OFFSETS, *OFFSETS.values(), *NUMBERS} - set(arrays))
    if missing:
        yield f"{HEADER_FILE}: found no array {', '.join(missing)}"
        return
    sizes = {"num_entities": "entity_offset", "num_edges": "in_edge", "num_aliases": "alias_entity"}
    for name, array in sizes.items():
        found = len(arrays[array]) - (array == "entity_offset")
        if header.get(name) != found:
            yield f"{HEADER_FILE}: {name}: found {header.get(name)}, expected {found} as in {array}"
            return
    yield from _unfit_inferences(arrays, len(arrays["in_edge"]))
    try:
        StoredQualifiers.of(arrays).check(len(arrays["source_file"]))
    except GraphError as error:
        yield str(error)
    for name, cut in OFFSETS.items():
        yield from _unfit_offsets(arrays, name, cut)
    for name, (lowest, counted) in NUMBERS.items():
        bound = header[counted] if isinstance(header[counted], int) else len(header[counted])
        values: NDArray[Any] = arrays[name]
        if len(values) and not (lowest <= int(values.min()) and int(values.max()) < bound):
            place = int(np.flatnonzero((values < lowest) | (values >= bound))[0])
            yield f"{ARRAY_FOLDER}/{name}.npy: found {values[place]} at {place}, expected {lowest} to {bound - 1}"


def _unfit_inferences(arrays: Arrays, num_edges: int) -> Iterator[str]:
    """Yield how the rows of inferred edges, which follow those of the stated ones, do not fit."""
    offset = arrays.get("premise_offset", np.zeros(1, dtype=np.int64))
    num_all = num_edges + len(offset) - 1
    sizes = {"edge_head": 0, "edge_relation": 0, "edge_tail": 0, "edge_weight": 0, "edge_source": 1}
    for name, more in sizes.items():
        if len(arrays[name]) != num_all + more:
            yield f"{ARRAY_FOLDER}/{name}.npy: found {len(arrays[name])} rows, expected {num_all + more}"
    if len(offset) == 1:
        return
    bounds = {"premise_edge": num_all, "inferred_by_tail": len(offset) - 1}
    for name, bound in bounds.items():
        values = arrays.get(name, np.empty(0, dtype=np.int32))
        if not len(values) or int(values.min()) < 0 or int(values.max()) >= bound:
            yield f"{ARRAY_FOLDER}/{name}.npy: found other numbers than 0 to {bound - 1}"
            return
    yield from _unfit_offsets(arrays, "premise_offset", "premise_edge")


def _unfit_offsets(arrays: Arrays, name: str, cut: str) -> Iterator[str]:
    offset, length = arrays[name], len(arrays[cut])
    if not len(offset) or offset[0] != 0 or offset[-1] != length:
        ends = f"{offset[0]} to {offset[-1]}" if len(offset) else "nothing"
        yield f"{ARRAY_FOLDER}/{name}.npy: found {ends}, expected 0 to {length} as in {cut}"
    elif (np.diff(offset) < 0).any():
        place = int(np.flatnonzero(np.diff(offset) < 0)[0])
        yield f"{ARRAY_FOLDER}/{name}.npy: found a falling offset after {place}"


def _examine_edits(folder: Path) -> Iterator[Finding]:
    try:
        graph = KnowledgeGraph.open(folder)
    except KGReasonError as error:
        if EDITS_FILE in str(error):
            place, _, problem = str(error).rpartition(": ")
            remedy = f"restore {folder / EDITS_FILE}, or cut it off before this line; the edits from there on are lost"
            yield Finding(place, problem, remedy)
        return
    log = read_log(folder)
    if log.num_torn:
        place = f"{folder / EDITS_FILE}:{len(log.content.splitlines()) + 1}"
        problem = "left out, it was not written to its end; its writer was killed or its disk was full"
        yield Finding(place, problem, "nothing needs to be done, the next edit removes it", is_advice=True)
    seen: set[tuple[str, str, str]] = set()
    for edit in graph.overlay.edits:
        triple, place = (edit.head, edit.relation, edit.tail), f"{folder / EDITS_FILE}:{edit.line}"
        lost = [name for name in (edit.head, edit.tail) if not graph.find_entities(name)]
        if edit.op == REMOVE and lost:
            problem = f"removes a triple of {lost[0]}, which the graph does not hold"
            yield Finding(place, problem, "delete the line if it is of no use", is_advice=True)
        elif triple in seen:
            problem = f"changes {' '.join(triple)} once more"
            yield Finding(place, problem, "nothing needs to be done", is_advice=True)
        seen.add(triple)
