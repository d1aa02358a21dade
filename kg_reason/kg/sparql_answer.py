"""Answers to SPARQL SELECT queries, in the JSON of the W3C, taken apart into term keys; nothing in them is trusted.

An answer of a wrong shape is an error with its place. A term that is well formed JSON but no RDF (an IRI with a space,
a text with half a surrogate pair, a text of megabytes) costs its row only, for real endpoints hold such terms.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyoxigraph

from kg_reason.errors import EndpointError
from kg_reason.kg.triples import literal_key
from kg_reason.terminal import is_unicode, one_line

MAX_TERM_CHARACTERS = 10_000
UNBOUND = ""

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]*")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_BLANK = re.compile(r"[A-Za-z0-9_:.-]{1,200}")
_NAMES: dict[type, str] = {
    dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null",
}  # fmt: skip
_SHOWN = 40  # characters of what was found


@dataclass(frozen=True)
class Answer:
    """The solutions of a query.

    Attributes:
        rows: term keys (`triples.py`) in the order of the variables asked for; empty where a variable is not bound.
        num_rows: solutions that the endpoint sent, those with unusable terms among them.
    """

    rows: tuple[tuple[str, ...], ...]
    num_rows: int

    @property
    def num_dropped(self) -> int:
        """How many solutions had a term that is no RDF or too long."""
        return self.num_rows - len(self.rows)


def is_iri(text: str) -> bool:
    """Tell whether a text is an absolute IRI that can stand between angle brackets."""
    if len(text) > MAX_TERM_CHARACTERS or not is_unicode(text) or _IRI.fullmatch(text) is None:
        return False
    try:
        pyoxigraph.NamedNode(text)  # what it refuses, a file with it would be refused for
    except ValueError:
        return False
    return True


def is_language(tag: str) -> bool:
    """Tell whether a text is a language tag."""
    if _LANGUAGE.fullmatch(tag) is None:
        return False
    try:
        pyoxigraph.Literal("", language=tag)
    except ValueError:
        return False
    return True


def read_answer(body: bytes, variables: Sequence[str], place: str) -> Answer:
    """Take an answer apart.

    Args:
        body: the JSON, unpacked.
        variables: names without their question marks, in the order wanted.
        place: the endpoint, for errors.

    Raises:
        EndpointError: the body is no such JSON.
    """
    try:
        document = json.loads(body)
    except RecursionError as error:
        raise EndpointError(f"{place}: found JSON nested too deeply, expected the results of a query") from error
    except ValueError as error:  # syntax, encoding, or a number of thousands of digits
        reason = str(error) if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise EndpointError(f"{place}: found no valid JSON ({reason}), expected the results of a query") from error
    results = _member(document, "results", dict, place, "the answer")
    bindings = _member(results, "bindings", list, place, "results")
    rows = []
    for number, solution in enumerate(bindings, start=1):
        where = f"results.bindings, solution {number}"
        if not isinstance(solution, dict):
            raise EndpointError(f"{place}: {where}: found {_kind(solution)}, expected an object")
        keys = tuple(_key(solution, variable, place, where) for variable in variables)
        usable = tuple(key for key in keys if key is not None)
        if len(usable) == len(keys):
            rows.append(usable)
    return Answer(tuple(rows), len(bindings))


def _key(solution: Mapping[str, Any], variable: str, place: str, where: str) -> str | None:
    """Return the key of one term, empty where it is not bound; None: it is no usable term."""
    if variable not in solution:
        return UNBOUND
    where = f"{where}, ?{variable}"
    term = solution[variable]
    kind, value = _member(term, "type", str, place, where), _member(term, "value", str, place, where)
    if len(value) > MAX_TERM_CHARACTERS or not is_unicode(value):
        return None
    if kind == "uri":
        return value if is_iri(value) else None
    if kind == "bnode":
        return f"_:{value}" if _BLANK.fullmatch(value) else None
    if kind not in ("literal", "typed-literal"):
        raise EndpointError(
            f"{place}: {where}: found a term of type {_short(kind)}, expected uri, literal or bnode"
        )
    language, datatype = term.get("xml:lang", ""), term.get("datatype", "")
    if not isinstance(language, str) or not isinstance(datatype, str):
        raise EndpointError(f"{place}: {where}: found a language or datatype that is no text")
    if language:  # a datatype beside it says rdf:langString and no more
        return literal_key(value, language) if is_language(language) else None
    if datatype and not is_iri(datatype):
        return None
    return literal_key(value, "", datatype)


def _member(value: object, name: str, kind: type, place: str, where: str) -> Any:  # noqa: ANN401 - of the kind asked
    """Return a member of a JSON object, of the kind that is expected."""
    if not isinstance(value, dict):
        raise EndpointError(f"{place}: {where}: found {_kind(value)}, expected an object with {name!r}")
    if name not in value:
        keys = ", ".join(map(_short, list(value)[:3])) or "nothing"
        raise EndpointError(f"{place}: {where}: found {keys}, expected {name!r}")
    if not isinstance(value[name], kind):
        expected = _NAMES[kind]
        raise EndpointError(f"{place}: {where}: found {_kind(value[name])} as {name!r}, expected {expected}")
    return value[name]


def _kind(value: object) -> str:
    return _NAMES.get(type(value), "a number")


def _short(text: str) -> str:
    shown = one_line(text[:_SHOWN])
    return repr(shown + "..." if len(text) > _SHOWN else shown)
