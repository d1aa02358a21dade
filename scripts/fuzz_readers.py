"""Give every reader spoiled files by the million, and tell which of them it does not survive.

    python scripts/fuzz_readers.py [--num-inputs 1000000] [--seconds 900] [--formats nt obo ...] [--seed 0]
        [--num-workers 2] [--build-share 0.01] [--findings FOLDER]

An input is a valid file (`fuzz_seeds.py`) with a few faults; seed, formats and its number make it, so it can be made
again. A reader may give triples, note bad lines, and raise a KGReasonError. A finding is anything else: another
exception, the death of its process, more than SECONDS_AN_INPUT or BYTES_AN_INPUT, and whatever breaks the laws of
`fuzz_checks.py`. A share of the inputs is built into a graph, too.

Workers are processes that may die; another one goes on after the input that killed it. Findings are told by format and
kind, each with the smallest input that shows it, which goes to a file of its own in the folder FOLDER.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import Any, NamedTuple

from fuzz_checks import (
    OUTCOMES,
    BrokenLawError,
    Parsers,
    check_build,
    check_edits,
    check_examples,
    check_reader,
    draw_config,
    write_input,
)
from fuzz_seeds import FORMATS, SEEDS, make_input

import kg_reason
from kg_reason.kg.building import build_graph
from kg_reason.kg.edit_log import EDITS_FILE
from kg_reason.kg.editing import edit_graph, undo_edit

SECONDS_AN_INPUT = 30.0
BYTES_AN_INPUT = 1 << 30  # by which the memory of a worker may grow
ADDRESS_SPACE = 16 << 30  # of a worker
HEARTBEAT = 0.5  # seconds
SHARES = {"ttl": 0.5, "trig": 0.5, "rdfxml": 0.5, "jsonld": 0.5}  # inputs beside the other formats' one: these are slow
HOUSE = str(Path(kg_reason.__file__).parent)


@dataclass(frozen=True)
class Plan:
    """What one run does; inputs are numbered from 0, and a worker takes every num_workers-th."""

    formats: tuple[str, ...]
    seeds: Mapping[str, tuple[bytes, ...]]
    graph: Path
    seed: int
    num_inputs: int
    num_workers: int
    build_share: float
    deadline: float


class Input(NamedTuple):
    """One spoiled file, the suffix of its compression or nothing, and what draws the rest."""

    file_format: str
    data: bytes
    compression: str
    draw: random.Random


class Found(NamedTuple):
    """One finding: the format, what happened, the number of the input and its bytes."""

    file_format: str
    kind: str
    number: int
    data: bytes


class Progress:
    """What a worker shares: the input under work and since when; inputs by format and outcome, seconds by format."""

    def __init__(self, num_formats: int) -> None:
        self.at = RawArray("d", 2)  # number, seconds of the monotonic clock or 0
        self.counts = RawArray("q", num_formats * len(OUTCOMES))
        self.seconds = RawArray("d", num_formats)


@dataclass
class Worker:
    """A process that may die, what it has found, and its progress."""

    process: Any
    found: Connection
    progress: Progress


def main() -> int:
    """Fuzz, print the tables, and return 1 if there was a finding."""
    parser = argparse.ArgumentParser(description="spoiled files for every reader")
    parser.add_argument("--num-inputs", type=int, default=100_000, help="inputs in all")
    parser.add_argument("--seconds", type=float, default=900.0, help="time after which no further input is made")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS, help="formats to spoil")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs")
    parser.add_argument("--num-workers", type=int, default=2, help="processes")
    parser.add_argument("--build-share", type=float, default=0.01, help="share of the inputs that are built, too")
    parser.add_argument("--findings", type=Path, help="folder for the inputs that were not survived")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kg_reason_") as name:
        plan = Plan(
            formats=tuple(options.formats), seeds=valid_files(Path(name)), graph=Path(name) / "kg", seed=options.seed,
            num_inputs=options.num_inputs, num_workers=options.num_workers, build_share=options.build_share,
            deadline=started + options.seconds,
        )  # fmt: skip
        findings, table = fuzz(plan)
    print(*table, sep="\n")
    print(f"{time.monotonic() - started:.0f} s, findings: {len(findings)}")
    for (file_format, kind), found in sorted(findings.items()):
        smallest = min(found, key=lambda item: len(item.data))
        print(f"{file_format}: {kind}: {len(found)} times, input {smallest.number}, {smallest.data[:60]!r}")
        if options.findings:
            options.findings.mkdir(parents=True, exist_ok=True)
            (options.findings / f"{file_format}-{smallest.number}").write_bytes(smallest.data)
    return 1 if findings else 0


def valid_files(folder: Path) -> dict[str, tuple[bytes, ...]]:
    """Return the valid files of every format; the log of edits is that of a graph made in the folder."""
    source, graph = folder / "input.tsv", folder / "kg"
    source.write_text(SEEDS["tsv"][0].partition("\n\n")[0] + "\n", encoding="utf-8")
    build_graph(source, graph)
    edit_graph(graph, "add", "bow", "is a", "stick")
    edit_graph(graph, "remove", "violin", "is a", "instrument")
    edit_graph(graph, "add", "bow", "label", "B\u00f6gen")
    undo_edit(graph)
    seeds = {file_format: tuple(text.encode() for text in texts) for file_format, texts in SEEDS.items()}
    return seeds | {"edits": ((graph / EDITS_FILE).read_bytes(),)}


def spoiled(plan: Plan, number: int) -> Input:
    """Return the input of a number, the same in every run of the plan."""
    draw = random.Random(f"{plan.seed} {number}")
    (file_format,) = draw.choices(plan.formats, [SHARES.get(name, 1.0) for name in plan.formats])
    return Input(file_format, *make_input(file_format, plan.seeds[file_format], draw), draw)


def fuzz(plan: Plan) -> tuple[dict[tuple[str, str], list[Found]], list[str]]:
    """Run the workers to their end; return the findings by format and kind, and a table of the inputs."""
    findings: dict[tuple[str, str], list[Found]] = {}
    progress = [Progress(len(plan.formats)) for _ in range(plan.num_workers)]
    workers = [start_worker(plan, slot, progress[slot]) for slot in range(plan.num_workers)]
    while workers:
        wait([part for worker in workers for part in (worker.found, worker.process.sentinel)], HEARTBEAT)
        for place, worker in enumerate(list(workers)):
            number, began = worker.progress.at
            is_late = began > 0 and time.monotonic() - began > SECONDS_AN_INPUT
            if is_late:
                worker.process.kill()
                worker.process.join()
            is_over = not worker.process.is_alive()
            found = received(worker.found)
            if is_over:
                worker.found.close()
            if is_over and worker.process.exitcode:
                number = int(worker.progress.at[0])
                kind = f"more than {SECONDS_AN_INPUT:g} s" if is_late else death(worker.process.exitcode)
                found.append(Found(*spoiled(plan, number)[:1], kind, number, spoiled(plan, number).data))
                workers[place] = start_worker(plan, number + plan.num_workers, worker.progress)
            for item in found:
                findings.setdefault((item.file_format, item.kind), []).append(item)
        workers = [worker for worker in workers if not worker.found.closed]
    return findings, counted(plan.formats, progress)


def start_worker(plan: Plan, first: int, progress: Progress) -> Worker:
    """Start a process that goes on at an input."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    progress.at[1] = 0.0
    process = multiprocessing.Process(target=work, args=(plan, first, progress, sender), daemon=True)
    process.start()
    sender.close()
    return Worker(process, receiver, progress)


def received(connection: Connection) -> list[Found]:
    """Return what a worker has sent so far."""
    found: list[Found] = []
    try:
        while connection.poll():
            found.append(connection.recv())
    except EOFError:  # it has ended
        pass
    return found


def death(exit_code: int) -> str:
    """Return how a process died."""
    return f"died by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"died with code {exit_code}"


def counted(formats: Iterable[str], progress: list[Progress]) -> list[str]:
    """Return a table of the inputs of every format by outcome, and how many a second a process reads."""
    table = [f"{'format':16}{'inputs':>10}" + "".join(f"{name:>10}" for name in OUTCOMES) + f"{'a second':>10}"]
    for place, file_format in enumerate(formats):
        counts = [sum(part.counts[place * len(OUTCOMES) + column] for part in progress) for column in range(3)]
        seconds = sum(part.seconds[place] for part in progress)
        rate = sum(counts) / seconds if seconds else 0.0
        cells = "".join(f"{count:>10,}" for count in (sum(counts), *counts))
        table.append(f"{file_format:16}{cells}{rate:>10,.0f}")
    return table


def work(plan: Plan, first: int, progress: Progress, sender: Connection) -> None:
    """Read every num_workers-th input from the first on, until the last or the deadline."""
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kg_reason_")))
        parsers = Parsers(stack)
        shutil.copytree(plan.graph, folder / "edited")
        (folder / "input").mkdir()
        for file_format in plan.formats:  # compiled loops are loaded
            for data in plan.seeds[file_format]:
                check(Input(file_format, data, "", random.Random(0)), folder, 1.0, parsers)
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(first, plan.num_inputs, plan.num_workers):
            if time.monotonic() > plan.deadline:
                break
            item = spoiled(plan, number)
            place = plan.formats.index(item.file_format)
            progress.at[0], progress.at[1] = number, time.monotonic()
            kind, outcome = check(item, folder, plan.build_share, parsers)
            progress.seconds[place] += time.monotonic() - progress.at[1]
            progress.at[1] = 0.0
            if outcome:
                progress.counts[place * len(OUTCOMES) + OUTCOMES.index(outcome)] += 1
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - largest) << 10
            if grown > BYTES_AN_INPUT:
                largest += grown >> 10
                kind = kind or "more than 1 GB of memory"
            if kind:
                sender.send(Found(item.file_format, kind, number, item.data))


def check(item: Input, folder: Path, build_share: float, parsers: Parsers) -> tuple[str, str]:
    """Give an input to its reader; return the kind of a finding or nothing, and the outcome where there is none."""
    try:
        if item.file_format == "edits":
            return "", check_edits(folder / "edited", item.data, with_graph=item.draw.random() < build_share)
        path = write_input(folder / "input", item.file_format, item.data, item.compression)
        try:
            if item.file_format.startswith("examples"):
                return "", check_examples(path)
            config = draw_config(item.file_format, item.draw)
            outcome = check_reader(path, config, b"" if item.compression else item.data, parsers)
            if item.draw.random() < build_share:
                check_build(path, path.parent / "graph", config)
            return "", outcome
        finally:
            path.unlink()
    except BrokenLawError as error:
        return str(error), ""
    except BaseException as error:  # noqa: BLE001  whatever it is, it is what is looked for
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(HOUSE)]
        place = f" in {Path(frames[-1].filename).stem}.{frames[-1].name}" if frames else ""
        return f"{type(error).__name__}{place}", ""


if __name__ == "__main__":
    sys.exit(main())
