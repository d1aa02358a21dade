"""The compiled search against itself interpreted, and against a search that simply tries every path."""

import importlib.util
import itertools
import random
from math import sqrt
from types import ModuleType

import numpy as np
import pytest

from kg_reason.config import RetrieverConfig
from kg_reason.kg import compiled, path_features, search
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import Candidate, Mention
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.triples import Source, Triple

RELATIONS = ("hypernym", "part of", "likes", "meets", "hyponym", "near")


def random_graph(seed: int, num_entities: int = 14, num_edges: int = 34) -> KnowledgeGraph:
    """Return a graph with an exact inverse (hyponym), a symmetric relation (near) and a half-symmetric one (meets)."""
    chance = random.Random(seed)
    edges = set()
    for _ in range(num_edges):
        head, tail = chance.sample(range(num_entities), 2)
        relation = chance.choice(RELATIONS)
        edges.add((head, relation, tail))
        if relation == "hypernym" or relation == "hyponym":
            edges.add((tail, "hyponym" if relation == "hypernym" else "hypernym", head))
        if relation == "near" or (relation == "meets" and chance.random() < 0.5):
            edges.add((tail, relation, head))
    edges.add((0, "likes", 0))
    lines = enumerate(sorted(edges), start=1)
    return KnowledgeGraph.from_triples(
        Triple(f"e{head}", relation, f"e{tail}", Source("edges.tsv", line)) for line, (head, relation, tail) in lines
    )


def random_mentions(graph: KnowledgeGraph, seed: int, num_mentions: int = 4) -> tuple[Mention, ...]:
    chance = random.Random(seed)
    mentions = []
    for number in range(num_mentions):
        entities = chance.sample(range(graph.num_entities), chance.randint(0, 3))
        candidates = tuple(Candidate(entity, chance.choice((0.2, 0.5, 0.9)), entity) for entity in entities)
        key = chance.choice("abcdef")
        mentions.append(Mention(number, number + 1, key, key, candidates))
    return tuple(mentions)


def all_steps(graph: KnowledgeGraph, node: int) -> list[tuple[int, int, bool]]:
    """Return every step that may leave an entity: (neighbour, edge, forward)."""
    edges = {(int(graph.edge_head[e]), int(graph.edge_relation[e]), int(graph.edge_tail[e])): e for e in live(graph)}
    steps = []
    for (head, relation, tail), edge in edges.items():
        walk = graph.relation_walk[relation]
        if head == tail or walk == 0:
            continue
        if head == node:
            steps.append((tail, edge, True))
        if tail == node and (walk == 3 or (walk == 2 and (tail, relation, head) not in edges)):
            steps.append((head, edge, False))
    return steps


def live(graph: KnowledgeGraph) -> list[int]:
    rows = zip(graph.out_start.tolist(), graph.out_end.tolist(), strict=True)
    return [edge for start, end in rows for edge in range(start, end)]


def degree(graph: KnowledgeGraph, node: int) -> int:
    return int(graph.out_end[node] - graph.out_start[node] + graph.in_end[node] - graph.in_start[node])


def is_climb(graph: KnowledgeGraph, steps: tuple[tuple[int, bool], ...], config: RetrieverConfig) -> bool:
    taxonomic = all(graph.relation_label(graph.edge_relation[edge]) in config.taxonomic_relations for edge, _ in steps)
    upward = [forward for _, forward in steps]
    return config.climb and taxonomic and upward == sorted(upward, reverse=True)


def try_every_path(graph, config, start, end, longest=4, doubtful=()):
    """Yield (entities, steps) of every path that the settings allow between two entities; beyond 4 edges, climbs."""

    def extend(entities, steps):
        if entities[-1] == end:
            if is_allowed(entities, steps):
                yield tuple(entities), tuple(steps)
            return
        if len(steps) == longest:
            return
        for other, edge, forward in neighbours[entities[-1]]:
            if other not in entities:
                yield from extend([*entities, other], [*steps, (edge, forward)])

    def is_allowed(entities, steps):
        hubs = [node for node in entities[1:-1] if degree(graph, node) > config.max_degree]
        plain = not hubs and len(steps) <= config.max_hops
        doubts = sum(edge in doubtful for edge, _ in steps)
        if len(steps) > 4:
            climbed = sum(forward for _, forward in steps)
            return is_climb(graph, steps, config) and not doubts and max(climbed, len(steps) - climbed) <= 4
        plain = plain and (not doubts or len(steps) <= config.doubtful_hops)
        return plain or len(steps) == 0 or (is_climb(graph, steps, config) and not doubts)

    neighbours = [all_steps(graph, node) for node in range(graph.num_entities)]
    yield from extend([start], [])


def mention_pairs(premise, hypothesis, config):
    keys = {mention.key for mention in premise}
    mentions = [*premise, *hypothesis]
    fresh = [m for m in range(len(premise), len(mentions)) if mentions[m].key not in keys]
    yield from itertools.product(range(len(premise)), fresh)
    for end in set(range(len(premise), len(mentions))) - set(fresh):
        starts = [start for start in range(len(premise)) if in_place(premise, hypothesis, start, end)]
        if mentions[end].key not in {mentions[start].key for start in starts}:
            yield from ((start, end) for start in starts)
    for start, end in itertools.combinations(fresh, 2):
        if config.hypothesis_paths and mentions[start].key != mentions[end].key:
            yield start, end


def in_place(premise, hypothesis, start, end):
    """Tell whether two mentions are of both sides, with the same words, or none, around them."""
    if start >= len(premise):
        return False
    first = ["", *(mention.key for mention in premise), ""]
    second = ["", *(mention.key for mention in hypothesis), ""]
    end -= len(premise)
    return first[start] == second[end] and first[start + 2] == second[end + 2]


def brute_force(graph, config, premise, hypothesis, doubtful=()):
    """Return all paths as (mention pair, entities, steps) -> (score, what settles ties), unranked and unlimited."""
    found = {}
    mentions = [*premise, *hypothesis]
    numbers = {}
    for mention, named in enumerate(mentions):
        numbers |= {(mention, candidate.entity): (mention, row) for row, candidate in enumerate(named.candidates)}
    for start, end in mention_pairs(premise, hypothesis, config):
        ends = list(itertools.product(mentions[start].candidates, mentions[end].candidates))
        placed = in_place(premise, hypothesis, start, end)
        for longest in (4, config.place_climb) if placed and config.climb else (4,):
            joined = [
                path
                for first, last in ends
                for path in try_every_path(graph, config, first.entity, last.entity, 4, doubtful)
            ]
            for first, last in ends if longest == 4 or not joined else ():
                for entities, steps in try_every_path(graph, config, first.entity, last.entity, longest, doubtful):
                    score = sqrt(first.score * last.score) * search.LENGTH_FACTOR[len(steps)]
                    for node in entities[1:-1]:
                        edges = degree(graph, node)
                        score *= 1.0 - search.HUB_WEIGHT * edges / (edges + search.HUB_DEGREE)
                    codes = tuple(edge if forward else ~edge for edge, forward in steps)
                    numbered = (start, end, numbers[start, first.entity], numbers[end, last.entity])
                    found[(start, end), entities, steps] = (score, (len(steps), *numbered, entities, codes))
    return found


def select(graph, found, config, premise, hypothesis):
    """Return the ranked selection of the paths as the settings limit it: (score, mention pair, entities, steps)."""
    pairs = {}
    for (pair, entities, steps), (score, ties) in found.items():
        pairs.setdefault(pair, []).append((-score, ties, (pair, entities, steps)))
    chosen = []
    for (start, end), paths in pairs.items():
        factor = 1.0 if in_place(premise, hypothesis, start, end) else search.ELSEWHERE_FACTOR
        best, others, kinds = [], [], set()
        for path in sorted(paths):
            kind = tuple((int(graph.edge_relation[edge]), forward) for edge, forward in path[2][2])
            (others if kind in kinds else best).append(path)
            kinds.add(kind)
        for score, ties, path in (best + others)[: config.max_paths_per_pair]:
            chosen.append((score * factor, ties, path))
            factor *= search.PLACE_FACTOR
    return [(-score, *path) for score, _, path in sorted(chosen)[: config.max_paths]]


def read_rows(paths):
    """Return the rows of a PathTable as (mention pair, entities, steps)."""
    rows = []
    for k in range(paths.num_paths):
        length = int(paths.length[k])
        assert (paths.edges[k, length:] == -1).all()
        steps = tuple(zip(paths.edges[k, :length].tolist(), paths.forward[k, :length].tolist(), strict=True))
        rows.append(((int(paths.start[k]), int(paths.end[k])), tuple(paths.entities[k, : length + 1].tolist()), steps))
    return rows


UNLIMITED = {"max_paths_per_pair": 64, "max_paths": 512}
SETTINGS = [
    RetrieverConfig(**UNLIMITED),
    RetrieverConfig(max_hops=2, climb=False, **UNLIMITED),
    RetrieverConfig(max_hops=4, hypothesis_paths=False, **UNLIMITED),
    RetrieverConfig(max_degree=7, **UNLIMITED),
    RetrieverConfig(max_hops=1, max_degree=5, **UNLIMITED),
    RetrieverConfig(max_hops=1, place_climb=4, **UNLIMITED),
]


@pytest.mark.parametrize("config", SETTINGS, ids=range(len(SETTINGS)))
def test_search_finds_exactly_the_paths_that_trying_everything_finds(config):
    num_paths = 0
    for seed in range(12):
        graph = random_graph(seed, num_edges=22)
        retriever = Retriever(graph, config)
        premise, hypothesis = random_mentions(graph, seed), random_mentions(graph, seed + 1_000)
        expected = brute_force(graph, config, premise, hypothesis)
        rows = read_rows(retriever.retrieve(premise, hypothesis))
        per_pair = {pair: sum(key[0] == pair for key in expected) for pair, _, _ in expected}
        assert len(rows) == len(set(rows))
        assert set(rows) <= set(expected)
        if len(expected) <= config.max_paths and max(per_pair.values(), default=0) <= config.max_paths_per_pair:
            assert set(rows) == set(expected)
            num_paths += len(rows)
    assert num_paths > 20


@pytest.mark.parametrize("doubtful_hops", [0, 1, 2])
def test_only_short_paths_take_doubtful_edges_and_climbs_none(doubtful_hops):
    config = RetrieverConfig(doubtful_hops=doubtful_hops, **UNLIMITED)
    num_refused = 0
    for seed in range(12):
        graph = random_graph(seed, num_edges=22)
        retriever = Retriever(graph, config)
        chance = random.Random(seed)
        doubtful = np.array([chance.random() < 0.4 for _ in range(len(graph.edge_head))], dtype=np.uint8)
        retriever._rows = retriever._rows._replace(doubtful=doubtful)
        premise, hypothesis = random_mentions(graph, seed), random_mentions(graph, seed + 1_000)
        edges = set(np.flatnonzero(doubtful).tolist())
        expected = brute_force(graph, config, premise, hypothesis, edges)
        assert set(read_rows(retriever.retrieve(premise, hypothesis))) == set(expected)
        num_refused += len(brute_force(graph, config, premise, hypothesis)) > len(expected)
    assert num_refused > 3


def test_selection_is_the_best_of_each_kind_first():
    config = RetrieverConfig(max_paths_per_pair=3, max_paths=9)
    for seed in range(12):
        graph = random_graph(seed)
        premise, hypothesis = random_mentions(graph, seed), random_mentions(graph, seed + 1_000)
        paths = Retriever(graph, config).retrieve(premise, hypothesis)
        expected = select(graph, brute_force(graph, config, premise, hypothesis), config, premise, hypothesis)
        assert paths.score.tolist() == [np.float32(score) for score, *_ in expected]
        assert read_rows(paths) == [tuple(path) for _, *path in expected]


def interpreted_module(module: ModuleType, monkeypatch) -> ModuleType:
    """Return a second copy of a module of kernels, all of them plain Python."""
    monkeypatch.setattr(compiled, "numba", None)
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_interpreted", module.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def test_the_interpreted_search_returns_the_same_bytes(monkeypatch):
    plain_search = interpreted_module(search, monkeypatch)
    plain_features = interpreted_module(path_features, monkeypatch)
    for seed in range(6):
        graph = random_graph(seed, num_entities=24, num_edges=70)
        premise, hypothesis = random_mentions(graph, seed), random_mentions(graph, seed + 1_000)
        retriever = Retriever(graph, RetrieverConfig(max_degree=9))
        fast = retriever.retrieve(premise, hypothesis)
        monkeypatch.setattr(retriever, "_find_paths", plain_search.find_paths)
        monkeypatch.setattr(retriever, "_measure_paths", plain_features.measure_paths)
        slow = retriever.retrieve(premise, hypothesis)
        for name, first, second in zip(fast._fields, fast, slow, strict=True):
            assert first.tobytes() == second.tobytes(), name


def test_an_end_with_more_edges_than_a_row_may_have_is_still_reached_from_the_other_side():
    edges = [("giant", "likes", f"x{number}") for number in range(search.MAX_ROW + 5)]
    edges += [("near", "likes", "giant"), ("far", "part of", "near")]
    graph = KnowledgeGraph.from_triples(Triple(*edge, Source("edges.tsv", 1)) for edge in edges)
    giant, near, far = (graph.find_entities(name)[0] for name in ("giant", "near", "far"))
    retriever = Retriever(graph)
    for premise, hypothesis in ((far, giant), (giant, far)):
        first = Mention(0, 1, "a", "a", (Candidate(premise, 1.0, 0),))
        second = Mention(0, 1, "b", "b", (Candidate(hypothesis, 1.0, 0),))
        rows = read_rows(retriever.retrieve((first,), (second,)))
        assert [entities for _, entities, _ in rows] == [(premise, near, hypothesis)]


def test_more_end_words_than_one_table_holds_are_searched_in_several_rounds():
    graph = random_graph(3)
    config = RetrieverConfig(max_paths=512, max_paths_per_pair=1)
    retriever = Retriever(graph, config)
    hypothesis = tuple(
        Mention(number, number + 1, f"k{number}", f"k{number}", (Candidate(number % graph.num_entities, 0.5, 0),))
        for number in range(search.MAX_ENDS + 6)
    )
    rows = read_rows(retriever.retrieve((), hypothesis))
    expected = brute_force(graph, config, (), hypothesis)
    assert {pair for pair, _, _ in rows} == {pair for pair, _, _ in expected}
