from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.kg.names import BLANK, property_entity, readable_name, readable_names, readable_relation, term_kind
from kg_reason.kg.terms import TermInterner


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("http://example.org/ontology#StringInstrument", "String Instrument"),
        ("http://example.org/thing/red_wine", "red wine"),
        ("http://example.org/thing/red_wine/", "red wine"),
        ("http://example.org/Caf%C3%A9_noir", "Café noir"),
        ("wn:violin.n.01", "violin.n.01"),
        ("ex:HTTPServer2Go", "HTTP Server2 Go"),
        ("string instrument", "string instrument"),
        ("Mission: Impossible", "Mission: Impossible"),
        ('"1721"^^<http://www.w3.org/2001/XMLSchema#gYear>', "1721"),
        ('"vin rouge"@fr', "vin rouge"),
        ("3:2", "3:2"),
        ("___", "___"),
    ],
)
def test_names_are_readable(key: str, name: str) -> None:
    assert readable_name(key) == name


def test_relations_are_in_lower_case() -> None:
    assert readable_relation("http://example.org/isPartOf") == "is part of"


def test_relations_with_a_number_for_a_name_are_named() -> None:
    assert readable_relation("http://purl.obolibrary.org/obo/BFO_0000050") == "part of"


@given(
    st.lists(
        st.one_of(
            st.text(st.sampled_from("abzAZ09:/#_ .%é-"), min_size=1, max_size=14),
            st.text(st.sampled_from("aBcD_/#:"), max_size=12).map(lambda text: f"http://x.org/{text}"),
            st.text(st.sampled_from('ab" _\\'), max_size=6).map(lambda text: f'"{text}"'),
            st.text(st.sampled_from('a"@-^<>é '), max_size=8).map(lambda text: f'"{text}'),
            st.text(st.sampled_from('a> '), max_size=3).map(lambda text: f'"a b"^^<{text}>'),
        ),
        min_size=1,
        max_size=30,
        unique=True,
    )
)
def test_the_compiled_names_equal_the_definition(keys: list[str]) -> None:
    interner = TermInterner()
    interner.intern_keys(keys)
    table = interner.table(np.arange(len(keys), dtype=np.int64))
    wanted = np.ones(len(keys), dtype=np.uint8)
    kinds, slow, text, offset = readable_names(table, wanted)
    slow_names = dict(slow)
    for term, key in enumerate(keys):
        assert kinds[term] == term_kind(key)
        if kinds[term] == BLANK:
            continue
        fast = text[offset[term] : offset[term + 1]].tobytes().decode()
        assert slow_names.get(term, fast) == readable_name(key)


@pytest.mark.parametrize(
    ("relation", "entity"),
    [
        ("http://www.wikidata.org/prop/direct/P31", "http://www.wikidata.org/entity/P31"),
        ("http://www.wikidata.org/prop/P31", "http://www.wikidata.org/entity/P31"),
        ("http://www.wikidata.org/prop/direct-normalized/P214", "http://www.wikidata.org/entity/P214"),
        ("http://example.org/prop/direct/P31", "http://example.org/prop/direct/P31"),
    ],
)
def test_a_relation_of_wikidata_is_described_by_its_property(relation: str, entity: str) -> None:
    assert property_entity(relation) == entity
