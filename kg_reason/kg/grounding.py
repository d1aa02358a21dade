"""Grounding: what a graph has to say about a pair of sentences, for one pair or for many.

`ground_all` works in parallel processes and keeps what it found on disk (`shards.py`). The cache has a folder per
graph, settings and code of this wing; each example is known by the digest of its texts and names, so another order or
selection of examples finds them too, and an interrupted run continues where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from kg_reason.config import LinkerConfig, RetrieverConfig
from kg_reason.errors import GraphError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker, Mention
from kg_reason.kg.paths import PathTable
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.shards import DIGEST_BYTES, GroundedPair, read_digests, read_shard, write_shard
from kg_reason.nli import NLIExample
from kg_reason.terminal import PROGRESS_DELAY

PREMISE, HYPOTHESIS = "premise", "hypothesis"
NO_CACHE = "none"
CACHE_SUFFIX = ".groundings"  # of the folder beside a graph
SHARD_SIZE = 512  # examples
MIN_PER_WORKER = 4_096  # examples; a process takes as long to start as to ground some thousand


@dataclass(frozen=True)
class Grounding:
    """What the linker and the retriever found for one example.

    Attributes:
        premise_mentions: in the order of the text.
        hypothesis_mentions: in the order of the text.
        paths: between mentions, numbered through both sides, premise first.
    """

    premise_mentions: tuple[Mention, ...]
    hypothesis_mentions: tuple[Mention, ...]
    paths: PathTable

    @property
    def has_evidence(self) -> bool:
        """Tell whether any path was found."""
        return self.paths.num_paths > 0

    def without_paths(self) -> Grounding:
        """Return the same mentions with no path between them: what is left for an answer from text alone."""
        return replace(self, paths=PathTable.empty())

    def unknown(self, side: str) -> tuple[Mention, ...]:
        """Return the content words of `premise` or `hypothesis` that the graph does not know."""
        mentions = {PREMISE: self.premise_mentions, HYPOTHESIS: self.hypothesis_mentions}[side]
        return tuple(mention for mention in mentions if not mention.candidates)

    def mention(self, number: int) -> tuple[str, Mention]:
        """Return the side (`premise` or `hypothesis`) and the mention behind a mention number of the paths."""
        num_premise = len(self.premise_mentions)
        if number < num_premise:
            return PREMISE, self.premise_mentions[number]
        return HYPOTHESIS, self.hypothesis_mentions[number - num_premise]


class Grounder:
    """Links both sentences of an example and retrieves the paths between them.

    Args:
        linker: of the same graph as the retriever.
        retriever: one per thread, as its memory is reused; so is the grounder.
    """

    def __init__(self, linker: EntityLinker, retriever: Retriever) -> None:
        self.linker = linker
        self.retriever = retriever

    @property
    def graph(self) -> KnowledgeGraph:
        """The graph that is linked to."""
        return self.retriever.graph

    def ground(self, example: NLIExample) -> Grounding:
        """Return what the graph has to say about one example; an empty premise has no mentions.

        Raises:
            ConfigError: a text is longer than the linker's limit.
            UnknownEntityError: a name of the example stands for an entity that the graph does not hold.
        """
        premise, hypothesis = self.linker.link_pair(example.premise, example.hypothesis, example.names or None)
        return Grounding(premise, hypothesis, self.retriever.retrieve(premise, hypothesis))

    def ground_all(
        self,
        examples: Sequence[NLIExample],
        *,
        num_workers: int = 1,
        cache_dir: str = NO_CACHE,
        show_progress: bool = False,
    ) -> list[Grounding]:
        """Return the groundings of many examples, in their order; the result depends on nothing else.

        Args:
            examples: what to ground; equal ones are grounded once.
            num_workers: processes; 0 for one per core. Graphs in memory and small jobs take one. As everywhere with
                processes, the calling script needs its `if __name__ == "__main__":`.
            cache_dir: folder in which groundings are kept, see `cache_folder`.
            show_progress: draw a bar on stderr.

        Raises:
            ConfigError: a text is longer than the linker's limit.
            UnknownEntityError: a name of an example stands for an entity that the graph does not hold.
            GraphError: the graph on disk was changed while processes worked on it.
        """
        digests = [_digest(example) for example in examples]
        wanted = dict(zip(digests, examples, strict=True))
        folder = self.cache_folder(cache_dir)
        if folder is not None:
            return self._ground_into(folder, digests, wanted, num_workers, show_progress)
        if self._num_workers(num_workers, len(wanted)) > 1:
            with tempfile.TemporaryDirectory(prefix="kg_reason_") as name:
                return self._ground_into(Path(name), digests, wanted, num_workers, show_progress)
        with _progress_bar(len(wanted), show_progress) as bar:
            found = {digest: self.ground(example) for digest, example in _counted(wanted.items(), bar)}
        return [found[digest] for digest in digests]

    def cache_folder(self, cache_dir: str) -> Path | None:
        """Return the folder of this grounder's groundings, which is made when there are some to keep; None: nowhere.

        Args:
            cache_dir: the folder of all caches. Empty: beside the graph, `kg.groundings` for a graph `kg`, unless the
                graph is in memory or nothing can be written there. `none`: nowhere.
        """
        if cache_dir == NO_CACHE:
            return None
        if cache_dir:
            return Path(cache_dir) / self.cache_key()
        if self.graph.path is None:
            return None
        place = self.graph.path.resolve()
        caches = place.with_name(place.name + CACHE_SUFFIX)
        if not os.access(caches if caches.exists() else caches.parent, os.W_OK):
            return None
        return caches / self.cache_key()

    def cache_key(self) -> str:
        """Return the name of this grounder's cache folder: a digest of graph, settings and the code of this wing."""
        parts = [self.graph.fingerprint, self.linker.config.to_json(), self.retriever.config.to_json(), _code_digest()]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]

    def _num_workers(self, num_workers: int, num_examples: int) -> int:
        most = num_workers or os.cpu_count() or 1
        return 1 if self.graph.path is None else max(1, min(most, num_examples // MIN_PER_WORKER))

    def _ground_into(
        self, folder: Path, digests: list[bytes], wanted: Mapping[bytes, NLIExample], num_workers: int, show: bool
    ) -> list[Grounding]:
        places = read_digests(folder)
        missing = [(digest, example) for digest, example in wanted.items() if digest not in places]
        jobs = [missing[start : start + SHARD_SIZE] for start in range(0, len(missing), SHARD_SIZE)]
        with _progress_bar(len(missing), show) as bar:
            for path, shard_digests in self._run(jobs, folder, self._num_workers(num_workers, len(missing))):
                places.update((digest, path) for digest in shard_digests)
                bar.update(len(shard_digests))
        texts = {digest: (example.premise, example.hypothesis) for digest, example in wanted.items()}
        found: dict[bytes, Grounding] = {}
        for path in sorted({places[digest] for digest in wanted}):
            for digest, pair in read_shard(path, texts).items():
                found.setdefault(digest, Grounding(*pair))
        return [found[digest] for digest in digests]

    def _run(
        self, jobs: list[list[tuple[bytes, NLIExample]]], folder: Path, num_workers: int
    ) -> Iterator[tuple[Path, list[bytes]]]:
        if num_workers == 1 or self.graph.path is None:
            yield from (_ground_shard(self, job, folder) for job in jobs)
            return
        # Fresh processes: a fork of a process with threads may never wake.
        pool = ProcessPoolExecutor(num_workers, mp_context=get_context("spawn"))
        place = (str(self.graph.path), self.graph.fingerprint, self.linker.config, self.retriever.config)
        try:
            for done in as_completed([pool.submit(_ground_elsewhere, *place, job, folder) for job in jobs]):
                yield done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ground_shard(
    grounder: Grounder, job: Sequence[tuple[bytes, NLIExample]], folder: Path
) -> tuple[Path, list[bytes]]:
    digests = [digest for digest, _ in job]
    pairs = []
    for _, example in job:
        grounding = grounder.ground(example)
        pairs.append(GroundedPair(grounding.premise_mentions, grounding.hypothesis_mentions, grounding.paths))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(b''.join(digests)).hexdigest()[:24]}.npz"
    write_shard(path, digests, pairs)
    return path, digests


def _ground_elsewhere(
    graph_path: str,
    fingerprint: str,
    linker_config: LinkerConfig,
    retriever_config: RetrieverConfig,
    job: Sequence[tuple[bytes, NLIExample]],
    folder: Path,
) -> tuple[Path, list[bytes]]:
    return _ground_shard(_open_grounder(graph_path, fingerprint, linker_config, retriever_config), job, folder)


@lru_cache(maxsize=1)
def _open_grounder(
    graph_path: str, fingerprint: str, linker_config: LinkerConfig, retriever_config: RetrieverConfig
) -> Grounder:
    graph = KnowledgeGraph.open(graph_path)
    if graph.fingerprint != fingerprint:
        raise GraphError(f"{graph_path}: the graph was changed while it was in use; open it again")
    return Grounder(EntityLinker(graph, linker_config), Retriever(graph, retriever_config))


def _digest(example: NLIExample) -> bytes:
    content = json.dumps([example.premise, example.hypothesis, sorted(example.names.items())])
    return hashlib.blake2b(content.encode(), digest_size=DIGEST_BYTES).digest()


@lru_cache(maxsize=1)
def _code_digest() -> str:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _progress_bar(total: int, show: bool) -> tqdm[None]:
    return tqdm(total=total, desc="grounding", unit="pair", disable=not (show and total), delay=PROGRESS_DELAY)


def _counted(
    items: Iterable[tuple[bytes, NLIExample]], bar: tqdm[None]
) -> Iterator[tuple[bytes, NLIExample]]:
    for item in items:
        yield item
        bar.update()
