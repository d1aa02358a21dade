"""Reliance on the graph: what the answers lose when the graph is taken away, scrambled, or buried in noise.

A model that ignores its graph keeps its accuracy when the relations are exchanged, so the reliance score is the
accuracy with the real graph less that with exchanged relations, over the pairs that have evidence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from kg_reason.audits.answered import Flags, Share, answer_flags, draw_examples, evidence_flags
from kg_reason.audits.graph_changes import deranged, over_graph, rewired, with_random_edges
from kg_reason.audits.result import AuditResult, Plot, Series, Table
from kg_reason.config import AuditConfig
from kg_reason.evaluation import Z_95
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner

NAME = "reliance"
QUESTION = "Do the answers rest on what the graph says, or would any graph do?"
RANDOM_TIMES = 5
NO_GRAPH = "text"  # the evidence of a model that reads no paths
REAL, EMPTY, DERANGED, REWIRED, RANDOM, TEXT = "real", "empty", "deranged", "rewired", "random", "text"
GRAPHS = {
    REAL: "the real graph",
    EMPTY: "no graph",
    DERANGED: "relations exchanged",
    REWIRED: "edges rewired",
    RANDOM: f"{RANDOM_TIMES} x random edges added",
    TEXT: "text alone",
}


def audit_reliance(reasoner: Reasoner, examples: Sequence[NLIExample], config: AuditConfig) -> AuditResult:
    """Measure how accuracy falls without the graph, with a scrambled one and among random edges.

    Args:
        reasoner: answers; its weights stay as they are.
        examples: labelled pairs.
        config: how many pairs, and the seed of every change.

    Raises:
        ConfigError: no pair has a label.
    """
    examples = draw_examples(examples, config)
    groundings = reasoner.ground_all(examples)
    has_evidence = evidence_flags(groundings)
    fused, text = answer_flags(reasoner, examples, groundings, config.batch_size)
    right = {REAL: fused, TEXT: text}
    has_paths = reasoner.config.model.evidence != NO_GRAPH
    if has_paths:
        bare = [grounding.without_paths() for grounding in groundings]
        right[EMPTY] = answer_flags(reasoner, examples, bare, config.batch_size)[0]
        for name, changed in _changed_reasoners(reasoner, config.audit_seed):
            right[name] = answer_flags(changed, examples, changed.ground_all(examples), config.batch_size)[0]
    right = {name: right[name] for name in GRAPHS if name in right}
    return AuditResult(
        name=NAME,
        question=QUESTION,
        summary=_summary(right, has_evidence, has_paths=has_paths),
        measures=_measures(right, has_evidence, has_paths=has_paths),
        tables=(_table(right, has_evidence),),
        plots=(_plot(right, has_evidence),),
    )


def _changed_reasoners(reasoner: Reasoner, seed: int) -> Iterator[tuple[str, Reasoner]]:
    """Yield the reasoner over each changed graph; one after the other, as a large graph is there once at a time."""
    graph = reasoner.graph
    if graph.num_relations > 1:
        yield DERANGED, over_graph(reasoner, deranged(graph, seed))
    yield REWIRED, over_graph(reasoner, rewired(graph, seed))
    yield RANDOM, over_graph(reasoner, with_random_edges(graph, RANDOM_TIMES * graph.num_edges, seed))


def _measures(right: Mapping[str, Flags], has_evidence: Flags, *, has_paths: bool) -> dict[str, float]:
    measures = {
        "accuracy": Share.of(right[REAL]).value,
        "accuracy_text": Share.of(right[TEXT]).value,
        "num_pairs": float(len(has_evidence)),
        "share_with_evidence": float(has_evidence.mean()),
    }
    if has_evidence.any():
        measures |= {
            f"accuracy_{name}_with_evidence": Share.of(flags[has_evidence]).value for name, flags in right.items()
        }
    measures |= {f"accuracy_{name}": Share.of(flags).value for name, flags in right.items() if name not in (REAL, TEXT)}
    if not has_paths:
        measures |= {"score": 0.0, "score_low": 0.0, "score_high": 0.0}
    elif DERANGED in right:
        measures["score"], measures["score_low"], measures["score_high"] = reliance_score(
            right[REAL][has_evidence], right[DERANGED][has_evidence]
        )
    return measures


def reliance_score(real: Flags, changed: Flags) -> tuple[float, float, float]:
    """Return how much accuracy the same pairs lose by a change, with the ends of its 95 % interval, each in [-1, 1].

    The interval is that of a mean of paired differences. Without a pair all three are 0.

    Args:
        real: which answers are right with the real graph, bool [num_pairs].
        changed: which are with the changed one.
    """
    if not len(real):
        return 0.0, 0.0, 0.0
    differences = real.astype(np.float64) - changed.astype(np.float64)  # [num_pairs]
    score = float(differences.mean())
    half = Z_95 * float(differences.std()) / math.sqrt(len(differences))
    return score, max(-1.0, score - half), min(1.0, score + half)


def _slices(has_evidence: Flags) -> dict[str, Flags]:
    return {
        "all": np.ones(len(has_evidence), dtype=np.bool_),
        "with evidence": has_evidence,
        "without evidence": ~has_evidence,
    }


def _summary(right: Mapping[str, Flags], has_evidence: Flags, *, has_paths: bool) -> str:
    share = f"{100 * has_evidence.mean():.0f} % of {len(has_evidence):,} pairs have evidence"
    if not has_paths:
        return f"This model reads no paths, so it has no graph to rely on; {share}."
    if not has_evidence.any():
        return f"None of {len(has_evidence):,} pairs has evidence in the graph, so nothing can rest on it."
    if DERANGED not in right:
        return f"The graph has one relation only, which cannot be exchanged, so there is no reliance score; {share}."
    score, low, high = reliance_score(right[REAL][has_evidence], right[DERANGED][has_evidence])
    shares = {name: 100 * Share.of(right[name][has_evidence]).value for name in (REAL, DERANGED, EMPTY, TEXT)}
    return (
        f"The reliance score is {score:.2f} ({low:.2f} to {high:.2f}): on the pairs with evidence "
        f"{shares[REAL]:.1f} % are right with the real graph, {shares[DERANGED]:.1f} % with its relations exchanged, "
        f"{shares[EMPTY]:.1f} % with no graph and {shares[TEXT]:.1f} % from text alone; {share}."
    )


def _table(right: Mapping[str, Flags], has_evidence: Flags) -> Table:
    slices = _slices(has_evidence)
    columns = ("graph", *(f"{name} ({int(flags.sum()):,})" for name, flags in slices.items()))
    rows = [
        (GRAPHS[name], *(Share.of(flags[chosen]).to_text() for chosen in slices.values()))
        for name, flags in right.items()
    ]
    note = "Per cent right, with 95 % intervals. Which pairs have evidence is told by the real graph."
    return Table("Accuracy by graph", columns, tuple(rows), note)


def _plot(right: Mapping[str, Flags], has_evidence: Flags) -> Plot:
    series = []
    for name, chosen in _slices(has_evidence).items():
        if not chosen.any():
            continue
        shares = [Share.of(flags[chosen]) for flags in right.values()]
        intervals = [share.interval for share in shares]
        series.append(
            Series(
                name,
                tuple(GRAPHS[key] for key in right),
                tuple(share.value for share in shares),
                tuple(low for low, _ in intervals),
                tuple(high for _, high in intervals),
            )
        )
    return Plot("accuracy", "Accuracy by graph", "bars", "", "accuracy", tuple(series), y_range=(0.0, 1.0))
