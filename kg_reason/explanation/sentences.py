"""Paths in words: "a violin is a kind of bowed instrument, which is a kind of string instrument".

Each step is said by the kind of its relation (`kg/relation_kinds.py`), else by the sentence that the table of relations
has for it or that the shape of its name makes (`synthesis/fact_sentences.py`), else by the bare name. Names, values and
labels that are not English stand as they are; English nouns get their article.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from lemminflect import getAllLemmas

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.paths import SYNONYM, Path, Step
from kg_reason.kg.relation_kinds import KINDS
from kg_reason.kg.words import plain_name
from kg_reason.synthesis.fact_sentences import Term, say, template_for
from kg_reason.synthesis.relation_table import load_table
from kg_reason.synthesis.surface import is_name

VERB, OF = "verb", "of"
NOUN, ADJECTIVE, VERB_POS, NAME = "n", "a", "v", "name"


class Saying(NamedTuple):
    """How one step is said.

    Attributes:
        form: VERB, "X {text} Y", or OF, "{text} X is Y".
        text: the words between.
        near: whether X has an article where it takes one.
        far: whether Y has.
    """

    form: str
    text: str
    near: bool = True
    far: bool = True


# For each kind: from head to tail, and the other way round.
KIND_SAYINGS = {
    "wider": (Saying(VERB, "is a kind of", far=False), Saying(OF, "one kind of", near=False)),
    "instance": (Saying(VERB, "is an example of", far=False), Saying(OF, "one example of", near=False)),
    "same": (Saying(VERB, "is the same as"), Saying(VERB, "is the same as")),
    "similar": (
        Saying(VERB, "is similar to", near=False, far=False),
        Saying(VERB, "is similar to", near=False, far=False),
    ),
    "opposite": (
        Saying(VERB, "is the opposite of", near=False, far=False),
        Saying(VERB, "is the opposite of", near=False, far=False),
    ),
    "whole": (Saying(VERB, "is part of"), Saying(OF, "one part of")),
    "member": (Saying(VERB, "is a member of"), Saying(OF, "one member of")),
    "substance": (Saying(VERB, "is a material of"), Saying(OF, "one material of")),
    "adjective_of": (
        Saying(VERB, "is said of", near=False, far=False),
        Saying(VERB, "has the adjective", near=False, far=False),
    ),
    "implies": (Saying(VERB, "implies", near=False, far=False), Saying(VERB, "is implied by", near=False, far=False)),
    "causes": (Saying(VERB, "causes", far=False), Saying(VERB, "is caused by", far=False)),
}
VERB_SAYINGS = {"wider": (Saying(VERB, "is a way"), Saying(OF, "one way"))}  # where both ends are verbs
_PLAIN = {"near": False, "far": False}
# Relations that no kind says well, by plain name.
RELATION_SAYINGS = {
    SYNONYM: (Saying(VERB, "means the same as", **_PLAIN), Saying(VERB, "means the same as", **_PLAIN)),
    "derivationallyrelatedform": (Saying(VERB, "is from the same word family as", **_PLAIN),) * 2,
    "verbgroup": (Saying(VERB, "is close in meaning to", **_PLAIN),) * 2,
    "alsosee": (Saying(VERB, "is related to", **_PLAIN), Saying(VERB, "is related to", **_PLAIN)),
    "relatedto": (Saying(VERB, "is related to", **_PLAIN), Saying(VERB, "is related to", **_PLAIN)),
    "related": (Saying(VERB, "is related to", **_PLAIN), Saying(VERB, "is related to", **_PLAIN)),
    "attribute": (Saying(VERB, "goes with", **_PLAIN), Saying(VERB, "goes with", **_PLAIN)),
    "domaintopic": (Saying(VERB, "is a term of", **_PLAIN), Saying(OF, "one term of", **_PLAIN)),
    "domainregion": (Saying(VERB, "is a term used in", **_PLAIN), Saying(OF, "one term of", **_PLAIN)),
    "domainusage": (Saying(VERB, "is used as", far=True, near=False), Saying(OF, "one example of", **_PLAIN)),
    "memberofdomaintopic": (Saying(OF, "one term of", **_PLAIN), Saying(VERB, "is a term of", **_PLAIN)),
    "memberofdomainregion": (Saying(OF, "one term of", **_PLAIN), Saying(VERB, "is a term used in", **_PLAIN)),
    "memberofdomainusage": (Saying(OF, "one example of", **_PLAIN), Saying(VERB, "is used as", near=False)),
    "participleof": (Saying(VERB, "is the participle of", **_PLAIN), Saying(VERB, "has the participle", **_PLAIN)),
}
# Inverse names that the table of kinds leaves out, because paths walk the other relation.
INVERSE_NAMES = {
    "hyponym": "wider", "instancehyponym": "instance", "partmeronym": "whole", "membermeronym": "member",
    "substancemeronym": "substance",
}  # fmt: skip
_WHOLE = re.compile(r"\{(head|tail)(?::\w+)?\} ([^{}]+) \{(head|tail)(:\w+)?\}\.\Z")
_ATTRIBUTE = re.compile(r"The ([^{}]+) of \{head\} is \{tail(:\w+)?\}\.\Z")
_ENGLISH = re.compile(r"[A-Za-z][A-Za-z' .-]*\Z")


def say_path(path: Path, graph: KnowledgeGraph | None = None) -> str:
    """Say a path in words, without a capital and a full stop.

    Args:
        path: at least one step.
        graph: tells the parts of speech of its entities; None: they are guessed from the labels.
    """
    told, last = "", ""  # what was said, and the entity that "which" would mean
    for step in path.steps:
        near, far = (step.head_label, step.tail_label) if step.forward else (step.tail_label, step.head_label)
        pos = [_part_of_speech(graph, entity, label) for entity, label in _walked(step)]
        if step.relation == SYNONYM and near == far:
            return f'both words mean "{near}"'
        saying, turned = _saying(step, pos == [VERB_POS, VERB_POS])
        if turned:  # only the other direction can be said
            first = _named(far, pos[1], with_article=saying.near)
            second = _named(near, pos[0], with_article=saying.far)
            clause = f"{first} {saying.text} {second}"
            told, last = (f"{told}, and {clause}" if told else clause), ""
            continue
        second = _named(far, pos[1], with_article=saying.far)
        if last:
            clause = f", which {saying.text} {second}"
            if saying.form == OF:
                clause = f", {saying.text} which is {second}" if saying.text.endswith(" of") else (
                    f", and {saying.text} {_named(near, pos[0], with_article=saying.near)} is {second}"
                )
        else:
            first = _named(near, pos[0], with_article=saying.near)
            clause = f"{saying.text} {first} is {second}" if saying.form == OF else f"{first} {saying.text} {second}"
            clause = f", and {clause}" if told else clause
        told, last = told + clause, far
    return told


def _walked(step: Step) -> tuple[tuple[str, str], tuple[str, str]]:
    ends = (step.head, step.head_label), (step.tail, step.tail_label)
    return ends if step.forward else ends[::-1]


def _saying(step: Step, are_verbs: bool) -> tuple[Saying, bool]:
    """Return how a step is said, and whether it is said from its far end to its near end."""
    name = plain_name(step.relation)
    if name in RELATION_SAYINGS:
        return RELATION_SAYINGS[name][int(not step.forward)], False
    kind, turned = _kinds().get(name, ("", False))
    if kind:
        table = VERB_SAYINGS if are_verbs and kind in VERB_SAYINGS else KIND_SAYINGS
        return table[kind][int(step.forward == turned)], False
    template = _templates().get(name) or template_for(step.relation)
    whole, attribute = _WHOLE.match(template), _ATTRIBUTE.match(template)
    if whole and whole[1] != whole[3]:
        return Saying(VERB, whole[2], far=not whole[4]), (whole[1] == "head") != step.forward
    if attribute and step.forward:
        return Saying(OF, f"the {attribute[1]} of", far=not attribute[2]), False
    return Saying(VERB, f"has the relation “{step.relation}” to"), not step.forward


@lru_cache(maxsize=1)
def _kinds() -> dict[str, tuple[str, bool]]:
    """Return kind and direction of each relation of the table, by plain name; True: it leads the other way."""
    found = {name: (kind, True) for name, kind in INVERSE_NAMES.items()}
    groups = load_table().groups
    for kind in KINDS:
        for name in groups.get(kind, ()):
            found.setdefault(plain_name(name), (kind, name.startswith("^")))
    return found


@lru_cache(maxsize=1)
def _templates() -> dict[str, str]:
    return dict(load_table().templates)


def _part_of_speech(graph: KnowledgeGraph | None, entity: str, label: str) -> str:
    """Return n, v, a, r, `name`, or nothing for what stands as it is: a value, another script."""
    if not _ENGLISH.match(label):
        return ""
    if is_name(label):
        return NAME
    number = graph.find_id(entity) if graph is not None else -1
    if graph is not None and number >= 0:
        if graph.is_value(number):
            return ""
        tagged = [alias.pos for alias in graph.aliases(number) if alias.text == label and alias.pos]
        if tagged:
            return tagged[0]
    readings = getAllLemmas(label.split()[-1].lower())
    if not readings or "NOUN" in readings:
        return NOUN
    return VERB_POS if set(readings) <= {"VERB", "AUX"} else ADJECTIVE


def _named(label: str, pos: str, *, with_article: bool) -> str:
    if pos == VERB_POS:
        return f"to {label}"
    if pos not in (NOUN, NAME) or not with_article:
        return label
    last = label.split()[-1].lower()
    is_plural = last.endswith("s") and last not in getAllLemmas(last).get("NOUN", (last,))
    tag = "NNP" if pos == NAME else "NNS" if is_plural else "NN"
    return say("{head} | {tail}", Term("", ""), Term(label, tag)).text.split(" | ")[1]
