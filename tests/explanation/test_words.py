"""The words of a pair share out the logit of the winning label, whatever the model does with the paths."""

import sys

import pytest
import torch

from kg_reason import NLIExample
from kg_reason.config import EVIDENCE
from kg_reason.errors import MissingExtraError
from kg_reason.explanation.words import word_attributions

PAIR = NLIExample("A man plays a violin, not a xylorimba.", "A woman plays an instrument.")
WORDS = ["A", "man", "plays", "a", "violin", ",", "not", "a", "xylorimba", ".",
         "A", "woman", "plays", "an", "instrument", "."]  # fmt: skip


def best_logits(reasoner, example, grounding):
    """Return the winning logit, and that of the same label where every piece but [CLS] and [SEP] is [MASK]."""
    tokenizer = reasoner.tokenizer
    batch = reasoner.collator([example], [grounding])
    special = torch.tensor([tokenizer.cls_token_id, tokenizer.sep_token_id])
    hidden = torch.where(torch.isin(batch.input_ids, special), batch.input_ids, tokenizer.mask_token_id)
    with torch.no_grad():
        logits = reasoner.model.eval()(batch).logits[0]
        baseline = reasoner.model(batch._replace(input_ids=hidden)).logits[0]
    return float(logits.max()), float(baseline[logits.argmax()])


def attentive(reasoner):
    """Make [CLS] depend on the words, which it hardly does with fresh weights."""
    with torch.no_grad():
        for weight in reasoner.model.encoder.encoder.parameters():
            if weight.ndim == 2:
                weight.mul_(16.0)
    return reasoner


@pytest.mark.parametrize("evidence", [name for name in EVIDENCE if name != "verbalised"])
def test_attributions_add_up_to_the_logit_less_that_of_the_hidden_words(make_reasoner, evidence):
    reasoner = attentive(make_reasoner(evidence=evidence))
    (grounding,) = reasoner.ground_all([PAIR])
    assert grounding.has_evidence
    logit, baseline = best_logits(reasoner, PAIR, grounding)
    assert abs(logit - baseline) > 0.01
    words = word_attributions(reasoner, PAIR, grounding=grounding)
    assert sum(word.attribution for word in words) == pytest.approx(logit - baseline, rel=0.01)


def test_the_paths_take_part(make_reasoner):
    reasoner = make_reasoner()
    (grounding,) = reasoner.ground_all([PAIR])
    fused = word_attributions(reasoner, PAIR, grounding=grounding)
    text = word_attributions(reasoner, PAIR, grounding=grounding.without_paths())
    assert [word.attribution for word in fused] != pytest.approx([word.attribution for word in text], abs=1e-4)


def test_written_out_paths_are_no_words_of_the_pair(make_reasoner):
    reasoner = make_reasoner(evidence="verbalised")
    assert [word.text for word in word_attributions(reasoner, PAIR)] == WORDS


def test_word_pieces_are_summed_to_the_words_of_the_text(make_reasoner):
    words = word_attributions(make_reasoner(), PAIR)
    assert [word.text for word in words] == WORDS
    assert [word.side for word in words] == 10 * ["premise"] + 6 * ["hypothesis"]
    texts = {"premise": PAIR.premise, "hypothesis": PAIR.hypothesis}
    assert all(texts[word.side][word.start : word.end] == word.text for word in words)
    assert words[0].to_json() == {
        "side": "premise", "start": 0, "end": 1, "text": "A", "attribution": words[0].attribution
    }  # fmt: skip


def test_a_claim_without_a_premise_has_words_of_the_hypothesis_only(make_reasoner):
    words = word_attributions(make_reasoner(), NLIExample("", "A dog is an animal."))
    assert [(word.side, word.text) for word in words][:2] == [("hypothesis", "A"), ("hypothesis", "dog")]


def test_words_that_the_model_does_not_read_are_left_out(make_reasoner):
    words = word_attributions(make_reasoner(max_tokens=12), PAIR)
    assert 0 < len(words) < len(WORDS)
    assert sum(word.side == "premise" for word in words) < 10


def test_the_same_pair_gets_the_same_attributions_and_the_model_stays_as_it_was(make_reasoner):
    reasoner = make_reasoner()
    reasoner.model.train()
    assert word_attributions(reasoner, PAIR) == word_attributions(reasoner, PAIR)
    assert reasoner.model.training
    assert [name for name, weight in reasoner.model.named_parameters() if weight.grad is not None] == []


def test_without_captum_the_extra_is_named(monkeypatch, make_reasoner):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(MissingExtraError, match=r"word attributions need captum.*pip install 'kg_reason\[audit\]'"):
        word_attributions(make_reasoner(), PAIR)
