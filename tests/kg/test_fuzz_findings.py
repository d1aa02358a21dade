"""Inputs that `scripts/fuzz_readers.py` found, and their like: they once ended in a traceback or a wrong row."""

from __future__ import annotations

import io

import pytest

from kg_reason.config import BuildConfig
from kg_reason.kg.bad_lines import MAX_REASON_CHARACTERS, BadLines
from kg_reason.kg.obo import read_obo
from kg_reason.kg.reading import FOREIGN_READERS, read_delimited

GRAPHML = (
    b"<graphml><key id='n' attr.name='n' attr.type='%s' for='node'/>"
    b"<graph><node id='a'><data key='n'>%s</data></node></graph></graphml>"
)
ASSERTION = b"/a/\t/r/IsA\t/c/en/a\t/c/en/b\t"
NODE_LINK = b'{"nodes": [{"id": %s, "label": "violin"}], "links": []}'


def read(file_format, data, **configured):
    bad_lines = BadLines()
    stream, config = io.BufferedReader(io.BytesIO(data)), BuildConfig(**configured)
    if file_format == "obo":
        blocks = list(read_obo(stream, "a", 0, bad_lines))
    elif file_format in ("tsv", "csv"):
        blocks = list(read_delimited(stream, "a", 0, bad_lines, config=config, quoted=file_format == "csv"))
    else:
        blocks = list(FOREIGN_READERS[file_format](stream, "a", 0, bad_lines, config))
    return blocks, [str(bad_line) for bad_line in bad_lines]


@pytest.mark.parametrize(
    ("file_format", "data", "told"),
    [
        ("conceptnet", b"/a/\t/r/IsA\t/c/en/_\t/c/en/b\t{}\n", "a:1: expected a head such as /c/en/violin, found"),
        ("conceptnet", b"/a/\t/r/IsA\t/c/en/a\t/c/en/__/n\t{}\n", "a:1: expected a tail such as /c/en/violin"),
        ("conceptnet", ASSERTION + b"[" * 100_000, "a:1: expected a JSON object as the last field"),
        ("conceptnet", ASSERTION + b'{"weight": 1e400}', "a:1: expected a weight"),
        ("conceptnet", ASSERTION + b'{"weight": ' + b"9" * 5000 + b"}", "a:1: expected a JSON object"),
        ("graphml", b"<?xml version='1.0' encoding='UTF0'?><graphml/>", "a:1: unknown encoding"),
        ("graphml", b"<graphml>" + b"<a>" * 200_000, "a:1: found more than 1,000 nested elements"),
        ("graphml", b"<!DOCTYPE g [<!ENTITY a 'b'>]><graphml/>", "a:1: found a declaration of the entity 'a'"),
        ("graphml", GRAPHML % (b"int", b"1_0"), "a:1: expected a value of type int for n"),
        ("neo4j", b":ID,n:int\n1,1_0\n", "a:2: expected a value of type int, found '1_0'"),
        ("neo4j", b":ID,n:int\n1," + b"9" * 5000, "a:2: expected a value of type int, found '999"),
        ("neo4j", b':ID,n\n1,"' + b"a" * 200_000, "a:2: not valid CSV: field larger than field limit (131072); a"),
        ("csv", b'a,b,"c\n', "a:1: not valid CSV: unexpected end of data; a quote is not closed"),
        ("node-link", b'{"nodes": ' + b"[" * 100_000, "a:1: found values nested too deeply"),
        ("node-link", NODE_LINK % (b"9" * 5000), "a:1: Exceeds the limit (4300 digits)"),
        ("taxonomy", b"a" + b" > a" * 20_000, "a:1: expected a path of at most 100 names and 16,384 characters, found"),
        ("taxonomy", b"a > " + b"b" * 20_000, "a:1: expected a path of at most 100 names and 16,384 characters, found"),
        ("taxonomy", b"1\ta\n2\tb\na" + b" " * 300_000 + b"b", "a:3: expected an id, a tab and a path"),
        ("obo", b"[Term]\nid: A:1\nis_a: A:2 {" + b"a" * 300_000 + b"}", "a:3: is_a: expected an identifier"),
        ("obo", b'[Term]\nid: A:1\ndef: "no end\n', "a:3: def: expected a text in quotes"),
    ],
)
def test_a_fault_is_told_with_its_line(file_format, data, told):
    blocks, bad_lines = read(file_format, data)
    assert sum(map(len, blocks)) <= 2
    assert bad_lines[0].startswith(told)


def test_an_id_with_an_escape_beyond_unicode_is_an_id():
    blocks, bad_lines = read("node-link", NODE_LINK % b'"\\"\\\\UFFFFFFFF\\""')
    assert bad_lines == []
    assert [triple.tail for block in blocks for triple in block.triples("a")] == ['"violin"']


def test_typedefs_of_obo_before_the_terms_keep_the_lines_of_every_block_in_order():
    blocks, bad_lines = read("obo", b"[Typedef]\nid: p\nname: p\n\n[Term]\nid: A:1\nname: a\nrelationship: p A:2\n")
    assert bad_lines == []
    assert all(list(block.line) == sorted(block.line) for block in blocks)


def test_what_is_wrong_with_a_line_is_told_in_bounded_length():
    bad_lines = BadLines()
    bad_lines.add("a", 1, "expected an id, found " + "x" * 10_000_000 + "; the rest was not read")
    (bad_line,) = bad_lines
    assert len(bad_line.reason) < MAX_REASON_CHARACTERS + 10
    assert bad_line.reason.startswith("expected an id, found xxx")
    assert bad_line.reason.endswith("xxx; the rest was not read")


@pytest.mark.parametrize(("xref", "relation"), [(b"RO:00010\\n5", b"p"), (b"RO:0001025", b"a\\\\nb")])
def test_escapes_in_the_relations_of_obo_are_read_once(xref, relation):
    terms = b"[Term]\nid: A:1\nrelationship: " + relation + b" A:2\n"
    blocks, bad_lines = read("obo", terms + b"[Typedef]\nid: p\nxref: " + xref + b"\n")
    assert bad_lines == []
    edges = [triple for block in blocks for triple in block.triples("a") if triple.tail.endswith("A_2")]
    assert [edge.relation.rpartition("#")[2] for edge in edges] == [relation.replace(b"\\\\", b"%5C").decode()]


def test_a_carriage_return_alone_ends_a_line_of_graphml_as_it_does_in_xml():
    nodes = b'<node id="a"/><node id="b"/>\r<edge source="a" target="b"/>'
    blocks, bad_lines = read("graphml", b"<graphml>\r\n<graph>\n" + nodes + b"</graph></graphml>")
    assert bad_lines == []
    assert [triple.source.line for block in blocks for triple in block.triples("a")] == [4]
