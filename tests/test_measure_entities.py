import importlib.util
import json
import sys
from pathlib import Path

import pytest

from kg_reason.config import LinkerConfig
from kg_reason.errors import GraphError, InputSyntaxError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("measure_entities", REPOSITORY / "scripts" / "measure_entities.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "measure_entities", module)
    spec.loader.exec_module(module)
    return module


def write(path, *rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def folders(tmp_path):
    """One folder with triples of labels, one with triples of ids; two towns are called Mill."""
    labelled, small = tmp_path / "labelled", tmp_path / "small"
    entities = [("Q1", "Mill"), ("Q2", "Mill"), ("Q3", "Avon"), ("Q4", "Ada Bell"), ("Q5", "Elm School")]
    write(labelled / "entities.tsv", *((*entity, "a description") for entity in entities))
    write(small / "entities.tsv", *entities[:3])
    for folder in (labelled, small):
        write(folder / "relations.tsv", ("P1", "lies on"), ("P2", "went to"))
        for part in ("valid", "test"):
            write(folder / f"{part}.tsv")
            write(folder / f"{part}_ids.tsv")
    for part in ("valid", "test"):
        (labelled / f"{part}_ids.tsv").unlink()
    write(
        labelled / "train.tsv",
        ("Ada Bell", "went to", "Elm School"), ("Mill", "lies on", "Avon"), ("Ada Bell", "unknown", "Avon"),
    )  # fmt: skip
    write(small / "train_ids.tsv", ("Q2", "P1", "Q3"), ("Q4", "P2", "Q5"))
    return labelled, small


def test_triples_are_of_ids_and_a_label_of_several_entities_is_left_out(script, folders):
    triples = [(triple.head, triple.relation, triple.tail) for triple in script.codex_triples(folders)]
    assert [triple for triple in triples if triple[1] != script.LABEL] == [("Q4", "P2", "Q5"), ("Q2", "P1", "Q3")]
    assert [triple[0] for triple in triples if triple[1] == script.LABEL] == ["Q1", "Q2", "Q3", "Q4", "Q5"]


def test_a_folder_without_entities_is_refused(script, tmp_path):
    with pytest.raises(GraphError, match=r"entities.tsv: no such file; expected a folder of CoDEx"):
        list(script.codex_triples([tmp_path]))


def test_a_row_with_too_few_fields_is_refused(script, folders):
    write(folders[0] / "train.tsv", ("Ada Bell", "went to"))
    with pytest.raises(InputSyntaxError, match=r"train.tsv:1: expected 3 tab-separated fields, found 2"):
        list(script.codex_triples(folders))


def test_a_line_without_mentions_is_refused(script, tmp_path):
    (tmp_path / "names.jsonl").write_text('{"text": "Mill"}\n', encoding="utf-8")
    with pytest.raises(InputSyntaxError, match=r"names.jsonl:1: expected text and mentions"):
        script.read_annotations(tmp_path / "names.jsonl")


def test_every_outcome_is_counted_by_hand(script, folders, tmp_path):
    text = "Ada Bell came from Mill to Rome by the Avon ."
    mentions = [
        {"start": 0, "end": 8, "entity_id": "Q4"},
        {"start": 0, "end": 3, "entity_id": "Q3", "parent": 0},
        {"start": 19, "end": 23, "entity_id": "Q1"},
        {"start": 27, "end": 31, "entity_id": "Q220"},
        {"start": 39, "end": 45, "entity_id": "Q3"},
        {"start": 39, "end": 43, "entity_id": None},
    ]
    path = tmp_path / "names.jsonl"
    path.write_text(json.dumps({"text": text, "mentions": mentions}) + "\n", encoding="utf-8")
    graph = KnowledgeGraph.from_triples(script.codex_triples(folders))
    linker = EntityLinker(graph, LinkerConfig(context_weight=0.0, popularity_weight=0.5))
    ada, mill, rome, avon, empty = script.judge(script.read_annotations(path), linker)
    assert (ada.in_graph, ada.found, ada.kept, ada.chosen, ada.best_connected) == (True, True, True, True, True)
    assert (mill.in_graph, mill.found, mill.kept, mill.chosen, mill.num_candidates) == (True, True, True, False, 2)
    assert (rome.in_graph, rome.found) == (False, False)
    assert (avon.in_graph, avon.found, avon.kept) == (True, False, False)
    assert (empty.in_graph, empty.found, empty.chosen) == (False, True, False)
    shares = [line.split(" | ")[1] for line in script.table([ada, mill, rome, avon, empty])[2:]]
    assert shares == ["3 of 5", "2 of 3", "2 of 3", "1 of 3", "2 of 3", "0 of 1", "0 of 1", "1 of 3"]
