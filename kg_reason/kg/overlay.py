"""Edits that lie over a built graph: added and removed triples, and the arrays as they are with them.

The built arrays are never changed. Rows of entities that an edit touches are written anew behind the stored edges, so
readers and compiled search see one graph. Each edit is a line of `edits.jsonl`, and that line is the source that
explanations show. The log is `edit_log.py`, making edits is `editing.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.alias_kinds import KIND_PRIOR, OWN, PREFERRED, label_kinds
from kg_reason.kg.builder import BuiltGraph, label_kind
from kg_reason.kg.edit_log import ADD, REMOVE, Edit
from kg_reason.kg.label_index import LabelIndex, build_label_index
from kg_reason.kg.names import BLANK, LITERAL, TEXT, readable_name, term_kind
from kg_reason.kg.relation_walk import BOTH_WAYS, FORWARD, ONE_OF_TWO, SKIP
from kg_reason.kg.search import TWIN_MISSING
from kg_reason.kg.stored_arrays import Arrays
from kg_reason.kg.terms import TermTable
from kg_reason.kg.triples import literal_parts, term_text


@dataclass
class Overlay:
    """The graph's arrays with its edits, and what the edits added.

    Attributes:
        arrays: as in `graph.py`, with out_start, out_end, in_start, in_end [num_entities] for the rows.
        slot_origin: for each edge slot behind the stored edges: the stored edge it repeats, or the log line that
            added it (then the edge is -1); a line of 0 means a repeated edge.
        removed: the stored edges that are gone.
        added: the triples that are new.
        entities: keys of added entities, ids behind the stored ones; `entity_number` is its inverse.
    """

    arrays: Arrays
    edits: tuple[Edit, ...]
    fingerprint: str
    base_fingerprint: str
    relations: tuple[str, ...]
    languages: tuple[str, ...]
    num_edges: int
    label_index: LabelIndex
    removed: frozenset[int] = frozenset()
    added: tuple[tuple[int, int, int], ...] = ()
    entities: list[str] = field(default_factory=list)
    entity_number: dict[str, int] = field(default_factory=dict)
    slot_origin: list[tuple[int, int]] = field(default_factory=list)
    alias_texts: list[str] = field(default_factory=list)
    alias_rows_of: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    def alias_rows(self, entity: int) -> NDArray[np.int64]:
        """Return the alias numbers of an entity, int64 [num_aliases of it]."""
        if entity in self.alias_rows_of:
            return self.alias_rows_of[entity]
        offset = self.arrays["alias_offset"]
        if entity + 1 >= len(offset):
            return np.empty(0, dtype=np.int64)
        return np.arange(offset[entity], offset[entity + 1], dtype=np.int64)


def apply_edits(built: BuiltGraph, edits: Sequence[Edit]) -> Overlay:
    """Return the arrays of a graph with its edits laid over them."""
    header = built.header
    arrays = dict(built.arrays)
    arrays["out_start"], arrays["out_end"] = arrays["out_offset"][:-1], arrays["out_offset"][1:]
    arrays["in_start"], arrays["in_end"] = arrays["in_offset"][:-1], arrays["in_offset"][1:]
    overlay = Overlay(
        arrays=arrays,
        edits=tuple(edits),
        fingerprint=header["fingerprint"],
        base_fingerprint=header["fingerprint"],
        relations=tuple(header["relations"]),
        languages=tuple(header["languages"]),
        num_edges=header["num_edges"],
        label_index=build_label_index([], [], np.empty(0, dtype=np.int32)),
    )
    if edits:
        _Patch(built, overlay).run()
    return overlay


class _Patch:
    """Works the edits of a graph into its overlay."""

    def __init__(self, built: BuiltGraph, overlay: Overlay) -> None:
        arrays = overlay.arrays
        self.overlay = overlay
        self.table = TermTable(arrays["entity_text"], arrays["entity_offset"], arrays["entity_slot"])
        self.relations = list(overlay.relations)
        self.languages = list(overlay.languages)
        self.removed: set[int] = set()
        self.added: dict[tuple[int, int, int], int] = {}
        self.removed_aliases: set[int] = set()
        self.added_aliases: list[tuple[int, str, str, int, int]] = []  # entity, text, language, kind, log line
        self.num_stored = len(arrays["edge_head"])
        self.edits_file = len(built.header["sources"])
        self.label_kinds = label_kinds(built.header["label_relations"])

    def run(self) -> None:
        for edit in self.overlay.edits:
            kind = label_kind(edit.relation, self.label_kinds)
            if kind >= 0 and term_kind(edit.tail) != BLANK:
                self._edit_alias(edit, kind)
            else:
                self._edit_edge(edit)
        self._patch_edges()
        self._patch_aliases()
        self.overlay.removed, self.overlay.added = frozenset(self.removed), tuple(self.added)
        digest = hashlib.sha256(self.overlay.fingerprint.encode())
        for edit in self.overlay.edits:
            digest.update(repr((edit.op, edit.head, edit.relation, edit.tail)).encode())
        self.overlay.fingerprint = digest.hexdigest()[:16]
        self.overlay.relations, self.overlay.languages = tuple(self.relations), tuple(self.languages)

    def _entity(self, key: str) -> int:
        entity = self.table.find(key)
        if entity >= 0:
            return entity
        number = self.overlay.entity_number.setdefault(key, len(self.table) + len(self.overlay.entities))
        if number == len(self.table) + len(self.overlay.entities):
            self.overlay.entities.append(key)
        return number

    def _relation(self, key: str) -> int:
        if key not in self.relations:
            self.relations.append(key)
        return self.relations.index(key)

    def _stored_edge(self, head: int, relation: int, tail: int) -> int:
        arrays = self.overlay.arrays
        if head >= len(arrays["out_start"]):
            return -1
        start, end = int(arrays["out_start"][head]), int(arrays["out_end"][head])
        same = (arrays["edge_relation"][start:end] == relation) & (arrays["edge_tail"][start:end] == tail)
        places = np.flatnonzero(same)
        return start + int(places[0]) if len(places) else -1

    def _edit_edge(self, edit: Edit) -> None:
        triple = (self._entity(edit.head), self._relation(edit.relation), self._entity(edit.tail))
        stored = self._stored_edge(*triple)
        if edit.op == REMOVE:
            self.added.pop(triple, None)
            if stored >= 0:
                self.removed.add(stored)
        elif stored >= 0:
            self.removed.discard(stored)
        else:
            self.added[triple] = edit.line

    def _edit_alias(self, edit: Edit, kind: int) -> None:
        entity, text, language = self._entity(edit.head), term_text(edit.tail), literal_parts(edit.tail).language
        self.added_aliases = [row for row in self.added_aliases if row[:3] != (entity, text, language)]
        if edit.op == ADD:
            self.added_aliases.append((entity, text, language, kind, edit.line))
        stored = self._stored_alias(entity, text, language)
        if stored >= 0:
            if edit.op == REMOVE:
                self.removed_aliases.add(stored)
            else:
                self.removed_aliases.discard(stored)
                self.added_aliases.pop()

    def _stored_alias(self, entity: int, text: str, language: str) -> int:
        arrays = self.overlay.arrays
        offset = arrays["alias_text_offset"]
        for alias in self.overlay.alias_rows(entity):
            stored = arrays["alias_text"][offset[alias] : offset[alias + 1]].tobytes().decode()
            tag = self.languages[arrays["alias_language"][alias]]
            if stored == text and tag == language and arrays["alias_kind"][alias] != OWN:
                return int(alias)
        return -1

    def _patch_edges(self) -> None:
        arrays, overlay = self.overlay.arrays, self.overlay
        num_new = len(overlay.entities)
        for name in ("out_start", "out_end", "in_start", "in_end"):
            arrays[name] = np.concatenate([arrays[name], np.zeros(num_new, dtype=np.int64)])
        heads = {int(arrays["edge_head"][edge]) for edge in self.removed} | {triple[0] for triple in self.added}
        slots: list[tuple[int, int, int, float]] = []
        moved: dict[int, int] = {}  # stored edge -> slot
        arriving: dict[int, list[int]] = {}  # tail -> slots of added edges
        for head in sorted(heads):
            stored = range(int(arrays["out_start"][head]), int(arrays["out_end"][head]))
            row = [
                (int(arrays["edge_relation"][edge]), int(arrays["edge_tail"][edge]), edge, 0)
                for edge in stored
                if edge not in self.removed
            ]
            row += [(triple[1], triple[2], -1, line) for triple, line in self.added.items() if triple[0] == head]
            arrays["out_start"][head] = self.num_stored + len(slots)
            for relation, tail, edge, line in sorted(row):
                slot = self.num_stored + len(slots)
                weight = 1.0 if line else float(arrays["edge_weight"][edge])
                slots.append((head, relation, tail, weight))
                overlay.slot_origin.append((edge, line))
                if line:
                    arriving.setdefault(tail, []).append(slot)
                else:
                    moved[edge] = slot
            arrays["out_end"][head] = self.num_stored + len(slots)
        self._patch_in_rows(moved, arriving)
        columns = zip(*slots, strict=True) if slots else ((), (), (), ())
        for name, column in zip(("edge_head", "edge_relation", "edge_tail", "edge_weight"), columns, strict=True):
            arrays[name] = np.concatenate([arrays[name], np.array(column, dtype=arrays[name].dtype)])
        overlay.num_edges += len(self.added) - len(self.removed)
        self._patch_walk()

    def _patch_in_rows(self, moved: dict[int, int], arriving: dict[int, list[int]]) -> None:
        arrays = self.overlay.arrays
        changed = {int(arrays["edge_tail"][edge]) for edge in [*moved, *self.removed]} | set(arriving)
        rows: list[int] = []
        place = len(arrays["in_edge"])
        for tail in sorted(changed):
            stored = arrays["in_edge"][arrays["in_start"][tail] : arrays["in_end"][tail]].tolist()
            row = [moved.get(edge, edge) for edge in stored if edge not in self.removed] + arriving.get(tail, [])
            arrays["in_start"][tail], arrays["in_end"][tail] = place, place + len(row)
            rows += row
            place += len(row)
        arrays["in_edge"] = np.concatenate([arrays["in_edge"], np.array(rows, dtype=np.int32)])

    def _patch_walk(self) -> None:
        walk = self.overlay.arrays["relation_walk"]
        walk = np.concatenate([walk, np.full(len(self.relations) - len(walk), BOTH_WAYS, dtype=np.uint8)])
        stored = self.overlay.arrays["edge_relation"]
        for relation in {triple[1] for triple in self.added} | {int(stored[edge]) for edge in self.removed}:
            walk[relation] = {SKIP: TWIN_MISSING, FORWARD: ONE_OF_TWO}.get(int(walk[relation]), walk[relation])
        self.overlay.arrays["relation_walk"] = walk

    def _patch_aliases(self) -> None:
        arrays, overlay = self.overlay.arrays, self.overlay
        named = {row[0] for row in self.added_aliases}
        preferred = {row[0] for row in self.added_aliases if row[3] == PREFERRED}
        own: list[tuple[int, str, str, int, int]] = []
        for number, key in enumerate(overlay.entities, start=len(self.table)):
            kind = term_kind(key)
            if kind != BLANK and number not in (preferred if kind == TEXT else named):
                first = next(edit.line for edit in overlay.edits if key in (edit.head, edit.tail))
                own.append((number, readable_name(key), literal_parts(key).language, OWN, first))
        self.added_aliases = own + self.added_aliases
        for language in sorted({row[2] for row in self.added_aliases} - set(self.languages)):
            self.languages.append(language)
        first_alias = len(arrays["alias_entity"])
        rows = self.added_aliases
        keys = [self._key(row[0]) for row in rows]
        columns = {
            "alias_entity": [row[0] for row in rows],
            "alias_kind": [row[3] for row in rows],
            "alias_prior": [KIND_PRIOR[row[3]] for row in rows],
            "alias_pos": [0] * len(rows),
            "alias_language": [self.languages.index(row[2]) for row in rows],
            "alias_file": [self.edits_file] * len(rows),
            "alias_line": [row[4] for row in rows],
            "alias_is_value": [term_kind(key) == LITERAL for key in keys],
        }
        for name, column in columns.items():
            arrays[name] = np.concatenate([arrays[name], np.array(column, dtype=arrays[name].dtype)])
        overlay.alias_texts = [row[1] for row in rows]
        gone = np.array(sorted(self.removed_aliases), dtype=np.int64)
        touched = {row[0] for row in rows} | {int(entity) for entity in arrays["alias_entity"][gone]}
        for entity in touched:
            kept = [alias for alias in overlay.alias_rows(entity).tolist() if alias not in self.removed_aliases]
            fresh = [first_alias + number for number, row in enumerate(rows) if row[0] == entity]
            overlay.alias_rows_of[entity] = np.array(kept + fresh, dtype=np.int64)
        arrays["alias_entity"][gone] = -1
        ids = np.arange(first_alias, first_alias + len(rows), dtype=np.int32)
        overlay.label_index = build_label_index(overlay.alias_texts, [row[2] for row in rows], ids)

    def _key(self, entity: int) -> str:
        return self.table.key(entity) if entity < len(self.table) else self.overlay.entities[entity - len(self.table)]
