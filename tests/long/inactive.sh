#!/usr/bin/env bash
# 200 000 members, 30 % inactive, of whom a third become active (tests/integration/real_run).
#
#   inactive.sh BUILD_FOLDER
set -euo pipefail

exec timeout --kill-after=30 20m bash "$(dirname "$0")/../integration/real_run/inactive.sh" \
  "${1:?the build folder}" --members 200000 --interval 60
