"""Paths as people read them."""

import numpy as np
import pytest

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import Candidate, Mention
from kg_reason.kg.path_features import NUM_PATH_FEATURES, PATH_FEATURES
from kg_reason.kg.paths import PathTable, describe_path
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.triples import Source, Triple
from tests.conftest import LABEL


@pytest.fixture
def paths(toy_graph):
    first, second = (
        Mention(0, 1, name, name, (Candidate(toy_graph.entity(name), 1.0, 0),)) for name in ("ex:violin", "ex:cello")
    )
    return Retriever(toy_graph).retrieve([first], [second])


def test_every_step_shows_its_edge_as_stated_with_file_and_line(toy_graph, paths):
    path = describe_path(toy_graph, paths, 0)
    assert [(step.head, step.relation, step.tail, step.forward) for step in path.steps] == [
        ("ex:violin", "hypernym", "ex:bowedInstrument", True),
        ("ex:cello", "hypernym", "ex:bowedInstrument", False),
    ]
    assert path.source_lines() == ("toy.tsv:1", "toy.tsv:2")
    assert str(path) == "violin -[hypernym]-> bowed instrument <-[hypernym]- cello"


def test_entities_are_shown_by_their_labels_in_the_language_asked_for():
    names = {"ex:dog": ('"dog"@en', '"chien"@fr'), "ex:animal": ('"animal"@en', '"bête"@fr')}
    source = Source("labels.tsv", 1)
    triples = [Triple(entity, LABEL, text, source) for entity, texts in names.items() for text in texts]
    graph = KnowledgeGraph.from_triples([*triples, Triple("ex:dog", "ex:isA", "ex:animal", Source("facts.tsv", 1))])
    first, second = (
        Mention(0, 1, name, name, (Candidate(graph.entity(name), 1.0, -1),)) for name in ("ex:dog", "ex:animal")
    )
    found = Retriever(graph).retrieve([first], [second])
    assert str(describe_path(graph, found, 0, language="en")) == "dog -[is a]-> animal"
    assert str(describe_path(graph, found, 0, language="fr")) == "chien -[is a]-> bête"
    named = [*triples, Triple("ex:isA", LABEL, '"est un"@fr', source), Triple("ex:isA", LABEL, '"is a"@en', source)]
    graph = KnowledgeGraph.from_triples([*named, Triple("ex:dog", "ex:isA", "ex:animal", Source("facts.tsv", 1))])
    first, second = (
        Mention(0, 1, name, name, (Candidate(graph.entity(name), 1.0, -1),)) for name in ("ex:dog", "ex:animal")
    )
    found = Retriever(graph).retrieve([first], [second])
    assert str(describe_path(graph, found, 0, language="fr-BE")) == "chien -[est un]-> bête"
    assert str(describe_path(graph, found, 0, language="de")).split("-")[1] == "[is a]"
    again = Mention(0, 1, "x", "x", first.candidates)
    same = Retriever(graph).retrieve([first], [again])
    assert str(describe_path(graph, same, 0, language="fr")) == "chien -[synonym]-> chien"


def test_plain_data_of_a_step_has_the_names_that_every_face_speaks(toy_graph, paths):
    step = describe_path(toy_graph, paths, 0).to_json()["steps"][1]
    assert step == {
        "head": "ex:cello", "head_label": "cello", "relation": "hypernym", "tail": "ex:bowedInstrument",
        "tail_label": "bowed instrument", "forward": False, "sources": ["toy.tsv:2"], "inferred": False,
    }


def test_a_table_can_be_cut(paths):
    assert paths.take(slice(0, 0)).num_paths == 0
    assert paths.take(np.array([0, 0])).num_paths == 2
    assert paths.take(np.array([True])).entities.tolist() == paths.entities.tolist()


def test_every_feature_has_a_name_of_its_own(paths):
    assert len(set(PATH_FEATURES)) == NUM_PATH_FEATURES == paths.features.shape[1]
    assert PathTable.empty().features.shape == (0, NUM_PATH_FEATURES)
