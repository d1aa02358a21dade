"""scripts/check_crashes.py and what it stands on: a careless writer is found out, a careful one is not."""

from __future__ import annotations

import errno
import random

import check_crashes
import pytest
from changed_bytes import Answer, run_flips
from changed_bytes import _outcome as outcome
from check_crashes import Task, Try, run_faults, state_after
from failing_calls import FailingCalls

from kg_reason.kg.building import build_graph
from kg_reason.kg.files import replace_file

# Python 3.12 and later warn of every fork of a process that has threads.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def make_task(write):
    return Task(
        "export", lambda folder: (folder / "a").write_text("old"), lambda folder: write(folder / "a", b"new content"),
        lambda folder: (folder / "a").read_text(),
    )  # fmt: skip


def write_in_place(path, content):
    with path.open("wb") as stream:
        stream.write(content)


@pytest.mark.parametrize(("write", "is_careful"), [(replace_file, True), (write_in_place, False)])
def test_a_writer_that_leaves_half_a_file_is_found_out(tmp_path, capsys, monkeypatch, write, is_careful):
    monkeypatch.setattr(check_crashes, "tasks", lambda place: [make_task(write)])
    run_faults(tmp_path)
    printed, told = capsys.readouterr()
    rows = [row.split("|") for row in printed.splitlines()[2:]]
    assert len(rows) == 3
    assert all(int(row[3]) == sum(map(int, row[4:7])) for row in rows)
    assert all(int(row[6]) == 0 for row in rows) == is_careful
    assert ("damaged" in told) != is_careful


def test_a_kill_at_a_call_is_a_kill(tmp_path):
    task = make_task(write_in_place)
    attempt = Try(task, tmp_path)
    assert check_crashes._is_killed(attempt, 2)
    assert task.state(attempt.folder) == "new c"
    assert not check_crashes._is_killed(attempt, 3)
    assert state_after(task, tmp_path) == "new content"


def test_only_calls_below_the_folder_count_and_a_full_disk_lets_files_go(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "old").touch()
    with FailingCalls(inside, at=1, error=errno.ENOSPC, lasts=True) as calls:
        (outside / "a").write_text("a")
        (inside / "old").unlink()
        with pytest.raises(OSError, match="No space left"):
            (inside / "a").write_text("a")
    assert (calls.number, calls.failed) == (2, "open")


def test_answers_are_told_apart():
    expected = [Answer("a", 0, ""), Answer("b", 0, "")]
    assert outcome(expected, expected) == "equal answer"
    assert outcome(expected, [Answer("a", 0, ""), Answer("", 1, "error: damaged\n")]) == "error"
    assert outcome(expected, [Answer("a", 0, ""), Answer("", 1, "error: damaged\nand more\n")]) == "another answer"
    assert outcome(expected, [Answer("x", 0, ""), Answer("b", 0, "x:2: left out, it was not written to its end")]) == (
        "told as torn"
    )
    assert outcome(expected, "crash") == "crash"


@pytest.mark.parametrize("is_summed", [True, False])
def test_changed_bytes_give_errors_or_equal_answers(tmp_path, capsys, monkeypatch, is_summed):
    monkeypatch.setattr("kg_reason.kg.storage.MAX_SUMMED_BYTES", 1 << 27)  # put back after the test
    (tmp_path / "a.tsv").write_text("violin\tis a\tinstrument\ndrum\tis a\tinstrument\nstring\tpart of\tviolin\n")
    build_graph(tmp_path / "a.tsv", tmp_path / "kg")
    run_flips(tmp_path / "kg", 25, random.Random(3), is_summed=is_summed)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "| file | change | tries | equal answer | error |"
    assert printed[-1].startswith("| all |  | 25 | ")
