"""The account of a training run: what went in, what came out, and whether a resumed run is still the same one.

Plain data only, for `training.json`, the resumable state and the report; the run itself is `loop.py`.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from kg_reason.config import TrainConfig
from kg_reason.errors import CheckpointError
from kg_reason.kg.files import file_checksum
from kg_reason.model.adapter import base_fingerprint, base_names
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.run_folder import WEIGHTS_FILE

FREE_SETTINGS = {  # what a resumed run may change: how long it goes on and what is told about it
    "num_epochs", "max_steps", "patience", "eval_every", "save_every", "tracker", "num_workers", "cache_dir",
}
PACKAGES = ("kg_reason", "torch", "transformers", "torch_geometric", "accelerate", "safetensors", "numpy")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One look at the dev examples.

    Attributes:
        step: optimizer steps done.
        epoch: passes over the examples done, with the share of the one under way.
        train_loss: mean loss of the steps since the last evaluation.
        dev_loss: mean loss on dev, of the same make as the training loss, without label weights.
        dev_accuracy: of the fused answer, in [0, 1].
        dev_text_accuracy: of the text-only answer, in [0, 1].
        seconds: wall time of the run so far.
    """

    step: int
    epoch: float
    train_loss: float
    dev_loss: float
    dev_accuracy: float
    dev_text_accuracy: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Make the evaluation from the plain data of `to_json`.

        Raises:
            CheckpointError: a number is missing, or something else is there.
        """
        names = set(cls.__dataclass_fields__)
        if set(values) != names or not all(type(value) in (int, float) for value in values.values()):
            raise CheckpointError(f"curve: found {dict(values)!r}, expected the numbers {', '.join(sorted(names))}")
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class TrainFiles:
    """The inputs that the examples were read from, as the user wrote them; empty where there are none."""

    examples: tuple[str, ...] = ()
    dev: tuple[str, ...] = ()
    replay: tuple[str, ...] = ()

    def to_json(self) -> dict[str, list[str]]:
        """Return the names as plain data."""
        return {"examples": list(self.examples), "dev": list(self.dev), "replay": list(self.replay)}


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """What a run of training came to.

    Attributes:
        num_examples: labelled training examples, those replayed among them.
        num_dev: labelled dev examples.
        num_steps: optimizer steps done.
        num_epochs: passes over the examples done, with the share of the last one.
        stopped_early: whether the dev score ended the run before its time.
        best_step: the step whose weights were kept; the last one without dev examples.
        best_accuracy: dev accuracy of those weights, in [0, 1]; None without dev examples.
        curve: every evaluation on dev, in order.
        seconds: wall time of the loop, over all its resumptions.
        num_replayed: earlier examples that were mixed in.
    """

    num_examples: int
    num_dev: int
    num_steps: int
    num_epochs: float
    stopped_early: bool
    best_step: int
    best_accuracy: float | None
    curve: tuple[Evaluation, ...]
    seconds: float
    num_replayed: int = 0

    @property
    def best(self) -> Evaluation | None:
        """The evaluation that chose the weights; None without dev examples."""
        return next((item for item in self.curve if item.step == self.best_step), None)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self) | {"curve": [evaluation.to_json() for evaluation in self.curve]}


def run_settings(
    reasoner: Reasoner,
    config: TrainConfig,
    examples: Sequence[NLIExample],
    dev: Sequence[NLIExample],
    num_processes: int,
) -> dict[str, Any]:
    """Return everything the weights of a run depend on, as plain data.

    Args:
        reasoner: its settings, its graph and the run that its weights come from are read.
        config: the settings of the run; those that may change when it is resumed are left out.
        examples: the labelled training examples.
        dev: the labelled dev examples.
        num_processes: processes that train together.
    """
    return {
        "training": {name: value for name, value in config.to_json().items() if name not in FREE_SETTINGS},
        "reasoner": reasoner.config.to_json(),
        **({"base_encoder": base_fingerprint(reasoner.model.encoder)} if base_names(reasoner.model) else {}),
        "graph": reasoner.graph.fingerprint,
        "num_processes": num_processes,
        "continued_from": _describe_origin(reasoner.origin),
        "examples": describe_examples(examples),
        "dev": describe_examples(dev),
    }


def check_same_run(found: Mapping[str, Any], expected: Mapping[str, Any], place: str = "") -> None:
    """Refuse to continue a run under settings, data or a graph that would give other weights.

    Args:
        found: the settings in the checkpoint.
        expected: the settings of this run, of the same make.
        place: name of the group, for messages.

    Raises:
        CheckpointError: naming the first difference.
    """
    for name in sorted(found.keys() | expected.keys()):
        ours, theirs, path = expected.get(name), found.get(name), f"{place}{name}"
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            check_same_run(theirs, ours, f"{path}.")
        elif ours != theirs:
            raise CheckpointError(f"cannot resume: {path}: found {theirs!r} in the checkpoint, expected {ours!r}")


def describe_run(
    settings: Mapping[str, Any], config: TrainConfig, report: TrainReport, device: str, files: TrainFiles
) -> dict[str, Any]:
    """Return the content of `training.json`: settings, fingerprints, versions and results.

    Args:
        settings: from `run_settings`.
        config: the settings as the user gave them.
        report: what the run came to.
        device: kind of the device, such as cpu or cuda.
        files: that the examples were read from.
    """
    return {
        **settings,
        "training": config.to_json(),
        "seed": config.seed,
        "device": device,
        "files": files.to_json(),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "report": report.to_json(),
    }


def describe_examples(examples: Sequence[NLIExample]) -> dict[str, Any]:
    """Return the number of examples, of each label, and a digest of all that is learned from, as plain data."""
    digest = hashlib.sha256()
    labels: dict[str, int] = {}
    for example in examples:
        label = str(example.label) if example.label else ""
        plain = [example.premise, example.hypothesis, label, sorted(example.names.items()), example.justification]
        digest.update(json.dumps(plain, ensure_ascii=False, default=vars).encode("utf-8", "surrogatepass") + b"\n")
        labels[label] = labels.get(label, 0) + 1
    return {"num_examples": len(examples), "labels": dict(sorted(labels.items())), "sha256": digest.hexdigest()}


def _describe_origin(origin: Path | None) -> dict[str, str] | None:
    """Return the name of the run whose weights are trained on, with their digest; None for weights of no run.

    Raises:
        CheckpointError: the run is no longer there.
    """
    if origin is None:
        return None
    try:
        return {"run": origin.absolute().name, "sha256": file_checksum(origin / WEIGHTS_FILE)}
    except OSError as error:
        raise CheckpointError(f"{origin / WEIGHTS_FILE}: {error.strerror}: the weights came from there") from error


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"  # kg_reason itself, run from its source folder
