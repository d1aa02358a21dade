"""A local extract of a remote graph: what a SPARQL endpoint holds around the words of some sentences, as N-Triples.

The words are looked up as labels (`seed_labels.py`); from the entities found, edges are followed both ways, hop by
hop; then everything met gets its labels. An extract depends on the endpoint's content and the settings only, never on
the size of a batch (`endpoint_queries.py`). The files are read like any others by `building.py`, and a triple's source
is its line in them.

An entity with more edges in one direction than `max_edges_per_entity` keeps that many, so it is a hub for the path
search as well, and nothing is fetched beyond it that way. Blank nodes have no name that a second query could use: edges
to them are left out.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kg_reason.config import EndpointConfig
from kg_reason.kg.curies import OWL, RDF, RDFS, SKOS
from kg_reason.kg.endpoint_queries import NAMED, VALUE, Edge, EndpointQueries, Found, wanted_relations, written
from kg_reason.kg.files import whole_folder
from kg_reason.kg.seed_labels import seed_labels
from kg_reason.kg.sparql_client import SparqlClient

logger = logging.getLogger(__name__)

REPORT_FILE = "extract.json"
VOCABULARIES = (RDF, RDFS, OWL, SKOS)  # beyond their terms lies everything


@dataclass(frozen=True)
class ExtractReport:
    """What an extract holds and what it took.

    Attributes:
        endpoint: its address, without password and parameters.
        files: those written, for `build_graph`.
        num_spellings: labels that were looked up.
        num_seeds: entities found by them.
        num_entities: entities in the extract; values are not counted.
        num_edges: triples between entities, or an entity and a value.
        num_labels: triples that state labels.
        num_capped: terms of which not everything was kept, by the `max_..._per_...` settings.
        num_dropped: rows of answers with terms that are no RDF, or too long.
        num_queries: queries sent, repeated ones among them.
        num_cached: answers taken from the cache.
        num_bytes: read, as they came over the wire.
    """

    endpoint: str
    files: tuple[str, ...]
    num_spellings: int
    num_seeds: int
    num_entities: int
    num_edges: int
    num_labels: int
    num_capped: int
    num_dropped: int
    num_queries: int
    num_cached: int
    num_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {**asdict(self), "files": list(self.files)}


def extract(
    client: SparqlClient, sentences: Sequence[str], folder: str | Path, *, show_progress: bool = False
) -> ExtractReport:
    """Write what an endpoint holds around the words of some sentences to a folder, all or nothing.

    Args:
        client: of the endpoint; its settings say what is asked.
        sentences: texts whose words are looked up.
        folder: where to write; an extract that is there is replaced.
        show_progress: show bars on standard error when it takes longer than two seconds.

    Returns:
        The counts; `report.files` are inputs for `build_graph`.

    Raises:
        EndpointError: the endpoint does not answer as it should, or a budget is used up; nothing was written.
        ConfigError: a setting holds no IRI or language tag.
        KGReasonError: the folder is something else than an extract.
    """
    job = _Extraction(client, show_progress)
    language = client.config.endpoint_languages[0] if client.config.endpoint_languages else ""
    spellings = seed_labels(sentences, language, client.config.max_label_words)
    seeds = job.find_seeds(spellings)
    if not seeds:
        logger.warning("%s: knows none of the words of the seed by a label", client.name)
    edges, entities = job.follow_edges(seeds)
    labels = job.find_labels(entities, {relation for _, relation, _ in edges})
    folder = Path(folder)
    stem = re.sub(r"[^A-Za-z0-9.-]", "_", client.host)
    names = (f"{stem}.edges.nt", f"{stem}.labels.nt")
    report = ExtractReport(
        endpoint=client.name, files=tuple(str(folder / name) for name in names), num_spellings=len(spellings),
        num_seeds=len(seeds), num_entities=len(entities), num_edges=len(edges), num_labels=len(labels),
        num_capped=job.queries.num_capped, num_dropped=job.queries.num_dropped, **client.usage._asdict(),
    )  # fmt: skip
    if report.num_dropped:
        logger.warning("%s: %d rows left out: their terms are no RDF or too long", client.name, report.num_dropped)
    with whole_folder(folder, REPORT_FILE) as beside:
        for name, triples in zip(names, (edges, labels), strict=True):
            with (beside / name).open("w", encoding="utf-8", newline="\n") as lines:
                lines.writelines(f"{' '.join(map(written, triple))} .\n" for triple in sorted(triples))
        facts = {**report.to_json(), "files": list(names), "settings": client.config.to_json()}
        (beside / REPORT_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8", newline="\n")
    return report


class _Extraction:
    """What is asked for one extract."""

    def __init__(self, client: SparqlClient, show_progress: bool) -> None:
        self.queries = EndpointQueries(client, show_progress=show_progress)
        self.config: EndpointConfig = client.config

    def find_seeds(self, spellings: Sequence[str]) -> list[str]:
        """Return the entities with these labels, in the languages of the settings or without a tag, sorted."""
        found = self.queries.find_named(spellings)
        return sorted({entity for entities in found.values() for entity in entities})

    def follow_edges(self, seeds: Sequence[str]) -> tuple[set[Edge], set[str]]:
        """Return the edges within the hops of the settings, and every entity at their ends, seeds among them."""
        edges: set[Edge] = set()
        known, reached = set(seeds), set(seeds)
        walked: set[str] = set()
        for hop in range(1, self.config.hops + 1):
            # An entity met first beyond a hub's cap may be reached by another way later; then it is walked from.
            ring = sorted(entity for entity in reached - walked if not entity.startswith(VOCABULARIES))
            walked.update(ring)
            reached = set()
            for forward in (True, False):
                for entity, rows, is_capped in self._edges_of(ring, hop, forward=forward):
                    edges.update((entity, row[0], row[1]) if forward else (row[1], row[0], entity) for row in rows)
                    others = {other for _, other in rows if not other.startswith('"')}
                    known |= others
                    reached |= set() if is_capped else others
        return edges, known

    def find_labels(self, entities: set[str], relations: set[str]) -> set[Edge]:
        """Return the triples that state the labels of entities and relations, in the languages of the settings."""
        labels = self.queries.find_labels(entities)
        return labels | self.queries.find_relation_labels(relations - entities)

    def _edges_of(self, ring: Sequence[str], hop: int, *, forward: bool) -> Iterator[Found]:
        # A value has no edges outward, a blank node has no name.
        with_values = forward and self.config.literals
        conditions = ("!isBlank(?other)" if with_values else "isIRI(?other)") + self._no_labels()
        kinds = f"{NAMED} or {VALUE}" if with_values else NAMED
        name = f"hop {hop}, {'outward' if forward else 'inward'}"
        limit = self.config.max_edges_per_entity
        return self.queries.edges_of(ring, conditions, kinds, limit, name, forward=forward)

    def _no_labels(self) -> str:
        labels = ", ".join(map(written, self.config.label_properties))
        no_labels = f" && ?relation NOT IN ({labels})" if labels else ""
        return no_labels + wanted_relations(self.config)
