"""Which pairs of mentions are searched, what the settings change, and the subgraph of the paths found."""

import itertools

import numpy as np
import pytest

from kg_reason.config import BuildConfig, RetrieverConfig
from kg_reason.errors import UnknownEntityError
from kg_reason.kg.building import build_graph
from kg_reason.kg.editing import edit_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import Candidate, Mention
from kg_reason.kg.path_features import PATH_FEATURES
from kg_reason.kg.paths import PathTable, describe_path
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.subgraph import BOTH, BRIDGE, HYPOTHESIS, PREMISE, subgraph
from kg_reason.kg.triples import Source, Triple


def mention(graph, word, *ids, key="", score=0.8):
    """Return a mention of a word with the entities of these ids as candidates, the first as good as `score`."""
    entities = [graph.entity(name) for name in ids]
    aliases = [int(np.flatnonzero(graph.alias_entity == entity)[0]) for entity in entities]
    pairs = enumerate(zip(entities, aliases, strict=True), start=1)
    candidates = tuple(Candidate(entity, score / rank, alias) for rank, (entity, alias) in pairs)
    return Mention(0, len(word), word, key or word, candidates)


def shown(graph, paths):
    return [str(describe_path(graph, paths, row)) for row in range(paths.num_paths)]


def feature(paths, name):
    return paths.features[:, PATH_FEATURES.index(name)].tolist()


@pytest.fixture
def words(toy_graph):
    names = [
        "violin", "cello", "guitar", "drum", "instrument", "man", "woman", "boy", "person", "dog", "cat", "animal",
        "being", "hot", "cold", "string",
    ]  # fmt: skip
    return {name: mention(toy_graph, name, f"ex:{name}") for name in names}


def test_a_violin_is_an_instrument(toy_graph, words):
    paths = Retriever(toy_graph).retrieve([words["violin"]], [words["instrument"]])
    assert shown(toy_graph, paths) == [
        "violin -[hypernym]-> bowed instrument -[hypernym]-> string instrument -[hypernym]-> instrument"
    ]
    assert paths.length.tolist() == [3]
    assert paths.forward[0].tolist() == [True, True, True, False, False, False, False]


def test_the_other_way_round_the_steps_are_walked_backward(toy_graph, words):
    paths = Retriever(toy_graph).retrieve([words["instrument"]], [words["violin"]])
    assert shown(toy_graph, paths) == [
        "instrument <-[hypernym]- string instrument <-[hypernym]- bowed instrument <-[hypernym]- violin"
    ]


def test_four_edges_are_walked_only_up_and_down_again(toy_graph, words):
    retriever = Retriever(toy_graph)
    paths = retriever.retrieve([words["man"]], [words["dog"]])
    assert shown(toy_graph, paths) == [
        "man -[hypernym]-> person -[hypernym]-> being <-[hypernym]- animal <-[hypernym]- dog"
    ]
    assert feature(paths, "taxonomic") == [1.0]
    year = mention(toy_graph, "1721", '"1721"^^<http://www.w3.org/2001/XMLSchema#gYear>')
    assert retriever.retrieve([year], [words["guitar"]]).num_paths == 0
    assert Retriever(toy_graph, RetrieverConfig(max_hops=4)).retrieve([year], [words["guitar"]]).num_paths == 1
    without = Retriever(toy_graph, RetrieverConfig(climb=False))
    assert without.retrieve([words["man"]], [words["dog"]]).num_paths == 0


def test_a_symmetric_relation_is_walked_once_and_forward(toy_graph, words):
    for first, second in (("hot", "cold"), ("cold", "hot")):
        paths = Retriever(toy_graph).retrieve([words[first]], [words[second]])
        assert shown(toy_graph, paths) == [f"{first} -[antonym]-> {second}"]


def test_two_words_for_one_entity_make_a_path_without_edges(toy_graph):
    violin, fiddle = mention(toy_graph, "violin", "ex:violin"), mention(toy_graph, "fiddle", "ex:violin")
    paths = Retriever(toy_graph).retrieve([violin], [fiddle])
    assert paths.length.tolist() == [0]
    assert feature(paths, "same_entity") == [1.0]
    step = describe_path(toy_graph, paths, 0).steps[0]
    assert step.relation == "synonym"
    assert [source.file for source in step.sources] == ["toy.tsv"]


def test_a_word_that_stands_in_both_sentences_needs_no_path(toy_graph, words):
    retriever = Retriever(toy_graph)
    assert retriever.retrieve([words["man"], words["woman"]], [words["man"]]).num_paths == 0
    paths = retriever.retrieve([words["man"], words["dog"]], [words["man"], words["cat"]])
    assert set(zip(paths.start.tolist(), paths.end.tolist(), strict=True)) == {(0, 3), (1, 3)}
    assert dict(zip(paths.start.tolist(), feature(paths, "start_matched"), strict=True)) == {0: 1.0, 1: 0.0}
    assert dict(zip(paths.start.tolist(), feature(paths, "left_match"), strict=True))[1] == 1.0


def test_with_an_empty_premise_the_words_of_the_hypothesis_are_joined(toy_graph, words):
    hypothesis = [words["violin"], words["instrument"]]
    paths = Retriever(toy_graph).retrieve([], hypothesis)
    assert paths.start.tolist() == [0]
    assert paths.end.tolist() == [1]
    assert feature(paths, "in_hypothesis") == [1.0]
    assert Retriever(toy_graph, RetrieverConfig(hypothesis_paths=False)).retrieve([], hypothesis).num_paths == 0


def test_two_words_of_the_hypothesis_are_joined_only_where_the_premise_lacks_both(toy_graph, words):
    retriever = Retriever(toy_graph)
    both = retriever.retrieve([words["hot"]], [words["violin"], words["cello"]])
    assert list(zip(both.start.tolist(), both.end.tolist(), strict=True)) == [(1, 2)]
    one = retriever.retrieve([words["violin"]], [words["violin"], words["cello"]])
    assert list(zip(one.start.tolist(), one.end.tolist(), strict=True)) == [(0, 2)]
    twice = retriever.retrieve([], [words["violin"], words["violin"]])
    assert twice.num_paths == 0


def test_no_mentions_and_unknown_words_give_an_empty_table(toy_graph, words):
    retriever = Retriever(toy_graph)
    unknown = Mention(0, 5, "zorgs", "zorg", ())
    for premise, hypothesis in (([], []), ([unknown], [words["dog"]]), ([words["dog"]], [unknown])):
        paths = retriever.retrieve(premise, hypothesis)
        assert paths.num_paths == 0
        for column, empty in zip(paths, PathTable.empty(), strict=True):
            assert (column.dtype, column.shape) == (empty.dtype, empty.shape)


def test_max_hops_bounds_the_plain_paths(toy_graph, words):
    config = RetrieverConfig(max_hops=2, climb=False)
    assert Retriever(toy_graph, config).retrieve([words["violin"]], [words["instrument"]]).num_paths == 0
    assert Retriever(toy_graph, config).retrieve([words["violin"]], [words["cello"]]).num_paths == 1


def test_hubs_are_climbed_through_but_not_walked_through(toy_graph, words):
    near, far = RetrieverConfig(max_degree=2), RetrieverConfig(max_degree=2, climb=False)
    assert Retriever(toy_graph, near).retrieve([words["violin"]], [words["cello"]]).num_paths == 1
    assert Retriever(toy_graph, far).retrieve([words["violin"]], [words["cello"]]).num_paths == 0


def test_excluded_relations_are_not_walked(toy_graph, words):
    for name in ("hypernym", "ex:hypernym", "Hypernym"):
        retriever = Retriever(toy_graph, RetrieverConfig(exclude_relations=(name,)))
        assert retriever.retrieve([words["violin"]], [words["instrument"]]).num_paths == 0
        assert retriever.retrieve([words["hot"]], [words["cold"]]).num_paths == 1


def test_words_of_the_rdf_vocabularies_are_walked_through_only_where_wanted():
    owl, a = "http://www.w3.org/2002/07/owl#Class", "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    edges = [("ex:cat", a, owl), ("ex:stone", a, owl), ("ex:tom", a, "ex:cat"), ("ex:pebble", a, "ex:stone")]
    graph = KnowledgeGraph.from_triples(Triple(*edge, Source("x.ttl", n)) for n, edge in enumerate(edges))
    words = {name: mention(graph, f"ex:{name}", name) for name in ("cat", "stone", "tom", "pebble")}
    words["class"] = mention(graph, owl, "class")
    closed, walked = Retriever(graph), Retriever(graph, RetrieverConfig(walk_vocabulary=True))
    for start, end in (("cat", "stone"), ("tom", "stone"), ("tom", "pebble")):
        assert closed.retrieve([words[start]], [words[end]]).num_paths == 0
        assert walked.retrieve([words[start]], [words[end]]).num_paths == 1
    to_the_word = closed.retrieve([words["tom"]], [words["class"]])
    assert shown(graph, to_the_word) == ["tom -[type]-> cat -[type]-> Class"]


def test_an_unknown_excluded_relation_is_named():
    graph = KnowledgeGraph.from_triples([Triple("a", "likes", "b", Source("x.tsv", 1))])
    with pytest.raises(UnknownEntityError, match="exclude_relations: the graph has no relation 'hates'"):
        Retriever(graph, RetrieverConfig(exclude_relations=("hates",)))


def test_climbing_uses_the_taxonomic_relation_even_where_its_inverse_came_first(toy_graph):
    lines = [("c", "a"), ("d", "a"), ("d", "b"), ("e", "b"), ("f", "e"), ("g", "c")]
    triples = [Triple(whole, "has part", part, Source("x.tsv", n)) for n, (part, whole) in enumerate(lines)]
    triples += [Triple(part, "part of", whole, Source("x.tsv", n)) for n, (part, whole) in enumerate(lines)]
    graph = KnowledgeGraph.from_triples(triples)
    assert graph.relation_walk[graph.relation("part of")] == 0
    paths = Retriever(graph).retrieve([mention(graph, "g", "g")], [mention(graph, "d", "d")])
    assert shown(graph, paths) == ["g -[part of]-> c -[part of]-> a <-[part of]- d"]
    other = Retriever(graph, RetrieverConfig(taxonomic_relations=("has part",)))
    paths = other.retrieve([mention(graph, "g", "g")], [mention(graph, "d", "d")])
    assert shown(graph, paths) == ["g <-[has part]- c <-[has part]- a -[has part]-> d"]


def twice_stated(tmp_path):
    """Build a graph on disk that states each edge as hypernym and as hyponym; it can be edited."""
    edges = [("violin", "string"), ("cello", "string"), ("string", "instrument"), ("drum", "instrument")]
    lines = [f"{a}\thypernym\t{b}\n{b}\thyponym\t{a}\n" for a, b in edges]
    (tmp_path / "edges.tsv").write_text("".join(lines) + "gavorn\tlikes\tmarn\npelit\tlikes\tdoon\n")
    build_graph([tmp_path / "edges.tsv"], tmp_path / "kg", BuildConfig(header="no"))
    return tmp_path / "kg"


@pytest.mark.parametrize(
    ("head", "relation", "tail"), [("gavorn", "hypernym", "violin"), ("violin", "hyponym", "gavorn")]
)
def test_an_edge_that_an_edit_adds_in_one_direction_is_walked_and_told_as_those_stated_twice(
    tmp_path, head, relation, tail
):
    place = twice_stated(tmp_path)
    edit_graph(place, "add", head, relation, tail)
    graph = KnowledgeGraph.open(place)
    paths = Retriever(graph).retrieve([mention(graph, "gavorn", "gavorn")], [mention(graph, "violin", "violin")])
    assert shown(graph, paths) == ["gavorn -[hypernym]-> violin"]


def test_an_edit_changes_no_path_between_words_that_it_does_not_speak_of(tmp_path):
    place = twice_stated(tmp_path)
    before = KnowledgeGraph.open(place)
    edit_graph(place, "add", "violin", "hyponym", "gavorn")
    edit_graph(place, "add", "pelit", "hypernym", "drum")
    after = KnowledgeGraph.open(place)
    for start, end in (("violin", "cello"), ("cello", "instrument"), ("instrument", "string"), ("drum", "violin")):
        found = [
            shown(graph, Retriever(graph).retrieve([mention(graph, start, start)], [mention(graph, end, end)]))
            for graph in (before, after)
        ]
        assert found[0] == found[1] != []


def test_limits_keep_the_best_paths(toy_graph, words):
    premise = [words[name] for name in ("man", "woman", "boy", "dog")]
    hypothesis = [words[name] for name in ("person", "cat", "animal")]
    everything = Retriever(toy_graph, RetrieverConfig(max_paths=512)).retrieve(premise, hypothesis)
    few = Retriever(toy_graph, RetrieverConfig(max_paths=5)).retrieve(premise, hypothesis)
    assert few.num_paths == 5 < everything.num_paths
    assert shown(toy_graph, few) == shown(toy_graph, everything)[:5]
    assert (np.diff(everything.score) <= 0).all()
    one = Retriever(toy_graph, RetrieverConfig(max_paths=512, max_paths_per_pair=1)).retrieve(premise, hypothesis)
    pairs = list(zip(one.start.tolist(), one.end.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))


def test_better_candidates_rank_higher(toy_graph):
    guess = mention(toy_graph, "x", "ex:hot", "ex:violin")
    paths = Retriever(toy_graph).retrieve([guess], [mention(toy_graph, "y", "ex:cold", "ex:bowedInstrument")])
    assert [text.split()[0] for text in shown(toy_graph, paths)] == ["hot", "violin"]
    assert feature(paths, "start_rank") == [1.0, 0.5]
    assert feature(paths, "start_score") == pytest.approx([0.8, 0.4])
    assert feature(paths, "start_share") == pytest.approx([2 / 3, 1 / 3])


def test_features_stay_within_their_range(toy_graph, words):
    paths = Retriever(toy_graph).retrieve(list(words.values())[:8], list(words.values())[8:])
    assert paths.num_paths == 24
    assert paths.features.min() >= 0.0
    assert paths.features.max() <= 1.0


def test_a_name_given_with_the_example_has_no_label_in_the_graph(toy_graph, words):
    named = (Candidate(toy_graph.entity("ex:violin"), 1.0, -1),)
    gavorn, pelit = (Mention(0, len(word), word, word, named) for word in ("gavorn", "pelit"))
    paths = Retriever(toy_graph, RetrieverConfig(hypothesis_paths=False)).retrieve([gavorn], [pelit, words["violin"]])
    assert paths.start_alias.tolist() == [-1, -1]
    assert paths.end_alias.tolist()[0] == -1
    assert feature(paths, "same_pos") == [0.5, 0.5]
    assert all(describe_path(toy_graph, paths, row).source_lines() for row in range(2))


def test_results_do_not_depend_on_what_was_asked_before(toy_graph, words):
    used = Retriever(toy_graph)
    everything = list(words.values())
    for start in range(600):
        used.retrieve(everything[start % 11 :], everything[: start % 13])
    again = used.retrieve(everything[:6], everything[6:])
    fresh = Retriever(toy_graph).retrieve(everything[:6], everything[6:])
    assert [column.tobytes() for column in again] == [column.tobytes() for column in fresh]


def test_many_mentions_and_candidates_fit(toy_graph):
    ids = [toy_graph.entity_id(entity) for entity in range(toy_graph.num_entities) if not toy_graph.is_value(entity)]
    known = [name for name in ids if len(toy_graph.aliases(toy_graph.entity(name)))]
    premise = [mention(toy_graph, f"p{number}", *known) for number in range(150)]
    hypothesis = [mention(toy_graph, f"h{number}", *known) for number in range(150)]
    paths = Retriever(toy_graph).retrieve(premise, hypothesis)
    assert paths.num_paths == 24
    assert set(paths.length.tolist()) == {0}


def test_the_subgraph_is_the_union_of_the_paths(toy_graph, words):
    premise, hypothesis = [words["violin"], words["man"]], [words["cello"], words["guitar"]]
    paths = Retriever(toy_graph).retrieve(premise, hypothesis)
    graph = subgraph(paths, len(premise))
    assert graph.entity_ids.tolist() == sorted(set(paths.entities[paths.entities >= 0].tolist()))
    roles = {toy_graph.entity_id(entity): role for entity, role in zip(graph.entity_ids, graph.node_role, strict=True)}
    assert roles["ex:violin"] == PREMISE
    assert roles["ex:cello"] == roles["ex:guitar"] == HYPOTHESIS
    assert roles["ex:bowedInstrument"] == roles["ex:stringInstrument"] == BRIDGE
    stated = set(zip(toy_graph.edge_head, toy_graph.edge_relation, toy_graph.edge_tail, strict=True))
    head, tail = graph.entity_ids[graph.edge_index]
    edges = list(zip(head, graph.edge_type, tail, strict=True))
    assert set(edges) <= stated
    assert len(edges) == len(set(edges)) == len(set(paths.edges[paths.edges >= 0].tolist()))
    used = paths.entities >= 0
    assert (graph.entity_ids[graph.path_nodes[used]] == paths.entities[used]).all()
    assert (graph.path_nodes[~used] == -1).all()
    links = {(int(graph.entity_ids[node]), int(number)) for node, number in graph.node_mention}
    starts = zip(paths.entities[:, 0].tolist(), paths.start.tolist(), strict=True)
    last = paths.entities[np.arange(paths.num_paths), paths.length]
    assert links == {*starts, *zip(last.tolist(), paths.end.tolist(), strict=True)}


def test_one_entity_named_on_both_sides_has_both_roles(toy_graph):
    paths = Retriever(toy_graph).retrieve(
        [mention(toy_graph, "violin", "ex:violin")], [mention(toy_graph, "fiddle", "ex:violin")]
    )
    graph = subgraph(paths, 1)
    assert graph.node_role.tolist() == [BOTH]
    assert graph.node_mention.tolist() == [[0, 0], [0, 1]]
    assert graph.edge_index.shape == (2, 0)


def test_no_paths_make_an_empty_subgraph():
    graph = subgraph(PathTable.empty(), 3)
    assert graph.entity_ids.shape == graph.node_role.shape == graph.edge_type.shape == (0,)
    assert graph.edge_index.shape == (2, 0)
    assert graph.path_nodes.shape == (0, 8)
    assert graph.node_mention.shape == (0, 2)


@pytest.fixture(scope="module")
def deep_graph():
    """Two chains of classes that meet after 3 and 4 edges, and a shortcut for one word."""
    chains = (("harp", "lyre kind", "plucked kind", "sounding thing"),
              ("gong", "disc kind", "struck kind", "idiophone kind", "sounding thing"))  # fmt: skip
    edges = [(head, "hypernym", tail) for chain in chains for head, tail in itertools.pairwise(chain)]
    edges += [("bell", "near", "harp"), ("oak", "hypernym", "tree")]
    return KnowledgeGraph.from_triples(
        Triple(*edge, Source("edges.tsv", line)) for line, edge in enumerate(edges, start=1)
    )


def word(graph, name):
    return mention(graph, name, name)


def around(graph, first, last, name):
    """Return the mentions of a sentence with a word between two others."""
    before, after = (mention(graph, key, "tree", key=key) for key in (first, last))
    return [before, word(graph, name), after]


def joined(paths):
    return set(zip(paths.start.tolist(), paths.end.tolist(), strict=True))


def test_words_in_each_other_s_place_are_joined_by_a_longer_climb(deep_graph):
    premise, hypothesis = around(deep_graph, "a", "b", "harp"), around(deep_graph, "a", "b", "gong")
    paths = Retriever(deep_graph).retrieve(premise, hypothesis)
    assert joined(paths) == {(1, 4)}
    assert paths.length.tolist() == [7]
    assert shown(deep_graph, paths) == [
        "harp -[hypernym]-> lyre kind -[hypernym]-> plucked kind -[hypernym]-> sounding thing <-[hypernym]- "
        "idiophone kind <-[hypernym]- struck kind <-[hypernym]- disc kind <-[hypernym]- gong"
    ]


def test_place_climb_bounds_the_climb_between_words_in_place(deep_graph):
    premise, hypothesis = around(deep_graph, "a", "b", "harp"), around(deep_graph, "a", "b", "gong")
    assert Retriever(deep_graph, RetrieverConfig(place_climb=6)).retrieve(premise, hypothesis).num_paths == 0
    assert Retriever(deep_graph, RetrieverConfig(climb=False)).retrieve(premise, hypothesis).num_paths == 0


def test_words_with_other_words_around_them_are_joined_by_no_longer_climb(deep_graph):
    premise, hypothesis = around(deep_graph, "a", "b", "harp"), around(deep_graph, "a", "c", "gong")
    assert (1, 4) not in joined(Retriever(deep_graph).retrieve(premise, hypothesis))


def test_a_word_that_replaces_another_is_joined_to_it_though_the_premise_has_it_elsewhere(deep_graph):
    bell, harp, oak = (word(deep_graph, name) for name in ("bell", "harp", "oak"))
    assert joined(Retriever(deep_graph).retrieve([bell, oak, harp], [harp, oak, harp])) == {(0, 3)}


def test_a_word_that_stays_in_its_place_ends_no_path(deep_graph):
    bell, harp, oak = (word(deep_graph, name) for name in ("bell", "harp", "oak"))
    assert Retriever(deep_graph).retrieve([bell, oak, harp], [bell, oak, harp]).num_paths == 0
    assert Retriever(deep_graph).retrieve([bell, harp, oak], [harp, oak]).num_paths == 0


def test_paths_between_words_in_place_rank_before_equal_ones_elsewhere(deep_graph):
    bell, harp, oak = (word(deep_graph, name) for name in ("bell", "harp", "oak"))
    twin = mention(deep_graph, "twin", "harp", key="twin")
    paths = Retriever(deep_graph).retrieve([twin, oak, harp], [twin, oak, bell])
    assert list(zip(paths.start.tolist(), paths.end.tolist(), strict=True)) == [(2, 5), (0, 5)]
    assert paths.score[1] < paths.score[0]
