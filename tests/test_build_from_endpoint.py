"""`kg-reason build --endpoint`: a local extract becomes an ordinary graph."""

from __future__ import annotations

import json

import pyoxigraph
import pytest

from kg_reason.cli import main
from kg_reason.kg.graph import KnowledgeGraph
from tests.kg.sparql_server import send
from tests.kg.test_extract import EX, LABEL, toy_lines


@pytest.fixture
def server(serve):
    return serve(toy_lines())


@pytest.fixture
def seed(tmp_path):
    path = tmp_path / "seed.txt"
    path.write_text("A man plays a fiddle.\nThe dog is hot.\n")
    return path


def run(capsys, *arguments) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


def test_an_endpoint_and_sentences_give_a_graph(server, seed, capsys, tmp_path):
    url = server.url.replace("http://", "http://me:hidden@")
    settings = ("--hops", "2", "--query-pause", "0")
    code, out, err = run(capsys, "build", "--endpoint", url, "--seed", seed, *settings, "--out", tmp_path / "kg")
    assert code == 0
    assert f"{tmp_path / 'kg'} is ready" in out
    assert f"endpoint     {server.url}" in out
    assert f"asked        {len(server.queries)} queries" in out
    assert "hidden" not in out + err
    graph = KnowledgeGraph.open(tmp_path / "kg")
    sources = [source for edge in range(graph.num_edges) for source in graph.edge_sources(edge)]
    assert {source.file for source in sources} == {str(tmp_path / "kg.extract" / "127.0.0.1.edges.nt")}
    code, out, _ = run(capsys, "paths", tmp_path / "kg", "fiddle", "string instrument")
    assert code == 0
    assert "violin -[hypernym]-> bowed instrument -[hypernym]-> string instrument" in out


def test_files_and_an_endpoint_go_together_and_own_label_properties_are_labels(server, seed, capsys, tmp_path):
    server.store.load(f'<{EX}dog> <{EX}nick> "doggo"@en .'.encode(), pyoxigraph.RdfFormat.N_TRIPLES)
    (tmp_path / "own.ttl").write_text(f"<{EX}dog> <{EX}chases> <{EX}ball> .")
    code, out, _ = run(
        capsys, "build", tmp_path / "own.ttl", "--endpoint", server.url, "--seed", seed, "--query-pause", "0",
        "--label-properties", LABEL, EX + "nick", "--out", tmp_path / "kg", "--json",
    )  # fmt: skip
    assert code == 0
    facts = json.loads(out)
    assert facts["extract"]["num_queries"] == len(server.queries)
    assert len(facts["sources"]) == 3
    graph = KnowledgeGraph.open(tmp_path / "kg")
    (dog,) = graph.find_entities("doggo")
    assert [alias.kind for alias in graph.aliases(dog)] == ["pref", "pref"]
    assert {graph.relation_id(int(graph.edge_relation[edge])) for edge in graph.edges_of(dog)} >= {EX + "chases"}
    assert graph.find_entities("fiddle") == ()  # its property was not asked for


def test_further_labels_stay_further_labels(server, seed, capsys, tmp_path):
    run(capsys, "build", "--endpoint", server.url, "--seed", seed, "--query-pause", "0", "--out", tmp_path / "kg", "-q")
    graph = KnowledgeGraph.open(tmp_path / "kg")
    (violin,) = graph.find_entities("violin")
    assert [(alias.text, alias.kind) for alias in graph.aliases(violin)] == [("violin", "pref"), ("fiddle", "alt")]


def test_an_endpoint_that_fails_is_one_line_and_no_graph(server, seed, capsys, tmp_path):
    server.script = [send(500)]
    code, out, err = run(capsys, "build", "--endpoint", server.url, "--seed", seed, "--out", tmp_path / "kg")
    assert (code, out) == (1, "")
    assert err == (
        f"error: {server.url}: found status 500, expected 200 (a smaller --batch-size asks less at once)\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seed.txt"]


def test_a_seed_and_an_endpoint_belong_together_and_something_must_be_read(seed, capsys, tmp_path):
    for arguments in (("--endpoint", "http://x.org/"), ("--seed", seed), ("a.nt", "--seed", seed)):
        code, _, err = run(capsys, "build", *arguments, "--out", tmp_path / "kg")
        assert (code, "--endpoint and --seed belong together" in err) == (2, True)
    code, _, err = run(capsys, "build", "--out", tmp_path / "kg")
    assert code == 2
    assert "the following arguments are required: FILE, or --endpoint and --seed" in err


def test_a_bad_address_is_told_without_its_password(seed, capsys, tmp_path):
    address = "htp://me:hidden@x.org/"
    code, _, err = run(capsys, "build", "--endpoint", address, "--seed", seed, "--out", tmp_path / "kg")
    assert code == 1
    assert err.startswith("error: endpoint: found 'htp' as its scheme, expected an address such as")
    assert "hidden" not in err
