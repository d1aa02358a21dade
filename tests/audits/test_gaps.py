"""Gaps: which triples are asked for, and the loop from gap to repair on the toy graph."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kg_reason import BuildConfig, KnowledgeGraph, NLIExample, build_graph
from kg_reason.audits.blind_spots import audit_blind_spots
from kg_reason.audits.gaps import (
    COLUMNS,
    Examined,
    Pair,
    find_gaps,
    is_joined,
    measure_gain,
    pairs_in_place,
    write_gaps,
)
from kg_reason.audits.graph_changes import over_graph, with_triples
from kg_reason.cli import main
from kg_reason.config import AuditConfig
from kg_reason.errors import BadLinesError
from kg_reason.nli import Label
from tests.conftest import toy_triples

E, N, C = Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION
GAVORN = ("A man plays a gavorn.", "A man plays an instrument.")


def examine(reasoner, pairs, is_right=False):
    examples = [NLIExample(premise, hypothesis, label) for premise, hypothesis, label in pairs]
    groundings, predictions = reasoner.ground_all(examples), reasoner.predict_examples(examples)
    return [Examined(*columns, is_right) for columns in zip(examples, groundings, predictions, strict=True)]


def facts(reasoner, *pairs):
    return [tuple(gap.fact) for gap in find_gaps(reasoner, examine(reasoner, pairs))]


def test_words_in_each_others_place_are_found(make_reasoner):
    reasoner = make_reasoner()
    first, second, third = examine(
        reasoner,
        [(*GAVORN, E), ("A dog plays.", "A cat plays a drum.", N), ("A dog plays hot.", "The guitar plays.", N)],
    )
    assert pairs_in_place(first.grounding) == [Pair(2, 5)]
    assert not is_joined(first.grounding, Pair(2, 5))
    words = [mention.text for mention in (*second.grounding.premise_mentions, *second.grounding.hypothesis_mentions)]
    assert [(words[pair.premise], words[pair.hypothesis]) for pair in pairs_in_place(second.grounding)] == [
        ("dog", "cat")
    ]
    assert len(pairs_in_place(third.grounding)) == 1


def test_the_true_label_says_which_triple_would_help(make_reasoner):
    reasoner = make_reasoner()
    assert facts(reasoner, (*GAVORN, E)) == [("gavorn", "ex:hypernym", "ex:instrument")]
    assert facts(reasoner, (*GAVORN, N)) == [("ex:instrument", "ex:hypernym", "gavorn")]
    assert facts(reasoner, (*GAVORN, C)) == [("gavorn", "ex:antonym", "ex:instrument")]


def test_a_right_answer_and_a_path_that_speaks_for_the_true_label_are_no_gap(make_reasoner):
    reasoner = make_reasoner()
    assert find_gaps(reasoner, examine(reasoner, [(*GAVORN, E)], is_right=True)) == ()
    pair = ("A man plays a violin.", "A man plays an instrument.")
    (item,) = examine(reasoner, [(*pair, E)])
    spoken = {label: item.strongest.contribution[label] for label in reasoner.labels}
    best = max(spoken, key=lambda label: spoken[label])
    asked = {label: bool(find_gaps(reasoner, examine(reasoner, [(*pair, label)]))) for label in reasoner.labels}
    assert not asked[best]
    assert any(asked.values())


def test_what_the_graph_states_is_not_asked_for(make_reasoner):
    assert ("ex:hot", "ex:antonym", "ex:cold") not in facts(
        make_reasoner(), ("The dog is hot.", "The dog is cold.", C)
    )


def test_gaps_of_more_wrong_answers_come_first(make_reasoner):
    reasoner = make_reasoner()
    examined = examine(
        reasoner,
        [("A blick plays.", "A dog plays.", E), (*GAVORN, E), ("The gavorn is hot.", "The instrument is hot.", E)],
    )
    gaps = find_gaps(reasoner, examined)
    assert [(gap.fact.head, len(gap.rows)) for gap in gaps] == [("gavorn", 2), ("blick", 1)]
    assert gaps[0].question == 'is "gavorn" a kind of "instrument"?'


def test_a_triple_that_two_labels_ask_for_is_asked_for_once(make_reasoner):
    reasoner = make_reasoner()
    turned = ("A man plays an instrument.", "A man plays a gavorn.", N)
    (gap,) = find_gaps(reasoner, examine(reasoner, [(*GAVORN, E), turned]))
    assert (gap.fact.head, gap.rows, gap.true_labels) == ("gavorn", (0, 1), (E, N))


def test_a_graph_of_narrower_relations_is_asked_the_other_way_round(make_reasoner):
    triples = [
        triple._replace(head=triple.tail, relation="ex:narrower", tail=triple.head)
        if triple.relation == "ex:hypernym" else triple
        for triple in toy_triples()
    ]  # fmt: skip
    reasoner = make_reasoner(KnowledgeGraph.from_triples(triples))
    (gap,) = find_gaps(reasoner, examine(reasoner, [(*GAVORN, E)]))
    assert gap.fact == ("ex:instrument", "ex:narrower", "gavorn")
    assert gap.question == 'is "gavorn" a kind of "instrument"?'


def test_the_gain_is_that_of_a_graph_with_all_proposals(make_reasoner):
    reasoner = make_reasoner()
    examined = examine(reasoner, [(*GAVORN, label) for label in (E, N, C)])
    examined = [Examined(i.example, i.grounding, i.prediction, i.prediction.label is i.example.label) for i in examined]
    gaps = find_gaps(reasoner, examined)
    assert len(gaps) == 2
    before = write_gaps(gaps, examined)
    gain = measure_gain(reasoner, examined, gaps, 8)
    assert write_gaps(find_gaps(reasoner, examined), examined) == before
    right = sum(item.is_right for item in examined)
    assert gain.num_mended <= len(examined) - right
    assert gain.num_spoilt <= right
    assert sum(gap.num_mended for gap in gain.gaps) == gain.num_mended
    assert sum(gap.num_spoilt for gap in gain.gaps) <= 2 * gain.num_spoilt
    assert measure_gain(reasoner, examined, (), 8) == ((), 0, 0)


def test_a_spoilt_answer_is_laid_to_the_triple_that_its_path_uses(make_reasoner):
    reasoner = make_reasoner()
    wrong, elsewhere = examine(reasoner, [(*GAVORN, E), ("A blick plays.", "A dog plays.", E)])
    gaps = find_gaps(reasoner, [wrong, elsewhere])
    repaired = over_graph(reasoner, with_triples(reasoner.graph, [gap.fact for gap in gaps]))
    after = repaired.predict([GAVORN])[0].label
    # A pair that is right before and of another label than the answer after: counted as spoilt, where it says so.
    label = next(label for label in reasoner.labels if label is not after)
    right = Examined(replace(wrong.example, label=label), wrong.grounding, wrong.prediction, is_right=True)
    gain = measure_gain(reasoner, [right, elsewhere], [replace(gap, rows=(1,)) for gap in gaps], 8)
    assert gain.num_spoilt == 1
    spoilt = {gap.fact.head: gap.num_spoilt for gap in gain.gaps if gap.num_spoilt}
    assert spoilt == {"gavorn": 1}
    assert gain.gaps[-1].num_spoilt  # what spoils comes last


def test_the_file_has_one_line_per_gap_whatever_stands_in_the_sentences(make_reasoner):
    reasoner = make_reasoner()
    examined = examine(reasoner, [("A man plays\ta gavorn.", "A man\nplays an instrument.", E)])
    header, *rows, last = write_gaps(find_gaps(reasoner, examined), examined).split("\n")
    assert tuple(header.split("\t")) == COLUMNS
    assert last == ""
    assert [len(row.split("\t")) for row in rows] == [len(COLUMNS)]
    assert rows[0].split("\t")[:4] == ["gavorn", "", "ex:instrument", "ex:hypernym"]


@pytest.fixture
def toy_file(tmp_path):
    rows = ["head\trelation\ttail\trank\tlanguage\tpos"]
    for triple in toy_triples():
        if not triple.tail.startswith('"'):
            cells = (*triple[:3], str(triple.rank or ""), triple.language, triple.pos)
            rows.append("\t".join(cells))
    (tmp_path / "toy.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path / "toy.tsv"


def test_a_gap_that_is_filled_in_and_built_gives_evidence(make_reasoner, toy_file, tmp_path):
    build_graph([toy_file], tmp_path / "kg", BuildConfig())
    reasoner = make_reasoner(KnowledgeGraph.open(tmp_path / "kg"))
    guess = reasoner.predict([GAVORN])[0].label
    label = next(label for label in (E, C) if label is not guess)  # the answer is wrong, whatever the fresh weights say
    example = NLIExample(*GAVORN, label)
    text = audit_blind_spots(reasoner, [example], AuditConfig()).files["gaps.tsv"]

    gaps = tmp_path / "gaps.tsv"
    gaps.write_text(text)
    with pytest.raises(BadLinesError, match=r"gaps.tsv:2: expected a relation, found an empty field"):
        build_graph([toy_file, gaps], tmp_path / "strict", BuildConfig())
    build_graph([toy_file, gaps], tmp_path / "skipped", BuildConfig(skip_bad_lines=True))
    assert KnowledgeGraph.open(tmp_path / "skipped").num_edges == reasoner.graph.num_edges

    header, row = text.splitlines()
    cells = row.split("\t")
    cells[1] = cells[3]
    gaps.write_text("\n".join([header, "\t".join(cells)]) + "\n")
    build_graph([toy_file, gaps], tmp_path / "repaired", BuildConfig())
    repaired = over_graph(reasoner, KnowledgeGraph.open(tmp_path / "repaired"))
    (before,), (after,) = reasoner.predict_examples([example]), repaired.predict_examples([example])
    assert not before.evidence
    assert f"{gaps}:2" in after.evidence[0].path.source_lines()
    assert before.answer != after.answer
    assert before.text_answer == after.text_answer


def test_a_gap_can_be_filled_by_an_edit(make_reasoner, toy_file, tmp_path):
    build_graph([toy_file], tmp_path / "kg", BuildConfig())
    reasoner = make_reasoner(KnowledgeGraph.open(tmp_path / "kg"))
    (gap,) = find_gaps(reasoner, examine(reasoner, [(*GAVORN, E)]))
    assert main(["edit", str(tmp_path / "kg"), "--add", *gap.fact, "-q"]) == 0
    repaired = over_graph(reasoner, KnowledgeGraph.open(tmp_path / "kg"))
    assert repaired.predict([GAVORN])[0].evidence
