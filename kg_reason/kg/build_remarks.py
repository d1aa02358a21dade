"""What to tell after a build because it may not be what was meant: headers read as triples, names that nothing has."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

import numpy as np

from kg_reason.config import BuildConfig
from kg_reason.flags import flag_name
from kg_reason.kg.alias_kinds import KIND_PRIOR
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.qualifiers import (
    SOURCE,
    VALID_FROM,
    VALID_UNTIL,
    QualifierNames,
    StoredQualifiers,
    column_name,
)
from kg_reason.kg.table_layout import one_relation
from kg_reason.kg.triples import Source

logger = logging.getLogger(__name__)

MIN_TRIPLES_OF_A_TABLE = 3  # with fewer, every line looks like a header


def remark_on(graph: KnowledgeGraph, tables: Collection[str], config: BuildConfig) -> None:
    """Tell what looks odd about a graph that was just built.

    Args:
        graph: without edits.
        tables: the names of its delimited files.
        config: how they were read.
    """
    if tables:
        for source in sorted(_lonely_first_lines(graph, tables, one_relation(config))):
            logger.warning(
                "%s: was read as a triple; if it is a header, name its columns (--head-column, --relation-column, "
                "--tail-column)", source,
            )  # fmt: skip
        for source in sorted(_repeated_headers(graph, config)):
            logger.warning("%s: repeats the header and was read as a triple", source)
    for setting, name in _unmet_names(graph, config):
        logger.warning("no edge is qualified by a column or property %r (%s)", name, flag_name(setting))


def _lonely_first_lines(graph: KnowledgeGraph, tables: Collection[str], relation: str) -> Iterator[Source]:
    """Yield the first lines of tables that are an edge that nothing else in the graph has to do with.

    The relation of rows that name none says nothing about their first line.
    """
    if graph.num_edges < MIN_TRIPLES_OF_A_TABLE:
        return
    uses = np.bincount(graph.edge_relation[: graph.num_edges], minlength=graph.num_relations)
    first_rows = np.flatnonzero(graph.built.arrays["source_line"] == 1)
    for edge in np.unique(np.searchsorted(graph.built.arrays["edge_source"], first_rows, side="right") - 1).tolist():
        number = int(graph.edge_relation[edge])
        ends = (int(graph.edge_head[edge]), int(graph.edge_tail[edge]))
        if (uses[number] == 1 or graph.relation_id(number) == relation) and all(
            graph.edges_of(end) == [edge] for end in ends
        ):
            yield from (source for source in graph.edge_sources(edge) if source.line == 1 and source.file in tables)


def _repeated_headers(graph: KnowledgeGraph, config: BuildConfig) -> Iterator[Source]:
    """Yield the lines that repeat a header, as in tables that were put one behind the other."""
    if config.header == "no":
        return
    head, tail = graph.find_id(config.head_column), graph.find_id(config.tail_column)
    for edge in graph.edges_of(head) if min(head, tail) >= 0 else ():
        names = (graph.relation_id(int(graph.edge_relation[edge])), int(graph.edge_tail[edge]))
        if names == (config.relation_column, tail):
            yield from graph.edge_sources(edge)


def _unmet_names(graph: KnowledgeGraph, config: BuildConfig) -> Iterator[tuple[str, str]]:
    """Yield setting and name of the columns and properties that were named and that nothing has."""
    own = {"from_column": VALID_FROM, "until_column": VALID_UNTIL, "source_column": SOURCE}
    named = {
        (setting, getattr(config, setting)): qualifier for setting, qualifier in own.items()
        if getattr(config, setting) not in ("", getattr(BuildConfig, setting))
    }  # fmt: skip
    columns = QualifierNames(config).columns
    named |= {("qualifier_columns", name): columns[column_name(name)] for name in config.qualifier_columns}
    sets = StoredQualifiers.of(graph.built.arrays).all()
    while named and (qualifiers := next(sets, None)) is not None:
        named = {place: qualifier for place, qualifier in named.items() if qualifier not in qualifiers}
    yield from named
    if config.weight_column not in ("", BuildConfig.weight_column) and not _is_weighed(graph):
        yield "weight_column", config.weight_column


def _is_weighed(graph: KnowledgeGraph) -> bool:
    """Tell whether any edge or label has a weight that no graph without weights has."""
    priors = np.array(KIND_PRIOR, dtype=np.float32)
    return bool((graph.edge_weight[: graph.num_edges] != 1).any()) or not np.isin(graph.alias_prior, priors).all()
