"""Missing triples join the senses of words in each other's place, by relations that decide answers."""

import pytest

from kg_reason import NLIExample, Reasoner, RetrieverConfig
from kg_reason.config import ModelConfig, ReasonerConfig
from kg_reason.explanation.missing import MAX_NEW, missing_triples, stated_fact
from kg_reason.explanation.trials import find_edge


def told(reasoner, premise, hypothesis):
    grounding = reasoner.grounder.ground(NLIExample(premise, hypothesis))
    return [str(missing.fact) for missing in missing_triples(reasoner, grounding)]


@pytest.fixture
def reasoner(make_reasoner):
    return make_reasoner()


def test_words_in_each_others_place_are_joined_by_wider_both_ways_and_opposite(reasoner):
    assert told(reasoner, "A violin is hot.", "A drum is hot.") == [
        "violin hypernym drum", "drum hypernym violin", "violin antonym drum",
    ]  # fmt: skip


def test_what_the_graph_states_is_not_missing(reasoner):
    assert told(reasoner, "A dog plays.", "An animal plays.") == ["animal hypernym dog", "dog antonym animal"]
    assert "man antonym woman" not in told(reasoner, "A man plays.", "A woman plays.")


def test_where_no_words_stand_in_each_others_place_those_of_one_side_are_joined(reasoner):
    found = told(reasoner, "A dog plays with a man.", "The man is with a cat.")
    assert "dog hypernym cat" in found
    assert not [fact for fact in found if fact.startswith("man ")]


def test_one_entity_is_not_joined_to_itself(reasoner):
    assert told(reasoner, "A violin is hot.", "A fiddle is hot.") == []


def test_a_word_that_the_graph_does_not_know_becomes_an_entity(reasoner):
    grounding = reasoner.grounder.ground(NLIExample("A gavorn is hot.", "An instrument is hot."))
    found = missing_triples(reasoner, grounding)
    assert [str(missing.fact) for missing in found] == [
        "gavorn hypernym instrument", "instrument hypernym gavorn", "gavorn antonym instrument",
    ]  # fmt: skip
    assert all(missing.known is None and missing.fact.new_entities == ("gavorn",) for missing in found)
    assert len(found) <= MAX_NEW
    graph = found[0].open_graph(reasoner.graph)
    assert graph.num_edges == reasoner.graph.num_edges + 1
    assert graph.find_entities("gavorn") == (reasoner.graph.num_entities,)


def test_relations_that_are_excluded_are_not_tried(toy_graph, tiny_encoder):
    model = ModelConfig(encoder=str(tiny_encoder), graph_dim=16)
    config = ReasonerConfig(model=model, retriever=RetrieverConfig(exclude_relations=("antonym",)))
    reasoner = Reasoner.build(toy_graph, config)
    assert told(reasoner, "A violin is hot.", "A drum is hot.") == ["violin hypernym drum", "drum hypernym violin"]


def test_relations_of_the_users_own_are_tried_by_their_kind(make_reasoner):
    reasoner = make_reasoner(relation_kinds=("hypernym=^wider",))
    assert told(reasoner, "A violin is hot.", "A drum is hot.")[0] == "drum hypernym violin"


def test_a_stated_fact_has_its_ids_and_sources(reasoner):
    graph = reasoner.graph
    man, woman, antonym = graph.entity("man"), graph.entity("woman"), graph.relation("antonym")
    edges = [find_edge(graph, (man, antonym, woman)), find_edge(graph, (woman, antonym, man))]
    fact = stated_fact(reasoner, edges)
    assert str(fact) == "man antonym woman"
    assert fact.triples == (("ex:man", "ex:antonym", "ex:woman"), ("ex:woman", "ex:antonym", "ex:man"))
    assert fact.sources == ("toy.tsv:14", "toy.tsv:15")
    assert fact.to_json()["triples"] == [list(triple) for triple in fact.triples]
