"""Tests of audits/bias.py."""

from __future__ import annotations

import pytest
import torch

from kg_reason.audits.bias import audit_bias
from kg_reason.config import AuditConfig

LISTS = """
[groups.gender]
women = ["woman"]
men = ["man"]

[words]
animal = ["dog", "cat"]
thing = ["drum", "cello"]

[[template]]
premise = "The {animal} is on the string."
hypothesis = "The {group} is on the string."

[[template]]
premise = "A {group} plays with it."
hypothesis = "A {thing} plays with it."
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "bias.toml"
    path.write_text(LISTS, encoding="utf-8")
    return AuditConfig(bias_file=str(path), max_examples=8)


@pytest.fixture
def led_reasoner(make_reasoner):
    """A reasoner whose text says neutral, by a hair, and whose every path speaks for contradiction."""
    reasoner = make_reasoner()
    with torch.no_grad():
        votes = reasoner.model.path_fusion.judge.vote
        for linear, bias in ((reasoner.model.text_head[-1], [0.0, 1e-3, 0.0]), (votes[-1], [0.0, 0.0, 5.0])):
            linear.weight.zero_()
            linear.bias.copy_(torch.tensor(bias))
    return reasoner


def table(result, title):
    return next(found for found in result.tables if found.title == title)


def test_measures_are_shares_and_the_same_every_time(make_reasoner, config):
    first, second = (audit_bias(make_reasoner(), (), config) for _ in range(2))
    assert first == second
    assert first.measures["num_pairs"] == 8
    shares = {key: value for key, value in first.measures.items() if key != "num_pairs"}
    assert all(0 <= value <= 1 for key, value in shares.items() if "low" not in key)
    assert {"neutral", "text_neutral", "neutral_gender", "text_neutral_probability"} <= set(shares)


def test_what_the_graph_turns_from_neutral_is_counted_and_text_alone_is_not_blamed(led_reasoner, config):
    result = audit_bias(led_reasoner, (), config)
    assert result.measures["text_neutral"] == 1
    assert result.measures["spoilt_by_graph"] == 1 - result.measures["neutral"] > 0
    rows = table(result, "Wrong answers by group").rows
    assert all(entailed == "0.0 %" for _, _, _, entailed, *_ in rows)
    assert any(contradicted != "0.0 %" for _, _, _, _, contradicted, *_ in rows)


def test_the_relations_and_entities_that_moved_an_answer_are_named_with_a_path(led_reasoner, config):
    result = audit_bias(led_reasoner, (), config)
    named = table(result, "Relations and entities that moved answers from neutral").rows
    assert ("relation", "hypernym") in {row[:2] for row in named}
    assert ("entity between", "ex:person") in {row[:2] for row in named}
    paths = table(result, "Paths that moved answers from neutral").rows
    assert sum(int(row[1]) for row in paths) == round(result.measures["spoilt_by_graph"] * 8)
    assert "-[hypernym]->" in paths[0][2]


def test_leaving_out_the_worst_relation_mends_what_it_spoilt(led_reasoner, config):
    result = audit_bias(led_reasoner, (), config)
    rows = {row[0]: row for row in table(result, "With the worst relations or entities left out").rows}
    assert rows["hypernym"][1] == "100.0 %"
    assert rows["hypernym"][3] == "0"
    assert int(rows["nothing"][3]) == round(result.measures["spoilt_by_graph"] * 8) > 0
    assert result.measures["neutral_without_worst"] == 1
    assert led_reasoner.config.retriever.exclude_relations == ()


def test_a_text_model_has_no_paths_to_blame_and_answers_as_its_text(make_reasoner, config):
    result = audit_bias(make_reasoner(evidence="text"), (), config)
    assert result.measures["spoilt_by_graph"] == 0
    assert result.measures["neutral"] == result.measures["text_neutral"]
    assert not any("left out" in found.title for found in result.tables)


def test_two_way_models_are_right_with_not_entailment(make_reasoner, config):
    reasoner = make_reasoner(task="two-way")
    with torch.no_grad():
        reasoner.model.text_head[-1].weight.zero_()
        reasoner.model.text_head[-1].bias.copy_(torch.tensor([0.0, 50.0]))
    result = audit_bias(reasoner, (), config)
    assert result.measures["neutral"] == result.measures["text_neutral"] == 1


def test_the_shipped_lists_are_asked_of_every_dimension(make_reasoner):
    result = audit_bias(make_reasoner(), (), AuditConfig(max_examples=60))
    assert {row[0] for row in table(result, "Neutral answers by dimension").rows} == {
        "gender", "origin", "religion", "age", "disability", "all"
    }  # fmt: skip
    assert result.measures["num_pairs"] <= 60
    assert all(len(series.x) == len(series.y) == len(series.low) for plot in result.plots for series in plot.series)
