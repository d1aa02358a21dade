"""How deep the parts of a file lie inside each other, told before a native parser recurses into them.

Each syntax is a small automaton that knows strings, comments and escapes, so that only brackets that mean something
are counted; it takes a file in chunks cut anywhere. On a file that is not valid it may miscount: the parser then
refuses the file for what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled

Rules = Mapping[str, Mapping[str, str]]

JSON: Rules = {
    "text": {"": "text", '"': "string", "[{": "text +0", "]}": "text -0"},
    "string": {"": "string", '"': "text", "\\": "escape"},
    "escape": {"": "string"},
}


def _turtle() -> Rules:
    """Return the rules of Turtle and TriG, in which N-Triples is contained: counter 0 brackets, 1 triple terms."""
    text = {
        "": "text", "<": "angle", ">": "closing", "#": "comment", "\\": "escape", '"': '"1', "'": "'1",
        "([{": "text +0", ")]}": "text -0",
    }  # fmt: skip
    rules = {
        "text": text,
        "closing": {**text, ">": "text -1"},
        "angle": {"": "iri", "<": "text +1", ">": "text"},
        "iri": {"": "iri", ">": "text"},
        "comment": {"": "comment", "\n\r": "text"},
        "escape": {"": "text"},
    }
    for quote in ("'", '"'):
        short, long = f"{quote}short", f"{quote}long"
        rules |= {
            f"{quote}1": {"": short, quote: f"{quote}2", "\\": f"{short} escape"},
            f"{quote}2": {**text, quote: long},  # an empty string, or the start of a long one
            short: {"": short, quote: "text", "\\": f"{short} escape"},
            f"{short} escape": {"": short},
            long: {"": long, quote: f"{long}1", "\\": f"{long} escape"},
            f"{long}1": {"": long, quote: f"{long}2", "\\": f"{long} escape"},
            f"{long}2": {"": long, quote: "text", "\\": f"{long} escape"},
            f"{long} escape": {"": long},
        }
    return rules


class RefusedFileError(ValueError):
    """A file is not handed to its parser, or no further.

    Args:
        line: counted from 1; 0 for the file as a whole.
        reason: what was found and expected.
    """

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


class Automaton(NamedTuple):
    """An automaton over bytes with counters.

    Attributes:
        states: names, the first state first.
        moves: int16 [num_states, 256, 2], by state and byte: the next state, and what happens on the way there: 0
            nothing, n one up and -n one down on counter n - 1.
    """

    states: tuple[str, ...]
    moves: NDArray[np.int16]


def automaton(rules: Rules) -> Automaton:
    """Return the automaton of rules: state, characters, next state, and the counter that goes up or down on the way.

    The empty string stands for all other characters and comes first.
    """
    states = tuple(rules)
    moves = np.zeros((len(states), 256, 2), dtype=np.int16)
    for number, row in enumerate(rules.values()):
        for characters, move in row.items():
            name, sign, counter = move.partition(" +") if " +" in move else move.partition(" -")
            step = (int(counter) + 1) * (1 if sign == " +" else -1) if sign else 0
            moves[number, list(characters.encode()) or slice(None)] = states.index(name), step
    return Automaton(states, moves)


class Limit(NamedTuple):
    """How far a counter may go, and what it counts."""

    depth: int
    what: str


class Nesting:
    """Counts along a file what lies inside what.

    Args:
        machine: of the file's syntax.
        limits: of each counter.
        halt: the state at which `scan` stops; empty: none.
    """

    def __init__(self, machine: Automaton, limits: Sequence[Limit], *, halt: str = "") -> None:
        self.line = 1
        self._moves = machine.moves
        self._limits = tuple(limits)
        self._state = np.array([0, machine.states.index(halt) if halt else -1], dtype=np.int64)
        self._counters = np.array([[0, limit.depth] for limit in limits], dtype=np.int64)

    def check(self, chunk: bytes) -> None:
        """Count on over the next bytes.

        Raises:
            RefusedFileError: a counter went too far, naming the line.
        """
        self.scan(chunk, 0)

    def scan(self, chunk: bytes, start: int) -> int:
        """Count on from a place in a chunk; return where it ended: at the chunk's end or behind the state `halt`.

        Raises:
            RefusedFileError: a counter went too far, naming the line.
        """
        place = run(np.frombuffer(chunk, dtype=np.uint8), start, self._moves, self._state, self._counters)
        self.line += chunk.count(b"\n", start, place)
        for (depth, most), limit in zip(self._counters.tolist(), self._limits, strict=True):
            if depth > most:
                raise RefusedFileError(self.line, f"found more than {most:,} {limit.what}")
        return place

    @property
    def halted(self) -> bool:
        """Whether the last scan stopped at the state `halt`; the next one goes on from the first state."""
        return bool(self._state[0] == self._state[1])


def turtle_nesting(max_depth: int, max_term_depth: int) -> Nesting:
    """Return what counts brackets, and triple terms (`<<`, `<<(`), in Turtle, TriG or a line of N-Triples."""
    return Nesting(TURTLE_AUTOMATON, (
        Limit(max_depth, "brackets inside each other (--max-depth)"),
        Limit(max_term_depth, "triple terms inside each other (--max-term-depth)"),
    ))  # fmt: skip


def json_nesting(max_depth: int) -> Nesting:
    """Return what counts objects and arrays in JSON."""
    return Nesting(JSON_AUTOMATON, [Limit(max_depth, "objects and arrays inside each other (--max-json-depth)")])


@compiled
def run(
    buffer: NDArray[np.uint8],
    place: int,
    moves: NDArray[np.int16],
    state: NDArray[np.int64],
    counters: NDArray[np.int64],
) -> int:
    """Move an automaton over the bytes until it halts or a counter exceeds its limit; return behind which byte.

    Args:
        buffer: uint8 [num_bytes].
        place: of the first byte.
        moves: of the automaton.
        state: int64 [2], where it is, changed; and where it halts.
        counters: int64 [num_counters, 2], values, changed; and limits.
    """
    current, halt = state[0], state[1]
    if current == halt:
        current = 0
    while place < len(buffer) and current != halt:
        byte = buffer[place]
        step = moves[current, byte, 1]
        current = moves[current, byte, 0]
        place += 1
        if step > 0:
            counters[step - 1, 0] += 1
            if counters[step - 1, 0] > counters[step - 1, 1]:
                break
        elif step < 0 and counters[-step - 1, 0] > 0:
            counters[-step - 1, 0] -= 1
    state[0] = current
    return place


TURTLE_AUTOMATON = automaton(_turtle())
JSON_AUTOMATON = automaton(JSON)
