"""The one door to every input format: files in, blocks of triples out, bad lines collected on the way."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.conceptnet import read_conceptnet
from kg_reason.kg.curies import join_prefixes
from kg_reason.kg.delimited import read_delimited
from kg_reason.kg.graphml import read_graphml
from kg_reason.kg.inputs import InputFile, find_inputs, open_input
from kg_reason.kg.interleaving import interleaved
from kg_reason.kg.json_guard import LocalContexts
from kg_reason.kg.neo4j_csv import read_neo4j
from kg_reason.kg.node_link import read_node_link
from kg_reason.kg.ntriples import read_line_formats
from kg_reason.kg.obo import read_obo
from kg_reason.kg.parser_process import ParserProcess
from kg_reason.kg.phrases import read_phrases
from kg_reason.kg.rdf import read_rdf
from kg_reason.kg.taxonomy_paths import read_taxonomy
from kg_reason.kg.triples import Triple, TripleBlock
from kg_reason.kg.validity import Validity

logger = logging.getLogger(__name__)

__all__ = ["find_inputs", "read_blocks", "read_side_by_side", "read_triples"]

FOREIGN_READERS = {  # of other tools' exports
    "conceptnet": read_conceptnet, "phrases": read_phrases, "taxonomy": read_taxonomy, "graphml": read_graphml,
    "node-link": read_node_link, "neo4j": read_neo4j,
}  # fmt: skip


def read_blocks(
    inputs: Sequence[InputFile], config: BuildConfig, bad_lines: BadLines, prefixes: dict[str, str] | None = None
) -> Iterator[TripleBlock]:
    """Read every input, in order, into blocks of at least one triple; `block.file` is the position in `inputs`.

    Args:
        inputs: made by `find_inputs`.
        config: how files are read, and their limits.
        bad_lines: grows by every line that could not be read; whether that is fatal is the caller's decision.
        prefixes: grows by the prefixes that the files declare, with their namespaces; None where nobody asks.

    Raises:
        InputSyntaxError: a file cannot be read at all, or an archive is damaged.
        ConfigError: a delimiter or a base IRI that cannot be used.
        MissingExtraError: a .zst file without the package zstandard.
    """
    _check_settings(config)
    with ParserProcess(config) as parser:
        for file, item in enumerate(inputs):
            yield from _read_input(item, file, bad_lines, {} if prefixes is None else prefixes, parser)


def read_side_by_side(
    inputs: Sequence[InputFile], config: BuildConfig, bad_lines: BadLines, prefixes: dict[str, str]
) -> Iterator[TripleBlock]:
    """Read as `read_blocks` does, `config.num_readers` files at a time.

    The blocks of one file come in their order, those of different files in any. Bad lines are in the order of the
    inputs, and there once all is read. With one reader no thread is used.

    Args:
        inputs: see `read_blocks`, as are the others.
        config: see inputs.
        bad_lines: see inputs.
        prefixes: see inputs.

    Raises:
        InputSyntaxError: as `read_blocks`, as are the others.
        ConfigError: see there.
        MissingExtraError: see there.
    """
    num_readers = min(config.num_readers or os.cpu_count() or 1, max(len(inputs), 1))
    if config.num_readers == 1:
        yield from read_blocks(inputs, config, bad_lines, prefixes)
        return
    _check_settings(config)
    found = [BadLines() for _ in inputs]
    declared: list[dict[str, str]] = [{} for _ in inputs]
    with ExitStack() as stack:
        parsers: SimpleQueue[ParserProcess] = SimpleQueue()
        for _ in range(num_readers):
            parsers.put(stack.enter_context(ParserProcess(config)))
        readers = [
            partial(_read_by_one_of, parsers, item, file, found[file], declared[file])
            for file, item in enumerate(inputs)
        ]
        yield from interleaved(readers, num_readers)
    for of_file, names in zip(found, declared, strict=True):
        bad_lines.extend(of_file)
        join_prefixes(prefixes, names.items())


def _check_settings(config: BuildConfig) -> None:
    """Raise ConfigError for a day that is none or a context without a file, whatever the formats of the inputs."""
    Validity(config)
    LocalContexts(config.context, config.max_json_mb)


def _read_by_one_of(
    parsers: SimpleQueue[ParserProcess], item: InputFile, file: int, bad_lines: BadLines, prefixes: dict[str, str]
) -> Generator[TripleBlock, None, None]:
    parser = parsers.get()
    try:
        yield from _read_input(item, file, bad_lines, prefixes, parser)
    finally:
        parsers.put(parser)


def _read_input(
    item: InputFile, file: int, bad_lines: BadLines, prefixes: dict[str, str], parser: ParserProcess
) -> Generator[TripleBlock, None, None]:
    config = parser.config
    with open_input(item, config) as stream:
        if item.format in ("nt", "nq"):
            blocks = read_line_formats(
                stream, item.name, file, bad_lines, with_graph=item.format == "nq", config=config
            )
        elif item.format in ("tsv", "csv"):
            blocks = read_delimited(stream, item.name, file, bad_lines, config=config, quoted=item.format == "csv")
        elif item.format == "obo":
            blocks = read_obo(stream, item.name, file, bad_lines, prefixes)
        elif item.format in FOREIGN_READERS:
            blocks = FOREIGN_READERS[item.format](stream, item.name, file, bad_lines, config)
        else:
            blocks = read_rdf(
                stream, item.name, file, bad_lines, rdf_format=item.format, parser=parser, prefixes=prefixes
            )
        num_rows, num_bad = 0, bad_lines.num
        for block in blocks:
            if len(block):
                num_rows += len(block)
                yield block
        if not num_rows and bad_lines.num == num_bad:
            logger.warning("no triple was found in %s", item.name)


def read_triples(paths: Sequence[str | Path], config: BuildConfig | None = None) -> Iterator[Triple]:
    """Read files, folders or standard input (`-`) in any format, triple by triple, with file and line of each.

    Raises:
        InputSyntaxError: a file cannot be read at all, or an archive is damaged.
        BadLinesError: at the end of the pass, unless `config.skip_bad_lines`: the lines that could not be read.
        ConfigError: a delimiter or a base IRI that cannot be used.
        MissingExtraError: a .zst file without the package zstandard.
    """
    config = config or BuildConfig()
    inputs = find_inputs(paths, config)
    bad_lines = BadLines()
    for block in read_blocks(inputs, config, bad_lines):
        yield from block.triples(inputs[block.file].name)
    if bad_lines.num and not config.skip_bad_lines:
        raise BadLinesError(bad_lines.first, bad_lines.num)
