"""The resumable state: what is saved comes back, older states go, and nothing damaged is believed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from kg_reason.config import TrainConfig
from kg_reason.errors import CheckpointError
from kg_reason.training.checkpoint import (
    TrainState,
    best_weights,
    has_checkpoint,
    load_checkpoint,
    load_weights,
    read_state,
    save_checkpoint,
    save_weights,
)
from kg_reason.training.optimization import build_optimizer

STATE = TrainState(
    step=7, epoch=1, step_in_epoch=2, best_step=5, best_score=0.75, stale_evaluations=1, loss_sum=2.5, loss_steps=2,
    seconds=12.5, curve=({"step": 5},), settings={"seed": 1}, rng=({"torch": "AA=="},), scaler={"scale": 1.0},
)  # fmt: skip


class Model(nn.Module):
    """Parameters, a tied weight and both kinds of buffers."""

    def __init__(self, width=3):
        super().__init__()
        self.encoder = nn.Linear(4, width)
        self.text_head = nn.Sequential(nn.BatchNorm1d(width), nn.Linear(width, 2))
        self.tied = self.encoder
        self.register_buffer("scratch", torch.zeros(2), persistent=False)

    def forward(self, x):
        return self.text_head(self.encoder(x))


def make(optimizer="adamw", seed=0, width=3):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Model(width)
    return model, build_optimizer(model, TrainConfig(optimizer=optimizer, encoder_lr=0.1, graph_lr=0.1))


def work(model, optimizer, num_steps=3):
    x = torch.arange(20.0).reshape(5, 4).sin()
    for _ in range(num_steps):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
    return model.state_dict()


def rewrite(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def saved(tmp_path):
    """A folder with a state after three steps."""
    model, optimizer = make()
    work(model, optimizer)
    save_checkpoint(tmp_path, STATE, model, optimizer, save_weights(tmp_path, 5, model))
    return tmp_path


@pytest.mark.parametrize("kind", ["adamw", "sgd", "adafactor"])
def test_a_restored_optimizer_goes_on_to_the_same_weights(tmp_path, kind):
    model, optimizer = make(kind)
    work(model, optimizer)
    save_checkpoint(tmp_path, STATE, model, optimizer, None)
    expected = work(model, optimizer)
    other, other_optimizer = make(kind, seed=1)
    load_checkpoint(tmp_path, other, other_optimizer)
    found = work(other, other_optimizer)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_parameter_that_never_had_a_gradient_has_no_state(tmp_path):
    model, optimizer = make()
    model.encoder.bias.requires_grad_(False)
    work(model, optimizer)
    save_checkpoint(tmp_path, STATE, model, optimizer, None)
    other, other_optimizer = make(seed=1)
    load_checkpoint(tmp_path, other, other_optimizer)
    assert other.encoder.bias not in other_optimizer.state
    assert other.encoder.weight in other_optimizer.state


def test_the_state_comes_back_as_it_was(saved):
    assert read_state(saved) == STATE


def test_the_best_weights_come_back(saved):
    model, optimizer = make()
    expected = {name: tensor.clone() for name, tensor in work(model, optimizer).items()}
    work(model, optimizer)
    load_weights(saved, best_weights(saved), model)
    assert all(torch.equal(model.state_dict()[name], expected[name]) for name in expected)


def test_without_an_evaluation_there_are_no_best_weights(tmp_path):
    save_checkpoint(tmp_path, STATE, *make(), None)
    assert best_weights(tmp_path) is None


def test_a_new_state_removes_the_tensors_of_the_one_before(saved):
    save_checkpoint(saved, replace(STATE, step=8), *make(), best_weights(saved))
    names = ["best-00000005.safetensors", "state.json", "step-00000008.safetensors"]
    assert sorted(path.name for path in saved.iterdir()) == names


def test_a_state_that_was_cut_off_while_writing_leaves_the_one_before(saved):
    model, optimizer = make()
    save_weights(saved, 9, model)
    (saved / ".step-00000009.safetensors.7.part").write_bytes(b"half")
    (saved / ".state.json.7.part").write_text("{")
    load_checkpoint(saved, model, optimizer)
    assert read_state(saved) == STATE
    assert best_weights(saved).name == "best-00000005.safetensors"
    save_checkpoint(saved, STATE, model, optimizer, best_weights(saved))
    names = ["best-00000005.safetensors", "state.json", "step-00000007.safetensors"]
    assert sorted(path.name for path in saved.iterdir()) == names


def test_nothing_in_the_folder_is_a_pickle(saved):
    for path in saved.glob("*.safetensors"):
        load_file(path)
    json.loads((saved / "state.json").read_text())


def test_a_folder_without_a_state_has_nothing_to_resume(tmp_path):
    assert not has_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match=r"found no state.json, nothing to resume"):
        read_state(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_state_file_that_is_no_state_is_refused(saved, content):
    (saved / "state.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"state\.json"):
        load_checkpoint(saved, *make())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("step", -1), ("step", 1.5), ("step", True), ("step", None), ("epoch", "1"), ("best_score", float("nan")),
        ("seconds", float("inf")), ("curve", [1]), ("curve", {}), ("settings", []), ("rng", ["x"]), ("scaler", None),
        ("loss_steps", -3),
    ],
)  # fmt: skip
def test_a_field_out_of_range_is_refused_by_name(saved, field, value):
    rewrite(saved / "state.json", **{field: value})
    with pytest.raises(CheckpointError, match=rf"state\.json: {field}: found .* expected"):
        read_state(saved)


def test_another_format_is_refused(saved):
    rewrite(saved / "state.json", format=2)
    with pytest.raises(CheckpointError, match="format: found 2, expected 1"):
        read_state(saved)


@pytest.mark.parametrize(
    "files",
    [
        None, {}, {"step": {"name": "../step-00000001.safetensors", "sha256": ""}}, {"step": {"name": "state.json"}},
        {"step": "step-00000001.safetensors"}, {"step": None},
    ],
)  # fmt: skip
def test_a_state_that_names_no_proper_file_is_refused(saved, files):
    rewrite(saved / "state.json", files=files)
    with pytest.raises(CheckpointError, match=r"state\.json: (files: |found)"):
        load_checkpoint(saved, *make())


def test_one_changed_byte_is_seen_and_leaves_the_model_alone(saved):
    path = saved / "step-00000007.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    model, optimizer = make(seed=1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"step-00000007.safetensors: damaged: found sha256"):
        load_checkpoint(saved, model, optimizer)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not optimizer.state


def test_missing_tensors_are_refused(saved):
    best = best_weights(saved)
    for path in saved.glob("*.safetensors"):
        path.unlink()
    model, optimizer = make()
    with pytest.raises(CheckpointError, match=r"step-00000007\.safetensors: not a readable file of weights"):
        load_checkpoint(saved, model, optimizer)
    with pytest.raises(CheckpointError, match=r"best-00000005\.safetensors: not a readable file of weights"):
        load_weights(saved, best, model)


def test_weights_of_another_model_are_refused_with_both_shapes(saved):
    with pytest.raises(CheckpointError, match=r"another model: encoder.bias: found torch.float32 \[3\]"):
        load_checkpoint(saved, *make(width=5))


def forge(folder, change):
    """Change the tensors of a state so that its checksum fits again."""
    tensors = load_file(folder / "step-00000007.safetensors")
    change(tensors)
    save_file(tensors, folder / "step-00000007.safetensors")
    digest = hashlib.sha256((folder / "step-00000007.safetensors").read_bytes()).hexdigest()
    files = json.loads((folder / "state.json").read_text())["files"]
    rewrite(folder / "state.json", files={**files, "step": {"name": "step-00000007.safetensors", "sha256": digest}})


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("optimizer/encoder.weight/exp_avg", torch.zeros(2)), ("optimizer/encoder.weight/velocity", torch.zeros(3, 4)),
        ("optimizer/decoder.weight/exp_avg", torch.zeros(3, 4)), ("optimizer/", torch.zeros(1)),
    ],
)  # fmt: skip
def test_optimizer_state_that_does_not_fit_is_refused(saved, name, tensor):
    forge(saved, lambda tensors: tensors.update({name: tensor}))
    with pytest.raises(CheckpointError, match="does not fit this model and optimizer"):
        load_checkpoint(saved, *make())


def test_optimizer_state_of_a_frozen_parameter_is_refused(saved):
    model, _ = make()
    model.encoder.requires_grad_(False)
    with pytest.raises(CheckpointError, match=r"holds optimizer state of 'encoder.bias', which is not trained"):
        load_checkpoint(saved, model, build_optimizer(model, TrainConfig()))


@pytest.mark.parametrize("scalars", [[], {"encoder.weight": 3}, {"x": {"step": 1}}, {"encoder.weight": {"step": "1"}}])
def test_optimizer_scalars_that_do_not_fit_are_refused(saved, scalars):
    rewrite(saved / "state.json", optimizer_scalars=scalars)
    with pytest.raises(CheckpointError, match=r"state\.json: (optimizer_scalars: )?found"):
        load_checkpoint(saved, *make())
