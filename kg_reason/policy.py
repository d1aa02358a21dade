"""A policy: which topics are sensitive, and what follows where a question or an answer touches one.

A topic has words, relations and entities (`policy_file.py`). A question touches it by a word of
its texts or by an entity that a word is linked to; an answer touches it by a path over such a relation or entity that
moved a logit. Nothing here is logged, and nothing of a text is kept but in the findings that the caller gets. How many
answers would be others without such paths is `audits/ethics.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from kg_reason.config import RetrieverConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.hierarchies import climbing_relations
from kg_reason.kg.lemmas import NOUN, VERB, lemmatiser
from kg_reason.kg.paths import Path as GraphPath
from kg_reason.kg.words import CASE_BITS, UPPER, Word, caseless, plain_name, primary_language, split_text
from kg_reason.policy_file import ACTIONS, ALLOW, REFUSE, Topic, read_topics
from kg_reason.prediction import EVIDENCE_SHOWN, LinkedMention, Place, Prediction
from kg_reason.terminal import one_line

MAX_BELOW = 20_000  # entities looked at below those of one topic


@dataclass(frozen=True)
class PolicyFinding:
    """One reason why a question or an answer touches a topic.

    Attributes:
        topic: its name.
        action: what the policy says of it, `flag` or `refuse`.
        kind: `word` or `entity` (of the text), `relation` or `entity` (of a path).
        matched: the word, relation or entity as the policy names it.
        found: what stands there: the words of the text, the name of the relation, the label of the entity.
        place: where in the texts; None for a finding on a path.
        path: which path, by its number in `Prediction.evidence` from 0; None for a finding in a text.
    """

    topic: str
    action: str
    kind: str
    matched: str
    found: str
    place: Place | None = None
    path: int | None = None

    def __str__(self) -> str:
        if self.place is not None:
            means = f'"{self.place.text}" in the {self.place.side}'
        else:
            means = f'path {(self.path or 0) + 1} {"uses" if self.kind == "relation" else "touches"} "{self.found}"'
        below = f" ({self.matched})" if self.matched.casefold() != self.found.casefold() else ""
        return f"{self.topic}: {means}{below}"

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain data; a place in a text or the number of a path, not both."""
        where = {"place": self.place.to_json()} if self.place is not None else {"path": self.path}
        return {
            "topic": self.topic, "action": self.action, "kind": self.kind, "matched": self.matched,
            "found": self.found, **where,
        }  # fmt: skip


class _Phrase(NamedTuple):
    forms: tuple[str, ...]  # normal form of each word
    cases: tuple[int, ...]  # case code of each word as the policy has it
    text: str
    topic: Topic

    def fits(self, words: Sequence[Word], forms: Sequence[Collection[str]]) -> bool:
        """Tell whether the phrase stands at the start of some words, which have these forms."""
        here = zip(self.forms, self.cases, words, forms, strict=False)
        return len(self.forms) <= len(words) and all(
            wanted in found and _case_fits(case, word.shape & CASE_BITS) for wanted, case, word, found in here
        )


@dataclass(frozen=True)
class Policy:
    """Topics, and what is below their entities in one graph.

    Attributes:
        topics: in the order of the file; none that is allowed.
        language: of the words.
        below: topic -> id of an entity -> the policy's entity that it is or is below; empty before `for_graph`.
    """

    topics: tuple[Topic, ...]
    language: str = "en"
    below: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path = "") -> Policy:
        """Read a policy; the empty path, `default` and `shipped` are the one that is shipped.

        Raises:
            ConfigError: the file cannot be read, or says what a policy does not have.
        """
        return cls(*read_topics(path))

    def for_graph(self, graph: KnowledgeGraph) -> Policy:
        """Return the policy with everything that a graph has below the entities of each topic.

        Relations and entities that the graph lacks touch nothing. Below are those that lead to an entity by relations
        to something wider (parts are not below a whole), at most MAX_BELOW for a topic, the nearest first.
        """
        climbing = frozenset(
            relation
            for relation in climbing_relations(graph, RetrieverConfig().taxonomic_relations)
            if "part" not in graph.relation_label(relation).split()
        )
        below = {topic.name: _below(graph, topic.entities, climbing) for topic in self.topics}
        return replace(self, below=below)

    def check(self, prediction: Prediction) -> tuple[PolicyFinding, ...]:
        """Return every reason why a question or its answer touches a topic: in the texts, then on the paths.

        Before `for_graph` entities are known by the id or label that the policy names, not by what is above them.
        """
        findings: dict[PolicyFinding, None] = {}
        sides = (
            ("premise", prediction.premise, prediction.premise_mentions),
            ("hypothesis", prediction.hypothesis, prediction.hypothesis_mentions),
        )
        for side, text, mentions in sides:
            in_words = list(self._in_words(side, text))
            seen = {(finding.topic, finding.place.start) for finding in in_words if finding.place is not None}
            in_mentions = [
                finding
                for finding in self._in_mentions(side, mentions)
                if finding.place is not None and (finding.topic, finding.place.start) not in seen
            ]
            findings.update(dict.fromkeys([*in_words, *in_mentions]))
        for number, evidence in enumerate(prediction.evidence):
            if evidence.strength > EVIDENCE_SHOWN:
                found = self.check_path(evidence.path)
                findings.update(dict.fromkeys(replace(finding, path=number) for finding in found))
        return tuple(findings)

    def check_path(self, path: GraphPath) -> tuple[PolicyFinding, ...]:
        """Return why one path touches topics, each relation and entity once, in the order of the steps.

        The findings have neither place nor number of a path.
        """
        findings: dict[PolicyFinding, None] = {}
        for step in path.steps:
            for topic in self._relation_topics.get(plain_name(step.relation), ()):
                finding = PolicyFinding(topic.name, topic.action, "relation", step.relation, step.relation)
                findings[finding] = None
            ends = ((step.head, step.head_label), (step.tail, step.tail_label))
            for entity, label in ends if step.forward else ends[::-1]:
                for topic, matched in self._entity_topics(entity, label):
                    findings[PolicyFinding(topic.name, topic.action, "entity", matched, label)] = None
        return tuple(findings)

    @cached_property
    def _relation_topics(self) -> dict[str, list[Topic]]:
        found: dict[str, list[Topic]] = {}
        for topic in self.topics:
            for relation in topic.relations:
                found.setdefault(plain_name(relation), []).append(topic)
        return found

    @cached_property
    def _phrases(self) -> dict[str, list[_Phrase]]:
        """Return the phrases of all topics by their first word."""
        found: dict[str, list[_Phrase]] = {}
        for topic in self.topics:
            for text in topic.words:
                words = split_text(text, primary_language(self.language))
                phrase = _Phrase(
                    tuple(word.text for word in words), tuple(word.shape & CASE_BITS for word in words), text, topic
                )
                if words:  # punctuation alone stands nowhere
                    found.setdefault(phrase.forms[0], []).append(phrase)
        return found

    def _in_words(self, side: str, text: str) -> Iterator[PolicyFinding]:
        """Yield a finding for each place where words of a topic start, for the longest phrase of each topic there."""
        language = primary_language(self.language)
        words, lemmas = split_text(text, language), lemmatiser(language)
        inflected = NOUN | VERB  # "prisoner" is no form of "prison"
        forms = [{word.text, *(lemma for lemma, pos in lemmas(word.text) if pos & inflected)} for word in words]
        for first, word in enumerate(words):
            fitting = [
                phrase
                for form in forms[first]
                for phrase in self._phrases.get(form, ())
                if phrase.fits(words[first:], forms[first:])
            ]
            best: dict[str, _Phrase] = {}  # of each topic
            fitting.sort(key=lambda phrase: (-len(phrase.forms), phrase.forms[0] != word.text, phrase.text))
            for phrase in fitting:
                best.setdefault(phrase.topic.name, phrase)
            for topic, phrase in best.items():
                end = words[first + len(phrase.forms) - 1].end
                place = Place(side, word.start, end, text[word.start : end])
                yield PolicyFinding(topic, phrase.topic.action, "word", phrase.text, place.text, place)

    def _in_mentions(self, side: str, mentions: Sequence[LinkedMention]) -> Iterator[PolicyFinding]:
        """Yield a finding for each mention whose likeliest entity is one of a topic's, or below."""
        for mention in mentions:
            for candidate in mention.candidates[:1]:
                for topic, matched in self._entity_topics(candidate.entity, candidate.label):
                    place = Place(side, mention.start, mention.end, mention.text)
                    yield PolicyFinding(topic.name, topic.action, "entity", matched, candidate.label, place)

    def _entity_topics(self, entity: str, label: str) -> Iterator[tuple[Topic, str]]:
        for topic in self.topics:
            if topic.name in self.below:
                matched = self.below[topic.name].get(entity, "")
            else:
                label = caseless(label)
                matched = next((name for name in topic.entities if name == entity or caseless(name) == label), "")
            if matched:
                yield topic, matched


@dataclass(frozen=True)
class PolicyAnswer:
    """An answer as a policy lets it be shown.

    Attributes:
        prediction: the answer; what is shown of a refused one is only the question.
        findings: why it touches sensitive topics.
    """

    prediction: Prediction
    findings: tuple[PolicyFinding, ...]

    @property
    def action(self) -> str:
        """The strictest action of the findings; `allow` where there is none."""
        return max((finding.action for finding in self.findings), key=ACTIONS.index, default=ALLOW)

    @property
    def is_refused(self) -> bool:
        """Tell whether the answer must not be shown."""
        return self.action == REFUSE

    def to_json(self) -> dict[str, Any]:
        """Return the answer with what the policy says; of a refused one the question and what the policy says."""
        policy = {"action": self.action, "findings": [finding.to_json() for finding in self.findings]}
        if self.is_refused:
            return {"premise": self.prediction.premise, "hypothesis": self.prediction.hypothesis, "policy": policy}
        return {**self.prediction.to_json(), "policy": policy}

    def to_text(self, max_paths: int = 5) -> str:
        """Return a page for the terminal.

        Args:
            max_paths: paths that are shown at most.
        """
        if not self.is_refused:
            return "\n".join([self.prediction.to_text(max_paths), *self.reasons()])
        question = [
            f"premise     {self.prediction.premise or '(none: a claim, checked against the graph)'}",
            f"hypothesis  {self.prediction.hypothesis}",
        ]
        return "\n".join([*map(one_line, question), *self.reasons()])

    def reasons(self) -> list[str]:
        """Return lines for the terminal that say what the policy found; none where it found nothing."""
        if not self.findings:
            return []
        rows = ["", "no answer: the policy refuses this topic" if self.is_refused else "the policy flags this answer"]
        shown = [item for item in self.findings if item.action == REFUSE or not self.is_refused]
        for topic in dict.fromkeys(item.topic for item in shown):
            own = [item for item in shown if item.topic == topic]
            rows += [one_line(f"  {item}") for item in own if item.path is None]
            numbers = [str(number + 1) for number in dict.fromkeys(item.path for item in own) if number is not None]
            found = dict.fromkeys(f'"{item.found}"' for item in own if item.path is not None)
            if numbers:
                paths = f"path {numbers[0]}" if len(numbers) == 1 else f"paths {', '.join(numbers)}"
                rows.append(one_line(f"  {topic}: {', '.join(found)} on {paths}"))
        return rows


def apply_policy(prediction: Prediction, policy: Policy) -> PolicyAnswer:
    """Return an answer as a policy lets it be shown."""
    return PolicyAnswer(prediction, policy.check(prediction))


def _case_fits(wanted: int, found: int) -> bool:
    """Tell whether a word of a text has the capitals that the policy writes its word with."""
    return found == UPPER if wanted == UPPER else found > 0 or wanted == 0


def _below(graph: KnowledgeGraph, names: Sequence[str], climbing: frozenset[int]) -> dict[str, str]:
    """Return the entities of some names and what is below them, by their ids, each with the name it came from."""
    found: dict[int, str] = {}
    for name in names:
        found.update({entity: name for entity in graph.find_entities(name) if entity not in found})
    todo = list(found)
    for entity in todo:  # breadth first: the list is its own queue
        if len(found) >= MAX_BELOW:
            break
        for edge in graph.edges_of(entity):
            head = int(graph.edge_head[edge])
            if graph.edge_tail[edge] == entity and int(graph.edge_relation[edge]) in climbing and head not in found:
                found[head] = found[entity]
                todo.append(head)
    return {graph.entity_id(entity): name for entity, name in found.items()}
