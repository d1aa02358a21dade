"""What a reader should know of an entity beside its labels: its CURIE, whether it is deprecated, what replaces it."""

from __future__ import annotations

from typing import NamedTuple

from kg_reason.kg.curies import curie
from kg_reason.kg.deprecation import DEPRECATED, DEPRECATED_TYPES, REPLACED_BY, is_true
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.ontology import TYPE
from kg_reason.kg.triples import term_text


class EntityStatus(NamedTuple):
    """The short name of an entity (empty where it has none), whether it is deprecated, and what replaces it."""

    curie: str
    is_deprecated: bool
    replacements: tuple[int, ...]


def entity_status(graph: KnowledgeGraph, entity: int) -> EntityStatus:
    """Return what the graph states about the standing of an entity, edits included."""
    is_deprecated, replacements = False, list[int]()
    for edge in range(int(graph.out_start[entity]), int(graph.out_end[entity])):
        relation, tail = graph.relation_id(int(graph.edge_relation[edge])), int(graph.edge_tail[edge])
        if relation in DEPRECATED:
            is_deprecated |= is_true(graph.entity_id(tail))
        elif relation == TYPE:
            is_deprecated |= graph.entity_id(tail) in DEPRECATED_TYPES
        elif relation in REPLACED_BY:
            named = graph.find_entities(term_text(graph.entity_id(tail))) if graph.is_value(tail) else ()
            replacements.append(next((other for other in named if not graph.is_value(other)), tail))
    short = curie(graph.entity_id(entity), graph.prefixes)
    return EntityStatus(short, is_deprecated, tuple(dict.fromkeys(replacements)) if is_deprecated else ())
