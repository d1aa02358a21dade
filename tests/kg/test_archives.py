"""Packed files are read to their last byte or refused by name, and never fill the memory."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import random
import socket
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest
import zstandard

from kg_reason.config import BuildConfig
from kg_reason.errors import InputSyntaxError
from kg_reason.kg import archives
from kg_reason.kg.building import build_graph
from kg_reason.kg.inputs import InputFile, find_inputs, line_blocks, open_input
from kg_reason.kg.reading import read_triples

PACK = {
    ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}  # fmt: skip
TEXT = b"".join(b"<http://example.org/%d> <x:p> <x:q> .\n" % (number * 7919) for number in range(4000))


def read(path: Path, **settings: object) -> bytes:
    config = BuildConfig(**settings)
    (item,) = find_inputs([path], config)
    with open_input(item, config) as stream:
        return stream.read()


def outcome(path: Path) -> bytes:
    """Return what a file holds or, if it cannot be read, the error."""
    try:
        return read(path)
    except InputSyntaxError as error:
        return str(error).encode()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


PACK_ALL = {**PACK, ".zip": lambda data: zipped({"a.nt": data})}


# ---- damage


@pytest.mark.parametrize("suffix", PACK_ALL)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_a_cut_archive_is_an_error_wherever_it_is_cut(tmp_path, suffix, share):
    packed = PACK_ALL[suffix](TEXT)
    (tmp_path / f"a.nt{suffix}").write_bytes(packed[: int(len(packed) * share)])
    with pytest.raises(InputSyntaxError, match=rf"a\.nt\{suffix}: (the \w+ archive is cut short|found no valid zip)"):
        read(tmp_path / f"a.nt{suffix}")


@pytest.mark.parametrize("suffix", PACK)
def test_what_follows_the_packed_data_is_told_and_not_passed_over(tmp_path, suffix):
    (tmp_path / f"a.nt{suffix}").write_bytes(PACK[suffix](TEXT) + b"<x:lost> <x:p> <x:q> .\n" * 200)
    with pytest.raises(InputSyntaxError, match=r"found something else after the end of the \w+ data, before byte"):
        read(tmp_path / f"a.nt{suffix}")


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_zeros_that_fill_the_last_block_of_a_tape_are_passed_over(tmp_path, suffix):
    (tmp_path / f"a.nt{suffix}").write_bytes(PACK[suffix](TEXT) + b"\0" * 4096 + PACK[suffix](b"more\n") + b"\0" * 512)
    assert read(tmp_path / f"a.nt{suffix}") == TEXT + b"more\n"


@pytest.mark.parametrize("suffix", PACK)
def test_damage_in_the_middle_tells_how_far_the_data_were_read(tmp_path, suffix):
    packed = bytearray(PACK[suffix](random.Random(1).randbytes(60_000)))
    packed[40_000:40_100] = bytes(100)
    (tmp_path / f"a.nt{suffix}").write_bytes(packed)
    with pytest.raises(InputSyntaxError, match=r"the \w+ data are damaged before byte \d\d,\d\d\d"):
        read(tmp_path / f"a.nt{suffix}")


@pytest.mark.parametrize("suffix", PACK_ALL)
@pytest.mark.parametrize("seed", range(3))
def test_a_flipped_byte_is_an_error_or_the_same_text(tmp_path, suffix, seed):
    draw = random.Random(seed)
    packed = PACK_ALL[suffix](TEXT)
    path = tmp_path / f"a.nt{suffix}"
    for _ in range(60):
        damaged = bytearray(packed)
        damaged[draw.randrange(len(packed))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        found = outcome(path)
        assert found == TEXT or str(path).encode() in found


def test_a_disk_that_fails_is_told_by_the_name_of_the_file(tmp_path):
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    for compression in ("gzip", "bzip2", "xz", "zstd"):
        with pytest.raises(InputSyntaxError, match="a.nt: .*Input/output error"):
            list(archives.unpacked(Broken(b"x"), compression, "a.nt", 0))


# ---- names and kinds of files


@pytest.mark.parametrize("suffix", PACK_ALL)
def test_packed_data_in_packed_data_are_refused(tmp_path, suffix):
    (tmp_path / f"a.nt{suffix}").write_bytes(PACK_ALL[suffix](gzip.compress(TEXT)))
    with pytest.raises(InputSyntaxError, match="found gzip data, expected text in the packed file"):
        read(tmp_path / f"a.nt{suffix}")


def test_packed_data_under_the_suffix_of_another_are_told(tmp_path):
    (tmp_path / "a.nt.gz").write_bytes(bz2.compress(TEXT))
    with pytest.raises(InputSyntaxError, match="a.nt.gz: found no valid gzip data where its suffix promises it"):
        read(tmp_path / "a.nt.gz")


@pytest.mark.parametrize("name", ["a.nt", "a.tsv", "a.ttl", "a.nt.gz", "a.csv.xz"])
def test_an_empty_file_is_no_triples_and_a_note(tmp_path, caplog, name):
    (tmp_path / name).write_bytes(b"")
    (tmp_path / "full.tsv").write_bytes(b"a\tb\tc\n")
    assert build_graph(tmp_path, tmp_path / "kg").num_triples == 1
    assert f"no triple was found in {tmp_path / name}" in caplog.text


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.nt", "a.nt.gz"])
def test_a_tar_archive_is_refused_by_name_and_by_content(tmp_path, name):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if name.endswith("gz") else "w") as archive:
        member = tarfile.TarInfo("a.nt")
        member.size = len(TEXT)
        archive.addfile(member, io.BytesIO(TEXT))
    (tmp_path / name).write_bytes(buffer.getvalue())
    with pytest.raises(InputSyntaxError, match=f"{name}: found a tar archive, expected a text file; unpack it"):
        read(tmp_path / name)


def test_devices_and_sockets_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.nt")
        for name in ("/dev/zero", "/dev/null", "socket.nt"):
            with pytest.raises(InputSyntaxError, match=f"{name}: found a device or a socket, expected a file"):
                find_inputs([name], BuildConfig(input_format="nt"))


def test_a_loop_of_links_is_told(tmp_path):
    (tmp_path / "a.nt").symlink_to(tmp_path / "b.nt")
    (tmp_path / "b.nt").symlink_to(tmp_path / "a.nt")
    for path in (tmp_path / "a.nt", tmp_path):
        with pytest.raises(InputSyntaxError, match="a.nt: cannot be opened: Too many levels of symbolic links"):
            read(path)


def test_a_link_to_a_folder_above_is_not_followed(tmp_path):
    (tmp_path / "a.nt").write_bytes(TEXT)
    (tmp_path / "again").symlink_to(tmp_path)
    assert read(tmp_path) == TEXT


def test_a_pipe_in_a_folder_is_passed_over_and_told(tmp_path, caplog):
    (tmp_path / "a.nt").write_bytes(TEXT)
    os.mkfifo(tmp_path / "b.nt")
    assert read(tmp_path) == TEXT
    assert "b.nt: passed over, it is no file" in caplog.text


@pytest.mark.parametrize("suffix", PACK)
def test_a_pipe_given_by_name_is_unpacked(tmp_path, suffix):
    os.mkfifo(tmp_path / f"a.nt{suffix}")
    data = PACK[suffix](TEXT)
    writer = threading.Thread(target=(tmp_path / f"a.nt{suffix}").write_bytes, args=(data,))
    writer.start()
    assert read(tmp_path / f"a.nt{suffix}") == TEXT
    writer.join()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_files_and_folders_without_permission_are_told(tmp_path):
    (tmp_path / "a.nt").write_bytes(TEXT)
    (tmp_path / "a.nt").chmod(0)
    with pytest.raises(InputSyntaxError, match="a.nt: cannot be opened: Permission denied"):
        read(tmp_path / "a.nt")
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(InputSyntaxError, match="closed: the folder cannot be read: Permission denied"):
        find_inputs([tmp_path], BuildConfig())


def test_a_folder_that_cannot_be_searched_is_an_error(tmp_path, monkeypatch):
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputSyntaxError, match="the folder cannot be read: Permission denied"):
        find_inputs([tmp_path], BuildConfig())


def test_a_name_that_no_file_can_have_is_told():
    with pytest.raises(InputSyntaxError, match="found no name of a file"):
        find_inputs(["a\0.nt"], BuildConfig())


# ---- bombs


@pytest.mark.parametrize("suffix", PACK_ALL)
def test_what_unpacks_to_too_much_is_stopped_on_the_way(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(archives, "UNCHECKED_BYTES", 1 << 20)
    path = tmp_path / f"a.tsv{suffix}"
    path.write_bytes(PACK_ALL[suffix](b"a\tb\tc\n" * 4_000_000))
    with pytest.raises(InputSyntaxError, match=r"found \d+ MB unpacked from [\d,]+ bytes, expected at most 200 bytes"):
        read(path)
    assert len(read(path, max_ratio=0)) == 24_000_000


def test_a_small_file_may_pack_well(tmp_path):
    (tmp_path / "a.tsv.xz").write_bytes(lzma.compress(b"a\tb\tc\n" * 1_000_000))
    assert len(read(tmp_path / "a.tsv.xz")) == 6_000_000


@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_on_standard_input_is_stopped(monkeypatch, suffix):
    monkeypatch.setattr(archives, "UNCHECKED_BYTES", 1 << 20)
    data = PACK[suffix](b"\n" * 10_000_000)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))
    with open_input(InputFile("-", "nt")) as stream, pytest.raises(InputSyntaxError, match="-: found .* unpacked from"):
        stream.read()


@pytest.mark.parametrize("suffix", PACK)
def test_the_pieces_of_a_bomb_are_small(suffix):
    packed = io.BytesIO(PACK[suffix](bytes(100_000_000)))
    sizes = [len(piece) for piece in archives.unpacked(packed, archives.COMPRESSIONS[suffix], "a", 0)]
    assert sum(sizes) == 100_000_000
    assert max(sizes) <= 64 << 20


def test_a_window_that_would_fill_the_memory_is_refused(tmp_path):
    packed = bytearray(lzma.compress(b"a\tb\tc\n", format=lzma.FORMAT_ALONE))
    packed[1:5] = (1 << 31).to_bytes(4, "little")  # what the header says of the window
    (tmp_path / "a.tsv.xz").write_bytes(packed)
    with pytest.raises(InputSyntaxError, match="Memory usage limit exceeded"):
        read(tmp_path / "a.tsv.xz")


@pytest.mark.parametrize(("limit", "is_read"), [(1, False), (2, True), (0, True)])
def test_the_longest_line_is_a_setting(tmp_path, limit, is_read):
    text = b"a\tb\tc\n" * 3 + b"a\tb\t" + b"x" * 1_500_000 + b"\nd\te\tf\n"
    (tmp_path / "a.tsv").write_bytes(text)
    config = BuildConfig(max_line_mb=limit)
    if is_read:
        assert len(list(read_triples([tmp_path / "a.tsv"], config))) == 5
    else:
        with pytest.raises(InputSyntaxError, match=r"a.tsv:4: found a line longer than 1,048,576 bytes.*--max-line-mb"):
            list(read_triples([tmp_path / "a.tsv"], config))


def test_a_long_line_between_short_ones_is_found_in_its_block():
    with pytest.raises(InputSyntaxError, match="a:3: found a line longer than 50 bytes"):
        list(line_blocks(io.BytesIO(b"ok\nok\n" + b"x" * 51 + b"\nok\n"), "a", max_line_bytes=50))
    assert list(line_blocks(io.BytesIO(b"ok\nok\n" + b"x" * 50 + b"\nok\n"), "a", max_line_bytes=50))


# ---- zip


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_one_file_is_read_by_the_name_inside(tmp_path, method):
    (tmp_path / "facts.zip").write_bytes(zipped({"folder/": b"", "folder/facts.tsv": b"a\tb\tc\n"}, method))
    assert [t.head for t in read_triples([tmp_path / "facts.zip"])] == ["a"]
    (item,) = find_inputs([tmp_path / "facts.zip"], BuildConfig())
    assert (item.format, item.compression) == ("tsv", "zip")


def test_exports_of_other_tools_are_known_inside_a_zip(tmp_path):
    (tmp_path / "nodes.zip").write_bytes(zipped({"nodes.csv": b":ID,name\n1,Zoe\n", "__MACOSX/._nodes.csv": b"\0"}))
    (item,) = find_inputs([tmp_path / "nodes.zip"], BuildConfig())
    assert item.format == "neo4j"


def test_nothing_of_a_zip_is_written_to_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "facts.zip").write_bytes(zipped({"facts.nt": TEXT}))
    assert read(Path("facts.zip")) == TEXT
    assert list(tmp_path.iterdir()) == [tmp_path / "facts.zip"]


@pytest.mark.parametrize(("members", "message"), [
    ({"a.nt": TEXT, "b.nt": TEXT}, "found 2 files in the zip archive, expected one"),
    ({}, "found 0 files in the zip archive, expected one"),
    ({"folder/": b""}, "found 0 files in the zip archive, expected one"),
    ({"../a.nt": TEXT}, "found the name '../a.nt' in the zip archive"),
    ({"b/../../a.nt": TEXT}, r"found the name 'b/\.\./\.\./a.nt' in the zip archive"),
    ({"/etc/a.nt": TEXT}, "found the name '/etc/a.nt' in the zip archive"),
    ({"..\\a.nt": TEXT}, "found the name .* in the zip archive"),
    ({"C:a.nt": TEXT}, "found the name 'C:a.nt' in the zip archive"),
    ({"\x1b[31ma.nt": TEXT}, r"found the name '\\x1b\[31ma.nt' in the zip archive"),
    ({"a.doc": TEXT}, "unknown suffix"),
])
def test_a_zip_of_anything_else_is_refused(tmp_path, members, message):
    (tmp_path / "a.zip").write_bytes(zipped(members))
    with pytest.raises(InputSyntaxError, match=message):
        read(tmp_path / "a.zip")


def test_an_encrypted_zip_is_refused(tmp_path):
    data = bytearray(zipped({"a.nt": TEXT}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(InputSyntaxError, match="the zip archive is encrypted, expected one without a password"):
        read(tmp_path / "a.zip")


def test_a_zip_through_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "a.nt.zip")
    data = zipped({"a.nt": TEXT})

    def write():
        with contextlib.suppress(BrokenPipeError):  # the reader refuses before all is written
            (tmp_path / "a.nt.zip").write_bytes(data)

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(InputSyntaxError, match="a zip archive cannot be read from a pipe"):
        read(tmp_path / "a.nt.zip")
    writer.join()


def test_a_damaged_directory_of_a_zip_is_an_error(tmp_path):
    draw = random.Random(0)
    packed = zipped({"facts.tsv": b"a\tb\tc\n" * 50})
    path = tmp_path / "a.zip"
    for _ in range(2000):
        damaged = bytearray(packed)
        for _ in range(draw.randint(1, 6)):
            damaged[draw.randrange(len(packed))] = draw.randrange(256)
        path.write_bytes(damaged)
        found = outcome(path)
        assert found == b"a\tb\tc\n" * 50 or str(path).encode() in found
