"""Which answers rest on paths of sensitive topics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kg_reason.audits.ethics import audit_ethics, find_dependence
from kg_reason.config import AuditConfig
from kg_reason.errors import ConfigError
from kg_reason.exclusion import excluding
from kg_reason.nli import Label, NLIExample
from kg_reason.policy import Policy

HEAT = """
[[topic]]
name = "heat"
action = "refuse"
relations = ["antonym"]
entities = ["hot"]
[[topic]]
name = "strings"
entities = ["string instrument"]
pairs = [["A man plays a violin.", "A man plays a cello."], ["A man plays a drum.", "A dog plays a drum."]]
"""
EXAMPLES = [
    NLIExample("The soup is hot.", "The soup is cold.", label=Label.CONTRADICTION),
    NLIExample("A violin.", "An instrument.", label=Label.ENTAILMENT),
    NLIExample("A man plays a drum.", "A dog plays a drum.", label=Label.CONTRADICTION),
    NLIExample("A dog.", "An animal.", label=Label.ENTAILMENT),
]


@pytest.fixture
def file(tmp_path):
    (tmp_path / "heat.toml").write_text(HEAT)
    return str(tmp_path / "heat.toml")


def decided_by_paths(make_reasoner):
    """Return a reasoner whose paths, and not its text, decide; and its answers to the examples."""
    for seed in range(40):
        reasoner = make_reasoner(gate_bias=8.0, seed=seed)
        answers = reasoner.predict_examples(EXAMPLES)
        if answers[0].label != answers[0].text_answer.label:
            return reasoner, answers
    raise AssertionError("no seed gives an answer that its path decides")


def test_an_answer_rests_on_a_topic_if_its_label_is_another_without_the_paths(file, make_reasoner):
    reasoner, answers = decided_by_paths(make_reasoner)
    policy = Policy.load(file).for_graph(reasoner.graph)
    found = find_dependence(reasoner, policy, EXAMPLES[0])
    assert len(answers[0].evidence) == 1  # so without it the text's answer is left
    assert found.label_without == answers[0].text_answer.label
    assert found.labels_without == {"heat": answers[0].text_answer.label}
    assert found.relation_labels == {"antonym": answers[0].text_answer.label}
    assert found.path == "hot -[antonym]-> cold"
    lost = answers[0].probabilities[answers[0].label] - answers[0].text_answer.probabilities[answers[0].label]
    assert found.lost_probability == pytest.approx(lost, abs=1e-5)
    assert find_dependence(reasoner, policy, EXAMPLES[3]) is None


def test_the_labels_without_are_those_of_the_reasoner_that_excludes_the_relation(file, make_reasoner):
    reasoner, _ = decided_by_paths(make_reasoner)
    policy = Policy.load(file).for_graph(reasoner.graph)
    for example in EXAMPLES[:2]:
        found = find_dependence(reasoner, policy, example)
        for relation, label in found.relation_labels.items():
            assert excluding(reasoner, [relation]).predict_examples([example])[0].label == label


def test_the_audit_counts_by_topic_and_relation(file, make_reasoner):
    reasoner, _ = decided_by_paths(make_reasoner)
    result = audit_ethics(reasoner, EXAMPLES, AuditConfig(policy_file=file))
    assert result.name == "ethics"
    assert result.measures["num_pairs"] == 4
    assert result.measures["share_touching"] == 0.5
    assert result.measures["share_with_path"] == 0.5
    assert result.measures["share_refused"] == 0.25
    assert result.measures["share_flagged"] == 0.25
    topics, relations, cases = result.tables
    rows = {row[0]: row[1:] for row in topics.rows}
    assert rows["heat"] == ("refuse", "1", "1", "1")
    assert rows["strings"][:3] == ("flag", "1", "1")
    assert ("antonym", "1", "1") in relations.rows
    assert result.measures["share_resting"] == len(cases.rows) / 4
    assert any(row[0] == "The soup is hot." and row[5] == "hot -[antonym]-> cold" for row in cases.rows)
    assert result.plots[0].series[1].x == ("heat", "strings")


def test_a_reasoner_that_excludes_the_topic_rests_on_it_no_longer(file, make_reasoner):
    reasoner, _ = decided_by_paths(make_reasoner)
    without = excluding(reasoner, ["antonym", "string instrument", "bowed instrument", "violin", "cello", "guitar"])
    result = audit_ethics(without, EXAMPLES, AuditConfig(policy_file=file))
    assert result.measures["share_with_path"] == 0.0
    assert result.measures["share_resting"] == 0.0
    assert result.measures["share_touching"] == 0.5


def test_accuracy_is_told_for_sensitive_answers_and_others(file, make_reasoner):
    reasoner = make_reasoner()
    given = [answer.label for answer in reasoner.predict_examples(EXAMPLES)]
    other = {label: next(name for name in reasoner.labels if name != label) for label in reasoner.labels}
    # Right on the two sensitive pairs, wrong on one of the two others.
    labels = [given[0], given[1], given[2], other[given[3]]]
    examples = [replace(example, label=label) for example, label in zip(EXAMPLES, labels, strict=True)]
    measures = audit_ethics(reasoner, examples, AuditConfig(policy_file=file)).measures
    assert measures["accuracy_sensitive"] == 1.0
    assert measures["accuracy_others"] == 0.5
    bare = [replace(example, label=None) for example in EXAMPLES]
    assert "accuracy_others" not in audit_ethics(reasoner, bare, AuditConfig(policy_file=file)).measures


def test_without_examples_the_pairs_of_the_policy_are_asked(file, make_reasoner, tmp_path):
    assert audit_ethics(make_reasoner(), [], AuditConfig(policy_file=file)).measures["num_pairs"] == 2
    shipped = audit_ethics(make_reasoner(), [], AuditConfig())
    assert shipped.measures["num_pairs"] == sum(len(topic.pairs) for topic in Policy.load().topics)
    (tmp_path / "bare.toml").write_text('[[topic]]\nname = "a"\nwords = ["b"]\n')
    with pytest.raises(ConfigError, match="found none, and no pairs in the policy"):
        audit_ethics(make_reasoner(), [], AuditConfig(policy_file=str(tmp_path / "bare.toml")))


def test_the_same_seed_draws_the_same_pairs(file, make_reasoner):
    reasoner, config = make_reasoner(), AuditConfig(policy_file=file, max_examples=2, audit_seed=1)
    first, second = (audit_ethics(reasoner, EXAMPLES, config) for _ in range(2))
    assert first.measures["num_pairs"] == 2
    assert first.to_json() == second.to_json()


def test_a_model_without_paths_rests_on_none(file, make_reasoner):
    result = audit_ethics(make_reasoner(evidence="text"), EXAMPLES, AuditConfig(policy_file=file))
    assert result.measures["share_resting"] == 0.0
    assert result.measures["share_touching"] == 0.5
    assert np.isfinite(list(result.measures.values())).all()
