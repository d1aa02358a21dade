"""The report of audits: thresholds, JSON, and the folder that is written whole."""

from __future__ import annotations

import json

import pytest

from kg_reason.audits.report import AuditReport, Threshold, file_name, read_threshold, write_report
from kg_reason.audits.result import AuditResult, Plot, Series, Table
from kg_reason.errors import ConfigError, KGReasonError

PLOT = Plot("accuracy", "Accuracy", "bars", "", "accuracy", (Series("all", ("x",), (0.5,)),))
TABLE = Table("Rows", ("a", "b"), (("1", "2"),))


def result(score, name="reliance"):
    return AuditResult(name, "Is it so?", "It is.", {"score": score}, (TABLE,), (PLOT,), {"gaps.tsv": f"{score}\n"})


def report_of(*thresholds, **scores):
    runs = {run: (result(score), result(score, "blind-spots")) for run, score in scores.items()}
    return AuditReport(runs, tuple(map(read_threshold, thresholds)), {"bias": "no reason"}, {}, 12)


@pytest.mark.parametrize("text", ["reliance.score<0.25", " reliance.score < 0.25 ", "reliance.score<.25"])
def test_a_threshold_names_audit_measure_sign_and_number(text):
    assert read_threshold(text) == Threshold("reliance", "score", "<", 0.25)


@pytest.mark.parametrize("text", ["reliance<0.25", "reliance.score=1", "reliance.score<", "reliance.score<nan", ""])
def test_another_form_of_threshold_is_refused(text):
    with pytest.raises(ConfigError, match="expected AUDIT.MEASURE<NUMBER or AUDIT.MEASURE>NUMBER"):
        read_threshold(text)


def test_a_threshold_of_an_audit_that_is_not_there_lists_those_that_are():
    with pytest.raises(ConfigError, match="there is no audit 'trust'; expected one of reliance, blind-spots, "):
        read_threshold("trust.score<1")


def test_a_threshold_is_crossed_by_any_run_beyond_it_and_not_at_it():
    report = report_of("reliance.score<0.5", "blind-spots.score>0.5", low=0.25, even=0.5, high=0.75)
    found = [(str(crossing.threshold), crossing.run, crossing.value) for crossing in report.crossings]
    assert found == [("reliance.score<0.5", "low", 0.25), ("blind-spots.score>0.5", "high", 0.75)]
    assert Threshold("a", "b", "<", 0.5).is_crossed(float("nan"))


def test_a_measure_that_is_not_there_lists_those_that_are():
    with pytest.raises(ConfigError, match=r"reliance.trust<1: one has no such measure, expected one of score"):
        _ = report_of("reliance.trust<1", one=0.5).crossings


def test_measures_stand_by_audit_with_all_runs():
    assert report_of(one=0.25, two=0.5).measures() == {
        "reliance.score": {"one": 0.25, "two": 0.5},
        "blind-spots.score": {"one": 0.25, "two": 0.5},
    }


def test_headlines_are_measures_that_matter_and_those_of_thresholds():
    assert list(report_of(one=0.25).headlines()) == ["reliance.score"]
    assert list(report_of("blind-spots.score>1", one=0.25).headlines()) == ["reliance.score", "blind-spots.score"]


def test_the_json_has_results_thresholds_and_what_is_left_out():
    facts = report_of("reliance.score<0.3", one=0.25).to_json()
    assert facts["num_examples"] == 12
    assert facts["left_out"] == {"bias": "no reason"}
    assert facts["thresholds"] == ["reliance.score<0.3"]
    assert facts["crossed"] == [{"threshold": "reliance.score<0.3", "run": "one", "value": 0.25}]
    audits = facts["runs"]["one"]["audits"]
    assert list(audits) == ["reliance", "blind-spots"]
    assert audits["reliance"] == result(0.25).to_json()


def test_a_report_is_a_page_a_json_and_the_files_of_the_results(tmp_path):
    report = report_of("reliance.score<0.3", one=0.25, two=0.5)
    write_report(report, tmp_path / "report")
    names = {f"{run}-{audit}-gaps.tsv" for run in ("one", "two") for audit in ("reliance", "blind-spots")}
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.html", "report.json", *names}
    assert (tmp_path / "report" / "two-reliance-gaps.tsv").read_text() == "0.5\n"
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == report.to_json()
    assert set(report.to_json()["runs"]["one"]["files"]) == {name for name in names if name.startswith("one")}
    page = (tmp_path / "report" / "report.html").read_text()
    assert "one: reliance.score&lt;0.3 is crossed by 0.25" in page
    assert "bias is left out: no reason" in page


def test_a_report_takes_the_place_of_an_older_one_and_of_nothing_else(tmp_path):
    out = tmp_path / "report"
    write_report(report_of(one=0.25, two=0.5), out)
    before = (out / "report.html").read_bytes()
    write_report(report_of(one=0.25), out)
    assert {path.name for path in out.iterdir()} == {
        "report.html", "report.json", "reliance-gaps.tsv", "blind-spots-gaps.tsv"
    }  # fmt: skip
    write_report(report_of(one=0.25, two=0.5), out)
    assert (out / "report.html").read_bytes() == before
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.txt").write_text("mine")
    with pytest.raises(KGReasonError, match="left alone"):
        write_report(report_of(one=0.25), tmp_path / "own")


def test_names_of_files_are_fit_for_any_disk():
    report = report_of(**{"../a b": 0.5, "two": 0.5})
    assert file_name(report, "../a b", "reliance", "gaps.tsv") == "a-b-reliance-gaps.tsv"
