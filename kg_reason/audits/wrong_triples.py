"""One wrong triple for a pair that was answered right: it joins the ends of the strongest path and says otherwise.

The words of a contradiction get a triple by which the one is a kind of the other, those of any other pair one by which
they are opposites. The triples are laid over the graph in memory (`graph_changes.py`); what they do to answers is
`robustness.py`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.audits.answered import Flags, Share
from kg_reason.audits.graph_changes import is_stated
from kg_reason.audits.result import Table
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounding
from kg_reason.kg.paths import Path, PathTable
from kg_reason.kg.relation_kinds import KINDS
from kg_reason.nli import Fact, Label, NLIExample
from kg_reason.reasoner import Reasoner

WIDER, OPPOSITE = (1 + KINDS.index(kind) for kind in ("wider", "opposite"))


NO_GRAPH = "text"  # the evidence of a model that reads no paths


class Saying(NamedTuple):
    """A relation by its id in the graph, and whether a triple of it is stated from the hypothesis to the premise."""

    relation: str
    turned: bool


class WrongTriple(NamedTuple):
    """A triple that is not true, and the pair it is meant for.

    Attributes:
        row: of the pair among those that were asked about.
        triple: by the ids of the graph.
        says: the label that it speaks for.
    """

    row: int
    triple: Fact
    says: Label


class Misled(NamedTuple):
    """What wrong triples did.

    Attributes:
        triples: all that were added at once, at least one.
        labels: the right label of the pair of each.
        found: whether a path takes the triple, bool [num_triples].
        flipped: whether the right answer turned wrong.
        followed: whether it became the label that the triple speaks for.
        both_words: answers unchanged among the other pairs with words for both ends of a wrong triple.
        one_word: among pairs with words for one end of some, and for both ends of none.
        no_word: among all others.
    """

    triples: tuple[WrongTriple, ...]
    labels: tuple[Label, ...]
    found: Flags
    flipped: Flags
    followed: Flags
    both_words: Share
    one_word: Share
    no_word: Share

    @property
    def unrelated(self) -> Share:
        """Answers unchanged among pairs that no wrong triple speaks of: none has words for both of its ends."""
        return Share(self.one_word.num_right + self.no_word.num_right, self.one_word.num_pairs + self.no_word.num_pairs)


def sayings(reasoner: Reasoner) -> Mapping[Label, Saying]:
    """Return the most frequent relation of the graph that says entailment, and that says contradiction.

    A label is missing where the graph has no relation that paths walk and whose kind is known to say so.
    """
    graph, retriever = reasoner.graph, reasoner.grounder.retriever
    kinds = reasoner.collator.relation_kinds
    counts = np.bincount(graph.edge_relation[graph.live_edges()], minlength=graph.num_relations)
    counts = np.where(retriever.walkable().any(axis=1), counts, 0)
    found = {}
    for label, kind in ((Label.ENTAILMENT, WIDER), (Label.CONTRADICTION, OPPOSITE)):
        relation = int(np.where(np.abs(kinds) == kind, counts, 0).argmax()) if len(counts) else -1
        if relation >= 0 and abs(int(kinds[relation])) == kind and counts[relation]:
            found[label] = Saying(graph.relation_id(relation), int(kinds[relation]) < 0)
    return found


def draw_wrong_triples(
    reasoner: Reasoner, examples: Sequence[NLIExample], rows: Sequence[int], number: int, seed: int
) -> tuple[WrongTriple, ...]:
    """Return a wrong triple for pairs drawn by chance, each triple once; rows without one are passed over.

    No triple is made where the words name one entity, where the graph states it already, or where it has no relation
    that says otherwise (see `sayings`).

    Args:
        reasoner: names the strongest path of each pair.
        examples: labelled pairs.
        rows: those of them that were answered right and have evidence.
        number: of triples at most.
        seed: of the draw.
    """
    known = sayings(reasoner)
    waiting = list(rows) if known else []
    random.Random(f"wrong triples {seed}").shuffle(waiting)
    found: dict[frozenset[str], WrongTriple] = {}  # by the two entities
    while waiting and len(found) < number:
        missing = number - len(found)
        part, waiting = waiting[:missing], waiting[missing:]
        predictions = reasoner.predict_examples([examples[row] for row in part])
        for row, prediction in zip(part, predictions, strict=True):
            says = _other_label(examples[row], reasoner.labels)
            if says not in known or not prediction.evidence:
                continue
            first, last = path_ends(prediction.evidence[0].path)
            head, tail = (last, first) if known[says].turned else (first, last)
            triple = Fact(head, known[says].relation, tail)
            if head != tail and not is_stated(reasoner.graph, triple):
                found.setdefault(frozenset((head, tail)), WrongTriple(row, triple, says))
    return tuple(found.values())


def _other_label(example: NLIExample, labels: tuple[Label, ...]) -> Label:
    two_way = Label.NOT_ENTAILMENT in labels
    says_no = example.label is not Label.ENTAILMENT if two_way else example.label in (
        Label.CONTRADICTION, Label.NOT_ENTAILMENT
    )  # fmt: skip
    return Label.ENTAILMENT if says_no else Label.CONTRADICTION


def path_ends(path: Path) -> tuple[str, str]:
    """Return the ids of the entities that a path leads from and to."""
    first, last = path.steps[0], path.steps[-1]
    return first.head if first.forward else first.tail, last.tail if last.forward else last.head


def count_linked_ends(
    graph: KnowledgeGraph, groundings: Sequence[Grounding], triples: Sequence[Fact]
) -> NDArray[np.int64]:
    """Return how many ends of one of the triples the words of each pair may mean at most: 0, 1 or 2, [num_pairs].

    Args:
        graph: of the groundings.
        groundings: one per pair.
        triples: between entities of the graph.
    """
    ends = [(graph.find_id(triple.head), graph.find_id(triple.tail)) for triple in triples]
    counts = []
    for grounding in groundings:
        mentions = (*grounding.premise_mentions, *grounding.hypothesis_mentions)
        linked = {candidate.entity for mention in mentions for candidate in mention.candidates}
        counts.append(max((sum(end in linked for end in pair) for pair in ends), default=0))
    return np.array(counts, dtype=np.int64)


def is_on_path(graph: KnowledgeGraph, paths: PathTable, triple: Fact) -> bool:
    """Tell whether one of the paths is the edge of a triple and nothing else."""
    ends = {graph.find_id(triple.head), graph.find_id(triple.tail)}
    return any(
        graph.relation_id(int(paths.relations[row, 0])) == triple.relation and set(paths.entities[row, :2]) == ends
        for row in np.flatnonzero(paths.length == 1)
    )


def misled_measures(misled: Misled | None) -> dict[str, float]:
    """Return the measures; none where no wrong triple was added."""
    if misled is None:
        return {}
    measures = {
        "num_wrong_triples": float(len(misled.triples)),
        "wrong_triple_found": float(misled.found.mean()),
        "wrong_triple_flips": float(misled.flipped.mean()),
        "wrong_triple_followed": float(misled.followed.mean()),
    }
    if misled.unrelated.num_pairs:
        measures["wrong_triple_unrelated_unchanged"] = misled.unrelated.value
    return measures


def misled_table(misled: Misled | None, reasoner: Reasoner) -> Table:
    """Return the table, or one without rows that says why nothing was added."""
    columns = ("pairs", "number", "path found", "turned wrong", "as the triple says", "unchanged")
    title = "One wrong triple for each of some right answers"
    if misled is None:
        reason = "no right answer rests on a path between two entities that could be joined wrongly"
        if reasoner.config.model.evidence == NO_GRAPH:
            reason = "this model reads no paths"
        elif not sayings(reasoner):
            reason = "the graph has no relation of the kinds wider and opposite"
        return Table(title, columns, (), f"Left out: {reason}.")
    rows = []
    for label in (None, *Label):
        chosen = np.array([label in (None, right) for right in misled.labels], dtype=np.bool_)
        if chosen.any():
            flags = (misled.found[chosen], misled.flipped[chosen], misled.followed[chosen])
            name = "right before" if label is None else f"of them {label}"
            rows.append((name, f"{int(chosen.sum()):,}", *(Share.of(part).to_text() for part in flags), "-"))
    for name, share in (
        ("others with both words", misled.both_words), ("with one of them", misled.one_word),
        ("with none of them", misled.no_word),
    ):  # fmt: skip
        rows.append((name, f"{share.num_pairs:,}", "-", "-", "-", share.to_text()))
    note = (
        "Each triple joins the two words that the strongest path joins, by a relation that says otherwise; all are "
        "added at once. The other pairs are told by whether their words may mean both ends of one of the triples, one "
        "end, or none; without both, an answer should stay. Per cent, with 95 % intervals."
    )
    return Table(title, columns, tuple(rows), note)
