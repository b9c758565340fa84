#!/usr/bin/env bash
# The whole way through queues: change events from one RabbitMQ queue, by the worker over plain http
# without tokens, to a simulator that answers at once, results to another queue. Beside it, in the same
# run: the least that could do it (a plain Proton program that sends each message on), with the same
# messages, before and after; and each half alone, beside plain Proton programs. Each has a RabbitMQ to
# itself, since what others left in its queues makes it slower. Other load on the machine makes all of
# it worse; the processor seconds least.
#
#   whole_way.sh BUILD_FOLDER [--members N]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
members=100000 organizations=20
[[ ${1:-} != --members ]] || members=${2:?}
# shellcheck source=tests/benchmark/parts.sh
. "$(dirname "$0")/../parts.sh"
trap 'drop_broker; end_all' EXIT
cost=$build/tests/benchmark/amqp/amqp_cost
relayed=$work/relayed
amqp='' changes=/queue/changes results=/queue/results
drop_broker() {
  [[ ! -e $work/rabbit/env ]] || bash "$root/tests/support/rabbitmq.sh" stop --dir "$work/rabbit" >&2
  rm -rf "$work/rabbit"
}
fresh_broker() {
  drop_broker
  bash "$root/tests/support/rabbitmq.sh" start --dir "$work/rabbit" >&2
  # shellcheck disable=SC1091
  . "$work/rabbit/env"
  amqp=$RABBITMQ_AMQP
}

# Sends each change event on; adds what it took to $relayed.
relay() {
  fresh_broker
  queue_events
  HELSEKONTAKTER_TEST_AMQP=$amqp "$cost" relay "$changes" "$results" "$members" | tee -a "$relayed"
}

fresh_broker
HELSEKONTAKTER_TEST_AMQP=$amqp "$cost" "$members"
relay
fresh_broker
queue_events
start_simulator
write_queue_config ', settle_time_s: 0' 'batch: {entries_max: 500}'
python3 "$here/measure.py" --log "$work/worker.log" -- "$worker" run --drain \
  --config "$work/worker.yaml" >"$work/measured"
(($(figure status) == 0)) || die "$(tail -n 5 "$work/worker.log")"
accepted=$(curl -fsS --max-time 10 "$(url control)/control/statistics" \
  | sed -E 's/.*"accepted":([0-9]+),"inactive".*/\1/')
((accepted == members)) || die "$accepted of $members accepted"
# Without settle time, so that it begins at once. The broker is asked whether there is more half a
# second after the last settlement.
seconds=$(python3 - "$work/worker.log" <<'PY'
import json, sys
from datetime import datetime
at = {}
for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith("{"):
        entry = json.loads(line)
        at.setdefault(entry["event"], datetime.fromisoformat(entry["time"].replace("Z", "+00:00")))
print((at["stopped"] - at["queue attached"]).total_seconds() - 0.5)
PY
)
rate=$(awk -v seconds="$seconds" -v events="$members" 'BEGIN { printf "%.0f", events / seconds }')
awk -v rate="$rate" -v events="$members" -v cpu="$(figure user_s) $(figure system_s)" \
  -v peak="$(figure peak_mib)" 'BEGIN { split(cpu, each, " ")
    printf "%-32s %9.0f messages/s %8.1f CPU s per million, %.0f MiB at most\n", "worker: the whole way",
      rate, (each[1] + each[2]) / events * 1e6, peak }'
relay
awk -v rate="$rate" '{ sum += $(NF - 6) } END { printf "of what receive, send on does: %.0f %%\n",
  100 * rate * NR / sum }' "$relayed"
