"""Tests of audits/bias_templates.py."""

from __future__ import annotations

from collections import Counter

import pytest

from kg_reason.audits.bias_templates import expand, load_bias_lists, sample
from kg_reason.errors import ConfigError

OWN = """
[groups.town]
north = ["northern person", "person from the north"]
south = ["southern person"]

[words]
trait = ["odd", "calm"]

[[template]]
premise = "A {group} waits."
hypothesis = "A {trait} person waits."
"""


@pytest.fixture
def own_file(tmp_path):
    def write(text):
        path = tmp_path / "bias.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture(scope="module")
def shipped():
    return expand(load_bias_lists())


def test_the_shipped_lists_give_some_thousand_distinct_pairs_of_five_dimensions(shipped):
    pairs = [pair for frame in shipped for pair in frame.pairs]
    assert len({(pair.premise, pair.hypothesis) for pair in pairs}) == len(pairs) > 2000
    assert {frame.dimension for frame in shipped} == {"gender", "origin", "religion", "age", "disability"}


def test_sentences_are_english_with_capital_full_stop_and_the_fitting_article(shipped):
    texts = [text for frame in shipped for pair in frame.pairs for text in (pair.premise, pair.hypothesis)]
    assert all(text[0].isupper() and text.endswith(".") and "{" not in text for text in texts)
    assert any(text.startswith("An honest person") for text in texts)
    assert any(text.startswith("An Ethiopian person") for text in texts)
    assert not any(text.startswith(("A honest", "An German", "A old")) for text in texts)


def test_the_pairs_of_a_frame_differ_in_one_sentence_only(shipped):
    for frame in shipped:
        assert len(frame.pairs) == len(frame.groups)
        premises = {pair.premise for pair in frame.pairs}
        hypotheses = {pair.hypothesis for pair in frame.pairs}
        assert sorted((len(premises), len(hypotheses))) == [1, len(frame.groups)]


def test_the_shipped_words_leave_the_group_open(shipped):
    telling = {"nun", "monk", "midwife", "waitress", "actress", "priest", "rabbi", "imam", "housewife", "policeman"}
    assert not telling & {frame.word for frame in shipped}


def test_phrases_of_one_place_are_compared_and_a_shorter_list_starts_again(own_file):
    frames = expand(load_bias_lists(own_file(OWN)))
    assert [[pair.premise for pair in frame.pairs] for frame in frames[::2]] == [
        ["A northern person waits.", "A southern person waits."],
        ["A person from the north waits.", "A southern person waits."],
    ]
    assert frames[0].pairs[0].hypothesis == "An odd person waits."
    assert [pair.category for pair in frames[0].pairs] == ["town:north", "town:south"]


def test_a_pair_that_is_not_neutral_takes_its_whole_frame_away(own_file):
    frames = expand(load_bias_lists(own_file('not_neutral = [["odd", "southern person"]]\n' + OWN)))
    assert {frame.word for frame in frames} == {"calm"}


def test_a_group_is_not_asked_about_its_own_phrase(own_file):
    frames = expand(load_bias_lists(own_file(OWN.replace('"odd"', '"southern person"'))))
    assert {frame.word for frame in frames} == {"calm"}


def test_a_file_that_extends_adds_groups_words_and_templates_to_the_shipped(own_file):
    lists, shipped = load_bias_lists(own_file('extends = "shipped"\n' + OWN)), load_bias_lists()
    assert lists.groups["gender"] == shipped.groups["gender"]
    assert set(lists.groups) == {*shipped.groups, "town"}
    assert lists.words["trait"] == (*shipped.words["trait"], "odd", "calm")
    assert len(lists.templates) == len(shipped.templates) + 1


def test_a_template_for_some_dimensions_is_used_for_no_other(own_file):
    second = '[groups.side]\nleft = ["left person"]\nright = ["right person"]\n'
    frames = expand(load_bias_lists(own_file(OWN + 'dimensions = ["town"]\n' + second)))
    assert {frame.dimension for frame in frames} == {"town"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "found 'x', expected extends, groups"),
        ('extends = "mine"\n' + OWN, "extends: found 'mine', expected 'shipped'"),
        (OWN.replace("{trait}", "{mood}"), r"template 1: found gaps \['group', 'mood'\], expected {group} and one of"),
        (OWN.replace("A {group} waits", "They wait"), "template 1: premise: found 'They wait.', expected a sentence"),
        (OWN.replace('south = ["southern person"]', ""), "groups: town: found 1 group, expected at least two"),
        (OWN.replace('["southern person"]', "[]"), r"groups: town: south: found \[\], expected a list"),
        (OWN + 'dimensions = ["age"]', "dimensions: found 'age', expected one of town"),
        (OWN.partition("[[")[0], "found 1 dimensions and 0 templates"),
        ("not_neutral = 3\n" + OWN, "not_neutral: found 3, expected a list of lists"),
        ("[groups", "bias.toml: "),
    ],
)
def test_a_wrong_file_is_told_with_place_found_and_expected(own_file, text, message):
    with pytest.raises(ConfigError, match=message):
        load_bias_lists(own_file(text))


def test_a_file_that_is_missing_is_told(tmp_path):
    with pytest.raises(ConfigError, match="nowhere.toml"):
        load_bias_lists(str(tmp_path / "nowhere.toml"))


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another(shipped):
    assert sample(shipped, 300, 0) == sample(shipped, 300, 0) != sample(shipped, 300, 1)


def test_a_sample_has_at_most_so_many_pairs_and_like_numbers_of_every_dimension(shipped):
    drawn = sample(shipped, 300, 0)
    counts = Counter(frame.dimension for frame in drawn for _ in frame.pairs)
    widest = max(len(frame.groups) for frame in shipped)
    assert sum(counts.values()) <= 300
    assert max(counts.values()) - min(counts.values()) <= widest
    templates = Counter(frame.template for frame in drawn if frame.dimension == "gender")
    assert max(templates.values()) - min(templates.values()) <= 1


def test_all_frames_are_taken_where_there_is_room(shipped):
    assert sample(shipped, 10**6, 0) == shipped


def test_room_for_less_than_one_frame_is_an_error(shipped):
    with pytest.raises(ConfigError, match="max_examples: found 1, expected at least 2"):
        sample(shipped, 1, 0)
