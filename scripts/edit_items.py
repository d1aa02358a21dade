"""Items whose answer hangs on one triple, for measuring whether answers follow an edit of the graph.

Every item has two entities of its own that nothing but their invented labels is known of, a sentence about each, and
the edits that bring it from one state to the next: before, after the first edit, after the second. All items are
independent, so that all first edits are made in one batch, and then all second ones. The log that is written is that of
`kg-reason edit`.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from graph_copies import Edge, Name
from polarity_pairs import UP, Frame

from kg_reason.kg.edit_log import ADD, EDITS_FILE, REMOVE, checked_lines, read_log
from kg_reason.nli import Label, NLIExample
from kg_reason.synthesis.surface import fill

PREFIX = "test:"
WIDER, NARROWER, OPPOSITE = "wn:hypernym", "wn:hyponym", "wn:antonym"
KINDS = {  # kind -> share of the items, relation of the first edit, label after the first and after the last edit
    "add wider": (70, WIDER, Label.ENTAILMENT, Label.ENTAILMENT),
    "add narrower": (70, NARROWER, Label.NEUTRAL, Label.NEUTRAL),
    "add opposite": (60, OPPOSITE, Label.CONTRADICTION, Label.CONTRADICTION),
    "remove": (75, WIDER, Label.ENTAILMENT, Label.NEUTRAL),
    "remove built in": (75, WIDER, Label.ENTAILMENT, Label.NEUTRAL),
    "reverse": (75, WIDER, Label.ENTAILMENT, Label.NEUTRAL),
    "exchange": (75, WIDER, Label.ENTAILMENT, Label.CONTRADICTION),
}
STATES = ("before", "first", "last")


@dataclass(frozen=True)
class EditItem:
    """One item.

    Attributes:
        item_id: unique.
        kind: a key of KINDS.
        premise, hypothesis: the pair.
        first, last: the edits that lead to the first and to the last state, as (operation, head, relation, tail).
        label_before: what the pair is before the edit that is measured.
        label_after: and after it.
    """

    item_id: str
    kind: str
    premise: str
    hypothesis: str
    first: tuple[tuple[str, str, str, str], ...]
    last: tuple[tuple[str, str, str, str], ...]
    label_before: Label
    label_after: Label

    @property
    def is_addition(self) -> bool:
        """Whether the edit that is measured is the first one: nothing was known before it."""
        return not self.last

    def example(self) -> NLIExample:
        """Return the pair with its label after the edit."""
        return NLIExample(
            self.premise, self.hypothesis, self.label_after, category=self.kind, example_id=self.item_id
        )


@dataclass(frozen=True)
class EditItems:
    """Items, with the labels and the edges that the graph must hold before any edit."""

    items: list[EditItem]
    names: list[Name]
    edges: list[Edge]


def make_edit_items(frames: Sequence[Frame], num_items: int, draw_word: Callable[[], str], seed: int) -> EditItems:
    """Make items of all kinds by their shares.

    Args:
        frames: those with direction up and a gap for a noun are used.
        num_items: how many.
        draw_word: gives an invented word, never one twice.
        seed: of every choice.
    """
    rng = random.Random(f"edits {seed}")
    usable = [frame for frame in frames if frame.direction == UP and frame.pos == "n"]
    total = sum(share for share, *_ in KINDS.values())
    kinds = [kind for kind, (share, *_) in KINDS.items() for _ in range(round(num_items * share / total))]
    made = EditItems([], [], [])
    for number, kind in enumerate(kinds):
        frame = rng.choice(usable)
        words = (draw_word(), draw_word())
        ends = (f"{PREFIX}edit{number}a", f"{PREFIX}edit{number}b")
        made.names.extend(Name(end, word, "n") for end, word in zip(ends, words, strict=True))
        premise, hypothesis = (fill(frame.text, word).text for word in words)
        _, relation, label_first, label_last = KINDS[kind]
        first, last = _edits(kind, relation, ends)
        if kind == "remove built in":
            made.edges.extend([Edge(ends[0], WIDER, ends[1]), Edge(ends[1], NARROWER, ends[0])])
        before = label_first if last else Label.NEUTRAL
        made.items.append(
            EditItem(f"edit-{number}", kind, premise, hypothesis, first, last, before, label_last)
        )
    return made


def write_edit_items(path: Path, items: Iterable[EditItem]) -> None:
    """Write items as JSON lines."""
    path.write_text("".join(json.dumps(vars(item), ensure_ascii=False) + "\n" for item in items), encoding="utf-8")


def read_edit_items(path: Path) -> list[EditItem]:
    """Read what `write_edit_items` wrote."""
    items = []
    for line in path.read_text(encoding="utf-8").splitlines():
        plain = json.loads(line)
        for name in ("first", "last"):
            plain[name] = tuple(tuple(edit) for edit in plain[name])
        for name in ("label_before", "label_after"):
            plain[name] = Label(plain[name])
        items.append(EditItem(**plain))
    return items


def copy_with_edits(graph: Path, out: Path, edits: Sequence[tuple[str, str, str, str]]) -> None:
    """Copy a graph folder and append edits to the log of the copy in one batch.

    `kg-reason edit` opens the graph for every triple; the log that it leaves is the same.

    Args:
        graph: the graph folder.
        out: a new folder; one that is there is replaced.
        edits: (operation, head, relation, tail), all by id.
    """
    if out.exists():
        shutil.rmtree(out)
    shutil.copytree(graph, out)
    content = read_log(out).content
    names = ("op", "head", "relation", "tail", "time")
    lines = checked_lines(content, (dict(zip(names, (*edit, ""), strict=True)) for edit in edits))
    (out / EDITS_FILE).write_bytes(content + lines)


def edits_until(items: Iterable[EditItem], state: str) -> list[tuple[str, str, str, str]]:
    """Return the edits that lead to a state, of all items, in order."""
    items = list(items)
    first = [edit for item in items for edit in item.first]
    last = [edit for item in items for edit in item.last]
    return {"before": [], "first": first, "last": [*first, *last]}[state]


def _edits(
    kind: str, relation: str, ends: tuple[str, str]
) -> tuple[tuple[tuple[str, str, str, str], ...], tuple[tuple[str, str, str, str], ...]]:
    """Return the edits of an item to its first and to its last state; what is built in is stated both ways."""
    head, tail = ends
    stated = (ADD, head, relation, tail)
    undone = (REMOVE, head, relation, tail)
    if kind == "remove built in":
        return (), (undone, (REMOVE, tail, NARROWER, head))
    later = {"remove": (undone,), "reverse": (undone, (ADD, tail, relation, head)),
             "exchange": (undone, (ADD, head, OPPOSITE, tail))}  # fmt: skip
    return (stated,), later.get(kind, ())
