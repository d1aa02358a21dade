#!/usr/bin/env bash
# Makes an environment and runs the main job on embedded defaults. Run again it starts from what is there.
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
use_environment "${VENV:-.venv}" zstd,english
exec scripts/main_job.sh
