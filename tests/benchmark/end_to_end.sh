#!/usr/bin/env bash
# The whole line: change events through a real Kafka (eight partitions) to a simulator that answers
# at once, by the worker over plain http without tokens, by the worker over TLS with HelseID tokens,
# and by bare_loop, which decodes nothing and promises nothing: once with a small result for each
# event, once with all that the worker writes. Prints a table: events a second, processor seconds a
# million (the process itself, not broker or simulator), peak memory. Other load on the machine makes
# all of it worse; the processor seconds least.
#
#   end_to_end.sh BUILD_FOLDER [--members N] [--rounds N]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
members=1000000 organizations=20 rounds=1
while (($# > 0)); do
  case $1 in
    --members) members=$2 ;;
    --rounds) rounds=$2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
# shellcheck source=tests/benchmark/parts.sh
. "$(dirname "$0")/parts.sh"

# row NAME SECONDS: SECONDS is the time from the first event to the end.
row() {
  awk -v name="$1" -v seconds="$2" -v events="$members" -v user="$(figure user_s)" \
    -v kernel="$(figure system_s)" -v peak="$(figure peak_mib)" 'BEGIN {
      printf "%-16s %9.0f %12.2f %8.2f %8.2f %9.0f\n", name, events / seconds,
        (user + kernel) / events * 1e6, user / events * 1e6, kernel / events * 1e6, peak }'
}

# Seconds from the assignment to the worker's end, by its log.
worked() {
  python3 - "$1" <<'PY'
import json, sys
from datetime import datetime
at = {}
for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith("{"):
        entry = json.loads(line)
        at.setdefault(entry["event"], datetime.fromisoformat(entry["time"].replace("Z", "+00:00")))
print((at["stopped"] - at["partitions assigned"]).total_seconds())
PY
}

accepted() {
  curl -fsS --max-time 10 "$(url control)/control/statistics" \
    | sed -E 's/.*"accepted":([0-9]+),"inactive".*/\1/'
}

# bare NAME ROUND [LEDGER]
bare() {
  local port
  port=$(url plain) port=${port##*:} port=${port%%/*}
  create_topic "results-$1-$2"
  python3 "$here/measure.py" --log "$work/bare.log" -- "$build/tests/benchmark/bare_loop" \
    "$KAFKA_BOOTSTRAP" changes "results-$1-$2" "$members" "$port" /helsekontakter/api/v1 \
    "${@:3}" >"$work/measured"
  (($(figure status) == 0)) || die "$(cat "$work/bare.log")"
  row "$1" "$(tail -n 1 "$work/bare.log")"
}

# submit NAME BASE_URL AUTH API_MORE
submit() {
  local before
  before=$(accepted)
  write_config "$@"
  python3 "$here/measure.py" --log "$work/$1.log" -- "$worker" run --drain \
    --config "$work/$1.yaml" >"$work/measured"
  (($(figure status) == 0)) || die "$(tail -n 5 "$work/$1.log")"
  (($(accepted) - before == members)) || die "$1: $(($(accepted) - before)) of $members accepted"
  row "worker, ${1%%-*}" "$(worked "$work/$1.log")"
}

start_kafka
feed_events
start_simulator
readonly tokens="{client_id: $(client_id), jwk_file: $work/sim/client.jwk.json,
  ca_file: $work/sim/ca.pem, tenancy: multi, issuer: \"$(url helseid)\"}"
printf '%-16s %9s %12s %8s %8s %9s\n' "$members events" events/s 'CPU s/mill.' user system 'peak MiB'
for ((round = 1; round <= rounds; ++round)); do
  bare bare-loop "$round"
  create_ledger "bare-$round"
  bare bare-ledger "$round" "ledger-bare-$round"
  submit "plain-$round" "$(url plain)" '{none: true}' ''
  submit "tls-$round" "$(url api)" "$tokens" ", ca_file: $work/sim/ca.pem"
done
