r"""The log of edits of a graph folder: `edits.jsonl`, one checked record in each line, written in one synced step.

A record is a JSON object; its last field `check` is made from the record itself and from everything that stands before
it in the file. So a line that was changed, taken out or moved is an error at that line or the next. Lines without a
check are accepted before the first checked one: logs of earlier versions have none. A last line that was not written to
its end is what a killed writer leaves: readers pass over it with a warning, the next writer cuts it off.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from kg_reason.errors import GraphError
from kg_reason.kg.files import name_full_disk, sync_folder

logger = logging.getLogger(__name__)

EDITS_FILE = "edits.jsonl"
ADD, REMOVE, UNDO = "add", "remove", "undo"
TRIPLE_FIELDS = ("head", "relation", "tail")
_CHECK = re.compile(rb', "check": "([0-9a-f]{16})"\}')

_ADVICE = "this line or one before it was changed"


class Edit(NamedTuple):
    """One edit that stands: its line in the log, what it does, the term keys of the triple, and when it was made."""

    line: int
    op: str
    head: str
    relation: str
    tail: str
    time: str = ""


@dataclass(frozen=True)
class EditLog:
    """What a log holds.

    Attributes:
        edits: the edits that stand, in order.
        content: the bytes of its whole records.
        num_torn: bytes behind them, of a record that was not written to its end.
    """

    edits: tuple[Edit, ...]
    content: bytes
    num_torn: int


def read_log(folder: Path) -> EditLog:
    """Return the log of a graph folder; it is empty where there is none.

    Raises:
        GraphError: a record is damaged, with file and line.
    """
    path = folder / EDITS_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return EditLog((), b"", 0)
    edits: list[Edit] = []
    before = hashlib.sha256()
    is_checked = False
    end = 0
    for number, body in enumerate(data.split(b"\n"), start=1):
        if end + len(body) == len(data) and not _is_whole(body):
            break
        match = _CHECK.search(body)
        if match and match.end() < len(body):
            raise GraphError(f"{path}:{number}: found text behind the check; {_ADVICE}")
        if match and _check(before, body[: match.start()]) != match[1]:
            raise GraphError(f"{path}:{number}: its check differs from the one written with it; {_ADVICE}")
        if is_checked and not match:
            raise GraphError(f"{path}:{number}: found a record without a check behind one with it; {_ADVICE}")
        is_checked = match is not None
        _take(edits, number, body, path)
        before.update(body + b"\n")
        end += len(body) + 1
    end = min(end, len(data))  # the last line may lack its end
    return EditLog(tuple(edits), data[:end], len(data) - end)


def read_edits(folder: Path) -> tuple[Edit, ...]:
    """Return the edits of a graph folder that stand, in order.

    Raises:
        GraphError: a record is damaged, with file and line.
    """
    log = read_log(folder)
    if log.num_torn:
        line = log.content.count(b"\n") + 1
        logger.warning("%s:%d: left out, it was not written to its end", folder / EDITS_FILE, line)
    return log.edits


def append_record(folder: Path, log: EditLog, record: Mapping[str, object]) -> tuple[int, str]:
    """Write a record behind those of a log, and return its line and its time.

    Args:
        folder: the graph, whose lock the caller has held since it read the log.
        log: as read; what stands behind its whole records is cut off.
        record: without time and check.
    """
    path = folder / EDITS_FILE
    time = datetime.now(UTC).isoformat(timespec="seconds")
    lines = memoryview(checked_lines(log.content, [{**record, "time": time}]))
    is_first = not path.exists()
    with path.open("xb" if is_first else "r+b", buffering=0) as stream:  # unbuffered: nothing is written after a fault
        stream.truncate(len(log.content))
        stream.seek(len(log.content))
        try:
            while lines:
                lines = lines[stream.write(lines) :]
            os.fsync(stream.fileno())
        except OSError as error:
            name_full_disk(error, path)
            stream.truncate(len(log.content))
            raise
    if is_first:
        sync_folder(folder)
    return (log.content.rstrip(b"\n").count(b"\n") + 2 if log.content else 1), time


def checked_lines(content: bytes, records: Iterable[Mapping[str, object]]) -> bytes:
    """Return records as lines that stand behind `content` in a log."""
    lines = b"" if content.endswith(b"\n") or not content else b"\n"
    before = hashlib.sha256(content + lines)
    for record in records:
        body = json.dumps(record, ensure_ascii=False).removesuffix("}").encode()
        line = body + b', "check": "' + _check(before, body) + b'"}\n'
        before.update(line)
        lines += line
    return lines


def _is_whole(body: bytes) -> bool:
    """Tell whether a line without an end is a whole record all the same: no beginning of a record is one."""
    if _CHECK.search(body):
        return True
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _take(edits: list[Edit], number: int, body: bytes, path: Path) -> None:
    """Take a record into the edits that stand."""
    try:
        record = json.loads(body)
        if record["op"] == UNDO:
            edits.pop()
        else:
            head, relation, tail = (str(record[name]) for name in TRIPLE_FIELDS)
            edits.append(Edit(number, str(record["op"]), head, relation, tail, str(record.get("time", ""))))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise GraphError(f"{path}:{number}: not a whole edit record; delete this line to lose only it") from error


def _check(before: hashlib._Hash, body: bytes) -> bytes:
    digest = before.copy()
    digest.update(body)
    return digest.hexdigest()[:16].encode()
