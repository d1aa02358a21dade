"""The compiled search for paths between linked words: meet in the middle over the rows of the graph, bounded, ranked.

What is found, between a candidate `s` of a start mention and a candidate `t` of an end mention:

    plain paths    up to max_hops edges, doubtful_hops with a doubtful one (`edge_walks.py`), no entity twice, no
                   way through a hub (an entity with more than max_degree edges) or a closed entity (a word of the RDF
                   vocabularies). An end reaches out 2 edges, or 1 if 2 would meet more than MAX_VISITS edges, or 0 if
                   it has more than MAX_ROW; a path is found if the reaches of its two ends cover it.
    climbs         up taxonomic relations from either end to a common ancestor, CLIMB_HOPS edges in all, none of them
                   doubtful, hubs included but no closed entities, at most MAX_CLIMBS chains from each end.
    long climbs    the same with up to place_climb edges, CLIMB_HOPS at most on each side: only between two words that
                   stand in each other's place, and only where no shorter path joins them.
    0-edge paths   both mentions name the same entity.

End candidates (the words that the premise lacks) are entered into one hash table with everything they reach; start
candidates are then walked, their visits to entities in the table are joined with what stands there, and the joined
paths are ranked. Words that stand in each other's place come first: a premise word and a hypothesis word do so if the
mentions before them are the same word, or there are none, and so after them. Rows of the graph are put in order when
they are first met and then remembered.

Two things shape the code. Each array handed to a compiled function costs some nanoseconds, so the inner loops call
next to nothing. And numba's cache notices only changes of a function's own file, so all kernels live in this one, which
is why it is longer than others. `retriever.py` calls `find_paths`; `tests/kg/test_search.py` holds it equal to its
interpreted self and to a search that tries everything.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.kg.compiled import compiled

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

MAX_ROW = 1_000
MAX_VISITS = 4_000
CLIMB_HOPS = 4
MAX_CLIMBS = 192
MAX_ENDS = 16
MAX_PER_ENTITY = 1 + MAX_VISITS + MAX_CLIMBS  # entries of one end candidate
LAST_MARK = (1 << 16) - 1
ENDLESS = 1 << 30

# What is remembered of an entity. Starts count from 1: 0 means not met. A ball counts the edges within 2 edges.
ROW_START, ROW_COUNT, BALL, CHAIN_START, CHAIN_COUNT, MET_WIDTH = 0, 1, 2, 3, 4, 6
# A step of a row, read outward: the neighbour; its degree; the edge, or ~edge where the step goes against it;
# 2 * relation, + 1 where it goes against it; whether a search may leave or arrive over it.
NEIGHBOUR, STEP_DEGREE, STEP_CODE, STEP_KIND, USE, STEP_WIDTH = 0, 1, 2, 3, 4, 5
LEAVE, ARRIVE, DOUBTFUL = 1, 2, 4
TWIN_MISSING = 4  # how a relation is walked, see `relation_walk.py`
# A chain upward from an entity: its length; whether it may be walked downward; edges, relations, entities, degrees.
CHAIN_DEPTH, DOWNWARD, CHAIN_EDGE, CHAIN_RELATION, CHAIN_NODE, CHAIN_DEGREE, CHAIN_WIDTH = 0, 1, 2, 6, 10, 15, 20
# A candidate of the query; how many edges the search may go out from it; where the table has its mention, if an end.
CANDIDATE_ENTITY, CANDIDATE_ALIAS, REACH, END_SLOT, CANDIDATE_WIDTH = 0, 1, 2, 3, 4
# An entry: the next at its entity; the end candidate; edges from there; the entry before; the step or chain; entity;
# how many of the edges are doubtful.
NEXT, OWNER, DEPTH, BEFORE, VIA, NODE, DOUBTS, ENTRY_WIDTH = 0, 1, 2, 3, 4, 5, 6, 7
# A slot of the hash table: stamp, entity, first entry of the plain paths, first entry of the climbs.
STAMP, SLOT_NODE, PLAIN, CLIMB = 0, 1, 2, 3
# A visit: the entity; the start candidate; edges from there; the steps taken, or the chain climbed and -1; its doubts.
VISIT_NODE, VISIT_CANDIDATE, VISIT_DEPTH, NEAR, FAR, VISIT_DOUBTS, VISIT_WIDTH = 0, 1, 2, 3, 4, 5, 6
# A path. Rows compare as they stand up to PLACE, so equal scores are settled by length, mentions and ids.
LENGTH, START, END, START_CANDIDATE, END_CANDIDATE, ENTITY, CODE, KIND, PLACE, TOTAL, DEGREE, WIDTH = (
    0, 1, 2, 3, 4, 5, 13, 20, 27, 28, 29, 37,
)
MAX_STEPS = CODE - ENTITY - 1
# Marks of hypothesis mentions that paths may end in.
FRESH, MOVED = 1, 2
# Counters: current stamp, entries in use, steps and chains remembered, 1 if the memory was too small.
STAMPS, ENTRIES, STEPS, CHAINS, FULL, NUM_COUNTERS = 0, 1, 2, 3, 4, 5

LENGTH_FACTOR = (1.0, 0.8, 0.55, 0.38, 0.26, 0.19, 0.14, 0.1)
PLACE_FACTOR = 0.75
ELSEWHERE_FACTOR = 0.6  # of words that do not stand in each other's place
HUB_WEIGHT = 0.6
HUB_DEGREE = 150.0


class Rows(NamedTuple):
    """The graph as the kernels read it; see `graph.KnowledgeGraph`.

    `climbs` marks taxonomic relations, `closed` the entities that no path goes through; `walk`, `twin` and `doubtful`
    are those of `edge_walks.EdgeWalks`; `degree_shift` is how many edges of each entity count though they are not held,
    less those that do not count because they are doubtful.
    """

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
    closed: NDArray[np.uint8]
    twin: Int32
    doubtful: NDArray[np.uint8]
    degree_shift: Int32


class Limits(NamedTuple):
    """The settings of one retriever, as numbers."""

    max_hops: int
    climb: int
    place_climb: int
    max_degree: int
    max_per_pair: int
    hypothesis_paths: int
    doubtful_hops: int


class Query(NamedTuple):
    """The mentions of one example, premise first; arrays may be longer than what they hold.

    Candidates of mention m are rows first[m] to first[m + 1] of `candidate` and `score`; `fresh` marks hypothesis
    mentions whose key the premise lacks (FRESH), or has elsewhere than in their place (MOVED, see `mark_moved`).
    """

    first: Int32
    key: Int32
    fresh: NDArray[np.uint8]
    candidate: Int32
    score: Float64


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
    visits: Int32
    row: Int32
    ends: Int32
    allowed: NDArray[np.uint8]
    in_place: NDArray[np.uint8]
    pair_rows: Int32
    pair_scores: Float64
    pair_counts: Int64
    kept_rows: Int32
    kept_scores: Float64
    counters: Int64


@compiled
def num_edges(rows: Rows, node: int) -> int:
    """Count the edges of an entity, both ways."""
    return int((rows.out_end[node] - rows.out_start[node]) + (rows.in_end[node] - rows.in_start[node]))


@compiled
def degree(rows: Rows, node: int) -> int:
    """Count the edges of an entity that nothing is doubted of, both ways, held or not: noise makes no hubs."""
    return num_edges(rows, node) + int(rows.degree_shift[node])


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
    only walked forward, one of walk 2 backward only where no edge leads forward, and of one of walk TWIN_MISSING only
    the edges that its inverse does not state.
    """
    relation = rows.edge_relation[edge]
    walk = rows.walk[relation]
    if walk == 0:
        return 0
    if walk == TWIN_MISSING:
        return 0 if has_edge(rows, rows.edge_tail[edge], rows.twin[relation], rows.edge_head[edge]) else LEAVE | ARRIVE
    backward = walk == 3 or (walk == 2 and not has_edge(rows, rows.edge_tail[edge], relation, rows.edge_head[edge]))
    if outward:
        return LEAVE | ARRIVE if backward else LEAVE
    return LEAVE | ARRIVE if backward else ARRIVE


@compiled
def meet_entity(rows: Rows, limits: Limits, memory: Memory, counters: Int64, node: int) -> None:
    """Remember the row of an entity; one with too many edges gets an empty row and an endless ball."""
    start = counters[STEPS]
    edges = num_edges(rows, node)
    count = 0
    ball = 0
    if edges > max(MAX_ROW, limits.max_degree):
        ball = ENDLESS
    elif start + edges > memory.steps.shape[0]:
        counters[FULL] = 1
        ball = ENDLESS
    else:
        num_out = rows.out_end[node] - rows.out_start[node]
        for place in range(edges):
            outward = place < num_out
            edge = rows.out_start[node] + place if outward else int(rows.in_edge[rows.in_start[node] + place - num_out])
            other = rows.edge_tail[edge] if outward else rows.edge_head[edge]
            use = _step_use(rows, edge, outward) if other != node else 0
            if use == 0:
                continue
            step = memory.steps[start + count]
            step[NEIGHBOUR] = other
            step[STEP_DEGREE] = ENDLESS if rows.closed[other] else degree(rows, other)
            step[STEP_CODE] = edge if outward else ~edge
            step[STEP_KIND] = 2 * rows.edge_relation[edge] + (0 if outward else 1)
            step[USE] = use | (DOUBTFUL if rows.doubtful[edge] else 0)
            ball += 1 if step[STEP_DEGREE] > limits.max_degree else 1 + step[STEP_DEGREE]
            count += 1
        ball = min(ball, ENDLESS - 1)
    memory.met[node, ROW_START] = start + 1
    memory.met[node, ROW_COUNT] = count
    memory.met[node, BALL] = ball
    counters[STEPS] = start + count


@compiled
def _grow_chain(rows: Rows, chains: Int32, chain: int, edge: int, count: int) -> int:
    """Lengthen a chain by one upward edge, unless to itself or a closed entity; return the number of chains."""
    depth = chains[chain, CHAIN_DEPTH]
    node = chains[chain, CHAIN_NODE + depth]
    other = rows.edge_tail[edge]
    if rows.closed[other] or rows.doubtful[edge]:
        return count
    for i in range(depth + 1):
        if chains[chain, CHAIN_NODE + i] == other:
            return count
    relation = rows.edge_relation[edge]
    chains[count] = chains[chain]
    chains[count, CHAIN_DEPTH] = depth + 1
    chains[count, CHAIN_EDGE + depth] = edge
    chains[count, CHAIN_RELATION + depth] = relation
    chains[count, CHAIN_NODE + depth + 1] = other
    chains[count, CHAIN_DEGREE + depth + 1] = degree(rows, other)
    if rows.walk[relation] == 2 and has_edge(rows, other, relation, node):
        chains[count, DOWNWARD] = 0
    return count + 1


@compiled
def meet_chains(rows: Rows, memory: Memory, counters: Int64, node: int) -> None:
    """Remember the chains of taxonomic edges upward from an entity, shortest first, MAX_CLIMBS at most."""
    first = counters[CHAINS]
    if first + MAX_CLIMBS > memory.chains.shape[0]:
        counters[FULL] = 1
        return
    chains = memory.chains[first : first + MAX_CLIMBS]
    chains[0, CHAIN_DEPTH] = 0
    chains[0, DOWNWARD] = 1
    chains[0, CHAIN_NODE] = node
    chains[0, CHAIN_DEGREE] = degree(rows, node)
    count = 1
    chain = 0
    while chain < count and chains[chain, CHAIN_DEPTH] < CLIMB_HOPS:
        top = chains[chain, CHAIN_NODE + chains[chain, CHAIN_DEPTH]]
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
    memory.met[node, CHAIN_START] = first + 1
    memory.met[node, CHAIN_COUNT] = count
    counters[CHAINS] = first + count


@compiled
def _reach(ball: int) -> int:
    """Tell how many edges the search may go out from an end with this ball."""
    if ball <= MAX_VISITS:
        return 2
    return 1 if ball < ENDLESS else 0


@compiled
def _meet_around(rows: Rows, limits: Limits, memory: Memory, counters: Int64, node: int) -> None:
    """Remember the rows of an entity's neighbours that may be walked through."""
    first = memory.met[node, ROW_START] - 1
    for via in range(first, first + memory.met[node, ROW_COUNT]):
        other = memory.steps[via, NEIGHBOUR]
        if memory.met[other, ROW_START] == 0 and memory.steps[via, STEP_DEGREE] <= limits.max_degree:
            meet_entity(rows, limits, memory, counters, other)


@compiled
def meet_candidates(
    rows: Rows, limits: Limits, memory: Memory, query: Query, counters: Int64, num_mentions: int
) -> int:
    """Remember all of the graph that a search will read; return how many edges its walks go out from the starts."""
    least = min(2, limits.max_hops)
    for mention in range(num_mentions):
        for number in range(query.first[mention], query.first[mention + 1]):
            node = query.candidate[number, CANDIDATE_ENTITY]
            if memory.met[node, ROW_START] == 0:
                meet_entity(rows, limits, memory, counters, node)
            if limits.climb and memory.met[node, CHAIN_START] == 0:
                meet_chains(rows, memory, counters, node)
            query.candidate[number, REACH] = min(_reach(memory.met[node, BALL]), limits.max_hops)
            if query.fresh[mention]:
                least = min(least, query.candidate[number, REACH])
    hops = limits.max_hops - least
    for mention in range(num_mentions):
        for number in range(query.first[mention], query.first[mention + 1]):
            if query.candidate[number, REACH] == 2 and (hops >= 2 or query.fresh[mention]):
                _meet_around(rows, limits, memory, counters, query.candidate[number, CANDIDATE_ENTITY])
    return hops


@compiled
def find_slot(slots: Int32, stamp: int, node: int) -> int:
    """Return the slot that holds an entity, or the free one where it would go."""
    mask = slots.shape[0] - 1
    slot = int(int(node) * 1640531) & mask
    while slots[slot, STAMP] == stamp and slots[slot, SLOT_NODE] != node:
        slot = (slot + 1) & mask
    return int(slot)


@compiled
def enter_candidate(limits: Limits, memory: Memory, scratch: Scratch, candidate: Int32, number: int) -> None:
    """Enter an end candidate and all it reaches into the table."""
    entries, slots, marks, counters = scratch.entries, scratch.slots, scratch.marks, scratch.counters
    met, steps, chains = memory.met, memory.steps, memory.chains
    stamp = counters[STAMPS]
    mark = 1 + stamp % 255
    node = candidate[number, CANDIDATE_ENTITY]
    reach = candidate[number, REACH]
    entry = counters[ENTRIES]
    last = entry + 1
    entries[entry, DEPTH] = 0
    entries[entry, NODE] = node
    entries[entry, DOUBTS] = 0
    while entry < last:  # breadth first: entries are their own queue
        depth = entries[entry, DEPTH]
        here = entries[entry, NODE]
        if depth < reach and (depth == 0 or steps[entries[entry, VIA], STEP_DEGREE] <= limits.max_degree):
            first = met[here, ROW_START] - 1
            for via in range(first, first + met[here, ROW_COUNT]):
                doubts = entries[entry, DOUBTS] + (1 if steps[via, USE] & DOUBTFUL else 0)
                is_doubted = doubts > 0 and depth + 1 > limits.doubtful_hops
                if steps[via, USE] & ARRIVE and steps[via, NEIGHBOUR] != node and not is_doubted:
                    entries[last, DOUBTS] = doubts
                    entries[last, DEPTH] = depth + 1
                    entries[last, BEFORE] = entry
                    entries[last, VIA] = via
                    entries[last, NODE] = steps[via, NEIGHBOUR]
                    last += 1
        entry += 1
    num_plain = last
    if limits.climb:
        first = met[node, CHAIN_START] - 1
        for via in range(first, first + met[node, CHAIN_COUNT]):
            if chains[via, DOWNWARD]:
                entries[last, DOUBTS] = 0
                entries[last, DEPTH] = chains[via, CHAIN_DEPTH]
                entries[last, VIA] = via
                entries[last, NODE] = chains[via, CHAIN_NODE + chains[via, CHAIN_DEPTH]]
                last += 1
    for entry in range(counters[ENTRIES], last):
        here = entries[entry, NODE]
        slot = find_slot(slots, stamp, here)
        if slots[slot, STAMP] != stamp:
            slots[slot, STAMP] = stamp
            slots[slot, SLOT_NODE] = here
            slots[slot, PLAIN] = -1
            slots[slot, CLIMB] = -1
            marks[here & LAST_MARK] = mark
        column = PLAIN if entry < num_plain else CLIMB
        entries[entry, OWNER] = number
        entries[entry, NEXT] = slots[slot, column]
        slots[slot, column] = entry
    counters[ENTRIES] = last


@compiled
def _write_visit(visits: Int32, count: int, node: int, number: int, way: tuple[int, int, int, int]) -> int:
    visits[count, VISIT_NODE] = node
    visits[count, VISIT_CANDIDATE] = number
    visits[count, VISIT_DEPTH] = way[0]
    visits[count, NEAR] = way[1]
    visits[count, FAR] = way[2]
    visits[count, VISIT_DOUBTS] = way[3]
    return count + 1


@compiled
def walk_mention(
    limits: Limits, memory: Memory, query: Query, scratch: Scratch, start: int, hops: int
) -> int:
    """Walk out from the candidates of a start mention, up to `hops` edges and up the climbs.

    Where an entity bears a mark the visit is written down; what stands there is looked up later.

    Returns:
        The number of visits.
    """
    met, steps, chains = memory.met, memory.steps, memory.chains
    marks, visits, candidate = scratch.marks, scratch.visits, query.candidate
    mark = 1 + scratch.counters[STAMPS] % 255
    room = visits.shape[0] - 1
    count = 0
    for number in range(query.first[start], query.first[start + 1]):
        node = candidate[number, CANDIDATE_ENTITY]
        if marks[node & LAST_MARK] == mark:
            count = _write_visit(visits, count, node, number, (0, 0, 0, 0))
        reach = min(candidate[number, REACH], hops)
        first = met[node, ROW_START] - 1
        for near in range(first, first + met[node, ROW_COUNT] if reach > 0 else first):
            other = steps[near, NEIGHBOUR]
            doubts = 1 if steps[near, USE] & DOUBTFUL else 0
            if steps[near, USE] & LEAVE == 0 or doubts > limits.doubtful_hops:
                continue
            if marks[other & LAST_MARK] == mark and count < room:
                count = _write_visit(visits, count, other, number, (1, near, 0, doubts))
            if reach == 2 and steps[near, STEP_DEGREE] <= limits.max_degree:
                second = met[other, ROW_START] - 1
                for far in range(second, second + met[other, ROW_COUNT]):
                    last = steps[far, NEIGHBOUR]
                    if marks[last & LAST_MARK] == mark and count < room and last != node and steps[far, USE] & LEAVE:
                        more = doubts + (1 if steps[far, USE] & DOUBTFUL else 0)
                        if more == 0 or limits.doubtful_hops >= 2:
                            count = _write_visit(visits, count, last, number, (2, near, far, more))
        first = met[node, CHAIN_START] - 1
        for via in range(first, first + met[node, CHAIN_COUNT] if limits.climb else first):
            top = chains[via, CHAIN_NODE + chains[via, CHAIN_DEPTH]]
            if marks[top & LAST_MARK] == mark and count < room:
                count = _write_visit(visits, count, top, number, (chains[via, CHAIN_DEPTH], via, -1, 0))
    return count


@compiled
def _write_climb(chains: Int32, entries: Int32, entry: int, visit: Int32, row: Int32) -> None:
    """Write the entities, codes, kinds and degrees of a climb into a path row."""
    via = visit[NEAR]
    depth = visit[VISIT_DEPTH]
    length = row[LENGTH]
    for i in range(depth + 1):
        row[ENTITY + i] = chains[via, CHAIN_NODE + i]
        row[DEGREE + i] = chains[via, CHAIN_DEGREE + i]
        if i < depth:
            row[CODE + i] = chains[via, CHAIN_EDGE + i]
            row[KIND + i] = 2 * chains[via, CHAIN_RELATION + i]
    via = entries[entry, VIA]
    for i in range(length - depth):
        row[ENTITY + length - i] = chains[via, CHAIN_NODE + i]
        row[DEGREE + length - i] = chains[via, CHAIN_DEGREE + i]
        row[CODE + length - 1 - i] = ~chains[via, CHAIN_EDGE + i]
        row[KIND + length - 1 - i] = 2 * chains[via, CHAIN_RELATION + i] + 1


@compiled
def _write_plain(steps: Int32, entries: Int32, entry: int, visit: Int32, row: Int32) -> None:
    """Write the entities, codes, kinds and degrees of a plain path into a path row; its first entity stands."""
    depth = visit[VISIT_DEPTH]
    for i in range(depth):
        via = visit[NEAR + i]
        row[ENTITY + i + 1] = steps[via, NEIGHBOUR]
        row[DEGREE + i + 1] = steps[via, STEP_DEGREE]
        row[CODE + i] = steps[via, STEP_CODE]
        row[KIND + i] = steps[via, STEP_KIND]
    while entries[entry, DEPTH] > 0:
        via = entries[entry, VIA]
        entry = entries[entry, BEFORE]
        row[CODE + depth] = ~steps[via, STEP_CODE]
        row[KIND + depth] = steps[via, STEP_KIND] ^ 1
        depth += 1
        row[ENTITY + depth] = entries[entry, NODE]
        if entries[entry, DEPTH] > 0:
            row[DEGREE + depth] = steps[entries[entry, VIA], STEP_DEGREE]


@compiled
def _is_simple(row: Int32, depth: int) -> bool:
    """Tell whether the two sides of a joined path share no entity but the one where they meet."""
    for i in range(depth):
        for j in range(depth + 1, row[LENGTH] + 1):
            if row[ENTITY + i] == row[ENTITY + j]:
                return False
    return True


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
def insert_path(table: Int32, scores: Float64, count: int, score: float, row: Int32) -> int:
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
def offer_path(table: Int32, scores: Float64, counts: Int64, score: float, row: Int32) -> None:
    """Rank a path among those of its pair: the best of each kind (relations and directions) apart from the others.

    Args:
        table: [2, max_per_pair, WIDTH], best of each kind, others.
        scores: [2, max_per_pair].
        counts: [3], how many of both are filled, and how many paths there were.
        score: of the path.
        row: the path.
    """
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
def rank_visits(
    limits: Limits, memory: Memory, query: Query, scratch: Scratch, start: int, visits: tuple[int, int]
) -> None:
    """Join the visits of a start mention with each entry at their entities; rank the valid paths within their pairs.

    Args:
        limits: of the search.
        memory: rows and chains.
        query: the mentions.
        scratch: with the visits and the table.
        start: the start mention.
        visits: how many there are, and the longest climb, in edges.
    """
    count, longest = visits
    entries, row, candidate = scratch.entries, scratch.row, query.candidate
    size = scratch.pair_scores.shape[2]
    stamp = scratch.counters[STAMPS]
    for number in range(count):
        visit = scratch.visits[number]
        slot = find_slot(scratch.slots, stamp, visit[VISIT_NODE])
        depth = visit[VISIT_DEPTH]
        climbing = visit[FAR] < 0
        entry = scratch.slots[slot, CLIMB if climbing else PLAIN] if scratch.slots[slot, STAMP] == stamp else -1
        while entry >= 0:
            here = entry
            entry = entries[entry, NEXT]
            owner = entries[here, OWNER]
            back = entries[here, DEPTH]
            length = depth + back
            end_slot = candidate[owner, END_SLOT]
            # A plain path of several walks is joined at one place: as far from its end as that reaches.
            elsewhere = depth > 0 and back < candidate[owner, REACH] and not climbing
            too_long = length > (longest if climbing else limits.max_hops)
            doubted = visit[VISIT_DOUBTS] + entries[here, DOUBTS] > 0 and length > limits.doubtful_hops
            if elsewhere or too_long or doubted or not scratch.allowed[end_slot] or (climbing and length == 0):
                continue
            row[ENTITY:PLACE] = -1
            row[LENGTH] = length
            row[ENTITY] = candidate[visit[VISIT_CANDIDATE], CANDIDATE_ENTITY]
            if climbing:
                _write_climb(memory.chains, entries, here, visit, row)
            else:
                _write_plain(memory.steps, entries, here, visit, row)
            if not _is_simple(row, depth):
                continue
            hubs = 0
            score = np.sqrt(query.score[visit[VISIT_CANDIDATE]] * query.score[owner]) * LENGTH_FACTOR[length]
            for i in range(1, length):
                edges = row[DEGREE + i]
                hubs += 1 if edges > limits.max_degree else 0
                score *= 1.0 - HUB_WEIGHT * (edges / (edges + HUB_DEGREE))
            covered = candidate[visit[VISIT_CANDIDATE], REACH] + candidate[owner, REACH]
            if climbing == (hubs == 0 and length <= min(limits.max_hops, covered)):
                continue  # a climb that is found as a plain path, or a plain path through a hub
            scratch.pair_counts[end_slot, 2] += 1
            if scratch.pair_counts[end_slot, 0] == size and score < scratch.pair_scores[end_slot, 0, size - 1]:
                continue
            row[START] = start
            row[END] = scratch.ends[end_slot]
            row[START_CANDIDATE] = visit[VISIT_CANDIDATE]
            row[END_CANDIDATE] = owner
            pair_rows, pair_scores = scratch.pair_rows[end_slot], scratch.pair_scores[end_slot]
            offer_path(pair_rows, pair_scores, scratch.pair_counts[end_slot], score, row)


@compiled
def keep_paths(limits: Limits, scratch: Scratch, end_slot: int, kept: int) -> int:
    """Take the best paths of one pair over into those of the example; return how many the example has."""
    counts = scratch.pair_counts[end_slot]
    place = 0
    factor = 1.0 if scratch.in_place[end_slot] else ELSEWHERE_FACTOR
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
def _fill_table(
    limits: Limits, memory: Memory, query: Query, scratch: Scratch, span: tuple[int, int]
) -> tuple[int, int]:
    """Enter end mentions from the first of a span on, as many as the table holds.

    Returns:
        How many were entered, and the first mention that was not looked at.
    """
    mention, num_mentions = span
    num_ends = 0
    while mention < num_mentions and num_ends < MAX_ENDS:
        first = query.first[mention]
        last = query.first[mention + 1]
        if query.fresh[mention] and last > first:
            room = scratch.entries.shape[0] - scratch.counters[ENTRIES]
            if num_ends > 0 and (last - first) * MAX_PER_ENTITY > room:
                break
            for number in range(first, last):
                query.candidate[number, END_SLOT] = num_ends
                enter_candidate(limits, memory, scratch, query.candidate, number)
            scratch.ends[num_ends] = mention
            num_ends += 1
        mention += 1
    return num_ends, mention


@compiled
def _same_word(key: Int32, premise: tuple[int, int], hypothesis: tuple[int, int, int]) -> bool:
    """Tell whether places of premise and hypothesis hold the same word, or both lie outside.

    Args:
        key: of all mentions.
        premise: place and number of premise mentions.
        hypothesis: place, first and number of all mentions.
    """
    outside = premise[0] < 0 or premise[0] >= premise[1]
    if outside or hypothesis[0] < hypothesis[1] or hypothesis[0] >= hypothesis[2]:
        return outside and (hypothesis[0] < hypothesis[1] or hypothesis[0] >= hypothesis[2])
    return bool(key[premise[0]] == key[hypothesis[0]])


@compiled
def stand_in_place(key: Int32, start: int, end: int, num_premise: int, num_mentions: int) -> bool:
    """Tell whether two mentions stand in each other's place in premise and hypothesis."""
    if start >= num_premise:
        return False
    before = _same_word(key, (start - 1, num_premise), (end - 1, num_premise, num_mentions))
    return before and _same_word(key, (start + 1, num_premise), (end + 1, num_premise, num_mentions))


@compiled
def mark_moved(query: Query, num_premise: int, num_mentions: int) -> None:
    """Mark hypothesis words that stand where the premise has another word, though the premise has them elsewhere.

    "A woman waves to a man." / "A man waves to a man.": the first man has replaced the woman.
    """
    key = query.key
    for end in range(num_premise, num_mentions):
        if query.fresh[end] or query.first[end + 1] == query.first[end]:
            continue
        replaces = False
        stays = False
        for start in range(num_premise):
            if stand_in_place(key, start, end, num_premise, num_mentions):
                stays = stays or key[start] == key[end]
                replaces = replaces or key[start] != key[end]
        if replaces and not stays:
            query.fresh[end] = MOVED


@compiled
def _select_unjoined(limits: Limits, scratch: Scratch, num_ends: int) -> bool:
    """Allow only the ends in the start's place that no path has reached; tell whether there are some."""
    some = False
    for slot in range(num_ends):
        scratch.allowed[slot] = scratch.in_place[slot] and scratch.pair_counts[slot, 0] == 0
        some = some or scratch.allowed[slot] > 0
    return bool(some and limits.climb and limits.place_climb > CLIMB_HOPS)


@compiled
def find_paths(
    rows: Rows, limits: Limits, memory: Memory, query: Query, scratch: Scratch, num_premise: int, num_mentions: int
) -> int:
    """Find the paths of one example; they lie ranked in `scratch.kept_rows` and `kept_scores`.

    Returns:
        Their number; -1 if `memory` was too small for what was met: to be called again with a larger one.
    """
    mark_moved(query, num_premise, num_mentions)
    hops = meet_candidates(rows, limits, memory, query, scratch.counters, num_mentions)
    if scratch.counters[FULL]:
        return -1
    kept = 0
    mention = num_premise
    num_starts = num_mentions if limits.hypothesis_paths else num_premise
    while mention < num_mentions:
        scratch.counters[STAMPS] += 1
        if scratch.counters[STAMPS] % 255 == 0:
            scratch.marks[:] = 0
        scratch.counters[ENTRIES] = 0
        num_ends, mention = _fill_table(limits, memory, query, scratch, (mention, num_mentions))
        for start in range(num_starts):
            some = False
            for slot in range(num_ends):
                end = scratch.ends[slot]
                in_place = stand_in_place(query.key, start, end, num_premise, num_mentions)
                if query.fresh[end] == MOVED:
                    allowed = in_place
                else:
                    other_word = query.fresh[start] == FRESH and query.key[start] != query.key[end] and start < end
                    allowed = start < num_premise or other_word
                scratch.allowed[slot] = allowed
                scratch.in_place[slot] = in_place and allowed
                scratch.pair_counts[slot] = 0
                some = some or scratch.allowed[slot]
            if not some:
                continue
            count = walk_mention(limits, memory, query, scratch, start, hops)
            if count > 0:
                rank_visits(limits, memory, query, scratch, start, (count, CLIMB_HOPS))
                if _select_unjoined(limits, scratch, num_ends):
                    rank_visits(limits, memory, query, scratch, start, (count, limits.place_climb))
            for slot in range(num_ends):
                if scratch.pair_counts[slot, 0] > 0:
                    kept = keep_paths(limits, scratch, slot, kept)
    return kept
