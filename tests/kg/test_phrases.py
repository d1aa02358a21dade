from __future__ import annotations

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.phrases import phrase_relation
from kg_reason.kg.triples import Source

TEXT = (
    "head\trelation\ttail\n"
    "PersonX mends a fence\txIntent\tto keep the  goats in\n"
    "PersonX mends a fence\txReact\tnone\n"
    "PersonX mends a fence\toReact\tNone \n"
    "hammer\tObjectUse\tmend a fence\n"
)


def build(path, **settings):
    build_graph(path, path.parent / "kg", BuildConfig(input_format="phrases", **settings))
    return KnowledgeGraph.open(path.parent / "kg")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "events.tsv"
    path.write_text(TEXT)
    return path


def test_phrases_are_joined_by_readable_relations_and_those_that_say_nothing_are_left_out(file):
    graph = build(file)
    assert sorted(graph.stats().relations) == ["object use", "the person intended"]
    (edge,) = graph.edges_of(graph.entity("PersonX mends a fence"))
    assert graph.entity_id(int(graph.edge_tail[edge])) == "to keep the goats in"
    assert graph.edge_sources(edge) == (Source(str(file), 2),)


def test_a_file_need_not_have_a_header_and_may_have_another_delimiter(file):
    file.write_text("PersonX sings|xEffect|is heard\n")
    assert build(file, delimiter="|").num_edges == 1


@pytest.mark.parametrize(("line", "reason"), [
    ("PersonX sings\txEffect\n", "expected 3 fields .phrase, relation, phrase., found 2"),
    ("PersonX sings\t\tloudly\n", "expected a relation, found an empty text"),
    ("\txEffect\tloudly\n", "expected a head, found an empty text"),
])
def test_a_line_without_three_phrases_is_told_with_its_place(file, line, reason):
    file.write_text(TEXT + line)
    with pytest.raises(BadLinesError, match=f"events.tsv:6: {reason}"):
        build(file)


def test_a_line_that_is_no_text_is_told_with_its_place(file):
    file.write_bytes(TEXT.encode() + b"a\tb\t\xff\n")
    with pytest.raises(BadLinesError, match="events.tsv:6: column 5: expected UTF-8 text, found byte 0xFF"):
        build(file)


def test_relations_that_are_not_known_keep_their_own_name():
    assert phrase_relation("AtLocation") == "at location"
    assert phrase_relation("xWant") == "the person then wants"


def test_a_phrase_of_somebody_is_known_without_its_subject_and_called_by_itself(tmp_path):
    path = tmp_path / "bread.tsv"
    path.write_text("PersonX bakes bread\txNeed\tto knead\nPersonX bakes bread\txAttr\tcareful\n")
    graph = build(path)
    aliases = graph.aliases(graph.entity("PersonX bakes bread"))
    assert [(alias.text, alias.kind) for alias in aliases] == [("PersonX bakes bread", "own"), ("bakes bread", "alt")]
    found = {mention.text: len(mention.candidates) for mention in EntityLinker(graph).link("Tom bakes bread.")}
    assert found == {"Tom": 0, "bakes bread": 1}
