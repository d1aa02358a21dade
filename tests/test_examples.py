"""Example files: every format gives the same examples, and every bad line is told with its place."""

from __future__ import annotations

import json

import polars
import pytest

from kg_reason.config import ExampleConfig
from kg_reason.errors import BadLinesError, ConfigError, InputSyntaxError
from kg_reason.examples import parse_label, read_examples, write_examples
from kg_reason.nli import Fact, Justification, Label, NLIExample, ReplacedWord

EXAMPLES = [
    NLIExample("A man plays a violin.", "A man plays an instrument.", Label.ENTAILMENT, "music", {}, "a1"),
    NLIExample('She said: "Let\'s go, now"', "Er schläft über 中文 nach.", Label.NEUTRAL, "", {}, "a2"),
    NLIExample("", "Water is dry.", Label.CONTRADICTION, "claims", {}, "a3"),
]
COLUMNS = ("id", "premise", "hypothesis", "label", "category")


def rows():
    return [(e.example_id, e.premise, e.hypothesis, str(e.label), e.category) for e in EXAMPLES]


def jsonl():
    return "".join(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n" for row in rows())


def tsv():
    return "".join("\t".join(row) + "\n" for row in [COLUMNS, *rows()])


def write(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def bad_lines(path, **options):
    with pytest.raises(BadLinesError) as caught:
        read_examples([path], **options)
    return caught.value


def test_files_are_read_in_the_order_given(tmp_path):
    first, second = write(tmp_path / "b.tsv", tsv()), write(tmp_path / "a.jsonl", jsonl().splitlines()[0])
    assert read_examples([first, second]) == [*EXAMPLES, EXAMPLES[0]]


def test_one_path_alone_stands_for_a_list_of_one(tmp_path):
    assert read_examples(str(write(tmp_path / "a.jsonl", jsonl()))) == EXAMPLES


def test_blank_lines_are_passed_over(tmp_path):
    assert read_examples([write(tmp_path / "a.jsonl", "\n" + jsonl().replace("\n", "\n\n"))]) == EXAMPLES


def test_columns_can_be_named(tmp_path):
    text = "sentence1\tsentence2\tgold\tkind\tpairID\nA dog runs.\tAn animal runs.\tentailment\tlexical\t7\n"
    config = ExampleConfig(
        premise_column="sentence1", hypothesis_column="sentence2", label_column="gold", category_column="kind",
        id_column="pairID",
    )
    expected = NLIExample("A dog runs.", "An animal runs.", Label.ENTAILMENT, "lexical", {}, "7")
    assert read_examples([write(tmp_path / "a.tsv", text)], config) == [expected]


def test_without_a_premise_column_every_hypothesis_is_a_claim(tmp_path):
    path = write(tmp_path / "a.csv", "hypothesis,label\nWater is wet.,entails\n")
    assert read_examples([path], ExampleConfig(premise_column="")) == [
        NLIExample("", "Water is wet.", Label.ENTAILMENT)
    ]


def test_names_of_a_json_line_are_kept(tmp_path):
    line = {"premise": "A gavorn.", "hypothesis": "A pelit.", "label": "e", "names": {"gavorn": "wn:violin.n.01"}}
    assert read_examples([write(tmp_path / "a.jsonl", json.dumps(line))])[0].names == {"gavorn": "wn:violin.n.01"}


JUSTIFIED = {
    "premise": "A gavorn.", "hypothesis": "Two pelits.", "label": "entailment",
    "justification": {
        "premise_word": [2, 8, "violin", "NN"], "hypothesis_word": [4, 10, "instrument", "NNS"],
        "facts": [["violin", "hypernym", "instrument"]], "downward": True,
    },
}  # fmt: skip


def test_the_justification_of_a_made_pair_is_written_and_read_again(tmp_path):
    (example,) = read_examples([write(tmp_path / "a.jsonl", json.dumps(JUSTIFIED))])
    assert example.justification == Justification(
        ReplacedWord(2, 8, "violin", "NN"), ReplacedWord(4, 10, "instrument", "NNS"),
        (Fact("violin", "hypernym", "instrument"),), downward=True,
    )  # fmt: skip
    write_examples(tmp_path / "b.jsonl", [example])
    assert json.loads((tmp_path / "b.jsonl").read_text()) == JUSTIFIED


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("premise_word", None, "expected \\[start, end, entity id, tag\\]"),
        ("hypothesis_word", [4, 99, "instrument", "NNS"], "expected a place in 'Two pelits.'"),
        ("facts", [["violin", "hypernym"]], "expected lists of head, relation and tail"),
        ("downward", "yes", "expected true or false"),
    ],
)
def test_a_justification_that_does_not_fit_its_pair_is_a_bad_line(tmp_path, key, value, reason):
    line = {**JUSTIFIED, "justification": {**JUSTIFIED["justification"], key: value}}
    with pytest.raises(BadLinesError, match=f"a.jsonl:1: justification: {key}: found .*{reason}"):
        read_examples([write(tmp_path / "a.jsonl", json.dumps(line))])


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("entailment", Label.ENTAILMENT), ("Entails", Label.ENTAILMENT), (" E ", Label.ENTAILMENT),
        ("NEUTRAL", Label.NEUTRAL), ("contradicts", Label.CONTRADICTION), ("not-entailment", Label.NOT_ENTAILMENT),
        ("Not Entailment", Label.NOT_ENTAILMENT), ("non-entailment", Label.NOT_ENTAILMENT), ("", None), ("-", None),
    ],
)
def test_a_label_word_is_known_whatever_its_case_and_spelling(word, label):
    assert parse_label(word) is label


def test_an_unknown_label_word_is_refused():
    with pytest.raises(ConfigError, match="found 'yes', expected one of the words entailment, neutral, contradiction"):
        parse_label("yes")


def test_a_number_as_label_is_refused_with_column_and_words(tmp_path):
    text = '{"premise": "A.", "hypothesis": "B.", "label": 0}'
    with pytest.raises(BadLinesError, match="a.jsonl:1: label: found the number 0, expected one of the words ent"):
        read_examples([write(tmp_path / "a.jsonl", text)])


def test_a_number_as_label_is_refused_in_a_table_as_well(tmp_path):
    with pytest.raises(BadLinesError, match="a.tsv:2: label: found '1', expected one of the words entailment"):
        read_examples([write(tmp_path / "a.tsv", "premise\thypothesis\tlabel\nA.\tB.\t1\n")])
    polars.DataFrame({"premise": ["A."], "hypothesis": ["B."], "label": [2]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(BadLinesError, match="a.parquet:1: label: found the number 2, expected one of the words"):
        read_examples([tmp_path / "a.parquet"])


def test_every_bad_line_of_every_file_is_found_in_one_pass(tmp_path):
    good = '{"premise": "A.", "hypothesis": "B.", "label": "neutral"}\n'
    first = write(tmp_path / "a.jsonl", good + "{oops\n[1]\n" + good.replace('"B."', '" "'))
    second = write(tmp_path / "b.jsonl", good.replace('"A."', "null") + good.replace("neutral", "?"))
    with pytest.raises(BadLinesError) as caught:
        read_examples([first, second])
    places = [(line.path.rpartition("/")[2], line.line) for line in caught.value.bad_lines]
    assert places == [("a.jsonl", 2), ("a.jsonl", 3), ("a.jsonl", 4), ("b.jsonl", 1), ("b.jsonl", 2)]
    assert str(caught.value).startswith("5 bad lines:\n")
    for reason in (
        "found '{oops', expected one JSON object", "found '[1]', expected one JSON object",
        "hypothesis: found no text, expected a sentence", "premise: found 'null', expected text",
    ):
        assert reason in str(caught.value)


def test_the_first_twenty_bad_lines_are_listed_and_all_are_counted(tmp_path):
    error = bad_lines(write(tmp_path / "a.jsonl", "no\n" * 1234))
    assert (len(error.bad_lines), error.num_bad_lines) == (20, 1234)
    assert str(error).endswith("... and 1,214 more")


def test_a_missing_column_is_told_with_the_columns_found_and_the_setting_that_names_it(tmp_path):
    path = write(tmp_path / "a.csv", "sentence1,hypothesis,label\nA.,B.,neutral\nA.,B.,neutral\n")
    assert [str(line) for line in bad_lines(path).bad_lines] == [
        f"{path}:1: found columns sentence1, hypothesis, label; expected premise (--premise-column names another)"
    ]
    path = write(tmp_path / "a.jsonl", '{"premise": "A.", "text": "B.", "label": "neutral"}')
    with pytest.raises(BadLinesError, match=r"expected hypothesis \(--hypothesis-column names another\)"):
        read_examples([path])


def test_an_optional_column_that_was_named_must_occur(tmp_path):
    path = write(tmp_path / "a.jsonl", jsonl())
    with pytest.raises(BadLinesError, match="found no column 'genre' in this or any other line"):
        read_examples([path], ExampleConfig(category_column="genre"))


def test_half_a_surrogate_pair_is_a_bad_line(tmp_path):
    path = write(tmp_path / "a.jsonl", r'{"premise": "\ud83d", "hypothesis": "B.", "label": "neutral"}')
    with pytest.raises(BadLinesError, match="premise: found half of a surrogate pair"):
        read_examples([path])


@pytest.mark.parametrize("names", ['["a"]', '{"a": 1}'])
def test_names_that_are_no_object_of_ids_are_a_bad_line(tmp_path, names):
    path = write(tmp_path / "a.jsonl", f'{{"premise": "A.", "hypothesis": "B.", "label": "n", "names": {names}}}')
    with pytest.raises(BadLinesError, match="a.jsonl:1: names: found .* expected an"):
        read_examples([path])


def test_an_example_without_label_is_a_bad_line_where_labels_are_required(tmp_path):
    path = write(tmp_path / "a.tsv", "premise\thypothesis\tlabel\nA.\tB.\t-\nA.\tC.\tneutral\n")
    with pytest.raises(BadLinesError, match="a.tsv:2: label: found no label, expected .*--skip-unlabelled"):
        read_examples([path])
    assert [e.hypothesis for e in read_examples([path], ExampleConfig(skip_unlabelled=True))] == ["C."]
    assert [e.label for e in read_examples([path], require_labels=False)] == [None, Label.NEUTRAL]


def test_pairs_without_a_label_column_can_be_read_where_labels_are_not_required(tmp_path):
    path = write(tmp_path / "a.csv", "premise,hypothesis\nA.,B.\n")
    assert read_examples([path], require_labels=False) == [NLIExample("A.", "B.")]
    assert read_examples([path], ExampleConfig(skip_unlabelled=True), require_labels=False) == [NLIExample("A.", "B.")]


def test_a_missing_file_is_told_before_any_other_is_read(tmp_path):
    with pytest.raises(InputSyntaxError, match="no such file"):
        read_examples([write(tmp_path / "a.jsonl", "oops"), tmp_path / "none.jsonl"])


def test_written_examples_are_read_back_equal(tmp_path):
    examples = [*EXAMPLES, NLIExample("A gavorn.", "A pelit.", Label.ENTAILMENT, names={"gavorn": "x"})]
    write_examples(tmp_path / "out.jsonl", examples)
    assert read_examples([tmp_path / "out.jsonl"]) == examples
    write_examples(tmp_path / "out.jsonl", [NLIExample("A.", "B.")])
    assert read_examples([tmp_path / "out.jsonl"], require_labels=False) == [NLIExample("A.", "B.")]


def test_a_write_that_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path):
    write_examples(tmp_path / "out.jsonl", EXAMPLES)

    def breaking():
        yield EXAMPLES[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_examples(tmp_path / "out.jsonl", breaking())
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert read_examples([tmp_path / "out.jsonl"]) == EXAMPLES


def test_examples_are_written_under_a_name_that_is_read_as_json_lines(tmp_path):
    with pytest.raises(ConfigError, match="found 'out.csv', expected a name in .jsonl"):
        write_examples(tmp_path / "out.csv", EXAMPLES)
