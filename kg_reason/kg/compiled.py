"""One door to compiled loops: `@compiled` makes a function machine code through numba, or leaves it plain Python.

Kernels are written in the part of Python that means the same both ways: integers stay below 2**62, arrays are numpy's.
`tests/kg/test_compiled.py` holds both ways equal. Where numba is not installed everything still works, slower.
`warm_up` is called by `kg-reason build`, so that no query pays for compilation; numba's cache lies beside the package,
or in the user's own cache folder where the package cannot be written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

try:
    import numba
except ImportError:  # numba lags behind each new Python by some months
    numba = None

Function = TypeVar("Function", bound=Callable[..., Any])

HAS_COMPILER = numba is not None


def compiled(function: Function) -> Function:
    """Compile a kernel on its first call with given array types; the machine code is kept on disk."""
    if numba is None:
        return function
    return cast(Function, numba.njit(cache=True, nogil=True)(function))


def compiled_leaf(function: Function) -> Function:
    """Compile as `compiled` does a kernel that makes no arrays: who holds them is not counted.

    Counting costs more than the work of a short function that is called for every field of a file.
    """
    if numba is None:
        return function
    return cast(Function, numba.njit(cache=True, nogil=True, _nrt=False)(function))


def interpreted(function: Function) -> Function:
    """Return the plain Python of a kernel, for the tests that hold both ways equal."""
    return cast(Function, getattr(function, "py_func", function))
