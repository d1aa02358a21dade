from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import zstandard

from kg_reason.config import BuildConfig
from kg_reason.errors import InputSyntaxError, MissingExtraError
from kg_reason.kg.inputs import InputFile, LineBlock, find_inputs, line_blocks, open_input

PACK = {
    ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard.ZstdCompressor().compress,
}
TEXT = b"".join(b"<http://example.org/%d> <x:p> <x:q> .\n" % (number * 7919) for number in range(4000))


def read(path: Path) -> bytes:
    (item,) = find_inputs([path], BuildConfig())
    with open_input(item) as stream:
        return stream.read()


def test_formats_go_by_suffix_and_look_through_compression(tmp_path):
    names = ["a.nt", "b.nq.gz", "c.TTL.bz2", "d.trig.xz", "e.rdf", "f.owl", "g.jsonld.zst", "h.tsv", "i.csv"]
    names += ["j.obo.gz"]
    for name in names:
        (tmp_path / name).touch()
    inputs = find_inputs([tmp_path / name for name in names], BuildConfig())
    assert [item.format for item in inputs] == [
        "nt", "nq", "ttl", "trig", "rdfxml", "rdfxml", "jsonld", "tsv", "csv", "obo"
    ]
    assert [item.compression for item in inputs] == ["", "gzip", "bzip2", "xz", "", "", "zstd", "", "", "gzip"]


def test_a_given_format_goes_before_the_suffix(tmp_path):
    (tmp_path / "facts.txt.gz").touch()
    (item,) = find_inputs([tmp_path / "facts.txt.gz"], BuildConfig(input_format="nt"))
    assert (item.format, item.compression) == ("nt", "gzip")


def test_a_folder_gives_its_known_files_in_sorted_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["facts/b.nt", "facts/sub/c.ttl", "facts/a.tsv.gz", "facts/notes.md", "facts/.hidden.nt"]:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    inputs = find_inputs(["facts"], BuildConfig())
    assert [item.name for item in inputs] == ["facts/a.tsv.gz", "facts/b.nt", "facts/sub/c.ttl"]


def test_a_file_given_twice_is_read_once_under_its_first_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.nt").touch()
    assert [item.name for item in find_inputs(["./a.nt", ".", str(tmp_path / "a.nt")], BuildConfig())] == ["./a.nt"]


@pytest.mark.parametrize(("name", "reason"), [
    ("missing.nt", "missing.nt: no such file or folder"),
    ("facts.docx", "facts.docx: unknown suffix; expected one of .nt"),
    ("empty", "empty: no file to read in this folder; expected suffixes .nt"),
    ("-", "-: the format of standard input is unknown; expected --input-format"),
])
def test_what_cannot_be_read_is_told(tmp_path, monkeypatch, name, reason):
    monkeypatch.chdir(tmp_path)
    Path("facts.docx").touch()
    Path("empty").mkdir()
    with pytest.raises(InputSyntaxError, match=reason):
        find_inputs([name], BuildConfig())


@pytest.mark.parametrize("suffix", ["", *PACK])
def test_every_compression_gives_the_same_bytes(tmp_path, suffix):
    path = tmp_path / f"a.nt{suffix}"
    path.write_bytes(PACK[suffix](TEXT) if suffix else TEXT)
    assert read(path) == TEXT


@pytest.mark.parametrize("suffix", PACK)
def test_an_archive_of_several_parts_is_read_to_its_end(tmp_path, suffix):
    path = tmp_path / f"a.nt{suffix}"
    path.write_bytes(PACK[suffix](TEXT) + PACK[suffix](b"tail\n"))
    assert read(path) == TEXT + b"tail\n"


@pytest.mark.parametrize("suffix", PACK)
def test_an_archive_that_is_cut_short_is_told_by_name(tmp_path, suffix):
    path = tmp_path / f"a.nt{suffix}"
    packed = PACK[suffix](TEXT)
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputSyntaxError, match=rf"a\.nt\{suffix}: the \w+ archive is cut short"):
        read(path)


@pytest.mark.parametrize("suffix", PACK)
def test_a_suffix_that_promises_the_wrong_archive_is_told_by_name(tmp_path, suffix):
    path = tmp_path / f"a.nt{suffix}"
    path.write_bytes(TEXT)
    with pytest.raises(InputSyntaxError, match=rf"a\.nt\{suffix}: found no valid \w+ data"):
        read(path)


def test_zstd_without_its_package_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "a.nt.zst").write_bytes(PACK[".zst"](TEXT))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r"kg_reason\[zstd\]"):
        read(tmp_path / "a.nt.zst")


@pytest.mark.parametrize("text", [b"", b"a", b"ab", b"abcdef\n"])
def test_a_byte_order_mark_is_dropped(tmp_path, text):
    (tmp_path / "a.nt").write_bytes(b"\xef\xbb\xbf" + text)
    assert read(tmp_path / "a.nt") == text
    (tmp_path / "b.nt").write_bytes(text)
    assert read(tmp_path / "b.nt") == text


def test_utf16_is_told(tmp_path):
    (tmp_path / "a.tsv").write_bytes("a\tb\tc\n".encode("utf-16"))
    with pytest.raises(InputSyntaxError, match=r"a.tsv:1: found UTF-16 text .*\(--encoding utf-16\)"):
        read(tmp_path / "a.tsv")


@pytest.mark.parametrize("suffix", ["", *PACK])
def test_standard_input_is_unpacked_by_its_first_bytes(monkeypatch, suffix):
    data = PACK[suffix](TEXT) if suffix else TEXT
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))
    (item,) = find_inputs(["-"], BuildConfig(input_format="nt"))
    with open_input(item) as stream:
        assert stream.read() == TEXT


def test_a_pipe_can_be_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.nt")
    writer = threading.Thread(target=(tmp_path / "pipe.nt").write_bytes, args=(TEXT,))
    writer.start()
    assert read(tmp_path / "pipe.nt") == TEXT
    writer.join()


def test_a_file_that_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(InputSyntaxError, match="gone.nt: cannot be opened"), open_input(InputFile("gone.nt", "nt")):
        pass


@pytest.mark.parametrize("block_bytes", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("text", [b"", b"\n", b"a", b"a\nbb\n\nccc", b"x" * 100 + b"\ny\n" + b"z" * 200])
def test_blocks_hold_whole_lines_and_count_them(text, block_bytes):
    blocks = list(line_blocks(io.BytesIO(text), "a", block_bytes=block_bytes))
    joined = b"".join(block.buffer.tobytes() for block in blocks)
    assert joined == (text if text.endswith(b"\n") or not text else text + b"\n")
    line = 1
    for block in blocks:
        assert (block.first_line, block.num_lines) == (line, int(np.count_nonzero(block.buffer == 10)))
        assert block.buffer[-1] == 10
        line += block.num_lines


def test_a_line_without_end_is_refused_before_it_fills_the_memory():
    with pytest.raises(InputSyntaxError, match="a:2: found a line longer than 50 bytes"):
        list(line_blocks(io.BytesIO(b"ok\n" + b"x" * 1000), "a", block_bytes=16, max_line_bytes=50))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (gzip.compress(TEXT), "gzip data, expected a name that ends in .gz"),
        (lzma.compress(TEXT), "xz data, expected a name that ends in .xz"),
        (zstandard.ZstdCompressor().compress(TEXT), "zstd data, expected a name that ends in .zst"),
        (b"PK\x03\x04", "zip data, expected a name that ends in .zip; save a workbook as CSV first"),
        (bz2.compress(TEXT), "bzip2 data, expected a name that ends in .bz2"),
    ],
)
def test_packed_data_under_a_plain_name_are_told(tmp_path, content, found):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputSyntaxError, match=f"a.csv: found {found}"):
        read(tmp_path / "a.csv")


def test_a_file_whose_name_is_no_text_is_told(tmp_path):
    try:
        (tmp_path / "\udcff.nt").touch()
    except OSError:
        pytest.skip("this file system takes no such names")
    with pytest.raises(InputSyntaxError, match="found a name that is no UTF-8; rename it"):
        find_inputs([tmp_path], BuildConfig())


def test_a_folder_gives_what_is_known_by_its_first_lines_and_not_what_is_for_people(tmp_path, caplog):
    (tmp_path / "goods.txt").write_text("1 - Music\n2 - Music > Violins\n3 - Music > Drums\n")
    (tmp_path / "graph.json").write_text('{"directed": true, "nodes": [{"id": 1}], "links": []}')
    (tmp_path / "README.txt").write_text("What is in here, and why.\n")
    (tmp_path / "package.json").write_text('{"name": "x"}')
    found = find_inputs([tmp_path], BuildConfig())
    assert [(Path(item.name).name, item.format) for item in found] == [
        ("goods.txt", "taxonomy"), ("graph.json", "node-link"),
    ]  # fmt: skip
    assert f"{tmp_path}: passed over, in no known format: 2, such as {tmp_path}/README.txt" in caplog.text
    only = find_inputs([tmp_path], BuildConfig(input_format="node-link"))
    assert [Path(item.name).name for item in only] == ["graph.json", "package.json"]


def test_the_lines_of_a_block_have_start_end_and_number():
    (block,) = line_blocks(io.BytesIO(b"ab\n\nc"), "a.nt")
    assert block.lines().tolist() == [[0, 2, 1], [3, 3, 2], [4, 5, 3]]
    assert [block.buffer[start:end].tobytes() for start, end, _ in block.lines().tolist()] == [b"ab", b"", b"c"]


def test_a_block_without_lines_has_none():
    assert LineBlock(np.empty(0, dtype=np.uint8), 1, 0).lines().shape == (0, 3)
def test_a_folder_tells_of_an_archive_whose_name_says_nothing_of_its_files(tmp_path, caplog):
    (tmp_path / "a.nt").touch()
    (tmp_path / "LICENSE").touch()
    assert len(find_inputs([tmp_path], BuildConfig())) == 1
    assert not caplog.text
    (tmp_path / "all.zip").touch()
    assert len(find_inputs([tmp_path], BuildConfig())) == 1
    assert f"passed over, in no known format: 1, such as {tmp_path}/all.zip" in caplog.text


def test_first_lines_of_no_known_format_are_told_with_the_formats_of_the_suffix(tmp_path):
    (tmp_path / "own.json").write_text('[{"owner": "a", "owned": "b"}]')
    with pytest.raises(InputSyntaxError, match="own.json: the first .* expected node-link, jsonld, or another by"):
        find_inputs([tmp_path / "own.json"], BuildConfig())
