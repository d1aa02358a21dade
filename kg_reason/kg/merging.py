"""`A owl:sameAs B` on request: what is stated to be one thing becomes one entity while a graph is built.

The entity keeps the key of an IRI before that of a text before that of a blank node, and of several the first in the
order of characters; the edges and labels of the others become its own, with their sources. The other keys stay known as
hidden labels, whose source is the statement that made the two one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.curies import OWL
from kg_reason.kg.names import BLANK, IRI, LITERAL, TEXT, term_kind
from kg_reason.kg.ontology import EdgeRows
from kg_reason.kg.terms import TermInterner

SAME_AS = (OWL + "sameAs", "owl:sameAs")
_STANDING = {IRI: 0, TEXT: 1, BLANK: 2, LITERAL: 3}


class MergedName(NamedTuple):
    """A key that gave way: the entity that it now means, the key, and where the two were stated to be one."""

    entity: int
    key: str
    file: int
    line: int


class Merged(NamedTuple):
    """The statements between merged entities, what each term became int32 [num_terms], and the keys that gave way."""

    rows: EdgeRows
    entity_of: NDArray[np.int32]
    names: list[MergedName]


def merge_same(rows: EdgeRows, entities: TermInterner, relations: TermInterner) -> Merged:
    """Merge the entities that a graph states to be the same; values are never merged.

    Args:
        rows: every statement that is no label.
        entities: of heads and tails.
        relations: of the statements.
    """
    entity_of = np.arange(entities.num_terms, dtype=np.int32)
    same = np.isin(rows.relation, [relations.find(key) for key in SAME_AS])
    place: dict[int, tuple[int, int]] = {}  # term -> first statement that names it
    parent: dict[int, int] = {}
    standing: dict[int, tuple[int, str]] = {}
    for row in np.flatnonzero(same).tolist():
        ends = int(rows.head[row]), int(rows.tail[row])
        for term in ends:
            if term not in standing:
                key = entities.key(term)
                standing[term] = (_STANDING[term_kind(key)], key)
                parent[term] = term
        if any(term_kind(standing[term][1]) == LITERAL for term in ends):
            same[row] = False
            continue
        for term in ends:
            place.setdefault(term, (int(rows.file[row]), int(rows.line[row])))
        first, second = sorted((_root(parent, term) for term in ends), key=standing.__getitem__)
        parent[second] = first
    for term in parent:
        entity_of[term] = _root(parent, term)
    names = [
        MergedName(int(entity_of[term]), standing[term][1], *place[term])
        for term in sorted(place) if entity_of[term] != term
    ]  # fmt: skip
    merged = rows._replace(head=entity_of[rows.head], tail=entity_of[rows.tail])
    return Merged(merged.take(~same), entity_of, names)


def _root(parent: dict[int, int], term: int) -> int:
    while parent[term] != term:
        parent[term] = parent[parent[term]]
        term = parent[term]
    return term
