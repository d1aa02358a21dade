"""Settings: checked when constructed, and the same after a round trip through plain data."""

from __future__ import annotations

import dataclasses
import json

import pytest

from kg_reason import config
from kg_reason.config import BuildConfig, Config, LinkerConfig, ModelConfig, ReasonerConfig, TrainConfig
from kg_reason.errors import ConfigError

GROUPS = [
    group
    for group in vars(config).values()
    if isinstance(group, type) and issubclass(group, Config) and group is not Config
]


@pytest.mark.parametrize(
    ("group", "values", "message"),
    [
        (LinkerConfig, {"max_candidates": "5"}, "max_candidates: found '5', expected int"),
        (LinkerConfig, {"max_candidates": 2.5}, "max_candidates: found 2.5, expected int"),
        (LinkerConfig, {"max_candidates": True}, "max_candidates: found True, expected int"),
        (LinkerConfig, {"link_values": 1}, "link_values: found 1, expected bool"),
        (TrainConfig, {"encoder_lr": "fast"}, "encoder_lr: found 'fast', expected float"),
        (BuildConfig, {"label_relations": "title"}, "label_relations: found 'title', expected tuple"),
        (BuildConfig, {"base_iri": None}, "base_iri: found None, expected str"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(group, values, message):
    with pytest.raises(ConfigError, match=message):
        group(**values)


def test_a_value_that_is_no_choice_is_refused_with_the_choices():
    with pytest.raises(ConfigError, match="optimizer: found 'adam', expected one of adamw, sgd, adafactor"):
        TrainConfig(optimizer="adam")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dropout": -0.1}, "dropout: found -0.1, expected at least 0.0"),
        ({"dropout": 0.95}, "dropout: found 0.95, expected at most 0.9"),
        ({"dropout": float("nan")}, "dropout: found nan, expected at least 0.0"),
        ({"max_tokens": 4}, "max_tokens: found 4, expected at least 8"),
    ],
)
def test_a_value_outside_its_range_is_refused_with_the_bound(values, message):
    with pytest.raises(ConfigError, match=message):
        ModelConfig(**values)


@pytest.mark.parametrize("value", [0.0, 0.9])
def test_the_bounds_of_a_range_belong_to_it(value):
    assert ModelConfig(dropout=value).dropout == value


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="unknown setting 'droput', expected one of adapter, .*, dropout, encoder"):
        ModelConfig.from_json({"droput": 0.1})


def test_a_whole_number_stands_for_a_real_one():
    weight = TrainConfig(weight_decay=1).weight_decay
    assert (weight, type(weight)) == (1.0, float)


def test_a_list_stands_for_a_tuple():
    assert BuildConfig(label_relations=["title"]).label_relations == ("title",)


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LinkerConfig().language = "de"


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_the_defaults_survive_a_round_trip_through_json(group):
    assert group.from_json(json.loads(json.dumps(group().to_json()))) == group()


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_every_setting_has_a_help_text(group):
    assert [item.name for item in dataclasses.fields(group) if not item.metadata.get("help")] == []


def test_the_settings_of_a_reasoner_survive_a_round_trip_through_json():
    settings = ReasonerConfig(linker=LinkerConfig(language="de"), model=ModelConfig(graph_dim=16, task="two-way"))
    assert ReasonerConfig.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_a_group_that_is_missing_in_stored_settings_has_its_defaults():
    assert ReasonerConfig.from_json({"linker": {"language": "de"}}).model == ModelConfig()
