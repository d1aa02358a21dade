from __future__ import annotations

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError, InputSyntaxError
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source

PEOPLE = 'personId:ID(Person),name,born:int,:LABEL\n1,"Ada, the\nfirst",1815,Person;MusicLover\n2,Bo,,Person\n'
WORKS = "title:ID(Work);tags:string[];:LABEL\nLove Song;slow,long;Work\nNo Song;;Work\n"
ROLES = ":START_ID(Person),role,weight:float,:END_ID(Work),:TYPE\n1,author,0.5,Love Song,WROTE\n2,,,No Song,SANG_IN\n"


@pytest.fixture
def files(tmp_path):
    for name, text in (("people.csv", PEOPLE), ("works.csv", WORKS), ("roles.csv", ROLES)):
        (tmp_path / name).write_text(text)
    return [tmp_path / name for name in ("people.csv", "roles.csv", "works.csv")]


def build(files, **settings):
    out = files[0].parent / "kg"
    build_graph(files, out, BuildConfig(**settings))
    return KnowledgeGraph.open(out)


def edges(graph):
    return {
        (graph.entity_id(int(head)), graph.relation_label(int(relation)), graph.entity_label(int(tail)))
        for head, relation, tail in zip(graph.edge_head, graph.edge_relation, graph.edge_tail, strict=True)
    }


def test_nodes_and_relationships_of_several_files_join_by_their_ids_and_groups(files):
    graph = build(files)
    assert edges(graph) == {
        ("Person:1", "wrote", "Love Song"), ("Person:2", "sang in", "No Song"), ("Person:1", "born", "1815"),
        ("Person:1", "instance of", "Person"), ("Person:1", "instance of", "Music Lover"),
        ("Person:2", "instance of", "Person"), ("Work:Love Song", "instance of", "Work"),
        ("Work:No Song", "instance of", "Work"), ("Work:Love Song", "tags", "slow,long"),
    }
    bo = graph.entity("Bo")
    assert graph.entity_id(bo) == "Person:2"
    sang = next(edge for edge in graph.edges_of(bo) if graph.relation_id(int(graph.edge_relation[edge])) == "SANG_IN")
    assert graph.edge_sources(sang) == (Source(str(files[1]), 3),)
    assert graph.entity_label(graph.entity("Person:1")) == "Ada, the first"


def test_a_weight_is_kept_and_others_are_not_given(files):
    graph = build(files)
    weights = {
        graph.relation_label(int(relation)): float(weight)
        for relation, weight in zip(graph.edge_relation, graph.edge_weight, strict=True)
    }
    assert (weights["wrote"], weights["sang in"]) == (0.5, 1.0)
    assert build(files, min_weight=0.6).num_edges == graph.num_edges - 1


def test_equal_ids_of_two_groups_stay_two_and_arrays_are_taken_apart(tmp_path):
    (tmp_path / "a.csv").write_text("id:ID(A),name,tags:string[]\n1,ash,x;y\n")
    (tmp_path / "b.csv").write_text("id:ID(B),name\n1,birch\n")
    graph = build([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert graph.entity_id(graph.entity("ash")) == "A:1"
    assert graph.entity_id(graph.entity("birch")) == "B:1"
    assert edges(graph) == {("A:1", "tags", "x"), ("A:1", "tags", "y")}


def test_an_export_of_apoc_holds_nodes_and_relationships_in_one_file(tmp_path):
    (tmp_path / "all.csv").write_text(
        '"_id","_labels","name","_start","_end","_type","since"\n'
        '"0",":Person:Singer","Ada","","","",""\n"1",":Person","Bo","","","",""\n'
        '"","","","0","1","KNOWS","2001"\n'
    )
    graph = build([tmp_path / "all.csv"])
    assert edges(graph) == {
        ("0", "instance of", "Person"), ("0", "instance of", "Singer"), ("1", "instance of", "Person"),
        ("0", "knows", "Bo"),
    }
    assert graph.entity_id(graph.entity("Ada")) == "0"


@pytest.mark.parametrize(("name", "line", "reason"), [
    ("people.csv", "3,Cy\n", "5: expected 4 fields as in the header, found 2"),
    ("people.csv", ",Cy,1900,Person\n", "5: expected an :ID, found an empty field"),
    ("people.csv", "3,Cy,soon,Person\n", "5: expected a value of type int, found 'soon'"),
    ("people.csv", '3,"Cy" x,1900,Person\n', "5: not valid CSV"),
    ("roles.csv", "1,,,,WROTE\n", "4: expected a :END_ID, found an empty field"),
    ("roles.csv", "1,,,No Song,\n", "4: expected a :TYPE, found an empty field"),
    ("roles.csv", "1,,-2,No Song,WROTE\n", "4: expected a weight, a number not below 0, found '-2.0'"),
])
def test_a_row_that_cannot_be_read_is_told_with_its_place(files, name, line, reason):
    path = files[0].parent / name
    path.write_text(path.read_text() + line)
    with pytest.raises(BadLinesError, match=f"{name}:{reason}"):
        build(files)
    assert build(files, skip_bad_lines=True).num_edges == 9


@pytest.mark.parametrize(("header", "reason"), [
    ("name,born:int", "1: expected a column :ID, or :START_ID and :END_ID, found name, born:int"),
    (":START_ID,:END_ID", "1: expected a column :TYPE, found :START_ID, :END_ID"),
    (":ID,born:year", "1: expected a column such as name, born:int or :ID, found 'born:year'"),
])
def test_a_header_that_makes_neither_nodes_nor_edges_is_told(tmp_path, header, reason):
    (tmp_path / "a.csv").write_text(f"{header}\n1,2\n")
    with pytest.raises(InputSyntaxError, match=f"a.csv:{reason}"):
        build([tmp_path / "a.csv"], input_format="neo4j")


def test_relationships_of_one_type_need_no_column_for_it(tmp_path):
    (tmp_path / "knows.csv").write_text(":START_ID,:END_ID,name,kind\na,b,x,y\n")
    with pytest.raises(InputSyntaxError, match="knows.csv:1: expected a column :TYPE, .*--relation"):
        build([tmp_path / "knows.csv"])
    assert edges(build([tmp_path / "knows.csv"], relation="KNOWS")) == {("a", "knows", "b")}


def test_a_type_is_the_relation_whatever_column_tables_have(tmp_path):
    (tmp_path / "knows.csv").write_text(":START_ID,:END_ID,:TYPE,kind\na,b,KNOWS,y\n")
    graph = build([tmp_path / "knows.csv"], relation_column="kind", relation="likes")
    assert edges(graph) == {("a", "knows", "b")}
