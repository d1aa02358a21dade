"""A local extract of a remote graph: what a SPARQL endpoint holds around the words of some sentences, as N-Triples.

The words are looked up as labels (`seed_labels.py`); from the entities found, edges are followed both ways, hop by
hop; then everything met gets its labels. Terms go in batches; a batch whose answer would be too long is halved. So an
extract depends on the endpoint's content and the settings only, never on the size of a batch. The files are read like
any others by `building.py`, and a triple's source is its line in them.

An entity with more edges in one direction than `max_edges_per_entity` keeps that many, so it is a hub for the path
search as well, and nothing is fetched beyond it that way. Blank nodes have no name that a second query could use: edges
to them are left out.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from kg_reason.config import EndpointConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.files import whole_folder
from kg_reason.kg.seed_labels import seed_labels
from kg_reason.kg.sparql_answer import Answer, is_iri, is_language
from kg_reason.kg.sparql_client import SparqlClient
from kg_reason.kg.triples import XSD_STRING, LiteralParts, literal_key, literal_parts
from kg_reason.terminal import PROGRESS_DELAY

logger = logging.getLogger(__name__)

REPORT_FILE = "extract.json"
MAX_LABELS_PER_ENTITY = 200
VOCABULARIES = (  # beyond their terms lies everything
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://www.w3.org/2000/01/rdf-schema#",
    "http://www.w3.org/2002/07/owl#",
    "http://www.w3.org/2004/02/skos/core#",
)
# A Wikibase states the label of a relation at the property it stands for.
_RELATION_LABELS = (
    "{ ?term ?property ?label } UNION { ?named <http://wikiba.se/ontology#directClaim> ?term ; ?property ?label }"
)


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


class _Found(NamedTuple):
    """What the endpoint holds of one term: rows without the term, sorted, and whether there are more."""

    term: str
    rows: list[tuple[str, ...]]
    is_capped: bool


Edge = tuple[str, str, str]
MakeQuery = Callable[[Sequence[str], str], str]  # terms as SPARQL writes them, what follows the pattern


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
    spellings = seed_labels(sentences, job.languages[0] if job.languages else "", client.config.max_label_words)
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
        num_capped=job.num_capped, num_dropped=job.num_dropped, **client.usage._asdict(),
    )  # fmt: skip
    if report.num_dropped:
        logger.warning("%s: %d rows left out: their terms are no RDF or too long", client.name, report.num_dropped)
    with whole_folder(folder, REPORT_FILE) as beside:
        for name, triples in zip(names, (edges, labels), strict=True):
            with (beside / name).open("w", encoding="utf-8", newline="\n") as lines:
                lines.writelines(f"{' '.join(map(_written, triple))} .\n" for triple in sorted(triples))
        facts = {**report.to_json(), "files": list(names), "settings": client.config.to_json()}
        (beside / REPORT_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8", newline="\n")
    return report


class _Extraction:
    """The queries of one extract, and what was left out on the way."""

    def __init__(self, client: SparqlClient, show_progress: bool) -> None:
        self.client = client
        self.config: EndpointConfig = client.config
        self.languages = self.config.endpoint_languages
        self.num_capped = self.num_dropped = 0
        self._show_progress = show_progress
        for name in ("max_entities_per_label", "max_edges_per_entity"):
            if getattr(self.config, name) >= self.config.max_rows:
                found = f"{getattr(self.config, name):,}, expected fewer than max_rows, {self.config.max_rows:,}"
                raise ConfigError(f"{name}: found {found}")
        for name in ("label_properties", "relation_prefixes", "exclude_relation_prefixes"):
            for iri in getattr(self.config, name):
                if not is_iri(iri):
                    raise ConfigError(f"{name}: found {iri!r}, expected an IRI such as http://example.org/name")
        for tag in self.languages:
            if not is_language(tag):
                raise ConfigError(f"endpoint_languages: found {tag!r}, expected a language tag such as en or zh-Hant")
        self._wanted = _wanted(self.config)

    def find_seeds(self, spellings: Sequence[str]) -> list[str]:
        """Return the entities with these labels, in the languages of the settings or without a tag, sorted."""
        terms = {literal_key(text): literal_key(text) for text in spellings}
        for tag in self.languages:
            terms |= {literal_key(text, tag): f"{literal_key(text)}@{tag}" for text in spellings}
        make = self._label_query("?entity", "?entity ?property ?term .", "isIRI(?entity)")
        limit = self.config.max_entities_per_label
        found = self._ask_all(terms, {"entity": "iri"}, make, limit, "looking up words")
        return sorted({entity for item in found for (entity,) in item.rows})

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
        ranges = " || ".join(f'LANGMATCHES(LANG(?label), "{tag}")' for tag in self.languages)
        in_language = f' && (LANG(?label) = "" || {ranges})' if ranges else ""
        limit = min(MAX_LABELS_PER_ENTITY, self.config.max_rows - 1)
        kinds = {"property": "iri", "label": "literal"}
        labels: set[Edge] = set()
        for terms, pattern, name in (
            (entities, "?term ?property ?label .", "labels"),
            (relations - entities, _RELATION_LABELS, "names of relations"),
        ):
            make = self._label_query("?property ?label", pattern, f"isLiteral(?label){in_language}")
            for term, rows, _ in self._ask_all(_all_written(terms), kinds, make, limit, name):
                labels.update((term, row[0], row[1]) for row in rows)
        return labels

    def _edges_of(self, ring: Sequence[str], hop: int, *, forward: bool) -> Iterator[_Found]:
        pattern = "?term ?relation ?other" if forward else "?other ?relation ?term"
        # A value has no edges outward, a blank node has no name.
        kinds = "!isBlank(?other)" if forward and self.config.literals else "isIRI(?other)"

        def make(batch: Sequence[str], ending: str) -> str:
            values = f"VALUES ?term {{ {' '.join(batch)} }}"
            conditions = f"FILTER({kinds}{self._wanted})"
            return f"SELECT ?term ?relation ?other WHERE {{ {values} {pattern} . {conditions} }} {ending}"

        wanted = {"relation": "iri", "other": "iri or literal" if forward and self.config.literals else "iri"}
        name = f"hop {hop}, {'outward' if forward else 'inward'}"
        return self._ask_all(_all_written(ring), wanted, make, self.config.max_edges_per_entity, name)

    def _label_query(self, variables: str, pattern: str, condition: str) -> MakeQuery:
        # A condition, no second VALUES: an engine may begin with the properties, and so read every label there is.
        properties = f"?property IN ({', '.join(map(_written, self.config.label_properties))})"

        def make(batch: Sequence[str], ending: str) -> str:
            values = f"VALUES ?term {{ {' '.join(batch)} }}"
            conditions = f"FILTER({properties} && {condition})"
            return f"SELECT DISTINCT ?term {variables} WHERE {{ {values} {pattern} {conditions} }} {ending}"

        return make

    def _ask_all(
        self, terms: Mapping[str, str], kinds: Mapping[str, str], make: MakeQuery, limit: int, name: str
    ) -> Iterator[_Found]:
        """Yield what the endpoint holds of each term of which it holds anything.

        Args:
            terms: their keys, and how SPARQL writes them.
            kinds: the variables wanted beside ?term, and the kinds of terms they may stand for.
            make: makes the query.
            limit: rows kept for each term.
            name: of this stage, for the bar.
        """
        keys = sorted(terms)
        size = self.config.batch_size
        batches = [keys[start : start + size] for start in range(0, len(keys), size)][::-1]
        with tqdm(total=len(keys), desc=name, disable=not self._show_progress, delay=PROGRESS_DELAY) as bar:
            while batches:
                batch = batches.pop()
                written = [terms[key] for key in batch]
                ending = self._ending(kinds, limit) if len(batch) == 1 else f"LIMIT {self.config.max_rows}"
                answer = self.client.select(make(written, ending), ("term", *kinds))
                if len(batch) > 1 and answer.num_rows >= self.config.max_rows:  # there may be more
                    middle = len(batch) // 2
                    batches += [batch[middle:], batch[:middle]]
                    continue
                bar.update(len(batch))
                yield from self._sorted_out(answer, batch, tuple(kinds.values()), limit)

    def _ending(self, variables: Iterable[str], limit: int) -> str:
        """Return what ends the query for a single term, whose rows may be more than are kept."""
        order = " ".join(f"STR(?{name}) LANG(?{name}) STR(DATATYPE(?{name}))" for name in variables)
        return f"ORDER BY {order} LIMIT {limit + 1}" if self.config.order_capped else f"LIMIT {limit + 1}"

    def _sorted_out(
        self, answer: Answer, batch: Sequence[str], kinds: Sequence[str], limit: int
    ) -> Iterator[_Found]:
        """Yield the rows of an answer by term, those left out that nobody asked for."""
        rows_of: dict[str, set[tuple[str, ...]]] = {key: set() for key in batch}
        self.num_dropped += answer.num_dropped
        for term, *row in answer.rows:
            if term in rows_of and all(_kind(key) in kind for key, kind in zip(row, kinds, strict=True)):
                rows_of[term].add(tuple(row))
            else:
                self.num_dropped += 1
        for term, found in rows_of.items():
            if found:
                is_capped = len(found) > limit
                self.num_capped += is_capped
                yield _Found(term, sorted(found, key=_order)[:limit], is_capped)


def _wanted(config: EndpointConfig) -> str:
    """Return the conditions on the relations of edges, each after a conjunction."""

    def starts(iris: Iterable[str]) -> str:
        return " || ".join(f"STRSTARTS(STR(?relation), {literal_key(iri)})" for iri in iris)

    labels = ", ".join(map(_written, config.label_properties))
    conditions = [f"?relation NOT IN ({labels})"] if labels else []
    if config.relation_prefixes:
        conditions.append(f"({starts(config.relation_prefixes)})")
    if config.exclude_relation_prefixes:
        conditions.append(f"!({starts(config.exclude_relation_prefixes)})")
    return "".join(f" && {condition}" for condition in conditions)


def _written(key: str) -> str:
    """Return a term as N-Triples and SPARQL write it."""
    return key if key.startswith('"') else f"<{key}>"


def _all_written(iris: Iterable[str]) -> dict[str, str]:
    return {iri: _written(iri) for iri in iris}


def _kind(key: str) -> str:
    """Return iri or literal; another word for blank nodes and what is not bound."""
    if key.startswith('"'):
        return "literal"
    return "iri" if key and not key.startswith("_:") else "neither"


def _order(row: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return the key by which the rows of a term are sorted, as `_ending` has the endpoint sort them."""
    parts = [literal_parts(key) if key.startswith('"') else LiteralParts(key, "", "") for key in row]
    return [
        (text, language, datatype or (XSD_STRING if key.startswith('"') and not language else ""))
        for key, (text, language, datatype) in zip(row, parts, strict=True)
    ]
