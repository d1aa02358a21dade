"""kg_reason.synthesis.nonce: invented words."""

import re
from itertools import islice

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple
from kg_reason.synthesis.nonce import NonceWords


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
