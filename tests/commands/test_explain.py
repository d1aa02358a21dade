"""kg-reason explain: a page, JSON, and pictures of one pair."""

import json

import pytest

from kg_reason import build_graph
from kg_reason.cli import main
from tests.conftest import save_run
from tests.test_cli import toy_table

PAIR = ("A man plays a violin.", "A woman plays an instrument.")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory, tiny_encoder):
    folder = tmp_path_factory.mktemp("explain")
    (folder / "toy.tsv").write_text(toy_table())
    build_graph([folder / "toy.tsv"], folder / "kg")
    save_run(folder, tiny_encoder)
    return str(folder / "run")


def run(capsys, *arguments):
    code = main(["explain", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_a_pair_is_explained_on_a_page(run_folder, capsys):
    code, out, _ = run(capsys, run_folder, *PAIR)
    assert code == 0
    assert "premise     A man plays a violin." in out
    assert "what would have changed the answer" not in out


def test_a_counterfactual_is_told_where_it_is_asked_for_and_no_edit_is_kept(run_folder, capsys):
    code, out, _ = run(capsys, run_folder, *PAIR, "--counterfactual")
    assert code == 0
    assert "what would have changed the answer" in out
    code, out, _ = run(capsys, run_folder, *PAIR, "--counterfactual", "--json")
    assert json.loads(out)["counterfactual"]["tried"]["removals"] > 0
    assert main(["edit", str(run_folder).removesuffix("run") + "kg", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_pairs_of_a_file_are_explained_in_order_with_their_ids(run_folder, capsys, tmp_path):
    rows = [{"id": "a", "premise": PAIR[0], "hypothesis": PAIR[1]}, {"id": "b", "premise": "", "hypothesis": PAIR[0]}]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, _ = run(capsys, run_folder, "--file", tmp_path / "pairs.jsonl", "--json")
    assert code == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["a", "b"]


@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_a_picture_is_drawn_with_the_sentences(run_folder, capsys, tmp_path, suffix):
    code, _, err = run(capsys, run_folder, *PAIR, "--picture", tmp_path / f"answer.{suffix}")
    assert code == 0
    assert "drawn: " in err
    assert "violin" in (tmp_path / f"answer.{suffix}").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["A man plays."], "expected PREMISE and HYPOTHESIS, or --file"),
        ([], "expected PREMISE and HYPOTHESIS, or --file"),
        (["A man plays.", " "], "hypothesis: found no text"),
        (["A man plays.", "He plays.", "--file", "x.jsonl"], "found a premise and --file"),
        (["--file", "x.jsonl", "--picture", "a.svg"], "a picture shows one pair"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(run_folder, capsys, arguments, message):
    code, out, err = run(capsys, run_folder, *arguments)
    assert (code, out) == (2, "")
    assert message in err
