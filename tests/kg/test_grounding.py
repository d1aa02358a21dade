"""Grounding one example, many, in several processes, and from the cache."""

import shutil

import numpy as np
import pytest

from kg_reason.config import LinkerConfig, RetrieverConfig
from kg_reason.errors import GraphError
from kg_reason.kg import grounding as grounding_room
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounder
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.nli import NLIExample

FACTS = """head\trelation\ttail
violin\tis a\tinstrument
cello\tis a\tinstrument
man\tis a\tperson
woman\tis a\tperson
man\tantonym\twoman
"""


@pytest.fixture(scope="module")
def stored_graph(tmp_path_factory):
    folder = tmp_path_factory.mktemp("facts")
    (folder / "facts.tsv").write_text(FACTS)
    build_graph([str(folder / "facts.tsv")], folder / "graph")
    return KnowledgeGraph.open(folder / "graph")


def make_grounder(graph, **settings):
    return Grounder(EntityLinker(graph, LinkerConfig()), Retriever(graph, RetrieverConfig(**settings)))


def make_examples(num_examples):
    things, people = ("violin", "cello", "instrument"), ("man", "woman", "person", "zorg")
    return [
        NLIExample(
            premise=f"A {people[n % 4]} plays the {things[n % 3]} {n // 24}." if n % 7 else "",
            hypothesis=f"The {people[n % 3]} has a {things[n // 4 % 3]}.",
            names={"zorg": "violin"} if n % 5 == 0 else {},
        )
        for n in range(num_examples)
    ]


def as_bytes(groundings):
    return [
        (item.premise_mentions, item.hypothesis_mentions, [column.tobytes() for column in item.paths])
        for item in groundings
    ]


def test_an_example_is_linked_on_both_sides_and_joined_by_paths(toy_graph):
    grounding = make_grounder(toy_graph).ground(NLIExample("A man plays a violin.", "A man plays an instrument."))
    assert [mention.text for mention in grounding.premise_mentions if mention.candidates] == ["man", "violin"]
    assert grounding.has_evidence
    side, mention = grounding.mention(int(grounding.paths.end[0]))
    assert (side, mention.text) == ("hypothesis", "instrument")
    assert grounding.mention(int(grounding.paths.start[0]))[1].text == "violin"
    assert "plays" in [mention.text for mention in grounding.unknown("premise")]


def test_the_names_of_an_example_are_linked(toy_graph):
    example = NLIExample("A man plays a gavorn.", "A man plays an instrument.", names={"gavorn": "ex:violin"})
    grounding = make_grounder(toy_graph).ground(example)
    assert grounding.has_evidence
    nothing = make_grounder(toy_graph).ground(NLIExample(example.premise, example.hypothesis))
    assert "gavorn" in [mention.text for mention in nothing.unknown("premise")]


def test_an_empty_premise_is_grounded(toy_graph):
    grounding = make_grounder(toy_graph).ground(NLIExample("", "A violin is an instrument."))
    assert grounding.premise_mentions == ()
    assert grounding.has_evidence


def test_all_at_once_one_by_one_and_from_the_cache_are_the_same(stored_graph, tmp_path):
    examples = make_examples(70)
    grounder = make_grounder(stored_graph)
    expected = as_bytes([grounder.ground(example) for example in examples])
    assert as_bytes(grounder.ground_all(examples)) == expected
    assert as_bytes(grounder.ground_all(examples, cache_dir=str(tmp_path))) == expected
    assert as_bytes(make_grounder(stored_graph).ground_all(examples, cache_dir=str(tmp_path))) == expected


def test_several_processes_give_the_same(stored_graph, tmp_path, monkeypatch):
    monkeypatch.setattr(grounding_room, "MIN_PER_WORKER", 10)
    monkeypatch.setattr(grounding_room, "SHARD_SIZE", 16)
    examples = make_examples(60)
    grounder = make_grounder(stored_graph)
    expected = as_bytes(grounder.ground_all(examples))
    assert as_bytes(grounder.ground_all(examples, num_workers=2, cache_dir=str(tmp_path))) == expected
    assert len(list(tmp_path.rglob("*.npz"))) >= 2


def test_only_what_is_missing_is_grounded(stored_graph, tmp_path, monkeypatch):
    examples = make_examples(40)
    grounder = make_grounder(stored_graph)
    grounder.ground_all(examples[10:30], cache_dir=str(tmp_path))
    asked = []
    link = grounder.ground
    monkeypatch.setattr(grounder, "ground", lambda example: asked.append(example) or link(example))
    found = grounder.ground_all(examples[::-1], cache_dir=str(tmp_path))
    assert asked == [example for example in examples[::-1] if example not in examples[10:30]]
    assert as_bytes(found) == as_bytes([link(example) for example in examples[::-1]])


def test_another_setting_has_a_cache_of_its_own(stored_graph, tmp_path):
    examples = make_examples(8)
    for max_hops in (1, 2, 1):
        make_grounder(stored_graph, max_hops=max_hops).ground_all(examples, cache_dir=str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 2


def test_the_cache_stands_beside_the_graph_unless_told_otherwise(stored_graph, tmp_path, monkeypatch):
    shutil.copytree(stored_graph.path, tmp_path / "kg")
    monkeypatch.chdir(tmp_path)
    grounder = make_grounder(KnowledgeGraph.open("kg"))
    grounder.ground_all(make_examples(8))
    grounder.ground_all(make_examples(8), cache_dir="none")
    grounder.ground_all([], cache_dir="")
    assert [path.name for path in tmp_path.iterdir()] == ["kg"]
    found = grounder.ground_all(make_examples(8), cache_dir="")
    assert len(list((tmp_path / "kg.groundings" / grounder.cache_key()).glob("*.npz"))) == 1
    assert as_bytes(found) == as_bytes(grounder.ground_all(make_examples(8)))


def test_a_graph_in_memory_has_no_place_for_a_cache(toy_graph, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_grounder(toy_graph).ground_all(make_examples(8), cache_dir="")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_shard_is_grounded_again(stored_graph, tmp_path, caplog):
    examples = make_examples(8)
    grounder = make_grounder(stored_graph)
    expected = as_bytes(grounder.ground_all(examples, cache_dir=str(tmp_path)))
    (shard,) = tmp_path.rglob("*.npz")
    shard.write_bytes(shard.read_bytes()[:100])
    assert as_bytes(grounder.ground_all(examples, cache_dir=str(tmp_path))) == expected
    assert "not a readable shard" in caplog.text


def test_a_shard_holds_no_pickle(stored_graph, tmp_path):
    make_grounder(stored_graph).ground_all(make_examples(8), cache_dir=str(tmp_path))
    (shard,) = tmp_path.rglob("*.npz")
    with np.load(shard, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays)


def test_what_is_read_back_is_kept_once_where_it_is_equal(stored_graph, tmp_path):
    examples = [NLIExample(f"The violin {number} is here.", "A gavorn sings.") for number in range(3)]
    make_grounder(stored_graph).ground_all(examples, cache_dir=str(tmp_path))
    found = make_grounder(stored_graph).ground_all(examples, cache_dir=str(tmp_path))
    violins = [grounding.premise_mentions[0] for grounding in found]
    assert {mention.text for mention in violins} == {"violin"}
    assert len({id(mention.text) for mention in violins}) == 1
    assert len({id(mention.candidates) for mention in violins}) == 1
    assert len({id(grounding.paths) for grounding in found if not grounding.has_evidence}) == 1


def test_without_paths_the_mentions_stay(toy_graph):
    grounding = make_grounder(toy_graph).ground(NLIExample("A violin.", "An instrument."))
    bare = grounding.without_paths()
    assert grounding.has_evidence
    assert not bare.has_evidence
    assert bare.premise_mentions == grounding.premise_mentions
    assert bare.hypothesis_mentions == grounding.hypothesis_mentions


def test_no_examples_give_no_groundings(stored_graph, tmp_path):
    assert make_grounder(stored_graph).ground_all([]) == []
    assert make_grounder(stored_graph).ground_all([], cache_dir=str(tmp_path)) == []


def test_a_graph_that_changed_underway_is_refused(stored_graph):
    with pytest.raises(GraphError, match="changed while it was in use"):
        grounding_room._open_grounder(str(stored_graph.path), "another", LinkerConfig(), RetrieverConfig())
