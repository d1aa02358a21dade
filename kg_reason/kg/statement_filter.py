"""Which statements count: those that hold on a day, weigh enough, and come from a source that is wanted.

One edge may be stated several times, each time with qualifiers of its own; it is left out only where no statement of it
is left.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig, StatementConfig
from kg_reason.kg.names import readable_name
from kg_reason.kg.qualifiers import SOURCE, VALID_FROM, VALID_UNTIL, Qualifiers, short_date, weight_of
from kg_reason.kg.validity import check_day, holds_on
from kg_reason.kg.words import caseless

logger = logging.getLogger(__name__)


class Statements(NamedTuple):
    """Statements as columns [num_statements]: what qualifies each, and which file states it.

    Attributes:
        sets: the number of each statement's set of qualifiers, not below 0.
        files: positions in `file_names`.
        file_names: as the user named them.
        qualifiers: returns the set with a number.
    """

    sets: NDArray[np.int32]
    files: NDArray[np.int32]
    file_names: Sequence[str]
    qualifiers: Callable[[int], Qualifiers]


class StatementFilter:
    """Tells of statements whether they count, and what was left out.

    Args:
        config: day, weight and sources; the weights are those among qualifiers, not those of edges.

    Raises:
        ConfigError: `as_of` is no day.
    """

    def __init__(self, config: BuildConfig | StatementConfig) -> None:
        self._day = check_day(config.as_of)
        self._min_weight = config.min_weight
        self._too_light = f"their weight is below {config.min_weight:g}"
        self._only = {caseless(name.strip()) for name in config.only_sources}
        self._exclude = {caseless(name.strip()) for name in config.exclude_sources}
        self._written = {caseless(name.strip()): name for name in (*config.only_sources, *config.exclude_sources)}
        self._met: set[str] = set()
        self._left_out: Counter[str] = Counter()
        self._no_dates: set[str] = set()

    def __bool__(self) -> bool:
        """Tell whether any statement may be left out."""
        return bool(self._day or self._min_weight > 0 or self._only or self._exclude)

    def select(self, statements: Statements) -> NDArray[np.bool_]:
        """Return which statements count, bool [num_statements]; the others are noted with the reason."""
        file_names = statements.file_names
        pairs = statements.sets.astype(np.int64) * len(file_names) + statements.files
        kinds, place, sizes = np.unique(pairs, return_inverse=True, return_counts=True)
        counts = np.ones(len(kinds), dtype=bool)
        for kind, pair in enumerate(kinds.tolist()):
            number, file = divmod(pair, len(file_names))
            reason = self._fault(statements.qualifiers(number), file_names[file])
            if reason:
                counts[kind] = False
                self._left_out[reason] += int(sizes[kind])
        return counts[place]

    def count_light(self, num_statements: int) -> None:
        """Count statements that are left out by the weight of their edges, which is not among their qualifiers."""
        if num_statements:
            self._left_out[self._too_light] += num_statements

    def tell(self) -> None:
        """Say how many statements were left out and why, which dates are none, and which sources were never met."""
        for reason, number in sorted(self._left_out.items()):
            logger.warning("statements left out because %s: %d", reason, number)
        if self._no_dates:
            logger.warning(
                "dates that are none do not bound anything: %d, such as %r; expected 2026-06-30, 2026-06, 2026 or "
                "30.6.2026", len(self._no_dates), min(self._no_dates),
            )  # fmt: skip
        for name in sorted((self._only | self._exclude) - self._met):
            logger.warning("no statement comes from the source %r", self._written[name])

    def _fault(self, qualifiers: Qualifiers, file_name: str) -> str:
        """Return why a statement does not count; empty where it does."""
        if self._day:
            first, last = (self._dates(qualifiers.get(name, ())) for name in (VALID_FROM, VALID_UNTIL))
            if not holds_on(self._day, min(first, default=""), max(last, default="")):
                return f"they do not hold on {self._day}"
        weight = weight_of(qualifiers)
        if not math.isnan(weight) and weight < self._min_weight:
            return self._too_light
        if (self._only or self._exclude) and not self._is_wanted(qualifiers.get(SOURCE, ()), file_name):
            return "of their source"
        return ""

    def _dates(self, texts: Sequence[str]) -> list[str]:
        """Return dates, empty where a text is none, which is noted."""
        dates = list(map(short_date, texts))
        self._no_dates.update(text for text, date in zip(texts, dates, strict=True) if text and not date)
        return dates

    def _is_wanted(self, sources: Sequence[str], file_name: str) -> bool:
        """Tell whether a source is among the wanted ones; of several sources one is enough."""
        of_file = {caseless(file_name), caseless(PurePath(file_name).name)}
        named = [{caseless(source), caseless(readable_name(source))} for source in sources]
        self._met |= of_file.union(*named) & (self._only | self._exclude)
        if of_file & self._exclude or (named and all(names & self._exclude for names in named)):
            return False
        return not self._only or bool(of_file.union(*named) & self._only)
