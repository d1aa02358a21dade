"""The knowledge graph: names, labels, edges and sources by integer id, read from memory-mapped arrays.

What is stored once, where (all arrays may be memory maps; ids are int32):

    entity_text, entity_offset, entity_slot   term table of entity keys; entity_kind: IRI, blank, literal, text
    edge_head, edge_relation, edge_tail       [num_edges], sorted; the out-edges of an entity are neighbours
    edge_weight; out_offset, in_offset, in_edge   rows of edges per head and per tail
    edge_source, source_file, source_line     every place where an edge was stated
    qualified_source, qualified_set           rows of source_file that have qualifiers, and the set of each; none of
    qualifier_text, qualifier_offset          these where no statement is qualified (`qualifiers.py`); the sets as texts
    premise_offset, premise_edge              what the inferred edges, behind the others, rest on, and these edges by
    inferred_by_tail                          tail; none of these where nothing is inferred (`inferences.py`)
    relation_walk                             how path search walks each relation (`relation_walk.py`)
    alias_*                                   labels with language, prior, part of speech and source, by entity
    label_*                                   the trie over all labels (`label_index.py`)
    num_unseen                                edges of each entity that lie at an endpoint; only in a part of a graph
                                              in memory (`remote_graph.py`)

Edits lie over these arrays (`overlay.py`). Building is `builder.py`, files are `storage.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.errors import GraphError, UnknownEntityError
from kg_reason.kg.alias_kinds import ALIAS_KINDS, HIDDEN, OWN
from kg_reason.kg.builder import BuiltGraph, build_blocks
from kg_reason.kg.curies import expansions
from kg_reason.kg.edit_log import EDITS_FILE, Edit
from kg_reason.kg.graph_facts import Alias, GraphStats, Statement
from kg_reason.kg.inferences import Inferences
from kg_reason.kg.label_index import LabelIndex, exact
from kg_reason.kg.names import LITERAL, property_entity, readable_name, readable_relation
from kg_reason.kg.overlay import Overlay, apply_edits
from kg_reason.kg.qualifiers import NONE, WEIGHT, StoredQualifiers, shown_weight
from kg_reason.kg.storage import check_arrays, open_with_edits
from kg_reason.kg.terms import TermTable
from kg_reason.kg.triples import Source, Triple, literal_parts, triples_to_blocks
from kg_reason.kg.words import caseless, primary_language
from kg_reason.notebook import html_table

ENDPOINT_SCHEME = "sparql:"  # before an address that stands where a graph is named, see `remote_graph.py`

_NONE_UNSEEN = np.empty(0, dtype=np.int32)


class KnowledgeGraph:
    """A graph that is ready to be linked to, searched and shown. Read-only; see `editing.edit_graph` for changes."""

    def __init__(self, built: BuiltGraph, path: Path | None, overlay: Overlay) -> None:
        arrays = overlay.arrays
        self.path = path
        self.built = built  # without the edits, which lie over it
        self.fingerprint: str = overlay.fingerprint
        self.languages: tuple[str, ...] = overlay.languages
        self._primary_languages = tuple(primary_language(tag) for tag in overlay.languages)
        self.overlay = overlay
        self._arrays = arrays
        self.inferences = Inferences(arrays, overlay.removed, overlay.added)
        self._sources: tuple[str, ...] = (*built.header["sources"], EDITS_FILE)
        self._relations: tuple[str, ...] = overlay.relations
        self.prefixes: dict[str, str] = built.header.get("prefixes", {})
        self._relation_labels: list[str] | None = None
        self._qualifiers = StoredQualifiers.of(arrays)
        self._entities = TermTable(arrays["entity_text"], arrays["entity_offset"], arrays["entity_slot"])
        self.num_entities = len(self._entities) + len(overlay.entities)
        self.num_relations = len(self._relations)
        self.num_edges = overlay.num_edges
        self.edge_head: NDArray[np.int32] = arrays["edge_head"]
        self.edge_relation: NDArray[np.int32] = arrays["edge_relation"]
        self.edge_tail: NDArray[np.int32] = arrays["edge_tail"]
        self.edge_weight: NDArray[np.float32] = arrays["edge_weight"]
        self.out_start: NDArray[np.int64] = arrays["out_start"]
        self.out_end: NDArray[np.int64] = arrays["out_end"]
        self.in_start: NDArray[np.int64] = arrays["in_start"]
        self.in_end: NDArray[np.int64] = arrays["in_end"]
        self.in_edge: NDArray[np.int32] = arrays["in_edge"]
        self.relation_walk: NDArray[np.uint8] = arrays["relation_walk"]
        self.is_whole = "num_unseen" not in arrays  # and not what was fetched of it
        self.num_unseen: NDArray[np.int32] = arrays.get("num_unseen", _NONE_UNSEEN)
        self.alias_entity: NDArray[np.int32] = arrays["alias_entity"]
        self.alias_prior: NDArray[np.float32] = arrays["alias_prior"]
        self.alias_pos: NDArray[np.uint8] = arrays["alias_pos"]
        self.alias_language: NDArray[np.int16] = arrays["alias_language"]
        self.alias_is_value: NDArray[np.bool_] = arrays["alias_is_value"]
        self.num_aliases = len(self.alias_entity)
        self.label_index = LabelIndex(**{field: arrays[f"label_{field}"] for field in LabelIndex._fields})
        self.overlay_index = overlay.label_index

    def __repr__(self) -> str:
        """Return place and size in one line."""
        place = f"{str(self.path)!r}" if self.path else "in memory"
        return f"<KnowledgeGraph {place}: {self.num_edges:,} triples between {self.num_entities:,} entities>"

    @classmethod
    def open(cls, path: str | Path) -> KnowledgeGraph:
        """Open a graph folder by memory map, with its edits.

        Raises:
            GraphError: the folder is missing, of another version or damaged, or an endpoint is named.
        """
        if str(path).startswith(ENDPOINT_SCHEME):
            raise GraphError(
                f"{path}: found an endpoint, expected a graph folder: kg-reason build --endpoint URL --seed FILE makes "
                "one of what it holds around your sentences"
            )
        stored = open_with_edits(Path(path))
        if stored.edits:
            check_arrays(stored.built, Path(path))
        return cls(stored.built, Path(path), apply_edits(stored.built, stored.edits))

    @classmethod
    def from_triples(cls, triples: Iterable[Triple], config: BuildConfig | None = None) -> KnowledgeGraph:
        """Build a graph in memory; the sources of the triples are kept, every tail of a label relation is a label."""
        files: list[str] = []
        blocks = [(block, True) for block in triples_to_blocks(triples, files)]
        built = build_blocks(blocks, files, config or BuildConfig())
        return cls(built, None, apply_edits(built, ()))

    def with_edits(self, edits: Iterable[Edit]) -> KnowledgeGraph:
        """Return the graph with further edits laid over it, in memory; this one and its folder stay as they are."""
        return KnowledgeGraph(self.built, None, apply_edits(self.built, [*self.overlay.edits, *edits]))

    def check(self) -> None:
        """Make sure, once, that the stored arrays are as they were built; what follows their numbers calls this first.

        Raises:
            GraphError: an array was changed.
        """
        check_arrays(self.built, self.path)

    # ---- names

    def entity_id(self, entity: int) -> str:
        """Return the key of an entity: its IRI, blank node name, literal or text.

        Raises:
            GraphError: there is no such entity, which an array of the graph names all the same.
        """
        num_stored = len(self._entities)
        if not 0 <= entity < self.num_entities:
            raise GraphError(f"{self.path}: found entity {entity}, of {self.num_entities}: kg-reason doctor tells more")
        return self._entities.key(entity) if entity < num_stored else self.overlay.entities[entity - num_stored]

    def entity_label(self, entity: int, language: str = "") -> str:
        """Return the preferred label, in the given language where there is one, else a readable form of the key."""
        rows = self._alias_rows(entity)
        if not len(rows):
            return readable_name(self.entity_id(entity))
        if language:
            wanted = primary_language(language)
            for alias in rows:
                if self._primary_languages[self.alias_language[alias]] == wanted:
                    return self.alias_text(int(alias))
        return self.alias_text(int(rows[0]))

    def relation_id(self, relation: int) -> str:
        """Return the key of a relation."""
        return self._relations[relation]

    def relation_label(self, relation: int, language: str = "") -> str:
        """Return a relation's readable name: its label in the graph, else made from its key.

        Args:
            relation: its id.
            language: of the label where there is a choice; empty: English, in lower case, by which the settings and
                the model know relations.
        """
        if primary_language(language) not in ("", "en"):
            entity = self._described_by(self._relations[relation])
            for alias in self._alias_rows(entity) if entity >= 0 else ():
                if self._primary_languages[self.alias_language[alias]] == primary_language(language):
                    return self.alias_text(int(alias))
        if self._relation_labels is None:
            self._relation_labels = [self._name_relation(key) for key in self._relations]
        return self._relation_labels[relation]

    def _name_relation(self, key: str) -> str:
        entity = self._described_by(key)
        if entity >= 0:
            for alias in self._alias_rows(entity):
                language = self._primary_languages[self.alias_language[alias]]
                if self._arrays["alias_kind"][alias] not in (OWN, HIDDEN) and language in ("", "en"):
                    return self.alias_text(int(alias)).lower()
        return readable_relation(key)

    def _described_by(self, relation: str) -> int:
        """Return the entity whose labels name a relation, or -1 if there is none."""
        entity = self.find_id(property_entity(relation))
        return entity if entity >= 0 else self.find_id(relation)

    def find_id(self, key: str) -> int:
        """Return the entity with this id, or -1 if there is none; labels are not looked at."""
        self.check()
        entity = self._entities.find(key)
        return entity if entity >= 0 else self.overlay.entity_number.get(key, -1)

    def find_curie(self, name: str) -> int:
        """Return the entity that a CURIE stands for by the prefixes of the graph's files, or -1."""
        found = (self.find_id(iri) for iri in expansions(name, self.prefixes))
        return next((entity for entity in found if entity >= 0), -1)

    def find_entities(self, name: str) -> tuple[int, ...]:
        """Return the entities with this id, else those with this label (ignoring case), most usual first.

        An IRI may stand in angle brackets, or be a CURIE such as DOID:9352 or a number of Wikidata such as Q64. Among
        equally usual ones those come first that prefer the label.
        """
        entity = self.find_id(name)
        if entity < 0 and name.startswith("<") and name.endswith(">"):
            entity = self.find_id(name[1:-1])
        if entity < 0:
            entity = self.find_curie(name)
        if entity >= 0:
            return (entity,)
        found = [*exact(self.label_index, name).tolist(), *exact(self.overlay_index, name).tolist()]
        found = [alias for alias in found if self.alias_entity[alias] >= 0]
        kind, prior = self._arrays["alias_kind"], self.alias_prior
        found.sort(key=lambda alias: (-prior[alias], kind[alias], self.alias_entity[alias]))
        return tuple(dict.fromkeys(int(self.alias_entity[alias]) for alias in found))

    def entity(self, name: str) -> int:
        """Return the one entity with this id, CURIE or label.

        Raises:
            UnknownEntityError: none, or more than one; the message lists the candidates' ids.
        """
        found = self.find_entities(name)
        if len(found) == 1:
            return found[0]
        if not found:
            raise UnknownEntityError(f"the graph has no entity {name!r}")
        some = ", ".join(self.entity_id(entity) for entity in found[:6])
        raise UnknownEntityError(f"{len(found)} entities are called {name!r}, expected one: use an id such as {some}")

    def relation(self, name: str) -> int:
        """Return the one relation with this id, CURIE or readable name.

        Raises:
            UnknownEntityError: none, or more than one.
        """
        if name in self._relations:
            return self._relations.index(name)
        for iri in expansions(name, self.prefixes):
            if iri in self._relations:
                return self._relations.index(iri)
        wanted = caseless(name)
        found = [number for number in range(self.num_relations) if caseless(self.relation_label(number)) == wanted]
        if len(found) == 1:
            return found[0]
        fault = f"{len(found)} relations are called {name!r}" if found else f"the graph has no relation {name!r}"
        known = ", ".join(sorted(self.relation_label(number) for number in range(min(self.num_relations, 40))))
        raise UnknownEntityError(f"{fault}, expected one of: {known}")

    # ---- aliases and sources

    def _alias_rows(self, entity: int) -> NDArray[np.int64]:
        return self.overlay.alias_rows(entity)

    def alias_text(self, alias: int) -> str:
        """Return the text of an alias."""
        offset = self._arrays["alias_text_offset"]
        num_stored = len(offset) - 1
        if alias >= num_stored:
            return self.overlay.alias_texts[alias - num_stored]
        return self._arrays["alias_text"][offset[alias] : offset[alias + 1]].tobytes().decode()

    def aliases(self, entity: int) -> tuple[Alias, ...]:
        """Return the labels of an entity, the preferred first; empty for blank nodes."""
        return tuple(self.alias(int(row)) for row in self._alias_rows(entity))

    def alias(self, alias: int) -> Alias:
        """Return one alias by its number."""
        language = self.languages[self.alias_language[alias]]
        if self._arrays["alias_kind"][alias] == OWN and self._arrays["alias_is_value"][alias]:
            language = literal_parts(self.entity_id(int(self.alias_entity[alias]))).language
        return Alias(
            text=self.alias_text(alias),
            language=language,
            kind=ALIAS_KINDS[self._arrays["alias_kind"][alias]],
            prior=float(self.alias_prior[alias]),
            pos=chr(self.alias_pos[alias]) if self.alias_pos[alias] else "",
            source=self.alias_source(alias),
        )

    def alias_source(self, alias: int) -> Source:
        """Return where a label was stated; for an entity's own name, the first place where the entity occurs."""
        file = int(self._arrays["alias_file"][alias])
        if file >= 0:
            return Source(self._sources[file], int(self._arrays["alias_line"][alias]))
        edges = self.edges_of(int(self.alias_entity[alias]))
        sources = [source for edge in edges[:8] for source in self.edge_sources(edge)]
        return min(sources) if sources else Source("", 0)

    def edge_sources(self, edge: int) -> tuple[Source, ...]:
        """Return every place where an edge was stated, in the order of reading; of an inferred one what it rests on."""
        return tuple(statement.source for statement in self.edge_statements(edge))

    def edge_statements(self, edge: int) -> tuple[Statement, ...]:
        """Return every place where an edge was stated with its qualifiers there, in the order of reading.

        Those of an inferred edge are of the edges that it rests on, each place once, and tell the weights of these.
        """
        if edge in self.inferences:
            stated = [stated for ground in self.inferences.grounds(edge) for stated in self._weighed(ground)]
            return tuple({statement.source: statement for statement in stated}.values())
        bounds = self._arrays["edge_source"]
        files, lines = self._arrays["source_file"], self._arrays["source_line"]
        if edge >= len(bounds) - 1:
            edge, line = self.overlay.slot_origin[edge - len(bounds) + 1]
            if line:
                return (Statement(Source(EDITS_FILE, line), NONE),)
        first, last = int(bounds[edge]), int(bounds[edge + 1])
        sources = [Source(self._sources[files[row]], int(lines[row])) for row in range(first, last)]
        return tuple(map(Statement, sources, self._qualifiers.of_rows(first, last)))

    def _weighed(self, edge: int) -> tuple[Statement, ...]:
        """Return the statements of an edge, each with a weight where the edge has one other than 1."""
        weight = shown_weight(self.edge_weight[edge])
        told = {} if weight == 1.0 else {WEIGHT: (f"{weight:.9g}",)}
        return tuple(Statement(source, {**told, **own}) for source, own in self.edge_statements(edge))

    def stored_edge(self, edge: int) -> int:
        """Return the number that an edge had at the build, before edits moved it; -1 for one that an edit added."""
        num_stored = len(self._arrays["edge_source"]) - 1
        return edge if edge < num_stored else self.overlay.slot_origin[edge - num_stored][0]

    def edges_of(self, entity: int) -> list[int]:
        """Return the ids of the edges that start or end in an entity, out-edges first, each once."""
        outward = range(int(self.out_start[entity]), int(self.out_end[entity]))
        inward = self.in_edge[self.in_start[entity] : self.in_end[entity]].tolist()
        return [*outward, *(edge for edge in inward if self.edge_head[edge] != entity)]

    def live_edges(self) -> NDArray[np.int64]:
        """Return the ids of all edges int64 [num_edges] that no edit removed, by head."""
        self.check()
        if not self.overlay.edits:
            return np.arange(self.num_edges, dtype=np.int64)
        sizes = np.asarray(self.out_end - self.out_start, dtype=np.int64)
        ends = np.cumsum(sizes)
        return np.repeat(self.out_start - (ends - sizes), sizes) + np.arange(ends[-1] if len(ends) else 0)

    def is_value(self, entity: int) -> bool:
        """Tell whether an entity is a literal."""
        num_stored = len(self._entities)
        if entity < num_stored:
            return bool(self._arrays["entity_kind"][entity] == LITERAL)
        return self.overlay.entities[entity - num_stored].startswith('"')

    def _repr_html_(self) -> str:
        """Return the size of the graph for notebooks."""
        place = str(self.path) if self.path else "in memory"
        languages = ", ".join(language for language in self.languages if language)
        return html_table([
            ["graph", place],
            ["entities", f"{self.num_entities:,}"],
            ["relations", f"{self.num_relations:,}"],
            ["triples", f"{self.num_edges:,}"],
            ["languages", languages or "untagged"],
            ["fingerprint", self.fingerprint],
        ])

    def stats(self) -> GraphStats:
        """Return the counts of the graph."""
        edges = self.live_edges()
        relation_counts = np.bincount(self.edge_relation[edges], minlength=self.num_relations)
        stated = self._arrays["alias_file"] >= 0
        language_counts = np.bincount(self.alias_language[stated], minlength=len(self.languages))
        files = np.concatenate([self._arrays["source_file"], self._arrays["alias_file"][stated]])
        file_counts = np.bincount(files, minlength=len(self._sources))
        file_counts[-1] = len(self.overlay.edits)
        names = self._distinct_relation_names()
        inferred = self.inferences.edges()
        inferred_counts = Counter(self.edge_relation[inferred].tolist())
        return GraphStats(
            num_entities=self.num_entities,
            num_relations=self.num_relations,
            num_triples=self.num_edges,
            num_labels=int(stated.sum()),
            languages={name: int(count) for name, count in zip(self.languages, language_counts, strict=True) if count},
            sources={name: int(count) for name, count in zip(self._sources, file_counts, strict=True) if count},
            fingerprint=self.fingerprint,
            relations={
                names[number]: int(count)
                for number, count in sorted(enumerate(relation_counts), key=lambda item: -item[1])
                if count or number not in inferred_counts
            },
            inferred_relations={names[number]: count for number, count in inferred_counts.most_common()},
        )

    def _distinct_relation_names(self) -> list[str]:
        labels = [self.relation_label(number) for number in range(self.num_relations)]
        num_named = Counter(labels)
        return [
            f"{label} ({self.relation_id(number)})" if num_named[label] > 1 else label
            for number, label in enumerate(labels)
        ]
