"""What an IRI and a language tag are; answers of every kind are in test_sparql_client.py."""

from __future__ import annotations

import json

import pytest

from kg_reason.errors import EndpointError
from kg_reason.kg.sparql_answer import is_iri, is_language, read_answer


def test_an_iri_is_absolute_and_can_stand_between_brackets():
    good = ["http://x.org/a", "urn:isbn:1", "ex:violin", "http://x.org/é?a=b#c", "http://x.org/a(b)"]
    bad = ["", "a", "http://x.org/a b", "http://x.org/<a", "http://x.org/a>", 'x:"', "x:{a}", "x:a\\u0020", "x:a\n"]
    bad += ["http://x.org/[a]", "http://x.org:port/", "http://x.org/%zz", "http://[::1/"]
    assert [iri for iri in good if not is_iri(iri)] == []
    assert [iri for iri in bad if is_iri(iri)] == []


def test_a_language_tag_has_letters_and_hyphens():
    assert [is_language(tag) for tag in ("en", "zh-Hant", "de-1996", "", "en-", "e n", 'en"', "toolongtag")] == [
        True, True, True, False, False, False, False, False,
    ]  # fmt: skip


def test_variables_come_in_the_order_asked_and_are_empty_where_not_bound():
    term = {"type": "uri", "value": "x:a"}
    body = json.dumps({"results": {"bindings": [{"b": term}, {"a": term, "c": {"type": "?"}}]}}).encode()
    assert read_answer(body, ("a", "b"), "here").rows == (("", "x:a"), ("x:a", ""))
    with pytest.raises(EndpointError, match="here: results.bindings, solution 2, \\?c: found 'type', expected 'value'"):
        read_answer(body, ("c",), "here")
