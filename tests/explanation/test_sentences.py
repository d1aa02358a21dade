"""Paths are said in words, whichever way their edges are walked."""

import pytest

from kg_reason.explanation.sentences import say_path
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.paths import Path, Step
from kg_reason.kg.triples import Source, Triple

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


def path_of(*steps):
    """A path from (head, relation, tail) or, walked backward, (tail, "^relation", head)."""
    made = []
    for near, relation, far in steps:
        name = relation.lstrip("^")
        head, tail = (far, near) if relation.startswith("^") else (near, far)
        made.append(Step(head, head, name, tail, tail, not relation.startswith("^"), (Source("a.tsv", 1),)))
    return Path(tuple(made), 0, 1, 1.0)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (
            [("violin", "hypernym", "bowed instrument"), ("bowed instrument", "hypernym", "string instrument")],
            "a violin is a kind of bowed instrument, which is a kind of string instrument",
        ),
        ([("instrument", "^hypernym", "violin")], "one kind of instrument is a violin"),
        (
            [("dog", "hypernym", "animal"), ("animal", "^hypernym", "cat")],
            "a dog is a kind of animal, one kind of which is a cat",
        ),
        ([("animal", "hyponym", "owl")], "one kind of animal is an owl"),
        ([("Paris", "instance of", "city")], "Paris is an example of city"),
        ([("city", "^instance of", "Paris")], "one example of city is Paris"),
        ([("hot", "antonym", "cold")], "hot is the opposite of cold"),
        ([("finger", "part of", "hand")], "a finger is part of a hand"),
        ([("hand", "^part of", "finger")], "one part of a hand is a finger"),
        (
            [("arm", "^part of", "hand"), ("hand", "^part of", "finger")],
            "one part of an arm is a hand, one part of which is a finger",
        ),
        ([("violin", "synonym", "fiddle")], "violin means the same as fiddle"),
        ([("dog", "synonym", "dog")], 'both words mean "dog"'),
        ([("virus", "causes", "fever")], "a virus causes fever"),
    ],
)
def test_relations_of_a_known_kind_have_phrases_both_ways(steps, said):
    assert say_path(path_of(*steps)) == said


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([("Marie Curie", "place of birth", "Warsaw")], "Marie Curie was born in Warsaw"),
        ([("Warsaw", "^place of birth", "Marie Curie")], "Marie Curie was born in Warsaw"),
        (
            [("Marie Curie", "place of birth", "Warsaw"), ("Warsaw", "^place of birth", "Anna Rau")],
            "Marie Curie was born in Warsaw, and Anna Rau was born in Warsaw",
        ),
        (
            [("Warsaw", "^place of birth", "Marie Curie"), ("Marie Curie", "occupation", "chemist")],
            "Marie Curie was born in Warsaw, and Marie Curie works as a chemist",
        ),
        ([("violin", "made in", "1721")], "a violin is made in 1721"),
        ([("violin", "owner", "teacher")], "the owner of a violin is a teacher"),
    ],
)
def test_other_relations_are_said_by_the_table_or_the_shape_of_their_name(steps, said):
    assert say_path(path_of(*steps)) == said


def test_relations_and_labels_in_another_script_stand_as_they_are():
    assert say_path(path_of(("小提琴", "制造于", "意大利"))) == "小提琴 has the relation “制造于” to 意大利"
    assert say_path(path_of(("كمان", "hypernym", "آلة"))) == "كمان is a kind of آلة"


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("hour", "an hour"), ("unicorn", "a unicorn"), ("water", "water"), ("trousers", "trousers"), ("glass", "glass"),
        ("Lake Erie", "Lake Erie"), ("dogs", "dogs"), ("tall", "tall"),
    ],
)  # fmt: skip
def test_only_nouns_that_can_have_one_get_an_article(label, said):
    assert say_path(path_of((label, "hypernym", "thing"))).removesuffix(" is a kind of thing") == said


def test_verbs_of_the_graph_are_ways_to_do_something():
    rows = [("e:run", "run"), ("e:move", "move")]
    triples = [Triple(key, LABEL, text, Source("a.tsv", 1), language="en", pos="v") for key, text in rows]
    graph = KnowledgeGraph.from_triples([*triples, Triple("e:run", "e:hypernym", "e:move", Source("a.tsv", 3))])
    step = Step("e:run", "run", "hypernym", "e:move", "move", True, ())
    back = Step("e:run", "run", "hypernym", "e:move", "move", False, ())
    assert say_path(Path((step,), 0, 1, 1.0), graph) == "to run is a way to move"
    assert say_path(Path((back,), 0, 1, 1.0), graph) == "one way to move is to run"
    assert say_path(Path((step,), 0, 1, 1.0)) == "a run is a kind of move"
