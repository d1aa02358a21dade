"""kg_reason.synthesis.clauses: places of a sentence that stands inside another."""

import pytest

from kg_reason.kg.linker import EntityLinker
from kg_reason.synthesis.clauses import embedded_places
from kg_reason.synthesis.context import Polarity
from kg_reason.synthesis.places import find_places
from kg_reason.synthesis.relation_table import Clauses, load_table
from kg_reason.synthesis.vocabulary import Vocabulary

TURNING = Clauses(turning=("It is not true that {}.",))
LEVEL = Clauses(level=("Nobody called, but {}.",))


@pytest.fixture
def embed(toy_graph):
    """Return the places of one sentence, and those of many copies of it inside clauses."""

    def run(sentence, clauses):
        sentences = [sentence] * 40
        places = find_places(Vocabulary(toy_graph, sentences), EntityLinker(toy_graph), sentences, None)
        return places, list(embedded_places(places, clauses, 0))

    return run


def test_a_turning_clause_turns_the_places_of_its_sentence(embed):
    places, found = embed("A man has a violin.", TURNING)
    assert {place.polarity for place in places} == {Polarity.UPWARD}
    assert found
    for place in found:
        assert place.text == "It is not true that a man has a violin."
        assert place.text[place.start : place.end] in ("man", "violin")
        assert place.polarity is Polarity.DOWNWARD


def test_a_level_clause_turns_nothing_though_it_holds_a_negation(embed):
    _, found = embed("A man has a violin.", LEVEL)
    assert found
    assert {(place.text, place.polarity) for place in found} == {
        ("Nobody called, but a man has a violin.", Polarity.UPWARD)
    }
    _, found = embed("No man has a violin.", LEVEL)
    assert {place.polarity for place in found} == {Polarity.DOWNWARD}


@pytest.mark.parametrize("sentence", ["A man with a violin.", "Is a man with a violin here?", "Dogs have a man."])
def test_what_is_no_plain_statement_is_passed_over(embed, sentence):
    assert embed(sentence, TURNING)[1] == []


def test_a_share_of_the_places_is_offered_so_and_equal_seeds_give_equal_ones(embed):
    places, found = embed("A man has a violin.", Clauses(TURNING.turning, LEVEL.level))
    assert 0 < len(found) < len(places)
    assert found == embed("A man has a violin.", Clauses(TURNING.turning, LEVEL.level))[1]


def test_the_shipped_table_has_clauses_of_both_kinds():
    clauses = load_table().clauses
    assert clauses.turning
    assert clauses.level
