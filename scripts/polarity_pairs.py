"""Pairs on natural-logic polarity: authored frames with one gap, filled with a narrower and a wider word.

The frames, `data/polarity_frames.tsv`, carry a direction marked by hand. Where it is up, the wider word follows from
the narrower one; where it is down, the narrower from the wider; the other way round nothing follows. Words come from
chains of one to three hypernyms in a graph with WordNet's relation names; half of them are invented and named by the
graph.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from graph_copies import Name

from kg_reason import KnowledgeGraph, NLIExample
from kg_reason.nli import Fact, Justification, Label, ReplacedWord
from kg_reason.synthesis.relation_table import load_table
from kg_reason.synthesis.surface import fill, inflect, is_name
from kg_reason.synthesis.vocabulary import Vocabulary

UP, DOWN = "up", "down"
MAX_CHAIN = 3
MAX_PAIR_USES = 2
MAX_TRIES_PER_PAIR = 400
NUM_DRAWN = 6  # words, of which the most usual is taken
HYPERNYM = "hypernym"
SUBJECTS = {  # labels that a word of a part of speech must be below, so that it fits the frames
    "n": frozenset({"artifact", "animal", "plant", "food", "natural object"}),
    "v": frozenset({"travel", "talk", "sound", "perform", "eat", "drink", "sleep", "work", "play", "laugh", "weep"}),
}
TOO_WIDE = frozenset({
    "whole", "unit", "object", "physical object", "entity", "thing", "artifact", "artefact", "instrumentality",
    "instrumentation", "living thing", "organism", "being", "matter", "substance", "natural object", "move", "act",
    "equipment", "commodity", "material", "covering", "fixture", "merchandise", "furniture", "footwear",
})  # fmt: skip
GAP = re.compile(r"\{(\w+)\}")
Pair = frozenset[str]


class Frame(NamedTuple):
    """One row of the file of frames: the operator over the gap, the direction of the gap, the sentence."""

    operator: str
    direction: str
    text: str

    @property
    def pos(self) -> str:
        """Part of speech of the gap: n or v."""
        found = GAP.search(self.text)
        return "v" if found is not None and found[1].startswith("V") else "n"


class Chain(NamedTuple):
    """A narrower and a wider entity, and the edges that lead from the one up to the other."""

    entities: tuple[int, ...]
    edges: tuple[int, ...]


class PolarityPairs(NamedTuple):
    """The pairs, and the invented words that the graph has to know for them."""

    examples: list[NLIExample]
    names: list[Name]


def read_frames(path: Path) -> list[Frame]:
    """Read the file of frames.

    Raises:
        ValueError: a row has another form.
    """
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    frames = []
    for number, row in enumerate(rows, start=2):
        if len(row) != 3 or row[1] not in (UP, DOWN) or len(GAP.findall(row[2])) != 1:
            raise ValueError(f"{path}:{number}: found {row}, expected operator, up or down, and a frame with one gap")
        frames.append(Frame(*row))
    return frames


class ChainFinder:
    """Draws chains of hypernyms between entities with a usual word."""

    def __init__(self, graph: KnowledgeGraph, rng: random.Random, excluded: Set[Pair]) -> None:
        self._graph = graph
        self._rng = rng
        self._excluded = excluded
        self._vocabulary = Vocabulary(graph, [], avoid=load_table().avoid)
        self._hypernym = graph.relation(HYPERNYM)
        self._starts = {
            pos: [entity for entity in range(graph.num_entities) if self._fits(entity, pos)] for pos in ("n", "v")
        }
        self._uses: Counter[Pair] = Counter()

    def word(self, entity: int) -> str:
        """Return the usual word of an entity; empty where it has none or is too wide for a sentence."""
        words = [word for word in self._vocabulary.words(entity) if word.rank == 1 and not is_name(word.text)]
        if not words or words[0].text in TOO_WIDE or not words[0].text.islower():
            return ""
        is_plural = words[0].pos == "n" and words[0].text.endswith("s") and not words[0].text.endswith("ss")
        return "" if is_plural else words[0].text

    def draw(self, pos: str, *, invented: bool) -> Chain | None:
        """Return a chain of one to three edges, its pair not in training and seldom used; None where a try fails."""
        if not self._starts[pos]:
            return None
        length = self._rng.randint(1, MAX_CHAIN)
        drawn = [self._rng.choice(self._starts[pos]) for _ in range(NUM_DRAWN)]
        entities, edges = [max(drawn, key=lambda entity: self._vocabulary.words(entity)[0].usage)], list[int]()
        for _ in range(length):
            up = self._up(entities[-1])
            if not up:
                return None
            edges.append(self._rng.choice(up))
            entities.append(int(self._graph.edge_tail[edges[-1]]))
        ends = (entities[0], entities[-1])
        if not self.word(ends[1]) or not self._is_below(ends[1], SUBJECTS[pos]):
            return None
        if not invented and _share_a_word(self.word(ends[0]), self.word(ends[1])):
            return None
        pair = frozenset(self._graph.entity_id(end) for end in ends)
        if pair in self._excluded or self._uses[pair] >= MAX_PAIR_USES:
            return None
        self._uses[pair] += 1
        return Chain(tuple(entities), tuple(edges))

    def _fits(self, entity: int, pos: str) -> bool:
        return self._vocabulary.pos(entity) == pos and bool(self.word(entity)) and bool(self._up(entity))

    def _up(self, entity: int) -> list[int]:
        graph = self._graph
        row = range(int(graph.out_start[entity]), int(graph.out_end[entity]))
        return [edge for edge in row if graph.edge_relation[edge] == self._hypernym]

    def _is_below(self, entity: int, labels: Set[str]) -> bool:
        seen, waiting = {entity}, [entity]
        while waiting:
            current = waiting.pop()
            if self._graph.entity_label(current) in labels:
                return True
            found = {int(self._graph.edge_tail[edge]) for edge in self._up(current)} - seen
            seen |= found
            waiting.extend(found)
        return False


def make_polarity_pairs(
    graph: KnowledgeGraph,
    frames: Sequence[Frame],
    num_pairs: int,
    *,
    draw_word: Callable[[], str],
    excluded: Set[Pair],
    seed: int,
) -> PolarityPairs:
    """Fill frames, operators in turn, both labels and real and invented words evenly within each.

    Args:
        graph: with a relation called hypernym.
        frames: to fill.
        num_pairs: how many pairs to make; fewer where the graph gives no more.
        draw_word: gives an invented word, never one twice.
        excluded: unordered pairs of entity ids that must not be used.
        seed: of every choice.
    """
    rng = random.Random(f"polarity {seed}")
    finder = ChainFinder(graph, rng, excluded)
    made = PolarityPairs([], [])
    for operator, label, invented in _cells(frames, num_pairs):
        choices = [frame for frame in frames if frame.operator == operator]
        for _ in range(MAX_TRIES_PER_PAIR):
            frame = rng.choice(choices)
            chain = finder.draw(frame.pos, invented=invented)
            if chain is None:
                continue
            words = [draw_word() if invented else finder.word(end) for end in (chain.entities[0], chain.entities[-1])]
            example = _fill(graph, frame, chain, words, label)
            if example is None:
                continue
            number = len(made.examples)
            kind = "invented" if invented else "real"
            made.examples.append(
                NLIExample(
                    example.premise, example.hypothesis, label, category=operator,
                    example_id=f"polarity-{number}-{kind}", justification=example.justification,
                )
            )
            if invented:
                ends = (chain.entities[0], chain.entities[-1])
                made.names.extend(
                    Name(graph.entity_id(end), word, frame.pos) for end, word in zip(ends, words, strict=True)
                )
            break
    return made


def _cells(frames: Sequence[Frame], num_pairs: int) -> Iterator[tuple[str, Label, bool]]:
    """Yield what the pairs have to be, operators in turn."""
    operators = list(dict.fromkeys(frame.operator for frame in frames))
    kinds = [(label, invented) for label in (Label.ENTAILMENT, Label.NEUTRAL) for invented in (False, True)]
    for number in range(num_pairs):
        label, invented = kinds[number // len(operators) % len(kinds)]
        yield operators[number % len(operators)], label, invented


def _fill(
    graph: KnowledgeGraph, frame: Frame, chain: Chain, words: Sequence[str], label: Label
) -> NLIExample | None:
    """Return the pair of a frame with that label; None where English does not allow a word there."""
    follows = label is Label.ENTAILMENT
    wider_first = follows == (frame.direction == DOWN)
    order = (1, 0) if wider_first else (0, 1)
    tag = GAP.findall(frame.text)[0]
    texts, places = [], []
    for end in order:
        text, form = fill(frame.text, words[end]).text, inflect(words[end], tag)
        start = text.lower().find(form.lower(), frame.text.index("{") - 1) if text and form else -1
        if start < 0:
            return None
        entity = chain.entities[0] if end == 0 else chain.entities[-1]
        texts.append(text)
        places.append(ReplacedWord(start, start + len(form), graph.entity_id(entity), tag))
    facts = tuple(
        Fact(
            graph.entity_id(int(graph.edge_head[edge])), graph.relation_id(int(graph.edge_relation[edge])),
            graph.entity_id(int(graph.edge_tail[edge])),
        )
        for edge in (reversed(chain.edges) if wider_first else chain.edges)
    )  # fmt: skip
    justification = Justification(places[0], places[1], facts, downward=frame.direction == DOWN)
    return NLIExample(texts[0], texts[1], label, justification=justification)


def _share_a_word(first: str, second: str) -> bool:
    """Tell whether two labels share a word, as "root beer" and "beer" do: the text alone would tell them apart."""
    return bool(set(first.split()) & set(second.split())) or first in second or second in first
