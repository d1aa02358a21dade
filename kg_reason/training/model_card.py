"""The model card of a run: what the model is, what it learned from and how well it answered, in Markdown for people.

The head is the YAML that the Hugging Face hub reads; the licence of the model is its owner's to choose and is left out.
The same facts as data are `run_record.py`; what audits find is added by `audits/card.py`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kg_reason.config import Config, TrainConfig
from kg_reason.evaluation import wilson
from kg_reason.model.adapter import is_adapter
from kg_reason.model.encoder import PACKAGED_ENCODER
from kg_reason.reasoner import Reasoner
from kg_reason.training.run_record import TrainReport

HUB_NAMES = {PACKAGED_ENCODER: "sentence-transformers/all-MiniLM-L6-v2"}  # what a package holds, by its hub name
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
TAGS = ("natural-language-inference", "knowledge-graph", "kg_reason")
UNTOLD = {"num_workers", "cache_dir", "tracker", "save_every"}  # settings of the machine, not of the model
BAR = r"\|"  # a bar inside a cell of a table
PAIR = ("A man plays a violin.", "A man plays an instrument.")
EVIDENCE_TEXT = {
    "paths": "It encodes the pair with a text encoder, looks its words up in a knowledge graph, and adds to the text's "
    "answer what each path between them contributes. Every answer comes with the answer from text alone beside it, and "
    "with the paths that moved it, each with its contribution and the file and line of its triples.",
    "text": "It is a control: it encodes the pair with a text encoder and uses no path of the graph.",
    "counts": "It is a control: paths of the knowledge graph count only by how often each relation occurs in them.",
    "verbalised": "It is a control: paths of the knowledge graph are written into the text behind the hypothesis.",
    "tokens": "It is a control: paths of the knowledge graph enter the text encoder as further input tokens.",
}


def model_card(
    name: str, reasoner: Reasoner, config: TrainConfig, report: TrainReport, account: Mapping[str, Any]
) -> str:
    """Write the card.

    Args:
        name: of the run folder.
        reasoner: as trained.
        config: the settings of the run.
        report: what the run came to.
        account: the content of `training.json`, from `describe_run`.
    """
    labels = ", ".join(reasoner.labels)
    sections = [
        "\n".join(["---", *_head(reasoner), "---"]),
        f"# {plain_text(name)}",
        f"Decides what a premise says about a hypothesis: {labels}. "
        f"{EVIDENCE_TEXT[reasoner.config.model.evidence]} Made by kg_reason {account['versions']['kg_reason']}.",
        "## Use\n\n" + _usage(name),
        "## Text encoder and graph\n\n" + _parts(reasoner, account),
        "## Training data\n\n" + _data(account),
        "## Training\n\n" + _training(reasoner, config, report, account),
        "## Results\n\n" + _results(name, reasoner, report),
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in _limits(reasoner)),
    ]
    return "\n\n".join(sections) + "\n"


def _head(reasoner: Reasoner) -> Iterator[str]:
    yield "library_name: kg_reason"
    yield "pipeline_tag: text-classification"
    encoder = reasoner.config.model.encoder
    if encoder in HUB_NAMES or (HUB_NAME.fullmatch(encoder) and not Path(encoder).is_dir()):
        yield f"base_model: {json.dumps(HUB_NAMES.get(encoder, encoder))}"
    if reasoner.config.linker.language:
        yield f"language: {json.dumps(reasoner.config.linker.language)}"
    yield from ("tags:", *(f"- {tag}" for tag in TAGS))


def _usage(name: str) -> str:
    shell = shlex.join(["kg-reason", "query", name, *PAIR])
    pair = ", ".join(json.dumps(sentence) for sentence in PAIR)
    python = (
        "from kg_reason import Reasoner\n\n"
        f"reasoner = Reasoner.load({json.dumps(name, ensure_ascii=False)})\n"
        f"prediction = reasoner.predict([({pair})])[0]\n"
        "print(prediction.label, prediction.probabilities, prediction.to_json())"
    )
    remark = (
        "The folder holds weights, tokenizer and settings, not the graph: that is looked for where it was in training, "
        "and `--graph DIR` (in Python `Reasoner.load(folder, graph)`) names another."
    )
    return f"```sh\n{shell}\n```\n\n```python\n{python}\n```\n\n{remark}"


def _parts(reasoner: Reasoner, account: Mapping[str, Any]) -> str:
    """Describe encoder, adapter and graph."""
    graph, encoder = reasoner.graph, reasoner.model.encoder
    shape = encoder.config.to_dict()
    layers, width = shape.get("num_hidden_layers"), shape.get("hidden_size")
    layer_text = f", {layers} layers of width {width}" if layers else ""
    sizes = [sum(parameter.numel() for parameter in part.parameters()) for part in (encoder, reasoner.model)]
    graph_name = code_span(graph.path.name) if graph.path else "in memory"
    counts = f"{graph.num_entities:,} entities, {graph.num_relations:,} relations, {graph.num_edges:,} edges"
    edits = f", {len(graph.overlay.edits):,} edits included" if graph.overlay.edits else ""
    return markdown_table([
        ["", ""],
        ["text encoder", f"{code_span(reasoner.config.model.encoder)} ({shape.get('model_type')}{layer_text})"],
        ["parameters", f"{sizes[1]:,}, of which {sizes[0]:,} in the encoder; none belongs to an entity"],
        *_adapter(reasoner, account["reasoner"]["model"]["adapter"]),
        ["graph", f"{graph_name}: {counts}, {graph.num_aliases:,} labels{edits}"],
        ["fingerprint of the graph", code_span(graph.fingerprint)],
    ])


def _adapter(reasoner: Reasoner, method: str) -> Iterator[list[str]]:
    if reasoner.config.model.adapter != "none":
        size = sum(value.numel() for name, value in reasoner.model.named_parameters() if is_adapter(name))
        rest = "the rest of the encoder is not in this folder and must be where it was in training, unchanged"
        yield ["adapter of the encoder", f"{method}, {size:,} parameters; {rest}"]
    elif method != "none":
        yield ["adapter of the encoder", f"{method}, merged into the encoder"]


def _data(account: Mapping[str, Any]) -> str:
    rows = [["", "read from", "pairs", "labels", "SHA-256 of the pairs"]]
    for split, title in (("examples", "training"), ("replay", "replayed among them"), ("dev", "dev")):
        facts = account.get(split)
        if facts and facts["num_examples"]:
            files = ", ".join(map(code_span, account["files"][split])) or "made in the program"
            digest = code_span(facts["sha256"])
            rows.append([title, files, f"{facts['num_examples']:,}", _shares(facts["labels"]), digest])
    return markdown_table(rows)


def _shares(labels: Mapping[str, int]) -> str:
    total = sum(labels.values())
    return ", ".join(f"{label} {count:,} ({count / total:.0%})" for label, count in labels.items())


def _training(reasoner: Reasoner, config: TrainConfig, report: TrainReport, account: Mapping[str, Any]) -> str:
    told = (
        f"{report.num_steps:,} steps, {report.num_epochs:.2f} passes over the pairs, {report.seconds / 60:.1f} minutes "
        f"on {account['device']} with torch {account['versions']['torch']}, seed {config.seed}."
    )
    origin = account["continued_from"]
    if origin:
        run, digest = code_span(origin["run"]), code_span(origin["sha256"])
        told = f"Continued from the weights of {run} (SHA-256 {digest}). {told}"
    parts = reasoner.config
    rows = [row for group in (config, parts.model, parts.linker, parts.retriever) for row in _differing(group)]
    if not rows:
        return f"{told} All settings had their default values."
    settings = markdown_table([["setting", "value", "default"], *rows])
    return f"{told} Settings other than the defaults (all are in `training.json`):\n\n{settings}"


def _differing(group: Config) -> Iterator[list[str]]:
    defaults = type(group)().to_json()
    for name, value in group.to_json().items():
        if value != defaults[name] and name not in UNTOLD:
            yield [code_span(name), _value(value), _value(defaults[name])]


def _value(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
    return code_span(text) if text else "none"


def _results(name: str, reasoner: Reasoner, report: TrainReport) -> str:
    measure = code_span(f"{shlex.join(['kg-reason', 'evaluate', name])} FILE") + " measures it on labelled pairs"
    best = report.best
    if best is None:
        return f"No dev pairs were given: nothing was measured, and the weights are those of the last step. {measure}."
    answers = [("with the graph", best.dev_accuracy), ("from text alone", best.dev_text_accuracy)]
    rows = [["dev accuracy", "", "95 % interval"]]
    for title, accuracy in answers[1:] if reasoner.config.model.evidence == "text" else answers:
        low, high = wilson(round(accuracy * report.num_dev), report.num_dev)
        rows.append([title, f"{accuracy:.1%}", f"{low:.1%} to {high:.1%}"])
    chosen = (
        f"On {report.num_dev:,} dev pairs, with the weights of step {report.best_step:,}, the best of "
        f"{len(report.curve):,} looks: on pairs that chose nothing it may be lower. {measure} that had no part in "
        "training."
    )
    return f"{markdown_table(rows)}\n\n{chosen}"


def _limits(reasoner: Reasoner) -> Iterator[str]:
    model = reasoner.config.model
    if model.evidence != "text":
        yield (
            "What the graph does not hold it cannot add: without a path the answer rests on the text alone. Content "
            "words that the graph does not know are listed with every answer."
        )
        yield "A path is only as good as its triples and as the sense chosen for each word; read both where it matters."
    if model.evidence == "paths":
        yield "Contributions add up to the answer exactly. That says what moved it, not that it is right."
    yield f"Pairs longer than {model.max_tokens} word pieces are cut."
    yield (
        "Sentences unlike the training pairs, in kind or language, may be answered badly and with confidence; biases "
        "of the encoder's own training data may show. Decisions about people need a person."
    )


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as a table, the first row its head; a bar in a cell stays in it."""
    lines = [f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def code_span(text: str) -> str:
    """Return text that came from outside as a code span."""
    plain = plain_text(text)
    return f"`` {plain} ``" if "`" in plain else f"`{plain}`"


def plain_text(text: str) -> str:
    """Return a text as one line with single spaces."""
    return " ".join(text.split())
