"""Whatever a stranger's file holds, no output moves a cursor, runs a script, forges a line or hides a letter."""

from __future__ import annotations

import io
import json
import logging
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest

from kg_reason.cli import _logging, main
from kg_reason.explanation.page import draw_page
from kg_reason.explanation.picture import draw_svg
from kg_reason.kg.building import build_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.reading import read_triples
from kg_reason.kg.triples import literal_key
from kg_reason.terminal import MAX_MARKS, MAX_NAME_CHARACTERS, aligned, printable, printable_json, short_name

SPACE = "http://x.org/"
LABELS = {  # of the entities 0, 1, ...
    "colour": "red \x1b[31malert\x1b]0;title\x07",
    "cursor": "up \x9b1A and \r back \x08\x7f",
    "line": "first\nFORGED: nothing is wrong\x0b\x0c\x1c\x85\u2028FORGED",
    "direction": "evil \u202egpj.exe \u2066\u2067\u2069\u200f\u061c",
    "hidden": "pay\u200bpal \u2060\ufeff\xad\U000e0041",
    "nul": "before\0after",
    "tower": "Z" + "\u0301\u0489" * 5_000,
    "script": "<script>alert(1)</script>",
    "attribute": '" onload="alert(1)" x="',
    "image": "<img src=x onerror=alert(1)>]]>-->",
    "entity": "&lt;b&gt; &#x1b; {{7*7}} ${x} %s %(x)s {0}",
    "formula": "=HYPERLINK(\"http://x.org\")",
    "long": "long " * 2_000,
    "not xml": "\ufffe\uffff",
}
UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
PROGRESS = re.compile(r"\r(?:(?:reading|ordering|writing|compiling| )[^\r\n]*)?")
TEXT_ENTITY = "\x1b[5m<b>blink</b>\u202e"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a hostile triples file and the graph made of it."""
    folder = tmp_path_factory.mktemp("hostile")
    name, broader = f"<{SPACE}name>", f"<{SPACE}broader>"
    lines = [f"{broader} <http://www.w3.org/2000/01/rdf-schema#label> {literal_key(LABELS['line'], 'en')} ."]
    for number, label in enumerate(LABELS.values()):
        lines.append(f"<{SPACE}{number}> <http://www.w3.org/2000/01/rdf-schema#label> {literal_key(label, 'en')} .")
        lines.append(f"<{SPACE}{number}> {broader} <{SPACE}hub> .")
        lines.append(f"<{SPACE}hub> {name} {literal_key(label)} .")
    lines += [f"<{SPACE}hub> {name} <javascript:alert(1)> .", f"<{SPACE}hub> {name} <{SPACE}%1B%5B31m%0AFORGED> ."]
    (folder / "a.nt").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    (folder / "b.tsv").write_text(f"{TEXT_ENTITY}\tis \x1b[1m<i>a</i>\thub\n", encoding="utf-8", newline="\n")
    build_graph([folder / "a.nt", folder / "b.tsv"], folder / "kg")
    return folder


def assert_safe(text: str) -> None:
    """Check that a text for people changes nothing around it."""
    found = UNSAFE.search(text)
    assert not found, f"{found} in {text[max(0, found.start() - 40) :][:80]!r}"
    assert not [line for line in text.split("\n") if line.strip().startswith("FORGED")]
    longest = max(len(run) for run in re.findall("[\u0300-\u036f\u0483-\u0489]*", text))
    assert longest <= MAX_MARKS


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Return everything that a command writes."""
    capsys.readouterr()
    main([str(argument) for argument in arguments])
    written = capsys.readouterr()
    return written.out + PROGRESS.sub("", written.err)


def test_commands_that_show_a_graph_are_safe(folder, capsys):
    kg = folder / "kg"
    names = [*(f"{SPACE}{number}" for number in range(len(LABELS))), f"{SPACE}hub", "javascript:alert(1)", TEXT_ENTITY]
    assert_safe(run(capsys, "build", folder / "a.nt", folder / "b.tsv", "--out", kg, "-v"))
    assert_safe(run(capsys, "stats", kg))
    assert_safe(run(capsys, "info", kg))
    assert_safe(run(capsys, "doctor", kg))
    for name in names:
        for more in ((), ("--limit", 0)):
            text = run(capsys, "show", kg, name, *more)
            assert_safe(text)
            assert not text.startswith("error")


@pytest.mark.parametrize("label", LABELS)
def test_commands_that_are_given_hostile_words_are_safe(folder, capsys, label):
    kg, words = folder / "kg", LABELS[label]
    arguments = [
        ("show", kg, words), ("show", kg, "no such " + words), ("paths", kg, words, "hub"),
        ("paths", kg, f"A {words} blorf.", f"The {LABELS['colour']} hub."),
        ("build", f"no such {words}", "--out", "kg"),
        ("export", kg, "--out", f"x.{words}"), ("stats", f"no {words}"), ("show", kg, words, "--json"),
        ("paths", kg, words, f"hub {words}", "--json"),
    ]  # fmt: skip
    for command in arguments:
        written = run(capsys, *command)
        assert_safe(re.sub(r"\\u0(?:301|489)|[\u0300-\u036f\u0489]+", "", written) if "--json" in command else written)


def test_json_says_all_and_holds_nothing_unsafe(folder, capsys):
    for number, label in enumerate(LABELS.values()):
        written = run(capsys, "show", folder / "kg", f"{SPACE}{number}", "--json")
        assert not UNSAFE.search(written)
        assert json.loads(written)["label"] == label
    written = run(capsys, "stats", folder / "kg", "--json")
    assert not UNSAFE.search(written)
    assert json.loads(written)["num_triples"] == 31


def test_edits_with_hostile_names_are_safe(folder, capsys, tmp_path):
    kg = tmp_path / "kg"
    build_graph(folder / "a.nt", kg)
    for label in LABELS.values():
        if "\0" not in label and len(label) < 5_000:
            assert_safe(run(capsys, "edit", kg, "--add", label, label, f"other {label}"))
    assert_safe(run(capsys, "edit", kg, "--list"))
    assert not UNSAFE.search(run(capsys, "edit", kg, "--list", "--json"))
    assert_safe(run(capsys, "stats", kg))
    assert_safe(run(capsys, "edit", kg, "--remove", LABELS["colour"], "no such", LABELS["line"]))
    assert_safe(run(capsys, "edit", kg, "--undo"))


@pytest.mark.parametrize(("name", "content"), [
    ("a.tsv", "a\tb\n"), ("a.csv", 'a,"b\n'), ("a.nt", "<http://x.org/a> {} .\n"), ("a.ttl", "<http://x.org/a> {}"),
    ("a.obo", "{}\n"), ("a.json", '{{"nodes": [{}], "links": [] }}'), ("a.graphml", "<graphml>{}"),
    ("a.rdf", "<{}"), ("a.jsonld", '{{"@context": "{}"}}'),
])
def test_bad_lines_are_told_safely(tmp_path, capsys, name, content):
    for label in LABELS.values():
        (tmp_path / name).write_text(content.replace("{}", label), encoding="utf-8", newline="")
        written = run(capsys, "build", tmp_path / name, "--out", tmp_path / "kg")
        assert_safe(written)


@pytest.mark.parametrize("name", ["a\x1b[31m.nt", "a\nb.nt", "a\x7f.nt"])
def test_files_with_control_characters_in_their_names_are_refused(tmp_path, capsys, name):
    (tmp_path / name).write_text("")
    written = run(capsys, "build", tmp_path, "--out", tmp_path / "kg")
    assert_safe(written)
    assert "found a control character in the name; rename it" in written


def test_names_of_files_that_turn_the_text_are_escaped(tmp_path, capsys):
    (tmp_path / "a\u202evst.tsv").write_text("a\tb\tc\n", encoding="utf-8")
    for command in (("build", tmp_path, "--out", tmp_path / "kg"), ("show", tmp_path / "kg", "a"),
                    ("stats", tmp_path / "kg"), ("paths", tmp_path / "kg", "a", "c")):  # fmt: skip
        assert_safe(run(capsys, *command))


def test_logs_of_a_command_are_safe(capsys):
    with _logging(1, quiet=False):
        logging.getLogger("kg_reason.kg.anything").warning("%s: read", LABELS["colour"] + LABELS["direction"])
    assert_safe(capsys.readouterr().err)


# ---- files for other tools


@pytest.mark.parametrize("export_format", ["nt", "ttl", "tsv"])
def test_exported_files_can_be_read_again(folder, capsys, tmp_path, export_format):
    target = tmp_path / f"a.{export_format}"
    run(capsys, "export", folder / "kg", "--out", target)
    num_edges = KnowledgeGraph.open(folder / "kg").num_edges
    assert len(list(read_triples([target]))) >= num_edges


def test_graphml_holds_only_what_xml_may_hold(folder, capsys, tmp_path):
    run(capsys, "export", folder / "kg", "--out", tmp_path / "a.graphml")
    again = nx.read_graphml(tmp_path / "a.graphml")
    assert r"red \x1b[31malert\x1b]0;title\x07" in nx.get_node_attributes(again, "label").values()


def test_a_file_on_a_terminal_is_escaped_and_in_a_pipe_is_itself(folder, capsys, monkeypatch):
    plain = run(capsys, "export", folder / "kg", "--out", "-", "--format", "tsv")
    assert TEXT_ENTITY in plain

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    main(["export", str(folder / "kg"), "--out", "-", "--format", "tsv"])
    shown = terminal.getvalue()
    assert_safe(shown.replace("\t", " "))
    assert shown.count("\t") == plain.count("\t")


# ---- markup


class Outline(HTMLParser):
    """Notes the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.faults += [tag] * (tag in ("script", "img", "b", "i", "iframe"))
        self.faults += [name for name, _ in attrs if name.startswith("on")]
        self.faults += [value for _, value in attrs if value and value.lstrip().startswith("javascript:")]


def assert_no_script(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    outline.close()
    assert not outline.faults


def test_pages_pictures_and_notebooks_run_no_script(folder, make_reasoner):
    graph = KnowledgeGraph.open(folder / "kg")
    reasoner = make_reasoner(graph=graph)
    for label in LABELS.values():
        words = label[:300]
        (prediction,) = reasoner.predict([(f"The hub {words} is.", f"A {words} hub <script>alert(2)</script>.")])
        assert_no_script(prediction._repr_html_())
        assert_no_script(draw_page(prediction))
        svg = draw_svg(prediction)
        assert_no_script(svg)
        ElementTree.fromstring(svg)
        assert_safe(prediction.to_text())
    assert_no_script(graph._repr_html_())


# ---- the rule itself


@pytest.mark.parametrize("code", [*range(10), *range(11, 32), *range(0x7F, 0xA0), 0xAD, 0x200B, 0x202E, 0x2066, 0xFEFF])
def test_every_unsafe_character_is_escaped_in_text_and_in_json(code):
    assert chr(code) not in printable(f"a{chr(code)}b")
    written = printable_json({"x": f"a{chr(code)}b"})
    assert chr(code) not in written
    assert json.loads(written) == {"x": f"a{chr(code)}b"}


def test_json_of_characters_beyond_the_first_plane_comes_back():
    value = {"\U000e0041": "\U0001f3bb\ud800"}
    assert json.loads(printable_json(value)) == value


def test_accents_of_real_words_are_all_shown_and_towers_are_counted():
    for text in ("Việt Nam", unicodedata.normalize("NFD", "Việt Nam ệ"), "שָׁלוֹם", "བསྒྲུབས", "नमस्ते", "👩‍👩‍👧‍👦"):
        assert printable(text) == text
    assert printable("a" + "\u0301" * 50 + "b") == "a" + "\u0301" * MAX_MARKS + "[40 more accents]b"


def test_a_very_long_name_is_shown_by_its_beginning_and_length():
    assert short_name("x" * MAX_NAME_CHARACTERS) == "x" * MAX_NAME_CHARACTERS
    assert short_name("x" * 5_000) == "x" * MAX_NAME_CHARACTERS + "... (5,000 characters)"
    assert aligned([["x" * 5_000, "1"]]) == ["  " + short_name("x" * 5_000) + "  1"]
