"""Causality: does the model tell a cause from its effect, and does the graph help?

Three questions to causes with their effects, from a list (`cause_pairs.py`) and from the causal relations of the graph;
labelled examples play no part.

- Direction: is the effect held more likely to follow from the cause than the cause from the effect? 0.5 is chance.
- Because: does "B because A." entail "A, so B.", and not "B, so A." nor "A because B."?
- Choice, for files of alternatives: is the right cause or effect held the likelier one?

Beside the answers stand those of the same model from the text alone, and those without the paths that use a causal
relation.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kg_reason.audits.cause_pairs import CausePair, Choice, graph_causes, load_causes, sentence
from kg_reason.audits.result import AuditResult, Plot, Series, Table
from kg_reason.calibration import class_probabilities
from kg_reason.config import AuditConfig
from kg_reason.evaluation import mcnemar, wilson
from kg_reason.kg.grounding import Grounding
from kg_reason.kg.relation_kinds import KINDS, relation_kinds
from kg_reason.nli import Label, NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.synthesis.relation_table import load_table

MAX_GRAPH_PAIRS = 200
MISTAKES_SHOWN = 8  # of each kind
CAUSAL_KIND = 1 + KINDS.index("causes")

# What is asked of every pair: premise and hypothesis, with the clauses in place of {cause} and {effect}.
QUESTIONS = (
    ("{cause}", "{effect}"),
    ("{effect}", "{cause}"),
    ("{effect} because {cause}", "{cause}, so {effect}"),
    ("{effect} because {cause}", "because {cause}, {effect}"),
    ("{effect} because {cause}", "{effect}, so {cause}"),
    ("{effect} because {cause}", "because {effect}, {cause}"),
    ("{effect} because {cause}", "{cause} because {effect}"),
)
FORWARD, BACKWARD = 0, 1
RIGHT, REVERSED = slice(2, 4), slice(4, 6)  # the same two forms, told in both directions
TURNED_BECAUSE = 6

Item = TypeVar("Item")
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """The answers to some questions about some pairs.

    Attributes:
        examples: the pairs of sentences, question after question, pair after pair.
        groundings: one per example.
        entailment: probability of entailment with the graph, [num_pairs, num_questions].
        text_entailment: from the text alone.
        entailed: whether entailment is the answer, with the graph.
        text_entailed: from the text alone.
    """

    examples: tuple[NLIExample, ...]
    groundings: tuple[Grounding, ...]
    entailment: Numbers
    text_entailment: Numbers
    entailed: Flags
    text_entailed: Flags

    def kinds(self) -> tuple[tuple[str, Numbers, Flags], ...]:
        """Return prefix of measures, probabilities and answers, for the graph and for the text alone."""
        return ("", self.entailment, self.entailed), ("text_", self.text_entailment, self.text_entailed)


def audit_causality(reasoner: Reasoner, examples: Sequence[NLIExample], config: AuditConfig) -> AuditResult:
    """Ask which of two clauses is the cause, in plain order, with "because" and as a choice.

    Args:
        reasoner: answers; it stays as it is.
        examples: not looked at: the pairs come from a list and from the graph.
        config: `cause_file`, `max_examples` (causes, and choices, asked at most), `audit_seed` and `batch_size` are
            used.

    Raises:
        ConfigError: the file's name has a wrong ending.
        InputSyntaxError: the file cannot be read.
    """
    del examples
    causes = load_causes(config.cause_file)
    causal = _causal_relations(reasoner)
    max_pairs = min(MAX_GRAPH_PAIRS, config.max_examples)
    from_graph = graph_causes(
        reasoner.graph, causal, max_pairs, seed=config.audit_seed, language=reasoner.config.linker.language or "en"
    )
    listed = _draw(causes.pairs, config)
    asked = {"listed": _ask(reasoner, listed, QUESTIONS, config.batch_size)}
    if from_graph:
        asked["graph"] = _ask(reasoner, from_graph, QUESTIONS, config.batch_size)
    measures: dict[str, float] = {}
    rows: list[tuple[str, ...]] = []
    for source, answers in asked.items():
        prefix = "" if source == "listed" else f"{source}_"
        for kind, shares in _shares(answers).items():
            for name, flags in shares.items():
                measures[f"{kind}{prefix}{name}"] = float(flags.mean())
        rows += _share_rows(source, answers)
    effect = _without_causal_paths(reasoner, list(asked.values()), causal, config.batch_size)
    measures.update(effect)
    choices = _draw(causes.choices, config)
    if choices:
        found = _ask_choices(reasoner, choices, config.batch_size)
        measures.update({f"{kind}choice": float(flags.mean()) for kind, flags in found.items()})
        rows.append(("choices", "right alternative preferred", *map(_told, found.values())))
    return AuditResult(
        name="causality",
        question="Does the model tell a cause from its effect, and does the graph help?",
        summary=_summary(measures, len(listed)),
        measures=measures,
        tables=(
            Table("Cause and effect", ("pairs", "question", "with the graph", "text alone"), tuple(rows), _NOTE),
            _effect_table(effect),
            _mistake_table(list(asked.values())),
        ),
        plots=(_plot(asked),),
    )


_NOTE = (
    "Shares with their 95 % interval (Wilson). An order is preferred that has the higher probability of entailment: "
    "there, 50 % is chance."
)


# ---- asking


def _draw(items: Sequence[Item], config: AuditConfig) -> list[Item]:
    if len(items) <= config.max_examples:
        return list(items)
    drawn = random.Random(config.audit_seed).sample(range(len(items)), config.max_examples)
    return [items[number] for number in sorted(drawn)]


def _ask(
    reasoner: Reasoner, pairs: Sequence[CausePair], questions: Sequence[tuple[str, str]], batch_size: int
) -> Asked:
    examples = tuple(
        NLIExample(_fill(premise, pair), _fill(hypothesis, pair)) for pair in pairs for premise, hypothesis in questions
    )
    groundings = tuple(reasoner.ground_all(examples))
    return _answer(reasoner, examples, groundings, (len(pairs), len(questions)), batch_size)


def _fill(form: str, pair: CausePair) -> str:
    return sentence(form.replace("{cause}", pair.cause).replace("{effect}", pair.effect))


def _answer(
    reasoner: Reasoner, examples: tuple[NLIExample, ...], groundings: tuple[Grounding, ...], shape: tuple[int, int],
    batch_size: int,
) -> Asked:  # fmt: skip
    scores, calibration = reasoner.score(examples, groundings, batch_size), reasoner.calibration
    column = reasoner.labels.index(Label.ENTAILMENT)
    fused = class_probabilities(scores.logits, calibration.temperature)
    text = class_probabilities(scores.text_logits, calibration.text_temperature)
    return Asked(
        examples,
        groundings,
        entailment=fused[:, column].reshape(shape),
        text_entailment=text[:, column].reshape(shape),
        entailed=(fused.argmax(axis=1) == column).reshape(shape),
        text_entailed=(text.argmax(axis=1) == column).reshape(shape),
    )


def _ask_choices(reasoner: Reasoner, choices: Sequence[Choice], batch_size: int) -> dict[str, Flags]:
    """Tell for which choices the right alternative is preferred, each asked in the order of cause and effect."""
    pairs = [choice.pair(number) for choice in choices for number in range(len(choice.alternatives))]
    bounds = np.cumsum([len(choice.alternatives) for choice in choices])[:-1]
    found = {}
    for kind, entailment, _ in _ask(reasoner, pairs, QUESTIONS[FORWARD : FORWARD + 1], batch_size).kinds():
        by_choice = zip(choices, np.split(entailment[:, 0], bounds), strict=True)
        found[kind] = np.array([int(values.argmax()) == choice.right for choice, values in by_choice], dtype=np.bool_)
    return found


def _causal_relations(reasoner: Reasoner) -> NDArray[np.int64]:
    """Return 1 for relations from cause to effect, -1 for those from effect to cause, else 0, [num_relations]."""
    kinds = relation_kinds(reasoner.graph, load_table().groups, reasoner.config.model.relation_kinds)
    return np.where(np.abs(kinds) == CAUSAL_KIND, np.sign(kinds), 0)


def _without_causal_paths(
    reasoner: Reasoner, asked: Sequence[Asked], causal: NDArray[np.int64], batch_size: int
) -> dict[str, float]:
    """Ask the direction of the pairs that causal relations join once more, without the paths that use one.

    Returns:
        Their number, and, if there are any, the share with the right direction preferred with and without these paths,
        and the mid-p value of McNemar's test that these differ.
    """
    examples: list[NLIExample] = []
    groundings: list[Grounding] = []
    preferred: list[bool] = []
    for answers in asked:
        for number in range(len(answers.entailment)):
            rows = [number * len(QUESTIONS) + place for place in (FORWARD, BACKWARD)]
            bare = [_drop(answers.groundings[row], causal) for row in rows]
            if all(new.paths.num_paths == answers.groundings[row].paths.num_paths
                   for new, row in zip(bare, rows, strict=True)):  # fmt: skip
                continue
            examples += [answers.examples[row] for row in rows]
            groundings += bare
            preferred.append(bool(answers.entailment[number, FORWARD] > answers.entailment[number, BACKWARD]))
    if not preferred:
        return {"num_causal_paths": 0.0}
    bare_answers = _answer(reasoner, tuple(examples), tuple(groundings), (len(preferred), 2), batch_size).entailment
    before, after = np.array(preferred), bare_answers[:, 0] > bare_answers[:, 1]
    return {
        "num_causal_paths": float(len(before)),
        "direction_with_causal_paths": float(before.mean()),
        "direction_without_causal_paths": float(after.mean()),
        "causal_paths_p": mcnemar(int((before & ~after).sum()), int((~before & after).sum()))[1],
    }


def _drop(grounding: Grounding, causal: NDArray[np.int64]) -> Grounding:
    """Return a grounding without the paths that use a causal relation."""
    paths = grounding.paths
    used = np.arange(paths.relations.shape[1]) < paths.length[:, None]  # [num_paths, MAX_STEPS]
    is_causal = (causal[np.where(used, paths.relations, 0)] != 0) & used
    return replace(grounding, paths=paths.take(~is_causal.any(axis=1)))


# ---- counting and showing


def _shares(answers: Asked) -> dict[str, dict[str, Flags]]:
    """Return, for the graph and for the text alone, which pairs are answered as they should be, by measure."""
    found = {}
    for kind, entailment, entailed in answers.kinds():
        reversed_entailed = entailed[:, REVERSED].any(axis=1) | entailed[:, TURNED_BECAUSE]
        found[kind] = {
            "direction": entailment[:, FORWARD] > entailment[:, BACKWARD],
            "because_told_apart": entailment[:, RIGHT].mean(axis=1) > entailment[:, REVERSED].mean(axis=1),
            "because_accepted": entailed[:, RIGHT].all(axis=1),
            "reversed_refused": ~entailed[:, TURNED_BECAUSE],
            "because_consistent": entailed[:, RIGHT].all(axis=1) & ~reversed_entailed,
        }
    return found


_SHOWN = {
    "direction": "A / B: the effect follows rather than the cause",
    "because_told_apart": "B because A / A, so B: preferred to B, so A",
    "because_accepted": "B because A / A, so B: answered entailment",
    "reversed_refused": "B because A / A because B: not answered entailment",
    "because_consistent": "B because A: all right forms and no reversed one answered entailment",
}


def _share_rows(source: str, answers: Asked) -> list[tuple[str, ...]]:
    shares = _shares(answers)
    name = f"{source}, {len(answers.entailment)}"
    return [(name, shown, *(_told(shares[kind][key]) for kind in ("", "text_"))) for key, shown in _SHOWN.items()]


def _told(flags: Flags) -> str:
    low, high = wilson(int(flags.sum()), len(flags))
    return f"{100 * flags.mean():.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _summary(measures: dict[str, float], num_listed: int) -> str:
    told = (
        f"Of {num_listed} causes with their effects, the effect follows rather than the cause in "
        f"{100 * measures['direction']:.1f} % with the graph and {100 * measures['text_direction']:.1f} % from the "
        f"text alone (chance: 50 %); \"A because B\" is told from \"B because A\" in "
        f"{100 * measures['because_told_apart']:.1f} % and {100 * measures['text_because_told_apart']:.1f} %, and the "
        f"reversed one is not called entailment in {100 * measures['reversed_refused']:.1f} % and "
        f"{100 * measures['text_reversed_refused']:.1f} %."
    )
    if not measures["num_causal_paths"]:
        return f"{told} No path with a causal relation joins any of them."
    return (
        f"{told} Paths with causal relations join {measures['num_causal_paths']:.0f} pairs, whose direction is right "
        f"in {100 * measures['direction_with_causal_paths']:.1f} % with them and "
        f"{100 * measures['direction_without_causal_paths']:.1f} % without."
    )


def _effect_table(effect: dict[str, float]) -> Table:
    num_pairs = int(effect["num_causal_paths"])
    rows = []
    for name, key in (("with them", "direction_with_causal_paths"), ("without", "direction_without_causal_paths")):
        if key in effect:
            low, high = wilson(round(effect[key] * num_pairs), num_pairs)
            rows.append((name, f"{100 * effect[key]:.1f} % ({100 * low:.1f} to {100 * high:.1f})"))
    note = f"{num_pairs} pairs are joined by a path with a causal relation, in one order or the other."
    if num_pairs:
        note += f" That the two shares differ: p = {effect['causal_paths_p']:.3f} (McNemar's test, mid-p)."
    return Table("Direction with and without paths of causal relations", ("paths", "direction"), tuple(rows), note)


def _mistake_table(asked: Sequence[Asked]) -> Table:
    """Show the reversed pairs that the model believes most."""
    turned: list[tuple[float, tuple[str, ...]]] = []
    because: list[tuple[float, tuple[str, ...]]] = []
    for answers in asked:
        for number in range(len(answers.entailment)):
            values, text = answers.entailment[number], answers.text_entailment[number]
            excess = float(values[BACKWARD] - values[FORWARD])
            if excess > 0:
                turned.append((excess, _row(answers, number, BACKWARD, "effect before cause", values, text)))
            if answers.entailed[number, TURNED_BECAUSE]:
                row = _row(answers, number, TURNED_BECAUSE, "because, reversed", values, text)
                because.append((float(values[TURNED_BECAUSE]), row))
    rows = [row for kind in (turned, because) for _, row in sorted(kind, key=lambda item: (-item[0], item[1]))
            [:MISTAKES_SHOWN]]  # fmt: skip
    columns = ("mistake", "premise", "hypothesis", "entailment", "text: entailment")
    return Table("Mistakes made with most confidence", columns, tuple(rows))


def _row(answers: Asked, number: int, place: int, name: str, values: Numbers, text: Numbers) -> tuple[str, ...]:
    example = answers.examples[number * len(QUESTIONS) + place]
    return (name, example.premise, example.hypothesis, f"{values[place]:.3f}", f"{text[place]:.3f}")


def _plot(asked: dict[str, Asked]) -> Plot:
    series = []
    for kind, shown in (("", "with the graph"), ("text_", "text alone")):
        names, values, lows, highs = [], [], [], []
        for source, answers in asked.items():
            for key in ("direction", "because_told_apart", "reversed_refused"):
                flags = _shares(answers)[kind][key]
                low, high = wilson(int(flags.sum()), len(flags))
                names.append(f"{source}: {key.replace('_', ' ')}")
                values.append(float(flags.mean()))
                lows.append(low)
                highs.append(high)
        series.append(Series(shown, tuple(names), tuple(values), tuple(lows), tuple(highs)))
    return Plot("cause-and-effect", "Cause and effect told apart", "bars", "question", "share of pairs",
                tuple(series), y_range=(0.0, 1.0))  # fmt: skip
