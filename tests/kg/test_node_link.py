from __future__ import annotations

import io
import json
from unicodedata import normalize

import networkx as nx
import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError, InputSyntaxError
from kg_reason.kg import node_link
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.node_link import read_node_link
from kg_reason.kg.triples import Source

TEXT = """{
 "directed": true, "multigraph": true, "graph": {"name": "band"},
 "nodes": [
  {"id": 1, "label": "violin", "strings": 4, "wooden": true, "x": 1, "y": 2, "color": "#000"},
  {"id": 2, "name": "instrument", "also": ["device", null]}
 ],
 "links": [
  {"source": 1, "target": 2, "key": 0, "relation": "is a", "weight": 0.5},
  {"source": {"id": 2}, "target": 1, "key": "has kind"}
 ]
}
"""


def build(path, **settings):
    build_graph(path, path.parent / "kg", BuildConfig(**settings))
    return KnowledgeGraph.open(path.parent / "kg")


def read(text):
    bad_lines = BadLines()
    stream = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    blocks = read_node_link(stream, "a.json", 0, bad_lines, BuildConfig())
    return [triple for block in blocks for triple in block.triples("a.json")], [str(line) for line in bad_lines]


def test_nodes_and_links_become_edges_with_their_lines(tmp_path):
    (tmp_path / "a.json").write_text(TEXT)
    graph = build(tmp_path / "a.json")
    found = {
        graph.relation_label(int(graph.edge_relation[edge])):
        (graph.entity_label(int(graph.edge_head[edge])), graph.entity_label(int(graph.edge_tail[edge])))
        for edge in range(graph.num_edges)
    }  # fmt: skip
    assert found == {
        "is a": ("violin", "instrument"), "has kind": ("instrument", "violin"), "strings": ("violin", "4"),
        "wooden": ("violin", "true"), "also": ("instrument", "device"),
    }
    edge = graph.edges_of(graph.entity("violin"))[0]
    is_a = next(
        edge for edge in range(graph.num_edges) if graph.relation_label(int(graph.edge_relation[edge])) == "is a"
    )
    assert graph.edge_sources(is_a) == (Source(str(tmp_path / "a.json"), 8),)
    assert float(graph.edge_weight[is_a]) == 0.5
    assert graph.edge_sources(edge)[0].line in (4, 8)


@pytest.mark.parametrize("edges", ["links", "edges"])
def test_what_networkx_writes_is_read(tmp_path, edges):
    graph = nx.DiGraph()
    graph.add_edge("violin", "instrument", label="is a")
    (tmp_path / "a.json").write_text(json.dumps(nx.node_link_data(graph, edges=edges)))
    built = build(tmp_path / "a.json")
    assert built.stats().relations == {"is a": 1}
    assert built.entity_id(int(built.edge_head[0])) == "violin"


def test_a_list_may_be_empty_or_come_in_any_order():
    assert read('{"links": [], "nodes": []}') == ([], [])
    triples, bad_lines = read('{"edges": [{"source": "a", "target": "b"}], "nodes": [{"id": "a", "label": "A"}]}')
    assert [triple.tail for triple in triples] == ["b", '"A"']
    assert bad_lines == []


@pytest.mark.parametrize(("text", "reason"), [
    ('{"nodes": [],\n "links": [{"source": "a",\n "target": }]}', "a.json:3: column 12: Expecting value"),
    ('{"nodes": []\n "links": []}', "a.json:2: column 2: expected '}'"),
    ("[]", "a.json:1: column 1: expected '{'"),
    ('{"links": []} x', "a.json:1: column 15: found text after the object"),
    ('{"links": [1' + "0" * 5000 + "]}", "a.json:1: Exceeds the limit"),
    ('{"graph": ' + "[" * 200_000, "a.json:1: found values nested too deeply"),
])
def test_what_is_no_json_is_told_with_its_place_and_ends_the_file(text, reason):
    _, bad_lines = read(text)
    assert len(bad_lines) == 1
    assert bad_lines[0].startswith(reason)
    assert bad_lines[0].endswith("; the rest of the file was not read")


@pytest.mark.parametrize(("item", "reason"), [
    ('{"source": "a"}', "expected a target of the edge, found None"),
    ("7", "expected an object for the edge, found '7'"),
    ('{"source": "a", "target": "b", "weight": "much"}', "expected a weight, a number not below 0, found 'much'"),
    ('{"source": "a\\ud800", "target": "b"}', "expected Unicode text as head, found half a surrogate pair"),
    ('{"source": "a\\u0000", "target": "b"}', "expected a head, found a NUL character in it"),
])
def test_an_edge_that_cannot_be_read_is_told_and_passed_over(tmp_path, item, reason):
    (tmp_path / "a.json").write_text('{"links": [\n{"source": "a", "target": "b"},\n' + item + "\n]}")
    with pytest.raises(BadLinesError, match=f"a.json:3: {reason}"):
        build(tmp_path / "a.json")
    assert build(tmp_path / "a.json", skip_bad_lines=True).num_edges == 1


def test_an_object_without_edges_is_told():
    assert read('{"nodes": [], "graph": {}}')[1] == ["a.json:1: expected a list links or edges, found nodes, graph"]


def test_bytes_that_are_no_text_and_files_that_are_too_long_are_refused(monkeypatch):
    with pytest.raises(InputSyntaxError, match="a.json:2: expected UTF-8 text, found byte 0xFF"):
        read(b'{"nodes":\n"\xff"}')
    monkeypatch.setattr(node_link, "MAX_BYTES", 10)
    with pytest.raises(InputSyntaxError, match="a.json: found more than 0 MB of JSON"):
        read('{"nodes": []}')


def test_what_belongs_to_a_drawing_is_left_out_only_of_a_node_that_has_a_place_in_one():
    nodes = '{"id": "a", "height": 1.7, "color": "red"}, {"id": "b", "height": 1.7, "pos": [0, 1], "age": 3}'
    triples, bad_lines = read(f'{{"nodes": [{nodes}], "links": []}}')
    assert bad_lines == []
    assert [triple[:2] for triple in triples] == [("a", "color"), ("a", "height"), ("b", "age")]


@pytest.mark.parametrize(("text", "told"), [
    ('{"nodes": {"a": {}}, "links": []}', "a.json:1: column 11: expected a list nodes; the rest of the file was"),
    ('{"nodes": [], "links": {}}', "a.json:1: expected a list links or edges, found nodes, links"),
])
def test_nodes_and_edges_that_are_no_lists_are_told(text, told):
    triples, (bad_line,) = read(text)
    assert triples == []
    assert bad_line.startswith(told)


def test_a_property_is_known_however_its_accents_are_written(tmp_path):
    link = {"source": "a", "target": "b", "relation": "near", normalize("NFD", "Gr\u00f6\u00dfe"): "12"}
    (tmp_path / "a.json").write_text(json.dumps({"nodes": [], "links": [link]}))
    graph = build(tmp_path / "a.json", qualifier_columns=("Gr\u00f6\u00dfe",))
    (statement,) = graph.edge_statements(0)
    assert list(statement.qualifiers.values()) == [("12",)]
