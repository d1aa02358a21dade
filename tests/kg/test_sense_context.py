import pytest

from kg_reason.config import LinkerConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.triples import Source, Triple

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"

# Two towns and a verb of one name; the larger town comes last by its id. "pike" names two fish of one rank.
LABELS = [
    ("a.town", "Mill", 0, ""), ("z.town", "Mill", 0, ""), ("mill.v", "mill", 1, "v"), ("mill.n", "mill", 1, "n"),
    ("river", "Avon", 0, ""), ("bridge", "Old Bridge", 0, ""), ("school", "Elm School", 0, ""),
    ("flour", "flour", 1, "n"), ("pike.1", "pike", 1, "n"), ("pike.2", "pike", 2, "n"), ("lake", "lake", 1, "n"),
    ("trout", "trout", 1, "n"),
]  # fmt: skip
EDGES = [
    ("a.town", "near", "river"), ("z.town", "has", "bridge"), ("z.town", "has", "school"), ("z.town", "makes", "flour"),
    ("mill.v", "makes", "flour"), ("pike.2", "lives in", "lake"), ("pike.2", "eats", "trout"),
    ("pike.2", "near", "river"),
]  # fmt: skip


@pytest.fixture(scope="module")
def graph():
    labels = [
        Triple(entity, LABEL, text, Source("all.tsv", line), rank=rank, language="en", pos=pos)
        for line, (entity, text, rank, pos) in enumerate(LABELS, start=1)
    ]
    edges = [Triple(*edge, Source("all.tsv", line)) for line, edge in enumerate(EDGES, start=len(labels) + 1)]
    return KnowledgeGraph.from_triples([*labels, *edges])


def scores(graph, text, mention, **settings):
    """Entity id -> score of each candidate of a mention, best first."""
    linker = EntityLinker(graph, LinkerConfig(**settings))
    found = next(each for each in linker.link(text) if each.text == mention)
    return {graph.entity_id(candidate.entity): candidate.score for candidate in found.candidates}


def test_of_equal_candidates_the_one_with_more_edges_is_chosen(graph):
    assert next(iter(scores(graph, "We met in Mill.", "Mill", popularity_weight=0.1))) == "z.town"
    assert next(iter(scores(graph, "We met in Mill.", "Mill", popularity_weight=0.0))) == "a.town"


def test_popularity_costs_the_share_that_the_log_of_the_edges_lacks(graph):
    before = scores(graph, "We met in Mill.", "Mill", popularity_weight=0.0)
    after = scores(graph, "We met in Mill.", "Mill", popularity_weight=0.2)
    assert after["z.town"] == before["z.town"]
    assert after["a.town"] == pytest.approx(before["a.town"] * (1 - 0.2 * (1 - 1 / 2)))  # log 2 of log 4


def test_candidates_of_another_part_of_speech_are_no_rivals(graph):
    before = scores(graph, "the mill", "mill", popularity_weight=0.0)
    after = scores(graph, "the mill", "mill", popularity_weight=1.0)
    assert before["mill.n"] > 0
    assert {name: after[name] for name in ("mill.n", "mill.v")} == {name: before[name] for name in ("mill.n", "mill.v")}


def test_a_mention_without_rivals_keeps_its_score(graph):
    before = scores(graph, "the lake", "lake", popularity_weight=0.0)
    assert scores(graph, "the lake", "lake", popularity_weight=1.0) == before


def test_popularity_does_not_overrule_the_most_usual_sense(graph):
    assert next(iter(scores(graph, "a pike", "pike"))) == "pike.1"


def test_a_neighbour_among_the_other_mentions_lets_a_candidate_win_over_a_more_popular_one(graph):
    text = "We met in Mill on the Avon."
    assert next(iter(scores(graph, text, "Mill", context_weight=0.5))) == "a.town"
    assert next(iter(scores(graph, text, "Mill", context_weight=0.0))) == "z.town"
