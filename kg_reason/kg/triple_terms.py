"""Terms as N-Triples writes them, and the keys of triple terms of RDF 1.2: statements that other statements speak of.

A key is the term's canonical N-Triples form, `<<( <head> <relation> tail )>>`. Triple terms are read one level deep;
what is said of them becomes qualifiers of edges (`qualifying.py`), so that no graph has a triple term for an entity.
"""

from __future__ import annotations

import re

TRIPLE_TERM = "<<("

_PARTS = re.compile(r'<<\( (<[^>]*>|_:\S+) <([^>]*)> (<[^>]*>|_:\S+|".*) \)>>', re.DOTALL)


def written_term(key: str) -> str:
    """Return the term of a key that is no plain text, as N-Triples writes it.

    >>> written_term("ex:a")
    '<ex:a>'
    """
    return key if key.startswith(('"', "_:", TRIPLE_TERM)) else f"<{key}>"


def triple_term_key(head: str, relation: str, tail: str) -> str:
    """Return the key of the triple term with these term keys.

    >>> triple_term_key("ex:a", "ex:owns", '"b"')
    '<<( <ex:a> <ex:owns> "b" )>>'
    """
    return f"{TRIPLE_TERM} {written_term(head)} <{relation}> {written_term(tail)} )>>"


def triple_term_parts(key: str) -> tuple[str, str, str] | None:
    """Return the term keys of head, relation and tail of a triple term; None where the key is no triple term."""
    match = _PARTS.fullmatch(key)
    return (_key(match[1]), match[2], _key(match[3])) if match else None


def _key(written: str) -> str:
    return written[1:-1] if written.startswith("<") else written
