import pytest

from kg_reason.config import LinkerConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.triples import Source, Triple

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"

# A plural that is also a label of its own: crews are called men, weapons arms; stairs are only a plural.
LABELS = [
    ("man", "man", "n"), ("crew", "men", "n"), ("arm", "arm", "n"), ("weapons", "arms", "n"),
    ("flight", "stairs", "n"), ("to_saw", "saw", "v"), ("to_see", "see", "v"), ("work", "works", "v"),
]  # fmt: skip
EDGES = [
    ("man", "kind of", "person"), ("boy", "kind of", "man"), ("crew", "kind of", "group"),
    ("arm", "part of", "body"), ("gun", "kind of", "weapons"), ("sword", "kind of", "weapons"),
]  # fmt: skip


@pytest.fixture(scope="module")
def linker():
    labels = [
        Triple(entity, LABEL, text, Source("all.tsv", line), rank=1, language="en", pos=pos)
        for line, (entity, text, pos) in enumerate(LABELS, start=1)
    ]
    edges = [Triple(*edge, Source("all.tsv", line)) for line, edge in enumerate(EDGES, start=len(labels) + 1)]
    graph = KnowledgeGraph.from_triples([*labels, *edges])
    return EntityLinker(graph, LinkerConfig(popularity_weight=0.1))


def candidates(linker, text):
    """Entity id -> score of each candidate of the last mention, best first."""
    found = linker.link(text)[-1].candidates
    return {linker.graph.entity_id(candidate.entity): candidate.score for candidate in found}


def test_a_plural_is_the_plural_of_its_singular_unless_its_own_label_is_better_connected(linker):
    assert list(candidates(linker, "two men")) == ["man", "crew"]
    assert list(candidates(linker, "two arms")) == ["weapons", "arm"]


def test_a_plural_without_a_singular_loses_nothing(linker):
    assert candidates(linker, "the stairs") == {"flight": 1.0}


def test_a_verb_that_is_also_a_form_of_another_is_weighed_as_before(linker):
    assert list(candidates(linker, "They will saw.")) == ["to_saw", "to_see"]
    assert list(candidates(linker, "They saw.")) == ["to_see", "to_saw"]
