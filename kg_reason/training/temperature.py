"""Fitting the temperatures of a reasoner to labelled pairs, after training and on pairs that had no part in it.

The arithmetic is `calibration.py`; how a run keeps them is `run_folder.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kg_reason.calibration import Calibration, class_probabilities, expected_calibration_error, fit_temperature
from kg_reason.errors import ConfigError
from kg_reason.evaluation import ScoredLabels, score_all, scored_labels
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.training.run_record import describe_examples


def calibrate(
    reasoner: Reasoner,
    examples: Sequence[NLIExample],
    *,
    files: Sequence[str] = (),
    batch_size: int = 32,
    num_workers: int = 1,
    show_progress: bool = False,
) -> Calibration:
    """Fit a temperature for the fused answers of a reasoner and one for its text-only answers.

    The reasoner stays as it is; `reasoner.calibration = calibrate(reasoner, dev)` puts them to use, and `save` keeps
    them. Temperatures that it has already do not matter.

    Args:
        reasoner: answers the pairs.
        examples: labelled pairs of at least two labels, best those of dev; pairs without a label are left out.
        files: where they were read from, of which a digest of the names is kept.
        batch_size: pairs answered at once.
        num_workers: processes that ground the pairs.
        show_progress: show bars on stderr.

    Raises:
        ConfigError: no pair has a label, all have the same, or no temperature fits best, as where all answers are
            right.
    """
    labelled = [example for example in examples if example.label is not None]
    if not labelled:
        raise ConfigError("examples: found no pair with a label, expected some to fit a temperature on")
    groundings = reasoner.ground_all(labelled, num_workers=num_workers, show_progress=show_progress)
    scores = score_all(reasoner, labelled, groundings, batch_size=batch_size, show_progress=show_progress)
    true_labels = [example.label for example in labelled if example.label is not None]
    scored = scored_labels(true_labels, reasoner.labels)
    fused, text = (
        fit_temperature(logits, scored.truth, scored.columns) for logits in (scores.logits, scores.text_logits)
    )
    names = "\n".join(sorted(Path(file).name for file in files))
    return Calibration(
        temperature=fused,
        text_temperature=text,
        num_examples=len(labelled),
        files_sha256=hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest(),
        examples_sha256=describe_examples(labelled)["sha256"],
        ece_before=_error(scores.logits, scored, 1.0),
        ece_after=_error(scores.logits, scored, fused),
        text_ece_before=_error(scores.text_logits, scored, 1.0),
        text_ece_after=_error(scores.text_logits, scored, text),
        date=datetime.now(UTC).date().isoformat(),
    )


def _error(logits: NDArray[np.float64], scored: ScoredLabels, temperature: float) -> float:
    confidence, right = answer_confidence(logits, scored, temperature)
    return expected_calibration_error(confidence, right)


def answer_confidence(
    logits: NDArray[np.float64], scored: ScoredLabels, temperature: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the probability of each answer and whether it is right, each [num_examples].

    Where a three-way model is scored two-way, the answer is chosen before it is counted as one of two, as in
    `evaluate`; its probability is that of all that count like it.

    Args:
        logits: [num_examples, num_labels].
        scored: of the examples and the model.
        temperature: divides the logits.
    """
    answers = scored.columns[logits.argmax(axis=1)]  # [num_examples]
    probabilities = class_probabilities(logits, temperature, scored.columns)  # [num_examples, num_classes]
    return probabilities[np.arange(len(answers)), answers], answers == scored.truth
