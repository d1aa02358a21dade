"""kg_reason: natural-language inference over your own knowledge graph, with the paths that moved each answer.

The public names are loaded on first use, so that `import kg_reason` starts neither torch nor spaCy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kg_reason.abstention import abstain
    from kg_reason.audits.catalogue import audit
    from kg_reason.audits.result import AuditResult
    from kg_reason.config import (
        AuditConfig,
        BuildConfig,
        ExampleConfig,
        LinkerConfig,
        ModelConfig,
        ReasonerConfig,
        RetrieverConfig,
        SuggestConfig,
        SynthesisConfig,
        TrainConfig,
    )
    from kg_reason.errors import KGReasonError
    from kg_reason.evaluation import evaluate
    from kg_reason.evaluation_report import EvaluationReport
    from kg_reason.examples import read_examples, write_examples
    from kg_reason.exclusion import excluding
    from kg_reason.explanation.explain import Explanation, explain
    from kg_reason.kg.building import build_graph
    from kg_reason.kg.graph import KnowledgeGraph
    from kg_reason.kg.linker import EntityLinker
    from kg_reason.kg.reading import read_triples
    from kg_reason.kg.retriever import Retriever
    from kg_reason.nli import Label, NLIExample
    from kg_reason.policy import Policy, apply_policy
    from kg_reason.prediction import Prediction
    from kg_reason.reasoner import Reasoner
    from kg_reason.suggestion import Suggestion, suggest
    from kg_reason.synthesis.generator import synthesize
    from kg_reason.training.loop import TrainReport, train
    from kg_reason.training.run_record import TrainFiles
    from kg_reason.training.temperature import calibrate

__version__ = "0.1.0"

_ROOM_OF = {
    "AuditConfig": "config",
    "AuditResult": "audits.result",
    "BuildConfig": "config",
    "EntityLinker": "kg.linker",
    "EvaluationReport": "evaluation_report",
    "ExampleConfig": "config",
    "Explanation": "explanation.explain",
    "KGReasonError": "errors",
    "KnowledgeGraph": "kg.graph",
    "Label": "nli",
    "LinkerConfig": "config",
    "ModelConfig": "config",
    "NLIExample": "nli",
    "Policy": "policy",
    "Prediction": "prediction",
    "Reasoner": "reasoner",
    "ReasonerConfig": "config",
    "Retriever": "kg.retriever",
    "RetrieverConfig": "config",
    "SuggestConfig": "config",
    "Suggestion": "suggestion",
    "SynthesisConfig": "config",
    "TrainConfig": "config",
    "TrainFiles": "training.run_record",
    "TrainReport": "training.loop",
    "abstain": "abstention",
    "apply_policy": "policy",
    "audit": "audits.catalogue",
    "build_graph": "kg.building",
    "calibrate": "training.temperature",
    "evaluate": "evaluation",
    "excluding": "exclusion",
    "explain": "explanation.explain",
    "read_examples": "examples",
    "read_triples": "kg.reading",
    "suggest": "suggestion",
    "synthesize": "synthesis.generator",
    "train": "training.loop",
    "write_examples": "examples",
}

__all__ = [
    "AuditConfig",
    "AuditResult",
    "BuildConfig",
    "EntityLinker",
    "EvaluationReport",
    "ExampleConfig",
    "Explanation",
    "KGReasonError",
    "KnowledgeGraph",
    "Label",
    "LinkerConfig",
    "ModelConfig",
    "NLIExample",
    "Policy",
    "Prediction",
    "Reasoner",
    "ReasonerConfig",
    "Retriever",
    "RetrieverConfig",
    "SuggestConfig",
    "Suggestion",
    "SynthesisConfig",
    "TrainConfig",
    "TrainFiles",
    "TrainReport",
    "abstain",
    "apply_policy",
    "audit",
    "build_graph",
    "calibrate",
    "evaluate",
    "excluding",
    "explain",
    "read_examples",
    "read_triples",
    "suggest",
    "synthesize",
    "train",
    "write_examples",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type depends on the name
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'kg_reason' has no attribute {name!r}")
    value = getattr(import_module(f"kg_reason.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
