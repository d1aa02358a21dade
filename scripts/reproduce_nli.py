"""Train on NLI pairs plus examples made from the graph, and measure the fused model beside the same encoder without it.

    python scripts/reproduce_nli.py --benchmarks DIR --graph DIR --out DIR --seed 0 [--evidence text]

`--benchmarks` is a folder with one folder per data set, each with JSON Lines files named after their splits. Training
reads snli/train-dev10k, cad_nli/train and examples synthesized from the sentences of these two files; reported are
cad_nli/dev, sick/test and breaking_nli_dev/dev, on which nothing is tuned: the number of epochs is fixed beforehand.
Training pairs whose premise occurs in one of the reported files are left out (SNLI's development pairs are among those
that cad_nli revised).
The result goes to OUT/result.json, and printed is the table that docs/results/ keeps.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

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
    evaluate,
    read_examples,
    synthesize,
    train,
    write_examples,
)
from kg_reason.nli import NLIExample

TRAIN_FILES = ("snli/train-dev10k.jsonl", "cad_nli/train.jsonl")
TEST_FILES = ("cad_nli/dev.jsonl", "sick/test.jsonl", "breaking_nli_dev/dev.jsonl")


def read_training_pairs(benchmarks: Path) -> list[NLIExample]:
    """Return the training pairs whose premise is in no reported file."""
    reported = read_examples([str(benchmarks / name) for name in TEST_FILES])
    seen = {example.premise for example in reported}
    pairs = read_examples([str(benchmarks / name) for name in TRAIN_FILES])
    return [example for example in pairs if example.premise not in seen]


def make_examples(graph: KnowledgeGraph, plain: list[NLIExample], arguments: argparse.Namespace) -> list[NLIExample]:
    """Return the training pairs: the plain ones and those made from their sentences, made once per seed."""
    path = arguments.out.parent / f"synthesized-{arguments.num_pairs}-{arguments.seed}.jsonl"
    if not path.exists():
        sentences = sorted({example.premise for example in plain} | {example.hypothesis for example in plain})
        config = SynthesisConfig(
            num_pairs=arguments.num_pairs, nonce_fraction=arguments.nonce_fraction, synthesis_seed=arguments.seed
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_examples(path, synthesize(graph, EntityLinker(graph), sentences, config, retriever=Retriever(graph)))
    return [*plain, *read_examples([str(path)])]


def main() -> int:
    """Run one training and measure it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarks", type=Path, required=True)
    parser.add_argument("--graph", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--evidence", default="paths")
    parser.add_argument("--encoder", default=ModelConfig().encoder)
    parser.add_argument("--num-pairs", type=int, default=10000)
    parser.add_argument("--nonce-fraction", type=float, default=0.4)
    parser.add_argument("--num-epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--mixed-precision", default="no")
    arguments = parser.parse_args()

    graph = KnowledgeGraph.open(arguments.graph)
    plain = read_training_pairs(arguments.benchmarks)
    examples = make_examples(graph, plain, arguments)
    model = ModelConfig(evidence=arguments.evidence, encoder=arguments.encoder)
    reasoner = Reasoner.build(graph, ReasonerConfig(model=model), seed=arguments.seed)
    config = TrainConfig(
        num_epochs=arguments.num_epochs, batch_size=arguments.batch_size, seed=arguments.seed,
        mixed_precision=arguments.mixed_precision,
    )
    start = time.time()
    files = TrainFiles(examples=(*TRAIN_FILES, "examples synthesized from their sentences"))
    train(reasoner, examples, [], config, arguments.out, files=files)
    result = {
        "command": " ".join(["python", "scripts/reproduce_nli.py", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "seed": arguments.seed,
        "evidence": arguments.evidence,
        "num_examples": {"plain": len(plain), "synthesized": len(examples) - len(plain)},
        "training_minutes": round((time.time() - start) / 60, 1),
    }
    tests = {}
    for name in TEST_FILES:
        report = evaluate(reasoner, read_examples([str(arguments.benchmarks / name)]), batch_size=64)
        tests[name.split("/")[0]] = report.to_json()
        print(f"\n{name}\n{report.to_text()}")
    (arguments.out / "result.json").write_text(json.dumps({**result, "tests": tests}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
