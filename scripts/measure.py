"""Answer every test set with one run and save the answers, from which `reproduce.py` makes its tables.

    python scripts/measure.py RUN --graph WORDNET --tests TESTS --benchmarks BENCHMARKS --out RUN/measures [--only NAME]

TESTS is the folder of `make_test_pairs.py`, BENCHMARKS one folder per data set. A set whose answers are there is not
answered again. A run with evidence from a graph is also asked

    breaking_nli, nonce and cad_nli with the relations of the graph exchanged, with no graph, and among random edges
    edits: 500 items before and after their edit, and 1,000 pairs that no edit has to do with

Groundings are kept beside each graph, so that a second run with the same linker and retriever needs none. With
--hypothesis-only the premises are blank at test time; that is a measure of a text-only model, not a model of its own.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from edit_items import STATES, copy_with_edits, edits_until, read_edit_items
from measured_sets import (
    ALL_SETS,
    DEFAULT_SIZES,
    HYPOTHESIS_ONLY,
    NAMES_GRAPH,
    MeasuredSet,
    Sizes,
    chosen_sets,
    read_set,
    without_premise,
)
from saved_predictions import Predictions, write_predictions

from kg_reason import KnowledgeGraph, NLIExample, Reasoner
from kg_reason.reasoner import Scores

EDITS = "edits"
UNRELATED = "unrelated"
NUM_UNRELATED = 500  # of each of two sets
HYPOTHESIS_ONLY_SETS = ("cad_nli", "sick", "mnli", "breaking_nli", "levy_holt")

logger = logging.getLogger("measure")


class Answers(NamedTuple):
    """The answers to some examples, which of them have evidence, and the seconds that grounding took."""

    scores: Scores
    has_evidence: list[bool]
    seconds: float


class Place(NamedTuple):
    """Where everything lies: the run, the graph, and the folders of tests and benchmarks."""

    run: Path
    graph: Path
    tests: Path
    benchmarks: Path
    cache_dir: str


class Measurer:
    """Answers sets with one run; a graph is opened when the first set asks it.

    Args:
        place: of the run and of everything it is asked.
        batch_size: pairs encoded at once.
    """

    def __init__(self, place: Place, batch_size: int = 64) -> None:
        self._place = place
        self._batch_size = batch_size
        self._graph: Path | None = None
        self._reasoner: Reasoner | None = None

    def reasoner(self, graph: Path) -> Reasoner:
        """Return the run's reasoner over a graph."""
        if self._reasoner is None or graph != self._graph:
            self._reasoner = Reasoner.load(self._place.run, KnowledgeGraph.open(graph))
            self._reasoner.model.to(torch.accelerator.current_accelerator(check_available=True) or "cpu")
            self._graph = graph
        return self._reasoner

    def answer(self, examples: Sequence[NLIExample], graph: Path, *, cached: bool = True) -> Answers:
        """Ground and score examples over a graph."""
        reasoner = self.reasoner(graph)
        started = time.process_time()
        cache_dir = self._place.cache_dir if cached else "none"
        groundings = reasoner.ground_all(examples, cache_dir=cache_dir)
        seconds = time.process_time() - started
        scores = reasoner.score(examples, groundings, batch_size=self._batch_size)
        return Answers(scores, [grounding.has_evidence for grounding in groundings], seconds)

    def save(self, path: Path, examples: Sequence[NLIExample], graph: Path, answers: Answers) -> None:
        """Write the answers to a set, with what is known of the graph."""
        reasoner = self.reasoner(graph)
        facts: dict[str, Any] = {
            "graph": graph.name,
            "fingerprint": reasoner.graph.fingerprint,
            "num_edges": reasoner.graph.num_edges,
            "evidence": reasoner.config.model.evidence,
            "grounding_seconds": round(answers.seconds, 3),
        }
        logits = (answers.scores.logits, answers.scores.text_logits)
        facts["same_as_text"] = bool(np.array_equal(*logits))
        write_predictions(path, Predictions.of(examples, reasoner.labels, logits, answers.has_evidence, facts))


def measure_set(measurer: Measurer, place: Place, item: MeasuredSet, out: Path, sizes: Sizes, *, blank: bool) -> None:
    """Answer one set and save its answers, unless they are there or the set or its graph is missing."""
    name = f"{item.name}.{HYPOTHESIS_ONLY}" if blank else item.name
    graph = place.tests / item.graph if item.graph else place.graph
    if (out / f"{name}.json").exists():
        logger.info("%-28s is there", name)
        return
    examples = read_set(item, place.benchmarks, place.tests, sizes)
    if not examples or not graph.exists():
        logger.info("%-28s left out: its %s is missing", name, "graph" if examples else "file")
        return
    examples = without_premise(examples) if blank else examples
    answers = measurer.answer(examples, graph)
    measurer.save(out / f"{name}.json", examples, graph, answers)
    right = _share_right(examples, answers, measurer.reasoner(graph))
    logger.info("%-28s %5d pairs, %.1f %% right, grounded in %.1f s", name, len(examples), right, answers.seconds)


def measure_edits(measurer: Measurer, place: Place, out: Path, work: Path) -> None:
    """Answer the items of edits.jsonl and unrelated pairs over the graph as it is, after the first and the last edits.

    Args:
        measurer: of the run.
        place: where the items and the graph lie.
        out: folder of answers: edits.before, edits.first, edits.last, and the same for unrelated.
        work: folder for the edited copies; they are left there.
    """
    path = place.tests / "edits.jsonl"
    if not path.exists():
        logger.info("%-28s left out: its file is missing", EDITS)
        return
    items = read_edit_items(path)
    examples = [item.example() for item in items]
    unrelated = [
        example
        for source in ("cad_nli", "sick")
        for example in read_set(MeasuredSet(source, source, ""), place.benchmarks, place.tests, {source: NUM_UNRELATED})
    ]
    for state in STATES:
        names = (f"{EDITS}.{state}", f"{UNRELATED}.{state}")
        if all((out / f"{name}.json").exists() for name in names):
            continue
        graph = place.tests / NAMES_GRAPH
        if state != STATES[0]:
            graph = work / f"graph-{state}"
            copy_with_edits(place.tests / NAMES_GRAPH, graph, edits_until(items, state))
        for name, pairs in zip(names, (examples, unrelated), strict=True):
            if pairs:
                answers = measurer.answer(pairs, graph, cached=False)
                measurer.save(out / f"{name}.json", pairs, graph, answers)
                logger.info("%-28s %5d pairs", name, len(pairs))


def _share_right(examples: Sequence[NLIExample], answers: Answers, reasoner: Reasoner) -> float:
    logits = (answers.scores.logits, answers.scores.text_logits)
    return 100 * float(Predictions.of(examples, reasoner.labels, logits, answers.has_evidence, {}).is_right().mean())


def read_sizes(texts: Sequence[str]) -> Sizes:
    """Read sizes such as `sick=2000` over the usual ones.

    Raises:
        ValueError: a text of another form.
    """
    sizes = dict(DEFAULT_SIZES)
    for text in texts:
        name, sign, number = text.partition("=")
        if not sign or not number.isdigit():
            raise ValueError(f"--size: found {text!r}, expected a set and a number such as sick=2000")
        sizes[name] = int(number)
    return sizes


def main() -> None:
    """Answer the sets that the arguments choose."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="run folder, made by kg-reason train")
    parser.add_argument("--graph", type=Path, required=True, help="WordNet, made by kg-reason build")
    parser.add_argument("--tests", type=Path, required=True, help="folder of make_test_pairs.py")
    parser.add_argument("--benchmarks", type=Path, required=True, help="folder with a folder per data set")
    parser.add_argument("--out", type=Path, help="folder of answers (default: RUN/measures)")
    parser.add_argument("--only", nargs="+", default=[], help=f"{', '.join(item.name for item in ALL_SETS)}, {EDITS}")
    parser.add_argument("--size", nargs="+", default=[], metavar="SET=N", help="pairs of a set at most (sick=2000 ...)")
    parser.add_argument("--hypothesis-only", action="store_true", help="blank the premises at test time")
    parser.add_argument("--plain", action="store_true", help="leave out reliance and edits")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--cache-dir", default="", help="of groundings; empty: beside each graph; none: nowhere")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    place = Place(arguments.run, arguments.graph, arguments.tests, arguments.benchmarks, arguments.cache_dir)
    out = arguments.out or arguments.run / "measures"
    out.mkdir(parents=True, exist_ok=True)
    measurer, sizes = Measurer(place, arguments.batch_size), read_sizes(arguments.size)
    uses_graph = measurer.reasoner(arguments.graph).config.model.evidence != "text" and not arguments.plain
    only = [name for name in arguments.only if name != EDITS]
    chosen = chosen_sets(only, compared=uses_graph) if only or not arguments.only else []
    if arguments.hypothesis_only:
        chosen = [item for item in chosen if item.name in HYPOTHESIS_ONLY_SETS]
    for item in sorted(chosen, key=lambda item: item.graph):
        measure_set(measurer, place, item, out, sizes, blank=arguments.hypothesis_only)
    if uses_graph and not arguments.hypothesis_only and (EDITS in arguments.only or not arguments.only):
        measure_edits(measurer, place, out, out / "edited")


if __name__ == "__main__":
    main()
