from __future__ import annotations

import io

import numpy as np
import pytest

from kg_reason.config import BuildConfig
from kg_reason.kg import conceptnet
from kg_reason.kg.bad_lines import BadLines
from kg_reason.kg.compiled import interpreted
from kg_reason.kg.conceptnet import read_conceptnet
from kg_reason.kg.conceptnet_scan import ScannedAssertions, scan_assertions

PLAIN = "/a/x\t/r/IsA\t/c/en/violin/n\t/c/de/gro\u00dfe_geige\t{}"
NOT_PLAIN = (
    "/a/x\t/r/IsA\t/c/en/violin\t/c/en/a\t",
    "/a/x\t/r/IsA\t/c/en/violin\t/c/en/a",
    "/a/x\t/r/IsA\t/c/en/violin\t/c/en/a\t{}\t",
    "/a/x\t/r/IsA\t/c/en/violin\t/c/en/a\t{}\r",
    "/a/x\t/r/\t/c/en/violin\t/c/en/a\t{}",
    "/a/x\t/r/IsA\t/c/en/_violin\t/c/en/a\t{}",
    "/a/x\t/r/IsA\t/c/en/violin\t/c//a\t{}",
    "/a/x\t/r/IsA\t/c/en/violin\t/c/en/\t{}",
    "/a/x\t/r/IsA\t/c/en/violin\thttp://example.org/a\t{}",
    "/a/x\t/r/IsA\t/c/en/vio\u00a0lin\t/c/en/a\t{}",
    "/a/x\t/r/IsA\t/c/en/vio\u3000lin\t/c/en/a\t{}",
    "/a/x\t/r/Is A\t/c/en/violin\t/c/en/a\t{}",
)


def scan(text, function=scan_assertions):
    buffer = np.frombuffer(bytearray(text.encode()), dtype=np.uint8)
    num_lines = text.count("\n")
    scanned = ScannedAssertions(
        np.zeros((num_lines, 5, 2), dtype=np.int64), np.zeros(num_lines, dtype=np.int64),
        np.zeros((num_lines, 3), dtype=np.int64),
    )  # fmt: skip
    num_plain, num_rest = function(buffer, 7, scanned)
    return scanned.spans[:num_plain].tolist(), scanned.line[:num_plain].tolist(), scanned.rest[:num_rest].tolist()


def test_a_plain_line_is_taken_apart_into_its_fields():
    spans, line, rest = scan(f"{PLAIN}\n")
    assert [PLAIN.encode()[start:end].decode() for start, end in spans[0]] == PLAIN.split("\t")
    assert (line, rest) == ([7], [])


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_a_line_that_is_not_plain_is_left_to_the_reader(text):
    size = len(text.encode())
    assert scan(f"\n{text}\n") == ([], [], [[1, 1 + size, 8]])


def test_compiled_and_interpreted_the_scan_is_the_same():
    text = "\n".join((PLAIN, *NOT_PLAIN, "", PLAIN, ""))
    assert scan(text) == scan(text, interpreted(scan_assertions))


@pytest.mark.parametrize("has_compiler", [True, False])
def test_plain_lines_and_others_come_in_the_order_of_the_file(monkeypatch, has_compiler):
    monkeypatch.setattr(conceptnet, "HAS_COMPILER", has_compiler)
    bad_lines = BadLines()
    data = "\n".join((PLAIN, NOT_PLAIN[0], PLAIN.replace("{}", "{"), NOT_PLAIN[3], NOT_PLAIN[1], PLAIN)).encode()
    blocks = list(read_conceptnet(io.BytesIO(data), "a", 0, bad_lines, BuildConfig()))
    lines = [triple.source.line for block in blocks for triple in block.triples("a")]
    assert lines == [1, 1, 1, 4, 4, 4, 6]
    assert [bad_line.line for bad_line in bad_lines] == [2, 3, 5]
