"""How commands reach a graph behind a SPARQL endpoint: `sparql:https://example.org/sparql` where a graph is named."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from kg_reason.config import EndpointConfig, StatementConfig
from kg_reason.errors import ConfigError
from kg_reason.flags import add_settings, settings_from

if TYPE_CHECKING:
    from kg_reason.config import LinkerConfig, RetrieverConfig
    from kg_reason.kg.remote_graph import RemoteGraph

GRAPH_HELP = "or sparql:URL for the graph of a SPARQL 1.1 endpoint"
ASKED = (
    "endpoint_languages", "label_properties", "relation_prefixes", "exclude_relation_prefixes", "max_rows",
    "max_queries", "query_timeout", "query_pause", "query_cache", "survey_relations",
)  # fmt: skip
EXTRACTED = tuple(item.name for item in fields(EndpointConfig) if item.name != "survey_relations")  # for build


def add_endpoint(parser: argparse.ArgumentParser) -> None:
    """Add the flags of an endpoint that stands where a graph is named."""
    add_settings(parser, EndpointConfig, "endpoint, with sparql:URL as the graph", only=ASKED)


def names_endpoint(graph: str | None) -> bool:
    """Tell whether the name of a graph is that of an endpoint."""
    from kg_reason.kg.graph import ENDPOINT_SCHEME

    return graph is not None and graph.startswith(ENDPOINT_SCHEME)


def open_remote(
    arguments: argparse.Namespace, linking: LinkerConfig | None = None, search: RetrieverConfig | None = None
) -> RemoteGraph:
    """Return the graph behind the endpoint that the arguments name.

    Labels are asked for in the language of the linker, unless the arguments say otherwise.

    Raises:
        ConfigError: the address or a setting cannot be used, or statements are to be left out.
    """
    from kg_reason.kg.graph import ENDPOINT_SCHEME
    from kg_reason.kg.remote_graph import RemoteGraph
    from kg_reason.kg.sparql_client import SparqlClient

    if settings_from(arguments, StatementConfig) != StatementConfig():
        raise ConfigError(
            f"{arguments.graph}: nothing is known of the dates, weights and sources of an endpoint's statements; an "
            "extract can be filtered (kg-reason build --endpoint URL --seed FILE)"
        )
    config = settings_from(arguments, EndpointConfig, only=ASKED)
    if linking is not None and not hasattr(arguments, "endpoint_languages"):
        config = replace(config, endpoint_languages=(linking.language,) if linking.language else ())
    return RemoteGraph(SparqlClient(arguments.graph.removeprefix(ENDPOINT_SCHEME), config), linking, search)
