"""What an English sentence says about one of its words, by token rules: part of speech, and polarity.

The rules answer only where they are sure and else say so: a generator of examples can choose its places. Polarity is
that of natural logic: in an upward context a wider word follows from a narrower one ("plays a violin" - "plays an
instrument"), in a downward context the other way round ("plays no instrument" - "plays no violin").
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple

from lemminflect import getAllLemmas


class Token(NamedTuple):
    """A word or a punctuation mark of a text; text is text[start:end] in lower case."""

    start: int
    end: int
    text: str


class Polarity(StrEnum):
    """Whether a wider (upward) or a narrower (downward) word follows; unclear where the rules do not say."""

    UPWARD = "upward"
    DOWNWARD = "downward"
    UNCLEAR = "unclear"


def _word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TOKEN = re.compile(r"n['’]t\b|[^\W_]+?(?=n['’]t\b)|[^\W_]+(?:-[^\W_]+)*|['’]\w+|[^\w\s]", re.IGNORECASE)
_DETERMINERS = _word_set(
    "a an the this that these those my your his her its our their some any no each every another both several many "
    "few all either neither 's"
)
_NUMBERS = _word_set("one two three four five six seven eight nine ten eleven twelve twenty thirty hundred")
_PREPOSITIONS = _word_set(
    "in on at by with from of for near into onto over under behind beside between through across along against around "
    "about above below inside outside during without within toward towards after before off up down out past like as "
    "among upon beneath"
)
_CONJUNCTIONS = _word_set("and or but while when because if that who which where than")
_BE = _word_set("is are was were be been being am 's 're")
_MODALS = _word_set("to do does did will would can could may might must should shall not n't let")
_PRONOUNS = _word_set("i you he she it we they who everyone someone people nobody somebody")
_ADVERBS = _word_set("very so too quite rather really now then there here together again away back down up")
_FUNCTION = _DETERMINERS | _PREPOSITIONS | _CONJUNCTIONS | _BE | _MODALS | _PRONOUNS | _ADVERBS
_ENDS = frozenset({"", ".", ",", "!", "?", ";", ":", '"', ")"})

_NEGATIONS = _word_set("not n't never cannot hardly nobody none nothing neither nor nowhere rarely seldom")
_NEGATIVE_DETERMINERS = frozenset({"no", "few"})
_RESTRICTORS = frozenset({"every", "all", "each", "any"})
_CLAUSE_BREAKS = frozenset({",", ";", ".", "but", "because", "while", "although", "though", "whereas", "that"})


@lru_cache(64)  # each word of a sentence asks for its tokens
def tokenize(text: str) -> tuple[Token, ...]:
    """Split a text into words and punctuation marks; "isn't" is two words."""
    return tuple(Token(m.start(), m.end(), m[0].lower().replace("’", "'")) for m in _TOKEN.finditer(text))


def is_determiner(word: str) -> bool:
    """Tell whether a word opens a noun phrase, as articles, possessives and numbers do."""
    return word in _DETERMINERS or word in _NUMBERS or word.isdigit()


def is_preposition(word: str) -> bool:
    """Tell whether a word is a preposition."""
    return word in _PREPOSITIONS


def is_function_word(word: str) -> bool:
    """Tell whether a word belongs to a closed class: articles, pronouns, auxiliaries, prepositions and the like."""
    return word in _FUNCTION or word in ("us", "them", "him", "me")


@cache
def is_inflected(word: str) -> bool:
    """Tell whether a word is also a form of another word, as "lost" is of "lose"."""
    return any(lemma != word for lemmas in getAllLemmas(word).values() for lemma in lemmas)


def may_be_verb(word: str) -> bool:
    """Tell whether a word is a content word that English uses as a verb form."""
    return _is_content(word) and "VERB" in _lemma_classes(word)


def may_be_adjective(word: str) -> bool:
    """Tell whether a word is a content word that English also uses as an adjective."""
    return _is_content(word) and "ADJ" in _lemma_classes(word)


def _around(tokens: tuple[Token, ...], start: int, end: int) -> tuple[list[Token], list[Token]]:
    return [token for token in tokens if token.end <= start], [token for token in tokens if token.start >= end]


def word_class(text: str, start: int, end: int, classes: Collection[str]) -> str:
    """Return the part of speech (n, v, a, r) of text[start:end] among the classes it may have; empty when unsure."""
    before, after = _around(tokenize(text), start, end)
    previous = before[-1].text if before else ""
    earlier = before[-2].text if len(before) > 1 else ""
    following = after[0].text if after else ""
    word = text[start:end].lower()
    found = set()
    if "n" in classes and _may_be_noun(previous, earlier, following):
        found.add("n")
    if "a" in classes and _may_be_adjective(word, previous, following):
        found.add("a")
    if "v" in classes and _may_be_verb(word, previous, following):
        found.add("v")
    if "r" in classes and (tuple(classes) == ("r",) or (word in _PREPOSITIONS and is_determiner(following))):
        return "r"
    return found.pop() if len(found) == 1 else ""


def _is_content(word: str) -> bool:
    return word not in _FUNCTION and word not in _ENDS and word[:1].isalnum()


@cache
def _lemma_classes(word: str) -> frozenset[str]:
    return frozenset(getAllLemmas(word))


def _opens_noun_phrase_place(previous: str, earlier: str) -> bool:
    """Tell whether the words before a place are such that a noun can stand there."""
    if is_determiner(previous) or previous in _PREPOSITIONS:
        return True
    if previous in ("and", "or", ""):
        return True
    adjective = _is_content(previous) and bool({"ADJ", "NOUN"} & _lemma_classes(previous))
    opens = is_determiner(earlier) or earlier in _PREPOSITIONS or earlier in ("and", "", ",") or may_be_verb(earlier)
    return adjective and (opens or earlier in ("has", "have", "had"))


def _may_be_noun(previous: str, earlier: str, following: str) -> bool:
    ends = following in _ENDS or following in _FUNCTION or not following[:1].isalnum()
    if not ends:
        # A verb may follow a noun ("the dog barks"); a word that may also be a noun makes a compound possible.
        classes = _lemma_classes(following)
        ends = "VERB" in classes and (following.endswith(("ing", "ed", "s")) or "NOUN" not in classes)
        ends = ends or classes == {"ADV"}
    if not ends:
        return False
    if _opens_noun_phrase_place(previous, earlier):
        return True
    # The object of a verb without an article: "plays guitar", "drinking beer".
    return _is_content(previous) and "VERB" in _lemma_classes(previous) and not earlier.endswith("'s")


def _may_be_adjective(word: str, previous: str, following: str) -> bool:
    if _is_content(following):
        classes = _lemma_classes(following)
        attributive = "NOUN" in classes or ("ADJ" in classes and "VERB" not in classes)
        before = is_determiner(previous) or previous in _PREPOSITIONS or previous in ("", "and", ",") or (
            _is_content(previous) and "ADJ" in _lemma_classes(previous)
        )
        return attributive and before
    if following in _PREPOSITIONS and "VERB" in _lemma_classes(word):
        return False
    ends = following in _ENDS or following in _PREPOSITIONS or following in _CONJUNCTIONS
    links = ("and", "or", "but", "very", "so", "too", "quite", "looks", "looked", "seems", "feels")
    return ends and (previous in _BE or previous in links)


def _may_be_verb(word: str, previous: str, following: str) -> bool:
    if word.endswith("ing"):
        return previous in _BE
    if previous in _MODALS:
        return not word.endswith(("s", "ed"))
    if previous in _BE:
        return False
    noun = _is_content(previous) and "NOUN" in _lemma_classes(previous) and "ADJ" not in _lemma_classes(previous)
    subject = noun or previous in _PRONOUNS
    goes_on = following in _ENDS or following in _FUNCTION
    return subject and goes_on


def polarity(text: str, start: int, end: int) -> Polarity:
    """Return the polarity of the place text[start:end]: by a negation, "no", "few", "without", "every", "if" before it.

    A negation after the place leaves it unclear, since it may or may not reach back to the subject.
    """
    before, after = _around(tokenize(text), start, end)
    result = Polarity.UPWARD
    for position, token in enumerate(before):
        word = token.text
        between = [later.text for later in before[position + 1 :]]
        if any(other in _CLAUSE_BREAKS for other in between):
            continue
        if word in _NEGATIONS or word in _NEGATIVE_DETERMINERS:
            if word == "few" and position and before[position - 1].text == "a":
                continue
            result = _turn(result)
        elif word == "if":
            result = _turn(result)
        elif word in ("without", "instead") or word in _RESTRICTORS:
            if _same_noun_phrase(between):
                result = _turn(result)
            elif word in _RESTRICTORS and not any("VERB" in _lemma_classes(other) for other in between[1:]):
                return Polarity.UNCLEAR
    if any(token.text in _NEGATIONS for token in after) and result is Polarity.UPWARD:
        return Polarity.UNCLEAR
    return result


def _same_noun_phrase(between: list[str]) -> bool:
    """Tell whether a word with only these between a determiner and itself belongs to that determiner's noun."""
    return len(between) <= 2 and all(
        is_determiner(word) or (_is_content(word) and "ADJ" in _lemma_classes(word)) for word in between
    )


def _turn(current: Polarity) -> Polarity:
    return Polarity.DOWNWARD if current is Polarity.UPWARD else Polarity.UNCLEAR
