"""kg_reason.synthesis.patterns: walks over a graph by relation patterns."""

import random

from kg_reason.synthesis.patterns import PatternWalker, Step
from kg_reason.synthesis.relation_table import load_table


def ends(graph, name, start):
    walker = PatternWalker(graph, load_table())
    found = set()
    for route in walker.routes:
        if route.pattern.name == name:
            walks = walker.walks(route, graph.entity(start), random.Random(0))
            found |= {graph.entity_id(walk.entities[-1]) for walk in walks}
    return found


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


def test_neighbours_are_the_ends_of_an_entitys_edges_of_one_relation(toy_graph):
    walker = PatternWalker(toy_graph, load_table())
    for relation in range(toy_graph.num_relations):
        for entity in range(toy_graph.num_entities):
            edges = [edge for edge in range(toy_graph.num_edges) if toy_graph.edge_relation[edge] == relation]
            out = [(int(toy_graph.edge_tail[e]), e) for e in edges if toy_graph.edge_head[e] == entity]
            back = [(int(toy_graph.edge_head[e]), e) for e in edges if toy_graph.edge_tail[e] == entity]
            assert walker.neighbours(entity, Step(relation, True)) == out
            assert walker.neighbours(entity, Step(relation, False)) == back


def test_ancestors_are_all_wider_entities(toy_graph):
    walker = PatternWalker(toy_graph, load_table())
    above = {toy_graph.entity_id(entity) for entity in walker.above(toy_graph.entity("ex:violin"))}
    assert above == {"ex:bowedInstrument", "ex:stringInstrument", "ex:instrument"}
