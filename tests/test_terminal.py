"""Text for a terminal is aligned and without control characters."""

from __future__ import annotations

import pytest

from kg_reason.terminal import aligned, is_unicode, one_line, printable


@pytest.mark.parametrize("unsafe", ["\x1b[31m", "\x9b", "\r", "\x07", "\t", "\u202e", "\u2066", "\u2028", "\udcff"])
def test_what_could_move_the_cursor_or_reorder_letters_is_escaped(unsafe):
    assert unsafe not in printable(f"a{unsafe}b")
    assert printable(f"a{unsafe}b").isascii()


@pytest.mark.parametrize("text", ["naïve café", "小提琴", "a\u00a0b", "نمی\u200cخواهم", "line\nline"])
def test_other_text_is_shown_as_it_is(text):
    assert printable(text) == text


def test_columns_are_aligned_and_east_asian_characters_count_twice():
    assert aligned([["a", "1"], ["小", "22"]], right=[1]) == ["  a    1", "  小  22"]


def test_a_line_stays_one_line():
    assert one_line("a\nb\x1b") == "a\\nb\\x1b"


def test_a_cell_never_breaks_its_line():
    assert aligned([["a\nb", "c"]]) == ["  a\\nb  c"]


def test_bytes_that_are_no_text_are_no_unicode():
    assert is_unicode("小提琴 \U0001f3bb")
    assert not is_unicode(b"\xff".decode(errors="surrogateescape"))


def test_a_very_long_cell_moves_only_its_own_line():
    rows = aligned([["a" * 500, "1"], ["b", "2"]])
    assert rows[0].endswith("a  1")
    assert rows[1] == "  b" + " " * 81 + "2"
