"""From linked mentions to the paths between them.

The search itself is `search.py`; this room turns mentions and settings into its arrays and its rows into a PathTable.
What the paths span is `subgraph.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import RetrieverConfig
from kg_reason.kg.curies import OWL, RDF, RDFS, SKOS
from kg_reason.kg.edge_walks import edge_walks
from kg_reason.kg.exclusion import excluded_entities, excluded_relations
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.hierarchies import climbing_relations
from kg_reason.kg.inferred_paths import Excluded, InferredPaths
from kg_reason.kg.linker import Candidate, Mention
from kg_reason.kg.path_features import NUM_PATH_FEATURES, measure_paths
from kg_reason.kg.paths import PathTable
from kg_reason.kg.relation_walk import BOTH_WAYS, ONE_OF_TWO, SKIP
from kg_reason.kg.search import (
    CANDIDATE_ALIAS,
    CANDIDATE_ENTITY,
    CANDIDATE_WIDTH,
    CHAIN_WIDTH,
    CHAINS,
    CODE,
    END,
    END_CANDIDATE,
    ENTITY,
    ENTRY_WIDTH,
    FULL,
    KIND,
    LAST_MARK,
    LENGTH,
    MAX_ENDS,
    MAX_PER_ENTITY,
    MAX_STEPS,
    MET_WIDTH,
    NUM_COUNTERS,
    START,
    START_CANDIDATE,
    STEP_WIDTH,
    STEPS,
    VISIT_WIDTH,
    WIDTH,
    Limits,
    Memory,
    Query,
    Rows,
    Scratch,
    find_paths,
)

NUM_MENTIONS = 256
NUM_CANDIDATES = 1_024
TABLE_SLOTS = 1 << 17
TABLE_ENTRIES = 1 << 16
MAX_VISITED = 1 << 15  # visits of one start mention; what is beyond is not looked at
MEMORY_STEPS = 1 << 20  # remembered steps of the graph, 20 bytes each

# Words of the RDF vocabularies that many edges lead to: what things are said to be, which says nothing of the world.
VOCABULARY = tuple(
    namespace + name
    for namespace, names in (
        (
            RDF,
            "Property Statement List nil Bag Seq Alt langString HTML XMLLiteral JSON PlainLiteral",
        ),
        (
            RDFS,
            "Resource Class Literal Datatype Container ContainerMembershipProperty",
        ),
        (
            OWL,
            "Thing Nothing Class NamedIndividual Ontology ObjectProperty DatatypeProperty AnnotationProperty "
            "OntologyProperty FunctionalProperty InverseFunctionalProperty SymmetricProperty AsymmetricProperty "
            "TransitiveProperty ReflexiveProperty IrreflexiveProperty DeprecatedClass DeprecatedProperty DataRange "
            "Restriction Axiom Annotation AllDifferent AllDisjointClasses AllDisjointProperties "
            "NegativePropertyAssertion topObjectProperty bottomObjectProperty topDataProperty bottomDataProperty",
        ),
        (
            SKOS,
            "Concept ConceptScheme Collection OrderedCollection",
        ),
    )
    for name in names.split()
)


class Retriever:
    """Finds the paths between the mentions of a premise and a hypothesis. One per thread: its memory is reused.

    Args:
        graph: in which paths are searched.
        config: settings.

    Attributes:
        inverse: int32 [num_relations], the relation that states the same edges the other way round, -1 if none does.

    Raises:
        UnknownEntityError: a relation of `exclude_relations` or an entity of `exclude_entities` is not in the graph.
    """

    def __init__(self, graph: KnowledgeGraph, config: RetrieverConfig | None = None) -> None:
        graph.check()
        self.graph = graph
        self.config = config = config or RetrieverConfig()
        self._excluded = excluded_entities(graph, config.exclude_entities)
        self._rows, self.inverse = _graph_rows(graph, config, self._excluded)
        self._inferred = _inferred_paths(graph, self._rows, self.inverse, config, self._excluded)
        self._has_twins = bool((self._rows.twin >= 0).any())
        self._limits = Limits(
            max_hops=config.max_hops,
            climb=int(config.climb),
            place_climb=config.place_climb,
            max_degree=config.max_degree,
            max_per_pair=config.max_paths_per_pair,
            hypothesis_paths=int(config.hypothesis_paths),
            doubtful_hops=config.doubtful_hops,
        )
        self._query = _make_query(NUM_MENTIONS, NUM_CANDIDATES)
        self._scratch = _make_scratch(config, TABLE_ENTRIES, TABLE_SLOTS)
        self._memory = _make_memory(graph, MEMORY_STEPS)
        self._find_paths = find_paths
        self._measure_paths = measure_paths

    def retrieve(self, premise: Sequence[Mention], hypothesis: Sequence[Mention]) -> PathTable:
        """Return the best paths between the mentions of one example, best first.

        Searched are premise mentions x hypothesis mentions whose key does not occur in the premise, and pairs of two
        such hypothesis mentions (if the settings say so). A hypothesis word that stands in the premise starts no path
        of its own: its premise mention starts the same ones; and it ends only paths from a word in whose place it
        stands (`search.stand_in_place`), if the premise has it elsewhere.

        Args:
            premise: mentions, linked to the same graph; those without candidates start nothing.
            hypothesis: the same.

        Returns:
            At most `max_paths` paths; an empty table where nothing was found.
        """
        num_premise, num_mentions = len(premise), len(premise) + len(hypothesis)
        known = {mention.key for mention in premise}
        fresh = [0] * num_premise + [mention.key not in known for mention in hypothesis]
        if True not in fresh and [mention.key for mention in premise] == [mention.key for mention in hypothesis]:
            return PathTable.empty()
        mentions = [*premise, *hypothesis]
        if self._excluded:
            mentions = [self._without_excluded(mention) for mention in mentions]
        query = self._pack_query(mentions, fresh)
        count = -1
        while count < 0:
            memory = self._fresh_memory()
            count = self._find_paths(
                self._rows, self._limits, memory, query, self._scratch, num_premise, num_mentions
            )
        if self._inferred is not None:
            count = self._inferred.offer(query, self._limits, self._scratch, (num_premise, num_mentions, count))
        if not count:
            return PathTable.empty()
        rows, scores = self._scratch.kept_rows, self._scratch.kept_scores
        features = np.empty((count, NUM_PATH_FEATURES), dtype=np.float32)
        self._measure_paths(self._rows, query, rows, scores, num_premise, num_mentions, features)
        rows, scores = rows[:count], scores[:count]
        kinds, codes = rows[:, KIND : KIND + MAX_STEPS], rows[:, CODE : CODE + MAX_STEPS]
        used = kinds >= 0
        relations, forward = kinds >> 1, used & (kinds & 1 == 0)
        if self._has_twins:  # a step over an edge that only the inverse relation states is told by the relation walked
            turned = used & (self._rows.twin[relations] >= 0)
            relations = np.where(turned, self._rows.twin[relations], relations)
            forward = forward ^ turned
        return PathTable(
            entities=rows[:, ENTITY : ENTITY + MAX_STEPS + 1].copy(),
            relations=relations,
            forward=forward,
            edges=np.where(used, codes ^ (codes >> 31), -1),  # x ^ (x >> 31) is ~x below 0
            length=rows[:, LENGTH].astype(np.int8),
            start=rows[:, START].astype(np.int16),
            end=rows[:, END].astype(np.int16),
            features=features,
            start_alias=query.candidate[rows[:, START_CANDIDATE], CANDIDATE_ALIAS],
            end_alias=query.candidate[rows[:, END_CANDIDATE], CANDIDATE_ALIAS],
            score=scores.astype(np.float32),
        )

    def walkable(self) -> NDArray[np.bool_]:
        """Tell whether paths walk each relation forward, and backward, bool [num_relations, 2]."""
        walk, is_told = self._rows.walk, self._rows.twin < 0  # a relation with a twin is told as that
        return np.stack([(walk != SKIP) & is_told, (walk >= ONE_OF_TWO) & is_told], axis=1)

    def climbs(self) -> NDArray[np.uint8]:
        """Return 1 for each relation that climbs to something wider, uint8 [num_relations]."""
        return self._rows.climbs

    def warm_up(self) -> None:
        """Compile the search, or read it from numba's cache, before the first query."""
        if not self.graph.num_entities or not self.graph.num_aliases:
            return
        alias = 0
        candidate = Candidate(entity=int(self.graph.alias_entity[alias]), score=1.0, alias=alias)
        first, second = (Mention(0, 1, key, key, (candidate,)) for key in ("a", "b"))
        self.retrieve((first,), (second,))

    def _without_excluded(self, mention: Mention) -> Mention:
        """Return a mention without its excluded candidates: no path starts at them or ends in them."""
        kept = [candidate for candidate in mention.candidates if candidate.entity not in self._excluded]
        return replace(mention, candidates=tuple(kept))

    def _fresh_memory(self) -> Memory:
        # What is remembered only grows; it is dropped when half full, and doubled if one example needed all of it.
        memory, counters = self._memory, self._scratch.counters
        num_steps = len(memory.steps)
        if counters[FULL] or 2 * counters[STEPS] > num_steps or 2 * counters[CHAINS] > len(memory.chains):
            self._memory = _make_memory(self.graph, 2 * num_steps if counters[FULL] else num_steps)
            counters[[STEPS, CHAINS, FULL]] = 0
        return self._memory

    def _pack_query(self, mentions: list[Mention], fresh: list[int]) -> Query:
        candidates = [candidate for mention in mentions for candidate in mention.candidates]
        widest = max(len(mention.candidates) for mention in mentions)
        if len(mentions) >= len(self._query.key) or len(candidates) > len(self._query.score):
            self._query = _make_query(2 * len(mentions), 2 * len(candidates) + NUM_CANDIDATES)
        if widest * MAX_PER_ENTITY > len(self._scratch.entries):
            num_entries = widest * MAX_PER_ENTITY
            scratch = _make_scratch(self.config, num_entries, 2 << num_entries.bit_length())
            scratch.counters[:] = self._scratch.counters
            self._scratch = scratch
        query = self._query
        numbers: dict[str, int] = {}
        first, total = [0], 0
        for mention in mentions:
            total += len(mention.candidates)
            first.append(total)
        query.first[: len(first)] = first
        query.key[: len(mentions)] = [numbers.setdefault(mention.key, len(numbers)) for mention in mentions]
        query.fresh[: len(mentions)] = fresh
        query.candidate[:total, CANDIDATE_ENTITY] = [candidate.entity for candidate in candidates]
        query.candidate[:total, CANDIDATE_ALIAS] = [candidate.alias for candidate in candidates]
        query.score[:total] = [candidate.score for candidate in candidates]
        return query


def _graph_rows(
    graph: KnowledgeGraph, config: RetrieverConfig, closed_entities: Collection[int]
) -> tuple[Rows, NDArray[np.int32]]:
    """Return the graph as the search reads it, and the inverse of each relation, see `EdgeWalks`."""
    excluded = excluded_relations(graph, config.exclude_relations)
    climbing = climbing_relations(graph, config.taxonomic_relations)
    climbing = [number for number in climbing if number not in excluded]
    walks = edge_walks(graph, excluded, climbing, doubt=graph.is_whole and config.doubtful_hops < MAX_STEPS)
    climbing = [relation for relation in climbing if walks.walk[relation] in (ONE_OF_TWO, BOTH_WAYS)]
    climbs = np.zeros(graph.num_relations, dtype=np.uint8)
    climbs[climbing] = 1
    arrays = {name: _freeze(getattr(graph, name)) for name in Rows._fields if hasattr(graph, name)}
    closed = np.zeros(graph.num_entities, dtype=np.uint8)
    closed[sorted(closed_entities)] = 1
    if not config.walk_vocabulary:
        found = (graph.find_id(iri) for iri in VOCABULARY)
        closed[[entity for entity in found if entity >= 0]] = 1
    climb_relation = np.array(climbing, dtype=np.int32)
    doubtful = np.flatnonzero(walks.doubtful)
    ends = np.concatenate([graph.edge_head[doubtful], graph.edge_tail[doubtful]])
    degree_shift = -np.bincount(ends, minlength=graph.num_entities).astype(np.int32)
    degree_shift[: len(graph.num_unseen)] += graph.num_unseen
    rows = Rows(
        **arrays, walk=walks.walk, twin=walks.twin, doubtful=walks.doubtful, degree_shift=degree_shift, climbs=climbs,
        climb_relation=climb_relation, closed=closed,
    )  # fmt: skip
    return rows, walks.inverse


def _inferred_paths(
    graph: KnowledgeGraph, rows: Rows, inverse: NDArray[np.int32], config: RetrieverConfig, entities: Collection[int]
) -> InferredPaths | None:
    """Return the paths of single inferred edges; None where the graph has none."""
    if not graph.inferences.num:
        return None
    named = excluded_relations(graph, config.exclude_relations)
    relations = named | {int(inverse[number]) for number in named}
    return InferredPaths(graph, rows.walk, Excluded(relations, entities))


def _freeze(array: NDArray[Any]) -> NDArray[Any]:
    # Memory-mapped arrays are read-only; making all of them so spares compiling the search twice.
    view = np.ascontiguousarray(array).view(np.ndarray)
    view = view[:]
    view.flags.writeable = False
    return view


def _make_query(num_mentions: int, num_candidates: int) -> Query:
    return Query(
        first=np.zeros(num_mentions + 1, dtype=np.int32),
        key=np.zeros(num_mentions, dtype=np.int32),
        fresh=np.zeros(num_mentions, dtype=np.uint8),
        candidate=np.zeros((num_candidates, CANDIDATE_WIDTH), dtype=np.int32),
        score=np.zeros(num_candidates, dtype=np.float64),
    )


def _make_memory(graph: KnowledgeGraph, num_steps: int) -> Memory:
    # Zeroed memory costs nothing before it is touched.
    return Memory(
        met=np.zeros((graph.num_entities, MET_WIDTH), dtype=np.int32),
        steps=np.zeros((num_steps, STEP_WIDTH), dtype=np.int32),
        chains=np.zeros((num_steps // 2, CHAIN_WIDTH), dtype=np.int32),
    )


def _make_scratch(config: RetrieverConfig, num_entries: int, num_slots: int) -> Scratch:
    return Scratch(
        marks=np.zeros(LAST_MARK + 1, dtype=np.uint8),
        slots=np.zeros((num_slots, 4), dtype=np.int32),
        entries=np.zeros((num_entries, ENTRY_WIDTH), dtype=np.int32),
        visits=np.zeros((MAX_VISITED, VISIT_WIDTH), dtype=np.int32),
        row=np.zeros(WIDTH, dtype=np.int32),
        ends=np.zeros(MAX_ENDS, dtype=np.int32),
        allowed=np.zeros(MAX_ENDS, dtype=np.uint8),
        in_place=np.zeros(MAX_ENDS, dtype=np.uint8),
        pair_rows=np.zeros((MAX_ENDS, 2, config.max_paths_per_pair, WIDTH), dtype=np.int32),
        pair_scores=np.zeros((MAX_ENDS, 2, config.max_paths_per_pair), dtype=np.float64),
        pair_counts=np.zeros((MAX_ENDS, 3), dtype=np.int64),
        kept_rows=np.zeros((config.max_paths, WIDTH), dtype=np.int32),
        kept_scores=np.zeros(config.max_paths, dtype=np.float64),
        counters=np.zeros(NUM_COUNTERS, dtype=np.int64),
    )
