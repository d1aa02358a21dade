"""The doctor tells what is wrong with a run or an example file, and how to mend it."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from kg_reason.doctor import describe, examine, find_kind
from kg_reason.errors import KGReasonError
from kg_reason.kg.building import build_graph
from kg_reason.kg.editing import edit_graph
from tests.conftest import save_run

TABLE = "head\trelation\ttail\nviolin\thypernym\tinstrument\ndrum\thypernym\tinstrument\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory, tiny_encoder) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "a.tsv").write_text(TABLE)
    build_graph(folder / "a.tsv", folder / "kg")
    save_run(folder, tiny_encoder)
    return folder


@pytest.fixture
def run(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "run"


def faults(path: Path) -> list[str]:
    return [f"{finding.place}: {finding.problem}" for finding in examine(path).findings if not finding.is_advice]


def advice(path: Path) -> list[str]:
    return [finding.problem for finding in examine(path).findings if finding.is_advice]


def examples(folder: Path, *rows: tuple[str, str, str]) -> Path:
    path = folder / "pairs.jsonl"
    lines = [json.dumps(dict(zip(("premise", "hypothesis", "label"), row, strict=True))) for row in rows]
    path.write_text("".join(line + "\n" for line in lines))
    return path


GOOD = [("a dog", "an animal", "entailment"), ("a dog", "a cat", "contradiction"), ("a dog", "a poodle", "neutral")]


# ---- runs


def test_a_saved_run_is_sound(run):
    diagnosis = examine(run)
    assert diagnosis.findings == ()
    assert diagnosis.is_sound
    assert diagnosis.to_text() == f"{run} (run) is sound"


@pytest.mark.parametrize(
    "name", ["model.safetensors", "encoder_config.json", "config.json", "tokenizer/tokenizer.json"]
)
def test_a_missing_file_is_named(run, name):
    (run / name).unlink()
    assert faults(run) == [f"{run / name}: missing"]


@pytest.mark.parametrize("name", ["config.json", "training.json"])
def test_broken_json_is_named(run, name):
    (run / name).write_text("{")
    (fault,) = faults(run)
    assert f"{run / name}: not valid JSON" in fault


def test_a_pickle_is_refused_by_its_name_or_its_first_bytes(run):
    (run / "pytorch_model.bin").write_bytes(b"anything")
    (run / "harmless.txt").write_bytes(pickle.dumps({"a": 1}))
    named = [fault.split(": ")[0] for fault in faults(run)]
    assert named == [str(run / "harmless.txt"), str(run / "pytorch_model.bin")]
    assert "may run any code" in faults(run)[0]


def test_a_graph_that_is_gone_or_was_built_anew_is_told(run):
    (run.parent / "a.tsv").write_text(TABLE + "cello\thypernym\tinstrument\n")
    build_graph(run.parent / "a.tsv", run.parent / "kg")
    (fault,) = faults(run)
    assert "was built anew since" in fault
    shutil.rmtree(run.parent / "kg")
    (fault,) = faults(run)
    assert "its graph cannot be opened" in fault


def test_edits_of_its_graph_are_mentioned(run):
    edit_graph(run.parent / "kg", "add", "cello", "hypernym", "instrument")
    assert faults(run) == []
    assert advice(run) == [f"its graph {run.parent / 'kg'} was edited since it was built"]


def test_tensors_that_do_not_fit_are_told(run):
    weights = load_file(run / "model.safetensors")
    name = sorted(weights)[0]
    weights[name] = weights[name][:1].clone()
    save_file(weights, run / "model.safetensors")
    (fault,) = faults(run)
    assert f"tensor {name}: found shape" in fault
    (run / "model.safetensors").write_bytes(b"not tensors")
    (fault,) = faults(run)
    assert "not a whole safetensors file" in fault


def test_an_interrupted_run_beside_it_is_mentioned(run):
    work = run.with_name("run.training")
    (work / "checkpoint").mkdir(parents=True)
    (work / "checkpoint" / "state.json").write_text("{}")
    assert advice(run) == ["an interrupted run"]
    assert find_kind(work) == "unfinished run"
    assert advice(work) == [f"the checkpoint of an interrupted run of {run}"]


# ---- examples


def test_good_examples_are_sound(tmp_path):
    assert examine(examples(tmp_path, *GOOD)).findings == ()


def test_bad_lines_are_listed_with_their_place(tmp_path):
    path = examples(tmp_path, *GOOD)
    path.write_text(path.read_text() + '{"premise": "a", "hypothesis": "", "label": "neutral"}\nno json\n')
    assert [fault.split(": ")[0] for fault in faults(path)] == [f"{path}:4", f"{path}:5"]


def test_pairs_with_two_labels_are_a_fault_and_repeats_are_not(tmp_path):
    path = examples(tmp_path, *GOOD, GOOD[0], ("a dog", "a cat", "neutral"))
    assert faults(path) == [f"{path}: 'a dog' / 'a cat' is contradiction and neutral"]
    assert advice(path) == ["1 pairs are repeats"]


def test_labels_that_are_rare_alone_mixed_or_missing_are_mentioned(tmp_path):
    many = [("a dog", f"an animal {number}", "entailment") for number in range(30)]
    assert advice(examples(tmp_path, *many)) == ["every label is entailment"]
    assert advice(examples(tmp_path, *many, GOOD[1])) == ["only 1 of 31 pairs are contradiction"]
    mixed = examples(tmp_path, *GOOD, ("a", "b", "not_entailment"))
    assert advice(mixed) == ["two-way and three-way labels are mixed"]
    assert advice(examples(tmp_path, *GOOD, ("a", "b", ""))) == ["1 pairs have no label"]
    assert advice(examples(tmp_path, ("a", "b", ""))) == ["no pair has a label"]


def test_empty_premises_and_very_long_texts_are_mentioned(tmp_path):
    path = examples(tmp_path, *GOOD, ("", "a claim", "neutral"), ("word " * 201, "a", "neutral"))
    assert advice(path)[0] == "1 pairs have an empty premise"
    assert advice(path)[1].startswith("1 texts have more than 200 words")


def test_an_empty_file_is_a_fault(tmp_path):
    assert faults(examples(tmp_path)) == [f"{tmp_path / 'pairs.jsonl'}: found no example"]


# ---- whatever else


def test_what_is_none_of_them_is_told(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"")
    assert "no such file or folder" in faults(tmp_path / "none")[0]
    assert "found suffix '.jpg'" in faults(tmp_path / "photo.jpg")[0]
    assert "found neither a graph (graph.json) nor a run (config.json)" in faults(tmp_path)[0]
    with pytest.raises(KGReasonError, match="no such file"):
        describe(tmp_path / "none")


def test_the_page_names_faults_before_advice_with_their_remedies(tmp_path):
    path = examples(tmp_path, *GOOD, GOOD[0], ("a dog", "a cat", "neutral"))
    page = examine(path).to_text().splitlines()
    assert page[0] == f"{path} (examples) has 1 fault"
    assert page[1].startswith("  fault   ")
    assert page[2] == "          -> decide for one of the labels"
    assert page[3].startswith("  advice  ")


def test_describe_gives_fingerprints(run, tmp_path):
    assert describe(run.parent / "kg")["fingerprint"] == describe(run)["graph_fingerprint"]
    facts = describe(examples(tmp_path, *GOOD))
    assert (facts["num_pairs"], facts["num_neutral"]) == (3, 1)


def test_a_bad_first_line_without_columns_is_to_be_mended(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"premise": "a", "hypothesis": "b", "label": "maybe"}\n')
    (tmp_path / "b.csv").write_text("head,relation,tail\n")
    assert [finding.remedy for finding in examine(tmp_path / "a.jsonl").findings] == ["mend this line"]
    assert "name the columns" in examine(tmp_path / "b.csv").findings[0].remedy
