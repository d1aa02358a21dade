"""From text to mentions of entities: longest match over surface forms and lemmas, candidates with scores.

The steps: chunks of the text -> word rows (`word_rows.py`, `word_table.py`) -> label matches (`label_index.py`) ->
chosen spans (`span_choice.py`) -> scored candidates (`sense_scores.py`, `sense_context.py`). Python touches each chunk
and each result once; the rest is compiled. A CURIE in the text (DOID:9352) means its entity. Places are places in the
user's own string: `text[mention.start:mention.end] == mention.text`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import LinkerConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.curies import curies_in
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.label_index import LabelIndex, match_labels
from kg_reason.kg.lemmas import english_exceptions, lemmatiser, unknown_lemma
from kg_reason.kg.pair_spans import give_way
from kg_reason.kg.sense_context import add_context, keep_best, weigh_popularity
from kg_reason.kg.sense_scores import pool_candidates
from kg_reason.kg.span_choice import OVERLAY_NODES, choose_spans, expand_matches, text_shapes
from kg_reason.kg.word_classes import word_classes
from kg_reason.kg.word_rows import place_words, take_names, take_phrases, turn_words
from kg_reason.kg.word_table import MAX_ROWS, WordTable
from kg_reason.kg.words import primary_language

MAX_TEXT_LENGTH = 100_000  # characters
MAX_CACHED_KEYS = 1 << 16
MAX_CACHED_CANDIDATES = 1 << 17

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that a mention may mean.

    Attributes:
        entity: its id in the graph.
        score: in [0, 1].
        alias: the label through which it was found; -1 when the caller named it.
    """

    entity: int
    score: float
    alias: int


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in the text that names something.

    Attributes:
        start: first character.
        end: character after the last one.
        text: the characters between them.
        key: lemma form in lower case; mentions with equal keys are the same word.
        candidates: best first; empty for a content word that the graph does not know.
    """

    start: int
    end: int
    text: str
    key: str
    candidates: tuple[Candidate, ...]


class _Reading(NamedTuple):
    """The words of a text: rows of the table, places in the text, tags, and the words that a name covers."""

    table: WordTable
    rows: Int32
    starts: list[int]
    ends: list[int]
    tags: Int32
    named: dict[int, tuple[int, int, str]]


class EntityLinker:
    """Links text to the entities of a graph; the same text always gives the same mentions.

    Args:
        graph: whose labels are looked for.
        config: settings.
    """

    def __init__(self, graph: KnowledgeGraph, config: LinkerConfig | None = None) -> None:
        graph.check()
        self.graph = graph
        self.config = config or LinkerConfig()
        self.language = primary_language(self.config.language)
        self._is_english = self.language in ("", "en")
        indexes = [graph.label_index]
        if len(graph.overlay_index.node_alias):
            indexes.append(graph.overlay_index)
        self._indexes: tuple[LabelIndex, ...] = tuple(LabelIndex(*map(np.asarray, index)) for index in indexes)
        tags = [primary_language(tag) for tag in graph.languages]
        self._allowed = np.array([not self.language or tag in ("", self.language) for tag in tags] or [True])
        self._lemmas = lemmatiser(self.language)
        self._table = self._empty_table()
        self._keys: dict[int, str] = {}
        self._candidates: dict[tuple[int, float, int], Candidate] = {}
        self._alias_entity = np.asarray(graph.alias_entity)
        self._alias_pos = np.asarray(graph.alias_pos)
        self._alias_language = np.asarray(graph.alias_language)
        self._alias_is_value = np.asarray(graph.alias_is_value)
        self._alias_prior = np.asarray(graph.alias_prior)
        self._edges = (np.asarray(graph.edge_head), np.asarray(graph.edge_tail))
        self._out_rows = (np.asarray(graph.out_start), np.asarray(graph.out_end))
        self._in_rows = (np.asarray(graph.in_start), np.asarray(graph.in_end))
        self._in_edge = np.asarray(graph.in_edge)
        self._num_unseen = graph.num_unseen

    def link(self, text: str, names: Mapping[str, str] | None = None) -> tuple[Mention, ...]:
        """Find the mentions of a text, in text order, not overlapping.

        Args:
            text: at most 100,000 characters.
            names: further names of entities, surface -> entity id; they win over the graph's labels.

        Raises:
            ConfigError: the text is longer than the limit.
            UnknownEntityError: a name stands for an entity that the graph does not hold.
        """
        return self.link_tagged(text, {}, names)

    def link_tagged(
        self, text: str, tags: Mapping[int, int], names: Mapping[str, str] | None = None
    ) -> tuple[Mention, ...]:
        """Find the mentions of a text of which a tagger has told the parts of speech.

        Args:
            text: at most 100,000 characters.
            tags: first character of a word -> bits of its possible parts of speech (`lemmas.NOUN` ...).
            names: as for `link`.

        Raises:
            ConfigError: the text is longer than the limit.
            UnknownEntityError: a name stands for an entity that the graph does not hold.
        """
        read = self._read(text, tags, names)
        return self._choose(text, read, self._match(read)) if read.starts else ()

    def link_pair(
        self, premise: str, hypothesis: str, names: Mapping[str, str] | None = None
    ) -> tuple[tuple[Mention, ...], tuple[Mention, ...]]:
        """Find the mentions of two sentences that are compared.

        They are those of `link`, save that a label of several words gives way to its words where the other sentence
        replaces one of them; the rule is in `pair_spans.py`.

        Args:
            premise: at most 100,000 characters; may be empty.
            hypothesis: the same.
            names: as for `link`, in both sentences.

        Raises:
            ConfigError: a text is longer than the limit.
            UnknownEntityError: a name stands for an entity that the graph does not hold.
        """
        first, second = self._read(premise, {}, names), self._read(hypothesis, {}, names)
        if first.table is not second.table:  # it was full and has been started afresh
            first = self._read(premise, {}, names)
        if not first.starts or not second.starts:
            return tuple(
                self._choose(text, read, self._match(read)) if read.starts else ()
                for text, read in ((premise, first), (hypothesis, second))
            )  # type: ignore[return-value]
        facts = second.table.facts
        entries, other_entries = self._match(first), self._match(second)
        left = give_way(entries, first.rows, other_entries, second.rows, facts)
        right = give_way(other_entries, second.rows, entries, first.rows, facts)
        return self._choose(premise, first, left), self._choose(hypothesis, second, right)

    def _read(self, text: str, tags: Mapping[int, int], names: Mapping[str, str] | None) -> _Reading:
        """Cut a text into words and look them up."""
        if len(text) > MAX_TEXT_LENGTH:
            raise ConfigError(f"text: found {len(text):,} characters, expected at most {MAX_TEXT_LENGTH:,}")
        table = self._table
        if table.num_rows > MAX_ROWS:
            table = self._table = self._empty_table()
        rows, starts, ends = place_words(text, table)
        if self._is_english:
            if not table.phrase_rows.isdisjoint(rows):
                take_phrases(rows, table)
            if not table.turning_rows.keys().isdisjoint(rows):
                turn_words(rows, [tags.get(start, 0) for start in starts], table)
        found = ((part, self.graph.find_curie(part)) for part in curies_in(text))
        entities = {part: entity for part, entity in found if entity >= 0}
        entities |= {surface: self.graph.entity(key) for surface, key in names.items()} if names else {}
        named = take_names(rows, table, entities, self.language) if entities else {}
        tag_array = np.zeros(len(rows), dtype=np.int32)
        if tags:
            tag_array[:] = [tags.get(start, 0) for start in starts]
        return _Reading(table, np.array(rows, dtype=np.int32), starts, ends, tag_array, named)

    def _match(self, read: _Reading) -> Int64:
        """Return the entries of all label matches, see `span_choice.py`."""
        parts = []
        table = read.table
        for number, index in enumerate(self._indexes):
            matches = match_labels(
                index.child_key, index.child_start, index.root_child, index.node_start, table.spans[number],
                table.alternatives[number], read.rows, self.config.max_mention_words,
            )
            parts.append(
                expand_matches(
                    matches, index.node_start, index.node_alias, index.node_shape, self._alias_entity, self._alias_pos,
                    self._alias_language, self._alias_is_value, self._allowed, self.config.link_values,
                    number * OVERLAY_NODES,
                )
            )
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _choose(self, text: str, read: _Reading, entries: Int64) -> tuple[Mention, ...]:
        """Choose spans among the entries, score their candidates, and return the mentions."""
        starts, ends = read.starts, read.ends
        mentions, kept, scores = self._score(read, entries)
        triples = zip(kept[:, 0].tolist(), scores.tolist(), kept[:, 1].tolist(), strict=True)
        known = self._candidates
        candidates = [known.get(triple) or self._candidate(triple) for triple in triples]
        found: list[Mention] = []
        for first, last, first_candidate, count, node in mentions.tolist():
            start, end = starts[first], ends[last - 1]
            key = self._node_key(node) if count else self._unknown_key(read.rows[first:last].tolist(), read.table)
            own = tuple(candidates[first_candidate : first_candidate + count])
            found.append(Mention(start, end, text[start:end], key, own))
        for first, (last, entity, key) in read.named.items():
            start, end = starts[first], ends[last - 1]
            found.append(Mention(start, end, text[start:end], key, (Candidate(entity, 1.0, -1),)))
        if read.named:
            found.sort(key=lambda mention: mention.start)
        return tuple(found)

    def _empty_table(self) -> WordTable:
        return WordTable(self._indexes, self.language, self._lemmas, word_classes(self.language))

    def _score(self, read: _Reading, entries: Int64) -> tuple[Int64, Int64, NDArray[np.float64]]:
        """Return mentions, kept candidates and their scores, as `sense_context.keep_best` does."""
        rows, facts = read.rows, read.table.facts
        shapes = text_shapes(rows, facts)
        chosen, head, following = choose_spans(entries, rows, facts, shapes, self.config.max_mention_words)
        mentions, pool, scores = pool_candidates(
            entries, chosen, head, following, rows, facts, shapes, read.tags, self._alias_prior, self._is_english
        )
        scores = weigh_popularity(
            mentions, pool, scores, *self._out_rows, *self._in_rows, self._num_unseen, self.config.popularity_weight
        )
        final = add_context(
            mentions, pool, scores, *self._edges, *self._out_rows, *self._in_rows, self._in_edge,
            self.config.context_weight,
        )
        return keep_best(mentions, pool, scores, final, self.config.max_candidates)

    def _candidate(self, triple: tuple[int, float, int]) -> Candidate:
        """Make a candidate; words recur, so the same ones are wanted again and again."""
        if len(self._candidates) >= MAX_CACHED_CANDIDATES:
            self._candidates = {}
        entity, score, alias = triple
        candidate = self._candidates[triple] = Candidate(entity, min(score, 1.0), alias)
        return candidate

    def _node_key(self, node: int) -> str:
        key = self._keys.get(node)
        if key is None:
            if len(self._keys) >= MAX_CACHED_KEYS:
                self._keys = {}
            overlay, place = divmod(node, OVERLAY_NODES)
            key = self._keys[node] = " ".join(self._indexes[overlay].node_words(place))
        return key

    def _unknown_key(self, rows: Sequence[int], table: WordTable) -> str:
        words = [table.texts[row] for row in rows]
        if self._is_english:
            words = [*words[:-1], unknown_lemma(words[-1], english_exceptions())]
        return " ".join(words)
