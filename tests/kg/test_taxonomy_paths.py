from __future__ import annotations

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.taxonomy_paths import id_style

PLAIN = "# a shop\nMusic > Strings > Accessories\nMusic > Drums\nMusic > Drums > Accessories\n"
WITH_IDS = "# version 1\n1 - Music\n12 - Music > Strings\n120 - Music > Strings > Bows\n7 - Pets\n"


def build(path, text, **settings):
    path.write_text(text)
    build_graph(path, path.parent / "kg", BuildConfig(**settings))
    return KnowledgeGraph.open(path.parent / "kg")


def edges(graph):
    return {
        (graph.entity_id(int(graph.edge_head[edge])), graph.entity_id(int(graph.edge_tail[edge]))):
        [source.line for source in graph.edge_sources(edge)]
        for edge in range(graph.num_edges)
    }  # fmt: skip


def test_a_path_is_an_entity_below_the_path_before_its_last_part(tmp_path):
    graph = build(tmp_path / "shop.txt", PLAIN)
    assert edges(graph) == {
        ("Music > Strings", "Music"): [2],
        ("Music > Strings > Accessories", "Music > Strings"): [2],
        ("Music > Drums", "Music"): [3],
        ("Music > Drums > Accessories", "Music > Drums"): [4],
    }
    assert graph.stats().relations == {"broader": 4}


def test_equal_names_in_two_branches_stay_two_entities_of_one_label(tmp_path):
    graph = build(tmp_path / "shop.txt", PLAIN)
    found = sorted(graph.entity_id(entity) for entity in graph.find_entities("accessories"))
    assert found == ["Music > Drums > Accessories", "Music > Strings > Accessories"]
    assert [alias.text for alias in graph.aliases(graph.entity("Music > Drums"))] == ["Drums"]


@pytest.mark.parametrize("separator", [" - ", "\t", " ", " : "])
def test_an_id_before_the_path_is_the_key_of_its_entity(tmp_path, separator):
    graph = build(tmp_path / "shop.txt", WITH_IDS.replace(" - ", separator))
    assert edges(graph) == {("12", "1"): [3], ("120", "12"): [4]}
    assert [graph.entity_id(graph.entity(name)) for name in ("Bows", "Strings", "Music", "Pets")] == [
        "120", "12", "1", "7"
    ]
    assert graph.aliases(graph.entity("Pets"))[0].source.line == 5


def test_a_parent_may_follow_its_children(tmp_path):
    lines = WITH_IDS.splitlines(keepends=True)
    turned = build(tmp_path / "a.txt", "".join(lines[::-1])).fingerprint
    assert turned == build(tmp_path / "b.txt", WITH_IDS).fingerprint


def test_a_parent_without_a_line_of_its_own_is_known_by_its_path(tmp_path):
    graph = build(tmp_path / "shop.txt", "5 - Music > Strings > Bows\n6 - Music > Drums\n")
    assert edges(graph) == {("Music > Strings", "Music"): [1], ("5", "Music > Strings"): [1], ("6", "Music"): [2]}


@pytest.mark.parametrize(("line", "reason"), [
    ("8 - Pets >  > Cats\n", "expected names between '>', found an empty one in 'Pets >  > Cats'"),
    ("Pets > Cats\n", "expected an id, ' - ' and a path, as in the first lines; found 'Pets > Cats'"),
    ("12 - Pets > Cats\n", "expected an id of its own, found id 12, which line 3 gives to 'Music > Strings'"),
    ("13 - Music > Strings\n", "found id 13 for the path of line 3, which has 12"),
])
def test_a_line_that_is_no_path_is_told_with_its_place(tmp_path, line, reason):
    with pytest.raises(BadLinesError, match=f"shop.txt:6: {reason}"):
        build(tmp_path / "shop.txt", WITH_IDS + line)


def test_numbers_that_begin_names_are_no_ids():
    assert id_style(["2 Wheelers > Bikes", "2 Wheelers > Scooters", "4 Wheelers > Cars"]) == ""
    assert id_style(["2 Wheelers > Bikes"]) == ""
    assert id_style(["1 Wheelers > Bikes", "2 Wheelers > Scooters"]) == "a space"


def test_the_format_may_be_told(tmp_path):
    assert build(tmp_path / "shop.data", "Music>Drums\n", input_format="taxonomy").num_edges == 1
