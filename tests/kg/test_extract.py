"""A local extract links the words of its seed, and joins them by paths, as the whole graph does."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from kg_reason.config import BuildConfig, EndpointConfig, LinkerConfig, RetrieverConfig
from kg_reason.errors import ConfigError, EndpointError, KGReasonError
from kg_reason.kg.building import build_graph
from kg_reason.kg.extract import extract
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.kg.sparql_client import SparqlClient
from tests.conftest import ALT_LABEL, LABEL, TOY_EDGES, TOY_LABELS
from tests.kg.sparql_server import bindings, send, uri

EX = "http://example.org/"
QUICK = {"query_pause": 0.0}
SENTENCES = [
    "A man plays a fiddle.", "A woman plays string instruments.", "The DOG is hot.", "A cat is cold!",
    "Two boys watch the drum.", "Some person has a bowed instrument.",
]  # fmt: skip


def iri(name: str) -> str:
    return f"<{name.replace('ex:', EX)}>"


def toy_lines() -> str:
    lines = [
        f"{iri(head)} {iri(relation)} {tail if tail.startswith(chr(34)) else iri(tail)} ."
        for head, relation, tail in TOY_EDGES
    ]
    seen = set()
    for entity, text, _ in TOY_LABELS:
        lines.append(f'{iri(entity)} <{ALT_LABEL if entity in seen else LABEL}> "{text}"@en .')
        seen.add(entity)
    return "\n".join(lines) + "\n"


def random_world(seed: int, num_entities: int = 240) -> tuple[str, list[str]]:
    """Entities in a forest of kinds, with side edges near by and shared names; and sentences about some of one tree."""
    choose = random.Random(seed)
    syllables = [a + b for a in "bdfgklmnprtvz" for b in "aeiou"]
    names = sorted({"".join(choose.choices(syllables, k=3)) for _ in range(num_entities * 2)})[:num_entities]
    lines = []
    for number in range(num_entities):
        here = f"<{EX}e{number}>"
        if number >= 6:
            parent = number // 3 - number // 3 % 6 + number % 6  # of the same tree
            lines.append(f"{here} <{EX}subClassOf> <{EX}e{parent}> .")
        if number >= 30 and choose.random() < 0.3:
            lines.append(f"{here} <{EX}{choose.choice(('near', 'partOf', 'antonym'))}> <{EX}e{number - 6}> .")
        language = choose.choice(("@en", "@en", "") if number % 6 == 1 else ("@en", "", "@de"))
        lines.append(f'{here} <{LABEL}> "{names[number]}"{language} .')
        if choose.random() < 0.2:
            lines.append(f'{here} <{ALT_LABEL}> "{choose.choice(names)} {choose.choice(names)}"@en .')
        if choose.random() < 0.15:
            lines.append(f'{here} <{ALT_LABEL}> "{choose.choice(names)}"@en .')
    told = [name for number, name in enumerate(names) if number % 6 == 1]
    sentences = [f"The {choose.choice(told)} is a {choose.choice(told)}s." for _ in range(12)]
    return "\n".join(lines) + "\n", sentences


def whole(tmp_path, triples: str) -> KnowledgeGraph:
    (tmp_path / "whole.nt").write_text(triples)
    build_graph(tmp_path / "whole.nt", tmp_path / "whole", BuildConfig())
    return KnowledgeGraph.open(tmp_path / "whole")


def take(server, sentences, folder, **settings):
    return extract(SparqlClient(server.url, EndpointConfig(**{**QUICK, **settings})), sentences, folder)


def local(server, sentences, tmp_path, **settings) -> KnowledgeGraph:
    report = take(server, sentences, tmp_path / "extract", **settings)
    build_graph(report.files, tmp_path / "local", BuildConfig())
    return KnowledgeGraph.open(tmp_path / "local")


def grounded(graph: KnowledgeGraph, sentences: list[str], max_climb: int = 7) -> tuple[list, Counter]:
    """What is linked in every sentence, and the paths between every two, by names that do not depend on the graph."""
    linker = EntityLinker(graph, LinkerConfig())
    retriever = Retriever(graph, RetrieverConfig(place_climb=max_climb))
    mentions = [
        [
            (mention.start, mention.end, mention.key,
             [(graph.entity_id(candidate.entity), round(candidate.score, 6)) for candidate in mention.candidates])
            for mention in linker.link(sentence)
        ]
        for sentence in sentences
    ]  # fmt: skip
    found: Counter = Counter()
    for one, two in itertools.permutations(range(len(sentences)), 2):
        paths = retriever.retrieve(*linker.link_pair(sentences[one], sentences[two]))
        for row in range(paths.num_paths):
            length = int(paths.length[row])
            entities = tuple(graph.entity_id(entity) for entity in paths.entities[row, : length + 1].tolist())
            relations = tuple(graph.relation_id(number) for number in paths.relations[row, :length].tolist())
            forward = tuple(paths.forward[row, :length].tolist())
            score = round(float(paths.score[row]), 5)
            found[one, two, int(paths.start[row]), int(paths.end[row]), entities, relations, forward, score] += 1
    return mentions, found


def test_words_are_linked_and_joined_as_in_the_whole_toy_graph(serve, tmp_path):
    server = serve(toy_lines())
    expected = grounded(whole(tmp_path, toy_lines()), SENTENCES)
    assert len(expected[1]) > 20
    assert grounded(local(server, SENTENCES, tmp_path, hops=4, literals=True), SENTENCES) == expected


def test_two_hops_hold_the_plain_paths_of_the_toy_graph(serve, tmp_path):
    graph, sentences = whole(tmp_path, toy_lines()), ["A fiddle.", "A man.", "A woman.", "A string."]
    expected = grounded(graph, sentences)
    extracted = local(serve(toy_lines()), sentences, tmp_path, hops=2, literals=True)
    assert grounded(extracted, sentences) == expected
    assert extracted.num_edges < graph.num_edges
    assert extracted.find_id(EX + "guitar") < 0


@pytest.mark.parametrize("seed", range(3))
def test_words_are_linked_and_joined_as_in_a_whole_random_graph(serve, tmp_path, seed):
    triples, sentences = random_world(seed)
    graph = whole(tmp_path, triples)
    extracted = local(serve(triples), sentences, tmp_path, hops=4)
    mentions, paths = expected = grounded(graph, sentences)
    assert sum(bool(mention[3]) for sentence in mentions for mention in sentence) >= 12
    assert len(paths) > 100
    assert extracted.num_edges < graph.num_edges * 0.8
    assert grounded(extracted, sentences) == expected


def test_an_extract_does_not_depend_on_the_size_of_batches_nor_on_the_order_of_sentences(serve, tmp_path):
    triples, sentences = random_world(7, 90)
    server = serve(triples)
    written = []
    for number, (batch_size, max_rows) in enumerate(((100, 5_000), (1, 50), (7, 12), (1_000, 13))):
        report = take(
            server, sentences[:: -1 if number % 2 else 1], tmp_path / str(number), batch_size=batch_size,
            max_rows=max_rows, max_edges_per_entity=2, max_entities_per_label=9,
        )  # fmt: skip
        written.append(([(tmp_path / str(number) / name).read_bytes() for name in files_of(report)], report.num_capped))
    assert written[0][1] > 0
    assert written == written[:1] * 4


def files_of(report) -> list[str]:
    return [file.rpartition("/")[2] for file in report.files]


def star(num_points: int) -> str:
    lines = [f"<{EX}p{point}> <{EX}near> <{EX}hub> ." for point in range(num_points)]
    lines += [f"<{EX}p{point}> <{EX}near> <{EX}q{point}> ." for point in range(num_points)]
    lines += [f"<{EX}hub> <{EX}near> <{EX}out> .", f"<{EX}out> <{EX}near> <{EX}far> .", f'<{EX}hub> <{LABEL}> "hub" .']
    return "\n".join(lines) + "\n"


def test_beyond_a_hub_nothing_is_fetched_in_that_direction(serve, tmp_path):
    server = serve(star(30))
    report = take(server, ["The hub."], tmp_path / "a", hops=2, max_edges_per_entity=10)
    edges = (tmp_path / "a" / "127.0.0.1.edges.nt").read_text()
    assert report.num_capped == 1
    assert edges.count(f"<{EX}hub> .") == 10
    assert f"<{EX}q" not in edges
    assert f"<{EX}out> <{EX}near> <{EX}far> ." in edges
    full = take(server, ["The hub."], tmp_path / "b", hops=2, max_edges_per_entity=30)
    assert (full.num_capped, full.num_edges) == (0, 62)


def test_the_endpoint_sorts_only_what_is_cut_and_only_where_it_may(serve, tmp_path):
    server = serve(star(30))
    take(server, ["The hub."], tmp_path / "a", max_rows=20, max_edges_per_entity=10, max_entities_per_label=5)
    (query,) = [query for query in server.queries if f"?term {{ <{EX}hub> }} ?other ?relation ?term" in query]
    assert " ORDER BY " in query
    assert query.endswith("LIMIT 11")
    server.queries.clear()
    take(
        server, ["The hub."], tmp_path / "b", max_rows=20, max_edges_per_entity=10, max_entities_per_label=5,
        order_capped=False,
    )  # fmt: skip
    assert not [query for query in server.queries if "ORDER BY" in query]


def test_hops_count_edges_from_the_words(serve, tmp_path):
    chain = "".join(f"<{EX}c{i}> <{EX}next> <{EX}c{i + 1}> .\n" for i in range(6)) + f'<{EX}c0> <{LABEL}> "start" .\n'
    server = serve(chain)
    for hops in (0, 1, 3, 5):
        report = take(server, ["Start!"], tmp_path / str(hops), hops=hops)
        assert (report.num_seeds, report.num_edges, report.num_entities) == (1, hops, hops + 1)


def test_labels_come_in_the_languages_asked_for_and_without_a_tag(serve, tmp_path):
    labels = {"en": "violin", "en-GB": "fiddle", "qfr": "violon", "qde": "Geige"}
    triples = "".join(f'<{EX}v> <{LABEL}> "{text}"@{tag} .\n' for tag, text in labels.items())
    triples += f'<{EX}v> <{ALT_LABEL}> "V1" .\n<{EX}v> <{EX}note> "a note"@en .\n'
    server = serve(triples)
    for languages, text, expected in (
        (("en",), "A violin", {"violin", "fiddle", "V1"}),
        (("qfr", "qde"), "Un violon", {"violon", "Geige", "V1"}),
        (("qfr",), "A violin", set()),
        ((), "V1", {"violin", "fiddle", "violon", "Geige", "V1"}),
    ):
        take(server, [text], tmp_path / "e", endpoint_languages=languages)
        found = (tmp_path / "e" / "127.0.0.1.labels.nt").read_text()
        assert {text for text in (*labels.values(), "V1") if f'"{text}"' in found} == expected


def test_relations_may_be_chosen_and_left_out_by_the_beginning_of_their_iris(serve, tmp_path):
    triples = f'<{EX}a> <{LABEL}> "word" .\n' + "".join(
        f"<{EX}a> <{iri}> <{EX}{number}> .\n"
        for number, iri in enumerate(("http://one.org/p", "http://one.org/q", "http://two.org/p"))
    )
    server = serve(triples)
    for settings, expected in (
        ({}, 3), ({"relation_prefixes": ("http://one.org/",)}, 2), ({"relation_prefixes": ("http://one.org/p",)}, 1),
        ({"exclude_relation_prefixes": ("http://one.org/",)}, 1),
        ({"relation_prefixes": ("http://one.org/",), "exclude_relation_prefixes": ("http://one.org/q",)}, 1),
    ):  # fmt: skip
        assert take(server, ["word"], tmp_path / "e", **settings).num_edges == expected


def test_values_are_fetched_where_asked_and_blank_nodes_never(serve, tmp_path):
    tails = ('"7"', "_:b", f"<{EX}c>")
    triples = f'<{EX}a> <{LABEL}> "word" .\n' + "".join(f"<{EX}a> <{EX}p> {tail} .\n" for tail in tails)
    server = serve(triples)
    assert take(server, ["word"], tmp_path / "e").num_edges == 1
    assert take(server, ["word"], tmp_path / "e", literals=True).num_edges == 2
    assert f'<{EX}a> <{EX}p> "7" .' in (tmp_path / "e" / "127.0.0.1.edges.nt").read_text()


def test_nothing_is_fetched_beyond_the_words_of_rdf_itself(serve, tmp_path):
    owl_class = "<http://www.w3.org/2002/07/owl#Class>"
    kind = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
    triples = "".join(f"<{EX}c{i}> {kind} {owl_class} .\n" for i in range(5)) + f'<{EX}c0> <{LABEL}> "word" .\n'
    assert take(serve(triples), ["word"], tmp_path / "e", hops=3).num_edges == 1


def test_relations_get_the_labels_of_their_wikibase_properties(serve, tmp_path):
    triples = (
        f'<{EX}Q1> <{LABEL}> "word"@en .\n<{EX}Q1> <{EX}direct/P31> <{EX}Q2> .\n<{EX}Q1> <{EX}own> <{EX}Q2> .\n'
        f"<{EX}P31> <http://wikiba.se/ontology#directClaim> <{EX}direct/P31> .\n"
        f'<{EX}P31> <{LABEL}> "instance of"@en .\n'
        f'<{EX}own> <{LABEL}> "owns"@en .\n'
    )
    graph = local(serve(triples), ["word"], tmp_path)
    assert {graph.relation_label(number) for number in range(graph.num_relations)} == {"instance of", "owns"}


def test_relations_of_wikidata_get_the_labels_of_their_entities_where_no_direct_claim_is_told(serve, tmp_path):
    wikidata = "http://www.wikidata.org/"
    triples = (
        f'<{EX}Q1> <{LABEL}> "word"@en .\n<{EX}Q1> <{wikidata}prop/direct/P31> <{EX}Q2> .\n'
        f'<{wikidata}entity/P31> <{LABEL}> "instance of"@en .\n'
    )
    graph = local(serve(triples), ["word"], tmp_path)
    assert [graph.relation_label(number) for number in range(graph.num_relations)] == ["instance of"]


def test_own_label_properties_are_looked_up(serve, tmp_path):
    triples = f'<{EX}a> <{EX}name> "word" .\n<{EX}b> <{LABEL}> "word" .\n'
    server = serve(triples)
    assert take(server, ["word"], tmp_path / "e", label_properties=(EX + "name",)).num_labels == 1
    assert f"<{EX}a>" in (tmp_path / "e" / "127.0.0.1.labels.nt").read_text()


def test_a_name_of_many_is_cut_at_the_limit(serve, tmp_path):
    triples = "".join(f'<{EX}e{i}> <{LABEL}> "smith"@en .\n' for i in range(20))
    report = take(serve(triples), ["Smith"], tmp_path / "e", max_entities_per_label=3)
    assert (report.num_seeds, report.num_capped) == (3, 1)


def test_a_report_counts_what_was_asked_and_lies_beside_the_files(serve, tmp_path):
    server = serve(toy_lines())
    report = take(server, SENTENCES, tmp_path / "e", hops=1)
    assert report.num_queries == len(server.queries)
    assert report.num_bytes > 1_000
    lines = [Path(file).read_bytes().count(b"\n") for file in report.files]
    assert lines == [report.num_edges, report.num_labels]
    facts = json.loads((tmp_path / "e" / "extract.json").read_text())
    assert facts["settings"]["hops"] == 1
    assert {**report.to_json(), "files": files_of(report)} == {key: facts[key] for key in report.to_json()}
    assert sorted(path.name for path in (tmp_path / "e").iterdir()) == sorted([*files_of(report), "extract.json"])


def test_a_source_is_a_line_of_the_extract(serve, tmp_path):
    graph = local(serve(toy_lines()), SENTENCES, tmp_path)
    source = graph.edge_sources(0)[0]
    line = Path(source.file).read_text().splitlines()[source.line - 1]
    assert line.startswith(f"<{graph.entity_id(int(graph.edge_head[0]))}> ")


def test_words_that_are_nowhere_give_an_empty_extract_and_a_warning(serve, tmp_path, caplog):
    report = take(serve(toy_lines()), ["Zorgs!", ""], tmp_path / "e")
    assert (report.num_seeds, report.num_edges, report.num_labels) == (0, 0, 0)
    assert "knows none of the words of the seed by a label" in caplog.text


def test_an_extract_that_fails_leaves_the_one_before(serve, tmp_path):
    server = serve(toy_lines())
    take(server, SENTENCES, tmp_path / "e")
    before = {path.name: path.read_bytes() for path in (tmp_path / "e").iterdir()}
    with pytest.raises(EndpointError, match="all 4 queries are used up"):
        take(server, SENTENCES, tmp_path / "e", max_queries=4)
    assert {path.name: path.read_bytes() for path in (tmp_path / "e").iterdir()} == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").write_text("")
    with pytest.raises(KGReasonError, match="something other than a folder with extract.json"):
        take(server, SENTENCES, tmp_path / "other")


def test_an_extract_goes_on_where_its_budget_ended(serve, tmp_path):
    server = serve(toy_lines())
    settings = {"query_cache": str(tmp_path / "kept")}
    with pytest.raises(EndpointError):
        take(server, SENTENCES, tmp_path / "e", max_queries=4, **settings)
    report = take(server, SENTENCES, tmp_path / "e", **settings)
    assert report.num_cached == 4
    assert take(server, SENTENCES, tmp_path / "e", **settings).num_queries == 0


def test_rows_that_nobody_asked_for_do_not_get_in(serve, tmp_path, caplog):
    server = serve(f'<{EX}a> <{LABEL}> "word" .\n')
    literal = {"type": "literal", "value": "x"}
    good = {"term": uri(EX + "a"), "relation": uri(EX + "p"), "other": uri(EX + "b")}
    bad = [
        {**good, "term": uri(EX + "z")}, {**good, "relation": literal}, {**good, "other": literal},
        {**good, "other": {"type": "bnode", "value": "b"}}, {"term": uri(EX + "a")}, {**good, "other": uri("no iri")},
    ]  # fmt: skip
    found = bindings({"term": {"type": "literal", "value": "word"}, "entity": uri(EX + "a")})
    server.script = [send(200, found), send(200, bindings(good, *bad)), send(200, bindings())]
    report = take(server, ["word"], tmp_path / "e", hops=1, endpoint_languages=())
    assert (tmp_path / "e" / "127.0.0.1.edges.nt").read_text() == f"<{EX}a> <{EX}p> <{EX}b> .\n"
    assert report.num_dropped == 6
    assert "6 rows left out" in caplog.text


def test_what_an_extract_holds_can_always_be_built(serve, tmp_path):
    server = serve("")
    word = {"type": "literal", "value": "word"}
    here = {"term": uri(EX + "a"), "relation": uri(EX + "p")}
    others = ["http://x.org/[a]", "x:%zz", "http://x.org:a/", "x:\u00e9\u4e2d", "x:\ufffe", "x:\U000e0001", "http://x.org/b"]
    texts = ["\x00\x07\x1b\n\r\t", "\ufffe\uffff", "\\u0041", '"', "\u202e\u200b", "x" * 10_000, ""]
    tags = ["en", "en-", "e", "x-y", "i-klingon", "abcdefgh-12345678-a"]
    labels = [{"type": "literal", "value": text} for text in texts]
    labels += [{"type": "literal", "value": "t", "xml:lang": tag} for tag in tags]
    stated = [{"term": uri(EX + "a"), "property": uri(LABEL), "label": label} for label in labels]
    found, none = send(200, bindings({"term": word, "entity": uri(EX + "a")})), send(200, bindings())
    server.script = [found, send(200, bindings(*({**here, "other": uri(iri)} for iri in others))), none]
    server.script += [send(200, bindings(*stated)), none]
    report = take(server, ["word"], tmp_path / "e", hops=1, endpoint_languages=())
    assert not server.script
    assert report.num_dropped >= 4
    stats = build_graph(report.files, tmp_path / "kg", BuildConfig())
    assert (stats.num_triples, stats.num_labels) == (report.num_edges, report.num_labels)
    assert report.num_labels >= len(texts)


def test_an_iri_of_an_answer_cannot_become_a_part_of_a_query(serve, tmp_path):
    server = serve(f'<{EX}a> <{LABEL}> "word" .\n')
    evil = uri(EX + "a> } } # <")
    server.script = [send(200, bindings({"term": {"type": "literal", "value": "word"}, "entity": evil}))]
    assert take(server, ["word"], tmp_path / "e", endpoint_languages=()).num_seeds == 0
    assert not [query for query in server.queries if "# <" in query]


def test_quotes_and_backslashes_of_a_sentence_stay_text(serve, tmp_path):
    server = serve(toy_lines())
    report = take(server, ['A "man" \\u0022 } plays\\ the "fiddle\\"'], tmp_path / "e", hops=0)
    assert report.num_seeds == 2


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"label_properties": ("label",)}, "label_properties: found 'label', expected an IRI"),
        ({"relation_prefixes": ('x"y',)}, "relation_prefixes: found"),
        ({"endpoint_languages": ('en" }',)}, "endpoint_languages: found .* expected a language tag"),
        ({"max_rows": 500}, "max_edges_per_entity: found 500, expected fewer than max_rows, 500"),
    ],
)
def test_settings_that_cannot_be_asked_are_refused_before_the_first_query(serve, tmp_path, settings, told):
    server = serve(toy_lines())
    with pytest.raises(ConfigError, match=told):
        take(server, SENTENCES, tmp_path / "e", **settings)
    assert server.queries == []
