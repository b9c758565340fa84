#!/usr/bin/env bash
# Starts and stops an Apache ActiveMQ Artemis (embedded in a small Java program, on free ports) for
# tests. The jars come from Maven once and stay in a cache folder.
#
#   artemis.sh start   --dir DIR     writes DIR/env
#   artemis.sh stop    --dir DIR
#   artemis.sh kill    --dir DIR     as a power cut would
#   artemis.sh restart --dir DIR     same ports, same data
#
# DIR/env can be sourced: ARTEMIS_AMQP and ARTEMIS_AMQPS (host:port), ARTEMIS_TLS (certificates),
# ARTEMIS_PID. User `worker`, password `secret`; DIR/tls/client.pem for EXTERNAL.
set -euo pipefail

readonly up_within_s=90
readonly down_within_s=20
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() { echo "artemis.sh: $*" >&2; exit 1; }

command=${1:-}
[[ -n $command ]] || die "say start, stop, kill or restart"
shift
[[ ${1:-} == --dir && -n ${2:-} ]] || die "$command needs --dir"
dir=$2

# The jars are kept under the sum of the pom: another version gets another folder.
sum=$(sha256sum "$here/artemis/pom.xml" | cut -c1-12)
jars=${XDG_CACHE_HOME:-$HOME/.cache}/helsekontakter/artemis-$sum

fetch() {
  [[ -e $jars/complete ]] && return
  mkdir -p "$(dirname "$jars")"
  exec 9>"$jars.lock"
  flock -w 300 9 || die "another fetch of Artemis did not end within 300 s"
  if [[ ! -e $jars/complete ]]; then
    rm -rf "$jars"
    mvn -q -B -f "$here/artemis/pom.xml" dependency:copy-dependencies \
      -DoutputDirectory="$jars" -DincludeScope=runtime >&2 || die "Maven could not fetch Artemis"
    touch "$jars/complete"
  fi
  exec 9>&-
}

free_ports() {
  python3 - <<'PY'
import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))
PY
}

write_security() {
  "$here/amqp_certificates.sh" "$dir/tls"
  openssl pkcs12 -export -in "$dir/tls/server.pem" -inkey "$dir/tls/server-key.pem" \
    -out "$dir/tls/server.p12" -passout pass:secret
  rm -f "$dir/tls/ca.p12"
  keytool -importcert -noprompt -alias ca -file "$dir/tls/ca.pem" -keystore "$dir/tls/ca.p12" \
    -storetype PKCS12 -storepass secret 2>/dev/null
  echo 'worker = secret' > "$dir/users.properties"
  echo 'workers = worker' > "$dir/roles.properties"
  echo 'client = CN=client' > "$dir/certificates.properties"
  echo 'workers = client' > "$dir/certificate-roles.properties"
  local package=org.apache.activemq.artemis.spi.core.security.jaas
  cat > "$dir/login.config" <<EOL
users {
  $package.PropertiesLoginModule required baseDir="$dir"
    org.apache.activemq.jaas.properties.user="users.properties"
    org.apache.activemq.jaas.properties.role="roles.properties";
};
certificates {
  $package.ExternalCertificateLoginModule optional;
  $package.TextFileCertificateLoginModule required baseDir="$dir"
    org.apache.activemq.jaas.textfiledn.user="certificates.properties"
    org.apache.activemq.jaas.textfiledn.role="certificate-roles.properties";
};
EOL
}

launch() {
  local pid deadline
  # The subshell is gone at once, so the broker outlives the caller and is nobody's job.
  pid=$(
    setsid java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Xmx2g \
      -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
      "-Djava.security.auth.login.config=$dir/login.config" -cp "$jars/*" \
      "$here/artemis/src/main/java/RunArtemis.java" "$dir" "$port" "$tls_port" \
      </dev/null >>"$dir/artemis.log" 2>&1 9>&- &
    echo $!
  )
  cat > "$dir/env" <<EOE
ARTEMIS_AMQP=127.0.0.1:$port
ARTEMIS_AMQPS=localhost:$tls_port
ARTEMIS_TLS=$dir/tls
ARTEMIS_PID=$pid
ARTEMIS_PORTS="$port $tls_port"
EOE
  deadline=$((SECONDS + up_within_s))
  until (exec 3<>"/dev/tcp/127.0.0.1/$tls_port") 2>/dev/null; do
    kill -0 "$pid" 2>/dev/null || { tail -n 20 "$dir/artemis.log" >&2; return 1; }
    ((SECONDS < deadline)) || { kill -KILL "$pid"; return 1; }
    sleep 0.1
  done
}

load() {
  [[ -e $dir/env ]] || die "no Artemis was started in '$dir'"
  dir=$(cd "$dir" && pwd)
  # shellcheck disable=SC1091
  source "$dir/env"
  read -r port tls_port <<<"$ARTEMIS_PORTS"
}

start() {
  local attempt
  [[ ! -e $dir/env ]] || die "$dir/env exists: stop that Artemis first"
  fetch
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  write_security
  for attempt in 1 2 3; do
    read -r port tls_port <<<"$(free_ports)"
    # A free port may be taken by the time it is used, so a second attempt takes others.
    if launch; then
      echo "127.0.0.1:$port"
      return
    fi
    rm -rf "$dir/env" "$dir/data"
  done
  die "Artemis did not come up in $attempt attempts, see $dir/artemis.log"
}

# True while the process that we started lives; its id may belong to somebody else by now.
ours_lives() {
  [[ -r /proc/$ARTEMIS_PID/cmdline ]] \
    && tr '\0' ' ' <"/proc/$ARTEMIS_PID/cmdline" | grep -qF "$dir/login.config"
}

end_process() {  # SIGNAL
  local deadline=$((SECONDS + down_within_s))
  ours_lives || return 0
  kill "-$1" "$ARTEMIS_PID" 2>/dev/null || true
  while ours_lives; do
    ((SECONDS < deadline)) || kill -KILL "$ARTEMIS_PID" 2>/dev/null || true
    sleep 0.1
  done
}

case $command in
  start) start ;;
  stop) load; end_process TERM; rm -rf "$dir/env" "$dir/data" ;;
  kill) load; end_process KILL ;;
  restart) load; end_process TERM; launch || die "Artemis did not come back, see $dir/artemis.log" ;;
  *) die "unknown command $command" ;;
esac
