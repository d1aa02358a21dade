"""Commands that make, count, write out and change a graph: build, stats, export, edit."""

from __future__ import annotations

import argparse
import shlex
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kg_reason.commands.arguments import (
    Commands,
    UsageError,
    add_command,
    add_graph,
    add_json,
    file_argument,
    folder_argument,
)
from kg_reason.commands.endpoint import EXTRACTED
from kg_reason.commands.printing import counted, hint, remark, show, show_file, show_json, sized, timed
from kg_reason.config import BuildConfig, EndpointConfig, LinkerConfig
from kg_reason.errors import ConfigError
from kg_reason.flags import add_settings, settings_from
from kg_reason.kg.words import primary_language
from kg_reason.terminal import aligned, short_name

if TYPE_CHECKING:
    from kg_reason.kg.extract import ExtractReport
    from kg_reason.kg.graph import KnowledgeGraph

STANDARD_OUTPUT = "-"
EXTRACT_SUFFIX = ".extract"  # of the folder beside a graph
EXPORT_FORMATS = ("nt", "ttl", "tsv", "graphml")
SHOWN_RELATIONS = 12
EDGES_LOOKED_AT = 2_000  # for the example in the hints
MAX_HINT_CHARACTERS = 60  # of a name there

BUILD_DETAILS = """\
Formats, by suffix: .nt .nq .ttl .trig .rdf .owl .xml .jsonld .obo, and .tsv .csv of head, relation, tail, or of head
and tail with --relation; each also .gz, .bz2, .xz, .zst or .zip (of one file). Exports of other tools are known by
their first lines: ConceptNet 5, ATOMIC, taxonomies of paths (A > B > C), .graphml, node-link .json, CSV of Neo4j.
Folders are searched; - is standard input (with --input-format). Text is UTF-8 unless --encoding says otherwise. Bad
lines are all found in one pass and nothing is written; --skip-bad-lines reads the rest.

--infer rdfs adds the triples that follow: chains of subclasses and of relations declared transitive, what
sub-properties, inverses, domains and ranges say, inherited types and disjointness. They are marked and name the lines
they come from.

A graph too large for this machine is asked for what it holds around the words of your sentences, one in each line:
  kg-reason build --endpoint https://example.org/sparql --seed sentences.txt --hops 2 --out kg
writes that to kg.extract/ as N-Triples and builds it, with FILEs where there are some."""
EDIT_DETAILS = """\
Names are ids or labels. An edit is kept beside the graph with its time, takes effect at once and can be undone:
  kg-reason edit kg --add gavorn hypernym violin
  kg-reason edit kg --undo"""


def add_commands(commands: Commands) -> None:
    """Add the commands of this room."""
    build = add_command(commands, "build", _build, "read triples files into a graph folder", BUILD_DETAILS)
    file_argument(build.add_argument("files", nargs="*", metavar="FILE", help="triples file, folder, or -"))
    folder_argument(build.add_argument("--out", required=True, metavar="DIR", help="graph folder to write"))
    build.add_argument("--endpoint", metavar="URL", help="SPARQL 1.1 endpoint to make a local extract of")
    file_argument(build.add_argument("--seed", metavar="FILE", help="with --endpoint: sentences it is to be about"))
    add_json(build)
    add_settings(build, BuildConfig, "reading")
    add_settings(build, EndpointConfig, "endpoint", only=EXTRACTED)

    stats = add_command(commands, "stats", _stats, "count what a graph holds")
    add_graph(stats)
    add_json(stats)

    export = add_command(commands, "export", _export, "write a graph to a file for other tools")
    add_graph(export)
    export.add_argument("--format", choices=EXPORT_FORMATS, help="format of the file (default: by its suffix)")
    file_argument(
        export.add_argument("--out", required=True, metavar="FILE", help="file to write; - for standard output")
    )
    export.add_argument(
        "--with-inferred", action="store_true", help="also edges that were inferred; TSV and GraphML mark them"
    )
    export.add_argument(
        "--without-qualifiers", action="store_true",
        help="only the triples, without weights (of nt and ttl), dates and sources, for tools that know no RDF 1.2",
    )
    export.add_argument(
        "--language", default=LinkerConfig.language,
        help="language of the one label of each entity in GraphML (default: en)",
    )
    add_json(export)

    edit = add_command(commands, "edit", _edit, "add or remove a triple of a built graph", EDIT_DETAILS)
    add_graph(edit)
    what = edit.add_mutually_exclusive_group(required=True)
    triple = ("HEAD", "RELATION", "TAIL")
    what.add_argument("--add", nargs=3, metavar=triple, help="add a triple")
    what.add_argument("--remove", nargs=3, metavar=triple, help="remove a triple")
    what.add_argument("--undo", action="store_true", help="take back the last edit that stands")
    what.add_argument("--list", action="store_true", help="list the edits that stand")
    add_json(edit)


def _build(arguments: argparse.Namespace) -> int:
    from kg_reason.kg.alias_kinds import LABEL_RELATIONS
    from kg_reason.kg.building import build_graph, num_bad_lines
    from kg_reason.kg.graph import KnowledgeGraph
    from kg_reason.kg.storage import BAD_LINES_FILE

    out = Path(arguments.out)
    started = time.perf_counter()
    config = settings_from(arguments, BuildConfig)
    extracted = _extract(arguments, out) if _is_from_endpoint(arguments) else None
    files = [*arguments.files]
    if extracted is not None:
        files += extracted.files
        own = set(settings_from(arguments, EndpointConfig).label_properties).difference(LABEL_RELATIONS)
        config = replace(config, label_relations=(*config.label_relations, *sorted(own)))
    stats = build_graph(files, out, config, show_progress=not arguments.quiet)
    seconds = time.perf_counter() - started
    num_bytes = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    skipped = num_bad_lines(out)
    if arguments.json:
        facts = {"path": str(out), "num_bytes": num_bytes, "seconds": seconds, "num_bad_lines": skipped}
        from_endpoint = {"extract": extracted.to_json()} if extracted is not None else {}
        show_json({**stats.to_json(), **facts, **from_endpoint})
        return 0
    languages = ", ".join(name for name in stats.languages if name)
    entities = counted(stats.num_entities, "entity", "entities")
    show(
        f"{out} is ready: {counted(stats.num_triples, 'triple')} between {entities}",
        *aligned([
            ["relations", f"{stats.num_relations:,}"],
            *[["inferred", counted(stats.num_inferred, "triple")]] * bool(stats.num_inferred),
            ["labels", f"{stats.num_labels:,}" + (f" ({languages})" if languages else "")],
            ["size", sized(num_bytes)],
            ["time", timed(seconds)],
            ["fingerprint", stats.fingerprint],
            *(_extract_rows(extracted) if extracted is not None else []),
        ]),
    )
    if skipped:
        show(f"  {counted(skipped, 'bad line')} skipped, listed in {out / BAD_LINES_FILE}")
    if not arguments.quiet:
        _hint_after_build(KnowledgeGraph.open(out), out)
    return 0


def _is_from_endpoint(arguments: argparse.Namespace) -> bool:
    """Tell whether an endpoint is to be asked; its arguments come together, or there are files."""
    if bool(arguments.endpoint) != bool(arguments.seed):
        raise UsageError("--endpoint and --seed belong together (kg-reason build --help tells more)")
    if not arguments.files and not arguments.endpoint:
        raise UsageError(
            "the following arguments are required: FILE, or --endpoint and --seed (kg-reason build --help tells more)"
        )
    return bool(arguments.endpoint)


def _extract(arguments: argparse.Namespace, out: Path) -> ExtractReport:
    """Make the local extract of an endpoint beside the graph."""
    from kg_reason.kg.extract import extract
    from kg_reason.kg.seed_labels import read_sentences
    from kg_reason.kg.sparql_client import SparqlClient

    client = SparqlClient(arguments.endpoint, settings_from(arguments, EndpointConfig))
    sentences = read_sentences(Path(arguments.seed))
    place = out if out.name not in ("", "..") else out.resolve()
    return extract(client, sentences, place.with_name(place.name + EXTRACT_SUFFIX), show_progress=not arguments.quiet)


def _extract_rows(extracted: ExtractReport) -> list[list[str]]:
    """Return what an extract took, as rows of a table."""
    kept = f" and {extracted.num_cached:,} kept answers" if extracted.num_cached else ""
    queries = counted(extracted.num_queries, "query", "queries")
    seeds = counted(extracted.num_seeds, "entity", "entities")
    rows = [
        ["endpoint", extracted.endpoint],
        ["asked", f"{queries}{kept}, {sized(extracted.num_bytes)}"],
        ["seed", f"{seeds} by {counted(extracted.num_spellings, 'spelling')}"],
        ["extract", str(Path(extracted.files[0]).parent)],
    ]
    if extracted.num_capped:
        rows.append(["cut short", f"{counted(extracted.num_capped, 'list')} at --max-..-per-.. settings"])
    return rows


def _hint_after_build(graph: KnowledgeGraph, out: Path) -> None:
    """Name commands that show something in this very graph: two entities with labels of their own and an edge."""
    named = None
    for edge in graph.live_edges()[:EDGES_LOOKED_AT].tolist():
        ends = (int(graph.edge_head[edge]), int(graph.edge_tail[edge]))
        if ends[0] != ends[1] and not any(graph.is_value(end) or not graph.aliases(end) for end in ends):
            if any(len(graph.entity_label(end, _hint_language(graph, ends))) > MAX_HINT_CHARACTERS for end in ends):
                continue
            named = named or ends
            if all(graph.aliases(end)[0].kind != "own" for end in ends):
                named = ends
                break
    place = shlex.quote(str(out))
    rows = [f"kg-reason stats {place}"]
    if named is not None:
        language = _hint_language(graph, named)
        head, tail = (shlex.quote(graph.entity_label(end, language)) for end in named)
        flag = f" --language {language}" if language != LinkerConfig.language else ""
        rows += [f"kg-reason show {place} {head}{flag}", f"kg-reason paths {place} {head} {tail}{flag}"]
    hint(*rows)


def _hint_language(graph: KnowledgeGraph, ends: tuple[int, int]) -> str:
    """Return the usual language if both entities have labels that it finds, else one in which both have some."""
    tags = [{primary_language(alias.language) for alias in graph.aliases(end)} for end in ends]
    shared = (tag for tag in sorted(tags[0] | tags[1]) if tag and all({tag, ""} & own for own in tags))
    usual = LinkerConfig.language
    return usual if all({usual, ""} & own for own in tags) else next(shared, usual)


def _stats(arguments: argparse.Namespace) -> int:
    from kg_reason.kg.building import num_bad_lines
    from kg_reason.kg.graph import KnowledgeGraph

    graph = KnowledgeGraph.open(arguments.graph)
    stats = graph.stats()
    edits, skipped = len(graph.overlay.edits), num_bad_lines(Path(arguments.graph))
    if arguments.json:
        show_json({**stats.to_json(), "num_edits": edits, "num_bad_lines": skipped})
        return 0
    counts = [
        ["triples", f"{stats.num_triples:,}"],
        ["entities", f"{stats.num_entities:,}"],
        ["relations", f"{stats.num_relations:,}"],
        ["labels", f"{stats.num_labels:,}"],
    ]
    counts += [["inferred", f"{stats.num_inferred:,}"]] * bool(stats.num_inferred)
    counts += [["edits", f"{edits:,}"]] * bool(edits) + [["bad lines skipped", f"{skipped:,}"]] * bool(skipped)
    show(f"{arguments.graph}  fingerprint {stats.fingerprint}", "", *aligned(counts, right=[1]))
    languages = {name or "(no language)": count for name, count in stats.languages.items()}
    show(*_ranking("triples per relation", stats.relations))
    show(*_ranking("inferred triples per relation", stats.inferred_relations))
    show(*_ranking("labels per language", languages))
    show(*_ranking("triples and labels per source", stats.sources))
    return 0


def _ranking(title: str, counts: dict[str, int]) -> list[str]:
    """Return a table of counts, the largest first, cut where it gets long."""
    if not counts:
        return []
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = aligned([[f"{count:,}", name] for name, count in ranked[:SHOWN_RELATIONS]], right=[0])
    more = len(ranked) - SHOWN_RELATIONS
    return ["", title, *rows, *([f"  ... and {more:,} more (--json lists all)"] if more > 0 else [])]


def _export(arguments: argparse.Namespace) -> int:
    from kg_reason.kg.graph import KnowledgeGraph
    from kg_reason.kg.interchange import export_graph, export_text
    from kg_reason.kg.stated_edges import further_qualifiers

    wanted = {
        "with_inferred": arguments.with_inferred, "with_qualifiers": not arguments.without_qualifiers,
        "language": arguments.language,
    }  # fmt: skip
    if arguments.out == STANDARD_OUTPUT:
        if not arguments.format:
            raise UsageError("standard output tells no format, expected --format")
        graph = KnowledgeGraph.open(arguments.graph)
        show_file(export_text(graph, arguments.format, **wanted))
        return 0
    target = Path(arguments.out)
    export_format = arguments.format or target.suffix.removeprefix(".")
    if export_format not in EXPORT_FORMATS:
        known = ", ".join(EXPORT_FORMATS)
        raise ConfigError(f"{target}: its suffix tells no format, expected --format with one of {known}")
    graph = KnowledgeGraph.open(arguments.graph)
    export_graph(graph, target, export_format, **wanted)
    num_triples = graph.num_edges + arguments.with_inferred * len(graph.inferences.edges())
    num_bytes = target.stat().st_size
    if arguments.json:
        facts = {"path": str(target), "format": export_format, "num_triples": num_triples, "num_bytes": num_bytes}
        show_json(facts)
        return 0
    triples = counted(num_triples, "triple")
    show(f"{target} holds the graph as {export_format}: {triples} and its labels, {sized(num_bytes)}")
    is_told = export_format in ("tsv", "graphml") and not arguments.without_qualifiers and not arguments.quiet
    if is_told and (further := further_qualifiers(graph)):
        names = " ".join(map(shlex.quote, further))
        remark(f"(kg-reason build reads all columns again with --qualifier-columns {names})")
    return 0


def _edit(arguments: argparse.Namespace) -> int:
    from kg_reason.kg.editing import edit_graph, undo_edit
    from kg_reason.kg.graph import KnowledgeGraph

    folder = Path(arguments.graph)
    before = KnowledgeGraph.open(arguments.graph)
    if arguments.list:
        edits = before.overlay.edits
        if arguments.json:
            show_json([edit._asdict() for edit in edits])
        elif not edits:
            show(f"{folder}: no edits")
        else:
            show(*aligned([[f"edits.jsonl:{e.line}", e.time, e.op, e.head, e.relation, e.tail] for e in edits]))
        return 0
    if arguments.undo:
        edit, done = undo_edit(folder), "taken back"
    elif arguments.add:
        edit, done = edit_graph(folder, "add", *arguments.add), "added"
    else:
        edit, done = edit_graph(folder, "remove", *arguments.remove), "removed"
    after = KnowledgeGraph.open(folder)
    if arguments.json:
        show_json({"done": done, **edit._asdict(), "num_triples": after.num_edges, "fingerprint": after.fingerprint})
        return 0
    what = f"{edit.op} " if arguments.undo else ""
    head, relation, tail = map(short_name, (edit.head, edit.relation, edit.tail))
    show(f"{done}: {what}{head} -[{relation}]-> {tail}  (edits.jsonl:{edit.line})")
    if arguments.add:
        num_old = before.num_entities
        new = [after.entity_id(entity) for entity in range(num_old, after.num_entities)]
        num_old = before.num_relations
        new += [f"the relation {after.relation_id(number)}" for number in range(num_old, after.num_relations)]
        if new:
            show(f"new in the graph: {', '.join(map(short_name, new))}")
    if not arguments.quiet and after.inferences.num:
        # Below 0 where what an edit stated is inferred again.
        num_gone = len(before.inferences.edges()) - len(after.inferences.edges())
        is_told = arguments.remove and num_gone > 0
        gone = f"; {num_gone:,} that rested on this {'is' if num_gone == 1 else 'are'} gone" if is_told else ""
        remark(f"(inferred triples are those of the build{gone})")
    if not arguments.quiet and not arguments.undo:
        remark(f"(kg-reason edit {shlex.quote(str(folder))} --undo takes it back)")
    return 0
