"""Blind spots: words and pairs that the graph does not know, and accuracy by what it does."""

from __future__ import annotations

import pytest

from kg_reason import AuditConfig, NLIExample
from kg_reason.audits.blind_spots import audit_blind_spots
from kg_reason.evaluation import evaluate
from kg_reason.nli import Label

E, N, C = Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION
PAIRS = [
    NLIExample("A man plays a violin.", "A man plays an instrument.", E),
    NLIExample("A man plays a gavorn.", "A man plays a blick.", E),
    NLIExample("A man plays a gavorn.", "A man plays a blick.", N),
    NLIExample("A man plays a gavorn.", "A man plays a blick.", C),
    NLIExample("The dog is hot.", "The dog is cold.", C),
    NLIExample("A dog.", "A dog.", E),
]


@pytest.fixture
def result(make_reasoner):
    return audit_blind_spots(make_reasoner(), PAIRS, AuditConfig())


def test_unknown_words_are_counted_with_the_answers_that_were_wrong(result):
    _, unknown, unjoined = result.tables
    assert unknown.columns == ("word", "pairs", "wrong")
    assert unknown.rows[0][:2] == ("play", "4")  # a verb that the toy graph lacks
    assert unknown.rows[1:] == (("blick", "3", "2"), ("gavorn", "3", "2"))
    assert unjoined.rows == (("gavorn", "blick", "3", "2"),)


def test_every_plot_counts_every_pair_once_fused_beside_text_alone(result):
    assert [plot.name for plot in result.plots] == ["coverage", "evidence", "length", "relation", "frequency"]
    for plot in result.plots:
        assert [series.name for series in plot.series] == ["with the graph", "text alone"]
        counts = [int(name.rpartition("(")[2].rstrip(")")) for name in plot.series[0].x]
        assert sum(counts) == len(PAIRS)
        right = sum(round(share * count) for share, count in zip(plot.series[0].y, counts, strict=True))
        assert right == len(PAIRS) - result.measures["num_wrong"]


def test_pairs_stand_in_the_group_of_what_the_graph_knows(result):
    groups = {plot.name: plot.series[0].x for plot in result.plots}
    assert groups["coverage"] == ("no new word (1)", "none (3)", "all (2)")
    assert groups["evidence"][0] == "0 (4)"
    assert groups["length"] == ("no path (4)", "1 (1)", "3 (1)")
    assert groups["relation"] == ("no path (4)", "antonym (1)", "hypernym (1)")
    assert groups["frequency"] == ("no new word (1)", "1 pair (2)", "2-4 (3)")


def test_measures_are_those_of_the_evaluation(make_reasoner, result):
    report = evaluate(make_reasoner(), PAIRS)
    assert result.measures["num_wrong"] == round((1 - report.accuracy) * len(PAIRS))
    assert result.measures["num_pairs"] == len(PAIRS)
    assert 0 < result.measures["share_unknown_words"] < 1
    assert result.measures["share_unjoined_places"] == pytest.approx(3 / 5)
    assert result.measures["num_gaps"] == result.files["gaps.tsv"].count("\n") - 1


def test_right_answers_leave_no_gap(make_reasoner):
    reasoner = make_reasoner()
    pairs = [NLIExample(pair.premise, pair.hypothesis, reasoner.predict([(pair.premise, pair.hypothesis)])[0].label)
             for pair in PAIRS]  # fmt: skip
    result = audit_blind_spots(reasoner, pairs, AuditConfig())
    assert "no triple is missing" in result.summary
    assert result.files["gaps.tsv"].count("\n") == 1
    assert result.tables[0].note == "There are none."


@pytest.mark.parametrize("evidence", ["text", "verbalised", "counts"])
def test_a_model_without_contributions_of_paths_has_blind_spots_too(make_reasoner, evidence):
    result = audit_blind_spots(make_reasoner(evidence=evidence), PAIRS, AuditConfig())
    assert [row[0] for row in result.tables[1].rows] == ["play", "blick", "gavorn"]
    if evidence == "text":
        assert result.measures["num_mended_if_filled"] == 0
