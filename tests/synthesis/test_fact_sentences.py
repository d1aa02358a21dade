"""kg_reason.synthesis.fact_sentences: facts in English."""

import pytest

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple
from kg_reason.synthesis.fact_sentences import FactSentences, Term, say, template_for
from kg_reason.synthesis.relation_table import load_table
from kg_reason.synthesis.vocabulary import Vocabulary


def name(text):
    return Term(text, "NNP")


def noun(text):
    return Term(text, "NN")


@pytest.mark.parametrize(
    ("label", "template"),
    [
        ("part of", "{head} is part of {tail}."),
        ("governor of", "{head} is a governor of {tail}."),
        ("uncle of", "{head} is an uncle of {tail}."),
        ("lives in", "{head} lives in {tail}."),
        ("employs", "{head} employs {tail}."),
        ("born at", "{head} was born at {tail}."),
        ("owned by", "{head} is owned by {tail}."),
        ("is near", "{head} is near {tail}."),
        ("has colour", "The colour of {head} is {tail}."),
        ("place of birth", "The place of birth of {head} is {tail}."),
        ("flag", "The flag of {head} is {tail}."),
        ("not desires", ""),
        ("p31", ""),
    ],
)
def test_the_shape_of_a_name_makes_the_sentence(label, template):
    assert template_for(label) == template


@pytest.mark.parametrize(
    ("template", "head", "tail", "text"),
    [
        ("{head} is the capital of {tail}.", name("Lima"), name("Peru"), "Lima is the capital of Peru."),
        ("{head} is {tail}.", noun("violin"), noun("instrument"), "A violin is an instrument."),
        ("{head} is made of {tail:plain}.", noun("cup"), noun("clay"), "A cup is made of clay."),
        ("{head} contains {tail}.", noun("sea"), noun("water"), "A sea contains water."),
        ("{head} lives in {tail}.", name("Ann"), name("Soviet Union"), "Ann lives in the Soviet Union."),
        ("{head} was born in {tail}.", name("Ann"), Term("1867", "CD"), "Ann was born in 1867."),
        ("{head} is used for {tail:VBG}.", noun("oven"), Term("bake bread", ""), "An oven is used for baking bread."),
        ("{tail} wrote {head}.", name("Emma"), name("Jane"), "Jane wrote Emma."),
        ("{head} belongs to {tail}.", name("Ann"), name("Acme Inc."), "Ann belongs to Acme Inc."),
    ],
)
def test_terms_stand_in_their_slots_with_the_article_they_need(template, head, tail, text):
    said = say(template, head, tail)
    assert said.text == text
    assert said.text[slice(*said.head)].lower() == head.text.lower()
    if "VBG" not in template:
        assert said.text[slice(*said.tail)] == tail.text


def test_what_no_word_names_clearly_is_not_said():
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    labels = [("ex:a", "Paris"), ("ex:b", "eat breakfast"), ("ex:c", "http://x/y"), ("ex:d", "old bridge")]
    triples = [
        Triple(entity, label, text, Source("x", line), language="en") for line, (entity, text) in enumerate(labels, 1)
    ]
    triples += [Triple("ex:a", "ex:antonym", "ex:d", Source("x", 8)), Triple("ex:a", "ex:near", "ex:d", Source("x", 9))]
    graph = KnowledgeGraph.from_triples(triples)
    sentences = FactSentences(graph, Vocabulary(graph, ()), load_table())
    terms = {key: sentences.term(graph.entity(key)) for key, _ in labels}
    assert terms == {"ex:a": name("Paris"), "ex:b": None, "ex:c": None, "ex:d": noun("old bridge")}
    assert sentences.term(graph.entity("ex:b"), any_phrase=True) == Term("eat breakfast", "")
    templates = {graph.relation_label(each): sentences.template(each) for each in range(graph.num_relations)}
    assert templates["antonym"] == ""
