# Sourced by quickstart.sh and test.sh: makes (or reuses) a virtual environment with this package installed.
# PYTHON picks the interpreter, VENV the folder; both have defaults.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# use_environment FOLDER EXTRAS: afterwards `python` and `kg-reason` are those of the environment.
use_environment() {
    local folder="$1" extras="$2" python="${PYTHON:-python3}" stamp
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "error: found $("$python" --version), expected Python 3.11 or newer (set PYTHON=/path/to/python3.11)" >&2
        exit 1
    }
    stamp="$(cat pyproject.toml constraints.txt | sha256sum | cut -c1-16)-$extras"
    if [ ! -f "$folder/.installed" ] || [ "$(cat "$folder/.installed")" != "$stamp" ]; then
        say "Installing kg_reason and what it stands on into $folder (some minutes the first time)"
        [ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip
        # torch first and pinned: an open range would bring gigabytes of CUDA libraries.
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
        "$folder/bin/python" -m pip install --disable-pip-version-check --progress-bar on -q \
            -c constraints.txt --editable ".[$extras]"
        echo "$stamp" > "$folder/.installed"
    fi
    PATH="$PWD/$folder/bin:$PATH"
    export PATH
}
