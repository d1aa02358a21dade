"""A graph for other tools: networkx and rdflib objects, and the files N-Triples, Turtle, TSV and GraphML.

A round trip through N-Triples or Turtle gives the same entities, edges and labels. TSV carries language, prior and
part of speech of labels too. Entities that came from delimited files have no IRI; in RDF they get one in `TEXT_SPACE`,
with their text as label.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import networkx as nx
import numpy as np
import pyoxigraph
import rdflib
from numpy.typing import NDArray

from kg_reason.errors import ConfigError
from kg_reason.kg.curies import OBO_IN_OWL, OWL, RDF, RDFS, SKOS, XSD
from kg_reason.kg.files import replace_file
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.names import BLANK, IRI, LITERAL, term_kind
from kg_reason.kg.triples import literal_key, term_text

EXPORT_FORMATS = ("nt", "ttl", "tsv", "graphml")
TEXT_SPACE = "text:"
LABEL_RELATION_OF = {
    "pref": SKOS + "prefLabel",
    "alt": SKOS + "altLabel",
    "hidden": SKOS + "hiddenLabel",
    "narrow": OBO_IN_OWL + "hasNarrowSynonym",
    "broad": OBO_IN_OWL + "hasBroadSynonym",
    "related": OBO_IN_OWL + "hasRelatedSynonym",
}
PREFIXES = {
    RDF: "rdf",
    RDFS: "rdfs",
    OWL: "owl",
    SKOS: "skos",
    XSD: "xsd",
}
MIN_USES_OF_A_PREFIX = 3
_FORBIDDEN_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_NAMESPACE = re.compile(r"<([^<>]*[#/:])[^<>#/:]*>")
# What XML may not hold, and line ends that networkx makes line feeds of.
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\x85\u2028\u2029\ufffe\uffff]")


def to_networkx(graph: KnowledgeGraph, *, with_inferred: bool = False) -> nx.MultiDiGraph:
    """Return a MultiDiGraph: nodes are entity ids with a `label`, edges have `relation`, `weight` and `sources`.

    With the inferred edges among them, every edge also tells whether it is `inferred`.
    """
    result = nx.MultiDiGraph()
    for entity in range(graph.num_entities):
        result.add_node(graph.entity_id(entity), label=graph.entity_label(entity))
    for edge in _edges(graph, with_inferred).tolist():
        mark = {"inferred": edge in graph.inferences} if with_inferred else {}
        result.add_edge(
            graph.entity_id(int(graph.edge_head[edge])),
            graph.entity_id(int(graph.edge_tail[edge])),
            relation=graph.relation_id(int(graph.edge_relation[edge])),
            weight=float(graph.edge_weight[edge]),
            sources=" ".join(str(source) for source in graph.edge_sources(edge)),
            **mark,
        )
    return result


def to_rdflib(graph: KnowledgeGraph) -> rdflib.Graph:
    """Return an rdflib graph with every edge and label; blank nodes keep their deterministic names."""
    result = rdflib.Graph()
    for head, relation, tail in rdf_terms(graph):
        result.add((_node(head), rdflib.URIRef(relation), _node(tail)))
    return result


def _edges(graph: KnowledgeGraph, with_inferred: bool) -> NDArray[np.int64]:
    stated = graph.live_edges()
    return np.concatenate([stated, graph.inferences.edges()]) if with_inferred else stated


def rdf_terms(graph: KnowledgeGraph, *, with_inferred: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yield every edge and label as term keys that RDF can carry, edges first."""
    edges = _edges(graph, with_inferred)
    heads = set(np.unique(graph.edge_head[edges]).tolist())
    keys = [rdf_key(graph.entity_id(entity), is_head=entity in heads) for entity in range(graph.num_entities)]
    relations = [rdf_key(graph.relation_id(number), is_head=True) for number in range(graph.num_relations)]
    for edge in edges.tolist():
        yield keys[graph.edge_head[edge]], relations[graph.edge_relation[edge]], keys[graph.edge_tail[edge]]
    for entity, head in enumerate(keys):
        for alias in graph.aliases(entity):
            if alias.kind in LABEL_RELATION_OF:
                yield head, LABEL_RELATION_OF[alias.kind], literal_key(alias.text, alias.language)
        if head.startswith(TEXT_SPACE) and not any(alias.kind != "own" for alias in graph.aliases(entity)):
            yield head, LABEL_RELATION_OF["pref"], literal_key(unquote(head[len(TEXT_SPACE) :]))


def rdf_key(key: str, *, is_head: bool = False) -> str:
    """Return a term key as RDF can carry it: a plain text, and a literal that is a head, become IRIs in TEXT_SPACE."""
    if term_kind(key) == LITERAL and is_head:
        return TEXT_SPACE + quote(term_text(key), safe="")
    if term_kind(key) in (LITERAL, BLANK):
        return key
    if term_kind(key) == IRI and not _FORBIDDEN_IN_IRI.search(key):
        return key
    return TEXT_SPACE + quote(key, safe="")


def _node(key: str) -> rdflib.term.Node:
    kind = term_kind(key)
    if kind == BLANK:
        return rdflib.BNode(key[2:])
    if kind != LITERAL:
        return rdflib.URIRef(key)
    rest = key[key.rindex('"') + 1 :]
    if rest.startswith("@"):
        return rdflib.Literal(term_text(key), lang=rest[1:])
    datatype = rdflib.URIRef(rest[3:-1]) if rest.startswith("^^") else None
    return rdflib.Literal(term_text(key), datatype=datatype, normalize=False)


def _n_triples(graph: KnowledgeGraph, with_inferred: bool) -> Iterator[str]:
    def written(key: str) -> str:
        return key if key.startswith(('"', "_:")) else f"<{key}>"

    for terms in rdf_terms(graph, with_inferred=with_inferred):
        yield " ".join(written(key) for key in terms) + " .\n"


def _turtle(graph: KnowledgeGraph, with_inferred: bool) -> str:
    """Return the triples by head, with a prefix for every namespace that is used more than now and then."""
    rows = sorted(_n_triples(graph, with_inferred))
    uses = Counter(namespace for row in rows for namespace in _NAMESPACE.findall(row.partition(' "')[0]))
    prefixes = {name: namespace for namespace, name in PREFIXES.items()}
    for namespace in sorted(uses):
        if uses[namespace] >= MIN_USES_OF_A_PREFIX and namespace not in PREFIXES:
            prefixes[f"ns{len(prefixes) - len(PREFIXES) + 1}"] = namespace
    quads = pyoxigraph.parse("".join(rows), format=pyoxigraph.RdfFormat.N_TRIPLES)
    triples = (quad.triple for quad in quads)
    turtle: bytes | None = pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.TURTLE, prefixes=prefixes)
    return (turtle or b"").decode()


def _tsv(graph: KnowledgeGraph, with_inferred: bool) -> Iterator[str]:
    marks = ("\t\n", "\tyes\n") if with_inferred else ("\n", "\n")
    yield "head\trelation\ttail\tweight\tlanguage\tpos" + ("\tinferred\n" if with_inferred else "\n")
    for edge in _edges(graph, with_inferred).tolist():
        head, tail = (graph.entity_id(int(end)) for end in (graph.edge_head[edge], graph.edge_tail[edge]))
        relation = graph.relation_id(int(graph.edge_relation[edge]))
        yield f"{_cell(head)}\t{_cell(relation)}\t{_cell(tail)}\t{float(graph.edge_weight[edge]):.9g}\t\t"
        yield marks[edge in graph.inferences]
    for entity in range(graph.num_entities):
        for alias in graph.aliases(entity):
            if alias.kind in LABEL_RELATION_OF:
                cells = (graph.entity_id(entity), LABEL_RELATION_OF[alias.kind], alias.text)
                row = "\t".join(_cell(cell) for cell in cells)
                yield f"{row}\t{alias.prior:.9g}\t{alias.language}\t{alias.pos}{marks[0]}"


def _cell(key: str) -> str:
    text = term_text(key) if key.startswith('"') else key
    return " ".join(text.replace("\0", "\ufffd").split())  # no reader of a table takes a NUL


def _graphml(graph: KnowledgeGraph, with_inferred: bool) -> str:
    plain = to_networkx(graph, with_inferred=with_inferred)
    plain = nx.relabel_nodes(plain, {node: _xml_text(node) for node in plain})
    for _, values in plain.nodes(data=True):
        values["label"] = _xml_text(values["label"])
    for _, _, values in plain.edges(data=True):
        values.update(relation=_xml_text(values["relation"]), sources=_xml_text(values["sources"]))
    return "\n".join(nx.generate_graphml(plain)) + "\n"


def _xml_text(text: str) -> str:
    return _NOT_XML.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def export_text(graph: KnowledgeGraph, export_format: str, *, with_inferred: bool = False) -> str:
    """Return a graph as the text of a file: nt, ttl, tsv or graphml. TSV writes literals as their text.

    Inferred edges are left out, since the file would state them; with them, TSV and GraphML tell which they are.

    Raises:
        ConfigError: the format is none of these.
    """
    if export_format == "nt":
        return "".join(_n_triples(graph, with_inferred))
    if export_format == "ttl":
        return _turtle(graph, with_inferred)
    if export_format == "tsv":
        return "".join(_tsv(graph, with_inferred))
    if export_format == "graphml":
        return _graphml(graph, with_inferred)
    raise ConfigError(f"format: found {export_format!r}, expected one of {', '.join(EXPORT_FORMATS)}")


def export_graph(
    graph: KnowledgeGraph, target: Path, export_format: str, *, with_inferred: bool = False
) -> None:
    """Write a graph to a file, all or nothing; see `export_text` for the formats.

    Raises:
        ConfigError: the format is none of these.
        KGReasonError: the target is a folder, or in one that does not exist.
    """
    replace_file(target, export_text(graph, export_format, with_inferred=with_inferred).encode())
