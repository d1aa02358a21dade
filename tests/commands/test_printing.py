"""Results and remarks reach their streams, numbers with their nouns."""

from __future__ import annotations

import json

from kg_reason.commands.printing import counted, hint, remark, show, show_json, sized, timed


def test_numbers_come_with_their_noun_and_unit():
    assert [counted(1, "edge"), counted(1204, "edge"), counted(2, "entity", "entities")] == [
        "1 edge", "1,204 edges", "2 entities",
    ]  # fmt: skip
    assert [sized(12), sized(12_345), sized(7_800_000)] == ["12 bytes", "12.3 kB", "7.8 MB"]
    assert [timed(0.81), timed(185), timed(7_260)] == ["0.8 s", "3 min 05 s", "2 h 01 min"]


def test_nothing_that_is_shown_can_move_the_cursor(capsys):
    show("a\x1b[31m")
    remark("b\x1b[31m")
    assert capsys.readouterr() == ("a\\x1b[31m\n", "b\\x1b[31m\n")


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
