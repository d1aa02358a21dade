"""The state of an interrupted training run on disk: enough to continue to the same weights, and no pickle.

    checkpoint/
      state.json                   where the run stands, random states, settings; names the files below and their sha256
      step-00000120.safetensors    weights and optimizer state at that step; beside an adapter without its base encoder
      best-00000100.safetensors    the weights with the best dev score so far; absent without dev examples

The tensors are written beside the older ones; replacing `state.json` is the one moment at which a new state counts,
and older tensors go after it. So a run killed at any time leaves a whole state, the last one or the one before.
Everything read back is checked before the model is touched. The loop that saves and resumes is `loop.py`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kg_reason.errors import CheckpointError
from kg_reason.kg.files import UNFINISHED, file_checksum, replace_file, whole_file
from kg_reason.model.adapter import base_names
from kg_reason.training.rank_allocation import IMPORTANCE, KEPT, UNCERTAINTY

FORMAT = 1
STATE_FILE = "state.json"
TENSOR_FILE = re.compile(r"(step|best)-\d{8,}\.safetensors")
MODEL = "model/"  # prefixes of tensor names; a parameter's name holds dots, never slashes
OPTIMIZER = "optimizer/"

Shape = tuple[int, ...]
OPTIMIZER_SHAPES: dict[str, Callable[[Shape], Shape]] = {  # of each state an optimizer keeps for a parameter
    "step": lambda _: (),
    "exp_avg": lambda shape: shape,
    "exp_avg_sq": lambda shape: shape,
    "exp_avg_sq_row": lambda shape: shape[:-1],
    "exp_avg_sq_col": lambda shape: shape[:-2] + shape[-1:],
    "momentum_buffer": lambda shape: shape,
    "RMS": lambda _: (),
    **{name: lambda shape: shape for name in (IMPORTANCE, UNCERTAINTY, KEPT)},  # of an adapter's ranks
}


@dataclass(frozen=True)
class TensorFile:
    """A file of tensors in the checkpoint folder, with the sha256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class TrainState:
    """Where a run stands, apart from its tensors.

    Attributes:
        step: optimizer steps done.
        epoch: passes over the examples done.
        step_in_epoch: optimizer steps done in the pass that is under way.
        best_step: the step with the best dev score; 0 before the first evaluation.
        best_score: the best dev accuracy, in [0, 1]; 0 before the first evaluation.
        stale_evaluations: evaluations since the best one.
        loss_sum: sum of the losses of the steps since the last evaluation.
        loss_steps: number of those steps.
        seconds: wall time spent so far.
        curve: one object per evaluation, as training.py makes them.
        settings: everything the weights depend on, as training.py makes it.
        rng: the random states of each process, from `random_state.py`.
        scaler: the state of the fp16 gradient scaler; empty without one.
    """

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    best_step: int = 0
    best_score: float = 0.0
    stale_evaluations: int = 0
    loss_sum: float = 0.0
    loss_steps: int = 0
    seconds: float = 0.0
    curve: tuple[dict[str, Any], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    rng: tuple[dict[str, Any], ...] = ()
    scaler: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain data."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], place: str) -> TrainState:
        """Make the state from the plain data of `to_json`.

        Args:
            values: plain data, not trusted.
            place: the file it came from, for messages.

        Raises:
            CheckpointError: a field is missing, of another type or out of range.
        """
        checked: dict[str, Any] = {}
        for name, default in cls().to_json().items():
            value = values.get(name)
            if isinstance(default, float) and type(value) is int:
                value = float(value)
            if type(value) is not type(default):
                raise CheckpointError(f"{place}: {name}: found {value!r}, expected {type(default).__name__}")
            if isinstance(value, (int, float)) and not 0 <= value < math.inf:
                raise CheckpointError(f"{place}: {name}: found {value!r}, expected a number from 0")
            if isinstance(value, list) and not all(isinstance(item, dict) for item in value):
                raise CheckpointError(f"{place}: {name}: found {value!r}, expected a list of objects")
            checked[name] = tuple(value) if isinstance(value, list) else value
        return cls(**checked)


def has_checkpoint(folder: Path) -> bool:
    """Tell whether a folder holds a saved state."""
    return (folder / STATE_FILE).is_file()


def save_weights(folder: Path, step: int, model: nn.Module) -> TensorFile:
    """Write the weights of the best step so far; they count from the next `save_checkpoint` that names them."""
    return _write_tensors(folder / f"best-{step:08}.safetensors", _model_tensors(model))


def save_checkpoint(
    folder: Path, state: TrainState, model: nn.Module, optimizer: torch.optim.Optimizer, best: TensorFile | None
) -> None:
    """Write the state of a run so that it replaces the one before in one moment.

    Args:
        folder: made if it is missing.
        state: where the run stands.
        model: its weights are written.
        optimizer: its state is written, under the names of the model's parameters.
        best: the file from `save_weights` with the best weights; None where nothing was evaluated.
    """
    tensors = _model_tensors(model)
    scalars: dict[str, dict[str, Any]] = {}
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for parameter, values in optimizer.state.items():
        name = names[id(parameter)]
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{OPTIMIZER}{name}/{key}"] = _on_cpu(value)
            else:
                scalars.setdefault(name, {})[key] = value
    current = _write_tensors(folder / f"step-{state.step:08}.safetensors", tensors)
    plain = {
        "format": FORMAT,
        **state.to_json(),
        "optimizer_scalars": scalars,
        "files": {"step": vars(current), "best": vars(best) if best else None},
    }
    text = json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    replace_file(folder / STATE_FILE, text.encode())
    kept = {current.name} | ({best.name} if best else set())
    for path in folder.iterdir():
        if path.suffix == UNFINISHED or (TENSOR_FILE.fullmatch(path.name) and path.name not in kept):
            path.unlink(missing_ok=True)


def read_state(folder: Path) -> TrainState:
    """Read where a run stands, without its tensors.

    Raises:
        CheckpointError: there is no state, or it is damaged.
    """
    return TrainState.from_json(_read_state_json(folder), str(folder / STATE_FILE))


def best_weights(folder: Path) -> TensorFile | None:
    """Return the file with the best weights so far, for `load_weights`; None where nothing was evaluated.

    Raises:
        CheckpointError: there is no state, or it is damaged.
    """
    return _tensor_file(_read_state_json(folder), "best", str(folder / STATE_FILE))


def load_checkpoint(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put the saved weights and optimizer state into a model and its optimizer.

    Raises:
        CheckpointError: there is no state, it is damaged, or it belongs to another model or optimizer.
    """
    plain = _read_state_json(folder)
    place = str(folder / STATE_FILE)
    current = _tensor_file(plain, "step", place)
    if current is None:
        raise CheckpointError(f"{place}: files: names no file of weights")
    tensors = _read_tensors(folder, current)
    weights = {name: tensor for name, tensor in tensors.items() if name.startswith(MODEL)}
    _check_weights(weights, model, folder / current.name)
    parameters = dict(model.named_parameters())
    restored: dict[str, dict[str, Any]] = {}
    for name, values in _object(plain.get("optimizer_scalars"), place).items():
        for key, value in _object(values, place).items():
            if name not in parameters or key not in OPTIMIZER_SHAPES or not isinstance(value, (int, float, type(None))):
                raise CheckpointError(f"{place}: optimizer_scalars: found {key!r} of {name!r}, not of this optimizer")
            restored.setdefault(name, {})[key] = value
    for full_name, tensor in tensors.items():
        if full_name.startswith(OPTIMIZER):
            name, _, key = full_name.removeprefix(OPTIMIZER).rpartition("/")
            shape = tuple(parameters[name].shape) if name in parameters else ()
            if name not in parameters or key not in OPTIMIZER_SHAPES or tensor.shape != OPTIMIZER_SHAPES[key](shape):
                found = f"found {key!r} of {name!r} with shape {tuple(tensor.shape)}"
                raise CheckpointError(f"{folder / current.name}: {found}, which does not fit this model and optimizer")
            restored.setdefault(name, {})[key] = tensor
    groups = optimizer.state_dict()["param_groups"]
    numbers = [number for group in groups for number in group["params"]]
    owners = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    number_of = dict(zip(owners, numbers, strict=True))
    unknown = [name for name in restored if id(parameters[name]) not in number_of]
    if unknown:
        raise CheckpointError(f"{folder / current.name}: holds optimizer state of {unknown[0]!r}, which is not trained")
    _put_weights(weights, model)
    states = {number_of[id(parameters[name])]: values for name, values in restored.items()}
    optimizer.load_state_dict({"state": states, "param_groups": groups})


def load_weights(folder: Path, file: TensorFile, model: nn.Module) -> None:
    """Put the weights of `save_weights` into a model.

    Raises:
        CheckpointError: the file is missing, damaged, or of another model.
    """
    tensors = _read_tensors(folder, file)
    _check_weights(tensors, model, folder / file.name)
    _put_weights(tensors, model)


def _read_state_json(folder: Path) -> dict[str, Any]:
    path = folder / STATE_FILE
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder}: found no {STATE_FILE}, nothing to resume") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not a readable state ({error})") from error
    found = _object(plain, str(path)).get("format")
    if found != FORMAT:
        raise CheckpointError(f"{path}: format: found {found!r}, expected {FORMAT}")
    return dict(plain)


def _object(value: Any, place: str) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(value, dict):
        raise CheckpointError(f"{place}: found {type(value).__name__}, expected an object")
    return value


def _tensor_file(plain: Mapping[str, Any], key: str, place: str) -> TensorFile | None:
    record = _object(plain.get("files"), place).get(key)
    if record is None:
        return None
    name, sha256 = _object(record, place).get("name"), record.get("sha256")
    if not isinstance(name, str) or not TENSOR_FILE.fullmatch(name) or not isinstance(sha256, str):
        raise CheckpointError(f"{place}: files: {key}: found {record!r}, expected the name and sha256 of a file")
    return TensorFile(name, sha256)


def _model_tensors(model: nn.Module) -> dict[str, Tensor]:
    return {f"{MODEL}{name}": _on_cpu(tensor) for name, tensor in _saved_tensors(model).items()}


def _saved_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return parameters and persistent buffers by name, each shared one once; not those an adapter leaves alone."""
    persistent, base = model.state_dict().keys(), base_names(model)
    buffers = {name: tensor for name, tensor in model.named_buffers() if name in persistent}
    tensors = {**dict(model.named_parameters()), **buffers}
    return {name: tensor for name, tensor in tensors.items() if name not in base}


def _on_cpu(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous()


def _write_tensors(path: Path, tensors: dict[str, Tensor]) -> TensorFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as beside:
        save_file(tensors, beside)
        checksum = file_checksum(beside)
    return TensorFile(path.name, checksum)


def _read_tensors(folder: Path, expected: TensorFile) -> dict[str, Tensor]:
    path = folder / expected.name
    try:
        checksum = file_checksum(path)
        if checksum != expected.sha256:
            raise CheckpointError(f"{path}: damaged: found sha256 {checksum}, expected {expected.sha256}")
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: not a readable file of weights ({error})") from error


def _check_weights(tensors: Mapping[str, Tensor], model: nn.Module, path: Path) -> None:
    expected = {f"{MODEL}{name}": (tensor.shape, tensor.dtype) for name, tensor in _saved_tensors(model).items()}
    found = {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise CheckpointError(
                f"{path}: belongs to another model: {name.removeprefix(MODEL)}: "
                f"found {_describe(found.get(name))}, expected {_describe(expected.get(name))}"
            )


def _describe(kind: tuple[torch.Size, torch.dtype] | None) -> str:
    return f"{kind[1]} {list(kind[0])}" if kind else "nothing"


@torch.no_grad()
def _put_weights(tensors: Mapping[str, Tensor], model: nn.Module) -> None:
    for name, tensor in _saved_tensors(model).items():
        tensor.copy_(tensors[f"{MODEL}{name}"])
