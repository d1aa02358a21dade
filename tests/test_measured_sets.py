"""scripts/measured_sets.py: which pairs a measurement asks."""

from __future__ import annotations

import json

import pytest
from measured_sets import (
    ALL_SETS,
    MeasuredSet,
    chosen_sets,
    entailments_first,
    read_set,
    sample,
    without_premise,
)

from kg_reason import NLIExample
from kg_reason.nli import Label


def pairs(count: int) -> list[NLIExample]:
    return [
        NLIExample(f"p{n}", f"h{n}", Label.ENTAILMENT if n % 5 == 0 else Label.NOT_ENTAILMENT, example_id=f"id{n}")
        for n in range(count)
    ]


def test_a_sample_does_not_depend_on_the_order_and_keeps_it():
    examples = pairs(40)
    chosen = sample(examples, 10)
    assert len(chosen) == 10
    assert chosen == [example for example in examples if example in chosen]
    assert {example.example_id for example in sample(examples[::-1], 10)} == {item.example_id for item in chosen}
    assert {example.example_id for example in chosen} < {example.example_id for example in sample(examples, 11)}


def test_a_sample_of_entailments_holds_as_many_as_fit_and_then_others():
    chosen = entailments_first(pairs(40), 12)
    assert sum(example.label is Label.ENTAILMENT for example in chosen) == 8
    assert len(chosen) == 12
    assert all(example.label is Label.ENTAILMENT for example in entailments_first(pairs(40), 5))


def test_claims_are_asked_without_a_premise_and_sets_that_are_missing_are_empty(tmp_path):
    (tmp_path / "creak").mkdir()
    row = {"id": "a", "premise": "told away", "hypothesis": "Cats purr.", "label": "entailment"}
    (tmp_path / "creak" / "train.jsonl").write_text(json.dumps(row) + "\n")
    claims = read_set(MeasuredSet("creak_codex", "creak", ""), tmp_path, tmp_path, {})
    assert [(claim.premise, claim.hypothesis) for claim in claims] == [("", "Cats purr.")]
    assert read_set(MeasuredSet("nonce", "nonce.jsonl", ""), tmp_path, tmp_path, {}) == []


def test_sizes_bound_a_set(tmp_path):
    (tmp_path / "sick").mkdir()
    rows = [{"id": str(n), "premise": "a", "hypothesis": "b", "label": "neutral"} for n in range(9)]
    (tmp_path / "sick" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    item = MeasuredSet("sick", "sick", "")
    assert len(read_set(item, tmp_path, tmp_path, {})) == 9
    assert len(read_set(item, tmp_path, tmp_path, {"sick": 4})) == 4


def test_sets_are_chosen_by_name_and_compared_ones_only_where_wanted():
    assert [item.name for item in chosen_sets(["nonce", "sick"], compared=True)] == ["sick", "nonce"]
    assert not any("." in item.name for item in chosen_sets([], compared=False))
    assert len(chosen_sets([], compared=True)) == len(ALL_SETS)
    with pytest.raises(ValueError, match="found 'snli', expected some of"):
        chosen_sets(["snli"], compared=True)


def test_a_blank_premise_leaves_all_else():
    example = pairs(1)[0]
    assert without_premise([example]) == [NLIExample("", "h0", example.label, example_id="id0")]
