"""Gaps: which triples a graph lacks where answers were wrong, as a file to fill in and build, ranked by what they mend.

A gap is a wrong answer in which one word stands in another's place and no path between them speaks for the true label.
The true label says which kind of triple would help: that the one word is wider than the other, or that they exclude
each other. Whether it is true only the user can tell, so the column `relation` is left empty, and what is proposed
stands beside it with the question it answers. The gain is measured: all proposals are added to the graph in memory, and
the pairs are asked again. A proposal that is not true tends to spoil other answers, which is counted too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from kg_reason.audits.answered import answer_flags
from kg_reason.audits.graph_changes import is_stated, over_graph, with_triples
from kg_reason.kg.edit_log import EDITS_FILE
from kg_reason.kg.grounding import HYPOTHESIS, PREMISE, Grounding
from kg_reason.kg.linker import Candidate, Mention
from kg_reason.kg.names import BLANK, term_kind
from kg_reason.kg.relation_kinds import KINDS
from kg_reason.kg.search import stand_in_place
from kg_reason.kg.triples import term_text
from kg_reason.nli import THREE_WAY, TWO_WAY, Fact, Label, NLIExample, fit_label
from kg_reason.prediction import Evidence, Prediction
from kg_reason.reasoner import Reasoner
from kg_reason.synthesis.relation_table import load_table

MAX_GAPS = 1000
EXAMPLES_SHOWN = 2  # of a gap, in the file
WIDER, OPPOSITE = "wider", "opposite"
COLUMNS = (
    "head", "relation", "tail", "proposed", "question", "num_mended", "num_spoilt", "num_wrong", "true_label",
    "head_label", "tail_label", "examples",
)  # fmt: skip


class Pair(NamedTuple):
    """Numbers of two mentions, of premise and hypothesis, that stand in each other's place."""

    premise: int
    hypothesis: int


@dataclass(frozen=True)
class Examined:
    """One labelled pair of sentences: what the graph gave, the answer, and whether it is right."""

    example: NLIExample
    grounding: Grounding
    prediction: Prediction
    is_right: bool

    @property
    def strongest(self) -> Evidence | None:
        """The path that moved the answer most; None where there is none."""
        return self.prediction.evidence[0] if self.prediction.evidence else None


@dataclass(frozen=True)
class Gap:
    """A triple that would help, and where it is missing.

    Attributes:
        fact: ids as in the graph; an unknown word stands for itself.
        head_label: readable form of the head.
        tail_label: of the tail.
        kind: what it would say: `wider` or `opposite`.
        is_turned: whether the relation leads the other way, from the wider word to the narrower.
        true_labels: of the pairs where it is missing, each once.
        rows: numbers of the examined pairs.
        num_mended: how many of them are answered right once all proposals are in the graph.
        num_spoilt: how many pairs are answered wrong then, and right before, by a path that uses this triple.
    """

    fact: Fact
    head_label: str
    tail_label: str
    kind: str
    is_turned: bool
    true_labels: tuple[Label, ...]
    rows: tuple[int, ...] = ()
    num_mended: int = 0
    num_spoilt: int = 0

    @property
    def question(self) -> str:
        """What the user is asked."""
        one, other = self.head_label, self.tail_label
        if self.kind == WIDER:
            return f'is "{one}" a kind of "{other}"?' if not self.is_turned else f'is "{other}" a kind of "{one}"?'
        return f'do "{one}" and "{other}" exclude each other?'


class Gain(NamedTuple):
    """The gaps by what they mend, and what all proposals together do to the answers."""

    gaps: tuple[Gap, ...]
    num_mended: int
    num_spoilt: int


def pairs_in_place(grounding: Grounding) -> list[Pair]:
    """Return the pairs of different words that stand in each other's place.

    Where no two words do, the one word that only the premise has and the one that only the hypothesis has are taken.
    """
    mentions = (*grounding.premise_mentions, *grounding.hypothesis_mentions)
    numbers: dict[str, int] = {}
    key = np.array([numbers.setdefault(mention.key, len(numbers)) for mention in mentions], dtype=np.int32)
    num_premise = len(grounding.premise_mentions)
    found = [
        Pair(start, end)
        for start in range(num_premise)
        for end in range(num_premise, len(mentions))
        if key[start] != key[end] and stand_in_place(key, start, end, num_premise, len(mentions))
    ]
    if found:
        return found
    left, right = set(key[:num_premise].tolist()), set(key[num_premise:].tolist())
    lost = [number for number in range(num_premise) if key[number] not in right]
    fresh = [number for number in range(num_premise, len(mentions)) if key[number] not in left]
    return [Pair(lost[0], fresh[0])] if len(lost) == len(fresh) == 1 else []


def is_joined(grounding: Grounding, pair: Pair) -> bool:
    """Tell whether a path leads from the one word of a pair to the other."""
    starts, ends = grounding.paths.start, grounding.paths.end
    return bool(((starts == pair.premise) & (ends == pair.hypothesis)).any())


def find_gaps(reasoner: Reasoner, examined: Sequence[Examined]) -> tuple[Gap, ...]:
    """Return the triples that are missing at wrong answers, those of most wrong answers first.

    Args:
        reasoner: of the answers; proposals are in the relations of its graph where it has some of the kind.
        examined: labelled pairs, answered.
    """
    proposals = _proposed_relations(reasoner)
    found: dict[Fact, Gap] = {}
    rows: dict[Fact, list[int]] = defaultdict(list)
    labels: dict[Fact, set[Label]] = defaultdict(set)
    for row, item in enumerate(examined):
        if item.is_right or item.example.label is None:
            continue
        for pair in pairs_in_place(item.grounding):
            if _speaks_for(item, pair, item.example.label):
                continue
            gap = _gap(reasoner, item, pair, proposals)
            if gap is not None:
                found.setdefault(gap.fact, gap)
                rows[gap.fact].append(row)
                labels[gap.fact].add(item.example.label)
    gaps = [
        replace(gap, rows=tuple(dict.fromkeys(rows[fact])), true_labels=tuple(sorted(labels[fact])))
        for fact, gap in found.items()
    ]
    return tuple(sorted(gaps, key=_rank)[:MAX_GAPS])


def measure_gain(
    reasoner: Reasoner, examined: Sequence[Examined], gaps: Sequence[Gap], batch_size: int
) -> Gain:
    """Ask the pairs again with every proposed triple in the graph, and rank the gaps by the answers that become right.

    Args:
        reasoner: of the answers; its graph stays as it is.
        examined: the pairs in which the gaps were found.
        gaps: the proposals.
        batch_size: pairs answered at once.
    """
    if not gaps:
        return Gain((), 0, 0)
    repaired = over_graph(reasoner, with_triples(reasoner.graph, [gap.fact for gap in gaps]))
    examples = [item.example for item in examined]
    after, _ = answer_flags(repaired, examples, repaired.ground_all(examples), batch_size)
    before = np.array([item.is_right for item in examined], dtype=np.bool_)
    mended = ~before & after
    spoilt = [examples[row] for row in np.flatnonzero(before & ~after).tolist()]
    blamed = Counter(
        fact for prediction in repaired.predict_examples(spoilt, batch_size) for fact in _blamed(prediction, gaps)
    )
    measured = [
        replace(gap, num_mended=int(mended[list(gap.rows)].sum()), num_spoilt=blamed[gap.fact]) for gap in gaps
    ]
    return Gain(tuple(sorted(measured, key=_rank)), int(mended.sum()), len(spoilt))


def write_gaps(gaps: Sequence[Gap], examined: Sequence[Examined]) -> str:
    """Return the table to fill in: `kg-reason build` reads its rows once their `relation` is filled in.

    Args:
        gaps: best first.
        examined: the pairs that their rows number.
    """
    lines = ["\t".join(COLUMNS)]
    for gap in gaps:
        pairs = (examined[row].example for row in gap.rows[:EXAMPLES_SHOWN])
        cells = (
            term_text(gap.fact.head), "", term_text(gap.fact.tail), gap.fact.relation, gap.question,
            str(gap.num_mended), str(gap.num_spoilt), str(len(gap.rows)), ", ".join(gap.true_labels),
            gap.head_label, gap.tail_label,
            " | ".join(f"{pair.premise} / {pair.hypothesis}" for pair in pairs),
        )  # fmt: skip
        lines.append("\t".join(" ".join(cell.split()) for cell in cells))
    return "\n".join(lines) + "\n"


def _rank(gap: Gap) -> tuple[int, int, Fact]:
    return gap.num_spoilt - gap.num_mended, -len(gap.rows), gap.fact


def _blamed(prediction: Prediction, gaps: Sequence[Gap]) -> set[Fact]:
    """Return the proposed triples of the strongest path that uses one."""
    for evidence in prediction.evidence:
        added = {
            frozenset((step.head, step.tail))
            for step in evidence.path.steps
            if any(source.file == EDITS_FILE for source in step.sources)
        }
        used = {gap.fact for gap in gaps if frozenset((gap.fact.head, gap.fact.tail)) in added}
        if used:
            return used
    return set()


def _proposed_relations(reasoner: Reasoner) -> Mapping[str, tuple[str, bool]]:
    """Return for `wider` and `opposite` the relation that the graph states most, and whether it leads the other way.

    Where the graph has none of the kind, its usual name stands for a relation to come.
    """
    graph, kinds = reasoner.graph, reasoner.collator.relation_kinds
    sizes = np.bincount(graph.edge_relation[graph.live_edges()], minlength=graph.num_relations)
    walked = reasoner.grounder.retriever.walkable().any(axis=1)
    groups, chosen = load_table().groups, {}
    for kind in (WIDER, OPPOSITE):
        number = 1 + KINDS.index(kind)
        some = [relation for relation in np.flatnonzero(walked).tolist() if abs(kinds[relation]) == number]
        if some:
            # A relation that leads the usual way is asked for, if the graph has one.
            best = max(some, key=lambda relation: (kinds[relation] > 0, sizes[relation]))
            chosen[kind] = (graph.relation_id(best), bool(kinds[best] < 0))
        else:
            chosen[kind] = (groups[kind][0], False)
    return chosen


def _speaks_for(item: Examined, pair: Pair, label: Label) -> bool:
    """Tell whether a path between two words moves the answer to a label more than to any other.

    Where the model keeps no contributions of paths, each path counts as such a one.
    """
    start = item.grounding.premise_mentions[pair.premise].start
    end = item.grounding.hypothesis_mentions[pair.hypothesis - len(item.grounding.premise_mentions)].start
    for evidence in item.prediction.evidence:
        places = (evidence.start.side, evidence.start.start, evidence.end.side, evidence.end.start)
        if places == (PREMISE, start, HYPOTHESIS, end):
            if not evidence.strength:
                return True
            best = max(evidence.contribution, key=lambda key: evidence.contribution[key])
            labels = TWO_WAY if Label.NOT_ENTAILMENT in {label, *evidence.contribution} else THREE_WAY
            if fit_label(best, labels) is fit_label(label, labels):
                return True
    return False


def _gap(
    reasoner: Reasoner, item: Examined, pair: Pair, proposals: Mapping[str, tuple[str, bool]]
) -> Gap | None:
    """Return the triple that would speak for the true label; None where it stands or there can be none."""
    label = item.example.label
    if label is None:
        return None
    mentions = (*item.grounding.premise_mentions, *item.grounding.hypothesis_mentions)
    ends = _ends(reasoner, mentions[pair.premise], mentions[pair.hypothesis])
    names = [_name(reasoner, mentions[number], end) for number, end in zip(pair, ends, strict=True)]
    if any(term_kind(identity) == BLANK for identity, _ in names):
        return None
    kind = WIDER if label in (Label.ENTAILMENT, Label.NEUTRAL) else OPPOSITE
    relation, is_turned = proposals[kind]
    # "A violin" entails "an instrument", which is wider; where neutral is right, the premise has the wider word.
    if (label is Label.NEUTRAL) != is_turned:
        names.reverse()
    (head, head_label), (tail, tail_label) = names
    if head == tail or is_stated(reasoner.graph, Fact(head, relation, tail)):
        return None
    return Gap(Fact(head, relation, tail), head_label, tail_label, kind, is_turned, (label,))


def _ends(reasoner: Reasoner, first: Mention, second: Mention) -> tuple[Candidate | None, Candidate | None]:
    """Return the likeliest meanings of two words, of the same part of speech where both have such."""
    graph = reasoner.graph

    def part_of_speech(candidate: Candidate) -> str:
        return graph.alias(candidate.alias).pos if candidate.alias >= 0 else ""

    best = (first.candidates[0] if first.candidates else None, second.candidates[0] if second.candidates else None)
    alike = [
        (one, other)
        for one in first.candidates
        for other in second.candidates
        if part_of_speech(one) == part_of_speech(other) and one.entity != other.entity
    ]
    return max(alike, key=lambda ends: ends[0].score * ends[1].score) if alike else best


def _name(reasoner: Reasoner, mention: Mention, candidate: Candidate | None) -> tuple[str, str]:
    """Return id and readable form of what a word means; an unknown word is both."""
    if candidate is None:
        return mention.key, mention.key
    language = reasoner.config.linker.language
    return reasoner.graph.entity_id(candidate.entity), reasoner.graph.entity_label(candidate.entity, language)
