"""How likely a word is a noun, a verb, an adjective or an adverb, judged by its form and the words beside it.

A few local cues of English in place of a tagger: after a determiner a noun, after `to`, a modal or a subject a verb,
after `be` an -ing form a verb. They weigh candidates and rule none out. Where a pipeline has tagged the text, its tags
take their place (`linker.py`).
"""

from __future__ import annotations

from kg_reason.kg.compiled import compiled
from kg_reason.kg.lemmas import ADJECTIVE, NOUN, VERB
from kg_reason.kg.word_classes import (
    BE,
    CONJUNCTION,
    CONTENT,
    DETERMINER,
    DO,
    HAVE,
    MODAL,
    PARTICLE,
    POSSESSIVE,
    PREPOSITION,
    PRONOUN,
    SUBJECT,
    TO,
)
from kg_reason.kg.word_table import FORM_ING, FORM_PAST, FORM_S

START = 32  # class of the place before the first word of a phrase

Weights = tuple[float, float, float, float]


@compiled
def pos_weights(before: int, before_pos: int, before_plural: bool, form: int, after: int) -> Weights:
    """Return weights in (0, 1] for noun, verb, adjective and adverb.

    Args:
        before: class of the word before, adverbs and negation passed over; CONTENT where it is a mention, START at the
            beginning of a phrase.
        before_pos: part of speech that was chosen for a mention before, as bits; 0 = not known.
        before_plural: that mention has a plural ending.
        form: FORM_ING, FORM_PAST, FORM_S or 0.
        after: class of the word after; START at the end of a phrase.
    """
    content_after = after == CONTENT
    if before in (DETERMINER, POSSESSIVE):
        return _after_determiner(form, content_after)
    if before == TO:
        return (0.55, 1.0, 0.5, 0.4) if form == 0 else (1.0, 0.5, 0.6, 0.3)
    if before in (MODAL, DO):
        return (0.25, 1.0, 0.2, 0.6)
    if before == SUBJECT:
        return (0.25, 1.0, 0.3, 0.7)
    if before == BE:
        return _after_be(form)
    if before == HAVE:
        return (0.3, 1.0, 0.6, 0.3) if form == FORM_PAST else (1.0, 0.3, 0.9, 0.6)
    if before in (PREPOSITION, PARTICLE):
        if form == FORM_ING:
            return (0.9, 0.95, 0.5, 0.2)
        return (0.9, 0.15, 1.0, 0.4) if content_after else (1.0, 0.15, 0.5, 0.5)
    if before in (CONTENT, CONJUNCTION):
        return _after_content(before_pos, before_plural and before == CONTENT, form, after)
    if form == FORM_ING:
        return (0.7, 0.95, 0.6, 0.4)
    if before == START:
        return (1.0, 0.7, 0.95, 0.9)
    return (0.9, 0.8, 0.85, 0.9)


@compiled
def _after_be(form: int) -> Weights:
    if form == FORM_ING:
        return (0.45, 1.0, 0.55, 0.3)
    return (0.3, 1.0, 0.9, 0.3) if form == FORM_PAST else (0.8, 0.1, 1.0, 0.7)


@compiled
def _after_determiner(form: int, content_after: bool) -> Weights:
    if form in (FORM_ING, FORM_PAST):
        return (0.8, 0.6, 1.0, 0.2) if content_after else (1.0, 0.4, 0.6, 0.2)
    if content_after and form == 0:
        return (0.85, 0.1, 1.0, 0.3)
    return (1.0, 0.15, 0.5, 0.2)


@compiled
def _after_content(before_pos: int, before_plural: bool, form: int, after: int) -> Weights:
    object_after = after in (DETERMINER, POSSESSIVE, PRONOUN)
    loose_after = object_after or after in (PREPOSITION, TO, PARTICLE)
    if before_pos == VERB:
        return (0.8, 0.9, 0.6, 0.7) if form == FORM_ING else (1.0, 0.35, 0.9, 0.95)
    if before_pos == ADJECTIVE:
        return (1.0, 0.45, 0.85, 0.4) if form == FORM_ING else (1.0, 0.2, 0.85, 0.4)
    if before_pos == NOUN or before_pos == 0:
        if form == FORM_ING:
            return (0.55, 1.0, 0.5, 0.3)
        if form == FORM_PAST:
            return (0.4, 1.0, 0.7, 0.4)
        if form == FORM_S:
            return (0.7, 1.0, 0.5, 0.5) if loose_after else (0.9, 0.85, 0.5, 0.5)
        if object_after or before_plural:
            return (0.75, 1.0, 0.6, 0.8)
        return (1.0, 0.7, 0.75, 0.85)
    return (0.9, 0.9, 0.9, 0.9)
