from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.kg import label_texts as room
from kg_reason.kg.compiled import interpreted
from kg_reason.kg.label_texts import label_texts, wanted_languages
from kg_reason.kg.terms import TermInterner, TermTable
from kg_reason.kg.triples import literal_key, literal_parts

keys = st.lists(
    st.one_of(
        st.text(st.sampled_from('"\\@^<>ab-é'), max_size=10),
        st.text(st.sampled_from('"\\ab'), max_size=6).map(lambda text: f'"{text}"@en'),
        st.builds(literal_key, st.text(max_size=6), st.sampled_from(["", "en", "pt-br", "zh-hans"])),
        st.builds(lambda text: literal_key(text, datatype="http://x.org/t"), st.text(max_size=6)),
    ),
    max_size=12,
    unique=True,
)


def table_of(texts: list[str]) -> TermTable:
    interner = TermInterner()
    interner.intern_keys(texts)
    return interner.table(np.arange(len(texts), dtype=np.int64))


@given(keys)
def test_texts_and_languages_are_those_of_the_definition(texts: list[str]) -> None:
    found = label_texts(table_of(texts))
    assert found.languages == sorted(found.languages)
    assert found.languages[0] == ""
    for key, (start, end), language in zip(texts, found.spans.tolist(), found.language.tolist(), strict=True):
        parts = literal_parts(key)
        assert found.text[start:end].tobytes().decode() == parts.text
        assert found.languages[language] == parts.language


@given(keys)
def test_the_spans_are_the_same_compiled_and_interpreted(texts: list[str]) -> None:
    compiled = label_texts(table_of(texts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_label_spans", interpreted(room._label_spans))
        plain = label_texts(table_of(texts))
    for one, other in zip(compiled, plain, strict=True):
        assert np.array_equal(one, other)


def test_languages_may_be_given_one_by_one_or_apart_by_commas():
    assert wanted_languages(("en", "DE, fr,")) == {"en", "de", "fr"}
    assert wanted_languages(()) == frozenset()
