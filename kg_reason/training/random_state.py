"""The random states of a process as plain data, so that a resumed run draws what it would have drawn.

Python, numpy and torch, on the CPU and on the current CUDA device. Kept in JSON by `checkpoint.py`.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray

from kg_reason.errors import CheckpointError


def rng_state() -> dict[str, Any]:
    """Return the random states of Python, numpy and torch in this process as plain data."""
    version, words, gauss = random.getstate()
    algorithm, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    state = {
        "python": [version, _to_text(np.array(words, dtype=np.uint32)), gauss],
        "numpy": [algorithm, _to_text(np.asarray(keys, dtype=np.uint32)), position, has_gauss, cached],
        "torch": _to_text(torch.get_rng_state().numpy()),
    }
    if torch.cuda.is_available():
        state["cuda"] = _to_text(torch.cuda.get_rng_state().numpy())
    return state


def set_rng_state(state: Mapping[str, Any]) -> None:
    """Put back the random states of `rng_state`; a CUDA state is used where there is a CUDA device.

    Raises:
        CheckpointError: a state is missing or damaged.
    """
    try:
        version, words, gauss = state["python"]
        random.setstate((version, tuple(_from_text(words, np.uint32).tolist()), gauss))
        algorithm, keys, position, has_gauss, cached = state["numpy"]
        np.random.set_state((algorithm, _from_text(keys, np.uint32), position, has_gauss, cached))
        torch.set_rng_state(torch.from_numpy(_from_text(state["torch"], np.uint8)))
        if torch.cuda.is_available() and "cuda" in state:
            torch.cuda.set_rng_state(torch.from_numpy(_from_text(state["cuda"], np.uint8)))
    except (KeyError, TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise CheckpointError(f"damaged random state ({error})") from error


def _to_text(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def _from_text(text: str, dtype: DTypeLike) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text, validate=True), dtype=dtype).copy()
