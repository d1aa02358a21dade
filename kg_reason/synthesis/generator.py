"""Labelled pairs from a graph and plain sentences: a word replaced by one that a known relation away.

A pair is drawn from a cell: a relation pattern in a polarity, which together say the label. In each polarity the labels
are filled evenly, so that a negation tells nothing, and within a label the patterns by their shares. Words come from
the user's sentences where the linker finds one with a clear meaning, and from frames ("There is a {NN} behind the
house.") for entities that no sentence mentions. Part of the pairs has invented words in place of the two words, linked
by `NLIExample.names`: there only the graph can tell. A share of the pairs says facts of the graph (`facts.py`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from tqdm import tqdm

from kg_reason.config import SynthesisConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.nli import Label, NLIExample
from kg_reason.synthesis.context import Polarity
from kg_reason.synthesis.drafts import Cell
from kg_reason.synthesis.facts import FactMaker
from kg_reason.synthesis.pairs import PairMaker
from kg_reason.synthesis.place_choice import IDENTICAL, LONGER, SHORTER
from kg_reason.synthesis.relation_table import load_table
from kg_reason.terminal import PROGRESS_DELAY

_MAX_FAILURES = 5
_NUM_PATIENT_FAILURES = 2


def synthesize(
    graph: KnowledgeGraph,
    linker: EntityLinker,
    sentences: Sequence[str],
    config: SynthesisConfig | None = None,
    *,
    retriever: Retriever | None = None,
    show_progress: bool = False,
) -> list[NLIExample]:
    """Make labelled pairs from a graph and plain sentences.

    Every pair has the name of its pattern as category, and an id `source:number`, in which the source is the sentence
    (s17), the pair's own number where a frame was filled (f18), or the edge that a fact pair says (e19). A pair in
    which a word is replaced says where, and which edges justify its label (`NLIExample.justification`). Claims, fact
    pairs whose premise is empty, replace no word.

    Args:
        graph: the graph that the linker links to.
        linker: finds the words of the sentences.
        sentences: plain text, one sentence each; no labels are needed.
        config: settings.
        retriever: where given, a pair with invented words is kept only if it finds a path for it, so that no label
            stands without evidence.
        show_progress: show a bar on standard error when it takes longer than two seconds.

    Returns:
        At most `config.num_pairs` examples, fewer where the graph gives no more; equal arguments give equal examples.

    Raises:
        ConfigError: the table of relation patterns cannot be read, or the linker links to another graph.
    """
    if linker.graph is not graph:
        raise ConfigError("linker: it links to another graph than the one given")
    config = config or SynthesisConfig()
    sentences = _drawn(sentences, config)
    table = load_table(config.relation_table)
    maker = PairMaker(linker, sentences, table, config, retriever)
    examples: list[NLIExample] = []
    progress = tqdm(
        desc="synthesizing", total=config.num_pairs, unit="pair", disable=not show_progress, delay=PROGRESS_DELAY
    )
    if config.fact_fraction:
        facts = FactMaker(maker.drafter, table, linker, retriever, config.synthesis_seed, maker.seen)
        num_facts = round(config.num_pairs * config.fact_fraction)
        num_invented = round(num_facts * config.nonce_fraction)
        for invented, wanted in ((False, num_facts - num_invented), (True, num_invented)):
            for example in facts.make(wanted, invented=invented):
                examples.append(example)
                progress.update()
    num_left = config.num_pairs - len(examples)
    num_invented = round(num_left * config.nonce_fraction)
    for invented, wanted in ((False, num_left - num_invented), (True, num_invented)):
        cells = [
            Cell(pattern, routes, polarity, invented)
            for pattern, routes in maker.routes().items()
            for polarity in (Polarity.UPWARD, Polarity.DOWNWARD)
            if not (invented and pattern.name in (IDENTICAL, SHORTER, LONGER))
        ]
        cells = [cell for cell in cells if cell.label is not None]
        for example in _fill(maker, cells, wanted, config.downward_fraction):
            examples.append(example)
            progress.update()
    progress.close()
    random.Random(f"order {config.synthesis_seed}").shuffle(examples)
    return examples


def split_by_sentence(
    examples: Sequence[NLIExample], dev_share: float, seed: int
) -> tuple[list[NLIExample], list[NLIExample]]:
    """Divide examples into training and dev parts that share no premise, no hypothesis and no source sentence."""
    parent = list(range(len(examples)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    first: dict[str, int] = {}
    for number, example in enumerate(examples):
        source = example.example_id.split(":")[0]
        for key in (f"id {source}" if source else "", example.premise, example.hypothesis):
            if key:
                parent[root(number)] = root(first.setdefault(key, number))
    groups: dict[int, list[int]] = {}
    for number in range(len(examples)):
        groups.setdefault(root(number), []).append(number)
    order = list(groups.values())
    random.Random(f"split {seed}").shuffle(order)
    wanted = round(dev_share * len(examples))
    dev: set[int] = set()
    for group in order:
        if len(dev) + len(group) <= wanted:
            dev.update(group)
    train = [example for number, example in enumerate(examples) if number not in dev]
    return train, [examples[number] for number in sorted(dev)]


def _drawn(sentences: Sequence[str], config: SynthesisConfig) -> list[str]:
    """Return the sentences that are read, each at its number; an empty text stands for one that is not.

    About half of the pairs take a sentence, and to parse it costs more than to make a pair of it.
    """
    wanted = round(config.num_pairs * config.sentences_per_pair)
    if wanted >= len(sentences):
        return list(sentences)
    rng = random.Random(f"sentences {config.synthesis_seed}")
    chosen = set(rng.sample(range(len(sentences)), wanted))
    return [text if number in chosen else "" for number, text in enumerate(sentences)]


def _fill(maker: PairMaker, cells: Sequence[Cell], wanted: int, downward: float) -> Iterator[NLIExample]:
    """Yield examples, the least filled label of a polarity in turn and the least filled cell of it first.

    A cell that fails often is closed. Few patterns contradict in downward contexts; where none does, the other two
    labels share them.
    """
    labels = {polarity: {cell.label for cell in cells if cell.polarity is polarity} for polarity in Polarity}
    share = {Polarity.UPWARD: 1.0 - downward, Polarity.DOWNWARD: downward}
    made: Counter[tuple[Polarity, Label]] = Counter()
    waiting: dict[tuple[Polarity, Label], list[Cell]] = {}
    for cell in cells:
        if share[cell.polarity] > 0 and cell.label is not None:
            waiting.setdefault((cell.polarity, cell.label), []).append(cell)
    while waiting and made.total() < wanted:
        group = min(sorted(waiting), key=lambda item: (made[item] + 1) * len(labels[item[0]]) / share[item[0]])
        cell = min(waiting[group], key=lambda item: item.filling)
        draft = maker.draw(cell)
        if draft is None:
            cell.failures += 1
            cell.num_made += cell.failures > _NUM_PATIENT_FAILURES
            if cell.failures > _MAX_FAILURES:
                waiting[group].remove(cell)
                if not waiting[group]:
                    del waiting[group]
            continue
        cell.failures = 0
        cell.num_made += 1
        made[group] += 1
        number = maker.num_drawn
        yield NLIExample(
            premise=draft.premise,
            hypothesis=draft.hypothesis,
            label=cell.label,
            category=cell.pattern.name,
            names=draft.names,
            example_id=f"{draft.source or f'f{number}'}:{number}",
            justification=draft.justification,
        )
