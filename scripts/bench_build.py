"""Measure how fast triples become a finished graph, beside rdflib, oxigraph, networkx and a bare read by polars.

    python scripts/bench_build.py [--lines 1000000] [--rdflib-lines 100000] [--peer-lines 0] [--seed 0] [--json]
    python scripts/bench_build.py --shape hub --skip rdflib oxigraph networkx polars

The input is made first, the same facts as N-Triples and as TSV: IRIs like Wikidata's, entities met as often as a power
law says, 20 relations, 15 % of the lines labels and 3 % further names. Half of the entities have no label. Other shapes
are labels alone, one relation, a million relations, and a hub in which every edge ends.

Each contender runs in a process of its own, so its peak memory is its own. Counted is what follows the imports: the CPU
time of all threads, and the peak of resident memory: above that of the imports, and in all. What is mapped from files
counts as well, though the system may drop it. kg_reason's compiled loops are loaded
from their cache by a build of ten lines beforehand, which belongs to the imports. Its time ends when the graph lies
synced on the disk with labels, label index, both adjacencies and sources, and is ready for a query. The others end
with their own graph of bare terms. Then graphs of ten triples and of all of them are reopened, each five times in a
fresh process.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NUM_RELATIONS = 20
LABEL_SHARE, ALT_LABEL_SHARE = 0.15, 0.03
ENTITIES_PER_LINE = 0.3
NUM_WORDS = 20_000
NUM_OPENINGS = 5
LINES_AT_ONCE = 100_000
SHAPES = ("facts", "labels", "one-relation", "many-relations", "hub")
MANY_RELATIONS = 1_000_000
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ALT_LABEL = "http://www.w3.org/2004/02/skos/core#altLabel"
ENTITY = "http://www.example.org/entity/Q"
RELATION = "http://www.example.org/prop/direct/P"

CONTENDERS = {
    "kg_reason-nt": "kg_reason, N-Triples to finished graph",
    "kg_reason-tsv": "kg_reason, TSV to finished graph",
    "rdflib": "rdflib, Graph.parse of N-Triples",
    "oxigraph": "pyoxigraph, Store.bulk_load of N-Triples",
    "networkx": "networkx, MultiDiGraph.add_edge from TSV",
    "polars": "polars, read_csv of TSV (no graph)",
}


def write_input(folder: Path, num_lines: int, seed: int, shape: str = "facts") -> None:
    """Write facts.nt and facts.tsv: the same facts, the same in every run."""
    import numpy as np

    random = np.random.default_rng(seed)
    vowels, consonants = list("aeiou"), list("bcdfghklmnprstvw")
    syllables = [consonant + vowel for consonant in consonants for vowel in vowels]
    words = ["".join(random.choice(syllables, size=size)) for size in random.integers(2, 5, size=NUM_WORDS)]
    num_entities = max(int(num_lines * ENTITIES_PER_LINE), 10)
    numbers = random.permutation(12 * num_entities)[:num_entities] + 1
    num_labels = min(int(num_lines * (1 if shape == "labels" else LABEL_SHARE)), num_entities)
    num_alt = num_lines - num_labels if shape == "labels" else int(num_lines * ALT_LABEL_SHARE)
    num_edges = num_lines - num_labels - num_alt
    owners = [random.permutation(num_entities)[:num_labels], random.integers(num_entities, size=num_alt)]
    texts = label_texts(random, words, num_labels) + label_texts(random, words, num_alt)
    heads = (num_entities * random.random(num_edges) ** 2).astype(np.int64)
    tails = (num_entities * random.random(num_edges) ** 3).astype(np.int64)
    heads = numbers[np.concatenate([*owners, heads])]
    num_relations = {"one-relation": 1, "many-relations": MANY_RELATIONS}.get(shape, NUM_RELATIONS)
    relations = (num_relations * random.random(num_edges) ** 2).astype(np.int64)
    if shape == "hub":
        tails[:] = 0
    order = random.permutation(num_lines)
    with (folder / "facts.nt").open("w") as triples, (folder / "facts.tsv").open("w") as table:
        for first in range(0, num_lines, LINES_AT_ONCE):  # ten million rows of strings would not fit in memory
            rows = order[first : first + LINES_AT_ONCE]
            for row, head in zip(rows.tolist(), heads[rows].tolist(), strict=True):
                edge = row - len(texts)
                if edge < 0:
                    relation, tail = LABEL if row < num_labels else ALT_LABEL, texts[row]
                    shown = f'"{tail}"@en'
                else:
                    relation, tail = f"{RELATION}{relations[edge] + 1}", f"{ENTITY}{numbers[tails[edge]]}"
                    shown = f"<{tail}>"
                triples.write(f"<{ENTITY}{head}> <{relation}> {shown} .\n")
                table.write(f"{ENTITY}{head}\t{relation}\t{tail}\n")


def label_texts(random: Any, words: list[str], num_labels: int) -> list[str]:  # noqa: ANN401  numpy is imported late
    """Return labels of two or three words, of which some are usual; six in ten are capitalised."""
    import numpy as np

    sizes = random.integers(2, 4, size=num_labels).tolist()
    draws = (NUM_WORDS * random.random((num_labels, 3)) ** 2).astype(np.int64).tolist()
    capitals = (random.random(num_labels) < 0.6).tolist()
    return [
        " ".join(words[word].capitalize() if capital else words[word] for word in draw[:size])
        for size, draw, capital in zip(sizes, draws, capitals, strict=True)
    ]


def resident_bytes() -> int:
    """Return the memory that this process holds, or where the system does not tell, its peak so far."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return peak_bytes()


def peak_bytes() -> int:
    """Return the most memory that this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def prepare_kg_reason(source: Path, scratch: Path) -> Callable[[], object]:
    """Return kg_reason's build."""
    from kg_reason.kg.building import build_graph

    small = scratch / f"ten{source.suffix}"
    with source.open() as lines:
        small.write_text("".join(line for line, _ in zip(lines, range(10), strict=False)))
    build_graph(small, scratch / f"ten-{source.suffix[1:]}")
    return lambda: build_graph(source, scratch / f"graph-{source.suffix[1:]}")


def prepare_rdflib(source: Path, scratch: Path) -> Callable[[], object]:
    """Return rdflib's parse."""
    from rdflib import Graph

    Graph().parse(data=f"<{ENTITY}1> <{RELATION}1> <{ENTITY}2> .", format="nt")
    return lambda: Graph().parse(source, format="nt")


def prepare_oxigraph(source: Path, scratch: Path) -> Callable[[], object]:
    """Return oxigraph's bulk loader into a store on disk."""
    from pyoxigraph import RdfFormat, Store

    def load() -> object:
        store = Store(str(scratch / "store"))
        store.bulk_load(path=source, format=RdfFormat.N_TRIPLES)
        return store

    return load


def prepare_networkx(source: Path, scratch: Path) -> Callable[[], object]:
    """Return a plain loop that fills a graph of networkx."""
    import networkx

    def load() -> object:
        graph = networkx.MultiDiGraph()
        with source.open(encoding="utf-8") as lines:
            for line in lines:
                head, relation, tail = line.rstrip("\n").split("\t")
                graph.add_edge(head, tail, relation)
        return graph

    return load


def prepare_polars(source: Path, scratch: Path) -> Callable[[], object]:
    """Return a read of the table, the floor below which no reader gets."""
    import polars

    return lambda: polars.read_csv(source, separator="\t", has_header=False, quote_char=None)


def measure(contender: str, source: Path, scratch: Path) -> dict[str, float]:
    """Run one contender in this process."""
    prepare = {
        "rdflib": prepare_rdflib, "oxigraph": prepare_oxigraph, "networkx": prepare_networkx, "polars": prepare_polars,
    }.get(contender, prepare_kg_reason)  # fmt: skip
    run = prepare(source, scratch)
    before = resident_bytes()
    cpu, wall = time.process_time(), time.perf_counter()
    result = run()
    facts = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    del result
    return {**facts, "peak_mb": max(peak_bytes() - before, 0) / 1e6, "peak_in_all_mb": peak_bytes() / 1e6}


def measure_opening(graph: Path) -> dict[str, float]:
    """Open one graph in this process."""
    from kg_reason.kg.graph import KnowledgeGraph

    cpu, wall = time.process_time(), time.perf_counter()
    KnowledgeGraph.open(graph)
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}


def in_a_process(*arguments: str | Path) -> dict[str, float]:
    """Run this script again with hidden arguments and return what it measured."""
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    facts: dict[str, float] = json.loads(done.stdout or "{}")
    return facts


def cut_lines(source: Path, num_lines: int) -> Path:
    """Write the first lines of a file to another beside it."""
    part = source.with_name(f"first-{num_lines}{source.suffix}")
    with source.open() as lines, part.open("w") as out:
        out.writelines(line for line, _ in zip(lines, range(num_lines), strict=False))
    return part


def compare(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Make the input, run every contender, reopen the graphs."""
    tell(f"writing {arguments.lines:,} lines ({arguments.shape}) twice to {folder}")
    in_a_process(
        "--part", "input", "--folder", folder, "--lines", str(arguments.lines), "--seed", str(arguments.seed),
        "--shape", arguments.shape,
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for contender, title in CONTENDERS.items():
        if contender in arguments.skip or not (contender.startswith("kg_reason") or installed(contender)):
            continue
        num_lines = most_lines(contender, arguments)
        source = folder / ("facts.tsv" if contender in ("kg_reason-tsv", "networkx", "polars") else "facts.nt")
        if num_lines < arguments.lines:
            source = cut_lines(source, num_lines)
        tell(f"{title}: {num_lines:,} lines")
        facts = in_a_process("--part", contender, "--folder", folder, "--source", source)
        rows.append({"contender": contender, "title": title, "num_lines": num_lines, **facts})
        rows[-1]["triples_per_cpu_s"] = num_lines / facts["cpu_s"]
    base = next((row["triples_per_cpu_s"] for row in rows if row["contender"] == "rdflib"), None)
    for row in rows:
        row["ratio_to_rdflib"] = row["triples_per_cpu_s"] / base if base else None
    reopening = []
    for name, num_lines in (("ten-nt", 10), ("graph-nt", arguments.lines)):
        if (folder / name).is_dir():
            runs = [in_a_process("--part", "opening", "--folder", folder / name) for _ in range(NUM_OPENINGS)]
            medians = {unit: 1000 * statistics.median(run[f"{unit}_s"] for run in runs) for unit in ("cpu", "wall")}
            size = sum(path.stat().st_size for path in (folder / name).rglob("*") if path.is_file())
            reopening.append(
                {"num_lines": num_lines, "disk_mb": size / 1e6, "wall_ms": medians["wall"], "cpu_ms": medians["cpu"]}
            )
    machine = {"python": platform.python_version(), "machine": platform.machine(), "num_cores": os.cpu_count()}
    return {"lines": arguments.lines, "seed": arguments.seed, **machine, "builds": rows, "reopening": reopening}


def most_lines(contender: str, arguments: argparse.Namespace) -> int:
    """Return how many lines a contender gets."""
    if contender == "rdflib":
        return int(min(arguments.lines, arguments.rdflib_lines))
    is_peer = not contender.startswith("kg_reason")
    return int(min(arguments.lines, arguments.peer_lines or arguments.lines) if is_peer else arguments.lines)


def installed(contender: str) -> bool:
    """Say whether a contender can be imported."""
    module = contender.replace("oxigraph", "pyoxigraph")
    return importlib.util.find_spec(module) is not None


def show(result: dict[str, Any]) -> str:
    """Return the tables of a result."""
    units = f"{'CPU s':>7} {'wall s':>7} {'triples/s (CPU)':>15} {'peak MB':>8} {'in all':>7} {'x rdflib':>8}"
    lines = [f"{'':42} {'lines':>10} {units}"]
    for row in result["builds"]:
        ratio = f"{row['ratio_to_rdflib']:.1f}" if row["ratio_to_rdflib"] else "-"
        lines.append(
            f"{row['title']:42} {row['num_lines']:10,} {row['cpu_s']:7.2f} {row['wall_s']:7.2f} "
            f"{row['triples_per_cpu_s']:15,.0f} {row['peak_mb']:8,.0f} {row['peak_in_all_mb']:7,.0f} {ratio:>8}"
        )
    lines += ["", f"{'reopening, in a fresh process':42} {'lines':>10} {'wall ms':>7} {'CPU ms':>7} {'on disk MB':>15}"]
    for row in result["reopening"]:
        times = f"{row['wall_ms']:7.1f} {row['cpu_ms']:7.1f}"
        lines.append(f"{'KnowledgeGraph.open':42} {row['num_lines']:10,} {times} {row['disk_mb']:15,.1f}")
    return "\n".join(lines)


def tell(text: str) -> None:
    """Say on standard error what goes on."""
    print(text, file=sys.stderr, flush=True)


def parse_arguments() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--lines", type=int, default=1_000_000, help="how many facts")
    parser.add_argument("--rdflib-lines", type=int, default=100_000, help="how many of them rdflib gets; 0 for all")
    parser.add_argument("--peer-lines", type=int, default=0, help="how many of them the others get; 0 for all")
    parser.add_argument("--shape", choices=SHAPES, default="facts", help="what the lines are")
    parser.add_argument("--seed", type=int, default=0, help="seed of the facts")
    parser.add_argument("--skip", nargs="*", default=[], choices=list(CONTENDERS), help="contenders to leave out")
    parser.add_argument("--keep", type=Path, help="work in this folder and keep it; default: a temporary folder")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the tables")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.lines < 10:
        parser.error("--lines: expected at least 10")
    arguments.rdflib_lines = arguments.rdflib_lines or arguments.lines
    return arguments


def main() -> None:
    """Compare, or run the one part that `in_a_process` asks for."""
    arguments = parse_arguments()
    if arguments.part == "input":
        write_input(arguments.folder, arguments.lines, arguments.seed, arguments.shape)
    elif arguments.part == "opening":
        print(json.dumps(measure_opening(arguments.folder)))
    elif arguments.part:
        print(json.dumps(measure(arguments.part, arguments.source, arguments.folder)))
    else:
        with tempfile.TemporaryDirectory(prefix="kg_reason_bench_") as scratch:
            folder = arguments.keep or Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            result = compare(folder, arguments)
        print(json.dumps(result, indent=1) if arguments.json else show(result))


if __name__ == "__main__":
    main()
