"""What is told after a build because it may not be what was meant."""

from __future__ import annotations

import pytest

from kg_reason.config import BuildConfig
from kg_reason.kg.building import build_graph


def test_a_header_that_was_read_as_a_triple_is_mentioned(files, tmp_path, caplog):
    (tmp_path / "c.csv").write_text("subject,predicate,object\nviolin,is a,instrument\nviola,is a,instrument\n")
    build_graph([*files, tmp_path / "c.csv"], tmp_path / "kg")
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'c.csv'}:1: was read as a triple; if it is a header, name its columns (--head-column, "
        "--relation-column, --tail-column)"
    ]


@pytest.mark.parametrize(("first", "is_mentioned"), [("product,category", True), ("cello,instrument", False)])
def test_a_header_of_a_table_with_one_relation_that_was_read_as_a_triple_is_mentioned(
    tmp_path, caplog, first, is_mentioned
):
    (tmp_path / "p.csv").write_text(f"{first}\nviolin,instrument\ndrum,instrument\n")
    stats = build_graph(tmp_path / "p.csv", tmp_path / "kg", BuildConfig(relation="is a"))
    assert stats.relations == {"is a": 3}
    assert ("p.csv:1: was read as a triple; if it is a header" in caplog.text) is is_mentioned


def test_a_first_line_that_the_others_speak_of_is_no_header(tmp_path, caplog):
    (tmp_path / "c.csv").write_text("violin,made of,wood\nviolin,is a,instrument\nviola,is a,instrument\n")
    build_graph(tmp_path / "c.csv", tmp_path / "kg")
    assert caplog.records == []


def test_headers_among_the_rows_are_mentioned(tmp_path, caplog):
    (tmp_path / "a.csv").write_text(2 * "Kopf,relation,tail\na,r,b\nc,r,d\n")
    build_graph(tmp_path / "a.csv", tmp_path / "kg", BuildConfig(head_column="Kopf"))
    assert caplog.messages == [f"{tmp_path / 'a.csv'}:4: repeats the header and was read as a triple"]


@pytest.mark.parametrize(("settings", "told"), [
    ({"weight_column": "confidenc"}, ["no edge is qualified by a column or property 'confidenc' (--weight-column)"]),
    ({"from_column": "since", "qualifier_columns": ("note", "nte")}, [
        "no edge is qualified by a column or property 'since' (--from-column)",
        "no edge is qualified by a column or property 'nte' (--qualifier-columns)",
    ]),
    ({"weight_column": "Confidence", "source_column": "said by|told_by", "qualifier_columns": ("Note",)}, []),
    ({}, []), ({"weight_column": "", "source_column": ""}, []),
])  # fmt: skip
def test_names_that_nothing_has_are_mentioned(tmp_path, caplog, settings, told):
    (tmp_path / "a.csv").write_text("head,relation,tail,confidence,note,told by\na,r,b,0.5,x,y\na,r,c,,,\n")
    build_graph(tmp_path / "a.csv", tmp_path / "kg", BuildConfig(**settings))
    assert caplog.messages == told


def test_a_weight_column_may_be_one_of_labels_only(tmp_path, caplog):
    (tmp_path / "a.csv").write_text("head,relation,tail,prior\na,r,b,\na,rdfs:label,c,0.25\n")
    build_graph(tmp_path / "a.csv", tmp_path / "kg", BuildConfig(weight_column="prior"))
    assert caplog.messages == []
