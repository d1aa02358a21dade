"""Words of labels and of text, cut and normalised in the same way, with their places in the user's own string.

A chunk (a run without white space) is tokenised by spaCy's blank tokeniser of its language; its tokens are then cut at
hyphens, underscores, apostrophes and other punctuation, so that `ice-cream`, `ice_cream` and `ice cream` give the same
two words. Scripts without spaces are cut by character. A normal form is case folded, compatibility-normalised and free
of accents; what it lost is kept in the word's shape, from which the linker tells an exact match from a loose one.
Lemmas are `lemmas.py`; matching is `label_index.py`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from spacy.tokenizer import Tokenizer

MAX_TOKENIZER_RUN = 200  # longer runs are cut by character class alone: spaCy's patterns may take hours on odd ones
MAX_SHAPE_WORDS = 11

# Shape of a word, 5 bits: what the normal form leaves out.
CASE_BITS = 3  # 0 lower case or caseless, 1 Capitalised, 2 UPPER, 3 mIxed
ACCENT_BIT = 4  # accents or compatibility forms were removed
GLUED_BIT = 8  # no white space before it
BREAK_BIT = 16  # punctuation that ends a phrase stands before it
SHAPE_BITS = 5
CAPITALISED, UPPER, MIXED = 1, 2, 3

_VOICED = "\u3099\u309a"  # marks of a kana that may be characters of their own
_CONNECTORS = frozenset("-\u2010\u2011'\u2019\u02bc._&\u00b7\u30fb")
_APOSTROPHES = frozenset("'\u2019\u02bc")
_SENTENCE_ENDS = frozenset(".!?\u2026\u3002\uff01\uff1f\u061f\u0964")
_OPENERS = frozenset("\"\u201c\u2018'([{\u00ab*")
_HYPHENATED = re.compile(r"[A-Za-z]+(?:[-_][A-Za-z]+)*")
# Latin, Greek and Cyrillic accents (the breve of й is a letter's own), Hebrew points, Arabic vowel signs, selectors.
_MARKS = re.compile("(?<!\u0438)[\u0300-\u036f]|[\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u065f\u0670\ufe00-\ufe0f]")
_SURROGATES = re.compile("[\ud800-\udfff]")  # halves of characters: spaCy cannot encode them
_WHOLE = frozenset(("n't", "n\u2019t"))
_CUT_SHORT = MappingProxyType({"ca": "can", "wo": "will", "sha": "shall", "ai": "is"})  # before n't
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


class Word(NamedTuple):
    """One word of a chunk.

    Attributes:
        start: first character in the chunk.
        end: character after the last one in the chunk.
        text: normal form.
        shape: CASE_BITS, ACCENT_BIT, GLUED_BIT, BREAK_BIT.
        group: words of one group are held together by a connector, as in `state-of-the-art`.
        break_after: 0 nothing, 1 a phrase ends after the word, 2 a sentence ends after the word.
        possessive: the word carried an apostrophe s, which is not a word of its own.
    """

    start: int
    end: int
    text: str
    shape: int
    group: int
    break_after: int
    possessive: bool


@lru_cache(maxsize=64)
def tokenizer(language: str) -> Tokenizer:
    """Return spaCy's blank tokeniser of a language, or the one for any language where spaCy has none of its own."""
    import spacy  # a second and a half of imports, needed only by text with punctuation or digits in it

    try:
        return spacy.blank(language).tokenizer
    except ImportError:  # unknown to spaCy, or its tokeniser needs a package of its own (ja, ko, th, vi)
        return spacy.blank("xx").tokenizer


def primary_language(tag: str) -> str:
    """Return the language of a tag without region or script: `en` for `en-GB`; empty stays empty."""
    return tag.replace("_", "-").split("-")[0].lower()


def normal_form(text: str) -> str:
    """Return a word case folded, compatibility-normalised, without accents and invisible characters."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = _MARKS.sub("", unicodedata.normalize("NFD", folded))
    kept = "".join(character for character in bare if unicodedata.category(character) not in ("Cf", "Cc"))
    return unicodedata.normalize("NFC", kept)


def caseless(name: str) -> str:
    """Return a name as two spellings of it are compared: case folded, a letter and its accents as one character."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def plain_name(name: str) -> str:
    """Return a relation's name without case, blanks and punctuation: `subClassOf`, `sub class of` -> `subclassof`."""
    return "".join(character for character in caseless(name) if character.isalnum())


def word_shape(text: str, normal: str) -> int:
    """Return the case code of a word and whether its normal form lost more than case."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)  # an accent may be a character of its own
    if text == normal:
        return 0
    lowered = text.lower()
    lost = 0 if lowered == normal else ACCENT_BIT
    if text == lowered:
        return lost
    if len(text) > 1 and text.isupper():
        return lost | UPPER
    if text[0].isupper() and text[1:] == lowered[1:]:
        return lost | CAPITALISED
    return lost | MIXED


def by_character(character: str) -> bool:
    """Say whether a character belongs to a script written without spaces, whose words are cut by character."""
    code = ord(character)
    if code < 0x0E00:
        return False
    return (
        0x3040 <= code <= 0x30FF or 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0xFF66 <= code <= 0xFF9D
        or 0x0E00 <= code <= 0x0EFF or 0x1000 <= code <= 0x109F or 0x1780 <= code <= 0x17FF
        or 0x20000 <= code <= 0x323AF
    )


def split_chunk(chunk: str, language: str) -> tuple[Word, ...]:
    """Cut a run without white space into words; punctuation alone gives none.

    Args:
        chunk: characters without white space.
        language: primary language; empty: English rules.
    """
    if chunk.isascii() and chunk.isalpha():
        normal = chunk.lower()
        return (Word(0, len(chunk), normal, word_shape(chunk, normal), 0, 0, False),)
    pieces = [piece for start, end, whole in _tokens(chunk, language) for piece in _pieces(chunk, start, end, whole)]
    words: list[Word] = []
    last_end = group = 0
    for start, end in pieces:
        gap = chunk[last_end:start]
        last_end = end
        text = chunk[start:end]
        if text[-1] == "." and len(text) > 1:
            text = text.rstrip(".")
        normal = _THOUSANDS.sub("", normal_form(text))
        if normal in ("n't", "n\u2019t"):
            normal = "not"
            if words and not gap:
                words[-1] = words[-1]._replace(text=_CUT_SHORT.get(words[-1].text, words[-1].text))
        if not normal:
            continue
        glued = bool(words)
        connected = glued and (not gap or (len(gap) == 1 and gap in _CONNECTORS))
        if connected and normal == "s" and gap in _APOSTROPHES and gap:
            words[-1] = words[-1]._replace(possessive=True)
            continue
        broken = bool(gap) and not connected and not _OPENERS.issuperset(gap)
        if not connected:
            group += 1
        shape = word_shape(text, normal) | (GLUED_BIT if glued else 0) | (BREAK_BIT if broken and glued else 0)
        words.append(Word(start, end, normal, shape, group, 0, False))
    if words:
        tail = chunk[last_end:]
        if _SENTENCE_ENDS.intersection(tail):
            words[-1] = words[-1]._replace(break_after=2)
        elif tail and not (_CONNECTORS | _OPENERS).issuperset(tail):
            words[-1] = words[-1]._replace(break_after=1)
    return tuple(words)


def split_text(text: str, language: str) -> list[Word]:
    """Cut a text into words whose places are places in the text."""
    words: list[Word] = []
    place = 0
    broken = False
    for chunk in text.split():
        place = text.index(chunk, place)
        for word in split_chunk(chunk, language):
            shape = word.shape | BREAK_BIT if broken else word.shape
            words.append(word._replace(start=place + word.start, end=place + word.end, shape=shape))
            broken = False
        broken = bool(words) and words[-1].break_after > 0
        place += len(chunk)
    return words


def joined_text(words: tuple[Word, ...] | list[Word]) -> str:
    """Return the words of one group written as one (`email` for `e-mail`), or nothing where that is no word."""
    if not 2 <= len(words) <= 4 or any(word.text[0].isdigit() or by_character(word.text[0]) for word in words):
        return ""
    return "".join(word.text for word in words)


def _tokens(chunk: str, language: str) -> list[tuple[int, int, bool]]:
    """Cut a chunk into spaCy's tokens: start, end, and whether the token stays whole (addresses)."""
    if len(chunk) > MAX_TOKENIZER_RUN:
        return [(0, len(chunk), chunk.startswith(("http://", "https://", "www.")))]
    if _HYPHENATED.fullmatch(chunk) or any(map(by_character, chunk)) or _SURROGATES.search(chunk):
        return [(0, len(chunk), False)]
    spacy_tokenizer = tokenizer(language or "en")
    with spacy_tokenizer.vocab.memory_zone():  # strings of a text do not stay in the vocabulary
        return [
            (token.idx, token.idx + len(token), token.like_url or token.like_email or token.lower_ in _WHOLE)
            for token in spacy_tokenizer(chunk)
        ]


def _pieces(chunk: str, start: int, end: int, whole: bool) -> list[tuple[int, int]]:
    """Cut one token into runs of word characters; an abbreviation keeps its last full stop."""
    if whole:
        return [(start, end)]
    pieces: list[tuple[int, int]] = []
    kind = ""  # kind of the open piece: w letters and digits, e emoji
    for place in range(start, end):
        character = chunk[place]
        found = _character_kind(character)
        if found == "m":  # marks and joiners go on with what they follow
            found = kind
        elif found == "" and kind == "w" and character in ".,:" and start < place < end - 1:
            if chunk[place - 1].isdigit() and chunk[place + 1].isdigit():
                found = "w"
        elif found == "" and kind == "w" and character in "+#" and not chunk[place + 1 : end].strip("+#"):
            found = "w"
        if found == kind and (found in ("w", "e") or (found == "c" and character in _VOICED)):
            pieces[-1] = (pieces[-1][0], place + 1)
        elif found:
            pieces.append((place, place + 1))
        kind = found
    if len(pieces) > 1 and chunk[pieces[-1][1] : end] == ".":
        pieces[-1] = (pieces[-1][0], end)
    return pieces


def _character_kind(character: str) -> str:
    """Return w for letters and digits, c for a character that is a word, e for emoji, m for marks, else nothing."""
    if character.isascii():
        return "w" if character.isalnum() else ""
    category = unicodedata.category(character)
    if category[0] == "M" or category == "Cf":
        return "m"
    if category[0] in "LN":
        return "c" if by_character(character) else "w"
    if ord(character) >= 0x2600 and (category == "So" or 0x1F3FB <= ord(character) <= 0x1F3FF):
        return "e"
    return ""
