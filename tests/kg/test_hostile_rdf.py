"""Files that are known to bring RDF parsers down, or to make them read what nobody meant; each is made here."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError, ConfigError, InputSyntaxError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.building import build_graph
from kg_reason.kg.reading import find_inputs, read_blocks, read_triples

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TOKEN_BYTES = 16 << 20


def xml(body: str, doctype: str = "") -> str:
    return (
        f'<?xml version="1.0"?>\n{doctype}\n<rdf:RDF xmlns:rdf="{RDF}" xmlns:x="http://x/">\n'
        f'<rdf:Description rdf:about="http://x/a">{body}</rdf:Description>\n</rdf:RDF>\n'
    )


class Folder:
    """Reads texts as files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str, text: str | bytes, **settings: object) -> list[tuple[str, str, str]]:
        """Return the triples of a file; all its faults are an error."""
        (self.path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        config = BuildConfig(**settings)  # type: ignore[arg-type]
        return [(triple.head, triple.relation, triple.tail) for triple in read_triples([self.path / name], config)]

    def fault(self, name: str, text: str | bytes, **settings: object) -> str:
        """Return the one fault of a file, without the folder's name."""
        with pytest.raises(BadLinesError) as caught:
            self.read(name, text, **settings)
        (bad_line,) = caught.value.bad_lines
        return str(bad_line).removeprefix(f"{self.path}/")


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(tmp_path)


# Row 1 to 3: entities of RDF/XML


def entities(*declarations: str) -> str:
    return f"<!DOCTYPE rdf:RDF [\n{chr(10).join(declarations)}\n]>"


def test_entities_that_abbreviate_iris_are_read(folder):
    doctype = entities('<!ENTITY x "http://x/">', "<!-- of the file -->", '<!ENTITY xsd "http://www.w3.org/2001#" >')
    assert folder.read("a.owl", xml('<x:p rdf:resource="&x;b"/>', doctype)) == [("http://x/a", "http://x/p", "http://x/b")]


def test_a_bomb_of_entities_is_refused_before_it_is_parsed(folder):
    levels = [f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12)]
    fault = folder.fault("a.rdf", xml("<x:p>&e11;</x:p>", entities('<!ENTITY e0 "ha">', *levels)))
    assert fault.startswith("a.rdf:2: found the entity e1 with another inside, expected an IRI")


@pytest.mark.parametrize(("declaration", "found"), [
    (f'<!ENTITY e "{"a" * 257}">', "the entity e of 257 characters, expected at most 256"),
    ('<!ENTITY e "&#38;e;">', "the entity e with another inside"),
    ('<!ENTITY % e "a">', "an entity that is more than a name and its text"),
    ('<!ENTITY e "a"> %e;', "a document type with other parts than entities"),
    ('<!ENTITY e SYSTEM "file:///etc/passwd">', "an entity that lies outside the file"),
    ('<!ENTITY e PUBLIC "-//X" "http://example.org/e">', "an entity that lies outside the file"),
    ('<!ENTITY e "<b>">', "a document type with other parts"),
    ('<!-- <!ENTITY e "a"> -->', "a document type with other parts"),
    ("<!ENTITY e>", "an entity that is more than a name"),
    ("<![INCLUDE[ ]]>", "a document type"),
])  # fmt: skip
def test_every_other_kind_of_entity_is_refused_with_its_line(declaration, found, folder):
    fault = folder.fault("a.rdf", xml("<x:p>&e;</x:p>", entities(declaration)))
    assert fault.startswith(f"a.rdf:2: found {found}")


def test_many_entities_are_refused(folder):
    fine = [f'<!ENTITY e{number} "http://x/{number}/">' for number in range(256)]
    assert len(folder.read("a.rdf", xml("<x:p>&e255;</x:p>", entities(*fine)))) == 1
    assert "found more than 256 entities" in folder.fault("a.rdf", xml("", entities(*fine, '<!ENTITY e "a">')))


def test_an_entity_used_often_grows_by_a_factor_only(folder):
    name = f'<!ENTITY e "{"a" * 256}">'
    ((_, _, tail),) = folder.read("a.rdf", xml(f"<x:p>{'&e;' * 35_000}</x:p>", entities(name)))
    assert len(tail) == 256 * 35_000 + 2
    fault = folder.fault("a.rdf", xml(f"<x:p>{'&e;' * 400_000}</x:p>", entities(name)))
    assert "found a statement longer than" in fault


@pytest.mark.parametrize("doctype", [
    '<!DOCTYPE rdf:RDF SYSTEM "http://example.org/rdf.dtd">',
    '<!DOCTYPE rdf:RDF PUBLIC "-//X" "http://example.org/rdf.dtd" [ <!ENTITY e "a"> ]>',
    '<!doctype rdf:RDF SYSTEM "file:///etc/passwd">',
])  # fmt: skip
def test_a_document_type_outside_the_file_is_refused(doctype, folder):
    fault = folder.fault("a.rdf", xml("<x:p>1</x:p>", doctype))
    assert fault.startswith("a.rdf:2: found a document type that lies outside the file, where nothing is read")


def test_a_document_type_inside_an_element_is_looked_at_too(folder):
    bomb = entities('<!ENTITY e0 "ha">', '<!ENTITY e1 "&e0;">')
    assert "the entity e1 with another inside" in folder.fault("a.rdf", xml(f"{bomb}<x:p>&e1;</x:p>"))


def test_a_second_document_type_is_refused(folder):
    two = entities('<!ENTITY e "a">') + "<!DOCTYPE rdf:RDF>"
    assert folder.fault("a.rdf", xml("", two)).startswith("a.rdf:4: found a second document type")


def test_a_document_type_without_end_is_refused_with_bounded_memory(folder):
    fault = folder.fault("a.rdf", "<!DOCTYPE rdf:RDF [" + "<!ENTITY e 'a'>\n" * 100_000)
    assert "found a document type longer than 262,144 bytes" in fault


# Row 4: contexts at other addresses

ELSEWHERE = "https://example.org/context.jsonld"


def test_a_context_at_another_address_is_named_with_the_flag_that_gives_a_copy(folder):
    document = f'{{"name": "a",\n "@context":\n ["{ELSEWHERE}", {{"a": "x:a"}}]}}'
    assert folder.fault("a.jsonld", document) == (
        f"a.jsonld:3: found the context {ELSEWHERE} at another address, where nothing is fetched; --context "
        f"{ELSEWHERE}=FILE reads a local copy; the rest of the file was not read"
    )


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/c", "file:///etc/passwd", "c.jsonld", "//example.org/c"])
def test_a_context_is_refused_wherever_it_lies(place, folder):
    document = json.dumps({"@context": place, "http://x/p": 1})
    assert f"a.jsonld:1: found the context {place} at another address" in folder.fault("a.jsonld", document, base_iri="http://b/")


def test_a_local_copy_takes_the_place_of_a_context(folder):
    copy = folder.path / "c.json"
    copy.write_text(json.dumps({"@context": {"@version": 1.1, "name": "http://x/name", "knows": "http://x/knows"}}))
    document = {
        "@context": [ELSEWHERE, {"age": {"@id": "http://x/age", "@context": ELSEWHERE}}],
        "@id": "http://x/a", "name": 'says "@context": "none"',
        "knows": {"@context": {"knows": None}, "@id": "http://x/b", "name": "B", "knows": "nothing"},
    }  # fmt: skip
    rows = folder.read("a.jsonld", json.dumps(document), context=(f"{ELSEWHERE}={copy}",))
    assert sorted(rows) == [
        ("http://x/a", "http://x/knows", "http://x/b"),
        ("http://x/a", "http://x/name", '"says \\"@context\\": \\"none\\""'),
        ("http://x/b", "http://x/name", '"B"'),
    ]


def test_a_copy_may_name_contexts_that_have_copies_and_no_others(folder):
    (folder.path / "outer.json").write_text(json.dumps({"@context": ["http://inner", {"q": "http://x/q"}]}))
    (folder.path / "inner.json").write_text(json.dumps({"@context": {"p": "http://x/p"}}))
    outer, inner = f"http://outer={folder.path}/outer.json", f"http://inner={folder.path}/inner.json"
    document = '{"@context": "http://outer", "p": 1, "q": 2}'
    rows = folder.read("a.jsonld", document, context=(outer, inner))
    assert sorted(row[1] for row in rows) == ["http://x/p", "http://x/q"]
    assert "found the context http://inner at another address" in folder.fault("a.jsonld", document, context=(outer,))


def test_what_looks_like_a_context_in_a_json_literal_is_kept(folder):
    document = {"@context": {"e": {"@id": "http://x/p", "@type": "@json"}}, "e": {"@context": "foo"}}
    ((_, _, tail),) = folder.read("a.jsonld", json.dumps(document))
    assert tail.startswith('"{\\"@context\\":\\"foo\\"}"^^')


def test_contexts_that_name_each_other_are_refused(folder):
    (folder.path / "c.json").write_text('{"@context": "http://c"}')
    fault = folder.fault("a.jsonld", '{"@context": "http://c"}', context=(f"http://c={folder.path}/c.json",))
    assert "found the context http://c inside 8 others" in fault


def test_contexts_cannot_make_a_document_too_long(folder):
    terms = {f"term{number}": f"x:{number}" for number in range(9000)}
    (folder.path / "c.json").write_text(json.dumps({"@context": terms}))
    document = json.dumps([{"@context": "http://c"} for _ in range(9)])
    fault = folder.fault("a.jsonld", document, context=(f"http://c={folder.path}/c.json",), max_json_mb=1)
    assert "found contexts that make the document too long (--max-json-mb)" in fault


def test_a_context_that_imports_another_is_refused_with_what_reads_it(folder):
    (folder.path / "c.json").write_text('{"@context": {"p": "http://x/p"}}')
    context = (f"{ELSEWHERE}={folder.path}/c.json",)
    document = f'{{"@context": {{\n"@version": 1.1, "@import": "{ELSEWHERE}"}}, "p": 1}}'
    assert folder.fault("a.jsonld", document, context=context) == (
        f'a.jsonld:2: found the context {ELSEWHERE} under "@import", which is not followed; "@context": '
        f'["{ELSEWHERE}", ...] and --context read a local copy; the rest of the file was not read'
    )
    assert len(folder.read("a.jsonld", f'{{"@context": ["{ELSEWHERE}", {{}}], "p": 1}}', context=context)) == 1


@pytest.mark.parametrize(("setting", "told"), [
    ("http://c", "context: found 'http://c', expected URL=FILE"),
    ("http://c=", "expected URL=FILE"),
    ("http://c=/no/such/file", "/no/such/file: cannot be read: No such file"),
    ("http://c={folder}/text", "text: found no JSON"),
    ("http://c={folder}/list", 'list: found no object with "@context"'),
    ("http://c={folder}/deep", "deep: found no JSON: found more than 128 objects and arrays"),
])  # fmt: skip
def test_a_copy_that_is_none_is_told_as_a_setting(setting, told, folder):
    (folder.path / "text").write_text("not json")
    (folder.path / "list").write_text("[]")
    (folder.path / "deep").write_text("[" * 129)
    with pytest.raises(ConfigError, match=re.escape(told)):
        folder.read("a.jsonld", '{"@context": "http://c"}', context=(setting.format(folder=folder.path),))


def test_contexts_are_found_in_time_that_grows_with_the_file_only(folder):
    hostile = b'{"@context":["' + b'\\"' * 500_000  # a string without end
    assert "a.jsonld:1: " in folder.fault("a.jsonld", hostile)
    nested = b'{"@context":[' * 60 + b"1," * 200_000 + b"1" + b"]}" * 60
    folder.fault("a.jsonld", nested)
    many = b"[" + b'{"@context":"x:c"},\n' * 200_000 + b"{}]"
    assert folder.fault("a.jsonld", many).startswith("a.jsonld:1: found the context x:c")


# Row 5 to 7: nesting


@pytest.mark.parametrize("depth", [129, 20_000])
def test_deep_json_is_refused_before_it_is_parsed(depth, folder):
    fault = folder.fault("a.jsonld", '\n{"http://x/p":' * depth + "1" + "}" * depth)
    assert fault.startswith("a.jsonld:130: found more than 128 objects and arrays inside each other (--max-json-depth)")


def test_json_as_deep_as_allowed_is_read_and_brackets_in_strings_are_none(folder):
    document = '{"http://x/p":' * 127 + json.dumps("[{" * 500 + '"\\') + "}" * 127
    assert len(folder.read("a.jsonld", document)) == 127
    assert "(--max-json-depth)" in folder.fault("a.jsonld", document, max_json_depth=126)


def test_json_larger_than_is_read_whole_is_refused(folder):
    document = json.dumps({"http://x/p": "a" * (1 << 20)})
    assert len(folder.read("a.jsonld", document)) == 1
    assert "found more than 1 MB of JSON-LD, which is read whole (--max-json-mb)" in folder.fault(
        "a.jsonld", document, max_json_mb=1
    )


def triple_terms(depth: int, opening: str = "<<(", closing: str = ")>>") -> str:
    return f"<x:a> <x:p> {f'{opening} <x:a> <x:p> ' * depth}<x:b>{f' {closing}' * depth} .\n"


@pytest.mark.parametrize("name", ["a.nt", "a.nq", "a.ttl", "a.trig"])
@pytest.mark.parametrize("depth", [17, 20_000, 200_000])
def test_deep_triple_terms_are_refused_before_they_are_parsed(name, depth, folder):
    fault = folder.fault(name, triple_terms(depth))
    assert fault.startswith(f"{name}:1: found more than 16 triple terms inside each other (--max-term-depth)")


@pytest.mark.parametrize("name", ["a.nt", "a.ttl"])
def test_triple_terms_as_deep_as_allowed_are_told_for_what_they_are(name, folder):
    assert "found a triple term in a triple term" in folder.fault(name, triple_terms(16))
    assert "(--max-term-depth)" in folder.fault(name, triple_terms(16), max_term_depth=15)


@pytest.mark.parametrize("name", ["a.nt", "a.ttl", "a.trig"])
def test_angle_brackets_in_texts_are_no_triple_terms(name, folder):
    text = "<<<<<<< HEAD " * 40
    assert folder.read(name, f'<x:a> <x:p> "{text}" . # {text}\n') == [("x:a", "x:p", f'"{text}"')]


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("[ <x:p> ", "]")])
def test_deep_turtle_is_refused_and_a_thousand_levels_are_read(opening, closing, folder):
    deep = f"<x:a> <x:p>\n{opening * 1000}<x:b>{closing * 1000} ."
    assert len(folder.read("a.ttl", deep)) >= 1000
    fault = folder.fault("a.ttl", deep.replace("<x:b>", f"{opening}<x:b>{closing}"))
    assert fault.startswith("a.ttl:2: found more than 1,000 brackets inside each other (--max-depth)")
    assert "(--max-depth)" in folder.fault("a.ttl", deep, max_depth=999)


def test_brackets_in_texts_iris_comments_and_escapes_are_none(folder):
    many = "([{" * 400
    text = (
        f'@prefix x: <x:> . <x:a> <x:{"(" * 2000}> "{many}", \'{many}\', """{many}"{many}""{many}""",\n'
        f"'''{many}'{many}''', \"\", '', \"\\\"{many}\", '\\'{many}' . # {many}\n"
        f"x:a x:b{chr(92)}({chr(92)}( x:c . # ' \"\"\" {many}\r\n<x:a> <x:p> <x:b> ."
    )
    rows = folder.read("a.ttl", text, max_depth=1)
    assert len(rows) == 10


def test_deep_xml_is_refused_and_a_thousand_levels_are_read(folder):
    fine = "<x:p><x:C>" * 499 + "</x:C></x:p>" * 499
    assert len(folder.read("a.rdf", xml(fine))) == 998
    fault = folder.fault("a.rdf", xml("\n" + "<x:p><x:C>" * 100_000))
    assert fault.startswith("a.rdf:5: found more than 1,000 elements inside each other (--max-depth)")


def test_what_is_no_open_element_does_not_count(folder):
    body = (
        "<!-- <x:p><x:C> -- > -->" * 20 + "<?p <x:C> ? > ?>" * 20 + "<x:p/>" * 20 + '<x:p x:q="> /" />' * 20
        + "<x:p x:q='> /'/>" * 20
        + "<x:p><![CDATA[<x:p><x:C>]]]></x:p>" * 20
    )  # fmt: skip
    assert len(folder.read("a.rdf", xml(body), max_depth=3)) == 120


# Row 8: long tokens


@pytest.mark.parametrize("name", ["a.ttl", "a.trig"])
def test_a_text_longer_than_the_parser_takes_is_told_with_its_line(name, folder):
    fault = folder.fault(name, f'<x:a> <x:p> <x:b> .\n<x:a> <x:p> "{"a" * TOKEN_BYTES}" .\n')
    assert fault.startswith(f"{name}:2: found a text, an IRI or a name longer than 16,777,216 bytes")


def test_a_text_longer_than_the_parser_takes_is_told_with_its_line_in_json_too(folder):
    fault = folder.fault("a.jsonld", f'[{{}},\n{{"http://x/p": "{"a" * TOKEN_BYTES}"}}]')
    assert fault.startswith("a.jsonld:2: found a text, an IRI or a name longer than 16,777,216 bytes")


def test_a_damaged_archive_is_told_and_leaves_no_child(folder):
    packed = gzip.compress(b"".join(b"<x:a> <x:p> <x:%d> .\n" % number for number in range(100_000)))
    with pytest.raises(InputSyntaxError, match=r"a\.ttl\.gz: .*cut short"):
        folder.read("a.ttl.gz", packed[: len(packed) // 2])
    assert len(folder.read("a.ttl.gz", packed)) == 100_000


def test_a_long_line_of_n_triples_does_not_spoil_its_neighbours(folder):
    lines = f'<x:a> <x:p> <x:b> .\n<x:a> <x:p> "\\u00e9{"a" * TOKEN_BYTES}" .\n<x:a> <x:p> <x:c> .\n'
    assert folder.fault("a.nt", lines).startswith("a.nt:2: found a text, an IRI or a name longer than 16,777,216 bytes")
    assert [row[2] for row in folder.read("a.nt", lines, skip_bad_lines=True)] == ["x:b", "x:c"]


# Row 12 and 13: IRIs that are not valid, and bad lines in the middle

WITH_SPACES = {
    "a.nt": "<http://x/a b> <http://x/p> <http://x/{q}> .\n<http://x/a> <http://x/p> <http://x/b> .\n",
    "a.ttl": "<http://x/a b> <http://x/p> <http://x/{q}> .\n<http://x/a> <http://x/p> <http://x/b> .\n",
    "a.rdf": xml('<x:p rdf:resource="http://x/{q}"/><x:p rdf:resource="http://x/b"/>').replace("x/a", "x/a b"),
    "a.jsonld": json.dumps({"@id": "http://x/a b", "http://x/p": [{"@id": "http://x/{q}"}, {"@id": "http://x/b"}]}),
}


@pytest.mark.parametrize(("name", "text"), WITH_SPACES.items())
def test_iris_that_are_not_valid_are_faults_or_kept_and_counted(name, text, folder):
    strict = BadLines()
    (folder.path / name).write_text(text)
    inputs = find_inputs([folder.path / name], BuildConfig())
    list(read_blocks(inputs, BuildConfig(), strict))
    assert strict.num_kept == 0
    if not name.endswith(".jsonld"):  # where JSON-LD leaves out what is no IRI
        assert strict.num == 1
    kept = BadLines()
    config = BuildConfig(lenient=True)
    rows = [triple for block in read_blocks(inputs, config, kept) for triple in block.triples(name)]
    assert (len(rows), kept.num) == (2, 0)
    assert "http://x/{q}" in [row.tail for row in rows]
    assert kept.num_kept == len([row for row in rows if " " in row.head or "{" in row.tail])


@pytest.mark.parametrize("name", ["a.nt", "a.ttl"])
def test_what_would_be_another_statement_once_written_down_is_refused_even_leniently(name, folder):
    hostile = "<x:a\\u003E\\u000A> <x:p> <x:b> .\n<x:a> <x:p> \"1\"^^<x:\\u003E> .\n<_:b> <x:p> <x:b> .\n"
    with pytest.raises(BadLinesError) as caught:
        folder.read(name, hostile, lenient=True)
    reasons = [bad_line.reason for bad_line in caught.value.bad_lines]
    assert [bad_line.line for bad_line in caught.value.bad_lines] == [1, 2, 3]
    assert all("which even --lenient refuses" in reason for reason in reasons)


def test_a_build_tells_how_many_statements_were_kept(folder, caplog):
    (folder.path / "a.nt").write_text(WITH_SPACES["a.nt"])
    build_graph(folder.path / "a.nt", folder.path / "kg", BuildConfig(lenient=True))
    assert "statements kept whose IRIs are not valid (--lenient): 1" in caplog.text


def test_every_bad_line_of_n_triples_is_told_with_its_column_and_the_rest_is_read(folder):
    good = "<x:a> <x:p> <x:b> .\n"
    lines = good + "<x:a> <x:p> \"open .\n" + good + "nonsense\n<x:a> <x:p b> <x:c> .\n" + good
    with pytest.raises(BadLinesError, match="3 bad lines"):
        folder.read("a.nt", lines)
    with pytest.raises(BadLinesError) as caught:
        folder.read("a.nt", lines)
    assert [bad_line.line for bad_line in caught.value.bad_lines] == [2, 4, 5]
    assert all(bad_line.reason.startswith("column ") for bad_line in caught.value.bad_lines)
    assert len(folder.read("a.nt", lines, skip_bad_lines=True)) == 3


# Row 18 and 20


@pytest.mark.parametrize("name", ["nt", "nq", "ttl", "trig", "rdf", "jsonld"])
def test_blank_nodes_with_one_label_in_two_files_are_two(name, folder):
    text = {
        "rdf": f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:x="http://x/"><rdf:Description rdf:nodeID="b"><x:p>1</x:p>'
        "</rdf:Description></rdf:RDF>",
        "jsonld": '{"@id": "_:b", "http://x/p": "1"}',
    }.get(name, '_:b <http://x/p> "1" .\n')
    for file in ("first", "second"):
        (folder.path / f"{file}.{name}").write_text(text)
    heads = [triple.head for triple in read_triples([folder.path])]
    assert heads == ["_:f1_b", "_:f2_b"]


def test_a_death_of_the_parser_spoils_its_own_file_only(folder):
    (folder.path / "1.ttl").write_text("<x:a> <x:p> <x:b> .\n")
    (folder.path / "2.ttl").write_text(triple_terms(2).join(["<x:a> <x:p> <x:b> .\n"] * 2))
    (folder.path / "3.ttl").write_text("\n" + " . ".join(["<x:a> <x:p> <x:c>"] * 2) + " .\n")
    bad_lines = BadLines()
    config = BuildConfig()
    inputs = find_inputs([folder.path], config)
    rows = [triple.tail for block in read_blocks(inputs, config, bad_lines) for triple in block.triples("")]
    assert rows == ["x:b", "x:b", "x:b", "x:c", "x:c"]
    assert [(bad_line.path[-5:], bad_line.line) for bad_line in bad_lines] == [("2.ttl", 2)]


def test_reading_hostile_files_opens_nothing_but_the_files_themselves(folder):
    """An audit hook hears every file and connection that the reading process opens."""
    secret = folder.path / "secret"
    secret.write_text("secret")
    hostile = {
        "1.rdf": xml("<x:p>&e;</x:p>", f'<!DOCTYPE rdf:RDF [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'),
        "2.rdf": xml("<x:p>1</x:p>", f'<!DOCTYPE rdf:RDF SYSTEM "{secret.as_uri()}">'),
        "3.rdf": xml("<x:p>1</x:p>", '<!DOCTYPE rdf:RDF SYSTEM "http://127.0.0.1:9/dtd">'),
        "4.jsonld": json.dumps({"@context": secret.as_uri(), "a": 1}),
        "5.jsonld": json.dumps({"@context": {"@import": "http://127.0.0.1:9/c"}, "a": 1}),
        "6.ttl": f"@base <{secret.as_uri()}> . <#a> <http://127.0.0.1:9/p> <{secret.as_uri()}> .",
        "7.rdf": xml('<x:p rdf:resource="http://127.0.0.1:9/o"/>'),
    }
    for name, text in hostile.items():
        (folder.path / name).write_text(text)
    (folder.path / "8.ttl.gz").write_bytes(gzip.compress(b"<x:a> <x:p> <x:b> ."))
    script = f"""
import sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from kg_reason.config import BuildConfig
from kg_reason.kg.reading import find_inputs, read_blocks
from kg_reason.kg.bad_lines import BadLines
config, bad_lines = BuildConfig(), BadLines()
(Path({str(folder.path)!r}) / "0.ttl").write_text("")
for _ in read_blocks(find_inputs([{str(folder.path)!r}], config), config, bad_lines):
    pass  # what is compiled and imported at the first reading is there at the second
heard = set()
def hear(event, arguments):
    if event.startswith(("socket.", "urllib.")) or event in ("open", "subprocess.Popen"):
        heard.add((event, str(arguments[0])))
sys.addaudithook(hear)
bad_lines = BadLines()
list(read_blocks(find_inputs([{str(folder.path)!r}], config), config, bad_lines))
print(bad_lines.num)
for event, what in sorted(heard):
    print(event, what)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    num, *heard = done.stdout.splitlines()
    assert int(num) == 5
    allowed = {f"open {folder.path / name}" for name in (*hostile, "0.ttl", "8.ttl.gz")}
    allowed |= {f"subprocess.Popen {sys.executable}", f"open {os.devnull}"}
    assert {line for line in heard if not re.fullmatch(r"open \d+", line)} <= allowed  # numbers: ends of pipes
    assert not any("secret" in line or "socket" in line for line in heard)
