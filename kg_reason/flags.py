"""Command-line flags from the fields of the settings, and a TOML file that lies under them.

A setting is written down once, in `config.py`; here it becomes `--kebab-case` with its help text, range and choices. A
flag that is not given is absent from the parsed arguments, so that the settings' own defaults hold. Which command has
which groups of settings is `cli.py` and `commands/`.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, TypeVar

from kg_reason.config import Config
from kg_reason.errors import ConfigError

Settings = TypeVar("Settings", bound=Config)
Value = str | int | float | bool | list[Any]

NOT_FLAGS = {"help", "config", "command", "run"}  # of a parser: what a file cannot set


def add_settings(
    parser: argparse.ArgumentParser, group: type[Config], title: str, *, only: Collection[str] = ()
) -> None:
    """Add one flag for every field of a group of settings.

    Args:
        parser: gets an argument group of the given title.
        group: the dataclass.
        title: heading in `--help`.
        only: the fields that the command uses; none: all.
    """
    section = parser.add_argument_group(title, group.__doc__.strip().splitlines()[0] if group.__doc__ else None)
    for item in _fields(group, only):
        names = [item.metadata["short"], flag_name(item.name)] if item.metadata["short"] else [flag_name(item.name)]
        section.add_argument(*names, dest=item.name, default=argparse.SUPPRESS, **_describe(item))


def settings_from(
    arguments: argparse.Namespace, group: type[Settings], *, only: Collection[str] = ()
) -> Settings:
    """Return the settings of a group: the flags that were given, defaults for the rest.

    Args:
        arguments: of the command.
        group: the dataclass.
        only: the fields that the command uses, as for `add_settings`.

    Raises:
        ConfigError: a value outside its range.
    """
    found = (item.name for item in _fields(group, only) if hasattr(arguments, item.name))
    given = {name: getattr(arguments, name) for name in found}
    return group(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


def _fields(group: type[Config], only: Collection[str]) -> list[Field[Any]]:
    return [item for item in fields(group) if not only or item.name in only]


def flag_name(setting: str) -> str:
    """Return the flag of a setting: `num_epochs` is `--num-epochs`."""
    return "--" + setting.replace("_", "-")


def _describe(item: Field[Any]) -> dict[str, Any]:
    """Return the arguments of `add_argument` for one field."""
    default = item.default
    help_text = f"{item.metadata['help']} (default: {_shown(default)})".replace("%", "%%")
    if isinstance(default, bool):
        return {"action": argparse.BooleanOptionalAction, "help": help_text}
    choices = item.metadata["choices"] or None
    if isinstance(default, tuple):
        return {"nargs": "*", "choices": choices, "metavar": _value_name(item), "help": help_text}
    if isinstance(default, int | float):
        kind = number(type(default), item.metadata["minimum"], item.metadata["maximum"])
        return {"type": kind, "metavar": "N" if isinstance(default, int) else "X", "help": help_text}
    metavar = {} if choices else {"metavar": _value_name(item)}
    return {"choices": choices, "help": help_text, **metavar}


def _value_name(item: Field[Any]) -> str:
    """Return what the help calls one value of a setting: of `only_sources` it is SOURCE."""
    word = item.name.rpartition("_")[2].upper()
    if isinstance(item.default, tuple):
        word = f"{word.removesuffix('IES')}Y" if word.endswith("IES") else word.removesuffix("S")
    return item.metadata["value"] or word


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, tuple):
        return ", ".join(default) or "none"
    return str(default) or "empty"


def number(
    kind: type[int] | type[float], minimum: float | None = None, maximum: float | None = None
) -> Callable[[str], int | float]:
    """Return the type of a flag that takes a number in a range; another one is told as wrong usage."""

    def read(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            expected = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"found {text!r}, expected {expected}") from None
        if minimum is not None and not value >= minimum:
            raise argparse.ArgumentTypeError(f"found {text}, expected at least {minimum:g}")
        if maximum is not None and not value <= maximum:
            raise argparse.ArgumentTypeError(f"found {text}, expected at most {maximum:g}")
        return value

    read.__name__ = kind.__name__
    return read


def read_config(path: str, command: str, parsers: Mapping[str, argparse.ArgumentParser]) -> dict[str, Value]:
    """Return the flags that a TOML file sets for a command: name with underscores -> value.

    Keys are the names of flags, with hyphens or underscores. They may stand alone, or in a section named after a
    command, which holds for this command only: so one file can serve every command of a project.

    Args:
        path: the file.
        command: the command that runs.
        parsers: every command's parser.

    Raises:
        ConfigError: the file cannot be read, or holds an unknown key, a key twice, or a value that is no value of it.
    """
    try:
        with Path(path).open("rb") as stream:
            content = tomllib.load(stream)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be opened: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    loose = {key: value for key, value in content.items() if not isinstance(value, dict)}
    values = _checked(path, "", loose, command, parsers[command])
    for section, keys in content.items():
        if not isinstance(keys, dict):
            continue
        if section not in parsers:
            raise ConfigError(f"{path}: unknown section [{section}], expected one of {', '.join(parsers)}")
        checked = _checked(path, f"{section}.", keys, section, parsers[section])
        if section == command:
            values |= checked
    return values


def set_under(parser: argparse.ArgumentParser, values: Mapping[str, Value]) -> None:
    """Make values the defaults of a parser, and what they give no longer required."""
    for action in parser._actions:
        action.required = action.required and action.dest not in values
    for group in parser._mutually_exclusive_groups:
        group.required = group.required and not any(action.dest in values for action in group._group_actions)
    parser.set_defaults(**values)


def write_config(command: str, arguments: Mapping[str, Value | tuple[str, ...]]) -> str:
    """Return the text of a TOML file that sets the flags of a command; `read_config` reads it."""
    rows = [f"[{command}]"]
    for name, value in arguments.items():
        plain = list(value) if isinstance(value, tuple) else value
        rows.append(f"{name} = {json.dumps(plain, ensure_ascii=False)}")
    return "\n".join(rows) + "\n"


def _checked(
    path: str, section: str, keys: Mapping[str, Any], command: str, parser: argparse.ArgumentParser
) -> dict[str, Value]:
    actions = {action.dest: action for action in parser._actions if action.option_strings}
    known = {name: action for name, action in actions.items() if name not in NOT_FLAGS}
    values: dict[str, Value] = {}
    for key, value in keys.items():
        name = key.replace("-", "_")
        if name not in known:
            raise ConfigError(f"{path}: unknown key {section + key!r}, expected a flag of kg-reason {command}")
        if name in values:
            raise ConfigError(f"{path}: key {section + key!r} stands there twice")
        try:
            values[name] = _fitted(known[name], value)
        except (argparse.ArgumentTypeError, ConfigError) as error:
            raise ConfigError(f"{path}: {section}{key}: {error}") from error
    return values


def _fitted(action: argparse.Action, value: object) -> Value:
    """Return a value from a file as the flag would have given it."""
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        if isinstance(action, argparse._CountAction) and type(value) is int:
            return value
        if not isinstance(value, bool):
            raise ConfigError(f"found {value!r}, expected true or false")
        return value
    if action.nargs in ("*", "+") or isinstance(action.nargs, int) or isinstance(action, argparse._AppendAction):
        items = value if isinstance(value, list) else [value]
        if isinstance(action.nargs, int) and len(items) != action.nargs:
            raise ConfigError(f"found {len(items)} values, expected {action.nargs}")
        return [_fitted_item(action, item) for item in items]
    item: Value = _fitted_item(action, value)
    return item


def _fitted_item(action: argparse.Action, value: object) -> Any:  # noqa: ANN401 - as the flag's own type says
    kind = getattr(action.type, "__name__", "str")
    expected: Sequence[type] = {"int": (int,), "float": (int, float)}.get(kind, (str,))
    if type(value) not in expected:
        raise ConfigError(f"found {value!r}, expected {'text' if expected == (str,) else 'a number'}")
    if action.choices is not None and value not in action.choices:
        raise ConfigError(f"found {value!r}, expected one of {', '.join(map(str, action.choices))}")
    return action.type(str(value)) if callable(action.type) else value
