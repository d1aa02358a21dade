"""Measure what a local extract of a SPARQL endpoint costs, and how far its answers are those of the whole graph.

    python scripts/bench_endpoint.py GRAPH PAIRS.jsonl [--num-pairs 100] [--hops 1 2 3 4] [--json]

The graph is written out as N-Triples. These are built again as a whole (N-Triples know no sense ranks and parts of
speech), and loaded into a store of oxigraph that answers SPARQL on loopback, from another process. For each number of
hops an extract is made from the sentences of the pairs, and built. Told are queries, bytes and seconds (of extract and
build), what is in the extract, and the share of pairs with equal mentions (places, entities and scores) and with equal
paths (entities, relations, directions, in their order).
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

import pyoxigraph

from kg_reason.config import EndpointConfig
from kg_reason.kg.building import build_graph
from kg_reason.kg.extract import extract
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounder
from kg_reason.kg.interchange import export_graph
from kg_reason.kg.linker import EntityLinker, Mention
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
        if not options.json:
            print(f"whole graph: {whole.num_entities:,} entities, {whole.num_edges:,} edges; {len(pairs)} pairs")
            print("hops  queries  MB read  seconds  entities     edges  capped  equal mentions  equal paths")
        rows = []
        for hops in options.hops:
            row = measure(f"http://127.0.0.1:{port}/sparql", pairs, expected, hops, folder)
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


def ground(graph: KnowledgeGraph, pairs: Sequence[Pair]) -> list[tuple[list[object], list[object]]]:
    """Return mentions and paths of each pair, by names that do not depend on the graph."""
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
            paths.append((ends, entities, relations, table.forward[row, :length].tolist()))
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
