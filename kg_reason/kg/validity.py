"""Which edges hold on a day: those that have begun by then and have not ended.

Days, months and years are compared as far as both are told: what is valid until 2026 holds on every day of it.
"""

from __future__ import annotations

import logging
import re
from datetime import date

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError
from kg_reason.kg.qualifiers import QualifierNames, short_date

logger = logging.getLogger(__name__)

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


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

    def holds(self, first: str, last: str) -> bool:
        """Tell whether an edge holds; an empty date is no bound. Counts those that do not.

        Args:
            first: the first day, month or year on which it does.
            last: the last one.

        Raises:
            ValueError: a date is none.
        """
        if not self._day:
            return True
        holds = holds_on(self._day, _date(first), _date(last))
        self._num_left_out += not holds
        return holds


def holds_on(day: str, begins: str, ends: str) -> bool:
    """Tell whether a day is within two dates as `short_date` returns them; an empty one is no bound."""
    return day[: len(begins)] >= begins and (not ends or day[: len(ends)] <= ends)


def check_day(day: str) -> str:
    """Return the day of a setting `as_of`; empty: any day.

    Raises:
        ConfigError: it is no day.
    """
    if day:
        try:
            date.fromisoformat(day if _DAY.fullmatch(day) else "")
        except ValueError:
            raise ConfigError(f"as_of: found {day!r}, expected a day such as 2026-06-30") from None
    return day


def _date(text: str) -> str:
    short = short_date(text)
    if not short and text.strip():
        raise ValueError(f"expected a date such as 2026-06-30, 2026-06 or 2026, found {text!r}")
    return short
