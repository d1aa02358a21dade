from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg_reason.config import BuildConfig
from kg_reason.kg import parser_child, parser_process
from kg_reason.kg.parser_child import BYTES_PER_FRAME
from kg_reason.kg.parser_process import DeclaredPrefixes, ParsedStatements, ParserFault, ParserProcess
from kg_reason.kg.reading import read_triples

TRIPLE = b"<x:a> <x:p> <x:b> .\n"
LOADED = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("child", {parser_child.__file__!r})
sys.path.append(sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
"""  # for a program in the child's place: the child's own functions


def nested_terms(depth: int) -> bytes:
    """Return a statement that overflows the stack of pyoxigraph 0.5 at some 20,000 levels."""
    return b"<x:a> <x:p> " + b"<<( <x:a> <x:p> " * depth + b"<x:b>" + b" )>>" * depth + b" .\n"


def parse(parser: ParserProcess, *chunks: bytes, rdf_format: str = "ttl") -> tuple[bytes, list[ParserFault]]:
    """Return the statements as N-Triples, and the faults."""
    found = list(parser.parse(iter(chunks), rdf_format))
    statements = b"".join(part.text.tobytes() for part in found if isinstance(part, ParsedStatements))
    return statements, [part for part in found if isinstance(part, ParserFault)]


def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put another program in the child's place; `want()` asks for bytes, `send` writes a frame."""
    program = tmp_path / "child.py"
    program.write_text(f"""
import json, os, signal, struct, sys
def receive():
    return sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(8), "little"))
def send(kind, number=0, payload=b""):
    sys.stdout.buffer.write(struct.pack("<cQQ", kind, number, len(payload)) + payload)
    sys.stdout.buffer.flush()
def want():
    send(b"?")
    return receive()
header = json.loads(receive())
{body}
""")
    monkeypatch.setattr(parser_process, "PROGRAM", program)


@pytest.fixture
def parser() -> Iterator[ParserProcess]:
    with ParserProcess(BuildConfig(max_parser_seconds=1)) as parser:
        yield parser


def test_statements_come_with_their_lines_however_the_file_is_cut(parser):
    text = b'@prefix x: <x:> .\nx:a x:p x:b ,\n  x:c .\n\nx:d x:p """e\nf""" .'
    whole = list(parser.parse(iter([text]), "ttl"))
    bytewise = list(parser.parse(iter([bytes([byte]) for byte in text]), "ttl"))
    for found in (whole, bytewise):
        statements, prefixes = found
        assert statements.lines.tolist() == [2, 3, 6]
        assert statements.text.tobytes().count(b"\n") == 3
        assert prefixes == DeclaredPrefixes({"x": "x:"})


def test_one_child_serves_file_after_file(parser):
    numbers = set()
    for _ in range(3):
        assert parse(parser, TRIPLE) == (TRIPLE, [])
        assert parser._process is not None
        numbers.add(parser._process.pid)
    assert len(numbers) == 1


def test_a_child_that_native_code_kills_is_a_fault_with_its_place_and_the_next_file_is_read(parser):
    statements, (fault,) = parse(parser, TRIPLE * 3, nested_terms(50_000))
    assert statements == b""
    assert fault.line == 4
    assert fault.reason.startswith("the parser died (signal SIGSEGV) near byte 1,")
    assert fault.reason.endswith("; the rest of the file was not read")
    assert parse(parser, TRIPLE) == (TRIPLE, [])


def test_a_child_that_needs_too_much_memory_is_a_fault_that_names_the_setting():
    with ParserProcess(BuildConfig(max_parser_mb=96)) as parser:
        text = b'{"@graph": [' + b",".join(b'{"x:p": [%s]}' % (b"1," * 1000 + b"1") for _ in range(2000)) + b"]}"
        _, (fault,) = parse(parser, text, rdf_format="jsonld")
    assert "(--max-parser-mb)" in fault.reason


def test_a_child_that_lacks_the_memory_to_tell_its_fault_ends_with_a_status_that_does(parser, tmp_path, monkeypatch):
    instead(tmp_path, monkeypatch, f"{LOADED}\nmodule.os._exit(module.OUT_OF_MEMORY)")
    _, (fault,) = parse(parser, TRIPLE)
    assert fault.reason.startswith("the parser died (exit status 3), as where it needs more than")


def test_a_child_that_computes_without_getting_on_is_ended(parser, tmp_path, monkeypatch):
    instead(tmp_path, monkeypatch, f"""
{LOADED}
feed = module.Feed(header["max_seconds"])
feed.read()
while True:
    pass
""")
    _, (fault,) = parse(parser, TRIPLE)
    assert fault.reason.startswith("the parser got nowhere in 1 s (--max-parser-seconds) near byte 20")


def test_the_clock_starts_again_with_every_part_of_a_file(parser, tmp_path, monkeypatch):
    instead(tmp_path, monkeypatch, f"""
{LOADED}
import resource, time
feed = module.Feed(7)
limits = [resource.getrlimit(resource.RLIMIT_CPU)[0]]
while time.process_time() < limits[0] - 7:
    pass
feed.read()
limits.append(resource.getrlimit(resource.RLIMIT_CPU)[0])
send(b"f", 1, str(limits[1] - limits[0]).encode())
send(b".", 0, b"{{}}")
""")
    _, (fault,) = parse(parser, TRIPLE)
    assert int(fault.reason) >= 1


@pytest.mark.parametrize(("body", "told"), [
    ("os.kill(os.getpid(), signal.SIGKILL)", "the parser died (signal SIGKILL), as where it needs more than 4,096 MB"),
    ("want(); os.abort()", "the parser died (signal SIGABRT), as where it needs more than 4,096 MB (--max-parser-mb)"),
    ("want(); sys.exit(3)", "the parser died (exit status 3)"),
    ("want(); sys.exit(0)", "the parser died (exit status 0)"),
    ("want(); raise RecursionError", "the parser died (exit status 1)"),
    ("want(); sys.stdout.write('Traceback: nothing of the kind'); sys.stdout.flush()", "answered with something else"),
    ("want(); send(b'!')", "answered with something else than statements"),
    ("want(); send(b's', 3, bytes(24) + b'one line\\n')", "answered with something else than statements"),
    ("want(); send(b's', 1, b'\\n')", "answered with something else than statements"),
    ("want(); send(b's', 1 << 60, b'')", "answered with something else than statements"),
    ("want(); send(b'.', 0, b'{')", "answered with something else than statements"),
    ("want(); sys.stdout.buffer.write(struct.pack('<cQQ', b's', 1, 1 << 50)); sys.stdout.flush(); want()", "answered"),
    ("want(); sys.stdout.buffer.write(struct.pack('<cQQ', b's', 1, 90) + b'half')", "exit status 0"),
    ("want(); want(); os.kill(os.getpid(), signal.SIGBUS)", "the parser died (signal SIGBUS) near byte 40"),
    ("sys.stdin.close(); send(b'?'); send(b'?'); sys.exit(7)", "the parser died (exit status 7)"),
])  # fmt: skip
def test_whatever_a_child_does_is_a_fault(body, told, parser, tmp_path, monkeypatch):
    instead(tmp_path, monkeypatch, body)
    statements, (fault,) = parse(parser, TRIPLE, TRIPLE)
    assert statements == b""
    assert told in fault.reason


def test_a_child_that_closes_its_output_and_lives_on_is_ended(parser, tmp_path, monkeypatch):
    monkeypatch.setattr(parser_process, "SECONDS_TO_DIE", 0.05)
    instead(tmp_path, monkeypatch, "want(); os.close(1); sys.stdin.read()")
    _, (fault,) = parse(parser, TRIPLE)
    assert fault.reason.startswith("the parser fell silent")


def test_a_system_that_starts_no_process_is_a_fault(parser, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    _, (fault,) = parse(parser, TRIPLE)
    assert fault.reason.startswith("the parser could not be started: No such file")


def open_files() -> list[str]:
    """The numbers of this process's open files, where the system tells them."""
    folder = Path("/proc/self/fd")
    return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture
def started(monkeypatch) -> list[subprocess.Popen[bytes]]:
    """The processes that are started during a test."""
    processes: list[subprocess.Popen[bytes]] = []

    class Popen(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    return processes


def test_a_file_left_half_way_leaves_no_child_no_thread_and_no_open_file(tmp_path, started):
    (tmp_path / "a.ttl").write_bytes(TRIPLE * 300_000)
    before = open_files()
    threads = threading.active_count()
    triples = read_triples([tmp_path / "a.ttl"])
    assert next(triples).head == "x:a"
    triples.close()
    assert threading.active_count() == threads
    assert [process.returncode for process in started] == [-signal.SIGKILL]
    assert open_files() == before


def test_an_interrupt_while_the_child_works_leaves_no_child(parser, started):
    def interrupted() -> Iterator[bytes]:
        yield TRIPLE
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(parser.parse(interrupted(), "ttl"))
    assert [process.returncode for process in started] == [-signal.SIGKILL]
    assert parse(parser, TRIPLE) == (TRIPLE, [])


def test_the_child_can_open_neither_file_nor_connection(parser, tmp_path, monkeypatch):
    instead(tmp_path, monkeypatch, f"""
{LOADED}
import socket
module.confine(1000)
want()
told = []
for attempt in (lambda: open(module.__file__), lambda: socket.socket()):
    try:
        attempt()
        told.append("done")
    except OSError as error:
        told.append(os.strerror(error.errno))
send(b"f", 1, " ".join(told).encode())
send(b".", 0, b"{{}}")
""")
    _, (fault,) = parse(parser, TRIPLE)
    assert fault.reason == "Too many open files Too many open files"


def test_a_file_whose_statements_grow_too_much_is_a_fault():
    text = b"@prefix x: <http://x/%s> .\n" % (b"a" * 200_000) + b"x:a x:b x:c .\n" * 120
    with ParserProcess(BuildConfig(max_growth=2)) as parser:
        _, (fault,) = parse(parser, text)
    assert "found statements that are more than 2 times as long as the file" in fault.reason
    with ParserProcess(BuildConfig(max_growth=5000)) as parser:
        statements, faults = parse(parser, text)
    assert faults == []
    assert len(statements) > 8 * BYTES_PER_FRAME > parser_child.FREE_GROWTH_BYTES - 1


def test_the_child_ends_with_its_parent(tmp_path):
    script = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from kg_reason.config import BuildConfig
from kg_reason.kg.parser_process import ParserProcess
parser = ParserProcess(BuildConfig())
found = parser.parse(iter([{TRIPLE!r} * 60_000]), "ttl")
next(found)
print(parser._process.pid, flush=True)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    status = Path(f"/proc/{int(done.stdout)}/stat")
    for _ in range(100):
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        os.sched_yield()
        subprocess.run([sys.executable, "-S", "-c", ""], check=True)  # gives it time
    raise AssertionError("the child lives on")
