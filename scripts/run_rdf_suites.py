"""Run the public W3C suites of RDF 1.1 and JSON-LD 1.1 against our readers, beside pyoxigraph alone.

    pip download rdflib==7.6.0 --no-deps --no-binary :all: && tar xzf rdflib-7.6.0.tar.gz
    python scripts/run_rdf_suites.py rdflib-7.6.0/test/data/suites/w3c/{ntriples,nquads,turtle,trig,rdf-xml} \
        --json-ld rdflib-7.6.0/test/jsonld/1.1 [--failures]

The source package of rdflib carries copies of both; a checkout of w3c/rdf-tests has the same manifests. A file that is
valid must be read without a bad line and, where the suite tells them, give the expected triples, in graphs that an IRI
names; the names of blank nodes, and of graphs that a blank node names, do not count. A file that is not valid must give
a bad line with its place. Nothing is folded: the readers are asked, not the builder. pyoxigraph reads the same
files with the same base. Tests of JSON-LD for other versions than 1.1 or with options that a file cannot carry are left
out and counted; contexts that lie in the suite are given to ours as local copies, for it never fetches any.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyoxigraph
import rdflib

from kg_reason.config import BuildConfig
from kg_reason.errors import KGReasonError
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.inputs import find_inputs
from kg_reason.kg.reading import read_blocks
from kg_reason.kg.triple_terms import written_term
from kg_reason.kg.triples import TripleBlock

MANIFEST = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
FORMATS = {"nt": "nt", "nq": "nq", "ttl": "ttl", "trig": "trig", "rdf": "rdfxml", "jsonld": "jsonld"}
BASES = {"turtle": "TurtleTests", "trig": "TriGTests", "rdf-xml": "RDFXMLTests"}
COLUMNS = ("valid", "invalid", "kg_reason", "pyoxigraph", "only kg_reason", "only pyoxigraph")
JSON_LD_OPTIONS = {"specVersion", "base", "useJCS", "normative"}


class SuiteTest(NamedTuple):
    """One test: whether the file is valid, and what is expected of it where the suite tells."""

    name: str
    is_valid: bool
    file: Path
    expected: Path | None
    base: str

    @property
    def rdf_format(self) -> str:
        """The name of the syntax, as `BuildConfig` has it."""
        return FORMATS[self.file.suffix[1:]]


class Outcome(NamedTuple):
    """What a reader made of a file: its statements, or the reason why there are none."""

    statements: set[str] | None
    reason: str = ""


Reader = Callable[[SuiteTest], Outcome]


def manifest_tests(folder: Path) -> Iterator[SuiteTest]:
    """Yield the tests of a suite with a manifest in Turtle."""
    path = folder / "manifest.ttl"
    manifest = rdflib.Graph()
    manifest.parse(path, format="turtle", publicID=folder.resolve().as_uri() + "/manifest.ttl")
    term = rdflib.Namespace(MANIFEST)
    base = manifest.value(predicate=term.assumedTestBase)
    root = str(base) if base else f"http://www.w3.org/2013/{BASES.get(folder.name, folder.name)}/"
    for test, action in sorted(manifest.subject_objects(term.action)):
        kind = str(manifest.value(test, rdflib.RDF.type)).rpartition("#")[2]
        file, result = _local(action), manifest.value(test, term.result)
        if "Positive" in kind or "Negative" in kind or "Eval" in kind:
            inside = file.relative_to(folder.resolve()).as_posix()
            is_valid = "Negative" not in kind
            expected = _local(result) if result and is_valid else None
            yield SuiteTest(str(test).rpartition("#")[2], is_valid, file, expected, root + inside)


def json_ld_tests(folder: Path) -> tuple[list[SuiteTest], int]:
    """Return the tests of JSON-LD to RDF that a file alone can pass, and how many others there are."""
    manifest = json.loads((folder / "toRdf-manifest.jsonld").read_text("utf-8"))
    tests, entries = [], manifest["sequence"]
    for entry in entries:
        option = entry.get("option", {})
        if set(option) <= JSON_LD_OPTIONS and option.get("specVersion") != "json-ld-1.0":
            is_valid = "jld:NegativeEvaluationTest" not in entry["@type"]
            expected = folder / entry["expect"] if is_valid and "expect" in entry else None
            base = option.get("base", manifest["baseIri"] + entry["input"])
            tests.append(SuiteTest(entry["@id"], is_valid, folder / entry["input"], expected, base))
    return tests, len(entries) - len(tests)


def our_reader(contexts: tuple[str, ...] = ()) -> Reader:
    """Return what reads a file as `kg-reason build` does."""

    def read(test: SuiteTest) -> Outcome:
        config = BuildConfig(input_format=test.rdf_format, base_iri=test.base, context=_contexts_of(test, contexts))
        bad_lines, rows = BadLines(), list[str]()
        try:
            for block in read_blocks(find_inputs([test.file], config), config, bad_lines):
                rows += _written(block)
        except KGReasonError as error:
            return Outcome(None, str(error))
        if bad_lines.num:
            return Outcome(None, str(bad_lines.first[0]))
        return Outcome(_canonical(pyoxigraph.parse("".join(rows), pyoxigraph.RdfFormat.N_QUADS, lenient=True)))

    return read


def pyoxigraph_reader(test: SuiteTest) -> Outcome:
    """Read a file by pyoxigraph alone."""
    rdf_format = pyoxigraph.RdfFormat.from_extension(test.file.suffix[1:])
    base = None if test.rdf_format in ("nt", "nq") else test.base
    try:
        return Outcome(_canonical(pyoxigraph.parse(test.file.read_bytes(), rdf_format, base_iri=base)))
    except (SyntaxError, ValueError) as error:
        return Outcome(None, str(error))


def passed(test: SuiteTest, outcome: Outcome) -> bool:
    """Tell whether a reader did with the file of a test what it should."""
    if not test.is_valid:
        return outcome.statements is None
    if outcome.statements is None or test.expected is None:
        return outcome.statements is not None
    data = test.expected.read_bytes()
    rdf_format = pyoxigraph.RdfFormat.from_extension(test.expected.suffix[1:])
    return outcome.statements == _canonical(pyoxigraph.parse(data, rdf_format, lenient=True))


def main() -> None:
    """Read the arguments and print a row for each suite."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="+", type=Path, help="folders with a manifest.ttl")
    parser.add_argument("--json-ld", type=Path, help="the folder with toRdf-manifest.jsonld")
    parser.add_argument("--failures", action="store_true", help="tell what ours does not pass, and why")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    suites = {folder.name: [*manifest_tests(folder)] for folder in arguments.suites}
    left_out, contexts = 0, tuple[str, ...]()
    if arguments.json_ld:
        suites["JSON-LD to RDF"], left_out = json_ld_tests(arguments.json_ld)
        contexts = tuple(str(path) for path in sorted((arguments.json_ld / "toRdf").rglob("*-context*.jsonld")))
    print(f"{'suite':<16}" + "".join(f"{name:>17}" for name in COLUMNS))
    rows, failures = [], list[str]()
    for suite, tests in suites.items():
        read, row = our_reader(contexts), Counter[str]()
        for test in tests:
            ours = read(test)
            outcomes = {"kg_reason": passed(test, ours), "pyoxigraph": passed(test, pyoxigraph_reader(test))}
            row.update(["valid" if test.is_valid else "invalid", *(name for name, good in outcomes.items() if good)])
            row["only kg_reason"] += outcomes["kg_reason"] > outcomes["pyoxigraph"]
            row["only pyoxigraph"] += outcomes["kg_reason"] < outcomes["pyoxigraph"]
            if not outcomes["kg_reason"]:
                failures.append(f"{suite} {test.name}: {ours.reason or 'other triples'}")
        rows.append(row)
        print(_line(suite, row))
    print(_line("all", sum(rows, Counter())))
    if left_out:
        print(f"left out of JSON-LD: {left_out} tests of other versions or with options that no file can carry")
    if arguments.failures:
        print(*failures, sep="\n")


def _line(name: str, row: Counter[str]) -> str:
    return f"{name:<16}" + "".join(f"{row[column]:>17}" for column in COLUMNS)


def _local(iri: object) -> Path:
    return Path(str(iri).removeprefix("file://"))


def _contexts_of(test: SuiteTest, contexts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the contexts of a suite as settings, by the addresses that a document may call them by."""
    folder = test.base.rpartition("/")[0]
    names = [(path, Path(path).name) for path in contexts]
    return tuple(f"{url}={path}" for path, name in names for url in (name, f"{folder}/{name}"))


def _written(block: TripleBlock) -> list[str]:
    """Return the triples of a block as lines of N-Quads."""
    rows = []
    text = block.buffer.tobytes()
    graphs = [(0, 0)] * len(block) if block.qualifiers is None else block.qualifiers.tolist()
    for triple, (start, end) in zip(block.triples(""), graphs, strict=True):
        rows.append(" ".join([*map(written_term, triple[:3]), text[start:end].decode()]) + " .\n")
    return rows


def _canonical(quads: Iterator[pyoxigraph.Quad]) -> set[str]:
    """Return statements as text, blank nodes named by what is said of them, graphs without an IRI the default graph."""
    kept = pyoxigraph.Dataset(
        pyoxigraph.Quad(
            quad.subject, quad.predicate, quad.object,
            quad.graph_name if isinstance(quad.graph_name, pyoxigraph.NamedNode) else pyoxigraph.DefaultGraph(),
        )
        for quad in quads
    )  # fmt: skip
    kept.canonicalize(pyoxigraph.CanonicalizationAlgorithm.UNSTABLE)
    return {str(quad) for quad in kept}


if __name__ == "__main__":
    main()
