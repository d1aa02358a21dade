import gzip
import importlib.util
import json
from collections import Counter
from pathlib import Path
from types import ModuleType

import pyoxigraph
import pytest

from kg_reason.errors import GraphError, InputSyntaxError

REPOSITORY = Path(__file__).resolve().parent.parent
PREF_LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
ALT_LABEL = "http://www.w3.org/2004/02/skos/core#altLabel"
HEADER = "  1 Permission to use is granted.  \n  2   \n  3 No warranty.  \n"

# Ten synsets of a world of music, in the format of wndb(5WN).
TINY_WORDNET = {
    "data.noun": HEADER
    + "00000100 06 n 02 instrument 0 musical_instrument 0 001 ~ 00000200 n 0000 | a device  \n"
    + "00000200 06 n 02 violin 0 fiddle 0 004 @ 00000100 n 0000 ~i 00000300 n 0000 + 00000100 v 0202 %p 00000400 n 0000"
    + " | a small | stringed one  \n"
    + "00000300 06 n 01 Lady_Blunt 0 001 @i 00000200 n 0000 | a famous one  \n"
    + "00000400 06 n 01 bow 0 001 #p 00000200 n 0000 | what moves over the strings  \n"
    + "00000500 04 n 01 bow 1 000 | a bending of the head  \n",
    "index.noun": HEADER
    + "bow n 2 1 #p 2 1 00000500 00000400  \n"
    + "fiddle n 1 2 @ + 1 0 00000200  \n"
    + "instrument n 1 1 ~ 1 0 00000100  \n"
    + "lady_blunt n 1 1 @i 1 0 00000300  \n"
    + "musical_instrument n 1 1 ~ 1 0 00000100  \n"
    + "violin n 1 2 @ + 1 0 00000200  \n",
    "data.verb": HEADER
    + "00000100 36 v 02 play 0 fiddle 0 001 + 00000200 n 0202 02 + 08 00 + 02 00 | make music  \n",
    "index.verb": HEADER + "fiddle v 1 1 + 1 0 00000100  \nplay v 1 1 + 1 1 00000100  \n",
    "data.adj": HEADER
    + "00000100 00 a 01 musical(a) 0 002 ! 00000200 a 0101 & 00000300 a 0000 | of music  \n"
    + "00000200 00 a 01 unmusical 0 001 ! 00000100 a 0101 | not of music  \n"
    + "00000300 00 s 01 \"tuneful\" 0 001 & 00000100 a 0000 | with a tune  \n",
    "index.adj": HEADER
    + "\"tuneful\" a 1 1 & 1 0 00000300  \n"
    + "musical a 1 2 ! & 1 0 00000100  \n"
    + "unmusical a 1 1 ! 1 0 00000200  \n",
    "data.adv": HEADER + "00000100 02 r 01 musically 0 001 \\ 00000100 a 0101 | in a musical way  \n",
    "index.adv": HEADER + "musically r 1 1 \\ 1 0 00000100  \n",
    "noun.exc": "axes ax axis\n",
    "verb.exc": "played play\nate eat\nate eat\n",
    "adj.exc": "",
    "adv.exc": "best well\n",
}


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_wordnet_graph", REPOSITORY / "scripts" / "make_wordnet_graph.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "wordnet"
    folder.mkdir()
    for name, text in TINY_WORDNET.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_every_pointer_becomes_one_triple_between_named_synsets(script: ModuleType, folder: Path) -> None:
    assert script.relation_triples(script.read_wordnet(folder)) == [
        ("wn:%22tuneful%22.s.01", "wn:similar_to", "wn:musical.a.01"),
        ("wn:bow.n.02", "wn:part_holonym", "wn:violin.n.01"),
        ("wn:instrument.n.01", "wn:hyponym", "wn:violin.n.01"),
        ("wn:lady_blunt.n.01", "wn:instance_hypernym", "wn:violin.n.01"),
        ("wn:musical.a.01", "wn:antonym", "wn:unmusical.a.01"),
        ("wn:musical.a.01", "wn:similar_to", "wn:%22tuneful%22.s.01"),
        ("wn:musically.r.01", "wn:pertainym", "wn:musical.a.01"),
        ("wn:play.v.01", "wn:derivationally_related_form", "wn:violin.n.01"),
        ("wn:unmusical.a.01", "wn:antonym", "wn:musical.a.01"),
        ("wn:violin.n.01", "wn:derivationally_related_form", "wn:play.v.01"),
        ("wn:violin.n.01", "wn:hypernym", "wn:instrument.n.01"),
        ("wn:violin.n.01", "wn:instance_hyponym", "wn:lady_blunt.n.01"),
        ("wn:violin.n.01", "wn:part_meronym", "wn:bow.n.02"),
    ]


def test_lemmas_keep_case_and_rank_and_lose_underscores_and_markers(script: ModuleType, folder: Path) -> None:
    rows = script.lemma_rows(script.read_wordnet(folder))
    assert len(rows) == 13
    assert ("wn:lady_blunt.n.01", PREF_LABEL, "Lady Blunt", "1", "en", "n") in rows
    assert ("wn:instrument.n.01", ALT_LABEL, "musical instrument", "1", "en", "n") in rows
    assert ("wn:bow.n.02", PREF_LABEL, "bow", "2", "en", "n") in rows
    assert ("wn:bow.n.01", PREF_LABEL, "bow", "1", "en", "n") in rows
    assert ("wn:musical.a.01", PREF_LABEL, "musical", "1", "en", "a") in rows
    assert ("wn:%22tuneful%22.s.01", PREF_LABEL, '"tuneful"', "1", "en", "a") in rows


def test_exceptions_are_sorted_and_each_form_stands_once(script: ModuleType, folder: Path) -> None:
    assert script.exception_lines(folder) == ["n\taxes\tax\taxis", "r\tbest\twell", "v\tate\teat", "v\tplayed\tplay"]


def test_two_runs_write_the_same_bytes_without_a_time(script: ModuleType, folder: Path, tmp_path: Path) -> None:
    script.make(folder, tmp_path / "first")
    script.make(folder, tmp_path / "second")
    names = sorted(path.relative_to(tmp_path / "first") for path in (tmp_path / "first").rglob("*") if path.is_file())
    assert [path.name for path in names] == [
        "LICENSE", "lemmas.tsv.gz", "relations.nt.gz", "english_exceptions.LICENSE", "english_exceptions.txt.gz",
    ]
    for name in names:
        content = (tmp_path / "first" / name).read_bytes()
        assert content == (tmp_path / "second" / name).read_bytes()
        if name.suffix == ".gz":
            assert content[4:8] == bytes(4)
    assert (tmp_path / "first" / names[0]).read_text() == "Permission to use is granted.\n\nNo warranty.\n"


def test_a_folder_without_exception_lists_gives_the_graph_alone(
    script: ModuleType, folder: Path, tmp_path: Path
) -> None:
    for path in folder.glob("*.exc"):
        path.unlink()
    script.make(folder, tmp_path / "out")
    assert (tmp_path / "out" / "graphs" / "wordnet" / "relations.nt.gz").is_file()
    assert not (tmp_path / "out" / "kg_reason").exists()


def test_a_line_of_another_form_is_named_by_file_and_line(script: ModuleType, folder: Path) -> None:
    (folder / "data.adv").write_text(HEADER + "00000100 02 r 01 musically 0 001 ? 00000100 a 0101 | gloss\n")
    with pytest.raises(InputSyntaxError, match=r"data\.adv:4: not a synset line"):
        script.read_wordnet(folder)


def test_a_pointer_that_leads_nowhere_is_named_by_file_and_line(script: ModuleType, folder: Path) -> None:
    (folder / "data.adv").write_text(HEADER + "00000100 02 r 01 musically 0 001 \\ 00000900 a 0101 | gloss\n")
    with pytest.raises(InputSyntaxError, match=r"data\.adv:4: pertainym points to 00000900, which is no synset"):
        script.relation_triples(script.read_wordnet(folder))


def test_a_lemma_that_the_index_lacks_is_named_by_file_and_line(script: ModuleType, folder: Path) -> None:
    (folder / "index.adv").write_text(HEADER)
    with pytest.raises(InputSyntaxError, match=r"data\.adv:4: the index has no sense of 'musically'"):
        script.relation_triples(script.read_wordnet(folder))


def test_a_missing_file_is_named(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"data\.noun: no such file"):
        script.read_wordnet(tmp_path)


def test_the_committed_wordnet_graph_is_whole_and_below_8_megabytes() -> None:
    folder = REPOSITORY / "graphs" / "wordnet"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 8_000_000
    with gzip.open(folder / "lemmas.tsv.gz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    assert rows[0] == ["head", "relation", "tail", "rank", "language", "pos"]
    heads = {row[0] for row in rows[1:]}
    assert len(heads) == 117_659
    with gzip.open(folder / "relations.nt.gz") as triples_file:
        quads = list(pyoxigraph.parse(triples_file, format=pyoxigraph.RdfFormat.N_TRIPLES))
    assert len(quads) == 364_552
    assert {quad.subject.value for quad in quads} | {quad.object.value for quad in quads} <= heads


@pytest.mark.parametrize("name", ["products", "people"])
def test_the_small_graphs_are_turtle_with_at_least_150_triples(name: str) -> None:
    path = REPOSITORY / "graphs" / name / f"{name}.ttl"
    assert len(set(pyoxigraph.parse(path=path))) >= 150


def test_the_sentences_are_600_different_short_ones() -> None:
    sentences = (REPOSITORY / "data" / "sentences.txt").read_text(encoding="utf-8").splitlines()
    assert len(sentences) == len({sentence.casefold() for sentence in sentences}) == 600
    assert all(5 <= len(sentence.split()) <= 15 for sentence in sentences)


def test_the_pairs_are_balanced_and_apart_from_the_sentences() -> None:
    pairs = [json.loads(line) for line in (REPOSITORY / "data" / "pairs.jsonl").read_text().splitlines()]
    assert Counter(pair["label"] for pair in pairs) == {"entailment": 20, "neutral": 20, "contradiction": 20}
    assert len({pair["id"] for pair in pairs}) == 60
    sentences = set((REPOSITORY / "data" / "sentences.txt").read_text(encoding="utf-8").splitlines())
    assert not sentences & {pair[side] for pair in pairs for side in ("premise", "hypothesis")}
