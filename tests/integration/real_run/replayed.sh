#!/usr/bin/env bash
# The whole topic is replayed after everything was accepted: every member is submitted once more,
# with its newest version, and the results carry the replay's id. Then the group's offsets are set
# back to the beginning, so that every event passes a second time, the copies too: nothing is sent.
#
#   replayed.sh BUILD_FOLDER [--changes N] [--keep]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
changes=8000 keep=
while (($# > 0)); do
  case $1 in
    --changes) changes=$2; shift ;;
    --keep) keep=yes ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
work=$(mktemp -d "${TMPDIR:-/tmp}/replayed.XXXXXX")
# shellcheck source=tests/integration/real_run/parts.sh
. "$(dirname "$0")/parts.sh"
trap end_all EXIT
trap 'exit 143' INT TERM

readonly members=$((changes * 10 / 13)) organizations=5 partitions=8
readonly deadline_s=$((120 + changes / 300))
readonly journal=$work/sim/journal.ndjson

say "$changes changes of $members members, in $work"
start_kafka
create_topics "$partitions"
readonly people=(--organizations "$organizations" --offerings --members "$members"
  --changed-twice 0.3 --seed "$$" --events "$work/events" --expect "$work/expect")
start_simulator 'helseid: {token_life_s: 60}' \
  'api:' '  latency: {base_ms: 20, per_entry_ms: 0.05, sigma: 0.3}' '  settle_time_s: 2'
write_config "$organizations" 'batch: {age_max_ms: 300}'

start_all() {
  for worker in a b; do start_worker "$worker"; done
  for worker in a b; do until_true 60 is_ready "$worker" || die "worker $worker is not ready"; done
}
stop_all() {
  for worker in a b; do scrape "$worker"; done
  for worker in a b; do stop_worker "$worker" TERM 0; done
}

# results_are COUNT: so many results, of all runs, can be read by now.
results_are() {
  "$feed" dump --brokers "$brokers" --topic results --values >"$work/results.txt"
  (($(wc -l <"$work/results.txt") >= $1))
}
verdicts_of() { grep -c "\"verdict\":\"$1\"" || true; }
entries() { statistic api.entries; }

start_all
fed=$("$feed" produce --brokers "$brokers" --topic changes "${people[@]}" \
  --numbers "$work/numbers") || die "the feed ended badly"
readonly events=$(grep -oE '"events":[0-9]+' <<<"$fed" | cut -d: -f2)
"$feed" results --brokers "$brokers" --topic results --events "$work/events" \
  --deadline "$deadline_s" --table || die "not exactly one result for each change"
"$simulator" journal --file "$journal" --expect "$work/expect" --exact \
  || complain "the endpoint does not hold the newest version of every member"
readonly lines_before=$(wc -l <"$journal") entries_before=$(entries)
say "$events events have their results"

"$program" replay --config "$work/worker.yaml" --from earliest --to latest >"$work/replay" 2>&1 \
  || die "the replay: $(cat "$work/replay")"
grep . "$work/replay"
readonly copies=$((members + organizations))
until_true "$deadline_s" results_are $((events + copies)) || complain "results are missing"
stop_all
statistics >/dev/null # which writes the journal out
readonly resubmitted=$(($(entries) - entries_before))
python3 - "$journal" "$lines_before" "$members" <<'PY' || complain "not each once, the newest"
import collections, json, sys
newest, again = {}, collections.Counter()
wrong = 0
with open(sys.argv[1], encoding="utf-8") as lines:
    for number, line in enumerate(lines):
        entry = json.loads(line)
        if "member" not in entry:
            continue
        key = entry["organization"], entry["member"]
        if number < int(sys.argv[2]):
            newest[key] = max(entry["version"], newest.get(key, 0))
        else:
            again[key] += 1
            wrong += entry["version"] != newest.get(key)
several = sum(count > 1 for count in again.values())
print(f"replayed: {len(again)} members, {several} of them several times, {wrong} not the newest")
sys.exit(len(again) != int(sys.argv[3]) or several > 0 or wrong > 0)
PY
grep '"resend":' "$work/results.txt" >"$work/results-of-replay" || true
readonly ids=$(grep -oE '"resend":"[^"]*"' "$work/results-of-replay" | sort -u | wc -l)
readonly carrying=$(wc -l <"$work/results-of-replay")
readonly accepted=$(verdicts_of accepted <"$work/results-of-replay")
((ids == 1 && carrying == copies && accepted == copies)) \
  || complain "$carrying results, $accepted accepted, carry $ids ids of a replay; $copies copies"
grep -qF "$(grep -oE '"resend":"[^"]*"' "$work/results-of-replay" | head -1 | cut -d'"' -f4)" \
  "$work/replay" || complain "it is not the id that the replay said"
expect_no_gap
say "the replay is accepted: $carrying results carry its id"

bash "$root/tests/support/kafka.sh" rewind --dir "$work/kafka" --topic changes --group real-run \
  >>"$work/topics.log" 2>&1 || die "the offsets cannot be set back: $(tail -3 "$work/topics.log")"
readonly entries_then=$(entries)
readonly rewound=$SECONDS
start_all
until_true "$deadline_s" results_are $((2 * (events + copies))) || complain "results are missing"
readonly passed_s=$((SECONDS - rewound))
stop_all
readonly sent=$(($(entries) - entries_then))
((sent == 0)) || complain "the second pass submitted $sent entries"
for file in "$work"/worker-*.log "$work"/metrics-*.txt "$work"/simulator.{log,out} \
  "$work"/results.txt "$work"/replay "$work"/audit; do
  (($(numbers_in "$file") == 0)) || complain "identity numbers in $(basename "$file")"
done
expect_calm

figure 'events, with second versions' "$events"
figure 'members and offerings' "$copies"
figure 'submitted for the replay' "$resubmitted"
figure 'results with its id' "$carrying"
figure 'events in the second pass' "$((events + copies))"
figure 'submitted in the second pass' "$sent"
figure 'seconds of the second pass' "$passed_s"
say "$faults faults"
((faults == 0))
