"""kg_reason.patterns: the table of relation patterns, and walks by it."""

import random

import pytest

from kg_reason.errors import ConfigError
from kg_reason.nli import Label
from kg_reason.patterns import PatternWalker, load_table


def ends(graph, name, start):
    walker = PatternWalker(graph, load_table())
    found = set()
    for route in walker.routes:
        if route.pattern.name == name:
            found |= {graph.entity_id(walk.entities[-1]) for walk in walker.walks(route, graph.entity(start), random.Random(0))}
    return found


def test_the_shipped_table_labels_upward_and_downward_contexts():
    patterns = {pattern.name: pattern for pattern in load_table().patterns}
    assert (patterns["hypernym"].label, patterns["hypernym"].downward) == (Label.ENTAILMENT, Label.NEUTRAL)
    assert (patterns["hyponym"].label, patterns["hyponym"].downward) == (Label.NEUTRAL, Label.ENTAILMENT)
    assert (patterns["sister"].label, patterns["sister"].downward) == (Label.CONTRADICTION, Label.NEUTRAL)


def test_walks_climb_descend_and_turn(toy_graph):
    assert ends(toy_graph, "hypernym 2", "ex:violin") == {"ex:stringInstrument"}
    assert ends(toy_graph, "hyponym", "ex:bowedInstrument") == {"ex:violin", "ex:cello"}
    assert ends(toy_graph, "sister", "ex:violin") == {"ex:cello"}
    assert ends(toy_graph, "sister 2+1", "ex:violin") == {"ex:guitar"}
    assert ends(toy_graph, "antonym", "ex:man") == {"ex:woman"}
    assert ends(toy_graph, "whole", "ex:string") == {"ex:violin"}


def test_a_reversed_route_leads_back(toy_graph):
    walker = PatternWalker(toy_graph, load_table())
    route = next(route for route in walker.routes if route.pattern.name == "sister 2+1")
    walks = walker.walks(route.reversed(), toy_graph.entity("ex:guitar"), random.Random(0))
    assert {toy_graph.entity_id(walk.entities[-1]) for walk in walks} == {"ex:violin", "ex:cello"}


def test_edges_of_a_walk_join_its_entities(toy_graph):
    walker = PatternWalker(toy_graph, load_table())
    for route in walker.routes:
        walk = walker.random_walk(route, random.Random(1))
        if walk is not None and route.steps:
            for edge, one, other in zip(walk.edges, walk.entities, walk.entities[1:], strict=False):
                assert {int(toy_graph.edge_head[edge]), int(toy_graph.edge_tail[edge])} == {one, other}


def test_ancestors_are_all_wider_entities(toy_graph):
    walker = PatternWalker(toy_graph, load_table())
    above = {toy_graph.entity_id(entity) for entity in walker.above(toy_graph.entity("ex:violin"))}
    assert above == {"ex:bowedInstrument", "ex:stringInstrument", "ex:instrument"}


def write(tmp_path, text):
    path = tmp_path / "table.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[pattern]]\nname = 'x'\n", "table.toml: pattern 1: 'steps' is missing"),
        ("[[pattern]]\nname = 'x'\nsteps = []\nlabel = 'maybe'\ndownward = 'neutral'", "found 'maybe', expected one of"),
        ("[[pattern]]\nname = 'x'\ncolour = 1", "pattern 1: found 'colour', expected one of"),
        ("[other]", "found 'other', expected avoid"),
        ("[frames.noun]\nupward = ['no gap']\ndownward = []", "expected one gap"),
        ("[[pattern]]\nname = 'x'\nsteps = []\nlabel = 'neutral'\ndownward = 'neutral'\nframes = 'odd'", "no frames 'odd'"),
        ("[[pattern]]\nname = 'x'\nsteps = []\nlabel = 'neutral'\ndownward = 'neutral'\nshare = 0", "share: found 0"),
        ("not toml", "table.toml"),
    ],
)
def test_a_fault_in_a_table_is_told_with_its_place(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        load_table(write(tmp_path, text))


def test_a_table_that_is_missing_is_told():
    with pytest.raises(ConfigError, match="nowhere.toml"):
        load_table("nowhere.toml")
