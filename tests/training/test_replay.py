"""Replay: the share that was asked for, drawn by seed, from what has a label."""

from __future__ import annotations

import logging

import pytest

from kg_reason.errors import ConfigError
from kg_reason.nli import Label, NLIExample
from kg_reason.training.replay import draw_replay

FRESH = [NLIExample("a dog", f"fresh {number}", Label.NEUTRAL) for number in range(12)]
EARLIER = [NLIExample("a cat", f"earlier {number}", Label.ENTAILMENT) for number in range(40)]


@pytest.mark.parametrize(("share", "num_drawn"), [(0.0, 0), (0.25, 4), (0.5, 12), (0.75, 36)])
def test_the_drawn_are_their_share_of_all_examples(share, num_drawn):
    drawn = draw_replay(FRESH, EARLIER, share, seed=0)
    assert len(drawn) == num_drawn
    assert num_drawn / (num_drawn + len(FRESH)) == pytest.approx(share)


def test_each_is_drawn_once_and_in_the_order_of_the_file():
    drawn = draw_replay(FRESH, EARLIER, 0.5, seed=0)
    places = [EARLIER.index(example) for example in drawn]
    assert places == sorted(set(places))


def test_the_sample_is_a_function_of_the_seed():
    assert draw_replay(FRESH, EARLIER, 0.5, seed=1) == draw_replay(FRESH, EARLIER, 0.5, seed=1)
    assert draw_replay(FRESH, EARLIER, 0.5, seed=1) != draw_replay(FRESH, EARLIER, 0.5, seed=2)


def test_pairs_without_a_label_neither_count_nor_are_drawn():
    bare = [NLIExample("a cat", f"bare {number}") for number in range(30)]
    drawn = draw_replay([*FRESH, *bare], [*bare, *EARLIER], 0.5, seed=0)
    assert len(drawn) == len(FRESH)
    assert all(example.label for example in drawn)


def test_where_there_are_too_few_all_are_taken_and_it_is_told(caplog):
    with caplog.at_level(logging.WARNING, logger="kg_reason"):
        assert draw_replay(FRESH, EARLIER[:5], 0.5, seed=0) == EARLIER[:5]
    assert "found 5 labelled pairs, of which all are taken; a share of 0.5 would be 12" in caplog.text


def test_earlier_pairs_without_any_label_are_refused():
    with pytest.raises(ConfigError, match="replay: found no labelled pair among 1, expected some or no replay at all"):
        draw_replay(FRESH, [NLIExample("a", "b")], 0.5, seed=0)
    assert draw_replay(FRESH, [], 0.5, seed=0) == []
