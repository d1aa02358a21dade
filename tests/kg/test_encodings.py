"""Text in other encodings is read as its author meant it, and both spellings of an accent are one word."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import sys
import unicodedata

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.cli import main
from kg_reason.config import BuildConfig, LinkerConfig
from kg_reason.errors import BadLinesError, ConfigError, InputSyntaxError
from kg_reason.kg.building import build_graph
from kg_reason.kg.decoding import utf8_pieces
from kg_reason.kg.exclusion import find_relations
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.hierarchies import climbing_relations
from kg_reason.kg.inputs import PIECE_BYTES, InputFile, open_input
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.reading import read_triples
from kg_reason.kg.triples import Source, Triple
from kg_reason.kg.words import split_text

ROWS = "Zoë\tknows\t小提琴\nЖук\tis a\tbeetle\r\nline\u2028separator\tis in\ta cell\n"
KEYS = [("Zoë", "knows", "小提琴"), ("Жук", "is a", "beetle"), ("line\u2028separator", "is in", "a cell")]
MARKED = {
    "utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE, "gb18030": b"\x84\x31\x95\x33",
}  # fmt: skip


def keys_and_lines(path, **settings):
    return [(t.head, t.relation, t.tail, t.source.line) for t in read_triples([path], BuildConfig(**settings))]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "utf-7", "UTF8"])
def test_a_named_encoding_gives_the_same_triples_on_the_same_lines(tmp_path, encoding):
    (tmp_path / "a.tsv").write_bytes(ROWS.encode(encoding))
    found = keys_and_lines(tmp_path / "a.tsv", encoding=encoding)
    assert found == [(*keys, line) for line, keys in enumerate(KEYS, start=1)]


@pytest.mark.parametrize("encoding", MARKED)
def test_a_byte_order_mark_is_dropped_where_it_fits(tmp_path, encoding):
    (tmp_path / "a.tsv").write_bytes(MARKED[encoding] + ROWS.encode(encoding))
    assert [row[:3] for row in keys_and_lines(tmp_path / "a.tsv", encoding=encoding)] == KEYS


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_packed_text_is_unpacked_before_it_is_decoded(tmp_path, suffix):
    pack = {
        ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard.ZstdCompressor().compress,
    }  # fmt: skip
    rows = "".join(f"Zoë {number}\tkennt\t北京 {number * 7919}\n" for number in range(20_000))
    (tmp_path / f"a.tsv{suffix}").write_bytes(pack[suffix](rows.encode("utf-16")))
    found = keys_and_lines(tmp_path / f"a.tsv{suffix}", encoding="utf-16")
    assert "".join("\t".join(row[:3]) + "\n" for row in found) == rows


def test_two_encodings_give_two_graphs(tmp_path):
    (tmp_path / "a.csv").write_bytes("Zoë,likes,50 €\n".encode("cp1252"))
    assert keys_and_lines(tmp_path / "a.csv", encoding="cp1252") == [("Zoë", "likes", "50 €", 1)]
    assert keys_and_lines(tmp_path / "a.csv", encoding="latin-1") == [("Zoë", "likes", "50 \x80", 1)]


@pytest.mark.parametrize(("data", "encoding", "message"), [
    (ROWS.encode("utf-16"), "utf-8", r"a.tsv:1: found UTF-16 text .*expected UTF-8 \(--encoding utf-16\)"),
    (ROWS.encode("utf-32"), "utf-8", r"found UTF-32 text .*\(--encoding utf-32\)"),
    (ROWS.encode("utf-8-sig"), "cp1252", r"found UTF-8 text .*expected CP1252 \(--encoding utf-8\)"),
    (ROWS.encode("utf-16-le"), "utf-16", "a.tsv:1: found no byte order mark, expected --encoding utf-16-le or -be"),
    (codecs.BOM_UTF16_BE + b"\0a", "utf-16-le", "found UTF-16 text by its byte order mark, expected UTF-16-LE"),
])
def test_a_byte_order_mark_that_says_something_else_is_told(tmp_path, data, encoding, message):
    (tmp_path / "a.tsv").write_bytes(data)
    with pytest.raises(InputSyntaxError, match=message):
        keys_and_lines(tmp_path / "a.tsv", encoding=encoding)


@pytest.mark.parametrize(("data", "encoding", "message"), [
    (b"a\tb\tc\nZo\x81\tb\tc\n", "cp1252", "a.tsv:2: column 3: expected CP1252 text, found byte 0x81"),
    (b"a\tb\tc\nd\te\t\x81", "gb18030", "a.tsv:2: column 5: expected GB18030 text, found the end of the file inside a"),
    ("a\tb\tc\n".encode("utf-16") + b"\x00\xdc\x00\x00", "utf-16", "a.tsv:2: column 1: expected UTF-16 text"),
    (b"a\tb\tc\n+2AA-\tx\ty\n", "utf-7", "a.tsv:2: column 1: expected UTF-7 text"),
    (b"a\tb\t\xff\n", "ascii", "a.tsv:1: column 5: expected ASCII text, found byte 0xFF"),
])
def test_bytes_that_the_encoding_cannot_mean_are_told_by_line_and_column(tmp_path, data, encoding, message):
    (tmp_path / "a.tsv").write_bytes(data)
    with pytest.raises(InputSyntaxError, match=message):
        keys_and_lines(tmp_path / "a.tsv", encoding=encoding)


def test_the_place_of_a_fault_is_right_behind_many_pieces(tmp_path):
    num_lines = 3 * PIECE_BYTES // 10
    (tmp_path / "a.tsv").write_bytes(b"\xe9\t\xe9\t\xe9\n" * num_lines + b"ab\x81\tc\td\n")
    with pytest.raises(InputSyntaxError, match=f"a.tsv:{num_lines + 1}: column 3: expected CP1252 text"):
        keys_and_lines(tmp_path / "a.tsv", encoding="cp1252")


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "base64", "hex", "undefined", "a\0b", ""])
def test_what_is_no_encoding_of_text_is_refused(tmp_path, encoding):
    (tmp_path / "a.tsv").write_bytes(b"a\tb\tc\n")
    with pytest.raises(ConfigError, match="encoding: found .*expected one of text, such as utf-8, utf-16"):
        keys_and_lines(tmp_path / "a.tsv", encoding=encoding)


@pytest.mark.parametrize(("name", "data"), [
    ("a.tsv", b"Zo\xeb\tknows\tMia\n"), ("a.csv", b"Zo\xeb,knows,Mia\n"),
    ("a.nt", b'<http://x.org/a> <http://x.org/b> "Zo\xeb" .\n'), ("a.ttl", b'<http://x.org/a> <x:b> "Zo\xeb" .\n'),
    ("a.obo", b"[Term]\nid: A:1\nname: Zo\xeb\n"),
])
def test_bad_lines_that_are_no_utf8_point_at_the_setting(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadLinesError, match="1 bad line, nothing written .*--encoding reads text that is not UTF-8"):
        build_graph(tmp_path / name, tmp_path / "kg")
    build_graph(tmp_path / name, tmp_path / "kg", BuildConfig(encoding="latin-1"))
    assert KnowledgeGraph.open(tmp_path / "kg").find_entities("Zoë")


RDF_XML = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x.org/">'
    '<rdf:Description rdf:about="http://x.org/a"><x:name>Zoë</x:name></rdf:Description></rdf:RDF>'
)
GRAPHML = (
    "<?xml version='1.0' encoding='ISO-8859-1'?>\n"
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
    '<node id="Zoë"/><node id="Mia"/><edge source="Zoë" target="Mia"/></graph></graphml>'
)


@pytest.mark.parametrize(("name", "text"), [("a.rdf", RDF_XML), ("a.graphml", GRAPHML)])
def test_the_declaration_of_an_xml_file_follows_the_encoding(tmp_path, name, text):
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    assert any("Zoë" in key for row in keys_and_lines(tmp_path / name, encoding="latin-1") for key in row[:3])


def test_standard_input_is_decoded(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(ROWS.encode("utf-16")))))
    with open_input(InputFile("-", "tsv"), BuildConfig(encoding="utf-16")) as stream:
        assert stream.read().decode() == ROWS


def test_the_command_takes_the_encoding(tmp_path, capsys):
    (tmp_path / "a.tsv").write_bytes("张伟\t住在\t北京\n".encode("gb18030"))
    assert main(["build", str(tmp_path / "a.tsv"), "--out", str(tmp_path / "kg"), "-q"]) == 1
    assert "--encoding" in capsys.readouterr().err
    assert main(["build", str(tmp_path / "a.tsv"), "--out", str(tmp_path / "kg"), "-q", "--encoding", "gb18030"]) == 0
    assert main(["show", str(tmp_path / "kg"), "张伟"]) == 0
    assert "北京" in capsys.readouterr().out


@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=700),
    encoding=st.sampled_from(["utf-16-le", "utf-16-be", "utf-32-le", "gb18030", "utf-7"]),
    sizes=st.lists(st.integers(1, 40), min_size=1),
)
def test_pieces_of_any_size_give_the_text(text, encoding, sizes):
    data = text.encode(encoding)
    pieces, place = [data[:512]], 512
    while place < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[place : place + size])
        place += size
    if not any(data.startswith(mark) for mark in MARKED.values()):
        assert b"".join(utf8_pieces(pieces[0], iter(pieces[1:]), "a", encoding)).decode() == text


# ---- one letter, two spellings

NAMES = ["café", "Zoë Ångström", "İstanbul", "한국어", "がぎぐ", "Ёлка", "Đặng Thùy", "क़लम", "l’été", "São Paulo"]


def spelt(form: str, text: str) -> str:
    return unicodedata.normalize(form, text)


@pytest.mark.parametrize("language", ["en", "fr", "ja", "el", "hi"])
@pytest.mark.parametrize("name", NAMES)
def test_both_spellings_of_a_word_are_the_same_word(name, language):
    words = [
        [(word.text, word.shape, word.group, word.possessive) for word in split_text(spelt(form, name), language)]
        for form in ("NFC", "NFD")
    ]
    assert words[0] == words[1]


@pytest.mark.parametrize(("written", "typed"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
@pytest.mark.parametrize("name", NAMES)
def test_a_label_is_found_by_either_spelling_and_shown_as_written(tmp_path, name, written, typed):
    (tmp_path / "a.tsv").write_text(f"{spelt(written, name)}\tlies in\tworld\n", encoding="utf-8")
    build_graph(tmp_path / "a.tsv", tmp_path / "kg")
    graph = KnowledgeGraph.open(tmp_path / "kg")
    (entity,) = graph.find_entities(spelt(typed, name))
    assert graph.entity_id(entity) == graph.entity_label(entity) == spelt(written, name)
    text = f"I saw {spelt(typed, name)} in the world."
    for mention in EntityLinker(graph, LinkerConfig(language="")).link(text):
        assert text[mention.start : mention.end] == mention.text
    found = [mention for mention in EntityLinker(graph).link(text) if mention.text == spelt(typed, name)]
    assert [candidate.entity for mention in found for candidate in mention.candidates] == [entity]


def test_both_spellings_in_one_graph_are_two_entities_with_one_label():
    heads = [spelt(form, "café") for form in ("NFC", "NFD")]
    graph = KnowledgeGraph.from_triples([Triple(head, "lies in", "town", Source("a", 1)) for head in heads])
    assert len(graph.find_entities("CAFÉ")) == 2
    for form in ("NFC", "NFD"):
        (entity,) = graph.find_entities(spelt(form, "café"))
        assert graph.entity_label(entity) == spelt(form, "café")


@pytest.mark.parametrize(("written", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_relations_and_columns_are_found_by_either_spelling(tmp_path, written, typed):
    header = f"head\t{spelt(written, 'Relação')}\ttail\n"
    (tmp_path / "a.tsv").write_text(f"{header}a\t{spelt(written, 'é parte de')}\tb\n", encoding="utf-8")
    build_graph(tmp_path / "a.tsv", tmp_path / "kg", BuildConfig(relation_column=spelt(typed, "relação")))
    graph = KnowledgeGraph.open(tmp_path / "kg")
    name = spelt(typed, "É parte de")
    assert graph.relation_id(graph.relation(name)) == spelt(written, "é parte de")
    assert find_relations(graph, name) == climbing_relations(graph, [name]) == [0]


def test_an_xml_declaration_of_another_encoding_is_told_with_the_flag_that_reads_it(tmp_path):
    path = tmp_path / "a.rdf"
    path.write_bytes(
        '<?xml version="1.0" encoding="ISO-8859-1"?><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<r:Description r:about="http://x/a" xmlns:x="http://x/" x:p="é"/></r:RDF>'.encode("latin-1")
    )
    with pytest.raises(BadLinesError, match="a.rdf:1: .*--encoding"):
        list(read_triples([path]))
    (triple,) = read_triples([path], BuildConfig(encoding="latin-1"))
    assert triple.tail == '"é"'
