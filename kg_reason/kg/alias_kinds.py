"""The kinds of labels and how usual each is as a name, and labels as columns while a graph is built."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PREFERRED, ALTERNATIVE, HIDDEN, OWN, NARROW, BROAD, RELATED = range(7)
ALIAS_KINDS = ("pref", "alt", "hidden", "own", "narrow", "broad", "related")
# A narrow synonym names something that its entity holds true of, a broad one something wider than its entity.
KIND_PRIOR = (1.0, 0.9, 0.5, 1.0, 0.4, 0.2, 0.3)


class AliasRows(NamedTuple):
    """Labels as columns [num_labels]; entities and texts are the ids of interners."""

    entity: NDArray[np.int32]
    kind: NDArray[np.uint8]
    text: NDArray[np.int32]
    prior: NDArray[np.float32]
    pos: NDArray[np.uint8]
    file: NDArray[np.int32]
    line: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> AliasRows:
        """Return some of the rows."""
        return AliasRows(**{name: column[rows] for name, column in self._asdict().items()})

    def in_file_order(self) -> AliasRows:
        """Return the rows by file, those of one file as they are; files may have been read side by side."""
        if bool((self.file[1:] >= self.file[:-1]).all()):
            return self
        return self.take(np.argsort(self.file, kind="stable"))

    def joined(self, other: AliasRows) -> AliasRows:
        """Return these rows and then others."""
        return AliasRows(
            np.concatenate([self.entity, other.entity]), np.concatenate([self.kind, other.kind]),
            np.concatenate([self.text, other.text]), np.concatenate([self.prior, other.prior]),
            np.concatenate([self.pos, other.pos]), np.concatenate([self.file, other.file]),
            np.concatenate([self.line, other.line]),
        )  # fmt: skip
