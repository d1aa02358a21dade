"""Other wordings of one text: typos, function words that mean the same, casing, marks, and clauses beside the point.

Pure functions of a text and, where something is chosen, of a random number generator. What a wording does to the label
of a pair is `perturbations.py`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from kg_reason.kg.word_classes import word_classes

IsWord = Callable[[str], bool]

MIN_TYPO_LETTERS = 4  # a slip in a shorter word gives another word more often than not

_WORDS_OF_ENGLISH = word_classes("en")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # of a QWERTY keyboard, each half a key to the right of the one above
UNRELATED = (
    "light travels faster than sound", "a leap year has one day more than other years",
    "copper melts at a higher temperature than tin", "the square of three is nine", "ice is lighter than water",
    "February is the shortest month", "an octagon has eight corners", "iron rusts in damp air",
    "a kilometre is shorter than a mile", "the alphabet begins with a vowel", "glass is made from sand",
    "a century lasts a hundred years", "the moon circles the earth", "every even number can be halved",
)  # fmt: skip
_CONTRACTED = ("is", "are", "was", "were", "does", "do", "did", "has", "have", "had", "could", "would", "should")
_NOUN_PHRASE = "(?= (?:an?|the|his|her|their|its|some|two|three|four)\\b)"  # what follows begins one
# (what is written, what may stand there as well), as patterns; where several fit in one place, the first is taken.
_FUNCTION_WORDS: tuple[tuple[str, str], ...] = (
    *((rf"{word} not\b", f"{word}n't") for word in _CONTRACTED),
    *((rf"{word}n['\u2019]t\b", f"{word} not") for word in _CONTRACTED),
    (r"can ?not\b", "can't"), (r"can['\u2019]t\b", "cannot"),
    (r"there is\b", "there's"), (r"there['\u2019]s\b", "there is"),
    (r"someone\b", "somebody"), (r"somebody\b", "someone"), (r"everyone\b", "everybody"), (r"everybody\b", "everyone"),
    (r"no one\b", "nobody"), (r"nobody\b", "no one"), (r"anyone\b", "anybody"), (r"anybody\b", "anyone"),
    (r"next to\b", "beside"), (r"beside\b", "next to"), (rf"near{_NOUN_PHRASE}", "close to"), (r"close to\b", "near"),
    (rf"upon{_NOUN_PHRASE}", "on"), (r"towards\b", "toward"), (r"toward\b", "towards"), (r"amongst\b", "among"),
    (r"among\b", "amongst"), (r"beneath\b", "underneath"), (r"underneath\b", "beneath"), (r"until\b", "till"),
    (r"although\b", "though"), (r"in order to\b", "to"), (r"a lot of\b", "lots of"), (r"lots of\b", "a lot of"),
    (r"inside of\b", "inside"), (rf"inside{_NOUN_PHRASE}", "inside of"), (r"outside of\b", "outside"),
    (rf"outside{_NOUN_PHRASE}", "outside of"), (r"as well as\b", "and"), (rf"and{_NOUN_PHRASE}", "and also"),
)  # fmt: skip
_FUNCTION_PATTERNS = tuple((re.compile(rf"\b{old}", re.IGNORECASE), new) for old, new in _FUNCTION_WORDS)
_PAIRED = re.compile(r"\b(?:both|between|either)\b", re.IGNORECASE)  # their "and" stands alone
_WORD = re.compile(r"(?<!['\u2019])\b[A-Za-z]+\b(?!['\u2019])")
_MARK = re.compile(r"[.,](?!\d)|[;:!?\"\u201c\u201d()]")
_OPENING_QUOTE = re.compile(r'(?<!\S)"')


def typo(text: str, rng: random.Random, is_word: IsWord) -> str | None:
    """Return a text with a slip in one content word: two letters swapped, one dropped, or the key beside one hit.

    The first letter stays, as it mostly does. None where no word is long enough, or every slip gives another word.

    Args:
        text: words of other letters than a to z are left alone.
        rng: chooses word and slip.
        is_word: tells which words exist, so that "coat" does not become "cost".
    """
    words = [
        found for found in _WORD.finditer(text)
        if len(found[0]) >= MIN_TYPO_LETTERS and found[0].lower() not in _WORDS_OF_ENGLISH
    ]  # fmt: skip
    rng.shuffle(words)
    for found in words:
        slips = [_swap, _drop, _hit_beside]
        rng.shuffle(slips)
        for slip in slips:
            changed = slip(found[0], rng)
            if changed.lower() != found[0].lower() and not is_word(changed):
                return text[: found.start()] + changed + text[found.end() :]
    return None


def _swap(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _drop(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    return word[:place] + word[place + 1 :]


def _hit_beside(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    letter = word[place]
    beside = rng.choice(keys_beside(letter.lower()))
    return word[:place] + (beside.upper() if letter.isupper() else beside) + word[place + 1 :]


def keys_beside(letter: str) -> tuple[str, ...]:
    """Return the keys around one of a to z on a QWERTY keyboard, in alphabetic order.

    Raises:
        ValueError: it is no such letter.
    """
    row = next((number for number, keys in enumerate(_ROWS) if letter in keys), -1)
    if row < 0 or len(letter) != 1:
        raise ValueError(f"letter: found {letter!r}, expected one of a to z")
    column = _ROWS[row].index(letter)
    places = [(row, column - 1), (row, column + 1), (row - 1, column), (row - 1, column + 1),
              (row + 1, column - 1), (row + 1, column)]  # fmt: skip
    return tuple(sorted(
        _ROWS[line][key] for line, key in places if 0 <= line < len(_ROWS) and 0 <= key < len(_ROWS[line])
    ))  # fmt: skip


def other_function_words(text: str) -> str:
    """Return an English text with function words that mean the same, each place changed once; itself where none is."""
    spans: list[tuple[int, int, str]] = []
    for pattern, new in _FUNCTION_PATTERNS:
        for found in pattern.finditer(text):
            start, end = found.span()
            is_taken = any(start < last and first < end for first, last, _ in spans)
            if is_taken or (new == "and also" and _PAIRED.search(text, 0, start)):
                continue
            spans.append((start, end, new.capitalize() if text[start].isupper() else new))
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def title_case(text: str) -> str:
    """Return a text with every word capitalised."""
    return re.sub(r"(?<!\S)\S", lambda found: found[0].upper(), text)


def without_punctuation(text: str) -> str:
    """Return a text with no punctuation; hyphens, apostrophes and the marks inside numbers stay."""
    return " ".join(_MARK.sub("", text).split())


def doubled_blanks(text: str) -> str:
    """Return a text with every blank doubled."""
    return text.replace(" ", "  ")


def curly_quotes(text: str) -> str:
    """Return a text with typographic quotation marks and apostrophes."""
    return _OPENING_QUOTE.sub("\u201c", text).replace('"', "\u201d").replace("'", "\u2019")


def unrelated_clause(texts: Sequence[str], rng: random.Random) -> str | None:
    """Return a clause, true of any scene, without a content word of the texts; None where every clause has one."""
    taken = {word.lower() for word in _WORD.findall(" ".join(texts))}
    free = [
        clause for clause in UNRELATED
        if not any(word.lower() in taken for word in clause.split() if word.lower() not in _WORDS_OF_ENGLISH)
    ]  # fmt: skip
    return rng.choice(free) if free else None
