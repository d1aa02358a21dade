"""A reasoner without some relations or entities, and the names of these in a run folder.

An answer never rests on what is excluded: no path uses such a relation, nor its inverse, or touches such an entity. The
names are settings of the retriever (`exclude_relations`, `exclude_entities`); the weights stay as they are. What the
names mean in a graph is `kg/exclusion.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kg_reason.config import ReasonerConfig, RetrieverConfig, StatementConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.exclusion import ExcludedNames, sort_names
from kg_reason.kg.files import replace_file
from kg_reason.kg.filtered_graph import filtered_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.reasoner import Reasoner
from kg_reason.run_folder import CONFIG_FILE, json_text, open_saved_graph, read_saved


def excluding(reasoner: Reasoner, names: Sequence[str]) -> Reasoner:
    """Return a reasoner that answers without some relations and entities, beside those that are excluded already.

    It shares the weights of the other one, and leaves that as it is.

    Args:
        reasoner: with the weights.
        names: of relations (id or readable name) and entities (id, or label: all that bear it); a name that is both
            means the relation.

    Raises:
        UnknownEntityError: the graph has neither a relation nor an entity of that name.
    """
    found = sort_names(reasoner.graph, names)
    config = replace(reasoner.config, retriever=_with_names(reasoner.config.retriever, found))
    other = reasoner.over(reasoner.graph, config)
    other.origin = reasoner.origin
    return other


def counting(reasoner: Reasoner, config: StatementConfig) -> Reasoner:
    """Return a reasoner that answers by some statements of its graph only; it shares the weights of the other one.

    Args:
        reasoner: with the weights.
        config: day, weight and sources of the statements that count.

    Raises:
        ConfigError: `as_of` is no day.
    """
    graph = filtered_graph(reasoner.graph, config)
    if graph is reasoner.graph:
        return reasoner
    other = reasoner.over(graph, reasoner.config)
    other.origin = reasoner.origin
    return other


def recorded_names(folder: str | Path) -> ExcludedNames:
    """Return what a run excludes.

    Raises:
        CheckpointError: the folder is no run.
    """
    return _names(_settings(Path(folder)))


def record_names(folder: str | Path, names: Sequence[str], graph: KnowledgeGraph | None = None) -> ExcludedNames:
    """Exclude relations and entities in a run from now on, and return all that it excludes.

    Args:
        folder: of the run; its `config.json` is replaced in one step.
        names: as for `excluding`.
        graph: in which the names are looked up; None: the one that the run was trained with.

    Raises:
        CheckpointError: the folder is no run, or its graph cannot be opened.
        UnknownEntityError: the graph has neither a relation nor an entity of that name.
    """
    folder = Path(folder)
    graph = graph or open_saved_graph(folder, read_saved(folder)["graph"])
    return _rewrite(folder, _with_names(_settings(folder), sort_names(graph, names)))


def take_back_names(folder: str | Path, names: Sequence[str]) -> ExcludedNames:
    """Exclude some names in a run no longer, and return what is excluded still.

    Args:
        folder: of the run; its `config.json` is replaced in one step.
        names: as they were recorded.

    Raises:
        CheckpointError: the folder is no run.
        ConfigError: a name is not among those that the run excludes.
    """
    settings = _settings(Path(folder))
    excluded = _names(settings)
    for name in names:
        if name not in (*excluded.relations, *excluded.entities):
            known = ", ".join([*excluded.relations, *excluded.entities]) or "none"
            raise ConfigError(f"{folder}: found no exclusion of {name!r}, expected one of: {known}")
    return _rewrite(
        Path(folder),
        replace(
            settings,
            exclude_relations=tuple(name for name in excluded.relations if name not in names),
            exclude_entities=tuple(name for name in excluded.entities if name not in names),
        ),
    )


def _with_names(settings: RetrieverConfig, names: ExcludedNames) -> RetrieverConfig:
    return replace(
        settings,
        exclude_relations=tuple(dict.fromkeys((*settings.exclude_relations, *names.relations))),
        exclude_entities=tuple(dict.fromkeys((*settings.exclude_entities, *names.entities))),
    )


def _names(settings: RetrieverConfig) -> ExcludedNames:
    return ExcludedNames(settings.exclude_relations, settings.exclude_entities)


def _settings(folder: Path) -> RetrieverConfig:
    return ReasonerConfig.from_json(read_saved(folder)["settings"]).retriever


def _rewrite(folder: Path, settings: RetrieverConfig) -> ExcludedNames:
    saved = read_saved(folder)
    saved["settings"]["retriever"] = settings.to_json()
    replace_file(folder / CONFIG_FILE, json_text(saved).encode())
    return _names(settings)
