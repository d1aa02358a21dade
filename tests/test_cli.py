"""The whole way at the command line, from triples files to explained answers, and its exit codes."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kg_reason
from kg_reason.cli import main
from tests.conftest import toy_triples

PAIRS = [
    ("A man plays a violin.", "A man plays an instrument.", "entailment"),
    ("A man plays a guitar.", "A woman plays a guitar.", "contradiction"),
    ("The dog is hot.", "The dog is cold.", "contradiction"),
    ("A cat plays.", "An animal plays.", "entailment"),
    ("A person plays a drum.", "A man plays a drum.", "neutral"),
    ("An instrument is cold.", "A cello is cold.", "neutral"),
] * 2
TURTLE = """@prefix ex: <http://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
ex:viola rdfs:label "viola"@en ; rdfs:subClassOf ex:chordophone .
ex:chordophone rdfs:label "chordophone"@en .
"""
SMALL = ["--max-steps", "3", "--batch-size", "4", "--num-epochs", "1", "--graph-dim", "16", "--num-workers", "1"]


def toy_table() -> str:
    rows = ["head\trelation\ttail\trank\tlanguage\tpos"]
    for triple in toy_triples():
        rank = str(triple.rank) if triple.rank else ""
        tail = triple.tail.split('"')[1] if triple.tail.startswith('"') else triple.tail
        rows.append(f"{triple.head}\t{triple.relation}\t{tail}\t{rank}\t{triple.language}\t{triple.pos}")
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    (folder / "toy.tsv").write_text(toy_table())
    (folder / "viola.ttl").write_text(TURTLE)
    examples = [
        {"id": str(number), "premise": premise, "hypothesis": hypothesis, "label": label}
        for number, (premise, hypothesis, label) in enumerate(PAIRS)
    ]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(example) + "\n" for example in examples))
    return folder


@pytest.fixture(scope="module")
def kg(work) -> str:
    assert main(["build", str(work / "toy.tsv"), str(work / "viola.ttl"), "--out", str(work / "kg"), "-q"]) == 0
    return str(work / "kg")


@pytest.fixture(scope="module")
def trained(work, kg, tiny_encoder) -> str:
    pairs, out = str(work / "pairs.jsonl"), str(work / "run")
    command = ["train", "--graph", kg, "--examples", pairs, "--dev", pairs, "--out", out, "-q"]
    assert main([*command, "--encoder", str(tiny_encoder), *SMALL]) == 0
    return out


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def run_json(capsys, *arguments: str):
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


def stdin(monkeypatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


# ---- graphs


def test_build_tells_counts_and_what_to_try_next(work, capsys, tmp_path):
    code, out, err = run(capsys, "build", work / "toy.tsv", work / "viola.ttl", "--out", tmp_path / "kg")
    assert code == 0
    assert "is ready: 20 triples between 21 entities" in out
    assert "fingerprint" in out
    assert f"kg-reason stats {tmp_path / 'kg'}" in err
    assert "kg-reason paths" in err
    assert out.isascii()


def test_what_to_try_next_names_nothing_endless(capsys, tmp_path):
    (tmp_path / "a.tsv").write_text(f"{'a' * 500}\tis\tb\nc\tis\td\n")
    _, _, err = run(capsys, "build", tmp_path / "a.tsv", "--out", tmp_path / "kg")
    assert err.endswith(f"kg-reason paths {tmp_path / 'kg'} c d\n")


def test_build_and_stats_speak_json(work, kg, capsys, tmp_path):
    built = run_json(capsys, "build", work / "toy.tsv", work / "viola.ttl", "--out", tmp_path / "kg")
    stats = run_json(capsys, "stats", kg)
    assert built["num_bad_lines"] == 0
    shared = {"num_entities", "num_relations", "num_triples", "num_labels", "languages", "sources", "fingerprint"}
    assert shared <= set(stats)
    assert {name: built[name] for name in shared} == {name: stats[name] for name in shared}


def test_stats_are_a_page(kg, capsys):
    code, out, err = run(capsys, "stats", kg)
    assert (code, err) == (0, "")
    assert "triples per relation" in out
    assert "13  hypernym" in out
    assert "toy.tsv" in out


def test_show_tells_labels_neighbours_and_sources(kg, capsys):
    code, out, _ = run(capsys, "show", kg, "fiddle")
    assert code == 0
    assert out.startswith("violin  ex:violin\n")
    assert "-[hypernym]->  1" in out
    assert "<-[part of]-  1" in out
    assert "toy.tsv:2" in out
    facts = run_json(capsys, "show", kg, "ex:violin")
    assert [alias["text"] for alias in facts["aliases"]] == ["violin", "fiddle"]
    assert facts["neighbours"][0]["entities"][0]["sources"][0].endswith("toy.tsv:2")


def test_show_is_cut_at_the_limit(kg, capsys):
    _, out, _ = run(capsys, "show", kg, "person", "--limit", "1")
    assert "<-[hypernym]-  3" in out
    assert "... and 2 more (--limit 0 shows all)" in out
    _, out, _ = run(capsys, "show", kg, "person", "--limit", "0")
    assert "more" not in out


def test_an_unknown_entity_is_one_line(kg, capsys):
    code, out, err = run(capsys, "show", kg, "tuba")
    assert (code, out) == (1, "")
    assert err == f"error: {kg}: the graph has no entity 'tuba'\n"


@pytest.mark.parametrize("export_format", ["nt", "ttl", "tsv", "graphml"])
def test_export_and_build_again_keep_the_triples(kg, capsys, tmp_path, export_format):
    target = tmp_path / f"graph.{export_format}"
    facts = run_json(capsys, "export", kg, "--format", export_format, "--out", target)
    assert facts["num_triples"] == 20
    assert target.stat().st_size == facts["num_bytes"]
    if export_format != "graphml":
        built = run_json(capsys, "build", target, "--out", tmp_path / "again")
        assert built["num_triples"] == 20


def test_export_takes_the_format_from_the_suffix(kg, capsys, tmp_path):
    code, out, _ = run(capsys, "export", kg, "--out", tmp_path / "graph.nt")
    assert code == 0
    assert "as nt: 20 triples" in out
    code, _, err = run(capsys, "export", kg, "--out", tmp_path / "graph.xyz")
    assert code == 1
    assert "its suffix tells no format, expected --format with one of nt, ttl, tsv, graphml" in err


def test_export_to_standard_output_is_the_graph_alone(kg, capsys, tmp_path):
    code, out, err = run(capsys, "export", kg, "--format", "nt", "--out", "-")
    assert (code, err) == (0, "")
    run(capsys, "export", kg, "--out", tmp_path / "graph.nt")
    assert out == (tmp_path / "graph.nt").read_text()
    code, _, err = run(capsys, "export", kg, "--out", "-")
    assert (code, err) == (2, "error: standard output tells no format, expected --format\n")


def test_export_tells_what_a_build_needs_to_read_all_of_it_again(capsys, tmp_path):
    (tmp_path / "a.csv").write_text("head,relation,tail,source,share class\na,owns,b,EU list,A\n")
    kg, tsv = tmp_path / "kg", tmp_path / "b.tsv"
    columns = ("--qualifier-columns", "share class")
    run(capsys, "build", tmp_path / "a.csv", "--out", kg, *columns)
    _, _, err = run(capsys, "export", kg, "--out", tsv)
    assert err == "(kg-reason build reads all columns again with --qualifier-columns 'share class')\n"
    assert run(capsys, "export", kg, "--out", tmp_path / "b.nt")[2] == ""
    first = run_json(capsys, "stats", kg)["fingerprint"]
    assert run_json(capsys, "build", tsv, "--out", tmp_path / "again", *columns)["fingerprint"] == first
    run(capsys, "export", kg, "--out", tsv, "--without-qualifiers")
    assert tsv.read_text() == "head\trelation\ttail\tweight\tlanguage\tpos\na\towns\tb\t\t\t\n"


def test_an_edit_takes_effect_at_once_and_can_be_undone(work, capsys, tmp_path):
    kg = str(tmp_path / "kg")
    run_json(capsys, "build", work / "toy.tsv", "--out", kg)
    code, out, err = run(capsys, "edit", kg, "--add", "gavorn", "hypernym", "violin")
    assert code == 0
    assert out == "added: gavorn -[ex:hypernym]-> ex:violin  (edits.jsonl:1)\nnew in the graph: gavorn\n"
    assert "--undo" in err
    assert len(run_json(capsys, "paths", kg, "gavorn", "instrument")["paths"]) == 1
    assert run_json(capsys, "edit", kg, "--list")[0]["head"] == "gavorn"
    assert run_json(capsys, "edit", kg, "--remove", "drum", "hypernym", "instrument")["num_triples"] == 19
    assert run_json(capsys, "edit", kg, "--undo")["op"] == "remove"
    code, _, err = run(capsys, "build", work / "toy.tsv", "--out", kg)
    assert code == 1
    assert "holds 1 edit that a new build would drop" in err
    assert run(capsys, "edit", kg, "--undo")[0] == 0
    assert run(capsys, "edit", kg, "--list")[1] == f"{kg}: no edits\n"
    code, _, err = run(capsys, "edit", kg, "--undo")
    assert (code, err) == (1, f"error: {kg}: no edit to undo\n")


def test_an_edit_tells_what_it_brings_into_the_graph_and_is_listed_with_its_time(work, capsys, tmp_path):
    kg = str(tmp_path / "kg")
    run_json(capsys, "build", work / "toy.tsv", "--out", kg)
    _, out, _ = run(capsys, "edit", kg, "--add", "gavorn", "hypernim", "violin")
    assert out.splitlines()[1] == "new in the graph: gavorn, the relation hypernim"
    assert "edits.jsonl:1  20" in run(capsys, "edit", kg, "--list")[1]
    assert run_json(capsys, "edit", kg, "--list")[0]["time"].startswith("20")
    code, _, err = run(capsys, "edit", kg, "--add", "gavorn", "", "violin")
    assert (code, err) == (1, "error: relation: found no text, expected an id or a label\n")


def test_paths_are_shown_with_scores_and_sources(kg, capsys):
    code, out, _ = run(capsys, "paths", kg, "violin", "instrument")
    assert code == 0
    assert "violin -[hypernym]-> bowed instrument -[hypernym]-> string instrument -[hypernym]-> instrument" in out
    assert "toy.tsv:2\n" in out
    facts = run_json(capsys, "paths", kg, "A man plays a violin.", "A man plays an instrument at dawn.")
    assert facts["paths"][0]["from"] == {"side": "start", "start": 14, "end": 20, "text": "violin"}
    assert [word["text"] for word in facts["unknown"]["end"]] == ["plays", "dawn"]


def test_where_there_is_no_path_the_reason_is_told(kg, capsys):
    assert "no path joins these words" in run(capsys, "paths", kg, "violin", "dog", "--max-hops", "1", "--no-climb")[1]
    assert "every word of the second text stands in the first" in run(capsys, "paths", kg, "violin", "violins")[1]
    page = run(capsys, "paths", kg, "violin", "xyzzy")[1]
    assert page == "no path: the graph knows no word of one of the texts\nnot in the graph: xyzzy\n"


def test_control_characters_of_a_file_do_not_reach_the_terminal(capsys, tmp_path):
    (tmp_path / "evil.nt").write_text('<http://e/a> <http://www.w3.org/2000/01/rdf-schema#label> "\\u001B[31mred" .\n')
    kg = str(tmp_path / "kg")
    run(capsys, "build", tmp_path / "evil.nt", "--out", kg)
    _, out, _ = run(capsys, "show", kg, "http://e/a")
    assert "\x1b" not in out
    assert "\\x1b[31mred" in out


# ---- bad input


def bad_table(folder: Path) -> Path:
    path = folder / "bad.tsv"
    path.write_text("head\trelation\ttail\n" + "violin\thypernym\tinstrument\n" + "only two\tfields\n" * 25)
    return path


def test_all_bad_lines_are_counted_and_nothing_is_written(capsys, tmp_path):
    code, out, err = run(capsys, "build", bad_table(tmp_path), "--out", tmp_path / "kg")
    assert (code, out) == (1, "")
    assert err.startswith("error: 25 bad lines, nothing written (--skip-bad-lines reads the rest):\n")
    assert "bad.tsv:3: " in err
    assert "... and 5 more" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.tsv"]


def test_bad_lines_can_be_skipped_and_are_reported(capsys, tmp_path):
    built = run_json(capsys, "build", bad_table(tmp_path), "--out", tmp_path / "kg", "--skip-bad-lines")
    assert (built["num_triples"], built["num_bad_lines"]) == (1, 25)
    assert len((tmp_path / "kg" / "bad_lines.tsv").read_text().splitlines()) == 26
    assert "25 bad lines skipped, listed in" in run(
        capsys, "build", tmp_path / "bad.tsv", "--out", tmp_path / "kg", "--skip-bad-lines"
    )[1]


def test_errors_are_json_on_both_streams_where_json_is_asked(capsys, tmp_path):
    code, out, err = run(capsys, "build", bad_table(tmp_path), "--out", tmp_path / "kg", "--json")
    assert code == 1
    assert out == err
    error = json.loads(out)["error"]
    assert error["type"] == "BadLinesError"
    assert error["num_bad_lines"] == 25
    assert error["bad_lines"][0]["line"] == 3
    code, out, _ = run(capsys, "stats", tmp_path / "none", "--json")
    assert code == 1
    assert json.loads(out)["error"]["type"] == "GraphError"
    code, out, _ = run(capsys, "stats", "--json")
    assert code == 2
    assert json.loads(out)["error"]["type"] == "UsageError"


# ---- usage


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stats"], "the following arguments are required: DIR"),
        (["build", "a.nt"], "the following arguments are required: --out"),
        (["dance"], "invalid choice: 'dance'"),
        (["stats", "kg", "--jsno"], "unrecognized arguments: --jsno"),
        (["train", "--num-epochs", "0"], "--num-epochs: found 0, expected at least 1"),
        (["edit", "kg"], "one of the arguments --add --remove --undo --list is required"),
        (["query", "run", "only a premise"], "found only one text"),
        (["query", "run", "a", "b", "--file", "c"], "found a premise and --file"),
        (["query", "run", "a", " "], "hypothesis: found no text"),
        (["show", "kg", "\udcff"], "found '\\udcff', expected text and names of files in UTF-8"),
        (["paths", "kg", "a", " "], "found no second text, expected words or a sentence"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(capsys, arguments, message):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_without_a_command_the_help_is_shown(capsys):
    code, out, err = run(capsys)
    assert (code, out) == (2, "")
    assert "first steps:" in err


def test_help_and_version_are_results(capsys):
    assert run(capsys, "--version")[:2] == (0, f"kg-reason {kg_reason.__version__}\n")
    code, out, _ = run(capsys, "train", "--help")
    assert code == 0
    assert out.startswith("usage: kg-reason train ")
    assert "--encoder-lr X" in out
    assert "--max-degree" not in out.split("\n\n")[0]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_scripts_are_printed(capsys, shell):
    code, out, _ = run(capsys, "--completion", shell)
    assert code == 0
    assert "kg-reason" in out
    assert "--num-epochs" in out


def test_a_config_file_lies_under_the_flags(work, kg, capsys, tmp_path):
    config = tmp_path / "kg.toml"
    build = f'[build]\nout = "{tmp_path / "kg"}"\nhead_column = "source"\n'
    config.write_text(f"{build}[paths]\nmax_hops = 1\nclimb = false\n")
    (tmp_path / "a.tsv").write_text("source\trelation\ttail\na\tb\tc\n")
    assert run_json(capsys, "build", tmp_path / "a.tsv", "--config", config)["path"] == str(tmp_path / "kg")
    assert run_json(capsys, "paths", kg, "violin", "instrument", f"--config={config}")["paths"] == []
    assert run_json(capsys, "paths", kg, "violin", "instrument", "--config", config, "--max-hops", "3")["paths"]
    config.write_text("colour = 3\n")
    code, _, err = run(capsys, "stats", kg, "--config", config)
    assert (code, err) == (1, f"error: {config}: unknown key 'colour', expected a flag of kg-reason stats\n")


def test_a_fault_of_the_system_is_one_line(kg, work, capsys):
    code, out, err = run(capsys, "export", kg, "--out", work / f"{'x' * 300}.nt")
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert "File name too long" in err
    assert err.count("\n") == 1


class Interrupted(io.RawIOBase):
    """A stream on which the user presses Ctrl-C."""

    def readable(self):
        return True

    def readinto(self, target):
        raise KeyboardInterrupt


def test_an_interrupted_build_leaves_nothing_and_ends_with_130(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Interrupted())))
    code, out, err = run(capsys, "build", "-", "--input-format", "nt", "--out", tmp_path / "kg")
    assert (code, out) == (130, "")
    assert err == "error: interrupted; nothing is half-written\n"
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_enough_is_no_error(kg):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "kg_reason", "stats", kg]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=Path(kg_reason.__file__).parents[1])
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_help_loads_nothing_heavy():
    heavy = "{'torch', 'spacy', 'transformers', 'polars', 'numba', 'numpy', 'rdflib', 'networkx'}"
    script = f"import sys; from kg_reason.cli import main; main(['--help']); print(*sorted({heavy} & set(sys.modules)))"
    folder = Path(kg_reason.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=folder)
    assert done.stdout.splitlines()[-1] == ""


# ---- examples, training, answers


def test_synthesize_writes_two_parts_that_share_no_sentence(kg, capsys, tmp_path):
    sentences = tmp_path / "sentences.txt"
    sentences.write_text("A man plays a violin.\n\nThe dog is hot.\nA woman sees a cat.\nNo boy plays a drum.\n")
    train, dev = tmp_path / "train.jsonl", tmp_path / "dev.jsonl"
    command = ["synthesize", kg, "--sentences", sentences, "--out", train, "--num-pairs", "60"]
    code, out, err = run(capsys, *command, "--dev-out", dev, "--dev-share", "0.3")
    assert code == 0
    assert f"{train} holds " in out
    assert "with invented words" in out
    assert "kg-reason train --graph" in err
    parts = [[json.loads(line) for line in path.read_text().splitlines()] for path in (train, dev)]
    assert all(parts)
    premises = [{pair["premise"] for pair in part if pair["premise"]} for part in parts]  # claims have none
    assert not premises[0] & premises[1]
    facts = run_json(capsys, *command)
    assert facts["files"][0]["num_pairs"] == sum(map(len, parts))


def test_training_writes_a_run_with_its_settings(trained, kg, work, capsys, tmp_path):
    record = json.loads((Path(trained) / "training.json").read_text())
    assert record["training"]["max_steps"] == 3
    config = Path(trained) / "train.toml"
    report = run_json(capsys, "train", "--config", config, "--out", tmp_path / "again", "-q")
    assert report["num_steps"] == 3
    weights = [(Path(run) / "model.safetensors").read_bytes() for run in (trained, tmp_path / "again")]
    assert weights[0] == weights[1]


def test_training_says_what_came_of_it_and_what_to_do_next(kg, work, tiny_encoder, capsys, tmp_path):
    pairs = work / "pairs.jsonl"
    command = ["train", "--graph", kg, "--examples", pairs, "--dev", pairs, "--out", tmp_path / "run"]
    code, out, err = run(capsys, *command, "--encoder", tiny_encoder, *SMALL)
    assert code == 0
    assert "is ready: 3 steps on 12 examples" in out
    assert "dev accuracy" in out
    assert "dev accuracy of the weights kept: " in out
    assert f"kg-reason evaluate {tmp_path / 'run'} {pairs}" in err
    assert f"| training | `{pairs}` | 12 |" in (tmp_path / "run" / "README.md").read_text()
    code, _, err = run(capsys, *command, "--resume", "--encoder", tiny_encoder, *SMALL)
    assert code == 1
    assert "nothing to resume" in err


def test_training_without_dev_says_that_nothing_was_measured(kg, work, tiny_encoder, capsys, tmp_path):
    command = ["train", "--graph", kg, "--examples", work / "pairs.jsonl", "--out", tmp_path / "run"]
    code, out, err = run(capsys, *command, "--encoder", tiny_encoder, *SMALL)
    assert code == 0
    assert "nothing was measured" in out
    assert "FILE  (labelled pairs it was not trained on)" in err
    (tmp_path / "none.jsonl").write_text("")
    code, _, err = run(capsys, *command, "--dev", tmp_path / "none.jsonl")
    assert code == 1
    assert "--dev: found no pair in " in err


def test_held_out_pairs_need_a_file_of_their_own(kg, capsys, tmp_path):
    command = ["synthesize", kg, "--out", tmp_path / "a.jsonl", "--dev-out", tmp_path / "a.jsonl"]
    code, _, err = run(capsys, *command)
    assert code == 2
    assert "expected another file than --out" in err
    assert list(tmp_path.iterdir()) == []


def test_training_keeps_groundings_beside_the_graph_unless_told_otherwise(trained, kg, work, tiny_encoder, tmp_path):
    kept = sorted(Path(f"{kg}.groundings").rglob("*.npz"))
    assert kept
    again = shutil.copytree(kg, tmp_path / "kg")
    command = ["train", "--graph", str(again), "--examples", str(work / "pairs.jsonl"), "--out", str(tmp_path / "run")]
    assert main([*command, "--encoder", str(tiny_encoder), *SMALL, "--cache-dir", "none", "-q"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kg", "run"]


def test_evaluate_shows_fused_beside_text_only(trained, work, capsys):
    code, out, _ = run(capsys, "evaluate", trained, work / "pairs.jsonl", "-q")
    assert code == 0
    assert "McNemar" in out
    report = run_json(capsys, "evaluate", trained, work / "pairs.jsonl", "-q")
    assert report["num_examples"] == 12
    assert set(report["text"]) >= {"accuracy", "macro_f1", "per_class"}


def test_a_query_shows_label_paths_and_what_is_not_known(trained, capsys):
    code, out, err = run(capsys, "query", trained, "A man plays a violin at dawn.", "A man plays an instrument.")
    assert (code, err) == (0, "")
    assert out.startswith("premise     A man plays a violin at dawn.\n")
    assert "text alone" in out
    assert "violin -[hypernym]-> bowed instrument" in out
    assert "toy.tsv:2" in out
    assert "not in the graph: dawn" in out


def test_no_library_speaks_into_the_answer_or_beside_it(trained):
    command = [sys.executable, "-m", "kg_reason", "query", trained, "A violin.", "An instrument."]
    quiet = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    folder = Path(kg_reason.__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=quiet)
    assert done.stdout.startswith("premise     A violin.\n")
    assert done.stderr == ""


def test_flags_may_stand_between_the_words_of_a_command(trained, kg, capsys):
    pair = ["A man plays a violin.", "A man plays an instrument."]
    _, usual, _ = run(capsys, "query", trained, *pair, "--graph", kg)
    code, out, _ = run(capsys, "query", trained, "--graph", kg, *pair)
    assert (code, out) == (0, usual)


def test_a_query_in_json_adds_up(trained, capsys):
    answer = run_json(capsys, "query", trained, "A man plays a violin.", "A man plays an instrument.")
    for label, logit in answer["logits"].items():
        parts = [path["contribution"][label] for path in answer["paths"]]
        assert logit == pytest.approx(answer["text"]["logits"][label] + sum(parts), abs=1e-4)


def test_an_empty_premise_is_a_claim_to_verify(trained, capsys):
    answer = run_json(capsys, "query", trained, "", "A violin is an instrument.")
    assert answer["premise"] == ""
    assert answer["paths"]


def test_pairs_of_a_file_and_of_a_stream_are_answered_in_order(trained, work, capsys, monkeypatch):
    _, out, _ = run(capsys, "query", trained, "--file", work / "pairs.jsonl", "--json")
    from_file = [json.loads(line) for line in out.splitlines()]
    assert [answer["hypothesis"] for answer in from_file] == [pair[1] for pair in PAIRS]
    lines = [f"{premise}\t{hypothesis}" for premise, hypothesis, _ in PAIRS]
    lines[1] = json.dumps({"premise": PAIRS[1][0], "hypothesis": PAIRS[1][1]})
    for arguments in ([], ["-"], ["--file", "-"]):
        stdin(monkeypatch, "\n".join(lines).encode())
        _, out, _ = run(capsys, "query", trained, *arguments, "--json")
        assert [json.loads(line)["label"] for line in out.splitlines()] == [answer["label"] for answer in from_file]


def test_an_answer_carries_the_id_of_its_pair(trained, work, capsys, monkeypatch):
    stdin(monkeypatch, b'{"id": 7, "premise": "A man.", "hypothesis": "A person."}\nA dog.\tA cat.\n')
    _, out, _ = run(capsys, "query", trained, "--json")
    assert [json.loads(line).get("id") for line in out.splitlines()] == ["7", None]
    _, out, _ = run(capsys, "query", trained, "--file", work / "pairs.jsonl", "--json")
    assert [json.loads(line)["id"] for line in out.splitlines()] == [str(number) for number in range(len(PAIRS))]


def test_labels_of_another_task_do_not_hinder_answers(trained, capsys, tmp_path):
    (tmp_path / "two.csv").write_text("premise,hypothesis,label\nA dog.,A cat.,not_entailment\n")
    assert run(capsys, "query", trained, "--file", tmp_path / "two.csv")[0] == 0
    report = run_json(capsys, "evaluate", trained, tmp_path / "two.csv", "-q")
    assert set(report["per_class"]) == {"entailment", "not_entailment"}


def test_no_pair_at_all_is_mentioned(trained, capsys, monkeypatch):
    stdin(monkeypatch, b"\n")
    assert run(capsys, "query", trained) == (0, "", "no pair was found, so there is no answer\n")


def test_pages_of_several_pairs_are_kept_apart(trained, work, capsys):
    _, out, _ = run(capsys, "query", trained, "--file", work / "pairs.jsonl", "--max-paths", "0")
    assert out.count("-" * 72) == len(PAIRS) - 1


def test_a_bad_line_of_a_stream_ends_it_after_the_answers_before(trained, capsys, monkeypatch):
    stdin(monkeypatch, b"A man.\tA person.\nno tab here\n")
    code, out, err = run(capsys, "query", trained)
    assert code == 1
    assert "A person." in out
    assert err == "error: -:2: found a line without a tab, expected a JSON object, or premise, tab and hypothesis\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"premise": 3, "hypothesis": "a"}', "found no text in 'premise'"),
        (b'{"premisse": "a", "hypothesis": "b"}', "found premisse, hypothesis; expected 'premise', which is empty for"),
        (b'{"premise": "a"}', "found no text in 'hypothesis'"),
        (b'{"premise"', "not valid JSON"),
        (b'{"premise": "\\ud800", "hypothesis": "b"}', "found half of a surrogate pair"),
        (b"a\tb\tc", "found 3 tab-separated fields"),
        (b"\xff\tb", "found byte 0xff, expected UTF-8"),
        (b'{"premise": "", "hypothesis": "a", "names": {"b": 3}}', "names: expected an object"),
    ],
)
def test_what_is_no_pair_is_told_with_its_line(trained, capsys, monkeypatch, line, message):
    stdin(monkeypatch, line + b"\n")
    code, _, err = run(capsys, "query", trained)
    assert code == 1
    assert err.startswith("error: -:1: ")
    assert message in err


def test_invented_names_of_a_pair_are_linked(trained, capsys, monkeypatch):
    pair = {"premise": "A gavorn.", "hypothesis": "An instrument.", "names": {"gavorn": "ex:violin"}}
    stdin(monkeypatch, json.dumps(pair).encode())
    answer = run_json(capsys, "query", trained)
    assert answer["mentions"]["premise"][0]["candidates"][0]["entity"] == "ex:violin"
    assert answer["paths"]


def test_another_graph_can_take_the_place_of_the_runs_own(trained, capsys, tmp_path):
    (tmp_path / "other.tsv").write_text("head\trelation\ttail\nviolin\tkind of\ttool\n")
    run_json(capsys, "build", tmp_path / "other.tsv", "--out", tmp_path / "kg")
    answer = run_json(capsys, "query", trained, "a violin", "a tool", "--graph", tmp_path / "kg")
    assert answer["paths"][0]["steps"][0]["relation"] == "kind of"


# ---- labels wanted, labels learned


def write_pool(folder: Path) -> Path:
    rows = [{"premise": premise, "hypothesis": hypothesis} for premise, hypothesis, _ in PAIRS[:5]]
    rows.append({"premise": PAIRS[5][0], "hypothesis": PAIRS[5][1], "label": PAIRS[5][2]})
    path = folder / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_suggestions_are_a_table_and_a_file_to_fill_in(trained, capsys, tmp_path):
    out = tmp_path / "to_label.jsonl"
    code, page, err = run(capsys, "suggest", trained, write_pool(tmp_path), "-n", "3", "--out", out)
    assert code == 0
    assert page.splitlines()[0].split()[:5] == ["score", "uncertainty", "disagreement", "coverage", "similarity"]
    assert len(page.splitlines()) == 4
    assert f'{out} holds 3 pairs with an empty "label" to fill in' in err
    assert f"kg-reason train --from {trained} --examples {out} --replay" in err
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["label"] for row in rows] == ["", "", ""]
    _, lines, _ = run(capsys, "suggest", trained, tmp_path / "pool.jsonl", "--num-suggestions", "3", "--json")
    assert [json.loads(line) for line in lines.splitlines()] == rows


def test_labelled_pairs_are_not_suggested_and_an_empty_pool_is_mentioned(trained, work, capsys, tmp_path):
    _, lines, _ = run(capsys, "suggest", trained, write_pool(tmp_path), "--json", "-q")
    found = {json.loads(line)["hypothesis"] for line in lines.splitlines()}
    assert found == {hypothesis for _, hypothesis, _ in PAIRS[:5]}
    code, out, err = run(capsys, "suggest", trained, work / "pairs.jsonl")
    assert (code, out) == (0, "")
    assert err == "no pair without a label was found, so there is nothing to suggest\n"


def test_suggestions_are_ranked_by_the_weights_and_by_the_graph_that_is_named(trained, capsys, tmp_path):
    pool = write_pool(tmp_path)
    terms = ["--uncertainty-weight", "0", "--coverage-weight", "0", "--similarity-weight", "0"]
    _, lines, _ = run(capsys, "suggest", trained, pool, *terms, "--json")
    rows = [json.loads(line) for line in lines.splitlines()]
    assert [row["score"] for row in rows] == [row["terms"]["disagreement"] for row in rows]
    (tmp_path / "other.tsv").write_text("head\trelation\ttail\ntable\tkind of\tthing\n")
    run_json(capsys, "build", tmp_path / "other.tsv", "--out", tmp_path / "kg")
    _, lines, _ = run(capsys, "suggest", trained, pool, "--graph", tmp_path / "kg", "--json")
    assert {json.loads(line)["terms"]["coverage"] for line in lines.splitlines()} == {0.0}
    assert any(row["terms"]["coverage"] for row in rows)


def test_suggestions_are_written_as_json_lines_only(trained, capsys, tmp_path):
    code, _, err = run(capsys, "suggest", trained, write_pool(tmp_path), "--out", tmp_path / "a.csv")
    assert (code, err) == (2, f"error: --out: found {tmp_path / 'a.csv'}, expected a name in .jsonl\n")


def test_filled_in_suggestions_continue_the_training_of_a_run(trained, work, capsys, tmp_path):
    out, second = tmp_path / "to_label.jsonl", tmp_path / "second"
    run(capsys, "suggest", trained, write_pool(tmp_path), "--out", out, "-q")
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    rows = [row | {"label": "" if place == 0 else "neutral"} for place, row in enumerate(rows)]
    out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["train", "--from", trained, "--examples", out, "--replay", work / "pairs.jsonl", "--out", second]
    command += ["--batch-size", "4", "--num-epochs", "1", "--num-workers", "1", "--skip-unlabelled"]
    code, page, _ = run(capsys, *command)
    assert code == 0
    assert f"{second} is ready: 2 steps on 8 examples, 4 of them replayed, in" in page
    account = json.loads((second / "training.json").read_text())
    assert account["continued_from"]["run"] == "run"
    assert account["files"]["replay"] == [str(work / "pairs.jsonl")]
    assert account["reasoner"] == json.loads((Path(trained) / "training.json").read_text())["reasoner"]
    report = run_json(capsys, "train", "--config", second / "train.toml", "--out", tmp_path / "again", "-q")
    assert report["num_replayed"] == 4
    weights = [(folder / "model.safetensors").read_bytes() for folder in (second, tmp_path / "again")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--from", "{run}", "--graph-dim", "32"], 1, "--graph-dim: found 32, but {run} has 16, and with --from its"),
        (["--from", "{run}", "--max-hops", "2"], 1, "--max-hops: found 2, but {run} has 3, and with --from its"),
        (["--from", "{run}", "--out", "{run}"], 2, "--out: found {run}, expected another folder than --from"),
        (["--from", "{run}", "--replay", "{none}"], 1, "--replay: found no pair in {none}, expected some"),
        ([], 2, "found no graph, expected --graph, or --from with an earlier run"),
    ],
)
def test_what_contradicts_the_run_that_is_continued_is_refused(trained, work, capsys, tmp_path, flags, code, message):
    places = {"run": trained, "none": tmp_path / "none.jsonl"}
    places["none"].write_text("")
    command = ["train", "--examples", work / "pairs.jsonl", "--out", tmp_path / "second"]
    found, out, err = run(capsys, *command, *(flag.format(**places) for flag in flags))
    assert (found, out) == (code, "")
    assert err.startswith(f"error: {message.format(**places)}")
    assert not (tmp_path / "second").exists()


# ---- system


def test_info_tells_versions_hardware_and_fingerprints(trained, kg, work, capsys):
    facts = run_json(capsys, "info", kg, trained, work / "pairs.jsonl")
    assert facts["kg_reason"] == kg_reason.__version__
    assert facts["num_threads"] >= 1
    assert [path["kind"] for path in facts["paths"]] == ["graph", "run", "examples"]
    assert facts["paths"][1]["graph_fingerprint"] == facts["paths"][0]["fingerprint"]
    code, out, _ = run(capsys, "info", kg, trained)
    assert code == 0
    assert "graph fingerprint" in out
    assert "cpu flags" in out
    code, _, err = run(capsys, "info", work / "nothing")
    assert (code, err) == (1, f"error: {work / 'nothing'}: no such file or folder\n")


def test_doctor_ends_with_1_where_something_is_wrong(trained, kg, work, capsys):
    code, out, err = run(capsys, "doctor", kg, trained, work / "pairs.jsonl")
    assert (code, err) == (0, "")
    assert f"{kg} (graph) is sound" in out
    assert f"{trained} (run) is sound" in out
    code, out, _ = run(capsys, "doctor", work / "nothing", "--json")
    assert code == 1
    assert json.loads(out)[0]["findings"][0]["problem"] == "no such file or folder"
