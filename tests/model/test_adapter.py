"""Adapters of the encoder: what they add, what they leave alone, and how they are told apart by name."""

from __future__ import annotations

import sys

import pytest
import torch
from torch.nn import functional

from kg_reason.config import ADAPTERS, EVIDENCE, ModelConfig
from kg_reason.errors import ConfigError, MissingExtraError
from kg_reason.model.adapter import (
    MERGEABLE,
    EncoderPrefix,
    add_adapter,
    base_fingerprint,
    base_names,
    is_adapter,
    merge_adapter,
)
from kg_reason.model.encoder import load_encoder, make_encoder
from tests.model.toy_groundings import toy_pairs

METHODS = ADAPTERS[1:]
IDS = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


@pytest.fixture
def encoder(tiny_encoder):
    return load_encoder(ModelConfig(encoder=str(tiny_encoder))).eval()


def states(encoder, **inputs):
    with torch.no_grad():
        return encoder(**{"input_ids": IDS, "attention_mask": MASK, **inputs}).last_hidden_state


def shake(model):
    """Give the adapter weights that do something."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if is_adapter(name):
                parameter.add_(torch.linspace(-0.5, 0.5, parameter.numel()).view_as(parameter))
    return model


@pytest.mark.parametrize("method", MERGEABLE)
def test_an_untrained_adapter_changes_no_state(encoder, method):
    before = states(encoder)
    assert add_adapter(encoder, ModelConfig(adapter=method)) is None
    assert torch.equal(states(encoder), before)


def test_a_prefix_leaves_the_number_of_states_and_reaches_them_all(encoder):
    prefix = EncoderPrefix(encoder, 3)
    before, after = states(encoder), states(encoder, **prefix(MASK))
    assert after.shape == before.shape
    assert not torch.isclose(after, before, atol=1e-4).all(dim=2)[MASK.bool()].any()


def test_a_prefix_that_nobody_sees_changes_no_state(encoder):
    inputs = EncoderPrefix(encoder, 3)(MASK)
    inputs["attention_mask"][:, :3] = 0
    assert torch.allclose(states(encoder, **inputs)[MASK.bool()], states(encoder)[MASK.bool()], atol=1e-5)


def test_the_positions_behind_a_prefix_are_those_of_roberta():
    shape = {
        "model_type": "roberta", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
        "pad_token_id": 1, "max_position_embeddings": 20,
    }  # fmt: skip
    prefix = EncoderPrefix(make_encoder(shape), 3)
    assert prefix(MASK)["position_ids"].tolist() == [[2, 3, 4, 5, 6]]
    assert prefix(MASK, IDS)["position_ids"] is IDS


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_does_not_fit_the_encoder_is_refused(method):
    encoder = make_encoder({"model_type": "distilbert", "vocab_size": 9, "dim": 8, "n_layers": 1, "n_heads": 2})
    with pytest.raises(ConfigError, match=f"adapter: {method} does not fit the encoder: distilbert"):
        add_adapter(encoder, ModelConfig(adapter=method))


@pytest.mark.parametrize("method", METHODS)
def test_an_adapter_without_its_package_names_the_extra(encoder, method, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtraError, match=r"adapter: peft is not installed: pip install 'kg_reason\[peft\]'"):
        add_adapter(encoder, ModelConfig(adapter=method))


@pytest.mark.parametrize("method", METHODS)
def test_names_tell_the_adapter_from_its_base(make_model, method):
    bare, model = make_model()[0].state_dict(), make_model(adapter=method)[0]
    base, names = base_names(model), set(model.state_dict())
    constants = {name for name in base if ".ranknum." in name}
    encoder = {name for name in bare if name.startswith("encoder.")}
    assert {name.replace(".base_layer", "") for name in base - constants} == encoder
    assert {name for name in names - base if not is_adapter(name)} == bare.keys() - encoder
    assert any(map(is_adapter, names))


def test_without_an_adapter_there_is_no_base(make_model):
    assert base_names(make_model()[0]) == frozenset()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("evidence", EVIDENCE)
def test_evidence_and_adapter_go_together(make_model, toy_graph, method, evidence):
    model, collator = make_model(evidence=evidence, adapter=method)
    shake(model)
    examples, groundings = toy_pairs(toy_graph)
    batch = collator(examples, groundings)
    with torch.no_grad():
        together = model(batch)
        alone = [model(collator([e], [g])).logits for e, g in zip(examples, groundings, strict=True)]
    assert together.logits.shape == (4, 3)
    assert torch.allclose(torch.cat(alone), together.logits, atol=1e-5)
    functional.cross_entropy(model.train()(batch).logits, batch.labels).backward()
    gradients = {name: value.grad for name, value in model.named_parameters() if is_adapter(name)}
    assert [name for name, gradient in gradients.items() if gradient is None or not gradient.any()] == []


@pytest.mark.parametrize(
    ("changes", "other"),
    [
        ({"adapter": "lora"}, {"adapter_rank": 4}), ({"adapter": "adalora"}, {"adapter_rank": 4}),
        ({"adapter": "prefix"}, {"num_prefix_tokens": 4}),
    ],
)  # fmt: skip
def test_rank_and_prefix_size_the_adapter(make_model, changes, other):
    sizes = [
        sum(value.numel() for name, value in make_model(**settings)[0].named_parameters() if is_adapter(name))
        for settings in (changes, changes | other)
    ]
    assert sizes[1] < 0.6 * sizes[0]


@pytest.mark.parametrize("method", ["lora", "adalora"])
def test_alpha_scales_what_the_adapter_does(make_model, toy_graph, method):
    logits = []
    for alpha in (16, 64):
        model, collator = make_model(adapter=method, adapter_alpha=alpha)
        with torch.no_grad():
            logits.append(shake(model)(collator(*toy_pairs(toy_graph))).logits)
    assert not torch.allclose(*logits, atol=1e-3)


@pytest.mark.parametrize("method", MERGEABLE)
def test_a_merged_adapter_answers_as_before_and_is_gone(make_model, toy_graph, method):
    model, collator = make_model(adapter=method)
    batch = collator(*toy_pairs(toy_graph))
    with torch.no_grad():
        expected = shake(model)(batch).logits
        merge_adapter(model.encoder)
        assert torch.allclose(model(batch).logits, expected, atol=1e-4)
    assert model.state_dict().keys() == make_model()[0].state_dict().keys()


@pytest.mark.parametrize("method", METHODS)
def test_the_fingerprint_is_that_of_the_bare_encoder_and_changes_with_its_weights(encoder, make_model, method):
    model = shake(make_model(adapter=method)[0])
    assert base_fingerprint(model.encoder) == base_fingerprint(encoder)
    with torch.no_grad():
        encoder.embeddings.word_embeddings.weight[7, 3] += 1e-3
    assert base_fingerprint(model.encoder) != base_fingerprint(encoder)


@pytest.mark.parametrize("method", METHODS)
def test_an_adapter_answers_in_mixed_precision(make_model, toy_graph, method):
    model, collator = make_model(adapter=method)
    batch = collator(*toy_pairs(toy_graph))
    with torch.no_grad():
        expected = model(batch).logits
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.allclose(model(batch).logits, expected, atol=0.1)
