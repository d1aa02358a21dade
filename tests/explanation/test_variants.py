"""One pair under many subgraphs gets the answers that each subgraph would get by itself."""

from dataclasses import replace

import numpy as np
import pytest

from kg_reason import NLIExample
from kg_reason.config import EVIDENCE
from kg_reason.explanation.variants import score_variants

PAIR = NLIExample("A man plays a violin.", "A man plays an instrument.")


def variants_of(grounding):
    paths = grounding.paths
    some = [replace(grounding, paths=paths.take(np.arange(paths.num_paths) != row)) for row in range(paths.num_paths)]
    return [grounding, grounding.without_paths(), *some]


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_variants_have_the_logits_of_answers_by_themselves(make_reasoner, evidence):
    reasoner = make_reasoner(evidence=evidence)
    (grounding,) = reasoner.ground_all([PAIR])
    groundings = variants_of(grounding)
    assert len(groundings) > 2
    found = score_variants(reasoner, PAIR, groundings)
    alone = [reasoner.score([PAIR], [item]) for item in groundings]
    assert found.logits == pytest.approx(np.concatenate([scores.logits for scores in alone]), abs=1e-4)
    assert found.text_logits == pytest.approx(alone[0].text_logits[0], abs=1e-4)


def test_contributions_are_those_of_each_variant_and_add_up(make_reasoner):
    reasoner = make_reasoner()
    (grounding,) = reasoner.ground_all([PAIR])
    groundings = variants_of(grounding)
    found = score_variants(reasoner, PAIR, groundings)
    for number, item in enumerate(groundings):
        assert found.contributions[number].shape == (item.paths.num_paths, 3)
        total = found.text_logits + found.contributions[number].sum(axis=0)
        assert total == pytest.approx(found.logits[number], abs=1e-5)
