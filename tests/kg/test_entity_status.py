"""What is told of an entity beside its labels, by name and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kg_reason.cli import main
from kg_reason.kg.building import build_graph
from kg_reason.kg.editing import edit_graph
from kg_reason.kg.entity_status import entity_status
from kg_reason.kg.graph import KnowledgeGraph

ONTOLOGY = """ontology: moz

[Term]
id: MOZ:1
name: old rot
is_obsolete: true
replaced_by: MOZ:2

[Term]
id: MOZ:2
name: wing rot
is_a: MOZ:3 ! disorder

[Term]
id: MOZ:3
name: disorder
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "moz.obo").write_text(ONTOLOGY)
    build_graph(tmp_path / "moz.obo", tmp_path / "kg")
    return tmp_path / "kg"


def test_an_edit_deprecates_an_entity_too(folder):
    edit_graph(folder, "add", "MOZ:3", "http://www.w3.org/2002/07/owl#deprecated", '"true"')
    graph = KnowledgeGraph.open(folder)
    assert entity_status(graph, graph.entity("MOZ:3")) == ("MOZ:3", True, ())
    assert not entity_status(graph, graph.entity("MOZ:2")).is_deprecated


def test_an_entity_is_shown_by_its_curie_with_what_replaces_it(folder, capsys):
    assert main(["show", str(folder), "MOZ:1"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[:2] == ["old rot  MOZ:1  http://purl.obolibrary.org/obo/MOZ_1", "deprecated; use wing rot  MOZ:2"]
    assert main(["show", str(folder), "old rot"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "wing rot  MOZ:2  http://purl.obolibrary.org/obo/MOZ_2"
    assert any(row.split() == ["disorder", "MOZ:3", f"{folder.parent / 'moz.obo'}:12"] for row in rows)


def test_the_same_is_told_as_json(folder, capsys):
    assert main(["show", str(folder), "MOZ:1", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["curie"], facts["deprecated"]) == ("MOZ:1", True)
    assert facts["replaced_by"] == [
        {"entity": "http://purl.obolibrary.org/obo/MOZ_2", "curie": "MOZ:2", "label": "wing rot"}
    ]


def test_paths_start_and_end_in_curies(folder, capsys):
    assert main(["paths", str(folder), "MOZ:2", "Is it a MOZ:3?", "--json"]) == 0
    (path,) = json.loads(capsys.readouterr().out)["paths"]
    assert [path["from"]["text"], path["to"]["text"]] == ["MOZ:2", "MOZ:3"]
