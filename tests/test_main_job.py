"""The main job of the quickstart, as it is, on fewer examples and with every socket denied."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DENY = '''
import socket

def refuse(self, address, *rest):
    raise SystemExit(f"the main job tried to connect to {address}")

socket.socket.connect = refuse
socket.socket.connect_ex = refuse
socket.getaddrinfo = refuse
'''


def test_the_main_job_runs_from_triples_to_answers_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "deny").mkdir()
    (tmp_path / "deny" / "sitecustomize.py").write_text(DENY)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "deny"), str(ROOT)]),
    }
    command = [str(ROOT / "scripts" / "main_job.sh"), str(tmp_path / "out"), "120"]
    first = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert first.returncode == 0, first.stderr[-3000:]
    assert "tried to connect" not in first.stderr + first.stdout
    assert first.stdout.count("text alone") >= 3
    assert "relations.nt.gz:" in first.stdout
    trained = (tmp_path / "out" / "model" / "training.json").stat().st_mtime_ns
    again = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert again.returncode == 0, again.stderr[-3000:]
    assert "is there" in again.stdout
    assert (tmp_path / "out" / "model" / "training.json").stat().st_mtime_ns == trained
