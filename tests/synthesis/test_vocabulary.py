"""kg_reason.synthesis.vocabulary: which words name an entity."""

import pytest

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple
from kg_reason.synthesis.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def vocabulary(toy_graph):
    return Vocabulary(toy_graph, ["Her fiddle is old."])


def test_a_word_of_the_users_sentences_comes_before_one_that_labels_alone_hold(toy_graph, vocabulary):
    violin = toy_graph.entity("ex:violin")
    assert [word.text for word in vocabulary.words(violin)] == ["fiddle", "violin"]
    assert [word.text for word in Vocabulary(toy_graph, ["A violin is here."]).words(violin)] == ["violin", "fiddle"]


def test_usage_counts_the_labels_that_hold_a_word_and_ten_for_the_sentences(toy_graph, vocabulary):
    (instrument,) = vocabulary.words(toy_graph.entity("ex:instrument"))
    assert instrument.usage == 3  # instrument, bowed instrument, string instrument
    assert vocabulary.words(toy_graph.entity("ex:violin"))[0].usage == 11


def test_a_second_meaning_has_its_rank_and_an_unknown_part_of_speech_may_be_any():
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    entities = enumerate(("ex:lender", "ex:shore"), start=1)
    graph = KnowledgeGraph.from_triples(Triple(key, label, '"bank"', Source("banks.nt", n)) for n, key in entities)
    banks = Vocabulary(graph, [])
    ranks = [word.rank for entity in banks.senses("Bank") for word in banks.words(entity)]
    assert ranks == [1, 2]
    assert banks.senses("bank", "v") == banks.senses("bank")


def test_avoided_words_and_dropped_entities_are_not_used(toy_graph):
    vocabulary = Vocabulary(toy_graph, [], avoid=("Fiddle",))
    violin, drum = toy_graph.entity("ex:violin"), toy_graph.entity("ex:drum")
    assert [word.text for word in vocabulary.words(violin)] == ["violin"]
    vocabulary.drop({drum})
    assert vocabulary.words(drum) == ()
    assert vocabulary.senses("drum") == [drum]
