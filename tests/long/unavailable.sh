#!/usr/bin/env bash
# Ten minutes of 503, with 300 000 changes waiting and 200/s coming in (real_run/unavailable.sh).
#
#   unavailable.sh BUILD_FOLDER
set -euo pipefail

exec timeout --kill-after=30 40m bash "$(dirname "$0")/../integration/real_run/unavailable.sh" \
  "${1:?the build folder}" --seconds 600 --waiting 300000 --rate 200
