"""Commands about the installation and the files: info, doctor."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kg_reason.commands.arguments import Commands, add_command, add_json, file_argument
from kg_reason.commands.endpoint import names_endpoint
from kg_reason.commands.printing import counted, show, show_json
from kg_reason.terminal import aligned

PACKAGES = (
    "torch", "torch_geometric", "transformers", "accelerate", "numpy", "numba", "spacy", "polars", "pyoxigraph",
    "rdflib", "safetensors",
)  # fmt: skip
OPTIONAL_PACKAGES = ("zstandard", "datasets", "tensorboard", "wandb", "shtab", "simplemma", "peft")
CAPABILITIES = ("avx2", "avx512_f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "bf16", "arm_bf16")


def add_commands(commands: Commands) -> None:
    """Add the commands of this room."""
    info = add_command(commands, "info", _info, "tell versions and hardware, and what graphs and runs are")
    file_argument(info.add_argument("paths", nargs="*", metavar="PATH", help="graph, run or example file"))
    add_json(info)

    doctor = add_command(
        commands, "doctor", _doctor, "say what is wrong with a graph, a run or an example file, and how to mend it",
        "Exit code 1 means that something is wrong; advice alone does not count.",
    )  # fmt: skip
    file_argument(doctor.add_argument("paths", nargs="+", metavar="PATH", help="graph, run or example file"))
    add_json(doctor)


def _info(arguments: argparse.Namespace) -> int:
    import torch

    from kg_reason.doctor import describe

    _refuse_endpoints(arguments.paths)
    capabilities = torch.cpu.get_capabilities()
    devices = ["cpu"]
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is not None:
        module = torch.get_device_module(accelerator)
        name_of = getattr(module, "get_device_name", lambda number: "")
        names = [name_of(number) for number in range(torch.accelerator.device_count())]
        devices = [f"{accelerator.type}:{number} {name}".strip() for number, name in enumerate(names)] + devices
    facts: dict[str, Any] = {
        "kg_reason": importlib.import_module("kg_reason").__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "optional_packages": {name: _version(name) for name in OPTIONAL_PACKAGES},
        "devices": devices,
        "num_cores": os.cpu_count(),
        "num_threads": torch.get_num_threads(),
        "cpu_flags": [name for name in CAPABILITIES if capabilities.get(name)],
        "paths": [describe(Path(path)) for path in arguments.paths],
    }
    if arguments.json:
        show_json(facts)
        return 0
    show(*aligned(
        [
            ["kg_reason", facts["kg_reason"]],
            ["python", facts["python"]],
            ["platform", facts["platform"]],
            ["devices", ", ".join(devices)],
            ["threads", f"{facts['num_threads']} on {counted(facts['num_cores'] or 1, 'core')}"],
            ["cpu flags", " ".join(facts["cpu_flags"]) or "none of those that matter"],
            *[[name, found] for name, found in facts["packages"].items()],
            *[[name, found] for name, found in facts["optional_packages"].items()],
        ],
        indent=0,
    ))
    for described in facts["paths"]:
        told = [(name.removeprefix("num_").replace("_", " "), value) for name, value in described.items()]
        rows = [[name, _cell(value)] for name, value in told if name != "path"]
        show("", described["path"], *aligned(rows))
    return 0


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _refuse_endpoints(paths: Sequence[str]) -> None:
    """Say of an endpoint that it is no folder, before its address is taken for a path."""
    from kg_reason.kg.graph import KnowledgeGraph

    for path in filter(names_endpoint, paths):
        KnowledgeGraph.open(path)


def _doctor(arguments: argparse.Namespace) -> int:
    from kg_reason.doctor import examine

    _refuse_endpoints(arguments.paths)
    diagnoses = [examine(Path(path)) for path in arguments.paths]
    if arguments.json:
        show_json([diagnosis.to_json() for diagnosis in diagnoses])
    else:
        for number, diagnosis in enumerate(diagnoses):
            show(*([""] if number else []), diagnosis.to_text())
    return 0 if all(diagnosis.is_sound for diagnosis in diagnoses) else 1
