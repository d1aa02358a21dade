"""Commands that look into a graph: show an entity, search the paths between two texts."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kg_reason.commands.arguments import Commands, UsageError, add_command, add_graph, add_json
from kg_reason.commands.endpoint import GRAPH_HELP, add_endpoint, names_endpoint, open_remote
from kg_reason.commands.printing import counted, remark, show, show_json
from kg_reason.config import LinkerConfig, RetrieverConfig, StatementConfig
from kg_reason.errors import UnknownEntityError
from kg_reason.flags import add_settings, number, settings_from
from kg_reason.kg.curies import curie
from kg_reason.kg.words import primary_language
from kg_reason.terminal import aligned, one_line, short_name

if TYPE_CHECKING:
    from kg_reason.kg.graph import KnowledgeGraph
    from kg_reason.kg.grounding import Grounding
    from kg_reason.kg.linker import Mention

SHOWN_GROUPS = 50  # relations of an entity, each direction by itself
SHOWN_SOURCES = 20  # of a path
STATED = ("sources", "inferred", "weight", "qualifiers")  # of a step, what says where and how its edge was stated
MAX_NEIGHBOURS = 1_000  # whose labels an endpoint is asked for, per relation and direction, where all are shown
POS_NAMES = {"n": "noun", "v": "verb", "a": "adjective", "r": "adverb", "": ""}


def add_commands(commands: Commands) -> None:
    """Add the commands of this room."""
    entity = add_command(commands, "show", _show, "show an entity: its labels, neighbours and sources")
    add_graph(entity, GRAPH_HELP)
    entity.add_argument("entity", metavar="ENTITY", help="id, CURIE or label")
    entity.add_argument(
        "--limit", type=number(int, 0), default=10, metavar="N", help="lines per group; 0: all (default: 10)"
    )
    entity.add_argument("--language", default="en", help="language of the neighbours' labels (default: en)")
    add_json(entity)
    add_settings(entity, StatementConfig, "statements that count")
    add_endpoint(entity)

    paths = add_command(commands, "paths", _paths, "show the paths of a graph between the words of two texts")
    add_graph(paths, GRAPH_HELP)
    paths.add_argument("start", metavar="TEXT", help="words or a sentence")
    paths.add_argument("end", metavar="TEXT", help="words or a sentence")
    add_json(paths)
    add_settings(paths, StatementConfig, "statements that count")
    add_settings(paths, LinkerConfig, "linking")
    add_settings(paths, RetrieverConfig, "path search")
    add_endpoint(paths)


def _show(arguments: argparse.Namespace) -> int:
    from kg_reason.kg.filtered_graph import filtered_graph
    from kg_reason.kg.graph import KnowledgeGraph

    if names_endpoint(arguments.graph):
        graph = open_remote(arguments).about(arguments.entity, arguments.limit or MAX_NEIGHBOURS)
    else:
        graph = filtered_graph(KnowledgeGraph.open(arguments.graph), settings_from(arguments, StatementConfig))
    found = graph.find_entities(arguments.entity)
    if not found:
        raise UnknownEntityError(f"{arguments.graph}: the graph has no entity {arguments.entity!r}")
    limit = arguments.limit or graph.num_edges + graph.num_aliases + graph.num_entities
    facts = describe_entity(graph, found[0], limit, arguments.language)
    facts["others"] = [
        {"entity": graph.entity_id(other), "label": graph.entity_label(other, arguments.language)}
        for other in found[1 : limit + 1]
    ]
    if arguments.json:
        show_json(facts)
        return 0
    names = dict.fromkeys([facts["label"], facts["curie"], facts["entity"]])
    show("  ".join(short_name(name) for name in names if name))
    if facts["deprecated"]:
        instead = ", ".join(f"{other['label']}  {other['curie'] or other['entity']}" for other in facts["replaced_by"])
        show(f"deprecated; use {short_name(instead)}" if instead else "deprecated; the graph names no replacement")
    aliases = facts["aliases"]
    if aliases:
        rows = [
            [a["text"], a["language"], a["kind"], f"{a['prior']:.2f}", POS_NAMES[a["pos"]], a["source"]]
            for a in aliases[:limit]
        ]
        show("", "labels", *aligned([["", "language", "kind", "prior", "", "source"], *rows], right=[3]))
        _show_rest(len(aliases), limit)
    groups = facts["neighbours"]
    num_shown = SHOWN_GROUPS if arguments.limit else len(groups)
    for group in groups[:num_shown]:
        relation = short_name(group["relation"])
        arrow = f"-[{relation}]->" if group["forward"] else f"<-[{relation}]-"
        rows = [
            [n["label"], (n["curie"] or n["entity"]) if n["entity"] != n["label"] else "", _stated(n)]
            for n in group["entities"]
        ]
        inferred = f" ({group['num_inferred']:,} inferred)" if group["num_inferred"] else ""
        show("", f"{arrow}  {group['num_entities']:,}{inferred}", *aligned(rows))
        _show_rest(group["num_entities"], limit)
    if len(groups) > num_shown:
        show("", f"... and {len(groups) - num_shown:,} more relations (--limit 0 shows all)")
    if len(found) > 1:
        rows = [[other["label"], other["entity"]] for other in facts["others"]]
        show("", f"others called {arguments.entity!r}", *aligned(rows))
        _show_rest(len(found) - 1, limit)
    return 0


def describe_entity(graph: KnowledgeGraph, entity: int, limit: int, language: str = "") -> dict[str, Any]:
    """Return an entity as plain data: its labels, and its neighbours per relation and direction.

    Args:
        graph: the graph.
        entity: its id there.
        limit: neighbours told per relation and direction; all are counted.
        language: of the labels that stand for entities and relations, where there is a choice.
    """
    from kg_reason.kg.entity_status import entity_status
    from kg_reason.kg.paths import describe_edge

    groups: dict[tuple[str, bool], list[int]] = {}
    for edge in [*graph.edges_of(entity), *graph.inferences.edges_of(entity)]:
        forward = graph.edge_head[edge] == entity
        relation = graph.relation_id(int(graph.edge_relation[edge]))
        groups.setdefault((relation, bool(forward)), []).append(edge)
    neighbours = []
    for (relation, forward), edges in sorted(groups.items(), key=lambda item: (not item[0][1], item[0][0])):
        described = []
        for edge in edges[:limit]:
            other = int((graph.edge_tail if forward else graph.edge_head)[edge])
            stated = describe_edge(graph, edge, language=language).to_json()
            told = {name: stated[name] for name in STATED if name in stated}
            described.append({**_named(graph, other, language), **told})
        name = graph.relation_label(int(graph.edge_relation[edges[0]]), language)
        neighbours.append({
            "relation": name, "relation_id": relation, "forward": forward, "num_entities": len(edges),
            "num_inferred": sum(edge in graph.inferences for edge in edges), "entities": described,
        })  # fmt: skip
    status = entity_status(graph, entity)
    return {
        **_named(graph, entity, language),
        "deprecated": status.is_deprecated,
        "replaced_by": [_named(graph, other, language) for other in status.replacements],
        "aliases": [{**vars(alias), "source": str(alias.source)} for alias in graph.aliases(entity)],
        "neighbours": neighbours,
    }


def _named(graph: KnowledgeGraph, entity: int, language: str) -> dict[str, Any]:
    key = graph.entity_id(entity)
    return {"entity": key, "curie": curie(key, graph.prefixes), "label": graph.entity_label(entity, language)}


def _stated(neighbour: dict[str, Any]) -> str:
    """Return where the edge to a neighbour was stated, with what qualifies it there in brackets."""
    from kg_reason.kg.paths import said_places
    from kg_reason.kg.qualifiers import from_plain

    inferred, weight = neighbour["inferred"], neighbour.get("weight", 1.0)
    qualifiers = [from_plain(of_source) for of_source in neighbour.get("qualifiers", ())]
    places = said_places(neighbour["sources"], qualifiers, weight, inferred=inferred)
    return ("inferred from " if inferred else "") + _places(places)


def _places(sources: Sequence[str]) -> str:
    rest = f" and {len(sources) - 3} more" if len(sources) > 3 else ""
    return ", ".join(sources[:3]) + rest


def _show_rest(number: int, limit: int) -> None:
    if number > limit:
        show(f"  ... and {number - limit:,} more (--limit 0 shows all)")


def _paths(arguments: argparse.Namespace) -> int:
    from kg_reason.kg.filtered_graph import filtered_graph
    from kg_reason.kg.graph import KnowledgeGraph
    from kg_reason.kg.grounding import Grounder
    from kg_reason.kg.linker import EntityLinker
    from kg_reason.kg.paths import describe_path
    from kg_reason.kg.retriever import Retriever
    from kg_reason.nli import NLIExample

    for which, text in (("first", arguments.start), ("second", arguments.end)):
        if not text.strip():
            raise UsageError(f"found no {which} text, expected words or a sentence")
    linking, search = settings_from(arguments, LinkerConfig), settings_from(arguments, RetrieverConfig)
    example = NLIExample(arguments.start, arguments.end)
    is_remote = names_endpoint(arguments.graph)
    if is_remote:
        graph = open_remote(arguments, linking, search).around([example])
    else:
        graph = filtered_graph(KnowledgeGraph.open(arguments.graph), settings_from(arguments, StatementConfig))
    example = replace(example, names=_ids_among(graph, (arguments.start, arguments.end)))
    grounding = Grounder(EntityLinker(graph, linking), Retriever(graph, search)).ground(example)
    found = []
    for row in range(grounding.paths.num_paths):
        path = describe_path(graph, grounding.paths, row, language=linking.language)
        found.append((path, grounding.mention(path.start), grounding.mention(path.end)))
    if arguments.json:
        show_json({
            "start": arguments.start,
            "end": arguments.end,
            "paths": [{**path.to_json(), "from": _place(*first), "to": _place(*last)} for path, first, last in found],
            "unknown": {"start": _unknown(grounding, "premise"), "end": _unknown(grounding, "hypothesis")},
        })  # fmt: skip
        return 0
    several = len(grounding.premise_mentions) > 1 or len(grounding.hypothesis_mentions) > 1
    for place, (path, (_, first), (_, last)) in enumerate(found):
        words = [f"        {one_line(first.text)} ... {one_line(last.text)}"] if several else []
        places = path.source_lines()
        sources = [f"        {one_line(source)}" for source in places[:SHOWN_SOURCES]]
        if len(places) > SHOWN_SOURCES:
            sources.append(f"        ... and {len(places) - SHOWN_SOURCES:,} more (--json lists all)")
        show(*([""] if place else []), f"  {path.score:.2f}  {one_line(str(path))}", *words, *sources)
    _remark_on(grounding, arguments.quiet)
    if not arguments.quiet and not all(_sides_known(grounding)):
        _remark_on_language(linking.language, None if is_remote else graph.languages)
    return 0


def _ids_among(graph: KnowledgeGraph, texts: Iterable[str]) -> dict[str, str]:
    """Return which of some texts are an IRI, a CURIE or a number of Wikidata, each with the id of its entity."""
    found = ((text, graph.find_curie(text) if ":/" not in text else graph.find_id(text)) for text in texts)
    return {text: graph.entity_id(entity) for text, entity in found if entity >= 0}


def _remark_on_language(language: str, tags: Iterable[str] | None) -> None:
    """Say in which language labels were looked for, if the graph has or may have (None) others."""
    others = sorted({tag for tag in tags or () if tag and primary_language(tag) != primary_language(language)})
    if language and (others or tags is None):
        more = f"; the graph also has {', '.join(others)}" if others else ""
        remark(f"labels were looked for in {language} and without a language{more} (--language; '' is any)")


def _sides_known(grounding: Grounding) -> tuple[bool, bool]:
    """Tell of each of the two texts whether the graph knows a word of it."""
    sides = (grounding.premise_mentions, grounding.hypothesis_mentions)
    first, second = (any(mention.candidates for mention in side) for side in sides)
    return first, second


def _remark_on(grounding: Grounding, quiet: bool) -> None:
    """Say why there is no path, or which words the graph does not know."""
    unknown = [*_unknown(grounding, "premise"), *_unknown(grounding, "hypothesis")]
    if not grounding.has_evidence:
        keys = {mention.key for mention in grounding.premise_mentions}
        if grounding.hypothesis_mentions and all(mention.key in keys for mention in grounding.hypothesis_mentions):
            show("no path is needed: every word of the second text stands in the first")
        elif not all(_sides_known(grounding)):
            show("no path: the graph knows no word of one of the texts")
        else:
            show("no path joins these words within the limits (--max-hops, --max-degree, --max-candidates)")
    elif not quiet:
        remark(f"{counted(grounding.paths.num_paths, 'path')}, best first")
    if unknown:
        show(f"not in the graph: {', '.join(one_line(word['text']) for word in unknown)}")


def _place(side: str, mention: Mention) -> dict[str, Any]:
    name = {"premise": "start", "hypothesis": "end"}[side]
    return {"side": name, "start": mention.start, "end": mention.end, "text": mention.text}


def _unknown(grounding: Grounding, side: str) -> list[dict[str, Any]]:
    return [{"start": m.start, "end": m.end, "text": m.text} for m in grounding.unknown(side)]
