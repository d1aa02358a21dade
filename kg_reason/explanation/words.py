"""Which words of a pair mattered: integrated gradients from the word-piece embeddings to the winning label's logit.

The gradients run through the whole fused model: the text's own answer, and the paths, whose gates and votes read the
states of the words that they join. What the paths themselves added is `rankings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from kg_reason.errors import MissingExtraError
from kg_reason.kg.grounding import HYPOTHESIS, PREMISE, Grounding
from kg_reason.model.batch import Batch
from kg_reason.model.collator import verbalise
from kg_reason.model.encoder import word_embeddings
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner

NUM_STEPS = 50  # points between baseline and text
STEPS_PER_PASS = 25  # points that are in memory at once


@dataclass(frozen=True)
class WordAttribution:
    """What one word did to the logit of the winning label.

    Attributes:
        side: `premise` or `hypothesis`.
        start: its first character.
        end: the character after its last one.
        text: the word as written; punctuation counts as words.
        attribution: in units of the logit; positive speaks for the label.
    """

    side: str
    start: int
    end: int
    text: str
    attribution: float

    def to_json(self) -> dict[str, Any]:
        """Return the word as plain data."""
        return dict(vars(self))


class _Word(NamedTuple):
    side: str
    start: int
    end: int
    pieces: tuple[int, ...]  # columns of input_ids


def word_attributions(
    reasoner: Reasoner, example: NLIExample, *, grounding: Grounding | None = None, num_steps: int = NUM_STEPS
) -> tuple[WordAttribution, ...]:
    """Share the winning label's logit out among the words, against the same pair with every word hidden.

    Integrated gradients (Sundararajan et al., ICML 2017) with Captum. In the baseline every word piece is [MASK] (or
    [PAD], for an encoder without one); [CLS] and [SEP] stay, and so do the paths, and their texts where they are
    written into the pair. So the attributions add up to the logit less that of the baseline, but for the error of the
    steps: they say what the words did, given the paths that were found.

    Args:
        reasoner: answers; its weights stay as they are.
        example: the pair.
        grounding: of the pair; None: it is grounded here.
        num_steps: points between baseline and text at which gradients are taken; more are more exact and slower.

    Returns:
        the words of the premise, then those of the hypothesis, in the order of the text; words behind the longest text
        that the model reads are left out.

    Raises:
        MissingExtraError: captum is not installed.
        ConfigError: a text is longer than the linker's limit.
        UnknownEntityError: a name of the example stands for an entity that the graph does not hold.
    """
    try:
        from captum.attr import LayerIntegratedGradients
    except ImportError as error:
        raise MissingExtraError(
            "word attributions need captum, which is not installed: pip install 'kg_reason[audit]'"
        ) from error
    grounding = reasoner.grounder.ground(example) if grounding is None else grounding
    example = replace(example, label=None)
    model = reasoner.model
    was_training = model.training
    model.eval()
    try:
        copies = _Copies(reasoner, example, grounding)
        words = _words(reasoner, example, grounding)
        input_ids = copies.batch(1).input_ids  # [1, T]
        with torch.no_grad():
            column = int(copies.logits(input_ids).argmax())
        attributions: Tensor = LayerIntegratedGradients(copies.logits, word_embeddings(model.encoder)).attribute(
            input_ids,
            baselines=_hidden(reasoner, input_ids, words),
            target=column,
            n_steps=num_steps,
            internal_batch_size=STEPS_PER_PASS,
        )  # [1, T, embedding_dim]
    finally:
        model.train(was_training)
    by_piece = attributions[0].double().sum(dim=-1).tolist()
    return tuple(
        WordAttribution(
            word.side, word.start, word.end, _text(example, word.side)[word.start : word.end],
            sum(by_piece[piece] for piece in word.pieces),
        )
        for word in words
    )  # fmt: skip


class _Copies:
    """One pair as a batch of as many copies as Captum asks for."""

    def __init__(self, reasoner: Reasoner, example: NLIExample, grounding: Grounding) -> None:
        self.reasoner = reasoner
        self.example = example
        self.grounding = grounding
        self._batches: dict[int, Batch] = {}

    def batch(self, num_copies: int) -> Batch:
        if num_copies not in self._batches:
            batch = self.reasoner.collator([self.example] * num_copies, [self.grounding] * num_copies)
            self._batches[num_copies] = batch.to(next(self.reasoner.model.parameters()).device)
        return self._batches[num_copies]

    def logits(self, input_ids: Tensor) -> Tensor:
        """Answer with other word pieces than the pair's, [num_copies, num_labels]."""
        logits: Tensor = self.reasoner.model(self.batch(len(input_ids))._replace(input_ids=input_ids)).logits
        return logits


def _words(reasoner: Reasoner, example: NLIExample, grounding: Grounding) -> list[_Word]:
    """Return the words of the pair with their word pieces, as the collator encodes them."""
    hypothesis = example.hypothesis
    if reasoner.config.model.evidence == "verbalised":
        hypothesis = f"{hypothesis} {verbalise(grounding, reasoner.graph, reasoner.config.linker.language)}".rstrip()
    encoding = reasoner.tokenizer(
        example.premise, hypothesis, truncation="longest_first", max_length=reasoner.config.model.max_tokens
    )
    pieces: dict[tuple[int, int], list[int]] = {}
    sides, numbers = encoding.sequence_ids(0), encoding.word_ids(0)
    for column, (side, number) in enumerate(zip(sides, numbers, strict=True)):
        if side is not None and number is not None:
            pieces.setdefault((side, number), []).append(column)
    words = []
    for (side, _), columns in sorted(pieces.items()):
        spans = [encoding.token_to_chars(0, column) for column in columns]
        start = min(span.start for span in spans if span is not None)
        end = max(span.end for span in spans if span is not None)
        name = (PREMISE, HYPOTHESIS)[side]
        if end <= len(_text(example, name)):  # behind the hypothesis stand paths that are written out
            words.append(_Word(name, start, end, tuple(columns)))
    return words


def _hidden(reasoner: Reasoner, input_ids: Tensor, words: list[_Word]) -> Tensor:
    """Return the word pieces of the baseline, [1, T]."""
    tokenizer = reasoner.tokenizer
    piece = tokenizer.pad_token_id if tokenizer.mask_token_id is None else tokenizer.mask_token_id
    hidden = input_ids.clone()
    hidden[0, [column for word in words for column in word.pieces]] = piece
    return hidden


def _text(example: NLIExample, side: str) -> str:
    return example.premise if side == PREMISE else example.hypothesis
