"""Which format a file is in where its suffix does not tell: other tools' exports, known by how they begin.

Only what no other format could begin with is recognised; everything else stays what its suffix says.
"""

from __future__ import annotations

import csv
import re

LOOKED_AT_BYTES = 1 << 16
LINES_LOOKED_AT = 50

NEO4J_ROLES = {  # names of columns that APOC writes -> what the bulk import calls them
    "_id": "ID", "_labels": "LABEL", "_start": "START_ID", "_end": "END_ID", "_type": "TYPE",
}
HEADER_CELL = re.compile(
    r"(?P<name>[^:]*)(?::(?P<type>ID|LABEL|START_ID|END_ID|TYPE|IGNORE|"
    r"(?:int|long|short|byte|float|double|boolean|char|string|point|date|time|localtime|datetime|localdatetime|duration)"
    r"(?:\[\])?)(?P<rest>(?:\([^)]*\)|\{[^}]*\})*))?"
)
_DELIMITERS = ",;\t|"
_NODE_LINK = re.compile(r'"(?:directed|multigraph|nodes|links|edges)"\s*:')
_JSON_LD = re.compile(r'"@(?:context|graph|id|type)"\s*:')
_PHRASE_RELATION = re.compile(r"[xo](?:Intent|Need|Attr|Effect|React|Want|Reason)")  # of ATOMIC
_GRAPHML = re.compile(r"<(?:\w+:)?graphml[\s>]")
SNIFFED = {  # suffix -> formats that a file with it may turn out to be in
    ".tsv": ("conceptnet", "taxonomy", "neo4j", "phrases"),
    ".csv": ("conceptnet", "neo4j"),
    ".txt": ("conceptnet", "taxonomy", "neo4j", "phrases"),
    ".json": ("node-link", "jsonld"),
    ".xml": ("graphml",),
}


def recognised_format(suffix: str, head: bytes) -> str:
    """Return the format that the beginning of a file tells; empty where it tells none.

    Args:
        suffix: of the file, in lower case, without that of a compression.
        head: its first LOOKED_AT_BYTES, or all of it.
    """
    text = head.decode(errors="replace").removeprefix("\ufeff")
    lines = [line for line in text.split("\n")[:LINES_LOOKED_AT] if line.strip()]
    return next((name for name in SNIFFED.get(suffix, ()) if lines and _is_format(name, text, lines)), "")


def header_delimiter(line: str) -> str:
    """Return what separates the columns of a header of Neo4j, the most frequent mark; a comma where there is none."""
    return max(_DELIMITERS, key=line.count)


def _is_format(name: str, text: str, lines: list[str]) -> bool:
    if name == "conceptnet":
        cells = lines[0].split("\t")
        return len(cells) == 5 and cells[0].startswith("/a/") and cells[1].startswith("/r/")
    if name == "taxonomy":
        paths = [line for line in lines if not line.startswith("#")]
        num_paths = sum(" > " in line for line in paths)  # a text for people has few
        return num_paths > 0 and 4 * num_paths >= len(paths) and all(line.count("\t") <= 1 for line in paths)
    if name == "phrases":
        rows = [line.split("\t") for line in lines]
        return all(len(row) == 3 for row in rows) and any(_PHRASE_RELATION.fullmatch(row[1].strip()) for row in rows)
    if name == "neo4j":
        return _is_neo4j_header(lines[0])
    if name == "graphml":
        return bool(_GRAPHML.search(text))
    if name == "jsonld":
        return bool(_JSON_LD.search(text))
    return text.lstrip().startswith("{") and bool(_NODE_LINK.search(text)) and not _JSON_LD.search(text)


def _is_neo4j_header(line: str) -> bool:
    """Tell whether every cell of a line is a column of Neo4j, and some make nodes or edges."""
    try:
        cells = next(csv.reader([line.rstrip("\r")], delimiter=header_delimiter(line)), [])
    except csv.Error:
        return False
    matches = [HEADER_CELL.fullmatch(cell.strip()) for cell in cells]
    found = [match for match in matches if match is not None]
    roles = {match["type"] for match in found}
    named = {match["name"] for match in found}
    is_node, is_edge = "ID" in roles or {"_id", "_labels"} <= named, {"START_ID", "END_ID"} <= roles
    return len(found) == len(cells) and (is_node or is_edge or {"_start", "_end", "_type"} <= named)
