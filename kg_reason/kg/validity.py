"""Which edges hold on a day: those that have begun by then and have not ended.

Days, months and years are compared as far as both are told: what is valid until 2026 holds on every day of it.
"""

from __future__ import annotations

import logging
import re
from datetime import date

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.qualifiers import VALID_FROM, VALID_UNTIL, QualifierNames, parse_qualifiers, short_date
from kg_reason.kg.triples import TripleBlock, select_rows

logger = logging.getLogger(__name__)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Validity:
    """Tells from the dates of an edge whether it holds on the day of `as_of`; without that day every edge does.

    Attributes:
        names: what the columns and properties that qualify an edge are called, its dates among them.

    Raises:
        ConfigError: `as_of` is no day.
    """

    def __init__(self, config: BuildConfig) -> None:
        self.names = QualifierNames(config)
        self._num_left_out = 0
        self._day = check_day(config.as_of)

    def __bool__(self) -> bool:
        """Tell whether any edge may be left out."""
        return bool(self._day)

    def tell(self, name: str) -> None:
        """Say of a file that was read how many of its edges do not hold."""
        if self._num_left_out:
            logger.warning("%s: edges left out because they do not hold on %s: %d", name, self._day, self._num_left_out)

    def holding(self, rows: TripleBlock) -> tuple[TripleBlock, NDArray[np.int64]]:
        """Return the rows of a block that hold, and the lines of those of which it cannot be told: int64 [num_lines].

        Rows that have the same qualifiers are looked at once.
        """
        if rows.qualifiers is None:
            return rows, np.empty(0, dtype=np.int64)
        starts, ends = rows.qualifiers.T
        _, first, kind, counts = np.unique(
            starts * (len(rows.buffer) + 1) + ends, return_index=True, return_inverse=True, return_counts=True
        )
        holds, is_unclear = np.zeros(len(first), dtype=bool), np.zeros(len(first), dtype=bool)
        for number, (row, count) in enumerate(zip(first.tolist(), counts.tolist(), strict=True)):
            qualifiers = parse_qualifiers(rows.buffer[starts[row] : ends[row]].tobytes().decode())
            begins = min(qualifiers.get(VALID_FROM, ()), default="")
            until = max(qualifiers.get(VALID_UNTIL, ()), default="")
            try:
                holds[number] = self.holds(begins, until, count)
            except ValueError:
                is_unclear[number] = True
        return select_rows(rows, np.flatnonzero(holds[kind])), rows.line[is_unclear[kind]]

    def holds(self, first: str, last: str, count: int = 1) -> bool:
        """Tell whether an edge holds; an empty date is no bound. Counts those that do not.

        Args:
            first: the first day, month or year on which it does.
            last: the last one.
            count: how many edges have these dates.

        Raises:
            ValueError: a date is none.
        """
        if not self._day:
            return True
        holds = holds_on(self._day, _date(first), _date(last))
        self._num_left_out += 0 if holds else count
        return holds


def holds_on(day: str, begins: str, ends: str) -> bool:
    """Tell whether a day is within two dates as `short_date` returns them; an empty one is no bound."""
    return day[: len(begins)] >= begins and (not ends or day[: len(ends)] <= ends)


def check_day(day: str) -> str:
    """Return the day of a setting `as_of`; empty: any day.

    Raises:
        ConfigError: it is no day.
    """
    fault = f"as_of: found {day!r}, expected a day such as 2026-06-30"
    if day and not _DAY.fullmatch(day):
        raise ConfigError(fault)
    try:
        return day and date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise ConfigError(f"{fault}: {error}") from error


def _date(text: str) -> str:
    found = short_date(text)
    if not found and text.strip():
        raise ValueError(f"expected a date such as 2026-06-30, 2026-06, 2026 or 30.6.2026, found {text!r}")
    return found
