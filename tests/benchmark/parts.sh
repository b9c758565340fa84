# What end_to_end.sh, endpoint_down.sh and those in amqp/ share: a real Kafka, the feed, the
# simulator, the worker's configuration. Sourced after `build` (its folder), `members` and
# `organizations` are set; makes `work` and removes it in the end.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
worker=$build/adapters/cli/helsekontakter
simulator=$build/tests/simulator/helsekontakter-simulator
feed=$build/tests/feed/helsekontakter-feed
work=$(mktemp -d "${TMPDIR:-/tmp}/benchmark.XXXXXX")
simulator_pid=''

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

end_all() {
  [[ -n $simulator_pid ]] && kill "$simulator_pid" 2>/dev/null
  [[ -e $work/kafka/env ]] && bash "$root/tests/support/kafka.sh" stop --dir "$work/kafka" >&2
  rm -rf "$work"
}
trap end_all EXIT
trap 'exit 143' INT TERM

start_kafka() {
  bash "$root/tests/support/kafka.sh" start --version 3.9.1 --dir "$work/kafka" >&2
  # shellcheck disable=SC1091
  . "$work/kafka/env"
  create_topic changes
}

create_topic() {
  bash "$root/tests/support/kafka.sh" create-topic --dir "$work/kafka" --topic "$1" \
    --partitions 8 >/dev/null 2>&1
}

# create_ledger NAME: the topics ledger-NAME and shared-NAME.
create_ledger() {
  bash "$root/tests/support/kafka.sh" create-topic --dir "$work/kafka" --topic "ledger-$1" \
    --partitions 8 --config cleanup.policy=compact --config max.message.bytes=2097152 \
    >/dev/null 2>&1
  bash "$root/tests/support/kafka.sh" create-topic --dir "$work/kafka" --topic "shared-$1" \
    --config cleanup.policy=compact >/dev/null 2>&1
}

feed_events() {
  "$feed" produce --brokers "$KAFKA_BOOTSTRAP" --topic changes --organizations "$organizations" \
    --members "$members" >&2
}

# A simulator that answers at once, checks no tokens' absence and writes no journal.
start_simulator() {
  "$simulator" keys --out "$work/sim" --tenancy multi >"$work/keys.out"
  cat >"$work/sim/fast.yaml" <<YAML
listen: {plain: "127.0.0.1:0"}
tls: {certificate_file: server.pem, key_file: server-key.pem, ca_file: ca.pem}
log: {refusals: false}
clients:
  - client_id: $(client_id)
    tenancy: multi
    jwk_files: [client-public.jwk.json]
api: {token_required: false, check_digits: false}
YAML
  "$simulator" run --config "$work/sim/fast.yaml" --ready-file "$work/sim/ready.json" \
    >/dev/null 2>"$work/simulator.log" &
  simulator_pid=$!
  local waited
  for ((waited = 0; waited < 100; ++waited)); do
    [[ -e $work/sim/ready.json ]] && return
    sleep 0.1
  done
  die "the simulator did not come up: $(cat "$work/simulator.log")"
}

client_id() { sed -nE 's/.*client_id: ([-0-9a-f]+).*/\1/p' "$work/keys.out" | head -n 1; }
url() { sed -E "s/.*\"$1\":\"([^\"]*)\".*/\1/" "$work/sim/ready.json"; }

make_secrets() {
  local secret
  for secret in hmac seal; do
    [[ -e $work/$secret ]] || head -c 32 /dev/urandom | base64 >"$work/$secret"
  done
  echo secret >"$work/password"
  chmod 600 "$work/hmac" "$work/seal" "$work/password"
}

# write_config NAME BASE_URL AUTH API_MORE: also makes the topic results-NAME.
write_config() {
  create_topic "results-$1"
  create_ledger "$1"
  make_secrets
  {
    cat <<YAML
environment: custom
identifier: {synthetic_allowed: true}
source: {kafka: {brokers: ["$KAFKA_BOOTSTRAP"], topic: changes, group: worker-$1}}
results: {kafka: {topic: results-$1}}
ledger: {kafka: {topic: ledger-$1, shared_topic: shared-$1}, hmac_key_file: $work/hmac,
         sealing_key_files: [$work/seal]}
api: {base_url: "$2", in_flight_max: 8, in_flight_per_organization_max: 2,
      requests_per_second_max: 0$4}
auth: $3
batch: {entries_max: 500, age_max_ms: 500}
memory: {bytes_max: $memory_bytes_max}
operations: {listen: "127.0.0.1:0"}
YAML
    "$feed" organizations --organizations "$organizations"
  } >"$work/$1.yaml"
}

readonly memory_bytes_max=268435456

# figure KEY: of the JSON line that measure.py printed to $work/measured.
figure() { sed -E "s/.*\"$1\": (-?[0-9.]+).*/\1/" "$work/measured"; }

# queue_events: the feed's lines into the queue $changes of the broker at $amqp.
queue_events() {
  "$feed" lists --organizations "$organizations" --members "$members" --lines "$work/lines" >&2
  "$build/tests/feed/helsekontakter-amqp-feed" send --url "amqp://$amqp" --user worker \
    --password secret --address "$changes" --lines "$work/lines" >&2
}

# write_queue_config API_MORE [LINES]: $work/worker.yaml from that queue to $results, with a ledger
# in a file, to the simulator without tokens.
write_queue_config() {
  make_secrets
  cat >"$work/worker.yaml" <<YAML
environment: custom
identifier: {synthetic_allowed: true}
source: {amqp: {url: ["amqp://$amqp"], address: $changes, user: worker, password_file: $work/password}}
results: {amqp: {address: $results}}
ledger: {sqlite: {path: $work/ledger.db}, hmac_key_file: $work/hmac, sealing_key_files: [$work/seal]}
api: {base_url: "$(url plain)", requests_per_second_max: 0$1}
auth: {none: true}
operations: {listen: "127.0.0.1:0"}
${2:-}
$("$feed" organizations --organizations "$organizations")
YAML
}
