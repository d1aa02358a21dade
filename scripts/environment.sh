# Sourced by quickstart.sh and test.sh: makes (or reuses) a virtual environment with this package installed.
# PYTHON picks the interpreter, VENV the folder; both have defaults.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# with_clock WORDS COMMAND...: runs a command that is silent for long, and on a terminal shows for how long already.
with_clock() {
    local words="$1" start=$SECONDS clock=""
    shift
    if [ -t 2 ]; then
        (while sleep 1; do printf '\r  %s ... %d s ' "$words" $((SECONDS - start)) >&2; done) &
        clock=$!
    fi
    "$@" || { [ -z "$clock" ] || kill "$clock"; return 1; }
    [ -z "$clock" ] || { kill "$clock"; printf '\n' >&2; }
}

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
        local install=("$folder/bin/python" -m pip install --quiet --disable-pip-version-check)
        "${install[@]}" --upgrade pip
        # torch first and pinned: an open range would bring gigabytes of CUDA libraries.
        with_clock "torch" "${install[@]}" -c constraints.txt torch
        PYTHONWARNINGS=ignore with_clock "everything else" "${install[@]}" -c constraints.txt --editable ".[$extras]"
        echo "$stamp" > "$folder/.installed"
    fi
    PATH="$PWD/$folder/bin:$PATH"
    export PATH
}
