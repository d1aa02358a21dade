"""Function words, which are no mentions of their own, and what they say about the part of speech of their neighbours.

English has a list of its own, by class. Other languages take spaCy's stop words as one class without cues.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType

# Classes of words. CONTENT and PARTICLE may be mentions; PARTICLE only as adverb or adjective.
CONTENT = 0
DETERMINER = 1
POSSESSIVE = 2
SUBJECT = 3  # pronouns before a verb
PRONOUN = 4  # pronouns elsewhere
MODAL = 5
TO = 6
BE = 7
HAVE = 8
DO = 9
PREPOSITION = 10
CONJUNCTION = 11
NEGATION = 12
QUESTION = 13
PARTICLE = 14
DEGREE = 15
OTHER = 16

_ENGLISH = {
    DETERMINER: "a an the this that these those some any all both each every either neither no another such other",
    POSSESSIVE: "my your his its our their whose",
    SUBJECT: "i he she it we they who someone somebody everyone everybody nobody anyone anybody there",
    PRONOUN: (
        "me you him her us them mine yours hers ours theirs myself yourself himself herself itself ourselves "
        "yourselves themselves whom something anything nothing everything none oneself im ive youre theyre hes shes"
    ),
    MODAL: "can could may might must shall should will would cannot cant couldnt wont wouldnt shouldnt ll gonna wanna",
    TO: "to",
    BE: "be am is are was were been being isnt arent wasnt werent re m",
    HAVE: "have has had having havent hasnt hadnt ve",
    DO: "do does did doing done dont doesnt didnt",
    PREPOSITION: (
        "of in on at for from by with into onto upon about as than per via during among amongst amid toward towards "
        "until till since despite except within throughout concerning regarding like unlike versus vs"
    ),
    CONJUNCTION: "and or but nor so if because although though while whereas unless whether yet lest",
    NEGATION: "not never",
    QUESTION: "what which when where why how",
    PARTICLE: (
        "up down out off over under above below inside outside near behind beside besides beneath underneath beyond "
        "across along around round through past before after between against opposite without away back forward "
        "upstairs downstairs together apart aside"
    ),
    DEGREE: "very too quite rather just also even still only ever almost else then thus hence again",
    OTHER: "etc eg ie d s t oh yes please okay ok",
}

def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENGLISH_CLASSES: Mapping[str, int] = MappingProxyType(
    {word: number for number, words in _ENGLISH.items() for word in words.split()}
)

# Runs of words that are function words together though one of them alone is not.
ENGLISH_FUNCTION_PHRASES: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "a": (("a", "lot", "of"), ("a", "lot"), ("a", "bit"), ("a", "couple", "of")),
        "lots": (("lots", "of"),),
        "no": (("no", "one"),),
        "one": (("one", "another"),),
        "next": (("next", "to"),),
        "due": (("due", "to"),),
        "according": (("according", "to"),),
        "in": (("in", "front", "of"), ("in", "order", "to"), ("in", "spite", "of")),
        "as": (("as", "well", "as"), ("as", "well")),
        "more": (("more", "than"),),
        "less": (("less", "than"),),
        "rather": (("rather", "than"),),
        "instead": (("instead", "of"),),
    }
)

# Verbs of place and motion: a preposition behind them belongs to what follows ("sits in a chair"), although labels such
# as "sit in" and "run on" exist.
PLACE_VERBS = _words(
    "sit stand lie live come go walk run play jump step fall fly ride sleep work swim drive stay hang rest kneel lean "
    "climb dance skate ski travel move arrive drop sail march set lay land get be gather crouch squat row paddle "
    "wade float slide roll crawl hike jog race cycle surf perform pose appear happen occur start end pass"
)
PLACE_PARTICLES = _words(
    "over under above below inside outside near behind beside besides beneath underneath beyond across along around "
    "round through past before after between against opposite without"
)
# Content words before which a noun phrase has begun, as after a determiner.
NUMERALS = _words(
    "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand million "
    "several many few dozen"
)
PLURAL_NOUNS = _words("people police cattle folk")  # plurals that no lemma rule shows
# Function words that are content words in some places: the can, her will, in May, they like it.
ARTICLES = _words("a an the")
TURNING_WORDS = _words("can will may might must like")
# A Chinese measure word behind one of the counters says nothing of its own.
CHINESE_MEASURE_WORDS = frozenset("个位名家座只条张本件辆台把双对块片场次种群所部棵朵支根组项款個張輛臺雙對塊場種")
CHINESE_COUNTERS = frozenset("一二两三四五六七八九十百千万几这那每某多各哪兩萬幾這")


@lru_cache(maxsize=64)
def word_classes(language: str) -> Mapping[str, int]:
    """Return the class of every function word of a language; words that are missing are content words.

    Args:
        language: primary language; empty counts as English. A language unknown to spaCy has no function words.
    """
    if language in ("", "en"):
        return ENGLISH_CLASSES
    try:
        stop_words = import_module(f"spacy.lang.{language}.stop_words").STOP_WORDS
    except ImportError:
        return MappingProxyType({})
    return MappingProxyType({word.casefold(): OTHER for word in stop_words if not word.isdigit()})
