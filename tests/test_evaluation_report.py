"""The report of an evaluation: its one JSON shape, and what a terminal shows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kg_reason.evaluation import report
from kg_reason.nli import THREE_WAY, Label

E, N, C = Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION


@pytest.fixture
def result():
    """Sixty examples of two categories and none; the graph mends the second of every three answers."""
    truth, fused, text = [E, N, C] * 20, [E, N, N] * 20, [E, C, N] * 20
    has_evidence = np.array([True, True, False] * 20)
    return report(truth, np.eye(3)[order(fused)], np.eye(3)[order(text)], has_evidence, ["b", "a", ""] * 20, THREE_WAY)


def order(answers):
    return [THREE_WAY.index(answer) for answer in answers]


def test_the_json_has_the_stable_shape_for_fused_and_text_alike(result):
    plain = json.loads(json.dumps(result.to_json(), allow_nan=False))
    stable = {"num_examples", "accuracy", "macro_f1", "per_class", "by_category", "with_evidence"}
    assert stable | {"text", "mcnemar_p", "majority_accuracy", "share_with_evidence"} <= set(plain)
    assert stable | {"interval", "confusion", "without_evidence"} <= set(plain["text"])
    assert set(plain["per_class"]) == {"entailment", "neutral", "contradiction"}
    assert (plain["by_category"]["a"]["num_examples"], plain["by_category"]["a"]["accuracy"]) == (20, 1.0)
    assert plain["with_evidence"]["num_examples"] == 40
    assert plain["confusion"]["contradiction"] == {"entailment": 0, "neutral": 20, "contradiction": 0}
    assert plain["text"]["accuracy"] == pytest.approx(1 / 3)


def test_the_text_shows_every_slice_in_aligned_columns(result):
    lines = result.to_text().splitlines()
    table = lines[: lines.index("")]
    assert [line.split("  ")[0] for line in table] == [
        "accuracy, %", "all", "with evidence", "without evidence", "category a", "category b",
    ]
    ends = {line.index(cell) + len(cell) for line, cell in zip(table[:3], ["fused", "66.7", "100.0"], strict=True)}
    assert len(ends) == 1


def test_the_text_tells_what_the_graph_changed_and_what_a_constant_answer_would_give(result):
    text = result.to_text()
    assert "20 wrong answers become right and 0 right ones wrong: McNemar p = 1.9e-06" in text
    assert "66.7 % of the examples have evidence in the graph. Always entailment would be right in 33.3 %." in text


def test_a_slice_without_examples_is_shown_as_empty():
    nothing = report([E], np.eye(3)[:1], np.eye(3)[:1], np.array([False]), [""], THREE_WAY)
    assert [line.split() for line in nothing.to_text().splitlines() if line.startswith("with evidence")] == [
        ["with", "evidence", "0", "-", "-", "-", "-"]
    ]


def test_the_notebook_shows_the_tables_of_the_terminal(result):
    page = result._repr_html_()
    assert page.count("<table") == 3
    assert all(part in page for part in ("with evidence", "macro-F1", "McNemar p", "category a"))
