from __future__ import annotations

import io

import networkx as nx
import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.graphml import read_graphml
from kg_reason.kg.interchange import export_graph
from kg_reason.kg.triples import Source

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
DRAWN = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
<key for="node" id="d6" yfiles.type="nodegraphics"/>
<key attr.name="description" attr.type="string" for="node" id="d5"/>
<key for="edge" id="d9"><default>0</default></key>
<graph edgedefault="directed" id="G">
<node id="n0"><data key="d5"/><data key="d6"><y:ShapeNode><y:Geometry height="30.0"/>
  <y:NodeLabel textColor="#000000">string
instrument</y:NodeLabel></y:ShapeNode></data></node>
<node id="n1"><data key="d6"><y:ShapeNode><y:NodeLabel>violin</y:NodeLabel></y:ShapeNode></data>
  <graph id="inner"><node id="n1::n0"><data key="d6"><y:NodeLabel>bow</y:NodeLabel></data></node></graph></node>
<edge id="e0" source="n1" target="n0"><data key="d9"><y:PolyLineEdge><y:EdgeLabel>is a</y:EdgeLabel></y:PolyLineEdge>
</data></edge>
<edge id="e1" source="n1::n0" target="n1"/>
</graph></graphml>
"""


def build(path, **settings):
    build_graph(path, path.parent / "kg", BuildConfig(**settings))
    return KnowledgeGraph.open(path.parent / "kg")


def read(text):
    bad_lines = BadLines()
    blocks = read_graphml(io.BytesIO(text.encode()), "a.graphml", 0, bad_lines, BuildConfig())
    return [triple for block in blocks for triple in block.triples("a.graphml")], [str(line) for line in bad_lines]


def test_a_file_of_networkx_keeps_labels_relations_weights_and_values(tmp_path):
    graph = nx.MultiDiGraph()
    graph.add_node("v", label="violin", strings=4, x=0.5, y=2.0)
    graph.add_node("i", label="instrument")
    graph.add_edge("v", "i", relation="is a", weight=0.25)
    graph.add_edge("v", "i", label="RELATED", weight=2.0)
    nx.write_graphml(graph, tmp_path / "a.graphml")
    built = build(tmp_path / "a.graphml")
    violin = built.entity("violin")
    found = {
        built.relation_label(int(built.edge_relation[edge])):
        (built.entity_label(int(built.edge_tail[edge])), float(built.edge_weight[edge]))
        for edge in built.edges_of(violin)
    }  # fmt: skip
    assert found == {"is a": ("instrument", 0.25), "related": ("instrument", 2.0), "strings": ("4", 1.0)}
    lines = (tmp_path / "a.graphml").read_text().splitlines()
    for edge in built.edges_of(violin):
        (source,) = built.edge_sources(edge)
        assert "<edge " in lines[source.line - 1] or "<node " in lines[source.line - 1]


def test_a_drawing_of_yed_gives_the_labels_that_are_seen(tmp_path):
    (tmp_path / "a.graphml").write_text(DRAWN)
    graph = build(tmp_path / "a.graphml")
    (edge,) = graph.edges_of(graph.entity("string instrument"))
    assert graph.entity_label(int(graph.edge_head[edge])) == "violin"
    assert graph.relation_label(int(graph.edge_relation[edge])) == "is a"
    assert graph.edge_sources(edge) == (Source(str(tmp_path / "a.graphml"), 12),)
    (inner,) = graph.edges_of(graph.entity("bow"))
    assert graph.relation_label(int(graph.edge_relation[inner])) == "related to"


def test_what_we_export_is_what_we_read_again(toy_graph, tmp_path):
    export_graph(toy_graph, tmp_path / "toy.graphml", "graphml")
    graph = build(tmp_path / "toy.graphml")

    def named(some):
        return {
            (some.entity_id(int(head)), some.relation_id(int(relation)), some.entity_id(int(tail)))
            for head, relation, tail in zip(some.edge_head, some.edge_relation, some.edge_tail, strict=True)
        }

    assert named(graph) == named(toy_graph)
    assert {graph.entity_label(entity) for entity in range(graph.num_entities)} == {
        toy_graph.entity_label(entity) for entity in range(toy_graph.num_entities)
    }


def test_defaults_of_keys_hold_where_nothing_is_given():
    text = HEAD + '<key id="r" for="edge" attr.name="relation" attr.type="string"><default>part of</default></key>\n'
    triples, bad_lines = read(text + '<graph><edge source="a" target="b"/></graph></graphml>')
    assert bad_lines == []
    assert [triple[:3] for triple in triples] == [("a", "part of", "b")]


BOMB = '<?xml version="1.0"?>\n<!DOCTYPE graphml [\n<!ENTITY a "aaaaaaaaaa">\n<!ENTITY b "&a;&a;&a;">]>\n'


@pytest.mark.parametrize(("text", "reason"), [
    (BOMB + "<graphml>&b;</graphml>", "3: found a declaration of the entity 'a'"),
    ('<!DOCTYPE graphml [<!ENTITY x SYSTEM "file:///etc/passwd">]><graphml>&x;</graphml>',
     "1: found a declaration of the entity 'x'"),
    ('<!DOCTYPE graphml [<!ENTITY % x SYSTEM "http://example.org/x">%x;]><graphml/>',
     "1: found a declaration of the entity 'x'"),
    ('<!DOCTYPE graphml SYSTEM "http://example.org/g.dtd">\n<graphml><graph><node id="a">&y;</node></graph></graphml>',
     "2: found the entity 'y', which the document does not declare"),
    ("<graphml>" + "<node id='a'>" * 5000, "1: found more than 1,000 nested elements"),
    (HEAD + '<graph>\n<edge source="a" target="b"/>\n</node>', "5: column 3: mismatched tag"),
    ("<html/>", "1: expected an element graphml, found html"),
    ("", "1: column 1: no element found"),
])
def test_what_is_no_graphml_or_hostile_is_refused_where_it_stands(text, reason):
    _, bad_lines = read(text)
    assert len(bad_lines) == 1
    assert bad_lines[0].startswith(f"a.graphml:{reason}")
    assert bad_lines[0].endswith("; the rest of the file was not read")


@pytest.mark.parametrize(("element", "reason"), [
    ('<edge source="a"/>', "expected an attribute target of the edge, found none"),
    ("<node/>", "expected an attribute id of the node, found none"),
    ('<edge source="a" target="b"><data key="w">much</data></edge>', "expected a value of type double for weight"),
    ('<edge source="a" target="b"><data key="w">-1</data></edge>', "expected a weight, a number not below 0"),
    ("<hyperedge/>", "found a hyperedge, expected edges between two nodes"),
])
def test_an_element_that_cannot_be_read_is_told_and_passed_over(tmp_path, element, reason):
    key = '<key id="w" for="edge" attr.name="weight" attr.type="double"/>\n'
    text = f'{HEAD}{key}<graph>\n{element}\n<edge source="a" target="b"/></graph></graphml>'
    (tmp_path / "a.graphml").write_text(text)
    with pytest.raises(BadLinesError, match=f"a.graphml:5: {reason}"):
        build(tmp_path / "a.graphml")
    assert build(tmp_path / "a.graphml", skip_bad_lines=True).num_edges == 1
