import pytest

from kg_reason.kg.triple_terms import triple_term_key, triple_term_parts
from kg_reason.kg.triples import cell_key


@pytest.mark.parametrize("parts", [
    ("http://e/a", "http://e/r", "http://e/b"), ("_:f1_a", "http://e/r", "_:f1_b"),
    ("http://e/a", "http://e/r", '"a \\" <x> )>> b"@en'),
    ("http://e/a", "http://e/r", '"1"^^<http://www.w3.org/2001/XMLSchema#integer>'),
])
def test_a_triple_term_has_the_parts_that_it_was_made_of(parts):
    assert triple_term_parts(triple_term_key(*parts)) == parts


@pytest.mark.parametrize("key", ["", "http://e/a", '"<<( x )>>"', "<<( a b c )>>", "<<( <a> <b> )>>"])
def test_another_key_has_no_parts(key):
    assert triple_term_parts(key) is None


def test_a_cell_that_reads_like_a_triple_term_is_a_text():
    assert cell_key("<<( <a> <b> <c> )>>") == '"<<( <a> <b> <c> )>>"'
