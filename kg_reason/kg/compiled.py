"""One door to compiled loops: `@compiled` makes a function machine code through numba, or leaves it plain Python.

Kernels are written in the part of Python that means the same both ways: integers stay below 2**62, arrays are numpy's.
The tests of each kernel hold both ways equal. Where numba is not installed everything still works, slower. `warm_up` is
called by `kg-reason build`, so that no query pays for compilation; numba's cache lies beside the package, or in the
user's own cache folder where the package cannot be written. Where neither can be, every process compiles anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

try:
    import numba
except ImportError:  # numba lags behind each new Python by some months
    numba = None

logger = logging.getLogger(__name__)

Function = TypeVar("Function", bound=Callable[..., Any])

HAS_COMPILER = numba is not None


def compiled(function: Function) -> Function:
    """Compile a kernel on its first call with given array types; the machine code is kept on disk where that may be."""
    return _compile(function)


def compiled_leaf(function: Function) -> Function:
    """Compile as `compiled` does a kernel that makes no arrays: who holds them is not counted.

    Counting costs more than the work of a short function that is called for every field of a file.
    """
    return _compile(function, _nrt=False)


def _compile(function: Function, **options: bool) -> Function:
    if numba is None:
        return function
    try:
        return cast(Function, numba.njit(cache=True, nogil=True, **options)(function))
    except RuntimeError:  # no folder that a cache can be kept in
        _tell_of_no_cache()
        return cast(Function, numba.njit(nogil=True, **options)(function))


@cache
def _tell_of_no_cache() -> None:
    logger.warning(
        "compiled code cannot be kept, so that every command compiles anew: neither the package's folder nor a cache "
        "folder of yours can be written; NUMBA_CACHE_DIR names another"
    )


def interpreted(function: Function) -> Function:
    """Return the plain Python of a kernel, for the tests that hold both ways equal."""
    return cast(Function, getattr(function, "py_func", function))
