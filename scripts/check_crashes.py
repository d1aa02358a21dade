"""What is left of a graph when its writer is killed, its disk fails, or its bytes are changed.

    python scripts/check_crashes.py kills [--num-kills 200]
    python scripts/check_crashes.py faults
    python scripts/check_crashes.py flips [--num-flips 10000] [--unsummed]

Every try starts from a copy of the same small graph. Afterwards the folder must be as it was before the command or as
the command leaves it, judged by `doctor`, fingerprint and edits; anything else counts as damaged. Then the command runs
once more without a fault: it must succeed and leave nothing beside its target.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from changed_bytes import run_flips
from failing_calls import KILL, FailingCalls
from tqdm import tqdm

from kg_reason.config import BuildConfig
from kg_reason.errors import KGReasonError
from kg_reason.kg.building import build_graph
from kg_reason.kg.editing import edit_graph, undo_edit
from kg_reason.kg.files import whole_folder
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.interchange import export_graph
from kg_reason.kg.soundness import examine_graph

FAULTS = (
    ("EIO once", errno.EIO, False),
    ("ENOSPC from there on", errno.ENOSPC, True),
    ("EROFS from there on", errno.EROFS, True),
)
EDIT = ("add", "fiddle", "hypernym", "toy")


class Task(NamedTuple):
    """A command that writes: its name, what must be there before, what it does, and how its target looks."""

    name: str
    prepare: Callable[[Path], None]
    run: Callable[[Path], object]
    state: Callable[[Path], str]


def main() -> None:
    """Run one of the three checks and print its table."""
    parser = argparse.ArgumentParser(description="what is left of a graph after kills, faults and changed bytes")
    parser.add_argument("check", choices=("kills", "faults", "flips"))
    parser.add_argument("--num-kills", type=int, default=200, help="kills at random times, of builds and of edits")
    parser.add_argument("--num-flips", type=int, default=10_000, help="files changed")
    parser.add_argument("--unsummed", action="store_true", help="flips: as if the graph were too large to be summed")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311
    logging.getLogger("kg_reason").setLevel(logging.ERROR)  # torn records are expected here
    tqdm.set_lock(threading.RLock())  # its own is shared with the children, and one could be killed while it holds it
    with tempfile.TemporaryDirectory(prefix="kg_reason_") as name:
        place = Path(name).resolve()
        write_tables(place)
        if options.check == "faults":
            run_faults(place)
        elif options.check == "kills":
            run_kills_at_calls(place)
            run_random_kills(place, options.num_kills, chance)
        else:
            build(place / "one.tsv", place / "kg")
            if not options.unsummed:  # an edited graph is always summed when it is opened
                edit_graph(place / "kg", *EDIT)
                edit_graph(place / "kg", "remove", "drum", "hypernym", "instrument")
            run_flips(place / "kg", options.num_flips, chance, is_summed=not options.unsummed)


def write_tables(place: Path) -> None:
    """Write two triples files with a bad line each."""
    rows = [("violin", "hypernym", "instrument"), ("drum", "hypernym", "instrument"), ("violin", "label", "fiddle")]
    rows += [("violin", "part", "string"), ("string", "material", "steel"), ("drum", "antonym", "silence")]
    for name, more in (("one", ("man", "plays", "violin")), ("two", ("woman", "plays", "drum"))):
        lines = ["\t".join(row) for row in [("head", "relation", "tail"), *rows, more, ("too", "few")]]
        (place / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def build(table: Path, out: Path) -> None:
    """Build a graph and pass over its bad line."""
    build_graph(table, out, BuildConfig(skip_bad_lines=True, label_relations=("label",)))


def graph_state(folder: Path) -> str:
    """Return what a graph folder holds, or what is wrong with it."""
    if not folder.exists():
        return "absent"
    faults = [finding.problem for finding in examine_graph(folder) if not finding.is_advice]
    if faults:
        return f"damaged: {faults[0]}"
    graph = KnowledgeGraph.open(folder)
    edits = [(edit.op, edit.head, edit.relation, edit.tail) for edit in graph.overlay.edits]
    return f"{graph.fingerprint} {edits}"


def tasks(place: Path) -> tuple[Task, ...]:
    """Return the commands; each works in a folder of its own that holds `kg` and, for an export, `out.nt`."""
    graph = place / "graph"
    if not graph.exists():
        build(place / "one.tsv", graph)

    def copy(folder: Path) -> None:
        shutil.copytree(graph, folder / "kg")

    def copy_edited(folder: Path) -> None:
        copy(folder)
        edit_graph(folder / "kg", "add", "cello", "hypernym", "instrument")

    def copy_export(folder: Path) -> None:
        copy(folder)
        (folder / "out.nt").write_text("old\n")

    def save(folder: Path) -> None:
        with whole_folder(folder / "kg", "graph.json") as beside:
            shutil.copytree(place / "other", beside, dirs_exist_ok=True)

    if not (place / "other").exists():
        build(place / "two.tsv", place / "other")
    files = {"out.nt": lambda folder: _digest(folder / "out.nt")}
    return (
        Task("build", lambda folder: None, lambda folder: build(place / "one.tsv", folder / "kg"), _kg_state),
        Task("build over a graph", copy, lambda folder: build(place / "two.tsv", folder / "kg"), _kg_state),
        Task("first edit", copy, lambda folder: edit_graph(folder / "kg", *EDIT), _kg_state),
        Task("second edit", copy_edited, lambda folder: edit_graph(folder / "kg", *EDIT), _kg_state),
        Task("undo", copy_edited, lambda folder: undo_edit(folder / "kg"), _kg_state),
        Task(
            "export", copy_export,
            lambda folder: export_graph(KnowledgeGraph.open(folder / "kg"), folder / "out.nt", "nt"), files["out.nt"],
        ),
        Task("save a folder", copy, save, _kg_state),
    )  # fmt: skip


def _kg_state(folder: Path) -> str:
    return graph_state(folder / "kg")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


class Try:
    """One try of a task in a fresh folder: run it with a fault, judge what is left, run it again without."""

    def __init__(self, task: Task, place: Path) -> None:
        self.task = task
        self.folder = Path(tempfile.mkdtemp(dir=place))
        task.prepare(self.folder)
        self.before = task.state(self.folder)

    def outcome(self, after: str) -> str:
        """Return `before`, `after`, or what is wrong, and remove the folder."""
        found = self.task.state(self.folder)
        names = {self.before: "before", after: "after"}
        outcome = names.get(found, f"damaged ({found})")
        if found == self.before and self.task.name != "undo":
            self.task.run(self.folder)
            if self.task.state(self.folder) != after:
                outcome = "damaged (not mended by the next run)"
        elif self.task.name in ("build", "build over a graph", "save a folder", "export"):
            self.task.run(self.folder)
        left = [path.name for path in self.folder.iterdir() if path.name.startswith(".")]
        shutil.rmtree(self.folder)
        return f"left {left[0]}" if left else outcome


def state_after(task: Task, place: Path) -> str:
    """Return how the target of a task looks when nothing fails."""
    attempt = Try(task, place)
    task.run(attempt.folder)
    state = task.state(attempt.folder)
    shutil.rmtree(attempt.folder)
    return state


def run_faults(place: Path) -> None:
    """Let every writing call of every task fail once, in three ways."""
    print("| command | fault | calls | before | after | damaged or left over |\n|---|---|--:|--:|--:|--:|")
    for task in tasks(place):
        after = state_after(task, place)
        for name, error, lasts in FAULTS:
            counts: Counter[str] = Counter()
            number = 0
            while True:
                number += 1
                attempt = Try(task, place)
                calls = FailingCalls(attempt.folder, at=number, error=error, lasts=lasts)
                with calls, suppress(OSError, KGReasonError):
                    task.run(attempt.folder)
                if calls.number < number:
                    shutil.rmtree(attempt.folder)
                    break
                counts[attempt.outcome(after)] += 1
            _print_row(f"{task.name} | {name}", counts)


def run_kills_at_calls(place: Path) -> None:
    """Kill every task before every one of its writing calls, in the middle of a write."""
    print("| command | killed | kills | before | after | damaged or left over |\n|---|---|--:|--:|--:|--:|")
    for task in tasks(place):
        after = state_after(task, place)
        counts: Counter[str] = Counter()
        number = 0
        while True:
            number += 1
            attempt = Try(task, place)
            if not _is_killed(attempt, number):
                shutil.rmtree(attempt.folder)
                break
            counts[attempt.outcome(after)] += 1
        _print_row(f"{task.name} | at each writing call", counts)


def _is_killed(attempt: Try, number: int) -> bool:
    """Run a task in a child that is killed at a call; tell whether it was."""
    child = os.fork()
    if not child:
        try:
            with FailingCalls(attempt.folder, at=number, error=KILL):
                attempt.task.run(attempt.folder)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def run_random_kills(place: Path, num_kills: int, chance: random.Random) -> None:
    """Kill a child at random moments: while it builds one graph over another, and while it edits without a pause."""
    over = tasks(place)[1]
    after = state_after(over, place)
    started = time.perf_counter()
    state_after(over, place)
    duration = time.perf_counter() - started
    counts: Counter[str] = Counter()
    for _ in range(num_kills):
        attempt = Try(over, place)
        _kill_after(lambda attempt=attempt: over.run(attempt.folder), chance.uniform(0, duration))  # type: ignore[misc]
        counts[attempt.outcome(after)] += 1
    _print_row("build over a graph | at a random moment", counts)
    edits: Counter[str] = Counter()
    for _ in range(num_kills):
        attempt = Try(tasks(place)[2], place)
        said = attempt.folder / "said"
        said.touch()
        _kill_after(lambda attempt=attempt: _edit_on(attempt.folder), chance.uniform(0, 0.3))  # type: ignore[misc]
        edits[_edit_outcome(attempt.folder, said.stat().st_size)] += 1
        shutil.rmtree(attempt.folder)
    _print_row("edits one after the other | at a random moment", edits)


def _edit_on(folder: Path) -> None:
    """Add entities for ever, and write a byte for each that is in."""
    said = os.open(folder / "said", os.O_WRONLY)
    number = 0
    while True:
        edit_graph(folder / "kg", "add", f"thing {number}", "hypernym", "instrument")
        os.write(said, b".")
        number += 1


def _edit_outcome(folder: Path, num_said: int) -> str:
    """Judge a log: every edit that was acknowledged is there, at most one more is, and another edit can follow."""
    state = graph_state(folder / "kg")
    if state.startswith("damaged"):
        return state
    num_found = len(KnowledgeGraph.open(folder / "kg").overlay.edits)
    edit_graph(folder / "kg", *EDIT)
    if graph_state(folder / "kg").startswith("damaged") or (folder / "kg" / ".lock").exists():
        return "damaged (not mended by the next edit)"
    return {num_said: "before", num_said + 1: "after"}.get(num_found, f"damaged ({num_found} of {num_said} edits)")


def _kill_after(run: Callable[[], object], seconds: float) -> None:
    child = os.fork()
    if not child:
        try:
            run()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _print_row(name: str, counts: Counter[str]) -> None:
    wrong = {outcome: count for outcome, count in counts.items() if outcome not in ("before", "after")}
    cells: Sequence[int] = (counts.total(), counts["before"], counts["after"], sum(wrong.values()))
    print(f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} |", flush=True)
    for outcome, count in wrong.items():
        print(f"  {count} x {outcome}", file=sys.stderr)


if __name__ == "__main__":
    main()
