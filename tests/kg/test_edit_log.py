"""A log of edits tells whole records from torn and from changed ones."""

from __future__ import annotations

import json
import logging
import random
from contextlib import suppress

import pytest

from kg_reason.errors import GraphError
from kg_reason.kg.edit_log import EDITS_FILE, append_record, checked_lines, read_edits, read_log

TRIPLES = (("violin", "is a", "toy"), ("Geige\u2028\r", "is a", 'the "toy"'), ("drum", "made of", "wood"))


def record(triple, operation="add"):
    return {"op": operation, **dict(zip(("head", "relation", "tail"), triple, strict=True))}


@pytest.fixture
def folder(tmp_path):
    for triple in TRIPLES:
        append_record(tmp_path, read_log(tmp_path), record(triple))
    return tmp_path


def triples(folder):
    return tuple(edit[2:5] for edit in read_edits(folder))


def test_records_are_read_as_they_were_written_each_on_its_line(folder):
    assert triples(folder) == TRIPLES
    assert [edit.line for edit in read_edits(folder)] == [1, 2, 3]
    assert append_record(folder, read_log(folder), {"op": "undo", "line": 3})[0] == 4
    assert triples(folder) == TRIPLES[:2]
    for line in (folder / EDITS_FILE).read_bytes().splitlines():
        assert len(json.loads(line)["check"]) == 16


def test_no_log_is_no_edit(tmp_path):
    assert read_edits(tmp_path) == ()
    (tmp_path / EDITS_FILE).touch()
    assert read_edits(tmp_path) == ()


def test_a_torn_record_is_told_left_out_and_cut_off_by_the_next_writer(folder, caplog):
    path = folder / EDITS_FILE
    whole = path.read_bytes()
    start = len(whole.removesuffix(b"\n").rpartition(b"\n")[0]) + 1
    for end in range(start + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert triples(folder) == TRIPLES[:2]
        assert "edits.jsonl:3: left out, it was not written to its end" in caplog.text
    append_record(folder, read_log(folder), record(TRIPLES[2]))
    assert triples(folder) == TRIPLES
    assert path.read_bytes()[:start] == whole[:start]


def test_a_record_that_lacks_only_its_line_end_counts(folder):
    path = folder / EDITS_FILE
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    assert triples(folder) == TRIPLES
    append_record(folder, read_log(folder), {"op": "undo", "line": 3})
    assert triples(folder) == TRIPLES[:2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [lines[0].replace(b"violin", b"violen"), *lines[1:]], ":1: its check differs"),
        (lambda lines: [lines[0], lines[2]], ":2: its check differs"),
        (lambda lines: [lines[1], lines[0], lines[2]], ":1: its check differs"),
        (lambda lines: [*lines, lines[2]], ":4: its check differs"),
        (lambda lines: [lines[0], b'{"op": "undo"}\n', *lines[1:]], ":2: found a record without a check"),
        (lambda lines: [lines[0], b"\n", *lines[1:]], ":2: found a record without a check"),
        (lambda lines: [lines[0].replace(b"}\n", b"},\n"), *lines[1:]], ":1: found text behind the check"),
    ],
)
def test_a_changed_log_is_an_error_at_the_line(folder, change, message):
    path = folder / EDITS_FILE
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(GraphError, match=message):
        read_edits(folder)


def test_a_flipped_byte_anywhere_is_an_error_or_changes_nothing(folder):
    path = folder / EDITS_FILE
    whole = path.read_bytes()
    chance = random.Random(5)
    for place in range(len(whole)):
        content = bytearray(whole)
        content[place] ^= chance.randrange(1, 256)
        path.write_bytes(content)
        with suppress(GraphError):
            assert triples(folder) == TRIPLES


def test_a_log_of_an_earlier_version_is_read_and_goes_on_with_checks(tmp_path):
    path = tmp_path / EDITS_FILE
    path.write_text("".join(json.dumps({**record(triple), "time": ""}) + "\n" for triple in TRIPLES[:2]))
    assert triples(tmp_path) == TRIPLES[:2]
    append_record(tmp_path, read_log(tmp_path), record(TRIPLES[2]))
    assert triples(tmp_path) == TRIPLES
    path.write_bytes(path.read_bytes().replace(b"violin", b"violen"))
    with pytest.raises(GraphError, match=":3: its check differs"):
        read_edits(tmp_path)


@pytest.mark.parametrize("line", ["{}", "[]", "3", '{"op": "add", "head": "a"}', '{"op": "undo"}', "[" * 9_000, "\xff"])
def test_what_is_no_record_is_told_with_its_line(tmp_path, line):
    (tmp_path / EDITS_FILE).write_text(json.dumps(record(TRIPLES[0])).replace("add", "undo") + "\n" + line + "\n")
    with pytest.raises(GraphError, match="edits.jsonl:1: not a whole edit record"):
        read_edits(tmp_path)
    (tmp_path / EDITS_FILE).write_text(line + "\n")
    with pytest.raises(GraphError, match="edits.jsonl:1: not a whole edit record"):
        read_edits(tmp_path)


def test_many_records_are_made_at_once_as_one_by_one(folder):
    path = folder / EDITS_FILE
    written = [json.loads(line) for line in path.read_bytes().splitlines()]
    bare = [{name: value for name, value in item.items() if name != "check"} for item in written]
    assert checked_lines(b"", bare) == path.read_bytes()
