#!/usr/bin/env bash
# The endpoint answers 503 to everything for a while, with changes waiting when it begins and more
# coming in all the time; then it recovers. Nothing is rejected or expires, memory stays flat and
# below memory.bytes_max and 64 MiB, and afterwards every change is accepted.
#
#   unavailable.sh BUILD_FOLDER [--seconds N] [--waiting N] [--rate CHANGES_PER_SECOND] [--keep]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
seconds=60 waiting=100000 rate=100 keep=
while (($# > 0)); do
  case $1 in
    --seconds) seconds=$2; shift ;;
    --waiting) waiting=$2; shift ;;
    --rate) rate=$2; shift ;;
    --keep) keep=yes ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
work=$(mktemp -d "${TMPDIR:-/tmp}/unavailable.XXXXXX")
# shellcheck source=tests/integration/real_run/parts.sh
. "$(dirname "$0")/parts.sh"
trap end_all EXIT
trap 'exit 143' INT TERM

readonly bytes_max=$((64 << 20)) limit_mib=128
readonly members=$((waiting + rate * (seconds + 20)))
readonly deadline_s=$((120 + members / 500))

say "503 for $seconds s, $waiting changes waiting and $rate/s coming in, in $work"
start_kafka
create_topics 8
start_simulator 'helseid: {token_life_s: 60}' \
  'api:' '  latency: {base_ms: 20, per_entry_ms: 0.05, sigma: 0.3}' '  settle_time_s: 2'
write_config 5 "memory: {bytes_max: $bytes_max}
retry: {backoff_max_ms: 5000}"
readonly people=(--organizations 5 --offerings --seed "$$")
"$feed" lists "${people[@]}" --members "$members" --expect "$work/expect" \
  --numbers "$work/numbers" --events "$work/events" >/dev/null
for worker in a b; do start_worker "$worker"; done
for worker in a b; do until_true 60 is_ready "$worker" || die "worker $worker is not ready"; done

control '{"api":{"faults":{"status_503":1}}}'
readonly began=$SECONDS
"$feed" produce --brokers "$brokers" --topic changes "${people[@]}" --members "$members" \
  --burst "$waiting" --rate "$rate" >"$work/fed" 2>"$work/feed.log" &
feed_pid=$!

# Second since the beginning and MiB resident, of both workers, until killed.
sample() {
  local worker kib
  while :; do
    for worker in a b; do
      kib=$(awk '/^VmRSS/ { print $2 }' "/proc/${worker_pid[$worker]}/status") || return 0
      echo "$((SECONDS - began)) $worker $((kib / 1024)).$((kib % 1024 * 10 / 1024))"
    done
    sleep 1
  done
}
sample >"$work/samples" &
readonly sampler_pid=$!

both_hold() { (($(grep -l '"event":"endpoint held"' "$work"/worker-*.log | wc -l) == 2)); }
until_true 60 both_hold || complain "not both workers hold the endpoint"
is_over() { ((SECONDS - began >= seconds)); }
until_true $((seconds + 10)) is_over || true
kill "$sampler_pid" || complain "nobody measured the memory to the end"
(($(statistic members.applied) == 0)) || complain "something was accepted meanwhile: no test"
readonly refused=$(statistic api.requests)
kill -0 "$feed_pid" 2>/dev/null || complain "the feed ended before the endpoint came back"
control '{"api":{"faults":{"status_503":0}}}'
readonly back=$SECONDS
say "the endpoint is back after $refused requests"

all_applied() { (($(statistic members.applied) >= members)); }
until_true "$deadline_s" all_applied || complain "of $members members $(statistic members.applied)"
readonly caught_up=$((SECONDS - back))
wait "$feed_pid" || complain "the feed ended badly: $(cat "$work/feed.log")"
"$feed" results --brokers "$brokers" --topic results --events "$work/events" --deadline 60 \
  --table >"$work/judged" || complain "not exactly one result for each change"
cat "$work/judged"
for worker in a b; do scrape "$worker"; done
for worker in a b; do stop_worker "$worker" TERM 0; done

grep -E ' (rejected|undecodable|expired)' "$work/judged" && complain "an outage became a verdict"
"$simulator" journal --file "$work/sim/journal.ndjson" --expect "$work/expect" --exact \
  || complain "the endpoint does not hold every change"
expect_no_gap
for file in "$work"/worker-*.log "$work"/metrics-*.txt "$work"/simulator.{log,out}; do
  (($(numbers_in "$file") == 0)) || complain "identity numbers in $(basename "$file")"
done

# highest FROM TO: MiB of a worker in that stretch of the outage, in thousandths of it.
highest() {
  awk -v from=$((seconds * $1)) -v to=$((seconds * $2)) \
    '$1 * 1000 >= from && $1 * 1000 < to && $3 > most { most = $3 } END { print most + 0 }' \
    "$work/samples"
}
readonly middle=$(highest 333 667) last=$(highest 667 1000) peak=$(highest 0 1000)
awk -v peak="$peak" -v limit="$limit_mib" 'BEGIN { exit !(peak > 0 && peak <= limit) }' \
  || complain "$peak MiB are more than memory.bytes_max and 64 MiB, $limit_mib"
awk -v middle="$middle" -v last="$last" 'BEGIN { exit !(last <= middle + 4) }' \
  || complain "memory grows: $middle MiB in the second third, $last in the last"

figure 'changes' "$(wc -l <"$work/events")"
figure 'requests answered 503' "$refused"
figure 'MiB of a worker: peak, of the limit' "$peak, $limit_mib"
figure 'MiB in the second third, in the last' "$middle, $last"
figure 'all of them accepted, s after the recovery' "$caught_up"
say "$faults faults"
((faults == 0))
