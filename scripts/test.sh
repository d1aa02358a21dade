#!/usr/bin/env bash
# Makes an environment and runs the tests. Arguments go to pytest: scripts/test.sh tests/kg -k linker
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
use_environment "${VENV:-.venv}" dev
say "Running the tests"
# The models of the tests are tiny: more threads only wait for each other.
export OMP_NUM_THREADS=1
exec python -m pytest "$@"
