#!/usr/bin/env bash
# Runs a test program against an AMQP broker that rabbitmq.sh or artemis.sh has started.
#
#   with_broker.sh rabbitmq|artemis COMMAND…
#
# The folder of the broker is HELSEKONTAKTER_TEST_RABBITMQ_DIR or HELSEKONTAKTER_TEST_ARTEMIS_DIR.
set -euo pipefail

kind=${1:?rabbitmq or artemis}
shift
variable=HELSEKONTAKTER_TEST_${kind^^}_DIR
dir=${!variable:-}
if [[ ! -e $dir/env ]]; then
  echo "with_broker.sh: set $variable to the folder of a running broker:" \
    "tests/support/$kind.sh start --dir FOLDER makes one, tests/run.sh does both" >&2
  exit 2
fi
# shellcheck disable=SC1090,SC1091
. "$dir/env"
amqp=${kind^^}_AMQP amqps=${kind^^}_AMQPS tls=${kind^^}_TLS
export HELSEKONTAKTER_TEST_AMQP=${!amqp} HELSEKONTAKTER_TEST_AMQPS=${!amqps} \
  HELSEKONTAKTER_TEST_AMQP_TLS=${!tls} HELSEKONTAKTER_TEST_AMQP_DIR=$dir \
  HELSEKONTAKTER_TEST_AMQP_KIND=$kind
exec "$@"
