"""How fast paths of up to three edges between five words and five others are found, beside networkx and rustworkx.

    python scripts/bench_paths.py GRAPH [--questions 1000] [--slow-questions 50] [--networkx-edges 1000000] [--seed 0]

GRAPH is a folder made by kg-reason build; `bench_build.py --keep FOLDER` leaves such graphs of any size. A question is
one of `Retriever`: the best paths of up to 3 edges between 5 x 5 entities, no way through hubs, no climbs. The entities
on one side are drawn as often as edges start in them, those on the other are met on short walks from there.

The others list all simple paths of a graph from which the hubs are removed; rustworkx gets all other edges, networkx so
many of them. Each runs in a process of its own. Told are the CPU time of a question, that from the open graph to the
first question, and the memory above the imports. First `same_paths` holds the three to the same paths on small graphs
without hubs, where our search leaves nothing out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from bench_build import peak_bytes, resident_bytes

from kg_reason.config import RetrieverConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import Candidate, Mention
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.triples import Source, Triple

MAX_HOPS = 3
NUM_WORDS = 5  # on either side
NUM_SMALL_GRAPHS = 20
CONTENDERS = ("kg_reason", "rustworkx", "networkx")

Nodes = tuple[int, ...]
Finder = Callable[[Sequence[int], Sequence[int]], set[Nodes]]


class Question(NamedTuple):
    """The entities on either side."""

    starts: list[int]
    ends: list[int]


def draw_questions(graph: KnowledgeGraph, num_questions: int, seed: int) -> list[Question]:
    """Return questions of different entities each: five drawn as often as edges end in them, five met on walks there.

    A walk goes 1 to MAX_HOPS edges, in any direction.
    """
    random = np.random.default_rng(seed)
    edges = graph.live_edges()
    questions: list[Question] = []
    while len(questions) < num_questions:
        starts = [int(graph.edge_head[edge]) for edge in random.choice(edges, NUM_WORDS)]
        ends = [_walk(graph, start, int(random.integers(1, MAX_HOPS + 1)), random) for start in starts]
        if len({*starts, *ends}) == 2 * NUM_WORDS:
            questions.append(Question(starts, ends))
    return questions


def _walk(graph: KnowledgeGraph, entity: int, num_steps: int, random: np.random.Generator) -> int:
    for _ in range(num_steps):
        edges = graph.edges_of(entity)
        edge = edges[int(random.integers(len(edges)))]
        head, tail = int(graph.edge_head[edge]), int(graph.edge_tail[edge])
        entity = tail if head == entity else head
    return entity


def our_finder(graph: KnowledgeGraph, config: RetrieverConfig) -> Finder:
    """Return our search."""
    retriever = Retriever(graph, config)

    def find(starts: Sequence[int], ends: Sequence[int]) -> set[Nodes]:
        mentions = [
            Mention(place, place + 1, str(place), str(place), (Candidate(entity, 1.0, 0),))
            for place, entity in enumerate([*starts, *ends])
        ]
        found = retriever.retrieve(mentions[: len(starts)], mentions[len(starts) :])
        lengths = found.length.tolist()
        return {tuple(row[: size + 1]) for row, size in zip(found.entities.tolist(), lengths, strict=True)}

    return find


def networkx_finder(edges: list[tuple[int, int]]) -> Finder:
    """Return the search of networkx, both ways over edges between entities."""
    import networkx

    network = networkx.Graph(edges)

    def find(starts: Sequence[int], ends: Sequence[int]) -> set[Nodes]:
        known = [(start, end) for start, end in product(starts, ends) if start in network and end in network]
        paths = (networkx.all_simple_paths(network, *pair, cutoff=MAX_HOPS) for pair in known)
        return {tuple(path) for of_pair in paths for path in of_pair}

    return find


def rustworkx_finder(edges: list[tuple[int, int]]) -> Finder:
    """Return the search of rustworkx, both ways over edges between entities."""
    import rustworkx

    network = rustworkx.PyGraph(multigraph=False)
    network.extend_from_edge_list(edges)

    def find(starts: Sequence[int], ends: Sequence[int]) -> set[Nodes]:
        known = [pair for pair in product(starts, ends) if max(pair) < network.num_nodes()]
        # Its cutoff counts the entities of a path.
        paths = (rustworkx.all_simple_paths(network, *pair, cutoff=MAX_HOPS + 1) for pair in known)
        return {tuple(path) for of_pair in paths for path in of_pair}

    return find


def edges_without_hubs(graph: KnowledgeGraph, max_degree: int, num_edges: int) -> list[tuple[int, int]]:
    """Return pairs of entities, the edges of hubs and loops left out; of a graph with more edges every n-th."""
    edges = graph.live_edges()
    edges = edges[:: -(-len(edges) // num_edges) or 1] if num_edges else edges
    head, tail = graph.edge_head[edges], graph.edge_tail[edges]
    degree = np.diff(graph.built.arrays["out_offset"]) + np.diff(graph.built.arrays["in_offset"])
    kept = (degree[head] <= max_degree) & (degree[tail] <= max_degree) & (head != tail)
    return list(zip(head[kept].tolist(), tail[kept].tolist(), strict=True))


def same_paths(seed: int, finders: Sequence[Callable[[list[tuple[int, int]]], Finder]]) -> int:
    """Search small random graphs in every way and return how many paths each way found.

    Raises:
        AssertionError: a way found other paths than ours.
    """
    random = np.random.default_rng(seed)
    num_paths = 0
    for number in range(NUM_SMALL_GRAPHS):
        ends = random.integers(30, size=(60, 2)).tolist()
        graph = KnowledgeGraph.from_triples(
            Triple(f"e{head}", f"r{(head + tail) % 3}", f"e{tail}", Source("edges.tsv", line))
            for line, (head, tail) in enumerate(ends, 1)
        )
        # As many paths as it can keep, nothing doubted, no climb.
        config = RetrieverConfig(
            climb=False, hypothesis_paths=False, max_paths=512, max_paths_per_pair=64, doubtful_hops=7, place_climb=4
        )
        ours = our_finder(graph, config)
        edges = edges_without_hubs(graph, graph.num_edges, 0)
        others = [make(edges) for make in finders]
        for question in draw_questions(graph, 5, seed + number):
            found = ours(*question)
            num_paths += len(found)
            for other in others:
                assert other(*question) == found, f"graph {number}: {question}"
    return num_paths


def measure(contender: str, arguments: argparse.Namespace) -> dict[str, float]:
    """Ask one contender in this process."""
    config = RetrieverConfig(climb=False, hypothesis_paths=False, max_hops=MAX_HOPS)
    graph = KnowledgeGraph.open(arguments.graph)
    warm = KnowledgeGraph.from_triples([Triple("a", "r", "b", Source("a.tsv", 1))])
    our_finder(warm, config)([0], [1])
    before = resident_bytes()
    started = time.process_time()
    num_questions = arguments.questions if contender == "kg_reason" else arguments.slow_questions
    if contender == "kg_reason":
        find = our_finder(graph, config)
        num_edges = graph.num_edges
    else:
        make = rustworkx_finder if contender == "rustworkx" else networkx_finder
        pairs = edges_without_hubs(graph, config.max_degree, arguments.networkx_edges if contender == "networkx" else 0)
        num_edges = len(pairs)
        find = make(pairs)
        del pairs
    ready = time.process_time() - started
    seconds: list[float] = []
    num_paths = 0
    for question in draw_questions(graph, num_questions, arguments.seed):
        started = time.process_time()
        num_paths += len(find(*question))
        seconds.append(time.process_time() - started)
    p50, p99 = np.percentile(seconds, (50, 99))
    return {
        "num_edges": num_edges, "num_questions": num_questions, "paths": num_paths / num_questions, "ready_s": ready,
        "p50_ms": 1e3 * float(p50), "p99_ms": 1e3 * float(p99), "peak_mb": (peak_bytes() - before) / 1e6,
    }  # fmt: skip


def in_processes(options: list[str]) -> Iterator[dict[str, Any]]:
    """Run every contender that is installed in a process of its own and yield what it measured."""
    for contender in CONTENDERS:
        if importlib.util.find_spec(contender):
            command = [sys.executable, __file__, "--part", contender, *options]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            yield {"contender": contender, **json.loads(done.stdout)}


def main() -> None:
    """Hold the contenders to the same paths, then measure each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("graph", type=Path, help="folder made by kg-reason build")
    parser.add_argument("--questions", type=int, default=1000, help="questions for our search")
    parser.add_argument("--slow-questions", type=int, default=50, help="the first of them, for the others")
    parser.add_argument("--networkx-edges", type=int, default=1_000_000, help="edges that networkx gets at most")
    parser.add_argument("--seed", type=int, default=0, help="seed of the questions")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--part", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(measure(arguments.part, arguments)))
        return
    makers = {"networkx": networkx_finder, "rustworkx": rustworkx_finder}
    present = [name for name in makers if importlib.util.find_spec(name)]
    num_paths = same_paths(arguments.seed, [makers[name] for name in present])
    rows = list(in_processes(sys.argv[1:]))
    if arguments.json:
        print(json.dumps({"same_paths": num_paths, "rows": rows}, indent=1))
        return
    print(f"the same {num_paths:,} paths on {NUM_SMALL_GRAPHS} small graphs: kg_reason, {', '.join(present)}")
    units = f"{'ready s':>8} {'p50 ms':>10} {'p99 ms':>10} {'peak MB':>7}"
    print(f"{'':10} {'edges':>10} {'questions':>9} {'paths each':>10} {units}")
    for row in rows:
        print(
            f"{row['contender']:10} {row['num_edges']:10,} {row['num_questions']:9,} {row['paths']:10.1f} "
            f"{row['ready_s']:8.2f} {row['p50_ms']:10.3f} {row['p99_ms']:10.3f} {row['peak_mb']:7,.0f}"
        )


if __name__ == "__main__":
    main()
