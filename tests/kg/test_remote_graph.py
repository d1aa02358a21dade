"""A part of a remote graph answers as the whole graph does: mentions, scores, paths and what is measured of them."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess

import pytest

from kg_reason.config import EndpointConfig, LinkerConfig, RetrieverConfig
from kg_reason.errors import ConfigError, EndpointError, UnknownEntityError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounder
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.paths import describe_path
from kg_reason.kg.remote_graph import RemoteGraph
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.sparql_client import SparqlClient
from kg_reason.nli import NLIExample
from tests.conftest import LABEL
from tests.kg.sparql_server import allow_loopback, bindings, send
from tests.kg.test_extract import EX, toy_lines, whole

QUICK = {"query_pause": 0.0}
OXIGRAPH = shutil.which("oxigraph")
PAIRS = [
    ("A man plays a fiddle.", "A woman plays string instruments."),
    ("The dog is hot.", "The CAT is cold!"),
    ("", "A cello is an instrument."),
    ("Two boys watch the drum.", "Some person has a bowed instrument."),
    ("A woman waves to a man.", "A man waves to a man."),
    ("The violin of 1721.", "A guitar of 1721."),
]


def remote(url: str, *, linking=None, search=None, **settings) -> RemoteGraph:
    return RemoteGraph(SparqlClient(url, EndpointConfig(**{**QUICK, **settings})), linking, search)


def answers(graph: KnowledgeGraph, example: NLIExample, linking=None, search=None) -> tuple[list, list]:
    """Mentions with candidates and scores, and paths as they are told and measured; nothing names an id."""
    grounding = Grounder(EntityLinker(graph, linking), Retriever(graph, search)).ground(example)
    mentions = [
        (item.start, item.end, item.key, [(graph.entity_id(found.entity), found.score) for found in item.candidates])
        for item in (*grounding.premise_mentions, *grounding.hypothesis_mentions)
    ]
    told = [describe_path(graph, grounding.paths, row, language="en") for row in range(grounding.paths.num_paths)]
    keys = [
        [graph.entity_id(entity) for entity in row[: length + 1]]
        for row, length in zip(grounding.paths.entities.tolist(), grounding.paths.length.tolist(), strict=True)
    ]
    return mentions, list(zip(map(str, told), keys, grounding.paths.features.tolist(), strict=True))


def world(seed: int, num_entities: int = 400, num_names: int = 60) -> tuple[str, list[tuple[str, str]]]:
    """A graph with a hierarchy stated both ways, hubs, values, loops, shared names and blank nodes; pairs about it."""
    choose = random.Random(seed)
    names = ["".join(choose.choices("bdfgklmnprtvz", k=1) + choose.choices("aeiou", k=1)) * 2 for _ in range(900)]
    names = sorted(set(names))[:num_names]
    lines = []

    def state(head: str, relation: str, tail: str) -> None:
        lines.append(f"{head} <{EX}{relation}> {tail} .")

    for number in range(num_entities):
        here = f"<{EX}e{number}>"
        if number:
            parent = f"<{EX}e{choose.randrange(number) // 3}>"
            state(here, "hypernym", parent)
            state(parent, "hyponym", here)
        for relation in ("near", "alike", "opposite"):
            if choose.random() < 0.5:
                other = f"<{EX}e{choose.randrange(num_entities)}>"
                state(here, relation, other)
                if relation == "opposite" or (relation == "alike" and choose.random() < 0.5):
                    state(other, relation, here)
        if choose.random() < 0.3:
            state(here, "kind", f"<{EX}e{choose.choice((1, 2))}>")  # hubs
        if choose.random() < 0.2:
            state(here, "since", f'"{choose.randrange(1900, 1906)}"^^<http://www.w3.org/2001/XMLSchema#gYear>')
        if choose.random() < 0.1:
            state(here, "near", f"_:b{number}")  # its own: no path leads on
        for name in choose.sample(names, choose.choice((0, 1, 1, 2))):
            lines.append(f'{here} <{LABEL}> "{name}"{choose.choice(("@en", ""))} .')
    lines.append(f'<{EX}near> <{LABEL}> "close to"@en .')
    told = [*names, "1903"]
    pairs = [
        (f"The {choose.choice(told)} has {' and '.join(choose.sample(told, 2))}.", f"Some {choose.choice(told)}s are "
         f"{choose.choice(told)}.")
        for _ in range(12)
    ]  # fmt: skip
    return "\n".join(lines) + "\n", pairs


@pytest.mark.parametrize("pair", PAIRS)
def test_a_question_to_the_toy_graph_is_answered_as_by_the_whole(serve, tmp_path, pair):
    server = serve(toy_lines())
    example = NLIExample(*pair)
    expected = answers(whole(tmp_path, toy_lines()), example)
    assert any(candidates for *_, candidates in expected[0])
    assert answers(remote(server.url).around([example]), example) == expected


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "search",
    [
        RetrieverConfig(), RetrieverConfig(max_hops=4, max_degree=30), RetrieverConfig(max_hops=2, climb=False),
        RetrieverConfig(max_degree=12, max_paths=100, max_paths_per_pair=20),
        RetrieverConfig(exclude_relations=("close to",), exclude_entities=(EX + "e3",)),
    ],
)  # fmt: skip
def test_random_graphs_are_answered_as_by_the_whole(serve, tmp_path, seed, search):
    triples, pairs = world(seed)
    graph, behind = whole(tmp_path, triples), remote(serve(triples).url, search=search)
    num_paths = 0
    for pair in pairs:
        example = NLIExample(*pair)
        expected = answers(graph, example, search=search)
        num_paths += len(expected[1])
        assert answers(behind.around([example]), example, search=search) == expected
    assert num_paths > 30


def test_questions_asked_together_are_answered_as_one_by_one(serve):
    triples, pairs = world(11)
    examples = [NLIExample(*pair) for pair in pairs]
    server = serve(triples)
    together = remote(server.url).around(examples)
    num_queries = len(server.queries)
    server.queries.clear()
    alone = remote(server.url)
    assert [answers(together, example) for example in examples] == [
        answers(alone.around([example]), example) for example in examples
    ]
    assert num_queries < len(server.queries)


def test_what_was_asked_is_not_asked_again_and_changes_no_answer(serve):
    triples, pairs = world(12)
    server = serve(triples)
    behind = remote(server.url)
    examples = [NLIExample(*pair) for pair in pairs]
    first = [answers(behind.around([example]), example) for example in examples]
    server.queries.clear()
    assert [answers(behind.around([example]), example) for example in examples] == first
    assert server.queries == []


def test_batches_of_one_give_the_answers_of_large_ones(serve):
    triples, pairs = world(13, num_entities=120)
    url, example = serve(triples).url, NLIExample(*pairs[0])
    assert answers(remote(url, batch_size=1).around([example]), example) == answers(
        remote(url, batch_size=1_000).around([example]), example
    )


def test_names_of_an_example_and_curies_are_found(serve, tmp_path):
    obo = "http://purl.obolibrary.org/obo/"
    triples = toy_lines() + f"<{obo}DOID_4> <{EX}hypernym> <{EX}dog> .\n"
    server, graph = serve(triples), whole(tmp_path, triples)
    named = NLIExample("The blorp barks.", "An animal barks.", names={"blorp": EX + "dog"})
    by_curie = NLIExample("He has DOID:4 again.", "He has a dog.")
    for example in (named, by_curie):
        expected = answers(graph, example)
        assert expected[1]
        assert answers(remote(server.url).around([example]), example) == expected
    with pytest.raises(UnknownEntityError, match="no entity 'http://example.org/nobody'"):
        remote(server.url).around([NLIExample("A blorp.", "A dog.", names={"blorp": EX + "nobody"})])


def test_a_relation_of_wikidata_is_called_as_in_the_whole(serve, tmp_path):
    wikidata = "http://www.wikidata.org/"
    triples = (
        f'<{EX}Q64> <{LABEL}> "Berlin"@en .\n<{EX}Q183> <{LABEL}> "Germany"@en .\n'
        f"<{EX}Q64> <{wikidata}prop/direct/P17> <{EX}Q183> .\n"
        f'<{wikidata}entity/P17> <{LABEL}> "country"@en .\n'
    )
    example = NLIExample("He is in Berlin.", "He is in Germany.")
    found = answers(remote(serve(triples).url).around([example]), example)
    assert "country" in found[1][0][0]
    assert found == answers(whole(tmp_path, triples), example)


def test_entities_beside_the_words_are_shown_by_name_but_never_linked(serve):
    triples = f'<{EX}a> <{EX}near> <{EX}violin> .\n<{EX}a> <{LABEL}> "tree"@en .\n<{EX}violin> <{LABEL}> "x"@en .\n'
    part = remote(serve(triples).url).around([NLIExample("A tree.", "A violin.")])
    assert part.find_id(EX + "violin") >= 0
    assert [mention.candidates for mention in EntityLinker(part).link("A violin.")] == [()]


def test_every_edge_names_the_endpoint_as_its_source_without_a_password(serve):
    server = serve(toy_lines())
    part = remote(server.url.replace("//", "//me:hidden@")).around([NLIExample("A dog.", "A cat.")])
    assert {str(source) for edge in range(part.num_edges) for source in part.edge_sources(edge)} == {
        f"sparql:{server.url}"
    }


def test_a_hub_keeps_its_degree_though_its_edges_do_not_fit_an_answer(serve, tmp_path):
    lines = [f"<{EX}p{number}> <{EX}near> <{EX}hub> ." for number in range(1_200)]
    lines += [f'<{EX}hub> <{LABEL}> "hub"@en .', f'<{EX}p1> <{LABEL}> "point"@en .', f'<{EX}p2> <{LABEL}> "dot"@en .']
    triples = "\n".join(lines) + "\n"
    server, graph = serve(triples), whole(tmp_path, triples)
    for pair in (("A point.", "A hub."), ("A point.", "A dot.")):
        example = NLIExample(*pair)
        part = remote(server.url, max_rows=1_100, max_edges_per_entity=100).around([example])
        assert answers(part, example) == answers(graph, example)
        hub = part.find_id(EX + "hub")
        assert int(part.num_unseen[hub]) + len(part.edges_of(hub)) == 1_200


def test_an_answer_too_short_for_a_row_of_the_search_is_refused():
    with pytest.raises(ConfigError, match="max_rows: found 1,000, expected more than 1,001"):
        remote("http://127.0.0.1:1/sparql", max_rows=1_000)


def test_relations_are_inverse_only_if_they_are_so_everywhere(serve, tmp_path):
    lines = [f"<{EX}{head}> <{EX}up> <{EX}b> .\n<{EX}b> <{EX}xdown> <{EX}{head}> ." for head in "ac"]
    lines += [f'<{EX}{name}> <{LABEL}> "{name * 4}"@en .' for name in "abc"]
    example = NLIExample("An aaaa.", "A cccc.")
    for more, num_ways in (("", 1), (f"<{EX}y> <{EX}xdown> <{EX}z> .", 4)):
        triples = "\n".join([*lines, more]) + "\n"
        expected = answers(whole(tmp_path, triples), example)
        assert len(expected[1]) == num_ways
        assert answers(remote(serve(triples).url).around([example]), example) == expected


def test_with_many_relations_none_is_taken_for_an_inverse(serve, tmp_path):
    lines = [f"<{EX}a> <{EX}up> <{EX}b> .", f"<{EX}b> <{EX}xdown> <{EX}a> .", f"<{EX}c> <{EX}up> <{EX}b> .",
             f"<{EX}b> <{EX}xdown> <{EX}c> ."]  # fmt: skip
    lines += [f'<{EX}{name}> <{LABEL}> "{name * 4}"@en .' for name in "abc"]
    lines += [f"<{EX}m> <{EX}r{number}> <{EX}n> ." for number in range(520)]
    triples, example = "\n".join(lines) + "\n", NLIExample("An aaaa.", "A cccc.")
    expected = answers(whole(tmp_path, triples), example)
    assert len(expected[1]) == 4
    assert answers(remote(serve(triples).url).around([example]), example) == expected


def test_without_a_survey_no_relation_is_an_inverse_and_climbs_are_found_by_what_was_met(serve):
    lines = [f"<{EX}{head}> <{EX}broader> <{EX}b> .\n<{EX}b> <{EX}narrower> <{EX}{head}> ." for head in "ac"]
    lines += [f'<{EX}{name}> <{LABEL}> "{name * 4}"@en .' for name in "abc"]
    server, example = serve("\n".join(lines) + "\n"), NLIExample("An aaaa.", "A cccc.")
    assert len(answers(remote(server.url).around([example]), example)[1]) == 1
    server.queries.clear()
    part = remote(server.url, survey_relations=False).around([example])
    assert len(answers(part, example)[1]) == 4
    assert not any("NOT EXISTS" in query or "DISTINCT ?relation" in query for query in server.queries)


def test_class_axioms_and_deprecated_terms_are_read_as_in_the_whole(serve, tmp_path):
    owl, obo = "http://www.w3.org/2002/07/owl#", "http://purl.obolibrary.org/obo/"
    lines = [
        f"<{EX}a> <{owl}equivalentClass> <{EX}b> .", f"<{EX}b> <{EX}near> <{EX}c> .",
        f'<{EX}old> <{owl}deprecated> "true"^^<http://www.w3.org/2001/XMLSchema#boolean> .',
        f"<{EX}old> <{obo}IAO_0100001> <{EX}c> .", f'<{EX}old> <{LABEL}> "cccc"@en .', f'<{EX}a> <{LABEL}> "aaaa"@en .',
        f"<{EX}a> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <{EX}d> .",
        f"<{EX}c> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <{EX}d> .",
    ]  # fmt: skip
    triples, example = "\n".join(lines) + "\n", NLIExample("An aaaa.", "A cccc.")
    expected = answers(whole(tmp_path, triples), example)
    assert len(expected[1]) >= 2
    assert answers(remote(serve(triples).url).around([example]), example) == expected


def test_an_entity_is_shown_with_its_labels_edges_and_the_names_of_some_neighbours(serve):
    server = serve(toy_lines())
    for name in ("fiddle", "violin", EX + "violin", f"<{EX}violin>"):
        part = remote(server.url).about(name, 5)
        (entity,) = part.find_entities(name)
        assert part.entity_id(entity) == EX + "violin"
        assert [alias.text for alias in part.aliases(entity)] == ["violin", "fiddle"]
        assert "bowed instrument" in {part.entity_label(other) for other in range(part.num_entities)}
    assert "bowed instrument" not in {
        alias.text for other in range(part.num_entities) for alias in remote(server.url).about("fiddle").aliases(other)
    }
    assert remote(server.url).about("nobody").find_entities("nobody") == ()


def test_further_names_are_excluded_as_relations_or_entities(serve):
    behind = remote(serve(toy_lines()).url, search=RetrieverConfig(exclude_relations=("antonym",)))
    found = behind.exclude(["hypernym", "being"])
    assert (found.exclude_relations, found.exclude_entities) == (("antonym", "hypernym"), ("being",))
    with pytest.raises(UnknownEntityError, match="neither a relation nor an entity 'nothing'"):
        behind.exclude(["nothing"])


def test_own_label_properties_and_languages_find_labels(serve):
    triples = f'<{EX}a> <{EX}near> <{EX}b> .\n<{EX}a> <{EX}nick> "Baum"@de .\n<{EX}b> <{LABEL}> "Ast"@de .\n'
    example, linking = NLIExample("Ein Baum.", "Ein Ast."), LinkerConfig(language="de", link_values=False)
    url = serve(triples).url
    settings = {"endpoint_languages": ("de",), "label_properties": (EX + "nick",)}
    part = remote(url, linking=linking, **settings).around([example])
    assert len(answers(part, example, linking)[1]) == 1
    part = remote(url, linking=linking, endpoint_languages=("de",)).around([example])
    assert answers(part, example, linking)[1] == []


@pytest.mark.parametrize("text", ["", "many", "-3", "9" * 400])
def test_a_count_that_is_no_number_is_an_error(serve, text):
    server = serve(toy_lines())
    behind = remote(server.url)
    behind.facts.rows([EX + "dog"])
    count = {"type": "literal", "value": text}
    server.script = [send(200, bindings({"term": {"type": "uri", "value": EX + "cat"}, "count": count}))]
    with pytest.raises(EndpointError, match="as a count, expected a whole number"):
        behind.facts.degrees([EX + "cat"])


def test_an_endpoint_that_invents_rows_and_counts_makes_no_crash(serve):
    server = serve(toy_lines())
    example = NLIExample("A dog.", "A cat.")
    dog, being = ({"type": "uri", "value": EX + name} for name in ("dog", "being"))
    invented = {
        "term": dog, "entity": dog, "relation": being, "other": being, "head": being, "property": being,
        "label": {"type": "literal", "value": "dog"}, "count": {"type": "literal", "value": "9" * 15},
    }  # fmt: skip
    server.script = [send(200, bindings(invented, invented)) for _ in range(60)]
    part = remote(server.url).around([example])
    assert answers(part, example)[1] == []


@pytest.mark.skipif(OXIGRAPH is None, reason="needs the server of the oxigraph package")
def test_a_real_server_is_asked_with_equal_answers(no_network, monkeypatch, tmp_path):
    allow_loopback(monkeypatch)
    triples, pairs = world(21)
    graph = whole(tmp_path, triples)
    subprocess.run([OXIGRAPH, "load", "--location", tmp_path / "store", "--file", tmp_path / "whole.nt"], check=True,
                   capture_output=True)  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    command = [OXIGRAPH, "serve-read-only", "--location", tmp_path / "store", "--bind", place]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert place in server.stderr.readline()
            behind = remote(f"http://{place}/query")
            for pair in pairs:
                example = NLIExample(*pair)
                assert answers(behind.around([example]), example) == answers(graph, example)
        finally:
            server.terminate()
