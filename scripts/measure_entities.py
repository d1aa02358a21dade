"""How often the linker finds the names in a text and chooses the entity that a reader chose, beside the best connected.

    python scripts/measure_entities.py FILE.jsonl... --codex CODEX_M CODEX_S

The graph is made in memory from folders of CoDEx, a part of Wikidata: `entities.tsv` with id and label of each entity,
and triples of ids (`*_ids.tsv`) or of labels (`train.tsv`, `valid.tsv`, `test.tsv`; a label of several entities is left
out). A line of FILE has `text` and `mentions` with `start`, `end` and `entity_id`, empty for an entity without an id.
Counted are the mentions whose entity has a label in the graph; of any other, the linker should say nothing, which the
precision shows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kg_reason.config import LinkerConfig
from kg_reason.errors import GraphError, InputSyntaxError, KGReasonError
from kg_reason.evaluation import wilson
from kg_reason.flags import add_settings, settings_from
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.triples import Source, Triple

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Annotation:
    """A name in a text: its place, and the id of the entity meant, empty where it has none."""

    start: int
    end: int
    entity: str


@dataclass(frozen=True)
class Outcome:
    """What the linker made of one annotated name.

    Attributes:
        in_graph: the entity meant has a label in the graph.
        found: a mention with candidates has exactly its place.
        kept: the entity meant is among the candidates.
        chosen: it is the best of them.
        best_connected: it has the most edges of the entities that are called so; ties by id.
        num_candidates: of the mention at its place.
    """

    in_graph: bool
    found: bool
    kept: bool
    chosen: bool
    best_connected: bool
    num_candidates: int


def codex_triples(folders: Sequence[Path]) -> Iterator[Triple]:
    """Yield labels and edges of CoDEx folders as triples of ids; what several folders say is yielded once.

    Raises:
        GraphError: a folder holds no entities.tsv.
        InputSyntaxError: a row has too few fields.
    """
    names: dict[str, str] = {}
    seen: set[tuple[str, str, str]] = set()
    for folder in folders:
        path = folder / "entities.tsv"
        if not path.is_file():
            raise GraphError(f"{path}: no such file; expected a folder of CoDEx")
        for line, fields in _rows(path, 2):
            if fields[0] not in names:
                names[fields[0]] = fields[1]
                yield Triple(fields[0], LABEL, fields[1], Source(str(path), line), language="en")
    ids: dict[str, list[str]] = {}
    for entity, label in names.items():
        ids.setdefault(label, []).append(entity)
    for folder in folders:
        relations = {fields[1]: fields[0] for _, fields in _rows(folder / "relations.tsv", 2)}
        for part in PARTS:
            by_ids = folder / f"{part}_ids.tsv"
            path = by_ids if by_ids.is_file() else folder / f"{part}.tsv"
            for line, (head, relation, tail) in _rows(path, 3):
                if path != by_ids:
                    heads, tails = ids.get(head, []), ids.get(tail, [])
                    if len(heads) != 1 or len(tails) != 1 or relation not in relations:
                        continue
                    head, relation, tail = heads[0], relations[relation], tails[0]
                if (head, relation, tail) not in seen:
                    seen.add((head, relation, tail))
                    yield Triple(head, relation, tail, Source(str(path), line))


def _rows(path: Path, num_fields: int) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and the first fields of each line.

    Raises:
        InputSyntaxError: a line has too few.
    """
    for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = text.split("\t")
        if len(fields) < num_fields:
            raise InputSyntaxError(str(path), line, f"expected {num_fields} tab-separated fields, found {len(fields)}")
        yield line, fields[:num_fields]


def read_annotations(path: Path) -> list[tuple[str, tuple[Annotation, ...]]]:
    """Return the texts of a file with the names annotated in each; names inside another name are left out.

    Raises:
        InputSyntaxError: a line is not as described above.
    """
    texts = []
    for line, content in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(content)
            outer = [item for item in row["mentions"] if item.get("parent") is None]
            names = tuple(Annotation(item["start"], item["end"], item["entity_id"] or "") for item in outer)
            texts.append((row["text"], names))
        except (ValueError, KeyError, TypeError) as error:
            fault = f"expected text and mentions with start, end and entity_id: {error!r}"
            raise InputSyntaxError(str(path), line, fault) from error
    return texts


def num_edges(graph: KnowledgeGraph, entity: int) -> int:
    """Return how many edges an entity has."""
    return len(graph.edges_of(entity))


def judge(texts: Iterable[tuple[str, tuple[Annotation, ...]]], linker: EntityLinker) -> list[Outcome]:
    """Return what the linker makes of each annotated name."""
    graph = linker.graph
    outcomes = []
    for text, names in texts:
        found = {(mention.start, mention.end): mention.candidates for mention in linker.link(text)}
        for name in names:
            entity = graph.find_id(name.entity) if name.entity else -1
            candidates = [candidate.entity for candidate in found.get((name.start, name.end), ())]
            called = graph.find_entities(text[name.start : name.end])
            popular = sorted(called, key=lambda each: (-num_edges(graph, each), graph.entity_id(each)))
            outcomes.append(
                Outcome(
                    in_graph=entity >= 0,
                    found=bool(candidates),
                    kept=entity in candidates,
                    chosen=entity in candidates[:1],
                    best_connected=entity in popular[:1],
                    num_candidates=len(candidates),
                )
            )
    return outcomes


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the rows of a Markdown table: counts and shares with their Wilson intervals."""
    inside = [outcome for outcome in outcomes if outcome.in_graph]
    found = [outcome for outcome in inside if outcome.found]
    several = [outcome for outcome in found if outcome.num_candidates > 1]
    linked = [outcome for outcome in outcomes if outcome.found]
    lines = [
        ("annotated names whose entity is in the graph", len(inside), len(outcomes)),
        ("of these: a mention with this place", len(found), len(inside)),
        ("of these: the right entity is a candidate", sum(each.kept for each in inside), len(inside)),
        ("of these: the right entity is chosen", sum(each.chosen for each in inside), len(inside)),
        ("of these: best connected of that label is right", sum(each.best_connected for each in inside), len(inside)),
        ("several candidates: the right one is chosen", sum(each.chosen for each in several), len(several)),
        ("several candidates: best connected is right", sum(each.best_connected for each in several), len(several)),
        ("precision: linked names that are right", sum(each.chosen for each in linked), len(linked)),
    ]
    rows = ["| | of | share | 95 % |", "|---|---:|---:|---:|"]
    for name, count, total in lines:
        low, high = wilson(count, total)
        interval = f"{100 * low:.1f} - {100 * high:.1f}"
        rows.append(f"| {name} | {count:,} of {total:,} | {count / max(1, total):.1%} | {interval} |")
    return rows


def main() -> None:
    """Measure each file and print a table for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="JSON Lines of text and mentions")
    parser.add_argument("--codex", type=Path, nargs="+", required=True, help="folders of CoDEx")
    add_settings(parser, LinkerConfig, "linking")
    options = parser.parse_args()
    try:
        config = settings_from(options, LinkerConfig)
        graph = KnowledgeGraph.from_triples(codex_triples(options.codex))
        linker = EntityLinker(graph, config)
        print(f"graph: {graph.num_entities:,} entities, {graph.num_edges:,} edges, {graph.num_aliases:,} labels")
        for path in options.files:
            print(f"\n{path.parent.name}/{path.name}\n")
            print("\n".join(table(judge(read_annotations(path), linker))))
    except KGReasonError as error:
        raise SystemExit(f"measure_entities: {error}") from error


if __name__ == "__main__":
    main()
