"""What a SPARQL endpoint says of terms and relations, asked once and remembered: labels, edges, degrees, inverses.

`endpoint_queries.py` asks; which terms matter for a question is `remote_graph.py`. What is remembered is what an
endpoint would say again, so it changes no answer; when it has grown large it is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from kg_reason.errors import ConfigError
from kg_reason.kg.alias_kinds import LABEL_RELATIONS
from kg_reason.kg.endpoint_queries import BLANK, NAMED, VALUE, Edge, EndpointQueries, Labels
from kg_reason.kg.relation_walk import MAX_WALK_RELATIONS
from kg_reason.kg.search import MAX_ROW
from kg_reason.kg.sparql_answer import is_iri
from kg_reason.kg.sparql_client import SparqlClient

Item = TypeVar("Item")
_Key = TypeVar("_Key", str, tuple[str, frozenset[str]])


class Row(NamedTuple):
    """The edges of an entity, and how many there are, with those to blank nodes and those beyond the limit."""

    edges: tuple[Edge, ...]
    num_edges: int


class EndpointFacts:
    """Remembers what an endpoint says.

    Args:
        client: of the endpoint; its settings say what is asked.

    Raises:
        ConfigError: a setting holds no IRI or language tag, or `max_rows` is too small for whole rows of edges.
    """

    def __init__(self, client: SparqlClient) -> None:
        config = client.config
        if config.max_rows <= MAX_ROW + 1:
            raise ConfigError(f"max_rows: found {config.max_rows:,}, expected more than {MAX_ROW + 1:,}")
        known = filter(is_iri, LABEL_RELATIONS)
        own = sorted({*config.label_properties, *(key for key in known if key.startswith("http"))})
        self.config = config
        self.queries = EndpointQueries(client, label_properties=own)
        self.own_labels = tuple(sorted(set(config.label_properties).difference(LABEL_RELATIONS)))
        self._meant: dict[str, tuple[str, ...]] = {}
        self._rows: dict[str, Row] = {}
        self._upward: dict[tuple[str, frozenset[str]], tuple[Edge, ...]] = {}
        self._degrees: dict[str, int] = {}
        self._labels: dict[str, tuple[Edge, ...]] = {}
        self._relation_labels: dict[str, tuple[Edge, ...]] = {}
        self._inverses: dict[tuple[str, str], bool] = {}
        self._relations: tuple[str, ...] | None = None
        self._num_remembered = 0

    def forget(self, most: int = 0) -> None:
        """Forget all terms if they and their edges are more than this many; what is known of relations stays."""
        if self._num_remembered > most:
            for kept in (self._meant, self._rows, self._upward, self._degrees, self._labels):
                kept.clear()
            self._num_remembered = 0

    def meant(self, spellings: Iterable[str], *, values: bool) -> set[str]:
        """Return the entities that have one of these labels, and the values of these texts if wanted."""

        def ask(missing: list[str]) -> Mapping[str, tuple[str, ...]]:
            found = self.queries.find_meant(missing, values=values)
            return {text: tuple(entities) for text, entities in found.items()}

        known = self._look_up(self._meant, spellings, ask, ())
        return {entity for entities in known.values() for entity in entities}

    def rows(self, entities: Iterable[str]) -> dict[str, Row]:
        """Return the edges of entities, both ways; of one with more than an answer holds, as many as that."""
        return self._look_up(self._rows, entities, self._ask_rows, Row((), 0))

    def _ask_rows(self, entities: list[str]) -> dict[str, Row]:
        limit = self.config.max_rows - 1
        kinds = f"{NAMED} or {VALUE} or {BLANK}"
        edges: dict[str, dict[Edge, None]] = {entity: {} for entity in entities}
        counts = dict.fromkeys(entities, 0)
        capped: set[str] = set()
        for forward in (True, False):
            wanted = [entity for entity in entities if not (forward and entity.startswith('"'))]
            conditions = self.queries.edge_conditions("?other" if forward else "?term")
            name = "edges outward" if forward else "edges inward"
            for entity, found, is_capped in self.queries.edges_of(
                wanted, conditions, kinds, limit, name, forward=forward
            ):
                counts[entity] += len(found)
                capped |= {entity} if is_capped else set()
                for relation, other in found:
                    if not other.startswith("_:"):  # no later query could name it
                        edges[entity][(entity, relation, other) if forward else (other, relation, entity)] = None
        counts |= self.queries.count_edges(capped)
        self._num_remembered += sum(map(len, edges.values()))
        return {entity: Row(tuple(edges[entity]), counts[entity]) for entity in entities}

    def upward(self, entities: Iterable[str], relations: frozenset[str]) -> set[Edge]:
        """Return the edges of some relations that start at entities; those to blank nodes are left out."""

        def ask(missing: list[tuple[str, frozenset[str]]]) -> Mapping[tuple[str, frozenset[str]], tuple[Edge, ...]]:
            iris = ", ".join(f"<{relation}>" for relation in sorted(relations))
            names = [entity for entity, _ in missing]
            found = self.queries.edges_of(
                names, f"?relation IN ({iris})", f"{NAMED} or {VALUE} or {BLANK}", self.config.max_rows - 1, "climbing",
                forward=True,
            )
            return {
                (entity, relations): tuple((entity, *row) for row in rows if not row[1].startswith("_:"))  # type: ignore[misc]
                for entity, rows, _ in found
            }

        keys = [(entity, relations) for entity in entities if not entity.startswith('"')]
        return {edge for edges in self._look_up(self._upward, keys, ask, ()).values() for edge in edges}

    def degrees(self, entities: Iterable[str]) -> dict[str, int]:
        """Return how many edges entities have, both ways together."""
        entities = set(entities)
        known = {entity: self._rows[entity].num_edges for entity in entities if entity in self._rows}
        return known | self._look_up(self._degrees, entities - known.keys(), self.queries.count_edges, 0)

    def labels(self, entities: Iterable[str]) -> set[Edge]:
        """Return the triples that state the labels of entities."""
        named = (entity for entity in entities if not entity.startswith('"'))
        found = self._look_up(self._labels, named, lambda missing: _by_term(self.queries.find_labels(missing)), ())
        return {label for labels in found.values() for label in labels}

    def relation_labels(self, relations: Iterable[str]) -> set[Edge]:
        """Return the triples that state the labels of relations."""
        found = self._look_up(
            self._relation_labels, relations, lambda missing: _by_term(self.queries.find_relation_labels(missing)), ()
        )
        return {label for labels in found.values() for label in labels}

    def relations(self) -> tuple[str, ...]:
        """Return the relations of the endpoint, sorted.

        Empty where the settings say not to ask, or they are too many for one to be taken for another's inverse.
        """
        if self._relations is None and not self.config.survey_relations:
            self._relations = ()
        if self._relations is None:
            conditions = self.queries.edge_conditions("?tail")
            query = f"SELECT DISTINCT ?relation WHERE {{ ?head ?relation ?tail . FILTER({conditions}) }}"
            answer = self.queries.client.select(f"{query} LIMIT {MAX_WALK_RELATIONS + 1}", ("relation",))
            found = sorted({relation for (relation,) in answer.rows if is_iri(relation)})
            self._relations = tuple(found) if len(found) <= MAX_WALK_RELATIONS else ()
        return self._relations

    def are_inverse(self, relation: str, other: str) -> bool:
        """Tell whether two relations state the same edges everywhere, each the other way round."""
        pair = (relation, other) if relation < other else (other, relation)
        if pair not in self._inverses:
            lacking = [
                f"{{ ?head <{one}> ?tail FILTER NOT EXISTS {{ ?tail <{reverse}> ?head }} }}"
                for one, reverse in (pair, pair[::-1])
            ]
            answer = self.queries.client.select(f"SELECT * WHERE {{ {' UNION '.join(lacking)} }} LIMIT 1", ("head",))
            self._inverses[pair] = answer.num_rows == 0
        return self._inverses[pair]

    def _look_up(
        self, kept: dict[_Key, Item], keys: Iterable[_Key], ask: Callable[[list[_Key]], Mapping[_Key, Item]], none: Item
    ) -> dict[_Key, Item]:
        """Return what is known of each key, after asking for what is not."""
        keys = list(dict.fromkeys(keys))
        missing = [key for key in keys if key not in kept]
        if missing:
            found = ask(missing)
            kept.update((key, found.get(key, none)) for key in missing)
            self._num_remembered += len(missing)
        return {key: kept[key] for key in keys}


def _by_term(labels: Labels) -> dict[str, tuple[Edge, ...]]:
    found: dict[str, list[Edge]] = {}
    for label in sorted(labels):
        found.setdefault(label[0], []).append(label)
    return {term: tuple(rows) for term, rows in found.items()}
