"""The audits that there are, and the call that runs them."""

from __future__ import annotations

import pytest

import kg_reason
from kg_reason import AuditConfig, NLIExample
from kg_reason.audits.catalogue import AUDITS, WITHOUT_EXAMPLES, audit, choose_audits
from kg_reason.errors import ConfigError
from kg_reason.nli import Label

ORDER = ["reliance", "blind-spots", "faithfulness", "bias", "causality", "ethics", "robustness", "calibration"]
PAIRS = [
    NLIExample("A man plays a violin.", "A man plays an instrument.", Label.ENTAILMENT),
    NLIExample("The dog is hot.", "The dog is cold.", Label.CONTRADICTION),
]


def test_audits_stand_in_the_order_of_a_report():
    names = [item.name for item in AUDITS]
    assert names == [name for name in ORDER if name in names]
    assert {"reliance", "blind-spots"} <= set(names)


def test_without_pairs_the_audits_that_need_them_are_left_out_and_why():
    chosen, left_out = choose_audits((), has_examples=False)
    assert {item.name for item in chosen} == {item.name for item in AUDITS if not item.needs_examples}
    assert left_out == {item.name: WITHOUT_EXAMPLES for item in AUDITS if item.needs_examples}
    assert choose_audits((), has_examples=True) == (AUDITS, {})


def test_a_name_that_is_not_there_lists_those_that_are():
    with pytest.raises(ConfigError, match="found 'trust', expected one of reliance, blind-spots, "):
        choose_audits(["trust"], has_examples=True)
    with pytest.raises(ConfigError, match="reliance: it needs labelled pairs"):
        choose_audits(["reliance"], has_examples=False)


def test_audits_run_in_their_order_whatever_the_order_of_their_names(make_reasoner):
    assert kg_reason.audit is audit
    config = AuditConfig(max_examples=1)
    results = audit(make_reasoner(), PAIRS, config, only=["blind-spots", "reliance"])
    assert [result.name for result in results] == ["reliance", "blind-spots"]
    assert all(result.measures["num_pairs"] == 1 for result in results)


def test_every_result_bears_the_name_of_its_audit_and_plots_of_their_own_names(make_reasoner):
    results = audit(make_reasoner(), PAIRS, AuditConfig(max_examples=100))
    assert [result.name for result in results] == [item.name for item in AUDITS]
    headlines = {item.name: set(item.headlines) for item in AUDITS}
    for result in results:
        assert headlines[result.name] & set(result.measures) or not result.measures
        assert result.question.endswith("?")
        assert result.summary
        assert all(value == value for value in result.measures.values())
        names = [plot.name for plot in result.plots]
        assert len(set(names)) == len(names)
        for table in result.tables:
            assert {len(row) for row in table.rows} <= {len(table.columns)}
