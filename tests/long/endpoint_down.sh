#!/usr/bin/env bash
# Ten minutes with the endpoint down and a million changes waiting: memory stays within its limit.
#
#   endpoint_down.sh BUILD_FOLDER
set -euo pipefail

exec bash "$(dirname "$0")/../benchmark/endpoint_down.sh" "${1:?the build folder}" --minutes 10
