"""Small changes to a pair of sentences, and the labels that are right after them: pure functions of a pair and a seed.

Changes that keep the label: typos, other function words, casing, punctuation and blanks, a sentence or a clause that
has nothing to do with the pair. Changes that move it: a negated hypothesis, and premise and hypothesis exchanged.
What they do to answers is `robustness.py`; the sentences are read as NLI pairs are, both speaking of one scene.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from kg_reason.audits.rewording import (
    IsWord,
    curly_quotes,
    doubled_blanks,
    other_function_words,
    title_case,
    typo,
    unrelated_clause,
    without_punctuation,
)
from kg_reason.kg.word_classes import BE, NEGATION, word_classes
from kg_reason.nli import Label, NLIExample


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INDEFINITE = re.compile(r"^(?:A|An) (?!few\b|lot\b|little\b|number\b|couple\b|group\b|bit\b|good\b|great\b)(?=\w)")
_NEGATIVE = _words(
    "no nobody nothing none nowhere neither nor without hardly barely rarely seldom lack lacks fail fails"
)
# Before the verb or right behind it: its negation is not that of the sentence, or another clause has begun.
_QUANTIFYING = _words(
    "all every each some any few most many much both several either everyone everybody everything someone somebody "
    "something anyone anybody anything more only least what who which that whose whom where when while if or because"
)
_JOINING = _words("and but or while")  # behind the verb: half of the sentence would be negated
_BE_FORMS = _words("is are was were")
_PLURAL_VERBS = _words("are were have do")
_WORDS_OF_ENGLISH = word_classes("en")


class Effect(StrEnum):
    """What a change does to the label of a pair."""

    KEEPS = "keeps"
    NEGATES = "negates"
    DENIES = "denies"
    SWAPS = "swaps"


class Texts(NamedTuple):
    """The two sentences of a pair."""

    premise: str
    hypothesis: str


Change = Callable[[Texts, random.Random], Texts | None]

_ALLOWED: Mapping[Effect, Mapping[Label, frozenset[Label]]] = MappingProxyType({
    # What contradicts the premise is false of the scene, so that its negation is allowed by it, if not said by it.
    Effect.NEGATES: {
        Label.ENTAILMENT: frozenset({Label.CONTRADICTION}),
        Label.NEUTRAL: frozenset({Label.NEUTRAL}),
        Label.CONTRADICTION: frozenset({Label.ENTAILMENT, Label.NEUTRAL}),
    },
    # A negated verb leaves the rest of the sentence as it is, and that may be what the premise does not say or denies.
    Effect.DENIES: {Label.ENTAILMENT: frozenset({Label.CONTRADICTION})},
    # Contradiction has no direction; a sentence that allows the other is allowed by it.
    Effect.SWAPS: {
        Label.ENTAILMENT: frozenset({Label.ENTAILMENT, Label.NEUTRAL}),
        Label.NEUTRAL: frozenset({Label.ENTAILMENT, Label.NEUTRAL}),
        Label.CONTRADICTION: frozenset({Label.CONTRADICTION}),
    },
})


@dataclass(frozen=True)
class Perturbation:
    """One way to change a pair.

    Attributes:
        name: short, unique.
        group: what it is reported with, such as `typos`.
        title: what it does, in a few words.
        effect: what it does to the label.
        is_english: whether it changes English sentences only.
        change: returns the sentences as changed; None where it does not apply.
    """

    name: str
    group: str
    title: str
    effect: Effect
    is_english: bool
    change: Change

    def apply(self, example: NLIExample, seed: int) -> NLIExample | None:
        """Return the changed pair; None where the change does not apply or changes nothing.

        Its label is None where more than one is right after the change, or none can be told. The same pair and seed
        give the same change, whatever else is changed before.

        Args:
            example: names that it brings are kept; its justification is not, as the words have moved.
            seed: of the choices of word, slip and sentence.
        """
        texts = Texts(example.premise, example.hypothesis)
        changed = self.change(texts, random.Random(f"{seed}\n{self.name}\n{texts.premise}\n{texts.hypothesis}"))
        if changed is None or changed == texts or not changed.hypothesis.strip():
            return None
        allowed = self.allowed(example.label) if example.label is not None else frozenset[Label]()
        return NLIExample(
            changed.premise, changed.hypothesis, next(iter(allowed)) if len(allowed) == 1 else None,
            category=example.category, names=example.names, example_id=example.example_id,
        )  # fmt: skip

    def allowed(self, label: Label) -> frozenset[Label]:
        """Return the labels that are right after the change, by the one before it; empty where none can be told."""
        if self.effect is Effect.KEEPS:
            return frozenset({label})
        return _ALLOWED[self.effect].get(label, frozenset())


# ---- changes that keep the label


def _typo_in(side: str, is_word: IsWord) -> Change:
    def change(texts: Texts, rng: random.Random) -> Texts | None:
        changed = typo(getattr(texts, side), rng, is_word)
        return None if changed is None else texts._replace(**{side: changed})

    return change


def _function_words(texts: Texts, _: random.Random) -> Texts | None:
    hypothesis = other_function_words(texts.hypothesis)
    if hypothesis != texts.hypothesis:
        return texts._replace(hypothesis=hypothesis)
    return texts._replace(premise=other_function_words(texts.premise))


def _articles(texts: Texts, _: random.Random) -> Texts | None:
    # In both sentences or in none: "the" of one alone might be a second man.
    if not all(_INDEFINITE.match(text) for text in texts):
        return None
    return Texts(*(_INDEFINITE.sub("The ", text) for text in texts))


def _in_both(function: Callable[[str], str]) -> Change:
    def change(texts: Texts, _: random.Random) -> Texts | None:
        return Texts(*map(function, texts))

    return change


def _sentence_before(texts: Texts, rng: random.Random) -> Texts | None:
    clause = unrelated_clause(texts, rng)
    if clause is None or not texts.premise.strip():
        return None
    return texts._replace(premise=f"{_sentence(clause)} {texts.premise}")


def _sentence_after(texts: Texts, rng: random.Random) -> Texts | None:
    clause, premise = unrelated_clause(texts, rng), texts.premise.rstrip()
    if clause is None or not premise:
        return None
    return texts._replace(premise=f"{premise if premise[-1] in '.!?' else premise + '.'} {_sentence(clause)}")


def _clause_after(texts: Texts, rng: random.Random) -> Texts | None:
    clause, premise = unrelated_clause(texts, rng), texts.premise.rstrip().rstrip(".!")
    if clause is None or not premise or not (premise[-1].isalnum()):
        return None
    return texts._replace(premise=f"{premise}, while {clause}.")


def _sentence(clause: str) -> str:
    return f"{clause[0].upper()}{clause[1:]}."


# ---- changes that move it


def _negated_clause(texts: Texts, _: random.Random) -> Texts | None:
    hypothesis = texts.hypothesis.strip()
    words = _plain_words(hypothesis)
    if words is None:
        return None
    first = words[0]
    is_common = first in _WORDS_OF_ENGLISH or _PLURAL_VERBS & {*words[1:2]}
    if not is_common and not re.search(rf"\b{first}\b", texts.premise):  # small in the premise: no name
        return None
    start = hypothesis[0] if re.match(r"i\b", first) else hypothesis[0].lower()
    return texts._replace(hypothesis=f"It is not true that {start}{hypothesis[1:]}")


def _negated_verb(texts: Texts, _: random.Random) -> Texts | None:
    words = _plain_words(texts.hypothesis.strip())
    place = next((number for number, word in enumerate(words or ()) if word in _BE_FORMS), 0)
    if words is None or not place:
        return None
    if _QUANTIFYING & {*words[:place], *words[place + 1 : place + 2]} or _JOINING & {*words[place:]}:
        return None
    return texts._replace(
        hypothesis=re.sub(r"\b(is|are|was|were)\b", r"\1 not", texts.hypothesis, count=1, flags=re.IGNORECASE)
    )


def _plain_words(sentence: str) -> list[str] | None:
    """Return the words, small, of one statement without a negation; None for anything else."""
    words = [word.lower() for word in re.findall(r"[A-Za-z]+(?:['\u2019][A-Za-z]+)?", sentence)]
    if not words or not sentence[0].isalpha() or sentence.endswith("?") or re.search(r"[.!?;]\s+\S", sentence):
        return None
    has_negation = any(
        word in _NEGATIVE or word.endswith(("n't", "n\u2019t")) or _WORDS_OF_ENGLISH.get(word) == NEGATION
        for word in words
    )
    return None if has_negation or _WORDS_OF_ENGLISH.get(words[0]) == BE else words


def _swapped(texts: Texts, _: random.Random) -> Texts | None:
    return Texts(texts.hypothesis, texts.premise)


def perturbations(is_word: IsWord) -> tuple[Perturbation, ...]:
    """Return every change, those of a group together.

    Args:
        is_word: tells which words exist; see `typo`.
    """
    rows: tuple[tuple[str, str, str, Effect, bool, Change], ...] = (
        ("typo-premise", "typos", "a typo in the premise", Effect.KEEPS, False, _typo_in("premise", is_word)),
        ("typo-hypothesis", "typos", "a typo in the hypothesis", Effect.KEEPS, False, _typo_in("hypothesis", is_word)),
        ("function-words", "function_words", "other function words", Effect.KEEPS, True, _function_words),
        ("articles", "function_words", "a(n) to the at the start of both", Effect.KEEPS, True, _articles),
        ("lower", "casing", "lower case", Effect.KEEPS, False, _in_both(str.lower)),
        ("upper", "casing", "upper case", Effect.KEEPS, False, _in_both(str.upper)),
        ("title", "casing", "every word capitalised", Effect.KEEPS, False, _in_both(title_case)),
        ("no-marks", "punctuation", "no punctuation", Effect.KEEPS, False, _in_both(without_punctuation)),
        ("blanks", "punctuation", "doubled blanks", Effect.KEEPS, False, _in_both(doubled_blanks)),
        ("quotes", "punctuation", "curly quotes", Effect.KEEPS, False, _in_both(curly_quotes)),
        ("sentence-before", "irrelevant", "unrelated sentence before", Effect.KEEPS, True, _sentence_before),
        ("sentence-after", "irrelevant", "unrelated sentence after", Effect.KEEPS, True, _sentence_after),
        ("clause-after", "irrelevant", "unrelated clause", Effect.KEEPS, True, _clause_after),
        ("not-true", "negation", "It is not true that ...", Effect.NEGATES, True, _negated_clause),
        ("is-not", "negation", "is to is not", Effect.DENIES, True, _negated_verb),
        ("swap", "swap", "premise and hypothesis exchanged", Effect.SWAPS, False, _swapped),
    )  # fmt: skip
    return tuple(Perturbation(*row) for row in rows)
