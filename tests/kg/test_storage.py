"""A graph folder is checked where that is cheap, survives every fault of its disk, and older ones are read."""

from __future__ import annotations

import errno
import json
import multiprocessing
import resource
import shutil
from functools import cache

import numpy as np
import pytest
from failing_calls import FailingCalls

from kg_reason.config import BuildConfig
from kg_reason.errors import GraphError, KGReasonError
from kg_reason.kg import storage
from kg_reason.kg.builder import FORMAT_VERSION, build_blocks
from kg_reason.kg.editing import edit_graph, undo_edit
from kg_reason.kg.files import file_checksum
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.interchange import export_graph, export_text
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.storage import damaged_files, open_graph, save_graph, word_sum
from kg_reason.kg.triples import triples_to_blocks
from tests.conftest import toy_triples

# Python 3.12 and later warn of every fork of a process that has threads.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
FAULTS = [(errno.EIO, False), (errno.ENOSPC, True), (errno.EROFS, True)]


@cache
def built(num_triples=None):
    files: list[str] = []
    blocks = [(block, True) for block in triples_to_blocks(toy_triples()[:num_triples], files)]
    return build_blocks(blocks, files, BuildConfig())


@pytest.fixture
def folder(tmp_path):
    save_graph(built(), tmp_path / "kg")
    return tmp_path / "kg"


def make_version_1(folder):
    """Write the folder as the first version wrote it."""
    path = folder / "graph.json"
    header = json.loads(path.read_text())
    del header["checksum"]
    header["format_version"] = 1
    for name in header["arrays"]:
        array = folder / "arrays" / f"{name}.npy"
        header["arrays"][name] = {"bytes": array.stat().st_size, "sha256": file_checksum(array)}
    path.write_text(json.dumps(header, ensure_ascii=False, indent=1) + "\n")
    record = {"op": "add", "head": "ex:violin", "relation": "ex:hypernym", "tail": "toy", "time": ""}
    (folder / "edits.jsonl").write_text(json.dumps(record) + "\n")


def test_a_folder_of_version_1_is_read_as_it_was(folder):
    before = KnowledgeGraph.open(folder).stats()
    make_version_1(folder)
    graph = KnowledgeGraph.open(folder)
    assert graph.num_edges == before.num_triples + 1
    assert graph.overlay.base_fingerprint == before.fingerprint
    assert graph.built.header["format_version"] == 1
    edit_graph(folder, "add", "violin", "hypernym", "tool")
    assert KnowledgeGraph.open(folder).num_edges == before.num_triples + 2
    assert damaged_files(folder) == []


def test_a_damaged_folder_of_version_1_is_told(folder):
    make_version_1(folder)
    (folder / "arrays" / "edge_head.npy").write_bytes(b"x" * (folder / "arrays" / "edge_head.npy").stat().st_size)
    with pytest.raises(GraphError, match="edge_head.npy: not a readable array"):
        open_graph(folder)
    (folder / "graph.json").write_text('{"format_version": 1}')
    with pytest.raises(GraphError, match="found no arrays, fingerprint, languages, num_edges, relations, sources"):
        open_graph(folder)


@pytest.mark.parametrize("version", [0, FORMAT_VERSION + 1, "2", None, [2]])
def test_a_version_that_is_not_known_is_refused(folder, version):
    path = folder / "graph.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": version}))
    with pytest.raises(GraphError, match="found format version .*, expected 2; build it again"):
        open_graph(folder)


def test_a_changed_header_is_an_error_whatever_was_changed(folder):
    path = folder / "graph.json"
    header = json.loads(path.read_text())
    path.write_text(json.dumps(header))  # another layout of the same
    open_graph(folder)
    for name in header.keys() - {"format_version"}:
        path.write_text(json.dumps({**header, name: "x"}))
        with pytest.raises(GraphError, match=r"graph.json: its checksum differs"):
            open_graph(folder)
        path.write_text(json.dumps({key: value for key, value in header.items() if key != name}))
        with pytest.raises(GraphError, match=r"graph.json: (its checksum differs|found no )"):
            open_graph(folder)


def test_every_array_tells_its_type_and_shape_and_needs_no_header_of_its_own(folder):
    header = json.loads((folder / "graph.json").read_text())
    for name, array in open_graph(folder).arrays.items():
        loaded = np.load(folder / "arrays" / f"{name}.npy")
        assert np.array_equal(array, loaded)
        assert (array.dtype, array.shape) == (loaded.dtype, loaded.shape)
        assert header["arrays"][name]["dtype"] == loaded.dtype.str
        assert not array.flags.writeable


def test_one_changed_byte_of_any_array_stops_the_opening_of_a_graph_that_is_not_too_large(folder):
    for path in sorted((folder / "arrays").iterdir()):
        whole = path.read_bytes()
        for place in {128, (len(whole) + 128) // 2, len(whole) - 1} - {len(whole), 127}:
            content = bytearray(whole)
            content[place] ^= 64
            path.write_bytes(content)
            with pytest.raises(GraphError, match=rf"{path.name}: its sum differs"):
                open_graph(folder)
            assert damaged_files(folder) == [f"{path}: its checksum differs from the one written at build"]
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "use",
    [
        lambda graph: graph.find_entities("violin"), lambda graph: graph.stats(), EntityLinker, Retriever,
        lambda graph: export_text(graph, "nt"),
    ],
)  # fmt: skip
def test_a_large_graph_opens_unread_and_is_checked_before_it_is_used(folder, monkeypatch, use):
    monkeypatch.setattr(storage, "MAX_SUMMED_BYTES", 0)
    use(KnowledgeGraph.open(folder))
    path = folder / "arrays" / "edge_tail.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 64
    path.write_bytes(content)
    graph = KnowledgeGraph.open(folder)
    for _ in range(2):
        with pytest.raises(GraphError, match=r"edge_tail.npy: its sum differs"):
            use(graph)


def test_a_large_graph_with_edits_is_checked_when_it_is_opened(folder, monkeypatch):
    edit_graph(folder, "add", "violin", "hypernym", "toy")
    path = folder / "arrays" / "entity_slot.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    monkeypatch.setattr(storage, "MAX_SUMMED_BYTES", 0)
    with pytest.raises(GraphError, match=r"entity_slot.npy: its sum differs"):
        KnowledgeGraph.open(folder)


def test_a_graph_that_was_opened_can_be_saved_again_in_the_format_of_today(folder, tmp_path):
    save_graph(built(), folder, bad_lines=b"file\tline\treason\n")
    save_graph(open_graph(folder), tmp_path / "again")
    assert damaged_files(tmp_path / "again") == []
    assert storage.read_bad_lines(tmp_path / "again") == b""
    make_version_1(folder)
    save_graph(open_graph(folder), tmp_path / "again")
    assert open_graph(tmp_path / "again").header["format_version"] == FORMAT_VERSION


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 1000])
def test_a_sum_is_that_of_the_words(length):
    content = np.random.default_rng(length).integers(0, 256, length).astype(np.uint8)
    padded = content.tobytes() + bytes(-length % 8)
    expected = sum(int.from_bytes(padded[place : place + 8], "little") for place in range(0, len(padded), 8))
    assert word_sum(content) == f"{expected % 2**64:016x}"


def test_a_reader_never_gets_half_of_two_graphs(folder, monkeypatch):
    read = storage.read_edits

    def read_while_it_is_replaced(path):
        monkeypatch.setattr(storage, "read_edits", read)
        save_graph(built(10), folder)
        edit_graph(folder, "add", "a", "b", "c")
        return read(path)

    monkeypatch.setattr(storage, "read_edits", read_while_it_is_replaced)
    graph = KnowledgeGraph.open(folder)
    assert (graph.num_edges, len(graph.overlay.edits)) == (11, 1)


def test_a_changed_report_of_bad_lines_is_told(tmp_path):
    report = b"file\tline\treason\na.tsv\t4\tfound 1 field\n"
    save_graph(built(), tmp_path / "kg", bad_lines=report)
    assert storage.read_bad_lines(tmp_path / "kg") == report
    (tmp_path / "kg" / "bad_lines.tsv").write_bytes(report.replace(b"4\t", b"5\t"))
    with pytest.raises(GraphError, match=r"bad_lines.tsv: its checksum differs"):
        storage.read_bad_lines(tmp_path / "kg")
    (tmp_path / "kg" / "bad_lines.tsv").unlink()
    with pytest.raises(GraphError, match=r"bad_lines.tsv: missing"):
        storage.read_bad_lines(tmp_path / "kg")


# ---- every fault of the disk


def save_with_little_room(folder, num_bytes, told):
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes))
    try:
        save_graph(built(12), folder)
    except OSError as error:
        told.send(error.errno)
    else:
        told.send(0)


def test_a_file_that_the_system_cuts_short_spoils_nothing(folder):
    before = state(folder.parent)
    context = multiprocessing.get_context("fork")
    told = []
    for num_bytes in (0, 200, 1000, 4000, 100_000):
        receiver, sender = context.Pipe()
        child = context.Process(target=save_with_little_room, args=(folder, num_bytes, sender))
        child.start()
        told.append(receiver.recv())
        child.join()
        assert (state(folder.parent) == before) == bool(told[-1])
        assert left(folder.parent) == []
    assert told == [errno.EFBIG] * 4 + [0]


TASKS = {
    "build": (None, lambda folder: save_graph(built(), folder / "kg")),
    "build over a graph": (0, lambda folder: save_graph(built(12), folder / "kg")),
    "first edit": (0, lambda folder: edit_graph(folder / "kg", "add", "violin", "hypernym", "toy")),
    "second edit": (1, lambda folder: edit_graph(folder / "kg", "add", "violin", "hypernym", "toy")),
    "undo": (1, lambda folder: undo_edit(folder / "kg")),
    "export": (0, lambda folder: export_graph(KnowledgeGraph.open(folder / "kg"), folder / "out.nt", "nt")),
}


def prepare(folder, graph, num_edits):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if num_edits is not None:
        shutil.copytree(graph, folder / "kg")
    for _ in range(num_edits or 0):
        edit_graph(folder / "kg", "add", "cello", "hypernym", "toy")


def state(folder):
    """What the folder holds, for a reader."""
    graph, exported = None, None
    if (folder / "kg").exists():
        assert damaged_files(folder / "kg") == []
        opened = KnowledgeGraph.open(folder / "kg")
        graph = opened.fingerprint, [edit[:5] for edit in opened.overlay.edits]
    if (folder / "out.nt").exists():
        exported = (folder / "out.nt").read_bytes()
    return graph, exported


def left(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("name", "error", "lasts"),
    [(name, *fault) for name in TASKS for fault in (FAULTS if name != "build" else FAULTS[:1])],
)
def test_after_a_fault_at_any_call_a_graph_is_as_before_or_as_after(folder, tmp_path, name, error, lasts):
    num_edits, run = TASKS[name]
    place = tmp_path / "place"
    prepare(place, folder, num_edits)
    before = state(place)
    run(place)
    after = state(place)
    assert before != after
    number, num_failed = 0, 0
    while True:
        number += 1
        prepare(place, folder, num_edits)
        with FailingCalls(place, at=number, error=error, lasts=lasts) as calls:
            try:
                run(place)
            except (OSError, KGReasonError):
                num_failed += 1
        if calls.number < number:
            break
        found = state(place)
        assert found in (before, after), (number, calls.failed)
        if left(place):
            save_graph(built(12), place / "kg")  # the next writer clears away what the fault left
            export_graph(KnowledgeGraph.open(place / "kg"), place / "out.nt", "nt")
            assert left(place) == []
        elif found == before:
            run(place)
            assert state(place) == after
    assert num_failed > 3
