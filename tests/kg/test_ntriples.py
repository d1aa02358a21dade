from __future__ import annotations

import io

import numpy as np
import pyoxigraph
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg_reason.kg import ntriples
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.compiled import interpreted
from kg_reason.kg.inputs import line_blocks
from kg_reason.kg.ntriples import BlankNames, read_line_formats, scan_block
from kg_reason.kg.ntriples_scan import ScannedLines, scan_lines

XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FORMATS = {False: pyoxigraph.RdfFormat.N_TRIPLES, True: pyoxigraph.RdfFormat.N_QUADS}

Keys = list[tuple[str, str, str, int]]


def read(data: bytes, *, with_graph: bool = False) -> tuple[Keys, BadLines]:
    bad_lines = BadLines()
    found: Keys = []
    for block in read_line_formats(io.BytesIO(data), "a.nt", 0, bad_lines, with_graph=with_graph):
        found += [(triple.head, triple.relation, triple.tail, triple.source.line) for triple in block.triples("a.nt")]
    return found, bad_lines


def expected(data: bytes, *, with_graph: bool = False) -> tuple[Keys, list[int]]:
    """Return what pyoxigraph alone makes of each line, and the lines that it refuses."""

    def key(term: object) -> str:
        if isinstance(term, pyoxigraph.BlankNode):
            return f"_:f1_{term.value}"
        assert not isinstance(term, pyoxigraph.Triple)
        return term.value if isinstance(term, pyoxigraph.NamedNode) else str(term)

    rows: Keys = []
    refused = []
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            found = list(pyoxigraph.parse(line, format=FORMATS[with_graph]))
        except SyntaxError:
            refused.append(number)
            continue
        rows += [(key(quad.subject), key(quad.predicate), key(quad.object), number) for quad in found]
    return rows, refused


SCHEMES = st.sampled_from(
    ["http://", "https://", "urn:", "a:", "mailto:", "", "x1+.-:", "1x:", "http:", ":", "a:/", "A://"]
)
HOSTS = st.sampled_from(
    ["example.org", "localhost:8080", "", "[::1]", "u@h", "h:", "h:x", "a_b~c", "a%41", "é.org", "[", "a]", "a:1:2"]
)
PATHS = st.lists(
    st.sampled_from(
        list("abZ09/-._~!$&'()*+,;=:@?#%[]{}|^`<>\"\\ \t\x00\x7f\x80é文")
        + list("\ue000\ud7ff\uf8ff\uf900\ufffe\U0001f600\U000f0000")
        + ["%41", "%zz", "\\u0041", "\\U0001F600", "//", "\u0080", "\u00a0", "\u200b"]
    ),
    max_size=6,
).map("".join)
IRIS = st.builds("<{}{}{}>".format, SCHEMES, HOSTS, PATHS)
GOOD_IRIS = st.builds("<http://example.org/{}>".format, st.text("abcXYZ019/._-#é文%41", max_size=8))
LABELS = st.one_of(
    st.sampled_from(["_:b", "_:b1.x", "_:1", "_:-a", "_:a-", "_:a.", "_:é", "_:a:b", "_:", "_:_x", "_:" + "0af3" * 8]),
    st.builds("_:{}".format, st.text("abz09_-.:é", max_size=5)),
)
TEXTS = st.text(
    st.one_of(
        st.sampled_from(list("ab \"'\\\t\r\x00\x1f\x7f\x80\ufffe\uffff\ufeff\u2028é文\U0001f600\U0010ffff")),
        st.characters(exclude_categories=["Cs"], exclude_characters="\n"),
    ),
    max_size=6,
)
ESCAPES = st.sampled_from(
    ["", "\\n", "\\t\\b\\r\\f\\\\", "\\'", "\\\"", "\\u00E9", "\\U0001F600", "\\x", "\\", "\\uD800", "\\u12"]
)
TAGS = st.one_of(
    st.sampled_from(
        ["@en", "@EN", "@en-GB", "@zh-Hans-CN", "@zh-hans", "@x-a", "@i-klingon", "@a", "@abcd", "@en-", "@", "@-en",
         "@en-toolongsubtag", "@en-a", "@en-a-bc", "@en-x-y", "@ar--rtl", "@de-1996", "@en--", "@en-GB-Hans", "@en1",
         "@sl-rozaj-biske", "@art-lojban", "@zh-min-nan", "@en-GB-oed"]
    ),
    st.builds("@{}".format, st.text("aZ0-", max_size=8)),
)
DATATYPES = st.sampled_from(
    [f"^^<{XSD}integer>", f"^^<{XSD}string>", f"^^<{RDF}langString>", f"^^<{RDF}HTML>", f"^^<{RDF}dirLangString>",
     "^^<a:b>", "^^<b>", "^^", "^<a:b>", "^^_:b", f"^^<{XSD}strings>", f"^^ <{XSD}integer>"]
)
LITERALS = st.builds('"{}{}{}"{}'.format, TEXTS, ESCAPES, TEXTS, st.one_of(st.just(""), TAGS, DATATYPES))
TERMS = st.one_of(GOOD_IRIS, IRIS, LABELS, LITERALS)
SPACES = st.sampled_from([" ", " ", " ", "", "\t", "  ", "\u00a0"])
ENDS = st.sampled_from([" .", " .", ".", " . ", "", " . # comment", " .\r", " . .", "..", " .\t\r", ";", " .x"])
STATEMENTS = st.builds(
    lambda terms, spaces, end: "".join(space + term for space, term in zip(spaces, terms, strict=False)) + end,
    st.one_of(st.tuples(GOOD_IRIS, GOOD_IRIS, TERMS), st.lists(TERMS, min_size=2, max_size=5)),
    st.lists(SPACES, min_size=5, max_size=5),
    ENDS,
)
LINES = st.one_of(
    STATEMENTS,
    st.sampled_from(["", "#", "# a comment", "  # b", "\r", " \t", "# é", "#\x00", "garbage", "<", "_:", '"', "."]),
)


@settings(max_examples=max(2000, settings().max_examples))
@given(st.lists(LINES.map(str.encode), max_size=5).map(b"\n".join), st.booleans())
@example(b'<a:b> <a:c> "\xed\xa0\x80" .\n# \xff\n<a:b> <a:c> "\xff" .\n<a:b> <a:\xc3> <a:c> .', False)
@example(b'<a:b> <a:c> <a:d> <a:e> .\n<a:b> <a:c> _:x _:g .\n<a:b> <a:c> <a:d> "x" .\n_:a <a:c> "x"@EN _:g .', True)
def test_every_line_gives_what_pyoxigraph_gives(data: bytes, with_graph: bool):
    rows, refused = expected(data, with_graph=with_graph)
    found, bad_lines = read(data, with_graph=with_graph)
    assert found == rows
    assert [bad_line.line for bad_line in bad_lines] == refused


@given(STATEMENTS.map(str.encode), st.data())
def test_a_damaged_byte_changes_no_verdict(line: bytes, data: st.DataObject):
    place = data.draw(st.integers(0, max(len(line) - 1, 0)))
    damaged = line[:place] + bytes([data.draw(st.integers(0, 255))]) + line[place + 1 :]
    rows, refused = expected(damaged)
    found, bad_lines = read(damaged)
    assert found == rows
    assert [bad_line.line for bad_line in bad_lines] == refused


PLAIN = [
    "<http://example.org/a> <http://example.org/p#x> <http://example.org/b> .",
    '<http://example.org/a> <http://example.org/p> "plain text" .',
    '<http://example.org/a> <http://example.org/p> "violon"@fr .',
    '<http://example.org/a> <http://example.org/p> "\\"two\\"\\n\\tlines \\\\" .',
    '<http://example.org/a> <http://example.org/p> "文字 é"@zh-Hans .',
    f'<http://example.org/a> <http://example.org/p> "42"^^<{XSD}integer> .',
    "_:b1 <http://example.org/p> _:b2 .",
    "<http://fr.dbpedia.org/resource/Caf%C3%A9?x=1#y> <http://localhost:8080/p> <http://example.org/文字> .\r",
]


def test_plain_lines_never_reach_the_slow_parser():
    (block,) = line_blocks(io.BytesIO("\n".join(PLAIN).encode()), "a.nt")
    rows, rest = scan_block(block, 0, BlankNames(0), with_graph=False)
    assert len(rows) == len(PLAIN)
    assert len(rest) == 0


def test_the_scan_means_the_same_compiled_and_interpreted():
    graph = "<a:b> <a:c> <a:d> <a:g> ."
    tagged = ['<a:b> <a:c> "x\\n"@EN .', '<a:b> <a:c> "x"@EN-gb .']
    data = "\n".join([*PLAIN, "", "# comment", "no triple", graph, *tagged, ""])
    results = []
    for scan in (scan_lines, interpreted(scan_lines)):
        buffer = np.frombuffer(bytearray(data.encode()), dtype=np.uint8)
        num_lines = data.count("\n")
        spans = [np.zeros((num_lines, 2), dtype=np.int64) for _ in range(3)]
        line, rest = np.zeros(num_lines, dtype=np.int64), np.zeros((num_lines, 3), dtype=np.int64)
        names, graph = np.zeros(len(buffer), dtype=np.uint8), np.zeros((num_lines, 2), dtype=np.int64)
        scanned = ScannedLines(*spans, line, rest, names, graph)
        counts = scan(buffer, 1, True, np.frombuffer(bytearray(b"_:f1_"), dtype=np.uint8), scanned)
        results.append((counts, buffer.tolist(), [column.tolist() for column in scanned]))
    assert results[0] == results[1]


def test_without_a_compiler_the_results_are_the_same(monkeypatch):
    data = "\n".join([*PLAIN, "no triple", "# comment"]).encode()
    found, bad_lines = read(data)
    monkeypatch.setattr(ntriples, "HAS_COMPILER", False)
    assert read(data)[0] == found
    assert list(read(data)[1]) == list(bad_lines)


def test_language_tags_are_lowered_and_xsd_string_is_left_out():
    found, _ = read(f'<a:b> <a:c> "x"@en-GB .\n<a:b> <a:c> "X"^^<{XSD}string> .'.encode())
    assert [row[2] for row in found] == ['"x"@en-gb', '"X"']


def test_every_bad_line_is_found_with_its_column_and_the_good_ones_are_kept():
    lines = ["<a:b> <a:c> <a:d> .", "bad", '<a:b> <a:c> "open .', "<a:b> <a:c> <a:e> .", "<a b> <a:c> <a:d> ."]
    found, bad_lines = read("\n".join(lines).encode())
    assert [row[3] for row in found] == [1, 4]
    assert [str(bad_line) for bad_line in bad_lines][0].startswith("a.nt:2: column 1: The subject of a triple must be")
    assert [bad_line.line for bad_line in bad_lines] == [2, 3, 5]


def test_two_statements_in_one_line_are_refused_together():
    found, bad_lines = read(b"<a:b> <a:c> <a:d> . <a:b> <a:c> <a:e> .\n")
    assert found == []
    assert "Only a single triple" in bad_lines.first[0].reason


def test_blank_nodes_of_different_files_stay_different():
    blocks = [next(iter(read_line_formats(io.BytesIO(b"_:b <a:p> _:b ."), "x", file, BadLines()))) for file in (0, 1)]
    assert [next(block.triples("x")).head for block in blocks] == ["_:f1_b", "_:f2_b"]


def test_triple_terms_are_read_one_level_deep():
    found, bad_lines = read(b'<a:b> <a:c> <<( _:d <a:e> "f"@EN )>> .\n')
    assert found[0][2] == '<<( _:f1_d <a:e> "f"@en )>>'
    _, bad_lines = read(b"<a:b> <a:c> <<( <a:d> <a:e> <<( <a:f> <a:g> <a:h> )>> )>> .\n")
    assert "found a triple term in a triple term, expected" in bad_lines.first[0].reason
    _, bad_lines = read(b"<a:b> <a:c> " + b"<<( <a:d> <a:e> " * 20_000 + b"<a:f>" + b" )>>" * 20_000 + b" .\n")
    assert "found more than 16 triple terms inside each other (--max-term-depth)" in bad_lines.first[0].reason


def test_graph_names_are_dropped_and_their_triples_kept():
    found, bad_lines = read(b"<a:b> <a:c> <a:d> <a:g> .\n<a:b> <a:c> _:x _:g .\n<a:b> <a:c> <a:e> .\n", with_graph=True)
    assert [row[2] for row in found] == ["a:d", "_:f1_x", "a:e"]
    assert bad_lines.num == 0


def test_many_blank_nodes_need_no_more_room_than_there_is():
    data = b"_:a <a:b> _:a .\n" * 50
    found, bad_lines = read(data)
    assert {row[:3] for row in found} == {("_:f1_a", "a:b", "_:f1_a")}
    assert (len(found), bad_lines.num) == (50, 0)
