"""The folder of a saved reasoner: the names of its files, and reading them with suspicion.

Everything read is checked before it is used, and what is wrong is told with its place. What the files mean, and how
they are written, is `reasoner.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from kg_reason.calibration import UNCALIBRATED, Calibration
from kg_reason.config import ModelConfig, ReasonerConfig
from kg_reason.errors import CheckpointError, ConfigError, GraphError
from kg_reason.kg.files import replace_file
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.storage import HEADER_FILE
from kg_reason.model.adapter import base_fingerprint, base_names
from kg_reason.nli import Label, task_labels

FORMAT_VERSION = 2  # since 2 a relation is known by the name of its inverse too
CONFIG_FILE, WEIGHTS_FILE, ENCODER_FILE, TOKENIZER_FOLDER = (
    "config.json", "model.safetensors", "encoder_config.json", "tokenizer",
)
CALIBRATION_FILE = "calibration.json"  # only in a run that was calibrated


def read_json(path: Path) -> dict[str, Any]:
    """Read an object.

    Raises:
        CheckpointError: the file is missing, or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError(f"{path}: missing, expected a folder made by kg-reason train") from error
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path}: found {type(values).__name__}, expected an object")
    return values


def read_saved(folder: Path) -> dict[str, Any]:
    """Read the `config.json` of a run and check that it holds what a reasoner writes there.

    Raises:
        CheckpointError: something is missing, of another type or of another version.
        ConfigError: a setting that does not exist or is out of range.
    """
    path = folder / CONFIG_FILE
    if (folder / HEADER_FILE).is_file() and not path.exists():
        raise CheckpointError(f"{folder}: found a graph, expected a run made by kg-reason train")
    saved = read_json(path)
    if saved.get("format_version") != FORMAT_VERSION:
        found = saved.get("format_version")
        raise CheckpointError(f"{path}: found format version {found}, expected {FORMAT_VERSION}")
    _check_kinds(saved, {"labels": list, "relations": list, "graph": dict, "settings": dict}, str(path))
    _check_kinds(saved["graph"], {"path": str, "fingerprint": str}, f"{path}: graph")
    _check_kinds(saved["settings"], dict.fromkeys(("linker", "retriever", "model"), dict), f"{path}: settings")
    if not all(isinstance(relation, str) for relation in saved["relations"]):
        raise CheckpointError(f"{path}: relations: found {saved['relations']!r:.80}, expected names")
    expected: tuple[Label, ...] = task_labels(ReasonerConfig.from_json(saved["settings"]).model.task)
    if saved["labels"] != list(expected):
        found = ", ".join(map(str, saved["labels"]))
        raise CheckpointError(f"{path}: labels: found {found}, expected {', '.join(expected)} in this order")
    if ReasonerConfig.from_json(saved["settings"]).model.adapter != "none":
        _check_kinds(saved, {"base_encoder": dict}, str(path))
        _check_kinds(saved["base_encoder"], {"path": str, "fingerprint": str}, f"{path}: base_encoder")
    return saved


def _check_kinds(values: Mapping[str, Any], kinds: Mapping[str, type], place: str) -> None:
    for name, kind in kinds.items():
        if not isinstance(values.get(name), kind):
            raise CheckpointError(f"{place}: {name}: found {values.get(name)!r:.80}, expected a {kind.__name__}")


def open_saved_graph(folder: Path, saved: Mapping[str, str]) -> KnowledgeGraph:
    """Open the graph that a run was trained with, edits included.

    Args:
        folder: of the run.
        saved: path, relative to the folder, and fingerprint without edits.

    Raises:
        CheckpointError: the graph was in memory, cannot be opened, or was built anew since.
    """
    if not saved["path"]:
        raise CheckpointError(f"{folder}: was trained with a graph in memory; name a graph folder with --graph")
    path = Path(os.path.normpath(folder / saved["path"]))
    try:
        graph = KnowledgeGraph.open(path)
    except GraphError as error:
        raise CheckpointError(f"{folder}: its graph cannot be opened ({error}); name one with --graph") from error
    if graph.overlay.base_fingerprint != saved["fingerprint"]:
        found = graph.overlay.base_fingerprint
        raise CheckpointError(
            f"{path}: found a graph with fingerprint {found}, expected {saved['fingerprint']}: it was built anew since "
            f"{folder} was trained; name it with --graph to use it all the same"
        )
    return graph


def describe_base_encoder(folder: Path, config: ModelConfig, encoder: PreTrainedModel) -> dict[str, str]:
    """Return what a run with an adapter says of its base encoder: its path, relative to the run, and its fingerprint.

    Args:
        folder: of the run.
        config: of the model; the path is empty where its encoder is named otherwise than by a folder.
        encoder: with the adapter.
    """
    path = os.path.relpath(config.encoder, folder) if Path(config.encoder).is_dir() else ""
    return {"path": path, "fingerprint": base_fingerprint(encoder)}


def find_base_encoder(folder: Path, config: ModelConfig, saved: Mapping[str, str]) -> ModelConfig:
    """Return the settings of a run with an adapter, with the present place of its base encoder.

    Args:
        folder: of the run.
        config: as saved.
        saved: from `describe_base_encoder`.

    Raises:
        CheckpointError: the base encoder was a folder that is not there.
    """
    if not saved["path"]:
        return config
    path = Path(os.path.normpath(folder.absolute() / saved["path"]))
    if not path.is_dir():
        raise CheckpointError(f"{folder}: holds an adapter without its base encoder, expected that in {path}")
    return replace(config, encoder=str(path))


def check_base_encoder(folder: Path, encoder: PreTrainedModel, saved: Mapping[str, str]) -> None:
    """Refuse to put an adapter on another encoder than the one it was trained on.

    Raises:
        CheckpointError: the weights of the encoder are not those of the base.
    """
    found, expected = base_fingerprint(encoder), saved["fingerprint"]
    if found != expected:
        raise CheckpointError(
            f"{folder}: holds an adapter for an encoder with fingerprint {expected}, found one with {found}"
        )


def write_weights(folder: Path, model: nn.Module, encoder: PreTrainedModel) -> None:
    """Write the weights of a model, beside an adapter without those of its base, and the encoder's architecture."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in _own_weights(model).items()}
    save_file(weights, folder / WEIGHTS_FILE)
    public = {name: value for name, value in encoder.config.to_dict().items() if not name.startswith("_")}
    (folder / ENCODER_FILE).write_text(json_text(public), encoding="utf-8")


def load_weights(model: nn.Module, path: Path) -> None:
    """Put the weights of a file into a model: all of them, or all but those of the base that an adapter leaves alone.

    Raises:
        CheckpointError: the file is missing or damaged, or its tensors are not those of the model, or not finite.
    """
    try:
        weights = load_file(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: missing") from error
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: not a whole safetensors file ({error})") from error
    expected = _own_weights(model)
    for name in sorted(set(weights) ^ set(expected)):
        raise CheckpointError(f"{path}: tensor {name} is {'missing' if name in expected else 'not expected'}")
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            found, wanted = list(tensor.shape), list(expected[name].shape)
            raise CheckpointError(f"{path}: tensor {name}: found shape {found}, expected {wanted}")
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: tensor {name} holds values that are not finite")
    model.load_state_dict(weights, strict=False)  # the base of an adapter has its weights


def read_calibration(folder: Path) -> Calibration:
    """Read the temperatures of a run; one without them has temperature 1.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = folder / CALIBRATION_FILE
    if not path.exists():
        return UNCALIBRATED
    try:
        return Calibration.from_json(read_json(path))
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error}") from error


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Write the temperatures of a run, in one step; an earlier file is replaced."""
    replace_file(folder / CALIBRATION_FILE, json_text(calibration.to_json()).encode())


def json_text(values: Mapping[str, Any]) -> str:
    """Return plain data as the text of a file."""
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def _own_weights(model: nn.Module) -> dict[str, Tensor]:
    base = base_names(model)
    return {name: tensor for name, tensor in model.state_dict().items() if name not in base}
