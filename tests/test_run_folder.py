"""The folder of a saved reasoner: what is damaged is told with its place, before anything is used."""

from __future__ import annotations

import json

import pytest
import torch

from kg_reason.config import ModelConfig, ReasonerConfig
from kg_reason.errors import CheckpointError, ConfigError, KGReasonError
from kg_reason.reasoner import Reasoner
from kg_reason.run_folder import CONFIG_FILE, WEIGHTS_FILE, load_weights, open_saved_graph, read_saved


@pytest.fixture
def run(toy_graph, tiny_encoder, tmp_path):
    settings = ReasonerConfig(model=ModelConfig(encoder=str(tiny_encoder), graph_dim=16))
    Reasoner.build(toy_graph, settings).save(tmp_path / "run")
    return tmp_path / "run"


def rewrite(run, **changes):
    path = run / CONFIG_FILE
    saved = {name: value for name, value in (json.loads(path.read_text()) | changes).items() if value is not ...}
    path.write_text(json.dumps(saved))


def test_what_was_saved_is_read_back(run, toy_graph):
    saved = read_saved(run)
    assert saved["labels"] == ["entailment", "neutral", "contradiction"]
    assert saved["graph"] == {"path": "", "fingerprint": toy_graph.fingerprint}


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (None, "base_encoder: found None, expected a dict"),
        ({"path": 3}, "base_encoder: path: found 3, expected a str"),
        ({"path": ""}, "base_encoder: fingerprint: found None, expected a str"),
    ],
)
def test_an_adapter_says_which_base_it_needs(run, base, message):
    settings = ReasonerConfig(model=ModelConfig(adapter="lora")).to_json()
    rewrite(run, settings=settings, base_encoder=base)
    with pytest.raises(CheckpointError, match=message):
        read_saved(run)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 99}, "found format version 99, expected 2"),
        ({"graph": ...}, "graph: found None, expected a dict"),
        ({"graph": {"path": 3}}, "graph: path: found 3, expected a str"),
        ({"settings": []}, r"settings: found \[\], expected a dict"),
        ({"settings": {"model": {}, "linker": {}, "retriever": 1}}, "settings: retriever: found 1, expected a dict"),
        ({"relations": "hypernym"}, "relations: found 'hypernym', expected a list"),
        ({"relations": [1]}, r"relations: found \[1\], expected names"),
        ({"labels": ["neutral", "entailment", "contradiction"]}, "found neutral, entailment, .* in this order"),
        ({"labels": ["entailment", 3]}, "labels: found entailment, 3, expected entailment, neutral, contradiction"),
    ],
)
def test_a_configuration_that_was_changed_is_refused_by_name(run, changes, message):
    rewrite(run, **changes)
    with pytest.raises(CheckpointError, match=rf"config\.json: .*{message}|config\.json: {message}"):
        read_saved(run)


def test_a_setting_out_of_range_is_refused(run):
    settings = json.loads((run / CONFIG_FILE).read_text())["settings"]
    rewrite(run, settings={**settings, "model": {**settings["model"], "dropout": 7}})
    with pytest.raises(ConfigError, match="dropout: found 7"):
        read_saved(run)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 100_000, b""])
def test_a_file_that_is_no_object_is_refused(run, content):
    (run / CONFIG_FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"config\.json: (not valid JSON|found list, expected an object)"):
        read_saved(run)


def test_a_folder_in_the_place_of_a_file_is_refused(run, toy_graph):
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        (run / name).unlink()
        (run / name).mkdir()
    with pytest.raises(CheckpointError, match=r"config\.json: cannot be read"):
        read_saved(run)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: not a whole safetensors file"):
        load_weights(torch.nn.Linear(1, 1), run / WEIGHTS_FILE)


def test_a_graph_that_is_not_there_is_told_with_the_flag_that_names_another(run):
    with pytest.raises(CheckpointError, match="was trained with a graph in memory; name a graph folder with --graph"):
        open_saved_graph(run, {"path": "", "fingerprint": ""})
    with pytest.raises(KGReasonError, match="its graph cannot be opened .*; name one with --graph"):
        open_saved_graph(run, {"path": "../nowhere", "fingerprint": ""})
