"""Heights in a picture of layers: an order with few crossings, then places that keep lines straight and things apart.

Layers stand side by side; an item is a box, a label or the passage of a line. The first and the last layer hold the
words, whose order and heights are given. Sugiyama, Tagawa and Toda (1981) with barycentres; the places are the least
squares ones for the order (pool adjacent violators).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

NUM_ORDERINGS = 24  # sweeps that reorder layers; the order with the fewest crossings is kept
NUM_CENTRINGS = 40  # sweeps that move items between their neighbours
NUM_STRAIGHTENINGS = 8  # sweeps that carry heights on from left to right


class Item(NamedTuple):
    """Something in a layer: its key, and how far it reaches above and below the height of its lines, in pixels."""

    key: int
    above: float
    below: float


class Link(NamedTuple):
    """A piece of a line between items of neighbouring layers; it meets each so far below the item's own height."""

    left: int
    right: int
    left_offset: float
    right_offset: float


def place_items(
    layers: Sequence[Sequence[Item]], links: Sequence[Link], fixed: Mapping[int, float], gap: float
) -> dict[int, float]:
    """Return the height of every item.

    Args:
        layers: from left to right; every key once.
        links: between items of neighbouring layers, or of one layer and its neighbour twice.
        fixed: the heights of the items of the first and the last layer.
        gap: least distance of two items of a layer.
    """
    near: dict[int, list[tuple[int, float]]] = {item.key: [] for layer in layers for item in layer}
    for link in links:
        near[link.left].append((link.right, link.right_offset - link.left_offset))
        near[link.right].append((link.left, link.left_offset - link.right_offset))
    ordered = _ordered(layers, links, near, fixed, gap)
    heights = dict(fixed)
    for layer in ordered[1:-1]:
        heights.update(_stacked(layer, gap))
    inner = ordered[1:-1]
    for sweep in range(NUM_CENTRINGS):
        for layer in inner if sweep % 2 == 0 else reversed(inner):
            wanted = [_mean([heights[k] + o for k, o in near[item.key]], heights[item.key]) for item in layer]
            heights.update(_apart(layer, wanted, gap))
    # Halfway between its neighbours a line climbs in many small steps; carried on from the left it bends once.
    layer_of = {item.key: number for number, layer in enumerate(ordered) for item in layer}
    for _ in range(NUM_STRAIGHTENINGS):
        for number, layer in enumerate(inner):
            wanted = []
            for item in layer:
                before = [heights[k] + o for k, o in near[item.key] if layer_of[k] == number]
                wanted.append(_mean(before or [heights[k] + o for k, o in near[item.key]], heights[item.key]))
            heights.update(_apart(layer, wanted, gap))
    return heights


def _ordered(
    layers: Sequence[Sequence[Item]],
    links: Sequence[Link],
    near: Mapping[int, Sequence[tuple[int, float]]],
    fixed: Mapping[int, float],
    gap: float,
) -> list[list[Item]]:
    current = [list(layer) for layer in layers]
    layer_of = {item.key: number for number, layer in enumerate(current) for item in layer}
    rank: dict[int, float] = dict(fixed)
    for layer in current[1:-1]:
        rank.update(_stacked(layer, gap))
    best, fewest = [list(layer) for layer in current], _num_crossings(links, rank, layer_of)
    for sweep in range(NUM_ORDERINGS):
        forward = sweep % 2 == 0
        numbers = range(1, len(current) - 1)
        for number in numbers if forward else reversed(numbers):
            side = number - 1 if forward else number + 1

            def wanted(item: Item, side: int = side) -> float:
                seen = [rank[k] + o for k, o in near[item.key] if layer_of[k] == side]
                return _mean(seen or [rank[k] + o for k, o in near[item.key]], rank[item.key])

            current[number].sort(key=wanted)
            centre = _mean([wanted(item) for item in current[number]], 0.0)
            rank.update({key: place + centre for key, place in _stacked(current[number], gap).items()})
        crossings = _num_crossings(links, rank, layer_of)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in current], crossings
    return best


def _num_crossings(links: Sequence[Link], rank: Mapping[int, float], layer_of: Mapping[int, int]) -> int:
    spots: dict[int, list[tuple[float, float]]] = {}
    for link in links:
        spots.setdefault(layer_of[link.left], []).append(
            (rank[link.left] + link.left_offset, rank[link.right] + link.right_offset)
        )
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0 for group in spots.values() for i, a in enumerate(group) for b in group[:i]
    )


def _stacked(layer: Sequence[Item], gap: float) -> dict[int, float]:
    """Return heights of items one below the other, around 0."""
    heights, top = {}, 0.0
    for item in layer:
        heights[item.key] = top + item.above
        top += item.above + item.below + gap
    middle = (top - gap) / 2
    return {key: height - middle for key, height in heights.items()}


def _apart(layer: Sequence[Item], wanted: Sequence[float], gap: float) -> dict[int, float]:
    """Return the heights next to the wanted ones at which the items keep their order and their distance."""
    shifts, shift = [], 0.0
    for number, item in enumerate(layer):
        if number:
            shift += layer[number - 1].below + gap + item.above
        shifts.append(shift)
    blocks: list[tuple[float, int]] = []  # mean, number of items
    for want, moved in zip(wanted, shifts, strict=True):
        mean, count = want - moved, 1
        while blocks and blocks[-1][0] > mean:
            other, others = blocks.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        blocks.append((mean, count))
    means = [mean for mean, count in blocks for _ in range(count)]
    return {item.key: mean + moved for item, mean, moved in zip(layer, means, shifts, strict=True)}


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
