"""The Reasoner: one object that knows text, graph, model and files. What one does with it is a function elsewhere.

A saved reasoner is one folder without pickles:

    config.json           settings, labels, known relations, and which graph it was trained with
    model.safetensors     the weights; beside an adapter all but those of its base encoder, which config.json names
    encoder_config.json   the architecture of the text encoder
    tokenizer/            the tokenizer's files
    calibration.json      temperatures of its probabilities, where they were fitted (training/temperature.py)
    training.json, README.md   how it was trained and what was measured (training/loop.py)
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from kg_reason.calibration import UNCALIBRATED, Calibration
from kg_reason.config import ReasonerConfig
from kg_reason.evidence import describe_evidence, describe_mentions
from kg_reason.kg.files import whole_folder
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import NO_CACHE, Grounder, Grounding
from kg_reason.kg.linker import EntityLinker
from kg_reason.kg.retriever import Retriever
from kg_reason.model.adapter import merge_adapter
from kg_reason.model.collator import Collator
from kg_reason.model.encoder import load_tokenizer
from kg_reason.model.fused import FusedModel, build_model
from kg_reason.nli import Label, NLIExample, task_labels
from kg_reason.prediction import Answer, Prediction
from kg_reason.run_folder import (
    CONFIG_FILE,
    ENCODER_FILE,
    FORMAT_VERSION,
    TOKENIZER_FOLDER,
    WEIGHTS_FILE,
    check_base_encoder,
    describe_base_encoder,
    find_base_encoder,
    json_text,
    load_weights,
    open_saved_graph,
    read_calibration,
    read_json,
    read_saved,
    write_calibration,
    write_weights,
)
from kg_reason.synthesis.relation_table import load_table

logger = logging.getLogger(__name__)

MAX_KNOWN_RELATIONS = 4096
MIXED_EVIDENCE = ("verbalised", "tokens")  # controls whose text-only answer is that of the pair without its paths


class Scores(NamedTuple):
    """Logits of a list of examples, in their order; both float64 [num_examples, num_labels]."""

    logits: NDArray[np.float64]
    text_logits: NDArray[np.float64]


class _Outputs(NamedTuple):
    logits: NDArray[np.float64]  # [batch_size, num_labels]
    text_logits: NDArray[np.float64]  # [batch_size, num_labels]
    contributions: list[NDArray[np.float64]]  # per example [num_paths, num_labels]


class Reasoner:
    """A graph, its linker and retriever, and a fused model.

    Attributes:
        labels: the labels of the task; position = column of the logits.
        relations: readable names of the relations the model was made for; position = number of the learned residual.
        origin: the folder that it was loaded from or last saved in; None for one that is only in memory.
        calibration: temperatures of its probabilities; they change no logit and no label.
    """

    def __init__(
        self,
        graph: KnowledgeGraph,
        config: ReasonerConfig,
        model: FusedModel,
        tokenizer: PreTrainedTokenizerBase,
        relations: Sequence[str],
    ) -> None:
        self.graph = graph
        self.config = config
        self.model = model
        self.tokenizer = tokenizer
        self.relations = tuple(relations)
        self.origin: Path | None = None
        self.calibration: Calibration = UNCALIBRATED
        self.labels: tuple[Label, ...] = task_labels(config.model.task)
        self.grounder = Grounder(EntityLinker(graph, config.linker), Retriever(graph, config.retriever))
        self.collator = Collator(
            tokenizer, graph, config.model, self.labels, self.relations, language=config.linker.language,
            groups=load_table().groups, inverse=self.grounder.retriever.inverse,
            climbs=self.grounder.retriever.climbs(),
        )  # fmt: skip

    @classmethod
    def build(cls, graph: KnowledgeGraph, config: ReasonerConfig | None = None, *, seed: int = 0) -> Reasoner:
        """Make an untrained reasoner: a pretrained encoder, everything else fresh.

        Args:
            graph: the graph it reasons over.
            config: its settings.
            seed: seed of the fresh weights.

        Raises:
            CheckpointError: the encoder cannot be found.
        """
        config = config or ReasonerConfig()
        names = {graph.relation_label(relation) for relation in range(graph.num_relations)}
        relations = sorted(names)[:MAX_KNOWN_RELATIONS]
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = build_model(config.model, task_labels(config.model.task), relations)
        return cls(graph, config, model, load_tokenizer(config.model), relations)

    @classmethod
    def load(cls, path: str | Path, graph: KnowledgeGraph | None = None) -> Reasoner:
        """Open a saved reasoner.

        Args:
            path: its folder.
            graph: the graph to use; None: the one it was trained with, which must still be the same (edits aside).

        Raises:
            CheckpointError: something is missing, damaged or of another version, the graph was rebuilt since, or an
                adapter was trained on another base encoder.
            MissingExtraError: there is an adapter, and peft is not installed.
            ConfigError: a saved setting does not exist or is out of range.
        """
        folder = Path(path)
        saved = read_saved(folder)
        config = ReasonerConfig.from_json(saved["settings"])
        graph = graph or open_saved_graph(folder, saved["graph"])
        labels, relations = task_labels(config.model.task), saved["relations"]
        if config.model.adapter == "none":
            model = build_model(config.model, labels, relations, encoder_config=read_json(folder / ENCODER_FILE))
        else:
            config = replace(config, model=find_base_encoder(folder, config.model, saved["base_encoder"]))
            model = build_model(config.model, labels, relations)
            check_base_encoder(folder, model.encoder, saved["base_encoder"])
        load_weights(model, folder / WEIGHTS_FILE)
        tokenizer = load_tokenizer(replace(config.model, encoder=str(folder / TOKENIZER_FOLDER)))
        reasoner = cls(graph, config, model, tokenizer, relations)
        reasoner.origin, reasoner.calibration = folder, read_calibration(folder)
        return reasoner

    def over(self, graph: KnowledgeGraph, config: ReasonerConfig) -> Reasoner:
        """Return a reasoner with the same weights over another graph, or with another linker and retriever."""
        other = Reasoner(graph, config, self.model, self.tokenizer, self.relations)
        other.calibration = self.calibration
        return other

    def save(self, path: str | Path, *, documents: dict[str, str] | None = None) -> None:
        """Write the reasoner to a folder, all or nothing; an older reasoner there is replaced.

        Args:
            path: the folder.
            documents: further text files by name, such as training.json and README.md.
        """
        folder = Path(path)
        with whole_folder(folder, ENCODER_FILE) as part:  # config.json alone may be anybody's
            graph_path = self.graph.path
            saved = {
                "format_version": FORMAT_VERSION,
                "labels": [str(label) for label in self.labels],
                "relations": list(self.relations),
                "graph": {
                    "path": os.path.relpath(graph_path, folder) if graph_path else "",
                    "fingerprint": self.graph.overlay.base_fingerprint,
                },
                "settings": self.config.to_json(),
            }
            if self.config.model.adapter != "none":
                saved["base_encoder"] = describe_base_encoder(folder, self.config.model, self.model.encoder)
            (part / CONFIG_FILE).write_text(json_text(saved), encoding="utf-8")
            write_weights(part, self.model, self.model.encoder)
            self.tokenizer.save_pretrained(str(part / TOKENIZER_FOLDER))
            if self.calibration != UNCALIBRATED:
                write_calibration(part, self.calibration)
            for name, text in (documents or {}).items():
                (part / name).write_text(text, encoding="utf-8")
        self.origin = folder

    def merge_adapter(self) -> None:
        """Work the adapter into the encoder, so that a saved run is whole; answers change by rounding only."""
        merge_adapter(self.model.encoder)
        self.config = replace(self.config, model=replace(self.config.model, adapter="none"))

    # ---- answering

    def ground_all(
        self,
        examples: Sequence[NLIExample],
        *,
        num_workers: int = 1,
        cache_dir: str = NO_CACHE,
        show_progress: bool = False,
    ) -> list[Grounding]:
        """Link and retrieve for every example, in order; see `Grounder.ground_all` for arguments and errors."""
        return self.grounder.ground_all(
            examples, num_workers=num_workers, cache_dir=cache_dir, show_progress=show_progress
        )

    def score(
        self, examples: Sequence[NLIExample], groundings: Sequence[Grounding], batch_size: int = 32
    ) -> Scores:
        """Return the logits of examples that are already grounded.

        Args:
            examples: in any order; the result has theirs.
            groundings: one per example.
            batch_size: examples per pass; changes no logit by more than rounding.
        """
        # Pairs of like length share a batch, so that little of it is padding.
        lengths = [len(example.premise) + len(example.hypothesis) for example in examples]
        order = np.argsort(lengths, kind="stable").tolist()
        outputs = list(self._run([examples[row] for row in order], [groundings[row] for row in order], batch_size))
        shape = (len(examples), len(self.labels))
        logits, text_logits = np.empty(shape), np.empty(shape)
        if outputs:
            logits[order] = np.concatenate([output.logits for output in outputs])
            text_logits[order] = np.concatenate([output.text_logits for output in outputs])
        return Scores(logits, text_logits)

    def predict(self, pairs: Sequence[tuple[str, str]], *, batch_size: int = 32) -> list[Prediction]:
        """Answer (premise, hypothesis) pairs, in order; an empty premise asks whether the graph supports a claim.

        The call has the shape of sentence-transformers' CrossEncoder.predict.

        Args:
            pairs: of sentences; none gives no answers.
            batch_size: pairs per pass.

        Raises:
            ConfigError: a text is longer than the linker's limit.
        """
        return self.predict_examples([NLIExample(premise, hypothesis) for premise, hypothesis in pairs], batch_size)

    def predict_examples(self, examples: Sequence[NLIExample], batch_size: int = 32) -> list[Prediction]:
        """Answer examples, which may bring names of their own (`NLIExample.names`).

        Raises:
            ConfigError: a text is longer than the linker's limit.
            UnknownEntityError: a name stands for an entity that the graph does not hold.
        """
        return list(self.iter_predictions(examples, batch_size))

    def iter_predictions(self, examples: Iterable[NLIExample], batch_size: int = 32) -> Iterator[Prediction]:
        """Answer examples one batch at a time, so that a long file needs no more memory than a short one.

        Raises:
            ConfigError: a text is longer than the linker's limit.
            UnknownEntityError: a name stands for an entity that the graph does not hold.
        """
        batch: list[NLIExample] = []
        for example in examples:
            batch.append(example)
            if len(batch) == batch_size:
                yield from self._predict_batch(batch)
                batch = []
        if batch:
            yield from self._predict_batch(batch)

    def _predict_batch(self, examples: Sequence[NLIExample]) -> Iterator[Prediction]:
        groundings = [self.grounder.ground(example) for example in examples]
        for output in self._run(examples, groundings, len(examples)):
            for row, (example, grounding) in enumerate(zip(examples, groundings, strict=True)):
                yield self._prediction(
                    example, grounding, output.logits[row], output.text_logits[row], output.contributions[row]
                )

    def _run(
        self, examples: Sequence[NLIExample], groundings: Sequence[Grounding], batch_size: int
    ) -> Iterator[_Outputs]:
        examples = [replace(example, label=None) for example in examples]  # two-way labels suit three-way models too
        was_training = self.model.training
        self.model.eval()
        device = next(self.model.parameters()).device
        try:
            for first in range(0, len(examples), batch_size):
                rows = slice(first, first + batch_size)
                batch = self.collator(examples[rows], groundings[rows]).to(device)
                with torch.inference_mode():
                    output = self.model(batch)
                    text_logits = self._text_logits(examples[rows], groundings[rows], output.text_logits)
                contributions = output.contributions.double().cpu().numpy()
                bounds = np.cumsum([0, *(grounding.paths.num_paths for grounding in groundings[rows])])
                yield _Outputs(
                    output.logits.double().cpu().numpy(),
                    text_logits.double().cpu().numpy(),
                    [contributions[start:end] for start, end in zip(bounds[:-1], bounds[1:], strict=True)],
                )
        finally:
            self.model.train(was_training)

    def _text_logits(
        self, examples: Sequence[NLIExample], groundings: Sequence[Grounding], text_logits: Tensor
    ) -> Tensor:
        """Return the logits from text alone, [batch_size, num_labels].

        A control that mixes the paths into the text is asked once more for the pairs that have some, without them; the
        others keep their logits to the last bit.
        """
        rows = [row for row, grounding in enumerate(groundings) if grounding.has_evidence]
        if self.config.model.evidence not in MIXED_EVIDENCE or not rows:
            return text_logits
        bare = self.collator([examples[row] for row in rows], [groundings[row].without_paths() for row in rows])
        text_logits = text_logits.clone()
        text_logits[rows] = self.model(bare.to(text_logits.device)).logits
        return text_logits

    def _prediction(
        self,
        example: NLIExample,
        grounding: Grounding,
        logits: NDArray[np.float64],
        text_logits: NDArray[np.float64],
        contributions: NDArray[np.float64],
    ) -> Prediction:
        graph, language = self.graph, self.config.linker.language
        return Prediction(
            premise=example.premise,
            hypothesis=example.hypothesis,
            answer=self.answer(logits),
            text_answer=self.answer(text_logits, from_text=True),
            premise_mentions=describe_mentions(graph, grounding.premise_mentions, language),
            hypothesis_mentions=describe_mentions(graph, grounding.hypothesis_mentions, language),
            evidence=describe_evidence(graph, grounding, contributions, self.labels, language),
        )

    def answer(self, logits: NDArray[np.float64], *, from_text: bool = False) -> Answer:
        """Return logits, [num_labels], as an answer with the temperature of its kind, fused or from text alone."""
        temperature = self.calibration.text_temperature if from_text else self.calibration.temperature
        return Answer(dict(zip(self.labels, logits.tolist(), strict=True)), temperature)
