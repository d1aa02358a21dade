"""Random states: what is put back draws the same numbers, and what is damaged is refused."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
import torch

from kg_reason.errors import CheckpointError
from kg_reason.training.random_state import rng_state, set_rng_state


@pytest.fixture(autouse=True)
def own_random_states():
    state = rng_state()
    yield
    set_rng_state(state)


def draw():
    return random.gauss(0, 1), np.random.normal(), torch.rand(3).tolist(), random.random()


def test_a_state_that_went_through_json_draws_the_same_numbers():
    random.gauss(0, 1)  # leaves a second number waiting
    state = json.loads(json.dumps(rng_state()))
    drawn = draw()
    assert draw() != drawn
    set_rng_state(state)
    assert draw() == drawn


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("torch", "not base64!"), ("torch", "AAAA"), ("python", [3, "AAAA", None]), ("python", None), ("numpy", [1, 2]),
        ("numpy", ["MT19937", "AAAA", 0, 0, 0.0]), ("torch", None),
    ],
)  # fmt: skip
def test_a_damaged_state_is_refused(name, value):
    with pytest.raises(CheckpointError, match="damaged random state"):
        set_rng_state(rng_state() | {name: value})


def test_a_missing_state_is_refused():
    with pytest.raises(CheckpointError, match="damaged random state"):
        set_rng_state({})
