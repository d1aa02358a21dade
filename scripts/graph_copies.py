"""Copies of a graph that differ from it in one respect: more names, other relation names, moved or random relations.

A copy is written as tables and built like any graph, so that it is linked, searched and edited like any other. Which
copies a measurement needs is told in `make_test_pairs.py` and `measure.py`.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kg_reason import BuildConfig, KnowledgeGraph, build_graph
from kg_reason.kg.graph_facts import GraphStats
from kg_reason.kg.interchange import LABEL_RELATION_OF

ALT_LABEL = "http://www.w3.org/2004/02/skos/core#altLabel"
COLUMNS = ("head", "relation", "tail", "weight", "language", "pos")
SYNONYMS_OF_RELATIONS: Mapping[str, str] = {
    "hypernym": "is a sort of",
    "hyponym": "comprises the sort",
    "instance hypernym": "is a case of",
    "instance hyponym": "has as a case",
    "antonym": "contrary of",
    "part holonym": "component of",
    "part meronym": "has as a component",
    "member holonym": "belongs to the group",
    "member meronym": "group that includes",
    "substance holonym": "ingredient of",
    "substance meronym": "consists of",
    "similar to": "much the same as",
    "also see": "compare",
    "pertainym": "adjective about",
    "derivationally related form": "has the same root as",
    "attribute": "expresses a degree of",
    "entailment": "cannot happen without",
    "cause": "brings about",
    "verb group": "goes together with the verb",
}


class Name(NamedTuple):
    """A further label of an entity, given by its id; pos is n, v, a, r, or empty when not known."""

    entity: str
    text: str
    pos: str = ""


class Edge(NamedTuple):
    """A further edge, by ids."""

    head: str
    relation: str
    tail: str


def write_names(path: Path, names: Iterable[Name]) -> None:
    """Write labels as a table that `kg-reason build` reads beside the files of the graph they belong to."""
    rows = [(name.entity, ALT_LABEL, name.text, "1", "en", name.pos) for name in names]
    _write_rows(path, rows)


def copy_graph(
    graph: KnowledgeGraph,
    out: Path,
    *,
    tables: Sequence[Path] = (),
    edges: Iterable[Edge] = (),
    rename: Callable[[int], str] | None = None,
) -> GraphStats:
    """Build a copy of a graph, its edits worked in.

    Args:
        graph: without literals among its entities, which tables cannot tell from names.
        out: the graph folder to write.
        tables: further files to build in, such as those of `write_names`.
        edges: further edges.
        rename: the id of the relation that stands in place of one, by number; None: the same.

    Returns:
        The counts of the copy.
    """
    relations = [rename(number) if rename else graph.relation_id(number) for number in range(graph.num_relations)]
    ids = [graph.entity_id(entity) for entity in range(graph.num_entities)]
    with tempfile.TemporaryDirectory(prefix="kg_reason_") as folder:
        table = Path(folder) / "graph.tsv"
        live = graph.live_edges()
        columns = (graph.edge_head[live], graph.edge_relation[live], graph.edge_tail[live], graph.edge_weight[live])
        rows: list[tuple[str, ...]] = [
            (ids[head], relations[relation], ids[tail], f"{weight:.9g}", "", "")
            for head, relation, tail, weight in zip(*(column.tolist() for column in columns), strict=True)
        ]
        rows += [(*edge, "1", "", "") for edge in edges]
        for entity, key in enumerate(ids):
            rows += [
                (key, LABEL_RELATION_OF[alias.kind], alias.text, f"{alias.prior:.9g}", alias.language, alias.pos)
                for alias in graph.aliases(entity)
                if alias.kind in LABEL_RELATION_OF
            ]
        _write_rows(table, rows)
        return build_graph([table, *tables], out, BuildConfig(header="yes"))


def renamed(graph: KnowledgeGraph, names: Mapping[str, str] = SYNONYMS_OF_RELATIONS) -> Callable[[int], str]:
    """Return a renaming of relations to other words of the same meaning; relations without one keep their id."""

    def rename(number: int) -> str:
        return names.get(graph.relation_label(number), graph.relation_id(number))

    return rename


def deranged(graph: KnowledgeGraph, seed: int) -> Callable[[int], str]:
    """Return an exchange of all relations in which none keeps its place: one cycle through them in random order.

    Raises:
        ValueError: the graph has fewer than two relations.
    """
    order = list(range(graph.num_relations))
    if len(order) < 2:
        raise ValueError(f"found {len(order)} relations, expected two or more to exchange")
    random.Random(f"derange {seed}").shuffle(order)
    following = dict(zip(order, [*order[1:], order[0]], strict=True))
    return lambda number: graph.relation_id(following[number])


def random_edges(graph: KnowledgeGraph, num_edges: int, seed: int) -> list[Edge]:
    """Return random edges: two entities of the graph drawn evenly, the relation as often as the graph states it."""
    rng = np.random.default_rng(seed)
    ends = rng.integers(graph.num_entities, size=(2, num_edges))
    stated = graph.edge_relation[graph.live_edges()]
    chosen = stated[rng.integers(len(stated), size=num_edges)]
    ids = [graph.entity_id(entity) for entity in range(graph.num_entities)]
    names = [graph.relation_id(relation) for relation in range(graph.num_relations)]
    rows = zip(ends[0].tolist(), chosen.tolist(), ends[1].tolist(), strict=True)
    return [Edge(ids[head], names[relation], ids[tail]) for head, relation, tail in rows]


def _write_rows(path: Path, rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write("\t".join(COLUMNS) + "\n")
        stream.writelines("\t".join(row) + "\n" for row in rows)
