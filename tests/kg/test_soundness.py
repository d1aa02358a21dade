"""A damaged graph folder is found out, with what to do about it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kg_reason.kg.building import build_graph
from kg_reason.kg.editing import edit_graph
from kg_reason.kg.files import file_checksum
from kg_reason.kg.soundness import examine_graph
from kg_reason.kg.storage import header_checksum, word_sum

TABLE = "head\trelation\ttail\nviolin\thypernym\tinstrument\ndrum\thypernym\tinstrument\nviolin\trdfs:label\tfiddle\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.tsv").write_text(TABLE)
    build_graph(tmp_path / "a.tsv", tmp_path / "kg")
    return tmp_path / "kg"


def problems(folder):
    return [f"{finding.place}: {finding.problem}" for finding in examine_graph(folder) if not finding.is_advice]


def advice(folder):
    return [f"{finding.place}: {finding.problem}" for finding in examine_graph(folder) if finding.is_advice]


def rewrite(folder, name, values):
    """Write an array and its new checksum, so that only its content is wrong."""
    path = folder / "arrays" / f"{name}.npy"
    np.save(path, values)
    header = json.loads((folder / "graph.json").read_text())
    facts = {"dtype": values.dtype.str, "shape": list(values.shape), "bytes": path.stat().st_size}
    header["arrays"][name] = {**facts, "sha256": file_checksum(path), "sum": word_sum(values)}
    header["checksum"] = header_checksum(header)
    (folder / "graph.json").write_text(json.dumps(header))


def test_a_fresh_graph_is_sound(folder):
    assert list(examine_graph(folder)) == []


def test_a_changed_byte_is_found_by_its_checksum(folder):
    path = folder / "arrays" / "edge_tail.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    (finding,) = examine_graph(folder)
    assert finding.place == str(path)
    assert "checksum differs" in finding.problem
    assert finding.remedy == f"build it again: kg-reason build {folder.parent / 'a.tsv'} --out {folder}"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "arrays" / "edge_head.npy").unlink(), "edge_head.npy: missing"),
        (lambda folder: (folder / "arrays" / "edge_head.npy").write_bytes(b"short"), "found 5 bytes, expected"),
        (lambda folder: (folder / "graph.json").write_text("{"), "not valid JSON"),
        (lambda folder: (folder / "graph.json").write_text('{"format_version": 99}'), "found format version 99"),
    ],
)
def test_a_graph_that_cannot_be_opened_says_why(folder, spoil, message):
    spoil(folder)
    (problem,) = problems(folder)
    assert message in problem


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("edge_tail", lambda array: array + 1000, "edge_tail.npy: found 100"),
        ("alias_text_offset", lambda array: array[::-1], "alias_text_offset.npy: found "),
        ("out_offset", lambda array: array[[0, -1, *range(1, len(array) - 2), -1]], "found a falling offset"),
        ("source_file", lambda array: array - 1, "source_file.npy: found -1 at 0, expected 0 to 0"),
        ("edge_head", lambda array: array[:-1], "edge_head.npy: found 1 rows, expected 2"),
    ],
)
def test_arrays_that_do_not_fit_together_are_found(folder, name, change, message):
    rewrite(folder, name, change(np.load(folder / "arrays" / f"{name}.npy")))
    assert any(message in problem for problem in problems(folder)), problems(folder)


def test_a_damaged_edit_is_told_with_its_line(folder):
    edit_graph(folder, "add", "cello", "hypernym", "instrument")
    with (folder / "edits.jsonl").open("a") as log:
        log.write('{"op": "add"\n')
    (problem,) = problems(folder)
    assert problem.startswith(f"{folder / 'edits.jsonl'}:2: ")


def test_a_torn_edit_is_mentioned(folder):
    edit_graph(folder, "add", "cello", "hypernym", "instrument")
    with (folder / "edits.jsonl").open("a") as log:
        log.write('{"op": "add"')
    assert problems(folder) == []
    (found,) = advice(folder)
    assert found.startswith(f"{folder / 'edits.jsonl'}:2: left out, it was not written to its end")


def test_repeated_edits_are_mentioned(folder):
    edit_graph(folder, "remove", "drum", "hypernym", "instrument")
    edit_graph(folder, "add", "drum", "hypernym", "instrument")
    assert problems(folder) == []
    assert advice(folder) == [f"{folder / 'edits.jsonl'}:2: changes drum hypernym instrument once more"]


def test_what_a_killed_build_left_is_mentioned(folder):
    left = folder.with_name(".kg.4194304.part")  # above the highest process number
    left.mkdir()
    assert advice(folder) == [f"{left}: left behind by a process that was killed while it wrote"]


def test_skipped_lines_are_mentioned(folder):
    (folder / "bad_lines.tsv").write_text("file\tline\treason\na.tsv\t4\tfound 1 field\n")
    assert advice(folder) == [f"{folder / 'bad_lines.tsv'}: 1 bad lines were skipped"]


@pytest.mark.parametrize(("name", "number"), [("qualified_source", 7), ("qualified_set", -1)])
def test_numbers_of_no_qualifiers_are_found(tmp_path, name, number):
    (tmp_path / "a.tsv").write_text("head\trelation\ttail\tsource\nviolin\thypernym\tinstrument\tPress\n")
    build_graph(tmp_path / "a.tsv", tmp_path / "kg")
    assert problems(tmp_path / "kg") == []
    values = np.load(tmp_path / "kg" / "arrays" / f"{name}.npy")
    rewrite(tmp_path / "kg", name, np.full_like(values, number))
    assert f"found numbers from {number} to {number}" in problems(tmp_path / "kg")[0]
