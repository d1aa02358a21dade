"""What the statements of a graph say about its relations: which follow from which, for `closure.py`.

Axioms are known by the IRIs of RDFS, OWL and SKOS, by their CURIEs (`rdfs:subClassOf`) and, where nothing else is
called so, by their bare names (`subClassOf`, `disjoint with`); `is a`, and P31 and P279 of Wikidata, count as what they
mean. Other relations are what the graph declares of them: `hypernym rdf:type owl:TransitiveProperty`.

What OWL and OBO say between two declared classes means "some": from `tail part of some dog` it does not follow that
dogs have tails. So what a file declares to be inverse or symmetric, and domains and ranges, do not apply where both
ends of an edge are of the type owl:Class; chains and sub-properties do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.errors import GraphError
from kg_reason.kg.curies import OWL, RDF, RDFS, SKOS, XSD
from kg_reason.kg.names import BLANK, LITERAL, property_entity, readable_relation, term_kind
from kg_reason.kg.ontology import MAX_STATED, EdgeRows
from kg_reason.kg.terms import TermInterner
from kg_reason.kg.words import plain_name

_WIKIDATA = "http://www.wikidata.org/prop/direct/"
_PREFIXES = {RDF: "rdf:", RDFS: "rdfs:", OWL: "owl:", SKOS: "skos:", _WIKIDATA: "wdt:"}

TYPE, SUBCLASS, SUBPROPERTY = RDF + "type", RDFS + "subClassOf", RDFS + "subPropertyOf"
DOMAIN, RANGE, INVERSE = RDFS + "domain", RDFS + "range", OWL + "inverseOf"
SAME_CLASS, SAME_PROPERTY, DISJOINT = OWL + "equivalentClass", OWL + "equivalentProperty", OWL + "disjointWith"
_BARE = (
    SUBCLASS, SUBPROPERTY, INVERSE, SAME_CLASS, SAME_PROPERTY, DISJOINT, SKOS + "broader", SKOS + "narrower",
)  # fmt: skip
_ALSO = {
    TYPE: ("instance_of", "instance of", _WIKIDATA + "P31", "wdt:P31", "P31"),
    SUBCLASS: ("is_a", "is a", "subclass of", "subclass_of", _WIKIDATA + "P279", "wdt:P279", "P279"),
}
_TRANSITIVE, _SYMMETRIC = "TransitiveProperty", "SymmetricProperty"
# What everything is, so that saying it of a thing says nothing.
_TRIVIAL = (OWL + "Thing", "owl:Thing", RDFS + "Resource", "rdfs:Resource")
# What the vocabularies say themselves: relation, what follows from it, whether the other way round.
_BUILT_IN = (
    (SAME_CLASS, SUBCLASS, False), (SAME_CLASS, SAME_CLASS, True),
    (SAME_PROPERTY, SUBPROPERTY, False), (SAME_PROPERTY, SAME_PROPERTY, True),
    *((SKOS + first, SKOS + second, turned) for first, second, turned in (
        ("broader", "narrower", True), ("narrower", "broader", True), ("related", "related", True),
        ("broader", "broaderTransitive", False), ("narrower", "narrowerTransitive", False),
        ("broaderTransitive", "narrowerTransitive", True), ("narrowerTransitive", "broaderTransitive", True),
        ("broadMatch", "broader", False), ("narrowMatch", "narrower", False), ("relatedMatch", "related", False),
        ("broadMatch", "narrowMatch", True), ("narrowMatch", "broadMatch", True),
        ("relatedMatch", "relatedMatch", True), ("closeMatch", "closeMatch", True),
        ("exactMatch", "exactMatch", True), ("exactMatch", "closeMatch", False),
    )),
)  # fmt: skip
_BUILT_IN_TRANSITIVE = (
    SUBCLASS, SUBPROPERTY, SAME_CLASS, SAME_PROPERTY, SKOS + "broaderTransitive", SKOS + "narrowerTransitive",
    SKOS + "exactMatch",
)  # fmt: skip

_ROLES = tuple(dict.fromkeys([
    TYPE, DOMAIN, RANGE, INVERSE, DISJOINT, *_BUILT_IN_TRANSITIVE, *(iri for link in _BUILT_IN for iri in link[:2])
]))  # fmt: skip

Flags = NDArray[np.bool_]


class Consequence(NamedTuple):
    """What follows from an edge of a relation.

    Attributes:
        relation: of the edge that follows.
        turned: whether it leads the other way round.
        rows: the statements that say so.
        is_declared: whether a file says that it leads the other way round, and not a vocabulary.
    """

    relation: int
    turned: bool
    rows: tuple[int, ...] = ()
    is_declared: bool = False


class TypeRule(NamedTuple):
    """The class of what an edge starts at, or of what it ends in, and the statements that say so."""

    of_tail: bool
    entity: int
    rows: tuple[int, ...]


class Axioms:
    """The axioms of one graph, by relation.

    Args:
        rows: every statement that is no label.
        entities: of heads and tails.
        relations: of the statements; grows by relations that only axioms name.

    Attributes:
        canonical: int32 [num_relations], of each relation the one that stands for all of its spellings.
        transitive: the relations whose chains are edges, with the statements that say so.
        is_class: bool [num_terms], which are declared to be of the type owl:Class.
        is_literal: bool [num_terms].
        is_trivial: bool [num_terms], what everything is.
    """

    def __init__(self, rows: EdgeRows, entities: TermInterner, relations: TermInterner) -> None:
        self._rows, self._entities, self._relations = rows, entities, relations
        sizes = np.bincount(rows.relation, minlength=relations.num_terms)
        writes_curies = _writes_curies(relations)
        self._role: dict[str, int] = {}
        spellings: dict[int, int] = {}
        for iri in _ROLES:
            found = [number for number in map(relations.find, _spellings(iri)) if number >= 0]
            chosen = max(found, key=lambda number: int(sizes[number]), default=-1)
            key = _curie(iri) if writes_curies else iri
            self._role[iri] = chosen if chosen >= 0 else int(relations.intern_keys([key])[0])
            spellings.update(dict.fromkeys(found, self._role[iri]))
        self.canonical = np.arange(relations.num_terms, dtype=np.int32)
        self.canonical[list(spellings)] = list(spellings.values())
        self._relation_of: dict[int, int] = {}
        for number in range(relations.num_terms):
            key = relations.key(number)
            for entity in (entities.find(property_entity(key)), entities.find(key)):
                if entity >= 0:
                    self._relation_of[entity] = int(self.canonical[number])
        self.is_literal = entities.keys_with_prefix('"')
        self.is_trivial = np.zeros(entities.num_terms, dtype=bool)
        self.is_trivial[[entity for entity in map(entities.find, _TRIVIAL) if entity >= 0]] = True
        self.is_class = np.zeros(entities.num_terms, dtype=bool)
        self.is_class[rows.head[self._of_type("Class")]] = True
        self.transitive: dict[int, tuple[int, ...]] = {self._role[iri]: () for iri in _BUILT_IN_TRANSITIVE}
        self._links: dict[int, list[Consequence]] = {}
        for first, second, turned in _BUILT_IN:
            self._link(self._role[first], Consequence(self._role[second], turned))
        self._types: dict[int, list[TypeRule]] = {}
        self._read()
        grown = np.arange(len(self.canonical), relations.num_terms, dtype=np.int32)
        self.canonical = np.concatenate([self.canonical, grown])

    def relation(self, iri: str) -> int:
        """Return the relation that stands for all spellings of a term of the vocabularies that is named here."""
        return self._role[iri]

    def with_rules(self) -> set[int]:
        """Return the relations from whose edges anything may follow, or that may follow from others."""
        found = {*self.transitive, *self._links, *self._types}
        found |= {link.relation for links in self._links.values() for link in links}
        return found | {self._role[TYPE], self._role[DISJOINT]}

    def consequences(self, relation: int) -> Iterator[Consequence]:
        """Yield what follows from an edge of a relation, each relation and direction once, the nearest first.

        Raises:
            GraphError: more than MAX_STATED statements lead to one of them.
        """
        seen = {(relation, False)}
        waiting = [Consequence(relation, turned=False)]
        while waiting:
            here = waiting.pop(0)
            for link in self._links.get(here.relation, ()):
                turned = here.turned != link.turned
                if (link.relation, turned) not in seen:
                    seen.add((link.relation, turned))
                    declared = here.is_declared or (link.turned and link.is_declared)
                    following = Consequence(link.relation, turned, (*here.rows, *link.rows), declared)
                    if len(following.rows) > MAX_STATED:
                        found = f"found more than {MAX_STATED} relations above {self._relations.key(relation)}"
                        raise GraphError(f"infer: {found}, each above the last")
                    waiting.append(following)
                    yield following

    def type_rules(self, relation: int) -> Iterator[TypeRule]:
        """Yield the classes of both ends of an edge of a relation, by domains and ranges of all that it implies."""
        for implied in (Consequence(relation, turned=False), *self.consequences(relation)):
            for rule in self._types.get(implied.relation, ()):
                yield TypeRule(rule.of_tail != implied.turned, rule.entity, (*implied.rows, *rule.rows))

    def _read(self) -> None:
        for row, first, second in self._between_relations(SUBPROPERTY):
            self._link(first, Consequence(second, False, (row,)))
        for row, first, second in self._between_relations(SAME_PROPERTY):
            self._link(first, Consequence(second, False, (row,)))
            self._link(second, Consequence(first, False, (row,)))
        for row, first, second in self._between_relations(INVERSE):
            self._link(first, Consequence(second, True, (row,), is_declared=True))
            self._link(second, Consequence(first, True, (row,), is_declared=True))
        for row in self._sorted(self._of_type(_SYMMETRIC)):
            relation = self._as_relation(int(self._rows.head[row]))
            if relation >= 0:
                self._link(relation, Consequence(relation, True, (row,), is_declared=True))
        for row in self._sorted(self._of_type(_TRANSITIVE)):
            relation = self._as_relation(int(self._rows.head[row]))
            if relation >= 0:
                self.transitive.setdefault(relation, (row,))
        for iri, of_tail in ((DOMAIN, False), (RANGE, True)):
            for row in self._stated(iri):
                relation, entity = self._as_relation(int(self._rows.head[row])), int(self._rows.tail[row])
                if relation >= 0 and not self.is_trivial[entity] and not self._is_datatype(entity):
                    self._types.setdefault(relation, []).append(TypeRule(of_tail, entity, (row,)))

    def _link(self, relation: int, link: Consequence) -> None:
        self._links.setdefault(relation, []).append(link)

    def _stated(self, iri: str) -> list[int]:
        names = [number for number in range(len(self.canonical)) if self.canonical[number] == self._role[iri]]
        return self._sorted(np.flatnonzero(np.isin(self._rows.relation, names)))

    def _between_relations(self, iri: str) -> Iterator[tuple[int, int, int]]:
        for row in self._stated(iri):
            first, second = (self._as_relation(int(end[row])) for end in (self._rows.head, self._rows.tail))
            if first >= 0 and second >= 0:
                yield row, first, second

    def _of_type(self, name: str) -> NDArray[np.int64]:
        """Return the rows that state something to be of a type of OWL."""
        types = [number for number in range(len(self.canonical)) if self.canonical[number] == self._role[TYPE]]
        named = [self._entities.find(key) for key in (OWL + name, "owl:" + name, name)]
        of_type = np.isin(self._rows.relation, types) & np.isin(self._rows.tail, [n for n in named if n >= 0])
        return np.flatnonzero(of_type)

    def _sorted(self, rows: NDArray[np.int64]) -> list[int]:
        """Return rows in an order that does not depend on that of the files, each statement once."""
        chosen: dict[tuple[str, str], int] = {}
        for row in rows.tolist():
            ends = self._entities.key(int(self._rows.head[row])), self._entities.key(int(self._rows.tail[row]))
            chosen.setdefault(ends, row)
        return [chosen[ends] for ends in sorted(chosen)]

    def _as_relation(self, entity: int) -> int:
        """Return the relation that an entity is, -1 for blank nodes and values."""
        if entity not in self._relation_of:
            key = self._entities.key(entity)
            is_name = term_kind(key) not in (BLANK, LITERAL)
            self._relation_of[entity] = int(self._relations.intern_keys([key])[0]) if is_name else -1
        return self._relation_of[entity]

    def _is_datatype(self, entity: int) -> bool:
        key = self._entities.key(entity)
        return key.startswith((XSD, "xsd:")) or key in (RDFS + "Literal", "rdfs:Literal")


def named_relations(names: Sequence[str], relations: TermInterner) -> tuple[set[int], list[str]]:
    """Return the relations of some ids or readable names, and the names that are those of none."""
    keys = [relations.key(number) for number in range(relations.num_terms)]
    found: set[int] = set()
    unknown = []
    for name in names:
        plain = plain_name(name)
        same = {number for number, key in enumerate(keys) if name == key or plain in (plain_name(key), _local(key))}
        found |= same
        unknown += [] if same else [name]
    return found, unknown


def _local(key: str) -> str:
    return plain_name(readable_relation(key))


def _writes_curies(relations: TermInterner) -> bool:
    """Tell whether a graph writes relations of the vocabularies as CURIEs, and none as an IRI."""
    keys = [relations.key(number) for number in range(relations.num_terms)]
    has_curies, has_iris = (
        any(key.startswith(tuple(starts)) for key in keys) for starts in (_PREFIXES.values(), _PREFIXES)
    )
    return has_curies and not has_iris


def _spellings(iri: str) -> Iterable[str]:
    """Return the ways to write a term of the vocabularies."""
    local = iri.rpartition("#")[2]
    bare = (local, readable_relation(iri)) if iri in _BARE else ()
    return (iri, _curie(iri), *bare, *_ALSO.get(iri, ()))


def _curie(iri: str) -> str:
    space = next(space for space in _PREFIXES if iri.startswith(space))
    return _PREFIXES[space] + iri[len(space) :]
