"""The command that corrects how certain a run says it is: calibrate."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from kg_reason.commands.arguments import Commands, UsageError, add_command, add_json, file_argument
from kg_reason.commands.model import EXAMPLES_HELP, add_run, load_reasoner
from kg_reason.commands.printing import counted, hint, show, show_json
from kg_reason.config import ExampleConfig
from kg_reason.flags import add_settings, settings_from
from kg_reason.terminal import aligned

if TYPE_CHECKING:
    from kg_reason.calibration import Calibration

DETAILS = """\
One temperature divides the logits of the fused answers, another those of the text-only ones: labels, logits and the
contributions of paths stay, only the probabilities change. Take labelled pairs that had no part in training, best those
of dev and like the ones to be answered. The temperatures lie in RUN/calibration.json; --undo removes that file."""


def add_commands(commands: Commands) -> None:
    """Add the command of this room."""
    calibrate = add_command(
        commands, "calibrate", _calibrate, "fit the probabilities of a model to labelled pairs", DETAILS
    )
    add_run(calibrate)
    file_argument(calibrate.add_argument("files", nargs="*", metavar="FILE", help=EXAMPLES_HELP))
    calibrate.add_argument("--undo", action="store_true", help="remove the temperatures of the run")
    add_json(calibrate)
    add_settings(calibrate, ExampleConfig, "examples")


def _calibrate(arguments: argparse.Namespace) -> int:
    if arguments.undo:
        return _undo(arguments)
    if not arguments.files:
        raise UsageError("found no FILE, expected labelled pairs, or --undo")
    from kg_reason.examples import read_examples
    from kg_reason.run_folder import write_calibration
    from kg_reason.training.temperature import calibrate

    examples = read_examples(arguments.files, settings_from(arguments, ExampleConfig))
    reasoner = load_reasoner(arguments)
    calibration = calibrate(reasoner, examples, files=arguments.files, show_progress=not arguments.quiet)
    write_calibration(Path(arguments.model), calibration)
    if arguments.json:
        show_json(calibration.to_json())
        return 0
    show(*_rows(calibration))
    if not arguments.quiet:
        run = shlex.quote(arguments.model)
        hint(f"kg-reason query {run} --abstain-below 0.6 PREMISE HYPOTHESIS", f"kg-reason calibrate {run} --undo")
    return 0


def _rows(calibration: Calibration) -> list[str]:
    before, after = calibration.ece_before, calibration.ece_after
    text_before, text_after = calibration.text_ece_before, calibration.text_ece_after
    table = [
        ["", "temperature", "calibration error before", "after"],
        ["fused", f"{calibration.temperature:.3f}", f"{before:.3f}", f"{after:.3f}"],
        ["text only", f"{calibration.text_temperature:.3f}", f"{text_before:.3f}", f"{text_after:.3f}"],
    ]
    return [
        *aligned(table, right=range(1, 4), indent=0),
        "",
        f"fitted to and measured on {counted(calibration.num_examples, 'pair')}; on others expect a larger error",
    ]


def _undo(arguments: argparse.Namespace) -> int:
    """Remove the temperatures; a run without them stays as it is."""
    if arguments.files:
        raise UsageError("found --undo and a FILE, expected one of them")
    from kg_reason.run_folder import CALIBRATION_FILE, read_saved

    folder = Path(arguments.model)
    read_saved(folder)
    path = folder / CALIBRATION_FILE
    was_there = path.exists()
    path.unlink(missing_ok=True)
    if arguments.json:
        show_json({"removed": was_there})
    else:
        show(f"{path} is removed" if was_there else f"{folder} has no temperatures")
    return 0
