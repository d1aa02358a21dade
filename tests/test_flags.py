"""Flags are the fields of the settings, and a TOML file lies under them."""

from __future__ import annotations

import argparse
from dataclasses import fields

import pytest

from kg_reason.config import (
    BuildConfig,
    EndpointConfig,
    ExampleConfig,
    LinkerConfig,
    ModelConfig,
    RetrieverConfig,
    SuggestConfig,
    SynthesisConfig,
    TrainConfig,
)
from kg_reason.errors import ConfigError
from kg_reason.flags import add_settings, flag_name, number, read_config, set_under, settings_from, write_config

GROUPS = [
    BuildConfig, ExampleConfig, LinkerConfig, ModelConfig, RetrieverConfig, SuggestConfig, SynthesisConfig, TrainConfig,
]  # fmt: skip


def parser_of(*groups):
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    for group in groups:
        add_settings(parser, group, group.__name__)
    return parser


def train_parser():
    parser = parser_of(TrainConfig, LinkerConfig, RetrieverConfig)
    parser.add_argument("--out", required=True)
    parser.add_argument("--examples", nargs="+", required=True)
    parser.add_argument("--resume", action="store_true")
    return parser


def read(tmp_path, text, command="train"):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    query = argparse.ArgumentParser()
    query.add_argument("--max-paths", type=int)
    return read_config(str(path), command, {"train": train_parser(), "query": query})


@pytest.mark.parametrize("group", GROUPS)
def test_without_flags_the_settings_are_the_defaults(group):
    assert settings_from(parser_of(group).parse_args([]), group) == group()


@pytest.mark.parametrize("group", GROUPS)
def test_every_setting_has_a_flag_with_its_help(group, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    text = parser_of(group).format_help()
    for item in fields(group):
        assert flag_name(item.name) in text
        assert f"{item.metadata['help']} (default: " in text


def test_a_flag_that_is_not_given_is_absent():
    arguments = parser_of(TrainConfig).parse_args(["--num-epochs", "5"])
    assert vars(arguments) == {"num_epochs": 5}


def test_flags_of_every_type_become_settings():
    parser = parser_of(RetrieverConfig, TrainConfig)
    arguments = parser.parse_args([
        "--max-hops", "2", "--no-climb", "--exclude-relations", "a", "b c", "--encoder-lr", "1e-4",
        "--schedule", "cosine",
    ])  # fmt: skip
    retriever, training = settings_from(arguments, RetrieverConfig), settings_from(arguments, TrainConfig)
    assert retriever == RetrieverConfig(max_hops=2, climb=False, exclude_relations=("a", "b c"))
    assert training == TrainConfig(encoder_lr=1e-4, schedule="cosine")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--num-epochs", "0"], "--num-epochs: found 0, expected at least 1"),
        (["--num-epochs", "many"], "--num-epochs: found 'many', expected a whole number"),
        (["--warmup-fraction", "2"], "--warmup-fraction: found 2, expected at most 1"),
        (["--encoder-lr", "nan"], "--encoder-lr: found nan, expected at least 0"),
        (["--schedule", "exponential"], "--schedule: invalid choice: 'exponential'"),
    ],
)
def test_a_value_out_of_range_is_told_as_wrong_usage(flags, message):
    with pytest.raises(argparse.ArgumentError, match=message):
        parser_of(TrainConfig).parse_args(flags)


def test_a_setting_may_have_a_short_flag_beside_its_long_one():
    for flag in ("-n", "--num-suggestions"):
        arguments = parser_of(SuggestConfig).parse_args([flag, "7"])
        assert settings_from(arguments, SuggestConfig) == SuggestConfig(num_suggestions=7)


def test_a_number_in_range_passes():
    assert number(float, 0.0, 1.0)("0.25") == 0.25
    assert number(int)("-3") == -3


def test_a_file_sets_any_flag_and_flags_given_win(tmp_path):
    values = read(tmp_path, 'num-epochs = 4\nout = "runs/a"\nexamples = ["a.jsonl"]\nclimb = false\nresume = true\n')
    parser = train_parser()
    set_under(parser, values)
    arguments = parser.parse_args(["--num-epochs", "7"])
    assert (arguments.num_epochs, arguments.out, arguments.examples) == (7, "runs/a", ["a.jsonl"])
    assert arguments.resume is True
    assert settings_from(arguments, RetrieverConfig) == RetrieverConfig(climb=False)


def test_one_file_serves_several_commands_by_sections(tmp_path):
    text = "[train]\nnum_epochs = 4\n[query]\nmax_paths = 2\n"
    assert read(tmp_path, text) == {"num_epochs": 4}
    assert read(tmp_path, text, "query") == {"max_paths": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("num_epoch = 3", "settings.toml: unknown key 'num_epoch', expected a flag of kg-reason train"),
        ("[query]\nnum_epochs = 3", "unknown key 'query.num_epochs', expected a flag of kg-reason query"),
        ("[trian]\nnum_epochs = 3", r"settings.toml: unknown section \[trian\], expected one of train, query"),
        ('num_epochs = "3"', "settings.toml: num_epochs: found '3', expected a number"),
        ("num_epochs = 0", "settings.toml: num_epochs: found 0, expected at least 1"),
        ("num_epochs = 2.5", "settings.toml: num_epochs: found 2.5, expected a number"),
        ("num_epochs = true", "settings.toml: num_epochs: found True, expected a number"),
        ("climb = 1", "settings.toml: climb: found 1, expected true or false"),
        ('schedule = "steep"', "settings.toml: schedule: found 'steep', expected one of linear, cosine, constant"),
        ("exclude_relations = [1]", r"settings.toml: exclude_relations: found 1, expected text"),
        ("num_epochs = 3\nnum-epochs = 3", "settings.toml: key 'num-epochs' stands there twice"),
        ("config = 'other.toml'", "settings.toml: unknown key 'config'"),
        ("num_epochs 3", "settings.toml: not valid TOML"),
    ],
)
def test_a_faulty_file_is_refused_with_file_and_key(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="none.toml: cannot be opened: No such file"):
        read_config(str(tmp_path / "none.toml"), "train", {"train": train_parser()})


def test_written_settings_read_back_as_they_were(tmp_path):
    settings = TrainConfig(encoder_lr=3e-5, class_weights=("neutral=2",), cache_dir='a "b" \\ c')
    values = read(tmp_path, write_config("train", settings.to_json()))
    parser = train_parser()
    set_under(parser, values)
    arguments = parser.parse_args(["--out", "x", "--examples", "y"])
    assert settings_from(arguments, TrainConfig) == settings


def test_a_command_may_take_some_settings_of_a_group_and_leave_the_others_alone():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=32)  # the command's own
    add_settings(parser, EndpointConfig, "endpoint", only=("query_pause", "query_cache"))
    arguments = parser.parse_args(["--query-pause", "0"])
    found = settings_from(arguments, EndpointConfig, only=("query_pause", "query_cache"))
    assert found == EndpointConfig(query_pause=0.0)


def test_the_help_calls_values_by_what_they_are():
    text = " ".join(parser_of(BuildConfig).format_help().split())
    for shown in ["--as-of DAY", "--only-sources [SOURCE ...]", "--infer-except [RELATION ...]",
                  "--context [URL=FILE ...]", "--encoding ENCODING", "--delimiter SIGN"]:  # fmt: skip
        assert shown in text
    assert "--label-properties [PROPERTY ...]" in parser_of(EndpointConfig).format_help()
