"""The command that records what a run must not use: exclude."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kg_reason.commands.arguments import Commands, UsageError, add_command, add_json, folder_argument
from kg_reason.commands.printing import show, show_json

if TYPE_CHECKING:
    from kg_reason.kg.exclusion import ExcludedNames

DETAILS = """\
No path uses an excluded relation, nor its inverse, or touches an excluded entity, so that no answer rests on one. NAME
is the id or readable name of a relation, or the id or label of an entity (a label: all that bear it):
  kg-reason exclude RUN antonym
  kg-reason exclude RUN antonym --undo
Without a name it shows what is excluded. --exclude NAME of other commands does the same for one call."""


def add_commands(commands: Commands) -> None:
    """Add the command of this room."""
    exclude = add_command(commands, "exclude", _exclude, "keep relations or entities out of a run's answers", DETAILS)
    folder_argument(exclude.add_argument("model", metavar="RUN", help="run folder, made by kg-reason train"))
    exclude.add_argument("names", nargs="*", metavar="NAME", help="relation or entity")
    exclude.add_argument("--undo", action="store_true", help="use these names again")
    folder_argument(exclude.add_argument("--graph", metavar="DIR", help="graph of the names, if not the run's own"))
    add_json(exclude)


def _exclude(arguments: argparse.Namespace) -> int:
    from kg_reason.exclusion import record_names, recorded_names, take_back_names
    from kg_reason.kg.graph import KnowledgeGraph

    if arguments.undo and not arguments.names:
        raise UsageError("--undo: found no name, expected what to use again")
    if arguments.undo:
        names = take_back_names(arguments.model, arguments.names)
    elif arguments.names:
        graph = KnowledgeGraph.open(arguments.graph) if arguments.graph else None
        names = record_names(arguments.model, arguments.names, graph)
    else:
        names = recorded_names(arguments.model)
    if arguments.json:
        show_json({"exclude_relations": list(names.relations), "exclude_entities": list(names.entities)})
    else:
        show(*_rows(arguments.model, names))
    return 0


def _rows(run: str, names: ExcludedNames) -> list[str]:
    if not any(names):
        return [f"{run} excludes nothing"]
    groups = (("relations", names.relations), ("entities", names.entities))
    return [f"{run} excludes", *(f"  {title:10} {', '.join(found)}" for title, found in groups if found)]
