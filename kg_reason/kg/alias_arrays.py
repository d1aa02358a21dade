"""The labels of a finished graph: ordered, and a name for every term that has no label.

The labels of one entity follow each other: its own name where it has no other, then by kind and prior. What the arrays
are is told in `graph.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.alias_kinds import KIND_PRIOR, OWN, PREFERRED, AliasRows
from kg_reason.kg.counting import counted_order, row_offsets
from kg_reason.kg.deprecation import DEPRECATED_SHARE
from kg_reason.kg.grouping import grouped_rows, is_first
from kg_reason.kg.label_texts import label_texts
from kg_reason.kg.names import BLANK, LITERAL, TEXT, readable_names
from kg_reason.kg.stored_arrays import Arrays
from kg_reason.kg.terms import Bytes, Int64, TermInterner, TermTable, gather_text

# Where the parts of a sort key lie: the kind, the prior (not above 1) and the text of a label.
_PRIOR_BITS, _TEXT_BITS = 30, 30
_BITS_OF_ONE = int(np.float32(1).view(np.int32))


class _OwnNames(NamedTuple):
    """The kinds of all entities uint8, and the names of those without a label: whose, and their spans [n, 2]."""

    kinds: Bytes
    entity: NDArray[np.int32]
    text: Bytes
    spans: Int64


def add_alias_arrays(
    arrays: Arrays, aliases: AliasRows, texts: TermInterner, is_deprecated: NDArray[np.bool_]
) -> list[str]:
    """Add the arrays of all labels to those of a graph that has its terms; return the languages by number.

    Args:
        arrays: take what is made, and have the term table of the entities.
        aliases: the labels, by the ids of the entities and of `texts`.
        texts: spent afterwards.
        is_deprecated: bool [num_entities].
    """
    entities = TermTable(arrays["entity_text"], arrays["entity_offset"], arrays["entity_slot"])
    text_order = texts.canonical_order()
    new_text = np.empty(len(text_order), dtype=np.int32)
    new_text[text_order] = np.arange(len(text_order))
    aliases = aliases._replace(text=new_text[aliases.text])
    labels = label_texts(texts.table(text_order))
    aliases = aliases.take(_best_first(aliases, len(entities)))
    own = _own_names(entities, aliases)
    owner = np.concatenate([own.entity, aliases.entity])
    place = counted_order(owner, len(entities))
    text = np.concatenate([labels.text, own.text])
    spans = np.concatenate([own.spans + len(labels.text), labels.spans[aliases.text]])
    arrays["alias_text"], arrays["alias_text_offset"] = _cut_text(text, spans[place])
    del text, spans

    def column(values: NDArray[Any], of_own: float) -> NDArray[Any]:
        return np.concatenate([np.full(len(own.entity), of_own, dtype=values.dtype), values])[place]

    owner = owner[place]
    prior = column(aliases.prior, KIND_PRIOR[OWN])
    prior[is_deprecated[owner]] *= np.float32(DEPRECATED_SHARE)
    arrays["entity_kind"], arrays["alias_entity"], arrays["alias_prior"] = own.kinds, owner, prior
    arrays["alias_offset"] = row_offsets(owner, len(entities))
    arrays["alias_is_value"] = own.kinds[owner] == LITERAL
    arrays["alias_kind"] = column(aliases.kind, OWN)
    arrays["alias_pos"] = column(aliases.pos, 0)
    arrays["alias_language"] = column(labels.language[aliases.text], labels.languages.index(""))
    arrays["alias_file"] = column(aliases.file, -1)
    arrays["alias_line"] = column(aliases.line, 0)
    return labels.languages


def join_texts(texts: list[str]) -> tuple[Bytes, Int64]:
    """Return texts one after the other, with their offsets [len(texts) + 1]."""
    encoded = [text.encode() for text in texts]
    offset = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in encoded], out=offset[1:])
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), offset


def _best_first(aliases: AliasRows, num_entities: int) -> NDArray[np.int64]:
    """Return the labels by entity, kind and prior, the highest first; of neighbours with one text the first alone."""
    key = aliases.kind.astype(np.int64) << _PRIOR_BITS
    key |= _BITS_OF_ONE - aliases.prior.view(np.int32)
    key = (key << _TEXT_BITS) | aliases.text
    order, key, offset = grouped_rows(aliases.entity, key, num_entities)
    return order[is_first(key & ((1 << _TEXT_BITS) - 1), offset)].astype(np.int64)


def _own_names(entities: TermTable, aliases: AliasRows) -> _OwnNames:
    wanted = np.ones(len(entities), dtype=np.uint8)
    wanted[aliases.entity[aliases.kind == PREFERRED]] = 0
    kinds, slow, text, offset = readable_names(entities, wanted)
    # A text that has only further names is still called by itself; an IRI with any name of its own is not.
    wanted[aliases.entity[(kinds[aliases.entity] != TEXT) & (aliases.kind < OWN)]] = 0
    slow = [(term, name) for term, name in slow if wanted[term]]
    named = np.flatnonzero((wanted == 1) & (kinds != BLANK))
    slow_text, slow_offset = join_texts([name for _, name in slow])
    spans = np.stack([offset[named], offset[named + 1]], axis=1)
    slow_spans = np.stack([slow_offset[:-1], slow_offset[1:]], axis=1) + len(text)
    slow_entity = np.array([term for term, _ in slow], dtype=np.int32)
    return _OwnNames(
        kinds, np.concatenate([named.astype(np.int32), slow_entity]), np.concatenate([text, slow_text]),
        np.concatenate([spans, slow_spans]),
    )  # fmt: skip


def _cut_text(text: Bytes, spans: Int64) -> tuple[Bytes, Int64]:
    # Spans are turned into rows of an offset table whose odd rows are gaps, so that `gather_text` serves here too.
    return gather_text(text, spans.reshape(-1), 2 * np.arange(len(spans), dtype=np.int64))
