from __future__ import annotations

import io
import random

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import InputSyntaxError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.foreign_rows import RowWriter, text_lines
from kg_reason.kg.reading import FOREIGN_READERS
from kg_reason.kg.triples import Triple

SAMPLES = {
    "conceptnet": '/a/[x]\t/r/IsA\t/c/en/violin/n\t/c/fr/violon\t{"weight": 2.0, "sources": []}\n' * 3,
    "phrases": "head\trelation\ttail\nPersonX sings\txEffect\tis heard\nPersonX sings\toReact\tnone\n",
    "taxonomy": "# v\n1 - Music\n2 - Music > Drums\n3 - Music > Drums > Snares\n",
    "graphml": '<graphml><key id="d" for="node" attr.name="label"/><graph><node id="a"><data key="d">A</data></node>'
               '<edge source="a" target="b"/></graph></graphml>\n',
    "node-link": '{"nodes": [{"id": 1, "label": "A"}],\n "links": [{"source": 1, "target": "b", "weight": 0.5}]}\n',
    "neo4j": 'x:ID(A),name,born:int,tags:string[],:LABEL\n1,"A, b",1900,c;d,E;F\n2,B,,,\n',
}
MARKS = b'\0\xff\t\n\r",;:<>&{}[]/ -#a1'


def read(name, data):
    bad_lines = BadLines()
    blocks = FOREIGN_READERS[name](io.BytesIO(data), "a", 0, bad_lines, BuildConfig())
    return [triple for block in blocks for triple in block.triples("a")], list(bad_lines)


def mutated(data, generator):
    spoilt = bytearray(data)
    for _ in range(generator.randint(1, 6)):
        place = generator.randrange(len(spoilt) + 1)
        match generator.randrange(4):
            case 0:
                spoilt[place : place + generator.randint(1, 8)] = b""
            case 1:
                spoilt[place:place] = bytes(generator.choices(MARKS, k=generator.randint(1, 4)))
            case 2:
                spoilt[place : place + 1] = bytes([generator.randrange(256)])
            case _:
                start = generator.randrange(len(spoilt) + 1)
                spoilt[place:place] = spoilt[start : start + 40]
    return bytes(spoilt)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_reader_reads_its_sample(name):
    triples, bad_lines = read(name, SAMPLES[name].encode())
    assert bad_lines == []
    assert triples


@pytest.mark.parametrize("name", SAMPLES)
def test_spoilt_files_give_triples_and_bad_lines_and_nothing_else(name):
    generator = random.Random(name)
    for _ in range(400):
        data = mutated(SAMPLES[name].encode(), generator)
        try:
            triples, bad_lines = read(name, data)
        except InputSyntaxError:
            continue
        num_lines = data.count(b"\n") + 1
        assert all(0 < triple.source.line <= num_lines for triple in triples)
        assert all(0 < bad_line.line <= num_lines for bad_line in bad_lines)
        assert all(all(triple[:3]) for triple in triples)


@pytest.mark.parametrize("name", SAMPLES)
def test_windows_line_ends_change_nothing(name):
    data = SAMPLES[name].encode()
    assert read(name, data.replace(b"\n", b"\r\n")) == read(name, data)


def test_lines_are_numbered_and_blank_ones_passed_over():
    bad_lines = BadLines()
    lines = list(text_lines(io.BytesIO("a\n\n \nb\r\n\xff".encode("latin-1")), "x", bad_lines))
    assert lines == [(1, "a"), (4, "b")]
    assert [str(line) for line in bad_lines] == ["x:5: column 1: expected UTF-8 text, found byte 0xFF"]


def test_rows_come_by_their_lines():
    rows = RowWriter("x", 0, BadLines())
    rows.edge("a", "r", "b", 3, 0.5)
    rows.label("a", "A", 1, language="en", pos="n")
    block = rows.take()
    label, edge = block.triples("x")
    assert (label.tail, label.language, label.pos, label.source.line) == ('"A"', "en", "n", 1)
    assert edge == Triple("a", "r", "b", edge.source, weight=0.5)
    assert len(rows) == 0


@pytest.mark.parametrize(("keys", "reason"), [
    (("", "r", "b"), "expected a head, found an empty text"),
    (("a", "r\0", "b"), "expected a relation, found a NUL character in it"),
    (("a", "r", "\ud800"), "expected Unicode text as tail, found half a surrogate pair"),
])
def test_keys_that_cannot_be_stored_are_refused_whole(keys, reason):
    rows = RowWriter("x", 0, BadLines())
    with pytest.raises(ValueError, match=reason):
        rows.edge(*keys, 1)
    assert len(rows) == 0
