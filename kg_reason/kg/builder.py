"""Building a graph: blocks of triples in, the finished arrays out, and the folder written all or nothing.

The arrays are documented where they are read, in `graph.py`. Entity ids depend on the set of terms only, so the order
of lines and files changes no result; the sources of an edge keep the order of reading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.kg.alias_arrays import add_alias_arrays, join_texts
from kg_reason.kg.alias_kinds import KIND_PRIOR, AliasRows, label_kinds
from kg_reason.kg.closure import InferredRows, infer_edges
from kg_reason.kg.counting import counted_order, row_offsets
from kg_reason.kg.grouping import grouped_rows, is_first
from kg_reason.kg.inferences import add_inferred
from kg_reason.kg.label_index import index_labels
from kg_reason.kg.label_texts import wanted_languages
from kg_reason.kg.names import readable_relation
from kg_reason.kg.ontology import EdgeRows
from kg_reason.kg.qualifiers import QualifierSets, qualifier_content
from kg_reason.kg.qualifying import qualify
from kg_reason.kg.relation_walk import relation_walk
from kg_reason.kg.settling import settle, used_terms
from kg_reason.kg.stored_arrays import Arrays
from kg_reason.kg.terms import Int32, Int64, TermInterner
from kg_reason.kg.triples import TripleBlock, literal_key, literal_parts, select_rows
from kg_reason.kg.words import primary_language

FORMAT_VERSION = 2  # of the folder; since 2 its header has a checksum and tells the types of the arrays
CONTENT_VERSION = 1  # of what the arrays mean: the fingerprint depends on it

_TAIL_BITS = 31  # of a key by which edges are sorted; the relation is above them


def label_kind(relation: str, kinds: Mapping[str, int]) -> int:
    """Return the kind of label that a relation gives by its id or readable name; -1 where its edges are no labels."""
    return kinds.get(relation, kinds.get(readable_relation(relation), -1))


@dataclass
class BuiltGraph:
    """What a graph consists of: plain data for graph.json, and arrays by name.

    Attributes:
        is_checked: whether the arrays are known to be as they were built (`storage.check_arrays`).
    """

    header: dict[str, Any]
    arrays: Arrays
    is_checked: bool = True


class _Rows:
    """Columns of rows that arrive block by block; each in one piece, for many small ones leave holes in memory."""

    def __init__(self, **types: type) -> None:
        self._num_rows = 0
        self._columns: dict[str, NDArray[Any]] = {name: np.empty(0, dtype=kind) for name, kind in types.items()}

    def add(self, **columns: NDArray[Any]) -> None:
        start = self._num_rows
        self._num_rows += len(next(iter(columns.values())))
        for name, column in columns.items():
            if self._num_rows > len(self._columns[name]):
                grown = np.empty(self._num_rows + self._num_rows // 2, dtype=self._columns[name].dtype)
                grown[:start] = self._columns[name][:start]
                self._columns[name] = grown
            self._columns[name][start : self._num_rows] = column

    def take(self, name: str) -> NDArray[Any]:
        """Return one column and forget it."""
        return self._columns.pop(name)[: self._num_rows]

    def put(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take columns back, changed."""
        self._columns = dict(columns)
        self._num_rows = len(next(iter(columns.values())))


class GraphBuilder:
    """Collects blocks of triples and makes the arrays of a graph.

    `num_rows` counts the triples taken in, `num_light` and `num_foreign` the edges and labels left out of them because
    of their weight and their language.
    """

    def __init__(self, config: BuildConfig) -> None:
        self.num_rows = 0
        self.prefixes: dict[str, str] = {}  # declared in the files
        self._config = config
        self.num_light = 0
        self.num_foreign = 0
        self._min_weight = config.min_weight
        self._languages = wanted_languages(config.languages)
        self._is_wanted: list[bool] = []  # by text id
        self._label_relations = list(config.label_relations)
        self._kind_of = label_kinds(config.label_relations)
        self._entities = TermInterner()
        self._relations = TermInterner()
        self._texts = TermInterner()
        self._qualifier_sets = QualifierSets()
        self._qualified: list[tuple[int, NDArray[np.int32]]] = []  # first edge of a block, the sets of its edges
        self._num_edges = 0
        self._label_kinds: list[int] = []  # by relation id; -1 = not a label
        self._inferred: InferredRows | None = None
        self._edges = _Rows(
            head=np.int32, relation=np.int32, tail=np.int32, weight=np.float32, file=np.int32, line=np.int64
        )
        self._aliases = _Rows(
            entity=np.int32, kind=np.uint8, text=np.int32, prior=np.float32, pos=np.uint8, file=np.int32, line=np.int64
        )

    def add(self, block: TripleBlock, *, delimited: bool) -> None:
        """Take in one block; `delimited`: its cells are texts, so every tail of a label relation is a label."""
        self.num_rows += len(block.line)
        relations = self._relations.intern(block.buffer, block.relation)
        while len(self._label_kinds) < self._relations.num_terms:
            key = self._relations.key(len(self._label_kinds))
            self._label_kinds.append(label_kind(key, self._kind_of))
        kinds = np.array(self._label_kinds, dtype=np.int16)[relations]
        is_label = kinds >= 0
        if not delimited and is_label.any():
            is_label &= block.buffer[block.tail[:, 0]] == ord('"')
        if self._min_weight > 0 and block.columns is not None:
            rows = np.flatnonzero(is_label | ~(block.columns.weight < self._min_weight))  # NaN: none given, so it stays
            self.num_light += len(block) - len(rows)
            block, relations, is_label, kinds = select_rows(block, rows), relations[rows], is_label[rows], kinds[rows]
        heads = self._entities.intern(block.buffer, block.head)
        edge = ~is_label
        tails = self._entities.intern(block.buffer, block.tail[edge])
        weight = np.ones(len(relations), np.float32)
        if block.columns is not None:
            weight = np.where(np.isnan(block.columns.weight), np.float32(1), block.columns.weight)
        file = np.full(len(relations), block.file, dtype=np.int32)
        if block.qualifiers is not None:
            sets = self._qualifier_sets.intern(block.buffer, block.qualifiers[edge])
            self._qualified.append((self._num_edges, sets))
        self._num_edges += len(tails)
        self._edges.add(
            head=heads[edge], relation=relations[edge], tail=tails, weight=weight[edge], file=file[edge],
            line=block.line[edge],
        )
        if is_label.any():
            self._add_aliases(block, np.flatnonzero(is_label), heads, kinds)

    def _add_aliases(self, block: TripleBlock, rows: Int64, heads: NDArray[Any], kinds: NDArray[Any]) -> None:
        prior = np.array(KIND_PRIOR, dtype=np.float32)[kinds[rows]]
        pos = np.zeros(len(rows), dtype=np.uint8)
        texts = self._texts.intern(block.buffer, block.tail[rows])
        columns = block.columns
        if columns is not None:
            rank = columns.rank[rows]
            given = columns.weight[rows]
            prior = np.where(rank > 0, 1.0 / np.maximum(rank, 1), prior)
            prior = np.where(np.isnan(given), prior, np.clip(given, 1e-6, 1.0)).astype(np.float32)
            pos = columns.pos[rows]
            languages = [columns.language[row] for row in rows.tolist()] if any(columns.language) else []
            tagged = [place for place, language in enumerate(languages) if language]
            if tagged:
                written = map(self._texts.key, texts[tagged].tolist())
                keys = [_in_language(key, languages[place]) for key, place in zip(written, tagged, strict=True)]
                texts[tagged] = self._texts.intern_keys(keys)
        if self._languages:
            kept = self._in_wanted_language(texts)
            self.num_foreign += len(kept) - int(kept.sum())
            rows, texts, prior, pos = rows[kept], texts[kept], prior[kept], pos[kept]
        self._aliases.add(
            entity=heads[rows], kind=kinds[rows], text=texts, prior=prior, pos=pos,
            file=np.full(len(rows), block.file, dtype=np.int32), line=block.line[rows],
        )

    def _in_wanted_language(self, texts: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Tell of each label whether it is in one of the languages to keep, or in none."""
        for text in range(len(self._is_wanted), self._texts.num_terms):
            language = literal_parts(self._texts.key(text)).language.lower()
            self._is_wanted.append(not language or bool({language, primary_language(language)} & self._languages))
        return np.array(self._is_wanted, dtype=bool)[texts]

    def finish(self, source_names: Sequence[str], arrays: Arrays | None = None) -> BuiltGraph:
        """Return the graph made of everything added; the builder is spent afterwards.

        Args:
            source_names: of the inputs.
            arrays: takes the arrays of the graph; None: memory. What is put in is asked for again later, not kept.
        """
        arrays = {} if arrays is None else arrays
        is_used, is_deprecated = self._settle(source_names)
        order = self._entities.canonical_order()
        order = order[is_used[order]]
        new_id = np.full(self._entities.num_terms, -1, dtype=np.int32)
        new_id[order] = np.arange(len(order))
        for name, array in self._entities.table(order)._asdict().items():
            arrays[f"entity_{name}"] = array
        self._entities = TermInterner()  # the sorting that follows needs the memory
        is_deprecated = is_deprecated[order]
        del order, is_used
        relation_keys = [self._relations.key(relation) for relation in range(self._relations.num_terms)]
        used = self._add_edge_arrays(arrays, new_id, relation_keys)
        aliases = AliasRows(*(self._aliases.take(name) for name in AliasRows._fields))
        aliases = aliases._replace(entity=new_id[aliases.entity])
        languages = add_alias_arrays(arrays, aliases, self._texts, is_deprecated)
        del aliases, new_id
        self._texts = TermInterner()
        _add_label_index(arrays, languages)
        header: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "num_entities": len(arrays["entity_offset"]) - 1,
            "num_edges": len(arrays["in_edge"]),
            "num_aliases": len(arrays["alias_entity"]),
            "relations": used,
            "languages": languages,
            "label_relations": self._label_relations,
            "sources": list(source_names),
            "prefixes": dict(sorted(self.prefixes.items())),
        }
        header["fingerprint"] = _fingerprint(header, arrays)
        return BuiltGraph(header, arrays)

    def _settle(self, source_names: Sequence[str]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Settle what the statements say about each other; return which terms are used, and which are deprecated."""
        columns = {name: self._edges.take(name) for name in EdgeRows._fields if name != "qualifiers"}
        edges = EdgeRows(**columns, qualifiers=self._qualifiers())
        aliases = AliasRows(*(self._aliases.take(name) for name in AliasRows._fields))
        edges, aliases = edges.in_file_order(), aliases.in_file_order()
        qualified = qualify(
            edges, self._qualifier_sets, self._config, entities=self._entities, relations=self._relations,
            source_names=source_names,
        )  # fmt: skip
        if qualified.gone.any():
            aliases = aliases.take(~qualified.gone[aliases.entity])
        settled = settle(
            qualified.rows, aliases, self._config, entities=self._entities, relations=self._relations,
            texts=self._texts,
        )  # fmt: skip
        if self._config.infer != "none":
            self._inferred = infer_edges(
                settled.edges, self._config, self._kind_of, entities=self._entities, relations=self._relations
            )
        is_used = settled.is_used
        if len(qualified.rows.head) != self._num_edges or qualified.gone.any():
            is_used = used_terms(settled.edges, settled.aliases, len(is_used))
        self._edges.put(settled.edges._asdict())
        self._aliases.put(settled.aliases._asdict())
        return is_used, settled.is_deprecated

    def _qualifiers(self) -> NDArray[np.int32]:
        """Return the number of each edge's set of qualifiers; empty where no edge has any."""
        qualifiers = np.zeros(self._num_edges if self._qualified else 0, dtype=np.int32)
        for first, sets in self._qualified:
            qualifiers[first : first + len(sets)] = sets
        return qualifiers

    def _add_qualifier_arrays(self, arrays: Arrays, order: Int32, weight: NDArray[np.float32]) -> None:
        """Add the qualifiers of the statements in the order of their edges, where there are any.

        A statement whose weight is not its edge's has it among its qualifiers.
        """
        sets = self._edges.take("qualifiers")
        if not len(sets) and len(arrays["edge_head"]) == len(order):
            return
        of_edge = np.repeat(arrays["edge_weight"], np.diff(arrays["edge_source"]))
        own_weight = np.where(weight == of_edge, np.float32(np.nan), weight)
        sets = sets[order] if len(sets) else np.zeros(len(order), dtype=np.int32)
        rows = np.flatnonzero((sets > 0) | ~np.isnan(own_weight))
        if len(rows):
            arrays["qualified_source"] = rows
            arrays["qualified_set"], texts = self._qualifier_sets.finished(sets[rows], own_weight[rows])
            arrays["qualifier_text"], arrays["qualifier_offset"] = join_texts(texts)

    def _add_edge_arrays(self, arrays: Arrays, new_id: NDArray[np.int32], relation_keys: list[str]) -> list[str]:
        relation = self._edges.take("relation")
        inferred = self._inferred
        numbers = relation if inferred is None else np.concatenate([relation, inferred.relation])
        used = sorted(relation_keys[number] for number in np.flatnonzero(np.bincount(numbers)).tolist())
        del numbers
        number_of = {key: number for number, key in enumerate(used)}
        renumber = np.array([number_of.get(key, -1) for key in relation_keys], dtype=np.int32)
        num_entities = len(arrays["entity_offset"]) - 1
        key = renumber.astype(np.int64)[relation]
        key <<= _TAIL_BITS
        key |= new_id[self._edges.take("tail")]
        order, key, offset = grouped_rows(new_id[self._edges.take("head")], key, num_entities)
        first = is_first(key, offset)
        start = np.flatnonzero(first)
        head = np.repeat(np.arange(num_entities, dtype=np.int32), np.diff(offset))[first]
        relation = (key >> _TAIL_BITS).astype(np.int32)[first]
        tail = (key & ((1 << _TAIL_BITS) - 1)).astype(np.int32)[first]
        del key, offset
        arrays["edge_head"], arrays["edge_relation"], arrays["edge_tail"] = head, relation, tail
        weight = self._edges.take("weight")[order]
        arrays["edge_weight"] = np.maximum.reduceat(weight, start) if len(start) else weight  # whatever the order
        arrays["edge_source"] = np.append(start, len(order))
        arrays["source_file"] = self._edges.take("file")[order]
        arrays["source_line"] = self._edges.take("line")[order]
        self._add_qualifier_arrays(arrays, order, weight)
        del start, weight
        arrays["out_offset"] = row_offsets(head, num_entities)
        arrays["in_edge"] = counted_order(tail, num_entities).astype(np.int32)
        arrays["in_offset"] = row_offsets(tail, num_entities)
        arrays["relation_walk"] = relation_walk(head, relation, tail, len(used))
        if inferred is not None and len(inferred.head):
            edge_of_row = np.empty(len(order), dtype=np.int64)
            edge_of_row[order] = np.cumsum(first) - 1
            ends = new_id[inferred.head], renumber[inferred.relation], new_id[inferred.tail]
            add_inferred(arrays, ends, inferred.premise_offset, inferred.premise, edge_of_row)
        return used


def _add_label_index(arrays: Arrays, languages: list[str]) -> None:
    # Best prior first in every node of the trie: aliases are handed over in that order.
    by_prior = np.argsort(-arrays["alias_prior"], kind="stable")
    index = index_labels(
        arrays["alias_text"], arrays["alias_text_offset"], by_prior, arrays["alias_language"], languages
    )
    for name, array in index._asdict().items():
        arrays[f"label_{name}"] = array


def _in_language(key: str, language: str) -> str:
    """Return the literal of a text in a language, whatever language it had."""
    if key.startswith('"'):
        return key[: key.rindex('"') + 1] + "@" + language
    return literal_key(key, language)


def _fingerprint(header: Mapping[str, Any], arrays: Arrays) -> str:
    digest = hashlib.sha256(repr([CONTENT_VERSION, header["relations"], header["languages"]]).encode())
    content = (
        "entity_text", "entity_offset", "edge_head", "edge_relation", "edge_tail", "edge_weight", "alias_entity",
        "alias_text", "alias_text_offset", "alias_kind", "alias_prior", "alias_pos", "alias_language",
    )
    for name in content:
        digest.update(np.ascontiguousarray(arrays[name]).data)
    for array in qualifier_content(arrays):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


def build_blocks(
    blocks: Iterable[tuple[TripleBlock, bool]], source_names: Sequence[str], config: BuildConfig
) -> BuiltGraph:
    """Build a graph from (block, delimited) pairs."""
    builder = GraphBuilder(config)
    for block, delimited in blocks:
        builder.add(block, delimited=delimited)
    return builder.finish(source_names)
