"""The command `audit`: several runs, thresholds and their exit code, what is left out, the loop from gap to repair."""

from __future__ import annotations

import json

import pytest

from kg_reason import KnowledgeGraph
from kg_reason.cli import main
from tests.conftest import toy_triples

PAIRS = [
    ("A man plays a gavorn.", "A man plays an instrument.", "entailment"),
    ("A man plays a gavorn.", "A man plays an instrument.", "contradiction"),
    ("The dog is hot.", "The dog is cold.", "contradiction"),
]


@pytest.fixture(scope="module")
def work(tmp_path_factory, tiny_encoder):
    from kg_reason import ModelConfig, Reasoner, ReasonerConfig

    folder = tmp_path_factory.mktemp("audited")
    rows = ["head\trelation\ttail\trank\tlanguage\tpos"]
    for triple in toy_triples():
        if not triple.tail.startswith('"'):
            rows.append("\t".join((*triple[:3], str(triple.rank or ""), triple.language, triple.pos)))
    (folder / "toy.tsv").write_text("\n".join(rows) + "\n")
    assert main(["build", str(folder / "toy.tsv"), "--out", str(folder / "kg"), "-q"]) == 0
    for name, evidence in (("fused", "paths"), ("twin", "text")):
        config = ReasonerConfig(model=ModelConfig(encoder=str(tiny_encoder), graph_dim=16, evidence=evidence))
        Reasoner.build(KnowledgeGraph.open(folder / "kg"), config).save(folder / name)
    lines = [json.dumps(dict(zip(("premise", "hypothesis", "label"), pair, strict=True))) for pair in PAIRS]
    (folder / "pairs.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def run(capsys, *arguments):
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def command(work, out, *more, runs=("fused",)):
    return [
        "audit", *(work / name for name in runs), "--data", work / "pairs.jsonl", "--out", out,
        "--only", "reliance", "blind-spots", *more,
    ]  # fmt: skip


def test_runs_are_audited_side_by_side(work, capsys, tmp_path):
    code, out, err = run(capsys, *command(work, tmp_path / "report", runs=("fused", "twin")))
    assert code == 0
    (head,) = [line for line in out.splitlines() if line.split()[:1] == ["measure"]]
    assert head.split() == ["measure", "fused", "twin"]
    assert "reliance (twin): This model reads no paths" in out
    assert f"the report is {tmp_path / 'report' / 'report.html'}" in out
    assert "kg-reason build TRIPLES" in err
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {"report.html", "report.json", "fused-blind-spots-gaps.tsv", "twin-blind-spots-gaps.tsv"}
    page = (tmp_path / "report" / "report.html").read_text()
    assert '<div class="run">fused</div>' in page
    assert '<div class="run">twin</div>' in page
    assert str(work) not in page  # no place of this machine
    assert str(work) not in (tmp_path / "report" / "report.json").read_text()


def test_a_crossed_threshold_ends_with_code_3_and_a_kept_one_does_not(work, capsys, tmp_path):
    kept = ["--fail-if", "blind-spots.num_pairs>3", "reliance.score<-1"]
    code, _, _ = run(capsys, *command(work, tmp_path / "a", *kept))
    assert code == 0
    code, out, _ = run(capsys, *command(work, tmp_path / "a", "--fail-if", "blind-spots.num_pairs<4", "-q"))
    assert code == 3
    assert "crossed by fused: blind-spots.num_pairs<4 (found 3)" in out
    assert "is crossed by 3" in (tmp_path / "a" / "report.html").read_text()


@pytest.mark.parametrize(
    ("threshold", "fault"),
    [
        ("reliance.score", "expected AUDIT.MEASURE<NUMBER"),
        ("trust.score<1", "expected one of reliance, blind-spots, "),
        ("calibration.ece<1", "calibration is not run, only reliance, blind-spots"),
    ],
)
def test_a_wrong_threshold_is_wrong_usage_before_anything_runs(work, capsys, tmp_path, threshold, fault):
    code, _, err = run(capsys, *command(work, tmp_path / "report", "--fail-if", threshold))
    assert code == 2
    assert "--fail-if" in err
    assert fault in err
    assert not (tmp_path / "report").exists()


def test_a_measure_that_is_not_there_is_wrong_usage_but_the_report_is_kept(work, capsys, tmp_path):
    code, _, err = run(capsys, *command(work, tmp_path / "report", "--fail-if", "reliance.trust<1", "-q"))
    assert code == 2
    assert "fused has no such measure, expected one of accuracy, " in err
    assert (tmp_path / "report" / "report.html").is_file()


def test_without_data_the_audits_that_need_it_are_left_out(work, capsys, tmp_path):
    arguments = ["audit", work / "fused", "--out", tmp_path / "report", "--max-examples", "100", "--json", "-q"]
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    facts = json.loads(out)
    assert "it needs labelled pairs (--data)" in facts["left_out"]["reliance"]
    assert "reliance" not in facts["runs"]["fused"]["audits"]
    assert "reliance is left out" in (tmp_path / "report" / "report.html").read_text()
    code, _, err = run(capsys, *arguments, "--only", "reliance")
    assert code == 2
    assert "needs labelled pairs" in err


def test_json_is_that_of_the_report(work, capsys, tmp_path):
    code, out, _ = run(capsys, *command(work, tmp_path / "report", "--json", "-q"))
    facts = json.loads(out)
    assert code == 0
    assert facts.pop("path") == str(tmp_path / "report")
    assert facts == json.loads((tmp_path / "report" / "report.json").read_text())


def test_the_settings_are_flags(work, capsys, tmp_path):
    _, out, _ = run(capsys, *command(work, tmp_path / "report", "--max-examples", "2", "--json", "-q"))
    assert json.loads(out)["runs"]["fused"]["audits"]["reliance"]["measures"]["num_pairs"] == 2


def test_runs_of_one_name_are_told_apart(work, capsys, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "fused").symlink_to(work / "fused")
    arguments = command(work, tmp_path / "report", "--json", "-q", "--graph", work / "kg")
    arguments.insert(1, tmp_path / "other" / "fused")
    _, out, _ = run(capsys, *arguments)
    assert list(json.loads(out)["runs"]) == ["other/fused", f"{work.name}/fused"]


def test_the_results_go_into_the_model_card_when_asked(work, capsys, tmp_path):
    card = work / "fused" / "README.md"
    card.write_text("# fused\n\n## Limits\n\nnone\n")
    run(capsys, *command(work, tmp_path / "report", "-q"))
    assert "reliance" not in card.read_text()
    run(capsys, *command(work, tmp_path / "report", "-q", "--card"))
    assert "### reliance" in card.read_text()


def test_from_gap_to_repair_in_two_commands(work, capsys, tmp_path):
    run(capsys, *command(work, tmp_path / "report", "-q"))
    gaps = tmp_path / "report" / "blind-spots-gaps.tsv"
    lines = [line.split("\t") for line in gaps.read_text().splitlines()]
    assert lines[0][:4] == ["head", "relation", "tail", "proposed"]
    row = next(line for line in lines[1:] if line[0] == "gavorn")
    row[1] = "ex:hypernym"  # the user's own word for it, whatever was proposed
    gaps.write_text("".join("\t".join(line) + "\n" for line in lines))
    build = ["build", work / "toy.tsv", gaps, "--skip-bad-lines", "--out", tmp_path / "kg2", "-q"]
    assert run(capsys, *build)[0] == 0
    query = ["query", work / "fused", *PAIRS[0][:2], "--json"]
    before, after = (
        json.loads(run(capsys, *query, "--graph", graph)[1]) for graph in (work / "kg", tmp_path / "kg2")
    )
    assert before["unknown"]["premise"] != after["unknown"]["premise"]
    assert before["paths"] == []
    assert [step["relation"] for step in after["paths"][0]["steps"]] == ["hypernym"]
    assert before["logits"] != after["logits"]
    assert before["text"]["logits"] == pytest.approx(after["text"]["logits"])
