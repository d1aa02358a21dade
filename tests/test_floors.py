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
    "audits": 0, "audits.result": 0, "explanation": 0,
    "commands": 0, "errors": 0, "kg": 0, "kg.word_classes": 0, "model": 0, "synthesis": 0,
    "synthesis.context": 0, "synthesis.surface": 0, "terminal": 0, "training": 0, "training.ordering": 0,
    "config": 1, "kg.compiled": 1, "kg.files": 1, "kg.words": 1, "nli": 1, "notebook": 1, "training.random_state": 1,
    "synthesis.polarity": 1,
    "evaluation_report": 2, "flags": 2, "kg.bad_lines": 1, "kg.counting": 2, "kg.label_scan": 2, "kg.lemmas": 2,
    "kg.ntriples_scan": 2, "kg.terms": 2, "kg.triples": 2,
    "training.replay": 2,
    "kg.http_transport": 1, "kg.seed_labels": 3, "kg.sparql_answer": 3, "kg.sparql_client": 4, "kg.extract": 6,
    "kg.recognition": 2, "kg.validity": 5, "kg.parser_child": 0, "kg.parser_process": 2, "kg.nesting": 2,
    "kg.xml_guard": 3, "kg.json_guard": 3, "kg.archives": 2, "kg.decoding": 2, "kg.locks": 2, "kg.edit_log": 2,
    "kg.endpoint_queries": 5, "kg.endpoint_facts": 10, "kg.graph_part": 13, "kg.remote_graph": 16,
    "kg.inputs": 3, "kg.names": 3, "kg.search": 3, "kg.sense_context": 3,
    "kg.alias_kinds": 1, "kg.curies": 0, "kg.obo_clauses": 4, "kg.ontology": 4, "kg.obo": 5, "kg.deprecation": 5,
    "kg.merging": 5, "kg.settling": 6, "kg.triple_terms": 0, "kg.qualifiers": 4, "kg.statement_filter": 6,
    "kg.qualifying": 7, "kg.filtered_graph": 13, "kg.axioms": 5, "kg.closure": 6, "kg.closure_scan": 2,
    "kg.known_edges": 3, "kg.inferences": 3, "kg.inferred_paths": 13, "kg.relation_walk": 4, "kg.grouping": 3,
    "kg.interleaving": 0, "kg.stored_arrays": 0, "kg.alias_arrays": 6, "kg.graph_facts": 5,
    "example_rows": 4, "kg.label_texts": 4, "kg.ntriples": 4, "kg.path_features": 4,
    "examples": 5, "kg.delimited_scan": 3, "kg.rdf": 5,
    "kg.csv_records": 4, "kg.table_layout": 5, "kg.delimited": 6, "kg.foreign_rows": 6,
    "kg.conceptnet_scan": 2, "kg.conceptnet": 7, "kg.phrases": 7, "kg.property_graph": 7, "kg.taxonomy_paths": 7,
    "kg.graphml": 8, "kg.neo4j_csv": 8, "kg.node_link": 8,
    "kg.reading": 9,
    "kg.label_index": 8,
    "kg.builder": 9, "kg.word_table": 9,
    "kg.part_of_speech": 10, "kg.span_choice": 10, "kg.storage": 10,
    "kg.overlay": 11, "kg.pair_spans": 11, "kg.sense_scores": 11, "kg.word_rows": 11,
    "kg.graph": 12,
    "kg.edge_walks": 13, "kg.entity_status": 13, "kg.exclusion": 13, "kg.hierarchies": 13,
    "kg.editing": 13, "kg.stated_edges": 13, "kg.linker": 13, "kg.paths": 13, "synthesis.nonce": 13,
    "synthesis.vocabulary": 13, "kg.interchange": 14, "kg.build_remarks": 14,
    "kg.relation_kinds": 13, "synthesis.relation_table": 14, "synthesis.patterns": 15,
    "kg.retriever": 14, "kg.subgraph": 14, "kg.shards": 14, "kg.spacy_component": 14, "prediction": 14,
    "synthesis.pair_checks": 16, "synthesis.places": 14, "synthesis.fact_sentences": 15,
    "kg.building": 15, "kg.grounding": 15, "synthesis.place_choice": 16, "synthesis.drafts": 17,
    "synthesis.fact_moves": 17, "synthesis.fact_changes": 18, "synthesis.frames": 18, "synthesis.clauses": 17,
    "synthesis.pairs": 19, "synthesis.facts": 19, "kg.soundness": 16, "model.batch": 16, "model.encoder": 16,
    "model.adapter": 17, "model.collator": 17, "model.gnn": 17,
    "model.fusion": 18, "run_folder": 18, "training.rank_allocation": 18,
    "model.fused": 19, "training.checkpoint": 19,
    "reasoner": 20,
    "explanation.variants": 21,
    "explanation.trials": 16, "explanation.grouping": 15, "explanation.sentences": 16, "explanation.missing": 21,
    "explanation.counterfactual": 22, "explanation.explain": 23, "commands.explain": 28,
    "explanation.fidelity_report": 1, "explanation.words": 22, "explanation.rankings": 22, "explanation.fidelity": 23,
    "audits.faithfulness": 24,
    "explanation.picture_text": 15, "explanation.picture_shapes": 15, "explanation.picture_graph": 15,
    "explanation.picture_layers": 0, "explanation.picture_words": 16, "explanation.picture_columns": 16,
    "explanation.picture_panels": 16, "explanation.picture_lines": 17, "explanation.layout": 18,
    "explanation.picture_drawing": 19, "explanation.page_style": 20, "explanation.page": 21, "explanation.picture": 22,
    "evaluation": 21, "synthesis.generator": 21, "training.optimization": 21, "training.run_record": 21,
    "training.knowledge_changes": 21,
    "doctor": 22, "suggestion": 22, "training.model_card": 22, "training.augmentation": 22, "training.setup": 23,
    "training.scoring": 24,
    "training.loop": 25,
    "audits.bias_templates": 22, "audits.bias_counts": 23, "audits.bias": 24, "audits.cause_pairs": 22,
    "audits.causality": 24,
    "audits.rewording": 1, "audits.perturbations": 22, "audits.shifts": 23, "audits.wrong_triples": 23,
    "audits.robustness": 24,
    "audits.answered": 22, "audits.graph_changes": 22, "audits.plots": 22, "audits.gaps": 23,
    "audits.reliance": 24, "audits.blind_spots": 24, "audits.catalogue": 25, "audits.page": 25, "audits.report": 26,
    "commands.audit": 28,
    "policy_file": 2, "policy": 16, "exclusion": 21, "audits.ethics": 24, "commands.exclusion": 27,
    "calibration": 1, "abstention": 15, "evidence": 16, "training.temperature": 22, "audits.calibration": 24,
    "audits.card": 25, "commands.calibrate": 28,
    "commands.arguments": 26, "commands.endpoint": 26, "commands.printing": 26,
    "commands.graph": 27, "commands.inspection": 27, "commands.model": 27,
    "commands.query": 28, "commands.system": 28, "commands.training": 28,
    "cli": 29,
    "__main__": 30,
}  # fmt: skip
FRONT_DOOR = ""
PACKAGES = ("audits", "commands", "explanation", "kg", "model", "synthesis", "training")
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
        if isinstance(node, ast.ImportFrom) and names[0].removeprefix("kg_reason.") in PACKAGES:
            names = [f"{names[0]}.{alias.name}" for alias in node.names]
        for name in names:
            package, _, target = name.partition(".")
            if level or package == "kg_reason":
                yield Import(room, node.lineno, target, level, id(node) in inside)


def is_face(room: str) -> bool:
    """Whether a room may import when a command is first used, so that the others start fast."""
    return room == "cli" or room.startswith("commands")


ROOMS = rooms()
IMPORTS = [item for room, path in ROOMS.items() for item in imports(room, path)]
INSIDE = [item for item in IMPORTS if item.room != FRONT_DOOR]


def test_every_room_has_a_floor_and_every_floor_a_room():
    assert sorted(ROOMS) == sorted([FRONT_DOOR, *FLOORS])


def upward(items: list[Import]) -> list[str]:
    return [
        f"{item.room}:{item.line} (floor {FLOORS[item.room]}) imports {item.target} (floor {FLOORS[item.target]})"
        for item in items
        if item.target in FLOORS and item.room in FLOORS and FLOORS[item.target] >= FLOORS[item.room]
    ]


def test_imports_go_only_downwards():
    assert upward(INSIDE) == []


@pytest.mark.parametrize(
    ("statement", "target"),
    [
        ("from kg_reason.reasoner import Reasoner", "reasoner"),
        ("from kg_reason.kg.graph import KnowledgeGraph", "kg.graph"),  # its own floor
        ("from kg_reason.kg import linker", "kg.linker"),
        ("import kg_reason.model.batch as batch", "model.batch"),
        ("if TYPE_CHECKING:\n    from kg_reason.training.loop import train", "training.loop"),
        ("def open_it():\n    from kg_reason.cli import main", "cli"),
    ],
)
def test_an_import_upwards_is_seen_however_it_is_written(statement, target, tmp_path):
    (tmp_path / "room.py").write_text(statement)
    (fault,) = upward(list(imports("kg.graph", tmp_path / "room.py")))
    assert f"imports {target} (floor {FLOORS[target]})" in fault


def test_a_wing_is_above_another_as_a_whole():
    kg, model, commands = (
        [floor for room, floor in FLOORS.items() if room.startswith(f"{wing}.")] for wing in ("kg", "model", "commands")
    )
    assert max(kg) <= min(model)
    assert max(model) < FLOORS["reasoner"] < FLOORS["training.loop"] < min(commands)
    assert max(commands) < FLOORS["cli"]


def test_no_import_is_relative():
    assert [f"{item.room}:{item.line}" for item in IMPORTS if item.level] == []


def test_an_import_names_a_room_in_full_and_never_the_front_door():
    doors = {FRONT_DOOR, *PACKAGES}
    assert [f"{item.room}:{item.line}" for item in INSIDE if item.target in doors or item.target not in ROOMS] == []


def test_rooms_are_imported_at_the_top_except_at_the_faces():
    assert [f"{item.room}:{item.line}" for item in INSIDE if item.in_function and not is_face(item.room)] == []


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
