"""`kg-reason build --infer rdfs`, and what the other commands say of inferred triples."""

from __future__ import annotations

import json

import pytest

from kg_reason.cli import main

CHAIN = ["poodle", "dog", "canine", "carnivore", "mammal", "vertebrate", "animal"]


@pytest.fixture
def kg(tmp_path):
    rows = [f"{below}\tex:below\t{above}\n" for below, above in zip(CHAIN, CHAIN[1:], strict=False)]
    (tmp_path / "t.tsv").write_text("".join(rows) + "ex:below\trdf:type\towl:TransitiveProperty\n")
    assert main(["build", str(tmp_path / "t.tsv"), "--out", str(tmp_path / "kg"), "--infer", "rdfs", "-q"]) == 0
    return str(tmp_path / "kg")


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


def plain_rows(out: str) -> list[str]:
    return [" ".join(row.split()) for row in out.splitlines()]


def test_build_and_stats_count_inferred_triples_apart(kg, capsys, tmp_path):
    _, out, _ = run(capsys, "stats", kg)
    rows = plain_rows(out)
    assert {"triples 7", "inferred 15", "inferred triples per relation", "15 below"} <= set(rows)
    _, out, _ = run(capsys, "stats", kg, "--json")
    assert json.loads(out)["num_inferred"] == 15
    _, out, _ = run(capsys, "build", tmp_path / "t.tsv", "--out", tmp_path / "again", "--infer", "rdfs")
    assert "inferred 15 triples" in plain_rows(out)


def test_show_marks_inferred_neighbours_and_names_their_lines(kg, capsys, tmp_path):
    _, out, _ = run(capsys, "show", kg, "poodle")
    place = f"{tmp_path / 't.tsv'}"
    rows = plain_rows(out)
    assert "-[below]-> 6 (5 inferred)" in rows
    assert f"dog {place}:1" in rows
    assert f"canine inferred from {place}:1, {place}:2, {place}:7" in rows
    _, out, _ = run(capsys, "show", kg, "poodle", "--json")
    (group,) = [group for group in json.loads(out)["neighbours"] if group["forward"]]
    assert (group["num_entities"], group["num_inferred"]) == (6, 5)
    assert [each["inferred"] for each in group["entities"]] == [False, *[True] * 5]


def test_paths_show_an_inferred_step_with_the_lines_it_rests_on(kg, capsys, tmp_path):
    _, out, _ = run(capsys, "paths", kg, "poodle", "animal")
    assert "poodle -[below, inferred]-> animal" in out
    assert [row.strip().rpartition(":")[2] for row in out.splitlines()[1:]] == ["1", "2", "3", "4", "5", "6", "7"]
    _, out, _ = run(capsys, "paths", kg, "poodle", "animal", "--json")
    (step,) = json.loads(out)["paths"][0]["steps"]
    assert step["inferred"] is True
    assert len(step["sources"]) == 7


def test_export_tells_how_many_triples_it_wrote(kg, capsys, tmp_path):
    _, out, _ = run(capsys, "export", kg, "--out", tmp_path / "all.nt", "--with-inferred")
    assert "22 triples" in out
    _, out, _ = run(capsys, "export", kg, "--out", tmp_path / "stated.nt")
    assert "7 triples" in out
    _, out, _ = run(capsys, "export", kg, "--format", "tsv", "--out", "-", "--with-inferred")
    assert out.count("\tyes\n") == 15


def test_edit_says_what_went_with_a_triple(kg, capsys):
    _, _, err = run(capsys, "edit", kg, "--remove", "mammal", "ex:below", "vertebrate")
    assert "(inferred triples are those of the build; 9 that rested on this are gone)" in err
    _, _, err = run(capsys, "edit", kg, "--add", "animal", "ex:below", "being")
    assert "(inferred triples are those of the build)" in err
    _, _, err = run(capsys, "edit", kg, "--remove", "poodle", "ex:below", "canine")
    assert "it is inferred from" in err


def test_too_many_are_refused_and_nothing_is_written(capsys, tmp_path, kg):
    out = tmp_path / "none"
    code, _, err = run(
        capsys, "build", tmp_path / "t.tsv", "--out", out, "--infer", "rdfs", "--max-inferred", "14"
    )
    assert code != 0
    assert "--infer-except 'below'" in err
    assert not out.exists()
    code, _, _ = run(
        capsys, "build", tmp_path / "t.tsv", "--out", out, "--infer", "rdfs", "--max-inferred", "14", "--infer-except",
        "below",
    )  # fmt: skip
    assert code == 0


@pytest.fixture
def weighed(tmp_path):
    rows = ["poodle\tex:below\tdog\t0.9\t2020", "dog\tex:below\tanimal\t0.5\t"]
    rows.append("ex:below\trdf:type\towl:TransitiveProperty\t\t")
    (tmp_path / "w.tsv").write_text("\n".join(["head\trelation\ttail\tweight\tvalid_from", *rows]) + "\n")
    assert main(["build", str(tmp_path / "w.tsv"), "--out", str(tmp_path / "kg"), "--infer", "rdfs", "-q"]) == 0
    return str(tmp_path / "kg")


def test_an_inferred_triple_has_the_lowest_weight_and_its_lines_have_their_own(weighed, capsys, tmp_path):
    place = tmp_path / "w.tsv"
    _, out, _ = run(capsys, "show", weighed, "poodle")
    assert f"animal inferred from {place}:2 (0.9, since 2020), {place}:3 (0.5), {place}:4" in plain_rows(out)
    _, out, _ = run(capsys, "show", weighed, "poodle", "--json")
    (animal,) = [each for each in json.loads(out)["neighbours"][0]["entities"] if each["inferred"]]
    assert animal["weight"] == 0.5
    assert animal["qualifiers"] == [{"weight": 0.9, "valid_from": "2020"}, {"weight": 0.5}, {}]


def test_removing_what_an_edit_stated_beside_what_follows_takes_nothing_along(kg, capsys):
    run(capsys, "edit", kg, "--add", "poodle", "ex:below", "animal")
    _, _, err = run(capsys, "edit", kg, "--remove", "poodle", "ex:below", "animal")
    assert "(inferred triples are those of the build)" in err


def test_a_filter_counts_the_inferred_triples_that_an_edit_left(weighed, capsys):
    run(capsys, "edit", weighed, "--remove", "dog", "ex:below", "animal")
    _, _, err = run(capsys, "show", weighed, "poodle", "--as-of", "2019-01-01")
    assert "do not hold on 2019-01-01: 1" in err
    assert "inferred" not in err
