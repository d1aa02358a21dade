"""The table from relation patterns to labels, as data: `relation_labels.toml`, or a file of the user's.

The table gives a user's own relations their labels, and their facts sentences, without code. Walking a graph by it is
`patterns.py`, saying facts by it `fact_sentences.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kg_reason.errors import ConfigError
from kg_reason.kg.files import read_toml
from kg_reason.kg.words import plain_name
from kg_reason.nli import Label

SHIPPED_TABLE = "relation_labels.toml"
EXTENDS_SHIPPED = "shipped"
_PATTERN_KEYS = {
    "name", "steps", "label", "downward", "share", "pos", "below", "ends_below", "through", "not_through", "not_below",
    "under", "of", "unrelated", "names", "after", "frames",
}
_TEXT_LISTS = ("avoid", "avoid_below", "functional", "located", "unspoken")
_TABLE_KEYS = ("extends", *_TEXT_LISTS, "clauses", "groups", "pattern", "frames", "templates")
_SLOT = re.compile(r"\{(head|tail)(?::(?:plain|phrase|VBG))?\}")
_PLAIN_KEYS = {"name": str, "pos": str, "frames": str, "names": str, "below": int, "ends_below": int, "unrelated": bool}
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
    under: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    unrelated: bool = False
    names: str = ""
    after: tuple[str, ...] = ()
    frames: str = ""


@dataclass(frozen=True)
class RelationTable:
    """What the table says.

    Attributes:
        patterns: from one word of a pair to the other.
        groups: kind -> names of relations, which the steps of patterns speak of.
        frames: sentences with a gap, by the name of their set.
        clauses: sentences with a gap for a whole sentence.
        avoid, avoid_below: words that are not put into sentences.
        templates: name of a relation -> sentence for its facts.
        functional: names of relations that have one tail at most, `^` before those that have one head at most.
        located: names of relations whose tail may give way to a place or whole around it.
        unspoken: names of relations whose facts are not put into words.
    """

    patterns: tuple[Pattern, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    frames: Mapping[str, Frames] = field(default_factory=dict)
    clauses: Clauses = Clauses()
    avoid: frozenset[str] = frozenset()
    avoid_below: frozenset[str] = frozenset()
    templates: Mapping[str, str] = field(default_factory=dict)
    functional: frozenset[str] = frozenset()
    located: frozenset[str] = frozenset()
    unspoken: frozenset[str] = frozenset()


def load_table(path: str = "") -> RelationTable:
    """Read a table of relation patterns; the empty path is the table that is shipped.

    A table that says `extends = "shipped"` adds to the shipped one: names to its groups and lists; patterns, frames and
    templates, of which its own replace those of the same name.

    Raises:
        ConfigError: the file cannot be read or says what the table does not have.
    """
    name = path or SHIPPED_TABLE
    content = read_toml(path, "kg_reason.synthesis", SHIPPED_TABLE)
    unknown = sorted(set(content) - set(_TABLE_KEYS))
    if unknown:
        expected = f"{', '.join(_TABLE_KEYS[:-1])} or {_TABLE_KEYS[-1]}"
        raise ConfigError(f"{name}: found {unknown[0]!r}, expected {expected}")
    extends = content.get("extends")
    if extends not in (None, EXTENDS_SHIPPED) or (extends and not path):
        raise ConfigError(f"{name}: extends: found {extends!r}, expected {EXTENDS_SHIPPED!r}")
    for key, kind in (("groups", dict), ("frames", dict), ("templates", dict), ("pattern", list)):
        if not isinstance(content.get(key, kind()), kind):
            raise ConfigError(f"{name}: {key}: found {content[key]!r}, expected [{key}] tables")
    shipped = load_table() if extends else RelationTable(())
    groups = {key: _texts(members, f"{name}: group {key!r}") for key, members in content.get("groups", {}).items()}
    groups = {key: (*shipped.groups.get(key, ()), *members) for key, members in groups.items()}
    entries = content.get("pattern", [])
    patterns = [_pattern(entry, f"{name}: pattern {number}") for number, entry in enumerate(entries, start=1)]
    frames = {key: _frames(entry, f"{name}: frames {key!r}") for key, entry in content.get("frames", {}).items()}
    frames = {**shipped.frames, **frames}
    for pattern in patterns:
        if pattern.frames and pattern.frames not in frames:
            raise ConfigError(f"{name}: pattern {pattern.name!r}: there are no frames {pattern.frames!r}")
    own = {pattern.name for pattern in patterns}
    kept = [pattern for pattern in shipped.patterns if pattern.name not in own]
    templates = {key: _template(text, f"{name}: templates: {key!r}") for key, text in _templates(content)}
    clauses = _clauses(content.get("clauses", {}), f"{name}: clauses")
    lists = {key: frozenset(_texts(content.get(key, []), f"{name}: {key}")) for key in _TEXT_LISTS}
    return RelationTable(
        patterns=(*kept, *patterns),
        groups={**shipped.groups, **groups},
        frames=frames,
        clauses=Clauses(shipped.clauses.turning + clauses.turning, shipped.clauses.level + clauses.level),
        avoid=shipped.avoid | lists["avoid"],
        avoid_below=shipped.avoid_below | lists["avoid_below"],
        templates={**shipped.templates, **templates},
        functional=shipped.functional | lists["functional"],
        located=shipped.located | lists["located"],
        unspoken=shipped.unspoken | lists["unspoken"],
    )


def _templates(content: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Return the templates under the plain names of their relations."""
    return [(plain_name(key), text) for key, text in content.get("templates", {}).items()]


def _template(text: object, place: str) -> str:
    slots = [found[1] for found in _SLOT.finditer(text)] if isinstance(text, str) else []
    if not isinstance(text, str) or sorted(slots) != ["head", "tail"] or _SLOT.sub("", text).count("{"):
        raise ConfigError(f"{place}: found {text!r}, expected a sentence with one {{head}} and one {{tail}}")
    return text


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
        under=_texts(entry.get("under", []), f"{place}: under"),
        of=_texts(entry.get("of", []), f"{place}: of"),
        unrelated=entry.get("unrelated", False),
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
