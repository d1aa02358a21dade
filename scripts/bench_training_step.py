"""What a training step of the fused model costs beside a step of the same encoder without the graph.

    python scripts/bench_training_step.py GRAPH PAIRS.jsonl [--num-batches 40] [--threads 2] [--out COST.json]

Both models take the same batches in turn, in one process; which goes first alternates. A step is what `kg-reason train`
does with a batch that is ready: forward, loss, backward, clipping, optimizer. Batches are made beforehand, as training
makes them in another thread while a step runs; what making them costs is shown beside. The ratio is the median over
batches of fused time over text-only time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from kg_reason import KnowledgeGraph, ModelConfig, NLIExample, Reasoner, ReasonerConfig, TrainConfig, read_examples
from kg_reason.kg.grounding import Grounding
from kg_reason.model.batch import Batch
from kg_reason.training.optimization import build_optimizer
from kg_reason.training.ordering import epoch_steps
from kg_reason.training.scoring import batch_loss

WARM_UP = 3  # batches
ARITHMETIC = ("fp32", "bf16")
KINDS = ("paths", "text")


class Times(NamedTuple):
    """Wall-clock seconds of each step, float [num_batches]."""

    fused: np.ndarray[Any, np.dtype[np.float64]]
    text: np.ndarray[Any, np.dtype[np.float64]]

    def to_json(self) -> dict[str, Any]:
        """Return the medians as plain data."""
        ratios = self.fused / self.text
        return {
            "num_batches": len(ratios),
            "fused_seconds": float(np.median(self.fused)),
            "text_seconds": float(np.median(self.text)),
            "ratio": float(np.median(ratios)),
            "quartiles": np.quantile(ratios, (0.25, 0.75)).tolist(),
        }


class Trainee:
    """A model in training, with its optimizer."""

    def __init__(self, reasoner: Reasoner, config: TrainConfig) -> None:
        self.reasoner = reasoner
        self._config = config
        self._optimizer = build_optimizer(reasoner.model, config)
        reasoner.model.train()

    def step(self, batch: Batch, *, bf16: bool) -> float:
        """Take one step and return its seconds."""
        started = time.perf_counter()
        self._optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            output = self.reasoner.model(batch)
        loss = batch_loss(output, batch, None, self._config) / len(batch.labels)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.reasoner.model.parameters(), self._config.max_grad_norm)
        self._optimizer.step()
        return time.perf_counter() - started


def measure(trainees: dict[str, Trainee], batches: Sequence[dict[str, Batch]], *, bf16: bool) -> Times:
    """Let both models take every batch in turn; the first few batches are not counted."""
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number, batch in enumerate(batches):
        for kind in KINDS if number % 2 else reversed(KINDS):
            seconds[kind].append(trainees[kind].step(batch[kind], bf16=bf16))
    return Times(*(np.array(seconds[kind][WARM_UP:]) for kind in KINDS))


def make_batches(
    reasoners: dict[str, Reasoner], examples: Sequence[NLIExample], groundings: Sequence[Grounding], num_batches: int
) -> tuple[list[dict[str, Batch]], dict[str, float]]:
    """Collate the same examples for both models; return the batches and the mean seconds of making one."""
    lengths = np.array([len(example.premise) + len(example.hypothesis) for example in examples], dtype=np.int64)
    steps = epoch_steps(lengths, TrainConfig().batch_size, seed=0, epoch=0)[:-1]
    batches, seconds = [], dict.fromkeys(KINDS, 0.0)
    for number in range(num_batches + WARM_UP):
        rows = steps[number % len(steps)][0].tolist()
        made = {}
        for kind, reasoner in reasoners.items():
            started = time.perf_counter()
            made[kind] = reasoner.collator([examples[row] for row in rows], [groundings[row] for row in rows])
            seconds[kind] += (time.perf_counter() - started) / (num_batches + WARM_UP)
        batches.append(made)
    return batches, seconds


def main() -> None:
    """Measure both kinds of arithmetic and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", help="folder made by kg-reason build")
    parser.add_argument("pairs", help="labelled pairs, JSONL")
    parser.add_argument("--num-batches", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--encoder", default=ModelConfig().encoder)
    parser.add_argument("--arithmetic", nargs="+", choices=ARITHMETIC, default=list(ARITHMETIC))
    parser.add_argument("--out", type=Path, help="JSON file for reproduce.py")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    graph = KnowledgeGraph.open(arguments.graph)
    config = ReasonerConfig(model=ModelConfig(encoder=arguments.encoder))
    reasoners = {
        kind: Reasoner.build(graph, replace(config, model=replace(config.model, evidence=kind)), seed=0)
        for kind in KINDS
    }
    needed = TrainConfig().batch_size * (arguments.num_batches + WARM_UP + 1)
    examples = read_examples([arguments.pairs])[:needed]
    groundings = reasoners["paths"].ground_all(examples, cache_dir="")
    batches, making = make_batches(reasoners, examples, groundings, arguments.num_batches)
    trainees = {kind: Trainee(reasoner, TrainConfig()) for kind, reasoner in reasoners.items()}
    cost: dict[str, Any] = {
        "threads": arguments.threads,
        "paths_per_pair": float(np.mean([grounding.paths.num_paths for grounding in groundings])),
        "making_seconds": making,
        "arithmetic": {},
    }
    for name in arguments.arithmetic:
        cost["arithmetic"][name] = measure(trainees, batches, bf16=name == "bf16").to_json()
    print(json.dumps(cost, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(cost, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
