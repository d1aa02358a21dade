"""kg_reason.training.augmentation: what an epoch sees of its examples, by setting, epoch and example."""

from dataclasses import replace

import pytest

from kg_reason.config import ModelConfig, ReasonerConfig, TrainConfig
from kg_reason.kg.relation_kinds import RelationName
from kg_reason.nli import Fact, Justification, Label, NLIExample, ReplacedWord
from kg_reason.reasoner import Reasoner
from kg_reason.training.augmentation import Augmenter

OFF = TrainConfig(
    nonce_fraction=0.0, counterfactual_fraction=0.0, graph_dropout=0.0, distractor_paths=0, renamed_relations=0.0
)
MADE = NLIExample(
    "The violin is here.", "The bowed instrument is here.", Label.ENTAILMENT,
    justification=Justification(
        ReplacedWord(4, 10, "ex:violin", "NN"), ReplacedWord(4, 20, "ex:bowedInstrument", "NN"),
        (Fact("ex:violin", "ex:hypernym", "ex:bowedInstrument"),),
    ),
)  # fmt: skip
PLAIN = NLIExample("A man has a dog.", "A person has an animal.", Label.ENTAILMENT)


@pytest.fixture
def augment(toy_graph, tiny_encoder):
    """Return an example as an epoch sees it under some settings; all others are off."""
    reasoner = Reasoner.build(toy_graph, ReasonerConfig(model=ModelConfig(encoder=str(tiny_encoder), graph_dim=8)))

    def run(example, epoch=0, number=0, **settings):
        augmenter = Augmenter(reasoner, replace(OFF, **settings))
        return augmenter(example, reasoner.grounder.ground(example), epoch, number)

    run.reasoner = reasoner
    return run


def test_with_all_settings_off_nothing_changes(augment):
    for example in (MADE, PLAIN):
        seen = augment(example)
        assert seen.example is example
        assert seen.grounding.paths.num_paths == augment.reasoner.grounder.ground(example).paths.num_paths > 0


def test_invented_words_are_other_ones_in_every_epoch_and_the_evidence_stays(augment):
    texts = set()
    for epoch in range(3):
        seen = augment(MADE, epoch, nonce_fraction=1.0)
        texts.add(seen.example.premise)
        assert "violin" not in seen.example.premise
        assert set(seen.example.names.values()) == {"ex:violin", "ex:bowedInstrument"}
        assert seen.grounding.paths.num_paths == 1
        assert seen.example.label is Label.ENTAILMENT
    assert len(texts) == 3
    assert augment(MADE, 1, nonce_fraction=1.0).example == augment(MADE, 1, nonce_fraction=1.0).example


def test_a_pair_made_with_invented_words_gets_others_even_where_no_share_is_set(augment):
    invented = augment(MADE, nonce_fraction=1.0).example
    assert augment(invented, 1).example.names.keys() != invented.names.keys()


def test_pairs_that_were_not_made_from_the_graph_keep_their_words(augment):
    assert augment(PLAIN, nonce_fraction=1.0, counterfactual_fraction=1.0).example == PLAIN


def test_under_a_counterfactual_the_text_stays_and_the_label_follows_the_graph(augment):
    hypernym, antonym = (augment.reasoner.graph.relation(f"ex:{name}") for name in ("hypernym", "antonym"))
    labels = set()
    for number in range(12):
        seen = augment(MADE, number=number, counterfactual_fraction=1.0)
        assert (seen.example.premise, seen.example.hypothesis) == (MADE.premise, MADE.hypothesis)
        (relation,), (forward,) = seen.grounding.paths.relations[:, 0], seen.grounding.paths.forward[:, 0]
        expected = {(hypernym, False): Label.NEUTRAL, (antonym, True): Label.CONTRADICTION}
        if (relation, forward) in expected:
            assert seen.example.label is expected[relation, forward]
        labels.add(seen.example.label)
    assert labels == {Label.NEUTRAL, Label.CONTRADICTION}


def test_graph_dropout_takes_the_paths_of_plain_pairs_and_leaves_the_evidence_of_made_ones(augment):
    assert not augment(PLAIN, graph_dropout=1.0).grounding.has_evidence
    assert augment(MADE, graph_dropout=1.0).grounding.has_evidence


def test_chance_paths_are_added_to_about_half_of_the_pairs(augment):
    plain = augment.reasoner.grounder.ground(PLAIN).paths.num_paths
    counts = [augment(PLAIN, number=n, distractor_paths=3).grounding.paths.num_paths for n in range(60)]
    assert 15 <= sum(count > plain for count in counts) <= 45
    assert max(counts) <= plain + 3


def test_relations_are_shown_under_other_names_of_their_kind_or_invented_ones(augment):
    graph = augment.reasoner.graph
    hypernym = graph.relation("ex:hypernym")
    augmenter = Augmenter(augment.reasoner, replace(OFF, renamed_relations=1.0))
    names = {augmenter.relation_names([hypernym], 0, step)[hypernym] for step in range(40)}
    known = set(augment.reasoner.collator.names_of_kind(hypernym))
    assert {name.turned for name in names if name._replace(inverse="") in known} == {True, False}
    for name in names:
        if name.inverse:
            assert name._replace(inverse="") in known
            assert RelationName(name.inverse, turned=not name.turned) in known
    assert {bool(name.inverse) for name in names & known | {name for name in names if name.inverse}} == {True, False}
    assert names - known
    assert Augmenter(augment.reasoner, OFF).relation_names([hypernym], 0, 0) == {}
