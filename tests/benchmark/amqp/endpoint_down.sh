#!/usr/bin/env bash
# 300 000 changes in a queue while the endpoint answers 503 for some minutes: credit stops, memory
# stays flat, and afterwards each change has its result.
#
#   endpoint_down.sh BUILD_FOLDER [--members N] [--minutes N] [--broker rabbitmq|artemis]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
members=300000 organizations=20 minutes=3 broker=rabbitmq
while (($# > 0)); do
  case $1 in
    --members) members=$2 ;;
    --minutes) minutes=$2 ;;
    --broker) broker=$2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
# shellcheck source=tests/benchmark/parts.sh
. "$(dirname "$0")/../parts.sh"
worker_pid=''
at_end() {
  [[ -n $worker_pid ]] && kill -KILL "$worker_pid" 2>/dev/null
  bash "$root/tests/support/$broker.sh" stop --dir "$work/broker" >&2
  end_all
}
trap at_end EXIT

# metric NAME: the sum over its labels.
metric() {
  curl -fsS --max-time 10 "$operations/metrics" \
    | awk -v name="$1" '$0 !~ /^#/ && index($0, name) == 1 { sum += $NF } END { printf "%d", sum }'
}
resident_mib() { awk '/^VmRSS/ { printf "%d", $2 / 1024 }' "/proc/$worker_pid/status"; }
control() { curl -fsS --max-time 10 -X PUT "$(url control)/control" -d "$1" >/dev/null; }

bash "$root/tests/support/$broker.sh" start --dir "$work/broker" >&2
# shellcheck disable=SC1091
. "$work/broker/env"
case $broker in
  rabbitmq) amqp=$RABBITMQ_AMQP changes=/queue/changes results=/queue/results ;;
  artemis) amqp=$ARTEMIS_AMQP changes=changes results=results ;;
esac
queue_events
start_simulator
control '{"api": {"down": true}}'
write_queue_config ', request_timeout_s: 3, settle_time_s: 2' 'retry: {backoff_max_ms: 2000}
batch: {entries_max: 500, bytes_max: 262144}
memory: {bytes_max: 67108864}'
"$worker" run --drain --config "$work/worker.yaml" 2>"$work/worker.log" &
worker_pid=$!
for ((waited = 0; waited < 300; ++waited)); do
  port=$(sed -nE 's/.*"operations_port":([0-9]+).*/\1/p' "$work/worker.log" | head -n 1)
  [[ -n $port ]] && break
  sleep 0.1
done
operations=http://127.0.0.1:${port:?the worker did not start}

# At rest when ten seconds bring nothing more.
read_before=-1 read_now=0
for ((waited = 0; waited < 12 && read_now != read_before; ++waited)); do
  read_before=$read_now
  sleep 10
  read_now=$(metric helsekontakter_events_consumed_total)
done
((read_now > 0 && read_now < members / 2)) || die "$read_now of $members read: credit did not stop"
lowest=$(resident_mib) highest=$lowest
say "at rest: $read_now of $members changes read, $lowest MiB"
for ((second = 0; second < minutes * 60; second += 5)); do
  sleep 5
  resident=$(resident_mib)
  ((resident > highest)) && highest=$resident
  ((resident < lowest)) && lowest=$resident
done
read_later=$(metric helsekontakter_events_consumed_total)
((read_later == read_now)) || die "$((read_later - read_now)) more were read"
((highest <= lowest + 8)) || die "memory went from $lowest to $highest MiB"
grep -q '"event":"endpoint held"' "$work/worker.log" || die "the endpoint was not held: no test"

control '{"api": {"down": false}}'
deadline=$((SECONDS + 900))
while kill -0 "$worker_pid" 2>/dev/null; do
  ((SECONDS < deadline)) || die "not drained within 15 min"
  resident=$(resident_mib 2>/dev/null) || resident=0
  ((${resident:-0} > highest)) && highest=$resident
  sleep 1
done
wait "$worker_pid" || die "$(tail -n 5 "$work/worker.log")"
worker_pid=''
python3 - "$work/lines" <<'PY' >"$work/events"
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    print(json.loads(line)["id"])
PY
"$build/tests/feed/helsekontakter-amqp-feed" collect --url "amqp://$amqp" --user worker \
  --password secret --address "$results" --lines "$work/results" --events "$work/events" \
  --deadline 300 || die "results are missing"
echo "$broker, endpoint down for $minutes min, $members changes in the queue: $read_now read and not" \
  "settled, $lowest MiB at least, $highest MiB at most until the last result; each change has one"
