from __future__ import annotations

from dataclasses import replace

import pytest

from kg_reason.kg.paths import Path, Step
from kg_reason.kg.triples import Source
from kg_reason.nli import Label
from kg_reason.prediction import Answer, Evidence, LinkedEntity, LinkedMention, Place, Prediction

LABELS = (Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION)


def prediction(label: str = "violin", strength: float = 2.0) -> Prediction:
    sources = (Source("a.nt", 7), Source("a.nt", 9))
    step = Step("ex:violin", label, "hypernym", "ex:instrument", "instrument", True, sources)
    evidence = Evidence(
        Path((step,), 0, 1, 0.9),
        Place("premise", 2, 8, "violin"),
        Place("hypothesis", 3, 13, "instrument"),
        dict(zip(LABELS, (strength, -strength, 0.0), strict=True)),
    )
    text = Answer(dict(zip(LABELS, (0.0, 1.0, 0.0), strict=True)))
    fused = Answer({name: logit + evidence.contribution[name] for name, logit in text.logits.items()})
    known = LinkedMention(2, 8, "violin", (LinkedEntity("ex:violin", label, 0.9),))
    unknown = LinkedMention(14, 20, "gavorn", ())
    return Prediction("A violin", "An instrument gavorn", fused, text, (known,), (unknown,), (evidence,))


def test_probabilities_are_the_softmax_of_the_logits_and_the_label_its_highest() -> None:
    answer = prediction().answer
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)
    assert answer.label == max(answer.probabilities, key=lambda label: answer.probabilities[label]) == Label.ENTAILMENT
    assert Answer({Label.NEUTRAL: 2000.0, Label.ENTAILMENT: -2000.0}).probabilities[Label.NEUTRAL] == 1.0


def test_a_temperature_flattens_the_probabilities_and_keeps_the_label() -> None:
    answer = prediction().answer
    flat, sharp = (replace(answer, temperature=temperature) for temperature in (3.0, 0.5))
    assert flat.label is sharp.label is answer.label
    found = [item.probabilities[answer.label] for item in (flat, answer, sharp)]
    assert found == sorted(found)
    assert flat.probabilities == pytest.approx(Answer({k: v / 3 for k, v in answer.logits.items()}).probabilities)
    assert flat.to_json()["logits"] == answer.to_json()["logits"]


def test_the_json_has_the_shape_that_every_face_speaks() -> None:
    plain = prediction().to_json()
    assert list(plain) == [
        "premise", "hypothesis", "label", "probabilities", "logits", "temperature", "text", "mentions", "paths",
        "unknown",
    ]  # fmt: skip
    assert plain["label"] == "entailment"
    assert plain["text"]["label"] == "neutral"
    (path,) = plain["paths"]
    assert path["from"] == {"side": "premise", "start": 2, "end": 8}
    assert path["steps"][0]["sources"] == ["a.nt:7", "a.nt:9"]
    assert plain["unknown"]["hypothesis"] == [{"start": 14, "end": 20, "text": "gavorn"}]
    for label in LABELS:
        assert plain["logits"][label] == pytest.approx(plain["text"]["logits"][label] + path["contribution"][label])


def test_the_page_shows_both_answers_the_path_its_sources_and_what_is_unknown() -> None:
    page = prediction().to_text()
    assert "violin -[hypernym]-> instrument" in page
    assert "a.nt:7, :9" in page
    assert "entailment +2.00  neutral -2.00" in page
    assert "not in the graph: gavorn" in page
    assert "-> entailment" in page
    assert "-> neutral" in page


def test_a_source_is_shown_with_what_qualifies_the_step_there() -> None:
    found = prediction()
    qualifiers = ({"weight": ("0.12",), "source": ("http://e.org:80",)}, {"valid_from": ("2019",)})
    (step,) = found.evidence[0].path.steps
    path = Path((replace(step, weight=0.5, qualifiers=qualifiers),), 0, 1, 0.9)
    page = replace(found, evidence=(replace(found.evidence[0], path=path),)).to_text()
    assert 'a.nt:7 (0.12, source "http://e.org:80"), :9 (0.5, since 2019)' in page


def test_paths_that_moved_nothing_are_said_not_shown() -> None:
    assert "1 path was found, none moved the answer" in prediction(strength=0.001).to_text()


def test_control_characters_of_labels_do_not_reach_the_terminal_and_markup_not_the_notebook() -> None:
    hostile = prediction("\x1b[31mred<script>")
    assert "\x1b" not in hostile.to_text()
    assert "<script>" not in hostile._repr_html_()
    assert "&lt;script&gt;" in hostile._repr_html_()


def test_the_notebook_shows_both_answers_the_paths_their_sources_and_what_is_unknown() -> None:
    page = prediction()._repr_html_()
    for part in ("answer: entailment", "text alone: neutral", "a.nt:7, :9", "+2.00", "not in the graph: gavorn"):
        assert part in page
    assert "violin -[hypernym]-&gt; instrument" in page
    weak = prediction(strength=0.001)._repr_html_()
    assert "1 more, together" in weak
    assert "hypernym" not in weak


def test_a_claim_without_paths_says_so_in_the_notebook() -> None:
    page = replace(prediction(), premise="", evidence=())._repr_html_()
    assert "(none: a claim, checked against the graph)" in page
    assert "no path in the graph joins these words" in page
