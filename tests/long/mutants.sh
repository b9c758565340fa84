#!/usr/bin/env bash
# Every mutant of the core must die (tests/simulation/mutants.sh).
set -euo pipefail
exec bash "$(dirname "$0")/../simulation/mutants.sh"
