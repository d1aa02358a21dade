from __future__ import annotations

import gzip

import pytest

from kg_reason.config import BuildConfig
from kg_reason.errors import InputSyntaxError
from kg_reason.kg.inputs import find_inputs
from kg_reason.kg.recognition import header_delimiter, recognised_format


@pytest.mark.parametrize(("suffix", "text", "found"), [
    (".tsv", "/a/[x]\t/r/IsA\t/c/en/a\t/c/en/b\t{}\n", "conceptnet"),
    (".csv", "/a/[x]\t/r/IsA\t/c/en/a\t/c/en/b\t{}\n", "conceptnet"),
    (".tsv", "a\tr\tb\n", ""),
    (".tsv", "a > b\tr\tc\n", ""),
    (".tsv", "1\tMusic\n2\tMusic > Drums\n", "taxonomy"),
    (".txt", "\ufeff# version\r\n1 - Music\r\n2 - Music > Drums\r\n", "taxonomy"),
    (".txt", "only text\n", ""),
    (".txt", "Music\nFood\nGoods\nMusic > Drums\n", "taxonomy"),
    (".txt", "Our files.\n\nTo read one:\n\n  show it > page\n\nThen\nask\nBo.\n", ""),
    (".tsv", "PersonX plays\tisAfter\tPersonX sings\nPersonX plays\toReact\tnone\n", "phrases"),
    (".tsv", "PersonX plays\toReact\n", ""),
    (".tsv", "head\toreact\ttail\n", ""),
    (".csv", "id:ID,name\n", "neo4j"),
    (".csv", "id:ID(Person){label:Person},name,born:int\n", "neo4j"),
    (".csv", ":START_ID;:END_ID;:TYPE\n", "neo4j"),
    (".csv", '"_id","_labels","name"\n', "neo4j"),
    (".csv", "ex:ID,ex:label,ex:b\n", ""),
    (".csv", "_id,head,relation,tail\n", ""),
    (".csv", "_start,_end,_type\n", "neo4j"),
    (".csv", "head,relation,tail\n", ""),
    (".csv", "", ""),
    (".json", '{"directed": true, "nodes": [', "node-link"),
    (".json", '{"@context": {}, "nodes": [', "jsonld"),
    (".json", '[{"@id": "http://x/a"}]', "jsonld"),
    (".json", '{"name": "x"}', ""),
    (".xml", '<?xml version="1.0"?>\n<graphml xmlns="x">', "graphml"),
    (".xml", "<rdf:RDF>", ""),
    (".nt", "a > b\n", ""),
])
def test_a_format_is_told_by_the_beginning_of_a_file(suffix, text, found):
    assert recognised_format(suffix, text.encode()) == found


def test_inputs_are_recognised_through_compression_and_a_given_format_goes_before(tmp_path):
    text = b"/a/[x]\t/r/IsA\t/c/en/a\t/c/en/b\t{}\n"
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))
    (tmp_path / "b.graphml").touch()
    inputs = find_inputs([tmp_path], BuildConfig())
    assert [item.format for item in inputs] == ["conceptnet", "graphml"]
    (item,) = find_inputs([tmp_path / "a.csv.gz"], BuildConfig(input_format="tsv"))
    assert item.format == "tsv"


@pytest.mark.parametrize("name", ["notes.txt", "data.json"])
def test_a_file_that_tells_no_format_is_unknown(tmp_path, name):
    (tmp_path / name).write_text("nothing of the kind\n")
    with pytest.raises(InputSyntaxError, match=f"{name}: the first lines .* are in no known format; expected"):
        find_inputs([tmp_path / name], BuildConfig())


def test_the_delimiter_of_a_header_is_its_most_frequent_mark():
    assert header_delimiter("a;b;c,d") == ";"
    assert header_delimiter("a") == ","
