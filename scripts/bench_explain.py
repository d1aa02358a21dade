"""What an explanation costs beside the bare prediction, one pair at a time.

    python scripts/bench_explain.py RUN GRAPH [--num-repeats 3]

For each pair the three are timed in turn, several times, after a round that is not counted; a pair's time is the median
of its repeats. The figures are medians over the pairs, in wall-clock time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

from kg_reason import KnowledgeGraph, Reasoner
from kg_reason.explanation.explain import explain

PAIRS = [
    ("A man plays a violin.", "A man plays an instrument."),
    ("The boy has a small dog.", "The boy has a large dog."),
    ("A woman buys three apples at the market.", "A woman buys four apples at the market."),
    ("The sky over the village is blue.", "The sky over the village is red."),
    ("A whale swims near the coast.", "A mammal swims near the coast."),
    ("Two girls are walking through the park.", "Two children are walking through the park."),
    ("The soup in the kitchen is hot.", "The soup in the kitchen is cold."),
    ("An old man repairs a bicycle.", "A young man repairs a bicycle."),
    ("The nurse reads a letter.", "The doctor reads a letter."),
    ("A sparrow sits on the roof.", "A bird sits on the roof."),
    ("A bird sits on the roof.", "A sparrow sits on the roof."),
    ("The children drink milk in the morning.", "The children drink water in the morning."),
    ("A carpenter builds a table out of oak.", "A carpenter builds furniture out of oak."),
    ("The train leaves early.", "The train leaves late."),
    ("She wore a green coat to the wedding.", "She wore a yellow coat to the wedding."),
    ("A farmer feeds the horses.", "A farmer feeds the animals."),
    ("The window is open.", "The window is closed."),
    ("A student from Italy won the race.", "A student from Spain won the race."),
    ("He cooks rice with garlic.", "He cooks rice with onions."),
    ("A crowd gathers in front of the church.", "A crowd gathers in front of the building."),
    ("The singer laughs on the stage.", "The singer cries on the stage."),
    ("A boat crosses the lake.", "A vehicle crosses the lake."),
    ("The teacher praises a pupil.", "The teacher criticizes a pupil."),
    ("Someone is painting the fence white.", "Someone is painting the fence black."),
    ("A poodle chases a ball.", "A dog chases a ball."),
    ("The team lost the game on Sunday.", "The team won the game on Sunday."),
    ("A tall building stands beside the river.", "A short building stands beside the river."),
    ("The mechanic drives a truck to town.", "The mechanic drives a car to town."),
    ("A guitarist performs in a bar.", "A musician performs in a bar."),
    ("The wet grass glitters in the sun.", "The dry grass glitters in the sun."),
]  # fmt: skip
EXPLAIN_BAR, COUNTERFACTUAL_BAR = 1.5, 5.0


def main() -> None:
    """Time the three and print a table."""
    parser = argparse.ArgumentParser(description="explanations beside bare predictions")
    parser.add_argument("run", help="run folder, made by kg-reason train")
    parser.add_argument("graph", help="folder made by kg-reason build")
    parser.add_argument("--num-repeats", type=int, default=3, help="times that each pair is timed")
    options = parser.parse_args()

    reasoner = Reasoner.load(options.run, KnowledgeGraph.open(options.graph))
    started = time.perf_counter()
    explain(reasoner, PAIRS[0], counterfactual=True)
    print(f"first full explanation, which copies the graph's arrays: {time.perf_counter() - started:.2f} s")
    bare: list[float] = []
    plain: list[float] = []
    full: list[float] = []
    num_removals, num_additions, num_changed = 0, 0, 0
    for pair in PAIRS:
        done = explain(reasoner, pair, counterfactual=True).counterfactual
        assert done is not None
        num_removals, num_additions = num_removals + done.num_removals, num_additions + done.num_additions
        num_changed += bool(done.removal or done.additions)
        times = [time_pair(reasoner, pair) for _ in range(options.num_repeats)]
        for found, column in zip((bare, plain, full), zip(*times, strict=True), strict=True):
            found.append(median(column))
    print(f"{len(PAIRS)} pairs; {num_removals} removals and {num_additions} additions tried in all")
    print(f"an edit that changes the answer was found for {num_changed}")
    print(f"{'bare prediction':24}{1e3 * median(bare):8.1f} ms")
    for name, times_of, bar in (("explain", plain, EXPLAIN_BAR), ("with counterfactual", full, COUNTERFACTUAL_BAR)):
        ratio = median(times_of) / median(bare)
        verdict = "holds" if ratio <= bar else "FAILS"
        print(f"{name:24}{1e3 * median(times_of):8.1f} ms  {ratio:5.2f} x  (bar {bar} x: {verdict})")


def time_pair(reasoner: Reasoner, pair: tuple[str, str]) -> tuple[float, float, float]:
    """Return the seconds of a bare prediction, an explanation, and one with its counterfactual."""
    return (
        seconds(lambda: reasoner.predict([pair])),
        seconds(lambda: explain(reasoner, pair)),
        seconds(lambda: explain(reasoner, pair, counterfactual=True)),
    )


def seconds(run: Callable[[], object]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
