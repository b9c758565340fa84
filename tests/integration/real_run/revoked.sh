#!/usr/bin/env bash
# One of 40 organisations has its delegation revoked for a while: HelseID gives it no token, the
# endpoint answers 403. Fed at a fixed rate that is well within what the workers can do, the other
# 39 must keep at least 95 % of their pace; nothing is rejected, and the changes of the one go out
# afterwards, each once.
#
#   revoked.sh BUILD_FOLDER [--seconds REVOKED] [--rate CHANGES_PER_SECOND] [--keep]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
seconds=40 rate=200 keep=
while (($# > 0)); do
  case $1 in
    --seconds) seconds=$2; shift ;;
    --rate) rate=$2; shift ;;
    --keep) keep=yes ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
work=$(mktemp -d "${TMPDIR:-/tmp}/revoked.XXXXXX")
# shellcheck source=tests/integration/real_run/parts.sh
. "$(dirname "$0")/parts.sh"
trap end_all EXIT
trap 'exit 143' INT TERM

readonly organizations=40
readonly before_s=$((seconds < 100 ? 30 : 100)) # measured before the delegation is revoked
readonly parked_after_s=$((seconds / 4)) # retry.park_after_s
readonly members=$((rate * (before_s + seconds + 45)))
readonly journal=$work/sim/journal.ndjson

say "$organizations organisations, $rate changes/s, revoked for $seconds s, in $work"
start_kafka
create_topics 8
start_simulator 'helseid: {token_life_s: 20}' \
  'api:' '  latency: {base_ms: 30, per_entry_ms: 0.1, sigma: 0.3}' '  settle_time_s: 2'
write_config "$organizations" "batch: {age_max_ms: 500}
retry: {park_after_s: $parked_after_s, backoff_max_ms: 3000}"
readonly revoked=$("$feed" organizations --organizations "$organizations" | grep -oE '[0-9]{9}' \
  | sed -n 17p)
readonly people=(--organizations "$organizations" --members "$members" --seed "$$")
"$feed" lists "${people[@]}" --expect "$work/expect" --numbers "$work/numbers" \
  --events "$work/events" >/dev/null
for worker in a b; do start_worker "$worker"; done
for worker in a b; do until_true 60 is_ready "$worker" || die "worker $worker is not ready"; done
"$feed" produce --brokers "$brokers" --topic changes "${people[@]}" --rate "$rate" \
  >"$work/fed" 2>"$work/feed.log" &
feed_pid=$!

now_ms() { date +%s%3N; }

# snap NAME: when it is, and how many changes of each organisation were accepted by now.
snap() {
  statistics >/dev/null # which writes the journal out
  now_ms >"$work/at-$1"
  grep '"version":' "$journal" | grep -oE '"organization":"[0-9]+"' | grep -oE '[0-9]+' | sort \
    | uniq -c >"$work/accepted-$1"
}

has_begun() { (($(statistic members.applied) > 10 * rate)); }
until_true 60 has_begun || die "nothing is accepted"
snap begin
sleep "$before_s"
snap middle
control "{\"helseid\":{\"revoked_organizations\":[\"$revoked\"]}}"
say "the delegation of one organisation is revoked"
sleep "$seconds"
snap end
kill -0 "$feed_pid" 2>/dev/null || complain "the feed ended before the delegation came back"
readonly held_workers=$(grep -l '"event":"organisation held"' "$work"/worker-*.log | wc -l)
control '{"helseid":{"revoked_organizations":[]}}'
readonly back=$SECONDS
say "the delegation is back"

# pace FROM TO: of the 39, per second; then the least of one of them, and what the one was given.
pace() {
  python3 - "$work" "$1" "$2" "$revoked" <<'PY'
import sys
work, begin, end, revoked = sys.argv[1:]
def accepted(name):
    with open(f"{work}/accepted-{name}", encoding="utf-8") as lines:
        return {number: int(count) for count, number in map(str.split, lines)}
def at(name):
    with open(f"{work}/at-{name}", encoding="utf-8") as text:
        return int(text.read()) / 1000
first, last, took = accepted(begin), accepted(end), at(end) - at(begin)
grown = {number: (last[number] - first.get(number, 0)) / took for number in last}
others = [pace for number, pace in grown.items() if number != revoked]
print(f"{sum(others):.2f} {min(others):.3f} {grown[revoked]:.3f} {len(others)}")
PY
}
read -r pace_before least_before _ counted <<<"$(pace begin middle)"
read -r pace_during least_during revoked_during _ <<<"$(pace middle end)"

wait "$feed_pid" || complain "the feed ended badly: $(cat "$work/feed.log")"
all_applied() { (($(statistic members.applied) >= members)); }
until_true 180 all_applied || complain "of $members members $(statistic members.applied)"
readonly caught_up=$((SECONDS - back))
"$feed" results --brokers "$brokers" --topic results --events "$work/events" --deadline 60 \
  --table >"$work/judged" || complain "not exactly one result for each change"
cat "$work/judged"
for worker in a b; do scrape "$worker"; done
for worker in a b; do stop_worker "$worker" TERM 0; done

((held_workers == 2)) || complain "$held_workers workers held the organisation, not two"
((counted == 39)) || complain "$counted other organisations were accepted"
grep -h '"event":"organisation held"' "$work"/worker-*.log | grep -vF "$revoked" >&2 \
  && complain "another organisation was held"
grep -q '"event":"endpoint held"' "$work"/worker-*.log && complain "the endpoint was held"
grep -E ' (rejected|undecodable|expired|superseded)' "$work/judged" && complain "a wrong verdict"
awk -v before="$pace_before" -v during="$pace_during" 'BEGIN { exit !(during >= before * 0.95) }' \
  || complain "the others lost pace: $pace_before/s before, $pace_during/s during"
awk -v during="$revoked_during" 'BEGIN { exit !(during < 0.5) }' \
  || complain "the organisation was still submitted: no test"
(($(statistic members.repeated) == 0)) || complain "$(statistic members.repeated) were sent twice"
"$simulator" journal --file "$journal" --expect "$work/expect" --exact \
  || complain "the endpoint does not hold every change"
expect_no_gap
for file in "$work"/worker-*.log "$work"/metrics-*.txt "$work"/simulator.{log,out}; do
  (($(numbers_in "$file") == 0)) || complain "identity numbers in $(basename "$file")"
done

figure 'pace of the 39 before, changes/s' "$pace_before"
figure "pace of the 39 during $seconds s" "$pace_during"
figure 'slowest of the 39, before and during' "$least_before, $least_during"
figure 'changes of the one meanwhile, to send later' "$((rate * seconds / organizations))"
figure 'all of them accepted, s after its return' "$caught_up"
say "$faults faults"
((faults == 0))
