"""The toy world every room is tested on: a small graph, a two-layer BERT, and no network."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pyoxigraph
import pytest
from hypothesis import settings

from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.triples import Source, Triple
from tests.kg.sparql_server import allow_loopback, serving

# No timing asserts, and the same examples on every machine.
settings.register_profile("kg_reason", deadline=None, derandomize=True)
settings.load_profile("kg_reason")
# pytest --hypothesis-profile=thorough tests/kg/test_ntriples.py: others each time, and ten times as many.
settings.register_profile("thorough", deadline=None, max_examples=20_000)

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ALT_LABEL = "http://www.w3.org/2004/02/skos/core#altLabel"

TOY_EDGES = [
    ("ex:violin", "ex:hypernym", "ex:bowedInstrument"),
    ("ex:cello", "ex:hypernym", "ex:bowedInstrument"),
    ("ex:bowedInstrument", "ex:hypernym", "ex:stringInstrument"),
    ("ex:guitar", "ex:hypernym", "ex:stringInstrument"),
    ("ex:stringInstrument", "ex:hypernym", "ex:instrument"),
    ("ex:drum", "ex:hypernym", "ex:instrument"),
    ("ex:man", "ex:hypernym", "ex:person"),
    ("ex:woman", "ex:hypernym", "ex:person"),
    ("ex:boy", "ex:hypernym", "ex:person"),
    ("ex:dog", "ex:hypernym", "ex:animal"),
    ("ex:cat", "ex:hypernym", "ex:animal"),
    ("ex:person", "ex:hypernym", "ex:being"),
    ("ex:animal", "ex:hypernym", "ex:being"),
    ("ex:man", "ex:antonym", "ex:woman"),
    ("ex:woman", "ex:antonym", "ex:man"),
    ("ex:hot", "ex:antonym", "ex:cold"),
    ("ex:cold", "ex:antonym", "ex:hot"),
    ("ex:string", "ex:partOf", "ex:violin"),
    ("ex:violin", "ex:madeIn", '"1721"^^<http://www.w3.org/2001/XMLSchema#gYear>'),
]
TOY_LABELS = [
    ("ex:violin", "violin", 1), ("ex:violin", "fiddle", 1), ("ex:cello", "cello", 1), ("ex:guitar", "guitar", 1),
    ("ex:bowedInstrument", "bowed instrument", 1), ("ex:stringInstrument", "string instrument", 1),
    ("ex:instrument", "instrument", 1), ("ex:drum", "drum", 1), ("ex:man", "man", 1), ("ex:woman", "woman", 1),
    ("ex:boy", "boy", 1), ("ex:dog", "dog", 1), ("ex:cat", "cat", 1), ("ex:person", "person", 1),
    ("ex:animal", "animal", 1), ("ex:being", "being", 1), ("ex:hot", "hot", 1), ("ex:cold", "cold", 1),
    ("ex:string", "string", 1), ("ex:hot", "spicy", 2),
]
TOY_POS = {"ex:hot": "a", "ex:cold": "a"}
WORDS = """
    a an the man woman boy person dog cat animal being plays play ##s ##ing ##ed violin fiddle cello guitar drum
    instrument string bowed is are not no hot cold spicy in on of with and . , ? ! every some two three hypernym antonym
    part made same
"""


def toy_triples() -> list[Triple]:
    """The toy graph as triples, edges first, each with its own line."""
    triples = [Triple(*edge, Source("toy.tsv", line)) for line, edge in enumerate(TOY_EDGES, start=1)]
    seen: set[str] = set()
    for line, (entity, text, rank) in enumerate(TOY_LABELS, start=len(triples) + 1):
        relation = ALT_LABEL if entity in seen else LABEL
        seen.add(entity)
        pos = TOY_POS.get(entity, "n")
        triples.append(
            Triple(entity, relation, text, Source("toy.tsv", line), rank=rank, language="en", pos=pos)
        )
    return triples


@pytest.fixture(scope="session")
def toy_graph() -> KnowledgeGraph:
    """The toy graph in memory."""
    return KnowledgeGraph.from_triples(toy_triples())


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a two-layer BERT and its tokenizer, as a user would bring one."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoder")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *"abcdefghijklmnopqrstuvwxyz"]
    pieces += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    pieces = list(dict.fromkeys(pieces))
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=128,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text())["hidden_size"] == 32
    return folder


def save_run(folder: Path, encoder: Path) -> None:
    """Save an untrained reasoner over the graph `folder/kg` as `folder/run`."""
    from kg_reason import ModelConfig, Reasoner, ReasonerConfig

    config = ReasonerConfig(model=ModelConfig(encoder=str(encoder), graph_dim=16))
    Reasoner.build(KnowledgeGraph.open(folder / "kg"), config).save(folder / "run")


@pytest.fixture
def make_reasoner(toy_graph, tiny_encoder):
    """Make an untrained reasoner of some model settings; two of the same settings give the same answers."""
    from kg_reason import ModelConfig, Reasoner, ReasonerConfig

    def make(graph=toy_graph, seed=0, **settings):
        model = ModelConfig(encoder=str(tiny_encoder), graph_dim=16, **settings)
        return Reasoner.build(graph, ReasonerConfig(model=model), seed=seed)

    return make


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here may reach out: any connection to another machine fails the test."""

    def refuse(self: socket.socket, address: object) -> None:
        raise AssertionError(f"a test tried to connect to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def serve(no_network, monkeypatch):
    """Serve triples given as N-Triples; the server ends with the test."""
    allow_loopback(monkeypatch)
    with serving() as server:

        def start(triples: str):
            server.store.clear()
            server.store.load(triples.encode(), pyoxigraph.RdfFormat.N_TRIPLES)
            server.queries.clear()
            return server

        yield start
