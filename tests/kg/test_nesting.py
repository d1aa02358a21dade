from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.kg.compiled import interpreted
from kg_reason.kg.nesting import (
    JSON_AUTOMATON,
    TURTLE_AUTOMATON,
    Limit,
    Nesting,
    RefusedFileError,
    json_nesting,
    run,
    turtle_nesting,
)
from kg_reason.kg.xml_guard import XML_AUTOMATON, XmlGuard

PIECES = st.sampled_from([
    b"<", b"<<(", b">", b">>", b"(", b")", b"[", b"{", b"}", b'"', b"'", b'"""', b"'''", b"\\", b"#", b"\n", b"a", b" ",
    b"<!--", b"-->", b"-", b"<![CDATA[", b"]]>", b"]", b"<?", b"?>", b"/", b"</a>", b"<a>", b"\xff",
])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map(b"".join)
AUTOMATA = [TURTLE_AUTOMATON, JSON_AUTOMATON, XML_AUTOMATON]


def counted(nesting: Nesting, chunks: list[bytes]) -> str:
    """Return where something lies too deep; empty where nothing does."""
    try:
        for chunk in chunks:
            nesting.check(chunk)
    except RefusedFileError as error:
        return f"{error.line}: {error}"
    return ""


@pytest.mark.parametrize("machine", AUTOMATA)
@given(text=TEXTS)
def test_compiled_and_plain_python_agree(machine, text):
    results = []
    for kernel in (run, interpreted(run)):
        state, counters = np.array([0, -1]), np.array([[0, 2], [0, 1]])
        place = kernel(np.frombuffer(text, dtype=np.uint8), 0, machine.moves, state, counters)
        results.append((place, state.tolist(), counters.tolist()))
    assert results[0] == results[1]


@given(text=TEXTS, cut=st.integers(0, 200), depth=st.integers(1, 4))
def test_a_file_may_be_cut_anywhere(text, cut, depth):
    for nesting in (turtle_nesting, lambda most, _: json_nesting(most)):
        assert counted(nesting(depth, 1), [text]) == counted(nesting(depth, 1), [text[:cut], text[cut:]])


@given(text=TEXTS, cut=st.integers(0, 200))
def test_an_xml_file_may_be_cut_anywhere(text, cut):
    text = b'<!DOCTYPE a [<!ENTITY b "c">]>' + text

    def looked_at(*chunks: bytes) -> str:
        guard = XmlGuard(2)
        try:
            for chunk in chunks:
                guard.check(chunk)
        except RefusedFileError as error:
            return f"{error.line}: {error}"
        return ""

    assert looked_at(text) == looked_at(text[:cut], text[cut:])


@pytest.mark.parametrize(("text", "deepest"), [
    (b"( [ {", 3),
    (b"(()) [[]]", 2),
    (b")))((", 2),
    (b"<([{> 'a([' \"b({\" # ([{\n (", 1),
    (b"'''a'([''(''' (", 1),
    (b'""([ """x"(""(""" (', 3),
    (b"'' ( '\\'(' (", 2),
    (b"x:a\\( x:b\\' (", 1),
])  # fmt: skip
def test_brackets_of_turtle_count_where_they_mean_something(text, deepest):
    assert counted(turtle_nesting(deepest, 1), [text]) == ""
    told = f"1: found more than {deepest - 1} brackets inside each other (--max-depth)"
    assert counted(turtle_nesting(deepest - 1, 1), [text]).partition(": ")[2] == told.partition(": ")[2]


@pytest.mark.parametrize(("text", "deepest"), [
    (b"<<( <a> <b> <<( <a> <b> <c> )>> )>>", 2),
    (b"<<<a> <b> <c>>> . <<<a> <b> <c>>> .", 1),
    (b"<a> <b> <c> {| <d> << <a> <b> 'c' >> |}", 1),
])  # fmt: skip
def test_triple_terms_of_turtle_count(text, deepest):
    assert counted(turtle_nesting(9, deepest), [text]) == ""
    assert "triple terms" in counted(turtle_nesting(9, deepest - 1), [text])


def test_the_line_is_that_of_the_first_bracket_too_deep():
    assert counted(json_nesting(2), [b"[\n[\n", b'"\\"["\n, ["deep"', b"\n]]]"]).startswith("4: ")


def test_a_scan_halts_behind_the_state_it_is_to_halt_at_and_goes_on():
    nesting = Nesting(XML_AUTOMATON, [Limit(1, "elements")], halt="doctype")
    text = b"<?xml?><!DOCTYPE a><a>"
    place = nesting.scan(text, 0)
    assert text[:place] == b"<?xml?><!D"
    assert nesting.halted
    assert nesting.scan(text, place + len("OCTYPE a>")) == len(text)
    assert not nesting.halted
