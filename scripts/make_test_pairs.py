"""Make the test sets of our own, and the graphs they are asked of, once for all runs that are measured with them.

    python scripts/make_test_pairs.py --graph WORDNET --train synthesized-train.jsonl --out TESTS --seed 100
        [--codex CODEX_M CODEX_S] [--diseases DIR] [--conceptnet DIR]

Sentences are those of data/sentences.txt, data/test_frames.toml and data/polarity_frames.tsv, on none of which the
model is trained; a pair of entities that occurs in the training file is not used again. Invented words are not given
with the pairs: they are labels in a copy of the graph, and the linker has to find them there. OUT gets

    nonce.jsonl, polarity.jsonl, edits.jsonl and graph    from WordNet, the graph with the invented names
    unseen_relations.jsonl and graph-unseen               the same under relation names that no model has seen
    nonce_codex.jsonl, nonce_diseases.jsonl and graph-*   from graphs that no model has seen
    graph-deranged, graph-random, graph-empty             what the graph is replaced by to measure reliance
    summary.json                                          counts, and how many invented words the linker finds

Measuring a run with them is `measure.py`.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from edit_items import make_edit_items, write_edit_items
from graph_copies import Name, copy_graph, deranged, random_edges, renamed, write_names
from polarity_pairs import make_polarity_pairs, read_frames

from kg_reason import (
    BuildConfig,
    EntityLinker,
    KnowledgeGraph,
    NLIExample,
    Retriever,
    SynthesisConfig,
    build_graph,
    read_examples,
    synthesize,
    write_examples,
)
from kg_reason.nli import THREE_WAY, Label, fit_label
from kg_reason.synthesis.nonce import NonceWords
from kg_reason.synthesis.relation_table import SHIPPED_TABLE, load_table

DATA = Path(__file__).resolve().parent.parent / "data"
OPERATORS = re.compile(
    r"\b(?:no|not|cannot|never|nobody|none|nothing|nowhere|neither|nor|few|fewer|little|less|without|every|each|all|any"
    r"|if|unless|hardly|rarely|seldom|most|only|than)\b|n't\b", re.IGNORECASE,
)  # fmt: skip
SPARE = 3.5  # pairs made for one that is kept
MAX_PAIRS_PER_SENTENCE = 24
NAME_TAG = "NNP"
EMPTY = "head\trelation\ttail\nnothing at all\tis unlike\tanything at all\n"  # what no sentence speaks of
RANDOM_EDGES = 5  # times the edges of the graph
EntityPair = frozenset[str]
FrameSets = dict[str, str]  # category of pairs -> set of frames
Summary = dict[str, Any]

logger = logging.getLogger("make_test_pairs")


def entity_pair(example: NLIExample) -> EntityPair:
    """Return the entities that a pair joins, unordered; empty where the pair does not say them."""
    if example.justification is not None:
        words = (example.justification.premise_word, example.justification.hypothesis_word)
        return frozenset(word.entity for word in words if word.entity)
    return frozenset(example.names.values())


def is_upward(example: NLIExample) -> bool:
    """Tell whether nothing in a pair turns the direction of an inference round, or may do so."""
    downward = example.justification is not None and example.justification.downward
    return not downward and not OPERATORS.search(example.premise) and not OPERATORS.search(example.hypothesis)


def balanced(examples: Sequence[NLIExample], num_pairs: int, seed: int, frame_sets: FrameSets) -> list[NLIExample]:
    """Choose pairs evenly over the labels in each class of words, so that neither word class nor frame tells the label.

    A class is a part of speech, names apart, and the set of frames that its patterns ask for. Within a class and label,
    categories take turns as far as they go.

    Args:
        examples: to choose from; those without a label are left.
        num_pairs: about how many; fewer where the scarcest label of each class gives no more.
        seed: of every choice.
        frame_sets: the set of frames of each category that asks for one.
    """
    rng = random.Random(f"choose {seed}")
    heaps: dict[tuple[str, str], dict[Label, dict[str, list[NLIExample]]]] = {}
    for example in examples:
        if example.label is None:
            continue
        tag = example.justification.premise_word.tag if example.justification is not None else ""
        word_class = (tag if tag == NAME_TAG else tag[:2], frame_sets.get(example.category, ""))
        of_class = heaps.setdefault(word_class, {label: {} for label in THREE_WAY})
        of_class[fit_label(example.label, THREE_WAY)].setdefault(example.category, []).append(example)
    room = {key: min(sum(map(len, heap.values())) for heap in heaps[key].values()) for key in heaps}
    share = min(1.0, num_pairs / len(THREE_WAY) / max(1, sum(room.values())))
    chosen: list[NLIExample] = []
    for key in sorted(heaps):
        for label in THREE_WAY:
            chosen += _in_turn(heaps[key][label], round(share * room[key]), rng)
    rng.shuffle(chosen)
    return chosen


def _in_turn(heaps: dict[str, list[NLIExample]], wanted: int, rng: random.Random) -> list[NLIExample]:
    for name in sorted(heaps):
        rng.shuffle(heaps[name])
        heaps[name].sort(key=_is_from_frame, reverse=True)  # pop takes sentences first
    found: list[NLIExample] = []
    while len(found) < wanted:
        for name in sorted(heaps):
            if heaps[name] and len(found) < wanted:
                found.append(heaps[name].pop())
    return found


def named_pairs(
    graph: KnowledgeGraph, sentences: Sequence[str], config: SynthesisConfig, num_pairs: int, excluded: Set[EntityPair]
) -> list[NLIExample]:
    """Return pairs with invented words in upward contexts, none of whose entities were together in training."""
    made = synthesize(graph, EntityLinker(graph), sentences, config, retriever=Retriever(graph))
    fitting = [
        example for example in made if example.names and is_upward(example) and entity_pair(example) not in excluded
    ]
    table = load_table(config.relation_table)
    frame_sets = {pattern.name: pattern.frames for pattern in table.patterns if pattern.frames}
    return balanced(fitting, num_pairs, config.synthesis_seed, frame_sets)


def base_words(example: NLIExample) -> dict[str, str]:
    """Return the invented words of a pair without their inflected forms, each with its entity."""
    words = example.names
    return {
        word: entity
        for word, entity in words.items()
        if not any(other != word and len(other) < len(word) and word.startswith(other[:-1]) for other in words)
    }


def names_of(graph: KnowledgeGraph, examples: Iterable[NLIExample]) -> list[Name]:
    """Return the labels that a graph needs to know the invented words of pairs."""
    names = []
    for example in examples:
        for word, entity in base_words(example).items():
            aliases = graph.aliases(graph.entity(entity))
            names.append(Name(entity, word, aliases[0].pos if aliases else ""))
    return names


def share_linked(graph: KnowledgeGraph, examples: Sequence[NLIExample]) -> dict[str, float]:
    """Return how many of the invented words a linker finds: as first candidate, and among the candidates."""
    linker, counts = EntityLinker(graph), Counter[str]()
    for example in examples:
        for text in (example.premise, example.hypothesis):
            wanted = {word: entity for word, entity in example.names.items() if word in text.lower()}
            if not wanted:
                continue
            counts["words"] += 1
            ids = [
                [graph.entity_id(candidate.entity) for candidate in mention.candidates]
                for mention in linker.link(text)
                if mention.text.lower() in wanted
            ]
            right = set(wanted.values())
            counts["first"] += any(found and found[0] in right for found in ids)
            counts["any"] += any(right & set(found) for found in ids)
    total = max(counts["words"], 1)
    return {"words": counts["words"], "first": counts["first"] / total, "any": counts["any"] / total}


def write_set(path: Path, examples: Sequence[NLIExample]) -> Summary:
    """Write a set without its names, which the graph holds, and return its counts."""
    write_examples(path, [replace(example, names={}) for example in examples])
    return {
        "pairs": len(examples),
        "labels": dict(sorted(Counter(str(example.label) for example in examples).items())),
        "categories": dict(sorted(Counter(example.category for example in examples).items())),
        "from_sentences": sum(not _is_from_frame(example) for example in examples),
    }


def own_table(path: Path, frames: str) -> str:
    """Write the shipped table of relation patterns with other frames, and return its path."""
    text = files("kg_reason.synthesis").joinpath(SHIPPED_TABLE).read_text(encoding="utf-8")
    replaced = {line.strip() for line in frames.splitlines() if line.startswith("[frames.")}
    kept, keep = [], True
    for line in text.splitlines():
        if re.match(r"\[+[\w.]+\]+\s*\Z", line):
            keep = line.strip() not in replaced
        if keep:
            kept.append(line)
    path.write_text("\n".join([*kept, "", frames]), encoding="utf-8")
    return str(path)


def make_wordnet_sets(arguments: argparse.Namespace, graph: KnowledgeGraph, excluded: Set[EntityPair]) -> Summary:
    """Make the sets that ask WordNet, and the graphs they are asked of."""
    out, seed = arguments.out, arguments.seed
    sentences = arguments.sentences.read_text(encoding="utf-8").splitlines()
    frames = read_frames(DATA / "polarity_frames.tsv")
    pairs = {}
    for number, (name, num_pairs) in enumerate(
        (("nonce", arguments.num_nonce), ("unseen_relations", arguments.num_other))
    ):
        config = _synthesis(arguments, num_pairs, seed + number)
        pairs[name] = named_pairs(graph, sentences, config, num_pairs, excluded)
    draw_word = words_beside(NonceWords(graph, seed), pairs["nonce"])
    polarity = make_polarity_pairs(
        graph, frames, arguments.num_polarity, draw_word=draw_word, excluded=excluded, seed=seed
    )
    edits = make_edit_items(frames, arguments.num_edits, draw_word, seed)
    summary: Summary = {name: write_set(out / f"{name}.jsonl", found) for name, found in pairs.items()}
    summary["polarity"] = write_set(out / "polarity.jsonl", polarity.examples)
    write_edit_items(out / "edits.jsonl", edits.items)
    summary["edits"] = {"items": len(edits.items), "kinds": dict(Counter(item.kind for item in edits.items))}
    names = unique([*names_of(graph, pairs["nonce"]), *polarity.names, *edits.names])
    write_names(out / "names.tsv", names)
    copy_graph(graph, out / "graph", tables=[out / "names.tsv"], edges=edits.edges)
    named = KnowledgeGraph.open(out / "graph")
    summary["nonce"]["linked"] = share_linked(named, pairs["nonce"])
    write_names(out / "names-unseen.tsv", unique(names_of(graph, pairs["unseen_relations"])))
    copy_graph(graph, out / "graph-unseen", tables=[out / "names-unseen.tsv"], rename=renamed(graph))
    summary["unseen_relations"]["linked"] = share_linked(
        KnowledgeGraph.open(out / "graph-unseen"), pairs["unseen_relations"]
    )
    copy_graph(named, out / "graph-deranged", rename=deranged(named, seed))
    num_random = RANDOM_EDGES * named.num_edges
    copy_graph(named, out / "graph-random", edges=random_edges(named, num_random, seed))
    summary["graph-random"] = {"random_edges": num_random}
    return summary


def make_other_set(
    arguments: argparse.Namespace, name: str, tables: Sequence[Path], config: BuildConfig, excluded: Set[EntityPair]
) -> Summary:
    """Make the set that asks another graph, `nonce_NAME.jsonl`, and `graph-NAME` with the invented words."""
    base, out = arguments.out / f"base-{name}", arguments.out
    build_graph(list(tables), base, config)
    graph = KnowledgeGraph.open(base)
    sentences = arguments.sentences.read_text(encoding="utf-8").splitlines()
    synthesis = _synthesis(arguments, arguments.num_other, arguments.seed)
    examples = named_pairs(graph, sentences, synthesis, arguments.num_other, excluded)
    write_names(out / f"names-{name}.tsv", unique(names_of(graph, examples)))
    copy_graph(graph, out / f"graph-{name}", tables=[out / f"names-{name}.tsv"])
    summary = write_set(out / f"nonce_{name}.jsonl", examples)
    summary["linked"] = share_linked(KnowledgeGraph.open(out / f"graph-{name}"), examples)
    shutil.rmtree(base)
    return summary


def words_beside(nonce: NonceWords, examples: Iterable[NLIExample]) -> Callable[[], str]:
    """Return a source of invented words that are in none of some pairs."""
    taken = {word for example in examples for word in example.names}

    def draw() -> str:
        word = nonce.draw()
        while word in taken:
            word = nonce.draw()
        return word

    return draw


def unique(names: Iterable[Name]) -> list[Name]:
    """Return names without repetition, in order.

    Raises:
        ValueError: an invented word would name two entities.
    """
    owner: dict[str, str] = {}
    for name in names:
        if owner.setdefault(name.text, name.entity) != name.entity:
            raise ValueError(f"the invented word {name.text!r} names {owner[name.text]} and {name.entity}")
    return list(dict.fromkeys(names))


def _synthesis(arguments: argparse.Namespace, num_pairs: int, seed: int) -> SynthesisConfig:
    return SynthesisConfig(
        num_pairs=round(SPARE * num_pairs), nonce_fraction=1.0, fact_fraction=0.0,
        max_pairs_per_sentence=MAX_PAIRS_PER_SENTENCE, relation_table=arguments.table, synthesis_seed=seed,
    )  # fmt: skip


def _is_from_frame(example: NLIExample) -> bool:
    return not example.example_id.startswith("s")


def main() -> None:
    """Make everything that the arguments name the graphs for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graph", type=Path, required=True, help="WordNet, made by kg-reason build")
    parser.add_argument("--train", type=Path, nargs="+", default=[], help="synthesized pairs that train models")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--codex", type=Path, nargs="+", default=[], help="folders of CoDEx by labels")
    parser.add_argument("--diseases", type=Path, help="folder with triples.tsv of the Disease Ontology")
    parser.add_argument("--conceptnet", type=Path, help="folder with train.tsv of ConceptNet")
    parser.add_argument("--sentences", type=Path, default=DATA / "sentences.txt")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--num-nonce", type=int, default=1800)
    parser.add_argument("--num-polarity", type=int, default=1248)
    parser.add_argument("--num-other", type=int, default=600, help="pairs of each other graph")
    parser.add_argument("--num-edits", type=int, default=500)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    arguments.table = own_table(out / "relation_labels.toml", (DATA / "test_frames.toml").read_text(encoding="utf-8"))
    train = read_examples([str(path) for path in arguments.train]) if arguments.train else []
    excluded = {pair for pair in map(entity_pair, train) if pair}
    silent = sum(not entity_pair(example) for example in train)
    logger.info("%d entity pairs of training are left out; %d training pairs do not say theirs", len(excluded), silent)
    summary: Summary = {"seed": arguments.seed, "excluded_pairs": len(excluded), "training_pairs_without": silent}
    summary |= make_wordnet_sets(arguments, KnowledgeGraph.open(arguments.graph), excluded)
    (out / "empty.tsv").write_text(EMPTY, encoding="utf-8")
    build_graph(out / "empty.tsv", out / "graph-empty", BuildConfig(header="yes"))
    if arguments.codex:
        tables = [path for folder in arguments.codex for path in _codex_tables(folder)]
        summary["nonce_codex"] = make_other_set(arguments, "codex", tables, BuildConfig(header="no"), excluded)
    if arguments.diseases:
        config = BuildConfig(header="no", label_relations=("exact synonym",))
        tables = [arguments.diseases / "triples.tsv"]
        summary["nonce_diseases"] = make_other_set(arguments, "diseases", tables, config, excluded)
    if arguments.conceptnet:
        build_graph(arguments.conceptnet / "train.tsv", out / "graph-conceptnet", BuildConfig(header="no"))
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(summary, indent=1))


def _codex_tables(folder: Path) -> list[Path]:
    names = ("train.tsv", "valid.tsv", "test.tsv", "entity_types.tsv")
    return [folder / name for name in names if (folder / name).exists()]


if __name__ == "__main__":
    main()
