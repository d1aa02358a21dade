"""One process at a time changes a graph, and a lock dies with its holder."""

from __future__ import annotations

import errno
import multiprocessing
import os
import re
import signal
import threading

import pytest

from kg_reason.errors import GraphError, InputSyntaxError
from kg_reason.kg.building import build_graph
from kg_reason.kg.editing import edit_graph, undo_edit
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.locks import locked
from kg_reason.kg.storage import build_lock, edit_lock
from tests.conftest import toy_triples
from tests.kg.test_graph import save

# Python 3.12 and later warn of every fork of a process that has threads.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def folder(tmp_path):
    save(toy_triples(), tmp_path / "graph")
    return tmp_path / "graph"


def hold_until_killed(lock, ready):
    with lock:
        ready.set()
        signal.pause()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_second_holder_is_told_who_the_first_one_is(tmp_path):
    place = tmp_path / ".lock"
    expected = rf"kg: being edited by process {os.getpid()} on \S+ since \d{{4}}-\S+; wait until that is done"
    with (
        locked(place, tmp_path / "kg", "edited"),
        pytest.raises(GraphError, match=expected),
        locked(place, tmp_path / "kg", "built"),
    ):
        raise AssertionError("the block must not run")
    assert names(tmp_path) == []


def test_a_lock_is_free_after_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(ValueError, match="in the block"), locked(tmp_path / ".lock", tmp_path, "edited"):
            raise ValueError("in the block")


def test_who_waits_gets_the_lock_when_it_is_given_back(tmp_path):
    place = tmp_path / ".lock"
    held, enough = threading.Event(), threading.Event()

    def hold():
        with locked(place, tmp_path, "edited"):
            held.set()
            enough.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    threading.Timer(0.05, enough.set).start()
    with locked(place, tmp_path, "edited", wait_seconds=60):
        assert place.exists()
    holder.join()
    assert not place.exists()


def test_a_killed_holder_leaves_no_lock(folder):
    ready = FORK.Event()
    holder = FORK.Process(target=hold_until_killed, args=(edit_lock(folder), ready))
    holder.start()
    ready.wait()
    with pytest.raises(GraphError, match=f"being edited by process {holder.pid}"), build_lock(folder):
        raise AssertionError("the block must not run")
    holder.kill()
    holder.join()
    assert (folder / ".lock").exists()
    edit_graph(folder, "add", "violin", "hypernym", "toy")
    assert names(folder) == ["arrays", "edits.jsonl", "graph.json"]


def test_a_graph_that_is_edited_is_not_built_over(folder, tmp_path):
    (tmp_path / "a.tsv").write_text("violin\tis a\tinstrument\n")
    with edit_lock(folder), pytest.raises(GraphError, match=re.escape(f"{folder}: being edited by process")):
        build_graph(tmp_path / "a.tsv", folder)
    assert names(tmp_path) == ["a.tsv", "graph"]


def test_a_graph_that_is_built_over_is_not_edited(folder, monkeypatch):
    monkeypatch.setattr("kg_reason.kg.storage.EDIT_WAIT_SECONDS", 0.0)
    with build_lock(folder):
        for change in (lambda: edit_graph(folder, "add", "violin", "hypernym", "toy"), lambda: undo_edit(folder)):
            with pytest.raises(GraphError, match=re.escape(f"{folder}: being built by process")):
                change()
    edit_graph(folder, "add", "violin", "hypernym", "toy")


def test_a_build_that_fails_leaves_not_even_the_folders_above(tmp_path):
    out = tmp_path / "a" / "b" / "kg"
    with pytest.raises(InputSyntaxError):
        build_graph(tmp_path / "missing.tsv", out)
    assert names(tmp_path) == []
    with build_lock(out):
        save(toy_triples(), out)
    assert names(out.parent) == ["kg"]


def test_two_builds_of_one_folder_do_not_meet(tmp_path):
    expected = "being built by process"
    with build_lock(tmp_path / "kg"), pytest.raises(GraphError, match=expected), build_lock(tmp_path / "kg"):
        raise AssertionError("the block must not run")
    assert names(tmp_path) == []


def test_a_lock_of_a_folder_that_was_replaced_meanwhile_is_not_taken_for_the_one_of_the_other(folder, tmp_path):
    with edit_lock(folder):
        folder.rename(tmp_path / "moved")
        save(toy_triples(), folder)
        with edit_lock(folder):
            assert (folder / ".lock").exists()
    assert not (folder / ".lock").exists()


def add_many(folder, letter, number):
    for place in range(number):
        edit_graph(folder, "add", f"{letter}{place}", "hypernym", "violin")
        if place % 3 == 2:
            undo_edit(folder)


def test_two_editors_at_once_lose_no_edit_and_mix_none_up(folder, monkeypatch):
    monkeypatch.setattr("kg_reason.kg.storage.EDIT_WAIT_SECONDS", 600.0)  # the machine may be busy
    editors = [FORK.Process(target=add_many, args=(folder, letter, 12)) for letter in "ab"]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    assert [editor.exitcode for editor in editors] == [0, 0]
    lines = (folder / "edits.jsonl").read_bytes().splitlines()
    assert len(lines) == 2 * 16
    assert len(KnowledgeGraph.open(folder).overlay.edits) == 2 * 8


def save_often(folder, number):
    for place in range(number):
        save(toy_triples()[: 8 + place % 2], folder)


def test_a_reader_sees_a_whole_graph_while_it_is_replaced_again_and_again(folder):
    save_often(folder, 2)
    before = {}
    for size in (8, 9):
        save(toy_triples()[:size], folder)
        graph = KnowledgeGraph.open(folder)
        before[graph.fingerprint] = graph.stats()
    writer = FORK.Process(target=save_often, args=(folder, 100))
    writer.start()
    num_seen = 0
    while writer.is_alive():
        graph = KnowledgeGraph.open(folder)
        assert graph.stats() == before[graph.fingerprint]
        num_seen += 1
    writer.join()
    assert num_seen > 5


def test_a_reader_keeps_the_graph_that_it_opened(folder, tmp_path):
    graph = KnowledgeGraph.open(folder)
    before = graph.stats()
    edit_graph(folder, "add", "violin", "hypernym", "toy")
    assert graph.stats() == before
    undo_edit(folder)
    (tmp_path / "a.tsv").write_text("cello\tis a\tinstrument\n")
    build_graph(tmp_path / "a.tsv", folder)
    assert graph.stats() == before
    assert graph.entity_label(graph.entity("ex:violin")) == "violin"


def test_where_no_lock_can_be_the_graph_cannot_be_changed(folder):
    (folder / ".lock").mkdir()
    with pytest.raises(GraphError, match=r"graph: cannot be edited: .*graph/\.lock: Is a directory"):
        edit_graph(folder, "add", "violin", "hypernym", "toy")
    assert len(KnowledgeGraph.open(folder).overlay.edits) == 0


def test_a_full_disk_names_what_was_to_be_locked(tmp_path, monkeypatch):
    def fail(*_: object):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", fail)
        with pytest.raises(OSError, match="No space left") as caught, locked(tmp_path / ".lock", tmp_path, "edited"):
            pass
    assert caught.value.filename == str(tmp_path)
    assert not (tmp_path / ".lock").exists()
