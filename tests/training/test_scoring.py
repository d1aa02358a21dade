"""Loss and dev score: what they count, and what they say of controls that mix the paths into the text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from kg_reason.config import ModelConfig, ReasonerConfig, TrainConfig
from kg_reason.errors import ConfigError
from kg_reason.model.fused import FusedOutput
from kg_reason.reasoner import Reasoner
from kg_reason.training.scoring import batch_loss, score_dev
from kg_reason.training.setup import accelerate_run, build_loop
from tests.training.test_loop import DEV, EXAMPLES

CONFIG = TrainConfig(batch_size=3, num_workers=1)


@pytest.fixture
def scored(toy_graph, tiny_encoder, tmp_path):
    """Score dev with an untrained model whose paths weigh much; returns the reasoner and the score."""

    def score(evidence, change=lambda model: None):
        model = ModelConfig(encoder=str(tiny_encoder), graph_dim=16, gate_bias=9.0, evidence=evidence)
        reasoner = Reasoner.build(toy_graph, ReasonerConfig(model=model), seed=2)
        change(reasoner.model)
        with accelerate_run(CONFIG, tmp_path) as accelerator, ThreadPoolExecutor(1) as thread:
            loop = build_loop(reasoner, (EXAMPLES, DEV), CONFIG, accelerator, thread, show_progress=False)
            return reasoner, score_dev(loop, 0)

    return score


@pytest.mark.parametrize("evidence", ["paths", "text", "counts", "verbalised", "tokens"])
def test_dev_scores_are_those_of_the_reasoner_fused_and_from_text_alone(scored, evidence):
    reasoner, score = scored(evidence)
    right = np.array([reasoner.labels.index(example.label) for example in DEV])
    expected = reasoner.score(DEV, reasoner.ground_all(DEV))
    assert score.accuracy == pytest.approx(np.mean(expected.logits.argmax(1) == right))
    assert score.text_accuracy == pytest.approx(np.mean(expected.text_logits.argmax(1) == right))


def test_the_dev_loss_is_the_mean_over_the_examples_whatever_the_batches(scored):
    reasoner, score = scored("paths")
    scores = reasoner.score(DEV, reasoner.ground_all(DEV))
    right = [reasoner.labels.index(example.label) for example in DEV]
    fused, text = (
        -torch.log_softmax(torch.tensor(logits), dim=1)[range(len(DEV)), right].mean() for logits in scores
    )
    assert score.loss == pytest.approx(float(fused + CONFIG.text_loss_weight * text), abs=1e-5)


def test_a_dev_loss_that_is_not_finite_is_refused(scored):
    def spoil(model):
        torch.nn.init.constant_(model.text_head[-1].bias, float("inf"))

    with pytest.raises(ConfigError, match="the loss on dev is not finite at step 0: lower encoder_lr"):
        scored("text", spoil)


def labelled(*labels, text=None):
    return SimpleNamespace(labels=torch.tensor(labels), text_labels=torch.tensor(labels if text is None else text))


def test_pairs_without_a_label_have_no_loss():
    logits = torch.tensor([[1.0, 2.0, 3.0], [3.0, 1.0, 0.0]])
    output = FusedOutput(logits, logits, logits.new_zeros(0, 3), logits.new_zeros(0))
    both = batch_loss(output, labelled(0, -100), None, CONFIG)
    one = FusedOutput(logits[:1], logits[:1], *output[2:])
    assert torch.equal(both, batch_loss(one, labelled(0), None, CONFIG))


def test_the_text_is_not_blamed_for_what_only_the_graph_can_tell():
    logits = torch.tensor([[1.0, 2.0, 3.0]])
    output = FusedOutput(logits, logits, logits.new_zeros(0, 3), logits.new_zeros(0))
    alone = batch_loss(output, labelled(0, text=[-100]), None, CONFIG)
    both = batch_loss(output, labelled(0), None, CONFIG)
    assert torch.isclose(both, (1 + CONFIG.text_loss_weight) * alone)
