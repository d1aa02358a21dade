"""What the properties of an edge say, whatever file they stand in."""

from __future__ import annotations

import json

import networkx as nx
import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph

EDGES = {("a", "b"): {"confidence": 0.9, "weight": 0.1}, ("a", "c"): {"confidence": 0.2, "weight": 7.0}}


@pytest.fixture(params=["a.graphml", "a.json", "a.csv"])
def build(request, tmp_path):
    """Build a file of edges with properties in each format of property graphs."""

    def write(edges, **settings):
        graph = nx.DiGraph()
        for ends, properties in edges.items():
            graph.add_edge(*ends, **properties)
        if request.param == "a.graphml":
            nx.write_graphml(graph, tmp_path / request.param)
        elif request.param == "a.json":
            (tmp_path / request.param).write_text(json.dumps(nx.node_link_data(graph, edges="links")))
        else:
            names = sorted({name for properties in edges.values() for name in properties})
            rows = [[*ends, *(str(properties.get(name, "")) for name in names)] for ends, properties in edges.items()]
            table = [[":START_ID", ":END_ID", *names], *rows]
            (tmp_path / request.param).write_text("".join(f"{','.join(row)}\n" for row in table))
            settings = {"relation": "related to", **settings}
        build_graph(tmp_path / request.param, tmp_path / "kg", BuildConfig(**settings))
        return KnowledgeGraph.open(tmp_path / "kg")

    return write


def weights(graph):
    return {
        graph.entity_id(int(tail)): round(float(weight), 3)
        for tail, weight in zip(graph.edge_tail, graph.edge_weight, strict=True)
    }


def test_the_property_that_is_named_as_the_weight_column_is_the_weight(build):
    assert weights(build(EDGES)) == {"b": 0.1, "c": 7.0}
    assert weights(build(EDGES, weight_column="Confidence")) == {"b": 0.9, "c": 0.2}
    assert weights(build(EDGES, weight_column="confidence", min_weight=0.5)) == {"b": 0.9}


def test_where_another_property_is_the_weight_one_called_so_says_nothing_unless_asked_for(build):
    named = {"weight_column": "confidence"}
    assert not any(build(EDGES, **named).edge_statements(0)[0].qualifiers)
    graph = build(EDGES, **named, qualifier_columns=("weight",))
    assert graph.edge_statements(0)[0].qualifiers == {"plain weight": ("0.1",)}
    assert weights(graph) == {"b": 0.9, "c": 0.2}


def test_a_weight_that_is_no_number_is_told(build):
    with pytest.raises(BadLinesError, match="expected a weight, a number not below 0, found 'high'"):
        build({("a", "b"): {"confidence": "high"}}, weight_column="confidence")


def test_edges_that_say_nothing_have_the_relation_that_is_given(build):
    (relation,) = build({("a", "b"): {"weight": 1.0}}, relation="cites").stats().relations
    assert relation == "cites"


def test_the_property_that_is_named_as_the_relation_column_is_the_relation(tmp_path):
    graph = nx.DiGraph()
    graph.add_edge("a", "b", label="x", predicate="y", how="likes")
    nx.write_graphml(graph, tmp_path / "a.graphml")
    build_graph(tmp_path / "a.graphml", tmp_path / "kg", BuildConfig(relation_column="how", relation="cites"))
    assert KnowledgeGraph.open(tmp_path / "kg").stats().relations == {"likes": 1}
