"""The account of a run: what the weights depend on, and whether two runs are the same."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kg_reason.config import ModelConfig, ReasonerConfig, TrainConfig
from kg_reason.errors import CheckpointError
from kg_reason.nli import Label, NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.training.run_record import (
    Evaluation,
    TrainFiles,
    TrainReport,
    check_same_run,
    describe_run,
    run_settings,
)

EXAMPLES = [
    NLIExample("a dog", "an animal", Label.ENTAILMENT),
    NLIExample("a dog", "a cat", Label.CONTRADICTION, category="animals", names={"cat": "ex:cat"}),
]
EVALUATION = Evaluation(
    step=3, epoch=0.5, train_loss=1.0, dev_loss=0.9, dev_accuracy=0.75, dev_text_accuracy=0.5, seconds=1.5
)
REPORT = TrainReport(
    num_examples=2, num_dev=1, num_steps=3, num_epochs=0.5, stopped_early=False, best_step=3, best_accuracy=0.75,
    curve=(EVALUATION,), seconds=1.5,
)  # fmt: skip


@pytest.fixture(scope="module")
def reasoner(toy_graph, tiny_encoder):
    return Reasoner.build(toy_graph, ReasonerConfig(model=ModelConfig(encoder=str(tiny_encoder), graph_dim=16)))


def settings(reasoner, config=None, examples=EXAMPLES, num_processes=1):
    return run_settings(reasoner, config or TrainConfig(), examples, EXAMPLES[:1], num_processes)


def test_settings_survive_json(reasoner):
    plain = settings(reasoner, TrainConfig(class_weights=("balanced",)))
    check_same_run(json.loads(json.dumps(plain)), plain)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": TrainConfig(encoder_lr=1.0)}, "training.encoder_lr: found 5e-05 in the checkpoint, expected 1.0"),
        ({"examples": EXAMPLES[:1]}, "examples.labels.contradiction: found 1 in the checkpoint, expected None"),
        ({"examples": EXAMPLES[::-1]}, "examples.sha256: found '"),
        ({"num_processes": 2}, "num_processes: found 1 in the checkpoint, expected 2"),
    ],
)
def test_a_difference_that_would_give_other_weights_is_named(reasoner, changes, message):
    with pytest.raises(CheckpointError, match=f"cannot resume: {message}"):
        check_same_run(settings(reasoner), settings(reasoner, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"premise": "a"}, {"hypothesis": "a"}, {"label": Label.NEUTRAL}, {"names": {"cat": "ex:dog"}},
    ],
)  # fmt: skip
def test_the_fingerprint_of_examples_covers_all_that_is_learned_from(reasoner, changes):
    changed = NLIExample(**{"premise": "a dog", "hypothesis": "a cat", "label": Label.CONTRADICTION, **changes})
    first, second = (settings(reasoner, examples=[example]) for example in (EXAMPLES[1], changed))
    assert first["examples"]["sha256"] != second["examples"]["sha256"]


def test_a_resumed_run_may_go_on_longer(reasoner):
    check_same_run(settings(reasoner), settings(reasoner, TrainConfig(num_epochs=9, max_steps=5, save_every=1)))


def test_the_account_is_plain_json_with_versions_and_results(reasoner):
    config = TrainConfig(seed=3, num_epochs=7)
    files = TrainFiles(examples=("train.jsonl", "more.tsv"), replay=("old.jsonl",))
    account = json.loads(json.dumps(describe_run(settings(reasoner, config), config, REPORT, "cpu", files)))
    assert account["files"] == {"examples": ["train.jsonl", "more.tsv"], "dev": [], "replay": ["old.jsonl"]}
    assert account["seed"] == 3
    assert account["training"] == config.to_json()
    assert account["graph"] == reasoner.graph.fingerprint
    assert account["examples"]["labels"] == {"contradiction": 1, "entailment": 1}
    assert {"python", "torch", "transformers", "torch_geometric", "kg_reason"} <= account["versions"].keys()
    assert account["report"]["curve"] == [EVALUATION.to_json()]
    assert account["device"] == "cpu"


def test_an_evaluation_survives_json():
    assert Evaluation.from_json(json.loads(json.dumps(EVALUATION.to_json()))) == EVALUATION


@pytest.mark.parametrize("values", [{}, {"step": 1}, {**EVALUATION.to_json(), "step": "1"}])
def test_an_evaluation_that_is_none_is_refused(values):
    with pytest.raises(CheckpointError, match="curve: found .* expected the numbers dev_accuracy, "):
        Evaluation.from_json(values)


def test_the_best_evaluation_is_the_one_whose_weights_were_kept():
    other = replace(EVALUATION, step=5)
    assert replace(REPORT, curve=(EVALUATION, other), best_step=5).best is other
    assert replace(REPORT, curve=()).best is None
