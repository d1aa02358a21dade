"""The house keeps its floors: what each room may import, and what may not be there at all."""

from __future__ import annotations

import ast
import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import kg_reason
from kg_reason import config
from kg_reason.config import Config

HOUSE = Path(kg_reason.__file__).parent

# Room -> floor. A room imports only rooms of lower floors; a new room gets its line here.
FLOORS = {
    "errors": 0, "kg": 0, "model": 0, "context": 0, "ordering": 0, "surface": 0, "kg.word_classes": 0,
    "checkpoint": 1, "config": 1, "nli": 1, "random_state": 1, "kg.compiled": 1, "kg.words": 1,
    "evaluation_report": 2, "kg.lemmas": 2, "kg.terms": 2, "kg.triples": 2,
    "kg.inputs": 3, "kg.names": 3, "kg.search": 3,
    "example_rows": 4, "kg.delimited": 4, "kg.ntriples": 4, "kg.path_features": 4, "kg.rdf": 4,
    "examples": 5, "kg.reading": 5,
    "kg.label_index": 6,
    "kg.builder": 7, "kg.word_table": 7,
    "kg.part_of_speech": 8, "kg.span_choice": 8, "kg.storage": 8,
    "kg.overlay": 9, "kg.sense_scores": 9,
    "kg.graph": 10,
    "kg.editing": 11, "kg.interchange": 11, "kg.linker": 11, "kg.paths": 11, "nonce": 11, "patterns": 11,
    "vocabulary": 11,
    "kg.retriever": 12, "kg.shards": 12, "kg.spacy_component": 12, "places": 12, "prediction": 12,
    "kg.grounding": 13,
    "model.batch": 14, "model.encoder": 14,
    "model.gnn": 15,
    "model.fusion": 16,
    "model.fused": 17,
    "reasoner": 18,
    "evaluation": 19, "optimization": 19, "run_record": 19, "synthesis": 19,
    "training_setup": 20,
    "training": 21,
    "cli": 22,
    "__main__": 23,
}  # fmt: skip
FRONT_DOOR = ""
FACES = {FRONT_DOOR, "cli"}  # may import when a command or a name is first used
SHAPELESS = {"utils", "util", "common", "helpers", "helper", "base", "misc", "core", "shared"}


class Import(NamedTuple):
    """One import statement inside the house."""

    room: str
    line: int
    target: str  # what follows kg_reason: a room; empty for the front door
    level: int
    in_function: bool


def rooms() -> dict[str, Path]:
    found = {}
    for path in sorted(HOUSE.rglob("*.py")):
        parts = path.relative_to(HOUSE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(room: str, path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names, level = [node.module or ""], node.level
        elif isinstance(node, ast.Import):
            names, level = [alias.name for alias in node.names], 0
        else:
            continue
        if isinstance(node, ast.ImportFrom) and names[0] in ("kg_reason.kg", "kg_reason.model"):
            names = [f"{names[0]}.{alias.name}" for alias in node.names]
        for name in names:
            package, _, target = name.partition(".")
            if level or package == "kg_reason":
                yield Import(room, node.lineno, target, level, id(node) in inside)


ROOMS = rooms()
IMPORTS = [item for room, path in ROOMS.items() for item in imports(room, path)]
INSIDE = [item for item in IMPORTS if item.room != FRONT_DOOR]


def test_every_room_has_a_floor_and_every_floor_a_room():
    assert sorted(ROOMS) == sorted([FRONT_DOOR, *FLOORS])


def test_imports_go_only_downwards():
    wrong = [
        f"{item.room}:{item.line} (floor {FLOORS[item.room]}) imports {item.target} (floor {FLOORS[item.target]})"
        for item in INSIDE
        if item.target in FLOORS and item.room in FLOORS and FLOORS[item.target] >= FLOORS[item.room]
    ]
    assert wrong == []


def test_no_import_is_relative():
    assert [f"{item.room}:{item.line}" for item in IMPORTS if item.level] == []


def test_an_import_names_a_room_in_full_and_never_the_front_door():
    doors = {FRONT_DOOR, "kg", "model"}
    assert [f"{item.room}:{item.line}" for item in INSIDE if item.target in doors or item.target not in ROOMS] == []


def test_rooms_are_imported_at_the_top_except_at_the_faces():
    assert [f"{item.room}:{item.line}" for item in INSIDE if item.in_function and item.room not in FACES] == []


def test_no_room_has_a_name_without_a_shape():
    assert [room for room in ROOMS if SHAPELESS & set(room.split("."))] == []


def test_the_wing_of_knowledge_knows_no_neural_network():
    networks = {"torch", "torch_geometric", "transformers", "accelerate", "safetensors"}
    found = []
    for room, path in ROOMS.items():
        if room.startswith("kg."):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
            names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            found += [f"{room}: {name}" for name in sorted(names) if name.partition(".")[0] in networks]
    assert found == []


def test_every_setting_is_read_outside_config():
    read = {
        node.attr
        for room, path in ROOMS.items()
        if room != "config"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    groups = [value for value in vars(config).values() if isinstance(value, type) and issubclass(value, Config)]
    settings = [(group.__name__, item.name) for group in groups for item in dataclasses.fields(group)]
    assert len(settings) > 40
    assert [f"{group}.{name}" for group, name in settings if name not in read] == []


@pytest.mark.parametrize("name", kg_reason.__all__)
def test_every_name_at_the_front_door_opens(name):
    assert getattr(kg_reason, name) is not None


def test_the_front_door_is_sorted_and_says_what_it_offers():
    assert list(kg_reason.__all__) == sorted(kg_reason.__all__)
    assert set(kg_reason.__all__) <= set(dir(kg_reason))


def test_importing_the_package_loads_neither_torch_nor_spacy():
    script = "import sys, kg_reason; print(*sorted({'torch', 'spacy', 'transformers', 'polars'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=HOUSE.parent)
    assert done.stdout.split() == []
