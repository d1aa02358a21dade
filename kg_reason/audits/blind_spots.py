"""Blind spots: what the graph does not know, and how much oftener the answer is wrong there.

The list of triples that would help is `gaps.py`; it becomes the file `gaps.tsv`, which the user fills in and builds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from kg_reason.audits.answered import Share, draw_examples, right_answers
from kg_reason.audits.gaps import (
    Examined,
    Gain,
    Gap,
    find_gaps,
    is_joined,
    measure_gain,
    pairs_in_place,
    write_gaps,
)
from kg_reason.audits.result import AuditResult, Plot, Series, Table
from kg_reason.config import AuditConfig
from kg_reason.kg.grounding import Grounding
from kg_reason.nli import NLIExample
from kg_reason.reasoner import Reasoner
from kg_reason.suggestion import covered_share

NAME = "blind-spots"
QUESTION = "What does the graph not know, and are the answers worse there?"
GAPS_FILE = "gaps.tsv"
NO_GRAPH = "text"  # the evidence of a model that reads no paths
ROWS_SHOWN = 25
RELATIONS_SHOWN = 10
NO_PATH, NO_NEW_WORD = "no path", "no new word"
COUNTS = ((0, "0"), (1, "1"), (3, "2-3"), (7, "4-7"))
FREQUENCIES = ((1, "1 pair"), (4, "2-4"), (19, "5-19"), (99, "20-99"))
MORE_COUNTS, MORE_FREQUENCIES = "8 or more", "100 or more"

Words = tuple[str, ...]
Counts = Counter[Words]


def audit_blind_spots(reasoner: Reasoner, examples: Sequence[NLIExample], config: AuditConfig) -> AuditResult:
    """Find words and pairs of words that the graph does not know, and the triples that would mend wrong answers.

    Args:
        reasoner: answers; its weights and its graph stay as they are.
        examples: labelled pairs.
        config: how many pairs are examined.

    Raises:
        ConfigError: no pair has a label.
    """
    examined, text_right = _examine(reasoner, draw_examples(examples, config), config.batch_size)
    gaps = find_gaps(reasoner, examined)
    has_paths = reasoner.config.model.evidence != NO_GRAPH
    gain = measure_gain(reasoner, examined, gaps, config.batch_size) if has_paths else Gain(gaps, 0, 0)
    unknown, wrong_unknown = _count(examined, _unknown_words)
    unjoined, wrong_unjoined = _count(examined, _unjoined_words)
    measures = _measures(examined, gain)
    return AuditResult(
        name=NAME,
        question=QUESTION,
        summary=_summary(measures, has_paths=has_paths),
        measures=measures,
        tables=(
            _gap_table(gain.gaps),
            _word_table("Words that the graph does not know", ("word",), unknown, wrong_unknown),
            _word_table(
                "Words in each other's place that no path joins", ("premise", "hypothesis"), unjoined, wrong_unjoined
            ),
        ),
        plots=tuple(
            _plot(name, title, groups, examined, text_right) for name, title, groups in _groupings(examined) if groups
        ),
        files={GAPS_FILE: write_gaps(gain.gaps, examined)},
    )


def _examine(
    reasoner: Reasoner, examples: Sequence[NLIExample], batch_size: int
) -> tuple[list[Examined], Sequence[bool]]:
    """Answer the pairs; return them, and which are right from text alone."""
    groundings = reasoner.ground_all(examples)
    predictions = reasoner.predict_examples(examples, batch_size)
    right = right_answers(examples, [prediction.label for prediction in predictions], reasoner.labels)
    text = right_answers(examples, [prediction.text_answer.label for prediction in predictions], reasoner.labels)
    columns = zip(examples, groundings, predictions, right.tolist(), strict=True)
    return [Examined(*columns_of_one) for columns_of_one in columns], text.tolist()


# ---- words


def _unknown_words(item: Examined) -> Iterable[Words]:
    mentions = (*item.grounding.premise_mentions, *item.grounding.hypothesis_mentions)
    return ((mention.key,) for mention in mentions if not mention.candidates)


def _unjoined_words(item: Examined) -> Iterable[Words]:
    grounding = item.grounding
    mentions = (*grounding.premise_mentions, *grounding.hypothesis_mentions)
    pairs = (pair for pair in pairs_in_place(grounding) if not is_joined(grounding, pair))
    return ((mentions[pair.premise].key, mentions[pair.hypothesis].key) for pair in pairs)


def _count(examined: Sequence[Examined], words: Callable[[Examined], Iterable[Words]]) -> tuple[Counts, Counts]:
    """Count in how many pairs of sentences something occurs, and in how many that were answered wrong."""
    every: Counts = Counter()
    wrong: Counts = Counter()
    for item in examined:
        found = set(words(item))
        every.update(found)
        if not item.is_right:
            wrong.update(found)
    return every, wrong


def _word_table(title: str, columns: tuple[str, ...], every: Counts, wrong: Counts) -> Table:
    ranked = sorted(every, key=lambda key: (-wrong[key], -every[key], key))
    rows = tuple((*key, f"{every[key]:,}", f"{wrong[key]:,}") for key in ranked[:ROWS_SHOWN])
    note = "Those with the most wrong answers come first."
    if len(ranked) > ROWS_SHOWN:
        note += f" {len(ranked) - ROWS_SHOWN:,} more are not shown."
    return Table(title, (*columns, "pairs", "wrong"), rows, note if rows else "There are none.")


def _gap_table(gaps: Sequence[Gap]) -> Table:
    rows = tuple(
        (
            gap.question, gap.fact.relation, ", ".join(gap.true_labels), f"{len(gap.rows):,}", f"{gap.num_mended:,}",
            f"{gap.num_spoilt:,}",
        )  # fmt: skip
        for gap in gaps[:ROWS_SHOWN]
    )
    note = (
        f"The file {GAPS_FILE} has all of them. Where the answer to the question is yes, put what is proposed, or what "
        "fits better, into its column `relation`, and build: kg-reason build YOUR_FILES gaps.tsv --skip-bad-lines "
        "--out DIR; rows without a relation are skipped. `mended` counts the wrong answers that become right when all "
        "proposals are in the graph, true or not; `spoilt` the right ones that become wrong by a path that uses it."
    )
    return Table(
        "Triples whose addition would help most", ("question", "proposed", "true label", "wrong", "mended", "spoilt"),
        rows,
        note if rows else "There are none.",
    )  # fmt: skip


# ---- accuracy by what the graph knows


def _groupings(examined: Sequence[Examined]) -> Iterable[tuple[str, str, Mapping[str, list[int]]]]:
    """Yield name, title and group -> rows, in the order of reading, of everything that accuracy is shown by."""
    frequency = Counter(key for item in examined for key in _keys(item.grounding))
    relations = Counter(_relation(item) for item in examined if item.strongest)
    usual = [name for name, _ in sorted(relations.items(), key=lambda pair: (-pair[1], pair[0]))[:RELATIONS_SHOWN]]
    lengths = [str(length) for length in range(10)]
    yield (
        "coverage", "Accuracy by share of new words that paths lead to",
        _grouped(examined, lambda item: _coverage(item.grounding), (NO_NEW_WORD, "none", "some", "all")),
    )  # fmt: skip
    yield (
        "evidence", "Accuracy by number of paths",
        _grouped(
            examined, lambda item: _bucket(len(item.prediction.evidence), COUNTS, MORE_COUNTS),
            (*(name for _, name in COUNTS), MORE_COUNTS),
        ),
    )  # fmt: skip
    yield (
        "length", "Accuracy by length of the strongest path, in edges",
        _grouped(examined, _length, (NO_PATH, *lengths)),
    )  # fmt: skip
    yield (
        "relation", "Accuracy by relations of the strongest path (^ walked backward)",
        _grouped(
            examined, lambda item: _relation(item) if _relation(item) in (*usual, NO_PATH) else "others",
            (NO_PATH, *usual, "others"),
        ),
    )  # fmt: skip
    yield (
        "frequency", "Accuracy by frequency of the rarest new word among the pairs",
        _grouped(
            examined, lambda item: _rarest(item.grounding, frequency),
            (NO_NEW_WORD, *(name for _, name in FREQUENCIES), MORE_FREQUENCIES),
        ),
    )  # fmt: skip


def _grouped(
    examined: Sequence[Examined], group_of: Callable[[Examined], str], order: Sequence[str]
) -> Mapping[str, list[int]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, item in enumerate(examined):
        rows[group_of(item)].append(row)
    return {name: rows[name] for name in order if rows[name]}


def _keys(grounding: Grounding) -> set[str]:
    return {mention.key for mention in (*grounding.premise_mentions, *grounding.hypothesis_mentions)}


def _new_words(grounding: Grounding) -> set[str]:
    known = {mention.key for mention in grounding.premise_mentions}
    return {mention.key for mention in grounding.hypothesis_mentions} - known


def _coverage(grounding: Grounding) -> str:
    if not _new_words(grounding):
        return NO_NEW_WORD
    share = covered_share(grounding)
    return "none" if share == 0 else "all" if share == 1 else "some"


def _bucket(number: int, bounds: Sequence[tuple[int, str]], more: str) -> str:
    return next((name for bound, name in bounds if number <= bound), more)


def _length(item: Examined) -> str:
    if item.strongest is None:
        return NO_PATH
    steps = item.strongest.path.steps
    return "0" if len(steps) == 1 and steps[0].head == steps[0].tail else str(len(steps))


def _relation(item: Examined) -> str:
    """Return the relations of the strongest path in the order of walking, `^` before those walked backward."""
    if item.strongest is None:
        return NO_PATH
    names = [step.relation if step.forward else f"^{step.relation}" for step in item.strongest.path.steps]
    return ", ".join(name for place, name in enumerate(names) if place == 0 or name != names[place - 1])


def _rarest(grounding: Grounding, frequency: Counter[str]) -> str:
    counts = [frequency[key] for key in _new_words(grounding)]
    return _bucket(min(counts), FREQUENCIES, MORE_FREQUENCIES) if counts else NO_NEW_WORD


def _plot(
    name: str, title: str, groups: Mapping[str, list[int]], examined: Sequence[Examined], text_right: Sequence[bool]
) -> Plot:
    right = [item.is_right for item in examined]
    series = []
    for label, flags in (("with the graph", right), ("text alone", text_right)):
        shares = [Share(sum(flags[row] for row in rows), len(rows)) for rows in groups.values()]
        bounds = [share.interval for share in shares]
        series.append(
            Series(
                label,
                tuple(f"{group} ({len(rows):,})" for group, rows in groups.items()),
                tuple(share.value for share in shares),
                tuple(low for low, _ in bounds),
                tuple(high for _, high in bounds),
            )
        )
    return Plot(name, title, "bars", "", "accuracy", tuple(series), y_range=(0.0, 1.0))


# ---- figures


def _measures(examined: Sequence[Examined], gain: Gain) -> dict[str, float]:
    right = np.array([item.is_right for item in examined], dtype=np.bool_)
    covered = np.array([_coverage(item.grounding) == "all" for item in examined], dtype=np.bool_)
    uncovered = np.array([_coverage(item.grounding) in ("none", "some") for item in examined], dtype=np.bool_)
    mentions = [
        mention
        for item in examined
        for mention in (*item.grounding.premise_mentions, *item.grounding.hypothesis_mentions)
    ]
    places = [(item.grounding, pair) for item in examined for pair in pairs_in_place(item.grounding)]
    at_gaps = {row for gap in gain.gaps for row in gap.rows}
    num_wrong = int((~right).sum())
    measures = {
        "num_pairs": float(len(examined)),
        "num_wrong": float(num_wrong),
        "share_unknown_words": _share(sum(not mention.candidates for mention in mentions), len(mentions)),
        "share_unjoined_places": _share(sum(not is_joined(*place) for place in places), len(places)),
        "num_gaps": float(len(gain.gaps)),
        "share_wrong_at_gaps": _share(len(at_gaps), num_wrong),
        "num_mended_if_filled": float(gain.num_mended),
        "num_spoilt_if_filled": float(gain.num_spoilt),
    }
    if covered.any():
        measures["accuracy_covered"] = Share.of(right[covered]).value
    if uncovered.any():
        measures["accuracy_uncovered"] = Share.of(right[uncovered]).value
    return measures


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _summary(measures: Mapping[str, float], *, has_paths: bool) -> str:
    num_pairs, num_wrong, num_gaps = (int(measures[name]) for name in ("num_pairs", "num_wrong", "num_gaps"))
    text = (
        f"The graph does not know {100 * measures['share_unknown_words']:.1f} % of the words, and joins "
        f"{100 * (1 - measures['share_unjoined_places']):.0f} % of the words that stand in each other's place. "
    )
    if not num_wrong:
        return text + f"All of {num_pairs:,} answers are right, so no triple is missing."
    asked = "1 triple is" if num_gaps == 1 else f"{num_gaps:,} triples are"
    text += (
        f"{100 * measures['share_wrong_at_gaps']:.0f} % of {num_wrong:,} wrong answers (of {num_pairs:,}) lack a path "
        f"that speaks for the true label between such words: {asked} asked for. "
    )
    if not has_paths:
        return text + "This model reads no paths, so none of them would change its answers."
    return text + (
        f"If all of them were in the graph, {int(measures['num_mended_if_filled']):,} wrong answers would be right and "
        f"{int(measures['num_spoilt_if_filled']):,} right ones wrong."
    )
