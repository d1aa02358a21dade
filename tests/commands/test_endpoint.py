"""`sparql:URL` where a graph is named: commands answer over an endpoint, or say what to do instead."""

from __future__ import annotations

import json

import pytest

from kg_reason import build_graph
from kg_reason.cli import main
from tests.conftest import save_run
from tests.kg.sparql_server import send
from tests.kg.test_extract import toy_lines

PAIR = ("A man plays a violin.", "A woman plays an instrument.")
OTHER = ("The dog is hot.", "The cat is cold.")


@pytest.fixture(scope="module")
def house(tmp_path_factory, tiny_encoder):
    """A graph folder and a run over it."""
    folder = tmp_path_factory.mktemp("endpoint")
    (folder / "toy.nt").write_text(toy_lines())
    build_graph([folder / "toy.nt"], folder / "kg")
    save_run(folder, tiny_encoder)
    return folder


@pytest.fixture
def server(serve):
    return serve(toy_lines())


def run(capsys, *arguments) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


def answer(text: str, source: str) -> list[dict]:
    """The answers of lines of JSON, with every source of a folder or an endpoint told alike."""

    def plain(value):
        if isinstance(value, dict):
            return {name: "here" if name == "sources" else plain(item) for name, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return round(value, 5) if isinstance(value, float) else value

    assert source in text
    return [plain(json.loads(line)) for line in text.splitlines()]


def test_pairs_are_answered_over_an_endpoint_as_over_the_graph_itself(house, server, capsys, tmp_path):
    (tmp_path / "pairs.jsonl").write_text(
        "".join(json.dumps({"premise": p, "hypothesis": h}) + "\n" for p, h in (PAIR, OTHER, ("", PAIR[0])))
    )
    asked = ("--file", tmp_path / "pairs.jsonl", "--json")
    code, expected, _ = run(capsys, "query", house / "run", *asked)
    assert code == 0
    for size in (1, 32):
        code, found, _ = run(
            capsys, "query", house / "run", *asked, "--graph", f"sparql:{server.url}", "--query-pause", 0,
            "--batch-size", size,
        )  # fmt: skip
        assert code == 0
        assert answer(found, f"sparql:{server.url}") == answer(expected, "toy.nt")


def test_an_answer_over_an_endpoint_is_explained_with_its_counterfactuals(house, server, capsys):
    arguments = ("explain", house / "run", *PAIR, "--graph", f"sparql:{server.url}", "--query-pause", 0)
    code, out, _ = run(capsys, *arguments, "--counterfactual")
    assert code == 0
    assert f"sparql:{server.url}" in out
    assert "what would have changed the answer" in out


def test_what_is_excluded_stands_on_no_path(house, server, capsys):
    arguments = ("query", house / "run", *PAIR, "--graph", f"sparql:{server.url}", "--query-pause", 0)
    assert "antonym" in run(capsys, *arguments)[1]
    code, out, _ = run(capsys, *arguments, "--exclude", "antonym", "--exclude", "violin")
    assert code == 0
    assert "antonym" not in out
    assert "violin -[" not in out
    code, _, err = run(capsys, *arguments, "--exclude", "nothing")
    assert code == 1
    assert "neither a relation nor an entity 'nothing'" in err


def test_paths_and_entities_are_shown_as_those_of_the_graph(house, server, capsys):
    place = f"sparql:{server.url}"
    for command in (("paths", "fiddle", "guitar", "--json"), ("paths", "man", "woman", "--json")):
        expected = run(capsys, command[0], house / "kg", *command[1:])[1]
        code, found, _ = run(capsys, command[0], place, *command[1:], "--query-pause", 0)
        assert code == 0
        assert answer(found, place) == answer(expected, "toy.nt")
    code, out, _ = run(capsys, "show", place, "fiddle", "--query-pause", 0)
    assert code == 0
    assert "-[hypernym]->  1" in out
    assert "bowed instrument" in out
    code, _, err = run(capsys, "show", place, "nobody", "--query-pause", 0)
    assert code == 1
    assert "the graph has no entity 'nobody'" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("stats", "GRAPH"), ("export", "GRAPH", "--out", "-", "--format", "nt"), ("edit", "GRAPH", "--list"),
        ("evaluate", "RUN", "pairs.jsonl", "--graph", "GRAPH"), ("synthesize", "GRAPH", "--out", "x.jsonl"),
    ],
)  # fmt: skip
def test_what_needs_the_whole_graph_names_the_extract(house, server, capsys, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.jsonl").write_text(
        json.dumps({"premise": "A dog.", "hypothesis": "A cat.", "label": "neutral"}) + "\n"
    )
    places = {"GRAPH": f"sparql:{server.url}", "RUN": house / "run"}
    code, out, err = run(capsys, *(places.get(argument, argument) for argument in arguments))
    assert (code, out) == (1, "")
    assert f"sparql:{server.url}: found an endpoint, expected a graph folder: kg-reason build --endpoint" in err
    assert server.queries == []


def test_an_endpoint_that_fails_is_one_line_without_a_password(house, server, capsys):
    place = f"sparql:{server.url.replace('//', '//me:hidden@')}"
    server.script = [send(500)]
    code, out, err = run(capsys, "query", house / "run", *PAIR, "--graph", place)
    assert (code, out) == (1, "")
    assert f"{server.url}: found status 500" in err
    assert "hidden" not in err
    code, _, err = run(capsys, "show", place, "dog", "--max-queries", 1, "--query-pause", 0)
    assert code == 1
    assert "all 1 queries are used up (--max-queries)" in err


def test_kept_answers_serve_the_next_command(house, server, capsys, tmp_path):
    arguments = ("paths", f"sparql:{server.url}", "dog", "cat", "--query-pause", 0, "--query-cache", tmp_path / "kept")
    _, first, _ = run(capsys, *arguments)
    server.queries.clear()
    assert run(capsys, *arguments)[1] == first
    assert server.queries == []


def test_labels_are_asked_for_in_the_language_of_the_linker_unless_told(house, server, capsys):
    run(capsys, "paths", f"sparql:{server.url}", "Hund", "Katze", "--language", "de", "--query-pause", 0)
    assert any('"Hund"@de' in query for query in server.queries)
    assert not any('"Hund"@en' in query for query in server.queries)


def test_statements_of_an_endpoint_cannot_be_left_out(server, capsys):
    code, _, err = run(capsys, "show", f"sparql:{server.url}", "violin", "--as-of", "2026-06-30")
    assert code == 1
    assert "nothing is known of the dates, weights and sources of an endpoint's statements" in err


@pytest.mark.parametrize("command", ["doctor", "info"])
def test_what_looks_at_folders_says_of_an_endpoint_that_it_is_none(command, capsys):
    code, _, err = run(capsys, command, "sparql:http://example.org/sparql")
    assert code == 1
    assert "sparql:http://example.org/sparql: found an endpoint, expected a graph folder" in err
