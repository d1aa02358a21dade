"""Which inferred edges become paths, and what they leave as it is."""

import pytest

from kg_reason import KnowledgeGraph, NLIExample
from kg_reason.config import BuildConfig, LinkerConfig, RetrieverConfig
from kg_reason.explanation.trials import Change, Trials, find_edge
from kg_reason.kg.grounding import Grounder
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.overlay import Edit
from kg_reason.kg.paths import describe_path
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.triples import Source, Triple

CHAIN = ["poodle", "dog", "canine", "carnivore", "mammal", "vertebrate", "animal", "organism", "thing"]
ROWS = [
    *((below, "rdfs:subClassOf", above) for below, above in zip(CHAIN, CHAIN[1:], strict=False)),
    ("rose", "rdfs:subClassOf", "flower"), ("flower", "rdfs:subClassOf", "plant"),
    ("animal", "owl:disjointWith", "plant"),
    ("fido", "ex:mother", "lassie"), ("ex:mother", "rdfs:range", "parent"),
]  # fmt: skip


def make(infer="rdfs"):
    triples = [Triple(*row, Source("t.tsv", line)) for line, row in enumerate(ROWS, start=1)]
    return KnowledgeGraph.from_triples(triples, BuildConfig(infer=infer))


@pytest.fixture
def graph():
    return make()


def paths(graph, start, end, **settings):
    grounder = Grounder(EntityLinker(graph), Retriever(graph, RetrieverConfig(**settings)))
    found = grounder.ground(NLIExample(start, end)).paths
    return [describe_path(graph, found, row) for row in range(found.num_paths)]


def test_a_chain_beyond_the_reach_of_the_search_is_one_inferred_step_with_its_lines(graph):
    (path,) = paths(graph, "poodle", "thing")
    assert str(path) == "poodle -[sub class of, inferred]-> thing"
    assert path.source_lines() == tuple(f"t.tsv:{line}" for line in range(1, 9))
    assert path.to_json()["steps"][0]["inferred"] is True
    (back,) = paths(graph, "thing", "poodle")
    assert str(back) == "thing <-[sub class of, inferred]- poodle"


def test_a_chain_that_the_search_finds_is_shown_as_stated(graph):
    (path,) = paths(graph, "poodle", "carnivore")
    assert len(path.steps) == 3
    assert not any(step.inferred for step in path.steps)


def test_what_no_path_says_is_an_inferred_step(graph):
    assert paths(make("none"), "lassie", "parent") == []
    (path,) = paths(graph, "lassie", "parent")
    assert (str(path), path.source_lines()) == ("lassie -[type, inferred]-> parent", ("t.tsv:12", "t.tsv:13"))


def test_disjointness_from_far_above_is_found(graph):
    found = paths(graph, "a poodle", "a rose")
    assert "disjoint with, inferred" in str(found[0])


def test_inferred_edges_are_no_part_of_longer_paths_and_change_no_other(graph):
    plain = make("none")
    words = [*CHAIN, "rose", "flower", "plant", "fido", "lassie", "parent"]
    for start in words:
        for end in words:
            stated = [path for path in paths(graph, start, end) if not any(step.inferred for step in path.steps)]
            inferred = [path for path in paths(graph, start, end) if any(step.inferred for step in path.steps)]
            assert [(str(path), path.score) for path in stated] == [(str(p), p.score) for p in paths(plain, start, end)]
            assert all(len(path.steps) == 1 for path in inferred)


def test_excluded_relations_and_entities_are_neither_walked_nor_rested_on(graph):
    assert paths(graph, "lassie", "parent", exclude_relations=("ex:mother",)) == []
    assert paths(graph, "poodle", "thing", exclude_relations=("sub class of",)) == []
    assert paths(graph, "poodle", "thing", exclude_entities=("mammal",)) == []


def test_limits_on_the_number_of_paths_hold(graph):
    assert len(paths(graph, "poodle dog", "thing organism")) == 5
    assert len(paths(graph, "poodle dog", "thing organism", max_paths=1)) == 1


def test_an_edit_that_takes_a_premise_takes_the_path(graph):
    edited = graph.with_edits([Edit(1, "remove", "mammal", "rdfs:subClassOf", "vertebrate")])
    assert paths(edited, "poodle", "thing") == []
    edited = graph.with_edits([Edit(1, "add", "poodle", "rdfs:subClassOf", "thing")])
    (path,) = paths(edited, "poodle", "thing")
    assert path.source_lines() == ("edits.jsonl:1",)


def test_a_tried_removal_takes_the_path_as_a_real_one_does(graph):
    trials = Trials(graph, LinkerConfig(), RetrieverConfig())
    example = NLIExample("poodle", "thing")
    relation = graph.relation("rdfs:subClassOf")
    premise = find_edge(graph, (graph.entity("mammal"), relation, graph.entity("vertebrate")))
    other = find_edge(graph, (graph.entity("rose"), relation, graph.entity("flower")))
    assert trials.ground(example, Change(removed=(premise,))).paths.num_paths == 0
    found = trials.ground(example, Change(removed=(other,))).paths
    assert str(describe_path(graph, found, 0)) == "poodle -[sub class of, inferred]-> thing"
    assert trials.ground(example, Change()).paths.num_paths == 1
