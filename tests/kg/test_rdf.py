from __future__ import annotations

import io
import json

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.parser_child import STATEMENTS_PER_FRAME
from kg_reason.kg.parser_process import ParserProcess
from kg_reason.kg.rdf import RDF_FORMATS, read_rdf

Row = tuple[str, str, str, int]


def read(text: str, rdf_format: str = "ttl", *, file: int = 0, base_iri: str = "") -> tuple[list[Row], BadLines]:
    bad_lines = BadLines()
    stream = io.BytesIO(text.encode())
    with ParserProcess(BuildConfig(base_iri=base_iri)) as parser:
        blocks = read_rdf(stream, "a.x", file, bad_lines, rdf_format=rdf_format, parser=parser)
        triples = [triple for block in blocks for triple in block.triples("a.x")]
    return [(triple.head, triple.relation, triple.tail, triple.source.line) for triple in triples], bad_lines


SAME = {
    "ttl": '@prefix x: <http://x/> . x:a x:p x:b ; x:name "Ä \\"q\\"\\n"@EN-gb , 42 .',
    "trig": '@prefix x: <http://x/> . x:g { x:a x:p x:b ; x:name "Ä \\"q\\"\\n"@en-GB , 42 . }',
    "rdfxml": """<?xml version="1.0"?>
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/">
        <rdf:Description rdf:about="http://x/a"><x:p rdf:resource="http://x/b"/>
        <x:name xml:lang="en-GB">Ä "q"&#10;</x:name>
        <x:name rdf:datatype="http://www.w3.org/2001/XMLSchema#integer">42</x:name></rdf:Description></rdf:RDF>""",
    "jsonld": """{"@context": {"@vocab": "http://x/"}, "@id": "http://x/a", "p": {"@id": "http://x/b"},
        "name": [{"@value": "Ä \\"q\\"\\n", "@language": "en-GB"}, 42]}""",
}


@pytest.mark.parametrize("rdf_format", RDF_FORMATS)
def test_every_syntax_gives_the_same_triples(rdf_format):
    rows, bad_lines = read(SAME[rdf_format], rdf_format)
    assert bad_lines.num == 0
    assert {row[:3] for row in rows} == {
        ("http://x/a", "http://x/p", "http://x/b"),
        ("http://x/a", "http://x/name", '"Ä \\"q\\"\\n"@en-gb'),
        ("http://x/a", "http://x/name", '"42"^^<http://www.w3.org/2001/XMLSchema#integer>'),
    }
    assert [row[3] for row in rows] == {"rdfxml": [3, 4, 5], "jsonld": [1, 2, 3]}.get(rdf_format, [1, 1, 1])


def test_a_statement_has_the_line_on_which_it_is_complete():
    text = "@prefix x: <http://x/> .\n\nx:a x:p x:b ;\n    x:q x:c ,\n        x:d ;\n    .\nx:e x:p [ x:q x:f ] .\n"
    rows, _ = read(text)
    lines = {(row[1], row[2].rpartition("/")[2]): row[3] for row in rows}
    assert [lines["http://x/p", "b"], lines["http://x/q", "c"], lines["http://x/q", "d"]] == [3, 4, 5]
    assert lines["http://x/q", "f"] == 7


def test_statements_of_later_frames_have_their_lines_too():
    num = STATEMENTS_PER_FRAME + 5
    rows, bad_lines = read("".join(f"<x:a> <x:p> <x:{number}> .\n" for number in range(num)) + "<x:a> <x:p> .\n")
    assert rows == [("x:a", "x:p", f"x:{number}", number + 1) for number in range(num)]
    assert [bad_line.line for bad_line in bad_lines.first] == [num + 1]
    rows, _ = read(json.dumps([{"@id": "x:a", "x:p": [*range(num)]}]), "jsonld")
    assert [row[3] for row in rows] == [*range(1, num + 1)]


@settings(deadline=None, max_examples=50)  # each starts a process
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=5))
def test_literals_come_out_as_pyoxigraph_writes_them(texts: list[str]):
    literals = [pyoxigraph.Literal(text) for text in texts]
    rows, bad_lines = read("".join(f"<x:a> <x:p> {literal} .\n" for literal in literals))
    assert bad_lines.num == 0
    assert [(row[2], row[3]) for row in rows] == [(str(literal), row) for row, literal in enumerate(literals, 1)]


def test_unnamed_nodes_are_numbered_as_they_appear_and_labels_are_kept():
    text = "[] <x:p> _:b . _:b <x:p> [ <x:q> (1) ] ."
    rows, _ = read(text)
    assert rows == read(text)[0]
    assert {key for row in rows for key in row[:3] if key.startswith("_:")} == {
        "_:f1-1", "_:f1-2", "_:f1-3", "_:f1_b"
    }


def test_blank_nodes_of_different_files_stay_different():
    assert read("_:b <x:p> [] .", file=0)[0][0][:3] == ("_:f1_b", "x:p", "_:f1-1")
    assert read("_:b <x:p> [] .", file=1)[0][0][:3] == ("_:f2_b", "x:p", "_:f2-1")


@pytest.mark.parametrize(("rdf_format", "text", "line", "reason"), [
    ("ttl", "<x:a> <x:p> <x:b> .\n<x:c> y:p <x:d> .\n<x:e> <x:p> <x:f> .", 2, "column 7: The prefix y: has not been"),
    ("trig", "<x:g> { <x:a> <x:p> <x:b> . }\n<x:c> . ", 2, "column"),
    ("jsonld", '{"@id": "http://x/a",\n "http://x/p": }', 2, "column"),
])
def test_the_first_syntax_error_is_told_with_line_and_column(rdf_format, text, line, reason):
    _, bad_lines = read(text, rdf_format)
    (bad_line,) = bad_lines
    assert bad_line.line == line
    assert bad_line.reason.startswith(reason)
    assert bad_line.reason.endswith("the rest of the file was not read")


def test_what_comes_before_a_syntax_error_is_read():
    rows, bad_lines = read("<x:a> <x:p> <x:b> .\n<x:c> . <x:e> <x:p> <x:f> .")
    assert [row[0] for row in rows] == ["x:a"]
    assert bad_lines.num == 1


def test_broken_xml_is_told():
    _, bad_lines = read('<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://r/">\n<a></b></rdf:RDF>', "rdfxml")
    assert bad_lines.num == 1


def test_a_context_at_another_address_is_never_fetched():
    _, bad_lines = read('{"@context": "http://example.org/context", "a": 1}', "jsonld")
    assert "the context http://example.org/context at another address, where nothing is" in bad_lines.first[0].reason


def test_an_external_entity_is_never_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    text = f"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e SYSTEM "{secret.as_uri()}">]>
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/">
        <rdf:Description rdf:about="http://x/a"><x:p>&e;</x:p></rdf:Description></rdf:RDF>"""
    rows, bad_lines = read(text, "rdfxml")
    assert rows == []
    assert bad_lines.num == 1


def test_relative_iris_are_resolved_against_the_base():
    rows, _ = read("<a> <p> <#b> .", base_iri="http://x/y/")
    assert rows[0][:3] == ("http://x/y/a", "http://x/y/p", "http://x/y/#b")


def test_relative_iris_without_a_base_ask_for_one():
    _, bad_lines = read("<a> <x:p> <x:b> .")
    assert "relative IRIs need --base-iri" in bad_lines.first[0].reason


def test_a_base_that_is_no_iri_is_refused():
    with pytest.raises(ConfigError, match="base_iri: found 'not an iri', expected an absolute IRI"):
        read("<a> <b> <c> .", base_iri="not an iri")


def test_triple_terms_are_read_and_nested_ones_refused_by_statement():
    rows, bad_lines = read("<x:a> <x:p> <x:b> . <x:a> <x:p> <<( <x:c> <x:d> <x:e> )>> . <x:a> <x:p> <x:c> .")
    assert [row[2] for row in rows] == ["x:b", "<<( <x:c> <x:d> <x:e> )>>", "x:c"]
    rows, bad_lines = read("<x:a> <x:p> <<( <x:c> <x:d> <<( <x:e> <x:f> <x:g> )>> )>> . <x:a> <x:p> <x:c> .")
    assert [row[2] for row in rows] == ["x:c"]
    assert str(bad_lines.first[0]).startswith("a.x:1: statement 1: found a triple term in a triple term")


def test_an_empty_file_gives_nothing():
    rows, bad_lines = read("")
    assert (rows, bad_lines.num) == ([], 0)


def test_a_syntax_error_in_rdf_xml_has_the_line_that_was_read_last():
    head = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    _, bad_lines = read(f"{head}<rdf:Description>\n</rdf:RDF>\n", "rdfxml")
    (bad_line,) = bad_lines
    assert (bad_line.path, bad_line.line) == ("a.x", 3)
