"""A tiny model over the toy graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from kg_reason.config import ModelConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.model.collator import Collator
from kg_reason.model.encoder import load_tokenizer
from kg_reason.model.fused import FusedModel, build_model
from kg_reason.nli import task_labels
from tests.model.toy_groundings import RELATIONS

MakeModel = Callable[..., tuple[FusedModel, Collator]]


@pytest.fixture
def make_model(tiny_encoder: Path, toy_graph: KnowledgeGraph) -> MakeModel:
    """A function from settings to a model in eval mode and its collator; the same weights on every call."""

    def make(graph: KnowledgeGraph = toy_graph, **settings: object) -> tuple[FusedModel, Collator]:
        config = ModelConfig(**{"encoder": str(tiny_encoder), "graph_dim": 16, **settings})
        labels = task_labels(config.task)
        with torch.random.fork_rng():
            torch.manual_seed(7)
            model = build_model(config, labels, RELATIONS).eval()
        return model, Collator(load_tokenizer(config), graph, config, labels, RELATIONS)

    return make
