"""The table from relation patterns to labels, as data: `relation_labels.toml`, or a file of the user's.

The table gives a user's own relations their labels without code. Walking a graph by it is `patterns.py`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from kg_reason.errors import ConfigError
from kg_reason.nli import Label

SHIPPED_TABLE = "relation_labels.toml"
_PATTERN_KEYS = {
    "name", "steps", "label", "downward", "share", "pos", "below", "ends_below", "through", "not_through", "not_below",
    "names",
    "after", "frames",
}
_TABLE_KEYS = ("avoid", "avoid_below", "clauses", "frames", "groups", "pattern")
_PLAIN_KEYS = {"name": str, "pos": str, "frames": str, "names": str, "below": int, "ends_below": int}
_FRAME_KEYS = {"upward", "downward"}


class Frames(NamedTuple):
    """Sentences with one gap, such as "The {NN} is on the table.", by the polarity of the gap."""

    upward: tuple[str, ...]
    downward: tuple[str, ...]


class Clauses(NamedTuple):
    """Sentences with the gap `{}` for another sentence, by whether they turn the polarity of all that stands there."""

    turning: tuple[str, ...] = ()
    level: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pattern:
    """One entry of the table; the fields are explained in the head of `relation_labels.toml`.

    `downward` is None where nothing certain can be said of a downward context.
    """

    name: str
    steps: tuple[str, ...]
    label: Label
    downward: Label | None = None
    share: float = 1.0
    pos: str = ""
    below: int = 0
    ends_below: int = 0
    through: tuple[str, ...] = ()
    not_through: tuple[str, ...] = ()
    not_below: tuple[str, ...] = ()
    names: str = ""
    after: tuple[str, ...] = ()
    frames: str = ""


@dataclass(frozen=True)
class RelationTable:
    """The patterns, the groups of relation names their steps speak of, the frames, and words that are not used."""

    patterns: tuple[Pattern, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    frames: Mapping[str, Frames] = field(default_factory=dict)
    clauses: Clauses = Clauses()
    avoid: frozenset[str] = frozenset()
    avoid_below: frozenset[str] = frozenset()


def load_table(path: str = "") -> RelationTable:
    """Read a table of relation patterns; the empty path is the table that is shipped.

    Raises:
        ConfigError: the file cannot be read or says what the table does not have.
    """
    name = path or SHIPPED_TABLE
    try:
        if path:
            text = Path(path).read_text(encoding="utf-8")
        else:
            text = files("kg_reason.synthesis").joinpath(SHIPPED_TABLE).read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{name}: {error}") from error
    unknown = sorted(set(content) - set(_TABLE_KEYS))
    if unknown:
        raise ConfigError(f"{name}: found {unknown[0]!r}, expected one of {', '.join(_TABLE_KEYS)}")
    groups = {key: _texts(members, f"{name}: group {key!r}") for key, members in content.get("groups", {}).items()}
    patterns = tuple(_pattern(entry, f"{name}: pattern {i}") for i, entry in enumerate(content.get("pattern", []), 1))
    frames = {key: _frames(entry, f"{name}: frames {key!r}") for key, entry in content.get("frames", {}).items()}
    for pattern in patterns:
        if pattern.frames and pattern.frames not in frames:
            raise ConfigError(f"{name}: pattern {pattern.name!r}: there are no frames {pattern.frames!r}")
    avoided = (frozenset(_texts(content.get(key, []), f"{name}: {key}")) for key in ("avoid", "avoid_below"))
    clauses = _clauses(content.get("clauses", {}), f"{name}: clauses")
    return RelationTable(patterns, groups, frames, clauses, *avoided)


def _pattern(entry: Mapping[str, Any], place: str) -> Pattern:
    unknown = sorted(set(entry) - _PATTERN_KEYS)
    if unknown:
        raise ConfigError(f"{place}: found {unknown[0]!r}, expected one of {', '.join(sorted(_PATTERN_KEYS))}")
    missing = [key for key in ("name", "steps", "label") if key not in entry]
    if missing:
        raise ConfigError(f"{place}: {missing[0]!r} is missing")
    for key, kind in _PLAIN_KEYS.items():
        if key in entry and type(entry[key]) is not kind:
            raise ConfigError(f"{place}: {key}: found {entry[key]!r}, expected {kind.__name__}")
    if entry.get("names", "") not in ("", "only", "never"):
        raise ConfigError(f"{place}: names: found {entry['names']!r}, expected only or never")
    share = entry.get("share", 1.0)
    if isinstance(share, bool) or not isinstance(share, int | float) or not share > 0:
        raise ConfigError(f"{place}: share: found {share!r}, expected a number above 0")
    return Pattern(
        name=entry["name"],
        steps=_texts(entry["steps"], f"{place}: steps"),
        label=_label(entry["label"], f"{place}: label"),
        downward=_label(entry["downward"], f"{place}: downward") if "downward" in entry else None,
        share=float(share),
        pos=entry.get("pos", ""),
        below=entry.get("below", 0),
        ends_below=entry.get("ends_below", 0),
        through=_texts(entry.get("through", []), f"{place}: through"),
        not_through=_texts(entry.get("not_through", []), f"{place}: not_through"),
        not_below=_texts(entry.get("not_below", []), f"{place}: not_below"),
        names=entry.get("names", ""),
        after=_texts(entry.get("after", []), f"{place}: after"),
        frames=entry.get("frames", ""),
    )


def _label(value: object, place: str) -> Label:
    if value not in list(Label):
        raise ConfigError(f"{place}: found {value!r}, expected one of {', '.join(Label)}")
    return Label(str(value))


def _texts(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{place}: found {value!r}, expected a list of texts")
    return tuple(value)


def _clauses(entry: object, place: str) -> Clauses:
    if not isinstance(entry, dict) or not set(entry) <= set(Clauses._fields):
        raise ConfigError(f"{place}: expected the lists {' and '.join(Clauses._fields)}")
    clauses = Clauses(**{key: _texts(texts, f"{place}: {key}") for key, texts in entry.items()})
    for clause in (*clauses.turning, *clauses.level):
        if clause.count("{}") != 1:
            raise ConfigError(f"{place}: {clause!r}: expected one gap {{}}")
    return clauses


def _frames(entry: object, place: str) -> Frames:
    if not isinstance(entry, dict) or set(entry) != _FRAME_KEYS:
        raise ConfigError(f"{place}: expected the lists upward and downward")
    frames = Frames(_texts(entry["upward"], f"{place}: upward"), _texts(entry["downward"], f"{place}: downward"))
    for frame in (*frames.upward, *frames.downward):
        if frame.count("{") != 1 or frame.count("}") != 1:
            raise ConfigError(f"{place}: {frame!r}: expected one gap such as {{NN}}")
    return frames
