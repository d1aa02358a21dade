"""What kind of relation each relation of a graph is: the little that a model may know of it besides its name.

A kind comes from the table of relation names (`synthesis/relation_labels.toml`, groups), from the user
(`name=kind`), or from the graph: what is a sub-property, an equivalent or an inverse of a relation of a kind is of that
kind too. Relations of no kind are known by their names alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.errors import ConfigError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.words import plain_name

# A model has a state for each, by its place: new ones go to the end.
KINDS = (
    "wider", "instance", "same", "similar", "opposite", "whole", "member", "substance", "adjective_of", "implies",
    "causes",
)  # fmt: skip
SYMMETRIC = ("same", "similar", "opposite")
KIN_OF_RELATIONS = {"subpropertyof": 1, "equivalentproperty": 1, "inverseof": -1}  # by name: 1 keeps the direction
MAX_KIN = 8  # steps from a relation to one of a known kind

Groups = Mapping[str, Sequence[str]]


class RelationName(NamedTuple):
    """Another name for a relation.

    Attributes:
        text: the name.
        turned: whether it leads the other way, as "has subtype" does for "subclass of".
        inverse: the name of its own inverse; empty where there is none.
    """

    text: str
    turned: bool = False
    inverse: str = ""


def relation_kinds(graph: KnowledgeGraph, groups: Groups, declared: Sequence[str] = ()) -> NDArray[np.int64]:
    """Return the kind of each relation of a graph, [num_relations].

    Args:
        graph: its relations, and what it says of them.
        groups: kind -> names of relations, `^` before those of the other direction.
        declared: `name=kind` pairs; they come before the groups.

    Returns:
        1 + place in KINDS, negative for the other direction ("narrower" is ^wider); 0 where nothing is known.

    Raises:
        ConfigError: a pair without `=`, or of a kind that does not exist.
    """
    named = {**_named_kinds(groups), **_declared_kinds(declared)}
    kinds = np.zeros(graph.num_relations, dtype=np.int64)
    for relation in range(graph.num_relations):
        names = (graph.relation_label(relation), graph.relation_id(relation))
        kinds[relation] = next((named[plain_name(name)] for name in names if plain_name(name) in named), 0)
    by_id = {graph.relation_id(relation): relation for relation in range(graph.num_relations)}
    for relation in np.flatnonzero(kinds == 0).tolist():
        kinds[relation] = _kind_of_kin(graph, relation, kinds, by_id, named)
    return kinds


def names_of_kind(kind: int, groups: Groups) -> tuple[RelationName, ...]:
    """Return the names that the table has for relations of a kind, then, turned, those of the other direction."""
    if not kind:
        return ()
    is_symmetric = KINDS[abs(kind) - 1] in SYMMETRIC
    names = {
        RelationName(name.lstrip("^"), turned=name.startswith("^") == (kind > 0) and not is_symmetric)
        for name in groups.get(KINDS[abs(kind) - 1], ())
    }
    return tuple(sorted(names, key=lambda name: (name.turned, name.text)))


def _named_kinds(groups: Groups) -> dict[str, int]:
    named: dict[str, int] = {}
    for number, kind in enumerate(KINDS, start=1):
        for name in groups.get(kind, ()):
            turned = name.startswith("^") and kind not in SYMMETRIC
            named.setdefault(plain_name(name), -number if turned else number)
    return named


def _declared_kinds(declared: Sequence[str]) -> dict[str, int]:
    named: dict[str, int] = {}
    for pair in declared:
        name, found, kind = pair.rpartition("=")
        if not found or not plain_name(name) or kind.lstrip("^") not in KINDS:
            expected = f"name=kind with one of {', '.join(KINDS)}"
            raise ConfigError(f"relation_kinds: found {pair!r}, expected {expected}")
        number = 1 + KINDS.index(kind.lstrip("^"))
        named[plain_name(name)] = -number if kind.startswith("^") else number
    return named


def _kind_of_kin(
    graph: KnowledgeGraph, relation: int, kinds: NDArray[np.int64], by_id: Mapping[str, int], named: Mapping[str, int]
) -> int:
    """Follow what the graph says of a relation to one of a known kind; 0 where that leads nowhere."""
    waiting, seen = [(graph.find_id(graph.relation_id(relation)), 1)], set[int]()
    while waiting and len(seen) < MAX_KIN:
        entity, way = waiting.pop(0)
        if entity < 0 or entity in seen:
            continue
        seen.add(entity)
        for edge in range(int(graph.out_start[entity]), int(graph.out_end[entity])):
            turn = KIN_OF_RELATIONS.get(plain_name(graph.relation_label(int(graph.edge_relation[edge]))), 0)
            if not turn:
                continue
            kin = int(graph.edge_tail[edge])
            key = graph.entity_id(kin)
            names = (plain_name(graph.entity_label(kin)), plain_name(key))
            kind = int(kinds[by_id[key]]) if key in by_id else 0
            kind = kind or next((named[name] for name in names if name in named), 0)
            if kind:
                return kind if way * turn > 0 or KINDS[abs(kind) - 1] in SYMMETRIC else -kind
            waiting.append((kin, way * turn))
    return 0
