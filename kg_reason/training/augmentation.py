"""What training changes in its examples, afresh in every epoch, so that the model has to read the graph.

    invented words     the exchanged words of a made pair give way to words that no label holds; text and linking have
                       them, the graph's edges stay
    other relations    text fixed, the relations of the path exchanged, and the label follows the graph (a
                       counterfactual: hypernym becomes antonym, entailment becomes contradiction)
    knowledge missing  paths left out, all of them for pairs that were not made from the graph
    chance knowledge   paths of any relations added; the answer stays
    other names        relations under another name of their kind, or an invented one, see `relation_names`

Each change is a function of seed, epoch and example, so a resumed run makes the same ones. How paths are changed is
`knowledge_changes.py`, how words are exchanged `synthesis/nonce.py`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kg_reason.config import TrainConfig
from kg_reason.kg.grounding import Grounding
from kg_reason.kg.relation_kinds import RelationName
from kg_reason.nli import Justification, NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.synthesis.nonce import NonceWords, with_invented_words
from kg_reason.synthesis.patterns import PatternWalker
from kg_reason.synthesis.relation_table import load_table
from kg_reason.training.knowledge_changes import (
    Ends,
    add_irrelevant,
    drop_paths,
    exchange_relations,
    exchanges,
    find_ends,
    joins,
)

OTHER_NAME_SHARE = 0.75  # of the renamed relations that have other names; the rest get invented ones
PAIRED_SHARE = 0.5  # of the relations under a table name: those that also show a name of their inverse


class Augmented(NamedTuple):
    """An example as one epoch sees it, and whether only the graph can tell its label."""

    example: NLIExample
    grounding: Grounding
    needs_graph: bool


class Augmenter:
    """Changes examples by the settings of a run.

    Args:
        reasoner: gives graph, linker and retriever; used by one thread at a time.
        config: `nonce_fraction`, `counterfactual_fraction`, `graph_dropout`, `distractor_paths`, `renamed_relations`
            and `seed` are read.
    """

    def __init__(self, reasoner: Reasoner, config: TrainConfig) -> None:
        self._config = config
        self._graph = graph = reasoner.graph
        self._grounder = reasoner.grounder
        self._collator = reasoner.collator
        self._walkable = reasoner.grounder.retriever.walkable()
        self._climbs = reasoner.grounder.retriever.climbs()
        self._reads_graph = reasoner.config.model.evidence != "text"  # else a counterfactual were a wrong label
        exchanges_any = self._reads_graph and config.counterfactual_fraction > 0
        routes = PatternWalker(graph, load_table()).routes if exchanges_any else ()
        self._exchanges = [exchanges(routes, self._walkable, downward) for downward in (False, True)]

    def __call__(self, example: NLIExample, grounding: Grounding, epoch: int, number: int) -> Augmented:
        """Return an example as an epoch sees it.

        Args:
            example: with its justification if it was made from the graph; others keep text and label.
            grounding: of the example.
            epoch: number of the pass, from 0.
            number: of the example among those of the run.
        """
        config = self._config
        key = f"{config.seed} {epoch} {number}"
        rng = random.Random(key)
        invents, exchanges_relations = rng.random() < config.nonce_fraction, rng.random()
        ends, needs_graph = None, False
        if example.justification is not None and (invents or example.names):
            example = with_invented_words(example, example.justification, NonceWords(self._graph, key))
            grounding = self._grounder.ground(example)
        if example.justification is not None:
            ends = _ends(grounding, example.justification)
        if ends is not None and self._reads_graph and exchanges_relations < config.counterfactual_fraction:
            example, grounding, needs_graph = self._exchange(example, grounding, ends, rng)
        if config.graph_dropout and grounding.has_evidence:
            grounding = self._drop(example, grounding, ends, rng)
        if config.distractor_paths and rng.random() < 0.5:
            added = rng.randint(1, config.distractor_paths)
            paths = add_irrelevant(grounding, added, self._graph, self._walkable, ends, rng)
            grounding = replace(grounding, paths=paths)
        return Augmented(example, grounding, needs_graph or bool(example.names))

    def relation_names(self, relations: Sequence[int], epoch: int, step: int) -> dict[int, RelationName]:
        """Return the other names under which a batch shows some of its relations.

        A relation takes another name of its kind, such as "is a" for "hypernym"; one of the other direction, such as
        "has subtype", and then its edges are turned; or an invented one, and then its kind, where it is shown, or the
        other relations of the path have to tell what it means. A name of its inverse may stand beside.
        """
        share = self._config.renamed_relations
        rng = random.Random(f"names {self._config.seed} {epoch} {step}")
        names: dict[int, RelationName] = {}
        for relation in relations:
            if rng.random() < share:
                others = self._collator.names_of_kind(relation)
                if others and rng.random() < OTHER_NAME_SHARE:
                    name = rng.choice(others)
                    inverses = [other.text for other in others if other.turned != name.turned]
                    is_paired = bool(inverses) and rng.random() < PAIRED_SHARE
                    names[relation] = name._replace(inverse=rng.choice(inverses) if is_paired else "")
                else:
                    names[relation] = RelationName(NonceWords(self._graph, rng.randrange(1 << 30)).draw())
        return names

    def _exchange(
        self, example: NLIExample, grounding: Grounding, ends: Ends, rng: random.Random
    ) -> Augmented:
        """Exchange the relations of the path between the two words for others that give another label."""
        justification, paths = example.justification, grounding.paths
        rows = np.flatnonzero(joins(paths, ends) & (paths.length > 0))
        if justification is None or not justification.facts or not len(rows):
            return Augmented(example, grounding, False)
        rows_of_length = [row for row in rows.tolist() if paths.length[row] == len(justification.facts)]
        row = rng.choice(rows_of_length or rows.tolist())
        choices = self._exchanges[justification.downward].get(int(paths.length[row]), ())
        labels = sorted({choice.label for choice in choices if choice.label != example.label})
        if not labels:
            return Augmented(example, grounding, False)
        label = rng.choice(labels)
        chosen = rng.choice([choice for choice in choices if choice.label == label])
        changed = exchange_relations(paths, row, chosen, self._climbs, len(self._graph.edge_head))
        return Augmented(replace(example, label=label, justification=None), replace(grounding, paths=changed), True)

    def _drop(self, example: NLIExample, grounding: Grounding, ends: Ends | None, rng: random.Random) -> Grounding:
        """Leave out all paths of a share of the plain pairs, and a share of the side paths of made ones."""
        share = self._config.graph_dropout
        if ends is not None:
            paths = drop_paths(grounding.paths, joins(grounding.paths, ends), share, rng)
            return replace(grounding, paths=paths)
        if example.names or example.justification is not None:
            return grounding
        return grounding.without_paths() if rng.random() < share else grounding


def _ends(grounding: Grounding, justification: Justification) -> Ends | None:
    return find_ends(grounding, justification.premise_word.start, justification.hypothesis_word.start)
