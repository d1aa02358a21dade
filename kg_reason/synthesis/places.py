"""Places in sentences where a word can be replaced: which word, in which form and meaning, and how to replace it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker, Mention
from kg_reason.synthesis.context import (
    Polarity,
    Token,
    is_determiner,
    is_function_word,
    is_inflected,
    is_preposition,
    may_be_adjective,
    may_be_verb,
    polarity,
    tokenize,
    word_class,
)
from kg_reason.synthesis.polarity import parse, polarities, root_token
from kg_reason.synthesis.surface import (
    NOT_ENGLISH,
    PREPOSITIONS,
    Filled,
    article,
    form_of,
    inflect,
    is_countable,
    is_mass,
    is_name,
    replace,
    with_article,
)
from kg_reason.synthesis.vocabulary import Vocabulary

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc
    from spacy.tokens import Token as ParsedToken

_CLASSES = {"NOUN": "n", "PROPN": "n", "VERB": "v", "AUX": "v", "ADJ": "a", "ADV": "r"}
_MAX_CLEAR_SENSES = {"n": 4, "a": 5, "v": 3, "r": 3}
_SALIENT_DEGREE = 30  # edges of the first meaning of "dog" or "man": spelt out so far, it is the one people speak of
_HAVE_OR_BE = frozenset(
    {"have", "has", "had", "having", "is", "are", "was", "were", "be", "been", "being", "get", "gets", "got", "'s"}
)
_UNDROPPED = frozenset({"fake", "former", "alleged", "toy", "other", "same", "many", "few", "several", "more", "most"})


@dataclass(frozen=True)
class Place:
    """A word of a sentence and its meaning.

    Attributes:
        text: the sentence; text[start:end] is the word as it stands there.
        sentence: number of the sentence.
        entity: the meaning, the most usual one of the word's part of speech here.
        lemma: the label through which it was linked.
        pos: part of speech; empty when not known.
        tag: Penn Treebank tag of its form.
        polarity: of the place.
        clear: whether the word has so few meanings that the first is a safe guess.
    """

    text: str
    start: int
    end: int
    sentence: int
    entity: int
    lemma: str
    pos: str
    tag: str
    polarity: Polarity
    clear: bool

    @property
    def own(self) -> Filled:
        """The sentence as it is."""
        return Filled(self.text, self.start, self.end)

    def put(self, form: str) -> Filled:
        """Return the sentence with another form in this place; nothing else but the article is changed."""
        return replace(self.text, self.start, self.end, form)

    def substitute(self, word: str) -> Filled:
        """Return the sentence with another word in this place, in the same form; empty where that is not English."""
        form = inflect(word, self.tag)
        if not form:
            return NOT_ENGLISH
        if self.pos in ("n", "") and self.tag in ("NN", "NNS"):
            return self._substitute_noun(word, form)
        return self.put(form)

    def _substitute_noun(self, word: str, form: str) -> Filled:
        tokens = [token for token in tokenize(self.text) if token.end <= self.start]
        previous = tokens[-1].text if tokens else ""
        named, was_named = is_name(word), is_name(self.lemma)
        if named != was_named and " " in (word if named else self.lemma):
            return NOT_ENGLISH
        if was_named and previous == "the":
            return NOT_ENGLISH
        if self.tag == "NNS":
            return NOT_ENGLISH if named else self.put(form)
        if named and not was_named:
            if previous not in ("a", "an", "the"):
                return NOT_ENGLISH
            return replace(self.text, tokens[-1].start, self.end, form)
        if previous in ("a", "an", "one", "every", "each", "another"):
            return self.put(form) if is_countable(word) else NOT_ENGLISH
        if _is_determined(tokens):
            return self.put(form)
        if (named and was_named) or (is_mass(word) and not was_named):
            return self.put(form)
        verb = may_be_verb(previous) and not may_be_adjective(previous)
        if previous and (is_preposition(previous) or verb) and is_countable(word):
            opens = not self.text[: self.start].strip()
            return NOT_ENGLISH if opens else with_article(self.put(f"{article(form)} {form}"), form)
        return NOT_ENGLISH


def _is_determined(tokens: Sequence[Token]) -> bool:
    """Tell whether a noun after these words has a determiner, perhaps with adjectives between."""
    for token in reversed(tokens[-4:]):
        if is_determiner(token.text):
            return True
        if not may_be_adjective(token.text):
            return False
    return False


def find_places(
    vocabulary: Vocabulary, linker: EntityLinker, sentences: Sequence[str], parser: Language | None = None
) -> tuple[Place, ...]:
    """Find the places of all sentences in order: linked words whose part of speech and form can be told.

    Args:
        vocabulary: the words that name the entities of the graph.
        linker: finds the words.
        sentences: plain text, one sentence each.
        parser: tells polarity, and confirms parts of speech; None: the token rules tell polarity.
    """
    read: list[tuple[str, list[tuple[Mention, Place]]]] = []  # only a sentence that may hold a place is parsed
    for number, text in enumerate(sentences):
        mentions = linker.link(text)
        places = [
            (mention, place)
            for mention in mentions
            for place in _place(vocabulary, linker.graph, text, number, mention)
        ]
        if places:
            read.append((text, places))
    found: list[Place] = []
    for (text, places), doc in zip(read, parse(parser, (text for text, _ in read)), strict=True):
        if doc is None:
            found += [
                dataclasses.replace(place, polarity=polarity(text, place.start, place.end)) for _, place in places
            ]
        else:
            found += _confirmed(doc, places)
    return tuple(found)


def _confirmed(doc: Doc, places: Sequence[tuple[Mention, Place]]) -> Iterator[Place]:
    """Yield the places of a sentence that its parse confirms, with the polarity and the verb form that it tells."""
    marks = polarities(doc)
    for mention, place in places:
        token = root_token(doc, mention.start, mention.end)
        if token is None or not _stands_alone(token, mention):
            continue
        if _CLASSES.get(token.pos_, place.pos) == place.pos or place.tag == "IN":
            tag = token.tag_ if place.tag in ("VBD", "VBN") and token.tag_ in ("VBD", "VBN") else place.tag
            yield dataclasses.replace(place, polarity=marks[token.i], tag=tag)


def _stands_alone(token: ParsedToken, mention: Mention) -> bool:
    """Tell whether a mention is no part of a compound ("guitar player") and lacks no particle ("take off")."""
    if token.dep_ == "compound" and token.head.idx >= mention.end:
        return False
    return not any(
        child.dep_ in ("prt", "compound") and not mention.start <= child.idx < mention.end for child in token.children
    )


def _place(
    vocabulary: Vocabulary, graph: KnowledgeGraph, text: str, number: int, mention: Mention
) -> tuple[Place, ...]:
    """Return the place of a mention, its polarity not yet read: one, or none where anything about it is unclear."""
    pos_of = {candidate: chr(graph.alias_pos[candidate.alias] or 0).strip("\0") for candidate in mention.candidates}
    classes = sorted({pos for pos in pos_of.values() if pos})
    pos = word_class(text, mention.start, mention.end, classes) if classes else ""
    fitting = [candidate for candidate in mention.candidates if pos_of[candidate] == pos]
    if not fitting:
        return ()
    forms = [form_of(mention.text, graph.alias_text(candidate.alias), pos or "n") for candidate in fitting]
    if "NNS" in forms:
        fitting = [candidate for candidate, form in zip(fitting, forms, strict=True) if form == "NNS"]
    lemma = graph.alias_text(fitting[0].alias)
    tag = form_of(mention.text, lemma, pos or "n")
    start, end = mention.start, mention.end
    if pos == "r" and mention.text.lower() in PREPOSITIONS:
        tag, end = "IN", _end_of_preposition(text, start, end, PREPOSITIONS[mention.text.lower()])
    elif is_function_word(mention.text.lower()):
        tag = ""
    if tag == "NN" and is_inflected(mention.text.lower()):
        tag = ""
    if not tag or (is_name(lemma) and not mention.text[0].isupper()):
        return ()
    if tag == "VBD" and _follows_have_or_be(text, mention.start):
        tag = "VBN"
    return (
        Place(
            text=text,
            start=start,
            end=end,
            sentence=number,
            entity=fitting[0].entity,
            lemma=lemma,
            pos=pos,
            tag=tag,
            polarity=Polarity.UNCLEAR,
            clear=len(vocabulary.senses(lemma, pos)) <= _MAX_CLEAR_SENSES.get(pos, 4)
            or (pos == "n" and len(graph.edges_of(fitting[0].entity)) >= _SALIENT_DEGREE),
        ),
    )


def _end_of_preposition(text: str, start: int, end: int, preposition: str) -> int:
    """Return where a preposition of several words ends, such as "far from"; else the end of its first word."""
    return start + len(preposition) if text[start:].lower().startswith(preposition) else end


def _follows_have_or_be(text: str, start: int) -> bool:
    before = [token.text for token in tokenize(text) if token.end <= start]
    return any(word in _HAVE_OR_BE for word in before[-2:])


def shorten(place: Place) -> str:
    """Return the sentence without an adjective that stands before a noun; empty where the place holds none."""
    if place.pos != "a" or place.tag != "JJ" or place.lemma in _UNDROPPED or is_name(place.lemma):
        return ""
    tokens = tokenize(place.text)
    before = [token for token in tokens if token.end <= place.start]
    after = [token for token in tokens if token.start >= place.end]
    if not before or not after or not is_determiner(before[-1].text) or not re.match(r"[a-z]", after[0].text):
        return ""
    return "" if is_preposition(after[0].text) else replace(place.text, place.start, place.end, "").text
