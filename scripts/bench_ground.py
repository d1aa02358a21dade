"""How fast sentence pairs are linked to a graph and joined by paths, beside spaCy's PhraseMatcher with networkx.

    python scripts/bench_ground.py GRAPH PAIRS.jsonl [--num-pairs 10000] [--num-slow 50]

The other way gets what it needs to be fair: the same labels (lower case, on the lemmas that its own table of words
gives), the same number of candidates by the same prior, the same pairs of words, a graph without hubs, paths of as many
edges. It is some thousand times slower, so it runs on fewer pairs. All figures are for one core, in CPU time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounder
from kg_reason.kg.lemmas import lemmatiser
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.nli import NLIExample

Pair = tuple[str, str]
WARM_UP = 200  # pairs


def main() -> None:
    """Run both ways and print a table."""
    parser = argparse.ArgumentParser(description="link and retrieve, beside spaCy's PhraseMatcher with networkx")
    parser.add_argument("graph", help="folder made by kg-reason build")
    parser.add_argument("pairs", type=Path, help="JSONL file with premise and hypothesis")
    parser.add_argument("--num-pairs", type=int, default=10_000, help="pairs; the file is repeated if it has fewer")
    parser.add_argument("--num-slow", type=int, default=50, help="pairs for the other way; 0: leave it out")
    options = parser.parse_args()

    pairs = read_pairs(options.pairs, options.num_pairs)
    started = time.perf_counter()
    graph = KnowledgeGraph.open(options.graph)
    grounder = Grounder(EntityLinker(graph), Retriever(graph))
    grounder.ground(NLIExample("A man plays a violin.", "A man plays an instrument."))
    print(f"graph     {graph.num_entities:,} entities, {graph.num_edges:,} edges, {graph.num_aliases:,} labels")
    print(f"          first answer {time.perf_counter() - started:.2f} s after opening")
    print(f"pairs     {len(pairs):,} from {options.pairs.name}")

    linker, retriever = grounder.linker, grounder.retriever
    for premise, hypothesis in pairs[:WARM_UP]:
        grounder.ground(NLIExample(premise, hypothesis))
    linked = measure(pairs, lambda pair: (linker.link(pair[0]), linker.link(pair[1])))
    show("link", linked)
    mentions = [(linker.link(premise), linker.link(hypothesis)) for premise, hypothesis in pairs]
    show("retrieve", measure(mentions, lambda sides: retriever.retrieve(*sides)))
    whole = measure(pairs, lambda pair: grounder.ground(NLIExample(*pair)))
    show("both", whole)
    tables = [retriever.retrieve(*sides) for sides in mentions]
    num_paths = np.array([table.num_paths for table in tables])
    print(f"          {num_paths.mean():.1f} paths a pair, {(num_paths > 0).mean():.1%} of the pairs have one")
    if options.num_slow:
        slow = measure(pairs[: options.num_slow], other_way(grounder))
        show("spaCy PhraseMatcher + networkx", slow)
        print(f"ratio     {slow.mean() / whole.mean():,.0f} times, on the first {len(slow):,} pairs")


def read_pairs(path: Path, num_pairs: int) -> list[Pair]:
    """Return as many pairs as wanted, repeating the file if need be."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    pairs = [(str(line["premise"]), str(line["hypothesis"])) for line in lines]
    return [pairs[number % len(pairs)] for number in range(num_pairs)]


def measure(items: Sequence[Any], job: Callable[[Any], object]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the CPU seconds of the job for each item."""
    seconds = np.empty(len(items))
    for number, item in enumerate(items):
        started = time.thread_time_ns()
        job(item)
        seconds[number] = (time.thread_time_ns() - started) / 1e9
    return seconds


def show(name: str, seconds: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    """Print one row: pairs a second and core, median and 99th percentile of one pair in microseconds."""
    p50, p99 = np.percentile(seconds, (50, 99)) * 1e6
    print(f"{name:9} {1 / seconds.mean():>10,.1f} pairs/s per core   p50 {p50:>11,.0f} us   p99 {p99:>11,.0f} us")


def other_way(grounder: Grounder) -> Callable[[Pair], object]:
    """Return the same job done with spaCy's PhraseMatcher and networkx."""
    import networkx as nx
    import spacy
    from spacy.matcher import PhraseMatcher
    from spacy.tokens import Doc
    from spacy.util import filter_spans

    graph, limits, num_candidates = grounder.graph, grounder.retriever.config, grounder.linker.config.max_candidates
    nlp = spacy.blank("en")
    lemmas = lemmatiser("en")
    started = time.perf_counter()
    entities: dict[str, list[tuple[float, int]]] = {}
    for alias, entity in enumerate(graph.alias_entity.tolist()):
        entities.setdefault(graph.alias_text(alias).lower(), []).append((-float(graph.alias_prior[alias]), entity))
    matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    matcher.add("label", list(nlp.tokenizer.pipe(entities)))
    network = nx.MultiGraph()
    edges = zip(graph.edge_head.tolist(), graph.edge_relation.tolist(), graph.edge_tail.tolist(), strict=True)
    walk = graph.relation_walk.tolist()
    network.add_edges_from((head, tail, relation) for head, relation, tail in edges if walk[relation])
    network.remove_nodes_from([node for node, degree in network.degree() if degree > limits.max_degree])
    print(f"          PhraseMatcher and networkx graph made in {time.perf_counter() - started:.1f} s")

    def find_mentions(text: str) -> dict[str, list[int]]:
        doc = nlp(text)
        words = [min((lemma for lemma, _ in lemmas(token.lower_)), key=len, default=token.lower_) for token in doc]
        doc = Doc(nlp.vocab, words=words)
        mentions: dict[str, list[int]] = {}
        for span in filter_spans(matcher(doc, as_spans=True)):
            if not all(token.is_stop or token.is_punct for token in span):
                found = sorted(entities.get(span.text.lower(), ()))
                mentions[span.text] = list(dict.fromkeys(entity for _, entity in found))[:num_candidates]
        return mentions

    def join(pair: Pair) -> list[object]:
        premise, hypothesis = find_mentions(pair[0]), find_mentions(pair[1])
        new = {word: found for word, found in hypothesis.items() if word not in premise}
        words = [*product(premise.items(), new.items()), *product(hypothesis.items(), new.items())]
        paths: list[object] = []
        for (start_word, starts), (end_word, ends) in words:
            if start_word == end_word:
                continue
            for start, end in product(starts, ends):
                if start == end or start not in network or end not in network:
                    continue
                found = nx.all_simple_edge_paths(network, start, end, cutoff=limits.max_hops)
                paths.extend(islice(found, limits.max_paths_per_pair))
        return paths

    return join


if __name__ == "__main__":
    main()
