"""What the statements of a graph say about each other, settled before ids are given.

Class expressions are folded (`ontology.py`), entities that are the same are merged (`merging.py`), deprecated terms
give their labels to what replaces them (`deprecation.py`). Terms left without an edge and a label are gone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.kg.alias_kinds import ALTERNATIVE, HIDDEN, KIND_PRIOR, AliasRows
from kg_reason.kg.curies import OBO
from kg_reason.kg.deprecation import Deprecations, find_deprecations
from kg_reason.kg.merging import MergedName, merge_same
from kg_reason.kg.names import BLANK, IRI, readable_name, term_kind
from kg_reason.kg.ontology import EdgeRows, fold_expressions
from kg_reason.kg.terms import TermInterner
from kg_reason.kg.triples import literal_key, term_text


@dataclass(frozen=True)
class Settled:
    """The edges and labels of a graph, and of its terms, bool [num_terms], which are used and which are deprecated."""

    edges: EdgeRows
    aliases: AliasRows
    is_used: NDArray[np.bool_]
    is_deprecated: NDArray[np.bool_]


def settle(
    edges: EdgeRows,
    aliases: AliasRows,
    config: BuildConfig,
    *,
    entities: TermInterner,
    relations: TermInterner,
    texts: TermInterner,
) -> Settled:
    """Return the edges and labels of a graph with what they say about each other settled.

    Args:
        edges: every statement that is no label.
        aliases: every label.
        config: `fold_owl` and `merge_same`.
        entities: of the edges and labels.
        relations: of the edges; grows by relations that only class expressions name.
        texts: of the labels; grows by names of merged entities.

    Raises:
        GraphError: the class expressions are no ontology's, see `fold_expressions`.
    """
    num_rows = len(edges.head)
    is_used = np.ones(entities.num_terms, dtype=bool)
    if config.fold_owl:
        edges, gone = fold_expressions(edges, entities, relations)
        if gone.any():
            aliases = aliases.take(~gone[aliases.entity])
    if config.merge_same:
        merged = merge_same(edges, entities, relations)
        edges, unnamed = merged.rows, np.ones(entities.num_terms, dtype=bool)
        unnamed[aliases.entity] = False
        aliases = aliases._replace(entity=merged.entity_of[aliases.entity])
        aliases = aliases.joined(_merged_names(merged.names, unnamed, entities, texts))
    if len(edges.head) != num_rows:
        is_used = used_terms(edges, aliases, len(is_used))
    is_news = _is_news(aliases, entities, texts)
    if not is_news.all():
        aliases = aliases.take(is_news)
    found = find_deprecations(edges, entities, relations)
    if found.replacement:
        aliases = aliases.joined(_handed_on(aliases, found))
    return Settled(edges, aliases, is_used, found.is_deprecated)


def used_terms(edges: EdgeRows, aliases: AliasRows, num_terms: int) -> NDArray[np.bool_]:
    """Return which terms, bool [num_terms], an edge or a label names."""
    is_used = np.zeros(num_terms, dtype=bool)
    for column in (edges.head, edges.tail, aliases.entity):
        is_used[column] = True
    return is_used


def _is_news(aliases: AliasRows, entities: TermInterner, texts: TermInterner) -> NDArray[np.bool_]:
    """Return which labels, bool [num_labels], say more than the identifier that is in the IRI: DOID:4 of obo/DOID_4."""
    is_news = np.ones(len(aliases.entity), dtype=bool)
    for row in np.flatnonzero(aliases.kind == HIDDEN).tolist():
        prefix, colon, local = term_text(texts.key(int(aliases.text[row]))).partition(":")
        if colon and local.isdecimal():
            is_news[row] = entities.key(int(aliases.entity[row])) != f"{OBO}{prefix}_{local}"
    return is_news


def _merged_names(
    names: list[MergedName], unnamed: NDArray[np.bool_], entities: TermInterner, texts: TermInterner
) -> AliasRows:
    """Return labels that keep the keys of merged entities known, and the names of those without a label."""
    rows: list[tuple[int, int, str, int, int]] = []
    for name in names:
        kind = term_kind(name.key)
        if kind == BLANK:
            continue
        if kind == IRI:
            rows.append((name.entity, HIDDEN, name.key, name.file, name.line))
        if kind != IRI or unnamed[entities.find(name.key)]:
            rows.append((name.entity, ALTERNATIVE, readable_name(name.key), name.file, name.line))
    entity, kinds, written, file, line = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return AliasRows(
        entity=np.array(entity, dtype=np.int32),
        kind=np.array(kinds, dtype=np.uint8),
        text=texts.intern_keys([literal_key(text) for text in written]),
        prior=np.array([KIND_PRIOR[kind] for kind in kinds], dtype=np.float32),
        pos=np.zeros(len(rows), dtype=np.uint8),
        file=np.array(file, dtype=np.int32),
        line=np.array(line, dtype=np.int64),
    )


def _handed_on(aliases: AliasRows, found: Deprecations) -> AliasRows:
    """Return the labels of deprecated terms as hidden ones of their replacements, where these lack them."""
    replaced = np.zeros(len(found.is_deprecated), dtype=bool)
    replaced[list(found.replacement)] = True
    targets = np.zeros(len(found.is_deprecated), dtype=bool)
    targets[[target for targets_of in found.replacement.values() for target in targets_of]] = True
    owned = np.flatnonzero(targets[aliases.entity])
    known = set(zip(aliases.entity[owned].tolist(), aliases.text[owned].tolist(), strict=True))
    places: list[int] = []
    owners: list[int] = []
    for row in np.flatnonzero(replaced[aliases.entity]).tolist():
        for target in found.replacement[int(aliases.entity[row])]:
            label = (target, int(aliases.text[row]))
            if label not in known:
                known.add(label)
                places.append(row)
                owners.append(target)
    handed = aliases.take(np.array(places, dtype=np.int64))
    prior = np.minimum(handed.prior, np.float32(KIND_PRIOR[HIDDEN]))
    return handed._replace(
        entity=np.array(owners, dtype=np.int32), kind=np.full(len(owners), HIDDEN, dtype=np.uint8), prior=prior
    )
