#!/usr/bin/env bash
# Starts and stops a RabbitMQ of Debian 12 with AMQP 1.0 for tests: a node of its own on free ports,
# with its own data, cookie and port mapper, beside any that the machine runs. It is never the
# system's service.
#
#   rabbitmq.sh start   --dir DIR [--definitions FILE]   writes DIR/env
#   rabbitmq.sh stop    --dir DIR
#   rabbitmq.sh kill    --dir DIR                         as a power cut would
#   rabbitmq.sh restart --dir DIR                         same ports, same data
#   rabbitmq.sh ctl     --dir DIR ARGUMENT...             rabbitmqctl on that node
#
# DIR/env can be sourced: RABBITMQ_AMQP and RABBITMQ_AMQPS (host:port), RABBITMQ_PID, and where the
# certificates lie. User `worker`, password `secret`, may do everything; `reader` may only read from
# what begins with "open"; `narrow` has the rights that deploy/rabbitmq/README.md names; `client` comes
# with DIR/tls/client.pem (EXTERNAL).
set -euo pipefail

readonly up_within_s=90
readonly down_within_s=20
readonly rabbit=/usr/lib/rabbitmq/bin

die() { echo "rabbitmq.sh: $*" >&2; exit 1; }

command=${1:-}
[[ -n $command ]] || die "say start, stop, kill, restart or ctl"
shift
dir='' definitions=''
while (($# > 0)); do
  case $1 in
    --dir) dir=${2:?}; shift 2 ;;
    --definitions) definitions=${2:?}; shift 2 ;;
    *) [[ $command == ctl ]] || die "unknown option $1"; break ;;
  esac
done

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

write_configuration() {
  cat > "$dir/rabbitmq.conf" <<EOC
listeners.tcp.1 = 127.0.0.1:$amqp
listeners.ssl.1 = 127.0.0.1:$amqps
ssl_options.cacertfile = $dir/tls/ca.pem
ssl_options.certfile = $dir/tls/server.pem
ssl_options.keyfile = $dir/tls/server-key.pem
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
ssl_cert_login_from = common_name
load_definitions = $dir/definitions.json
log.console = false
log.file = rabbit.log
log.file.level = info
disk_free_limit.absolute = 50MB
EOC
  echo '[rabbitmq_amqp1_0,rabbitmq_auth_mechanism_ssl,rabbitmq_consistent_hash_exchange].' \
    > "$dir/enabled_plugins"
  python3 - "$dir/definitions.json" "$definitions" <<'PY'
import base64, hashlib, json, sys
def user(name, password):
    salt = b"salt"
    digest = hashlib.sha256(salt + password.encode()).digest()
    return {"name": name, "password_hash": base64.b64encode(salt + digest).decode(),
            "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": ""}
def may(name, configure, write, read):
    return {"user": name, "vhost": "/", "configure": configure, "write": write, "read": read}
given = {}
if sys.argv[2]:
    with open(sys.argv[2]) as file:
        given = json.load(file)
wanted = {"vhosts": [{"name": "/"}],
          "users": [user("worker", "secret"), user("reader", "secret"), user("client", "unused"),
                    user("narrow", "secret")],
          "permissions": [may("worker", ".*", ".*", ".*"), may("reader", "^$", "^$", "^open"),
                          may("client", ".*", ".*", ".*"),
                          may("narrow", "^$",
                              r"^(membership-results|membership-dead-letters|amq\.default)$",
                              "^membership-changes")]}
for key in ("queues", "exchanges", "bindings", "policies"):
    wanted[key] = given.get(key, [])
with open(sys.argv[1], "w") as file:
    json.dump(wanted, file)
PY
}

write_env() {
  cat > "$dir/env" <<EOE
RABBITMQ_AMQP=127.0.0.1:$amqp
RABBITMQ_AMQPS=localhost:$amqps
RABBITMQ_TLS=$dir/tls
RABBITMQ_PID=${1:-}
RABBITMQ_EPMD_PID=${2:-}
RABBITMQ_PORTS="$amqp $amqps $distribution $epmd"
EOE
}

# Becomes the command, with everything that would else lie in /var/lib, /etc and the user's home.
with_environment() {
  exec env -i PATH="$PATH" HOME="$dir/home" LANG=C.UTF-8 ERL_EPMD_PORT="$epmd" \
    ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_NODENAME="test-$amqp@localhost" \
    RABBITMQ_DIST_PORT="$distribution" RABBITMQ_MNESIA_BASE="$dir/data" \
    RABBITMQ_LOG_BASE="$dir/log" RABBITMQ_CONFIG_FILE="$dir/rabbitmq" \
    RABBITMQ_ADVANCED_CONFIG_FILE="$dir/advanced" RABBITMQ_CONF_ENV_FILE=/dev/null \
    RABBITMQ_ENABLED_PLUGINS_FILE="$dir/enabled_plugins" RABBITMQ_PID_FILE="$dir/rabbit.pid" \
    RABBITMQ_GENERATED_CONFIG_DIR="$dir/generated" RABBITMQ_ALLOW_INPUT=yes \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +sbwt none +A 4 -noinput" "$@"
}

launch() {
  local deadline epmd_pid pid
  mkdir -p "$dir/home" "$dir/log"
  epmd_pid=$(with_environment setsid epmd -port "$epmd" -address 127.0.0.1 </dev/null \
    >>"$dir/epmd.log" 2>&1 & echo $!)
  pid=$(with_environment setsid "$rabbit/rabbitmq-server" </dev/null >>"$dir/start.log" 2>&1 &
    echo $!)
  write_env "$pid" "$epmd_pid"
  deadline=$((SECONDS + up_within_s))
  # The AMQP listener opens last, when plugins and definitions are there.
  until (exec 3<>"/dev/tcp/127.0.0.1/$amqps") 2>/dev/null; do
    kill -0 "$pid" 2>/dev/null || { tail -n 20 "$dir/start.log" >&2; return 1; }
    ((SECONDS < deadline)) || { kill -KILL "$pid"; return 1; }
    sleep 0.1
  done
}

start() {
  local attempt
  [[ -n $dir ]] || die "start needs --dir"
  [[ ! -e $dir/env ]] || die "$dir/env exists: stop that RabbitMQ first"
  [[ -x $rabbit/rabbitmq-server ]] || die "rabbitmq-server is missing: tests/support/install.sh test"
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  "$(dirname "${BASH_SOURCE[0]}")/amqp_certificates.sh" "$dir/tls"
  for attempt in 1 2 3; do
    read -r amqp amqps distribution epmd <<<"$(free_ports)"
    write_configuration
    # A free port may be taken by the time it is used, so a second attempt takes others.
    if launch; then
      echo "127.0.0.1:$amqp"
      return
    fi
    load
    end_all KILL
    rm -rf "$dir/env" "$dir/data"
  done
  die "RabbitMQ did not come up in $attempt attempts, see $dir/start.log and $dir/log"
}

load() {
  [[ -n $dir && -e $dir/env ]] || die "no RabbitMQ was started in '${dir}'"
  dir=$(cd "$dir" && pwd)
  # shellcheck disable=SC1091
  source "$dir/env"
  read -r amqp amqps distribution epmd <<<"$RABBITMQ_PORTS"
}

# True while the process that we started lives; its id may belong to somebody else by now.
ours_lives() {  # PID
  [[ -n $1 ]] && { tr '\0' '\n' <"/proc/$1/environ" | grep -qxF "HOME=$dir/home"; } 2>/dev/null
}

end_process() {  # SIGNAL PID
  local deadline=$((SECONDS + down_within_s))
  ours_lives "$2" || return 0
  kill "-$1" "$2" 2>/dev/null || true
  while ours_lives "$2"; do
    ((SECONDS < deadline)) || kill -KILL "$2" 2>/dev/null || true
    sleep 0.1
  done
}

end_all() {  # SIGNAL
  end_process "$1" "$RABBITMQ_PID"
  # What the node started beside itself ends with its pipe; the mapper has to be told.
  end_process TERM "$RABBITMQ_EPMD_PID"
}

case $command in
  start) start ;;
  stop) load; end_all TERM; rm -rf "$dir/env" "$dir/data" ;;
  kill) load; end_all KILL ;;
  restart) load; end_all TERM; launch || die "RabbitMQ did not come back, see $dir/start.log" ;;
  ctl) load; with_environment "$rabbit/rabbitmqctl" "$@" ;;
  *) die "unknown command $command" ;;
esac
