#!/usr/bin/env bash
# Inactive members: 30 % of all are not digitally active, and a third of those become so. Each is
# asked for in lists and submitted once it is active; nothing is sent for the others.
#
#   inactive.sh BUILD_FOLDER [--members N] [--interval SECONDS] [--keep]
#
# --interval: member.inactive_retry_h, shortened.
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
members=6000 interval=6 keep=
while (($# > 0)); do
  case $1 in
    --members) members=$2; shift ;;
    --interval) interval=$2; shift ;;
    --keep) keep=yes ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
work=$(mktemp -d "${TMPDIR:-/tmp}/inactive.XXXXXX")
# shellcheck source=tests/integration/real_run/parts.sh
. "$(dirname "$0")/parts.sh"
trap end_all EXIT
trap 'exit 143' INT TERM

readonly organizations=3
readonly deadline_s=$((60 + members / 500 + 4 * interval))

say "$members members of $organizations organisations, interval $interval s, in $work"
start_kafka
create_topics 4
readonly people=(--organizations "$organizations" --members "$members" --seed "$$")
"$feed" lists "${people[@]}" --expect "$work/all" >/dev/null
"$feed" lists "${people[@]}" --inactive 0.3 --numbers "$work/numbers" \
  --inactive-file "$work/inactive" >/dev/null
awk 'NR % 3 != 0' "$work/inactive" >"$work/asleep"
grep -v -F -f "$work/asleep" "$work/all" >"$work/expect"
readonly inactive=$(wc -l <"$work/inactive") asleep=$(wc -l <"$work/asleep")
readonly woken=$((inactive - asleep)) awake=$((members - asleep))

start_simulator 'helseid: {token_life_s: 60}' \
  'api:' "  inactive: {file: $work/inactive}" '  status_fault: 0.05' \
  '  latency: {base_ms: 20, per_entry_ms: 0.05, sigma: 0.3}'
write_config "$organizations" "digital_status: {enabled: true, area_form: int}
member: {inactive_retry_h: $(python3 -c "print(round($interval / 3600, 6))"), inactive_retry_factor: 1}
batch: {age_max_ms: 200}
retry: {backoff_max_ms: 1000}"

start_worker a
until_true 60 is_ready a || die "the worker is not ready: $(tail -3 "$work"/worker-a-*.log)"
"$feed" produce --brokers "$brokers" --topic changes "${people[@]}" --inactive 0.3 \
  --events "$work/events" >/dev/null
"$feed" results --brokers "$brokers" --topic results --events "$work/events" \
  --deadline "$deadline_s" >"$work/first" || complain "$(cat "$work/first")"
say "all events have a result; $inactive members are inactive"

control "{\"api\":{\"inactive\":{\"file\":\"$work/asleep\"},\"status_spelling\":\"earlier\"}}"
are_applied() { (($(statistic members.applied) >= awake)); }
until_true "$deadline_s" are_applied || complain "of $awake members $(statistic members.applied)"
say "$woken have become active and are accepted"

# All of the others are asked for once more at least, in vain.
readonly asked_before=$(statistic status.numbers)
are_asked() { (($(statistic status.numbers) >= asked_before + 2 * asleep)); }
until_true "$deadline_s" are_asked || complain "the others are not asked for again"
scrape a
stop_worker a TERM 0

readonly requests=$(statistic status.requests) faults_met=$(statistic status.faults)
readonly numbers=$(statistic status.numbers) entries=$(statistic api.entries)
say "$entries entries submitted; $numbers members asked about in $requests questions," \
  "$faults_met of them answered 500"
((entries == members + woken)) \
  || complain "$entries entries submitted, not one for each member and one more for each of $woken"
(($(statistic api.verdicts.inactive) == inactive)) || complain "somebody was submitted in vain"
(($(statistic members.repeated) == 0)) || complain "somebody was accepted twice"
(($(statistic status.area_as_number) == requests - faults_met)) || complain "omraade is no int"
(($(statistic api.refused_requests) == 0)) || complain "requests were refused: $(statistics)"
# Full lists but for the last ones: of each organisation, at each of its times of asking.
readonly times=$(((SECONDS / interval + 2) * 14))
((requests - faults_met <= numbers / 1000 + organizations * times)) \
  || complain "$requests questions are too many"
"$simulator" journal --file "$work/sim/journal.ndjson" --expect "$work/expect" --exact \
  || complain "the endpoint does not hold exactly those who are active"
"$feed" dump --brokers "$brokers" --topic results --values >"$work/results.txt"
results_of() { grep -c "\"verdict\":\"$1\"" "$work/results.txt" || true; }
(($(results_of inactive) == inactive)) || complain "$(results_of inactive) inactive results"
(($(results_of accepted) == awake)) || complain "$(results_of accepted) accepted results"
for file in "$work"/worker-*.log "$work"/metrics-*.txt "$work"/simulator.{log,out} \
  "$work"/results.txt; do
  (($(numbers_in "$file") == 0)) || complain "identity numbers in $(basename "$file")"
done
expect_calm
say "$faults faults"
((faults == 0))
