"""What `--infer rdfs` costs: edges inferred, seconds and memory of a build with it beside one without, and of owlrl.

    python scripts/bench_closure.py FILE... [--owlrl FILE.nt] [--pairs N]

Each is measured in a process of its own, compiled code read from the cache. owlrl closes an N-Triples file in memory
without sources or labels, by its OWL 2 RL rules. With --pairs, random pairs of labels are searched for paths in both
graphs.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def measure_build(files: list[str], infer: str, out: Path) -> dict[str, object]:
    """Build a graph twice and return the facts of the second time."""
    from kg_reason import BuildConfig, build_graph

    for _ in range(2):
        started, used = time.perf_counter(), time.process_time()
        stats = build_graph(files, out, BuildConfig(infer=infer, max_inferred=100_000_000))
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return {
        "infer": infer, "stated": stats.num_triples, "inferred": stats.inferred_relations, "seconds": seconds,
        "cpu": cpu, "megabytes_on_disk": size / 1e6,
    }  # fmt: skip


def measure_owlrl(file: str) -> dict[str, object]:
    """Close a file with owlrl."""
    import owlrl
    import rdflib

    graph = rdflib.Graph().parse(file, format="nt")
    stated = len(graph)
    used = time.process_time()
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    return {"infer": "owlrl", "stated": stated, "all": len(graph), "cpu": time.process_time() - used}


def measure_paths(out: Path, num_pairs: int) -> dict[str, object]:
    """Search random pairs of labels and return the milliseconds of one."""
    from kg_reason import KnowledgeGraph, NLIExample
    from kg_reason.kg.grounding import Grounder
    from kg_reason.kg.linker import EntityLinker
    from kg_reason.kg.retriever import Retriever

    graph = KnowledgeGraph.open(out)
    grounder = Grounder(EntityLinker(graph), Retriever(graph))
    rng = random.Random(0)
    texts = [graph.alias_text(rng.randrange(graph.num_aliases)) for _ in range(2 * num_pairs)]
    pairs = [NLIExample(*pair) for pair in zip(texts[::2], texts[1::2], strict=True)]
    for example in pairs[:20]:
        grounder.ground(example)
    used, found, inferred = time.process_time(), 0, 0
    for example in pairs:
        paths = grounder.ground(example).paths
        found += paths.num_paths > 0
        inferred += any(edge in graph.inferences for edge in paths.edges[:, 0].tolist())
    milliseconds = (time.process_time() - used) / num_pairs * 1000
    return {"pairs": num_pairs, "with_paths": found, "with_inferred_paths": inferred, "milliseconds": milliseconds}


def main() -> None:
    """Measure each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--owlrl")
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--one", choices=("none", "rdfs", "owlrl"), help="measure this one, in this process")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for each")
    arguments = parser.parse_args()
    if arguments.one:
        with tempfile.TemporaryDirectory() as folder:
            if arguments.one == "owlrl":
                facts = measure_owlrl(arguments.owlrl)
            else:
                facts = measure_build(arguments.files, arguments.one, Path(folder) / "kg")
                if arguments.pairs:
                    facts |= measure_paths(Path(folder) / "kg", arguments.pairs)
        facts["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(json.dumps(facts))
        return
    for one in ("none", "rdfs", *(["owlrl"] if arguments.owlrl else [])):
        command = [sys.executable, __file__, *arguments.files, "--one", one, "--pairs", str(arguments.pairs)]
        command += ["--owlrl", arguments.owlrl] if arguments.owlrl else []
        try:
            subprocess.run(command, check=True, timeout=arguments.timeout)
        except subprocess.TimeoutExpired:
            print(json.dumps({"infer": one, "fault": f"not done after {arguments.timeout:g} s"}))


if __name__ == "__main__":
    main()
