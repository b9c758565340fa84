#!/usr/bin/env bash
# The real run with 100 000 members, ten times in a row; the first failure ends it.
#
#   real_run.sh BUILD_FOLDER [TIMES]
set -euo pipefail

script=$(dirname "$0")/../integration/real_run/real_run.sh
for ((run = 1; run <= ${2:-10}; ++run)); do
  echo "run $run"
  timeout --kill-after=30 15m bash "$script" "${1:?the build folder}" --members 100000 --rate 2500
done
