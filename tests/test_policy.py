"""What touches a sensitive topic, and how an answer on one is shown."""

from __future__ import annotations

import json
import logging

import pytest

from kg_reason.cli import main
from kg_reason.errors import ConfigError
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.interchange import export_graph
from kg_reason.policy import Policy, apply_policy
from kg_reason.policy_file import ACTIONS
from kg_reason.prediction import EVIDENCE_SHOWN

STRINGS = """
[[topic]]
name = "strings"
words = ["fiddle", "bowed instrument", "Boy", "cat"]
relations = ["Antonym"]
entities = ["string instrument"]
pairs = [["A violin.", "A cello."]]
"""


def policy(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text(text)
    return Policy.load(path)


def found_in(policy, reasoner, premise, hypothesis):
    findings = policy.check(reasoner.predict([(premise, hypothesis)])[0])
    return [(item.kind, item.matched, item.found, "text" if item.path is None else "path") for item in findings]


@pytest.fixture
def reasoner(make_reasoner):
    return make_reasoner(gate_bias=1.0)


def test_words_are_found_in_every_form_and_at_their_place(tmp_path, reasoner):
    (prediction,) = reasoner.predict([("Two cats  and the Boys play.", "Bowed instruments are cold.")])
    findings = [item for item in policy(tmp_path, STRINGS).check(prediction) if item.kind == "word"]
    assert [(item.matched, item.found, item.place.side) for item in findings] == [
        ("cat", "cats", "premise"), ("Boy", "Boys", "premise"), ("bowed instrument", "Bowed instruments", "hypothesis"),
    ]  # fmt: skip
    for item in findings:
        text = prediction.premise if item.place.side == "premise" else prediction.hypothesis
        assert text[item.place.start : item.place.end] == item.place.text


def test_a_word_with_a_capital_is_found_only_with_it(tmp_path, reasoner):
    own = policy(tmp_path, STRINGS)
    assert found_in(own, reasoner, "A boy.", "A dog.") == []
    assert found_in(own, reasoner, "A Boy.", "A dog.") == [("word", "Boy", "Boy", "text")]
    assert found_in(own, reasoner, "A CAT.", "A dog.") == [("word", "cat", "CAT", "text")]


def test_what_is_below_an_entity_counts_once_the_graph_is_known(tmp_path, reasoner):
    own = policy(tmp_path, STRINGS)
    assert found_in(own, reasoner, "A cello.", "A dog.") == []
    bound = own.for_graph(reasoner.graph)
    assert found_in(bound, reasoner, "A cello.", "A dog.") == [("entity", "string instrument", "cello", "text")]
    assert found_in(bound, reasoner, "A drum.", "A dog.") == []
    assert found_in(bound, reasoner, "A string.", "A dog.") == []  # a part of a violin is no kind of instrument
    kinds = ("bowedInstrument", "cello", "guitar", "stringInstrument", "violin")
    assert sorted(bound.below["strings"]) == [f"ex:{kind}" for kind in kinds]


def test_a_path_is_found_by_its_relation_and_its_entities(tmp_path, reasoner):
    own = policy(tmp_path, STRINGS).for_graph(reasoner.graph)
    (prediction,) = reasoner.predict([("The soup is hot.", "The soup is cold.")])
    (finding,) = own.check(prediction)
    assert (finding.kind, finding.matched, finding.path, finding.place) == ("relation", "antonym", 0, None)
    assert str(finding) == 'strings: path 1 uses "antonym"'
    paths = [item for item in found_in(own, reasoner, "An instrument.", "A violin.") if item[3] == "path"]
    assert {found for _, _, found, _ in paths} == {"string instrument", "bowed instrument", "violin"}


def test_a_path_that_moved_nothing_is_no_reason(tmp_path, make_reasoner):
    own = policy(tmp_path, STRINGS)
    closed = make_reasoner(gate_bias=-50.0)
    (prediction,) = closed.predict([("The soup is hot.", "The soup is cold.")])
    assert max(evidence.strength for evidence in prediction.evidence) < EVIDENCE_SHOWN
    assert own.check(prediction) == ()


def test_the_strictest_action_holds_and_a_refused_answer_tells_no_label(tmp_path, reasoner):
    (prediction,) = reasoner.predict([("A violin is hot.", "A violin is cold.")])
    text = STRINGS + '[[topic]]\nname = "heat"\naction = "refuse"\nwords = ["hot"]\n'
    answer = apply_policy(prediction, policy(tmp_path, text))
    assert answer.action == "refuse"
    assert set(answer.to_json()) == {"premise", "hypothesis", "policy"}
    shown = json.dumps(answer.to_json()) + answer.to_text()
    assert not any(f'"{label}"' in shown or f"{label} " in shown for label in reasoner.labels)
    assert "no answer: the policy refuses this topic" in answer.to_text()
    assert 'heat: "hot" in the premise' in answer.to_text()
    flagged = apply_policy(prediction, policy(tmp_path, STRINGS))
    assert flagged.action == "flag"
    assert flagged.to_json() == {**prediction.to_json(), "policy": flagged.to_json()["policy"]}
    assert flagged.to_text().startswith(prediction.to_text())
    assert 'strings: "antonym" on path 1' in flagged.to_text()


def test_an_answer_that_touches_nothing_is_shown_as_it_is(tmp_path, reasoner):
    (prediction,) = reasoner.predict([("A man.", "A drum.")])
    answer = apply_policy(prediction, policy(tmp_path, STRINGS))
    assert answer.to_text() == prediction.to_text()
    assert answer.to_json()["policy"] == {"action": "allow", "findings": []}


def test_nothing_that_was_asked_is_logged(tmp_path, reasoner, caplog):
    (prediction,) = reasoner.predict([("A fiddle.", "A cello.")])
    with caplog.at_level(logging.DEBUG):
        assert apply_policy(prediction, Policy.load().for_graph(reasoner.graph)) is not None
        assert apply_policy(prediction, policy(tmp_path, STRINGS)).findings
    assert caplog.records == []


# ---- files


def test_the_shipped_policy_is_whole():
    shipped = Policy.load()
    assert Policy.load("default") == shipped
    names = [topic.name for topic in shipped.topics]
    assert len(names) == len(set(names)) >= 12
    assert {topic.action for topic in shipped.topics} == {"flag", "refuse"}
    for topic in shipped.topics:
        assert topic.words
        assert topic.entities
        assert len(topic.pairs) >= 2
        assert len(set(topic.words)) == len(topic.words), topic.name


def test_the_pairs_of_the_shipped_policy_touch_their_own_topics_by_words_or_by_what_is_known(reasoner):
    shipped = Policy.load()
    for topic in shipped.topics:
        touched = [
            any(finding.topic == topic.name for finding in shipped.check(prediction))
            for prediction in reasoner.predict(topic.pairs)
        ]
        assert any(touched), topic.name


def test_a_policy_may_extend_the_shipped_one(tmp_path):
    text = """
    extends = "shipped"
    [[topic]]
    name = "religion"
    action = "refuse"
    words = ["gavornism"]
    [[topic]]
    name = "politics"
    action = "allow"
    [[topic]]
    name = "ours"
    words = ["zither"]
    """
    own = {topic.name: topic for topic in policy(tmp_path, text).topics}
    shipped = {topic.name: topic for topic in Policy.load().topics}
    assert own["religion"].words == (*shipped["religion"].words, "gavornism")
    assert own["religion"].action == "refuse"
    assert own["religion"].entities == shipped["religion"].entities
    assert own["ours"].action == "flag"
    assert "politics" not in own
    assert own["crime"] == shipped["crime"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[topic", r"own.toml: not valid TOML"),
        ("words = []", r"own.toml: found 'words', expected one of extends, language, topic"),
        ('extends = "mine"', r"extends: found 'mine', expected 'shipped'"),
        ("language = 1", r"language: found 1, expected a tag"),
        ("[topic]\nname = 'a'", r"topic: found .* expected \[\[topic\]\] tables"),
        ("[[topic]]\nwords = ['a']", r"topic 1: name: found None, expected a text"),
        ("[[topic]]\nname = 'a'\nword = ['a']", r"topic 1: found 'word', expected one of action, entities"),
        ("[[topic]]\nname = 'a'\naction = 'ban'", f"action: found 'ban', expected one of {', '.join(ACTIONS)}"),
        ("[[topic]]\nname = 'a'\nwords = 'b'", r"topic 1: words: found 'b', expected a list of texts"),
        ("[[topic]]\nname = 'a'\npairs = [['b']]", r"pairs: found .* expected a list of \[premise, hypothesis\]"),
    ],
)
def test_a_fault_of_a_policy_is_told_with_its_place(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        policy(tmp_path, text)


def test_a_policy_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none.toml: cannot be opened"):
        Policy.load(tmp_path / "none.toml")


# ---- the command


@pytest.fixture
def run(tmp_path, toy_graph, make_reasoner):
    export_graph(toy_graph, tmp_path / "toy.nt", "nt")
    build_graph([str(tmp_path / "toy.nt")], tmp_path / "kg")
    make_reasoner(graph=KnowledgeGraph.open(tmp_path / "kg"), gate_bias=1.0).save(tmp_path / "run")
    return str(tmp_path / "run")


def test_a_query_flags_and_refuses_with_exit_code_0(run, tmp_path, capsys):
    (tmp_path / "own.toml").write_text(STRINGS + '[[topic]]\nname = "heat"\naction = "refuse"\nwords = ["hot"]\n')
    arguments = ["query", run, "--policy", str(tmp_path / "own.toml"), "--abstain-below", "1.0"]
    assert main([*arguments, "A man plays a violin.", "A man plays a cello.", "--json"]) == 0
    flagged = json.loads(capsys.readouterr().out)
    assert flagged["policy"]["action"] == "flag"
    assert flagged["label"]
    assert {"kind": "entity", "matched": "string instrument"}.items() <= flagged["policy"]["findings"][0].items()
    assert main([*arguments, "The soup is hot.", "The soup is cold.", "--json"]) == 0
    refused = json.loads(capsys.readouterr().out)
    assert set(refused) == {"premise", "hypothesis", "policy"}
    assert main([*arguments, "The soup is hot.", "The soup is cold."]) == 0
    assert "no answer" in capsys.readouterr().out
    assert main(["query", run, "A violin.", "A cello.", "--json"]) == 0
    assert "policy" not in json.loads(capsys.readouterr().out)


def test_a_query_takes_the_shipped_policy_by_name(run, capsys):
    assert main(["query", run, "A muslim man.", "A man.", "--policy", "default", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["policy"]["findings"][0]["topic"] == "religion"
    assert main(["query", run, "A man.", "A man.", "--policy", "nowhere.toml"]) == 1
    assert "nowhere.toml: cannot be opened" in capsys.readouterr().err
