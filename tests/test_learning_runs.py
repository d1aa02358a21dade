"""scripts/learning_runs.py and learning_bars.py: the arithmetic on saved answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from learning_bars import bars, edit_outcomes, share_unchanged
from learning_runs import (
    FUSED,
    TEXT,
    MeasuredRun,
    Role,
    Runs,
    difference,
    entailments,
    of_category,
    paired,
    share,
    with_evidence,
)
from reproduce import edit_table, kept_table, page, reliance_table
from saved_predictions import Predictions, write_predictions

from kg_reason import NLIExample
from kg_reason.nli import THREE_WAY

E, N, C = THREE_WAY


def save(folder: Path, name: str, truth, answers, *, evidence=None, categories=None, text=None, ids=None) -> None:
    """Save the answers of a run, given as labels."""
    categories = categories or [""] * len(truth)
    ids = ids or [f"i{n}" for n in range(len(truth))]
    rows = zip(truth, categories, ids, strict=True)
    examples = [NLIExample("p", "h", label, category, example_id=number) for label, category, number in rows]
    columns = np.eye(3)
    logits = columns[[THREE_WAY.index(label) for label in answers]]
    text_logits = columns[[THREE_WAY.index(label) for label in (text or answers)]]
    flags = evidence or [True] * len(truth)
    facts = {"same_as_text": bool(np.array_equal(logits, text_logits))}
    saved = Predictions.of(examples, THREE_WAY, (logits, text_logits), flags, facts)
    write_predictions(folder / "measures" / f"{name}.json", saved)


def run(folder: Path, evidence: str, seed: int, labelled_share: float = 1.0) -> Path:
    folder.mkdir(parents=True)
    result = {"evidence": evidence, "seed": seed, "labelled_share": labelled_share, "date": "2026-01-02",
              "command": f"train --out {folder} --seed {seed}", "num_examples": {"plain": 10, "synthesized": 20}}
    (folder / "result.json").write_text(json.dumps(result))
    return folder


@pytest.fixture
def folders(tmp_path):
    """Two fused and two text-only runs on four items of sick, the second run of each with one more right answer."""
    truth = [E, N, C, E]
    answers = {"paths": ([E, N, C, N], [E, N, C, E]), "text": ([E, N, N, N], [E, C, C, N])}
    made = []
    for evidence, by_seed in answers.items():
        for seed, given in enumerate(by_seed):
            folder = run(tmp_path / f"{evidence}{seed}", evidence, seed)
            save(folder, "sick", truth, given, evidence=[True, True, False, False])
            made.append(folder)
    return made


def opened(folders) -> Runs:
    return Runs(MeasuredRun.open(folder) for folder in folders)


def test_the_share_of_a_role_is_the_mean_over_its_seeds(folders):
    found = opened(folders).share(FUSED, "sick")
    assert found.singles == (0.75, 1.0)
    assert found.mean == 0.875
    assert found.num_items == 4
    assert found.low < found.mean < found.high


def test_a_difference_pairs_runs_by_seed_and_answers_by_item(folders):
    runs = opened(folders)
    found = runs.difference((FUSED, "sick"), (TEXT, "sick"))
    assert found.singles == (0.25, 0.5)
    assert found.mean == 0.375
    assert found.low <= found.mean <= found.high
    assert runs.difference((FUSED, "sick"), (TEXT, "sick"), with_evidence).singles == (0.0, 0.5)
    assert runs.difference((FUSED, "sick"), (TEXT, "sick"), entailments).singles == (0.0, 0.5)


def test_what_was_not_measured_is_none(folders):
    runs = opened(folders)
    assert runs.share(FUSED, "mnli") is None
    assert runs.share(Role("counts"), "sick") is None
    assert runs.difference((FUSED, "sick"), (FUSED, "sick.deranged")) is None
    assert runs.share(FUSED, "sick", select=of_category("no such")) is None


def test_answers_are_paired_by_id_whatever_their_order():
    assert paired(["a", "b"], ["b", "a"], np.array([1, 2])).tolist() == [2, 1]
    with pytest.raises(ValueError, match="expected the same items"):
        paired(["a", "b"], ["b", "c"], np.array([1, 2]))


def test_a_difference_of_nothing_has_no_spread_and_a_large_one_excludes_zero():
    zero = np.zeros(50)
    found = difference([(zero, np.ones(50, dtype=bool))])
    assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)
    gain = np.array([1.0] * 30 + [0.0] * 60 + [-1.0] * 10)
    found = difference([(gain, np.ones(100, dtype=bool))])
    assert found.mean == pytest.approx(0.2)
    assert 0 < found.low < 0.2 < found.high < 0.4
    assert share([]) is None


def test_edits_count_the_state_before_and_after_the_edit_that_is_measured(tmp_path):
    folder = run(tmp_path / "run", "paths", 0)
    kinds, truth = ["add wider", "remove", "exchange"], [E, N, C]
    for state, answers in (("before", [N, C, C]), ("first", [E, E, N]), ("last", [N, N, C])):
        save(folder, f"edits.{state}", truth, answers, categories=kinds, text=[N, N, N])
    outcome = edit_outcomes(opened([folder]))[0]
    assert outcome.before.tolist() == [True, True, False]
    assert outcome.after.tolist() == [True, True, True]
    assert outcome.both.tolist() == [True, True, False]
    assert outcome.follows.tolist() == [True, True, False]
    assert outcome.as_text.tolist() == [False, True, False]
    rows = {row[0]: row[1:] for row in edit_table(opened([folder]))}
    assert rows["all"] == ["3", "66.7", "100.0", "66.7", "33.3"]


def test_a_model_that_always_answers_neutral_follows_no_edit_that_changes_the_label(tmp_path):
    folder = run(tmp_path / "run", "paths", 0)
    kinds, truth = ["add wider", "remove", "reverse", "exchange"], [E, N, N, C]
    for state in ("before", "first", "last"):
        save(folder, f"edits.{state}", truth, [N] * 4, categories=kinds)
    outcome = edit_outcomes(opened([folder]))[0]
    assert outcome.after.tolist() == [False, True, True, False]
    assert not outcome.follows.any()


def test_unrelated_answers_are_compared_with_those_before_the_edits(tmp_path):
    folder = run(tmp_path / "run", "paths", 0)
    save(folder, "unrelated.before", [E, E, E, E], [E, N, C, E])
    save(folder, "unrelated.first", [E, E, E, E], [E, N, N, E])
    assert share_unchanged(opened([folder]), "first") == [0.75]
    assert share_unchanged(opened([folder]), "last") == []


def test_a_bar_is_met_missed_or_not_measured(tmp_path):
    folder = run(tmp_path / "run", "paths", 0)
    save(folder, "nonce", [E] * 100, [E] * 95 + [N] * 5)
    save(folder, "nonce.deranged", [E] * 100, [E] * 60 + [N] * 40)
    save(folder, "nonce.empty", [E] * 100, [N] * 100)
    save(folder, "nonce.random", [E] * 100, [E] * 95 + [N] * 5)
    save(folder, "polarity", [E] * 100, [E] * 60 + [N] * 40)
    found = {row[0]: row[1:] for row in bars(opened([folder]), {"arithmetic": {"fp32": {"ratio": 1.2}}})}
    assert found["invented words"][2] == "yes"
    assert found["polarity"][2] == "no"
    assert found["nonce, with evidence: real minus deranged"][1].startswith("+35.0")
    assert found["nonce, with evidence: real minus deranged"][2] == "no"
    assert found["nonce, empty graph"] == ["equals text only", "equal", "yes"]
    assert found["nonce, random edges cost"][2] == "yes"
    assert found["a fused step over a text-only step"][2] == "no"
    assert found["edits followed"] == ["92", "-", "-"]
    assert found["mean of the three"] == ["above 0", "-", "-"]


def test_the_page_has_every_table_and_says_what_was_not_measured(folders):
    text = page(opened(folders), {})
    assert "| fused | - | - | 87.5 (75.0, 100.0) | - | - |" in text
    assert "Seeds of the fused runs: 0, 1. Trained on 10 labelled and 20 made pairs." in text
    assert "train --out out --seed 1" in text
    assert "## Cost of a training step\n\nNot measured." in text


def test_notes_stand_before_the_tables(folders):
    plain, noted = page(opened(folders), {}), page(opened(folders), {}, "Three seeds.\n")
    assert noted == plain.replace("## Bars", "Three seeds.\n\n## Bars", 1)


def test_recall_on_entailments_is_counted_on_entailments_only(folders):
    rows = {row[0]: row[1:] for row in kept_table(opened(folders))}
    assert rows["sick, entailments"][:3] == ["2", "75.0 (50.0, 100.0)", "50.0 (50.0, 50.0)"]
    assert rows["levy_holt, entailments"] == ["-", "-", "-", "-"]


def test_reliance_is_the_real_graph_minus_the_other(tmp_path):
    folder = run(tmp_path / "run", "paths", 0)
    save(folder, "nonce", [E, E, E, E], [E, E, E, N], evidence=[True, True, False, False])
    save(folder, "nonce.deranged", [E, E, E, E], [N, E, E, N], evidence=[True, False, False, False])
    row = next(row for row in reliance_table(opened([folder])) if row[:2] == ["deranged", "nonce"])
    assert row[3] == "50.0"
    assert row[4].startswith("+25.0")
    assert row[5].startswith("+50.0")
