"""The test sets of `measure.py`: which examples each has, and which graph it is asked of.

Sets of other people's pairs are read from a folder of benchmarks that the command line names; our own come from the
folder that `make_test_pairs.py` wrote. Samples go by a digest of the id, so they do not depend on the order of lines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from kg_reason import NLIExample, read_examples
from kg_reason.nli import Label

Sizes = dict[str, int]
DEFAULT_SIZES: Sizes = {"sick": 2000, "levy_holt": 1500, "creak": 1000}
BENCHMARK_FILES = {
    "breaking_nli": "breaking_nli_dev/dev.jsonl",
    "cad_nli": "cad_nli/dev.jsonl",
    "sick": "sick/test.jsonl",
    "mnli": "mnli/dev.jsonl",
    "levy_holt": "levy_holt/dev.jsonl",
    "creak": "creak/train.jsonl",
}
GRAPH = ""  # the graph that --graph names
NAMES_GRAPH, DERANGED_GRAPH, RANDOM_GRAPH, EMPTY_GRAPH = "graph", "graph-deranged", "graph-random", "graph-empty"
HYPOTHESIS_ONLY = "hypothesis_only"


class MeasuredSet(NamedTuple):
    """One set: its name, where its pairs come from, and the graph it is asked of (a folder of the tests' folder).

    Attributes:
        name: of the file of answers.
        source: a key of BENCHMARK_FILES, or the name of a JSONL file of our own.
        graph: a folder in the tests' folder; empty: the graph of the command line.
        compared: whether it belongs to a comparison with another graph, which a run without paths does not need.
    """

    name: str
    source: str
    graph: str
    compared: bool = False


PLAIN_SETS = (
    MeasuredSet("breaking_nli", "breaking_nli", GRAPH),
    MeasuredSet("cad_nli", "cad_nli", GRAPH),
    MeasuredSet("sick", "sick", GRAPH),
    MeasuredSet("mnli", "mnli", GRAPH),
    MeasuredSet("levy_holt", "levy_holt", GRAPH),
    MeasuredSet("nonce", "nonce.jsonl", NAMES_GRAPH),
    MeasuredSet("polarity", "polarity.jsonl", NAMES_GRAPH),
    MeasuredSet("nonce_codex", "nonce_codex.jsonl", "graph-codex"),
    MeasuredSet("nonce_diseases", "nonce_diseases.jsonl", "graph-diseases"),
    MeasuredSet("unseen_relations", "unseen_relations.jsonl", "graph-unseen"),
    MeasuredSet("creak_codex", "creak", "graph-codex"),
    MeasuredSet("creak_conceptnet", "creak", "graph-conceptnet"),
)
RELIANCE_SOURCES = (("breaking_nli", "breaking_nli"), ("nonce", "nonce.jsonl"))
COMPARED_SETS = tuple(
    MeasuredSet(f"{name}.{change}", source, graph, compared=True)
    for name, source in (*RELIANCE_SOURCES, ("cad_nli", "cad_nli"))
    for change, graph in (("deranged", DERANGED_GRAPH), ("empty", EMPTY_GRAPH), ("random", RANDOM_GRAPH))
)
ALL_SETS = (*PLAIN_SETS, *COMPARED_SETS)


def read_set(test_set: MeasuredSet, benchmarks: Path, tests: Path, sizes: Sizes) -> list[NLIExample]:
    """Return the examples of a set; empty where its file is missing.

    Args:
        test_set: which one.
        benchmarks: folder with a folder per data set.
        tests: the folder that `make_test_pairs.py` wrote.
        sizes: examples at most, by source; all where a source is not named.
    """
    is_own = test_set.source not in BENCHMARK_FILES
    path = tests / test_set.source if is_own else benchmarks / BENCHMARK_FILES[test_set.source]
    if not path.exists():
        return []
    examples = [replace(example, justification=None) for example in read_examples([str(path)])]
    size = sizes.get(test_set.source, len(examples))
    if test_set.source == "levy_holt":
        return entailments_first(examples, size)
    if test_set.source == "creak":
        examples = [replace(example, premise="") for example in examples]
    return sample(examples, size)


def sample(examples: Sequence[NLIExample], size: int) -> list[NLIExample]:
    """Return as many examples as wanted, those with the lowest digests of their ids, in the order of the file."""
    chosen = set(_by_digest(examples)[:size])
    return [example for number, example in enumerate(examples) if number in chosen]


def entailments_first(examples: Sequence[NLIExample], size: int) -> list[NLIExample]:
    """Return a sample that holds as many entailments as fit, and others in the places left."""
    order = _by_digest(examples)
    order.sort(key=lambda number: examples[number].label is not Label.ENTAILMENT)
    chosen = set(order[:size])
    return [example for number, example in enumerate(examples) if number in chosen]


def without_premise(examples: Iterable[NLIExample]) -> list[NLIExample]:
    """Return examples whose premise is blank: what a model can tell from the hypothesis alone."""
    return [replace(example, premise="") for example in examples]


def chosen_sets(only: Sequence[str], *, compared: bool) -> list[MeasuredSet]:
    """Return the sets to answer, in their order.

    Args:
        only: names; empty for all.
        compared: also those that ask another graph for comparison.

    Raises:
        ValueError: a name that no set has.
    """
    known = {test_set.name for test_set in ALL_SETS}
    for name in only:
        if name not in known:
            raise ValueError(f"--only: found {name!r}, expected some of {', '.join(sorted(known))}")
    wanted: Callable[[MeasuredSet], bool] = lambda item: not only or item.name in only  # noqa: E731
    return [item for item in ALL_SETS if wanted(item) and (compared or not item.compared)]


def _by_digest(examples: Sequence[NLIExample]) -> list[int]:
    def digest(number: int) -> bytes:
        example = examples[number]
        key = example.example_id or f"{example.premise}\t{example.hypothesis}"
        return hashlib.blake2b(key.encode(), digest_size=8).digest()

    return sorted(range(len(examples)), key=digest)
