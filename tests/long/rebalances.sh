#!/usr/bin/env bash
# Four workers on 16 partitions, 20 rebalances, 200 000 changes (real_run/rebalances.sh).
#
#   rebalances.sh BUILD_FOLDER [SEED]
set -euo pipefail

exec timeout --kill-after=30 60m bash "$(dirname "$0")/../integration/real_run/rebalances.sh" \
  "${1:?the build folder}" --changes 200000 --rebalances 20 --rate 350 --seed "${2:-$RANDOM}"
