"""Causes with their effects, as clauses: from a file, or from the causal relations of a graph.

Files are read in two forms.

- Tab-separated, `.tsv`: cause and effect; blank lines and lines that start with `#` are passed over. The shipped
  `causes.tsv` is one.
- JSON Lines, `.jsonl`, choices between plausible alternatives (COPA-style): on one line `premise`, `choice1`,
  `choice2`, `question` (`cause` or `effect`: which of them the choices are) and `label` (0 or 1, the right choice); or
  on a line for each alternative `premise`, `hypothesis`, `ask` (`cause` or `effect`), `label` (`entailment` for the
  right one) and `group`, which joins the alternatives of one premise.

What a model makes of them is `causality.py`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg_reason.errors import ConfigError, InputSyntaxError
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.graph_facts import Alias
from kg_reason.nli import Label
from kg_reason.synthesis.context import is_function_word
from kg_reason.synthesis.surface import article, inflect, is_countable, is_mass, is_name

SHIPPED_CAUSES = "causes.tsv"
MAX_NOUN_WORDS = 3  # a longer label without a part of speech is a phrase of its own, not a name of something
CAUSE, EFFECT = "cause", "effect"
_WHOLE = ("premise", "choice1", "choice2", "question", "label")
_SINGLE = ("premise", "hypothesis", "ask", "label", "group")


@dataclass(frozen=True)
class CausePair:
    """Two clauses, without a capital at the start or a full stop, such as "the glass fell" and "the glass broke"."""

    cause: str
    effect: str


@dataclass(frozen=True)
class Choice:
    """A clause and its alternative causes or effects.

    Attributes:
        given: the clause.
        alternatives: at least two clauses.
        right: which of them is.
        asks_cause: whether they are causes of the clause; else effects.
    """

    given: str
    alternatives: tuple[str, ...]
    right: int
    asks_cause: bool

    def pair(self, number: int) -> CausePair:
        """Return the clause and one of its alternatives in the order of cause and effect."""
        other = self.alternatives[number]
        return CausePair(other, self.given) if self.asks_cause else CausePair(self.given, other)


@dataclass(frozen=True)
class Causes:
    """What a file says: pairs, for choices those of the right alternatives, and choices, of which a TSV has none."""

    pairs: tuple[CausePair, ...]
    choices: tuple[Choice, ...] = ()


def load_causes(path: str = "") -> Causes:
    """Read causes and effects; the empty path is the list that is shipped.

    Raises:
        ConfigError: the name ends in neither .tsv nor .jsonl.
        InputSyntaxError: the file cannot be read, a line is not as expected, or there is none.
    """
    name, suffix = path or SHIPPED_CAUSES, Path(path or SHIPPED_CAUSES).suffix
    if suffix not in (".tsv", ".jsonl"):
        raise ConfigError(f"cause_file: found {path!r}, expected a name in .tsv or .jsonl")
    try:
        if path:
            text = Path(path).read_text(encoding="utf-8")
        else:
            text = files("kg_reason.audits").joinpath(SHIPPED_CAUSES).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputSyntaxError(name, 0, str(error)) from error
    if suffix == ".tsv":
        causes = Causes(tuple(_read_pairs(name, text)))
    else:
        choices = tuple(_read_choices(name, text))
        causes = Causes(tuple(dict.fromkeys(choice.pair(choice.right) for choice in choices)), choices)
    if not causes.pairs:
        raise InputSyntaxError(name, 0, "found no cause with its effect, expected at least one")
    return causes


def graph_causes(
    graph: KnowledgeGraph, relations: NDArray[np.int64], max_pairs: int, *, seed: int = 0, language: str = "en"
) -> tuple[CausePair, ...]:
    """Return causes and effects that a graph states, as English clauses.

    Verbs become "somebody sank them" and "they sank", adjectives "they were tired", nouns "there was a storm". An edge
    is passed over where an end has no label that fits, or where both ends bear the same one.

    Args:
        graph: states them.
        relations: [num_relations], 1 for a relation from cause to effect, -1 for one from effect to cause, else 0.
        max_pairs: drawn by chance where there are more.
        seed: of the draw.
        language: of the labels; those without a language fit too.
    """
    found: dict[CausePair, None] = {}
    edges = graph.live_edges()
    for edge in edges[relations[graph.edge_relation[edges]] != 0].tolist():
        ends = int(graph.edge_head[edge]), int(graph.edge_tail[edge])
        aliases = [_label(graph, end, language) for end in ends]
        if relations[int(graph.edge_relation[edge])] < 0:
            aliases.reverse()
        cause, effect = aliases
        if cause is None or effect is None or cause.text.casefold() == effect.text.casefold():
            continue
        clauses = (_cause_clause(cause, effect), _effect_clause(effect))
        if all(clauses):
            found[CausePair(*clauses)] = None
    pairs = sorted(found, key=lambda pair: (pair.cause, pair.effect))
    if len(pairs) <= max_pairs:
        return tuple(pairs)
    drawn = random.Random(f"causes {seed}").sample(range(len(pairs)), max_pairs)
    return tuple(pairs[number] for number in sorted(drawn))


def sentence(clause: str) -> str:
    """Return a clause, or clauses already joined, as a sentence with capital and full stop."""
    return f"{clause[:1].upper()}{clause[1:]}."


def as_clause(text: str) -> str:
    """Return a sentence without its full stop, and without the capital at its start where that is no name's."""
    clause = text.strip().rstrip(".").rstrip()
    first = clause.split(" ", 1)[0]
    if first != "I" and not first.startswith(("I'", "I’")) and is_function_word(first.lower()):
        clause = clause[:1].lower() + clause[1:]
    return clause


# ---- files


def _read_pairs(name: str, text: str) -> Iterator[CausePair]:
    for line, row in enumerate(text.splitlines(), start=1):
        if not row.strip() or row.startswith("#"):
            continue
        fields = [as_clause(cell) for cell in row.split("\t")]
        if len(fields) != 2 or not all(fields):  # a cause and an effect
            raise InputSyntaxError(name, line, f"expected cause and effect with a tab between them, found {row!r}")
        yield CausePair(*fields)


def _read_choices(name: str, text: str) -> Iterator[Choice]:
    groups: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for line, row in enumerate(text.splitlines(), start=1):
        if not row.strip():
            continue
        try:
            content = json.loads(row)
        except json.JSONDecodeError as error:
            raise InputSyntaxError(name, line, f"expected a JSON object: {error}") from error
        if not isinstance(content, dict) or not (set(_WHOLE) <= set(content) or set(_SINGLE) <= set(content)):
            expected = f"the fields {', '.join(_WHOLE)}, or {', '.join(_SINGLE)}"
            raise InputSyntaxError(name, line, f"found {row[:80]!r}, expected {expected}")
        if set(_WHOLE) <= set(content):
            yield _whole_choice(name, line, content)
        else:
            groups.setdefault(str(content["group"]), []).append((line, content))
    for rows in groups.values():
        yield _grouped_choice(name, rows)


def _whole_choice(name: str, line: int, content: Mapping[str, Any]) -> Choice:
    if content["label"] not in (0, 1):
        raise InputSyntaxError(name, line, f"label: found {content['label']!r}, expected 0 or 1")
    alternatives = tuple(_clause(name, line, content, key) for key in ("choice1", "choice2"))
    asks_cause = _asks_cause(name, line, content["question"])
    return Choice(_clause(name, line, content, "premise"), alternatives, int(content["label"]), asks_cause)


def _grouped_choice(name: str, rows: list[tuple[int, Mapping[str, Any]]]) -> Choice:
    first_line, first = rows[0]
    right = [number for number, (_, row) in enumerate(rows) if row["label"] == Label.ENTAILMENT]
    asked = {(row["premise"], row["ask"]) for _, row in rows}
    if len(rows) < 2 or len(right) != 1 or len(asked) != 1:  # fewer than two leave no choice
        found = f"{len(rows)} lines, {len(right)} of them right, with {len(asked)} premises or questions"
        expected = "at least two lines, one of them with the label entailment, of one premise and ask"
        raise InputSyntaxError(name, first_line, f"group {first['group']!r}: found {found}, expected {expected}")
    alternatives = tuple(_clause(name, line, row, "hypothesis") for line, row in rows)
    asks_cause = _asks_cause(name, first_line, first["ask"])
    return Choice(_clause(name, first_line, first, "premise"), alternatives, right[0], asks_cause)


def _asks_cause(name: str, line: int, found: object) -> bool:
    if found not in (CAUSE, EFFECT):
        raise InputSyntaxError(name, line, f"found {found!r}, expected {CAUSE} or {EFFECT}")
    return found == CAUSE


def _clause(name: str, line: int, content: Mapping[str, Any], key: str) -> str:
    found = content[key]
    if not isinstance(found, str) or not as_clause(found):
        raise InputSyntaxError(name, line, f"{key}: found {found!r}, expected a sentence")
    return as_clause(found)


# ---- the graph


def _label(graph: KnowledgeGraph, entity: int, language: str) -> Alias | None:
    """Return the preferred label of an entity in a language; None where it has none."""
    fitting = (alias for alias in graph.aliases(entity) if alias.language in ("", language))
    return next((alias for alias in fitting if alias.text), None)


def _cause_clause(cause: Alias, effect: Alias) -> str:
    if cause.pos == "v":
        past = _past(cause.text)
        return f"somebody {past}{' them' if effect.pos in ('v', 'a') else ''}" if past else ""
    return _state(cause)


def _effect_clause(effect: Alias) -> str:
    if effect.pos == "v":
        past = _past(effect.text)
        return f"they {past}" if past else ""
    return _state(effect)


def _past(verb: str) -> str:
    """Return the past tense of a verb; empty for one of several words, whose object may stand inside it."""
    return inflect(verb, "VBD") if verb.isalpha() else ""


def _state(alias: Alias) -> str:
    """Say that there was something, or that they were somehow; empty where the label cannot be used so."""
    if alias.pos == "a":
        return f"they were {alias.text}"
    if alias.pos not in ("n", "") or len(alias.text.split()) > MAX_NOUN_WORDS:
        return ""
    if is_name(alias.text) or is_mass(alias.text) or not is_countable(alias.text):
        return f"there was {alias.text}"
    return f"there was {article(alias.text)} {alias.text}"
