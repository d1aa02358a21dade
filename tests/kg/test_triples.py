from __future__ import annotations

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.errors import InputSyntaxError
from kg_reason.kg.triples import (
    BlockBuilder,
    Source,
    Triple,
    cell_key,
    join_blocks,
    literal_key,
    literal_parts,
    term_text,
    triples_to_blocks,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
def test_a_literal_key_is_written_as_pyoxigraph_writes_it(text: str):
    assert literal_key(text) == str(pyoxigraph.Literal(text))
    assert literal_key(text, language="EN-gb") == str(pyoxigraph.Literal(text, language="en-gb"))
    datatype = "http://example.org/type"
    typed = pyoxigraph.Literal(text, datatype=pyoxigraph.NamedNode(datatype))
    assert literal_key(text, datatype=datatype) == str(typed)


def test_every_character_is_escaped_as_pyoxigraph_escapes_it():
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x11000), *range(0x1FFF0, 0x20010), 0x10FFFF]))
    assert literal_key(text) == str(pyoxigraph.Literal(text))


@given(TEXTS)
def test_the_text_of_a_literal_key_comes_back(text: str):
    assert term_text(literal_key(text)) == text
    assert literal_parts(literal_key(text, language="fr")) == (text, "fr", "")
    assert literal_parts(literal_key(text, datatype="x:y")) == (text, "", "x:y")


def test_the_text_of_any_other_key_is_the_key():
    assert term_text("http://example.org/a") == "http://example.org/a"
    assert term_text("_:f1_b") == "_:f1_b"
    assert term_text('"unfinished') == '"unfinished'


def test_xsd_string_is_left_out_of_a_literal_key():
    assert literal_key("a", datatype="http://www.w3.org/2001/XMLSchema#string") == '"a"'


def test_a_literal_with_language_and_datatype_is_refused():
    with pytest.raises(ValueError, match="not both"):
        literal_key("a", language="en", datatype="x:y")


def test_a_cell_that_looks_like_a_literal_or_a_blank_node_becomes_the_literal_of_its_text():
    assert cell_key("violin") == "violin"
    assert cell_key("_:b") == '"_:b"'
    assert term_text(cell_key('"quoted" text')) == '"quoted" text'


def test_a_source_reads_as_file_and_line():
    assert str(Source("a.nt", 3)) == "a.nt:3"


def test_triples_come_back_from_their_blocks():
    triples = [
        Triple("a", "r", "b", Source("one.tsv", 1)),
        Triple("ä", "r", '"é"@fr', Source("two.tsv", 7), weight=0.5, rank=2, language="fr", pos="n"),
        Triple("c", "r", "d", Source("one.tsv", 2)),
    ]
    files: list[str] = []
    blocks = list(triples_to_blocks(triples, files))
    assert files == ["one.tsv", "two.tsv"]
    assert [block.file for block in blocks] == [0, 1]
    found = [triple for block in blocks for triple in block.triples(files[block.file])]
    assert found == [triples[0], triples[2], triples[1]]


def test_no_triples_make_no_blocks():
    assert list(triples_to_blocks([])) == []


@pytest.mark.parametrize(("head", "relation", "tail", "part"), [("", "r", "t", "head"), ("h", "r", "", "tail")])
def test_a_triple_with_an_empty_part_is_refused_with_its_source(head: str, relation: str, tail: str, part: str):
    with pytest.raises(InputSyntaxError, match=f"a.tsv:4: expected a {part}, found an empty text"):
        list(triples_to_blocks([Triple(head, relation, tail, Source("a.tsv", 4))]))


def test_half_a_surrogate_pair_is_refused_with_its_source():
    with pytest.raises(InputSyntaxError, match="a.tsv:4: expected Unicode text as head"):
        list(triples_to_blocks([Triple("\ud800", "r", "t", Source("a.tsv", 4))]))


def test_joined_blocks_are_in_the_order_of_their_lines():
    first, second = BlockBuilder(0), BlockBuilder(0)
    first.add((b"a", b"r", b"b"), 1)
    first.add((b"e", b"r", b"f"), 3)
    second.add((b"c", b"r", b"d"), 2)
    joined = join_blocks(first.build(), second.build())
    assert [(triple.head, triple.source.line) for triple in joined.triples("x")] == [("a", 1), ("c", 2), ("e", 3)]
