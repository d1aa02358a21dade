"""A graph for other tools: networkx and rdflib objects, and the files N-Triples, Turtle, TSV and GraphML.

A round trip through N-Triples or Turtle gives the same entities, edges and labels. TSV carries language, prior and
part of speech of labels too. Entities that came from delimited files have no IRI; in RDF they get one in `TEXT_SPACE`,
with their text as label.

What qualifies an edge goes along in the form that the readers know: a row of TSV, or an edge of GraphML, for every
statement; in RDF 1.2 a reifier for every statement that says more than the triple. What a format cannot hold is told.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote, unquote

import networkx as nx
import numpy as np
import pyoxigraph
import rdflib

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.curies import OBO_IN_OWL, OWL, RDF, RDFS, SKOS, XSD
from kg_reason.kg.files import replace_file
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.names import BLANK, IRI, LITERAL, term_kind
from kg_reason.kg.qualifiers import SOURCE, VALID_FROM, VALID_UNTIL, WEIGHT, QualifierNames, Qualifiers, shown_weight
from kg_reason.kg.qualifying import REIFIES
from kg_reason.kg.stated_edges import HeldQualifiers, Stated, StatedEdges, column_names, edge_numbers
from kg_reason.kg.triple_terms import triple_term_key, written_term
from kg_reason.kg.triples import literal_key, term_text

logger = logging.getLogger(__name__)

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
QUALIFIER_RELATION_OF = {
    WEIGHT: TEXT_SPACE + WEIGHT,
    VALID_FROM: "http://schema.org/validFrom",
    VALID_UNTIL: "http://schema.org/validThrough",
    SOURCE: "http://purl.org/dc/terms/source",
}
TSV_COLUMNS = ("head", "relation", "tail", "weight", "language", "pos")
PREFIXES = {
    RDF: "rdf",
    RDFS: "rdfs",
    OWL: "owl",
    SKOS: "skos",
    XSD: "xsd",
}
MIN_USES_OF_A_PREFIX = 3
_FORBIDDEN_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NAMESPACE = re.compile(r"<([^<>]*[#/:])[^<>#/:]*>")
# What XML may not hold, and line ends that networkx makes line feeds of.
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\x85\u2028\u2029\ufffe\uffff]")


def to_networkx(
    graph: KnowledgeGraph, *, with_inferred: bool = False, with_qualifiers: bool = True, language: str = ""
) -> nx.MultiDiGraph:
    """Return a MultiDiGraph: nodes are entity ids with a `label`, edges have `relation`, `weight` and `sources`.

    The label is in the given language where an entity has one in it.

    An edge with qualifiers becomes one for each of its statements, with the qualifiers as attributes: texts, of several
    of a name the first. With the inferred edges among them, every edge also tells whether it is `inferred`.
    """
    result = nx.MultiDiGraph()
    for entity in range(graph.num_entities):
        result.add_node(graph.entity_id(entity), label=graph.entity_label(entity, language))
    edges = StatedEdges(graph, with_qualifiers=with_qualifiers)
    taken = ("relation", "weight", "sources", "inferred")
    held = HeldQualifiers(edges.num_values, column_names(edges.num_values, taken), max_values=1)
    for edge in edge_numbers(graph, with_inferred=with_inferred).tolist():
        mark = {"inferred": edge in graph.inferences} if with_inferred else {}
        ends = graph.entity_id(int(graph.edge_head[edge])), graph.entity_id(int(graph.edge_tail[edge]))
        relation = graph.relation_id(int(graph.edge_relation[edge]))
        for stated in edges.of(edge):
            sources = " ".join(map(str, [stated.source] if stated.source else graph.edge_sources(edge)))
            said = {name: values[0] for name, values in held.select(stated.qualifiers).items()}
            attributes = {"relation": relation, "weight": stated.weight, "sources": sources, **said, **mark}
            result.add_edges_from([(*ends, attributes)])  # not as keywords: a qualifier may be called key
    held.tell("a property graph")
    return result


def to_rdflib(graph: KnowledgeGraph) -> rdflib.Graph:
    """Return an rdflib graph with every edge and label; blank nodes keep their deterministic names.

    What qualifies an edge is left out: rdflib has no triple terms of RDF 1.2.
    """
    result = rdflib.Graph()
    for head, relation, tail in rdf_terms(graph):
        result.add((_node(head), rdflib.URIRef(relation), _node(tail)))
    return result


def rdf_terms(
    graph: KnowledgeGraph, *, with_inferred: bool = False, with_qualifiers: bool = False
) -> Iterator[tuple[str, str, str]]:
    """Yield every edge and label as term keys that RDF can carry, edges first, each before what qualifies it."""
    numbers = edge_numbers(graph, with_inferred=with_inferred)
    heads = set(np.unique(graph.edge_head[numbers]).tolist())
    keys = [rdf_key(graph.entity_id(entity), is_head=entity in heads) for entity in range(graph.num_entities)]
    relations = [rdf_key(graph.relation_id(number), is_head=True) for number in range(graph.num_relations)]
    reifiers = _Reifiers(graph) if with_qualifiers else None
    for edge in numbers.tolist():
        triple = keys[graph.edge_head[edge]], relations[graph.edge_relation[edge]], keys[graph.edge_tail[edge]]
        yield triple
        if reifiers is not None:
            yield from reifiers.of(edge, triple)
    if reifiers is not None:
        reifiers.held.tell("RDF")
    for entity, head in enumerate(keys):
        for alias in graph.aliases(entity):
            if alias.kind in LABEL_RELATION_OF:
                yield head, LABEL_RELATION_OF[alias.kind], literal_key(alias.text, alias.language)
        if head.startswith(TEXT_SPACE) and not any(alias.kind != "own" for alias in graph.aliases(entity)):
            yield head, LABEL_RELATION_OF["pref"], literal_key(unquote(head[len(TEXT_SPACE) :]))


class _Reifiers:
    """Makes the nodes of RDF 1.2 that say what qualifies the edges of a graph."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        names = QualifierNames(BuildConfig())
        self._edges = StatedEdges(graph)
        self.held = HeldQualifiers(self._edges.num_values, lambda name: names.of_relation(_qualifier_relation(name)))
        self._nodes = (node for number in count(1) if graph.find_id(node := f"_:statement{number}") < 0)

    def of(self, edge: int, triple: tuple[str, str, str]) -> Iterator[tuple[str, str, str]]:
        """Yield what the reifiers of an edge say; each statement has one where any says more than the triple."""
        statements = self._edges.of(edge)
        if all(stated.weight == 1.0 and not stated.qualifiers for stated in statements):
            return
        for stated, node in zip(statements, self._nodes, strict=False):
            yield node, REIFIES, triple_term_key(*triple)
            for name, values in self._said(stated).items():
                for value in values:
                    yield node, _qualifier_relation(name), literal_key(value)

    def _said(self, stated: Stated) -> Qualifiers:
        """Return qualifiers and weight of a statement; something in any case, or a reader would not count it."""
        said = self.held.select(stated.qualifiers)
        return {WEIGHT: (f"{stated.weight:.9g}",), **said} if stated.weight != 1.0 or not said else said


def _qualifier_relation(name: str) -> str:
    return QUALIFIER_RELATION_OF.get(name) or TEXT_SPACE + quote(name, safe="")


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


def _n_triples(graph: KnowledgeGraph, with_inferred: bool, with_qualifiers: bool) -> Iterator[str]:
    for terms in rdf_terms(graph, with_inferred=with_inferred, with_qualifiers=with_qualifiers):
        yield " ".join(map(written_term, terms)) + " .\n"


def _turtle(graph: KnowledgeGraph, with_inferred: bool, with_qualifiers: bool) -> str:
    """Return the triples by head, with the prefixes of the graph's files, and one for every other namespace in use."""
    rows = sorted(_n_triples(graph, with_inferred, with_qualifiers))
    text = "".join(rows)
    uses = Counter(namespace for row in rows for namespace in _NAMESPACE.findall(row.partition(' "')[0]))
    prefixes = {name: namespace for namespace, name in PREFIXES.items()}
    for name, namespace in graph.prefixes.items():
        if f"<{namespace}" in text and namespace not in PREFIXES and _PREFIX.fullmatch(name):
            prefixes.setdefault(name, namespace)
    free_names = (name for number in count(1) if (name := f"ns{number}") not in prefixes)
    for namespace in sorted(uses.keys() - prefixes.values()):
        if uses[namespace] >= MIN_USES_OF_A_PREFIX:
            prefixes[next(free_names)] = namespace
    quads = pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.N_TRIPLES)
    triples = (quad.triple for quad in quads)
    turtle: bytes | None = pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.TURTLE, prefixes=prefixes)
    return (turtle or b"").decode()


def _tsv(graph: KnowledgeGraph, with_inferred: bool, with_qualifiers: bool) -> Iterator[str]:
    edges = StatedEdges(graph, with_qualifiers=with_qualifiers)
    held = HeldQualifiers(edges.num_values, column_names(edges.num_values, (*TSV_COLUMNS, "rank", "inferred")))
    columns = [name for name, num_values in held.num_values.items() for _ in range(num_values)]
    marks = ["inferred"] * with_inferred
    yield "\t".join([*TSV_COLUMNS, *columns, *marks]) + "\n"
    num_empty = num_bare = 0
    for edge in edge_numbers(graph, with_inferred=with_inferred).tolist():
        numbers = (graph.entity_id(int(graph.edge_head[edge])), graph.relation_id(int(graph.edge_relation[edge])))
        keys = (*numbers, graph.entity_id(int(graph.edge_tail[edge])))
        cells = [_cell(key) for key in keys]
        if not all(cells):
            num_empty += 1
            continue
        num_bare += any(key.startswith('"') and key != literal_key(cell) for key, cell in zip(keys, cells, strict=True))
        triple = "\t".join(cells)
        mark = "\t" * with_inferred + "yes" * (edge in graph.inferences)
        for stated in edges.of(edge):
            more = _qualifier_cells(held, stated.qualifiers) if edges.num_values else ()
            weight = "" if stated.weight == 1.0 else f"{stated.weight:.9g}"  # of 1 is what none was given for
            yield f"{triple}\t{weight}\t\t{''.join(more)}{mark}\n"
    held.tell("TSV")
    if num_empty:
        logger.warning("triples left out because TSV holds no empty texts: %d", num_empty)
    if num_bare:
        logger.warning("triples of whose value TSV holds the text alone, no type, language or line end: %d", num_bare)
    empty = "\t" * (len(columns) + with_inferred)
    for entity in range(graph.num_entities):
        for alias in graph.aliases(entity):
            if alias.kind in LABEL_RELATION_OF:
                keys = (graph.entity_id(entity), LABEL_RELATION_OF[alias.kind], alias.text)
                row = "\t".join(map(_cell, keys))
                yield f"{row}\t{shown_weight(alias.prior):.9g}\t{alias.language}\t{alias.pos}{empty}\n"


def _qualifier_cells(held: HeldQualifiers, qualifiers: Qualifiers) -> Iterator[str]:
    """Yield the cells of a statement, each behind a tab, as many for each qualifier as it has values in any."""
    kept = held.select(qualifiers)
    for name, num_values in held.num_values.items():
        values = kept.get(name, ())
        yield from (f"\t{_plain_cell(value)}" for value in values)
        yield "\t" * (num_values - len(values))


def _cell(key: str) -> str:
    text = term_text(key) if key.startswith('"') else key
    return _plain_cell(text)


def _plain_cell(text: str) -> str:
    return " ".join(text.replace("\0", "\ufffd").split())  # no reader of a table takes a NUL


def _graphml(graph: KnowledgeGraph, with_inferred: bool, with_qualifiers: bool, language: str) -> str:
    named = graph.alias_entity[graph.alias_entity >= 0]
    num_further = len(named) - len(np.unique(named))
    if num_further:
        logger.warning("labels left out because GraphML holds one of each entity: %d", num_further)
    plain = to_networkx(graph, with_inferred=with_inferred, with_qualifiers=with_qualifiers, language=language)
    plain = nx.relabel_nodes(plain, {node: _xml_text(node) for node in plain})
    for _, values in plain.nodes(data=True):
        values["label"] = _xml_text(values["label"])
    for _, _, values in plain.edges(data=True):
        values.update({name: _xml_text(value) for name, value in values.items() if isinstance(value, str)})
    return "\n".join(nx.generate_graphml(plain)) + "\n"


def _xml_text(text: str) -> str:
    return _NOT_XML.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def export_text(
    graph: KnowledgeGraph, export_format: str, *, with_inferred: bool = False, with_qualifiers: bool = True,
    language: str = "",
) -> str:  # fmt: skip
    """Return a graph as the text of a file: nt, ttl, tsv or graphml. TSV writes literals as their text.

    Inferred edges are left out, since the file would state them; with them, TSV and GraphML tell which they are. With
    qualifiers, N-Triples and Turtle are RDF 1.2 wherever an edge has any or a weight; without, they are RDF 1.1. What
    of them a format cannot hold is logged. GraphML names each entity in the given language where it can.

    Raises:
        ConfigError: the format is none of these.
    """
    what = graph, with_inferred, with_qualifiers
    if export_format == "nt":
        return "".join(_n_triples(*what))
    if export_format == "ttl":
        return _turtle(*what)
    if export_format == "tsv":
        return "".join(_tsv(*what))
    if export_format == "graphml":
        return _graphml(*what, language)
    raise ConfigError(f"format: found {export_format!r}, expected one of {', '.join(EXPORT_FORMATS)}")


def export_graph(
    graph: KnowledgeGraph, target: Path, export_format: str, *, with_inferred: bool = False,
    with_qualifiers: bool = True, language: str = "",
) -> None:  # fmt: skip
    """Write a graph to a file, all or nothing; see `export_text` for the formats.

    Raises:
        ConfigError: the format is none of these.
        KGReasonError: the target is a folder, or in one that does not exist.
    """
    text = export_text(
        graph, export_format, with_inferred=with_inferred, with_qualifiers=with_qualifiers, language=language
    )
    replace_file(target, text.encode())
