"""Deprecated terms: what is no longer to be used, and what stands in its place.

A term is deprecated by `owl:deprecated true` (`is_obsolete: true` in OBO) or the type owl:DeprecatedClass or
owl:DeprecatedProperty; its replacement is stated by IAO:0100001 (`replaced_by:`) or dcterms:isReplacedBy. Both stay
edges of the graph. While it is built, all labels of a deprecated term get a tenth of their prior, so that it ranks
behind whatever else they name, and become hidden labels of its replacement, which therefore ranks before it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.curies import OBO, OWL, expansions
from kg_reason.kg.ontology import TYPE, EdgeRows
from kg_reason.kg.terms import TermInterner
from kg_reason.kg.triples import literal_parts

DEPRECATED = (OWL + "deprecated", "owl:deprecated")
DEPRECATED_TYPES = (OWL + "DeprecatedClass", OWL + "DeprecatedProperty")
REPLACED_BY = (OBO + "IAO_0100001", "http://purl.org/dc/terms/isReplacedBy", "dcterms:isReplacedBy")
TRUE = ("true", "1")
DEPRECATED_SHARE = 0.1  # of its prior that a label of a deprecated term keeps


class Deprecations(NamedTuple):
    """Which terms are deprecated, bool [num_terms], and what stands in their place, where that is stated."""

    is_deprecated: NDArray[np.bool_]
    replacement: dict[int, tuple[int, ...]]


def is_true(key: str) -> bool:
    """Tell whether the key of a value says yes."""
    return literal_parts(key).text.strip().lower() in TRUE


def find_deprecations(rows: EdgeRows, entities: TermInterner, relations: TermInterner) -> Deprecations:
    """Return the deprecated terms among the statements of a graph, each with its last replacement.

    A replacement that is itself replaced gives way to the next one. It may be written as a text such as `DOID:4`.
    """
    is_deprecated = np.zeros(entities.num_terms, dtype=bool)
    names = [*map(relations.find, DEPRECATED), *map(entities.find, DEPRECATED_TYPES)]
    if max(names) < 0:
        return Deprecations(is_deprecated, {})
    stated = np.flatnonzero(np.isin(rows.relation, [relations.find(key) for key in DEPRECATED]))
    is_said = [is_true(entities.key(tail)) for tail in rows.tail[stated].tolist()]
    is_deprecated[rows.head[stated[np.array(is_said, dtype=bool)]]] = True
    of_type = np.isin(rows.tail, [entities.find(key) for key in DEPRECATED_TYPES])
    is_deprecated[rows.head[of_type & (rows.relation == relations.find(TYPE))]] = True

    step: dict[int, list[int]] = {}
    for row in np.flatnonzero(np.isin(rows.relation, [relations.find(key) for key in REPLACED_BY])).tolist():
        head, tail = int(rows.head[row]), int(rows.tail[row])
        key = entities.key(tail)
        if key.startswith('"'):
            texts = literal_parts(key).text, *expansions(literal_parts(key).text, {})
            tail = next((entity for entity in map(entities.find, texts) if entity >= 0), -1)
        if tail >= 0 and is_deprecated[head]:
            step.setdefault(head, []).append(tail)
    return Deprecations(is_deprecated, {term: _last(term, step) for term in sorted(step)})


def _last(term: int, step: dict[int, list[int]]) -> tuple[int, ...]:
    """Follow replacements to those that are not replaced themselves; empty where they lead in a circle only."""
    seen, waiting, found = {term}, list(step[term]), []
    while waiting:
        following = waiting.pop(0)
        if following in seen:
            continue
        seen.add(following)
        if following in step:
            waiting += step[following]
        else:
            found.append(following)
    return tuple(found)
