"""An explanation is the prediction with its evidence grouped and said, and what else was asked for."""

import pytest

from kg_reason import NLIExample
from kg_reason.explanation.explain import explain
from kg_reason.explanation.grouping import group_evidence

PAIR = ("A man plays a violin.", "A man plays an instrument.")


def test_an_explanation_holds_the_prediction_its_groups_and_a_sentence_for_each_path(make_reasoner):
    reasoner = make_reasoner()
    explanation = explain(reasoner, PAIR)
    (prediction,) = reasoner.predict([PAIR])
    assert explanation.prediction == prediction
    assert explanation.groups == group_evidence(prediction)
    assert len(explanation.sentences) == len(prediction.evidence)
    said = "a violin is a kind of bowed instrument, which is a kind of string instrument, which is a kind of instrument"
    assert said in explanation.sentences
    assert explanation.counterfactual is None
    assert explanation.words is None


def test_its_json_is_that_of_the_prediction_with_additions(make_reasoner):
    reasoner = make_reasoner()
    explanation = explain(reasoner, PAIR, counterfactual=True)
    found, plain = explanation.to_json(), explanation.prediction.to_json()
    assert {key: found[key] for key in plain} == plain
    assert set(found) - set(plain) == {"groups", "sentences", "counterfactual", "words"}
    assert found["words"] is None
    assert set(found["counterfactual"]) == {"removal", "additions", "tried"}
    for label in plain["logits"]:
        moved = sum(group["contribution"][label] for group in found["groups"])
        assert moved == pytest.approx(plain["logits"][label] - plain["text"]["logits"][label], abs=1e-5)


def test_its_page_tells_answers_evidence_sources_and_alternatives(make_reasoner):
    page = explain(make_reasoner(), PAIR, counterfactual=True).to_text()
    assert "premise     A man plays a violin." in page
    assert "text alone" in page
    assert "a violin is a kind of bowed instrument, which" in page
    assert "toy.tsv:1, :3, :5" in page
    assert "what would have changed the answer" in page


def test_groups_beyond_the_limit_are_summed_up(make_reasoner, monkeypatch):
    monkeypatch.setattr("kg_reason.explanation.explain.EVIDENCE_SHOWN", 0.0)
    explanation = explain(make_reasoner(), ("A man plays a violin.", "A woman plays an instrument."))
    assert len(explanation.groups) > 1
    rest = sum(len(group.evidence) for group in explanation.groups[1:])
    assert f"{rest} more path" in explanation.to_text(max_groups=1)
    assert "together:" not in explanation.to_text(max_groups=99)


def test_a_pair_without_paths_says_so_and_what_the_graph_does_not_know(make_reasoner):
    page = explain(make_reasoner(), ("A gavorn is here.", "It is."), counterfactual=True).to_text()
    assert "no path in the graph joins these words: the answer is the text's alone" in page
    assert "not in the graph: gavorn" in page
    assert "no edit of the graph that would change the answer was found" in page


def test_words_are_told_where_they_are_asked_for(make_reasoner):
    pytest.importorskip("captum", reason="the extra `audit` is not installed")
    explanation = explain(make_reasoner(), PAIR, words=True)
    assert explanation.words
    assert [word["text"] for word in explanation.to_json()["words"]] == [word.text for word in explanation.words]
    assert "words that mattered" in explanation.to_text()


def test_names_of_an_example_are_linked(make_reasoner):
    example = NLIExample("A gavorn plays.", "An animal plays.", names={"gavorn": "ex:dog"})
    explanation = explain(make_reasoner(), example, counterfactual=True)
    assert "a dog is a kind of animal" in explanation.sentences
    assert explanation.counterfactual.num_additions > 0


def test_marks_that_could_move_the_cursor_do_not_reach_the_page(make_reasoner):
    page = explain(make_reasoner(), ("A man\x1b[2J plays.", "A woman plays.\u202e")).to_text()
    assert "\x1b" not in page
    assert "\u202e" not in page
