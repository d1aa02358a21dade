"""kg_reason.synthesis.facts, with fact_changes and fact_moves: pairs and claims that say facts of a graph."""

import re
from collections import Counter

import pytest

from kg_reason.config import SynthesisConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.triples import Source, Triple
from kg_reason.nli import Label
from kg_reason.synthesis.generator import synthesize
from tests.conftest import TOY_EDGES, TOY_LABELS

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
FUNCTIONAL = "http://www.w3.org/2002/07/owl#FunctionalProperty"
CITIES = {"Warsaw": "Poland", "Krakow": "Poland", "Lyon": "France", "Nice": "France", "Turin": "Italy", "Bari": "Italy"}
COUNTRIES = {"Poland": "Warsaw", "France": "Paris", "Italy": "Rome"}
BORN = {
    "Ada Nowak": "Warsaw", "Jan Kos": "Krakow", "Luc Roy": "Lyon", "Eve Petit": "Nice", "Ugo Neri": "Turin",
    "Pia Riva": "Bari", "Max Nobody": "Poland",
}  # fmt: skip
SPEAKS = {"Ada Nowak": ("Polish", "Latin"), "Luc Roy": ("French",), "Ugo Neri": ("Italian",), "Pia Riva": ("Greek",)}
BADGES = {"Ada Nowak": "Badge One", "Luc Roy": "Badge Two", "Pia Riva": "Badge Three"}
FACTS = [
    *((city, "located in", country) for city, country in CITIES.items()),
    *((capital, "located in", country) for country, capital in COUNTRIES.items()),
    *((country, "located in", "Europe") for country in COUNTRIES),
    *((capital, "capital of", country) for country, capital in COUNTRIES.items()),
    *((person, "born in", place) for person, place in BORN.items()),
    *((person, "speaks", language) for person, languages in SPEAKS.items() for language in languages),
    *((person, "wears", badge) for person, badge in BADGES.items()),
]


def key(text):
    return "ex:" + text.replace(" ", "_")


def world():
    names = sorted({end for head, _, tail in FACTS for end in (head, tail)})
    triples = [Triple(key(head), key(relation), key(tail), Source("f", 1)) for head, relation, tail in FACTS]
    triples += [Triple(key(text), LABEL, text, Source("f", 2), language="en") for text in names]
    triples.append(Triple(key("wears"), TYPE, FUNCTIONAL, Source("f", 3)))
    return KnowledgeGraph.from_triples(triples)


@pytest.fixture(scope="module")
def graph():
    return world()


def make(graph, retriever=None, **settings):
    plain = {"num_pairs": 400, "fact_fraction": 1.0, "nonce_fraction": 0.0, **settings}
    examples = synthesize(graph, EntityLinker(graph), (), SynthesisConfig(**plain), retriever=retriever)
    return [example for example in examples if example.category.startswith(("fact", "claim"))]


@pytest.fixture(scope="module")
def made(graph):
    return make(graph)


def fact(text):
    """Read a sentence of this world back into a fact."""
    for words, relation in (
        (" is located in ", "located in"), (" is the capital of ", "capital of"), (" was born in ", "born in"),
        (" speaks ", "speaks"),
    ):  # fmt: skip
        if words in text:
            return (text.split(words)[0], relation, text.split(words)[1].removesuffix("."))
    return ("", "", "")


def inside(place):
    """Return the places around a place."""
    country = CITIES.get(place) or next((each for each, capital in COUNTRIES.items() if capital == place), "")
    return {country, "Europe"} if country else {"Europe"} if place in COUNTRIES else set()


def follows(stated):
    head, relation, tail = stated
    return any(
        known == stated or (known[:2] == (head, relation) and relation != "speaks" and tail in inside(known[2]))
        for known in FACTS
    )


def test_every_premise_is_a_fact_and_every_claim_has_none(made):
    assert {example.category.split()[0] for example in made} == {"fact", "claim"}
    for example in made:
        is_claim = example.category.startswith("claim")
        assert (example.premise == "") == (example.justification is None) == is_claim
        if not is_claim and "badge" not in example.premise.lower():
            assert fact(example.premise) in FACTS


def test_a_tail_above_follows_and_one_below_is_open(made):
    labels = {}
    for example in made:
        if example.category in ("fact up", "fact down"):
            stated, said = fact(example.premise), fact(example.hypothesis)
            labels.setdefault(example.category, set()).add(example.label)
            wider, narrower = (said, stated) if example.category == "fact up" else (stated, said)
            assert wider[:2] == narrower[:2]
            assert wider[2] in inside(narrower[2])
            assert example.justification.facts
    assert labels == {"fact up": {Label.ENTAILMENT}, "fact down": {Label.NEUTRAL}}


def test_another_tail_of_a_functional_relation_contradicts_and_of_another_is_open(made):
    for example in made:
        if example.category in ("fact functional", "fact other tail"):
            stated, said = fact(example.premise), fact(example.hypothesis)
            is_functional = stated[1] != "speaks"
            assert example.label is (Label.CONTRADICTION if is_functional else Label.NEUTRAL)
            if stated[1]:
                assert said[2] not in inside(stated[2])
                assert stated[2] not in inside(said[2])
                assert not follows(said)
    assert {"fact functional", "fact other tail"} <= {example.category for example in made}


def test_functional_relations_are_also_those_that_the_graph_calls_so(made):
    badges = [example for example in made if "Badge" in example.hypothesis and example.category == "fact functional"]
    assert badges
    assert not [example for example in made if "Badge" in example.hypothesis and example.category == "fact other tail"]


def test_another_head_is_open_but_where_there_is_one_head_only(made):
    kinds = {}
    for example in made:
        if example.category in ("fact other head", "fact one head"):
            stated, said = fact(example.premise), fact(example.hypothesis)
            assert stated[1:] == said[1:]
            assert not follows(said)
            assert (stated[0] in COUNTRIES) == (said[0] in COUNTRIES)
            kinds.setdefault((stated[1] == "capital of", example.label), 0)
    assert set(kinds) == {(False, Label.NEUTRAL), (True, Label.CONTRADICTION)}


def test_claims_say_what_follows_what_is_excluded_and_what_is_open(made):
    found = {}
    for example in made:
        said = fact(example.hypothesis)
        if not example.premise and said[1]:
            found.setdefault(example.category, set()).add(example.label)
            assert follows(said) == (example.label is Label.ENTAILMENT)
            if example.category == "claim unknown":
                assert said[1] == "speaks"
    assert found == {
        "claim": {Label.ENTAILMENT}, "claim up": {Label.ENTAILMENT}, "claim wrong tail": {Label.CONTRADICTION},
        "claim unknown": {Label.NEUTRAL},
    }  # fmt: skip


def test_exchanged_entities_take_invented_words_whose_places_are_told(graph):
    examples = make(graph, Retriever(graph), nonce_fraction=1.0, num_pairs=90)
    assert len({example.category for example in examples}) > 6
    for example in examples:
        assert len(example.names) == 2
        for entity in example.names.values():
            assert graph.find_id(entity) >= 0
        if example.justification is None:
            assert all(name in example.hypothesis.lower() for name in example.names)
            continue
        reason = example.justification
        for text, word in ((example.premise, reason.premise_word), (example.hypothesis, reason.hypothesis_word)):
            assert example.names[text[word.start : word.end].lower()] == word.entity


def test_places_of_real_words_are_exact(graph, made):
    for example in made:
        if example.justification is not None:
            reason = example.justification
            for text, word in ((example.premise, reason.premise_word), (example.hypothesis, reason.hypothesis_word)):
                assert text[word.start : word.end] == graph.entity_label(graph.find_id(word.entity))


def test_labels_are_even_nothing_comes_twice_and_seeds_decide(graph):
    examples = make(graph, num_pairs=60)
    counts = Counter(example.label for example in examples)
    assert len(counts) == 3
    assert min(counts.values()) >= 12
    assert max(counts.values()) <= 20
    assert len({(example.premise, example.hypothesis) for example in examples}) == len(examples)
    assert make(graph, num_pairs=60) == examples
    assert make(graph, num_pairs=60, synthesis_seed=1) != examples


def test_the_share_of_fact_pairs_is_as_set(toy_graph):
    for share in (0.0, 0.5):
        config = SynthesisConfig(num_pairs=40, fact_fraction=share)
        made = synthesize(toy_graph, EntityLinker(toy_graph), (), config)
        facts = [example for example in made if example.category.startswith(("fact", "claim"))]
        assert len(made) > 30
        assert bool(facts) == bool(share)
        assert len(facts) <= 40 * share


def test_a_kind_excludes_its_sisters_and_is_what_is_above_it(toy_graph):
    config = SynthesisConfig(num_pairs=200, fact_fraction=1.0, nonce_fraction=0.0)
    made = synthesize(toy_graph, EntityLinker(toy_graph), (), config)
    labels = {entity: text for entity, text, rank in reversed(TOY_LABELS) if rank == 1}
    parents = {labels[head]: labels[tail] for head, relation, tail in TOY_EDGES if relation == "ex:hypernym"}
    found = Counter()
    for example in made:
        said = re.fullmatch(r"An? (.+) is an? (.+)\.", example.hypothesis)
        if not example.premise and said:
            above, kind = set(), said[1]
            while kind in parents:
                kind = parents[kind]
                above.add(kind)
            assert (said[2] in above) == (example.label is Label.ENTAILMENT)
            found[example.label] += 1
    assert found[Label.ENTAILMENT] > 3
    assert found[Label.CONTRADICTION] > 3


def test_what_is_in_two_wholes_leads_to_neither(tmp_path):
    more = [
        Triple(key("Ada Nowak"), key("born in"), key("Warsaw"), Source("f", 1)),
        Triple(key("Warsaw"), key("located in"), key("Poland"), Source("f", 1)),
        Triple(key("Poland"), key("located in"), key("Europe"), Source("f", 1)),
        Triple(key("Poland"), key("located in"), key("Some Union"), Source("f", 1)),
    ]
    graph = KnowledgeGraph.from_triples(more)
    table = tmp_path / "mine.toml"
    table.write_text('extends = "shipped"\n[templates]\n"born in" = "{tail} is where {head} was born."\n')
    said = {example.hypothesis for example in make(graph, relation_table=str(table)) if "up" in example.category}
    assert said >= {"Poland is where Ada Nowak was born."}
    assert not any("Europe" in text or "Union" in text for text in said if "born" in text)
