"""kg_reason.synthesis.generator, with places, pairs and vocabulary: labelled pairs from a graph and sentences."""

from collections import Counter

import pytest

from kg_reason.config import SynthesisConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.nli import Label
from kg_reason.synthesis.generator import split_by_sentence, synthesize
from kg_reason.synthesis.surface import inflect
from tests.conftest import TOY_EDGES

SENTENCES = (
    "A man plays a violin.", "The woman has a drum.", "No boy plays a cello.", "Two dogs run in the park.",
    "The soup is hot.", "A cat sleeps near the guitar.", "The man did not see a dog.", "Every dog likes the old man.",
)


@pytest.fixture(scope="module")
def made(toy_graph):
    return synthesize(toy_graph, EntityLinker(toy_graph), SENTENCES, SynthesisConfig(fact_fraction=0.0, num_pairs=120))


def test_all_three_labels_are_made_about_evenly(made):
    counts = Counter(example.label for example in made)
    assert set(counts) == {Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION}
    assert max(counts.values()) <= 2 * min(counts.values())


def test_a_negation_tells_nothing_of_the_label(toy_graph):
    config = SynthesisConfig(fact_fraction=0.0, num_pairs=120, downward_fraction=0.5, max_pairs_per_sentence=60)
    examples = synthesize(toy_graph, EntityLinker(toy_graph), SENTENCES, config)
    counts = Counter(
        (example.justification.downward, example.label) for example in examples if example.justification is not None
    )
    downward = [counts[True, Label.ENTAILMENT], counts[True, Label.NEUTRAL]]
    assert max(downward) <= 1.5 * min(downward)
    assert sum(downward) > 40
    assert counts[True, Label.CONTRADICTION] == 0


def test_the_share_of_downward_contexts_is_as_set(toy_graph):
    config = SynthesisConfig(fact_fraction=0.0, num_pairs=40, downward_fraction=0.0, nonce_fraction=0.0)
    examples = synthesize(toy_graph, EntityLinker(toy_graph), (), config)
    assert examples
    assert not any(example.justification.downward for example in examples)


def test_equal_arguments_give_equal_examples_and_seeds_differ(toy_graph, made):
    linker = EntityLinker(toy_graph)
    assert synthesize(toy_graph, linker, SENTENCES, SynthesisConfig(fact_fraction=0.0, num_pairs=120)) == made
    other = SynthesisConfig(fact_fraction=0.0, num_pairs=120, synthesis_seed=1)
    assert synthesize(toy_graph, linker, SENTENCES, other) != made


def test_sentences_are_drawn_by_the_number_of_pairs_and_keep_their_numbers(toy_graph):
    linker = EntityLinker(toy_graph)
    found = []
    for per_pair in (0.1, 10.0):
        config = SynthesisConfig(num_pairs=40, sentences_per_pair=per_pair)
        examples = synthesize(toy_graph, linker, SENTENCES, config)
        sources = {e.example_id.split(":")[0] for e in examples if e.example_id.startswith("s")}
        found.append(sources)
        for example in examples:
            if example.category == "identical":
                assert example.premise == SENTENCES[int(example.example_id.split(":")[0][1:])]
    assert 1 <= len(found[0]) <= 4
    assert len(found[1]) > 4


def test_no_pair_comes_twice_and_no_hypothesis_is_empty(made):
    pairs = [(example.premise, example.hypothesis) for example in made]
    assert len(set(pairs)) == len(pairs)
    assert all(premise and hypothesis for premise, hypothesis in pairs)


def test_invented_words_stand_for_the_entities_of_the_justification(toy_graph, made):
    invented = [example for example in made if example.names]
    assert invented
    for example in invented:
        reason = example.justification
        assert set(example.names.values()) == {reason.premise_word.entity, reason.hypothesis_word.entity}
        for name, entity in example.names.items():
            assert toy_graph.find_entities(name) == ()
            assert toy_graph.find_entities(entity)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_justification_says_where_the_words_stand_and_which_facts_join_them(toy_graph, share):
    config = SynthesisConfig(fact_fraction=0.0, num_pairs=250, nonce_fraction=share, max_pairs_per_sentence=60)
    examples = synthesize(toy_graph, EntityLinker(toy_graph), SENTENCES, config)
    facts = {edge[:3] for edge in TOY_EDGES}
    replaced = [example for example in examples if example.justification]
    assert {example.category for example in examples if not example.justification} <= {"identical", "shorter", "longer"}
    assert {example.example_id[0] for example in replaced} == {"s", "f"}
    for example in replaced:
        reason = example.justification
        for text, word in ((example.premise, reason.premise_word), (example.hypothesis, reason.hypothesis_word)):
            entity = toy_graph.entity(word.entity)
            known = [alias.text for alias in toy_graph.aliases(entity)]
            invented = [name for name, named in example.names.items() if named == word.entity]
            forms = {form for name in invented or known for form in (name, inflect(name, word.tag))}
            assert text[word.start : word.end].lower() in forms
        assert reason.facts or example.category.startswith(("unrelated", "synonym"))
        end = reason.premise_word.entity
        for fact in reason.facts:
            assert fact in facts
            end = fact.tail if fact.head == end else fact.head if fact.tail == end else ""
        assert end == reason.hypothesis_word.entity or example.category.startswith("unrelated")
    assert {example.justification.downward for example in replaced} == {True, False}


def test_the_share_of_invented_words_is_as_set(toy_graph):
    for share in (0.0, 1.0):
        config = SynthesisConfig(fact_fraction=0.0, num_pairs=30, nonce_fraction=share)
        examples = synthesize(toy_graph, EntityLinker(toy_graph), SENTENCES, config)
        assert examples
        assert all(bool(example.names) == (share == 1.0) for example in examples)


def test_labels_follow_the_relation_and_the_context(toy_graph):
    config = SynthesisConfig(fact_fraction=0.0, num_pairs=400, nonce_fraction=0.0, max_pairs_per_sentence=60)
    examples = synthesize(toy_graph, EntityLinker(toy_graph), SENTENCES, config)
    found: dict[tuple[str, bool], set[Label]] = {}
    for example in examples:
        if example.justification is not None:
            found.setdefault((example.category, example.justification.downward), set()).add(example.label)
    assert found["synonym", False] == found["synonym", True] == {Label.ENTAILMENT}
    assert found["sister", False] == {Label.CONTRADICTION}
    assert found["hypernym", False] == {Label.ENTAILMENT}
    assert found["hypernym", True] == {Label.NEUTRAL}
    assert found["hyponym", False] == {Label.NEUTRAL}
    assert found["hyponym", True] == {Label.ENTAILMENT}


def test_ends_below_a_label_that_a_pattern_excludes_are_not_taken(toy_graph, tmp_path):
    def ends(condition):
        table = tmp_path / "mine.toml"
        table.write_text(
            f"[[pattern]]\nname = 'kind'\nsteps = ['hypernym', '^hypernym']\nlabel = 'contradiction'\n{condition}\n"
            "[groups]\nwider = ['hypernym']\n"
            "[frames.noun]\nupward = ['Here is a {NN}.', 'He saw a {NN}.']\ndownward = []\n"
        )
        config = SynthesisConfig(fact_fraction=0.0, num_pairs=60, relation_table=str(table), nonce_fraction=0.0)
        examples = synthesize(toy_graph, EntityLinker(toy_graph), (), config)
        return {example.justification.premise_word.entity for example in examples if example.category == "kind"}

    assert {"ex:boy", "ex:dog"} <= ends("")
    assert ends("not_below = ['person']") >= {"ex:dog"}
    assert not ends("not_below = ['person']") & {"ex:man", "ex:woman", "ex:boy"}


def test_a_sentence_gives_no_more_pairs_than_set(toy_graph):
    config = SynthesisConfig(fact_fraction=0.0, num_pairs=200, max_pairs_per_sentence=2)
    examples = synthesize(toy_graph, EntityLinker(toy_graph), SENTENCES, config)
    sources = Counter(example.example_id.split(":")[0] for example in examples)
    assert max(count for source, count in sources.items() if source.startswith("s")) <= 2


def test_without_sentences_frames_carry_the_pairs(toy_graph):
    examples = synthesize(toy_graph, EntityLinker(toy_graph), (), SynthesisConfig(fact_fraction=0.0, num_pairs=40))
    assert len(examples) > 20


def test_with_a_retriever_every_invented_pair_has_a_path_unless_unrelated(toy_graph):
    linker, retriever = EntityLinker(toy_graph), Retriever(toy_graph)
    config = SynthesisConfig(fact_fraction=0.0, num_pairs=60, nonce_fraction=1.0)
    for example in synthesize(toy_graph, linker, SENTENCES, config, retriever=retriever):
        premise, hypothesis = (linker.link(text, example.names) for text in (example.premise, example.hypothesis))
        found = len(retriever.retrieve(premise, hypothesis).length)
        assert (found > 0) != example.category.startswith("unrelated")


def test_a_table_of_the_user_gives_its_own_labels(toy_graph, tmp_path):
    table = tmp_path / "mine.toml"
    table.write_text(
        "[[pattern]]\nname = 'made part'\nsteps = ['part of']\nlabel = 'entailment'\ndownward = 'neutral'\n"
        "[frames.noun]\nupward = ['Here is a {NN}.']\ndownward = []\n"
    )
    config = SynthesisConfig(fact_fraction=0.0, num_pairs=10, relation_table=str(table), nonce_fraction=0.0)
    examples = synthesize(toy_graph, EntityLinker(toy_graph), (), config)
    chosen = [example for example in examples if example.category == "made part"]
    assert {(example.premise, example.hypothesis) for example in chosen} == {
        ("Here is a string.", "Here is a violin."), ("Here is a string.", "Here is a fiddle."),
    }
    assert {example.label for example in chosen} == {Label.ENTAILMENT}


def test_a_linker_of_another_graph_is_refused(toy_graph):
    other = type(toy_graph).from_triples([])
    with pytest.raises(ConfigError, match="another graph"):
        synthesize(other, EntityLinker(toy_graph), ())


def test_parts_of_a_split_share_no_text_and_lose_nothing(made):
    train, dev = split_by_sentence(made, 0.3, 0)
    assert len(train) + len(dev) == len(made)
    assert dev
    texts = [{text for example in part for text in (example.premise, example.hypothesis)} for part in (train, dev)]
    assert not texts[0] & texts[1]
    assert split_by_sentence(made, 0.3, 0) == (train, dev)
