"""What an RDF/XML file may not hold, told before it is parsed: bombs of entities, outside entities, deep nesting.

OWL files abbreviate IRIs by entities of their document type (`<!ENTITY owl "http://...">`). Only such are let through:
few, short, and without other entities inside, so that a file cannot grow by more than a factor. The parser itself opens
nothing; an outside entity or document type is refused so that a file never means something else than it seems to.
"""

from __future__ import annotations

import re

from kg_reason.kg.nesting import Limit, Nesting, RefusedFileError, Rules, automaton

MAX_ENTITIES = 256
MAX_ENTITY_CHARACTERS = 256
MAX_DOCTYPE_BYTES = 256 << 10

XML: Rules = {
    "text": {"": "text", "<": "open"},
    "open": {"": "start", "/": "end", "?": "instruction", "!": "declaration", ">": "text"},
    "start": {"": "start", '"': "double", "'": "single", "/": "slash", ">": "text +0"},
    "slash": {"": "start", '"': "double", "'": "single", "/": "slash", ">": "text"},  # of an empty element
    "double": {"": "double", '"': "start"},
    "single": {"": "single", "'": "start"},
    "end": {"": "end", ">": "text -0"},
    "instruction": {"": "instruction", "?": "instruction?"},
    "instruction?": {"": "instruction", "?": "instruction?", ">": "text"},
    "declaration": {"": "text", "-": "declaration-", "[": "cdata", "Dd": "doctype"},
    "declaration-": {"": "text", "-": "comment"},
    "comment": {"": "comment", "-": "comment-"},
    "comment-": {"": "comment", "-": "comment--"},
    "comment--": {"": "comment", "-": "comment--", ">": "text"},
    "cdata": {"": "cdata", "]": "cdata]"},
    "cdata]": {"": "cdata", "]": "cdata]]"},
    "cdata]]": {"": "cdata", "]": "cdata]]", ">": "text"},
    "doctype": {"": "text"},  # XmlGuard takes it from here
}
XML_AUTOMATON = automaton(XML)

_DOCUMENT_TYPE = re.compile(rb"<!doctype\s+[^\s\[\]<>\"'%&]+\s*(?:\[(.*)\]\s*)?>", re.DOTALL | re.IGNORECASE)
_DECLARATION = re.compile(rb"\s+|<!--[^<>]*-->|<!(ENTITY|ELEMENT|ATTLIST)\s[^<>]*>|(.)", re.DOTALL)
_ENTITY = re.compile(rb"<!ENTITY\s+([^\s\"'%&;]+)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>")
_OUTSIDE = re.compile(rb"\s(?:SYSTEM|PUBLIC)\s")


class XmlGuard:
    """Looks at the bytes of an RDF/XML file, chunk by chunk, before they are parsed.

    Args:
        max_depth: of elements inside each other.
    """

    def __init__(self, max_depth: int) -> None:
        limit = Limit(max_depth, "elements inside each other (--max-depth)")
        self._nesting = Nesting(XML_AUTOMATON, [limit], halt="doctype")
        self._doctype = bytearray()
        self._open_brackets = 0  # of the document type
        self._num_entities = 0

    def check(self, chunk: bytes) -> None:
        """Look at the next bytes.

        Raises:
            RefusedFileError: naming the line.
        """
        place = 0
        while place < len(chunk):
            if self._open_brackets:
                place = self._take_doctype(chunk, place)
                continue
            place = self._nesting.scan(chunk, place)
            if self._nesting.halted:
                if self._doctype:
                    raise self._error("a second document type")
                self._doctype[:] = b"<!" + chunk[place - 1 : place]
                self._open_brackets = 1

    def _take_doctype(self, chunk: bytes, place: int) -> int:
        """Take what belongs to a document type; return where it ends in the chunk, or the chunk's end."""
        end = len(chunk)
        for match in re.finditer(rb"[<>]", chunk[place : place + MAX_DOCTYPE_BYTES]):
            self._open_brackets += 1 if match[0] == b"<" else -1
            if not self._open_brackets:
                end = place + match.end()
                break
        self._doctype += chunk[place:end]
        if len(self._doctype) > MAX_DOCTYPE_BYTES:
            raise self._error(f"a document type longer than {MAX_DOCTYPE_BYTES:,} bytes")
        if not self._open_brackets:
            self._check_doctype(bytes(self._doctype))
        self._nesting.line += chunk.count(b"\n", place, end)
        return end

    def _check_doctype(self, doctype: bytes) -> None:
        match = _DOCUMENT_TYPE.fullmatch(doctype)
        if match is None:
            raise self._error(_outside_or("a document type", doctype.partition(b"[")[0]))
        for declaration in _DECLARATION.finditer(match[1] or b""):
            if declaration[1] == b"ENTITY":
                self._check_entity(declaration[0])
            elif declaration[2] is not None:
                raise self._error("a document type with other parts than entities")

    def _check_entity(self, declaration: bytes) -> None:
        self._num_entities += 1
        if self._num_entities > MAX_ENTITIES:
            raise self._error(f"more than {MAX_ENTITIES} entities")
        match = _ENTITY.fullmatch(declaration)
        if match is None:
            raise self._error(_outside_or("an entity", declaration))
        value = (match[2] or match[3] or b"").decode(errors="replace")
        name = f"the entity {match[1].decode(errors='replace')[:80]}"
        if "&" in value or "%" in value:
            raise self._error(f"{name} with another inside, expected an IRI")
        if len(value) > MAX_ENTITY_CHARACTERS:
            raise self._error(f"{name} of {len(value):,} characters, expected at most {MAX_ENTITY_CHARACTERS}")

    def _error(self, found: str) -> RefusedFileError:
        return RefusedFileError(self._nesting.line, f"found {found}")


def _outside_or(what: str, declaration: bytes) -> str:
    if _OUTSIDE.search(declaration):
        return f"{what} that lies outside the file, where nothing is read"
    return f'{what} that is more than a name and its text, such as <!ENTITY owl "http://www.w3.org/2002/07/owl#">'
