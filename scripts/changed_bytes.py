"""Changed bytes in the files of a graph folder: what five commands say of it, each try in a child process.

The commands are those of the command line; its parser is made once, since that takes longer than the commands.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import select
import shutil
import signal
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from kg_reason import cli
from kg_reason.kg import storage
from kg_reason.kg.edit_log import EDITS_FILE
from kg_reason.kg.files import replace_file

COMMANDS = (
    ("stats",), ("show", "violin"), ("show", "instrument"), ("paths", "A man plays a violin.", "steel instrument"),
    ("edit", "--list"),
)  # fmt: skip
MAX_SECONDS = 30
make_parser = cache(cli.make_parser)
TORN = "was not written to its end"


class Answer(NamedTuple):
    """What a command printed, its exit status, and what it told on standard error."""

    output: str
    status: int
    told: str


def run_flips(graph: Path, num_flips: int, chance: random.Random, *, is_summed: bool) -> None:
    """Change one file of a copy of a graph, again and again, and print what came of it, by file and kind of change."""
    if not is_summed:
        storage.MAX_SUMMED_BYTES = 0
    folder = graph.with_name("changed")
    shutil.copytree(graph, folder)
    expected = ask(folder)
    counts: dict[str, Counter[str]] = {}
    arrays = sorted((graph / storage.ARRAY_FOLDER).iterdir())
    others = sorted(path for path in graph.iterdir() if path.is_file())
    child = Child(folder)
    for _ in range(num_flips):
        name = chance.choice(chance.choice((arrays, others))).relative_to(graph)
        kind, content = _change((graph / name).read_bytes(), chance)
        replace_file(folder / name, content)
        outcome = _outcome(expected, child.ask())
        is_at_line_end = kind == "cut off" and (not content or content.endswith((b"}", b"\n")))
        if outcome == "another answer" and name.name == EDITS_FILE and is_at_line_end:
            outcome = "an earlier state"
        if outcome in ("traceback", "another answer", "crash", "hang"):
            print(f"{outcome}: {kind} {name}", flush=True)
        counts.setdefault(f"{name.parts[0]} | {kind}", Counter())[outcome] += 1
        replace_file(folder / name, (graph / name).read_bytes())
    child.end()
    shutil.rmtree(folder)
    _print_table(counts)


def ask(folder: Path) -> list[Answer]:
    """Ask a graph all commands in this process."""
    return [_answer(folder, command) for command in COMMANDS]


class Child:
    """A process that asks a graph whenever it is told to; a fresh one takes its place when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._start()

    def ask(self) -> list[Answer] | str:
        """Return the answers, or how the process ended: crash, hang, or traceback."""
        os.write(self._asking, b".")
        if not select.select([self._answers], [], [], MAX_SECONDS)[0]:
            self.end()
            self._start()
            return "hang"
        line = self._answers.readline()
        if line:
            return [Answer(*answer) for answer in json.loads(line)]
        is_crash = os.WIFSIGNALED(os.waitpid(self._process, 0)[1])
        self._close()
        self._start()
        return "crash" if is_crash else "traceback"

    def end(self) -> None:
        """Stop the process."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        self._close()

    def _close(self) -> None:
        os.close(self._asking)
        self._answers.close()

    def _start(self) -> None:
        heard, self._asking = os.pipe()
        reading, writing = os.pipe()
        self._process = os.fork()
        if not self._process:
            os.close(self._asking)
            os.close(reading)
            try:
                while os.read(heard, 1):
                    with open(writing, "w", encoding="utf-8", errors="surrogatepass", closefd=False) as stream:
                        stream.write(json.dumps(ask(self._folder)) + "\n")
            finally:  # whatever comes out of a command, the child has nothing more to do
                os._exit(0)
        os.close(heard)
        os.close(writing)
        self._answers = os.fdopen(reading, encoding="utf-8", errors="surrogatepass")


def _answer(folder: Path, command: tuple[str, ...]) -> Answer:
    output, told = io.StringIO(), io.StringIO()
    parser = mock.patch.object(cli, "make_parser", make_parser)
    with parser, contextlib.redirect_stdout(output), contextlib.redirect_stderr(told):
        status = cli.main([command[0], str(folder), *command[1:]])
    return Answer(output.getvalue(), status, told.getvalue())


def _change(content: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Return a kind of change and the changed content."""
    kind = chance.choice(("bit", "byte", "byte", "cut off", "longer"))
    changed = bytearray(content)
    place = chance.randrange(len(content))
    if chance.random() < 0.5:  # most of a small array's file is its own header
        place = len(content) - 1 - place % min(len(content), 32)
    if kind == "bit":
        changed[place] ^= 1 << chance.randrange(8)
    elif kind == "byte":
        changed[place] ^= chance.randrange(1, 256)
    elif kind == "cut off":
        del changed[place:]
    else:
        changed += chance.randbytes(chance.randrange(1, 64))
    return kind, bytes(changed)


def _outcome(expected: list[Answer], found: list[Answer] | str) -> str:
    if isinstance(found, str):
        return found
    if any(answer.status and answer.told.count("\n") == 1 for answer in found):
        return "error"
    if all(one.output == other.output for one, other in zip(expected, found, strict=True)):
        return "equal answer"
    return "told as torn" if any(TORN in answer.told for answer in found) else "another answer"


def _print_table(counts: dict[str, Counter[str]]) -> None:
    outcomes = sorted({outcome for counter in counts.values() for outcome in counter})
    print(f"| file | change | tries | {' | '.join(outcomes)} |\n|---|---|{'--:|' * (len(outcomes) + 1)}")
    total: Counter[str] = Counter()
    for name, counter in sorted(counts.items()):
        cells = [counter.total(), *(counter[outcome] for outcome in outcomes)]
        print(f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} |")
        total += counter
    cells = [total.total(), *(total[outcome] for outcome in outcomes)]
    print(f"| all |  | {' | '.join(f'{cell:,}' for cell in cells)} |")
