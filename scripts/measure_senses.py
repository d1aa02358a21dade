"""How often the linker chooses the sense that a reader chose, beside the first sense and a random one.

    apt-get install wordnet-base          # the sense keys are in /usr/share/wordnet
    python scripts/measure_senses.py GRAPH FILE.jsonl... [--wordnet /usr/share/wordnet]

GRAPH is the graph of graphs/wordnet, built. A line of FILE has `tokens` and `instances`: the `index` of a token, its
`lemma` and `pos` (NOUN, VERB, ADJ, ADV) and `senses`, keys of WordNet 3.0 of which any is right. What is counted
is F1 as in the unified evaluation framework (Raganato et al., EACL 2017): a word that the linker leaves out lowers the
recall alone. Intervals are Wilson's, of the share of all words that is right. A second table counts only the words that
the linker links at the place asked, not within a longer name: there, choosing the sense is all that is left.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from make_wordnet_graph import PARTS_OF_SPEECH, SynsetKey, WordNet, read_lines, read_wordnet

from kg_reason.config import LinkerConfig
from kg_reason.errors import InputSyntaxError, KGReasonError
from kg_reason.evaluation import wilson
from kg_reason.flags import add_settings, settings_from
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.lemmas import ADJECTIVE, ADVERB, NOUN, VERB
from kg_reason.kg.linker import EntityLinker, Mention

TAGS = {"NOUN": NOUN, "VERB": VERB, "ADJ": ADJECTIVE, "ADV": ADVERB}
LETTERS = {"NOUN": "n", "VERB": "v", "ADJ": "a", "ADV": "r"}
KINDS = {"n": 1, "v": 2, "a": 3, "r": 4, "s": 5}  # kind of a synset -> its number in a sense key
METHODS = (
    "linker, part of speech given", "linker", "first sense", "random sense", "kept, part of speech given", "kept",
)  # fmt: skip


@dataclass(frozen=True)
class Instance:
    """One word whose sense is asked.

    Attributes:
        start: its first character in the text.
        end: the character after its last one.
        lemma: in lower case, spaces between words.
        pos: NOUN, VERB, ADJ or ADV.
        right: ids of the entities that are right.
    """

    start: int
    end: int
    lemma: str
    pos: str
    right: frozenset[str]


@dataclass(frozen=True)
class Answer:
    """What one method said of one instance.

    Attributes:
        pos: of the instance.
        attempted: whether the method chose a sense at all.
        right: 1 or 0; for a random choice, its chance.
        ambiguous: whether the lemma has more than one sense of that part of speech.
        same_place: whether the linker, told the part of speech, links the word at its own place.
    """

    pos: str
    attempted: bool
    right: float
    ambiguous: bool
    same_place: bool


def sense_keys(folder: Path, wordnet: WordNet) -> dict[str, str]:
    """Return sense key -> id of the synset in the graph, for every word of every synset (senseidx(5WN)).

    A key is `lemma%kind:file:lex_id:head:head_id`; only adjective satellites have a head, which is the first word of
    the adjective that they are similar to.

    Raises:
        GraphError: a file is missing.
        InputSyntaxError: a satellite points to no adjective.
    """
    places: dict[SynsetKey, tuple[str, tuple[int, ...]]] = {}
    for suffix, pos in PARTS_OF_SPEECH.items():
        for _, text in read_lines(folder / f"data.{suffix}"):
            fields = text.split("|", 1)[0].split()
            lex_ids = fields[5 : 5 + 2 * int(fields[3], 16) : 2]
            places[SynsetKey(pos, fields[0])] = (fields[1], tuple(int(lex_id, 16) for lex_id in lex_ids))
    keys: dict[str, str] = {}
    for key, synset in wordnet.synsets.items():
        file, lex_ids_of = places[key]
        head = ":"
        if synset.kind == "s":
            similar = [target for relation, target in synset.pointers if relation == "similar_to"]
            heads = [target for target in similar if wordnet.synsets[target].kind == "a"]
            if not heads:
                fault = "expected a pointer from the satellite to its adjective, found none"
                raise InputSyntaxError(*synset.place, fault)
            head = f"{wordnet.synsets[heads[0]].words[0].lower()}:{places[heads[0]][1][0]:02d}"
        for word, lex_id in zip(synset.words, lex_ids_of, strict=True):
            keys[f"{word.lower()}%{KINDS[synset.kind]}:{file}:{lex_id:02d}:{head}"] = wordnet.iri(key)
    return keys


def read_instances(path: Path, keys: Mapping[str, str]) -> list[tuple[str, tuple[Instance, ...]]]:
    """Return the texts of a file with the words asked in each.

    Raises:
        InputSyntaxError: a line is not as described above, or a sense key is unknown.
    """
    texts = []
    for line, content in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(content)
            starts = [0]
            for token in row["tokens"]:
                starts.append(starts[-1] + len(token) + 1)
            instances = []
            for item in row["instances"]:
                start, token = starts[item["index"]], row["tokens"][item["index"]]
                right = frozenset(keys[key] for key in item["senses"])
                lemma = item["lemma"].lower().replace("_", " ")
                instances.append(Instance(start, start + len(token), lemma, item["pos"], right))
        except (ValueError, KeyError, IndexError, TypeError) as error:
            fault = f"expected tokens and instances with index, lemma, pos and known senses: {error!r}"
            raise InputSyntaxError(str(path), line, fault) from error
        texts.append((" ".join(row["tokens"]), tuple(instances)))
    return texts


def senses_by_lemma(graph: KnowledgeGraph) -> dict[tuple[str, str], list[str]]:
    """Return (lemma in lower case, letter of the part of speech) -> ids of its senses, the most usual first."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for alias in range(graph.num_aliases):
        if graph.alias_entity[alias] >= 0 and graph.alias_pos[alias]:
            place = (graph.alias_text(alias).lower(), chr(graph.alias_pos[alias]))
            senses = found.setdefault(place, {})
            entity = graph.entity_id(int(graph.alias_entity[alias]))
            senses[entity] = max(senses.get(entity, 0.0), float(graph.alias_prior[alias]))
    return {place: sorted(senses, key=lambda each: (-senses[each], each)) for place, senses in found.items()}


def candidates_of(mentions: Sequence[Mention], instance: Instance, graph: KnowledgeGraph) -> list[str]:
    """Return the candidates of the mention that covers the beginning of an instance, best first."""
    for mention in mentions:
        if mention.start <= instance.start < mention.end:
            return [graph.entity_id(candidate.entity) for candidate in mention.candidates]
    return []


def answer_all(
    texts: Iterable[tuple[str, tuple[Instance, ...]]], linker: EntityLinker, senses: Mapping[tuple[str, str], list[str]]
) -> dict[str, list[Answer]]:
    """Return what each method says of each instance."""
    answers: dict[str, list[Answer]] = {method: [] for method in METHODS}
    for text, instances in texts:
        tagged = linker.link_tagged(text, {instance.start: TAGS[instance.pos] for instance in instances})
        plain = linker.link(text)
        for instance in instances:
            known = senses.get((instance.lemma, LETTERS[instance.pos]), [])
            with_pos = candidates_of(tagged, instance, linker.graph)
            without = candidates_of(plain, instance, linker.graph)
            places = {(mention.start, mention.end) for mention in tagged if mention.candidates}
            is_there = (instance.start, instance.end) in places
            said = {
                "linker, part of speech given": (bool(with_pos), share_right(with_pos[:1], instance) > 0),
                "linker": (bool(without), share_right(without[:1], instance) > 0),
                "first sense": (bool(known), share_right(known[:1], instance)),
                "random sense": (bool(known), share_right(known, instance)),
                "kept, part of speech given": (bool(with_pos), share_right(with_pos, instance) > 0),
                "kept": (bool(without), share_right(without, instance) > 0),
            }
            for method, (attempted, right) in said.items():
                answers[method].append(Answer(instance.pos, attempted, float(right), len(known) > 1, is_there))
    return answers


def share_right(chosen: Sequence[str], instance: Instance) -> float:
    """Return the share of the chosen senses that are right, 0 where none is chosen."""
    return sum(sense in instance.right for sense in chosen) / max(1, len(chosen))


def f1(answers: Sequence[Answer]) -> float:
    """Return the harmonic mean of precision (of those attempted) and recall (of all); 0 where there is none."""
    attempted = sum(answer.attempted for answer in answers)
    return 2 * sum(answer.right for answer in answers) / max(1, attempted + len(answers))


def table(answers: Mapping[str, Sequence[Answer]]) -> list[str]:
    """Return the rows of a Markdown table: F1 in per cent by method and part of speech, with the interval of all."""
    first = answers[METHODS[0]]
    groups = [pos for pos in LETTERS if any(answer.pos == pos for answer in first)]
    counts = [sum(answer.pos == pos for answer in first) for pos in groups]
    heads = [f"{pos} ({count:,})" for pos, count in zip(groups, counts, strict=True)]
    several = sum(answer.ambiguous for answer in first)
    rows = ["| " + " | ".join(["", f"all ({len(first):,})", "95 %", *heads, f"several senses ({several:,})"]) + " |"]
    rows.append("|---|" + "---:|" * (len(groups) + 3))
    for method, given in answers.items():
        low, high = wilson(round(sum(answer.right for answer in given)), len(given))
        cells = [f"{f1([answer for answer in given if answer.pos == pos]):.1%}" for pos in groups]
        ambiguous = f1([answer for answer in given if answer.ambiguous])
        interval = f"{100 * low:.1f} - {100 * high:.1f}"
        rows.append("| " + " | ".join([method, f"{f1(given):.1%}", interval, *cells, f"{ambiguous:.1%}"]) + " |")
    return rows


def main() -> None:
    """Measure each file and print a table for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", help="the WordNet graph, a folder made by kg-reason build")
    parser.add_argument("files", type=Path, nargs="+", help="JSON Lines of tokens and instances")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="folder of WNDB files")
    add_settings(parser, LinkerConfig, "linking")
    options = parser.parse_args()
    try:
        config = settings_from(options, LinkerConfig)
        keys = sense_keys(options.wordnet, read_wordnet(options.wordnet))
        graph = KnowledgeGraph.open(options.graph)
        linker, senses = EntityLinker(graph, config), senses_by_lemma(graph)
        for path in options.files:
            answers = answer_all(read_instances(path, keys), linker, senses)
            print("\n".join([f"\n{path.name}: F1, all words\n", *table(answers)]))
            there = {method: [each for each in given if each.same_place] for method, given in answers.items()}
            print("\n".join([f"\n{path.name}: F1, words linked at the place asked\n", *table(there)]))
    except KGReasonError as error:
        raise SystemExit(f"measure_senses: {error}") from error


if __name__ == "__main__":
    main()
