#!/usr/bin/env bash
# One of 40 organisations has its delegation revoked for five minutes (real_run/revoked.sh).
#
#   revoked.sh BUILD_FOLDER
set -euo pipefail

exec timeout --kill-after=30 30m bash "$(dirname "$0")/../integration/real_run/revoked.sh" \
  "${1:?the build folder}" --seconds 300
