from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from kg_reason.config import ModelConfig, ReasonerConfig
from kg_reason.errors import CheckpointError, KGReasonError
from kg_reason.kg.building import build_graph
from kg_reason.kg.editing import edit_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.interchange import export_graph
from kg_reason.nli import Label, NLIExample
from kg_reason.reasoner import Reasoner

PAIRS = [
    ("A man plays a violin.", "A man plays an instrument."),
    ("The soup is hot.", "The soup is cold."),
    ("A man plays a violin.", "A person plays a fiddle."),
    ("", "A violin is an instrument."),
    ("A dog.", "The zither is a gavorn."),
]


@pytest.fixture(scope="module")
def graph_folder(tmp_path_factory: pytest.TempPathFactory, toy_graph: KnowledgeGraph) -> Path:
    folder = tmp_path_factory.mktemp("graphs")
    export_graph(toy_graph, folder / "toy.nt", "nt")
    build_graph([str(folder / "toy.nt")], folder / "toy")
    return folder / "toy"


@pytest.fixture
def reasoner(graph_folder: Path, tiny_encoder: Path) -> Reasoner:
    return make(graph_folder, tiny_encoder)


def make(graph_folder: Path, tiny_encoder: Path, **model: object) -> Reasoner:
    settings = ModelConfig(**{"encoder": str(tiny_encoder), "graph_dim": 16, "gate_bias": 1.0, **model})
    return Reasoner.build(KnowledgeGraph.open(graph_folder), ReasonerConfig(model=settings), seed=3)


def logits(reasoner: Reasoner, pairs: list[tuple[str, str]]) -> np.ndarray:
    return np.array([list(answer.answer.logits.values()) for answer in reasoner.predict(pairs)])


def test_the_answer_is_the_text_s_answer_plus_what_every_path_contributes(reasoner: Reasoner) -> None:
    answers = reasoner.predict(PAIRS)
    assert sum(len(answer.evidence) for answer in answers) >= 4
    for answer in answers:
        for label in reasoner.labels:
            added = sum(evidence.contribution[label] for evidence in answer.evidence)
            assert answer.answer.logits[label] == pytest.approx(answer.text_answer.logits[label] + added, abs=1e-5)


def test_without_paths_the_answer_is_exactly_the_text_s(reasoner: Reasoner) -> None:
    (answer,) = reasoner.predict([PAIRS[-1]])
    assert answer.evidence == ()
    assert answer.answer == answer.text_answer
    assert [mention.text for mention in answer.unknown("hypothesis")] == ["zither", "gavorn"]


def test_a_batch_gives_the_logits_of_pairs_asked_alone(reasoner: Reasoner) -> None:
    alone = np.concatenate([logits(reasoner, [pair]) for pair in PAIRS])
    assert logits(reasoner, PAIRS) == pytest.approx(alone, abs=1e-5)


def test_scores_are_the_logits_of_predictions_in_the_order_asked(reasoner: Reasoner) -> None:
    examples = [NLIExample(premise, hypothesis) for premise, hypothesis in PAIRS]
    scores = reasoner.score(examples, reasoner.ground_all(examples), batch_size=2)
    assert scores.logits == pytest.approx(logits(reasoner, PAIRS), abs=1e-5)


def test_the_same_question_gives_the_same_bytes(reasoner: Reasoner) -> None:
    first, second = (json.dumps([answer.to_json() for answer in reasoner.predict(PAIRS)]) for _ in range(2))
    assert first == second


def test_a_saved_reasoner_answers_as_before_and_holds_no_pickle(reasoner: Reasoner, tmp_path: Path) -> None:
    reasoner.save(tmp_path / "run")
    assert np.array_equal(logits(Reasoner.load(tmp_path / "run"), PAIRS), logits(reasoner, PAIRS))
    kinds = {path.suffix for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert kinds <= {".json", ".safetensors", ".txt", ".jinja"}
    assert str(tmp_path) not in (tmp_path / "run" / "encoder_config.json").read_text()


@pytest.mark.parametrize("adapter", ["lora", "prefix"])
def test_an_adapter_is_put_on_its_own_base_wherever_the_run_is_opened(
    graph_folder: Path, tiny_encoder: Path, tmp_path: Path, adapter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_encoder, tmp_path / "encoder")
    monkeypatch.chdir(tmp_path)
    reasoner = make(graph_folder, Path("encoder"), adapter=adapter)
    reasoner.save(tmp_path / "runs" / "run")
    expected = logits(reasoner, PAIRS)
    monkeypatch.chdir(graph_folder)
    loaded = Reasoner.load(tmp_path / "runs" / "run", reasoner.graph)
    assert np.array_equal(logits(loaded, PAIRS), expected)
    loaded.save(tmp_path / "again")
    assert np.array_equal(logits(Reasoner.load(tmp_path / "again", reasoner.graph), PAIRS), expected)


def test_an_adapter_is_not_put_on_another_base(graph_folder: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_encoder, tmp_path / "encoder")
    make(graph_folder, tmp_path / "encoder", adapter="lora").save(tmp_path / "run")
    weights = load_file(tmp_path / "encoder" / "model.safetensors")
    name = "encoder.layer.1.output.dense.weight"
    save_file({**weights, name: weights[name] + 0.001}, tmp_path / "encoder" / "model.safetensors", {"format": "pt"})
    expected = json.loads((tmp_path / "run" / "config.json").read_text())["base_encoder"]["fingerprint"]
    with pytest.raises(CheckpointError, match=f"adapter for an encoder with fingerprint {expected}, found one with"):
        Reasoner.load(tmp_path / "run")
    shutil.rmtree(tmp_path / "encoder")
    with pytest.raises(CheckpointError, match="holds an adapter without its base encoder, expected that in .*encoder"):
        Reasoner.load(tmp_path / "run")


def test_a_triple_added_to_the_graph_counts_without_training(
    graph_folder: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    shutil.copytree(graph_folder, tmp_path / "graph")
    make(tmp_path / "graph", tiny_encoder).save(tmp_path / "run")
    pair = ("A zither is here.", "An instrument is here.")
    (before,) = Reasoner.load(tmp_path / "run").predict([pair])
    edit_graph(tmp_path / "graph", "add", "zither", "ex:hypernym", "string instrument")
    (after,) = Reasoner.load(tmp_path / "run").predict([pair])
    assert before.evidence == ()
    assert [str(item.path) for item in after.evidence] == [
        "zither -[hypernym]-> string instrument -[hypernym]-> instrument"
    ]
    assert after.evidence[0].path.source_lines()[0] == "edits.jsonl:1"


def test_names_of_an_example_link_invented_words(reasoner: Reasoner) -> None:
    names = {"gavorn": "ex:violin", "pelit": "ex:instrument"}
    (answer,) = reasoner.predict_examples([NLIExample("A gavorn is here.", "A pelit is here.", names=names)])
    assert answer.evidence[0].start.text == "gavorn"
    assert answer.evidence[0].end.text == "pelit"


def test_every_shown_edge_resolves_to_a_line_that_states_it(reasoner: Reasoner, graph_folder: Path) -> None:
    lines = (graph_folder.parent / "toy.nt").read_text().splitlines()
    steps = [step for answer in reasoner.predict(PAIRS) for item in answer.evidence for step in item.path.steps]
    for step in steps:
        for source in step.sources:
            stated = lines[source.line - 1]
            assert f"<{step.head}>" in stated
            assert step.relation == "synonym" or f"<{step.tail}>" in stated


def test_two_way_tasks_have_two_labels(graph_folder: Path, tiny_encoder: Path) -> None:
    (answer,) = make(graph_folder, tiny_encoder, task="two-way").predict([PAIRS[0]])
    assert list(answer.probabilities) == [Label.ENTAILMENT, Label.NOT_ENTAILMENT]
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("evidence", ["verbalised", "tokens"])
def test_controls_that_mix_evidence_into_the_text_answer_without_it_too(
    graph_folder: Path, tiny_encoder: Path, evidence: str
) -> None:
    with_paths, without = make(graph_folder, tiny_encoder, evidence=evidence).predict([PAIRS[0], PAIRS[-1]])
    assert with_paths.answer != with_paths.text_answer
    assert without.answer == without.text_answer


@pytest.mark.parametrize("evidence", ["verbalised", "tokens"])
def test_the_text_answer_of_such_a_control_knows_nothing_of_the_paths(
    graph_folder: Path, tiny_encoder: Path, tmp_path: Path, evidence: str
) -> None:
    reasoner = make(graph_folder, tiny_encoder, evidence=evidence)
    (tmp_path / "facts.tsv").write_text("zither\tis a\tgavorn\n")
    build_graph([str(tmp_path / "facts.tsv")], tmp_path / "other")
    reasoner.save(tmp_path / "run")
    blind = Reasoner.load(tmp_path / "run", KnowledgeGraph.open(tmp_path / "other"))  # it has no path for these pairs
    text = [list(answer.text_answer.logits.values()) for answer in reasoner.predict(PAIRS[:4])]
    assert np.array(text) == pytest.approx(logits(blind, PAIRS[:4]), abs=1e-5)


def test_the_folder_of_another_model_is_not_replaced(reasoner: Reasoner, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(KGReasonError, match="found something other than a folder with encoder_config.json"):
        reasoner.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_another_graph_may_take_the_place_of_the_trained_one(reasoner: Reasoner, tmp_path: Path) -> None:
    reasoner.save(tmp_path / "run")
    (tmp_path / "facts.tsv").write_text("zither\tis a\tinstrument\n")
    build_graph([str(tmp_path / "facts.tsv")], tmp_path / "other")
    other = Reasoner.load(tmp_path / "run", KnowledgeGraph.open(tmp_path / "other"))
    (answer,) = other.predict([("A zither.", "An instrument.")])
    assert [str(item.path) for item in answer.evidence] == ["zither -[is a]-> instrument"]


def test_what_is_wrong_with_a_run_is_said(reasoner: Reasoner, tmp_path: Path, graph_folder: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(CheckpointError, match="config.json: missing, expected a folder made by kg-reason train"):
        Reasoner.load(run)
    with pytest.raises(CheckpointError, match="toy: found a graph, expected a run made by kg-reason train"):
        Reasoner.load(graph_folder)
    reasoner.save(run)
    weights = load_file(run / "model.safetensors")
    name = next(iter(weights))
    save_file({**weights, name: np.full_like(weights[name], np.nan)}, run / "model.safetensors")
    with pytest.raises(CheckpointError, match="holds values that are not finite"):
        Reasoner.load(run)
    save_file({key: value for key, value in weights.items() if key != name}, run / "model.safetensors")
    with pytest.raises(CheckpointError, match="is missing"):
        Reasoner.load(run)
    (run / "model.safetensors").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        Reasoner.load(run)


def test_a_graph_that_was_built_anew_is_refused_unless_it_is_named(reasoner: Reasoner, tmp_path: Path) -> None:
    reasoner.save(tmp_path / "run")
    saved = json.loads((tmp_path / "run" / "config.json").read_text())
    saved["graph"]["fingerprint"] = "0" * 16
    (tmp_path / "run" / "config.json").write_text(json.dumps(saved))
    with pytest.raises(CheckpointError, match="it was built anew since .* was trained; name it with --graph"):
        Reasoner.load(tmp_path / "run")
    assert Reasoner.load(tmp_path / "run", reasoner.graph).labels == reasoner.labels
