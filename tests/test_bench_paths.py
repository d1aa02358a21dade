import importlib.util
import sys
from pathlib import Path

import pytest

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    spec = importlib.util.spec_from_file_location("bench_paths", SCRIPTS / "bench_paths.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bench_paths", module)
    spec.loader.exec_module(module)
    return module


def test_networkx_finds_the_paths_that_our_search_finds(script):
    assert script.same_paths(1, [script.networkx_finder]) > 1000


@pytest.mark.skipif(importlib.util.find_spec("rustworkx") is None, reason="rustworkx is not among the dev packages")
def test_rustworkx_finds_the_paths_that_our_search_finds(script):
    assert script.same_paths(2, [script.rustworkx_finder]) > 1000


def test_another_answer_is_noticed(script):
    with pytest.raises(AssertionError, match="graph 0"):
        script.same_paths(1, [lambda edges: lambda starts, ends: set()])


def test_the_ends_of_a_question_are_other_entities_within_reach_of_its_starts(script):
    edges = [(f"e{number}", "r", f"e{number + 1}") for number in range(60)]
    graph = KnowledgeGraph.from_triples(Triple(*edge, Source("a.tsv", line)) for line, edge in enumerate(edges, 1))
    questions = script.draw_questions(graph, 20, seed=0)
    assert len(questions) == 20
    for starts, ends in questions:
        assert len({*starts, *ends}) == 10
        places = [[int(graph.entity_id(entity)[1:]) for entity in side] for side in (starts, ends)]
        assert all(abs(start - end) <= 3 for start, end in zip(*places, strict=True))


def test_hubs_and_loops_are_left_out_for_the_others(script):
    edges = [("hub", "r", f"e{number}") for number in range(9)] + [("e0", "r", "e1"), ("e0", "r", "e0")]
    graph = KnowledgeGraph.from_triples(Triple(*edge, Source("a.tsv", line)) for line, edge in enumerate(edges, 1))
    assert len(script.edges_without_hubs(graph, 5, 0)) == 1
    assert len(script.edges_without_hubs(graph, 10, 0)) == 10
    assert len(script.edges_without_hubs(graph, 10, 2)) <= 2
