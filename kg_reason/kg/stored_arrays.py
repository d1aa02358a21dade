"""Named arrays in the files of a folder: written when they are put in, mapped when they are asked for.

So a graph of many million edges is built without all of its arrays in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import dtype_to_descr, write_array_header_1_0
from numpy.typing import NDArray

Arrays = MutableMapping[str, NDArray[Any]]  # of a graph, by name


def array_path(folder: Path, name: str) -> Path:
    """Return the file of an array."""
    return folder / f"{name}.npy"


def map_array(path: Path) -> NDArray[Any]:
    """Return an array as a memory map of its file.

    Raises:
        ValueError: the file holds no plain array.
        FileNotFoundError: it is not there.
    """
    # A plain view of the map: np.memmap makes every reading of a single item several times as dear.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


class StoredArrays(MutableMapping[str, NDArray[Any]]):
    """Arrays by name in a folder, which is made; each is mapped anew on every asking, so that none keeps its pages."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._names: dict[str, None] = {}

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        path = array_path(self.folder, name)
        path.unlink(missing_ok=True)  # who has mapped what was there keeps it
        with path.open("wb") as stream:  # numpy.save passes over errors of the last write
            header = {"descr": dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
            write_array_header_1_0(stream, header)
            stream.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        self._names[name] = None

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._names:
            raise KeyError(name)
        return map_array(array_path(self.folder, name))

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        array_path(self.folder, name).unlink()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
