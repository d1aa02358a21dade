"""Replay: some of the earlier examples mixed into continued training, so that what they taught is not forgotten.

Rehearsal of stored examples is the plainest cure for catastrophic forgetting (Robins 1995) and a strong one (Chaudhry
et al. 2019, "On tiny episodic memories in continual learning"). The sample is drawn once and stays the same in every
epoch, so that it is grounded once and a resumed run finds it again. What is done with the examples is `loop.py`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence

from kg_reason.errors import ConfigError
from kg_reason.nli import NLIExample

logger = logging.getLogger(__name__)


def draw_replay(
    examples: Sequence[NLIExample], replay: Sequence[NLIExample], share: float, seed: int
) -> list[NLIExample]:
    """Draw earlier examples until they are a share of all examples of an epoch.

    Of `n` labelled examples and a share `s`, `n * s / (1 - s)` are drawn, rounded, each at most once: with 0.5 as many
    as there are examples, with 0.75 three times as many. Where there are fewer, all are taken and a warning is logged.

    Args:
        examples: to learn from; those with a label count.
        replay: earlier examples; those with a label are drawn from.
        share: of the drawn among all, from 0 to below 1.
        seed: equal seeds draw equal samples.

    Returns:
        The drawn examples, in the order of `replay`.

    Raises:
        ConfigError: there are earlier examples, and none has a label.
    """
    if not replay:
        return []
    labelled = [example for example in replay if example.label is not None]
    if not labelled:
        raise ConfigError(f"replay: found no labelled pair among {len(replay)}, expected some or no replay at all")
    wanted = round(sum(example.label is not None for example in examples) * share / (1.0 - share))
    if wanted > len(labelled):
        logger.warning(
            "replay: found %d labelled pairs, of which all are taken; a share of %g would be %d",
            len(labelled), share, wanted,
        )  # fmt: skip
        return labelled
    chosen = random.Random(f"replay {seed}").sample(range(len(labelled)), wanted)
    return [labelled[number] for number in sorted(chosen)]
