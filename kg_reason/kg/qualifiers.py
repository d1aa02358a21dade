"""What qualifies a statement: how much, since when, until when, by whose word, and whatever else its author noted.

A set of qualifiers maps names to texts. Weight, dates and source have names of their own, whatever the file calls
them; every other qualifier keeps its readable name. A set is stored as JSON text with sorted names, once for all
statements that have it. A named graph is a set too: `<http://x.org/g>` says that the source is that graph.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg_reason.config import BuildConfig
from kg_reason.errors import GraphError
from kg_reason.kg.names import readable_relation
from kg_reason.kg.terms import TermInterner
from kg_reason.kg.words import caseless, plain_name

WEIGHT, VALID_FROM, VALID_UNTIL, SOURCE = "weight", "valid_from", "valid_until", "source"

_WELL_KNOWN = {  # local names in schema.org, PROV, Dublin Core, Wikidata and W3C Time, plain
    VALID_FROM: ("validfrom", "startdate", "starttime", "p580", "hasbeginning"),
    VALID_UNTIL: ("validuntil", "validthrough", "enddate", "endtime", "p582", "hasend"),
    SOURCE: ("source", "hassource", "wasderivedfrom", "statedin", "p248"),
}

_MAX_WEIGHT = float(np.finfo(np.float32).max)
_WRITER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_DATE = re.compile(r"(\d{4}(?:-\d\d(?:-\d\d)?)?)(?:[T ].*|Z|[+-]\d\d:\d\d)?")

_DOTTED_DATE = re.compile(r"(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])\.(\d{4})")

Qualifiers = Mapping[str, tuple[str, ...]]
NONE: Qualifiers = {}


def column_name(text: str) -> str:
    """Return the name of a column or property as it is compared: without case, a blank for an underscore.

    >>> column_name(" Valid_From")
    'valid from'
    """
    return caseless(" ".join(text.replace("_", " ").split()))


def spellings(column: str) -> list[str]:
    """Return the names that a setting gives a column, as they are compared: one, several between bars, or none.

    >>> spellings("Kopf|subject")
    ['kopf', 'subject']
    """
    return [column_name(name) for name in column.split("|") if name.strip()]


class QualifierNames:
    """Tells which qualifier a column, a property or a relation gives.

    Attributes:
        columns: qualifiers by the `column_name` of a column or property: those of the settings, and what else is to be
            kept (`qualifier_columns`).
    """

    def __init__(self, config: BuildConfig) -> None:
        own = {
            config.weight_column: WEIGHT, config.from_column: VALID_FROM, config.until_column: VALID_UNTIL,
            config.source_column: SOURCE,
        }  # fmt: skip
        others = {column_name(name): _own_name(name.strip()) for name in config.qualifier_columns}
        settled = {name: qualifier for column, qualifier in own.items() for name in spellings(column)}
        self.columns = {**others, **settled}
        self._known = {plain: name for name, plains in _WELL_KNOWN.items() for plain in plains}
        self._known |= {plain_name(readable_relation(name)): qualifier for name, qualifier in settled.items()}

    def of_relation(self, relation: str) -> str:
        """Return the qualifier that a relation between a statement and a value gives."""
        return self._known.get(plain_name(readable_relation(relation))) or _own_name(relation)


def _own_name(name: str) -> str:
    """Return the readable name of a qualifier without one of ours; a weight by another name leaves `weight` free."""
    readable = readable_relation(name)
    return f"plain {readable}" if readable in (WEIGHT, VALID_FROM, VALID_UNTIL, SOURCE) else readable


def qualifier_text(qualifiers: Mapping[str, tuple[str, ...]]) -> str:
    """Return the stored form of a set: JSON with sorted names and values, dates as days, months or years."""
    plain: dict[str, Any] = {}
    for name, values in qualifiers.items():
        texts = [_settled(name, value) for value in values]
        kept = sorted({text for text in texts if text})
        if kept and name:
            plain[name] = kept if len(kept) > 1 else kept[0]
    return _WRITER.encode(plain) if plain else ""


def statement_text(qualifiers: Qualifiers) -> str:
    """Return the stored form of what qualifies a statement beside its weight, which has a column of its own."""
    is_weighed = not math.isnan(weight_of(qualifiers))
    return qualifier_text({name: values for name, values in qualifiers.items() if name != WEIGHT or not is_weighed})


def _settled(name: str, value: str) -> str:
    text = " ".join(value.split())
    if name in (VALID_FROM, VALID_UNTIL):
        return short_date(text) or text
    number = weight_number(text) if name == WEIGHT else math.nan
    return text if math.isnan(number) else f"{number:.9g}"


def short_date(text: str) -> str:
    """Return the day, month or year of a date without its time; empty where a text is no date.

    With dots it is day, month and year, wherever people write so; with slashes it may be two things, and is no date.
    """
    match = _DATE.fullmatch(text.strip())
    if match:
        return match[1]
    dotted = _DOTTED_DATE.fullmatch(text.strip())
    return f"{dotted[3]}-{dotted[2]:0>2}-{dotted[1]:0>2}" if dotted else ""


def weight_number(text: str, *, decimal_comma: bool = False) -> float:
    """Return a weight, a number not below 0 that fits into 32 bits; NaN where a text is none.

    With `decimal_comma` a comma may stand for the point.
    """
    text = text.replace(",", ".") if decimal_comma else text
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan
    return number if 0.0 <= number <= _MAX_WEIGHT else math.nan


def parse_qualifiers(text: str) -> Qualifiers:
    """Return the set that a stored text, or the name of a graph, stands for.

    Raises:
        GraphError: it is neither.
    """
    if not text:
        return NONE
    if text.startswith(("<", "_:")):
        return {SOURCE: (text.removeprefix("<").removesuffix(">"),)}
    try:
        return from_plain(json.loads(text))
    except (ValueError, AttributeError, TypeError) as error:
        raise GraphError(f"found qualifiers that cannot be read: {text[:60]!r}; build the graph again") from error


def weight_of(qualifiers: Qualifiers) -> float:
    """Return the weight among qualifiers, NaN where there is none; of several the highest."""
    return max((weight_number(text) for text in qualifiers.get(WEIGHT, ())), default=math.nan)


def shown_weight(weight: float) -> float:
    """Return a weight as it was written before it was stored in 32 bits.

    >>> shown_weight(float(np.float32(0.12)))
    0.12
    """
    return 1.0 if weight == 1.0 else float(str(np.float32(weight)))  # as most are; it takes no time


def plain_qualifiers(qualifiers: Qualifiers) -> dict[str, str | float | list[str]]:
    """Return qualifiers as plain data: a text by its name, a list where there are several, the weight as a number."""
    plain: dict[str, str | float | list[str]] = {
        name: values[0] if len(values) == 1 else list(values) for name, values in qualifiers.items()
    }
    weight = weight_of(qualifiers)
    return plain if math.isnan(weight) else {**plain, WEIGHT: weight}


def from_plain(plain: Mapping[str, Any]) -> Qualifiers:
    """Return qualifiers from their plain data."""
    listed = {name: value if isinstance(value, list | tuple) else (value,) for name, value in plain.items()}
    return {name: tuple(map(str, values)) for name, values in listed.items()}


def said_qualifiers(qualifiers: Qualifiers, weight: float = 1.0) -> str:
    """Return qualifiers as people read them; empty where there are none.

    Args:
        qualifiers: of one statement.
        weight: of its edge, told where the statement has none of its own; 1.0 for none.

    >>> said_qualifiers({"weight": ("0.12",), "valid_from": ("2019",), "source": ("EU list",)})
    '0.12, since 2019, source "EU list"'
    """
    own = qualifiers.get(WEIGHT, ())
    parts = [" or ".join(own) if own else "" if weight == 1.0 else f"{shown_weight(weight):.9g}"]
    first, last = (" or ".join(qualifiers.get(name, ())) for name in (VALID_FROM, VALID_UNTIL))
    if first and last:
        parts.append(f"{first} to {last}")
    else:
        parts.append(f"since {first}" if first else f"until {last}" if last else "")
    for name in sorted(set(qualifiers) - {WEIGHT, VALID_FROM, VALID_UNTIL}, key=lambda name: (name != SOURCE, name)):
        parts.append(f"{name} " + ", ".join(f'"{value}"' for value in qualifiers[name]))
    return ", ".join(part for part in parts if part)


def add_cell_sets(
    buffer: NDArray[np.uint8], cells: NDArray[np.int64], names: Sequence[str]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return a buffer with the sets of some rows behind it, and the span of each row's set.

    Args:
        buffer: uint8 [num_bytes], UTF-8.
        cells: int64 [n, num_names, 2], start and end of each cell in the buffer, without white space at its ends.
        names: of the qualifiers; one name may stand twice.

    Returns:
        uint8 [num_bytes + num_bytes of sets], and int64 [n, 2], empty spans for rows without qualifiers.
    """
    interner = TermInterner()
    kind = np.zeros(len(cells), dtype=np.int64)
    for column in range(len(names)):
        terms = interner.intern(buffer, np.ascontiguousarray(cells[:, column]))
        kind = np.unique(kind * interner.num_terms + terms, return_inverse=True)[1].reshape(-1)
    texts = []
    for row in np.unique(kind, return_index=True)[1].tolist():
        found: dict[str, tuple[str, ...]] = {}
        for name, (start, end) in zip(names, cells[row].tolist(), strict=True):
            if end > start:
                found[name] = (*found.get(name, ()), buffer[start:end].tobytes().decode())
        texts.append(statement_text(found).encode())
    ends = len(buffer) + np.cumsum([len(text) for text in texts], dtype=np.int64)
    starts = np.concatenate([[len(buffer)], ends[:-1]]) if texts else ends
    spans = np.stack([starts, ends], axis=1).astype(np.int64)
    return np.concatenate([buffer, np.frombuffer(b"".join(texts), dtype=np.uint8)]), spans[kind]


class QualifierSets:
    """Numbers the sets of qualifiers of a graph that is being built; 0 is the empty set."""

    def __init__(self) -> None:
        self._interner = TermInterner()

    def intern(self, buffer: NDArray[np.uint8], spans: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the numbers, int32 [n], of the stored texts `buffer[start:end]` for spans [n, 2]."""
        numbers = np.zeros(len(spans), dtype=np.int32)
        given = spans[:, 1] > spans[:, 0]
        numbers[given] = self._interner.intern(buffer, spans[given]) + 1
        return numbers

    def add(self, sets: Sequence[Qualifiers]) -> list[int]:
        """Return the numbers of some sets, without their weights."""
        texts = [statement_text(qualifiers) for qualifiers in sets]
        given = iter(self._interner.intern_keys([text for text in texts if text]).tolist())
        return [next(given) + 1 if text else 0 for text in texts]

    def get(self, number: int) -> Qualifiers:
        """Return the set with this number."""
        return parse_qualifiers(self._interner.key(number - 1)) if number else NONE

    def finished(
        self, sets: NDArray[np.int32], weights: NDArray[np.float32]
    ) -> tuple[NDArray[np.int32], list[str]]:
        """Return the sets of a finished graph, numbered whatever the order of reading.

        Args:
            sets: int32 [n], as numbered here.
            weights: float32 [n], what is added as the weight of each; NaN: nothing.

        Returns:
            numbers int32 [n] from 0, and the stored texts.
        """
        packed = (sets.astype(np.int64) << 32) | weights.view(np.uint32).astype(np.int64)
        kinds, first, place = np.unique(packed, return_index=True, return_inverse=True)
        texts = []
        for row in first.tolist():
            text, weight = self._interner.key(int(sets[row]) - 1) if sets[row] else "", float(weights[row])
            if not math.isnan(weight):
                text = qualifier_text({**parse_qualifiers(text), WEIGHT: (f"{shown_weight(weight):.9g}",)})
            texts.append(text if text.startswith("{") else qualifier_text(parse_qualifiers(text)))
        ordered = sorted(set(texts))
        number_of = {text: number for number, text in enumerate(ordered)}
        numbers = np.array([number_of[text] for text in texts], dtype=np.int32)
        return numbers[place.reshape(-1)], ordered


class StoredQualifiers(NamedTuple):
    """The qualifiers of a finished graph; all arrays are empty where it has none.

    Attributes:
        rows: int64 [num_qualified], rows of `source_file` and `source_line` that have qualifiers, ascending.
        sets: int32 [num_qualified], the set of each.
        text, offset: the stored texts of the sets, one after the other.
    """

    rows: NDArray[np.int64]
    sets: NDArray[np.int32]
    text: NDArray[np.uint8]
    offset: NDArray[np.int64]

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> StoredQualifiers:
        """Return those of a graph by its arrays, which it has only where a statement is qualified."""
        if "qualified_source" not in arrays:
            return cls(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.uint8), np.zeros(1, np.int64))
        return cls(*(arrays[name] for name in QUALIFIER_ARRAYS))

    def get(self, number: int) -> Qualifiers:
        """Return one of the sets.

        Raises:
            GraphError: the graph has no such set, or its text cannot be read.
        """
        if not 0 <= number < len(self.offset) - 1:
            raise GraphError(f"found set {number} of qualifiers, of {len(self.offset) - 1}; build the graph again")
        text = self.text[self.offset[number] : self.offset[number + 1]]
        return parse_qualifiers(text.tobytes().decode(errors="replace"))

    def check(self, num_statements: int) -> None:
        """Check that rows and sets are those of a graph with so many statements.

        Raises:
            GraphError: they are not.
        """
        for numbers, bound in ((self.rows, num_statements), (self.sets, len(self.offset) - 1)):
            if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < bound:
                found = f"{int(numbers.min())} to {int(numbers.max())}, expected 0 to {bound - 1}"
                raise GraphError(f"qualifiers of statements: found numbers from {found}; build the graph again")

    def all(self) -> Iterator[Qualifiers]:
        """Yield every set."""
        return map(self.get, range(len(self.offset) - 1))

    def of_rows(self, first: int, last: int) -> list[Qualifiers]:
        """Return the qualifiers of the statements `first` to `last - 1`."""
        found = [NONE] * (last - first)
        if not len(self.rows):
            return found
        for place in range(*np.searchsorted(self.rows, (first, last)).tolist()):
            if first <= self.rows[place] < last:
                found[int(self.rows[place]) - first] = self.get(int(self.sets[place]))
        return found


QUALIFIER_ARRAYS = ("qualified_source", "qualified_set", "qualifier_text", "qualifier_offset")


def qualifier_content(arrays: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Return what of the qualifiers makes a graph another one: sets by edge, in an order that no shuffling changes."""
    stored = StoredQualifiers.of(arrays)
    if not len(stored.rows):
        return []
    edges = np.searchsorted(arrays["edge_source"], stored.rows, side="right") - 1
    order = np.lexsort((stored.sets, edges))
    return [edges[order], stored.sets[order], stored.text, stored.offset]
