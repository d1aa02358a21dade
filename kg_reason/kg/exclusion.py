"""What a user wants no path to use: relations and entities by name, found in the graph.

How a search obeys is `edge_walks.py` for relations and `retriever.py` for entities; recording names in a run is
`exclusion.py` of the house.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kg_reason.errors import UnknownEntityError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.words import caseless


class ExcludedNames(NamedTuple):
    """Names of what is excluded, as the user wrote them, by what they name."""

    relations: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()


def sort_names(graph: KnowledgeGraph, names: Sequence[str]) -> ExcludedNames:
    """Tell which names are those of relations and which those of entities; each is kept once.

    A name that is both, such as "cause", means the relation: an entity can be named by its id.

    Raises:
        UnknownEntityError: the graph has neither a relation nor an entity of that name.
    """
    relations: dict[str, None] = {}
    entities: dict[str, None] = {}
    for name in names:
        if find_relations(graph, name):
            relations[name] = None
        elif graph.find_entities(name):
            entities[name] = None
        else:
            raise UnknownEntityError(f"exclude: the graph has neither a relation nor an entity {name!r}")
    return ExcludedNames(tuple(relations), tuple(entities))


def find_relations(graph: KnowledgeGraph, name: str) -> list[int]:
    """Return the relations with this id, else those with this readable name (ignoring case), ascending."""
    wanted = caseless(name)
    numbers = range(graph.num_relations)
    found = [number for number in numbers if graph.relation_id(number) == name]
    return found or [number for number in numbers if caseless(graph.relation_label(number)) == wanted]


def excluded_relations(graph: KnowledgeGraph, names: Sequence[str]) -> frozenset[int]:
    """Return the relations of some names.

    Raises:
        UnknownEntityError: the graph has no relation of one of the names.
    """
    numbers: set[int] = set()
    for name in names:
        found = find_relations(graph, name)
        if not found and graph.is_whole:  # a part may lack what the rest has
            raise UnknownEntityError(f"exclude_relations: the graph has no relation {name!r}")
        numbers.update(found)
    return frozenset(numbers)


def excluded_entities(graph: KnowledgeGraph, names: Sequence[str]) -> frozenset[int]:
    """Return the entities of some ids or labels, of a label all that bear it.

    Raises:
        UnknownEntityError: the graph has no entity of one of the names.
    """
    numbers: set[int] = set()
    for name in names:
        found = graph.find_entities(name)
        if not found and graph.is_whole:
            raise UnknownEntityError(f"exclude_entities: the graph has no entity {name!r}")
        numbers.update(found)
    return frozenset(numbers)
