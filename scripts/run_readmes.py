"""Run the commands of README files and put what they print below them, or tell where it differs.

    python scripts/run_readmes.py graphs/exports [--update] [--only wikidata]

Every block marked `sh` is run by bash in a folder of its own that holds links to the folders of this repository; the
commands of one file share it, so that a later one finds what an earlier one built. What is printed is compared with the
plain block that follows, where there is one; `--update` writes it there. Times and sizes may differ. `runs/reference`
is made by `scripts/train_reference.sh`.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINKED = ("graphs", "data", "runs", "scripts")
BLOCK = re.compile(r"^```sh\n(?P<commands>.*?)^```\n(?P<answer>```\n(?P<printed>.*?)^```\n)?", re.DOTALL | re.MULTILINE)
VARIES = re.compile(r"^  (?:time|size) .*\n", re.MULTILINE)
TIMEOUT_SECONDS = 300


def run_block(commands: str, folder: Path) -> str:
    """Return what the commands print, errors included."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", commands], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=TIMEOUT_SECONDS, check=False,
    )  # fmt: skip
    return done.stdout + (f"(exit code {done.returncode})\n" if done.returncode else "")


def run_readme(path: Path, *, update: bool) -> int:
    """Run the blocks of one file; return how many of them print something else than the file says."""
    text = path.read_text(encoding="utf-8")
    parts: list[str] = []
    place = num_different = 0
    with tempfile.TemporaryDirectory(prefix="kg_reason_") as scratch:
        folder = Path(scratch)
        for name in LINKED:
            if (ROOT / name).exists():
                (folder / name).symlink_to(ROOT / name)
        for match in BLOCK.finditer(text):
            printed = run_block(match["commands"], folder)
            parts.append(text[place : match.start()])
            place = match.end()
            if match["answer"] is None:
                parts.append(match[0])
                continue
            parts.append(f"```sh\n{match['commands']}```\n```\n{printed}```\n")
            before, after = (VARIES.sub("", text) for text in (match["printed"], printed))
            if before != after:
                num_different += 1
                lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "README", "printed", lineterm="")
                print("\n".join(lines))
    if update:
        path.write_text("".join([*parts, text[place:]]), encoding="utf-8")
    return num_different


def main() -> int:
    """Run every README below the folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--update", action="store_true", help="write what was printed into the files")
    parser.add_argument("--only", default="", help="files whose path holds this")
    arguments = parser.parse_args()
    num_different = 0
    for path in sorted(path for folder in arguments.folders for path in folder.rglob("README.md")):
        if arguments.only in str(path):
            different = run_readme(path, update=arguments.update)
            print(f"{path}: {f'{different} blocks differ' if different else 'as written'}", flush=True)
            num_different += different
    return int(num_different > 0 and not arguments.update)


if __name__ == "__main__":
    sys.exit(main())
