"""The files of graphs/exports, a kind in each folder, are built, shown, asked and explained as their pages tell."""

import json
from pathlib import Path

import pytest

from kg_reason import build_graph
from kg_reason.cli import main
from tests.conftest import save_run

EXPORTS = Path(__file__).parents[1] / "graphs" / "exports"
KINDS = {  # folder: flags, an entity, what its page shows, a pair, and relations of a path between its words
    "ontology": ((), "VINE:0020", "oidium", ("They show oidium.", "They show a fungal disease."), ("sub class of",)),
    "obo": ((), "STONE:0000013", "Carrara marble", ("A floor of basalt.", "An igneous rock floor."), ("sub class of",)),
    "wikidata": (("--languages", "en"), "Q64", "Germany", ("She saw Berlin.", "She saw a city."), ("instance of",)),
    "conceptnet": ((), "violin", "string instrument", ("A fiddle.", "A string instrument."), ("synonym", "is a")),
    "phrases": (
        (), "PersonX bakes bread", "the kitchen smells good",
        ("Tom bakes bread.", "The kitchen smells good."), ("effect on the person",),
    ),
    "taxonomy": ((), "Sandals", "Shoes", ("Green sandals.", "Green shoes."), ("broader",)),
    "networkx": ((), "inverter", "electrical device", ("A battery.", "A power source."), ("is a",)),
    "ownership": (
        ("--as-of", "2026-06-30"), "Orlin Shipping", "(0.74, since 2019-05-01, source",
        ("Ines Calder signs.", "A lawyer signs."), ("instance of",),
    ),
    "neo4j": ((), "Luis Moreno", "Tunnel team", ("Ada Brandt is here.", "An engineer is here."), ("instance of",)),
}  # fmt: skip


def files(kind):
    """Return the data files of a kind; two have the same graph twice."""
    found = sorted(path for path in (EXPORTS / kind).iterdir() if path.suffix not in (".md", ".json", ".ttl"))
    return [str(path) for path in found]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory, tiny_encoder):
    """A model that was never trained: what it answers does not matter here, what it is shown does."""
    folder = tmp_path_factory.mktemp("exports")
    build_graph(files("obo"), folder / "kg")
    save_run(folder, tiny_encoder)
    return str(folder / "run")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_each_kind_is_built_shown_asked_and_explained(kind, run_folder, tmp_path, capsys):
    flags, entity, shown, pair, relations = KINDS[kind]
    graph = str(tmp_path / "kg")
    assert main(["build", *files(kind), *flags, "--out", graph, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["num_bad_lines"] == 0
    assert main(["show", graph, entity]) == 0
    page = capsys.readouterr().out
    assert shown in page
    assert f"{EXPORTS / kind}" in page  # file and line of what is shown
    assert main(["query", run_folder, *pair, "--graph", graph, "--json"]) == 0
    steps = [[step["relation"] for step in path["steps"]] for path in json.loads(capsys.readouterr().out)["paths"]]
    assert list(relations) in steps
    assert main(["explain", run_folder, *pair, "--graph", graph]) == 0
    assert "paths that moved the answer" in capsys.readouterr().out


def test_both_forms_of_a_networkx_graph_are_one_graph(tmp_path):
    circuits = [EXPORTS / "networkx" / f"circuit.{suffix}" for suffix in ("graphml", "json")]
    forms = [build_graph(circuit, tmp_path / circuit.suffix[1:]) for circuit in circuits]
    assert forms[0].fingerprint == forms[1].fingerprint


def test_every_kind_has_its_page():
    assert {path.name for path in EXPORTS.iterdir() if path.is_dir()} >= set(KINDS)
    index = (EXPORTS / "README.md").read_text()
    for kind in KINDS:
        assert (EXPORTS / kind / "README.md").is_file()
        assert f"[{kind}/]({kind}/)" in index
