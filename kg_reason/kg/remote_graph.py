"""A graph behind a SPARQL endpoint: for each question the part that its answer rests on, as a graph in memory.

Linker, path search and model work on that part as on any graph, and find in it what they would find in the whole:

    labels      the words are looked up as `extract.py` does; only what they name is linked
    candidates  get all their edges, so that they are scored as in the whole; the linker then says which are kept
    paths       join the neighbours of two kept candidates by edges that the neighbours of either of them have: these
                are fetched on the side that has fewer; climbs are followed edge by edge
    degrees     of what lies on a path are counted at the endpoint, for only some of the edges are fetched
    relations   that state each other's edges the other way round everywhere are walked once

How the triples become a graph is `graph_part.py`. What only the whole could tell is left out: hierarchies told by their
shape, inverse relations and doubtful edges of noisy graphs, edges to and from blank nodes, and the names of entities
that have no label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kg_reason.config import LinkerConfig, RetrieverConfig
from kg_reason.errors import UnknownEntityError
from kg_reason.kg.curies import curies_in, expansions
from kg_reason.kg.endpoint_facts import EndpointFacts
from kg_reason.kg.endpoint_queries import Edge
from kg_reason.kg.entity_status import entity_status
from kg_reason.kg.exclusion import find_relations
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.graph_part import GraphPart, assemble
from kg_reason.kg.hierarchies import climbing_relations
from kg_reason.kg.linker import EntityLinker, Mention
from kg_reason.kg.retriever import VOCABULARY
from kg_reason.kg.search import CANDIDATE_WIDTH, CLIMB_HOPS, Query, mark_moved
from kg_reason.kg.seed_labels import seed_labels
from kg_reason.kg.sparql_answer import is_iri
from kg_reason.kg.sparql_client import SparqlClient
from kg_reason.nli import NLIExample

MAX_REMEMBERED = 1_000_000  # terms and edges, between questions
SHORT_PATH = 2  # edges; the edges of both ends hold every path of that length


class _Ends(NamedTuple):
    """The candidates between which paths of an example are searched."""

    starts: frozenset[str]
    ends: frozenset[str]


class RemoteGraph:
    """Fetches parts of the graph of an endpoint.

    Args:
        client: of the endpoint; its settings say what is asked, and how much.
        linking: settings of the linker that will be used.
        search: settings of the path search that will be used.

    Raises:
        ConfigError: a setting of the client holds no IRI or language tag, or asks for too few rows.
    """

    def __init__(
        self, client: SparqlClient, linking: LinkerConfig | None = None, search: RetrieverConfig | None = None
    ) -> None:
        self.client = client
        self.linking = linking or LinkerConfig()
        self.search = search or RetrieverConfig()
        self.facts = EndpointFacts(client)
        self._named: dict[tuple[str, ...], KnowledgeGraph] = {}  # the graph of names last made
        self._closed = frozenset(() if self.search.walk_vocabulary else VOCABULARY)

    def around(self, examples: Sequence[NLIExample]) -> KnowledgeGraph:
        """Return the part of the graph that the answers to some examples rest on.

        Raises:
            EndpointError: the endpoint does not answer as it should, or a budget is used up.
            ConfigError: a text is longer than the linker's limit.
            UnknownEntityError: a name of an example stands for an entity that the endpoint does not hold.
        """
        self.facts.forget(MAX_REMEMBERED)
        part = GraphPart(seeds=self._find_seeds(examples))
        self._add_entities(part, part.seeds)
        graph = assemble(self.facts, part)
        heirs = _heirs(graph, part.seeds)
        if heirs:
            part.seeds |= heirs
            self._add_entities(part, heirs)
            graph = assemble(self.facts, part)
        self._add_paths(part, self._find_ends(graph, examples))
        return assemble(self.facts, part)

    def about(self, name: str, max_neighbours: int = 0) -> KnowledgeGraph:
        """Return the part of the graph that tells of the entities of an id, CURIE or label: their labels and edges.

        Args:
            name: as for `KnowledgeGraph.find_entities`, which finds them there.
            max_neighbours: labels fetched of the first entity's neighbours, per relation and direction.

        Raises:
            EndpointError: the endpoint does not answer as it should, or a budget is used up.
        """
        name = name[1:-1] if name.startswith("<") and name.endswith(">") else name
        part = GraphPart(seeds=set(filter(is_iri, (name, *expansions(name, {})))))
        if not any(row.num_edges for row in self.facts.rows(part.seeds).values()) and not self.facts.labels(part.seeds):
            spellings = {name, name.lower(), name.capitalize(), *_spellings([name], self)}
            part.seeds = self.facts.meant(spellings, values=True)
        self._add_entities(part, part.seeds)
        graph = assemble(self.facts, part)
        shown: set[str] = set()
        counts: Counter[tuple[int, bool]] = Counter()
        for entity in graph.find_entities(name)[:1]:
            for edge in graph.edges_of(entity):
                forward = bool(graph.edge_head[edge] == entity)
                group = int(graph.edge_relation[edge]), forward
                counts[group] += 1
                if counts[group] <= max_neighbours:
                    shown.add(graph.entity_id(int((graph.edge_tail if forward else graph.edge_head)[edge])))
        part.labels |= self.facts.labels(shown)
        return assemble(self.facts, part)

    def exclude(self, names: Sequence[str]) -> RetrieverConfig:
        """Return the settings of the search with further relations or entities that no path may use.

        Raises:
            EndpointError: the endpoint does not answer as it should, or a budget is used up.
            UnknownEntityError: the endpoint has neither a relation nor an entity of that name, as far as its relations
                can be asked for.
        """
        relations, entities = list(self.search.exclude_relations), list(self.search.exclude_entities)
        known = self._relations_only(self.facts.relations())
        for name in names:
            if find_relations(known, name):
                relations.append(name)
            elif self.about(name).find_entities(name):
                entities.append(name)
            elif not self.facts.relations():  # they are too many to be asked for
                relations.append(name)
            else:
                raise UnknownEntityError(f"exclude: the graph has neither a relation nor an entity {name!r}")
        return replace(self.search, exclude_relations=tuple(relations), exclude_entities=tuple(entities))

    # ---- what a question needs

    def _find_seeds(self, examples: Sequence[NLIExample]) -> set[str]:
        texts = [text for example in examples for text in (example.premise, example.hypothesis)]
        names = [key for example in examples for key in example.names.values()]
        asked = [iri for text in texts for name in curies_in(text) for iri in expansions(name, {})]
        asked += [iri for name in names for iri in (name, *expansions(name, {})) if is_iri(iri)]
        spellings = _spellings([*texts, *names], self)
        return self.facts.meant(spellings, values=self.linking.link_values) | set(filter(is_iri, asked))

    def _add_entities(self, part: GraphPart, entities: Iterable[str]) -> None:
        """Add the edges and labels of entities, and the names of the relations."""
        rows = self.facts.rows(entities)
        part.edges.update(edge for row in rows.values() for edge in row.edges)
        part.degrees.update((entity, row.num_edges) for entity, row in rows.items())
        part.labels |= self.facts.labels(rows)
        part.labels |= self.facts.relation_labels({relation for _, relation, _ in part.edges})

    def _find_ends(self, graph: KnowledgeGraph, examples: Sequence[NLIExample]) -> list[_Ends]:
        """Return between which candidates the paths of each example are searched.

        Paths end in words of the hypothesis that the premise lacks, or has in another place. They start at any word.
        """
        linker = EntityLinker(graph, self.linking)
        found = []
        for example in examples:
            premise, hypothesis = linker.link_pair(example.premise, example.hypothesis, example.names or None)
            ends = _end_mentions(premise, hypothesis)
            found.append(_Ends(_candidates(graph, [*premise, *hypothesis]), _candidates(graph, ends)))
        return found

    def _add_paths(self, part: GraphPart, pairs: Sequence[_Ends]) -> None:
        """Add the edges that join candidates, the degrees of what lies between, and its labels."""
        candidates = {key for pair in pairs if pair.ends for key in pair.starts}
        rows = self.facts.rows(candidates)
        between = {edge for row in rows.values() for edge in row.edges}
        near = {entity: _ends_of(row.edges) - {entity} for entity, row in rows.items()}
        part.degrees |= self.facts.degrees(set().union(*near.values()))
        within = candidates.union(*near.values())
        for row in self.facts.rows(self._between(part, pairs, near)).values():
            keeps_all = self.search.max_hops > SHORT_PATH + 1
            between.update(edge for edge in row.edges if keeps_all or (edge[0] in within and edge[2] in within))
        if self.search.max_hops > SHORT_PATH + 1:
            part.degrees |= self.facts.degrees(_met_twice(between) - part.degrees.keys())
        if self.search.climb:
            climbs = self._climbs(candidates, {relation for _, relation, _ in between})
            part.degrees |= self.facts.degrees(_ends_of(climbs) - part.degrees.keys())
            between |= climbs
        part.edges |= between
        part.labels |= self.facts.labels(_met_twice(between))
        part.labels |= self.facts.relation_labels({relation for _, relation, _ in between})

    def _between(self, part: GraphPart, pairs: Sequence[_Ends], near: dict[str, set[str]]) -> set[str]:
        """Return the neighbours of candidates whose edges tell of every path longer than two edges."""
        wanted: set[str] = set()
        if self.search.max_hops <= SHORT_PATH:
            return wanted
        for pair in pairs:
            sides = []
            for side in pair:
                around = set().union(*(near[entity] for entity in side if entity in near)) - self._closed
                sides.append({entity for entity in around if part.degrees[entity] <= self.search.max_degree})
            if self.search.max_hops > SHORT_PATH + 1:
                wanted.update(*sides)
            elif pair.ends:
                wanted |= min(sides, key=lambda side: sum(part.degrees[entity] for entity in side))
        return wanted

    def _climbs(self, candidates: set[str], met: set[str]) -> set[Edge]:
        """Return the edges of every climb from candidates, and from its top: they tell whether it leads both ways."""
        known = self._relations_only(self.facts.relations() or sorted(met))
        found_climbing = climbing_relations(known, self.search.taxonomic_relations)
        relations = frozenset(known.relation_id(relation) for relation in found_climbing)
        edges: set[Edge] = set()
        climbed: set[str] = set()
        tops = candidates
        for _ in range(CLIMB_HOPS + 1 if relations else 0):
            climbed |= tops
            found = self.facts.upward(tops, relations)
            edges |= found
            tops = {tail for _, _, tail in found} - climbed - self._closed
        return edges

    # ---- relations

    def _relations_only(self, relations: Sequence[str]) -> KnowledgeGraph:
        """Return a graph with relations and their names."""
        key = tuple(relations)
        if key not in self._named:
            edges = {(relation, relation, relation) for relation in relations}
            part = GraphPart(edges=edges, labels=self.facts.relation_labels(relations))
            self._named = {key: assemble(self.facts, part)}
        return self._named[key]


def _spellings(texts: Iterable[str], remote: RemoteGraph) -> list[str]:
    return seed_labels(texts, remote.linking.language, remote.linking.max_mention_words)


def _heirs(graph: KnowledgeGraph, entities: Iterable[str]) -> set[str]:
    """Return what replaces those of some entities that are deprecated: it is called by their labels too."""
    found = [graph.find_id(entity) for entity in entities]
    heirs = {heir for entity in found if entity >= 0 for heir in entity_status(graph, entity).replacements}
    return {graph.entity_id(heir) for heir in heirs}.difference(entities)


def _end_mentions(premise: Sequence[Mention], hypothesis: Sequence[Mention]) -> list[Mention]:
    """Return the mentions that paths may end in, as the search chooses them."""
    mentions = [*premise, *hypothesis]
    known = {mention.key for mention in premise}
    numbers: dict[str, int] = {}
    key = np.array([numbers.setdefault(mention.key, len(numbers)) for mention in mentions], dtype=np.int32)
    first = np.cumsum([0, *(len(mention.candidates) for mention in mentions)]).astype(np.int32)
    fresh = np.zeros(len(mentions), dtype=np.uint8)
    fresh[len(premise) :] = [mention.key not in known for mention in hypothesis]
    query = Query(first, key, fresh, np.zeros((0, CANDIDATE_WIDTH), dtype=np.int32), np.zeros(0))
    mark_moved(query, len(premise), len(mentions))
    return [mention for mention, is_end in zip(mentions, fresh.tolist(), strict=True) if is_end]


def _candidates(graph: KnowledgeGraph, mentions: Iterable[Mention]) -> frozenset[str]:
    return frozenset(graph.entity_id(item.entity) for mention in mentions for item in mention.candidates)


def _ends_of(edges: Iterable[Edge]) -> set[str]:
    return {end for head, _, tail in edges for end in (head, tail)}


def _met_twice(edges: Iterable[Edge]) -> set[str]:
    """Return the entities that have two edges or more, so that a path can lead through them."""
    met: set[str] = set()
    twice: set[str] = set()
    for head, _, tail in edges:
        for end in (head, tail):
            (twice if end in met else met).add(end)
    return twice
