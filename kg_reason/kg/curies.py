"""CURIEs: the short names of IRIs that people read and type, such as DOID:9352.

Prefixes are those declared in the files of a graph. Beside them every OBO identifier is known in both forms:
DOID:9352 is http://purl.obolibrary.org/obo/DOID_9352; and Wikidata's numbers need no prefix: Q64 is wd:Q64.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
XSD = "http://www.w3.org/2001/XMLSchema#"
OBO = "http://purl.obolibrary.org/obo/"
OBO_IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
WELL_KNOWN = {
    "rdf": RDF, "rdfs": RDFS, "owl": OWL, "skos": SKOS, "xsd": XSD,
    "wd": "http://www.wikidata.org/entity/",
    "wdt": "http://www.wikidata.org/prop/direct/",
}  # fmt: skip
_CURIE = re.compile(r"([A-Za-z_][\w.-]*):([^\s:/#?<>\"{}|\\^`][^\s:/#?<>\"{}|\\^`]*)")
_IN_TEXT = re.compile(r"(?<![\w:/#.-])[A-Za-z_][\w.-]*:[\w-]+(?:\.[\w-]+)*(?![:/#])")
_OBO_IRI = re.compile(re.escape(OBO) + r"([A-Za-z]+(?:_[A-Za-z]+)*)_(\d+)")
_WIKIDATA = re.compile(r"[QP][1-9]\d*")
_LOCAL = re.compile(r"[\w.-]*\w")


def expansions(name: str, prefixes: Mapping[str, str]) -> tuple[str, ...]:
    """Return the IRIs that a name may stand for as a CURIE, the likelier first; empty where it is none.

    >>> expansions("DOID:9352", {})
    ('http://purl.obolibrary.org/obo/DOID_9352',)
    """
    if _WIKIDATA.fullmatch(name):
        return tuple(WELL_KNOWN[prefix] + name for prefix in ("wd", "wdt"))
    match = _CURIE.fullmatch(name)
    if match is None:
        return ()
    prefix, local = match.groups()
    spaces = [space[prefix] for space in (prefixes, WELL_KNOWN) if prefix in space]
    found = [namespace + local for namespace in spaces]
    if local.isdecimal() or not spaces:
        found += [f"{OBO}{known}_{local}" for known in (prefix, prefix.upper())]
    return tuple(dict.fromkeys(found))


def curie(iri: str, prefixes: Mapping[str, str]) -> str:
    """Return the CURIE of an IRI by the longest namespace that fits; empty where there is none.

    >>> curie("http://purl.obolibrary.org/obo/DOID_9352", {"obo": OBO})
    'DOID:9352'
    """
    match = _OBO_IRI.fullmatch(iri)
    if match is not None:
        return f"{match[1]}:{match[2]}"
    spaces = {namespace: prefix for prefix, namespace in sorted({**WELL_KNOWN, **prefixes}.items(), reverse=True)}
    for namespace in sorted(spaces, key=lambda namespace: (-len(namespace), namespace)):
        local = iri.removeprefix(namespace)
        if namespace and local != iri and _LOCAL.fullmatch(local):
            return f"{spaces[namespace]}:{local}"
    return ""


def curies_in(text: str) -> tuple[str, ...]:
    """Return the parts of a text that look like CURIEs, each once, in text order."""
    return tuple(dict.fromkeys(_IN_TEXT.findall(text))) if ":" in text else ()


def join_prefixes(known: dict[str, str], declared: Iterable[tuple[str, str]]) -> None:
    """Add declared prefixes to known ones; of two namespaces the first in the order of characters stays.

    So the order of files does not matter. A prefix without a name, and an empty namespace, are left out.
    """
    for prefix, namespace in declared:
        if prefix and namespace:
            known[prefix] = min(namespace, known.get(prefix, namespace))
