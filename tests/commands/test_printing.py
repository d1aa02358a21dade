"""Results reach the terminal aligned and without control characters."""

from __future__ import annotations

import json

import pytest

from kg_reason.commands.printing import aligned, counted, hint, printable, remark, show, show_json, sized, timed


@pytest.mark.parametrize("unsafe", ["\x1b[31m", "\x9b", "\r", "\x07", "\t", "\u202e", "\u2066", "\u2028", "\udcff"])
def test_what_could_move_the_cursor_or_reorder_letters_is_escaped(unsafe):
    assert unsafe not in printable(f"a{unsafe}b")
    assert printable(f"a{unsafe}b").isascii()


@pytest.mark.parametrize("text", ["naïve café", "小提琴", "a\u00a0b", "نمی\u200cخواهم", "line\nline"])
def test_other_text_is_shown_as_it_is(text):
    assert printable(text) == text


def test_columns_are_aligned_and_east_asian_characters_count_twice():
    assert aligned([["a", "1"], ["小", "22"]], right=[1]) == ["  a    1", "  小  22"]


def test_a_cell_never_breaks_its_line():
    assert aligned([["a\nb", "c"]]) == ["  a\\nb  c"]


def test_numbers_come_with_their_noun_and_unit():
    assert [counted(1, "edge"), counted(1204, "edge"), counted(2, "entity", "entities")] == [
        "1 edge", "1,204 edges", "2 entities",
    ]  # fmt: skip
    assert [sized(12), sized(12_345), sized(7_800_000)] == ["12 bytes", "12.3 kB", "7.8 MB"]
    assert [timed(0.81), timed(185), timed(7_260)] == ["0.8 s", "3 min 05 s", "2 h 01 min"]


def test_results_and_remarks_go_to_different_streams(capsys):
    show("result")
    show_json({"label": "café"})
    remark("remark")
    hint("kg-reason stats kg")
    out, err = capsys.readouterr()
    assert out == 'result\n{"label": "café"}\n'
    assert json.loads(out.splitlines()[1]) == {"label": "café"}
    assert "remark" in err
    assert "kg-reason stats kg" in err
