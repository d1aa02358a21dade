"""What the graph gave for a pair, as plain values for an answer: linked words, and paths with their contributions.

The values are `prediction.py`; the numbers come from the model by way of `reasoner.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounding
from kg_reason.kg.linker import Mention
from kg_reason.kg.paths import describe_path
from kg_reason.nli import Label
from kg_reason.prediction import Evidence, LinkedEntity, LinkedMention, Place


def describe_evidence(
    graph: KnowledgeGraph,
    grounding: Grounding,
    contributions: NDArray[np.float64],
    labels: Sequence[Label],
    language: str,
) -> tuple[Evidence, ...]:
    """Return the paths of a pair as evidence, strongest first.

    Args:
        graph: names the steps.
        grounding: of the pair.
        contributions: [num_paths, num_labels], what each path adds to the logits.
        labels: position = column of the contributions.
        language: of the names; empty: any.
    """
    mentions = (*grounding.premise_mentions, *grounding.hypothesis_mentions)
    num_premise = len(grounding.premise_mentions)
    evidence = []
    for row in range(grounding.paths.num_paths):
        ends = [int(grounding.paths.start[row]), int(grounding.paths.end[row])]
        start, end = (_place(mentions[number], number < num_premise) for number in ends)
        by_label = dict(zip(labels, contributions[row].tolist(), strict=True))
        path = describe_path(graph, grounding.paths, row, language=language)
        evidence.append(Evidence(path, start, end, by_label))
    return tuple(sorted(evidence, key=lambda item: -item.strength))


def describe_mentions(graph: KnowledgeGraph, mentions: Sequence[Mention], language: str) -> tuple[LinkedMention, ...]:
    """Return mentions with the names of the entities they may mean, in the language; empty: any."""
    return tuple(
        LinkedMention(
            mention.start,
            mention.end,
            mention.text,
            tuple(
                LinkedEntity(graph.entity_id(item.entity), graph.entity_label(item.entity, language), item.score)
                for item in mention.candidates
            ),
        )
        for mention in mentions
    )


def _place(mention: Mention, in_premise: bool) -> Place:
    return Place("premise" if in_premise else "hypothesis", mention.start, mention.end, mention.text)
