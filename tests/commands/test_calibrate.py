"""Calibrating a run at the command line, undoing it, and answers that are left out as unsure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kg_reason.cli import main
from kg_reason.config import ModelConfig, ReasonerConfig
from kg_reason.examples import write_examples
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.interchange import export_graph
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.run_folder import CALIBRATION_FILE

WORDS = ("dog", "cat", "man", "woman", "violin", "guitar")
PAIR = ("A man plays a violin.", "A woman plays an instrument.")
BARE = ("A dog plays.", "The dog is cold.")


@pytest.fixture(scope="module")
def kg(toy_graph, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("graphs")
    export_graph(toy_graph, folder / "toy.nt", "nt")
    build_graph([str(folder / "toy.nt")], folder / "kg")
    return str(folder / "kg")


@pytest.fixture(scope="module")
def saved(kg, tiny_encoder, tmp_path_factory):
    """A run over a graph on disk, and labelled pairs of which it answers two in three right."""
    work = tmp_path_factory.mktemp("work")
    config = ReasonerConfig(model=ModelConfig(encoder=str(tiny_encoder), graph_dim=16))
    reasoner = Reasoner.build(KnowledgeGraph.open(kg), config)
    reasoner.save(work / "run")
    pairs = [NLIExample(f"A {one} plays.", f"The {other} is hot.") for one in WORDS for other in WORDS]
    answers = [prediction.label for prediction in reasoner.predict_examples(pairs)]
    places = [(reasoner.labels.index(label) + (row % 3 == 0)) % 3 for row, label in enumerate(answers)]
    labelled = [replace(pair, label=reasoner.labels[place]) for pair, place in zip(pairs, places, strict=True)]
    write_examples(str(work / "dev.jsonl"), labelled)
    return str(work / "run"), str(work / "dev.jsonl")


@pytest.fixture
def run(saved):
    folder, _ = saved
    yield folder
    main(["calibrate", folder, "--undo", "-q"])


def ask(capsys, *arguments):
    capsys.readouterr()
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def ask_json(capsys, *arguments):
    code, out, _ = ask(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


def test_a_run_is_calibrated_and_undone(run, saved, capsys, tmp_path):
    plain = ask_json(capsys, "query", run, *PAIR)
    code, out, err = ask(capsys, "calibrate", run, saved[1])
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["fused", "text"]
    assert "on 36 pairs" in out
    assert "--undo" in err
    answer = ask_json(capsys, "query", run, *PAIR)
    kept = json.loads(Path(run, CALIBRATION_FILE).read_text())
    assert (answer["temperature"], answer["text"]["temperature"]) == (kept["temperature"], kept["text_temperature"])
    assert kept["num_examples"] == 36
    assert answer["logits"] == plain["logits"]
    assert answer["probabilities"] != plain["probabilities"]
    assert ask_json(capsys, "calibrate", run, saved[1])["temperature"] == kept["temperature"]
    assert ask_json(capsys, "calibrate", run, "--undo") == {"removed": True}
    assert ask_json(capsys, "query", run, *PAIR) == plain
    assert ask_json(capsys, "calibrate", run, "--undo") == {"removed": False}


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ([], 2, "found no FILE, expected labelled pairs, or --undo"),
        (["--undo", "dev.jsonl"], 2, "found --undo and a FILE"),
    ],
)
def test_wrong_usage_is_told(run, capsys, more, code, message):
    found, _, err = ask(capsys, "calibrate", run, *more)
    assert found == code
    assert message in err


def test_what_is_no_run_has_nothing_to_undo(capsys, tmp_path):
    code, _, err = ask(capsys, "calibrate", str(tmp_path), "--undo")
    assert code == 1
    assert "config.json: missing, expected a folder made by kg-reason train" in err


def test_pairs_that_tell_no_temperature_leave_the_run_as_it_is(run, saved, capsys, tmp_path):
    write_examples(str(tmp_path / "one.jsonl"), [NLIExample("A dog.", "A cat.", "neutral")])
    code, _, err = ask(capsys, "calibrate", run, str(tmp_path / "one.jsonl"))
    assert code == 1
    assert "found pairs of one label only" in err
    assert ask_json(capsys, "calibrate", run, "--undo") == {"removed": False}


def test_an_unsure_answer_says_so_and_keeps_its_label(run, capsys):
    plain = ask_json(capsys, "query", run, *BARE)
    assert "unsure" not in plain
    answer = ask_json(capsys, "query", run, *BARE, "--abstain-below", "0.99")
    probability = max(plain["probabilities"].values())
    assert answer == {**plain, "unsure": {"reason": "no evidence", "probability": probability}}
    assert ask_json(capsys, "query", run, *BARE, "--abstain-below", "0.1") == {**plain, "unsure": None}


def test_the_page_of_an_unsure_answer_begins_with_the_reason(run, capsys):
    _, usual, _ = ask(capsys, "query", run, *BARE)
    code, out, _ = ask(capsys, "query", run, *BARE, "--abstain-below", "0.99")
    assert code == 0
    first, _, rest = out.partition("\n\n")
    assert first.startswith("unsure: no evidence (")
    assert first.endswith(", below 0.99)")
    assert rest == usual
    assert ask(capsys, "query", run, *BARE, "--abstain-below", "0")[1] == usual


def test_evaluation_shows_how_the_answered_and_the_others_fare(run, saved, capsys):
    report = ask_json(capsys, "evaluate", run, saved[1], "--abstain-below", "0.4", "-q")
    parts = report["abstention"]
    assert parts["answered"]["num_examples"] + parts["left_out"]["num_examples"] == report["num_examples"] == 36
    assert parts["coverage"] == parts["answered"]["num_examples"] / 36
    assert "abstention" not in ask_json(capsys, "evaluate", run, saved[1], "-q")
    _, out, _ = ask(capsys, "evaluate", run, saved[1], "--abstain-below", "0.4", "-q")
    assert "unsure below 0.4" in out


def test_a_threshold_that_is_no_probability_is_wrong_usage(run, capsys):
    code, _, err = ask(capsys, "query", run, *PAIR, "--abstain-below", "1.5")
    assert code == 2
    assert "--abstain-below" in err
