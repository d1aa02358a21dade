from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from kg_reason.config import EVIDENCE, ModelConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.model.fused import build_model
from kg_reason.nli import THREE_WAY, Label, NLIExample
from tests.conftest import toy_triples
from tests.model.toy_groundings import RELATIONS, ToyPath, ground, toy_pairs

GATED = ("paths", "counts")


def answer(model, batch, path_weight=None):
    with torch.no_grad():
        return model(batch, path_weight)


def sum_by_example(batch, output):
    total = torch.zeros_like(output.text_logits)
    return total.index_add(0, batch.path_example, output.contributions)


@pytest.mark.parametrize("evidence", EVIDENCE)
@pytest.mark.parametrize("task", ["three-way", "two-way"])
def test_contributions_add_up_to_the_logits_exactly(make_model, toy_graph, evidence, task):
    model, collator = make_model(evidence=evidence, task=task)
    batch = collator(*toy_pairs(toy_graph))
    output = answer(model, batch)
    num_labels = 3 if task == "three-way" else 2
    assert output.logits.shape == output.text_logits.shape == (4, num_labels)
    assert output.contributions.shape == (6, num_labels)
    assert output.gates.shape == (6,)
    assert torch.equal(output.logits, output.text_logits + sum_by_example(batch, output))
    assert bool(output.contributions.any()) == (evidence in GATED)


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_without_paths_the_answer_is_exactly_the_texts(make_model, toy_graph, evidence):
    examples, groundings = toy_pairs(toy_graph)
    empty = [replace(grounding, paths=groundings[2].paths) for grounding in groundings]
    text_model, text_collator = make_model(evidence="text")
    expected = answer(text_model, text_collator(examples, empty)).logits
    model, collator = make_model(evidence=evidence)
    parts = {"encoder": model.encoder, "text_head": model.text_head}
    for name, part in parts.items():
        part.load_state_dict(text_model.get_submodule(name).state_dict())
    output = answer(model, collator(examples, empty))
    assert torch.equal(output.logits, expected)
    assert torch.equal(output.text_logits, expected)


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_a_batch_gives_the_answers_of_its_pairs_alone(make_model, toy_graph, evidence):
    model, collator = make_model(evidence=evidence)
    examples, groundings = toy_pairs(toy_graph)
    together = answer(model, collator(examples, groundings))
    alone = [
        answer(model, collator([example], [grounding]))
        for example, grounding in zip(examples, groundings, strict=True)
    ]
    for field in together._fields:
        values = torch.cat([getattr(output, field) for output in alone])
        assert torch.allclose(getattr(together, field), values, atol=1e-5), field


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_the_same_pairs_give_the_same_answer_to_the_bit(make_model, toy_graph, evidence):
    outputs = []
    for _ in range(2):
        model, collator = make_model(evidence=evidence)
        outputs.append(answer(model, collator(*toy_pairs(toy_graph))))
    assert all(torch.equal(*tensors) for tensors in zip(*outputs, strict=True))


@pytest.mark.parametrize("evidence", ["paths", "counts", "verbalised", "tokens"])
def test_the_evidence_reaches_the_answer(make_model, toy_graph, evidence):
    model, collator = make_model(evidence=evidence)
    examples, groundings = toy_pairs(toy_graph)
    with_paths = answer(model, collator(examples, groundings)).logits
    empty = [replace(grounding, paths=groundings[2].paths) for grounding in groundings]
    without = answer(model, collator(examples, empty)).logits
    changed = ~torch.isclose(with_paths, without, atol=1e-6).all(dim=1)
    assert changed.tolist() == [True, True, False, False]


def test_text_alone_does_not_see_the_evidence(make_model, toy_graph):
    model, collator = make_model(evidence="text")
    examples, groundings = toy_pairs(toy_graph)
    batch = collator(examples, groundings)
    empty = collator(examples, [replace(grounding, paths=groundings[2].paths) for grounding in groundings])
    assert torch.equal(answer(model, batch).logits, answer(model, empty).logits)
    assert not [name for name, _ in model.named_parameters() if not name.startswith(("encoder.", "text_head."))]


@pytest.mark.parametrize("evidence", GATED)
def test_a_weight_scales_what_a_path_contributes(make_model, toy_graph, evidence):
    model, collator = make_model(evidence=evidence)
    batch = collator(*toy_pairs(toy_graph))
    full = answer(model, batch)
    weight = torch.tensor([0.0, 1.0, 0.5, 1.0, 1.0, 0.0])
    weighed = answer(model, batch, weight)
    assert torch.equal(weighed.contributions, full.contributions * weight[:, None])
    assert torch.equal(weighed.text_logits, full.text_logits)
    deleted = answer(model, batch, torch.zeros(6))
    assert torch.equal(deleted.logits, full.text_logits)


def test_a_path_token_of_weight_0_is_hidden(make_model, toy_graph):
    model, collator = make_model(evidence="tokens")
    examples, groundings = toy_pairs(toy_graph)
    empty = [replace(grounding, paths=groundings[2].paths) for grounding in groundings]
    deleted = answer(model, collator(examples, groundings), torch.zeros(6))
    assert torch.allclose(deleted.logits, answer(model, collator(examples, empty)).logits, atol=1e-6)


def test_answers_do_not_depend_on_how_a_graph_numbers_its_entities(make_model, toy_graph):
    renumbered = KnowledgeGraph.from_triples(toy_triples()[::-1])
    names = [[graph.entity_id(entity) for entity in range(graph.num_entities)] for graph in (toy_graph, renumbered)]
    outputs = []
    for graph in (toy_graph, renumbered):
        model, collator = make_model(graph)
        outputs.append(answer(model, collator(*toy_pairs(graph))))
    assert sorted(names[0]) == sorted(names[1])
    assert torch.allclose(outputs[0].logits, outputs[1].logits, atol=1e-5)


def test_counts_do_not_read_the_words(make_model, toy_graph):
    model, collator = make_model(evidence="counts")
    first, second = NLIExample("a hot drum", "a cold drum"), NLIExample("two men", "every woman sings")
    pairs = [
        ground(toy_graph, first, (["hot"], ["cold"]), [ToyPath(0, 1, ("hot", "cold"), ("antonym",))]),
        ground(toy_graph, second, (["men"], ["woman"]), [ToyPath(0, 1, ("man", "woman"), ("antonym",))]),
    ]
    contributions = answer(model, collator([first, second], pairs)).contributions
    assert torch.allclose(contributions[0], contributions[1], atol=1e-6)


@pytest.mark.parametrize("evidence", EVIDENCE)
@pytest.mark.parametrize("with_paths", [True, False])
def test_every_parameter_has_a_gradient_in_every_step(make_model, toy_graph, evidence, with_paths):
    model, collator = make_model(evidence=evidence)
    examples, groundings = toy_pairs(toy_graph)
    chosen = slice(None) if with_paths else slice(2, None)
    batch = collator(examples[chosen], groundings[chosen])
    output = model.train()(batch)
    functional.cross_entropy(output.logits, batch.labels).backward()
    assert [name for name, value in model.named_parameters() if value.grad is None] == []
    assert all(bool(value.grad.isfinite().all()) for value in model.parameters())


def test_labels_of_the_graph_do_not_train_the_word_embeddings(make_model, toy_graph):
    model, collator = make_model()
    example = NLIExample("a violin", "a cello")
    path = ToyPath(0, 1, ("violin", "bowedInstrument", "cello"), ("hypernym", "<hypernym"))
    batch = collator([example], [ground(toy_graph, example, (["violin"], ["cello"]), [path])])
    model(batch).logits.square().sum().backward()
    gradient = model.encoder.get_input_embeddings().weight.grad
    hypernym = collator.tokenizer.convert_tokens_to_ids("hypernym")
    violin = collator.tokenizer.convert_tokens_to_ids("violin")
    assert hypernym in batch.text_pieces.tolist()
    assert not gradient[hypernym].any()
    assert gradient[violin].any()


@pytest.mark.parametrize("evidence", ["paths", "counts", "tokens"])
def test_the_model_learns_what_only_the_graph_can_tell(make_model, toy_graph, evidence):
    model, collator = make_model(evidence=evidence, dropout=0.0)
    example = NLIExample("a gavorn", "a pelit")
    walks = {
        Label.ENTAILMENT: ToyPath(0, 1, ("dog", "animal"), ("hypernym",)),
        Label.NEUTRAL: ToyPath(0, 1, ("animal", "dog"), ("<hypernym",)),
        Label.CONTRADICTION: ToyPath(0, 1, ("man", "woman"), ("antonym",)),
    }
    examples = [replace(example, label=label) for label in walks]
    groundings = [ground(toy_graph, example, (["gavorn"], ["pelit"]), [path]) for path in walks.values()]
    batch = collator(examples, groundings)
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(80):
        optimizer.zero_grad()
        functional.cross_entropy(model(batch).logits, batch.labels).backward()
        optimizer.step()
    assert answer(model.eval(), batch).logits.argmax(dim=1).tolist() == [0, 1, 2]


def test_sums_stay_exact_in_mixed_precision(make_model, toy_graph):
    model, collator = make_model()
    batch = collator(*toy_pairs(toy_graph))
    with torch.autocast("cpu", torch.bfloat16):
        output = answer(model, batch)
    assert {tensor.dtype for tensor in output} == {torch.float32}
    assert torch.equal(output.logits, output.text_logits + sum_by_example(batch, output))
    assert torch.allclose(output.logits, answer(model, batch).logits, atol=0.1)


def test_weights_move_to_a_model_made_from_the_configuration(make_model, toy_graph, tiny_encoder):
    model, collator = make_model()
    config = ModelConfig(encoder="not looked at", graph_dim=16)
    made = build_model(config, THREE_WAY, RELATIONS, encoder_config=model.encoder.config.to_dict()).eval()
    made.load_state_dict(model.state_dict())
    batch = collator(*toy_pairs(toy_graph))
    assert torch.equal(answer(made, batch).logits, answer(model, batch).logits)


def test_settings_shape_the_model(make_model):
    shapes = []
    for settings in ({}, {"graph_dim": 24}, {"num_layers": 3}):
        model, _ = make_model(**settings)
        shapes.append(sum(value.numel() for value in model.parameters()))
    assert len(set(shapes)) == 3
    assert {part.p for part in make_model(dropout=0.5)[0].text_head if isinstance(part, torch.nn.Dropout)} == {0.5}


def test_more_word_pieces_than_the_encoder_reads_are_refused(make_model):
    with pytest.raises(ConfigError, match="max_tokens: found 129, expected at most 128"):
        make_model(max_tokens=129)


def test_roberta_answers_with_paths_as_tokens(toy_graph, make_model):
    _, collator = make_model(evidence="tokens", max_tokens=64)
    shape = {
        "model_type": "roberta", "vocab_size": 500, "hidden_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 66, "pad_token_id": 1,
        "type_vocab_size": 1,
    }  # fmt: skip
    config = replace(collator.config, evidence="tokens")
    model = build_model(config, THREE_WAY, RELATIONS, encoder_config=shape).eval()
    assert answer(model, collator(*toy_pairs(toy_graph))).logits.isfinite().all()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("evidence", EVIDENCE)
def test_a_graphics_card_gives_the_same_answers(make_model, toy_graph, evidence):
    model, collator = make_model(evidence=evidence)
    batch = collator(*toy_pairs(toy_graph))
    expected = answer(model, batch).logits
    output = answer(model.to("cuda"), batch.to("cuda"))
    assert torch.allclose(output.logits.cpu(), expected, atol=1e-3)
