#!/usr/bin/env bash
# The whole line through queues: members of five organisations through RabbitMQ (three queues behind
# the consistent-hash exchange of deploy/rabbitmq) or Artemis (three queues), three workers, a queue
# for each. Each worker is killed once, the broker restarted once, the connections cut again and
# again, while requests fail, are cut and executed late. Every change must have its result at least
# once, a repeated one with the same id, and no older version may come over a newer one.
#
#   amqp_run.sh BUILD_FOLDER [--broker rabbitmq|artemis] [--members N] [--cuts N] [--keep]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
members=20000 cuts=20 broker=rabbitmq keep=
while (($# > 0)); do
  case $1 in
    --members) members=$2; shift ;;
    --cuts) cuts=$2; shift ;;
    --broker) broker=$2; shift ;;
    --keep) keep=yes ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
work=$(mktemp -d "${TMPDIR:-/tmp}/amqp-run.XXXXXX")
# shellcheck source=tests/integration/real_run/parts.sh
. "$(dirname "$0")/parts.sh"
readonly amqp_feed=$build/tests/feed/helsekontakter-amqp-feed
gate_pid=
collect_pid=

end_this() {
  local status=$? pid
  for pid in $collect_pid $gate_pid; do kill "$pid" 2>/dev/null || true; done
  [[ -e $work/broker/env ]] && bash "$root/tests/support/$broker.sh" stop --dir "$work/broker"
  return "$status"
}
trap 'if end_this; then end_all; else end_all; fi' EXIT
trap 'exit 143' INT TERM

readonly deadline_s=$((240 + members / 100))

# Where to send and receive, in the broker's own notation.
start_broker() {
  case $broker in
    rabbitmq)
      python3 - "$root/deploy/rabbitmq" >"$work/definitions.json" <<'PY'
import json, sys
merged = {}
for recipe in ("single-active-consumer", "queue-per-worker"):
    with open(f"{sys.argv[1]}/{recipe}.json", encoding="utf-8") as file:
        for key, values in json.load(file).items():
            merged.setdefault(key, []).extend(values)
json.dump(merged, sys.stdout)
PY
      changes=(/exchange/membership-changes)
      queue=/amq/queue/membership-changes-
      results=/exchange/membership-results/result
      collected=/amq/queue/membership-results
      letters=/amq/queue/membership-dead-letters
      definitions=(--definitions "$work/definitions.json") ;;
    artemis)
      changes=(changes-1 changes-2 changes-3)
      queue=changes-
      results=results collected=results letters=dead-letters
      definitions=() ;;
    *) die "no broker $broker" ;;
  esac
  bash "$root/tests/support/$broker.sh" start --dir "$work/broker" "${definitions[@]}" >/dev/null \
    || die "no $broker"
  # shellcheck disable=SC1091
  direct=$(. "$work/broker/env" && echo "${RABBITMQ_AMQP:-$ARTEMIS_AMQP}")
}

ask() {  # COMMAND OPTION…: at the broker itself, whatever becomes of the workers' connections
  "$amqp_feed" "$1" --url "amqp://$direct" --user worker --password secret "${@:2}"
}

start_gate() {
  python3 "$root/tests/support/tcp_gate.py" "$direct" "$work/gate.port" 2>"$work/gate.log" &
  gate_pid=$!
  until_true 10 test -e "$work/gate.port" || die "no gate: $(cat "$work/gate.log")"
}

write_configs() {
  local address
  echo secret >"$work/password" && chmod 600 "$work/password"
  address="url: [\"amqp://127.0.0.1:$(cat "$work/gate.port")\"], user: worker"
  source_section="{amqp: {$address, password_file: $work/password, address: ${queue}NUMBER}}"
  results_section="amqp: {address: $results, dead_letter_address: $letters}"
  ledger_section="sqlite: {path: $work/ledger-NUMBER.db}"
  write_config 5 'batch: {entries_max: 25}'
  local number=0 worker
  for worker in a b c; do
    number=$((number + 1))
    sed "s|NUMBER|$number|" "$work/worker.yaml" >"$work/worker-$worker.yaml"
  done
}

say "$broker, $members members, in $work"
start_broker
readonly people=(--organizations 5 --offerings --members "$members" --changed-twice 0.1
  --invalid 0.01 --inactive 0.05 --seed "$$" --events "$work/events")
fed=$("$feed" lists "${people[@]}" --expect "$work/expect" --numbers "$work/numbers" \
  --inactive-file "$work/inactive" --lines "$work/lines")
events=$(grep -oE '"events":[0-9]+' <<<"$fed" | cut -d: -f2)
invalid=$(grep -oE '"invalid":[0-9]+' <<<"$fed" | cut -d: -f2)
start_simulator \
  'helseid: {token_life_s: 60}' \
  'api:' \
  "  inactive: {file: $work/inactive}" \
  '  latency: {base_ms: 150, per_entry_ms: 0.2, sigma: 0.3}' \
  '  settle_time_s: 2' \
  '  faults: {seed: 7, status_500: 0.005, status_502: 0.005, status_503: 0.005,' \
  '           status_504: 0.005, cut_late: 0.02}'
start_gate
write_configs
"$program" check --config "$work/worker-a.yaml" --connect >"$work/check.txt" \
  || complain "check: $(grep FAIL "$work/check.txt")"
grep -qF 'AMQP to AMQP: at least once' "$work/check.txt" || complain "check promises nothing"
sent=$(ask send --lines "$work/lines" $(printf -- '--address %s ' "${changes[@]}")) \
  || die "the events were not taken"
((sent == events)) || die "$sent of $events events were taken"
say "$events events wait in three queues"

readonly began=$SECONDS
: >"$work/results"
ask collect --address "$collected" --lines "$work/results" --events "$work/events" \
  --deadline "$deadline_s" >"$work/collected" 2>"$work/collect.log" &
collect_pid=$!
for worker in a b c; do start_worker "$worker"; done
for worker in a b c; do until_true 60 is_ready "$worker" || die "worker $worker is not ready"; done
say "three workers are ready"

results_reach() { (($(wc -l <"$work/results") * 100 >= events * $1)); }
collected_all() { ! kill -0 "$collect_pid" 2>/dev/null; }

readonly killed=(a b c)
restarted=
for ((cut = 1; cut <= cuts; ++cut)); do
  until_true "$deadline_s" results_reach $((cut * 80 / cuts)) || die "results stopped before cut $cut"
  kill -USR1 "$gate_pid"
  ((cut % 5 == 2 && cut / 5 < 3)) || continue
  worker=${killed[cut / 5]}
  scrape "$worker"
  stop_worker "$worker" KILL 137
  start_worker "$worker"
  [[ -z $restarted && $cut -gt 5 ]] || continue
  restarted=yes
  say "the broker is restarted"
  bash "$root/tests/support/$broker.sh" restart --dir "$work/broker" || die "the broker is gone"
  say "the broker is back"
done
[[ -n $restarted ]] || complain "the broker was not restarted"
say "the connections were cut $cuts times"
until_true "$deadline_s" collected_all || die "results are missing"
wait "$collect_pid" || complain "$(cat "$work/collected" "$work/collect.log")"
collect_pid=
readonly took=$((SECONDS - began))
say "$events events have their results after $took s"

for worker in a b c; do scrape "$worker"; done
for worker in a b c; do stop_worker "$worker" TERM 0; done
sleep 2.5 # what was cut is executed up to settle_time_s late
ask take --address "$collected" --lines "$work/results" --deadline 3
ask take --address "$letters" --lines "$work/dead-letters" --deadline 3
number=0
for worker in a b c; do
  number=$((number + 1))
  ask take --address "$queue$number" --lines "$work/left" --deadline 2
done
"$feed" judge-lines --file "$work/results" --events "$work/events" --table --at-least-once \
  || complain "not a result for each event, or different ones"
"$simulator" journal --file "$work/sim/journal.ndjson" --expect "$work/expect" --exact \
  || complain "the endpoint does not hold the newest version of every member"
(($(statistic members.older_over_newer) == 0)) || complain "an older version came after a newer"
(($(statistic members.applied_late) > 0)) || complain "nothing was executed late: no test"
[[ ! -s $work/left ]] || complain "$(wc -l <"$work/left") events are left in the queues"
(($(sort -u "$work/dead-letters" | wc -l) == invalid)) \
  || complain "$(sort -u "$work/dead-letters" | wc -l) dead letters of $invalid"
for file in "$work"/worker-*.log "$work"/metrics-*.txt "$work"/simulator.{log,out} "$work/results"; do
  (($(numbers_in "$file") == 0)) || complain "identity numbers in $(basename "$file")"
done
(($(numbers_in "$work/dead-letters") > 0)) || complain "the search for numbers finds none"
grep -hE '"event":"(brake pulled|a record failed)' "$work"/worker-*.log | sort | uniq -c || true

say "$((events / (took > 0 ? took : 1))) events/s, $((cpu_ticks * 10000 / events)) microseconds of" \
  "CPU for each event in the workers that were stopped, $faults faults"
((faults == 0))
