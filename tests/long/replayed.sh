#!/usr/bin/env bash
# A topic of 200 000 changes is replayed, then read once more (real_run/replayed.sh).
#
#   replayed.sh BUILD_FOLDER
set -euo pipefail

exec timeout --kill-after=30 30m bash "$(dirname "$0")/../integration/real_run/replayed.sh" \
  "${1:?the build folder}" --changes 200000
