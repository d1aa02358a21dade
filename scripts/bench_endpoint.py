"""Measure what a local extract of a SPARQL endpoint costs, and how far its answers are those of the whole graph.

    python scripts/bench_endpoint.py GRAPH PAIRS.jsonl [--num-pairs 100] [--hops 1 2 3 4] [--live] [--json]

The graph is written out as N-Triples. These are built again as a whole (N-Triples know no sense ranks and parts of
speech), and loaded into a store of oxigraph that answers SPARQL on loopback, from another process. For each number of
hops an extract is made from the sentences of the pairs, and built. Told are queries, bytes and seconds (of extract and
build), what is in the extract, and the share of pairs with equal mentions (places, entities and scores) and with equal
paths (entities, relations, directions, in their order).

With --live no extract is made: each pair is answered over the endpoint itself (`kg/remote_graph.py`), first by one that
knows only the relations of the endpoint, then by one that remembers the pairs before. Told are the shares of equal
answers (paths with all that is measured of them), and queries, bytes and milliseconds of a pair, beside the whole graph
in memory.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pyoxigraph

from kg_reason.config import EndpointConfig
from kg_reason.kg.building import build_graph
from kg_reason.kg.extract import extract
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounder
from kg_reason.kg.interchange import export_graph
from kg_reason.kg.linker import EntityLinker, Mention
from kg_reason.kg.remote_graph import RemoteGraph
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.sparql_client import SparqlClient
from kg_reason.nli import NLIExample

Pair = tuple[str, str]
Facts = dict[str, Any]


def main() -> None:
    """Make the extracts and print a table."""
    parser = argparse.ArgumentParser(description="local extracts of a SPARQL endpoint beside the whole graph")
    parser.add_argument("graph", help="folder made by kg-reason build")
    parser.add_argument("pairs", type=Path, help="JSONL file with premise and hypothesis")
    parser.add_argument("--num-pairs", type=int, default=100, help="pairs, spread over the file")
    parser.add_argument("--hops", type=int, nargs="+", default=[1, 2, 3, 4], help="extracts to make")
    parser.add_argument("--live", action="store_true", help="answer over the endpoint itself")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()

    pairs = read_pairs(options.pairs, options.num_pairs)
    with tempfile.TemporaryDirectory(prefix="kg_reason_") as name:
        folder = Path(name)
        triples = folder / "whole.nt"
        export_graph(KnowledgeGraph.open(options.graph), triples, "nt")
        build_graph(triples, folder / "whole")
        whole = KnowledgeGraph.open(folder / "whole")
        expected = ground(whole, pairs)
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        server = context.Process(target=serve, args=(triples, theirs), daemon=True)
        server.start()
        port = ours.recv()
        url = f"http://127.0.0.1:{port}/sparql"
        if options.live:
            facts = measure_live(url, pairs, whole)
            server.terminate()
            print(json.dumps(facts) if options.json else "\n".join(f"{name}: {value}" for name, value in facts.items()))
            return
        if not options.json:
            print(f"whole graph: {whole.num_entities:,} entities, {whole.num_edges:,} edges; {len(pairs)} pairs")
            print("hops  queries  MB read  seconds  entities     edges  capped  equal mentions  equal paths")
        rows = []
        for hops in options.hops:
            row = measure(url, pairs, expected, hops, folder)
            rows.append(row)
            if not options.json:
                show(row)
        server.terminate()
    if options.json:
        print(json.dumps({"num_pairs": len(pairs), "num_edges": whole.num_edges, "extracts": rows}))


def show(row: Facts) -> None:
    """Print a row of the table."""
    print(
        f"{row['hops']:4}  {row['num_queries']:7,}  {row['num_bytes'] / 1e6:7.1f}  {row['seconds']:7.1f}  "
        f"{row['num_entities']:8,}  {row['num_edges']:8,}  {row['num_capped']:6}  "
        f"{row['equal_mentions']:14.1%}  {row['equal_paths']:11.1%}",
        flush=True,
    )


def read_pairs(path: Path, num_pairs: int) -> list[Pair]:
    """Return pairs of premise and hypothesis at equal distances in a file."""
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    step = max(len(rows) // num_pairs, 1)
    return [(row["premise"], row["hypothesis"]) for row in rows[::step][:num_pairs]]


def ground(
    graph: KnowledgeGraph, pairs: Sequence[Pair], *, with_features: bool = False
) -> list[tuple[list[object], list[object]]]:
    """Return mentions and paths of each pair, and what is measured of these, by names that no graph changes."""
    grounder = Grounder(EntityLinker(graph), Retriever(graph))
    found = []
    for premise, hypothesis in pairs:
        grounding = grounder.ground(NLIExample(premise, hypothesis))
        mentions = [named(graph, item) for item in (*grounding.premise_mentions, *grounding.hypothesis_mentions)]
        table = grounding.paths
        paths: list[object] = []
        for row in range(table.num_paths):
            length = int(table.length[row])
            entities = [graph.entity_id(entity) for entity in table.entities[row, : length + 1].tolist()]
            relations = [graph.relation_id(relation) for relation in table.relations[row, :length].tolist()]
            ends = (int(table.start[row]), int(table.end[row]))
            features = table.features[row].tolist() if with_features else []
            paths.append((ends, entities, relations, table.forward[row, :length].tolist(), features))
        found.append((mentions, paths))
    return found


def named(graph: KnowledgeGraph, mention: Mention) -> object:
    """Return a mention with the keys of its candidates."""
    candidates = [(graph.entity_id(item.entity), round(item.score, 6)) for item in mention.candidates]
    return mention.start, mention.end, mention.key, candidates


def measure(
    url: str, pairs: Sequence[Pair], expected: Sequence[tuple[list[object], list[object]]], hops: int, folder: Path
) -> Facts:
    """Make one extract, build it and compare it."""
    config = EndpointConfig(
        hops=hops, literals=True, query_pause=0.0, max_queries=1_000_000, max_entities_per_label=100, max_rows=20_000
    )
    started = time.perf_counter()
    sentences = [sentence for pair in pairs for sentence in pair if sentence]
    report = extract(SparqlClient(url, config), sentences, folder / f"extract{hops}")
    build_graph(report.files, folder / f"graph{hops}")
    seconds = time.perf_counter() - started
    found = ground(KnowledgeGraph.open(folder / f"graph{hops}"), pairs)
    shares = [
        sum(one[part] == other[part] for one, other in zip(found, expected, strict=True)) / len(pairs)
        for part in (0, 1)
    ]
    return {
        **report.to_json(), "hops": hops, "seconds": seconds, "equal_mentions": shares[0], "equal_paths": shares[1],
    }  # fmt: skip


def measure_live(url: str, pairs: Sequence[Pair], whole: KnowledgeGraph) -> Facts:
    """Answer every pair over the endpoint, without and with memory of the pairs before."""
    client = SparqlClient(url, EndpointConfig(query_pause=0.0, max_queries=1_000_000))
    remote = RemoteGraph(client)
    grounder = Grounder(EntityLinker(whole), Retriever(whole))
    grounder.ground(NLIExample(*pairs[0]))
    local = []
    for pair in pairs:
        started = time.perf_counter()
        grounder.ground(NLIExample(*pair))
        local.append(1e3 * (time.perf_counter() - started))
    expected = ground(whole, pairs, with_features=True)
    started = time.perf_counter()
    remote.around([NLIExample(*pairs[0])])
    facts: Facts = {
        "pairs": len(pairs),
        "first pair": {"queries": client.usage.num_queries, "seconds": round(time.perf_counter() - started, 2)},
        "milliseconds in memory": spread(local),
    }
    for name in ("alone", "in a row"):
        remote.facts.forget()
        equal, queries, num_bytes, milliseconds = [0, 0], [], [], []
        for pair, wanted in zip(pairs, expected, strict=True):
            if name == "alone":
                remote.facts.forget()
            before, started = client.usage, time.perf_counter()
            part = remote.around([NLIExample(*pair)])
            (found,) = ground(part, [pair], with_features=True)
            milliseconds.append(1e3 * (time.perf_counter() - started))
            queries.append(client.usage.num_queries - before.num_queries)
            num_bytes.append(client.usage.num_bytes - before.num_bytes)
            equal = [count + (found[side] == wanted[side]) for side, count in enumerate(equal)]
        facts[name] = {
            "equal mentions": equal[0] / len(pairs), "equal paths": equal[1] / len(pairs),
            "queries": spread(queries), "kilobytes": spread([number / 1e3 for number in num_bytes]),
            "milliseconds": spread(milliseconds),
        }  # fmt: skip
    return facts


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile."""
    return {"p50": round(float(np.percentile(values, 50)), 1), "p99": round(float(np.percentile(values, 99)), 1)}


def serve(triples: Path, port: Connection) -> None:
    """Answer SPARQL queries over a file of N-Triples until the process is ended; its port is sent first."""
    store = pyoxigraph.Store()
    store.bulk_load(path=str(triples), format=pyoxigraph.RdfFormat.N_TRIPLES)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - http.server's own name
            query = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["query"][0]
            results = store.query(query)
            assert isinstance(results, pyoxigraph.QuerySolutions)
            body = results.serialize(format=pyoxigraph.QueryResultsFormat.JSON) or b""
            self.send_response(200)
            self.send_header("Content-Type", "application/sparql-results+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
