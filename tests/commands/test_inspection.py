"""Each step of a path is shown with its share, its dates and its source, and a question may leave statements out."""

from __future__ import annotations

import json

import pytest

from kg_reason.cli import main

TABLE = """\
head,relation,tail,weight,valid_from,valid_until,source
Acme,owns,Beta,0.12,2019,2024,EU list
Acme,owns,Beta,0.55,2025-01-01,,trade register
Beta,owns,Delta,0.6,,,
"""


@pytest.fixture
def kg(tmp_path, monkeypatch):
    (tmp_path / "registry.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    assert main(["build", "registry.csv", "--out", "kg", "-q"]) == 0
    return "kg"


def printed(capsys, *arguments):
    capsys.readouterr()
    assert main([*arguments]) == 0
    return capsys.readouterr().out


def test_paths_show_weight_dates_and_source_of_every_statement(kg, capsys):
    out = printed(capsys, "paths", kg, "Acme", "Delta", "-q")
    assert out.splitlines()[1:] == [
        '        registry.csv:2 (0.12, 2019 to 2024, source "EU list")',
        '        registry.csv:3 (0.55, since 2025-01-01, source "trade register")',
        "        registry.csv:4 (0.6)",
    ]


def test_plain_data_of_a_step_has_weight_and_qualifiers(kg, capsys):
    first, second = json.loads(printed(capsys, "paths", kg, "Acme", "Delta", "--json"))["paths"][0]["steps"]
    assert (first["sources"], first["weight"]) == (["registry.csv:2", "registry.csv:3"], 0.55)
    assert first["qualifiers"] == [
        {"source": "EU list", "valid_from": "2019", "valid_until": "2024", "weight": 0.12},
        {"source": "trade register", "valid_from": "2025-01-01", "weight": 0.55},
    ]
    assert (second["weight"], "qualifiers" in second) == (0.6, False)


def test_show_tells_the_same_of_every_neighbour(kg, capsys):
    out = printed(capsys, "show", kg, "Beta")
    assert 'registry.csv:2 (0.12, 2019 to 2024, source "EU list"), registry.csv:3 (0.55, since' in out
    assert "registry.csv:4 (0.6)" in out
    facts = json.loads(printed(capsys, "show", kg, "Beta", "--json"))
    (delta,) = facts["neighbours"][0]["entities"]
    assert (delta["weight"], delta["sources"]) == (0.6, ["registry.csv:4"])


@pytest.mark.parametrize(("flags", "places"), [
    (["--as-of", "2024-06-30"], ["registry.csv:2", "registry.csv:4"]),
    (["--min-weight", "0.5"], ["registry.csv:3", "registry.csv:4"]),
    (["--exclude-sources", "trade register"], ["registry.csv:2", "registry.csv:4"]),
    (["--only-sources", "EU list", "trade register"], []),
    (["--as-of", "2024-06-30", "--min-weight", "0.5"], []),
])
def test_a_question_may_leave_statements_out(kg, capsys, flags, places):
    out = printed(capsys, "paths", kg, "Acme", "Delta", "-q", *flags)
    assert [line.split()[0] for line in out.splitlines() if "registry.csv:" in line] == places


def test_a_build_may_leave_them_out_for_good(kg, capsys):
    main(["build", "registry.csv", "--out", "kg", "-q", "--only-sources", "EU list", "--source-column", "source"])
    assert "registry.csv:2 (0.12" in printed(capsys, "show", kg, "Acme")
    assert "registry.csv:3" not in printed(capsys, "show", kg, "Acme")
    assert main(["build", "registry.csv", "--out", "kg", "-q", "--as-of", "2024"]) == 1
    assert "as_of: found '2024', expected a day such as 2026-06-30" in capsys.readouterr().err


LABELS = """\
<http://www.wikidata.org/entity/Q64> <http://www.wikidata.org/prop/direct/P31> <http://www.wikidata.org/entity/Q515> .
<http://www.wikidata.org/entity/Q64> <http://www.w3.org/2000/01/rdf-schema#label> "Berlin Mitte"@de .
<http://www.wikidata.org/entity/Q515> <http://www.w3.org/2000/01/rdf-schema#label> "Stadt"@de .
"""


@pytest.fixture
def german(tmp_path, monkeypatch, capsys):
    (tmp_path / "labels.nt").write_text(LABELS)
    monkeypatch.chdir(tmp_path)
    assert main(["build", "labels.nt", "--out", "kg"]) == 0
    return capsys.readouterr().err


def test_what_to_try_next_finds_labels_of_the_graphs_own_language(german, capsys):
    assert german.endswith("kg-reason paths kg 'Berlin Mitte' Stadt --language de\n")
    assert "labels.nt:1" in printed(capsys, "paths", "kg", "Berlin Mitte", "Stadt", "--language", "de")


@pytest.mark.parametrize(("flags", "told"), [
    ([], "labels were looked for in en and without a language; the graph also has de (--language; '' is any)\n"),
    (["--quiet"], ""), (["--language", ""], "1 path, best first\n"),
])
def test_texts_that_only_another_language_knows_tell_so(german, capsys, flags, told):
    assert main(["paths", "kg", "Berlin Mitte", "Stadt", *flags]) == 0
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("ends", [
    ("Q64", "Q515"), ("wd:Q64", "http://www.wikidata.org/entity/Q515"), ("http://www.wikidata.org/entity/Q64", "Q515"),
])
def test_paths_lead_between_ids(german, capsys, ends):
    assert "labels.nt:1" in printed(capsys, "paths", "kg", *ends)


def test_an_address_in_the_place_of_a_graph_tells_how_an_endpoint_is_named(capsys):
    assert main(["paths", "https://e.org/sparql", "a", "b"]) == 1
    assert "expected a folder made by kg-reason build; an endpoint is named sparql:URL" in capsys.readouterr().err
