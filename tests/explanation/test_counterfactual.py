"""A counterfactual says what the really edited graph would answer."""

import numpy as np
import pytest
import torch

from kg_reason import BuildConfig, KnowledgeGraph, NLIExample, Reasoner, build_graph
from kg_reason.explanation import counterfactual
from kg_reason.explanation.counterfactual import Alternative, Counterfactual, find_counterfactual
from kg_reason.explanation.missing import Fact
from kg_reason.kg.editing import edit_graph
from kg_reason.nli import Label
from kg_reason.prediction import Answer

PAIRS = [
    NLIExample("A man plays a violin.", "A man plays an instrument."),
    NLIExample("A man plays.", "A woman plays."),
    NLIExample("The dog is hot.", "The dog is cold."),
    NLIExample("A cat plays.", "A dog plays."),
    NLIExample("A violin is hot.", "A drum is hot."),
    NLIExample("", "A cello is an instrument."),
    NLIExample("A gavorn plays.", "An animal plays."),
]


def deciding(reasoner, bias=(0.0, 0.0, 0.0)):
    """Give the text no say but a bias, so that the paths decide."""
    with torch.no_grad():
        reasoner.model.text_head[-1].weight.zero_()
        reasoner.model.text_head[-1].bias.copy_(torch.tensor(bias))
    return reasoner


def after_real_edits(folder, reasoner, example, operation, triples):
    """The answer of the same model over the graph after edits on disk."""
    for head, relation, tail in triples:
        edit_graph(folder, operation, head, relation, tail)
    graph = KnowledgeGraph.open(folder)
    other = Reasoner(graph, reasoner.config, reasoner.model, reasoner.tokenizer, reasoner.relations)
    (prediction,) = other.predict_examples([example])
    return prediction.answer


def differences(first, second):
    return np.array([first.logits[label] - second.logits[label] for label in first.logits])


@pytest.mark.parametrize("seed", range(3))
def test_removals_have_the_logits_of_the_really_edited_graph(two_way_folder, make_reasoner, seed):
    num_found = 0
    for example in PAIRS:
        graph = KnowledgeGraph.open(two_way_folder)
        reasoner = deciding(make_reasoner(graph=graph, seed=seed))
        (before,) = reasoner.predict_examples([example])
        found = find_counterfactual(reasoner, example).removal
        if found is None:
            continue
        num_found += 1
        assert found.answer.label != before.label
        triples = [triple for fact in found.facts for triple in fact.triples]
        real = after_real_edits(two_way_folder, reasoner, example, "remove", triples)
        assert differences(found.answer, real) == pytest.approx(0, abs=1e-5)
        (two_way_folder / "edits.jsonl").unlink()
    assert num_found > 0


def test_an_inferred_step_falls_with_a_stated_edge_that_it_rests_on(make_reasoner, tmp_path):
    chain = ["violin", "bowed", "string", "acoustic", "musical", "sounding", "device", "artefact", "object"]
    rows = "".join(f"{below}\tis a\t{above}\n" for below, above in zip(chain, chain[1:], strict=False))
    (tmp_path / "t.tsv").write_text(rows)
    build_graph([tmp_path / "t.tsv"], tmp_path / "kg", BuildConfig(infer="rdfs"))
    example, num_found = NLIExample("A violin plays.", "An object plays."), 0
    for seed in range(5):
        graph = KnowledgeGraph.open(tmp_path / "kg")
        reasoner = deciding(make_reasoner(graph=graph, seed=seed))
        assert reasoner.predict_examples([example])[0].evidence[0].path.steps[0].inferred
        found = find_counterfactual(reasoner, example).removal
        if found is None:
            continue
        num_found += 1
        triples = [triple for fact in found.facts for triple in fact.triples]
        assert len(triples) == 1
        real = after_real_edits(tmp_path / "kg", reasoner, example, "remove", triples)
        assert differences(found.answer, real) == pytest.approx(0, abs=1e-5)
        (tmp_path / "kg" / "edits.jsonl").unlink()
    assert num_found > 0


@pytest.mark.parametrize("seed", range(3))
def test_additions_have_the_logits_of_the_really_edited_graph(two_way_folder, make_reasoner, seed):
    num_found = num_new = 0
    for example in PAIRS:
        graph = KnowledgeGraph.open(two_way_folder)
        reasoner = deciding(make_reasoner(graph=graph, seed=seed), bias=(0.0, 1e-3, 0.0))
        (before,) = reasoner.predict_examples([example])
        for addition in find_counterfactual(reasoner, example).additions:
            assert addition.answer.label != before.label
            (fact,) = addition.facts
            real = after_real_edits(two_way_folder, reasoner, example, "add", fact.triples)
            assert differences(addition.answer, real) == pytest.approx(0, abs=1e-5)
            (two_way_folder / "edits.jsonl").unlink()
            num_found, num_new = num_found + 1, num_new + bool(fact.new_entities)
    assert num_found > 0
    assert num_new > 0


def test_a_fact_that_is_stated_twice_is_removed_as_one(two_way_folder, make_reasoner):
    reasoner = deciding(make_reasoner(graph=KnowledgeGraph.open(two_way_folder)))
    for example in PAIRS[:4]:
        removal = find_counterfactual(reasoner, example).removal
        if removal is not None:
            assert all(len(fact.triples) == 2 for fact in removal.facts)
            assert all(len(fact.sources) == 2 for fact in removal.facts)
            return
    pytest.fail("no removal was found")


def test_no_smaller_set_of_the_facts_changes_the_answer(make_reasoner, monkeypatch):
    sizes = set()
    for seed in range(6):
        reasoner = deciding(make_reasoner(seed=seed), bias=(0.0, 2e-2, 0.0))
        for example in PAIRS:
            search = make_search(reasoner, example)
            find_with(search, monkeypatch)
            best = search.best
            if best is None:
                continue
            sizes.add(len(best))
            smaller = [units for units in search.tried if set(units) < set(best)]
            assert all(int(search.tried[units].argmax()) == search.column for units in smaller)
            if len(best) == 2:
                assert {(unit,) for unit in best} <= set(smaller)
    assert sizes


def make_search(reasoner, example):
    return counterfactual._Search(reasoner, example, reasoner.grounder.ground(example))


def find_with(search, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(counterfactual, "_Search", lambda *_: search)
        find_counterfactual(search.reasoner, search.example)


def test_larger_sets_are_tried_where_other_paths_take_the_place_of_those_removed(make_reasoner, monkeypatch):
    monkeypatch.setattr(counterfactual, "MAX_SINGLES", 1)
    most = 0
    for seed in range(6):
        reasoner = deciding(make_reasoner(seed=seed), bias=(0.0, 1e-3, 0.0))
        for example in PAIRS:
            search = make_search(reasoner, example)
            find_with(search, monkeypatch)
            most = max([most, *(len(units) for units in search.tried)])
    assert most > 1


def test_a_pair_without_paths_has_no_removal_and_the_text_decides(make_reasoner):
    found = find_counterfactual(make_reasoner(), NLIExample("It is.", "He was there."))
    assert found.removal is None
    assert found.additions == ()
    assert (found.num_removals, found.num_additions) == (0, 0)
    assert found.sentences() == ()


@pytest.mark.parametrize("evidence", ["text", "counts", "verbalised", "tokens"])
def test_controls_have_counterfactuals_too(make_reasoner, evidence):
    found = find_counterfactual(make_reasoner(evidence=evidence), PAIRS[0])
    assert found.num_removals > 0
    if evidence == "text":
        assert found.removal is None
        assert found.additions == ()


def test_the_graph_and_the_answers_stay_as_they_were(make_reasoner):
    reasoner = make_reasoner()
    before = [prediction.to_json() for prediction in reasoner.predict_examples(PAIRS)]
    first = [find_counterfactual(reasoner, example).to_json() for example in PAIRS]
    again = [find_counterfactual(reasoner, example).to_json() for example in reversed(PAIRS)]
    assert first == again[::-1]
    assert [prediction.to_json() for prediction in reasoner.predict_examples(PAIRS)] == before


def test_sentences_name_facts_labels_and_probabilities(make_reasoner):
    said = [row for example in PAIRS for row in told(deciding(make_reasoner(), (0.0, 1e-3, 0.0)), example)]
    assert any(row.startswith("if the graph did not know '") for row in said)
    assert any(row.startswith("if the graph knew '") and "the answer would be" in row for row in said)


def told(reasoner, example):
    return find_counterfactual(reasoner, example).sentences()


def test_facts_that_read_the_same_are_counted_and_long_lists_are_cut():
    facts = [Fact("wet", "antonym", "dry", ((f"e:{number}", "e:antonym", "e:dry"),)) for number in range(2)]
    facts += [Fact("wet", "hypernym", str(number), (("e:wet", "e:hypernym", str(number)),)) for number in range(5)]
    removal = Alternative(tuple(facts), Answer({Label.NEUTRAL: 1.0, Label.ENTAILMENT: 0.0}))
    (said,) = Counterfactual(removal, (), 1, 0).sentences()
    assert said == (
        "if the graph did not know 'wet antonym dry' (in 2 senses) and 'wet hypernym 0' and 'wet hypernym 1' and "
        "'wet hypernym 2' and 2 more, the answer would be neutral 0.73"
    )
