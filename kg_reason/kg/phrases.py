"""Commonsense phrases in the form of ATOMIC: a phrase, a relation such as `xIntent`, a phrase; "none" says nothing.

Phrases are entities under their own text, so that equal ones are one. A phrase of somebody ("PersonX bakes bread") is
also known without its subject, for a sentence has another one. The relations of ATOMIC get readable names, as the model
knows relations by them; any other relation keeps its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import BinaryIO

from kg_reason.config import BuildConfig
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.foreign_rows import RowWriter, text_lines
from kg_reason.kg.names import readable_relation
from kg_reason.kg.table_layout import find_delimiter
from kg_reason.kg.triples import TripleBlock, cell_key

logger = logging.getLogger(__name__)

RELATION_NAMES = {
    "xIntent": "the person intended", "xNeed": "the person needed before", "xAttr": "the person seems",
    "xEffect": "effect on the person", "xReact": "the person then feels", "xWant": "the person then wants",
    "xReason": "the person has the reason", "oEffect": "effect on others", "oReact": "others then feel",
    "oWant": "others then want",
}  # fmt: skip
NOTHING = "none"
SUBJECT = "PersonX "
_HEADER_RELATIONS = ("relation", "rel", "dimension")


def read_phrases(
    stream: BinaryIO, name: str, file: int, bad_lines: BadLines, config: BuildConfig
) -> Iterator[TripleBlock]:
    """Read rows of head phrase, relation and tail phrase; bad lines are noted and passed over.

    Args:
        stream: UTF-8 bytes.
        name: as the user named the file.
        file: position in the list of inputs.
        bad_lines: grows by the lines that could not be read.
        config: the delimiter, where it is not a tab.

    Raises:
        InputSyntaxError: the stream cannot be read, or a line is too long.
        ConfigError: the delimiter is not one ASCII character.
    """
    delimiter = find_delimiter(config.delimiter, quoted=False)
    rows = RowWriter(name, file, bad_lines)
    is_first, num_empty = True, 0
    named: set[str] = set()
    for line, text in text_lines(stream, name, bad_lines):
        cells = [" ".join(cell.split()) for cell in text.split(delimiter)]
        is_header = is_first and len(cells) == 3 and cells[1].lower() in _HEADER_RELATIONS
        is_first = False
        if is_header:
            continue
        try:
            if len(cells) != 3:
                raise ValueError(f"expected 3 fields (phrase, relation, phrase), found {len(cells)}")
            head, relation, tail = cells
            if tail.lower() == NOTHING:
                num_empty += 1
                continue
            rows.edge(cell_key(head), phrase_relation(relation), cell_key(tail), line)
            if head.startswith(SUBJECT) and head not in named:
                named.add(head)
                rows.label(cell_key(head), head.removeprefix(SUBJECT), line, is_further=True)
        except ValueError as error:
            rows.refuse(line, str(error))
        if rows.is_full:
            yield rows.take()
    if num_empty:
        logger.info("%s: %d rows whose tail is %r say nothing and were left out", name, num_empty, NOTHING)
    yield rows.take()


def phrase_relation(relation: str) -> str:
    """Return the readable name of a relation: `xIntent` by RELATION_NAMES, `AtLocation` as `at location`."""
    return RELATION_NAMES.get(relation) or (readable_relation(f"r:{relation}") if relation else "")
