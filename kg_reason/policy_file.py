"""The file of a policy: `policy.toml`, or one of the user's, which may add to that.

What the topics do to an answer is `policy.py`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from kg_reason.errors import ConfigError

SHIPPED_POLICY = "policy.toml"
SHIPPED_NAMES = ("", "default", "shipped")
ALLOW, FLAG, REFUSE = "allow", "flag", "refuse"
ACTIONS = (ALLOW, FLAG, REFUSE)  # from the mildest
_LISTS = ("words", "relations", "entities")
_TOPIC_KEYS = {"name", "action", "pairs", *_LISTS}
_POLICY_KEYS = {"extends", "language", "topic"}


@dataclass(frozen=True)
class Topic:
    """One sensitive topic; the fields are explained in the head of `policy.toml`."""

    name: str
    action: str = FLAG
    words: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()


def read_topics(path: str | Path = "") -> tuple[tuple[Topic, ...], str]:
    """Return the topics of a policy, those that it allows left out, and the language of their words.

    Args:
        path: the file; empty, `default` or `shipped`: the one that is shipped.

    Raises:
        ConfigError: the file cannot be read, or says what a policy does not have.
    """
    shipped = str(path) in SHIPPED_NAMES
    name = SHIPPED_POLICY if shipped else str(path)
    content = _read(name, shipped)
    _refuse_unknown(content, _POLICY_KEYS, name)
    extends, language = content.get("extends"), content.get("language", "en")
    if extends not in (None, "shipped") or (extends and shipped):
        raise ConfigError(f"{name}: extends: found {extends!r}, expected 'shipped'")
    if not isinstance(language, str):
        raise ConfigError(f"{name}: language: found {language!r}, expected a tag such as 'en'")
    entries = content.get("topic", [])
    if not isinstance(entries, list):
        raise ConfigError(f"{name}: topic: found {entries!r:.60}, expected [[topic]] tables")
    topics = {topic.name: topic for topic in read_topics()[0]} if extends else {}
    for number, entry in enumerate(entries, start=1):
        topic = _topic(entry, topics, f"{name}: topic {number}")
        topics[topic.name] = topic
    return tuple(topic for topic in topics.values() if topic.action != ALLOW), language


def _read(name: str, shipped: bool) -> dict[str, Any]:
    try:
        raw = files("kg_reason").joinpath(name).read_bytes() if shipped else Path(name).read_bytes()
        return tomllib.loads(raw.decode())
    except OSError as error:
        raise ConfigError(f"{name}: cannot be opened: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: not valid TOML: {error}") from error


def _topic(entry: object, shipped: Mapping[str, Topic], place: str) -> Topic:
    """Return a topic of a file, joined with the shipped one of its name."""
    if not isinstance(entry, dict):
        raise ConfigError(f"{place}: found {entry!r:.60}, expected a table")
    _refuse_unknown(entry, _TOPIC_KEYS, place)
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{place}: name: found {name!r}, expected a text")
    before = shipped.get(name, Topic(name))
    action = entry.get("action", before.action)
    if action not in ACTIONS:
        raise ConfigError(f"{place}: action: found {action!r}, expected one of {', '.join(ACTIONS)}")
    lists = {key: (*getattr(before, key), *_texts(entry.get(key, []), f"{place}: {key}")) for key in _LISTS}
    pairs = entry.get("pairs", [])
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ConfigError(f"{place}: pairs: found {pairs!r:.60}, expected a list of [premise, hypothesis]")
    texts = [_texts(pair, f"{place}: pairs") for pair in pairs]
    return Topic(name, action, pairs=(*before.pairs, *((first, second) for first, second in texts)), **lists)


def _texts(values: object, place: str) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
        raise ConfigError(f"{place}: found {values!r:.60}, expected a list of texts")
    return tuple(values)


def _refuse_unknown(content: Mapping[str, object], known: set[str], place: str) -> None:
    unknown = sorted(set(content) - known)
    if unknown:
        raise ConfigError(f"{place}: found {unknown[0]!r}, expected one of {', '.join(sorted(known))}")
