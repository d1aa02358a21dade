"""The audits that there are, by name and in the order of a report, and the one call that runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from kg_reason.audits.bias import audit_bias
from kg_reason.audits.blind_spots import audit_blind_spots
from kg_reason.audits.calibration import audit_calibration
from kg_reason.audits.causality import audit_causality
from kg_reason.audits.ethics import audit_ethics
from kg_reason.audits.faithfulness import audit_faithfulness
from kg_reason.audits.reliance import audit_reliance
from kg_reason.audits.result import AuditResult
from kg_reason.audits.robustness import audit_robustness
from kg_reason.config import AuditConfig
from kg_reason.errors import ConfigError
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner

WITHOUT_EXAMPLES = "it needs labelled pairs (--data), and none were given"


class Audit(NamedTuple):
    """One audit.

    Attributes:
        name: on the command line.
        run: does it; the result has the same name.
        needs_examples: whether it asks labelled pairs; others bring pairs of their own.
        headlines: the measures that a short table shows; a result may lack some.
    """

    name: str
    run: Callable[[Reasoner, Sequence[NLIExample], AuditConfig], AuditResult]
    needs_examples: bool
    headlines: tuple[str, ...]


AUDITS = (
    Audit("reliance", audit_reliance, True, ("accuracy", "accuracy_text", "share_with_evidence", "score")),
    Audit("blind-spots", audit_blind_spots, True, ("num_wrong", "share_wrong_at_gaps", "num_mended_if_filled")),
    Audit("faithfulness", audit_faithfulness, True, ("deletion_ratio", "label_kept", "tau")),
    Audit("bias", audit_bias, False, ("neutral", "text_neutral", "answer_depends_on_group")),
    Audit("causality", audit_causality, False, ("direction", "text_direction", "because_told_apart")),
    Audit("ethics", audit_ethics, False, ("share_touching", "share_resting", "share_refused")),
    Audit("robustness", audit_robustness, True, ("typos_unchanged", "negation_right", "wrong_triple_flips")),
    Audit("calibration", audit_calibration, True, ("ece", "text_ece", "aurc")),
)


def choose_audits(only: Sequence[str], *, has_examples: bool) -> tuple[tuple[Audit, ...], dict[str, str]]:
    """Return the audits to run, in their order, and why others among those wanted are left out.

    Args:
        only: names; empty for all.
        has_examples: whether there are labelled pairs.

    Raises:
        ConfigError: there is no audit of a name, or one that was named needs labelled pairs and there are none.
    """
    known = {item.name for item in AUDITS}
    for name in only:
        if name not in known:
            raise ConfigError(f"found {name!r}, expected one of {', '.join(item.name for item in AUDITS)}")
    wanted = [item for item in AUDITS if not only or item.name in only]
    lacking = [item.name for item in wanted if item.needs_examples and not has_examples]
    if only and lacking:
        raise ConfigError(f"{lacking[0]}: {WITHOUT_EXAMPLES}")
    chosen = tuple(item for item in wanted if item.name not in lacking)
    return chosen, dict.fromkeys(lacking, WITHOUT_EXAMPLES)


def audit(
    reasoner: Reasoner,
    examples: Sequence[NLIExample],
    config: AuditConfig | None = None,
    *,
    only: Sequence[str] = (),
) -> tuple[AuditResult, ...]:
    """Measure the weaknesses of a reasoner.

    Args:
        reasoner: answers; its weights and its graph stay as they are.
        examples: pairs, of which those with a label are used; with none, audits that need them are left out.
        config: what is asked, and of how much; None: the defaults.
        only: names of the audits wanted; empty for all.

    Returns:
        One result per audit, in the order of a report.

    Raises:
        ConfigError: there is no audit of a name, one that was named needs labelled pairs and there are none, or a file
            that the settings name is wrong.
    """
    config = config or AuditConfig()
    has_examples = any(example.label is not None for example in examples)
    chosen, _ = choose_audits(only, has_examples=has_examples)
    return tuple(item.run(reasoner, examples, config) for item in chosen)
