from __future__ import annotations

from kg_reason.notebook import html_table, html_text


def test_markup_and_control_characters_are_shown_not_obeyed() -> None:
    assert html_text('<b title="x">\x1b&\n') == "&lt;b title=&quot;x&quot;&gt;\\x1b&amp;<br>"


def test_a_table_has_its_headings_and_all_its_cells() -> None:
    table = html_table([["label", "n"], ["<i>", "1,000"]])
    assert table.count("<tr>") == 2
    assert table.count("<th ") == table.count("<td ") == 2
    assert ">&lt;i&gt;</td>" in table
    assert html_table([["a"]], num_heads=0).count("<th") == 0
