"""From triples files to a graph folder that is ready for its first query: read, build, write whole, compile.

Reading is `reading.py`, the arrays are `builder.py`, the folder is `storage.py`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from kg_reason.config import BuildConfig
from kg_reason.errors import BadLinesError, GraphError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.build_remarks import remark_on
from kg_reason.kg.builder import GraphBuilder
from kg_reason.kg.edit_log import read_edits
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.graph_facts import GraphStats
from kg_reason.kg.inputs import InputFile
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.reading import find_inputs, read_side_by_side
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.storage import (
    HEADER_FILE,
    build_lock,
    new_graph_folder,
    read_bad_lines,
    write_header,
)
from kg_reason.kg.triples import Source, Triple, TripleBlock
from kg_reason.terminal import PROGRESS_DELAY

logger = logging.getLogger(__name__)


def build_graph(
    paths: str | Path | Sequence[str | Path],
    out: str | Path,
    config: BuildConfig | None = None,
    *,
    show_progress: bool = False,
) -> GraphStats:
    """Build a graph folder from triples files, all or nothing.

    Every bad line is found in one pass. Afterwards the compiled parts of linking and path search are warm, so that the
    first query does not pay for them.

    Args:
        paths: files, folders, or `-` for standard input; N-Triples, N-Quads, Turtle, TriG, RDF/XML, JSON-LD, OBO,
            TSV, CSV, ConceptNet, ATOMIC, taxonomy paths, GraphML, node-link JSON or Neo4j's CSV, each also compressed.
        out: the graph folder; a graph that is there is replaced.
        config: how to read; None: the defaults.
        show_progress: show a bar on standard error, where that is a terminal, when it takes longer than two seconds.

    Returns:
        The counts of the graph.

    Raises:
        BadLinesError: lines could not be read and `skip_bad_lines` is off; nothing was written.
        InputSyntaxError: an input is missing or cannot be read as a whole; nothing was written.
        GraphError: `out` is something else than a graph, holds edits that would be lost, or is being changed.
    """
    out = Path(out)
    _check_target(out)
    with build_lock(out):  # from before the edits are looked for until the folder is replaced
        _check_edits(out)
        return _build_graph(paths, out, config or BuildConfig(), show_progress)


def _build_graph(
    paths: str | Path | Sequence[str | Path], out: Path, config: BuildConfig, show_progress: bool
) -> GraphStats:
    inputs = find_inputs([paths] if isinstance(paths, str | Path) else paths, config)
    bad_lines = BadLines()
    builder = GraphBuilder(config)
    for block in _counted(read_side_by_side(inputs, config, bad_lines, builder.prefixes), show_progress):
        builder.add(block, delimited=is_delimited(inputs[block.file]))
    if bad_lines.num and not config.skip_bad_lines:
        raise BadLinesError(bad_lines.first, bad_lines.num, _advice(bad_lines))
    if builder.num_light:
        logger.warning("edges left out because their weight is below %g: %d", config.min_weight, builder.num_light)
    if bad_lines.num_kept:
        logger.warning("statements kept whose IRIs are not valid (--lenient): %d", bad_lines.num_kept)
    if builder.num_foreign:
        logger.info("labels left out because of their language: %d", builder.num_foreign)
    with new_graph_folder(out) as arrays:
        with _stage("ordering edges and labels", show_progress):
            header = builder.finish([item.name for item in inputs], arrays).header
        with _stage("writing the graph", show_progress):
            write_header(header, arrays, bad_lines=bad_lines.report())
    del builder
    graph = KnowledgeGraph.open(out)
    graph.built.is_checked = True  # the sums are of what was written a moment ago
    with _stage("compiling linker and search (slow the first time)", show_progress):
        warm_up(graph)
    remark_on(graph, {item.name for item in inputs if is_delimited(item)}, config)
    return graph.stats()


def is_delimited(item: InputFile) -> bool:
    """Tell whether the cells of an input are plain texts, so that every tail of a label relation is a label."""
    return item.format in ("tsv", "csv")


def warm_up(graph: KnowledgeGraph) -> None:
    """Compile linking and path search for a graph, or read them from the compiler's cache."""
    EntityLinker(graph).link("A man plays a violin.")
    # Search is the same code for every graph, and reading a large one's shape first takes a second.
    edge = Triple("violin", "is a", "instrument", Source("", 0))
    Retriever(KnowledgeGraph.from_triples([edge])).warm_up()


def num_bad_lines(folder: Path) -> int:
    """Return how many lines were skipped when a graph was built.

    Raises:
        GraphError: the report of them is damaged.
    """
    return max(0, read_bad_lines(folder).count(b"\n") - 1)


def _check_target(out: Path) -> None:
    """Refuse before the work what could not be written after it."""
    if not (out / HEADER_FILE).is_file() and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise GraphError(f"{out}: found something other than a graph folder; it is left alone, choose another --out")
    above = next(folder for folder in out.absolute().parents if folder.exists())
    if not above.is_dir():
        raise GraphError(f"{out}: cannot be written: {above} is a file, expected a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise GraphError(f"{out}: cannot be written: no permission in {above}")


def _check_edits(out: Path) -> None:
    """Refuse to replace a graph that was edited."""
    num_edits = len(read_edits(out))
    if num_edits:
        raise GraphError(
            f"{out}: holds {num_edits} edit{'s' * (num_edits > 1)} that a new build would drop; build into another "
            f"folder, or remove {out} first"
        )


def _stage(name: str, show_progress: bool) -> tqdm[None]:
    """Tell on standard error what is being done for as long as it takes."""
    return tqdm(desc=name, bar_format="{desc} [{elapsed}]", disable=None if show_progress else True, leave=False)


def _counted(blocks: Iterator[TripleBlock], show_progress: bool) -> Iterator[TripleBlock]:
    """Pass blocks on and count their triples on a bar."""
    with tqdm(
        desc="reading", unit=" triples", unit_scale=True, disable=None if show_progress else True, delay=PROGRESS_DELAY,
        dynamic_ncols=True,
    ) as bar:  # fmt: skip
        for block in blocks:
            yield block
            bar.update(len(block))


def _advice(bad_lines: BadLines) -> str:
    """Return what follows from bad lines, and what helps."""
    told = "\n".join(bad_line.reason for bad_line in bad_lines.first)
    other = "; --encoding reads text that is not UTF-8" if "UTF-8" in told or "NUL" in told else ""
    other += "; --lenient keeps IRIs that are not valid" if "Invalid IRI code point" in told else ""
    return f"nothing written (--skip-bad-lines reads the rest{other})"
