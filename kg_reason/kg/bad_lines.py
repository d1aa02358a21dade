"""The lines that could not be read, noted by every reader on its way; the caller decides whether they are fatal."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from kg_reason.errors import BadLine

NUM_SHOWN_BAD_LINES = 20
MAX_REASON_CHARACTERS = 400  # what is wrong may quote a line of any length


class BadLines:
    """The lines that could not be read: the first of them to show, all of them for the report.

    Attributes:
        num_kept: lines with IRIs that are not valid which were kept all the same (`BuildConfig.lenient`).
    """

    def __init__(self) -> None:
        self.num_kept = 0
        self._texts: dict[str, int] = {}
        self._rows = array("q")  # path, line, reason, and again: reasons repeat, so a bad line costs 24 bytes

    def add(self, path: str, line: int, reason: str) -> None:
        """Note one bad line by its file, its number counted from 1, and what was found and expected."""
        if len(reason) > MAX_REASON_CHARACTERS:
            reason = f"{reason[: MAX_REASON_CHARACTERS // 2]} ... {reason[-MAX_REASON_CHARACTERS // 2 :]}"
        path_number = self._texts.setdefault(path, len(self._texts))
        self._rows.extend((path_number, line, self._texts.setdefault(reason, len(self._texts))))

    def extend(self, other: BadLines) -> None:
        """Note all bad lines of another collection after these."""
        for bad_line in other:
            self.add(bad_line.path, bad_line.line, bad_line.reason)
        self.num_kept += other.num_kept

    @property
    def num(self) -> int:
        """How many there are."""
        return len(self._rows) // 3

    @property
    def first(self) -> tuple[BadLine, ...]:
        """The first 20, in the order in which they were found."""
        return tuple(bad_line for bad_line, _ in zip(self, range(NUM_SHOWN_BAD_LINES), strict=False))

    def __len__(self) -> int:
        return self.num

    def __iter__(self) -> Iterator[BadLine]:
        texts = list(self._texts)
        for row in range(0, len(self._rows), 3):
            path, line, reason = self._rows[row : row + 3]
            yield BadLine(texts[path], line, texts[reason])

    def report(self) -> bytes:
        """Return all of them as tab-separated text with the columns file, line and reason; empty if there are none."""
        report = bytearray(b"file\tline\treason\n" if self.num else b"")
        for bad_line in self:
            cells = (bad_line.path, str(bad_line.line), bad_line.reason)
            report += ("\t".join(" ".join(cell.split()) for cell in cells) + "\n").encode()
        return bytes(report)
