import importlib.util
import json
import sys
from pathlib import Path

import pytest

from kg_reason.errors import InputSyntaxError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.triples import Source, Triple
from tests.test_make_wordnet_graph import TINY_WORDNET

REPOSITORY = Path(__file__).resolve().parent.parent
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))
    spec = importlib.util.spec_from_file_location("measure_senses", REPOSITORY / "scripts" / "measure_senses.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "measure_senses", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "wordnet"
    folder.mkdir()
    for name, text in TINY_WORDNET.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def keys(script, folder):
    return script.sense_keys(folder, script.read_wordnet(folder))


def make_linker():
    senses = [("wn:bow.n.01", "bow", 1), ("wn:bow.n.02", "bow", 2), ("wn:violin.n.01", "violin", 1)]
    senses.append(("wn:violin_bow.n.01", "violin bow", 1))
    return EntityLinker(
        KnowledgeGraph.from_triples(
            Triple(entity, LABEL, label, Source("senses.tsv", line), rank=rank, language="en", pos="n")
            for line, (entity, label, rank) in enumerate(senses, start=1)
        )
    )


def write(tmp_path, *rows):
    path = tmp_path / "words.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def asked(index, senses, lemma="bow"):
    return {"index": index, "lemma": lemma, "pos": "NOUN", "senses": senses}


def test_a_sense_key_names_file_and_lexical_id_of_the_word(keys):
    assert keys["bow%1:06:00::"] == "wn:bow.n.02"
    assert keys["bow%1:04:01::"] == "wn:bow.n.01"
    assert keys["fiddle%2:36:00::"] == "wn:play.v.01"
    assert keys["musical%3:00:00::"] == "wn:musical.a.01"


def test_the_key_of_a_satellite_names_its_adjective(keys):
    assert keys['"tuneful"%5:00:00:musical:00'] == "wn:%22tuneful%22.s.01"


def test_a_satellite_without_an_adjective_is_refused(script, folder):
    text = (folder / "data.adj").read_text(encoding="utf-8").replace("001 & 00000100 a 0000 | with", "000 | with")
    (folder / "data.adj").write_text(text, encoding="utf-8")
    with pytest.raises(InputSyntaxError, match="expected a pointer from the satellite to its adjective"):
        script.sense_keys(folder, script.read_wordnet(folder))


def test_an_unknown_sense_key_is_refused_with_file_and_line(script, keys, tmp_path):
    good = {"tokens": ["A", "bow"], "instances": [asked(1, ["bow%1:06:00::"])]}
    bad = {"tokens": ["A", "bow"], "instances": [asked(1, ["bow%1:99:00::"])]}
    with pytest.raises(InputSyntaxError, match=r"words.jsonl:2: expected tokens and instances .*bow%1:99"):
        script.read_instances(write(tmp_path, good, bad), keys)


def test_every_method_is_counted_by_hand(script, keys, tmp_path):
    rows = [
        {"tokens": ["He", "takes", "a", "bow", "."], "instances": [asked(3, ["bow%1:04:01::"])]},
        {"tokens": ["She", "drops", "the", "bow", "."], "instances": [asked(3, ["bow%1:06:00::"])]},
        {"tokens": ["a", "violin", "bow"], "instances": [asked(2, ["bow%1:06:00::"])]},
        {"tokens": ["a", "Lady"], "instances": [asked(1, ["lady_blunt%1:06:00::"], "lady_blunt")]},
    ]
    linker = make_linker()
    answers = script.answer_all(
        script.read_instances(write(tmp_path, *rows), keys), linker, script.senses_by_lemma(linker.graph)
    )
    assert [answer.right for answer in answers["linker"]] == [1, 0, 0, 0]
    assert [answer.attempted for answer in answers["linker"]] == [True, True, True, False]
    assert [answer.right for answer in answers["kept"]] == [1, 1, 0, 0]
    assert [answer.right for answer in answers["first sense"]] == [1, 0, 0, 0]
    assert [answer.right for answer in answers["random sense"]] == [0.5, 0.5, 0.5, 0]
    assert [answer.same_place for answer in answers["linker"]] == [True, True, False, False]
    assert [answer.ambiguous for answer in answers["linker"]] == [True, True, True, False]
    assert script.f1(answers["linker"]) == pytest.approx(2 * (1 / 3) * (1 / 4) / (1 / 3 + 1 / 4))
    lines = script.table(answers)
    assert lines[0] == "|  | all (4) | 95 % | NOUN (4) | several senses (3) |"
    assert lines[3] == "| linker | 28.6% | 4.6 - 69.9 | 28.6% | 33.3% |"


def test_senses_are_ordered_by_their_rank(script):
    assert script.senses_by_lemma(make_linker().graph)["bow", "n"] == ["wn:bow.n.01", "wn:bow.n.02"]
