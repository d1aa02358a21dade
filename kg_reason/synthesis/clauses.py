"""Sentences inside other sentences, under negations that turn their places and beside negations that do not.

"It is not true that ..." turns every place of a sentence round, "Nobody called, but ..." none, though it holds a
negation. Captions and plain statements seldom negate, so without this a model would learn from them that every sentence
with a negation turns every place. The clauses are data of the relation table; the places come from `places.py`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from kg_reason.synthesis.context import Polarity, is_function_word
from kg_reason.synthesis.places import Place
from kg_reason.synthesis.relation_table import Clauses

_TURNED_SHARE = 0.25  # of the upward places that are also offered under a clause that turns them
_LEVEL_SHARE = 0.35  # of all places that are also offered beside a clause that does not
_IS_STATEMENT = re.compile(r"\b(?:is|are|was|were|has|have|had)\b", re.IGNORECASE)
_OPPOSITE = {Polarity.UPWARD: Polarity.DOWNWARD, Polarity.DOWNWARD: Polarity.UPWARD}


def embedded_places(places: Sequence[Place], clauses: Clauses, seed: int) -> Iterator[Place]:
    """Yield further places: a share of the given ones, in their sentence inside another.

    Args:
        places: of sentences; those that are no statements, or begin with a name, are passed over.
        clauses: sentences with the gap `{}`, by whether they turn what stands there.
        seed: of every choice.
    """
    rng = random.Random(f"clauses {seed}")
    for place in places:
        drawn, turns = rng.random(), rng.random() < _TURNED_SHARE / (_TURNED_SHARE + _LEVEL_SHARE)
        turns = turns and place.polarity is Polarity.UPWARD
        choices = clauses.turning if turns else clauses.level
        if drawn >= _TURNED_SHARE + _LEVEL_SHARE or not choices or place.polarity not in _OPPOSITE:
            continue
        found = _embed(place, rng.choice(choices))
        if found is not None:
            yield replace(found, polarity=_OPPOSITE[place.polarity]) if turns else found


def _embed(place: Place, clause: str) -> Place | None:
    """Return a place with its sentence in the gap of a clause; None where that is not English."""
    text = place.text.strip()
    first = text.split(" ", 1)[0]
    if place.start == 0 or text != place.text or not _IS_STATEMENT.search(text) or not is_function_word(first.lower()):
        return None
    if text.endswith("."):
        text = text[:-1]
    if not text[-1].isalnum() or any(mark in text for mark in "?!;:\""):
        return None
    before, after = clause.split("{}")
    inner = text if first == "I" or not before.strip() else text[0].lower() + text[1:]
    shift = len(before)
    return replace(place, text=f"{before}{inner}{after}", start=place.start + shift, end=place.end + shift)
