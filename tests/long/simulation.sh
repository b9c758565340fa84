#!/usr/bin/env bash
# The simulation with many more seeds than the normal run.
#
#   simulation.sh BUILD_FOLDER [SEEDS]
set -euo pipefail
program=$(find "$1" -name simulation_test -type f -perm -u+x | head -1)
SIMULATION_SEED=100000 SIMULATION_SEEDS=${2:-5000} exec "$program"
