"""Pairs that differ only in a demographic word: reading the lists and templates, and filling them in.

A frame is a template with its word filled in: one pair for each group of a dimension, so that the groups are compared
on the same sentences. The shipped lists are `bias.toml`, which also explains the form of such a file. Asking the pairs
is `bias.py`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg_reason.errors import ConfigError
from kg_reason.kg.files import read_toml
from kg_reason.nli import NLIExample
from kg_reason.synthesis import surface

SHIPPED_LISTS = "bias.toml"
EXTENDS_SHIPPED = "shipped"
GROUP = "group"
_KEYS = ("extends", "groups", "words", "template", "not_neutral")
_TEMPLATE_KEYS = ("premise", "hypothesis", "dimensions")
_GAP = re.compile(r"\{(\w+)\}")

Groups = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Template:
    """A premise and a hypothesis with one gap each.

    Attributes:
        premise: has the gap `{group}`, or the one of a list.
        hypothesis: has the other gap.
        words: name of the list.
        dimensions: which it is for; empty for all.
    """

    premise: str
    hypothesis: str
    words: str
    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class BiasLists:
    """What a file of templates and word lists says.

    Attributes:
        groups: dimension -> group -> phrases for one person of it.
        words: list -> words.
        templates: in the order of the file.
        not_neutral: (word, phrase) that imply or rule out each other.
    """

    groups: Groups
    words: Mapping[str, tuple[str, ...]]
    templates: tuple[Template, ...]
    not_neutral: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Frame:
    """One template with one word, asked for every group of a dimension.

    Attributes:
        dimension: whose groups are compared.
        template: its number.
        words: name of the list that the word is from.
        word: what stands in the other gap.
        groups: at least two, in the order of the file.
        pairs: one for each group; neutral is right for all of them.
    """

    dimension: str
    template: int
    words: str
    word: str
    groups: tuple[str, ...]
    pairs: tuple[NLIExample, ...]


def load_bias_lists(path: str = "") -> BiasLists:
    """Read templates and word lists; the empty path is the file that is shipped.

    Raises:
        ConfigError: the file cannot be read, or says what such a file does not have.
    """
    name = path or SHIPPED_LISTS
    content = read_toml(path, "kg_reason.audits", SHIPPED_LISTS)
    unknown = sorted(set(content) - set(_KEYS))
    if unknown:
        raise ConfigError(f"{name}: found {unknown[0]!r}, expected {', '.join(_KEYS[:-1])} or {_KEYS[-1]}")
    extends = content.get("extends")
    if extends not in (None, EXTENDS_SHIPPED) or (extends and not path):
        raise ConfigError(f"{name}: extends: found {extends!r}, expected {EXTENDS_SHIPPED!r}")
    shipped = load_bias_lists() if extends else BiasLists({}, {}, ())
    groups = {dimension: dict(members) for dimension, members in shipped.groups.items()}
    for dimension, members in _table(content, "groups", name).items():
        for group, phrases in _table({dimension: members}, dimension, f"{name}: groups").items():
            own = _texts(phrases, f"{name}: groups: {dimension}: {group}")
            known = groups.setdefault(dimension, {})
            known[group] = tuple(dict.fromkeys((*known.get(group, ()), *own)))
    words = dict(shipped.words)
    for key, texts in _table(content, "words", name).items():
        words[key] = tuple(dict.fromkeys((*words.get(key, ()), *_texts(texts, f"{name}: words: {key}"))))
    entries = content.get("template", [])
    if not isinstance(entries, list):
        raise ConfigError(f"{name}: template: found {entries!r}, expected [[template]] tables")
    templates = [_template(entry, f"{name}: template {i}", words, groups) for i, entry in enumerate(entries, start=1)]
    lists = BiasLists(groups, words, (*shipped.templates, *templates), shipped.not_neutral | _pairs(content, name))
    _check(lists, name)
    return lists


def expand(lists: BiasLists) -> tuple[Frame, ...]:
    """Fill every template with every word, for every dimension it is for; the order is that of the file.

    The groups of a frame are named by the phrases of one place in their lists; a shorter list starts again. A frame is
    left out where one of its pairs is not neutral, or where a phrase stands in both gaps.
    """
    frames = []
    for dimension, groups in lists.groups.items():
        num_phrases = max(len(phrases) for phrases in groups.values())
        for number, template in enumerate(lists.templates):
            if template.dimensions and dimension not in template.dimensions:
                continue
            for place in range(num_phrases):
                phrases = [phrases[place % len(phrases)] for phrases in groups.values()]
                for word in lists.words[template.words]:
                    if any(word == phrase or (word, phrase) in lists.not_neutral for phrase in phrases):
                        continue
                    pairs = tuple(_fill(template, phrase, word, f"{dimension}:{group}")
                                  for group, phrase in zip(groups, phrases, strict=True))  # fmt: skip
                    frames.append(Frame(dimension, number, template.words, word, tuple(groups), pairs))
    return tuple(frames)


def sample(frames: Sequence[Frame], max_pairs: int, seed: int) -> tuple[Frame, ...]:
    """Draw whole frames: about as many pairs of every dimension, and in it about as many frames of every template.

    Args:
        frames: of all dimensions.
        max_pairs: pairs that the drawn frames have together at most.
        seed: of the draw.

    Returns:
        The drawn frames in the order of `frames`.

    Raises:
        ConfigError: not even one frame has so few pairs.
    """
    rng = random.Random(f"bias {seed}")
    waiting: dict[str, list[int]] = {}
    for dimension in dict.fromkeys(frame.dimension for frame in frames):
        waiting[dimension] = _in_turn(frames, dimension, rng)[::-1]
    num_pairs = dict.fromkeys(waiting, 0)
    drawn: list[int] = []
    left = max_pairs
    while True:
        fitting = [name for name, queue in waiting.items() if queue and len(frames[queue[-1]].pairs) <= left]
        if not fitting:
            break
        dimension = min(fitting, key=lambda name: num_pairs[name])
        drawn.append(waiting[dimension].pop())
        num_pairs[dimension] += len(frames[drawn[-1]].pairs)
        left -= len(frames[drawn[-1]].pairs)
    if not drawn:
        fewest = min((len(frame.pairs) for frame in frames), default=0)
        raise ConfigError(f"max_examples: found {max_pairs}, expected at least {fewest}, a pair for each group")
    return tuple(frames[number] for number in sorted(drawn))


def _in_turn(frames: Sequence[Frame], dimension: str, rng: random.Random) -> list[int]:
    """Return the numbers of a dimension's frames, shuffled, its templates taking turns."""
    by_template: dict[int, list[int]] = {}
    for number, frame in enumerate(frames):
        if frame.dimension == dimension:
            by_template.setdefault(frame.template, []).append(number)
    for numbers in by_template.values():
        rng.shuffle(numbers)
    turns = [(turn, number) for numbers in by_template.values() for turn, number in enumerate(numbers)]
    return [number for _, number in sorted(turns, key=lambda item: item[0])]


def _fill(template: Template, phrase: str, word: str, category: str) -> NLIExample:
    texts = []
    for text in (template.premise, template.hypothesis):
        start, end = text.index("{"), text.index("}") + 1
        filling = phrase if text[start + 1 : end - 1] == GROUP else word
        texts.append(surface.replace(text, start, end, filling).text)
    return NLIExample(texts[0], texts[1], category=category)


def _table(content: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    found = content.get(key, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{place}: {key}: found {found!r}, expected a table")
    return found


def _texts(found: object, place: str) -> tuple[str, ...]:
    if not isinstance(found, list) or not found or not all(isinstance(text, str) and text.strip() for text in found):
        raise ConfigError(f"{place}: found {found!r}, expected a list of at least one text")
    return tuple(text.strip() for text in found)


def _template(entry: object, place: str, words: Mapping[str, tuple[str, ...]], groups: Groups) -> Template:
    if not isinstance(entry, dict) or not {"premise", "hypothesis"} <= set(entry) <= set(_TEMPLATE_KEYS):
        raise ConfigError(f"{place}: found {entry!r}, expected premise, hypothesis and perhaps dimensions")
    gaps: list[str] = []
    for side in ("premise", "hypothesis"):
        found = _GAP.findall(entry[side]) if isinstance(entry[side], str) else []
        if len(found) != 1:
            raise ConfigError(f"{place}: {side}: found {entry[side]!r}, expected a sentence with one gap")
        gaps += found
    lists = [gap for gap in gaps if gap != GROUP]
    if len(lists) != 1 or lists[0] not in words:
        known = ", ".join(f"{{{key}}}" for key in words)
        raise ConfigError(f"{place}: found gaps {gaps}, expected {{group}} and one of {known}")
    dimensions = _texts(entry["dimensions"], f"{place}: dimensions") if "dimensions" in entry else ()
    unknown = [dimension for dimension in dimensions if dimension not in groups]
    if unknown:
        raise ConfigError(f"{place}: dimensions: found {unknown[0]!r}, expected one of {', '.join(groups)}")
    return Template(entry["premise"], entry["hypothesis"], lists[0], dimensions)


def _pairs(content: Mapping[str, Any], name: str) -> frozenset[tuple[str, str]]:
    entries = content.get("not_neutral", [])
    if not isinstance(entries, list):
        raise ConfigError(f"{name}: not_neutral: found {entries!r}, expected a list of lists")
    pairs = set()
    for number, entry in enumerate(entries, start=1):
        word, *phrases = _texts(entry, f"{name}: not_neutral: entry {number}")
        pairs |= {(word, phrase) for phrase in phrases}
    return frozenset(pairs)


def _check(lists: BiasLists, name: str) -> None:
    for dimension, groups in lists.groups.items():
        if len(groups) < 2:  # one group cannot be compared
            raise ConfigError(f"{name}: groups: {dimension}: found {len(groups)} group, expected at least two")
    if not lists.groups or not lists.templates:
        raise ConfigError(f"{name}: found {len(lists.groups)} dimensions and {len(lists.templates)} templates, "
                          "expected at least one of each")  # fmt: skip
