"""The formats of example files: every one gives the same rows, and what is no row is told with its place."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import json
import lzma
import sys

import polars
import pytest

from kg_reason.config import ExampleConfig
from kg_reason.errors import BadLinesError, InputSyntaxError, MissingExtraError
from kg_reason.examples import read_examples
from kg_reason.nli import Label, NLIExample

EXAMPLES = [
    NLIExample("A man plays a violin.", "A man plays an instrument.", Label.ENTAILMENT, "music", {}, "a1"),
    NLIExample('She said: "Let\'s go, now"', "Er schläft über 中文 nach.", Label.NEUTRAL, "", {}, "a2"),
    NLIExample("", "Water is dry.", Label.CONTRADICTION, "claims", {}, "a3"),
]
COLUMNS = ("id", "premise", "hypothesis", "label", "category")


def rows():
    return [(e.example_id, e.premise, e.hypothesis, str(e.label), e.category) for e in EXAMPLES]


def jsonl():
    return "".join(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n" for row in rows())


def tsv():
    return "".join("\t".join(row) + "\n" for row in [COLUMNS, *rows()])


def csv():
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in [COLUMNS, *rows()]]
    return "".join(",".join(row) + "\n" for row in quoted)


def write(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(("suffix", "text"), [("jsonl", jsonl()), ("ndjson", jsonl()), ("tsv", tsv()), ("csv", csv())])
@pytest.mark.parametrize(
    ("packing", "pack"), [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_every_text_format_gives_the_same_examples_packed_or_not(tmp_path, suffix, text, packing, pack):
    assert read_examples([write(tmp_path / f"pairs.{suffix}{packing}", pack(text.encode()))]) == EXAMPLES


def test_zstandard_files_are_unpacked(tmp_path):
    zstandard = pytest.importorskip("zstandard", reason="the extra zstd is not installed")
    packed = zstandard.ZstdCompressor().compress(jsonl().encode())
    assert read_examples([write(tmp_path / "pairs.jsonl.zst", packed)]) == EXAMPLES


def test_parquet_gives_the_same_examples(tmp_path):
    polars.DataFrame(rows(), schema=list(COLUMNS), orient="row").write_parquet(tmp_path / "pairs.parquet")
    assert read_examples([tmp_path / "pairs.parquet"]) == EXAMPLES


def test_standard_input_is_read_as_json_lines(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(jsonl().encode()))))
    assert read_examples(["-"]) == EXAMPLES


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path, suffix):
    text = {"jsonl": jsonl(), "csv": csv()}[suffix]
    assert read_examples([write(tmp_path / f"a.{suffix}", "\ufeff" + text.replace("\n", "\r\n"))]) == EXAMPLES


def test_a_csv_cell_may_hold_a_line_break_and_later_lines_keep_their_numbers(tmp_path):
    text = 'premise,hypothesis,label\n"Two\nlines.",One.,neutral\nA.,B.,perhaps\n'
    with pytest.raises(BadLinesError, match="a.csv:4: label: found 'perhaps', expected one of the words entailment"):
        read_examples([write(tmp_path / "a.csv", text)])


def test_a_tsv_sentence_may_begin_with_a_quotation_mark(tmp_path):
    text = 'premise\thypothesis\tlabel\n"Go!" he said.\t"He ""spoke""."\tentailment\n"Stop\tHe spoke.\tneutral\n'
    examples = read_examples([write(tmp_path / "a.tsv", text)])
    assert [(e.premise, e.hypothesis) for e in examples] == [
        ('"Go!" he said.', 'He "spoke".'), ('"Stop', "He spoke."),
    ]


def test_a_row_of_another_length_is_a_bad_line(tmp_path):
    path = write(tmp_path / "a.tsv", "premise\thypothesis\tlabel\nA.\tB.\nA.\tB.\tneutral\n")
    with pytest.raises(BadLinesError, match="a.tsv:2: found 2 fields, expected 3 as in the header"):
        read_examples([path])


def test_broken_quoting_is_a_bad_line(tmp_path):
    path = write(tmp_path / "a.csv", 'premise,hypothesis,label\n"A" dog.,B.,neutral\nA.,"B.,neutral\n')
    with pytest.raises(BadLinesError, match="a.csv:2: found broken quoting .* expected quotes") as caught:
        read_examples([path])
    assert [line.line for line in caught.value.bad_lines] == [2, 3]


def test_bytes_that_are_not_utf_8_are_a_bad_line(tmp_path):
    path = write(tmp_path / "a.tsv", "premise\thypothesis\tlabel\nCafé.\tB.\tneutral\n".encode("latin-1"))
    with pytest.raises(BadLinesError, match="a.tsv:2: found byte 0xe9 at byte 4 of the line, expected UTF-8"):
        read_examples([path])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.jsonl", "none.jsonl: no such file$"),
        ("snli", "no such file; a Hugging Face data set is written hf:.*snli"),
        ("notes.txt", "found suffix '.txt', expected one of .jsonl"),
        ("folder", "found a folder, expected an example file"),
    ],
)
def test_a_name_that_tells_no_example_file_is_refused(tmp_path, name, message):
    write(tmp_path / "notes.txt", "hello")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputSyntaxError, match=message):
        read_examples([tmp_path / name])


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.parquet"])
def test_a_damaged_file_is_told_as_a_whole(tmp_path, name):
    packed = gzip.compress(jsonl().encode() * 50)
    with pytest.raises(InputSyntaxError, match=f"{name}: "):
        read_examples([write(tmp_path / name, packed[: len(packed) // 2])])


def test_a_column_name_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(InputSyntaxError, match="a.tsv:1: found column 'label' twice"):
        read_examples([write(tmp_path / "a.tsv", "premise\thypothesis\tlabel\tlabel\n")])


def test_a_hugging_face_data_set_needs_the_extra():
    if importlib.util.find_spec("datasets") is not None:
        pytest.skip("the extra datasets is installed")
    with pytest.raises(MissingExtraError, match=r"hf:snli: .* pip install 'kg_reason\[datasets\]'"):
        read_examples(["hf:snli"])


def test_class_numbers_of_a_hugging_face_data_set_become_its_words(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="the extra datasets is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    features = datasets.Features(
        {
            "premise": datasets.Value("string"),
            "hypothesis": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["entailment", "neutral", "contradiction"]),
        }
    )
    columns = {"premise": ["A.", "A.", "A."], "hypothesis": ["B.", "C.", "D."], "label": [2, -1, 0]}
    table = datasets.Dataset.from_dict(columns, features=features)
    hub = {("snli", None, "test"): table}
    monkeypatch.setattr(datasets, "load_dataset", lambda name, subset, split: hub[name, subset, split])
    examples = read_examples(["hf:snli@test"], ExampleConfig(skip_unlabelled=True))
    assert [(e.hypothesis, e.label) for e in examples] == [("B.", Label.CONTRADICTION), ("D.", Label.ENTAILMENT)]
