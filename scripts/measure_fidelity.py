"""How far a run's explanations are true, for each way of ranking the paths of an answer.

    python scripts/measure_fidelity.py RUN --graph KG --examples PAIRS.jsonl --max-examples 400 --out fidelity.json

What each figure means is told in `kg_reason/explanation/fidelity.py`. A sample goes by a digest of the ids, so it does
not depend on the order of lines.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from measured_sets import sample

from kg_reason import KnowledgeGraph, Reasoner, read_examples
from kg_reason.errors import KGReasonError
from kg_reason.explanation.fidelity import TABLES, measure_fidelity


def main() -> None:
    """Measure one run on one file, print the tables and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="folder of a saved reasoner")
    parser.add_argument("--graph", required=True, help="folder of the graph that is asked")
    parser.add_argument("--examples", required=True, help="pairs; their labels are not used")
    parser.add_argument("--max-examples", type=int, default=0, help="pairs at most; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="seed of random rankings and intervals")
    parser.add_argument("--out", type=Path, required=True, help="JSON file that is written")
    options = parser.parse_args()
    try:
        reasoner = Reasoner.load(options.run, KnowledgeGraph.open(options.graph))
        examples = read_examples([options.examples], require_labels=False)
        examples = [replace(example, justification=None) for example in examples]
        examples = sample(examples, options.max_examples or len(examples))
        report = measure_fidelity(reasoner, examples, seed=options.seed, show_progress=True)
    except KGReasonError as error:
        raise SystemExit(f"measure_fidelity: {error}") from error
    print(report.to_text(TABLES))
    named = {"run": options.run, "graph": options.graph, "examples": options.examples, "seed": options.seed}
    text = json.dumps({**named, **report.to_json()}, indent=1, ensure_ascii=False)
    options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
