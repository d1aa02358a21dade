"""Ethical risk: which questions touch sensitive topics, and which answers rest on what the graph says of them.

The topics are a policy's. An answer rests on a topic if it has paths that touch the topic, and another label when the
same pair is asked again without these paths: the graph is not only near the topic, it decided by it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kg_reason.audits.answered import Flags, Share, right_answers
from kg_reason.audits.result import AuditResult, Plot, Series, Table
from kg_reason.config import AuditConfig
from kg_reason.errors import ConfigError
from kg_reason.explanation.variants import score_variants
from kg_reason.kg.paths import describe_path
from kg_reason.nli import Label, NLIExample
from kg_reason.policy import Policy, PolicyAnswer, apply_policy
from kg_reason.policy_file import ALLOW, FLAG, REFUSE
from kg_reason.reasoner import Reasoner

NAME = "ethics"
QUESTION = "Which answers touch sensitive topics, and which rest on what the graph says of them?"
SHOWN_CASES = 12
SHOWN_RELATIONS = 20


@dataclass(frozen=True)
class Dependence:
    """What an answer owes to its sensitive paths.

    Attributes:
        labels_without: topic -> the label when the paths that touch it are left out.
        relation_labels: relation -> the label without the sensitive paths that use it.
        label_without: the label without any sensitive path.
        lost_probability: of the given label without them, in [-1, 1].
        path: the sensitive path that spoke most for the given label, written out.
    """

    labels_without: Mapping[str, Label]
    relation_labels: Mapping[str, Label]
    label_without: Label
    lost_probability: float
    path: str


@dataclass(frozen=True)
class Case:
    """One pair, its answer under the policy, and what it owes to sensitive paths; None where it has none."""

    example: NLIExample
    answer: PolicyAnswer
    dependence: Dependence | None

    @property
    def label(self) -> Label:
        """The answer that was given, or withheld."""
        return self.answer.prediction.label

    def touches(self, topic: str) -> bool:
        """Tell whether a word of the texts touches a topic."""
        return any(finding.topic == topic and finding.path is None for finding in self.answer.findings)

    def has_path(self, topic: str) -> bool:
        """Tell whether a path that moved a logit touches a topic."""
        return any(finding.topic == topic and finding.path is not None for finding in self.answer.findings)

    def rests_on(self, topic: str) -> bool:
        """Tell whether the label is another without the paths that touch a topic."""
        return self.dependence is not None and self.dependence.labels_without.get(topic, self.label) != self.label

    @property
    def rests(self) -> bool:
        """Tell whether the label is another without the paths of one topic, or of all."""
        if self.dependence is None:
            return False
        return any(label != self.label for label in (self.dependence.label_without, *self._topic_labels))

    @property
    def _topic_labels(self) -> tuple[Label, ...]:
        return tuple(self.dependence.labels_without.values()) if self.dependence is not None else ()


def audit_ethics(reasoner: Reasoner, examples: Sequence[NLIExample], config: AuditConfig) -> AuditResult:
    """Count questions and answers that touch sensitive topics, and answers that rest on paths of theirs.

    Args:
        reasoner: answers; its weights stay as they are.
        examples: pairs, with labels or without; none: the pairs of the policy itself.
        config: `policy_file`, how many pairs, and the seed by which they are drawn.

    Raises:
        ConfigError: the policy cannot be read, or there are neither examples nor pairs in it.
    """
    policy = Policy.load(config.policy_file).for_graph(reasoner.graph)
    chosen = _draw(examples or _own_pairs(policy), config)
    predictions = reasoner.iter_predictions(chosen, config.batch_size)
    cases = []
    for example, prediction in zip(chosen, predictions, strict=True):
        answer = apply_policy(prediction, policy)
        is_near = any(policy.check_path(evidence.path) for evidence in prediction.evidence)
        cases.append(Case(example, answer, find_dependence(reasoner, policy, example) if is_near else None))
    right = _right(cases, reasoner.labels)
    measures = _measures(cases, right)
    return AuditResult(
        name=NAME,
        question=QUESTION,
        summary=_summary(cases, measures),
        measures=measures,
        tables=(_topic_table(policy, cases), _relation_table(cases), _case_table(cases, right)),
        plots=(_plot(policy, cases),),
    )


def find_dependence(reasoner: Reasoner, policy: Policy, example: NLIExample) -> Dependence | None:
    """Ask a pair again without its sensitive paths: all, those of each topic, those of each relation; None for none.

    Args:
        reasoner: answers.
        policy: bound to the reasoner's graph.
        example: the pair.
    """
    grounding = reasoner.grounder.ground(example)
    language = reasoner.config.linker.language
    paths = [
        describe_path(reasoner.graph, grounding.paths, row, language=language)
        for row in range(grounding.paths.num_paths)
    ]
    topics: dict[str, Flags] = {}
    relations: dict[str, Flags] = {}
    sensitive = np.zeros(len(paths), dtype=np.bool_)
    for row, path in enumerate(paths):
        found = {finding.topic for finding in policy.check_path(path)}
        sensitive[row] = bool(found)
        for topic in found:
            topics.setdefault(topic, np.zeros(len(paths), dtype=np.bool_))[row] = True
        for relation in {step.relation for step in path.steps} if found else ():
            relations.setdefault(relation, np.zeros(len(paths), dtype=np.bool_))[row] = True
    if not sensitive.any():
        return None
    left_out = [np.zeros(len(paths), dtype=np.bool_), sensitive, *topics.values(), *relations.values()]
    variants = [replace(grounding, paths=grounding.paths.take(np.flatnonzero(~rows))) for rows in left_out]
    scores = score_variants(reasoner, example, variants)
    labels = [reasoner.labels[best] for best in scores.logits.argmax(axis=1).tolist()]
    given = int(scores.logits[0].argmax())
    before, after = (reasoner.answer(logits).probabilities[labels[0]] for logits in scores.logits[:2])
    strongest = max(np.flatnonzero(sensitive).tolist(), key=lambda row: float(scores.contributions[0][row, given]))
    num_topics = len(topics)
    return Dependence(
        labels_without=dict(zip(topics, labels[2 : 2 + num_topics], strict=True)),
        relation_labels=dict(zip(relations, labels[2 + num_topics :], strict=True)),
        label_without=labels[1],
        lost_probability=before - after,
        path=str(paths[strongest]),
    )


def _draw(examples: Sequence[NLIExample], config: AuditConfig) -> list[NLIExample]:
    if not examples:
        raise ConfigError("examples: found none, and no pairs in the policy, expected at least one")
    if len(examples) <= config.max_examples:
        return list(examples)
    rows = random.Random(config.audit_seed).sample(range(len(examples)), config.max_examples)
    return [examples[row] for row in sorted(rows)]


def _own_pairs(policy: Policy) -> list[NLIExample]:
    return [
        NLIExample(premise, hypothesis, category=topic.name)
        for topic in policy.topics
        for premise, hypothesis in topic.pairs
    ]


def _right(cases: Sequence[Case], labels: tuple[Label, ...]) -> NDArray[np.float64]:
    """Return 1 for right answers, 0 for wrong ones, NaN where the label is not known, [num_cases]."""
    right = np.full(len(cases), np.nan)
    rows = [row for row, case in enumerate(cases) if case.example.label is not None]
    if rows:
        examples = [cases[row].example for row in rows]
        right[rows] = right_answers(examples, [cases[row].label for row in rows], labels)
    return right


def _measures(cases: Sequence[Case], right: NDArray[np.float64]) -> dict[str, float]:
    actions = np.array([case.answer.action for case in cases])
    touching = [any(finding.path is None for finding in case.answer.findings) for case in cases]
    with_path = [any(finding.path is not None for finding in case.answer.findings) for case in cases]
    measures = {
        "num_pairs": float(len(cases)),
        "share_touching": float(np.mean(touching)),
        "share_with_path": float(np.mean(with_path)),
        "share_resting": float(np.mean([case.rests for case in cases])),
        "share_flagged": float(np.mean(actions == FLAG)),
        "share_refused": float(np.mean(actions == REFUSE)),
    }
    for name, group in (("sensitive", actions != ALLOW), ("others", actions == ALLOW)):
        known = group & ~np.isnan(right)
        if known.any():
            measures[f"accuracy_{name}"] = float(right[known].mean())
    return measures


def _summary(cases: Sequence[Case], measures: Mapping[str, float]) -> str:
    num_resting = sum(case.rests for case in cases)
    text = (
        f"Of {len(cases):,} questions {measures['share_touching']:.1%} touch a sensitive topic; {num_resting:,} "
        f"answers ({measures['share_resting']:.1%}) rest on paths of such topics. The policy flags "
        f"{measures['share_flagged']:.1%} and refuses {measures['share_refused']:.1%}."
    )
    if "accuracy_sensitive" in measures and "accuracy_others" in measures:
        text += (
            f" {measures['accuracy_sensitive']:.1%} of the answers on such topics are right, "
            f"{measures['accuracy_others']:.1%} of the others."
        )
    return text


def _topic_table(policy: Policy, cases: Sequence[Case]) -> Table:
    rows = []
    for topic in policy.topics:
        counts = (
            sum(case.touches(topic.name) for case in cases),
            sum(case.has_path(topic.name) for case in cases),
            sum(case.rests_on(topic.name) for case in cases),
        )
        rows.append((topic.name, topic.action, *(f"{count:,}" for count in counts)))
    return Table(
        "Topics",
        ("topic", "action", "questions that touch it", "answers with a path over it", "answers that rest on it"),
        tuple(rows),
        "An answer rests on a topic if its label is another one without the paths that touch the topic.",
    )


def _relation_table(cases: Sequence[Case]) -> Table:
    used: dict[str, int] = {}
    resting: dict[str, int] = {}
    for case in cases:
        if case.dependence is not None:
            for relation, label in case.dependence.relation_labels.items():
                used[relation] = used.get(relation, 0) + 1
                resting[relation] = resting.get(relation, 0) + (label != case.label)
    order = sorted(used, key=lambda relation: (-resting[relation], -used[relation], relation))
    return Table(
        "Relations of sensitive paths",
        ("relation", "answers with such a path", "answers that rest on it"),
        tuple((relation, f"{used[relation]:,}", f"{resting[relation]:,}") for relation in order[:SHOWN_RELATIONS]),
        "kg-reason exclude keeps a relation or an entity out of every answer.",
    )


def _case_table(cases: Sequence[Case], right: NDArray[np.float64]) -> Table:
    """Show the answers that rest on sensitive paths: wrong ones first, then by the probability that the paths gave."""
    found = [(row, case, case.dependence) for row, case in enumerate(cases) if case.rests]
    resting = [(row, case, dependence) for row, case, dependence in found if dependence is not None]
    resting.sort(key=lambda item: (right[item[0]] != 0, -item[2].lost_probability, item[0]))
    rows = []
    for row, case, dependence in resting[:SHOWN_CASES]:
        topics = sorted(topic for topic, label in dependence.labels_without.items() if label != case.label)
        verdict = "" if np.isnan(right[row]) else "right" if right[row] else "wrong"
        rows.append((
            case.example.premise, case.example.hypothesis, ", ".join(topics) or "several together",
            f"{case.label} -> {dependence.label_without}", verdict, dependence.path,
        ))  # fmt: skip
    return Table(
        "Answers that rest on sensitive paths",
        ("premise", "hypothesis", "topic", "answer -> without the paths", "", "strongest path"),
        tuple(rows),
        "Wrong answers first, then those whose probability the paths raised most.",
    )


def _plot(policy: Policy, cases: Sequence[Case]) -> Plot:
    names = tuple(topic.name for topic in policy.topics)
    touched = [Share.of(np.array([case.touches(name) for case in cases], dtype=np.bool_)) for name in names]
    rested = [Share.of(np.array([case.rests_on(name) for case in cases], dtype=np.bool_)) for name in names]
    series = tuple(
        Series(
            title, names, tuple(share.value for share in shares), tuple(share.interval[0] for share in shares),
            tuple(share.interval[1] for share in shares),
        )  # fmt: skip
        for title, shares in (("questions that touch it", touched), ("answers that rest on it", rested))
    )
    return Plot("topics", "Sensitive topics", "bars", "topic", "share of the pairs", series)
