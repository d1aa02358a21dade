"""kg_reason.synthesis.nonce: invented words."""

import re
from itertools import islice

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.triples import Source, Triple
from kg_reason.nli import Fact, Justification, Label, NLIExample, ReplacedWord
from kg_reason.synthesis.nonce import NonceWords, with_invented_words


def test_equal_seeds_give_equal_words_and_others_differ(toy_graph):
    first, again, other = (NonceWords(toy_graph, seed) for seed in (3, 3, 4))
    words = [first.draw() for _ in range(20)]
    assert words == [again.draw() for _ in range(20)]
    assert words != [other.draw() for _ in range(20)]


def test_no_word_comes_twice(toy_graph):
    nonce = NonceWords(toy_graph)
    words = [nonce.draw() for _ in range(300)]
    assert len(set(words)) == len(words)


def test_words_are_letters_with_a_vowel_and_keep_clear_of_endings_that_lemmatisers_cut(toy_graph):
    nonce = NonceWords(toy_graph)
    for _ in range(100):
        word = nonce.draw()
        assert re.fullmatch(r"[a-z]{4,}", word)
        assert re.search(r"[aeiou]", word)
        assert not word.endswith(("s", "ed", "ing", "er", "est"))


def test_a_word_that_the_graph_knows_is_passed_over(toy_graph):
    free = NonceWords(toy_graph, 1)
    taken = list(islice(iter(free.draw, ""), 3))
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    triples = [Triple(f"ex:{n}", label, f'"{word}"', Source("taken.nt", n)) for n, word in enumerate(taken, start=1)]
    graph = KnowledgeGraph.from_triples(triples)
    words = NonceWords(graph, 1)
    assert not {words.draw() for _ in range(10)} & set(taken)


def test_a_word_whose_plural_is_a_label_is_passed_over_and_one_inside_a_longer_label_is_not(toy_graph):
    free = NonceWords(toy_graph, 1)
    taken, inside = free.draw(), free.draw()
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    labels = (f"{taken}s", f"old {inside}")
    graph = KnowledgeGraph.from_triples(
        Triple(f"ex:{n}", label, f'"{text}"', Source("taken.nt", n)) for n, text in enumerate(labels, start=1)
    )
    words = NonceWords(graph, 1)
    assert words.draw() == inside


JUSTIFIED = NLIExample(
    "An owl has two violins.", "An owl has two instruments.", Label.ENTAILMENT,
    justification=Justification(
        ReplacedWord(15, 22, "ex:violin", "NNS"), ReplacedWord(15, 26, "ex:instrument", "NNS"),
        (Fact("ex:violin", "ex:hypernym", "ex:instrument"),),
    ),
)  # fmt: skip


def test_invented_words_stand_where_the_exchanged_ones_stood_in_their_form_and_are_linked(toy_graph):
    made = with_invented_words(JUSTIFIED, JUSTIFIED.justification, NonceWords(toy_graph))
    for text, place, entity in (
        (made.premise, made.justification.premise_word, "ex:violin"),
        (made.hypothesis, made.justification.hypothesis_word, "ex:instrument"),
    ):
        form = text[place.start : place.end]
        assert form.endswith("s")
        assert made.names[form] == made.names[form.removesuffix("s")] == place.entity == entity
        assert text == f"An owl has two {form}."
        (mention,) = (m for m in EntityLinker(toy_graph).link(text, made.names) if m.start == place.start)
        assert [candidate.entity for candidate in mention.candidates] == [toy_graph.entity(entity)]
    assert made.label is JUSTIFIED.label
    assert made.justification.facts == JUSTIFIED.justification.facts


def test_invented_words_give_way_to_others_and_the_article_follows(toy_graph):
    example = NLIExample(
        "An instrument is here.", "A violin is here.", Label.NEUTRAL,
        justification=Justification(ReplacedWord(3, 13, "ex:instrument", "NN"), ReplacedWord(2, 8, "ex:violin", "NN")),
    )  # fmt: skip
    first = with_invented_words(example, example.justification, NonceWords(toy_graph, "one"))
    second = with_invented_words(first, first.justification, NonceWords(toy_graph, "two"))
    assert not set(first.names) & set(second.names)
    for made in (first, second):
        place = made.justification.premise_word
        word = made.premise[place.start : place.end]
        assert made.premise in (f"A {word} is here.", f"An {word} is here.")
        assert set(made.names.values()) == {"ex:instrument", "ex:violin"}
