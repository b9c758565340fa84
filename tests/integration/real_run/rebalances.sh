#!/usr/bin/env bash
# Four workers on 16 partitions with the ledger, rebalanced again and again by stopping, killing,
# starting and freezing workers in an order drawn from a seed, while changes pass of which 30 % are
# second versions, and while requests fail, are cut and executed late. A frozen worker sleeps for
# 1.5 session timeouts, so that its partitions are another one's when it wakes. After it the audit
# finds no gap, every change has exactly one result, and no older version came over a newer one.
#
#   rebalances.sh BUILD_FOLDER [--changes N] [--rebalances N] [--rate CHANGES_PER_SECOND] [--seed N]
#                 [--kafka VERSION] [--keep]
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
shift
changes=8000 rebalances=5 rate=100 seed=$$ kafka_version=3.9.1 keep=
while (($# > 0)); do
  case $1 in
    --changes) changes=$2; shift ;;
    --rebalances) rebalances=$2; shift ;;
    --rate) rate=$2; shift ;;
    --seed) seed=$2; shift ;;
    --kafka) kafka_version=$2; shift ;;
    --keep) keep=yes ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
work=$(mktemp -d "${TMPDIR:-/tmp}/rebalances.XXXXXX")
settle_s=6 # longer than a rebalance: what is executed late comes when another worker is the owner
# shellcheck source=tests/integration/real_run/parts.sh
. "$(dirname "$0")/parts.sh"
trap end_all EXIT
trap 'exit 143' INT TERM

RANDOM=$seed
readonly names=(a b c d)
readonly frozen_s=$((session_s * 3 / 2))
readonly deadline_s=$((180 + changes / rate))

say "seed $seed, $changes changes, $rebalances rebalances, Kafka $kafka_version, in $work"
start_kafka
create_topics 16
readonly people=(--organizations 5 --offerings --members $((changes * 10 / 13))
  --changed-twice 0.3 --invalid 0.005 --seed "$seed" --events "$work/events")
fed=$("$feed" lists "${people[@]}" --expect "$work/expect" --numbers "$work/numbers")
say "fed at $rate/s: $fed"
events=$(grep -oE '"events":[0-9]+' <<<"$fed" | cut -d: -f2)
start_simulator \
  'helseid: {token_life_s: 60}' \
  'api:' \
  '  latency: {base_ms: 150, per_entry_ms: 0.2, sigma: 0.5}' \
  "  settle_time_s: $settle_s" \
  "  faults: {seed: $seed, status_503: 0.01, cut_before: 0.005, cut_after: 0.01, cut_late: 0.06}"
# Batches close so soon that many second versions come when the first was sent.
write_config 5 'batch: {entries_max: 25, age_max_ms: 50}
retry: {backoff_max_ms: 3000}'
for worker in "${names[@]}"; do start_worker "$worker"; done
for worker in "${names[@]}"; do
  until_true 60 is_ready "$worker" || die "worker $worker is not ready"
done
say "four workers are ready"
readonly began=$SECONDS
"$feed" produce --brokers "$brokers" --topic changes "${people[@]}" --rate "$rate" \
  >"$work/fed" 2>"$work/feed.log" &
feed_pid=$!

declare -A wakes=() # of a frozen worker: the process that will wake it
declare -A done_of=([freeze]=0 [kill]=0 [stop]=0 [start]=0)

logged() { cat "$work"/worker-*.log | grep -c "\"event\":\"partitions $1\"" || true; }
rebalanced() { (($(logged assigned) > $1)); }
is_frozen() { [[ -n ${wakes[$1]:-} ]] && kill -0 "${wakes[$1]}" 2>/dev/null; }

# one_of MANNER: a worker that is down, or one that is up and awake, drawn.
one_of() {
  local name fitting=()
  for name in "${names[@]}"; do
    if [[ -z ${worker_pid[$name]:-} ]]; then
      [[ $1 == down ]] && fitting+=("$name")
    elif [[ $1 == up ]] && ! is_frozen "$name"; then
      fitting+=("$name")
    fi
  done
  chosen=${fitting[RANDOM % ${#fitting[@]}]}
}

strike() {  # freeze|kill|stop|start
  done_of[$1]=$((done_of[$1] + 1))
  case $1 in
    start) one_of down; say "start $chosen"; start_worker "$chosen" ;;
    stop) one_of up; scrape "$chosen"; stop_worker "$chosen" TERM 0 ;;
    kill) one_of up; scrape "$chosen"; stop_worker "$chosen" KILL 137 ;;
    freeze)
      one_of up
      say "freeze $chosen for $frozen_s s"
      kill -STOP "${worker_pid[$chosen]}"
      (sleep "$frozen_s"; kill -CONT "${worker_pid[$chosen]}") &
      wakes[$chosen]=$! ;;
  esac
}

# In each round of five strikes two workers go and two come; nobody starts who is there.
round=() down=0
draw() {
  local at
  ((${#round[@]} > 0)) || round=(freeze kill stop start start)
  while at=$((RANDOM % ${#round[@]})); [[ ${round[at]} == start && $down == 0 ]]; do :; done
  drawn=${round[at]}
  round=("${round[@]:0:at}" "${round[@]:at+1}")
  case $drawn in kill | stop) down=$((down + 1)) ;; start) down=$((down - 1)) ;; esac
}

# How far it is: first changes come evenly through the whole topic. (The ends of a topic count every
# transaction too.)
members_reach() { (($(statistic members.known) * 1000 >= changes * 10 / 13 * $1)); }

passing=0 # strikes while changes were still to come
for ((number = 1; number <= rebalances; ++number)); do
  until_true "$deadline_s" members_reach $((number * 900 / (rebalances + 1))) \
    || die "nothing is accepted any more before rebalance $number"
  members_reach 985 || passing=$((passing + 1))
  before=$(logged assigned)
  draw
  strike "$drawn"
  until_true 90 rebalanced "$before" || complain "nobody was assigned anything after: $drawn"
done
# On a slow machine the last may come too late; fewer would be no test.
((passing * 5 >= rebalances * 4)) || complain "the changes ran out before rebalance $passing"
for name in "${!wakes[@]}"; do wait "${wakes[$name]}"; done
say "calm"
wait "$feed_pid" || die "the feed ended badly: $(cat "$work/feed.log")"
"$feed" results --brokers "$brokers" --topic results --events "$work/events" \
  --deadline "$deadline_s" >"$work/judged" || complain "$(cat "$work/judged")"
readonly took=$((SECONDS - began))
say "$events changes have their results after $took s"

for worker in "${!worker_pid[@]}"; do scrape "$worker"; done
for worker in "${!worker_pid[@]}"; do stop_worker "$worker" TERM 0; done
sleep $((settle_s + 1)) # what was cut is executed up to settle_time_s late
"$feed" results --brokers "$brokers" --topic results --events "$work/events" --table \
  || complain "not exactly one result for each change"
expect_no_gap
grep -q ', waiting 0,' "$work/audit" || complain "the audit says that changes still wait"
"$simulator" journal --file "$work/sim/journal.ndjson" --expect "$work/expect" --exact \
  || complain "the endpoint does not hold the newest version of every member"
readonly over=$(statistic members.older_over_newer) late=$(statistic members.applied_late)
((over == 0)) || complain "$over older versions came after newer ones"
((late > 0)) || complain "nothing was executed late: no test"
expect_no_numbers

figure 'changes, with second versions' "$events"
figure 'rebalances while changes passed' "$passing of $rebalances"
figure 'frozen, killed, stopped, started' \
  "${done_of[freeze]}, ${done_of[kill]}, ${done_of[stop]}, ${done_of[start]}"
figure 'assignments to workers; partitions lost' "$(logged assigned); $(logged lost)"
figure 'executed late by the endpoint' "$late"
figure 'older over newer' "$over"
figure 'seconds' "$took"
say "seed $seed: $faults faults"
((faults == 0))
