#!/usr/bin/env bash
# While a feed runs: the endpoint goes away, HelseID goes away, the endpoint's certificate has
# expired, one organisation's delegation is revoked, the broker is restarted. Each hold is said once
# on every change of state and says why; nothing is rejected for it; the other organisations go on;
# and all of it ends by itself.
#
#   outages.sh BUILD_FOLDER [--kafka VERSION] [--keep]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
kafka_version=3.9.1 keep=
while (($# > 0)); do
  case $1 in
    --kafka) kafka_version=$2; shift ;;
    --keep) keep=yes ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
work=$(mktemp -d "${TMPDIR:-/tmp}/outages.XXXXXX")
# shellcheck source=tests/integration/real_run/parts.sh
. "$(dirname "$0")/parts.sh"
trap end_all EXIT
trap 'exit 143' INT TERM

say "Kafka $kafka_version, in $work"
start_kafka
create_topics 4
start_simulator \
  'helseid: {token_life_s: 4}' \
  'api:' \
  '  latency: {base_ms: 30, sigma: 0.3}' \
  '  settle_time_s: 2'
write_config 3 'retry: {backoff_first_ms: 200, backoff_max_ms: 2000}
batch: {age_max_ms: 200}'
# shellcheck disable=SC2207
organizations=($("$feed" organizations --organizations 3 | grep -oE '[0-9]{9}'))

for worker in a b; do start_worker "$worker"; done
for worker in a b; do until_true 30 is_ready "$worker" || die "worker $worker is not ready"; done
readonly members=15000 rate=200
"$feed" produce --brokers "$brokers" --topic changes --organizations 3 --offerings \
  --members "$members" --changed-twice 0.2 --seed "$$" --rate "$rate" --expect "$work/expect" \
  --numbers "$work/numbers" --events "$work/events" >"$work/fed" 2>"$work/feed.log" &
feed_pid=$!

# said WORKER COUNT EVENT [TEXT]: the worker logged the event, with that text, so often.
said() { (($(grep "\"event\":\"$3\"" "${worker_log[$1]}" | grep -c -F "${4:-}" || true) >= $2)); }
both_said() { said a "$@" && said b "$@"; }
last_detail() {
  grep "\"event\":\"$2\"" "${worker_log[$1]}" | tail -1 | grep -oE '"detail":"[^"]*"'
}

# results_grow_by COUNT: so many more results than at mark.
mark() { marked=$(results_arrived); }
results_grow_by() { (($(results_arrived) >= marked + $1)); }

mark
until_true 30 results_grow_by 500 || die "no results at all"

held=0
# outage NAME CONTROL_ON CONTROL_OFF: of the whole endpoint, for some seconds.
outage() {
  held=$((held + 1))
  control "$2"
  until_true 30 both_said "$held" 'endpoint held' || complain "$1: nobody says a hold"
  sleep 4
  mark
  control "$3"
  local from=$SECONDS
  until_true 30 both_said "$held" 'endpoint released' || complain "$1: the hold does not end"
  until_true 30 results_grow_by 1000 || complain "$1: no results after it"
  for worker in a b; do
    said "$worker" $((held + 1)) 'endpoint held' && complain "$1: worker $worker says a hold twice"
  done
  say "$1: held, released and going on within $((SECONDS - from)) s after it was mended"
  say "  $(last_detail a 'endpoint held')"
}

outage 'endpoint away' '{"api":{"down":true}}' '{"api":{"down":false}}'
# Tokens end at different times; an organisation that still has one must not end the hold.
outage 'HelseID away' '{"helseid":{"fault":"down"}}' '{"helseid":{"fault":"none"}}'

# Connections that are open know the certificate as it was; a worker that starts anew does not.
control '{"api":{"expired_certificate":true}}'
stop_worker a TERM 0
start_worker a
until_true 40 said a 1 'endpoint held' certificate || complain "nobody says the expired certificate"
say "  $(last_detail a 'endpoint held')"
control '{"api":{"expired_certificate":false}}'
until_true 30 said a 1 'endpoint released' || complain "certificate: the hold does not end"
say "certificate: held and released"

readonly revoked=${organizations[1]}
control "{\"helseid\":{\"revoked_organizations\":[\"$revoked\"]}}"
for worker in a b; do
  until_true 30 said "$worker" 1 'organisation held' "$revoked" \
    || complain "worker $worker says no hold of the organisation"
done
say "  $(last_detail a 'organisation held')"
mark
until_true 30 results_grow_by 1000 || complain "the other organisations do not go on"
control '{"helseid":{"revoked_organizations":[]}}'
for worker in a b; do
  until_true 30 said "$worker" 1 'organisation released' "$revoked" \
    || complain "worker $worker does not release the organisation"
done
say "delegation revoked: the others went on, held and released"

bash "$root/tests/support/kafka.sh" kill --dir "$work/kafka"
sleep 2
bash "$root/tests/support/kafka.sh" restart --dir "$work/kafka" || die "the broker is gone"
say "broker killed; it is back"
mark
until_true 60 results_grow_by 1000 || complain "no results after the broker came back"
say "broker killed and restarted: going on"

wait "$feed_pid" || complain "the feed ended badly: $(cat "$work/feed.log")"
"$feed" results --brokers "$brokers" --topic results --events "$work/events" --deadline 120 \
  >/dev/null || true
for worker in a b; do scrape "$worker"; done
for worker in a b; do stop_worker "$worker" TERM 0; done
"$feed" results --brokers "$brokers" --topic results --events "$work/events" --table \
  | tee "$work/judged" || complain "not exactly one result for each event"
grep -E 'rejected|undecodable|expired' "$work/judged" && complain "an outage became a verdict"
"$simulator" journal --file "$work/sim/journal.ndjson" --expect "$work/expect" --exact \
  || complain "the endpoint does not hold the newest version of every member"
for log in "$work"/worker-*.log; do
  for whose in endpoint organisation; do
    grep -h "\"event\":\"$whose \(held\|released\)\"" "$log" | grep -oE 'held"|released"' \
      | uniq -d | grep . >/dev/null && complain "$(basename "$log"): a hold was said twice"
  done
done
for organization in "${organizations[0]}" "${organizations[2]}"; do
  grep -h '"event":"organisation held"' "$work"/worker-*.log | grep -F "$organization" \
    && complain "an organisation was held for another one's fault"
done

say "$faults faults"
((faults == 0))
