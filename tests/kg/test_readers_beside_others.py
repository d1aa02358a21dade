"""Files of generated graphs, written by other tools and read by them and by us: the same nodes, edges and values."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_reason.config import BuildConfig
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.curies import OBO, OBO_IN_OWL, RDFS, XSD
from kg_reason.kg.names import readable_name
from kg_reason.kg.obo import SCOPES, read_obo
from kg_reason.kg.ontology import SUBCLASS
from kg_reason.kg.property_graph import PLAIN_RELATION
from kg_reason.kg.reading import FOREIGN_READERS, read_delimited
from kg_reason.kg.taxonomy_paths import BROADER
from kg_reason.kg.triples import LABEL_RELATION, cell_key, literal_parts, term_text

TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn")), max_size=12)
NAMES = TEXTS.filter(lambda text: " ".join(text.split()) == text != "")
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
VALUES = TEXTS | NUMBERS | st.booleans()
WEIGHTS = st.integers(0, 1000) | st.floats(0, 1e30)
IDS = NAMES | st.integers(0, 99)
MORE = settings(max_examples=60, deadline=None)


def read(file_format, data, **configured):
    bad_lines = BadLines()
    stream, config = io.BufferedReader(io.BytesIO(data)), BuildConfig(**configured)
    if file_format == "obo":
        blocks = read_obo(stream, "a", 0, bad_lines)
    elif file_format in ("tsv", "csv"):
        blocks = read_delimited(stream, "a", 0, bad_lines, config=config, quoted=file_format == "csv")
    else:
        blocks = FOREIGN_READERS[file_format](stream, "a", 0, bad_lines, config)
    triples = [triple for block in blocks for triple in block.triples("a")]
    assert [str(bad_line) for bad_line in bad_lines] == []
    return triples


@st.composite
def graphs(draw, values):
    graph = draw(st.sampled_from((nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph)))()
    ids = draw(st.lists(IDS, min_size=1, max_size=6, unique_by=lambda value: cell_key(str(value))))
    for node in ids:
        attributes = draw(st.dictionaries(st.sampled_from(("born", "tall", "a note")), values, max_size=3))
        graph.add_node(node, **attributes, **draw(st.fixed_dictionaries({}, optional={"label": TEXTS})))
    for _ in range(draw(st.integers(0, 8))):
        said = draw(st.fixed_dictionaries({}, optional={"relation": NAMES, "weight": WEIGHTS}))
        graph.add_edge(draw(st.sampled_from(ids)), draw(st.sampled_from(ids)), **said)
    return graph


def python_value(key):
    text, _, datatype = literal_parts(key)
    if datatype == XSD + "boolean":
        return text == "true"
    if datatype == XSD + "integer":
        return int(text)
    return float(text) if datatype == XSD + "double" else text


def stated(graph):
    """What a graph of networkx says, as triples of python values with a weight."""
    labels, edges = Counter(), Counter()
    for node, attributes in graph.nodes(data=True):
        head = cell_key(str(node))
        label = " ".join(attributes.get("label", "").split())
        if label and label != readable_name(head):
            labels[head, label] += 1
        for name, value in attributes.items():
            for item in value if isinstance(value, list) else [value]:
                if name != "label" and item is not None and item != "":
                    edges[head, name, repr(item), 1.0] += 1
    for head, tail, said in graph.edges(data=True):
        ends = cell_key(str(head)), cell_key(str(tail))
        weight = float(np.float32(said.get("weight", 1.0)))
        ends = ends if graph.is_directed() else tuple(sorted(ends))
        edges[ends[0], cell_key(said.get("relation") or PLAIN_RELATION), ends[1], weight] += 1
    return labels, edges


def read_as_stated(triples, *, directed):
    labels, edges = Counter(), Counter()
    for triple in triples:
        if triple.relation == LABEL_RELATION:
            labels[triple.head, term_text(triple.tail)] += 1
        elif triple.relation in ("born", "tall", "a note"):
            edges[triple.head, triple.relation, repr(python_value(triple.tail)), 1.0] += 1
        else:
            ends = (triple.head, triple.tail) if directed else tuple(sorted((triple.head, triple.tail)))
            edges[ends[0], triple.relation, ends[1], triple.weight] += 1
    return labels, edges


@MORE
@given(graphs(VALUES | st.none() | st.lists(VALUES, max_size=3)))
def test_node_link_json_says_what_networkx_reads_from_it(graph):
    text = json.dumps(nx.node_link_data(graph, edges="links"))
    again = nx.node_link_graph(json.loads(text), edges="links")
    triples = read("node-link", text.encode())
    assert read_as_stated(triples, directed=again.is_directed()) == stated(again)


@MORE
@given(graphs(VALUES.map(lambda value: value.strip() if isinstance(value, str) else value)))
def test_graphml_says_what_networkx_reads_from_it(graph):
    written = io.BytesIO()
    nx.write_graphml(graph, written)
    again = nx.read_graphml(io.BytesIO(written.getvalue()))
    triples = read("graphml", written.getvalue())
    assert read_as_stated(triples, directed=again.is_directed()) == stated(again)


CELLS = st.text(st.sampled_from("ab ,;|\"'\n\u00e9\u4e2d"), min_size=1, max_size=8).map(str.strip).filter(bool)


@MORE
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8),
    st.sampled_from(",;|\t"),
    st.sampled_from((csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC)),
    st.sampled_from(("\n", "\r\n")),
)
def test_rows_of_the_csv_module_come_back_whatever_its_dialect(rows, delimiter, quoting, line_end):
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator=line_end).writerows(rows)
    triples = read("csv", written.getvalue().encode(), delimiter=delimiter, header="no")
    assert [tuple(map(term_text, triple[:3])) for triple in triples] == rows


@MORE
@given(
    st.lists(st.tuples(CELLS, st.integers(-5, 5), st.lists(CELLS.filter(lambda cell: ";" not in cell), max_size=2))),
    st.sampled_from((csv.QUOTE_ALL, csv.QUOTE_MINIMAL)),
)
def test_nodes_of_neo4j_keep_their_names_numbers_and_lists(nodes, quoting):
    written = io.StringIO()
    writer = csv.writer(written, quoting=quoting)
    writer.writerow((":ID(P)", "name", "born:int", "tags:string[]"))
    writer.writerows((f"n{number}", name, born, ";".join(tags)) for number, (name, born, tags) in enumerate(nodes))
    triples = read("neo4j", written.getvalue().encode())
    found = Counter((triple.head, triple.relation, python_value(triple.tail)) for triple in triples)
    expected = Counter()
    for number, (name, born, tags) in enumerate(nodes):
        facts = [(LABEL_RELATION, " ".join(name.split())), ("born", born), *(("tags", tag) for tag in tags)]
        expected.update((f"P:n{number}", relation, value) for relation, value in facts)
    assert found == expected


PARTS = st.sampled_from(("a", "b c", "2 d", "\u00e9"))
TERMS = st.integers(1, 30).map(lambda number: f"MOZ:{number:07}")
WRITTEN = NAMES.filter(lambda text: text == text.strip(" \t"))


def escaped(text):
    return "".join("\\" + character if character in '\\"{}!' else character for character in text)


@MORE
@given(
    st.dictionaries(
        TERMS,
        st.tuples(
            WRITTEN,
            st.lists(TERMS, max_size=3),
            st.lists(st.tuples(WRITTEN, st.sampled_from(tuple(SCOPES))), max_size=3),
        ),
        max_size=5,
    )
)
def test_terms_of_obo_keep_their_names_parents_and_synonyms(terms):
    lines = ["format-version: 1.4", "ontology: moz"]
    expected = Counter()
    for term, (name, parents, synonyms) in terms.items():
        lines += ["", "[Term]", f"id: {term}", f"name: {escaped(name)}"]
        lines += [f"is_a: {parent} ! a parent" for parent in parents]
        lines += [f'synonym: "{escaped(text)}" {scope} []' for text, scope in synonyms]
        head = OBO + term.replace(":", "_")
        expected[head, RDFS + "label", name] += 1
        expected.update((head, SUBCLASS, OBO + parent.replace(":", "_")) for parent in parents)
        expected.update((head, OBO_IN_OWL + SCOPES[scope], text) for text, scope in synonyms)
    triples = read("obo", "\n".join(lines).encode())
    wanted = {RDFS + "label", SUBCLASS, *(OBO_IN_OWL + name for name in SCOPES.values())}
    found = Counter((head, relation, term_text(tail)) for head, relation, tail, *_ in triples if relation in wanted)
    assert found == expected


@MORE
@given(st.lists(st.lists(PARTS, min_size=1, max_size=5), min_size=1, max_size=8))
def test_every_path_of_a_taxonomy_is_below_the_path_that_it_continues(paths):
    triples = read("taxonomy", "\n".join(" > ".join(path) for path in paths).encode())
    above = {(triple.head, triple.tail) for triple in triples if triple.relation == BROADER}
    expected = {
        (" > ".join(path[: length + 1]), " > ".join(path[:length])) for path in paths for length in range(1, len(path))
    }
    assert above == expected
    labels = [(triple.head, term_text(triple.tail)) for triple in triples if triple.relation == LABEL_RELATION]
    assert sorted(labels) == sorted((key, key.rpartition(" > ")[2]) for key in {key for edge in above for key in edge}
                                    | {path[0] for path in paths})


TERM_PARTS = st.sampled_from(("/c/", "/c", "en", "de", "/", "_", "a", "\u00e9", "\u00a0", "/n", "/wn", " ", "http://x/y"))
URIS = st.lists(TERM_PARTS, max_size=7).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(("/r/IsA", "/r/", "/r//", "/r/a b", "IsA")), URIS, URIS)
def test_a_plain_line_of_conceptnet_is_read_as_the_same_line_with_spaces_around_its_fields(relation, head, tail):
    outcomes = []
    for space in ("", " "):
        bad_lines = BadLines()
        line = f"/a/\t{space}{relation}\t{space}{head}\t{space}{tail}\t{{}}\n".encode()
        blocks = FOREIGN_READERS["conceptnet"](io.BytesIO(line), "a", 0, bad_lines, BuildConfig())
        outcomes.append(([triple for block in blocks for triple in block.triples("a")], list(bad_lines)))
    assert outcomes[0] == outcomes[1]
