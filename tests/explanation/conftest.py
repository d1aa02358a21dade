"""The toy graph on disk, its hierarchy stated in both directions, as WordNet's is."""

import pytest

from kg_reason import build_graph
from tests.test_cli import toy_table


@pytest.fixture
def two_way_folder(tmp_path):
    """The folder of that graph."""
    table = toy_table()
    edges = [row.split("\t")[:3] for row in table.splitlines() if "\tex:hypernym\t" in row]
    table += "".join(f"{tail}\tex:hyponym\t{head}\t\t\t\n" for head, _, tail in edges)
    (tmp_path / "toy.tsv").write_text(table)
    build_graph([tmp_path / "toy.tsv"], tmp_path / "kg")
    return tmp_path / "kg"
