"""What is wrong with a graph, a run or an example file, and how to mend it; and what each of them is.

Nothing is changed, and nothing that could run code is opened: a pickle is refused by its name.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg_reason.config import ExampleConfig
from kg_reason.errors import BadLinesError, GraphError, InputSyntaxError, KGReasonError
from kg_reason.example_rows import SUFFIXES
from kg_reason.examples import read_examples
from kg_reason.kg.archives import COMPRESSIONS
from kg_reason.kg.files import file_checksum
from kg_reason.kg.graph import ENDPOINT_SCHEME, KnowledgeGraph
from kg_reason.kg.soundness import Finding, examine_graph, leftovers
from kg_reason.kg.storage import HEADER_FILE
from kg_reason.nli import Label, NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.run_folder import CONFIG_FILE, ENCODER_FILE, TOKENIZER_FOLDER, WEIGHTS_FILE
from kg_reason.training.checkpoint import has_checkpoint

GRAPH, RUN, UNFINISHED_RUN, EXAMPLES, UNKNOWN = "graph", "run", "unfinished run", "examples", "unknown"
PICKLE_SUFFIXES = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".dill")
PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
RARE_SHARE = 0.1
MAX_WORDS = 200


@dataclass(frozen=True)
class Diagnosis:
    """What a look at one path gave.

    Attributes:
        path: as the user named it.
        kind: graph, run, unfinished run, examples or unknown.
        findings: what is wrong, and advice.
    """

    path: str
    kind: str
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is wrong; advice does not count."""
        return all(finding.is_advice for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the diagnosis as plain data."""
        findings = [finding.to_json() for finding in self.findings]
        return {"path": self.path, "kind": self.kind, "is_sound": self.is_sound, "findings": findings}

    def to_text(self) -> str:
        """Return the diagnosis as a page for the terminal."""
        num_wrong = sum(not finding.is_advice for finding in self.findings)
        verdict = "is sound" if not num_wrong else f"has {num_wrong:,} fault{'s' if num_wrong > 1 else ''}"
        kind = f" ({self.kind})" if self.kind != UNKNOWN else ""
        rows = [f"{self.path}{kind} {verdict}"]
        for finding in sorted(self.findings, key=lambda item: item.is_advice):
            rows.append(f"  {'advice' if finding.is_advice else 'fault '}  {finding.place}: {finding.problem}")
            rows.append(f"          -> {finding.remedy}")
        return "\n".join(rows)


def examine(path: Path) -> Diagnosis:
    """Look at a graph folder, a run folder or an example file."""
    kind = find_kind(path)
    looks = {GRAPH: examine_graph, RUN: _examine_run, UNFINISHED_RUN: _examine_unfinished, EXAMPLES: _examine_examples}
    look = looks.get(kind, _examine_unknown)
    return Diagnosis(str(path), kind, tuple(look(path)))


def find_kind(path: Path) -> str:
    """Tell what a path is by what lies there."""
    if (path / HEADER_FILE).exists():
        return GRAPH
    if any((path / name).exists() for name in (CONFIG_FILE, WEIGHTS_FILE, ENCODER_FILE)):
        return RUN
    if path.is_dir():
        return UNFINISHED_RUN if has_checkpoint(path / "checkpoint") else UNKNOWN
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in COMPRESSIONS]
    return EXAMPLES if path.is_file() and suffixes and suffixes[-1] in SUFFIXES else UNKNOWN


def describe(path: Path) -> dict[str, Any]:
    """Return what a graph, a run or an example file is, in plain data, with its fingerprint.

    Raises:
        KGReasonError: it is none of these, or cannot be opened.
    """
    kind = find_kind(path)
    facts: dict[str, Any] = {"path": str(path), "kind": kind}
    if kind == GRAPH:
        graph = KnowledgeGraph.open(path)
        return facts | {
            "fingerprint": graph.fingerprint, "num_entities": graph.num_entities, "num_triples": graph.num_edges,
            "num_relations": graph.num_relations, "num_edits": len(graph.overlay.edits),
        }  # fmt: skip
    if kind == RUN:
        saved = _read_object(path / CONFIG_FILE)
        settings = saved.get("settings", {}).get("model", {})
        graph_facts = saved.get("graph", {})
        graph_path = os.path.normpath(path / graph_facts["path"]) if graph_facts.get("path") else ""
        return facts | {
            "fingerprint": file_checksum(path / WEIGHTS_FILE)[:16], "labels": saved.get("labels", []),
            "encoder": settings.get("encoder", ""), "evidence": settings.get("evidence", ""), "graph": graph_path,
            "graph_fingerprint": graph_facts.get("fingerprint", ""),
        }  # fmt: skip
    if kind == EXAMPLES:
        examples = read_examples(path, require_labels=False)
        labels = Counter(str(example.label or "(none)") for example in examples)
        return facts | {
            "fingerprint": file_checksum(path)[:16], "num_pairs": len(examples),
            **{f"num_{label}": count for label, count in sorted(labels.items())},
        }  # fmt: skip
    raise KGReasonError(f"{path}: {_unknown_problem(path)}")


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise KGReasonError(f"{path}: missing") from error
    except ValueError as error:
        raise KGReasonError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise KGReasonError(f"{path}: found {type(content).__name__}, expected an object")
    return content


def _unknown_problem(path: Path) -> str:
    if str(path).startswith(ENDPOINT_SCHEME):
        return "found an endpoint, which has no files to look at; expected a graph, a run or an example file"
    if not path.exists():
        return "no such file or folder"
    if path.is_dir():
        return f"found neither a graph ({HEADER_FILE}) nor a run ({CONFIG_FILE})"
    return f"found suffix {path.suffix!r}, expected an example file ({', '.join(SUFFIXES)}), a graph or a run"


def _examine_unknown(path: Path) -> Iterator[Finding]:
    remedy = "check the path; triples files are checked by kg-reason build" if path.exists() else "check the path"
    yield Finding(str(path), _unknown_problem(path), remedy)
    if path.is_dir():
        yield from leftovers(path)


# ---- runs


def _examine_run(folder: Path) -> Iterator[Finding]:
    yield from _pickles(folder)
    missing = [name for name in (CONFIG_FILE, WEIGHTS_FILE, ENCODER_FILE) if not (folder / name).is_file()]
    missing += [f"{TOKENIZER_FOLDER}/tokenizer.json"] * (not (folder / TOKENIZER_FOLDER / "tokenizer.json").is_file())
    for name in missing:
        yield Finding(str(folder / name), "missing", "copy the whole run folder again, or train anew")
    try:
        if (folder / "training.json").is_file():
            _read_object(folder / "training.json")
        saved = _read_object(folder / CONFIG_FILE)
        graph_facts = saved["graph"]
        place, fingerprint = graph_facts["path"], graph_facts["fingerprint"]
    except (KGReasonError, KeyError, TypeError) as error:
        if not missing:
            problem = str(error) if isinstance(error, KGReasonError) else f"found no {error} of the graph"
            yield Finding(str(folder / CONFIG_FILE), problem, "restore the run folder, or train anew")
        return
    graph = None
    if place:
        path = Path(os.path.normpath(folder / place))
        try:
            graph = KnowledgeGraph.open(path)
        except GraphError as error:
            remedy = f"build the graph at {path}, or name another one with --graph"
            yield Finding(str(folder), f"its graph cannot be opened: {error}", remedy)
        if graph is not None and graph.overlay.base_fingerprint != fingerprint:
            found = graph.overlay.base_fingerprint
            problem = f"its graph {path} has fingerprint {found}, expected {fingerprint}: it was built anew since"
            yield Finding(str(folder), problem, f"train anew, or use it all the same with --graph {path}")
        elif graph is not None and graph.overlay.edits:
            problem = f"its graph {path} was edited since it was built"
            yield Finding(str(folder), problem, "they count at once; nothing needs to be done", is_advice=True)
    else:
        yield Finding(str(folder), "was trained with a graph in memory", "name a graph with --graph", is_advice=True)
    if not missing:
        try:
            Reasoner.load(folder, graph or KnowledgeGraph.from_triples([]))
        except KGReasonError as error:
            yield Finding(str(folder), str(error), "restore the run folder, or train anew")
    yield from leftovers(folder)
    work = folder.with_name(f"{folder.name}.training")
    if has_checkpoint(work / "checkpoint"):
        yield Finding(str(work), "an interrupted run", "train with --resume, or remove the folder", is_advice=True)


def _pickles(folder: Path) -> Iterator[Finding]:
    """Yield the files that are, or are named like, pickles: reading one may run any code."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        with path.open("rb") as stream:
            starts = stream.read(2) in PICKLE_STARTS
        if starts or path.suffix.lower() in PICKLE_SUFFIXES:
            problem = "a pickle may run any code when it is read; kg_reason never reads one and never wrote this"
            yield Finding(str(path), problem, "remove it, and find out how it came here")


def _examine_unfinished(folder: Path) -> Iterator[Finding]:
    yield from _pickles(folder)
    run = folder.with_name(folder.name.removesuffix(".training"))
    problem = f"the checkpoint of an interrupted run of {run}"
    yield Finding(str(folder), problem, "train with --resume, or remove the folder", is_advice=True)


# ---- examples


def _examine_examples(path: Path) -> Iterator[Finding]:
    try:
        examples = read_examples(path, ExampleConfig(), require_labels=False)
    except BadLinesError as error:
        for bad_line in error.bad_lines:
            is_header = bad_line.reason.startswith(("found columns", "found no column"))
            remedy = "name the columns, or check triples with kg-reason build" if is_header else "mend this line"
            yield Finding(f"{bad_line.path}:{bad_line.line}", bad_line.reason, remedy)
        more = error.num_bad_lines - len(error.bad_lines)
        if more:
            yield Finding(str(path), f"{more:,} more bad lines", "mend the first ones and look again")
        return
    except InputSyntaxError as error:
        yield Finding(str(path), str(error), "write the file again as UTF-8 in the format of its suffix")
        return
    if not examples:
        yield Finding(str(path), "found no example", "add lines with premise, hypothesis and label")
        return
    yield from _examine_labels(path, examples)
    yield from _examine_repeats(path, examples)
    num_claims = sum(not example.premise.strip() for example in examples)
    if num_claims:
        problem = f"{num_claims:,} pairs have an empty premise"
        yield Finding(str(path), problem, "fine for claims to verify; otherwise fill them in", is_advice=True)
    texts = [text for example in examples for text in (example.premise, example.hypothesis)]
    num_long = sum(len(text.split()) > MAX_WORDS for text in texts)
    if num_long:
        problem = f"{num_long:,} texts have more than {MAX_WORDS} words and will be cut (--max-tokens)"
        yield Finding(str(path), problem, "shorten them to what matters", is_advice=True)


def _examine_labels(path: Path, examples: list[NLIExample]) -> Iterator[Finding]:
    counts = Counter(example.label for example in examples)
    num_unlabelled = counts.pop(None, 0)
    if not counts:
        yield Finding(str(path), "no pair has a label", "fine for query; training needs labels", is_advice=True)
        return
    if num_unlabelled:
        problem = f"{num_unlabelled:,} pairs have no label"
        yield Finding(str(path), problem, "label them, or leave them out with --skip-unlabelled", is_advice=True)
    if Label.NOT_ENTAILMENT in counts and (Label.NEUTRAL in counts or Label.CONTRADICTION in counts):
        problem = "two-way and three-way labels are mixed"
        yield Finding(str(path), problem, "use one set of labels, or train with --task two-way", is_advice=True)
    total = sum(counts.values())
    if len(counts) == 1:
        only = next(iter(counts))
        yield Finding(str(path), f"every label is {only}", "add pairs of the other labels", is_advice=True)
    for label, count in sorted(counts.items()):
        if label is not None and count < RARE_SHARE * total:
            problem = f"only {count:,} of {total:,} pairs are {label}"
            yield Finding(str(path), problem, "add some, or train with --class-weights balanced", is_advice=True)


def _examine_repeats(path: Path, examples: list[NLIExample]) -> Iterator[Finding]:
    first: dict[bytes, NLIExample] = {}
    num_repeats, differing = 0, []
    for example in examples:
        plain = json.dumps([example.premise, example.hypothesis, sorted(example.names.items())])
        known = first.setdefault(hashlib.sha256(plain.encode()).digest(), example)
        if known is not example:
            num_repeats += known.label == example.label
            if known.label != example.label and known.label and example.label:
                differing.append((known, example))
    for known, example in differing[:5]:
        problem = f"{example.premise!r} / {example.hypothesis!r} is {known.label} and {example.label}"
        yield Finding(str(path), problem, "decide for one of the labels")
    if len(differing) > 5:
        problem = f"{len(differing) - 5:,} more pairs have two labels"
        yield Finding(str(path), problem, "decide for one of the labels")
    if num_repeats:
        yield Finding(str(path), f"{num_repeats:,} pairs are repeats", "remove them", is_advice=True)
