"""Surface forms of English: the form a word stands in, another word in that form, and its place in a sentence.

Inflection is lemminflect's. What a sentence means around a word is `context.py`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from lemminflect import getInflection

TAGS = {"n": ("NN", "NNS"), "v": ("VB", "VBZ", "VBG", "VBD", "VBN"), "a": ("JJ", "JJR", "JJS"), "r": ("RB",)}
_SAME_AS_ADVERB = (
    "near", "inside", "outside", "above", "below", "up", "down", "over", "under", "before", "after", "behind",
    "beneath", "underneath", "within", "without", "past", "across", "along", "around", "off", "on", "in",
)
PREPOSITIONS = dict(zip(_SAME_AS_ADVERB, _SAME_AS_ADVERB, strict=True))  # adverb -> the same before a noun phrase
PREPOSITIONS |= {"close": "close to", "far": "far from", "ahead": "ahead of", "next": "next to"}
BASE_TAGS = ("NN", "NNP", "VB", "JJ", "RB", "CD")



class Filled(NamedTuple):
    """A sentence and the word that was put into it: text[start:end]; the text is empty where that is not English."""

    text: str
    start: int = 0
    end: int = 0


NOT_ENGLISH = Filled("")
_MAX_CACHED = 1 << 16  # answers kept of each function that asks lemminflect; invented words would fill any cache

_VOWEL = re.compile(r"[aeiou8]|1[18](?!\d)", re.IGNORECASE)
_CONSONANT_SOUND = re.compile(r"(?:eu|ew|u[bcdfgklmpqrstv][aeiou]|uni(?![dmn])|us[aeu]|one\b|once\b)", re.IGNORECASE)
_VOWEL_SOUND = re.compile(r"(?:hour|honest|honou?r|heir|x-ray)", re.IGNORECASE)
_GAP = re.compile(r"\{(\w+)\}")
_LAST_WORD = re.compile(r"[^\W_]+(?=\W*\Z)")
_FIRST_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_BEFORE_PREPOSITION = re.compile(r"[^\W_]+(?=[ -](?:of|in|at|on|for|to|with|de|by)[ -])", re.IGNORECASE)
_SMALL_WORDS = frozenset({"of", "the", "and", "in", "on", "de", "la", "le", "van", "von", "der", "du", "al"})
_UNCHANGED = frozenset({"sheep", "deer", "fish", "aircraft", "series", "species", "salmon", "trout", "offspring"})
_PLURAL_ONLY = frozenset({
    "scissors", "trousers", "pants", "jeans", "shorts", "glasses", "goggles", "tights", "pajamas", "pyjamas", "tongs",
    "pliers", "binoculars", "clothes", "people", "police", "cattle",
})


@lru_cache(_MAX_CACHED)
def inflect(word: str, tag: str) -> str:
    """Return a word in the form of a Penn Treebank tag; empty where English has no such form.

    IN is the preposition that belongs to an adverb: "far" gives "far from".

    In a name of several words the head is inflected: the last word of a noun ("french horns"), or the one before a
    preposition ("glasses of water"), and the first of a verb ("giving up").
    """
    if tag in BASE_TAGS:
        return word
    if tag == "IN":
        return PREPOSITIONS.get(word, "")
    if tag == "VBN" and not _forms(word, tag):
        tag = "VBD"
    head = _FIRST_WORD.search(word)
    if tag == "NNS":
        head = _BEFORE_PREPOSITION.search(word) or _LAST_WORD.search(word)
    if head is None or (tag in ("JJR", "JJS") and head[0] != word):
        return ""
    forms = _forms(head[0], tag)
    if not forms and tag in ("JJR", "JJS"):
        return ""
    form = forms[0] if forms else _regular(head[0], tag)
    if tag == "NNS":
        changed = [candidate for candidate in forms if candidate != head[0]]
        if forms and not changed and head[0].lower() not in _UNCHANGED:
            return ""
        form = changed[0] if changed else form
    return word[: head.start()] + form + word[head.end() :]


@lru_cache(_MAX_CACHED)
def _forms(word: str, tag: str) -> tuple[str, ...]:
    """Return the forms lemminflect's lexicon lists for a word, the usual one first."""
    return tuple(getInflection(word, tag=tag, inflect_oov=False))


def _regular(word: str, tag: str) -> str:
    """Inflect a word that the lexicon does not hold by the regular rules."""
    ending = {"NNS": "s", "VBZ": "s", "VBG": "ing", "VBD": "ed", "VBN": "ed"}[tag]
    if ending == "s":
        if re.search(r"(?:s|x|z|ch|sh)\Z", word):
            return f"{word}es"
        return f"{word[:-1]}ies" if re.search(r"[^aeiou]y\Z", word) else f"{word}s"
    if ending == "ed" and re.search(r"[^aeiou]y\Z", word):
        return f"{word[:-1]}ied"
    return f"{word[:-1]}{ending}" if word.endswith("e") and not word.endswith("ee") else f"{word}{ending}"


@lru_cache(_MAX_CACHED)
def form_of(surface: str, lemma: str, pos: str) -> str:
    """Return the Penn Treebank tag of the form a lemma stands in; empty where the surface is no form of it.

    Past tense and past participle are told apart only where they are written differently: the tag is then VBD.
    """
    if pos == "n" and surface.lower() in _PLURAL_ONLY:
        return "NNS"
    for tag in TAGS.get(pos, ()):
        form = inflect(lemma, tag)
        if form and form.lower() == surface.lower():
            return tag
        if tag == "NNS" and any(other.lower() == surface.lower() for other in _forms(lemma.lower(), tag)[1:]):
            return tag
    return ""


def is_countable(noun: str) -> bool:
    """Tell whether a noun can follow "a": it has a plural, or the lexicon does not know it."""
    return bool(inflect(noun, "NNS")) and noun.lower() not in _PLURAL_ONLY


def is_mass(noun: str) -> bool:
    """Tell whether a noun can stand without an article in the singular, as "water" can."""
    head = _BEFORE_PREPOSITION.search(noun) or _LAST_WORD.search(noun)
    return head is not None and head[0] in _forms(head[0], "NNS") and head[0].lower() not in _UNCHANGED


def article(word: str) -> str:
    """Return the indefinite article that a word takes: "a" or "an"."""
    if _VOWEL_SOUND.match(word):
        return "an"
    if _CONSONANT_SOUND.match(word):
        return "a"
    return "an" if _VOWEL.match(word) else "a"


def replace(text: str, start: int, end: int, word: str) -> Filled:
    """Put a word in place of text[start:end], with the case of that place, and mend the article before it.

    A word with a capital of its own keeps it; a word that opens the sentence gets one. An empty word is taken out
    together with the blank after it.
    """
    before, after = text[:start], text[end:]
    if not word:
        after = after.lstrip()
        word_after = after
    else:
        word_after = word
    opens = not before.strip() or before.rstrip()[-1:] in ".!?"
    found = re.search(r"\b(an?)(\s+)\Z", before, re.IGNORECASE)
    if found and word_after:
        fitting = article(word_after)
        fitting = fitting.capitalize() if found[1][0].isupper() else fitting
        before = before[: found.start(1)] + fitting + found[2]
    if opens and word_after:
        if word:
            word = word[0].upper() + word[1:]
        else:
            after = after[0].upper() + after[1:]
    return Filled(before + word + after, len(before), len(before) + len(word))


def with_article(filled: Filled, word: str) -> Filled:
    """Narrow what was put into a sentence to the word at its end, where it went in with an article of its own."""
    return filled._replace(start=filled.end - len(word))


def is_name(label: str) -> bool:
    """Tell whether a label is written as a proper name: "Lake Erie", "Joan of Arc", but not "French horn"."""
    words = label.split()
    return bool(words) and words[0][0].isupper() and all(
        word[0].isupper() or word.lower() in _SMALL_WORDS for word in words
    )


def gap_tag(frame: str) -> str:
    """Return the tag that the gap of a frame names; empty where it has no gap."""
    found = _GAP.search(frame)
    return found[1] if found else ""


def fill(frame: str, word: str) -> Filled:
    """Fill the gap of a frame such as "There is a {NN}." with a word in the form that the gap names.

    Returns:
        The sentence with the word's place; empty where the word has no such form or cannot stand there.
    """
    found = _GAP.search(frame)
    if found is None:
        return NOT_ENGLISH
    tag = found[1]
    form = inflect(word, tag)
    if tag == "NNP" and not is_name(word) and is_countable(word):
        return with_article(replace(frame, found.start(), found.end(), f"{article(word)} {word}"), word)
    if not form or (tag == "NN" and re.search(r"\b(?:an?|every)\s+\Z", frame[: found.start()], re.IGNORECASE)
                    and not is_countable(word)):
        return NOT_ENGLISH
    return replace(frame, found.start(), found.end(), form)
