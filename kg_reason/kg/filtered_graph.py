"""A built graph as it is on a day, from some sources, above some weight: the same graph without what does not count.

The edges that are left get rows of their own, so linker, path search and explanations see a smaller graph and need not
know why. Entities, labels and edits stay; the file on disk is not touched. What was inferred is left out, since it may
rest on what does not count.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import StatementConfig
from kg_reason.kg.builder import BuiltGraph
from kg_reason.kg.counting import counted_order, row_offsets
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.inferences import INFERRED_ARRAYS
from kg_reason.kg.overlay import apply_edits
from kg_reason.kg.qualifiers import NONE, Qualifiers, StoredQualifiers, weight_of
from kg_reason.kg.relation_walk import relation_walk
from kg_reason.kg.statement_filter import StatementFilter, Statements
from kg_reason.kg.stored_arrays import Arrays

logger = logging.getLogger(__name__)


def filtered_graph(graph: KnowledgeGraph, config: StatementConfig) -> KnowledgeGraph:
    """Return a graph of the statements that count, in memory; the graph itself where all do.

    Args:
        graph: as built, with its edits, which have no qualifiers and stay.
        config: which statements count.

    Raises:
        ConfigError: `as_of` is no day.
        GraphError: the qualifiers of the graph cannot be read.
    """
    chosen = StatementFilter(config)
    if not chosen:
        return graph
    graph.check()
    header, arrays = graph.built.header, graph.built.arrays
    stored = StoredQualifiers.of(arrays)
    stored.check(len(arrays["source_file"]))
    sets = np.zeros(len(arrays["source_file"]), dtype=np.int32)
    sets[stored.rows] = stored.sets + 1

    def qualifiers_of(number: int) -> Qualifiers:
        return stored.get(number - 1) if number else NONE

    counts = chosen.select(Statements(sets, arrays["source_file"], header["sources"], qualifiers_of))
    own_weight = _own_weights(stored, len(sets))
    is_light = counts & _is_light(arrays, own_weight, config.min_weight)
    chosen.count_light(int(is_light.sum()))
    counts &= ~is_light
    chosen.tell()
    if counts.all():
        return graph
    num_inferred = len(graph.inferences.edges())
    if num_inferred:
        logger.warning("inferred edges left out, since they may rest on what was: %d", num_inferred)
    kept = _kept_arrays(arrays, counts, own_weight, len(header["relations"]))
    digest = hashlib.sha256(f"{header['fingerprint']} {config.to_json()}".encode())
    header = {**header, "num_edges": len(kept["edge_head"]), "fingerprint": digest.hexdigest()[:16]}
    built = BuiltGraph(header, kept)
    return KnowledgeGraph(built, None, apply_edits(built, graph.overlay.edits))


def _own_weights(stored: StoredQualifiers, num_statements: int) -> NDArray[np.float32]:
    """Return the weight that each statement states itself, float32 [num_statements], NaN where its edge has it."""
    of_sets = np.array([weight_of(qualifiers) for qualifiers in stored.all()], dtype=np.float32)
    weights = np.full(num_statements, np.nan, dtype=np.float32)
    weights[stored.rows] = of_sets[stored.sets]
    return weights


def _is_light(arrays: Arrays, own_weight: NDArray[np.float32], min_weight: float) -> NDArray[np.bool_]:
    """Return which statements weigh too little by the weight of their edge; a weight of 1 counts as not given."""
    of_edge = _statement_weights(arrays)
    is_light: NDArray[np.bool_] = np.isnan(own_weight) & (of_edge != 1.0) & (of_edge < np.float32(min_weight))
    return is_light


def _statement_weights(arrays: Arrays) -> NDArray[np.float32]:
    """Return the weight of each statement's edge, float32 [num_statements]; inferred edges have no statement."""
    sizes = np.diff(arrays["edge_source"])
    return np.repeat(arrays["edge_weight"][: len(sizes)], sizes)


def _kept_arrays(
    arrays: Arrays, counts: NDArray[np.bool_], own_weight: NDArray[np.float32], num_relations: int
) -> Arrays:
    """Return the arrays of a graph with some of its statements and the edges that they state."""
    bounds = arrays["edge_source"]
    num_entities = len(arrays["entity_offset"]) - 1
    before = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)  # statements kept before each
    sizes = before[bounds[1:]] - before[bounds[:-1]]
    edges = np.flatnonzero(sizes)
    kept: dict[str, NDArray[Any]] = dict(arrays)
    for name in INFERRED_ARRAYS:
        kept.pop(name, None)
    for name in ("edge_head", "edge_relation", "edge_tail"):
        kept[name] = np.asarray(arrays[name])[edges]
    kept["edge_source"] = np.concatenate([[0], np.cumsum(sizes[edges])]).astype(np.int64)
    kept["source_file"], kept["source_line"] = arrays["source_file"][counts], arrays["source_line"][counts]
    of_edge = _statement_weights(arrays)
    weight = np.where(np.isnan(own_weight), of_edge, own_weight)[counts]
    kept["edge_weight"] = np.maximum.reduceat(weight, kept["edge_source"][:-1]) if len(edges) else weight
    kept["out_offset"] = row_offsets(kept["edge_head"], num_entities)
    kept["in_edge"] = counted_order(kept["edge_tail"], num_entities).astype(np.int32)
    kept["in_offset"] = row_offsets(kept["edge_tail"], num_entities)
    kept["relation_walk"] = relation_walk(kept["edge_head"], kept["edge_relation"], kept["edge_tail"], num_relations)
    if "qualified_source" in arrays:
        still = counts[arrays["qualified_source"]]
        kept["qualified_source"] = before[arrays["qualified_source"][still]]
        kept["qualified_set"] = arrays["qualified_set"][still]
    return kept
