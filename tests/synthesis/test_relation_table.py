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
        ("[other]", "found 'other', expected extends, avoid"),
        ("[frames.noun]\nupward = ['no gap']\ndownward = []", "expected one gap"),
        (f"{PATTERN}label = 'neutral'\nframes = 'odd'", "no frames 'odd'"),
        (f"{PATTERN}label = 'neutral'\nshare = 0", "share: found 0"),
        ("not toml", "table.toml"),
        ("extends = 'wordnet'", "table.toml: extends: found 'wordnet', expected 'shipped'"),
        ("[templates]\nnear = '{head} is near.'", "templates: 'near': found '{head} is near.', expected a sentence"),
        ("[templates]\nnear = '{head} is {tail:VBZ}.'", "templates: 'near'"),
        ("functional = 'capital'", "functional: found 'capital', expected a list of texts"),
        ("groups = ['wider']", "groups: found"),
    ],
)
def test_a_fault_in_a_table_is_told_with_its_place(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        load_table(write(tmp_path, text))


OWN = """
extends = "shipped"
functional = ["has barcode"]
[groups]
wider = ["sort of"]
[[pattern]]
name = "hypernym"
steps = ["wider"]
label = "neutral"
[[pattern]]
name = "eaten by"
steps = ["eats"]
label = "neutral"
[frames.noun]
upward = ["Here is a {NN}."]
downward = []
[templates]
"Born In" = "{head} first saw light in {tail}."
"eats" = "{head} eats {tail}."
"""


def test_a_table_that_extends_the_shipped_one_adds_to_it_and_replaces_what_has_the_same_name(tmp_path):
    shipped, table = load_table(), load_table(write(tmp_path, OWN))
    patterns = {pattern.name: pattern for pattern in table.patterns}
    assert patterns["hypernym"].label is Label.NEUTRAL
    assert patterns["sister"] in shipped.patterns
    assert len(table.patterns) == len(shipped.patterns) + 1 == len(patterns)
    assert table.groups["wider"] == (*shipped.groups["wider"], "sort of")
    assert table.groups["whole"] == shipped.groups["whole"]
    assert table.frames["noun"].upward == ("Here is a {NN}.",)
    assert table.frames["verb"] == shipped.frames["verb"]
    assert table.templates["bornin"] == "{head} first saw light in {tail}."
    assert table.templates["eats"] == "{head} eats {tail}."
    assert table.templates["capitalof"] == shipped.templates["capitalof"]
    assert table.functional == shipped.functional | {"has barcode"}
    assert table.avoid == shipped.avoid


def test_a_table_that_extends_nothing_has_only_its_own(tmp_path):
    table = load_table(write(tmp_path, OWN.replace('extends = "shipped"', "")))
    assert [pattern.name for pattern in table.patterns] == ["hypernym", "eaten by"]
    assert set(table.templates) == {"bornin", "eats"}


def test_causes_are_neutral_both_ways():
    patterns = [pattern for pattern in load_table().patterns if "causes" in " ".join(pattern.steps)]
    assert {pattern.steps for pattern in patterns} == {("causes",), ("^causes",)}
    assert {pattern.label for pattern in patterns} == {Label.NEUTRAL}


@pytest.mark.parametrize("frames", ["cardinal", "ordinal", "colour", "nationality"])
def test_every_label_stands_in_the_frames_of_numbers_colours_and_nationalities(frames):
    labels = {pattern.label for pattern in load_table().patterns if pattern.frames == frames}
    assert labels == {Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION}


def test_a_table_that_is_missing_is_told():
    with pytest.raises(ConfigError, match="nowhere.toml"):
        load_table("nowhere.toml")
