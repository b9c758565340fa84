#!/usr/bin/env bash
# Starts and stops a real Kafka (one KRaft node on free ports) for tests and the demo. Several may
# run beside each other. The jars come from Maven once and stay in a cache folder.
#
#   kafka.sh fetch        --version V
#   kafka.sh start        --version V --dir DIR [--port P|free] [--secure yes]    writes DIR/env
#   kafka.sh stop         --dir DIR
#   kafka.sh kill         --dir DIR                               as a power cut would
#   kafka.sh restart      --dir DIR                               same ports, same data
#   kafka.sh create-topic --dir DIR --topic T [--partitions N] [--config K=V]...
#   kafka.sh rewind       --dir DIR --topic T --group G           offsets back to the beginning
#
# DIR/env can be sourced: KAFKA_BOOTSTRAP, KAFKA_PID, KAFKA_VERSION, KAFKA_PORT, KAFKA_CONTROLLER.
# --secure yes adds two listeners on localhost: KAFKA_SASL_SSL takes SCRAM-SHA-512 (user worker,
# password worker-secret), KAFKA_SSL a client certificate; DIR/tls holds authority and certificates.
set -euo pipefail

readonly up_within_s=90
readonly down_within_s=20

die() { echo "kafka.sh: $*" >&2; exit 1; }

command=${1:-}
[[ -n $command ]] || die "say fetch, start, stop, kill, restart, create-topic or rewind"
shift
version=3.9.1 dir='' port=free secure=no topic='''' group='' partitions=1
configs=()
while (($# > 0)); do
  (($# > 1)) || die "$1 needs a value"
  case $1 in
    --version) version=$2 ;;
    --dir) dir=$2 ;;
    --port) port=$2 ;;
    --secure) secure=$2 ;;
    --topic) topic=$2 ;;
    --group) group=$2 ;;
    --partitions) partitions=$2 ;;
    --config) configs+=(--config "$2") ;;
    *) die "unknown option $1" ;;
  esac
  shift 2
done

jars_of() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/helsekontakter/kafka-$1"; }

# Copies the jars of one version to the cache; whoever comes second waits for the first.
fetch() {
  local jars work
  jars=$(jars_of "$version")
  [[ -e $jars/complete ]] && return
  mkdir -p "$(dirname "$jars")"
  exec 9>"$jars.lock"
  flock -w 300 9 || die "another fetch of Kafka $version did not end within 300 s"
  if [[ ! -e $jars/complete ]]; then
    work=$(mktemp -d)
    cat > "$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>no.helsekontakter</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>$version</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
      <version>$version</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
POM
    rm -rf "$jars"
    mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars" \
      -DexcludeArtifactIds=slf4j-reload4j >&2 \
      || die "Maven could not fetch Kafka $version"
    touch "$jars/complete"
    rm -rf "$work"
  fi
  exec 9>&-
}

# Prints four different ports that are free now.
free_ports() {
  python3 - <<'PY'
import socket
sockets = [socket.socket() for _ in range(4)]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))
PY
}

kafka_java() {
  local class=$1
  shift
  java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Xmx256m \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$(jars_of "$version")/*" "$class" "$@"
}

# The broker's options: small, quick to rebalance, strict about nothing that tests must shorten.
write_properties() {
  cat > "$dir/kraft.properties" <<EOP
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$dir/data
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=1
background.threads=2
num.partitions=1
auto.create.topics.enable=false
offsets.topic.num.partitions=5
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.threads=1
log.cleaner.backoff.ms=1000
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=1000
EOP
  [[ $secure == yes ]] || return 0
  local tls=$dir/tls
  bash "$(dirname "${BASH_SOURCE[0]}")/amqp_certificates.sh" "$tls"
  cat "$tls/server-key.pem" "$tls/server.pem" >"$tls/server-both.pem"
  # What is said twice counts as it is said last.
  cat >> "$dir/kraft.properties" <<EOP
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller,SASL_SSL://127.0.0.1:$sasl_ssl,SSL://127.0.0.1:$ssl
advertised.listeners=PLAINTEXT://127.0.0.1:$port,SASL_SSL://localhost:$sasl_ssl,SSL://localhost:$ssl
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
ssl.keystore.type=PEM
ssl.keystore.location=$tls/server-both.pem
ssl.truststore.type=PEM
ssl.truststore.location=$tls/ca.pem
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
EOP
}

write_env() {
  cat > "$dir/env" <<EOE
KAFKA_BOOTSTRAP=127.0.0.1:$port
KAFKA_PID=$1
KAFKA_VERSION=$version
KAFKA_PORT=$port
KAFKA_CONTROLLER=$controller
KAFKA_SECURE=$secure
KAFKA_SASL_SSL=localhost:${sasl_ssl:-}
KAFKA_SSL=localhost:${ssl:-}
EOE
}

# Starts the formatted node and waits until it answers.
launch() {
  local pid deadline
  # The subshell is gone at once, so the broker outlives the caller and is nobody's job.
  pid=$(
    setsid java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Xms96m -Xmx384m \
      -Djava.awt.headless=true -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
      -Dorg.slf4j.simpleLogger.showDateTime=true \
      -cp "$(jars_of "$version")/*" kafka.Kafka "$dir/kraft.properties" \
      </dev/null >>"$dir/kafka.log" 2>&1 9>&- &
    echo $!
  )
  write_env "$pid"
  deadline=$((SECONDS + up_within_s))
  # A KRaft broker opens its listener last, when it has registered and caught up.
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "$pid" 2>/dev/null || { tail -n 20 "$dir/kafka.log" >&2; return 1; }
    ((SECONDS < deadline)) || { kill -KILL "$pid"; return 1; }
    sleep 0.1
  done
}

start() {
  local attempt free id
  [[ -n $dir ]] || die "start needs --dir"
  [[ ! -e $dir/env ]] || die "$dir/env exists: stop that Kafka first"
  fetch
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  local wanted=$port
  for attempt in 1 2 3; do
    read -r -a free <<<"$(free_ports)"
    port=$wanted
    [[ $port == free ]] && port=${free[0]}
    controller=${free[1]} sasl_ssl=${free[2]} ssl=${free[3]}
    rm -rf "$dir/data"
    write_properties
    id=$(python3 -c 'import base64, uuid
print(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))')
    local users=()
    [[ $secure == yes ]] && users=(--add-scram 'SCRAM-SHA-512=[name=worker,password=worker-secret]')
    kafka_java kafka.tools.StorageTool format "--cluster-id=$id" -c "$dir/kraft.properties" \
      "${users[@]}" >>"$dir/kafka.log" 2>&1 || die "formatting failed, see $dir/kafka.log"
    # A free port may be taken by the time it is used, so a second attempt takes others.
    if launch; then
      echo "127.0.0.1:$port"
      return
    fi
    rm -f "$dir/env"
  done
  die "Kafka $version did not come up in $attempt attempts, see $dir/kafka.log"
}

load() {
  [[ -n $dir && -e $dir/env ]] || die "no Kafka was started in '${dir}'"
  dir=$(cd "$dir" && pwd)
  # shellcheck disable=SC1091
  source "$dir/env"
  version=$KAFKA_VERSION port=$KAFKA_PORT controller=$KAFKA_CONTROLLER secure=${KAFKA_SECURE:-no}
  KAFKA_SASL_SSL=${KAFKA_SASL_SSL:-} KAFKA_SSL=${KAFKA_SSL:-}
  sasl_ssl=${KAFKA_SASL_SSL##*:} ssl=${KAFKA_SSL##*:}
}

# True while the process that we started lives; its id may belong to somebody else by now.
ours_lives() {
  [[ -r /proc/$KAFKA_PID/cmdline ]] \
    && tr '\0' ' ' <"/proc/$KAFKA_PID/cmdline" | grep -qF "$dir/kraft.properties"
}

end_process() {
  local deadline=$((SECONDS + down_within_s))
  ours_lives || return 0
  kill "-$1" "$KAFKA_PID" 2>/dev/null || true
  while ours_lives; do
    ((SECONDS < deadline)) || kill -KILL "$KAFKA_PID" 2>/dev/null || true
    sleep 0.1
  done
}

case $command in
  fetch) fetch ;;
  start) start ;;
  stop) load; end_process TERM; rm -rf "$dir/env" "$dir/data" ;;
  kill) load; end_process KILL ;;
  restart) load; end_process TERM; launch || die "Kafka did not come back, see $dir/kafka.log" ;;
  rewind)
    load
    [[ -n $topic && -n $group ]] || die "rewind needs --topic and --group"
    kafka_java org.apache.kafka.tools.consumer.group.ConsumerGroupCommand \
      --bootstrap-server "127.0.0.1:$port" --group "$group" --topic "$topic" --reset-offsets \
      --to-earliest --execute >&2
    ;;
  create-topic)
    load
    [[ -n $topic ]] || die "create-topic needs --topic"
    kafka_java org.apache.kafka.tools.TopicCommand --bootstrap-server "127.0.0.1:$port" --create \
      --topic "$topic" --partitions "$partitions" --replication-factor 1 "${configs[@]}" >&2
    ;;
  *) die "unknown command $command" ;;
esac
