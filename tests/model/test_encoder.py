from __future__ import annotations

import json
import shutil

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.utils import logging as transformers_logging

from kg_reason.config import ModelConfig
from kg_reason.errors import CheckpointError
from kg_reason.model.encoder import (
    PACKAGED_ENCODER,
    find_encoder,
    first_position,
    load_encoder,
    load_tokenizer,
    make_encoder,
    max_tokens,
    text_width,
    word_embeddings,
)


def copy_encoder(tiny_encoder, folder):
    shutil.copytree(tiny_encoder, folder)
    return ModelConfig(encoder=str(folder))


def test_the_packaged_encoder_needs_no_network():
    config = ModelConfig(encoder=PACKAGED_ENCODER)
    pieces = load_tokenizer(config).tokenize("A violin.")
    assert pieces == ["a", "violin", "."]
    assert text_width(load_encoder(config)) == 384


def test_an_encoder_is_loaded_from_a_folder_without_its_pooler(tiny_encoder):
    encoder = load_encoder(ModelConfig(encoder=str(tiny_encoder)))
    assert word_embeddings(encoder).weight.dtype == torch.float32
    assert not [name for name, _ in encoder.named_parameters() if "pooler" in name]


def test_a_load_is_silent_and_leaves_the_log_of_transformers_as_it_was(tiny_encoder, tmp_path, capfd):
    config = copy_encoder(tiny_encoder, tmp_path / "more")
    weights = load_file(tiny_encoder / "model.safetensors")
    save_file({**weights, "head.weight": torch.zeros(2)}, tmp_path / "more" / "model.safetensors", {"format": "pt"})
    before = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    load_encoder(config)
    load_tokenizer(config)
    assert capfd.readouterr() == ("", "")
    assert (transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()) == before


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "a/b/c", "~/encoder", ""])
def test_a_folder_that_does_not_exist_is_named(name):
    with pytest.raises(CheckpointError, match="no such folder, expected one with config.json"):
        find_encoder(name)


def test_a_hub_name_that_cannot_be_had_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    config = ModelConfig(encoder="nobody/no-such-encoder")
    with pytest.raises(CheckpointError, match="nobody/no-such-encoder: no encoder could be loaded"):
        load_encoder(config)
    with pytest.raises(CheckpointError, match="nobody/no-such-encoder: no tokenizer could be loaded"):
        load_tokenizer(config)


def test_weights_that_are_not_safetensors_are_refused(tiny_encoder, tmp_path):
    config = copy_encoder(tiny_encoder, tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").rename(tmp_path / "pickled" / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="found no weights, expected model.safetensors"):
        load_encoder(config)


def test_damaged_weights_are_refused(tiny_encoder, tmp_path):
    config = copy_encoder(tiny_encoder, tmp_path / "damaged")
    (tmp_path / "damaged" / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(CheckpointError, match="damaged: no encoder could be loaded"):
        load_encoder(config)


def test_weights_of_another_model_are_refused(tiny_encoder, tmp_path):
    config = copy_encoder(tiny_encoder, tmp_path / "other")
    save_file({"other.weight": torch.zeros(2)}, tmp_path / "other" / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError, match="found no weights for .* and 36 others"):
        load_encoder(config)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no tokenizer could be loaded"):
        load_tokenizer(ModelConfig(encoder=str(tmp_path)))


def test_code_inside_a_checkpoint_never_runs(tiny_encoder, tmp_path):
    folder = tmp_path / "foreign"
    config = copy_encoder(tiny_encoder, folder)
    canary = tmp_path / "canary"
    (folder / "code.py").write_text(f"open({str(canary)!r}, 'w').close()\n")
    values = json.loads((folder / "config.json").read_text())
    foreign = {"model_type": "foreign", "auto_map": {"AutoConfig": "code.A", "AutoModel": "code.B"}}
    (folder / "config.json").write_text(json.dumps({**values, **foreign}))
    with pytest.raises(CheckpointError, match="foreign: no encoder could be loaded"):
        load_encoder(config)
    assert not canary.exists()


def test_an_encoder_made_from_its_configuration_takes_the_weights_of_the_first(tiny_encoder):
    loaded = load_encoder(ModelConfig(encoder=str(tiny_encoder)))
    made = make_encoder(loaded.config.to_dict())
    made.load_state_dict(loaded.state_dict())
    ids = torch.tensor([[2, 5, 3]])
    assert torch.equal(made.eval()(input_ids=ids).last_hidden_state, loaded.eval()(input_ids=ids).last_hidden_state)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "found model_type None"),
        ({"model_type": "no-such-model"}, "no no-such-model could be made"),
        ({"model_type": "bert", "hidden_size": 30, "num_attention_heads": 7}, "no bert could be made"),
    ],
)
def test_a_configuration_that_makes_no_encoder_is_refused(values, message):
    with pytest.raises(CheckpointError, match=message):
        make_encoder(values)


def test_the_positions_of_roberta_start_behind_that_of_its_padding():
    shape = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    roberta = make_encoder({"model_type": "roberta", "max_position_embeddings": 20, "pad_token_id": 1, **shape})
    bert = make_encoder({"model_type": "bert", "max_position_embeddings": 20, **shape})
    assert (first_position(roberta), max_tokens(roberta)) == (2, 18)
    assert (first_position(bert), max_tokens(bert)) == (0, 20)
