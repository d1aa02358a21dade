"""OBO files (.obo) as the edges and labels that the same ontology has in OWL, after folding (`ontology.py`).

Identifiers become the IRIs of the standard translation: DOID:9352 is http://purl.obolibrary.org/obo/DOID_9352. Other
namespaces are declared by `idspace` headers, and a name without a prefix such as `part_of` is the RO or BFO term that
its [Typedef] gives as `xref`, else `http://purl.obolibrary.org/obo/ONTOLOGY#part_of`. `union_of`, relationships for
every filler only (`all_only`) or for none (a cardinality of 0), and tags that state nothing of the world are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

import numpy as np

from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.curies import OBO, OBO_IN_OWL, OWL, RDFS, XSD, join_prefixes
from kg_reason.kg.obo_clauses import Clause, Stanza, quoted_text, read_stanzas, unescape
from kg_reason.kg.ontology import DISJOINT, SUBCLASS, TYPE
from kg_reason.kg.triples import ROWS_PER_BLOCK, BlockBuilder, TripleBlock, literal_key

TRUE = literal_key("true", datatype=XSD + "boolean")
TERM, TYPEDEF, INSTANCE = "Term", "Typedef", "Instance"
SCOPES = {
    "EXACT": "hasExactSynonym", "NARROW": "hasNarrowSynonym", "BROAD": "hasBroadSynonym",
    "RELATED": "hasRelatedSynonym",
}  # fmt: skip
_SCOPED_TAGS = {
    "exact_synonym": "EXACT", "narrow_synonym": "NARROW", "broad_synonym": "BROAD", "related_synonym": "RELATED",
}  # fmt: skip
_TEXT_TAGS = {
    "name": RDFS + "label", "comment": RDFS + "comment", "namespace": OBO_IN_OWL + "hasOBONamespace",
    "alt_id": OBO_IN_OWL + "hasAlternativeId", "created_by": OBO_IN_OWL + "created_by",
    "creation_date": OBO_IN_OWL + "creation_date",
}  # fmt: skip
_ENTITY_TAGS = {
    "disjoint_from": DISJOINT, "instance_of": TYPE, "replaced_by": OBO + "IAO_0100001",
    "consider": OBO_IN_OWL + "consider", "subset": OBO_IN_OWL + "inSubset", "domain": RDFS + "domain",
    "range": RDFS + "range", "inverse_of": OWL + "inverseOf",
}  # fmt: skip
_FLAG_TAGS = {
    "is_obsolete": (OWL + "deprecated", TRUE),
    "is_transitive": (TYPE, OWL + "TransitiveProperty"),
    "is_symmetric": (TYPE, OWL + "SymmetricProperty"),
    "is_asymmetric": (TYPE, OWL + "AsymmetricProperty"),
    "is_reflexive": (TYPE, OWL + "ReflexiveProperty"),
    "is_functional": (TYPE, OWL + "FunctionalProperty"),
    "is_inverse_functional": (TYPE, OWL + "InverseFunctionalProperty"),
}
_BY_KIND = {
    "is_a": {TERM: SUBCLASS, TYPEDEF: RDFS + "subPropertyOf"},
    "equivalent_to": {TERM: OWL + "equivalentClass", TYPEDEF: OWL + "equivalentProperty"},
}
_TYPES = {TERM: OWL + "Class", TYPEDEF: OWL + "ObjectProperty", INSTANCE: OWL + "NamedIndividual"}
_MAPPED = ("RO:", "BFO:")  # prefixes of the terms that a Typedef may stand for
_ABSOLUTE = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|urn:)\S+")
_CANONICAL = re.compile(r"([A-Za-z]+):([0-9]+)")
_FORBIDDEN = re.compile(r'[\x00-\x20<>"{}|^`\\]')


class _Row(NamedTuple):
    """One triple of a stanza; a relation that a Typedef further down may map stands there by its `short` name."""

    relation: str
    tail: str
    line: int
    short: bool = False


class _ClauseError(ValueError):
    """What is wrong with a clause."""


def read_obo(
    stream: BinaryIO, name: str, file: int, bad_lines: BadLines, prefixes: dict[str, str] | None = None
) -> Iterator[TripleBlock]:
    """Read an OBO file; bad lines are noted and passed over, and so are stanzas without an id.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the lines that could not be read.
        prefixes: grows by the `idspace` headers.

    Raises:
        InputSyntaxError: the stream cannot be read, or a line is too long.
    """
    stanzas = read_stanzas(stream, name, bad_lines)
    identifiers = Identifiers(next(stanzas).clauses)
    join_prefixes({} if prefixes is None else prefixes, identifiers.spaces.items())
    reader = _Reader(identifiers, name, bad_lines)
    block = BlockBuilder(file)
    waiting: dict[str, BlockBuilder] = {}  # relations by their short names
    typedefs: list[Stanza] = []
    for stanza in stanzas:
        if stanza.kind == TYPEDEF:
            typedefs.append(stanza)
            identifiers.map_relation(stanza.clauses)
            continue
        for head, row in reader.rows(stanza):
            if row.short:
                builder = waiting.setdefault(row.relation, BlockBuilder(file))
                builder.add((head.encode(), b"", row.tail.encode()), row.line)
            else:
                block.add((head.encode(), row.relation.encode(), row.tail.encode()), row.line)
        if len(block) >= ROWS_PER_BLOCK:
            yield block.build()
            block = BlockBuilder(file)
    yield block.build()
    block = BlockBuilder(file)
    for stanza in typedefs:
        for head, row in reader.rows(stanza):
            relation = identifiers.relation(row.relation) if row.short else row.relation
            block.add((head.encode(), relation.encode(), row.tail.encode()), row.line)
    yield block.build()
    for short, builder in waiting.items():
        yield _with_relation(builder.build(), identifiers.relation(short))


def _with_relation(block: TripleBlock, relation: str) -> TripleBlock:
    """Return a block whose relations were left open, with one for all."""
    key = np.frombuffer(relation.encode(), dtype=np.uint8)
    spans = np.tile(np.array([len(block.buffer), len(block.buffer) + len(key)], dtype=np.int64), (len(block), 1))
    buffer = np.concatenate([block.buffer, key])
    return TripleBlock(buffer, block.head, spans, block.tail, block.line, block.file)


class Identifiers:
    """From the identifiers of one file to IRIs.

    Args:
        header: its clauses, of which `ontology` and `idspace` are read.
    """

    def __init__(self, header: list[Clause]) -> None:
        self.spaces: dict[str, str] = {}
        self._ontology = "TEMP"
        self._mapped: dict[str, str] = {}
        for clause in header:
            words = clause.value.split()
            if clause.tag == "ontology" and words:
                self._ontology = words[0]
            elif clause.tag == "idspace" and len(words) >= 2 and _ABSOLUTE.fullmatch(words[1]):
                self.spaces[words[0]] = words[1]

    def iri(self, identifier: str) -> str:
        """Return the IRI of an identifier.

        Raises:
            ValueError: it is empty or holds white space.
        """
        plain = _CANONICAL.fullmatch(identifier)
        if plain is not None and plain[1] not in self.spaces:
            return f"{OBO}{plain[1]}_{plain[2]}"
        text = unescape(identifier)
        if text.split() != [text]:
            raise _ClauseError(f"expected an identifier, found {text!r}")
        if _ABSOLUTE.fullmatch(text):
            return _escaped(text)
        prefix, colon, local = text.partition(":")
        if not colon:
            return _escaped(f"{self._local_space()}{text}")
        if prefix in self.spaces:
            return _escaped(self.spaces[prefix] + local)
        return _escaped(f"{OBO}{prefix}_{local}" if local.isdecimal() else f"{OBO}{prefix}#_{local}")

    def relation(self, short: str) -> str:
        """Return the IRI of a relation, which a Typedef may have mapped to a term of RO or BFO."""
        return self._mapped.get(unescape(short)) or self.iri(short)

    def map_relation(self, clauses: list[Clause]) -> None:
        """Remember which term of RO or BFO a Typedef stands for, if it says so."""
        short = next((clause.value for clause in clauses if clause.tag == "id"), "")
        xrefs = (clause.value.split()[0] for clause in clauses if clause.tag == "xref" and clause.value)
        target = next((xref for xref in xrefs if xref.startswith(_MAPPED) and _CANONICAL.fullmatch(xref)), "")
        if short and ":" not in short and target:
            self._mapped.setdefault(unescape(short), self.iri(target))

    def _local_space(self) -> str:
        is_absolute = _ABSOLUTE.fullmatch(self._ontology) is not None
        return f"{self._ontology}#" if is_absolute else f"{OBO}{self._ontology}#"


def _escaped(iri: str) -> str:
    """Return an IRI without the characters that no IRI may hold."""
    return _FORBIDDEN.sub(lambda match: f"%{ord(match[0]):02X}", iri)


class _Reader:
    """Turns stanzas into triples."""

    def __init__(self, identifiers: Identifiers, name: str, bad_lines: BadLines) -> None:
        self._identifiers = identifiers
        self._name = name
        self._bad_lines = bad_lines

    def rows(self, stanza: Stanza) -> Iterator[tuple[str, _Row]]:
        """Yield the triples of a stanza, each with its head; none where it is of another kind or has no id."""
        if stanza.kind not in _TYPES:
            return
        own = next((clause for clause in stanza.clauses if clause.tag == "id"), None)
        if own is None:
            self._bad_lines.add(self._name, stanza.line, f"expected an id in this [{stanza.kind}], found none")
            return
        try:
            iri = self._identifiers.relation if stanza.kind == TYPEDEF else self._identifiers.iri
            head = iri(own.value)
        except _ClauseError as error:
            self._bad_lines.add(self._name, own.line, str(error))
            return
        for clause in stanza.clauses:
            try:
                found = self._clause_rows(clause, stanza)
            except _ClauseError as error:
                self._bad_lines.add(self._name, clause.line, f"{clause.tag}: {error}")
            else:
                yield from ((head, row) for row in found)

    def _clause_rows(self, clause: Clause, stanza: Stanza) -> list[_Row]:
        """Return the triples of one clause: head is the entity of its stanza."""
        tag, value, line, kind = clause.tag, clause.value, clause.line, stanza.kind
        if tag == "id":
            is_note = any(other.tag == "is_metadata_tag" and other.value == "true" for other in stanza.clauses)
            type_of = OWL + "AnnotationProperty" if is_note else _TYPES[kind]
            return [_Row(TYPE, type_of, line), _Row(OBO_IN_OWL + "id", literal_key(unescape(value)), line)]
        if tag in _TEXT_TAGS:
            return [_Row(_TEXT_TAGS[tag], _text(unescape(value)), line)]
        if tag in _FLAG_TAGS:
            return [_Row(*_FLAG_TAGS[tag], line)] if value == "true" else []
        if tag in _ENTITY_TAGS or (tag in _BY_KIND and kind in _BY_KIND[tag]):
            relation = _ENTITY_TAGS.get(tag) or _BY_KIND[tag][kind]
            is_relation = kind == TYPEDEF and tag not in ("domain", "range")
            iri = self._identifiers.relation if is_relation else self._identifiers.iri
            return [_Row(relation, iri(value), line)]
        if tag == "xref":
            text = value.split(maxsplit=1)[0] if value else ""
            return [_Row(OBO_IN_OWL + "hasDbXref", _text(unescape(text)), line)]
        if tag == "def":
            return [_Row(OBO + "IAO_0000115", _text(_quoted(value)[0]), line)]
        if tag == "synonym" or tag in _SCOPED_TAGS:
            return [self._synonym(clause)]
        if tag == "relationship" or (tag == "intersection_of" and kind != TYPEDEF):
            return self._relationship(clause)
        return [self._value(clause)] if tag == "property_value" else []

    def _synonym(self, clause: Clause) -> _Row:
        text, rest = _quoted(clause.value)
        words = rest.split()
        scope = words[0] if words and words[0] in SCOPES else _SCOPED_TAGS.get(clause.tag, "RELATED")
        if words and words[0].isalpha() and words[0].isupper() and words[0] not in SCOPES and len(words) == 1:
            raise _ClauseError(f"expected one of {', '.join(SCOPES)}, found {words[0]}")
        return _Row(OBO_IN_OWL + SCOPES[scope], _text(text), clause.line)

    def _relationship(self, clause: Clause) -> list[_Row]:
        words = clause.value.split()
        if clause.tag == "intersection_of" and len(words) == 1:
            return [_Row(SUBCLASS, self._identifiers.iri(words[0]), clause.line)]
        if len(words) != 2:
            raise _ClauseError(f"expected a relation and an identifier, found {clause.value!r}")
        if _says_less(clause.modifiers):
            return []
        return [self._edge(words[0], self._identifiers.iri(words[1]), clause.line)]

    def _value(self, clause: Clause) -> _Row:
        """Read `property_value: RELATION ID`, `RELATION "text" xsd:type` or `RELATION value xsd:type`."""
        relation, _, rest = clause.value.partition(" ")
        quoted = quoted_text(rest)
        text, datatype = quoted or (rest.strip().partition(" ")[0], rest.strip().partition(" ")[2])
        datatype = datatype.strip()
        if not text:
            raise _ClauseError(f"expected a relation and a value, found {clause.value!r}")
        if quoted is None and not datatype:
            return self._edge(relation, self._identifiers.iri(text), clause.line)
        known = XSD + datatype.removeprefix("xsd:") if re.fullmatch(r"xsd:\w+", datatype) else ""
        return self._edge(relation, literal_key(text if quoted else unescape(text), datatype=known), clause.line)

    def _edge(self, relation: str, tail: str, line: int) -> _Row:
        iri = self._identifiers.iri(relation)
        is_short = ":" not in unescape(relation)
        return _Row(relation if is_short else iri, tail, line, short=is_short)


def _says_less(modifiers: Mapping[str, str]) -> bool:
    """Tell whether a relationship is no edge: for every filler only, or for none."""
    counts = (modifiers.get("cardinality"), modifiers.get("maxCardinality"), modifiers.get("max_cardinality"))
    return modifiers.get("all_only") == "true" or "0" in counts


def _text(text: str) -> str:
    if not text.strip():
        raise _ClauseError("expected a text, found none")
    return literal_key(text)


def _quoted(value: str) -> tuple[str, str]:
    found = quoted_text(value)
    if found is None:
        raise _ClauseError(f"expected a text in quotes, found {value[:60]!r}")
    return found
