"""Facts of a graph as English sentences: which sentence says a relation, and how its two entities are named in it.

The sentence is the one that the table has for the relation (`relation_table.py`, templates), or is made from the shape
of the relation's name. Which facts are said, and what is exchanged in them, is `facts.py`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lemminflect import getAllLemmas, getInflection

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.words import plain_name
from kg_reason.synthesis.relation_table import RelationTable
from kg_reason.synthesis.surface import article, inflect, is_countable, is_name
from kg_reason.synthesis.vocabulary import Vocabulary

_SLOT = re.compile(r"\{(head|tail)(?::(plain|phrase|VBG))?\}")
_FIT = re.compile(r"\w[\w'’.,& /-]*\Z")
_MAX_NAME = 48  # characters
_MAX_VALUE = 24
_PREPOSITIONS = frozenset({
    "in", "at", "by", "to", "with", "from", "on", "for", "near", "of", "as", "about", "into", "under", "through",
})  # fmt: skip
_PAST = frozenset({
    "born", "founded", "written", "invented", "discovered", "killed", "directed", "composed", "built",
    "published", "released", "painted", "designed", "educated", "buried", "created",
})  # fmt: skip
_BARE_OF = frozenset({"part", "kind", "sort", "type"})
_NAME_LINKS = frozenset({
    "of", "the", "and", "in", "on", "for", "at", "to", "with", "de", "la", "le", "van", "von", "der", "den", "du", "da",
    "di", "al", "bin", "ibn", "y", "e",
})  # fmt: skip
_THE_BEFORE_OF = frozenset({
    "university", "kingdom", "republic", "union", "empire", "academy", "church", "house", "city", "bank", "league",
    "commonwealth", "federation", "state", "states", "battle", "institute", "order", "duchy", "people's", "isle",
})  # fmt: skip
_THE_AT_END = frozenset({
    "republic", "kingdom", "union", "empire", "states", "netherlands", "emirates", "islands", "philippines", "bahamas",
    "federation", "party", "church", "nations", "alps", "andes", "ocean", "sea", "river", "organization", "bank",
    "league", "alliance", "monarchy", "caliphate", "confederation", "war", "commonwealth", "agency", "fund", "council",
    "association", "forum", "community", "court", "institute", "society", "army", "navy", "area",
})  # fmt: skip
_THE_NAMES = frozenset({
    "netherlands", "philippines", "bahamas", "alps", "andes", "middle east", "far east", "near east", "middle ages",
    "caribbean", "balkans", "vatican", "bronx", "hague", "enlightenment", "renaissance", "soviet union",
})  # fmt: skip
_NO_NOUNS = frozenset({
    "this", "that", "these", "someone", "somebody", "something", "anyone", "anything", "everyone", "everybody",
    "everything", "nothing", "you", "it", "i", "he", "she", "we", "they", "there", "one", "who", "what", "many", "most",
    "all", "some", "several", "same", "other", "here",
})  # fmt: skip
_SUBSTANCES = frozenset({
    "water", "gold", "silver", "iron", "wood", "paper", "clay", "rice", "cotton", "wool", "milk", "wine", "beer", "oil",
    "sand", "glass", "steel", "meat", "food", "bread", "salt", "sugar", "tea", "coffee", "air", "blood", "flesh",
    "snow", "wheat", "flour", "leather", "plastic", "metal", "stone", "soil", "ice", "money", "grass", "cloth",
    "tobacco",
})  # fmt: skip
_CLAUSE_WORDS = frozenset({
    "be", "is", "are", "not", "your", "and", "or", "than", "with", "its", "their", "his", "her", "in", "at", "as", "to",
    "for", "from", "by", "that", "on", "lot",
})  # fmt: skip
_PHRASE_VERBS = frozenset({
    "play", "read", "drive", "watch", "cook", "go", "get", "take", "make", "have", "run", "walk", "buy", "use", "put",
    "turn", "do", "talk", "work", "sleep", "see", "visit", "keep", "hold", "wait", "sit", "stand", "study", "listen",
    "open", "close", "pay", "clean", "wash", "drink", "kill", "kiss", "give", "enjoy", "compute", "paint", "hurt",
})  # fmt: skip


class Term(NamedTuple):
    """What an entity is called in a sentence.

    Attributes:
        text: the word, name, value or phrase, without an article.
        tag: NNP name, NN or NNS noun, CD value, empty for a phrase of another kind.
    """

    text: str
    tag: str


class Said(NamedTuple):
    """A sentence and the places of its two terms in it, articles left out."""

    text: str
    head: tuple[int, int]
    tail: tuple[int, int]


class FactSentences:
    """Says facts of one graph.

    Args:
        graph: whose facts are said.
        vocabulary: says which words of a lexicon name an entity well.
        table: has the templates.
    """

    def __init__(self, graph: KnowledgeGraph, vocabulary: Vocabulary, table: RelationTable) -> None:
        self._graph = graph
        self._vocabulary = vocabulary
        self._table = table
        self._unspoken = frozenset(plain_name(name) for name in table.unspoken)
        self._terms: dict[tuple[int, bool], Term | None] = {}

    def template(self, relation: int) -> str:
        """Return the sentence for the facts of a relation; empty where they are not put into words."""
        names = (self._graph.relation_label(relation), self._graph.relation_id(relation))
        for name in names:
            if plain_name(name) in self._table.templates:
                return self._table.templates[plain_name(name)]
        if any(plain_name(name) in self._unspoken for name in names):
            return ""
        return template_for(names[0])

    def term(self, entity: int, *, any_phrase: bool = False) -> Term | None:
        """Return what an entity is called; None where nothing calls it well and clearly.

        Args:
            entity: its number.
            any_phrase: let pass what is no noun, such as an action.
        """
        if (entity, any_phrase) not in self._terms:
            self._terms[entity, any_phrase] = self._find_term(entity, any_phrase)
        return self._terms[entity, any_phrase]

    def _find_term(self, entity: int, any_phrase: bool) -> Term | None:
        graph = self._graph
        if graph.is_value(entity):
            text = graph.entity_label(entity)
            return Term(text, "CD") if len(text) <= _MAX_VALUE and _FIT.match(text) else None
        if self._vocabulary.pos(entity):
            words = [word for word in self._vocabulary.words(entity) if word.rank == 1 and word.pos == "n"]
            preferred = [word for word in words if word.text == graph.entity_label(entity)]
            return _noun([*preferred, *words][0].text) if words else None
        text = graph.entity_label(entity, "en")
        if len(text) > _MAX_NAME or not _FIT.match(text) or graph.find_entities(text)[:1] != (entity,):
            return None
        if _is_proper(text):
            return Term(text, "NNP")
        if _is_noun_phrase(text):
            return _noun(text)
        return Term(text, "") if any_phrase else None


def slot_form(template: str, slot: str) -> str:
    """Return how a slot, head or tail, of a template is filled: with an article (empty), plain, phrase or VBG."""
    return next((found[2] or "" for found in _SLOT.finditer(template) if found[1] == slot), "")


def say(template: str, head: Term, tail: Term) -> Said:
    """Fill a template with two terms."""
    text, end = "", 0
    places: dict[str, tuple[int, int]] = {}
    for found in _SLOT.finditer(template):
        term = head if found[1] == "head" else tail
        text += template[end : found.start()]
        before, word = _spoken(term, found[2] or "")
        if not text.strip():
            before, word = (_capital(before), word) if before else ("", _capital(word))
        text += before
        places[found[1]] = (len(text), len(text) + len(word))
        text += word
        end = found.end()
    return Said(_without_two_dots(text + template[end:]), places["head"], places["tail"])


def template_for(label: str) -> str:
    """Make a sentence from the shape of a relation's name: "part of", "lives in", "has colour", "employs".

    "The {label} of {head} is {tail}." where the shape says nothing; empty for what denies or is no name.
    """
    words = label.lower().split()
    if not words or words[0] in ("not", "no") or not re.match(r"[a-z][a-z' -]*\Z", label.lower()):
        return ""
    name = " ".join(words)
    if words[0] in ("is", "was"):
        return f"{{head}} {name} {{tail}}."
    if words[0] == "has" and len(words) > 1:
        return f"The {' '.join(words[1:])} of {{head}} is {{tail}}."
    if words[-1] == "of" and len(words) > 1:
        noun = " ".join(words[:-1])
        return f"{{head}} is {noun if noun in _BARE_OF else f'{article(noun)} {noun}'} of {{tail}}."
    is_verb = words[0].endswith("s") and "VERB" in getAllLemmas(words[0]) and inflect(words[0][:-1], "VBZ") != ""
    if is_verb and (len(words) == 1 or words[-1] in _PREPOSITIONS):
        return f"{{head}} {name} {{tail}}."
    if words[-1] in _PREPOSITIONS and len(words) > 1:
        if words[0] in ("died", "lived", "worked", "studied", "played", "served", "fought"):
            return f"{{head}} {name} {{tail}}."
        return f"{{head}} {'was' if words[0] in _PAST else 'is'} {name} {{tail}}."
    return f"The {name} of {{head}} is {{tail}}."


def _spoken(term: Term, form: str) -> tuple[str, str]:
    """Return what stands before a term, and the term in its form."""
    if form == "VBG":
        first = term.text.split()[0]
        is_verb = term.tag in ("", "NN") and "VERB" in getAllLemmas(first) and inflect(first, "VBG") != ""
        return "", inflect(term.text, "VBG") if is_verb else term.text
    if term.tag == "NNP":
        return ("the " if _takes_the(term.text) else ""), term.text
    if form or term.tag != "NN" or _is_mass(term.text):
        return "", term.text
    return f"{article(term.text)} ", term.text


def _noun(text: str) -> Term:
    if is_name(text):
        return Term(text, "NNP")
    last = re.split(r"[\s-]", text)[-1]
    lemmas = getAllLemmas(last).get("NOUN", ())
    return Term(text, "NNS" if lemmas and last.lower() not in lemmas and last.endswith("s") else "NN")


def _is_proper(text: str) -> bool:
    words = text.split()
    return not words[0][0].islower() and all(not word[0].islower() or word in _NAME_LINKS for word in words)


def _is_noun_phrase(text: str) -> bool:
    """Tell whether a phrase in lower case looks like a noun with what belongs to it, not like a clause or action."""
    words = text.lower().split()
    if words[0] in _NO_NOUNS or len(words) > 3 or any(word in _CLAUSE_WORDS for word in words):
        return False
    readings = getAllLemmas(words[-1])
    if readings and "NOUN" not in readings and "PROPN" not in readings:
        return False
    if len(words) == 1:
        return True
    first = getAllLemmas(words[0])
    return words[0] not in _PHRASE_VERBS and not ("VERB" in first and set(first) <= {"VERB", "AUX"})


def _takes_the(name: str) -> bool:
    words = name.lower().split()
    if words[0] == "the":
        return False
    if name.lower() in _THE_NAMES:
        return True
    if "of" in words[1:]:
        return words[words.index("of") - 1] in _THE_BEFORE_OF
    return len(words) > 1 and words[-1] in _THE_AT_END


def _is_mass(noun: str) -> bool:
    """Tell whether a noun goes without an article: no plural, or one that is the noun itself, or a substance."""
    last = re.split(r"[\s-]", noun)[-1]
    return not is_countable(noun) or last in _SUBSTANCES or getInflection(last, "NNS", inflect_oov=False)[:1] == (last,)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _without_two_dots(text: str) -> str:
    """Return a sentence with one full stop where its last word, such as "Inc.", brought its own."""
    return text[:-1] if text.endswith("..") else text
