"""What is excluded is on no path, and the names of it are kept with a run."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from kg_reason.cli import main
from kg_reason.config import ReasonerConfig, RetrieverConfig, StatementConfig
from kg_reason.errors import CheckpointError, ConfigError, UnknownEntityError
from kg_reason.exclusion import counting, excluding, record_names, recorded_names, take_back_names
from kg_reason.kg.building import build_graph
from kg_reason.kg.exclusion import excluded_entities, excluded_relations, sort_names
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounder
from kg_reason.kg.interchange import export_graph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.paths import describe_path
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.search import ENDLESS
from kg_reason.kg.triples import Source, Triple
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner

PAIR = ("A man plays a violin.", "A woman plays a cello.")
RELATIONS = ("kindOf", "hasKind", "opposite", "partOf", "likes")


def chance_graph(generator):
    """A graph of 24 words with chance edges; hasKind states some or all of the edges of kindOf the other way round."""
    names = [f"thing{chr(97 + number)}" for number in range(24)]
    edges = set()
    for head in range(1, 24):
        edges.add((names[head], "kindOf", names[generator.randrange(head)]))
    if generator.random() < 0.7:
        told = generator.choice((0.8, 1.0))
        edges |= {(tail, "hasKind", head) for head, _, tail in sorted(edges) if generator.random() < told}
    for _ in range(40):
        relation = generator.choice(RELATIONS[2:])
        edges.add((generator.choice(names), relation, generator.choice(names)))
    rows = [(f"t:{head}", f"t:{relation}", f"t:{tail}") for head, relation, tail in sorted(edges)]
    rows += [(f"t:{name}", "http://www.w3.org/2000/01/rdf-schema#label", name) for name in names]
    graph = KnowledgeGraph.from_triples(
        [Triple(*row, Source("chance.tsv", line), language="en") for line, row in enumerate(rows, start=1)]
    )
    return graph, names


def chance_pairs(generator, names):
    def sentence():
        return " ".join(generator.sample(names, 3))

    return [NLIExample(sentence(), sentence()) for _ in range(6)]


def touched(graph, grounding):
    """Return the edges, relations and entities of all paths, as the table has them and as they are shown."""
    paths, relations, entities = grounding.paths, set(), set()
    for row in range(paths.num_paths):
        length = int(paths.length[row])
        entities |= set(paths.entities[row, : length + 1].tolist())
        relations |= set(paths.relations[row, :length].tolist())
        for edge in paths.edges[row, :length].tolist():
            relations.add(int(graph.edge_relation[edge]))
            entities |= {int(graph.edge_head[edge]), int(graph.edge_tail[edge])}
    return relations, entities


@pytest.mark.parametrize("seed", range(30))
def test_no_path_uses_an_excluded_relation_or_its_inverse_or_touches_an_excluded_entity(seed):
    generator = random.Random(seed)
    graph, names = chance_graph(generator)
    linker = EntityLinker(graph)
    present = [name for name in RELATIONS if f"t:{name}" in {graph.relation_id(r) for r in range(graph.num_relations)}]
    taxonomic = ("kind of",) if seed % 2 else ("has kind",)
    base = RetrieverConfig(max_hops=4, taxonomic_relations=taxonomic, max_degree=generator.choice((2, 400)))
    examples = chance_pairs(generator, names)
    before = [Grounder(linker, Retriever(graph, base)).ground(example) for example in examples]
    assert any(grounding.has_evidence for grounding in before)
    for _ in range(6):
        config = replace(
            base,
            exclude_relations=tuple(f"t:{name}" for name in generator.sample(present, generator.randint(0, 2))),
            exclude_entities=tuple(generator.sample(names, generator.randint(0, 4))),
        )
        retriever = Retriever(graph, config)
        relations = excluded_relations(graph, config.exclude_relations)
        relations |= {int(retriever.inverse[relation]) for relation in relations} - {-1}
        entities = excluded_entities(graph, config.exclude_entities)
        for example in examples:
            used, met = touched(graph, Grounder(linker, retriever).ground(example))
            assert not used & relations
            assert not met & entities


def test_the_answers_of_a_chance_graph_rest_only_on_what_is_allowed(tiny_encoder, make_reasoner):
    generator = random.Random(5)
    graph, names = chance_graph(generator)
    reasoner = make_reasoner(graph=graph, gate_bias=1.0)
    examples = chance_pairs(generator, names)
    excluded = ["opposite", names[0], names[3]]
    without = excluding(reasoner, excluded)
    known = {graph.entity_id(entity) for name in excluded[1:] for entity in graph.find_entities(name)}
    seen = 0
    for example, answer in zip(examples, without.predict_examples(examples), strict=True):
        for evidence in answer.evidence:
            seen += 1
            for step in evidence.path.steps:
                assert step.relation != "opposite"
                assert not {step.head, step.tail} & known
        for label in reasoner.labels:
            added = sum(evidence.contribution[label] for evidence in answer.evidence)
            assert answer.answer.logits[label] == pytest.approx(answer.text_answer.logits[label] + added, abs=1e-5)
        assert answer.text_answer.logits == pytest.approx(
            reasoner.predict_examples([example])[0].text_answer.logits, abs=1e-5
        )
    assert seen > 0
    assert any(
        step.relation == "opposite" or {step.head, step.tail} & known
        for answer in reasoner.predict_examples(examples)
        for evidence in answer.evidence
        for step in evidence.path.steps
    )


def test_weights_are_shared_and_the_first_reasoner_stays_as_it_is(make_reasoner):
    reasoner = make_reasoner(gate_bias=1.0)
    before = reasoner.predict([PAIR])
    without = excluding(reasoner, ["antonym", "bowed instrument"])
    assert without.model is reasoner.model
    assert without.config.retriever.exclude_relations == ("antonym",)
    assert without.config.retriever.exclude_entities == ("bowed instrument",)
    assert reasoner.predict([PAIR]) == before
    assert [str(item.path) for item in before[0].evidence] != [str(p.path) for p in without.predict([PAIR])[0].evidence]
    again = excluding(without, ["man"])
    assert again.config.retriever.exclude_entities == ("bowed instrument", "man")


def test_another_sense_of_the_word_may_still_start_a_path():
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    rows = [
        ("t:river", "t:hypernym", "t:water"), ("t:finance", "t:hypernym", "t:company"), ("t:river", label, "bank"),
        ("t:finance", label, "bank"), ("t:water", label, "water"), ("t:company", label, "company"),
    ]  # fmt: skip
    graph = KnowledgeGraph.from_triples(
        [Triple(*row, Source("banks.tsv", line), language="en") for line, row in enumerate(rows, start=1)]
    )
    example = NLIExample("The bank.", "The company and the water.")
    for name, expected in (
        ("t:river", ["bank -[hypernym]-> company"]), ("t:finance", ["bank -[hypernym]-> water"]), ("bank", []),
    ):  # fmt: skip
        retriever = Retriever(graph, RetrieverConfig(exclude_entities=(name,), hypothesis_paths=False))
        paths = Grounder(EntityLinker(graph), retriever).ground(example).paths
        assert [str(describe_path(graph, paths, row)) for row in range(paths.num_paths)] == expected


def test_an_unknown_name_is_named(toy_graph, make_reasoner):
    with pytest.raises(UnknownEntityError, match="exclude_entities: the graph has no entity 'zither'"):
        Retriever(toy_graph, RetrieverConfig(exclude_entities=("zither",)))
    with pytest.raises(UnknownEntityError, match="neither a relation nor an entity 'zither'"):
        excluding(make_reasoner(), ["man", "zither"])


def test_a_name_that_is_a_relation_and_an_entity_means_the_relation(toy_graph):
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    rows = [("t:a", "t:cause", "t:b"), ("t:a", label, "cause"), ("t:b", label, "effect")]
    graph = KnowledgeGraph.from_triples([Triple(*row, Source("x.tsv", 1), language="en") for row in rows])
    assert sort_names(graph, ["cause", "effect", "t:a", "cause"]) == (("cause",), ("effect", "t:a"))


def test_another_exclusion_has_another_cache(toy_graph):
    linker = EntityLinker(toy_graph)
    keys = {
        Grounder(linker, Retriever(toy_graph, RetrieverConfig(exclude_entities=names))).cache_key()
        for names in ((), ("man",), ("woman",))
    }
    assert len(keys) == 3


def test_of_three_relations_that_state_the_same_edges_one_takes_the_others_with_it():
    rows = [(f"t:n{n}", "t:kindOf", f"t:n{n // 2}") for n in range(1, 40)]
    rows += [(tail, name, head) for head, _, tail in rows for name in ("t:hasKind", "t:narrower")]
    graph = KnowledgeGraph.from_triples([Triple(*row, Source("x.tsv", 1)) for row in rows])
    for name in ("kind of", "has kind", "narrower"):
        assert not Retriever(graph, RetrieverConfig(exclude_relations=(name,))).walkable().any()
    assert Retriever(graph).walkable().any()


# ---- runs


@pytest.fixture
def run(tmp_path, toy_graph, tiny_encoder, make_reasoner):
    export_graph(toy_graph, tmp_path / "toy.nt", "nt")
    build_graph([str(tmp_path / "toy.nt")], tmp_path / "kg")
    make_reasoner(graph=KnowledgeGraph.open(tmp_path / "kg"), gate_bias=1.0).save(tmp_path / "run")
    return tmp_path / "run"


def paths_of(folder):
    return [str(evidence.path) for evidence in Reasoner.load(folder).predict([PAIR])[0].evidence]


def test_a_run_keeps_what_it_excludes(run):
    before, logits = paths_of(run), Reasoner.load(run).predict([PAIR])[0].text_answer.logits
    assert any("antonym" in path for path in before)
    assert any("bowed instrument" in path for path in before)
    assert record_names(run, ["antonym"]) == (("antonym",), ())
    assert record_names(run, ["bowed instrument", "antonym"]) == (("antonym",), ("bowed instrument",))
    assert recorded_names(run) == (("antonym",), ("bowed instrument",))
    after = paths_of(run)
    assert not any("antonym" in path or "bowed instrument" in path for path in after)
    assert Reasoner.load(run).predict([PAIR])[0].text_answer.logits == logits
    assert take_back_names(run, ["antonym", "bowed instrument"]) == ((), ())
    assert paths_of(run) == before


def test_what_cannot_be_excluded_or_taken_back_leaves_the_run_as_it_is(run, tmp_path):
    saved = (run / "config.json").read_bytes()
    with pytest.raises(UnknownEntityError, match="'zither'"):
        record_names(run, ["antonym", "zither"])
    with pytest.raises(ConfigError, match="found no exclusion of 'antonym', expected one of: none"):
        take_back_names(run, ["antonym"])
    with pytest.raises(CheckpointError, match="missing"):
        record_names(tmp_path / "nothing", ["antonym"])
    assert (run / "config.json").read_bytes() == saved


def test_a_run_of_before_this_setting_opens(run):
    saved = json.loads((run / "config.json").read_text())
    del saved["settings"]["retriever"]["exclude_entities"]
    (run / "config.json").write_text(json.dumps(saved))
    assert Reasoner.load(run).config.retriever == RetrieverConfig()
    assert ReasonerConfig.from_json(saved["settings"]).retriever.exclude_entities == ()


def test_the_command_shows_records_and_takes_back(run, capsys):
    assert main(["exclude", str(run)]) == 0
    assert capsys.readouterr().out == f"{run} excludes nothing\n"
    assert main(["exclude", str(run), "antonym", "bowed instrument", "--json"]) == 0
    expected = {"exclude_relations": ["antonym"], "exclude_entities": ["bowed instrument"]}
    assert json.loads(capsys.readouterr().out) == expected
    assert main(["exclude", str(run), "antonym", "--undo"]) == 0
    assert capsys.readouterr().out == f"{run} excludes\n  entities   bowed instrument\n"
    assert main(["exclude", str(run), "--undo"]) == 2
    assert main(["exclude", str(run), "zither"]) == 1
    assert "neither a relation nor an entity 'zither'" in capsys.readouterr().err


def test_a_flag_excludes_for_one_call_and_so_does_a_file(run, tmp_path, capsys):
    def paths(*arguments):
        assert main(["query", str(run), *PAIR, "--json", *arguments]) == 0
        return [
            step["relation"] for path in json.loads(capsys.readouterr().out)["paths"] for step in path["steps"]
        ]  # fmt: skip

    assert {"antonym", "hypernym"} <= set(paths())
    assert "antonym" not in paths("--exclude", "antonym")
    assert paths("--exclude", "antonym", "--exclude", "hypernym") == []
    (tmp_path / "flags.toml").write_text('exclude = ["antonym", "hypernym"]\n')
    assert paths("--config", str(tmp_path / "flags.toml")) == []
    assert {"antonym", "hypernym"} <= set(paths())


def test_a_reasoner_answers_by_the_statements_that_count(run, capsys):
    reasoner = Reasoner.load(run)
    assert counting(reasoner, StatementConfig()) is reasoner
    other = counting(reasoner, StatementConfig(exclude_sources=("toy.nt",)))
    assert (other.graph.num_edges, other.model is reasoner.model) == (0, True)
    assert reasoner.predict([PAIR])[0].evidence
    assert not other.predict([PAIR])[0].evidence
    assert main(["query", str(run), *PAIR, "--json", "--exclude-sources", "toy.nt"]) == 0
    assert json.loads(capsys.readouterr().out)["paths"] == []


def test_grounding_is_the_same_as_of_a_retriever_with_these_settings(make_reasoner):
    reasoner = make_reasoner()
    without = excluding(reasoner, ["antonym"])
    retriever = Retriever(reasoner.graph, RetrieverConfig(exclude_relations=("antonym",)))
    (found,) = without.ground_all([NLIExample(*PAIR)])
    expected = Grounder(reasoner.grounder.linker, retriever).ground(NLIExample(*PAIR))
    assert np.array_equal(found.paths.edges, expected.paths.edges)


def test_no_setting_lets_a_path_through_an_excluded_entity_as_through_a_hub():
    with pytest.raises(ConfigError, match="max_degree: found 1073741824, expected at most 1000000000"):
        RetrieverConfig(max_degree=ENDLESS)
