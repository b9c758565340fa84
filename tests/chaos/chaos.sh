#!/usr/bin/env bash
# Workers killed, stopped and frozen, the broker killed, the endpoint and HelseID away, in an order
# drawn from a seed, while members change; then a calm in which nothing is restarted. After it every
# change has exactly one result, and the endpoint the newest version of every member.
#
#   chaos.sh BUILD_FOLDER [--seconds S] [--seed N] [--kafka VERSION] [--keep]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
seconds=120 seed=$$ kafka_version=3.9.1 keep=
while (($# > 0)); do
  case $1 in
    --seconds) seconds=$2; shift ;;
    --seed) seed=$2; shift ;;
    --kafka) kafka_version=$2; shift ;;
    --keep) keep=yes ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
work=$(mktemp -d "${TMPDIR:-/tmp}/chaos.XXXXXX")
# shellcheck source=tests/integration/real_run/parts.sh
. "$(dirname "$0")/../integration/real_run/parts.sh"
trap end_all EXIT
trap 'exit 143' INT TERM

RANDOM=$seed
readonly rate=400 names=(a b c)
readonly members=$((rate * seconds * 3 / 4))
say "seed $seed, $seconds s, Kafka $kafka_version, in $work"
start_kafka
create_topics 8
readonly people=(--organizations 5 --offerings --members "$members" --changed-twice 0.3
  --invalid 0.01 --inactive 0.02 --seed "$seed" --events "$work/events")
"$feed" lists "${people[@]}" --expect "$work/expect" --numbers "$work/numbers" \
  --inactive-file "$work/inactive"
start_simulator \
  'helseid: {token_life_s: 30}' \
  'api:' \
  "  inactive: {file: $work/inactive}" \
  '  latency: {base_ms: 100, per_entry_ms: 0.2, sigma: 0.6}' \
  '  settle_time_s: 2' \
  "  faults: {seed: $seed, status_503: 0.02, cut_before: 0.01, cut_after: 0.01, cut_late: 0.03}"
write_config 5 'batch: {entries_max: 25, age_max_ms: 300}
retry: {backoff_max_ms: 3000}'
for worker in "${names[@]}"; do start_worker "$worker"; done
for worker in "${names[@]}"; do
  until_true 30 is_ready "$worker" || die "worker $worker is not ready"
done
"$feed" produce --brokers "$brokers" --topic changes "${people[@]}" --rate "$rate" \
  >"$work/fed" 2>"$work/feed.log" &
feed_pid=$!

# freeze NAME SECONDS: as a machine that is suspended; longer than the session, it is fenced.
freeze() {
  kill -STOP "${worker_pid[$1]}"
  sleep "$2"
  kill -CONT "${worker_pid[$1]}"
}

strike() {
  local worker=${names[RANDOM % 3]} what=$((RANDOM % 8)) pause=$((RANDOM % 30 + 1))
  case $what in
    0 | 1) say "kill $worker"; stop_worker "$worker" KILL 137; start_worker "$worker" ;;
    2) say "kill $worker, start it later"; stop_worker "$worker" KILL 137
       sleep "$pause"; start_worker "$worker" ;;
    3) say "stop $worker"; stop_worker "$worker" TERM 0; start_worker "$worker" ;;
    4 | 5) say "freeze $worker for $pause s"; freeze "$worker" "$pause" ;;
    6) say "kill the broker"
       bash "$root/tests/support/kafka.sh" kill --dir "$work/kafka"
       bash "$root/tests/support/kafka.sh" restart --dir "$work/kafka" || die "no broker" ;;
    7) say "endpoint and HelseID away for $pause s"
       control '{"api":{"down":true},"helseid":{"fault":"down"}}'
       sleep "$pause"
       control '{"api":{"down":false},"helseid":{"fault":"none"}}' ;;
  esac
}

readonly until_s=$((SECONDS + seconds))
while ((SECONDS < until_s)); do
  sleep $((RANDOM % 8))
  strike
done
say "calm"
wait "$feed_pid" || die "the feed ended badly: $(cat "$work/feed.log")"
"$feed" results --brokers "$brokers" --topic results --events "$work/events" --deadline 180 \
  >"$work/judged" || complain "$(cat "$work/judged")"
for worker in "${names[@]}"; do scrape "$worker"; done
for worker in "${names[@]}"; do stop_worker "$worker" TERM 0; done
sleep 2.5 # what was cut is executed up to settle_time_s late
"$feed" results --brokers "$brokers" --topic results --events "$work/events" --table \
  || complain "not exactly one result for each event"
"$simulator" journal --file "$work/sim/journal.ndjson" --expect "$work/expect" --exact \
  || complain "the endpoint does not hold the newest version of every member"
(($(statistic members.older_over_newer) == 0)) || complain "an older version came after a newer"
expect_no_numbers

say "seed $seed: $faults faults"
((faults == 0))
