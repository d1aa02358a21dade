"""Train one model of the reference recipe: labelled pairs, pairs made from WordNet and their sentences, one seed.

    python scripts/recipe.py --benchmarks DIR --graph DIR --out RUN --seed 0 [--evidence text] [--labelled-share 0.1]

`--benchmarks` is a folder with one folder per data set, each with JSON Lines files named after their splits. Training
reads the files of TRAIN_FILES; no pair whose premise stands in a file of REPORTED_FILES is used (SNLI's development
pairs are among those that cad_nli revised and Breaking NLI changed). The pairs made from the graph need sentences, no
labels, so a smaller share of labelled pairs meets as many of them; all seeds share them, and meet each with invented
words of their own. `--evidence` names the twin without the graph
(`text`) or a control; every one sees the same pairs. RUN/result.json says what was done; `measure.py` measures the run.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from torch import cuda

from kg_reason import (
    EntityLinker,
    KnowledgeGraph,
    ModelConfig,
    Reasoner,
    ReasonerConfig,
    Retriever,
    SynthesisConfig,
    TrainConfig,
    TrainFiles,
    read_examples,
    synthesize,
    train,
    write_examples,
)
from kg_reason.nli import NLIExample
from kg_reason.training.setup import computes_bf16

TRAIN_FILES = {  # file -> pairs taken: what two cores with bf16 read once in 20 minutes, with the made pairs
    "snli/train-dev10k.jsonl": 10000, "cad_nli/train.jsonl": 9000, "sick/train.jsonl": 2000, "mnli/train.jsonl": 3000,
}  # fmt: skip
MADE_FILE = "made.jsonl"  # beside the runs
REPORTED_FILES = ("cad_nli/dev.jsonl", "sick/test.jsonl", "mnli/dev.jsonl", "breaking_nli_dev/dev.jsonl")


def read_labelled(benchmarks: Path, share: float, seed: int) -> tuple[list[NLIExample], list[str]]:
    """Return a share of the labelled training pairs in an order of the seed, and the sentences of all of them."""
    reported = read_examples([str(benchmarks / name) for name in REPORTED_FILES])
    premises = {example.premise for example in reported}
    chosen: list[NLIExample] = []
    sentences: set[str] = set()
    for name, number in TRAIN_FILES.items():
        pairs = [pair for pair in read_examples([str(benchmarks / name)]) if pair.premise not in premises]
        sentences.update(text for pair in pairs for text in (pair.premise, pair.hypothesis))
        random.Random(f"{name} {seed}").shuffle(pairs)
        pairs = pairs[:number]
        chosen += pairs[: round(share * len(pairs))]
    return chosen, sorted(sentences)


def made_pairs(graph: KnowledgeGraph, sentences: list[str], path: Path, num_pairs: int) -> list[NLIExample]:
    """Return the pairs made from the graph, which are made once."""
    if not path.exists():
        config = SynthesisConfig(num_pairs=num_pairs)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_examples(path, synthesize(graph, EntityLinker(graph), sentences, config, retriever=Retriever(graph)))
    return read_examples([str(path)])


def main() -> int:
    """Run one training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarks", type=Path, required=True)
    parser.add_argument("--graph", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--evidence", default="paths")
    parser.add_argument("--labelled-share", type=float, default=1.0)
    parser.add_argument("--num-pairs", type=int, default=28000)
    parser.add_argument("--encoder", default=ModelConfig().encoder)
    parser.add_argument("--num-epochs", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--encoder-lr", type=float, default=1e-4)
    parser.add_argument("--graph-lr", type=float, default=TrainConfig().graph_lr)
    parser.add_argument("--mixed-precision", help="no, bf16 or fp16 (default: bf16 where the hardware computes it)")
    arguments = parser.parse_args()
    precision = arguments.mixed_precision or (
        "bf16" if computes_bf16("cuda" if cuda.is_available() else "cpu") else "no"
    )

    graph = KnowledgeGraph.open(arguments.graph)
    plain, sentences = read_labelled(arguments.benchmarks, arguments.labelled_share, arguments.seed)
    made = made_pairs(graph, sentences, arguments.out.parent / MADE_FILE, arguments.num_pairs)
    model = ModelConfig(evidence=arguments.evidence, encoder=arguments.encoder, encoder_dropout=0.0)
    reasoner = Reasoner.build(graph, ReasonerConfig(model=model), seed=arguments.seed)
    config = TrainConfig(
        num_epochs=arguments.num_epochs, seed=arguments.seed, batch_size=arguments.batch_size,
        encoder_lr=arguments.encoder_lr, graph_lr=arguments.graph_lr, mixed_precision=precision,
    )  # fmt: skip
    start = time.time()
    files = TrainFiles(examples=(*TRAIN_FILES, "pairs made from the graph and their sentences"))
    train(reasoner, [*plain, *made], [], config, arguments.out, files=files)
    result = {
        "command": " ".join(["python", "scripts/recipe.py", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "seed": arguments.seed,
        "evidence": arguments.evidence,
        "labelled_share": arguments.labelled_share,
        "batch_size": arguments.batch_size,
        "mixed_precision": precision,
        "num_examples": {"plain": len(plain), "synthesized": len(made)},
        "training_minutes": round((time.time() - start) / 60, 1),
    }
    (arguments.out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
