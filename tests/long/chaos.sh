#!/usr/bin/env bash
# Chaos with fresh seeds; the first failure ends it and says its seed.
#
#   chaos.sh BUILD_FOLDER [TIMES]
set -euo pipefail

script=$(dirname "$0")/../chaos/chaos.sh
for ((run = 1; run <= ${2:-6}; ++run)); do
  timeout --kill-after=30 15m bash "$script" "${1:?the build folder}" --seconds 180 \
    --seed $((RANDOM * 32768 + RANDOM))
done
