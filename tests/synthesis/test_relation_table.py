"""kg_reason.synthesis.relation_table: the table from relation patterns to labels."""

import pytest

from kg_reason.errors import ConfigError
from kg_reason.nli import Label
from kg_reason.synthesis.relation_table import load_table


def test_the_shipped_table_labels_upward_and_downward_contexts():
    patterns = {pattern.name: pattern for pattern in load_table().patterns}
    assert (patterns["hypernym"].label, patterns["hypernym"].downward) == (Label.ENTAILMENT, Label.NEUTRAL)
    assert (patterns["hyponym"].label, patterns["hyponym"].downward) == (Label.NEUTRAL, Label.ENTAILMENT)
    assert (patterns["sister"].label, patterns["sister"].downward) == (Label.CONTRADICTION, Label.NEUTRAL)


PATTERN = "[[pattern]]\nname = 'x'\nsteps = []\ndownward = 'neutral'\n"


def write(tmp_path, text):
    path = tmp_path / "table.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[pattern]]\nname = 'x'\n", "table.toml: pattern 1: 'steps' is missing"),
        (f"{PATTERN}label = 'maybe'", "found 'maybe', expected one of"),
        ("[[pattern]]\nname = 'x'\ncolour = 1", "pattern 1: found 'colour', expected one of"),
        ("[other]", "found .other., expected one of avoid, "),
        ("[frames.noun]\nupward = ['no gap']\ndownward = []", "expected one gap"),
        (f"{PATTERN}label = 'neutral'\nframes = 'odd'", "no frames 'odd'"),
        (f"{PATTERN}label = 'neutral'\nshare = 0", "share: found 0"),
        ("not toml", "table.toml"),
    ],
)
def test_a_fault_in_a_table_is_told_with_its_place(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        load_table(write(tmp_path, text))


def test_a_table_that_is_missing_is_told():
    with pytest.raises(ConfigError, match="nowhere.toml"):
        load_table("nowhere.toml")
