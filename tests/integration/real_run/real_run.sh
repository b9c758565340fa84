#!/usr/bin/env bash
# The whole line against real parts: members of five organisations through Kafka (eight partitions,
# three workers) to the simulator over TLS with HelseID, while requests fail, are cut and executed
# late, one worker is killed and one is stopped. Every change must have exactly one result, and the
# endpoint the newest version of every member, with no older one ever over a newer one.
#
#   real_run.sh BUILD_FOLDER [--members N] [--rate EVENTS_PER_SECOND] [--kafka VERSION] [--keep]
#               [--break-broker]     also kills the broker on the way and starts it again
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
members=20000 rate=1500 kafka_version=3.9.1 keep= break_broker=
while (($# > 0)); do
  case $1 in
    --members) members=$2; shift ;;
    --rate) rate=$2; shift ;;
    --kafka) kafka_version=$2; shift ;;
    --keep) keep=yes ;;
    --break-broker) break_broker=yes ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
work=$(mktemp -d "${TMPDIR:-/tmp}/real-run.XXXXXX")
# shellcheck source=tests/integration/real_run/parts.sh
. "$(dirname "$0")/parts.sh"
trap end_all EXIT
trap 'exit 143' INT TERM

# From the first request to the last result; a killed worker alone costs a session timeout of 20 s.
readonly deadline_s=$((120 + members / 100))

say "Kafka $kafka_version, $members members, in $work"
start_kafka
create_topics 8
readonly people=(--organizations 5 --offerings --members "$members" --changed-twice 0.1
  --invalid 0.01 --inactive 0.05 --seed "$$" --events "$work/events")
fed=$("$feed" lists "${people[@]}" --expect "$work/expect" --numbers "$work/numbers" \
  --inactive-file "$work/inactive")
say "fed at $rate/s: $fed"
events=$(grep -oE '"events":[0-9]+' <<<"$fed" | cut -d: -f2)
start_simulator \
  'helseid: {token_life_s: 60}' \
  'api:' \
  "  inactive: {file: $work/inactive}" \
  '  latency: {base_ms: 150, per_entry_ms: 0.2, sigma: 0.3}' \
  '  settle_time_s: 2' \
  '  faults: {seed: 7, status_500: 0.005, status_502: 0.005, status_503: 0.005,' \
  '           status_504: 0.005, cut_late: 0.02}'
write_config 5 'batch: {entries_max: 25}'

readonly began=$SECONDS
for worker in a b c; do start_worker "$worker"; done
for worker in a b c; do until_true 30 is_ready "$worker" || die "worker $worker is not ready"; done
say "three workers are ready"
"$feed" produce --brokers "$brokers" --topic changes "${people[@]}" --rate "$rate" \
  >"$work/fed" 2>"$work/feed.log" &
feed_pid=$!

results_reach() { (($(results_arrived) * 100 >= events * $1)); }

until_true "$deadline_s" results_reach 20 || die "a fifth of the results never came"
for worker in a b c; do scrape "$worker"; done
stop_worker a KILL 137
start_worker a
until_true "$deadline_s" results_reach 50 || die "half of the results never came"
stop_worker b TERM 0
start_worker b
if [[ -n $break_broker ]]; then
  until_true "$deadline_s" results_reach 60 || die "three fifths of the results never came"
  bash "$root/tests/support/kafka.sh" kill --dir "$work/kafka"
  say "the broker is killed"
  bash "$root/tests/support/kafka.sh" restart --dir "$work/kafka" || die "the broker is gone"
  say "the broker is back"
fi
wait "$feed_pid" || die "the feed ended badly: $(cat "$work/feed.log")"
"$feed" results --brokers "$brokers" --topic results --events "$work/events" \
  --deadline "$deadline_s" >"$work/judged" || complain "$(cat "$work/judged")"
readonly took=$((SECONDS - began))
say "$events events have their results after $took s"

for worker in a b c; do scrape "$worker"; done
for worker in a b c; do stop_worker "$worker" TERM 0; done
sleep 2.5 # what was cut is executed up to settle_time_s late
"$feed" results --brokers "$brokers" --topic results --events "$work/events" --table \
  || complain "not exactly one result for each event"
"$simulator" journal --file "$work/sim/journal.ndjson" --expect "$work/expect" --exact \
  || complain "the endpoint does not hold the newest version of every member"
(($(statistic members.older_over_newer) == 0)) || complain "an older version came after a newer"
(($(statistic members.applied_late) > 0)) || complain "nothing was executed late: no test"
statistics | tr ',' '\n' | grep -vE ':0$' | tr '\n' ' '
echo
expect_no_numbers
[[ -n $break_broker ]] || expect_calm

say "$((events / (took > 0 ? took : 1))) events/s, $((cpu_ticks * 10000 / events)) microseconds of" \
  "CPU for each event in the workers, $faults faults"
((faults == 0))
