"""The kinds of labels, how usual each is as a name and which relations give it; labels as columns of a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.curies import OBO_IN_OWL, RDFS, SKOS

PREFERRED, ALTERNATIVE, HIDDEN, OWN, NARROW, BROAD, RELATED = range(7)
ALIAS_KINDS = ("pref", "alt", "hidden", "own", "narrow", "broad", "related")
# A narrow synonym names something that its entity holds true of, a broad one something wider than its entity.
KIND_PRIOR = (1.0, 0.9, 0.5, 1.0, 0.4, 0.2, 0.3)

LABEL_RELATIONS: Mapping[str, int] = {
    RDFS + "label": PREFERRED,
    "rdfs:label": PREFERRED,
    SKOS + "prefLabel": PREFERRED,
    "skos:prefLabel": PREFERRED,
    SKOS + "altLabel": ALTERNATIVE,
    "skos:altLabel": ALTERNATIVE,
    SKOS + "hiddenLabel": HIDDEN,
    "skos:hiddenLabel": HIDDEN,
    "http://xmlns.com/foaf/0.1/name": PREFERRED,
    "foaf:name": PREFERRED,
    "http://schema.org/name": PREFERRED,
    "https://schema.org/name": PREFERRED,
    "schema:name": PREFERRED,
    "http://schema.org/alternateName": ALTERNATIVE,
    "https://schema.org/alternateName": ALTERNATIVE,
    "schema:alternateName": ALTERNATIVE,
    "http://purl.org/dc/elements/1.1/title": PREFERRED,
    "http://purl.org/dc/terms/title": PREFERRED,
    "dc:title": PREFERRED,
    "dcterms:title": PREFERRED,
    OBO_IN_OWL + "hasExactSynonym": ALTERNATIVE,
    OBO_IN_OWL + "hasNarrowSynonym": NARROW,
    OBO_IN_OWL + "hasBroadSynonym": BROAD,
    OBO_IN_OWL + "hasRelatedSynonym": RELATED,
    OBO_IN_OWL + "id": HIDDEN,
    OBO_IN_OWL + "hasAlternativeId": HIDDEN,
}


def label_kinds(label_relations: Sequence[str]) -> dict[str, int]:
    """Return the kind of label that each label relation gives, the user's own among them."""
    return {**LABEL_RELATIONS, **dict.fromkeys(label_relations, PREFERRED)}


class AliasRows(NamedTuple):
    """Labels as columns [num_labels]; entities and texts are the ids of interners."""

    entity: NDArray[np.int32]
    kind: NDArray[np.uint8]
    text: NDArray[np.int32]
    prior: NDArray[np.float32]
    pos: NDArray[np.uint8]
    file: NDArray[np.int32]
    line: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> AliasRows:
        """Return some of the rows."""
        return AliasRows(**{name: column[rows] for name, column in self._asdict().items()})

    def in_file_order(self) -> AliasRows:
        """Return the rows by file, those of one file as they are; files may have been read side by side."""
        if bool((self.file[1:] >= self.file[:-1]).all()):
            return self
        return self.take(np.argsort(self.file, kind="stable"))

    def joined(self, other: AliasRows) -> AliasRows:
        """Return these rows and then others."""
        return AliasRows(
            np.concatenate([self.entity, other.entity]), np.concatenate([self.kind, other.kind]),
            np.concatenate([self.text, other.text]), np.concatenate([self.prior, other.prior]),
            np.concatenate([self.pos, other.pos]), np.concatenate([self.file, other.file]),
            np.concatenate([self.line, other.line]),
        )  # fmt: skip
