"""The compiled search for paths between linked words: meet in the middle over the rows of the graph, bounded, ranked.

What is found, between a candidate `s` of a start mention and a candidate `t` of an end mention:

    plain paths    up to max_hops edges, no entity twice, none of them through a hub (an entity with more than
                   max_degree edges). An end reaches out 2 edges, or 1 if 2 would meet more than MAX_VISITS edges, or 0
                   if it has more than MAX_ROW; a path is found if the reaches of its two ends cover it.
    climbs         up taxonomic relations from either end to a common ancestor, CLIMB_HOPS edges in all, hubs included,
                   at most MAX_CLIMBS chains from each end.
    0-edge paths   both mentions name the same entity.

End candidates (the words that the premise lacks) are entered into one hash table with everything they reach; start
candidates are then walked and looked up in it. Rows of the graph are put in order when they are first met and then
remembered, which makes the next search some five times faster. All kernels live in this one file because numba's cache notices only
changes of a function's own file, which is why it is longer than others. `retriever.py` calls `find_paths`;
`tests/kg/test_search.py` holds it equal to its interpreted self and to a brute-force search.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

MAX_ROW = 1_000
MAX_VISITS = 4_000
CLIMB_HOPS = 4
MAX_CLIMBS = 192
MAX_ENDS = 16
MAX_PER_ENTITY = 1 + MAX_VISITS + MAX_CLIMBS  # entries of one end candidate
NUM_MARKS = 1 << 16

# Columns of what is remembered of an entity; starts count from 1, so that 0 means not met. A ball is the number of
# edges within 2 edges around it.
ROW_START, ROW_COUNT, BALL, CHAIN_START, CHAIN_COUNT, MET_WIDTH = 0, 1, 2, 3, 4, 6
ENDLESS = 1 << 30
# Columns of a step: the neighbour; the edge, or ~edge where the step goes against it; what it may be used for.
NEIGHBOUR, STEP_CODE, USE, STEP_WIDTH = 0, 1, 2, 3
LEAVE, ARRIVE, TO_HUB = 1, 2, 4

# Columns of an entry: what an end candidate reaches, with the way back.
NEXT, CANDIDATE, END_SLOT, DEPTH, CODE, NODE, ENTRY_WIDTH = 0, 1, 2, 3, 4, 8, 12
# Columns of a chain: its depth, edges and nodes from the entity upward, whether it may be walked downward.
CHAIN_EDGE, CHAIN_NODE, DOWNWARD, CHAIN_WIDTH = 1, 5, 10, 11
# Columns of a path; rows compare as they stand, so equal scores are settled by length, mentions and ids.
LENGTH, START, END, START_CANDIDATE, END_CANDIDATE, ENTITY, PATH_CODE, KIND, PLACE, TOTAL, WIDTH = (
    0, 1, 2, 3, 4, 5, 10, 14, 18, 19, 20,
)
# Columns of a slot: stamp, node, first entry of the plain paths, first entry of the climbs.
STAMP, SLOT_NODE, PLAIN, CLIMB = 0, 1, 2, 3
# Counters: current stamp, entries in use, steps and chains remembered, 1 if the memory was too small.
STAMPS, ENTRIES, STEPS, CHAINS, FULL = 0, 1, 2, 3, 4

LENGTH_FACTOR = (1.0, 0.8, 0.55, 0.38, 0.26)
PLACE_FACTOR = 0.75
HUB_WEIGHT = 0.6
HUB_DEGREE = 150.0


class Rows(NamedTuple):
    """The graph as the kernels read it; see `graph.KnowledgeGraph`. `climbs` marks taxonomic relations."""

    out_start: Int64
    out_end: Int64
    in_start: Int64
    in_end: Int64
    in_edge: Int32
    edge_head: Int32
    edge_relation: Int32
    edge_tail: Int32
    edge_weight: NDArray[np.float32]
    alias_pos: NDArray[np.uint8]
    walk: NDArray[np.uint8]
    climbs: NDArray[np.uint8]
    climb_relation: Int32


class Limits(NamedTuple):
    """The settings of one retriever, as numbers."""

    max_hops: int
    climb: int
    max_degree: int
    max_per_pair: int
    max_paths: int
    hypothesis_paths: int


class Query(NamedTuple):
    """The mentions of one example, premise first; arrays may be longer than what they hold.

    Candidates of mention m are rows first[m] to first[m + 1] of entity, score and alias; `fresh` marks hypothesis
    mentions whose key the premise lacks, `reach` is filled by the search.
    """

    first: Int32
    key: Int32
    fresh: NDArray[np.uint8]
    entity: Int32
    alias: Int32
    score: NDArray[np.float64]
    reach: Int32


class Memory(NamedTuple):
    """Rows and chains of the graph in the form the search reads; filled as entities are met."""

    met: Int32
    steps: Int32
    chains: Int32


class Scratch(NamedTuple):
    """Memory of one search; reused from call to call."""

    marks: NDArray[np.uint8]
    slots: Int32
    entries: Int32
    walked: Int32
    row: Int32
    ends: Int32
    allowed: NDArray[np.uint8]
    pair_rows: Int32
    pair_scores: NDArray[np.float64]
    pair_counts: Int64
    kept_rows: Int32
    kept_scores: NDArray[np.float64]
    counters: Int64


@compiled
def degree(rows: Rows, node: int) -> int:
    """Count the edges of an entity, both ways."""
    return int((rows.out_end[node] - rows.out_start[node]) + (rows.in_end[node] - rows.in_start[node]))


@compiled
def reach_of(met: Int32, node: int) -> int:
    """Tell how many edges the search may go out from an end that was met: 2, 1, or 0."""
    ball = met[node, BALL]
    if ball <= MAX_VISITS:
        return 2
    return 1 if ball < ENDLESS else 0


@compiled
def first_edge(rows: Rows, head: int, relation: int, tail: int) -> int:
    """Return the first out-edge of `head` that does not sort before (relation, tail)."""
    low = rows.out_start[head]
    high = rows.out_end[head]
    while low < high:
        middle = (low + high) // 2
        found = rows.edge_relation[middle]
        if found < relation or (found == relation and rows.edge_tail[middle] < tail):
            low = middle + 1
        else:
            high = middle
    return int(low)


@compiled
def has_edge(rows: Rows, head: int, relation: int, tail: int) -> bool:
    """Tell whether the graph holds this edge."""
    edge = first_edge(rows, head, relation, tail)
    return bool(edge < rows.out_end[head] and rows.edge_relation[edge] == relation and rows.edge_tail[edge] == tail)


@compiled
def _step_use(rows: Rows, edge: int, outward: bool) -> int:
    """Tell whether a search may leave over an edge of an entity's row, and whether it may arrive over it.

    Steps are read from start to end on both sides of the search, so both allow the same ones: a relation of walk 1 is
    only walked forward, one of walk 2 backward only where no edge leads forward.
    """
    relation = rows.edge_relation[edge]
    walk = rows.walk[relation]
    if walk == 0:
        return 0
    backward = walk == 3 or (walk == 2 and not has_edge(rows, rows.edge_tail[edge], relation, rows.edge_head[edge]))
    if outward:
        return LEAVE | ARRIVE if backward else LEAVE
    return LEAVE | ARRIVE if backward else ARRIVE


@compiled
def meet_entity(rows: Rows, limits: Limits, memory: Memory, counters: Int64, node: int) -> None:
    """Remember the row of an entity; one with too many edges gets an empty row and an endless ball."""
    met = memory.met
    if met[node, ROW_START] > 0:
        return
    start = counters[STEPS]
    count = 0
    ball = 0
    if degree(rows, node) > max(MAX_ROW, limits.max_degree):
        ball = ENDLESS
    elif start + degree(rows, node) > memory.steps.shape[0]:
        counters[FULL] = 1
        ball = ENDLESS
    else:
        num_out = rows.out_end[node] - rows.out_start[node]
        for place in range(degree(rows, node)):
            outward = place < num_out
            edge = rows.out_start[node] + place if outward else int(rows.in_edge[rows.in_start[node] + place - num_out])
            other = rows.edge_tail[edge] if outward else rows.edge_head[edge]
            use = _step_use(rows, edge, outward) if other != node else 0
            if use == 0:
                continue
            edges = degree(rows, other)
            if edges > limits.max_degree:
                use |= TO_HUB
            else:
                ball += edges
            step = memory.steps[start + count]
            step[NEIGHBOUR] = other
            step[STEP_CODE] = edge if outward else ~edge
            step[USE] = use
            count += 1
        ball = min(ball + count, ENDLESS - 1)
    met[node, ROW_START] = start + 1
    met[node, ROW_COUNT] = count
    met[node, BALL] = ball
    counters[STEPS] = start + count


@compiled
def _grow_chain(rows: Rows, chains: Int32, chain: int, edge: int, count: int) -> int:
    """Lengthen a chain by one upward edge, unless it would meet itself; return the number of chains."""
    depth = chains[chain, 0]
    node = chains[chain, CHAIN_NODE + depth]
    other = rows.edge_tail[edge]
    for i in range(depth + 1):
        if chains[chain, CHAIN_NODE + i] == other:
            return count
    chains[count] = chains[chain]
    chains[count, 0] = depth + 1
    chains[count, CHAIN_EDGE + depth] = edge
    chains[count, CHAIN_NODE + depth + 1] = other
    relation = rows.edge_relation[edge]
    if rows.walk[relation] == 2 and has_edge(rows, other, relation, node):
        chains[count, DOWNWARD] = 0
    return count + 1


@compiled
def meet_chains(rows: Rows, memory: Memory, counters: Int64, node: int) -> None:
    """Remember the chains of taxonomic edges upward from an entity, shortest first, MAX_CLIMBS at most."""
    met = memory.met
    if met[node, CHAIN_START] > 0:
        return
    first = counters[CHAINS]
    if first + MAX_CLIMBS > memory.chains.shape[0]:
        counters[FULL] = 1
        return
    chains = memory.chains[first : first + MAX_CLIMBS]
    chains[0, 0] = 0
    chains[0, CHAIN_NODE] = node
    chains[0, DOWNWARD] = 1
    count = 1
    chain = 0
    while chain < count and chains[chain, 0] < CLIMB_HOPS:
        top = chains[chain, CHAIN_NODE + chains[chain, 0]]
        start = rows.out_start[top]
        end = rows.out_end[top]
        if end - start <= 32:
            for edge in range(start, end):
                if rows.climbs[rows.edge_relation[edge]] and count < MAX_CLIMBS:
                    count = _grow_chain(rows, chains, chain, edge, count)
        else:
            for relation in rows.climb_relation:
                edge = first_edge(rows, top, relation, 0)
                while edge < end and rows.edge_relation[edge] == relation and count < MAX_CLIMBS:
                    count = _grow_chain(rows, chains, chain, edge, count)
                    edge += 1
        chain += 1
    met[node, CHAIN_START] = first + 1
    met[node, CHAIN_COUNT] = count
    counters[CHAINS] = first + count


@compiled
def find_slot(slots: Int32, stamp: int, node: int) -> int:
    """Return the slot that holds an entity, or the free one where it would go."""
    mask = slots.shape[0] - 1
    slot = int(int(node) * 1640531) & mask
    while slots[slot, STAMP] == stamp and slots[slot, SLOT_NODE] != node:
        slot = (slot + 1) & mask
    return slot


@compiled
def _link_entry(scratch: Scratch, entry: int, node: int, column: int) -> None:
    """Hang an entry under its entity in the hash table, and mark the entity for a quick first look."""
    slots = scratch.slots
    stamp = scratch.counters[STAMPS]
    slot = find_slot(slots, stamp, node)
    if slots[slot, STAMP] != stamp:
        slots[slot, STAMP] = stamp
        slots[slot, SLOT_NODE] = node
        slots[slot, PLAIN] = -1
        slots[slot, CLIMB] = -1
        scratch.marks[node & (NUM_MARKS - 1)] = 1 + stamp % 255
    scratch.entries[entry, NEXT] = slots[slot, column]
    slots[slot, column] = entry


@compiled
def enter_candidate(
    rows: Rows, limits: Limits, memory: Memory, query: Query, scratch: Scratch, candidate: int, end_slot: int
) -> None:
    """Enter an end candidate and all it reaches into the table."""
    entries = scratch.entries
    node = query.entity[candidate]
    meet_entity(rows, limits, memory, scratch.counters, node)
    reach = min(reach_of(memory.met, node), limits.max_hops)
    query.reach[candidate] = reach
    entry = scratch.counters[ENTRIES]
    last = entry + 1
    entries[entry, CANDIDATE] = candidate
    entries[entry, END_SLOT] = end_slot
    entries[entry, DEPTH] = 0
    while entry < last:  # breadth first: entries are their own queue
        depth = entries[entry, DEPTH]
        here = entries[entry, NODE + depth - 1] if depth > 0 else node
        _link_entry(scratch, entry, here, PLAIN)
        if depth < reach and (depth == 0 or degree(rows, here) <= limits.max_degree):
            meet_entity(rows, limits, memory, scratch.counters, here)
            first = memory.met[here, ROW_START] - 1
            for place in range(first, first + memory.met[here, ROW_COUNT]):
                step = memory.steps[place]
                if step[NEIGHBOUR] == node or step[USE] & ARRIVE == 0:
                    continue
                new = entries[last]
                new[CANDIDATE] = candidate
                new[END_SLOT] = end_slot
                new[DEPTH] = depth + 1
                new[CODE] = entries[entry, CODE]
                new[NODE] = entries[entry, NODE]
                new[CODE + depth] = ~step[STEP_CODE]
                new[NODE + depth] = step[NEIGHBOUR]
                last += 1
        entry += 1
    if limits.climb:
        meet_chains(rows, memory, scratch.counters, node)
        first = memory.met[node, CHAIN_START] - 1
        for number in range(first, first + memory.met[node, CHAIN_COUNT]):
            chain = memory.chains[number]
            if chain[DOWNWARD]:
                depth = chain[0]
                new = entries[last]
                new[CANDIDATE] = candidate
                new[END_SLOT] = end_slot
                new[DEPTH] = depth
                for i in range(depth):
                    new[CODE + i] = ~chain[CHAIN_EDGE + i]
                    new[NODE + i] = chain[CHAIN_NODE + i + 1]
                _link_entry(scratch, last, chain[CHAIN_NODE + depth], CLIMB)
                last += 1
    scratch.counters[ENTRIES] = last


@compiled
def _sorts_before(score: float, row: Int32, other_score: float, other: Int32) -> bool:
    """Tell whether a path ranks before another: by score, then by its numbers."""
    if score != other_score:
        return score > other_score
    for column in range(PLACE):
        if row[column] != other[column]:
            return bool(row[column] < other[column])
    return False


@compiled
def insert_path(table: Int32, scores: NDArray[np.float64], count: int, score: float, row: Int32) -> int:
    """Insert a path into a ranked table that keeps only as many as it has rows; return how many it holds."""
    size = scores.size
    if count == size and not _sorts_before(score, row, scores[size - 1], table[size - 1]):
        return count
    place = min(count, size - 1)
    while place > 0 and _sorts_before(score, row, scores[place - 1], table[place - 1]):
        scores[place] = scores[place - 1]
        table[place] = table[place - 1]
        place -= 1
    scores[place] = score
    table[place] = row
    return min(count + 1, size)


@compiled
def offer_path(scratch: Scratch, end_slot: int, score: float) -> None:
    """Rank the path in `scratch.row` among those of its pair: the best of each kind apart from the others."""
    row = scratch.row
    counts = scratch.pair_counts[end_slot]
    table = scratch.pair_rows[end_slot]
    scores = scratch.pair_scores[end_slot]
    counts[2] += 1
    size = scores.shape[1]
    # With as many kinds as places the second-best paths of a kind can never get in.
    if counts[0] == size and not _sorts_before(score, row, scores[0, size - 1], table[0, size - 1]):
        return
    for place in range(counts[0]):
        same = table[0, place, LENGTH] == row[LENGTH]
        for i in range(row[LENGTH]):
            same = same and table[0, place, KIND + i] == row[KIND + i]
        if same:
            if not _sorts_before(score, row, scores[0, place], table[0, place]):
                counts[1] = insert_path(table[1], scores[1], counts[1], score, row)
                return
            counts[1] = insert_path(table[1], scores[1], counts[1], scores[0, place], table[0, place])
            for after in range(place, counts[0] - 1):
                scores[0, after] = scores[0, after + 1]
                table[0, after] = table[0, after + 1]
            counts[0] -= 1
            break
    counts[0] = insert_path(table[0], scores[0], counts[0], score, row)


@compiled
def _write_path(query: Query, scratch: Scratch, entry: int, depth: int) -> bool:
    """Write walk and entry as one path into `scratch.row`; return whether it is simple."""
    found = scratch.entries[entry]
    walked = scratch.walked
    row = scratch.row
    back = found[DEPTH]
    length = depth + back
    end_entity = query.entity[found[CANDIDATE]]
    for i in range(depth):
        if back > 0 and walked[i] == end_entity:
            return False
        for j in range(back - 1):
            if walked[i] == found[NODE + j]:
                return False
    for i in range(ENTITY, PLACE):
        row[i] = -1
    for i in range(depth + 1):
        row[ENTITY + i] = walked[i]
    for i in range(depth):
        row[PATH_CODE + i] = walked[5 + i]
    for i in range(back):
        row[PATH_CODE + length - 1 - i] = found[CODE + i]
        if i < back - 1:
            row[ENTITY + length - 1 - i] = found[NODE + i]
    row[ENTITY + length] = end_entity
    row[LENGTH] = length
    row[END] = scratch.ends[found[END_SLOT]]
    row[START_CANDIDATE] = walked[9]
    row[END_CANDIDATE] = found[CANDIDATE]
    return True


@compiled
def join_entry(
    rows: Rows, limits: Limits, met: Int32, query: Query, scratch: Scratch, entry: int, depth: int, climbing: bool
) -> None:
    """Join the walk from the start with an entry at the entity where they meet, if together they are a valid path.

    `scratch.walked` holds the walk: entities in 0 to 4, codes in 5 to 8, the start candidate in 9.
    """
    if not _write_path(query, scratch, entry, depth):
        return
    row = scratch.row
    length = row[LENGTH]
    end = row[END_CANDIDATE]
    hubs = 0
    score = np.sqrt(query.score[row[START_CANDIDATE]] * query.score[end]) * LENGTH_FACTOR[length]
    for i in range(1, length):
        edges = degree(rows, row[ENTITY + i])
        if edges > limits.max_degree:
            hubs += 1
        score *= 1.0 - HUB_WEIGHT * (edges / (edges + HUB_DEGREE))
    if climbing:
        covered = length <= reach_of(met, row[ENTITY]) + query.reach[end]
        if hubs == 0 and length <= limits.max_hops and covered:
            return  # found as a plain path
    elif hubs > 0:
        return
    for i in range(length):
        code = row[PATH_CODE + i]
        row[KIND + i] = 2 * rows.edge_relation[code] if code >= 0 else 2 * rows.edge_relation[~code] + 1
    offer_path(scratch, scratch.entries[entry, END_SLOT], score)


@compiled
def _first_entry(scratch: Scratch, node: int, column: int) -> int:
    """Return the first entry at an entity, -1 where there is none."""
    stamp = scratch.counters[STAMPS]
    if scratch.marks[node & (NUM_MARKS - 1)] != 1 + stamp % 255:
        return -1
    slot = find_slot(scratch.slots, stamp, node)
    return int(scratch.slots[slot, column]) if scratch.slots[slot, STAMP] == stamp else -1


@compiled
def _join_plain(rows: Rows, limits: Limits, met: Int32, query: Query, scratch: Scratch, depth: int) -> None:
    """Join the walk with every entry of the plain paths at its last entity, each path at one place only."""
    entry = _first_entry(scratch, scratch.walked[depth], PLAIN)
    while entry >= 0:
        found = scratch.entries[entry]
        back = found[DEPTH]
        here = depth == 0 or back == query.reach[found[CANDIDATE]]
        if here and depth + back <= limits.max_hops and scratch.allowed[found[END_SLOT]]:
            join_entry(rows, limits, met, query, scratch, entry, depth, False)
        entry = found[NEXT]


@compiled
def _join_climbs(rows: Rows, limits: Limits, memory: Memory, query: Query, scratch: Scratch) -> None:
    """Join the climbs from the start candidate with those from the ends."""
    walked = scratch.walked
    node = walked[0]
    meet_chains(rows, memory, scratch.counters, node)
    first = memory.met[node, CHAIN_START] - 1
    for number in range(first, first + memory.met[node, CHAIN_COUNT]):
        chain = memory.chains[number]
        depth = chain[0]
        entry = _first_entry(scratch, chain[CHAIN_NODE + depth], CLIMB)
        if entry < 0:
            continue
        for i in range(depth):
            walked[5 + i] = chain[CHAIN_EDGE + i]
            walked[1 + i] = chain[CHAIN_NODE + 1 + i]
        while entry >= 0:
            found = scratch.entries[entry]
            if scratch.allowed[found[END_SLOT]] and 0 < depth + found[DEPTH] <= CLIMB_HOPS:
                join_entry(rows, limits, memory.met, query, scratch, entry, depth, True)
            entry = found[NEXT]


@compiled
def walk_candidate(
    rows: Rows, limits: Limits, memory: Memory, query: Query, scratch: Scratch, candidate: int, hops: int
) -> None:
    """Walk out from a start candidate, up to `hops` edges, and join what is met with the entries there."""
    met = memory.met
    steps = memory.steps
    walked = scratch.walked
    node = query.entity[candidate]
    meet_entity(rows, limits, memory, scratch.counters, node)
    walked[0] = node
    walked[9] = candidate
    _join_plain(rows, limits, met, query, scratch, 0)
    reach = min(reach_of(met, node), hops)
    start = met[node, ROW_START] - 1
    for near in range(start, start + met[node, ROW_COUNT] if reach > 0 else start):
        if steps[near, USE] & LEAVE == 0:
            continue
        other = steps[near, NEIGHBOUR]
        walked[1] = other
        walked[5] = steps[near, STEP_CODE]
        _join_plain(rows, limits, met, query, scratch, 1)
        if reach < 2 or steps[near, USE] & TO_HUB:
            continue
        meet_entity(rows, limits, memory, scratch.counters, other)
        first = met[other, ROW_START] - 1
        for far in range(first, first + met[other, ROW_COUNT]):
            if steps[far, USE] & LEAVE and steps[far, NEIGHBOUR] != node:
                walked[2] = steps[far, NEIGHBOUR]
                walked[6] = steps[far, STEP_CODE]
                _join_plain(rows, limits, met, query, scratch, 2)
    if limits.climb:
        _join_climbs(rows, limits, memory, query, scratch)


@compiled
def keep_paths(limits: Limits, scratch: Scratch, end_slot: int, kept: int) -> int:
    """Take the best paths of one pair over into those of the example; return how many the example has."""
    counts = scratch.pair_counts[end_slot]
    place = 0
    factor = 1.0
    for group in range(2):
        for i in range(counts[group]):
            if place == limits.max_per_pair:
                break
            row = scratch.pair_rows[end_slot, group, i]
            row[PLACE] = place
            row[TOTAL] = min(counts[2], 1 << 30)
            score = scratch.pair_scores[end_slot, group, i] * factor
            kept = insert_path(scratch.kept_rows, scratch.kept_scores, kept, score, row)
            place += 1
            factor *= PLACE_FACTOR
    return kept


@compiled
def find_paths(
    rows: Rows, limits: Limits, memory: Memory, query: Query, scratch: Scratch, num_premise: int, num_mentions: int
) -> int:
    """Find the paths of one example; they lie ranked in `scratch.kept_rows` and `kept_scores`.

    Returns:
        Their number; -1 if `memory` was too small for what was met, which is to be called again with a larger one.
    """
    kept = 0
    first_end = num_premise
    while first_end < num_mentions:
        num_ends = 0
        scratch.counters[STAMPS] += 1
        if scratch.counters[STAMPS] % 255 == 0:
            scratch.marks[:] = 0
        scratch.counters[ENTRIES] = 0
        min_reach = 2
        while first_end < num_mentions and num_ends < MAX_ENDS:
            start = query.first[first_end]
            end = query.first[first_end + 1]
            if query.fresh[first_end] and end > start:
                if num_ends and scratch.counters[ENTRIES] + (end - start) * MAX_PER_ENTITY > scratch.entries.shape[0]:
                    break
                for candidate in range(start, end):
                    enter_candidate(rows, limits, memory, query, scratch, candidate, num_ends)
                    min_reach = min(min_reach, query.reach[candidate])
                scratch.ends[num_ends] = first_end
                num_ends += 1
            first_end += 1
        if num_ends == 0:
            break
        for start in range(num_mentions if limits.hypothesis_paths else num_premise):
            if query.first[start] == query.first[start + 1]:
                continue
            some = False
            for slot in range(num_ends):
                end = scratch.ends[slot]
                allowed = start < num_premise or (
                    query.key[start] != query.key[end] and (not query.fresh[start] or start < end)
                )
                scratch.allowed[slot] = allowed
                scratch.pair_counts[slot] = 0
                some = some or allowed
            if not some:
                continue
            scratch.row[START] = start
            for candidate in range(query.first[start], query.first[start + 1]):
                walk_candidate(rows, limits, memory, query, scratch, candidate, limits.max_hops - min_reach)
            for slot in range(num_ends):
                if scratch.allowed[slot]:
                    kept = keep_paths(limits, scratch, slot, kept)
    return -1 if scratch.counters[FULL] else kept
