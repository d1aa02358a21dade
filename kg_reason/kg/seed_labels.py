"""From the sentences of a seed to the labels that their words may stand for at an endpoint that compares exactly.

The linker folds case, accents and inflection on both sides; an endpoint finds a label only as it is written. So each
run of words gives the spellings that labels usually have: as in the text, in lower case, with capitals, with the lemmas
of its first or last word, with and without hyphens. Runs of function words alone, and runs across the end of a
sentence, give none, as in `span_choice.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from kg_reason.errors import InputSyntaxError
from kg_reason.kg.lemmas import Lemmatiser, lemmatiser
from kg_reason.kg.word_classes import PARTICLE, TURNING_WORDS, word_classes
from kg_reason.kg.words import Word, by_character, joined_text, primary_language, split_text

MAX_SENTENCE_CHARACTERS = 100_000
MAX_ACRONYM_LETTERS = 5
MAX_HYPHENATED = 3  # words
SENTENCE_END = 2  # of Word.break_after
_UNWRITTEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # no label has them, and not every endpoint takes them


def read_sentences(path: Path) -> list[str]:
    """Read the sentences of a seed, one in each line; empty lines are passed over.

    Raises:
        InputSyntaxError: the file cannot be read, is no UTF-8, or holds an endless line.
    """
    sentences = []
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                except UnicodeDecodeError as error:
                    raise InputSyntaxError(str(path), number, f"expected UTF-8 text, found {error.reason}") from error
                if len(text) > MAX_SENTENCE_CHARACTERS:
                    found = f"found {len(text):,} characters, expected at most {MAX_SENTENCE_CHARACTERS:,} in a line"
                    raise InputSyntaxError(str(path), number, found)
                if text:
                    sentences.append(text)
    except OSError as error:
        raise InputSyntaxError(str(path), 0, f"cannot be opened: {error.strerror}") from error
    return sentences


def seed_labels(sentences: Iterable[str], language: str, max_words: int) -> list[str]:
    """Return every spelling that a label of the words of some sentences may have, sorted.

    Args:
        sentences: texts.
        language: tag of their language; empty: English rules.
        max_words: longest run of words, in tokens of the linker.
    """
    primary = primary_language(language)
    lemmas, classes = lemmatiser(primary), word_classes(primary)
    labels: set[str] = set()
    for text in dict.fromkeys(sentences):
        words = split_text(text, primary)
        for start in range(len(words)):
            for end in range(start + 1, min(start + max_words, len(words)) + 1):
                run = words[start:end]
                if any(_may_be_content(word.text, classes) for word in run):
                    labels.update(_spellings(text, run, lemmas))
                elif _is_acronym(text, run):
                    written = text[run[0].start : run[-1].end]
                    labels.update((written, _dotted(written)))
                if words[end - 1].break_after == SENTENCE_END:
                    break
    return sorted(label for label in labels if label and not _UNWRITTEN.search(label))


def _may_be_content(word: str, classes: Mapping[str, int]) -> bool:
    return classes.get(word, PARTICLE) == PARTICLE or word in TURNING_WORDS


def _is_acronym(text: str, run: Sequence[Word]) -> bool:
    """Say whether a function word is written like a name: US, IT."""
    written = text[run[0].start : run[0].end]
    return len(run) == 1 and len(written) > 1 and written.isupper()


def _spellings(text: str, run: Sequence[Word], lemmas: Lemmatiser) -> Iterator[str]:
    """Yield the spellings of one run of words."""
    written = " ".join(text[run[0].start : run[-1].end].split())
    yield written
    if any(by_character(word.text[0]) for word in run):
        yield written.lower()
        return
    plain = [text[word.start : word.end].lower() for word in run]
    folded = [word.text for word in run]
    forms = [written.lower(), " ".join(plain), " ".join(folded)]
    forms += [" ".join([*plain[:-1], lemma]) for lemma, _ in _lemmas(folded[-1], lemmas)]
    for form in forms:
        yield from _capitals(form)
    if len(run) == 1:
        if len(plain[0]) <= MAX_ACRONYM_LETTERS:
            yield plain[0].upper()
            yield _dotted(plain[0].upper())
    else:
        inflected = [[lemma, *plain[1:]] for lemma, _ in _lemmas(folded[0], lemmas)]
        yield from map(" ".join, inflected)
        if len(run) <= MAX_HYPHENATED:
            yield from (joined_text(list(run)), *_hyphenated(plain))
            inflected += [[*plain[:-1], lemma] for lemma, _ in _lemmas(folded[-1], lemmas)]
            yield from map("-".join, inflected)
    for article in ("the", "The"):  # the linker finds "The Beatles" by "Beatles", and "men's" by "men"
        yield f"{article} {plain[0]}" if len(run) == 1 else f"{article} {written}"
        yield f"{article} {written[0].upper()}{written[1:]}"
    if len(run) == 1:
        yield f"{plain[0]}'s"


def _dotted(acronym: str) -> str:
    """Return an acronym with a full stop after each letter."""
    return "".join(f"{letter}." for letter in acronym)


def _hyphenated(words: Sequence[str]) -> Iterator[str]:
    """Yield words with hyphens between all of them, and between the first ones and the last ones only."""
    yield "-".join(words)
    for cut in range(1, len(words) - 1):
        yield f"{'-'.join(words[: cut + 1])} {' '.join(words[cut + 1 :])}"
        yield f"{' '.join(words[:cut])} {'-'.join(words[cut:])}"


def _lemmas(word: str, lemmas: Lemmatiser) -> tuple[tuple[str, int], ...]:
    return lemmas(word) if word[0].isalpha() else ()


def _capitals(form: str) -> Iterator[str]:
    """Yield a form as it is, with its first letter as a capital, and with all first letters as capitals."""
    yield form
    yield form[0].upper() + form[1:]
    if " " in form:
        yield " ".join(word[0].upper() + word[1:] for word in form.split(" "))
