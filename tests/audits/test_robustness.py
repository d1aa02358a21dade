"""The robustness audit on the toy graph: what it reports, and what it must find in models that are built to fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kg_reason.audits.robustness import NAME, audit_robustness
from kg_reason.config import AuditConfig, LinkerConfig
from kg_reason.errors import ConfigError
from kg_reason.nli import Label, NLIExample
from kg_reason.reasoner import Reasoner, Scores

E, N, C = Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION
EXAMPLES = [
    NLIExample("A man is playing the violin near the dog.", "A man is playing an instrument.", E),
    NLIExample("A woman plays a drum.", "A person plays a drum.", E),
    NLIExample("The man plays a cello.", "The woman plays a cello.", C),
    NLIExample("The dog is hot.", "The dog is cold.", C),
    NLIExample("An animal is in the string.", "A dog is in the string.", N),
    NLIExample("The guitar isn't hot.", "The violin is hot.", N),
]
CONFIG = AuditConfig(batch_size=8)


@pytest.fixture
def result(make_reasoner):
    return audit_robustness(make_reasoner(), EXAMPLES, CONFIG)


def answering(reasoner: Reasoner, answer, monkeypatch: pytest.MonkeyPatch) -> Reasoner:
    """Let a function of a pair and its grounding answer in place of the model."""

    def score(self, examples, groundings, batch_size=32):
        columns = [self.labels.index(answer(*pair)) for pair in zip(examples, groundings, strict=True)]
        logits = np.eye(len(self.labels))[columns]
        return Scores(logits, np.tile(np.eye(len(self.labels))[0], (len(examples), 1)))

    monkeypatch.setattr(Reasoner, "score", score)
    return reasoner


def test_the_audit_is_the_same_for_the_same_seed(result, make_reasoner):
    assert result.name == NAME
    assert audit_robustness(make_reasoner(), EXAMPLES, CONFIG).to_json() == result.to_json()


def test_every_table_and_plot_is_whole(result):
    assert all(len(row) == len(table.columns) for table in result.tables for row in table.rows)
    for plot in result.plots:
        for series in plot.series:
            assert len(series.x) == len(series.y) == len(series.low) == len(series.high)
            assert all(low <= value <= high for low, value, high in zip(series.low, series.y, series.high, strict=True))
    assert [plot.name for plot in result.plots] == ["changes-fused", "changes-text"]


def test_measures_are_shares_and_come_for_both_kinds_of_answers(result):
    counts = {"num_pairs", "num_wrong_triples"}
    assert all(0 <= value <= 1 for name, value in result.measures.items() if name not in counts)
    for name in ("typos_unchanged", "irrelevant_unchanged", "negation_right", "hypothesis_only", "swap_right"):
        assert {name, f"text_{name}"} <= set(result.measures)


def test_an_uncased_encoder_answers_alike_in_any_case(result):
    assert result.measures["casing_unchanged"] == result.measures["text_casing_unchanged"] == 1.0


def test_a_model_that_always_says_entailment_is_robust_and_gets_no_negation_right(make_reasoner, monkeypatch):
    measures = audit_robustness(answering(make_reasoner(), lambda *_: E, monkeypatch), EXAMPLES, CONFIG).measures
    assert measures["typos_unchanged"] == measures["irrelevant_unchanged"] == 1.0
    assert measures["negation_right"] < 0.5
    assert measures["swap_entailment_kept"] == 1.0
    assert measures["hypothesis_only"] == measures["majority"] == pytest.approx(1 / 3)


def test_a_model_that_counts_clauses_is_moved_by_what_is_unrelated(make_reasoner, monkeypatch):
    def count(example, _):
        return N if example.premise.count(".") > 1 or ", while" in example.premise else E

    measures = audit_robustness(answering(make_reasoner(), count, monkeypatch), EXAMPLES, CONFIG).measures
    assert measures["irrelevant_unchanged"] == 0.0
    assert measures["text_irrelevant_unchanged"] == 1.0


def test_a_model_that_rests_on_paths_loses_its_answers_with_a_typo(make_reasoner, monkeypatch):
    reasoner = answering(make_reasoner(), lambda _, grounding: E if grounding.has_evidence else N, monkeypatch)
    example = NLIExample("A violin is hot.", "An instrument is hot.", E)
    measures = audit_robustness(reasoner, [example], CONFIG).measures
    assert measures["typos_evidence_lost"] == 1.0
    assert measures["typos_lost_before"] == 1.0
    assert measures["typos_lost_right"] == 0.0


def test_a_model_that_believes_every_antonym_is_turned_by_a_wrong_triple_and_elsewhere_is_not(
    make_reasoner, monkeypatch
):
    reasoner = make_reasoner()
    antonym = reasoner.graph.relation("ex:antonym")

    def answer(example, grounding):
        edges = grounding.paths.relations[grounding.paths.length == 1, 0]
        return C if (edges == antonym).any() else E

    examples = [EXAMPLES[1], *EXAMPLES[4:]]  # the last two share no word with the first
    result = audit_robustness(answering(reasoner, answer, monkeypatch), examples, CONFIG)
    assert result.measures["num_wrong_triples"] == 1
    assert result.measures["wrong_triple_flips"] == result.measures["wrong_triple_followed"] == 1.0
    assert result.measures["wrong_triple_unrelated_unchanged"] == 1.0


def test_the_graph_and_the_weights_stay_as_they_are(make_reasoner, toy_graph):
    reasoner = make_reasoner()
    weights = {name: value.clone() for name, value in reasoner.model.state_dict().items()}
    fingerprint, num_edges = toy_graph.fingerprint, toy_graph.num_edges
    audit_robustness(reasoner, EXAMPLES[:2], CONFIG)
    assert (toy_graph.fingerprint, toy_graph.num_edges) == (fingerprint, num_edges)
    assert all(torch.equal(value, weights[name]) for name, value in reasoner.model.state_dict().items())


def test_a_model_that_reads_no_paths_is_given_no_wrong_triple(make_reasoner):
    result = audit_robustness(make_reasoner(evidence="text"), EXAMPLES, CONFIG)
    assert "wrong_triple_flips" not in result.measures
    assert "reads no paths" in result.tables[-1].note


def test_english_words_are_changed_in_english_only(make_reasoner):
    english = make_reasoner()
    config = replace(english.config, linker=LinkerConfig(language="de"))
    german = Reasoner(english.graph, config, english.model, english.tokenizer, english.relations)
    measures = audit_robustness(german, EXAMPLES, CONFIG).measures
    assert "typos_unchanged" in measures
    groups = {name.removeprefix("text_").rpartition("_")[0] for name in measures}
    assert not {"negation", "irrelevant", "function_words"} & groups


def test_two_way_labels_are_scored_two_ways(make_reasoner):
    examples = [replace(example, label=E if example.label is E else Label.NOT_ENTAILMENT) for example in EXAMPLES]
    for task in ("two-way", "three-way"):
        result = audit_robustness(make_reasoner(task=task), examples, CONFIG)
        assert "negation_right" in result.measures
        assert "swap_right" not in result.measures  # nothing is ruled out by exchanging sentences
        assert "swap_unchanged" in result.measures


def test_claims_without_a_premise_are_audited_too(make_reasoner):
    claims = [replace(example, premise="") for example in EXAMPLES]
    result = audit_robustness(make_reasoner(), claims, CONFIG)
    assert "hypothesis_only" not in result.measures
    assert "irrelevant_unchanged" not in result.measures
    assert "typos_unchanged" in result.measures


def test_at_most_so_many_pairs_are_examined_as_the_settings_say(make_reasoner):
    few = audit_robustness(make_reasoner(), EXAMPLES, AuditConfig(max_examples=2, batch_size=8))
    assert few.measures["num_pairs"] == 2


def test_pairs_without_labels_are_refused(make_reasoner):
    with pytest.raises(ConfigError, match="no pair with a label"):
        audit_robustness(make_reasoner(), [NLIExample("A man runs.", "A dog runs.")], CONFIG)
