"""Kernels run where their machine code cannot be kept."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from kg_reason.kg import compiled


def add(one: int, other: int) -> int:
    return one + other


@pytest.mark.skipif(not compiled.HAS_COMPILER, reason="numba is not installed")
def test_without_a_folder_for_machine_code_a_kernel_is_compiled_all_the_same_and_that_is_told_once(
    monkeypatch, caplog
):
    njit = compiled.numba.njit

    def refuse_cache(**options: bool):
        if options.get("cache"):
            raise RuntimeError("cannot cache function 'add': no locator available")
        return njit(**options)

    monkeypatch.setattr(compiled, "numba", SimpleNamespace(njit=refuse_cache))
    compiled._tell_of_no_cache.cache_clear()
    with caplog.at_level(logging.WARNING):
        kernels = [compile_kernel(add) for compile_kernel in (compiled.compiled, compiled.compiled_leaf)]
    assert [kernel(1, 2) for kernel in kernels] == [3, 3]
    assert ["NUMBA_CACHE_DIR" in message for message in caplog.messages] == [True]
