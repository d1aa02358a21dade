"""What must be true of a reader whatever file it is given: each check reads one and raises what it finds broken.

A check returns how it went: `read`, `noted` (some of it could not be read, and that was said), or `refused`.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError, KGReasonError
from kg_reason.examples import read_examples
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.building import build_graph
from kg_reason.kg.edit_log import EDITS_FILE, read_edits
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.inputs import InputFile, find_inputs, open_input
from kg_reason.kg.parser_process import ParserProcess
from kg_reason.kg.rdf import RDF_FORMATS, read_rdf
from kg_reason.kg.reading import read_blocks
from kg_reason.kg.triples import Triple, TripleBlock

READ, NOTED, REFUSED = OUTCOMES = ("read", "noted", "refused")
NUM_LOOKED_AT = 50  # edges and entities of a graph
LINE_FORMATS = ("nt", "nq", "tsv", "csv", "conceptnet", "phrases", "taxonomy")
SUFFIXES = {
    "jsonld": ".json", "rdfxml": ".xml", "conceptnet": ".tsv", "phrases": ".tsv", "taxonomy": ".txt",
    "graphml": ".xml", "node-link": ".json", "neo4j": ".csv", "examples-jsonl": ".jsonl", "examples-csv": ".csv",
    "examples-tsv": ".tsv",
}  # fmt: skip
_DELIMITERS = ("", "", "", ";", "|", " ")


class BrokenLawError(Exception):
    """Something that must not be; the message says what."""


def write_input(folder: Path, file_format: str, data: bytes, compression: str) -> Path:
    """Write a file with a suffix that fits its format."""
    path = folder / f"input{SUFFIXES.get(file_format, f'.{file_format}')}{compression}"
    path.write_bytes(data)
    return path


def draw_config(file_format: str, draw: random.Random) -> BuildConfig:
    """Return settings that reach the corners of a reader; one in five goes by the suffix and the first lines."""
    known = file_format if draw.random() < 0.8 else "auto"
    if draw.random() < 0.7:
        return BuildConfig(input_format=known)
    return BuildConfig(
        input_format=known,
        delimiter=draw.choice(_DELIMITERS),
        header=draw.choice(("auto", "auto", "yes", "no")),
        as_of=draw.choice(("", "2026-06-30")),
        languages=draw.choice(((), ("en", "de"))),
        min_weight=draw.choice((0.0, 0.5)),
        base_iri=draw.choice(("", "http://base.example/x")),
        lenient=draw.random() < 0.3,
        encoding=draw.choice(("utf-8", "utf-8", "utf-16", "gb18030", "cp1252")),
        merge_same=draw.random() < 0.3,
        fold_owl=draw.random() < 0.7,
        relation=draw.choice(("", "", "is a")),
    )


class Parsers:
    """Child processes that parse RDF; each serves all files with its settings, so that its start is paid once."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._children: dict[BuildConfig, ParserProcess] = {}

    def blocks(self, item: InputFile, config: BuildConfig, bad_lines: BadLines) -> Iterator[TripleBlock]:
        """Read one file as `read_blocks` does."""
        if item.format not in RDF_FORMATS:
            yield from read_blocks([item], config, bad_lines)
            return
        key = BuildConfig(base_iri=config.base_iri, lenient=config.lenient)
        if key not in self._children:
            self._children[key] = self._stack.enter_context(ParserProcess(key))
        with open_input(item, config) as stream:
            blocks = read_rdf(
                stream, item.name, 0, bad_lines, rdf_format=item.format, parser=self._children[key], prefixes={}
            )
            yield from (block for block in blocks if len(block))


def check_reader(path: Path, config: BuildConfig, data: bytes, parsers: Parsers) -> str:
    """Read a file to its end; `data` are its bytes where it is not compressed, else nothing."""
    bad_lines = BadLines()
    triples: list[Triple] = []
    num_lines = len(data.splitlines()) + 1  # XML counts a carriage return alone as a line end
    data = data if config.encoding == "utf-8" else b""
    try:
        item = find_inputs([path], config)[0]
        for block in parsers.blocks(item, config, bad_lines):
            if not len(block):
                raise BrokenLawError("a block without a triple")
            if bool((block.line[1:] < block.line[:-1]).any()):
                raise BrokenLawError("lines of a block that do not ascend")
            triples += block.triples(str(path))
    except KGReasonError:
        return REFUSED
    for triple in triples:
        if not all(triple[:3]):
            raise BrokenLawError("an empty key")
        if triple.weight < 0 or triple.rank < 0:
            raise BrokenLawError("a weight or a rank below 0")
        if triple.source.line < 1 or (data and item.format != "jsonld" and triple.source.line > num_lines):
            raise BrokenLawError("a triple from a line that is not there")
    if data and not config.as_of and not config.languages:
        _check_lines(item, data, {triple.source.line for triple in triples}, {bad.line for bad in bad_lines})
    return NOTED if len(bad_lines) else READ


def _check_lines(item: InputFile, data: bytes, read: set[int], noted: set[int]) -> None:
    """Every line of a line format is read, noted, blank, a comment or the header; none is both read and noted."""
    if item.format not in LINE_FORMATS or (item.format == "csv" and b'"' in data):
        return
    if item.format != "taxonomy" and read & noted:
        raise BrokenLawError("a line that was both read and noted")
    may_be_header = item.format in ("tsv", "csv", "phrases")
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        text = line.decode(errors="replace").strip()
        if not text or b"\r" in line.removesuffix(b"\r"):
            continue
        if number not in read and number not in noted and not (may_be_header or _says_nothing(item.format, text)):
            raise BrokenLawError("a line that was neither read nor noted")
        may_be_header = may_be_header and number in noted


def _says_nothing(file_format: str, text: str) -> bool:
    if file_format in ("nt", "nq"):
        return text.startswith(("#", "VERSION"))
    if file_format == "phrases":
        return text.lower().endswith("none")
    if file_format in ("tsv", "csv"):
        return not text.strip("\t,;| ") or text.strip('"').startswith(("sep=", "#"))
    return file_format == "taxonomy" and (text.startswith("#") or ">" not in text)


def check_build(path: Path, out: Path, config: BuildConfig) -> str:
    """Build a graph from a file into a folder `out` that is not there."""
    before = sorted(out.parent.iterdir())
    try:
        build_graph(path, out, config)
    except KGReasonError as error:
        if sorted(out.parent.iterdir()) != before:
            raise BrokenLawError("an error that left something behind") from error
        return NOTED if isinstance(error, BadLinesError) else REFUSED
    graph = KnowledgeGraph.open(out)
    for edge in range(min(graph.num_edges, NUM_LOOKED_AT)):
        if not all(source.line >= 1 for source in graph.edge_sources(edge)):
            raise BrokenLawError("an edge without a source")
        graph.relation_label(int(graph.edge_relation[edge]))
    for entity in range(min(graph.num_entities, NUM_LOOKED_AT)):
        if not graph.entity_id(entity) or graph.find_id(graph.entity_id(entity)) != entity:
            raise BrokenLawError("an entity that is not found by its id")
        graph.aliases(entity), graph.entity_label(entity)
    graph.stats()
    del graph
    shutil.rmtree(out)
    return READ


def check_edits(folder: Path, data: bytes, *, with_graph: bool) -> str:
    """Read a graph's log of edits that is `data`; if asked, open the graph with it."""
    (folder / EDITS_FILE).write_bytes(data)
    try:
        read_edits(folder)
        if with_graph:
            KnowledgeGraph.open(folder).stats()
    except KGReasonError:
        return REFUSED
    return READ


def check_examples(path: Path) -> str:
    """Read a file of examples."""
    try:
        read_examples(path)
    except BadLinesError:
        return NOTED
    except KGReasonError:
        return REFUSED
    return READ

