from __future__ import annotations

from kg_reason.kg.bad_lines import NUM_SHOWN_BAD_LINES, BadLines


def test_bad_lines_are_all_kept_and_the_first_are_shown():
    bad_lines = BadLines()
    for line in range(1, 31):
        bad_lines.add("a.tsv", line, "expected a head,\tfound nothing")
    assert bad_lines.num == 30
    assert len(bad_lines.first) == NUM_SHOWN_BAD_LINES
    assert str(bad_lines.first[0]) == "a.tsv:1: expected a head,\tfound nothing"
    report = bad_lines.report().decode().splitlines()
    assert len(report) == 31
    assert report[30] == "a.tsv\t30\texpected a head, found nothing"
