"""scripts/measure.py, rule_baseline.py and bench_training_step.py: a run and rules asked over toy graphs."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from bench_training_step import Times, Trainee
from edit_items import make_edit_items, write_edit_items
from graph_copies import copy_graph, write_names
from measure import Measurer, Place, measure_edits, measure_set, read_sizes
from measured_sets import MeasuredSet
from polarity_pairs import Frame
from rule_baseline import RuleBaseline, inverse_relations
from saved_predictions import read_predictions

from kg_reason import (
    BuildConfig,
    EntityLinker,
    KnowledgeGraph,
    ModelConfig,
    NLIExample,
    Reasoner,
    ReasonerConfig,
    Retriever,
    TrainConfig,
    build_graph,
)
from kg_reason.kg.grounding import Grounder
from kg_reason.kg.triples import Source, Triple
from kg_reason.nli import Label
from tests.conftest import LABEL, toy_triples

ROWS = [
    {"id": "a", "premise": "A man plays a violin.", "hypothesis": "A man plays an instrument.", "label": "entailment"},
    {"id": "b", "premise": "A man plays a drum.", "hypothesis": "A woman plays a drum.", "label": "contradiction"},
    {"id": "c", "premise": "A dog is hot.", "hypothesis": "A dog is cold.", "label": "contradiction"},
]


@pytest.fixture(scope="module")
def place(tmp_path_factory, tiny_encoder) -> Place:
    """A run, its graph, a benchmark of three pairs, and tests with edits and an empty graph."""
    folder = tmp_path_factory.mktemp("measure")
    plain = KnowledgeGraph.from_triples(triple for triple in toy_triples() if not triple.tail.startswith('"'))
    numbers = count()
    words = [stem + end for stem in ("gav", "pel", "tul", "brod", "skal") for end in ("ornb", "itab", "amod")]
    frames = [Frame("upward", "up", "A {NN} is here.")]
    made = make_edit_items(frames, 7, lambda: words[next(numbers)], seed=0)
    (folder / "tests").mkdir()
    write_names(folder / "tests" / "names.tsv", made.names)
    write_edit_items(folder / "tests" / "edits.jsonl", made.items)
    copy_graph(plain, folder / "graph")
    copy_graph(plain, folder / "tests" / "graph", tables=[folder / "tests" / "names.tsv"], edges=made.edges)
    (folder / "empty.tsv").write_text("head\trelation\ttail\nnothing at all\tis unlike\tanything at all\n")
    build_graph(folder / "empty.tsv", folder / "tests" / "graph-empty", BuildConfig(header="yes"))
    for name in ("cad_nli/dev.jsonl", "sick/test.jsonl"):
        path = folder / "benchmarks" / name
        path.parent.mkdir(parents=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    config = ReasonerConfig(model=ModelConfig(encoder=str(tiny_encoder), graph_dim=16))
    reasoner = Reasoner.build(KnowledgeGraph.open(folder / "graph"), config, seed=1)
    reasoner.save(folder / "run")
    return Place(folder / "run", folder / "graph", folder / "tests", folder / "benchmarks", "none")


def test_answers_of_a_set_are_saved_with_their_evidence_and_not_asked_twice(place, tmp_path, caplog):
    measurer, item = Measurer(place), MeasuredSet("cad_nli", "cad_nli", "")
    measure_set(measurer, place, item, tmp_path, {}, blank=False)
    saved = read_predictions(tmp_path / "cad_nli.json")
    assert saved.ids == ("a", "b", "c")
    assert saved.has_evidence.all()
    assert not saved.facts["same_as_text"]
    written = (tmp_path / "cad_nli.json").stat().st_mtime_ns
    with caplog.at_level(logging.INFO):
        measure_set(measurer, place, item, tmp_path, {}, blank=False)
    assert "is there" in caplog.text
    assert (tmp_path / "cad_nli.json").stat().st_mtime_ns == written


def test_an_empty_graph_gives_exactly_the_text_only_answers(place, tmp_path):
    measurer = Measurer(place)
    measure_set(measurer, place, MeasuredSet("real", "cad_nli", ""), tmp_path, {}, blank=False)
    measure_set(measurer, place, MeasuredSet("empty", "cad_nli", "graph-empty"), tmp_path, {}, blank=False)
    real, empty = (read_predictions(tmp_path / f"{name}.json") for name in ("real", "empty"))
    assert empty.facts["same_as_text"]
    assert not empty.has_evidence.any()
    assert np.array_equal(empty.logits, real.text_logits)


def test_a_blank_premise_is_saved_under_a_name_of_its_own(place, tmp_path):
    measure_set(Measurer(place), place, MeasuredSet("cad_nli", "cad_nli", ""), tmp_path, {}, blank=True)
    assert [path.name for path in tmp_path.iterdir()] == ["cad_nli.hypothesis_only.json"]


def test_a_set_without_its_file_or_graph_is_left_out(place, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        measure_set(Measurer(place), place, MeasuredSet("mnli", "mnli", ""), tmp_path, {}, blank=False)
        measure_set(Measurer(place), place, MeasuredSet("sick", "sick", "graph-none"), tmp_path, {}, blank=False)
    assert "its file is missing" in caplog.text
    assert "its graph is missing" in caplog.text
    assert not list(tmp_path.iterdir())


def test_edits_bring_and_take_the_evidence_that_an_answer_hangs_on(place, tmp_path):
    measure_edits(Measurer(place), place, tmp_path / "out", tmp_path / "work")
    names = ("before", "first", "last")
    states = {state: read_predictions(tmp_path / "out" / f"edits.{state}.json") for state in names}
    kinds = states["first"].categories
    assert len(set(kinds)) == 7
    for row, kind in enumerate(kinds):
        seen = [bool(predictions.has_evidence[row]) for predictions in states.values()]
        assert seen == {
            "remove": [False, True, False], "remove built in": [True, True, False]
        }.get(kind, [False, True, True]), kind
    unrelated = [read_predictions(tmp_path / "out" / f"unrelated.{state}.json") for state in states]
    assert all(len(predictions.ids) == 6 for predictions in unrelated)


def test_sizes_are_read_over_the_usual_ones():
    assert read_sizes(["sick=7"]) == {"sick": 7, "levy_holt": 1500, "creak": 1000}
    with pytest.raises(ValueError, match="--size: found 'sick', expected"):
        read_sizes(["sick"])


# ---- rules


def rules_label(graph: KnowledgeGraph, premise: str, hypothesis: str) -> Label:
    grounding = Grounder(EntityLinker(graph), Retriever(graph)).ground(NLIExample(premise, hypothesis))
    return RuleBaseline(graph, fallback=Label.NEUTRAL).label(grounding)


@pytest.mark.parametrize(
    ("premise", "hypothesis", "label"),
    [
        ("A violin is here.", "A string instrument is here.", "entailment"),
        ("A string instrument is here.", "A violin is here.", "neutral"),
        ("A violin is here.", "A fiddle is here.", "entailment"),
        ("A man is here.", "A woman is here.", "contradiction"),
        ("A man is here.", "A gavorn is here.", "neutral"),
    ],
)
def test_the_best_path_says_the_label_of_its_pattern(toy_graph, premise, hypothesis, label):
    assert rules_label(toy_graph, premise, hypothesis) == label


def test_rules_read_a_relation_and_its_inverse_alike():
    facts = [("t:cup", "hypernym", "t:vessel"), ("t:vessel", "hyponym", "t:cup")]
    triples = [Triple(*fact, Source("t", 1)) for fact in facts]
    triples += [Triple(f"t:{word}", LABEL, word, Source("t", 2), language="en", pos="n") for word in ("cup", "vessel")]
    graph = KnowledgeGraph.from_triples(triples)
    relations = {graph.relation_label(one): graph.relation_label(two) for one, two in inverse_relations(graph).items()}
    assert relations == {"hypernym": "hyponym", "hyponym": "hypernym"}
    assert rules_label(graph, "A cup is here.", "A vessel is here.") == "entailment"
    assert rules_label(graph, "A vessel is here.", "A cup is here.") == "neutral"


# ---- cost


def test_the_ratio_is_the_median_of_paired_ratios():
    times = Times(fused=np.array([2.0, 3.0, 40.0]), text=np.array([1.0, 2.0, 10.0]))
    assert times.to_json()["ratio"] == 2.0
    assert times.to_json()["num_batches"] == 3


def test_a_step_moves_the_weights(place):
    reasoner = Reasoner.load(place.run, KnowledgeGraph.open(place.graph))
    examples = [NLIExample(row["premise"], row["hypothesis"], Label(row["label"])) for row in ROWS]
    batch = reasoner.collator(examples, reasoner.ground_all(examples))
    before = {name: weight.clone() for name, weight in reasoner.model.named_parameters()}
    trainee = Trainee(reasoner, replace(TrainConfig(), warmup_fraction=0.0))
    assert trainee.step(batch, bf16=False) > 0
    assert any(not weight.equal(before[name]) for name, weight in reasoner.model.named_parameters())
