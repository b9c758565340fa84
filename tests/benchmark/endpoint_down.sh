#!/usr/bin/env bash
# Peak memory of the worker while the endpoint is down and a million changes wait: it must stay
# within memory.bytes_max and 64 MiB. Nothing listens at the endpoint's address.
#
#   endpoint_down.sh BUILD_FOLDER [--minutes N] [--members N]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
members=1000000 organizations=20 minutes=1
while (($# > 0)); do
  case $1 in
    --minutes) minutes=$2 ;;
    --members) members=$2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
# shellcheck source=tests/benchmark/parts.sh
. "$(dirname "$0")/parts.sh"

start_kafka
feed_events
write_config down http://127.0.0.1:9 '{none: true}' ''
python3 "$here/measure.py" --seconds $((minutes * 60)) --deadline $((minutes * 60 + 60)) \
  --log "$work/down.log" -- "$worker" run --config "$work/down.yaml" >"$work/measured"
(($(figure status) == 0)) || die "$(tail -n 5 "$work/down.log")"
grep -q '"event":"endpoint held"' "$work/down.log" || die "the endpoint was not held: no test"
readonly limit_mib=$((memory_bytes_max / 1048576 + 64))
peak=$(figure peak_mib)
echo "endpoint down for $minutes min, $members changes waiting: peak $peak MiB of $limit_mib," \
  "processor $(figure user_s) + $(figure system_s) s"
awk -v peak="$peak" -v limit="$limit_mib" 'BEGIN { exit !(peak <= limit) }' \
  || die "more memory than memory.bytes_max and 64 MiB"
