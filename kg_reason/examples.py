"""Example files: labelled premise-hypothesis pairs in, pairs out.

Columns are named by ExampleConfig; labels are words. Every bad line of every file is found in one pass and told with
its place. The file formats are `example_rows.py`; what a label means, and how three-way and two-way labels meet, is
`nli.py`.

Where files give an object `names` (JSON Lines), its members are further names for entities in that pair only, surface
form -> entity id. An object `justification` is what `kg-reason synthesize` writes: the words that were replaced, as
[start, end, entity id, tag], and the facts that give the pair its label.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kg_reason.config import ExampleConfig
from kg_reason.errors import BadLinesError, ConfigError
from kg_reason.example_rows import BadRows, Row, find_format, read_table, shown
from kg_reason.kg.files import whole_file
from kg_reason.nli import Fact, Justification, Label, NLIExample, ReplacedWord

SPELLINGS = {
    **dict.fromkeys(("entailment", "entails", "entail", "entailed", "e"), Label.ENTAILMENT),
    **dict.fromkeys(("neutral", "n"), Label.NEUTRAL),
    **dict.fromkeys(("contradiction", "contradicts", "contradict", "contradictory", "c"), Label.CONTRADICTION),
    **dict.fromkeys(
        ("not_entailment", "non_entailment", "nonentailment", "not_entailed", "no_entailment"), Label.NOT_ENTAILMENT
    ),
}
LABEL_WORDS = ", ".join(Label)


class _BadRowError(ValueError):
    """One row is not an example; the message says what was found and what was expected."""


def read_examples(
    paths: str | Path | Sequence[str | Path], config: ExampleConfig | None = None, *, require_labels: bool = True
) -> list[NLIExample]:
    """Read the examples of one or several inputs, in order.

    Args:
        paths: files (.jsonl, .csv, .tsv, each also .gz, .bz2, .xz or .zst; .parquet), `-` for JSON lines on standard
            input, or `hf:NAME[:SUBSET][@SPLIT]` for a Hugging Face data set, the only one that may open a connection.
        config: names of the columns; None: the default names.
        require_labels: whether an example without a label is a bad line (or left out, with `skip_unlabelled`).

    Raises:
        BadLinesError: lines that cannot be read, all found in one pass, the first 20 listed.
        InputSyntaxError: an input that is missing or cannot be read as a whole.
        MissingExtraError: a data set is named and the package `datasets` is not installed.
    """
    config = ExampleConfig() if config is None else config
    names = [str(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    formats = [find_format(name) for name in names]
    bad_rows = BadRows()
    examples: list[NLIExample] = []
    for name, file_format in zip(names, formats, strict=True):
        table = read_table(name, file_format, config.label_column, config.split, bad_rows)
        missing = _missing_columns(table.columns, config, require_labels)
        if missing:
            bad_rows.add(name, 1, _missing_reason(missing[0], table.columns or (), config))
            continue
        unseen = _named_columns(config)
        num_rows = 0
        for line, row in table.rows:
            num_rows += 1
            unseen.difference_update(row)
            try:
                example = _example(row, config, require_labels)
            except _BadRowError as error:
                bad_rows.add(name, line, str(error))
                continue
            if example.label is not None or not require_labels:
                examples.append(example)
        if num_rows and unseen:
            bad_rows.add(name, 1, f"found no column {min(unseen)!r} in this or any other line, expected it in some")
    if bad_rows.num:
        raise BadLinesError(bad_rows.first, bad_rows.num)
    return examples


def write_examples(path: str | Path, examples: Iterable[NLIExample]) -> None:
    """Write examples as JSON lines; the file is whole or not there.

    Raises:
        ConfigError: the name does not end in .jsonl.
    """
    write_rows(path, map(to_json, examples))


def write_rows(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write plain data as JSON lines, such as examples with further fields; the file is whole or not there.

    Raises:
        ConfigError: the name does not end in .jsonl.
    """
    target = Path(path)
    if target.suffix != ".jsonl":
        raise ConfigError(f"examples are written as JSON lines: found {target.name!r}, expected a name in .jsonl")
    with whole_file(target) as beside, beside.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def to_json(example: NLIExample) -> dict[str, Any]:
    """Return one example as the plain data of its line in an example file; empty fields are left out."""
    plain: dict[str, Any] = {"id": example.example_id} if example.example_id else {}
    plain |= {"premise": example.premise, "hypothesis": example.hypothesis}
    if example.label is not None:
        plain["label"] = str(example.label)
    if example.category:
        plain["category"] = example.category
    if example.names:
        plain["names"] = dict(example.names)
    if example.justification is not None:
        plain["justification"] = {
            "premise_word": list(example.justification.premise_word),
            "hypothesis_word": list(example.justification.hypothesis_word),
            "facts": [list(fact) for fact in example.justification.facts],
            "downward": example.justification.downward,
        }
    return plain


def parse_label(word: str) -> Label | None:
    """Return the label that a word means, whatever its case and hyphens; None for no label (empty or `-`).

    Raises:
        ConfigError: the word is no label.
    """
    key = word.strip().casefold()
    if key in ("", "-"):
        return None
    label = SPELLINGS.get(key.replace("-", "_").replace(" ", "_"))
    if label is None:
        raise ConfigError(f"found {shown(word)}, expected one of the words {LABEL_WORDS}")
    return label


def _missing_columns(columns: Sequence[str] | None, config: ExampleConfig, require_labels: bool) -> list[str]:
    """Return the columns that every row needs and a table does not have."""
    needed = [config.premise_column, config.hypothesis_column] + [config.label_column] * require_labels
    return [] if columns is None else [column for column in needed if column and column not in columns]


def _named_columns(config: ExampleConfig) -> set[str]:
    """Return the optional columns that the caller named: they must occur, those of default name need not."""
    default = ExampleConfig()
    given = {config.label_column, config.category_column, config.id_column, ""}
    return given - {default.label_column, default.category_column, default.id_column, ""}


def _example(row: Row, config: ExampleConfig, require_labels: bool) -> NLIExample:
    """Make the example of one row."""
    premise = _sentence(row, config.premise_column, config) if config.premise_column else ""
    hypothesis = _sentence(row, config.hypothesis_column, config)
    if not hypothesis.strip():
        raise _BadRowError(f"{config.hypothesis_column}: found no text, expected a sentence")
    return NLIExample(
        premise=premise,
        hypothesis=hypothesis,
        label=_label(row, config, require_labels),
        category=_word(row, config.category_column),
        names=_names(row.get("names")),
        example_id=_word(row, config.id_column),
        justification=_justification(row.get("justification"), premise, hypothesis),
    )


def _sentence(row: Row, column: str, config: ExampleConfig) -> str:
    if column not in row:
        raise _BadRowError(_missing_reason(column, tuple(row), config))
    value = row[column]
    if not isinstance(value, str):
        raise _BadRowError(f"{column}: found {shown(value)}, expected text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _BadRowError(f"{column}: found half of a surrogate pair, expected Unicode text") from error
    return value


def _label(row: Row, config: ExampleConfig, require_labels: bool) -> Label | None:
    column = config.label_column
    value = row.get(column)
    if value is not None and not isinstance(value, str):
        kind = "the number " if isinstance(value, int | float) and not isinstance(value, bool) else ""
        raise _BadRowError(f"{column}: found {kind}{value!r}, expected one of the words {LABEL_WORDS}")
    try:
        label = parse_label(value or "")
    except ConfigError as error:
        raise _BadRowError(f"{column}: {error}") from error
    if label is None and require_labels and not config.skip_unlabelled:
        if column not in row:
            raise _BadRowError(_missing_reason(column, tuple(row), config))
        advice = "--skip-unlabelled leaves such pairs out"
        raise _BadRowError(f"{column}: found no label, expected one of the words {LABEL_WORDS} ({advice})")
    return label


def _word(row: Row, column: str) -> str:
    value = row.get(column)
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise _BadRowError(f"{column}: found {shown(value)}, expected a word")
    return str(value)


def _names(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        if value is None or isinstance(value, str):  # a column of a table that only shares the name
            return {}
        raise _BadRowError(f"names: found {shown(value)}, expected an object from surface form to entity id")
    if not all(isinstance(entity, str) for entity in value.values()):
        raise _BadRowError(f"names: found {shown(value)}, expected an entity id for every surface form")
    return value


def _justification(value: object, premise: str, hypothesis: str) -> Justification | None:
    if not isinstance(value, dict):
        if value is None or isinstance(value, str):  # a column of a table that only shares the name
            return None
        raise _BadRowError(f"justification: found {shown(value)}, expected an object")
    facts = value.get("facts", [])
    if not isinstance(facts, list) or not all(_are_texts(fact, 3) for fact in facts):
        raise _BadRowError(f"justification: facts: found {shown(facts)}, expected lists of head, relation and tail")
    if not isinstance(value.get("downward", False), bool):
        raise _BadRowError(f"justification: downward: found {shown(value['downward'])}, expected true or false")
    return Justification(
        premise_word=_replaced_word(value, "premise_word", premise),
        hypothesis_word=_replaced_word(value, "hypothesis_word", hypothesis),
        facts=tuple(Fact(*fact) for fact in facts),
        downward=value.get("downward", False),
    )


def _replaced_word(justification: Mapping[str, Any], key: str, text: str) -> ReplacedWord:
    value = justification.get(key)
    if not isinstance(value, list) or len(value) != 4 or not _are_texts(value[2:], 2):
        raise _BadRowError(f"justification: {key}: found {shown(value)}, expected [start, end, entity id, tag]")
    start, end = value[:2]
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise _BadRowError(f"justification: {key}: found {shown(value)}, expected a place in {shown(text)}")
    return ReplacedWord(*value)


def _are_texts(value: object, number: int) -> bool:
    return isinstance(value, list) and len(value) == number and all(isinstance(item, str) for item in value)


def _missing_reason(column: str, found: Sequence[str], config: ExampleConfig) -> str:
    setting = next(name for name, value in config.to_json().items() if value == column).replace("_", "-")
    return f"found columns {', '.join(found) or 'none'}; expected {column} (--{setting} names another)"
