"""Which edges hold on a day: those that have begun by then and have not ended.

Days, months and years are compared as far as both are told: what is valid until 2026 holds on every day of it.
"""

from __future__ import annotations

import logging
import re

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError

logger = logging.getLogger(__name__)

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DATE = re.compile(r"(\d{4}(?:-\d\d(?:-\d\d)?)?)(?:[T ].*)?")


class Validity:
    """Tells from the dates of an edge whether it holds on the day of `as_of`; without that day every edge does.

    Attributes:
        from_name: what the column or property with the first day is called.
        until_name: what the one with the last day is called.

    Raises:
        ConfigError: `as_of` is no day.
    """

    def __init__(self, config: BuildConfig) -> None:
        if config.as_of and not _DAY.fullmatch(config.as_of):
            raise ConfigError(f"as_of: found {config.as_of!r}, expected a day such as 2026-06-30")
        self.from_name = config.from_column
        self.until_name = config.until_column
        self._num_left_out = 0
        self._day = config.as_of

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
        begins, ends = _date(first), _date(last)
        has_begun = self._day[: len(begins)] >= begins
        has_ended = bool(ends) and self._day[: len(ends)] > ends
        self._num_left_out += not has_begun or has_ended
        return has_begun and not has_ended


def _date(text: str) -> str:
    match = _DATE.fullmatch(text.strip())
    if match is None and text.strip():
        raise ValueError(f"expected a date such as 2026-06-30, 2026-06 or 2026, found {text!r}")
    return match[1] if match else ""
