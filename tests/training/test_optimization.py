"""What is trained and how fast: freezing, optimizers, schedules, label weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from kg_reason.config import TrainConfig
from kg_reason.errors import ConfigError
from kg_reason.nli import THREE_WAY
from kg_reason.training.optimization import build_optimizer, freeze, label_weights, rate_factor, set_learning_rates

EVERYTHING = {"embeddings", "layer 0", "layer 1", "graph", "fusion", "head"}


class Bert(nn.Module):
    """The names of a BERT."""

    def __init__(self):
        super().__init__()
        self.embeddings = nn.Embedding(5, 4)
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)) for _ in range(2))


class Model(nn.Module):
    """The names of a fused model."""

    def __init__(self):
        super().__init__()
        self.encoder = Bert()
        self.subgraph_encoder = nn.Linear(4, 4)
        self.path_fusion = nn.Linear(4, 3)
        self.text_head = nn.Linear(4, 3)

    def forward(self, ids):
        states = self.encoder.embeddings(ids)
        for layer in self.encoder.encoder.layer:
            states = layer(states)
        return self.text_head(states) + self.path_fusion(self.subgraph_encoder(states))


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Model()


def part(name):
    names = {
        "encoder.embeddings": "embeddings", "encoder.encoder.layer.0": "layer 0", "encoder.encoder.layer.1": "layer 1",
        "subgraph_encoder": "graph", "path_fusion": "fusion", "text_head": "head",
    }  # fmt: skip
    return next(value for prefix, value in names.items() if name.startswith(prefix))


def moved(model, config, num_steps=4):
    """Train a little; return the parts whose parameters moved, and all parameters as one vector."""
    freeze(model, config)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = build_optimizer(model, config)
    for step in range(num_steps):
        set_learning_rates(optimizer, rate_factor(step, num_steps, config))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(torch.arange(5)), torch.tensor([0, 1, 2, 0, 1])).backward()
        optimizer.step()
    after = dict(model.named_parameters())
    parts = {part(name) for name in after if not torch.equal(before[name], after[name])}
    return parts, torch.cat([parameter.detach().flatten() for parameter in after.values()])


@pytest.mark.parametrize(
    ("settings", "trained"),
    [
        ({}, EVERYTHING),
        ({"freeze": "encoder"}, {"graph", "fusion", "head"}),
        ({"freeze": "embeddings"}, EVERYTHING - {"embeddings"}),
        ({"freeze": "layers", "freeze_layers": 1}, EVERYTHING - {"embeddings", "layer 0"}),
        ({"freeze": "layers", "freeze_layers": 2}, {"graph", "fusion", "head"}),
        ({"freeze": "head-only"}, {"fusion", "head"}),
    ],
)
def test_a_freezing_policy_trains_exactly_its_parts(model, settings, trained):
    assert moved(model, TrainConfig(**settings))[0] == trained


def test_a_later_policy_thaws_what_an_earlier_one_froze(model):
    freeze(model, TrainConfig(freeze="encoder"))
    freeze(model, TrainConfig())
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("number", [0, 3])
def test_a_number_of_frozen_layers_that_the_encoder_lacks_is_refused(model, number):
    with pytest.raises(ConfigError, match=f"freeze_layers: found {number}, expected 1 to 2 encoder layers"):
        freeze(model, TrainConfig(freeze="layers", freeze_layers=number))


def test_frozen_layers_without_their_policy_are_refused(model):
    with pytest.raises(ConfigError, match="freeze_layers: found 1 with freeze=encoder, expected layers"):
        freeze(model, TrainConfig(freeze="encoder", freeze_layers=1))


def test_a_policy_that_leaves_nothing_to_train_is_refused():
    model = nn.ModuleDict({"encoder": nn.Linear(2, 2)})
    with pytest.raises(ConfigError, match="freeze: encoder leaves nothing of this model to train"):
        freeze(model, TrainConfig(freeze="encoder"))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "adafactor"])
def test_each_optimizer_moves_all_parts_and_its_own_way(model, optimizer):
    parts, weights = moved(model, TrainConfig(optimizer=optimizer, encoder_lr=0.01, graph_lr=0.01))
    assert parts == EVERYTHING
    other = "sgd" if optimizer == "adamw" else "adamw"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        other_weights = moved(Model(), TrainConfig(optimizer=other, encoder_lr=0.01, graph_lr=0.01))[1]
    assert not torch.allclose(weights, other_weights)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "adafactor"])
def test_encoder_and_graph_have_their_own_rates(model, optimizer):
    assert moved(model, TrainConfig(optimizer=optimizer, encoder_lr=0.0))[0] == {"graph", "fusion", "head"}
    assert moved(model, TrainConfig(optimizer=optimizer, graph_lr=0.0))[0] == {"embeddings", "layer 0", "layer 1"}


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "adafactor"])
def test_matrices_decay_and_biases_and_norms_do_not(model, optimizer):
    groups = build_optimizer(model, TrainConfig(optimizer=optimizer, weight_decay=0.1)).param_groups
    decay = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    assert {name for name, parameter in model.named_parameters() if decay[id(parameter)] == 0.1} == {
        "encoder.embeddings.weight", "encoder.encoder.layer.0.0.weight", "encoder.encoder.layer.1.0.weight",
        "subgraph_encoder.weight", "path_fusion.weight", "text_head.weight",
    }  # fmt: skip
    assert set(decay.values()) == {0.0, 0.1}


def test_factors_around_one_do_not_decay(model):
    model.encoder.layer = nn.ModuleDict({"ia3_l": nn.ParameterDict({"default": nn.Parameter(torch.ones(4, 1))})})
    groups = build_optimizer(model, TrainConfig(weight_decay=0.1, adapter_lr=0.3)).param_groups
    assert [(group["lr"], group["weight_decay"]) for group in groups if group["lr"] == 0.3] == [(0.3, 0.0)]


def test_frozen_parameters_are_not_in_the_optimizer(model):
    freeze(model, TrainConfig(freeze="head-only"))
    groups = build_optimizer(model, TrainConfig(freeze="head-only")).param_groups
    assert sum(len(group["params"]) for group in groups) == 4


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.5, 1.0, 1.0, 1.0, 1.0, 1.0]),
        ("linear", [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]),
        ("cosine", [0.5, 1.0, 1.0, 0.853553, 0.5, 0.146447]),
    ],
)
def test_the_rate_warms_up_and_then_follows_its_schedule(schedule, expected):
    config = TrainConfig(schedule=schedule, warmup_fraction=1 / 3)
    assert [rate_factor(step, 6, config) for step in range(6)] == pytest.approx(expected, abs=1e-6)


def test_a_longer_warm_up_rises_more_slowly():
    assert rate_factor(0, 100, TrainConfig(warmup_fraction=0.1)) == 0.1
    assert rate_factor(0, 100, TrainConfig(warmup_fraction=0.5)) == 0.02
    assert rate_factor(0, 100, TrainConfig(warmup_fraction=0.0)) == 1.0
    assert rate_factor(99, 100, TrainConfig(warmup_fraction=1.0)) == 1.0


def test_without_label_weights_all_labels_weigh_one():
    assert label_weights((), [5, 0, 1], THREE_WAY).tolist() == [1.0, 1.0, 1.0]


def test_balanced_weights_give_every_label_the_same_total():
    weights = label_weights(("balanced",), [60, 30, 10], THREE_WAY)
    assert (weights * torch.tensor([60, 30, 10])).tolist() == pytest.approx([100 / 3] * 3)


def test_balanced_weights_pass_over_a_label_without_examples():
    assert label_weights(("balanced",), [60, 0, 20], THREE_WAY).tolist() == pytest.approx([2 / 3, 1.0, 2.0])


def test_named_labels_weigh_what_was_said():
    assert label_weights(("neutral=2", "contradiction=0.5"), [1, 1, 1], THREE_WAY).tolist() == [1.0, 2.0, 0.5]


@pytest.mark.parametrize("pair", ["neutral", "neutral=", "neutral=much", "neutral=0", "neutral=nan", "nothing=1", "=1"])
def test_a_label_weight_that_makes_no_sense_is_refused(pair):
    with pytest.raises(ConfigError, match=f"class_weights: found '{pair}', expected 'balanced' alone"):
        label_weights((pair,), [1, 1, 1], THREE_WAY)


def test_balanced_beside_other_weights_is_refused():
    with pytest.raises(ConfigError, match="found 'balanced', expected 'balanced' alone"):
        label_weights(("neutral=2", "balanced"), [1, 1, 1], THREE_WAY)


def test_a_policy_that_finds_nothing_to_freeze_is_refused():
    model = nn.Module()
    model.encoder = nn.Linear(2, 2)
    model.text_head = nn.Linear(2, 3)
    with pytest.raises(ConfigError, match="freeze: embeddings finds nothing to freeze in this encoder"):
        freeze(model, TrainConfig(freeze="embeddings"))
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "adafactor"])
@pytest.mark.parametrize("rates", [{}, {"encoder_lr": 1e-3, "graph_lr": 1e-3}, {"weight_decay": 0.0}])
def test_every_trained_parameter_is_in_exactly_one_group(model, optimizer, rates):
    config = TrainConfig(optimizer=optimizer, freeze="layers", freeze_layers=1, **rates)
    freeze(model, config)
    held = [id(parameter) for group in build_optimizer(model, config).param_groups for parameter in group["params"]]
    assert len(held) == len(set(held))
    assert set(held) == {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
