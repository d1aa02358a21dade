"""Training: resuming changes nothing, the best weights stay, every setting counts, and refusals say what to do."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from kg_reason.config import ADAPTERS, ModelConfig, ReasonerConfig, TrainConfig
from kg_reason.errors import CheckpointError, ConfigError, MissingExtraError
from kg_reason.model import gnn
from kg_reason.model.adapter import MERGEABLE, base_names, is_adapter
from kg_reason.nli import Label, NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.training.loop import train
from kg_reason.training.random_state import rng_state, set_rng_state
from kg_reason.training.replay import draw_replay

PAIRS = [
    ("violin", "instrument", Label.ENTAILMENT), ("instrument", "cello", Label.NEUTRAL),
    ("man", "woman", Label.CONTRADICTION), ("cello", "string instrument", Label.ENTAILMENT),
    ("dog", "dog", Label.ENTAILMENT), ("animal", "cat", Label.NEUTRAL), ("hot", "cold", Label.CONTRADICTION),
]  # fmt: skip
EXAMPLES = [
    NLIExample(f"{article} {one} is here .", f"the {two} is here .", label)
    for article in ("the", "a", "every")
    for one, two, label in PAIRS
][:20]
DEV = EXAMPLES[::3]
CONFIG = TrainConfig(num_epochs=2, batch_size=4, encoder_lr=1e-3, graph_lr=1e-2, num_workers=1)  # 5 steps an epoch


@pytest.fixture(autouse=True)
def own_random_states():
    state = rng_state()
    yield
    set_rng_state(state)


@pytest.fixture
def make_reasoner(toy_graph, tiny_encoder):
    def make(seed=0, **settings):
        model = ModelConfig(encoder=str(tiny_encoder), graph_dim=16, **settings)
        return Reasoner.build(toy_graph, ReasonerConfig(model=model), seed=seed)

    return make


@pytest.fixture
def fit(make_reasoner, tmp_path):
    """Train a fresh reasoner under some settings; returns the reasoner and the report."""

    def run(config=CONFIG, *, examples=EXAMPLES, dev=(), name="run", resume=False, reasoner=None, replay=()):
        reasoner = reasoner or make_reasoner()
        report = train(
            reasoner, examples, dev, config, str(tmp_path / name), replay=replay, resume=resume, show_progress=False
        )
        return reasoner, report

    return run


def same_weights(one, other):
    mine, theirs = one.model.state_dict(), other.model.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def interrupt_after(reasoner, num_steps, accumulation_steps=1):
    """Press Ctrl-C in the middle of the step after so many."""
    seen = []

    def count(module, inputs):
        seen.append(module.training)
        if sum(seen) > num_steps * accumulation_steps:
            raise KeyboardInterrupt

    reasoner.model.register_forward_pre_hook(count)
    return reasoner


# ---- resuming


@pytest.mark.parametrize(
    ("changes", "num_steps"),
    [
        ({"max_steps": 6, "save_every": 3}, 3),  # in the middle of the first epoch
        ({"max_steps": 6, "save_every": 3, "optimizer": "sgd", "schedule": "cosine"}, 3),
        ({"max_steps": 6, "save_every": 3, "optimizer": "adafactor", "freeze": "embeddings"}, 3),
        ({}, 7),  # two steps after the end of the first epoch
        ({"save_every": 7, "eval_every": 2}, 8),  # in the middle of the second
        ({"accumulation_steps": 2, "save_every": 2}, 2),
        ({"accumulation_steps": 2, "save_every": 1, "class_weights": ("balanced",)}, 4),
    ],
)
def test_a_resumed_run_comes_to_the_weights_of_an_uninterrupted_one(fit, make_reasoner, changes, num_steps):
    config = replace(CONFIG, **changes)
    expected, expected_report = fit(config, dev=DEV, name="whole")
    reasoner = interrupt_after(make_reasoner(), num_steps, config.accumulation_steps)
    with pytest.raises(KeyboardInterrupt):
        fit(config, dev=DEV, name="cut", reasoner=reasoner)
    found, report = fit(config, dev=DEV, name="cut", resume=True, reasoner=make_reasoner(seed=1))
    assert same_weights(found, expected)
    timeless = [replace(item, seconds=0.0) for item in report.curve]
    assert timeless == [replace(item, seconds=0.0) for item in expected_report.curve]
    assert replace(report, curve=(), seconds=0.0) == replace(expected_report, curve=(), seconds=0.0)


def test_a_run_may_be_interrupted_twice(fit, make_reasoner):
    config = replace(CONFIG, save_every=2)
    expected, _ = fit(config, name="whole")
    for resume, num_steps in ((False, 3), (True, 4)):
        with pytest.raises(KeyboardInterrupt):
            fit(config, name="cut", resume=resume, reasoner=interrupt_after(make_reasoner(), num_steps))
    assert same_weights(fit(config, name="cut", resume=True)[0], expected)


def test_an_interrupted_run_leaves_its_checkpoint_and_no_run_folder(fit, make_reasoner, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(replace(CONFIG, save_every=2), reasoner=interrupt_after(make_reasoner(), 5))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.training"]
    checkpoint = tmp_path / "run.training" / "checkpoint"
    assert sorted(path.name for path in checkpoint.iterdir()) == ["state.json", "step-00000004.safetensors"]


def test_a_finished_run_leaves_nothing_but_its_folder(fit, tmp_path):
    fit(dev=DEV)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_interrupted_run_is_not_overwritten(fit, make_reasoner):
    with pytest.raises(KeyboardInterrupt):
        fit(replace(CONFIG, save_every=2), reasoner=interrupt_after(make_reasoner(), 5))
    with pytest.raises(CheckpointError, match=r"run.training: holds a run interrupted after step 4; resume"):
        fit(CONFIG)


def test_resuming_without_a_checkpoint_is_refused(fit):
    with pytest.raises(CheckpointError, match=r"run.training: found no checkpoint/state.json, nothing to resume"):
        fit(resume=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"graph_lr": 0.5}, "training.graph_lr: found 0.01"), ({"seed": 1}, "training.seed: found 0 in the checkpoint")],
)
def test_resuming_under_other_settings_is_refused(fit, make_reasoner, changes, message):
    with pytest.raises(KeyboardInterrupt):
        fit(replace(CONFIG, save_every=2), reasoner=interrupt_after(make_reasoner(), 3))
    with pytest.raises(CheckpointError, match=f"cannot resume: {message}"):
        fit(replace(CONFIG, **changes), resume=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": 3}, "found step 3 and 1 random states, expected step 2 .epoch 0 of 5 steps. and 1"),
        ({"rng": []}, "found step 2 and 0 random states"),
        ({"rng": [{}]}, "damaged random state"),
        ({"curve": [{"step": 1}]}, "curve: found"),
    ],
)
def test_resuming_from_a_state_that_contradicts_itself_is_refused(fit, make_reasoner, tmp_path, changes, message):
    with pytest.raises(KeyboardInterrupt):
        fit(replace(CONFIG, save_every=2), reasoner=interrupt_after(make_reasoner(), 3))
    path = tmp_path / "run.training" / "checkpoint" / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(CheckpointError, match=message):
        fit(resume=True)


# ---- learning


def test_training_learns_its_examples(fit):
    reasoner, report = fit(replace(CONFIG, num_epochs=25), dev=EXAMPLES)
    assert report.best_accuracy > 0.9
    assert report.curve[-1].train_loss < 0.5 * report.curve[0].train_loss


def test_the_best_weights_on_dev_are_kept(fit, toy_graph, tmp_path):
    reasoner, report = fit(replace(CONFIG, num_epochs=6, graph_lr=0.05), dev=DEV)
    assert report.best_accuracy == max(item.dev_accuracy for item in report.curve)
    best = next(item for item in report.curve if item.step == report.best_step)
    assert best.dev_accuracy == report.best_accuracy
    right = [reasoner.labels.index(example.label) for example in DEV]
    scores = reasoner.score(DEV, reasoner.ground_all(DEV))
    assert np.mean(scores.logits.argmax(1) == right) == report.best_accuracy
    loaded = Reasoner.load(tmp_path / "run", toy_graph)
    assert np.array_equal(loaded.score(DEV, loaded.ground_all(DEV)).logits, scores.logits)


def test_without_dev_the_last_weights_are_kept(fit):
    reasoner, report = fit()
    assert report.best_accuracy is None
    assert (report.num_steps, report.best_step, report.curve) == (10, 10, ())
    assert not reasoner.model.training


def test_the_same_seed_gives_the_same_weights(fit):
    assert same_weights(fit(name="one")[0], fit(name="two")[0])


AGAIN = """
import sys
from pathlib import Path
from kg_reason.config import ModelConfig, ReasonerConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.reasoner import Reasoner
from kg_reason.training.loop import train
from tests.conftest import toy_triples
from tests.training.test_loop import CONFIG, DEV, EXAMPLES

config = ReasonerConfig(model=ModelConfig(encoder=sys.argv[1], graph_dim=16))
reasoner = Reasoner.build(KnowledgeGraph.from_triples(toy_triples()), config)
train(reasoner, EXAMPLES, DEV, CONFIG, Path(sys.argv[2]), show_progress=False)
"""


def test_the_same_seed_gives_the_same_weights_in_another_process(fit, tiny_encoder, tmp_path):
    fit(dev=DEV, name="here")
    (tmp_path / "again.py").write_text(AGAIN)
    command = [sys.executable, str(tmp_path / "again.py"), str(tiny_encoder), str(tmp_path / "there")]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONHASHSEED": "7"}
    subprocess.run(command, env=here, capture_output=True, check=True)
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("here", "there"))
    assert one == other


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1}, {"num_epochs": 3}, {"max_steps": 4}, {"batch_size": 5}, {"accumulation_steps": 2},
        {"optimizer": "sgd"}, {"optimizer": "adafactor"}, {"encoder_lr": 2e-3}, {"graph_lr": 2e-2},
        {"weight_decay": 0.5}, {"warmup_fraction": 0.5}, {"schedule": "cosine"}, {"schedule": "constant"},
        {"max_grad_norm": 0.1}, {"max_grad_norm": 0.0}, {"text_loss_weight": 0.0}, {"freeze": "encoder"},
        {"freeze": "embeddings"}, {"freeze": "layers", "freeze_layers": 1}, {"freeze": "layers", "freeze_layers": 2},
        {"freeze": "head-only"}, {"class_weights": ("balanced",)}, {"class_weights": ("neutral=3",)},
    ],
    ids=str,
)  # fmt: skip
def test_every_setting_that_shapes_training_changes_the_weights(fit, changes):
    assert not same_weights(fit(name="base")[0], fit(replace(CONFIG, **changes), name="other")[0])


def without_dropout(reasoner, monkeypatch):
    monkeypatch.setattr(gnn, "RESIDUAL_DROPOUT", 0.0)
    monkeypatch.setattr(gnn, "KIND_DROPOUT", 0.0)
    for module in reasoner.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return reasoner


def close_weights(one, other):
    mine, theirs = one.model.state_dict(), other.model.state_dict()
    return all(torch.allclose(mine[name], theirs[name], rtol=1e-4, atol=1e-6) for name in mine)


def test_accumulated_batches_give_the_gradient_of_one_large_batch(fit, make_reasoner, monkeypatch):
    config = replace(CONFIG, optimizer="sgd", batch_size=20, class_weights=("neutral=3",), renamed_relations=0.0)
    whole, _ = fit(config, name="whole", reasoner=without_dropout(make_reasoner(), monkeypatch))
    config = replace(config, batch_size=7, accumulation_steps=3)
    parts, _ = fit(config, name="parts", reasoner=without_dropout(make_reasoner(), monkeypatch))
    assert close_weights(parts, whole)
    assert not close_weights(parts, make_reasoner())


def test_examples_without_a_label_are_left_out(fit):
    unlabelled = NLIExample("a dog is here .", "the dog is not here .")
    expected, _ = fit(name="base", dev=DEV)
    found, report = fit(name="other", examples=[unlabelled, *EXAMPLES, unlabelled], dev=[*DEV, unlabelled])
    assert (report.num_examples, report.num_dev) == (len(EXAMPLES), len(DEV))
    assert same_weights(found, expected)


def test_one_example_is_enough(fit):
    _, report = fit(examples=EXAMPLES[:1], dev=EXAMPLES[:1])
    assert (report.num_examples, report.num_steps) == (1, 2)
    assert [item.dev_accuracy in (0.0, 1.0) for item in report.curve] == [True, True]


def test_two_way_tasks_train_on_three_way_labels(fit, make_reasoner):
    reasoner, report = fit(reasoner=make_reasoner(task="two-way"), dev=DEV)
    assert report.num_examples == len(EXAMPLES)


@pytest.mark.parametrize("evidence", ["text", "counts", "verbalised", "tokens"])
def test_the_controls_train_and_resume_alike(fit, make_reasoner, evidence):
    config = replace(CONFIG, save_every=2)
    expected, _ = fit(config, name="whole", reasoner=make_reasoner(evidence=evidence))
    with pytest.raises(KeyboardInterrupt):
        fit(config, name="cut", reasoner=interrupt_after(make_reasoner(evidence=evidence), 3))
    assert same_weights(fit(config, name="cut", resume=True, reasoner=make_reasoner(evidence=evidence))[0], expected)


@pytest.mark.parametrize("adapter", ADAPTERS[1:])
def test_an_adapter_and_the_graph_parts_learn_and_the_encoder_stays(fit, make_reasoner, adapter):
    before = {name: value.clone() for name, value in make_reasoner(adapter=adapter).model.state_dict().items()}
    reasoner, _ = fit(CONFIG, reasoner=make_reasoner(adapter=adapter))
    base = base_names(reasoner.model)
    same = {name for name, value in reasoner.model.state_dict().items() if torch.equal(value, before[name])}
    assert same == base
    assert len(base) > 30


@pytest.mark.parametrize("adapter", ADAPTERS[1:])
def test_a_run_with_an_adapter_is_small_and_answers_as_it_did(fit, make_reasoner, toy_graph, tmp_path, adapter):
    reasoner, _ = fit(CONFIG, dev=DEV, reasoner=make_reasoner(adapter=adapter))
    make_reasoner().save(tmp_path / "whole")
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("run", "whole")]
    encoder = sum(value.numel() for value in make_reasoner().model.encoder.parameters()) * 4
    assert sizes[0] < sizes[1] - 0.7 * encoder
    loaded = Reasoner.load(tmp_path / "run", toy_graph)
    logits = [each.score(DEV, each.ground_all(DEV)).logits for each in (loaded, reasoner)]
    assert np.array_equal(*logits)
    assert f"{adapter}, " in (tmp_path / "run" / "README.md").read_text()


@pytest.mark.parametrize(
    ("adapter", "num_steps"), [("lora", 3), ("adalora", 3), ("adalora", 9), ("prefix", 3), ("ia3", 3)]
)
def test_adapters_resume_to_the_same_weights_without_their_base(fit, make_reasoner, tmp_path, adapter, num_steps):
    config = replace(CONFIG, save_every=2, num_epochs=3)  # adalora's last allocation comes after 7 of 15 steps
    expected, _ = fit(config, dev=DEV, name="whole", reasoner=make_reasoner(adapter=adapter))
    with pytest.raises(KeyboardInterrupt):
        fit(config, dev=DEV, name="cut", reasoner=interrupt_after(make_reasoner(adapter=adapter), num_steps))
    (kept,) = (tmp_path / "cut.training" / "checkpoint").glob("step-*.safetensors")
    assert not [name for name in load_file(kept) if "word_embeddings" in name]
    found, _ = fit(config, dev=DEV, name="cut", resume=True, reasoner=make_reasoner(seed=1, adapter=adapter))
    assert same_weights(found, expected)


@pytest.mark.parametrize("adapter", MERGEABLE)
def test_a_merged_run_is_whole(fit, make_reasoner, toy_graph, tmp_path, adapter):
    config = replace(CONFIG, merge_adapter=True)
    apart, _ = fit(CONFIG, name="apart", reasoner=make_reasoner(adapter=adapter))
    fit(config, reasoner=make_reasoner(adapter=adapter))
    loaded = Reasoner.load(tmp_path / "run", toy_graph)
    assert loaded.config.model.adapter == "none"
    assert loaded.model.state_dict().keys() == make_reasoner().model.state_dict().keys()
    logits = [each.score(DEV, each.ground_all(DEV)).logits for each in (loaded, apart)]
    assert np.allclose(*logits, atol=1e-4)
    assert f"{adapter}, merged into the encoder" in (tmp_path / "run" / "README.md").read_text()


@pytest.mark.parametrize("adapter", ["none", "prefix"])
def test_what_cannot_be_merged_is_told_before_the_training(fit, make_reasoner, adapter):
    with pytest.raises(ConfigError, match=f"merge_adapter: found adapter {adapter}, expected one of lora, ada"):
        fit(replace(CONFIG, merge_adapter=True), reasoner=make_reasoner(adapter=adapter))


def test_an_adapter_has_a_rate_of_its_own(fit, make_reasoner):
    still = fit(replace(CONFIG, adapter_lr=0.0), name="still", reasoner=make_reasoner(adapter="lora"))[0]
    faster = fit(replace(CONFIG, adapter_lr=1e-2), name="faster", reasoner=make_reasoner(adapter="lora"))[0]
    before = make_reasoner(adapter="lora").model.state_dict()
    moved = [
        {name for name, value in each.model.state_dict().items() if is_adapter(name) and not value.equal(before[name])}
        for each in (still, faster)
    ]
    assert moved[0] == set()
    assert moved[1] == set(filter(is_adapter, before))


@pytest.mark.parametrize("freeze", ["encoder", "head-only"])
def test_an_adapter_beside_another_freezing_is_refused(fit, make_reasoner, freeze):
    with pytest.raises(ConfigError, match=f"freeze: found {freeze}, expected none with an adapter"):
        fit(replace(CONFIG, freeze=freeze), reasoner=make_reasoner(adapter="lora"))


def test_an_adapter_is_not_resumed_on_another_base(fit, make_reasoner):
    config = replace(CONFIG, save_every=2)
    with pytest.raises(KeyboardInterrupt):
        fit(config, reasoner=interrupt_after(make_reasoner(adapter="lora"), 3))
    other = make_reasoner(adapter="lora")
    with torch.no_grad():
        other.model.encoder.embeddings.word_embeddings.weight[7, 3] += 1.0
    with pytest.raises(CheckpointError, match="cannot resume: base_encoder: found '"):
        fit(config, resume=True, reasoner=other)


def test_a_run_stops_when_dev_does_not_get_better(fit):
    slow = replace(CONFIG, num_epochs=10, encoder_lr=0.0, graph_lr=0.0)
    stopped, went_on = fit(replace(slow, patience=2), dev=DEV)[1], fit(slow, dev=DEV, name="other")[1]
    assert (stopped.stopped_early, stopped.num_steps, len(stopped.curve)) == (True, 15, 3)
    assert (went_on.stopped_early, went_on.num_steps, len(went_on.curve)) == (False, 50, 10)


def test_dev_is_scored_as_often_as_asked(fit):
    assert [item.step for item in fit(dev=DEV)[1].curve] == [5, 10]
    assert [item.step for item in fit(replace(CONFIG, eval_every=4), dev=DEV, name="other")[1].curve] == [4, 8, 10]


def test_groundings_are_kept_where_asked(fit, tmp_path):
    fit(replace(CONFIG, cache_dir=str(tmp_path / "groundings")))
    assert any((tmp_path / "groundings").iterdir())


# ---- continuing

STILL = replace(CONFIG, encoder_lr=0.0, graph_lr=0.0)


def test_a_loaded_run_is_trained_on_from_its_weights(fit, toy_graph, tmp_path):
    first, _ = fit(name="first")
    loaded = Reasoner.load(tmp_path / "first", toy_graph)
    kept, _ = fit(STILL, name="kept", reasoner=loaded)
    groundings = first.ground_all(EXAMPLES)
    expected = first.score(EXAMPLES, groundings)
    found = Reasoner.load(tmp_path / "kept", toy_graph).score(EXAMPLES, groundings)
    np.testing.assert_array_equal(found.logits, expected.logits)
    np.testing.assert_array_equal(found.text_logits, expected.text_logits)
    moved, _ = fit(name="moved", reasoner=Reasoner.load(tmp_path / "first", toy_graph))
    assert not same_weights(moved, kept)


def test_a_continued_run_says_what_it_continued_from(fit, toy_graph, tmp_path):
    fit(name="first")
    fit(STILL, name="second", reasoner=Reasoner.load(tmp_path / "first", toy_graph))
    digest = hashlib.sha256((tmp_path / "first" / "model.safetensors").read_bytes()).hexdigest()
    accounts = [json.loads((tmp_path / name / "training.json").read_text()) for name in ("first", "second")]
    assert [account["continued_from"] for account in accounts] == [None, {"run": "first", "sha256": digest}]
    card = (tmp_path / "second" / "README.md").read_text()
    assert f"Continued from the weights of `first` (SHA-256 `{digest}`)." in card
    assert "Continued" not in (tmp_path / "first" / "README.md").read_text()


def test_a_reasoner_trained_twice_says_so_too(fit, tmp_path):
    reasoner, _ = fit(name="first")
    fit(STILL, name="second", reasoner=reasoner)
    assert json.loads((tmp_path / "second" / "training.json").read_text())["continued_from"]["run"] == "first"


def test_a_share_of_earlier_examples_is_mixed_in_and_accounted_for(fit, tmp_path):
    fresh, earlier = EXAMPLES[:8], EXAMPLES[8:]
    config = replace(CONFIG, replay_share=0.2)
    found, report = fit(config, examples=fresh, replay=earlier)
    drawn = draw_replay(fresh, earlier, 0.2, CONFIG.seed)
    assert (report.num_examples, report.num_replayed, len(drawn)) == (10, 2, 2)
    expected, plain_report = fit(config, examples=[*fresh, *drawn], name="by_hand")
    assert same_weights(found, expected)
    assert plain_report.num_replayed == 0
    assert json.loads((tmp_path / "run" / "training.json").read_text())["replay"]["num_examples"] == 2
    assert "| replayed among them | made in the program | 2 |" in (tmp_path / "run" / "README.md").read_text()
    other, _ = fit(replace(config, replay_share=0.5), examples=fresh, replay=earlier, name="more")
    assert not same_weights(found, other)


def test_a_continued_run_with_replay_resumes_to_the_same_weights(fit, toy_graph, tmp_path):
    config = replace(CONFIG, save_every=2)
    parts = {"examples": EXAMPLES[:10], "replay": EXAMPLES[10:]}
    fit(name="first")

    def load():
        return Reasoner.load(tmp_path / "first", toy_graph)

    expected, _ = fit(config, name="whole", reasoner=load(), **parts)
    with pytest.raises(KeyboardInterrupt):
        fit(config, name="cut", reasoner=interrupt_after(load(), 3), **parts)
    with pytest.raises(CheckpointError, match="cannot resume: continued_from: found {'run': 'first'"):
        fit(config, name="cut", resume=True, **parts)
    found, _ = fit(config, name="cut", resume=True, reasoner=load(), **parts)
    assert same_weights(found, expected)


# ---- telling


def test_the_account_of_a_run_lies_beside_its_weights(fit, tmp_path):
    _, report = fit(dev=DEV)
    text = (tmp_path / "run" / "training.json").read_text()
    account = json.loads(text)
    assert account["report"] == report.to_json()
    assert account["training"] == CONFIG.to_json()
    assert account["examples"]["num_examples"] == len(EXAMPLES)
    assert account["dev"]["labels"] == {"contradiction": 2, "entailment": 3, "neutral": 2}
    assert str(tmp_path) not in text


def test_the_card_of_a_run_lies_beside_its_weights(fit, tmp_path):
    _, report = fit(dev=DEV)
    card = (tmp_path / "run" / "README.md").read_text()
    assert f"{report.best.dev_accuracy:.1%}" in card
    assert str(tmp_path / "run") not in card


def test_progress_goes_to_standard_error_with_loss_and_dev_score(make_reasoner, tmp_path, capsys):
    train(make_reasoner(), EXAMPLES, DEV, CONFIG, tmp_path / "run")
    told = capsys.readouterr()
    assert told.out == ""
    assert "training: 100%" in told.err
    assert "loss=" in told.err
    assert "dev=" in told.err


def test_without_progress_nothing_is_told(fit, capsys):
    capsys.readouterr()
    fit(dev=DEV)
    assert "training" not in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="needs the extra [track]")
def test_tensorboard_curves_lie_in_the_run(fit, tmp_path):
    fit(replace(CONFIG, tracker="tensorboard"), dev=DEV)
    assert list((tmp_path / "run" / "logs").rglob("events.out.tfevents.*"))


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="wandb is installed")
def test_a_tracker_that_is_not_installed_names_its_extra(fit):
    with pytest.raises(MissingExtraError, match=r"wandb is not installed: pip install 'kg_reason\[track\]'"):
        fit(replace(CONFIG, tracker="wandb"))


# ---- refusals


def test_a_loss_that_is_not_finite_names_step_and_settings(fit):
    config = replace(CONFIG, optimizer="sgd", encoder_lr=1e30, max_grad_norm=0.0, warmup_fraction=0.0)
    with pytest.raises(ConfigError, match=r"the (loss|gradient) is not finite at step 2: lower encoder_lr .found 1e"):
        fit(config)


def test_weights_that_are_not_finite_after_the_last_step_are_not_saved(fit, tmp_path):
    config = replace(CONFIG, optimizer="sgd", graph_lr=3e38, text_loss_weight=1e6, max_grad_norm=0.0, max_steps=1)
    with pytest.raises(ConfigError, match="the weights are not finite after step 1: lower encoder_lr"):
        fit(config)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("examples", [[], [NLIExample("a", "b")]])
def test_training_without_labelled_examples_is_refused_and_leaves_nothing(fit, examples, tmp_path):
    with pytest.raises(ConfigError, match="examples: found 0 labelled pairs among .*, expected at least 1"):
        fit(examples=examples)
    assert list(tmp_path.iterdir()) == []


def test_dev_examples_without_any_label_are_refused(fit):
    with pytest.raises(ConfigError, match="dev: found no labelled pair among 2, expected some or no dev examples"):
        fit(dev=[NLIExample("a", "b"), NLIExample("b", "c")])


def test_the_folder_of_another_model_is_not_taken_for_a_run(fit, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="holds no run, expected a new folder or an earlier run"):
        fit()


def test_a_run_that_stopped_early_and_was_cut_off_before_its_end_resumes_to_the_same(fit, make_reasoner, monkeypatch):
    config = replace(CONFIG, num_epochs=10, patience=2, encoder_lr=0.0, graph_lr=0.0)
    expected, expected_report = fit(config, dev=DEV, name="whole")
    reasoner = make_reasoner()

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(reasoner, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(config, dev=DEV, name="cut", reasoner=reasoner)
    found, report = fit(config, dev=DEV, name="cut", resume=True)
    assert same_weights(found, expected)
    assert (report.num_steps, report.stopped_early) == (expected_report.num_steps, True)


def test_a_place_that_cannot_be_written_is_told_before_the_training(fit, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="out: cannot write to .*run.training .Not a directory"):
        fit(name="file/run")


@pytest.mark.parametrize("name", ["patience", "eval_every"])
def test_what_needs_dev_is_refused_without_it(fit, name):
    with pytest.raises(ConfigError, match=f"{name}: found 2 without labelled dev examples"):
        fit(replace(CONFIG, **{name: 2}))


def test_a_folder_with_something_else_is_left_alone(fit, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds no run, expected a new folder or an earlier run"):
        fit()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_without_a_name_is_refused(make_reasoner):
    with pytest.raises(ConfigError, match="out: found '.', expected a folder with a name"):
        train(make_reasoner(), EXAMPLES, [], CONFIG, Path())


@pytest.mark.skipif(torch.cuda.is_available(), reason="the device has fp16")
def test_fp16_without_a_gpu_is_refused(fit):
    with pytest.raises(ConfigError, match="mixed_precision: fp16 needs a GPU"):
        fit(replace(CONFIG, mixed_precision="fp16"))


def test_bf16_trains_where_the_hardware_has_it_and_is_refused_elsewhere(fit):
    flags = torch.cpu.get_capabilities()
    if torch.cuda.is_available() or any(flags.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16")):
        expected, _ = fit(name="base")
        found, _ = fit(replace(CONFIG, mixed_precision="bf16"), name="other")
        assert not same_weights(found, expected)
        assert all(parameter.dtype == torch.float32 for parameter in found.model.parameters())
        assert "forward" not in vars(found.model)
    else:
        with pytest.raises(ConfigError, match="mixed_precision: bf16 is not in the hardware of this cpu"):
            fit(replace(CONFIG, mixed_precision="bf16"))


# ---- other machines


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("mixed_precision", ["no", "bf16", "fp16"])
def test_training_on_a_gpu_learns_and_resumes(fit, make_reasoner, mixed_precision):
    config = replace(CONFIG, num_epochs=25, save_every=20, mixed_precision=mixed_precision)
    with pytest.raises(KeyboardInterrupt):
        fit(config, dev=EXAMPLES, reasoner=interrupt_after(make_reasoner(), 30))
    reasoner, report = fit(config, dev=EXAMPLES, resume=True)
    assert next(reasoner.model.parameters()).is_cuda
    assert report.best_accuracy > 0.9
    assert reasoner.score(DEV, reasoner.ground_all(DEV)).logits.shape == (len(DEV), 3)


LAUNCHED = """
import sys
from pathlib import Path
from pytest import MonkeyPatch
from kg_reason.config import ModelConfig, ReasonerConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.reasoner import Reasoner
from kg_reason.training.loop import train
from tests.conftest import toy_triples
from tests.training.test_loop import DEV, EXAMPLES, SHARED, replace, without_dropout

config = ReasonerConfig(model=ModelConfig(encoder=sys.argv[1], graph_dim=16))
reasoner = Reasoner.build(KnowledgeGraph.from_triples(toy_triples()), config)
settings = replace(SHARED, batch_size=SHARED.batch_size // 2)
train(without_dropout(reasoner, MonkeyPatch()), EXAMPLES, DEV, settings, Path(sys.argv[2]))
"""
SHARED = replace(CONFIG, optimizer="sgd", batch_size=20, class_weights=("balanced",))


def test_two_processes_learn_what_one_learns_with_the_whole_batch(
    fit, make_reasoner, toy_graph, tiny_encoder, tmp_path, monkeypatch
):
    one, report = fit(SHARED, dev=DEV, name="one", reasoner=without_dropout(make_reasoner(), monkeypatch))
    (tmp_path / "launched.py").write_text(LAUNCHED)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    script = [tmp_path / "launched.py", tiny_encoder, tmp_path / "two"]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    here["ACCELERATE_USE_CPU"] = "true"
    done = subprocess.run([*launch, *map(str, script)], env=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("training:   0%") == 1
    account = json.loads((tmp_path / "two" / "training.json").read_text())
    assert account["num_processes"] == 2
    assert [item["dev_accuracy"] for item in account["report"]["curve"]] == [item.dev_accuracy for item in report.curve]
    assert close_weights(Reasoner.load(tmp_path / "two", toy_graph), one)
