"""Answers to draw: invented pairs, written here, with paths of every shape that a picture must bear."""

from __future__ import annotations

import random
from collections.abc import Sequence

from kg_reason.kg.paths import Path, Step
from kg_reason.kg.triples import Source
from kg_reason.nli import THREE_WAY, Label
from kg_reason.prediction import Answer, Evidence, LinkedEntity, LinkedMention, Place, Prediction

LONG_LABELS = (
    "an amount of money that is owed to the owner of a house", "string instrument", "thing",
    "wordwithoutanyblankthatisfarwiderthanitsbox", "person who mends the roofs of very old buildings", "bow",
)  # fmt: skip


def place(side: str, text: str, word: str) -> Place:
    start = text.index(word)
    return Place(side, start, start + len(word), word)


def evidence(
    start: Place,
    end: Place,
    names: Sequence[str],
    moved: Sequence[float] = (1.0, -0.4, -0.6),
    *,
    relation: str = "hypernym",
    backward: Sequence[int] = (),
    labels: Sequence[Label] = THREE_WAY,
) -> Evidence:
    """A path over entities of these names; the steps of the numbers `backward` are walked from tail to head."""
    steps = []
    for number, (one, other) in enumerate(zip(names[:-1], names[1:], strict=True)):
        head, tail = (other, one) if number in backward else (one, other)
        source = Source("folder/facts.tsv", sum(map(ord, head + tail)))
        steps.append(Step(f"ex:{head}", head, relation, f"ex:{tail}", tail, number not in backward, (source,)))
    return Evidence(Path(tuple(steps), 0, 1, 0.5), start, end, dict(zip(labels, moved, strict=True)))


def prediction(
    premise: str, hypothesis: str, paths: Sequence[Evidence], *, known: Sequence[str] = (), unknown: Sequence[str] = ()
) -> Prediction:
    """An answer that these paths made of an undecided text; words are looked for in both sentences."""
    labels = list(paths[0].contribution) if paths else list(THREE_WAY)
    text = Answer(dict.fromkeys(labels, 0.0))
    fused = Answer({label: sum(item.contribution[label] for item in paths) for label in labels})

    def mentions(sentence: str) -> tuple[LinkedMention, ...]:
        found = [
            LinkedMention(sentence.index(word), sentence.index(word) + len(word), word, candidates)
            for words, candidates in ((known, (LinkedEntity("ex:known", "known", 0.9),)), (unknown, ()))
            for word in words
            if word in sentence
        ]
        return tuple(sorted(found, key=lambda mention: mention.start))

    ordered = tuple(sorted(paths, key=lambda item: -item.strength))
    return Prediction(premise, hypothesis, fused, text, mentions(premise), mentions(hypothesis), ordered)


def violin() -> Prediction:
    premise, hypothesis = "A man plays a violin.", "A person plays an instrument."
    violin, instrument = place("premise", premise, "violin"), place("hypothesis", hypothesis, "instrument")
    paths = [
        evidence(violin, instrument, ["violin", "string instrument", "instrument"], (1.6, -0.6, -1.0)),
        evidence(place("premise", premise, "man"), place("hypothesis", hypothesis, "person"), ["man", "person"]),
        evidence(violin, instrument, ["violin", "thing", "instrument"], (-0.1, -0.1, 0.2), backward=(1,)),
    ]
    return prediction(premise, hypothesis, paths, known=["man", "plays", "violin", "person", "instrument"])


def claim() -> Prediction:
    text = "A whale is a mammal, a gavorn and no plant."
    whale, mammal = place("hypothesis", text, "whale"), place("hypothesis", text, "mammal")
    paths = [
        evidence(whale, mammal, ["whale", "cetacean", "mammal"]),
        evidence(mammal, place("hypothesis", text, "plant"), ["mammal", "animal", "plant"], (-0.2, 0.1, 0.3)),
    ]
    return prediction("", text, paths, known=["whale", "mammal", "plant"], unknown=["gavorn"])


def turning() -> Prediction:
    """Paths between two words of the hypothesis beside a premise, of one to five edges."""
    premise, text = "Something swam.", "A whale is a mammal and a fish, not a plant."

    def word(name: str) -> Place:
        return place("hypothesis", text, name)

    paths = [
        evidence(word("whale"), word("plant"), ["whale", "plant"], (-1.0, 0.1, 2.0)),
        evidence(word("whale"), word("fish"), ["whale", "fish"], (-0.2, 0.1, 0.4), relation="disjoint with"),
        evidence(word("whale"), word("mammal"), ["whale", "cetacean", "mammal"], (0.9, 0.0, -0.3)),
        evidence(word("mammal"), word("fish"), ["mammal", "vertebrate", "animal", "fish"], (0.0, 0.3, -0.3)),
        evidence(word("fish"), word("plant"), ["fish", "a", "b", "c", "d", "plant"], (0.0, -0.2, 0.1), backward=(3,)),
    ]
    return prediction(premise, text, paths, known=["whale", "mammal", "fish", "plant"])


def crowded(seed: int, num_paths: int = 24, num_entities: int = 40) -> Prediction:
    """Many paths with long labels between few words."""
    dice = random.Random(seed)
    premise = "The roofer at the harbour mended an old violin while the tide carried driftwood away."
    hypothesis = "A worker repaired something musical, and nobody who owned a boat was there."
    left, right = ["roofer", "harbour", "mended", "violin", "tide"], ["worker", "repaired", "musical", "boat"]
    names = [f"{dice.choice(LONG_LABELS)} {number}" for number in range(num_entities)]
    paths = []
    for _ in range(num_paths):
        start = place("premise", premise, dice.choice(left))
        end = place("hypothesis", hypothesis, dice.choice(right))
        if dice.random() < 0.2:
            start, end = place("hypothesis", hypothesis, "worker"), place("hypothesis", hypothesis, "boat")
        between = dice.sample(names, dice.randint(0, 4))
        relation = dice.choice(["is a", "derivationally related form", "holds back the growth and the spread of"])
        backward = [number for number in range(5) if dice.random() < 0.3]
        moved = [dice.gauss(0, 1) for _ in THREE_WAY]
        names_of_path = [start.text, *between, end.text]
        paths.append(evidence(start, end, names_of_path, moved, relation=relation, backward=backward))
    return prediction(premise, hypothesis, paths, known=[*left, *right])


def hostile() -> Prediction:
    """Markup, control characters and marks of direction wherever a stranger may write."""
    nasty = "<script>alert('x')</script>\x1b[31m\u202e\x00\ufffe\ud800&\"]]>"
    premise, hypothesis = f"A dog {nasty} barks.", f"An animal </svg>{nasty} noise."
    labels = (Label.ENTAILMENT, Label.NOT_ENTAILMENT)
    start, end = place("premise", premise, "dog"), place("hypothesis", hypothesis, "animal")
    path = evidence(start, end, [nasty, f"1{nasty}", f"2{nasty}"], (1.0, -1.0), relation=nasty, labels=labels)
    return prediction(premise, hypothesis, [path], known=["dog", "animal"], unknown=["noise", nasty])


def hebrew() -> Prediction:
    premise = "\u05d4\u05d0\u05d9\u05e9 \u05de\u05e0\u05d2\u05df \u05d1\u05db\u05d9\u05e0\u05d5\u05e8."
    hypothesis = "\u05d0\u05d9\u05e9 \u05de\u05e0\u05d2\u05df \u05d1\u05db\u05dc\u05d9."
    start = place("premise", premise, "\u05db\u05d9\u05e0\u05d5\u05e8")
    end = place("hypothesis", hypothesis, "\u05db\u05dc\u05d9")
    path = evidence(start, end, [start.text, "\u05db\u05dc\u05d9 \u05e7\u05e9\u05ea", end.text])
    return prediction(premise, hypothesis, [path])


def chinese() -> Prediction:
    premise = "\u4e00\u4e2a\u7537\u4eba\u5728\u62c9\u5c0f\u63d0\u7434\u3002"
    hypothesis = "\u6709\u4eba\u5728\u6f14\u594f\u4e50\u5668\u3002"
    start, end = place("premise", premise, "\u5c0f\u63d0\u7434"), place("hypothesis", hypothesis, "\u4e50\u5668")
    return prediction(premise, hypothesis, [evidence(start, end, [start.text, "\u5f26\u4e50\u5668", end.text])])


def silent() -> Prediction:
    return prediction("The blorf is here.", "The zug is there.", [], unknown=["blorf", "zug"])
