"""scripts/edit_items.py: items whose answer hangs on one triple."""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from edit_items import KINDS, copy_with_edits, edits_until, make_edit_items, read_edit_items, write_edit_items
from graph_copies import copy_graph, write_names
from polarity_pairs import Frame

from kg_reason import KnowledgeGraph
from kg_reason.kg.editing import edit_graph
from kg_reason.kg.triples import Source, Triple

FRAMES = [Frame("upward", "up", "A {NN} was here."), Frame("no", "down", "No {NN} was here.")]


@pytest.fixture
def made():
    numbers = count()
    return make_edit_items(FRAMES, 50, lambda: f"gavorn{next(numbers)}x", seed=0)


@pytest.fixture
def folder(made, tmp_path: Path) -> Path:
    """A graph that holds the names of the items."""
    graph = KnowledgeGraph.from_triples([
        Triple("wn:dog", "wn:hypernym", "wn:animal", Source("t", 1)),
        Triple("wn:animal", "wn:hyponym", "wn:dog", Source("t", 2)),
        Triple("wn:hot", "wn:antonym", "wn:cold", Source("t", 3)),
    ])
    write_names(tmp_path / "names.tsv", made.names)
    copy_graph(graph, tmp_path / "graph", tables=[tmp_path / "names.tsv"], edges=made.edges)
    return tmp_path / "graph"


def stated(graph: KnowledgeGraph) -> set[tuple[str, str, str]]:
    return {
        (
            graph.entity_id(int(graph.edge_head[edge])), graph.relation_id(int(graph.edge_relation[edge])),
            graph.entity_id(int(graph.edge_tail[edge])),
        )
        for edge in graph.live_edges().tolist()
    }


def test_kinds_come_by_their_shares_and_use_upward_frames_only(made):
    counts = Counter(item.kind for item in made.items)
    assert counts == {kind: round(50 * share / 500) for kind, (share, *_) in KINDS.items()}
    assert all(item.premise.startswith("A gavorn") for item in made.items)
    assert len({name.text for name in made.names}) == 2 * len(made.items)


def test_the_first_edits_state_one_triple_for_each_item(made, folder, tmp_path):
    before = stated(KnowledgeGraph.open(folder))
    copy_with_edits(folder, tmp_path / "first", edits_until(made.items, "first"))
    added = stated(KnowledgeGraph.open(tmp_path / "first")) - before
    assert len(added) == sum(item.kind != "remove built in" for item in made.items)


def test_after_the_last_edits_what_was_removed_is_gone_and_what_was_reversed_is_turned(made, folder, tmp_path):
    copy_with_edits(folder, tmp_path / "last", edits_until(made.items, "last"))
    found = stated(KnowledgeGraph.open(tmp_path / "last"))
    for number, item in enumerate(made.items):
        ends = (f"test:edit{number}a", f"test:edit{number}b")
        own = {fact for fact in found if fact[0] in ends}
        expected = {
            "add wider": {(ends[0], "wn:hypernym", ends[1])},
            "add narrower": {(ends[0], "wn:hyponym", ends[1])},
            "add opposite": {(ends[0], "wn:antonym", ends[1])},
            "remove": set(),
            "remove built in": set(),
            "reverse": {(ends[1], "wn:hypernym", ends[0])},
            "exchange": {(ends[0], "wn:antonym", ends[1])},
        }
        assert own == expected[item.kind], item.kind


def test_a_batch_of_edits_is_the_graph_that_single_edits_make(made, folder, tmp_path):
    edits = edits_until(made.items, "last")[:6]
    copy_with_edits(folder, tmp_path / "batch", edits)
    copy_with_edits(folder, tmp_path / "single", [])
    for operation, head, relation, tail in edits:
        edit_graph(tmp_path / "single", operation, head, relation, tail)
    assert KnowledgeGraph.open(tmp_path / "batch").fingerprint == KnowledgeGraph.open(tmp_path / "single").fingerprint


def test_items_are_read_as_they_were_written(made, tmp_path):
    write_edit_items(tmp_path / "edits.jsonl", made.items)
    assert read_edit_items(tmp_path / "edits.jsonl") == made.items


def test_the_label_of_an_item_is_the_one_after_its_edit(made):
    for item in made.items:
        assert item.example().label == KINDS[item.kind][3]
        assert item.is_addition == item.kind.startswith("add ")
