#!/usr/bin/env bash
# Shows the worker at work on real parts: a real Kafka, and a simulated HelseID and Helsekontakter
# over TLS. Installs what is missing on Debian 12 (root or sudo), builds, feeds offerings of three
# organisations and their members, runs the worker until every change has its result, and ends with
# a table. Leaves nothing running; what it wrote stays in build/demo.
#
#   deploy/demo.sh              5 000 members
#   deploy/demo.sh --embedded   without Kafka and Java: a file of changes in, a file of results out
#   MEMBERS=50000 deploy/demo.sh
#
# A first look shall not wait for the compiler: it builds the preset first-look, unless the release
# build is there. PRESET=first-look or PRESET=release says which.
set -euo pipefail

embedded=
case "${1:-}" in
  '') ;;
  --embedded) embedded=yes ;;
  *) sed -n '2,12p' "$0" >&2; exit 2 ;;
esac

cd "$(dirname "$0")/.."
readonly members=${MEMBERS:-5000} organizations=3 here=$PWD/build/demo
readonly told=$here/told.txt  # what was printed since the first identity number was fed
preset=${PRESET:-release}
[[ -n ${PRESET:-} || -x build/release/adapters/cli/helsekontakter ]] || preset=first-look
readonly preset build=$PWD/build/$preset
readonly worker=$build/adapters/cli/helsekontakter
readonly simulator=$build/tests/simulator/helsekontakter-simulator
readonly feed=$build/tests/feed/helsekontakter-feed
began=$SECONDS
started=()

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
die() { printf 'demo.sh: %s\n' "$*" >&2; exit 1; }

clean_up() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  [[ -e $here/kafka/env ]] && tests/support/kafka.sh stop --dir "$here/kafka" >/dev/null 2>&1
  return 0
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || die "$what did not happen; logs are in $here"
    sleep 0.1
  done
}

install_and_build() {
  say "1. Install what is missing, and build"
  bash tests/support/install.sh "${embedded:+embedded-}demo"
  cmake --preset "$preset" >"$here/cmake.log" 2>&1 \
    || { tail -20 "$here/cmake.log"; exit 1; }
  cmake --build "$build" --target helsekontakter helsekontakter-simulator helsekontakter-feed
}

start_kafka() {
  tests/support/kafka.sh start --version 3.9.1 --dir "$here/kafka"
  # shellcheck disable=SC1091
  . "$here/kafka/env"
  local topic
  for topic in membership-changes membership-results membership-dead-letters; do
    tests/support/kafka.sh create-topic --dir "$here/kafka" --topic "$topic" --partitions 4
  done
}

start_parts() {
  if [[ -n $embedded ]]; then
    say "2. Start the simulator"
  else
    say "2. Start Kafka 3.9.1 and the simulator"
    start_kafka
  fi
  "$simulator" keys --out "$here/simulator" --tenancy multi >/dev/null
  cat >>"$here/simulator/simulator.yaml" <<'YAML'
  inactive: {share: 0.05}
  faults: {seed: 7, status_503: 0.02, cut_after: 0.02}
YAML
  "$simulator" run --config "$here/simulator/simulator.yaml" \
    --ready-file "$here/simulator/ready.json" >"$here/simulator.log" 2>&1 &
  started+=($!)
  wait_for 20 "the simulator's start" test -s "$here/simulator/ready.json"
}

address() { sed -E "s/.*\"$1\":\"([^\"]*)\".*/\1/" "$here/simulator/ready.json"; }

source_and_results() {
  if [[ -n $embedded ]]; then
    cat <<YAML
source:
  file: {path: $here/changes.ndjson, checkpoint: $here/changes.checkpoint}
results:
  source: /helsekontakter/demo
  file: {path: $here/results.ndjson, dead_letter_path: $here/dead-letters.ndjson}
YAML
  else
    cat <<YAML
source:
  kafka: {brokers: ["$KAFKA_BOOTSTRAP"], topic: membership-changes, group: helsekontakter}
results:
  source: /helsekontakter/demo
  kafka: {topic: membership-results, dead_letter_topic: membership-dead-letters}
YAML
  fi
}

ledger_place() {
  if [[ -n $embedded ]]; then
    echo "sqlite: {path: $here/ledger.db}"
  else
    echo "kafka: {topic: membership-ledger, shared_topic: membership-shared}"
  fi
}

write_configuration() {
  (umask 077 && for key in hmac seal; do
    head -c 32 /dev/urandom | base64 >"$here/ledger-$key"
  done)
  cat >"$here/worker.yaml" <<YAML
environment: custom
$(source_and_results)
ledger:
  $(ledger_place)
  hmac_key_file: $here/ledger-hmac
  sealing_key_files: [$here/ledger-seal]
api:
  base_url: $(address api)
  ca_file: $here/simulator/ca.pem
  request_timeout_s: 3
  settle_time_s: 2
  in_flight_per_organization_max: 2
  requests_per_second_max: 0
auth:
  issuer: $(address helseid)
  ca_file: $here/simulator/ca.pem
  client_id: 7f1c2f5e-0000-4000-8000-3d6f0a4b9c11
  jwk_file: $here/simulator/client.jwk.json
  tenancy: multi
identifier: {synthetic_allowed: true}
batch: {age_max_ms: 200}
operations: {listen: "127.0.0.1:0"}
$("$feed" organizations --organizations $organizations)
YAML
}

feed_changes() {
  say "3. Feed offerings of $organizations organisations and $members members"
  local into=(produce --brokers "${KAFKA_BOOTSTRAP:-}" --topic membership-changes)
  [[ -z $embedded ]] || into=(lists --lines "$here/changes.ndjson")
  "$feed" "${into[@]}" --offerings --organizations $organizations --members "$members" \
    --changed-twice 0.1 --invalid 0.01 --seed 1 --expect "$here/expected.ndjson" \
    --events "$here/events.txt" --numbers "$here/numbers.txt" | tee -a "$told"
}

metric() {  # NAME PATTERN: the sum of the matching series
  awk -v name="$1" -v pattern="$2" \
    'index($0, name) == 1 && $0 ~ pattern {sum += $NF} END {printf "%d", sum}' "$here/metrics.txt"
}

show_progress() {
  local total port done
  total=$(wc -l <"$here/events.txt")
  port=$(sed -nE 's/.*"operations_port":([0-9]+).*/\1/p' "$here/worker.log" | head -1)
  while kill -0 "$1" 2>/dev/null; do
    if [[ -n $port ]] && curl -fsS -m 2 "http://127.0.0.1:$port/metrics" >"$here/metrics.new" 2>/dev/null
    then
      mv "$here/metrics.new" "$here/metrics.txt"
      done=$(metric helsekontakter_results_total .)
      if [[ -t 1 ]]; then
        printf '\r   %6d of %d changes have their result' "$done" "$total"
      else
        printf '   %6d of %d changes have their result\n' "$done" "$total"
      fi
    fi
    sleep 0.5
    [[ -n $port ]] || port=$(sed -nE 's/.*"operations_port":([0-9]+).*/\1/p' "$here/worker.log" | head -1)
  done
  [[ -t 1 ]] && printf '\r%60s\r' ''
  return 0
}

run_worker() {
  say "4. Run the worker until every change has its result"
  "$worker" check --config "$here/worker.yaml" --connect --create | tee -a "$told"
  local from=$SECONDS pid
  "$worker" run --config "$here/worker.yaml" --drain 2>"$here/worker.log" &
  pid=$!
  started+=("$pid")
  show_progress "$pid"
  wait "$pid" || { tail -5 "$here/worker.log"; die "the worker ended with status $?"; }
  printf '   done in %d s\n' "$((SECONDS - from))"
}

show_results() {
  if [[ -n $embedded ]]; then
    say "5. What stands in results.ndjson"
    "$feed" judge-lines --file "$here/results.ndjson" --events "$here/events.txt" --table
  else
    say "5. What a read_committed consumer of membership-results sees"
    "$feed" results --brokers "$KAFKA_BOOTSTRAP" --topic membership-results \
      --events "$here/events.txt" --table
  fi
  curl -fsS -m 5 "$(address control)/control/statistics" >"$here/statistics.json"
  printf '\n   In the simulator'\''s journal: '
  "$simulator" journal --file "$here/simulator/journal.ndjson" --summary
}

# No number that was fed stands where none belongs. The input and dead letters hold them as they came.
search_for_numbers() {
  say "6. Which identity numbers stand in logs, results, ledger, metrics or what was printed"
  local place places=(worker.log simulator.log told.txt results.ndjson)
  if [[ -n $embedded ]]; then
    places+=(ledger.db)
  else
    "$feed" dump --brokers "$KAFKA_BOOTSTRAP" --topic membership-results --values \
      >"$here/results.ndjson"
    "$feed" dump --brokers "$KAFKA_BOOTSTRAP" --topic membership-ledger --values \
      >"$here/ledger.records"
    places+=(ledger.records)
  fi
  for place in "${places[@]}" numbers.txt; do
    [[ -s $here/$place ]] || die "$place is empty; it cannot be searched"
  done
  for place in metrics.txt statistics.json ledger.db-wal; do
    [[ ! -e $here/$place ]] || places+=("$place")
  done
  local found status=0
  found=$(cd "$here" && grep -alF -f numbers.txt "${places[@]}") || status=$?
  ((status < 2)) || die "the search failed"
  [[ -z $found ]] || die "fed identity numbers stand in: ${found//$'\n'/ }"
  printf '%12d  fed, none of them found\n' "$(wc -l <"$here/numbers.txt")"
}

show_what_is_left() {
  cat <<TEXT

   Total $((SECONDS - began)) s. Look next at:
     build/demo/worker.yaml        the operator's file that was used
     build/demo/worker.log         what the worker said, a JSON object a line
     build/demo/metrics.txt        its last /metrics
     build/demo/statistics.json    what the simulated Helsenorge counted
     $worker options
     README.md                     what it guarantees, and how it is run for real
TEXT
}

rm -rf "$here"
mkdir -p "$here"
install_and_build
start_parts
write_configuration
feed_changes
run_worker
show_results | tee -a "$told"
search_for_numbers
show_what_is_left
