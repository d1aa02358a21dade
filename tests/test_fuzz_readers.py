"""The fuzzer of the readers: its seeds are valid, its inputs can be made again, and it sees what must not be."""

from __future__ import annotations

import dataclasses
import logging
import os
import random
import time
from contextlib import ExitStack

import fuzz_checks
import fuzz_readers
import pytest
from fuzz_checks import BrokenLawError, Parsers, check_build, check_examples, check_reader, write_input
from fuzz_readers import Input, Plan, check, fuzz, spoiled
from fuzz_seeds import FORMATS, SEEDS, make_input

from kg_reason.config import BuildConfig

UNREADABLE = ("ttl", "nt")  # formats with a seed of RDF 1.2
READ_AS_TRIPLES = [name for name in FORMATS if not name.startswith(("edits", "examples"))]


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def parsers():
    with ExitStack() as stack:
        yield Parsers(stack)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "input").mkdir()
    (tmp_path / "edited").mkdir()
    return tmp_path


@pytest.fixture
def plan(tmp_path):
    seeds = {name: tuple(text.encode() for text in texts) for name, texts in SEEDS.items()} | {"edits": (b"{}\n",)}
    return Plan(
        formats=FORMATS, seeds=seeds, graph=tmp_path, seed=0, num_inputs=0, num_workers=1, build_share=0.0,
        deadline=time.monotonic() + 60,
    )  # fmt: skip


@pytest.mark.parametrize("file_format", READ_AS_TRIPLES)
def test_every_seed_is_valid(tmp_path, parsers, file_format):
    for text in SEEDS[file_format]:
        path = write_input(tmp_path, file_format, text.encode(), "")
        outcome = check_reader(path, BuildConfig(input_format=file_format), text.encode(), parsers)
        assert outcome == "read" or file_format in UNREADABLE


@pytest.mark.parametrize("file_format", [name for name in FORMATS if name.startswith("examples")])
def test_every_seed_of_examples_is_valid(tmp_path, file_format):
    for text in SEEDS[file_format]:
        assert check_examples(write_input(tmp_path, file_format, text.encode(), "")) == "read"


def test_a_number_makes_the_same_input_again(plan):
    assert [spoiled(plan, number)[:3] for number in range(50)] == [spoiled(plan, number)[:3] for number in range(50)]
    assert len({spoiled(plan, number).data for number in range(50)}) > 45
    assert {spoiled(plan, number).file_format for number in range(300)} == set(FORMATS)


def test_inputs_are_bounded_and_some_are_compressed():
    draw = random.Random(0)
    made = [make_input("ttl", [b"a " * 200], draw) for _ in range(500)]
    assert {suffix for _, suffix in made} > {""}
    assert max(len(data) for data, _ in made) < 1 << 19


def test_spoiled_files_are_survived(plan, folder, parsers):
    for number in range(400):
        item = spoiled(plan, number)
        kind, outcome = check(item, folder, 0.0, parsers)
        assert (kind, outcome) in (("", "read"), ("", "noted"), ("", "refused")), (number, item)


def test_another_exception_is_a_finding_with_its_place(folder, parsers, monkeypatch):
    monkeypatch.setattr("kg_reason.kg.foreign_rows.line_blocks", lambda *_: [][1])
    found = check(Input("phrases", b"a\tb\tc\n", "", random.Random(1)), folder, 0.0, parsers)
    assert found == ("IndexError in foreign_rows.text_lines", "")


def test_a_line_that_nobody_accounts_for_is_a_finding(tmp_path, parsers, monkeypatch):
    path = write_input(tmp_path, "tsv", b"a\tb\tc\nd\te\tf\n", "")
    monkeypatch.setattr(fuzz_checks, "read_blocks", lambda *_: iter(()))
    with pytest.raises(BrokenLawError, match="neither read nor noted"):
        check_reader(path, BuildConfig(), path.read_bytes(), parsers)


def test_a_build_that_fails_and_leaves_something_behind_is_a_finding(tmp_path, monkeypatch):
    def build(path, out, config):
        out.mkdir()
        raise fuzz_checks.BadLinesError([], 1)

    path = write_input(tmp_path, "tsv", b"a\n", "")
    assert check_build(path, tmp_path / "graph", BuildConfig()) == "noted"
    monkeypatch.setattr(fuzz_checks, "build_graph", build)
    with pytest.raises(BrokenLawError, match="left something behind"):
        check_build(path, tmp_path / "graph", BuildConfig())


def test_a_worker_that_dies_is_a_finding_and_another_one_goes_on(plan, monkeypatch):
    def check(item, folder, build_share, parsers):
        if build_share == 0.5 and len(item.data) % 5 == 0:
            os._exit(3)
        return "", "read"

    monkeypatch.setattr(fuzz_readers, "check", check)
    findings, table = fuzz(dataclasses.replace(plan, formats=("tsv",), num_inputs=40, build_share=0.5))
    died = sum(len(spoiled(dataclasses.replace(plan, formats=("tsv",)), number).data) % 5 == 0 for number in range(40))
    assert {key: len(found) for key, found in findings.items()} == {("tsv", "died with code 3"): died}
    assert table[1].split()[:3] == ["tsv", str(40 - died), str(40 - died)]
