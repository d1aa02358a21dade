"""Questions to a SPARQL endpoint about many terms at once: whose label, which edges, which labels, how many edges.

Terms go in batches; a batch whose answer would be too long is halved, so no answer depends on the size of a batch. Of a
single term that has more than a limit, the rows that sort first are kept. Sending is `sparql_client.py`; what to ask
about is decided by `extract.py` and `remote_graph.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tqdm import tqdm

from kg_reason.config import EndpointConfig
from kg_reason.errors import ConfigError, EndpointError
from kg_reason.kg.curies import XSD
from kg_reason.kg.names import property_entity
from kg_reason.kg.sparql_answer import is_iri, is_language
from kg_reason.kg.sparql_client import SparqlClient
from kg_reason.kg.triples import XSD_STRING, LiteralParts, literal_key, literal_parts
from kg_reason.terminal import PROGRESS_DELAY

MAX_LABELS_PER_ENTITY = 200
MAX_COUNT_DIGITS = 15
NAMED, VALUE, BLANK = "iri", "literal", "blank"  # kinds of terms
# A Wikibase states the label of a relation at the property it stands for.
_LABELS = "?term ?property ?label ."
_RELATION_LABELS = (
    "{ ?term ?property ?label } UNION { ?named <http://wikiba.se/ontology#directClaim> ?term ; ?property ?label }"
)

_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

MakeQuery = Callable[[Sequence[str], str], str]  # terms as SPARQL writes them, what follows the pattern
Edge = tuple[str, str, str]  # head, relation, tail
Labels = set[tuple[str, str, str]]  # entity, relation, text


class Found(NamedTuple):
    """What the endpoint holds of one term: rows without the term, sorted, and whether there are more."""

    term: str
    rows: list[tuple[str, ...]]
    is_capped: bool


class EndpointQueries:
    """The queries of one extract or remote graph, and what was left out on the way.

    Args:
        client: of the endpoint; its settings say how much is asked.
        label_properties: relations (IRI) whose tails are labels; none: those of the settings.
        show_progress: show bars on standard error when it takes longer than two seconds.

    Attributes:
        num_capped: terms of which not everything was kept.
        num_dropped: rows of answers with terms that are no RDF, or too long.

    Raises:
        ConfigError: a setting holds no IRI or language tag, or asks for more rows of a term than an answer may have.
    """

    def __init__(
        self, client: SparqlClient, *, label_properties: Sequence[str] = (), show_progress: bool = False
    ) -> None:
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
        self._label_properties = ", ".join(map(written, label_properties or self.config.label_properties))

    def find_named(self, spellings: Iterable[str]) -> dict[str, list[str]]:
        """Return the entities with each of these labels, in the languages of the settings or without a tag, sorted."""
        terms = self._spelled(spellings)
        make = self._label_query("?entity", "?entity ?property ?term .", "isIRI(?entity)")
        limit = self.config.max_entities_per_label
        found = self.ask_all(terms, {"entity": NAMED}, make, limit, "looking up words")
        entities: dict[str, list[str]] = {}
        for item in found:
            entities.setdefault(literal_parts(item.term).text, []).extend(entity for (entity,) in item.rows)
        return entities

    def find_meant(self, spellings: Iterable[str], *, values: bool) -> dict[str, list[str]]:
        """Return the entities with each of these labels and, if wanted, the values with these texts.

        Values are without a tag, in the languages of the settings, or numbers and dates; edges lead to them.
        """
        named = f"?entity ?property ?term . FILTER(?property IN ({self._label_properties}) && isIRI(?entity))"
        exists = f"FILTER EXISTS {{ ?head ?relation ?term . FILTER({self.edge_conditions('?term')}) }}"
        by_value = f" UNION {{ {exists} BIND(?term AS ?entity) }}" if values else ""

        def make(batch: Sequence[str], ending: str) -> str:
            terms = f"VALUES ?term {{ {' '.join(batch)} }}"
            by_label = f"{{ {terms} {named} }}"
            other = by_value.replace("FILTER EXISTS", f"{terms} FILTER EXISTS")
            return f"SELECT DISTINCT ?term ?entity WHERE {{ {by_label}{other} }} {ending}"

        kinds = {"entity": f"{NAMED} or {VALUE}" if values else NAMED}
        terms = self._spelled(spellings) | (_typed(spellings) if values else {})
        entities: dict[str, list[str]] = {}
        for item in self.ask_all(terms, kinds, make, self.config.max_entities_per_label, "looking up words"):
            entities.setdefault(literal_parts(item.term).text, []).extend(entity for (entity,) in item.rows)
        return entities

    def _spelled(self, spellings: Iterable[str]) -> dict[str, str]:
        spellings = list(spellings)
        terms = {literal_key(text): literal_key(text) for text in spellings}
        for tag in self.languages:
            terms |= {literal_key(text, tag): f"{literal_key(text)}@{tag}" for text in spellings}
        return terms

    def edges_of(
        self, entities: Iterable[str], conditions: str, kinds: str, limit: int, name: str, *, forward: bool
    ) -> Iterator[Found]:
        """Yield the edges of each entity in one direction, as pairs of relation and other end.

        Args:
            entities: their keys.
            conditions: on ?relation and ?other, in SPARQL.
            kinds: of the other ends that are kept, a text with the names of the kinds.
            limit: edges kept of one entity.
            name: of this stage, for the bar.
            forward: edges that start at the entity; else those that end there.
        """
        pattern = "?term ?relation ?other" if forward else "?other ?relation ?term"

        def make(batch: Sequence[str], ending: str) -> str:
            values = f"VALUES ?term {{ {' '.join(batch)} }}"
            return f"SELECT ?term ?relation ?other WHERE {{ {values} {pattern} . FILTER({conditions}) }} {ending}"

        return self.ask_all(all_written(entities), {"relation": NAMED, "other": kinds}, make, limit, name)

    def count_edges(self, entities: Iterable[str]) -> dict[str, int]:
        """Return how many edges each entity has, both ways together; those without any are left out.

        Raises:
            EndpointError: the endpoint does not answer as it should, among this with no numbers.
        """

        def make(batch: Sequence[str], ending: str) -> str:
            values = f"VALUES ?term {{ {' '.join(batch)} }}"
            outward = f"{{ ?term ?relation ?other . FILTER({self.edge_conditions('?other')}) }}"
            inward = f"{{ ?head ?relation ?term . FILTER({self.edge_conditions('?term')}) }}"
            where = f"{values} {{ {outward} UNION {inward} }}"
            return f"SELECT ?term (COUNT(*) AS ?count) WHERE {{ {where} }} GROUP BY ?term {ending}"

        counts: dict[str, int] = {}
        for item in self.ask_all(all_written(entities), {"count": VALUE}, make, 1, "counting edges"):
            text = literal_parts(item.rows[0][0]).text
            if not (text.isascii() and text.isdecimal() and len(text) <= MAX_COUNT_DIGITS):
                raise EndpointError(f"{self.client.name}: found {text[:40]!r} as a count, expected a whole number")
            counts[item.term] = int(text)
        return counts

    def edge_conditions(self, tail: str) -> str:
        """Return what ?relation and tail of an edge fulfil: it states no label and is of a wanted relation."""
        return f"!(isLiteral({tail}) && ?relation IN ({self._label_properties})){wanted_relations(self.config)}"

    def find_labels(self, entities: Iterable[str]) -> Labels:
        """Return the triples that state the labels of entities, in the languages of the settings."""
        return self._find_labels(entities, _LABELS, "labels")

    def find_relation_labels(self, relations: Iterable[str]) -> Labels:
        """Return the triples that state the labels of relations, in the languages of the settings.

        A relation of Wikidata without one has those of the entity that describes it, also where nothing says that it
        does: a copy may hold direct claims and labels alone.
        """
        wanted = set(relations)
        labels = self._find_labels(wanted, _RELATION_LABELS, "names of relations")
        described = {property_entity(relation): relation for relation in wanted - {label[0] for label in labels}}
        others = described.keys() - wanted
        if others:
            found = self._find_labels(others, _LABELS, "names of relations")
            labels |= {(described[entity], relation, text) for entity, relation, text in found}
        return labels

    def _find_labels(self, terms: Iterable[str], pattern: str, name: str) -> Labels:
        ranges = " || ".join(f'LANGMATCHES(LANG(?label), "{tag}")' for tag in self.languages)
        in_language = f' && (LANG(?label) = "" || {ranges})' if ranges else ""
        limit = min(MAX_LABELS_PER_ENTITY, self.config.max_rows - 1)
        make = self._label_query("?property ?label", pattern, f"isLiteral(?label){in_language}")
        kinds = {"property": NAMED, "label": VALUE}
        found = self.ask_all(all_written(terms), kinds, make, limit, name)
        return {(term, row[0], row[1]) for term, rows, _ in found for row in rows}

    def _label_query(self, variables: str, pattern: str, condition: str) -> MakeQuery:
        # A condition, no second VALUES: an engine may begin with the properties, and so read every label there is.
        def make(batch: Sequence[str], ending: str) -> str:
            values = f"VALUES ?term {{ {' '.join(batch)} }}"
            conditions = f"FILTER(?property IN ({self._label_properties}) && {condition})"
            return f"SELECT DISTINCT ?term {variables} WHERE {{ {values} {pattern} {conditions} }} {ending}"

        return make

    def ask_all(
        self, terms: Mapping[str, str], kinds: Mapping[str, str], make: MakeQuery, limit: int, name: str
    ) -> Iterator[Found]:
        """Yield what the endpoint holds of each term of which it holds anything.

        Args:
            terms: their keys, and how SPARQL writes them.
            kinds: the variables wanted beside ?term, and the kinds of terms they may stand for.
            make: makes the query.
            limit: rows kept for each term.
            name: of this stage, for the bar.

        Raises:
            EndpointError: the endpoint does not answer as it should, or a budget is used up.
        """
        keys = sorted(terms)
        size = self.config.batch_size
        batches = [keys[start : start + size] for start in range(0, len(keys), size)][::-1]
        with tqdm(total=len(keys), desc=name, disable=not self._show_progress, delay=PROGRESS_DELAY) as bar:
            while batches:
                batch = batches.pop()
                ending = self._ending(kinds, limit) if len(batch) == 1 else f"LIMIT {self.config.max_rows}"
                answer = self.client.select(make([terms[key] for key in batch], ending), ("term", *kinds))
                if len(batch) > 1 and answer.num_rows >= self.config.max_rows:  # there may be more
                    middle = len(batch) // 2
                    batches += [batch[middle:], batch[:middle]]
                    continue
                bar.update(len(batch))
                self.num_dropped += answer.num_dropped
                yield from self._sorted_out(answer.rows, batch, tuple(kinds.values()), limit)

    def _ending(self, variables: Iterable[str], limit: int) -> str:
        """Return what ends the query for a single term, whose rows may be more than are kept."""
        order = " ".join(f"STR(?{name}) LANG(?{name}) STR(DATATYPE(?{name}))" for name in variables)
        return f"ORDER BY {order} LIMIT {limit + 1}" if order and self.config.order_capped else f"LIMIT {limit + 1}"

    def _sorted_out(
        self, answers: Iterable[tuple[str, ...]], batch: Sequence[str], kinds: Sequence[str], limit: int
    ) -> Iterator[Found]:
        """Yield the rows of an answer by term, those left out that nobody asked for."""
        rows_of: dict[str, set[tuple[str, ...]]] = {key: set() for key in batch}
        for term, *row in answers:
            if term in rows_of and all(_kind(key) in kind for key, kind in zip(row, kinds, strict=True)):
                rows_of[term].add(tuple(row))
            else:
                self.num_dropped += 1
        for term, found in rows_of.items():
            if found:
                is_capped = len(found) > limit
                self.num_capped += is_capped
                yield Found(term, sorted(found, key=_order)[:limit], is_capped)


def _typed(spellings: Iterable[str]) -> dict[str, str]:
    """Return the terms of numbers and dates."""
    keys = []
    for text in spellings:
        if _NUMBER.fullmatch(text):
            keys += [literal_key(text, "", XSD + name) for name in ("integer", "decimal", "double", "gYear")]
        elif _DATE.fullmatch(text):
            keys.append(literal_key(text, "", XSD + "date"))
    return all_written(keys)


def wanted_relations(config: EndpointConfig) -> str:
    """Return the conditions that the settings put on ?relation, each after a conjunction."""

    def starts(iris: Iterable[str]) -> str:
        return " || ".join(f"STRSTARTS(STR(?relation), {literal_key(iri)})" for iri in iris)

    conditions = []
    if config.relation_prefixes:
        conditions.append(f"({starts(config.relation_prefixes)})")
    if config.exclude_relation_prefixes:
        conditions.append(f"!({starts(config.exclude_relation_prefixes)})")
    return "".join(f" && {condition}" for condition in conditions)


def written(key: str) -> str:
    """Return a term as N-Triples and SPARQL write it."""
    return key if key.startswith('"') else f"<{key}>"


def all_written(keys: Iterable[str]) -> dict[str, str]:
    """Return terms by their keys, as SPARQL writes them."""
    return {key: written(key) for key in keys}


def _kind(key: str) -> str:
    """Return the kind of a term; another word for what is not bound."""
    if key.startswith('"'):
        return VALUE
    if key.startswith("_:"):
        return BLANK
    return NAMED if key else "nothing"


def _order(row: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return the key by which the rows of a term are sorted, as `_ending` has the endpoint sort them."""
    parts = [literal_parts(key) if key.startswith('"') else LiteralParts(key, "", "") for key in row]
    return [
        (text, language, datatype or (XSD_STRING if key.startswith('"') and not language else ""))
        for key, (text, language, datatype) in zip(row, parts, strict=True)
    ]
