from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError, InputSyntaxError
from kg_reason.kg import delimited
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.compiled import interpreted
from kg_reason.kg.delimited import RowReader, read_delimited
from kg_reason.kg.delimited_scan import ScannedRows, scan_rows
from kg_reason.kg.triples import Triple

COLUMNS = "head\trelation\ttail\tweight\trank\tlanguage\tpos\n"


def read(
    data: bytes | str, *, quoted: bool = False, config: BuildConfig | None = None
) -> tuple[list[Triple], list[str]]:
    bad_lines = BadLines()
    stream = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    blocks = read_delimited(stream, "a.tsv", 0, bad_lines, config=config or BuildConfig(), quoted=quoted)
    triples = [triple for block in blocks for triple in block.triples("a.tsv")]
    return triples, [str(bad_line) for bad_line in bad_lines]


def keys(triples: list[Triple]) -> list[tuple[str, str, str]]:
    return [triple[:3] for triple in triples]


def test_rows_are_read_with_their_lines():
    triples, bad_lines = read("violin\tis a\tinstrument\n\ncello\tis a\tinstrument")
    assert keys(triples) == [("violin", "is a", "instrument"), ("cello", "is a", "instrument")]
    assert [str(triple.source) for triple in triples] == ["a.tsv:1", "a.tsv:3"]
    assert bad_lines == []


def test_every_wrong_line_is_told_with_what_was_expected():
    text = "a\tb\tc\na\tb\n a\t \tc\nd\te\tf\na\tb\tc\td\n\t\t\n"
    triples, bad_lines = read(text)
    assert keys(triples) == [("a", "b", "c"), ("d", "e", "f")]
    assert bad_lines == [
        "a.tsv:2: expected 3 tab-separated fields, found 2",
        "a.tsv:3: expected a relation, found an empty field",
        "a.tsv:5: expected 3 tab-separated fields, found 4",
    ]


@pytest.mark.parametrize(("line", "reason"), [
    (b"a\tb\t\xff", "column 5: expected UTF-8 text, found byte 0xFF"),
    (b"a\tb\tc\0d", "expected a tail, found a NUL character in it"),
    (b"a\tb\rx\tc", "expected a relation, found a carriage return in it"),
])
def test_bytes_that_are_no_text_are_refused(line, reason):
    triples, bad_lines = read(b"a\tb\tc\n" + line + b"\n")
    assert len(triples) == 1
    assert bad_lines == [f"a.tsv:2: {reason}"]


def test_carriage_returns_and_white_space_at_the_ends_of_cells_are_dropped():
    triples, bad_lines = read("head\trelation\ttail\r\n a \tb\tc\u00a0\r\n\u3000d\te\tf\r\n\r\n")
    assert keys(triples) == [("a", "b", "c"), ("d", "e", "f")]
    assert bad_lines == []


def test_cells_that_look_like_literals_or_blank_nodes_become_literals():
    triples, _ = read('_:a\tr\t"x" y\nhttp://x/a\tr\tb"c')
    assert keys(triples) == [('"_:a"', "r", '"\\"x\\" y"'), ("http://x/a", "r", 'b"c')]


def test_a_header_puts_columns_in_place_and_others_are_ignored():
    triples, bad_lines = read("id\tTail\trelation\tHead\tscore\n1\tinstrument\tis a\tviolin\tx\n")
    assert keys(triples) == [("violin", "is a", "instrument")]
    assert bad_lines == []
    assert triples[0].source.line == 2


def test_column_names_can_be_set():
    config = BuildConfig(head_column="subject", relation_column="p", tail_column="object", weight_column="w")
    triples, _ = read("w\tsubject\tp\tobject\n0.5\ta\tb\tc\n", config=config)
    assert triples[0][:3] == ("a", "b", "c")
    assert triples[0].weight == 0.5


@pytest.mark.parametrize(("text", "settings", "found"), [
    ("violin\tinstrument\ncello\tinstrument\n", {}, [("violin", 1.0), ("cello", 1.0)]),
    ("violin\tinstrument\t0.5\ncello\tinstrument\t2\n", {}, [("violin", 0.5), ("cello", 2.0)]),
    ("tail\thead\ninstrument\tviolin\n", {}, [("violin", 1.0)]),
    ("product\tprice\tcategory\nviolin\t900\tinstrument\n",
     {"head_column": "product", "tail_column": "category"}, [("violin", 1.0)]),
    ("Tail\tWeight\tHead\ninstrument\t0.25\tviolin\n", {"header": "yes"}, [("violin", 0.25)]),
])  # fmt: skip
@pytest.mark.parametrize("has_compiler", [True, False])
@pytest.mark.parametrize("quoted", [True, False])
def test_one_relation_is_given_to_all_rows_of_a_table_without_that_column(
    text, settings, found, has_compiler, quoted, monkeypatch
):
    monkeypatch.setattr(delimited, "HAS_COMPILER", has_compiler)
    text = text.replace("\t", ",") if quoted else text
    triples, bad_lines = read(text, quoted=quoted, config=BuildConfig(relation=" is  a ", **settings))
    assert bad_lines == []
    assert [(triple.head, triple.weight) for triple in triples] == found
    assert {triple[1:3] for triple in triples} == {("is a", "instrument")}


def test_a_table_with_relations_keeps_them_beside_a_given_one():
    config = BuildConfig(relation="related to")
    for text in ("a\tb\tc\n", "a\tb\tc\t0.5\n", "tail\thead\trelation\nc\ta\tb\n"):
        assert keys(read(text, config=config)[0]) == [("a", "b", "c")]


def test_a_given_relation_that_reads_like_a_literal_is_one():
    triples, _ = read("a\tb\n", config=BuildConfig(relation='"x'))
    assert triples[0].relation == '"\\"x"'


def test_two_columns_without_a_relation_tell_how_it_is_given():
    triples, bad_lines = read("a\tb\nc\td\n")
    assert triples == []
    fault = "expected 3 tab-separated fields, found 2"
    advice = "--relation names the relation of a table without such a column"
    assert bad_lines == [f"a.tsv:1: {fault}; {advice}", f"a.tsv:2: {fault}"]


@pytest.mark.parametrize(("header", "settings"), [
    ("head\ttail", {}), ("head\ttail\tweight", {}), ("tail\tnote\thead", {}), ("head\tnote\ttail", {"header": "yes"}),
    ("product\tprice\tcategory", {"head_column": "product", "tail_column": "category"}),
])
def test_a_header_without_a_relation_tells_how_it_is_given(header, settings):
    with pytest.raises(InputSyntaxError, match="a.tsv:1: expected a column relation, found .*; --relation names the"):
        read(f"{header}\na\tb\tc\n", config=BuildConfig(**settings))


def test_a_row_of_the_words_head_and_tail_is_a_row():
    assert keys(read("head\tantonym\ttail\n")[0]) == [("head", "antonym", "tail")]


@pytest.mark.parametrize("sign", ",;|\t")
@pytest.mark.parametrize("delimiter", ["", "|"])
def test_a_header_of_a_csv_file_tells_its_separator(sign, delimiter):
    text = f'head{sign} "relation"{sign}tail\na{sign}"b, {sign}"{sign}c\n'
    triples, bad_lines = read(text, quoted=True, config=BuildConfig(delimiter=delimiter))
    assert (keys(triples), bad_lines) == ([("a", f"b, {sign}".strip(), "c")], [])


def test_a_header_between_tabs_goes_before_a_separator_that_is_set():
    assert keys(read("head\trelation\ttail\na\tb\tc\n", config=BuildConfig(delimiter=";"))[0]) == [("a", "b", "c")]


def test_a_column_may_have_one_name_here_and_another_there():
    config = BuildConfig(head_column="Kopf|subject", tail_column="Ende | object", weight_column="w|share")
    for header in ("Kopf\trelation\tEnde\tw", "subject\trelation\tOBJECT\tshare"):
        triples, _ = read(f"{header}\na\tb\tc\t0.5\n", config=config)
        assert [(*triple[:3], triple.weight) for triple in triples] == [("a", "b", "c", 0.5)]
    with pytest.raises(InputSyntaxError, match="expected one column Kopf.subject, found 2"):
        read("Kopf\tsubject\trelation\tEnde\n", config=config)


def test_a_header_can_be_denied():
    triples, _ = read("head\trelation\ttail\na\tb\tc\n", config=BuildConfig(header="no"))
    assert keys(triples) == [("head", "relation", "tail"), ("a", "b", "c")]


def test_a_promised_header_that_is_not_there_is_told():
    with pytest.raises(InputSyntaxError, match="a.tsv:1: expected a column head, found x, y, z"):
        read("x\ty\tz\n", config=BuildConfig(header="yes"))


def test_a_header_that_names_a_column_twice_is_told():
    with pytest.raises(InputSyntaxError, match="a.tsv:2: expected one column tail, found 2"):
        read("\nhead\trelation\ttail\ttail\n")


def test_a_fourth_field_that_is_a_number_is_a_weight_where_there_is_no_header():
    triples, bad_lines = read("a\tb\tc\t0.25\nd\te\tf\t2\ng\th\ti\n")
    assert [triple.weight for triple in triples] == [0.25, 2.0]
    assert bad_lines == ["a.tsv:3: expected 4 tab-separated fields, found 3"]


def test_optional_columns_are_read_and_may_be_empty():
    triples, bad_lines = read(COLUMNS + "a\tb\tc\t0.5\t2\tEN\tn\nd\te\tf\t\t\t\t\ng\th\ti\t1e-2\t+1\tpt-BR\tS\n")
    assert triples[0][4:] == (0.5, 2, "en", "n")
    assert triples[1][4:] == (1.0, 0, "", "")
    assert bad_lines == ["a.tsv:4: expected a rank, a whole number from 1, found '+1'"]


@pytest.mark.parametrize(("cells", "reason"), [
    ("74 %\t\t\t", "expected a weight, a number not below 0, found '74 %', a percentage; write 0.5 for 50 %"),
    ("0,5\t\t\t", "expected a weight, a number not below 0, found '0,5', with a comma; write 0.5, or --decimal-comma "
     "for a whole table"),
    ("-1\t\t\t", "expected a weight, a number not below 0, found '-1'"),
    ("nan\t\t\t", "expected a weight, a number not below 0, found 'nan'"),
    ("1_0\t\t\t", "expected a weight, a number not below 0, found '1_0'"),
    ("\t0\t\t", "expected a rank, a whole number from 1, found '0'"),
    ("\t1.5\t\t", "expected a rank, a whole number from 1, found '1.5'"),
    ("\t\ten us\t", "expected a language tag such as en or pt-BR, found 'en us'"),
    ("\t\t\tx", "expected a part of speech n, v, a or r, found 'x'"),
])
def test_optional_cells_that_make_no_sense_are_told(cells, reason):
    triples, bad_lines = read(COLUMNS + f"a\tb\tc\t{cells}\n")
    assert triples == []
    assert bad_lines == [f"a.tsv:2: {reason}"]


@pytest.mark.parametrize(("text", "triples"), [
    ("Head , Relation ,  Tail\na,r,b\n", [("a", "r", "b")]),
    ("sep=;\nhead;relation;tail\na;r;b\n", [("a", "r", "b")]),
    ('"sep=;"\r\na;r;b,c\r\n', [("a", "r", "b,c")]),
    ("sep=\t\na\tr\tb\n", [("a", "r", "b")]),
    (",,\n\nhead,relation,tail\n,,\na,r,b\n , ,\n,,,\n", [("a", "r", "b")]),
    ('head,relation,tail,"note\nof ""more"""\na,r,b,x\n', [("a", "r", "b")]),
    (',head,relation,tail\n0,a,r,b\n', [("a", "r", "b")]),
    ('5" pipe,is a,pipe\nthe "big",is,x\n', [('5" pipe', "is a", "pipe"), ('the "big"', "is", "x")]),
    ('head,relation,tail,5"\na,r,b,6"\n', [("a", "r", "b")]),
    ("Anna,born,1990\nBo,born,1991.50\n", [("Anna", "born", "1990"), ("Bo", "born", "1991.50")]),
    ('=HYPERLINK("x"),r,b\n', [('=HYPERLINK("x")', "r", "b")]),
    ("a,r,b\r\n\r\n", [("a", "r", "b")]),
])  # fmt: skip
def test_tables_as_spreadsheets_write_them_are_read(text, triples):
    found, bad_lines = read(text, quoted=True)
    assert (keys(found), bad_lines) == (triples, [])


def test_the_lines_after_a_header_of_several_lines_keep_their_numbers():
    triples, bad_lines = read('head,relation,tail,"a\nb\nc"\nx,r,y,z\nx,r\n', quoted=True)
    assert triples[0].source.line == 4
    assert bad_lines == ["a.tsv:5: expected 4 comma-separated fields, found 2"]


@pytest.mark.parametrize("text", [
    "# Directed graph: web, 5 nodes; 1 edge\n#\n# FromNodeId\tToNodeId\n0\t1\n", "#head\ttail\n0\t1\n",
    "# a\n# head\ttail\r\n0\t1\n", "#\r\n# head,tail\r\n0,1\n",
])  # fmt: skip
def test_an_edge_list_may_begin_with_comments(text):
    triples, bad_lines = read(text, quoted="," in text.splitlines()[-1], config=BuildConfig(relation="links to"))
    assert (keys(triples), bad_lines) == ([("0", "links to", "1")], [])
    assert triples[0].source.line == text.count("\n")


def test_a_head_may_begin_with_a_hash():
    config = BuildConfig(head_column="# id")
    assert keys(read("#music\tis a\ttag\n")[0]) == [("#music", "is a", "tag")]
    assert keys(read("#\tis a\tsign\n# b\tr\tc\n")[0]) == [("#", "is a", "sign"), ("# b", "r", "c")]
    assert keys(read("# id\trelation\ttail\na\tr\tb\n", config=config)[0]) == [("a", "r", "b")]


@pytest.mark.parametrize(("text", "is_told"), [
    ('"a"\t"r"\t"b"\n', True), ('head\trelation\ttail\n"a"\t"r"\t"b"\n', True), ('"head"\t"relation"\t"tail"\n', True),
    ('"a"\tr\t"b"\n', False), ('"\t"\t"\n', False), ("\n", False), ("head\trelation\ttail\n", False),
])  # fmt: skip
def test_cells_in_quotes_of_a_tsv_file_are_told(text, is_told, caplog):
    read(text)
    told = "a.tsv: cells stand in quotes, which are kept; --input-format csv --delimiter tab reads them as CSV"
    assert caplog.messages == [told] * is_told


def test_an_empty_name_is_of_no_column():
    triples, bad_lines = read(",head,relation,tail\nx,a,r,b\n", quoted=True, config=BuildConfig(weight_column=""))
    assert (keys(triples), bad_lines) == ([("a", "r", "b")], [])


@pytest.mark.parametrize("name", ["valid_from", "Valid From", "VALID__FROM"])
def test_a_column_name_may_have_blanks_for_underscores(name):
    blocks = read_delimited(
        io.BytesIO(f"head\trelation\ttail\t{name}\na\tr\tb\t2020\n".encode()), "a.tsv", 0, BadLines(),
        config=BuildConfig(as_of="2019-01-01"), quoted=False,
    )
    assert sum(map(len, blocks)) == 0


def test_the_separator_can_be_set():
    triples, _ = read("a;b;c\n", config=BuildConfig(delimiter=";"))
    assert keys(triples) == [("a", "b", "c")]
    triples, _ = read('"a"\tb\tc\n', quoted=True, config=BuildConfig(delimiter="\\t"))
    assert keys(triples) == [("a", "b", "c")]
    _, bad_lines = read("a|b|c\na|b\n", config=BuildConfig(delimiter="|"))
    assert bad_lines == ["a.tsv:2: expected 3 '|'-separated fields, found 2"]


@pytest.mark.parametrize("delimiter", ["::", "¦", '"', "\n"])
def test_a_separator_that_cannot_work_is_refused(delimiter):
    with pytest.raises(ConfigError, match="delimiter: found .* expected one ASCII character"):
        read("a b c", config=BuildConfig(delimiter=delimiter))


def test_csv_knows_quotes_and_records_of_several_lines():
    text = 'head,relation,tail\nplain,is,here\n"a, b","say ""x""","two\n\nlines"\nd, "e" ,f\n'
    triples, bad_lines = read(text, quoted=True)
    assert keys(triples) == [("plain", "is", "here"), ("a, b", 'say "x"', "two\n\nlines")]
    assert [triple.source.line for triple in triples] == [2, 3]
    assert bad_lines == ["a.tsv:6: not valid CSV: ',' expected after '\"'"]


def test_a_header_in_quotes_is_a_header():
    triples, _ = read('"tail","relation","head"\nc,b,a\n', quoted=True)
    assert keys(triples) == [("a", "b", "c")]


def test_a_quote_that_never_closes_costs_only_its_line():
    rows = "".join(f"a{row},b,c\n" for row in range(20_000))
    triples, bad_lines = read(f'a,b,c\n"open,b,c\n{rows}', quoted=True)
    assert len(triples) == 20_001
    assert [bad_line.split(": ")[:2] for bad_line in bad_lines] == [["a.tsv:2", "not valid CSV"]]


def test_wrong_csv_lines_are_told():
    _, bad_lines = read(b'a,b,c\n"a",b\n\n"a",,c\n"\xff",b,c\nd,e,f', quoted=True)
    assert bad_lines == [
        "a.tsv:2: expected 3 comma-separated fields, found 2",
        "a.tsv:4: expected a relation, found an empty field",
        "a.tsv:5: column 2: expected UTF-8 text, found byte 0xFF",
    ]


def test_an_empty_file_gives_nothing():
    assert read("") == ([], [])
    assert read("\n \r\n") == ([], [])
    assert read("head\trelation\ttail\n") == ([], [])


CELLS = st.one_of(
    st.sampled_from(
        ["a", "b c", "", " ", "_:x", '"x"', "\u00a0a", "a\u3000", "é", "文\u3002", "\x00", "a\rb", "\x1ca", "\x85",
         "x\u2003", "\u1680", "_", "_x", "\u200b"]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\t"), max_size=4),
    st.builds(  # long enough to be read eight bytes at a time
        "{}{}{}".format, st.text("ab z~", max_size=24),
        st.sampled_from(["", "\x7f", "\x80", "é", "\x00", "\r", "\x1f", "\x0b", "\ufeff", "\U0001f600", "\u2028"]),
        st.text("ab z~", max_size=24),
    ),
)  # fmt: skip
NUMBERS = st.one_of(
    st.sampled_from(["", "1", "0.5", ".5", "5.", ".", "1e3", "-1", "007", "0", "1" * 16, "9999999999", " 2 ", "1.2.3",
         "2147483648"]),
    st.floats(0, 1e9).map(repr), st.integers(0, 10**18).map(str),
)
TAGS = st.sampled_from(["", "en", "EN", "en-GB", "zh-Hans", "a b", "é", "-", "en-", "toolongtag", "x-klingon", "en_US"])
PARTS = st.sampled_from(["", "n", "N", "v", "a", "s", "r", "x", "nn", " r"])
ROWS = st.one_of(
    st.tuples(CELLS, CELLS, CELLS, NUMBERS, NUMBERS, TAGS, PARTS).map("\t".join),
    st.tuples(st.just("h"), st.just("r"), CELLS, NUMBERS, NUMBERS, TAGS, PARTS).map("\t".join),
    st.lists(CELLS, max_size=8).map("\t".join),
)


@settings(max_examples=max(500, settings().max_examples))
@given(st.lists(ROWS.map(str.encode), max_size=6).map(b"\n".join), st.booleans())
@example(b"a\tb\tc\xed\xa0\x80\na\tb\t\xc2\na\tb\tc", False)
def test_the_scan_and_the_slow_path_agree_on_every_line(data: bytes, with_columns: bool):
    if with_columns:
        data = COLUMNS.encode() + data
    with pytest.MonkeyPatch.context() as patch:
        fast = read(data)
        patch.setattr(delimited, "HAS_COMPILER", False)
        assert read(data) == fast


@settings(max_examples=max(500, settings().max_examples))
@given(
    st.lists(st.one_of(ROWS, st.tuples(CELLS, CELLS, CELLS).map("\t".join)), max_size=6),
    st.sampled_from(["\t", ",", ";", "|", " "]), st.booleans(),
    st.sampled_from([b"", b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xf4\x90\x80\x80"]),
)  # fmt: skip
def test_the_scan_and_the_slow_path_agree_whatever_separates_the_fields(rows, delimiter, quoted, odd):
    data = "\n".join(row.replace("\t", delimiter) for row in rows).encode() + odd
    config = BuildConfig(delimiter=delimiter)
    with pytest.MonkeyPatch.context() as patch:
        fast = read(data, quoted=quoted, config=config)
        patch.setattr(delimited, "HAS_COMPILER", False)
        assert read(data, quoted=quoted, config=config) == fast


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5))
def test_csv_written_by_python_comes_back(rows: list[tuple[str, str, str]]):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    triples, bad_lines = read(text.getvalue(), quoted=True, config=BuildConfig(header="no"))
    assert len(triples) + len(bad_lines) == sum(any(cell.strip() for cell in row) for row in rows)


@given(st.lists(st.text(st.sampled_from('a,"\n '), max_size=12), max_size=6).map("\n".join))
def test_no_csv_makes_the_reader_stumble(text: str):
    triples, bad_lines = read(text, quoted=True)
    assert len(triples) + len(bad_lines) <= text.count("\n") + 1


def test_the_scan_means_the_same_compiled_and_interpreted():
    lines = [
        "a long first cell\tb\tc\t0.125\t12\ten\tn", "é\tb\tc\t\t\t\t", " ", "_:x\tb\tc\t1\t1\ten\tn",
        "a\tb\tc\t7\t8\t\tq", "<<(\tb\tc\t\t\t\t",
    ]  # fmt: skip
    text = "".join(f"{line}\t list \n" for line in lines)
    fields = np.arange(1, 9)
    num_lines = text.count("\n")
    results = []
    for scan in (scan_rows, interpreted(scan_rows)):
        spans = [np.zeros((num_lines, 2), dtype=np.int64) for _ in range(3)]
        scanned = ScannedRows(
            *spans, np.zeros(num_lines, dtype=np.int64), np.zeros((num_lines, 3), dtype=np.int64),
            np.zeros(num_lines, dtype=np.float32), np.zeros(num_lines, dtype=np.int32),
            np.zeros((num_lines, 2), dtype=np.int64), np.zeros(num_lines, dtype=np.uint8),
            np.zeros((num_lines, 1, 2), dtype=np.int64), np.zeros((2, len(fields)), dtype=np.int64),
        )
        counts = scan(np.frombuffer(bytearray(text.encode()), dtype=np.uint8), 1, 9, fields, scanned)
        results.append((counts, [np.nan_to_num(column[: counts[0]], nan=-1.0).tolist() for column in scanned]))
    assert results[0] == results[1]


def test_weights_are_read_as_python_reads_them():
    weights = ["0.1", "123.456", "0.000123", "99999999999.9999", "7", "0.30000000000000004"]
    triples, _ = read(COLUMNS + "".join(f"a\tb\tc\t{weight}\t\t\t\n" for weight in weights))
    assert [triple.weight for triple in triples] == [float(np.float32(float(weight))) for weight in weights]


def test_a_row_reader_notes_what_it_refuses():
    bad_lines = BadLines()
    reader = RowReader(delimited.Layout("\t", (1, 2, 3)), "a.tsv", 0, bad_lines)
    reader.add(["a", "b"], 9)
    reader.add(["a", "b", "c"], 10)
    assert (len(reader), bad_lines.num) == (1, 1)
    assert not math.isnan(next(reader.take().triples("a.tsv")).weight)


def test_a_line_of_another_delimiter_tells_which_one_it_has():
    _, bad_lines = read("a;b;c\nd\te\tf\ng|h|i\n")
    assert bad_lines == [
        "a.tsv:1: expected 3 tab-separated fields, found 1; it has 3 semicolon-separated ones (--delimiter ';')",
        "a.tsv:3: expected 3 tab-separated fields, found 1; it has 3 |-separated ones (--delimiter '|')",
    ]


def test_a_first_line_of_too_many_fields_tells_how_a_header_is_known():
    _, bad_lines = read("Kopf\tBezug\tEnde\tNotiz\na\tb\tc\td\n")
    assert "found 4; a header is known by its names: --head-column" in bad_lines[0]
    assert bad_lines[1] == "a.tsv:2: expected 3 tab-separated fields, found 4"


@pytest.mark.parametrize("quoted", [False, True])
def test_line_ends_without_line_feeds_are_told(quoted):
    text = "a\tb\tc\rd\te\tf\r".replace("\t", "," if quoted else "\t")
    triples, bad_lines = read(text, quoted=quoted)
    assert triples == []
    assert bad_lines[0].endswith("fields, found 5; line ends are carriage returns, expected line feeds")


def test_a_header_under_another_delimiter_tells_both_ways_out():
    _, bad_lines = read("Owner;Bezug;Ende;Anteil\na;b;c;1\n", quoted=True)
    advice = "it has 4 semicolon-separated ones (--delimiter ';')"
    names = "a header is known by its names: --head-column, --relation-column and --tail-column tell yours"
    assert bad_lines == [
        f"a.tsv:1: expected 3 comma-separated fields, found 1; {advice}; {names}",
        f"a.tsv:2: expected 3 comma-separated fields, found 1; {advice}",
    ]


def test_pairs_under_another_delimiter_tell_which_one_they_have():
    _, bad_lines = read("Mutter;Tochter\n", quoted=True, config=BuildConfig(relation="owns"))
    told = "expected 2 comma-separated fields, found 1; it has 2 semicolon-separated ones (--delimiter ';')"
    assert bad_lines == [f"a.tsv:1: {told}"]


@pytest.mark.parametrize(("text", "is_comma", "weight", "told"), [
    ("12,5", True, 12.5, ""), ("98", True, 98.0, ""), ("12.5", False, 12.5, ""),
    ("12.5", True, None, "found '12.5', with a dot; write 0,5"),
    ("12,5", False, None, "found '12,5', with a comma; write 0.5, or --decimal-comma for a whole table"),
    ("50 %", True, None, "found '50 %', a percentage; write 0,5 for 50 %"),
])
@pytest.mark.parametrize("header", ["head;relation;tail;weight\n", "x;r;y;1\n"])
def test_a_comma_stands_before_the_fraction_where_a_setting_says_so(header, text, is_comma, weight, told):
    config = BuildConfig(delimiter=";", decimal_comma=is_comma)
    triples, bad_lines = read(f"{header}a;r;b;{text}\n", quoted=True, config=config)
    weights = [triple.weight for triple in triples if triple.head == "a"]
    assert weights == [weight] * (weight is not None)
    assert [line.removeprefix("a.tsv:2: expected a weight, a number not below 0, ") for line in bad_lines] == [told] * (
        weight is None
    )
