"""Changing a built graph triple by triple: each edit is one synced line of the log and takes effect at once.

Names are ids or labels; a name that the graph does not know becomes an entity or relation of that name when a triple is
added.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from kg_reason.errors import ConfigError, GraphError, UnknownEntityError
from kg_reason.kg.builder import label_kinds
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.overlay import ADD, REMOVE, UNDO, Edit
from kg_reason.kg.storage import EDITS_FILE
from kg_reason.kg.triples import literal_key, literal_parts
from kg_reason.terminal import is_unicode


def edit_graph(folder: Path, operation: str, head: str, relation: str, tail: str) -> Edit:
    """Add or remove one triple of a graph folder.

    Args:
        folder: the graph.
        operation: `add` or `remove`.
        head: id or label of an entity.
        relation: id or readable name of a relation.
        tail: id or label of an entity, or a label's text where the relation is a label relation.

    Returns:
        The edit as logged, with the keys the names were resolved to.

    Raises:
        UnknownEntityError: a name fits several entities, or the triple to remove is not in the graph.
        GraphError: the triple to add is there already.
        ConfigError: head, relation or tail is empty, or no Unicode text.
    """
    for part, name in (("head", head), ("relation", relation), ("tail", tail)):
        if not name.strip():
            raise ConfigError(f"{part}: found no text, expected an id or a label")
        if not is_unicode(name):
            raise ConfigError(f"{part}: found half of a surrogate pair, expected Unicode text")
    graph = KnowledgeGraph.open(folder)
    relation_key = _relation_key(graph, relation, operation)
    is_label = relation_key in label_kinds(())
    head_key = _entity_key(graph, head, operation)
    if is_label:
        tail_key = _label_key(graph, head_key, tail, operation)
    else:
        tail_key = _entity_key(graph, tail, operation)
        present = _has_edge(graph, head_key, relation_key, tail_key)
        if operation == ADD and present:
            raise GraphError(f"{folder}: the graph already states {head_key} {relation_key} {tail_key}")
        if operation == REMOVE and not present:
            fault = f"the graph does not state {head_key} {relation_key} {tail_key}"
            raise UnknownEntityError(fault + _inferred_from(graph, head_key, relation_key, tail_key))
    record = {"op": operation, "head": head_key, "relation": relation_key, "tail": tail_key}
    line, time = _append(folder, record)
    return Edit(line, operation, head_key, relation_key, tail_key, time)


def undo_edit(folder: Path) -> Edit:
    """Take back the last edit that stands, and return it.

    Raises:
        GraphError: there is none.
    """
    edits = KnowledgeGraph.open(folder).overlay.edits
    if not edits:
        raise GraphError(f"{folder}: no edit to undo")
    _append(folder, {"op": UNDO, "line": edits[-1].line})
    return edits[-1]


def _append(folder: Path, record: Mapping[str, object]) -> tuple[int, str]:
    """Write a line of the log and return its number and its time."""
    path = folder / EDITS_FILE
    time = datetime.now(UTC).isoformat(timespec="seconds")
    line = (json.dumps({**record, "time": time}, ensure_ascii=False) + "\n").encode()
    with path.open("ab") as stream:
        start = stream.tell()
        try:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        except OSError:
            os.truncate(path, start)
            raise
    return path.read_bytes().count(b"\n"), time


def _entity_key(graph: KnowledgeGraph, name: str, operation: str) -> str:
    found = graph.find_entities(name)
    if not found and operation == ADD:
        return name
    return graph.entity_id(graph.entity(name))


def _label_key(graph: KnowledgeGraph, head: str, label: str, operation: str) -> str:
    """Return the literal that a label is; to remove it, the language may be left out."""
    wanted = literal_parts(label)
    if operation == ADD:
        return literal_key(wanted.text, wanted.language)
    for alias in graph.aliases(graph.entity(head)):
        if alias.kind != "own" and alias.text == wanted.text and wanted.language in ("", alias.language):
            return literal_key(alias.text, alias.language)
    raise UnknownEntityError(f"{head} has no label {label!r}")


def _relation_key(graph: KnowledgeGraph, name: str, operation: str) -> str:
    if name in label_kinds(()):
        return name
    try:
        return graph.relation_id(graph.relation(name))
    except UnknownEntityError:
        if operation == ADD:
            return name
        raise


def _inferred_from(graph: KnowledgeGraph, head: str, relation: str, tail: str) -> str:
    """Return what to remove for a triple that is inferred to go; empty where it is not."""
    number = graph.relation(relation)
    edge = graph.inferences.find(graph.entity(head), number, graph.entity(tail))
    sources = ", ".join(map(str, graph.edge_sources(edge))) if edge >= 0 else ""
    return f": it is inferred from {sources}, of which one would have to be removed" if sources else ""


def _has_edge(graph: KnowledgeGraph, head: str, relation: str, tail: str) -> bool:
    heads, tails = graph.find_entities(head), graph.find_entities(tail)
    if not heads or not tails:
        return False
    row = range(int(graph.out_start[heads[0]]), int(graph.out_end[heads[0]]))
    return any(
        graph.edge_tail[edge] == tails[0] and graph.relation_id(int(graph.edge_relation[edge])) == relation
        for edge in row
    )
