# Sourced by the scripts of this folder: a Kafka, a simulator and workers of one test, and what is
# asked of them. Everything lies in $work and ends with the script. No output but complaints.

: "${build:?}" "${work:?}"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
readonly feed=$build/tests/feed/helsekontakter-feed
readonly simulator=$build/tests/simulator/helsekontakter-simulator
readonly program=$build/adapters/cli/helsekontakter
kafka_version=${kafka_version:-3.9.1}
brokers=
simulator_pid=
feed_pid=
readonly settle_s=${settle_s:-2}
readonly session_s=$((3 + settle_s + 15)) # as the worker derives it from what write_config says
declare -A worker_pid=()
declare -A worker_log=()
starts=0
cpu_ticks=0 # hundredths of a second of all workers that ended
faults=0

say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }

# A failed expectation: the run goes on, so that one run shows all of them.
complain() { say "FAILED: $*"; faults=$((faults + 1)); }

die() { say "FAILED: $*"; exit 1; }

end_all() {
  local status=$? pid
  for pid in "${worker_pid[@]}" $simulator_pid $feed_pid $(jobs -pr); do
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  [[ -e $work/kafka/env ]] && bash "$root/tests/support/kafka.sh" stop --dir "$work/kafka"
  ((status != 0)) || [[ -n ${keep:-} ]] || rm -rf "$work"
}

# until_true SECONDS COMMAND…: waits until the command succeeds.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}

start_kafka() {
  bash "$root/tests/support/kafka.sh" start --version "$kafka_version" --dir "$work/kafka" \
    >/dev/null || die "no Kafka"
  # shellcheck disable=SC1091
  brokers=$(. "$work/kafka/env" && echo "$KAFKA_BOOTSTRAP")
}

create_compacted() {  # TOPIC PARTITIONS
  bash "$root/tests/support/kafka.sh" create-topic --dir "$work/kafka" --topic "$1" \
    --partitions "$2" --config cleanup.policy=compact --config max.message.bytes=2097152 \
    >>"$work/topics.log" 2>&1 || die "no topic $1"
}

create_topics() {  # PARTITIONS
  local topic
  for topic in changes results dead-letters; do
    bash "$root/tests/support/kafka.sh" create-topic --dir "$work/kafka" --topic "$topic" \
      --partitions "$1" >>"$work/topics.log" 2>&1 || die "no topic $topic"
  done
  create_compacted ledger "$1"
  create_compacted shared 1
}

# start_simulator SECTION…: the lines replace those of the same name that `keys` wrote.
start_simulator() {
  "$simulator" keys --out "$work/sim" --tenancy multi >"$work/keys.log" || die "no keys"
  sed -i '/^helseid:/,$d' "$work/sim/simulator.yaml"
  printf '%s\n' "$@" >>"$work/sim/simulator.yaml"
  "$simulator" run --config "$work/sim/simulator.yaml" --ready-file "$work/sim/ready.json" \
    >"$work/simulator.out" 2>"$work/simulator.log" &
  simulator_pid=$!
  until_true 20 test -e "$work/sim/ready.json" \
    || die "no simulator: $(tail -3 "$work/simulator.log")"
}

address() { sed -E "s/.*\"$1\":\"([^\"]*)\".*/\1/" "$work/sim/ready.json"; }

control() { curl -sSf -X PUT "$(address control)/control" -d "$1" >/dev/null || die "control: $1"; }

statistics() { curl -sSf "$(address control)/control/statistics"; }

# statistic SECTION.NAME…: one counter; 0 while nothing was counted.
statistic() {
  statistics | python3 -c 'import functools, json, sys
print(functools.reduce(lambda at, name: at.get(name, {}), sys.argv[1].split("."),
                       json.load(sys.stdin)) or 0)' "$1"
}

# write_config ORGANIZATIONS [LINES]: the operator's file, for all workers. $source_section,
# $results_section and $ledger_section say what is not Kafka.
write_config() {
  local kafka_source="{kafka: {brokers: [\"$brokers\"], topic: changes, group: real-run}}"
  local kafka_results='kafka: {topic: results, dead_letter_topic: dead-letters}'
  local kafka_ledger='kafka: {topic: ledger, shared_topic: shared}'
  head -c 32 /dev/urandom | base64 >"$work/hmac"
  head -c 32 /dev/urandom | base64 >"$work/seal"
  chmod 600 "$work/hmac" "$work/seal"
  cat >"$work/worker.yaml" <<YAML
environment: custom
identifier: {synthetic_allowed: true}
source: ${source_section:-$kafka_source}
results:
  source: /helsekontakter/test
  ${results_section:-$kafka_results}
ledger: {${ledger_section:-$kafka_ledger}, hmac_key_file: $work/hmac,
         sealing_key_files: [$work/seal]}
api:
  base_url: $(address api)
  ca_file: $work/sim/ca.pem
  request_timeout_s: 3
  settle_time_s: $settle_s
  requests_per_second_max: 0
auth:
  issuer: $(address helseid)
  ca_file: $work/sim/ca.pem
  client_id: $(grep -oE 'client_id: [^,]*' "$work/keys.log" | cut -d' ' -f2)
  jwk_file: $work/sim/client.jwk.json
  tenancy: multi
operations: {listen: "127.0.0.1:0"}
$("$feed" organizations --organizations "$1")
YAML
  [[ -z ${2:-} ]] || printf '%s\n' "$2" >>"$work/worker.yaml"
}

start_worker() {  # NAME
  starts=$((starts + 1))
  worker_log[$1]=$work/worker-$1-$starts.log
  local config=$work/worker-$1.yaml # its own, where there is one
  [[ -e $config ]] || config=$work/worker.yaml
  "$program" run --config "$config" 2>"${worker_log[$1]}" &
  worker_pid[$1]=$!
}

operations_of() {  # NAME: host:port, once it listens
  local port
  port=$(grep -oE '"operations_port":[0-9]+' "${worker_log[$1]}" | grep -oE '[0-9]+$') || return 1
  echo "127.0.0.1:$port"
}

is_ready() { curl -sf "http://$(operations_of "$1")/ready" >/dev/null 2>&1; }

scrape() {  # NAME: keeps what /metrics says for the search for numbers
  curl -sf --max-time 5 "http://$(operations_of "$1")/metrics" >>"$work/metrics-$1.txt" \
    || complain "worker $1 has no /metrics"
}

# stop_worker NAME SIGNAL STATUS: sends the signal; the worker must end with that status.
stop_worker() {
  local status=0 from=$SECONDS
  cpu_ticks=$((cpu_ticks + $(cut -d' ' -f14,15 <"/proc/${worker_pid[$1]}/stat" | tr ' ' +)))
  kill "-$2" "${worker_pid[$1]}" || complain "worker $1 was gone already"
  wait "${worker_pid[$1]}" 2>/dev/null || status=$?
  unset "worker_pid[$1]"
  ((status == $3)) || complain "worker $1 ended with status $status after SIG$2, not $3"
  say "worker $1 ended by SIG$2 within $((SECONDS - from)) s"
}

# expect_calm: nothing was held and no record failed.
expect_calm() {
  local event
  for event in 'brake pulled' 'endpoint held' 'organisation held' 'partition held' \
    'a record failed' 'partitions lost'; do
    grep -q "\"event\":\"$event" "$work"/worker-*.log && complain "a worker says: $event"
  done
  return 0
}

# expect_no_gap: `audit` finds exactly one terminal result, or a parked change, for every event.
expect_no_gap() {
  "$program" audit --config "$work/worker.yaml" >"$work/audit" 2>&1 \
    || complain "the audit ends with status $?"
  cat "$work/audit"
}

# figure NAME VALUE: one line of the table at the end.
figure() { printf '  %-44s %s\n' "$1" "$2"; }

results_arrived() { "$feed" count --brokers "$brokers" --topic results; }

# numbers_in FILE: how many of the identity numbers fed stand in it. UUIDs are left out: among
# hundreds of thousands one ends in the digits of a number now and then.
numbers_in() {
  sed -E 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/-/g' "$1" \
    | grep -oE '[0-9]{11,}' | grep -c -F -f "$work/numbers" || true
}

# No identity number in what people and machines see. The values of dead letters hold them, which
# also shows that the search finds any.
expect_no_numbers() {
  "$feed" dump --brokers "$brokers" --topic results --values >"$work/results.txt"
  "$feed" dump --brokers "$brokers" --topic dead-letters >"$work/dead-letters.txt"
  "$feed" dump --brokers "$brokers" --topic dead-letters --values >"$work/dead-letters-whole.txt"
  local file found
  for file in "$work"/worker-*.log "$work"/metrics-*.txt "$work"/simulator.{log,out} \
    "$work"/results.txt "$work"/dead-letters.txt; do
    found=$(numbers_in "$file")
    ((found == 0)) || complain "$found identity numbers in $(basename "$file")"
  done
  (($(numbers_in "$work/dead-letters-whole.txt") > 0)) \
    || complain "the search for identity numbers finds none where they are"
}
