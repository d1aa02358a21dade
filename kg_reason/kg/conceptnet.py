"""ConceptNet 5 assertions: five tab-separated fields, of them a relation, two terms and a JSON object with the weight.

A term is an entity under its own URI, part of speech and sense included: `/c/en/bank/n/wn/possession` is none of the
other banks. Its label is the term's text, tagged with its language and part of speech, with the line where the term
first stands. A relation is known by its readable name: `/r/IsA` is `is a`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from kg_reason.config import BuildConfig
from kg_reason.kg.delimited import parse_weight
from kg_reason.kg.foreign_rows import RowWriter, text_lines
from kg_reason.kg.label_texts import wanted_languages
from kg_reason.kg.names import IRI, readable_relation, term_kind
from kg_reason.kg.terms import Int64, TermInterner
from kg_reason.kg.triples import BadLines, TripleBlock, join_blocks
from kg_reason.kg.words import primary_language

NUM_FIELDS = 5
_TERM = r"/c/[^/\s]+/[^/\s]+(?:/[^\t ]*)?"
_PLAIN_LINE = re.compile(rf"[^\t]*\t(/r/[^/\s][^\t ]*)\t({_TERM})\t({_TERM})\t([^\t]*)")
_POS = {"n": "n", "v": "v", "a": "a", "s": "a", "r": "r"}


def read_conceptnet(
    stream: BinaryIO, name: str, file: int, bad_lines: BadLines, config: BuildConfig
) -> Iterator[TripleBlock]:
    """Read assertions; bad lines are noted and passed over.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the lines that could not be read.
        config: `languages` of the terms to read, and the `min_weight` below which an edge's terms get no label.

    Raises:
        InputSyntaxError: the stream cannot be read, or a line is too long.
    """
    rows = RowWriter(name, file, bad_lines)
    relations: dict[str, str] = {}
    languages = wanted_languages(config.languages)
    labels = _Labels(name, file, bad_lines, config.min_weight)
    for line, text in text_lines(stream, name, bad_lines):
        try:
            relation, head, tail, weight = _parse(text)
            if languages and not all(_is_wanted(term, languages) for term in (head, tail)):
                continue
            if relation not in relations:
                relations[relation] = relation_name(relation)
            rows.edge(head, relations[relation], tail, line, weight)
        except ValueError as error:
            rows.refuse(line, str(error))
        if rows.is_full:
            yield labels.added(rows.take())
    yield labels.added(rows.take())


def relation_name(uri: str) -> str:
    """Return the readable name of a relation.

    >>> relation_name("/r/EtymologicallyDerivedFrom")
    'etymologically derived from'
    """
    return readable_relation("r:" + uri.rstrip("/").rpartition("/")[2])


def _parse(text: str) -> tuple[str, str, str, float]:
    """Return relation, head, tail and weight of a line."""
    plain = _PLAIN_LINE.fullmatch(text)
    if plain is not None:
        return plain[1], plain[2], plain[3], _weight(plain[4])
    cells = text.split("\t")
    if len(cells) != NUM_FIELDS:
        raise ValueError(f"expected {NUM_FIELDS} tab-separated fields, found {len(cells)}")
    relation, head, tail = (cell.strip() for cell in cells[1:4])
    if not relation.startswith("/r/") or not relation[3:].strip("/"):
        raise ValueError(f"expected a relation such as /r/IsA, found {relation!r}")
    for term, part in ((head, "head"), (tail, "tail")):
        is_term = term.startswith("/c/") and all(_term_parts(term))
        if not is_term and (part == "head" or term_kind(term) != IRI):
            raise ValueError(f"expected a {part} such as /c/en/violin, found {term!r}")
    return relation, head, tail, _weight(cells[4])


def _weight(text: str) -> float:
    """Return the weight that the last field of a line gives, 1 where it gives none."""
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected a JSON object as the last field: {error}") from error
    if not isinstance(facts, dict):
        raise ValueError(f"expected a JSON object as the last field, found {text[:40]!r}")
    return parse_weight(str(facts.get("weight", 1.0)))


def _term_parts(term: str) -> tuple[str, str]:
    """Return language and text of a term."""
    parts = term.split("/", 4)
    return parts[2], parts[3].replace("_", " ").strip() if len(parts) > 3 else ""


def _is_wanted(term: str, languages: frozenset[str]) -> bool:
    """Tell whether a term is in one of the languages; an address outside ConceptNet is in none and stays."""
    language = _term_parts(term)[0].lower() if term.startswith("/c/") else ""
    return not language or language in languages or primary_language(language) in languages


class _Labels:
    """Adds a label for every term of a block that has not had one."""

    def __init__(self, name: str, file: int, bad_lines: BadLines, min_weight: float) -> None:
        self._seen = TermInterner()  # compact: a whole ConceptNet has 28 million terms
        self._rows = RowWriter(name, file, bad_lines)
        self._min_weight = min_weight

    def added(self, block: TripleBlock) -> TripleBlock:
        """Return a block with the labels of its terms, save those that stand only in edges of too low a weight."""
        if not len(block) or block.columns is None:
            return block
        stays = np.flatnonzero(block.columns.weight >= self._min_weight)
        spans: Int64 = np.stack([block.head[stays], block.tail[stays]], axis=1).reshape(-1, 2)  # line by line
        num_before = self._seen.num_terms
        terms = self._seen.intern(block.buffer, spans)
        lines = np.repeat(block.line[stays], 2)
        unseen = np.flatnonzero(terms >= num_before)
        found, places = np.unique(terms[unseen], return_index=True)
        for term, place in zip(found.tolist(), unseen[places].tolist(), strict=True):
            key = self._seen.key(term)
            if key.startswith("/c/"):
                language, text = _term_parts(key)
                marks = key.split("/", 5)[4:5]
                pos = _POS.get(marks[0], "") if marks else ""
                self._rows.label(key, text, int(lines[place]), language=language, pos=pos)
        return join_blocks(block, self._rows.take())
