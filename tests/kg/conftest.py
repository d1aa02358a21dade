"""Two small files that make one graph."""

from __future__ import annotations

import pytest

TABLE = "head\trelation\ttail\nviolin\thypernym\tinstrument\ndrum\thypernym\tinstrument\n"
LINES = "<http://e/violin> <http://e/madeOf> <http://e/wood> .\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.tsv").write_text(TABLE)
    (tmp_path / "b.nt").write_text(LINES)
    return [tmp_path / "a.tsv", tmp_path / "b.nt"]
