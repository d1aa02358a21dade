"""The linker as a component of a spaCy pipeline: `nlp.add_pipe("kg_linker", config={"graph": "kg/"})`.

It sets `doc.ents` to the linked mentions with the best entity's id as `kb_id_`, `span._.kg_candidates` to every
candidate of a mention as (entity id, score), best first, and `doc._.kg_mentions` to all mentions, unknown words
included. All of it is kept in the document as plain data, so documents can be stored and passed between processes.
Where the document has part-of-speech tags, they take the place of the linker's own cues. A pipeline written to disk
keeps the path of its graph, not the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from kg_reason.config import LinkerConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.lemmas import ADJECTIVE, ADVERB, NOUN, VERB
from kg_reason.kg.linker import Candidate, EntityLinker, Mention

ENTITY_LABEL = "KG"

# Where spaCy itself would keep a document's extension; it merges and stores what is there.
_MENTIONS = ("._.", "kg_mentions", None, None)

_TAGS = {
    "NOUN": NOUN,
    "PROPN": NOUN,
    "VERB": VERB,
    "AUX": VERB,
    "ADJ": ADJECTIVE,
    "NUM": NOUN | ADJECTIVE,
    "ADV": ADVERB,
    "ADP": ADVERB | ADJECTIVE,
}


@Language.factory(  # type: ignore[untyped-decorator]
    "kg_linker",
    default_config={"graph": "", "settings": {}},
    assigns=["doc.ents", "doc._.kg_mentions", "span._.kg_candidates"],
)
def create_kg_linker(nlp: Language, name: str, graph: str, settings: dict[str, Any]) -> KGLinker:
    """Make the component.

    Args:
        nlp: the pipeline; its language is the linker's unless `settings` names another.
        name: name of the component in the pipeline.
        graph: folder of a graph made by `kg-reason build`.
        settings: fields of LinkerConfig.

    Raises:
        GraphError: the folder holds no graph.
        ConfigError: no graph is named, or a setting is unknown or outside its range.
    """
    if not graph:
        raise ConfigError("graph: found nothing, expected the path of a folder made by kg-reason build")
    config = LinkerConfig.from_json({"language": nlp.lang if nlp.lang != "xx" else "", **settings})
    return KGLinker(EntityLinker(KnowledgeGraph.open(Path(graph)), config))


class KGLinker:
    """Adds the mentions of a knowledge graph to documents.

    Args:
        linker: what finds them.
    """

    def __init__(self, linker: EntityLinker) -> None:
        self.linker = linker
        if not Doc.has_extension("kg_mentions"):
            Doc.set_extension("kg_mentions", getter=_get_mentions, setter=_set_mentions)
        if not Span.has_extension("kg_candidates"):
            Span.set_extension("kg_candidates", getter=_get_candidates, setter=_set_candidates)

    def __call__(self, doc: Doc) -> Doc:
        """Link one document; entities that stand in it already give way to overlapping mentions.

        Raises:
            ConfigError: the text is longer than the linker's limit.
        """
        tags = {token.idx: _TAGS.get(token.pos_, 0) for token in doc} if doc.has_annotation("POS") else {}
        mentions = self.linker.link_tagged(doc.text, tags)
        graph = self.linker.graph
        found: list[Span] = []
        taken = [False] * len(doc)
        for mention in mentions:
            if not mention.candidates:
                continue
            best = graph.entity_id(mention.candidates[0].entity)
            span = doc.char_span(
                mention.start, mention.end, label=ENTITY_LABEL, kb_id=best, alignment_mode="expand"
            )
            if span is None or any(taken[span.start : span.end]):
                continue  # two mentions inside one token: the first stands
            taken[span.start : span.end] = [True] * len(span)
            span._.kg_candidates = tuple((graph.entity_id(each.entity), each.score) for each in mention.candidates)
            found.append(span)
        before = [span for span in doc.ents if not any(taken[span.start : span.end])]
        doc.set_ents([*found, *before])
        doc._.kg_mentions = mentions
        return doc


def _set_mentions(doc: Doc, mentions: Sequence[Mention]) -> None:
    doc.user_data[_MENTIONS] = [
        [mention.start, mention.end, mention.key, [[c.entity, c.score, c.alias] for c in mention.candidates]]
        for mention in mentions
    ]


def _get_mentions(doc: Doc) -> tuple[Mention, ...]:
    """Return all mentions of a document; empty for one that was not linked."""
    text = doc.text
    return tuple(
        Mention(start, end, text[start:end], key, tuple(Candidate(*candidate) for candidate in candidates))
        for start, end, key, candidates in doc.user_data.get(_MENTIONS, ())
    )


def _set_candidates(span: Span, candidates: Sequence[tuple[str, float]]) -> None:
    place = ("._.", "kg_candidates", span.start_char, span.end_char)
    span.doc.user_data[place] = [[entity, score] for entity, score in candidates]


def _get_candidates(span: Span) -> tuple[tuple[str, float], ...]:
    """Return (entity id, score) of a linked span, best first; empty for any other span."""
    place = ("._.", "kg_candidates", span.start_char, span.end_char)
    return tuple((entity, score) for entity, score in span.doc.user_data.get(place, ()))
