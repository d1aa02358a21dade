"""Changes of pairs: what they change, what they leave alone, and which labels are right after them."""

from __future__ import annotations

import pytest

from kg_reason.audits.perturbations import Effect, Perturbation, perturbations
from kg_reason.nli import Justification, Label, NLIExample, ReplacedWord

PREMISE = "A man is playing the violin near the river."
HYPOTHESIS = "A person is playing an instrument."


def no_word(word: str) -> bool:
    return False


ALL = {item.name: item for item in perturbations(no_word)}


def change(name: str, premise: str = PREMISE, hypothesis: str = HYPOTHESIS, label: Label | None = Label.ENTAILMENT):
    return ALL[name].apply(NLIExample(premise, hypothesis, label), 0)


def test_names_are_unique_and_groups_stand_together():
    names = [item.name for item in perturbations(no_word)]
    groups = [item.group for item in perturbations(no_word)]
    assert len(names) == len(set(names))
    assert len(list(dict.fromkeys(groups))) == 1 + sum(a != b for a, b in zip(groups, groups[1:], strict=False))


@pytest.mark.parametrize("item", ALL.values(), ids=list(ALL))
def test_a_change_is_the_same_for_the_same_seed_and_leaves_the_example_alone(item: Perturbation):
    example = NLIExample('He said "no" and the dog isn\'t near the red house.', "A dog is barking.", Label.NEUTRAL)
    before = (example.premise, example.hypothesis)
    assert item.apply(example, 3) == item.apply(example, 3)
    assert (example.premise, example.hypothesis) == before


def test_seeds_give_different_typos():
    example = NLIExample(PREMISE, HYPOTHESIS, Label.ENTAILMENT)
    assert len({ALL["typo-premise"].apply(example, seed).premise for seed in range(12)}) > 3


def test_a_typo_is_in_the_sentence_that_is_named():
    assert change("typo-premise").hypothesis == HYPOTHESIS
    assert change("typo-premise").premise != PREMISE
    assert change("typo-hypothesis").premise == PREMISE


def test_articles_change_in_both_sentences_or_in_none():
    both = change("articles")
    assert (both.premise[:7], both.hypothesis[:10]) == ("The man", "The person")
    assert change("articles", premise="Two men play.") is None
    assert change("articles", premise="A few men play.") is None


def test_a_change_that_changes_nothing_does_not_apply():
    assert change("lower", "a man", "a person") is None
    assert change("quotes") is None
    assert change("function-words", "A dog runs.", "A dog moves.") is None
    assert change("no-marks", "A dog runs.", "...") is None


def test_a_sentence_stands_before_or_after_the_premise_and_the_label_stays():
    before, after, clause = (change(name) for name in ("sentence-before", "sentence-after", "clause-after"))
    assert before.premise.endswith(f". {PREMISE}")
    assert after.premise.startswith(f"{PREMISE} ")
    assert clause.premise.startswith(f"{PREMISE[:-1]}, while ")
    assert {before.label, after.label, clause.label} == {Label.ENTAILMENT}
    assert change("sentence-before", premise="") is None
    assert change("sentence-after", premise="A man runs").premise.startswith("A man runs. ")


@pytest.mark.parametrize(
    ("hypothesis", "negated"),
    [
        ("A man runs.", "It is not true that a man runs."),
        ("Dogs are running.", "It is not true that dogs are running."),
        ("I am here.", "It is not true that I am here."),
        ("Paris is big.", None),  # a name keeps its capital, and whether it is one is not known
        ("Nobody runs.", None),
        ("A man isn't running.", None),
        ("Is a man running?", None),
        ("A man runs. He is tired.", None),
    ],
)
def test_only_one_plain_statement_is_negated(hypothesis, negated):
    changed = change("not-true", hypothesis=hypothesis)
    assert (changed and changed.hypothesis) == negated


@pytest.mark.parametrize(
    ("hypothesis", "negated"),
    [
        ("A man is running.", "A man is not running."),
        ("There are two dogs.", "There are not two dogs."),
        ("There are some dogs.", None),
        ("All men are running.", None),
        ("A man who is old runs.", None),
        ("A man is running and a dog is barking.", None),
        ("A man runs.", None),
        ("Is he here", None),
    ],
)
def test_a_verb_is_negated_where_that_negates_the_sentence(hypothesis, negated):
    changed = change("is-not", hypothesis=hypothesis)
    assert (changed and changed.hypothesis) == negated


def test_labels_after_negation_and_exchange_follow_from_logic():
    negated, denied, swapped = ALL["not-true"], ALL["is-not"], ALL["swap"]
    assert negated.allowed(Label.ENTAILMENT) == {Label.CONTRADICTION}
    assert negated.allowed(Label.NEUTRAL) == {Label.NEUTRAL}
    assert negated.allowed(Label.CONTRADICTION) == {Label.ENTAILMENT, Label.NEUTRAL}
    assert denied.allowed(Label.ENTAILMENT) == {Label.CONTRADICTION}
    assert denied.allowed(Label.CONTRADICTION) == set()
    assert swapped.allowed(Label.CONTRADICTION) == {Label.CONTRADICTION}
    assert Label.CONTRADICTION not in swapped.allowed(Label.ENTAILMENT) | swapped.allowed(Label.NEUTRAL)
    assert negated.allowed(Label.NOT_ENTAILMENT) == set()


def test_the_changed_pair_carries_its_label_where_only_one_is_right():
    assert change("not-true", hypothesis="A man runs.").label is Label.CONTRADICTION
    assert change("swap").label is None
    assert change("swap", label=Label.CONTRADICTION).label is Label.CONTRADICTION
    assert change("upper", label=None).label is None


def test_exchange_needs_a_premise_and_places_in_the_old_texts_are_dropped():
    word = ReplacedWord(2, 5, "ex:man", "NN")
    example = NLIExample("A man runs.", "A dog runs.", Label.NEUTRAL, names={"man": "ex:man"}, example_id="7",
                         justification=Justification(word, word))  # fmt: skip
    swapped = ALL["swap"].apply(example, 0)
    assert (swapped.premise, swapped.hypothesis) == ("A dog runs.", "A man runs.")
    assert (swapped.names, swapped.example_id, swapped.justification) == ({"man": "ex:man"}, "7", None)
    assert change("swap", premise="") is None


def test_what_is_marked_as_english_needs_english_words():
    kept = [item for item in ALL.values() if not item.is_english]
    assert {item.effect for item in kept} == {Effect.KEEPS, Effect.SWAPS}
    assert all(item.is_english for item in ALL.values() if item.effect in (Effect.NEGATES, Effect.DENIES))
