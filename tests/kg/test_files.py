"""Files and folders are there whole or not at all, and nothing is left beside them."""

from __future__ import annotations

import errno
import os
import platform
from pathlib import Path

import pytest

from kg_reason.errors import KGReasonError
from kg_reason.kg import files
from kg_reason.kg.files import file_checksum, replace_file, restore_folder, whole_file, whole_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_half(path):
    path.write_text("half")
    raise OSError("disk full")


def test_a_file_is_replaced_in_one_step(tmp_path):
    target = tmp_path / "a.txt"
    for content in (b"old", b"new"):
        replace_file(target, content)
        assert target.read_bytes() == content
    assert names(tmp_path) == ["a.txt"]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with whole_file(target) as beside:
        beside.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_a_file_that_fails_half_way_leaves_the_old_one_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(OSError, match="disk full"), whole_file(target) as beside:
        write_half(beside)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "parent" / "run"
    for name in ("old.txt", "new.txt"):
        with whole_folder(target, "marker") as beside:
            (beside / "marker").touch()
            (beside / "inner").mkdir()
            (beside / "inner" / name).write_text(name)
        assert names(target / "inner") == [name]
    assert names(target.parent) == ["run"]


def test_a_folder_that_fails_half_way_leaves_the_old_one_and_nothing_else(tmp_path):
    target = tmp_path / "run"
    target.mkdir()
    (target / "marker").write_text("old")
    with pytest.raises(OSError, match="disk full"), whole_folder(target, "marker") as beside:
        write_half(beside / "marker")
    assert (target / "marker").read_text() == "old"
    assert names(tmp_path) == ["run"]


def test_an_empty_folder_is_filled_and_a_foreign_one_is_left_alone(tmp_path):
    (tmp_path / "empty").mkdir()
    with whole_folder(tmp_path / "empty", "marker") as beside:
        (beside / "marker").touch()
    assert names(tmp_path / "empty") == ["marker"]
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "letter.txt").touch()
    (tmp_path / "file").touch()
    for target in (tmp_path / "foreign", tmp_path / "file"):
        expected = f"{target.name}: found something other than a folder with marker; it is left alone"
        with pytest.raises(KGReasonError, match=expected), whole_folder(target, "marker"):
            raise AssertionError("the block must not run")
    assert names(tmp_path / "foreign") == ["letter.txt"]


def test_a_checksum_is_the_sha256_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    assert file_checksum(tmp_path / "a") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_target_that_is_no_file_or_has_no_folder_is_told(tmp_path):
    with pytest.raises(KGReasonError, match="found a folder, expected the name of a file"):
        replace_file(tmp_path, b"")
    with pytest.raises(KGReasonError, match="a.txt: cannot be written: there is no folder .*none"):
        replace_file(tmp_path / "none" / "a.txt", b"")


# ---- killed processes

GONE = 4194304  # above the highest process number


def leave(tmp_path, name, content="old"):
    (tmp_path / name).mkdir()
    (tmp_path / name / "marker").write_text(content)


def fill(beside):
    (beside / "marker").write_text("new")


def test_the_next_writer_removes_what_a_killed_one_left_and_nothing_else(tmp_path):
    host = platform.node()
    others = [f".run.{os.getpid()}@{host}.old", f".run.{GONE}@elsewhere.part", f".running.{GONE}@{host}.part"]
    for name in (f".run.{GONE}.part", f".run.{GONE}@{host}.part", f".run.{GONE}@{host}.old", *others):
        leave(tmp_path, name)
    (tmp_path / f".a.txt.{GONE}@{host}.part").touch()
    with whole_folder(tmp_path / "run", "marker") as beside:
        fill(beside)
    replace_file(tmp_path / "a.txt", b"")
    assert names(tmp_path) == sorted([*others, "a.txt", "run"])


def test_a_folder_set_aside_by_a_killed_process_comes_back(tmp_path, caplog):
    leave(tmp_path, f".run.{GONE}@{platform.node()}.old")
    assert restore_folder(tmp_path / "run", "marker")
    assert (tmp_path / "run" / "marker").read_text() == "old"
    assert "run: brought back; a process was killed while it replaced this folder" in caplog.text
    assert names(tmp_path) == ["run"]
    assert not restore_folder(tmp_path / "run", "marker")
    assert not restore_folder(tmp_path / "other" / "none", "marker")


def test_an_old_folder_is_not_brought_back_over_another_one(tmp_path):
    leave(tmp_path, f".run.{GONE}@{platform.node()}.old")
    leave(tmp_path, "run", "new")
    assert not restore_folder(tmp_path / "run", "marker")
    assert (tmp_path / "run" / "marker").read_text() == "new"


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_name_leads_to_a_whole_folder_at_every_call(tmp_path, monkeypatch, can_exchange):
    target = tmp_path / "run"
    leave(tmp_path, "run")
    seen = []
    if not can_exchange:
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    rename = Path.replace
    monkeypatch.setattr(Path, "replace", lambda one, other: (rename(one, other), seen.append(target.exists())))
    with whole_folder(target, "marker") as beside:
        fill(beside)
    assert seen == ([] if can_exchange else [False, True])
    assert names(tmp_path) == ["run"]
    assert (target / "marker").read_text() == "new"


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    leave(tmp_path, "real")
    (tmp_path / "link").symlink_to("real")
    with whole_folder(tmp_path / "link", "marker") as beside:
        fill(beside)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "marker").read_text() == "new"
    assert names(tmp_path) == ["link", "real"]


def test_a_folder_that_may_not_be_written_to_is_told_by_the_name_of_the_target(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda place, kind: place != tmp_path)  # for root every folder is open
    with pytest.raises(KGReasonError, match=f"a.txt: cannot be written: no permission in {tmp_path}"):
        replace_file(tmp_path / "a.txt", b"")


@pytest.mark.parametrize(("number", "name"), [(errno.ENOSPC, "target"), (errno.EIO, None)])
def test_a_full_disk_names_what_was_being_written(tmp_path, number, name):
    target = tmp_path / "target"
    for whole in (whole_file(target), whole_folder(target, "marker")):
        with pytest.raises(OSError, match=os.strerror(number)) as caught, whole:
            raise OSError(number, os.strerror(number))
        assert caught.value.filename == (name and str(target))
