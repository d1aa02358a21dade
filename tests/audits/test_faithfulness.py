"""The audit of faithfulness tells what `measure_fidelity` found, in measures, tables and plots."""

import pytest
import torch

from kg_reason import Label, NLIExample
from kg_reason.audits.faithfulness import audit_faithfulness
from kg_reason.config import AuditConfig
from kg_reason.errors import ConfigError
from kg_reason.explanation.fidelity import TABLES, measure_fidelity
from kg_reason.explanation.rankings import METHODS

EXAMPLES = [
    NLIExample("A man plays a violin and a guitar.", "A woman plays a cello and a drum.", Label.CONTRADICTION),
    NLIExample("A man plays a violin.", "A woman plays an instrument.", Label.CONTRADICTION),
    NLIExample("A dog is hot.", "A cat is cold.", Label.CONTRADICTION),
    NLIExample("A dog.", "An animal.", Label.ENTAILMENT),
]


def test_the_measures_are_those_of_the_contributions(make_reasoner):
    reasoner = make_reasoner()
    result = audit_faithfulness(reasoner, EXAMPLES, AuditConfig())
    report = measure_fidelity(reasoner, EXAMPLES)
    assert result.name == "faithfulness"
    for name, figure in report.of("contribution").figures.items():
        assert result.measures[name] == pytest.approx(figure.value)
    assert result.measures["num_pairs"] == 3
    assert f"{result.measures['deletion_ratio']:.1f} (" in result.summary
    assert "3 of 4 answers have two paths or more" in result.summary


def test_the_tables_stand_all_rankings_side_by_side(make_reasoner):
    result = audit_faithfulness(make_reasoner(), EXAMPLES, AuditConfig())
    assert len(result.tables) == len(TABLES)
    for table in result.tables:
        assert [row[0] for row in table.rows] == list(METHODS)
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_the_plots_have_intervals_around_their_values(make_reasoner):
    result = audit_faithfulness(make_reasoner(), EXAMPLES, AuditConfig())
    assert [plot.name for plot in result.plots] == ["deletion", "removal", "agreement"]
    for series in (series for plot in result.plots for series in plot.series):
        assert series.x == METHODS
        assert all(low <= y <= high for low, y, high in zip(series.low, series.y, series.high, strict=True))


def test_a_model_without_contributions_is_measured_by_its_first_ranking(make_reasoner):
    result = audit_faithfulness(make_reasoner(evidence="tokens"), EXAMPLES, AuditConfig())
    assert result.summary.startswith("With paths ranked by gradient, ")


def test_a_model_that_reads_no_path_has_nothing_to_explain(make_reasoner):
    result = audit_faithfulness(make_reasoner(evidence="text"), EXAMPLES, AuditConfig())
    assert (dict(result.measures), result.tables, result.plots) == ({}, (), ())
    assert result.summary == "This model reads no paths, so there is nothing to explain by them."


def test_pairs_without_two_paths_have_nothing_to_rank(make_reasoner):
    result = audit_faithfulness(make_reasoner(), EXAMPLES[-1:], AuditConfig())
    assert dict(result.measures) == {}
    assert result.summary == "None of 1 answers has two paths, so there is nothing to rank."


def test_paths_that_do_nothing_make_no_sentence_about_a_ratio(make_reasoner):
    reasoner = make_reasoner()
    with torch.no_grad():
        for weight in reasoner.model.path_fusion.judge.vote.parameters():
            weight.zero_()
    result = audit_faithfulness(reasoner, EXAMPLES, AuditConfig())
    assert "deletion_ratio" not in result.measures
    assert "times as much" not in result.summary
    assert [plot.name for plot in result.plots] == ["deletion", "removal"]


def test_no_more_pairs_are_asked_than_the_settings_allow(make_reasoner):
    reasoner = make_reasoner()
    settings = [AuditConfig(max_examples=2, audit_seed=seed) for seed in range(6)]
    found = {audit_faithfulness(reasoner, EXAMPLES, config).summary for config in settings}
    assert len(found) > 1
    assert all("of 2 answers" in summary for summary in found)


def test_unlabelled_pairs_are_refused_as_by_other_audits(make_reasoner):
    with pytest.raises(ConfigError, match="found no pair with a label"):
        audit_faithfulness(make_reasoner(), [NLIExample("A dog.", "An animal.")], AuditConfig())
