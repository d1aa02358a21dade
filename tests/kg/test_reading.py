from __future__ import annotations

import gzip
import random
import threading
from pathlib import Path

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError, ConfigError, InputSyntaxError
from kg_reason.kg import inputs as inputs_room
from kg_reason.kg import reading
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.building import build_graph
from kg_reason.kg.inputs import find_inputs
from kg_reason.kg.reading import read_blocks, read_side_by_side, read_triples
from kg_reason.kg.triples import Triple

FILES = {
    "a.nt": "<http://x/a> <http://x/p> <http://x/b> .\n",
    "b.nq": "<http://x/a> <http://x/p> <http://x/b> <http://x/g> .\n",
    "c.ttl": "@prefix x: <http://x/> . x:a x:p x:b .\n",
    "d.trig": "@prefix x: <http://x/> . x:g { x:a x:p x:b . }\n",
    "e.rdf": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/">'
             '<rdf:Description rdf:about="http://x/a"><x:p rdf:resource="http://x/b"/></rdf:Description></rdf:RDF>\n',
    "f.jsonld": '{"@id": "http://x/a", "http://x/p": {"@id": "http://x/b"}}\n',
    "g.tsv": "http://x/a\thttp://x/p\thttp://x/b\n",
    "h.csv": '"http://x/a",http://x/p,http://x/b\n',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_format_gives_the_same_triple_and_its_source(folder):
    for name, text in FILES.items():
        Path(name).write_text("\ufeff" + text, encoding="utf-8")
    triples = list(read_triples(["."]))
    assert {triple[:3] for triple in triples} == {("http://x/a", "http://x/p", "http://x/b")}
    assert [str(triple.source) for triple in triples] == [f"{name}:1" for name in FILES]


def test_blocks_number_their_files_as_the_inputs_are_listed(folder):
    Path("a.tsv").write_text("a\tr\tb\n")
    Path("b.nt.gz").write_bytes(gzip.compress(b"<x:a> <x:r> <x:b> .\n"))
    inputs = find_inputs(["b.nt.gz", "a.tsv"], BuildConfig())
    blocks = list(read_blocks(inputs, BuildConfig(), BadLines()))
    assert [inputs[block.file].name for block in blocks] == ["b.nt.gz", "a.tsv"]


def test_bad_lines_of_all_files_are_found_in_one_pass_and_raised_at_its_end(folder):
    Path("a.tsv").write_text("a\tr\tb\nbad\n")
    Path("b.nt").write_text("worse\n<x:a> <x:r> <x:b> .\n")
    Path("c.ttl").write_text("worst")
    found: list[Triple] = []
    with pytest.raises(BadLinesError, match="a.tsv:2: expected 3 tab-separated fields, found 1") as raised:
        found.extend(read_triples(["a.tsv", "b.nt", "c.ttl"]))
    assert len(found) == 2
    assert [bad_line.path for bad_line in raised.value.bad_lines] == ["a.tsv", "b.nt", "c.ttl"]


def test_bad_lines_can_be_passed_over(folder):
    Path("a.tsv").write_text("a\tr\tb\nbad\n")
    assert len(list(read_triples(["a.tsv"], BuildConfig(skip_bad_lines=True)))) == 1


def test_lines_are_triples_and_noted_lines_together(folder):
    generator = random.Random(5)
    lines = [generator.choice(["a\tb\tc", "a\tb", "a\t\tc", "é\tb\tc", '"a"\tb\tc', "a\tb\tc\td"]) for _ in range(3000)]
    Path("a.tsv").write_text("\n".join(lines), encoding="utf-8")
    bad_lines = BadLines()
    blocks = list(read_blocks(find_inputs(["a.tsv"], BuildConfig()), BuildConfig(), bad_lines))
    assert sum(len(block) for block in blocks) + bad_lines.num == 3000


@pytest.mark.parametrize("suffix", ["nt", "ttl"])
def test_a_damaged_archive_inside_any_parser_names_its_file(folder, suffix):
    packed = gzip.compress("".join(f"<x:a{random.random()}> <x:r> <x:b> .\n" for _ in range(5000)).encode())
    Path(f"a.{suffix}.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputSyntaxError, match=f"a.{suffix}.gz: the gzip archive is cut short"):
        list(read_triples([f"a.{suffix}.gz"]))


@pytest.mark.parametrize("name", ["a.nt", "a.tsv", "a.csv"])
def test_small_blocks_give_what_one_block_gives(folder, monkeypatch, name):
    row = {"a.nt": '<x:a{0}> <x:r> "{0} \\n"@en .\n', "a.tsv": "a{0}\tr\tb\n", "a.csv": 'a{0},r,"b\n{0}"\n'}[name]
    Path(name).write_text("".join(row.format(number) for number in range(300)))
    whole = list(read_triples([name]))
    original = inputs_room.line_blocks.__kwdefaults__
    monkeypatch.setitem(original, "block_bytes", 100)
    assert list(read_triples([name])) == whole
    assert len(whole) == 300


def test_no_line_order_changes_the_triples(folder):
    lines = ["<x:a> <x:r> _:b .", "_:b <x:r> <x:c> .", '<x:a> <x:name> "a\\tb"@EN .', "<x:c> <x:r> _:é ."]
    results = set()
    for order in (lines, lines[::-1]):
        Path("a.nt").write_text("\n".join(order), encoding="utf-8")
        results.add(frozenset(triple[:3] for triple in read_triples(["a.nt"])))
    assert len(results) == 1


def many_files(num_rows: int = 400) -> list[str]:
    names = []
    for file in range(5):
        rows = [f"<x:a{row % 90}> <x:r{row % 3}> <x:a{(row * file) % 70}> ." for row in range(num_rows)]
        rows += [f'<x:a{row}> <http://www.w3.org/2000/01/rdf-schema#label> "name {row}" .' for row in range(file, 40)]
        rows[file] = f"no triple in file {file}"
        names.append(f"part{file}.nt")
        Path(names[-1]).write_text("\n".join(rows))
    Path("more.ttl").write_text("@prefix y: <http://y/> . <x:a1> y:r <x:a2> .")
    return [*names, "more.ttl"]


@pytest.mark.parametrize("num_readers", [0, 2, 5])
def test_files_read_side_by_side_give_the_graph_of_files_read_one_by_one(folder, monkeypatch, num_readers):
    names = many_files()
    monkeypatch.setitem(inputs_room.line_blocks.__kwdefaults__, "block_bytes", 900)
    build_graph(names, "one", BuildConfig(skip_bad_lines=True, num_readers=1))
    build_graph(names, "many", BuildConfig(skip_bad_lines=True, num_readers=num_readers))
    files = sorted(path.relative_to("one") for path in Path("one").rglob("*") if path.is_file())
    assert len(files) > 30
    assert all(Path("many", file).read_bytes() == Path("one", file).read_bytes() for file in files)


def test_one_reader_needs_no_thread_and_two_do(folder, monkeypatch):
    names = many_files(num_rows=10)
    threads = []
    original = reading.open_input
    monkeypatch.setattr(
        reading, "open_input", lambda *given: threads.append(threading.current_thread()) or original(*given)
    )
    for num_readers in (1, 2):
        config = BuildConfig(num_readers=num_readers)
        list(read_side_by_side(find_inputs(names, config), config, BadLines(), {}))
    main = threading.main_thread()
    assert [thread is main for thread in threads] == [True] * 6 + [False] * 6


def test_a_file_that_cannot_be_read_is_told_whatever_is_read_beside_it(folder):
    names = many_files()
    for name in ("part1.nt.gz", "part4.nt.gz"):
        Path(name).write_bytes(b"no archive")
    config = BuildConfig(num_readers=3)
    with pytest.raises(InputSyntaxError, match="part1.nt.gz: found no valid gzip data"):
        list(read_side_by_side(find_inputs([*names, "part1.nt.gz", "part4.nt.gz"], config), config, BadLines(), {}))


@pytest.mark.parametrize("num_readers", [1, 2])
def test_a_context_without_a_file_is_told_whatever_the_formats(tmp_path, num_readers):
    (tmp_path / "a.nt").touch()
    config = BuildConfig(context=("https://schema.org/",), num_readers=num_readers)
    with pytest.raises(ConfigError, match="context: found 'https://schema.org/', expected URL=FILE"):
        build_graph(tmp_path / "a.nt", tmp_path / "kg", config)
