"""Answer the test sets by the table of relation patterns alone: no text is read and nothing is learnt.

    python scripts/rule_baseline.py --graph WORDNET --tests TESTS --benchmarks BENCHMARKS --out RULES

The best path whose relations are a pattern of the table says the label of that pattern in an upward context; two words
for one entity say entailment; without such a path the answer is --fallback. Paths from a word that the other sentence
has too are passed over: it was not replaced. OUT is laid out like a run, for `reproduce.py`.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from measure import read_sizes
from measured_sets import PLAIN_SETS, chosen_sets, read_set
from saved_predictions import Predictions, write_predictions

from kg_reason import EntityLinker, KnowledgeGraph, Retriever
from kg_reason.kg.grounding import Grounder, Grounding
from kg_reason.kg.paths import PATH_FEATURES
from kg_reason.nli import THREE_WAY, Label
from kg_reason.synthesis.patterns import PatternWalker
from kg_reason.synthesis.relation_table import load_table

START_MATCHED = PATH_FEATURES.index("start_matched")
IN_HYPOTHESIS = PATH_FEATURES.index("in_hypothesis")
Steps = tuple[tuple[int, bool], ...]

logger = logging.getLogger("rule_baseline")


def inverse_relations(graph: KnowledgeGraph) -> dict[int, int]:
    """Return the relations whose edges another one states the other way round, each with that other one."""
    live = graph.live_edges()
    head, relation, tail = graph.edge_head[live], graph.edge_relation[live], graph.edge_tail[live]
    size = np.int64(graph.num_entities)
    forward, backward = {}, {}
    for number in range(graph.num_relations):
        rows = relation == number
        forward[number] = np.sort(head[rows].astype(np.int64) * size + tail[rows])
        backward[number] = np.sort(tail[rows].astype(np.int64) * size + head[rows])
    return {
        number: other
        for number in forward
        for other in backward
        if len(forward[number]) and np.array_equal(forward[number], backward[other])
    }


class RuleBaseline:
    """Labels of groundings by the patterns of a table."""

    def __init__(self, graph: KnowledgeGraph, table: str = "", fallback: Label = Label.NEUTRAL) -> None:
        self._inverse = inverse_relations(graph)
        self._fallback = fallback
        self._labels: Mapping[Steps, Label] = {}
        labels: dict[Steps, Label] = {(): Label.ENTAILMENT}
        for route in PatternWalker(graph, load_table(table)).routes:
            steps = self._canonical(tuple((step.relation, step.forward) for step in route.steps))
            labels.setdefault(steps, route.pattern.label)
        self._labels = labels

    def label(self, grounding: Grounding) -> Label:
        """Return the label of the best path that is a pattern, or the fallback."""
        paths = grounding.paths
        for row in range(paths.num_paths):
            if paths.features[row, START_MATCHED] > 0 or paths.features[row, IN_HYPOTHESIS] > 0:
                continue
            length = int(paths.length[row])
            steps = zip(paths.relations[row, :length].tolist(), paths.forward[row, :length].tolist(), strict=True)
            label = self._labels.get(self._canonical(tuple((relation, bool(ahead)) for relation, ahead in steps)))
            if label is not None:
                return label
        return self._fallback

    def _canonical(self, steps: Steps) -> Steps:
        """Write every step by the lower-numbered of two inverse relations, and symmetric relations forward."""
        plain = []
        for relation, forward in steps:
            other = self._inverse.get(relation)
            if other == relation:
                plain.append((relation, True))
            else:
                plain.append((relation, forward) if other is None or relation < other else (other, not forward))
        return tuple(plain)


def main() -> None:
    """Answer the sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graph", type=Path, required=True)
    parser.add_argument("--tests", type=Path, required=True)
    parser.add_argument("--benchmarks", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--size", nargs="+", default=[], metavar="SET=N")
    parser.add_argument("--relation-table", default="", help="TOML file; empty: the one that is shipped")
    parser.add_argument("--fallback", choices=[str(label) for label in THREE_WAY], default=str(Label.NEUTRAL))
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    grounders: dict[Path, tuple[Grounder, RuleBaseline]] = {}
    known = {item.name for item in PLAIN_SETS}
    for item in chosen_sets([name for name in arguments.only if name in known], compared=False):
        examples = read_set(item, arguments.benchmarks, arguments.tests, read_sizes(arguments.size))
        folder = arguments.tests / item.graph if item.graph else arguments.graph
        if not examples or not folder.exists():
            continue
        if folder not in grounders:
            graph = KnowledgeGraph.open(folder)
            grounder = Grounder(EntityLinker(graph), Retriever(graph))
            rules = RuleBaseline(graph, arguments.relation_table, Label(arguments.fallback))
            grounders = {folder: (grounder, rules)}
        grounder, rules = grounders[folder]
        groundings = grounder.ground_all(examples, cache_dir="")
        columns = [THREE_WAY.index(rules.label(grounding)) for grounding in groundings]
        logits = np.eye(len(THREE_WAY))[columns]
        text = np.eye(len(THREE_WAY))[[THREE_WAY.index(Label(arguments.fallback))] * len(examples)]
        has_evidence = [grounding.has_evidence for grounding in groundings]
        saved = Predictions.of(examples, THREE_WAY, (logits, text), has_evidence, {"graph": folder.name})
        write_predictions(arguments.out / "measures" / f"{item.name}.json", saved)
        logger.info("%-20s %.1f %%", item.name, 100 * saved.is_right().mean())
    result = {"evidence": "rules", "seed": 0, "date": datetime.now(UTC).date().isoformat()}
    result["command"] = f"python scripts/rule_baseline.py --fallback {arguments.fallback}"
    (arguments.out / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
