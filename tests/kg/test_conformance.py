"""What is read is what pyoxigraph reads, in every RDF syntax, on generated files and on damaged ones."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable, Iterator

import numpy as np
import pyoxigraph
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg_reason.config import BuildConfig
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.nesting import JSON_AUTOMATON, TURTLE_AUTOMATON, run
from kg_reason.kg.ntriples import read_line_formats
from kg_reason.kg.parser_process import ParserProcess
from kg_reason.kg.rdf import read_rdf
from kg_reason.kg.triple_terms import written_term
from kg_reason.kg.xml_guard import XML_AUTOMATON

BASE = "http://base.org/folder/file?query"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FORMATS = {
    "nt": pyoxigraph.RdfFormat.N_TRIPLES,
    "nq": pyoxigraph.RdfFormat.N_QUADS,
    "ttl": pyoxigraph.RdfFormat.TURTLE,
    "trig": pyoxigraph.RdfFormat.TRIG,
    "rdfxml": pyoxigraph.RdfFormat.RDF_XML,
    "jsonld": pyoxigraph.RdfFormat.JSON_LD,
}
STRICTER = re.compile("found (a document|an entity|the entity)")  # than pyoxigraph: `kg/xml_guard.py`
Rows = list[tuple[str, str, str]]


@pytest.fixture(scope="module")
def parser() -> Iterator[ParserProcess]:
    with ParserProcess(BuildConfig(base_iri=BASE)) as parser:
        yield parser


def read(parser: ParserProcess, data: bytes, rdf_format: str) -> tuple[Rows, BadLines]:
    bad_lines = BadLines()
    if rdf_format in ("nt", "nq"):
        blocks = read_line_formats(io.BytesIO(data), "a", 0, bad_lines, with_graph=rdf_format == "nq")
    else:
        blocks = read_rdf(io.BytesIO(data), "a", 0, bad_lines, rdf_format=rdf_format, parser=parser)
    return [(row.head, row.relation, row.tail) for block in blocks for row in block.triples("a")], bad_lines


def expected(data: bytes, rdf_format: str) -> tuple[list[pyoxigraph.Triple], bool]:
    """Return what pyoxigraph reads up to its first error, and whether there was one."""
    base = None if rdf_format in ("nt", "nq") else BASE
    found: list[pyoxigraph.Triple] = []
    try:
        for quad in pyoxigraph.parse(data, FORMATS[rdf_format], base_iri=base):
            found.append(quad.triple)
    except SyntaxError:
        return found, True
    return found, False


def canonical(triples: list[pyoxigraph.Triple]) -> set[str]:
    """Return a set of triples, its blank nodes named by what is said of them."""
    data = pyoxigraph.Dataset(pyoxigraph.Quad(*triple) for triple in triples)
    data.canonicalize(pyoxigraph.CanonicalizationAlgorithm.UNSTABLE)
    return {str(quad) for quad in data}


def triples_of(rows: Rows) -> list[pyoxigraph.Triple]:
    """Return rows of term keys as triples."""
    text = "".join(" ".join(map(written_term, row)) + " .\n" for row in rows)
    return [quad.triple for quad in pyoxigraph.parse(text, pyoxigraph.RdfFormat.N_TRIPLES, lenient=True)]


def assert_equal(parser: ParserProcess, data: bytes, rdf_format: str, *, damaged: bool = False) -> None:
    triples, failed = expected(data, rdf_format)
    rows, bad_lines = read(parser, data, rdf_format)
    if any(STRICTER.search(bad_line.reason) for bad_line in bad_lines):
        assert rdf_format == "rdfxml"
        assert damaged
        return
    assert bool(bad_lines.num) == failed, (data, bad_lines.first)
    assert failed or canonical(triples_of(rows)) == canonical(triples), data


# Generated files: each writer makes a text that is valid in its syntax, of all that the syntax offers.

CHARACTERS = "abz019 \t-_.,;:!?()[]{}<>@^|`~*+=/#%&$'äß中😀\u200d\u202e\u00ad\x07\x7f"


class Writer:
    """Draws texts.

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self, *choices: str) -> str:
        return self.random.choice(choices)

    def of(self, *choices: Callable[[], str]) -> str:
        return self.random.choice(choices)()

    def some(self, part: Callable[[], str], most: int, *, least: int = 0) -> list[str]:
        return [part() for _ in range(self.random.randint(least, most))]

    def text(self) -> str:
        return "".join(self.random.choices(CHARACTERS, k=self.random.randint(0, 12)))

    def space(self) -> str:
        return self.one(" ", " ", "  ", "\t", "\n", "\r\n", " # a comment ' \" <<( [\n")


class LineWriter(Writer):
    """N-Triples and N-Quads."""

    def iri(self) -> str:
        escape = self.one("", "", "\\u00e9", "\\U0001F600")
        start = self.one("http://x/", "x:", "urn:x:", "HTTP://a@b.c:80/?q=%20#")
        return f"<{start}{self.one('a', 'ü', 'b-c')}{escape}>"

    def blank(self) -> str:
        return "_:" + self.one("a", "b", "c1", "ä.x", "0", "e6beadd7fb2d9e3dab236ffdb14c6b61")

    def quoted(self) -> str:
        escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
        characters = [escapes.get(character, character) for character in self.text()]
        escaped = ("\\t", "\\b", "\\f", "\\'", '\\"', "\\u0041", "\\U0001F600", "\\\\")
        characters += self.some(lambda: self.one(*escaped), 3)
        self.random.shuffle(characters)
        return '"' + "".join(characters) + '"'

    def literal(self) -> str:
        ending = self.one("", "", "@en", "@EN-gb", "@zh-Hant", f"^^<{RDF}HTML>", "^^<http://www.w3.org/2001/XMLSchema#string>")
        return self.quoted() + ending

    def line(self, graph: str = "") -> str:
        gap = self.one(" ", "\t", "  ")
        parts = [self.of(self.iri, self.blank), self.iri(), self.of(self.iri, self.blank, self.literal)]
        if graph:
            parts += self.some(lambda: self.of(self.iri, self.blank), 1)
        return gap.join(parts) + self.one(" .", ".", " . # done", "\t.\t")

    def file(self, graph: str = "") -> str:
        lines = self.some(lambda: self.line(graph), 5) + self.some(lambda: self.one("", "# a"), 2)
        self.random.shuffle(lines)
        return self.one("\n", "\r\n").join(lines)


class TurtleWriter(LineWriter):
    """Turtle and TriG."""

    def iri(self) -> str:
        relative = self.one("<>", "<a>", "<../b?c#d>", "<#e>", "</f>", "<//h.org/>", "<?q>", "<./>")
        name = self.one("x:a", "x:", ":b", "x:a\\,b", "x:%20", "x:0:1", "x:ü-", ":", "x:a.b", "x:\\~c")
        return self.of(super().iri, lambda: relative, lambda: name)

    def quoted(self) -> str:
        long = self.text().replace("\\", "").replace("'", "a").replace('"', "") + self.one("", "\n", "\\n", "\\u00e9")
        inside = self.one("", "a", "'", '"', "''", '""')
        quote = self.one("'''", '"""')
        short = "'" + long.replace("\n", "").replace('"', "") + "'"
        return self.of(super().quoted, lambda: short, lambda: f"{quote}{inside}{long} {quote}")

    def literal(self) -> str:
        plain = self.one("1", "-5", "+1.5", ".5", "1e9", "-1.E-3", "true", "false", "1.0e+0")
        ending = self.one("^^x:type", "^^<relative>", "@de")
        return self.of(super().literal, lambda: plain, lambda: self.quoted() + ending)

    def node(self, depth: int = 0) -> str:
        if depth > 3:
            return self.iri()
        gap = self.space()
        return self.of(
            self.iri, self.blank, self.literal,
            lambda: "[" + gap + "]",
            lambda: "[" + gap + self.properties(depth + 1) + gap + "]",
            lambda: "(" + gap + gap.join(self.some(lambda: self.node(depth + 1), 3)) + gap + ")",
        )  # fmt: skip

    def properties(self, depth: int = 0) -> str:
        def one() -> str:
            objects = f"{self.space()},{self.space()}".join(self.some(lambda: self.node(depth), 2, least=1))
            return self.of(lambda: "a", self.iri) + self.space() + objects

        return f" ;{self.one('', ' ;')}{self.space()}".join(self.some(one, 3, least=1)) + self.one("", " ;")

    def statement(self) -> str:
        subject = self.of(
            self.iri, self.blank, lambda: "[]", lambda: f"( {self.node(2)} )", lambda: f"[ {self.properties(2)} ]"
        )
        return f"{subject}{self.space()}{self.properties()}{self.space()}"

    def directive(self) -> str:
        return self.one(
            "@base <http://other.org/x/> .", "BASE <y/>", "@prefix x: <z#> .", "PREFIX x: <http://x.org/\\u00e9>",
            "prefix : <urn:>", "@prefix ä: <x:> .",
        )  # fmt: skip

    def head(self) -> str:
        return "@prefix x: <http://x.org/> .\nPREFIX : <#>\n"

    def turtle(self) -> str:
        return self.head() + "\n".join(self.some(lambda: self.of(lambda: self.statement() + ".", self.directive), 4))

    def trig(self) -> str:
        def inside() -> str:
            return self.space() + f".{self.space()}".join(self.some(self.statement, 2)) + self.one("", " .")

        def block() -> str:
            name = self.of(lambda: "", self.iri, self.blank, lambda: "[]", lambda: "GRAPH x:g", lambda: "graph _:g")
            body = inside()
            return name + " {" + (body if body.strip(" .\n\r\t") else "") + "}"

        whole = lambda: self.statement() + "."  # noqa: E731
        return self.head() + "\n".join(self.some(lambda: self.of(whole, block, self.directive), 4))


class XmlWriter(Writer):
    """RDF/XML."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._num_ids = 0

    def text(self) -> str:
        characters = super().text().replace("\x07", "").replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "")
        return characters.replace(">", "&gt;") + self.one("", "&#65;", "&x;", "<![CDATA[<&]]>")

    def iri(self) -> str:
        return self.one("http://x/a", "b", "#c", "../d", "&x;e", "", "//h/f", "?q", "http://x/ü")

    def identity(self) -> str:
        self._num_ids += 1
        number = self.random.randint(0, 3)
        return self.one("", f' rdf:about="{self.iri()}"', f" rdf:nodeID='n{number}'", f' rdf:ID="i{self._num_ids}"')

    def around(self) -> str:
        return self.one("", "", ' xml:lang="EN-gb"', ' xml:base="http://other/x/"')

    def node(self, depth: int = 0) -> str:
        name = self.one("rdf:Description", "x:Class", "rdf:Seq", "y:C")
        attributes = self.identity() + self.around() + self.one("", ' x:q="v &gt; \'"', " rdf:type='&x;T'")
        properties = "".join(self.some(lambda: self.property(depth + 1), 3))
        return f"<{name}{attributes}>{self.one('', ' ', '<!-- c > -->', '<?pi a?>')}{properties}</{name}>"

    def property(self, depth: int) -> str:
        name = self.one("x:p", "rdf:li", "y:r", "rdf:_2", "rdf:value")
        self._num_ids += 1
        reified = self.one("", "", f' rdf:ID="r{self._num_ids}"')
        around = self.around()

        def of(attributes: str, content: str) -> str:
            return f"<{name}{attributes}{reified}{around}>{content}</{name}>"

        kinds = [
            lambda: of("", self.text()),
            lambda: of(' rdf:datatype="http://x/t"', self.text()),
            lambda: f"<{name} rdf:resource='{self.iri()}'{reified}/>",
            lambda: f'<{name} rdf:nodeID="n{self.random.randint(0, 3)}"{reified} />',
            lambda: f"<{name} x:q='text' y:s=\"/&gt;\"{around}/>",
            lambda: of(' rdf:parseType="Literal"', f"a<b c='d'>{self.text()}</b><e/>"),
        ]
        if depth < 4:
            kinds += [
                lambda: of("", f" {self.node(depth)} "),
                lambda: of(' rdf:parseType="Resource"', "".join(self.some(lambda: self.property(depth + 1), 2))),
                lambda: of(' rdf:parseType="Collection"', "".join(self.some(lambda: self.node(depth + 1), 2))),
            ]
        return self.of(*kinds)

    def file(self) -> str:
        head = self.one("", '<?xml version="1.0" encoding="utf-8"?>\n', "<?xml version='1.0'?><!-- c -->")
        declared = '<!DOCTYPE rdf:RDF [ <!ENTITY x "http://x/"> <!-- c --> ]>'
        spaces = f'xmlns:rdf="{RDF}" xmlns:x="&x;" xmlns:y="http://y#"'
        nodes = "\n".join(self.some(self.node, 3))
        return f"{head}{declared}<rdf:RDF {spaces}{self.around()}>{nodes}</rdf:RDF>\n<!-- end -->"


class JsonWriter(Writer):
    """JSON-LD."""

    def context(self) -> dict[str, object]:
        kinds: dict[str, object] = {
            "name": self.one("http://x/name", "x:name"), "x": "http://x/",
            "label": {"@id": "x:label", "@language": "de"},
            "knows": {"@id": "x:knows", "@type": "@id"}, "list": {"@id": "x:list", "@container": "@list"},
            "said": {"@id": "x:said", "@container": "@language"}, "of": {"@reverse": "x:part"},
            "set": {"@id": "x:set", "@container": "@set"}, "day": {"@id": "x:day", "@type": "http://x/date"},
            "by": {"@id": "x:by", "@container": "@index"}, "no": None, "type": "@type", "id": "@id",
        }  # fmt: skip
        extra = {"@vocab": "http://v/", "@language": "en", "@base": "http://other/x/"}
        kept = {key: value for key, value in kinds.items() if self.random.random() < 0.9}
        return kept | {key: value for key, value in extra.items() if self.random.random() < 0.3}

    def value(self, depth: int) -> object:
        node = self.json_node(depth + 1) if depth < 3 else {"@id": "http://x/deep"}
        number = self.random.choice([0, 1, -5, 1.5, 1e21, 10**15, 0.1, True, False, None])
        return self.random.choice([
            self.text(), number, node, [self.text(), number, node], {"@value": self.text()},
            {"@value": self.text(), "@language": "EN-gb"}, {"@value": number or 1, "@type": "x:t"},
            {"@list": [self.text(), node, {"@value": 1}]}, {"@set": [number, self.text()]}, [],
        ])  # fmt: skip

    def json_node(self, depth: int = 0) -> dict[str, object]:
        node: dict[str, object] = {}
        keys = ["name", "label", "http://x/p", "x:q", "set", "day", "no", "unknown", "list"]
        for key in self.random.sample(keys, self.random.randint(0, 4)):
            node[key] = [self.text(), "b"] if key == "list" else self.value(depth)
        if self.random.random() < 0.6:
            node["@id"] = self.one("http://x/a", "_:b", "b", "#c", "x:d", "", "../e")
        if self.random.random() < 0.3:
            node["@type"] = self.random.choice(["x:T", ["http://x/T", "U"]])
        if self.random.random() < 0.3:
            node["said"] = {"en": self.text(), "zh-Hant": ["中", "文"], "@none": "x"}
        if self.random.random() < 0.3 and depth < 3:
            node["of"] = self.random.choice([{"@id": "x:whole"}, [self.json_node(depth + 1)]])
        if self.random.random() < 0.2:
            node["@reverse"] = {"http://x/r": {"@id": "http://x/s"}}
        if self.random.random() < 0.2 and depth < 2:
            node["@graph"] = [self.json_node(depth + 1)]
        return node

    def file(self) -> str:
        context = self.random.choice([self.context(), [self.context(), self.context()]])
        document = {"@context": context} | self.json_node()
        return json.dumps(document, ensure_ascii=self.random.random() < 0.5, indent=self.random.choice([None, 1]))


WRITERS: dict[str, Callable[[int], str]] = {
    "nt": lambda seed: LineWriter(seed).file(),
    "nq": lambda seed: LineWriter(seed).file("graph"),
    "ttl": lambda seed: TurtleWriter(seed).turtle(),
    "trig": lambda seed: TurtleWriter(seed).trig(),
    "rdfxml": lambda seed: XmlWriter(seed).file(),
    "jsonld": lambda seed: JsonWriter(seed).file(),
}


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Return data with some bytes or pieces left out, doubled, moved or changed."""
    for _ in range(draw.randint(1, 3)):
        start = draw.randrange(len(data) + 1)
        end = min(len(data), start + draw.choice([1, 1, 2, 5, 20]))
        byte = bytes([draw.randrange(256)])
        piece = draw.choice([b"", b"", data[start:end] * 2, byte, b"\\", b'"', b"<", b">", b"\n"])
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("rdf_format", WRITERS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32))
def test_generated_files_are_read_as_pyoxigraph_reads_them(rdf_format, parser, seed):
    assert_equal(parser, WRITERS[rdf_format](seed).encode(), rdf_format)


@pytest.mark.parametrize("rdf_format", WRITERS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32))
def test_damaged_files_are_refused_where_pyoxigraph_refuses_them(rdf_format, parser, seed):
    data = damaged(WRITERS[rdf_format](seed).encode(), random.Random(seed))
    assert_equal(parser, data, rdf_format, damaged=True)


@pytest.mark.parametrize("rdf_format", WRITERS)
def test_most_generated_files_are_valid_and_hold_triples(rdf_format):
    results = [expected(WRITERS[rdf_format](seed).encode(), rdf_format) for seed in range(200)]
    assert sum(not failed for _, failed in results) > 150
    assert sum(bool(found) for found, _ in results) > 100


@pytest.mark.parametrize(("rdf_format", "machine"), [
    ("nt", TURTLE_AUTOMATON), ("ttl", TURTLE_AUTOMATON), ("trig", TURTLE_AUTOMATON), ("rdfxml", XML_AUTOMATON),
    ("jsonld", JSON_AUTOMATON),
])  # fmt: skip
def test_what_is_opened_in_a_valid_file_is_closed_at_its_end(rdf_format, machine):
    num_valid = 0
    for seed in range(300):
        data = WRITERS[rdf_format](seed).encode() + b"\n"
        if not expected(data, rdf_format)[1]:
            num_valid += 1
            state, counters = np.array([0, -1]), np.array([[0, 1000], [0, 1000]])
            run(np.frombuffer(data, dtype=np.uint8), 0, machine.moves, state, counters)
            assert machine.states[state[0]] in ("text", "closing"), data
            assert counters[:, 0].tolist() == [0, 0], data
    assert num_valid > 100


@pytest.mark.parametrize("data", [b"", b"\n", b" \t\r\n", b"# nothing", b"{}", b"[]", b"<a/>"])
@pytest.mark.parametrize("rdf_format", WRITERS)
def test_files_without_statements_are_valid_where_pyoxigraph_takes_them(rdf_format, data, parser):
    assert_equal(parser, data, rdf_format)


@pytest.mark.parametrize("name", ["\U000e01ef", "\u00b7", "\ufdf0"])
def test_a_name_of_turtle_may_have_characters_that_an_iri_may_not(name, parser):
    data = f'@prefix : <http://x/> .\n:a{name} :b [ :c "d\\n" ] .\n'.encode()
    assert not expected(data, "ttl")[1]
    assert_equal(parser, data, "ttl")
