"""Changing a built graph triple by triple: each edit is one synced line of the log and takes effect at once.

Names are ids or labels; a name that the graph does not know becomes an entity or relation of that name when a triple is
added.
"""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

from kg_reason.errors import ConfigError, GraphError, UnknownEntityError
from kg_reason.kg.alias_kinds import label_kinds
from kg_reason.kg.builder import label_kind
from kg_reason.kg.edit_log import ADD, REMOVE, TRIPLE_FIELDS, UNDO, Edit, append_record, read_log
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.storage import edit_lock
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
        GraphError: the triple to add is there already, or another process does not stop changing the graph.
        ConfigError: head, relation or tail is empty, or no Unicode text.
    """
    for part, name in (("head", head), ("relation", relation), ("tail", tail)):
        if not name.strip():
            raise ConfigError(f"{part}: found no text, expected an id or a label")
        if not is_unicode(name):
            raise ConfigError(f"{part}: found half of a surrogate pair, expected Unicode text")
    with edit_lock(folder):
        log = read_log(folder)
        keys = _resolved(KnowledgeGraph.open(folder), operation, head, relation, tail)
        line, time = append_record(folder, log, {"op": operation, **dict(zip(TRIPLE_FIELDS, keys, strict=True))})
    return Edit(line, operation, *keys, time)


def undo_edit(folder: Path) -> Edit:
    """Take back the last edit that stands, and return it.

    Raises:
        GraphError: there is none, or another process does not stop changing the graph.
    """
    with edit_lock(folder):
        log = read_log(folder)
        if not log.edits:
            raise GraphError(f"{folder}: no edit to undo")
        append_record(folder, log, {"op": UNDO, "line": log.edits[-1].line})
    return log.edits[-1]


def _resolved(graph: KnowledgeGraph, operation: str, head: str, relation: str, tail: str) -> tuple[str, str, str]:
    """Return the keys of a triple that can be added or removed."""
    relation_key = _relation_key(graph, relation, operation)
    head_key = _entity_key(graph, head, operation)
    if _gives_labels(graph, relation_key):
        return head_key, relation_key, _label_key(graph, head_key, tail, operation)
    tail_key = _entity_key(graph, tail, operation)
    present = _has_edge(graph, head_key, relation_key, tail_key)
    if operation == ADD and present:
        raise GraphError(f"{graph.path}: the graph already states {head_key} {relation_key} {tail_key}")
    if operation == REMOVE and not present:
        fault = f"the graph does not state {head_key} {relation_key} {tail_key}"
        raise UnknownEntityError(fault + _inferred_from(graph, head_key, relation_key, tail_key))
    return head_key, relation_key, tail_key


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
        is_same = normalize("NFC", alias.text) == normalize("NFC", wanted.text)
        if alias.kind != "own" and is_same and wanted.language in ("", alias.language):
            return literal_key(alias.text, alias.language)
    raise UnknownEntityError(f"{head} has no label {label!r}")


def _relation_key(graph: KnowledgeGraph, name: str, operation: str) -> str:
    if _gives_labels(graph, name):
        return name
    try:
        return graph.relation_id(graph.relation(name))
    except UnknownEntityError:
        if operation == ADD:
            return name
        raise


def _gives_labels(graph: KnowledgeGraph, relation: str) -> bool:
    return label_kind(relation, label_kinds(graph.built.header["label_relations"])) >= 0


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
