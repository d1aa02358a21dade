"""How often the graph joins the words that a pair exchanges, and how much of what it finds is beside the point.

    python scripts/measure_coverage.py --graph KG PAIRS.jsonl [--json] [--misses 20]

Asked are pairs whose sentences differ in one run of words: what remains when the common first and last words are taken
away is the replaced span of either side; other pairs are counted as skipped. A pair is covered if a path leads from a
mention that overlaps the replaced span of the premise to one that overlaps that of the hypothesis. All other paths are
noise: they join words that do not replace each other. No model takes part; what the linker and the retriever do not
find, no model can use.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from kg_reason import EntityLinker, KnowledgeGraph, NLIExample, Retriever, read_examples
from kg_reason.kg.grounding import Grounder, Grounding
from kg_reason.kg.linker import Mention

WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")

Span = tuple[int, int]


@dataclass(frozen=True)
class Replaced:
    """The replaced span of either side, as characters from the first to after the last."""

    premise: Span
    hypothesis: Span


@dataclass(frozen=True)
class Item:
    """What was found for one example.

    Attributes:
        example: the pair.
        replaced: its replaced spans.
        grounding: mentions and paths.
        num_joining: paths between mentions that overlap the replaced spans.
        num_pairs: mention pairs with a path.
        num_noise_pairs: those among them that do not replace each other.
        first_joining: place of the first joining path in the ranking, from 0; -1 if there is none.
    """

    example: NLIExample
    replaced: Replaced
    grounding: Grounding
    num_joining: int
    num_pairs: int
    num_noise_pairs: int
    first_joining: int

    @property
    def num_paths(self) -> int:
        """Return the number of all paths."""
        return self.grounding.paths.num_paths


def find_replaced(premise: str, hypothesis: str) -> Replaced | None:
    """Return what is left of both texts without their common first and last words.

    None: one side has nothing left, so that no words replace each other.
    """
    places = [[match.span() for match in WORD.finditer(text)] for text in (premise, hypothesis)]
    words = [[text[start:end].lower() for start, end in spans]
             for text, spans in zip((premise, hypothesis), places, strict=True)]  # fmt: skip
    least = min(map(len, words))
    first = 0
    while first < least and words[0][first] == words[1][first]:
        first += 1
    last = 0
    while last < least - first and words[0][-1 - last] == words[1][-1 - last]:
        last += 1
    spans = []
    for side in places:
        left = side[first : len(side) - last]
        if not left:
            return None
        spans.append((left[0][0], left[-1][1]))
    return Replaced(spans[0], spans[1])


def overlapping(mentions: Sequence[Mention], span: Span) -> set[int]:
    """Return the numbers of the mentions that share a character with a span."""
    return {
        number for number, mention in enumerate(mentions) if mention.start < span[1] and span[0] < mention.end
    }


def measure(grounder: Grounder, example: NLIExample) -> Item | None:
    """Ground one example and tell its joining paths from the noise; None for a pair without one replaced span."""
    replaced = find_replaced(example.premise, example.hypothesis)
    if replaced is None:
        return None
    grounding = grounder.ground(example)
    num_premise = len(grounding.premise_mentions)
    left = overlapping(grounding.premise_mentions, replaced.premise)
    right = {num_premise + number for number in overlapping(grounding.hypothesis_mentions, replaced.hypothesis)}
    ends = list(zip(grounding.paths.start.tolist(), grounding.paths.end.tolist(), strict=True))
    joins = [start in left and end in right for start, end in ends]
    pairs = dict(zip(ends, joins, strict=True))
    return Item(
        example=example,
        replaced=replaced,
        grounding=grounding,
        num_joining=sum(joins),
        num_pairs=len(pairs),
        num_noise_pairs=list(pairs.values()).count(False),
        first_joining=joins.index(True) if True in joins else -1,
    )


def share(part: float, whole: float) -> float:
    """Return a share; 0 of nothing is 0."""
    return part / whole if whole else 0.0


def summarize(items: Sequence[Item]) -> dict[str, Any]:
    """Return the figures of some items as plain data."""
    num_paths = sum(item.num_paths for item in items)
    ranked = [item for item in items if item.num_joining]
    return {
        "num_items": len(items),
        "coverage": share(len(ranked), len(items)),
        "first": share(sum(item.first_joining == 0 for item in ranked), len(ranked)),
        "noise_paths": share(num_paths - sum(item.num_joining for item in items), num_paths),
        "noise_pairs": share(sum(item.num_noise_pairs for item in items), sum(item.num_pairs for item in items)),
        "mean_paths": mean(item.num_paths for item in items) if items else 0.0,
    }


def summarize_all(items: Iterable[Item | None]) -> dict[str, Any]:
    """Return the figures by category and of all items."""
    by_category: dict[str, list[Item]] = defaultdict(list)
    found = list(items)
    measured = [item for item in found if item is not None]
    for item in measured:
        by_category[item.example.category or "-"].append(item)
    return {
        "num_skipped": len(found) - len(measured),
        "by_category": {name: summarize(by_category[name]) for name in sorted(by_category)},
        "all": summarize(measured),
    }


def show(summary: dict[str, Any]) -> None:
    """Print one row per category and one of all items."""
    heads = ("items", "covered", "ranked first", "noise paths", "noise pairs", "paths")
    print(f"{'category':24}" + "".join(f"{head:>13}" for head in heads))
    for name, row in [*summary["by_category"].items(), ("all", summary["all"])]:
        shares = "".join(f"{row[key]:>13.1%}" for key in ("coverage", "first", "noise_paths", "noise_pairs"))
        print(f"{name:24}{row['num_items']:>13,}{shares}{row['mean_paths']:>13.1f}")
    if summary["num_skipped"]:
        print(f"{summary['num_skipped']:,} pairs do not differ in one run of words and were skipped")


def show_misses(items: Sequence[Item], graph: KnowledgeGraph) -> None:
    """Print the items without a joining path: the replaced words and what is linked in them."""
    for item in items:
        print(f"\n{item.example.category or '-'}: {item.example.premise} | {item.example.hypothesis}")
        sides = (
            (item.example.premise, item.replaced.premise, item.grounding.premise_mentions),
            (item.example.hypothesis, item.replaced.hypothesis, item.grounding.hypothesis_mentions),
        )
        for text, span, mentions in sides:
            linked = []
            for number in sorted(overlapping(mentions, span)):
                names = [graph.entity_id(candidate.entity) for candidate in mentions[number].candidates]
                linked.append(f"{mentions[number].text!r} = {', '.join(names) or 'not in the graph'}")
            print(f"    {text[span[0] : span[1]]!r}: {'; '.join(linked) or 'no mention'}")


def main() -> None:
    """Measure a file of pairs and print the figures."""
    parser = argparse.ArgumentParser(description="how often the graph joins the words that a pair exchanges")
    parser.add_argument("pairs", type=Path, help="file of examples, with categories where there are some")
    parser.add_argument("--graph", required=True, help="folder made by kg-reason build")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--misses", type=int, default=0, help="also print so many uncovered items of each category")
    options = parser.parse_args()

    graph = KnowledgeGraph.open(options.graph)
    grounder = Grounder(EntityLinker(graph), Retriever(graph))
    items = [measure(grounder, example) for example in read_examples(options.pairs)]
    summary = summarize_all(items)
    if options.json:
        print(json.dumps(summary, indent=2))
    else:
        show(summary)
    left = dict.fromkeys(summary["by_category"], options.misses)
    misses = []
    for item in items:
        category = (item.example.category or "-") if item is not None else ""
        if item is not None and not item.num_joining and left[category] > 0:
            left[category] -= 1
            misses.append(item)
    show_misses(misses, graph)


if __name__ == "__main__":
    main()
